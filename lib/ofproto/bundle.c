/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: Port records, one or more OpenFlow ports with one VLAN policy.  Called by
 * vswitchd/bridge on the main thread; translation sees copies.  What was learned on a bundle is
 * forgotten when its meaning changes. */

#include <stdlib.h>

#include "ofproto/ofproto-private.h"
#include "ofproto/revalidator.h"
#include "util/xalloc.h"

struct ofbundle *
ofproto_bundle_find(const struct ofproto *o, const char *name)
{
    struct ofbundle *b;

    HASH_FIND_STR(o->bundles, name, b);
    return b;
}

struct ofbundle *
ofproto_bundle_find_id(const struct ofproto *o, uint32_t id)
{
    struct ofbundle *b, *tmp;

    HASH_ITER(hh, o->bundles, b, tmp)
    {
        if (b->id == id) {
            return b;
        }
    }
    return NULL;
}

struct ofbundle *
ofproto_bundle_of_port(const struct ofproto *o, uint16_t number)
{
    struct ofbundle *b, *tmp;

    HASH_ITER(hh, o->bundles, b, tmp)
    {
        for (size_t i = 0; i < b->s.n_ofports; i++) {
            if (b->ofports[i] == number) {
                return b;
            }
        }
    }
    return NULL;
}

static void
forget(struct ofproto *o, const struct ofbundle *b)
{
    if (mac_table_forget_bundle(o->macs, b->id)) {
        revalidator_changed();
    }
}

static bool
same_vlans(const uint64_t *a, const uint64_t *b)
{
    return a && b ? !memcmp(a, b, 4096 / 8) : a == b;
}

static bool
same_settings(const struct ofbundle *b, const struct ofproto_bundle_settings *s)
{
    return b->s.n_ofports == s->n_ofports &&
           (!s->n_ofports ||
            !memcmp(b->ofports, s->ofports, s->n_ofports * sizeof *s->ofports)) &&
           b->s.vlan_mode == s->vlan_mode && b->s.tag == s->tag &&
           same_vlans(b->trunks, s->trunks) && same_vlans(b->cvlans, s->cvlans) &&
           b->s.priority_tags == s->priority_tags && b->s.protected_port == s->protected_port &&
           b->s.qinq_8021ad == s->qinq_8021ad;
}

static void
store_settings(struct ofbundle *b, const struct ofproto_bundle_settings *s)
{
    uint16_t *ofports =
        s->n_ofports ? xmemdup(s->ofports, s->n_ofports * sizeof *s->ofports) : NULL;
    uint64_t *trunks = s->trunks ? xmemdup(s->trunks, 4096 / 8) : NULL;
    uint64_t *cvlans = s->cvlans ? xmemdup(s->cvlans, 4096 / 8) : NULL;

    free(b->ofports);
    free(b->trunks);
    free(b->cvlans);
    b->s = *s;
    b->s.name = b->name;
    b->s.ofports = b->ofports = ofports;
    b->s.trunks = b->trunks = trunks;
    b->s.cvlans = b->cvlans = cvlans;
}

void
ofproto_bundle_set(struct ofproto *o, const struct ofproto_bundle_settings *s)
{
    struct ofbundle *b = ofproto_bundle_find(o, s->name);

    if (b && same_settings(b, s)) {
        return;
    }
    if (b) {
        forget(o, b);
    } else {
        b = xzalloc(sizeof *b);
        b->name = xstrdup(s->name);
        b->id = ofproto_new_id();
        b->epoch = ofproto_epoch();
        HASH_ADD_KEYPTR(hh, o->bundles, b->name, strlen(b->name), b);
    }
    store_settings(b, s);
    ofproto_changed();
}

void
ofproto_bundle_remove(struct ofproto *o, struct ofbundle *b)
{
    HASH_DEL(o->bundles, b);
    forget(o, b);
    free(b->ofports);
    free(b->trunks);
    free(b->cvlans);
    free(b->name);
    free(b);
    ofproto_changed();
}

void
ofproto_bundle_del(struct ofproto *o, const char *name)
{
    struct ofbundle *b = ofproto_bundle_find(o, name);

    if (b) {
        ofproto_bundle_remove(o, b);
    }
}

void
ofproto_bundle_drop_port(struct ofproto *o, uint16_t number)
{
    struct ofbundle *b = ofproto_bundle_of_port(o, number);
    size_t n = 0;

    if (!b) {
        return;
    }
    for (size_t i = 0; i < b->s.n_ofports; i++) {
        if (b->ofports[i] != number) {
            b->ofports[n++] = b->ofports[i];
        }
    }
    b->s.n_ofports = n;
    if (!n) {
        forget(o, b);
    }
    ofproto_changed();
}
