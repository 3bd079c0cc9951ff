# SPDX-License-Identifier: BSD-2-Clause
"""What a guest's own vCPUs can do to the machine: power calls, interrupts, traps, restarts.

One boot for all: each attacker has a partition, and the victim beside them must not notice any. QEMU gives
every core a thread, so the races are real.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence

import pytest

import hostile
from configs import config, partition, write
from demo.console import HYPERVISOR
from demo.machine import Machine
from demo.report import key_values
from demo.session import Session
from hostile import Step

DONE = 60.0
RESTARTS = 20  # in 10 s; one more ends the partition
pytestmark = pytest.mark.bound(90)


@dataclass(frozen=True)
class Guest:
    name: str
    attacks: str
    cores: Sequence[int]
    size: int = 0x800000


# The boot core takes the console's interrupts: it belongs to the guest that does not let go of its core.
GUESTS = (
    Guest("victim", "idle", [1], 0x2000000),
    Guest("keeper", "active-interrupts,no-tables", [0]),
    Guest("timer", "timer-pending", [2]),
    Guest("traps", "calls,registers,register-sweep,fetch,instructions", [3]),
    Guest("gic", "gic-sweep", [4]),
    Guest("race", "power-race", [5, 6]),
    Guest("restart", "restart", [7]),
    Guest("too-big", "idle", [8], 0x40000000),
)


@pytest.fixture(scope="module")
def machine(built: Path) -> Iterator[Machine]:
    guests = [partition(g.name, g.cores, g.size, command_line=f"attack={g.attacks}") for g in GUESTS]
    with Session(write("vcpu", config([], guests, 9)), "test-hostile-vcpu", icount=False, options=["--unchecked"]) as session:
        session.machine.expect("@canary filled", 60, "victim")
        yield session.machine


def steps(m: Machine, guest: str, scenario: str) -> list[Step]:
    """What this scenario reported, once the guest has reported all; at least one step."""
    words = [key_values(line[0]) for line in m.console.find(rf"^@attack name={scenario} .*", guest)]
    found = [Step(w["step"], w["result"], w) for w in words]
    assert found, m.error(f"{guest} reported nothing of {scenario}")
    return found


def assert_all(found: list[Step], *results: str) -> None:
    assert [s for s in found if s.result not in results] == []


def assert_others_live(m: Machine) -> None:
    """The hypervisor answers, the victim works, its memory is what it was and nobody interrupted it."""
    canary = hostile.check_canary(m)
    assert (canary[1], key_values(canary[2])["irqs"]) == ("ok", "0"), canary[0]
    report = m.report()
    assert (report.partition("victim").state, report.partition("victim").resets) == ("running", 0)
    assert report.exits("victim", "fault") == 0
    assert m.events(r"panic|EL2") == []


def test_cpu_on_and_reset_at_once(machine: Machine) -> None:
    """A vCPU that was off is switched on by a sibling, whose next instruction resets the partition."""
    machine.expect(rf"^race: restarting \({RESTARTS // 2}\)", DONE, HYPERVISOR)
    assert_all([s for s in steps(machine, "race", "power-race") if s.step == "cycles"], "ok")
    assert "returned" not in {s.result for s in steps(machine, "race", "power-race")}
    assert_others_live(machine)


def test_restarts_without_end(machine: Machine) -> None:
    machine.expect(rf"^restart: more than {RESTARTS} restarts in 10 s: stopped", DONE, HYPERVISOR)
    machine.expect("^restart: crashed", 5, HYPERVISOR)
    assert machine.report().partition("restart").resets >= RESTARTS
    since = machine.console.mark()
    machine.reset("restart")  # the operator's turn: stopped at once, or after the next 20
    machine.expect("^restart: crashed", DONE, HYPERVISOR, since)
    assert_others_live(machine)


def test_interrupts_that_stay_active(machine: Machine) -> None:
    """All list registers active, one more interrupt waiting: the guest goes on, and gets it in the end."""
    machine.expect("@attack name=active-interrupts step=late", DONE, "keeper")
    assert_all(steps(machine, "keeper", "active-interrupts"), "ok")
    assert_others_live(machine)


def test_guest_that_only_faults(machine: Machine) -> None:
    """Its core does nothing but exits, and still takes the console's interrupts and the operator's reset."""
    machine.expect("@attack name=no-tables step=begin", DONE, "keeper")
    assert machine.report().partition("keeper").state == "running"
    assert_others_live(machine)
    since = machine.console.mark()
    machine.reset("keeper")
    machine.expect(r"^keeper: restarting \(1\)", 10, HYPERVISOR, since)
    machine.expect("@attack name=no-tables step=begin", DONE, "keeper", since)
    assert "returned" not in {s.result for s in steps(machine, "keeper", "no-tables")}


def test_timer_that_was_cleared(machine: Machine) -> None:
    machine.expect("@done", DONE, "timer")
    found = steps(machine, "timer", "timer-pending")
    assert len(found) >= 10
    assert_all(found, "ok")


def test_calls(machine: Machine) -> None:
    """SMC never reaches the firmware, whatever it asks; HVC knows a short list."""
    machine.expect("@done", DONE, "traps")
    found = steps(machine, "traps", "calls")
    assert {s.step for s in found} == {"smc", "hvc", "wrong"} and len(found) >= 70
    assert_all(found, "refused")


def test_registers(machine: Machine) -> None:
    """Trace, monitors, error records, OS lock, LORegions, profiling, EL2's own: zero or undefined."""
    machine.expect("@done", DONE, "traps")
    found = steps(machine, "traps", "registers")
    assert len(found) >= 35
    assert_all(found, "quiet")


def test_every_register(machine: Machine) -> None:
    machine.expect("@done", DONE, "traps")
    swept = steps(machine, "traps", "register-sweep")[0].values
    assert int(swept["undefined"]) > 40000 and int(swept["values"]) > 100
    assert_others_live(machine)


def test_fetches(machine: Machine) -> None:
    """An instruction abort with the address, for memory, devices and holes that are not its own."""
    machine.expect("@done", DONE, "traps")
    found = steps(machine, "traps", "fetch")
    assert {"hole", "uart", "doorbell", "ram-end", "released"} <= {s.step for s in found}
    assert_all(found, "fault")


def test_instructions(machine: Machine) -> None:
    """Debug halts are undefined: QEMU has no semihosting for guests to reach the workstation by."""
    machine.expect("@done", DONE, "traps")
    found = steps(machine, "traps", "instructions")
    assert found[0].step == "hlt-semihosting"
    assert_all(found, "undefined")


def test_interrupt_controller(machine: Machine) -> None:
    """F18: every offset and width of GICD, GICR and ITS control; the guest's interrupts work again afterwards."""
    machine.expect("@done", DONE, "gic")
    found = steps(machine, "gic", "gic-sweep")
    assert [s.step for s in found] == ["distributor", "redistributor", "its", "lpi-tables", "control"]
    assert_all(found, "ok")
    assert_others_live(machine)


def test_reset_of_what_never_started(machine: Machine) -> None:
    """No room for its memory: nothing to start, whatever the operator asks."""
    assert machine.events("^too-big: no room for its 1024 MiB")
    for _ in range(2):
        since = machine.console.mark()
        machine.reset("too-big")
        machine.expect("^too-big: reset from the console", 10, HYPERVISOR, since)
        assert machine.report().partition("too-big").state == "crashed"
    assert machine.events("^too-big: restarting") == []
    assert_others_live(machine)
