# SPDX-License-Identifier: BSD-2-Clause
"""The lines to hold, in one place: what each metric of the benchmark is counted in, and its limit.

A part of the benchmark measures and calls `line(name, value)`; a limit is what the value may be at most, None for
a figure that is only stated. `docs/performance.md` says where the limits come from.
"""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple, Optional

Metric = dict[str, Any]  # name, value, unit, limit: a row of build/bench.json


class Line(NamedTuple):
    unit: str
    limit: Optional[float]


INSTRUCTIONS = "instructions"
RATIO = "x bare Linux"
OVER_KVM = "x the better virtio-net of KVM"

LINES = {
    # the cost of an exit (probes)
    "hypercall": Line(INSTRUCTIONS, 86),
    "gicd_read": Line(INSTRUCTIONS, 150),
    "gicd_noop_write": Line(INSTRUCTIONS, 150),
    "self_sgi": Line(INSTRUCTIONS, 200),
    "vtimer": Line(INSTRUCTIONS, 100),
    "msi_vlpi": Line("instructions beyond bare metal", 0),
    "msi_injected": Line("instructions beyond bare metal", 150),
    # set-up, and what it leaves
    "boot_base": Line(INSTRUCTIONS, 220_000),
    "boot_per_2mib": Line(INSTRUCTIONS, 100),
    "vf_assign": Line(INSTRUCTIONS, 20_000),
    "vf_revoke": Line(INSTRUCTIONS, 20_000),
    "el2_masked_max": Line(INSTRUCTIONS, 5_000),
    "memory_per_partition": Line("KiB", 256),
    "el2_lines": Line("lines", 12_000),
    # the data path
    "vf_el2_per_1000": Line(INSTRUCTIONS, 0),
    "vf_exits_per_1000": Line("exits", 0),
    "vf_all_exits_per_1000": Line("exits", 20),
    "idle_exits": Line("exits in 2 s, its timer's not counted", 0),
    "vf_rtt_ratio": Line(RATIO, 1.005),
    "vf_stream_ratio": Line(RATIO, 1.010),
    "vf_injected_rtt_ratio": Line(RATIO, 1.25),
    "vf_injected_stream_ratio": Line(RATIO, 1.08),
    # the virtual wire
    "hosted_exits_b1": Line("exits of both ends, 1,000 packets", 2000),
    "hosted_exits_b16": Line("exits of both ends, 1,000 packets", 125),
    "hosted_exits_b64": Line("exits of both ends, 1,000 packets", 31.25),
    "hosted_el2_per_packet": Line(INSTRUCTIONS, 1200),
    "hosted_vs_kvm_rtt": Line(OVER_KVM, 0.65),
    "hosted_vs_kvm_stream": Line(OVER_KVM, 0.75),
    "wire_memory": Line("KiB, each end", 64),
}

# What is no line of numbers: rows for a part's own table, by name; also in build/bench.json.
TABLES: dict[str, list[dict[str, Any]]] = {}

_began = time.monotonic()


def say(text: str) -> None:
    """Progress, for whoever waits: never a figure."""
    print(f"[{time.monotonic() - _began:6.1f} s] {text}", flush=True)


def line(name: str, value: float) -> Metric:
    """A metric that has a line in LINES."""
    return figure(name, value, *LINES[name])


def figure(name: str, value: float, unit: str, limit: Optional[float] = None) -> Metric:
    """A metric of one part's own."""
    return {"name": name, "value": value, "unit": unit, "limit": limit}


def held(metric: Metric) -> Optional[bool]:
    """None: there is no line, the figure is only stated."""
    return None if metric["limit"] is None else metric["value"] <= metric["limit"]


def faults(metrics: list[Metric]) -> list[str]:
    """What is wrong with the rows a part gave: they go to other programs as they are."""
    found, seen = [], set()
    for m in metrics:
        if set(m) != {"name", "value", "unit", "limit"}:
            found.append(f"{m}: must have name, value, unit and limit, nothing else")
            continue
        if m["name"] in seen:
            found.append(f"{m['name']}: given twice")
        seen.add(m["name"])
        for key in ("value", "limit"):
            number = m[key]
            if key == "limit" and number is None:
                continue
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
                found.append(f"{m['name']}: {key} {number!r} is no number")
        known = LINES.get(m["name"])
        if known and (m["unit"], m["limit"]) != known:
            found.append(f"{m['name']}: {m['unit']}, {m['limit']} is not what LINES says")
    return found
