/* SPDX-License-Identifier: Apache-2.0 */
/* Any words as arguments of ofproto/trace and ofproto/trace-packet-out: an error, or a trace
 * that ends in datapath actions.  The first byte chooses the command; words end at newlines.
 * The bridge has flows that look at much and resubmit. */

#include <stdlib.h>
#include <string.h>

#include "fuzz-bridge.h"
#include "log/ctl.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/oftables.h"
#include "util/smap.h"
#include "util/xalloc.h"

#define WORDS_MAX 12

static struct evloop *loop;

static void
add_port(struct ofproto *o, const char *name, uint16_t number)
{
    struct ofproto_bundle_settings s = {.name = name, .ofports = &number, .n_ofports = 1};
    struct smap options = SMAP_INIT;
    struct netdev *netdev;

    require(!netdev_open(name, "dummy", &netdev, NULL));
    require(!netdev_set_config(netdev, &options, NULL));
    require(!ofproto_port_add(o, netdev, number, &number, NULL));
    ofproto_bundle_set(o, &s);
}

static void
add_flow(struct ofproto *o, uint8_t table, int priority, const char *match, const char *actions)
{
    struct of_actions acts;
    struct of_match m;

    require(of_match_parse(match, &m, NULL, NULL, NULL));
    require(of_actions_parse(actions, &acts, NULL, NULL, NULL));
    oftables_add_own(o->tables, table, false, &m, priority, acts.a, acts.len);
    of_actions_free(&acts);
}

static void
start(void)
{
    struct ofproto_settings s = {.secure = true, .mac_age_s = 300, .mac_table_size = 100};
    struct ofproto *o;

    o = fuzz_bridge_create(&loop, 256);
    ofproto_set(o, &s);
    add_port(o, "p1", 1);
    add_port(o, "p2", 2);
    add_flow(o, 0, 9, "tcp", "load:1->NXM_NX_REG0[],resubmit(,1),resubmit(,2),output:1");
    add_flow(o, 0, 8, "ip", "dec_ttl,set_field:10.0.0.1->ip_src,resubmit(,1)");
    add_flow(o, 0, 7, "ipv6", "move:NXM_NX_IPV6_SRC[]->NXM_NX_XXREG0[],resubmit(,2)");
    add_flow(o, 0, 6, "dl_vlan=5", "strip_vlan,resubmit(,1)");
    add_flow(o, 0, 5, "mpls", "pop_mpls:0x0800,resubmit(,0)");
    add_flow(o, 0, 4, "arp", "controller");
    add_flow(o, 0, 1, "", "NORMAL");
    add_flow(o, 1, 9, "reg0=1,tcp", "clone(push_vlan:0x8100,set_field:4101->vlan_vid,2),1");
    add_flow(o, 1, 5, "ip", "push_mpls:0x8847,output:2");
    add_flow(o, 1, 1, "", "resubmit(,1)");
    add_flow(o, 2, 1, "", "check_pkt_larger(100)->NXM_NX_REG1[0],resubmit(,3)");
    add_flow(o, 3, 2, "reg1=1", "drop");
    add_flow(o, 3, 1, "", "multipath(symmetric_l4,1,modulo_n,4,0,NXM_NX_REG2[]),IN_PORT");
    ofproto_publish();
}

struct answer {
    struct ctl_conn conn;
    unsigned n;
};

static void
take_answer(struct ctl_conn *conn, bool ok, const char *text)
{
    struct answer *a = (struct answer *) conn;

    a->n++;
    require(*text != '\0');
    require(!ok || (strstr(text, "Flow: ") && strstr(text, "\nDatapath actions: ")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct answer a = {.conn.reply = take_answer};
    const char *argv[WORDS_MAX];
    char *text, *save = NULL;
    int argc = 0;

    if (!size) {
        return 0;
    }
    if (!loop) {
        start();
    }
    argv[argc++] = data[0] & 1 ? "ofproto/trace-packet-out" : "ofproto/trace";
    if (data[0] & 2) {
        argv[argc++] = "br0";
    }
    text = xstrndup((const char *) data + 1, size - 1);
    for (char *w = strtok_r(text, "\n", &save); w && argc < WORDS_MAX;
         w = strtok_r(NULL, "\n", &save)) {
        argv[argc++] = w;
    }
    ctl_dispatch(&a.conn, argc, argv);
    require(a.n == 1);
    evloop_turn(loop, 0);
    free(text);
    return 0;
}
