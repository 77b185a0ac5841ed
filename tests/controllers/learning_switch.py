# SPDX-License-Identifier: Apache-2.0
"""A learning switch for os-ken, by which tests see this switch with the eyes of a controller.

    osken-manager --config-file FILE learning_switch.py

It learns the hosts' ports from packet-ins, installs a flow with an idle time-out for each pair of
hosts, and sends the packet on its way.  From 1.2 on it floods by a group of all ports, from 1.3
on all that it forwards passes a meter.  How each version says that is in dialects.py.

FILE is one of os-ken's, with a section of ours:

    [learning_switch]
    version = 4         OpenFlow on the wire: 1, 3, 4, 5, 6 for 1.0, 1.2 to 1.5
    log = PATH          what it saw, a line of JSON for each message ("saw")
    commands = PATH     what else to do: lines that a test appends, see the command_ methods
    idle_timeout = 5    seconds, of the flows that it installs
    learn = true        false: install nothing by itself

A command is done, and logged as such ("done": its number), when the switch has answered the
barrier behind it: whatever was answered before is in the log by then.
"""
import json
import shlex
import time

from os_ken import cfg
from os_ken.base import app_manager
from os_ken.controller import handler, ofp_event
from os_ken.lib import hub
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_common, ofproto_parser, ofproto_v1_0

from dialects import COOKIE, DIALECTS

OPTIONS = [
    cfg.IntOpt('version', default=4), cfg.StrOpt('log'), cfg.StrOpt('commands'),
    cfg.IntOpt('idle_timeout', default=5), cfg.BoolOpt('learn', default=True)]
MESSAGES = [kind for kind in vars(ofp_event).values() if isinstance(kind, type)
            and issubclass(kind, ofp_event.EventOFPMsgBase)
            and kind is not ofp_event.EventOFPMsgBase]
# os-ken asks this of every error, but its 1.0 does not have it, and would hang up.
ofproto_v1_0.OFPET_EXPERIMENTER = 0xffff
PHASES = [handler.HANDSHAKE_DISPATCHER, handler.CONFIG_DISPATCHER, handler.MAIN_DISPATCHER]
REMOVED = {0: 'idle', 1: 'hard', 2: 'delete', 3: 'group', 4: 'meter', 5: 'eviction'}


def plain(value):
    """A value of os-ken's as JSON has them: objects by their attributes, bytes as text or hex."""
    if isinstance(value, (bytes, bytearray)):
        text = bytes(value).rstrip(b'\0')
        return text.decode() if text.isascii() and text.decode().isprintable() else value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, '_asdict'):
        return plain(value._asdict())
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, (str, int, float, type(None))):
        return value
    if hasattr(value, 'items'):
        return plain(dict(value.items()))
    attributes = {key: item for key, item in vars(value).items()
                  if not key.startswith('_') and key not in ('datapath', 'buf')}
    return {'is': type(value).__name__, **plain(attributes)}


class LearningSwitch(app_manager.OSKenApp):
    """The application: one bridge at a time."""

    cfg.CONF.register_opts(OPTIONS, 'learning_switch')
    OFP_VERSIONS = [cfg.CONF.learning_switch.version]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.options = cfg.CONF.learning_switch
        self.log = open(self.options.log, 'a', encoding='utf-8', buffering=1)
        self.speak = None           # the dialect of the bridge that is connected
        self.ports = {}             # of its port numbers
        self.hosts = {}             # MAC address -> port number
        self.asked = {}             # transaction -> what we sent
        self.done = {}              # transaction of a barrier -> the command's number

    def start(self):
        super().start()
        self.threads.append(hub.spawn(self.follow_commands))
        self.note(ready=self.options.version)

    def note(self, **what):
        self.log.write(json.dumps(what, sort_keys=True) + '\n')

    def send(self, message, name):
        datapath = self.speak.dp
        datapath.set_xid(message)
        self.asked[message.xid] = name
        datapath.send_msg(message)
        return message.xid

    # What the switch says.

    @handler.set_ev_cls(ofp_event.EventOFPStateChange,
                        [handler.MAIN_DISPATCHER, handler.DEAD_DISPATCHER])
    def connection_changed(self, event):
        datapath = event.datapath
        if event.state == handler.MAIN_DISPATCHER:
            self.speak = DIALECTS[datapath.ofproto.OFP_VERSION](datapath)
            self.ports = {number: port for number, port in datapath.ports.items()
                          if number <= datapath.ofproto.OFPP_MAX}
            self.hosts = {}
            if self.options.learn:
                for message in self.speak.begin(self.ports):
                    self.send(message, 'begin')
            self.done[self.send(datapath.ofproto_parser.OFPBarrierRequest(datapath), 'begin')] = 0
        elif self.speak and datapath is self.speak.dp:
            self.note(saw='end')
            self.speak = None

    @handler.set_ev_cls(MESSAGES, PHASES)
    def message_arrived(self, event):
        message = event.msg
        kind = type(message).__name__
        facts = plain(message)
        if 'data' in facts:
            facts['length'] = len(message.data or b'')
            facts['data'] = bytes(message.data or b'')[:64].hex()
        reacts = getattr(self, 'saw_' + kind, None)
        more = (self.speak and reacts and reacts(message)) or {}
        self.note(saw=kind, at=time.time(), to=self.asked.get(message.xid), **facts | more)
        if message.xid in self.done and kind == 'OFPBarrierReply':
            self.note(done=self.done.pop(message.xid))

    def saw_OFPErrorMsg(self, message):
        of = message.datapath.ofproto
        facts = {'error': of.ofp_error_type_to_str(message.type).split('(')[0]}
        if message.code is not None:
            facts['reason'] = of.ofp_error_code_to_str(message.type, message.code).split('(')[0]
        if message.data and len(message.data) >= ofproto_common.OFP_HEADER_SIZE:
            xid = ofproto_parser.header(message.data)[3]
            facts['about'] = self.asked.get(xid)
        return facts

    def saw_OFPFlowRemoved(self, message):
        counted = dict(message.stats.items()) if hasattr(message, 'stats') else {}     # 1.5
        return {'why': REMOVED.get(message.reason), 'ours': message.cookie == COOKIE, **counted}

    def saw_OFPPortStatus(self, message):
        of, port = message.datapath.ofproto, message.desc
        if port.port_no <= of.OFPP_MAX:
            known = set(self.ports)
            if message.reason == of.OFPPR_DELETE:
                self.ports.pop(port.port_no, None)
            else:
                self.ports[port.port_no] = port
            if self.options.learn and self.speak.groups and known != set(self.ports):
                self.send(self.speak.flood_group(of.OFPGC_MODIFY, self.ports), 'flood group')
        return {'why': {0: 'add', 1: 'delete', 2: 'modify'}.get(message.reason),
                'down': bool(port.config & of.OFPPC_PORT_DOWN),
                'link': not port.state & of.OFPPS_LINK_DOWN}

    def saw_OFPPacketIn(self, message):
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        of = message.datapath.ofproto
        port = getattr(message, 'in_port', None) or message.match['in_port']
        if not frame:
            return {'port': port}
        if self.options.learn:
            self.learn(port, frame)
            to = self.hosts.get(frame.dst)
            actions = self.speak.flood() if to is None else [self.speak.output(to)]
            buffered = message.buffer_id not in (None, of.OFP_NO_BUFFER)
            self.send(self.speak.packet_out(port, actions, None if buffered else message.data,
                                            message.buffer_id if buffered else None), 'packet')
        return {'port': port, 'src': frame.src, 'dst': frame.dst, 'type': frame.ethertype}

    def learn(self, port, frame):
        """Remembers the sender, forgets where it was, installs a flow if both ends are known."""
        if self.hosts.get(frame.src, port) != port:
            self.send(self.speak.forget(self.speak.match(dst=frame.src)), 'move')
            self.send(self.speak.forget(self.speak.match(src=frame.src)), 'move')
            self.note(moved=frame.src, port=port)
        self.hosts[frame.src] = port
        to = self.hosts.get(frame.dst)
        if to not in (None, port):
            match = self.speak.match(port, frame.src, frame.dst)
            self.send(self.speak.learned(match, to, self.options.idle_timeout), 'learn')

    # What the test says.

    def follow_commands(self):
        number, rest = 0, ''
        with open(self.options.commands, encoding='utf-8') as lines:
            while True:
                if not rest.endswith('\n'):
                    rest += lines.readline()
                if not rest.endswith('\n') or not self.speak:
                    hub.sleep(0.02)
                    continue
                number, line, rest = number + 1, rest.strip(), ''
                self.obey(number, line)

    def obey(self, number, line):
        name, *words = shlex.split(line)
        try:
            sent = getattr(self, 'command_' + name.replace('-', '_'))(*words) or []
            for message in sent if isinstance(sent, list) else [sent]:
                self.send(message, ' '.join([name] + words))
        except Exception:       # the test is to fail, not to wait
            self.logger.exception('command %d: %s', number, line)
        datapath = self.speak.dp
        self.done[self.send(datapath.ofproto_parser.OFPBarrierRequest(datapath), line)] = number

    def command_ask(self, *names):
        """ask [QUESTION...]: statistics and descriptions; without names, all but the longest."""
        questions = self.speak.questions()
        for name in names or [name for name in questions if name != 'table-features']:
            self.send(questions[name], name)

    def command_err(self, *names):
        """err [MISTAKE...]: requests that are wrong."""
        mistakes = self.speak.mistakes()
        for name in names or mistakes:
            self.send(mistakes[name], name)

    def command_port(self, number, state):
        """port NUMBER up|down"""
        return self.speak.port_mod(self.ports[int(number)], state == 'down')

    def command_pair(self, *ports):
        """pair PORT PORT: a select group of these, and a flow into it."""
        return self.speak.pair([int(port) for port in ports])

    def command_unpair(self):
        """Deletes that group, and with it the flow."""
        of = self.speak.of
        return self.speak.group(of.OFPGC_DELETE, of.OFPGT_SELECT, 2, [])

    def command_police(self, rate):
        """police RATE: all that is forwarded shares so many packets a second."""
        of = self.speak.of
        return self.speak.meter(of.OFPMC_MODIFY, of.OFPMF_PKTPS | of.OFPMF_STATS, int(rate))

    def command_forget(self):
        """Deletes the flows that were learned."""
        self.hosts = {}
        return self.speak.forget(self.speak.match())

    def command_role(self, name, generation='0'):
        """role equal|master|slave [GENERATION]"""
        return self.speak.role(name, int(generation))

    def command_listen(self, packets):
        """listen yes|no: to packets and removed flows."""
        return self.speak.listen(packets == 'yes')

    def command_hear(self):
        """From 1.4 on: to be told of others' requests."""
        return self.speak.hear_requests()

    def command_monitor(self, number):
        """monitor NUMBER: from 1.4 on, asks by this way which flows there are."""
        return self.speak.monitor(int(number))

    def command_echo(self, text):
        return self.speak.msg.OFPEchoRequest(self.speak.dp, text.encode())

    def command_bundle(self, number, end, *mistakes):
        """bundle NUMBER commit|discard [MISTAKE...]: two flows, and then these, in one."""
        speak, number = self.speak, int(number)
        inner = [speak.flow(speak.match(dst=f'02:00:00:00:{number:02x}:0{port}'),
                            [speak.output(port)], priority=300) for port in (1, 2)]
        inner += [speak.mistakes()[name] for name in mistakes]
        self.send(speak.bundle_control(number, 'open'), 'bundle open')
        for message in inner:
            self.send(speak.bundle_add(number, message), 'bundle add')
        self.send(speak.bundle_control(number, 'close'), 'bundle close')
        self.send(speak.bundle_control(number, end), 'bundle ' + end)
