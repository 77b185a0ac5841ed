/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OF_HEX_H
#define OF_HEX_H 1

/* Help for tests of the OpenFlow codec: messages as hex strings, spaces allowed. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "openflow/of-msg.h"
#include "util/xalloc.h"

/* The bytes of `hex` in a block of exactly their size, so that a sanitizer sees overruns. */
static inline uint8_t *
of_unhex(const char *hex, size_t *len)
{
    uint8_t *bytes = xzalloc(strlen(hex) / 2 + 1), *exact;
    size_t n = 0;

    for (const char *s = hex; *s; s++) {
        unsigned v;

        if (!isxdigit((unsigned char) *s)) {
            continue;
        }
        if (sscanf(s, "%2x", &v) != 1) {
            break;
        }
        bytes[n++] = (uint8_t) v;
        s++;
    }
    exact = xmemdup(bytes, n);
    free(bytes);
    *len = n;
    return exact;
}

/* The message in hex, parsed; valid until the next call. */
static inline struct of_msg *
msg(const char *hex)
{
    static uint8_t *bytes;
    static struct of_msg m;
    size_t len;

    free(bytes);
    bytes = of_unhex(hex, &len);
    assert_int_equal(of_msg_parse(bytes, len, &m), OF_OK);
    return &m;
}

/* Does `b` hold exactly these bytes?  Prints both if not. */
static inline bool
of_hex_equal(const struct of_buf *b, const char *hex)
{
    size_t len;
    uint8_t *want = of_unhex(hex, &len);
    bool same = len == b->len && (!len || !memcmp(want, b->data, len));

    if (!same) {
        printf("want ");
        for (size_t i = 0; i < len; i++) {
            printf("%02x", want[i]);
        }
        printf("\ngot  ");
        for (size_t i = 0; i < b->len; i++) {
            printf("%02x", b->data[i]);
        }
        printf("\n");
    }
    free(want);
    return same;
}

/* Calls `decode` with the message cut off at every length, its header corrected so that only
 * the body is short; the whole message must parse and decode.  `decode` returns an of_err and
 * frees what it made.  Returns the number of shorter forms that were taken as good. */
static inline unsigned
of_cut_everywhere(const char *hex, enum of_err (*decode)(const struct of_msg *))
{
    size_t len;
    uint8_t *whole = of_unhex(hex, &len);
    unsigned n_good = 0;

    for (size_t cut = OF_HEADER_LEN; cut < len; cut++) {
        uint8_t *part = xmemdup(whole, cut);
        struct of_msg m;

        part[2] = (uint8_t) (cut >> 8);
        part[3] = (uint8_t) cut;
        n_good += !of_msg_parse(part, cut, &m) && !decode(&m);
        free(part);
    }
    free(whole);
    return n_good;
}

#endif
