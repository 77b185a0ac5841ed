/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of what clients send: pure, bounded, exact.  Called by sessions on the main thread
 * and by the fuzzer.  Must not know sockets or devices. */

#include "utilities/xvs-agent/request.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

static bool
is_name_char(unsigned char c)
{
    return c > 0x20 && c < 0x7f && c != ',' && c != '/';
}

bool
request_name_ok(const char *s, size_t max)
{
    size_t len = strlen(s);
    for (size_t i = 0; i < len; i++) {
        if (!is_name_char((unsigned char) s[i])) {
            return false;
        }
    }
    return len > 0 && len <= max;
}

/* If the message begins with `word`, what follows it. */
static bool
skip(const char **p, const char *end, const char *word)
{
    size_t len = strlen(word);
    if ((size_t) (end - *p) < len || memcmp(*p, word, len)) {
        return false;
    }
    *p += len;
    return true;
}

/* All that is left, as a name. */
static bool
take_name(const char *p, const char *end, char *out)
{
    size_t len = (size_t) (end - p);
    if (!len || len > REQUEST_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_name_char((unsigned char) p[i])) {
            return false;
        }
    }
    memcpy(out, p, len);
    out[len] = '\0';
    return true;
}

/* Decimal digits, at least one and at most ten, not above `max`. */
static bool
take_number(const char **p, const char *end, uint64_t max, unsigned *out)
{
    uint64_t value = 0;
    unsigned digits = 0;
    while (*p < end && **p >= '0' && **p <= '9' && digits < 11) {
        value = value * 10 + (uint64_t) (**p - '0');
        digits++;
        (*p)++;
    }
    if (!digits || digits > 10 || value > max) {
        return false;
    }
    *out = (unsigned) value;
    return true;
}

static enum request_kind
parse(const char *p, const char *end, struct request *r)
{
    if (skip(&p, end, "/connect,")) {
        return take_name(p, end, r->name) ? REQUEST_CONNECT : REQUEST_UNKNOWN;
    }
    if (skip(&p, end, "/xsk_map_fd,")) {
        return take_name(p, end, r->name) ? REQUEST_MAP : REQUEST_UNKNOWN;
    }
    if (skip(&p, end, "/config_busy_poll,")) {
        bool ok = take_number(&p, end, INT_MAX, &r->timeout_us) && skip(&p, end, ",") &&
                  take_number(&p, end, UINT16_MAX, &r->budget) && p == end && r->budget;
        return ok ? REQUEST_BUSY_POLL : REQUEST_UNKNOWN;
    }
    if (skip(&p, end, "/version")) {
        return p == end ? REQUEST_VERSION : REQUEST_UNKNOWN;
    }
    if (skip(&p, end, "/fin")) {
        return p == end ? REQUEST_FIN : REQUEST_UNKNOWN;
    }
    return REQUEST_UNKNOWN;
}

void
request_parse(const void *bytes, size_t len, struct request *r)
{
    const char *text = bytes;
    memset(r, 0, sizeof *r);
    if (len && len <= REQUEST_MAX) {
        r->kind = parse(text, text + len, r);
    }
    if (r->kind == REQUEST_UNKNOWN) {
        memset(r, 0, sizeof *r);
    }
}
