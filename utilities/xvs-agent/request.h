/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_REQUEST_H
#define XVS_AGENT_REQUEST_H 1

/* The messages that a client of the AF_XDP device plugin's socket may send (protocol 0.1): one
 * a packet, ASCII, no terminator, at most 64 bytes.  Any thread. */

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_MAX 64u      /* bytes of a message */
#define REQUEST_HOST_MAX 55u /* what "/connect," leaves of that */

enum request_kind {
    REQUEST_UNKNOWN,   /* anything else: "/nak" */
    REQUEST_CONNECT,   /* /connect,HOSTNAME */
    REQUEST_VERSION,   /* /version */
    REQUEST_MAP,       /* /xsk_map_fd,IFNAME */
    REQUEST_BUSY_POLL, /* /config_busy_poll,TIMEOUT,BUDGET */
    REQUEST_FIN        /* /fin */
};

struct request {
    enum request_kind kind;
    char name[REQUEST_MAX + 1];  /* host or device: printable, no blank, comma or slash */
    unsigned timeout_us, budget; /* 0..INT_MAX and 1..65535 */
};

/* Reads one message of `len` bytes, which may be more than REQUEST_MAX and hold anything.
 * Nothing is guessed: a message is exactly one of the above or REQUEST_UNKNOWN. */
void request_parse(const void *bytes, size_t len, struct request *);

/* Whether `s` can be a name in a message: 1..max bytes, printable ASCII, no blank, comma or
 * slash. */
bool request_name_ok(const char *s, size_t max);

#endif
