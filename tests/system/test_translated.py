# SPDX-License-Identifier: BSD-2-Clause
"""F13: a device that can do ATS (address translation services) belongs to a guest that wants it on.

Were it on, the device could mark its DMA as translated already, and the SMMU would let that pass. The
guest sees none of ATS, PRI and PASID and writes to everything; QEMU then tells what the device got.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import pytest

from configs import MIB, config, node, partition, port, whole, write
from demo.session import Session
from hostile import Monitor, Step, parse_steps, stream_entry

FUNCTION = 1 << 8  # 0000:01:00.0
ECAM = 0x4010000000 + (FUNCTION << 12)
CAPABILITIES = {0x0F: "ATS", 0x13: "PRI", 0x1B: "PASID"}
ENABLE = {0x0F: 1 << 31, 0x13: 1 << 0, 0x1B: 1 << 16}  # in the dword at 4, and for PASID too
pytestmark = pytest.mark.bound(90)


@dataclass
class Outcome:
    step: Step
    assigned: bool
    capabilities: dict[int, int]  # id → control and status, as the device has it after the attack
    entry: int  # dword 1 of its stream table entry


def entry_dword(monitor: Monitor, hypervisor: Optional[Path]) -> int:
    """Dword 1 of its stream table entry."""
    words = stream_entry(monitor, hypervisor, FUNCTION)
    assert words[0] & 1 and words[0] >> 1 & 7 in (5, 6), f"this is no valid stream entry: {words}"
    return words[3] << 32 | words[2]


def capabilities(monitor: Monitor) -> dict[int, int]:
    found, offset = {}, 0x100
    for _ in range(48):
        header, control = monitor.words(ECAM + offset, 2)
        found[header & 0xFFFF] = control
        offset = header >> 20
        if not offset:
            return found
    raise AssertionError("the device's capability list does not end")


@dataclass(frozen=True)
class TranslatedRow:
    stage: int = 2

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        text = config([port("port1", 1), node("net", model="virtio-net-pci", behind="port1")],
                      [partition("attacker", 0, 16 * MIB, whole("net", "0000:01:00.0"),
                                 command_line="attack=translated,idle base=0x40f00000 size=0x1000")],
                      2, smmu_stage=self.stage)
        session = Session(write(name, text), f"test-hostile-{name}")
        socket = session.sockets.serial.with_name("monitor")
        session.machine.argv += ["--hypervisor", str(hypervisor)] if hypervisor else []
        session.machine.argv += ["--", "-global", "virtio-net-pci.ats=on", "-icount", "shift=0,sleep=off",
                                 "-monitor", f"unix:{socket},server=on,wait=off"]
        with session:
            monitor = Monitor(socket)
            try:
                session.machine.expect(r"@canary filled", 60, "attacker")
                steps = [s for s in parse_steps(session.machine) if s.step in ("enable", "device")]
                report = session.machine.report()
                assigned = [d.state for d in report.devices_of("attacker")] == ["assigned"]
                return Outcome(steps[0], assigned, capabilities(monitor), entry_dword(monitor, hypervisor))
            finally:
                monitor.close()

    def check(self, o: Outcome) -> None:
        assert o.assigned and o.step.result == "issued", o.step
        assert 0x0F in o.capabilities, f"the device has no ATS to switch on: {o.capabilities}"
        assert o.step.values["shown"] == "0", "the guest sees ATS, PRI or PASID"
        for number, control in o.capabilities.items():
            assert control & ENABLE.get(number, 0) == 0, f"{CAPABILITIES[number]} is on: {control:#x}"
        assert o.entry >> 28 & 3 == 0, f"EATS lets translated traffic of the device pass: {o.entry:#x}"


@pytest.mark.parametrize("stage", (2, 1))
def test_ats_stays_off(built: Path, stage: int) -> None:
    row = TranslatedRow(stage)
    row.check(row.run(f"F13-{stage}"))


__all__ = ["TranslatedRow"]
