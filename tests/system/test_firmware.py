# SPDX-License-Identifier: BSD-2-Clause
"""F10: a device that firmware left mastering the bus. The hypervisor's two guards, each on its own,
and the window before it that no hypervisor can close. And a register it may leave as it likes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from firmware import EDU, FirmwareRow, boot, vector_bytes

pytestmark = pytest.mark.bound(90)


def test_both_guards(built: Path) -> None:
    outcome = boot("F10")
    FirmwareRow().check(outcome)
    assert outcome.faults == [], "bus mastering was off before the transfer began: there is nothing to record"


def test_the_smmu_alone(built: Path) -> None:
    """Had nobody told the device to stop, it would be stopped, and named."""
    subprocess.run(["make", "--no-print-directory", "mutant-left-mastering"], cwd=ROOT, check=True, timeout=120,
                   capture_output=True)
    outcome = boot("F10-smmu", built / "mutants" / "left-mastering" / "hypervisor.bin")
    FirmwareRow().check(outcome)
    assert set(outcome.faults) == {EDU}


def test_before_the_first_instruction(built: Path) -> None:
    """The window: what lands before the hypervisor is entered has landed. It shows the attack is real."""
    assert boot("F10-before", wait=True).words == [0] * 16


def test_vectors(built: Path) -> None:
    """EL2's copies of packets keep 128 bits of a vector register: a guest must have no more of it."""
    assert vector_bytes("SVE", "neoverse-v1") == 16
