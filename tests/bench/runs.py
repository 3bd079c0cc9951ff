# SPDX-License-Identifier: BSD-2-Clause
"""One run of the benchmark's machine, under Causeway or under bare Linux: from start to power off, nothing typed.

Both command lines come from `causeway run --print` of the same config, so they cannot drift apart. Virtual time is
counted in instructions and jumps over idle spans (sleep=off), so a run repeats itself to the last digit.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Sequence

from demo.machine import ROOT, MachineError
from demo.report import Report, key_values, parse_report
from lines import say
from marks import Mark, Marks

LIFETIME = 1800  # seconds of the host, for one run
TELL = 15  # seconds between two words of progress
TAIL = 25
BUILD = ROOT / "build"
TEMPLATE = Path(__file__).with_name("data-path.dts.in")
# One end has one kernel's slabs to itself under Causeway; on bare Linux both ends share them. Larger slabs make the
# difference vanish, on both sides (docs/performance.md).
LINUX = "console=ttyAMA0 nokaslr norandmaps quiet panic=-1 slub_min_objects=64"
CLIENT, SERVER = "client", "server"


@dataclass(frozen=True)
class Work:
    """What the guests do (guest-drivers/linux/cw-bench): the first `stop` phases. Runs that differ in `stop` alone are
    the same, instruction by instruction, up to the end of the shorter one."""

    phases: tuple[str, ...]
    stop: int
    trips: int = 1000
    warm: int = 1000
    usecs: int = 10
    listed: bool = False  # the phases are too many for a command line: they go into a file
    guest: str = "initramfs.cpio.gz"
    io: str = ""  # words for the I/O-hosting partition

    def done(self) -> tuple[str, ...]:
        return self.phases[:self.stop]

    def words(self) -> str:
        phases = "" if self.listed else f"cw.phases={','.join(self.phases)} "
        return f"{phases}cw.trips={self.trips} cw.warm={self.warm} cw.usecs={self.usecs}"

    def files(self) -> bytes:
        listed = cpio("cw-phases", f"{','.join(self.phases)}\n".encode()) if self.listed else b""
        return cpio("cw-stop", b"%02d\n" % self.stop) + listed


@dataclass
class Outcome:
    """What one run said: pk's results of each phase in order, and under Causeway the counters at power off."""

    phases: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    marks: list[Mark] = field(default_factory=list)  # one for each phase, if counted

    def all(self, phase: str) -> list[dict[str, str]]:
        return [words for name, words in self.phases if name == phase]


def parse(text: str) -> Outcome:
    """Reads a console log; ValueError with what is wrong when the work was not done whole."""
    outcome = Outcome()
    lines = [x.rstrip("\r") for x in text.splitlines()]
    for line in lines:
        _, found, rest = line.partition("@failed ")
        if found:
            raise ValueError(f"the guest gave up: {rest}")
        _, found, rest = line.partition("@phase ")
        if not found:
            continue
        name, _, said = rest.partition(" ")
        words = key_values(said)
        if said.startswith("pk ") and ("error" in words or words.get("lost") != "0" or words.get("corrupt", "0") != "0"):
            raise ValueError(f"phase {name} lost packets, so its figures mean nothing: {said}")
        outcome.phases.append((name, words))
    hypervisor = [x.partition("hv| ")[2] for x in lines if x.startswith("hv| ")]
    starts = [i for i, x in enumerate(hypervisor) if x.startswith("@report ")]
    if starts:
        outcome.report = parse_report(hypervisor[starts[-1]:])
    return outcome


def printed_command(config: Path, *, icount: bool = True) -> list[str]:
    options = ["--icount"] if icount else []
    done = subprocess.run([str(BUILD / "causeway"), "run", *options, "--print", str(config)], cwd=ROOT, text=True,
                          capture_output=True, timeout=60, check=False)
    if done.returncode:
        raise MachineError(f"causeway run --print {config} ended with {done.returncode}:\n{done.stderr}")
    return shlex.split(done.stdout.replace("\\\n", " "))


def changed(command: Sequence[str], **values: str) -> list[str]:
    """The command with the value behind each option replaced; an option that is not there is an error."""
    out = list(command)
    for option, value in values.items():
        out[out.index("-" + option) + 1] = value
    return out


def unattended(command: Sequence[str], logs: Path) -> list[str]:
    """The console to a file, nothing typed, and no host time anywhere."""
    return changed(command, chardev=f"file,id=console,path={logs / 'console.log'}", D=str(logs / "qemu.log"),
                   icount="shift=0,sleep=off")


def bare(command: Sequence[str], ramdisk: Path, work: Work) -> list[str]:
    """The same machine with Linux alone on it. Its VFs' BARs must lie below 4 GiB (QEMU 10.0), and Causeway's do."""
    out = changed(command, kernel=str(BUILD / "guest/Image"), initrd=str(ramdisk))
    out = changed(out, M=out[out.index("-M") + 1] + ",highmem-mmio=off")
    return [*out, "-append", f"{LINUX} iommu.passthrough=1 maxcpus=2 cw.name=bare cw.role=bench-native {work.words()}"]


def cpio(name: str, data: bytes) -> bytes:
    """An archive of one file, as the kernel wants it in front of another (newc)."""
    out = b""
    for entry, mode, body in ((name, 0o100644, data), ("TRAILER!!!", 0, b"")):
        fields = (0, mode, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(entry) + 1, 0)
        out += b"070701" + b"".join(b"%08x" % x for x in fields) + entry.encode() + b"\0"
        out += bytes(-len(out) % 4) + body
        out += bytes(-len(out) % 4)
    return out + bytes(-len(out) % 512)


def write_ramdisk(name: str, work: Work) -> Path:
    """The guests' initramfs, and where to stop in a file in front of it."""
    path = BUILD / f"bench-{name}.cpio"
    path.write_bytes(work.files() + (BUILD / "guest" / work.guest).read_bytes())
    return path


def write_config(name: str, gic: int, work: Work, template: Path = TEMPLATE) -> Path:
    text = Template(template.read_text("utf-8")).substitute(
        gic=gic, linux=LINUX, work=work.words(), io=work.io, ramdisk=write_ramdisk(name, work).relative_to(ROOT))
    path = BUILD / f"bench-{name}.dts"
    path.write_text(text, "utf-8")
    return path


def wait(process: subprocess.Popen[bytes], console: Path, what: str, lifetime: float) -> int:
    """Until it ends by itself; kills it after its lifetime. Says now and then what it is at."""
    began = time.monotonic()
    while True:
        try:
            return process.wait(TELL)
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() - began > lifetime:
            process.kill()
            process.wait()
            raise MachineError(f"{what} did not power off within {lifetime:.0f} s; console: {console}")
        phases = read(console).count("@phase ")
        say(f"{what}: {phases} phases done" if phases else f"{what}: booting")


def read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def run(name: str, command: Sequence[str], logs: Path, what: str, lifetime: float = LIFETIME) -> Outcome:
    say(f"{what}")
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=open(logs / "qemu.err", "wb"))
    try:
        status = wait(process, logs / "console.log", what, lifetime)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    text = read(logs / "console.log")
    try:
        if status:
            raise ValueError(f"QEMU ended with {status}: {read(logs / 'qemu.err').strip()[-400:]}")
        return parse(text)
    except ValueError as error:
        last = "\n".join(f"    {x}" for x in text.splitlines()[-TAIL:])
        raise MachineError(f"{what}: {error}\n  last lines:\n{last}\n  whole console: {logs / 'console.log'}") from error


def fresh(name: str) -> Path:
    logs = BUILD / "logs" / f"bench-{name}"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    return logs


def run_bare(name: str, gic: int, work: Work) -> Outcome:
    logs = fresh(name)
    command = unattended(printed_command(write_config(name, gic, work)), logs)
    command = bare(command, write_ramdisk(name, work), work)
    outcome = run(name, command, logs, f"bare Linux, GICv{gic}: {summary(work)}")
    return complete(outcome, work, logs)


def packed(name: str, gic: int, work: Work, template: Path = TEMPLATE) -> Path:
    """The config, its image beside it."""
    config = write_config(name, gic, work, template)
    done = subprocess.run([str(BUILD / "causeway"), "pack", str(config), "-o", str(BUILD / f"bench-{name}.fit")], cwd=ROOT,
                          text=True, capture_output=True, timeout=120, check=False)
    if done.returncode:
        raise MachineError(f"causeway pack {config} ended with {done.returncode}:\n{done.stderr}")
    return config


def run_causeway(name: str, gic: int, work: Work, template: Path = TEMPLATE, counted: bool = False) -> Outcome:
    """`counted`: with a plugin that says whose instructions they were (marks.py)."""
    logs = fresh(name)
    config = packed(name, gic, work, template)
    marks = Marks(BUILD, logs) if counted else None
    command = [*unattended(printed_command(config), logs), *(marks.options if marks else [])]
    outcome = run(name, command, logs, f"Causeway, GICv{gic}: {summary(work)}")
    if not outcome.report.vcpus:
        raise MachineError(f"Causeway gave no report at power off; console: {logs / 'console.log'}")
    complete(outcome, work, logs)
    if marks:
        try:
            outcome.marks = marks.read(read(logs / "console.log"), outcome.report)
        except ValueError as error:
            raise MachineError(f"{name}: {error}; console: {logs / 'console.log'}") from error
    return outcome


def summary(work: Work) -> str:
    done = work.done()
    return " ".join(done) if len(done) < 10 else f"{' '.join(done[:7])} and {len(done) - 7} more"


def complete(outcome: Outcome, work: Work, logs: Path) -> Outcome:
    names = tuple(name for name, _ in outcome.phases)
    if names != work.done():
        raise MachineError(f"phases {names} were done, not {work.done()}; console: {logs / 'console.log'}")
    return outcome
