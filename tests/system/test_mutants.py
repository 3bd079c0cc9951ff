# SPDX-License-Identifier: BSD-2-Clause
"""The campaign's own test: with a guard broken on purpose, the row that watches it must fail.

The mutants are tests/faults/mutants/*.c, linked in front of the hypervisor's own functions.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
from _pytest.mark import ParameterSet

from conftest import ROOT
from demo.machine import MachineError
import test_isolation
import test_topology
from errors import ErrorsRow
from firmware import FirmwareRow
from hostile_wires import WiresRow
from reuse import ReuseRow
from six_vfs import SixVfsRow
from test_translated import TranslatedRow

pytestmark = pytest.mark.bound(150)
ROWS = {**test_isolation.ROWS, **test_topology.ROWS, "F10": FirmwareRow(), "F13": TranslatedRow(),
        "F35": ReuseRow(), "F35-s1": ReuseRow(stage=1), "six-vfs": SixVfsRow(),
        "F36": ErrorsRow(), "F36-s1": ErrorsRow(stage=1),
        "F59": WiresRow("outside"), "F60": WiresRow("chains"), "F70": WiresRow("resets")}

# mutant → the rows that must fail with it
CAUGHT_BY = {
    "open-tables": ["F01", "F02", "F03-read", "F04", "F01-s1", "F03-read-s1", "F22"],
    "wide-bars": ["F23"],
    "lost-writes": ["F24"],
    "all-events": ["F15"],
    "shared-itt": ["F16"],
    "cpu-doorbell": ["F17"],
    "open-gic": ["F18"],
    "device-zero": ["F19"],
    "no-vpes": ["F20"],
    "no-storm-limit": ["F21"],
    "endless-wires": ["F21-intx"],
    "stale-lpis": ["F25", "F25-gic3"],
    "late-takeover": ["F10"],
    "ats-on": ["F13"],
    "eats": ["F13"],
    "no-tlbi": ["F38", "F38-s1"],
    "no-cfgi": ["F39", "F39-s1"],
    "stale-entry": ["F35", "F35-s1"],
    "stale-owner": ["F35", "F35-s1"],
    "open-config": ["F46"],
    "open-header": ["F47", "F48"],
    "open-sriov": ["F50"],
    "no-reset": ["F37"],
    "no-zeroing": ["F37"],
    "split-groups": ["F12", "F09-bridge"],
    "any-stream": ["F11"],
    "wire-anywhere": ["F59"],
    "wire-endless": ["F60"],
    "wire-lives-on": ["F70"],
    "trusting": ["F32-config", "F33"],
    "stay-put": ["six-vfs"],
    "deaf-smmu": ["F36", "F36-s1"],
    "no-acknowledge": ["F44"],
}
# the same for the PF service: tests/faults/pf/*.c
PF_CAUGHT_BY = {"no-scrub": ["F37"], "no-mailbox-scrub": ["F37"], "patient": ["F52"]}
PF_DRIVEN = {"rogue"}  # not broken guards: other tests drive them
PF_HARMLESS = {"slow": ["F52-late"]}
# not guards: the row must still hold
HARMLESS = {
    "left-mastering": ["F10"], "refusing-smmu": ["F36", "F36-s1"], "hand-over": ["F35"], "one-vmid": ["F35", "F35-s1"],
    "stubborn-device": ["F39", "F39-s1"],
}


@pytest.fixture(scope="module")
def mutants(built: Path) -> Path:
    made = subprocess.run(["make", "--no-print-directory", "mutants"], cwd=ROOT, capture_output=True, text=True,
                          timeout=120)
    assert made.returncode == 0, made.stdout + made.stderr
    return built / "mutants"


def pairs(table: dict[str, list[str]]) -> list[ParameterSet]:
    """Three Linux guests take longer."""
    return [pytest.param(mutant, row, marks=[pytest.mark.bound(300)] if row == "six-vfs" else [])
            for mutant, rows in table.items() for row in rows]


def test_every_mutant_is_used() -> None:
    sources = {p.stem for p in (ROOT / "tests" / "faults" / "mutants").glob("*.c")}
    assert sources == set(CAUGHT_BY) | set(HARMLESS)
    for path in (ROOT / "tests" / "faults" / "mutants").glob("*.c"):
        assert "\n * wraps: " in path.read_text(), f"{path.name} stands in for nothing"
    sources = {p.stem for p in (ROOT / "tests" / "faults" / "pf").glob("*.c")}
    assert sources == set(PF_CAUGHT_BY) | set(PF_HARMLESS) | PF_DRIVEN


def assert_caught(mutant: str, name: str, row: test_isolation.Row | test_topology.Row, hypervisor: Optional[Path] = None) -> None:
    """The check fails, or the machine does not even live to be asked; a harness error does not count."""
    failed = ""
    try:
        row.check(row.run(f"{mutant}-{name}", hypervisor))
    except AssertionError as error:
        failed = str(error)
        assert "canary was planted" not in failed, failed
    except MachineError as error:
        failed = str(error)
        assert re.search(r"panic|no line matching '(@done|@canary)|no report", failed), failed
    assert failed, f"{name} does not notice {mutant}"


@pytest.mark.parametrize("mutant, row", pairs(CAUGHT_BY))
def test_caught(mutants: Path, mutant: str, row: str) -> None:
    assert_caught(mutant, row, ROWS[row], mutants / mutant / "hypervisor.bin")


def with_service(mutant: str, row: str) -> test_isolation.Row:
    return replace(ROWS[row], scenario=replace(ROWS[row].scenario, pf=f"build/pf-mutants/{mutant}.bin"))


@pytest.mark.parametrize("mutant, row", pairs(PF_CAUGHT_BY))
def test_pf_caught(mutants: Path, mutant: str, row: str) -> None:
    assert_caught(mutant, row, with_service(mutant, row))


@pytest.mark.parametrize("mutant, row", pairs(PF_HARMLESS))
def test_pf_harmless(mutants: Path, mutant: str, row: str) -> None:
    broken = with_service(mutant, row)
    broken.check(broken.run(f"{mutant}-{row}"))


@pytest.mark.parametrize("mutant, row", pairs(HARMLESS))
def test_harmless(mutants: Path, mutant: str, row: str) -> None:
    ROWS[row].check(ROWS[row].run(f"{mutant}-{row}", mutants / mutant / "hypervisor.bin"))
