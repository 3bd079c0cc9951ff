# SPDX-License-Identifier: BSD-2-Clause
"""The PF service dies, or turns rogue, while two Linux guests talk over their VFs.

Its image is the PF service with a switch (tests/faults/pf/rogue.c). A third partition holds a canary. One
boot for all, in this order; times are the guests' own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

import pytest

import hostile
import rogue
from conftest import BUILD, ROOT
from demo.guest import Guest
from demo.report import Report
from demo.session import Session
from hostile import CANARY, CANARY_SIZE, RAM, Monitor

VICTIM_AT = 0xA0000000  # clear of the places the hypervisor finds for the guests
TARGET = VICTIM_AT + CANARY
DOWN = 3.5  # s: igbvf looks at its mailbox every 2 s, on a whole second
OUTAGE = 16.0  # s: it resets itself at most every 10 s, then looks again after 2 s
pytestmark = pytest.mark.bound(240)

_VICTIM = """        victim {
            cores = <5>;
            memory-size = /bits/ 64 <0x2000000>;
            memory-at = /bits/ 64 <%#x>;
            kernel = "build/attacker.bin";
            command-line = "attack=idle base=%#x size=%#x";
        };
"""


def config() -> Path:
    """The demo's layout with the other PF service and the victim."""
    assert (ROOT / rogue.IMAGE).exists(), "run 'make mutants' first"
    text = (ROOT / "config" / "two-vfs.dts").read_text()
    text = text.replace("cores = <5>;", "cores = <6>;", 1)
    text = text.replace('kernel = "build/pf-service.bin";', 'kernel = "' + rogue.IMAGE + '";\n'
                        f'\t\t\tcommand-line = "target={TARGET:#x}";', 1)
    victim = _VICTIM % (VICTIM_AT, RAM + CANARY, CANARY_SIZE)
    end = text.rindex("\t};\n};")
    path = BUILD / "hostile" / "pf-restart.dts"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text[:end] + victim + text[end:])
    return path


class Rig:
    def __init__(self, session: Session, monitor: Monitor) -> None:
        self.session, self.machine, self.monitor = session, session.machine, monitor
        self.sriov = self.sriov_words()

    @property
    def a(self) -> Guest:
        return self.session.guests["net-a"]

    @property
    def b(self) -> Guest:
        return self.session.guests["net-b"]

    def sriov_words(self) -> list[int]:
        words = rogue.sriov_words(self.monitor)
        assert words[0] & 9 == 9 and words[1] == rogue.VFS, f"SR-IOV is not on with 2 VFs: {words}"
        return words


@pytest.fixture(scope="module")
def rig(built: Path) -> Iterator[Rig]:
    session = Session(config(), "test-pf-restart", build=built, icount=True)
    path = session.sockets.serial.with_name("monitor")
    session.machine.argv += ["--", "-icount", "shift=0,sleep=off", "-monitor", f"unix:{path},server=on,wait=off"]
    with session:
        session.boot()
        for guest in session.wait_guests(["net-a", "net-b"]):
            guest.find_address()
            guest.serve()
        monitor = Monitor(path)
        try:
            yield Rig(session, monitor)
        finally:
            monitor.close()


def uptime(guest: Guest) -> float:
    return float(guest.run("cat /proc/uptime")[0].split()[0])


def start_traffic(rig: Rig) -> None:
    rig.a.run(f"ping -D -i 0.05 {rig.b.address} >/tmp/ping 2>&1 &")


def stop_traffic(rig: Rig) -> list[float]:
    """When answers came, in the guest's seconds."""
    rig.a.run("kill -INT $(pidof ping); sleep 0.2")
    return [float(x) for x in re.findall(r"^\[([\d.]+)\] \d+ bytes", "\n".join(rig.a.run(
        "grep bytes /tmp/ping", 60)), re.MULTILINE)]


def downs(guest: Guest) -> int:
    return int(guest.run(f"cat /sys/class/net/{guest.ready['if']}/carrier_down_count")[0])


def wait_file(guest: Guest, name: str, wanted: int, seconds: float) -> float:
    """Until a file of its interface says so; how long it took, in the guest's seconds."""
    file = f"/sys/class/net/{guest.ready['if']}/{name}"
    before = uptime(guest)
    guest.run(f"i=0; while [ $i -lt {int(seconds / 0.1)} ] && [ $(cat {file}) != {wanted} ]; do sleep 0.1; "
              f"i=$((i+1)); done; [ $(cat {file}) = {wanted} ]", 120)
    return uptime(guest) - before


def assert_told(rig: Rig, told: list[int]) -> None:
    """Each guest's carrier drops, once."""
    for guest, before in zip((rig.a, rig.b), told):
        seconds = wait_file(guest, "carrier_down_count", before + 1, DOWN)
        print(f"{guest.name} lost its carrier after {seconds:.1f} s more")


def assert_others_whole(rig: Rig) -> Report:
    canary = hostile.check_canary(rig.machine)
    assert canary[1] == "ok", canary[0]
    report = rig.machine.report()
    assert [p.state for p in report.partitions] == ["running"] * len(report.partitions)
    assert rig.machine.events("panic|quarantined") == []
    assert rig.sriov_words() == rig.sriov, "SR-IOV is not as it was"
    return report


def assert_adopted(rig: Rig, since: int) -> None:
    m = rig.machine
    m.expect(r"pf-service: the part has 2 VFs enabled and was running: adopted", 30, "pf", since)
    m.expect(r"pf-service: contracts of 2 VFs read back", 30, "pf", since)
    assert m.console.find("reads 0x", "pf", since) == []


def assert_recovers(rig: Rig, since: int, told: list[int]) -> None:
    """Both guests lost their carrier once and have it again; nobody rebooted; traffic is whole."""
    for guest, before in zip((rig.a, rig.b), told):
        print(f"{guest.name} has its carrier again after {wait_file(guest, 'carrier', 1, OUTAGE):.1f} s more")
        assert downs(guest) == before + 1, f"{guest.name} was not told that its PF is gone"
        assert len(rig.machine.console.find("@ready name=", guest.name)) == 1
        rig.machine.expect(r"pf-service: VF \d reset, MAC " + guest.ready["mac"], 30, "pf", since)
    for source, target in ((rig.a, rig.b), (rig.b, rig.a)):
        source.ping(target.address, 3)
        assert source.ping(target.address, 20).lost == 0
        assert source.round_trips(target.address, 100).lost == 0


def lives(rig: Rig) -> int:
    return rig.machine.report().partition("pf").resets


@pytest.mark.parametrize("death", ["reset", "crash"])
def test_service_dies_under_traffic(rig: Rig, death: str) -> None:
    """Reset by the operator, and a crash of its own, while packets flow."""
    m, before, told = rig.machine, lives(rig), [downs(rig.a), downs(rig.b)]
    start_traffic(rig)
    rig.a.run("sleep 1")
    since = m.console.mark()
    if death == "reset":
        m.reset("pf")
    else:
        m.type_line("pf", "c")
        m.expect("guest: unexpected exception", 30, "pf", since)
    m.expect(r"^pf: restarting", 30, since=since)
    assert_adopted(rig, since)
    assert_told(rig, told)
    wait_file(rig.a, "carrier", 1, OUTAGE)
    wait_file(rig.b, "carrier", 1, OUTAGE)
    rig.a.run("sleep 1")
    times = stop_traffic(rig)
    gap = max(b - a for a, b in zip(times, times[1:]))
    print(f"{death}: {len(times)} answers, longest gap {gap:.2f} s")
    assert 0.3 < gap < OUTAGE, f"the longest time without an answer is {gap:.2f} s"
    assert_recovers(rig, since, told)
    report = assert_others_whole(rig)
    assert report.faults == 0
    assert report.partition("pf").resets == before + 1


def test_a_rogue_service_harms_no_memory(rig: Rig) -> None:
    """F50, F51: NumVFs, VFE, VF BARs, resets by config space and register, rings in others' memory."""
    m, told = rig.machine, [downs(rig.a), downs(rig.b)]
    since = m.console.mark()
    m.type_line("pf", "x")
    m.expect("@rogue done", 60, "pf", since)
    report = assert_others_whole(rig)
    faults = hostile.parse_faults(m)
    card = {rogue.PF, hostile.VF}
    assert {f.function for f in faults} == card, f"its rings fault in its own id and its VF's: {faults}"
    assert {f.address >> 12 for f in faults} == {TARGET >> 12}
    assert report.faults > 0
    assert_told(rig, told)
    since = m.console.mark()
    m.reset("pf")
    assert_adopted_after_reset(rig, since)
    assert_recovers(rig, since, told)
    assert assert_others_whole(rig).faults == report.faults, "nothing faults any more"


def assert_adopted_after_reset(rig: Rig, since: int) -> None:
    rig.machine.expect("pf-service: the part has 2 VFs enabled and was not set up", 30, "pf", since)
    rig.machine.expect("pf-service: contracts of 2 VFs read back", 30, "pf", since)


def test_a_service_that_crashes_for_ever_is_stopped(rig: Rig) -> None:
    """The quota of restarts: the machine, the guests and their memory go on. Last: igbvf now waits in vain,
    and busily, which costs the host more than it costs the guest."""
    m = rig.machine
    since = m.console.mark()
    for _ in range(21):
        mark = m.console.mark()
        m.type_line("pf", "c")
        m.expect("guest: unexpected exception", 30, "pf", mark)
        if m.console.wait(r"^pf: (restarting|crashed)", 30, "hv", mark)[0][1] == "crashed":  # type: ignore[index]
            break
        m.expect("contracts of 2 VFs read back", 30, "pf", mark)
    m.expect("pf: more than 20 restarts in 10 s: stopped", 10, "hv", since)
    assert hostile.check_canary(m)[1] == "ok"
    assert rig.sriov_words() == rig.sriov
    assert m.report().partition("pf").state == "crashed"
    for guest in (rig.a, rig.b):
        guest.run("true", 60)
