/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration structs: building, looking up, freeing, and the rules that hold whatever
 * the configuration came from.  Called by snapshot.c and the unit tests, on the main thread.
 * Knows nothing of the database nor of anything that runs. */

#include "vswitchd/bridge/cfg.h"

#include <stdlib.h>
#include <string.h>
#include "log/log.h"
#include "util/quote.h"
#include "util/xalloc.h"

LOG_MODULE(bridge_cfg);

/* Devices have 15 characters at most and say so themselves; what has no device (patch, tests)
 * needs names that fit into the name of a file. */
enum { CFG_NAME_MAX = 128 };

struct cfg *
cfg_create(void)
{
    struct cfg *cfg = xzalloc(sizeof *cfg);
    smap_init(&cfg->other_config);
    smap_init(&cfg->complaints);
    smap_init(&cfg->rejected);
    return cfg;
}

static void
cfg_iface_destroy(struct cfg_iface *iface)
{
    free(iface->name);
    free(iface->uuid);
    free(iface->type);
    free(iface->error);
    smap_destroy(&iface->options);
    smap_destroy(&iface->other_config);
    free(iface);
}

static void
cfg_bridge_destroy(struct cfg_bridge *br)
{
    for (size_t i = 0; i < br->n_ifaces; i++) {
        cfg_iface_destroy(br->ifaces[i]);
    }
    for (size_t i = 0; i < br->n_ports; i++) {
        free(br->ports[i]->ifaces);
        free(br->ports[i]->name);
        free(br->ports[i]);
    }
    free(br->ifaces);
    free(br->ports);
    free(br->name);
    free(br->uuid);
    free(br->datapath_type);
    cfg_openflow_destroy(&br->openflow);
    free(br);
}

void
cfg_destroy(struct cfg *cfg)
{
    if (!cfg) {
        return;
    }
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        cfg_bridge_destroy(cfg->bridges[i]);
    }
    free(cfg->bridges);
    free(cfg->root_uuid);
    free(cfg->ssl_key);
    free(cfg->ssl_cert);
    free(cfg->ssl_ca);
    free(cfg->ssl_protocols);
    free(cfg->ssl_ciphers);
    smap_destroy(&cfg->other_config);
    smap_destroy(&cfg->complaints);
    smap_destroy(&cfg->rejected);
    free(cfg);
}

/* Appends to an array of pointers whose capacity is the next power of two. */
static void *
array_append(void *array, size_t *n, void *item)
{
    void **items = array;
    if (!(*n & (*n - 1))) {
        items = xrealloc(items, (*n ? *n * 2 : 1) * sizeof *items);
    }
    items[(*n)++] = item;
    return items;
}

struct cfg_bridge *
cfg_bridge_add(struct cfg *cfg, const char *name, const char *uuid)
{
    struct cfg_bridge *br = xzalloc(sizeof *br);
    br->name = xstrdup(name);
    br->uuid = xstrdup_nullable(uuid);
    br->cfg = cfg;
    br->datapath_type = xstrdup("");
    br->mac_age_s = 300;
    br->mac_table_size = 8192;
    cfg->bridges = array_append(cfg->bridges, &cfg->n_bridges, br);
    return br;
}

struct cfg_port *
cfg_port_add(struct cfg_bridge *br, const char *name)
{
    struct cfg_port *port = xzalloc(sizeof *port);
    port->name = xstrdup(name);
    port->set.vlan_mode = VLAN_MODE_TRUNK;
    port->set.qinq_8021ad = true;
    br->ports = array_append(br->ports, &br->n_ports, port);
    return port;
}

void
cfg_complain(struct cfg *cfg, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *sentence = quote_sentence(xvasprintf(format, args));
    va_end(args);
    smap_set(&cfg->complaints, sentence, "");
    free(sentence);
}

const char *
cfg_name_problem(const char *name)
{
    if (!name[0]) {
        return "it has no name";
    }
    if (strlen(name) > CFG_NAME_MAX) {
        return "its name is too long";
    }
    if (!strcmp(name, ".") || !strcmp(name, "..")) {
        return "that is the name of a folder";
    }
    for (const char *p = name; *p; p++) {
        if (*p == '/' || (unsigned char) *p <= ' ' || *p == 0x7f) {
            return *p == '/' ? "its name has a slash"
                             : "its name has a space or a control character";
        }
    }
    return NULL;
}

void
cfg_log_complaints(const struct cfg *now, const struct cfg *before)
{
    const struct smap_node *node;
    SMAP_FOR_EACH(node, &now->complaints)
    {
        if (!before || !smap_get(&before->complaints, node->key)) {
            LOG_WARN("%s", node->key);
        }
    }
}

void
cfg_port_remove_last(struct cfg_bridge *br)
{
    struct cfg_port *port = br->ports[br->n_ports - 1];
    br->n_ports--;
    if (br->n_ports && !(br->n_ports & (br->n_ports - 1))) {
        /* array_append() will think that the array is full: let that be true. */
        br->ports = xrealloc(br->ports, br->n_ports * sizeof *br->ports);
    }
    free(port->ifaces);
    free(port->name);
    free(port);
}

struct cfg_iface *
cfg_iface_add(struct cfg_bridge *br, struct cfg_port *port, const char *name, const char *uuid,
              const char *type)
{
    struct cfg_iface *iface = xzalloc(sizeof *iface);
    iface->name = xstrdup(name);
    iface->uuid = xstrdup_nullable(uuid);
    iface->is_local = !strcmp(name, br->name);
    iface->is_internal = iface->is_local || !strcmp(type, "internal");
    iface->type = xstrdup(iface->is_local ? "internal" : type);
    smap_init(&iface->options);
    smap_init(&iface->other_config);
    br->ifaces = array_append(br->ifaces, &br->n_ifaces, iface);
    port->ifaces = array_append(port->ifaces, &port->n_ifaces, iface);
    return iface;
}

static int
bridge_compare(const void *a, const void *b)
{
    return strcmp((*(struct cfg_bridge *const *) a)->name,
                  (*(struct cfg_bridge *const *) b)->name);
}

static int
port_compare(const void *a, const void *b)
{
    return strcmp((*(struct cfg_port *const *) a)->name, (*(struct cfg_port *const *) b)->name);
}

static int
iface_compare(const void *a, const void *b)
{
    return strcmp((*(struct cfg_iface *const *) a)->name,
                  (*(struct cfg_iface *const *) b)->name);
}

static void
sort(void *array, size_t n, int (*compare)(const void *, const void *))
{
    if (n > 1) {
        qsort(array, n, sizeof(void *), compare);
    }
}

static void
bridge_finish(struct cfg_bridge *br)
{
    sort(br->ifaces, br->n_ifaces, iface_compare);
    if (!cfg_iface_find(br, br->name)) {
        struct cfg_port *port = cfg_port_add(br, br->name);
        cfg_iface_add(br, port, br->name, NULL, "internal");
        sort(br->ifaces, br->n_ifaces, iface_compare);
    }
    sort(br->ports, br->n_ports, port_compare);
    for (size_t i = 0; i < br->n_ports; i++) {
        struct cfg_port *port = br->ports[i];
        sort(port->ifaces, port->n_ifaces, iface_compare);
        bool twice = i > 0 && !strcmp(port->name, br->ports[i - 1]->name);
        for (size_t j = 0; twice && j < port->n_ifaces; j++) {
            error_set(&port->ifaces[j]->error, "port %s occurs twice in bridge %s", port->name,
                      br->name);
        }
        for (size_t j = 0; port->n_ifaces > 1 && j < port->n_ifaces; j++) {
            error_set(&port->ifaces[j]->error,
                      "port %s has %zu interfaces, but this version of XVS has no bonds",
                      port->name, port->n_ifaces);
        }
    }
}

/* `iface` loses against `winner`.  When both are the same row, the winner alone reports to it.
 */
static void
mark_duplicate(struct cfg_iface *iface, const struct cfg_iface *winner, const char *bridge)
{
    error_set(&iface->error, "interface %s is already in bridge %s", iface->name, bridge);
    if (iface->uuid && winner->uuid && !strcmp(iface->uuid, winner->uuid)) {
        free(iface->uuid);
        iface->uuid = NULL;
    }
}

/* A device can be in one port only: the first one, by the bridge's name, keeps it. */
static void
mark_duplicates(struct cfg *cfg)
{
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        struct cfg_bridge *br = cfg->bridges[i];
        for (size_t j = 0; j < br->n_ifaces; j++) {
            struct cfg_iface *iface = br->ifaces[j];
            const struct cfg_bridge *named = cfg_bridge_find(cfg, iface->name);
            if (j > 0 && !strcmp(iface->name, br->ifaces[j - 1]->name)) {
                mark_duplicate(iface, br->ifaces[j - 1], br->name);
            } else if (named && named != br) {
                error_set(&iface->error, "interface %s has the name of a bridge", iface->name);
            }
            for (size_t k = 0; !iface->error && k < i; k++) {
                const struct cfg_iface *other = cfg_iface_find(cfg->bridges[k], iface->name);
                if (other && !other->error) {
                    mark_duplicate(iface, other, cfg->bridges[k]->name);
                }
            }
            if (iface->error) {
                cfg_complain(cfg, "bridge %s: %s", br->name, iface->error);
            }
        }
    }
}

void
cfg_finish(struct cfg *cfg)
{
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        bridge_finish(cfg->bridges[i]);
    }
    sort(cfg->bridges, cfg->n_bridges, bridge_compare);
    mark_duplicates(cfg);
}

/* Binary search by name for arrays of pointers to structs whose first member is the name.
 * Returns the first of equals. */
static void *
find_by_name(void *const *items, size_t n, const char *name)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(*(char *const *) items[mid], name) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < n && !strcmp(*(char *const *) items[low], name) ? items[low] : NULL;
}

const struct cfg_bridge *
cfg_bridge_find(const struct cfg *cfg, const char *name)
{
    return find_by_name((void *const *) cfg->bridges, cfg->n_bridges, name);
}

const struct cfg_port *
cfg_port_find(const struct cfg_bridge *br, const char *name)
{
    return find_by_name((void *const *) br->ports, br->n_ports, name);
}

const struct cfg_iface *
cfg_iface_find(const struct cfg_bridge *br, const char *name)
{
    return find_by_name((void *const *) br->ifaces, br->n_ifaces, name);
}
