# SPDX-License-Identifier: BSD-2-Clause
"""`make bench`: what the data path and each kind of exit cost, counted under icount (1 ns an instruction).

Two Linux guests, VF to VF. The VFs' interrupts and both ends of the traffic sit on one vCPU of each guest and
the moderation is 10 us, so that round trips compare with other systems measured the same way. Writes
build/bench.json too. Wall times on a shared machine are not figures, so none is printed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True

from demo.guest import Guest, Traffic  # noqa: E402
from demo.report import Report  # noqa: E402
from demo.session import Session  # noqa: E402

TRIPS = 1000
WARM_UP = 15000
PIN = ("ethtool -C eth0 rx-usecs 10; for i in $(grep eth0 /proc/interrupts | cut -d: -f1); "
       "do echo 2 > /proc/irq/$i/smp_affinity; done; for p in $(pidof sh); do taskset -p 2 $p >/dev/null; done")
CLASSES = ("timer", "ipi", "console", "config", "its", "inject", "fault", "psci", "other")


def differences(name: str, before: Report, after: Report) -> dict[str, dict[str, int]]:
    """Exits and EL2 instructions of one partition between two reports, by class."""
    return {c: {"exits": after.exits(name, c) - before.exits(name, c),
                "instructions": after.ticks(name, c) - before.ticks(name, c)} for c in CLASSES}


def pinned(guest: Guest) -> None:
    guest.find_address()
    guest.run(PIN)
    guest.run("pk srv 7 >/dev/null 2>&1 & echo started")


def traffic_row(what: str, traffic: Traffic) -> dict[str, object]:
    count = "-" if traffic.instructions is None else f"{traffic.instructions:.0f}"
    print(f"  {what:<34} {count:>8} instructions, all of the machine; {traffic.lost} of {traffic.packets} lost")
    return {"what": what, "instructions": traffic.instructions, "lost": traffic.lost}


def exit_rows(name: str, found: dict[str, dict[str, int]], trips: int) -> None:
    for kind, n in found.items():
        if n["exits"]:
            print(f"  {name:<10} {kind:<8} {1000 * n['exits'] / trips:8.1f} exits/1000 round trips, "
                  f"{n['instructions'] / n['exits']:7.0f} instructions each")


def main() -> int:
    config = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "config" / "two-vfs.dts"
    result: dict[str, object] = {}
    with Session(config, "bench", say=lambda text: print(f"# {text}", flush=True)) as session:
        session.boot()
        client, server = session.wait_guests(["net-a", "net-b"])[:2]
        for guest in (client, server):
            pinned(guest)
        client.round_trips(server.address, WARM_UP)  # drivers settle their interrupt moderation first
        before = session.machine.report()
        print("data path, VF to VF:")
        result["traffic"] = [traffic_row("round trip, 64 bytes", client.round_trips(server.address, TRIPS))]
        after = session.machine.report()
        result["traffic"] += [traffic_row("packet of a stream, 1472 bytes", client.stream(server.address, 2 * TRIPS)),
                              traffic_row("packet of a stream, 64 bytes", client.stream(server.address, 2 * TRIPS, 64))]
        print("exits during the round trips (console: this program typing; the guest's own: timer, ipi):")
        result["exits"] = {}
        for guest in (client, server):
            found = differences(guest.name, before, after)
            exit_rows(guest.name, found, TRIPS)
            result["exits"][guest.name] = found
        device = sum(after.device_exits(g.name) - before.device_exits(g.name) for g in (client, server))
        print(f"exits for the devices: {device}")
        result["exits_for_the_devices"] = device
    path = ROOT / "build" / "bench.json"
    path.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(f"as JSON: {path.relative_to(ROOT)}; logs: build/logs/bench/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
