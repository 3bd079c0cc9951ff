# SPDX-License-Identifier: BSD-2-Clause
"""The hostile set. Each row of the threat model is a scenario and a check; the check reads back the
victim's canary and the recorded events. `test_mutants.py` runs the same rows with broken guards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

import pytest

import hostile
import mailbox
import order
import rogue
from hostile import ATTACKER_SIZE, RAM, RECORDS_PER_BLOCK, VICTIM_TARGETS, Outcome, Scenario

VICTIM = tuple(VICTIM_TARGETS)
# The victim's RAM; GICD_SETSPI_NSR, the ITS's control frame, the page behind its doorbell, a GICR.
ELSEWHERE = VICTIM[:2] + (0x08000040, 0x08080040, 0x080A0000, 0x080B0100)
EVIL = 0xBADC0DE5
STUCK_LINE_TICKS = 600  # at most, on average, for one interrupt of a wired line
LITTERED = 45  # registers and mailbox words of a VF that hold what its owner wrote
# Dwords of its own configuration space in which a guest may change bits, and which.
OPEN_BITS = {
    hostile.EDU: {0x04: 0x00000406, 0x0C: 0xFF, 0x10: 0xFFF00000, 0x3C: 0xFF, 0x40: 0x00010000,
                  0x44: 0xFFFFFFFC, 0x48: 0xFFFFFFFF, 0x4C: 0x0000FFFF},
    hostile.VF: {0x04: 0x00000406, 0x0C: 0xFF, 0x10: 0xFFFFC000, 0x14: 0xFFFFFFFF, 0x1C: 0xFFFFC000,
                 0x20: 0xFFFFFFFF, 0x3C: 0xFF, 0x70: 0xC0000000, 0xA8: 0x000078FF},
}


# --- DMA at what is not its own -------------------------------------------------------------------


def check_writes(o: Outcome) -> None:
    """F01, F03: nothing lands, every page is recorded, every word is counted."""
    assert set(o.results("write")) == {"issued"}
    o.assert_contained()
    o.assert_recorded(o.scenario.targets, "write")
    assert o.records() >= RECORDS_PER_BLOCK * len(o.scenario.targets)
    assert [hex(a) for a, words in o.memory.items() if EVIL in words] == [], "QEMU sees the attacker's value there"


def check_reads(o: Outcome) -> None:
    """F02, F03: the device gets no word of it."""
    assert set(o.results("read")) == {"blocked"}
    o.assert_contained()
    o.assert_recorded(o.scenario.targets, "read")


def check_rings(o: Outcome) -> None:
    """F01, F02: a VF's rings and its head write-back, which are DMA without a buffer."""
    assert set(o.results("rings", "rx-ring", "head-write-back")) == {"issued"}
    o.assert_contained()
    o.assert_recorded(o.scenario.targets)


def check_sweep(o: Outcome) -> None:
    """F07, F08: around the end of its own memory, and every power of two."""
    assert o.one("cross-end").values["own"] == f"{EVIL:#010x}", "the owned half of the burst should land"
    o.assert_contained()
    o.assert_recorded((RAM - 64, RAM + o.scenario.size, 1 << 32, 1 << 38, 1 << 39), "write")


def check_flood(o: Outcome) -> None:
    """F44, F45: the event queue overflows and says so; a later fault is seen, and nobody else pays."""
    assert o.results("flood") == ["issued"] * 3
    o.assert_contained()
    flooded, after = (int([s for s in o.steps if s.step == name][0].values["address"], 16) for name in ("flood", "after"))
    o.assert_recorded((flooded, after), "write")
    assert o.report.overflows == 3, "each flood fills the queue of 512 records once"
    assert o.records() == 3 * 512 + RECORDS_PER_BLOCK
    assert len([f for f in o.faults if f.address >> 12 == flooded >> 12]) <= 3, "a line for each flood at most"


def check_registers(o: Outcome) -> None:
    """F04: GICD, GICR, ITS, SMMU, ECAM, UART and their neighbours, read and written."""
    steps = [s for s in o.steps if "address" in s.values]
    reads = [s for s in steps if s.result in ("blocked", "leaked")]
    assert len(reads) >= 15 and [s.step for s in reads if s.result != "blocked"] == []
    o.assert_contained()
    o.assert_recorded(tuple(int(s.values["address"], 16) for s in reads))
    assert o.records() >= RECORDS_PER_BLOCK * len(steps)


# --- interrupts -----------------------------------------------------------------------------------


def check_doorbell_dma(o: Outcome) -> None:
    """F15: only the one event that the guest mapped ever arrives."""
    assert set(o.results("dma", "message", "beside", "elsewhere")) == {"dropped"}
    o.assert_contained()
    o.assert_recorded((0x08080000,), "write")


def check_event_sweep(o: Outcome) -> None:
    """F16: every EventID, those that are valid for the victim's device among them."""
    assert set(o.results("message-sweep", "dma-sweep")) == {"dropped"}
    assert int(o.one("message-sweep").values["sent"]) >= 1000
    o.assert_contained()
    assert o.records() == 0, "the doorbell is the device's to write: no fault"


def check_doorbell_cpu(o: Outcome) -> None:
    """F17: each store is a data abort in the guest and a line in the log."""
    assert set(o.results("store", "load", "page-start", "page-end", "frame-end")) == {"fault"}
    assert o.one("interrupts").result == "none"
    o.assert_victim_whole()
    wanted = "attacker: vcpu 0 write of 0x8090040 is not its own: data abort injected"
    assert [x for x in o.said if wanted in x]
    assert o.report.exits("attacker", "fault") >= 8


def check_frames(o: Outcome) -> None:
    """F18: whatever is written where, what has no meaning reads as zero, and interrupts work again."""
    for name, most in (("distributor", 200), ("redistributor", 200), ("its", 30)):
        step = o.one(name)
        assert step.values["faults"] == "0" and int(step.values["values"]) <= most, step
    assert o.one("control").result == "ok"
    o.assert_victim_whole()


def check_doorbell_odd(o: Outcome) -> None:
    """F19: every size and place but the device's own message is dropped."""
    assert set(o.results("odd")) == {"dropped"} and len(o.results("odd")) == 17
    o.assert_contained()
    assert not [x for x in o.said if "SError" in x]


def check_storm_direct(o: Outcome) -> None:
    """F20: 20,000 interrupts as fast as can be, and EL2 hears of none."""
    assert [x for x in o.said if x.startswith("0000:00:05.0 -> attacker (edu): ") and "vLPI" in x]
    storm = o.one("storm").values
    assert int(storm["irqs"]) >= 0.9 * int(storm["rings"])
    assert o.report.exits("attacker", "inject") == 0 and o.report.ticks("attacker", "inject") == 0
    o.assert_contained()


def check_storm_injected(o: Outcome) -> None:
    """F21: at most 4,000 in 10 ms, then none for 10 ms; the owner is told, and later it rings again."""
    storm = o.one("storm").values
    told = [x for x in o.said if "0000:00:05.0 attacker (edu): too many interrupts: masked for 10 ms" in x]
    assert told, "nobody was told"
    assert int(storm["irqs"]) < 0.7 * int(storm["rings"]), "it was not masked"
    assert o.report.exits("attacker", "inject") <= int(storm["irqs"]) + 100
    o.assert_contained()


def check_stuck_line(o: Outcome) -> None:
    """F21: a level that never falls costs its owner one exit for each interrupt it ends, and nobody else any."""
    stuck, irqs = o.one("stuck").values, int(o.one("left").values["irqs"])
    assert stuck["taken"] == stuck["of"], "the line was lost"
    assert o.results("never-ended") == ["ok"], "it came again before it was ended"
    exits, ticks = o.report.exits("attacker", "inject"), o.report.ticks("attacker", "inject")
    # `irqs` has neither the one that never-ended takes by itself, nor the one that comes as that ends, and is masked.
    assert int(stuck["of"]) < irqs < exits <= irqs + 2 and ticks <= STUCK_LINE_TICKS * exits, f"{exits}, {ticks} for {irqs}"
    for name in ("pf", "victim"):
        assert o.report.exits(name, "inject") == 0, f"{name} paid for it"
    o.assert_contained()


def check_lpis(o: Outcome) -> None:
    """Order by priority, merging, enable, CLEAR, DISCARD: the same on both paths."""
    assert [s.step for s in o.steps if s.result != "ok"] == []
    assert len(o.steps) >= 15
    o.assert_contained()


def check_pending_reset(o: Outcome) -> None:
    """F25: what was pending when the partition restarted is not there in its next life."""
    assert o.one("pending").result == "ok"
    assert o.one("second-life").result == "ok", "an interrupt of the first life arrived in the second"
    o.assert_contained()


def check_messages(o: Outcome) -> None:
    """F22: a message is a write by its function's own id: its own RAM, its own events, nothing else."""
    assert o.one("own-ram-after").result == "landed", "its own RAM is the device's to write"
    assert set(o.results("own-ram", "elsewhere")) == {"dropped"}
    o.assert_contained()
    o.assert_recorded(o.scenario.targets, "write")
    assert [hex(a) for a, words in o.memory.items() if 0x5A in words] == [], "QEMU sees the message there"


def check_table(o: Outcome) -> None:
    """F23: any access to table and PBA, of any width; where the function's BAR ends, so does what it reaches."""
    assert o.one("location").result == "fixed"
    assert set(o.results("table", "after-the-last", "pending")) == {"taken"}
    assert o.one("beyond").result == "fault", "the next function's BAR can be reached"
    o.assert_contained()
    assert [f for f in o.faults if f.partition != "attacker"] == []


# --- stale translations ---------------------------------------------------------------------------


def check_release(o: Outcome) -> None:
    """F38: a block that was given up is gone for the device, whatever it had cached."""
    assert set(o.results("bad-release")) <= {"refused", "empty"}
    assert o.one("warm").result == "ok" and o.one("warm-read").result == "ok", "the cache was not filled"
    assert o.one("release").result == "ok"
    assert set(o.results("read-after", "read-again")) == {"blocked"}
    assert set(o.results("cpu-load", "cpu-store", "cpu-first", "cpu-last")) == {"fault"}
    assert o.one("neighbours").result == "ok"
    o.assert_contained()
    o.assert_recorded((int(o.one("release").values["ipa"], 16),))


def check_power_off(o: Outcome) -> None:
    """F39: a transfer that was under way when its partition went off lands nowhere."""
    assert o.one("begin").result == "issued"
    assert o.report.partition("attacker").state == "off"
    assert [d.state for d in o.report.devices_of("attacker") if d.state == "assigned"] == []
    for words in o.memory.values():
        assert words == [0] * 16, f"the page of the partition that is off reads {words[0]:#x}"
    o.assert_victim_whole()


# --- one owner after the other --------------------------------------------------------------------


def check_litter(o: Outcome) -> None:
    """F37: RAM, registers (the VF's, SIMD's), mailbox, config space: each life finds what the first one found, nothing."""
    littered = [int(s.values["registers"]) for s in o.steps if s.step == "littered"]
    assert len(littered) >= 3 and min(littered) >= LITTERED, f"what was left in the VF did not stay: {littered}"
    found = [s.values for s in o.steps if s.result == "found"]
    assert found == [], f"left by an earlier life: {found}"
    for step in ("simd", "ram", "config", "registers"):
        assert o.results(step) == ["clean"] * (len(littered) + 1)
    assert min(int(s.values["searched"]) for s in o.steps if s.step == "ram") >= ATTACKER_SIZE - 0x100000
    assert o.report.partition("attacker").resets == len(littered)
    o.assert_victim_whole()


def check_late(o: Outcome) -> None:
    """F52: each reset's message was answered, however late the service came to look for what was there before."""
    assert o.results("late") == ["ok"], o.steps


# --- configuration space --------------------------------------------------------------------------


def check_config_sweep(o: Outcome) -> None:
    """F46: every dword, every bit, every width; and every function that is not there."""
    allowed = OPEN_BITS[o.scenario.function]
    for step in (s for s in o.steps if s.step == "writable"):
        offset, mask = int(step.values["offset"], 16), int(step.values["mask"], 16)
        assert mask & ~allowed.get(offset, 0) == 0, f"offset {offset:#x}: bits {mask:#x} follow the guest"
    assert o.one("sweep").values["spills"] == "0"
    assert o.one("functions").values["visible"] == "3", "the host bridge and its own two devices"
    assert o.one("next-bus").result == "fault"
    o.assert_contained()


def check_config_decode(o: Outcome) -> None:
    """F47: with decode off, or all of Command, its MMIO still reaches the device or faults in the guest."""
    on = o.one("decode-on").values["value"]
    for name in ("decode-off", "all-off", "decode-on-again"):
        step = o.one(name)
        assert step.result == "fault" or step.values["value"] == on, f"{name}: {step.values}"
    assert o.one("master-off").result == "blocked"
    o.assert_contained()


def check_config_bars(o: Outcome) -> None:
    """F48: sizing works, and no write moves a mapping, wherever it aims."""
    assert [s.values["mask"] for s in o.steps if s.step == "size"][:2] == ["0xfff00000", "0x00000000"]
    assert o.one("after-sizing").result == "device" and o.one("at-the-end").result == "device"
    assert set(o.results("old-place")) == {"device"}
    assert "device" not in o.results("new-place")
    assert o.one("restored").result == "ok"
    o.assert_contained()


# --- the rows -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row of the threat model: what the attacker does, and what must be true afterwards."""

    scenario: Scenario
    check: Callable[[Outcome], None]
    aims_at_hypervisor: bool = False

    def run(self, name: str, hypervisor: Optional[Path] = None) -> Outcome:
        scenario = self.scenario
        if self.aims_at_hypervisor:
            targets = hostile.hypervisor_targets(hypervisor)
            scenario = replace(scenario, targets=targets)
        return hostile.attack(scenario, name, hypervisor)


ROWS = {
    "F01": Row(Scenario("dma-write", "edu", VICTIM), check_writes),
    "F01-vf": Row(Scenario("dma-write", "vf", VICTIM), check_writes),
    "F01-rings": Row(Scenario("vf-rings", "vf", VICTIM), check_rings),
    "F02": Row(Scenario("dma-read", "edu", VICTIM), check_reads),
    "F02-vf": Row(Scenario("dma-read", "vf", VICTIM), check_reads),
    "F03": Row(Scenario("dma-write", "edu"), check_writes, aims_at_hypervisor=True),
    "F03-read": Row(Scenario("dma-read", "edu"), check_reads, aims_at_hypervisor=True),
    "F04": Row(Scenario("dma-regs", "edu"), check_registers),
    "F07-F08": Row(Scenario("dma-sweep", "edu"), check_sweep),
    "F44": Row(Scenario("fault-flood", "edu"), check_flood),
    "F15": Row(Scenario("doorbell-dma", "edu"), check_doorbell_dma),
    "F16": Row(Scenario("event-sweep", "edu"), check_event_sweep),
    "F16-vf": Row(Scenario("event-sweep", "vf"), check_event_sweep),
    "F17": Row(Scenario("doorbell-cpu", "edu"), check_doorbell_cpu),
    "F37": Row(Scenario("litter", "vf"), check_litter),
    "F18": Row(Scenario("gic-sweep", "edu"), check_frames),
    "F19": Row(Scenario("doorbell-odd", "edu"), check_doorbell_odd),
    "F19-gic3": Row(Scenario("doorbell-odd", "edu", gic=3), check_doorbell_odd),
    "F20": Row(Scenario("storm", "edu"), check_storm_direct),
    "F21": Row(Scenario("storm", "edu", gic=3), check_storm_injected),
    "F21-intx": Row(Scenario("stuck-line", "edu", port=2), check_stuck_line),
    "F25": Row(Scenario("pending-reset", "edu"), check_pending_reset),
    "F25-gic3": Row(Scenario("pending-reset", "edu", gic=3), check_pending_reset),
    "F15-gic3": Row(Scenario("doorbell-dma", "edu", gic=3), check_doorbell_dma),
    "F16-gic3": Row(Scenario("event-sweep", "edu", gic=3), check_event_sweep),
    "lpis": Row(Scenario("lpis", "edu"), check_lpis),
    "lpis-gic3": Row(Scenario("lpis", "edu", gic=3), check_lpis),


    "F22": Row(Scenario("msi-elsewhere", "edu", ELSEWHERE), check_messages),
    "F22-vf": Row(Scenario("msi-elsewhere", "vf", ELSEWHERE), check_messages),
    "F23": Row(Scenario("msix-table", "vf"), check_table),
    "F24": order.Order(),
    "F52-late": Row(Scenario("late", "vf"), check_late),
    "F38": Row(Scenario("release", "edu", size=0x1000000), check_release),
    "F38-vf": Row(Scenario("release", "vf", size=0x1000000), check_release),
    "F39": Row(Scenario("dma-off", "edu", vf=False), check_power_off),
    "F46": Row(Scenario("config-sweep", "edu"), check_config_sweep),
    "F46-vf": Row(Scenario("config-sweep", "vf"), check_config_sweep),
    "F47": Row(Scenario("config-decode", "edu"), check_config_decode),
    "F48": Row(Scenario("config-bars", "edu"), check_config_bars),
}


# The same on a machine whose SMMU has stage 1 alone: what its tables, caches and records do.
STAGE_1 = ("F01", "F01-vf", "F02", "F03", "F03-read", "F16", "F38", "F38-vf", "F39")
ROWS.update({f"{row}-s1": replace(ROWS[row], scenario=replace(ROWS[row].scenario, stage=1)) for row in STAGE_1})


ROWS["F50"] = rogue.RogueRow()  # type: ignore[assignment]
ROWS["F52"] = mailbox.MailboxRow()  # type: ignore[assignment]


@pytest.mark.parametrize("row", ROWS)
def test_row(built: Path, row: str) -> None:
    outcome = ROWS[row].run(row)
    ROWS[row].check(outcome)
    stage = ROWS[row].scenario.stage
    assert {d.dma for d in outcome.report.devices if d.state == "assigned"} == {f"smmu-stage{stage}"}
    assert [x for x in outcome.said if f"DMA by SMMU stage {stage}" in x]
