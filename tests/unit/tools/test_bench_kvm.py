# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-kvm` on recorded consoles, and the peers that others are compared with."""
import json
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/bench/kvm"), str(ROOT / "tests/bench"), str(ROOT / "tools")]

import bench_kvm  # noqa: E402
import peers  # noqa: E402
import runs  # noqa: E402

PHASE = ("@phase {} pk {} n=1000 size=64 lost=0 corrupt=0 insn_per_rt={} insn_per_packet={}\r\n"
         "@exits {} exits={} interrupts={}\r\n")


def console(rr=(100_000, 110_000), tx=(30_000, 31_000), exits=3300):
    out = PHASE.format("warm", "rr", 1, 1, "warm", 1, 0)
    for i in range(2):
        out += PHASE.format("rr", "rr", rr[i], -1, "rr", exits, 2200) + PHASE.format("tx", "tx", -1, tx[i], "tx", 500, 0)
    return out


def figures(text):
    return bench_kvm.figures(runs.parse(text), text, 1000)


def test_the_means_of_all_stretches():
    found = figures(console())
    assert (found.rtt, found.stream) == (105_000, 30_500)
    assert (found.exits, found.stream_exits, found.interrupts) == (3000, 250, 2000)  # pk's own 100 round trips are in it


def test_bare_linux_has_no_exits():
    text = "".join(x for x in console().splitlines(True) if not x.startswith("@exits"))
    assert figures(text).exits is None


@pytest.mark.parametrize("text", [console(rr=(100_000, -1)), console().replace("@phase tx", "@phase ty")],
                         ids=["not counted", "no stream"])
def test_what_was_not_measured_is_an_error(text):
    with pytest.raises(ValueError, match="not measured"):
        figures(text)


def test_every_peer_is_its_own_machine():
    words = [p.words() for p in bench_kvm.PEERS]
    assert len(set(words)) == len(words)
    assert {p.system for p in bench_kvm.PEERS} == set(peers.rows(peers.RECORDED))


def test_measured_here_goes_before_recorded(tmp_path):
    mine = tmp_path / "bench-kvm.json"
    recorded = peers.current(measured=mine)
    assert (peers.best("rtt", recorded), peers.best("stream", recorded)) == (114_526, 29_200)
    bench_kvm.write_json({"vhost": bench_kvm.Figures(90_000, 48_000, 3000.5)}, mine)
    assert json.loads(mine.read_text())["instructions"][0]["recorded"]["rtt"] == 114_526
    now = peers.current(measured=mine)
    assert (peers.best("rtt", now), peers.best("stream", now)) == (90_000, 29_200)


def test_a_peer_that_does_not_exist():
    with pytest.raises(SystemExit) as error:
        bench_kvm.parse(["--only", "xen"])
    assert error.value.code == 2
