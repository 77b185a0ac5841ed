/* SPDX-License-Identifier: Apache-2.0 */
/* Making, lending and removing folders without being fooled by whoever they are lent to. Called
 * by listener.c and pin.c on the main thread.  Must not know what the files are. */

#include "utilities/xvs-agent/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "util/xalloc.h"

LOG_MODULE(agent_folder);

static struct folder *outer_folders;

void
folder_init(struct folder *f)
{
    *f = (struct folder){.fd = -1};
}

/* Whether the path still leads to the folder that was opened. */
static bool
is_in_place(const struct folder *f)
{
    struct stat now, then;
    return !lstat(f->path, &now) && !fstat(f->fd, &then) && now.st_dev == then.st_dev &&
           now.st_ino == then.st_ino;
}

/* Only root (or we) may rename or remove entries of others in such a folder. */
static bool
is_guarded(const struct stat *st)
{
    bool ours = st->st_uid == 0 || st->st_uid == geteuid();
    bool open = (st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != 0);
    return S_ISDIR(st->st_mode) && ours && (!open || (st->st_mode & S_ISVTX));
}

static bool
check_parent(const char *path, char **errp)
{
    char *copy = xstrdup(path);
    const char *parent = dirname(copy);
    struct stat st;
    bool ok = false;
    if (stat(parent, &st)) {
        error_set(errp, "cannot use folder %s (%s)", parent, strerror(errno));
    } else if (!is_guarded(&st)) {
        error_set(errp, "folder %s can be changed by others than root: not safe to use",
                  parent);
    } else {
        ok = true;
    }
    free(copy);
    return ok;
}

/* Opens what is there, never through a symbolic link, or makes it. */
static bool
open_or_make(struct folder *f, const char *path, mode_t mode, struct stat *st, char **errp)
{
    if (!check_parent(path, errp)) {
        return false;
    }
    bool made = !mkdir(path, mode);
    if (!made && errno != EEXIST) {
        error_set(errp, "cannot make folder %s (%s)", path, strerror(errno));
        return false;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, st) || (made && fchmod(fd, mode))) {
        error_set(errp, "cannot open folder %s (%s)", path,
                  errno == ENOTDIR || errno == ELOOP ? "it is not a folder" : strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        if (made) {
            rmdir(path);
        }
        return false;
    }
    f->path = xstrdup(path);
    f->fd = fd;
    f->made = made;
    f->uid = st->st_uid;
    f->gid = st->st_gid;
    f->mode = st->st_mode & 07777;
    return true;
}

struct folder *
folder_outer_get(const char *path, char **errp)
{
    struct folder *f = outer_folders;
    while (f && (strcmp(f->path, path) || !is_in_place(f))) {
        f = f->next;
    }
    if (f) {
        f->n_users++;
        return f;
    }
    struct stat st;
    f = xmalloc(sizeof *f);
    folder_init(f);
    if (!open_or_make(f, path, 0711, &st, errp)) {
        free(f);
        return NULL;
    }
    if (!f->made && !is_guarded(&st)) {
        error_set(errp, "folder %s can be changed by others than root: not safe to use", path);
        folder_close(f);
        free(f);
        return NULL;
    }
    f->n_users = 1;
    f->next = outer_folders;
    outer_folders = f;
    return f;
}

void
folder_outer_put(struct folder *f)
{
    if (!f || --f->n_users) {
        return;
    }
    struct folder **p = &outer_folders;
    while (*p != f) {
        p = &(*p)->next;
    }
    *p = f->next;
    folder_close(f);
    free(f);
}

bool
folder_open_inner(struct folder *f, const char *path, uid_t client, char **errp)
{
    struct stat st;
    if (!open_or_make(f, path, 0700, &st, errp)) {
        return false;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != client) {
        error_set(errp, "folder %s belongs to user %u, neither root nor a client", path,
                  (unsigned) st.st_uid);
        folder_close(f);
        return false;
    }
    return true;
}

bool
folder_open_foreign(struct folder *f, const char *path, char **errp)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) || !is_guarded(&st)) {
        error_set(errp, "cannot use folder %s (%s)", path,
                  fd < 0 ? strerror(errno) : "others than root can change it");
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    f->path = xstrdup(path);
    f->fd = fd;
    return true;
}

bool
folder_seize(struct folder *f, char **errp)
{
    if (fchown(f->fd, geteuid(), (gid_t) -1) || fchmod(f->fd, 0700)) {
        error_set(errp, "cannot take folder %s (%s)", f->path, strerror(errno));
        return false;
    }
    f->changed = !f->made;
    return true;
}

bool
folder_hand_over(struct folder *f, const char *name, const struct folder_owner *owner,
                 char **errp)
{
    /* The file first, while nobody else can put another in its place. */
    if (fchmodat(f->fd, name, owner->file_mode, 0) ||
        fchownat(f->fd, name, owner->uid, (gid_t) -1, AT_SYMLINK_NOFOLLOW) ||
        fchmod(f->fd, owner->folder_mode) || fchown(f->fd, owner->uid, (gid_t) -1)) {
        error_set(errp, "cannot give %s/%s to user %u (%s)", f->path, name,
                  (unsigned) owner->uid, strerror(errno));
        return false;
    }
    return true;
}

void
folder_remove_file(struct folder *f, const char *name, const struct stat *mine)
{
    struct stat st;
    if (f->fd < 0 || fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
        return;
    }
    if (st.st_dev != mine->st_dev || st.st_ino != mine->st_ino) {
        LOG_WARN("%s/%s is no longer what was made there; left alone", f->path, name);
    } else if (unlinkat(f->fd, name, 0)) {
        LOG_WARN("cannot remove %s/%s (%s)", f->path, name, strerror(errno));
    }
}

void
folder_close(struct folder *f)
{
    if (f->fd >= 0) {
        if (f->changed && (fchown(f->fd, f->uid, f->gid) || fchmod(f->fd, f->mode))) {
            LOG_WARN("cannot give folder %s back (%s)", f->path, strerror(errno));
        }
        bool remove = f->made && is_in_place(f);
        close(f->fd);
        if (remove && rmdir(f->path)) {
            LOG_INFO("folder %s stays (%s)", f->path, strerror(errno));
        }
    }
    free(f->path);
    folder_init(f);
}
