/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_BUF_H
#define XVS_OPENFLOW_OF_BUF_H 1

/* The two ends of the codec: a growing buffer that messages are written into, and a reader that
 * never looks past the bytes it was given.
 *
 * Values are in host order on the C side and big-endian on the wire.  No thread safety: each
 * object has one user at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "openflow/of-error.h"

/* -- Writing. -- */

struct of_buf {
    uint8_t *data; /* NULL until first use */
    size_t len, cap;
};
#define OF_BUF_INIT                                                                            \
    {                                                                                          \
        NULL, 0, 0                                                                             \
    }

void of_buf_free(struct of_buf *);                 /* leaves it empty and reusable */
void of_buf_clear(struct of_buf *);                /* length 0, memory kept */
void of_buf_truncate(struct of_buf *, size_t len); /* no effect when `len` is not shorter */
/* Makes room for `extra` bytes, so that pointers stay valid while so many are put. */
void of_buf_reserve(struct of_buf *, size_t extra);

/* Both return the offset at which the new bytes start. */
size_t of_buf_put(struct of_buf *, const void *, size_t);
size_t of_buf_put_zeros(struct of_buf *, size_t);
void of_put_u8(struct of_buf *, uint8_t);
void of_put_u16(struct of_buf *, uint16_t);
void of_put_u32(struct of_buf *, uint32_t);
void of_put_u64(struct of_buf *, uint64_t);
/* A string in a field of `size` bytes: cut to size - 1, the rest zero. */
void of_put_str(struct of_buf *, const char *, size_t size);
/* Zeros up to a multiple of `align` counted from the buffer's start, or from offset `start`
 * (for a buffer in which messages follow each other without alignment). */
void of_buf_pad(struct of_buf *, size_t align);
void of_buf_pad_from(struct of_buf *, size_t start, size_t align);
/* Overwrites what was put before; a place outside of the buffer is left alone. */
void of_buf_set_u8(struct of_buf *, size_t ofs, uint8_t);
void of_buf_set_u16(struct of_buf *, size_t ofs, uint16_t);
void of_buf_set_u32(struct of_buf *, size_t ofs, uint32_t);

/* -- Reading. -- */

struct of_reader {
    const uint8_t *p; /* borrowed */
    size_t len;       /* bytes left */
};

/* All of these return false, and change nothing, when fewer bytes are left than asked for. */
static inline bool
of_skip(struct of_reader *r, size_t n)
{
    if (r->len < n) {
        return false;
    }
    if (n) {
        r->p += n;
        r->len -= n;
    }
    return true;
}
static inline bool
of_read_bytes(struct of_reader *r, void *dst, size_t n)
{
    const uint8_t *p = r->p;

    if (!of_skip(r, n)) {
        return false;
    }
    if (n) {
        memcpy(dst, p, n);
    }
    return true;
}
/* The next `n` bytes as a reader of their own. */
static inline bool
of_reader_take(struct of_reader *r, size_t n, struct of_reader *sub)
{
    struct of_reader s = {r->p, n};

    if (!of_skip(r, n)) {
        return false;
    }
    *sub = s;
    return true;
}
static inline uint16_t
of_get_be16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}
static inline uint32_t
of_get_be32(const uint8_t *p)
{
    return (uint32_t) of_get_be16(p) << 16 | of_get_be16(p + 2);
}
static inline uint64_t
of_get_be64(const uint8_t *p)
{
    return (uint64_t) of_get_be32(p) << 32 | of_get_be32(p + 4);
}
static inline bool
of_read_u8(struct of_reader *r, uint8_t *v)
{
    return of_read_bytes(r, v, 1);
}
static inline bool
of_read_u16(struct of_reader *r, uint16_t *v)
{
    const uint8_t *p = r->p;

    return of_skip(r, 2) && (*v = of_get_be16(p), true);
}
static inline bool
of_read_u32(struct of_reader *r, uint32_t *v)
{
    const uint8_t *p = r->p;

    return of_skip(r, 4) && (*v = of_get_be32(p), true);
}
static inline bool
of_read_u64(struct of_reader *r, uint64_t *v)
{
    const uint8_t *p = r->p;

    return of_skip(r, 8) && (*v = of_get_be64(p), true);
}
/* A fixed field of `size` bytes into `dst` of size + 1 bytes, terminated; what is behind the
 * first zero byte is ignored. */
bool of_read_str(struct of_reader *, char *dst, size_t size);
/* Are the next `n` bytes (false also when there are fewer) all zero?  Reads nothing. */
bool of_peek_zeros(const struct of_reader *, size_t n);

/* -- Properties: {u16 type, u16 length, data, padding to 8}, OpenFlow 1.3 and later. -- */

enum { OFPROP_EXPERIMENTER = 0xffff, OFPROP_EXPERIMENTER_MISS = 0xfffe };
struct of_prop {
    uint16_t type;
    uint32_t exp, exp_type; /* of experimenter properties */
    struct of_reader data;  /* behind the headers, without the padding */
};
/* The next property out of `r` (not empty).  0 or OFPBPC_BAD_LEN.  0xfffe is an experimenter
 * property only among table features (`miss_variant`). */
enum of_err of_prop_next(struct of_reader *r, bool miss_variant, struct of_prop *);
/* A property is begun, filled, and ended: its length is set and it is padded to 8. */
size_t of_prop_begin(struct of_buf *, uint16_t type);
size_t of_prop_begin_exp(struct of_buf *, uint32_t exp, uint32_t exp_type);
void of_prop_end(struct of_buf *, size_t start);

#endif
