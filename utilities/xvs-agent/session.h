/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_SESSION_H
#define XVS_AGENT_SESSION_H 1

/* One client's conversation (the protocol of the AF_XDP device plugin, version 0.1).
 *
 * STATES x REQUESTS
 *
 *            | /connect        | /version | /xsk_map_fd    | /config_busy_ | /fin     | other
 *   ---------+-----------------+----------+----------------+ poll ---------+----------+------
 *   STRANGER | /host_ok ->     | /nak     | /nak           | /nak          | /fin_ack | /nak
 *            |  ACCEPTED, or   |          |                |               |  -> over |
 *            | /host_nak ->    |          |                |               |          |
 *            |  over           |          |                |               |          |
 *   ACCEPTED | the same        | 0.1      | /fd_ack + map, | ..._ack or    | /fin_ack | /nak
 *            |                 |          | or /fd_nak     | ..._nak       |  -> over |
 *
 * It is over also at end of file, on an error, when a reply cannot be sent at once, after
 * SESSION_REQUESTS_MAX messages, and after the idle time, which runs anew with each message of
 * an accepted client but only once for a stranger.  A descriptor that comes with anything but
 * /config_busy_poll is never received; the message gets "/nak".  Main thread; never blocks. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "os/evloop.h"

#define SESSION_REQUESTS_MAX 4096u
#define SESSION_BURST 8 /* messages of one session in one turn of the loop */

struct session;

/* What a session may ask of its surroundings. */
struct session_ops {
    bool (*host_ok)(void *aux, const char *hostname);
    /* The XSKMAP of the device, borrowed; -1: not served here or not now. */
    int (*map_fd)(void *aux, const char *device);
    /* It is over; `why` in a few words.  The callee may forget the pointer, the session is
     * freed right after. */
    void (*over)(void *aux, struct session *, const char *why);
};

struct session {
    struct ev_io io;
    struct ev_timer idle;
    const struct session_ops *ops;
    void *aux;
    int64_t idle_ms, started_ms;
    struct ucred peer;
    char host[64]; /* what the client called itself; "" while STRANGER */
    bool accepted;
    unsigned n_requests, n_maps;
    struct session *next; /* for the owner's list */
};

/* Takes `fd`, a connected non-blocking SOCK_SEQPACKET socket whose peer has been checked. */
struct session *session_create(struct evloop *, int fd, const struct ucred *peer,
                               int64_t idle_ms, const struct session_ops *, void *aux);
/* Ends it from outside; no callback. */
void session_destroy(struct session *);

#endif
