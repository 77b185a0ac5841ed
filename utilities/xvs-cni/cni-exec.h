/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_CNI_EXEC_H
#define XVS_CNI_EXEC_H 1

/* Another program, run to its end: its input given, its output caught, its time limited. */

#include <stdbool.h>
#include <stddef.h>

#include "util/strbuf.h"

struct cni_exec_result {
    struct strbuf out, err; /* what it wrote, each cut at CNI_STDIN_MAX */
    int status;             /* exit status; -1 when it did not end by itself */
    char *problem;          /* why cni_exec() returned false, as a phrase; NULL otherwise */
};

/* Runs `path` with argv (NULL-terminated, argv[0] included) and environment `envp` (NULL: ours),
 * writes `in` to its standard input, and waits until it has ended, `limit_ms` at most: then the
 * program and its descendants in its process group are killed.  True when it exited with 0.
 * The caller frees the result in either case.  No descriptor of ours but the three standard
 * ones reaches it. */
bool cni_exec(const char *path, char *const argv[], char *const envp[], const char *in,
              size_t in_len, int limit_ms, struct cni_exec_result *);
void cni_exec_result_free(struct cni_exec_result *);

#endif
