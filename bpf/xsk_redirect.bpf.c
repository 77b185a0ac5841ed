/* SPDX-License-Identifier: Apache-2.0 */
/* Hands every packet to the AF_XDP socket of the queue it arrived on.  A queue without a socket
 * is left to the host's network stack, so that a port may use only some of a device's queues.
 * Loaded by lib/netdev/afxdp/xdp-attach.c, which sizes the map. */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, 64);
    __type(key, __u32);
    __type(value, __u32);
} xsks SEC(".maps");

SEC("xdp")
int
xsk_redirect(struct xdp_md *ctx)
{
    /* The action for an empty slot travels in the flags (Linux 5.3). */
    return (int) bpf_redirect_map(&xsks, ctx->rx_queue_index, XDP_PASS);
}

char xsk_license[] SEC("license") = "Apache-2.0";
