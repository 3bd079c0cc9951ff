# SPDX-License-Identifier: BSD-2-Clause
"""F52: a VF floods, fuzzes and keeps its mailbox; another VF's questions are answered in time meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import hostile
from demo.report import Report
from hostile import Scenario, Step

ANSWER_US = 50_000  # of the machine's time
QUESTIONS = 200


@dataclass
class Outcome:
    answers: list[Step]
    flood: list[Step]
    report: Report
    said: list[str]


@dataclass(frozen=True)
class MailboxRow:
    """Looks like a Row of test_isolation.py."""

    scenario: Scenario = field(default=Scenario("mailbox", "vf", victim="ask,idle"))

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        with hostile.machine(self.scenario, name, hypervisor) as (session, _):
            m = session.machine
            m.expect("name=ask step=ready result=ok", 60, "victim")
            m.expect("step=begin result=ok", 60, "attacker")
            m.type_line("victim", "a")
            m.expect("step=answers ", 60, "victim")
            m.type_line("attacker", "q")
            m.expect("step=end ", 30, "attacker")
            return Outcome([s for s in hostile.parse_steps(m, "victim") if s.step == "answers"],
                           [s for s in hostile.parse_steps(m) if s.step == "end"],
                           m.report(), [x.text for x in m.console.lines("hv")])

    def check(self, o: Outcome) -> None:
        assert [s.result for s in o.answers] == ["ok"], o.answers
        assert int(o.answers[0].values["answered"]) == QUESTIONS
        assert int(o.answers[0].values["worst-us"]) < ANSWER_US, o.answers
        assert [s.result for s in o.flood] == ["ok"], o.flood
        assert int(o.flood[0].values["posted"]) >= QUESTIONS, o.flood
        assert [p.state for p in o.report.partitions][:2] == ["running"] * 2, o.report.partitions
        assert [x for x in o.said if re.search("panic|dma fault|quarantined", x)] == []
