# SPDX-License-Identifier: BSD-2-Clause
"""VFs of QEMU's nvme: enumerated and given away like any other's. None can work: a VF has neither queues nor
interrupts before its PF's owner sends it Virtualization Management commands, and nobody here does (docs/devices.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

import lspci
from configs import MIB, config, partition, port, vf, write
from demo.console import HYPERVISOR
from demo.session import Session
from hostile import Monitor

pytestmark = pytest.mark.bound(60)
OWNERS = {"one": "0000:01:00.1", "two": "0000:01:00.2"}
# The config's machine knows no nvme with VFs: this one comes by QEMU's command line, and `check` is passed over.
CARD = ["-device", "nvme-subsys,id=subsystem", "-device",
        "nvme,id=card,bus=port1,serial=card,subsys=subsystem,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2,"
        "max_ioqpairs=6,msix_qsize=3"]
OFFLINE = 0  # what a register of a VF reads as before it is online; all-ones where nothing decodes
CAPABILITIES = 0x00  # of the controller: never 0 of one that works


def test_they_are_given_away(built: Path) -> None:
    parts = [partition(name, core, 8 * MIB, vf(core), command_line="attack=idle base=0x40600000 size=0x1000")
             for core, name in enumerate(OWNERS)]
    session = Session(write("nvme-vfs", config([port("port1", 1)], parts, 2)), "test-nvme-vfs", icount=False,
                      options=["--unchecked"])
    path = session.sockets.serial.with_name("monitor")
    session.machine.argv += ["--", *CARD, "-monitor", f"unix:{path},server=on,wait=off"]
    with session:
        for name in OWNERS:
            session.machine.expect("@canary filled", 40, name)
        monitor = Monitor(path)
        report = session.machine.report()
        assert {d.partition: (d.function, d.kind, d.state) for d in report.devices} == {
            name: (function, "VF", "assigned") for name, function in OWNERS.items()}
        folder = lspci.dump(session)
        shown = [lspci.host_lspci(folder / f"{name}.lspci")["0000:00:01.0"] for name in OWNERS]
        # A VF's own BARs are the PF's VF BARs: what a guest is shown is where its own registers are.
        assert {f.ids for f in shown} == {"0108 1b36:0010"}
        assert len({f.regions[0] for f in shown}) == 2 and all(f.regions[0] % 4096 == 0 for f in shown)
        assert all(any("MSI-X: Enable-" in text for _, text in f.capabilities) for f in shown)
        assert [monitor.words(f.regions[0] + CAPABILITIES, 1) for f in shown] == [[OFFLINE], [OFFLINE]]
        assert session.machine.events("dma fault|panic|refused|cannot") == []
        assert any("0000:01:00.0: 2 VFs enabled" in x.text for x in session.machine.console.lines(HYPERVISOR))
        monitor.close()
