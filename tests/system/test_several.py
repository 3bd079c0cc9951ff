# SPDX-License-Identifier: BSD-2-Clause
"""Several of everything: four partitions with four VFs at once; 200 lives of one VF's owner.

Bare-metal peers (guest-drivers/peer), a boot for each test. Idle time costs nothing: the clock jumps.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

from configs import MIB, config, igb, partition, pf_service, vf, write
from demo.report import key_values
from demo.session import Session

PEERS, FRAMES = 4, 60
CYCLES, WARM = 200, 3  # lives; lives before the first look at the pools
CYCLES_SECONDS = 150.0
pytestmark = pytest.mark.bound(220)

NIC = "0000:00:02.0"


@contextmanager
def machine(name: str, roles: list[str]) -> Iterator[Session]:
    peers = [partition(f"peer-{n}", n + 1, 4 * MIB, vf(n, NIC), kernel="build/peer.bin", command_line=role)
             for n, role in enumerate(roles)]
    text = config([igb(at=NIC)], [pf_service(NIC), *peers], len(roles) + 1)
    session = Session(write(name, text), f"test-{name}", icount=False)
    session.machine.argv += ["--", "-icount", "shift=0,sleep=off"]
    with session:
        yield session


def test_four_vfs_at_once(built: Path) -> None:
    """Each sends to each of the others, at the same time; every byte of every frame is there."""
    with machine("mesh", [f"role=mesh peers={PEERS} count={FRAMES}"] * PEERS) as s:
        for n in range(PEERS):
            s.machine.expect(r"@done$", 100, f"peer-{n}")
        s.machine.expect(r"^every partition is off", 10)
        for n in range(PEERS):
            line = s.machine.console.find("@peer mesh .*", f"peer-{n}")[-1]
            words = key_values(line[0])
            assert words["result"] == "ok" and words["corrupt"] == "0", line[0]
            assert int(words["received"]) == (PEERS - 1) * FRAMES, line[0]
            assert int(words["irqs"]) > FRAMES, line[0]
            found = [key_values(x[0]) for x in s.machine.console.find("@peer from=.*", f"peer-{n}")]
            assert {w["from"] for w in found} == {str(k) for k in range(PEERS) if k != n}
            assert {w["frames"] for w in found} == {str(FRAMES)}
        assert s.machine.events("@faults total=0 ") and not s.machine.events("dma fault|panic|refused")


def test_200_lives(built: Path) -> None:
    """Attached and detached 200 times: nothing is used up, and the last life works as the first."""
    with machine("churn", ["role=churn to=1 count=3", "role=echo"]) as s:
        m = s.machine
        m.expect("@peer echo ready", 60, "peer-1")
        m.expect(rf"^peer-0: restarting \({WARM}\)", 60)
        before = m.report()
        began = time.monotonic()
        m.expect(rf"^peer-0: restarting \({CYCLES}\)", CYCLES_SECONDS)
        print(f"{CYCLES - WARM} lives in {time.monotonic() - began:.1f} s")
        after = m.report()
        lives = [key_values(x[0]) for x in m.console.find("@peer churn .*", "peer-0")]
        assert len(lives) >= CYCLES
        assert [w for w in lives if (w["result"], w["back"], w["corrupt"]) != ("ok", "3", "0")] == []
        assert [w for w in lives if int(w["irqs"]) < 3] == [], "a life without interrupts"
        assert set(before.pools) == {"stage2", "smmu", "its"} and before.pools == after.pools
        assert after.faults == 0 and m.events("cannot|refused|quarantined|panic") == []
        m.type_line("peer-0", "q")
        m.expect("^peer-0: off", 30)
        m.type_line("peer-1", "q")
        assert m.wait_exit(30) == 0
