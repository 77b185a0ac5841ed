/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_CFG_H
#define XVS_VSWITCHD_BRIDGE_CFG_H 1

/* The configuration as plain structs: what the database wants, cleaned of contradictions, with
 * no pointer into the replica.  Made by snapshot.c, compared by plan.c, executed by apply.c.
 * Owned by its maker and immutable afterwards; main thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ofproto/ofproto.h"
#include "util/bitmap.h"
#include "util/ether.h"
#include "util/smap.h"
#include "vswitchd/bridge/cfg-openflow.h"

struct cfg_iface {
    char *name;
    char *uuid; /* of the Interface row; NULL: made up (a LOCAL port) */
    char *type; /* "" reads "system"; "internal" for a bridge's own port */
    struct smap options, other_config;
    uint16_t ofport_request; /* 0: none */
    uint16_t ofport_hint;    /* number of an earlier life, from the database; 0: none */
    int mtu_request;         /* 0: none */
    bool has_mac;
    struct eth_addr mac;        /* Interface.mac */
    struct eth_addr mac_in_use; /* of an earlier life, from the database; zero: none */
    char *error;                /* not NULL: why this interface can not be had */
    bool is_local;              /* named like its bridge */
    bool is_internal;
};

/* What a port shall be like, and in struct port_state is. */
struct port_settings {
    enum vlan_mode vlan_mode;
    uint16_t tag;
    bool has_trunks, has_cvlans;
    BITMAP_DECLARE(trunks, 4096);
    BITMAP_DECLARE(cvlans, 4096);
    enum priority_tags priority_tags;
    bool protected_port;
    bool qinq_8021ad;
    bool has_mac;
    struct eth_addr mac; /* Port.mac */
};

struct cfg_port {
    char *name;
    struct port_settings set;
    struct cfg_iface **ifaces; /* sorted by name; borrowed from the bridge */
    size_t n_ifaces;
};

struct cfg_bridge {
    char *name;
    char *uuid;
    struct cfg *cfg; /* that it belongs to */
    char *datapath_type;
    bool secure;
    bool has_controller;
    bool has_hwaddr;
    struct eth_addr hwaddr; /* other_config:hwaddr */
    uint64_t datapath_id;   /* other_config:datapath-id; 0: from the MAC */
    int mac_age_s;
    uint32_t mac_table_size;
    bool forward_bpdu;
    BITMAP_DECLARE(flood_vlans, 4096);
    struct cfg_openflow openflow;
    struct cfg_port **ports; /* sorted by name */
    size_t n_ports;
    struct cfg_iface **ifaces; /* of all ports, sorted by name */
    size_t n_ifaces;
};

struct cfg {
    char *root_uuid; /* of the Open_vSwitch row; NULL: there is none yet */
    int64_t next_cfg;
    struct smap other_config;
    char *ssl_key, *ssl_cert, *ssl_ca, *ssl_protocols, *ssl_ciphers; /* NULL: none */
    bool ssl_bootstrap;
    struct smap complaints;      /* sentences (the keys) about what was left out or ignored */
    struct smap rejected;        /* Interface rows (uuid) left out, and the sentence why */
    struct cfg_bridge **bridges; /* sorted by name */
    size_t n_bridges;
};

struct cfg *cfg_create(void);
void cfg_destroy(struct cfg *); /* NULL is fine */

/* Building blocks, used by snapshot.c and by tests.  The strings are copied. */
struct cfg_bridge *cfg_bridge_add(struct cfg *, const char *name, const char *uuid);
struct cfg_port *cfg_port_add(struct cfg_bridge *, const char *name);
struct cfg_iface *cfg_iface_add(struct cfg_bridge *, struct cfg_port *, const char *name,
                                const char *uuid, const char *type);
void cfg_complain(struct cfg *, const char *format, ...) PRINTF_FORMAT(2, 3);
/* Takes the port added last, which must have no interface, out again. */
void cfg_port_remove_last(struct cfg_bridge *);
/* What keeps `name` from being the name of a bridge or interface whatever its type, as the end
 * of a sentence; NULL: nothing. */
const char *cfg_name_problem(const char *name);
/* Sorts, gives each bridge its own port, and marks what contradicts: bonds, which this version
 * does not have, and interface names that occur twice. */
void cfg_finish(struct cfg *);

/* Logs the complaints of `now` that `before` (may be NULL) did not have. */
void cfg_log_complaints(const struct cfg *now, const struct cfg *before);

/* By name; NULL: none.  After cfg_finish(). */
const struct cfg_bridge *cfg_bridge_find(const struct cfg *, const char *name);
const struct cfg_port *cfg_port_find(const struct cfg_bridge *, const char *name);
const struct cfg_iface *cfg_iface_find(const struct cfg_bridge *, const char *name);

#endif
