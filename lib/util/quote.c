/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text made fit for one line.  Called wherever a database value is named in a sentence.
 * Any thread. */

#include "util/quote.h"

#include <stdbool.h>
#include <string.h>

static bool
is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

/* Cuts `s`, longer than `max` bytes, to at most that, marked by dots. */
static void
cut(char *s, size_t max)
{
    size_t n = max - 3;

    while (n && ((unsigned char) s[n] & 0xc0) == 0x80) {
        n--; /* the sequence that begins at s[n] goes as a whole */
    }
    memcpy(s + n, "...", 4);
}

static void
tame(char *s)
{
    for (; *s; s++) {
        if (is_control((unsigned char) *s)) {
            *s = '?';
        }
    }
}

const char *
quote_text(char buf[QUOTE_SZ], const char *text)
{
    size_t n = strnlen(text, QUOTE_SZ);

    memcpy(buf, text, n < QUOTE_SZ ? n : QUOTE_SZ - 1);
    buf[n < QUOTE_SZ ? n : QUOTE_SZ - 1] = '\0';
    if (n == QUOTE_SZ) {
        cut(buf, QUOTE_SZ - 1);
    }
    tame(buf);
    return buf;
}

char *
quote_sentence(char *sentence)
{
    if (sentence) {
        if (strnlen(sentence, SENTENCE_MAX + 1) > SENTENCE_MAX) {
            cut(sentence, SENTENCE_MAX);
        }
        tame(sentence);
    }
    return sentence;
}
