/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_DP_H
#define XVS_DATAPATH_DP_H 1

/* The datapath: ports, the threads that poll them, the caches that say what to do with a
 * packet. It knows nothing of bridges, VLAN policy or OpenFlow: on a cache miss it asks its
 * user to translate the packet's flow into a megaflow mask and actions.
 *
 * Datapaths: "netdev" is ovs-netdev, "dummy" (with --enable-dummy) ovs-dummy; all bridges of a
 * type share one.
 *
 *   function                     thread
 *   dp_open ... dp_port_*        main
 *   translate, punt (upcalls)    the polling thread, inside an RCU read-side section
 *   dp_flow_for_each             any RCU-registered thread (revalidator, main)
 *   dp_flow_del, _set_actions    any; the table of the flow's PMD is locked inside
 */

#include <stdbool.h>
#include <stdint.h>
#include "datapath/dp-actions.h"
#include "flow/flow.h"
#include "netdev/netdev.h"
#include "os/evloop.h"
#include "util/smap.h"

struct dp;
struct dp_flow;

#define DP_PORT_MAX 65535u

/* What translation answers. */
struct dp_translation {
    struct dp_actions *actions; /* malloc'ed; the datapath takes it */
    struct flow mask;           /* bits of the flow the answer depends on */
    void *cookie;               /* kept with the megaflow, see cookie_free; may be NULL */
    bool dont_install;          /* execute for this packet only */
};
struct dp_upcall_ops {
    /* Fills `*t` for `flow` (of `pkt`, whose contents may be read, not changed); false: nothing
     * can be said now (the packet is dropped and counted as lost).  Must not block. */
    bool (*translate)(void *aux, const struct flow *flow, const struct packet *pkt,
                      struct dp_translation *t);
    /* A packet meets DP_ACT_PUNT with these argument words: the user copies what it needs of
     * both.  The polling thread, in a read-side section; must not block.  NULL: such packets
     * are counted and go on. */
    void (*punt)(void *aux, const struct packet *pkt, const uint64_t *words, uint16_t n_words);
    /* The megaflow is gone; called after a grace period, on any thread. */
    void (*cookie_free)(void *aux, void *cookie);
    void *aux;
};

/* Once, before any dp_open(): registers the control commands (dpctl/show, dump-flows, dump-dps,
 * del-flows, dpif-netdev/...) and non-PMD polling on `loop`. */
void dp_init(struct evloop *loop);
/* Finds or makes the datapath of `type`; counts references.  `ops` of the first caller stay. */
int dp_open(const char *type, const struct dp_upcall_ops *ops, struct dp **, char **errp);
void dp_close(struct dp *);
const char *dp_name(const struct dp *); /* "ovs-netdev" */
const char *dp_type(const struct dp *); /* "netdev" */
/* Open_vSwitch.other_config for all datapaths: pmd-cpu-mask, pmd-rxq-assign, pmd-rxq-isolate,
 * pmd-sleep-max (and pmd-maxsleep), emc-insert-inv-prob, smc-enable, tx-flush-interval,
 * pmd-perf-metrics, n-rxq... Bad values are logged with the remedy, and the default is taken.
 * Changes only what differs. */
void dp_set_config(const struct smap *other_config);

/* Adds a device (borrowed until dp_port_del()): makes its queues, polls them.  `requested`: a
 * wanted number or DP_PORT_NONE; a taken one falls back to any.  Other ports' traffic goes on
 * undisturbed.  On failure, sentence in *errp. */
int
dp_port_add(struct dp *, struct netdev *, uint32_t requested, uint32_t *port_no, char **errp);
/* After return no thread touches the device any more; megaflows naming the port are gone, and
 * no new one comes if translation has ceased to name it before the call. */
void dp_port_del(struct dp *, uint32_t port_no);
/* Interface.other_config: pmd-rxq-affinity, emc-enable.  (tx-steering has no effect: a thread
 * always sends on its own queue.) */
void dp_port_set_config(struct dp *, uint32_t port_no, const struct smap *other_config);
/* Applies a pending netdev reconfiguration (queues of this port only); nothing to do: 0.  After
 * a failure the port keeps its number, without queues, until the next success. */
int dp_port_reconfigure(struct dp *, uint32_t port_no, char **errp);
struct netdev *dp_port_netdev(const struct dp *, uint32_t port_no); /* NULL: no such; main */
/* Name of a port (valid until it is deleted) or NULL; any thread in a read-side section. */
const char *dp_port_name(const struct dp *, uint32_t port_no);

struct dp_stats {
    uint64_t n_hit, n_missed, n_lost;
    uint32_t n_flows;
};
void dp_get_stats(const struct dp *, struct dp_stats *);

/* Megaflows. */
struct dp_flow_stats {
    uint64_t n_packets, n_bytes;
    int64_t used_ms; /* clock_now_ms() of the last hit; 0 = never */
    uint16_t tcp_flags;
};
void dp_flow_get_stats(const struct dp_flow *, struct dp_flow_stats *);
/* Match (masked, expanded; its sections: presence) and mask; copies. */
void dp_flow_get_match(const struct dp_flow *, struct flow *match, struct flow *mask);
const struct dp_actions *dp_flow_actions(const struct dp_flow *); /* read-side section */
void *dp_flow_cookie(const struct dp_flow *);
int64_t dp_flow_created_ms(const struct dp_flow *);
/* Calls `cb` for each megaflow of every thread's table; `cb` may delete it; false stops.  The
 * caller is RCU-registered and in a read-side section (does not quiesce in `cb`). */
void
dp_flow_for_each(struct dp *, bool (*cb)(struct dp *, struct dp_flow *, void *aux), void *aux);
void dp_flow_del(struct dp *, struct dp_flow *);
void dp_flow_set_actions(struct dp *, struct dp_flow *, struct dp_actions *); /* takes them */
void dp_flow_flush(struct dp *);
/* One line in dpctl/dump-flows layout; `verbose` = -m (with ufid, dp:ovs), `dpif` = the
 * dpif/dump-flows variant of it. */
void dp_flow_format(struct strbuf *, const struct dp *, const struct dp_flow *, bool verbose,
                    bool names, bool dpif);
/* Runs actions on a packet that comes from nowhere (packet-out), and sends what they send;
 * takes the packet.  Its metadata (in_port, marks) is as the caller set it.  Main. */
void dp_execute_packet(struct dp *, struct packet *, const struct dp_actions *);
/* Most megaflows held at once (flow-limit); more are executed without being installed. */
void dp_set_flow_limit(struct dp *, uint32_t);
/* Receives and executes what waits on main-polled ports, output included (main): afterwards
 * what was queued on a dummy port before the call has left the switch. */
void dp_run_main_queues(void);

#endif
