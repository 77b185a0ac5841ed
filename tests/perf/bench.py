#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures XVS against the stock Open vSwitch daemon, in turn, in one run: `make bench`.

Both get the same bridge, ports, options and load, by the same stock tools, each time in fresh
network namespaces; stock first, XVS next, and so on, so that whatever else the machine does hits
both.  Prints medians, spread and ratio; writes bench.json and bench.svg.  Needs root.
Documentation/performance.md says how to read the figures."""

import argparse
import json
import os
import signal
import sys
import time

import cases
import plot
import report
from bed import Bed, Failed, Skipped

STOCK = "/usr/lib/openvswitch-switch/ovs-vswitchd"


def cpu_list(words):
    """"0,2" -> [0, 2]"""
    return [int(word) for word in words.split(",")]


def parse():
    """The command line."""
    top = os.path.dirname(os.path.abspath(__file__)) + "/../../build"
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="cases: " + "; ".join(f"{n}: {c.about}" for n, c in cases.CASES.items()))
    add = parser.add_argument
    add("cases", nargs="*", metavar="CASE", help="cases to run (default: all)")
    add("--xvs", default=f"{top}/vswitchd/xvs-vswitchd", metavar="PATH")
    add("--stock", default=STOCK, metavar="PATH", help=f"the other daemon ({STOCK})")
    add("--perf", default=f"{top}/utilities/xvs-perf/xvs-perf", metavar="PATH")
    add("--agent", default=f"{top}/utilities/xvs-agent/xvs-agent", metavar="PATH")
    add("--only", action="append", choices=("xvs", "stock", "reference", "cni"),
        help="measure this one only; may be repeated")
    add("--port-option", action="append", default=[], metavar="KEY=VALUE",
        help="options:KEY=VALUE of XVS's ports, e.g. tx-csum-offload=true; may be repeated")
    add("--pairs", type=int, default=5, help="how often each is measured (5)")
    add("--seconds", type=float, default=2, help="length of a measurement (2)")
    add("--warmup", type=float, default=0.5, help="and what precedes it (0.5)")
    add("--search-steps", type=int, default=8,
        help="halvings in search of the lossless rate; 0: neither that nor latencies (8)")
    add("--search-seconds", type=float, default=1, help="length of each (1)")
    add("--idle-seconds", type=float, default=60, help="the pause of case wake (60)")
    add("--gen-cpus", type=cpu_list, help="cores of the generators (the first one)")
    add("--pmd-cpus", type=cpu_list, help="cores of PMD threads (the second one, then others)")
    add("--hook", choices=("xdp", "tc"), default="tc", help="where frames are counted (tc)")
    add("--output", default=".", metavar="FOLDER", help="where bench.json and bench.svg go (.)")
    config = parser.parse_args()
    unknown = [name for name in config.cases if name not in cases.CASES]
    if unknown or config.pairs < 1:
        parser.error(f"unknown case: {unknown[0]}" if unknown else "--pairs: at least 1")
    config.cases = config.cases or list(cases.CASES)
    choose_cpus(config)
    return config


def choose_cpus(config):
    """Generator and first PMD thread apart; a second of each where there are cores."""
    allowed = sorted(os.sched_getaffinity(0))
    config.gen_cpus = config.gen_cpus or allowed[:1]
    config.pmd_cpus = config.pmd_cpus or [c for c in allowed if c not in config.gen_cpus] + \
        config.gen_cpus
    used = config.pmd_cpus[:2]
    free = [c for c in allowed if c not in used and c not in config.gen_cpus]
    config.gen_cpus2 = (config.gen_cpus + free + [c for c in allowed if c not in
                                                  config.gen_cpus])[:2]


def measure(config, switch, case_class):
    """One case on one switch, from nothing to nothing."""
    case = case_class(config)
    bed = Bed(config, queues=case.queues)
    try:
        found = case.before(bed)
        if switch == "reference":
            bed.start_forwarder(case.pmd_cpus()[0])
        else:
            bed.start_switch(config.xvs if switch == "cni" else getattr(config, switch),
                             case.pmd_cpus())
            if switch == "cni":
                bed.start_agent()
            case.setup(bed)
        return {**found, **case.measure(bed)}
    finally:
        bed.close()


def progress(words, end=""):
    """A line on standard error that the next one replaces."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end=end, file=sys.stderr, flush=True)
    else:
        print(words, file=sys.stderr, flush=True)


def run_case(config, name, switches):
    """All pairs of one case.  What fails once on a switch is not tried on it again."""
    case_class = cases.CASES[name]
    result = {"about": case_class.about, "metrics": case_class.metrics, "skipped": {},
              "bars": case_class.bars,
              "values": {s: {} for s in switches if s in case_class.sides()}}
    for pair in range(config.pairs):
        for switch, values in result["values"].items():
            if switch in result["skipped"]:
                continue
            progress(f"{name}: {pair + 1}/{config.pairs} {switch}")
            try:
                for metric, value in measure(config, switch, case_class).items():
                    values.setdefault(metric, []).append(value)
            except (Failed, Skipped) as error:
                result["skipped"][switch] = str(error)
    return result


def preflight(config):
    """The switches that can be measured; ends with a sentence if none can."""
    if os.geteuid():
        sys.exit("bench: needs root (it makes network namespaces and loads BPF programs)")
    wanted = config.only or ["stock", "xvs", "reference", "cni"]
    paths = {"stock": config.stock, "xvs": config.xvs, "reference": config.perf,
             "cni": config.agent}
    if not os.access(config.perf, os.X_OK):
        sys.exit(f"bench: {config.perf} is not there: build first, or see --perf")
    missing = [s for s in wanted if not os.access(paths[s], os.X_OK)]
    for switch in missing:
        print(f"bench: {paths[switch]} is not there: {switch} will not be measured",
              file=sys.stderr)
    busy = report.busy_cores(0.5)
    if busy > 0.2:
        print(f"bench: other processes keep {busy:.1f} cores busy: figures will be noise",
              file=sys.stderr)
    if len(os.sched_getaffinity(0)) < 2:
        print("bench: one core only: generator and switch share it, figures mean little",
              file=sys.stderr)
    switches = [s for s in wanted if s not in missing]
    return switches or sys.exit("bench: nothing to measure")


def main():
    """Runs, prints, writes."""
    config = parse()
    switches = preflight(config)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    record = {"machine": report.machine(), "cases": {},
              "options": {key: value for key, value in vars(config).items()
                          if key not in ("xvs", "stock", "perf", "agent", "output", "only", "cases")}}
    start = time.monotonic()
    for name in config.cases:
        record["cases"][name] = run_case(config, name, switches)
    progress(f"{time.monotonic() - start:.0f} s", end="\n")
    record["summary"] = report.summary_of(record)
    print(report.text(record))
    os.makedirs(config.output, exist_ok=True)
    with open(f"{config.output}/bench.json", "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
    drawing = plot.svg(record["summary"])
    if drawing:
        with open(f"{config.output}/bench.svg", "w", encoding="utf-8") as file:
            file.write(drawing)
    return 0 if any(record["summary"].values()) else 1


sys.exit(main())
