/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_FOLDER_H
#define XVS_AGENT_FOLDER_H 1

/* Folders that hold a device's socket or pinned map, and the few files in them.
 *
 * The client owns the innermost folder and may do in it as it likes, so: nothing in there is
 * trusted, the folder is taken back (root's, 0700) whenever something is created in it, and
 * what is removed is compared with what was made.  Folders above must be such that nobody else
 * can exchange them.  Main thread.  Everything that fails gives a sentence. */

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct folder {
    char *path;
    int fd;       /* -1: not open */
    bool made;    /* by us: removed in the end */
    bool changed; /* owner or mode, of one that was there before: put back in the end */
    uid_t uid;    /* as they were */
    gid_t gid;
    mode_t mode;
    unsigned n_users; /* of an outer one */
    struct folder *next;
};

/* Whose things are: `uid` and the modes for folder and file. */
struct folder_owner {
    uid_t uid;
    mode_t folder_mode, file_mode;
};

void folder_init(struct folder *);
/* Opens, or makes (one level; 0711), a folder that only root can change.  Shared by all who ask
 * for the same path, and gone with the last of them.  NULL with a sentence. */
struct folder *folder_outer_get(const char *path, char **errp);
void folder_outer_put(struct folder *); /* NULL is allowed */
/* Opens, or makes, folder `path` for the client.  One that is there must be root's or the
 * client's. */
bool folder_open_inner(struct folder *, const char *path, uid_t client, char **errp);
/* Checks that nobody but root can exchange things in the folder `path` (a sticky one will do);
 * opens it. */
bool folder_open_foreign(struct folder *, const char *path, char **errp);
/* The folder is root's alone; before something is created in it. */
bool folder_seize(struct folder *, char **errp);
/* Gives file `name` and the folder to the owner. */
bool
folder_hand_over(struct folder *, const char *name, const struct folder_owner *, char **errp);
/* Removes what is called `name` if it is the file of `st`. */
void folder_remove_file(struct folder *, const char *name, const struct stat *st);
/* Closes; removes a folder that was made here, if it is empty; puts owner and mode back. */
void folder_close(struct folder *);

#endif
