/* SPDX-License-Identifier: Apache-2.0 */
/* Strict parsing of numbers in options, commands and database columns.  Any thread; no errors
 * are logged here, because only the caller can say which option was wrong. */

#include "util/num.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

/* The value of a hexadecimal digit, or -1. */
static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    } else if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

static const char *
skip_0x(const char *s)
{
    return s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? s + 2 : s;
}

bool
num_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
    const char *digits = skip_0x(s);
    unsigned base = digits == s ? 10 : 16;
    uint64_t value = 0;

    if (!*digits) {
        return false;
    }
    for (; *digits; digits++) {
        int d = hex_value(*digits);

        if (d < 0 || (unsigned) d >= base || value > (UINT64_MAX - d) / base) {
            return false;
        }
        value = value * base + d;
    }
    if (value < min || value > max) {
        return false;
    }
    *out = value;
    return true;
}

bool
num_parse_int(const char *s, int min, int max, int *out)
{
    bool negative = *s == '-';
    uint64_t magnitude;
    int64_t value;

    if (!num_parse_u64(s + (negative || *s == '+'), 0, (uint64_t) INT_MAX + 1, &magnitude)) {
        return false;
    }
    value = negative ? -(int64_t) magnitude : (int64_t) magnitude;
    if (value < min || value > max) {
        return false;
    }
    *out = (int) value;
    return true;
}

bool
num_parse_bool(const char *s, bool *out)
{
    if (!strcasecmp(s, "true")) {
        *out = true;
    } else if (!strcasecmp(s, "false")) {
        *out = false;
    } else {
        return false;
    }
    return true;
}

int
num_parse_hex(const char *s, uint8_t *out, int max)
{
    size_t len = strlen(s);

    if (len % 2 || max < 0 || len / 2 > (size_t) max) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        if (hex_value(s[i]) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < len; i += 2) {
        out[i / 2] = (uint8_t) (hex_value(s[i]) << 4 | hex_value(s[i + 1]));
    }
    return (int) (len / 2);
}

bool
num_parse_mask(const char *s, void (*cb)(unsigned bit, void *aux), void *aux)
{
    size_t len;

    s = skip_0x(s);
    len = strlen(s);
    if (!len || len > UINT_MAX / 4) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (hex_value(s[i]) < 0) {
            return false;
        }
    }
    for (size_t i = 0; i < len; i++) {
        int nibble = hex_value(s[len - 1 - i]);

        for (unsigned b = 0; b < 4; b++) {
            if (nibble >> b & 1) {
                cb((unsigned) i * 4 + b, aux);
            }
        }
    }
    return true;
}
