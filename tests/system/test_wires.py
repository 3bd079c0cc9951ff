# SPDX-License-Identifier: BSD-2-Clause
"""Two stock Linux guests with two vCPUs each, joined by a wire. One boot for all, in this order; the traffic once more
where interrupts are injected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest

from configs import MIB, config, node, partition, write
from demo.console import HYPERVISOR
from demo.guest import Guest
from demo.machine import Machine
from demo.report import Report, Wire
from demo.session import Session

NAMES = ("left", "right")
PEERS = {"left": "right", "right": "left"}
IPS = {"left": "10.0.0.1", "right": "10.0.0.2"}
MACS = {"left": "52:54:00:ca:07:00", "right": "52:d4:00:ca:07:00"}  # the port's is derived
PLAIN = {"left": "52:54:00:ca:07:01", "right": "52:d4:00:ca:07:01"}  # a second wire, without offloads
LINK_TIMEOUT = 20
MEBIBYTES = 8  # each way
pytestmark = pytest.mark.bound(300)


def guest_partition(name: str, cores: tuple[int, int], *more: str) -> str:
    words = f"console=ttyAMA0 nokaslr quiet panic=-1 cw.name={name} cw.ip={IPS[name]}/24"
    return partition(name, cores, 256 * MIB, kernel="build/guest/Image", command_line=words,
                     ramdisk="build/guest/initramfs.cpio.gz").replace("\n};", "\n" + "".join(more) + "};", 1)


@dataclass
class Pair:
    session: Session
    left: Guest
    right: Guest

    @property
    def machine(self) -> Machine:
        return self.session.machine

    def interface(self, name: str) -> str:
        return self.session.guests[name].ready["if"]

    def wires(self) -> tuple[Wire, Wire]:
        return self.ends(self.machine.report())

    @staticmethod
    def ends(report: Report) -> tuple[Wire, Wire]:
        left, right = (next(w for w in report.wires if w.partition == n) for n in NAMES)
        return left, right

    def carrier(self, name: str, wanted: int) -> None:
        """Waits, within a bound, until the guest sees its link so."""
        path = f"/sys/class/net/{self.interface(name)}/carrier"
        self.session.guests[name].run(
            f"for i in $(seq 100); do [ $(cat {path}) = {wanted} ] && exit 0; sleep 0.1; done; exit 1", LINK_TIMEOUT * 3)


def pair(built: Path, gic: int, plain: bool = False) -> Iterator[Pair]:
    wires = [node("wire@0", to="right", mac_address=bytes.fromhex(MACS["left"].replace(":", "")))]
    if plain:
        wires.append(node("wire@1", to="right", mac_address=bytes.fromhex(PLAIN["left"].replace(":", "")), no_offload=True))
    text = config([], [guest_partition("left", (0, 1), *wires), guest_partition("right", (2, 3))], 4, 1024 * MIB, gic=gic)
    with Session(write(f"wires-{gic}", text), f"test-wires-{gic}", build=built) as session:
        session.boot()
        yield Pair(session, *session.wait_guests(NAMES))


@pytest.fixture(scope="module")
def wired(built: Path) -> Iterator[Pair]:
    yield from pair(built, 4)


@pytest.fixture(scope="module")
def injected(built: Path) -> Iterator[Pair]:
    yield from pair(built, 3, plain=True)


# --- what a guest sees ----------------------------------------------------------------------------


def test_it_is_a_network_card_with_a_queue_for_each_vcpu(wired: Pair) -> None:
    for name, guest in wired.session.guests.items():
        ready = guest.ready
        assert (ready["driver"], ready["carrier"], ready["mac"]) == ("virtio_net", "1", MACS[name])
        assert ready["function"] == "0000:00:01.0"
        queues = guest.run(f"ls /sys/class/net/{ready['if']}/queues")
        assert sorted(" ".join(queues).split()) == ["rx-0", "rx-1", "tx-0", "tx-1"]
        channels = guest.run(f"ethtool -l {ready['if']}")
        assert channels[-1].split() == ["Combined:", "2"], channels
        offloads = guest.run(f"ethtool -k {ready['if']}")
        for feature in ("tx-checksumming: on", "tcp-segmentation-offload: on", "rx-checksumming: on"):
            assert any(line.startswith(feature) for line in offloads), (feature, offloads)
        assert guest.run("dmesg -r | grep '^<[0-3]>' | grep -i -e virtio -e pci || true") == []


# --- traffic --------------------------------------------------------------------------------------


def both_ways(p: Pair) -> None:
    """Files of random bytes both ways at once, over TCP; what arrives is what was sent."""
    before = p.wires()
    sums = {}
    for name, guest in p.session.guests.items():
        sums[name] = guest.run(f"dd if=/dev/urandom of=/tmp/out bs=1M count={MEBIBYTES} 2>/dev/null; "
                               "httpd -p 80 -h /tmp; sha256sum </tmp/out", 60)[-1]
    assert sums["left"] != sums["right"]
    since = p.machine.console.mark()
    for name, other in PEERS.items():
        p.machine.type_line(name, f"wget -q -O - http://{IPS[other]}/out | sha256sum | sed 's/^/@got /'")
    for name, other in PEERS.items():
        assert p.machine.expect("@got (.*)", 120, name, since)[1] == sums[other], f"what {name} got of {other}"
    for old, new in zip(before, p.wires()):
        assert new.state == "up" and set(new.dropped.values()) == {0}, new
        assert new.bytes - old.bytes > MEBIBYTES * MIB
        # Fewer packets than an MTU would allow: segmentation is left to who needs it, and nobody does.
        assert (new.bytes - old.bytes) / (new.packets - old.packets) > 2 * 1514


def test_both_ways_at_once(wired: Pair) -> None:
    both_ways(wired)
    assert wired.left.ping(IPS["right"]).lost == 0


def test_several_flows_use_both_pairs_of_queues(wired: Pair) -> None:
    wired.right.serve()
    for _ in range(2):
        wired.left.run(f"for cpu in 0 1; do taskset $((cpu + 1)) pk tx {IPS['right']} 7 200 512 16 4 >/tmp/pk$cpu & done; "
                       "wait; grep -h -o 'lost=[0-9]*' /tmp/pk0 /tmp/pk1", 60)
    for name, guest in wired.session.guests.items():
        counts = guest.interrupts()
        used = {queue: n for queue, n in counts.items() if queue.startswith("virtio0-input") or queue.startswith("virtio0-output")}
        assert used.get("virtio0-input.0", 0) and used.get("virtio0-input.1", 0), f"{name}: {counts}"


def test_exits_and_interrupts_are_batched(wired: Pair) -> None:
    """One trap for a batch: 16 datagrams at a time are a sixteenth of the kicks, with some to spare."""
    before = wired.machine.report()
    traffic = wired.left.stream(IPS["right"], 512, 64, 64, 16)
    after = wired.machine.report()
    assert traffic.lost == 0
    kicks = after.exits("left", "wire") - before.exits("left", "wire")
    assert 0 < kicks <= 2 * 512 / 16 + 32, kicks


# --- link -----------------------------------------------------------------------------------------


def test_link_follows_the_peers_driver(wired: Pair) -> None:
    interface, function = wired.interface("right"), wired.right.ready["function"]
    driver = "/sys/bus/virtio/drivers/virtio_net"
    wired.right.run(f"echo virtio0 >{driver}/unbind")
    wired.carrier("left", 0)
    assert [w.state for w in wired.wires()] == ["down", "down"]
    wired.right.run(f"echo virtio0 >{driver}/bind; sleep 0.5; cw-net @again")
    wired.carrier("left", 1)
    assert wired.left.ping(IPS["right"]).lost == 0, (interface, function)


def test_link_follows_the_operators_reset(wired: Pair) -> None:
    """In the middle of traffic; the other one is not restarted."""
    m = wired.machine
    m.type_line("left", f"ping -q -f -c 100000 {IPS['right']} >/dev/null &")
    since = m.console.mark()
    m.reset("right")
    wired.carrier("left", 0)
    assert m.report().partition("right").resets == 1
    assert wired.right.wait_ready(120, since)["carrier"] == "1"
    wired.carrier("left", 1)
    # It has asked in vain for the neighbour's address, and would wait before it asks again.
    wired.left.run("kill $(pidof ping) && ip neigh flush all || true")
    assert wired.left.ping(IPS["right"]).lost == 0
    assert m.report().partition("left").resets == 0 and len(m.console.find("@ready", "left")) == 1
    both_ways_lossless_again(wired)


def both_ways_lossless_again(p: Pair) -> None:
    """What was lost while nobody was there is counted as that, and as nothing else."""
    for wire in p.wires():
        assert wire.state == "up"
        assert {reason for reason, n in wire.dropped.items() if n} <= {"link"}, wire


def test_link_follows_the_peers_power(wired: Pair) -> None:
    m = wired.machine
    m.type_line("right", "poweroff -f")
    m.expect(r"^right: off", 30, HYPERVISOR)
    wired.carrier("left", 0)
    left, right = wired.wires()
    assert (left.state, right.state) == ("down", "off")
    since = m.console.mark()
    m.reset("right")
    assert wired.right.wait_ready(120, since)["carrier"] == "1"
    wired.carrier("left", 1)
    assert wired.left.ping(IPS["right"]).lost == 0
    assert m.report().partition("left").resets == 0
    assert m.events(r"panic|broke a rule|did not stop") == []


# --- the other way of interrupts ------------------------------------------------------------------


def test_injected(injected: Pair) -> None:
    both_ways(injected)
    m = injected.machine
    since = m.console.mark()
    m.reset("right")
    injected.carrier("left", 0)
    assert injected.right.wait_ready(120, since)["carrier"] == "1"
    injected.carrier("left", 1)
    assert injected.left.ping(IPS["right"]).lost == 0
    for guest in injected.session.guests.values():
        assert guest.messages() > 0, "message interrupts, and there is no vLPI"


def test_without_offloads(injected: Pair) -> None:
    """A second wire, for drivers that have none: these guests' are not offered any, and TCP goes on in plain frames."""
    m = injected.machine
    before = {w.partition: w for w in m.report().wires if w.label == "wire@1"}
    for number, (name, guest) in enumerate(injected.session.guests.items(), 1):
        interface = guest.run(f"grep -l {PLAIN[name]} /sys/class/net/*/address")[0].split("/")[4]
        guest.run(f"ip addr add 10.0.1.{number}/24 dev {interface}; ip link set {interface} up")
        offloads = guest.run(f"ethtool -k {interface}")
        for feature in ("tx-checksumming: off", "tcp-segmentation-offload: off"):
            assert any(line.startswith(feature) for line in offloads), (feature, offloads)
    sums = [guest.run(command, 60)[-1] for guest, command in (
        (injected.right, f"dd if=/dev/urandom of=/tmp/out bs=1M count={MEBIBYTES} 2>/dev/null; "
                         "httpd -p 80 -h /tmp; sha256sum </tmp/out"),
        (injected.left, "wget -q -O - http://10.0.1.2/out | sha256sum"))]
    assert sums[0] == sums[1]
    for wire in (w for w in m.report().wires if w.label == "wire@1"):
        assert wire.state == "up" and set(wire.dropped.values()) == {0}, wire
        assert wire.bytes - before[wire.partition].bytes <= 1514 * (wire.packets - before[wire.partition].packets)
    assert sum(w.bytes for w in m.report().wires if w.label == "wire@1") > MEBIBYTES * MIB
