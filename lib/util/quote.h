/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_QUOTE_H
#define XVS_UTIL_QUOTE_H 1

/* Text that somebody else wrote (a database value, an argument) inside a sentence of ours: in
 * an error column or a log line it must be neither endless nor several lines.  Any thread. */

#include <stddef.h>

enum {
    QUOTE_SZ = 96,       /* bytes of a quoted value, terminator included */
    SENTENCE_MAX = 1000, /* bytes of a whole sentence */
};

/* Copies `text` into `buf`: control characters become "?", and what does not fit is replaced by
 * "..." (never within a UTF-8 sequence).  Returns `buf`. */
const char *quote_text(char buf[QUOTE_SZ], const char *text);

/* The same as an expression: valid until the end of the enclosing block. */
#define QUOTE(TEXT) quote_text((char[QUOTE_SZ]){""}, (TEXT))

/* The same for a finished sentence, in place, up to SENTENCE_MAX bytes; returns it.  NULL is
 * fine. */
char *quote_sentence(char *sentence);

#endif
