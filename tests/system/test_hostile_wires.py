# SPDX-License-Identifier: BSD-2-Clause
"""F59 to F70 under the hypervisor: one boot in which a driver at the end of a wire breaks every rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile_wires import EXPECTED, SCENARIOS, Outcome, attack, check_others, check_steps

pytestmark = pytest.mark.bound(200)


@pytest.fixture(scope="module")
def outcome(built: Path) -> Outcome:
    return attack("wires-hostile")


def test_every_scenario_ran(outcome: Outcome) -> None:
    """And every step of them that is expected to be something."""
    before = [s for s in outcome.steps if s.step == "control-before"]
    assert [s.values["name"] for s in before] == [f"wire-{s}" for s in SCENARIOS]
    assert set(EXPECTED) <= {s.step for s in outcome.steps}


@pytest.mark.parametrize("step", EXPECTED)
def test_step(outcome: Outcome, step: str) -> None:
    assert {r for r in outcome.results(step) if r != "issued"} == {EXPECTED[step]}


def test_after_each_lie_a_reset_helps(outcome: Outcome) -> None:
    check_steps(outcome)


def test_the_others_go_on(outcome: Outcome) -> None:
    check_others(outcome)


def test_what_is_no_packet_is_counted(outcome: Outcome) -> None:
    dropped = outcome.wire("victim").dropped
    assert min(dropped["size"], dropped["header"], dropped["room"]) > 0, dropped


def test_f63_another_vcpu_writes_all_the_time(outcome: Outcome) -> None:
    flips = [s for s in outcome.steps if s.step == "flips"]
    assert int(flips[0].values["rounds"]) > 50 and int(flips[0].values["failures"]) > 0, flips


def test_lines_have_a_quota(outcome: Outcome) -> None:
    """F73: a hundred rules were broken; it is said four times a second at most."""
    failed = [s for s in outcome.steps if s.result == "failed"]
    lines = [x for x in outcome.said if "broke a rule" in x]
    assert 0 < len(lines) < len(failed), (len(lines), len(failed))
