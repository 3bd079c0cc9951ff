# SPDX-License-Identifier: BSD-2-Clause
"""Six VFs over three Linux guests with two vCPUs each; their interrupts move while packets flow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from conftest import BUILD, ROOT
from demo.guest import Guest
from demo.report import key_values
from demo.session import Session
from flows import bring_up, talk

CONFIG = ROOT / "config" / "six-vfs.dts"
NAMES = ["net-a", "net-b", "net-c"]
TRIPS = 400  # of each of the six flows
MOVE_MS = 5
# igbvf looks at its rings every 2 s by itself: an interrupt that was lost shows as a round trip that long.
LONGEST_NS = 500_000_000


@dataclass(frozen=True)
class Moved:
    """What one guest saw while its interrupts moved."""

    guest: str
    flows: list[str]  # pk's lines
    times: int  # all of its vectors, there and back
    refused: bool  # by its kernel
    taken: dict[str, list[int]]  # vector → on each CPU
    its: int  # accesses to its ITS


def machine(name: str, hypervisor: Optional[Path] = None) -> Session:
    return Session(CONFIG, name, options=["--hypervisor", str(hypervisor)] if hypervisor else [])


def boot(session: Session) -> None:
    """Both interfaces of all three have an address and a carrier."""
    bring_up(session, NAMES)


def vectors(guest: Guest) -> dict[str, tuple[int, list[int]]]:
    """Of both interfaces: name → number, how many on each CPU."""
    found = {}
    for line in guest.run("cat /proc/interrupts"):
        match = re.match(r"\s*(\d+):((?:\s+\d+){2})\s.*\s(eth\S+)$", line)
        if match:
            found[match[3]] = (int(match[1]), [int(x) for x in match[2].split()])
    return found


def move_for_ever(guest: Guest) -> None:
    """Every vector of both interfaces, from one CPU to the other and back."""
    numbers = " ".join(str(number) for number, _ in vectors(guest).values())
    guest.run("touch /tmp/move; { n=0; while [ -e /tmp/move ]; do for m in 1 2; do for i in %s; do "
              "echo $m >/proc/irq/$i/smp_affinity || touch /tmp/refused; done; sleep 0.%03d; done; n=$((n+1)); done; "
              "echo $n >/tmp/moved; } >/dev/null 2>&1 &" % (numbers, MOVE_MS))


def move_under_traffic(session: Session) -> list[Moved]:
    """Each guest talks to the next over both of its VFs."""
    guests = list(session.guests.values())
    before = session.machine.report()
    earlier = {g.name: vectors(g) for g in guests}
    for guest in guests:
        move_for_ever(guest)
    flows = talk(guests, TRIPS)
    found = []
    for guest in guests:
        guest.run("rm /tmp/move; while [ ! -e /tmp/moved ]; do sleep 0.05; done")
        taken = {name: [now - was for now, was in zip(counts, earlier[guest.name][name][1])]
                 for name, (_, counts) in vectors(guest).items() if re.search("[rt]x", name)}
        accesses = session.machine.report().exits(guest.name, "its") - before.exits(guest.name, "its")
        found.append(Moved(guest.name, flows[guest.name], int(guest.run("cat /tmp/moved")[0]),
                           guest.run("[ -e /tmp/refused ] && echo yes; true") == ["yes"], taken, accesses))
    return found


def check_moved(moved: list[Moved]) -> None:
    """Every packet came back, soon, and every vector was taken wherever it had been moved to."""
    assert [m.guest for m in moved] == NAMES
    for m in moved:
        for line in m.flows:
            print(f"{m.guest} {line}")
            words = key_values(line)
            assert (words["lost"], words["corrupt"]) == ("0", "0"), line
            assert int(words["rtt_ns_max"]) < LONGEST_NS, f"an interrupt was lost: {line}"
        assert m.times >= 20, f"{m.guest} moved its interrupts only {m.times} times there and back"
        assert not m.refused and m.its >= 2 * m.times
        for name, here in m.taken.items():
            assert min(here) > 0, f"{m.guest}: {name} was never taken on one of the CPUs: {here}"
        print(f"{m.guest} moved all vectors {2 * m.times} times")


class SixVfsRow:
    """In the shape of the other rows."""

    def run(self, name: str, hypervisor: Optional[Path] = None) -> list[Moved]:
        with machine(f"test-hostile-{name}", hypervisor or BUILD / "hypervisor.bin") as session:
            boot(session)
            return move_under_traffic(session)

    def check(self, moved: list[Moved]) -> None:
        check_moved(moved)
