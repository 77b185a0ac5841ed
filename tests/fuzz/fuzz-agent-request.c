/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes xvs-agent's parser of client messages.  What it accepts must be well formed, and must
 * be, byte for byte, what the parsed values give when written out again (numbers apart: leading
 * zeros are allowed). */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "utilities/xvs-agent/request.c"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request r, none;
    char text[128];
    memset(&none, 0, sizeof none);
    memset(&r, 0xff, sizeof r);
    request_parse(data, size, &r);
    if (r.kind == REQUEST_UNKNOWN) {
        require(!memcmp(&r, &none, sizeof r));
        return 0;
    }
    require(size <= REQUEST_MAX);
    bool has_name = r.kind == REQUEST_CONNECT || r.kind == REQUEST_MAP;
    require(has_name == request_name_ok(r.name, REQUEST_MAX));
    if (r.kind == REQUEST_BUSY_POLL) {
        require(r.timeout_us <= INT_MAX && r.budget >= 1 && r.budget <= UINT16_MAX);
        return 0;
    }
    require((unsigned) r.kind <= REQUEST_FIN && !r.timeout_us && !r.budget);
    int n = has_name ? snprintf(text, sizeof text, "%s%s",
                                r.kind == REQUEST_MAP ? "/xsk_map_fd," : "/connect,", r.name)
                     : snprintf(text, sizeof text, "%s",
                                r.kind == REQUEST_VERSION ? "/version" : "/fin");
    require((size_t) n == size && !memcmp(text, data, size));
    return 0;
}
