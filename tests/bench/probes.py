# SPDX-License-Identifier: BSD-2-Clause
"""What an exit, a boot and an assignment cost, by a guest that counts (guest-drivers/probe) and a plugin that does.

Three machines are booted, each twice: a figure that does not repeat exactly is an error. The probe runs on a plain
machine too (EL1, no hypervisor), so that "beyond bare metal" is a difference. `count.c` counts, instruction by
instruction, what runs at EL2 between two places and the longest stretch in which no interrupt could be taken.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Sequence

from demo.console import HYPERVISOR
from demo.machine import ROOT, Machine, MachineError
from demo.report import key_values
from demo.session import Session
from demo.split import LOADED_AT, compiled
from lines import Metric, figure, line, say

BUILD = ROOT / "build"
FOLDER = BUILD / "bench"
DETERMINISTIC = ["-icount", "shift=0,sleep=off"]
MIB = 1 << 20
GICD_READS = "gicd_read-"
MASKED_SHOWN = 6  # longest stretches that are named

_CONFIG = """/dts-v1/;
/ {
    compatible = "causeway,config-v1";
    machine {
        compatible = "qemu,virt";
        cores = <%(cores)d>;
        memory-size = /bits/ 64 <%(machine)#x>;
        gic = <%(gic)d>;
        devices {
            %(devices)s
        };
    };
    partitions {
        probe {
            cores = <%(vcpus)s>;
            memory-size = /bits/ 64 <%(memory)#x>;
            kernel = "%(kernel)s";
            command-line = "%(arguments)s";
            devices {
                %(given)s
            };
        };
        %(second)s
    };
};
"""
_EDU = 'edu { model = "edu"; at = "0000:00:05.0"; };'
_GIVEN_EDU = 'edu { function = "0000:00:05.0"; keep-without-reset; };'
_CARD = """port1 { model = "pcie-root-port"; at = "0000:00:01.0"; };
            nic { model = "igb"; behind = "port1"; mac-address = [52 54 00 ca 00 01]; };"""
_VF = 'eth0 { vf-of = "0000:01:00.0"; index = <0>; mac-address = [52 54 00 ca 05 00]; };'


_SECOND = """second {
            cores = <1>;
            memory-size = /bits/ 64 <0x1000000>;
            kernel = "build/probe.bin";
        };"""


class NotRepeated(ValueError):
    """Two runs gave two figures."""


def config(name: str, *, machine: int = 512 * MIB, memory: int = 16 * MIB, gic: int = 4, vf: bool = False, second: bool = False,
           vcpus: int = 1, kernel: str = "build/probe.bin", arguments: str = "") -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.dts"
    path.write_text(_CONFIG % {"machine": machine, "memory": memory, "gic": gic,
                               "kernel": kernel, "arguments": arguments, "devices": _CARD if vf else _EDU,
                               "given": _VF if vf else _GIVEN_EDU, "cores": vcpus + second, "vcpus": " ".join(map(str, range(vcpus))),
                               "second": _SECOND if second else ""}, "utf-8")
    return path


def figures_of(lines: Sequence[str]) -> dict[str, int]:
    """The worst of each `@probe` line; a measurement that failed is an error."""
    found = {}
    for text in lines:
        words = key_values(text)
        if text.startswith("@probe ") and "failed" in words:
            raise ValueError(f"the probe could not measure {words['name']}: {words['failed']} ({words['value']})")
        if text.startswith("@probe ") and "name" in words:
            found[words["name"]] = int(words["worst"])
    if found.get("nothing") != 0:
        raise ValueError(f"two readings of the counter side by side are {found.get('nothing')} ticks apart, not 0")
    return found


def boot(path: Path, name: str) -> tuple[dict[str, int], Machine]:
    """Boots it, lets the probe end and the machine power off."""
    with Session(path, name, options=["--", *DETERMINISTIC]) as session:
        m = session.machine
        m.expect("@probe done", 60, "probe")
        m.wait_exit(30)
        return figures_of([x.text for x in m.console.lines("probe")]), m


def twice(what: str, measure: object) -> dict[str, int]:
    """Every figure must be the same in two runs."""
    first, second = measure(), measure()  # type: ignore[operator]
    differ = {n for n in first.keys() | second.keys() if first.get(n) != second.get(n)}
    if differ:
        raise NotRepeated(f"{what}: not the same in two runs: " +
                          ", ".join(f"{n} {first.get(n)} and {second.get(n)}" for n in sorted(differ)))
    return first


def under_hypervisor(gic: int) -> dict[str, int]:
    name = f"probe-gic{gic}"
    return boot(config(name, gic=gic), f"bench-{name}")[0]


def bare() -> dict[str, int]:
    """The same program at EL1 of the same machine, without the hypervisor."""
    argv = ["qemu-system-aarch64", "-M", "virt,gic-version=3,its=on,dtb-randomness=off",
            "-cpu", "neoverse-n1,cntfrq=1000000000", "-accel", "tcg,thread=single", *DETERMINISTIC, "-smp", "1",
            "-m", "512M", "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-device", "edu,addr=5,dma_mask=0xffffffffffffffff",
            "-kernel", str(BUILD / "probe.bin"), "-append", "bare=1"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return figures_of(done.stdout.splitlines())


# --- exits ----------------------------------------------------------------------------------------

def exit_metrics() -> list[Metric]:
    say("probe: on a plain machine, under the hypervisor with GICv4, with GICv3")
    plain, direct = twice("bare", bare), twice("GICv4", lambda: under_hypervisor(4))
    injected = twice("GICv3", lambda: under_hypervisor(3))
    reads = {n: v for n, v in direct.items() if n.startswith(GICD_READS)}
    return [line("hypercall", direct["hypercall"]),
            line("gicd_read", max(reads.values())),
            *(figure(n, v, "instructions") for n, v in reads.items()),
            line("gicd_noop_write", direct["gicd_noop_write"]),
            line("self_sgi", direct["self_sgi"] - plain["self_sgi"]),
            line("vtimer", direct["vtimer"] - plain["vtimer"]),
            line("msi_vlpi", direct["msi"] - plain["msi"]),
            line("msi_injected", injected["msi"] - plain["msi"]),
            figure("its_invall", max(direct["its_invall"], injected["its_invall"]), "instructions, 32 events, masked, of a partition's own core")]


# --- boot -----------------------------------------------------------------------------------------

def first_instruction(name: str, **changes: object) -> int:
    def run() -> dict[str, int]:
        return boot(config(name, **changes), f"bench-{name}")[0]  # type: ignore[arg-type]
    return twice(name, run)["first_instruction"]


def boot_metrics() -> list[Metric]:
    """Reset to first guest instruction = base + a * the machine's memory + b * the partition's + c * its images.

    Four boots give the four numbers; the third and the fourth are work on every byte, and stated by themselves.
    """
    say("boot: four sizes")
    small = first_instruction("boot-small")
    machine = (first_instruction("boot-machine", machine=1024 * MIB) - small) / 256
    partition = (first_instruction("boot-partition", memory=64 * MIB) - small) / 24
    padded = FOLDER / "probe-padded.bin"
    kernel = (BUILD / "probe.bin").read_bytes()
    padded.write_bytes(kernel + bytes(1024 * 1024))
    image = (first_instruction("boot-image", kernel=str(padded.relative_to(ROOT))) - small) / 1024
    base = small - 256 * machine - 8 * partition - image * len(kernel) / 1024
    return [line("boot_base", round(base)), line("boot_per_2mib", round(machine, 3)),
            figure("boot_scrub_per_2mib", round(partition, 3), "instructions, of a partition's memory"),
            figure("boot_image_per_kib", round(image, 3), "instructions, hash and copy")]


# --- what a plugin counts -------------------------------------------------------------------------

def plugin() -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    return compiled(Path(__file__).with_name("count.c"), FOLDER / "count.so")


def plugin_arguments(out: Path) -> str:
    """Where the hypervisor's code is, where it takes interrupts, and where the spans begin and end."""
    text = subprocess.run(["aarch64-linux-gnu-objdump", "-d", str(BUILD / "hypervisor.elf")], check=True,
                          capture_output=True, text=True, timeout=120).stdout
    code = re.findall(r"^\s*([0-9a-f]+):\t[0-9a-f]{8} \t(.*)$", text, re.MULTILINE)
    entry = {name: int(at, 16) for at, name in re.findall(r"^([0-9a-f]+) <(\w+)>:$", text, re.MULTILINE)}
    yields = [int(at, 16) for at, what in code if "icc_iar1_el1" in what.lower() or what.startswith("wfi")]

    def places(function: str) -> list[int]:
        """Its first instruction, and where each call of it returns to."""
        ends = [int(at, 16) + 4 for at, what in code if re.match(rf"bl\t.*<{function}>", what)]
        if function not in entry or not ends:
            raise ValueError(f"build/hypervisor.elf does not call {function}")
        return [entry[function], *ends]

    def span(name: str, function: str) -> str:
        first, *ends = places(function)
        return f"{name}={first + LOADED_AT:x}/" + ":".join(f"{x + LOADED_AT:x}" for x in ends)

    entered, *left = places("report_print")  # the operator's, counted by itself
    yields.append(entered)

    return ",".join([f"code={LOADED_AT:x}-{LOADED_AT + max(int(at, 16) for at, _ in code) + 4:x}", f"out={out}",
                     "yield=" + ":".join(f"{x + LOADED_AT:x}" for x in yields),
                     "forget=" + ":".join(f"{x + LOADED_AT:x}" for x in left),
                     span("attach", "attach"), span("close", "detach_close"), span("release", "detach_release"),
                     span("report", "report_print")])


def counted(library: Path, *, vf: bool = True, gic: int = 4, vcpus: int = 1) -> dict[str, int]:
    """A guest gives memory up and resets itself until the hypervisor has had enough, and powers off.

    It has a VF, or an edu of which it maps all the events that a device can have.
    """
    out = FOLDER / "count.txt"
    out.unlink(missing_ok=True)
    path = config("counted", vf=vf, gic=gic, vcpus=vcpus, arguments="restart=1")
    # One core, so no PF service: QEMU tells a plugin the wrong vCPU when one thread runs several, as icount makes it.
    argv = ["--unchecked", "--", *(DETERMINISTIC if vcpus == 1 else []), "-plugin", f"{library},{plugin_arguments(out)}"]
    with Session(path, "bench-counted", options=argv) as session:
        session.machine.expect("more than 20 restarts", 120, HYPERVISOR)
        session.machine.wait_exit(30)
    if not out.exists():
        raise MachineError(f"the plugin wrote no {out}; see {BUILD}/logs/bench-counted/run.log")
    rows = [text.split() for text in out.read_text("utf-8").splitlines()]
    found: dict[str, int] = {}
    for name, count, longest, *_ in rows:
        if count == "0":
            raise ValueError(f"{name} was never run")
        found[name] = max(found.get(name, 0), int(longest))
    paths = sorted(((int(r[2]), r[3], r[4]) for r in rows if r[0] == "masked"), reverse=True)
    for length, first, last in paths[:MASKED_SHOWN]:
        say(f"  {length} instructions masked, {symbol(first)} to {symbol(last)}")
    return found


def symbol(address: str) -> str:
    """The function of a loaded address."""
    at = f"{int(address, 16) - LOADED_AT:#x}"
    return subprocess.run(["aarch64-linux-gnu-addr2line", "-f", "-s", "-e", str(BUILD / "hypervisor.elf"), at], check=True,
                          capture_output=True, text=True, timeout=30).stdout.split()[0]


def counted_metrics() -> list[Metric]:
    say("plugin: a VF assigned and revoked, the longest masked stretch")
    library = plugin()
    found = twice("plugin", lambda: counted(library))
    events = [twice(f"plugin, GICv{gic}", lambda gic=gic: counted(library, vf=False, gic=gic)) for gic in (4, 3)]  # type: ignore[misc]
    many = [counted(library, vf=False, gic=gic, vcpus=8) for gic in (4, 3)]
    return [line("vf_assign", found["attach"]), line("vf_revoke", found["close"] + found["release"]),
            line("el2_masked_max", max(x["masked"] for x in [found, *events])),
            figure("el2_masked_max_8_vcpus", max(x["masked"] for x in many), "instructions, one run, without icount"),
            figure("el2_report", found["report"], "instructions, when the operator asks")]


# --- sizes ----------------------------------------------------------------------------------------

def symbol_sizes() -> dict[str, int]:
    text = subprocess.run(["aarch64-linux-gnu-nm", "-S", str(BUILD / "hypervisor.elf")], check=True,
                          capture_output=True, text=True, timeout=30).stdout
    return {f[3]: int(f[1], 16) for f in map(str.split, text.splitlines()) if len(f) == 4}


def pools_used(partitions: int) -> int:
    """Bytes taken from the pools, as the report says once all partitions are off: tables, SMMU and ITS arenas."""
    path = config(f"pools-{partitions}", second=partitions > 1)
    with Session(path, f"bench-pools-{partitions}", options=["--", *DETERMINISTIC]) as session:
        session.machine.expect("every partition is off", 60, HYPERVISOR)
        pools = [key_values(found[0]) for found in session.machine.console.find("@pool .*", HYPERVISOR)]
    used = {p["name"]: int(p["used"]) for p in pools}
    if set(used) != {"stage2", "smmu", "its"}:
        raise ValueError(f"the report has no pools but {used}")
    return used["stage2"] * 4096 + used["smmu"] + used["its"]


def memory_per_partition() -> float:
    """KiB: what the second partition takes from the pools, its share of the fixed tables, its core's stack."""
    def run() -> dict[str, int]:
        return {"pools": pools_used(2) - pools_used(1)}
    size = symbol_sizes()
    fixed = (size["partitions"] + size["glue"]) / 8 + size["stacks"] / 16
    return (twice("pools", run)["pools"] + fixed) / 1024


def el2_lines() -> int:
    rooms = subprocess.run(["make", "--no-print-directory", "size"], cwd=ROOT, capture_output=True, text=True,
                           timeout=60, check=False).stdout
    found = re.search(r"^at EL2\s+(\d+)", rooms, re.MULTILINE)
    if not found:
        raise ValueError("make size gave no sum")
    return int(found[1])


def metrics() -> list[Metric]:
    return [*exit_metrics(), *boot_metrics(), *counted_metrics(),
            line("memory_per_partition", memory_per_partition()), line("el2_lines", el2_lines())]
