# SPDX-License-Identifier: BSD-2-Clause
"""Devices everywhere: behind a switch, a conventional bridge, an expander. Each has its own partition, whose
DMA lands in its own memory and nowhere else; what belongs together and is split is refused, by `check` and at boot."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from demo.console import HYPERVISOR
from demo.report import Report, key_values
from demo.session import Session

pytestmark = pytest.mark.bound(90)

TARGETS = (0x5000000, 0x58000000)  # below and above everybody's memory
MACHINE = """/dts-v1/;
/ {
    compatible = "causeway,config-v1";
    machine {
        compatible = "qemu,virt";
        cores = <4>;
        memory-size = /bits/ 64 <0x20000000>;
        devices {
            rp { model = "pcie-root-port"; at = "0000:00:01.0"; };
            up { model = "x3130-upstream"; behind = "rp"; };
            d0 { model = "xio3130-downstream"; behind = "up"; slot = <0>; };
            d1 { model = "xio3130-downstream"; behind = "up"; slot = <1>; };
            s0 { model = "edu"; behind = "d0"; };
            s1 { model = "edu"; behind = "d1"; };
            rq { model = "pcie-root-port"; at = "0000:00:02.0"; };
            pci { model = "pcie-pci-bridge"; behind = "rq"; };
            b1 { model = "edu"; behind = "pci"; slot = <1>; };
            b2 { model = "edu"; behind = "pci"; slot = <2>; };
            pxb { model = "pxb-pcie"; at = "0000:00:03.0"; bus-number = <0x40>; %(pxb)s };
            far { model = "pcie-root-port"; behind = "pxb"; slot = <1>; };
            x1 { model = "edu"; behind = "far"; };
            n1 { model = "igb"; at = "0000:00:05.0"; };
            n2 { model = "igb"; at = "0000:00:07.0"; };
            lone { model = "edu"; at = "0000:00:09.0"; };
        };
    };
    partitions { %(partitions)s };
};
"""
PLACES = {"switch": ("0000:03:00.0", "0000:04:00.0"), "bridge": ("0000:06:01.0", "0000:06:02.0"),
          "far": ("0000:41:00.0",), "root": ("0000:00:09.0",)}
# What the SMMU sees of each: below a conventional bridge it is the bridge's name.
REQUESTER = {"switch": "0000:03:00.0", "bridge": "0000:06:00.0", "far": "0000:41:00.0", "root": "0000:00:09.0"}


def partition(name: str, core: int, *functions: str, attack: str = "idle", more: str = "") -> str:
    devices = "".join(f'd{i} {{ function = "{f}"; {more if i == 0 else ""} }}; ' for i, f in enumerate(functions))
    targets = ",".join(f"{t:#x}" for t in TARGETS)
    return (f'{name} {{ cores = <{core}>; memory-size = /bits/ 64 <0x800000>; kernel = "build/attacker.bin"; '
            f'command-line = "attack={attack} engine=edu target={targets}"; devices {{ {devices} }}; }};\n')


def write(folder: Path, *partitions: str, pxb: str = "") -> Path:
    path = folder / "topology.dts"
    path.write_text(MACHINE % {"pxb": pxb, "partitions": "".join(partitions)})
    return path


def everywhere(folder: Path) -> Path:
    return write(folder, *(partition(name, core, *functions, attack="dma-write",
                                     more="keep-without-reset;" if name == "root" else "")
                           for core, (name, functions) in enumerate(PLACES.items())))


def test_dma_from_everywhere(built: Path, tmp_path: Path) -> None:
    """F09: each engine works before and after; what it aims elsewhere is blocked, and laid at its owner's door."""
    with Session(everywhere(tmp_path), "test-topology", icount=False) as session:
        m = session.machine
        for name in PLACES:
            m.expect(r"@done$", 40, name)
        m.expect(r"every partition is off", 20, HYPERVISOR)
        assert m.wait_exit(10) == 0
        said = [x.text for x in m.console.lines(HYPERVISOR)]
        steps = {name: [key_values(x.text) for x in m.console.lines(name) if x.text.startswith("@attack ")]
                 for name in PLACES}
    for name, functions in PLACES.items():
        for function in functions:
            assert any(x.startswith(f"{function} -> {name} ") for x in said), f"{function} was not given to {name}"
        controls = [s["result"] for s in steps[name] if s["step"].startswith("control-")]
        assert controls == ["ok", "ok"], steps[name]
        for target in TARGETS:
            line = f"dma fault: function={REQUESTER[name]} partition={name} address={target:#x} write"
            assert any(x.startswith(line) for x in said), f"no line '{line}'"
    assert [x for x in said if "panic" in x] == []


def refused(config: Path, name: str) -> tuple[list[str], Report, str]:
    """Boots what `check` refuses; returns what the hypervisor said, its report, and what check said."""
    check = subprocess.run([ROOT / "build/causeway", "check", config], cwd=ROOT, capture_output=True, text=True,
                           timeout=30)
    assert check.returncode == 1
    with Session(config, f"test-topology-{name}", icount=False, options=["--unchecked"]) as session:
        m = session.machine
        for p in ("one", "two"):
            m.console.wait(rf"{p} \(\w+\): |-> {p} \(", 30, HYPERVISOR)
        report = m.report()
        return [x.text for x in m.console.lines(HYPERVISOR)], report, check.stdout + check.stderr


@pytest.mark.parametrize("place", ["switch", "bridge"])
def test_a_group_with_two_owners(built: Path, tmp_path: Path, place: str) -> None:
    """F12 (a switch without ACS), F09 (one requester id): neither gets its half, each learns who has the other."""
    a, b = PLACES[place]
    said, report, check = refused(write(tmp_path, partition("one", 0, a), partition("two", 1, b)), place)
    assert [d for d in report.devices if d.state == "assigned"] == []
    for own, owner, other, rival in ((a, "one", b, "two"), (b, "two", a, "one")):
        assert any(f"{own} {owner} (d0): refused: it is in one isolation group" in x for x in said)
        assert any(f"with {other}, which {rival} has (d0)" in x for x in said)
        assert f"{own} is in one isolation group with {other}" in check


def test_without_a_reset(built: Path, tmp_path: Path) -> None:
    said, report, check = refused(write(tmp_path, partition("one", 0, "0000:00:09.0"),
                                        partition("two", 1, "0000:41:00.0")), "no-reset")
    assert any("0000:00:09.0 one (d0): refused: it has no reset" in x for x in said)
    assert {d.function: d.state for d in report.devices} == {"0000:00:09.0": "refused", "0000:41:00.0": "assigned"}
    assert "keep-without-reset" in check
