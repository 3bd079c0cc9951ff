# SPDX-License-Identifier: BSD-2-Clause
"""What `make run` starts, as a user gets it: the table, the JSON, the exit status, the bad config."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from demo import demo, rdma

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
            assert device["packets"] > 0 and device["direct"] == ("vf-free" if "net" in partition["name"] else "asked")
    log = "".join((built / "logs" / "run" / "serial.log").read_text(errors="replace"))
    assert log.count("(eth0): direct, for a VF was free; DMA by SMMU stage 2") == 2
    assert all(t["lost"] == 0 and t["round_trip_instructions"] > 0 for t in found["traffic"])
    assert {("host-a", "host-b"), ("net-b", "host-a")} <= {(t["from"], t["to"]) for t in found["traffic"]}
    paths = {(p["path"], p["work"].split(",")[0]): p for p in found["paths"]}
    assert set(paths) == {(p, w) for p in ("direct", "hosted") for w in ("round trip", "stream")}
    for (path, _), row in paths.items():
        took = row["instructions"]
        assert row["lost"] == 0 and took["guests"] > 5_000
        assert (took["io"] > 1_000) == (path == "hosted") and (row["exits_per_1000"] > 500) == (path == "hosted")
    assert "A hosted round trip takes" in out.out and [x for x in out.out.splitlines() if x.startswith("hosted")]
    assert [p for p in (built / "logs" / "run").iterdir() if p.name == "net-a.log"]


def test_demo_without_gicv4(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Injected interrupts: the same packets, none lost, and the table says what they cost."""
    status = demo.main([str(ROOT / "config" / "two-vfs.dts"), "--json", "--trips", "100", "--gic", "3"])
    out = capsys.readouterr()
    assert status == 0, out.out + out.err
    rows = [x for x in out.out.splitlines() if "igbvf" in x and "(VF)" in x]
    assert len(rows) == 2 and all("injected (list registers)" in x for x in rows)
    found = json.loads((built / "run.json").read_text())
    devices = [d for p in found["partitions"] for d in p["devices"]]
    assert all(d["interrupts"] == "injected" and d["exits_per_1000"] > 0 for d in devices)
    assert all(t["lost"] == 0 for t in found["traffic"])


def test_four_partitions(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = demo.main([str(ROOT / "config" / "four-partitions.dts"), "--trips", "100"])
    out = capsys.readouterr()
    assert status == 0, out.out + out.err
    assert len([x for x in out.out.splitlines() if "igbvf" in x and "(VF)" in x]) == 3


def test_vlan_keeps_a_vf_apart(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """net-b alone in VLAN 7: no packet gets there, and the table says so."""
    text = (ROOT / "config" / "two-vfs.dts").read_text()
    config = tmp_path / "vlan.dts"
    config.write_text(text.replace("[52 54 00 ca 05 01];", "[52 54 00 ca 05 01]; vlan = <7>;"))
    status = demo.main([str(config), "--trips", "100"])
    out = capsys.readouterr()
    assert status == 1 and "VLAN" in out.err, out.out + out.err
    assert re.search(r"net-a -> net-b .* (\d+) packets, \1 lost", out.out), out.out
    assert re.search(r"net-a -> outside .* 0 lost", out.out), out.out


def test_config_without_devices(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = demo.main([str(ROOT / "config" / "no-devices.dts")])
    out = capsys.readouterr()
    assert status == 0 and "linux is ready" in out.out, out.out + out.err


def test_bad_config_stops_before_anything_boots(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = demo.main([str(ROOT / "config" / "bad-example.dts")])
    err = capsys.readouterr().err
    assert status == 1
    said = subprocess.run([built / "causeway", "check", ROOT / "config" / "bad-example.dts"], capture_output=True,
                          text=True, cwd=ROOT, check=False)
    errors = [x for x in (said.stdout + said.stderr).splitlines() if "bad-example.dts: /" in x]
    assert len(errors) > 20 and not [x for x in errors if x.split(": ", 1)[1] not in err], err
    assert not (built / "logs" / "run" / "serial.log").exists()


def test_rdma_over_the_vfs(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stock RDMA programs, data checked by themselves, and nothing for the hypervisor to do."""
    status = rdma.main(["--json", "--percent", "20"])
    out = capsys.readouterr()
    assert status == 0, out.out + out.err
    rows = json.loads((built / "run-rdma.json").read_text())["rows"]
    assert [r["work"].split(",")[0] for r in rows] == ["ibv_rc_pingpong", "rping", "ib_write_bw", "ib_read_lat"]
    for row in rows:
        assert row["packets"] > 100 and (row["exits"], row["el2_instructions"]) == (0, 0), row
