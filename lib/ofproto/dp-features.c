/* SPDX-License-Identifier: Apache-2.0 */
/* The table of datapath features and its text.  Called by the dpif/... control commands and
 * whoever decides by a feature, on main.  Must not know bridges. */

#include "ofproto/dp-features.h"

#include <string.h>
#include "datapath/dp-hash.h"
#include "flow/flow-key.h"
#include "util/compiler.h"
#include "util/num.h"

static const struct feature_desc {
    const char *name, *title;
    bool is_number;
    unsigned boot;
} features[DPF_N] = {
    [DPF_MASKED_SET_ACTION] = {"masked_set_action", "Masked set action", false, 1},
    [DPF_TNL_PUSH_POP] = {"tnl_push_pop", "Tunnel push pop", false, 0},
    [DPF_UFID] = {"ufid", "Ufid", false, 1},
    [DPF_TRUNC] = {"trunc", "Truncate action", false, 1},
    [DPF_CLONE] = {"clone", "Clone action", false, 1},
    [DPF_SAMPLE_NESTING] = {"sample_nesting", "Sample nesting", true, 0},
    [DPF_CT_EVENTMASK] = {"ct_eventmask", "Conntrack eventmask", false, 0},
    [DPF_CT_CLEAR] = {"ct_clear", "Conntrack clear", false, 0},
    [DPF_MAX_HASH_ALG] = {"max_hash_alg", "Max dp_hash algorithm", true, DP_HASH_ALG_N - 1},
    [DPF_CHECK_PKT_LEN] = {"check_pkt_len", "Check pkt length action", false, 1},
    [DPF_CT_TIMEOUT] = {"ct_timeout", "Conntrack timeout policy", false, 0},
    [DPF_EXPLICIT_DROP_ACTION] = {"explicit_drop_action", "Explicit Drop action", false, 0},
    [DPF_LB_OUTPUT_ACTION] = {"lb_output_action", "Optimized Balance TCP mode", false, 0},
    [DPF_CT_ZERO_SNAT] = {"ct_zero_snat", "Conntrack all-zero IP SNAT", false, 0},
    [DPF_ADD_MPLS] = {"add_mpls", "MPLS Label add", false, 0},
    [DPF_MAX_VLAN_HEADERS] = {"max_vlan_headers", "Max VLAN headers", true, FLOW_MAX_VLANS},
    [DPF_MAX_MPLS_DEPTH] = {"max_mpls_depth", "Max MPLS depth", true, FLOW_MAX_MPLS},
    [DPF_RECIRC] = {"recirc", "Recirc", false, 1},
    [DPF_CT_STATE] = {"ct_state", "CT state", false, 0},
    [DPF_CT_ZONE] = {"ct_zone", "CT zone", false, 0},
    [DPF_CT_MARK] = {"ct_mark", "CT mark", false, 0},
    [DPF_CT_LABEL] = {"ct_label", "CT label", false, 0},
    [DPF_CT_STATE_NAT] = {"ct_state_nat", "CT state NAT", false, 0},
    [DPF_CT_ORIG_TUPLE] = {"ct_orig_tuple", "CT orig tuple", false, 0},
    [DPF_CT_ORIG_TUPLE6] = {"ct_orig_tuple6", "CT orig tuple for IPv6", false, 0},
    [DPF_ND_EXT] = {"nd_ext", "IPv6 ND Extension", false, 1},
};

static const char no_such_feature[] = "Unexpected support field";

void
dp_features_init(struct dp_features *f)
{
    for (unsigned i = 0; i < DPF_N; i++) {
        f->boot[i] = features[i].boot;
    }
    f->boot[DPF_MAX_VLAN_HEADERS] = flow_key_vlan_limit();
    memcpy(f->now, f->boot, sizeof f->now);
}

static void
put_value(struct strbuf *s, unsigned i, unsigned value, const char *no, const char *yes)
{
    if (features[i].is_number) {
        strbuf_putf(s, "%u", value);
    } else {
        strbuf_puts(s, value ? yes : no);
    }
}

void
dp_features_show(struct strbuf *s, const struct dp_features *f)
{
    for (unsigned i = 0; i < DPF_N; i++) {
        strbuf_putf(s, "%s: ", features[i].title);
        put_value(s, i, f->boot[i], "No", "Yes");
        strbuf_putc(s, '\n');
    }
}

bool
dp_features_list(struct strbuf *s, const struct dp_features *f, const char *name)
{
    bool found = false;

    for (unsigned i = 0; i < DPF_N; i++) {
        if (name && strcmp(name, features[i].name)) {
            continue;
        }
        found = true;
        strbuf_putf(s, "%s (%s) : [run time]:", features[i].name, features[i].title);
        put_value(s, i, f->now[i], "false", "true");
        strbuf_puts(s, ", [boot time]:");
        put_value(s, i, f->boot[i], "false", "true");
        strbuf_putc(s, '\n');
    }
    if (!found) {
        strbuf_putf(s, "%s\n", no_such_feature);
    }
    return found;
}

const char *
dp_features_set(struct dp_features *f, const char *name, const char *text)
{
    unsigned i = 0;
    uint64_t number;
    bool flag;

    while (i < DPF_N && strcmp(name, features[i].name)) {
        i++;
    }
    if (i == DPF_N) {
        return no_such_feature;
    }
    if (features[i].is_number) {
        if (!num_parse_u64(text, 0, UINT64_MAX, &number)) {
            return "Integer number expected";
        }
    } else {
        if (!num_parse_bool(text, &flag)) {
            return "Boolean value expected";
        }
        number = flag;
    }
    if (number > f->boot[i]) {
        return "Can not set value beyond the datapath capability";
    }
    f->now[i] = (unsigned) number;
    return NULL;
}
