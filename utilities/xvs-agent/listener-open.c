/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a socket into the file system so that the right user, and nobody else, finds it, and
 * taking it away again.  Called by listener.c on the main thread. */

#include "utilities/xvs-agent/listener-open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/signals.h"
#include "util/xalloc.h"

/* One user besides root: the socket is that user's.  Several: anybody reaches it, and the check
 * of credentials decides. */
static struct folder_owner
socket_owner(const struct agent_device_config *d)
{
    return d->n_uids > 1 ? (struct folder_owner){0, 0711, 0666}
                         : (struct folder_owner){d->n_uids ? d->uids[0] : 0, 0700, 0600};
}

static bool
path_is_own(const struct listener *l, char **inner)
{
    *inner = xasprintf("%s/%s", l->config->socket_dir, l->client->name);
    size_t len = strlen(*inner);
    return !strncmp(l->path, *inner, len) && !strcmp(l->path + len, "/afxdp.sock");
}

/* The folder of the socket: DIR/IFNAME is ours to make and to lend; any other is not. */
static bool
open_folder(struct listener *l)
{
    char *inner;
    bool ok = true;
    if (l->folder.fd >= 0) {
        return true;
    }
    if (path_is_own(l, &inner)) {
        if (!l->outer) {
            l->outer = folder_outer_get(l->config->socket_dir, &l->error);
        }
        ok = l->outer &&
             folder_open_inner(&l->folder, inner, socket_owner(l->client).uid, &l->error);
        l->folder_is_own = ok;
    } else {
        const char *slash = strrchr(l->path, '/');
        char *folder =
            slash == l->path ? xstrdup("/") : xstrndup(l->path, (size_t) (slash - l->path));
        ok = folder_open_foreign(&l->folder, folder, &l->error);
        free(folder);
    }
    free(inner);
    return ok;
}

/* A socket that nobody listens on may be replaced; nothing else. */
static bool
make_room(struct listener *l, const struct sockaddr_un *sun)
{
    struct stat st;
    if (fstatat(l->folder.fd, l->name, &st, AT_SYMLINK_NOFOLLOW)) {
        return true;
    }
    if (!S_ISSOCK(st.st_mode)) {
        error_set(&l->error, "%s is there already and is no socket", l->path);
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? errno : 0;
    if (!error && connect(fd, (const struct sockaddr *) sun, sizeof *sun)) {
        error = errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (error != ECONNREFUSED) {
        error_set(&l->error, "another program listens on %s", l->path);
        return false;
    }
    folder_remove_file(&l->folder, l->name, &st);
    return true;
}

int
listener_bind(struct listener *l)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct folder_owner owner = socket_owner(l->client);
    int fd = -1;

    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", l->path);
    if (!open_folder(l) || (l->folder_is_own && !folder_seize(&l->folder, &l->error)) ||
        !make_room(l, &sun)) {
        goto fail;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    bool bound = fd >= 0 && !bind(fd, (const struct sockaddr *) &sun, sizeof sun);
    umask(mask);
    if (!bound) {
        error_set(&l->error, "cannot make the socket %s (%s)", l->path, strerror(errno));
        goto fail;
    }
    bool done = l->folder_is_own ? folder_hand_over(&l->folder, l->name, &owner, &l->error)
                                 : !fchmodat(l->folder.fd, l->name, owner.file_mode, 0) &&
                                       !fchownat(l->folder.fd, l->name, owner.uid, (gid_t) -1,
                                                 AT_SYMLINK_NOFOLLOW);
    if (!done || fstatat(l->folder.fd, l->name, &l->st, AT_SYMLINK_NOFOLLOW) ||
        listen(fd, (int) LISTENER_SESSIONS_MAX)) {
        error_set(&l->error, "cannot set up the socket %s (%s)", l->path, strerror(errno));
        unlinkat(l->folder.fd, l->name, 0);
        goto fail;
    }
    cleanup_file_add(l->path);
    return fd;
fail:
    if (fd >= 0) {
        close(fd);
    }
    listener_unbind(l, -1);
    return -1;
}

void
listener_unbind(struct listener *l, int fd)
{
    if (fd >= 0) {
        cleanup_file_forget(l->path);
        close(fd);
        folder_remove_file(&l->folder, l->name, &l->st);
    }
}
