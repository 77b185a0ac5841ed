/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_CONN_H
#define XVS_OFPROTO_CONN_H 1

/* A bridge's OpenFlow connections as the configuration sees them: the service sockets
 * <bridge>.mgmt and <bridge>.snoop in the run folder, and the controllers.  Main thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ofproto/conn-pinsched.h"
#include "ofproto/ofproto.h"

struct controller_settings {
    const char *target; /* Controller.target: unix: tcp: ssl: punix: ptcp: pssl:; unique */
    int max_backoff_ms; /* 1,000 at least */
    int probe_ms;       /* 0: never */
    bool is_service;    /* Controller.type=service: not told of events by itself */
    bool is_primary;    /* type=primary; neither: primary if active, service if passive */
    bool no_async;      /* enable_async_messages=false */
    int rate_limit;     /* packet-ins a second; 0: no limit */
    int burst_limit;    /* 0: a quarter of the rate */
    int queue_size;     /* packet-ins that may wait for it, 512 at most; 0: the bridge's */
    unsigned dscp;      /* of its connections by TCP and TLS */
};
struct conn_settings {
    uint32_t versions; /* bits of protocol versions allowed; 0: all */
    const struct controller_settings *controllers;
    size_t n_controllers;
    bool fail_secure;
    const char *dp_desc, *serial; /* NULL: "None" */
    int queue_size; /* packet-ins that may wait for who comes by <bridge>.mgmt; 0: 100 */
};
/* Makes the services on the first call.  What stays the same stays connected. */
void ofproto_set_conns(struct ofproto *, const struct conn_settings *);

struct controller_status {
    const char *target;
    bool is_connected;
    const char *role;                /* "other", "master", "slave"; NULL: not connected */
    const char *state;               /* "ACTIVE", "BACKOFF", ... */
    int64_t connect_s, disconnect_s; /* seconds since; -1: never */
    const char *last_error;          /* NULL: none */
    bool paced;                      /* there is a rate limit: */
    struct pinsched_stats miss, action;
};
/* `cb` for each controller that is configured, by target. */
void
ofproto_controllers_status(struct ofproto *,
                           void (*cb)(const struct controller_status *, void *aux), void *aux);
/* `changed(aux)` runs when a controller's status is not what it was; one listener, NULL: none.
 */
void ofproto_conns_subscribe(void (*changed)(void *aux), void *aux);

#endif
