/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_CONN_PRIVATE_H
#define XVS_OFPROTO_CONN_PRIVATE_H 1

/* Shared by the files of connections and of message handlers:
 *
 *   conn-channel.c      bytes <-> messages, hello, echo
 *   conn.c              connections of a bridge, services, snooping
 *   conn-controller.c   controllers: targets, back-off, fail mode
 *   conn-dispatch.c     which handler takes which message, who may
 *   conn-commit.c       what takes many turns of the event loop, and who waits for it
 *   conn-events.c       what is told to controllers unasked
 *   of-handlers-*.c     the handlers
 *
 * Main thread. */

#include <urcu/list.h>
#include "ofproto/conn-channel.h"
#include "ofproto/conn-commit.h"
#include "ofproto/conn-pinsched.h"
#include "ofproto/conn.h"
#include "ofproto/ofproto-private.h"
#include "openflow/of-port.h"
#include "openflow/of-role.h"
#include "ofproto/oftables.h"

struct controller;
struct of_bundle;

enum ofconn_kind {
    OFCONN_PRIMARY, /* of a controller; is told of events */
    OFCONN_SERVICE, /* ovs-ofctl and the like: told of what it asks for */
    OFCONN_SNOOP,   /* is shown what passes on primary ones */
};
enum { OFCONN_SCHED_MISS, OFCONN_SCHED_ACTION, OFCONN_N_SCHEDS };
struct ofconn {
    struct connmgr *mgr;
    struct of_channel *channel; /* NULL: a test's; replies gather in `sink` */
    struct of_buf sink;
    struct controller *controller; /* NULL: a service of the bridge's own */
    enum ofconn_kind kind;
    struct cds_list_head node; /* mgr->conns */
    uint8_t version;           /* 0: no hello yet */
    bool is_gone; /* no connection any more, but a commit goes on (conn-commit.c) */

    enum of_role role;
    struct of_async async;
    enum of_packet_in_format packet_in_format;
    enum of_flow_format flow_format;
    bool flow_mod_table_id;
    uint16_t controller_id;
    uint16_t miss_send_len;

    struct of_mp_joiner joiner;
    struct of_bundle *bundles; /* of-handlers-bundle.c */
    struct flow_dump *dump;    /* of-handlers-dump.c: an answer under way, or NULL */
    struct of_buf waiting;     /* messages, if any, until conn-commit.c has them executed */
    struct cds_list_head wait_node; /* mgr->waiting, if so */

    struct flow_monitor *monitors; /* of-handlers-monitor.c */
    bool monitors_paused, updates_open;
    bool updates_held;   /* they come behind what a dump tells monitors */
    uint32_t abbrev_xid; /* of the last abbreviated update */
    int64_t paused_ms,
        missed_ms;         /* since when additions are not told; were not, in catching up */
    struct of_buf updates; /* what is to be sent; its end is being gathered: */
    struct of_mp_writer updates_writer; /* ... while updates_open */

    struct pinsched *scheds[OFCONN_N_SCHEDS]; /* conn-packet-in.c; NULL: no rate limit */
    struct pin_queue *pin_queue;              /* what waits for the peer, or NULL */
};

#define OFCONN_SERVICES_MAX 64u      /* connections of one listener */
#define OFCONN_EVENTS_MAX (2u << 20) /* bytes waiting, beyond which events are dropped */

struct connmgr {
    struct ofproto *ofproto;
    struct evloop *loop;
    uint32_t versions;
    struct stream_listener *mgmt, *snoop;
    struct cds_list_head conns;
    struct of_commit *commit;       /* conn-commit.c: under way, or NULL */
    struct cds_list_head waiting;   /* for it: connections with messages */
    struct controller *controllers; /* uthash by target */
    bool fail_secure;
    bool fail_open; /* standalone, and no controller answers: NORMAL rules */
    struct ev_timer fail_timer;
    struct ev_defer monitor_defer;
    struct ev_timer listen_timer; /* tries again to listen */
    bool has_generation;
    uint64_t generation_id;
    char *dp_desc, *serial;
    int queue_size;         /* 0: default */
    struct tlv_table *tlvs; /* of-handlers-tlv.c; NULL: empty */
};

/* -- conn.c -- */
struct connmgr *connmgr_create(struct ofproto *, struct evloop *);
void connmgr_destroy(struct connmgr *); /* NULL is fine */
/* Takes a stream as a connection of this kind. */
struct ofconn *ofconn_create(struct connmgr *, struct stream *, enum ofconn_kind,
                             struct controller *, int64_t probe_ms);
/* A connection without a peer, for tests: up at once, with this version. */
struct ofconn *ofconn_create_fake(struct connmgr *, uint8_t version);
void ofconn_destroy(struct ofconn *);
static inline bool
ofconn_is_up(const struct ofconn *c)
{
    return c->version != 0;
}
const char *ofconn_name(const struct ofconn *);
/* Queues messages, empties the buffer. */
void ofconn_send(struct ofconn *, struct of_buf *);
/* The same for what may be lost when the peer is slow; false: lost. */
bool ofconn_send_event(struct ofconn *, struct of_buf *);
void ofconn_send_error(struct ofconn *, enum of_err, const struct of_msg *);
#define OFCONN_FOR_EACH(c, mgr) cds_list_for_each_entry(c, &(mgr)->conns, node)

/* Is there somebody who wants packets that no flow matches?  To call when that may be news. */
void connmgr_update_miss(struct connmgr *);
void ofproto_commands_conn_register(void); /* commands-conn.c */

/* -- conn-controller.c -- */
void controllers_init(struct connmgr *);
void controllers_set(struct connmgr *, const struct controller_settings *, size_t n);
void controllers_destroy(struct connmgr *);
void controllers_reconnect(struct connmgr *); /* bridge/reconnect */
/* A connection of a controller went up or down (`why`); the latter frees it. */
void controller_conn_up(struct controller *, struct ofconn *);
void controller_conn_down(struct controller *, struct ofconn *, const char *why);
/* Packet-ins a second and at once, 0: no limit; how many may wait for the peer. */
void controller_get_limits(const struct controller *, int *rate, int *burst, int *queue);
bool controller_wants_async(const struct controller *);
void controllers_status_changed(void);

/* -- conn-dispatch.c -- */
typedef enum of_err of_handler(struct ofconn *, struct of_msg *);
/* Executes a message and replies, now or when its turn comes. */
void ofconn_dispatch(struct ofconn *, struct of_msg *);
/* Answers a message with an error. */
void ofconn_refuse(struct ofconn *, enum of_err, const struct of_msg *);
bool ofconn_is_secondary(const struct ofconn *);

/* -- conn-events.c -- */
/* Is the connection to be told of an event of this type and reason (a bit number)? */
bool ofconn_wants(const struct ofconn *, enum of_async_type, unsigned reason);
/* `before`: of a port that was told of, how it was; who would see no difference is not told.
 * NULL: it is new, or gone. */
void connmgr_port_status(struct connmgr *, enum of_port_reason, const struct of_port *before,
                         const struct of_port *);
/* A port may look different: tells it if so. */
void connmgr_port_changed(struct connmgr *, struct ofport *);
/* Another connection took the role of primary. */
void connmgr_role_taken(struct connmgr *, struct ofconn *by);

void connmgr_flow_removed(struct connmgr *, const struct rule *, uint8_t reason);
void connmgr_table_status(struct connmgr *, uint8_t table_id, uint8_t reason);
/* A group or meter modification that one connection made, told to the others. */
void
connmgr_forward_request(struct connmgr *, const struct ofconn *from, const struct of_msg *);

/* -- conn-packet-in.c -- */
struct punt;
void conn_handle_punt(const struct punt *);
/* The limits of the connection's controller may be others; makes and drops what they need. */
void ofconn_set_packet_in_limits(struct ofconn *);
void ofconn_destroy_packet_ins(struct ofconn *);
/* What a pipeline that waits for its controller is found by again; opaque to the controller. */
struct of_continuation {
    uint32_t epoch, recirc_id;
};
uint32_t of_continuation_epoch(void);

/* -- of-handlers-switch.c -- */
of_handler of_handle_features, of_handle_get_config, of_handle_set_config, of_handle_desc,
    of_handle_barrier, of_handle_ignore;
/* -- of-handlers-conn.c -- */
of_handler of_handle_role, of_handle_get_async, of_handle_set_async, of_handle_flow_format,
    of_handle_flow_mod_table_id, of_handle_packet_in_format, of_handle_controller_id;
/* -- of-handlers-port.c -- */
of_handler of_handle_port_desc, of_handle_port_stats, of_handle_port_mod, of_handle_queue_stats,
    of_handle_queue_config, of_handle_queue_desc;
struct of_port_mod;
enum of_err
of_port_mod_prepare(const struct ofconn *, const struct of_msg *, struct of_port_mod *);
/* What controllers are told of a port. */
void ofport_describe(const struct ofport *, struct of_port *);
/* The ports by number, NULL when there is none; malloc'ed. */
struct ofport **ofproto_ports_sorted(const struct ofproto *, size_t *n);

/* -- of-handlers-flow.c -- */
of_handler of_handle_flow_mod;
/* Decodes and checks; on OF_OK the caller ends with of_flow_mod_free(). */
enum of_err
of_flow_mod_prepare(const struct ofconn *, const struct of_msg *, struct of_flow_mod *);
/* -- of-handlers-dump.c -- */
of_handler of_handle_flow_stats, of_handle_aggregate;
/* How long ago something was made, as messages say it; negative is 0. */
void of_duration(int64_t ms, uint32_t *sec, uint32_t *nsec);
/* Rules to tell a peer about in a multipart message. */
struct of_dump_spec {
    enum of_msg_type type; /* of the answer */
    uint32_t xid;
    bool at_once; /* about the rules that are there now, whatever that costs */
    bool quiet;   /* nothing is sent if there are none */
    struct flow_select sel;
    /* Of those selected; NULL: all. */
    bool (*wants)(const struct ofconn *, const struct rule *);
    /* NULL: sends their totals. */
    void (*put)(struct ofconn *, struct of_mp_writer *, const struct rule *, int64_t now_ms);
    void (*sent)(struct ofconn *); /* it is over; NULL: nobody cares */
};
/* Begins to gather and to send.  None may be under way on the connection, whose next messages
 * wait until it is over (ofconn.dump). */
void of_dump_start(struct ofconn *, const struct of_dump_spec *);
/* The peer took what was sent: more of a dump. */
void of_dump_drained(struct ofconn *);
void of_dump_destroy(struct ofconn *);
/* -- of-handlers-table.c -- */
of_handler of_handle_table_stats, of_handle_table_features, of_handle_table_desc,
    of_handle_table_mod;
struct of_table_desc;
void of_table_describe(const struct oftables *, uint8_t id, struct of_table_desc *);
/* -- of-handlers-group.c -- */
of_handler of_handle_group_mod, of_handle_group_stats, of_handle_group_desc,
    of_handle_group_features, of_handle_meter_mod, of_handle_meter_stats,
    of_handle_meter_config, of_handle_meter_features;
/* -- of-handlers-packet.c -- */
of_handler of_handle_packet_out, of_handle_resume;
struct packet;
/* Decodes and checks; on OF_OK the caller ends with of_packet_out_free(), and has the packet.
 */
enum of_err of_packet_out_prepare(const struct ofconn *, const struct of_msg *,
                                  struct of_packet_out *, struct packet **);
/* -- of-handlers-bundle.c -- */
of_handler of_handle_bundle_control, of_handle_bundle_add;
void of_bundles_destroy(struct ofconn *);
void of_bundles_set_idle(int64_t ms); /* bundle-idle-timeout, of bundles from now on */
/* -- of-handlers-monitor.c -- */
of_handler of_handle_monitor, of_handle_monitor_cancel;
void of_monitors_destroy(struct ofconn *);
void of_monitors_drained(struct ofconn *);
void connmgr_flush_monitors(struct connmgr *);
void connmgr_rule_event(struct connmgr *, enum rule_event, const struct rule *,
                        const struct rule *old, uint8_t reason, const struct of_requester *);
/* -- of-handlers-tlv.c -- */
of_handler of_handle_tlv_mod, of_handle_tlv_request, of_handle_not_configured;
void of_tlvs_destroy(struct connmgr *);

#endif
