# SPDX-License-Identifier: BSD-2-Clause
"""What the machine said: the shared console split into lines of the hypervisor and each partition.

A line is `NAME| text`; `hv` is the hypervisor. Only whole lines count: a prompt may be cut anywhere.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Optional

HYPERVISOR = "hv"
_PREFIX = re.compile(r"^([A-Za-z0-9][\w.-]{0,31})\| ?(.*)$")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
MAX_LINES = 400_000  # a flooding guest ends the run, not the host's memory
MAX_PARTIAL = 65_536


@dataclass(frozen=True)
class Line:
    when: float  # seconds since the console was opened
    source: str  # HYPERVISOR, a partition, or "" for a line without a prefix
    text: str


class Console:
    """Filled by one reader thread, read by any."""

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = logs
        self._began = time.monotonic()
        self._lines: list[Line] = []
        self._partial = b""
        self._closed = ""
        self._changed = threading.Condition()
        self._whole: IO[str] = open(logs / "console.log", "w", encoding="utf-8", buffering=1)
        self._files: dict[str, IO[str]] = {}

    def feed(self, data: bytes) -> None:
        *whole, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > MAX_PARTIAL:
            whole.append(self._partial)
            self._partial = b""
        if whole:
            with self._changed:
                for raw in whole:
                    self._add(raw)
                self._changed.notify_all()

    def _add(self, raw: bytes) -> None:
        text = _CONTROL.sub("", raw.decode("utf-8", "replace"))
        match = _PREFIX.match(text)
        source, body = (match[1], match[2]) if match else ("", text)
        line = Line(time.monotonic() - self._began, source, body)
        self._whole.write(f"[{line.when:8.3f}] {text}\n")
        if source:
            self._file(source).write(body + "\n")
        if len(self._lines) < MAX_LINES:
            self._lines.append(line)
        else:
            self._closed = f"more than {MAX_LINES} console lines"

    def _file(self, source: str) -> IO[str]:
        if source not in self._files:
            if len(self._files) >= 64:
                return self._whole
            self._files[source] = open(self.logs / f"{source}.log", "w", encoding="utf-8", buffering=1)
        return self._files[source]

    def close(self, why: str) -> None:
        """No more lines will come. Idempotent; the first reason stays."""
        if self._partial:
            self.feed(b"\n")
        with self._changed:
            self._closed = self._closed or why
            self._changed.notify_all()

    def close_files(self) -> None:
        with self._changed:
            for file in (self._whole, *self._files.values()):
                file.flush()

    @property
    def closed(self) -> str:
        """Why no more lines will come; empty while the machine runs."""
        return self._closed

    def mark(self) -> int:
        """The position after the last line so far, for `since`."""
        with self._changed:
            return len(self._lines)

    def lines(self, source: Optional[str] = None, since: int = 0) -> list[Line]:
        with self._changed:
            return [x for x in self._lines[since:] if source is None or x.source == source]

    def find(self, pattern: str, source: Optional[str] = None, since: int = 0) -> list[re.Match[str]]:
        compiled = re.compile(pattern)
        found = (compiled.search(x.text) for x in self.lines(source, since))
        return [m for m in found if m]

    def wait(self, pattern: str, timeout: float, source: Optional[str] = None,
             since: int = 0) -> tuple[Optional[re.Match[str]], int]:
        """The first match at or after `since` and the position behind it; (None, end) without one."""
        compiled = re.compile(pattern)
        deadline = time.monotonic() + timeout
        position = since
        with self._changed:
            while True:
                while position < len(self._lines):
                    line = self._lines[position]
                    position += 1
                    match = compiled.search(line.text)
                    if match and source in (None, line.source):
                        return match, position
                left = deadline - time.monotonic()
                if left <= 0 or self._closed:
                    return None, position
                self._changed.wait(left)
