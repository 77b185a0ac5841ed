/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of Controller.  Called by status.c on the main thread. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/smap.h"
#include "vswitchd/bridge/status.h"

struct put_aux {
    struct ovsdb_txn *txn;
    const struct cfg_openflow *of;
};

static void
set_seconds(struct smap *map, const char *key, int64_t s)
{
    char text[24];

    if (s >= 0) {
        snprintf(text, sizeof text, "%lld", (long long) s);
        smap_set(map, key, text);
    }
}

static void
set_pins(struct smap *map, const char *type, const struct pinsched_stats *s)
{
    const struct {
        const char *name;
        uint64_t value;
    } keys[] = {
        {"bypassed", s->n_bypassed},
        {"queued", s->n_queued},
        {"dropped", s->n_dropped},
        {"backlog", s->backlog},
    };
    char key[40], text[24];

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        snprintf(key, sizeof key, "packet-in-%s-%s", type, keys[i].name);
        snprintf(text, sizeof text, "%llu", (unsigned long long) keys[i].value);
        smap_set(map, key, text);
    }
}

static void
put_one(const struct controller_status *s, void *aux_)
{
    struct put_aux *aux = aux_;
    struct smap map = SMAP_INIT;
    const char *uuid = NULL;

    for (size_t i = 0; i < aux->of->n_controllers; i++) {
        if (!strcmp(aux->of->controllers[i].target, s->target)) {
            uuid = aux->of->controllers[i].uuid;
        }
    }
    if (!uuid) {
        return;
    }
    smap_set(&map, "state", s->state);
    set_seconds(&map, "sec_since_connect", s->connect_s);
    set_seconds(&map, "sec_since_disconnect", s->disconnect_s);
    if (s->last_error) {
        smap_set(&map, "last_error", s->last_error);
    }
    if (s->paced) {
        set_pins(&map, "miss", &s->miss);
        set_pins(&map, "action", &s->action);
    }
    ovsdb_txn_update(aux->txn, "Controller", uuid, "is_connected",
                     json_boolean(s->is_connected));
    ovsdb_txn_update(aux->txn, "Controller", uuid, "role",
                     s->role ? json_string(s->role) : ovsdb_value_empty());
    ovsdb_txn_update(aux->txn, "Controller", uuid, "status", ovsdb_value_smap(&map));
    smap_destroy(&map);
}

void
status_put_controllers(struct ovsdb_txn *txn, const struct state *state)
{
    const struct bridge_state *br, *next;

    HASH_ITER(hh, state->bridges, br, next)
    {
        struct put_aux aux = {.txn = txn, .of = &br->openflow};

        if (br->open && br->openflow.n_controllers) {
            ofproto_controllers_status(br->ofproto, put_one, &aux);
        }
    }
}
