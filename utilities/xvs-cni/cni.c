/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, versions, the call's environment and the log file of xvs-cni.  Called by all its
 * other parts, on the one thread there is.  Knows no operation and no configuration. */

#include "utilities/xvs-cni/cni.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/xalloc.h"

/* ------------------------------------------------------------------ errors */

void
cni_error_clear(struct cni_error *e)
{
    free(e->msg);
    free(e->details);
    *e = (struct cni_error){.code = CNI_OK};
}

bool
cni_fail(struct cni_error *e, enum cni_code code, const char *format, ...)
{
    va_list args;
    if (e->code == CNI_OK) {
        va_start(args, format);
        e->code = code;
        e->msg = xvasprintf(format, args);
        va_end(args);
    }
    return false;
}

void
cni_error_details(struct cni_error *e, const char *format, ...)
{
    va_list args;
    if (e->code == CNI_OK || e->details) {
        return;
    }
    char text[1024];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    e->details = xstrdup(text);
}

/* ------------------------------------------------------------------ versions */

const char *const cni_versions[] = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
const size_t cni_n_versions = ARRAY_SIZE(cni_versions);

int
cni_version_index(const char *version)
{
    for (size_t i = 0; i < cni_n_versions; i++) {
        if (!strcmp(version, cni_versions[i])) {
            return (int) i;
        }
    }
    return -1;
}

bool
cni_version_at_least(const char *version, const char *than)
{
    return cni_version_index(version) >= cni_version_index(than);
}

/* ------------------------------------------------------------------ environment */

/* A container's id: alphanumeric first, then also "_", "." and "-". */
static bool
container_is_valid(const char *s)
{
    if (!isalnum((unsigned char) s[0])) {
        return false;
    }
    for (; *s; s++) {
        if (!isalnum((unsigned char) *s) && !strchr("_.-", *s)) {
            return false;
        }
    }
    return true;
}

static bool
ifname_is_valid(const char *s)
{
    if (!s[0] || strlen(s) > CNI_DEVICE_MAX || !strcmp(s, ".") || !strcmp(s, "..")) {
        return false;
    }
    for (; *s; s++) {
        if (*s == '/' || *s == ':' || isspace((unsigned char) *s)) {
            return false;
        }
    }
    return true;
}

bool
cni_env_check(const struct cni_env *env, struct cni_error *e)
{
    static const struct {
        const char *command;
        bool container, netns;
    } table[] = {
        {"ADD", true, true},       {"DEL", true, false},     {"CHECK", true, true},
        {"VERSION", false, false}, {"STATUS", false, false}, {"GC", false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (strcmp(env->command, table[i].command)) {
            continue;
        }
        if (!table[i].container) {
            return true;
        }
        if (!container_is_valid(env->container)) {
            return cni_fail(e, CNI_EENV, "CNI_CONTAINERID is %s",
                            env->container[0] ? "not a container id" : "missing");
        }
        if (!ifname_is_valid(env->ifname)) {
            return cni_fail(e, CNI_EENV, "CNI_IFNAME is %s",
                            env->ifname[0] ? "not an interface name" : "missing");
        }
        if (table[i].netns && !env->netns[0]) {
            return cni_fail(e, CNI_EENV, "CNI_NETNS is missing");
        }
        return true;
    }
    if (!env->command[0]) {
        return cni_fail(e, CNI_EENV, "CNI_COMMAND is missing: a container runtime sets it");
    }
    return cni_fail(e, CNI_EENV, "CNI_COMMAND \"%.32s\" is none that this plugin knows",
                    env->command);
}

/* ------------------------------------------------------------------ log */

static int log_fd = -1;
static enum cni_log_level log_level;

bool
cni_log_open(const char *dir, const char *file, enum cni_log_level level, struct cni_error *e)
{
    cni_log_close();
    if (mkdir(dir, 0755) && errno != EEXIST) {
        return cni_fail(e, CNI_EIO, "cannot create the log folder %s (%s)", dir,
                        strerror(errno));
    }
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd >= 0) {
        log_fd =
            openat(dir_fd, file,
                   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    }
    int error = log_fd < 0 ? errno : 0;
    if (dir_fd >= 0) {
        close(dir_fd);
    }
    if (error) {
        return cni_fail(e, CNI_EIO, "cannot open the log file %s/%s (%s)", dir, file,
                        strerror(error));
    }
    log_level = level;
    return true;
}

void
cni_log(enum cni_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (log_fd < 0 || level > log_level) {
        return;
    }
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    char line[2048];
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t) snprintf(line + n, sizeof line - n,
                           ".%03ldZ xvs-cni[%d] %s: ", now.tv_nsec / 1000000, (int) getpid(),
                           names[level]);
    va_list args;
    va_start(args, format);
    int written = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    n = MIN(n + (size_t) MAX(written, 0), sizeof line - 2);
    /* A program's words may have line ends; the log has one line per entry. */
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char) line[i] < ' ') {
            line[i] = ' ';
        }
    }
    line[n++] = '\n';
    if (write(log_fd, line, n) < 0) {
        cni_log_close(); /* disk full, say: the operation matters more */
    }
}

void
cni_log_close(void)
{
    if (log_fd >= 0) {
        close(log_fd);
        log_fd = -1;
    }
}
