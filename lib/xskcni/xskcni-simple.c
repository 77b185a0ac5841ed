/* SPDX-License-Identifier: Apache-2.0 */

/* What simple clients need: where the socket is by custom, and a whole session in one blocking
 * call.  Called by users on any thread; the switch itself uses only the path.  Built on the
 * public functions of the session. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "xskcni/xskcni-private.h"

int
xskcni_default_path(const char *root, const char *device, char *path, size_t sz)
{
    root = root ? root : "";
    if (xskcni__name_fault(device, XSKCNI_DEVICE_MAX, true)) {
        return EINVAL;
    }
    struct stat st;
    char newer[512];
    int n = snprintf(newer, sizeof newer, "%s/tmp/afxdp_dp/%s/afxdp.sock", root, device);
    if (n >= (int) sizeof newer) {
        return ENAMETOOLONG;
    }
    bool exists = !stat(newer, &st) || errno == EACCES;
    n = exists ? snprintf(path, sz, "%s", newer)
               : snprintf(path, sz, "%s/tmp/afxdp.sock", root);
    return n >= 0 && (size_t) n < sz ? 0 : ENAMETOOLONG;
}

#define FIN_MS 200 /* a descriptor in hand is worth more than the last acknowledgement */

static int64_t
monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct outcome {
    bool answered, over;
    int64_t end_ms; /* when to stop waiting */
    int error, fd;
    char message[XSKCNI_SENTENCE_MAX];
};

/* The first failure counts, and nothing after the answer does. */
static void
note(void *aux, const struct xskcni_reply *reply)
{
    struct outcome *o = aux;
    if (reply->op == XSKCNI_OP_MAP) {
        o->fd = reply->fd;
        o->answered = true;
    }
    if (reply->op == XSKCNI_OP_END || (reply->op == XSKCNI_OP_OPEN && reply->result)) {
        o->over = true;
    }
    if (reply->result && !o->error && reply->op != XSKCNI_OP_END) {
        o->error = reply->error;
        snprintf(o->message, sizeof o->message, "%s", reply->message);
    }
}

/* Runs the session until it is over or its time is up. */
static void
run(struct xskcni_session *s, struct outcome *o)
{
    bool parting = false;
    for (;;) {
        int64_t now = monotonic_ms();
        xskcni_process(s, now);
        if (o->answered && !parting) {
            parting = true;
            o->end_ms = o->end_ms < now + FIN_MS ? o->end_ms : now + FIN_MS;
        }
        if (o->over || now >= o->end_ms) {
            return;
        }
        int64_t until = xskcni_deadline_ms(s);
        until = until < o->end_ms ? until : o->end_ms;
        int wait = until <= now ? 0 : (int) (until - now);
        struct pollfd p = {.fd = xskcni_fd(s), .events = xskcni_events(s)};
        poll(&p, 1, wait); /* a failure or a signal only means another turn */
    }
}

/* What has come of it, as an errno and a sentence. */
static int
verdict(const struct outcome *o, const struct xskcni_session *s, const char *device,
        unsigned timeout_ms, char *err, size_t err_sz)
{
    if (o->error) {
        xskcni__format(err, err_sz, "%s", o->message);
        return o->error;
    }
    if (!o->answered) {
        xskcni__format(
            err, err_sz,
            "the AF_XDP device plugin at %s did not hand over device %s within %u ms: "
            "check the plugin's log, and restart it if it hangs",
            xskcni_path(s), device, timeout_ms);
        return ETIMEDOUT;
    }
    char why[256];
    int error = xskcni_check_map(o->fd, 1, why, sizeof why);
    if (error) {
        xskcni__format(err, err_sz,
                       "what the AF_XDP device plugin at %s handed over for device %s is of no "
                       "use: %s",
                       xskcni_path(s), device, why);
    }
    return error;
}

int
xskcni_get_map_fd(const char *path, const char *device, unsigned timeout_ms, int *fd, char *err,
                  size_t err_sz)
{
    *fd = -1;
    char custom[512];
    const char *fault = xskcni__name_fault(device, XSKCNI_DEVICE_MAX, true);
    if (fault) {
        xskcni__format(err, err_sz, "device name \"%.80s\" %s", device ? device : "", fault);
        return EINVAL;
    }
    if (!timeout_ms || timeout_ms > XSKCNI_STEP_MS_MAX) {
        xskcni__format(err, err_sz, "time limit %u ms is not in the range 1 to %u", timeout_ms,
                       XSKCNI_STEP_MS_MAX);
        return EINVAL;
    }
    if (!path && !xskcni_default_path(NULL, device, custom, sizeof custom)) {
        path = custom;
    }
    struct outcome o = {.fd = -1, .end_ms = monotonic_ms() + timeout_ms};
    struct xskcni_options options = {
        .sz = sizeof options, .path = path, .step_ms = timeout_ms, .cb = note, .aux = &o};
    struct xskcni_session *s = xskcni_session_new(&options, err, err_sz);
    if (!s) {
        return errno;
    }
    int error = xskcni_get_map(s, device, NULL);
    if (error) {
        xskcni__format(err, err_sz, "%s", xskcni_last_error(s));
    } else {
        xskcni_fin(s);
        run(s, &o);
        error = verdict(&o, s, device, timeout_ms, err, err_sz);
    }
    xskcni_session_free(s);
    if (!error) {
        *fd = o.fd;
    } else if (o.fd >= 0) {
        close(o.fd);
    }
    return error;
}
