# SPDX-License-Identifier: BSD-2-Clause
"""`make run`: boots the partitions of a config, sends packets, prints what they cost."""

from __future__ import annotations

import argparse
import fcntl
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Callable, Optional, Sequence

from demo import compare, endpoint
from demo.guest import Guest, Interface, Traffic
from demo.machine import ROOT, MachineError
from demo.report import Report
from demo.session import Session, linux_partitions
from demo.split import Split
from demo.table import DeviceRow, Findings, TrafficRow

INSTRUCTIONS_PER_SECOND = 1_000_000_000  # the machine's clock under --icount


@dataclass(frozen=True)
class Counts:
    """How much traffic: round trips, streamed datagrams, and the same to the outside."""

    trips: int = 1000
    stream: int = 2000
    outside_trips: int = 200
    outside_stream: int = 400
    size: int = 64


@dataclass(frozen=True)
class Snapshot:
    report: Report
    interfaces: dict[str, list[Interface]]


def snapshot(session: Session, guests: Sequence[Guest]) -> Snapshot:
    interfaces = {g.name: g.interfaces() for g in guests}
    return Snapshot(session.machine.report(), interfaces)


def exchange(source: Guest, to: str, address: str, trips: int, stream: int, size: int) -> TrafficRow:
    """Ping, round trips and a stream from `source`; what was lost is summed."""
    pings = source.ping(address)
    if pings.lost == pings.packets:
        return TrafficRow(source.name, to, pings.packets, pings.lost, None, None, None)
    back = source.round_trips(address, trips, size)
    sent: Traffic = source.stream(address, stream)
    instructions = None if back.instructions is None else round(back.instructions)
    return TrafficRow(source.name, to, pings.packets + back.packets + sent.packets,
                      pings.lost + back.lost + sent.lost, back.rtt_ns, instructions, sent.pps)


def pairs(guests: Sequence[Guest]) -> list[tuple[Guest, Guest]]:
    """Each guest to the next, round to the first; a lone guest has no peer."""
    return [(g, guests[(i + 1) % len(guests)]) for i, g in enumerate(guests) if len(guests) > 1]


def run_traffic(session: Session, guests: Sequence[Guest], counts: Counts) -> list[TrafficRow]:
    rows = []
    for source, target in pairs(guests):
        session.say(f"{source.name} -> {target.name}: {counts.trips} round trips, {counts.stream} datagrams")
        rows.append(exchange(source, target.name, target.address, counts.trips, counts.stream, counts.size))
    for source in guests[:1]:
        session.say(f"{source.name} -> outside: {counts.outside_trips} round trips, "
                    f"{counts.outside_stream} datagrams")
        rows.append(exchange(source, "outside", endpoint.IP, counts.outside_trips,
                             counts.outside_stream, counts.size))
    return rows


def device_rows(before: Snapshot, after: Snapshot) -> list[DeviceRow]:
    """The difference between two snapshots, a row for each device of a guest that was measured."""
    rows = []
    scale = INSTRUCTIONS_PER_SECOND / after.report.freq if after.report.freq else 1.0
    for device in after.report.devices:
        if device.partition not in after.interfaces:
            continue
        name = device.partition
        was = {i.function: i for i in before.interfaces[name]}
        now = next((i for i in after.interfaces[name] if i.function == device.guest), None)
        packets = now.packets - (was[now.function].packets if now.function in was else 0) if now else 0
        ticks = after.report.device_ticks(name) - before.report.device_ticks(name)
        rows.append(DeviceRow(
            name, device.function, device.kind, now.driver if now else "none", device.dma,
            device.interrupts, device.direct, packets,
            after.report.device_exits(name) - before.report.device_exits(name), round(ticks * scale),
            after.report.exits(name, "timer") - before.report.exits(name, "timer")))
    return rows


def unready(session: Session, report: Report, guests: Sequence[Guest]) -> list[str]:
    """Guests that came up without the device they were given."""
    found = []
    for guest in guests:
        if guest.ready.get("carrier") != "1":
            found.append(f"{guest.name}: no carrier on {guest.ready.get('if')}")
        wanted = {d.guest for d in report.devices_of(guest.name)} | {w.guest for w in report.wires if w.partition == guest.name}
        if guest.ready.get("function") not in wanted:
            found.append(f"{guest.name}: its interface is at {guest.ready.get('function')}, not at "
                         f"one of {sorted(wanted)}")
    return found


def boot_only(session: Session, report: Report) -> tuple[Findings, list[str]]:
    """A config without VFs: its guests come up, and there is no device to measure."""
    names = [p.name for p in report.partitions if not p.service]
    session.say(f"booting Linux in {', '.join(names)}; no partition has a VF, so no packets are sent")
    session.wait_guests(names)
    findings = Findings(faults=session.machine.report().faults, guests=names)
    return findings, findings.problems()


def wire_losses(report: Report) -> list[str]:
    """Packets that came to a wire and did not come out, but for those to a partition that is not up."""
    return [f"{w.peer} -> {w.partition}: the wire dropped {n} packets ({reason})"
            for w in report.wires for reason, n in w.dropped.items() if n and reason != "link"]


def measure(session: Session, counts: Counts, split: Optional[Split]) -> tuple[Findings, list[str]]:
    report = session.boot()
    direct, hosted, hosts = linux_partitions(report), compare.hosted_names(report), compare.host_names(report)
    names = [*direct, *hosted]
    if not names:
        return boot_only(session, report)
    session.say(f"booting Linux in {', '.join([*names, *hosts])}")
    guests = session.wait_guests([*names, *hosts])
    guests, hosting = guests[:len(names)], guests[len(names):]
    for host in hosting:
        host.run("sleep 5")  # diod looks through a million file numbers when it starts, and would be counted
    for guest in guests:
        guest.find_address()
        guest.serve()
    before = snapshot(session, guests)
    problems = unready(session, before.report, guests)
    findings = Findings(traffic=run_traffic(session, guests, counts), guests=list(direct))
    after = snapshot(session, guests)
    findings.devices = device_rows(before, after)
    findings.faults = after.report.faults
    if hosted and split:
        rows = compare.compare(session, split, guests[:len(direct)], guests[len(direct):], hosting, counts.trips)
        findings.paths, findings.comparison = rows, compare.text(rows)
        findings.wire_losses = wire_losses(session.machine.report())
        problems += [f"{' -> '.join(r.ends)}: {r.lost} packets lost over the {r.path} path" for r in rows if r.lost]
    return findings, problems + findings.problems()


def show(path: Path) -> str:
    """A path as a person in the project's folder types it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def trips(text: str) -> int:
    """The comparison takes a quarter of them off."""
    if int(text) < 4:
        raise argparse.ArgumentTypeError(f"{text}: at least 4")
    return int(text)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__, epilog="Exit status: 0 all "
                                     "held; 1 something did not, and it is said; 2 usage.")
    parser.add_argument("config", nargs="?", type=Path, default=ROOT / "config" / "hosting.dts")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="where the built things are")
    parser.add_argument("--json", action="store_true", help="also write run.json to the build folder")
    parser.add_argument("--gic", choices=("3", "4"), help="the machine's interrupt controller, whatever the config says")
    parser.add_argument("--trips", type=trips, default=Counts.trips, help="round trips between guests, at least 4; packets are twice as many")
    return parser.parse_args(arguments)


def stopwatch() -> Callable[[str], None]:
    """Prints a line with the seconds since now in front."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", flush=True)

    return say


def lock(build: Path) -> Optional[IO[str]]:
    """Held until this process ends: two demos would write the same logs and the same image."""
    build.mkdir(exist_ok=True)
    file = (build / "run.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


@dataclass(frozen=True)
class Outcome:
    """What a machine came to: for people, for programs, and what did not hold."""

    text: str
    json: dict[str, Any]
    problems: Sequence[str]


def drive(name: str, wanted: argparse.Namespace, work: Callable[[Session], Outcome],
          prepare: Callable[[Session], None] = lambda session: None, **session: Any) -> int:
    """Boots the config, lets `work` measure, prints what came of it: `make NAME`'s exit status."""
    say = stopwatch()
    alone = lock(wanted.build)
    if alone is None:
        print(f"make {name}: another one is using {show(wanted.build)}; wait until it has ended", file=sys.stderr)
        return 1
    say(f"starting the machine of {show(wanted.config)}")
    try:
        machine = Session(wanted.config, name, build=wanted.build.resolve(), say=say, **session)
        prepare(machine)
        with machine as s:
            outcome, logs = work(s), s.logs
    except MachineError as error:
        print(f"make {name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nmake {name}: stopped; logs: {show(wanted.build / 'logs' / name)}/", file=sys.stderr)
        return 130
    print(f"\n{outcome.text}\n  logs: {show(logs)}/\n")
    if wanted.json:
        path = wanted.build / f"{name}.json"
        path.write_text(json.dumps(outcome.json, indent=2) + "\n", "utf-8")
        print(f"  as JSON: {show(path)}")
    for problem in outcome.problems:
        print(f"make {name}: {problem}", file=sys.stderr)
    return 1 if outcome.problems else 0


def main(arguments: Sequence[str], causeway: Optional[Sequence[str]] = None) -> int:
    options = parse(arguments)

    splits: list[Split] = []

    def count(session: Session) -> None:
        if not causeway:
            for name in ("causeway", "hypervisor.elf"):
                if not (options.build / name).is_file():
                    raise MachineError(f"{show(options.build / name)} is not there: 'make all' builds it")
            checked = subprocess.run([str(options.build / "causeway"), "check", str(options.config)], cwd=ROOT,
                                     capture_output=True, text=True, timeout=60, check=False)
            for line in checked.stdout.splitlines()[1:]:  # direct or hosted, and why
                session.say(line.strip())
            splits.append(Split(options.build.resolve(), session.logs))
            session.machine.argv += ["--", *splits[0].options]

    def work(session: Session) -> Outcome:
        counts = Counts(trips=options.trips, stream=2 * options.trips)
        findings, problems = measure(session, counts, splits[0] if splits else None)
        return Outcome(findings.text(), findings.json(), problems)

    return drive("run", options, work, count, causeway=causeway, options=("--gic", options.gic) if options.gic else ())
