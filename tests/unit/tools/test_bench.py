# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark's harness, on recorded consoles: what is not measured, not whole or not held must show."""
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/bench"), str(ROOT / "tools")]

import bench  # noqa: E402
import chart  # noqa: E402
import datapath  # noqa: E402
import lines  # noqa: E402
import runs  # noqa: E402

RR = ("client| @phase rr pk rr n=4000 size=64 lost=0 corrupt=0 rtt_ns_avg=41379 rtt_ns_min=37236 rtt_ns_p50=40191 "
      "rtt_ns_p99=49858 rtt_ns_max=86882 pps=24125.1 insn_per_rt={}\n")
TX = ("client| @phase tx pk tx n=8000 size=1472 window=64 lost=0 stalls=0 ns_per_packet=13743.0 pps=72764.5 "
      "mbit=856.87 insn_per_packet={}\n")
REPORT = """hv| @report time=5592790734 freq=1000000000
hv| @partition name=client index=1 state=off service=0 resets=0
hv| @vcpu partition=client vcpu=0 core=1 timer={timer} ipi=1 console=1500 config={config} its=117 inject=0 fault=0 psci=11 other=156
hv| @vcpu partition=client vcpu=0 timer_insn={timer_insn} ipi_insn=120 console_insn=327489 config_insn={config_insn} its_insn=47130 inject_insn=0 fault_insn=0 psci_insn=822 other_insn=45696
hv| @partition name=server index=2 state=off service=0 resets=0
hv| @vcpu partition=server vcpu=0 core=2 timer={timer} ipi=1 console=324 config=274 its=117 inject=0 fault=0 psci=11 other={other}
hv| @vcpu partition=server vcpu=0 timer_insn={timer_insn} ipi_insn=120 console_insn=75653 config_insn=141991 its_insn=47155 inject_insn=0 fault_insn=0 psci_insn=822 other_insn=44072
hv| @faults total=0 distinct=0 overflows=0
hv| @end
hv| @exit status=0
"""


def report(timer=1000, timer_insn=400_000, config=274, config_insn=700_000, other=156):
    return REPORT.format(timer=timer, timer_insn=timer_insn, config=config, config_insn=config_insn, other=other)


def console(rr=41_000, tx=13_000, **counts):
    return RR.format(rr) + TX.format(tx) + RR.format(rr + 1000) + report(**counts)


def named(metrics):
    assert lines.faults(metrics) == []
    return {m["name"]: m["value"] for m in metrics}


def all_runs(**after):
    bare = runs.parse(console().replace("client| ", ""))
    return {"bare": bare, "bare3": bare, "vf": runs.parse(console(41_207.5, 13_130)), "trips": runs.parse(console(**after)),
            "idle": runs.parse(console(timer=1045, timer_insn=420_000)), "injected": runs.parse(console(82_500, 14_300)),
            "injected_trips": runs.parse(console(timer=1041, other=156 + 4100))}


# --- consoles -------------------------------------------------------------------------------------


def test_phases_and_the_report_are_read():
    outcome = runs.parse("bare noise\r\n" + console())
    assert [name for name, _ in outcome.phases] == ["rr", "tx", "rr"]
    assert datapath.measured(outcome, "rr") == 41_500 and datapath.measured(outcome, "tx") == 13_000
    assert outcome.report.exits("server", "timer") == 1000 and outcome.report.ticks("client", "config") == 700_000


@pytest.mark.parametrize("text, complaint", [
    (RR.format(1).replace("lost=0", "lost=1"), "lost packets"),
    (RR.format(1).replace("corrupt=0", "corrupt=3"), "lost packets"),
    ("client| @phase rr pk rr error=no-answer\n", "lost packets"),
    ("@failed ethtool -C\n", "gave up: ethtool -C"),
])
def test_figures_of_broken_work_are_refused(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        runs.parse(text)


def test_a_run_that_stopped_early_is_refused(tmp_path):
    work = runs.Work(("rr", "tx", "rr", "idle"), 4)
    with pytest.raises(runs.MachineError, match="were done, not"):
        runs.complete(runs.parse(console()), work, tmp_path)
    runs.complete(runs.parse(console()), runs.Work(("rr", "tx", "rr", "idle"), 3), tmp_path)


def test_no_instruction_counter_is_no_figure():
    with pytest.raises(ValueError, match="could not count"):
        datapath.measured(runs.parse(console(rr=-1001)), "rr")


# --- metrics --------------------------------------------------------------------------------------


def test_ratios_are_to_bare_linux():
    found = named(datapath.from_runs(all_runs(timer=1041, timer_insn=441_000)))
    assert found["vf_rtt_ratio"] == 1.005 and found["vf_stream_ratio"] == 1.01
    assert found["vf_injected_rtt_ratio"] == 2.0 and found["vf_injected_stream_ratio"] == 1.1


def test_exits_are_what_one_more_stretch_took():
    found = named(datapath.from_runs(all_runs(timer=1041, timer_insn=441_000, config_insn=999_999)))
    assert found["vf_exits_per_1000"] == 0 and found["vf_el2_per_1000"] == 0  # the shut-down's accesses waited longer
    assert found["vf_all_exits_per_1000"] == 10.0 and found["el2_per_round_trip"] == 20.0
    assert found["injected_exits_per_1000"] == 1010.0
    assert found["idle_exits"] == 0 and found["idle_timer_exits"] == 4


def test_an_exit_for_the_device_shows():
    found = named(datapath.from_runs(all_runs(config=274 + 41, config_insn=700_000 + 8200)))
    assert found["vf_exits_per_1000"] == 10.0 and found["vf_el2_per_1000"] == 2000.0


def test_an_idle_partition_that_exits_shows():
    some = all_runs(timer=1041)
    some["idle"] = runs.parse(console(timer=1045, other=163))
    assert named(datapath.idle_metrics(some)) == {"idle_exits": 7, "idle_timer_exits": 4}


# --- the table and the limits ---------------------------------------------------------------------


def test_what_is_not_held_is_said():
    metrics = [lines.line("hypercall", 87), lines.line("vf_rtt_ratio", 1.005), lines.figure("seen", 3, "things")]
    assert [lines.held(m) for m in metrics] == [False, True, None]
    text = bench.table(metrics, ["vtimer"])
    row = {line.split()[0]: line for line in text.splitlines()}
    assert "NOT HELD" in row["hypercall"] and "held" in row["vf_rtt_ratio"] and "NOT" not in row["vf_rtt_ratio"]
    assert "not measured" in row["vtimer"]
    assert bench.summary(metrics, ["vtimer"]) == (
        "1 of 2 lines held; NOT HELD: hypercall; not measured: vtimer", False)
    assert bench.summary(metrics[1:], []) == ("1 of 1 lines held", True)


@pytest.mark.parametrize("row, complaint", [
    ({"name": "x", "value": float("nan"), "unit": "u", "limit": None}, "no number"),
    ({"name": "x", "value": "3", "unit": "u", "limit": None}, "no number"),
    ({"name": "x", "value": 3, "unit": "u"}, "must have"),
    ({"name": "hypercall", "value": 3, "unit": lines.INSTRUCTIONS, "limit": 900}, "not what LINES says"),
])
def test_malformed_rows_are_refused(row, complaint):
    assert complaint in "; ".join(lines.faults([row]))


def test_a_name_given_twice_is_refused():
    assert "given twice" in "; ".join(lines.faults([lines.line("vtimer", 1)] * 2))


def test_a_part_that_cannot_measure_fails_the_bench_but_not_the_others(monkeypatch, tmp_path, capsys):
    def broken(name):
        if name == "bad":
            raise bench.BenchError("part bad: no machine")
        return [lines.line("vtimer", 200)]
    (tmp_path / "build").mkdir()
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "PARTS", {"bad": ("x", "x"), "good": ("y", "y")})
    monkeypatch.setattr(bench, "run_part", broken)
    assert bench.main([]) == 1
    assert bench.main(["--only", "good"]) == 0  # NOT HELD is said, not failed
    assert bench.main(["--only", "good", "--strict"]) == 1
    said = capsys.readouterr()
    assert "part bad: no machine" in said.err and "NOT HELD: vtimer" in said.out
    written = json.loads((tmp_path / "build/bench.json").read_text())
    assert written == {"metrics": [{"name": "vtimer", "value": 200, "unit": "instructions", "limit": 100}]}


def test_an_unknown_part_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as end:
        bench.parse(["--only", "nothing"])
    assert end.value.code == 2 and "no part nothing" in capsys.readouterr().err


def test_every_line_of_the_issue_is_documented():
    text = (ROOT / "docs/performance.md").read_text()
    assert [name for name in lines.LINES if f"`{name}`" not in text] == []


# --- the machines ---------------------------------------------------------------------------------


def test_both_command_lines_differ_in_what_they_must_only(tmp_path):
    command = ["qemu", "-M", "virt,gic-version=4", "-smp", "3", "-icount", "shift=0,sleep=on", "-chardev", "stdio,id=console",
               "-D", "x", "-kernel", "hv", "-initrd", "fit"]
    ours = runs.unattended(command, tmp_path)
    bare = runs.bare(ours, tmp_path / "ramdisk", runs.Work(("rr",), 1))
    assert ours[6] == bare[6] == "shift=0,sleep=off" and bare[4] == "3"
    changed = [a for a, b in zip(ours, bare) if a != b]
    assert changed == ["virt,gic-version=4", "hv", "fit"] and bare[len(ours)] == "-append"
    with pytest.raises(ValueError):
        runs.changed(command, bios="none")


def test_the_file_in_front_of_the_ramdisk_is_an_archive(tmp_path):
    (tmp_path / "a.cpio").write_bytes(runs.cpio("cw-stop", b"07\n"))
    done = subprocess.run(["cpio", "-i", "--to-stdout", "--quiet", "cw-stop"], input=(tmp_path / "a.cpio").read_bytes(),
                          capture_output=True, check=True)
    assert done.stdout == b"07\n" and len(runs.cpio("cw-stop", b"07\n")) % 512 == 0


# --- the charts -----------------------------------------------------------------------------------


def test_charts_are_drawn_from_the_metrics(tmp_path):
    metrics = datapath.from_runs(all_runs(timer=1041)) + [lines.line("hypercall", 80)]
    drawn = chart.write(metrics, tmp_path)
    assert sorted(p.name for p in drawn) == sorted(f"{n}.{k}" for n in ("data-path", "exits", "cost") for k in ("svg", "png"))
    svg = (tmp_path / "data-path.svg").read_text()
    assert "2.000" in svg and "KVM" in svg and "bare Linux" in svg
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")
    assert chart.write([lines.line("el2_lines", 1)], tmp_path) == []


def test_no_gnuplot_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(chart.ChartError, match="make setup"):
        chart.write([lines.line("hypercall", 80)], tmp_path)
