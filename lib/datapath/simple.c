/* SPDX-License-Identifier: Apache-2.0 */
/* The port-to-port short cut: see simple.h.  Learning and sweeping, on the thread that owns it;
 * it must not know how packets are received or what is done with them. */

#include "datapath/simple.h"

#include "flow/flow-simple.h"

/* Could flow_simple_parse() have said yes to the packet? */
static bool
is_simple_key(const struct flow_key *k)
{
    struct flow_ip ip;

    if (k->sections != FLOW_SIMPLE_SECTIONS) {
        return false;
    }
    memcpy(&ip, &k->w[flow_key_section_ofs(k->sections, FS_IP)], sizeof ip);
    return !ip.frag && (ip.proto == IP_PROTO_TCP || ip.proto == IP_PROTO_UDP);
}

/* Does the mask look at nothing in which simple packets of a port differ? */
static bool
is_simple_mask(const struct mf_subtable *st)
{
    static const struct flow may = {
        .meta = {.in_port = UINT32_MAX, .recirc_id = UINT32_MAX, .packet_type = UINT32_MAX},
        .eth = {.type_be = UINT16_MAX},
        .ip = {.frag = UINT8_MAX},
    };
    const flow_word *w = (const void *) &may;

    for (unsigned i = 0; i < st->n_words; i++) {
        if (st->mask[i] & ~w[flow_section_flow_ofs[st->sec[i]] + st->word[i]]) {
            return false;
        }
    }
    return true;
}

void
simple_learn(struct simple_cache *c, uint32_t port_no, struct megaflow_table *t,
             const struct flow_key *k)
{
    unsigned slot = port_no % SIMPLE_ENTRIES, n_looked = 0;
    struct dp_flow *f;
    uint16_t id;

    f = is_simple_key(k) ? megaflow_lookup(t, k, &n_looked, &id) : NULL;
    if (!f || !is_simple_mask(f->subtable)) {
        return;
    }
    megaflow_ref(f);
    if (c->e[slot].flow) {
        megaflow_unref(c->e[slot].flow);
    }
    c->e[slot].flow = f;
    c->e[slot].port_no = port_no;
}

void
simple_sweep(struct simple_cache *c)
{
    for (unsigned i = 0; i < SIMPLE_ENTRIES; i++) {
        if (c->e[i].flow && megaflow_is_dead(c->e[i].flow)) {
            megaflow_unref(c->e[i].flow);
            c->e[i].flow = NULL;
        }
    }
}

void
simple_destroy(struct simple_cache *c)
{
    for (unsigned i = 0; i < SIMPLE_ENTRIES; i++) {
        if (c->e[i].flow) {
            megaflow_unref(c->e[i].flow);
            c->e[i].flow = NULL;
        }
    }
}
