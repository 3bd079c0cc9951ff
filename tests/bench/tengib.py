# SPDX-License-Identifier: BSD-2-Clause
"""10 GiB through a virtual wire, half in each direction at once, every byte checked; not one of the usual parts.

Two Linux guests, TCP with segmentation offload (guest-drivers/linux/bulk.c). Multi-threaded and without icount: it is
about what arrives, and its times say nothing. CW_GIB=N moves another amount.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import runs
from demo.machine import MachineError
from demo.report import Report, key_values
from lines import Metric, figure

TEMPLATE = Path(__file__).with_name("wire.dts.in")
GIB = 10.0
SECONDS_PER_GIB = 240  # on a busy host
BOOT_SECONDS = 300
ENDS = ("client", "server")


def amount() -> float:
    text = os.environ.get("CW_GIB", "") or str(GIB)
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"CW_GIB={text} is no number of GiB") from error
    if not 0.01 <= value <= 1000:
        raise ValueError(f"CW_GIB={text} is not between 0.01 and 1000")
    return value


def results(text: str) -> dict[str, dict[str, str]]:
    """What each end of the connection said."""
    return {words["end"]: words for words in map(key_values, re.findall(r"bulk (end=.*)", text))}


def dropped(report: Report) -> dict[str, int]:
    """Of all ends, by reason."""
    reasons: dict[str, int] = {}
    for wire in report.wires:
        for reason, count in wire.dropped.items():
            reasons[reason] = reasons.get(reason, 0) + count
    return reasons


def figures(said: dict[str, dict[str, str]], report: Report, mib: int) -> list[Metric]:
    """`mib`: each way. ValueError when not all of it came."""
    for end in ENDS:
        words = said.get(end, {})
        if (words.get("mib"), words.get("received"), words.get("sent")) != (str(mib), str(mib), "all"):
            raise ValueError(f"the {end} did not send and receive {mib} MiB: {words}")
    if len(report.wires) != 2:
        raise ValueError(f"the report has {len(report.wires)} ends of a wire, not 2")
    seconds = max(float(said[end]["seconds"]) for end in ENDS)
    out = [figure("wire_bulk_gib", round(2 * mib / 1024, 3), "GiB, both directions together"),
           figure("wire_bulk_corrupt", sum(int(said[end]["corrupt"]) for end in ENDS), "blocks of 64 KiB", 0),
           figure("wire_bulk_packets", sum(w.packets for w in report.wires), "packets carried, most of them 64 KiB"),
           figure("wire_bulk_retransmits", sum(int(said[end]["retransmits"]) for end in ENDS), "segments that a TCP sent again"),
           figure("wire_bulk_needless", sum(int(said[end]["needless"]) for end in ENDS), "of them that had arrived: the other end says so"),
           figure("wire_bulk_blocked", sum(w.blocked for w in report.wires), "times that the sender waited for a buffer; nothing is lost")]
    out += [figure(f"wire_bulk_lost_{reason}", count, "packets") for reason, count in sorted(dropped(report).items())]
    return [*out, figure("wire_bulk_mib_per_s", round(2 * mib / max(seconds, 0.1), 1), "MiB a second of this host's, not to be compared")]


def metrics() -> list[Metric]:
    gib = amount()
    mib = max(1, round(gib * 512))
    work = runs.Work((f"bulk/{mib}",), 1, guest="initramfs-hosting.cpio.gz")
    logs = runs.fresh("tengib")
    config = runs.packed("tengib", 4, work, TEMPLATE)
    command = runs.printed_command(config, icount=False)
    command = runs.changed(command, chardev=f"file,id=console,path={logs / 'console.log'}", D=str(logs / "qemu.log"))
    outcome = runs.complete(runs.run("tengib", command, logs, f"{mib} MiB each way at once", BOOT_SECONDS + SECONDS_PER_GIB * gib), work, logs)
    try:
        return figures(results(runs.read(logs / "console.log")), outcome.report, mib)
    except (KeyError, ValueError) as error:
        raise MachineError(f"{error}; console: {logs / 'console.log'}") from error
