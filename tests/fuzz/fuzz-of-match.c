/* SPDX-License-Identifier: Apache-2.0 */
/* Matches from any bytes: what is accepted is encoded and decoded to the same match.  The first
 * byte chooses the form: 0 OpenFlow 1.0, 1 to 5 OpenFlow 1.1 to 1.5, others NXM. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "openflow/of-match.h"

static enum of_err
decode(unsigned form, struct of_reader r, bool loose, struct of_match *m)
{
    uint64_t cookie, mask;

    switch (form) {
    case 0:
        return of_match_decode_ofp10(&r, m);
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
        return of_match_decode(&r, (uint8_t) (form + 1), loose, m);
    default:
        return of_match_decode_nxm(&r, r.len & ~(size_t) 7, loose, m, &cookie, &mask);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct of_match m, back, again;
    struct of_buf b = OF_BUF_INIT, b2 = OF_BUF_INIT;
    struct strbuf s = STRBUF_INIT;
    unsigned form;
    size_t len;

    if (!size) {
        return 0;
    }
    form = data[0] % 7;
    decode(form, (struct of_reader){data + 1, size - 1}, true, &m);
    of_match_format(&m, -1, NULL, &s);
    if (!decode(form, (struct of_reader){data + 1, size - 1}, false, &m)) {
        for (unsigned i = 0; i < FLOW_WORDS; i++) {
            require(!(((flow_word *) &m.flow)[i] & ~((flow_word *) &m.mask)[i]));
        }
        /* NXM loses nothing. */
        len = of_match_encode_nxm(&b, 0, &m, 0, 0);
        require(!of_match_decode_nxm(&(struct of_reader){b.data, b.len}, len, false, &back,
                                     NULL, NULL));
        require(of_match_equal(&m, &back) || form == 0 || form == 1);
        /* Any other form comes to rest after one round. */
        for (uint8_t v = 2; v <= 6; v++) {
            of_buf_clear(&b);
            of_match_encode(&b, v, &m);
            require(!of_match_decode(&(struct of_reader){b.data, b.len}, v, false, &back));
            of_buf_clear(&b2);
            of_match_encode(&b2, v, &back);
            require(!of_match_decode(&(struct of_reader){b2.data, b2.len}, v, false, &again));
            require(of_match_equal(&back, &again));
        }
        of_match_normalize(&m);
        of_match_format(&m, 5, NULL, &s);
    }
    strbuf_free(&s);
    of_buf_free(&b);
    of_buf_free(&b2);
    return 0;
}
