# SPDX-License-Identifier: BSD-2-Clause
"""The hypervisor's counters: what it prints after the escape key and `s`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterable

# Exit classes that are work for a partition's device; the others are the guest's own.
DEVICE_CLASSES = ("config", "its", "wire", "inject", "fault")
_WORD = re.compile(r"([\w-]+)=(\S+)")
_TICKS, _LONGEST = "_insn", "_max"


class ReportError(Exception):
    """A report that cannot be read: says which line."""


def key_values(text: str) -> dict[str, str]:
    """`a=1 b=c` → {"a": "1", "b": "c"}."""
    return dict(_WORD.findall(text))


@dataclass(frozen=True)
class Partition:
    name: str
    index: int
    state: str  # running, off or crashed
    resets: int
    service: bool  # owns a physical function for others: never turns itself off
    memory: int = 0  # where its RAM begins, a physical address


@dataclass(frozen=True)
class Vcpu:
    partition: str
    vcpu: int
    core: int
    exits: dict[str, int] = field(default_factory=dict)  # by class
    ticks: dict[str, int] = field(default_factory=dict)  # counter ticks at EL2 by class
    longest: dict[str, int] = field(default_factory=dict)  # the same of one exit


@dataclass(frozen=True)
class Device:
    partition: str
    function: str
    kind: str  # VF or function
    dma: str
    interrupts: str
    label: str
    guest: str  # where the guest sees it
    state: str
    direct: str  # vf-free: the config left it open; asked
    config: int
    its: int
    faults: int


@dataclass(frozen=True)
class Wire:
    """One end of a virtual wire: what came in there, and what did not."""

    partition: str
    peer: str
    label: str
    why: str  # asked, no-vf-free: a device that is hosted; wire: the config has a wire
    guest: str
    state: str  # up, down, failed, off
    packets: int
    bytes: int
    dropped: dict[str, int] = field(default_factory=dict)  # by reason
    blocked: int = 0


@dataclass
class Report:
    time: int = 0
    freq: int = 0
    partitions: list[Partition] = field(default_factory=list)
    vcpus: list[Vcpu] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    faults: int = 0
    distinct_faults: int = 0
    overflows: int = 0  # of the SMMU's event queue
    pools: dict[str, int] = field(default_factory=dict)  # what was taken of each

    def partition(self, name: str) -> Partition:
        for partition in self.partitions:
            if partition.name == name:
                return partition
        raise ReportError(f"no partition {name} in the report")

    def devices_of(self, name: str) -> list[Device]:
        return [d for d in self.devices if d.partition == name]

    def exits(self, name: str, *classes: str) -> int:
        """Exits of all vCPUs of partition `name` in these classes."""
        return sum(v.exits.get(c, 0) for v in self.vcpus if v.partition == name for c in classes)

    def ticks(self, name: str, *classes: str) -> int:
        return sum(v.ticks.get(c, 0) for v in self.vcpus if v.partition == name for c in classes)

    def device_exits(self, name: str) -> int:
        return self.exits(name, *DEVICE_CLASSES)

    def device_ticks(self, name: str) -> int:
        return self.ticks(name, *DEVICE_CLASSES)


def _partition(v: dict[str, str]) -> Partition:
    return Partition(v["name"], int(v["index"]), v["state"], int(v["resets"]), v["service"] == "1",
                     int(v.get("memory", "0"), 0))


def _vcpu(report: Report, v: dict[str, str]) -> None:
    """A vCPU's counters may come in several lines: the log cuts long ones."""
    name, number = v["partition"], int(v["vcpu"])
    vcpu = next((x for x in report.vcpus if (x.partition, x.vcpu) == (name, number)), None)
    if vcpu is None:
        vcpu = Vcpu(name, number, int(v["core"]))
        report.vcpus.append(vcpu)
    for word, text in v.items():
        if word.endswith(_TICKS):
            vcpu.ticks[word[: -len(_TICKS)]] = int(text)
        elif word.endswith(_LONGEST):
            vcpu.longest[word[: -len(_LONGEST)]] = int(text)
        elif word not in ("partition", "vcpu", "core"):
            vcpu.exits[word] = int(text)


def _device(v: dict[str, str]) -> Device:
    return Device(v["partition"], v["function"], v["kind"], v["dma"], v["interrupts"], v["label"],
                  v["guest"], v["state"], v["direct"], int(v["config"]), int(v["its"]), int(v["faults"]))


def _wire(v: dict[str, str]) -> Wire:
    dropped = {reason: int(v[reason]) for reason in ("link", "size", "header", "room")}
    return Wire(v["partition"], v["peer"], v["label"], v["why"], v["guest"], v["state"], int(v["packets"]),
                int(v["bytes"]), dropped, int(v["blocked"]))


def parse_report(lines: Iterable[str]) -> Report:
    """Reads the lines from `@report` to `@end`, prefixes removed; unknown `@` lines are skipped."""
    report = Report()
    for line in lines:
        tag, _, rest = line.partition(" ")
        values = key_values(rest)
        try:
            if tag == "@report":
                report.time, report.freq = int(values["time"]), int(values["freq"])
            elif tag == "@partition":
                report.partitions.append(_partition(values))
            elif tag == "@vcpu":
                _vcpu(report, values)
            elif tag == "@device":
                report.devices.append(_device(values))
            elif tag == "@wire":
                report.wires.append(_wire(values))
            elif tag == "@pool":
                report.pools[values["name"]] = int(values["used"])
            elif tag == "@faults":
                report.faults, report.distinct_faults = int(values["total"]), int(values["distinct"])
                report.overflows = int(values["overflows"])
        except (KeyError, ValueError) as error:
            raise ReportError(f"unreadable report line ({error}): {line}") from error
    return report
