# SPDX-License-Identifier: BSD-2-Clause
"""Linux guests with two VFs each: both interfaces up, and packets over both at once."""

from __future__ import annotations

from typing import Sequence

from demo.guest import PORT, Guest
from demo.session import Session


def other(guest: Guest) -> str:
    """The interface that init left alone."""
    names = [i.name for i in guest.interfaces() if i.name != guest.ready["if"]]
    assert len(names) == 1, names
    return names[0]


def bring_up(session: Session, names: Sequence[str]) -> None:
    """Guest n is 10.0.0.n and 10.0.1.n, with a carrier on both."""
    session.boot()
    for number, guest in enumerate(session.wait_guests(names), 1):
        second = other(guest)
        guest.run(f"ip addr add 10.0.1.{number}/24 dev {second}; ip link set {second} up")
        guest.find_address()
        guest.serve()
    for guest in session.guests.values():
        guest.run(f"i=0; while [ $i -lt 100 ] && [ $(cat /sys/class/net/{other(guest)}/carrier) != 1 ]; do "
                  "sleep 0.1; i=$((i+1)); done")


def talk(guests: Sequence[Guest], trips: int) -> dict[str, list[str]]:
    """Each guest talks to the next over both of its VFs, all at once: pk's line of each flow."""
    for index, guest in enumerate(guests):
        to = (index + 1) % len(guests) + 1
        guest.run(f"rm -f /tmp/rr.*; for net in 0 1; do {{ pk rr 10.0.$net.{to} {PORT} {trips} 256 >/tmp/rr.$net.part 2>&1; "
                  "mv /tmp/rr.$net.part /tmp/rr.$net; } & done")
    flows = {}
    for guest in guests:
        guest.run("i=0; while [ $i -lt 600 ] && ! [ -e /tmp/rr.0 -a -e /tmp/rr.1 ]; do sleep 0.1; i=$((i+1)); done", 200)
        flows[guest.name] = [guest.run(f"cat /tmp/rr.{net}")[-1] for net in (0, 1)]
    return flows
