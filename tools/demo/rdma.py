# SPDX-License-Identifier: BSD-2-Clause
"""`make run-rdma`: stock RDMA programs between two Linux guests, each on a virtual function of its own.

QEMU has no RDMA card with virtual functions, so the transport is the kernel's software RoCE (rdma_rxe) on the
VF's network interface. What the table shows of the device's path holds for a hardware VF too.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from demo.demo import Outcome, Snapshot, drive, snapshot
from demo.guest import Guest
from demo.machine import ROOT
from demo.report import key_values
from demo.session import Session
from demo.table import columns

DEVICE = "rxe0"
OUTPUT = "/tmp/rdma-server"
WAIT_TENTHS = 100  # for the server to end after its client
HEADINGS = ("RDMA work", "what was checked", "result", "packets of the VFs", "exits for the devices",
            "EL2 instructions for them")


@dataclass(frozen=True)
class Work:
    """One program, started on both sides; the client gets the server's address as well."""

    name: str
    command: str  # {gid}: the index of the RoCE v2 GID; {n}: how often; {side}: what only one side has
    server: str
    client: str  # {address}: the server's
    count: int
    checked: str
    result: Callable[[str], Optional[str]]  # from the client's output; None: it did not finish its work


@dataclass(frozen=True)
class Row:
    work: str
    checked: str
    result: str
    packets: int
    exits: int
    el2_instructions: int

    def cells(self) -> tuple[str, ...]:
        return (self.work, self.checked, self.result, str(self.packets), str(self.exits),
                str(self.el2_instructions))


def pingpong_result(output: str) -> Optional[str]:
    """`... seconds = 32.74 Mbit/sec` and `1000 iters in 2.00 seconds = 2001.81 usec/iter`."""
    rate = re.search(r"seconds = ([\d.]+) Mbit/sec", output)
    trip = re.search(r"iters in [\d.]+ seconds = ([\d.]+) usec/iter", output)
    bad = re.search("invalid data|mismatch", output, re.IGNORECASE)
    return f"{trip[1]} us a round trip, {rate[1]} Mbit/s" if rate and trip and not bad else None


def rping_result(output: str) -> Optional[str]:
    """Silent but for its farewell when every byte was right."""
    bad = re.search("mismatch|error|failed", output, re.IGNORECASE)
    return "all equal" if "DISCONNECT EVENT" in output and not bad else None


def figures(output: str) -> Optional[list[str]]:
    """perftest's one row of figures below its `#bytes` heading."""
    match = re.search(r"#bytes.*\n\s*(\d+(?:\s+[\d.]+)+)\s*$", output, re.MULTILINE)
    return match[1].split() if match else None


def bandwidth_result(output: str) -> Optional[str]:
    found = figures(output)
    return f"{found[3]} MB/s" if found and len(found) == 5 else None


def latency_result(output: str) -> Optional[str]:
    found = figures(output)
    return f"{found[4]} us typical, {found[7]} us at 99 %" if found and len(found) == 9 else None


WORKS = (
    Work("ibv_rc_pingpong, 4096 bytes", f"ibv_rc_pingpong -d {DEVICE} -g {{gid}} -s 4096 -n {{n}} -c {{side}}", "",
         "{address}", 1000, "every message", pingpong_result),
    Work("rping, RDMA read and write, 4096 bytes", "rping {side} -a {address} -C {n} -S 4096 -V", "-s", "-c",
         200, "every byte", rping_result),
    Work("ib_write_bw, 65536 bytes", f"ib_write_bw -d {DEVICE} -x {{gid}} -s 65536 -n {{n}} -F {{side}}", "",
         "{address}", 500, "completions", bandwidth_result),
    Work("ib_read_lat, 8 bytes", f"ib_read_lat -d {DEVICE} -x {{gid}} -s 8 -n {{n}} -F {{side}}", "",
         "{address}", 1000, "completions", latency_result),
)


def provide(guest: Guest) -> str:
    """Puts rdma_rxe on the guest's VF; the index of the GID to use."""
    line = next((x for x in guest.run(f"cw-rdma {guest.ready['if']}", 60) if x.startswith("@rdma ")), "")
    words = key_values(line)
    if words.get("state") != "ACTIVE" or not words.get("gid", "none").isdigit():
        raise guest.machine.error(f"{guest.name}: no RDMA device on {guest.ready['if']}: {line or 'no answer'}")
    return words["gid"]


def run_work(work: Work, count: int, client: Guest, server: Guest, gids: dict[str, str]) -> str:
    """Both sides must end well; what the client measured."""
    def command(guest: Guest, side: str) -> str:
        return work.command.format(gid=gids[guest.name], n=count, address=server.address,
                                   side=side.format(address=server.address)).strip()

    there, here = command(server, work.server), command(client, work.client)
    server.run(f"rm -f {OUTPUT}.rc; ( {there} >{OUTPUT} 2>&1; echo $? >{OUTPUT}.rc ) & sleep 0.5")
    rc, lines = client.machine.shell(client.name, here, 240)
    result = work.result("\n".join(lines)) if rc == 0 else None
    wait = f"i=0; while [ ! -s {OUTPUT}.rc ] && [ $i -lt {WAIT_TENTHS} ]; do sleep 0.1; i=$((i+1)); done"
    ended = "".join(server.run(f"{wait}; cat {OUTPUT}.rc 2>/dev/null || echo none", 120)).strip()
    if result is None or ended != "0":
        said = [*lines[-6:], *server.run(f"tail -n 6 {OUTPUT}")]
        raise client.machine.error(f"{client.name}: '{here}' ended with {rc}, {server.name}'s side with {ended}:\n    "
                                   + "\n    ".join(said))
    return result


def difference(name: str, work: Work, result: str, guests: Sequence[Guest], before: Snapshot, after: Snapshot) -> Row:
    def packets(of: Snapshot) -> int:
        return sum(i.packets for g in guests for i in of.interfaces[g.name])

    names = [g.name for g in guests]
    return Row(name, work.checked, result, packets(after) - packets(before),
               sum(after.report.device_exits(n) - before.report.device_exits(n) for n in names),
               sum(after.report.device_ticks(n) - before.report.device_ticks(n) for n in names))


def measure(session: Session, names: Sequence[str], percent: int) -> tuple[list[Row], list[str]]:
    session.boot()
    client, server = guests = session.wait_guests(names)
    for guest in guests:
        guest.find_address()
    gids = {g.name: provide(g) for g in guests}
    session.say(f"rdma_rxe runs on the VFs of {client.name} and {server.name}")
    client.ping(server.address, 3)  # so that neither ARP nor the first packets are in the figures
    rows = []
    for work in WORKS:
        count = max(10, work.count * percent // 100)
        name = f"{work.name} x {count}"
        session.say(f"{client.name} -> {server.name}: {name}")
        before = snapshot(session, guests)
        result = run_work(work, count, client, server, gids)
        rows.append(difference(name, work, result, guests, before, snapshot(session, guests)))
    faults = session.machine.report().faults
    return rows, problems(rows, faults)


def problems(rows: Sequence[Row], faults: int) -> list[str]:
    found = [f"{r.work}: {r.exits} exits and {r.el2_instructions} EL2 instructions for the devices, should be 0"
             for r in rows if r.exits or r.el2_instructions]
    found += [f"{r.work}: the VFs saw no packets" for r in rows if not r.packets]
    if faults:
        found.append(f"{faults} DMA faults recorded, should be 0")
    return found


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    return {"transport": "rdma_rxe (software RoCE v2) on the VF's interface", "rows": [asdict(r) for r in rows]}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run-rdma", description=__doc__,
                                     epilog="Exit status: 0 all held; 1 something did not, and it is said; 2 usage.")
    parser.add_argument("config", nargs="?", type=Path, default=ROOT / "config" / "rdma.dts")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="where the built things are")
    parser.add_argument("--guests", nargs=2, default=["net-a", "net-b"], metavar="NAME", help="client and server")
    parser.add_argument("--percent", type=int, default=100, help="of the usual number of messages")
    parser.add_argument("--json", action="store_true", help="also write run-rdma.json to the build folder")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)

    def work(session: Session) -> Outcome:
        rows, wrong = measure(session, options.guests, options.percent)
        table = "\n".join(columns([HEADINGS, *(r.cells() for r in rows)]))
        return Outcome(f"{table}\n\nThe transport is software here (rdma_rxe over the VF's network interface), times are the "
                       "guests' own; the path of the VF\nis the one a hardware RNIC's VF takes.", as_json(rows), wrong)

    return drive("run-rdma", options, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
