/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and runs the ipam plugin.  Called by the operations.  Must not know what is done with
 * the addresses. */

#include "utilities/xvs-cni/cni-ipam.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/strbuf.h"
#include "util/xalloc.h"
#include "utilities/xvs-cni/cni-exec.h"

extern char **environ;

/* The first executable `type` in the colon-separated folders; malloc'ed, NULL: none. */
static char *
find_plugin(const char *path, const char *type)
{
    while (*path) {
        size_t len = strcspn(path, ":");
        if (len) {
            char *candidate = xasprintf("%.*s/%s", (int) len, path, type);
            if (!access(candidate, X_OK)) {
                return candidate;
            }
            free(candidate);
        }
        path += len + (path[len] == ':');
    }
    return NULL;
}

/* Our environment with CNI_COMMAND replaced.  One malloc'ed array; its first element too. */
static char **
environment_for(const char *command)
{
    size_t n = 0;
    while (environ[n]) {
        n++;
    }
    char **envp = xcalloc(n + 2, sizeof *envp);
    size_t used = 0;
    envp[used++] = xasprintf("CNI_COMMAND=%s", command);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(environ[i], "CNI_COMMAND=", 12)) {
            envp[used++] = environ[i];
        }
    }
    return envp;
}

/* What the plugin printed, when it failed: the specification's error, if it is one. */
static void
take_error(const char *type, const struct cni_exec_result *r, struct cni_error *e)
{
    json_t *answer = json_loadb(strbuf_cstr(&r->out), r->out.len, 0, NULL);
    const char *msg = json_string_value(json_object_get(answer, "msg"));
    const char *details = json_string_value(json_object_get(answer, "details"));
    json_int_t code = json_integer_value(json_object_get(answer, "code"));
    if (msg) {
        cni_fail(e, code > 0 && code <= INT32_MAX ? (enum cni_code) code : CNI_EIPAM,
                 "the ipam plugin %s says: %.512s", type, msg);
        if (details && details[0]) {
            cni_error_details(e, "%s", details);
        }
    } else {
        cni_fail(e, CNI_EIPAM, "the ipam plugin %s failed: %s", type, r->problem);
        if (r->err.len || r->out.len) {
            cni_error_details(e, "%s", strbuf_cstr(r->err.len ? &r->err : &r->out));
        }
    }
    json_decref(answer);
}

bool
cni_ipam_run(const char *type, const char *command, const struct cni_env *env,
             const char *stdin_text, size_t stdin_len, struct cni_result *result,
             struct cni_error *e)
{
    char *path = find_plugin(env->path, type);
    if (!path) {
        cni_fail(e, CNI_EIPAM, "the ipam plugin %s is not in CNI_PATH (%.256s)", type,
                 env->path[0] ? env->path : "which is empty");
        cni_error_details(e, "Install it there; host-local and static come with the standard "
                             "CNI plugins.");
        return false;
    }
    char *argv[] = {path, NULL};
    char **envp = environment_for(command);
    struct cni_exec_result r;
    cni_log(CNI_LOG_DEBUG, "ipam %s %s", path, command);
    bool ok = cni_exec(path, argv, envp, stdin_text, stdin_len, CNI_IPAM_MS, &r);
    if (!ok) {
        take_error(type, &r, e);
    } else if (result) {
        char *who = xasprintf("the ipam plugin %s gave no usable answer", type);
        json_t *answer = json_loadb(strbuf_cstr(&r.out), r.out.len, 0, NULL);
        ok = cni_result_parse(result, answer, NULL, who, e);
        json_decref(answer);
        free(who);
    }
    cni_exec_result_free(&r);
    free(envp[0]);
    free(envp);
    free(path);
    return ok;
}
