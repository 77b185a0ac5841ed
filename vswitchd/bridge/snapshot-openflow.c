/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow part of a bridge out of the OVSDB replica.  Called by snapshot.c on the main
 * thread. */

#include <stdlib.h>
#include <string.h>

#include "openflow/of-hello.h"
#include "util/num.h"
#include "util/quote.h"
#include "util/strbuf.h"
#include "util/xalloc.h"
#include "vswitchd/bridge/snapshot.h"

#define PROBE_MS 5000
#define MAX_BACKOFF_MS 8000
#define QUEUE_MAX 512
#define DSCP_DEFAULT 48 /* CS6, network control */

static void
read_protocols(const struct ovsdb_row *row, struct cfg_bridge *br)
{
    for (size_t i = 0; i < ovsdb_get_count(row, "protocols"); i++) {
        const char *name = ovsdb_get_string_at(row, "protocols", i);
        uint32_t bit = name ? of_version_from_name(name) : 0;

        if (name && !bit) {
            cfg_complain(br->cfg, "bridge %s: protocol %s is not known; ignored", br->name,
                         QUOTE(name));
        }
        br->openflow.versions |= bit;
    }
}

static int
clamp(int64_t value, int low, int high)
{
    return value < low ? low : value > high ? high : (int) value;
}

/* A number of other_config, 0 or more; one that is not within the limits is complained of. */
static int
read_number(struct cfg_bridge *br, const struct smap *map, const char *key, int low, int high,
            int otherwise)
{
    const char *text = smap_get(map, key);
    uint64_t value = (uint64_t) otherwise;

    if (text && !num_parse_u64(text, (uint64_t) low, (uint64_t) high, &value)) {
        cfg_complain(br->cfg, "bridge %s: other_config:%s=%s is not in %d...%d; ignored",
                     br->name, key, QUOTE(text), low, high);
    }
    return (int) value;
}

static void
read_controller(const struct ovsdb_row *row, struct cfg_bridge *br)
{
    const char *target = ovsdb_get_string(row, "target", "");
    const char *type = ovsdb_get_string(row, "type", "");
    const char *mode = ovsdb_get_string(row, "connection_mode", "");
    struct smap other_config = SMAP_INIT;
    struct cfg_controller *c;

    for (size_t i = 0; i < br->openflow.n_controllers; i++) {
        if (!strcmp(br->openflow.controllers[i].target, target)) {
            cfg_complain(br->cfg, "bridge %s: controller %s occurs twice", br->name,
                         QUOTE(target));
            return;
        }
    }
    if (!strcmp(mode, "in-band")) {
        cfg_complain(br->cfg,
                     "bridge %s: controller %s: in-band control is not there; the network "
                     "must reach it without this bridge's flows",
                     br->name, QUOTE(target));
    }
    c = cfg_openflow_add_controller(&br->openflow, ovsdb_row_uuid(row), target);
    c->s.max_backoff_ms =
        clamp(ovsdb_get_int(row, "max_backoff", MAX_BACKOFF_MS), 1000, 3600000);
    c->s.probe_ms = clamp(ovsdb_get_int(row, "inactivity_probe", PROBE_MS), 0, 3600000);
    if (c->s.probe_ms && c->s.probe_ms < 1000) {
        c->s.probe_ms = 1000;
    }
    c->s.is_service = !strcmp(type, "service");
    c->s.is_primary = !strcmp(type, "primary");
    c->s.no_async = !ovsdb_get_bool(row, "enable_async_messages", true);
    c->s.rate_limit = clamp(ovsdb_get_int(row, "controller_rate_limit", 0), 0, INT32_MAX);
    c->s.queue_size = clamp(ovsdb_get_int(row, "controller_queue_size", 0), 0, QUEUE_MAX);
    c->s.burst_limit = clamp(ovsdb_get_int(row, "controller_burst_limit", 0), 0, INT32_MAX);
    ovsdb_get_smap(row, "other_config", &other_config);
    c->s.dscp = (unsigned) read_number(br, &other_config, "dscp", 0, 63, DSCP_DEFAULT);
    smap_destroy(&other_config);
}

/* The strings of a set, in order, separated by spaces; NULL: an empty set. */
static char *
read_words(const struct ovsdb_row *row, const char *column)
{
    struct strbuf s = STRBUF_INIT;
    size_t n = ovsdb_get_count(row, column);

    for (size_t i = 0; i < n; i++) {
        const char *word = ovsdb_get_string_at(row, column, i);

        strbuf_putf(&s, "%s%s", i ? " " : "", word ? word : "");
    }
    return n ? strbuf_steal(&s) : NULL;
}

static void
read_table(const struct ovsdb_row *row, struct cfg_openflow *of, uint8_t id)
{
    struct cfg_flow_table *t = cfg_openflow_add_table(of, id);

    t->name = xstrdup(ovsdb_get_string(row, "name", ""));
    t->flow_limit = ovsdb_get_int(row, "flow_limit", -1);
    t->evict = !strcmp(ovsdb_get_string(row, "overflow_policy", "refuse"), "evict");
    t->prefixes = read_words(row, "prefixes");
    t->groups = read_words(row, "groups");
}

static void
read_tables(const struct ovsdb_client *db, const struct ovsdb_row *row, struct cfg_bridge *br)
{
    const json_t *pairs = ovsdb_get(row, "flow_tables"), *pair;
    size_t i;

    json_array_foreach(pairs, i, pair)
    {
        int64_t id = json_integer_value(json_array_get(pair, 0));
        const char *uuid = json_string_value(json_array_get(pair, 1));
        const struct ovsdb_row *table = uuid ? ovsdb_row_find(db, "Flow_Table", uuid) : NULL;

        if (table && id >= 0 && id <= 253) {
            read_table(table, &br->openflow, (uint8_t) id);
        } else if (table) {
            cfg_complain(br->cfg, "bridge %s: flow table %lld is not in 0...253; ignored",
                         br->name, (long long) id);
        }
    }
}

static char *
copy_text(const struct smap *map, const char *key)
{
    const char *text = smap_get(map, key);

    return text && *text ? xstrdup(text) : NULL;
}

void
snapshot_read_openflow(const struct ovsdb_client *db, const struct ovsdb_row *row,
                       const struct smap *other_config, struct cfg_bridge *br)
{
    read_protocols(row, br);
    for (size_t i = 0; i < ovsdb_get_count(row, "controller"); i++) {
        const char *uuid = ovsdb_get_string_at(row, "controller", i);
        const struct ovsdb_row *c = uuid ? ovsdb_row_find(db, "Controller", uuid) : NULL;

        if (c) {
            read_controller(c, br);
        }
    }
    br->openflow.dp_desc = copy_text(other_config, "dp-desc");
    br->openflow.serial = copy_text(other_config, "dp-sn");
    br->openflow.queue_size =
        read_number(br, other_config, "controller-queue-size", 1, QUEUE_MAX, 0);
    read_tables(db, row, br);
    cfg_openflow_sort(&br->openflow);
}
