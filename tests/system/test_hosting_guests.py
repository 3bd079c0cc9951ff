# SPDX-License-Identifier: BSD-2-Clause
"""The I/O-hosting partition's guest and those it serves, each in a QEMU of its own and cables for wires: bridge, rules,
NBD and 9P are stock programs, so what can go wrong in their recipe does so here. The order matters: one boot for all."""

from __future__ import annotations

import socket
import struct
import tempfile
import time
from pathlib import Path
from typing import Iterator

import pytest

from demo.endpoint import IP as OUTSIDE
from demo.endpoint import EndPoint, checksum
from demo.guest import Guest
from hosting import CARD, FORGERIES, HOST, IPS, MACS, NUMBERS, WIRES, Hosting
from plain import Cable, PlainGuests, command

OUTSIDE_PORT = 40000
DISK = 192 << 20
BOOT = 90
pytestmark = pytest.mark.bound(300)

class Rig(Hosting):
    def __init__(self, folder: Path, build: Path) -> None:
        self.folder = folder
        ramdisk = build / "guest/initramfs-hosting.cpio.gz"
        disk, odd = folder / "disk.img", folder / "odd.img"
        with open(disk, "wb") as file:
            file.truncate(DISK)
        odd.write_bytes(b"\0" * 4096 + b"somebody's data" + b"\0" * 65536)
        ports = [word for number, n in enumerate(IPS) for word in self.wire(n, 1, f"52:54:00:ca:20:0{number + 1}")]
        uplink = ["-device", "pcie-root-port,id=p1,chassis=1,slot=1", "-netdev",
                  Cable(folder / "card", folder / "outside").netdev("card"),
                  "-device", f"e1000e,bus=p1,netdev=card,mac={CARD},romfile="]
        words = f"cw.role=io-host cw.ip={HOST}/24 cw.wires={WIRES}"
        commands = {n: command(n, ramdisk, f"cw.ip={IPS[n]}/24 cw.store={HOST}", self.wire(n, 0, MACS[n])) for n in IPS}
        commands["io"] = command("io", ramdisk, words, [*ports, *uplink, *self.nvme(disk)])
        commands["odd"] = command("odd", ramdisk, words, self.nvme(odd))
        self.outside = EndPoint(folder / "card", folder / "outside")
        self.plain = PlainGuests(commands, build / "logs/test-hosting-guests")
        super().__init__(self.plain, {n: Guest(self.plain, n) for n in commands})

    def wire(self, name: str, end: int, mac: str) -> list[str]:
        cable = Cable(self.folder / f"{name}{end}", self.folder / f"{name}{1 - end}")
        return ["-netdev", cable.netdev(f"w-{name}"), "-device", f"virtio-net-pci,netdev=w-{name},mac={mac},romfile="]

    @staticmethod
    def nvme(disk: Path) -> list[str]:
        return ["-device", "pcie-root-port,id=p2,chassis=2,slot=2", "-drive", f"file={disk},if=none,id=disk,format=raw",
                "-device", "nvme,bus=p2,drive=disk,serial=causeway"]

    def start(self, *names: str) -> None:
        since = self.machine.console.mark()
        for name in names:
            self.plain.start_guest(name)
        for name in names:
            self.guests[name].wait_ready(BOOT, since)

    def frame(self, data: bytes) -> None:
        """From the outside to the card."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.sendto(data, str(self.folder / "card"))


@pytest.fixture(scope="module")
def rig(built: Path) -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="causeway-") as folder:
        rig = Rig(Path(folder), built)
        rig.outside.start()
        try:
            rig.start("io", *IPS)
            rig.all_stored("work=/disk")
            yield rig
        finally:
            rig.machine.stop()
            rig.outside.stop()


def test_what_it_hosts(rig: Rig) -> None:
    rig.assert_hosts()


def test_wires_and_card_are_one_network(rig: Rig) -> None:
    left, right = rig.guests["left"], rig.guests["right"]
    right.serve()
    for address in (IPS["right"], OUTSIDE, HOST):
        assert left.ping(address, 10).lost == 0, address
    for address in (IPS["right"], OUTSIDE):
        assert left.round_trips(address, 200).lost == 0, address
        assert left.stream(address, 500).lost == 0, address


@FORGERIES
def test_a_wire_speaks_for_itself_only(rig: Rig, rule: str, sender: str, back: str) -> None:
    rig.assert_caught(rule, sender, back)


def syn(port: int) -> bytes:
    """A TCP connection's first frame, from the outside to the I/O partition."""
    source, target = socket.inet_aton(OUTSIDE), socket.inet_aton(HOST)

    def tcp(total: int) -> bytes:
        return struct.pack("!HHIIBBHHH", OUTSIDE_PORT, port, 1, 0, 0x50, 2, 1024, total, 0)

    def ip(total: int) -> bytes:
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, total, source, target)

    pseudo = source + target + struct.pack("!HH", 6, 20)
    return bytes.fromhex(CARD.replace(":", "") + "525400cafffe0800") + ip(checksum(ip(0))) + tcp(checksum(pseudo + tcp(0)))


def test_storage_is_not_for_the_outside(rig: Rig) -> None:
    rule, io = "tcp dport { 564, 10809 }", rig.guests["io"]
    half_open = f"grep -c ':{OUTSIDE_PORT:04X} ' /proc/net/tcp || true"
    before = rig.dropped(rule)
    for port in (564, 10809):
        rig.frame(syn(port))
    deadline = time.monotonic() + 10
    while rig.dropped(rule) < before + 2:
        assert time.monotonic() < deadline, "the SYNs were not dropped"
    assert io.run(half_open) == ["0"]


def test_a_wire_has_its_own_disk_only(rig: Rig) -> None:
    right = rig.guests["right"]
    for name, size in (("left", "0"), ("right", "[1-9]*")):
        right.run(f"nbd-client -nonetlink -name {name} {HOST} /dev/nbd1 2>&1; sleep 1; "
                  f"case $(cat /sys/block/nbd1/size) in {size}) ;; *) exit 1 ;; esac", 60)
    right.run("nbd-client -d /dev/nbd1", 60)


def test_the_tree_is_one(rig: Rig) -> None:
    rig.guests["left"].run("dd if=/dev/urandom of=/tree/from-left bs=64k count=16 2>/dev/null; sync /tree/from-left")
    sums = {rig.guests[n].run("md5sum < /tree/from-left")[0] for n in IPS}
    assert len(sums) == 1 and rig.guests["io"].run("md5sum < /srv/tree/from-left")[0] in sums


def test_a_guest_reads_back_what_it_wrote(rig: Rig) -> None:
    right = rig.guests["right"]
    before = right.run("dd if=/dev/urandom of=/disk/mine bs=64k count=64 2>/dev/null; sync; md5sum < /disk/mine")
    right.run("cw-store stop", 60)
    rig.machine.type_line("right", "poweroff -f")
    rig.plain.wait_off("right", 30)
    since = rig.machine.console.mark()
    rig.start("right")
    rig.stored("right", "work=/disk", since)
    assert right.run("md5sum < /disk/mine") == before


def test_the_host_dies_and_no_acknowledged_write_is_lost(rig: Rig) -> None:
    """One guest writes numbers and waits for each, while power fails. The other's writes were acknowledged, but never
    flushed, before that: a server may not have had them in its memory only."""
    machine, left, right = rig.machine, rig.guests["left"], rig.guests["right"]
    right.run("dd if=/dev/zero of=/disk/direct bs=64k count=64 2>/dev/null; sync; "
              "dd if=/dev/urandom of=/tmp/direct bs=64k count=64 2>/dev/null")
    began = machine.console.mark()
    machine.type_line("left", NUMBERS)
    machine.expect("@acknowledged 20$", 60, "left", began)
    right.run("dd if=/tmp/direct of=/disk/direct bs=64k conv=notrunc oflag=direct 2>/dev/null")
    rig.plain.kill_guest("io")
    time.sleep(2)  # what was under way arrives
    since = machine.console.mark()
    seen = len(machine.console.find("@acknowledged", "left"))
    machine.type_line("right", "(echo more > /disk/more; sync /disk/more) &")  # a disk at rest notices nothing
    rig.start("io")
    rig.all_stored("back=nbd1", since)
    machine.expect(f"@acknowledged {seen + 40}$", 60, "left", since)  # it went on by itself
    rig.enough("left", began)
    right.run("sync; echo 3 > /proc/sys/vm/drop_caches", 60)
    assert right.run("cmp /disk/direct /tmp/direct && echo same") == ["same"]
    assert int(left.run("cat /disk/n")[0]) >= rig.acknowledged("left", began)
    assert left.ping(IPS["right"], 5).lost == 0


def test_the_disks_are_whole_afterwards(rig: Rig) -> None:
    rig.assert_disks_whole()


def test_a_disk_of_somebody_is_left_alone(rig: Rig) -> None:
    before = (rig.folder / "odd.img").read_bytes()
    rig.start("odd")
    assert rig.machine.console.find("@hosting error=disk-neither-blank-nor-partitioned", "odd")
    assert rig.machine.console.find("@hosting name=odd .* nbd=none tree=none", "odd")
    assert (rig.folder / "odd.img").read_bytes() == before
