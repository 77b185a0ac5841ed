/* SPDX-License-Identifier: Apache-2.0 */
/* Folder names from the environment.  Called while options are parsed and files are named. */

#include "os/dirs.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/xalloc.h"

/* The variable's value, else `def`; remembered in *cache at the first call. */
static const char *
from_env(char **cache, const char *variable, const char *def)
{
    if (!*cache) {
        const char *value = getenv(variable);

        *cache = xstrdup(value && *value ? value : def);
    }
    return *cache;
}

const char *
dirs_rundir(void)
{
    static char *cache;

    return from_env(&cache, "OVS_RUNDIR", "/var/run/openvswitch");
}

const char *
dirs_logdir(void)
{
    static char *cache;

    return from_env(&cache, "OVS_LOGDIR", "/var/log/openvswitch");
}

const char *
dirs_sysconfdir(void)
{
    static char *cache;

    return from_env(&cache, "OVS_SYSCONFDIR", "/etc");
}

const char *
dirs_dbdir(void)
{
    static char *cache;

    if (!cache) {
        char *def = dirs_path(dirs_sysconfdir(), "openvswitch");

        from_env(&cache, "OVS_DBDIR", def);
        free(def);
    }
    return cache;
}

char *
dirs_path(const char *dir, const char *file)
{
    return *file == '/' ? xstrdup(file) : xasprintf("%s/%s", dir, file);
}

char *
dirs_absolute(const char *file)
{
    char cwd[PATH_MAX];

    if (*file == '/' || !getcwd(cwd, sizeof cwd)) {
        return xstrdup(file);
    }
    return dirs_path(cwd, file);
}
