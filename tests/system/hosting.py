# SPDX-License-Identifier: BSD-2-Clause
"""An I/O-hosting partition and the two guests it serves, whatever they run on: who they are, what they are asked."""

from __future__ import annotations

import pytest

from demo.guest import Guest
from demo.machine import Machine

HOST = "10.0.0.253"
IPS = {"left": "10.0.0.1", "right": "10.0.0.2"}
MACS = {"left": "52:54:00:ca:10:01", "right": "52:54:00:ca:10:02"}
CARD = "52:54:00:ca:00:02"
WIRES = ",".join(f"{n}/{MACS[n]}/{IPS[n]}" for n in IPS)
BACK = 90  # seconds until a disk is there again: the I/O partition boots meanwhile

# Numbers, one after the other, each on the disk before it is told, until somebody says that it is enough.
NUMBERS = ("{ i=0; while ! [ -e /tmp/enough ]; do i=$((i+1)); echo $i > /disk/n.new && "
           "sync /disk/n.new && mv /disk/n.new /disk/n && sync /disk || break; echo @acknowledged $i; done; echo @stopped; } &")

# A rule of the I/O partition, what a guest does to be caught by it, and how it goes back to its own address.
FORGERIES = pytest.mark.parametrize("rule, sender, back", [
    ("ether saddr !=", "ip link set eth0 address 52:54:00:ca:66:66", f"ip link set eth0 address {MACS['left']}"),
    ("ip saddr != 10", "ip addr add 10.0.0.66/24 dev eth0; s=10.0.0.66", "ip addr del 10.0.0.66/24 dev eth0"),
], ids=["mac", "ip"])


class Hosting:
    def __init__(self, machine: Machine, guests: dict[str, Guest]) -> None:
        self.machine, self.guests = machine, guests

    def stored(self, name: str, what: str, since: int = 0) -> None:
        self.machine.expect(f"@store {what}", BACK, name, since)

    def all_stored(self, what: str, since: int = 0) -> None:
        """Both have their disk, as `what` says, and the tree."""
        for name in IPS:
            self.stored(name, what, since)
            self.stored(name, "tree=/tree", since)

    def dropped(self, rule: str) -> int:
        """Packets that the I/O partition's rule with these words has dropped."""
        lines = [x for x in self.guests["io"].run("nft list ruleset") if rule in x]
        assert len(lines) == 1, lines
        return int(lines[0].partition("counter packets ")[2].split()[0])

    def assert_hosts(self) -> None:
        assert self.guests["io"].ready["if"] == "br0" and self.guests["io"].ready["mac"] == CARD
        assert self.machine.console.find(r"@hosting name=io cards=eth\d wires=2 nbd=left,right tree=/srv/tree$", "io")
        assert not self.machine.console.find("@hosting error|insmod:", "io")

    def assert_caught(self, rule: str, sender: str, back: str) -> None:
        """Nothing gets an answer that is sent as somebody else; afterwards all is as it was."""
        before, left = self.dropped(f'"w-left" {rule}'), self.guests["left"]
        left.run(f"{sender}; ping -q -c 3 -i 0.2 -W 1 -I ${{s:-eth0}} {IPS['right']} >/dev/null && exit 1; {back}")
        assert self.dropped(f'"w-left" {rule}') >= before + 1
        assert left.ping(IPS["right"], 5).lost == 0

    def acknowledged(self, name: str, since: int) -> int:
        """The last number that this guest told from `since` on; it left none out."""
        numbers = [int(x[1]) for x in self.machine.console.find(r"@acknowledged (\d+)$", name, since)]
        assert numbers == list(range(1, len(numbers) + 1))
        return numbers[-1]

    def enough(self, name: str, since: int) -> None:
        """Its writer ends, and what is read from now on comes from the disk."""
        self.guests[name].run("touch /tmp/enough")
        self.machine.expect("@stopped$", 60, name, since)
        self.guests[name].run("sync; echo 3 > /proc/sys/vm/drop_caches", 60)

    def assert_disks_whole(self) -> None:
        for name in IPS:
            self.guests[name].run("cw-store stop", 60)
        for number in (2, 3):
            self.guests["io"].run(f"e2fsck -f -n /dev/nvme0n1p{number}", 60)
