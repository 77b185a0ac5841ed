/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_TRACE_ARGS_H
#define XVS_OFPROTO_TRACE_ARGS_H 1

/* The command line of ofproto/trace and ofproto/trace-packet-out, word by word.  Main thread.
 */

#include <stdbool.h>

struct trace_args {
    const char *word[3]; /* not options: up to datapath or bridge, flow, packet */
    unsigned n;
    const char *actions;
    bool generate, names;
    char *error;
};
/* Options are words with a dash; the last word of trace-packet-out is the actions.  What is
 * wrong stands in `error`, which the caller frees. */
void trace_args_split(int argc, const char *const argv[], bool packet_out, struct trace_args *);

#endif
