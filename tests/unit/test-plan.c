/* SPDX-License-Identifier: Apache-2.0 */
/* plan_make(): from what runs and what is wanted to the list of actions. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/strbuf.h"
#include "util/xalloc.h"
#include "vswitchd/bridge/cfg-openflow.c"
#include "vswitchd/bridge/cfg.c"
#include "vswitchd/bridge/plan.c"

/* ---------------------------------------------------------------- fixtures */

static struct cfg_iface *
want_port(struct cfg_bridge *br, const char *name, const char *type)
{
    return cfg_iface_add(br, cfg_port_add(br, name), name, name, type);
}

static struct bridge_state *
have_bridge(struct state *state, const char *name, const char *type)
{
    struct bridge_state *br = xzalloc(sizeof *br);
    br->name = xstrdup(name);
    br->datapath_type = xstrdup(type);
    br->open = true;
    br->mac_age_s = 300;
    br->mac_table_size = 8192;
    HASH_ADD_KEYPTR(hh, state->bridges, br->name, strlen(br->name), br);
    return br;
}

static struct iface_state *
have_iface(struct bridge_state *br, const char *name, const char *type, uint16_t ofport)
{
    struct iface_state *iface = xzalloc(sizeof *iface);
    iface->name = xstrdup(name);
    iface->type = xstrdup(type);
    smap_init(&iface->options);
    smap_init(&iface->other_config);
    iface->open = ofport != 0;
    iface->ofport = iface->last_ofport = ofport;
    iface->is_local = !strcmp(name, br->name);
    HASH_ADD_KEYPTR(hh, br->ifaces, iface->name, strlen(iface->name), iface);
    return iface;
}

/* An open interface in a bundle of its own. */
static struct iface_state *
have_port(struct bridge_state *br, const char *name, const char *type, uint16_t ofport)
{
    struct port_state *port = xzalloc(sizeof *port);
    port->name = xstrdup(name);
    port->iface = xstrdup(name);
    port->set.vlan_mode = VLAN_MODE_TRUNK;
    port->set.qinq_8021ad = true;
    HASH_ADD_KEYPTR(hh, br->ports, port->name, strlen(port->name), port);
    return have_iface(br, name, type, ofport);
}

static void
state_free(struct state *state)
{
    struct bridge_state *br, *next_br;
    HASH_ITER(hh, state->bridges, br, next_br)
    {
        struct port_state *port, *next_port;
        HASH_ITER(hh, br->ports, port, next_port)
        {
            HASH_DEL(br->ports, port);
            free(port->name);
            free(port->iface);
            free(port);
        }
        struct iface_state *iface, *next;
        HASH_ITER(hh, br->ifaces, iface, next)
        {
            HASH_DEL(br->ifaces, iface);
            free(iface->name);
            free(iface->type);
            smap_destroy(&iface->options);
            smap_destroy(&iface->other_config);
            free(iface);
        }
        HASH_DEL(state->bridges, br);
        free(br->name);
        free(br->datapath_type);
        free(br);
    }
}

struct fixture {
    struct state have;
    struct cfg *want;
};

/* br0 with its own port, p1 (port 1) and p2 (port 2) runs, and exactly that is wanted. */
static int
set_up(void **fixture)
{
    struct fixture *f = xzalloc(sizeof *f);
    struct bridge_state *br = have_bridge(&f->have, "br0", "netdev");
    have_port(br, "br0", "internal", OFPP_LOCAL_PORT);
    have_port(br, "p1", "dummy", 1);
    have_port(br, "p2", "dummy", 2);
    f->want = cfg_create();
    struct cfg_bridge *cfg = cfg_bridge_add(f->want, "br0", "br0");
    free(cfg->datapath_type);
    cfg->datapath_type = xstrdup("netdev");
    want_port(cfg, "br0", "internal");
    want_port(cfg, "p1", "dummy");
    want_port(cfg, "p2", "dummy");
    *fixture = f;
    return 0;
}

static int
tear_down(void **fixture)
{
    struct fixture *f = *fixture;
    state_free(&f->have);
    cfg_destroy(f->want);
    free(f);
    return 0;
}

static struct cfg_iface *
wanted(struct fixture *f, const char *name)
{
    struct cfg_bridge *br = f->want->bridges[0];
    for (size_t i = 0; i < br->n_ifaces; i++) {
        if (!strcmp(br->ifaces[i]->name, name)) {
            return br->ifaces[i];
        }
    }
    fail_msg("no interface %s", name);
    return NULL;
}

static struct iface_state *
having(struct fixture *f, const char *name)
{
    struct iface_state *iface;
    HASH_FIND_STR(f->have.bridges->ifaces, name, iface);
    assert_non_null(iface);
    return iface;
}

/* Compares the plan with `expect`: "type bridge[:name]; ...". */
static void
check(struct fixture *f, const char *expect)
{
    struct strbuf got = STRBUF_INIT;
    struct plan plan;
    cfg_finish(f->want);
    plan_make(&f->have, f->want, &plan);
    for (size_t i = 0; i < plan.n; i++) {
        const struct plan_action *a = &plan.actions[i];
        const char *name = a->port ? a->port : a->iface;
        strbuf_putf(&got, "%s%s %s%s%s", i ? "; " : "", plan_type_name(a->type), a->bridge,
                    name ? ":" : "", name ? name : "");
    }
    assert_string_equal(strbuf_cstr(&got), expect);
    plan_free(&plan);
    strbuf_free(&got);
}

/* ---------------------------------------------------------------- tests */

static void
test_nothing_to_do(void **fixture)
{
    check(*fixture, "");
}

static void
test_from_nothing(void **fixture)
{
    struct fixture *f = *fixture;
    state_free(&f->have);
    check(f, "bridge-add br0; iface-add br0:br0; iface-add br0:p1; iface-add br0:p2; "
             "port-set br0:br0; port-set br0:p1; port-set br0:p2; bridge-set br0");
}

static void
test_to_nothing(void **fixture)
{
    struct fixture *f = *fixture;
    cfg_destroy(f->want);
    f->want = cfg_create();
    check(f, "port-del br0:br0; port-del br0:p1; port-del br0:p2; iface-del br0:br0; "
             "iface-del br0:p1; iface-del br0:p2; bridge-del br0");
}

static void
test_add_port_touches_only_it(void **fixture)
{
    struct fixture *f = *fixture;
    want_port(f->want->bridges[0], "p3", "dummy");
    check(f, "iface-add br0:p3; port-set br0:p3; bridge-set br0");
}

static void
test_local_port_is_made_up(void **fixture)
{
    struct fixture *f = *fixture;
    struct cfg_bridge *br = cfg_bridge_add(f->want, "br1", "br1");
    want_port(br, "q", "dummy");
    check(f, "bridge-add br1; iface-add br1:br1; iface-add br1:q; port-set br1:br1; "
             "port-set br1:q; bridge-set br1");
}

static void
test_delete_port(void **fixture)
{
    struct fixture *f = *fixture;
    struct bridge_state *br = f->have.bridges;
    have_port(br, "p3", "dummy", 3);
    check(f, "port-del br0:p3; iface-del br0:p3; bridge-set br0");
}

static void
test_move_between_bridges(void **fixture)
{
    struct fixture *f = *fixture;
    struct bridge_state *br1 = have_bridge(&f->have, "br1", "netdev");
    have_port(br1, "br1", "internal", OFPP_LOCAL_PORT);
    have_port(br1, "m", "dummy", 1);
    struct cfg_bridge *cfg = cfg_bridge_add(f->want, "br1", "br1");
    free(cfg->datapath_type);
    cfg->datapath_type = xstrdup("netdev");
    want_port(f->want->bridges[0], "m", "dummy");
    check(f,
          "port-del br1:m; iface-del br1:m; iface-add br0:m; port-set br0:m; bridge-set br0; "
          "bridge-set br1");
}

static void
test_tag_change_keeps_device(void **fixture)
{
    struct fixture *f = *fixture;
    f->want->bridges[0]->ports[1]->set.vlan_mode = VLAN_MODE_ACCESS;
    f->want->bridges[0]->ports[1]->set.tag = 7;
    check(f, "port-set br0:p1; bridge-set br0");
}

static void
test_option_change(void **fixture)
{
    struct fixture *f = *fixture;
    smap_set(&wanted(f, "p2")->options, "n_rxq", "2");
    check(f, "iface-set br0:p2; bridge-set br0");
}

static void
test_type_change_reopens(void **fixture)
{
    struct fixture *f = *fixture;
    free(wanted(f, "p1")->type);
    wanted(f, "p1")->type = xstrdup("tap");
    check(f, "port-del br0:p1; iface-del br0:p1; iface-add br0:p1; port-set br0:p1; "
             "bridge-set br0");
}

static void
test_ofport_request(void **fixture)
{
    struct fixture *f = *fixture;
    wanted(f, "p1")->ofport_request = 1; /* has it already: noted, nothing closed */
    check(f, "iface-set br0:p1; bridge-set br0");
    wanted(f, "p1")->ofport_request = 9;
    check(f, "port-del br0:p1; iface-del br0:p1; iface-add br0:p1; port-set br0:p1; "
             "bridge-set br0");
    having(f, "p1")->ofport_request = 9; /* did not get it: not again and again */
    check(f, "");
}

static void
test_order_of_numbers(void **fixture)
{
    struct fixture *f = *fixture;
    struct cfg_bridge *br = f->want->bridges[0];
    want_port(br, "a", "dummy");
    want_port(br, "b", "dummy")->ofport_hint = 5;
    want_port(br, "c", "dummy")->ofport_request = 5;
    check(f, "iface-add br0:c; iface-add br0:b; iface-add br0:a; port-set br0:a; "
             "port-set br0:b; port-set br0:c; bridge-set br0");
}

static void
test_failed_stays_failed(void **fixture)
{
    struct fixture *f = *fixture;
    have_iface(f->have.bridges, "p3", "dummy", 0);
    want_port(f->want->bridges[0], "p3", "dummy");
    check(f, "");
    having(f, "p3")->retry = true;
    check(f, "iface-add br0:p3; port-set br0:p3; bridge-set br0");
    having(f, "p3")->retry = false;
    smap_set(&wanted(f, "p3")->options, "n_rxq", "2");
    check(f, "iface-add br0:p3; port-set br0:p3; bridge-set br0");
}

/* A device that broke: its interface is closed, the bundle still there. */
static void
test_broken_loses_bundle(void **fixture)
{
    struct fixture *f = *fixture;
    having(f, "p1")->open = false;
    check(f, "port-del br0:p1; bridge-set br0");
}

static void
test_bond_is_refused(void **fixture)
{
    struct fixture *f = *fixture;
    struct cfg_bridge *br = f->want->bridges[0];
    struct cfg_port *bond = cfg_port_add(br, "bond0");
    cfg_iface_add(br, bond, "x", "x", "dummy");
    cfg_iface_add(br, bond, "y", "y", "dummy");
    check(f, "");
    assert_non_null(strstr(wanted(f, "x")->error, "bonds"));
    assert_non_null(wanted(f, "y")->error);
}

static void
test_duplicate_is_refused(void **fixture)
{
    struct fixture *f = *fixture;
    struct cfg_bridge *br = cfg_bridge_add(f->want, "br1", "br1");
    want_port(br, "p1", "dummy");
    check(f, "bridge-add br1; iface-add br1:br1; port-set br1:br1; bridge-set br1");
    const struct cfg_iface *second = cfg_iface_find(cfg_bridge_find(f->want, "br1"), "p1");
    assert_string_equal(second->error, "interface p1 is already in bridge br0");
    assert_null(second->uuid); /* the same row: only the first reports */
}

static void
test_datapath_type_change(void **fixture)
{
    struct fixture *f = *fixture;
    free(f->want->bridges[0]->datapath_type);
    f->want->bridges[0]->datapath_type = xstrdup("dummy");
    check(f, "port-del br0:br0; port-del br0:p1; port-del br0:p2; iface-del br0:br0; "
             "iface-del br0:p1; iface-del br0:p2; bridge-del br0; bridge-add br0; "
             "iface-add br0:br0; iface-add br0:p1; iface-add br0:p2; port-set br0:br0; "
             "port-set br0:p1; port-set br0:p2; bridge-set br0");
}

static void
test_failed_bridge_is_left_alone(void **fixture)
{
    struct fixture *f = *fixture;
    state_free(&f->have);
    have_bridge(&f->have, "br0", "netdev")->open = false;
    check(f, "");
}

static void
test_failed_bridge_is_tried_again(void **fixture)
{
    struct fixture *f = *fixture;
    state_free(&f->have);
    struct bridge_state *br = have_bridge(&f->have, "br0", "netdev");
    br->open = false;
    br->retry = true;
    check(f, "bridge-add br0; iface-add br0:br0; iface-add br0:p1; iface-add br0:p2; "
             "port-set br0:br0; port-set br0:p1; port-set br0:p2; bridge-set br0");
}

static void
test_impossible_name(void **fixture)
{
    struct fixture *f = *fixture;
    char longest[130];
    memset(longest, 'x', sizeof longest);
    longest[128] = '\0';
    assert_null(cfg_name_problem(longest));
    assert_null(cfg_name_problem("p-1.2:3_\xc3\xa9"));
    longest[128] = 'x';
    longest[129] = '\0';
    assert_non_null(cfg_name_problem(longest));
    static const char *const bad[] = {"", ".", "..", "a/b", "a b", "a\tb", "a\x7f", "\n"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_non_null(cfg_name_problem(bad[i]));
    }
    want_port(f->want->bridges[0], "a/b", "dummy")->error = xstrdup("cannot be");
    check(f, "");
}

static void
test_bridge_setting(void **fixture)
{
    struct fixture *f = *fixture;
    f->want->bridges[0]->secure = true;
    check(f, "bridge-set br0");
}

static void
test_port_renamed_around_its_device(void **fixture)
{
    struct fixture *f = *fixture;
    free(f->want->bridges[0]->ports[1]->name);
    f->want->bridges[0]->ports[1]->name = xstrdup("uplink");
    check(f, "port-del br0:p1; port-set br0:uplink; bridge-set br0");
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_to_do),
        TEST(test_from_nothing),
        TEST(test_to_nothing),
        TEST(test_add_port_touches_only_it),
        TEST(test_local_port_is_made_up),
        TEST(test_delete_port),
        TEST(test_move_between_bridges),
        TEST(test_tag_change_keeps_device),
        TEST(test_option_change),
        TEST(test_type_change_reopens),
        TEST(test_ofport_request),
        TEST(test_order_of_numbers),
        TEST(test_failed_stays_failed),
        TEST(test_broken_loses_bundle),
        TEST(test_bond_is_refused),
        TEST(test_duplicate_is_refused),
        TEST(test_datapath_type_change),
        TEST(test_failed_bridge_is_left_alone),
        TEST(test_failed_bridge_is_tried_again),
        TEST(test_impossible_name),
        TEST(test_bridge_setting),
        TEST(test_port_renamed_around_its_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
