# SPDX-License-Identifier: BSD-2-Clause
"""Six VFs over three Linux guests with two vCPUs each: six_vfs.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest

from demo.session import Session
from six_vfs import CONFIG, NAMES, boot, check_moved, machine, move_under_traffic

pytestmark = pytest.mark.bound(300)


@pytest.fixture(scope="module")
def session(built: Path) -> Iterator[Session]:
    with machine("test-six-vfs") as s:
        boot(s)
        yield s


def test_all_six_are_there(session: Session) -> None:
    wanted = re.findall(r"vf-of[^}]*?mac-address\s*=\s*\[([0-9a-f ]+)\]", CONFIG.read_text())
    found = [mac for g in session.guests.values() for mac in g.run("cat /sys/class/net/eth*/address")]
    assert sorted(found) == sorted(":".join(x.split()) for x in wanted)
    devices = session.machine.report().devices
    assert [(d.state, d.interrupts) for d in devices if d.kind == "VF"] == [("assigned", "vlpi")] * 6
    for guest in session.guests.values():
        assert {i.driver for i in guest.interfaces()} == {"igbvf"}


def test_nothing_is_lost_while_interrupts_move(session: Session) -> None:
    check_moved(move_under_traffic(session))


def test_nothing_else_happened(session: Session) -> None:
    report = session.machine.report()
    assert report.faults == 0
    assert session.machine.events("dma fault|data abort injected|panic|refused") == []
    assert [p.state for p in report.partitions] == ["running"] * 4
    assert sum(report.exits(n, "inject") for n in NAMES) == 0
