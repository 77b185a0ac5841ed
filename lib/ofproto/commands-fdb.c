/* SPDX-License-Identifier: Apache-2.0 */
/* Control commands about bridges' MAC tables and OpenFlow tables: fdb/..., ofproto/list,
 * bridge/dump-flows.  Main thread. */

#include <inttypes.h>
#include <stdlib.h>

#include "log/ctl.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/revalidator.h"
#include "os/clock.h"
#include "util/num.h"

/* The bridge, or NULL after having replied that there is none. */
static struct ofproto *
find_bridge(struct ctl_conn *conn, const char *name)
{
    struct ofproto *o = ofproto_lookup(name);

    if (!o) {
        ctl_reply_error(conn, "no such bridge");
    }
    return o;
}

static void
put_port(struct strbuf *s, const struct ofproto *o, uint32_t bundle_id)
{
    const struct ofbundle *b = ofproto_bundle_find_id(o, bundle_id);

    if (!b || !b->s.n_ofports) {
        strbuf_puts(s, "    ?");
    } else if (b->ofports[0] == OFPP_LOCAL_PORT) {
        strbuf_puts(s, "LOCAL");
    } else {
        strbuf_putf(s, "%5u", b->ofports[0]);
    }
}

static void
fdb_show(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto *o = find_bridge(conn, argv[1]);
    struct strbuf s = STRBUF_INIT;
    struct mac_info *infos;
    size_t n;

    if (!o) {
        return;
    }
    strbuf_puts(&s, " port  VLAN  MAC                Age\n");
    infos = mac_table_dump(o->macs, &n);
    for (size_t i = 0; i < n; i++) {
        put_port(&s, o, infos[i].bundle);
        strbuf_putf(&s, "  %4u  " ETH_ADDR_FMT "  ", infos[i].vlan,
                    ETH_ADDR_ARGS(infos[i].mac));
        if (infos[i].is_static) {
            strbuf_puts(&s, "static\n");
        } else {
            strbuf_putf(&s, "%3" PRId64 "\n", MAX(clock_now_ms() - infos[i].used_ms, 0) / 1000);
        }
    }
    free(infos);
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

static void
fdb_flush(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto *o, *tmp;

    if (argc > 1) {
        o = find_bridge(conn, argv[1]);
        if (!o) {
            return;
        }
        mac_table_flush(o->macs);
    } else {
        HASH_ITER(hh, all_ofprotos, o, tmp)
        {
            mac_table_flush(o->macs);
        }
    }
    revalidator_changed();
    ctl_reply(conn, "table successfully flushed");
}

/* "VLAN MAC" arguments; false after having replied. */
static bool
parse_entry(struct ctl_conn *conn, const char *vlan_text, const char *mac_text, uint16_t *vlan,
            struct eth_addr *mac)
{
    int v;

    if (!eth_addr_parse(mac_text, mac)) {
        ctl_reply_error(conn, "bad MAC address");
        return false;
    }
    if (!num_parse_int(vlan_text, 0, 4095, &v)) {
        ctl_reply_error(conn, "bad VLAN");
        return false;
    }
    *vlan = (uint16_t) v;
    return true;
}

static void
fdb_add(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto *o = find_bridge(conn, argv[1]);
    struct eth_addr mac;
    const struct ofport *port;
    const struct ofbundle *b;
    struct strbuf s = STRBUF_INIT;
    uint32_t old_id;
    uint16_t vlan;

    if (!o || !parse_entry(conn, argv[3], argv[4], &vlan, &mac)) {
        return;
    }
    port = ofproto_port_find_name(o, argv[2]);
    b = port ? ofproto_bundle_of_port(o, (uint16_t) port->number) : NULL;
    if (!b) {
        ctl_reply_error(conn, "no such port");
        return;
    }
    if (mac_table_find_static(o->macs, vlan, mac, &old_id) && old_id != b->id) {
        const struct ofbundle *old = ofproto_bundle_find_id(o, old_id);

        strbuf_putf(&s, "Overriding already existing static entry on %u",
                    old && old->s.n_ofports ? old->ofports[0] : 0u);
    }
    if (!mac_table_add_static(o->macs, vlan, mac, b->id, clock_now_ms())) {
        ctl_reply_error(conn, "the table is full of static entries");
    } else {
        revalidator_changed();
        ctl_reply(conn, strbuf_cstr(&s));
    }
    strbuf_free(&s);
}

static void
fdb_del(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto *o = find_bridge(conn, argv[1]);
    struct eth_addr mac;
    uint16_t vlan;

    if (!o || !parse_entry(conn, argv[2], argv[3], &vlan, &mac)) {
        return;
    }
    if (!mac_table_del_static(o->macs, vlan, mac)) {
        ctl_reply_error(conn, "could not find static mac entry");
        return;
    }
    revalidator_changed();
    ctl_reply(conn, "");
}

static void
fdb_stats_show(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto *o = find_bridge(conn, argv[1]);
    struct mac_table_stats st;
    struct strbuf s = STRBUF_INIT;

    if (!o) {
        return;
    }
    mac_table_get_stats(o->macs, &st);
    strbuf_putf(&s, "Statistics for bridge \"%s\":\n", o->name);
    strbuf_putf(&s, "  Current/maximum MAC entries in the table: %u/%u\n", st.n, st.max);
    strbuf_putf(&s, "  Current static MAC entries in the table : %u\n", st.n_static);
    strbuf_putf(&s, "  Total number of learned MAC entries     : %" PRIu64 "\n", st.n_learned);
    strbuf_putf(&s, "  Total number of expired MAC entries     : %" PRIu64 "\n", st.n_expired);
    strbuf_putf(&s, "  Total number of evicted MAC entries     : %" PRIu64 "\n", st.n_evicted);
    strbuf_putf(&s, "  Total number of port moved MAC entries  : %" PRIu64 "\n", st.n_moved);
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

static void
fdb_stats_clear(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto *o, *tmp;

    if (argc > 1) {
        o = find_bridge(conn, argv[1]);
        if (!o) {
            return;
        }
        mac_table_clear_stats(o->macs);
    } else {
        HASH_ITER(hh, all_ofprotos, o, tmp)
        {
            mac_table_clear_stats(o->macs);
        }
    }
    ctl_reply(conn, "statistics successfully cleared");
}

static void
ofproto_list(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;
    size_t n;
    struct ofproto **list = ofproto_sorted(&n);

    for (size_t i = 0; i < n; i++) {
        strbuf_putf(&s, "%s\n", list[i]->name);
    }
    free(list);
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

/* There are no tunnels to list. */
static void
ofproto_list_tunnels(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    ctl_reply(conn, "");
}

struct dump_flows {
    struct strbuf s;
    bool offload;
};

static bool
dump_rule(struct rule *r, void *d_)
{
    struct dump_flows *d = d_;

    rule_format(r, d->offload, &d->s);
    return true;
}

static void
bridge_dump_flows(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct dump_flows d = {.offload = argc > 2 && !strcmp(argv[1], "--offload-stats")};
    struct ofproto *o = ofproto_lookup(argv[argc - 1]);
    struct flow_select all;

    if (!o) {
        ctl_reply_error(conn, "Unknown bridge");
        return;
    }
    flow_select_init(&all);
    all.above = true;
    oftables_for_each(o->tables, &all, dump_rule, &d);
    ctl_reply(conn, strbuf_cstr(&d.s));
    strbuf_free(&d.s);
}

void
ofproto_commands_fdb_register(void)
{
    ctl_command_register("fdb/add", "bridge port vlan mac", 4, 4, fdb_add, NULL);
    ctl_command_register("fdb/del", "bridge vlan mac", 3, 3, fdb_del, NULL);
    ctl_command_register("fdb/flush", "[bridge]", 0, 1, fdb_flush, NULL);
    ctl_command_register("fdb/show", "bridge", 1, 1, fdb_show, NULL);
    ctl_command_register("fdb/stats-clear", "[bridge]", 0, 1, fdb_stats_clear, NULL);
    ctl_command_register("fdb/stats-show", "bridge", 1, 1, fdb_stats_show, NULL);
    ctl_command_register("ofproto/list", "", 0, 0, ofproto_list, NULL);
    ctl_command_register("ofproto/list-tunnels", "", 0, 0, ofproto_list_tunnels, NULL);
    ctl_command_register("bridge/dump-flows", "[--offload-stats] bridge", 1, 2,
                         bridge_dump_flows, NULL);
}
