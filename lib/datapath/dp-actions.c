/* SPDX-License-Identifier: Apache-2.0 */
/* Datapath action lists: made by translation on polling threads, compared by revalidation.
 * Plain memory, any thread; execution is in dp-execute.c, text in dp-actions-format.c. */

#include "datapath/dp-actions.h"

#include <stdlib.h>
#include <string.h>

#include "flow/flow-key.h"
#include "log/coverage.h"
#include "packet/headers.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(datapath_actions_too_long);

/* An action to fill in; one that nobody will see if the list is full. */
static struct dp_action *
builder_add(struct dp_actions_builder *b, enum dp_action_type type)
{
    static _Thread_local struct dp_action nowhere;
    struct dp_action *a;

    if (b->n >= DP_ACTIONS_MAX) {
        b->overflow = true;
        return &nowhere;
    }
    if (b->n >= b->cap) {
        b->cap = b->cap ? b->cap * 2 : 4;
        b->a = xrealloc(b->a, b->cap * sizeof *b->a);
    }
    a = &b->a[b->n++];
    memset(a, 0, sizeof *a);
    a->type = (uint16_t) type;
    return a;
}

/* Room for argument words; NULL if the list is full.  Valid until the next call. */
static uint64_t *
builder_words(struct dp_actions_builder *b, uint32_t n, uint32_t *index)
{
    *index = b->n_words;
    if (n > DP_ACTIONS_MAX - b->n_words) {
        b->overflow = true;
        return NULL;
    }
    if (b->n_words + n > b->cap_words) {
        b->cap_words = (b->n_words + n) * 2;
        b->words = xrealloc(b->words, b->cap_words * sizeof *b->words);
    }
    b->n_words += n;
    return &b->words[*index];
}

void
dp_actions_add_output(struct dp_actions_builder *b, uint32_t port)
{
    builder_add(b, DP_ACT_OUTPUT)->port = port;
}

void
dp_actions_add_push_vlan(struct dp_actions_builder *b, uint16_t tpid, uint16_t tci)
{
    struct dp_action *a = builder_add(b, DP_ACT_PUSH_VLAN);

    a->push_vlan.tpid = tpid;
    a->push_vlan.tci = tci & (uint16_t) ~VLAN_CFI;
}

void
dp_actions_add_pop_vlan(struct dp_actions_builder *b)
{
    builder_add(b, DP_ACT_POP_VLAN);
}

void
dp_actions_add_set(struct dp_actions_builder *b, enum flow_section section, uint8_t hint,
                   const void *value, const void *mask)
{
    unsigned n = flow_section_words[section];
    uint64_t v[FLOW_KEY_MAX_WORDS], m[FLOW_KEY_MAX_WORDS], *words;
    struct dp_action *a;
    uint32_t arg;

    memcpy(v, value, n * 8);
    memcpy(m, mask, n * 8);
    words = builder_words(b, 2 * n, &arg);
    a = builder_add(b, DP_ACT_SET);
    a->section = (uint8_t) section;
    a->hint = hint;
    a->arg = arg;
    for (unsigned i = 0; words && i < n; i++) {
        words[i] = v[i] & m[i];
        words[n + i] = m[i];
    }
}

void
dp_actions_add_push_mpls(struct dp_actions_builder *b, uint16_t ethertype, uint32_t lse_be)
{
    struct dp_action *a = builder_add(b, DP_ACT_PUSH_MPLS);

    a->n = ethertype;
    a->lse_be = lse_be;
}

bool
dp_actions_amend_push_mpls(struct dp_actions_builder *b, uint32_t lse_be)
{
    if (!b->n || b->a[b->n - 1].type != DP_ACT_PUSH_MPLS) {
        return false;
    }
    b->a[b->n - 1].lse_be = lse_be;
    return true;
}

void
dp_actions_add_pop_mpls(struct dp_actions_builder *b, uint16_t ethertype)
{
    builder_add(b, DP_ACT_POP_MPLS)->n = ethertype;
}

void
dp_actions_add_hash(struct dp_actions_builder *b, enum dp_hash_alg alg, uint32_t basis)
{
    struct dp_action *a = builder_add(b, DP_ACT_HASH);

    a->n = (uint16_t) alg;
    a->basis = basis;
}

void
dp_actions_add_recirc(struct dp_actions_builder *b, uint32_t recirc_id)
{
    builder_add(b, DP_ACT_RECIRC)->recirc_id = recirc_id;
}

void
dp_actions_add_meter(struct dp_actions_builder *b, uint32_t meter_id)
{
    builder_add(b, DP_ACT_METER)->meter_id = meter_id;
}

void
dp_actions_add_trunc(struct dp_actions_builder *b, uint32_t max_len)
{
    builder_add(b, DP_ACT_TRUNC)->max_len = max_len;
}

uint32_t
dp_actions_begin_clone(struct dp_actions_builder *b)
{
    builder_add(b, DP_ACT_CLONE);
    return b->n - 1;
}

void
dp_actions_end_clone(struct dp_actions_builder *b, uint32_t begun)
{
    if (!b->overflow) {
        b->a[begun].n = (uint16_t) (b->n - begun - 1);
    }
}

void
dp_actions_wrap_clone(struct dp_actions_builder *b, uint32_t at)
{
    builder_add(b, DP_ACT_CLONE);
    if (b->overflow) {
        return;
    }
    memmove(&b->a[at + 1], &b->a[at], (b->n - 1 - at) * sizeof *b->a);
    b->a[at] = (struct dp_action){.type = DP_ACT_CLONE, .n = (uint16_t) (b->n - 1 - at)};
}

uint32_t
dp_actions_begin_check_pkt_len(struct dp_actions_builder *b, uint32_t len)
{
    const struct dp_check_pkt_len c = {.len = len};
    uint32_t arg;
    uint64_t *words = builder_words(b, 1, &arg);

    if (words) {
        memcpy(words, &c, sizeof c);
    }
    builder_add(b, DP_ACT_CHECK_PKT_LEN)->arg = arg;
    return b->n - 1;
}

void
dp_actions_else_check_pkt_len(struct dp_actions_builder *b, uint32_t begun)
{
    struct dp_check_pkt_len c;

    if (!b->overflow) {
        memcpy(&c, &b->words[b->a[begun].arg], sizeof c);
        c.n_greater = (uint16_t) (b->n - begun - 1);
        memcpy(&b->words[b->a[begun].arg], &c, sizeof c);
    }
}

void
dp_actions_end_check_pkt_len(struct dp_actions_builder *b, uint32_t begun)
{
    struct dp_check_pkt_len c;

    if (!b->overflow) {
        memcpy(&c, &b->words[b->a[begun].arg], sizeof c);
        c.n_le = (uint16_t) (b->n - begun - 1 - c.n_greater);
        memcpy(&b->words[b->a[begun].arg], &c, sizeof c);
    }
}

void
dp_actions_add_punt(struct dp_actions_builder *b, const uint64_t *args, uint16_t n)
{
    uint32_t arg;
    uint64_t *words = builder_words(b, n, &arg);
    struct dp_action *a = builder_add(b, DP_ACT_PUNT);

    a->n = n;
    a->arg = arg;
    if (words && n) {
        memcpy(words, args, n * sizeof *words);
    }
}

void
dp_actions_builder_destroy(struct dp_actions_builder *b)
{
    free(b->a);
    free(b->words);
    *b = (struct dp_actions_builder){.n = 0};
}

struct dp_actions *
dp_actions_finish(struct dp_actions_builder *b)
{
    uint32_t n = b->overflow ? 0 : b->n, n_words = b->overflow ? 0 : b->n_words;
    struct dp_actions *acts = xmalloc(sizeof *acts + n * sizeof acts->a[0] + n_words * 8);

    if (b->overflow) {
        COVERAGE_INC(datapath_actions_too_long);
    }
    acts->n = n;
    acts->n_words = n_words;
    if (n) {
        memcpy(acts->a, b->a, n * sizeof acts->a[0]);
    }
    if (n_words) {
        memcpy(&acts->a[n], b->words, n_words * 8);
    }
    dp_actions_builder_destroy(b);
    return acts;
}

bool
dp_actions_equal(const struct dp_actions *a, const struct dp_actions *b)
{
    /* Every byte of an action is written, and argument words come in the order of theirs. */
    return a->n == b->n && a->n_words == b->n_words &&
           !memcmp(a->a, b->a, a->n * sizeof a->a[0] + a->n_words * 8);
}

bool
dp_actions_output_to(const struct dp_actions *acts, uint32_t port)
{
    for (uint32_t i = 0; i < acts->n; i++) {
        if (acts->a[i].type == DP_ACT_OUTPUT && acts->a[i].port == port) {
            return true;
        }
    }
    return false;
}
