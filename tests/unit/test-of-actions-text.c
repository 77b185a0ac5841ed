/* SPDX-License-Identifier: Apache-2.0 */
/* Actions as people write them: every action that ovs-ofctl 3.1 prints is parsed and printed the
 * same, other spellings come out as it prints them, nonsense is refused; and what
 * of_actions_check() says to actions that do not suit their match, as ovs-ofctl says it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "of-action-vectors.h"
#include "openflow/of-actions.h"
#include "util/compiler.h"
#include "util/num.h"

static int
port_by_name(const char *name, void *aux)
{
    return !strcmp(name, "eth0") ? 3 : !strcmp(name, "veth 1") ? 4 : -1;
}

static const char *
port_name(uint16_t port, void *aux)
{
    return port == 3 ? "eth0" : port == 4 ? "veth 1" : NULL;
}

static const char *
table_name(uint8_t table, void *aux)
{
    return table == 5 ? "five" : NULL;
}

/* Prints what `text` is parsed to, and fails if it is not. */
static void
round_trip(const char *text, const struct of_names *names, struct strbuf *s)
{
    struct of_actions acts;
    char *error = NULL;

    strbuf_clear(s);
    if (!of_actions_parse(text, &acts, port_by_name, NULL, &error)) {
        fail_msg("%s: %s", text, error);
    }
    assert_null(error);
    of_actions_format(acts.a, acts.len, names, s);
    of_actions_free(&acts);
}

/* What stock prints is what stock takes; and the lists are those that the wire gives. */
static void
vectors(void **state)
{
    struct strbuf s = STRBUF_INIT;
    struct of_buf b = OF_BUF_INIT;

    for (unsigned i = 0; i < ARRAY_SIZE(action_vectors); i++) {
        const struct action_vector *v = &action_vectors[i];
        uint8_t bytes[1024];
        int n = *v->hex ? num_parse_hex(v->hex, bytes, sizeof bytes) : 0;
        struct of_actions acts;

        round_trip(v->text, NULL, &s);
        assert_string_equal(strbuf_cstr(&s), v->text);
        assert_true(of_actions_parse(v->text, &acts, NULL, NULL, NULL));
        of_buf_clear(&b);
        of_actions_encode(&b, acts.a, acts.len, (uint8_t) v->version, OF_ACTS_INSTRUCTIONS);
        if (b.len != (size_t) n || (n && memcmp(b.data, bytes, b.len))) {
            /* What 1.1+ makes of enqueue asks for all bytes in its output. */
            assert_string_equal(v->text, "set_queue:5,output:3,pop_queue");
        }
        of_actions_free(&acts);
    }
    strbuf_free(&s);
    of_buf_free(&b);
}

/* Other spellings: from left to right. */
static void
spellings(void **state)
{
    static const char *const pairs[][2] = {
        { "", "drop" },
        { " , ", "drop" },
        { "drop", "drop" },
        { "1 2\n3", "output:1,output:2,output:3" },
        { "1,,2", "output:1,output:2" },
        { "output(1)", "output:1" },
        { "in_port", "IN_PORT" },
        { "output:normal", "NORMAL" },
        { "65534", "LOCAL" },
        { "eth0", "output:3" },
        { "\"veth 1\"", "output:4" },
        { "output:eth0", "output:3" },
        { "CONTROLLER", "CONTROLLER:65535" },
        { "output:controller", "CONTROLLER:65535" },
        { "controller()", "CONTROLLER:65535" },
        { "controller(max_len=128)", "CONTROLLER:128" },
        { "controller(reason=action,max_len=65535)", "CONTROLLER:65535" },
        { "controller(userdata=0102.03,id=7)", "controller(id=7,userdata=01.02.03)" },
        { "output:reg0[0..15]", "output:NXM_NX_REG0[0..15]" },
        { "output(max_len=100,port=in_port)", "output(port=IN_PORT,max_len=100)" },
        { "enqueue(1,5)", "enqueue:1:5" },
        { "group(5)", "group:5" },
        { "bundle(eth_src,50,hrw,ofport,slaves:2,3)",
          "bundle(eth_src,50,hrw,ofport,members:2,3)" },
        { "bundle(eth_src, 50, hrw, ofport, members:any)",
          "bundle(eth_src,50,hrw,ofport,members:ANY)" },
        { "bundle_load(symmetric_l4,60,hrw,ofport,reg0[],members:2)",
          "bundle_load(symmetric_l4,60,hrw,ofport,NXM_NX_REG0[],members:2)" },
        { "multipath(nw_src, 1024, hrw, 65536, 5, reg0[0..15])",
          "multipath(nw_src,1024,hrw,65536,5,NXM_NX_REG0[0..15])" },
        { "set_field:10.0.0.1->nw_src", "set_field:10.0.0.1->ip_src" },
        { "set_field:10.0.0.1/24->NXM_OF_IP_SRC", "set_field:10.0.0.0/24->ip_src" },
        { "set_field:5->vlan_vid", "set_field:4101->vlan_vid" },
        { "set_field:LOCAL->in_port", "set_field:LOCAL->in_port" },
        { "set_field:65534->in_port", "set_field:LOCAL->in_port" },
        { "set_field:16/0xf0->reg0", "set_field:0x10/0xf0->reg0" },
        { "set_field:0x123456789abcdef0123456789abcdef0->xxreg0",
          "set_field:0x123456789abcdef0123456789abcdef0->xxreg0" },
        { "load:5->reg0[0..15]", "load:0x5->NXM_NX_REG0[0..15]" },
        { "load:0x0a000001->ip_src[]", "load:0xa000001->NXM_OF_IP_SRC[]" },
        { "load:0xffff->xxreg0[64..127]", "load:0xffff->NXM_NX_XXREG0[64..127]" },
        { "load:0->reg3[7]", "load:0->NXM_NX_REG3[7]" },
        { "move:eth_src[]->eth_dst[]", "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]" },
        { "push:reg0[],pop:reg2[]", "push:NXM_NX_REG0[],pop:NXM_NX_REG2[]" },
        { "set_vlan_vid(5)", "set_vlan_vid:5" },
        { "mod_vlan_vid=5", "mod_vlan_vid:5" },
        { "set_nw_ttl:5", "mod_nw_ttl:5" },
        { "set_mpls_label:10,set_mpls_tc:3", "set_mpls_label(10),set_mpls_tc(3)" },
        { "push_vlan:33024", "push_vlan:0x8100" },
        { "pop_mpls:0x800", "pop_mpls:0x0800" },
        { "dec_ttl()", "dec_ttl" },
        { "dec_ttl(1, 2)", "dec_ttl(1,2)" },
        { "set_tunnel:0x123456789", "set_tunnel64:0x123456789" },
        { "set_tunnel:0", "set_tunnel:0" },
        { "resubmit(1,)", "resubmit:1" },
        { "resubmit(in_port,5)", "resubmit(,5)" },
        { "resubmit(1,255)", "resubmit:1" },
        { "resubmit(,5,ct)", "resubmit(,5,ct)" },
        { "resubmit(3,255,ct)", "resubmit(3,,ct)" },
        { "conjunction(0xffffffff,3/64)", "conjunction(4294967295,3/64)" },
        { "fin_timeout(hard_timeout=6,idle_timeout=5)",
          "fin_timeout(idle_timeout=5,hard_timeout=6)" },
        { "fin_timeout()", "fin_timeout()" },
        { "note:", "note:00.00.00.00.00.00" },
        { "note:0011.22", "note:00.11.22.00.00.00" },
        { "note:00.11.22.33.44.55.66", "note:00.11.22.33.44.55.66.00.00.00.00.00.00.00" },
        { "clone()", "clone(drop)" },
        { "clone(1,clone(2,load:1->reg0[]),3),4",
          "clone(output:1,clone(output:2,load:0x1->NXM_NX_REG0[]),output:3),output:4" },
        { "check_pkt_larger(1500)->reg0[0]", "check_pkt_larger(1500)->NXM_NX_REG0[0]" },
        { "write_actions()", "write_actions(drop)" },
        { "write_metadata:5/0xff", "write_metadata:0x5/0xff" },
        { "write_metadata:0xffffffffffffffff", "write_metadata:0xffffffffffffffff" },
        { "meter:3,output:1,clear_actions,write_actions(2),write_metadata:3/7,goto_table:9",
          "meter:3,output:1,clear_actions,write_actions(output:2),write_metadata:0x3/0x7,"
          "goto_table:9" },
        { "learn()", "learn(table=1)" },
        { "learn(eth_type=0x800,nw_frag=later,nw_proto=6,tcp_flags=syn,tcp_flags=syn|ack)",
          "learn(table=1,eth_type=0x800,ip_frag=later,nw_proto=6,tcp_flags=syn,"
          "tcp_flags=syn|ack)" },
        { "learn(cookie=0,priority=32768,limit=0)", "learn(table=1)" },
        { "learn(table=0,result_dst=reg0[3],delete_learned,limit=7,cookie=6,send_flow_rem,"
          "priority=5,fin_hard_timeout=4,fin_idle_timeout=3,hard_timeout=2,idle_timeout=1)",
          "learn(table=0,idle_timeout=1,hard_timeout=2,fin_idle_timeout=3,fin_hard_timeout=4,"
          "priority=5,send_flow_rem,delete_learned,cookie=0x6,limit=7,"
          "result_dst=NXM_NX_REG0[3])" },
        { "learn(NXM_OF_VLAN_TCI[0..11],eth_dst=eth_src,NXM_OF_ETH_SRC[],output:in_port)",
          "learn(table=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
          "NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])" },
        { "learn(eth_dst[]=00:11:22:33:44:55,eth_dst[0..7]=5,reg0=0,reg1[0..3]=0)",
          "learn(table=1,eth_dst=00:11:22:33:44:55,NXM_OF_ETH_DST[0..7]=0x5,reg0=0,"
          "NXM_NX_REG1[0..3]=0)" },
        { "learn(dl_type=0x800,nw_proto=6,ip_dst=10.0.0.1,tcp_dst=80,in_port=LOCAL,"
          "load:0x123456789abcdef0123->xxreg0[],load:reg0[0..3]->reg1[4..7])",
          "learn(table=1,eth_type=0x800,nw_proto=6,ip_dst=10.0.0.1,tcp_dst=80,in_port=LOCAL,"
          "load:0x123456789abcdef0123->NXM_NX_XXREG0[],"
          "load:NXM_NX_REG0[0..3]->NXM_NX_REG1[4..7])" },
    };
    struct strbuf s = STRBUF_INIT;

    for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
        round_trip(pairs[i][0], NULL, &s);
        assert_string_equal(strbuf_cstr(&s), pairs[i][1]);
    }
    strbuf_free(&s);
}

static void
refused(void **state)
{
    static const char *const texts[] = {
        "foo", "foo:1", "65527", "unset", "output", "output:", "output:nobody", "1,drop", "output:1)", "clone(1",
        "output(port=3)", "output(port=3,max_len=13)", "output(port=x,max_len=100)",
        "output(port=3,max_len=100,x=1)", "output(port=none,max_len=100)", "output:reg0[",
        "output:reg0[0..32]", "enqueue:1", "enqueue:x:1", "group:", "group:-1",
        "group:4294967296", "controller(reason=foo)", "controller(max_len=70000)",
        "controller(id=x)", "controller(x=1)", "controller(userdata=1)", "controller(foo)",
        "controller:70000", "bundle()", "bundle(eth_src)", "bundle(foo,1,hrw,ofport,members:1)",
        "bundle(eth_src,1,foo,ofport,members:1)", "bundle(eth_src,1,hrw,foo,members:1)",
        "bundle(eth_src,1,hrw,ofport,foo:1)", "bundle(eth_src,1,hrw,ofport,members:x)",
        "bundle(eth_src,x,hrw,ofport,members:1)",
        "bundle_load(eth_src,0,hrw,ofport,reg0[0..3],members:1)",
        "bundle_load(eth_src,0,hrw,ofport,members:1)", "multipath()",
        "multipath(eth_src,50,modulo_n,5,0,reg0[0..1])",
        "multipath(eth_src,50,modulo_n,0,0,reg0[])",
        "multipath(eth_src,50,modulo_n,65537,0,reg0[])",
        "multipath(eth_src,50,modulo_n,1,x,reg0[])", "multipath(eth_src,50,modulo_n,1,0)",
        "set_field:1", "set_field:1->", "set_field:1->foo", "set_field:1->reg0[]",
        "set_field:x->reg0", "set_field:1->eth_type", "set_field:5->dl_vlan",
        "set_field:1/3->nw_ttl", "set_field:1/0->reg0", "set_field:256->nw_ttl", "set_field:0x1ffffffff->reg0",
        "load:1", "load:16->reg0[0..3]", "load:1/1->reg0[]", "load:x->reg0[]",
        "load:1->dp_hash[]", "load:1->reg0", "load:1->reg0[]x", "move:reg0[]",
        "move:reg0[]->reg1[0..3]", "move:x[]->reg0[]", "push:reg0", "pop:", "mod_dl_src:1",
        "mod_vlan_vid:4096", "mod_vlan_pcp:8", "push_vlan:0x9100", "push_mpls:0x8100",
        "mod_nw_src:1.2.3", "mod_nw_src:1.2.3.4/8", "mod_nw_tos:3", "mod_nw_tos:256",
        "mod_nw_ecn:4", "mod_nw_ttl:256", "mod_tp_src:65536", "dec_ttl(x)",
        "set_mpls_label(1048576)", "set_mpls_tc(8)", "set_queue:x", "resubmit:x",
        "resubmit(,256)", "resubmit(,5,foo)", "conjunction(1,1/1)", "conjunction(1,0/2)",
        "conjunction(1,3/2)", "conjunction(1,1/65)", "conjunction(1)", "conjunction(x,1/2)",
        "fin_timeout(5)", "fin_timeout(foo=5)", "fin_timeout(idle_timeout=65536)", "note:1",
        "note:zz", "check_pkt_larger(10)->reg0[]", "check_pkt_larger(10)->dp_hash[0]",
        "check_pkt_larger(70000)->reg0[0]", "check_pkt_larger(10)", "write_metadata:x",
        "write_metadata:1/x", "goto_table:256", "goto_table:5,output:1",
        "clear_actions,output:1", "write_actions(1),write_actions(2)", "output:1,meter:5",
        "write_metadata:3,clear_actions", "goto_table:5,goto_table:6", "clone(goto_table:5)",
        "clone(clear_actions)", "clone(meter:3)", "write_actions(write_actions(1))",
        "apply_actions(1)", "learn(table=255)", "learn(foo)", "learn(tcp)", "learn(foo=1)",
        "learn(idle_timeout=65536)", "learn(result_dst=reg0[0..1])",
        "learn(result_dst=dp_hash[0])", "learn(dl_vlan=3)", "learn(ip_src=1.2.3.4/24)",
        "learn(in_port[0..3]=5)", "learn(reg0[0..3]=16)", "learn(reg0=reg1[0..3])",
        "learn(eth_dst=ip_src)", "learn(load:1->dp_hash[])", "learn(load:1)",
        "learn(load:2->reg0[0])", "learn(load:reg0[]->reg1[0])", "learn(output:5)",
        "learn(nw_ttl=256)", "learn(send_flow_rem=1)", "learn(ip_frag=2)",
        "learn(nw_frag=yes)", "learn(tcp_flags=+syn)",
    };

    for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
        struct of_actions acts;
        char *error = NULL;

        if (of_actions_parse(texts[i], &acts, NULL, NULL, &error)) {
            fail_msg("%s was taken", texts[i]);
        }
        assert_non_null(error);
        assert_null(acts.a);
        free(error);
        assert_false(of_actions_parse(texts[i], &acts, NULL, NULL, NULL));
    }
}

static void
names(void **state)
{
    const struct of_names n = { .port = port_name, .table = table_name };
    static const char *const pairs[][2] = {
        { "3,4,5,LOCAL", "output:eth0,output:\"veth 1\",output:5,LOCAL" },
        { "resubmit(3,5),resubmit:4", "resubmit(eth0,five),resubmit:\"veth 1\"" },
        { "set_field:3->in_port", "set_field:eth0->in_port" },
        { "enqueue:3:4", "enqueue:eth0:4" },
        { "bundle(eth_src,0,hrw,ofport,members:3,6)",
          "bundle(eth_src,0,hrw,ofport,members:eth0,6)" },
        { "output(port=3,max_len=64)", "output(port=eth0,max_len=64)" },
        { "learn(table=5,in_port=3)", "learn(table=five,in_port=eth0)" },
        { "clone(3),goto_table:5", "clone(output:eth0),goto_table:five" },
    };
    struct strbuf s = STRBUF_INIT;

    for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
        round_trip(pairs[i][0], &n, &s);
        assert_string_equal(strbuf_cstr(&s), pairs[i][1]);
    }
    strbuf_free(&s);
}

/* As deep as the decoder takes it, and one more. */
static void
nesting(void **state)
{
    for (unsigned depth = OF_ACTS_MAX_DEPTH; depth <= OF_ACTS_MAX_DEPTH + 1; depth++) {
        struct strbuf s = STRBUF_INIT;
        struct of_actions acts;
        char *error = NULL;

        for (unsigned i = 0; i < depth; i++) {
            strbuf_puts(&s, "clone(");
        }
        strbuf_puts(&s, "output:1");
        for (unsigned i = 0; i < depth; i++) {
            strbuf_putc(&s, ')');
        }
        if (depth <= OF_ACTS_MAX_DEPTH) {
            struct strbuf back = STRBUF_INIT;

            round_trip(strbuf_cstr(&s), NULL, &back);
            assert_string_equal(strbuf_cstr(&back), strbuf_cstr(&s));
            strbuf_free(&back);
        } else {
            assert_false(of_actions_parse(strbuf_cstr(&s), &acts, NULL, NULL, &error));
            assert_non_null(error);
            free(error);
        }
        strbuf_free(&s);
    }
}

static enum of_err
check(uint8_t version, const char *match, const char *text, struct of_actions *acts)
{
    const struct of_actions_limits limits = {.max_ports = OFPP_MAX, .table_id = 6,
                                             .n_tables = 250, .max_meters = 100,
                                             .version = version};
    struct of_match m;
    char *error = NULL;

    if (!of_match_parse(match, &m, NULL, NULL, &error) ||
        !of_actions_parse(text, acts, NULL, NULL, &error)) {
        fail_msg("%s %s: %s", match, text, error);
    }
    return of_actions_check(acts->a, acts->len, &m, &limits);
}

/* What ovs-ofctl says of these in OpenFlow 1.3, and in 1.0 (with NXM). */
static void
checks(void **state)
{
#define INCON OFPBAC_MATCH_INCONSISTENT
    static const struct {
        const char *match, *text;
        enum of_err in13, in10;
    } t[] = {
        /* Ports. */
        { "", "0,1,65279,in_port,local,normal,flood,all,table,controller", OF_OK, OF_OK },
        { "", "65280", OFPBAC_BAD_OUT_PORT, OFPBAC_BAD_OUT_PORT },
        { "", "any", OFPBAC_BAD_OUT_PORT, OFPBAC_BAD_OUT_PORT },
        { "", "clone(65280)", OFPBAC_BAD_OUT_PORT, OFPBAC_BAD_OUT_PORT },
        { "", "write_actions(65280)", OFPBAC_BAD_OUT_PORT, OFPBAC_BAD_OUT_PORT },
        { "", "enqueue:5:1,enqueue:local:1,enqueue:in_port:1", OF_OK, OF_OK },
        { "", "enqueue:flood:1", OFPBAC_BAD_OUT_PORT, OFPBAC_BAD_OUT_PORT },
        { "", "enqueue:controller:1", OFPBAC_BAD_OUT_PORT, OFPBAC_BAD_OUT_PORT },
        { "", "output(port=local,max_len=64)", OF_OK, OF_OK },
        { "", "output(port=all,max_len=64)", OF_OK, OF_OK },
        { "", "output(port=65280,max_len=64)", OFPBAC_BAD_OUT_PORT, OFPBAC_BAD_OUT_PORT },
        { "", "bundle(eth_src,50,hrw,ofport,members:1,local,any,in_port,normal,flood)", OF_OK,
          OF_OK },
        { "", "bundle(eth_src,50,hrw,ofport,members:controller)", OFPBAC_BAD_OUT_PORT,
          OFPBAC_BAD_OUT_PORT },
        { "", "bundle(eth_src,50,hrw,ofport,members:1,65280)", OFPBAC_BAD_OUT_PORT,
          OFPBAC_BAD_OUT_PORT },
        { "", "bundle_load(eth_src,0,hrw,ofport,tcp_src[],members:1)", INCON, INCON },
        { "", "group:4294967040", OF_OK, OF_OK },
        { "", "group:4294967041", OFPBAC_BAD_OUT_GROUP, OFPBAC_BAD_OUT_GROUP },
        /* Fields. */
        { "", "output:ip_src[]", INCON, INCON },
        { "ip", "output:ip_src[]", OF_OK, OF_OK },
        { "", "set_field:1.2.3.4->ip_src", INCON, INCON },
        { "arp", "set_field:1.2.3.4->ip_src", INCON, INCON },
        { "ip", "set_field:1.2.3.4->ip_src,load:1->ip_dst[]", OF_OK, OF_OK },
        { "tcp,nw_frag=later", "set_field:1->tcp_src", INCON, INCON },
        { "", "set_field:3->vlan_pcp", INCON, INCON },
        { "", "set_field:4099->vlan_vid", INCON, INCON },
        { "", "load:1->vlan_vid[]", INCON, INCON },
        { "dl_vlan=3", "set_field:4099->vlan_vid,set_field:3->vlan_pcp", OF_OK, OF_OK },
        { "", "load:1->vlan_tci[0..11]", OF_OK, OF_OK },
        { "", "set_field:0x1003->vlan_tci,set_field:3->vlan_pcp", OF_OK, OF_OK },
        { "", "load:1->vlan_tci[12],set_field:3->vlan_pcp", OF_OK, OF_OK },
        { "dl_vlan=3", "set_field:0->vlan_tci,set_field:3->vlan_pcp", INCON, INCON },
        { "", "move:ip_src[]->reg0[]", INCON, INCON },
        { "", "move:reg0[]->ip_src[]", INCON, INCON },
        { "", "move:reg0[]->dp_hash[]", OFPBAC_BAD_SET_ARGUMENT, OFPBAC_BAD_SET_ARGUMENT },
        { "", "move:dp_hash[]->reg0[]", OF_OK, OF_OK },
        { "", "push:ip_src[]", INCON, INCON },
        { "", "push:dp_hash[]", OF_OK, OF_OK },
        { "", "pop:ip_src[]", INCON, INCON },
        { "", "pop:dp_hash[]", OFPBAC_BAD_SET_ARGUMENT, OFPBAC_BAD_SET_ARGUMENT },
        { "", "multipath(eth_src,50,modulo_n,1,0,ip_src[])", INCON, INCON },
        { "", "check_pkt_larger(10)->ip_src[0]", OF_OK, OF_OK },
        /* Layers that come and go; 1.0 ignores what does not suit. */
        { "", "mod_nw_src:1.2.3.4", INCON, OF_OK },
        { "ipv6", "mod_nw_src:1.2.3.4", INCON, OF_OK },
        { "ip", "mod_nw_src:1.2.3.4,mod_nw_dst:1.2.3.4", OF_OK, OF_OK },
        { "", "dec_ttl", INCON, OF_OK },
        { "ipv6", "dec_ttl,mod_nw_tos:4,mod_nw_ecn:1,mod_nw_ttl:3", OF_OK, OF_OK },
        { "ip", "mod_tp_src:5", INCON, OF_OK },
        { "tcp,nw_frag=later", "mod_tp_src:5", INCON, OF_OK },
        { "udp", "mod_tp_src:5,mod_tp_dst:6", OF_OK, OF_OK },
        { "", "pop_vlan", INCON, OF_OK },
        { "dl_vlan=3", "pop_vlan", OF_OK, OF_OK },
        { "dl_vlan=3", "pop_vlan,pop_vlan", INCON, OF_OK },
        { "", "push_vlan:0x8100,pop_vlan", OF_OK, OF_OK },
        { "", "push_vlan:0x8100,push_vlan:0x8100,pop_vlan,pop_vlan", OF_OK, OF_OK },
        { "dl_vlan=3", "push_vlan:0x8100,pop_vlan,pop_vlan", OF_OK, OF_OK },
        { "", "push_vlan:0x8100,push_vlan:0x8100,push_vlan:0x8100", OFPBAC_BAD_TAG,
          OFPBAC_BAD_TAG },
        { "dl_vlan=3", "push_vlan:0x8100,push_vlan:0x88a8", OFPBAC_BAD_TAG, OFPBAC_BAD_TAG },
        { "", "set_vlan_vid:3", INCON, OF_OK },
        { "", "mod_vlan_vid:3,set_field:3->vlan_pcp", OF_OK, OF_OK },
        { "", "set_mpls_ttl(3)", INCON, OF_OK },
        { "mpls", "set_mpls_ttl(3),dec_mpls_ttl,set_mpls_label(4),set_mpls_tc(1)", OF_OK,
          OF_OK },
        { "", "pop_mpls:0x800", INCON, OF_OK },
        { "mpls", "pop_mpls:0x8847,set_mpls_ttl(3)", OF_OK, OF_OK },
        { "mpls", "pop_mpls:0x0800,set_mpls_ttl(3)", INCON, OF_OK },
        { "ip", "push_mpls:0x8847,dec_ttl", INCON, OF_OK },
        { "ip", "push_mpls:0x8847,pop_mpls:0x0800,dec_ttl", OF_OK, OF_OK },
        { "tcp", "push_mpls:0x8847,pop_mpls:0x0800,set_field:3->tcp_src", INCON, INCON },
        { "ip", "clone(push_mpls:0x8847),dec_ttl", OF_OK, OF_OK },
        { "ip", "write_actions(push_mpls:0x8847,dec_ttl)", OF_OK, OF_OK },
        { "ip", "write_actions(set_field:3->tcp_src)", INCON, INCON },
        { "ip", "fin_timeout(idle_timeout=4)", INCON, OF_OK },
        { "tcp", "fin_timeout(idle_timeout=4)", OF_OK, OF_OK },
        /* Control. */
        { "", "meter:1", OF_OK, OF_OK },
        { "", "meter:0", OFPMMFC_INVALID_METER, OFPMMFC_INVALID_METER },
        { "", "meter:101", OFPMMFC_INVALID_METER, OFPMMFC_INVALID_METER },
        { "", "goto_table:7", OF_OK, OF_OK },
        { "", "goto_table:6", OFPBIC_BAD_TABLE_ID, OFPBIC_BAD_TABLE_ID },
        { "", "goto_table:250", OFPBIC_BAD_TABLE_ID, OFPBIC_BAD_TABLE_ID },
        { "", "conjunction(1,1/2),note:01,conjunction(2,1/2)", OF_OK, OF_OK },
        { "", "conjunction(1,1/2),output:1", NXBAC_BAD_CONJUNCTION, NXBAC_BAD_CONJUNCTION },
        { "", "clone(conjunction(1,1/2),output:1)", NXBAC_BAD_CONJUNCTION,
          NXBAC_BAD_CONJUNCTION },
        { "", "resubmit(,5,ct)", INCON, INCON },
        { "", "learn(eth_dst=eth_src)", OF_OK, OF_OK },
        { "ip", "learn(eth_dst=eth_src,ip_src)", INCON, INCON },
        { "", "learn(eth_type=0x800,ip_dst=ip_src)", INCON, INCON },
        { "ip", "learn(eth_type=0x800,ip_dst=ip_src)", OF_OK, OF_OK },
        { "", "learn(eth_type=0x800,nw_proto=6,tcp_dst=80)", OF_OK, OF_OK },
        { "", "learn(eth_type=0x800,tcp_dst=80)", INCON, INCON },
        { "", "learn(load:0xfe80->ipv6_src[0..63])", INCON, INCON },
        { "", "learn(eth_type=0x86dd,load:0xfe80->ipv6_src[0..63])", OF_OK, OF_OK },
        { "", "learn(output:ip_src[])", INCON, INCON },
        { "", "learn(result_dst=tcp_src[0])", OF_OK, OF_OK },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        for (unsigned old = 0; old < 2; old++) {
            enum of_err want = old ? t[i].in10 : t[i].in13, got;
            struct of_actions acts;

            got = check(old ? 1 : 4, t[i].match, t[i].text, &acts);
            of_actions_free(&acts);
            if (got != want) {
                fail_msg("%s %s (1.%c): %s, not %s", t[i].match, t[i].text, old ? '0' : '3',
                         of_err_name(got), of_err_name(want));
            }
        }
    }
}

#define NX_METADATA "ffff0020000023200016000000000000000000000000000500000000000000ff"
#define RESUBMIT "ffff001000002320000efff805000000"

/* Lists from the wire that text does not allow, and what a stock switch says to them. */
static void
wire_checks(void **state)
{
    static const struct {
        uint8_t version;
        const char *hex;
        enum of_err err;
    } t[] = {
        { 1, "0000000800010000" NX_METADATA, OF_OK },
        { 1, NX_METADATA "0000000800010000", OFPBAC_UNSUPPORTED_ORDER },
        { 1, NX_METADATA RESUBMIT, OFPBAC_UNSUPPORTED_ORDER },
        { 1, NX_METADATA NX_METADATA, OFPBAC_UNSUPPORTED_ORDER },
        { 4, NX_METADATA "00000010000000010000000000000000", OFPBAC_UNSUPPORTED_ORDER },
        { 4, "00000010000000010000000000000000" NX_METADATA, OF_OK },
        { 6, "00000010000000010000000000000000001d000800000005", OF_OK },
        { 6, "001d000800000005001d000800000006", OF_OK },
        /* Truncating outputs to ports without end; stock takes and drops them. */
        { 1, "ffff0010000023200027fffb00000064", OF_OK },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        const struct of_actions_limits limits = {.max_ports = OFPP_MAX, .n_tables = 255,
                                                 .max_meters = 10, .version = t[i].version};
        uint8_t bytes[256];
        int n = num_parse_hex(t[i].hex, bytes, sizeof bytes);
        struct of_actions acts;
        struct of_match any;
        enum of_err err;

        assert_true(n > 0);
        of_match_init(&any);
        err = of_actions_decode((struct of_reader){bytes, (size_t) n}, t[i].version,
                                OF_ACTS_APPLY, &acts);
        err = err ? err : of_actions_check(acts.a, acts.len, &any, &limits);
        of_actions_free(&acts);
        if (err != t[i].err) {
            fail_msg("%s: %s, not %s", t[i].hex, of_err_name(err), of_err_name(t[i].err));
        }
    }
}

/* Action sets on the wire: resubmit may be in them, but no output that cuts, no learn. */
static void
action_sets(void **state)
{
    static const struct {
        const char *hex;
        enum of_err err;
    } t[] = {
        { "0003001800000000" RESUBMIT, OF_OK },
        { "0003001800000000ffff0010000023200027000100000064", OFPBAC_BAD_TYPE },
        { "0003001800000000ffff0010000023200011000000000000", OFPBAC_BAD_TYPE },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        uint8_t bytes[64];
        int n = num_parse_hex(t[i].hex, bytes, sizeof bytes);
        struct of_actions acts;

        assert_int_equal(of_actions_decode((struct of_reader){bytes, (size_t) n}, 4,
                                           OF_ACTS_INSTRUCTIONS, &acts),
                         t[i].err);
        of_actions_free(&acts);
    }
}

/* What the check notes for those who encode and translate. */
static void
notes(void **state)
{
    struct of_actions acts;
    const struct of_act_vlan *v;

    assert_int_equal(check(1, "udp", "mod_tp_src:5", &acts), OF_OK);
    assert_int_equal(acts.a->proto, 17);
    of_actions_free(&acts);
    assert_int_equal(check(1, "ip", "mod_tp_src:5", &acts), OF_OK);
    assert_int_equal(acts.a->proto, 0);
    of_actions_free(&acts);
    assert_int_equal(check(1, "", "mod_vlan_vid:5,mod_vlan_pcp:1", &acts), OF_OK);
    v = (const void *) of_actions_find(acts.a, acts.len, OFA_SET_VLAN_VID);
    assert_false(v->has_vlan);
    v = (const void *) of_actions_find(acts.a, acts.len, OFA_SET_VLAN_PCP);
    assert_true(v->has_vlan);
    of_actions_free(&acts);
    assert_int_equal(check(1, "dl_vlan=3", "clone(mod_vlan_vid:5),pop_vlan", &acts), OF_OK);
    of_actions_free(&acts);
    assert_int_equal(check(4, "", "drop", &acts), OF_OK);
    of_actions_free(&acts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors), cmocka_unit_test(spellings), cmocka_unit_test(refused),
        cmocka_unit_test(names),   cmocka_unit_test(nesting),   cmocka_unit_test(checks),
        cmocka_unit_test(notes),   cmocka_unit_test(wire_checks),
        cmocka_unit_test(action_sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
