# SPDX-License-Identifier: BSD-2-Clause
"""A VF changes hands while the machine runs (F35): two partitions name it in their configs, and the
second gets it when the first has gone off. Both use it at the same addresses. The hypervisor is one
that lets two name it (tests/faults/mutants/hand-over.c); the true one refuses both."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import configs
from configs import MIB, edu, igb, partition, pf_service, port, vf, whole, write
from conftest import BUILD, ROOT
from demo.session import Session
from hostile import EDU, RAM, Monitor, Step, parse_steps, wait_off

OWNERS = {"first": (0x50000000, 0x11111111), "second": (0x52000000, 0x22222222)}
@dataclass
class Outcome:
    steps: dict[str, list[Step]]
    memory: dict[str, int]  # what is in each one's page at the end


VICTIM_AT = 0x54000000
VICTIM_CANARY = VICTIM_AT + 0xF00000


def hand_over() -> Path:
    subprocess.run(["make", "--no-print-directory", "mutant-hand-over"], cwd=ROOT, check=True, timeout=120,
                   capture_output=True)
    return BUILD / "mutants" / "hand-over" / "hypervisor.bin"


def guest(name: str, core: int, at: int, attack: str, tag: int, *devices: str, engine: str = "vf", more: str = "") -> str:
    line = f"attack={attack} engine={engine} tag={tag:#x} base=0x40f00000 size=0x1000{more}"
    return partition(name, core, 16 * MIB, *devices, at=at, command_line=line)


def config(stage: int, storm: bool = False) -> str:
    """The victim keeps the machine on. With `storm` there is an attacker whose device faults."""
    parts = [guest(name, core, at, "reuse", tag, vf(0)) for core, (name, (at, tag)) in enumerate(OWNERS.items(), 1)]
    parts.append(guest("victim", 3, VICTIM_AT, "idle", 0))
    if storm:
        targets = ",".join(f"{VICTIM_CANARY + offset:#x}" for offset in (0, 0x400, 0x800))
        parts.append(guest("attacker", 4, 0x56000000, ",".join(["dma-write"] * 8), 0, whole("edu", EDU, keep=True), vf(1),
                           engine="edu", more=f" target={targets}"))
    return configs.config([port("port1", 1), edu(5), igb()], [pf_service(), *parts], 5, smmu_stage=stage)


@dataclass(frozen=True)
class ReuseRow:
    stage: int = 2

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        session = Session(write(name, config(self.stage)), f"test-hostile-{name}", options=["--unchecked"])
        socket = session.sockets.serial.with_name("monitor")
        session.machine.argv += ["--hypervisor", str(hypervisor or hand_over())]
        session.machine.argv += ["--", "-icount", "shift=0,sleep=off", "-monitor", f"unix:{socket},server=on,wait=off"]
        with session:
            monitor = Monitor(socket)
            try:
                for owner in OWNERS:
                    wait_off(session.machine, 60, owner)
                time.sleep(0.2)
                steps = {owner: parse_steps(session.machine, owner) for owner in OWNERS}
                memory = {}
                for owner, (at, _) in OWNERS.items():
                    pages = [s for s in steps[owner] if s.step == "own"]
                    if pages:
                        memory[owner] = monitor.words(at + int(pages[-1].values["address"], 16) - RAM, 16)[15]
            finally:
                monitor.close()
        return Outcome(steps, memory)

    def check(self, o: Outcome) -> None:
        """F35: each owner's transfers land in its own page, and the last one's page keeps what it had."""
        late = [name for name, steps in o.steps.items() if "missing" in {s.result for s in steps}]
        assert len(late) == 1, f"one of the two came too late, and tried again: {o.steps}"
        for owner, (_, tag) in OWNERS.items():
            assert [s.result for s in o.steps[owner] if s.step == "own"] == ["ok"], o.steps[owner]
            assert o.memory[owner] == tag, f"{owner}'s page holds {o.memory[owner]:#x}"
