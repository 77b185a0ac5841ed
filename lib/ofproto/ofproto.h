/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_OFPROTO_H
#define XVS_OFPROTO_OFPROTO_H 1

/* A bridge: OpenFlow ports and tables, VLAN policy, MAC learning, and the translation of flows
 * into datapath actions.  Configured by vswitchd/bridge; all of this on the main thread.
 *
 * What translation reads (ports, bundles, tables, MACs) is published under RCU; translation
 * runs on the polling threads.  Every change that may alter a translation bumps one sequence
 * number, and the revalidator thread then re-translates the megaflows (ofproto/revalidator.h).
 */

#include <stdbool.h>
#include <stdint.h>
#include "netdev/netdev.h"
#include "os/evloop.h"
#include "util/bitmap.h"
#include "util/ether.h"
#include "util/smap.h"

struct ofproto;

#define OFPP_MAX_PORT 65279u /* highest assignable OpenFlow port */
#define OFPP_LOCAL_PORT 65534u

/* Starts the revalidator thread and registers the control commands fdb/..., dpif/...,
 * ofproto/list, upcall/show, revalidator/... */
void ofproto_init(struct evloop *);
void ofproto_exit(void); /* stops the revalidator; all bridges destroyed */

/* Open_vSwitch.other_config: max-idle, max-revalidator, min-revalidate-pps, flow-limit,
 * vlan-limit, flow-restore-wait, bundle-idle-timeout. */
void ofproto_set_global(const struct smap *other_config);

/* `datapath_type`: "netdev", "dummy"; "" and "system" are served by the userspace datapath too.
 */
int ofproto_create(const char *name, const char *datapath_type, struct ofproto **, char **errp);
void ofproto_destroy(struct ofproto *); /* deletes its ports from the datapath first */

struct ofproto_settings {
    uint64_t datapath_id;
    bool secure;             /* fail_mode=secure: no default flow */
    bool has_controller;     /* with standalone fail mode and no controller: one NORMAL flow */
    int mac_age_s;           /* mac-aging-time; 15 at least in effect */
    uint32_t mac_table_size; /* 10 at least */
    bool forward_bpdu;
    BITMAP_DECLARE(flood_vlans, 4096); /* VLANs without learning: always flooded */
};
void ofproto_set(struct ofproto *, const struct ofproto_settings *);
/* Flow_Table records; tables without one have their defaults. */
struct ofproto_table_settings {
    uint8_t id; /* 0..253 */
    const char *name;
    uint32_t flow_limit;           /* UINT32_MAX: none */
    bool evict;                    /* when full; else refuse */
    const char *prefixes, *groups; /* field names separated by spaces; NULL: default */
};
void ofproto_set_tables(struct ofproto *, const struct ofproto_table_settings *, size_t n);
const char *ofproto_name(const struct ofproto *);
uint64_t ofproto_datapath_id(const struct ofproto *);

/* Adds a device to the datapath and the bridge.  `requested`: wanted OpenFlow port, 0 for any;
 * a taken or bad number falls back to any.  The device named like the bridge gets
 * OFPP_LOCAL_PORT.  Patch devices get no datapath port. The device is borrowed until
 * ofproto_port_del(). */
int ofproto_port_add(struct ofproto *, struct netdev *, uint16_t requested, uint16_t *ofport,
                     char **errp);
void ofproto_port_del(struct ofproto *, uint16_t ofport);
/* The device's options changed (netdev_set_config() was called): applies them; also re-resolves
 * patch peers. */
int ofproto_port_reconfigure(struct ofproto *, uint16_t ofport, char **errp);
void
ofproto_port_set_config(struct ofproto *, uint16_t ofport, const struct smap *other_config);

enum vlan_mode {
    VLAN_MODE_ACCESS,
    VLAN_MODE_TRUNK,
    VLAN_MODE_NATIVE_TAGGED,
    VLAN_MODE_NATIVE_UNTAGGED,
    VLAN_MODE_DOT1Q_TUNNEL
};
enum priority_tags { PRIORITY_TAGS_NEVER, PRIORITY_TAGS_IF_NONZERO, PRIORITY_TAGS_ALWAYS };
/* A Port record: the interfaces that act as one link, and their VLAN policy. */
struct ofproto_bundle_settings {
    const char *name;
    const uint16_t *ofports;
    size_t n_ofports;
    enum vlan_mode vlan_mode;
    uint16_t tag;           /* access, native and tunnel VLAN, 0..4095 */
    const uint64_t *trunks; /* bitmap of 4,096 bits; NULL = all VLANs */
    const uint64_t *cvlans; /* the same of the customer VLANs that a dot1q-tunnel takes */
    enum priority_tags priority_tags;
    bool protected_port; /* does not talk to other protected ports */
    bool qinq_8021ad;    /* outer TPID of dot1q-tunnel */
};
void ofproto_bundle_set(struct ofproto *, const struct ofproto_bundle_settings *); /* by name */
void ofproto_bundle_del(struct ofproto *, const char *name);

/* Waits (main) until every change made so far is in force for packets: RCU grace period plus
 * one revalidation pass. */
void ofproto_settle(void);

#endif
