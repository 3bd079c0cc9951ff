# SPDX-License-Identifier: BSD-2-Clause
"""The checks that need no run: each is one test with a name, and says what to do when it fails."""

from __future__ import annotations

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Optional

ROOT = Path(__file__).resolve().parents[1]
CLANG_FORMAT = "14"  # Debian 12's; other versions lay some lines out differently
ROOMS = ["pci/bus", "pci/virt", "vf", "iommu", "iommu/smmuv3", "irq-route", "irq-route/gic", "io-host", "hv-glue",
         "hypervisor", "hypervisor/arch/aarch64"]
FRONT_DOORS = {"pci/bus": "pci_bus.h", "pci/virt": "pci_virt.h", "vf": "vf.h", "iommu": "iommu.h",
               "irq-route": "irq_route.h", "io-host": "io_host.h", "hv-glue": "glue.h"}
MAY_KNOW = {"pci/bus": set(), "pci/virt": {"pci/bus"}, "vf": {"pci/bus"}, "iommu": set(),
            "irq-route": set(), "io-host": set(), "hv-glue": set(FRONT_DOORS), "hypervisor": {"hv-glue", "iommu"}}
CARD_LINES = 20

Result = Optional[str]  # None: passed; text: what is wrong


class Skip(Exception):
    """Not checked here, for the reason given."""


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)


def tracked(*patterns: str) -> list[str]:
    # The tree may be another user's (root's make check): git refuses it unless told.
    listed = run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others", "--exclude-standard",
                  *patterns])
    if listed.returncode:
        raise Skip(f"git cannot list the sources: {listed.stderr.strip() or 'no reason given'}")
    return [name for name in listed.stdout.split() if (ROOT / name).exists()]


def make_flags(room: str) -> list[str]:
    """The include paths that the Makefile gives a room: the floors themselves, not a copy."""
    printed = run(["make", "--no-print-directory", "-s", f"--eval=show:;@echo $(I_{room})", "show"])
    return printed.stdout.split()


def target_flags(build: Path, room: str) -> list[str]:
    return ["-std=gnu11", "-ffreestanding", "-fpie", "-Ilib/arch/aarch64", "-Ilib/include",
            f"-I{build}/libfdt-src/libfdt", "-isystem", "/usr/aarch64-linux-gnu/include",
            *make_flags(room)]


def room_of(name: str) -> str:
    return str(Path(name).parent).removesuffix("/include")


def each(items: list[str], check: Callable[[str], Result]) -> Result:
    with ThreadPoolExecutor(max_workers=2) as pool:
        wrong = [text for text in pool.map(check, items) if text]
    return "\n".join(wrong) or None


def formatting(build: Path) -> Result:
    version = run(["clang-format", "--version"]).stdout
    if f"version {CLANG_FORMAT}." not in version:
        raise Skip(f"needs clang-format {CLANG_FORMAT}, here is {version.strip() or 'none'}")
    found = run(["clang-format", "--dry-run", "-Werror", *tracked("*.c", "*.h")])
    return found.stderr[:4000] + "mend it with clang-format -i" if found.returncode else None


def floors(build: Path) -> Result:
    """A forbidden include must not compile, an allowed one must."""
    wrong = []
    for room, known in MAY_KNOW.items():
        flags = make_flags(room)
        for other, header in FRONT_DOORS.items():
            if other == room:
                continue
            tried = subprocess.run(["gcc", "-fsyntax-only", "-x", "c", "-Ilib/arch/host", "-Ilib/include",
                                    *flags, "-"], input=f'#include "{header}"\n', cwd=ROOT, text=True,
                                   capture_output=True, check=False)
            if (tried.returncode == 0) != (other in known):
                wrong.append(f"{room} can{'' if tried.returncode == 0 else 'not'} include {other}'s {header}")
    return "\n".join(wrong) or None


def headers_alone(build: Path) -> Result:
    def alone(name: str) -> Result:
        tried = run(["gcc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Ilib/arch/host",
                     "-Ilib/include", *make_flags(room_of(name)), f"-I{Path(name).parent}", "-x", "c", name])
        return tried.stderr[:500] if tried.returncode else None

    skip = ("lib/arch/aarch64/", "hypervisor/arch/", "tests/", "guest-drivers/", "hv-glue/host/", "tools/")
    return each([n for n in tracked("*.h") if not n.startswith(skip)], alone)


def clang_build(build: Path) -> Result:
    """The second compiler, warnings as errors, for the target."""
    def compiled(name: str) -> Result:
        tried = run(["clang", "--target=aarch64-linux-gnu", "-fsyntax-only", "-mgeneral-regs-only", "-Wall",
                     "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wvla",
                     "-Wno-unused-const-variable", *target_flags(build, room_of(name)), name])
        return tried.stderr[:800] if tried.returncode else None

    return each(hypervisor_sources(), compiled)


def hypervisor_sources() -> list[str]:
    rooms = [*ROOMS, "lib"]
    return [n for n in tracked("*.c") if room_of(n) in rooms]


def tidy(build: Path) -> Result:
    def checked(name: str) -> Result:
        tried = run(["clang-tidy", "--quiet", name, "--", "--target=aarch64-linux-gnu",
                     *target_flags(build, room_of(name))])
        return tried.stdout[:1500] if tried.returncode else None

    def checked_tool(name: str) -> Result:
        tried = run(["clang-tidy", "--quiet", name, "--", "-std=gnu11", "-Ilib/include", "-Ipci/bus/include"])
        return tried.stdout[:1500] if tried.returncode else None

    wrong = [each(hypervisor_sources(), checked), each(tracked("tools/*.c"), checked_tool)]
    return "\n".join(text for text in wrong if text) or None


def shell(build: Path) -> Result:
    if not shutil.which("shellcheck"):
        raise Skip("shellcheck is not installed; run 'make setup'")
    found = run(["shellcheck", "-x", *tracked("*.sh", ".ci/run")])
    return found.stdout[:3000] if found.returncode else None


def no_variants_by_preprocessor(build: Path) -> Result:
    """A variant is a file: #if only in lib/ and arch/, and as include guards."""
    wrong = []
    for name in tracked("*.c", "*.h"):
        if name.startswith(("lib/", "hypervisor/arch/", "guest-drivers/", "tests/")):
            continue
        lines = (ROOT / name).read_text().splitlines()
        wrong += [f"{name}:{i}: {line}" for i, line in enumerate(lines, 1)
                  if re.match(r"\s*#\s*(if|ifdef|elif)\b", line)]
    return "\n".join(wrong) or None


def cards(build: Path) -> Result:
    wrong = []
    rooms = ["lib", "pci/bus", "pci/virt", "vf", "iommu", "irq-route", "io-host", "hv-glue", "hypervisor", "guest-drivers",
             "tools", "tests", "config"]
    for room in rooms:
        card = ROOT / room / "README.md"
        if not card.exists():
            wrong.append(f"{room} has no card (README.md)")
        elif len(card.read_text().splitlines()) > CARD_LINES:
            wrong.append(f"{room}/README.md is longer than {CARD_LINES} lines")
    return "\n".join(wrong) or None


def el2_size(build: Path) -> Result:
    found = run(["make", "--no-print-directory", "size"])
    return found.stdout if found.returncode else None


CHECKS: dict[str, Callable[[Path], Result]] = {
    "clang-format": formatting, "floors": floors, "headers compile alone": headers_alone,
    "clang warnings": clang_build, "clang-tidy": tidy, "shellcheck": shell,
    "no #if outside lib and arch": no_variants_by_preprocessor, "cards": cards, "EL2 code size": el2_size,
}
