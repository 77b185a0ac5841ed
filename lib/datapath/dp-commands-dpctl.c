/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl dpctl/...: what datapaths there are, their ports and megaflows.  Main thread; the
 * layouts are those that scripts know from Open vSwitch. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp-private.h"
#include "flow/flow-filter.h"
#include "log/ctl.h"
#include "packet/headers.h"
#include "util/num.h"
#include "util/xalloc.h"

#define UFID_LEN 36u /* of its text */

static void
reply_buf(struct ctl_conn *conn, struct strbuf *s)
{
    ctl_reply(conn, strbuf_cstr(s));
    strbuf_free(s);
}

static void
reply_no_dp(struct ctl_conn *conn, const char *arg)
{
    if (arg) {
        ctl_reply_error(conn, "ovs-vswitchd: datapath not found (Invalid argument)");
    } else {
        ctl_reply_error(conn, "ovs-vswitchd: no datapaths exist, or more than one: name one, "
                              "as in netdev@ovs-netdev (dpctl/dump-dps lists them)");
    }
}

struct options {
    bool verbose, stats;
    int names; /* -1: as the verbosity says */
};

/* Takes a word that begins with a dash; all commands know all options.  False after having
 * replied that it is none of them. */
static bool
take_option(struct ctl_conn *conn, const char *word, struct options *o)
{
    bool ok = true;

    if (!strcmp(word, "--more")) {
        o->verbose = true;
    } else if (!strcmp(word, "--statistics")) {
        o->stats = true;
    } else if (!strcmp(word, "--names")) {
        o->names = true;
    } else if (!strcmp(word, "--no-names")) {
        o->names = false;
    } else {
        for (const char *c = word + 1; *c && ok; c++) {
            ok = *c == 'm' || *c == 's';
            o->verbose |= *c == 'm';
            o->stats |= *c == 's';
        }
    }
    if (!ok) {
        ctl_reply_errorf(conn, "Unrecognized option %s", word);
    }
    return ok;
}

static void
dump_dps_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;

    for (unsigned i = 0; i < DP_MAX; i++) {
        if (dps[i]) {
            strbuf_putf(&s, "%s@%s\n", dps[i]->type, dps[i]->name);
        }
    }
    reply_buf(conn, &s);
}

static void
put_counter(struct strbuf *s, const char *label, uint64_t n)
{
    strbuf_puts(s, label);
    if (n == UINT64_MAX) {
        strbuf_putc(s, '?');
    } else {
        strbuf_putf(s, "%" PRIu64, n);
    }
}

static void
put_bytes(struct strbuf *s, const char *label, uint64_t n)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double scaled = (double) n;
    int unit = -1;

    put_counter(s, label, n);
    if (n == UINT64_MAX) {
        return;
    }
    for (; scaled >= 1024 && unit < 3; unit++) {
        scaled /= 1024;
    }
    if (unit >= 0) {
        strbuf_putf(s, " (%.1f %s)", scaled, units[unit]);
    }
}

static void
show_port_stats(struct strbuf *s, const struct netdev *netdev)
{
    struct netdev_stats st;

    netdev_get_stats(netdev, &st);
    put_counter(s, "    RX packets:", st.rx_packets);
    put_counter(s, " errors:", st.rx_errors);
    put_counter(s, " dropped:", st.rx_dropped);
    put_counter(s, " overruns:", st.rx_over_errors);
    put_counter(s, " frame:", st.rx_frame_errors);
    put_counter(s, "\n    TX packets:", st.tx_packets);
    put_counter(s, " errors:", st.tx_errors);
    put_counter(s, " dropped:", st.tx_dropped);
    put_counter(s, " aborted:", st.tx_aborted_errors);
    put_counter(s, " carrier:", st.tx_carrier_errors);
    put_counter(s, "\n    collisions:", st.collisions);
    put_bytes(s, "\n    RX bytes:", st.rx_bytes);
    put_bytes(s, "  TX bytes:", st.tx_bytes);
    strbuf_putc(s, '\n');
}

static void
show_port(struct strbuf *s, const struct dp_port *port, bool stats)
{
    const char *type = netdev_shown_type(port->netdev);
    const struct smap_node *node;
    struct smap config = SMAP_INIT;
    const char *sep = ": ";

    strbuf_putf(s, "  port %" PRIu32 ": %s", port->port_no, port->name);
    if (strcmp(type, "system")) {
        strbuf_putf(s, " (%s", type);
        netdev_get_config(port->netdev, &config);
        SMAP_FOR_EACH(node, &config)
        {
            strbuf_putf(s, "%s%s=%s", sep, node->key, node->value);
            sep = ", ";
        }
        strbuf_putc(s, ')');
        smap_destroy(&config);
    }
    strbuf_putc(s, '\n');
    if (stats) {
        show_port_stats(s, port->netdev);
    }
}

static void
show_dp(struct strbuf *s, const struct dp *dp, bool stats)
{
    const struct port_table *t = dp_ports(dp);
    struct dp_stats st;

    dp_get_stats(dp, &st);
    strbuf_putf(s,
                "%s@%s:\n"
                "  lookups: hit:%" PRIu64 " missed:%" PRIu64 " lost:%" PRIu64 "\n"
                "  flows: %" PRIu32 "\n",
                dp->type, dp->name, st.n_hit, st.n_missed, st.n_lost, st.n_flows);
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->p[i]) {
            show_port(s, t->p[i], stats);
        }
    }
}

static void
show_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;
    struct options o = {.names = -1};
    bool named = false;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && !take_option(conn, argv[i], &o)) {
            return;
        }
    }
    for (int i = 1; i < argc; i++) {
        struct dp *dp;

        if (argv[i][0] == '-') {
            continue;
        }
        dp = dp_from_arg(argv[i]);
        if (!dp) {
            ctl_reply_errorf(conn, "ovs-vswitchd: opening datapath %s failed (No such device)",
                             argv[i]);
            strbuf_free(&s);
            return;
        }
        named = true;
        show_dp(&s, dp, o.stats);
    }
    for (unsigned i = 0; !named && i < DP_MAX; i++) {
        if (dps[i]) {
            show_dp(&s, dps[i], o.stats);
        }
    }
    reply_buf(conn, &s);
}

/* Arguments of dump-flows, get-flow and del-flows. */
struct flow_args {
    const char *dp_arg, *ufid;
    bool verbose, names;
    bool none;     /* type= of flows that there are never */
    bool filtered; /* filter=... */
    struct flow filter, filter_mask;
    bool by_core; /* pmd=N, -1 main */
    unsigned core;
};

static int64_t
port_by_name(const char *name, void *dp)
{
    for (uint32_t i = 0; i < dp_ports(dp)->n; i++) {
        if (dp_port_name(dp, i) && !strcmp(dp_port_name(dp, i), name)) {
            return i;
        }
    }
    return -1;
}

/* Replies on failure. */
static bool
parse_filter(struct ctl_conn *conn, const char *filter, struct dp *dp, struct flow_args *a)
{
    char *error = NULL;

    a->filtered =
        !flow_filter_parse(filter, &a->filter, &a->filter_mask, port_by_name, dp, &error);
    if (!a->filtered) {
        ctl_reply_errorf(conn, "ovs-vswitchd: Failed to parse filter (%s)", error);
    }
    free(error);
    return a->filtered;
}

/* A list of types of flows: all that there are here are of type ovs, not offloaded.  Replies on
 * failure. */
static bool
parse_types(struct ctl_conn *conn, const char *list, bool *none)
{
    static const struct {
        const char *name;
        bool here;
    } types[] = {
        {"ovs", true}, {"all", true},   {"non-offloaded", true},        {"offloaded", false},
        {"tc", false}, {"dpdk", false}, {"partially-offloaded", false},
    };
    char *copy = xstrdup(list), *save = NULL;
    bool ok = true;

    *none = true;
    for (char *word = strtok_r(copy, ",", &save); word && ok;
         word = strtok_r(NULL, ",", &save)) {
        ok = false;
        for (size_t i = 0; i < ARRAY_SIZE(types) && !ok; i++) {
            ok = !strcmp(word, types[i].name);
            *none &= !(ok && types[i].here);
        }
        if (!ok) {
            ctl_reply_errorf(conn, "ovs-vswitchd: Failed to parse type (%s) (Invalid argument)",
                             word);
        }
    }
    free(copy);
    return ok;
}

/* Replies and returns NULL on failure. */
static struct dp *
parse_flow_args(struct ctl_conn *conn, int argc, const char *const argv[], struct flow_args *a)
{
    struct options o = {.names = -1};
    const char *filter = NULL;
    struct dp *dp;
    int core;

    *a = (struct flow_args){.dp_arg = NULL};
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];

        if (arg[0] == '-') {
            if (!take_option(conn, arg, &o)) {
                return NULL;
            }
        } else if (!strncmp(arg, "filter=", 7)) {
            filter = arg + 7;
        } else if (!strncmp(arg, "ufid:", 5)) {
            a->ufid = arg + 5;
            if (strlen(a->ufid) != UFID_LEN ||
                strspn(a->ufid, "0123456789abcdefABCDEF-") != UFID_LEN) {
                ctl_reply_error(conn, "ovs-vswitchd: parsing flow ufid (Invalid argument)");
                return NULL;
            }
        } else if (!strncmp(arg, "pmd=", 4)) {
            if (!num_parse_int(arg + 4, -1, 65535, &core)) {
                ctl_reply_errorf(
                    conn, "ovs-vswitchd: Failed to parse pmd (%s) (Invalid argument)", arg + 4);
                return NULL;
            }
            a->by_core = true;
            a->core = core < 0 ? CORE_NON_PMD : (unsigned) core;
        } else if (!strncmp(arg, "type=", 5)) {
            if (!parse_types(conn, arg + 5, &a->none)) {
                return NULL;
            }
        } else if (!a->dp_arg) {
            a->dp_arg = arg;
        } else {
            ctl_reply_errorf(conn, "ovs-vswitchd: %s: argument not understood", arg);
            return NULL;
        }
    }
    dp = dp_from_arg(a->dp_arg);
    if (!dp) {
        reply_no_dp(conn, a->dp_arg);
        return NULL;
    }
    a->verbose = o.verbose;
    a->names = o.names < 0 ? o.verbose : o.names;
    return !filter || parse_filter(conn, filter, dp, a) ? dp : NULL;
}

struct dump_ctx {
    struct strbuf *s;
    const struct flow_args *args;
    const struct pmd *pmd;
    bool heading_done;
    bool headings;
};

/* Could a packet that the filter describes hit the flow?  What the flow leaves open does not
 * keep it from that. */
static bool
filter_passes(const struct flow_args *a, const struct dp_flow *f)
{
    struct flow match, mask;
    const flow_word *have = (const flow_word *) &match, *care = (const flow_word *) &mask;
    const flow_word *want = (const flow_word *) &a->filter;
    const flow_word *want_mask = (const flow_word *) &a->filter_mask;

    megaflow_get_match(f, &match, &mask);
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        if ((have[i] ^ want[i]) & care[i] & want_mask[i]) {
            return false;
        }
    }
    /* Whether there is a tag may stand in the sections alone. */
    if ((a->filter_mask.vlan.tag[0].tci_be & htons(VLAN_CFI)) &&
        (mask.sections & FS_BIT(FS_VLAN))) {
        bool tagged = (a->filter.vlan.tag[0].tci_be & htons(VLAN_CFI)) != 0;

        return tagged == ((match.sections & FS_BIT(FS_VLAN)) != 0);
    }
    return true;
}

static bool
flow_wanted(const struct flow_args *a, const struct dp_flow *f)
{
    if (a->none) {
        return false;
    }
    if (a->ufid) {
        struct strbuf ufid = STRBUF_INIT;
        bool same;

        dp_flow_format_ufid(&ufid, f);
        same = !strcmp(strbuf_cstr(&ufid), a->ufid);
        strbuf_free(&ufid);
        return same;
    }
    return !a->filtered || filter_passes(a, f);
}

static bool
dump_flow_cb(struct dp *dp, struct dp_flow *f, void *ctx_)
{
    struct dump_ctx *ctx = ctx_;

    if (!flow_wanted(ctx->args, f)) {
        return true;
    }
    if (ctx->headings && !ctx->heading_done) {
        ctx->heading_done = true;
        if (ctx->pmd->core == CORE_NON_PMD) {
            strbuf_puts(ctx->s, "flow-dump from the main thread:\n");
        } else {
            strbuf_putf(ctx->s, "flow-dump from pmd on cpu core: %u\n", ctx->pmd->core);
        }
    }
    dp_flow_format(ctx->s, dp, f, ctx->args->verbose, ctx->args->names, false);
    strbuf_putc(ctx->s, '\n');
    return true;
}

static void
dump_flows(struct strbuf *s, struct dp *dp, const struct flow_args *args, bool headings)
{
    const struct pmd_list *list = dp_pmds(dp);

    for (unsigned i = 0; i < list->n; i++) {
        struct dump_ctx ctx = {s, args, list->pmds[i], false, headings};

        if (!args->by_core || args->core == list->pmds[i]->core) {
            pmd_flow_for_each(dp, list->pmds[i], dump_flow_cb, &ctx);
        }
    }
}

static void
dump_flows_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;
    struct flow_args args;
    struct dp *dp = parse_flow_args(conn, argc, argv, &args);

    if (dp) {
        dump_flows(&s, dp, &args, !args.by_core);
        reply_buf(conn, &s);
    }
}

static void
get_flow_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;
    struct flow_args args;
    struct dp *dp = parse_flow_args(conn, argc, argv, &args);

    if (!dp) {
        return;
    }
    if (!args.ufid) {
        ctl_reply_error(conn, "ovs-vswitchd: parsing flow ufid (Invalid argument)");
        return;
    }
    dump_flows(&s, dp, &args, false);
    if (!s.len) {
        ctl_reply_error(conn, "ovs-vswitchd: getting flow (No such file or directory)");
        return;
    }
    reply_buf(conn, &s);
}

static bool
del_flow_cb(struct dp *dp, struct dp_flow *f, void *args)
{
    if (flow_wanted(args, f)) {
        dp_flow_del(dp, f);
    }
    return true;
}

static void
del_flows_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct flow_args args;
    struct dp *dp = parse_flow_args(conn, argc, argv, &args);

    if (dp) {
        dp_flow_for_each(dp, del_flow_cb, &args);
        ctl_reply(conn, "");
    }
}

static void list_commands_cmd(struct ctl_conn *, int argc, const char *const argv[], void *aux);

static const struct {
    const char *name, *usage;
    int min_args, max_args;
    ctl_handler *handler;
} commands[] = {
    {"dpctl/dump-dps", "", 0, 0, dump_dps_cmd},
    {"dpctl/show", "[-s] [DP...]", 0, 16, show_cmd},
    {"dpctl/dump-flows",
     "[-m] [--names | --no-names] [DP] [filter=FIELD=VALUE,...] [type=TYPE,...] [pmd=CORE]", 0,
     7, dump_flows_cmd},
    {"dpctl/get-flow", "[-m] [--names | --no-names] [DP] ufid:UUID", 1, 5, get_flow_cmd},
    {"dpctl/del-flows", "[DP] [filter=FIELD=VALUE,...]", 0, 3, del_flows_cmd},
    {"dpctl/list-commands", "", 0, 0, list_commands_cmd},
};

static void
list_commands_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;

    strbuf_puts(&s, "The available commands are:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        strbuf_putf(&s, "  %-28s  %s\n", commands[i].name, commands[i].usage);
    }
    reply_buf(conn, &s);
}

void
dp_commands_dpctl_register(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        ctl_command_register(commands[i].name, commands[i].usage, commands[i].min_args,
                             commands[i].max_args, commands[i].handler, NULL);
    }
}
