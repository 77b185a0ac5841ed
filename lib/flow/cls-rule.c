/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a classifier and their masks in compact form: only the words of struct flow in which
 * the mask has bits, ordered by stage.  Main creates them; whoever drops the last reference to
 * the owner's rule destroys them, on any thread. */

#include "flow/classifier-private.h"

#include <stdlib.h>

#include "flow/flow-key.h"
#include "util/xalloc.h"

static const uint8_t stage_of[FS_N] = {
    [FS_META] = CLS_STAGE_META, [FS_REGS] = CLS_STAGE_META, [FS_ETH] = CLS_STAGE_L2,
    [FS_VLAN] = CLS_STAGE_L2,   [FS_MPLS] = CLS_STAGE_L2,   [FS_IP] = CLS_STAGE_L3,
    [FS_IPV4] = CLS_STAGE_L3,   [FS_IPV6] = CLS_STAGE_L3,   [FS_ARP] = CLS_STAGE_L3,
    [FS_L4] = CLS_STAGE_L4,     [FS_ND] = CLS_STAGE_L4,
};

struct cls_mask *
cls_mask_create(const struct flow *mask)
{
    struct cls_mask *m;
    unsigned n = 0;

    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        n += cls_words(mask)[i] != 0;
    }
    m = xzalloc(sizeof *m + n * sizeof m->m[0]);
    atomic_init(&m->refcnt, 1);
    for (unsigned stage = 0; stage < CLS_N_STAGES; stage++) {
        for (unsigned s = 0; s < FS_N; s++) {
            unsigned from = flow_section_flow_ofs[s];

            for (unsigned i = from; stage_of[s] == stage && i < from + flow_section_words[s];
                 i++) {
                if (cls_words(mask)[i]) {
                    m->m[m->n] = cls_words(mask)[i];
                    m->idx[m->n++] = (uint8_t) i;
                }
            }
        }
        /* Which layers there are is known with L2. */
        if (stage == CLS_STAGE_L2 && mask->sections) {
            m->m[m->n] = mask->sections;
            m->idx[m->n++] = (uint8_t) (offsetof(struct flow, sections) / 8);
        }
        m->end[stage] = m->n;
    }
    return m;
}

void
cls_mask_unref(struct cls_mask *m)
{
    if (m && atomic_fetch_sub_explicit(&m->refcnt, 1, memory_order_acq_rel) == 1) {
        free(m);
    }
}

bool
cls_mask_covers(const struct cls_mask *m, const struct flow *wide)
{
    uint64_t left[FLOW_WORDS], any = 0;

    memcpy(left, wide, sizeof left);
    for (unsigned i = 0; i < m->n; i++) {
        left[m->idx[i]] &= ~m->m[i];
    }
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        any |= left[i];
    }
    return !any;
}

void
cls_rule_init(struct cls_rule *r, const struct flow *match, const struct flow *mask,
              int priority, const struct cls_conj_set *conj)
{
    struct cls_mask *m = cls_mask_create(mask);

    memset(r, 0, sizeof *r);
    r->priority = priority;
    r->conj = conj;
    r->mask = m;
    r->w = m->n ? xmalloc(m->n * sizeof r->w[0]) : NULL;
    for (unsigned i = 0; i < m->n; i++) {
        r->w[i] = cls_words(match)[m->idx[i]] & m->m[i];
    }
    r->hash = (uint32_t) cls_hash_words(0, r->w, 0, m->n);
    r->added = CLS_VERSION_NEVER;
    atomic_init(&r->lower, NULL);
    atomic_init(&r->removed, CLS_VERSION_NEVER);
}

void
cls_rule_destroy(struct cls_rule *r)
{
    cls_mask_unref(r->mask);
    free(r->w);
    r->mask = NULL;
    r->w = NULL;
}

void
cls_rule_get_match(const struct cls_rule *r, struct flow *match, struct flow *mask)
{
    memset(match, 0, sizeof *match);
    memset(mask, 0, sizeof *mask);
    for (unsigned i = 0; i < r->mask->n; i++) {
        ((flow_word *) match)[r->mask->idx[i]] = r->w[i];
        ((flow_word *) mask)[r->mask->idx[i]] = r->mask->m[i];
    }
}

bool
cls_rule_is_within(const struct cls_rule *r, const struct flow *match, const struct flow *mask)
{
    const struct cls_mask *m = r->mask;

    for (unsigned i = 0; i < m->n; i++) {
        uint64_t both = cls_words(mask)[m->idx[i]];

        if ((r->w[i] ^ cls_words(match)[m->idx[i]]) & both) {
            return false;
        }
    }
    return cls_mask_covers(m, mask);
}
