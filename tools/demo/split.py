# SPDX-License-Identifier: BSD-2-Clause
"""Whose instructions were executed: the partitions', each, and the hypervisor's (split.c, a plugin of QEMU)."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path
from typing import Sequence

from demo.report import Report

RAM = 0x40000000
LOADED_AT = 0x40200000  # QEMU puts an arm64 Image 2 MiB into RAM
BLOCK = 2 << 20
BLOCKS, EVENTS = 4096, 8  # of split.c
RECORD = 8 * (BLOCKS + 1 + EVENTS)
HYPERVISOR, OTHER = "hypervisor", "other"

Counts = dict[str, int]


def symbols(build: Path) -> dict[str, int]:
    """Where the hypervisor's symbols are once QEMU has loaded it."""
    names = subprocess.run(["nm", str(build / "hypervisor.elf")], check=True, capture_output=True, text=True,
                           timeout=60).stdout
    return {name: LOADED_AT + int(address, 16) for address, name in re.findall(r"^(\w+) \w ([\w.]+)$", names, re.MULTILINE)}


def compiled(source: Path, library: Path) -> Path:
    """A plugin of QEMU's, compiled where it runs."""
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{Path(__file__).parent}",
                    "-o", str(library), str(source)], check=True, timeout=60)
    return library


def plugin(build: Path, out: Path, at: dict[str, int], *words: str) -> list[str]:
    """QEMU's options."""
    library = compiled(Path(__file__).with_name("split.c"), build / "split.so")
    code = f"code={LOADED_AT:x}-{at['__rodata_start']:x}"
    return ["-plugin", ",".join([str(library), f"ram={RAM:x}", code, *words, f"out={out}"])]


def unpack(record: bytes) -> Sequence[int]:
    return struct.unpack(f"<{RECORD // 8}Q", record)


def owners(blocks: Sequence[int], report: Report) -> Counts:
    """The counts of each partition by name, of HYPERVISOR, which lies below them all, and OTHER."""
    starts = sorted((p.memory, p.name) for p in report.partitions if p.memory)
    counts = {name: 0 for _, name in starts} | {HYPERVISOR: 0, OTHER: blocks[BLOCKS]}
    for index, count in enumerate(blocks[:BLOCKS]):
        address = RAM + index * BLOCK
        below = [name for start, name in starts if start <= address]
        counts[below[-1] if below else HYPERVISOR] += count
    return counts


class Split:
    """The counts at each report."""

    def __init__(self, build: Path, logs: Path) -> None:
        self._counts = logs / "instructions"
        at = symbols(build)
        self.options = plugin(build, self._counts, at, f"at={at['report_print']:x}")

    def read(self, report: Report) -> Counts:
        """When this report, the last one, was begun."""
        return owners(unpack(self._counts.read_bytes()), report)
