# SPDX-License-Identifier: BSD-2-Clause
"""Machines and images that cannot do what the config asks: one clear message, refusal, never a hang.

The partitions are bare-metal ones that idle, so a machine is up or has given up within a second.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

import pytest

from conftest import ROOT
from demo.console import HYPERVISOR
from demo.machine import Machine, MachineError
from demo.report import Report
from demo.session import Session
from hostile import Scenario

BOOT = 30.0  # until every partition was started or refused
END = 30.0  # after that, for a machine that ends by itself
PARTITIONS = ("pf", "victim", "attacker")
DEVICES = {"pf": "0000:01:00.0", "victim": "0000:01:", "attacker": "0000:00:05.0"}
pytestmark = pytest.mark.bound(90)


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

    def assert_devices_refused(self) -> None:
        """Each device is named with its partition, and nobody has one; the partitions may run."""
        assert self.status != 0, "a machine that cannot do its job must not end as a success"
        for partition, function in DEVICES.items():
            self.one_line(partition, function, "refused")
        if self.report:
            assert [d for d in self.report.devices if d.state == "assigned"] == []


def started(machine: Machine) -> Report:
    """Its report, once each partition was started or refused; one that turned itself off was started."""
    deadline = time.monotonic() + END
    while True:
        report = machine.report(END)
        if all(p.state != "off" or machine.events(f"^{p.name}: off") for p in report.partitions):
            return report
        assert time.monotonic() < deadline, f"not started: {report.partitions}"


def run(config: Path, name: str, options: Sequence[str] = ()) -> Outcome:
    with Session(config, f"test-bad-{name}", icount=False, options=["--unchecked", *options]) as s:
        for partition in PARTITIONS:
            s.machine.console.wait(rf"-> {partition} \(|{partition} \(\w+\): |^{partition}: ", BOOT, HYPERVISOR)
        try:  # it answers, or has given up: it takes keys only where a partition runs
            report, status = started(s.machine), None
        except MachineError:
            report, status = None, s.machine.wait_exit(END)
        said = [x.text for x in s.machine.console.lines(HYPERVISOR)]
        assert said, s.machine.error("the hypervisor said nothing")
        return Outcome(said, status, report)


def variant(folder: Path, *edits: tuple[str, str]) -> Path:
    """The config of the hostile set with these replacements, each of which must apply."""
    text = Scenario("idle").config()
    for old, new in edits:
        assert old in text, f"the config has no '{old}' any more"
        text = text.replace(old, new, 1)
    path = folder / "variant.dts"
    path.write_text(text)
    return path


def edited_tree(folder: Path, built: Path, config: Path, *fdtput: str) -> list[str]:
    """QEMU arguments for the machine's own device tree after `fdtput -TYPE TREE ARGUMENTS`."""
    tree = folder / "machine.dtb"
    printed = subprocess.run([built / "causeway", "run", config, "--print"], check=True, cwd=ROOT,
                             capture_output=True, text=True, timeout=30).stdout
    command = shlex.split(printed.replace("\\\n", " "))
    subprocess.run([*command, "-machine", f"dumpdtb={tree}"], check=True, cwd=ROOT, timeout=30, capture_output=True,
                   stdin=subprocess.DEVNULL)
    subprocess.run(["fdtput", fdtput[0], tree, *fdtput[1:]], check=True, timeout=10)
    return ["--", "-dtb", str(tree)]


def test_no_smmu(built: Path, tmp_path: Path) -> None:
    outcome = run(variant(tmp_path, ("machine {", "machine {\n\t\tsmmu-off;")), "no-smmu")
    outcome.one_line("SMMU", "not found")
    outcome.assert_devices_refused()


def test_bus_that_bypasses_the_smmu(built: Path, tmp_path: Path) -> None:
    """There is an SMMU, but the host bridge is not mapped to it."""
    config = variant(tmp_path)
    outcome = run(config, "bypass", edited_tree(tmp_path, built, config, "-d", "/pcie@10000000", "iommu-map"))
    outcome.assert_devices_refused()


def test_bypass_that_the_tree_denies(built: Path, tmp_path: Path) -> None:
    """QEMU 10.0 describes a bypassed bus as if it were not: only the off-line check can see it."""
    config = variant(tmp_path, ("machine {", "machine {\n\t\tsmmu-bypass;"))
    check = subprocess.run([built / "causeway", "check", config], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert check.returncode == 1
    assert "bypass" in check.stdout + check.stderr


def test_no_its(built: Path, tmp_path: Path) -> None:
    config = variant(tmp_path)
    outcome = run(config, "no-its", edited_tree(tmp_path, built, config, "-r", "/intc@8000000/its@8080000"))
    outcome.one_line("ITS", "not found")
    outcome.assert_devices_refused()


def test_too_few_cores(built: Path, tmp_path: Path) -> None:
    outcome = run(variant(tmp_path, ("cores = <4>", "cores = <2>")), "few-cores")
    outcome.one_line("core 2", "2 cores")
    assert outcome.status not in (None, 0)


def test_too_little_memory(built: Path, tmp_path: Path) -> None:
    """What fits runs on; who does not fit is named."""
    smaller = ("memory-size = /bits/ 64 <0x20000000>", "memory-size = /bits/ 64 <0x13000000>")
    outcome = run(variant(tmp_path, smaller), "little-memory")
    outcome.one_line("victim", "no room for its 32 MiB")
    assert outcome.report, f"it ended with {outcome.status}, although two partitions fit"
    states = {p.name: p.state for p in outcome.report.partitions}
    assert states == {"pf": "running", "victim": "crashed", "attacker": "running"}


def flipped(folder: Path, built: Path, position: float) -> tuple[Path, list[str]]:
    """A FIT with one bit changed at this part of its length."""
    config, fit = variant(folder), folder / "flipped.fit"
    subprocess.run([built / "causeway", "pack", config, "-o", fit], check=True, cwd=ROOT, timeout=60,
                   capture_output=True)
    data = bytearray(fit.read_bytes())
    data[int(len(data) * position)] ^= 0x10
    fit.write_bytes(data)
    return config, ["--fit", str(fit)]


def test_flipped_byte_in_an_image(built: Path, tmp_path: Path) -> None:
    """No partition whose image is damaged starts; the message names image and partition."""
    config, options = flipped(tmp_path, built, 0.5)
    outcome = run(config, "flipped-image", options)
    outcome.one_line("FIT: image", "does not match its sha256 hash")
    outcome.one_line("its images cannot be used")
    assert outcome.status != 0
    if outcome.report:
        assert "crashed" in {p.state for p in outcome.report.partitions}


def test_flipped_byte_in_the_header(built: Path, tmp_path: Path) -> None:
    config, options = flipped(tmp_path, built, 0)
    outcome = run(config, "flipped-header", options)
    outcome.one_line("FIT")
    assert outcome.status not in (None, 0)


def test_flipped_bytes_all_over(built: Path, tmp_path: Path) -> None:
    """A sample over the whole FIT: the machine refuses, or runs what is whole; it never hangs or crashes."""
    for step in range(8):
        config, options = flipped(tmp_path, built, step / 8 + 0.01)
        outcome = run(config, "flipped-sample", options)
        assert outcome.report or outcome.status != 0
        assert [x for x in outcome.said if "panic" in x or "EL2" in x] == []
