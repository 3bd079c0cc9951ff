# SPDX-License-Identifier: BSD-2-Clause
"""Whole functions of every kind, each with its stock Linux driver: config/whole-functions.dts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest

import lspci
from conftest import ROOT
from demo.guest import Guest
from demo.session import Session

pytestmark = pytest.mark.bound(240)

CONFIG = ROOT / "config" / "whole-functions.dts"
DRIVERS = {
    "disk": ("left", "nvme"), "e1000e": ("left", "e1000e"),
    "virtio": ("right", "virtio-pci"), "igb": ("right", "igb"),
    "ne2000": ("left", "ne2k-pci"), "rtl": ("right", "8139cp"),
}
MACS = {"e1000e": "52:54:00:ca:00:02", "virtio": "52:54:00:ca:00:03", "igb": "52:54:00:ca:00:04",
        "ne2000": "52:54:00:ca:00:05", "rtl": "52:54:00:ca:00:06"}


@pytest.fixture(scope="module")
def session(built: Path) -> Iterator[Session]:
    with Session(CONFIG, "test-whole-functions", build=built) as s:
        s.boot()
        for guest in s.wait_guests(["left", "right"]):
            # One cable for many cards: each answers for its own address only.
            guest.run("echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore")
        yield s


def guest_address(session: Session, label: str) -> str:
    """Where the partition sees the function."""
    return next(d.guest for d in session.machine.report().devices if d.label == label)


def interrupts(guest: Guest, function: str) -> int:
    """Message interrupts of a function, all vCPUs and vectors."""
    rows = [x.split() for x in guest.run("cat /proc/interrupts") if f"MSIX-{function} " in x]
    return sum(int(word) for row in rows for word in row[1:3])


def interface(guest: Guest, mac: str) -> str:
    return "".join(guest.run(f"grep -l {mac} /sys/class/net/*/address")).split("/")[4]


def bring_up(guest: Guest, card: str, address: str) -> str:
    """The name of the card's interface, which now has the address and a carrier."""
    name = interface(guest, MACS[card])
    guest.run(f"ip addr flush dev {name}; ip addr add {address}/24 dev {name}; ip link set {name} up; "
              f"for n in $(seq 50); do grep -q 1 /sys/class/net/{name}/carrier && break; sleep 0.1; done")
    return name


@pytest.mark.parametrize("label", DRIVERS)
def test_its_own_driver_has_bound(session: Session, label: str) -> None:
    name, driver = DRIVERS[label]
    device = next(d for d in session.machine.report().devices if d.label == label)
    assert (device.partition, device.kind, device.state) == (name, "function", "assigned")
    bound = session.guests[name].run(f"readlink /sys/bus/pci/devices/{device.guest}/driver")
    assert bound[0].endswith(f"/{driver}"), bound


def test_disk_keeps_what_is_written(session: Session) -> None:
    """DMA both ways and its interrupts, and the hypervisor has no part in it."""
    left = session.guests["left"]
    function = guest_address(session, "disk")
    left.run("dd if=/dev/urandom of=/tmp/a bs=64k count=32")
    before, irqs = session.machine.report(), interrupts(left, function)
    left.run("dd if=/tmp/a of=/dev/nvme0n1 bs=64k count=32 seek=5 oflag=direct conv=fsync")
    left.run("echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/nvme0n1 of=/tmp/b bs=64k count=32 skip=5 iflag=direct")
    after = session.machine.report()
    assert session.machine.shell("left", "cmp /tmp/a /tmp/b")[0] == 0
    assert interrupts(left, function) - irqs >= 32
    was, now = (next(d for d in r.devices if d.label == "disk") for r in (before, after))
    assert (now.config, now.its, now.faults) == (was.config, was.its, was.faults)
    assert after.device_exits("left") == before.device_exits("left")


def test_more_vectors_than_are_shown(session: Session) -> None:
    """QEMU's nvme has 65; a partition's device has 32 at most, and the driver makes do."""
    text = "\n".join(session.guests["left"].run(f"lspci -vv -s {guest_address(session, 'disk')}"))
    assert "MSI-X: Enable+ Count=32" in text


def msix_places(guest: Guest, function: str) -> list[tuple[int, int]]:
    """BAR and offset of the table and of the PBA, as the guest reads them."""
    text = "\n".join(guest.run(f"lspci -vv -s {function}"))
    assert "MSI-X: Enable+" in text, text
    return [(int(bar), int(offset, 16)) for bar, offset in
            re.findall(r"(?:Vector table|PBA): BAR=(\d) offset=([0-9a-f]+)", text)]


def test_a_table_beside_other_registers(session: Session) -> None:
    """Virtio's table has a page with its PBA, nvme's a BAR with its registers: their guests write both as they are.

    That the interrupts come is what the tests around this one show."""
    table, pba = msix_places(session.guests["right"], guest_address(session, "virtio"))
    assert table[0] == pba[0] and table[1] != pba[1] and table[1] >> 12 == pba[1] >> 12
    table, pba = msix_places(session.guests["left"], guest_address(session, "disk"))
    assert table[0] == pba[0] == 0 and table[1] >= 0x2000


@pytest.mark.parametrize("there", ["virtio", "igb"])
def test_cards_talk(session: Session, there: str) -> None:
    """e1000e of one partition to each card of the other."""
    left, right = session.guests["left"], session.guests["right"]
    net = 1 + list(MACS).index(there)
    bring_up(left, "e1000e", f"10.1.{net}.1")
    bring_up(right, there, f"10.1.{net}.2")
    before = interrupts(right, guest_address(session, there)), interrupts(left, guest_address(session, "e1000e"))
    if there == "virtio":  # its vectors are named after the virtio device
        before = 0, before[1]
    assert left.ping(f"10.1.{net}.2", 20).lost == 0
    assert interrupts(left, guest_address(session, "e1000e")) - before[1] >= 10
    assert there == "virtio" or interrupts(right, guest_address(session, there)) - before[0] >= 10


def wire_interrupts(guest: Guest, name: str) -> int:
    """Of a GICv3 level line, by the interface it is for."""
    rows = [x.split() for x in guest.run("cat /proc/interrupts") if "GICv3" in x and name in x]
    assert rows, f"{name} has no wired interrupt"
    return sum(int(word) for row in rows for word in row[1:3])


def test_wires_and_ports(session: Session) -> None:
    """Both ends have INTx only; one has its registers and its data in I/O ports of 1, 2 and 4 bytes."""
    left, right = session.guests["left"], session.guests["right"]
    mine, its = bring_up(left, "ne2000", "10.1.9.1"), bring_up(right, "rtl", "10.1.9.2")
    # QEMU's rtl8139 does not pad a short frame (an ARP), and ne2k-pci drops one.
    left.run(f"ip neigh replace 10.1.9.2 lladdr {MACS['rtl']} dev {mine}")
    right.run(f"ip neigh replace 10.1.9.1 lladdr {MACS['ne2000']} dev {its}")
    before = session.machine.report()
    counts = wire_interrupts(left, mine), wire_interrupts(right, its)
    assert left.ping("10.1.9.2", 20).lost == 0
    left.run("ping -c 3 -s 1400 10.1.9.2")
    assert wire_interrupts(left, mine) - counts[0] >= 20 and wire_interrupts(right, its) - counts[1] >= 20
    after = session.machine.report()
    for name, label in (("left", "ne2000"), ("right", "rtl")):
        assert next(d.interrupts for d in after.devices if d.label == label) == "intx"
        injected = after.exits(name, "inject") - before.exits(name, "inject")
        assert 20 <= injected <= 400, f"{name}: {injected} wired interrupts taken for 23 packets each way"


def read_back(session: Session) -> None:
    session.guests["left"].run("dd if=/dev/nvme0n1 of=/tmp/c bs=64k count=32 skip=5 iflag=direct")
    assert session.machine.shell("left", "cmp /tmp/a /tmp/c")[0] == 0


def transmitted(guest: Guest, name: str) -> int:
    return int(guest.run(f"cat /sys/class/net/{name}/statistics/tx_packets")[0])


def share_the_line(session: Session, left: Guest) -> None:
    """The disk and the ne2000 are on one line now: one exit for each interrupt, with either busy and with both.

    ne2k-pci disables its interrupt while it sends (disable_irq). One that comes just then Linux masks without counting
    it, and takes when the line is enabled again: at most one such exit for each packet sent."""
    name = interface(left, MACS["ne2000"])
    rows = [x for x in left.run("cat /proc/interrupts") if "GICv3" in x and name in x]
    assert len(rows) == 1 and "nvme" in rows[0], f"they do not share a line: {rows}"
    for sending in (False, True):
        counted, sent, before = wire_interrupts(left, name), transmitted(left, name), session.machine.report()
        if sending:
            left.run("rm -f /tmp/end; { ping -q -c 60 -i 0.02 10.1.9.2 >/tmp/ping 2>&1; echo $? >/tmp/end; } &")
        for _ in range(4):
            read_back(session)
        if sending:
            left.run("i=0; while [ ! -e /tmp/end ] && [ $i -lt 200 ]; do sleep 0.1; i=$((i+1)); done")
            assert " 0% packet loss" in "\n".join(left.run("cat /tmp/ping"))
        taken = wire_interrupts(left, name) - counted
        exits = session.machine.report().exits("left", "inject") - before.exits("left", "inject")
        sent = transmitted(left, name) - sent
        print(f"{taken} interrupts of the shared line, {exits} exits, {sent} packets sent")
        assert (60 if sending else 0) + 4 * 8 <= taken <= exits <= taken + sent, f"{exits} exits for {taken} interrupts"


def test_intx_where_messages_are_refused(session: Session) -> None:
    """A driver may begin with INTx, and go on with messages: the same function, bound twice."""
    left = session.guests["left"]
    function = guest_address(session, "disk")
    for intx, path in ((1, "intx"), (0, "vlpi")):
        left.run(f"echo {function} >/sys/bus/pci/drivers/nvme/unbind")
        left.run(f"echo {1 - intx} >/sys/bus/pci/devices/{function}/msi_bus")
        left.run(f"echo {function} >/sys/bus/pci/drivers/nvme/bind; sleep 1")
        read_back(session)
        if intx:
            share_the_line(session, left)
        device = next(d for d in session.machine.report().devices if d.label == "disk")
        assert device.interrupts == path


def test_option_roms_are_hidden(session: Session) -> None:
    for guest in session.guests.values():
        assert "Expansion ROM" not in "\n".join(guest.run("lspci -vv"))


def test_no_fault_was_recorded(session: Session) -> None:
    """Last: over everything above."""
    assert session.machine.report().faults == 0
    assert session.machine.events("dma fault|data abort injected") == []


def test_lspci_agrees(session: Session) -> None:
    lspci.check(session, ["left", "right"])
