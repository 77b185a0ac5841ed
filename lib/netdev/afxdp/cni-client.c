/* SPDX-License-Identifier: Apache-2.0 */
/* The switch's side of the device plugin's socket: who wants which map, what is remembered, and
 * when to ask (again).  Called by afxdp-map.c and main.c on the main thread; sessions are in
 * cni-session.c, the protocol is in lib/xskcni.  It knows nothing of ports: news are announced
 * by device name. */

#include "netdev/afxdp/cni-private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/coverage.h"
#include "log/log.h"
#include "netdev/netdev-provider.h"
#include "os/clock.h"
#include "os/daemon-keep.h"
#include "util/xalloc.h"

LOG_MODULE(cni_client);
COVERAGE_DEFINE(cni_map_received);
COVERAGE_DEFINE(cni_map_refused);

/* How long a first answer is waited for before the port is reported as waiting. */
#define FIRST_WAIT_MS 3000
#define KEEP_PREFIX "xskmap:"

extern char **environ;

/* A map that was handed over.  Never freed: there may be no second chance. */
struct map {
    struct cds_list_head node;
    char *path, *device;
    int fd;
    bool doubted;
};

static CDS_LIST_HEAD(maps);
static CDS_LIST_HEAD(wishes);
static struct evloop *main_loop;
static struct ev_timer wish_timer;
static struct ev_defer announce_defer;

int64_t
cni_now_ms(void)
{
    return clock_real_ns() / 1000000;
}

/* -- Maps. -- */

static struct map *
map_find_at(const char *path, const char *device)
{
    struct map *m;

    cds_list_for_each_entry(m, &maps, node)
    {
        if (!strcmp(m->device, device) && !strcmp(m->path, path)) {
            return m;
        }
    }
    return NULL;
}

/* Without a path of its own a port takes a map from either place: the newer one's socket may be
 * gone by now, when the custom points to the older. */
static struct map *
map_find(const char *dp_path, const char *device)
{
    char newer[64];

    if (dp_path) {
        return map_find_at(dp_path, device);
    }
    snprintf(newer, sizeof newer, "/tmp/afxdp_dp/%.15s/afxdp.sock", device);
    struct map *m = map_find_at(newer, device);
    return m ? m : map_find_at("/tmp/afxdp.sock", device);
}

/* Takes `fd`. */
static void
map_put(const char *path, const char *device, int fd)
{
    struct map *m = map_find_at(path, device);

    if (!m) {
        m = xzalloc(sizeof *m);
        m->path = xstrdup(path);
        m->device = xstrdup(device);
        cds_list_add_tail(&m->node, &maps);
    } else {
        close(m->fd);
    }
    m->fd = fd;
    m->doubted = false;
}

static void
map_take_over(const char *name, int fd, void *aux)
{
    const char *device = name + strlen(KEEP_PREFIX);
    const char *colon =
        strncmp(name, KEEP_PREFIX, strlen(KEEP_PREFIX)) ? NULL : strchr(device, ':');
    char err[XSKCNI_SENTENCE_MAX];

    if (!colon || xskcni_check_map(fd, 1, err, sizeof err)) {
        close(fd);
        return;
    }
    char *dev = xasprintf("%.*s", (int) (colon - device), device);
    LOG_INFO("%s: XSKMAP of %s was kept over the crash", dev, colon + 1);
    map_put(colon + 1, dev, fd);
    free(dev);
}

static void
map_keep_over_crash(const char *path, const char *device, int fd)
{
    char *name = xasprintf(KEEP_PREFIX "%s:%s", device, path);
    int error = daemon_keep_fd(name, fd);

    if (error) {
        LOG_WARN("%s: its XSKMAP would not survive a crash (%s)", device, strerror(error));
    }
    free(name);
}

/* -- Wishes. -- */

static void
arm_wishes(void)
{
    int64_t now = cni_now_ms(), next = INT64_MAX;
    struct cni_wish *w;

    cds_list_for_each_entry(w, &wishes, node)
    {
        if (!w->session) {
            next = MIN(next, w->retry_ms);
        }
        if (!w->text) {
            next = MIN(next, w->since_ms + FIRST_WAIT_MS);
        }
    }
    if (next == INT64_MAX) {
        ev_timer_stop(&wish_timer);
    } else {
        ev_timer_start(&wish_timer, MAX(next - now, 0));
    }
}

static struct cni_wish *
wish_find(const char *dp_path, const char *device)
{
    struct cni_wish *w;

    cds_list_for_each_entry(w, &wishes, node)
    {
        if (!strcmp(w->device, device) &&
            !strcmp(w->dp_path ? w->dp_path : "", dp_path ? dp_path : "")) {
            return w;
        }
    }
    return NULL;
}

static void
wish_free(struct cni_wish *w)
{
    if (w->session) {
        cni_session_cancel_map(w->session, w);
    }
    cds_list_del(&w->node);
    free(w->device);
    free(w->dp_path);
    free(w->text);
    free(w->refusal);
    free(w);
}

static void
announce(struct cni_wish *w)
{
    w->news = true;
    ev_defer_start(&announce_defer);
}

/* Takes `text`. */
static void
wish_set_text(struct cni_wish *w, char *text)
{
    if (!w->text || strcmp(w->text, text)) {
        if (w->prefetch) {
            LOG_INFO("%s: %s", w->device, text);
        }
        announce(w);
    }
    free(w->text);
    w->text = text;
}

static void
wish_later(struct cni_wish *w)
{
    w->pause_ms =
        w->pause_ms ? MIN(2 * w->pause_ms, CNI_CLIENT_RETRY_MAX_MS) : CNI_CLIENT_RETRY_MIN_MS;
    w->retry_ms = cni_now_ms() + w->pause_ms;
    arm_wishes();
}

int
cni_wish_path(const char *dp_path, const char *device, char *path, size_t sz)
{
    if (!dp_path) {
        return xskcni_default_path(NULL, device, path, sz);
    }
    snprintf(path, sz, "%s", dp_path);
    return 0;
}

/* 0 or EINVAL with the sentence in *errp. */
static int
wish_ask(struct cni_wish *w, char **errp)
{
    char path[CNI_PATH_SZ];
    int error = cni_wish_path(w->dp_path, w->device, path, sizeof path);

    if (error) {
        error_set(errp, "%s cannot be the name of a device that a plugin serves", w->device);
        return EINVAL;
    }
    w->session = cni_session_get(main_loop, path, errp);
    if (!w->session) {
        return EINVAL;
    }
    error = cni_session_get_map(w->session, w, errp);
    if (error) {
        w->session = NULL;
    }
    return error;
}

static struct cni_wish *
wish_create(const char *dp_path, const char *device)
{
    struct cni_wish *w = xzalloc(sizeof *w);

    w->device = xstrdup(device);
    w->dp_path = xstrdup_nullable(dp_path);
    w->since_ms = w->used_ms = cni_now_ms();
    cds_list_add_tail(&w->node, &wishes);
    return w;
}

void
cni_wishes_opened(const char *path)
{
    char other[CNI_PATH_SZ];
    struct cni_wish *w;

    cds_list_for_each_entry(w, &wishes, node)
    {
        if (!w->session && !cni_wish_path(w->dp_path, w->device, other, sizeof other) &&
            !strcmp(other, path)) {
            char *err = NULL;
            if (wish_ask(w, &err)) {
                wish_later(w);
            }
            free(err);
        }
    }
}

static void
wish_refused(struct cni_wish *w, const char *path, enum xskcni_result result,
             const char *message)
{
    struct map *old = map_find(w->dp_path, w->device);

    COVERAGE_INC(cni_map_refused);
    if (old) { /* no news: the old one must do */
        old->doubted = false;
        w->done = true;
        announce(w);
        return;
    }
    if (result != XSKCNI_ABSENT) {
        free(w->refusal);
        w->refusal = xstrdup(message);
        wish_set_text(w, xstrdup(message));
    } else if (w->refusal) {
        wish_set_text(w, xasprintf("%s (since then nobody serves %s, which is waited for)",
                                   w->refusal, path));
    } else {
        wish_set_text(
            w, xasprintf("waiting for the AF_XDP device plugin at %s: %s", path, message));
    }
    wish_later(w);
}

void
cni_wish_answered(struct cni_wish *w, const char *path, enum xskcni_result result, int fd,
                  const char *message)
{
    char err[XSKCNI_SENTENCE_MAX];

    w->session = NULL;
    if (result == XSKCNI_OK && xskcni_check_map(fd, 1, err, sizeof err)) {
        char *text =
            xasprintf("what the AF_XDP device plugin at %s handed over for %s is of no "
                      "use: %s",
                      path, w->device, err);
        close(fd);
        wish_refused(w, path, XSKCNI_BAD_FDS, text);
        free(text);
        return;
    }
    if (result != XSKCNI_OK) {
        wish_refused(w, path, result, message);
        return;
    }
    COVERAGE_INC(cni_map_received);
    LOG_INFO("%s: received its XSKMAP from the AF_XDP device plugin at %s", w->device, path);
    map_keep_over_crash(path, w->device, fd);
    map_put(path, w->device, fd);
    w->done = true;
    announce(w);
}

bool
cni_path_matters(const char *path)
{
    char other[CNI_PATH_SZ];
    struct cni_wish *w;
    struct map *m;

    cds_list_for_each_entry(m, &maps, node)
    {
        if (!strcmp(m->path, path)) {
            return true;
        }
    }
    cds_list_for_each_entry(w, &wishes, node)
    {
        if (!cni_wish_path(w->dp_path, w->device, other, sizeof other) &&
            !strcmp(other, path)) {
            return true;
        }
    }
    return false;
}

static void
on_announce(struct ev_defer *d)
{
    struct cni_wish *w, *next;

    cds_list_for_each_entry_safe(w, next, &wishes, node)
    {
        if (w->news) {
            w->news = false;
            netdev_announce(w->device);
        }
        if (w->done) {
            wish_free(w);
        }
    }
    arm_wishes();
}

static void
on_wish_timer(struct ev_timer *t)
{
    int64_t now = cni_now_ms();
    struct cni_wish *w, *next;

    cds_list_for_each_entry_safe(w, next, &wishes, node)
    {
        if (w->done) {
            continue;
        }
        if (!w->prefetch && now - w->used_ms > CNI_CLIENT_WISH_MS) {
            wish_free(w);
            continue;
        }
        if (!w->text && now - w->since_ms >= FIRST_WAIT_MS) {
            wish_set_text(w, xasprintf("the AF_XDP device plugin has not answered yet; its "
                                       "answer for %s is waited for",
                                       w->device));
        }
        if (!w->session && w->retry_ms <= now) {
            char *err = NULL;
            if (wish_ask(w, &err)) {
                wish_set_text(w, err ? err : xstrdup("cannot ask the AF_XDP device plugin"));
                wish_later(w);
            }
        }
    }
    cni_sessions_collect();
    arm_wishes();
}

/* -- For everybody. -- */

void
cni_client_init(struct evloop *loop)
{
    if (main_loop) {
        return;
    }
    main_loop = loop;
    ev_timer_init(&wish_timer, loop, on_wish_timer, NULL);
    ev_defer_init(&announce_defer, loop, on_announce, NULL);
    daemon_kept_for_each(map_take_over, NULL);
}

int
cni_client_get_map(const char *dp_path, const char *device, int *fd, const char **path,
                   char **errp)
{
    struct map *m = map_find(dp_path, device);
    struct cni_wish *w;

    if (m && !m->doubted) {
        if (fd) {
            *fd = m->fd;
        }
        if (path) {
            *path = m->path;
        }
        return 0;
    }
    w = wish_find(dp_path, device);
    if (!w) {
        w = wish_create(dp_path, device);
        int error = wish_ask(w, errp);
        if (error) {
            wish_free(w);
            return error;
        }
        arm_wishes();
    }
    w->used_ms = cni_now_ms();
    if (!w->text) {
        error_set(errp, "asking the AF_XDP device plugin for %s", device);
        return EINPROGRESS;
    }
    error_set(errp, "%s", w->text);
    return EAGAIN;
}

void
cni_client_doubt_map(const char *dp_path, const char *device)
{
    struct map *m = map_find(dp_path, device);

    if (m) {
        m->doubted = true;
    }
}

static void
prefetch_list(const char *list)
{
    static const char separators[] = ", \t\n;";

    while (*(list += strspn(list, separators))) {
        size_t len = strcspn(list, separators);
        char *device = xasprintf("%.*s", (int) len, list), *err = NULL;

        if (!map_find(NULL, device) && !wish_find(NULL, device)) {
            struct cni_wish *w = wish_create(NULL, device);
            w->prefetch = true;
            if (wish_ask(w, &err)) {
                LOG_WARN("cannot prefetch %s: %s", device, err ? err : "?");
                wish_free(w);
            }
            free(err);
        }
        free(device);
        list += len;
    }
}

void
cni_client_prefetch(void)
{
    static const char prefix[] = "AFXDP_DEVICES_";
    unsigned n = 0;

    for (char **e = environ; e && *e; e++) {
        const char *value = strchr(*e, '=');
        if (value && !strncmp(*e, prefix, strlen(prefix))) {
            prefetch_list(value + 1);
            n++;
        }
    }
    if (!n) {
        LOG_INFO("--cni-prefetch: no variable %s* names devices", prefix);
    }
    arm_wishes();
}

void
cni_client_busy_poll(const char *dp_path, const char *device, int xsk_fd, unsigned timeout_us,
                     unsigned budget, void (*cb)(void *aux, const char *error), void *aux)
{
    struct map *m = map_find(dp_path, device);
    char path[CNI_PATH_SZ], *err = NULL;
    struct cni_session *s = NULL;

    if (m || !cni_wish_path(dp_path, device, path, sizeof path)) {
        s = cni_session_get(main_loop, m ? m->path : path, &err);
    }
    if (!s || cni_session_busy_poll(s, xsk_fd, timeout_us, budget, cb, aux, &err)) {
        cb(aux, err ? err : "cannot ask the AF_XDP device plugin");
    }
    free(err);
}

void
cni_client_show(struct strbuf *out)
{
    struct cni_wish *w;
    struct map *m;

    cni_sessions_show(out);
    cds_list_for_each_entry(m, &maps, node)
    {
        strbuf_putf(out, "XSKMAP of %s from %s: kept%s\n", m->device, m->path,
                    m->doubted ? ", to be replaced" : "");
    }
    cds_list_for_each_entry(w, &wishes, node)
    {
        strbuf_putf(out, "XSKMAP of %s: %s\n", w->device, w->text ? w->text : "asked for");
    }
}
