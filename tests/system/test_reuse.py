# SPDX-License-Identifier: BSD-2-Clause
"""F35: a stream, and with it what the SMMU had cached for it, gets a new owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from reuse import ReuseRow

pytestmark = pytest.mark.bound(120)


@pytest.mark.parametrize("stage", (2, 1))
def test_a_vf_changes_hands(built: Path, stage: int) -> None:
    row = ReuseRow(stage)
    row.check(row.run(f"F35-{stage}"))
