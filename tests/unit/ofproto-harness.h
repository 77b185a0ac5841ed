/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_OFPROTO_HARNESS_H
#define XVS_TESTS_OFPROTO_HARNESS_H 1

/* For the tests of bridges: the dummy datapath with test devices and a stopped clock, control
 * commands, translation asked directly.  One test program includes it once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "datapath/dp.h"
#include "flow/flow-format.h"
#include "log/coverage.h"
#include "log/ctl.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/revalidator.h"
#include "ofproto/xlate.h"
#include "os/clock.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/xalloc.h"

#pragma GCC diagnostic ignored "-Wunused-function"

static struct evloop *loop;

/* Control commands, as ovs-appctl would send them. */

struct test_conn {
    struct ctl_conn conn;
    bool done, ok;
    char *text;
};

static void
test_reply(struct ctl_conn *conn, bool ok, const char *text)
{
    struct test_conn *t = (struct test_conn *) conn;

    t->done = true;
    t->ok = ok;
    t->text = xstrdup(text);
}

static char reply[65536];

/* Runs a command of space-separated words; its reply, valid until the next. */
static const char *
ctl(const char *format, ...)
{
    struct test_conn t = {.conn.reply = test_reply};
    const char *argv[16];
    int argc = 0;
    char line[1024], *save = NULL;
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *w = strtok_r(line, " ", &save); w && argc < 16; w = strtok_r(NULL, " ", &save)) {
        argv[argc++] = w;
    }
    ctl_dispatch(&t.conn, argc, argv);
    for (int i = 0; i < 500 && !t.done; i++) {
        evloop_turn(loop, 10);
    }
    assert_true(t.done);
    snprintf(reply, sizeof reply, "%s%s", t.ok ? "" : "ERROR ", t.text);
    free(t.text);
    for (int i = 0; i < 3; i++) {
        evloop_turn(loop, 0);
    }
    return reply;
}

static void
wait_revalidator(void)
{
    assert_string_equal(ctl("revalidator/wait"), "");
}

/* Bridges and ports. */

static struct ofproto *
add_bridge(const char *name, bool secure)
{
    struct ofproto_settings s = {.secure = secure, .mac_age_s = 300, .mac_table_size = 100};
    struct ofproto *o;
    char *err = NULL;

    if (ofproto_create(name, "dummy", &o, &err)) {
        fail_msg("%s", err);
    }
    ofproto_set(o, &s);
    return o;
}

static uint16_t
add_device(struct ofproto *o, const char *name, const char *type, const char *peer,
           uint16_t requested)
{
    struct smap options = SMAP_INIT;
    struct netdev *netdev;
    char *err = NULL;
    uint16_t ofport = 0;

    if (netdev_open(name, type, &netdev, &err)) {
        fail_msg("%s", err);
    }
    if (peer) {
        smap_set(&options, "peer", peer);
    }
    if (netdev_set_config(netdev, &options, &err)) {
        fail_msg("%s", err);
    }
    smap_destroy(&options);
    if (ofproto_port_add(o, netdev, requested, &ofport, &err)) {
        fail_msg("%s", err);
    }
    netdev_set_up(netdev, true);
    return ofport;
}

static void
add_bundle(struct ofproto *o, const char *name, uint16_t ofport, enum vlan_mode mode,
           uint16_t tag, const uint64_t *trunks, enum priority_tags prio, bool protected_port)
{
    struct ofproto_bundle_settings s = {
        .name = name,
        .ofports = &ofport,
        .n_ofports = 1,
        .vlan_mode = mode,
        .tag = tag,
        .trunks = trunks,
        .priority_tags = prio,
        .protected_port = protected_port,
    };

    ofproto_bundle_set(o, &s);
}

static uint16_t
add_port(struct ofproto *o, const char *name, uint16_t requested, enum vlan_mode mode,
         uint16_t tag, const uint64_t *trunks, enum priority_tags prio)
{
    uint16_t ofport = add_device(o, name, "dummy", NULL, requested);

    add_bundle(o, name, ofport, mode, tag, trunks, prio, false);
    return ofport;
}

static uint16_t
add_plain(struct ofproto *o, const char *name, uint16_t requested)
{
    return add_port(o, name, requested, VLAN_MODE_TRUNK, 0, NULL, PRIORITY_TAGS_NEVER);
}

static void
add_local(struct ofproto *o)
{
    uint16_t ofport = add_device(o, ofproto_name(o), "dummy-internal", NULL, 0);

    assert_int_equal(ofport, OFPP_LOCAL_PORT);
    add_bundle(o, ofproto_name(o), ofport, VLAN_MODE_TRUNK, 0, NULL, PRIORITY_TAGS_NEVER,
               false);
}

static uint16_t
add_patch(struct ofproto *o, const char *name, const char *peer)
{
    uint16_t ofport = add_device(o, name, "patch", peer, 0);

    add_bundle(o, name, ofport, VLAN_MODE_TRUNK, 0, NULL, PRIORITY_TAGS_NEVER, false);
    return ofport;
}

static void
del_port(struct ofproto *o, uint16_t number)
{
    struct netdev *netdev = ofproto_port_find(o, number)->netdev;
    const struct ofbundle *b = ofproto_bundle_of_port(o, number);

    if (b && b->s.n_ofports == 1) {
        ofproto_bundle_del(o, b->name);
    }
    ofproto_port_del(o, number);
    netdev_close(netdev);
}

static int
setup(void **state)
{
    *state = add_bridge("br0", false);
    return 0;
}

static int
teardown(void **state)
{
    while (all_ofprotos) {
        struct ofproto *o = all_ofprotos;

        while (o->ports) {
            del_port(o, (uint16_t) o->ports->number);
        }
        ofproto_destroy(o);
    }
    return 0;
}

/* Translation asked directly. */

static char actions_text[4096];

static const char *
xlate(const char *flow_text, bool may_learn, struct flow *mask)
{
    struct strbuf s = STRBUF_INIT;
    struct xlate_out out;
    struct flow flow;
    struct xlate_in in = {
        .snapshot = xsnapshot_get(),
        .odp = all_ofproto_dps,
        .flow = &flow,
        .may_learn = may_learn,
        .fresh = true,
        .used_ms = clock_now_ms(),
    };
    char *err = NULL;

    if (flow_parse(flow_text, &flow, NULL, NULL, &err)) {
        fail_msg("%s: %s", flow_text, err);
    }
    if (!xlate_translate(&in, &out)) {
        return "unknown";
    }
    dp_actions_format(&s, out.actions, NULL, NULL);
    snprintf(actions_text, sizeof actions_text, "%s", strbuf_cstr(&s));
    strbuf_free(&s);
    free(out.actions);
    xlate_effects_destroy(&out.effects);
    if (mask) {
        *mask = out.mask;
    }
    return actions_text;
}

#define IPV4                                                                                   \
    "eth_type(0x0800),ipv4(src=1.2.3.4,dst=4.3.2.1,proto=1,tos=0,ttl=64,frag=no),"             \
    "icmp(type=8,code=0)"
#define MAC1 "50:54:00:00:00:01"
#define MAC2 "50:54:00:00:00:02"
#define BCAST "ff:ff:ff:ff:ff:ff"

static const char *
flow_text(unsigned in_port, const char *src, const char *dst, int vid, int pcp)
{
    static char text[512];
    char vlan[64] = "";

    if (vid >= 0) {
        snprintf(vlan, sizeof vlan, "eth_type(0x8100),vlan(vid=%d,pcp=%d),encap(", vid, pcp);
    }
    snprintf(text, sizeof text, "in_port(%u),eth(src=%s,dst=%s),%s" IPV4 "%s", in_port, src,
             dst, vlan, vid >= 0 ? ")" : "");
    return text;
}

static void
receive(const char *port, unsigned in_port, const char *src, const char *dst)
{
    assert_string_equal(
        ctl("netdev-dummy/receive %s %s", port, flow_text(in_port, src, dst, -1, 0)), "");
}

static void
assert_mask(const char *text, const char *want)
{
    const struct flow_format_opts opts = {.verbose = false};
    struct strbuf s = STRBUF_INIT;
    struct flow flow, mask;
    char *err = NULL;

    assert_int_equal(flow_parse(text, &flow, NULL, NULL, &err), 0);
    xlate(text, false, &mask);
    flow_format(&s, &flow, &mask, &opts);
    assert_string_equal(strbuf_cstr(&s), want);
    strbuf_free(&s);
}

static int
run_bridge_tests(const struct CMUnitTest *tests, size_t n)
{
    int failed;

    thread_adopt("");
    loop = evloop_create();
    netdev_init(loop, "");
    dp_init(loop);
    ofproto_init(loop);
    clock_stop();
    failed = _cmocka_run_group_tests("ofproto", tests, n, NULL, NULL);
    ofproto_exit();
    evloop_destroy(loop);
    return failed;
}
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

#endif
