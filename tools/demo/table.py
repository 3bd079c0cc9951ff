# SPDX-License-Identifier: BSD-2-Clause
"""What the demo found, as a table for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional, Protocol, Sequence

HEADINGS = ("partition", "device", "driver", "DMA path", "interrupts", "packets",
            "exits for the device", "EL2 instructions for it", "timer exits/1000")
_DMA = {"smmu-stage2": "SMMU stage 2", "smmu-stage1": "SMMU stage 1"}
_INTERRUPTS = {"vlpi": "vLPI (direct)", "injected": "injected (list registers)"}


@dataclass(frozen=True)
class DeviceRow:
    """One device over the measured span. A partition's EL2 work for devices is not split: with
    several devices each row shows the whole, an upper bound."""

    partition: str
    function: str
    kind: str
    driver: str
    dma: str
    interrupts: str
    direct: str  # why: asked, vf-free
    packets: int
    exits: int
    el2_instructions: int
    timer_exits: int

    def per_1000(self, exits: int) -> float:
        return round(1000 * exits / self.packets, 3) if self.packets else 0.0

    def cells(self) -> tuple[str, ...]:
        return (self.partition, f"{self.function} ({self.kind})", self.driver,
                _DMA.get(self.dma, self.dma), _INTERRUPTS.get(self.interrupts, self.interrupts),
                str(self.packets), str(self.exits), str(self.el2_instructions),
                f"{self.per_1000(self.timer_exits):.1f}")

    def json(self) -> dict[str, Any]:
        return {"function": self.function, "kind": self.kind, "driver": self.driver,
                "dma": self.dma, "interrupts": self.interrupts, "direct": self.direct, "packets": self.packets,
                "el2_instructions": self.el2_instructions,
                "exits_per_1000": self.per_1000(self.exits),
                "timer_exits_per_1000": self.per_1000(self.timer_exits)}


@dataclass(frozen=True)
class TrafficRow:
    source: str
    to: str
    packets: int
    lost: int
    round_trip_ns: Optional[float]
    round_trip_instructions: Optional[int]
    pps: Optional[float]

    def text(self) -> str:
        trip = f"{self.round_trip_ns / 1000:8.1f} us" if self.round_trip_ns is not None else "       -"
        if self.round_trip_instructions is not None:
            trip += f" ({self.round_trip_instructions} instructions, all of the machine)"
        rate = f"{self.pps:.0f} packets/s" if self.pps is not None else "-"
        return (f"  {self.source + ' -> ' + self.to:<20} round trip {trip}; stream {rate}; "
                f"{self.packets} packets, {self.lost} lost")

    def hint(self) -> str:
        """All lost is rarely the wire's fault."""
        return "; does the config keep them apart, by VLAN or network?" if self.lost == self.packets else ""

    def json(self) -> dict[str, Any]:
        return {"from": self.source, "to": self.to, "packets": self.packets, "lost": self.lost,
                "round_trip_instructions": self.round_trip_instructions}


class Row(Protocol):
    """What another module adds below the first table."""

    def json(self) -> dict[str, Any]: ...


@dataclass
class Findings:
    devices: list[DeviceRow] = field(default_factory=list)
    traffic: list[TrafficRow] = field(default_factory=list)
    faults: int = 0
    guests: list[str] = field(default_factory=list)  # the partitions that were measured, in config order
    paths: Sequence[Row] = ()  # direct beside hosted (compare.py), and the same as text
    comparison: Sequence[str] = ()
    wire_losses: list[str] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        names = list(dict.fromkeys([*self.guests, *(d.partition for d in self.devices)]))
        partitions = [{"name": n, "devices": [d.json() for d in self.devices if d.partition == n]}
                      for n in names]
        found = {"partitions": partitions, "traffic": [t.json() for t in self.traffic], "faults": self.faults}
        return {**found, "paths": [p.json() for p in self.paths]} if self.paths else found

    def text(self) -> str:
        nothing = [(g, "none", *("-" for _ in HEADINGS[2:])) for g in self.guests
                   if g not in {d.partition for d in self.devices}]
        lines = columns([HEADINGS, *(d.cells() for d in self.devices), *nothing])
        lines += ["", "Times are the guests' own (1 ns an instruction); counts are from the hypervisor's "
                  "and the guests' counters."]
        lines += [t.text() for t in self.traffic]
        lines.append(f"  DMA faults recorded: {self.faults}")
        lines += ["", *self.comparison] if self.comparison else []
        return "\n".join(lines)

    def problems(self) -> list[str]:
        """Every line that is not held, in words."""
        direct = [d for d in self.devices if d.interrupts != "injected"]  # the others cost what the table says
        found = [f"{d.partition}: {d.exits} exits for {d.function} on the data path, should be 0"
                 for d in direct if d.exits]
        found += [f"{d.partition}: {d.el2_instructions} EL2 instructions for {d.function}, should be 0"
                  for d in direct if d.el2_instructions and not d.exits]
        found += [f"{d.partition}: {d.function} saw no packets" for d in self.devices if not d.packets]
        found += [f"{t.source} -> {t.to}: {t.lost} of {t.packets} packets lost" + t.hint()
                  for t in self.traffic if t.lost]
        found += self.wire_losses
        if self.faults:
            found.append(f"{self.faults} DMA faults recorded, should be 0")
        return found


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows padded to columns, two blanks between them."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
