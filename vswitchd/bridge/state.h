/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_STATE_H
#define XVS_VSWITCHD_BRIDGE_STATE_H 1

/* What runs: bridges, their bundles and their interfaces, open or failed.  Written by apply.c
 * alone, read by plan.c and status.c; main thread.  plan.c reads no `ofproto` and no `netdev`,
 * so that its tests need neither. */

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>
#include "vswitchd/bridge/cfg.h"

struct iface_state {
    UT_hash_handle hh; /* in bridge_state.ifaces, by name */
    char *name;
    char *uuid; /* where status goes; NULL: nowhere */

    /* The configuration that is in force or that failed. */
    char *type;
    struct smap options, other_config;
    uint16_t ofport_request;
    int mtu_request;
    bool has_mac;
    struct eth_addr mac;
    bool is_local, is_internal;

    /* Open: netdev and ofport are set, error is NULL.  Failed: netdev is NULL, error set. */
    struct netdev *netdev;
    bool open;
    uint16_t ofport;
    uint16_t last_ofport; /* wanted again after a failure; 0: none */
    char *error;
    int failed_code;     /* errno value of the failure */
    bool permanent;      /* trying again makes no sense before a change */
    bool retry;          /* try again in the next plan */
    unsigned n_failures; /* in a row: doubles the delay */
    int64_t retry_at_ms; /* failed and not permanent: when to set `retry` */
    int64_t opened_ms;
    struct eth_addr given_mac; /* the device's own address before we set one */

    bool status_dirty; /* status.c: write the columns of status anew */
};

struct port_state {
    UT_hash_handle hh; /* in bridge_state.ports, by name */
    char *name;
    struct port_settings set;
    char *iface; /* its one member */
};

struct bridge_state {
    UT_hash_handle hh; /* in state.bridges, by name */
    char *name;
    char *uuid;
    char *datapath_type;
    struct ofproto *ofproto; /* NULL: failed, see error */
    bool open;
    char *error;

    /* Failed: as in struct iface_state. */
    bool permanent, retry;
    unsigned n_failures;
    int64_t retry_at_ms;

    /* Settings in force. */
    bool secure, has_controller, has_hwaddr, forward_bpdu;
    struct eth_addr hwaddr;
    uint64_t datapath_id_wanted; /* 0: from the MAC */
    int mac_age_s;
    uint32_t mac_table_size;
    BITMAP_DECLARE(flood_vlans, 4096);
    struct cfg_openflow openflow;

    struct eth_addr default_mac; /* taken when no port offers one */
    struct eth_addr mac;         /* in use; zero: not chosen yet */
    uint64_t datapath_id;        /* in use */
    bool settings_dirty;         /* the bridge has not been given them yet */
    bool mac_failed, mtu_failed; /* told once */
    bool status_dirty;
    struct port_state *ports;
    struct iface_state *ifaces;
};

struct state {
    struct bridge_state *bridges;
};

#endif
