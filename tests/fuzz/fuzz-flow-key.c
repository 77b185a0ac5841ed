/* SPDX-License-Identifier: Apache-2.0 */
/* Extraction from any bytes: no read outside (the packet is malloc'ed to measure, for ASan),
 * and a key that says what it holds. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "flow/flow-key.h"
#include "packet/packet-ops.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flow_key key, back;
    struct flow flow, mask;
    struct packet *p;
    unsigned n = 0;
    void *block;

    if (size > 4096 || posix_memalign(&block, 64, sizeof *p + size)) {
        return 0;
    }
    p = block;
    packet_init_rx(p, sizeof *p, (uint16_t) size);
    if (size) {
        memcpy(packet_data(p), data, size);
    }
    flow_key_extract(p, &key);
    for (unsigned s = 0; s < FS_N; s++) {
        n += key.sections & FS_BIT(s) ? flow_section_words[s] : 0;
    }
    require(n == key.n_words && n <= FLOW_KEY_MAX_WORDS);
    require(p->l4_ofs == PACKET_OFS_NONE ||
            (p->l3_ofs < p->l4_ofs && p->l4_ofs + p->l4_len <= p->len));
    flow_key_expand(&key, &flow);
    flow_key_from_flow(&flow, &back);
    require(flow_key_equal(&key, &back));
    flow_mask_init_minimal(&mask, &flow);
    flow_mask_clip(&mask, &flow);
    require(flow_matches(&flow, &flow, &mask));
    packet_complete_csum(p);
    packet_fill_csums(p);
    flow_key_extract(p, &back);
    require(flow_key_equal(&key, &back)); /* checksums are not part of the key */
    free(block);
    return 0;
}
