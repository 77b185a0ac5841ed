# SPDX-License-Identifier: Apache-2.0
"""The testbed of the benchmark: hosts "a" and "b" in network namespaces, a switch between them.

    a: e0 --veth-- v-a : switch : v-b --veth-- e0 :b

Everything lives in one folder and in namespaces that carry the process id, and goes away with
Bed.close(); an Open vSwitch that runs on the machine is not touched.  A switch is XVS, the stock
daemon, or the forwarder that looks at nothing; the first two are driven by the same stock tools
in the same way."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time


class Failed(Exception):
    """A command failed; the text says which and what it said."""


class Skipped(Exception):
    """The case cannot run on this switch; the text says why."""


def run(*argv, env=None, timeout=120, check=True):
    """Runs a command and returns its standard output.  In a session of its own, as the daemons and
    the forwarder are: the kernel's scheduler shares cores out by session (autogroup)."""
    try:
        done = subprocess.run(argv, env=env, timeout=timeout, capture_output=True, text=True,
                              check=False, start_new_session=True)
    except FileNotFoundError as error:
        raise Failed(f"{argv[0]}: not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(argv)}: no end after {timeout} s") from error
    if check and done.returncode:
        text = (done.stderr or done.stdout).strip()
        raise Failed(f"{' '.join(argv)}: {text or f'exit status {done.returncode}'}")
    return done.stdout


class Process:
    """What /proc says about a process, all threads together."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_seconds(self):
        """(user, system)."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        tick = os.sysconf("SC_CLK_TCK")
        return int(fields[11]) / tick, int(fields[12]) / tick

    def resident_mb(self):
        """Resident memory with huge pages, in MB (10^6)."""
        kib = 0
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(("VmRSS:", "HugetlbPages:")):
                    kib += int(line.split()[1])
        return kib * 1024 / 1e6

    def alive(self):
        """False once it ended (a zombie counts as ended)."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
                return file.read().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    def end(self, sig=signal.SIGTERM, seconds=10):
        """Ends it, by force if it does not obey."""
        deadline = time.monotonic() + seconds
        try:
            os.kill(self.pid, sig)
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.02)
            if self.alive():
                os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Bed:
    """One switch between two hosts."""

    def __init__(self, config, queues=1, mtu=1500):
        self.config = config
        self.queues = queues
        self.prefix = f"xvsperf{os.getpid()}"
        self.dir = tempfile.mkdtemp(prefix="xvs-perf.")
        self.env = dict(os.environ, LC_ALL="C", PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        for name in ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"):
            self.env[name] = self.dir
        self.namespaces = []
        self.switch = None     # its Process
        self.daemon = None     # path of the daemon
        self.database = None
        self.children = []
        self.agent = None      # where xvs-agent serves its sockets, if ports come from it
        try:
            self._make_hosts(mtu)
        except Failed:
            self.close()
            raise

    def ns(self, name):
        """Full name of a namespace: "sw" is the switch's."""
        return f"{self.prefix}-{name}"

    def at(self, name, *argv, **kwargs):
        """Runs a command in namespace `name`."""
        kwargs.setdefault("env", self.env)
        return run("ip", "netns", "exec", self.ns(name), *argv, **kwargs)

    def _make_hosts(self, mtu):
        for name in ("sw", "a", "b"):
            run("ip", "netns", "add", self.ns(name))
            self.namespaces.append(self.ns(name))
            # No frames but those of the benchmark.
            self.at(name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                    "net.ipv6.conf.default.disable_ipv6=1", check=False)
            self.at(name, "ip", "link", "set", "lo", "up")
        queues = ("numrxqueues", str(self.queues), "numtxqueues", str(self.queues))
        for number, name in enumerate(("a", "b"), 1):
            run("ip", "-n", self.ns("sw"), "link", "add", f"v-{name}", *queues, "type", "veth",
                "peer", "name", "e0", "netns", self.ns(name), *queues)
            run("ip", "-n", self.ns("sw"), "link", "set", f"v-{name}", "mtu", str(mtu), "up")
            run("ip", "-n", self.ns(name), "link", "set", "e0", "mtu", str(mtu), "up")
            run("ip", "-n", self.ns(name), "addr", "add", f"10.9.0.{number}/24", "dev", "e0")

    # -- A switch of the Open vSwitch kind --

    def start_database(self):
        """ovsdb-server with an empty database."""
        schema = next((p for p in ("/usr/share/openvswitch/vswitch.ovsschema",
                                   "/usr/local/share/openvswitch/vswitch.ovsschema")
                       if os.path.exists(p)), None)
        if not schema:
            raise Failed("vswitch.ovsschema not found: install openvswitch-switch")
        database = f"{self.dir}/conf.db"
        run("ovsdb-tool", "create", database, schema, env=self.env)
        self.at("sw", "ovsdb-server", "--detach", "--no-chdir", "--pidfile", "--log-file",
                "-vconsole:off", f"--remote=punix:{self.dir}/db.sock", database)
        self.database = self._process("ovsdb-server.pid")
        self.vsctl("--no-wait", "init")

    def _process(self, pidfile):
        with open(f"{self.dir}/{pidfile}", encoding="ascii") as file:
            return Process(int(file.read()))

    def start_daemon(self, daemon):
        """Returns the seconds it took until its first configuration was applied."""
        self.daemon = daemon
        start = time.monotonic()
        self.at("sw", daemon, "--detach", "--no-chdir", "--pidfile", "--log-file",
                "-vconsole:off")
        seconds = time.monotonic() - start
        self.switch = self._process("ovs-vswitchd.pid")
        return seconds

    def start_switch(self, daemon, pmd_cpus):
        """Database and daemon, PMD threads on these cores, an empty bridge br0."""
        self.start_database()
        mask = sum(1 << cpu for cpu in pmd_cpus)
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", f"other_config:pmd-cpu-mask={mask:x}")
        self.start_daemon(daemon)
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev")

    def add_ports(self, *settings, a=(), b=()):
        """Both hosts' AF_XDP ports, numbered 1 and 2; `a` and `b`: columns of the Port."""
        for number, (name, columns) in enumerate((("a", a), ("b", b)), 1):
            error = self.vsctl(
                "add-port", "br0", f"v-{name}", *columns, "--", "set", "interface", f"v-{name}",
                "type=afxdp", f"options:n_rxq={self.queues}", *self._program(f"v-{name}"),
                f"ofport_request={number}", *settings)
            if error:
                raise Failed(error)
            said = self.vsctl("get", "interface", f"v-{name}", "error").strip()
            if said != "[]":
                raise Failed(f"port v-{name}: {said}")

    def _program(self, device):
        """Options that say where the port's XDP program comes from, then those of --port-option."""
        extra = self.config.port_option if self.daemon == self.config.xvs else ()
        return (*self._source(device), *(f"options:{option}" for option in extra))

    def _source(self, device):
        if self.agent:
            return ("options:use_cni=true",
                    f"options:dp_path={self.agent}/{device}/afxdp.sock")
        return ("options:xdp-mode=native",)

    def start_agent(self):
        """xvs-agent with both ports' programs: ports added from now on take them from it."""
        self.agent = f"{self.dir}/afxdp_dp"
        self.spawn("ip", "netns", "exec", self.ns("sw"), self.config.agent,
                   f"--control={self.dir}/xvs-agent.ctl", f"--socket-dir={self.agent}",
                   *(f"--device=v-{name}:queues={self.queues},xdp-mode=native"
                     for name in ("a", "b")),
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            if all(os.path.exists(f"{self.agent}/v-{name}/afxdp.sock") for name in ("a", "b")):
                return
            time.sleep(0.05)
        raise Failed("xvs-agent does not serve its sockets")

    def vsctl(self, *argv):
        """ovs-vsctl, waiting for the daemon unless --no-wait."""
        return run("ovs-vsctl", "--timeout=60", *argv, env=self.env)

    def ofctl(self, *argv, timeout=300):
        """ovs-ofctl."""
        return run("ovs-ofctl", f"--timeout={timeout}", "-O", "OpenFlow13", *argv, env=self.env,
                   timeout=timeout)

    def appctl(self, *argv):
        """ovs-appctl to the daemon."""
        return run("ovs-appctl", "--timeout=60", *argv, env=self.env)

    def add_flows(self, lines):
        """Replaces the bridge's flows; Skipped if the switch has no OpenFlow.  Returns the seconds
        that ovs-ofctl add-flows took."""
        path = f"{self.dir}/flows"
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        try:
            self.ofctl("del-flows", "br0")
        except Failed as error:
            raise Skipped(f"no OpenFlow: {str(error).rpartition('ovs-ofctl: ')[2]}") from error
        start = time.monotonic()
        self.ofctl("add-flows", "br0", path)
        return time.monotonic() - start

    # -- The reference --

    def start_forwarder(self, cpu):
        """xvs-perf forward between the two ports."""
        child = self.spawn(self.config.perf, "forward", f"--ns={self.ns('sw')}", f"--cpu={cpu}",
                           "v-a", "v-b", stdout=subprocess.PIPE)
        if "ready" not in child.stdout.readline():
            raise Failed("xvs-perf forward did not start")
        self.switch = Process(child.pid)

    # -- Load --

    def spawn(self, *argv, **kwargs):
        """A process in the background, ended by close()."""
        child = subprocess.Popen(argv, env=self.env, text=True, stdin=subprocess.DEVNULL,
                                 start_new_session=True, **kwargs)
        self.children.append(child)
        return child

    def trial(self, *argv, back=False, watch=True, **options):
        """One `xvs-perf trial` from a to b (or back); options as keywords.  Returns its JSON."""
        ends = ("b", "a") if back else ("a", "b")
        options.setdefault("cpus", ",".join(map(str, self.config.gen_cpus)))
        options.setdefault("hook", self.config.hook)
        if watch and self.switch:
            options["watch"] = self.switch.pid
        text = run(self.config.perf, "trial", f"--from={self.ns(ends[0])}/e0",
                   f"--to={self.ns(ends[1])}/e0", *argv,
                   *(f"--{key}={value}" for key, value in options.items()), env=self.env)
        return json.loads(text)

    def pauses(self, cpu):
        """What `xvs-perf pauses` says of a core that nothing of ours uses now."""
        return json.loads(run(self.config.perf, "pauses", f"--cpu={cpu}"))

    def learn(self, *argv, flows=1):
        """Frames from b to a, so that NORMAL knows where b's addresses are (see cases.py)."""
        return self.trial("--set=smac=02:00:00:00:00:02", "--set=dmac=02:00:00:00:00:01", *argv,
                          back=True, watch=False, flows=flows, frames=2 * flows, rate=20000,
                          seconds=10, cpus=self.config.gen_cpus[0])

    def close(self):
        """Ends and removes everything."""
        for child in self.children:
            if child.poll() is None:
                Process(child.pid).end(seconds=3)
            child.wait()
            if child.stdout:
                child.stdout.close()
        for process in (self.switch, self.database):
            if process and process.alive():
                process.end()
        for name in self.namespaces:
            run("ip", "netns", "del", name, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
