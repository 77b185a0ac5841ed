/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_RPC_JSON_FRAME_H
#define XVS_RPC_JSON_FRAME_H 1

/* Finds where one top-level JSON value ends in a byte stream, incrementally and without
 * parsing: it only counts brackets outside strings.  What it frames may still be bad JSON,
 * which the parser then refuses.  Only objects and arrays can be told apart without a
 * separator, so anything else at the top is an error. */

#include <stdbool.h>
#include <stddef.h>

struct json_frame {
    unsigned depth;
    bool in_string;
    bool escaped;
};
#define JSON_FRAME_INIT                                                                        \
    {                                                                                          \
        0, false, false                                                                        \
    }

enum json_frame_result {
    JSON_FRAME_MORE, /* all bytes consumed, value not complete */
    JSON_FRAME_DONE, /* *used bytes complete a value; the frame is reset for the next */
    JSON_FRAME_BAD,  /* not the start of an object or array, or nested too deep */
};

/* Scans data[0..n).  Blanks before the value are consumed with it.  Sets *used in all cases. */
enum json_frame_result
json_frame_scan(struct json_frame *, const char *data, size_t n, size_t *used);
/* True between values: nothing but blanks seen since the last one. */
static inline bool
json_frame_is_idle(const struct json_frame *f)
{
    return !f->depth;
}

#endif
