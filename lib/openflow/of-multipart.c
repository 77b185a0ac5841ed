/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart: replies that split themselves, requests that are put together.  Any thread; knows
 * nothing of what the parts contain. */

#include "openflow/of-msg.h"

#include "util/compiler.h"

/* Offset of the flags behind the common header, in every version. */
#define MP_FLAGS_OFS (OF_HEADER_LEN + 2)

void
of_mp_begin(struct of_mp_writer *w, struct of_buf *b, enum of_msg_type type, uint8_t version,
            uint32_t xid)
{
    *w = (struct of_mp_writer){.buf = b, .type = type, .version = version, .xid = xid};
    w->start = of_msg_begin(b, type, version, xid);
    w->entry = b->len;
}

size_t
of_mp_entry_begin(struct of_mp_writer *w)
{
    w->entry = w->buf->len;
    return w->entry;
}

bool
of_mp_entry_end(struct of_mp_writer *w)
{
    struct of_buf *b = w->buf;
    struct of_buf next = OF_BUF_INIT;
    size_t entry_len = b->len - w->entry;
    bool ok;

    if (w->start == SIZE_MAX) {
        of_buf_truncate(b, w->entry);
        return false;
    }
    if (b->len - w->start <= UINT16_MAX) {
        return true;
    }
    /* The entry goes into a message of its own. */
    of_msg_begin(&next, w->type, w->version, w->xid);
    ok = next.len + entry_len <= UINT16_MAX;
    if (ok) {
        of_buf_put(&next, b->data + w->entry, entry_len);
        of_buf_truncate(b, w->entry);
        of_buf_set_u16(b, w->start + MP_FLAGS_OFS, OFPMPF_MORE);
        of_msg_end(b, w->start);
        w->start = of_buf_put(b, next.data, next.len);
    } else {
        of_buf_truncate(b, w->entry);
    }
    of_buf_free(&next);
    w->entry = b->len;
    return ok;
}

void
of_mp_end(struct of_mp_writer *w)
{
    of_msg_end(w->buf, w->start);
}

void
of_mp_end_more(struct of_mp_writer *w)
{
    of_buf_set_u16(w->buf, w->start + MP_FLAGS_OFS, OFPMPF_MORE);
    of_msg_end(w->buf, w->start);
}

void
of_mp_joiner_clear(struct of_mp_joiner *j)
{
    of_buf_free(&j->body);
    *j = (struct of_mp_joiner){.open = false};
}

enum of_err
of_mp_join(struct of_mp_joiner *j, struct of_msg *msg, bool *whole)
{
    bool more = msg->version >= OF13_VERSION && msg->mp_flags & OFPMPF_MORE;
    bool same =
        j->open && j->xid == msg->xid && j->type == msg->type && j->version == msg->version;

    *whole = !more;
    if (!same) {
        of_mp_joiner_clear(j); /* what was begun and never ended is no request */
        if (!more) {
            return OF_OK;
        }
        j->open = true;
        j->type = msg->type;
        j->version = msg->version;
        j->xid = msg->xid;
    }
    if (j->body.len + msg->body.len > OF_MP_JOIN_MAX || ++j->n_parts > OF_MP_JOIN_PARTS) {
        of_mp_joiner_clear(j);
        *whole = false;
        return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
    }
    of_buf_put(&j->body, msg->body.p, msg->body.len);
    if (!more) {
        j->open = false;
        msg->body = (struct of_reader){j->body.data, j->body.len};
    }
    return OF_OK;
}
