# SPDX-License-Identifier: BSD-2-Clause
"""Machines and images that cannot do what the config asks: one clear message, refusal, never a hang."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

import pytest

from conftest import ROOT
from demo.console import HYPERVISOR
from demo.report import Report
from demo.session import Session

CONFIG = ROOT / "config" / "two-vfs.dts"
SETTLE = 20.0  # in which a machine that will end by itself has ended
pytestmark = pytest.mark.bound(120)


@dataclass
class Outcome:
    """How the machine took it: it ended with `status`, or runs on and `report` says how."""

    said: list[str]
    status: Optional[int]
    report: Optional[Report]

    def one_line(self, *words: str) -> str:
        """The hypervisor's line that has all these words."""
        lines = [x for x in self.said if all(w in x for w in words)]
        assert lines, f"no line with {words} among:\n" + "\n".join(self.said[-30:])
        return lines[0]


def run(config: Path, name: str, options: Sequence[str] = ()) -> Outcome:
    with Session(config, f"test-bad-{name}", icount=False, options=["--unchecked", *options]) as s:
        s.machine.expect(".", 30, HYPERVISOR)
        deadline = time.monotonic() + SETTLE
        while s.machine.running and time.monotonic() < deadline:
            time.sleep(0.1)
        report = s.machine.report() if s.machine.running else None
        status = None if s.machine.running else s.machine.wait_exit(1)
        return Outcome([x.text for x in s.machine.console.lines(HYPERVISOR)], status, report)


def variant(folder: Path, *edits: tuple[str, str]) -> Path:
    """config/two-vfs.dts with these replacements, each of which must apply."""
    text = CONFIG.read_text()
    for old, new in edits:
        assert old in text, f"{CONFIG} has no '{old}' any more"
        text = text.replace(old, new, 1)
    path = folder / "variant.dts"
    path.write_text(text)
    return path


def assert_vfs_refused(outcome: Outcome) -> None:
    """No VF works: the machine failed, or it runs and says that nobody has one."""
    assert outcome.status != 0, "a machine that cannot do its job must not end as a success"
    if outcome.report:
        assert [d for d in outcome.report.devices if d.kind == "VF" and d.state == "assigned"] == []
    for partition, function in (("net-a", "0000:01:10.0"), ("net-b", "0000:01:10.2")):
        outcome.one_line(partition, function)


def test_no_smmu(built: Path, tmp_path: Path) -> None:
    outcome = run(variant(tmp_path, ("machine {", "machine {\n\t\tsmmu-off;")), "no-smmu")
    outcome.one_line("SMMU")
    assert_vfs_refused(outcome)


def test_smmu_that_is_bypassed(built: Path, tmp_path: Path) -> None:
    """QEMU's device tree claims an SMMU in front of a bus that bypasses it (platform: 1.2)."""
    outcome = run(variant(tmp_path, ("machine {", "machine {\n\t\tsmmu-bypass;")), "bypass")
    assert_vfs_refused(outcome)


def test_no_its(built: Path, tmp_path: Path) -> None:
    outcome = run(variant(tmp_path, ("machine {", "machine {\n\t\tits-off;")), "no-its")
    outcome.one_line("ITS")
    assert_vfs_refused(outcome)


def test_too_few_cores(built: Path, tmp_path: Path) -> None:
    outcome = run(variant(tmp_path, ("cores = <5>", "cores = <3>")), "few-cores")
    outcome.one_line("core 3", "3 cores")
    assert outcome.status not in (None, 0)


def test_too_little_memory(built: Path, tmp_path: Path) -> None:
    """What fits runs on; who does not fit is named."""
    outcome = run(variant(tmp_path, ("memory-size = /bits/ 64 <0x80000000>",
                                     "memory-size = /bits/ 64 <0x28000000>")), "little-memory")
    outcome.one_line("net-b", "256 MiB")
    assert outcome.status != 0
    if outcome.report:
        assert outcome.report.partition("net-b").state == "crashed"
        assert outcome.report.partition("net-a").state == "running"


@pytest.mark.parametrize("where", ["images", "header"])
def test_flipped_byte(built: Path, tmp_path: Path, where: str) -> None:
    fit = tmp_path / "flipped.fit"
    subprocess.run([built / "causeway", "pack", CONFIG, "-o", fit], check=True, cwd=ROOT, timeout=60)
    data = bytearray(fit.read_bytes())
    data[len(data) // 4 if where == "images" else 1] ^= 0x10
    fit.write_bytes(data)
    outcome = run(CONFIG, f"flipped-{where}", ["--fit", str(fit)])
    assert outcome.status not in (None, 0)
    if where == "images":
        outcome.one_line("hash")
        outcome.one_line("net-a", "images cannot be used")
    else:
        outcome.one_line("FIT")
