/* SPDX-License-Identifier: Apache-2.0 */
/* Actions from any text: what is taken is printed, and taken again to the same list.  Bytes
 * that start with 0 to 5 are a list on the wire instead (OpenFlow 1.0 to 1.5), which is
 * checked, printed, and taken back from its text. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "openflow/of-actions.h"
#include "util/xalloc.h"

static void
check(struct of_actions *acts)
{
    static const char *const matches[] = {"", "tcp,dl_vlan=3", "icmp6", "mpls", "arp"};
    struct of_actions_limits limits = {
        .max_ports = OFPP_MAX, .table_id = 0, .n_tables = 254, .max_meters = 1000};

    for (unsigned i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        struct of_match match;

        require(of_match_parse(matches[i], &match, NULL, NULL, NULL));
        limits.version = i % 2 ? 1 : 4;
        of_actions_check(acts->a, acts->len, &match, &limits);
    }
}

static void
from_wire(const uint8_t *data, size_t size)
{
    struct of_actions acts, back;
    struct strbuf s = STRBUF_INIT;

    if (!of_actions_decode((struct of_reader){data + 1, size - 1}, (uint8_t) (data[0] + 1),
                           OF_ACTS_APPLY, &acts)) {
        check(&acts);
        of_actions_format(acts.a, acts.len, NULL, &s);
        if (of_actions_parse(strbuf_cstr(&s), &back, NULL, NULL, NULL)) {
            of_actions_free(&back);
        }
    }
    of_actions_free(&acts);
    strbuf_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf s = STRBUF_INIT, s2 = STRBUF_INIT;
    struct of_actions acts, again;
    char *text, *error = NULL;

    if (size && data[0] < 6) {
        from_wire(data, size);
        return 0;
    }
    text = xstrndup((const char *) data, size);
    if (of_actions_parse(text, &acts, NULL, NULL, &error)) {
        require(!error);
        of_actions_format(acts.a, acts.len, NULL, &s);
        require(of_actions_parse(strbuf_cstr(&s), &again, NULL, NULL, NULL));
        of_actions_format(again.a, again.len, NULL, &s2);
        require(!strcmp(strbuf_cstr(&s), strbuf_cstr(&s2)));
        check(&acts);
        of_actions_free(&acts);
        of_actions_free(&again);
    } else {
        require(error && !acts.a);
        free(error);
    }
    free(text);
    strbuf_free(&s);
    strbuf_free(&s2);
    return 0;
}
