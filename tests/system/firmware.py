# SPDX-License-Identifier: BSD-2-Clause
"""A machine whose firmware left a device mastering the bus, a transfer under way (F10).

tests/faults/firmware/left_running.S is entered first and enters the hypervisor, which lies elsewhere
in memory. The transfer begins 100 ms of virtual time later, long after the hypervisor's boot, and
would overwrite a pattern in memory that belongs to nobody.
"""

from __future__ import annotations

import time
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from configs import MIB, config, edu, partition, write
from conftest import BUILD, ROOT
from demo.console import HYPERVISOR
from demo.session import Session
from hostile import EDU, Monitor, parse_faults

TARGET = 0x47000000  # below the FIT, above the hypervisor, no partition's
HYPERVISOR_AT = 0x41000000
PATTERN = 0xC0DEC0DE


@dataclass
class Outcome:
    words: list[int]  # at TARGET, once the transfer had its chance
    faults: list[str]  # functions of the recorded faults that nobody owns


def assemble(folder: Path, wait: bool) -> Path:
    source, image = ROOT / "tests" / "faults" / "firmware" / "left_running.S", folder / "firmware.bin"
    elf = image.with_suffix(".elf")
    values = {"TARGET": TARGET, "HYPERVISOR": HYPERVISOR_AT, "WAIT": int(wait)}
    defines = [f"-D{name}={value:#x}" for name, value in values.items()]
    for command in (["gcc", "-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0,-e,0", "-Wl,--build-id=none", *defines, "-o", elf, source],
                    ["objcopy", "-O", "binary", "-j", ".text", elf, image]):
        subprocess.run([f"aarch64-linux-gnu-{command[0]}", *command[1:]], check=True, timeout=30)
    return image


def session_of(name: str, attack: str, hypervisor: Optional[Path] = None, wait: bool = False, **machine: str) -> Session:
    """One guest on a machine with this firmware in front of the hypervisor."""
    folder = BUILD / "hostile" / name
    folder.mkdir(parents=True, exist_ok=True)
    guest = partition("guest", 0, 32 * MIB, at=0x54000000, command_line=f"attack={attack} base=0x41100000 size=0x1000")
    session = Session(write(name, config([edu(5)], [guest], 1, **machine)), f"test-hostile-{name}")
    session.machine.argv += [
        "--hypervisor", str(assemble(folder, wait)), "--", "-icount", "shift=0,sleep=off",
        "-device", f"loader,file={hypervisor or BUILD / 'hypervisor.bin'},addr={HYPERVISOR_AT:#x},force-raw=on"]
    return session


def boot(name: str, hypervisor: Optional[Path] = None, wait: bool = False) -> Outcome:
    """With `wait` the transfer is over before the hypervisor's first instruction."""
    session = session_of(name, "idle", hypervisor, wait)
    path = session.sockets.serial.with_name("monitor")
    session.machine.argv += [
        "-monitor", f"unix:{path},server=on,wait=off",
        *(part for offset in range(0, 64, 8) for part in (
            "-device", f"loader,addr={TARGET + offset:#x},data={PATTERN << 32 | PATTERN:#x},data-len=8"))]
    with session:
        monitor = Monitor(path)
        try:
            session.machine.expect(r"@canary filled", 60, "guest")
            time.sleep(0.5)  # idle: the clock jumps from timer to timer
            words = monitor.words(TARGET, 16)
        finally:
            monitor.close()
        return Outcome(words, [f.function for f in parse_faults(session.machine) if f.partition == "nobody"])


def vector_bytes(name: str, cpu: str) -> int:
    """How long a guest's SVE vectors are when firmware left ZCR_EL2 at its longest; 0: it has none."""
    with session_of(name, "vectors", cpu=cpu) as session:
        line = session.machine.expect(r"@attack name=vectors step=length .*bytes=(\d+)", 60, "guest")
        return int(line[1])


@dataclass(frozen=True)
class FirmwareRow:
    """F10, in the shape of the other rows."""

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        return boot(name, hypervisor)

    def check(self, o: Outcome) -> None:
        assert o.words == [PATTERN] * 16, f"a transfer that firmware had begun landed: {o.words[0]:#x}"


__all__ = ["EDU", "HYPERVISOR", "FirmwareRow", "boot", "vector_bytes"]
