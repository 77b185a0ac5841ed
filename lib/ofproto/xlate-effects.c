/* SPDX-License-Identifier: Apache-2.0 */
/* What a flow does beyond having its packets sent: counts for rules and groups, learned
 * addresses and rules, references to pipelines that wait.  Translation gathers the list; the
 * revalidator goes through it for the packets that a megaflow carried. */

#include <stdlib.h>

#include "log/coverage.h"
#include "netdev/patch/netdev-patch.h"
#include "ofproto/frozen.h"
#include "ofproto/revalidator.h"
#include "ofproto/xlate-private.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_xlate_too_long);

static void
effect_destroy(struct xlate_effect *e)
{
    switch (e->type) {
    case XLATE_EFFECT_RULE:
        rule_unref(e->rule);
        break;
    case XLATE_EFFECT_BUCKET:
        group_unref(e->bucket.group);
        break;
    case XLATE_EFFECT_LEARN_FLOW:
        if (e->learn_flow.fm) {
            of_actions_free(&e->learn_flow.fm->actions);
            free(e->learn_flow.fm);
        }
        break;
    case XLATE_EFFECT_FIN_TIMEOUT:
        rule_unref(e->fin.rule);
        break;
    case XLATE_EFFECT_FROZEN:
        frozen_unref(e->frozen);
        break;
    case XLATE_EFFECT_TABLE:
    case XLATE_EFFECT_PATCH:
    case XLATE_EFFECT_LEARN:
        break;
    }
}

void
xlate_effects_destroy(struct xlate_effects *effects)
{
    for (unsigned i = 0; i < effects->n; i++) {
        effect_destroy(&effects->e[i]);
    }
    free(effects->e);
    *effects = (struct xlate_effects){.n = 0};
}

void
xlate_cookie_free(struct xlate_cookie *cookie)
{
    if (cookie) {
        xlate_effects_destroy(&cookie->effects);
        free(cookie);
    }
}

struct xlate_effect *
xlate_add_effect(struct xlate_ctx *ctx, enum xlate_effect_type type)
{
    struct xlate_effects *fx = &ctx->effects;

    if (fx->n >= XLATE_MAX_EFFECTS) {
        if (!ctx->overflow) {
            COVERAGE_INC(drop_xlate_too_long);
        }
        xlate_give_up(ctx, "too many side effects");
        return NULL;
    }
    if (fx->n == fx->cap) {
        fx->cap = fx->cap ? fx->cap * 2 : 4;
        fx->e = xrealloc(fx->e, fx->cap * sizeof *fx->e);
    }
    fx->e[fx->n] = (struct xlate_effect){.type = type};
    return &fx->e[fx->n++];
}

static void
credit_patch(const struct xsnapshot *s, const struct xlate_effect *e, uint64_t n_packets,
             uint64_t n_bytes)
{
    const struct xport *out = xsnapshot_port_by_id(s, e->patch.out_id);
    const struct xport *in = xsnapshot_port_by_id(s, e->patch.in_id);

    if (out && in) {
        netdev_patch_credit(out->netdev, 0, 0, n_packets, n_bytes);
        netdev_patch_credit(in->netdev, n_packets, n_bytes, 0, 0);
    }
}

static void
learn_address(const struct xsnapshot *s, const struct xlate_effect *e, int64_t used_ms)
{
    const struct xbridge *b = xsnapshot_bridge_by_id(s, e->learn.bridge_id);
    enum mac_learn result;

    if (!b || !xbridge_bundle_by_id(b, e->learn.bundle_id)) {
        return;
    }
    result = mac_table_learn(b->macs, e->learn.vlan, e->learn.mac, e->learn.bundle_id, used_ms,
                             false);
    if (result == MAC_LEARN_NEW || result == MAC_LEARN_MOVED) {
        revalidator_changed();
    }
}

static struct oftables *
tables_of(const struct xsnapshot *s, uint32_t bridge_id)
{
    const struct xbridge *b = xsnapshot_bridge_by_id(s, bridge_id);

    return b ? b->tables : NULL;
}

/* Learned again if it is gone meanwhile, else refreshed. */
static void
learn_flow(const struct xsnapshot *s, const struct xlate_effect *e)
{
    struct oftables *t = tables_of(s, e->learn_flow.bridge_id);

    if (t) {
        oftables_learn(t, e->learn_flow.fm, e->learn_flow.limit);
    }
}

static void
fin_timeout(const struct xsnapshot *s, const struct xlate_effect *e)
{
    struct oftables *t = tables_of(s, e->fin.bridge_id);

    if (t) {
        oftables_fin_timeout(t, e->fin.rule, e->fin.idle, e->fin.hard);
    }
}

static void
credit(const struct xsnapshot *s, const struct xlate_effect *e, uint64_t n_packets,
       uint64_t n_bytes, int64_t used_ms)
{
    struct oftables *t;

    switch (e->type) {
    case XLATE_EFFECT_RULE:
        rule_credit(e->rule, n_packets, n_bytes, used_ms);
        break;
    case XLATE_EFFECT_TABLE:
        t = tables_of(s, e->table.bridge_id);
        if (t) {
            oftables_credit_table(t, e->table.table_id, n_packets, e->table.hit);
        }
        break;
    case XLATE_EFFECT_BUCKET:
        group_credit(e->bucket.not_first ? NULL : e->bucket.group,
                     &e->bucket.group->buckets[e->bucket.index], n_packets, n_bytes);
        break;
    case XLATE_EFFECT_PATCH:
        credit_patch(s, e, n_packets, n_bytes);
        break;
    case XLATE_EFFECT_LEARN:
    case XLATE_EFFECT_LEARN_FLOW:
    case XLATE_EFFECT_FIN_TIMEOUT:
    case XLATE_EFFECT_FROZEN:
        break;
    }
}

void
xlate_credit(const struct xsnapshot *s, const struct xlate_effects *effects, uint64_t n_packets,
             uint64_t n_bytes, int64_t used_ms)
{
    for (unsigned i = 0; i < effects->n; i++) {
        credit(s, &effects->e[i], n_packets, n_bytes, used_ms);
    }
}

void
xlate_learn_again(const struct xsnapshot *s, const struct xlate_effects *effects,
                  int64_t used_ms)
{
    for (unsigned i = 0; i < effects->n; i++) {
        const struct xlate_effect *e = &effects->e[i];

        switch (e->type) {
        case XLATE_EFFECT_LEARN:
            learn_address(s, e, used_ms);
            break;
        case XLATE_EFFECT_LEARN_FLOW:
            learn_flow(s, e);
            break;
        case XLATE_EFFECT_FIN_TIMEOUT:
            fin_timeout(s, e);
            break;
        case XLATE_EFFECT_RULE:
        case XLATE_EFFECT_TABLE:
        case XLATE_EFFECT_BUCKET:
        case XLATE_EFFECT_PATCH:
        case XLATE_EFFECT_FROZEN:
            break;
        }
    }
}
