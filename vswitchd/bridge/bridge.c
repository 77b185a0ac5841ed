/* SPDX-License-Identifier: Apache-2.0 */
/* Ties snapshot, plan, apply and status together: decides when to reconfigure, when to write to
 * the database, and what to do without the lock or the database.  Started by main.c; runs in
 * callbacks of the event loop.  Must not know columns (status.c, snapshot.c) or devices
 * (iface.c). */

#include "vswitchd/bridge/bridge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "datapath/dp.h"
#include "log/coverage.h"
#include "log/log.h"
#include "netdev/netdev.h"
#include "ofproto/ofproto.h"
#include "os/clock.h"
#include "rpc/stream.h"
#include "util/xalloc.h"
#include "vswitchd/bridge/apply.h"
#include "vswitchd/bridge/plan.h"
#include "vswitchd/bridge/snapshot.h"
#include "vswitchd/bridge/status.h"

LOG_MODULE(vswitchd_bridge);
COVERAGE_DEFINE(bridge_reconfigure);
COVERAGE_DEFINE(bridge_status_failed);

enum {
    STATUS_RETRY_MS = 1000,   /* after a transaction that failed */
    CONTROLLER_STATUS_MS = 500,
    STATS_INTERVAL_MS = 5000, /* the least, and the default */
    STAND_BY_MS = 1000,       /* the lock of a session that just died is still seen */
};

static struct {
    bool running;
    struct bridge_options options;
    struct evloop *loop;
    struct ovsdb_client *db;
    struct cfg *cfg; /* in effect; NULL: none yet */
    struct state state;
    struct smap changed_devices; /* names, to be looked at at the end of the turn */
    struct ev_defer devices_defer;
    struct ev_timer retry_timer; /* failed interfaces */
    struct ev_timer status_timer;
    struct ev_timer stats_timer;
    struct ev_timer stand_by_timer;
    bool was_connected, lock_told, configured_told;
    bool txn_open;      /* one transaction at a time */
    bool status_wanted; /* another one after it */
    bool all_dirty;     /* the database may have lost what we wrote */
    bool stats_wanted;
} b;

static void
tell_configured(void)
{
    if (!b.configured_told) {
        b.configured_told = true;
        b.options.configured();
    }
}

/* ------------------------------------------------------------------ writing */

static void
status_done(enum ovsdb_txn_result result, const char *error, void *aux)
{
    static struct log_rate_limit rl = LOG_RATE_LIMIT(6);
    b.txn_open = false;
    if (!b.running) {
        return;
    }
    if (result == OVSDB_TXN_OK) {
        tell_configured();
        if (b.status_wanted) {
            ev_timer_start(&b.status_timer, 0);
        }
        return;
    }
    COVERAGE_INC(bridge_status_failed);
    b.all_dirty = true;
    if (result == OVSDB_TXN_ERROR) {
        LOG_WARN_RL(&rl, "the database refused our status update: %s", error ? error : "?");
        tell_configured();
    }
    ev_timer_start(&b.status_timer, STATUS_RETRY_MS);
}

static void
put_statistics(struct ovsdb_txn *txn)
{
    status_put_statistics(txn, &b.state);
    if (!b.cfg->root_uuid) {
        return;
    }
    struct smap system = SMAP_INIT;
    if (smap_get_bool(&b.cfg->other_config, "enable-statistics", false)) {
        system_stats_get(&system);
    }
    ovsdb_txn_update(txn, "Open_vSwitch", b.cfg->root_uuid, "statistics",
                     ovsdb_value_smap(&system));
    smap_destroy(&system);
}

/* Writes all that is new, now or when the transaction under way is through. */
static void
status_send(void)
{
    if (!b.cfg || !ovsdb_is_connected(b.db) || !ovsdb_has_lock(b.db)) {
        return;
    }
    if (b.txn_open) {
        b.status_wanted = true;
        return;
    }
    if (apply_is_waiting(&b.state)) {
        return; /* the news about that interface bring us back here */
    }
    ev_timer_stop(&b.status_timer);
    b.status_wanted = false;
    b.txn_open = true;
    struct ovsdb_txn *txn = ovsdb_txn_create(b.db);
    if (b.cfg->root_uuid) {
        status_put_abilities(txn, b.cfg->root_uuid, b.options.dummy);
    }
    status_put(txn, &b.state, b.cfg, b.all_dirty);
    status_put_controllers(txn, &b.state);
    if (b.stats_wanted) {
        put_statistics(txn);
    }
    b.all_dirty = false;
    b.stats_wanted = false;
    ovsdb_txn_commit(txn, status_done, NULL);
}

static void
on_status_timer(struct ev_timer *t)
{
    status_send();
}

/* A controller came or went: at most one write a second tells of it. */
static void
on_controllers_changed(void *aux)
{
    if (b.running && !b.status_timer.active) {
        ev_timer_start(&b.status_timer, CONTROLLER_STATUS_MS);
    }
}

static void
on_stats_timer(struct ev_timer *t)
{
    int interval = STATS_INTERVAL_MS;
    if (b.cfg) {
        interval = (int) smap_get_clamped(&b.cfg->other_config, "stats-update-interval",
                                          STATS_INTERVAL_MS, INT32_MAX, STATS_INTERVAL_MS);
    }
    b.stats_wanted = true;
    status_send();
    ev_timer_start(&b.stats_timer, interval);
}

/* ------------------------------------------------------------------ reconfiguring */

static void
arm_retries(void)
{
    int64_t next_ms;
    apply_retries(&b.state, &next_ms);
    if (next_ms == INT64_MAX) {
        ev_timer_stop(&b.retry_timer);
    } else {
        ev_timer_start(&b.retry_timer, MAX(next_ms - clock_now_ms(), 100));
    }
}

/* Brings what runs in line with the configuration in effect.  True: something was done. */
static bool
execute(const struct cfg *cfg)
{
    struct plan plan;
    plan_make(&b.state, cfg, &plan);
    bool busy = plan.n > 0;
    apply_plan(&b.state, &plan);
    plan_free(&plan);
    apply_identities(&b.state, cfg);
    arm_retries();
    return busy;
}

static void
configure_globals(const struct cfg *cfg)
{
    if (!b.cfg || !smap_equal(&b.cfg->other_config, &cfg->other_config)) {
        dp_set_config(&cfg->other_config);
        ofproto_set_global(&cfg->other_config);
    }
    if (!b.options.ssl_by_options && (cfg->ssl_key || cfg->ssl_cert || cfg->ssl_ca)) {
        stream_ssl_configure(cfg->ssl_key, cfg->ssl_cert, cfg->ssl_ca, cfg->ssl_bootstrap,
                             cfg->ssl_protocols, cfg->ssl_ciphers);
    }
}

static void
reconfigure(void)
{
    COVERAGE_INC(bridge_reconfigure);
    struct cfg *cfg = snapshot_read(b.db);
    bool first = !b.cfg;
    cfg_log_complaints(cfg, b.cfg);
    configure_globals(cfg);
    bool busy = execute(cfg);
    cfg_destroy(b.cfg);
    b.cfg = cfg;
    b.stats_wanted |= busy;
    status_send();
    if (first) {
        ev_timer_start(&b.stats_timer, STATS_INTERVAL_MS);
    }
}

/* Another process has had the lock for a while: it runs the bridges, not we. */
static void
on_stand_by_timer(struct ev_timer *t)
{
    LOG_ERR("another ovs-vswitchd process holds the lock of the database; this one (pid %ld) "
            "keeps no bridges and waits until that one ends",
            (long) getpid());
    b.lock_told = true;
    apply_clear(&b.state);
    cfg_destroy(b.cfg);
    b.cfg = NULL;
    ev_timer_stop(&b.retry_timer);
    ev_timer_stop(&b.stats_timer);
    tell_configured();
}

static void
on_db_changed(struct ovsdb_client *db, void *aux)
{
    bool connected = ovsdb_is_connected(db);
    b.all_dirty |= connected && !b.was_connected;
    b.was_connected = connected;
    if (!connected || !ovsdb_has_snapshot(db)) {
        return; /* what runs goes on running */
    }
    if (ovsdb_has_lock(db)) {
        ev_timer_stop(&b.stand_by_timer);
        if (b.lock_told) {
            LOG_INFO("the lock of the database is ours now");
            b.lock_told = false;
        }
        reconfigure();
    } else if (ovsdb_lock_is_contended(db) && !b.lock_told && !b.stand_by_timer.active) {
        ev_timer_start(&b.stand_by_timer, STAND_BY_MS);
    }
}

/* ------------------------------------------------------------------ devices */

static void
on_device_changed(const char *name, void *aux)
{
    if (b.running) {
        smap_set(&b.changed_devices, name, "");
        ev_defer_start(&b.devices_defer);
    }
}

static void
on_devices_defer(struct ev_defer *d)
{
    struct smap names = SMAP_INIT;
    smap_swap(&names, &b.changed_devices);
    bool replan = false, status = false;
    const struct smap_node *node;
    SMAP_FOR_EACH(node, &names)
    {
        replan |= apply_device_changed(&b.state, node->key, &status);
    }
    smap_destroy(&names);
    if (replan && b.cfg) {
        execute(b.cfg);
    } else {
        arm_retries();
    }
    if (status && !b.status_timer.active) {
        ev_timer_start(&b.status_timer, 0); /* one transaction for all of the turn */
    }
}

static void
on_retry_timer(struct ev_timer *t)
{
    int64_t next_ms;
    if (b.cfg && apply_retries(&b.state, &next_ms)) {
        execute(b.cfg);
        status_send();
    } else {
        arm_retries();
    }
}

/* ------------------------------------------------------------------ life */

bool
bridge_init(struct evloop *loop, const struct bridge_options *options, char **errp)
{
    b.options = *options;
    b.loop = loop;
    smap_init(&b.changed_devices);
    ev_defer_init(&b.devices_defer, loop, on_devices_defer, NULL);
    ev_timer_init(&b.retry_timer, loop, on_retry_timer, NULL);
    ev_timer_init(&b.status_timer, loop, on_status_timer, NULL);
    ev_timer_init(&b.stats_timer, loop, on_stats_timer, NULL);
    ev_timer_init(&b.stand_by_timer, loop, on_stand_by_timer, NULL);
    struct ovsdb_events events = {.changed = on_db_changed};
    b.db = ovsdb_client_create(loop, options->remotes, &snapshot_spec, &events, errp);
    if (!b.db) {
        return false;
    }
    b.running = true;
    netdev_subscribe(on_device_changed, NULL);
    ofproto_conns_subscribe(on_controllers_changed, NULL);
    return true;
}

void
bridge_exit(void)
{
    if (!b.running) {
        return;
    }
    b.running = false;
    apply_clear(&b.state);
    ev_defer_stop(&b.devices_defer);
    ev_timer_stop(&b.retry_timer);
    ev_timer_stop(&b.status_timer);
    ev_timer_stop(&b.stats_timer);
    ev_timer_stop(&b.stand_by_timer);
    ovsdb_client_destroy(b.db);
    b.db = NULL;
    cfg_destroy(b.cfg);
    b.cfg = NULL;
    smap_destroy(&b.changed_devices);
}
