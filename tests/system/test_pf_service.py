# SPDX-License-Identifier: BSD-2-Clause
"""The PF service against an igb without a hypervisor in between: guest-drivers/selftest enables SR-IOV
itself and plays five VFs: mailbox fuzz and flood, forged MACs, VLANs, restarts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

SECONDS = 60
COMMAND = ["qemu-system-aarch64", "-M", "virt,gic-version=3,its=on", "-cpu", "neoverse-n1", "-smp", "2", "-m", "256M",
           "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-device", "igb,addr=2",
           # Its bounds are in the machine's time, which must not follow a loaded host's.
           "-icount", "shift=3,sleep=off"]


@pytest.mark.bound(90)
def test_selftest(built: Path) -> None:
    logs = built / "logs" / "test-pf-service"
    logs.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run([*COMMAND, "-kernel", str(built / "selftest.bin")], cwd=ROOT, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
        said = done.stdout
    except subprocess.TimeoutExpired as slow:
        said = (slow.stdout or b"").decode("utf-8", "replace") + f"\nstill running after {SECONDS} s"
    (logs / "console.log").write_text(said)
    assert "@done failed=0" in said, said[-3000:]
