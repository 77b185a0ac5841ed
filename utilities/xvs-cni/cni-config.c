/* SPDX-License-Identifier: Apache-2.0 */
/* Parses and judges the network configuration.  Called by main() and by the fuzz target; reads
 * memory alone, and must not touch devices, files or the environment. */

#include "utilities/xvs-cni/cni-config.h"

#include <ctype.h>
#include <string.h>

#include "utilities/xvs-cni/cni-ethtool.h"

bool
cni_device_is_valid(const char *s)
{
    if (!s[0] || strlen(s) > CNI_DEVICE_MAX || !strcmp(s, ".") || !strcmp(s, "..")) {
        return false;
    }
    for (; *s; s++) {
        if (!isalnum((unsigned char) *s) && !strchr("_-.", *s)) {
            return false;
        }
    }
    return true;
}

/* A string member; "" when it is absent or null.  Anything else is an error. */
static bool
get_string(const json_t *object, const char *key, const char **out, struct cni_error *e)
{
    const json_t *value = json_object_get(object, key);
    *out = "";
    if (!value || json_is_null(value)) {
        return true;
    }
    if (!json_is_string(value)) {
        return cni_fail(e, CNI_ECONFIG, "\"%s\" in the network configuration is not a string",
                        key);
    }
    *out = json_string_value(value);
    return true;
}

static bool
get_bool(const json_t *object, const char *key, bool *out, struct cni_error *e)
{
    const json_t *value = json_object_get(object, key);
    *out = false;
    if (!value || json_is_null(value)) {
        return true;
    }
    if (!json_is_boolean(value)) {
        return cni_fail(e, CNI_ECONFIG,
                        "\"%s\" in the network configuration is neither true nor false", key);
    }
    *out = json_is_true(value);
    return true;
}

static bool
parse_version(struct cni_config *c, struct cni_error *e)
{
    if (!get_string(c->root, "cniVersion", &c->version, e)) {
        return false;
    }
    if (!c->version[0]) {
        return cni_fail(e, CNI_EVERSION,
                        "\"cniVersion\" is missing in the network configuration: it must be "
                        "one of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0");
    }
    if (cni_version_index(c->version) < 0) {
        cni_fail(e, CNI_EVERSION,
                 "cniVersion \"%.32s\" is none that this plugin speaks: use one of 0.3.0, "
                 "0.3.1, 0.4.0, 1.0.0, 1.1.0",
                 c->version);
        c->version = ""; /* the error is told in a version that exists */
        return false;
    }
    return true;
}

static bool
parse_mode(const struct cni_config *c, struct cni_error *e)
{
    const char *mode;
    if (!get_string(c->root, "mode", &mode, e)) {
        return false;
    }
    if (!strcmp(mode, "cdq")) {
        cni_fail(e, CNI_EFIELD,
                 "\"mode\": \"cdq\" is not supported: this plugin supports primary mode only");
        cni_error_details(e, "Create the subfunction (devlink port add ...) beforehand, give "
                             "its netdev to the pool, and use \"mode\": \"primary\".");
        return false;
    }
    if (mode[0] && strcmp(mode, "primary")) {
        return cni_fail(e, CNI_ECONFIG, "\"mode\": \"%.32s\" is unknown: use \"primary\"",
                        mode);
    }
    return true;
}

/* The name of a file in the log folder, not a path: letters, digits, "_" and "-", and .log or
 * .txt at the end. */
static bool
log_file_is_valid(const char *s)
{
    size_t n = strlen(s);
    if (n < 5 || n > 64 || (strcmp(s + n - 4, ".log") && strcmp(s + n - 4, ".txt"))) {
        return false;
    }
    for (size_t i = 0; i < n - 4; i++) {
        if (!isalnum((unsigned char) s[i]) && !strchr("_-", s[i])) {
            return false;
        }
    }
    return true;
}

static bool
parse_log(struct cni_config *c, struct cni_error *e)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    const char *level;
    if (!get_string(c->root, "logFile", &c->log_file, e) ||
        !get_string(c->root, "logLevel", &level, e)) {
        return false;
    }
    if (c->log_file[0] && !log_file_is_valid(c->log_file)) {
        cni_fail(e, CNI_ECONFIG,
                 "\"logFile\" must be the name of a .log or .txt file, without a folder");
        cni_error_details(e, "It is created in " CNI_LOG_DIR ".");
        return false;
    }
    c->log_level = CNI_LOG_INFO;
    if (!level[0]) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        if (!strcmp(level, levels[i])) {
            c->log_level = (enum cni_log_level) i;
            return true;
        }
    }
    return cni_fail(e, CNI_ECONFIG,
                    "\"logLevel\": \"%.32s\" is unknown: use error, warning, info or debug",
                    level);
}

static bool
parse_device(struct cni_config *c, struct cni_error *e)
{
    if (!get_string(c->root, "deviceID", &c->device, e)) {
        return false;
    }
    if (!c->device[0]) {
        /* A runtime that was told of the capability "deviceID" puts it here. */
        const json_t *runtime = json_object_get(c->root, "runtimeConfig");
        if (!get_string(runtime, "deviceID", &c->device, e)) {
            return false;
        }
    }
    if (!c->device[0]) {
        cni_fail(e, CNI_ECONFIG, "\"deviceID\" is missing: no device was given to this pod");
        cni_error_details(e, "Multus fills it in when the NetworkAttachmentDefinition has the "
                             "annotation k8s.v1.cni.cncf.io/resourceName and the pod requests "
                             "that resource; otherwise name the device yourself.");
        return false;
    }
    if (!cni_device_is_valid(c->device)) {
        return cni_fail(e, CNI_ECONFIG,
                        "\"deviceID\": \"%.64s\" is not the name of a network device",
                        c->device);
    }
    return true;
}

static bool
parse_ipam(struct cni_config *c, struct cni_error *e)
{
    const json_t *ipam = json_object_get(c->root, "ipam");
    c->ipam_type = "";
    if (!ipam || json_is_null(ipam)) {
        return true;
    }
    if (!json_is_object(ipam)) {
        return cni_fail(e, CNI_ECONFIG, "\"ipam\" is not an object");
    }
    if (!get_string(ipam, "type", &c->ipam_type, e)) {
        return false;
    }
    /* It becomes the name of a program below CNI_PATH. */
    if (c->ipam_type[0] &&
        (strchr(c->ipam_type, '/') || c->ipam_type[0] == '.' || strlen(c->ipam_type) > 64)) {
        return cni_fail(e, CNI_ECONFIG,
                        "\"ipam\": {\"type\": \"%.64s\"} is not a plugin's name", c->ipam_type);
    }
    return true;
}

static bool
parse_ethtool(struct cni_config *c, struct cni_error *e)
{
    const json_t *cmds = json_object_get(c->root, "ethtoolCmds");
    if (!cmds || json_is_null(cmds)) {
        return true;
    }
    if (!json_is_array(cmds)) {
        return cni_fail(e, CNI_ECONFIG, "\"ethtoolCmds\" is not an array of strings");
    }
    if (json_array_size(cmds) > CNI_ETHTOOL_CMDS_MAX) {
        return cni_fail(e, CNI_ECONFIG, "\"ethtoolCmds\" has more than %d commands",
                        CNI_ETHTOOL_CMDS_MAX);
    }
    size_t i;
    json_t *cmd;
    json_array_foreach(cmds, i, cmd)
    {
        struct cni_words words;
        if (!json_is_string(cmd)) {
            return cni_fail(e, CNI_ECONFIG, "\"ethtoolCmds\" is not an array of strings");
        }
        const char *text = json_string_value(cmd);
        /* With a place-holder for the address, which is not known yet. */
        if (!cni_words_split(&words, text, c->device, c->ipam_type[0] ? "192.0.2.1" : NULL,
                             e)) {
            return false;
        }
        cni_words_free(&words);
        c->ethtool_cmds[c->n_ethtool_cmds++] = text;
    }
    return true;
}

static bool
parse_prev_result(struct cni_config *c, struct cni_error *e)
{
    const json_t *prev = json_object_get(c->root, "prevResult");
    if (prev && !json_is_null(prev)) {
        if (!json_is_object(prev)) {
            return cni_fail(e, CNI_ECONFIG, "\"prevResult\" is not an object");
        }
        c->prev_result = prev;
    }
    const json_t *dns = json_object_get(c->root, "dns");
    if (dns && !json_is_null(dns)) {
        if (!json_is_object(dns)) {
            return cni_fail(e, CNI_ECONFIG, "\"dns\" is not an object");
        }
        c->dns = json_object_size(dns) ? dns : NULL;
    }
    return true;
}

bool
cni_config_parse(struct cni_config *c, const char *text, size_t len, const char *command,
                 struct cni_error *e)
{
    json_error_t at;
    *c = (struct cni_config){
        .version = "", .name = "", .type = "", .device = "", .ipam_type = "", .log_file = ""};
    c->root = json_loadb(text, len, 0, &at);
    if (!c->root) {
        cni_fail(e, CNI_EDECODE, "the network configuration on stdin is not JSON");
        cni_error_details(e, "line %d, column %d: %s", at.line, at.column, at.text);
        return false;
    }
    if (!json_is_object(c->root)) {
        return cni_fail(e, CNI_EDECODE, "the network configuration on stdin is not an object");
    }
    if (!parse_version(c, e)) {
        return false;
    }
    if (!strcmp(command, "VERSION")) {
        return true;
    }
    if (!get_string(c->root, "name", &c->name, e) ||
        !get_string(c->root, "type", &c->type, e) || !parse_log(c, e) || !parse_ipam(c, e)) {
        return false;
    }
    if (!strcmp(command, "STATUS") || !strcmp(command, "GC")) {
        return true;
    }
    return parse_mode(c, e) && parse_device(c, e) && parse_ethtool(c, e) &&
           get_bool(c->root, "skipUnloadBpf", &c->skip_unload_bpf, e) &&
           get_bool(c->root, "dpSyncer", &c->dp_syncer, e) && parse_prev_result(c, e);
}

void
cni_config_free(struct cni_config *c)
{
    json_decref(c->root);
    c->root = NULL;
}
