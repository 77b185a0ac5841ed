/* SPDX-License-Identifier: Apache-2.0 */
/* xvs-perf: the subcommands.  Documentation/xvs-perf.1 is the manual page. */

#include "perf.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: xvs-perf COMMAND [OPTION...]\n"
    "  gen       --from=[NS/]DEV                 frames out of a device\n"
    "  count     --to=[NS/]DEV                   count those that arrive at a device\n"
    "  trial     --from=[NS/]DEV --to=[NS/]DEV   both, and what was lost between them\n"
    "  pingpong  --from=NS --to=NS --address=IP  request and response over sockets\n"
    "  forward   [--ns=NS] [--cpu=N] DEV DEV     forward between two devices, looking at "
    "nothing\n"
    "  pauses    [--cpu=N] [--seconds=S]         how long a CPU is taken away from a thread\n"
    "Frames (gen, trial):\n"
    "  --size=BYTES[,BYTES...]|imix   with frame check sequence (64)\n"
    "  --flows=N                      1 to 1000000 (1)\n"
    "  --vary=FIELD[:STEP[:COUNT[:DIVISOR]]], --set=FIELD=VALUE\n"
    "                                 dmac, smac, sip, dip, sport, dport; may be repeated\n"
    "  --vlan=ID, --random            VLAN tag; flows in random order\n"
    "Sending (gen, trial):\n"
    "  --rate=N                       frames a second (0: as many as possible)\n"
    "  --burst=N, --frames=N          frames at a time (1), and at most in all\n"
    "  --cpus=N[,N...]                a generator on each of these (the first CPU)\n"
    "Measuring:\n"
    "  --seconds=S, --warmup=S        1 and 0; what the warm-up sends is not counted\n"
    "  --latency                      stamp frames with their time, report percentiles\n"
    "  --check                        look for doubled and reordered frames; with --frames\n"
    "  --hook=xdp|tc                  where to count (xdp)\n"
    "  --watch=PID [--syscalls]       CPU time and memory of that process, its system calls\n"
    "Results are one JSON object on standard output.  Needs root.\n";

static int
libbpf_says(enum libbpf_print_level level, const char *format, va_list args)
{
    /* Existing clsact qdiscs and the like are no news; failures are reported by the callers. */
    return level == LIBBPF_WARN && getenv("XVS_PERF_DEBUG") ? vfprintf(stderr, format, args)
                                                            : 0;
}

int
main(int argc, char *argv[])
{
    const char *command = argc > 1 ? argv[1] : "";

    libbpf_set_print(libbpf_says);
    if (!strcmp(command, "gen")) {
        return cmd_load(argc - 1, argv + 1, true, false);
    } else if (!strcmp(command, "count")) {
        return cmd_load(argc - 1, argv + 1, false, true);
    } else if (!strcmp(command, "trial")) {
        return cmd_load(argc - 1, argv + 1, true, true);
    } else if (!strcmp(command, "pingpong")) {
        return cmd_pingpong(argc - 1, argv + 1);
    } else if (!strcmp(command, "forward")) {
        return cmd_forward(argc - 1, argv + 1);
    } else if (!strcmp(command, "pauses")) {
        return cmd_pauses(argc - 1, argv + 1);
    } else if (!strcmp(command, "--help") || !strcmp(command, "-h")) {
        fputs(usage, stdout);
        return 0;
    } else if (!strcmp(command, "--version") || !strcmp(command, "-V")) {
        puts("xvs-perf " XVS_VERSION);
        return 0;
    }
    fputs(usage, stderr);
    return 1;
}
