# SPDX-License-Identifier: Apache-2.0
"""What is measured.  A case sets the switch up by the stock tools and returns metrics.

To add one: derive from Case (or Throughput), give it a name and a sentence, set up in setup(),
measure in measure(), and list each metric's unit and direction in `metrics`.  Anything that a
switch cannot do ends in Skipped or Failed, and the report shows the reason.

A bar is what XVS is held to: (metric, "stock" or "reference" or None, "<=" or ">=", limit).  It
is about the ratio of the medians to that switch's ("cni": XVS with ports that take their program
from xvs-agent), or without one about the median itself."""

import json
import statistics
import subprocess
import time

from bed import Failed, Skipped, run

UP, DOWN = "higher", "lower"
LOSS_MAX = 0.001
LOSS_TRIALS = 2    # at one rate: losing once may be the machine's doing
REPEATS = 3        # of a flood, of a latency trial: a pause of the machine spoils one of them
SIZES = (64, 128, 256, 512, 1024, 1518, "imix")
FLOW_COUNTS = (1, 100, 1000, 10000, 100000, 1000000)

CASES = {}


class Case:
    """One set-up and what is measured in it."""
    name = None      # what the command line calls it
    about = None     # a line for people
    metrics = {}     # name -> (unit, UP or DOWN)
    bars = ()
    reference = False    # the forwarder that looks at nothing can run it
    against = "stock"    # what XVS is compared with
    queues = 1
    pmds = 1

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.name:
            CASES[cls.name] = cls

    def __init__(self, config):
        self.config = config

    def setup(self, bed):
        """The switch runs, br0 is there."""
        bed.add_ports()

    def before(self, bed):
        """The hosts are there, no switch runs yet.  Returns {metric: value}."""
        return {}

    def measure(self, bed):
        """Returns {metric: value}."""
        raise NotImplementedError

    @classmethod
    def sides(cls):
        """The switches that the case measures."""
        return ["xvs", cls.against] + (["reference"] if cls.reference else [])

    def pmd_cpus(self):
        """Cores for PMD threads."""
        cpus = self.config.pmd_cpus
        if len(cpus) < self.pmds:
            raise Skipped(f"needs {self.pmds} cores for PMD threads (--pmd-cpus)")
        return cpus[:self.pmds]


def port_to_port():
    """A rule for each direction, nothing else."""
    return ["in_port=1,actions=output:2", "in_port=2,actions=output:1"]


def per_packet(trial, milliseconds):
    """Milliseconds of a trial as nanoseconds per received frame."""
    return milliseconds * 1e6 / trial["received"]


def medians(found):
    """Of dictionaries with the same keys: the median of each."""
    return {key: statistics.median(one[key] for one in found) for key in found[0]}


class Throughput(Case):
    """Flood, costs per packet, highest rate without loss, latency at parts of that rate."""
    reference = True
    load = ()       # arguments of xvs-perf trial
    metrics = {
        "throughput": ("Mpps", UP),
        "user time": ("ns/packet", DOWN),
        "system time": ("ns/packet", DOWN),
        "syscalls": ("/packet", DOWN),
        "lossless rate": ("Mpps", UP),
        "p50 at 10 %": ("us", DOWN), "p99 at 10 %": ("us", DOWN),
        "p50 at 50 %": ("us", DOWN), "p99 at 50 %": ("us", DOWN),
        "p50 at 90 %": ("us", DOWN), "p99 at 90 %": ("us", DOWN),
        "p99 of pauses": ("us", DOWN),
    }

    def before(self, bed):
        """How long 1 % of packets would wait for a thread that does nothing on the PMD's core."""
        if not self.config.search_steps or "p99 of pauses" not in self.metrics:
            return {}
        waits = bed.pauses(self.pmd_cpus()[0])["wait_ns"]
        return {"p99 of pauses": waits["p99"] / 1e3}

    def setup(self, bed):
        bed.add_ports()
        bed.add_flows(port_to_port())

    def prepare(self, bed):
        """What must have been seen before the measurement."""

    def flood(self, bed, *argv, **options):
        """A trial at full rate; Failed if nothing arrives."""
        trial = bed.trial(*self.load, *argv, warmup=self.config.warmup,
                          seconds=self.config.seconds, **options)
        if not trial["received"]:
            raise Failed("nothing was forwarded")
        return trial

    def floods(self, bed, *argv, **options):
        """Throughput and what a packet costs: medians of several floods."""
        trials = [self.flood(bed, *argv, **options) for _ in range(REPEATS)]
        return medians([{"throughput": trial["received_pps"] / 1e6,
                         "user time": per_packet(trial, trial["user_ms"]),
                         "system time": per_packet(trial, trial["system_ms"])}
                        for trial in trials])

    def search(self, bed, ceiling):
        """The highest rate, in packets/s, with a loss below LOSS_MAX."""
        low, high = 0.0, ceiling
        for _ in range(self.config.search_steps):
            rate = (low + high) / 2
            if self.holds(bed, rate):
                low = rate
            else:
                high = rate
        return low

    def holds(self, bed, rate):
        """Whether a rate goes through with a loss below LOSS_MAX, in one of LOSS_TRIALS."""
        for _ in range(LOSS_TRIALS):
            trial = bed.trial(*self.load, rate=f"{rate:.0f}", warmup=0.1, burst=16,
                              seconds=self.config.search_seconds)
            if trial["sent"] and trial["loss"] < LOSS_MAX:
                return True
        return False

    def latency(self, bed, rate):
        """The percentiles of a trial, in ns; None: nothing arrived."""
        trial = bed.trial(*self.load, "--latency", warmup=0.1, rate=f"{max(rate, 1000):.0f}",
                          seconds=self.config.search_seconds)
        return trial.get("latency_ns")

    def latencies(self, bed, lossless):
        """At 10, 50 and 90 % of the lossless rate: medians of several trials' percentiles."""
        found = {}
        for percent in (10, 50, 90):
            trials = [self.latency(bed, lossless * percent / 100) for _ in range(REPEATS)]
            trials = [latency for latency in trials if latency]
            if trials:
                median = medians(trials)
                found[f"p50 at {percent} %"] = median["p50"] / 1e3
                found[f"p99 at {percent} %"] = median["p99"] / 1e3
        return found

    def measure(self, bed):
        self.prepare(bed)
        found = self.floods(bed)
        # Apart, since counting slows down who makes many.
        counted = self.flood(bed, "--syscalls")
        found["syscalls"] = counted["syscalls"] / counted["received"]
        if self.config.search_steps:
            lossless = self.search(bed, found["throughput"] * 1.2e6)
            found["lossless rate"] = lossless / 1e6
            found.update(self.latencies(bed, lossless))
        return found


class P2P(Throughput):
    """A port-to-port rule, one flow."""
    name, about = "p2p", "one flow, port-to-port rule"
    bars = (("throughput", "stock", ">=", 1.05), ("throughput", "reference", ">=", 0.97),
            ("user time", "stock", "<=", 0.5), ("lossless rate", "stock", ">=", 1.2),
            ("p50 at 50 %", "stock", "<=", 0.7), ("p99 at 50 %", "stock", "<=", 0.7),
            ("syscalls", None, "<=", 0.04))


class Cni(Throughput):
    """What the way to the XDP program costs: nothing, once the port is up."""
    name, about = "cni", "one flow, NORMAL; ports by use_cni against ports with programs of their own"
    against = "cni"
    reference = False
    setup = Case.setup
    bars = (("throughput", "cni", "<=", 1.05), ("user time", "cni", ">=", 0.95))

    def prepare(self, bed):
        bed.learn()


class Rules16k(Throughput):
    """Each flow hits a rule of its own among 16 k."""
    name, about = "rules16k", "10 k flows over 16 k rules on addresses and ports"
    bars = (("throughput", "stock", ">=", 1.3), ("user time", "stock", "<=", 0.4))
    reference = False
    load = ("--flows=10000", "--set=sip=10.0.0.0", "--vary=sip:1:100",
            "--set=dport=2048", "--vary=dport:1:100:100")

    def setup(self, bed):
        bed.add_ports()
        bed.add_flows([f"priority=10,udp,nw_src=10.0.0.{source},tp_dst={2048 + port},"
                       "actions=output:2" for source in range(128) for port in range(128)])


class Masks100(Throughput):
    """Flows spread over rules with 100 different masks."""
    name, about = "masks100", "100 k flows, rules with 100 masks"
    bars = (("throughput", "stock", ">=", 1.3),)
    reference = False
    load = ("--flows=100000", "--set=sip=10.10.0.0", "--vary=sip:65536:10",
            "--set=dip=10.100.0.0", "--vary=dip:65536:10:10", "--vary=sport:1:1000:100")

    def setup(self, bed):
        bed.add_ports()
        bed.add_flows([f"priority=10,ip,nw_src=10.{10 + i}.0.0/{16 + i},"
                       f"nw_dst=10.{100 + j}.0.0/{16 + j},actions=output:2"
                       for i in range(10) for j in range(10)])


class Normal(Throughput):
    """NORMAL, one address on each side."""
    name, about = "normal", "one flow, NORMAL"
    reference = False
    setup = Case.setup

    def prepare(self, bed):
        bed.learn()


class Macs4k(Normal):
    """NORMAL with many addresses."""
    name, about = "macs4k", "NORMAL, 4096 addresses on each side"
    load = ("--flows=4096", "--vary=smac", "--vary=dmac",
            "--set=smac=02:01:00:00:00:00", "--set=dmac=02:02:00:00:00:00")

    def prepare(self, bed):
        bed.learn("--vary=smac", "--set=smac=02:02:00:00:00:00", flows=4096)


class VlanPush(Normal):
    """From an access port to a trunk."""
    name, about = "vlan-push", "NORMAL, access port to trunk: a tag is pushed"
    load = ("--size=68",)

    def setup(self, bed):
        bed.add_ports(a=("tag=10",), b=("trunks=10",))

    def prepare(self, bed):
        bed.learn("--vlan=10")


class VlanPop(Normal):
    """From a trunk to an access port."""
    name, about = "vlan-pop", "NORMAL, trunk to access port: a tag is popped"
    load = ("--size=68", "--vlan=10")

    def setup(self, bed):
        bed.add_ports(a=("trunks=10",), b=("tag=10",))


class Pmd2(Throughput):
    """Two of everything."""
    name, about = "pmd2", "two PMD threads, two queues, two generators, 1000 flows"
    reference = False
    queues = pmds = 2
    load = ("--flows=1000", "--vary=sip")
    metrics = {"throughput": ("Mpps", UP), "user time": ("ns/packet", DOWN),
               "system time": ("ns/packet", DOWN)}

    def measure(self, bed):
        return self.floods(bed, cpus=",".join(map(str, self.config.gen_cpus2)))


class Sizes(Throughput):
    """Throughput against frame size: for the plot."""
    name, about = "sizes", "one flow, port-to-port rule, frames of 64 to 1518 bytes"
    metrics = {str(size): ("Mpps", UP) for size in SIZES}

    def measure(self, bed):
        return {str(size): self.flood(bed, size=size)["received_pps"] / 1e6 for size in SIZES}


class Flows(Throughput):
    """Throughput against the number of flows: for the plot."""
    name, about = "flows", "1 to 1,000,000 flows, port-to-port rule"
    metrics = {str(n): ("Mpps", UP) for n in FLOW_COUNTS}

    def measure(self, bed):
        return {str(n): self.flood(bed, "--vary=sip", "--vary=sport:1:1000",
                                   flows=n)["received_pps"] / 1e6 for n in FLOW_COUNTS}


def checksums_by_sender(config, bed):
    """Over veth, TCP through stock OVS (and the reference) does not even connect unless the hosts
    compute transmit checksums themselves.  XVS has to do without."""
    if bed.daemon != config.xvs:
        for host in ("a", "b"):
            bed.at(host, "ethtool", "-K", "e0", "tx", "off")


class Tcp(Case):
    """iperf3 between the hosts."""
    name, about = "tcp", "iperf3 between two namespaces (stock: with tx off)"
    bars = (("1 stream", "stock", ">=", 1.4),)
    metrics = {"1 stream": ("Gbit/s", UP), "8 streams": ("Gbit/s", UP)}

    def measure(self, bed):
        checksums_by_sender(self.config, bed)
        return {"1 stream": self.iperf(bed, 1), "8 streams": self.iperf(bed, 8)}

    def iperf(self, bed, streams):
        """Gbit/s received."""
        bed.spawn("ip", "netns", "exec", bed.ns("b"), "iperf3", "-s", "-1",
                  stdout=subprocess.DEVNULL)
        for _ in range(50):
            if ":5201" in bed.at("b", "ss", "-ltn"):
                break
            time.sleep(0.1)
        seconds = max(1, round(self.config.seconds))
        said = json.loads(bed.at("a", "timeout", str(seconds + 20), "iperf3", "-J", "-c",
                                 "10.9.0.2", "-t", str(seconds), "-P", str(streams),
                                 check=False) or "{}")
        if "end" not in said or "sum_received" not in said["end"]:
            raise Failed(f"iperf3: {said.get('error', 'no result')}")
        return said["end"]["sum_received"]["bits_per_second"] / 1e9


class Tcp2(Tcp):
    """The same with a PMD thread for each direction."""
    name, about = "tcp2", "iperf3 between two namespaces, two PMD threads (stock: with tx off)"
    bars = ()
    pmds = 2


class PingPong(Case):
    """A byte there and a byte back."""
    name, about = "pingpong", "round trip of one byte over sockets (TCP, stock: with tx off)"
    metrics = {f"{kind} {what}": ("us", DOWN) for kind in ("UDP", "TCP")
               for what in ("mean", "p50", "p99")}
    reference = True

    def measure(self, bed):
        checksums_by_sender(self.config, bed)
        found = {}
        for kind, argv in (("UDP", ("--udp",)), ("TCP", ())):
            said = json.loads(run(self.config.perf, "pingpong", f"--from={bed.ns('a')}",
                                  f"--to={bed.ns('b')}", "--address=10.9.0.2", *argv,
                                  f"--seconds={self.config.seconds}",
                                  f"--cpus={self.config.gen_cpus[0]}"))
            for what in ("mean", "p50", "p99"):
                found[f"{kind} {what}"] = said[f"{what}_ns"] / 1e3
        return found


def every_source_alone():
    """Rules that make the source address count bit by bit: two masks that are no prefixes and
    together cover it, and a rule for everything.  Each source is then a megaflow of its own."""
    return ["priority=20,ip,nw_src=192.0.0.1/255.0.255.0,actions=drop",
            "priority=19,ip,nw_src=192.0.0.1/0.255.0.255,actions=drop",
            "priority=1,in_port=1,actions=output:2"]


def allow_megaflows(bed):
    """A million megaflows that stay.  The stock daemon starts at 10 k whatever its flow-limit, and
    only slowly allows more, hence the command."""
    bed.vsctl("set", "Open_vSwitch", ".", "other_config:flow-limit=1000000",
              "other_config:max-idle=600000")
    bed.appctl("upcall/set-flow-limit", "1000000")


class SetupRate(Case):
    """New flows per second."""
    name, about = "setup", "every packet a new flow that needs a megaflow of its own"
    bars = (("new flows", "stock", ">=", 1.5),)
    metrics = {"new flows": ("1/s", UP)}

    def setup(self, bed):
        bed.add_ports()
        bed.add_flows(every_source_alone())
        allow_megaflows(bed)

    def measure(self, bed):
        # Paced below what would go round all the flows in that second.
        trial = bed.trial("--vary=sip", flows=1000000, rate=900000, burst=16, seconds=1)
        if not trial["received"]:
            raise Failed("nothing was forwarded")
        return {"new flows": trial["received_pps"]}


class Memory(Case):
    """Resident memory of the daemon."""
    name, about = "memory", "resident memory: two ports; 100 k megaflows"
    bars = (("two ports", "stock", "<=", 0.35),)
    metrics = {"two ports": ("MB", DOWN), "100 k megaflows": ("MB", DOWN),
               "megaflows": ("", UP)}

    def measure(self, bed):
        found = {"two ports": bed.switch.resident_mb()}
        try:
            bed.add_flows(every_source_alone())
        except Skipped:
            return found
        allow_megaflows(bed)
        bed.trial("--vary=sip", flows=100000, frames=100000, rate=25000, burst=8, seconds=20)
        # Those of the frames that were lost.
        bed.trial("--vary=sip", flows=100000, frames=100000, rate=25000, burst=8, seconds=20)
        found["100 k megaflows"] = bed.switch.resident_mb()
        found["megaflows"] = bed.appctl("dpctl/dump-flows").count("actions:")
        return found


class AddFlows(Case):
    """OpenFlow modifications."""
    name, about = "add-flows", "time of ovs-ofctl add-flows"
    bars = (("100 k flows", "stock", "<=", 0.5),)
    metrics = {"10 k flows": ("s", DOWN), "100 k flows": ("s", DOWN)}

    def measure(self, bed):
        def flows(n):
            return [f"priority=10,udp,nw_src=10.{i >> 16}.{i >> 8 & 255}.{i & 255},"
                    f"tp_dst={i % 1000},actions=output:2" for i in range(n)]
        return {"10 k flows": bed.add_flows(flows(10000)),
                "100 k flows": bed.add_flows(flows(100000))}


class Start(Case):
    """How soon it serves, and what it costs while nothing happens."""
    name, about = "start", "start with two ports configured; CPU while idle"
    bars = (("idle CPU", None, "<=", 2),)
    metrics = {"start": ("ms", DOWN), "idle CPU": ("% of a core", DOWN)}

    def measure(self, bed):
        bed.switch.end()
        found = {"start": bed.start_daemon(bed.daemon) * 1e3}
        time.sleep(2)
        before = sum(bed.switch.cpu_seconds())
        seconds = max(2.0, self.config.seconds)
        time.sleep(seconds)
        found["idle CPU"] = (sum(bed.switch.cpu_seconds()) - before) * 100 / seconds
        return found


class Wake(Case):
    """The first packet after nothing happened for long."""
    name, about = "wake", "latency of the first packet after an idle minute, and of those under load"
    bars = (("extra", None, "<=", 200),)
    metrics = {"first": ("us", DOWN), "under load": ("us", DOWN), "extra": ("us", DOWN)}

    def measure(self, bed):
        bed.learn()
        bed.trial(rate=10000, seconds=0.5)
        time.sleep(self.config.idle_seconds)
        first = bed.trial("--latency", frames=1, seconds=1)
        if not first["received"]:
            raise Failed("the first packet after the pause was lost")
        load = bed.trial("--latency", rate=20000, warmup=0.2, seconds=1)
        first_us, load_us = first["latency_ns"]["mean"] / 1e3, load["latency_ns"]["p50"] / 1e3
        return {"first": first_us, "under load": load_us, "extra": first_us - load_us}
