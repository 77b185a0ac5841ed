/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_PIN_H
#define XVS_AGENT_PIN_H 1

/* The map of a device as a file: DIR/IFNAME/xsks_map on a bpffs.  Main thread. */

#include <stdbool.h>
#include <sys/stat.h>
#include "utilities/xvs-agent/folder.h"

#define PIN_NAME "xsks_map"

struct pin {
    char *path; /* NULL: not pinned */
    struct folder *outer, inner;
    struct stat st;
};

void pin_init(struct pin *);
/* Pins the map, readable and writable for `client` alone.  A map that an agent left behind
 * there is replaced: the caller makes sure that no other program is attached to the device.
 * False with a sentence. */
bool pin_create(struct pin *, const char *dir, const char *ifname, uid_t client, int map_fd,
                char **errp);
/* Removes the file and the folders that were made for it. */
void pin_destroy(struct pin *);

#endif
