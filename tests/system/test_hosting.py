# SPDX-License-Identifier: BSD-2-Clause
"""The I/O-hosting partition under Causeway: a stock Linux that owns a card and a disk, and two guests that reach both
over wires. It is killed in the middle of traffic, twice, and comes back. The order matters: one boot for all."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator

import pytest

from configs import MIB, config, node, partition, port, whole, write
from demo.endpoint import IP as OUTSIDE
from demo.machine import Machine
from demo.session import Session
from hosting import BACK, CARD, FORGERIES, HOST, IPS, MACS, NUMBERS, WIRES, Hosting

LINUX = "console=ttyAMA0 nokaslr quiet panic=-1"
pytestmark = pytest.mark.bound(300)

# Blocks, acknowledged, but never flushed. Each once: one that is written again after it was lost would not be missed.
BLOCKS, BLOCK = 2048, 1024
DIRECT = (f"{{ i=0; while ! [ -e /tmp/enough ] && [ $i -lt {BLOCKS} ]; do dd if=/tmp/direct of=/disk/direct bs={BLOCK} "
          "skip=$i seek=$i count=1 conv=notrunc oflag=direct 2>/dev/null || break; i=$((i+1)); echo @acknowledged $i; done; "
          "echo @stopped; } &")
# Each change of the wire's link.
WATCHER = ("while ! [ -e /tmp/enough ]; do c=$(cat /sys/class/net/eth0/carrier); [ \"$c\" = \"$p\" ] || echo @carrier $c; p=$c; "
           "sleep 0.2; done &")


def the_config(disk: Path) -> Path:
    kernel, ramdisk = "build/guest/Image", "build/guest/initramfs-hosting.cpio.gz"
    devices = [port("port1", 1), port("port2", 2),
               node("card", model="e1000e", behind="port1", mac_address=bytes.fromhex(CARD.replace(":", "")),
                    network="external"),
               node("disk", model="nvme", behind="port2", disk=str(disk))]
    io = partition("io", 0, 320 * MIB, whole("card", "0000:01:00.0"), whole("disk", "0000:02:00.0"), kernel=kernel,
                   ramdisk=ramdisk, io_host=True,
                   command_line=f"{LINUX} cw.name=io cw.role=io-host cw.ip={HOST}/24 cw.wires={WIRES}")
    guests = [partition(n, 1 + i, 256 * MIB, kernel=kernel, ramdisk=ramdisk,
                        command_line=f"{LINUX} cw.name={n} cw.ip={IPS[n]}/24 cw.store={HOST}").rstrip()[:-2]
              + node("wire", to="io", mac_address=bytes.fromhex(MACS[n].replace(":", ""))) + "};\n"
              for i, n in enumerate(IPS)]
    return write("hosting", config(devices, [io, *guests], 3, 1536 * MIB))


@pytest.fixture(scope="module")
def rig(built: Path) -> Iterator[Hosting]:
    disk = built / "test-hosting.img"  # `causeway run` makes it, as large as `make run` has it
    disk.unlink(missing_ok=True)
    with Session(the_config(disk), "test-hosting", build=built, icount=False) as session:
        session.boot()
        session.wait_guests(["io", *IPS])
        rig = Hosting(session.machine, session.guests)
        rig.all_stored("work=/disk")
        yield rig
    disk.unlink(missing_ok=True)


def test_what_it_hosts(rig: Hosting) -> None:
    """Whole functions behind the SMMU, wires that are up, and programs that found all of it."""
    report = rig.machine.report()
    assert {(d.label, d.partition, d.kind, d.dma, d.state) for d in report.devices} == {
        ("card", "io", "function", "smmu-stage2", "assigned"), ("disk", "io", "function", "smmu-stage2", "assigned")}
    assert sorted((w.partition, w.peer, w.state) for w in report.wires) == [
        ("io", "left", "up"), ("io", "right", "up"), ("left", "io", "up"), ("right", "io", "up")]
    rig.assert_hosts()
    for name in IPS:
        ready = rig.guests[name].ready
        assert (ready["driver"], ready["mac"], ready["carrier"]) == ("virtio_net", MACS[name], "1")
        assert rig.guests[name].find_address() == IPS[name]


def test_wires_and_card_are_one_network(rig: Hosting) -> None:
    left, right = rig.guests["left"], rig.guests["right"]
    right.serve()
    assert left.ping(HOST, 5).lost == 0
    for address in (IPS["right"], OUTSIDE):
        assert left.round_trips(address, 200).lost == 0, address
        assert left.stream(address, 500).lost == 0, address


@FORGERIES
def test_a_wire_speaks_for_itself_only(rig: Hosting, rule: str, sender: str, back: str) -> None:
    rig.assert_caught(rule, sender, back)


def test_a_wire_has_its_own_disk_only(rig: Hosting) -> None:
    lines = rig.guests["right"].run(f"nbd-client -nonetlink -name left {HOST} /dev/nbd1 2>&1; "
                                   "cat /sys/block/nbd1/size", 60)
    assert lines[-1] == "0", lines


def test_a_guest_reads_back_what_it_wrote(rig: Hosting) -> None:
    """Its disk, and its file in the tree of all, after the operator's reset."""
    left, right = rig.guests["left"], rig.guests["right"]
    files = "/disk/mine /tree/from-right"
    before = right.run("dd if=/dev/urandom of=/disk/mine bs=64k count=32 2>/dev/null; cp /disk/mine /tree/from-right; "
                       f"sync {files}; sync; md5sum {files}", 60)
    since = rig.machine.console.mark()
    rig.machine.reset("right")
    right.wait_ready(90, since)
    rig.stored("right", "work=/disk", since)
    rig.stored("right", "tree=/tree", since)
    assert right.run(f"md5sum {files}") == before
    assert left.run("md5sum < /tree/from-right")[0].split()[0] == before[1].split()[0]
    assert rig.machine.report().partition("right").resets == 1


def by_the_operator(machine: Machine) -> None:
    machine.reset("io")


def by_its_kernel(machine: Machine) -> None:
    """A panic: the kernel stops where it is, tells no device, no peer and no file system, and asks for a reset (panic=-1)."""
    since = machine.console.mark()
    machine.type_line("io", "echo c >/proc/sysrq-trigger")
    machine.expect("Kernel panic - not syncing: sysrq triggered crash$", 20, "io", since)


def busy(rig: Hosting) -> int:
    """Both guests write and wait for each answer, and talk to each other and to the outside. A mark of the console before."""
    size = f"bs=64k count={BLOCKS * BLOCK // 65536} 2>/dev/null"
    rig.guests["right"].run(f"dd if=/dev/zero of=/disk/direct {size}; sync; dd if=/dev/urandom of=/tmp/direct {size}")
    since = rig.machine.console.mark()
    for name, peer, writer in (("left", IPS["right"], NUMBERS), ("right", OUTSIDE, DIRECT)):
        rig.guests[name].run("rm -f /tmp/enough")
        rig.machine.type_line(name, f"ping -i 0.05 -W 1 {peer} >/tmp/ping 2>&1 &")
        rig.machine.type_line(name, WATCHER)
        rig.machine.type_line(name, writer)
    for name in IPS:
        rig.machine.expect("@acknowledged 20$", 60, name, since)
    return since


def no_acknowledged_write_is_lost(rig: Hosting, since: int) -> None:
    for name in IPS:
        rig.enough(name, since)
    assert int(rig.guests["left"].run("cat /disk/n")[0]) >= rig.acknowledged("left", since)
    rig.guests["right"].run(f"cmp -s -n {rig.acknowledged('right', since) * BLOCK} /disk/direct /tmp/direct")


@pytest.mark.parametrize("kill", [by_the_operator, by_its_kernel], ids=["reset", "crash"])
def test_the_host_dies_in_the_middle_of_traffic(rig: Hosting, kill: Callable[[Machine], None]) -> None:
    machine, before = rig.machine, rig.machine.report()
    began = busy(rig)
    since = machine.console.mark()
    kill(machine)
    for name in IPS:
        machine.expect("@carrier 0$", 30, name, since)
    seen = {name: len(machine.console.find("@acknowledged", name, began)) for name in IPS}
    for name in IPS:
        machine.expect("@carrier 1$", BACK, name, since)
    rig.guests["io"].wait_ready(90, since)
    rig.all_stored("back=nbd", since)
    for name in IPS:
        machine.expect(f"@acknowledged {seen[name] + 20}$", 60, name, since)  # it went on by itself
        rig.guests[name].run("kill $(pidof ping)")
    no_acknowledged_write_is_lost(rig, began)
    after = machine.report()
    assert [p.state for p in after.partitions] == ["running"] * 3
    lives = {p.name: p.resets for p in before.partitions}
    assert {p.name: p.resets for p in after.partitions} == {**lives, "io": lives["io"] + 1}
    assert after.faults == before.faults == 0
    assert after.pools == before.pools
    assert machine.events(r"dma fault|data abort injected|panic|broke a rule") == []


def test_the_guests_had_no_errors(rig: Hosting) -> None:
    """But for what the kernel says when a connection is lost."""
    for name in IPS:
        guest = rig.guests[name]
        assert not guest.run("dmesg -r | grep -E '^<[0-3]>' | grep -v -E 'nbd|device-mapper|9p' || true")


def test_all_is_as_before(rig: Hosting) -> None:
    left, right = rig.guests["left"], rig.guests["right"]
    right.serve()
    assert left.ping(HOST, 5).lost == 0
    for address in (IPS["right"], OUTSIDE):
        assert left.round_trips(address, 200).lost == 0, address
    assert right.run("md5sum < /disk/mine") == right.run("md5sum < /tree/from-right")


def test_the_disks_are_whole_afterwards(rig: Hosting) -> None:
    rig.assert_disks_whole()
    report = rig.machine.report()
    assert report.faults == 0
    for wire in report.wires:  # what was sent while nobody was at the other end, and nothing else
        assert {reason for reason, count in wire.dropped.items() if count} <= {"link"}, wire
