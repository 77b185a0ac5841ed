/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_PIDFILE_H
#define XVS_OS_PIDFILE_H 1

/* The pidfile: the process number in decimal and a newline.  It is locked by fcntl() for as
 * long as the process lives, which is how other programs tell a live one from a stale one. */

#include <stdbool.h>
#include <sys/types.h>

/* Creates and locks `path` for the calling process (after its last fork), replacing a stale one
 * in one step; it goes at exit.  One that another process holds is refused unless `overwrite`.
 * Blocks on file system calls only.  On failure returns a positive errno (EEXIST: held by
 * another process) and sets *errp to a sentence. */
int pidfile_create(const char *path, bool overwrite, char **errp);
/* Removes the pidfile of this process, if any. */
void pidfile_remove(void);
/* Process that holds `path` locked; 0 when it is missing or stale. */
pid_t pidfile_holder(const char *path);

#endif
