/* SPDX-License-Identifier: Apache-2.0 */
/* Reports to the database, column by column (COMPAT: Interface, Bridge, Open_vSwitch).  Called
 * by bridge.c on the main thread, which decides when and handles what becomes of the
 * transaction.  Must not change anything that runs. */

#include "vswitchd/bridge/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "netdev/netdev.h"
#include "util/xalloc.h"
#include "vswitchd/bridge/iface.h"

/* ------------------------------------------------------------------ abilities */

struct type_list {
    const char *names[64];
    size_t n;
};

static void
type_list_add(const char *type, void *aux)
{
    struct type_list *list = aux;
    if (type[0] && list->n < ARRAY_SIZE(list->names)) {
        list->names[list->n++] = type;
    }
}

void
status_put_abilities(struct ovsdb_txn *txn, const char *root, bool dummy)
{
    struct type_list list = {.n = 0};
    netdev_for_each_type(type_list_add, &list);
    ovsdb_txn_update(txn, "Open_vSwitch", root, "iface_types",
                     ovsdb_value_string_set(list.names, list.n));
    static const char *const with_dummy[] = {"dummy", "netdev", "system"};
    ovsdb_txn_update(txn, "Open_vSwitch", root, "datapath_types",
                     ovsdb_value_string_set(with_dummy + !dummy, dummy ? 3 : 2));
    ovsdb_txn_update(txn, "Open_vSwitch", root, "dpdk_initialized", json_false());
    ovsdb_txn_update(txn, "Open_vSwitch", root, "dpdk_version", json_string("none"));
}

/* ------------------------------------------------------------------ interfaces */

static void
put(struct ovsdb_txn *txn, const char *uuid, const char *column, json_t *value)
{
    ovsdb_txn_update(txn, "Interface", uuid, column, value ? value : ovsdb_value_empty());
}

/* Text that may come from a driver: what is not UTF-8 has no place in the database. */
static json_t *
text(const char *s)
{
    json_t *value = json_string(s);
    return value ? value : json_string("?");
}

/* The columns of an interface that is not there. */
static void
put_failed_iface(struct ovsdb_txn *txn, const char *uuid, int ofport, const char *error)
{
    put(txn, uuid, "ofport", json_integer(ofport));
    put(txn, uuid, "error", error ? text(error) : NULL);
    static const char *const absent[] = {"mac_in_use", "mtu",        "ifindex", "admin_state",
                                         "link_state", "link_speed", "duplex",  "link_resets",
                                         "status",     "statistics"};
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
        bool map = i >= ARRAY_SIZE(absent) - 2;
        put(txn, uuid, absent[i], map ? json_pack("[s,[]]", "map") : NULL);
    }
}

static void
put_open_iface(struct ovsdb_txn *txn, const struct iface_state *iface)
{
    const char *uuid = iface->uuid;
    const struct netdev *dev = iface->netdev;
    char mac_text[18];
    struct eth_addr mac;
    int mtu;
    put(txn, uuid, "ofport", json_integer(iface->ofport));
    put(txn, uuid, "error", NULL);
    bool has_mac = !netdev_get_etheraddr(dev, &mac);
    if (has_mac) {
        snprintf(mac_text, sizeof mac_text, ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));
    }
    put(txn, uuid, "mac_in_use", has_mac ? json_string(mac_text) : NULL);
    put(txn, uuid, "mtu", !netdev_get_mtu(dev, &mtu) ? json_integer(mtu) : NULL);
    put(txn, uuid, "ifindex", json_integer(MAX(0, netdev_get_ifindex(dev))));
    put(txn, uuid, "admin_state", json_string(netdev_is_up(dev) ? "up" : "down"));

    struct netdev_link link = {.duplex = -1};
    netdev_get_link(dev, &link);
    put(txn, uuid, "link_state", json_string(link.carrier ? "up" : "down"));
    put(txn, uuid, "link_resets", json_integer((json_int_t) link.resets));
    put(txn, uuid, "link_speed",
        link.speed_bps ? json_integer((json_int_t) link.speed_bps) : NULL);
    put(txn, uuid, "duplex",
        link.duplex < 0 ? NULL : json_string(link.duplex ? "full" : "half"));

    struct smap status = SMAP_INIT;
    netdev_get_status(dev, &status);
    put(txn, uuid, "status", ovsdb_value_smap(&status));
    smap_destroy(&status);
}

static void
put_iface(struct ovsdb_txn *txn, struct bridge_state *br, const struct cfg_iface *cfg, bool all)
{
    struct iface_state *iface = NULL;
    if (!cfg->uuid) {
        return;
    }
    if (cfg->error) {
        put_failed_iface(txn, cfg->uuid, -1, cfg->error);
        return;
    }
    if (br) {
        HASH_FIND_STR(br->ifaces, cfg->name, iface);
    }
    if (!iface) {
        put_failed_iface(txn, cfg->uuid, -1, br && br->error ? br->error : "not set up yet");
    } else if (iface->status_dirty || all) {
        if (iface->open) {
            put_open_iface(txn, iface);
        } else {
            put_failed_iface(txn, cfg->uuid, iface_reported_ofport(iface), iface->error);
        }
        iface->status_dirty = false;
    }
}

static void
put_bridge(struct ovsdb_txn *txn, struct bridge_state *br)
{
    char id[17];
    snprintf(id, sizeof id, "%016" PRIx64, br->datapath_id);
    ovsdb_txn_update(txn, "Bridge", br->uuid, "datapath_id",
                     br->open ? json_string(id) : ovsdb_value_empty());
    ovsdb_txn_update(txn, "Bridge", br->uuid, "datapath_version", json_string("<built-in>"));
    br->status_dirty = false;
}

void
status_put(struct ovsdb_txn *txn, struct state *state, const struct cfg *cfg, bool all)
{
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        const struct cfg_bridge *bridge_cfg = cfg->bridges[i];
        struct bridge_state *br;
        HASH_FIND_STR(state->bridges, bridge_cfg->name, br);
        if (br && br->uuid && (br->status_dirty || all)) {
            put_bridge(txn, br);
        }
        for (size_t j = 0; j < bridge_cfg->n_ifaces; j++) {
            put_iface(txn, br, bridge_cfg->ifaces[j], all);
        }
    }
    const struct smap_node *node;
    SMAP_FOR_EACH(node, &cfg->rejected)
    {
        put_failed_iface(txn, node->key, -1, node->value);
    }
    if (cfg->root_uuid) {
        ovsdb_txn_update(txn, "Open_vSwitch", cfg->root_uuid, "cur_cfg",
                         json_integer(cfg->next_cfg));
    }
}

/* ------------------------------------------------------------------ statistics */

#define STATS_MAX 512

struct stat_list {
    const char *keys[STATS_MAX];
    int64_t values[STATS_MAX];
    size_t n;
};

static void
stat_add(struct stat_list *list, const char *key, uint64_t value)
{
    if (value != UINT64_MAX && list->n < STATS_MAX) {
        list->keys[list->n] = key;
        list->values[list->n++] = (int64_t) (value & INT64_MAX);
    }
}

static void
put_iface_statistics(struct ovsdb_txn *txn, const struct iface_state *iface)
{
    struct netdev_stats s;
    netdev_get_stats(iface->netdev, &s);
    struct stat_list list = {.n = 0};
    stat_add(&list, "rx_packets", s.rx_packets);
    stat_add(&list, "tx_packets", s.tx_packets);
    stat_add(&list, "rx_bytes", s.rx_bytes);
    stat_add(&list, "tx_bytes", s.tx_bytes);
    stat_add(&list, "rx_dropped", s.rx_dropped);
    stat_add(&list, "tx_dropped", s.tx_dropped);
    stat_add(&list, "rx_errors", s.rx_errors);
    stat_add(&list, "tx_errors", s.tx_errors);
    stat_add(&list, "rx_frame_err", s.rx_frame_errors);
    stat_add(&list, "rx_over_err", s.rx_over_errors);
    stat_add(&list, "rx_crc_err", s.rx_crc_errors);
    stat_add(&list, "rx_missed_errors", s.rx_missed_errors);
    stat_add(&list, "collisions", s.collisions);
    stat_add(&list, "rx_multicast_packets", s.multicast);

    size_t n_custom = 0;
    struct netdev_custom_stat *custom = netdev_get_custom_stats(iface->netdev, &n_custom);
    for (size_t i = 0; i < n_custom; i++) {
        stat_add(&list, custom[i].name, custom[i].value);
    }
    put(txn, iface->uuid, "statistics", ovsdb_value_int_map(list.keys, list.values, list.n));
    free(custom);
}

void
status_put_statistics(struct ovsdb_txn *txn, const struct state *state)
{
    const struct bridge_state *br, *next_br;
    HASH_ITER(hh, state->bridges, br, next_br)
    {
        const struct iface_state *iface, *next;
        HASH_ITER(hh, br->ifaces, iface, next)
        {
            if (iface->open && iface->uuid) {
                put_iface_statistics(txn, iface);
            }
        }
    }
}
