# SPDX-License-Identifier: BSD-2-Clause
"""An end point outside the machine, on the other side of the NIC's wire.

The wire is a pair of Unix datagram sockets with one raw Ethernet frame in each datagram. The end
point answers ARP, ICMP echo and the packet tool's UDP protocol (guest-drivers/linux/pk.c) on any
port. A frame that is short, odd or not for it is counted and dropped: whatever a guest sends, it
only ever answers one frame with at most one frame.
"""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

MAC = bytes.fromhex("525400cafffe")
IP = "10.0.0.254"
_ADDRESS = socket.inet_aton(IP)
_BROADCAST = b"\xff" * 6
_MAX_FRAME = 65536
_MIN_FRAME = 60

_ETH = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_UDP = struct.Struct("!HHHH")
_PK = struct.Struct("!IIIIII")  # magic, operation, session, seq, every/got, total

_PK_MAGIC = 0x43776B31
_PK_HELLO, _PK_ECHO, _PK_DATA, _PK_PROBE, _PK_ACK = range(1, 6)
_MAX_STREAMS = 16


@dataclass
class Counters:
    received: int = 0
    sent: int = 0
    dropped: int = 0  # not for us, or not understood
    unsent: int = 0  # the machine did not take it
    arp: int = 0
    icmp: int = 0
    udp: int = 0


@dataclass
class _Stream:
    end: int = 0
    got: int = 0


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Answerer:
    """Frame in, answer or None out. No sockets, so that it can be tested with anything."""

    def __init__(self) -> None:
        self.counters = Counters()
        self._streams: dict[tuple[bytes, int, int], _Stream] = {}

    def answer(self, frame: bytes) -> Optional[bytes]:
        self.counters.received += 1
        reply = self._frame(frame)
        if reply is None:
            self.counters.dropped += 1
            return None
        return reply.ljust(_MIN_FRAME, b"\0")

    def _frame(self, frame: bytes) -> Optional[bytes]:
        if len(frame) < _ETH.size:
            return None
        to, sender, kind = _ETH.unpack_from(frame)
        if to not in (MAC, _BROADCAST) or sender[0] & 1:
            return None
        body = frame[_ETH.size:]
        if kind == 0x0806:
            reply = self._arp(body)
        elif kind == 0x0800 and to == MAC:
            reply = self._ipv4(body)
        else:
            return None
        return _ETH.pack(sender, MAC, kind) + reply if reply is not None else None

    def _arp(self, body: bytes) -> Optional[bytes]:
        if len(body) < _ARP.size:
            return None
        hard, proto, hlen, plen, op, mac, ip, _, target = _ARP.unpack_from(body)
        if (hard, proto, hlen, plen, op) != (1, 0x0800, 6, 4, 1) or target != _ADDRESS:
            return None
        self.counters.arp += 1
        return _ARP.pack(1, 0x0800, 6, 4, 2, MAC, _ADDRESS, mac, ip)

    def _ipv4(self, body: bytes) -> Optional[bytes]:
        if len(body) < _IPV4.size:
            return None
        version, _, total, _, fragment, _, protocol, _, source, target = _IPV4.unpack_from(body)
        header = (version & 15) * 4
        if version >> 4 != 4 or header < _IPV4.size or not header <= total <= len(body):
            return None
        if target != _ADDRESS or fragment & 0x3FFF or checksum(body[:header]) != 0:
            return None
        payload = body[header:total]
        reply = None
        if protocol == 1:
            reply = self._icmp(payload)
        elif protocol == 17:
            reply = self._udp(source, payload)
        if reply is None:
            return None
        plain = _IPV4.pack(0x45, 0, _IPV4.size + len(reply), 0, 0, 64, protocol, 0, _ADDRESS, source)
        return plain[:10] + struct.pack("!H", checksum(plain)) + plain[12:] + reply

    def _icmp(self, payload: bytes) -> Optional[bytes]:
        if len(payload) < 8 or payload[:2] != b"\x08\x00" or checksum(payload) != 0:
            return None
        self.counters.icmp += 1
        plain = b"\0\0\0\0" + payload[4:]
        return plain[:2] + struct.pack("!H", checksum(plain)) + plain[4:]

    def _udp(self, source: bytes, payload: bytes) -> Optional[bytes]:
        if len(payload) < _UDP.size:
            return None
        sport, dport, length, _ = _UDP.unpack_from(payload)
        if not _UDP.size <= length <= len(payload):
            return None
        self.counters.udp += 1
        reply = self._pk((source, sport, dport), payload[_UDP.size:length])
        if reply is None:
            return None
        pseudo = _ADDRESS + source + struct.pack("!BBH", 0, 17, _UDP.size + len(reply))
        plain = _UDP.pack(dport, sport, _UDP.size + len(reply), 0) + reply
        total = checksum(pseudo + plain) or 0xFFFF
        return plain[:6] + struct.pack("!H", total) + plain[8:]

    def _pk(self, peer: tuple[bytes, int, int], data: bytes) -> Optional[bytes]:
        """pk's server; datagrams of anything else are echoed."""
        if len(data) < _PK.size:
            return data
        magic, op, session, seq, every, total = _PK.unpack_from(data)
        if magic != _PK_MAGIC or op in (_PK_HELLO, _PK_ECHO):
            return data
        if op not in (_PK_DATA, _PK_PROBE):
            return None
        stream = self._stream((peer[0], peer[1], session))
        if op == _PK_DATA:
            stream.got += 1
            stream.end = max(stream.end, seq + 1)
            if (every == 0 or (seq + 1) % every) and seq + 1 != total:
                return None
        return _PK.pack(_PK_MAGIC, _PK_ACK, session, stream.end & 0xFFFFFFFF,
                        stream.got & 0xFFFFFFFF, 0)

    def _stream(self, key: tuple[bytes, int, int]) -> _Stream:
        stream = self._streams.pop(key, None) or _Stream()
        while len(self._streams) >= _MAX_STREAMS:  # the one longest unused gives way
            del self._streams[next(iter(self._streams))]
        self._streams[key] = stream
        return stream


class EndPoint:
    """Runs an Answerer between two Unix datagram sockets: ours, and the machine's."""

    def __init__(self, machine: Path, ours: Path) -> None:
        self._machine = str(machine)
        self._answerer = Answerer()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(ours))
        self._socket.settimeout(0.2)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def counters(self) -> Counters:
        return self._answerer.counters

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._socket.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                frame = self._socket.recv(_MAX_FRAME)
            except socket.timeout:
                continue
            except OSError:
                return
            reply = self._answerer.answer(frame)
            if reply is None:
                continue
            try:
                self._socket.sendto(reply, self._machine)
                self.counters.sent += 1
            except OSError:  # not there (yet), or its buffer is full: a wire may lose frames
                self.counters.unsent += 1
