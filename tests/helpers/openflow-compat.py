#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs this switch and the stock one side by side and compares what they answer.

Both daemons get a database, the same bridges and dummy ports, a stopped clock, and the same cases
(tests/compat/*.case); every answer of ovs-ofctl and ovs-appctl, every packet that leaves a port and
every packet-in is compared after taking out what may differ: durations, transaction ids,
cookies of nothing, the numbering of recirculations.  Exit status: 0 all the same, 1 something
differs, 77 the stock daemon is not installed.

    openflow-compat.py [-d FOLDER] [-O VERSION] [-k WORD] [-v] OUR-VSWITCHD CASE-FILE...

A case file is a list of paragraphs; # starts a comment, "let NAME TEXT" makes $NAME stand for
the text from there on.  The first line of a paragraph is its name, the others are one step each:

    of N                  speak at least OpenFlow 1.(N-10) in this case
    differs REASON        a deliberate difference, in 1.0 at least: the case is run, but may differ
    config ARGS           ovs-vsctl ARGS; undo it with another one at the end
    flow F, group G, meter M    add-flows, add-group, add-meter (one connection for all flows)
    flow1 F               the same in bridge br1
    every F               add-flow in each version, one at a time; in the end, dump-flows in each
    try COMMAND ARGS      ovs-ofctl COMMAND br0 ARGS (quoted as in a shell); output and errors
    trace ARGS            ofproto/trace br0 ARGS
    packet PORT PACKET    netdev-dummy/receive, hexadecimal or as text
    appctl ARGS           any control command
    warp MS               time/warp

Behind the last step come the flows, groups and meters of the case, and after packets the flows
of the datapath, what the ports sent and what the controller got.
"""
import argparse
import json
import os
import re
import shlex
import signal
import socket
import struct
import subprocess
import sys
import time

STOCK = '/usr/lib/openvswitch-switch/ovs-vswitchd'
PORTS = {'p1': 1, 'p2': 2, 'p3': 3, 'p4': 4}
PEER_PORTS = {'q11': 11, 'q12': 12}


class Side:
    """One daemon with its database, in a folder of its own."""

    def __init__(self, folder, daemon):
        self.folder = folder
        self.pcap_at = {}
        self.monitor, self.monitor_at = None, 0
        os.makedirs(folder, exist_ok=True)
        self.env = dict(os.environ, OVS_RUNDIR=folder, OVS_LOGDIR=folder, OVS_DBDIR=folder,
                        LC_ALL='C')
        self.pids = []
        db = f'{folder}/conf.db'
        self.run('ovsdb-tool', 'create', db, '/usr/share/openvswitch/vswitch.ovsschema')
        self.daemon('ovsdb-server', 'ovsdb-server', f'--remote=punix:{folder}/db.sock', db)
        self.run('ovs-vsctl', '--no-wait', 'init')
        self.daemon('ovs-vswitchd', daemon, '--enable-dummy=override', '--disable-system',
                    f'--unixctl={folder}/vswitchd.ctl', f'unix:{folder}/db.sock')

    def run(self, *args, stdin=None):
        done = subprocess.run(args, env=self.env, input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        return done.stdout.decode(errors='replace')

    def daemon(self, name, *args):
        pidfile = f'{self.folder}/{name}.pid'
        out = self.run(*args, '--detach', '--no-chdir', f'--pidfile={pidfile}', '--log-file')
        try:
            with open(pidfile, encoding='ascii') as f:
                self.pids.append(int(f.read()))
        except OSError:
            sys.exit(f'{args[0]} did not start: {out}')

    def configure(self, monitor=True):
        """The bridges of all cases: br0 with p1..p4, br1 with q11 and q12, a patch between."""
        args = ['ovs-vsctl', '--timeout=20']
        for n, (bridge, ports) in enumerate((('br0', PORTS), ('br1', PEER_PORTS))):
            args += ['--', 'add-br', bridge, '--', 'set', 'bridge', bridge,
                     'datapath_type=dummy', 'fail_mode=secure',
                     f'other_config:hwaddr=aa:55:aa:55:01:0{n}',
                     f'other_config:datapath-id=00000000000000a{n}',
                     'protocols=' + ','.join(f'OpenFlow{v}' for v in range(10, 16))]
            for port, number in ports.items():
                args += ['--', 'add-port', bridge, port, '--', 'set', 'interface', port,
                         'type=dummy', f'ofport_request={number}',
                         f'options:tx_pcap={self.folder}/{port}.pcap']
        for here, there, bridge, number in (('pa0', 'pa1', 'br0', 20), ('pa1', 'pa0', 'br1', 21)):
            args += ['--', 'add-port', bridge, here, '--', 'set', 'interface', here, 'type=patch',
                     f'options:peer={there}', f'ofport_request={number}']
        out = self.run(*args)
        if out:
            sys.exit(f'{self.folder}: {out}')
        self.appctl('time/stop')
        if not monitor:
            return
        with open(f'{self.folder}/monitor.txt', 'wb') as f:
            self.monitor = subprocess.Popen(
                ['ovs-ofctl', 'monitor', 'br0', '65534', 'invalid_ttl', '-P', 'nxt_packet_in2',
                 f'--unixctl={self.folder}/monitor.ctl'], env=self.env, stdout=f, stderr=f)
        for _ in range(100):
            if os.path.exists(f'{self.folder}/monitor.ctl'):
                break
            time.sleep(0.05)

    @staticmethod
    def control(path, method, *params):
        """One request to a control socket; the answer's text, of success or failure."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(30)
            s.connect(path)
            s.sendall(json.dumps({'method': method, 'params': list(params), 'id': 0}).encode())
            got = b''
            while True:
                more = s.recv(65536)
                got += more
                try:
                    reply = json.loads(got)
                    break
                except ValueError:
                    if not more:
                        return f'no answer: {got!r}'
        return reply['result'] if reply.get('error') is None else 'error: ' + reply['error']

    def appctl(self, *args):
        return self.control(f'{self.folder}/vswitchd.ctl', *args)

    def sent(self, port):
        """What the port has sent since the last call, one hexadecimal line a packet."""
        lines = []
        try:
            with open(f'{self.folder}/{port}.pcap', 'rb') as f:
                at = self.pcap_at.get(port, 24)
                f.seek(at)
                data = f.read()
        except OSError:
            return ''
        ofs = 0
        while ofs + 16 <= len(data):
            n, = struct.unpack_from('=I', data, ofs + 8)
            if ofs + 16 + n > len(data):
                break
            lines.append(data[ofs + 16:ofs + 16 + n].hex())
            ofs += 16 + n
        return ''.join(f'{port}: {line}\n' for line in lines)

    def sent_skip(self):
        for port in (*PORTS, *PEER_PORTS):
            try:
                self.pcap_at[port] = os.stat(f'{self.folder}/{port}.pcap').st_size
            except OSError:
                pass
        try:
            self.monitor_at = os.stat(f'{self.folder}/monitor.txt').st_size
        except OSError:
            pass

    def packet_ins(self):
        self.control(f'{self.folder}/monitor.ctl', 'ofctl/barrier')
        with open(f'{self.folder}/monitor.txt', encoding='utf-8', errors='replace') as f:
            f.seek(self.monitor_at)
            text = f.read()
        return ''.join(line + '\n' for line in text.splitlines()
                       if 'OFPT_BARRIER_REPLY' not in line)

    def stop(self):
        if self.monitor:
            self.monitor.kill()
            self.monitor.wait()
        for pid in reversed(self.pids):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass


def renumber(text, pattern):
    """Numbers what the pattern's second group finds in order of appearance."""
    seen = {}

    def one(m):
        if int(m.group(2), 0) == 0:
            return m.group(0)
        return m.group(1) + '#' + str(seen.setdefault(m.group(2), len(seen) + 1))
    return re.sub(pattern, one, text)


def without_nd_ext(text):
    """Stock's dumps have no words for one part of a match."""
    return re.sub(r',nd_ext\([^)]*\)(?=.*, packets:)', '', text)


def normal(text):
    """Takes out what two switches may not agree on."""
    text = re.sub(r' ?\(xid=0x[0-9a-f]+\)', '', text)
    text = re.sub(r'^\d{4}-\d\d-\d\dT\S+Z\|', '', text, flags=re.M)
    text = re.sub(r'duration=[0-9.]+s(, )?', '', text)
    text = re.sub(r'unix:/\S*/', 'unix:', text)
    text = re.sub(r'addr:[0-9a-f:]{17}', 'addr:MAC', text)
    text = re.sub(r'(idle|hard)_age=\d+, ', '', text)
    # Whatever a flow does is done by the datapath itself: there is no slow path.
    text = re.sub(r'\nThis flow is handled by the userspace slow path because it:(\n  - .*)+',
                  '', text)
    text = re.sub(r'ufid:[0-9a-f-]{36},? ', '', text)
    # How good a bucket is, the hash of a packet, and how stock's classifier works inside.
    text = re.sub(r'(: score |dp_hash\(0x)[0-9a-f]+', r'\1N', text)
    text = re.sub(r', dp-extra-info:\S+', '', text)
    text = without_nd_ext(text)
    # Who keeps flows true, and how many there were.
    text = re.sub(r'\(current \d+\) \(avg \d+\) \(max \d+\)',
                  '(current N) (avg N) (max N)', text)
    text = re.sub(r'^  \d+: \(keys', '  N: (keys', text, flags=re.M)
    text = re.sub(r'used:(never|[0-9.]+s)', 'used:N', text)
    text = re.sub(r'\w\w\w \w\w\w [ \d]\d .*?(OFPT_|NXT_)', r'\1', text)
    text = re.sub(r'[0-9]{4}-[0-9]\d-\d\d \d\d:\d\d:\d\d\.\d+: ', '', text)
    # Stock allocates an id whether the controller will resume the packet or not.
    text = re.sub(r'(controller\(.*?recirc_id=)\d+', r'\1N', text)
    return renumber(text, r'(recirc_id[=(]|recirc\()(0x[0-9a-f]+|\d+)')


def unordered(text):
    """Sorts runs of plain outputs: in which order a flood visits ports is nobody's promise."""
    return re.sub(r'\b\d+(,\d+)+(?=,|$)',
                  lambda m: ','.join(sorted(m.group(0).split(','), key=int)), text, flags=re.M)


class Case:
    def __init__(self, name):
        self.name, self.steps, self.version, self.differs = name, [], 10, None

    def floods(self):
        return any(re.search(r'normal|flood|all', text)
                   for text in [self.name, *(rest for _, rest in self.steps)])

    def words(self):
        return {step[0] for step in self.steps}


def load(path):
    """The cases of one file."""
    cases, case, names = [], None, {}
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip()
            if line.startswith('#'):
                continue
            if line.startswith('let '):
                _, name, text = line.split(None, 2)
                names['$' + name] = text
                continue
            line = re.sub(r'\$\w+', lambda m: names.get(m.group(0), m.group(0)), line)
            if not line:
                case = None
            elif case is None:
                case = Case(line)
                cases.append(case)
            else:
                verb, _, rest = line.strip().partition(' ')
                if verb == 'of':
                    case.version = int(rest)
                elif verb == 'differs':
                    case.differs = rest
                elif verb in ('config', 'flow', 'flow1', 'group', 'meter', 'every', 'try',
                              'trace', 'packet', 'appctl', 'warp'):
                    case.steps.append((verb, rest))
                else:
                    sys.exit(f'{path}:{number}: no step is called {verb}')
    return cases


def both(sides, *args, stdin=None):
    """One program on both sides at once."""
    procs = [subprocess.Popen(args, env=side.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) for side in sides]
    return [p.communicate(stdin, timeout=60)[0].decode(errors='replace') for p in procs]


class Compare:
    """The two sides and the comparison of each answer."""

    def __init__(self, args):
        self.args = args
        self.sides = []
        self.different = []
        self.version, self.floods = '10', False

    def both(self, *args, stdin=None):
        return both(self.sides, *args, stdin=stdin)

    def ofctl(self, *args, stdin=None):
        return self.both('ovs-ofctl', '--timeout=10', '-O', f'OpenFlow{self.version}', *args,
                         stdin=stdin)

    def same(self, what, texts):
        texts = [normal(t) for t in texts]
        if self.floods:
            texts = [unordered(t) for t in texts]
        if 'dump-flows' in what or 'dump-group' in what:
            # Stock's order is by match shapes, which it ranks when it finds the time, and by
            # the hashes of groups' numbers.
            texts = [''.join(sorted(t.splitlines(keepends=True))) for t in texts]
        if self.args.verbose:
            print(f'  {what}\n' + ''.join(f'    {x}\n' for x in texts[0].splitlines()), end='')
        if texts[0] != texts[1]:
            self.different.append((what, texts))

    def settle(self, what, get):
        """An answer that may need a moment: asked again while the sides differ."""
        for _ in range(20):
            texts = [get(side) for side in self.sides]
            if unordered(normal(texts[0])) == unordered(normal(texts[1])):
                break
            time.sleep(0.05)
        self.same(what, texts)

    def step(self, verb, rest):
        if verb == 'config':
            self.same(f'ovs-vsctl {rest}', self.both('ovs-vsctl', *shlex.split(rest)))
        elif verb in ('group', 'meter'):
            self.same(f'add-{verb} {rest}', self.ofctl(f'add-{verb}', 'br0', rest))
        elif verb == 'try':
            words = shlex.split(rest)
            n = next(i for i, word in enumerate(words) if not word.startswith('-'))
            self.same(f'ovs-ofctl {rest}',
                      self.ofctl(*words[:n + 1], 'br0', *words[n + 1:]))
        elif verb == 'trace':
            args = shlex.split(rest)
            if '-generate' in args:
                self.same(f'ofproto/trace br0 {rest}',
                          [s.appctl('ofproto/trace', 'br0', *args) for s in self.sides])
            else:  # deleted flows may be looked at for a moment
                self.settle(f'ofproto/trace br0 {rest}',
                            lambda s: s.appctl('ofproto/trace', 'br0', *args))
        elif verb == 'packet':
            port, packet = rest.split(None, 1)
            self.same(f'receive {rest}',
                      [s.appctl('netdev-dummy/receive', port, packet) for s in self.sides])
            self.settle('datapath flows', flows_of)
        elif verb == 'appctl':
            self.same(rest, [s.appctl(*shlex.split(rest)) for s in self.sides])
        elif verb == 'warp':
            for side in self.sides:
                side.appctl('time/warp', rest, '100')

    def run(self, case):
        self.different = []
        self.floods = case.floods()
        self.version = str(max(case.version, self.args.version))
        for side in self.sides:
            side.sent_skip()
        flows = {'flow': [], 'flow1': []}
        for verb, rest in case.steps + [('end', '')]:
            if verb in flows:
                flows[verb].append(rest)
                continue
            for key, bridge in (('flow', 'br0'), ('flow1', 'br1')):
                if flows[key]:
                    self.same('add-flows', self.ofctl('add-flows', bridge, '-',
                                                      stdin='\n'.join(flows[key]).encode()))
                    flows[key] = []
            self.step(verb, rest)
        words = case.words()
        if 'every' in words:
            self.run_every([rest for verb, rest in case.steps if verb == 'every'])
        if 'packet' in words:
            self.settle('packets sent', lambda s: ''.join(s.sent(p) for p in
                                                          (*PORTS, *PEER_PORTS)))
            self.settle('packet-ins', Side.packet_ins)
        if 'flow' in words or 'try' in words:
            self.same('dump-flows br0', self.ofctl('dump-flows', '--no-stats', 'br0')
                      if 'packet' not in words else self.ofctl('dump-flows', 'br0'))
        if 'group' in words:
            self.same('dump-groups br0', self.ofctl('dump-groups', 'br0'))
            self.same('dump-group-stats br0', self.ofctl('dump-group-stats', 'br0'))
        if 'meter' in words:
            self.same('dump-meters br0', self.ofctl('dump-meters', 'br0'))
        self.clean(words)
        return self.different

    def run_every(self, flows):
        """Each flow in each version, and what each other version makes of it."""
        for version in range(10, 16):
            add = ('ovs-ofctl', '--timeout=10', '-O', f'OpenFlow{version}', 'add-flow', 'br0')
            for priority, flow in enumerate(flows, 1):
                self.same(f'1.{version - 10}: add-flow {flow}',
                          [refusals(text) for text in
                           self.both(*add, f'priority={priority},{flow}')])
            for other in range(10, 16):
                self.same(f'1.{version - 10} as 1.{other - 10}: dump-flows',
                          self.both('ovs-ofctl', '--timeout=10', '-O', f'OpenFlow{other}',
                                    'dump-flows', '--no-stats', 'br0'))
            self.ofctl('del-flows', 'br0')

    def clean(self, words):
        for bridge in ('br0', 'br1') if 'flow1' in words else ('br0',):
            self.ofctl('del-flows', bridge)
        if words & {'group', 'try'}:
            self.ofctl('del-groups', 'br0')
        if words & {'meter', 'try'} and int(self.version) >= 13:
            self.ofctl('del-meters', 'br0')
        for side in self.sides:
            side.appctl('fdb/flush')
            side.appctl('revalidator/purge')
            side.appctl('dpctl/del-flows')
        time.sleep(0.02)  # what was deleted is freed when no packet can be looking at it


def refusals(text):
    """What ovs-ofctl or the switch say to a flow; not how much of the message came back."""
    return ''.join(line + '\n' for line in text.splitlines()
                   if line.startswith(('OFPT_ERROR', 'ovs-ofctl:')))


def flows_of(side):
    lines = without_nd_ext(side.appctl('dpctl/dump-flows')).splitlines()
    return ''.join(sorted(line + '\n' for line in lines if not line.startswith('flow-dump')))


def show(different):
    for what, (ours, stock) in different:
        print(f'  {what}')
        for mark, text in (('-', stock), ('+', ours)):
            other = (ours if text is stock else stock).splitlines()
            for line in text.splitlines():
                print(f'    {mark if line not in other else " "} {line}')
            if text is stock:
                print('    ---')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-d', '--folder', default='.')
    p.add_argument('-O', '--version', type=int, default=10)
    p.add_argument('-k', '--word')
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--stock', default=STOCK)
    p.add_argument('vswitchd')
    p.add_argument('files', nargs='+')
    args = p.parse_args()
    if not os.access(args.stock, os.X_OK):
        print(f'{args.stock} is not installed')
        return 77
    cases = [case for path in args.files for case in load(path)]
    if args.word:
        cases = [c for c in cases if args.word in c.name]
    run = Compare(args)
    bad = told = 0
    try:
        for name, daemon in (('ours', args.vswitchd), ('stock', args.stock)):
            side = Side(f'{os.path.abspath(args.folder)}/{name}', daemon)
            run.sides.append(side)
            side.configure()
        for case in cases:
            if args.verbose:
                print(f'== {case.name}')
            different = run.run(case)
            if different and case.differs:
                told += 1
            elif different:
                bad += 1
                print(f'DIFFERENT: {case.name}')
                show(different)
                sys.stdout.flush()
            elif case.differs and args.version == 10:
                bad += 1
                print(f'NOT DIFFERENT any more: {case.name}')
    finally:
        for side in run.sides:
            side.stop()
    print(f'{len(cases)} cases, {bad} different, {told} on purpose')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
