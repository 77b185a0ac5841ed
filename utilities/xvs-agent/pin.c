/* SPDX-License-Identifier: Apache-2.0 */
/* Pinning maps in bpffs, for clients that take them from a path (use_pinned_map).  Called by
 * device.c on the main thread. */

#include "utilities/xvs-agent/pin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "os/signals.h"
#include "util/xalloc.h"

void
pin_init(struct pin *p)
{
    *p = (struct pin){.path = NULL};
    folder_init(&p->inner);
}

/* Whether the file is a map as this agent makes them. */
static bool
is_old_pin(const char *path)
{
    struct bpf_map_info info;
    unsigned len = sizeof info;
    int fd = bpf_obj_get(path);
    if (fd < 0) {
        return false;
    }
    memset(&info, 0, sizeof info);
    bool same = !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_XSKMAP &&
                !strcmp(info.name, "xsks");
    close(fd);
    return same;
}

static bool
make_room(struct pin *p, const char *path, char **errp)
{
    struct stat st;
    if (fstatat(p->inner.fd, PIN_NAME, &st, AT_SYMLINK_NOFOLLOW)) {
        return true;
    }
    if (!S_ISREG(st.st_mode) || !is_old_pin(path)) {
        error_set(errp, "%s is there already and not a map that an xvs-agent left behind",
                  path);
        return false;
    }
    folder_remove_file(&p->inner, PIN_NAME, &st);
    return true;
}

static bool
open_folders(struct pin *p, const char *dir, const char *ifname, uid_t client, char **errp)
{
    struct statfs fs;
    char *inner = xasprintf("%s/%s", dir, ifname);
    p->outer = folder_outer_get(dir, errp);
    bool ok = p->outer && folder_open_inner(&p->inner, inner, client, errp);
    if (ok && (fstatfs(p->inner.fd, &fs) || (unsigned long) fs.f_type != BPF_FS_MAGIC)) {
        error_set(errp,
                  "cannot pin the map in %s: it is not on a bpffs (mount -t bpf bpf %s, or "
                  "choose a folder in /sys/fs/bpf)",
                  inner, dir);
        ok = false;
    }
    free(inner);
    return ok;
}

bool
pin_create(struct pin *p, const char *dir, const char *ifname, uid_t client, int map_fd,
           char **errp)
{
    const struct folder_owner owner = {.uid = client, .folder_mode = 0700, .file_mode = 0600};
    char *path = xasprintf("%s/%s/" PIN_NAME, dir, ifname);
    bool pinned = false;
    if (!open_folders(p, dir, ifname, client, errp) || !folder_seize(&p->inner, errp) ||
        !make_room(p, path, errp)) {
        goto fail;
    }
    int error = -bpf_obj_pin(map_fd, path);
    if (error) {
        error_set(errp, "cannot pin the map at %s (%s)", path, strerror(error));
        goto fail;
    }
    pinned = true;
    if (!folder_hand_over(&p->inner, PIN_NAME, &owner, errp) ||
        fstatat(p->inner.fd, PIN_NAME, &p->st, AT_SYMLINK_NOFOLLOW)) {
        error_set(errp, "cannot look at %s (%s)", path, strerror(errno));
        goto fail;
    }
    cleanup_file_add(path);
    p->path = path;
    return true;
fail:
    if (pinned) {
        unlink(path);
    }
    free(path);
    pin_destroy(p);
    return false;
}

void
pin_destroy(struct pin *p)
{
    if (p->path) {
        cleanup_file_forget(p->path);
        folder_remove_file(&p->inner, PIN_NAME, &p->st);
        free(p->path);
    }
    folder_close(&p->inner);
    folder_outer_put(p->outer);
    pin_init(p);
}
