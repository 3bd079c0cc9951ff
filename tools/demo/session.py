# SPDX-License-Identifier: BSD-2-Clause
"""A machine with its end point outside: from a config file to something that answers."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Callable, Optional, Sequence

from demo.console import HYPERVISOR
from demo.endpoint import EndPoint
from demo.guest import Guest
from demo.machine import ROOT, Machine, Sockets
from demo.report import Report

BOOT_TIMEOUT = 120.0  # to the hypervisor's first words and counters
LIFETIME = 1200  # seconds: no machine outlives a harness that was killed for long
READY_TIMEOUT = 240.0  # to a Linux guest's @ready


class Session:
    """`with Session(...) as s:` starts it and always ends it."""

    def __init__(self, config: Path, name: str, *, build: Path = ROOT / "build",
                 causeway: Optional[Sequence[str]] = None, options: Sequence[str] = (),
                 icount: bool = True, say: Callable[[str], None] = lambda text: None) -> None:
        self.config = config
        self.logs = build / "logs" / name
        shutil.rmtree(self.logs, ignore_errors=True)
        self.sockets = Sockets()
        self.say = say
        argv = [*(causeway or [str(build / "causeway")]), "run", str(config),
                "--serial", f"unix:{self.sockets.serial}",
                "--external", f"{self.sockets.inside},{self.sockets.outside}",
                "--log", str(self.logs / "serial.log"), "--timeout", str(LIFETIME),
                *(["--icount"] if icount else []), *options]
        self.machine = Machine(argv, self.sockets.serial, self.logs, say)
        self.endpoint = EndPoint(self.sockets.inside, self.sockets.outside)
        self.guests: dict[str, Guest] = {}

    def __enter__(self) -> "Session":
        try:
            self.endpoint.start()
            self.machine.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: Optional[type[BaseException]], value: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        self.machine.stop()
        self.endpoint.stop()
        self.sockets.remove()

    def boot(self) -> Report:
        """Waits for the hypervisor; its first report says who is there."""
        self.machine.expect(r".", BOOT_TIMEOUT, HYPERVISOR)
        self.say("the hypervisor is up; it checks the images' hashes, then starts the partitions")
        # It takes keys from the first partition's start on.
        self.machine.expect(r"^\S+ -> \S+ \(|^\S+ \S+ \(\S+\): |^\S+: not started|@ready", BOOT_TIMEOUT)
        return self.machine.report(BOOT_TIMEOUT)

    def wait_guests(self, names: Sequence[str], timeout: float = READY_TIMEOUT) -> list[Guest]:
        """Waits until each named Linux guest is ready, saying how it goes."""
        deadline = time.monotonic() + timeout
        for name in names:
            guest = Guest(self.machine, name)
            while not self.machine.console.find("@ready name=", name):
                left = deadline - time.monotonic()
                match, _ = self.machine.console.wait("@ready name=", min(10, max(0.1, left)), name)
                if match:
                    break
                if left <= 0 or self.machine.console.closed:
                    raise self.machine.error(f"{name} is not ready after {timeout:.0f} s")
                last = self.machine.console.lines(name)[-1:]
                self.say(f"{name} is still booting: {last[0].text if last else '(silent so far)'}")
            ready = guest.wait_ready(1)
            self.say(f"{name} is ready: {ready.get('if')} {ready.get('mac')}, driver "
                     f"{ready.get('driver')}, carrier {ready.get('carrier')}")
            self.guests[name] = guest
        return [self.guests[n] for n in names]


def linux_partitions(report: Report) -> list[str]:
    """Partitions that own a VF, in config order: the ones expected to run Linux and to be ready."""
    owners = {d.partition for d in report.devices if d.kind == "VF"}
    return [p.name for p in report.partitions if p.name in owners and not p.service]
