/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a super-frame: the first six are mss and offsets. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "os/thread.h"
#include "packet/packet-ops.h"
#include "util/xalloc.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool adopted;
    struct packet_gso g;
    struct packet *p;
    uint32_t pos = 0, done = 0;
    unsigned n = 0;
    uint8_t *copy;

    if (!adopted) {
        adopted = true;
        thread_adopt("");
        arena_set_plan(64);
    }
    if (size < 6 || size > 70000) {
        return 0;
    }
    copy = xmemdup(data + 6, size - 6);
    g = (struct packet_gso){
        .data = copy,
        .len = (uint32_t) (size - 6),
        .mss = (uint16_t) (data[0] << 8 | data[1]),
        .l3_ofs = (uint16_t) (data[2] << 8 | data[3]),
        .l4_ofs = (uint16_t) (data[4] << 8 | data[5]),
    };
    while (packet_segment_next(&g, &pos, &p)) {
        require(pos > done && (!p || p->len >= pos - done));
        done = pos;
        n++;
        packet_free(p);
    }
    require(n == packet_segment_count(&g));
    free(copy);
    return 0;
}
