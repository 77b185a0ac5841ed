#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends frames that no sane host sends: spray.py DEVICE SECONDS [SEED [PER_SECOND]].

Every kind of header with fields that lie, cut off at every length, VLAN stacks, fragments, noise;
14 bytes up to the device's MTU and what the kernel lets through beyond it.  Prints what it sent
and what the kernel refused; the same seed sends the same frames."""

import random
import socket
import struct
import sys
import time

PF_PACKET_VLAN_TPIDS = (0x8100, 0x88A8, 0x9100)


def mac(rnd):
    kind = rnd.randrange(8)
    if kind == 0:
        return b"\xff" * 6
    if kind == 1:
        return b"\x01\x80\xc2\x00\x00" + bytes([rnd.randrange(256)])
    if kind == 2:
        return b"\x00" * 6
    if kind == 3:
        return b"\x01\x00\x5e" + rnd.randbytes(3)
    return b"\x02\x00\x00\x00" + bytes([rnd.randrange(4), rnd.randrange(256)])


def ipv4(rnd, payload):
    version_ihl = rnd.choice((0x45, 0x45, 0x45, 0x46, 0x4F, 0x40, 0x44, 0x65, rnd.randrange(256)))
    options = b"" if version_ihl & 15 < 6 else rnd.randbytes(4 * ((version_ihl & 15) - 5))
    length = rnd.choice((20 + len(options) + len(payload), 0, 19, 20, 65535, rnd.randrange(65536)))
    fragment = rnd.choice((0, 0, 0x4000, 0x2000, 0x1FFF, 0x2001, 1, rnd.randrange(65536)))
    proto = rnd.choice((1, 2, 6, 17, 47, 58, 132, 255, 0))
    return struct.pack("!BBHHHBBH4s4s", version_ihl, rnd.randrange(256), length,
                       rnd.randrange(65536), fragment, rnd.randrange(256), proto,
                       rnd.randrange(65536), bytes([10, 9, 0, rnd.randrange(6)]),
                       bytes([10, 9, 0, rnd.randrange(6)])) + options + payload


def ipv6(rnd, payload):
    chain, first = b"", rnd.choice((6, 17, 58, 0, 43, 44, 51, 60, 59, 135))
    for _ in range(rnd.choice((0, 0, 1, 2, 40))):
        following = rnd.choice((6, 17, 58, 0, 43, 44, 51, 60))
        chain += bytes([following, rnd.choice((0, 0, 1, 255))]) + rnd.randbytes(6)
    length = rnd.choice((len(chain) + len(payload), 0, 65535, rnd.randrange(65536)))
    return struct.pack("!IHBB", 6 << 28 | rnd.randrange(1 << 28), length, first,
                       rnd.randrange(256)) + rnd.randbytes(32) + chain + payload


def transport(rnd):
    kind = rnd.randrange(4)
    body = rnd.randbytes(rnd.choice((0, 1, 7, 8, 64, 1200, 1460)))
    if kind == 0:
        return struct.pack("!HHIIBBHHH", 1, 2, 3, 4, rnd.choice((0x50, 0x00, 0xF0)),
                           rnd.randrange(256), 5, rnd.randrange(65536), 0) + body
    if kind == 1:
        return struct.pack("!HHHH", 1, 2, rnd.choice((8 + len(body), 0, 7, 65535)),
                           rnd.randrange(65536)) + body
    if kind == 2:   # ICMPv6 neighbour messages with options of any length
        return struct.pack("!BBHI16sBB", rnd.choice((133, 134, 135, 136)), 0, 0, 0,
                           rnd.randbytes(16), rnd.choice((1, 2)), rnd.choice((0, 1, 255))) + body
    return body


def frame(rnd, mtu):
    f = mac(rnd) + mac(rnd)
    for _ in range(rnd.choice((0, 0, 0, 1, 2, 3, 20))):
        f += struct.pack("!HH", rnd.choice(PF_PACKET_VLAN_TPIDS), rnd.randrange(65536))
    kind = rnd.randrange(6)
    if kind == 0:
        f += struct.pack("!H", 0x0800) + ipv4(rnd, transport(rnd))
    elif kind == 1:
        f += struct.pack("!H", 0x86DD) + ipv6(rnd, transport(rnd))
    elif kind == 2:
        f += struct.pack("!HHHBBH", 0x0806, rnd.choice((1, 0)), 0x0800, rnd.choice((6, 255)),
                         rnd.choice((4, 0)), rnd.randrange(5)) + rnd.randbytes(20)
    elif kind == 3:     # LLC, MPLS, NSH...
        f += struct.pack("!H", rnd.choice((0, 3, 46, 1500, 1501, 0x8847, 0x894F, 0xFFFF)))
        f += rnd.choice((b"\xaa\xaa\x03\x00\x00\x00", b"")) + rnd.randbytes(64)
    else:
        f += rnd.randbytes(2) + rnd.randbytes(rnd.randrange(1500))
    cut = rnd.randrange(4)
    if cut == 0:
        f = f[:rnd.randrange(len(f) + 1)]
    elif cut == 1:
        f = f.ljust(rnd.choice((60, mtu + 14, mtu + 18, mtu + 19, mtu + 200)), b"\0")
    return f


def main():
    device, seconds = sys.argv[1], float(sys.argv[2])
    rnd = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    per_second = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
    with open(f"/sys/class/net/{device}/mtu", encoding="ascii") as f:
        mtu = int(f.read())
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((device, 0))
    sent = refused = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(max(1, per_second // 100)):
            try:
                s.send(frame(rnd, mtu))
                sent += 1
            except OSError:
                refused += 1
        time.sleep(0.01)
    print(f"sent {sent}, refused by the kernel {refused}")


if __name__ == "__main__":
    main()
