/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that a generator sends: each header field is constant, or counts up with the number
 * of the flow.  Knows nothing of how frames are sent. */

#include "perf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

static const char *const field_names[FF_N] = {"dmac", "smac", "sip", "dip", "sport", "dport"};

void
flow_plan_init(struct flow_plan *p)
{
    static const uint64_t bases[FF_N] = {
        [FF_DMAC] = 0x020000000002,
        [FF_SMAC] = 0x020000000001,
        [FF_SIP] = 0x0a000001 /* 10.0.0.1 */,
        [FF_DIP] = 0x0a800001 /* 10.128.0.1 */,
        [FF_SPORT] = 1024,
        [FF_DPORT] = 2048,
    };

    memset(p, 0, sizeof *p);
    p->n = 1;
    p->vlan = -1;
    for (int i = 0; i < FF_N; i++) {
        p->field[i] = (struct flow_vary){.base = bases[i], .step = 1, .count = 1, .div = 1};
    }
}

/* The field whose name is the first `len` bytes of `text`, or NULL. */
static struct flow_vary *
find_field(struct flow_plan *p, const char *text, size_t len)
{
    for (int i = 0; i < FF_N; i++) {
        if (strlen(field_names[i]) == len && !strncmp(text, field_names[i], len)) {
            return &p->field[i];
        }
    }
    return NULL;
}

int
flow_plan_vary(struct flow_plan *p, const char *text, char **errp)
{
    struct flow_vary *f = find_field(p, text, strcspn(text, ":"));
    unsigned step = 1, count = UINT32_MAX, div = 1;
    int n = 0;

    if (!f) {
        error_set(errp, "%s: fields are dmac, smac, sip, dip, sport, dport", text);
        return EINVAL;
    }
    text += strcspn(text, ":");
    if (*text && (sscanf(text, ":%u%n:%u%n:%u%n", &step, &n, &count, &n, &div, &n) < 1 ||
                  text[n] || !count || !div)) {
        error_set(errp, "%s: not :STEP[:COUNT[:DIVISOR]]", text);
        return EINVAL;
    }
    f->step = step;
    f->count = count;
    f->div = div;
    return 0;
}

int
flow_plan_set(struct flow_plan *p, const char *text, char **errp)
{
    size_t len = strcspn(text, "=");
    struct flow_vary *f = find_field(p, text, len);
    const char *value = text[len] ? text + len + 1 : "";
    unsigned m[6];
    struct in_addr in;
    char *end;

    if (!f) {
        error_set(errp, "%s: fields are dmac, smac, sip, dip, sport, dport", text);
        return EINVAL;
    }
    if (sscanf(value, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) == 6) {
        f->base = 0;
        for (int i = 0; i < 6; i++) {
            f->base = f->base << 8 | (m[i] & 0xff);
        }
    } else if (strchr(value, '.') && inet_pton(AF_INET, value, &in) == 1) {
        f->base = ntohl(in.s_addr);
    } else {
        f->base = strtoull(value, &end, 0);
        if (end == value || *end) {
            error_set(errp, "%s: not FIELD=VALUE", text);
            return EINVAL;
        }
    }
    return 0;
}

static uint64_t
field_value(const struct flow_plan *p, enum flow_field field, uint32_t i)
{
    const struct flow_vary *f = &p->field[field];

    return f->base + (uint64_t) f->step * (i / f->div % f->count);
}

static void
put_mac(uint8_t *mac, uint64_t value)
{
    for (int i = 5; i >= 0; i--) {
        mac[i] = (uint8_t) value;
        value >>= 8;
    }
}

static void
init_ip(struct iphdr *ip)
{
    memset(ip, 0, sizeof *ip);
    ip->version = 4;
    ip->ihl = 5;
    ip->ttl = 64;
    ip->protocol = IPPROTO_UDP;
}

void
flow_plan_get(const struct flow_plan *p, uint32_t i, struct perf_flow *flow)
{
    struct iphdr ip;
    uint16_t words[sizeof ip / 2];

    memset(flow, 0, sizeof *flow);
    put_mac(flow->macs, field_value(p, FF_DMAC, i));
    put_mac(flow->macs + 6, field_value(p, FF_SMAC, i));
    flow->src = htonl((uint32_t) field_value(p, FF_SIP, i));
    flow->dst = htonl((uint32_t) field_value(p, FF_DIP, i));
    flow->sport = htons((uint16_t) field_value(p, FF_SPORT, i));
    flow->dport = htons((uint16_t) field_value(p, FF_DPORT, i));

    init_ip(&ip);
    ip.saddr = flow->src;
    ip.daddr = flow->dst;
    memcpy(words, &ip, sizeof ip);
    for (size_t j = 0; j < sizeof words / sizeof words[0]; j++) {
        flow->csum += words[j];
    }
}

void
flow_plan_template(const struct flow_plan *p, uint8_t *frame, uint32_t len)
{
    uint16_t type = htons(ETH_P_IP), tag[2] = {htons(ETH_P_8021Q), htons((uint16_t) p->vlan)};
    uint8_t *at = frame + 2 * ETH_ALEN;
    struct iphdr ip;

    memset(frame, 0, len);
    if (p->vlan >= 0) {
        memcpy(at, tag, sizeof tag);
        at += sizeof tag;
    }
    memcpy(at, &type, sizeof type);
    init_ip(&ip);
    memcpy(at + sizeof type, &ip, sizeof ip); /* UDP checksum 0: none (RFC 768) */
}
