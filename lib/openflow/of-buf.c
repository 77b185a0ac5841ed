/* SPDX-License-Identifier: Apache-2.0 */
/* The buffer that messages are written into, and the pieces of the bounds-checked reader that
 * are not inline.  Used by the whole codec, on any thread; knows nothing of messages. */

#include "openflow/of-buf.h"

#include <stdlib.h>

#include "util/compiler.h"
#include "util/xalloc.h"

void
of_buf_free(struct of_buf *b)
{
    free(b->data);
    *b = (struct of_buf) OF_BUF_INIT;
}

void
of_buf_clear(struct of_buf *b)
{
    b->len = 0;
}

void
of_buf_truncate(struct of_buf *b, size_t len)
{
    b->len = MIN(b->len, len);
}

void
of_buf_reserve(struct of_buf *b, size_t extra)
{
    if (b->cap - b->len < extra) {
        b->cap = MAX(b->len + extra, MAX(b->cap * 2, (size_t) 128));
        b->data = xrealloc(b->data, b->cap);
    }
}

size_t
of_buf_put(struct of_buf *b, const void *p, size_t n)
{
    size_t ofs = b->len;

    of_buf_reserve(b, n);
    if (n) {
        memcpy(b->data + ofs, p, n);
        b->len += n;
    }
    return ofs;
}

size_t
of_buf_put_zeros(struct of_buf *b, size_t n)
{
    size_t ofs = b->len;

    of_buf_reserve(b, n);
    if (n) {
        memset(b->data + ofs, 0, n);
        b->len += n;
    }
    return ofs;
}

/* The low `n` bytes of `v`, most significant first, at `ofs`. */
static void
store(struct of_buf *b, size_t ofs, uint64_t v, size_t n)
{
    if (ofs > b->len || b->len - ofs < n) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        b->data[ofs + i] = (uint8_t) (v >> (8 * (n - 1 - i)));
    }
}

void
of_put_u8(struct of_buf *b, uint8_t v)
{
    of_buf_put(b, &v, 1);
}

void
of_put_u16(struct of_buf *b, uint16_t v)
{
    store(b, of_buf_put_zeros(b, 2), v, 2);
}

void
of_put_u32(struct of_buf *b, uint32_t v)
{
    store(b, of_buf_put_zeros(b, 4), v, 4);
}

void
of_put_u64(struct of_buf *b, uint64_t v)
{
    store(b, of_buf_put_zeros(b, 8), v, 8);
}

void
of_put_str(struct of_buf *b, const char *s, size_t size)
{
    size_t n = strnlen(s, size ? size - 1 : 0);

    of_buf_put(b, s, n);
    of_buf_put_zeros(b, size - n);
}

void
of_buf_pad_from(struct of_buf *b, size_t start, size_t align)
{
    size_t over = (b->len - start) % align;

    if (over) {
        of_buf_put_zeros(b, align - over);
    }
}

void
of_buf_pad(struct of_buf *b, size_t align)
{
    of_buf_pad_from(b, 0, align);
}

void
of_buf_set_u8(struct of_buf *b, size_t ofs, uint8_t v)
{
    store(b, ofs, v, 1);
}

void
of_buf_set_u16(struct of_buf *b, size_t ofs, uint16_t v)
{
    store(b, ofs, v, 2);
}

void
of_buf_set_u32(struct of_buf *b, size_t ofs, uint32_t v)
{
    store(b, ofs, v, 4);
}

bool
of_read_str(struct of_reader *r, char *dst, size_t size)
{
    if (!of_read_bytes(r, dst, size)) {
        return false;
    }
    dst[size] = '\0';
    return true;
}

bool
of_peek_zeros(const struct of_reader *r, size_t n)
{
    if (r->len < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (r->p[i]) {
            return false;
        }
    }
    return true;
}

enum of_err
of_prop_next(struct of_reader *r, bool miss_variant, struct of_prop *prop)
{
    struct of_reader whole;
    uint16_t type, len;
    size_t padded;

    if (r->len < 4) {
        return OFPBPC_BAD_LEN;
    }
    type = of_get_be16(r->p);
    len = of_get_be16(r->p + 2);
    /* The last one's padding may be missing: some controllers leave it out. */
    padded = MIN(ROUND_UP((size_t) len, 8), r->len);
    if (len < 4 || len > r->len || !of_reader_take(r, padded, &whole)) {
        return OFPBPC_BAD_LEN;
    }
    whole.len = len;
    of_skip(&whole, 4);
    *prop = (struct of_prop){.type = type};
    if (type == OFPROP_EXPERIMENTER || (miss_variant && type == OFPROP_EXPERIMENTER_MISS)) {
        if (!of_read_u32(&whole, &prop->exp) || !of_read_u32(&whole, &prop->exp_type)) {
            return OFPBPC_BAD_LEN;
        }
    }
    prop->data = whole;
    return OF_OK;
}

size_t
of_prop_begin(struct of_buf *b, uint16_t type)
{
    size_t start = b->len;

    of_put_u16(b, type);
    of_put_u16(b, 0);
    return start;
}

size_t
of_prop_begin_exp(struct of_buf *b, uint32_t exp, uint32_t exp_type)
{
    size_t start = of_prop_begin(b, OFPROP_EXPERIMENTER);

    of_put_u32(b, exp);
    of_put_u32(b, exp_type);
    return start;
}

void
of_prop_end(struct of_buf *b, size_t start)
{
    of_buf_set_u16(b, start + 2, (uint16_t) (b->len - start));
    of_buf_pad_from(b, start, 8);
}
