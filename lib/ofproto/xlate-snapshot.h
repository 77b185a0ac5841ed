/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_XLATE_SNAPSHOT_H
#define XVS_OFPROTO_XLATE_SNAPSHOT_H 1

/* The configuration as translation sees it: immutable, published whole under RCU by main, read
 * by polling threads and the revalidator inside a read-side section. */

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>
#include "ofproto/ofproto-private.h"

struct xbridge;
struct xbundle;

struct xport {
    uint32_t id;
    uint16_t ofport;
    struct {
        const struct ofproto_dp *odp;
        uint64_t port_no;
    } dp_key;
    struct netdev *netdev; /* borrowed; the port's removal waits for readers */
    struct xbridge *bridge;
    struct xbundle *bundle; /* NULL: in no bundle */
    struct xport *peer;     /* other end of a patch port, if both name each other */
    bool is_patch;
    bool carrier;
    uint32_t config; /* OFPPC_* */
    UT_hash_handle hh_dp, hh_id, hh_of;
};

struct xbundle {
    uint32_t id;
    uint32_t epoch;
    bool is_local;
    enum vlan_mode vlan_mode;
    uint16_t tag;
    enum priority_tags priority_tags;
    bool protected_port, qinq_8021ad, all_vlans, all_cvlans;
    BITMAP_DECLARE(trunks, 4096);
    BITMAP_DECLARE(cvlans, 4096);
    const struct xport *active; /* the port that it sends on and accepts from; NULL: none */
    UT_hash_handle hh;          /* xbridge's by_id */
};

struct xbridge {
    uint32_t id;
    char *name;
    struct mac_table *macs;
    struct oftables *tables;
    bool forward_bpdu;
    bool miss_to_controller; /* a controller wants packets that no rule matches */
    bool drop_frags;         /* OFPC_FRAG_DROP */
    bool nx_frags;           /* OFPC_FRAG_NX_MATCH: ports of first fragments can be matched */
    BITMAP_DECLARE(flood_vlans, 4096);
    struct xport *ports;
    struct xport *by_number;          /* hash by OpenFlow port */
    const struct xport **flood_order; /* n_ports of them */
    struct xbundle *bundles;          /* array, in the order of flooding */
    unsigned n_ports, n_bundles;
    struct xbundle *by_id;
    UT_hash_handle hh; /* xsnapshot's bridges_by_id */
};

struct xsnapshot {
    struct xbridge *bridges; /* array */
    unsigned n_bridges;
    const struct ofproto_dp **odps; /* datapaths in use, array */
    unsigned n_dps;
    struct xbridge *bridges_by_id;
    struct xport *by_dp, *ports_by_id;
};

/* The current one, never NULL between init and exit; valid within the read-side section. */
const struct xsnapshot *xsnapshot_get(void);
const struct xport *
xsnapshot_port_by_dp(const struct xsnapshot *, const struct ofproto_dp *, uint32_t port_no);
const struct xport *xsnapshot_port_by_id(const struct xsnapshot *, uint32_t id);
const struct xbridge *xsnapshot_bridge_by_id(const struct xsnapshot *, uint32_t id);
/* By OpenFlow port; NULL: none of the bridge's. */
const struct xport *xbridge_port(const struct xbridge *, uint16_t number);
const struct xbundle *xbridge_bundle_by_id(const struct xbridge *, uint32_t id);

/* Main: builds one from the configuration, publishes it; the old one goes after a grace period.
 */
void xsnapshot_publish(void);
/* Main, at exit, when nobody reads any more. */
void xsnapshot_destroy_current(void);

#endif
