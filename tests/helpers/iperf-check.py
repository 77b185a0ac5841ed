#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails, saying why, unless iperf3's JSON report shows a run that moved data."""

import json
import sys


def main():
    report = json.load(open(sys.argv[1]))
    if "error" in report:
        return report["error"]
    end = report["end"]
    total = end.get("sum_received") or end["sum"]
    if total["bytes"] < 100000:
        return f"only {total['bytes']} bytes arrived"
    if total.get("lost_percent", 0) > 50:
        return f"{total['lost_percent']} % lost"
    return 0


sys.exit(main())
