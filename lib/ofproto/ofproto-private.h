/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_OFPROTO_PRIVATE_H
#define XVS_OFPROTO_OFPROTO_PRIVATE_H 1

/* What the files of lib/ofproto share about bridges as configured.  All of it belongs to the
 * main thread; translation sees only snapshots of it (ofproto/xlate-snapshot.h). */

#include <uthash.h>
#include "datapath/dp.h"
#include "ofproto/dp-features.h"
#include "ofproto/mac-table.h"
#include "ofproto/ofproto.h"
#include "ofproto/oftables.h"
#include "openflow/of-port.h"
#include "os/ev-async.h"
#include "util/idpool.h"

struct connmgr;
struct meters_dp;

/* A datapath in use by bridges.  Lives until ofproto_exit(): the datapath keeps its address. */
struct ofproto_dp {
    char *type;
    struct dp *dp; /* NULL while no bridge uses it */
    unsigned n_refs;
    struct dp_upcall_ops ops;
    struct dp_features features;
    struct meters_dp *meters; /* with `dp` */
    struct ofproto_dp *next;
};

struct ofport {
    struct ofproto *ofproto;
    struct netdev *netdev; /* borrowed */
    uint32_t number;       /* OpenFlow port */
    uint32_t dp_port;      /* DP_PORT_NONE: a patch port */
    uint32_t id;           /* unique for the life of the process */
    uint32_t config;       /* OFPPC_* that a controller has set, but for OFPPC_PORT_DOWN */
    int64_t created_ms;
    struct of_port told; /* what controllers know of it */
    UT_hash_handle hh;     /* ofproto->ports, by number */
};

struct ofbundle {
    char *name;
    uint32_t id;                      /* likewise; grows in order of creation */
    uint32_t epoch;                   /* configuration that it came with */
    struct ofproto_bundle_settings s; /* pointers into the copies below; `name` is ours */
    uint16_t *ofports;
    uint64_t *trunks, *cvlans;
    UT_hash_handle hh; /* ofproto->bundles, by name */
};

struct ofproto {
    char *name;
    uint32_t id;
    struct ofproto_dp *odp;
    struct ofproto_settings settings;
    struct idpool *numbers; /* OpenFlow ports in use */
    struct ofport *ports;
    struct ofbundle *bundles;
    struct oftables *tables;  /* shared with translation */
    bool miss_to_controller;  /* a controller of OpenFlow 1.0 to 1.2 is there */
    struct mac_table *macs;   /* shared with translation */
    bool has_default;         /* the default flow was put into table 0 */
    bool tables_started;      /* the default flow was decided upon */
    struct ev_timer tables_timer;
    struct connmgr *conns;
    uint8_t frag_mode;        /* OFPC_FRAG_* */
    bool fail_open;           /* no controller answers: switches by NORMAL meanwhile */
    UT_hash_handle hh;        /* all_ofprotos, by name */
};
extern struct ofproto *all_ofprotos;
extern struct ofproto_dp *all_ofproto_dps;

struct ofproto *ofproto_lookup(const char *name);
uint32_t ofproto_new_id(void);
/* A number that grows with each configuration: ofproto_settle() ends one. */
uint32_t ofproto_epoch(void);

struct ofport *ofproto_port_find(const struct ofproto *, uint16_t number);
struct ofport *ofproto_port_find_name(const struct ofproto *, const char *name);
struct ofbundle *ofproto_bundle_find(const struct ofproto *, const char *name);
struct ofbundle *ofproto_bundle_of_port(const struct ofproto *, uint16_t number);
struct ofbundle *ofproto_bundle_find_id(const struct ofproto *, uint32_t id);
void ofproto_bundle_remove(struct ofproto *, struct ofbundle *);
/* A port goes: its bundle, if it is in one, does without. */
void ofproto_bundle_drop_port(struct ofproto *, uint16_t number);
void ofproto_ports_remove_all(struct ofproto *);
/* Gives a port another number in the datapath, for tests.  EBUSY: that is taken; other errors
 * and their sentences as those of dp_port_add(), after which it has its old number again if
 * that works. */
int ofproto_port_renumber(struct ofport *, uint32_t dp_port, char **errp);

/* Configuration changed: a new snapshot is due at the end of this turn of the event loop, or
 * ... */
void ofproto_changed(void);
/* ... now. */
void ofproto_publish(void);

/* Sorted by name; malloc'ed, NULL when there is none. */
struct ofproto **ofproto_sorted(size_t *n);

/* -- ofproto-dp.c -- */
/* Takes a reference to the datapath of a type, opening it for the first: 0, or dp_open()'s
 * errors and sentences. */
int ofproto_dp_get(const char *type, struct ofproto_dp **, char **errp);
/* A bridge is no more, its reference (n_refs) given back, and no reader left: destroys its
 * tables, here or in later turns of the event loop, then closes the datapath if it was the last
 * one there. */
void ofproto_dp_put(struct ofproto_dp *, struct oftables *, struct evloop *);
/* The datapaths in use, sorted by type; malloc'ed, NULL when there is none. */
const struct ofproto_dp **ofproto_dps_sorted(size_t *n);
/* At the end: destroys what tables are left; then, when nothing can call back any more, frees
 * all of it. */
void ofproto_dps_settle(void);
void ofproto_dps_free(void);

/* Without a controller for long: NORMAL takes over until one is back. */
void ofproto_set_fail_open(struct ofproto *, bool);

/* Runs actions on a packet that comes from a controller, and sends what they send; takes the
 * packet.  `in_port` may be none of the bridge's: OFPP_CONTROLLER, OFPP_NONE. */
struct of_act;
void ofproto_packet_out(struct ofproto *, struct packet *, uint16_t in_port,
                        const struct of_act *, size_t len);
/* The packet whose pipeline waits under `recirc_id` goes on, with in_port, packet mark, registers
 * and metadata from `metadata`; takes the packet.  False: no pipeline of this bridge does. */
struct flow;
bool ofproto_resume(struct ofproto *, struct packet *, const struct flow *metadata,
                    uint32_t recirc_id);

void ofproto_commands_trace_register(void);
void ofproto_commands_fdb_register(void);
void ofproto_commands_dpif_register(void);
void ofproto_commands_upcall_register(void);
/* The commands that answer later need the event loop. */
void ofproto_commands_upcall_init(struct evloop *);
void ofproto_commands_upcall_exit(void);

#endif
