# SPDX-License-Identifier: BSD-2-Clause
"""Hosted packets, on recorded consoles and counts: what is missing, lossy, stalled or not whole must show."""
import json
import pathlib
import socket
import struct
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/bench"), str(ROOT / "tools")]

import bench  # noqa: E402
import chart  # noqa: E402
import hosted  # noqa: E402
import lines  # noqa: E402
import marks  # noqa: E402
import page  # noqa: E402
import runs  # noqa: E402
import tengib  # noqa: E402
from demo.split import BLOCKS, EVENTS, RECORD  # noqa: E402

RR = ("client| @phase {} pk rr n={} size=64 lost=0 corrupt=0 rtt_ns_avg=41379 rtt_ns_min=37236 rtt_ns_p50=40191 "
      "rtt_ns_p99=49858 rtt_ns_max=86882 pps=24125.1 insn_per_rt={}")
TX = ("client| @phase {} pk tx n={} size=64 window=64 batch=16 flows=1 lost={} stalls={} ns_per_packet=13743.0 pps=72764.5 "
      "mbit=856.87 insn_per_packet={}")
REPORT = """hv| @report time=5592790734 freq=1000000000
hv| @partition name=client index=0 state=off service=0 resets=0 memory=0x42000000
hv| @vcpu partition=client vcpu=0 core=0 wire={}
hv| @partition name=io index=1 state=off service=0 resets=0 memory=0x43000000
hv| @vcpu partition=io vcpu=0 core=1 wire={}
hv| @wire partition=client peer=io label=wire why=wire guest=0000:00:01.0 state=off packets=7 bytes=700 link=0 size=0 header=0 room={} blocked=3
hv| @wire partition=io peer=client label=wire why=wire guest=0000:00:01.0 state=off packets=9 bytes=900 link=2 size=0 header=0 room=0 blocked=0
hv| @faults total=0 distinct=0 overflows=0
hv| @end
hv| @exit status=0"""
POINT = hosted.Point(64, 16, 1)


def report(wire=(10, 20), room=0):
    return REPORT.format(*wire, room)


def record(hypervisor=0, client=0, io=0, reads=0, writes=0, interrupts=0):
    counts = [0] * (BLOCKS + 1 + EVENTS)
    counts[3], counts[16], counts[24] = hypervisor, client, io
    counts[BLOCKS + 1:BLOCKS + 4] = reads, writes, interrupts
    return struct.pack(f"<{len(counts)}Q", *counts)


def stream(phase, n, insn=10_000, lost=0, stalls=0):
    return TX.format(phase, n, lost, stalls, insn)


def outcome(points=(POINT,), el2=1000, insn=13_000, exits=100, **how):
    """A run of which each packet took 10,000 instructions in the guests, 2,000 in the I/O partition and `el2`."""
    text, found, at = [RR.format("warm", 12000, 40_000)], [marks.Mark({"hypervisor": 0, "client": 0, "io": 0, "other": 0}, 0, 0)], 0
    for p in points:
        for n in (hosted.SHORT, hosted.LONG):
            text.append(stream(p.phase(n), n, insn, **how))
            at += n
            found.append(marks.Mark({"hypervisor": at * el2 + 500 * len(found), "client": at * 10_000 + 700 * len(found), "io": at * 2000, "other": 0},
                                    at * exits // 1000, at))
    result = runs.parse("\n".join([*text, report()]))
    result.marks = found
    return result


def named(metrics):
    assert lines.faults(metrics) == []
    return {m["name"]: m for m in metrics}


# --- marks ----------------------------------------------------------------------------------------

CONSOLE = "\n".join(["garbage", "hv| up", RR.format("warm", 100, 4), "io| ", stream("tx/a", 10), *report().splitlines()])


def records(last=None):
    owned = [record(hypervisor=i * 10, client=i * 1000, io=i * 100, writes=i) for i in range(4)]
    return b"".join(owned + [last or record(reads=10, writes=20)] * len(report().splitlines()))


def test_the_nth_record_is_the_nth_line():
    found = marks.marks_of(CONSOLE, records(), runs.parse(CONSOLE).report)
    assert [m.instructions["client"] for m in found] == [1000, 3000]
    step = found[1].since(found[0])
    assert (step.hypervisor, step.instructions["io"], step.wire_exits, step.total) == (20, 200, 2, 2220)


def test_a_partition_below_the_others_is_not_the_hypervisor():
    text = CONSOLE.replace("memory=0x42000000", "memory=0x40600000")
    assert marks.marks_of(text, records(), runs.parse(text).report)[1].hypervisor == 0


@pytest.mark.parametrize("data, complaint", [
    (records()[RECORD:], "lines and the plugin wrote"),
    (records()[8:], "lines and the plugin wrote"),
    (records(record(reads=1, writes=28)), "30 exits for wires, and the plugin saw 29"),
])
def test_records_that_do_not_belong_to_the_console_are_refused(data, complaint):
    with pytest.raises(ValueError, match=complaint):
        marks.marks_of(CONSOLE, data, runs.parse(CONSOLE).report)


# --- slopes ---------------------------------------------------------------------------------------


def test_a_packet_is_what_a_longer_run_took_more():
    cost = hosted.slope(outcome(), POINT)
    assert (cost.guests, cost.io, cost.hypervisor, cost.interrupts) == (10_000, 2000, 1000, 1000)
    assert cost.exits == pytest.approx(100, abs=1) and cost.total == 13_000
    assert hosted.counted(outcome(), POINT) == 13_000


def test_what_was_not_run_is_refused():
    with pytest.raises(ValueError):
        hosted.slope(outcome(), hosted.Point(512, 1, 1))
    lacking = outcome()
    lacking.marks.pop()
    with pytest.raises(ValueError, match="2 marks"):
        hosted.slope(lacking, POINT)


def test_lost_packets_are_refused():
    with pytest.raises(ValueError, match="lost packets"):
        outcome(lost=1)


def test_stalls_and_no_counter_are_refused():
    with pytest.raises(ValueError, match="waited"):
        hosted.counted(outcome(stalls=1), POINT)
    with pytest.raises(ValueError, match="could not count"):
        hosted.counted(outcome(insn=-1), POINT)


def test_two_ways_to_count_must_agree():
    some = outcome(hosted.MATRIX)
    assert len(list(hosted.matrix({"direct": some, "hosted": some, "bare": some}))) == 3 * len(hosted.MATRIX)
    with pytest.raises(ValueError, match="the plugin 13000"):
        list(hosted.matrix({"direct": outcome(hosted.MATRIX, insn=20_000), "hosted": some, "bare": some}))


@pytest.mark.parametrize("point", hosted.MATRIX)
def test_no_point_can_stall_by_its_own_numbers(point):
    _, size, batch, flows, window, n = point.phase(hosted.SHORT).split("/")
    assert int(size) * int(batch) <= hosted.MOST and int(window) >= int(batch)
    if point.batch == 64:
        assert int(window) % int(batch) == 0
    assert int(n) * int(flows) == hosted.SHORT


# --- lines ----------------------------------------------------------------------------------------


def wire(**how):
    some = outcome(hosted.ALONE, **how)
    some.phases += runs.parse("\n".join([RR.format("rr", 4000, 46_000), stream("tx", 8000, 15_000)])).phases
    some.marks += some.marks[-1:] * 2
    return some


def test_the_wire_holds_its_lines_or_says_so():
    found = named(hosted.wire_metrics(wire()))
    assert lines.held(found["hosted_exits_b16"]) and not lines.held(found["hosted_exits_b64"])
    assert found["hosted_el2_per_packet"]["value"] == 1000 and found["wire_rtt"]["value"] == 46_000
    assert found["hosted_el2_1472"]["limit"] == 1192 and lines.held(found["hosted_el2_512"])
    assert lines.held(named(hosted.wire_metrics(wire(el2=1201)))["hosted_el2_per_packet"]) is False


def test_kvm_is_the_harder_of_recorded_and_measured(tmp_path, monkeypatch):
    mine = tmp_path / "bench-kvm.json"
    mine.write_text(json.dumps({"instructions": [{"system": "KVM vhost-net", "rtt": 100_000, "stream": 34_000}]}))
    monkeypatch.setattr(hosted.peers, "current", lambda: {**hosted.peers.rows(hosted.peers.RECORDED), **hosted.peers.rows(mine)})
    assert (hosted.peer("rtt"), hosted.peer("stream")) == (100_000, 29_200)


def test_every_run_that_is_needed_is_planned():
    assert set(hosted.plan()) == {"hosted", "plain", "both", "wire", "direct", "bare"}


# --- ten GiB --------------------------------------------------------------------------------------

BULK = "{0}| bulk end={0} mib={1} received={2} sent={3} corrupt={4} retransmits=1 needless=1 seconds=2.0\n"


def bulk(received=64, sent="all", corrupt=0):
    return BULK.format("server", 64, 64, "all", 0) + "client| @phase bulk/64 " + BULK.format("client", 64, received, sent, corrupt)[8:]


def test_what_arrived_and_what_was_lost():
    found = named(tengib.figures(tengib.results(bulk()), runs.parse(report(room=5)).report, 64))
    assert found["wire_bulk_gib"]["value"] == 0.125 and lines.held(found["wire_bulk_corrupt"])
    assert (found["wire_bulk_lost_room"]["value"], found["wire_bulk_lost_link"]["value"]) == (5, 2)
    assert found["wire_bulk_blocked"]["value"] == 3 and found["wire_bulk_retransmits"]["value"] == 2
    bad = named(tengib.figures(tengib.results(bulk(corrupt=1)), runs.parse(report()).report, 64))
    assert lines.held(bad["wire_bulk_corrupt"]) is False


@pytest.mark.parametrize("text", [bulk(received=63), bulk(sent="part"), bulk().splitlines()[0], ""])
def test_what_did_not_all_arrive_is_refused(text):
    with pytest.raises(ValueError, match="client|server"):
        tengib.figures(tengib.results(text), runs.parse(report()).report, 64)


@pytest.mark.parametrize("text", ["x", "0", "-1", "5000"])
def test_a_senseless_amount_is_refused(monkeypatch, text):
    monkeypatch.setenv("CW_GIB", text)
    with pytest.raises(ValueError, match="CW_GIB"):
        tengib.amount()


def test_ten_gib_only_when_asked_for():
    assert "tengib" not in bench.parse([]).parts and bench.parse(["--only", "tengib"]).parts == ["tengib"]


# --- the guests' programs, on this machine ---------------------------------------------------------


@pytest.fixture(scope="module", name="program")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    for name in ("pk", "bulk"):
        subprocess.run(["gcc", "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-o", folder / name,
                        ROOT / f"guest-drivers/linux/{name}.c"], check=True)
    return lambda *args: [str(folder / args[0]), *args[1:]]


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_several_flows_are_one_result(program):
    port = str(free_port(socket.SOCK_DGRAM))
    with subprocess.Popen(program("pk", "srv", port), stdout=subprocess.DEVNULL) as server:
        try:
            done = subprocess.run(program("pk", "tx", "127.0.0.1", port, "640", "64", "64", "16", "3"), capture_output=True, text=True,
                                  timeout=60, check=True)
        finally:
            server.kill()
    words = runs.key_values(done.stdout)
    assert (words["n"], words["batch"], words["flows"], words["lost"]) == ("1920", "16", "3", "0")


def relay(target, spoil):
    """A server in front of another that lets `spoil` change what goes to it; its port."""
    front = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink, change):
        total = 0
        try:
            while data := source.recv(65536):
                sink.sendall(change(data, total))
                total += len(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve():
        one, _ = front.accept()
        other = socket.create_connection(("127.0.0.1", target))
        threading.Thread(target=pump, args=(other, one, lambda data, _: data), daemon=True).start()
        pump(one, other, spoil)

    threading.Thread(target=serve, daemon=True).start()
    return front.getsockname()[1]


def flip(data, total):
    at = 500_000 - total  # one byte of the eighth block
    return data if not 0 <= at < len(data) else data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def swap(data, total):
    """Two words of a block change places: a sum would not notice."""
    at = 500_000 - total
    return data if not 0 <= at < len(data) - 16 else data[:at] + data[at + 8:at + 16] + data[at:at + 8] + data[at + 16:]


@pytest.mark.parametrize("spoil, corrupt", [(lambda data, _: data, "0"), (flip, "1"), (swap, "1")], ids=["as it was", "a bit", "two words"])
def test_bulk_notices_what_changed(program, spoil, corrupt):
    port = free_port(socket.SOCK_STREAM)
    with subprocess.Popen(program("bulk", "srv", str(port)), stdout=subprocess.PIPE, text=True) as server:
        threading.Event().wait(0.5)
        done = subprocess.run(program("bulk", "127.0.0.1", str(relay(port, spoil)), "4"), capture_output=True, text=True, timeout=60, check=False)
        said, _ = server.communicate(timeout=60)
    ends = tengib.results(said + done.stdout)
    assert (ends["server"]["corrupt"], ends["client"]["corrupt"]) == (corrupt, "0")
    assert ends["server"]["received"] == ends["client"]["received"] == "4" and server.returncode == int(corrupt)


# --- the page and the charts ----------------------------------------------------------------------


def shown(**more):
    metrics = [lines.line("hosted_exits_b1", 1031), lines.line("hosted_vs_kvm_stream", 0.809), lines.figure("hosted_rtt", 67_549, "instructions"),
               lines.figure("hosted_stream", 23_629, "instructions"), lines.figure("<x>", 1, "u")]
    return page.page(metrics, ["vtimer"], list(hosted.matrix(dict.fromkeys(("direct", "hosted", "bare"), outcome(hosted.MATRIX)))), ["data"], **more)


def number_of_kvm():
    return page.number(page.peers.current()["KVM virtio-net"]["rtt"])


def test_the_page_says_what_is_not_held_not_measured_and_failed():
    text = shown()
    assert text.count("NOT HELD") == 1 and "1 lines held" in text and "1 not held" in text
    assert "not measured" in text and "vtimer" in text and "part data could not measure" in text
    assert "67,549" in text and number_of_kvm() in text
    assert "64 bytes, batches of 16" in text and "1472 bytes, batches of 44" in text


def test_the_page_needs_nothing_from_outside():
    text = shown()
    assert "http" not in text and "<script" not in text and "src=" not in text and "&lt;x&gt;" in text and "<x>" not in text


def test_an_empty_page_is_a_page(tmp_path):
    path = page.write([], ["vtimer"], [], [], tmp_path / "new")
    assert "not measured" in path.read_text() and "Whose instructions" not in path.read_text()


def test_hosted_charts(tmp_path, monkeypatch):
    monkeypatch.setitem(lines.TABLES, "matrix", list(hosted.matrix(dict.fromkeys(("direct", "hosted", "bare"), outcome(hosted.MATRIX)))))
    metrics = [lines.figure("hosted_rtt", 67_549, "instructions"), lines.figure("hosted_stream", 23_629, "instructions")]
    drawn = chart.write(metrics, tmp_path)
    assert sorted(p.name for p in drawn) == ["batch.png", "batch.svg", "hosted.png", "hosted.svg"]
    assert "67549" in (tmp_path / "hosted.svg").read_text()
