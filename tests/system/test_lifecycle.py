# SPDX-License-Identifier: BSD-2-Clause
"""Partitions that come and go: reboots, resets, off one by one; the machine ends with the last.

One boot for all, in this order."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator

import pytest

from conftest import ROOT
from demo import endpoint
from demo.machine import Machine
from demo.session import Session

REBOOTS = 10
pytestmark = pytest.mark.bound(420)


@pytest.fixture(scope="module")
def session(built: Path) -> Iterator[Session]:
    with Session(ROOT / "config" / "two-vfs.dts", "test-lifecycle", build=built, icount=False) as s:
        s.boot()
        for guest in s.wait_guests(["net-a", "net-b"]):
            guest.find_address()
        yield s


def test_ten_reboots(session: Session) -> None:
    machine, a, b = session.machine, session.guests["net-a"], session.guests["net-b"]
    before = machine.report()
    for turn in range(1, REBOOTS + 1):
        since = machine.console.mark()
        machine.type_line("net-b", "reboot -f")
        ready = b.wait_ready(60, since)
        assert (ready["driver"], ready["carrier"]) == ("igbvf", "1"), f"reboot {turn}: {ready}"
        assert b.ping(a.address, 20).lost == 0, f"reboot {turn}"
    after = machine.report()
    assert after.partition("net-b").resets - before.partition("net-b").resets == REBOOTS
    assert [p.state for p in after.partitions] == [p.state for p in before.partitions]
    assert after.faults == 0


def test_the_neighbour_noticed_nothing(session: Session) -> None:
    machine, a, b = session.machine, session.guests["net-a"], session.guests["net-b"]
    assert len(machine.console.find("@ready", "net-a")) == 1
    assert machine.report().partition("net-a").resets == 0
    assert machine.events(r"dma fault|data abort injected|panic") == []
    assert a.run("dmesg -r | grep '^<[0-3]>' | grep -c -i -e igbvf -e rcu -e lockup || true") == ["0"]
    assert a.ping(b.address, 20).lost == 0


def test_the_hypervisor_resets_a_guest_that_hangs(session: Session) -> None:
    """The operator's key: the guest is not asked, and its VF works again too."""
    machine, a, b = session.machine, session.guests["net-a"], session.guests["net-b"]
    machine.type_line("net-b", f"ping -q -f -c 100000 {a.address} >/dev/null &")
    since = machine.console.mark()
    machine.reset("net-b")
    ready = b.wait_ready(60, since)
    assert ready["carrier"] == "1"
    assert b.ping(a.address, 20).lost == 0
    assert machine.report().faults == 0


def wait_state(machine: Machine, name: str, state: str, timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    while (seen := machine.report().partition(name).state) != state:
        if time.monotonic() > deadline:
            raise machine.error(f"{name} is {seen}, not {state}, after {timeout:.0f} s")
        time.sleep(0.5)


def test_one_off_leaves_the_other_running(session: Session) -> None:
    machine, a = session.machine, session.guests["net-a"]
    machine.type_line("net-b", "poweroff -f")
    wait_state(machine, "net-b", "off")
    assert a.ping(endpoint.IP, 20).lost == 0
    report = machine.report()
    assert report.partition("net-a").state == "running"
    assert report.faults == 0
    assert all(d.state != "assigned" for d in report.devices_of("net-b")), "its VF is in quarantine"


def test_machine_ends_with_its_last_partition(session: Session) -> None:
    """The PF service never turns itself off and does not keep the machine on."""
    session.machine.type_line("net-a", "poweroff -f")
    assert session.machine.wait_exit(30) == 0
