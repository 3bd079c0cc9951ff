# SPDX-License-Identifier: BSD-2-Clause
"""Direct beside hosted: the same work over a VF and over wires, and whose instructions it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Optional, Sequence

from demo.guest import Guest, Traffic
from demo.report import DEVICE_CLASSES, Report
from demo.session import Session
from demo.split import HYPERVISOR, Split
from demo.table import columns

DIRECT, HOSTED = "direct", "hosted"
ROUND_TRIP, STREAM = "round trip, 64 bytes", "stream, 1472 bytes"
SIZES = {ROUND_TRIP: 64, STREAM: 1472}
ATTEMPTS = 3
MODERATION = 10  # microseconds: a VF's interrupts as in the benchmark
HEADINGS = ("path", "from -> to", "work", "time", "packets/s", "Mbit/s", "instructions: guests", "I/O partition",
            "hypervisor", "exits/1000", "interrupts/1000")


@dataclass(frozen=True)
class PathRow:
    """One work over one path: for each round trip, or each packet of a stream."""

    path: str
    ends: tuple[str, str]
    work: str
    lost: int
    round_trip_ns: Optional[float]
    pps: Optional[float]  # of a stream
    guests: float
    io: float
    hypervisor: float
    exits: float  # for 1,000
    interrupts: float  # for 1,000

    @property
    def total(self) -> float:
        return self.guests + self.io + self.hypervisor

    def cells(self) -> tuple[str, ...]:
        time = "-" if self.round_trip_ns is None else f"{self.round_trip_ns / 1000:.1f} us"
        rate = ("-", "-") if self.pps is None else (f"{self.pps:.0f}", f"{self.pps * 8 * SIZES[self.work] / 1e6:.0f}")
        return (self.path, f"{self.ends[0]} -> {self.ends[1]}", self.work, time, *rate, f"{self.guests:.0f}",
                f"{self.io:.0f}", f"{self.hypervisor:.0f}", f"{self.exits:.0f}", f"{self.interrupts:.0f}")

    def json(self) -> dict[str, Any]:
        return {"path": self.path, "from": self.ends[0], "to": self.ends[1], "work": self.work, "lost": self.lost,
                "round_trip_ns": self.round_trip_ns, "packets_per_s": self.pps,
                "instructions": {"guests": round(self.guests), "io": round(self.io), "hypervisor": round(self.hypervisor)},
                "exits_per_1000": round(self.exits, 1), "interrupts_per_1000": round(self.interrupts, 1)}


@dataclass(frozen=True)
class _Reading:
    counts: dict[str, int]
    report: Report
    interrupts: int


def ratios(rows: Sequence[PathRow]) -> str:
    """One sentence; empty when there is nothing to compare."""
    total = {(r.path, r.work): r.total for r in rows}
    if any((path, work) not in total for path in (DIRECT, HOSTED) for work in SIZES):
        return ""
    trip, packet = (total[HOSTED, work] / total[DIRECT, work] for work in (ROUND_TRIP, STREAM))
    return (f"A hosted round trip takes {trip:.2f} times the instructions of a direct one, and a hosted packet of a stream "
            f"{packet:.2f} times; both are counted in guests, I/O partition and hypervisor together.")


def text(rows: Sequence[PathRow]) -> list[str]:
    return [*columns([HEADINGS, *(r.cells() for r in rows)]), "", ratios(rows)]


def hosted_names(report: Report) -> list[str]:
    """Partitions with a wire and without a device of their own, in config order."""
    wired = {w.partition for w in report.wires}
    owners = {d.partition for d in report.devices}
    return [p.name for p in report.partitions if p.name in wired - owners]


def host_names(report: Report) -> list[str]:
    """Those at the other end of such partitions' wires that own devices."""
    peers = {w.peer for w in report.wires if w.partition in hosted_names(report)}
    return [p.name for p in report.partitions if p.name in peers and report.devices_of(p.name)]


class Comparison:
    def __init__(self, session: Session, split: Split, hosts: Sequence[Guest]) -> None:
        self._session = session
        self._split = split
        self._hosts = hosts

    def _read(self, guests: Sequence[Guest]) -> _Reading:
        interrupts = sum(g.messages() for g in [*guests, *self._hosts])
        report = self._session.machine.report()
        return _Reading(self._split.read(report), report, interrupts)

    def _row(self, path: str, work: str, ends: tuple[Guest, Guest], run: Callable[[int], Traffic], count: int) -> PathRow:
        """What a run costs besides its work (a program started, words on the console) is in a short one as well."""
        short, readings = count // 4, [self._read(ends)]
        for n in (short, short + count):
            traffic = run(n)
            readings.append(self._read(ends))
        begin, middle, end = readings

        def cost(value: Callable[[_Reading], float]) -> float:
            return ((value(end) - value(middle)) - (value(middle) - value(begin))) / count

        names, hosts = [g.name for g in ends], [g.name for g in self._hosts]
        return PathRow(
            path, (names[0], names[1]), work, traffic.lost, traffic.rtt_ns, traffic.pps if work == STREAM else None,
            guests=cost(lambda r: sum(r.counts[n] for n in names)),
            io=cost(lambda r: sum(r.counts[n] for n in hosts)) if path == HOSTED else 0.0,
            hypervisor=max(0.0, cost(lambda r: r.counts[HYPERVISOR])),  # timer ticks differ by some
            exits=1000 * cost(lambda r: sum(r.report.exits(n, *DEVICE_CLASSES) for n in [*names, *hosts])),
            interrupts=1000 * cost(lambda r: r.interrupts))

    def _sound(self, path: str, work: str, ends: tuple[Guest, Guest], run: Callable[[int], Traffic], count: int) -> PathRow:
        """Something else that a partition did during the short run, once, makes the difference less than nothing."""
        for _ in range(ATTEMPTS):
            row = self._row(path, work, ends, run, count)
            if row.guests > 0 and (row.io > 0 or path == DIRECT):
                return row
            self._session.say(f"{' -> '.join(row.ends)}, {path}, {work}: a partition did something else meanwhile")
        raise self._session.machine.error(f"{path}, {work}: {ATTEMPTS} times a partition did something else meanwhile")

    def rows(self, path: str, ends: tuple[Guest, Guest], trips: int) -> list[PathRow]:
        source, target = ends
        self._session.say(f"{source.name} -> {target.name}, {path}: {trips} round trips, {2 * trips} datagrams, counted")
        return [self._sound(path, ROUND_TRIP, ends, lambda n: source.round_trips(target.address, n, SIZES[ROUND_TRIP]), trips),
                self._sound(path, STREAM, ends, lambda n: source.stream(target.address, n, SIZES[STREAM]), 2 * trips)]


def compare(session: Session, split: Split, direct: Sequence[Guest], hosted: Sequence[Guest], hosts: Sequence[Guest],
            trips: int) -> list[PathRow]:
    """The first two of either kind."""
    comparison = Comparison(session, split, hosts)
    rows = []
    for guest in direct[:2]:
        guest.run(f"ethtool -C {guest.ready['if']} rx-usecs {MODERATION}")
    for path, guests in ((DIRECT, direct), (HOSTED, hosted)):
        if len(guests) > 1:
            rows += comparison.rows(path, (guests[0], guests[1]), trips)
    return rows
