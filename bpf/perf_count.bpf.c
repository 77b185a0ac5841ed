/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver of xvs-perf: takes the generator's frames off the far device and counts them;
 * measures their latency where they carry a time, and looks for doubles and wrong order where
 * asked.  Everything else goes on to the host's stack.  The same program for the XDP and the tc
 * hook. */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "perf_frame.h"

/* Set before the program is loaded. */
const volatile __u32 count_check; /* look at sequence numbers */
const volatile __u32 count_n_flows = 1;
const volatile __u32 count_n_seqs = 1;

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, PERF_PHASES);
    __type(key, __u32);
    __type(value, struct perf_count);
} counts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, PERF_HIST_BUCKETS);
    __type(key, __u32);
    __type(value, __u64);
} latencies SEC(".maps");

/* Of each flow, the sequence number that comes next at the earliest. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} flow_next SEC(".maps");

/* A byte, not a bit, for each sequence number: two CPUs may receive at once. */
struct seq_block {
    __u8 seen[PERF_SEQ_BLOCK];
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct seq_block);
} seqs SEC(".maps");

static __always_inline __u32
log2_u64(__u64 v)
{
    __u32 n = 0;

    for (int shift = 32; shift; shift >>= 1) {
        if (v >> shift) {
            v >>= shift;
            n += (__u32) shift;
        }
    }
    return n;
}

/* The inverse is hist_value() in utilities/xvs-perf/hist.c. */
static __always_inline __u32
hist_bucket(__u64 ns)
{
    __u32 exponent, bucket;

    if (ns < PERF_HIST_SUB) {
        return (__u32) ns;
    }
    exponent = log2_u64(ns) - PERF_HIST_SUB_BITS;
    bucket = (exponent << PERF_HIST_SUB_BITS) + (__u32) (ns >> exponent);
    return bucket < PERF_HIST_BUCKETS ? bucket : PERF_HIST_BUCKETS - 1;
}

static __always_inline void
count_latency(struct perf_count *c, __u64 sent_ns)
{
    __u64 ns = bpf_ktime_get_ns() - sent_ns;
    __u32 bucket = hist_bucket(ns);
    __u64 *n = bpf_map_lookup_elem(&latencies, &bucket);

    c->latency_n++;
    c->latency_sum_ns += ns;
    if (n) {
        (*n)++;
    }
}

static __always_inline void
check_seq(struct perf_count *c, __u32 flow, __u32 seq)
{
    __u32 block_no = seq / PERF_SEQ_BLOCK;
    struct seq_block *block = bpf_map_lookup_elem(&seqs, &block_no);
    __u32 *next;

    if (block) {
        __u8 *seen = &block->seen[seq % PERF_SEQ_BLOCK];

        if (*seen) {
            c->doubled++;
            return;
        }
        *seen = 1;
    }
    next = bpf_map_lookup_elem(&flow_next, &flow);
    if (next) {
        if (seq < *next) {
            c->reordered++;
        } else {
            *next = seq + 1;
        }
    }
}

/* True if the frame is one of the generator's. */
static __always_inline int
count_frame(__u8 *data, __u8 *end, __u32 len)
{
    struct ethhdr *eth = (void *) data;
    struct iphdr *ip = (void *) (eth + 1);
    struct perf_stamp *stamp;
    struct perf_count *c;
    __u32 phase;

    if ((void *) (eth + 1) > (void *) end) {
        return 0;
    }
    __be16 type = eth->h_proto;
    if (type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD)) {
        if (data + ETH_HLEN + 4 > end) {
            return 0;
        }
        type = *(__be16 *) (data + ETH_HLEN + 2);
        ip = (void *) (data + ETH_HLEN + 4);
    }
    stamp = (void *) ((__u8 *) (ip + 1) + sizeof(struct udphdr));
    if (type != bpf_htons(ETH_P_IP) || (void *) (stamp + 1) > (void *) end ||
        ip->protocol != IPPROTO_UDP) {
        return 0;
    }
    phase = (__u16) (stamp->magic - PERF_MAGIC);
    if (phase >= PERF_PHASES) {
        return 0;
    }
    c = bpf_map_lookup_elem(&counts, &phase);
    if (!c) {
        return 0;
    }
    c->packets++;
    c->bytes += len;
    if (stamp->sent_ns && phase == PERF_MEASURE) {
        count_latency(c, stamp->sent_ns);
    }
    if (count_check) {
        check_seq(c, stamp->flow, stamp->seq);
    }
    return 1;
}

SEC("xdp")
int
perf_count_xdp(struct xdp_md *ctx)
{
    __u8 *data = (void *) (long) ctx->data, *end = (void *) (long) ctx->data_end;

    return count_frame(data, end, (__u32) (end - data)) ? XDP_DROP : XDP_PASS;
}

/* On this hook the kernel has taken off the outermost VLAN tag. */
SEC("tc")
int
perf_count_tc(struct __sk_buff *skb)
{
    __u8 *data, *end;

    /* AF_XDP's frames come as page fragments: what is looked at must be linear. */
    if (bpf_skb_pull_data(skb, skb->len < 64 ? skb->len : 64)) {
        return TC_ACT_OK;
    }
    data = (void *) (long) skb->data;
    end = (void *) (long) skb->data_end;
    return count_frame(data, end, skb->len) ? TC_ACT_SHOT : TC_ACT_OK;
}

char count_license[] SEC("license") = "Apache-2.0";
