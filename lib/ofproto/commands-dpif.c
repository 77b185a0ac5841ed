/* SPDX-License-Identifier: Apache-2.0 */
/* Control commands that show bridges on their datapaths: dpif/...  Main thread. */

#include <inttypes.h>
#include <stdlib.h>

#include "log/ctl.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/revalidator.h"
#include "util/num.h"
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

/* The datapath of bridge `name`; replies and returns NULL if there is no such bridge. */
static struct ofproto_dp *
bridge_dp(struct ctl_conn *conn, const char *name)
{
    struct ofproto *o = ofproto_lookup(name);

    if (!o) {
        ctl_reply_error(conn, "no such bridge");
    }
    return o ? o->odp : NULL;
}

static void
dpif_show_dp_features(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto_dp *odp = bridge_dp(conn, argv[1]);
    struct strbuf s = STRBUF_INIT;

    if (odp) {
        dp_features_show(&s, &odp->features);
        ctl_reply(conn, strbuf_cstr(&s));
    }
    strbuf_free(&s);
}

/* What is wrong with a feature is said in the reply of a command that succeeds: scripts know it
 * so. */
static void
dpif_set_dp_features(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto_dp *odp = bridge_dp(conn, argv[1]);
    struct strbuf s = STRBUF_INIT;

    if (!odp) {
        return;
    }
    if (argc < 4) {
        dp_features_list(&s, &odp->features, argc == 3 ? argv[2] : NULL);
    } else {
        const char *problem = dp_features_set(&odp->features, argv[2], argv[3]);

        if (problem) {
            strbuf_puts(&s, problem);
        } else {
            revalidator_changed();
        }
    }
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

/* ------------------------------------------------------------------ for tests */

static struct ofport *
find_dp_port(const char *dp_name_, const char *port_name, bool *dp_found)
{
    struct ofproto *o, *tmp;

    *dp_found = false;
    HASH_ITER(hh, all_ofprotos, o, tmp)
    {
        struct ofport *port;

        if (strcmp(dp_name(o->odp->dp), dp_name_)) {
            continue;
        }
        *dp_found = true;
        port = ofproto_port_find_name(o, port_name);
        if (port && port->dp_port != DP_PORT_NONE) {
            return port;
        }
    }
    return NULL;
}

static void
change_port_number(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    bool dp_found;
    struct ofport *port = find_dp_port(argv[1], argv[2], &dp_found);
    char *error = NULL;
    uint64_t number;

    if (!dp_found || strcmp(port ? port->ofproto->odp->type : "dummy", "dummy")) {
        ctl_reply_error(conn, "unknown datapath or not a dummy");
    } else if (!port) {
        ctl_reply_error(conn, "unknown port");
    } else if (!num_parse_u64(argv[3], 1, DP_PORT_MAX, &number)) {
        ctl_reply_error(conn, "bad port number");
    } else if (ofproto_port_renumber(port, (uint32_t) number, &error)) {
        ctl_reply_error(conn, error ? error : "the port cannot have that number");
    } else {
        ctl_reply(conn, "");
    }
    free(error);
}

static void
look_for_dummy(const char *type, void *found)
{
    *(bool *) found |= !strcmp(type, "dummy");
}

void
ofproto_commands_dpif_register(void)
{
    bool dummy = false;

    ctl_command_register("dpif/dump-dps", "", 0, 0, dpif_dump_dps, NULL);
    ctl_command_register("dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, INT32_MAX,
                         dpif_dump_flows, NULL);
    ctl_command_register("dpif/show", "", 0, 0, dpif_show, NULL);
    ctl_command_register("dpif/show-dp-features", "bridge", 1, 1, dpif_show_dp_features, NULL);
    ctl_command_register("dpif/set-dp-features", "bridge [feature [value]]", 1, 3,
                         dpif_set_dp_features, NULL);
    netdev_for_each_type(look_for_dummy, &dummy);
    if (dummy) {
        ctl_command_register("dpif-dummy/change-port-number", "dp port new-number", 3, 3,
                             change_port_number, NULL);
    }
}
