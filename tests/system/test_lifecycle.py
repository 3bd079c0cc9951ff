# SPDX-License-Identifier: BSD-2-Clause
"""Partitions turn off one by one; the machine ends with the last of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator

import pytest

from conftest import ROOT
from demo import endpoint
from demo.machine import Machine
from demo.session import Session

pytestmark = pytest.mark.bound(240)


@pytest.fixture(scope="module")
def session(built: Path) -> Iterator[Session]:
    with Session(ROOT / "config" / "two-vfs.dts", "test-lifecycle", build=built, icount=False) as s:
        s.boot()
        for guest in s.wait_guests(["net-a", "net-b"]):
            guest.find_address()
        yield s


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
