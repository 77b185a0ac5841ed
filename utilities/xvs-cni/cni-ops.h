/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_CNI_OPS_H
#define XVS_CNI_OPS_H 1

/* The operations.  Each is called once in the life of the process, in the host's network
 * namespace; on return the thread may be in another one. */

#include "utilities/xvs-cni/cni-config.h"

struct cni_call {
    struct cni_env env;
    struct cni_config config;
    const char *stdin_text; /* the configuration as it came, for the ipam plugin */
    size_t stdin_len;
};

/* On success `*out` is the result to print, malloc'ed.  On failure everything is as before. */
bool cni_op_add(const struct cni_call *, char **out, struct cni_error *);
/* Succeeds as well when there is nothing left to undo. */
bool cni_op_del(const struct cni_call *, struct cni_error *);
bool cni_op_check(const struct cni_call *, struct cni_error *);
/* Specification 1.1.0: whether ADD could work; and clearing what is left over. */
bool cni_op_status(const struct cni_call *, struct cni_error *);
bool cni_op_gc(const struct cni_call *, struct cni_error *);

#endif
