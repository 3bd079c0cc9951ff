# SPDX-License-Identifier: BSD-2-Clause
"""What others cost, in instructions: as `make bench-kvm` measured it here last, else as recorded (peers.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Sequence

RECORDED = Path(__file__).with_name("peers.json")
MEASURED = Path(__file__).resolve().parents[2] / "build/bench-kvm.json"
HOSTED = ("KVM vhost-net", "KVM virtio-net")  # a guest's network card that is software of the host

Rows = dict[str, dict[str, Any]]  # a system's name: rtt, stream, exits


def rows(path: Path) -> Rows:
    return {row["system"]: row for row in json.loads(path.read_text("utf-8"))["instructions"]}


def current(recorded: Path = RECORDED, measured: Path = MEASURED) -> Rows:
    return {**rows(recorded), **(rows(measured) if measured.exists() else {})}


def best(figure: str, among: Rows, systems: Sequence[str] = HOSTED) -> float:
    """The lowest `figure` (rtt, stream) of the systems: the peer to beat differs from figure to figure."""
    return float(min(among[system][figure] for system in systems))
