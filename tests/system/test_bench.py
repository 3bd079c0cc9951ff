# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark's two machines do their work whole, and again the same. No figure is judged: that is `make bench`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "bench"))

import pytest  # noqa: E402

import datapath  # noqa: E402
import runs  # noqa: E402

PHASES = ("rr", "tx", "idle")


def work(stop: int) -> runs.Work:
    return runs.Work(PHASES, stop, trips=200)


@pytest.mark.bound(300)
def test_bare_linux_and_causeway_do_the_same_work(built: Path) -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        bare = pool.submit(runs.run_bare, "smoke-bare", 4, work(2))
        ours = pool.submit(runs.run_causeway, "smoke-vf", 4, work(2))
        more = pool.submit(runs.run_causeway, "smoke-idle", 4, work(3))
        for outcome in (bare.result(), ours.result()):
            assert datapath.measured(outcome, "rr") > 0 and datapath.measured(outcome, "tx") > 0
    # What stops later is the same up to there: exits are a difference of two such runs.
    assert more.result().phases[:2] == ours.result().phases
    assert ours.result().report.faults == 0
