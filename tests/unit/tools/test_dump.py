# SPDX-License-Identifier: BSD-2-Clause
"""Dumps: from a console's log to lspci's input, to a check against the machine, to a first config."""

import json
import shutil
import struct
import subprocess

import pytest

from test_causeway import CONFIG, MACHINE, OK, TOOL, USAGE, box, program  # noqa: F401  (fixtures)

WINDOW = 0x10000000


class Function:
    """A configuration space in the making."""

    def __init__(self, bdf, vendor, device, kind=0, below=None):
        self.bdf, self.space, self.bars, self.vf_bars = bdf, bytearray(4096), {}, {}
        self.last, self.extended = 0x34, 0
        self.put(0, "<HH", vendor, device)
        self.put(0x0e, "<B", kind)
        if below is not None:
            self.put(0x18, "<BBB", int(bdf[5:7], 16), below, below)
            self.put(0x0a, "<H", 0x0604)

    def put(self, at, shape, *values):
        struct.pack_into(shape, self.space, at, *values)

    def capability(self, at, ident):
        self.put(6, "<H", 0x10)
        self.put(self.last, "<B", at)
        self.put(at, "<B", ident)
        self.last = at + 1
        return self

    def express(self, port_type=0, flr=True):
        self.capability(0x40, 0x10)
        self.put(0x42, "<HI", 2 | port_type << 4, 0x10000000 if flr else 0)
        return self

    def add_extended(self, at, ident):
        if not self.extended and at != 0x100:
            self.add_extended(0x100, 1)  # the list begins there
        if self.extended:
            header = struct.unpack_from("<I", self.space, self.extended)[0]
            self.put(self.extended, "<I", header & 0xfffff | at << 20)
        self.put(at, "<I", ident | 1 << 16)
        self.extended = at
        return self

    def acs(self, on=0x1d):
        self.add_extended(0x100, 0x0d)
        self.put(0x104, "<HH", 0x1d, on)
        return self

    def sriov(self, total, on=0, device=0x10ca):
        self.add_extended(0x160, 0x10)
        self.put(0x16c, "<HHH", total, total, on)
        self.put(0x174, "<HH", 0x80, 2)
        self.put(0x17a, "<H", device)
        return self

    def bar(self, index, address, size, space=2):
        self.bars[index] = (space, address, size)
        return self

    def vf_bar(self, index, address, size, space=2):
        self.vf_bars[index] = (space, address, size)
        return self

    def lines(self, view="-"):
        for at in range(0, 4096, 16):
            words = struct.unpack_from("<4I", self.space, at)
            if any(words):
                yield f"hv| @pci {view} {self.bdf} {at:03x}: " + " ".join(f"{w:08x}" for w in words)
        for kind, bars in (("bar", self.bars), ("vf-bar", self.vf_bars)):
            for i, (space, address, size) in bars.items():
                yield f"hv| @{kind} {self.bdf} {i} space={space} address=0x{address:x} size=0x{size:x}"


def log(*functions, smmu=1, its=1, fenced=0x10000, more=()):
    lines = [f"hv| @machine smmu={smmu} its={its}", f"hv| @iommu-map rid=0x0 count=0x{fenced:x}"]
    return "\r\n".join(lines + [line for f in functions for line in f.lines()] + list(more)) + "\r\n"


def port(slot, bus, **acs):
    return Function(f"0000:00:{slot:02x}.0", 0x1b36, 0x000c, 1, bus).express(4, False).acs(**acs)


def igb(bdf="0000:01:00.0", **sriov):
    return Function(bdf, 0x8086, 0x10c9).express().sriov(8, **sriov).bar(0, WINDOW, 0x20000).vf_bar(
        0, WINDOW + 0x100000, 0x4000)


def edu(bdf, address=WINDOW + 0x1000000, size=0x100000, **express):
    return Function(bdf, 0x1234, 0x11e8).express(**express).bar(0, address, size)


def msix(table, *where):
    """A function whose MSI-X table and PBA lie behind its registers, in the same page."""
    function = edu(*where)
    function.capability(0x70, 0x11).put(0x72, "<HII", 2, table, table + 0x80)
    return function


def config(*partitions):
    text = "".join(
        f'p{i} {{ cores = <{i}>; memory-size = /bits/ 64 <0x1000000>; kernel = "build/pf-service.bin"; {devices} }};'
        for i, devices in enumerate(partitions))
    return ('/dts-v1/; / { compatible = "causeway,config-v1"; machine { compatible = "qemu,virt"; cores = <4>; '
            f'memory-size = /bits/ 64 <0x40000000>; }}; partitions {{ {text} }}; }};')


def whole(*bdfs, more=""):
    return more + "devices {" + "".join(f'd{i} {{ function = "{bdf}"; }};' for i, bdf in enumerate(bdfs)) + "};"


def vf(index, pf="0000:01:00.0"):
    return (f'devices {{ v {{ vf-of = "{pf}"; index = <{index}>; mac-address = [52 54 00 ca 05 {index:02x}]; }}; }};')


SERVICE = whole("0000:01:00.0", more="pf-service; ")


def findings(box, dump, *partitions):  # noqa: F811
    result = box.run("check", "--json", "--machine", box.write("log", dump), box.write("c.dts", config(*partitions)))
    report = json.loads(result.stdout)
    assert result.returncode == (OK if report["ok"] else CONFIG)
    return [f"{e['path']}: {e['problem']}; {e['fix']}" for e in report["errors"]]


def test_a_sound_config_passes(box):  # noqa: F811
    dump = log(port(1, 1), igb(), port(2, 2), edu("0000:02:00.0"))
    assert findings(box, dump, SERVICE, vf(0), vf(6), whole("0000:02:00.0")) == []


# name: (dump, partitions, path, words that the finding must have)
REFUSED = {
    "nothing there": (log(port(1, 1), igb()), [whole("0000:05:00.0")], "p0/devices/d0", ["0000:05:00.0", "0000:01:00.0"]),
    "a bridge": (log(port(1, 1), igb()), [whole("0000:00:01.0")], "p0/devices/d0", ["0000:00:01.0", "port"]),
    "no SMMU": (log(port(1, 1), igb(), smmu=0), [whole("0000:01:00.0")], "p0/devices/d0", ["SMMU"]),
    "no ITS": (log(port(1, 1), igb(), its=0), [whole("0000:01:00.0")], "p0/devices/d0", ["ITS"]),
    "bypass": (log(port(1, 1), igb(), fenced=0x100), [whole("0000:01:00.0")], "p0/devices/d0", ["bypasses the SMMU"]),
    "TotalVFs": (log(port(1, 1), Function("0000:01:00.0", 0x8086, 0x10c9).express().sriov(2)), [SERVICE, vf(2)],
                 "p1/devices/v", ["2 VFs", "0 to 1"]),
    "the eighth": (log(port(1, 1), igb()), [SERVICE, vf(7)], "p1/devices/v", ["0 to 6"]),
    "no VFs": (log(port(1, 1), edu("0000:01:00.0")), [SERVICE, vf(0)], "p1/devices/v", ["0000:01:00.0", "makes no VFs"]),
    "VF twice": (log(port(1, 1), igb()), [SERVICE, vf(1), vf(1)], "p2/devices/v", ["VF 1", "/partitions/p1/devices/v"]),
    "PF whole and shared": (log(port(1, 1), igb()), [whole("0000:01:00.0"), vf(0)], "p1/devices/v",
                            ["0000:01:00.0", "/partitions/p0"]),
    "no room": (log(port(1, 1), edu("0000:01:00.0").bar(2, 0, 1 << 33, 0)), [whole("0000:01:00.0")], "p0/devices/d0",
                ["BAR 2", "0x200000000", "no room"]),
    "too high": (log(port(1, 1), edu("0000:01:00.0", 0x8000000000)), [whole("0000:01:00.0")], "p0/devices/d0",
                 ["BAR 0 at 0x8000000000", "outside"]),
    "no room for VFs": (log(port(1, 1), igb().vf_bar(3, 0, 0x4000, 0)), [SERVICE, vf(0)], "p1/devices/v",
                        ["VF BAR 3", "no room"]),
    "a shared page": (log(port(1, 1), edu("0000:01:00.0", WINDOW, 0x100), port(2, 2),
                          edu("0000:02:00.0", WINDOW + 0x100, 0x100)),
                      [whole("0000:01:00.0"), whole("0000:02:00.0")], "p0/devices/d0",
                      ["0000:01:00.0 shares a 4 KiB page with one of 0000:02:00.0"]),
    "VFs in one page": (log(port(1, 1), igb().vf_bar(0, WINDOW, 0x400)), [SERVICE, vf(0)], "p1/devices/v",
                        ["VF BAR 0 has 0x400 bytes: VFs 0 to 3 of 0000:01:00.0 share a page", "whole card"]),
    "an MSI-X table in a shared page": (log(port(1, 1), msix(0x800, "0000:01:00.0", WINDOW, 0x900), port(2, 2),
                                            edu("0000:02:00.0", WINDOW + 0xa00, 0x100)),
                                        [whole("0000:01:00.0"), whole("0000:02:00.0")], "p1/devices/d0",
                                        ["0000:02:00.0 shares a 4 KiB page with one of 0000:01:00.0", "give all of them to p1"]),
    "no reset": (log(edu("0000:00:03.0", flr=False)), [whole("0000:00:03.0")], "p0/devices/d0",
                 ["0000:00:03.0", "no function-level reset", "keep-without-reset"]),
    "ACS off": (log(port(1, 1, on=0), edu("0000:01:00.0"), edu("0000:01:00.1", WINDOW + 0x2000000)),
                [whole("0000:01:00.0"), whole("0000:01:00.1")], "p0/devices/d0",
                ["0000:01:00.0 is in one isolation group with 0000:01:00.1", "/partitions/p1/devices/d0", "whole group"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_machine_cannot_do_is_refused(box, name):  # noqa: F811
    dump, partitions, path, words = REFUSED[name]
    found = findings(box, dump, *partitions)
    assert any(x.startswith(f"/partitions/{path}: ") and all(w in x for w in words) for x in found), found


def test_a_table_beside_its_own_registers_is_no_matter(box):  # noqa: F811
    """An entry is a DMA write of the function, whatever else is in that page (docs/devices.md)."""
    dump = log(port(1, 1), msix(0x800, "0000:01:00.0", WINDOW, 0x1000))
    assert findings(box, dump, whole("0000:01:00.0")) == []


def test_one_owner_of_both_may_share_a_page(box):  # noqa: F811
    dump, _, _, _ = REFUSED["a shared page"]
    assert findings(box, dump, whole("0000:01:00.0", "0000:02:00.0")) == []


def test_the_configs_own_devices_do_not_count(box):  # noqa: F811
    """What is there is what the dump says, not what /machine/devices describes."""
    text = config(whole("0000:00:04.0")).replace("; };", '; devices { a { model = "nvme"; at = "0000:00:04.0"; '
                                                 'disk = "build/d"; }; }; };', 1)
    path = box.write("c.dts", text)
    assert box.run("check", path).returncode == OK
    result = box.run("check", "--machine", box.write("log", log(edu("0000:00:05.0"))), path)
    assert result.returncode == CONFIG and "0000:00:05.0 (edu)" in result.stderr


@pytest.mark.parametrize("functions, said", [
    ([port(1, 1), igb()], ["vf-of = \"0000:01:00.0\"", "pf-service"]),
    ([port(1, 1), edu("0000:01:00.0")], ['function = "0000:01:00.0"']),
    ([edu("0000:00:03.0", flr=False)], ["no function-level reset", "no function can be given away"]),
    ([port(1, 1), Function("0000:01:00.0", 0xabcd, 0x1234).express()], ["abcd:1234", "cannot make it"]),
    ([Function("0000:00:01.0", 0xabcd, 1, 1, 1).express(4, False).acs(), edu("0000:01:00.0")],
     ["0000:01:00.0 edu: can be assigned; 'run' cannot make it so", "no function can be given away"]),
    ([edu("0000:40:00.0"), Function("0000:00:03.0", 0x1b36, 0x0010).express().bar(0, WINDOW, 0x4000)],
     ["0000:40:00.0 edu: can be assigned; 'run' cannot", 'function = "0000:00:03.0"']),
    ([port(1, 1, on=0), edu("0000:01:00.0"), edu("0000:01:00.1", WINDOW + 0x2000000)], ["one isolation group with"]),
])
def test_a_scan_passes_both_checks(box, functions, said):  # noqa: F811
    dump = box.write("log", log(*functions, more=["@host cores=3 memory=0x20000000 gic=3"]))
    box.write("build/pf-service.bin", b"\0\0\0\x14" * 1000)
    assert box.run("scan", "-o", "scanned.dts", dump).returncode == OK
    text = (box.path / "scanned.dts").read_text()
    assert "cores = <3>" in text and "0x20000000" in text and "gic = <3>" in text
    assert all(x in text for x in said), text
    for words in (["scanned.dts"], ["--machine", dump, "scanned.dts"]):
        result = box.run("check", *words)
        assert result.returncode == OK, result.stderr + text
    assert box.run("scan", dump).stdout == text


def test_a_dump_of_a_dump_is_that_dump(box):  # noqa: F811
    """Also when it is taken out into its own folder."""
    name = box.write("console.log", log(port(1, 1), igb()))
    assert box.run("dump", "-o", "out", name).returncode == OK
    before = (box.path / "out/machine.dump").read_text()
    assert "@pci - 0000:01:00.0 000:" in before
    assert box.run("dump", "-o", "out", "out/machine.dump").returncode == OK
    assert (box.path / "out/machine.dump").read_text() == before


def test_scan_does_not_overwrite_its_dump(box):  # noqa: F811
    name = box.write("machine.dump", log(port(1, 1), igb()))
    result = box.run("scan", name, "-o", name)
    assert result.returncode == USAGE and "machine.dump would be overwritten" in result.stderr
    assert "@pci" in (box.path / name).read_text()


def test_an_older_log_is_no_dump_of_a_machine_that_failed(box):  # noqa: F811
    box.write("build/hypervisor.bin", b"h")
    box.write("build/test.log", log(port(1, 1), igb()))
    name = box.write("test.dts", config(""))
    for qemu in ("/bin/false", "/bin/true"):
        result = box.run("run", name, "--dump-pci", "out", "--qemu", qemu)
        assert result.returncode == MACHINE and "the machine" in result.stderr
        assert list((box.path / "out").iterdir()) == []


def test_lspci_reads_what_dump_writes(box):  # noqa: F811
    virtual = Function("0000:01:10.0", 0xffff, 0xffff).express()
    guest = Function("0000:00:01.0", 0x8086, 0x10ca)
    spoof = "net-a| hv| @pci - 0000:00:1f.0 000: 00011234 0 0 0"
    dump = log(port(1, 1), igb(on=1), virtual, more=[*guest.lines("net-a"), spoof])
    assert box.run("dump", "-o", "out", box.write("log", dump)).returncode == OK
    assert sorted(p.name for p in (box.path / "out").iterdir()) == ["machine.dump", "machine.lspci", "net-a.lspci"]
    assert shutil.which("lspci"), "pciutils is not installed: run 'make setup'"
    shown = subprocess.run(["lspci", "-n", "-vv", "-F", box.path / "out/machine.lspci"], text=True, check=True,
                           capture_output=True).stdout
    assert [line.split()[:3:2] for line in shown.splitlines() if line[:1].isalnum()] == [
        ["00:01.0", "1b36:000c"], ["01:00.0", "8086:10c9"], ["01:10.0", "8086:10ca"]]
    assert "Total VFs: 8" in shown and "secondary=01" in shown
    # What was extracted is a dump again, and says the same.
    assert box.run("dump", "-o", "again", "out/machine.dump").returncode == OK
    assert (box.path / "again/machine.lspci").read_text() == (box.path / "out/machine.lspci").read_text()


@pytest.mark.parametrize("text", ["", "nothing\n", "hv| @machine smmu=1 its=1\n",
                                  "hv| @pci - 0000:00:00.0 000: 1 2 3 4\n", "\0\xff\n" * 50])
def test_no_dump_is_said(box, text):  # noqa: F811
    for words in (["scan"], ["dump", "-o", "out"], ["check", box.write("c.dts", config("")), "--machine"]):
        result = box.run(*words, box.write("log", text))
        assert result.returncode == CONFIG and "--dump-pci" in result.stderr, (words, result.stderr)


@pytest.mark.parametrize("line", [
    "@pci ../../x 0000:00:00.0 000: 1 2 3 4", "@pci - 0000:00:00.0 ff8: 1 2 3 4", "@pci - 0000:00:00.0 ff00: 1 2 3 4",
    "@pci - nonsense 000: 1 2 3 4", "@bar 0000:00:00.0 9 space=2 address=0x0 size=0x1", "@pci " + "a" * 400,
    "@bar 0000:00:00.0 0 space=7 address=0xffffffffffffffff size=0xffffffffffffffff"])
def test_bad_lines_do_no_harm(box, line):  # noqa: F811
    dump = box.write("log", log(port(1, 1), igb(), more=[line] * 3))
    assert box.run("dump", "-o", "out", dump).returncode == OK
    assert {p.name for p in (box.path / "out").iterdir()} <= {"machine.dump", "machine.lspci"}
    assert box.run("scan", dump).returncode == OK
    assert box.run("check", "--machine", dump, box.write("c.dts", config(SERVICE, vf(0)))).returncode == OK


@pytest.mark.parametrize("words, code", [
    (["scan"], USAGE), (["scan", "a", "b"], USAGE), (["dump", "log"], USAGE), (["scan", "gone"], TOOL),
    (["check", "--machine", "gone", "c.dts"], TOOL), (["run", "--gic", "5", "c.dts"], USAGE),
    (["run", "--smp", "17", "c.dts"], USAGE), (["run", "--smp", "0", "c.dts"], USAGE),
    (["run", "--memory", "12", "c.dts"], USAGE), (["run", "--memory", "-1G", "c.dts"], USAGE),
    (["run", "--dump-pci", "d", "--fit", "f", "c.dts"], USAGE)])
def test_usage(box, words, code):  # noqa: F811
    box.write("c.dts", config(""))
    box.write("log", log(igb()))
    assert box.run(*words).returncode == code


def test_run_overrides_the_machine(box):  # noqa: F811
    path = box.write("c.dts", config(""))
    printed = box.run("run", "--print", "--gic", "3", "--smp", "2", "--memory", "512M", path)
    command = printed.stdout.replace("\\\n", " ").split()
    assert command[command.index("-smp") + 1] == "2" and command[command.index("-m") + 1] == "512M"
    assert "gic-version=3" in printed.stdout
    # The rules see what was overridden.
    result = box.run("run", "--print", "--smp", "1", box.write("d.dts", config("", "")))
    assert result.returncode == CONFIG and "core 1" in result.stderr
