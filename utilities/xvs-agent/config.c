/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of devices as text, and the checks across devices.  Called while the agent starts.
 * Must not know how settings are put into effect. */

#include "utilities/xvs-agent/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/compiler.h"
#include "util/num.h"
#include "util/xalloc.h"
#include "utilities/xvs-agent/request.h"

void
agent_config_init(struct agent_config *c)
{
    memset(c, 0, sizeof *c);
}

void
agent_config_free(struct agent_config *c)
{
    for (unsigned i = 0; i < c->n_devices; i++) {
        free(c->devices[i].host);
        free(c->devices[i].netns);
        free(c->devices[i].socket);
    }
    free(c->socket_dir);
    free(c->pin_dir);
    memset(c, 0, sizeof *c);
}

static const char *const mode_names[] = {
    [AGENT_MODE_BEST_EFFORT] = "best-effort",
    [AGENT_MODE_NATIVE] = "native",
    [AGENT_MODE_GENERIC] = "generic",
};

const char *
agent_mode_name(enum agent_mode mode)
{
    return mode_names[mode];
}

bool
agent_device_config_allows(const struct agent_device_config *d, uid_t uid)
{
    bool allowed = uid == 0;
    for (unsigned i = 0; i < d->n_uids; i++) {
        allowed |= d->uids[i] == uid;
    }
    return allowed;
}

struct agent_device_config *
agent_config_add_device(struct agent_config *c, const char *name, char **errp)
{
    if (!request_name_ok(name, sizeof c->devices[0].name - 1) || strchr(name, ':') ||
        !strcmp(name, ".") || !strcmp(name, "..")) {
        error_set(errp, "\"%s\" is not the name of a network device", name);
        return NULL;
    }
    for (unsigned i = 0; i < c->n_devices; i++) {
        if (!strcmp(c->devices[i].name, name)) {
            error_set(errp, "device %s is named twice", name);
            return NULL;
        }
    }
    if (c->n_devices == AGENT_DEVICES_MAX) {
        error_set(errp, "more than %d devices", AGENT_DEVICES_MAX);
        return NULL;
    }
    struct agent_device_config *d = &c->devices[c->n_devices++];
    memset(d, 0, sizeof *d);
    memcpy(d->name, name, strlen(name) + 1);
    d->promisc = -1;
    return d;
}

static bool
bad_value(const struct agent_device_config *d, const char *key, const char *value,
          const char *wanted, char **errp)
{
    error_set(errp, "device %s: %s=%s: %s", d->name, key, value, wanted);
    return false;
}

static bool
set_uid(struct agent_device_config *d, const char *value, char **errp)
{
    uint64_t uid;
    /* The two highest stand for "no such user" in the kernel's interfaces. */
    if (!num_parse_u64(value, 0, UINT32_MAX - 2, &uid)) {
        return bad_value(d, "uid", value, "expected the number of a user", errp);
    }
    if (agent_device_config_allows(d, (uid_t) uid)) {
        return true;
    }
    if (d->n_uids == AGENT_UIDS_MAX) {
        return bad_value(d, "uid", value, "too many users", errp);
    }
    d->uids[d->n_uids++] = (uid_t) uid;
    return true;
}

static bool
set_text(struct agent_device_config *d, char **to, const char *key, const char *value,
         char **errp)
{
    if (*to) {
        return bad_value(d, key, value, "given twice", errp);
    }
    *to = xstrdup(value);
    return true;
}

static bool
set_mode(struct agent_device_config *d, const char *value, char **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(mode_names); i++) {
        if (!strcmp(value, mode_names[i])) {
            d->mode = (enum agent_mode) i;
            return true;
        }
    }
    return bad_value(d, "xdp-mode", value, "expected best-effort, native or generic", errp);
}

static bool
set_promisc(struct agent_device_config *d, const char *value, char **errp)
{
    bool on = !strcmp(value, "on") || !strcmp(value, "true");
    if (!on && strcmp(value, "off") && strcmp(value, "false")) {
        return bad_value(d, "promisc", value, "expected on or off", errp);
    }
    d->promisc = on;
    return true;
}

/* A name of /run/netns, a process number, or an absolute path. */
static bool
is_netns(const char *s)
{
    return s[0] == '/' ? s[1] != '\0'
                       : s[0] && !strchr(s, '/') && strcmp(s, ".") && strcmp(s, "..");
}

bool
agent_device_config_set(struct agent_device_config *d, const char *key, const char *value,
                        char **errp)
{
    int number;
    if (!strcmp(key, "uid")) {
        return set_uid(d, value, errp);
    }
    if (!strcmp(key, "host")) {
        return request_name_ok(value, REQUEST_HOST_MAX)
                   ? set_text(d, &d->host, key, value, errp)
                   : bad_value(d, key, value, "not a host name that clients can send", errp);
    }
    if (!strcmp(key, "queues")) {
        if (!num_parse_int(value, 1, 1024, &number)) {
            return bad_value(d, key, value, "expected a number from 1 to 1024", errp);
        }
        d->queues = (unsigned) number;
        return true;
    }
    if (!strcmp(key, "mtu")) {
        if (!num_parse_int(value, 68, 65535, &number)) {
            return bad_value(d, key, value, "expected a number from 68 to 65535", errp);
        }
        d->mtu = number;
        return true;
    }
    if (!strcmp(key, "xdp-mode")) {
        return set_mode(d, value, errp);
    }
    if (!strcmp(key, "promisc")) {
        return set_promisc(d, value, errp);
    }
    if (!strcmp(key, "netns")) {
        return is_netns(value)
                   ? set_text(d, &d->netns, key, value, errp)
                   : bad_value(d, key, value,
                               "expected a name in /run/netns, a process number or an "
                               "absolute path",
                               errp);
    }
    if (!strcmp(key, "socket")) {
        return value[0] == '/' ? set_text(d, &d->socket, key, value, errp)
                               : bad_value(d, key, value, "expected an absolute path", errp);
    }
    error_set(errp, "device %s: there is no setting \"%s\"", d->name, key);
    return false;
}

bool
agent_config_add_spec(struct agent_config *c, const char *spec, char **errp)
{
    char *copy = xstrdup(spec), *rest = strchr(copy, ':'), *save = NULL;
    if (rest) {
        *rest++ = '\0';
    }
    struct agent_device_config *d = agent_config_add_device(c, copy, errp);
    bool ok = d != NULL;
    if (ok && rest && !*rest) {
        error_set(errp, "device %s: nothing follows the colon", d->name);
        ok = false;
    }
    for (char *s = rest ? strtok_r(rest, ",", &save) : NULL; ok && s;
         s = strtok_r(NULL, ",", &save)) {
        char *value = strchr(s, '=');
        if (!value) {
            error_set(errp, "device %s: \"%s\" is not KEY=VALUE", d->name, s);
            ok = false;
        } else {
            *value++ = '\0';
            ok = agent_device_config_set(d, s, value, errp);
        }
    }
    free(copy);
    return ok;
}

/* Whether the same clients may use both. */
static bool
same_clients(const struct agent_device_config *a, const struct agent_device_config *b)
{
    bool same = a->n_uids == b->n_uids && !a->host == !b->host &&
                (!a->host || !strcmp(a->host, b->host));
    for (unsigned i = 0; same && i < a->n_uids; i++) {
        same = agent_device_config_allows(b, a->uids[i]);
    }
    return same;
}

static bool
check_sockets(const struct agent_config *c, char **errp)
{
    for (unsigned i = 0; i < c->n_devices; i++) {
        for (unsigned j = 0; j < i; j++) {
            const struct agent_device_config *a = &c->devices[j], *b = &c->devices[i];
            if (!strcmp(a->socket, b->socket) && !same_clients(a, b)) {
                error_set(errp,
                          "devices %s and %s share the socket %s but not the same uid and host",
                          a->name, b->name, a->socket);
                return false;
            }
        }
    }
    return true;
}

bool
agent_config_finish(struct agent_config *c, char **errp)
{
    if (!c->n_devices) {
        error_set(errp, "no device to serve: say --device NAME or name them in --config FILE");
        return false;
    }
    if (!c->socket_dir) {
        c->socket_dir = xstrdup(AGENT_DEFAULT_DIR);
    }
    if (!c->idle_s) {
        c->idle_s = AGENT_IDLE_S;
    }
    if (c->socket_dir[0] != '/' || (c->pin_dir && c->pin_dir[0] != '/')) {
        error_set(errp, "\"%s\" is not an absolute path",
                  c->socket_dir[0] != '/' ? c->socket_dir : c->pin_dir);
        return false;
    }
    for (unsigned i = 0; i < c->n_devices; i++) {
        struct agent_device_config *d = &c->devices[i];
        if (!d->socket) {
            d->socket = xasprintf("%s/%s/afxdp.sock", c->socket_dir, d->name);
        }
        if (strlen(d->socket) > 107) {
            error_set(errp, "%s is too long for the path of a socket", d->socket);
            return false;
        }
    }
    return check_sockets(c, errp);
}
