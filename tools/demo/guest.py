# SPDX-License-Identifier: BSD-2-Clause
"""A Linux guest at the other end of its console: its interfaces, its packets, its interrupts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Optional

from demo.machine import Machine
from demo.report import key_values

READY = r"@ready name="
PORT = 7
_PING_INTERVAL = 0.05  # seconds
_PING_SECONDS = 5  # for the last answers: as long as nothing is lost, ping ends with the last one
_SECONDS_PER_ROUND_TRIP = 0.02  # of the host, for a bound: ten times what is usual


@dataclass(frozen=True)
class Interface:
    name: str
    function: str  # as the guest sees it
    driver: str
    rx: int
    tx: int

    @property
    def packets(self) -> int:
        return self.rx + self.tx


@dataclass(frozen=True)
class Traffic:
    """What pk or ping measured; None where it does not say."""

    packets: int
    lost: int
    rtt_ns: Optional[float] = None
    pps: Optional[float] = None
    instructions: Optional[float] = None  # of the whole machine, for a round trip or a packet


class Guest:
    def __init__(self, machine: Machine, name: str) -> None:
        self.machine = machine
        self.name = name
        self.address = ""
        self.ready: dict[str, str] = {}

    def wait_ready(self, timeout: float, since: int = 0) -> dict[str, str]:
        """Until the guest's init says so: the words of its @ready line."""
        match = self.machine.expect(READY, timeout, self.name, since)
        self.ready = key_values(match.string[match.start():])
        return self.ready

    def run(self, command: str, timeout: float = 30) -> list[str]:
        """A command that must succeed."""
        rc, lines = self.machine.shell(self.name, command, timeout)
        if rc != 0:
            said = "\n    ".join(lines[-10:])
            raise self.machine.error(f"{self.name}: '{command}' ended with {rc}:\n    {said}")
        return lines

    def find_address(self) -> str:
        """The IPv4 address of the interface that was ready."""
        lines = self.run(f"ip -4 -o addr show dev {self.ready['if']}")
        match = re.search(r"inet (\d+\.\d+\.\d+\.\d+)", "\n".join(lines))
        if not match:
            raise self.machine.error(f"{self.name}: {self.ready['if']} has no IPv4 address")
        self.address = match[1]
        return self.address

    def interfaces(self) -> list[Interface]:
        """The interfaces with a PCI function behind them, and their counters."""
        lines = self.run(
            "for d in /sys/class/net/*/device; do i=${d%/device}; "
            "echo @if name=${i##*/} function=$(basename $(readlink -f $d)) "
            "driver=$(basename $(readlink -f $d/driver)) "
            "rx=$(cat $i/statistics/rx_packets) tx=$(cat $i/statistics/tx_packets); done")
        words = [key_values(x) for x in lines if x.startswith("@if ")]
        return [Interface(w["name"], w["function"], w["driver"], int(w["rx"]), int(w["tx"]))
                for w in words]

    def interrupts(self) -> dict[str, int]:
        """/proc/interrupts: name (the last word of a row) → total over the CPUs."""
        totals: dict[str, int] = {}
        for line in self.run("cat /proc/interrupts"):
            match = re.match(r"\s*(\w+):((?:\s+\d+)+)\s+(\S.*)$", line)
            if match:
                name = match[3].split()[-1]
                totals[name] = totals.get(name, 0) + sum(map(int, match[2].split()))
        return totals

    def messages(self) -> int:
        """Message interrupts of its devices so far, of all its CPUs."""
        total = 0
        for line in self.run("grep ITS /proc/interrupts || true"):
            match = re.match(r"\s*\w+:((?:\s+\d+)+)\s", line)
            total += sum(map(int, match[1].split())) if match else 0
        return total

    def serve(self) -> None:
        """The packet tool's server, in the background; one is enough."""
        self.run(f"pidof pk >/dev/null || {{ pk srv {PORT} >/dev/null 2>&1 & sleep 0.2; }}")

    def ping(self, address: str, count: int = 20) -> Traffic:
        """Which of `count` pings were answered. Without a deadline ping waits for two of the longest round trips after its
        last packet, and takes what comes later for lost; with one it sends more until `count` answers are there."""
        deadline = math.ceil(count * _PING_INTERVAL) + _PING_SECONDS
        words = self.run(f"ping -c {count} -w {deadline} -i {_PING_INTERVAL} {address} | "
                         "sed -n 's/.*icmp_seq=\\([0-9]*\\) ttl.*/\\1/p' | tr '\\n' ' '; echo", 30 + 6 * count)
        answers = " ".join(words).split()
        if not all(word.isdigit() for word in answers):
            raise self.machine.error(f"{self.name}: ping {address} said: {' '.join(words)}")
        return Traffic(count, count - len({word for word in answers if int(word) <= count}))

    def round_trips(self, address: str, count: int, size: int = 64) -> Traffic:
        words = self._pk(f"pk rr {address} {PORT} {count} {size}", count)
        return Traffic(count, int(words["lost"]) + int(words["corrupt"]), float(words["rtt_ns_p50"]),
                       float(words["pps"]), _known(words["insn_per_rt"]))

    def stream(self, address: str, count: int, size: int = 1472, window: int = 64, batch: int = 1) -> Traffic:
        words = self._pk(f"pk tx {address} {PORT} {count} {size} {window}{f' {batch}' if batch > 1 else ''}", count)
        return Traffic(count, int(words["lost"]), None, float(words["pps"]),
                       _known(words["insn_per_packet"]))

    def _pk(self, command: str, count: int) -> dict[str, str]:
        lines = self.run(command, 60 + count * _SECONDS_PER_ROUND_TRIP)
        words = key_values(next((x for x in lines if x.startswith("pk ")), ""))
        if "lost" not in words or "error" in words:
            raise self.machine.error(f"{self.name}: '{command}' printed no figures: {lines}")
        return words


def _known(text: str) -> Optional[float]:
    value = float(text)
    return value if value >= 0 else None
