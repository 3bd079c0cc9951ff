# SPDX-License-Identifier: BSD-2-Clause
"""What `make run` starts, as a user gets it: the table, the JSON, the exit status, the bad config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import ROOT
from demo import demo

pytestmark = pytest.mark.bound(240)


def test_demo(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = demo.main(["--json", "--trips", "200"])
    out = capsys.readouterr()
    assert status == 0, out.out + out.err
    rows = [x for x in out.out.splitlines() if "igbvf" in x and "(VF)" in x]
    assert len(rows) == 2 and all("SMMU stage 2" in x and "vLPI (direct)" in x for x in rows)
    found = json.loads((built / "run.json").read_text())
    assert found["faults"] == 0
    for partition in found["partitions"]:
        for device in partition["devices"]:
            assert device["el2_instructions"] == 0 and device["exits_per_1000"] == 0
            assert device["packets"] > 0
    assert all(t["lost"] == 0 and t["round_trip_instructions"] > 0 for t in found["traffic"])
    assert [p for p in (built / "logs" / "run").iterdir() if p.name == "net-a.log"]


def test_config_without_devices(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = demo.main([str(ROOT / "config" / "no-devices.dts")])
    out = capsys.readouterr()
    assert status == 0 and "linux is ready" in out.out, out.out + out.err


def test_bad_config_stops_before_anything_boots(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = demo.main([str(ROOT / "config" / "bad-example.dts")])
    err = capsys.readouterr().err
    assert status == 1
    assert err.count("bad-example.dts: /") > 3, err
    assert not (built / "logs" / "run" / "serial.log").exists()
