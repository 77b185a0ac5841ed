/* SPDX-License-Identifier: Apache-2.0 */
/* Control commands that show bridges on their datapaths: dpif/...  Main thread. */

#include <inttypes.h>
#include <stdlib.h>

#include "log/ctl.h"
#include "ofproto/ofproto-private.h"
#include "util/xalloc.h"

static int
compare_ports(const void *a_, const void *b_)
{
    const struct ofport *a = *(struct ofport *const *) a_;
    const struct ofport *b = *(struct ofport *const *) b_;

    return strcmp(netdev_name(a->netdev), netdev_name(b->netdev));
}

static void
show_port(struct strbuf *s, const struct ofport *port)
{
    struct smap config;
    const struct smap_node *node;
    const char *separator = ": ";

    strbuf_putf(s, "    %s %u/", netdev_name(port->netdev), port->number);
    if (port->dp_port == DP_PORT_NONE) {
        strbuf_puts(s, "none");
    } else {
        strbuf_putf(s, "%u", port->dp_port);
    }
    strbuf_putf(s, ": (%s", netdev_shown_type(port->netdev));
    smap_init(&config);
    netdev_get_config(port->netdev, &config);
    SMAP_FOR_EACH(node, &config)
    {
        strbuf_putf(s, "%s%s=%s", separator, node->key, node->value);
        separator = ", ";
    }
    smap_destroy(&config);
    strbuf_puts(s, ")\n");
}

static void
show_bridge(struct strbuf *s, const struct ofproto *o)
{
    struct ofport **ports, *port, *tmp;
    size_t n = 0;

    strbuf_putf(s, "  %s:\n", o->name);
    ports = xcalloc(HASH_COUNT(o->ports) + 1, sizeof *ports);
    HASH_ITER(hh, o->ports, port, tmp)
    {
        ports[n++] = port;
    }
    qsort(ports, n, sizeof *ports, compare_ports);
    for (size_t i = 0; i < n; i++) {
        show_port(s, ports[i]);
    }
    free(ports);
}

static void
dpif_show(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;
    size_t n_bridges, n_dps;
    struct ofproto **bridges = ofproto_sorted(&n_bridges);
    const struct ofproto_dp **dps = ofproto_dps_sorted(&n_dps);

    for (size_t i = 0; i < n_dps; i++) {
        struct dp_stats stats;

        dp_get_stats(dps[i]->dp, &stats);
        strbuf_putf(&s, "%s@%s: hit:%" PRIu64 " missed:%" PRIu64 "\n", dp_type(dps[i]->dp),
                    dp_name(dps[i]->dp), stats.n_hit, stats.n_missed);
        for (size_t j = 0; j < n_bridges; j++) {
            if (bridges[j]->odp == dps[i]) {
                show_bridge(&s, bridges[j]);
            }
        }
    }
    free(bridges);
    free(dps);
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

static void
dpif_dump_dps(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;
    size_t n_bridges, n_dps;
    struct ofproto **bridges = ofproto_sorted(&n_bridges);
    const struct ofproto_dp **dps = ofproto_dps_sorted(&n_dps);

    for (size_t i = 0; i < n_dps; i++) {
        for (size_t j = 0; j < n_bridges; j++) {
            if (bridges[j]->odp == dps[i]) {
                strbuf_putf(&s, "%s@%s\n", dps[i]->type, bridges[j]->name);
            }
        }
    }
    free(bridges);
    free(dps);
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

struct dump_flows {
    struct strbuf s;
    bool verbose, names;
    BITMAP_DECLARE(ports, DP_PORT_MAX + 1); /* of the bridge, by datapath number */
};

static bool
dump_flow(struct dp *dp, struct dp_flow *f, void *d_)
{
    struct dump_flows *d = d_;
    struct flow match, mask;

    dp_flow_get_match(f, &match, &mask);
    if (match.meta.in_port <= DP_PORT_MAX && bitmap_test(d->ports, match.meta.in_port)) {
        dp_flow_format(&d->s, dp, f, d->verbose, d->names, true);
        if (!d->s.len || d->s.data[d->s.len - 1] != '\n') {
            strbuf_putc(&d->s, '\n');
        }
    }
    return true;
}

static void
dpif_dump_flows(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto *o = ofproto_lookup(argv[argc - 1]);
    struct dump_flows *d;
    struct ofport *port, *tmp;
    int names = -1;

    if (!o) {
        ctl_reply_error(conn, "no such bridge");
        return;
    }
    d = xzalloc(sizeof *d);
    for (int i = 1; i < argc - 1; i++) {
        if (!strcmp(argv[i], "-m")) {
            d->verbose = true;
        } else if (!strcmp(argv[i], "--names")) {
            names = true;
        } else if (!strcmp(argv[i], "--no-names")) {
            names = false;
        }
    }
    d->names = names >= 0 ? names : d->verbose;
    HASH_ITER(hh, o->ports, port, tmp)
    {
        if (port->dp_port <= DP_PORT_MAX) {
            bitmap_set(d->ports, port->dp_port);
        }
    }
    dp_flow_for_each(o->odp->dp, dump_flow, d);
    ctl_reply(conn, strbuf_cstr(&d->s));
    strbuf_free(&d->s);
    free(d);
}

/* What this datapath's actions and flow keys can do, in the words that tools look for. */
static const struct {
    const char *name, *value;
} features[] = {
    {"Masked set action", "No"},
    {"Tunnel push pop", "No"},
    {"Ufid", "Yes"},
    {"Truncate action", "No"},
    {"Clone action", "No"},
    {"Sample nesting", "0"},
    {"Conntrack eventmask", "No"},
    {"Conntrack clear", "No"},
    {"Max dp_hash algorithm", "0"},
    {"Check pkt length action", "No"},
    {"Conntrack timeout policy", "No"},
    {"Explicit Drop action", "No"},
    {"Optimized Balance TCP mode", "No"},
    {"Conntrack all-zero IP SNAT", "No"},
    {"MPLS Label add", "No"},
    {"Max VLAN headers", "2"},
    {"Max MPLS depth", "3"},
    {"Recirc", "No"},
    {"CT state", "No"},
    {"CT zone", "No"},
    {"CT mark", "No"},
    {"CT label", "No"},
    {"CT state NAT", "No"},
    {"CT orig tuple", "No"},
    {"CT orig tuple for IPv6", "No"},
    {"IPv6 ND Extension", "No"},
};

static void
dpif_show_dp_features(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;

    if (!ofproto_lookup(argv[1])) {
        ctl_reply_error(conn, "no such bridge");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        strbuf_putf(&s, "%s: %s\n", features[i].name, features[i].value);
    }
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

void
ofproto_commands_dpif_register(void)
{
    ctl_command_register("dpif/dump-dps", "", 0, 0, dpif_dump_dps, NULL);
    ctl_command_register("dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, INT32_MAX,
                         dpif_dump_flows, NULL);
    ctl_command_register("dpif/show", "", 0, 0, dpif_show, NULL);
    ctl_command_register("dpif/show-dp-features", "bridge", 1, 1, dpif_show_dp_features, NULL);
}
