/* SPDX-License-Identifier: Apache-2.0 */
/* Table features (1.3 and later): all tables can the same, which the field table knows.  No
 * state, any thread. */

#include "openflow/of-field.h"
#include "openflow/of-match.h"
#include "openflow/of-table.h"
#include "util/compiler.h"

enum { /* properties; odd ones, for table misses, are left out: misses can the same */
       OFPTFPT_INSTRUCTIONS = 0,
       OFPTFPT_NEXT_TABLES = 2,
       OFPTFPT_WRITE_ACTIONS = 4,
       OFPTFPT_APPLY_ACTIONS = 6,
       OFPTFPT_MATCH = 8,
       OFPTFPT_WILDCARDS = 10,
       OFPTFPT_WRITE_SETFIELD = 12,
       OFPTFPT_APPLY_SETFIELD = 14,
};

/* A list of {u16 type, u16 length 4}. */
static void
put_types(struct of_buf *b, uint16_t prop_type, const uint8_t *types, size_t n)
{
    size_t prop = of_prop_begin(b, prop_type);

    for (size_t i = 0; i < n; i++) {
        of_put_u16(b, types[i]);
        of_put_u16(b, 4);
    }
    of_prop_end(b, prop);
}

static void
put_instructions(struct of_buf *b, bool last_table, uint8_t version)
{
    enum { GOTO = 1, METADATA, WRITE, APPLY, CLEAR, METER };
    uint8_t types[6];
    size_t n = 0;

    for (uint8_t i = GOTO; i <= METER; i++) {
        if ((i == GOTO && last_table) || (i == METER && version >= OF15_VERSION)) {
            continue; /* in 1.5 meters are actions */
        }
        types[n++] = i;
    }
    put_types(b, OFPTFPT_INSTRUCTIONS, types, n);
}

static void
put_next_tables(struct of_buf *b, const struct of_table_features *f)
{
    size_t prop = of_prop_begin(b, OFPTFPT_NEXT_TABLES);

    for (unsigned i = f->table_id + 1u; i < f->n_tables; i++) {
        of_put_u8(b, (uint8_t) i);
    }
    of_prop_end(b, prop);
}

/* The headers of all fields, or of those that can be set. */
static void
put_fields(struct of_buf *b, uint16_t prop_type, uint8_t version)
{
    bool set = prop_type == OFPTFPT_WRITE_SETFIELD || prop_type == OFPTFPT_APPLY_SETFIELD;
    size_t prop = of_prop_begin(b, prop_type);

    for (int f = 0; f < OFF_N; f++) {
        const struct of_field_info *info = of_field_info(f);

        if (!of_field_header(f, version) || (set && !info->writable)) {
            continue;
        }
        of_oxm_header_encode(b, f, version, prop_type == OFPTFPT_MATCH && info->maskable);
    }
    of_prop_end(b, prop);
}

void
of_table_features_put(struct of_buf *b, const struct of_table_features *f, uint8_t version)
{
    /* output, TTLs, VLAN and MPLS headers, queue, group, set-field */
    static const uint8_t actions[] = {0, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25};
    static const uint16_t field_props[] = {
        OFPTFPT_MATCH,
        OFPTFPT_WILDCARDS,
        OFPTFPT_WRITE_SETFIELD,
        OFPTFPT_APPLY_SETFIELD,
    };
    enum { CAP_EVICTION = 1 << 2, CAP_VACANCY = 1 << 3 };
    uint32_t caps = (f->eviction ? CAP_EVICTION : 0u) | (f->vacancy ? CAP_VACANCY : 0u);
    size_t start = b->len;

    of_put_u16(b, 0);
    of_put_u8(b, f->table_id);
    of_buf_put_zeros(b, 5);
    of_put_str(b, f->name, OFP_MAX_TABLE_NAME_LEN);
    of_put_u64(b, UINT64_MAX); /* metadata: matched and written */
    of_put_u64(b, UINT64_MAX);
    of_put_u32(b, version >= OF14_VERSION ? caps : 0);
    of_put_u32(b, f->max_entries);
    put_instructions(b, f->table_id + 1 >= f->n_tables, version);
    put_next_tables(b, f); /* an empty list too: clients want the property */
    put_types(b, OFPTFPT_WRITE_ACTIONS, actions, ARRAY_SIZE(actions));
    put_types(b, OFPTFPT_APPLY_ACTIONS, actions, ARRAY_SIZE(actions));
    for (size_t i = 0; i < ARRAY_SIZE(field_props); i++) {
        put_fields(b, field_props[i], version);
    }
    of_buf_set_u16(b, start, (uint16_t) (b->len - start));
}
