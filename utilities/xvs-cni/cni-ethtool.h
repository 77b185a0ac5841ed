/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_CNI_ETHTOOL_H
#define XVS_CNI_ETHTOOL_H 1

/* "ethtoolCmds": arguments of ethtool as one string.  No shell sees them: a command is split at
 * blanks, and each word becomes one argument.  Quotes, backslashes and what else a shell would
 * give a meaning to are refused, since nothing here would give it to them. */

#include "utilities/xvs-cni/cni.h"

struct cni_words {
    char *argv[CNI_WORDS_MAX + 2]; /* "ethtool", the words, NULL; owned */
    size_t n;                      /* without the NULL */
};

/* Splits `command` and replaces, in every word, "-device-" by `device` and "-ip-" by `ip`.  A
 * leading word "ethtool" is dropped; the first word must then be an option.  `ip` NULL: "-ip-"
 * is an error.  False with CNI_ECONFIG and nothing to free on failure. */
bool cni_words_split(struct cni_words *, const char *command, const char *device,
                     const char *ip, struct cni_error *);
void cni_words_free(struct cni_words *);

/* Runs ethtool for each of the `n` commands, in order, in the present namespace, until one
 * fails: CNI_EETHTOOL with what ethtool said.  Blocks CNI_ETHTOOL_MS a command at most. */
bool cni_ethtool_run(const char *const *commands, size_t n, const char *device, const char *ip,
                     struct cni_error *);

#endif
