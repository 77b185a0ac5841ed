/* SPDX-License-Identifier: Apache-2.0 */

/* The bracket counter that cuts a byte stream into JSON values.  Called by jsonrpc.c and the
 * fuzz target; pure.  Must not know JSON-RPC. */

#include "rpc/json-frame.h"

enum { MAX_DEPTH = 1000 }; /* below the parser's own limit, 2048 */

enum json_frame_result
json_frame_scan(struct json_frame *f, const char *data, size_t n, size_t *used)
{
    for (size_t i = 0; i < n; i++) {
        char c = data[i];
        if (f->in_string) {
            if (f->escaped) {
                f->escaped = false;
            } else if (c == '\\') {
                f->escaped = true;
            } else if (c == '"') {
                f->in_string = false;
            }
            continue;
        }
        switch (c) {
        case '{':
        case '[':
            if (++f->depth > MAX_DEPTH) {
                *used = i;
                return JSON_FRAME_BAD;
            }
            break;
        case '}':
        case ']':
            if (!f->depth) {
                *used = i;
                return JSON_FRAME_BAD;
            }
            if (!--f->depth) {
                *used = i + 1;
                return JSON_FRAME_DONE;
            }
            break;
        case ' ':
        case '\t':
        case '\r':
        case '\n':
            break;
        default:
            if (!f->depth) {
                *used = i;
                return JSON_FRAME_BAD;
            }
            f->in_string = c == '"';
            break;
        }
    }
    *used = n;
    return JSON_FRAME_MORE;
}
