# SPDX-License-Identifier: BSD-2-Clause
"""Finding and placing every PCI function of a large machine at boot: instructions and memory for each.

Root ports eight to a slot, eight functions behind each. Two sizes: what a function costs must not depend on how many
there are.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from demo.console import HYPERVISOR
from demo.session import Session
from lines import Metric, figure

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
FEW, MANY = 11, 60  # bridges, each with eight functions: 99 and 540
LINEARITY = 1.05
CONFIG = """/dts-v1/;
/ {
    compatible = "causeway,config-v1";
    machine { compatible = "qemu,virt"; cores = <1>; memory-size = /bits/ 64 <0x10000000>; };
    partitions {
        idle { cores = <0>; memory-size = /bits/ 64 <0x800000>; kernel = "build/attacker.bin";
               command-line = "attack=idle"; };
    };
};
"""


def devices(ports: int) -> list[str]:
    words = []
    for i in range(ports):
        words += ["-device", f"pcie-root-port,id=r{i},bus=pcie.0,addr={1 + i // 8:02x}.{i % 8},multifunction=on,"
                             f"chassis={i + 1},slot={i + 1}"]
        for n in range(8):
            words += ["-device", f"edu,bus=r{i},addr=0.{n},multifunction=on"]
    return words


def enumerate_machine(ports: int) -> tuple[int, int]:
    """Functions found, the machine's own host bridge included, and instructions for all of them."""
    folder = BUILD / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "enumeration.dts"
    config.write_text(CONFIG)
    session = Session(config, f"bench-enumeration-{ports}", options=["--", *devices(ports)])
    with session:
        found = session.machine.expect(r"PCI: (\d+) functions, (\d+) buses, enumerated in (\d+) ns", 120, HYPERVISOR)
    functions, buses, instructions = (int(x) for x in found.groups())
    if (functions, buses) != (1 + 9 * ports, 1 + ports):
        raise ValueError(f"{functions} functions on {buses} buses, but there are {1 + 9 * ports} on {1 + ports}")
    return functions, instructions


def bytes_per_function() -> int:
    """What the hypervisor's tables hold for each function: its record, its place in the plan, its group, its owner."""
    elf = str(BUILD / "hypervisor.elf")
    limit = int(re.search(r"PCI_BUS_MAX_FUNCTIONS (\d+)", (ROOT / "pci/bus/include/pci_bus.h").read_text())[1])
    names = subprocess.run(["aarch64-linux-gnu-nm", "-S", elf], check=True, capture_output=True, text=True).stdout
    tables = sum(int(x[1], 16) for x in map(str.split, names.splitlines()) if len(x) == 4 and x[3] in ("plan", "nodes"))
    debug = subprocess.run(["aarch64-linux-gnu-readelf", "--debug-dump=info", elf], check=True, capture_output=True,
                           text=True).stdout
    record = int(re.search(r"DW_AT_name\s*:.*\bpci_function\n.*DW_AT_byte_size\s*:\s*(\d+)", debug)[1])
    return record + -(-tables // limit) + 1


def metrics() -> list[Metric]:
    (few, few_cost), (many, many_cost) = enumerate_machine(FEW), enumerate_machine(MANY)
    slope = (many_cost - few_cost) / (many - few)
    return [figure("enum_insn_per_function", round(slope), f"instructions, from {few} to {many} functions"),
            figure("enum_linearity", round((many_cost / many) / (few_cost / few), 4),
                   f"a function's cost among {many} / among {few}", LINEARITY),
            figure("memory_per_function", bytes_per_function(), "bytes")]
