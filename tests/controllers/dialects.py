# SPDX-License-Identifier: Apache-2.0
"""What the learning switch has to say, in each OpenFlow version that os-ken speaks.

A Dialect belongs to one connection (a datapath of os-ken) and builds messages for it; it sends
none, and knows nothing of what the switch has learned.  Used by learning_switch.py.
"""
import types

FLOOD_GROUP, PAIR_GROUP = 1, 2
METER = 1
COOKIE = 0xc0ffee


class Dialect10:
    """OpenFlow 1.0: one table, actions in flows, fixed matches."""

    learned_table = 0
    groups = meters = False

    def __init__(self, datapath):
        self.dp = datapath
        self.of = datapath.ofproto
        self.msg = datapath.ofproto_parser

    def match(self, in_port=None, src=None, dst=None):
        return self.msg.OFPMatch(in_port=in_port, dl_src=src, dl_dst=dst)

    def output(self, port):
        return self.msg.OFPActionOutput(port, 0xffff)

    def flow(self, match, actions, **more):
        more.setdefault('cookie', COOKIE)
        return self.msg.OFPFlowMod(self.dp, match=match, actions=actions, **more)

    def learned(self, match, port, idle):
        """The flow for what goes from one known host to another."""
        return self.flow(match, [self.output(port)], command=self.of.OFPFC_ADD, priority=100,
                         idle_timeout=idle, flags=self.of.OFPFF_SEND_FLOW_REM)

    def forget(self, match):
        """Deletes the flows that this match includes."""
        return self.flow(match, [], command=self.of.OFPFC_DELETE)

    def flood(self):
        return [self.output(self.of.OFPP_FLOOD)]

    def packet_out(self, in_port, actions, data, buffer_id=None):
        return self.msg.OFPPacketOut(self.dp, buffer_id=self.of.OFP_NO_BUFFER
                                     if buffer_id is None else buffer_id,
                                     in_port=in_port, actions=actions, data=data)

    def begin(self, _ports):
        """An empty switch that sends whole packets."""
        return [self.forget(self.match()), self.msg.OFPSetConfig(self.dp, 0, 0xffff)]

    def port_mod(self, port, down):
        bit = self.of.OFPPC_PORT_DOWN
        return self.msg.OFPPortMod(self.dp, port.port_no, port.hw_addr, bit if down else 0, bit, 0)

    def queues_of(self, port):
        return self.msg.OFPQueueGetConfigRequest(self.dp, port)

    def role(self, name, _generation):
        return self.msg.NXTRoleRequest(self.dp, {'equal': 0, 'master': 1, 'slave': 2}[name])

    def questions(self):
        """Name -> request, of all that can be asked."""
        m, dp, none = self.msg, self.dp, self.of.OFPP_NONE
        everything = self.match()
        return {
            'features': m.OFPFeaturesRequest(dp),
            'config': m.OFPGetConfigRequest(dp),
            'desc': m.OFPDescStatsRequest(dp, 0),
            'flows': m.OFPFlowStatsRequest(dp, 0, everything, 0xff, none),
            'aggregate': m.OFPAggregateStatsRequest(dp, 0, everything, 0xff, none),
            'tables': m.OFPTableStatsRequest(dp, 0),
            'port-stats': m.OFPPortStatsRequest(dp, 0, none),
            'queue-stats': m.OFPQueueStatsRequest(dp, 0, self.of.OFPP_ALL, self.of.OFPQ_ALL),
            'queues': self.queues_of(1),
        }

    def mistakes(self):
        """Name -> request that the switch must refuse."""
        m, dp = self.msg, self.dp
        unknown = types.SimpleNamespace(port_no=77, hw_addr='02:00:00:00:00:77')
        return {
            'port': self.flow(self.match(in_port=1), [self.output(0xff01)]),
            'buffer': self.packet_out(1, self.flood(), None, 7),
            'overlap': self.flow(self.match(), [], priority=100,
                                 flags=self.of.OFPFF_CHECK_OVERLAP),
            'command': self.flow(self.match(), [], command=99),
            'port-mod': self.port_mod(unknown, True),
            'queues': self.queues_of(77),
        }


class Dialect12(Dialect10):
    """OpenFlow 1.2: extensible matches, instructions, tables, groups."""

    learned_table = 1
    groups = True

    def match(self, in_port=None, src=None, dst=None):
        fields = {'in_port': in_port, 'eth_src': src, 'eth_dst': dst}
        return self.msg.OFPMatch(**{k: v for k, v in fields.items() if v is not None})

    def apply(self, actions):
        return self.msg.OFPInstructionActions(self.of.OFPIT_APPLY_ACTIONS, actions)

    def flow(self, match, actions, instructions=None, **more):
        more.setdefault('table_id', self.learned_table)
        more.setdefault('out_port', self.of.OFPP_ANY)
        more.setdefault('out_group', self.of.OFPG_ANY)
        more.setdefault('cookie', COOKIE)
        if instructions is None:
            instructions = [self.apply(actions)] if actions else []
        return self.msg.OFPFlowMod(self.dp, match=match, instructions=instructions, **more)

    def forget(self, match):
        return self.flow(match, [], command=self.of.OFPFC_DELETE, cookie_mask=0xffffffffffffffff)

    def flood(self):
        return [self.msg.OFPActionGroup(FLOOD_GROUP)]

    def bucket(self, actions, weight=0):
        return self.msg.OFPBucket(weight, self.of.OFPP_ANY, self.of.OFPG_ANY, actions)

    def group(self, command, kind, group_id, buckets):
        return self.msg.OFPGroupMod(self.dp, command, kind, group_id, buckets=buckets)

    def flood_group(self, command, ports):
        return self.group(command, self.of.OFPGT_ALL, FLOOD_GROUP,
                          [self.bucket([self.output(port)]) for port in sorted(ports)])

    def pair(self, ports):
        """Two ports share what goes to one address: a group, and the flow into it."""
        buckets = [self.bucket([self.output(port)], weight) for weight, port in enumerate(ports, 1)]
        return [self.group(self.of.OFPGC_ADD, self.of.OFPGT_SELECT, PAIR_GROUP, buckets),
                self.flow(self.match(dst='02:00:00:00:00:99'),
                          [self.msg.OFPActionGroup(PAIR_GROUP)], priority=200)]

    def begin(self, ports):
        """Table 0 marks what comes in, table 1 knows where hosts are, or asks."""
        m, of = self.msg, self.of
        mark = [m.OFPInstructionWriteMetadata(1, 0xff), m.OFPInstructionGotoTable(1)]
        return [self.flow(self.match(), [], command=of.OFPFC_DELETE, table_id=of.OFPTT_ALL),
                self.group(of.OFPGC_DELETE, of.OFPGT_ALL, of.OFPG_ALL, []),
                m.OFPSetConfig(self.dp, 0, 0xffff),
                self.flood_group(of.OFPGC_ADD, ports),
                self.flow(self.match(), [], mark, table_id=0, priority=0, cookie=1),
                self.flow(self.match(), [self.output(of.OFPP_CONTROLLER)], priority=0,
                          cookie=1)]

    def role(self, name, generation):
        numbers = {'equal': self.of.OFPCR_ROLE_EQUAL, 'master': self.of.OFPCR_ROLE_MASTER,
                   'slave': self.of.OFPCR_ROLE_SLAVE, 'nochange': self.of.OFPCR_ROLE_NOCHANGE}
        return self.msg.OFPRoleRequest(self.dp, role=numbers[name], generation_id=generation)

    def questions(self):
        m, dp, of = self.msg, self.dp, self.of
        return {
            'features': m.OFPFeaturesRequest(dp),
            'config': m.OFPGetConfigRequest(dp),
            'role': self.role('nochange', 0),
            'desc': m.OFPDescStatsRequest(dp, 0),
            'flows': m.OFPFlowStatsRequest(dp),
            'aggregate': m.OFPAggregateStatsRequest(
                dp, table_id=of.OFPTT_ALL, out_port=of.OFPP_ANY, out_group=of.OFPG_ANY, cookie=0,
                cookie_mask=0, match=self.match(), flags=0),
            'tables': m.OFPTableStatsRequest(dp, flags=0),
            'port-stats': m.OFPPortStatsRequest(dp, flags=0, port_no=of.OFPP_ANY),
            'queue-stats': m.OFPQueueStatsRequest(dp),
            'queues': self.queues_of(1),
            'groups': m.OFPGroupStatsRequest(dp),
            'group-desc': m.OFPGroupDescStatsRequest(dp),
            'group-features': m.OFPGroupFeaturesStatsRequest(dp),
        }

    def mistakes(self):
        m, of = self.msg, self.of
        wrong = super().mistakes()
        wrong.update({
            'group': self.flow(self.match(in_port=1), [m.OFPActionGroup(999)]),
            'table': self.flow(self.match(in_port=1), [], table_id=254),
            'prerequisite': self.flow(m.OFPMatch(tcp_dst=80), []),
            'mask': self.flow(m.OFPMatch(eth_type=0x800, ipv4_dst=('10.0.0.1', '255.0.0.0')), []),
            'goto': self.flow(self.match(in_port=1), [], [m.OFPInstructionGotoTable(0)]),
            'group-again': self.flood_group(of.OFPGC_ADD, []),
            'group-unknown': self.group(of.OFPGC_MODIFY, of.OFPGT_ALL, 999, []),
            'group-loop': self.group(of.OFPGC_ADD, of.OFPGT_ALL, 3,
                                 [self.bucket([m.OFPActionGroup(3)])]),
            'experimenter': m.OFPExperimenter(self.dp, 0x00badbad, 1, b''),
        })
        return wrong

    def port_mod(self, port, down):
        bit = self.of.OFPPC_PORT_DOWN
        return self.msg.OFPPortMod(self.dp, port.port_no, port.hw_addr, bit if down else 0, bit, 0)


class Dialect13(Dialect12):
    """OpenFlow 1.3: meters, asynchronous configuration, table features."""

    meters = True

    def metered(self, actions):
        return [self.msg.OFPInstructionMeter(METER), self.apply(actions)]

    def learned(self, match, port, idle):
        return self.flow(match, None, self.metered([self.output(port)]), priority=100,
                         idle_timeout=idle, flags=self.of.OFPFF_SEND_FLOW_REM)

    def meter(self, command, flags, rate, meter_id=METER):
        bands = [self.msg.OFPMeterBandDrop(rate=rate, burst_size=rate)] if rate else []
        return self.msg.OFPMeterMod(self.dp, command, flags, meter_id, bands)

    def begin(self, ports):
        of = self.of
        flags = of.OFPMF_PKTPS | of.OFPMF_BURST | of.OFPMF_STATS
        return [self.meter(of.OFPMC_DELETE, 0, 0, of.OFPM_ALL),
                *super().begin(ports), self.meter(of.OFPMC_ADD, flags, 1000000)]

    def listen(self, packets):
        """Which events this controller wants: all, or no packets and no removed flows."""
        wanted = [7, 7] if packets else [0, 0]
        return self.msg.OFPSetAsync(self.dp, wanted, [7, 7], [15, 15] if packets else [0, 0])

    def questions(self):
        m, dp = self.msg, self.dp
        asked = super().questions()
        asked.update({
            'table-features': m.OFPTableFeaturesStatsRequest(dp, 0),
            'port-desc': m.OFPPortDescStatsRequest(dp, 0),
            'meters': m.OFPMeterStatsRequest(dp),
            'meter-features': m.OFPMeterFeaturesStatsRequest(dp),
            'async': m.OFPGetAsyncRequest(dp),
            **self.meter_description(),
        })
        return asked

    def meter_description(self):
        return {'meter-desc': self.msg.OFPMeterConfigStatsRequest(self.dp)}

    def mistakes(self):
        of = self.of
        wrong = super().mistakes()
        wrong.update({
            'meter-again': self.meter(of.OFPMC_ADD, of.OFPMF_PKTPS, 10),
            'meter-unknown': self.meter(of.OFPMC_MODIFY, of.OFPMF_PKTPS, 10, 999),
            'meter-flags': self.meter(of.OFPMC_ADD, of.OFPMF_PKTPS | of.OFPMF_KBPS, 10, 4),
            'meter-number': self.meter(of.OFPMC_ADD, of.OFPMF_PKTPS, 10, 0xffffff00),
        })
        return wrong

    # Bundles: ONF's extension of 1.3, a part of the protocol later.
    def bundle_control(self, bundle, kind):
        kinds = {'open': 0, 'close': 2, 'commit': 4, 'discard': 6}
        return self.msg.ONFBundleCtrlMsg(self.dp, bundle, kinds[kind], 1, [])

    def bundle_add(self, bundle, message):
        return self.msg.ONFBundleAddMsg(self.dp, bundle, 1, message, [])


class Dialect14(Dialect13):
    """OpenFlow 1.4: properties, bundles, monitors."""

    def port_mod(self, port, down):
        bit = self.of.OFPPC_PORT_DOWN
        return self.msg.OFPPortMod(self.dp, port.port_no, port.hw_addr, bit if down else 0, bit, [])

    def listen(self, packets):
        of = self.of
        masks = {of.OFPACPT_PACKET_IN_MASTER: 0x3f if packets else 0,
                 of.OFPACPT_FLOW_REMOVED_MASTER: 0x3f if packets else 0}
        return self.msg.OFPSetAsync(self.dp, [
            self.msg.OFPAsyncConfigPropReasons(kind, 8, mask) for kind, mask in masks.items()])

    def hear_requests(self):
        """To be told of others' changes of groups and meters."""
        kind = self.of.OFPACPT_REQUESTFORWARD_MASTER
        return self.msg.OFPSetAsync(self.dp, [self.msg.OFPAsyncConfigPropReasons(kind, 8, 3)])

    def queues_of(self, port):
        return self.msg.OFPQueueDescStatsRequest(self.dp, 0, port)

    def monitor(self, number):
        """The flows there are.  Of later events os-ken cannot read most."""
        of = self.of
        return self.msg.OFPFlowMonitorRequest(
            self.dp, 0, number, of.OFPP_ANY, of.OFPG_ANY,
            of.OFPFMF_INITIAL | of.OFPFMF_INSTRUCTIONS, self.learned_table, of.OFPFMC_ADD,
            self.match())

    def questions(self):
        m, dp = self.msg, self.dp
        asked = super().questions()
        asked['table-desc'] = m.OFPTableDescStatsRequest(dp, 0)
        return asked

    def mistakes(self):
        wrong = super().mistakes()
        wrong['bundle-unknown'] = self.bundle_control(99, 'commit')
        return wrong

    def bundle_control(self, bundle, kind):
        kinds = {'open': 0, 'close': 2, 'commit': 4, 'discard': 6}
        return self.msg.OFPBundleCtrlMsg(self.dp, bundle, kinds[kind], self.of.OFPBF_ATOMIC, [])

    def bundle_add(self, bundle, message):
        return self.msg.OFPBundleAddMsg(self.dp, bundle, self.of.OFPBF_ATOMIC, message, [])


class Dialect15(Dialect14):
    """OpenFlow 1.5: buckets with numbers, meters as actions, statistics as fields."""

    def metered(self, actions):
        return [self.apply([self.msg.OFPActionMeter(METER)] + actions)]

    def bucket(self, actions, weight=0):
        properties = []
        if weight:
            properties.append(self.msg.OFPGroupBucketPropWeight(
                self.of.OFPGBPT_WEIGHT, 8, weight))
        return self.msg.OFPBucket(actions[0].port if hasattr(actions[0], 'port') else 1,
                                  actions, properties)

    def group(self, command, kind, group_id, buckets):
        return self.msg.OFPGroupMod(self.dp, command, kind, group_id, self.of.OFPG_BUCKET_ALL,
                                    buckets, [])

    def packet_out(self, in_port, actions, data, buffer_id=None):
        return self.msg.OFPPacketOut(self.dp, buffer_id=buffer_id, data=data, actions=actions,
                                     match=self.match(in_port=in_port))

    def role(self, name, generation):
        message = super().role(name, generation)
        message.short_id = 0
        return message

    def questions(self):
        m, dp = self.msg, self.dp
        asked = super().questions()
        asked['flows'] = m.OFPFlowDescStatsRequest(dp)
        # os-ken 2.5 cannot read these from any switch: it takes the next bucket for a property of
        # the one before, and wants a field of meters that Open vSwitch and its tools do not know.
        del asked['group-desc'], asked['meter-features']
        return asked

    def mistakes(self):
        wrong = super().mistakes()
        # None in bundles that this switch knows, nor does Open vSwitch.
        wrong['bundle-features'] = self.msg.OFPBundleFeaturesStatsRequest(self.dp, 0, 0, [])
        return wrong

    def meter_description(self):
        return {'meter-desc': self.msg.OFPMeterDescStatsRequest(self.dp)}


DIALECTS = {1: Dialect10, 3: Dialect12, 4: Dialect13, 5: Dialect14, 6: Dialect15}
