# SPDX-License-Identifier: BSD-2-Clause
"""Unit tests whose guard was broken on purpose (tests/faults/unit) must fail, by the test that watches it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MUTANTS = sorted((ROOT / "tests/faults/unit").glob("*.c"))


@pytest.mark.parametrize("source", MUTANTS, ids=lambda p: p.stem)
def test_caught(source):
    program = f"build/host/mutants/{source.stem}"
    subprocess.run(["make", "--no-print-directory", program], cwd=ROOT, check=True, timeout=600, capture_output=True)
    ran = subprocess.run([ROOT / program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    watches = re.search(r"^ \* fails: (\w+)$", source.read_text(), re.M)[1]
    said = ran.stdout + ran.stderr
    # cmocka's words for a test that fails, and for one that leaves a model with something to complain about
    assert ran.returncode != 0 and re.search(rf"\[ +(FAILED|ERROR) +\] {watches}", said), said[-500:]
