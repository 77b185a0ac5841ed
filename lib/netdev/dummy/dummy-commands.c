/* SPDX-License-Identifier: Apache-2.0 */

/* The control commands of test devices: packets in, administrative state, addresses.  Called by
 * the control server on the main thread.  Replies are worded as the test suites of the field
 * expect them.  Must not know the datapath: it has left a hook. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flow/flow-format.h"
#include "log/ctl.h"
#include "netdev/dummy/dummy-private.h"
#include "netdev/dummy/dummy-stream.h"
#include "netdev/dummy/netdev-dummy.h"
#include "packet/headers.h"
#include "util/num.h"
#include "util/xalloc.h"

static struct packet *
packet_from_hex(const uint8_t *bytes, int len, const char *text, char **errp)
{
    if (len < ETH_HDR_LEN) {
        error_set(errp, "syntax error at %s", text);
        return NULL;
    }
    struct packet *p = packet_from_data(bytes, (uint16_t) len);
    if (!p) {
        error_set(errp, "no frame is left for the packet");
    }
    return p;
}

static int64_t
port_name_to_zero(const char *name, void *aux)
{
    /* The receiving port says where the packet comes from, not the text. */
    return 0;
}

static struct packet *
packet_from_flow(const char *text, unsigned len, char **errp)
{
    struct flow flow;
    if (flow_parse(text, &flow, port_name_to_zero, NULL, errp)) {
        error_set(errp, "bad packet or flow syntax");
        return NULL;
    }
    struct packet *p = flow_compose(&flow, len);
    if (!p) {
        error_set(errp, "no frame is left for the packet");
    }
    return p;
}

/* Reads the number behind `option` at argv[*i]; false with a sentence if it is missing or bad.
 */
static bool
option_arg(int argc, const char *const argv[], int *i, int min, int max, const char *bad,
           int *out, char **errp)
{
    if (*i + 1 >= argc || !num_parse_int(argv[*i + 1], min, max, out)) {
        error_set(errp, "%s", bad);
        return false;
    }
    *i += 2;
    return true;
}

static bool
receive_args(struct netdev_dummy *dev, int argc, const char *const argv[], char **errp)
{
    uint8_t bytes[FRAME_SZ_LARGE];
    int qid = 0;
    int i = 2;
    while (i < argc) {
        if (!strcmp(argv[i], "--qid")) {
            if (!option_arg(argc, argv, &i, 0, dev->up.n_rxq - 1, "bad rx queue id.", &qid,
                            errp)) {
                return false;
            }
            continue;
        }
        const char *text = argv[i];
        struct packet *p;
        int n = num_parse_hex(text, bytes, FRAME_SZ_LARGE - FRAME_DATA_OFS);
        i++;
        if (n >= 0) {
            p = packet_from_hex(bytes, n, text, errp);
        } else {
            int len = 0;
            if (i < argc && !strcmp(argv[i], "--len") &&
                !option_arg(argc, argv, &i, ETH_HDR_LEN, FRAME_SZ_LARGE - FRAME_DATA_OFS,
                            "too small packet len", &len, errp)) {
                return false;
            }
            p = packet_from_flow(text, (unsigned) len, errp);
        }
        if (!p) {
            return false;
        }
        dummy_receive(dev, (unsigned) qid, p);
    }
    return true;
}

static void
cmd_receive(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct netdev_dummy *dev = dummy_find(argv[1]);
    if (!dev) {
        ctl_reply_error(conn, "no such dummy netdev");
        return;
    }
    char *err = NULL;
    bool ok = receive_args(dev, argc, argv, &err);
    /* What came before a bad argument has been received all the same. */
    dummy_flush();
    if (ok) {
        ctl_reply(conn, "");
    } else {
        ctl_reply_error(conn, err);
    }
    free(err);
}

static void
cmd_set_admin_state(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    const char *text = argv[argc - 1];
    bool up = !strcasecmp(text, "up");
    if (!up && strcasecmp(text, "down")) {
        ctl_reply_error(conn, "Invalid Admin State");
        return;
    }
    struct netdev_dummy *dev;
    if (argc > 2) {
        dev = dummy_find(argv[1]);
        if (!dev) {
            ctl_reply_error(conn, "Unknown Dummy Interface");
            return;
        }
        dummy_set_admin(dev, up);
    } else {
        cds_list_for_each_entry(dev, &dummy_list, node)
        {
            dummy_set_admin(dev, up);
        }
    }
    ctl_reply(conn, "OK");
}

static void
cmd_conn_state(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf s = STRBUF_INIT;
    struct netdev_dummy *dev;
    if (argc > 1) {
        dev = dummy_find(argv[1]);
        strbuf_putf(&s, "%s: %s\n", argv[1],
                    dev && dev->stream ? dummy_stream_state(dev->stream) : "unknown");
    } else {
        cds_list_for_each_entry(dev, &dummy_list, node)
        {
            if (dev->stream && dummy_stream_is_active(dev->stream)) {
                strbuf_putf(&s, "%s: %s\n", dev->up.name, dummy_stream_state(dev->stream));
            }
        }
    }
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

/* Splits "ADDRESS[/BITS]"; false when BITS is bad or ADDRESS too long for `addr`. */
static bool
split_prefix(const char *text, char addr[64], int max_bits, int *plen)
{
    size_t n = strcspn(text, "/");
    *plen = max_bits;
    if (n >= 64 || (text[n] && !num_parse_int(text + n + 1, 0, max_bits, plen))) {
        return false;
    }
    memcpy(addr, text, n);
    addr[n] = '\0';
    return true;
}

static void
add_addr(struct netdev_dummy *dev, const struct in6_addr *addr, unsigned plen)
{
    for (size_t i = 0; i < dev->n_addrs; i++) {
        if (!memcmp(&dev->addrs[i].addr, addr, sizeof *addr)) {
            dev->addrs[i].plen = plen;
            return;
        }
    }
    dev->addrs = xrealloc(dev->addrs, (dev->n_addrs + 1) * sizeof *dev->addrs);
    dev->addrs[dev->n_addrs++] = (struct dummy_addr){*addr, plen};
    netdev_changed(&dev->up);
}

static void
cmd_ip4addr(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct netdev_dummy *dev = dummy_find(argv[1]);
    char text[64];
    struct in6_addr addr = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    int plen;
    if (!dev) {
        ctl_reply_error(conn, "Unknown Dummy Interface");
    } else if (!split_prefix(argv[2], text, 32, &plen) ||
               inet_pton(AF_INET, text, &addr.s6_addr[12]) != 1) {
        ctl_reply_errorf(conn, "%s: invalid IP address", argv[2]);
    } else {
        add_addr(dev, &addr, (unsigned) plen + 96);
        ctl_reply(conn, "OK");
    }
}

static void
cmd_ip6addr(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct netdev_dummy *dev = dummy_find(argv[1]);
    char text[64];
    struct in6_addr addr;
    int plen;
    if (!dev) {
        ctl_reply_error(conn, "Unknown Dummy Interface");
    } else if (!split_prefix(argv[2], text, 128, &plen) ||
               inet_pton(AF_INET6, text, &addr) != 1) {
        ctl_reply_errorf(conn, "%s: invalid IPv6 address", argv[2]);
    } else {
        add_addr(dev, &addr, (unsigned) plen);
        ctl_reply(conn, "OK");
    }
}

void
netdev_dummy_for_each_addr(const struct netdev *netdev,
                           void (*cb)(const struct in6_addr *, unsigned plen, void *aux),
                           void *aux)
{
    const struct netdev_dummy *dev = dummy_find(netdev->name);
    for (size_t i = 0; dev && i < dev->n_addrs; i++) {
        cb(&dev->addrs[i].addr, dev->addrs[i].plen, aux);
    }
}

void
dummy_commands_register(struct evloop *loop)
{
    ctl_command_register("netdev-dummy/receive",
                         "name [--qid queue_id] packet|flow [--len packet_len]", 2, 1 << 16,
                         cmd_receive, NULL);
    ctl_command_register("netdev-dummy/set-admin-state", "[netdev] up|down", 1, 2,
                         cmd_set_admin_state, NULL);
    ctl_command_register("netdev-dummy/conn-state", "[netdev]", 0, 1, cmd_conn_state, NULL);
    ctl_command_register("netdev-dummy/ip4addr", "[netdev] ipaddr/mask-prefix-len", 2, 2,
                         cmd_ip4addr, NULL);
    ctl_command_register("netdev-dummy/ip6addr", "[netdev] ip6addr", 2, 2, cmd_ip6addr, NULL);
}
