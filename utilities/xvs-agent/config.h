/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_CONFIG_H
#define XVS_AGENT_CONFIG_H 1

/* What the administrator wants served: plain data, from the command line and a JSON file.  Main
 * thread.  All functions that fail return false with a sentence in *errp. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define AGENT_DEVICES_MAX 64
#define AGENT_UIDS_MAX 8
#define AGENT_DEFAULT_DIR "/tmp/afxdp_dp"
#define AGENT_DEFAULT_CONTROL "/run/xvs-agent.ctl"

enum agent_mode { AGENT_MODE_BEST_EFFORT, AGENT_MODE_NATIVE, AGENT_MODE_GENERIC };

struct agent_device_config {
    char name[16];
    uid_t uids[AGENT_UIDS_MAX]; /* who may connect besides root */
    unsigned n_uids;
    char *host;      /* host name that the client must say; NULL: any */
    unsigned queues; /* 0: as they are */
    enum agent_mode mode;
    char *netns;  /* name in /run/netns, process number, or absolute path; NULL: stays */
    int mtu;      /* 0: as it is */
    int promisc;  /* 1 on, 0 off, -1 as it is */
    char *socket; /* absolute; NULL: below the socket folder */
};

struct agent_config {
    struct agent_device_config devices[AGENT_DEVICES_MAX];
    unsigned n_devices;
    char *socket_dir; /* NULL: AGENT_DEFAULT_DIR */
    char *pin_dir;    /* NULL: no pinning */
    bool once;
    unsigned idle_s; /* 0: AGENT_IDLE_S */
};
#define AGENT_IDLE_S 30u
#define AGENT_IDLE_S_MAX 300u

void agent_config_init(struct agent_config *);
void agent_config_free(struct agent_config *);
/* Adds what "--device" says: NAME[:KEY=VALUE[,KEY=VALUE]...]; uid= may be repeated. */
bool agent_config_add_spec(struct agent_config *, const char *spec, char **errp);
/* Adds a JSON file's text (RFC 8259).  What is set already stays as it is. */
bool agent_config_add_json(struct agent_config *, const char *text, size_t len, char **errp);
/* The same from the file; at most 1 MiB. */
bool agent_config_add_file(struct agent_config *, const char *path, char **errp);
/* Last: fills in defaults, checks that devices are named once and that those on one socket
 * agree on who may connect. */
bool agent_config_finish(struct agent_config *, char **errp);

/* One setting of a device, as text; also what the JSON reader uses. */
bool agent_device_config_set(struct agent_device_config *, const char *key, const char *value,
                             char **errp);
/* Starts a new device; NULL with a sentence for a name that no device can have, one that is
 * there already, or too many. */
struct agent_device_config *
agent_config_add_device(struct agent_config *, const char *name, char **errp);
const char *agent_mode_name(enum agent_mode);
/* Whether devices of this configuration may be opened by `uid`. */
bool agent_device_config_allows(const struct agent_device_config *, uid_t uid);

#endif
