# SPDX-License-Identifier: BSD-2-Clause
"""The charts: what was measured now beside what was recorded of others (peers.json), by gnuplot as SVG and PNG."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence

import peers
from lines import TABLES, Metric

PEERS = Path(__file__).with_name("peers.json")
TERMINALS = {"svg": "svg size 900,480 font 'sans-serif,13' background '#ffffff'",
             "png": "pngcairo size 900,480 font 'sans-serif,11'"}
COLOURS = ("#2a6f97", "#e09f3e", "#9e9e9e")
Value = Optional[float]


class ChartError(Exception):
    """No chart, and why."""


@dataclass(frozen=True)
class Chart:
    """Bars in groups: one group for each row, one colour for each series."""

    name: str
    title: str
    axis: str
    series: tuple[str, ...]
    rows: list[tuple[str, tuple[Value, ...]]]
    log: bool = False
    digits: str = "%.4g"

    def data(self) -> str:
        lines = ["\t".join(["#", *self.series])]
        lines += ["\t".join([f'"{label}"', *("?" if v is None else f"{v:g}" for v in values)])
                  for label, values in self.rows]
        return "\n".join(lines) + "\n"

    def script(self, data: Path, output: Path) -> str:
        width = 0.8 / len(self.series)
        bars, labels = [], []
        for i, name in enumerate(self.series):
            at = f"($0 + {(i - (len(self.series) - 1) / 2) * width:.3f})"
            title = f"title '{name}'" if len(self.series) > 1 else "notitle"
            bars.append(f"'{data}' using {at}:{i + 2}:({0.9 * width:.3f}) with boxes lc rgb '{COLOURS[i]}' {title}")
            labels.append(f"'{data}' using {at}:{i + 2}:(sprintf('{self.digits}', ${i + 2})) with labels offset 0,0.6 notitle")
        tics = ", ".join(f'"{label}" {i}' for i, (label, _) in enumerate(self.rows))
        scale = "set logscale y\nset yrange [1:*]" if self.log else "set yrange [0:*]\nset offsets 0, 0, graph 0.08, 0"
        return "\n".join([f"set terminal {TERMINALS[output.suffix[1:]]}", f"set output '{output}'",
                          f"set title '{self.title}'", f"set ylabel '{self.axis}'", "set datafile separator '\\t'",
                          "set datafile missing '?'", "set style fill solid", "set grid y lc rgb '#dddddd'",
                          f"set xtics nomirror scale 0 ({tics})", "set ytics nomirror", "set border 3", "set bmargin 3.5", "set key top left Left reverse",
                          f"set xrange [-0.6:{len(self.rows) - 0.4}]", scale,
                          "plot " + ", \\\n  ".join(bars + labels), ""])


def data_path(now: dict[str, Any], recorded: dict[str, Any]) -> list[Chart]:
    """The packets' ratios, and the exits of the receiving partition."""
    need = {"vf_rtt_ratio", "vf_stream_ratio", "vf_injected_rtt_ratio", "vf_injected_stream_ratio",
            "vf_all_exits_per_1000", "injected_exits_per_1000"}
    if not need <= set(now):
        return []
    rows: list[tuple[str, tuple[Value, ...]]] = [
        ("bare Linux", (1.0, 1.0)),
        ("Causeway,\\nGICv4", (now["vf_rtt_ratio"], now["vf_stream_ratio"])),
        ("Causeway,\\nGICv3", (now["vf_injected_rtt_ratio"], now["vf_injected_stream_ratio"]))]
    rows += [(p["system"].replace(" ", "\\n", 1), (p["rtt"], p["stream"])) for p in recorded["path"]]
    exits: list[tuple[str, tuple[Value, ...]]] = [("Causeway,\\nGICv4", (now["vf_all_exits_per_1000"],)),
                                              ("Causeway,\\nGICv3", (now["injected_exits_per_1000"],))]
    exits += [(p["system"].replace(" ", "\\n", 1), (p["exits"],)) for p in recorded["path"]]
    return [Chart("data-path", "A VF beside bare Linux: instructions, fewer is better (KVM: recorded)",
                  "times bare Linux", ("round trip, 64 bytes", "packet of a stream, 1472 bytes"), rows,
                  digits="%.3f"),
            Chart("exits", "All exits of the server for 1,000 round trips (KVM: recorded)", "exits, logarithmic",
                  ("exits",), exits, log=True)]


def exit_costs(now: dict[str, Any], recorded: dict[str, Any]) -> list[Chart]:
    rows = [(name, (now[name], others["Bao"], others["Xen"])) for name, others in recorded["cost"].items() if name in now]
    labels = [(name.replace("_", " "), values) for name, values in rows]
    return [Chart("cost", "What an exit costs the guest (Bao, Xen: recorded)", "instructions",
                  ("Causeway", "Bao", "Xen"), labels)] if rows else []


def hosting(now: dict[str, Any]) -> list[Chart]:
    """A guest whose card is software, here and under KVM, beside bare Linux and a VF."""
    if "hosted_rtt" not in now:
        return []
    others = peers.current()
    rows: list[tuple[str, tuple[Value, ...]]] = [
        ("bare Linux", tuple(now.get(f"bare_{key}", others["bare Linux"][key]) for key in ("rtt", "stream"))),
        ("Causeway,\\nhosted", (now["hosted_rtt"], now["hosted_stream"]))]
    if "vf_rtt" in now:
        rows.insert(1, ("Causeway,\\ndirect", (now["vf_rtt"], now["vf_stream"])))
    rows += [(name.replace(" ", "\\n", 1), (others[name]["rtt"], others[name]["stream"])) for name in peers.HOSTED]
    return [Chart("hosted", "Direct and hosted: instructions of the whole machine (KVM: recorded, or make bench-kvm)", "instructions",
                  ("round trip, 64 bytes", "packet of a stream, 1472 bytes"), rows, digits="%.0f")]


def shares(matrix: Sequence[dict[str, Any]]) -> list[Chart]:
    """Instructions a packet by batch, one flow, 64 bytes."""
    found = {(r["path"], r["batch"]): r["total"] for r in matrix if (r["size"], r["flows"]) == (64, 1)}
    batches = sorted({batch for _, batch in found})
    names = ("bare", "direct", "hosted")
    rows: list[tuple[str, tuple[Value, ...]]] = [(f"batch {b}", tuple(found.get((n, b)) for n in names)) for b in batches]
    return [Chart("batch", "A packet of 64 bytes, by how many are handed over at a time", "instructions, whole machine",
                  ("bare Linux", "direct", "hosted"), rows, digits="%.0f")] if rows else []


def charts(metrics: Sequence[Metric]) -> list[Chart]:
    """The charts that these metrics are enough for."""
    now = {m["name"]: m["value"] for m in metrics}
    recorded = json.loads(PEERS.read_text("utf-8"))
    return data_path(now, recorded) + exit_costs(now, recorded) + hosting(now) + shares(TABLES.get("matrix", []))


def draw(chart: Chart, folder: Path) -> list[Path]:
    data = folder / f"{chart.name}.dat"
    data.write_text(chart.data(), "utf-8")
    outputs = []
    for kind in TERMINALS:
        output = folder / f"{chart.name}.{kind}"
        try:
            done = subprocess.run(["gnuplot", "-"], input=chart.script(data, output), text=True, capture_output=True,
                                  timeout=60, check=False)
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            raise ChartError(f"no chart: gnuplot is missing or hangs ({error}); run make setup") from error
        if done.returncode:
            raise ChartError(f"no chart: gnuplot ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        outputs.append(output)
    return outputs


def write(metrics: Sequence[Metric], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return [path for chart in charts(metrics) for path in draw(chart, folder)]
