# SPDX-License-Identifier: BSD-2-Clause
"""Configs for tests, as text: nodes made of properties, and what most machines of tests have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence, Union

from conftest import BUILD

Value = Union[str, int, bool, None, bytes, Sequence[int]]
SIZES = ("memory-size", "memory-at")  # of 64 bits
MIB = 1 << 20
PF = "0000:01:00.0"  # of the igb behind PORT


def _property(name: str, value: Value) -> str:
    if value is True:
        return f"{name};"
    if isinstance(value, bytes):
        return f"{name} = [{value.hex(' ')}];"
    if isinstance(value, str):
        return f'{name} = "{value}";'
    if isinstance(value, int):
        return f"{name} = /bits/ 64 <{value:#x}>;" if name in SIZES else f"{name} = <{value}>;"
    return f"{name} = <{' '.join(str(x) for x in value or ())}>;"


def node(name: str, *children: str, **properties: Value) -> str:
    """Properties are named with _ for -; True is a flag, None and False are left out."""
    lines = [_property(key.replace("_", "-"), value) for key, value in properties.items()
             if value is not None and value is not False]
    inside = "".join(f"    {line}\n" for text in (*lines, *children) for line in text.splitlines())
    return f"{name} {{\n{inside}}};\n"


def config(devices: Sequence[str], partitions: Sequence[str], cores: int, memory: int = 512 * MIB,
           **machine: Value) -> str:
    return "/dts-v1/;\n" + node(
        "/", node("machine", *([node("devices", *devices)] if devices else []), compatible="qemu,virt", cores=cores,
                  memory_size=memory, **machine),
        node("partitions", *partitions), compatible="causeway,config-v1")


def port(name: str, slot: int) -> str:
    return node(name, model="pcie-root-port", at=f"0000:00:{slot:02x}.0")


def edu(slot: int) -> str:
    return node("edu", model="edu", at=f"0000:00:{slot:02x}.0")


def igb(name: str = "nic", number: int = 1, **place: Value) -> str:
    """Behind port1 unless `place` says otherwise."""
    return node(name, model="igb", mac_address=bytes((0x52, 0x54, 0, 0xCA, 0, number)),
                **(place or {"behind": "port1"}))


def partition(name: str, cores: Union[int, Sequence[int]], size: int, *devices: str, at: Optional[int] = None,
              kernel: str = "build/attacker.bin", command_line: str = "", **more: Value) -> str:
    return node(name, *([node("devices", *devices)] if devices else []), memory_size=size, memory_at=at, kernel=kernel,
                cores=[cores] if isinstance(cores, int) else cores, command_line=command_line or None, **more)


def whole(name: str, function: str, keep: bool = False) -> str:
    return node(name, function=function, keep_without_reset=keep)


def vf(index: int, pf: str = PF, name: str = "eth0", card: int = 5) -> str:
    return node(name, vf_of=pf, index=index, mac_address=bytes((0x52, 0x54, 0, 0xCA, card, index)))


def pf_service(function: str = PF, core: int = 0, name: str = "pf", kernel: str = "build/pf-service.bin",
               command_line: str = "") -> str:
    return partition(name, core, 16 * MIB, whole("nic", function), kernel=kernel, command_line=command_line,
                     pf_service=True)


def write(name: str, text: str, folder: Path = BUILD / "hostile") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.dts"
    path.write_text(text)
    return path
