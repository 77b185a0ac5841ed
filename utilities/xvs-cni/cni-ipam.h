/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_CNI_IPAM_H
#define XVS_CNI_IPAM_H 1

/* Delegation to the ipam plugin (CNI specification, "Section 4: Plugin Delegation"). */

#include "utilities/xvs-cni/cni-config.h"
#include "utilities/xvs-cni/cni-result.h"

/* Runs the plugin `type` of CNI_PATH with `command` and our own environment and configuration
 * (`stdin_text`).  `result` may be NULL, and is filled for ADD alone.  An error of the plugin's
 * becomes ours, with its code; a missing one or an answer that is none is CNI_EIPAM.  Blocks
 * CNI_IPAM_MS at most. */
bool cni_ipam_run(const char *type, const char *command, const struct cni_env *,
                  const char *stdin_text, size_t stdin_len, struct cni_result *result,
                  struct cni_error *);

#endif
