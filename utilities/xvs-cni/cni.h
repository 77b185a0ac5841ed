/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_CNI_H
#define XVS_CNI_H 1

/* What the parts of xvs-cni share: errors, versions, the environment of a call.
 *
 * xvs-cni is a short-lived, single-threaded program that a container runtime starts as root for
 * one operation (CNI specification 1.0.0, github.com/containernetworking/cni/SPEC.md):
 *
 *                 ADD                          DEL                        CHECK
 *   config        stdin                        stdin                      stdin
 *   address       ipam plugin ADD              ipam plugin DEL (last)     ipam plugin CHECK
 *   ethtool       on the host, before moving   -                          -
 *   device        host -> pod, up, addressed   pod -> host, if there      in the pod, up, as told
 *   on failure    all undone, newest first     goes on, reports the first reports the first
 *
 * Every wait has a limit: ethtool CNI_ETHTOOL_MS each, the ipam plugin CNI_IPAM_MS, the kernel's
 * answers 2 s. */

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>
#include "util/compiler.h"

enum {
    CNI_ETHTOOL_MS = 10000,
    CNI_IPAM_MS = 60000,
    CNI_STDIN_MAX = 1 << 20,  /* bytes of configuration or of a plugin's answer */
    CNI_IPS_MAX = 64,
    CNI_ROUTES_MAX = 256,
    CNI_ETHTOOL_CMDS_MAX = 32,
    CNI_WORDS_MAX = 64,       /* of one ethtool command */
    CNI_DEVICE_MAX = 15,      /* bytes of an interface's name */
};

/* Error codes: up to 99 the specification's (section "Error"), from 100 ours. */
enum cni_code {
    CNI_OK = 0,
    CNI_EVERSION = 1,      /* incompatible CNI version */
    CNI_EFIELD = 2,        /* unsupported field in the configuration */
    CNI_ECONTAINER = 3,    /* the container (its namespace) is unknown */
    CNI_EENV = 4,          /* an environment variable is missing or wrong */
    CNI_EIO = 5,           /* input or output failed */
    CNI_EDECODE = 6,       /* the configuration is not JSON */
    CNI_ECONFIG = 7,       /* the configuration is not valid */
    CNI_ELATER = 11,       /* try again later */
    CNI_EUNAVAILABLE = 50, /* STATUS: ADD cannot work at present */
    CNI_EDEVICE = 100,     /* the device is not where it has to be */
    CNI_EKERNEL = 101,     /* the kernel refused */
    CNI_EIPAM = 102,       /* the ipam plugin is missing or gave no usable answer */
    CNI_EETHTOOL = 103,    /* an ethtool command failed */
    CNI_ECHECK = 104,      /* CHECK: something is not as ADD left it */
};

/* One error; zero is none.  Sentences are malloc'ed and belong to the struct. */
struct cni_error {
    enum cni_code code;
    char *msg;     /* one sentence */
    char *details; /* what to do about it, or what a program said; NULL: nothing to add */
};
void cni_error_clear(struct cni_error *);
/* Sets the error unless one is set already: the first explains best.  Returns false, so that
 * `return cni_fail(...)` reads well in functions that return success. */
bool cni_fail(struct cni_error *, enum cni_code, const char *msg, ...) PRINTF_FORMAT(3, 4);
/* Adds details to an error that has none; `msg` may be of any length and is cut to 1 KiB. */
void cni_error_details(struct cni_error *, const char *format, ...) PRINTF_FORMAT(2, 3);

/* The CNI_ variables; members are "" where unset.  Borrowed from the environment. */
struct cni_env {
    const char *command, *container, *netns, *ifname, *args, *path;
};
/* False and an error when the operation lacks a variable or one has characters that it may not
 * have (specification, section "Parameters").  VERSION, STATUS and GC need none but, the last
 * two, CNI_PATH.  DEL may lack CNI_NETNS. */
bool cni_env_check(const struct cni_env *, struct cni_error *);

/* Versions of the specification that we speak, oldest first. */
extern const char *const cni_versions[];
extern const size_t cni_n_versions;
/* Position in cni_versions, or -1. */
int cni_version_index(const char *version);
/* Whether `version` is the one named `than` or later; both supported. */
bool cni_version_at_least(const char *version, const char *than);

/* Writes to the configuration's logFile, if it has one; otherwise does nothing. */
enum cni_log_level { CNI_LOG_ERROR, CNI_LOG_WARNING, CNI_LOG_INFO, CNI_LOG_DEBUG };
/* `file` is a bare name, created in CNI_LOG_DIR; it never follows a link.  A file that cannot
 * be opened is an error of the caller's configuration: false with a sentence. */
bool cni_log_open(const char *dir, const char *file, enum cni_log_level, struct cni_error *);
void cni_log(enum cni_log_level, const char *format, ...) PRINTF_FORMAT(2, 3);
void cni_log_close(void);
#define CNI_LOG_DIR "/var/log/afxdp-k8s-plugins" /* where the AF_XDP plugins log */

#endif
