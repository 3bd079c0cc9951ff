# SPDX-License-Identifier: BSD-2-Clause
"""The main job: two stock Linux guests, a VF each, no hypervisor between them and the wire."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

import lspci
from conftest import ROOT
from demo import endpoint
from demo.demo import snapshot
from demo.guest import Guest
from demo.session import Session

CONFIG = ROOT / "config" / "two-vfs.dts"
pytestmark = pytest.mark.bound(300)
TRIPS = 500


@pytest.fixture(scope="module")
def session(built: Path) -> Iterator[Session]:
    with Session(CONFIG, "test-two-guests", build=built) as s:
        s.boot()
        for guest in s.wait_guests(["net-a", "net-b"]):
            guest.find_address()
            guest.serve()
        yield s


@pytest.fixture
def a(session: Session) -> Guest:
    return session.guests["net-a"]


@pytest.fixture
def b(session: Session) -> Guest:
    return session.guests["net-b"]


def test_each_guests_own_driver_has_bound(session: Session) -> None:
    for name in ("net-a", "net-b"):
        ready = session.guests[name].ready
        assert (ready["driver"], ready["carrier"]) == ("igbvf", "1"), ready
        devices = session.machine.report().devices_of(name)
        assert [(d.kind, d.dma, d.interrupts, d.state) for d in devices] == [
            ("VF", "smmu-stage2", "vlpi", "assigned")]
        assert ready["function"] == devices[0].guest


def test_macs_are_the_configs(session: Session) -> None:
    """The contract: the guest's MAC comes from the config, through the PF's owner."""
    nodes = re.findall(r"vf-of[^}]*?mac-address\s*=\s*\[([0-9a-f ]+)\]", CONFIG.read_text().lower())
    wanted = {":".join(node.split()) for node in nodes}
    assert len(wanted) == 2 and {g.ready["mac"] for g in session.guests.values()} == wanted


@pytest.mark.parametrize("source, target", [("net-a", "net-b"), ("net-b", "net-a")])
def test_nothing_is_lost_between_guests(session: Session, source: str, target: str) -> None:
    address = session.guests[target].address
    guest = session.guests[source]
    assert guest.ping(address).lost == 0
    trips = guest.round_trips(address, TRIPS)
    assert trips.lost == 0
    assert trips.instructions, "pk found no INST_RETIRED: is the machine run with --icount?"
    assert guest.stream(address, TRIPS).lost == 0


def test_outside_is_reached(session: Session, a: Guest, b: Guest) -> None:
    for guest in (a, b):
        before = session.endpoint.counters.received
        assert guest.ping(endpoint.IP).lost == 0
        assert guest.round_trips(endpoint.IP, 100).lost == 0
        assert session.endpoint.counters.received - before >= 120


def test_steady_state_costs_no_exits(session: Session, a: Guest, b: Guest) -> None:
    """Packets flow and interrupts land while the hypervisor's device counters stand still."""
    before, irqs = snapshot(session, [a, b]), {g.name: device_interrupts(g) for g in (a, b)}
    assert a.round_trips(b.address, TRIPS).lost == 0
    after = snapshot(session, [a, b])
    for guest in (a, b):
        name = guest.name
        packets = after.interfaces[name][0].packets - before.interfaces[name][0].packets
        assert packets >= 2 * TRIPS
        assert device_interrupts(guest) - irqs[name] >= TRIPS // 2, "interrupts did not land in the guest"
        assert after.report.device_exits(name) - before.report.device_exits(name) == 0
        assert after.report.device_ticks(name) - before.report.device_ticks(name) == 0
        for was, now in zip(before.report.devices_of(name), after.report.devices_of(name)):
            assert (now.config, now.its, now.faults) == (was.config, was.its, was.faults)


def test_unnamed_exits_do_not_grow_with_packets(session: Session, a: Guest, b: Guest) -> None:
    """The console between two reports costs exits of no class; more packets must not."""
    costs = []
    for trips in (TRIPS // 5, TRIPS):
        before = session.machine.report()
        assert a.round_trips(b.address, trips).lost == 0
        after = session.machine.report()
        costs.append(sum(after.exits(n, "other") - before.exits(n, "other") for n in ("net-a", "net-b")))
    assert costs[1] - costs[0] <= TRIPS // 10, f"exits of no class, few and many packets: {costs}"


def device_interrupts(guest: Guest) -> int:
    """Of the network interface: igbvf names its vectors IF-rx-0, IF-tx-0, IF."""
    interface = guest.ready["if"]
    return sum(n for name, n in guest.interrupts().items() if name.startswith(interface))


def test_interrupts_are_message_signalled(a: Guest, b: Guest) -> None:
    for guest in (a, b):
        rows = [x for x in guest.run("cat /proc/interrupts") if guest.ready["if"] in x]
        assert rows and all("ITS" in x for x in rows), rows


def test_capabilities_that_stay_hidden(a: Guest) -> None:
    text = "\n".join(a.run(f"lspci -vvv -s {a.ready['function']}"))
    assert "MSI-X: Enable+" in text
    for hidden in ("SR-IOV", "Address Translation", "Page Request", "Process Address Space"):
        assert hidden not in text


def test_lspci_agrees(session: Session, a: Guest, b: Guest) -> None:
    """Of the machine with what we enumerated, of each guest with what the rule table promises."""
    counted = {d.guest + d.partition: d.config for d in session.machine.report().devices}
    lspci.dump(session)
    assert {d.guest + d.partition: d.config for d in session.machine.report().devices} == counted, "a dump is counted"
    lspci.check(session, ["net-a", "net-b"])


def test_a_scan_of_the_machine_passes_check(session: Session, tmp_path: Path) -> None:
    dump = lspci.dump(session) / "machine.dump"
    causeway, config = ROOT / "build/causeway", tmp_path / "scanned.dts"
    subprocess.run([causeway, "scan", "-o", config, dump], check=True, timeout=30, cwd=ROOT)
    for words in ([config], ["--machine", dump, config], ["--machine", dump, CONFIG]):
        subprocess.run([causeway, "check", *words], check=True, timeout=30, cwd=ROOT)


def test_vf_cannot_leave_its_contract(a: Guest, b: Guest) -> None:
    """The PF's owner refuses another MAC, and says so; the old one keeps working."""
    interface, mac = a.ready["if"], a.ready["mac"]
    rc, _ = a.machine.shell("net-a", f"ip link set {interface} address 52:54:00:66:66:66")
    now = "".join(a.run(f"cat /sys/class/net/{interface}/address"))
    assert rc != 0 and now == mac, (rc, now)
    assert a.machine.console.find("not its MAC", "pf")
    assert a.ping(b.address).lost == 0
    assert b.ping(a.address).lost == 0


def test_no_fault_was_recorded(session: Session) -> None:
    """Last: over everything above."""
    report = session.machine.report()
    assert report.faults == 0
    assert session.machine.events("dma fault|data abort injected") == []
    assert [p.state for p in report.partitions] == ["running"] * len(report.partitions)
