/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_DEVICE_H
#define XVS_AGENT_DEVICE_H 1

/* A network device being served: found, moved, set up, with our XDP program on it.
 *
 *   WAITING --all done--> READY --gone, or program detached--> WAITING
 *
 * device_check() does what the present situation asks for and can be called at any time.  The
 * map lives as long as the struct: a device that comes back gets the same one, so that what
 * clients hold stays good.  A device that somebody else (a CNI plugin) moves into another
 * namespace stays READY: the program goes with it.  Main thread; blocks for netlink and ethtool
 * only. */

#include <stdbool.h>
#include "utilities/xvs-agent/channels.h"
#include "utilities/xvs-agent/config.h"
#include "utilities/xvs-agent/netns.h"
#include "utilities/xvs-agent/pin.h"
#include "xdp/xdp-attach.h"

#define DEVICE_SLOTS_MIN 64u

/* The settings of a device as they were found, to be put back in the end. */
struct device_found {
    bool known;
    int ifindex; /* whose; 0: it is on its way into a namespace, where it may get another */
    bool up, promisc;
    int mtu;
    struct channels channels;
};

struct device {
    const struct agent_device_config *config;
    const char *pin_dir;
    struct netns_ref netns; /* spec NULL: stays where it is */
    struct xdp_attach xdp;
    unsigned n_slots; /* of the map */
    bool frags;       /* the program takes packets in several pieces */
    bool ready;
    bool generic;   /* how the program is attached */
    bool elsewhere; /* in a namespace that is not ours to know */
    bool moved;     /* by us: brought home in the end */
    int ifindex;    /* in its namespace, when READY */
    struct device_found found;
    unsigned n_queues;
    struct pin pin;
    char *error;     /* why it is WAITING; NULL */
    char *pin_error; /* NULL */
};

void device_init(struct device *, const struct agent_device_config *, const char *pin_dir);
/* False when the process cannot get back into its own namespace and must end. */
bool device_check(struct device *);
/* Takes the program off, removes the pin, puts back what was set, brings the device home.  One
 * that somebody else moved or set otherwise since stays as that left it.  False as above. */
bool device_destroy(struct device *);
/* The map to hand out; -1 unless READY. */
int device_map_fd(const struct device *);

#endif
