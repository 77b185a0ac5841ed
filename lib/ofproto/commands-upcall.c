/* SPDX-License-Identifier: Apache-2.0 */
/* Control commands about misses and revalidation: upcall/..., revalidator/...  Main thread.
 *
 * A command that has to wait for a pass is answered when the revalidator, through a descriptor
 * that the event loop watches, says that it is done: main never waits here. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log/ctl.h"
#include "log/log.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/revalidator.h"
#include "ofproto/xlate.h"
#include "os/ev-async.h"
#include "util/num.h"
#include "util/xalloc.h"

LOG_MODULE(ofproto_commands);

struct waiter {
    struct ctl_conn *conn;
    uint64_t ticket;
    struct waiter *next;
};
static struct waiter *waiters;
static struct ev_async done;
static bool terse = true; /* upcall/enable-ufid */

/* Revalidator thread. */
static void
notify_done(void)
{
    ev_async_send(&done);
}

static void
answer_waiters(bool all)
{
    uint64_t completed = revalidator_completed();

    for (struct waiter **wp = &waiters; *wp;) {
        struct waiter *w = *wp;

        if (all || w->ticket <= completed) {
            *wp = w->next;
            ctl_reply(w->conn, "");
            free(w);
        } else {
            wp = &w->next;
        }
    }
}

static void
done_cb(void *aux)
{
    answer_waiters(false);
}

static void
answer_after_pass(struct ctl_conn *conn, bool purge)
{
    struct waiter *w = xzalloc(sizeof *w);

    w->conn = conn;
    w->ticket = revalidator_request(purge);
    w->next = waiters;
    waiters = w;
    if (done.fd < 0) {
        revalidator_wait(w->ticket, 1000);
        answer_waiters(true);
    }
}

static void
revalidator_wait_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    answer_after_pass(conn, false);
}

static void
revalidator_purge_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    answer_after_pass(conn, true);
}

static void
revalidator_hold_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *on)
{
    revalidator_hold(on != NULL);
    ctl_reply(conn, "");
}

static void
upcall_show(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;
    struct revalidator_status st;
    size_t n_dps;
    const struct ofproto_dp **dps = ofproto_dps_sorted(&n_dps);

    revalidator_get_status(&st);
    for (size_t i = 0; i < n_dps; i++) {
        struct dp_stats stats;

        dp_get_stats(dps[i]->dp, &stats);
        strbuf_putf(&s, "%s@%s:\n", dp_type(dps[i]->dp), dp_name(dps[i]->dp));
        strbuf_putf(&s, "  flows         : (current %u) (avg %u) (max %u) (limit %u)\n",
                    stats.n_flows, st.avg_flows, MAX(st.max_flows, stats.n_flows),
                    st.flow_limit);
        strbuf_putf(&s, "  dump duration : %" PRId64 "ms\n", MAX(st.dump_ms, 1));
        strbuf_putf(&s, "  ufid enabled : %s\n\n",
                    terse && dps[i]->features.now[DPF_UFID] ? "true" : "false");
        strbuf_putf(&s, "  %u: (keys %u)\n", st.thread_id, stats.n_flows);
    }
    free(dps);
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

static void
upcall_set_flow_limit(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    uint64_t limit;

    if (!num_parse_u64(argv[1], 0, UINT32_MAX, &limit)) {
        ctl_reply_errorf(conn, "%s is not a number of flows", argv[1]);
        return;
    }
    revalidator_set_flow_limit((uint32_t) limit);
    ctl_replyf(conn, "set flow_limit to %" PRIu64 "\n", limit);
}

static void
upcall_megaflows(struct ctl_conn *conn, int argc, const char *const argv[], void *on)
{
    xlate_set_megaflows(on != NULL);
    revalidator_request(true);
    ctl_reply(conn, on ? "megaflows enabled\n" : "megaflows disabled\n");
}

/* Whether flows are named by their UFID alone when they are dumped: here a flow needs no
 * naming, so that there is nothing to it but the answer. */
static void
upcall_ufid(struct ctl_conn *conn, int argc, const char *const argv[], void *on)
{
    terse = on != NULL;
    ctl_reply(conn, on ? "Datapath dumping tersely using UFID enabled for supported datapaths\n"
                       : "Datapath dumping tersely using UFID disabled\n");
}

void
ofproto_commands_upcall_register(void)
{
    static char on;

    ctl_command_register("revalidator/wait", "", 0, 0, revalidator_wait_cmd, NULL);
    ctl_command_register("revalidator/purge", "", 0, 0, revalidator_purge_cmd, NULL);
    ctl_command_register("revalidator/pause", "", 0, 0, revalidator_hold_cmd, &on);
    ctl_command_register("revalidator/resume", "", 0, 0, revalidator_hold_cmd, NULL);
    ctl_command_register("upcall/show",
                         ""
                         "",
                         0, 0, upcall_show, NULL);
    ctl_command_register("upcall/set-flow-limit", "flow-limit-number", 1, 1,
                         upcall_set_flow_limit, NULL);
    ctl_command_register("upcall/disable-megaflows", "", 0, 0, upcall_megaflows, NULL);
    ctl_command_register("upcall/enable-megaflows", "", 0, 0, upcall_megaflows, &on);
    ctl_command_register("upcall/disable-ufid", "", 0, 0, upcall_ufid, NULL);
    ctl_command_register("upcall/enable-ufid", "", 0, 0, upcall_ufid, &on);
}

void
ofproto_commands_upcall_init(struct evloop *loop)
{
    ev_async_init(&done, loop, done_cb, NULL);
    revalidator_set_notify(notify_done);
}

void
ofproto_commands_upcall_exit(void)
{
    answer_waiters(true);
    ev_async_destroy(&done);
}
