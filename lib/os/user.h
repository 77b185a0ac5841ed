/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_USER_H
#define XVS_OS_USER_H 1

/* --user: going on as an ordinary user who keeps a few capabilities. */

#include <stddef.h>
#include <sys/types.h>

struct user_ids {
    uid_t uid;
    gid_t gid;
};

/* Resolves "USER", "USER:GROUP", "USER:" (the user's login group, as with "USER") or ":GROUP";
 * names or numbers.  Blocks on the name service.  0, or ENOENT/EINVAL with a sentence in *errp.
 */
int user_parse(const char *spec, struct user_ids *, char **errp);

/* Becomes `ids` with the user's supplementary groups; of the capabilities, those in caps[0..n)
 * (CAP_ numbers) that the process has stay permitted and effective, all others go.  Affects the
 * calling thread and those that it starts: call it while it is the only one.  Needs CAP_SETUID
 * and CAP_SETGID unless `ids` are the present ones.  Positive errno and a sentence on failure,
 * after which the process must end: it may be half-way. */
int user_switch(const struct user_ids *ids, const int *caps, size_t n, char **errp);

#endif
