# SPDX-License-Identifier: BSD-2-Clause
"""Where devices sit, who belongs together, and what cannot change hands: what `causeway check` says."""

import pytest

from test_causeway import box, program  # noqa: F401  (fixtures)

HEAD = """/dts-v1/;
/ {
    compatible = "causeway,config-v1";
    machine {
        compatible = "qemu,virt";
        cores = <4>;
        memory-size = /bits/ 64 <0x40000000>;
        devices { %s };
    };
    partitions { %s };
};
"""
PORT = '%s { model = "pcie-root-port"; at = "0000:00:%02x.0"; };'
SWITCH = PORT % ("rp", 1) + """
    up { model = "x3130-upstream"; behind = "rp"; };
    d0 { model = "xio3130-downstream"; behind = "up"; slot = <0>; };
    d1 { model = "xio3130-downstream"; behind = "up"; slot = <1>; };
    a { model = "edu"; behind = "d0"; };
    b { model = "edu"; behind = "d1"; };"""
BRIDGE = PORT % ("rp", 1) + """
    pci { model = "pcie-pci-bridge"; behind = "rp"; };
    a { model = "edu"; behind = "pci"; slot = <1>; };
    b { model = "edu"; behind = "pci"; slot = <2>; };"""
EXPANDER = PORT % ("near", 1) + """
    pxb { model = "pxb-pcie"; at = "0000:00:03.0"; bus-number = <0x40>; %s };
    far { model = "pcie-root-port"; behind = "pxb"; slot = <1>; };
    b { model = "edu"; behind = "far"; };
    a { model = "edu"; behind = "near"; };"""


def partition(name, core, *functions, more=""):
    devices = "".join(f'd{i} {{ function = "{f}"; {more} }}; ' for i, f in enumerate(functions))
    return (f'{name} {{ cores = <{core}>; memory-size = /bits/ 64 <0x1000000>; kernel = "build/guest/Image"; '
            f'devices {{ {devices} }}; }};')


def config(devices, *partitions):
    return (HEAD % (devices, "".join(partitions))).replace("build/guest/Image", "build/pf-service.bin")


def problems(box, devices, *partitions):  # noqa: F811
    return [f"{path}: {what}; {fix}" for path, what, fix in box.check(config(devices, *partitions))]


def addresses(box, devices):  # noqa: F811
    """Where `check` thinks the end points are, by asking for one that is not there."""
    found = problems(box, devices, partition("p", 0, "0000:ff:00.0"))
    listed = next(x for x in found if "no device at 0000:ff:00.0" in x).split("the machine has ")[-1]
    return {name.rstrip(")"): bdf for bdf, name in (x.split(" (") for x in listed.split(", "))}


def test_numbers_go_depth_first(box):  # noqa: F811
    assert addresses(box, SWITCH + PORT % ("rp2", 2) + 'c { model = "edu"; behind = "rp2"; };') == {
        "a": "0000:03:00.0", "b": "0000:04:00.0", "c": "0000:05:00.0"}
    assert addresses(box, BRIDGE) == {"a": "0000:02:01.0", "b": "0000:02:02.0"}
    assert addresses(box, EXPANDER % "") == {"a": "0000:01:00.0", "b": "0000:41:00.0"}


def test_functions_of_one_slot(box):  # noqa: F811
    two = ('x { model = "edu"; at = "0000:00:04.0"; }; y { model = "edu"; at = "0000:00:04.3"; };'
           + PORT % ("rp", 1) + 'z { model = "edu"; behind = "rp"; }; w { model = "edu"; behind = "rp"; function = <5>; };')
    assert addresses(box, two) == {"x": "0000:00:04.0", "y": "0000:00:04.3", "z": "0000:01:00.0", "w": "0000:01:00.5"}
    # without ACS they are one device's functions
    found = problems(box, two, partition("p", 0, "0000:00:04.0", more="keep-without-reset;"),
                     partition("q", 1, "0000:00:04.3", more="keep-without-reset;"))
    assert len(found) == 2
    assert "0000:00:04.0 is in one isolation group with 0000:00:04.3 (y), which /partitions/q/devices/d0 has" in found[0]
    assert "give the whole group to p" in found[0]


@pytest.mark.parametrize("devices, a, b", [(SWITCH, "0000:03:00.0", "0000:04:00.0"),
                                           (BRIDGE, "0000:02:01.0", "0000:02:02.0")])
def test_a_group_has_one_owner(box, devices, a, b):  # noqa: F811
    """F09, F12: below a switch without ACS, and below a conventional bridge."""
    assert problems(box, devices, partition("p", 0, a, b, more="keep-without-reset;")) == []
    two = problems(box, devices, partition("p", 0, a, more="keep-without-reset;"),
                   partition("q", 1, b, more="keep-without-reset;"))
    assert [x.split(": ")[0] for x in two] == ["/partitions/p/devices/d0", "/partitions/q/devices/d0"]
    assert f"{b} (b), which /partitions/q/devices/d0 has" in two[0] and f"{a} (a)" in two[1]
    alone = problems(box, devices, partition("p", 0, a, more="keep-without-reset;"))
    assert len(alone) == 1 and f"{b} (b), which nobody has" in alone[0]


def test_acs_keeps_apart(box):  # noqa: F811
    ports = PORT % ("r", 1) + PORT % ("s", 2) + 'a { model = "edu"; behind = "r"; }; b { model = "edu"; behind = "s"; };'
    parts = partition("p", 0, "0000:01:00.0"), partition("q", 1, "0000:02:00.0")
    assert problems(box, ports, *parts) == []
    igb = PORT % ("r", 1) + 'nic { model = "igb"; behind = "r"; };'
    service = partition("pf", 0, "0000:01:00.0").replace("devices", "pf-service; devices")
    vf = ('q { cores = <1>; memory-size = /bits/ 64 <0x1000000>; kernel = "build/pf-service.bin"; devices { e { '
          'vf-of = "0000:01:00.0"; index = <0>; mac-address = [52 54 00 ca 05 00]; }; }; };')
    assert problems(box, igb, service, vf) == []
    # a root port without ACS may send one VF's requests to another
    found = problems(box, igb.replace('at =', 'acs-off; at ='), service, vf)
    assert len(found) == 2 and all("is in one isolation group with 0000:01:00.0 (nic)" in x for x in found)


def test_resets(box):  # noqa: F811
    lone = 'a { model = "edu"; at = "0000:00:04.0"; };'
    found = problems(box, lone, partition("p", 0, "0000:00:04.0"))
    assert len(found) == 1 and "0000:00:04.0 (edu) has no function-level reset, and its bus has none" in found[0]
    assert "add keep-without-reset;" in found[0]
    assert problems(box, lone, partition("p", 0, "0000:00:04.0", more="keep-without-reset;")) == []
    # behind a port of its own its bus can be reset, and so can a conventional bus with one owner
    behind = PORT % ("r", 1) + 'a { model = "edu"; behind = "r"; };'
    assert problems(box, behind, partition("p", 0, "0000:01:00.0")) == []
    assert problems(box, BRIDGE, partition("p", 0, "0000:02:01.0", "0000:02:02.0")) == []
    found = problems(box, BRIDGE, partition("p", 0, "0000:02:01.0"), partition("q", 1, "0000:02:02.0"))
    assert any("a reset of its bus would hit 0000:02:02.0 (b)" in x for x in found)


def test_a_bypassed_root_bus(box):  # noqa: F811
    """F11: only what is below that expander is refused."""
    parts = (partition("p", 0, "0000:01:00.0"), partition("q", 1, "0000:41:00.0"))
    assert problems(box, EXPANDER % "", *parts) == []
    found = problems(box, EXPANDER % "smmu-bypass;", *parts)
    assert len(found) == 1 and "/partitions/q/devices/d0: its bus bypasses the SMMU" in found[0]
    assert "remove smmu-bypass from /machine/devices/pxb" in found[0]


# What cannot be where it is: devices, the node that is named, a piece of what is said.
MISPLACED = {
    "endpoint behind upstream": (PORT % ("rp", 1) + 'up { model = "x3130-upstream"; behind = "rp"; }; '
                                 'a { model = "edu"; behind = "up"; };', "a", "xio3130-downstream"),
    "downstream alone": ('a { model = "xio3130-downstream"; at = "0000:00:04.0"; };', "a", "nowhere else"),
    "upstream on the root bus": ('a { model = "x3130-upstream"; at = "0000:00:04.0"; };', "a", "needs a port above"),
    "expander behind a port": (PORT % ("rp", 1) + 'a { model = "pxb-pcie"; behind = "rp"; bus-number = <9>; };', "a",
                               "belongs on the root bus"),
    "expander without a number": ('a { model = "pxb-pcie"; at = "0000:00:04.0"; };', "a", "bus-number = <0>"),
    "expander too low": (PORT % ("r", 1) + PORT % ("s", 2) + 'a { model = "pxb-pcie"; at = "0000:00:04.0"; '
                         'bus-number = <2>; };', "a", "bus 02 is needed by"),
    "two expanders": ('a { model = "pxb-pcie"; at = "0000:00:04.0"; bus-number = <9>; }; '
                      'b { model = "pxb-pcie"; at = "0000:00:05.0"; bus-number = <9>; };', "a", "needed by b too"),
    "endpoint behind an expander": ('x { model = "pxb-pcie"; at = "0000:00:04.0"; bus-number = <9>; }; '
                                    'a { model = "edu"; behind = "x"; };', "a", "takes nothing but ports"),
    "slot behind a port": (PORT % ("rp", 1) + 'a { model = "edu"; behind = "rp"; slot = <3>; };', "a", "one slot"),
    "bridge's slot 0": (PORT % ("rp", 1) + 'c { model = "pcie-pci-bridge"; behind = "rp"; }; '
                        'a { model = "edu"; behind = "c"; };', "a", "slot 0 behind a pcie-pci-bridge"),
    "slot too high": (PORT % ("rp", 1) + 'c { model = "pcie-pci-bridge"; behind = "rp"; }; '
                      'a { model = "edu"; behind = "c"; slot = <32>; };', "a", "slots are 0 to 31"),
    "function without 0": ('a { model = "edu"; at = "0000:00:04.2"; };', "a", "function 0 is empty"),
    "circle": ('a { model = "pcie-pci-bridge"; behind = "b"; slot = <1>; }; '
               'b { model = "pcie-pci-bridge"; behind = "a"; slot = <1>; };', "a", "behind itself"),
    "slot on the root bus": ('a { model = "edu"; at = "0000:00:04.0"; slot = <4>; };', "a", "for devices behind a port"),
    "acs-off of an edu": ('a { model = "edu"; at = "0000:00:04.0"; acs-off; };', "a", "no ACS to turn off"),
    "acs-off of a switch": (SWITCH.replace('slot = <1>;', 'slot = <1>; acs-off;'), "d1", "no ACS to turn off"),
    "bypass of a port": (PORT % ("rp", 1) + 'a { model = "edu"; at = "0000:00:04.0"; smmu-bypass; };',
                         "a", "no root bus of its own"),
    "bus of a port": ('a { model = "pcie-root-port"; at = "0000:00:04.0"; bus-number = <4>; };', "a", "gets its bus"),
}


@pytest.mark.parametrize("name", MISPLACED)
def test_misplaced(box, name):  # noqa: F811
    devices, node, said = MISPLACED[name]
    found = problems(box, devices, partition("p", 0))
    assert any(x.startswith(f"/machine/devices/{node}: ") and said in x for x in found), found


def test_qemu_gets_parents_first(box):  # noqa: F811
    path = box.write("t.dts", config(SWITCH.replace('behind = "d1";', 'behind = "d1"; function = <0>;')
                                     + 'b2 { model = "edu"; behind = "d1"; function = <1>; };' + EXPANDER.replace(
        " a {", " a2 {").replace(" b {", " b3 {").replace('"0000:00:01.0"', '"0000:00:05.0"') % "smmu-bypass;",
                                     partition("p", 0)))
    printed = box.run("run", "--print", path).stdout.replace("\\\n", " ").split()
    devices = [w for before, w in zip(printed, printed[1:]) if before == "-device"]
    for i, device in enumerate(devices):
        options = dict(o.split("=", 1) for o in device.split(",")[1:])
        assert options["bus"] == "pcie.0" or any(f"id={options['bus']}," in d for d in devices[:i]), device
    assert "pxb-pcie,id=pxb,bus=pcie.0,addr=03.0,bus_nr=64,bypass_iommu=on" in devices
    assert "edu,id=b,bus=d1,multifunction=on,dma_mask=0xffffffffffffffff" in devices
    assert "edu,id=b2,bus=d1,addr=00.1,dma_mask=0xffffffffffffffff" in devices
    assert "xio3130-downstream,id=d1,bus=up,addr=01.0,chassis=4,slot=4" in devices


def test_lines_that_two_partitions_need(box):  # noqa: F811
    """INTx is one partition's alone; swizzled by slot, and through bridges."""
    cards = ('a { model = "ne2k_pci"; at = "0000:00:09.0"; }; b { model = "rtl8139"; at = "0000:00:%s.0"; };')
    wants = [partition(n, i, f, more="keep-without-reset;")
             for i, (n, f) in enumerate((("p", "0000:00:09.0"), ("q", "0000:00:0d.0")))]
    found = problems(box, cards % "0d", *wants)
    assert len(found) == 2
    assert "0000:00:09.0 shares interrupt line 36 with 0000:00:0d.0 of q, and neither can do without" in found[0]
    assert "give both to one partition, or move one to another slot" in found[0]
    other = partition("q", 1, "0000:00:0c.0", more="keep-without-reset;")
    assert problems(box, cards % "0c", wants[0], other) == []
