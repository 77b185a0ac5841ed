/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_CNI_CONFIG_H
#define XVS_CNI_CONFIG_H 1

/* The network configuration on stdin: the CNI specification's members and those of the AF_XDP
 * plugins' NetworkAttachmentDefinition. */

#include "utilities/xvs-cni/cni.h"

struct cni_config {
    json_t *root; /* the whole object; owned */
    /* Borrowed from `root`; "" where absent. */
    const char *version, *name, *type, *device, *ipam_type, *log_file;
    enum cni_log_level log_level;
    const char *ethtool_cmds[CNI_ETHTOOL_CMDS_MAX];
    size_t n_ethtool_cmds;
    bool skip_unload_bpf; /* leave the device's XDP program on DEL */
    bool dp_syncer;       /* accepted; the plugin or agent notices by itself */
    const json_t *prev_result; /* NULL: none */
    const json_t *dns;         /* NULL: none */
};

/* Reads a configuration of `len` bytes for `command` ("ADD", ...).  VERSION, STATUS and GC are
 * about no device and do not ask for one.  On failure (code 1, 2, 6 or 7) the version is still
 * there if it could be read, for the error's own JSON; cni_config_free() in either case. */
bool cni_config_parse(struct cni_config *, const char *text, size_t len, const char *command,
                      struct cni_error *);
void cni_config_free(struct cni_config *);
/* Letters, digits, "_", "-" and ".", at most CNI_DEVICE_MAX, not "." or "..". */
bool cni_device_is_valid(const char *);

#endif
