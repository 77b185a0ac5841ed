/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the user while keeping chosen capabilities, by libcap-ng.  Called by main() between
 * the privileged opens and the start of the threads. */

#include "os/user.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/caps.h"
#include "util/num.h"
#include "util/xalloc.h"

static int
parse_user(const char *name, struct user_ids *ids, char **errp)
{
    const struct passwd *pw = getpwnam(name);
    uint64_t number;

    if (!pw && num_parse_u64(name, 0, UINT_MAX - 1, &number)) {
        pw = getpwuid((uid_t) number);
        if (!pw) {
            /* A container's user often has no entry: its group then has the same number. */
            ids->uid = (uid_t) number;
            ids->gid = (gid_t) number;
            return 0;
        }
    }
    if (!pw) {
        error_set(errp, "--user: there is no user \"%s\"", name);
        return ENOENT;
    }
    ids->uid = pw->pw_uid;
    ids->gid = pw->pw_gid;
    return 0;
}

static int
parse_group(const char *name, struct user_ids *ids, char **errp)
{
    const struct group *gr = getgrnam(name);
    uint64_t number;

    if (gr) {
        ids->gid = gr->gr_gid;
    } else if (num_parse_u64(name, 0, UINT_MAX - 1, &number)) {
        ids->gid = (gid_t) number;
    } else {
        error_set(errp, "--user: there is no group \"%s\"", name);
        return ENOENT;
    }
    return 0;
}

int
user_parse(const char *spec, struct user_ids *out, char **errp)
{
    const char *colon = strchr(spec, ':');
    char *name = colon ? xstrndup(spec, (size_t) (colon - spec)) : xstrdup(spec);
    struct user_ids ids = {getuid(), getgid()};
    int error = 0;

    if (!*name && (!colon || !colon[1])) {
        error_set(errp, "--user: \"%s\" names neither a user nor a group", spec);
        error = EINVAL;
    }
    if (!error && *name) {
        error = parse_user(name, &ids, errp);
    }
    if (!error && colon && colon[1]) {
        error = parse_group(colon + 1, &ids, errp);
    }
    if (!error) {
        *out = ids;
    }
    free(name);
    return error;
}

int
user_switch(const struct user_ids *ids, const int *caps, size_t n, char **errp)
{
    const capng_type_t kept_in = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
    int *kept = xcalloc(n, sizeof *kept);
    size_t n_kept = 0;
    capng_flags_t flags;
    int error = 0;
    int rc;

    if (ids->uid == getuid() && ids->gid == getgid() && ids->uid) {
        goto out; /* already there, without privileges to give up */
    }
    capng_get_caps_process();
    for (size_t i = 0; i < n; i++) {
        if (capng_have_capability(CAPNG_PERMITTED, (unsigned) caps[i])) {
            kept[n_kept++] = caps[i];
        }
    }
    /* An account-less number has no supplementary groups to look up; the bounding set can only
     * be cleared by who holds CAP_SETPCAP. */
    flags = getpwuid(ids->uid) ? CAPNG_INIT_SUPP_GRP : CAPNG_DROP_SUPP_GRP;
    if (caps_have(CAP_SETPCAP)) {
        flags |= CAPNG_CLEAR_BOUNDING;
    }
    /* caps_have() has overwritten libcap-ng's idea of what is wanted. */
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < n_kept; i++) {
        capng_update(CAPNG_ADD, kept_in, (unsigned) kept[i]);
    }
    errno = 0;
    rc = capng_change_id((int) ids->uid, (int) ids->gid, flags);
    if (rc) {
        error = errno == EPERM || !errno ? EPERM : errno;
        error_set(errp, "--user: cannot become user %ld, group %ld: %s (libcap-ng error %d)",
                  (long) ids->uid, (long) ids->gid, strerror(error), rc);
    }
out:
    free(kept);
    return error;
}
