# SPDX-License-Identifier: BSD-2-Clause
"""Whose instructions were executed: the partitions', each, and the hypervisor's (split.c, a plugin of QEMU)."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

from demo.report import Report

RAM = 0x40000000
HYPERVISOR_MEMORY = 64 << 20
LOADED_AT = 0x40200000  # QEMU puts an arm64 Image 2 MiB into RAM
BLOCK = 2 << 20
HYPERVISOR, OTHER = "hypervisor", "other"


class Split:
    """Compiled where it runs: QEMU's headers are not needed."""

    def __init__(self, build: Path, logs: Path) -> None:
        self._counts = logs / "instructions"
        self._library = build / "split.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(self._library),
                        str(Path(__file__).with_name("split.c"))], check=True, timeout=60)
        names = subprocess.run(["nm", str(build / "hypervisor.elf")], check=True, capture_output=True, text=True,
                               timeout=60).stdout
        at = {name: int(address, 16) for address, name in re.findall(r"^(\w+) \w (\w+)$", names, re.MULTILINE)}
        self.options = ["-plugin", f"{self._library},ram={RAM:x},code={LOADED_AT:x}-{LOADED_AT + at['__rodata_start']:x},"
                        f"at={LOADED_AT + at['report_print']:x},out={self._counts}"]

    def read(self, report: Report) -> dict[str, int]:
        """The counts when this report, the last one, was begun: of each partition by name, HYPERVISOR and OTHER."""
        data = self._counts.read_bytes()
        blocks = struct.unpack(f"<{len(data) // 8}Q", data)
        starts = sorted((p.memory, p.name) for p in report.partitions if p.memory)
        counts = {name: 0 for _, name in starts} | {HYPERVISOR: 0, OTHER: blocks[-1]}
        for index, count in enumerate(blocks[:-1]):
            address = RAM + index * BLOCK
            below = [name for start, name in starts if start <= address]
            owner = HYPERVISOR if address < RAM + HYPERVISOR_MEMORY else below[-1] if below else OTHER
            counts[owner] += count
        return counts
