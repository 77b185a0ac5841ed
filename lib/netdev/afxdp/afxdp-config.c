/* SPDX-License-Identifier: Apache-2.0 */
/* Parses and formats the options of afxdp ports.  Called by afxdp-port.c and afxdp-attr.c on the
 * main thread, and by unit tests: it knows neither devices nor sockets. */

#include "netdev/afxdp/afxdp-config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "mem/arena.h"
#include "util/num.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

/* Room kept for a second VLAN tag, pushed by the switch or seen on the wire. */
#define TAG_ROOM 8
_Static_assert(FRAME_SZ_LARGE - FRAME_DATA_OFS - AFXDP_L2_OVERHEAD - TAG_ROOM == AFXDP_MTU_ONE,
               "the largest MTU that fits a frame");

static const char *const mode_names[AFXDP_N_MODES] = {
    [AFXDP_MODE_BEST_EFFORT] = "best-effort",
    [AFXDP_MODE_NATIVE_ZC] = "native-with-zerocopy",
    [AFXDP_MODE_NATIVE] = "native",
    [AFXDP_MODE_GENERIC] = "generic",
};

const char *
afxdp_mode_name(enum afxdp_mode mode)
{
    return mode < AFXDP_N_MODES ? mode_names[mode] : "?";
}

void
afxdp_config_init(struct afxdp_config *cfg)
{
    *cfg = (struct afxdp_config){
        .n_rxq = 1,
        .rx_ring_sz = AFXDP_RING_DEFAULT,
        .tx_ring_sz = AFXDP_RING_DEFAULT,
        .mode = AFXDP_MODE_BEST_EFFORT,
        .need_wakeup = true,
    };
}

static int
parse_n_rxq(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    int n;

    if (!num_parse_int(value, 1, INT32_MAX, &n)) {
        error_set(errp, "Invalid '%s' (%s): expected a number from 1 to %u", key, value,
                  AFXDP_MAX_QUEUES);
        return EINVAL;
    }
    if ((unsigned) n > AFXDP_MAX_QUEUES) {
        error_set(errp, "Too big '%s' (%d > %u)", key, n, AFXDP_MAX_QUEUES);
        return EINVAL;
    }
    cfg->n_rxq = (unsigned) n;
    return 0;
}

static int
parse_mode(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    for (unsigned i = 0; i < AFXDP_N_MODES; i++) {
        if (!strcasecmp(value, mode_names[i])) {
            cfg->mode = (enum afxdp_mode) i;
            return 0;
        }
    }
    error_set(errp,
              "Invalid '%s' (%s): expected best-effort, native-with-zerocopy, native or "
              "generic",
              key, value);
    return EINVAL;
}

static int
parse_bool(const char *key, const char *value, bool *out, char **errp)
{
    if (!num_parse_bool(value, out)) {
        error_set(errp, "Invalid '%s' (%s): expected true or false", key, value);
        return EINVAL;
    }
    return 0;
}

static int
parse_need_wakeup(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    return parse_bool(key, value, &cfg->need_wakeup, errp);
}

static int
parse_start_queue(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    int n;

    if (!num_parse_int(value, 0, AFXDP_START_QUEUE_MAX, &n)) {
        error_set(errp, "Invalid '%s' (%s): expected a number from 0 to %u", key, value,
                  AFXDP_START_QUEUE_MAX);
        return EINVAL;
    }
    cfg->start_queue = (unsigned) n;
    return 0;
}

static int
parse_ring_sz(const char *key, const char *value, unsigned *out, char **errp)
{
    int n;

    if (!num_parse_int(value, AFXDP_RING_MIN, AFXDP_RING_MAX, &n) ||
        !num_is_pow2((uint64_t) n)) {
        error_set(errp, "Invalid '%s' (%s): expected a power of two from %u to %u", key, value,
                  AFXDP_RING_MIN, AFXDP_RING_MAX);
        return EINVAL;
    }
    *out = (unsigned) n;
    return 0;
}

static int
parse_rx_ring(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    return parse_ring_sz(key, value, &cfg->rx_ring_sz, errp);
}

static int
parse_tx_ring(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    return parse_ring_sz(key, value, &cfg->tx_ring_sz, errp);
}

static int
parse_use_cni(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    return parse_bool(key, value, &cfg->use_cni, errp);
}

static int
parse_use_pinned_map(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    return parse_bool(key, value, &cfg->use_pinned_map, errp);
}

static int
parse_tx_csum(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    return parse_bool(key, value, &cfg->tx_csum, errp);
}

static int
parse_dp_path(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    if (value[0] != '/' || strlen(value) > AFXDP_DP_PATH_MAX) {
        error_set(errp, "Invalid '%s' (%s): expected an absolute path of at most %u bytes", key,
                  value, AFXDP_DP_PATH_MAX);
        return EINVAL;
    }
    strcpy(cfg->dp_path, value);
    return 0;
}

static int
parse_busy_poll(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    int n;

    if (!num_parse_int(value, 1, AFXDP_BUSY_POLL_MAX, &n)) {
        error_set(errp, "Invalid '%s' (%s): expected a number of packets from 1 to %u", key,
                  value, AFXDP_BUSY_POLL_MAX);
        return EINVAL;
    }
    cfg->busy_poll = (unsigned) n;
    return 0;
}

/* Options that exclude each other. */
static int
check_together(const struct smap *options, const struct afxdp_config *cfg, char **errp)
{
    const char *mode = smap_get(options, "xdp-mode");
    const char *foreign = cfg->use_cni ? "use_cni" : "use_pinned_map";

    if (cfg->use_cni && cfg->use_pinned_map) {
        error_set(errp,
                  "Options 'use_cni' and 'use_pinned_map' exclude each other: the map comes "
                  "from the device plugin's socket or from a pin");
        return EINVAL;
    }
    if (afxdp_config_loads(cfg)) {
        if (cfg->dp_path[0]) {
            error_set(errp,
                      "Option 'dp_path' (%s) goes with 'use_cni=true' or "
                      "'use_pinned_map=true' only",
                      cfg->dp_path);
            return EINVAL;
        }
    } else if (mode && cfg->mode != AFXDP_MODE_BEST_EFFORT) {
        error_set(errp,
                  "Options '%s' and 'xdp-mode' (%s) exclude each other: whoever loads the XDP "
                  "program decides its mode",
                  foreign, mode);
        return EINVAL;
    }
    return 0;
}

static const struct option {
    const char *key;
    int (*parse)(const char *key, const char *value, struct afxdp_config *, char **errp);
} option_table[] = {
    {"n_rxq", parse_n_rxq},
    {"xdp-mode", parse_mode},
    {"use-need-wakeup", parse_need_wakeup},
    {"start-queue", parse_start_queue},
    {"rx-ring-size", parse_rx_ring},
    {"tx-ring-size", parse_tx_ring},
    {"use_cni", parse_use_cni},
    {"use_pinned_map", parse_use_pinned_map},
    {"dp_path", parse_dp_path},
    {"busy-poll", parse_busy_poll},
    {"tx-csum-offload", parse_tx_csum},
};

static const struct option *
option_find(const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
        if (!strcmp(key, option_table[i].key)) {
            return &option_table[i];
        }
    }
    return NULL;
}

static int
refuse_unknown(const char *key, char **errp)
{
    struct strbuf valid = STRBUF_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
        strbuf_putf(&valid, "%s, ", option_table[i].key);
    }
    strbuf_chomp(&valid, ", ");
    error_set(errp, "Unknown option '%s' (valid ones are %s)", key, strbuf_cstr(&valid));
    strbuf_free(&valid);
    return EINVAL;
}

int
afxdp_config_parse(const struct smap *options, struct afxdp_config *cfg, char **errp)
{
    struct afxdp_config new;
    const struct smap_node *node;

    afxdp_config_init(&new);
    SMAP_FOR_EACH(node, options)
    {
        const struct option *o = option_find(node->key);
        int error =
            o ? o->parse(node->key, node->value, &new, errp) : refuse_unknown(node->key, errp);
        if (error) {
            return error;
        }
    }
    int error = check_together(options, &new, errp);
    if (!error) {
        *cfg = new;
    }
    return error;
}

bool
afxdp_config_equal(const struct afxdp_config *a, const struct afxdp_config *b)
{
    return a->n_rxq == b->n_rxq && a->start_queue == b->start_queue &&
           a->rx_ring_sz == b->rx_ring_sz && a->tx_ring_sz == b->tx_ring_sz &&
           a->mode == b->mode && a->need_wakeup == b->need_wakeup && a->use_cni == b->use_cni &&
           a->use_pinned_map == b->use_pinned_map && a->tx_csum == b->tx_csum &&
           a->busy_poll == b->busy_poll && !strcmp(a->dp_path, b->dp_path);
}

void
afxdp_config_format(const struct afxdp_config *cfg, enum afxdp_mode in_use, struct smap *out)
{
    smap_setf(out, "n_rxq", "%u", cfg->n_rxq);
    smap_set(out, "use-need-wakeup", cfg->need_wakeup ? "true" : "false");
    smap_set(out, "xdp-mode", afxdp_mode_name(cfg->mode));
    if (in_use != AFXDP_MODE_BEST_EFFORT) {
        smap_set(out, "xdp-mode-in-use", afxdp_mode_name(in_use));
    }
    if (!afxdp_config_loads(cfg)) {
        smap_set(out, cfg->use_cni ? "use_cni" : "use_pinned_map", "true");
    }
    if (cfg->dp_path[0]) {
        smap_set(out, "dp_path", cfg->dp_path);
    }
    if (cfg->busy_poll) {
        smap_setf(out, "busy-poll", "%u", cfg->busy_poll);
    }
    if (cfg->tx_csum) {
        smap_set(out, "tx-csum-offload", "true");
    }
    if (cfg->start_queue) {
        smap_setf(out, "start-queue", "%u", cfg->start_queue);
    }
    if (cfg->rx_ring_sz != AFXDP_RING_DEFAULT) {
        smap_setf(out, "rx-ring-size", "%u", cfg->rx_ring_sz);
    }
    if (cfg->tx_ring_sz != AFXDP_RING_DEFAULT) {
        smap_setf(out, "tx-ring-size", "%u", cfg->tx_ring_sz);
    }
}

unsigned
afxdp_frame_sz(int mtu)
{
    unsigned need = FRAME_DATA_OFS + (unsigned) MAX(mtu, 0) + AFXDP_L2_OVERHEAD + TAG_ROOM;

    return need <= FRAME_SZ_SMALL ? FRAME_SZ_SMALL : mtu <= AFXDP_MTU_MAX ? FRAME_SZ_LARGE : 0;
}
