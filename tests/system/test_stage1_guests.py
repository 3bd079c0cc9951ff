# SPDX-License-Identifier: BSD-2-Clause
"""The two Linux guests on a machine whose SMMU has stage 1 alone: everything else is as before."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT
from demo.console import HYPERVISOR
from demo.session import Session

pytestmark = pytest.mark.bound(200)
NAMES = ["net-a", "net-b"]
TRIPS = 200


def test_two_guests(built: Path, tmp_path: Path) -> None:
    text = (ROOT / "config" / "two-vfs.dts").read_text()
    config = tmp_path / "stage1.dts"
    config.write_text(text.replace("cores = <5>;", "cores = <5>; smmu-stage = <1>;", 1))
    assert "smmu-stage" in config.read_text(), "two-vfs.dts has another shape now"
    with Session(config, "test-stage1-guests", build=built) as session:
        session.boot()
        guests = session.wait_guests(NAMES)
        for guest in guests:
            guest.find_address()
            guest.serve()
        why = [x.text for x in session.machine.console.lines(HYPERVISOR) if "stage 1, for it has no stage 2" in x.text]
        assert len(why) == 1
        before = session.machine.report()
        a, b = (session.guests[name] for name in NAMES)
        for guest, other in ((a, b), (b, a)):
            assert guest.round_trips(other.address, TRIPS).lost == 0
            assert guest.stream(other.address, TRIPS).lost == 0
        after = session.machine.report()
        for name in NAMES:
            assert [(d.dma, d.interrupts, d.state, d.faults) for d in after.devices_of(name)] == [
                ("smmu-stage1", "vlpi", "assigned", 0)]
            assert after.device_exits(name) - before.device_exits(name) == 0
