# SPDX-License-Identifier: Apache-2.0
"""What the measurements came to: medians, spread, ratios; as text and as JSON."""

import platform
import statistics
import time


def summarize(values):
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "n": len(values)}


def ratio(found):
    """XVS to what it is compared with, by medians; None without both or where that is 0."""
    other = found.get("stock") or found.get("cni")
    if "xvs" not in found or not other or not other["median"]:
        return None
    return found["xvs"]["median"] / other["median"]


def judge(bars, metrics):
    """Each bar whose figures are there: [{"metric", "of", "sense", "limit", "value", "held",
    "reference"}], the last what a loop that looks at nothing would come to, or None."""
    judged = []
    for metric, of, sense, limit in bars:
        found = metrics.get(metric, {})
        if "xvs" not in found or (of and not found.get(of, {}).get("median")):
            continue
        value = found["xvs"]["median"] / (found[of]["median"] if of else 1)
        held = value >= limit if sense == ">=" else value <= limit
        bound = None
        if of == "stock" and "reference" in found:
            bound = found["reference"]["median"] / found[of]["median"]
        judged.append({"metric": metric, "of": of, "sense": sense, "limit": limit,
                       "value": value, "held": held, "reference": bound})
    return judged


def summary_of(record):
    """{case: {metric: {"unit", "better", "ratio", switch: summarize()}}}"""
    summary = {}
    for name, case in record["cases"].items():
        metrics = {}
        for metric, (unit, better) in case["metrics"].items():
            found = {switch: summarize(values[metric])
                     for switch, values in case["values"].items() if values.get(metric)}
            if found:
                metrics[metric] = {"unit": unit, "better": better, "ratio": ratio(found), **found}
        summary[name] = metrics
    return summary


def machine():
    """A description of where this ran that says nothing about when or whose."""
    model, memory = platform.machine(), 0
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) // (1 << 20)
    return {"cpu": model, "cores": cores(), "memory_gib": memory, "kernel": platform.release()}


def busy_cores(seconds):
    """How many cores' worth of work the machine does now, what a hypervisor takes included."""
    def spent():
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(word) for word in file.readline().split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]  # all, idle and waiting for I/O
    before = spent()
    time.sleep(seconds)
    total, idle = (after - b for after, b in zip(spent(), before))
    return (total - idle) / max(total, 1) * cores()


def cores():
    """As many as the kernel counts."""
    with open("/proc/stat", encoding="ascii") as file:
        return sum(line.startswith("cpu") for line in file) - 1


def number(value):
    """Three or four significant digits, no exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.4f}"


def cell(found):
    """Median with the spread behind it."""
    if not found:
        return "-"
    if found["n"] == 1:
        return number(found["median"])
    return f"{number(found['median'])} ({number(found['min'])}..{number(found['max'])})"


def text(record):
    """The table that people read."""
    where = record["machine"]
    lines = [f"{where['cpu']}, {where['cores']} cores, Linux {where['kernel']}",
             f"{record['options']['pairs']} pairs, medians (smallest..largest)", ""]
    row = "{:<16} {:>11}  {:>26} {:>26} {:>7}  {:>26}"
    for name, metrics in record["summary"].items():
        case = record["cases"][name]
        other = "cni" if "cni" in case["values"] else "stock"
        lines += [f"{name}: {case['about']}"]
        if metrics:
            lines.append(row.format("", "", other, "xvs", "ratio", "reference"))
        for metric, found in metrics.items():
            times = "-" if found["ratio"] is None else f"{found['ratio']:.2f}"
            lines.append(row.format(metric, found["unit"], cell(found.get(other)),
                                    cell(found.get("xvs")), times,
                                    cell(found.get("reference"))).rstrip())
        for bar in judge(case["bars"], metrics):
            what = f"{bar['metric']} / {bar['of']}" if bar["of"] else bar["metric"]
            bound = "" if bar["reference"] is None else \
                f" (reference: {number(bar['reference'])})"
            lines.append(f"  {'held' if bar['held'] else 'MISSED'}: {what} {bar['sense']} "
                         f"{bar['limit']}: {number(bar['value'])}{bound}")
        lines += [f"  {switch} skipped: {why}" for switch, why in case["skipped"].items()]
        lines.append("")
    return "\n".join(lines)
