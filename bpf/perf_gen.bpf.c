/* SPDX-License-Identifier: Apache-2.0 */
/* The load generator of xvs-perf.  The kernel runs it over and over by BPF_PROG_TEST_RUN with
 * live frames: each run gets a frame that holds the template or what an earlier run left in it,
 * writes one flow's headers and a stamp, and sends it out of the device.  A run that has
 * nothing to send yet drops its frame, so pacing is a busy loop in the kernel: a new system
 * call for every burst would cost milliseconds. */

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "perf_frame.h"

#define SIZES_MAX 16

/* Set before the program is loaded. */
const volatile __u32 gen_ifindex;
const volatile __u32 gen_n_flows = 1;
const volatile __u32 gen_flow_base;   /* number of this generator's first flow */
const volatile __u32 gen_seq_base;    /* and of its first frame */
const volatile __u64 gen_interval_q8; /* ns between bursts, times 256; 0: flood */
const volatile __u32 gen_burst = 1;
const volatile __u32 gen_tagged;    /* the template has a VLAN tag */
const volatile __u32 gen_random;    /* flows in random order, not in turn */
const volatile __u32 gen_stamp;     /* time stamps also when flooding */
const volatile __u32 gen_frame_len; /* of the template */
const volatile __u32 gen_n_sizes;   /* 0: every frame is as long as the template */
const volatile __u16 gen_sizes[SIZES_MAX];

struct perf_gen_state gen_state;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct perf_flow);
} gen_flows SEC(".maps");

/* Is a frame due?  `*now` is set if the clock was read. */
static __always_inline int
is_due(struct perf_gen_state *st, __u64 *now)
{
    if (!gen_interval_q8) {
        return 1;
    }
    if (!st->in_burst) {
        __u64 due = st->due_ns;

        *now = bpf_ktime_get_ns();
        if (!due || *now > due + 1000000) {
            due = *now; /* What was missed in a millisecond is not made up for. */
        } else if (*now < due) {
            return 0;
        }
        /* The fraction that `due` cannot hold is spread over the frames by their number. */
        st->due_ns = due + ((gen_interval_q8 + (st->sent[0] + st->sent[1]) % 256) >> 8);
        st->in_burst = gen_burst;
    }
    st->in_burst--;
    return 1;
}

static __always_inline __u32
next_flow(struct perf_gen_state *st)
{
    __u32 i = st->next_flow;

    if (gen_random) {
        return bpf_get_prandom_u32() % gen_n_flows;
    }
    st->next_flow = i + 1 >= gen_n_flows ? 0 : i + 1;
    return i;
}

struct frame {
    struct iphdr ip;
    struct udphdr udp;
    struct perf_stamp stamp;
} __attribute__((packed));

SEC("xdp")
int
perf_gen(struct xdp_md *ctx)
{
    struct perf_gen_state *st = &gen_state;
    __u64 now = 0, n = st->sent[0] + st->sent[1];
    __u8 *data = (void *) (long) ctx->data, *end = (void *) (long) ctx->data_end;
    struct frame *f = (void *) (data + (gen_tagged ? ETH_HLEN + 4 : ETH_HLEN));
    __u32 len = gen_frame_len, phase = st->phase & 1, i, l3_len, sum;
    struct perf_flow *flow;

    if (st->stop || n >= st->limit || !is_due(st, &now)) {
        return XDP_DROP;
    }
    i = next_flow(st);
    flow = bpf_map_lookup_elem(&gen_flows, &i);
    if (!flow || (void *) (f + 1) > (void *) end || data + ETH_HLEN > end) {
        return XDP_DROP;
    }
    if (gen_n_sizes) {
        len = gen_sizes[n % gen_n_sizes % SIZES_MAX];
    }
    l3_len = len - (gen_tagged ? ETH_HLEN + 4 : ETH_HLEN);
    __builtin_memcpy(data, flow->macs, sizeof flow->macs);
    f->ip.saddr = flow->src;
    f->ip.daddr = flow->dst;
    f->ip.tot_len = bpf_htons(l3_len);
    sum = flow->csum + bpf_htons(l3_len);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    f->ip.check = ~sum;
    f->udp.source = flow->sport;
    f->udp.dest = flow->dport;
    f->udp.len = bpf_htons(l3_len - sizeof(struct iphdr));
    if (gen_stamp && !now) {
        now = bpf_ktime_get_ns();
    }
    f->stamp.magic = PERF_MAGIC + phase;
    f->stamp.flow = gen_flow_base + i;
    f->stamp.seq = gen_seq_base + (__u32) n;
    f->stamp.sent_ns = gen_stamp ? now : 0;
    if (len != gen_frame_len && bpf_xdp_adjust_tail(ctx, (int) len - (int) gen_frame_len)) {
        return XDP_DROP;
    }
    st->sent[phase]++;
    st->sent_bytes[phase] += len;
    return (int) bpf_redirect(gen_ifindex, 0);
}

char gen_license[] SEC("license") = "Apache-2.0";
