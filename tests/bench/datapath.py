# SPDX-License-Identifier: BSD-2-Clause
"""The data path: packets from VF to VF, and the exits that are taken meanwhile.

The VFs' interrupts and both ends of the traffic sit on one vCPU of each guest, moderated to 10 us.
"""

from __future__ import annotations

from demo.guest import Guest
from demo.machine import ROOT
from demo.session import Session
from lines import Metric, line, say

TRIPS = 1000
WARM_UP = 15000
PIN = ("ethtool -C eth0 rx-usecs 10; for i in $(grep eth0 /proc/interrupts | cut -d: -f1); "
       "do echo 2 > /proc/irq/$i/smp_affinity; done; for p in $(pidof sh); do taskset -p 2 $p >/dev/null; done")


def pinned(guest: Guest) -> None:
    guest.find_address()
    guest.run(PIN)
    guest.run("pk srv 7 >/dev/null 2>&1 & echo started")


def metrics() -> list[Metric]:
    with Session(ROOT / "config" / "two-vfs.dts", "bench", say=say) as session:
        session.boot()
        client, server = session.wait_guests(["net-a", "net-b"])[:2]
        for guest in (client, server):
            pinned(guest)
        client.round_trips(server.address, WARM_UP)  # drivers settle their interrupt moderation first
        before = session.machine.report()
        client.round_trips(server.address, TRIPS)
        after = session.machine.report()
    names = (client.name, server.name)
    return [line("vf_el2_per_1000", sum(after.device_ticks(n) - before.device_ticks(n) for n in names)),
            line("vf_exits_per_1000", sum(after.device_exits(n) - before.device_exits(n) for n in names))]
