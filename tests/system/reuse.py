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

from conftest import BUILD, ROOT
from demo.session import Session
from hostile import RAM, Monitor, Step, parse_steps, wait_off

OWNERS = {"first": (0x50000000, 0x11111111), "second": (0x52000000, 0x22222222)}
_PARTITION = """
        %(name)s {
            cores = <%(core)u>;
            memory-size = /bits/ 64 <0x1000000>;
            memory-at = /bits/ 64 <%(at)#x>;
            kernel = "build/attacker.bin";
            command-line = "attack=%(attack)s engine=vf tag=%(tag)#x base=0x40f00000 size=0x1000%(more)s";
            %(devices)s
        };"""
_VF = 'devices { eth0 { vf-of = "0000:01:00.0"; index = <0>; mac-address = [52 54 00 ca 05 00]; }; };'
_CONFIG = """/dts-v1/;
/ {
    compatible = "causeway,config-v1";
    machine {
        compatible = "qemu,virt";
        cores = <5>;
        memory-size = /bits/ 64 <0x20000000>;
        smmu-stage = <%(stage)u>;
        devices {
            port1 { model = "pcie-root-port"; at = "0000:00:01.0"; };
            edu { model = "edu"; at = "0000:00:05.0"; };
            nic { model = "igb"; behind = "port1"; mac-address = [52 54 00 ca 00 01]; };
        };
    };
    partitions {
        pf {
            cores = <0>;
            memory-size = /bits/ 64 <0x1000000>;
            kernel = "build/pf-service.bin";
            pf-service;
            devices { nic { function = "0000:01:00.0"; }; };
        };
        %(partitions)s
    };
};
"""


@dataclass
class Outcome:
    steps: dict[str, list[Step]]
    memory: dict[str, int]  # what is in each one's page at the end


VICTIM_AT = 0x54000000
VICTIM_CANARY = VICTIM_AT + 0xF00000
STORM = _VF.replace("<0>", "<1>").replace("05 00", "05 01").replace(
    "{ eth0", '{ edu { function = "0000:00:05.0"; keep-without-reset; }; eth0')


def hand_over() -> Path:
    subprocess.run(["make", "--no-print-directory", "mutant-hand-over"], cwd=ROOT, check=True, timeout=120,
                   capture_output=True)
    return BUILD / "mutants" / "hand-over" / "hypervisor.bin"


def config(stage: int, storm: bool = False) -> str:
    """The victim keeps the machine on. With `storm` there is an attacker whose device faults."""
    common = {"more": "", "devices": _VF, "attack": "reuse"}
    parts = [_PARTITION % {**common, "name": name, "core": core, "at": at, "tag": tag}
             for core, (name, (at, tag)) in enumerate(OWNERS.items(), 1)]
    parts.append(_PARTITION % {"name": "victim", "core": 3, "at": VICTIM_AT, "tag": 0, "attack": "idle",
                               "devices": "", "more": ""})
    if storm:
        targets = ",".join(f"{VICTIM_CANARY + offset:#x}" for offset in (0, 0x400, 0x800))
        attacker = {"attack": ",".join(["dma-write"] * 8), "devices": STORM, "more": f" target={targets}"}
        text = _PARTITION % {**attacker, "name": "attacker", "core": 4, "at": 0x56000000, "tag": 0}
        parts.append(text.replace("engine=vf", "engine=edu"))
    return _CONFIG % {"stage": stage, "partitions": "".join(parts)}


@dataclass(frozen=True)
class ReuseRow:
    stage: int = 2

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        folder = BUILD / "hostile"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.dts"
        path.write_text(config(self.stage))
        session = Session(path, f"test-hostile-{name}", options=["--unchecked"])
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
