/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a flow: an error sentence, or a flow whose packet is that flow again.  The same
 * text as a filter of flows: a sentence, or values under their masks. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "flow/flow-filter.h"
#include "flow/flow-format.h"
#include "flow/flow-key.h"
#include "os/thread.h"
#include "util/xalloc.h"

static void
try_filter(const char *text)
{
    struct flow flow, mask;
    char *error = NULL;

    if (flow_filter_parse(text, &flow, &mask, NULL, NULL, &error)) {
        require(error != NULL);
        memset(&mask, 0, sizeof mask);
    }
    for (size_t i = 0; i < FLOW_WORDS; i++) {
        require(!(((const flow_word *) &flow)[i] & ~((const flow_word *) &mask)[i]));
    }
    free(error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool adopted;
    const struct flow_format_opts opts = {.verbose = true};
    char *text = xstrndup((const char *) data, size), *error = NULL;
    struct strbuf s = STRBUF_INIT;
    struct flow flow, again, mask;
    struct flow_key key;
    struct packet *p;

    if (!adopted) {
        adopted = true;
        thread_adopt("");
        arena_set_plan(64);
    }
    if (flow_parse(text, &flow, NULL, NULL, &error)) {
        require(error != NULL);
    } else {
        p = flow_compose(&flow, 0);
        require(p != NULL);
        flow_key_extract(p, &key);
        flow_key_expand(&key, &again);
        again.meta.packet_type = flow.meta.packet_type;
        require(flow_equal(&flow, &again));
        packet_free(p);
        flow_mask_init_minimal(&mask, &flow);
        flow_format(&s, &flow, &mask, &opts);
        require(s.len > 0);
    }
    try_filter(text);
    strbuf_free(&s);
    free(error);
    free(text);
    return 0;
}
