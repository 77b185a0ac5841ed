/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tunnel options that fields stand for, and answers about what the switch does not
 * have.  Called by conn-dispatch.c on the main thread. */

#include <stdlib.h>
#include <string.h>

#include "ofproto/conn-private.h"
#include "openflow/of-tlv.h"
#include "util/xalloc.h"

struct tlv_table {
    struct of_tlv_map maps[OF_TLV_MAX_FIELDS];
    size_t n;
};

void
of_tlvs_destroy(struct connmgr *mgr)
{
    free(mgr->tlvs);
    mgr->tlvs = NULL;
}

static enum of_err
add_map(struct tlv_table *t, const struct of_tlv_map *m)
{
    size_t space = m->option_len;

    for (size_t i = 0; i < t->n; i++) {
        const struct of_tlv_map *have = &t->maps[i];

        if (have->index == m->index) {
            return NXTTMFC_ALREADY_MAPPED;
        }
        if (have->option_class == m->option_class && have->option_type == m->option_type) {
            return NXTTMFC_DUP_ENTRY;
        }
        space += have->option_len;
    }
    if (t->n >= OF_TLV_MAX_FIELDS || space > OF_TLV_MAX_SPACE) {
        return NXTTMFC_TABLE_FULL;
    }
    t->maps[t->n++] = *m;
    return OF_OK;
}

static void
delete_map(struct tlv_table *t, const struct of_tlv_map *m)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->maps[i].option_class == m->option_class &&
            t->maps[i].option_type == m->option_type) {
            memmove(&t->maps[i], &t->maps[i + 1], (t->n - i - 1) * sizeof *t->maps);
            t->n--;
            return;
        }
    }
}

enum of_err
of_handle_tlv_mod(struct ofconn *c, struct of_msg *msg)
{
    struct tlv_table new = {.n = 0};
    struct of_tlv_mod m;
    enum of_err err = of_tlv_mod_decode(msg, &m);

    if (err) {
        return err;
    }
    if (c->mgr->tlvs && m.command != NXTTMC_CLEAR) {
        new = *c->mgr->tlvs;
    }
    for (size_t i = 0; !err && i < m.n_maps; i++) {
        if (m.command == NXTTMC_ADD) {
            err = add_map(&new, &m.maps[i]);
        } else {
            delete_map(&new, &m.maps[i]);
        }
    }
    if (!err) {
        of_tlvs_destroy(c->mgr);
        c->mgr->tlvs = xmemdup(&new, sizeof new);
    }
    return err;
}

enum of_err
of_handle_tlv_request(struct ofconn *c, struct of_msg *msg)
{
    const struct tlv_table *t = c->mgr->tlvs;
    struct of_buf b = OF_BUF_INIT;

    of_tlv_reply_encode(&b, t ? t->maps : NULL, t ? t->n : 0, c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}

enum of_err
of_handle_not_configured(struct ofconn *c, struct of_msg *msg)
{
    return NXST_NOT_CONFIGURED;
}
