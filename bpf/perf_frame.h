/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_BPF_PERF_FRAME_H
#define XVS_BPF_PERF_FRAME_H 1

/* What the load generator (perf_gen.bpf.c), the counter (perf_count.bpf.c) and xvs-perf, which
 * loads both, agree on. */

#include <linux/types.h>

/* Behind Ethernet, an optional VLAN tag, IPv4 without options, and UDP: 18 bytes, so that all
 * of it fits the smallest frame (64 bytes on the wire, 60 without the frame check sequence). */
struct perf_stamp {
    __u16 magic;   /* PERF_MAGIC + phase, in host order: one machine sends and receives */
    __u32 flow;    /* number of the flow */
    __u32 seq;     /* counts every frame of the run, from 0 */
    __u64 sent_ns; /* CLOCK_MONOTONIC, or 0: not stamped */
} __attribute__((packed));

#define PERF_MAGIC 0x5850
/* Frames of the warm-up are counted apart, so that what was in flight when the measurement
 * started belongs to neither. */
enum perf_phase { PERF_WARMUP, PERF_MEASURE, PERF_PHASES };

/* One flow: what the generator writes into the frame's headers.  Everything in network order.
 */
struct perf_flow {
    __u8 macs[12]; /* destination, source */
    __be32 src, dst;
    __be16 sport, dport;
    __u32 csum; /* of the IPv4 header, unfolded, its length field not yet added */
    __u32 pad;  /* an array element is a multiple of 8 bytes */
};

/* The generator's state: written by the program on the one CPU that runs it, except where
 * noted. */
struct perf_gen_state {
    __u64 sent[PERF_PHASES];
    __u64 sent_bytes[PERF_PHASES]; /* without frame check sequence */
    __u64 due_ns;                  /* of the next burst */
    __u64 limit;                   /* frames to send; written before the start */
    __u32 next_flow;
    __u32 in_burst; /* still to be sent of the burst that is due */
    __u32 phase;    /* written by xvs-perf */
    __u32 stop;     /* written by xvs-perf */
};

struct perf_count {
    __u64 packets, bytes;
    __u64 reordered; /* older than one of its flow that came before */
    __u64 doubled;   /* a sequence number that came before */
    __u64 latency_n, latency_sum_ns;
};

/* Latencies: 32 linear steps in each power of two, hence exact to about 3 %. */
#define PERF_HIST_SUB_BITS 5
#define PERF_HIST_SUB (1 << PERF_HIST_SUB_BITS)
#define PERF_HIST_BUCKETS (36 * PERF_HIST_SUB) /* to 2^40 ns */

#define PERF_SEQ_BLOCK 4096 /* sequence numbers in one element of the map of those seen */

#endif
