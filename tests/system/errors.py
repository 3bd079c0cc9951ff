# SPDX-License-Identifier: BSD-2-Clause
"""F36: the SMMU refuses commands while a device is attached and taken away (tests/faults/mutants/refusing-smmu.c).

Four lives of the attacker: in two its device cannot be attached, in the third it works, and when it is taken
away nothing confirms it; so there is no device in the fourth. QEMU's SMMU really refuses: CERROR_ILL.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import hostile
from conftest import BUILD, ROOT
from demo.console import HYPERVISOR
from demo.report import Report
from hostile import DONE_TIMEOUT, EDU, Scenario, Step, check_canary, parse_steps

LIVES = 4
WORKS = 2  # the life that has the device
TARGETS = tuple(hostile.VICTIM_TARGETS)
EVIL = 0xBADC0DE5  # what the attacker writes


def refusing() -> Path:
    subprocess.run(["make", "--no-print-directory", "mutant-refusing-smmu"], cwd=ROOT, check=True, timeout=120,
                   capture_output=True)
    return BUILD / "mutants" / "refusing-smmu" / "hypervisor.bin"


@dataclass
class Outcome:
    lives: list[list[Step]]
    said: list[str]  # by the hypervisor
    canary_ok: bool
    memory: list[list[int]]  # the victim's, where the attacker aimed
    report: Report


@dataclass(frozen=True)
class ErrorsRow:
    stage: int = 2
    scenario: Scenario = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scenario", Scenario("dma-write", "edu", TARGETS, vf=False, stage=self.stage))

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        lives: list[list[Step]] = []
        with hostile.machine(self.scenario, name, hypervisor or refusing()) as (session, monitor):
            m = session.machine
            m.expect("@canary filled", 60, "victim")
            since = 0
            for life in range(LIVES):
                if life:
                    since = m.console.mark()
                    m.reset("attacker")
                m.expect(r"@done$", DONE_TIMEOUT, "attacker", since)
                m.expect("^attacker: off", 20, HYPERVISOR, since)
                before = sum(map(len, lives))
                lives.append(parse_steps(m)[before:])
            canary = check_canary(m)
            return Outcome(lives, [x.text for x in m.console.lines(HYPERVISOR)], canary[1] == "ok",
                           [monitor.words(address, 16) for address in TARGETS], m.report())

    def check(self, o: Outcome) -> None:
        """F36: never half: without the device, with it, or it is nobody's; and who stood by notices nothing."""
        for life, steps in enumerate(o.lives):
            found = {s.step: s.result for s in steps}
            if life == WORKS:
                assert (found["control-before"], found["control-after"]) == ("ok", "ok"), found
                assert "write" in found
            else:
                assert not {"control-before", "write"} & set(found), f"life {life} has a device: {found}"
        text = "\n".join(o.said)
        assert text.count(f"{EDU} -> attacker") == 1, "attached in another life, too"
        assert text.count("cannot bind the stream of it: hardware error") == 2
        assert text.count("its stream is not confirmed aborting: hardware error") == 1
        assert text.count("SMMU command queue: command refused (1)") == 3, "the SMMU refused nothing"
        assert "panic" not in text
        assert [d.state for d in o.report.devices if d.function == EDU] == ["quarantined"]
        assert [d.state for d in o.report.devices if d.partition == "victim"] == ["assigned"]
        assert o.canary_ok and not [words for words in o.memory if EVIL in words]
