# SPDX-License-Identifier: BSD-2-Clause
"""Hosted packets: over a virtual wire alone, through the I/O-hosting partition, beside a VF, bare Linux and KVM.

One boot for each path does all its work. What a phase took is a difference of two marks (marks.py), and what a run of
pk costs besides its packets is in a short one as well: figures are slopes between a short run and a long one.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import peers
from datapath import PREFIX, TRIPS, WARM, measured
from demo.console import HYPERVISOR
from demo.machine import ROOT
from demo.report import key_values
from demo.session import Session
from lines import TABLES, Metric, figure, line, say
from marks import Mark
from probes import DETERMINISTIC, config, symbol_sizes, twice
from runs import Outcome, Work, run_bare, run_causeway

HERE = Path(__file__).resolve().parent
SIZES, BATCHES, FLOWS = (64, 512, 1472), (1, 16, 64), (1, 2, 3, 4)
MOST = 65507  # bytes handed over at a time: a UDP datagram's
WINDOW = 64  # packets of a flow that are not acknowledged; of the largest batches four, for all flows together
SHORT, LONG = 768, 3840  # packets of all flows together: whole batches
SAME = 0.05  # by how much the two ways to count may differ
IO = "io"
GROWTH = (512, 1472)
# Packets of one flow that came together cross the bridge together: an administrator's setting of a card (ethtool -K).
TOGETHER = "cw.gro=rx-gro-list"


@dataclass(frozen=True)
class Point:
    """One cell of the matrix."""

    size: int
    batch: int
    flows: int

    @property
    def fitting(self) -> int:
        """The batch, or the largest that fits."""
        return min(self.batch, MOST // self.size)

    def phase(self, packets: int) -> str:
        window = self.fitting * max(1, 4 // self.flows) if self.batch == max(BATCHES) else WINDOW
        return f"tx/{self.size}/{self.fitting}/{self.flows}/{window}/{packets // self.flows}"

    def phases(self) -> tuple[str, str]:
        return self.phase(SHORT), self.phase(LONG)


MATRIX = tuple(Point(s, b, f) for s in SIZES for b in BATCHES for f in FLOWS)
ALONE = tuple(Point(s, b, 1) for s in SIZES for b in BATCHES)


def work(prefix: Sequence[str], points: Sequence[Point], io: str = "") -> Work:
    phases = (*prefix, *(phase for p in points for phase in p.phases()))
    return Work(phases, len(phases), TRIPS, WARM, listed=True, io=io)


@dataclass(frozen=True)
class Cost:
    """For one packet, but exits and interrupts, which are for 1,000."""

    guests: float
    io: float
    hypervisor: float
    exits: float
    interrupts: float

    @property
    def total(self) -> float:
        return self.guests + self.io + self.hypervisor


def find(outcome: Outcome, point: Point) -> tuple[int, int]:
    """Which phases were the short run and the long one, next to each other."""
    names = [name for name, _ in outcome.phases]
    at = names.index(point.phase(SHORT))
    if names[at:at + 2] != list(point.phases()) or at == 0:
        raise ValueError(f"{point}: no short and long run one after the other in {names}")
    return at, at + 1


def packets(outcome: Outcome, phase: int) -> int:
    return int(outcome.phases[phase][1]["n"])


def slope(outcome: Outcome, point: Point) -> Cost:
    """Whose instructions a packet took, by the marks."""
    short, long = find(outcome, point)
    if len(outcome.marks) != len(outcome.phases):
        raise ValueError(f"{len(outcome.phases)} phases and {len(outcome.marks)} marks")
    more = packets(outcome, long) - packets(outcome, short)
    low = outcome.marks[short].since(outcome.marks[short - 1])
    high = outcome.marks[long].since(outcome.marks[long - 1])

    def per_packet(value: Callable[[Mark], float]) -> float:
        return (value(high) - value(low)) / more

    return Cost(per_packet(lambda m: m.total - m.hypervisor - m.instructions.get(IO, 0)),
                per_packet(lambda m: m.instructions.get(IO, 0)), per_packet(lambda m: m.hypervisor),
                1000 * per_packet(lambda m: m.wire_exits), 1000 * per_packet(lambda m: m.interrupts))


def counted(outcome: Outcome, point: Point) -> float:
    """Instructions of the whole machine for a packet, as pk counted them."""
    short, long = find(outcome, point)
    if any(outcome.phases[i][1].get("stalls") != "0" for i in (short, long)):
        raise ValueError(f"{point}: the sender waited for an acknowledgement that did not come")
    all_of = [float(outcome.phases[i][1]["insn_per_packet"]) * packets(outcome, i) for i in (short, long)]
    if min(all_of) <= 0:
        raise ValueError(f"{point}: the guest could not count instructions")
    return (all_of[1] - all_of[0]) / (packets(outcome, long) - packets(outcome, short))


# --- lines ----------------------------------------------------------------------------------------

def wire_metrics(wire: Outcome) -> list[Metric]:
    """A wire between two Linux guests. What EL2 does is all counted, the traps too: the line allows more."""
    cost = {p: slope(wire, p) for p in ALONE}
    out = [line(f"hosted_exits_b{b}", round(cost[Point(64, b, 1)].exits, 2)) for b in BATCHES]
    base = cost[Point(64, 16, 1)].hypervisor
    out.append(line("hosted_el2_per_packet", round(base, 1)))
    for size in GROWTH:
        out.append(figure(f"hosted_el2_{size}", round(cost[Point(size, 16, 1)].hypervisor, 1), "instructions",
                          round(1.1 * base + size / 16, 1)))
    for batch in (1, 64):
        out.append(figure(f"hosted_el2_b{batch}", round(cost[Point(64, batch, 1)].hypervisor, 1), "instructions"))
    out.append(figure("wire_rtt", round(measured(wire, "rr")), "instructions a round trip"))
    out.append(figure("wire_stream", round(measured(wire, "tx")), "instructions a packet"))
    return out


def peer(name: str) -> float:
    """The harder one: as recorded, or as measured here."""
    return min(peers.best(name, peers.rows(peers.RECORDED)), peers.best(name, peers.current()))


def hosted_metrics(hosted: Outcome, plain: Outcome, both: Outcome) -> list[Metric]:
    rtt, stream = measured(hosted, "rr"), measured(hosted, "tx")
    return [line("hosted_vs_kvm_rtt", round(rtt / peer("rtt"), 4)), line("hosted_vs_kvm_stream", round(stream / peer("stream"), 4)),
            figure("hosted_rtt", round(rtt), "instructions a round trip"),
            figure("hosted_stream", round(stream), "instructions a packet"),
            figure("hosted_plain_rtt", round(measured(plain, "rr")), "instructions a round trip, Debian's settings of the card"),
            figure("hosted_plain_stream", round(measured(plain, "tx")), "instructions a packet, Debian's settings of the card"),
            figure("hosted_both_rtt", round(measured(both, "rr")), "instructions a round trip, both ends hosted"),
            figure("hosted_both_stream", round(measured(both, "tx")), "instructions a packet, both ends hosted")]


# --- the matrix -----------------------------------------------------------------------------------

Row = dict[str, Any]


def matrix(runs: dict[str, Outcome]) -> Iterator[Row]:
    """Every point on every path. Bare Linux has no marks: all its instructions are the guest's."""
    for path in ("direct", "hosted", "bare"):
        for point in MATRIX:
            total = counted(runs[path], point)
            cost = Cost(total, 0, 0, 0, 0) if path == "bare" else slope(runs[path], point)
            if abs(cost.total - total) > SAME * total:
                raise ValueError(f"{path}, {point}: pk counted {total:.0f} instructions a packet, the plugin {cost.total:.0f}")
            yield {"path": path, "size": point.size, "batch": point.fitting, "flows": point.flows, "total": round(total),
                   "guests": round(cost.guests), "io": round(cost.io), "hypervisor": round(cost.hypervisor),
                   "exits_per_1000": round(cost.exits, 1), "interrupts_per_1000": round(cost.interrupts, 1)}


# --- memory ---------------------------------------------------------------------------------------

def pools_used(wired: bool) -> int:
    """Bytes taken from the pools by two partitions, as the report says once both are off."""
    name = "pools-wired" if wired else "pools-2"
    path = config(name, second=True)
    text = path.read_text("utf-8").replace("second {", "second: second {")
    if wired:
        text = text.replace("devices {\n                edu",
                            "wire { to = <&second>; mac-address = [52 54 00 ca 07 00]; };\n            devices {\n                edu")
        if "wire {" not in text:
            raise ValueError(f"no place for a wire in {path}")
    path.write_text(text, "utf-8")
    with Session(path, f"bench-{name}", options=["--", *DETERMINISTIC]) as session:
        session.machine.expect("every partition is off", 60, HYPERVISOR)
        pools = [key_values(found[0]) for found in session.machine.console.find("@pool .*", HYPERVISOR)]
        if wired and not session.machine.console.find("@wire .*", HYPERVISOR):
            raise ValueError("the report has no wire")
    used = {p["name"]: int(p["used"]) for p in pools}
    return used["stage2"] * 4096 + used["smmu"] + used["its"]


def ends() -> int:
    """As many as there can be."""
    found = re.search(r"^#define HV_MAX_WIRES\s+(\d+)$", (ROOT / "hv-glue/include/hv.h").read_text("utf-8"), re.MULTILINE)
    if not found:
        raise ValueError("hv-glue/include/hv.h has no HV_MAX_WIRES")
    return 2 * int(found[1])


def wire_memory() -> float:
    """KiB of the hypervisor's for each end: the fixed tables divided by all the ends there can be, and the pools."""
    def run() -> dict[str, int]:
        return {"pools": pools_used(True) - pools_used(False)}
    size = symbol_sizes()
    fixed = (size["wires"] + size["ports"] + size["spaces"]) / ends()
    return (twice("pools with a wire", run)["pools"] / 2 + fixed) / 1024


def plan() -> dict[str, Callable[[], Outcome]]:
    def on(name: str, template: str, todo: Work) -> Callable[[], Outcome]:
        return lambda: run_causeway(name, 4, todo, HERE / template, counted=True)

    return {"hosted": on("hosted", "hosted.dts.in", work(PREFIX, MATRIX, TOGETHER)),
            "plain": on("hosted-plain", "hosted.dts.in", work(PREFIX, ())),
            "both": on("hosted-both", "hosted-both.dts.in", work(PREFIX, (), TOGETHER)),
            "wire": on("wire", "wire.dts.in", work(PREFIX, ALONE)),
            "direct": on("matrix-direct", "data-path.dts.in", work(("warm",), MATRIX)),
            "bare": lambda: run_bare("matrix-bare", 4, work(("warm",), MATRIX))}


def from_runs(runs: dict[str, Outcome]) -> list[Metric]:
    TABLES["matrix"] = list(matrix(runs))
    return wire_metrics(runs["wire"]) + hosted_metrics(runs["hosted"], runs["plain"], runs["both"])


def metrics() -> list[Metric]:
    with ThreadPoolExecutor(max_workers=max(1, min(2, os.cpu_count() or 1))) as pool:
        futures = {name: pool.submit(job) for name, job in plan().items()}
        found = from_runs({name: future.result() for name, future in futures.items()})
    say("memory: two partitions, with a wire and without")
    return [*found, line("wire_memory", round(wire_memory(), 2))]
