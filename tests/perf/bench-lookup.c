/* SPDX-License-Identifier: Apache-2.0 */
/* What a packet costs from its bytes to its megaflow, and a miss to its OpenFlow rule, without
 * sockets, threads or system calls: key extraction, exact-match cache, signature cache,
 * megaflow table, classifier, each alone.  Counts instructions and cycles where the machine
 * lets it, time otherwise; under valgrind --tool=callgrind, what two numbers of rounds differ by
 * is the loop's:
 *
 *     bench-lookup [CASE [ROUNDS]]
 */

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "datapath/emc.h"
#include "datapath/megaflow.h"
#include "datapath/smc.h"
#include "flow/classifier.h"
#include "flow/flow-key.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "packet/packet.h"
#include "util/xalloc.h"

#define FLOWS_MAX 16384u
#define PACKETS 1024u /* distinct ones; more would measure the memory of this program */

/* -- Counting -- */

struct meter {
    int instructions_fd, cycles_fd; /* -1: the machine does not count */
    uint64_t start_ns;
};

static int
open_counter(uint64_t what)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof attr,
        .config = what,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .disabled = 1,
    };

    return (int) syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static void
switch_counters(const struct meter *m, unsigned long request)
{
    if (m->instructions_fd >= 0) {
        ioctl(m->instructions_fd, request, 0);
    }
    if (m->cycles_fd >= 0) {
        ioctl(m->cycles_fd, request, 0);
    }
}

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

static void
meter_start(struct meter *m)
{
    switch_counters(m, PERF_EVENT_IOC_RESET);
    switch_counters(m, PERF_EVENT_IOC_ENABLE);
    m->start_ns = now_ns();
}

static void
print_counter(int fd, uint64_t n)
{
    uint64_t value;

    if (fd >= 0 && read(fd, &value, sizeof value) == (ssize_t) sizeof value) {
        printf(" %12.1f", (double) value / (double) n);
    } else {
        printf(" %12s", "-");
    }
}

static void
meter_print(const struct meter *m, const char *name, uint64_t n)
{
    double ns = (double) (now_ns() - m->start_ns);

    switch_counters(m, PERF_EVENT_IOC_DISABLE);
    printf("%-18s %12.1f", name, ns / (double) n);
    print_counter(m->instructions_fd, n);
    print_counter(m->cycles_fd, n);
    printf("\n");
    fflush(stdout);
}

/* -- Flows: UDP over IPv4 -- */

struct spec {
    const char *name;
    unsigned n_flows, n_masks; /* masks: a square number, at most 100 */
    void (*run)(const struct spec *, struct meter *, uint64_t rounds);
};

/* Flow i.  With m * m masks, its addresses tell which one it falls under, as in the case
 * masks100 of bench.py. */
static void
make_flow(unsigned i, struct flow *f)
{
    memset(f, 0, sizeof *f);
    f->sections =
        FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_IP) | FS_BIT(FS_IPV4) | FS_BIT(FS_L4);
    f->meta.in_port = 1;
    f->eth.dst.ea[0] = f->eth.src.ea[0] = 2;
    f->eth.dst.ea[5] = 2;
    f->eth.src.ea[5] = 1;
    f->eth.type_be = htons(0x0800);
    f->ip.proto = 17;
    f->ip.ttl = 64;
    f->ipv4.src_be = htonl(0x0a0a0000 + (i % 10 << 16));
    f->ipv4.dst_be = htonl(0x0a640000 + (i / 10 % 10 << 16));
    f->l4.src_be = htons((uint16_t) (1024 + i / 100));
    f->l4.dst_be = htons(2048);
}

/* What flow i is looked up by: everything of IP and transport, or one of the masks. */
static void
make_mask(const struct spec *s, unsigned i, struct flow *mask)
{
    memset(mask, 0, sizeof *mask);
    mask->meta.in_port = UINT32_MAX;
    mask->eth.type_be = UINT16_MAX;
    if (s->n_masks > 1) {
        mask->ipv4.src_be = htonl(UINT32_MAX << (16 - i % 10));
        mask->ipv4.dst_be = htonl(UINT32_MAX << (16 - i / 10 % 10));
    } else {
        mask->ipv4.src_be = mask->ipv4.dst_be = UINT32_MAX;
        mask->ip.proto = UINT8_MAX;
        mask->l4.src_be = mask->l4.dst_be = UINT16_MAX;
    }
}

static struct flow_key *
make_keys(unsigned n)
{
    struct flow_key *keys = xcalloc(n, sizeof *keys);

    for (unsigned i = 0; i < n; i++) {
        struct flow f;

        make_flow(i, &f);
        flow_key_from_flow(&f, &keys[i]);
    }
    return keys;
}

static void
cookie_free(void *aux, void *cookie)
{
    free(cookie);
}
static struct megaflow_owner owner = {.cookie_free = cookie_free};

static void
fill_table(const struct spec *s, struct megaflow_table *t, struct dp_flow **flows)
{
    megaflow_table_init(t, &owner);
    for (unsigned i = 0; i < s->n_flows; i++) {
        struct dp_actions_builder b = {NULL, 0, 0};
        struct dp_actions *actions = dp_actions_finish(&b);
        struct flow f, mask;
        bool existed;

        make_flow(i, &f);
        make_mask(s, i, &mask);
        flows[i] = megaflow_insert(t, &f, &mask, actions, NULL, 0, &existed);
        if (existed) {
            free(actions);
        }
    }
}

static void
check_found(uint64_t found, uint64_t wanted)
{
    if (found != wanted) {
        fprintf(stderr, "bench-lookup: %" PRIu64 " of %" PRIu64 " found\n", found, wanted);
        exit(1);
    }
}

/* -- Cases -- */

static void
run_extract(const struct spec *s, struct meter *m, uint64_t rounds)
{
    static const uint8_t headers[42] = {
        0x02, 0, 0, 0,  0, 2,  0x02, 0, 0,  0,  0, 1, 0x08, 0x00, /* Ethernet */
        0x45, 0, 0, 46, 0, 0,  0,    0, 64, 17, 0, 0, 10,   0,    0, 1, 10, 0, 0, 2, /* IPv4 */
        4,    0, 8, 0,  0, 26, 0,    0,                                              /* UDP */
    };
    struct packet *packets[PACKETS];
    uint64_t words = 0;

    for (unsigned i = 0; i < s->n_flows; i++) {
        uint8_t bytes[60] = {0};

        memcpy(bytes, headers, sizeof headers);
        bytes[34] = (uint8_t) (4 + i / 256);
        bytes[35] = (uint8_t) i;
        packets[i] = packet_from_data(bytes, sizeof bytes);
        if (!packets[i]) {
            fprintf(stderr, "bench-lookup: no packet memory\n");
            exit(1);
        }
    }
    meter_start(m);
    for (uint64_t r = 0; r < rounds; r++) {
        struct flow_key k;

        flow_key_extract(packets[r % s->n_flows], &k);
        words += k.n_words;
    }
    meter_print(m, s->name, rounds);
    check_found(words > 0, 1);
    for (unsigned i = 0; i < s->n_flows; i++) {
        packet_free(packets[i]);
    }
}

/* What lookups in the caches need. */
struct world {
    struct flow_key *keys;
    struct megaflow_table table;
    struct dp_flow *flows[FLOWS_MAX];
};

static struct world *
world_create(const struct spec *s)
{
    struct world *w = xzalloc_cacheline(sizeof *w);

    w->keys = make_keys(s->n_flows);
    fill_table(s, &w->table, w->flows);
    return w;
}

static void
world_destroy(struct world *w)
{
    megaflow_table_flush(&w->table);
    rcu_quiescent_state();
    rcu_barrier();
    megaflow_table_destroy(&w->table);
    free(w->keys);
    free(w);
}

static void
run_emc(const struct spec *s, struct meter *m, uint64_t rounds)
{
    struct world *w = world_create(s);
    struct emc emc;
    uint64_t found = 0;

    emc_init(&emc);
    for (unsigned i = 0; i < s->n_flows; i++) {
        emc_insert(&emc, &w->keys[i], w->flows[i]);
    }
    meter_start(m);
    for (uint64_t r = 0; r < rounds; r++) {
        found += emc_lookup(&emc, &w->keys[r % s->n_flows]) != NULL;
    }
    meter_print(m, s->name, rounds);
    check_found(found > rounds / 2, 1); /* some have displaced others */
    emc_destroy(&emc);
    world_destroy(w);
}

static void
run_smc(const struct spec *s, struct meter *m, uint64_t rounds)
{
    struct world *w = world_create(s);
    struct smc smc = {NULL};
    uint64_t found = 0;

    for (unsigned i = 0; i < s->n_flows; i++) {
        unsigned n_looked = 0;
        uint16_t id = 0;

        megaflow_lookup(&w->table, &w->keys[i], &n_looked, &id);
        smc_insert(&smc, &w->keys[i], id);
    }
    meter_start(m);
    for (uint64_t r = 0; r < rounds; r++) {
        found += smc_lookup(&smc, &w->table, &w->keys[r % s->n_flows]) != NULL;
    }
    meter_print(m, s->name, rounds);
    check_found(found > rounds / 2, 1);
    smc_destroy(&smc);
    world_destroy(w);
}

static void
run_megaflow(const struct spec *s, struct meter *m, uint64_t rounds)
{
    struct world *w = world_create(s);
    uint64_t found = 0;
    unsigned n_looked = 0;

    meter_start(m);
    for (uint64_t r = 0; r < rounds; r++) {
        uint16_t id;

        found += megaflow_lookup(&w->table, &w->keys[r % s->n_flows], &n_looked, &id) != NULL;
    }
    meter_print(m, s->name, rounds);
    check_found(found, rounds);
    world_destroy(w);
}

static void
run_classifier(const struct spec *s, struct meter *m, uint64_t rounds)
{
    struct classifier *cls = classifier_create();
    struct cls_rule *rules = xcalloc(s->n_flows, sizeof *rules);
    struct flow *flows = xcalloc(s->n_flows, sizeof *flows);
    bool *inserted = xcalloc(s->n_flows, sizeof *inserted);
    uint64_t found = 0;

    for (unsigned i = 0; i < s->n_flows; i++) {
        struct flow match, mask;

        make_flow(i, &flows[i]);
        match = flows[i];
        make_mask(s, i, &mask);
        for (unsigned j = 0; j < FLOW_WORDS; j++) {
            ((flow_word *) &match)[j] &= ((flow_word *) &mask)[j];
        }
        if (!classifier_find_exact(cls, &match, &mask, 10)) {
            cls_rule_init(&rules[i], &match, &mask, 10, NULL);
            classifier_insert(cls, &rules[i], 1);
            inserted[i] = true;
        }
    }
    classifier_publish(cls);
    meter_start(m);
    for (uint64_t r = 0; r < rounds; r++) {
        struct flow wc;

        memset(&wc, 0, sizeof wc);
        found += classifier_lookup(cls, 1, &flows[r % s->n_flows], &wc) != NULL;
    }
    meter_print(m, s->name, rounds);
    check_found(found, rounds);
    for (unsigned i = 0; i < s->n_flows; i++) {
        if (inserted[i]) {
            classifier_remove(cls, &rules[i]);
        }
    }
    rcu_quiescent_state();
    rcu_barrier();
    classifier_destroy(cls);
    for (unsigned i = 0; i < s->n_flows; i++) {
        if (inserted[i]) {
            cls_rule_destroy(&rules[i]);
        }
    }
    free(inserted);
    free(flows);
    free(rules);
}

static const struct spec specs[] = {
    {"extract-1", 1, 1, run_extract},
    {"extract-1k", PACKETS, 1, run_extract},
    {"emc-1", 1, 1, run_emc},
    {"emc-4k", 4096, 1, run_emc},
    {"smc-1", 1, 1, run_smc},
    {"smc-16k", FLOWS_MAX, 1, run_smc},
    {"megaflow-1", 1, 1, run_megaflow},
    {"megaflow-16k", FLOWS_MAX, 1, run_megaflow},
    {"megaflow-100m", FLOWS_MAX, 100, run_megaflow},
    {"classifier-1", 1, 1, run_classifier},
    {"classifier-16k", FLOWS_MAX, 1, run_classifier},
    {"classifier-100m", FLOWS_MAX, 100, run_classifier},
};

int
main(int argc, char *argv[])
{
    uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000000;
    struct meter m = {open_counter(PERF_COUNT_HW_INSTRUCTIONS),
                      open_counter(PERF_COUNT_HW_CPU_CYCLES), 0};
    bool ran = false;

    thread_adopt("");
    printf("%-18s %12s %12s %12s\n", "per packet", "ns", "instructions", "cycles");
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        if (argc < 2 || !strcmp(argv[1], "all") || !strcmp(argv[1], specs[i].name)) {
            specs[i].run(&specs[i], &m, rounds ? rounds : 1);
            ran = true;
        }
    }
    if (!ran) {
        fprintf(stderr, "bench-lookup: no case %s\n", argv[1]);
        return 1;
    }
    return 0;
}
