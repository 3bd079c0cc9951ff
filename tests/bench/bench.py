# SPDX-License-Identifier: BSD-2-Clause
"""`make bench`: what Causeway costs, counted in instructions under icount, beside the lines to hold.

Prints a table and writes build/bench.json: {"metrics": [{"name", "value", "unit", "limit"}]}. Every part is a
module beside this one whose metrics() gives such rows; docs/performance.md says what each of them means.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import json
import sys
from pathlib import Path
from typing import Optional, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(ROOT / "tools")]

import chart  # noqa: E402
import page  # noqa: E402
from demo.machine import MachineError  # noqa: E402
from demo.table import columns  # noqa: E402
from lines import LINES, TABLES, Metric, faults, held, say  # noqa: E402

# Name for ONLY=, module, what it does.
PARTS = {
    "probes": ("probes", "what an exit, a boot, an assignment cost, counted by a guest and a plugin (1 minute)"),
    "enum": ("enumeration", "540 PCI functions behind 60 bridges beside 99 behind 11 (15 seconds)"),
    "data": ("datapath", "a VF's packets beside bare Linux, and the exits meanwhile (2 minutes)"),
    "hosted": ("hosted", "packets over virtual wires and through the I/O partition, beside a VF and bare Linux (5 minutes)"),
    "tengib": ("tengib", "10 GiB through a wire in both directions at once, every byte checked; only when asked for (CW_GIB=N: less)"),
}
SELDOM = ("tengib",)  # not among those measured when none is named



class BenchError(Exception):
    """A part that could not measure."""


def run_part(name: str) -> list[Metric]:
    module, what = PARTS[name]
    say(f"{name}: {what}")
    try:
        metrics = importlib.import_module(module).metrics()
    except (MachineError, OSError, KeyError, ValueError) as error:
        raise BenchError(f"part {name}: {error if isinstance(error, MachineError) else repr(error)}") from error
    wrong = faults(metrics)
    if wrong:
        raise BenchError(f"part {name}: " + "; ".join(wrong))
    return metrics


def number(value: Optional[float]) -> str:
    """Whole numbers as they are, others with three digits behind the point."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3f}"


def verdict(metric: Metric) -> str:
    return {None: "", True: "held", False: "NOT HELD"}[held(metric)]


def table(metrics: Sequence[Metric], missing: Sequence[str]) -> str:
    rows = [("metric", "value", "at most", "", "unit")]
    rows += [(m["name"], number(m["value"]), number(m["limit"]), verdict(m), m["unit"]) for m in metrics]
    rows += [(n, "-", number(LINES[n].limit), "not measured", LINES[n].unit) for n in missing]
    return "\n".join(f"  {row}" for row in columns(rows))


def write_json(metrics: Sequence[Metric], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"metrics": list(metrics), **TABLES}, indent=2) + "\n", "utf-8")


def alone(build: Path) -> object:
    """Held until this process ends: two benchmarks would write the same logs and images."""
    build.mkdir(exist_ok=True)
    file = (build / "bench.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BenchError(f"another one is using {build}; wait until it has ended") from error
    return file


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parts = "\n".join(f"  {name:12} {what}" for name, (_, what) in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"parts:\n{parts}\n\nmake bench ONLY=PART,PART STRICT=1 gives the options through make.\n\n"
               "exit status: 0 measured, whether or not all lines are held (a benchmark is no test); with\n"
               "--strict 1 when a line is not held or not measured; 1 also when a part could not measure; 2 usage")
    parser.add_argument("--only", default="", metavar="PART,...", help="measure only these parts")
    parser.add_argument("--strict", action="store_true", help="fail when a line is not held")
    options = parser.parse_args(arguments)
    options.parts = [x for x in options.only.split(",") if x] or [x for x in PARTS if x not in SELDOM]
    unknown = [x for x in options.parts if x not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    return options


def summary(metrics: Sequence[Metric], missing: Sequence[str]) -> tuple[str, bool]:
    """One sentence, and whether every line is held."""
    broken = [m["name"] for m in metrics if held(m) is False]
    counted = sum(held(m) is not None for m in metrics)
    text = f"{counted - len(broken)} of {counted} lines held"
    if broken:
        text += f"; NOT HELD: {', '.join(broken)}"
    if missing:
        text += f"; not measured: {', '.join(missing)}"
    return text, not broken and not missing


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    metrics: list[Metric] = []
    failed = []
    try:
        lock = alone(ROOT / "build")
        for part in options.parts:
            try:
                metrics += run_part(part)
            except BenchError as error:  # the others may still measure
                print(f"make bench: {error}", file=sys.stderr)
                failed.append(part)
    except BenchError as error:
        print(f"make bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmake bench: stopped; logs: build/logs/bench*/", file=sys.stderr)
        return 130
    wrong = faults(metrics)  # the same name from two parts
    for text in wrong:
        print(f"make bench: {text}", file=sys.stderr)
    named = {m["name"] for m in metrics}
    missing = [] if options.only else [n for n in LINES if n not in named]
    text, all_held = summary(metrics, missing)
    print(f"\n{table(metrics, missing)}\n\n  {text}")
    write_json(metrics, ROOT / "build" / "bench.json")
    print("  as JSON: build/bench.json; what each means: docs/performance.md")
    try:
        drawn = chart.write(metrics, ROOT / "build" / "bench")
        print(f"  charts: {', '.join(str(p.relative_to(ROOT)) for p in drawn) or 'none, they need part data'}")
    except chart.ChartError as error:
        print(f"make bench: {error}", file=sys.stderr)
        failed.append("chart")
    shown = page.write(metrics, missing, TABLES.get("matrix", []), failed, ROOT / "build" / "bench")
    print(f"  to be looked at: {shown.relative_to(ROOT)}")
    del lock
    return 1 if failed or wrong or (options.strict and not all_held) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
