/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_DP_PRIVATE_H
#define XVS_DATAPATH_DP_PRIVATE_H 1

/* Shared by the datapath's own files; nobody else includes it.
 *
 *   object             made, freed by   read by                          published by
 *   struct dp          main             all threads                      dps[], grace period
 *   struct dp_port     main             all threads, in a read section   dp->ports table
 *   struct dp_rxq      main, with port  the thread that polls it         poll lists
 *   struct poll_list   main             its polling thread               pmd->polls
 *   struct pmd         main             itself; others its flows, stats  dp->pmds
 *   struct megaflow    see megaflow.h
 * Main replaces whole tables and lists and waits for a grace period before it frees what they
 * named: no thread is ever asked to stop. */

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/cache-choice.h"
#include "datapath/dp.h"
#include "datapath/emc.h"
#include "datapath/megaflow.h"
#include "datapath/pmd-sched.h"
#include "datapath/pmd-stats.h"
#include "datapath/simple.h"
#include "datapath/smc.h"
#include "flow/flow-key.h"
#include "os/evloop.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/compiler.h"

#define DP_MAX 4u               /* datapath types */
#define CORE_NON_PMD UINT32_MAX /* "core" of the main thread's polling context */

/* Loads for the last 60 s, in steps of 5 s. */
#define USAGE_INTERVALS 12u
#define USAGE_INTERVAL_MS 5000
struct usage {
    uint64_t last; /* counter at the last sample */
    uint64_t ring[USAGE_INTERVALS];
    unsigned n; /* samples taken, ever */
};
void usage_sample(struct usage *, uint64_t counter);
uint64_t usage_sum(const struct usage *, unsigned n_intervals);

struct dp_rxq {
    struct dp_port *port;
    struct netdev_rxq *rx;
    uint16_t qid;
    /* Polling thread writes. */
    _Atomic uint64_t cycles; /* spent on its packets */
    /* Main. */
    struct pmd *pmd, *new_pmd; /* who polls it; NULL: nobody */
    int pin;
    bool told_pin, told_unpolled; /* complaints in the log, once each while they last */
    struct usage usage;
    struct ev_io io; /* NETDEV_POLL_MAIN */
};

/* A transmit queue of a device that stands one sender at a time only (netdev-provider.h), and
 * has not a queue for each thread.  A mutex, not a spinlock: the holder may be preempted where
 * polling threads share cores with main.  Taken once per burst. */
struct txq {
    struct mutex lock;
} CACHE_ALIGNED;

struct dp_port {
    uint64_t id; /* of this port, also when reconfigured, and of no other that ever was */
    uint32_t port_no;
    uint16_t n_txq;
    uint16_t n_rxq;
    _Atomic bool emc;   /* other_config:emc-enable */
    bool tx_concurrent; /* its device needs no lock */
    bool tx_csum;       /* its device takes PACKET_CSUM_PARTIAL */
    struct txq *txqs;   /* NULL with tx_concurrent */
    struct netdev *netdev;
    struct dp *dp;
    /* Main. */
    char *name;
    char *affinity; /* pmd-rxq-affinity or NULL */
    bool tx_steering_told;
    enum netdev_poll poll;
    struct dp_rxq *rxqs;
};

struct port_table {
    uint32_t n;
    struct dp_port *p[]; /* by port number; NULL: none */
};

struct poll_list {
    unsigned n;
    struct dp_rxq *rxqs[];
};

/* Output waiting for the end of the loop turn, or of other_config:tx-flush-interval.  Ports may
 * vanish meanwhile, hence ids. */
#define STAGE_SLOTS 64u
struct stage_slot {
    uint32_t port_no;
    uint64_t port_id;
    struct packet_batch batch;
};
struct stage {
    uint64_t used;                        /* slots that hold packets */
    uint64_t since;                       /* clock_cycles() about when the first came */
    struct stage_slot slots[STAGE_SLOTS]; /* by port number modulo */
    /* Ports whose tx queue must be polled until it says done, by number: they may vanish. */
    uint64_t pending;
    bool pending_more; /* also others than fit: look at all */
    uint32_t pending_port[STAGE_SLOTS];
};

/* Packets of a batch that share a megaflow. */
struct group {
    struct dp_flow *flow;
    uint64_t n_bytes;
    uint16_t tcp_flags;
    struct packet_batch batch;
};

/* Packets of one batch, copies included, that may wait for another pass; and passes. */
#define PMD_RECIRC_MAX 256u
#define PMD_RECIRC_PASSES 6u

struct pmd {
    /* Hot: the thread's own. */
    struct dp *dp;
    struct poll_list *polls; /* __atomic; main replaces it */
    int64_t now_ms;          /* clock_now_ms(), a moment ago */
    uint64_t now_cycles;     /* clock_cycles() then */
    uint64_t cycles;         /* clock_cycles(), when it was last looked at */
    uint32_t rng;
    unsigned n_groups;
    _Atomic unsigned txq_id; /* modulo a port's n_txq; main assigns */
    struct simple_cache simple;
    struct emc emc;
    struct smc smc;
    struct megaflow_table flows;
    bool emc_pays, smc_pays; /* by the last look at the traffic, see cache-choice.h */
    struct pmd_stats stats;
    struct flow_key keys[PACKET_BATCH_MAX];
    struct group groups[PACKET_BATCH_MAX];
    struct stage stage;
    unsigned n_recirc;
    struct packet *recirc[PMD_RECIRC_MAX]; /* wait for another pass through the tables */
    uint64_t last_maintain;                /* clock_cycles() */
    uint32_t n_deaths;   /* of flows, when the cache was last marked for sweeping */
    unsigned sweep_left; /* cache entries still to be looked at */
    /* Sleeping. */
    _Atomic bool sleeping; /* from before the poll list is read until after ppoll() */
    _Atomic unsigned n_slept;
    _Atomic int max_sleep_us; /* 0: never sleeps, or SLEEP_ADAPTIVE; main sets it */
    _Atomic bool exit;
    int wake_fd;
    struct pollfd *pfds;
    unsigned pfds_cap;
    unsigned n_futile;            /* wake-ups in a row that brought no packet */
    uint64_t idle_us;             /* of finding nothing, before it sleeps */
    uint64_t worked_before_sleep; /* PMD_STAT_CYCLES_BUSY when it last slept */
    /* Constant. */
    unsigned core, numa;
    /* Main. */
    pthread_t thread;
    bool isolated, keep, started;
    unsigned n_overloaded;    /* steps of USAGE_INTERVAL_MS in a row, see pmd-balance.c */
    struct ev_timer tx_timer; /* main's context: unfinished transmission */
    struct usage busy, total;
};

struct pmd_list {
    unsigned n;
    struct pmd *pmds[]; /* the main thread's context first */
};

struct dp {
    struct port_table *ports; /* __atomic */
    struct pmd_list *pmds;    /* __atomic */
    struct dp_upcall_ops ops;
    struct megaflow_owner owner;
    struct meter_table *meters; /* __atomic; NULL: there never was one */
    _Atomic uint32_t flow_limit;
    /* A port with as many tx queues as this has one for each thread, which then needs no lock:
     * threads, main included; UINT_MAX while they are being given other queues. */
    _Atomic unsigned n_senders;
    char *type, *name;
    unsigned refs;
    struct pmd *main_pmd;
    struct netdev *own_netdev;     /* port 0 of the dummy datapath */
    uint64_t retired[PMD_N_STATS]; /* of threads that have ended */
    int64_t balanced_ms;           /* clock_now_ms() of the last look at balance; 0: never */
};
extern struct dp *dps[DP_MAX]; /* __atomic */
extern struct evloop *dp_loop;

/* Of all datapaths, from other_config. */
struct dp_config {
    _Atomic unsigned emc_use, smc_use; /* enum cache_use */
    _Atomic uint32_t emc_threshold;    /* insert if a random number is not above; 0: never */
    _Atomic uint32_t tx_flush_us;      /* other_config:tx-flush-interval */
    /* Main. */
    char *cpu_mask; /* NULL: default */
    char *max_sleep;
    enum sched_policy policy;
    bool isolate;
};
extern struct dp_config dp_config;
#define SLEEP_ADAPTIVE (-1)
/* Longest sleep of the PMD on `core` in us, 0: never, or SLEEP_ADAPTIVE; main. */
int dp_config_max_sleep_us(unsigned core);
/* Keeps a complaint from being repeated at every reconfiguration: true once for each value in a
 * row.  `*told`, the last one, starts as NULL; a `value` of NULL says that all is well.  Main.
 */
bool dp_config_is_news(char **told, const char *value);

static inline struct port_table *
dp_ports(const struct dp *dp)
{
    /* Acquire pairs with the release of dp_ports_publish(). */
    return __atomic_load_n(&dp->ports, __ATOMIC_ACQUIRE);
}
static inline struct dp_port *
dp_port_lookup(const struct dp *dp, uint32_t port_no)
{
    const struct port_table *t = dp_ports(dp);

    return LIKELY(port_no < t->n) ? t->p[port_no] : NULL;
}
static inline struct pmd_list *
dp_pmds(const struct dp *dp)
{
    return __atomic_load_n(&dp->pmds, __ATOMIC_ACQUIRE);
}

/* dp-port.c; main. */
int dp_port_add_at(struct dp *, struct netdev *, uint32_t port_no, char **errp); /* free one */
void dp_ports_destroy(struct dp *);

/* dp-flow.c: one flow of one thread's table; false stops. */
bool pmd_flow_for_each(struct dp *, struct pmd *,
                       bool (*cb)(struct dp *, struct dp_flow *, void *), void *aux);
/* The 128 bits that name a flow in dumps, as text. */
void dp_flow_format_ufid(struct strbuf *, const struct dp_flow *);

/* pmd.c; main. */
struct pmd *pmd_create(struct dp *, unsigned core, unsigned numa); /* no thread yet */
void pmd_start(struct pmd *);
void pmd_stop(struct pmd *);    /* ends and joins its thread */
void pmd_destroy(struct pmd *); /* stopped, unpublished, and grace period over */
/* Replaces the poll list (takes it); the old one is freed after a grace period. */
void pmd_set_polls(struct pmd *, struct poll_list *);
void pmd_maintain(struct pmd *); /* the polling thread */
/* Drives main's unfinished transmission, now and as long as it takes. */
void pmd_main_tx(struct pmd *);
/* The main thread's turn: up to `max_batches` from a queue, output included. */
void pmd_main_poll(struct pmd *, struct dp_rxq *, unsigned max_batches);

/* pmd-sleep.c: init, destroy, wake and leave_poll are main's, the rest the polling thread's. */
void pmd_sleep_init(struct pmd *); /* without `wake_fd` it sleeps in short steps */
void pmd_sleep_destroy(struct pmd *);
/* Whether a thread that has found nothing for `idle_cycles` has waited long enough. */
bool pmd_may_sleep(const struct pmd *, uint64_t idle_cycles, uint64_t cycles_per_us);
/* After a turn that found nothing, `idle_us` after the last that did.  Returns at once where
 * other_config:pmd-sleep-max=0 forbids sleep, or while `unfinished` transmission is young. */
void pmd_sleep(struct pmd *, uint64_t idle_us, bool unfinished);
/* A wake-up takes as long as dozens of packets: had a short sleep that a packet ended not been
 * begun, all the better; next time it stays awake for longer.  A long one says that it would
 * have been in vain. */
void pmd_learn_from_sleep(struct pmd *, bool by_packet, uint64_t slept_us);
void pmd_wake(const struct pmd *);
/* Wakes the thread and waits (a moment) until it is out of a ppoll() begun with an older list.
 */
void pmd_leave_poll(struct pmd *);

struct pmd_cores {
    struct sched_core *c; /* ascending */
    size_t n;
};
/* pmd-cores.c; main.  The cores for polling threads of these queues; `c` is the caller's. */
void pmd_cores_choose(struct pmd_cores *, const struct sched_rxq *, size_t n_rxqs);
/* Moves all threads that do not poll off the cores of those that do, if others are left: main
 * awake for a tenth of a millisecond on such a core is a hundred packets late.  To be called
 * when there are other polling threads than before. */
void pmd_cores_clear(void);

/* pmd-set.c; main.  Makes threads, assignment and poll lists what ports and configuration ask
 * for; `out_port` (may be NULL) is to be polled by nobody.  On return nobody does. */
void pmd_set_update(struct dp *, const struct dp_port *out_port);
void pmd_set_sample(void); /* every USAGE_INTERVAL_MS */
/* The cores, and which of them would poll which queue if the loads of the last minute decided
 * now.  `sched[i].core` is an index into `cores.c`. */
struct pmd_plan {
    struct pmd_cores cores;
    struct dp_rxq **rxqs;
    struct sched_rxq *sched;
    size_t n; /* queues */
};
void pmd_plan_make(struct dp *, const struct dp_port *out_port, struct pmd_plan *);
void pmd_plan_free(struct pmd_plan *);

/* pmd-balance.c, other_config:pmd-auto-lb; main. */
void pmd_balance_set_config(const struct smap *other_config);
void pmd_balance_note(struct pmd *); /* after each sample of its load */
void pmd_balance_run(struct dp *);   /* after each sample; may call pmd_set_update() */

/* pmd-process.c; the polling thread. */
/* One batch from a queue, processed; packets received.  The queue is charged with the cycles
 * since pmd->cycles, which moves on, if there were any. */
unsigned pmd_poll_rxq(struct pmd *, struct dp_rxq *);

/* Takes the packets that wait in pmd->recirc through the tables, until none is left. */
void pmd_recirculate(struct pmd *);

/* dp-execute.c; the polling thread.  Takes the packets. */
void dp_execute(struct pmd *, const struct dp_actions *, struct packet_batch *);

/* txq.c; the polling thread. */
/* Sends what is staged in one slot: where there is no more room, or another port's turn. */
void stage_flush_slot(struct pmd *, struct stage_slot *);
/* The slot of the port, for stage_add() until another port's is asked for. */
static inline struct stage_slot *
stage_slot(struct pmd *pmd, const struct dp_port *port)
{
    unsigned slot = port->port_no % STAGE_SLOTS;
    struct stage_slot *s = &pmd->stage.slots[slot];

    if (UNLIKELY(s->batch.n && s->port_id != port->id)) {
        stage_flush_slot(pmd, s);
    }
    s->port_no = port->port_no;
    s->port_id = port->id;
    pmd->stage.used |= UINT64_C(1) << slot;
    return s;
}
static inline void
stage_add(struct pmd *pmd, struct stage_slot *s, struct packet *p)
{
    if (UNLIKELY(packet_batch_full(&s->batch))) {
        stage_flush_slot(pmd, s);
    }
    packet_batch_add(&s->batch, p);
}
void stage_put_batch(struct pmd *, struct dp_port *, struct packet_batch *); /* empties it */
void stage_flush(struct pmd *);
/* Flushes if what is staged is due at `now` (clock_cycles()); true: something waits. */
bool stage_run(struct pmd *, uint64_t now, uint64_t cycles_per_us);
/* Drives what is under way on the queues sent to; true: some is still unfinished. */
bool stage_tx_poll(struct pmd *);

/* Command registration. */
void dp_commands_dpctl_register(void);
void dp_commands_pmd_register(void);
/* The datapath that a command's argument names ("netdev@ovs-netdev" or "ovs-netdev"; NULL: the
 * only one there is); NULL if there is none. */
struct dp *dp_from_arg(const char *);

#endif
