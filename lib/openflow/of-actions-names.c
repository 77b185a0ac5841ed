/* SPDX-License-Identifier: Apache-2.0 */
/* The names of actions as the stock tools write them (ovs-actions(7)), for the printer and the
 * parser.  Pure data: any thread. */

#include "openflow/of-actions-text.h"

#include <string.h>
#include <strings.h>
#include "util/compiler.h"

#define U32 UINT32_MAX

/* Of names with the same type and form the first is printed, the others only understood. */
static const struct of_act_name table[] = {
    {"output", OFA_OUTPUT, 0, OF_ARG_OWN, 0},
    {"output", OFA_OUTPUT_REG, 0, OF_ARG_OWN, 0},
    {"output", OFA_OUTPUT_TRUNC, 0, OF_ARG_OWN, 0},
    {"controller", OFA_CONTROLLER, 0, OF_ARG_OWN, 0},
    {"enqueue", OFA_ENQUEUE, 0, OF_ARG_OWN, 0},
    {"group", OFA_GROUP, 0, OF_ARG_DEC, U32},
    {"bundle", OFA_BUNDLE, 0, OF_ARG_OWN, 0},
    {"bundle_load", OFA_BUNDLE, 1, OF_ARG_OWN, 0},
    {"set_field", OFA_SET_FIELD, 0, OF_ARG_OWN, 0},
    {"load", OFA_LOAD, 0, OF_ARG_OWN, 0},
    {"move", OFA_MOVE, 0, OF_ARG_OWN, 0},
    {"push", OFA_PUSH, 0, OF_ARG_OWN, 0},
    {"pop", OFA_POP, 0, OF_ARG_OWN, 0},
    {"mod_dl_src", OFA_SET_ETH_SRC, 0, OF_ARG_ETH, 0},
    {"mod_dl_dst", OFA_SET_ETH_DST, 0, OF_ARG_ETH, 0},
    {"set_vlan_vid", OFA_SET_VLAN_VID, 0, OF_ARG_VLAN, 0xfff},
    {"mod_vlan_vid", OFA_SET_VLAN_VID, 1, OF_ARG_VLAN, 0xfff},
    {"set_vlan_pcp", OFA_SET_VLAN_PCP, 0, OF_ARG_VLAN, 7},
    {"mod_vlan_pcp", OFA_SET_VLAN_PCP, 1, OF_ARG_VLAN, 7},
    {"strip_vlan", OFA_STRIP_VLAN, 0, OF_ARG_NONE, 0},
    {"pop_vlan", OFA_STRIP_VLAN, 1, OF_ARG_NONE, 0},
    {"push_vlan", OFA_PUSH_VLAN, 0, OF_ARG_HEX, 0xffff},
    {"mod_nw_src", OFA_SET_IPV4_SRC, 0, OF_ARG_IPV4, U32},
    {"mod_nw_dst", OFA_SET_IPV4_DST, 0, OF_ARG_IPV4, U32},
    {"mod_nw_tos", OFA_SET_IP_DSCP, 0, OF_ARG_DEC, 0xfc},
    {"mod_nw_ecn", OFA_SET_IP_ECN, 0, OF_ARG_DEC, 3},
    {"mod_nw_ttl", OFA_SET_IP_TTL, 0, OF_ARG_DEC, 0xff},
    {"set_nw_ttl", OFA_SET_IP_TTL, 0, OF_ARG_DEC, 0xff},
    {"mod_tp_src", OFA_SET_L4_SRC, 0, OF_ARG_DEC, 0xffff},
    {"mod_tp_dst", OFA_SET_L4_DST, 0, OF_ARG_DEC, 0xffff},
    {"dec_ttl", OFA_DEC_TTL, 0, OF_ARG_OWN, 0},
    {"set_mpls_label", OFA_SET_MPLS_LABEL, 0, OF_ARG_PAREN, 0xfffff},
    {"set_mpls_tc", OFA_SET_MPLS_TC, 0, OF_ARG_PAREN, 7},
    {"set_mpls_ttl", OFA_SET_MPLS_TTL, 0, OF_ARG_PAREN, 0xff},
    {"dec_mpls_ttl", OFA_DEC_MPLS_TTL, 0, OF_ARG_NONE, 0},
    {"push_mpls", OFA_PUSH_MPLS, 0, OF_ARG_HEX4, 0xffff},
    {"pop_mpls", OFA_POP_MPLS, 0, OF_ARG_HEX4, 0xffff},
    {"set_tunnel", OFA_SET_TUNNEL, 0, OF_ARG_HEX, UINT64_MAX},
    {"set_tunnel64", OFA_SET_TUNNEL, 1, OF_ARG_HEX, UINT64_MAX},
    {"set_queue", OFA_SET_QUEUE, 0, OF_ARG_DEC, U32},
    {"pop_queue", OFA_POP_QUEUE, 0, OF_ARG_NONE, 0},
    {"resubmit", OFA_RESUBMIT, 0, OF_ARG_OWN, 0},
    {"learn", OFA_LEARN, 0, OF_ARG_OWN, 0},
    {"conjunction", OFA_CONJUNCTION, 0, OF_ARG_OWN, 0},
    {"multipath", OFA_MULTIPATH, 0, OF_ARG_OWN, 0},
    {"fin_timeout", OFA_FIN_TIMEOUT, 0, OF_ARG_OWN, 0},
    {"note", OFA_NOTE, 0, OF_ARG_OWN, 0},
    {"exit", OFA_EXIT, 0, OF_ARG_NONE, 0},
    {"clone", OFA_CLONE, 0, OF_ARG_OWN, 0},
    {"check_pkt_larger", OFA_CHECK_PKT_LARGER, 0, OF_ARG_OWN, 0},
    {"meter", OFA_METER, 0, OF_ARG_DEC, U32},
    {"clear_actions", OFA_CLEAR_ACTIONS, 0, OF_ARG_NONE, 0},
    {"write_actions", OFA_WRITE_ACTIONS, 0, OF_ARG_OWN, 0},
    {"write_metadata", OFA_WRITE_METADATA, 0, OF_ARG_OWN, 0},
    {"goto_table", OFA_GOTO_TABLE, 0, OF_ARG_TABLE, 0xff},
};

unsigned
of_act_text_form(const struct of_act *a)
{
    switch (a->type) {
    case OFA_BUNDLE:
        return ((const struct of_act_bundle *) (const void *) a)->dst.n_bits != 0;
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
        return ((const struct of_act_vlan *) (const void *) a)->push_if_needed;
    default:
        return a->form;
    }
}

const struct of_act_name *
of_act_name_by_type(enum of_act_type type, unsigned form)
{
    const struct of_act_name *found = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        if (table[i].type == type) {
            if (table[i].form == form) {
                return &table[i];
            }
            found = found ? found : &table[i];
        }
    }
    return found;
}

const struct of_act_name *
of_act_name_find(const char *name, size_t len)
{
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        if (strlen(table[i].name) == len && !strncasecmp(table[i].name, name, len)) {
            return &table[i];
        }
    }
    return NULL;
}

const char *
of_packet_in_reason_name(unsigned reason)
{
    static const char *const names[OFPR_N] = {"no_match",   "action", "invalid_ttl",
                                              "action_set", "group",  "packet_out"};

    return reason < OFPR_N ? names[reason] : NULL;
}

const char *const of_multipath_algorithms[OF_MP_ALGORITHMS] = {"modulo_n", "hash_threshold",
                                                               "hrw", "iter_hash"};
const char *const of_bundle_algorithms[2] = {"active_backup", "hrw"};
