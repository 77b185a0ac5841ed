/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that come and go in versions, and lookups among them: the answer is that of a list that
 * is searched from end to end, and whatever agrees in the bits looked at gets it, too.  A step
 * is a byte that says what, and the bytes that it takes. */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "flow/classifier.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/xalloc.h"

#define N_RULES 24

struct fuzz_rule {
    struct cls_rule cls;
    struct flow match, mask;
};

struct input {
    const uint8_t *p;
    size_t left;
};

static struct fuzz_rule *rules[N_RULES];

static uint8_t
take(struct input *in)
{
    if (!in->left) {
        return 0;
    }
    in->left--;
    return *in->p++;
}

/* A small world: addresses that share prefixes, few ports and registers. */
static struct flow
take_flow(struct input *in)
{
    uint8_t a = take(in), b = take(in), c = take(in), d = take(in);
    struct flow f;

    memset(&f, 0, sizeof f);
    f.sections = FS_BIT(FS_ETH);
    f.meta.in_port = a & 3;
    f.regs.metadata_be = htonl(a >> 2 & 3);
    f.regs.reg[0] = a >> 4 & 3;
    f.eth.dst.ea[5] = a >> 6;
    if (b & 3) {
        f.sections |= FS_BIT(FS_IP);
        f.ip.proto = b & 4 ? 6 : 17;
        if (b & 1) {
            f.sections |= FS_BIT(FS_IPV4);
            f.eth.type_be = htons(0x800);
            f.ipv4.dst_be = htonl((uint32_t) (c & 0xf0) << 24 | (c & 15));
            f.ipv4.src_be = htonl((uint32_t) d << 24);
        } else {
            f.sections |= FS_BIT(FS_IPV6);
            f.eth.type_be = htons(0x86dd);
            f.ipv6.dst.s6_addr[0] = c & 0xf0;
            f.ipv6.dst.s6_addr[15] = c & 15;
            f.ipv6.src.s6_addr[8] = d;
        }
        if (b & 8) {
            f.sections |= FS_BIT(FS_L4);
            f.l4.dst_be = htons((uint16_t) ((b & 0x30) << 10 | b >> 6));
        }
    }
    return f;
}

static uint32_t
prefix(unsigned len)
{
    return len ? UINT32_MAX << (32 - len) : 0;
}

static struct flow
take_mask(struct input *in)
{
    uint8_t a = take(in), b = take(in), c = take(in), d = take(in);
    struct flow m;

    memset(&m, 0, sizeof m);
    m.meta.in_port = a & 1 ? UINT32_MAX : 0;
    m.regs.metadata_be = a & 2 ? UINT64_MAX : a & 4 ? htonl(1) : 0;
    m.regs.reg[0] = a & 8 ? UINT32_MAX : 0;
    m.eth.dst.ea[5] = a >> 6;
    m.eth.type_be = a & 16 ? UINT16_MAX : 0;
    m.ip.proto = a & 32 ? 0xff : 0;
    if (b & 64) {
        m.ipv4.dst_be = htonl(prefix(b & 31) | (b & 128 ? 1 : 0));
        m.ipv4.src_be = htonl(prefix(c & 31));
    } else if (b & 128) {
        m.ipv6.dst.s6_addr[0] = (uint8_t) (prefix(b & 7) >> 24);
        m.ipv6.src.s6_addr[8] = c;
        if (m.ipv6.src.s6_addr[8] == 0xff) {
            memset(&m.ipv6.src, 0xff, 8);
        }
    }
    m.l4.dst_be = htons((uint16_t) (prefix(d & 15) >> 16));
    return m;
}

static const struct cls_rule *
reference(uint64_t version, const struct flow *f)
{
    const struct cls_rule *best = NULL;

    for (unsigned i = 0; i < N_RULES; i++) {
        const struct fuzz_rule *r = rules[i];

        if (r && cls_rule_visible(&r->cls, version) &&
            (!best || r->cls.priority > best->priority) &&
            flow_matches(f, &r->match, &r->mask)) {
            best = &r->cls;
        }
    }
    return best;
}

static void
look_up(const struct classifier *cls, uint64_t version, struct input *in)
{
    struct flow f = take_flow(in), wc, other = take_flow(in), mixed;
    const struct cls_rule *r;

    memset(&wc, 0, sizeof wc);
    r = classifier_lookup(cls, version, &f, &wc);
    require(r == reference(version, &f));
    require(classifier_lookup(cls, version, &f, NULL) == r);
    require(!(flow_mask_sections(&wc) & ~wc.sections));
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        uint64_t mask = ((flow_word *) &wc)[i];

        ((flow_word *) &mixed)[i] =
            (((flow_word *) &f)[i] & mask) | (((flow_word *) &other)[i] & ~mask);
    }
    require(classifier_lookup(cls, version, &mixed, NULL) == r);
}

static void
insert(struct classifier *cls, unsigned i, uint64_t version, struct input *in)
{
    struct fuzz_rule *r = xmalloc(sizeof *r);

    r->match = take_flow(in);
    r->mask = take_mask(in);
    r->match.sections = 0;
    for (unsigned w = 0; w < FLOW_WORDS; w++) {
        ((flow_word *) &r->match)[w] &= ((flow_word *) &r->mask)[w];
    }
    cls_rule_init(&r->cls, &r->match, &r->mask, (int) i, NULL);
    classifier_insert(cls, &r->cls, version);
    classifier_publish(cls);
    require(classifier_find_exact(cls, &r->match, &r->mask, (int) i) == &r->cls);
    rules[i] = r;
}

/* There is no reader but this thread, which is not reading now. */
static void
take_out(struct classifier *cls, unsigned i)
{
    classifier_remove(cls, &rules[i]->cls);
    classifier_publish(cls);
    cls_rule_destroy(&rules[i]->cls);
    free(rules[i]);
    rules[i] = NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct classifier *cls; /* empty between runs */
    struct input in = {data, size};
    uint64_t version = 1;
    unsigned n = 0;

    if (!cls) {
        thread_adopt("");
        cls = classifier_create();
    }
    classifier_set_tries(cls, CLS_TRIES_DEFAULT);
    while (in.left) {
        uint8_t what = take(&in);
        unsigned i = (what >> 3) % N_RULES;

        switch (what & 7) {
        case 0:
        case 1: /* a rule comes, or goes at once */
            if (rules[i]) {
                take_out(cls, i);
                n--;
            } else {
                insert(cls, i, version, &in);
                n++;
            }
            break;
        case 2: /* goes, as readers of the next version see it */
            if (rules[i] && !cls_rule_is_leaving(&rules[i]->cls)) {
                cls_rule_leave(&rules[i]->cls, version + 1);
            }
            break;
        case 3:
            version++;
            break;
        case 4:
            classifier_set_tries(cls, what >> 3 & ((1u << CLS_N_TRIES) - 1));
            break;
        default:
            look_up(cls, version, &in);
            break;
        }
        require(classifier_count(cls) == n);
    }
    for (unsigned i = 0; i < N_RULES; i++) {
        if (rules[i]) {
            take_out(cls, i);
        }
    }
    rcu_quiescent_state();
    return 0;
}
