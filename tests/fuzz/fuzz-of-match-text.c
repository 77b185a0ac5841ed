/* SPDX-License-Identifier: Apache-2.0 */
/* Matches from any text: a sentence, or a match whose text is taken for the same match again,
 * and which NXM carries without loss. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "openflow/of-match.h"
#include "util/xalloc.h"

static void
check(const struct of_match *m)
{
    struct strbuf s = STRBUF_INIT, s2 = STRBUF_INIT;
    struct of_buf b = OF_BUF_INIT;
    struct of_match back;
    uint64_t cookie, mask;
    size_t len;

    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        require(!(((const flow_word *) &m->flow)[i] & ~((const flow_word *) &m->mask)[i]));
    }
    of_match_format(m, -1, NULL, &s);
    require(of_match_parse(strbuf_cstr(&s), &back, NULL, NULL, NULL));
    require(of_match_equal(m, &back));
    of_match_format(&back, -1, NULL, &s2);
    require(!strcmp(strbuf_cstr(&s), strbuf_cstr(&s2)));

    len = of_match_encode_nxm(&b, 0, m, 0, 0);
    /* What no switch tells another is left out. */
    if (!m->mask.meta.skb_priority && !of_match_decode_nxm(&(struct of_reader){b.data, b.len},
                                                           len, false, &back, &cookie, &mask)) {
        require(of_match_equal(m, &back));
    }
    of_buf_free(&b);
    strbuf_free(&s);
    strbuf_free(&s2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup((const char *) data, size), *error = NULL;
    struct of_match m;

    if (of_match_parse(text, &m, NULL, NULL, &error)) {
        require(!error);
        check(&m);
    } else {
        require(error != NULL);
    }
    free(error);
    free(text);
    return 0;
}
