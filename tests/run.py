# SPDX-License-Identifier: BSD-2-Clause
"""Runs the suites named on the command line and ends with one line: N passed, N failed, N skipped.

unit    cmocka programs under ASan and UBSan      fuzz    deterministic fuzz programs
tools   the causeway program, by pytest           lint    tests/lint.py
qtest   the rooms on QEMU's own devices, cmocka   system  QEMU, by pytest
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import lint

ROOT = Path(__file__).resolve().parents[1]
PROGRAM_SECONDS = 120
PYTEST_SECONDS = {"tools": 300, "system": 2000}  # make test has 40 minutes in all


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def say(text: str) -> None:
    print(text, flush=True)


def run_program(program: Path) -> tuple[int, str]:
    try:
        done = subprocess.run([program], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
                              timeout=PROGRAM_SECONDS, check=False, errors="replace")
        return done.returncode, done.stdout
    except FileNotFoundError:
        return 1, f"{program} was not built: run 'make unit fuzz'"
    except subprocess.TimeoutExpired:
        return 1, f"did not end within {PROGRAM_SECONDS} s"


def programs(build: Path, folder: str, prefix: str) -> list[Path]:
    """What was built from the sources there are: a program whose source is gone does not count."""
    sources = sorted((ROOT / folder).rglob(f"{prefix}_*.c"))
    return [build / "host" / s.relative_to(ROOT).with_suffix("") for s in sources]


def unit_tally(program: Path, code: int, output: str) -> Tally:
    """Counts cmocka's tests; a program that dies without counting is one failure."""
    passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", output))
    failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] .*?(\d+) test", output))
    if code and not failed:
        failed = 1
    if not code and not passed:
        failed = 1
        output += f"\n{program} ran no test"
    if failed:
        say(output[-6000:])
    return Tally(passed, failed)


def unit(build: Path) -> Tally:
    total = Tally()
    found = programs(build, "tests/unit", "test")
    with ThreadPoolExecutor(max_workers=2) as pool:
        for program, (code, output) in zip(found, pool.map(run_program, found)):
            tally = unit_tally(program, code, output)
            say(f"  unit   {program.relative_to(build / 'host' / 'tests' / 'unit')}: {tally.passed} passed, "
                f"{tally.failed} failed")
            total.add(tally)
    return total


def qtest(build: Path) -> Tally:
    """One after the other: each has a QEMU of its own, which it ends."""
    total = Tally()
    found = programs(build, "tests/qtest", "test")
    if not shutil.which("qemu-system-aarch64"):
        say("  qtest  skipped: qemu-system-aarch64 is not installed; run 'make setup'")
        total.skipped += [f"qtest {program.name}: no QEMU" for program in found]
        return total
    for program in found:
        tally = unit_tally(program, *run_program(program))
        say(f"  qtest  {program.name}: {tally.passed} passed, {tally.failed} failed")
        total.add(tally)
    return total


def fuzz(build: Path) -> Tally:
    total = Tally()
    for program in programs(build, "tests/fuzz", "fuzz"):
        code, output = run_program(program)
        say(f"  fuzz   {program.name}: {'passed' if code == 0 else 'FAILED'}")
        if code:
            say(output[-6000:])
        total.add(Tally(int(code == 0), int(code != 0)))
    return total


def static(build: Path) -> Tally:
    total = Tally()
    for name, check in lint.CHECKS.items():
        began = time.monotonic()
        try:
            wrong = check(build)
        except lint.Skip as reason:
            say(f"  lint   {name}: skipped: {reason}")
            total.skipped.append(f"lint {name}: {reason}")
            continue
        say(f"  lint   {name}: {'FAILED' if wrong else 'passed'} ({time.monotonic() - began:.0f} s)")
        if wrong:
            say(wrong)
        total.add(Tally(int(not wrong), int(bool(wrong))))
    return total


def pytest(name: str, folder: str) -> Tally:
    """pytest's own progress is shown; its closing line is what counts."""
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-rs", "-v", "--tb=short", folder]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               errors="replace")
    timer = threading.Timer(PYTEST_SECONDS[name], process.terminate)
    timer.start()
    closing = ""
    assert process.stdout
    for line in process.stdout:
        say(f"  {name:6} {line.rstrip()}" if not line.startswith("==") else line.rstrip())
        if re.match(r"=+ .*(passed|failed|error|skipped).* in ", line):
            closing = line
    code = process.wait()
    if not timer.is_alive():
        say(f"{name}: not done after {PYTEST_SECONDS[name]} s")
    timer.cancel()
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", closing)}
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    tally = Tally(counts.get("passed", 0), failed)
    tally.skipped = [f"{name}: see above"] * counts.get("skipped", 0)
    if (code or not closing) and not failed:
        tally.failed += 1
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("suites", nargs="+", choices=["unit", "fuzz", "qtest", "tools", "lint", "system"])
    chosen = parser.parse_args()
    build = chosen.build.resolve()
    suites = {"unit": lambda: unit(build), "fuzz": lambda: fuzz(build), "qtest": lambda: qtest(build), "lint": lambda: static(build),
              "tools": lambda: pytest("tools", "tests/unit/tools"),
              "system": lambda: pytest("system", "tests/system")}
    total = Tally()
    start = time.monotonic()
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")
    for name in chosen.suites:
        say(f"== {name}")
        total.add(suites[name]())
    say(f"== {time.monotonic() - start:.0f} s")
    skipped = f", {len(total.skipped)} skipped" if total.skipped else ""
    say(f"{total.passed} passed, {total.failed} failed{skipped}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
