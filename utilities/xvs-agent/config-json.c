/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file:
 *
 *     { "socket-dir": "/tmp/afxdp_dp", "pin": "/sys/fs/bpf/xvs", "once": false,
 *       "idle-timeout": 30,
 *       "devices": [ { "name": "eth1", "uid": [1000, 1001], "host": "pod-1", "queues": 4,
 *                      "xdp-mode": "native", "netns": "blue", "mtu": 9000, "promisc": true,
 *                      "socket": "/tmp/afxdp.sock" } ] }
 *
 * Only "devices" and their "name" are required.  Called while the agent starts. */

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"
#include "utilities/xvs-agent/config.h"

#define FILE_MAX (1024 * 1024)

/* A scalar of the file as the text that the command line would have. */
static char *
scalar_text(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? xstrdup(json_string_value(value))
                   : NULL;
    case JSON_INTEGER:
        return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_TRUE:
        return xstrdup("true");
    case JSON_FALSE:
        return xstrdup("false");
    default:
        return NULL;
    }
}

static bool
set_scalar(struct agent_device_config *d, const char *key, const json_t *value, char **errp)
{
    char *text = scalar_text(value);
    if (!text) {
        error_set(errp, "device %s: \"%s\" has a value of the wrong type", d->name, key);
        return false;
    }
    bool ok = agent_device_config_set(d, key, text, errp);
    free(text);
    return ok;
}

static bool
add_device(struct agent_config *c, json_t *object, char **errp)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    if (!name) {
        error_set(errp, "every element of \"devices\" must be an object with a \"name\"");
        return false;
    }
    struct agent_device_config *d = agent_config_add_device(c, name, errp);
    if (!d) {
        return false;
    }
    const char *key;
    json_t *value, *element;
    json_object_foreach(object, key, value)
    {
        size_t i;
        if (!strcmp(key, "name")) {
            continue;
        }
        if (strcmp(key, "uid") || !json_is_array(value)) {
            if (!set_scalar(d, key, value, errp)) {
                return false;
            }
            continue;
        }
        json_array_foreach(value, i, element)
        {
            if (!set_scalar(d, key, element, errp)) {
                return false;
            }
        }
    }
    return true;
}

static bool
set_path(char **to, const char *key, const json_t *value, char **errp)
{
    if (!json_is_string(value)) {
        error_set(errp, "\"%s\" must be a string", key);
        return false;
    }
    if (!*to) {
        *to = xstrdup(json_string_value(value));
    }
    return true;
}

static bool
set_global(struct agent_config *c, const char *key, const json_t *value, char **errp)
{
    if (!strcmp(key, "socket-dir")) {
        return set_path(&c->socket_dir, key, value, errp);
    }
    if (!strcmp(key, "pin")) {
        return set_path(&c->pin_dir, key, value, errp);
    }
    if (!strcmp(key, "once")) {
        if (!json_is_boolean(value)) {
            error_set(errp, "\"once\" must be true or false");
            return false;
        }
        c->once |= json_is_true(value);
        return true;
    }
    if (!strcmp(key, "idle-timeout")) {
        json_int_t s = json_integer_value(value);
        if (!json_is_integer(value) || s < 1 || s > AGENT_IDLE_S_MAX) {
            error_set(errp, "\"idle-timeout\" must be a number from 1 to %u", AGENT_IDLE_S_MAX);
            return false;
        }
        if (!c->idle_s) {
            c->idle_s = (unsigned) s;
        }
        return true;
    }
    error_set(errp, "there is no setting \"%s\"", key);
    return false;
}

static bool
add_root(struct agent_config *c, json_t *root, char **errp)
{
    const char *key;
    json_t *value, *element;
    if (!json_is_object(root)) {
        error_set(errp, "not a JSON object");
        return false;
    }
    json_object_foreach(root, key, value)
    {
        size_t i;
        if (strcmp(key, "devices")) {
            if (!set_global(c, key, value, errp)) {
                return false;
            }
            continue;
        }
        if (!json_is_array(value)) {
            error_set(errp, "\"devices\" must be an array");
            return false;
        }
        json_array_foreach(value, i, element)
        {
            if (!add_device(c, element, errp)) {
                return false;
            }
        }
    }
    return true;
}

bool
agent_config_add_json(struct agent_config *c, const char *text, size_t len, char **errp)
{
    json_error_t e;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
    if (!root) {
        error_set(errp, "line %d: %s", e.line, e.text);
        return false;
    }
    bool ok = add_root(c, root, errp);
    json_decref(root);
    return ok;
}

bool
agent_config_add_file(struct agent_config *c, const char *path, char **errp)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        error_set(errp, "cannot read %s (%s)", path, strerror(errno));
        return false;
    }
    char *text = xmalloc(FILE_MAX + 1), *error = NULL;
    size_t n = fread(text, 1, FILE_MAX + 1, f);
    bool ok = false;
    if (ferror(f) || n > FILE_MAX) {
        error_set(errp, "cannot read %s (%s)", path,
                  ferror(f) ? "input/output error" : "too large");
    } else {
        ok = agent_config_add_json(c, text, n, &error);
        if (!ok) {
            error_set(errp, "%s: %s", path, error ? error : "invalid");
        }
    }
    free(error);
    free(text);
    fclose(f);
    return ok;
}
