#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does to a bridge what no sane controller does, by a socket's path or HOST:PORT.

of-storm.py SOCKET garbage SECONDS SEED
    bytes, types, lengths and bodies at random, half messages, floods that nobody reads.
of-storm.py SOCKET stall N
    N connections ask ten times for all flows and do not read; then one of them does, and prints
    how many answers and flows came before the reply to the barrier that followed.
of-storm.py SOCKET half SECONDS
    20 connections send half a message and wait.
of-storm.py SOCKET flood SECONDS
    requests as fast as they go, answers unread half of the time.
of-storm.py SOCKET barriers SECONDS
    the good one: a barrier after the other; fails when a round trip takes longer than 2 seconds.
of-storm.py SOCKET watch FEW MANY
    asks how many flows there are, over and over, until there are MANY; fails when it is told of
    another number than FEW before, or when an answer takes longer than 10 seconds.
of-storm.py SOCKET fire
    deletes all flows, adds one, and hangs up without waiting for anything.
of-storm.py SOCKET monitor
    asks to be told of flows and does not read until SIGUSR1; then counts the flows that it knows.
"""
import random
import select
import signal
import socket
import struct
import sys
import time

EXPERIMENTERS = (0x2320, 0x4F4E4600)
FLOW_MOD = bytes.fromhex(
    "040e00580000000100000000000000000000000000000000000000000000000affffffffffffffffffffffff"
    "000000000001000a80000a02080000000000000000040018000000000000001000000002ffff000000000000"
)


def connect(path, version):
    if path.startswith("/"):
        s = socket.socket(socket.AF_UNIX)
        address = path
    else:
        s = socket.socket()
        address = (path.split(":")[0], int(path.split(":")[1]))
    s.settimeout(0.05)
    s.connect(address)
    s.sendall(struct.pack("!BBHI", version, 0, 8, 1))
    return s


def message(version, kind, body, length=None):
    return struct.pack("!BBHI", version, kind, length or 8 + len(body), 7) + body


class Garbage:
    def __init__(self, seed):
        self.rnd = random.Random(seed)

    def body(self, n):
        return self.rnd.randbytes(n)

    def size(self):
        return self.rnd.choice([0, 4, 8, 16, 24, 36, 40, 72, 100, self.rnd.randrange(2000)])

    def noise(self, v):
        yield self.body(self.rnd.randrange(1, 5000))

    def any_type(self, v):
        for _ in range(60):
            yield message(v, self.rnd.randrange(36), self.body(self.size()))

    def wrong_lengths(self, v):
        for length in (8, 9, 12, 65535):
            body = self.body(length - 8 if self.rnd.random() < 0.7 else 3)
            yield message(v, self.rnd.randrange(36), body, length)
        yield struct.pack("!BBHI", v, 1, self.rnd.randrange(8), 7)

    def half(self, v):
        yield message(v, 14, self.body(50), 200)

    def multiparts(self, v):
        for kind in [*range(20), 0xFFFF]:
            head = struct.pack("!HH", kind, self.rnd.randrange(2)) + (b"" if v == 1 else bytes(4))
            yield message(v, 16 if v == 1 else 18, head + self.body(self.size()))

    def mutants(self, v):
        for _ in range(60):
            m = bytearray(FLOW_MOD)
            m[0] = max(v, 4)
            for _ in range(self.rnd.randrange(1, 6)):
                m[self.rnd.randrange(8, len(m))] = self.rnd.getrandbits(8)
            yield bytes(m)

    def experimenters(self, v):
        for _ in range(60):
            sub = self.rnd.choice([self.rnd.randrange(40), self.rnd.randrange(2300, 2310)])
            head = struct.pack("!II", self.rnd.choice(EXPERIMENTERS), sub)
            yield message(v, 4, head + self.body(self.size()))

    def echoes(self, v):
        for _ in range(200):
            yield message(v, 2, bytes(60000))

    def long_actions(self, v):
        acts = b"".join(
            struct.pack("!HHIHH", 0xFFFF, 16, 0x2320, self.rnd.randrange(50), 0) + self.body(4)
            for _ in range(4000)
        )
        head = bytes(40) + struct.pack("!HH4x", 1, 4) + struct.pack("!HH4x", 4, 8 + len(acts))
        yield message(4, 14, head + acts)

    def run(self, path, seconds):
        kinds = (self.noise, self.any_type, self.wrong_lengths, self.half, self.multiparts,
                 self.mutants, self.experimenters, self.echoes, self.long_actions)
        end = time.monotonic() + seconds
        rounds = 0
        while time.monotonic() < end or rounds < len(kinds):
            version = self.rnd.randrange(1, 7)
            try:
                with connect(path, version) as s:
                    for m in kinds[rounds % len(kinds)](version):
                        s.sendall(m)
                    while self.rnd.random() < 0.9 and s.recv(65536):
                        pass
            except OSError:
                pass  # it hung up, or we do not read: as meant
            rounds += 1
        print("rounds", rounds)


def stall(path, n):
    flows = struct.pack("!HH4xB3xII4xQQHH4x", 1, 0, 255, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 1, 4)
    socks = []
    for _ in range(n):
        s = connect(path, 4)
        s.sendall(message(4, 18, flows) * 10 + message(4, 20, b""))
        socks.append(s)
    time.sleep(0.5)
    s = socks[-1]
    s.settimeout(30)
    left, answers, entries = b"", 0, 0
    while True:
        got = s.recv(1 << 18)
        if not got:
            sys.exit("the switch hung up")
        left += got
        ofs = 0
        while len(left) - ofs >= 8:
            _, kind, length = struct.unpack_from("!BBH", left, ofs)
            if len(left) - ofs < length:
                break
            if kind == 21:
                print(f"{answers} answers of {entries} flows")
                return
            if kind == 19:
                answers += not struct.unpack_from("!H", left, ofs + 10)[0] & 1
                at = ofs + 16
                while at < ofs + length:
                    at += struct.unpack_from("!H", left, at)[0]
                    entries += 1
            elif kind == 1:
                sys.exit("the switch answered with an error")
            ofs += length
        left = left[ofs:]


class Reader:
    """Messages of a connection, one by one."""

    def __init__(self, s):
        self.s = s
        self.left = b""

    def next(self, timeout):
        self.s.settimeout(timeout)
        while len(self.left) < 8 or len(self.left) < struct.unpack_from("!H", self.left, 2)[0]:
            got = self.s.recv(1 << 18)
            if not got:
                sys.exit("the switch hung up")
            self.left += got
        length = struct.unpack_from("!H", self.left, 2)[0]
        m, self.left = self.left[:length], self.left[length:]
        return m


def half(path, seconds):
    socks = [connect(path, 4) for _ in range(20)]
    for i, s in enumerate(socks):
        s.sendall(message(4, 14, bytes(i), 60000))
    time.sleep(seconds)


def flood(path, seconds):
    end = time.monotonic() + seconds
    flows = struct.pack("!HH4xB3xII4xQQHH4x", 1, 0, 255, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 1, 4)
    group = message(4, 15, struct.pack("!HBxI", 2, 0, 5))
    chunk = (FLOW_MOD + message(4, 2, bytes(1000)) + group) * 50 + message(4, 18, flows)
    s = connect(path, 4)
    s.settimeout(0.1)
    while time.monotonic() < end:
        try:
            s.sendall(chunk)
        except TimeoutError:
            # What was cut off cannot be gone on with.
            for _ in range(20):
                if not select.select([s], [], [], 0)[0] or not s.recv(65536):
                    break
            s.close()
            s = connect(path, 4)
            s.settimeout(0.1)


def barriers(path, seconds):
    end = time.monotonic() + seconds
    s = connect(path, 4)
    r = Reader(s)
    n, longest = 0, 0.0
    while time.monotonic() < end:
        began = time.monotonic()
        s.sendall(message(4, 20, b""))
        try:
            while r.next(10)[1] != 21:
                pass
        except TimeoutError:
            sys.exit(f"no answer within 10 seconds after {n} round trips")
        longest = max(longest, time.monotonic() - began)
        n += 1
        time.sleep(0.01)
    if n < 20 or longest > 2:
        sys.exit(f"{n} round trips, the longest of {longest:.2f} s")
    print("round trips go on")


def watch(path, few, many):
    s = connect(path, 4)
    r = Reader(s)
    request = struct.pack("!HH4xB3xII4xQQHH4x", 2, 0, 255, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 1, 4)
    n, flows = 0, few
    while flows == few:
        s.sendall(message(4, 18, request))
        try:
            while (m := r.next(10))[1] != 19:
                pass
        except TimeoutError:
            sys.exit(f"no answer within 10 seconds after {n} round trips")
        flows = struct.unpack_from("!I", m, 32)[0]
        n += 1
        if n == 1:
            print("ready", flush=True)
        time.sleep(0.001)
    if flows != many:
        sys.exit(f"{flows} flows, neither {few} nor {many}")
    print(f"from {few} to {many} flows at once")


def fire(path):
    everything = bytearray(FLOW_MOD[:56])
    everything[2:4] = struct.pack("!H", 56)
    everything[24:26] = bytes((255, 3))  # of all tables; delete
    everything[48:56] = struct.pack("!HH4x", 1, 4)
    with connect(path, 4) as s:
        s.recv(100)
        s.sendall(everything + FLOW_MOD)


def monitor(path):
    """Nicira's flow monitor, in 1.0, of everything; a match is what a flow is known by."""
    s = connect(path, 1)
    flags = 1 | 2 | 4 | 8 | 32  # initial, add, delete, modify, own
    request = struct.pack("!IHHHBx4x", 1, flags, 0xFFFF, 0, 255)
    body = struct.pack("!HHIII", 0xFFFF, 0, 0x2320, 2, 0) + request
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    s.sendall(message(1, 16, body))
    print("ready", flush=True)
    signal.sigwait([signal.SIGUSR1])
    r = Reader(s)
    known = set()
    while True:
        m = r.next(20)
        if m[1] == 4 and struct.unpack_from("!II", m, 8) == (0x2320, 22):
            print("paused", flush=True)
        elif m[1] == 4 and struct.unpack_from("!II", m, 8) == (0x2320, 23):
            print("resumed:", len(known), "flows", flush=True)
            return
        elif m[1] == 17:
            at = 24
            while at < len(m):
                length, event = struct.unpack_from("!HH", m, at)
                if event <= 2:  # added, deleted, modified
                    match_len, table = struct.unpack_from("!HB", m, at + 12)
                    key = table, m[at + 6 : at + 8], m[at + 24 : at + 24 + match_len]
                    (known.discard if event == 1 else known.add)(key)
                at += length


def main():
    path, what = sys.argv[1:3]
    if what == "garbage":
        Garbage(int(sys.argv[4])).run(path, float(sys.argv[3]))
    elif what == "stall":
        stall(path, int(sys.argv[3]))
    elif what == "monitor":
        monitor(path)
    elif what == "fire":
        fire(path)
    elif what == "watch":
        watch(path, int(sys.argv[3]), int(sys.argv[4]))
    else:
        {"half": half, "flood": flood, "barriers": barriers}[what](path, float(sys.argv[3]))


main()
