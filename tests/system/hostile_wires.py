# SPDX-License-Identifier: BSD-2-Clause
"""A hostile driver at one end of a wire, its victim at the other, and two more that talk over a wire of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import hostile
from configs import MIB, config, node, partition, write
from demo.console import HYPERVISOR
from demo.machine import Machine, MachineError
from demo.report import Report, Wire, key_values
from demo.session import Session
from hostile import ATTACKER_AT, ATTACKER_SIZE, CANARY, CANARY_SIZE, RAM, VICTIM_AT, VICTIM_TARGETS, Step

SCENARIOS = ("outside", "chains", "numbers", "features", "kicks", "deaf", "resets", "flips")
DONE_TIMEOUT = 60.0
# What the card is after each step; where both are right, nothing is said here. `issued` says that something was done.
EXPECTED = {
    "area": "failed", "send-from": "failed", "receive-to": "failed",  # F59
    "loop": "failed",  # F60
    "malformed": "failed", "odd-packet": "sound",  # F61
    "index": "failed", "size": "failed", "number": "sound", "late-queue": "failed",  # F62
    "features": "refused", "flipped": "sound",  # F68
    "kicks": "sound", "deaf": "sound", "resets": "sound",  # F65, F67, F70
}


@dataclass
class Outcome:
    steps: list[Step]
    victim: dict[str, str]  # what it says of its card
    canary: str
    ping: dict[str, str]
    report: Report
    said: list[str]
    came_back: bool

    def results(self, step: str) -> list[str]:
        found = [s.result for s in self.steps if s.step == step]
        assert found, f"no step {step}"
        return found

    def wire(self, name: str) -> Wire:
        return next(w for w in self.report.wires if w.partition == name)


def machine_config(scenarios: tuple[str, ...], targets: tuple[int, ...]) -> str:
    def wire(to: str, number: int) -> str:
        return node("wire", to=to, mac_address=bytes((0x52, 0x54, 0, 0xCA, 7, number)))

    def joined(text: str, *more: str) -> str:
        head, brace, tail = text.rpartition("};")
        return head + "".join(more) + brace + tail

    words = f"attack={','.join('wire-' + s for s in scenarios)} target={','.join(f'{t:#x}' for t in targets)}"
    return config([], [
        partition("victim", 0, 32 * MIB, at=VICTIM_AT,
                  command_line=f"attack=wire-echo base={RAM + CANARY:#x} size={CANARY_SIZE:#x}"),
        joined(partition("attacker", (1, 2), ATTACKER_SIZE, at=ATTACKER_AT, command_line=words), wire("victim", 1)),
        partition("pong", 3, 32 * MIB, command_line="attack=wire-echo"),
        joined(partition("ping", 4, 16 * MIB, command_line="attack=wire-ping"), wire("pong", 2)),
    ], 5)


def ask(m: Machine, name: str, role: str) -> dict[str, str]:
    since = m.console.mark()
    m.type_line(name, "c")
    return key_values(m.expect(rf"@wire {role} (.*)", 30, name, since)[1])


def attack(name: str, hypervisor: Optional[Path] = None, scenarios: tuple[str, ...] = SCENARIOS) -> Outcome:
    targets = hostile.hypervisor_targets(hypervisor) + tuple(VICTIM_TARGETS)
    session = Session(write(name, machine_config(scenarios, targets)), f"test-hostile-{name}")
    session.machine.argv += ["--hypervisor", str(hypervisor)] if hypervisor else []
    session.machine.argv += ["--", "-icount", "shift=0,sleep=off"]
    with session:
        m = session.machine
        m.expect(r"@canary filled", 60, "victim")
        m.expect(r"@done$", DONE_TIMEOUT, "attacker")
        hostile.wait_off(m)
        steps = hostile.parse_steps(m)
        since = m.console.mark()
        m.type_line("victim", "c")
        canary = m.expect(r"@canary (ok|broken)", 30, "victim", since)[1]
        victim = key_values(m.expect(r"@wire echo (.*)", 30, "victim", since)[1])
        ping = ask(m, "ping", "ping")
        report = m.report()
        since = m.console.mark()
        m.reset("attacker")  # and its next life is as good as any
        try:
            came_back = m.expect(r"step=control-before result=(\w+)", 30, "attacker", since)[1] == "ok"
        except MachineError:
            came_back = False
        return Outcome(steps, victim, canary, ping, report, [x.text for x in m.console.lines(HYPERVISOR)], came_back)


def check_steps(o: Outcome) -> None:
    """After each lie the card is what it should be; after a reset it works."""
    wrong = [s for s in o.steps if s.result not in (EXPECTED.get(s.step, s.result), "issued")]
    assert wrong == [], wrong
    assert [s for s in o.steps if s.step.startswith("control-") and s.result != "ok"] == []


def check_others(o: Outcome) -> None:
    """The victim lost its link now and then, and nothing else; the two beside noticed nothing."""
    assert o.canary == "ok"
    assert (o.victim["status"], o.victim["corrupt"], o.victim["link"]) == ("0xf", "0", "0"), o.victim
    assert int(o.victim["ups"]) == int(o.victim["downs"]) > 0 and int(o.victim["config-irqs"]) > 0
    assert int(o.victim["answered"]) > 0
    assert (o.ping["status"], o.ping["lost"], o.ping["corrupt"], o.ping["downs"]) == ("0xf", "0", "0", "0"), o.ping
    assert int(o.ping["asked"]) > 100
    assert [x for x in o.said if "panic" in x or "dma fault" in x] == []
    assert o.report.partition("victim").state == "running" and o.report.partition("victim").resets == 0
    assert {p.resets for p in o.report.partitions} == {0}
    assert (o.wire("victim").state, o.wire("attacker").state, o.wire("ping").state) == ("down", "off", "up")
    dropped = o.wire("victim").dropped
    assert o.came_back


class WiresRow:
    """In the shape of the other rows: some scenarios alone, for a broken hypervisor."""

    def __init__(self, *scenarios: str) -> None:
        self.scenarios = scenarios

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        return attack(name, hypervisor, self.scenarios)

    def check(self, o: Outcome) -> None:
        check_steps(o)
        check_others(o)
