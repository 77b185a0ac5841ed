/* SPDX-License-Identifier: Apache-2.0 */
/* Life of bridges: creation, settings, destruction, and the moment when a changed configuration
 * becomes what packets see.  Called by vswitchd/bridge on the main thread.  It must not know
 * OVSDB, nor how translation works. */

#include "ofproto/ofproto.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "flow/flow-key.h"
#include "log/coverage.h"
#include "log/ctl.h"
#include "log/log.h"
#include "ofproto/conn-private.h"
#include "ofproto/meters-dp.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/punt.h"
#include "ofproto/revalidator.h"
#include "ofproto/upcall.h"
#include "ofproto/xlate-snapshot.h"
#include "os/rcu.h"
#include "util/xalloc.h"

LOG_MODULE(ofproto);

COVERAGE_DEFINE(ofproto_settle_timeout);

#define SETTLE_TIMEOUT_MS 5000
#define TABLES_RUN_MS 1000
#define FAIL_OPEN_PRIORITY 0xf0f0f0 /* above what controllers can name */

struct ofproto *all_ofprotos;

static struct evloop *main_loop;
static struct ev_async tables_wake; /* some bridge's tables have work */
static struct ev_defer publish_defer;
static bool initialized;
static bool dirty; /* configuration newer than the snapshot */
static uint32_t last_id;
static uint32_t epoch;

uint32_t
ofproto_new_id(void)
{
    return ++last_id;
}

uint32_t
ofproto_epoch(void)
{
    return epoch;
}

void
ofproto_publish(void)
{
    dirty = false;
    ev_defer_stop(&publish_defer);
    xsnapshot_publish();
    revalidator_changed();
}

void
ofproto_changed(void)
{
    dirty = true;
    ev_defer_start(&publish_defer);
}

static void
publish_cb(struct ev_defer *d)
{
    ofproto_publish();
}

/* A link went up or down: which port of a bundle is active may have changed. */
static void
netdev_changed_cb(const char *name, void *aux)
{
    struct ofproto *o, *tmp;

    if (!initialized) {
        return;
    }
    HASH_ITER(hh, all_ofprotos, o, tmp)
    {
        struct ofport *port = ofproto_port_find_name(o, name);

        if (port) {
            connmgr_port_changed(o->conns, port);
            ofproto_changed(); /* for bundles and buckets that watch it */
        }
    }
}

static void
report_memory(struct memory_report *r, void *aux)
{
    unsigned n_ports = 0, n_rules = 0, n_keys = 0;
    struct ofproto *o, *tmp;

    if (!initialized) {
        return;
    }
    HASH_ITER(hh, all_ofprotos, o, tmp)
    {
        n_ports += HASH_COUNT(o->ports);
        n_rules += oftables_count(o->tables);
    }
    for (const struct ofproto_dp *d = all_ofproto_dps; d; d = d->next) {
        struct dp_stats stats;

        if (d->dp) {
            dp_get_stats(d->dp, &stats);
            n_keys += stats.n_flows;
        }
    }
    if (n_ports) {
        memory_report_add(r, "ports", n_ports);
        memory_report_add(r, "revalidators", 1);
    }
    if (n_rules) {
        memory_report_add(r, "rules", n_rules);
    }
    if (n_keys) {
        memory_report_add(r, "udpif keys", n_keys);
    }
}

static void
run_tables(void *aux)
{
    struct ofproto *o, *tmp;

    HASH_ITER(hh, all_ofprotos, o, tmp)
    {
        oftables_run(o->tables);
    }
}

void
ofproto_init(struct evloop *loop)
{
    static bool registered;

    main_loop = loop;
    ev_async_init(&tables_wake, loop, run_tables, NULL);
    ev_defer_init(&publish_defer, loop, publish_cb, NULL);
    initialized = true;
    epoch = 1;
    xsnapshot_publish();
    ofproto_commands_upcall_init(loop);
    if (!registered) {
        registered = true;
        netdev_subscribe(netdev_changed_cb, NULL);
        memory_reporter_register(report_memory, NULL);
        ofproto_commands_fdb_register();
        ofproto_commands_dpif_register();
        ofproto_commands_upcall_register();
        ofproto_commands_conn_register();
        ofproto_commands_trace_register();
    }
    dp_actions_set_punt_format(punt_format);
    punt_init(loop, conn_handle_punt);
    revalidator_start();
}

void
ofproto_exit(void)
{
    struct ofproto *o, *tmp;

    if (!initialized) {
        return;
    }
    HASH_ITER(hh, all_ofprotos, o, tmp)
    {
        ofproto_destroy(o);
    }
    ofproto_dps_settle();
    revalidator_stop();
    punt_exit();
    ofproto_commands_upcall_exit();
    ev_defer_stop(&publish_defer);
    initialized = false;

    synchronize_rcu();
    xsnapshot_destroy_current();
    rcu_barrier(); /* cookies, rules, old snapshots */
    ev_async_destroy(&tables_wake);
    ofproto_dps_free();
}

void
ofproto_set_global(const struct smap *oc)
{
    bool restore_wait = smap_get_bool(oc, "flow-restore-wait", false);
    struct revalidator_config c = {
        .max_idle_ms = (int) smap_get_clamped(oc, "max-idle", 500, INT32_MAX, 10000),
        .max_revalidator_ms =
            (int) smap_get_clamped(oc, "max-revalidator", 100, INT32_MAX, 500),
        .flow_limit = (uint32_t) smap_get_clamped(oc, "flow-limit", 0, UINT32_MAX, 200000),
        .min_pps = (uint32_t) smap_get_clamped(oc, "min-revalidate-pps", 0, UINT32_MAX, 5),
        .paused = restore_wait,
    };

    upcall_set_paused(restore_wait);
    of_bundles_set_idle(smap_get_int(oc, "bundle-idle-timeout", 1, 86400, 10) * INT64_C(1000));
    revalidator_configure(&c);
    /* 0 and what is more than can be stand for all tags that can be looked at. */
    if (flow_key_set_vlan_limit(
            (unsigned) smap_get_clamped(oc, "vlan-limit", INT32_MIN, INT32_MAX, 1))) {
        LOG_INFO("%u VLAN tags of a packet are looked at (other_config:vlan-limit)",
                 flow_key_vlan_limit());
        revalidator_request(true);
    }
}

struct ofproto *
ofproto_lookup(const char *name)
{
    struct ofproto *o;

    HASH_FIND_STR(all_ofprotos, name, o);
    return o;
}

static int
compare_names(const void *a_, const void *b_)
{
    const struct ofproto *a = *(struct ofproto *const *) a_;
    const struct ofproto *b = *(struct ofproto *const *) b_;

    return strcmp(a->name, b->name);
}

struct ofproto **
ofproto_sorted(size_t *n)
{
    struct ofproto **list, *o, *tmp;

    *n = 0;
    if (!all_ofprotos) {
        return NULL;
    }
    list = xcalloc(HASH_COUNT(all_ofprotos), sizeof *list);
    HASH_ITER(hh, all_ofprotos, o, tmp)
    {
        list[(*n)++] = o;
    }
    qsort(list, *n, sizeof *list, compare_names);
    return list;
}

static void
tables_changed_cb(void *aux)
{
    revalidator_changed();
}

/* Any thread.  A learning switch would not wait for the timer. */
static void
rule_event_cb(enum rule_event event, const struct rule *rule, const struct rule *old,
              uint8_t reason, const struct of_requester *who, void *o_)
{
    struct ofproto *o = o_;

    if (o->conns) {
        connmgr_rule_event(o->conns, event, rule, old, reason, who);
    }
}

static void
flow_removed_cb(const struct rule *rule, uint8_t reason, void *o_)
{
    struct ofproto *o = o_;

    if (o->conns) {
        connmgr_flow_removed(o->conns, rule, reason);
    }
}

static void
table_status_cb(uint8_t table_id, uint8_t reason, void *o_)
{
    struct ofproto *o = o_;

    if (o->conns) {
        connmgr_table_status(o->conns, table_id, reason);
    }
}

static void
tables_settle_cb(void *o_)
{
    struct ofproto *o = o_;

    if (o->conns) {
        of_commit_settle(o->conns);
    }
}

static void
tables_idle_cb(void *o_)
{
    struct ofproto *o = o_;

    if (o->conns) {
        of_commit_idle(o->conns);
    }
}

static void
tables_wake_cb(void *o)
{
    ev_async_send(&tables_wake);
}

static void
tables_timer_cb(struct ev_timer *t)
{
    struct ofproto *o = t->aux;

    oftables_run(o->tables);
    ev_timer_start(t, TABLES_RUN_MS);
}

int
ofproto_create(const char *name, const char *datapath_type, struct ofproto **op, char **errp)
{
    struct ofproto_dp *odp;
    struct ofproto *o;
    int error;

    if (ofproto_lookup(name)) {
        error_set(errp, "bridge %s exists already", name);
        return EEXIST;
    }
    error = ofproto_dp_get(datapath_type, &odp, errp);
    if (error) {
        return error;
    }
    o = xzalloc(sizeof *o);
    o->name = xstrdup(name);
    o->id = ofproto_new_id();
    o->odp = odp;
    o->numbers = idpool_create(1, OFPP_MAX_PORT);
    o->tables = oftables_create(&(struct oftables_ops){
        .aux = o,
        .rule_event = rule_event_cb,
        .flow_removed = flow_removed_cb,
        .table_status = table_status_cb,
        .changed = tables_changed_cb,
        .settle = tables_settle_cb,
        .idle = tables_idle_cb,
        .wake = tables_wake_cb,
    });
    meters_set_ops(o->tables, meters_dp_ops(odp->meters));
    ev_timer_init(&o->tables_timer, main_loop, tables_timer_cb, o);
    ev_timer_start(&o->tables_timer, TABLES_RUN_MS);
    o->macs = mac_table_create();
    o->settings.mac_age_s = 300;
    o->settings.mac_table_size = 8192;
    o->settings.secure = true; /* no flow until ofproto_set() */
    o->conns = connmgr_create(o, main_loop);
    HASH_ADD_KEYPTR(hh, all_ofprotos, o->name, strlen(o->name), o);
    ofproto_changed();
    *op = o;
    return 0;
}

void
ofproto_destroy(struct ofproto *o)
{
    struct ofproto_dp *odp;
    struct ofbundle *b, *tmp_b;

    if (!o) {
        return;
    }
    odp = o->odp;
    connmgr_destroy(o->conns);
    o->conns = NULL;
    ev_timer_stop(&o->tables_timer);
    ofproto_ports_remove_all(o);
    HASH_ITER(hh, o->bundles, b, tmp_b)
    {
        ofproto_bundle_remove(o, b);
    }
    HASH_DEL(all_ofprotos, o);
    odp->n_refs--;
    ofproto_publish();
    synchronize_rcu(); /* nobody uses tables, MACs, datapath any more */
    ofproto_dp_put(odp, o->tables, main_loop);
    mac_table_destroy(o->macs);
    idpool_destroy(o->numbers);
    free(o->name);
    free(o);
}

/* The NORMAL action for every packet that no flow of higher priority takes; `alone`: all other
 * flows go. */
static void
add_normal(struct ofproto *o, bool alone, bool hidden, int priority)
{
    struct of_actions normal = OF_ACTIONS_INIT;
    struct of_match any;

    of_match_init(&any);
    of_actions_put_output(&normal, OFPP_NORMAL, 0);
    (alone ? oftables_begin_anew : oftables_add_own)(o->tables, 0, hidden, &any, priority,
                                                     normal.a, normal.len);
    of_actions_free(&normal);
}

/* A bridge on its own switches by the NORMAL action: a flow like any other, which controllers
 * may change.  When that is no longer so, or so again, all flows go and it starts anew. */
static void
update_default_rule(struct ofproto *o)
{
    bool want = !o->settings.secure && !o->settings.has_controller;

    if (o->tables_started && o->has_default == want) {
        return;
    }
    if (want) {
        add_normal(o, o->tables_started, false, 0);
    } else if (o->tables_started) {
        oftables_flush(o->tables);
    }
    o->tables_started = true;
    o->has_default = want;
}

void
ofproto_set_fail_open(struct ofproto *o, bool on)
{
    if (o->fail_open != on) {
        o->fail_open = on;
        if (on) {
            /* What the controller set up is stale when it comes back; it starts anew. */
            add_normal(o, true, true, FAIL_OPEN_PRIORITY);
        } else {
            struct of_match any;

            of_match_init(&any);
            oftables_remove_own(o->tables, 0, &any, FAIL_OPEN_PRIORITY);
        }
        ofproto_changed();
    }
}

void
ofproto_set(struct ofproto *o, const struct ofproto_settings *s)
{
    bool flood_differs =
        memcmp(s->flood_vlans, o->settings.flood_vlans, sizeof s->flood_vlans) != 0;
    bool differs = flood_differs || s->forward_bpdu != o->settings.forward_bpdu ||
                   s->secure != o->settings.secure ||
                   s->has_controller != o->settings.has_controller;

    o->settings = *s;
    mac_table_set_limits(o->macs, s->mac_age_s, s->mac_table_size);
    if (flood_differs) {
        mac_table_flush(o->macs);
    }
    update_default_rule(o);
    if (differs) {
        ofproto_changed();
    }
}

const char *
ofproto_name(const struct ofproto *o)
{
    return o->name;
}

uint64_t
ofproto_datapath_id(const struct ofproto *o)
{
    return o->settings.datapath_id;
}

void
ofproto_settle(void)
{
    if (dirty) {
        ofproto_publish();
    }
    epoch++;
    /* Translations by an older snapshot end, and with them its last megaflows are in; the pass
     * that begins after that sees them all. */
    synchronize_rcu();
    if (!revalidator_wait(revalidator_request(false), SETTLE_TIMEOUT_MS)) {
        COVERAGE_INC(ofproto_settle_timeout);
        LOG_WARN("flows are not revalidated within %d s; going on", SETTLE_TIMEOUT_MS / 1000);
    }
}
