/* SPDX-License-Identifier: Apache-2.0 */
/* xvs-cni: the CNI plugin that gives AF_XDP devices to pods.  A container runtime starts it
 * with an operation in the environment and a configuration on standard input; it prints a
 * result or an error in JSON on standard output and exits.  One thread. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/strbuf.h"
#include "util/version.h"
#include "utilities/xvs-cni/cni-ops.h"
#include "utilities/xvs-cni/cni-result.h"

enum { STDIN_MS = 10000 };

static void
print_usage(void)
{
    printf(
        "xvs-cni %s: CNI plugin that moves AF_XDP devices into pods\n"
        "\n"
        "A container runtime starts it, with CNI_COMMAND (ADD, DEL, CHECK, VERSION, STATUS or\n"
        "GC), CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME and CNI_PATH in the environment and the\n"
        "network configuration on standard input.  See xvs-cni(8).\n",
        version_xvs());
}

static const char *
env_get(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

/* All of standard input.  Nothing at all is as good as an empty configuration; a writer that
 * neither writes nor closes is given up on. */
static bool
read_stdin(struct strbuf *text, struct cni_error *e)
{
    for (;;) {
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        char buf[8192];
        int ready = poll(&p, 1, STDIN_MS);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (!ready) {
            return cni_fail(e, CNI_EIO, "no network configuration came within %d s on stdin",
                            STDIN_MS / 1000);
        }
        ssize_t n = read(STDIN_FILENO, buf, sizeof buf);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (n < 0) {
            return cni_fail(e, CNI_EIO, "cannot read the network configuration (%s)",
                            strerror(errno));
        }
        if (!n) {
            return true;
        }
        if (text->len + (size_t) n > CNI_STDIN_MAX) {
            return cni_fail(e, CNI_EIO, "the network configuration is longer than %d bytes",
                            CNI_STDIN_MAX);
        }
        strbuf_put(text, buf, (size_t) n);
    }
}

static bool
run(struct cni_call *call, char **out, struct cni_error *e)
{
    static const struct {
        const char *command;
        bool (*op)(const struct cni_call *, struct cni_error *);
    } ops[] = {
        {"DEL", cni_op_del},
        {"CHECK", cni_op_check},
        {"STATUS", cni_op_status},
        {"GC", cni_op_gc},
    };
    const char *command = call->env.command;
    if (!strcmp(command, "ADD")) {
        return cni_op_add(call, out, e);
    }
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        if (!strcmp(command, ops[i].command)) {
            return ops[i].op(call, e);
        }
    }
    return cni_fail(e, CNI_EENV, "CNI_COMMAND \"%.32s\" is none that this plugin knows",
                    command);
}

/* Reads, judges, opens the log, runs. */
static bool
serve(struct cni_call *call, struct strbuf *text, char **out, struct cni_error *e)
{
    const struct cni_env *env = &call->env;
    struct cni_config *c = &call->config;
    bool version = !strcmp(env->command, "VERSION");
    if (!cni_env_check(env, e) || !read_stdin(text, e)) {
        return false;
    }
    if (version && !text->len) {
        *out = cni_version_format("");
        return true;
    }
    if (!cni_config_parse(c, strbuf_cstr(text), text->len, env->command, e)) {
        /* Who asks for versions learns them even with one that we do not have. */
        if (version && e->code == CNI_EVERSION) {
            cni_error_clear(e);
            *out = cni_version_format("");
            return true;
        }
        return false;
    }
    if (version) {
        *out = cni_version_format(c->version);
        return true;
    }
    if (c->log_file[0] && !cni_log_open(CNI_LOG_DIR, c->log_file, c->log_level, e)) {
        return false;
    }
    call->stdin_text = strbuf_cstr(text);
    call->stdin_len = text->len;
    cni_log(CNI_LOG_INFO, "%s %s for container %s (%s)", env->command,
            c->device[0] ? c->device : c->name, env->container, env->netns);
    bool ok = run(call, out, e);
    if (ok) {
        cni_log(CNI_LOG_INFO, "%s done", env->command);
    } else {
        cni_log(CNI_LOG_ERROR, "%s failed: %s%s%s", env->command, e->msg,
                e->details ? ": " : "", e->details ? e->details : "");
    }
    return ok;
}

int
main(int argc, char *argv[])
{
    struct cni_call call = {
        .env = {.command = env_get("CNI_COMMAND"),
                .container = env_get("CNI_CONTAINERID"),
                .netns = env_get("CNI_NETNS"),
                .ifname = env_get("CNI_IFNAME"),
                .args = env_get("CNI_ARGS"),
                .path = env_get("CNI_PATH")},
        .config = {.version = ""},
    };
    struct cni_error error = {.code = CNI_OK};
    struct strbuf text = STRBUF_INIT;
    char *out = NULL;

    if (argc > 1 || !call.env.command[0]) {
        bool asked =
            argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "--version") ||
                          !strcmp(argv[1], "-h") || !strcmp(argv[1], "-V"));
        if (asked) {
            print_usage();
            return EXIT_SUCCESS;
        }
    }
    signal(SIGPIPE, SIG_IGN); /* an ipam plugin that does not read; a runtime that went away */

    bool ok = serve(&call, &text, &out, &error);
    if (!ok) {
        free(out);
        out = cni_error_format(&error, call.config.version);
    }
    if (out && (printf("%s\n", out) < 0 || fflush(stdout))) {
        ok = false;
    }
    free(out);
    cni_config_free(&call.config);
    cni_error_clear(&error);
    strbuf_free(&text);
    cni_log_close();
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
