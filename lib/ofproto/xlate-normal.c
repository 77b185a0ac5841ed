/* SPDX-License-Identifier: Apache-2.0 */
/* The NORMAL action: a learning VLAN bridge (IEEE 802.1Q).  Called by translation for each
 * bridge that a packet passes, on the translating thread.
 *
 * On the way in, the port's VLAN mode says which VLAN the packet is in and which of its tags
 * are the sender's own; on the way out, each port's mode says how that is shown.  It knows
 * nothing of OpenFlow tables and nothing of where a packet came from before this bridge. */

#include "ofproto/xlate-private.h"

#include <arpa/inet.h>

#include "log/coverage.h"
#include "ofproto/revalidator.h"
#include "packet/headers.h"

COVERAGE_DEFINE(drop_normal_no_bundle);
COVERAGE_DEFINE(drop_normal_vlan);
COVERAGE_DEFINE(drop_normal_cvlan);
COVERAGE_DEFINE(drop_normal_reserved_mac);
COVERAGE_DEFINE(drop_normal_inactive_member);
COVERAGE_DEFINE(drop_normal_to_input_port);
COVERAGE_DEFINE(drop_normal_tag_overflow);

/* Where packets are from that come from no port (packet-out): a trunk of which nothing is
 * learned. */
static const struct xbundle nowhere = {.vlan_mode = VLAN_MODE_TRUNK, .all_vlans = true};

struct normal {
    const struct xbridge *bridge;
    const struct xport *port; /* NULL: from nowhere */
    const struct xbundle *in;
    uint16_t vid;           /* the VLAN that the packet is in */
    bool was_tagged;        /* it came with a tag, perhaps of VLAN 0 */
    struct tag outer;       /* how a port that shows the VLAN shows it */
    struct tag_stack inner; /* the tags below */
};

/* Does a tunnel of VLANs take the customer's VLAN, the first of `tags`?  Untagged is VLAN 0. */
static bool
tunnel_takes(struct xlate_ctx *ctx, const struct xbundle *b, const struct tag_stack *tags)
{
    if (b->vlan_mode != VLAN_MODE_DOT1Q_TUNNEL || b->all_cvlans) {
        return true;
    }
    if (!tags->n) {
        xlate_look_untagged(ctx);
        return bitmap_test(b->cvlans, 0);
    }
    xlate_look_vid(ctx, &tags->t[0]);
    return bitmap_test(b->cvlans, tags->t[0].vid);
}

enum { ARP_OP_REQUEST = 1 }; /* RFC 826 */

static bool
bundle_carries(const struct xbundle *b, uint16_t vid)
{
    switch (b->vlan_mode) {
    case VLAN_MODE_ACCESS:
    case VLAN_MODE_DOT1Q_TUNNEL:
        return vid == b->tag;
    case VLAN_MODE_NATIVE_TAGGED:
    case VLAN_MODE_NATIVE_UNTAGGED:
        /* What has no VLAN is in the native one: no VLAN 0 but that. */
        if (vid == b->tag || vid == 0) {
            return vid == b->tag;
        }
        break;
    case VLAN_MODE_TRUNK:
        break;
    }
    return b->all_vlans || bitmap_test(b->trunks, vid);
}

/* The packet enters a tunnel of VLANs: its own tags are payload.  A tag that says nothing is
 * left out. */
static void
classify_tunnel(struct xlate_ctx *ctx, struct normal *n)
{
    n->vid = n->in->tag;
    n->inner = ctx->tags;
    n->outer = (struct tag){
        .tpid = n->in->qinq_8021ad ? ETH_TYPE_QINQ : ETH_TYPE_VLAN,
        .vid = n->vid,
        .origin = -1,
    };
    if (n->was_tagged && n->inner.t[0].vid == 0) {
        xlate_look_tag(ctx, &n->inner.t[0]);
        if (n->inner.t[0].pcp == 0) {
            tag_stack_pop(&n->inner);
        }
    }
}

static void
say_refused(struct xlate_ctx *ctx, const struct normal *n, bool is_access)
{
    const char *port = n->port ? netdev_name(n->port->netdev) : "";

    if (is_access) {
        xlate_say(
            ctx,
            ">>>> dropping VLAN %u tagged packet received on port %s configured as VLAN %u "
            "access port <<<<",
            n->vid, port, n->in->tag);
    } else {
        xlate_say(
            ctx,
            ">>>> dropping VLAN %u packet received on port %s not configured for trunking "
            "VLAN %u <<<<",
            n->vid, port, n->vid);
    }
    xlate_say(ctx, ">> disallowed VLAN VID for this input port, dropping");
}

/* Decides the packet's VLAN; false: the input port does not take it. */
static bool
classify(struct xlate_ctx *ctx, struct normal *n)
{
    const struct xbundle *in = n->in;

    n->was_tagged = ctx->tags.n > 0;
    if (n->was_tagged) {
        xlate_look_vid(ctx, &ctx->tags.t[0]);
    }
    if (in->vlan_mode == VLAN_MODE_DOT1Q_TUNNEL) {
        if (!tunnel_takes(ctx, in, &ctx->tags)) {
            COVERAGE_INC(drop_normal_cvlan);
            return false;
        }
        classify_tunnel(ctx, n);
        return true;
    }
    n->inner = ctx->tags;
    n->outer = (struct tag){.tpid = ETH_TYPE_VLAN, .origin = -1};
    if (n->was_tagged) {
        n->outer = ctx->tags.t[0];
        tag_stack_pop(&n->inner);
    }
    n->vid = n->outer.vid;
    if (in->vlan_mode == VLAN_MODE_ACCESS && n->vid != 0) {
        say_refused(ctx, n, true);
        return false;
    }
    if (n->vid == 0) {
        /* Untagged, or a priority alone: whether there will be a tag depends on all of it. */
        xlate_look_tag(ctx, &n->outer);
        if (in->vlan_mode != VLAN_MODE_TRUNK && in->tag != 0) {
            n->vid = n->outer.vid = in->tag;
            n->outer.origin = -1;
        }
    }
    if (!bundle_carries(in, n->vid)) {
        say_refused(ctx, n, false);
        return false;
    }
    return true;
}

/* The tags that the packet leaves `out` with; false when they are too many. */
static bool
tags_out(struct xlate_ctx *ctx, const struct normal *n, const struct xbundle *out,
         struct tag_stack *tags)
{
    bool strip = out->vlan_mode == VLAN_MODE_ACCESS ||
                 out->vlan_mode == VLAN_MODE_DOT1Q_TUNNEL ||
                 (out->vlan_mode == VLAN_MODE_NATIVE_UNTAGGED && n->vid == out->tag);
    bool always = out->priority_tags == PRIORITY_TAGS_ALWAYS && n->was_tagged;
    struct tag prio = n->outer;

    *tags = n->inner;
    if (!strip) {
        if (n->vid || n->outer.pcp || always) {
            return tag_stack_push(tags, n->outer);
        }
        return true;
    }
    if (out->priority_tags == PRIORITY_TAGS_NEVER || tags->n) {
        return true;
    }
    xlate_look_tag(ctx, &n->outer);
    if (prio.pcp || always) {
        prio.tpid = prio.origin >= 0 ? prio.tpid : ETH_TYPE_VLAN;
        prio.vid = 0;
        prio.origin = -1;
        return tag_stack_push(tags, prio);
    }
    return true;
}

static void
output_bundle(struct xlate_ctx *ctx, const struct normal *n, const struct xbundle *out)
{
    struct tag_stack tags;

    if (out == n->in || !out->active || !bundle_carries(out, n->vid)) {
        return;
    }
    if (out->protected_port && n->in->protected_port) {
        xlate_say(ctx, ">> Flow is between protected ports, skipping output.");
        return;
    }
    if (!tunnel_takes(ctx, out, &n->inner)) {
        return;
    }
    if (!tags_out(ctx, n, out, &tags)) {
        COVERAGE_INC(drop_normal_tag_overflow);
        return;
    }
    xlate_output(ctx, out->active, &tags);
}

/* Of a broadcast ARP packet (RFC 826) it matters whether it only announces its sender (RFC 5227
 * section 3: a request for its own address, or an answer nobody asked for): bonds believe
 * such a one at once.  Every ARP broadcast therefore has a megaflow for itself, as in stock
 * Open vSwitch. */
static void
look_arp(struct xlate_ctx *ctx)
{
    static const struct eth_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    const struct flow *f = &ctx->flow;

    if (!(f->sections & FS_BIT(FS_ARP)) || f->eth.type_be != htons(ETH_TYPE_ARP) ||
        !eth_addr_equal(f->eth.dst, broadcast)) {
        return;
    }
    memset(&ctx->wc.arp.op, 0xff, sizeof ctx->wc.arp.op);
    if (f->arp.op == ARP_OP_REQUEST) {
        ctx->wc.arp.spa_be = ctx->wc.arp.tpa_be = UINT32_MAX;
    }
}

static void
learn(struct xlate_ctx *ctx, const struct normal *n)
{
    struct xlate_effect *e;

    if (n->in == &nowhere || eth_addr_is_multicast(ctx->flow.eth.src) ||
        bitmap_test(n->bridge->flood_vlans, n->vid)) {
        return;
    }
    e = xlate_add_effect(ctx, XLATE_EFFECT_LEARN);
    if (e) {
        e->learn.bridge_id = n->bridge->id;
        e->learn.bundle_id = n->in->id;
        e->learn.vlan = n->vid;
        e->learn.mac = ctx->flow.eth.src;
    }
    if (ctx->in->may_learn) {
        enum mac_learn result = mac_table_learn(n->bridge->macs, n->vid, ctx->flow.eth.src,
                                                n->in->id, ctx->in->used_ms, ctx->in->fresh);

        if (result == MAC_LEARN_NEW || result == MAC_LEARN_MOVED) {
            xlate_say(ctx, "learned that " ETH_ADDR_FMT " is on port %s in VLAN %u",
                      ETH_ADDR_ARGS(ctx->flow.eth.src), netdev_name(n->port->netdev), n->vid);
            revalidator_changed();
        }
    }
}

/* Where the packet is from: the port that it came in by, unless actions wrote another one into
 * its in_port. */
static struct normal
begin(const struct xlate_ctx *ctx)
{
    uint16_t number = (uint16_t) ctx->flow.meta.in_port;
    struct normal n = {.bridge = ctx->bridge, .port = ctx->in_port};

    if (!n.port || n.port->ofport != number) {
        n.port = xbridge_port(ctx->bridge, number);
    }
    if (n.port) {
        n.in = n.port->bundle;
    } else if (number == OFPP_CONTROLLER || number == OFPP_NONE) {
        n.in = &nowhere;
    }
    return n;
}

void
xlate_normal(struct xlate_ctx *ctx)
{
    struct normal n = begin(ctx);
    const struct xbundle *out = NULL;
    struct eth_addr dst = ctx->flow.eth.dst;
    uint32_t bundle_id;

    memset(&ctx->wc.eth.src, 0xff, sizeof ctx->wc.eth.src);
    memset(&ctx->wc.eth.dst, 0xff, sizeof ctx->wc.eth.dst);
    if (!n.in) {
        COVERAGE_INC(drop_normal_no_bundle);
        if (!n.port) {
            xlate_say(ctx, ">>>> received packet on unknown port %u <<<<",
                      (unsigned) ctx->flow.meta.in_port);
        }
        xlate_say(ctx, ">> no input bundle, dropping");
        return;
    }
    if (n.port && n.in->active != n.port) {
        COVERAGE_INC(drop_normal_inactive_member);
        return;
    }
    if (!classify(ctx, &n)) {
        COVERAGE_INC(drop_normal_vlan);
        return;
    }
    if (eth_addr_is_reserved(dst) && !n.bridge->forward_bpdu) {
        COVERAGE_INC(drop_normal_reserved_mac);
        xlate_say(ctx, "packet has reserved destination MAC, dropping");
        return;
    }
    look_arp(ctx);
    learn(ctx, &n);

    if (!eth_addr_is_multicast(dst) && !bitmap_test(n.bridge->flood_vlans, n.vid) &&
        mac_table_lookup(n.bridge->macs, n.vid, dst, &bundle_id)) {
        out = xbridge_bundle_by_id(n.bridge, bundle_id);
    }
    if (out == n.in) {
        COVERAGE_INC(drop_normal_to_input_port);
        xlate_say(ctx, "learned port is input port, dropping");
    } else if (out) {
        xlate_say(ctx, "forwarding to learned port");
        output_bundle(ctx, &n, out);
    } else {
        xlate_say(ctx, "no learned MAC for destination, flooding");
        for (unsigned i = 0; i < n.bridge->n_bundles && !ctx->overflow; i++) {
            output_bundle(ctx, &n, &n.bridge->bundles[i]);
        }
    }
}
