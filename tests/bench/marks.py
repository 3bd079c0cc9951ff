# SPDX-License-Identifier: BSD-2-Clause
"""Whose instructions a phase took: tools/demo/split.c counts, and every line of the console leaves a mark.

The hypervisor passes each line on in one function. The plugin writes its counts whenever that is entered, so the n-th
record belongs to the n-th line: nothing has to be typed, and a run repeats itself to the last digit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from demo.report import Report
from demo.split import BLOCKS, HYPERVISOR, RECORD, Counts, owners, plugin, symbols, unpack

LINE = re.compile(r"^[\w-]+\| ")
PHASE = re.compile(r"^[\w-]+\| @phase ")
# A wire's registers are read and written by a trap each; an interrupt of a wire is raised.
EVENTS = ("read_bar", "write_bar", "irq_device_raise")


@dataclass(frozen=True)
class Mark:
    """Counted since power on."""

    instructions: Counts  # by partition, HYPERVISOR, OTHER
    wire_exits: int
    interrupts: int  # of wires

    def since(self, before: Mark) -> Mark:
        return Mark({name: n - before.instructions[name] for name, n in self.instructions.items()},
                    self.wire_exits - before.wire_exits, self.interrupts - before.interrupts)

    @property
    def hypervisor(self) -> int:
        return self.instructions[HYPERVISOR]

    @property
    def total(self) -> int:
        return sum(self.instructions.values())


def mark(record: bytes, report: Report) -> Mark:
    counts = unpack(record)
    reads, writes, interrupts = counts[BLOCKS + 1:BLOCKS + 1 + len(EVENTS)]
    return Mark(owners(counts, report), reads + writes, interrupts)


def marks_of(text: str, records: bytes, report: Report) -> list[Mark]:
    """One for each phase in `text`, a console. ValueError when records and lines do not belong together."""
    lines = [x for x in text.splitlines() if LINE.match(x)]
    if len(lines) * RECORD != len(records):
        raise ValueError(f"the console has {len(lines)} lines and the plugin wrote {len(records) / RECORD:g} records")
    found = [mark(records[i * RECORD:(i + 1) * RECORD], report) for i, x in enumerate(lines) if PHASE.match(x)]
    last = mark(records[-RECORD:], report)
    counted = sum(report.exits(p.name, "wire") for p in report.partitions)
    if last.wire_exits != counted:
        raise ValueError(f"the report has {counted} exits for wires, and the plugin saw {last.wire_exits}")
    return found


class Marks:
    def __init__(self, build: Path, logs: Path) -> None:
        self._out = logs / "instructions"
        at = symbols(build)
        # A compiler may have taken the early return out of it.
        line = at.get("console_line.part.0", at["console_line"])
        self.options = plugin(build, self._out, at, f"each={line:x}", "count=" + ":".join(f"{at[name]:x}" for name in EVENTS))

    def read(self, text: str, report: Report) -> list[Mark]:
        try:
            return marks_of(text, self._out.read_bytes(), report)
        finally:
            self._out.unlink()  # tens of megabytes
