/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the OVSDB replica into plain structs, called by bridge.c on the main thread at every
 * change of the database.  Values out of range are replaced by their defaults with one sentence
 * in the log; rows that refer to nothing are left out.  Must not know what is running. */

#include "vswitchd/bridge/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "util/num.h"
#include "util/quote.h"
#include "util/xalloc.h"

static const char *const root_columns[] = {
    "bridges",      "ssl",
    "next_cfg",     "cur_cfg",
    "other_config", "datapath_types",
    "iface_types",  "dpdk_initialized",
    "dpdk_version", "statistics",
    NULL,
};
static const char *const bridge_columns[] = {
    "name",         "ports",       "datapath_type", "fail_mode",        "controller",
    "other_config", "flood_vlans", "datapath_id",   "datapath_version", "protocols",
    "flow_tables",  NULL,
};
static const char *const port_columns[] = {
    "name", "interfaces",  "tag",       "trunks",       "vlan_mode", "cvlans",
    "mac",  "fake_bridge", "protected", "other_config", NULL,
};
static const char *const iface_columns[] = {
    "name",        "type",        "options",    "other_config", "ofport",      "ofport_request",
    "mac",         "mtu_request", "error",      "mac_in_use",   "mtu",         "ifindex",
    "admin_state", "link_state",  "link_speed", "duplex",       "link_resets", "status",
    "statistics",  NULL,
};
static const char *const ssl_columns[] = {
    "private_key",   "certificate", "ca_cert", "bootstrap_ca_cert",
    "ssl_protocols", "ssl_ciphers", NULL,
};
static const char *const controller_columns[] = {
    "target",
    "max_backoff",
    "inactivity_probe",
    "connection_mode",
    "enable_async_messages",
    "controller_rate_limit",
    "controller_burst_limit",
    "controller_queue_size",
    "type",
    "other_config",
    "is_connected",
    "role",
    "status",
    NULL,
};
static const char *const flow_table_columns[] = {
    "name", "flow_limit", "overflow_policy", "groups", "prefixes", NULL,
};
static const struct ovsdb_table_spec tables[] = {
    {"Open_vSwitch", root_columns}, {"Bridge", bridge_columns}, {"Port", port_columns},
    {"Interface", iface_columns},   {"SSL", ssl_columns},
    {"Controller", controller_columns}, {"Flow_Table", flow_table_columns},
};
const struct ovsdb_spec snapshot_spec = {
    .database = "Open_vSwitch",
    .lock = "ovs_vswitchd",
    .tables = tables,
    .n_tables = ARRAY_SIZE(tables),
};

static bool
parse_mac(struct cfg *cfg, const char *text, const char *what, const char *name,
          struct eth_addr *mac)
{
    if (!text || !text[0]) {
        return false;
    }
    if (!eth_addr_parse(text, mac) || eth_addr_is_multicast(*mac) || eth_addr_is_zero(*mac)) {
        cfg_complain(cfg, "%s: %s \"%s\" is not a unicast Ethernet address; ignored", name,
                     what, text);
        return false;
    }
    return true;
}

/* Complains about what should be a number; the default is then taken by whoever reads it.  A
 * number out of range becomes its limit without a word, as users know it. */
static void
check_number(struct cfg *cfg, const char *where, const struct smap *map, const char *key)
{
    if (smap_get_clamped(map, key, INT64_MIN, INT64_MAX, 0) !=
        smap_get_clamped(map, key, INT64_MIN, INT64_MAX, 1)) {
        const char *text = smap_get(map, key);
        if (text) {
            cfg_complain(cfg, "%s: other_config:%s=%s is not a number; the default is taken",
                         where, key, QUOTE(text));
        }
    }
}

/* The same about a word that is not one of `words` (ended by NULL). */
static void
check_word(struct cfg *cfg, const char *where, const struct smap *map, const char *key,
           const char *const words[])
{
    const char *text = smap_get(map, key);
    for (size_t i = 0; text && words[i]; i++) {
        if (!strcmp(text, words[i])) {
            return;
        }
    }
    if (text) {
        cfg_complain(cfg, "%s: other_config:%s=%s is not understood; taking %s", where, key,
                     QUOTE(text), words[0]);
    }
}

/* Numbers of Open_vSwitch.other_config that other modules read. */
static void
check_globals(struct cfg *cfg)
{
    static const char *const numbers[] = {"max-idle",   "max-revalidator",
                                          "flow-limit", "min-revalidate-pps",
                                          "vlan-limit", "stats-update-interval"};
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        check_number(cfg, "Open_vSwitch", &cfg->other_config, numbers[i]);
    }
}

static void
read_iface(const struct ovsdb_row *row, struct cfg_bridge *br, struct cfg_port *port)
{
    const char *name = ovsdb_get_string(row, "name", "");
    struct cfg_iface *iface =
        cfg_iface_add(br, port, name, ovsdb_row_uuid(row), ovsdb_get_string(row, "type", ""));
    const char *problem = cfg_name_problem(name);
    if (problem) {
        error_set(&iface->error, "interface \"%s\" cannot be: %s", QUOTE(name), problem);
    }
    ovsdb_get_smap(row, "options", &iface->options);
    ovsdb_get_smap(row, "other_config", &iface->other_config);

    int64_t number = ovsdb_get_int(row, "ofport_request", 0);
    iface->ofport_request = number > 0 && number <= OFPP_MAX_PORT ? (uint16_t) number : 0;
    number = ovsdb_get_int(row, "ofport", 0);
    iface->ofport_hint = number > 0 && number <= OFPP_MAX_PORT ? (uint16_t) number : 0;
    number = ovsdb_get_int(row, "mtu_request", 0);
    if (number && (number < 68 || number > 65535)) {
        cfg_complain(br->cfg, "%s: mtu_request %lld is not in 68...65535; ignored", name,
                     (long long) number);
        number = 0;
    }
    iface->mtu_request = (int) number;
    iface->has_mac =
        parse_mac(br->cfg, ovsdb_get_string(row, "mac", NULL), "mac", name, &iface->mac);
    struct eth_addr in_use;
    const char *text = ovsdb_get_string(row, "mac_in_use", NULL);
    if (text && eth_addr_parse(text, &in_use)) {
        iface->mac_in_use = in_use;
    }
}

/* A column that holds VLAN numbers, as a bitmap; false when there is none. */
static bool
read_vlan_set(const struct ovsdb_row *row, const char *column, struct cfg_bridge *br,
              const struct cfg_port *port, uint64_t *set)
{
    bool any = false;
    for (size_t i = 0; i < ovsdb_get_count(row, column); i++) {
        int64_t vid = ovsdb_get_int_at(row, column, i);
        if (vid < 0 || vid > 4095) {
            cfg_complain(br->cfg, "port %s: %.*s %lld is not a VLAN number; ignored",
                         port->name, (int) strlen(column) - 1, column, (long long) vid);
            continue;
        }
        bitmap_set(set, (unsigned) vid);
        any = true;
    }
    return any;
}

static void
read_vlans(const struct ovsdb_row *row, struct cfg_bridge *br, struct cfg_port *port)
{
    bool has_tag = ovsdb_get_count(row, "tag") > 0;
    int64_t tag = ovsdb_get_int(row, "tag", 0);
    if (tag < 0 || tag > 4095) {
        cfg_complain(br->cfg, "port %s: tag %lld is not a VLAN number; ignored", port->name,
                     (long long) tag);
        has_tag = false;
        tag = 0;
    }
    port->set.has_trunks = read_vlan_set(row, "trunks", br, port, port->set.trunks);
    port->set.has_cvlans = read_vlan_set(row, "cvlans", br, port, port->set.cvlans);

    static const struct {
        const char *name;
        enum vlan_mode mode;
    } modes[] = {
        {"access", VLAN_MODE_ACCESS},
        {"trunk", VLAN_MODE_TRUNK},
        {"native-tagged", VLAN_MODE_NATIVE_TAGGED},
        {"native-untagged", VLAN_MODE_NATIVE_UNTAGGED},
        {"dot1q-tunnel", VLAN_MODE_DOT1Q_TUNNEL},
    };
    port->set.vlan_mode = has_tag ? VLAN_MODE_ACCESS : VLAN_MODE_TRUNK;
    const char *mode = ovsdb_get_string(row, "vlan_mode", NULL);
    for (size_t i = 0; mode && i < ARRAY_SIZE(modes); i++) {
        if (!strcmp(mode, modes[i].name)) {
            port->set.vlan_mode = modes[i].mode;
        }
    }
    if (port->set.vlan_mode != VLAN_MODE_TRUNK) {
        port->set.tag = (uint16_t) tag;
    }
    if (port->set.has_trunks && (port->set.vlan_mode == VLAN_MODE_NATIVE_TAGGED ||
                                 port->set.vlan_mode == VLAN_MODE_NATIVE_UNTAGGED)) {
        bitmap_set(port->set.trunks, port->set.tag);
    }
}

static void
read_port(const struct ovsdb_client *db, const struct ovsdb_row *row, struct cfg_bridge *br)
{
    const char *name = ovsdb_get_string(row, "name", "");
    struct cfg_port *port = cfg_port_add(br, name);
    read_vlans(row, br, port);
    struct smap other = SMAP_INIT;
    ovsdb_get_smap(row, "other_config", &other);
    static const char *const tag_words[] = {"never", "if-nonzero", "true", "always", NULL};
    static const char *const qinq_words[] = {"802.1ad", "802.1q", NULL};
    check_word(br->cfg, name, &other, "priority-tags", tag_words);
    check_word(br->cfg, name, &other, "qinq-ethtype", qinq_words);
    const char *tags = smap_get_def(&other, "priority-tags", "never");
    port->set.priority_tags = !strcmp(tags, "always") ? PRIORITY_TAGS_ALWAYS
                              : !strcmp(tags, "if-nonzero") || !strcmp(tags, "true")
                                  ? PRIORITY_TAGS_IF_NONZERO
                                  : PRIORITY_TAGS_NEVER;
    port->set.qinq_8021ad =
        strcmp(smap_get_def(&other, "qinq-ethtype", "802.1ad"), "802.1q") != 0;
    port->set.protected_port = ovsdb_get_bool(row, "protected", false);
    port->set.has_mac =
        parse_mac(br->cfg, ovsdb_get_string(row, "mac", NULL), "mac", name, &port->set.mac);
    smap_destroy(&other);

    for (size_t i = 0; i < ovsdb_get_count(row, "interfaces"); i++) {
        const char *uuid = ovsdb_get_string_at(row, "interfaces", i);
        const struct ovsdb_row *iface = uuid ? ovsdb_row_find(db, "Interface", uuid) : NULL;
        if (iface) {
            read_iface(iface, br, port);
        }
    }
    if (!port->n_ifaces) {
        cfg_complain(br->cfg, "bridge %s: port %s has no interfaces; left out", br->name, name);
        cfg_port_remove_last(br);
    }
}

static void
read_bridge(const struct ovsdb_client *db, const struct ovsdb_row *row, struct cfg_bridge *br)
{
    free(br->datapath_type);
    br->datapath_type = xstrdup(ovsdb_get_string(row, "datapath_type", ""));
    br->secure = !strcmp(ovsdb_get_string(row, "fail_mode", "standalone"), "secure");
    br->has_controller = ovsdb_get_count(row, "controller") > 0;

    struct smap other = SMAP_INIT;
    ovsdb_get_smap(row, "other_config", &other);
    br->has_hwaddr = parse_mac(br->cfg, smap_get(&other, "hwaddr"), "other_config:hwaddr",
                               br->name, &br->hwaddr);
    const char *id = smap_get(&other, "datapath-id");
    if (id) {
        char hex[20];
        bool prefixed = !strncmp(id, "0x", 2);
        snprintf(hex, sizeof hex, "0x%.16s", id + (prefixed ? 2 : 0));
        bool length_ok = prefixed ? strlen(id) <= 18 : strlen(id) == 16;
        if (!length_ok || !num_parse_u64(hex, 1, UINT64_MAX, &br->datapath_id)) {
            cfg_complain(br->cfg,
                         "bridge %s: datapath-id \"%s\" is not 16 hexadecimal digits; ignored",
                         br->name, id);
            br->datapath_id = 0;
        }
    }
    check_number(br->cfg, br->name, &other, "mac-aging-time");
    check_number(br->cfg, br->name, &other, "mac-table-size");
    br->mac_age_s = (int) smap_get_clamped(&other, "mac-aging-time", 15, 65535, 300);
    br->mac_table_size =
        (uint32_t) smap_get_clamped(&other, "mac-table-size", 10, 1000000, 8192);
    br->forward_bpdu = smap_get_bool(&other, "forward-bpdu", false);
    snapshot_read_openflow(db, row, &other, br);
    smap_destroy(&other);

    for (size_t i = 0; i < ovsdb_get_count(row, "flood_vlans"); i++) {
        int64_t vid = ovsdb_get_int_at(row, "flood_vlans", i);
        if (vid >= 0 && vid <= 4095) {
            bitmap_set(br->flood_vlans, (unsigned) vid);
        }
    }
    for (size_t i = 0; i < ovsdb_get_count(row, "ports"); i++) {
        const char *uuid = ovsdb_get_string_at(row, "ports", i);
        const struct ovsdb_row *port = uuid ? ovsdb_row_find(db, "Port", uuid) : NULL;
        if (port) {
            read_port(db, port, br);
        }
    }
}

/* A bridge that cannot be: its interfaces have the sentence, as a bridge has no column for it.
 */
static void
reject_bridge(const struct ovsdb_client *db, const struct ovsdb_row *row, struct cfg *cfg,
              const char *name, const char *problem)
{
    char *sentence = xasprintf("bridge \"%s\" cannot be: %s", QUOTE(name), problem);
    cfg_complain(cfg, "%s", sentence);
    for (size_t i = 0; i < ovsdb_get_count(row, "ports"); i++) {
        const char *uuid = ovsdb_get_string_at(row, "ports", i);
        const struct ovsdb_row *port = uuid ? ovsdb_row_find(db, "Port", uuid) : NULL;
        for (size_t j = 0; port && j < ovsdb_get_count(port, "interfaces"); j++) {
            uuid = ovsdb_get_string_at(port, "interfaces", j);
            if (uuid) {
                smap_set(&cfg->rejected, uuid, sentence);
            }
        }
    }
    free(sentence);
}

static char *
copy_nonempty(const struct ovsdb_row *row, const char *column)
{
    const char *text = ovsdb_get_string(row, column, "");
    return text[0] ? xstrdup(text) : NULL;
}

static void
read_ssl(const struct ovsdb_row *row, struct cfg *cfg)
{
    cfg->ssl_key = copy_nonempty(row, "private_key");
    cfg->ssl_cert = copy_nonempty(row, "certificate");
    cfg->ssl_ca = copy_nonempty(row, "ca_cert");
    cfg->ssl_bootstrap = ovsdb_get_bool(row, "bootstrap_ca_cert", false);
    cfg->ssl_protocols = copy_nonempty(row, "ssl_protocols");
    cfg->ssl_ciphers = copy_nonempty(row, "ssl_ciphers");
}

struct cfg *
snapshot_read(const struct ovsdb_client *db)
{
    struct cfg *cfg = cfg_create();
    const struct ovsdb_row *root = ovsdb_row_first(db, "Open_vSwitch");
    if (!root) {
        return cfg;
    }
    cfg->root_uuid = xstrdup(ovsdb_row_uuid(root));
    cfg->next_cfg = ovsdb_get_int(root, "next_cfg", 0);
    ovsdb_get_smap(root, "other_config", &cfg->other_config);
    check_globals(cfg);
    const char *ssl = ovsdb_get_count(root, "ssl") ? ovsdb_get_string_at(root, "ssl", 0) : NULL;
    const struct ovsdb_row *ssl_row = ssl ? ovsdb_row_find(db, "SSL", ssl) : NULL;
    if (ssl_row) {
        read_ssl(ssl_row, cfg);
    }
    for (size_t i = 0; i < ovsdb_get_count(root, "bridges"); i++) {
        const char *uuid = ovsdb_get_string_at(root, "bridges", i);
        const struct ovsdb_row *row = uuid ? ovsdb_row_find(db, "Bridge", uuid) : NULL;
        const char *name = row ? ovsdb_get_string(row, "name", "") : "";
        if (!row) {
            continue;
        }
        const char *problem = cfg_name_problem(name);
        if (problem) {
            reject_bridge(db, row, cfg, name, problem);
            continue;
        }
        read_bridge(db, row, cfg_bridge_add(cfg, name, uuid));
    }
    cfg_finish(cfg);
    return cfg;
}
