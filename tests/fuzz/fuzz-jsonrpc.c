/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the path from bytes to a sorted JSON-RPC message: the frame scanner, fed in pieces
 * whose sizes the first byte chooses, the JSON parser, and jsonrpc_msg_parse().  Cutting the
 * input elsewhere must give the same values. */

#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "rpc/json-frame.h"
#include "rpc/jsonrpc.h"

/* Scans everything in pieces of at most `step`; returns how many values and where it stopped.
 */
static unsigned
scan(const char *data, size_t n, size_t step, size_t *stopped, bool parse)
{
    struct json_frame frame = JSON_FRAME_INIT;
    size_t begin = 0, pos = 0;
    unsigned n_values = 0;
    while (pos < n) {
        size_t used, piece = n - pos < step ? n - pos : step;
        enum json_frame_result r = json_frame_scan(&frame, data + pos, piece, &used);
        require(used <= piece);
        pos += used;
        if (r == JSON_FRAME_BAD) {
            break;
        }
        if (r == JSON_FRAME_DONE) {
            n_values++;
            json_t *json = parse ? json_loadb(data + begin, pos - begin, 0, NULL) : NULL;
            struct jsonrpc_msg m;
            const char *why;
            if (json && jsonrpc_msg_parse(json, &m, &why)) {
                bool request = m.type == JSONRPC_REQUEST || m.type == JSONRPC_NOTIFY;
                require(request == (m.method && json_is_array(m.params)));
                require(m.type == JSONRPC_NOTIFY || m.id);
            }
            json_decref(json);
            begin = pos;
        }
    }
    *stopped = pos;
    return n_values;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const char *text = (const char *) data + 1;
    size_t stop_a, stop_b;
    unsigned a = scan(text, size - 1, 1 + data[0] % 64, &stop_a, false);
    unsigned b = scan(text, size - 1, size, &stop_b, true);
    require(a == b && stop_a == stop_b);
    char *copy = strndup(text, size - 1);
    json_t *s = jsonrpc_text(copy);
    require(s);
    json_decref(s);
    free(copy);
    return 0;
}
