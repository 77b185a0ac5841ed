/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the messages of a controller to a bridge: each is executed by its handler, on a
 * connection without a peer.  The first byte chooses the version.  Whatever comes, what the
 * switch answers is a row of well-formed messages, and its tables can be emptied afterwards. */

#include <stdlib.h>

#include "fuzz-bridge.h"
#include "ofproto/conn-private.h"

static struct evloop *loop;
static struct ofproto *o;

static void
check_answers(const struct ofconn *c)
{
    size_t ofs = 0;

    while (ofs < c->sink.len) {
        size_t len;

        require(c->sink.len - ofs >= OF_HEADER_LEN);
        len = of_get_be16(c->sink.data + ofs + 2);
        require(len >= OF_HEADER_LEN && len <= c->sink.len - ofs);
        require(c->sink.data[ofs] == c->version);
        ofs += len;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ofconn *c;

    if (!size) {
        return 0;
    }
    if (!loop) {
        o = fuzz_bridge_create(&loop, 64);
    }
    c = ofconn_create_fake(o->conns, (uint8_t) (1 + data[0] % 6));
    data++;
    size--;
    while (size >= OF_HEADER_LEN) {
        size_t len = of_get_be16(data + 2);
        struct of_msg m;

        len = len < OF_HEADER_LEN ? OF_HEADER_LEN : len > size ? size : len;
        {
            /* A copy of its own: reading behind it is found. */
            uint8_t *copy = malloc(len);

            memcpy(copy, data, len);
            copy[0] = c->version;
            copy[2] = (uint8_t) (len >> 8);
            copy[3] = (uint8_t) len;
            if (!of_msg_parse(copy, len, &m) && m.type != OFM_HELLO) {
                ofconn_dispatch(c, &m);
            }
            free(copy);
        }
        data += len;
        size -= len;
    }
    clock_warp(1100);
    evloop_turn(loop, 0);
    check_answers(c);
    ofconn_destroy(c);
    fuzz_bridge_clear(loop, o);
    return 0;
}
