/* SPDX-License-Identifier: Apache-2.0 */
/* Actions from any bytes: what is accepted is printed, encoded, and decoded to what encodes to
 * the same bytes; encoding for every other version gives something that decodes, too.  The
 * first byte chooses version and kind. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "openflow/of-actions.h"

/* Encodes for `version` (which may say it by other actions), decodes, encodes again: the same.
 */
static void
round_trip(const struct of_actions *acts, uint8_t version, enum of_acts_kind kind)
{
    struct of_buf b = OF_BUF_INIT, b2 = OF_BUF_INIT;
    struct of_actions back;

    of_actions_encode(&b, acts->a, acts->len, version, kind);
    require(b.len % 8 == 0);
    if (b.len > UINT16_MAX) { /* no message could hold it */
        of_buf_free(&b);
        return;
    }
    require(!of_actions_decode((struct of_reader){b.data, b.len}, version, kind, &back));
    of_actions_encode(&b2, back.a, back.len, version, kind);
    require(b.len == b2.len && (!b.len || !memcmp(b.data, b2.data, b.len)));
    of_actions_free(&back);
    of_buf_free(&b);
    of_buf_free(&b2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct of_actions_limits limits = {
        .max_ports = 0xff00, .table_id = 1, .n_tables = 200, .max_meters = 9, .version = 4};
    struct strbuf s = STRBUF_INIT;
    struct of_actions acts, copy;
    struct of_match match;
    enum of_acts_kind kind;
    uint8_t version;

    if (!size) {
        return 0;
    }
    version = (uint8_t) (1 + data[0] % 6);
    kind = data[0] & 0x80 ? OF_ACTS_INSTRUCTIONS : OF_ACTS_APPLY;
    if (of_actions_decode((struct of_reader){data + 1, size - 1}, version, kind, &acts)) {
        require(!acts.len && !acts.a);
        return 0;
    }
    of_actions_format(acts.a, acts.len, NULL, &s);
    round_trip(&acts, version, kind);
    of_actions_clone(&copy, acts.a, acts.len);
    of_match_init(&match);
    of_match_set_u64(&match, OFF_ETH_TYPE, 0x0800);
    of_match_set_u64(&match, OFF_IP_PROTO, 6);
    if (!of_actions_check(copy.a, copy.len, &match, &limits)) {
        for (uint8_t v = 1; v <= 6; v++) {
            round_trip(&copy, v, OF_ACTS_INSTRUCTIONS);
        }
    }
    of_actions_output_to_group(acts.a, acts.len, 1);
    of_actions_output_to_port(acts.a, acts.len, 1);
    of_actions_free(&copy);
    of_actions_free(&acts);
    strbuf_free(&s);
    return 0;
}
