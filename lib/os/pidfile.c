/* SPDX-License-Identifier: Apache-2.0 */
/* Creation of the pidfile.  Called by os/daemon.c in the final process, on the main thread.
 *
 * The new file is written and locked under a temporary name and then moved into place, so that
 * whoever opens the pidfile finds it complete and locked.  fcntl() locks go with the first
 * close of *any* descriptor of the file in this process: nobody here opens it a second time. */

#include "os/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/dirs.h"
#include "os/signals.h"
#include "util/xalloc.h"

static char *my_path;
static int my_fd = -1;

static struct flock
write_lock(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

pid_t
pidfile_holder(const char *path)
{
    struct flock lock = write_lock();
    pid_t holder = 0;
    int fd;

    if (my_fd >= 0 && !strcmp(path, my_path)) {
        return getpid(); /* opening it here would lose the lock */
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (!fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK) {
            holder = lock.l_pid;
        }
        close(fd);
    }
    return holder;
}

/* Writes and locks the temporary file; its descriptor, or -1 with errno set. */
static int
create_temporary(const char *path)
{
    struct flock lock = write_lock();
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long) getpid());
    int error;
    int fd;

    unlink(path); /* ours by its name, left by a namesake that was killed */
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        return -1;
    }
    if (!fcntl(fd, F_SETLK, &lock)) {
        if (write(fd, text, (size_t) len) == len) {
            return fd;
        }
        errno = errno ? errno : ENOSPC;
    }
    error = errno;
    close(fd);
    unlink(path);
    errno = error;
    return -1;
}

/* Moves `tmp` over the existing `path` if that is stale.  0, EEXIST when a process holds it,
 * EAGAIN when it changed under us, or another errno. */
static int
replace_stale(const char *tmp, const char *path)
{
    struct flock lock = write_lock();
    struct stat opened, present;
    int error = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? EAGAIN : errno;
    }
    /* The lock on the stale file decides between two who would replace it; the comparison finds
     * out whether the other has been faster. */
    if (fcntl(fd, F_SETLK, &lock)) {
        error = errno == EAGAIN || errno == EACCES ? EEXIST : errno;
    } else if (fstat(fd, &opened) || stat(path, &present) || opened.st_ino != present.st_ino ||
               opened.st_dev != present.st_dev) {
        error = EAGAIN;
    } else if (rename(tmp, path)) {
        error = errno;
    }
    close(fd);
    return error;
}

/* Puts `tmp` in the place of `path`. */
static int
install(const char *tmp, const char *path, bool overwrite)
{
    int error = EAGAIN;

    if (overwrite) {
        return rename(tmp, path) ? errno : 0;
    }
    for (int tries = 0; tries < 10 && error == EAGAIN; tries++) {
        if (!link(tmp, path)) {
            unlink(tmp);
            return 0;
        }
        error = errno == EEXIST ? replace_stale(tmp, path) : errno;
    }
    return error;
}

int
pidfile_create(const char *path_, bool overwrite, char **errp)
{
    char *path = dirs_absolute(path_);
    char *tmp = xasprintf("%s.tmp%ld", path, (long) getpid());
    int error = 0;
    int fd;

    fd = create_temporary(tmp);
    if (fd < 0) {
        error = errno;
        error_set(errp, "%s: cannot create the pidfile: %s", path, strerror(error));
        goto out;
    }
    error = install(tmp, path, overwrite);
    if (error) {
        pid_t holder = error == EEXIST ? pidfile_holder(path) : 0;

        close(fd);
        unlink(tmp);
        if (holder) {
            error_set(errp, "%s: already running as process %ld", path, (long) holder);
        } else {
            error_set(errp, "%s: cannot create the pidfile: %s", path, strerror(error));
        }
        goto out;
    }
    my_fd = fd;
    my_path = path;
    path = NULL;
    cleanup_file_add(my_path);
out:
    free(path);
    free(tmp);
    return error;
}

void
pidfile_remove(void)
{
    if (my_fd >= 0) {
        cleanup_file_unlink(my_path);
        close(my_fd);
        my_fd = -1;
        free(my_path);
        my_path = NULL;
    }
}
