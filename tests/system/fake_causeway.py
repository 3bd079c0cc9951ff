#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stands in for `causeway run` so that the harness itself can be tested: no QEMU, a few seconds.

Speaks the console protocol of a machine with two Linux partitions and a PF service. FAKE, a
comma-separated list, makes it misbehave: lost, exits, faults, mute-b, dead, stuck, no-carrier.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import sys
import time
from typing import Callable

FAKE = set(filter(None, os.environ.get("FAKE", "").split(",")))
NAMES = ["pf-service", "net-a", "net-b"]
CLASSES = "timer ipi console config its inject fault psci other"
FUNCTIONS = {"net-a": "0000:01:10.0", "net-b": "0000:01:10.2"}


class Fake:
    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.selected = 0
        self.typed: dict[str, bytes] = {n: b"" for n in NAMES}
        self.packets = {n: 10 for n in NAMES}
        self.reports = 0

    def say(self, source: str, text: str) -> None:
        self.link.sendall(f"{source}| {text}\r\n".encode())

    def ready(self, name: str) -> None:
        carrier = 0 if "no-carrier" in FAKE else 1
        self.say(name, f"@ready name={name} if=eth0 mac=52:54:00:00:00:0{NAMES.index(name)} "
                 f"carrier={carrier} driver=igbvf function=0000:00:01.0 uptime=1.0")
        self.say(name, "# ")

    def report(self) -> None:
        self.reports += 1
        exits = 7 * self.reports if "exits" in FAKE else 4
        self.say("hv", f"@report time={self.reports * 1000} freq=1000000000")
        for index, name in enumerate(NAMES):
            service = int(name == "pf-service")
            self.say("hv", f"@partition name={name} index={index} state=running service={service} resets=0")
            counts = " ".join(f"{c}={exits if c == 'config' else 3}"
                              for c in CLASSES.split())
            ticks = " ".join(f"{c}_insn={exits * 100 if c == 'config' else 5}"
                             for c in CLASSES.split())
            self.say("hv", f"@vcpu partition={name} vcpu=0 core={index} {counts}")
            self.say("hv", f"@vcpu partition={name} vcpu=0 {ticks}")
        for name, function in FUNCTIONS.items():
            self.say("hv", f"@device partition={name} function={function} kind=VF dma=smmu-stage2 "
                     "interrupts=vlpi label=eth0 guest=0000:00:01.0 state=assigned direct=asked config=4 its=3 faults=0")
        self.say("hv", f"@faults total={2 if 'faults' in FAKE else 0} distinct={1 if 'faults' in FAKE else 0} "
                       "overflows=0")
        self.say("hv", "@end")

    def key(self, key: str) -> bool:
        """False: power off."""
        if key.isdigit() and int(key) < len(NAMES):
            self.selected = int(key)
            self.say("hv", f"input -> {NAMES[self.selected]}")
        elif key == "s":
            self.report()
        return key != "q"

    def line(self, name: str, text: str) -> None:
        match = re.match(r"cw-run (\S+) '(.*)'$", text)
        if not match or name not in FUNCTIONS:
            return
        tag, command = match[1], match[2].replace("'\\''", "'")
        self.say(name, f"@begin {tag}")
        rc = next((f(self, name, command) for p, f in COMMANDS if re.search(p, command)), 127)
        self.say(name, f"@end {tag} rc={rc}")
        self.say(name, "# ")

    def count(self, packets: int) -> None:
        for name in FUNCTIONS:
            self.packets[name] += packets

    def address(self, name: str, command: str) -> int:
        self.say(name, f"2: eth0    inet 10.0.0.{NAMES.index(name)}/24 scope global eth0")
        return 0

    def interfaces(self, name: str, command: str) -> int:
        self.say(name, f"@if name=eth0 function=0000:00:01.0 driver=igbvf rx={self.packets[name]} tx=1")
        return 0

    def ping(self, name: str, command: str) -> int:
        count = int(re.search(r"-c (\d+)", command)[1])  # type: ignore[index]
        answered = range(2 if "lost" in FAKE else 1, count + 1)
        self.count(2 * count)
        self.say(name, " ".join(str(number) for number in answered))
        return 0

    def rr(self, name: str, command: str) -> int:
        self.count(2000)
        self.say(name, "pk rr n=1000 size=64 lost=0 corrupt=0 rtt_ns_avg=41560 rtt_ns_min=40000 "
                 "rtt_ns_p50=41000 rtt_ns_p99=50000 rtt_ns_max=60000 pps=24000.0 insn_per_rt=41560")
        return 0

    def tx(self, name: str, command: str) -> int:
        self.say(name, "pk tx n=2000 size=1472 window=64 lost=0 stalls=0 ns_per_packet=13490.0 "
                 "pps=74128.0 mbit=873.00 insn_per_packet=13490")
        return 0

    def true(self, name: str, command: str) -> int:
        return 0

    def echo(self, name: str, command: str) -> int:
        self.say(name, command[5:])
        return 3 if "fail" in command else 0


COMMANDS: list[tuple[str, Callable[[Fake, str, str], int]]] = [
    (r"^pk rr", Fake.rr), (r"^pk tx", Fake.tx), (r"^ping", Fake.ping), (r"^ip -4", Fake.address),
    (r"@if name", Fake.interfaces), (r"^pidof", Fake.true), (r"^echo ", Fake.echo),
]


def serve(fake: Fake) -> int:
    """Reads the console until power-off."""
    escaped = False
    while data := fake.link.recv(4096):
        if "stuck" in FAKE:
            continue
        for byte in data:
            if escaped:
                escaped = False
                if not fake.key(chr(byte)):
                    return 0
            elif byte == 0x14:
                escaped = True
            elif byte == 0x0A:
                name = NAMES[fake.selected]
                text, fake.typed[name] = fake.typed[name].decode(), b""
                fake.line(name, text)
            else:
                fake.typed[NAMES[fake.selected]] += bytes([byte])
    return 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=["run"])
    parser.add_argument("config")
    parser.add_argument("--serial", required=True)
    parser.add_argument("--external")
    parser.add_argument("--log")
    parser.add_argument("--timeout")
    parser.add_argument("--icount", action="store_true")
    options = parser.parse_args()
    if "dead" in FAKE:
        print("fake: cannot start: no such thing")
        return 2
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(options.serial.removeprefix("unix:"))
    listener.listen(1)
    listener.settimeout(10)
    link, _ = listener.accept()
    fake = Fake(link)
    fake.say("hv", "Causeway (fake)")
    for name in FUNCTIONS:
        time.sleep(0.1)
        if not ("mute-b" in FAKE and name == "net-b"):
            fake.ready(name)
    return serve(fake)


if __name__ == "__main__":
    sys.exit(main())
