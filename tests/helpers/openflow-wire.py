#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends the same bytes to this switch and to the stock one and compares what comes back, on each
of several connections: errors, roles, asynchronous messages, flow monitors, bundles.

Where openflow-compat.py sees what ovs-ofctl makes of the answers, this sees the answers, and what
comes unasked.  The scenes are Python: tests/compat/wire.py.  Exit status: 0 all the same,
1 something differs, 77 the stock daemon is not installed.

    openflow-wire.py [-d FOLDER] [-k WORD] [-v] VERSION OUR-VSWITCHD      VERSION: 1 (1.0) to 6 (1.5)
"""
import argparse
import importlib.util
import os
import re
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True


def load(name, *path):
    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), *path)
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


compat = load('openflow_compat', 'openflow-compat.py')

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER = range(5)
PORT_STATUS, REQUESTFORWARD = 12, 32
NICIRA, ONF = 0x2320, 0x4f4e4600
MARK = 0x7e57e570  # xid of the echo request that ends a turn
CONTINUATION = 8   # property of a packet-in

WAIT_STEPS = 120


def wait(attempt):
    """Between two looks at what came, five seconds in all."""
    time.sleep(0.005 if attempt < 20 else 0.05)


def message(version, kind, body=b'', xid=0x1234):
    return struct.pack('!BBHI', version, kind, len(body) + 8, xid) + body


def split(data):
    """The whole messages at the start of data, and what is left."""
    found = []
    while len(data) >= 8:
        n, = struct.unpack_from('!H', data, 2)
        if n < 8 or len(data) < n:
            break
        found.append(data[:n])
        data = data[n:]
    return found, data


class Peer:
    """One connection to one switch."""

    def __init__(self, version, path=None, sock=None):
        self.version, self.closed, self.rest, self.came = version, False, b'', []
        self.waiting = b''  # the last NXT_PACKET_IN2
        self.sock = sock or socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        if path:
            self.sock.connect(path)
        self.send(message(version, HELLO))
        while not self.closed and not any(m[1] == HELLO for m in self.read()):
            pass

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            self.closed = True

    def read(self):
        try:
            data = self.sock.recv(1 << 18)
        except OSError:
            data = b''
        self.closed = self.closed or not data
        found, self.rest = split(self.rest + data)
        return found

    def turn(self):
        """All that comes until the switch has answered an echo request."""
        got, self.came = self.came, []
        if not self.closed:
            self.send(message(self.version, ECHO_REQUEST, b'', MARK))
        while not self.closed:
            found = self.read()
            for i, m in enumerate(found):
                if m[1] == ECHO_REPLY and m[4:8] == struct.pack('!I', MARK):
                    self.came = found[i + 1:]
                    return got
                got.append(m)
        return got


def properties(data):
    """The kinds and contents of properties, without their padding."""
    found = []
    while len(data) >= 4:
        kind, n = struct.unpack_from('!HH', data)
        found.append((kind, data[4:n]))
        data = data[n + 7 & ~7:]
    return found


def pack_property(kind, data):
    return struct.pack('!HH', kind, len(data) + 4) + data + bytes(-(len(data) + 4) % 8)


def is_packet_in2(m):
    return m[1] == EXPERIMENTER and m[8:16] == struct.pack('!II', NICIRA, 30)


def cut(m):
    """Stock's errors carry more of a message than ours; dummies have other addresses; of a
    continuation only the switch makes sense."""
    if is_packet_in2(m):
        m = m[:16] + b''.join(pack_property(kind, data) for kind, data in properties(m[16:])
                              if kind != CONTINUATION)
        m = m[:2] + struct.pack('!H', len(m)) + m[4:]
    if m[1] == REQUESTFORWARD and m[9:10] == b'\x1d' and not m[19] & 4:
        m = m[:32] + b'\0' * 4 + m[36:]  # stock says a burst that nobody asked for
    if m[1] != ERROR:
        return re.sub(rb'\xaa\x55\xaa\x55\x00.', b'\xaa\x55\xaa\x55\0\0', m, flags=re.S)
    head = {b'\xff\xff': 16, b'\xb0\xc2': 20}.get(m[8:10], 12)  # experimenters', Nicira's
    if m[head + 8:head + 16] == struct.pack('!II', NICIRA, 28):
        m = m[:head + 2] + b'\0\0' + m[head + 4:]  # how much a resumed packet's message had
    m = m[:head + 8]  # and the header of the message refused
    return m[:2] + struct.pack('!H', len(m)) + m[4:]


def merged(messages):
    """Stock tells of a port's new configuration first, then of the new state; we tell once."""
    out = []
    for m in messages:
        port = slice(16, 18) if m[0] == 1 else slice(16, 20)
        if m[1] == PORT_STATUS and m[8] == 2 and out and out[-1][1] == PORT_STATUS and \
                out[-1][port] == m[port]:
            m = m[:8] + out.pop()[8:9] + m[9:]
        out.append(m)
    return out


def text_of(m):
    done = subprocess.run(['ovs-ofctl', 'ofp-print', m.hex()], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    text = compat.normal(done.stdout.decode(errors='replace'))
    if m[1] == ERROR:
        return text.splitlines()[0]
    return re.sub(r'duration[0-9.]+s idle[0-9]+', 'duration', text).rstrip()


PAUSED, RESUMED = 5, 6  # events in the updates of a 1.4 flow monitor


def updates_of(m):
    """The updates in a reply to, or of, a flow monitor."""
    nicira = m[1] == EXPERIMENTER
    if nicira or m[1] not in (17, 19):
        return []
    at, found = 16 if m[0] > 4 else 24, []
    while at + 4 <= len(m):
        n, = struct.unpack_from('!H', m, at)
        found.append(m[at:at + n])
        at += max(n, 8)
    return found


def state_of(m, subtype, event):
    """A message, or in 1.4 an update, says that a monitor is paused, or no longer."""
    told = (ONF, 1849 + subtype) if m[0] == 4 else (NICIRA, subtype)
    return m[1] == EXPERIMENTER and m[8:16] == struct.pack('!II', *told) or \
        m[0] > 4 and any(e[2:4] == bytes((0, event)) for e in updates_of(m))


def pauses(m):
    return 'paused' if state_of(m, 22, PAUSED) else ''


def resumes(m):
    return 'resumed' if state_of(m, 23, RESUMED) else ''


class Talk:
    """What one scene says to both switches in one version: connections by name."""

    def __init__(self, sides, version, verbose=False):
        self.sides, self.version, self.verbose = sides, version, verbose
        self.peers, self.listeners, self.different = {}, [], []
        for s in sides:
            s.sent_skip()

    def open(self, name):
        """A service connection."""
        for p in self.peers.pop(name, ()):
            p.sock.close()
        self.peers[name] = [Peer(self.version, f'{s.folder}/br0.mgmt') for s in self.sides]
        self.gather(f'open {name}')

    def controllers(self, *names):
        """What the switches connect to when they are told to."""
        for side in self.sides:
            for name in names:
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                sock.settimeout(20)
                path = f'{side.folder}/{name}.controller'
                if os.path.exists(path):
                    os.unlink(path)
                sock.bind(path)
                sock.listen(4)
                self.listeners.append((name, sock))
            side.run('ovs-vsctl', '--timeout=10', 'set-controller', 'br0',
                     *(f'unix:{side.folder}/{name}.controller' for name in names))
        for name, sock in self.listeners:
            self.peers.setdefault(name, []).append(Peer(self.version, sock=sock.accept()[0]))
        self.gather('controllers ' + ' '.join(names))

    def say(self, name, kind, body=b'', xid=0x1234):
        self.raw(name, message(self.version, kind, body, xid))

    def vendor(self, name, subtype, body=b'', vendor=NICIRA):
        self.say(name, EXPERIMENTER, struct.pack('!II', vendor, subtype) + body)

    def stats(self, name, kind, body=b'', flags=0):
        head = struct.pack('!HH', kind, flags) + (b'' if self.version == 1 else b'\0' * 4)
        self.say(name, 16 if self.version == 1 else 18, head + body)

    def resume(self, name, edit=lambda properties: properties):
        """Sends the last NXT_PACKET_IN2 back to who sent it, with what edit makes of the list of
        its properties."""
        for p in self.peers[name]:
            body = b''.join(pack_property(*one) for one in edit(properties(p.waiting[16:])))
            p.send(message(self.version, EXPERIMENTER, struct.pack('!II', NICIRA, 28) + body))
        self.gather(f'{name} resumes')
        self.sent(f'{name} resumes')

    def sent(self, what):
        """What left the ports since the last call: waited for a while if the sides differ."""
        for attempt in range(WAIT_STEPS):
            texts = [''.join(s.sent(port) for port in compat.PORTS) for s in self.sides]
            if attempt and sorted(texts[0].split()) == sorted(texts[1].split()):
                break
            wait(attempt)
        for s in self.sides:
            s.sent_skip()
        self.compare(f'{what}: packets', [''.join(sorted(t.splitlines(True))) for t in texts])

    def raw(self, name, data):
        for p in self.peers[name]:
            p.send(data)
        self.gather(f'{name} sends {data.hex()}')

    def ofctl(self, version, *args):
        """ovs-ofctl on a connection of its own."""
        out = compat.both(self.sides, 'ovs-ofctl', '--timeout=10', '-O',
                          f'OpenFlow{9 + version}', *args)
        what = 'ovs-ofctl ' + ' '.join(args)
        self.compare(what, [compat.refusals(t) if 'OFPT_ERROR' in t else compat.normal(t)
                            for t in out])
        self.gather(what)

    def vsctl(self, *args):
        compat.both(self.sides, 'ovs-vsctl', '--timeout=10', *args)
        self.gather('ovs-vsctl ' + ' '.join(args))

    def appctl(self, *args):
        out = [s.appctl(*args) for s in self.sides]
        self.compare('ovs-appctl ' + ' '.join(args), [compat.normal(t) for t in out])
        self.gather('ovs-appctl ' + ' '.join(args))

    def warp(self, ms):
        for s in self.sides:
            s.appctl('time/warp', str(ms), '500')
        self.gather(f'{ms} ms later')

    def flows(self, command, flows):
        """Many of them by one ovs-ofctl."""
        compat.both(self.sides, 'ovs-ofctl', '--timeout=20', command, 'br0', '-',
                    stdin='\n'.join(flows).encode())

    def stall(self, name):
        """From here on nothing is read from these connections."""
        return self.peers.pop(name)

    def read_all(self, name, peers):
        """What came to stalled connections, up to what a paused flow monitor missed: in which
        order rules are told of is of no matter, nor how many in a message, nor whether those are
        told of again that came in the very millisecond of the pause."""
        texts = []
        for p in peers:
            got, end = [], time.monotonic() + 20
            while not any(resumes(m) for m in got) and time.monotonic() < end and not p.closed:
                got += p.turn()
            states = [pauses(m) or resumes(m) for m in got]
            parts = {e.hex()[:160] for m in got for e in updates_of(m)}
            texts.append('\n'.join([s for s in states if s] + sorted(parts)))
        self.peers[name] = peers
        self.compare(f'{name} reads', texts)

    def compare(self, what, texts):
        texts = [re.sub(r' \(xid=0x[0-9a-f]+\)', '', t) for t in texts]
        if self.verbose:
            print(f'  {what}\n' + ''.join(f'    {x}\n' for x in texts[0].splitlines()), end='')
        if texts[0] != texts[1]:
            self.different.append((what, texts))

    def gather(self, what):
        """What came on each connection: waited for a while if the sides differ."""
        got = {name: [[], []] for name in self.peers}
        for attempt in range(WAIT_STEPS):
            for name, peers in self.peers.items():
                for i, p in enumerate(peers):
                    for m in p.turn():
                        if is_packet_in2(m):
                            p.waiting = m
                        got[name][i].append(cut(m))
            if attempt and all(merged(x) == merged(y) for x, y in got.values()):
                break
            wait(attempt)
        for name, pair in got.items():
            if not any(pair) and not any(p.closed for p in self.peers[name]):
                continue
            same = merged(pair[0]) == merged(pair[1])
            if same and not self.verbose:
                pair = [[], []]
            texts = ['\n'.join([text_of(m) for m in merged(pair[i])] +
                               (['the end of the connection'] if p.closed else []))
                     for i, p in enumerate(self.peers[name])]
            if not same and texts[0] == texts[1]:  # it reads the same
                texts = ['\n'.join(m.hex() for m in merged(one)) for one in pair]
            self.compare(f'{what}: {name} gets', texts)

    def end(self):
        if self.listeners:
            self.vsctl('del-controller', 'br0')
        for p in (p for peers in self.peers.values() for p in peers):
            p.sock.close()
        for _, sock in self.listeners:
            sock.close()
        self.peers, self.listeners = {}, []
        for args in (('del-flows',), ('del-groups',), ('del-meters',)):
            self.ofctl(5, *args, 'br0')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-d', '--folder', default='.')
    p.add_argument('-k', '--word', default='')
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--stock', default=compat.STOCK)
    p.add_argument('version', type=int)
    p.add_argument('vswitchd')
    args = p.parse_args()
    if not os.access(args.stock, os.X_OK):
        print(f'{args.stock} is not installed')
        return 77
    scenes = load('wire', '..', 'compat', 'wire.py')
    scenes.wire = sys.modules[__name__]
    sides, n, bad = [], 0, 0
    try:
        for name, daemon in (('ours', args.vswitchd), ('stock', args.stock)):
            side = compat.Side(f'{os.path.abspath(args.folder)}/{name}', daemon)
            sides.append(side)
            side.configure(monitor=False)
        for scene, first, last in scenes.SCENES:
            if args.word not in scene.__name__ or not first <= args.version <= last:
                continue
            if args.verbose:
                print(f'== {scene.__name__}')
            talk = Talk(sides, args.version, args.verbose)
            scene(talk)
            talk.end()
            n += 1
            if talk.different:
                bad += 1
                print(f'DIFFERENT: {scene.__name__}: {scene.__doc__}')
                compat.show(talk.different)
    finally:
        for side in sides:
            side.stop()
    print(f'{n} scenes, {bad} different')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
