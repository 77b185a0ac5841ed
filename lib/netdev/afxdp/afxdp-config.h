/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_AFXDP_AFXDP_CONFIG_H
#define XVS_NETDEV_AFXDP_AFXDP_CONFIG_H 1

/* The options of an afxdp port.  Pure: no device is looked at.  Main thread. */

#include <stdbool.h>
#include "util/smap.h"

#define AFXDP_MAX_QUEUES 16u
#define AFXDP_RING_MIN 64u
#define AFXDP_RING_MAX 32768u
/* 2,048 descriptors are 1 ms at 2 Mpps, about what a poller that lost its core for one
 * scheduling round needs; the rings of one queue then take 96 KiB. */
#define AFXDP_RING_DEFAULT 2048u
#define AFXDP_START_QUEUE_MAX 4095u
#define AFXDP_BUSY_POLL_MAX 65535u
#define AFXDP_DP_PATH_MAX 255u /* bytes */

/* From best to worst, which is also the order in which best-effort tries. */
enum afxdp_mode {
    AFXDP_MODE_BEST_EFFORT,
    AFXDP_MODE_NATIVE_ZC, /* driver hook, the NIC reads and writes the frames */
    AFXDP_MODE_NATIVE,    /* driver hook, the kernel copies */
    AFXDP_MODE_GENERIC,   /* skb hook, the kernel copies: any device */
    AFXDP_N_MODES
};
const char *afxdp_mode_name(enum afxdp_mode);

struct afxdp_config {
    unsigned n_rxq;       /* 1..AFXDP_MAX_QUEUES */
    unsigned start_queue; /* device queue of our queue 0 */
    unsigned rx_ring_sz;  /* rx and fill ring, entries */
    unsigned tx_ring_sz;  /* tx and completion ring, entries */
    enum afxdp_mode mode;
    bool need_wakeup;
    bool use_cni;        /* the XSKMAP comes from a device plugin's socket ... */
    bool use_pinned_map; /* ... or from a pin in bpffs; never both */
    bool tx_csum;        /* half-done checksums are for the kernel to complete */
    unsigned busy_poll;  /* budget in packets; 0: off */
    char dp_path[AFXDP_DP_PATH_MAX + 1]; /* socket or pin; "": by custom */
};

void afxdp_config_init(struct afxdp_config *); /* the defaults */
/* Parses a complete option map; what is absent takes its default.  EINVAL with a sentence in
 * *errp that names the option and its value, and *cfg is left alone. */
int afxdp_config_parse(const struct smap *options, struct afxdp_config *cfg, char **errp);
/* Whether the port loads its own program, rather than taking a map from somebody else. */
static inline bool
afxdp_config_loads(const struct afxdp_config *cfg)
{
    return !cfg->use_cni && !cfg->use_pinned_map;
}
bool afxdp_config_equal(const struct afxdp_config *, const struct afxdp_config *);
/* For the parentheses of dpif/show; `in_use` is BEST_EFFORT while there are no queues. */
void afxdp_config_format(const struct afxdp_config *, enum afxdp_mode in_use, struct smap *);

/* What one frame holds: FRAME_SZ_LARGE - FRAME_DATA_OFS - overhead - a second VLAN tag. */
#define AFXDP_MTU_ONE 3622

/* The size of frames in the rings of a port with that MTU: FRAME_SZ_SMALL or FRAME_SZ_LARGE, or
 * 0 when it is too large. */
unsigned afxdp_frame_sz(int mtu);
/* Whether its packets may need several of them. */
static inline bool
afxdp_is_jumbo(int mtu)
{
    return mtu > AFXDP_MTU_ONE;
}
/* The longest packet of a device with that MTU: Ethernet header, one VLAN tag. */
#define AFXDP_L2_OVERHEAD 18
#define AFXDP_MTU_MAX 9000

#endif
