# SPDX-License-Identifier: BSD-2-Clause
"""lspci as the judge: of our enumeration of the machine, and of what a guest is shown of its functions.

The hypervisor dumps configuration spaces (Ctrl-T d); the causeway program makes `lspci -F`'s input of them. lspci is
somebody else's reading of the same registers. A guest's own lspci then must see what the dump says it is shown.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from conftest import ROOT
from demo.console import HYPERVISOR
from demo.session import Session

# What the rule table (pci/virt/virt_rules.c) shows of a function; everything else is hidden.
PROMISED = ("Power Management", "MSI:", "MSI-X:", "Express", "Vendor Specific")


@dataclass
class Function:
    ids: str = ""
    regions: dict[int, int] = field(default_factory=dict)  # memory BARs
    capabilities: list[tuple[int, str]] = field(default_factory=list)
    text: str = ""


def parse(text: str) -> dict[str, Function]:
    """`lspci -n -vvv` by address."""
    found: dict[str, Function] = {}
    for block in re.split(r"\n(?=\S)", text.strip()):
        head = re.match(r"(?:0000:)?(\S+) (\w{4}): (\w{4}:\w{4})", block)
        if not head:
            continue
        function = found[f"0000:{head[1]}"] = Function(f"{head[2]} {head[3]}", text=block)
        own = block.split("Capabilities:")[0]  # SR-IOV lists the VFs' regions, too
        for region in re.finditer(r"Region (\d): Memory at ([0-9a-f]{8,})", own):
            function.regions[int(region[1])] = int(region[2], 16)
        for capability in re.finditer(r"Capabilities: \[(\w+)(?: v\d)?\] (.*)", block):
            function.capabilities.append((int(capability[1], 16), capability[2]))
    return found


def dump(session: Session) -> Path:
    """The folder with lspci's input and the machine's dump, taken from the running machine."""
    since = session.machine.console.mark()
    session.machine.press("d")
    session.machine.expect(r"^@end", 30, HYPERVISOR, since)
    folder = session.logs / "dump"
    subprocess.run([ROOT / "build/causeway", "dump", "-o", folder, session.logs / "serial.log"], check=True, timeout=30)
    return folder


def host_lspci(file: Path) -> dict[str, Function]:
    shown = subprocess.run(["lspci", "-n", "-vvv", "-F", file], text=True, capture_output=True, check=True, timeout=30)
    return parse(shown.stdout)


def check_machine(session: Session, folder: Path) -> dict[str, Function]:
    """What lspci finds in the dump is what the hypervisor enumerated, BAR by BAR, window by window."""
    judged = host_lspci(folder / "machine.lspci")
    log = session.machine.events(r"^(0000:\S+): (\w{4}:\w{4}) class (\w{4})\w\w, (\d+) VFs, (\d+) MSI-X")
    ours = {m[1]: m for m in log}
    vfs = {address for address, f in judged.items() if address not in ours}
    assert set(ours) <= set(judged) and ours, (sorted(ours), sorted(judged))
    for address, line in ours.items():
        function = judged[address]
        assert function.ids == f"{line[3]} {line[2]}"
        assert f"Count={line[5]} " in function.text if line[5] != "0" else "MSI-X:" not in function.text
        if line[4] != "0":
            assert f"Total VFs: {line[4]}," in function.text
            assert "VF offset" in function.text
    enabled = sum(int(m[1]) for m in session.machine.events(r": (\d+) VFs enabled"))
    assert len(vfs) == enabled, vfs
    bars = re.findall(r"^@bar (\S+) (\d) space=[23] address=0x(\w+)", (folder / "machine.dump").read_text(), re.M)
    for address, index, value in bars:
        assert judged[address].regions[int(index)] == int(value, 16), (address, index)
    check_bridges(judged)
    check_ari(judged)
    return judged


def check_ari(judged: dict[str, Function]) -> None:
    """A port passes device 0 alone unless it forwards ARI, and then the PF's VFs are counted with ARI (PCIe 6.13)."""
    for function in judged.values():
        below = re.search(r"secondary=(\w+),", function.text)
        if not below or not re.search(r"Express \(v\d\) (Root Port|Downstream Port)", function.text):
            continue
        there = {a: f for a, f in judged.items() if a[5:7] == below[1]}
        if any(int(a[8:10], 16) for a in there):
            assert "ARIFwd+" in re.findall(r"DevCtl2:[^\n]*", function.text)[0], function.text
            assert [f for f in there.values() if "ARIHierarchy+" in f.text], sorted(there)


def check_bridges(judged: dict[str, Function]) -> None:
    """Every BAR below a bridge lies in one of its windows."""
    windows: dict[int, list[tuple[int, int]]] = {}
    for function in judged.values():
        below = re.search(r"secondary=(\w+), subordinate=(\w+)", function.text)
        if not below:
            continue
        ranges = re.findall(r"emory behind bridge: ([0-9a-f]+)-([0-9a-f]+)", function.text)
        for bus in range(int(below[1], 16), int(below[2], 16) + 1):
            windows.setdefault(bus, []).extend((int(a, 16), int(b, 16)) for a, b in ranges)
    for address, function in judged.items():
        bus = int(address[5:7], 16)
        for region in function.regions.values():
            assert bus == 0 or any(a <= region <= b for a, b in windows[bus]), (address, hex(region), windows[bus])


def check_guest(session: Session, folder: Path, name: str, judged: dict[str, Function]) -> None:
    """A guest's own lspci: its functions, their BARs where the machine has them, and nothing beyond the rule table."""
    seen = parse("\n".join(session.guests[name].run("lspci -n -vvv")))
    shown = host_lspci(folder / f"{name}.lspci")
    assert set(seen) == set(shown)
    for device in session.machine.report().devices_of(name):
        mine, real = seen[device.guest], judged[device.function]
        assert mine.ids == real.ids
        assert shown[device.guest].regions == mine.regions
        assert mine.capabilities or not real.capabilities  # conventional functions have none
        assert [at for at, _ in shown[device.guest].capabilities] == [at for at, _ in mine.capabilities]
        for index, region in real.regions.items():
            assert mine.regions[index] == region
        for at, capability in mine.capabilities:
            assert at < 0x100 and capability.startswith(PROMISED), (device.guest, hex(at), capability)
        assert "Expansion ROM" not in mine.text
        assert "SR-IOV" not in mine.text


def check(session: Session, names: list[str]) -> None:
    folder = dump(session)
    judged = check_machine(session, folder)
    for name in names:
        check_guest(session, folder, name, judged)
