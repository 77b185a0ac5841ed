/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_XLATE_RANDOM_H
#define XVS_TESTS_XLATE_RANDOM_H 1

/* Random packets, matches and actions, out of few values, so that rules match.  For
 * test-xlate-diff, which includes it once. */

#include "xlate-reference.h"

static uint32_t
rnd(uint32_t n)
{
    return (uint32_t) rand() % n;
}

static void
random_flow(struct flow *f)
{
    memset(f, 0, sizeof *f);
    f->meta.in_port = 1 + rnd(N_PORTS);
    f->eth.src.ea[5] = (uint8_t) rnd(3);
    f->eth.dst.ea[5] = (uint8_t) rnd(3);
    if (!rnd(2)) {
        f->vlan.tag[0].tpid_be = htons(0x8100);
        f->vlan.tag[0].tci_be = htons((uint16_t) (0x1000 | rnd(3) | rnd(2) << 13));
    }
    f->eth.type_be = htons(rnd(5) ? 0x0800 : 0x1234);
    if (f->eth.type_be == htons(0x0800)) {
        f->ip.proto = (uint8_t) (rnd(3) ? 6 : rnd(2) ? 17 : 47);
        f->ip.tos = (uint8_t) (rnd(2) << 2);
        f->ip.ttl = (uint8_t) (1 + rnd(3));
        f->ipv4.src_be = htonl(0x0a000000 | rnd(2) << 16 | rnd(4));
        f->ipv4.dst_be = htonl(0x0a000000 | rnd(2) << 16 | rnd(4));
        if (f->ip.proto != 47) {
            f->l4.src_be = htons((uint16_t) rnd(3));
            f->l4.dst_be = htons((uint16_t) rnd(3));
        }
    }
    flow_imply_sections(f);
}

static void
random_match(struct of_match *m, uint8_t table)
{
    struct flow f;

    of_match_init(m);
    random_flow(&f);
    if (!rnd(5)) {
        of_match_set_u64(m, OFF_IN_PORT, f.meta.in_port);
    }
    if (!rnd(6)) {
        struct of_value v, mask = {{0}};

        of_field_get(rnd(2) ? OFF_ETH_SRC : OFF_ETH_DST, &f, &v);
        mask.b[5] = (uint8_t) (1 + rnd(3));
        v.b[5] &= mask.b[5];
        of_match_set(m, rnd(2) ? OFF_ETH_SRC : OFF_ETH_DST, &v, &mask);
    }
    if (!rnd(5)) {
        of_match_set_u64(m, OFF_VLAN_TCI, tagged(&f) ? ntohs(f.vlan.tag[0].tci_be) : 0);
    }
    if (table && !rnd(4)) {
        of_match_set_u64(m, (enum of_field)(OFF_REG0 + rnd(2)), rnd(3));
    }
    if (table && !rnd(6)) {
        of_match_set_u64(m, OFF_METADATA, rnd(2));
    }
    if (rnd(2)) {
        of_match_set_u64(m, OFF_ETH_TYPE, 0x0800);
        if (!rnd(4)) {
            struct of_value v = of_value_from_u64(OFF_IPV4_DST, ntohl(f.ipv4.dst_be));
            struct of_value mask =
                of_value_from_u64(OFF_IPV4_DST, UINT32_MAX << (rnd(3)   ? 0
                                                               : rnd(2) ? 8
                                                                        : 17));

            for (unsigned i = 0; i < 4; i++) {
                v.b[i] &= mask.b[i];
            }
            of_match_set(m, rnd(2) ? OFF_IPV4_DST : OFF_IPV4_SRC, &v, &mask);
        }
        if (!rnd(6)) {
            of_match_set_u64(m, OFF_IP_TTL, 1 + rnd(2));
        }
        if (!rnd(3)) {
            of_match_set_u64(m, OFF_IP_PROTO, 6);
            if (rnd(2)) {
                of_match_set_u64(m, rnd(2) ? OFF_TCP_SRC : OFF_TCP_DST, rnd(3));
            }
        }
    }
}

static void
put_num(struct of_actions *l, enum of_act_type type, uint64_t num)
{
    struct of_act_num *a = of_actions_put(l, type, sizeof *a);

    a->num = num;
}

static void
put_set(struct of_actions *l, enum of_act_type type, enum of_field f, uint64_t v)
{
    struct of_act_set_field *a = of_actions_put(l, type, sizeof *a);

    a->dst = of_subfield_whole(f);
    a->value = of_value_from_u64(f, v);
    of_field_ones(f, &a->mask);
}

static void
put_vlan(struct of_actions *l, enum of_act_type type, uint16_t v, bool push)
{
    struct of_act_vlan *a = of_actions_put(l, type, sizeof *a);

    a->value = v;
    a->push_if_needed = push;
}

static uint16_t
random_port(void)
{
    static const uint16_t special[] = {OFPP_IN_PORT, OFPP_ALL, OFPP_CONTROLLER};

    return rnd(5) ? (uint16_t) (1 + rnd(N_PORTS + 1)) : special[rnd(3)];
}

static void
put_random_set(struct of_actions *l)
{
    static const enum of_field f[] = {OFF_ETH_SRC,  OFF_ETH_DST, OFF_IPV4_SRC, OFF_IPV4_DST,
                                      OFF_IP_TTL,   OFF_TCP_DST, OFF_REG0,     OFF_REG0 + 1,
                                      OFF_PKT_MARK, OFF_IP_DSCP, OFF_VLAN_VID, OFF_UDP_SRC};
    enum of_field which = f[rnd(ARRAY_SIZE(f))];

    put_set(l, OFA_SET_FIELD, which, which == OFF_VLAN_VID ? 0x1000 | rnd(3) : rnd(3));
}

/* Lists nest a little; `set`: only what an action set may hold. */
static void
random_actions(struct of_actions *l, uint8_t table, unsigned depth, bool set)
{
    unsigned n = 1 + rnd(set ? 3 : 5);

    for (unsigned i = 0; i < n; i++) {
        switch (rnd(set ? 6 : 20)) {
        case 0:
        case 1:
            of_actions_put_output(l, random_port(), UINT16_MAX);
            break;
        case 2:
            put_random_set(l);
            break;
        case 3:
            of_actions_put(l, OFA_STRIP_VLAN, sizeof(struct of_act));
            break;
        case 4:
            ((struct of_act_dec_ttl *) of_actions_put(
                 l, OFA_DEC_TTL, sizeof(struct of_act_dec_ttl) + sizeof(uint16_t)))
                ->n_controllers = 1;
            break;
        case 5:
            if (set && depth) {
                break;
            }
            put_num(l, OFA_GROUP, rnd(N_GROUPS + 1));
            break;
        case 6:
            put_num(l, OFA_PUSH_VLAN, 0x8100);
            break;
        case 7:
            put_vlan(l, OFA_SET_VLAN_VID, (uint16_t) rnd(3), rnd(2));
            break;
        case 8:
            put_vlan(l, OFA_SET_VLAN_PCP, (uint16_t) rnd(2), rnd(2));
            break;
        case 9:
        case 10: {
            struct of_act_resubmit *a = of_actions_put(l, OFA_RESUBMIT, sizeof *a);

            a->table = (uint8_t) (rnd(8) ? table + 1 + rnd(2) : rnd(N_TABLES));
            a->in_port = rnd(4) ? OFPP_IN_PORT : (uint16_t) (1 + rnd(N_PORTS));
            break;
        }
        case 11: {
            struct of_act_move *a = of_actions_put(l, OFA_MOVE, sizeof *a);
            bool mac = rnd(2);

            a->src = (struct of_subfield){mac ? OFF_ETH_SRC : OFF_IPV4_SRC, 0, 8};
            a->dst =
                (struct of_subfield){(uint16_t) (OFF_REG0 + rnd(2)), (uint8_t) (rnd(2) * 8), 8};
            break;
        }
        case 12: {
            struct of_act_move *a = of_actions_put(l, OFA_MOVE, sizeof *a);

            a->src = (struct of_subfield){OFF_REG0, 0, 2};
            a->dst = (struct of_subfield){rnd(2) ? OFF_ETH_DST : OFF_IPV4_DST, 0, 2};
            break;
        }
        case 13: {
            struct of_act_stack *a = of_actions_put(l, rnd(2) ? OFA_PUSH : OFA_POP, sizeof *a);

            a->sub = (struct of_subfield){(uint16_t) (rnd(2) ? OFF_REG0 : OFF_ETH_SRC), 0, 8};
            break;
        }
        case 14:
            if (depth < 2) {
                struct of_actions inner = OF_ACTIONS_INIT;
                struct of_act_nest *a;

                random_actions(&inner, table, depth + 1, false);
                a = of_actions_put(l, OFA_CLONE, sizeof *a + inner.len);
                if (inner.len) {
                    memcpy(a->list, inner.a, inner.len);
                }
                of_actions_free(&inner);
            }
            break;
        case 15:
            if (!rnd(3)) {
                of_actions_put(l, OFA_EXIT, sizeof(struct of_act));
            }
            break;
        case 16: {
            struct of_act_output_reg *a = of_actions_put(l, OFA_OUTPUT_REG, sizeof *a);

            a->src = (struct of_subfield){OFF_REG0, 0, 2};
            a->max_len = UINT16_MAX;
            break;
        }
        case 17:
            if (!rnd(3)) {
                struct of_act_check_pkt_larger *a =
                    of_actions_put(l, OFA_CHECK_PKT_LARGER, sizeof *a);

                a->pkt_len = 100;
                a->dst = (struct of_subfield){OFF_REG0, 0, 1};
            }
            break;
        default:
            put_random_set(l);
            break;
        }
    }
}

/* The instructions behind the actions. */
static void
random_instructions(struct of_actions *l, uint8_t table)
{
    if (!rnd(8)) {
        of_actions_put(l, OFA_CLEAR_ACTIONS, sizeof(struct of_act));
    }
    if (!rnd(5)) {
        struct of_actions inner = OF_ACTIONS_INIT;
        struct of_act_nest *a;

        random_actions(&inner, table, 0, true);
        a = of_actions_put(l, OFA_WRITE_ACTIONS, sizeof *a + inner.len);
        if (inner.len) {
            memcpy(a->list, inner.a, inner.len);
        }
        of_actions_free(&inner);
    }
    if (!rnd(6)) {
        struct of_act_metadata *a = of_actions_put(l, OFA_WRITE_METADATA, sizeof *a);

        a->value = rnd(2);
        a->mask = 1;
    }
    if (table + 1u < N_TABLES && !rnd(3)) {
        put_num(l, OFA_GOTO_TABLE, table + 1u + rnd(N_TABLES - table - 1));
    }
}

#endif
