# SPDX-License-Identifier: BSD-2-Clause
"""A machine with an attacker and a victim, one scenario of the attacker for each boot.

The attacker (guest-drivers/attacker) owns an `edu` DMA engine and a VF; the victim holds a canary
in memory at a known physical address and owns another VF whose every event it counts.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

from configs import MIB, config, edu, igb, partition, pf_service, port, vf, whole, write
from conftest import BUILD, ROOT
from demo.console import HYPERVISOR
from demo.machine import Machine, MachineError
from demo.report import Report, key_values
from demo.session import Session

EDU, VF, VICTIM_VF = "0000:00:05.0", "0000:01:10.0", "0000:01:10.2"
RAM = 0x40000000  # of every guest, as it sees it
ATTACKER_AT, ATTACKER_SIZE = 0x50000000, 0x800000  # unless the scenario needs more
VICTIM_AT = 0x54000000
CANARY = 0x1100000  # offset in the victim's memory, clear of its image and device tree
CANARY_SIZE = 0x800000
VICTIM_TARGETS = [VICTIM_AT + CANARY + offset for offset in (0, 0x1000, 0x345040, CANARY_SIZE - 64)]
# QEMU loads an arm64 Image 2 MiB into RAM. What lies below the end of the attacker's own addresses
# cannot even be named by its devices; these can.
HYPERVISOR_AT = RAM + 0x200000
HYPERVISOR_SYMBOLS = ("iommu_memory", "glue", "partitions", "pool", "cores")
DONE_TIMEOUT = 30.0
NOT_MAPPED = "no-translation"  # of struct iommu_event
RECORDS_PER_BLOCK = 16  # a fault record for each 4 bytes of a 64-byte transfer

@dataclass(frozen=True)
class Scenario:
    name: str
    engine: str = "edu"
    targets: tuple[int, ...] = ()
    arguments: str = ""
    size: int = ATTACKER_SIZE
    vf: bool = True  # the attacker has a VF besides edu
    cores: tuple[int, ...] = (2,)
    stage: int = 2  # 1: the SMMU has stage 1 alone
    gic: int = 4  # 3: interrupts are injected
    pf: str = "build/pf-service.bin"
    victim: str = "idle"  # what it does
    port: int = 1  # slot of the VFs' port; in slot 1 their PF has edu's interrupt line, and neither uses it

    @property
    def function(self) -> str:
        return EDU if self.engine == "edu" else VF

    def config(self) -> str:
        arguments = self.arguments
        if self.targets:
            arguments += " target=" + ",".join(f"{t:#x}" for t in self.targets)
        return config(
            [port("port1", self.port), edu(5), igb()],
            [pf_service(kernel=self.pf, command_line=f"target={VICTIM_TARGETS[0]:#x}"),
             partition("victim", 1, 32 * MIB, vf(1), at=VICTIM_AT,
                       command_line=f"attack={self.victim} base={RAM + CANARY:#x} size={CANARY_SIZE:#x}"),
             partition("attacker", self.cores, self.size, whole("edu", EDU, keep=True), *([vf(0)] if self.vf else []),
                       at=ATTACKER_AT,
                       command_line=f"attack={self.name} engine={self.engine} {arguments.strip()}")],
            4, smmu_stage=self.stage, gic=self.gic)


@dataclass(frozen=True)
class Step:
    step: str
    result: str
    values: dict[str, str]


@dataclass(frozen=True)
class Fault:
    """A `dma fault:` line of the hypervisor."""

    function: str
    partition: str
    address: int
    access: str
    reason: str


@dataclass
class Outcome:
    """What a scenario left behind."""

    scenario: Scenario
    steps: list[Step]
    faults: list[Fault]
    said: list[str]  # by the hypervisor
    canary: dict[str, str]
    canary_ok: bool
    report: Report
    memory: dict[int, list[int]]  # what QEMU reads at each target, and where `begin` aimed

    def results(self, *steps: str) -> list[str]:
        """Results of all steps of these names; there must be some."""
        found = [s.result for s in self.steps if s.step in steps]
        assert found, f"no step {steps} in {[s.step for s in self.steps]}"
        return found

    def one(self, step: str) -> Step:
        found = [s for s in self.steps if s.step == step]
        assert len(found) == 1, f"{len(found)} steps {step} in {[s.step for s in self.steps]}"
        return found[0]

    def assert_contained(self) -> None:
        """The attacker worked before and after; the victim and the hypervisor never noticed."""
        for step in self.steps:
            if step.step.startswith(("control-", "own-event-", "engine")):
                assert step.result == "ok", step
        self.assert_victim_whole()

    def assert_victim_whole(self) -> None:
        assert self.canary_ok, f"the victim's canary is broken: {self.canary}"
        assert self.canary["irqs"] == "0", f"the victim got interrupts: {self.canary}"
        assert self.report.partition("victim").state == "running"
        assert [x for x in self.said if "panic" in x or "storm" in x] == []

    def assert_recorded(self, addresses: tuple[int, ...], access: Optional[str] = None) -> None:
        """Each page was recorded as a translation fault of the attacker's function, once at least."""
        for address in addresses:
            found = [f for f in self.faults
                     if f.address >> 12 == address >> 12 and f.function == self.scenario.function]
            assert found, f"no fault at {address:#x} by {self.scenario.function} among {self.faults}"
            assert {f.partition for f in found} == {"attacker"}
            assert {f.reason for f in found} == {NOT_MAPPED}
            assert access is None or access in {f.access for f in found}, found

    def records(self) -> int:
        """Fault records counted for the attacker's function."""
        return sum(d.faults for d in self.report.devices if d.function == self.scenario.function)


class Monitor:
    """QEMU's monitor, to look at physical memory from outside of everybody."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        deadline = time.monotonic() + 10  # it appears some time after the console
        while self._socket.connect_ex(str(path)) != 0:
            if time.monotonic() > deadline:
                raise MachineError(f"no monitor at {path}")
            time.sleep(0.02)
        self._prompt()

    def _prompt(self) -> str:
        text = ""
        while not text.endswith("(qemu) "):
            data = self._socket.recv(4096)
            if not data:
                raise MachineError("QEMU's monitor closed")
            text += data.decode("utf-8", "replace")
        return text

    def command(self, text: str) -> str:
        self._socket.sendall(f"{text}\n".encode())
        return self._prompt()

    def words(self, address: int, count: int) -> list[int]:
        text = self.command(f"xp /{count}wx {address:#x}")
        found = re.findall(r"0x([0-9a-f]{8})\b(?!\w*:)", text.split("\n", 1)[1])
        return [int(w, 16) for w in found][-count:]

    def close(self) -> None:
        self._socket.close()


@contextmanager
def machine(scenario: Scenario, name: str,
            hypervisor: Optional[Path] = None) -> Iterator[tuple[Session, Monitor]]:
    """Boots the scenario. Idle time costs nothing: the clock jumps (sleep=off)."""
    session = Session(write(name, scenario.config()), f"test-hostile-{name}")
    monitor_path = session.sockets.serial.with_name("monitor")
    session.machine.argv += ["--hypervisor", str(hypervisor)] if hypervisor else []
    session.machine.argv += ["--", "-icount", "shift=0,sleep=off",
                             "-monitor", f"unix:{monitor_path},server=on,wait=off"]
    with session:
        monitor = Monitor(monitor_path)
        try:
            yield session, monitor
        finally:
            monitor.close()


def wait_off(m: Machine, timeout: float = 20, partition: str = "attacker") -> None:
    """Until the partition is off, its devices taken away."""
    m.expect(rf"^{partition}: off", timeout, HYPERVISOR)


def check_canary(m: Machine) -> re.Match[str]:
    since = m.console.mark()
    m.type_line("victim", "c")
    return m.expect(r"@canary (ok|broken) (.*)", 30, "victim", since)


def attack(scenario: Scenario, name: str, hypervisor: Optional[Path] = None) -> Outcome:
    """Runs a scenario to its end, then asks the victim, the hypervisor and QEMU how things are."""
    with machine(scenario, name, hypervisor) as (session, monitor):
        m = session.machine
        filled = m.expect(r"@canary filled base=(\w+) size=(\w+)", 60, "victim")
        assert (int(filled[1], 16), int(filled[2], 16)) == (RAM + CANARY, CANARY_SIZE)
        m.expect(r"@done$", DONE_TIMEOUT, "attacker")
        wait_off(m)
        assert_canary_was_first(m)
        canary = check_canary(m)
        report = m.report()
        steps = parse_steps(m)
        looked_at = list(scenario.targets) + [physical(s) for s in steps if s.step == "begin"]
        time.sleep(0.5 if len(looked_at) > len(scenario.targets) else 0)  # for a transfer that was under way
        memory = {address: monitor.words(address, 16) for address in looked_at}
        return Outcome(scenario, steps, parse_faults(m), [x.text for x in m.console.lines(HYPERVISOR)],
                       key_values(canary[2]), canary[1] == "ok", report, memory)


def physical(step: Step) -> int:
    """Where the attacker's own address of a step really is."""
    return ATTACKER_AT + int(step.values["address"], 16) - RAM


def assert_canary_was_first(m: Machine) -> None:
    """A canary planted after the attack would hide it."""
    pattern = r"@canary filled|step=(write|read|begin|\w+-sweep) "
    order = [x.source for x in m.console.lines() if re.search(pattern, x.text)]
    assert order[:1] in ([], ["victim"]), "the attack began before the canary was planted"


def parse_steps(m: Machine, partition: str = "attacker") -> list[Step]:
    found = []
    for line in m.console.lines(partition):
        if line.text.startswith("@attack "):
            words = key_values(line.text)
            found.append(Step(words["step"], words["result"], words))
    return found


def parse_faults(m: Machine) -> list[Fault]:
    pattern = r"dma fault: function=(\S+) partition=(\S+) address=0x([0-9a-f]+) (\w+) reason=(.+)$"
    return [Fault(f[1], f[2], int(f[3], 16), f[4], f[5]) for f in m.events(pattern)]


def symbols(hypervisor: Optional[Path]) -> dict[str, int]:
    """Physical addresses of what the hypervisor's image names."""
    elf = (hypervisor or BUILD / "hypervisor.bin").with_suffix(".elf")
    text = subprocess.run(["aarch64-linux-gnu-nm", elf], check=True, capture_output=True, text=True,
                          timeout=30).stdout
    return {line.split()[2]: HYPERVISOR_AT + int(line.split()[0], 16)
            for line in text.splitlines() if len(line.split()) == 3}


def stream_entry(monitor: Monitor, hypervisor: Optional[Path], rid: int) -> list[int]:
    """The first words of its entry; the stream table is the first thing in the SMMU's memory."""
    return monitor.words(symbols(hypervisor)["iommu_memory"] + rid * 64, 4)


def hypervisor_targets(hypervisor: Optional[Path] = None) -> tuple[int, ...]:
    """Physical addresses of the hypervisor's tables, queues and state."""
    found = symbols(hypervisor)
    targets = [found[s] & ~0xFFF for s in HYPERVISOR_SYMBOLS]
    assert min(targets) >= RAM + ATTACKER_SIZE, "a target lies inside the attacker's own addresses"
    return tuple(dict.fromkeys(targets))


__all__ = ["ROOT", "Outcome", "Scenario", "attack", "hypervisor_targets", "machine"]
