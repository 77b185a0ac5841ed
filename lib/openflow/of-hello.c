/* SPDX-License-Identifier: Apache-2.0 */
/* Hello.  Called by connections when they open; no state, any thread. */

#include "openflow/of-hello.h"

#include <string.h>

#include "util/compiler.h"

enum { OFPHET_VERSIONBITMAP = 1 };

static uint8_t
highest(uint32_t versions)
{
    return versions ? (uint8_t) (31 - __builtin_clz(versions)) : 0;
}

void
of_hello_encode(struct of_buf *b, uint32_t versions, uint32_t xid)
{
    uint8_t top = highest(versions & OF_VERSIONS_ALL);
    size_t start = of_msg_begin(b, OFM_HELLO, top, xid);

    if (start != SIZE_MAX && versions != (OF_VERSIONS_ALL & ((2u << top) - 1))) {
        of_put_u16(b, OFPHET_VERSIONBITMAP);
        of_put_u16(b, 8);
        of_put_u32(b, versions);
    }
    of_msg_end(b, start);
}

void
of_hello_decode(const struct of_msg *msg, uint32_t *versions)
{
    struct of_reader r = msg->body;

    *versions = OF_VERSIONS_ALL;
    if (msg->version < OF15_VERSION) {
        *versions &= (2u << msg->version) - 1;
    }
    while (r.len >= 4) {
        uint16_t type = of_get_be16(r.p), len = of_get_be16(r.p + 2);
        uint32_t bitmap;

        if (len < 4 || len > r.len) {
            return;
        }
        if (type == OFPHET_VERSIONBITMAP && len >= 8) {
            bitmap = of_get_be32(r.p + 4); /* versions above 31 are in later words */
            *versions = bitmap & OF_VERSIONS_ALL;
            return;
        }
        of_skip(&r, MIN(ROUND_UP((size_t) len, 8), r.len));
    }
}

uint8_t
of_hello_negotiate(uint32_t ours, uint32_t theirs)
{
    return highest(ours & theirs & OF_VERSIONS_ALL);
}

static const char *const names[] = {
    NULL, "OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15",
};

uint32_t
of_version_from_name(const char *name)
{
    for (unsigned v = OF10_VERSION; v <= OF15_VERSION; v++) {
        if (!strcmp(name, names[v])) {
            return 1u << v;
        }
    }
    return 0;
}

const char *
of_version_name(uint8_t version)
{
    return version >= OF10_VERSION && version <= OF15_VERSION ? names[version] : "unknown";
}
