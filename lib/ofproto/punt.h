/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_PUNT_H
#define XVS_OFPROTO_PUNT_H 1

/* Packets on their way from the polling threads to controllers: a bounded queue, which main
 * empties.  What does not fit is dropped and counted; no thread waits for another but for the
 * time it takes to link one entry in. */

#include <stdint.h>
#include "ofproto/xlate.h"
#include "os/evloop.h"
#include "packet/packet.h"

#define PUNT_QUEUE_MAX 2048u        /* packets */
#define PUNT_QUEUE_BYTES (8u << 20) /* and their bytes */

struct punt {
    struct punt *next;            /* private */
    const struct xlate_punt *why; /* words of this punt's own */
    uint16_t len;
    uint32_t pkt_mark;
    uint8_t *data; /* the whole packet */
};

/* Main.  `handle` (main) is called for each packet in order; the punt is freed behind it. */
void punt_init(struct evloop *, void (*handle)(const struct punt *));
void punt_exit(void);
/* Any polling thread: dp_upcall_ops.punt.  `aux` is not used. */
void punt_put(void *aux, const struct packet *, const uint64_t *words, uint16_t n_words);
/* Text of a punt among datapath actions: "userspace(pid=0,controller(...))". */
void punt_format(struct strbuf *, const uint64_t *words, uint16_t n_words);

#endif
