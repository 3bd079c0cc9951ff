# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the system tests: the harness of tools/demo, what must have been built, time bounds.

A machine takes tens of seconds to boot, so a module boots one and asks it many things. Each test
has a bound of its own (60 s, or `@pytest.mark.bound(seconds)`), enforced by a signal.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any, Iterator, Optional

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True

BUILD = ROOT / "build"
NEEDED = ("causeway", "hypervisor.bin", "pf-service.bin", "attacker.bin", "peer.bin", "guest/Image", "guest/initramfs.cpio.gz",
          "guest/initramfs-rdma.cpio.gz", "guest/initramfs-hosting.cpio.gz")
DEFAULT_BOUND = 60


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "bound(seconds): the test, with its fixtures, ends by then")


@pytest.fixture(scope="session")
def built() -> Path:
    """The build folder, complete. A missing piece is an error and not a skip."""
    missing = [name for name in NEEDED if not (BUILD / name).exists()]
    if missing:
        pytest.fail(f"{', '.join(missing)} not found in {BUILD}: run 'make setup all' first", pytrace=False)
    return BUILD


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: Optional[pytest.Item]) -> Iterator[Any]:
    marker = item.get_closest_marker("bound")
    seconds = int(marker.args[0]) if marker else DEFAULT_BOUND

    def expired(number: int, frame: object) -> None:
        raise TimeoutError(f"{item.nodeid} did not end within its bound of {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
