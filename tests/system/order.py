# SPDX-License-Identifier: BSD-2-Clause
"""F24: two vCPUs write a function's registers in any order; after each round the guest's view and the
hardware's registers, which QEMU's monitor reads, must agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import hostile
from demo.machine import MachineError
from demo.report import Report

ECAM = 0x4010000000
COMMAND, MASTER, INTX_OFF = 0x04, 1 << 2, 1 << 10
MSI_GUEST, MSIX_GUEST = 0x0071, 0xC000
ROUNDS = 3
# device id: requester id, and where its MSI or MSI-X capability is
FUNCTIONS = {0x11E8: (0x0028, 0x40, None), 0x10CA: (0x0180, None, 0x70)}


@dataclass
class Seen:
    """After each round, for each function: the guest's view and the hardware's registers."""

    states: list[tuple[dict[str, int], dict[str, int]]]
    report: Report
    said: list[str]


class Order:
    """As test_isolation.Row: run it, then check what it left."""

    scenario = hostile.Scenario("config-order", "edu", cores=(2, 3))

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Seen:
        found = []
        with hostile.machine(self.scenario, name, hypervisor) as (session, monitor):
            m = session.machine
            for number in range(1, ROUNDS + 1):
                m.expect(rf"@round {number}$", hostile.DONE_TIMEOUT, "attacker")
                for step in hostile.parse_steps(m)[-2:]:
                    view = {k: int(v, 0) for k, v in step.values.items() if k not in ("name", "step", "result")}
                    assert view["round"] == number
                    found.append((view, self.hardware(monitor, view["id"])))
                report = m.report()
                m.type_line("attacker", "")
            m.expect(r"@done$", hostile.DONE_TIMEOUT, "attacker")
            if [x for x in m.console.lines(hostile.HYPERVISOR) if "panic" in x.text]:
                raise MachineError("panic")
            return Seen(found, report, [x.text for x in m.console.lines(hostile.HYPERVISOR)])

    @staticmethod
    def hardware(monitor: hostile.Monitor, device: int) -> dict[str, int]:
        rid, msi, msix = FUNCTIONS[device]
        base = ECAM + (rid << 12)
        word = {at: monitor.words(base + at, 1)[0] for at in (COMMAND, msi, msix) if at is not None}
        return {"command": word[COMMAND] & 0xFFFF, "msi": word[msi] >> 16 if msi else 0,
                "msix": word[msix] >> 16 if msix else 0}

    def check(self, seen: Seen) -> None:
        found = seen.states
        assert len(found) == 2 * ROUNDS and {v["id"] for v, _ in found} == set(FUNCTIONS)
        for view, real in found:
            where = f"round {view['round']}, {view['id']:04x}: the guest sees {view}, the device has {real}"
            assert (view["command"] ^ real["command"]) & MASTER == 0, where
            assert (view["msi"] ^ real["msi"]) & MSI_GUEST == 0, where
            assert (view["msix"] ^ real["msix"]) & MSIX_GUEST == 0, where
            if view["id"] == 0x11E8:  # a VF has no INTx
                wanted = view["command"] & INTX_OFF if view["pin"] else INTX_OFF
                assert real["command"] & INTX_OFF == wanted, where
        # The test is none if nothing ever changed.
        assert len({tuple(sorted(v.items())) for v, _ in found}) > 3
