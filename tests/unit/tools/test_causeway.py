# SPDX-License-Identifier: BSD-2-Clause
"""Drives the causeway program, built with sanitizers, with good, bad and broken configs."""
import hashlib
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import struct
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
OK, CONFIG, USAGE, TOOL, MACHINE = range(5)
WARN = "-Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef"
SANITIZE = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    if os.environ.get("CAUSEWAY"):
        return os.environ["CAUSEWAY"]
    binary = tmp_path_factory.mktemp("bin") / "causeway"
    sources = sorted(str(p) for p in (ROOT / "tools").glob("*.c")) + [str(ROOT / "pci/bus/group.c")]
    subprocess.run(["gcc", "-std=gnu11", *SANITIZE.split(), *WARN.split(), f"-I{ROOT}/lib/include", f"-I{ROOT}/pci/bus/include",
                    *sources, "-lfdt", "-o", str(binary)], check=True)
    return str(binary)


def linux_image(text_offset=0, image_size=40 << 20, body=b"kernel"):
    header = bytearray(64)
    struct.pack_into("<QQ", header, 8, text_offset, image_size)
    header[56:60] = b"ARM\x64"
    return bytes(header) + body


class Box:
    """A project folder with the files that the example configs name."""

    def __init__(self, program, path):
        self.program, self.path = program, path
        (path / "build/guest").mkdir(parents=True)
        (path / "tmp").mkdir()
        self.write("build/guest/Image", linux_image())
        self.write("build/guest/initramfs.cpio.gz", b"r" * 3_000_000)
        self.write("build/pf-service.bin", b"\0\0\0\x14" * 1000)

    def write(self, name, content):
        file = self.path / name
        file.write_bytes(content) if isinstance(content, bytes) else file.write_text(content)
        return name

    def run(self, *words, path=None):
        environment = dict(os.environ, TMPDIR=str(self.path / "tmp"))
        if path is not None:
            environment["PATH"] = path
        result = subprocess.run([self.program, *words], cwd=self.path, env=environment, text=True,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        assert "Sanitizer" not in result.stderr and "runtime error" not in result.stderr, result.stderr
        assert result.returncode in range(5), (result.returncode, result.stderr)
        assert list((self.path / "tmp").iterdir()) == [], "temporary files left behind"
        return result

    def check(self, text, name="test.dts"):
        """The findings of a config given as text: a list of (path, problem, fix), and warnings."""
        result = self.run("check", "--json", self.write(name, text))
        report = json.loads(result.stdout)
        assert result.returncode == (OK if report["ok"] else CONFIG)
        assert report["ok"] == (report["errors"] == [])
        plain = self.run("check", name)
        assert plain.returncode == result.returncode
        for finding in report["errors"]:
            assert finding["problem"] and finding["fix"]
            assert f"{name}: {finding['path']}: {finding['problem']}; {finding['fix']}\n" in plain.stderr
        return [tuple(e[k] for k in ("path", "problem", "fix")) for e in report["errors"]]


@pytest.fixture
def box(program, tmp_path):
    return Box(program, tmp_path)


def example(name):
    return (ROOT / "config" / f"{name}.dts").read_text()


def changed(name, *changes):
    """An example with (old, new) replaced once each; new = None drops it."""
    text = example(name)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new or "", 1)
    return text


# --- a reader of device trees, so that libfdt is not checked with libfdt ---------------------------

def parse_fdt(blob):
    magic, total, structure, strings = struct.unpack_from(">4I", blob)
    assert magic == 0xD00DFEED and total <= len(blob)
    tree, stack, at = None, [], structure
    while True:
        (token,) = struct.unpack_from(">I", blob, at)
        at += 4
        if token == 1:
            end = blob.index(0, at)
            node = {}
            if stack:
                stack[-1][blob[at:end].decode()] = node
            else:
                tree = node
            stack.append(node)
            at = (end + 4) & ~3
        elif token == 2:
            stack.pop()
        elif token == 3:
            size, name = struct.unpack_from(">II", blob, at)
            end = blob.index(0, strings + name)
            stack[-1][blob[strings + name:end].decode()] = blob[at + 8:at + 8 + size]
            at = (at + 8 + size + 3) & ~3
        elif token == 9:
            return tree


def cells(value):
    return [c for (c,) in struct.iter_unpack(">I", value)]


def u64(value):
    return struct.unpack(">Q", value)[0]


def text(value):
    return value[:-1].decode()


def pack(box, config, name="test.dts"):
    result = box.run("pack", box.write(name, config), "-o", "out.fit")
    assert result.returncode == OK, result.stderr
    images = parse_fdt((box.path / "out.fit").read_bytes())["images"]
    return images, parse_fdt(images["config"]["data"])


# --- check -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["no-devices", "two-vfs", "four-partitions"])
def test_examples_are_sound(box, name):
    assert box.check(example(name)) == []


def test_bad_example_reports_everything_at_once(box):
    found = box.check(example("bad-example"))
    for path, problem in [
        ("/machine", "unknown property 'memory'"),
        ("/partition", "unknown node"),
        ("/partitions/net-a", "unknown property 'comand-line'"),
        ("/partitions/net-b", "cores is missing"),
        ("/partitions/net-b", "memory-size must be one number of 64 bits"),
        ("/machine/devices/disk", "unknown model"),
        ("/machine/devices/nic2", "no room for its VFs"),
        ("/partitions/net-a", "core 0 is used already by /partitions/pf"),
        ("/partitions/net-a", "core 9, but the machine has cores 0 to 3"),
        ("/partitions/net-a", "not a multiple of 2 MiB"),
        ("/partitions/net-a/devices/eth0", "index 7: of the 8 VFs"),
        ("/partitions/net-a/devices/eth0", "multicast"),
        ("/partitions/net-a/devices/eth0", "vlan 4095"),
        ("/partitions/net-a/devices/eth1", "nobody owns the PF"),
        ("/partitions/net-b/devices/eth0", "given to /partitions/pf/devices/nic already"),
        ("/partitions/net-b/devices/eth1", "must be a PCI address"),
        ("/partitions/net-b/devices/eth2", "no device at 0000:05:00.0"),
        ("/partitions/a-name-much-too-long", "the name has 20 characters"),
        ("/partitions/a-name-much-too-long", "more than the machine has"),
        ("/partitions/a-name-much-too-long", "overlaps that of the hypervisor"),
        ("/partitions/a-name-much-too-long", "overlaps that of /partitions/net-a"),
        ("/partitions", "the partitions take"),
    ]:
        assert any(p == path and problem in q for p, q, _ in found), (path, problem)
    assert any(fix == "did you mean 'command-line'?" for _, _, fix in found)
    assert any(fix == "did you mean 'partitions'?" for _, _, fix in found)


VF0 = "/partitions/net-a/devices/eth0"
VF1 = "/partitions/net-b/devices/eth0"
NIC = "/machine/devices/nic"
PF_FUNCTION = 'function = "0000:01:00.0";'
PF_DEVICES = """			devices {
				nic {
					function = "0000:01:00.0";
				};
			};
"""
EDU = 'devices { edu { model = "edu"; at = "0000:00:04.0"; }; '

# One mistake each in two-vfs.dts: (old, new) …, the node that is named, a piece of what is said.
MISTAKES = {
    "config compatible": ([('"causeway,config-v1"', '"causeway,config-v9"')], "/", "unknown compatible"),
    "machine compatible": ([('"qemu,virt"', '"qemu,vert"')], "/machine", "unknown compatible"),
    "no compatible": ([('compatible = "causeway,config-v1";', None)], "/", "compatible is missing"),
    "string for a number": ([("cores = <5>;", 'cores = "5";')], "/machine", "one number of 32 bits"),
    "machine without cores": ([("cores = <5>;", None)], "/machine", "cores is missing"),
    "machine with 0 cores": ([("cores = <5>;", "cores = <0>;")], "/machine", "cores = <0>"),
    "machine with 17 cores": ([("cores = <5>;", "cores = <17>;")], "/machine", "cores = <17>"),
    "machine's odd memory": ([("<0x80000000>", "<0x80000001>")], "/machine", "not a multiple of 2 MiB"),
    "machine too small": ([("<0x80000000>", "<0x8000000>")], "/machine", "out of range"),
    "machine too large": ([("<0x80000000>", "<0xffffffffffe00000>")], "/machine", "out of range"),
    "memory of 0": ([("<0x1000000>", "<0>")], "/partitions/pf", "not a multiple of 2 MiB"),
    "gic": ([("cores = <5>;", "cores = <5>; gic = <2>;")], "/machine", "gic = <2>"),
    "smmu-stage": ([("cores = <5>;", "cores = <5>; smmu-stage = <3>;")], "/machine", "smmu-stage = <3>"),
    "flag with a value": ([("pf-service;", "pf-service = <1>;")], "/partitions/pf", "takes no value"),
    "unknown node": ([("partitions {", "images { }; partitions {")], "/images", "unknown node"),
    "node in a leaf": ([("mac-address = [52 54 00 ca 05 00];", "mac-address = [52 54 00 ca 05 00]; more { };")],
                       VF0 + "/more", "unknown node"),
    "unknown property": ([("index = <0>;", "index = <0>; trust;")], VF0, "unknown property 'trust'"),
    "empty kernel": ([('kernel = "build/pf-service.bin";', 'kernel = "";')], "/partitions/pf", "one string"),
    "two kernels": ([('"build/pf-service.bin";', '"a", "b";')], "/partitions/pf", "must be one string"),
    "no kernel": ([('kernel = "build/pf-service.bin";', None)], "/partitions/pf", "kernel is missing"),
    "no cores": ([("cores = <1 2>;", None)], "/partitions/net-a", "cores is missing"),
    "empty cores": ([("cores = <1 2>;", "cores = <>;")], "/partitions/net-a", "list of 32-bit"),
    "core twice within": ([("cores = <1 2>;", "cores = <1 1>;")], "/partitions/net-a",
                          "core 1 is used already by /partitions/net-a"),
    "core of another": ([("cores = <3 4>;", "cores = <2 4>;")], "/partitions/net-b",
                        "core 2 is used already by /partitions/net-a"),
    "core beyond": ([("cores = <3 4>;", "cores = <3 5>;")], "/partitions/net-b", "cores 0 to 4"),
    "core wraps": ([("cores = <3 4>;", "cores = <3 0xffffffff>;")], "/partitions/net-b", "core 4294967295"),
    "9 vCPUs": ([("cores = <3 4>;", "cores = <3 4 5 6 7 8 9 10 11>;"), ("cores = <5>;", "cores = <12>;")],
                "/partitions/net-b", "9 cores"),
    "memory sum": ([("<0x80000000>", "<0x22000000>")], "/partitions", "the partitions take"),
    "memory beyond": ([("<0x1000000>", "<0x100000000>")], "/partitions/pf", "more than the machine has"),
    "memory sum wraps": ([("<0x1000000>", "<0xffffffffffe00000>")], "/partitions", "the partitions take"),
    "image too big": ([("<0x1000000>", "<0x200000>")], "/partitions/pf", "but memory-size is"),
    "long name": ([("net-a {", "net-abcdefghijkl {")], "/partitions/net-abcdefghijkl", "16 characters"),
    "odd name": ([("net-a {", "Net_a {")], "/partitions/Net_a", "may not have"),
    "the hypervisor's name": ([("net-a {", "hv {")], "/partitions/hv", "the name is that of the hypervisor's lines"),
    "the machine's name": ([("net-a {", "machine {")], "/partitions/machine", "the name is that of the machine's files"),
    "unit address": ([("eth0 {", "eth0@1 {")], "/partitions/net-a/devices/eth0@1", "may not have"),
    "long command line": ([("quiet", "q" * 2048)], "/partitions/net-a", "the command line has"),
    "BDF short": ([(PF_FUNCTION, 'function = "01:00.0";')], "/partitions/pf/devices/nic", "PCI address"),
    "BDF domain": ([(PF_FUNCTION, 'function = "0001:01:00.0";')], "/partitions/pf/devices/nic", "domain 0000"),
    "BDF device": ([(PF_FUNCTION, 'function = "0000:01:20.0";')], "/partitions/pf/devices/nic", "PCI address"),
    "BDF function": ([(PF_FUNCTION, 'function = "0000:01:00.8";')], "/partitions/pf/devices/nic", "PCI address"),
    "BDF upper-case": ([(PF_FUNCTION, 'function = "0000:0A:00.0";')], "/partitions/pf/devices/nic", "lower-case"),
    "BDF long": ([(PF_FUNCTION, 'function = "0000:01:00.00";')], "/partitions/pf/devices/nic", "PCI address"),
    "no such function": ([(PF_FUNCTION, 'function = "0000:02:00.0";')], "/partitions/pf/devices/nic",
                         "no device at 0000:02:00.0"),
    "a VF as function": ([(PF_FUNCTION, 'function = "0000:01:10.4";')], "/partitions/pf/devices/nic",
                         "0000:01:10.4 is a VF of nic"),
    "a port": ([(PF_FUNCTION, 'function = "0000:00:01.0";')], "/partitions/pf/devices/nic", "is a port"),
    "function and vf-of": ([("index = <0>;", 'index = <0>; function = "0000:01:00.0";')], VF0,
                           "both function and vf-of"),
    "neither": ([('vf-of = "0000:01:00.0";', None)], VF0, "names no function"),
    "function twice": ([("eth0 {", "all { " + PF_FUNCTION + " }; eth0 {")],
                       "/partitions/net-a/devices/all", "given to /partitions/pf/devices/nic already"),
    "function with index": ([(PF_FUNCTION, PF_FUNCTION + " index = <1>;")], "/partitions/pf/devices/nic",
                            "are for VFs"),
    "VF twice": ([("index = <1>;", "index = <0>;")], VF1, "VF 0 of 0000:01:00.0 is given to " + VF0),
    "VF beyond TotalVFs": ([("index = <1>;", "index = <8>;")], VF1, "nic has 8 VFs"),
    "VF beyond fewer": ([("total-vfs = <8>;", "total-vfs = <1>;")], VF1, "nic has 1 VFs"),
    "eighth VF": ([("index = <1>;", "index = <7>;")], VF1, "only 7 can be used"),
    "no index": ([("index = <1>;", None)], VF1, "needs its index"),
    "total-vfs": ([("total-vfs = <8>;", "total-vfs = <9>;")], NIC, "total-vfs = <9>"),
    "no PF owner": ([(PF_DEVICES, None)], VF0, "nobody owns the PF"),
    "PF without service": ([("pf-service;", None)], VF0, "which is not a PF service"),
    "service without PF": ([(PF_DEVICES, None)], "/partitions/pf", "owns exactly one PF, this one owns 0"),
    "no VFs": ([("devices {", EDU), (PF_FUNCTION, PF_FUNCTION + " }; e { vf-of = \"0000:00:04.0\"; index = <0>; "
                                     "mac-address = [52 54 00 00 00 01];")], "/partitions/pf/devices/e", "makes no VFs"),
    "no MAC": ([("mac-address = [52 54 00 ca 05 00];", None)], VF0, "needs a MAC"),
    "MAC short": ([("[52 54 00 ca 05 00]", "[52 54 00 ca 05]")], VF0, "must be six bytes"),
    "MAC zero": ([("[52 54 00 ca 05 00]", "[00 00 00 00 00 00]")], VF0, "is zero"),
    "MAC multicast": ([("[52 54 00 ca 05 00]", "[53 54 00 ca 05 00]")], VF0, "multicast"),
    "MAC twice": ([("[52 54 00 ca 05 01]", "[52 54 00 ca 05 00]")], VF1, "is that of " + VF0),
    "MAC of the card": ([("[52 54 00 ca 05 01]", "[52 54 00 ca 00 01]")], VF1, "is that of " + NIC),
    "VLAN": ([("index = <0>;", "index = <0>; vlan = <4095>;")], VF0, "vlan 4095"),
    "no SMMU": ([("cores = <5>;", "cores = <5>; smmu-off;")], VF0, "no SMMU"),
    "bypassed SMMU": ([("cores = <5>;", "cores = <5>; smmu-bypass;")], VF0, "bypasses the SMMU"),
    "no ITS": ([("cores = <5>;", "cores = <5>; its-off;")], VF0, "no ITS"),
    "model": ([('model = "igb";', 'model = "e1000";')], NIC, "unknown model"),
    "no model": ([('model = "igb";', None)], NIC, "model is missing"),
    "no port": ([('behind = "port1";', 'behind = "port2";')], NIC, "no port 'port2'"),
    "behind itself": ([('behind = "port1";', 'behind = "nic";')], NIC, "no port 'nic'"),
    "no place": ([('behind = "port1";', None)], NIC, "has no place"),
    "two places": ([('behind = "port1";', 'behind = "port1"; at = "0000:00:02.0";')], NIC, "both"),
    "port behind a port": ([('at = "0000:00:01.0";', 'behind = "port1";')], "/machine/devices/port1", "behind another"),
    "slot 0": ([('at = "0000:00:01.0";', 'at = "0000:00:00.0";')], "/machine/devices/port1", "cannot be at"),
    "bus 1": ([('at = "0000:00:01.0";', 'at = "0000:01:01.0";')], "/machine/devices/port1", "cannot be at"),
    "slot taken": ([("devices {", 'devices { x { model = "edu"; at = "0000:00:01.0"; }; ')],
                   "/machine/devices/port1", "taken by x"),
    "port taken": ([("nic {", 'x { model = "edu"; behind = "port1"; }; nic {')], NIC, "is x already"),
    "igb too high": ([('behind = "port1";', 'at = "0000:00:0f.0";')], NIC, "no room for its VFs"),
    "igbs adjoin": ([("devices {", 'devices { x { model = "igb"; at = "0000:00:02.0"; }; '),
                     ('behind = "port1";', 'at = "0000:00:03.0";')], NIC, "adjoin"),
    "in a VF's slot": ([("devices {", 'devices { x { model = "edu"; at = "0000:00:13.0"; }; '),
                        ('behind = "port1";', 'at = "0000:00:02.0";')], NIC, "collide"),
    "network": ([('network = "external";', 'network = "tap0";')], NIC, 'unknown network "tap0"'),
    "one disk for two": ([("devices {", 'devices { a { model = "nvme"; at = "0000:00:05.0"; disk = "build/b.img"; }; '
                           'b { model = "nvme"; at = "0000:00:06.0"; }; ')], "/machine/devices/b",
                         'disk "build/b.img" is that of /machine/devices/a too'),
    "MAC of a port": ([('model = "pcie-root-port";', 'model = "pcie-root-port"; network = "none";')],
                      "/machine/devices/port1", "is no network device"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_named(box, mistake):
    changes, path, problem = MISTAKES[mistake]
    found = box.check(changed("two-vfs", *changes))
    assert any(p == path and problem in q for p, q, _ in found), found


def test_pinned_memory(box):
    def errors(at, size="0x10000000"):
        return [q for p, q, _ in box.check(changed("no-devices", (
            "memory-size = /bits/ 64 <0x10000000>;",
            f"memory-size = /bits/ 64 <{size}>; memory-at = /bits/ 64 <{at}>;")))]
    assert errors("0x50000000") == []
    assert any("not a multiple" in q for q in errors("0x50001000"))
    assert any("of the hypervisor" in q for q in errors("0x43e00000", "0x200000"))
    assert not any("of the hypervisor" in q for q in errors("0x44000000", "0x200000"))
    assert any("of the FIT" in q for q in errors("0x47e00000", "0x400000"))
    assert any("not all inside" in q for q in errors("0x30000000"))
    assert any("not all inside" in q for q in errors("0x78000000"))
    assert any("not all inside" in q for q in errors("0xfffffffffff00000"))


def test_two_pinned_partitions_overlap_by_one_block(box):
    def errors(at):
        return [q for p, q, _ in box.check(changed(
            "two-vfs", ("cores = <1 2>;", "cores = <1 2>; memory-at = /bits/ 64 <0x60000000>;"),
            ("cores = <3 4>;", f"cores = <3 4>; memory-at = /bits/ 64 <{at}>;")))]
    assert errors("0x70000000") == [] and errors("0x50000000") == []
    assert any("overlaps that of /partitions/net-a" in q for q in errors("0x6fe00000"))
    assert any("overlaps that of /partitions/net-a" in q for q in errors("0x50200000"))


def numbered(count, body):
    return "".join(body.format(i=i) for i in range(count))


def test_limits(box):
    head = ('/dts-v1/; / { compatible = "causeway,config-v1"; machine { compatible = "qemu,virt"; '
            'cores = <16>; memory-size = /bits/ 64 <0x80000000>; devices { %s }; }; partitions { %s }; };')
    part = 'p{i} {{ cores = <{i}>; memory-size = /bits/ 64 <0x8000000>; kernel = "build/guest/Image"; }};'
    assert box.check(head % ("", numbered(8, part))) == []
    assert any("9 partitions" in q for _, q, _ in box.check(head % ("", numbered(9, part))))
    assert any("no partition" in q for _, q, _ in box.check(head % ("", "")))
    device = 'd{i} {{ function = "0000:00:0{i}.0"; }};'
    many = ('p { cores = <0>; memory-size = /bits/ 64 <0x8000000>; kernel = "build/guest/Image"; devices { %s }; };')
    assert any("9 devices" in q for _, q, _ in box.check(head % ("", many % numbered(9, device))))
    edu = 'e{i} {{ model = "edu"; at = "0000:00:{i:02x}.0"; }};'
    assert any("65 devices" in q for _, q, _ in box.check(head % (numbered(65, edu), numbered(1, part))))


def test_a_service_owns_one_pf(box):
    found = box.check(changed("two-vfs", ("devices {", 'devices { x { model = "igb"; at = "0000:00:05.0"; }; '),
                              (PF_FUNCTION, PF_FUNCTION + ' }; more { function = "0000:00:05.0";')))
    assert any("this one owns 2" in q for _, q, _ in found)


def test_a_whole_function_for_a_partition_is_sound(box):
    config = changed("no-devices", ("/* 1 GiB */", EDU + "};"),
                     ("cw.name=linux\";", 'cw.name=linux"; devices { dma { function = "0000:00:04.0"; '
                      'keep-without-reset; }; };'))
    assert box.check(config) == []


def test_buses_are_numbered_by_slot_not_by_order(box):
    config = changed("two-vfs", ("nic {", 'port0 { model = "pcie-root-port"; at = "0000:00:00.0"; }; nic {')) \
        .replace('at = "0000:00:01.0"', 'at = "0000:00:09.0"').replace('at = "0000:00:00.0"', 'at = "0000:00:08.0"')
    assert any("no device at 0000:01:00.0" in q for _, q, _ in box.check(config))
    assert box.check(config.replace("0000:01:00.0", "0000:02:00.0")) == []


def test_missing_files_warn_in_check_and_stop_pack(box):
    (box.path / "build/guest/Image").unlink()
    name = box.write("test.dts", example("no-devices"))
    result = box.run("check", name)
    assert result.returncode == OK and 'warning: kernel file "build/guest/Image" is not there' in result.stderr
    result = box.run("pack", name, "-o", "out.fit")
    assert result.returncode == TOOL and not (box.path / "out.fit").exists()


@pytest.mark.parametrize("content, why", [(b"\x7fELF" + b"x" * 99, "ELF"), (b"\x1f\x8bxx", "gzip"), (b"", "empty"),
                                          (b"MZ\0\0zimg", "compressed"),
                                          (linux_image(text_offset=1 << 63), "build the kernel again"),
                                          (linux_image(image_size=(1 << 64) - 1), "build the kernel again")])
def test_kernels_that_cannot_start(box, content, why):
    box.write("build/guest/Image", content)
    assert any(why in fix and ("cannot be started" in problem or "makes no sense" in problem)
               for _, problem, fix in box.check(example("no-devices")))


def test_what_is_there_but_no_file(box):
    (box.path / "build/guest/Image").unlink()
    (box.path / "build/guest/Image").mkdir()
    result = box.run("check", box.write("test.dts", example("no-devices")))
    assert 'kernel file "build/guest/Image" is not a file; name a file that you may read' in result.stderr


def may_not(box, *words):
    """As somebody who may read and write nothing that is not everybody's."""
    for folder in (box.path, box.path.parent, box.path.parent.parent, box.path / "build", box.path / "build/guest"):
        folder.chmod(0o755)
    (box.path / "tmp").chmod(0o777)
    program = box.path / "causeway"
    shutil.copy(box.program, program)
    who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    return subprocess.run([*who, program, *words], cwd=box.path, text=True, capture_output=True, timeout=60,
                          env=dict(os.environ, TMPDIR=str(box.path / "tmp")), stdin=subprocess.DEVNULL)


def test_files_that_may_not_be_read(box):
    name = box.write("test.dts", example("no-devices"))
    (box.path / "build/guest/Image").chmod(0)
    result = may_not(box, "check", name)
    assert result.returncode == OK and '"build/guest/Image" may not be read: permission denied' in result.stderr
    (box.path / name).chmod(0)
    result = may_not(box, "check", name)
    assert result.returncode == TOOL and f"{name}: Permission denied" in result.stderr


def test_outputs_that_may_not_be_written(box):
    words = fake_qemu(box, "touch started\n")
    (box.path / "build").chmod(0o555)
    result = may_not(box, *words, "--log", "tmp/x.log")
    assert result.returncode == TOOL and "build: Permission denied" in result.stderr
    assert not (box.path / "started").exists()


def test_syntax_errors_are_findings(box):
    found = box.check("/dts-v1/;\n/ { compatible = ; };\n")
    assert len(found) == 1 and "test.dts:2" in found[0][1] and "there" in found[0][2]
    assert "begins with /dts-v1/;" in box.check("/ { };\n")[0][2] and "begins with" in box.check("")[0][2]
    found = box.check(changed("two-vfs", ("index = <0>;", "index = <&nobody>;")))
    assert len(found) == 1 and '/partitions/net-a/devices/eth0: Reference to non-existent node or label "nobody"' in found[0][1]


def test_duplicate_nodes_are_findings(box):
    assert box.check(changed("two-vfs", ("net-b {", "net-a { }; net-a {")))


def test_missing_nodes(box):
    found = box.check('/dts-v1/; / { compatible = "causeway,config-v1"; };')
    assert {q for _, q, _ in found} >= {"the node 'machine' is missing", "the node 'partitions' is missing"}


def test_duplicate_nodes_of_a_blob(box):
    blob = compile_dts(box, example("two-vfs")).replace(b"\0\0\0\1net-b\0", b"\0\0\0\1net-a\0")
    box.write("y.dtb", blob)
    result = box.run("check", "y.dtb")
    assert result.returncode == CONFIG and "/partitions/net-a: there are two of this name" in result.stderr


def test_control_characters_do_not_reach_the_terminal(box):
    blob = compile_dts(box, changed("two-vfs", ('"qemu,virt"', '"qemu_virt"')))
    (box.path / "x.dtb").write_bytes(blob.replace(b"qemu_virt", b"\x1b[2Jvirt\n"))
    result = box.run("check", "x.dtb")
    assert result.returncode == CONFIG and "\x1b" not in result.stderr


# --- broken blobs ----------------------------------------------------------------------------------

def compile_dts(box, source):
    box.write("x.dts", source)
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", "x.dtb", "x.dts"], cwd=box.path, check=True)
    return (box.path / "x.dtb").read_bytes()


def test_a_blob_is_as_good_as_its_source(box):
    compile_dts(box, example("two-vfs"))
    assert box.run("check", "x.dtb").returncode == OK


def test_broken_blobs_are_refused(box):
    good = compile_dts(box, example("two-vfs"))
    for size in (39, 40, 60, len(good) // 2, len(good) - 1):
        box.write("y.dtb", good[:size])
        assert box.run("check", "y.dtb").returncode == CONFIG
    dice = random.Random(1)
    for _ in range(150):
        bad = bytearray(good)
        for _ in range(dice.choice((1, 1, 2, 8))):
            bad[dice.randrange(len(bad))] = dice.choice((0, 1, 0x7F, 0xFF, dice.randrange(256)))
        box.write("y.dtb", bytes(bad))
        assert box.run("check", "--json", "y.dtb").returncode in (OK, CONFIG)


# --- pack ------------------------------------------------------------------------------------------

def test_pack_resolves_the_config(box):
    images, config = pack(box, example("two-vfs"))
    assert sorted(images) == ["config", "dtb-net-a", "dtb-net-b", "dtb-pf", "kernel-0", "kernel-1", "ramdisk-0"]
    assert list(config["partitions"]) == ["pf", "net-a", "net-b"]
    net = config["partitions"]["net-a"]
    assert (text(net["kernel-image"]), text(net["ramdisk-image"]), text(net["dtb-image"])) == \
        ("kernel-1", "ramdisk-0", "dtb-net-a")
    assert u64(net["kernel-load"]) == u64(net["entry"]) == 0x40200000
    assert u64(net["ramdisk-load"]) == 0x48000000 and u64(net["dtb-load"]) == 0x48400000
    assert text(net["kernel"]) == "build/guest/Image"
    pf = config["partitions"]["pf"]
    assert u64(pf["kernel-load"]) == u64(pf["entry"]) == 0x40080000 and u64(pf["dtb-load"]) == 0x40800000
    assert "ramdisk-image" not in pf and "ramdisk-load" not in pf


def test_every_image_has_its_hash(box):
    images, _ = pack(box, example("two-vfs"))
    for name, image in images.items():
        assert text(image["hash-1"]["algo"]) == "sha256"
        assert image["hash-1"]["value"] == hashlib.sha256(image["data"]).digest(), name
    assert images["kernel-1"]["data"] == linux_image()


def test_equal_content_is_stored_once(box):
    box.write("build/copy", linux_image())
    images, config = pack(box, changed("two-vfs", ('kernel = "build/guest/Image"; /*', 'kernel = "build/copy"; /*')))
    assert "kernel-2" not in images
    assert text(config["partitions"]["net-b"]["kernel-image"]) == "kernel-1"


def test_pack_twice_gives_equal_bytes(box):
    pack(box, example("two-vfs"))
    first = (box.path / "out.fit").read_bytes()
    pack(box, example("two-vfs"))
    assert (box.path / "out.fit").read_bytes() == first


@pytest.mark.parametrize("image, memory, kernel, ramdisk", [
    (linux_image(0x80000, 1 << 20), 0x10000000, 0x40080000, 0x48000000),    # text_offset of 4 KiB or more: as it is
    (linux_image(0, 1 << 20), 0x8000000, 0x40200000, 0x44000000),           # small memory: halfway
    (linux_image(0, 0), 0x10000000, 0x40080000, 0x48000000),                # before Linux 3.17
    (linux_image(0, 200 << 20), 0x20000000, 0x40200000, 0x4CA00000),        # after a big kernel
    (b"\0\0\0\x14", 0x10000000, 0x40080000, 0x48000000),                    # raw
])
def test_load_addresses(box, image, memory, kernel, ramdisk):
    box.write("build/guest/Image", image)
    _, config = pack(box, changed("no-devices", ("<0x10000000>", f"<{memory:#x}>")))
    linux = config["partitions"]["linux"]
    assert (u64(linux["kernel-load"]), u64(linux["ramdisk-load"])) == (kernel, ramdisk)
    assert u64(linux["dtb-load"]) % (2 << 20) == 0 and u64(linux["dtb-load"]) >= ramdisk + 3_000_000
    assert u64(linux["dtb-load"]) + (2 << 20) <= 0x40000000 + memory


def test_odd_file_names(box):
    name = "build/it's \"odd\" $(touch hacked); name\\"
    box.write(name, linux_image())
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    pack(box, changed("no-devices", ('kernel = "build/guest/Image"', f'kernel = "{escaped}"')))
    assert not list(box.path.rglob("hacked"))
    out = "out $(touch hacked).fit"
    assert box.run("pack", "test.dts", "-o", out).returncode == OK and (box.path / out).exists()
    assert not list(box.path.rglob("hacked"))


@pytest.mark.parametrize("output", ["test.dts", "./test.dts", "link.dts", "build/guest/Image", "build/guest/initramfs.cpio.gz"])
def test_pack_and_run_destroy_nothing_they_were_given(box, output):
    name = box.write("test.dts", example("no-devices"))
    box.write("build/hypervisor.bin", b"h")
    (box.path / "link.dts").symlink_to("test.dts")
    before = (box.path / output).read_bytes()
    for words in (("pack", name, "-o", output), ("run", name, "--qemu", "/bin/true", "--log", output)):
        result = box.run(*words)
        assert result.returncode == USAGE and "would be overwritten: write to another file" in result.stderr
        assert (box.path / output).read_bytes() == before


def test_what_is_no_file_stays_what_it_is(box):
    """Not /dev/null itself: a failure would replace it."""
    name = box.write("test.dts", example("no-devices"))
    os.mkfifo(box.path / "pipe")
    with (box.path / "copy").open("wb") as copy, \
            subprocess.Popen(["timeout", "60", "cat", "pipe"], cwd=box.path, stdout=copy):
        assert box.run("pack", name, "-o", "pipe").returncode == OK
    assert (box.path / "pipe").is_fifo() and (box.path / "copy").read_bytes()[:4] == b"\xd0\x0d\xfe\xed"
    result = box.run("pack", name, "-o", "build")
    assert result.returncode == TOOL and "build: Is a directory" in result.stderr


def test_config_errors_stop_pack(box):
    name = box.write("test.dts", changed("two-vfs", ("index = <1>;", "index = <7>;")))
    result = box.run("pack", name, "-o", "out.fit")
    assert result.returncode == CONFIG and not (box.path / "out.fit").exists()
    assert box.run("pack", "--unchecked", name, "-o", "out.fit").returncode == OK
    name = box.write("test.dts", changed("two-vfs", ("index = <1>;", "index = <7>; trust;")))
    assert box.run("pack", "--unchecked", name, "-o", "no.fit").returncode == CONFIG


# --- the guest's device tree -----------------------------------------------------------------------

def guest(box, name, config=None):
    images, _ = pack(box, config or example("two-vfs"))
    return parse_fdt(images[f"dtb-{name}"]["data"])


def test_guest_tree_is_the_guest_map(box):
    header = (ROOT / "lib/include/guest_map.h").read_text()
    place = {k: int(v, 16) for k, v in re.findall(r"#define GUEST_(\w+)\s+(0x[0-9a-f]+)ull", header)}
    tree = guest(box, "net-a")
    gic = tree["intc@8000000"]
    assert cells(gic["reg"]) == [0, place["GICD_BASE"], 0, place["GICD_SIZE"],
                                 0, place["GICR_BASE"], 0, 2 * place["GICR_STRIDE"]]
    assert cells(gic["its@8080000"]["reg"]) == [0, place["ITS_BASE"], 0, place["ITS_SIZE"]]
    assert cells(tree["pl011@9000000"]["reg"]) == [0, place["UART_BASE"], 0, place["UART_SIZE"]]
    pcie = tree["pcie@10000000"]
    assert u64(pcie["reg"][:8]) == place["ECAM_BASE"] and u64(pcie["reg"][8:]) == place["ECAM_SIZE"]
    base, size = place["PCI_MMIO_BASE"], place["PCI_MMIO_SIZE"]
    assert cells(pcie["ranges"]) == [0x01000000, 0, 0, 0, place["PCI_PIO_BASE"], 0, place["PCI_PIO_SIZE"],
                                     0x02000000, 0, base, 0, base, 0, size]
    assert cells(pcie["bus-range"]) == [0, 0] and "iommu-map" not in pcie and "dma-coherent" in pcie
    assert cells(pcie["msi-map"]) == [0, cells(gic["its@8080000"]["phandle"])[0], 0, 0x10000]
    entries = cells(pcie["interrupt-map"])
    assert cells(pcie["interrupt-map-mask"]) == [0x1800, 0, 0, 7] and len(entries) == 16 * 10
    for slot, pin, entry in ((s, p, entries[40 * s + 10 * p:][:10]) for s in range(4) for p in range(4)):
        assert entry == [slot << 11, 0, 0, pin + 1, cells(gic["phandle"])[0], 0, 0, 0, 3 + (slot + pin) % 4, 4]
    assert cells(tree["memory@40000000"]["reg"]) == [0, 0x40000000, 0, 0x10000000]


def test_guest_tree_boots_linux(box):
    tree = guest(box, "net-a")
    assert tree["compatible"] == b"linux,dummy-virt\0"
    assert [cells(tree["cpus"][f"cpu@{i}"]["reg"]) for i in range(2)] == [[0], [1]] and "cpu@2" not in tree["cpus"]
    assert tree["cpus"]["cpu@0"]["enable-method"] == b"psci\0" and tree["psci"]["method"] == b"hvc\0"
    assert cells(tree["timer"]["interrupts"]) == [1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]
    chosen = tree["chosen"]
    assert "cw.name=net-a" in text(chosen["bootargs"]) and text(chosen["stdout-path"]) == "/pl011@9000000"
    assert u64(chosen["linux,initrd-end"]) - u64(chosen["linux,initrd-start"]) == 3_000_000
    assert cells(chosen["linux,pci-probe-only"]) == cells(tree["pcie@10000000"]["linux,pci-probe-only"]) == [1]
    assert "causeway" not in tree and "interrupts" not in tree["pmu"]


def test_the_service_finds_its_contracts(box):
    tree = guest(box, "pf", changed("two-vfs", ("index = <1>;", "index = <5>; vlan = <42>;")))
    vfs = tree["causeway"]
    assert list(vfs) == ["vf@0", "vf@5"]
    assert vfs["vf@0"]["mac-address"].hex() == "525400ca0500" and cells(vfs["vf@0"]["vlan"]) == [0]
    assert cells(vfs["vf@5"]["index"]) == [5] and cells(vfs["vf@5"]["vlan"]) == [42]
    assert "linux,initrd-start" not in tree["chosen"]


# --- run -------------------------------------------------------------------------------------------

def command(box, config, *words):
    name = box.write("test.dts", config)
    result = box.run("run", name, "--print", *words)
    assert result.returncode == OK, result.stderr
    return shlex.split(result.stdout.replace("\\\n", " "))


def follows(words, option):
    return [words[i + 1] for i, word in enumerate(words) if word == option]


def test_print(box):
    words = command(box, example("two-vfs"), "--", "-qmp", "unix:a b,server=on")
    assert words[0] == "qemu-system-aarch64" and words[-2:] == ["-qmp", "unix:a b,server=on"]
    assert follows(words, "-M") == ["virt,virtualization=on,gic-version=4,iommu=smmuv3,dtb-randomness=off"]
    assert follows(words, "-cpu") == ["neoverse-n1"] and follows(words, "-smp") == ["5"]
    assert follows(words, "-m") == ["2048M"] and "-icount" not in words
    assert follows(words, "-kernel") == ["build/hypervisor.bin"] and follows(words, "-initrd") == ["build/test.fit"]
    assert follows(words, "-D") == ["build/test.log.qemu.log"] and follows(words, "-d") == ["guest_errors"]
    port, nic = follows(words, "-device")
    assert port == "pcie-root-port,id=port1,bus=pcie.0,addr=01.0,chassis=1,slot=1"
    assert nic == "igb,id=nic,bus=port1,netdev=net-nic,mac=52:54:00:ca:00:01"
    assert follows(words, "-netdev") == ["hubport,id=net-nic,hubid=2"]
    assert not (box.path / "build/test.fit").exists()


def test_print_options(box):
    words = command(box, example("two-vfs"), "--icount", "--external", "/tmp/l,/tmp/r", "--serial", "unix:/tmp/a,b",
                    "--log", "x.log", "--fit", "y.fit", "--hypervisor", "z.bin")
    assert follows(words, "-cpu") == ["neoverse-n1,cntfrq=1000000000"]
    assert follows(words, "-icount") == ["shift=0,sleep=on"] and follows(words, "-accel") == ["tcg,thread=single"]
    assert follows(words, "-seed") == ["1"] and follows(words, "-rtc") == ["base=2026-01-01T00:00:00,clock=vm"]
    assert follows(words, "-netdev") == ["dgram,id=net-nic,local.type=unix,local.path=/tmp/l,"
                                         "remote.type=unix,remote.path=/tmp/r"]
    assert "path=/tmp/a,,b,server=on" in follows(words, "-chardev")[0]
    assert (follows(words, "-initrd"), follows(words, "-kernel")) == (["y.fit"], ["z.bin"])
    assert follows(words, "-D") == ["x.log.qemu.log"]


def test_cards_that_share_the_cable_to_the_outside(box):
    config = changed("two-vfs", ("devices {", 'devices { x { model = "igb"; at = "0000:00:05.0"; network = "external"; }; '))
    words = command(box, config, "--external", "/tmp/l,/tmp/r")
    assert follows(words, "-netdev") == ["dgram,id=outside,local.type=unix,local.path=/tmp/l,remote.type=unix,remote.path=/tmp/r",
                                         "hubport,id=hub-outside,hubid=65,netdev=outside",
                                         "hubport,id=net-x,hubid=65", "hubport,id=net-nic,hubid=65"]
    assert follows(command(box, config), "-netdev") == ["hubport,id=net-x,hubid=65", "hubport,id=net-nic,hubid=65"]


def test_print_machine_variants(box):
    config = changed("no-devices", ("cores = <2>;", 'cores = <2>; gic = <3>; its-off; smmu-off; cpu = "max";'))
    words = command(box, config)
    assert follows(words, "-M") == ["virt,virtualization=on,gic-version=3,its=off,dtb-randomness=off"]
    assert follows(words, "-cpu") == ["max"]
    assert "arm-smmuv3.stage=1" not in words
    config = changed("no-devices", ("cores = <2>;", "cores = <2>; smmu-stage = <1>;"))
    words = command(box, config)
    assert follows(words, "-M") == ["virt-9.1,virtualization=on,gic-version=4,iommu=smmuv3,dtb-randomness=off"]
    assert follows(words, "-global") == ["arm-smmuv3.stage=1"]
    config = changed("no-devices", ("/* 1 GiB */", "smmu-bypass; " + EDU + "};"))
    words = command(box, config)
    assert "default-bus-bypass-iommu=on" in follows(words, "-M")[0]
    assert follows(words, "-device") == ["edu,id=edu,bus=pcie.0,addr=04.0,dma_mask=0xffffffffffffffff"]


def test_ports_come_before_what_is_behind_them(box):
    config = changed("two-vfs", ('model = "pcie-root-port";', 'model = "edu";'), ('"0000:00:01.0"', '"0000:00:09.0"'),
                     ("port1 {", "dma {"), ("/* The card", 'port1 { model = "pcie-root-port"; at = "0000:00:01.0"; };'
                                            "/* The card"))
    config = config.replace("port1 {", "@", 1).replace("@", "port1 {")
    devices = follows(command(box, config), "-device")
    assert devices[0].startswith("pcie-root-port") and any(d.startswith("igb") for d in devices[1:])


def fake_qemu(box, script, last_line="hv| @exit status=0"):
    file = box.path / "fake-qemu"
    file.write_text(f"#!/bin/sh\necho '{last_line}' >build/test.log\n" + script)
    file.chmod(0o755)
    box.write("build/hypervisor.bin", b"h")
    box.write("test.dts", example("two-vfs"))
    return ("run", "test.dts", "--qemu", str(file))


def test_run_packs_and_starts(box):
    result = box.run(*fake_qemu(box, 'echo "$@"\n'), "--", "-more")
    assert result.returncode == OK and result.stdout.endswith("-more\n")
    assert (box.path / "build/test.fit").exists()


@pytest.mark.parametrize("script", ["exit 1\n", "exit 7\n", "kill -9 $$\n"])
def test_a_machine_that_fails(box, script):
    assert box.run(*fake_qemu(box, script)).returncode == MACHINE


@pytest.mark.parametrize("last_line", ["hv| @exit status=1", "net-a| hv| @exit status=0", ""])
def test_a_machine_that_says_how_it_ended(box, last_line):
    result = box.run(*fake_qemu(box, "exit 0\n", last_line))
    assert result.returncode == MACHINE and "the machine" in result.stderr


def test_guests_get_no_semihosting(box):
    """It would give them the workstation's files and shell: QEMU serves it from EL1."""
    assert not any("semihosting" in word for word in command(box, example("two-vfs")))


@pytest.mark.parametrize("script", ["exec sleep 30\n", "trap '' TERM\nwhile :; do sleep 1; done\n"])
def test_a_machine_that_hangs(box, script):
    result = box.run(*fake_qemu(box, script), "--timeout", "1")
    assert result.returncode == MACHINE and "still running after 1 s" in result.stderr


def test_run_with_errors_starts_nothing(box):
    words = fake_qemu(box, "touch started\n")
    box.write("test.dts", changed("two-vfs", ("index = <1>;", "index = <7>;")))
    assert box.run(*words).returncode == CONFIG and not (box.path / "started").exists()
    assert box.run(*words, "--unchecked").returncode == OK and (box.path / "started").exists()


def test_run_with_things_missing(box):
    words = fake_qemu(box, "exit 0\n")
    assert box.run(*words, "--hypervisor", "no.bin").returncode == TOOL
    assert box.run(*words, "--fit", "no.fit").returncode == TOOL
    result = box.run("run", "test.dts", "--qemu", "./no-such-qemu")
    assert result.returncode == TOOL and "install it" in result.stderr


def test_run_refuses_outputs_that_cannot_be_before_it_starts(box):
    words = fake_qemu(box, "touch started\n")
    for more, said in ((("--log", "no/x.log"), "no/x.log: No such file"), (("--dump-pci", "no/folder"), "no/folder: No such file"),
                       (("--dump-pci", "test.dts"), "test.dts: Not a directory")):
        result = box.run(*words, *more)
        assert result.returncode == TOOL and said in result.stderr, result.stderr
    assert not (box.path / "started").exists()


def test_run_makes_disks_and_says_when_it_cannot(box):
    config = changed("two-vfs", ("devices {", 'devices { d { model = "nvme"; at = "0000:00:05.0"; disk = "DISK"; }; '))
    words = fake_qemu(box, "exit 0\n")
    for disk, code, said in (("build/d.img", OK, ""), ("no/d.img", TOOL, "no/d.img: No such file"),
                             ("build/guest", TOOL, "build/guest is not a file")):
        box.write("test.dts", config.replace("DISK", disk))
        result = box.run(*words)
        assert result.returncode == code and said in result.stderr, result.stderr
    assert (box.path / "build/d.img").stat().st_size == 64 << 20


# --- command line ----------------------------------------------------------------------------------

@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["pack", "--help"], ["run", "--help"], ["scan", "--help"],
                                   ["dump", "-h"], ["help"]])
def test_help(box, words):
    result = box.run(*words)
    assert result.returncode == OK and result.stdout.startswith("usage: causeway") and "exit codes" in result.stdout


def test_help_names_every_option(box):
    """As the sources list them."""
    options = {"check": "check.c", "pack": "check.c", "run": "run.c", "scan": "scan.c", "dump": "scan.c"}
    for command, source in options.items():
        text = (ROOT / "tools" / source).read_text()
        tables = re.findall(r"struct option \w+\[\] = \{(.*?)\};", text, re.DOTALL)
        known = re.findall(r'\{"([\w-]+)", ', tables[1 if command == "pack" else 0])
        said = box.run(command, "--help").stdout
        assert known and all(f"--{name}" in said or (command, name) == ("dump", "output") for name in known), (command, known)


def test_version(box):
    assert re.fullmatch(r"causeway \d+\.\d+\n", box.run("--version").stdout)


@pytest.mark.parametrize("words", [[], ["chek"], ["check"], ["check", "a", "b"], ["check", "--xml", "a"],
                                   ["pack", "a.dts"], ["pack", "-o"], ["run"], ["run", "a.dts", "--timeout", "x"],
                                   ["run", "a.dts", "--serial", "tcp:1"], ["run", "a.dts", "--external", "one"],
                                   ["run", "a.dts", "b.dts"], ["run", "--", "a.dts"]])
def test_usage_errors(box, words):
    result = box.run(*words)
    assert result.returncode == USAGE and result.stderr


def test_files_and_programs_that_are_missing(box):
    assert box.run("check", "none.dts").returncode == TOOL
    assert box.run("check", "build").returncode == TOOL
    name = box.write("test.dts", example("no-devices"))
    result = box.run("check", name, path="/nowhere")
    assert result.returncode == TOOL and "cannot start dtc" in result.stderr
    assert box.run("pack", name, "-o", "no/such/folder.fit").returncode == TOOL


def test_the_documents_are_true():
    """docs/config.md names every property, and the exit codes."""
    document = (ROOT / "docs/config.md").read_text()
    schema = (ROOT / "tools/schema.c").read_text()
    for name in re.findall(r'\{"([a-z0-9-]+)",\s*TYPE_', schema):
        assert f"`{name}`" in document, name
