# SPDX-License-Identifier: BSD-2-Clause
"""Wires, and the one place that decides between direct and hosted."""

import pytest

from test_causeway import OK, box, cells, pack, program, text  # noqa: F401  (fixtures)

# One igb with a PF service, one card that cannot be split, a host, and two that want a port.
CONFIG = """/dts-v1/;
/ {
	compatible = "causeway,config-v1";
	machine {
		compatible = "qemu,virt"; cores = <4>; memory-size = /bits/ 64 <0x80000000>;
		devices {
			port1 { model = "pcie-root-port"; at = "0000:00:01.0"; };
			port2 { model = "pcie-root-port"; at = "0000:00:02.0"; };
			nic { model = "igb"; behind = "port1"; total-vfs = <1>; mac-address = [52 54 00 ca 00 01]; };
			card { model = "e1000e"; behind = "port2"; mac-address = [52 54 00 ca 00 02]; };
		};
	};
	partitions {
		pf { cores = <0>; memory-size = /bits/ 64 <0x1000000>; kernel = "build/pf-service.bin"; pf-service;
		     devices { nic { function = "0000:01:00.0"; }; }; };
		io: io { cores = <1>; memory-size = /bits/ 64 <0x10000000>; kernel = "build/guest/Image"; io-host;
			 devices { card { function = "0000:02:00.0"; }; }; };
		red { cores = <2>; memory-size = /bits/ 64 <0x10000000>; kernel = "build/guest/Image";
		      RED };
		blu { cores = <3>; memory-size = /bits/ 64 <0x10000000>; kernel = "build/guest/Image";
		      BLUE };
	};
};
"""
AUTO = 'devices { eth0 { vf-of = "0000:01:00.0"; path = "auto"; to = <&io>; mac-address = [52 54 00 ca 05 0%d]; }; };'
HOSTED = 'devices { eth0 { function = "0000:02:00.0"; path = "hosted"; mac-address = [52 54 00 ca 05 0%d]; }; };'
WIRE = "wire { to = <&io>; mac-address = [52 54 00 ca 07 0%d]; };"


def config(red="", blue=""):
    return CONFIG.replace("RED", red).replace("BLUE", blue)


def macs(node):
    return [node["mac-addresses"][i:i + 6].hex() for i in (0, 6)]


def test_what_a_wire_is_packed_as(box):  # noqa: F811
    _, packed = pack(box, config(WIRE % 1, 'wire@0 { to = "red"; mac-address = [52 54 00 ca 07 02]; '
                                           "port-mac-address = [52 54 00 ca 08 02]; no-offload; };"))
    first, second = packed["wires"]["w0"], packed["wires"]["w1"]
    assert (cells(first["from"]), cells(first["to"]), text(first["label"]), text(first["why"])) == ([2], [1], "wire", "wire")
    assert macs(first) == ["525400ca0701", "52d400ca0701"], "the port's is derived"
    assert (cells(second["from"]), cells(second["to"]), text(second["label"])) == ([3], [2], "wire@0")
    assert macs(second) == ["525400ca0702", "525400ca0802"]
    assert "no-offload" in second and "no-offload" not in first
    assert "wire" not in packed["partitions"]["red"] and "wire@0" not in packed["partitions"]["blu"]


@pytest.mark.parametrize("red, blue", [(WIRE, WIRE), (HOSTED, WIRE), (WIRE, HOSTED), (HOSTED, HOSTED)])
def test_a_hosts_ports_are_in_the_order_of_the_partitions(box, red, blue):  # noqa: F811
    """As nodes, for the hypervisor takes them as they come."""
    _, packed = pack(box, config(red % 1, blue % 2))
    assert list(packed["wires"]) == ["w0", "w1"]
    assert [cells(w["from"]) for w in packed["wires"].values()] == [[2], [3]]
    assert [macs(w)[0][-1] for w in packed["wires"].values()] == ["1", "2"]


def test_no_wire_is_no_node(box):  # noqa: F811
    assert "wires" not in pack(box, config())[1]


def test_auto_takes_a_vf_while_one_is_free_and_then_a_wire(box):  # noqa: F811
    _, packed = pack(box, config(AUTO % 0, AUTO % 1))
    red = packed["partitions"]["red"]["devices"]["eth0"]
    assert cells(red["index"]) == [0] and cells(red["requester-id"]) == [0x100] and "vf-was-free" in red
    assert packed["partitions"]["blu"]["devices"] == {}
    wire = packed["wires"]["w0"]
    assert (cells(wire["from"]), cells(wire["to"]), text(wire["label"]), text(wire["why"])) == ([3], [1], "eth0", "no-vf-free")
    said = box.run("check", box.write("test.dts", config(AUTO % 0, AUTO % 1))).stdout
    assert "/partitions/red/devices/eth0: direct: VF 0 of 0000:01:00.0 is free" in said
    assert "/partitions/blu/devices/eth0: a wire to io: hosted, because no VF is free" in said


def test_auto_leaves_a_vf_alone_that_another_names(box):  # noqa: F811
    taken = 'devices { eth0 { vf-of = "0000:01:00.0"; index = <0>; mac-address = [52 54 00 ca 05 01]; }; };'
    _, packed = pack(box, config(AUTO % 0, taken))
    assert text(packed["wires"]["w0"]["why"]) == "no-vf-free" and cells(packed["wires"]["w0"]["from"]) == [2]
    assert "vf-was-free" not in packed["partitions"]["blu"]["devices"]["eth0"], "asked for"


def test_hosted_goes_to_the_adapters_owner(box):  # noqa: F811
    _, packed = pack(box, config(HOSTED % 0, HOSTED % 1))
    assert [cells(packed["wires"][w]["to"]) for w in ("w0", "w1")] == [[1], [1]]
    assert {text(w["why"]) for w in packed["wires"].values()} == {"asked"}
    assert packed["partitions"]["red"]["devices"] == {}


RED, BLUE = "/partitions/red", "/partitions/blu"
# What stands in red and blue: the node that is named, a piece of what is said, a piece of what to do.
MISTAKES = {
    "nobody": ((WIRE % 1).replace("<&io>", '"green"'), "", f"{RED}/wire", "names no partition: green", "label or the name"),
    "not a partition": ("wire { to = <77>; mac-address = [52 54 00 ca 07 01]; };", "", f"{RED}/wire", "names no partition", "label"),
    "itself": ((WIRE % 1).replace("<&io>", '"red"'), "", f"{RED}/wire", "a wire from red to itself", "another partition"),
    "one MAC": (WIRE % 1, WIRE % 1, f"{BLUE}/wire", "is that of /partitions/red/wire too", "choose another"),
    "a VF's MAC": (AUTO % 0, (WIRE % 1).replace("07 01", "05 00"), f"{BLUE}/wire",
                   "is that of /partitions/red/devices/eth0 too", "choose another"),
    "a port's MAC": (WIRE % 1, (WIRE % 1).replace("52 54", "52 d4"), f"{BLUE}/wire", "is that of", "choose another"),
    "multicast": ((WIRE % 1).replace("52 54", "53 54"), "", f"{RED}/wire", "multicast", "52"),
    "no MAC": ("wire { to = <&io>; };", "", f"{RED}/wire", "mac-address is missing", "add mac-address"),
    "to a service": ((WIRE % 1).replace("<&io>", '"pf"'), "", f"{RED}/wire", "no driver for a wire", "another partition"),
    "a card's MAC": ((WIRE % 1).replace("07 01", "00 02"), "", f"{RED}/wire", "is that of /machine/devices/card too", "choose another"),
    "a port's MAC that is a VF's": (AUTO % 0, (WIRE % 1).replace("};", "port-mac-address = [52 54 00 ca 05 00]; };"), f"{BLUE}/wire",
                                    "52:54:00:ca:05:00 is that of /partitions/red/devices/eth0 too", "choose another"),
    "a port's MAC that is a card's": ((WIRE % 1).replace("};", "port-mac-address = [52 54 00 ca 00 02]; };"), "", f"{RED}/wire",
                                      "is that of /machine/devices/card too", "choose another"),
    "hosted, of nothing": ((HOSTED % 0).replace("02:00.0", "05:00.0").replace("mac", "to = <&io>; mac", 1), "",
                           f"{RED}/devices/eth0", "no device at 0000:05:00.0", "0000:02:00.0 (card)"),
    "hosted, a port": ((HOSTED % 0).replace("02:00.0", "00:02.0"), "", f"{RED}/devices/eth0", "is a port", "behind it"),
    "hosted, kept": ((HOSTED % 0).replace("mac", "keep-without-reset; mac", 1), "", f"{RED}/devices/eth0",
                     "keep-without-reset is for path", "remove"),
    "hosted, with a VLAN": ((HOSTED % 0).replace("mac", "vlan = <5>; mac", 1), "", f"{RED}/devices/eth0",
                            "index and vlan are for path", "remove"),
    "auto, of nothing": ((AUTO % 0).replace("01:00.0", "05:00.0"), "", f"{RED}/devices/eth0", "no device at 0000:05:00.0",
                         "0000:01:00.0 (nic)"),
    "auto, of a card without VFs": ((AUTO % 0).replace("01:00.0", "02:00.0"), "", f"{RED}/devices/eth0",
                                    "0000:02:00.0 (e1000e) makes no VFs", "hosted"),
    "auto, a whole function": ((HOSTED % 0).replace("hosted", "auto"), "", f"{RED}/devices/eth0", "looks for a free VF", "vf-of"),
    "direct, with a host": ('devices { eth0 { vf-of = "0000:01:00.0"; index = <0>; to = <&io>; mac-address = [52 54 00 ca 05 00]; }; };',
                            "", f"{RED}/devices/eth0", "'to' is for path", "remove it"),
    "hosted by one that hosts nothing": (
        'devices { eth0 { vf-of = "0000:01:00.0"; path = "hosted"; mac-address = [52 54 00 ca 05 00]; }; };', "",
        f"{RED}/devices/eth0", "/partitions/pf, which would host it, is not marked io-host", "name a host"),
    "hosted by nobody": ((HOSTED % 0).replace("};", 'to = "green"; };', 1), "", f"{RED}/devices/eth0",
                         "'to' names no partition: green", "io-host"),
    "hosted without MAC": ('devices { eth0 { function = "0000:02:00.0"; path = "hosted"; }; };', "", f"{RED}/devices/eth0",
                           "needs a MAC address", "add mac-address"),
    "auto with neither": (AUTO % 0, (AUTO % 1).replace("to = <&io>;", ""), f"{BLUE}/devices/eth0",
                          "no VF is free, and /partitions/pf, which would host it", "name a host"),
    "auto with an index": ((AUTO % 0).replace("to =", "index = <0>; to ="), "", f"{RED}/devices/eth0",
                           "index and vlan are for path", "remove"),
    "an unknown path": ((AUTO % 0).replace('"auto"', '"both"'), "", f"{RED}/devices/eth0", '"direct", "hosted" or "auto"', "write it like"),
    "too many": ("".join(f"wire@{n} {{ to = <&io>; mac-address = [52 54 00 ca 07 0{n}]; }};" for n in range(9)), "",
                 RED, "0 devices and 9 ends of wires", "at most 8"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(box, name):  # noqa: F811
    red, blue, path, problem, fix = MISTAKES[name]
    found = box.check(config(red, blue))
    assert any(p == path and problem in q and fix in f for p, q, f in found), found


def test_hosted_without_an_owner(box):  # noqa: F811
    found = box.check(config(HOSTED % 0).replace('devices { card { function = "0000:02:00.0"; }; };', ""))
    assert found == [(f"{RED}/devices/eth0", "nobody owns 0000:02:00.0, so nobody can host it", found[0][2])]
    assert 'give function = "0000:02:00.0"; to a partition that is marked io-host' in found[0][2]


@pytest.mark.parametrize("red, blue", [
    (WIRE % 1, WIRE % 1),  # the ports' derived addresses are alike, too
    ((WIRE % 1).replace("52 54", "53 54"), ""),  # so is its multicast bit
    ((HOSTED % 0).replace('"hosted"', '"hostile"'), ""), ((HOSTED % 0).replace('"hosted"', "<1>"), ""),
])
def test_one_mistake_is_one_finding(box, red, blue):  # noqa: F811
    assert len(box.check(config(red, blue))) == 1


def test_a_function_given_twice_is_not_in_its_own_way(box):  # noqa: F811
    found = box.check(config('devices { eth0 { function = "0000:02:00.0"; }; };'))
    assert [q for _, q, _ in found] == ["function 0000:02:00.0 is given to /partitions/io/devices/card already"]


def test_host_and_service_at_once(box):  # noqa: F811
    found = box.check(config().replace("pf-service;\n", "pf-service; io-host;\n"))
    assert any("both io-host and pf-service" in q for _, q, _ in found), found


def test_no_its(box):  # noqa: F811
    found = box.check(config(WIRE % 1).replace("cores = <4>;", "cores = <4>; its-off;"))
    assert any(p == f"{RED}/wire" and "no ITS" in q for p, q, _ in found), found


def test_more_wires_than_there_can_be(box):  # noqa: F811
    many = "".join(f"wire@{n} {{ to = <&io>; mac-address = [52 54 00 ca 07 {n:02x}]; }};" for n in range(17))
    found = box.check(config(many))
    assert any(q == "17 wires" for _, q, _ in found), found
    assert box.run("pack", "test.dts", "-o", "out.fit").returncode != OK
