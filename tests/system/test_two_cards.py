# SPDX-License-Identifier: BSD-2-Clause
"""Two adapters at once: each has its own PF service, and each Linux guest a VF of both."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from configs import MIB, config, igb, partition, pf_service, port, vf, write
from demo.report import key_values
from demo.session import Session
from flows import bring_up, talk

CARDS = ("0000:01:00.0", "0000:02:00.0")
NAMES = ["net-a", "net-b"]
TRIPS = 300  # of each of the four flows
pytestmark = pytest.mark.bound(240)


def guest(n: int) -> str:
    return partition(NAMES[n], 2 + n, 256 * MIB, *(vf(n, pf, f"eth{c}", 5 + c) for c, pf in enumerate(CARDS)),
                     kernel="build/guest/Image", ramdisk="build/guest/initramfs.cpio.gz",
                     command_line=f"console=ttyAMA0 nokaslr quiet panic=-1 cw.name={NAMES[n]} cw.ip=10.0.0.{n + 1}/24")


@pytest.fixture(scope="module")
def session(built: Path) -> Iterator[Session]:
    devices = [port("port1", 1), port("port2", 2), igb(), igb("nic2", 2, behind="port2")]
    services = [pf_service(pf, core, f"pf-{core}") for core, pf in enumerate(CARDS)]
    path = write("two-cards", config(devices, [*services, guest(0), guest(1)], 4, memory=1024 * MIB))
    with Session(path, "test-two-cards", build=built) as s:
        bring_up(s, NAMES)
        yield s


def test_vfs_of_both_cards_are_in_use(session: Session) -> None:
    """Packets over both at once: none lost, no exit for any of the four VFs, no fault."""
    before = session.machine.report()
    counted = {g.name: {i.name: i.packets for i in g.interfaces()} for g in session.guests.values()}
    for name, lines in talk(list(session.guests.values()), TRIPS).items():
        for line in lines:
            print(f"{name} {line}")
            assert (key_values(line)["lost"], key_values(line)["corrupt"]) == ("0", "0"), line
    after = session.machine.report()
    for g in session.guests.values():
        assert after.device_exits(g.name) == before.device_exits(g.name), f"{g.name}: exits for its VFs"
        for i in g.interfaces():
            assert i.driver == "igbvf" and i.packets - counted[g.name][i.name] >= 4 * TRIPS, i
    vfs = [d for d in after.devices if d.kind == "VF"]
    assert [(d.state, d.interrupts, d.faults) for d in vfs] == [("assigned", "vlpi", 0)] * 4
    assert {d.function[:8] for d in vfs} == {pf[:8] for pf in CARDS}, "a card without VFs in use"
    assert after.faults == 0 and session.machine.events("dma fault|panic|refused") == []


def test_a_card_stays_when_the_other_goes(session: Session) -> None:
    """The second card's service restarts; over the first one nothing is lost meanwhile."""
    left, right = session.guests.values()
    session.machine.reset("pf-1")
    assert left.ping(right.address, 40).lost == 0
    assert left.round_trips(right.address, TRIPS).lost == 0
    report = session.machine.report()
    assert [report.partition(p).resets for p in ("pf-0", "pf-1")] == [0, 1]
    assert report.faults == 0
