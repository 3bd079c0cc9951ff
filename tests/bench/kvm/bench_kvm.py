# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-kvm`: the same work under Linux KVM, on the machine that `make bench` measures Causeway on.

Bare Linux, then Linux as a KVM host with one guest: a VF by VFIO, with and without GICv4's direct injection, and a
virtio-net, with and without vhost. Prints a table beside the recorded figures (tests/bench/peers.json) and writes
build/bench-kvm.json. Instructions under icount: they repeat themselves, whatever else the workstation does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence

BENCH = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path[:0] = [str(BENCH), str(BENCH.parents[1] / "tools")]

import peers  # noqa: E402
import runs  # noqa: E402
from bench import BenchError, alone  # noqa: E402
from datapath import PK_WARM_UP, WARM  # noqa: E402
from demo.machine import MachineError  # noqa: E402
from demo.report import key_values  # noqa: E402
from demo.table import columns  # noqa: E402

RAMDISK = runs.BUILD / "kvm/initramfs.cpio.gz"
MEMORY = "4096M"  # a host, its guest's 512 MiB, and the initramfs that holds QEMU and the guest's images
# polling for a vCPU's wake-up turns idle time into instructions
KVM = "kvm.halt_poll_ns=0"
PASSTHROUGH = "iommu.passthrough=1"
PHASES = ("warm", "rr", "tx", "rr", "tx")
TRIPS = 1000


@dataclass(frozen=True)
class Peer:
    name: str
    system: str  # as in peers.json
    path: str = ""  # cw.path; empty: bare Linux, no guest
    gicv4: bool = False

    def words(self) -> str:
        if not self.path:
            return ""
        return f"{KVM} kvm-arm.vgic_v4_enable={int(self.gicv4)} cw.path={self.path}"


PEERS = (Peer("bare", "bare Linux"),
         Peer("vfio4", "KVM VFIO, GICv4", "vfio", True),
         Peer("vfio3", "KVM VFIO, GICv3", "vfio"),
         Peer("vhost", "KVM vhost-net", "vhost"),
         Peer("virtio", "KVM virtio-net", "virtio"))


@dataclass(frozen=True)
class Figures:
    """Of one peer: instructions of the whole machine, and the guest's exits; None where there is no guest."""

    rtt: float
    stream: float
    exits: Optional[float] = None  # for 1,000 round trips
    stream_exits: Optional[float] = None  # for 1,000 packets
    interrupts: Optional[float] = None  # that the host took for the guest's VF, 1,000 round trips


def mean(values: Sequence[float]) -> float:
    if not values or min(values) < 0:
        raise ValueError(f"not measured: {list(values)}")
    return sum(values) / len(values)


def exits_of(text: str) -> list[tuple[str, dict[str, str]]]:
    return [(m[1], key_values(m[2])) for m in re.finditer(r"^@exits (\w+) (.*?)\r?$", text, re.MULTILINE)]


def figures(outcome: runs.Outcome, text: str, trips: int) -> Figures:
    """The means of all stretches of a kind. `text` is the console, for the lines that runs.parse does not know."""
    found = exits_of(text)

    def counted(phase: str, key: str, work: int) -> Optional[float]:
        values = [float(words[key]) for name, words in found if name == phase]
        return round(mean(values) * 1000 / work, 1) if found else None

    return Figures(round(mean([float(w["insn_per_rt"]) for w in outcome.all("rr")])),
                   round(mean([float(w["insn_per_packet"]) for w in outcome.all("tx")])),
                   counted("rr", "exits", trips + PK_WARM_UP), counted("tx", "exits", 2 * trips),
                   counted("rr", "interrupts", trips + PK_WARM_UP))


def command(peer: Peer, work: runs.Work, logs: Path) -> list[str]:
    """The machine of tests/bench/data-path.dts.in, with Linux alone on it."""
    config = runs.write_config(f"kvm-{peer.name}", 4, work)
    words = runs.unattended(runs.printed_command(config), logs)
    if not peer.path:
        return runs.bare(words, runs.write_ramdisk(f"kvm-{peer.name}", work), work)
    words = runs.bare(words, RAMDISK, work)
    words[-1] = words[-1].replace("cw.role=bench-native", f"cw.role=kvm-host {peer.words()} {work.io}")
    return runs.changed(words, m=MEMORY)


def measure(peer: Peer, work: runs.Work) -> Figures:
    logs = runs.fresh(f"kvm-{peer.name}")
    outcome = runs.run(f"kvm-{peer.name}", command(peer, work, logs), logs, peer.system)
    runs.complete(outcome, work, logs)
    try:
        return figures(outcome, runs.read(logs / "console.log"), work.trips)
    except (KeyError, ValueError) as error:
        raise MachineError(f"{peer.system}: {error!r}; console: {logs / 'console.log'}") from error


def row(peer: Peer, found: Figures, bare: Optional[Figures], before: dict[str, Any]) -> tuple[str, ...]:
    def number(value: Optional[float]) -> str:
        return "-" if value is None else f"{value:,.0f}"

    def ratio(value: float, of: Optional[float]) -> str:
        return "-" if of is None else f"{value / of:.3f}"

    return (peer.system, number(found.rtt), ratio(found.rtt, bare.rtt if bare else None), number(before.get("rtt")),
            number(found.stream), ratio(found.stream, bare.stream if bare else None), number(before.get("stream")),
            number(found.exits), number(before.get("exits")), number(found.stream_exits), number(found.interrupts))


HEAD = ("system", "round trip", "x bare", "recorded", "packet", "x bare", "recorded", "exits", "recorded",
        "exits (stream)", "interrupts")


def table(results: dict[str, Figures]) -> str:
    bare = results.get("bare")
    old = peers.rows(peers.RECORDED)
    rows = [HEAD] + [row(p, results[p.name], bare, old.get(p.system, {})) for p in PEERS if p.name in results]
    return "\n".join(f"  {line}" for line in columns(rows))


def write_json(results: dict[str, Figures], path: Path = peers.MEASURED) -> None:
    """As peers.json has them, so that either can be compared with."""
    old = peers.rows(peers.RECORDED)
    rows = [{"system": p.system, **vars(results[p.name]), "recorded": old.get(p.system)}
            for p in PEERS if p.name in results]
    path.write_text(json.dumps({"instructions": rows}, indent=2) + "\n", "utf-8")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    names = ", ".join(p.name for p in PEERS)
    parser = argparse.ArgumentParser(prog="make bench-kvm", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="PEER,...", help=f"measure only these of: {names}")
    parser.add_argument("--gro", default="", metavar="FEATURE", help="switched on in the bridge's ports (ethtool -K), as rx-gro-list is "
                        "in the I/O-hosting partition; such figures are not written")
    parser.add_argument("--trips", type=int, default=TRIPS, help="round trips of a stretch; packets are twice as many")
    options = parser.parse_args(arguments)
    wanted = [x for x in options.only.split(",") if x]
    unknown = [x for x in wanted if x not in {p.name for p in PEERS}]
    if unknown or options.trips < 1:
        parser.error(f"no peer {', '.join(unknown)}; there are: {names}" if unknown else "--trips must be positive")
    options.peers = [p for p in PEERS if not wanted or p.name in wanted]
    return options


def measure_all(chosen: Sequence[Peer], work: runs.Work) -> tuple[dict[str, Figures], list[str]]:
    """Two machines at a time: virtual time does not care. What failed is said, the others still measure."""
    results: dict[str, Figures] = {}
    failed: list[str] = []
    with ThreadPoolExecutor(max_workers=max(1, min(2, os.cpu_count() or 1))) as pool:
        futures = {peer.name: pool.submit(measure, peer, work) for peer in chosen}
        for name, future in futures.items():
            try:
                results[name] = future.result()
            except (MachineError, OSError) as error:
                print(f"make bench-kvm: {error}", file=sys.stderr)
                failed.append(name)
    return results, failed


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    try:
        lock = alone(runs.BUILD)
        results, failed = measure_all(options.peers, runs.Work(PHASES, len(PHASES), options.trips, WARM, io=f"cw.gro={options.gro}" if options.gro else ""))
    except BenchError as error:
        print(f"make bench-kvm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmake bench-kvm: stopped; logs: build/logs/bench-kvm-*/", file=sys.stderr)
        return 130
    print(f"\n{table(results)}\n\n  Instructions of the whole machine; exits and interrupts for 1,000 round trips or packets.")
    if options.gro:
        return 1 if failed else 0
    write_json(results)
    now = peers.current()
    print(f"  The better virtio-net: {peers.best('rtt', now):,.0f} a round trip, {peers.best('stream', now):,.0f} a packet.\n"
          f"  as JSON: {peers.MEASURED.relative_to(runs.ROOT)}; what each means: docs/performance.md")
    del lock
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
