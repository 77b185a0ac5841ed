# SPDX-License-Identifier: Apache-2.0
"""What openflow-wire.py says to both switches.  The parameter of a scene is its Talk; `wire` is
that module.  Versions are those of the header, 1 (1.0) to 6 (1.5)."""
from struct import pack

wire = None  # set by who loads this
SCENES = []

ARP = ('ffffffffffff5054000000010806000108000604000150540000'
       '00010a0000010000000000000a000002')
IP = '5054000000025054000000010800450000280000000040%s0a0000010a00000203e80050000000000000000050020000a5990000'
TCP = IP % '0666cd'
TCP_TTL_1 = TCP.replace('0000000040', '0000000001')
TCP_OXM = bytes.fromhex('80000a0208008000140106')
TCP_NXM = bytes.fromhex('00000602080000000c0106')


def scene(first=1, last=6):
    def add(function):
        SCENES.append((function, first, last))
        return function
    return add


def want_packets(t, name, flags=0, length=0xffff):
    """Set-config: from then on a service connection hears of things."""
    t.say(name, 9, pack('!HH', flags, length))


def role(t, name, what, generation=0):
    if t.version < 3:
        number = {'equal': 0, 'primary': 1, 'secondary': 2}[what]
        t.vendor(name, 10, pack('!I', number))
    else:
        number = {'same': 0, 'equal': 1, 'primary': 2, 'secondary': 3}[what]
        t.say(name, 24, pack('!I4xQ', number, generation))


def happen(t):
    """One of each thing that connections may hear of."""
    for flow in ('in_port=1,actions=controller(max_len=20)', 'in_port=2,ip,actions=dec_ttl,3',
                 'in_port=3,actions=controller(reason=no_match)'):
        t.ofctl(1, 'add-flow', 'br0', flow)
    t.ofctl(5, 'add-flow', 'br0', 'table=1,cookie=5,send_flow_rem,tcp,idle_timeout=300,actions=2')
    t.ofctl(5, 'add-flow', 'br0', 'table=1,cookie=5,send_flow_rem,arp,actions=2')
    t.ofctl(5, 'add-flow', 'br0', 'table=2,priority=0,actions=controller')
    for port, packet in (('p1', ARP), ('p2', TCP_TTL_1), ('p3', TCP), ('p4', TCP)):
        t.appctl('netdev-dummy/receive', port, packet)
    for where in ('in_port=none', 'in_port=4'):
        for actions in ('controller', 'resubmit(,2)'):
            t.ofctl(1, 'packet-out', 'br0', f'{where},packet={TCP},actions={actions}')
    for change in ('no-flood', 'flood', 'down', 'up'):
        t.ofctl(1, 'mod-port', 'br0', 'p3', change)
    t.vsctl('add-port', 'br0', 'p9', '--', 'set', 'interface', 'p9', 'type=dummy',
            'ofport_request=9')
    t.vsctl('del-port', 'p9')
    t.ofctl(5, 'del-flows', 'br0', 'table=1,arp')
    t.ofctl(5, 'del-flows', 'br0')


def rules_go(t):
    """Rules go with their group, with their meter, to make room, out of a table with vacancy."""
    t.ofctl(5, 'add-group', 'br0', 'group_id=1,type=all,bucket=output:2')
    t.ofctl(5, 'add-flow', 'br0', 'table=3,send_flow_rem,actions=group:1')
    t.ofctl(5, 'del-groups', 'br0', 'group_id=1')
    t.ofctl(5, 'add-meter', 'br0', 'meter=1,pktps,bands=type=drop,rate=1')
    t.ofctl(5, 'add-flow', 'br0', 'table=3,send_flow_rem,actions=meter:1,2')
    t.ofctl(5, 'del-meter', 'br0', 'meter=1')
    t.vsctl('--', '--id=@f', 'create', 'flow_table', 'flow_limit=4', 'overflow_policy=evict',
            '--', 'set', 'bridge', 'br0', 'flow_tables:7=@f')
    t.ofctl(5, 'mod-table', 'br0', '7', 'vacancy:30,60')
    for i in range(6):
        t.ofctl(5, 'add-flow', 'br0', f'table=7,importance={i},in_port={i},actions=2')
    for i in range(6):
        t.ofctl(5, '--strict', 'del-flows', 'br0', f'table=7,in_port={i}')
    t.vsctl('clear', 'bridge', 'br0', 'flow_tables')
    t.ofctl(5, 'mod-table', 'br0', '7', 'novacancy')


@scene()
def service_connection(t):
    """nothing, until it has said how much of packets it wants"""
    t.open('a')
    happen(t)
    want_packets(t, 'a')
    happen(t)
    rules_go(t)


@scene()
def invalid_ttl(t):
    """packets whose TTL ran out, by switch configuration up to 1.2"""
    t.open('a')
    for flags in (4, 0, 4):
        want_packets(t, 'a', flags)
        t.say('a', 7)
    happen(t)


@scene()
def miss_send_len(t):
    """how much of a packet"""
    t.open('a')
    for length in (0, 64, 128, 0xffff):
        want_packets(t, 'a', 0, length)
        t.say('a', 7)
        t.appctl('netdev-dummy/receive', 'p1', ARP)
        t.ofctl(1, 'add-flow', 'br0', 'priority=1,actions=controller(max_len=30)')
        t.appctl('netdev-dummy/receive', 'p1', ARP)
        t.ofctl(1, 'del-flows', 'br0')


@scene()
def packet_in_formats(t):
    """standard, Nicira's two, and one that there is not"""
    t.open('a')
    want_packets(t, 'a')
    for number in range(4):
        t.vendor('a', 16, pack('!I', number))
        happen(t)


@scene()
def continuation(t):
    """a packet that waits: its message is one that everybody can read"""
    t.open('a')
    want_packets(t, 'a')
    t.vendor('a', 16, pack('!I', 2))
    t.ofctl(1, 'add-flow', 'br0', 'in_port=1,actions=load:7->NXM_NX_REG0[],push:NXM_NX_REG0[],'
            'controller(userdata=01.02.03.04.05,pause),pop:NXM_NX_REG1[],resubmit(,2),4')
    t.appctl('netdev-dummy/receive', 'p1', ARP)
    t.vendor('a', 28)
    t.vendor('a', 28, bytes(8))


def property_is(kind, data):
    """An edit for Talk.resume(): the property has that content, or is left out."""
    return lambda properties: [(k, data(d) if k == kind and callable(data) else
                                data if k == kind else d)
                               for k, d in properties if k != kind or data is not None]


def metadata(t, in_port, *fields):
    """The property of a packet-in, with fields of four bytes by their OXM headers."""
    port = pack('!IH', 2, in_port) if t.version < 3 else pack('!II', 0x80000004, in_port)
    return property_is(6, port + b''.join(pack('!II', *f) for f in fields))


REG0, PKT_MARK = 0x00010004, 0x00014204


@scene()
def resumed(t):
    """where a packet goes on that waited for the controller, and with what"""
    t.open('a')
    want_packets(t, 'a')
    t.vendor('a', 16, pack('!I', 2))
    for flow in ('in_port=1,actions=load:7->NXM_NX_REG0[],push:NXM_NX_REG0[],'
                 'load:3->NXM_NX_PKT_MARK[],set_tunnel:6,'
                 'controller(userdata=01.02.03.04.05,pause),pop:NXM_NX_REG1[],'
                 'load:9->OXM_OF_METADATA[],resubmit(,2),4',
                 'table=2,reg0=7,reg1=7,metadata=9,pkt_mark=3,tun_id=6,actions=3',
                 'table=2,reg0=8,reg1=7,metadata=9,actions=2',
                 'table=2,priority=65000,in_port=2,actions=1,2,in_port',
                 'table=2,priority=65000,pkt_mark=4,actions=1,3'):
        t.ofctl(1, 'add-flow', 'br0', flow)
    t.appctl('netdev-dummy/receive', 'p1', ARP)
    for edit in (property_is(99, None), property_is(0, bytes.fromhex(TCP)),
                 *(property_is(kind, None) for kind in range(8)),
                 metadata(t, 1, (REG0, 7)), metadata(t, 1, (REG0, 8)), metadata(t, 2, (REG0, 7)),
                 metadata(t, 1, (REG0, 7), (PKT_MARK, 4)), metadata(t, 99), property_is(6, b'123'),
                 property_is(3, b'\5'), property_is(5, b'\2'), property_is(5, b'\x63'),
                 lambda p: p + [(99, b'')],
                 lambda p: p + [(1, pack('!I', 9999)), (2, pack('!I', 5))]):
        t.resume('a', edit)
    for length in (1, 4, 7, 12):
        t.vendor('a', 28, bytes(length))
    t.ofctl(1, 'mod-flows', 'br0', 'table=2,actions=2,3')
    t.resume('a')
    t.ofctl(1, 'del-flows', 'br0', 'in_port=1')
    t.resume('a')


@scene()
def resumed_often(t):
    """pauses in a row, in clones and other lists, behind changes of headers"""
    t.open('a')
    want_packets(t, 'a')
    t.vendor('a', 16, pack('!I', 2))
    for flow in ('in_port=1,actions=controller(pause),set_field:50:54:00:00:00:09->eth_dst,'
                 'controller(pause),set_field:7->reg3,push_vlan:0x8100,set_field:0x1005->vlan_vid,'
                 'set_field:8->reg4,resubmit(9,0),2',
                 'in_port=2,ip,actions=dec_ttl,clone(controller(pause),1),set_field:99->tcp_dst,3',
                 'in_port=4,actions=controller(pause)',
                 'in_port=9,actions=push_mpls:0x8847,controller(pause,id=0),1'):
        t.ofctl(5, 'add-flow', 'br0', flow)
    for port, packet, n in (('p1', ARP, 4), ('p2', TCP, 1), ('p4', TCP, 1)):
        t.appctl('netdev-dummy/receive', port, packet)
        t.sent(port)
        for _ in range(n):
            t.resume('a')
    t.ofctl(1, 'packet-out', 'br0', f'in_port=none,packet={TCP},actions=dec_ttl,'
            'controller(pause),mod_nw_src:1.2.3.4,1')
    t.resume('a')
    for number in (0, 1):
        t.vendor('a', 16, pack('!I', number))
        t.appctl('netdev-dummy/receive', 'p4', TCP)
        t.appctl('netdev-dummy/receive', 'p1', TCP)


@scene()
def roles(t):
    """primary, secondary, equal; old generations"""
    t.controllers('a', 'b', 'c')
    role(t, 'a', 'primary', 5)
    role(t, 'b', 'secondary', 5)
    happen(t)
    rules_go(t)
    if t.version > 2:
        role(t, 'a', 'same')
    role(t, 'b', 'primary', 4)
    role(t, 'b', 'primary', 6)
    role(t, 'c', 'equal')
    role(t, 'c', 'secondary', 3)
    role(t, 'c', 'secondary', 7)
    if t.version > 2:
        role(t, 'a', 'same')
        t.say('c', 24, pack('!I4xQ', 9, 9))
    happen(t)


@scene()
def nicira_async(t):
    """Nicira's first configuration of asynchronous messages"""
    t.controllers('a', 'b')
    role(t, 'b', 'secondary', 5)
    t.vendor('a', 19, bytes(24))
    t.vendor('b', 19, pack('!6I', 7, 7, 7, 7, 7, 7))
    happen(t)
    rules_go(t)
    t.vendor('a', 19, pack('!6I', 4, 0, 5, 0, 1, 0))
    happen(t)
    rules_go(t)


def prop(kind, mask):
    return pack('!HHI', kind, 8, mask)


@scene(4)
def standard_async(t):
    """the configuration of asynchronous messages from 1.3 on"""
    t.controllers('a', 'b', 'c')
    t.say('a', 26)
    if t.version == 4:
        t.say('a', 28, pack('!6I', 1, 2, 5, 1, 8, 4))
        t.say('b', 28, pack('!6I', *[0xffffffff] * 6))
    else:
        t.say('a', 28, prop(1, 1) + prop(0, 2) + prop(3, 5) + prop(5, 8) + prop(9, 0x18))
        for kind, mask in ((12, 3), (20, 1), (1, 0xff), (3, 8), (9, 0xff), (11, 0xff), (5, 0x3f)):
            t.say('a', 28, prop(kind, mask))
        t.say('a', 28, pack('!HHIII', 0xfffe, 12, wire.NICIRA, 0, 0))
        t.say('a', 28, pack('!HHHH', 1, 6, 0, 0))
        masks = (0x3f, 7, 0x3f, 7, 0x18, 0)
        t.say('b', 28, b''.join(prop(i, masks[i // 2]) for i in range(12)))
    for name in 'ab':
        t.say(name, 26)
    happen(t)
    rules_go(t)
    role(t, 'c', 'primary', 1)
    for name in 'abc':
        t.say(name, 26)
    happen(t)


@scene(5)
def forwarded(t):
    """requests of others"""
    t.open('a')
    want_packets(t, 'a')
    t.say('a', 28, prop(11, 3))
    for args in (('add-group', 'br0', 'group_id=1,type=all,bucket=output:2'),
                 ('mod-group', 'br0', 'group_id=1,type=all,bucket=output:3'),
                 ('add-group', 'br0', 'group_id=1,type=all,bucket=output:3'),
                 ('del-groups', 'br0', 'group_id=1'),
                 ('add-meter', 'br0', 'meter=1,pktps,bands=type=drop,rate=1'),
                 ('mod-meter', 'br0', 'meter=1,pktps,bands=type=drop,rate=2'),
                 ('del-meter', 'br0', 'meter=1')):
        t.ofctl(t.version, *args)


@scene()
def eviction(t):
    """a full table makes room since controllers want it to"""
    t.open('a')
    want_packets(t, 'a')
    t.vsctl('--', '--id=@f', 'create', 'flow_table', 'flow_limit=3', '--', 'set', 'bridge', 'br0',
            'flow_tables:7=@f')
    t.ofctl(5, 'mod-table', 'br0', '7', 'evict')
    for i, (importance, timeout) in enumerate(((5, 0), (3, 0), (4, 100), (4, 50), (1, 0), (4, 200),
                                               (4, 300), (9, 1), (9, 0))):
        t.ofctl(5, 'add-flow', 'br0', f'table=7,send_flow_rem,importance={importance},'
                f'hard_timeout={timeout},in_port={i},actions=2')
    t.ofctl(5, 'mod-table', 'br0', '7', 'noevict')
    t.ofctl(5, 'add-flow', 'br0', 'table=7,send_flow_rem,in_port=44,actions=2')
    t.vsctl('--', '--id=@f', 'create', 'flow_table', 'flow_limit=3', 'overflow_policy=evict', '--',
            'set', 'bridge', 'br0', 'flow_tables:7=@f')
    t.stats('a', 14)  # eviction by the database is not shown there
    t.vsctl('clear', 'bridge', 'br0', 'flow_tables')


INITIAL, ADD, DELETE, MODIFY, ACTIONS = 1, 2, 4, 8, 16


def oxm(fields):
    return pack('!HH', 1, 4 + len(fields)) + fields + bytes(-(4 + len(fields)) % 8)


def monitor(t, name, number, flags, own=False, table=0xff, port=None, group=0xffffffff, tcp=False,
            command=0):
    """A flow monitor in the version's form."""
    match = b'' if not tcp else TCP_NXM if t.version < 4 else TCP_OXM
    if t.version < 4:
        flags |= 32 if own else 0
        body = pack('!IHHHB5x', number, flags, 0xffff if port is None else port & 0xffff,
                    len(match), table) + match + bytes(-len(match) % 8)
        t.stats(name, 0xffff, pack('!II', wire.NICIRA, 2) + bytes(4 if t.version == 1 else 0) +
                body)
        return
    flags |= 64 if own and t.version > 4 else 32 if own else 0
    port = 0xffffffff if port is None else port
    if t.version == 4:
        t.stats(name, 0xffff, pack('!IIIHHIB3x', wire.ONF, 1870, number, flags, 4 + len(match),
                                   port, table) + oxm(match))
    else:
        t.stats(name, 16, pack('!IIIHBB', number, port, group, flags, table, command) + oxm(match))


def flows_change(t, own=None):
    add, mod, delete = 'add-flow', 'mod-flows', 'del-flows'
    for flow in ('cookie=1,priority=7,tcp,actions=2', 'cookie=1,priority=7,tcp,actions=3',
                 'cookie=2,priority=7,tcp,actions=3', 'cookie=2,priority=7,tcp,actions=3',
                 'table=3,cookie=3,udp,idle_timeout=20,hard_timeout=30,actions=2,3',
                 'table=3,cookie=3,arp,actions=load:1->NXM_NX_REG0[],1'):
        t.ofctl(t.version, add, 'br0', flow)
    for flow in ('tcp,actions=2', 'tcp,actions=2', 'cookie=9,ip,actions=2', 'udp,actions=4'):
        t.ofctl(t.version, mod, 'br0', flow)
    t.ofctl(t.version, '--strict', mod, 'br0', 'priority=7,tcp,actions=4')
    t.ofctl(5, 'add-group', 'br0', 'group_id=1,type=all,bucket=output:2')
    t.ofctl(5, add, 'br0', 'table=3,ip,actions=group:1')
    t.ofctl(5, 'mod-group', 'br0', 'group_id=1,type=all,bucket=output:3')
    t.ofctl(5, 'del-groups', 'br0', 'group_id=1')
    t.ofctl(5, '--bundle', add, 'br0', 'table=8,actions=5')
    # Twice the same, a change of nothing, a deletion: by a connection that has a monitor.
    for command, xid in ((0, 0x77), (0, 0x78), (1, 0x79), (3, 0x7a)) if own else ():
        if t.version == 1:
            t.say(own, 14, pack('!I36xQHHHHIHH', 0x3fffff, 1, command, 0, 0, 5, 0xffffffff, 0xffff,
                                0), xid)
        elif t.version > 2:
            t.say(own, 14, pack('!QQBBHHHIIIHxx', 1, 0, 0xff if command == 3 else 0, command, 0, 0,
                                5, *[0xffffffff] * 3, 0) + oxm(TCP_OXM), xid)
    t.ofctl(t.version, delete, 'br0', 'table=3')
    t.ofctl(t.version, delete, 'br0')


@scene()
def monitors(t):
    """flow monitors: what there is, what changes, own changes in full and not"""
    for flags, own in ((INITIAL | ADD | DELETE | MODIFY | ACTIONS, True),
                       (INITIAL | ADD | DELETE | MODIFY | ACTIONS, False),
                       (ADD | DELETE | MODIFY, True), (ADD | ACTIONS, False),
                       (DELETE, False), (MODIFY | ACTIONS, True)):
        t.open('a')
        t.ofctl(1, 'add-flow', 'br0', 'table=2,cookie=0x55,ip,idle_timeout=50,hard_timeout=60,'
                'actions=2')
        if t.version == 4:
            own = False  # stock has no flag for it
        monitor(t, 'a', 1, flags, own)
        flows_change(t, 'a')


@scene()
def monitors_of_some(t):
    """flow monitors of a table, of what goes to a port or a group, of a match; several"""
    everything = INITIAL | ADD | DELETE | MODIFY | ACTIONS
    for which in ({'table': 3}, {'port': 2}, {'tcp': True}, {'port': 3, 'table': 3},
                  {'port': 0xfffffffd}, {'group': 1}):
        t.open('a')
        monitor(t, 'a', 1, everything, **which)
        flows_change(t)
    t.open('a')
    monitor(t, 'a', 1, ADD | DELETE | MODIFY | ACTIONS, table=3)
    monitor(t, 'a', 2, ADD | DELETE | MODIFY, table=0)
    flows_change(t)
    if t.version < 5:
        for number in (1, 1):
            if t.version < 4:
                t.vendor('a', 21, pack('!I', number))
            else:
                t.vendor('a', 1870, pack('!I', number), wire.ONF)
    elif t.version > 4:
        monitor(t, 'a', 1, everything, table=5, command=1)
        monitor(t, 'a', 2, 0, command=2)
    flows_change(t)


@scene()
def monitors_of_what_packets_do(t):
    """flow monitors: flows learned, refreshed, overwritten, and gone by themselves"""
    t.open('a')
    monitor(t, 'a', 1, INITIAL | ADD | DELETE | MODIFY | ACTIONS, t.version != 4)
    learn = 'learn(table=%s,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])'
    for flow in ('in_port=1,actions=' + learn % '5,cookie=7,idle_timeout=20',
                 'in_port=2,actions=' + learn % '6,cookie=8,hard_timeout=30,delete_learned',
                 'in_port=3,ip,actions=' + learn % '7,hard_timeout=9,fin_hard_timeout=2,priority=9',
                 'table=3,cookie=0x30,udp,idle_timeout=5,hard_timeout=15,actions=2',
                 'table=3,cookie=0x31,arp,hard_timeout=15,actions=3'):
        t.ofctl(1, 'add-flow', 'br0', flow)
    for port, packet in (('p1', ARP), ('p1', ARP), ('p2', TCP), ('p3', TCP)):
        t.appctl('netdev-dummy/receive', port, packet)
    t.appctl('revalidator/wait')
    t.ofctl(1, 'mod-flows', 'br0', 'table=7,actions=4')
    for ms in (7000, 9000, 6000):
        t.warp(ms)
    t.ofctl(1, '--strict', 'del-flows', 'br0', 'in_port=2')
    t.warp(15000)


@scene()
def monitors_of_the_slow(t):
    """flow monitors: who does not read is paused, and told later what it missed"""
    t.open('a')
    monitor(t, 'a', 1, ADD | DELETE | MODIFY | ACTIONS)
    for n in range(8):
        t.ofctl(1, 'add-flow', 'br0', f'table=1,priority={n},cookie={n},actions=2')
    t.warp(500)
    stalled = t.stall('a')
    note = 'ab' * 600
    t.flows('add-flows', [f'priority={n},cookie=1,actions=note:{note}' for n in range(2000)])
    t.warp(500)
    t.flows('add-flows', [f'table=9,priority={n},cookie=9,actions=2' for n in range(9)])
    for command, flow in (('mod-flows', 'table=1,cookie=5/-1,actions=3'),
                          ('mod-flows', 'table=1,cookie=6/-1,actions=3'),
                          ('del-flows', 'table=1,cookie=6/-1'),
                          ('del-flows', 'table=1,cookie=7/-1')):
        t.ofctl(1, command, 'br0', flow)
    t.ofctl(1, '--strict', 'del-flows', 'br0', 'table=9,priority=4')
    t.ofctl(1, 'add-flow', 'br0', 'table=1,priority=7,actions=4')
    t.read_all('a', stalled)
    t.ofctl(1, 'del-flows', 'br0', 'table=1')


@scene(4)
def bundles(t):
    """bundles: order of requests, flags, what they hold"""
    t.open('a')

    def control(number, kind, flags=1):
        body = pack('!IHH', number, kind, flags)
        if t.version > 4:
            t.say('a', 33, body)
        else:
            t.vendor('a', 2300, body, wire.ONF)

    def hold(number, held, flags=1, xid=0x1234):
        body = pack('!IHH', number, 0, flags) + held
        if t.version > 4:
            t.say('a', 34, body, xid)
        else:
            t.vendor('a', 2301, body, wire.ONF)

    def flow(table=0, actions=b'', xid=0x1234):
        return wire.message(t.version, 14, pack('!QQBBHHHIIIHxx', 1, 0, table, 0, 0, 0, 5,
                                                *[0xffffffff] * 3, 0) + oxm(TCP_OXM) + actions, xid)
    opened, closed, commit, discard = 0, 2, 4, 6
    for flags in range(4):
        control(1, opened, flags)
        hold(1, flow(), flags)
        for request in (closed, commit, discard):
            control(1, request, flags)
    for requests in ((opened, opened, commit), (opened, closed, closed), (discard,), (commit,),
                     (closed,), (opened, commit, commit), (opened, discard, commit)):
        for request in requests:
            control(2, request)
    control(3, opened)
    control(3, commit, 0)
    control(4, opened)
    hold(4, flow(), 0)
    control(4, commit)
    hold(5, flow())
    control(5, commit)
    hold(6, flow(0, b'', 0x999))
    control(6, discard)
    control(7, opened)
    for held in (wire.message(t.version, 2), wire.message(t.version, 5), wire.message(t.version, 20),
                 flow()[:20]):
        hold(7, held)
    control(7, commit)
    control(8, opened)
    hold(8, flow(0, pack('!HH4xHHIH6x', 4, 24, 0, 16, 0xfffffff9, 0)))
    hold(8, flow(254))
    control(8, commit)
    t.ofctl(t.version, 'dump-flows', 'br0')


@scene()
def no_messages(t):
    """bytes that mean nothing, or nothing here"""
    t.open('a')
    for kind in (6, 10, 11, 12, 19, 30, 31, 32, 35, 36, 99):
        t.say('a', kind)
    t.raw('a', wire.message(7 - t.version, 2))  # an echo is one in every version
    for vendor, subtype in ((0x1234, 1), (wire.NICIRA, 999), (wire.ONF, 1)):
        t.vendor('a', subtype, b'', vendor)
        if vendor != wire.ONF or t.version > 3:
            t.stats('a', 0xffff, pack('!III', vendor, subtype, 0))
    t.say('a', 4)
    t.stats('a', 99)
    # More to come was nothing that requests could say before 1.3.
    t.stats('a', 0, flags=1)
    if t.version > 3:
        t.stats('a', 0)


@scene(3)
def deletion_with_buffer(t):
    """what is deleted needs no packet"""
    t.open('a')
    t.ofctl(t.version, 'add-flow', 'br0', 'tcp,actions=2')
    for command in (3, 4):
        t.say('a', 14, pack('!QQBBHHHIIIHxx', 0, 0, 0, command, 0, 0, 5, 7, *[0xffffffff] * 2, 0) +
              oxm(TCP_OXM))
    t.ofctl(t.version, 'dump-flows', 'br0')
    t.say('a', 14, pack('!QQBBHHHIIIHxx', 0, 0, 0, 0, 0, 0, 5, 7, *[0xffffffff] * 2, 0) +
          oxm(TCP_OXM))


@scene(3)
def watched_ports(t):
    """a bucket cannot watch what is no port"""
    t.open('a')
    if t.version < 6:
        bucket = pack('!HHIIxxxx', 16, 0, 0x80000002, 0xffffffff)
        t.say('a', 15, pack('!HBxI', 0, 3, 9) + bucket)


def flow_mod(t, command, rest):
    """Of all flows, with what stands behind the match."""
    if t.version == 1:
        body = pack('!I36xQHHHHIHH', 0x3fffff, 0, command, 0, 0, 5, 0xffffffff, 0xffff, 0)
    else:
        body = pack('!QQBBHHHIIIHxx', 0, 0, 0, command, 0, 0, 5, *[0xffffffff] * 3, 0)
        body += oxm(b'') if t.version > 2 else pack('!HHII', 0, 88, 0, 0x3ff) + b'\xff' * 24 + \
            bytes(8) + b'\xff' * 4 + bytes(0) + b'\xff' * 12 + bytes(12) + b'\xff' * 16
    t.say('a', 14, body + rest)


@scene()
def refused_late(t):
    """what is wrong behind what is wrong, or not needed"""
    t.open('a')
    out = (lambda port: pack('!HHHH', 0, 8, port, 0)) if t.version == 1 else \
        (lambda port: pack('!HHIH6x', 0, 16, port | (0xffff0000 if port > 0xff00 else 0), 0))
    lists = [out(2), out(0xfff1), out(0xffff), pack('!HH4x', 0x99, 8), pack('!HH4x', 0, 7),
             pack('!HH4x', 0, 24), pack('!HHHH', 0x15, 8, 0, 0), bytes(3), bytes(8)]
    if t.version > 2:
        lists.append(pack('!HHIHxxI', 25, 16, 0x80001c02, 80, 0))
    for actions in lists:
        for command in (3, 4):
            if t.version == 1:
                flow_mod(t, command, actions)
            else:
                flow_mod(t, command, pack('!HH4x', 4, 8 + len(actions)) + actions)
                flow_mod(t, command, actions)
    for rest in () if t.version == 1 else (
            pack('!HHI', 1, 8, 0), pack('!HHI', 1, 8, 0xfe000000), pack('!HHB3x', 1, 8, 0),
            pack('!HHI', 5, 8, 0) * 2, pack('!HHI', 9, 8, 0), pack('!HHII', 0xffff, 12, 5, 5),
            *([pack('!HHI', 6, 8, 99)] if t.version > 3 else [])):
        for command in (3, 4):
            flow_mod(t, command, rest)
    t.ofctl(t.version, 'dump-flows', 'br0')
    t.ofctl(5, 'add-group', 'br0', 'group_id=1,type=all,bucket=output:2')

    def group_mod(command, number, actions, kind=0):
        bucket = pack('!HHIIxxxx', 16 + len(actions), 0, *[0xffffffff] * 2) + actions
        body = pack('!HBxI', command, kind, number)
        if t.version in (1, 6):
            bucket = pack('!HHI', 8 + len(actions), len(actions), 0) + actions
            body += pack('!HxxI', len(bucket), 0xffffffff)
        if t.version == 1:
            t.vendor('a', 31, body + bucket)
        else:
            t.say('a', 15, body + bucket)
    for actions in lists:
        for command, number in ((0, 1), (1, 1), (1, 7), (2, 1), (9, 1), (0, 0xffffff01)):
            group_mod(command, number, actions + bytes(-len(actions) % 8))
        group_mod(0, 1, actions + bytes(-len(actions) % 8), 9)
    t.ofctl(5, 'dump-groups', 'br0')


@scene()
def queues(t):
    """queues of ports, which have none"""
    t.open('a')
    top = 0 if t.version == 1 else 0xffff0000
    # Dummies have a queue 0 there; of numbers above 65279: Documentation/compatibility.md.
    reserved = (top | port for port in (0xfff8, 0xfff9, 0xfffc, 0xfffd, 0xfffe, 0xffff))
    for port in (1, 99, 0xfeff, *reserved):
        narrow = pack('!Hxx', port) if t.version == 1 else pack('!I', port)
        if port != 1 and (t.version == 1 or port != 0xffffffff):
            t.say('a', 20 if t.version == 1 else 22, narrow + (b'' if t.version == 1 else bytes(4)))
        for queue in (5, 0xfffffffe):
            t.stats('a', 5, narrow + pack('!I', queue))
            if t.version > 4:
                t.stats('a', 15, narrow + pack('!I', queue))
    for rest in (b'', bytes(1), bytes(4), bytes(16)):
        t.say('a', 20 if t.version == 1 else 22, rest)
        t.stats('a', 5, rest)
        t.stats('a', 15, rest)


FRAGMENTS = [TCP.replace('00280000000040', f'00280000{bits}40')
             for bits in ('0000', '2000', '2005', '0005', '4000', '8000')]
V6 = ('50540000000250540000000186dd600000000018%s4020010db8000000000000000000000001'
      '20010db8000000000000000000000002%s03e80050000000000000000050020000a5990000')
FRAGMENTS_6 = [V6.replace('0018', '001c') % ('2c', '0600%s00000001' % bits)
               for bits in ('0000', '0001', '0028', '0029')]


@scene()
def fragments(t):
    """what becomes of fragments, in each mode"""
    t.open('a')
    for flow in ('tcp,tp_src=1000,actions=2', 'tcp,tp_src=0,actions=3', 'priority=1,actions=4',
                 'priority=60000,ip,nw_frag=first,tcp,tp_dst=80,actions=2,3',
                 'priority=50000,ip,nw_frag=later,actions=3,4',
                 'tcp6,tp_src=1000,actions=2', 'tcp6,tp_src=0,actions=3'):
        t.ofctl(1, 'add-flow', 'br0', 'in_port=1,' + flow)
    for mode in (0, 1, 2, 3, 8, 0x100, 3, 2, 0):
        want_packets(t, 'a', mode)
        t.say('a', 7)
        if mode > 3:
            continue
        for packet in FRAGMENTS + FRAGMENTS_6:
            t.appctl('netdev-dummy/receive', 'p1', packet)
        t.sent(f'fragments in mode {mode}')
        t.appctl('revalidator/wait')
        t.ofctl(1, 'dump-flows', 'br0')
        t.appctl('ofproto/trace', 'br0', 'in_port=1,tcp,nw_frag=first,tp_src=1000')
        t.appctl('ofproto/trace', 'br0', 'in_port=1,tcp,nw_frag=later')
    t.say('a', 9, bytes(3))
    t.say('a', 9, bytes(5))
    t.say('a', 7, bytes(1))
