# SPDX-License-Identifier: BSD-2-Clause
"""The owner of a PF turns on everybody else (F50, F51), on the machine of attacker and victim.

Its image is the PF service with a switch, tests/faults/pf/rogue.c.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import hostile
from conftest import BUILD
from demo.report import Report, key_values
from hostile import Fault, Monitor, Scenario

PF = "0000:01:00.0"
PF_CONFIG = 0x40_1010_0000  # in the machine's ECAM
SRIOV = 0x160  # of an 82576
IMAGE = "build/pf-mutants/rogue.bin"
VFS = 2


def sriov_words(monitor: Monitor) -> list[int]:
    """Control, NumVFs, page size and VF BARs, as the hardware has them."""
    words = monitor.words(PF_CONFIG + SRIOV, 16)
    return [words[2] & 0xFFFF, words[4] & 0xFFFF, *words[8:15]]


@dataclass
class Outcome:
    before: list[int]
    after: list[int]
    canary: dict[str, str]
    canary_ok: bool
    faults: list[Fault]
    report: Report
    said: list[str]


class RogueRow:
    """Looks like a Row of test_isolation.py."""

    scenario = Scenario("ping", "vf", (hostile.VICTIM_TARGETS[0],), "count=100000", pf=IMAGE)

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        assert (BUILD / "pf-mutants" / "rogue.bin").exists(), "run 'make mutants' first"
        with hostile.machine(self.scenario, name, hypervisor) as (session, monitor):
            m = session.machine
            m.expect("@canary filled", 60, "victim")
            m.expect("step=vf result=ok", 30, "attacker")
            before = sriov_words(monitor)
            m.type_line("pf", "x")
            m.expect("@rogue done", 60, "pf")
            canary = hostile.check_canary(m)
            return Outcome(before, sriov_words(monitor), key_values(canary[2]), canary[1] == "ok",
                           hostile.parse_faults(m), m.report(), [x.text for x in m.console.lines("hv")])

    def check(self, o: Outcome) -> None:
        assert o.before[0] & 9 == 9 and o.before[1] == VFS, f"VFE, MSE and NumVFs were not as expected: {o.before}"
        assert o.after == o.before, f"the SR-IOV capability was changed: {o.before} -> {o.after}"
        assert o.canary_ok and o.canary["irqs"] == "0", f"the victim: {o.canary}"
        page = hostile.VICTIM_TARGETS[0] >> 12
        assert {(f.function, f.address >> 12) for f in o.faults} >= {(PF, page)}, o.faults
        assert {f.function for f in o.faults} <= {PF, hostile.VF}, "only the card's own ids, as their owners"
        assert [p.state for p in o.report.partitions] == ["running"] * 3
        assert [x for x in o.said if re.search("panic|storm|quarantined", x)] == []
