# SPDX-License-Identifier: BSD-2-Clause
"""Linux guests each in a QEMU of its own, without a hypervisor, joined by cables: what is in the guests' images,
apart from what Causeway makes of it. They are spoken to like the partitions of one machine."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Sequence

from demo.machine import MAX_COMMAND, ROOT, Machine

LINUX = "console=ttyAMA0 nokaslr quiet panic=-1"


@dataclass(frozen=True)
class Cable:
    """One end of a cable: a pair of Unix datagram sockets, a frame in each datagram."""

    here: Path
    there: Path

    def netdev(self, name: str) -> str:
        return (f"dgram,id={name},local.type=unix,local.path={self.here},"
                f"remote.type=unix,remote.path={self.there}")


def command(name: str, ramdisk: Path, words: str, devices: Sequence[str]) -> list[str]:
    return ["qemu-system-aarch64", "-name", name, "-M", "virt,gic-version=3", "-cpu", "neoverse-n1", "-m", "256",
            "-accel", "tcg", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-kernel", str(ROOT / "build/guest/Image"), "-initrd", str(ramdisk),
            "-append", f"{LINUX} cw.name={name} {words}", *devices]


class PlainGuests(Machine):
    """`commands`: a guest's name and its QEMU, with the console on its standard input and output."""

    def __init__(self, commands: dict[str, list[str]], logs: Path) -> None:
        super().__init__([], Path("/none"), logs)
        self._commands = commands
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._feeding = threading.Lock()

    def start_guest(self, name: str) -> None:
        for word in self._commands[name]:
            if "local.path=" in word:  # QEMU does not take a socket's place
                Path(word.partition("local.path=")[2].partition(",")[0]).unlink(missing_ok=True)
        with open(self.logs / f"{name}.qemu.log", "ab") as errors:
            process = subprocess.Popen(self._commands[name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=errors)
        self._running[name] = process
        assert process.stdout
        threading.Thread(target=self._listen, args=(name, process.stdout), daemon=True).start()

    def _listen(self, name: str, pipe: IO[bytes]) -> None:
        partial = b""
        while data := os.read(pipe.fileno(), 65536):
            *whole, partial = (partial + data).split(b"\n")
            with self._feeding:
                for line in whole:
                    self.console.feed(name.encode() + b"| " + line + b"\n")

    def kill_guest(self, name: str) -> None:
        """As if its power failed."""
        process = self._running.pop(name)
        process.kill()
        process.wait(10)

    def wait_off(self, name: str, timeout: float) -> None:
        try:
            self._running[name].wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.error(f"{name} is still running after {timeout:.0f} s, should have powered off") from None
        del self._running[name]

    def stop(self) -> None:
        for name in list(self._running):
            self.kill_guest(name)
        self.console.close("the guests were stopped")
        self.console.close_files()

    def type_line(self, partition: str, text: str) -> None:
        data = text.encode("utf-8") + b"\n"
        pipe = self._running[partition].stdin
        if len(data) > MAX_COMMAND or pipe is None:
            raise ValueError(f"a command of {len(data)} bytes is too long")
        pipe.write(data)
        pipe.flush()


__all__ = ["Cable", "PlainGuests", "command"]
