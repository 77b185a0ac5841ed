/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_OFTABLES_HARNESS_H
#define XVS_TESTS_OFTABLES_HARNESS_H 1

/* For the tests of OpenFlow tables: flow mods made and counted, and events as text.  One test
 * program includes it once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <malloc.h>
#include <time.h>

#include "ofproto/oftables.h"
#include "os/clock.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/compiler.h"
#include "util/xalloc.h"

static const struct of_requester of10 = {.owner = &of10, .xid = 7, .version = 1};
static const struct of_requester of13 = {.owner = &of13, .xid = 8, .version = 4};

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"

/* ---- Events, as text ---- */

static struct strbuf events = STRBUF_INIT;

static void
on_rule(enum rule_event ev, const struct rule *r, const struct rule *old, uint8_t reason,
        const struct of_requester *req, void *aux)
{
    strbuf_putf(&events, "%c%d", "AMD"[ev], r -> cls.priority);
    if (ev == RULE_EV_DELETED) {
        strbuf_putf(&events, "/%u", reason);
    }
    if (ev == RULE_EV_ADDED && old) {
        strbuf_putc(&events, '!'); /* gave way to its like */
    }
    assert_true(ev == RULE_EV_ADDED || (old != NULL) == (ev == RULE_EV_MODIFIED));
    strbuf_putc(&events, ' ');
}

static void
on_removed(const struct rule *r, uint8_t reason, void *aux)
{
    strbuf_putf(&events, "R%d/%u ", r->cls.priority, reason);
}

static void
on_status(uint8_t table_id, uint8_t reason, void *aux)
{
    strbuf_putf(&events, "T%u/%u ", table_id, reason);
}

static const struct oftables_ops ops = {
    .rule_event = on_rule, .flow_removed = on_removed, .table_status = on_status};

#define EXPECT_EVENTS(TEXT)                                                                    \
    do {                                                                                       \
        assert_string_equal(strbuf_cstr(&events), TEXT);                                       \
        strbuf_clear(&events);                                                                 \
    } while (0)

/* ---- Helpers ---- */

static struct of_flow_mod
mod(enum of_flow_command command, uint16_t priority, int in_port, uint16_t out)
{
    struct of_flow_mod fm = {
        .command = command,
        .table_id = command == OFPFC_DELETE || command == OFPFC_DELETE_STRICT ? OFPTT_ALL : 0,
        .priority = priority,
        .modify_cookie = true,
        .out_port = OFPP_NONE,
        .out_group = OFPG_ANY,
        .buffer_id = OFP_NO_BUFFER,
    };

    of_match_init(&fm.match);
    if (in_port >= 0) {
        of_match_set_u64(&fm.match, OFF_IN_PORT, (uint64_t) in_port);
    }
    if (out) {
        of_actions_put_output(&fm.actions, out, 0);
    }
    return fm;
}

static enum of_err
run_as(struct oftables *t, struct of_flow_mod *fm, const struct of_requester *req)
{
    enum of_err err = oftables_flow_mod(t, fm, req);

    of_actions_free(&fm->actions);
    return err;
}

static enum of_err
run(struct oftables *t, struct of_flow_mod fm)
{
    return run_as(t, &fm, &of13);
}

static bool
count_rule(struct rule *r, void *n)
{
    ++*(unsigned *) n;
    return true;
}

static unsigned
count(struct oftables *t)
{
    struct flow_select sel;
    unsigned n = 0;

    flow_select_init(&sel);
    oftables_for_each(t, &sel, count_rule, &n);
    assert_int_equal(n, oftables_aggregate(t, &sel).n_flows);
    return n;
}

static struct rule *
find(struct oftables *t, int priority, int in_port)
{
    struct of_flow_mod fm = mod(OFPFC_ADD, 0, in_port, 0);

    return oftables_find(t, 0, &fm.match, priority);
}

/* Port that the flow goes to, 0 for a drop, -1 for none. */
static int
lookup(struct oftables *t, uint64_t version, uint32_t in_port)
{
    struct flow flow;
    struct rule *r;

    memset(&flow, 0, sizeof flow);
    flow.meta.in_port = in_port;
    r = oftables_lookup(t, version, 0, &flow, NULL);
    return !r ? -1 : !r->acts_len ? 0 : ((const struct of_act_output *) rule_acts(r))->port;
}

static void
settle(struct oftables *t)
{
    rcu_barrier();
    oftables_run(t);
    rcu_barrier();
}

#endif
