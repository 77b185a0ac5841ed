/* SPDX-License-Identifier: Apache-2.0 */
/* Queues on the wire.  No state, any thread. */

#include "openflow/of-queue.h"

enum of_err
of_queue_request_decode(const struct of_msg *msg, struct of_queue_request *q)
{
    struct of_reader r = msg->body;
    enum of_err err = of_read_port(&r, msg->version, &q->port);

    q->queue = OFPQ_ALL;
    if (err) {
        return err == OFPBAC_BAD_OUT_PORT ? OFPQOFC_BAD_PORT : err;
    }
    if (msg->version == OF10_VERSION && q->port == OFPP_ALL &&
        msg->type != OFM_QUEUE_GET_CONFIG_REQUEST) {
        q->port = OFPP_NONE;
    }
    if (msg->type == OFM_QUEUE_GET_CONFIG_REQUEST) {
        return q->port < OFPP_MAX || (q->port == OFPP_NONE && msg->version > OF10_VERSION)
                   ? OF_OK
                   : OFPQOFC_BAD_PORT;
    }
    return of_skip(&r, msg->version == OF10_VERSION ? 2 : 0) && of_read_u32(&r, &q->queue)
               ? OF_OK
               : OFPBRC_BAD_LEN;
}

void
of_queue_stats_put(struct of_buf *b, const struct of_queue_stats *s, uint8_t version)
{
    if (version >= OF14_VERSION) {
        of_put_u16(b, 48);
        of_buf_put_zeros(b, 6);
    }
    of_put_port(b, version, s->port);
    of_buf_put_zeros(b, version == OF10_VERSION ? 2 : 0);
    of_put_u32(b, s->queue);
    of_put_u64(b, s->tx_bytes);
    of_put_u64(b, s->tx_packets);
    of_put_u64(b, s->tx_errors);
    if (version >= OF13_VERSION) {
        of_put_u32(b, s->duration_sec);
        of_put_u32(b, s->duration_nsec);
    }
}

size_t
of_queue_config_begin(struct of_buf *b, uint16_t port, uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_QUEUE_GET_CONFIG_REPLY, version, xid);

    if (start != SIZE_MAX) {
        of_put_port(b, version, port);
        of_buf_put_zeros(b, version == OF10_VERSION ? 6 : 4);
    }
    return start;
}

enum { OFPQT_MIN_RATE = 1, OFPQT_MAX_RATE = 2 };

static void
put_rate(struct of_buf *b, uint16_t type, uint16_t rate, uint8_t version)
{
    size_t prop;

    if (rate == OFPQ_RATE_UNKNOWN) {
        return;
    }
    prop = of_prop_begin(b, type);
    of_buf_put_zeros(b, version < OF14_VERSION ? 4 : 0);
    of_put_u16(b, rate);
    of_buf_put_zeros(b, version < OF14_VERSION ? 6 : 2);
    of_prop_end(b, prop);
}

void
of_queue_config_put(struct of_buf *b, const struct of_queue_config *q, uint8_t version)
{
    size_t start = b->len, len_ofs;

    if (version >= OF14_VERSION) {
        of_put_port(b, version, q->port);
    }
    of_put_u32(b, q->queue);
    if (version == OF12_VERSION || version == OF13_VERSION) {
        of_put_port(b, version, q->port);
    }
    len_ofs = b->len;
    of_put_u16(b, 0);
    of_buf_put_zeros(b, version < OF12_VERSION ? 2 : 6);
    put_rate(b, OFPQT_MIN_RATE, q->min_rate, version);
    put_rate(b, OFPQT_MAX_RATE, q->max_rate, version);
    of_buf_set_u16(b, len_ofs, (uint16_t) (b->len - start));
}
