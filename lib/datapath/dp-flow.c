/* SPDX-License-Identifier: Apache-2.0 */
/* Megaflows as the datapath's users see them: walking, statistics, deletion, text.  Any
 * RCU-registered thread, inside a read-side section; the tables themselves are megaflow.c's. */

#include <inttypes.h>
#include <string.h>

#include "datapath/dp-private.h"
#include "flow/flow-format.h"
#include "os/clock.h"
#include "util/hash.h"

void
dp_flow_get_stats(const struct dp_flow *f, struct dp_flow_stats *st)
{
    st->n_packets = atomic_load_explicit(&f->n_packets, memory_order_relaxed);
    st->n_bytes = atomic_load_explicit(&f->n_bytes, memory_order_relaxed);
    st->used_ms = atomic_load_explicit(&f->used_ms, memory_order_relaxed);
    st->tcp_flags = atomic_load_explicit(&f->tcp_flags, memory_order_relaxed);
}

void
dp_flow_get_match(const struct dp_flow *f, struct flow *match, struct flow *mask)
{
    megaflow_get_match(f, match, mask);
}

const struct dp_actions *
dp_flow_actions(const struct dp_flow *f)
{
    return megaflow_actions(f);
}

void *
dp_flow_cookie(const struct dp_flow *f)
{
    return f->cookie;
}

int64_t
dp_flow_created_ms(const struct dp_flow *f)
{
    return f->created_ms;
}

bool
pmd_flow_for_each(struct dp *dp, struct pmd *pmd,
                  bool (*cb)(struct dp *, struct dp_flow *, void *), void *aux)
{
    struct cds_list_head *pos;

    /* By nodes: an entry at the list's head would not be aligned as flows are. */
    cds_list_for_each_rcu(pos, &pmd->flows.flows)
    {
        struct dp_flow *f = CONTAINER_OF(pos, struct dp_flow, node);

        if (!megaflow_is_dead(f) && !cb(dp, f, aux)) {
            return false;
        }
    }
    return true;
}

void
dp_flow_for_each(struct dp *dp, bool (*cb)(struct dp *, struct dp_flow *, void *aux), void *aux)
{
    const struct pmd_list *list = dp_pmds(dp);

    for (unsigned i = 0; i < list->n; i++) {
        if (!pmd_flow_for_each(dp, list->pmds[i], cb, aux)) {
            return;
        }
    }
}

void
dp_flow_del(struct dp *dp, struct dp_flow *f)
{
    megaflow_delete(f);
}

void
dp_flow_set_actions(struct dp *dp, struct dp_flow *f, struct dp_actions *actions)
{
    megaflow_set_actions(f, actions);
}

void
dp_flow_flush(struct dp *dp)
{
    const struct pmd_list *list = dp_pmds(dp);

    for (unsigned i = 0; i < list->n; i++) {
        megaflow_table_flush(&list->pmds[i]->flows);
    }
}

/* A version 4 UUID (RFC 9562) made of a hash over what the flow matches, so that it is the same
 * whenever the flow comes back. */
void
dp_flow_format_ufid(struct strbuf *s, const struct dp_flow *f)
{
    const struct mf_subtable *st = f->subtable;
    uint64_t seed = ((uint64_t) st->care << 16 | st->value);
    uint64_t masks = hash_bytes64(st->mask, sizeof st->mask, seed);
    uint64_t a, b;

    masks = hash_bytes64(st->sec, sizeof st->sec, masks);
    masks = hash_bytes64(st->word, sizeof st->word, masks);
    a = hash_bytes64(f->w, st->n_words * 8u, masks);
    b = hash_bytes64(f->w, st->n_words * 8u, ~masks);
    a = (a & ~UINT64_C(0xf000)) | 0x4000;
    b = (b & (UINT64_MAX >> 2)) | UINT64_C(1) << 63;
    strbuf_putf(s, "%08" PRIx32 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
                (uint32_t) (a >> 32), a >> 16 & 0xffff, a & 0xffff, b >> 48,
                b & UINT64_C(0xffffffffffff));
}

static const char *
port_name_cb(uint32_t port_no, void *dp)
{
    return dp_port_name(dp, port_no);
}

static void
format_tcp_flags(struct strbuf *s, uint16_t flags)
{
    static const struct {
        uint16_t bit;
        char c;
    } names[] = {
        {0x002, 'S'}, {0x001, 'F'}, {0x008, 'P'}, {0x004, 'R'}, {0x020, 'U'},
        {0x010, '.'}, {0x040, 'E'}, {0x080, 'C'}, {0x100, 'N'},
    };

    strbuf_puts(s, ", flags:");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (flags & names[i].bit) {
            strbuf_putc(s, names[i].c);
        }
    }
    if (flags & 0xe00) {
        strbuf_putf(s, "[%x]", flags & 0xe00u);
    }
}

static void
format_stats(struct strbuf *s, const struct dp_flow *f)
{
    struct dp_flow_stats st;

    dp_flow_get_stats(f, &st);
    strbuf_putf(s, ", packets:%" PRIu64 ", bytes:%" PRIu64 ", used:", st.n_packets, st.n_bytes);
    if (st.used_ms) {
        strbuf_putf(s, "%.3fs", (double) (clock_now_ms() - st.used_ms) / 1000.0);
    } else {
        strbuf_puts(s, "never");
    }
    if (st.tcp_flags) {
        format_tcp_flags(s, st.tcp_flags);
    }
}

void
dp_flow_format(struct strbuf *s, const struct dp *dp, const struct dp_flow *f, bool verbose,
               bool names, bool dpif)
{
    struct flow_format_opts opts = {
        .verbose = verbose,
        .port_name = names ? port_name_cb : NULL,
        .aux = (void *) (uintptr_t) dp,
    };
    struct flow match, mask;

    megaflow_get_match(f, &match, &mask);
    megaflow_get_origin(f, &match); /* values of what is wildcarded, too */
    if (verbose) {
        strbuf_puts(s, "ufid:");
        dp_flow_format_ufid(s, f);
        strbuf_puts(s, dpif ? " " : ", ");
    }
    flow_format(s, &match, &mask, &opts);
    format_stats(s, f);
    if (verbose && !dpif) {
        strbuf_puts(s, ", dp:ovs");
    }
    strbuf_puts(s, ", actions:");
    dp_actions_format(s, megaflow_actions(f), opts.port_name, opts.aux);
}
