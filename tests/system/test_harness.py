# SPDX-License-Identifier: BSD-2-Clause
"""The harness itself, against a stand-in for the machine: its failures must be failures."""

from __future__ import annotations

import json
import random
import socket
import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Iterator

import pytest

from demo import compare, demo, endpoint, rdma
from demo.console import Console
from demo.guest import Traffic
from demo.machine import MachineError
from demo.report import ReportError, parse_report
from demo.session import Session, linux_partitions

FAKE = [sys.executable, "-B", str(Path(__file__).with_name("fake_causeway.py"))]


def session(tmp_path: Path) -> Session:
    return Session(Path("fake.dts"), "fake", build=tmp_path, causeway=FAKE)


def run_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faults: str) -> int:
    monkeypatch.setenv("FAKE", faults)
    return demo.main(["fake.dts", "--json", "--build", str(tmp_path)], causeway=FAKE)


# --- the demo's verdict ---------------------------------------------------------------------------


def test_demo_without_what_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["config/two-vfs.dts", "--build", str(tmp_path)]) == 1
    assert "causeway is not there: 'make all' builds it" in capsys.readouterr().err


def hosted_round_trip(disturbed: int) -> tuple[compare.PathRow, list[str]]:
    """100 round trips at 1,000 instructions in each place; the I/O partition did something else in so many short runs."""
    counts, said, runs = {"a": 0, "b": 0, "io": 0, compare.HYPERVISOR: 0}, [], []

    def run(n: int) -> Traffic:
        for name in counts:
            counts[name] += 1000 * n
        runs.append(n)
        if n == 25 and runs.count(25) <= disturbed:
            counts["io"] += 10_000_000
        return Traffic(n, 0)

    report = SimpleNamespace(exits=lambda *names: 0)
    machine = SimpleNamespace(report=lambda: report, error=MachineError)
    a, b, io = (SimpleNamespace(name=n, messages=lambda: 0) for n in ("a", "b", "io"))
    comparison = compare.Comparison(SimpleNamespace(machine=machine, say=said.append), SimpleNamespace(read=lambda r: dict(counts)), [io])
    return comparison._sound(compare.HOSTED, compare.ROUND_TRIP, (a, b), run, 100), said


def test_a_comparison_that_was_disturbed_is_made_again() -> None:
    for disturbed in (0, 1, 2):
        row, said = hosted_round_trip(disturbed)
        assert (row.guests, row.io, row.hypervisor) == (2000, 1000, 1000) and len(said) == disturbed
    with pytest.raises(MachineError, match="did something else"):
        hosted_round_trip(3)


@pytest.mark.parametrize("words", [["--trips", "0"], ["--trips", "many"], ["--gic", "5"], ["a.dts", "b.dts"]])
def test_demo_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        demo.main(words)
    assert end.value.code == 2 and words[-1] in capsys.readouterr().err


def test_demo_passes_and_writes_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    assert run_demo(tmp_path, monkeypatch, "") == 0
    out = capsys.readouterr().out
    assert "0000:01:10.0 (VF)" in out and "vLPI (direct)" in out and "SMMU stage 2" in out
    found = json.loads((tmp_path / "run.json").read_text())
    assert set(found) == {"partitions", "traffic", "faults"} and found["faults"] == 0
    assert [p["name"] for p in found["partitions"]] == ["net-a", "net-b"]
    assert set(found["partitions"][0]["devices"][0]) == {
        "function", "kind", "driver", "dma", "interrupts", "direct", "packets", "el2_instructions",
        "exits_per_1000", "timer_exits_per_1000"}
    assert found["partitions"][0]["devices"][0]["packets"] > 4000
    assert {(t["from"], t["to"]) for t in found["traffic"]} == {
        ("net-a", "net-b"), ("net-b", "net-a"), ("net-a", "outside")}
    assert all(t["lost"] == 0 and t["round_trip_instructions"] == 41560 for t in found["traffic"])


@pytest.mark.parametrize("fault, complaint", [
    ("lost", "packets lost"),
    ("exits", "exits for 0000:01:10.0 on the data path"),
    ("faults", "2 DMA faults recorded"),
    ("no-carrier", "no carrier"),
    ("dead", "ended at once with status 2"),
])
def test_demo_fails_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, complaint: str,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    assert run_demo(tmp_path, monkeypatch, fault) == 1
    assert complaint in capsys.readouterr().err


def test_guest_that_never_gets_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "mute-b")
    with session(tmp_path) as s:
        names = linux_partitions(s.boot())
        with pytest.raises(MachineError, match=r"net-b is not ready(.|\n)*whole console: .*console.log"):
            s.wait_guests(names, timeout=1)


# --- the console ----------------------------------------------------------------------------------


def test_shell_and_logs(tmp_path: Path) -> None:
    with session(tmp_path) as s:
        assert s.machine.shell("net-b", "echo it's me", 5) == (0, ["it's me"])
        assert s.machine.shell("net-a", "echo fail", 5) == (3, ["fail"])
        with pytest.raises(ValueError):
            s.machine.shell("net-a", "echo " + "x" * 1000)
        with pytest.raises(MachineError, match="no key selects partition net-z"):
            s.machine.shell("net-z", "echo")
        logs = s.logs
    assert s.machine.stop() == 0, "the machine was powered off by its key"
    assert "it's me" in (logs / "net-b.log").read_text()
    assert "net-b| it's me" in (logs / "console.log").read_text()


def test_silent_machine_ends_in_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "stuck")
    with session(tmp_path) as s:
        with pytest.raises(MachineError, match="no report within 1 s"):
            s.machine.report(1)
    assert not s.machine.running


def test_lines_are_whole_and_sources_are_not_forged(tmp_path: Path) -> None:
    console = Console(tmp_path)
    console.feed(b"hv| one\r\nnet-a| hv| @faults total=0\nnet")
    console.feed(b"-b| \x1b[31mtwo\x1b[0m\xff\nodd\n")
    got = [(x.source, x.text) for x in console.lines()]
    assert got == [("hv", "one"), ("net-a", "hv| @faults total=0"), ("net-b", "two\ufffd"), ("", "odd")]
    assert console.find("@faults", "hv") == []
    console.feed(b"hv| last")
    console.close("over")
    assert console.lines()[-1].text == "last"


def test_unreadable_report_is_an_error() -> None:
    with pytest.raises(ReportError, match="@vcpu"):
        parse_report(["@report time=1 freq=2", "@vcpu partition=a vcpu=x core=0"])


# --- the end point outside ------------------------------------------------------------------------

GUEST_MAC, GUEST_IP = bytes.fromhex("525400000001"), socket.inet_aton("10.0.0.1")


def ipv4(protocol: int, payload: bytes) -> bytes:
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0, GUEST_IP,
                       socket.inet_aton(endpoint.IP))
    head = head[:10] + struct.pack("!H", endpoint.checksum(head)) + head[12:]
    return endpoint.MAC + GUEST_MAC + b"\x08\x00" + head + payload


def udp(payload: bytes) -> bytes:
    return ipv4(17, struct.pack("!HHHH", 1234, 7, 8 + len(payload), 0) + payload)


def test_endpoint_answers_arp_and_echo() -> None:
    answerer = endpoint.Answerer()
    arp = (b"\xff" * 6 + GUEST_MAC + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + GUEST_MAC + GUEST_IP
           + b"\0" * 6 + socket.inet_aton(endpoint.IP))
    reply = answerer.answer(arp)
    assert reply and reply[:6] == GUEST_MAC and reply[20:22] == b"\0\2" and reply[22:28] == endpoint.MAC
    icmp = b"\x08\0\0\0\0\1\0\2data"
    icmp = icmp[:2] + struct.pack("!H", endpoint.checksum(icmp)) + icmp[4:]
    reply = answerer.answer(ipv4(1, icmp))
    assert reply and reply[34] == 0 and endpoint.checksum(reply[34:34 + len(icmp)]) == 0
    reply = answerer.answer(udp(b"hello"))
    assert reply and reply[42:47] == b"hello" and reply[34:38] == struct.pack("!HH", 7, 1234)
    pseudo = reply[26:34] + struct.pack("!BBH", 0, 17, 13)
    assert endpoint.checksum(reply[14:34]) == 0 and endpoint.checksum(pseudo + reply[34:47]) == 0


def test_endpoint_acknowledges_streams() -> None:
    answerer = endpoint.Answerer()
    replies = [answerer.answer(udp(struct.pack("!IIIIII", 0x43776B31, 3, 9, seq, 2, 5))) for seq in (0, 1, 2, 4)]
    acks = [struct.unpack_from("!IIIIII", r, 42) if r else None for r in replies]
    assert acks == [None, (0x43776B31, 5, 9, 2, 2, 0), None, (0x43776B31, 5, 9, 5, 4, 0)]


def hostile_frames() -> Iterator[bytes]:
    rng = random.Random(1)
    good = udp(struct.pack("!IIIIII", 0x43776B31, 3, 9, 0xFFFFFFFF, 0, 5))
    yield from (good[:n] for n in range(len(good)))
    for _ in range(20_000):
        frame = bytearray(good)
        for _ in range(rng.randint(1, 8)):
            frame[rng.randrange(len(frame))] = rng.randrange(256)
        yield bytes(frame)
    yield from (endpoint.MAC + GUEST_MAC + rng.randbytes(rng.randint(0, 80)) for _ in range(5_000))


def test_endpoint_survives_hostile_frames() -> None:
    answerer = endpoint.Answerer()
    for frame in hostile_frames():
        reply = answerer.answer(frame)
        assert reply is None or len(reply) <= max(60, len(frame) + 24)
    assert answerer.counters.dropped > 1000
    assert len(answerer._streams) <= 16


def test_endpoint_does_not_answer_groups() -> None:
    """A forged group source would make the answer a storm."""
    answerer = endpoint.Answerer()
    frame = bytearray(udp(b"x"))
    frame[6] |= 1
    assert answerer.answer(bytes(frame)) is None


PINGPONG = "8192000 bytes in 2.00 seconds = 32.74 Mbit/sec\n1000 iters in 2.00 seconds = 2001.81 usec/iter"
BANDWIDTH = (" #bytes     #iterations    BW peak[MB/sec]    BW average[MB/sec]   MsgRate[Mpps]\n"
             " 65536      200              49.24              48.20  \t\t   0.000788\n-----")
LATENCY = (" #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    t_stdev[usec]   99% "
           "percentile[usec]   99.9% percentile[usec] \n 8       500          120.91         1106.84      419.67   \t"
           "       495.28      \t136.55 \t\t748.94  \t\t1106.84\n")


def test_rdma_results() -> None:
    """The programs' figures as they print them; data that is wrong, or a run cut short, is no result."""
    assert rdma.pingpong_result(PINGPONG) == "2001.81 us a round trip, 32.74 Mbit/s"
    assert rdma.pingpong_result("invalid data in page 3\n" + PINGPONG) is None
    assert rdma.pingpong_result("Couldn't connect to 10.0.0.2:18515") is None
    assert rdma.rping_result("client DISCONNECT EVENT...") == "all equal"
    assert rdma.rping_result("data mismatch!\nclient DISCONNECT EVENT...") is None
    assert rdma.rping_result("") is None
    assert rdma.bandwidth_result(BANDWIDTH) == "48.20 MB/s"
    assert rdma.latency_result(LATENCY) == "419.67 us typical, 748.94 us at 99 %"
    assert rdma.bandwidth_result(LATENCY) is None and rdma.latency_result("") is None
    row = rdma.Row("x", "every byte", "all equal", 0, 3, 99)
    assert len(rdma.problems([row], faults=1)) == 3
