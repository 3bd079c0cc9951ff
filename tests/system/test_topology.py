# SPDX-License-Identifier: BSD-2-Clause
"""Devices everywhere: behind a switch, a conventional bridge, an expander. Each has its own partition, whose
DMA lands in its own memory and nowhere else; what belongs together and is split is refused, by `check` and at boot."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Sequence

import pytest

import configs
from configs import MIB, igb, node, port, whole
from conftest import BUILD, ROOT
from demo.console import HYPERVISOR
from demo.machine import Machine
from demo.report import Report, key_values
from demo.session import Session
from hostile import Monitor, stream_entry
from test_bad_machine import edited_tree

pytestmark = pytest.mark.bound(90)

ATTACKS = 8  # of a device that is pulled meanwhile
TARGETS = (0x5000000, 0x58000000)  # below and above everybody's memory


def machine(*partitions: str, **pxb: configs.Value) -> str:
    def on(name: str, model: str, behind: str, **more: configs.Value) -> str:
        return node(name, model=model, behind=behind, **more)

    return configs.config([
        port("rp", 1), on("up", "x3130-upstream", "rp"),
        *(on(f"d{n}", "xio3130-downstream", "up", slot=n) + on(f"s{n}", "edu", f"d{n}") for n in (0, 1)),
        port("rq", 2), on("pci", "pcie-pci-bridge", "rq"),
        *(on(f"b{n}", "edu", "pci", slot=n) for n in (1, 2)),
        node("pxb", model="pxb-pcie", at="0000:00:03.0", bus_number=0x40, **pxb),
        on("far", "pcie-root-port", "pxb", slot=1), on("x1", "edu", "far"),
        igb("n1", at="0000:00:05.0"), igb("n2", 2, at="0000:00:07.0"),
        node("lone", model="edu", at="0000:00:09.0"), port("empty", 10),
    ], partitions, 4)


PLACES = {"switch": ("0000:03:00.0", "0000:04:00.0"), "bridge": ("0000:06:01.0", "0000:06:02.0"),
          "far": ("0000:41:00.0",), "root": ("0000:00:09.0",)}
# What the SMMU sees of each: below a conventional bridge it is the bridge's name.
REQUESTER = {"switch": "0000:03:00.0", "bridge": "0000:06:00.0", "far": "0000:41:00.0", "root": "0000:00:09.0"}


def partition(name: str, core: int, *functions: str, attack: str = "idle", keep: bool = False) -> str:
    """`keep`: its first device has no reset."""
    targets = ",".join(f"{t:#x}" for t in TARGETS)
    return configs.partition(name, core, 8 * MIB, *(whole(f"d{i}", f, keep and i == 0) for i, f in enumerate(functions)),
                             command_line=f"attack={attack} engine=edu target={targets}")


def write(folder: Path, *partitions: str, **pxb: configs.Value) -> Path:
    return configs.write("topology", machine(*partitions, **pxb), folder)


def everywhere(folder: Path) -> Path:
    return write(folder, *(partition(name, core, *functions, attack="dma-write",
                                     keep=name == "root")
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


# --- what is refused, and what is pulled: rows that test_mutants.py runs with broken guards --------------------------


@dataclass
class Boot:
    """What a machine with partitions `one` and `two` came to."""

    said: list[str]
    report: Report

    def states(self) -> dict[str, str]:
        return {d.function: d.state for d in self.report.devices}

    def assert_said(self, *lines: str) -> None:
        for line in lines:
            assert any(line in x for x in self.said), f"no line '{line}'"
        assert [x for x in self.said if "panic" in x] == []


def boot(config: Path, name: str, hypervisor: Optional[Path], options: Sequence[str] = (),
         meanwhile: Callable[[Machine, Monitor], None] = lambda m, monitor: None) -> Boot:
    """Goes on although `check` refuses; `meanwhile` acts once both partitions have what they get."""
    session = Session(config, f"test-topology-{name}", icount=False, options=["--unchecked"])
    pass_on = [] if hypervisor is None else ["--hypervisor", str(hypervisor)]
    path = session.sockets.serial.with_name("monitor")
    session.machine.argv += [*pass_on, "--", "-monitor", f"unix:{path},server=on,wait=off", *options]
    with session:
        m, monitor = session.machine, Monitor(path)
        for p in ("one", "two"):
            m.console.wait(rf" {p} \(\w+\): |-> {p} \(", 30, HYPERVISOR)
        meanwhile(m, monitor)
        report = m.report()
        monitor.close()
        return Boot([x.text for x in m.console.lines(HYPERVISOR)], report)


def folder_of(name: str) -> Path:
    folder = BUILD / "hostile" / f"topology-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True)
class Row:
    start: Callable[[str, Optional[Path]], Boot]
    check: Callable[[Boot], None]

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Boot:
        return self.start(name, hypervisor)


def split(place: str) -> Row:
    """F12 (a switch without ACS), F09 (one requester id): neither gets its half, each learns who has the other."""
    a, b = PLACES[place]

    def start(name: str, hypervisor: Optional[Path]) -> Boot:
        return boot(write(folder_of(name), partition("one", 0, a), partition("two", 1, b)), name, hypervisor)

    def check(o: Boot) -> None:
        assert o.states() == {a: "refused", b: "refused"}
        o.assert_said(f"{a} one (d0): refused: it is in one isolation group", f"with {b}, which two has (d0)",
                      f"{b} two (d0): refused: it is in one isolation group", f"with {a}, which one has (d0)")

    return Row(start, check)


def start_bypassed(name: str, hypervisor: Optional[Path]) -> Boot:
    """The bus is not mapped to the SMMU, and the device tree says so."""
    folder = folder_of(name)
    config = write(folder, partition("one", 0, "0000:41:00.0"), partition("two", 1, "0000:00:09.0",
                                                                          keep=True))
    tree = edited_tree(folder, BUILD, config, "-d", "/pcie@10000000", "iommu-map")
    return boot(config, name, hypervisor, tree[1:])


def check_bypassed(o: Boot) -> None:
    """F11: refused, and said."""
    assert set(o.states().values()) == {"refused"}
    o.assert_said("0000:41:00.0 one (d0): refused: its bus bypasses the SMMU",
                  "0000:00:09.0 two (d0): refused: its bus bypasses the SMMU")


def start_denied(name: str, hypervisor: Optional[Path]) -> Boot:
    """An expander's bus bypasses the SMMU, and QEMU's device tree denies it."""
    return boot(write(folder_of(name), partition("one", 0, "0000:41:00.0"),
                      partition("two", 1, "0000:00:09.0", keep=True), smmu_bypass=True),
                name, hypervisor)


def check_denied(o: Boot) -> None:
    """F11: the config knew; what is on the other root bus is not concerned."""
    assert o.states() == {"0000:41:00.0": "refused", "0000:00:09.0": "assigned"}
    o.assert_said("0000:41:00.0 one (d0): refused: its bus bypasses the SMMU")


def pulled(attack: str, replace: bool, slow: bool = False) -> Callable[[str, Optional[Path]], Boot]:
    """`slow`: 8 million instructions a second. That, and as many attacks one after the other, each a second or so: the guest
    is still at it when it happens, however late this side wakes up."""
    def meanwhile(m: Machine, monitor: Monitor) -> None:
        m.expect(r"step=writable" if slow else r"step=engine result=ok|@canary filled", 40, "one")
        monitor.command("qom-set /machine/peripheral/x1 realized false")
        if replace:
            monitor.command("device_add e1000e,bus=far,id=late,romfile=")
            m.report()  # it also learns which key selects whom
            m.reset("one")
            m.console.wait(r"one \(d0\): refused: it is quarantined", 30, HYPERVISOR)
        else:
            m.expect(r"^one: off", 40, HYPERVISOR)

    def start(name: str, hypervisor: Optional[Path]) -> Boot:
        config = write(folder_of(name), partition("one", 0, "0000:41:00.0", attack=",".join([attack] * ATTACKS)),
                       partition("two", 1, "0000:00:09.0", keep=True))
        return boot(config, name, hypervisor, ["-icount", "shift=7,sleep=on"] if slow else [], meanwhile)

    return start


def check_pulled(o: Boot) -> None:
    """F32, F33: no hang; nobody has it again, nor what took its place; the other partition goes on."""
    assert o.states() == {"0000:41:00.0": "quarantined", "0000:00:09.0": "assigned"}
    o.assert_said("0000:41:00.0 one (d0): it does not come back from its reset: not found")


def check_told(o: Boot) -> None:
    check_pulled(o)
    o.assert_said("0000:41:00.0, partition 0: it is gone, or another is in its place")


ECAM = 0x4010000000
ADDED = 0x700  # the requester id of what is plugged in behind `empty`


def added(name: str, hypervisor: Optional[Path]) -> Boot:
    """An edu appears in an empty slot, switched on, under an address that nobody knew at boot."""
    def meanwhile(m: Machine, monitor: Monitor) -> None:
        m.report()  # it also learns which key selects whom
        monitor.command("device_add edu,bus=empty,id=late")
        assert monitor.words(ECAM + (ADDED << 12), 1) == [0x11E81234], "it is not there, or not switched on"
        since = m.console.mark()
        m.reset("one")
        m.expect(r"-> one \(", 30, HYPERVISOR, since)
        command, bar = monitor.words(ECAM + (ADDED << 12) + 4, 1)[0], monitor.words(ECAM + (ADDED << 12) + 0x10, 1)[0]
        assert (command & 7, bar) == (0, 0), f"somebody opened it: command {command:#x}, BAR {bar:#x}"
        entry = stream_entry(monitor, hypervisor, ADDED)
        assert entry[0] & 1 == 0, f"its stream does not abort: {entry}"

    config = write(folder_of(name), partition("one", 0, "0000:41:00.0"), partition("two", 1, "0000:00:09.0", keep=True))
    return boot(config, name, hypervisor, ["-global", "pcie-root-port.power_controller_present=off"], meanwhile)


def check_added(o: Boot) -> None:
    """F33: ignored. Nobody has it, nobody switched it on, its stream aborts; the others go on."""
    assert o.states() == {"0000:41:00.0": "assigned", "0000:00:09.0": "assigned"}
    assert [x for x in o.said if "0000:07:00.0" in x] == []
    o.assert_said()


ROWS = {
    "F09-bridge": split("bridge"),
    "F12": split("switch"),
    "F11": Row(start_bypassed, check_bypassed),
    "F11-denied": Row(start_denied, check_denied),
    "F32-config": Row(pulled("config-sweep", False, True), check_told),
    "F32-dma": Row(pulled("dma-write", False), check_pulled),
    "F33-added": Row(added, check_added),
    "F33": Row(pulled("idle", True), check_pulled),
}


@pytest.mark.parametrize("name", ROWS)
def test_row(built: Path, name: str) -> None:
    ROWS[name].check(ROWS[name].run(name))


def check_output(config: Path) -> str:
    check = subprocess.run([ROOT / "build/causeway", "check", config], cwd=ROOT, capture_output=True, text=True,
                           timeout=30)
    assert check.returncode == 1
    return check.stdout + check.stderr


def test_check_says_the_same(built: Path, tmp_path: Path) -> None:
    for place in ("switch", "bridge"):
        a, b = PLACES[place]
        said = check_output(write(tmp_path, partition("one", 0, a), partition("two", 1, b)))
        assert f"{a} is in one isolation group with {b}" in said and f"{b} is in one isolation group with {a}" in said
    parts = partition("one", 0, "0000:41:00.0"), partition("two", 1, "0000:00:09.0", keep=True)
    assert "its bus bypasses the SMMU" in check_output(write(tmp_path, *parts, smmu_bypass=True))


def test_without_a_reset(built: Path, tmp_path: Path) -> None:
    config = write(tmp_path, partition("one", 0, "0000:00:09.0"), partition("two", 1, "0000:41:00.0"))
    assert "keep-without-reset" in check_output(config)
    o = boot(config, "no-reset", None)
    o.assert_said("0000:00:09.0 one (d0): refused: it has no reset")
    assert o.states() == {"0000:00:09.0": "refused", "0000:41:00.0": "assigned"}
