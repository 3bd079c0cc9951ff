# SPDX-License-Identifier: BSD-2-Clause
"""Six VFs over three Linux guests with two vCPUs each; their interrupts move while packets flow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest

from conftest import ROOT
from demo.guest import PORT, Guest
from demo.report import key_values
from demo.session import Session

CONFIG = ROOT / "config" / "six-vfs.dts"
NAMES = ["net-a", "net-b", "net-c"]
TRIPS = 400  # of each of the six flows
MOVE_MS = 5
# igbvf looks at its rings every 2 s by itself: an interrupt that was lost shows as a round trip that long.
LONGEST_NS = 500_000_000
pytestmark = pytest.mark.bound(300)


@pytest.fixture(scope="module")
def session(built: Path) -> Iterator[Session]:
    with Session(CONFIG, "test-six-vfs", build=built) as s:
        s.boot()
        for number, guest in enumerate(s.wait_guests(NAMES), 1):
            second = other(guest)
            guest.run(f"ip addr add 10.0.1.{number}/24 dev {second}; ip link set {second} up")
            guest.find_address()
            guest.serve()
        for guest in s.guests.values():
            guest.run(f"i=0; while [ $i -lt 100 ] && [ $(cat /sys/class/net/{other(guest)}/carrier) != 1 ]; do "
                      "sleep 0.1; i=$((i+1)); done")
        yield s


def other(guest: Guest) -> str:
    """The interface that init left alone."""
    names = [i.name for i in guest.interfaces() if i.name != guest.ready["if"]]
    assert len(names) == 1, names
    return names[0]


def vectors(guest: Guest) -> dict[str, tuple[int, list[int]]]:
    """Of both interfaces: name → number, how many on each CPU."""
    found = {}
    for line in guest.run("cat /proc/interrupts"):
        match = re.match(r"\s*(\d+):((?:\s+\d+){2})\s.*\s(eth\S+)$", line)
        if match:
            found[match[3]] = (int(match[1]), [int(x) for x in match[2].split()])
    return found


def test_all_six_are_there(session: Session) -> None:
    wanted = re.findall(r"vf-of[^}]*?mac-address\s*=\s*\[([0-9a-f ]+)\]", CONFIG.read_text())
    found = [mac for g in session.guests.values() for mac in g.run("cat /sys/class/net/eth*/address")]
    assert sorted(found) == sorted(":".join(x.split()) for x in wanted)
    devices = session.machine.report().devices
    assert [(d.state, d.interrupts) for d in devices if d.kind == "VF"] == [("assigned", "vlpi")] * 6
    for guest in session.guests.values():
        assert {i.driver for i in guest.interfaces()} == {"igbvf"}


def move_for_ever(guest: Guest) -> None:
    """Every vector of both interfaces, from one CPU to the other and back."""
    numbers = " ".join(str(number) for number, _ in vectors(guest).values())
    guest.run("touch /tmp/move; { n=0; while [ -e /tmp/move ]; do for m in 1 2; do for i in %s; do "
              "echo $m >/proc/irq/$i/smp_affinity || touch /tmp/refused; done; sleep 0.%03d; done; n=$((n+1)); done; "
              "echo $n >/tmp/moved; } >/dev/null 2>&1 &" % (numbers, MOVE_MS))


def test_nothing_is_lost_while_interrupts_move(session: Session) -> None:
    """Each guest talks to the next over both of its VFs."""
    guests = list(session.guests.values())
    before = session.machine.report()
    earlier = {g.name: vectors(g) for g in guests}
    for guest in guests:
        move_for_ever(guest)
    for index, guest in enumerate(guests):
        to = (index + 1) % len(guests) + 1
        guest.run(f"rm -f /tmp/rr.*; for net in 0 1; do {{ pk rr 10.0.$net.{to} {PORT} {TRIPS} 256 >/tmp/rr.$net.part 2>&1; "
                  "mv /tmp/rr.$net.part /tmp/rr.$net; } & done")
    for guest in guests:
        guest.run("i=0; while [ $i -lt 600 ] && ! [ -e /tmp/rr.0 -a -e /tmp/rr.1 ]; do sleep 0.1; i=$((i+1)); done", 200)
        for net in (0, 1):
            line = guest.run(f"cat /tmp/rr.{net}")[-1]
            words = key_values(line)
            print(f"{guest.name} {line}")
            assert (words["lost"], words["corrupt"]) == ("0", "0"), line
            assert int(words["rtt_ns_max"]) < LONGEST_NS, f"an interrupt was lost: {line}"
    for guest in guests:
        guest.run("rm /tmp/move; while [ ! -e /tmp/moved ]; do sleep 0.05; done; [ ! -e /tmp/refused ]")
        moves = int(guest.run("cat /tmp/moved")[0])
        assert moves >= 20, f"{guest.name} moved its interrupts only {moves} times there and back"
        for name, (_, counts) in vectors(guest).items():
            if re.search("[rt]x", name):
                here = [now - was for now, was in zip(counts, earlier[guest.name][name][1])]
                assert min(here) > 0, f"{guest.name}: {name} was never taken on one of the CPUs: {here}"
        after = session.machine.report()
        assert after.exits(guest.name, "its") - before.exits(guest.name, "its") >= 2 * moves
        print(f"{guest.name} moved all vectors {2 * moves} times")


def test_nothing_else_happened(session: Session) -> None:
    report = session.machine.report()
    assert report.faults == 0
    assert session.machine.events("dma fault|data abort injected|panic|refused") == []
    assert [p.state for p in report.partitions] == ["running"] * 4
    assert sum(report.exits(n, "inject") for n in NAMES) == 0
