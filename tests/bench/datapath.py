# SPDX-License-Identifier: BSD-2-Clause
"""The data path: packets from VF to VF beside bare Linux on the same machine, and the exits taken meanwhile.

Exits are counted at power off. As a run repeats itself exactly, two runs that differ by one phase differ by what that
phase took: PREFIX against PREFIX and another stretch of round trips, or two seconds of rest.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Sequence

from demo.report import DEVICE_CLASSES
from lines import Metric, figure, line
from runs import CLIENT, SERVER, Outcome, Work, run_bare, run_causeway

TRIPS = 4000
PK_WARM_UP = 100  # round trips of pk's own, before it measures
# Fresh slabs and rings cost page allocations for the first ten thousand packets or so.
WARM = 12_000
PREFIX = ("warm", *("rr", "tx") * 3)
PHASES = (*PREFIX, "rr", "idle")
EXITS = ("config", "its", "inject", "fault", "timer", "ipi", "console", "psci", "other")
WORD = {"rr": "insn_per_rt", "tx": "insn_per_packet"}

Runs = dict[str, Outcome]


def plan() -> dict[str, Callable[[], Outcome]]:
    def work(more: int = 0) -> Work:
        return Work(PHASES, len(PREFIX) + more, TRIPS, WARM)

    return {"bare": lambda: run_bare("bare", 4, work()),
            "vf": lambda: run_causeway("vf", 4, work()),
            "trips": lambda: run_causeway("trips", 4, work(1)),
            "idle": lambda: run_causeway("idle", 4, work(2)),
            "bare3": lambda: run_bare("bare3", 3, work()),
            "injected": lambda: run_causeway("injected", 3, work()),
            "injected_trips": lambda: run_causeway("injected-trips", 3, work(1))}


def measured(outcome: Outcome, phase: str) -> float:
    """Instructions of the whole machine for a round trip or a packet, over all stretches of that phase."""
    values = [float(words[WORD[phase]]) for words in outcome.all(phase)]
    if min(values) <= 0:
        raise ValueError(f"the guest could not count instructions: {outcome.all(phase)}")
    return sum(values) / len(values)


def ratio(ours: Outcome, bare: Outcome, phase: str) -> float:
    return round(measured(ours, phase) / measured(bare, phase), 4)


def exits_between(before: Outcome, after: Outcome, partition: str, classes: Sequence[str] = EXITS) -> int:
    return after.report.exits(partition, *classes) - before.report.exits(partition, *classes)


def path_metrics(runs: Runs) -> list[Metric]:
    out = [line("vf_rtt_ratio", ratio(runs["vf"], runs["bare"], "rr")),
           line("vf_stream_ratio", ratio(runs["vf"], runs["bare"], "tx")),
           line("vf_injected_rtt_ratio", ratio(runs["injected"], runs["bare3"], "rr")),
           line("vf_injected_stream_ratio", ratio(runs["injected"], runs["bare3"], "tx"))]
    for name in ("bare", "vf", "injected"):
        out.append(figure(f"{name}_rtt", round(measured(runs[name], "rr")), "instructions a round trip"))
        out.append(figure(f"{name}_stream", round(measured(runs[name], "tx")), "instructions a packet"))
    return out


def ticks_between(before: Outcome, after: Outcome, classes: Sequence[str]) -> int:
    """EL2 instructions, both partitions, of the classes that took an exit in between. Where none was taken, the sums
    differ only by how long the shut-down's own accesses waited for another core."""
    total = 0
    for partition in (CLIENT, SERVER):
        taken = [c for c in classes if exits_between(before, after, partition, (c,))]
        total += after.report.ticks(partition, *taken) - before.report.ticks(partition, *taken)
    return total


def per_1000(count: float) -> float:
    return round(1000 * count / (TRIPS + PK_WARM_UP), 2)


def exit_metrics(runs: Runs) -> list[Metric]:
    """What another stretch of round trips took."""
    before, after = runs["vf"], runs["trips"]
    device = sum(exits_between(before, after, p, DEVICE_CLASSES) for p in (CLIENT, SERVER))
    return [line("vf_el2_per_1000", per_1000(ticks_between(before, after, DEVICE_CLASSES))),
            line("vf_exits_per_1000", per_1000(device)),
            line("vf_all_exits_per_1000", per_1000(exits_between(before, after, SERVER))),
            figure("el2_per_round_trip", round(per_1000(ticks_between(before, after, EXITS)) / 1000, 1),
                   "instructions at EL2, timer ticks and all, both ends"),
            figure("injected_exits_per_1000", per_1000(exits_between(runs["injected"], runs["injected_trips"], SERVER)),
                   "exits")]


def idle_metrics(runs: Runs) -> list[Metric]:
    """A partition that rests for two seconds, its server waiting for a packet."""
    every = exits_between(runs["trips"], runs["idle"], SERVER)
    timer = exits_between(runs["trips"], runs["idle"], SERVER, ("timer",))
    return [line("idle_exits", every - timer), figure("idle_timer_exits", timer, "exits in 2 s")]


def from_runs(runs: Runs) -> list[Metric]:
    return path_metrics(runs) + exit_metrics(runs) + idle_metrics(runs)


def metrics() -> list[Metric]:
    jobs = plan()
    with ThreadPoolExecutor(max_workers=max(1, min(2, os.cpu_count() or 1))) as pool:
        futures = {name: pool.submit(job) for name, job in jobs.items()}
        return from_runs({name: future.result() for name, future in futures.items()})
