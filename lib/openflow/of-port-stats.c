/* SPDX-License-Identifier: Apache-2.0 */
/* Port statistics on the wire, with the counters beyond OpenFlow's own as experimenter
 * properties. */

#include <string.h>

#include "openflow/of-port.h"
#include "util/compiler.h"

void
of_port_stats_init(struct of_port_stats *s, uint16_t port)
{
    memset(s, 0xff, sizeof *s);
    s->port = port;
    s->custom = NULL;
    s->n_custom = 0;
}

enum of_err
of_port_stats_request_decode(const struct of_msg *msg, uint16_t *port)
{
    struct of_reader r = msg->body;

    return of_read_port(&r, msg->version, port);
}

enum { OFPPSPT_ETHERNET = 0, INTEL_PORT_STATS_RFC2819 = 1, INTEL_PORT_STATS_CUSTOM = 2 };

static void
put_basic(struct of_buf *b, const struct of_port_stats *s)
{
    const uint64_t counters[] = {
        s->rx_packets, s->tx_packets, s->rx_bytes,  s->tx_bytes,
        s->rx_dropped, s->tx_dropped, s->rx_errors, s->tx_errors,
    };

    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        of_put_u64(b, counters[i]);
    }
}

static void
put_ethernet(struct of_buf *b, const struct of_port_stats *s)
{
    of_put_u64(b, s->rx_frame_err);
    of_put_u64(b, s->rx_over_err);
    of_put_u64(b, s->rx_crc_err);
    of_put_u64(b, s->collisions);
}

static void
put_custom(struct of_buf *b, const struct of_port_stats *s)
{
    size_t prop = of_prop_begin_exp(b, OF_EXP_INTEL, INTEL_PORT_STATS_CUSTOM), count;
    uint16_t n = 0;

    of_put_u16(b, 0);
    count = b->len;
    of_put_u16(b, 0);
    for (size_t i = 0; i < s->n_custom; i++) {
        size_t len = strnlen(s->custom[i].name, UINT8_MAX);

        if (b->len - prop + 1 + len + 8 > 32768) { /* an entry has to fit into a message */
            break;
        }
        of_put_u8(b, (uint8_t) len);
        of_buf_put(b, s->custom[i].name, len);
        of_put_u64(b, s->custom[i].value);
        n++;
    }
    of_buf_set_u16(b, count, n);
    of_prop_end(b, prop);
}

void
of_port_stats_put(struct of_buf *b, const struct of_port_stats *s, uint8_t version)
{
    size_t start = b->len, prop;

    if (version < OF14_VERSION) {
        of_put_port(b, version, s->port);
        of_buf_put_zeros(b, version == OF10_VERSION ? 6 : 4);
        put_basic(b, s);
        put_ethernet(b, s);
        if (version == OF13_VERSION) {
            of_put_u32(b, s->duration_sec);
            of_put_u32(b, s->duration_nsec);
        }
        return;
    }
    of_put_u32(b, 0); /* length */
    of_put_port(b, version, s->port);
    of_put_u32(b, s->duration_sec);
    of_put_u32(b, s->duration_nsec);
    put_basic(b, s);
    prop = of_prop_begin(b, OFPPSPT_ETHERNET);
    of_put_u32(b, 0);
    put_ethernet(b, s);
    of_prop_end(b, prop);
    prop = of_prop_begin_exp(b, OF_EXP_INTEL, INTEL_PORT_STATS_RFC2819);
    of_put_u32(b, 0);
    for (size_t i = 0; i < OF_RMON_N; i++) {
        of_put_u64(b, s->rmon[i]);
    }
    of_prop_end(b, prop);
    if (s->n_custom) {
        put_custom(b, s);
    }
    of_buf_set_u16(b, start, (uint16_t) (b->len - start));
}
