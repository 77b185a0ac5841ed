#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes frames from text, sends them, and shows what a capture holds, for tests that compare bytes.

  frames.py make LAYERS              one frame, as hex
  frames.py send DEVICE COUNT LAYERS sends it, COUNT times
  frames.py timed DEVICE COUNT LAYERS  the same, and says how many milliseconds it took
  frames.py pcap FILE                the frames of a capture, as hex, sorted
  frames.py flows CASES              one flow per case, for ovs-ofctl add-flows
  frames.py run CASES DEVICE COUNT   sends each case's frame, in COUNT rounds
  frames.py want CASES COUNT         what those rounds must bring out, as hex, sorted

LAYERS are separated by "/": eth:SRC,DST vlan:VID[,pcp=][,tpid=] mpls:LABEL[,tc=][,ttl=]
ip:SRC,DST[,ttl=][,tos=][,id=][,frag=][,opts=HEX] ip6:SRC,DST[,hlim=][,tc=][,label=]
dstopts: frag6:OFFSET,MORE[,next=] udp:SRC,DST[,csum=0] tcp:SRC,DST[,flags=] sctp:SRC,DST
icmp:TYPE,CODE icmp6:TYPE,CODE arp:OP,SHA,SPA,THA,TPA data:LENGTH[,first=] hex:BYTES.
Types, lengths and checksums follow from what comes behind.  Numbers are as Python writes them.

A case is a line "MATCH | ACTIONS | LAYERS | LAYERS [| LAYERS...]": what enters, and what comes
out on port 2 (nothing: dropped).  Line N's frames have eth:02:00:00:00:01:N,02:00:00:00:02:N in
front if they do not say otherwise.  Lines that start with # are comments."""

import ipaddress
import socket
import struct
import sys
import time

CSUM = {"udp": (17, 6), "tcp": (6, 16), "icmp": (1, 2), "icmp6": (58, 2), "sctp": (132, None)}
TYPES = {"ip": 0x0800, "ip6": 0x86DD, "arp": 0x0806, "mpls": 0x8847, "vlan": 0x8100}


def csum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return struct.pack("<I", crc ^ 0xFFFFFFFF)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return ipaddress.ip_address(text).packed


def parse(layer):
    """name, positional arguments, named numbers"""
    name, _, rest = layer.strip().partition(":")
    args = [a for a in rest.split(",") if a]
    named = dict(a.split("=", 1) for a in args if "=" in a)
    return name, [a for a in args if "=" not in a], named


def num(named, key, default):
    return int(named.get(key, str(default)), 0)


def ether_type(following):
    name, _, named = following
    return num(named, "tpid", TYPES["vlan"]) if name == "vlan" else TYPES.get(name, 0x1234)


def transport(name, pos, named, payload, pseudo):
    proto, ofs = CSUM[name]
    a, b = int(pos[0], 0), int(pos[1], 0)
    if name == "udp":
        head = struct.pack("!HHHH", a, b, 8 + len(payload), 0)
    elif name == "tcp":
        head = struct.pack("!HHIIBBHHH", a, b, 1, 2, 0x50, num(named, "flags", 0x10), 512, 0, 0)
    elif name == "sctp":
        head = struct.pack("!HHII", a, b, 7, 0)
        return head[:8] + crc32c(head + payload) + payload
    else:
        head = struct.pack("!BBH", a, b, 0)
    if num(named, "csum", 1):
        whole = len(head) + len(payload)
        value = csum((b"" if name == "icmp" else pseudo(proto, whole)) + head + payload)
        if name == "udp" and not value:
            value = 0xFFFF
        head = head[:ofs] + struct.pack("!H", value) + head[ofs + 2:]
    return head + payload


def next_header(following):
    name = following[0]
    return {"dstopts": 60, "frag6": 44}.get(name) or CSUM.get(name, (253,))[0]


def make(text):
    layers = [parse(x) for x in text.split("/") if x.strip()]
    out = b""
    for i in range(len(layers) - 1, -1, -1):
        name, pos, named = layers[i]
        after = layers[i + 1] if i + 1 < len(layers) else ("", [], {})
        if name == "data":
            out += bytes((num(named, "first", 0) + n) & 0xFF for n in range(int(pos[0])))
        elif name == "hex":
            out += bytes.fromhex(pos[0])
        elif name in CSUM:
            lower = next(x for x in layers[i::-1] if x[0] in ("ip", "ip6"))
            ends = ip(lower[1][0]) + ip(lower[1][1])
            out = transport(name, pos, named, out,
                            (lambda p, n: ends + struct.pack("!BBH", 0, p, n))
                            if lower[0] == "ip" else
                            (lambda p, n: ends + struct.pack("!II", n, p)))
        elif name == "dstopts":
            out = struct.pack("!BB6B", next_header(after), 0, 1, 4, 0, 0, 0, 0) + out
        elif name == "frag6":
            out = struct.pack("!BBHI", num(named, "next", next_header(after)), 0,
                              int(pos[0], 0) & ~7 | int(pos[1], 0), 77) + out
        elif name == "ip":
            options = bytes.fromhex(named.get("opts", ""))
            head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, num(named, "tos", 0),
                               20 + len(options) + len(out), num(named, "id", 1),
                               num(named, "frag", 0), num(named, "ttl", 64), next_header(after)
                               if "proto" not in named else num(named, "proto", 0), 0)
            head += ip(pos[0]) + ip(pos[1]) + options
            out = head[:10] + struct.pack("!H", csum(head)) + head[12:] + out
        elif name == "ip6":
            out = struct.pack("!IHBB", 6 << 28 | num(named, "tc", 0) << 20 |
                              num(named, "label", 0), len(out), next_header(after),
                              num(named, "hlim", 64)) + ip(pos[0]) + ip(pos[1]) + out
        elif name == "arp":
            out = struct.pack("!HHBBH", 1, 0x0800, 6, 4, int(pos[0], 0)) + mac(pos[1]) + \
                ip(pos[2]) + mac(pos[3]) + ip(pos[4]) + out
        elif name == "mpls":
            out = struct.pack("!I", int(pos[0], 0) << 12 | num(named, "tc", 0) << 9 |
                              (after[0] != "mpls") << 8 | num(named, "ttl", 64)) + out
        elif name == "vlan":
            out = struct.pack("!HH", num(named, "pcp", 0) << 13 | int(pos[0], 0),
                              ether_type(after)) + out
        elif name == "eth":
            out = mac(pos[1]) + mac(pos[0]) + struct.pack("!H", ether_type(after)) + out
        else:
            sys.exit(f"unknown layer {name}")
    return out


def cases(path):
    n = 0
    with open(path, encoding="ascii") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                n += 1
                parts = [x.strip() for x in line.split("|")]
                eth = f"eth:02:00:00:00:01:{n:02x},02:00:00:00:02:{n:02x}/"
                frames = [x if x.startswith("eth:") else eth + x for x in parts[2:] if x]
                yield n, parts[0], parts[1], frames


def pcap(path):
    with open(path, "rb") as f:
        data = f.read()
    ofs = 24
    while ofs + 16 <= len(data):
        n = struct.unpack_from("<I", data, ofs + 8)[0]
        yield data[ofs + 16:ofs + 16 + n]
        ofs += 16 + n


def sender(device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((device, 0))
    return s


def main():
    what, args = sys.argv[1], sys.argv[2:]
    if what == "make":
        print(make(args[0]).hex())
    elif what in ("send", "timed"):
        s, frame = sender(args[0]), make(args[2])
        start = time.monotonic()
        for i in range(int(args[1])):
            s.send(frame)
            if i % 16 == 15:
                time.sleep(0.002)
        if what == "timed":
            print(int((time.monotonic() - start) * 1000))
    elif what == "pcap":
        print("\n".join(sorted(x.hex() for x in pcap(args[0]))))
    elif what == "flows":
        for n, match, actions, _ in cases(args[0]):
            print(f"in_port=1,dl_src=02:00:00:00:01:{n:02x}{match and ',' + match} "
                  f"actions={actions}")
    elif what == "run":
        s = sender(args[1])
        frames = [make(c[3][0]) for c in cases(args[0])]
        for _ in range(int(args[2])):
            for frame in frames:
                s.send(frame)
                time.sleep(0.002)
    elif what == "want":
        out = [make(x).hex() for c in cases(args[0]) for x in c[3][1:]]
        print("\n".join(sorted(out * int(args[1]))))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
