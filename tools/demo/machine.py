# SPDX-License-Identifier: BSD-2-Clause
"""One machine: started, spoken to, stopped. Every wait has a bound and every failure names the log.

Guests print; nothing they print is trusted further than its line. The console's keys are the
hypervisor's: an escape (Ctrl-T), then one character.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable, Optional, Sequence

from demo.console import HYPERVISOR, Console, Line
from demo.report import Report, ReportError, parse_report

ESCAPE = b"\x14"
MAX_COMMAND = 900  # a partition's input buffer holds 1024 bytes
STOP = 10  # seconds for it to end when it is asked to
TAIL = 20
MOST = 400
ROOT = Path(__file__).resolve().parents[2]


class MachineError(Exception):
    """Something the machine should have said or done, and did not."""


class Machine:
    """`argv` must end up as QEMU (by exec) with its console on the Unix socket `serial`."""

    def __init__(self, argv: Sequence[str], serial: Path, logs: Path,
                 say: Callable[[str], None] = lambda text: None) -> None:
        self.argv = list(argv)
        self.logs = logs
        self.console = Console(logs)
        self.say = say
        self.began = time.monotonic()
        self.indexes: dict[str, int] = {}
        self._selected: Optional[str] = None
        self._sequence = 0
        self._serial_path = serial
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._socket: Optional[socket.socket] = None
        self._reader: Optional[threading.Thread] = None

    # --- start and stop -------------------------------------------------------------------------

    def start(self, timeout: float = 30) -> None:
        with open(self.logs / "run.log", "wb") as log:
            self._process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, cwd=ROOT)
        try:
            self._socket = self._connect(timeout)
        except BaseException:
            self.stop()
            raise
        self._reader = threading.Thread(target=self._read, args=(self._socket,), daemon=True)
        self._reader.start()

    def _connect(self, timeout: float) -> socket.socket:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process and self._process.poll() is not None:
                raise self.error(f"the machine ended at once with status {self._process.returncode}")
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                link.connect(str(self._serial_path))
                return link
            except (FileNotFoundError, ConnectionRefusedError):
                link.close()
                time.sleep(0.05)
        raise self.error(f"no console at {self._serial_path} after {timeout:.0f} s")

    def _read(self, link: socket.socket) -> None:
        try:
            while data := link.recv(65536):
                self.console.feed(data)
        except OSError:
            pass
        self.console.close("the machine closed its console")

    def stop(self) -> Optional[int]:
        """Powers off, then terminates, then kills: only the process started here. Idempotent."""
        process = self._process
        if process and process.poll() is None:
            try:
                self.press("q")
                process.wait(STOP)
            except (OSError, MachineError, subprocess.TimeoutExpired):
                process.terminate()
                try:
                    process.wait(STOP)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)
        if self._reader:
            self._reader.join(5)
        if self._socket:
            self._socket.close()
            self._socket = None
        self.console.close("the machine was stopped")
        self.console.close_files()
        return process.returncode if process else None

    def wait_exit(self, timeout: float) -> int:
        """Waits for the machine to power itself off; its exit status."""
        assert self._process is not None
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.error(f"still running after {timeout:.0f} s, should have powered off") from None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    # --- listening ------------------------------------------------------------------------------

    def error(self, what: str) -> MachineError:
        """An error with what a person needs next: the last lines and where the rest is."""
        last = self.console.lines()[-TAIL:]
        text = "\n".join(f"    {x.source}| {x.text}" if x.source else f"    {x.text}" for x in last)
        log = self.logs / "console.log"
        if not any(x.source for x in self.console.lines()):
            log = self.logs / "run.log"  # it never came up: what `causeway run` said is the reason, all of it
            text = _text(log) or "    (the console stayed silent)"
        return MachineError(f"{what}\n  last lines:\n{text}\n  whole console: {log}")

    def expect(self, pattern: str, timeout: float, source: Optional[str] = None,
               since: int = 0) -> re.Match[str]:
        """The first line matching from position `since` on; MachineError after `timeout` seconds."""
        match, _ = self.console.wait(pattern, timeout, source, since)
        if match:
            return match
        who = f" from {source}" if source else ""
        why = f": {self.console.closed}" if self.console.closed else f" within {timeout:.0f} s"
        raise self.error(f"no line matching '{pattern}'{who}{why}")

    def events(self, pattern: str, since: int = 0) -> list[re.Match[str]]:
        """Lines of the hypervisor that match."""
        return self.console.find(pattern, HYPERVISOR, since)

    # --- speaking -------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        """The escape key and a command: one character, or `r` and a digit."""
        self._send(ESCAPE + key.encode("ascii"))

    def _send(self, data: bytes) -> None:
        if not self._socket:
            raise self.error("the machine has no console")
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self.error(f"cannot write to the console: {error}") from error

    def report(self, timeout: float = 20) -> Report:
        """The hypervisor's counters, read now."""
        deadline = time.monotonic() + timeout
        while True:
            since = self.console.mark()
            self.press("s")
            left = max(0.1, deadline - time.monotonic())
            match, _ = self.console.wait(r"^@end$", min(5, left), HYPERVISOR, since)
            if match:
                break
            if time.monotonic() >= deadline or self.console.closed:
                raise self.error(f"the hypervisor gave no report within {timeout:.0f} s")
        try:
            report = parse_report(_between([x.text for x in self.console.lines(HYPERVISOR, since)]))
        except ReportError as error:
            raise self.error(str(error)) from error
        self.indexes = {p.name: p.index for p in report.partitions}
        return report

    def _key_of(self, partition: str) -> str:
        if partition not in self.indexes:
            self.report()
        index = self.indexes.get(partition)
        if index is None or index > 9:
            raise self.error(f"no key selects partition {partition}: the machine has {self.indexes}")
        return str(index)

    def select(self, partition: str, timeout: float = 10) -> None:
        """Routes what is typed to `partition`."""
        if self._selected == partition:
            return
        key = self._key_of(partition)
        since = self.console.mark()
        self.press(key)
        self.expect(rf"^input -> {re.escape(partition)}$", timeout, HYPERVISOR, since)
        self._selected = partition

    def reset(self, partition: str) -> None:
        """Asks the hypervisor to reset one partition."""
        key = self._key_of(partition)
        self.press("r" + key)

    def type_line(self, partition: str, text: str) -> None:
        """One line to a partition, without waiting for what it does."""
        data = text.encode("utf-8") + b"\n"
        if len(data) > MAX_COMMAND:
            raise ValueError(f"a command of {len(data)} bytes does not fit the console's buffer")
        self.select(partition)
        self._send(data)

    def shell(self, partition: str, command: str, timeout: float = 30) -> tuple[int, list[str]]:
        """Runs one shell line in a Linux guest; its exit status and output lines."""
        self._sequence += 1
        tag = f"{self._sequence}x{os.getpid() % 1000}"
        since = self.console.mark()
        quoted = command.replace("'", "'\\''")
        self.type_line(partition, f"cw-run {tag} '{quoted}'")
        end = self.expect(rf"@end {tag} rc=(\d+)$", timeout, partition, since)
        lines = [x.text for x in self.console.lines(partition, since)]
        return int(end[1]), _inside(lines, tag)


def _between(lines: list[str]) -> list[str]:
    """From the last `@report` on to its `@end`."""
    starts = [i for i, text in enumerate(lines) if text.startswith("@report ")]
    body = lines[starts[-1]:] if starts else lines
    return body[: body.index("@end") + 1] if "@end" in body else body


def _inside(lines: list[str], tag: str) -> list[str]:
    """The output between the markers, which may have stray prompt text in front."""
    out: Optional[list[str]] = None
    for text in lines:
        if text.endswith(f"@begin {tag}"):
            out = []
        elif out is not None and f"@end {tag} rc=" in text:
            return out
        elif out is not None:
            out.append(text)
    return out or []


def _text(path: Path) -> str:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()[:MOST]
    except OSError:
        return ""
    return "\n".join(f"    {x}" for x in lines)


class Sockets:
    """Socket paths in a directory of their own: short enough for a Unix address, gone at the end."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="causeway-")
        base = Path(self._directory.name)
        self.serial, self.inside, self.outside = base / "serial", base / "in", base / "out"

    def remove(self) -> None:
        self._directory.cleanup()


__all__ = ["Machine", "MachineError", "Sockets", "Line", "ROOT"]
