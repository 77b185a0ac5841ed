/* SPDX-License-Identifier: Apache-2.0 */
/* Request and response over sockets, one at a time, as a remote procedure call does it: how
 * long the round trip takes through two hosts' stacks and what lies between them.  Two threads,
 * each in its host's namespace; the main thread only waits. */

#include "perf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/affinity.h"
#include "os/clock.h"
#include "util/compiler.h"
#include "util/num.h"
#include "util/xalloc.h"

#define TIMEOUT_MS 3000
#define PORT 5299

struct pingpong {
    struct endpoint from, to; /* only the namespaces count */
    struct sockaddr_in address;
    bool udp;
    uint64_t size;
    double seconds;
    int cpu; /* of both threads; -1: any */
    pthread_barrier_t listening;
    _Atomic bool done;
    uint64_t n;
    double sum_ns, total_s;
    uint64_t buckets[PERF_HIST_BUCKETS];
    char *reason;
};

static uint64_t
now_ns(void)
{
    return (uint64_t) clock_real_ns();
}

static void
pin(int cpu)
{
    if (cpu >= 0) {
        affinity_pin((unsigned) cpu, NULL);
    }
}

static int
open_socket(const struct pingpong *p)
{
    int fd = socket(AF_INET, (p->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), on = 1;
    struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000};

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        if (p->udp) {
            /* Nobody needs to compute checksums: not every switch can on veth. */
            setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on);
        } else {
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
    }
    return fd;
}

/* False at the end of the stream, on an error, after a time-out. */
static bool
receive_all(int fd, char *buf, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t n = recv(fd, buf + got, size - got, 0);

        if (n <= 0) {
            return false;
        }
        got += (size_t) n;
    }
    return true;
}

static void *
server_thread(void *aux)
{
    struct pingpong *p = aux;
    char *buf = xmalloc(p->size);
    int back, listener = -1, fd = -1;

    pin(p->cpu);
    if (!endpoint_enter(&p->to, &back, &p->reason)) {
        listener = open_socket(p);
        if (listener < 0 ||
            bind(listener, (struct sockaddr *) &p->address, sizeof p->address) ||
            (!p->udp && listen(listener, 1))) {
            error_set(&p->reason, "cannot listen (%s)", strerror(errno));
            p->done = true;
        }
    } else {
        p->done = true;
    }
    pthread_barrier_wait(&p->listening);
    while (!p->done && p->udp) {
        struct sockaddr_in peer;
        socklen_t len = sizeof peer;
        ssize_t n = recvfrom(listener, buf, p->size, 0, (struct sockaddr *) &peer, &len);

        if (n > 0) {
            sendto(listener, buf, (size_t) n, 0, (struct sockaddr *) &peer, len);
        }
    }
    if (!p->done) {
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        while (fd >= 0 && receive_all(fd, buf, p->size) &&
               send(fd, buf, p->size, MSG_NOSIGNAL) == (ssize_t) p->size) {
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (listener >= 0) {
        close(listener);
    }
    free(buf);
    return NULL;
}

static void
client_run(struct pingpong *p, int fd, char *buf)
{
    uint64_t start, end, last;

    if (connect(fd, (struct sockaddr *) &p->address, sizeof p->address)) {
        error_set(&p->reason, "cannot connect (%s)", strerror(errno));
        return;
    }
    start = last = 0;
    end = now_ns() + (uint64_t) (p->seconds * 1e9);
    for (unsigned i = 0; !start || last < end; i++) {
        uint64_t sent = now_ns();

        if (send(fd, buf, p->size, MSG_NOSIGNAL) != (ssize_t) p->size ||
            !receive_all(fd, buf, p->size)) {
            error_set(&p->reason, "no answer (%s)", strerror(errno));
            return;
        }
        last = now_ns();
        if (i < 100) { /* address resolution, caches */
            end = last + (uint64_t) (p->seconds * 1e9);
            continue;
        }
        start = start ? start : sent;
        unsigned exponent = 0;
        uint64_t ns = last - sent;
        while (ns >> exponent >= 2 * PERF_HIST_SUB) {
            exponent++;
        }
        p->buckets[MIN((exponent << PERF_HIST_SUB_BITS) + (unsigned) (ns >> exponent),
                       PERF_HIST_BUCKETS - 1u)]++;
        p->sum_ns += (double) ns;
        p->n++;
    }
    p->total_s = (double) (last - start) / 1e9;
}

static void *
client_thread(void *aux)
{
    struct pingpong *p = aux;
    char *buf = xzalloc(p->size);
    int back, fd = -1;

    pin(p->cpu);
    pthread_barrier_wait(&p->listening);
    if (!p->done && !endpoint_enter(&p->from, &back, &p->reason)) {
        fd = open_socket(p);
        client_run(p, fd, buf);
    }
    p->done = true;
    if (fd >= 0) {
        close(fd);
    }
    free(buf);
    return NULL;
}

static void
parse(int argc, char *argv[], struct pingpong *p)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, 'f'},    {"to", required_argument, NULL, 't'},
        {"address", required_argument, NULL, 'a'}, {"udp", no_argument, NULL, 'u'},
        {"size", required_argument, NULL, 's'},    {"seconds", required_argument, NULL, 'S'},
        {"cpus", required_argument, NULL, 'c'},    {NULL, 0, NULL, 0},
    };
    int option;
    bool ok = true;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            snprintf(p->from.ns, sizeof p->from.ns, "%s", optarg);
            break;
        case 't':
            snprintf(p->to.ns, sizeof p->to.ns, "%s", optarg);
            break;
        case 'a':
            ok = inet_pton(AF_INET, optarg, &p->address.sin_addr) == 1 && ok;
            break;
        case 'u':
            p->udp = true;
            break;
        case 's':
            ok = num_parse_u64(optarg, 1, 65000, &p->size) && ok;
            break;
        case 'S':
            p->seconds = atof(optarg);
            ok = p->seconds > 0 && ok;
            break;
        case 'c':
            ok = num_parse_int(optarg, 0, 1023, &p->cpu) && ok;
            break;
        default:
            exit(1);
        }
    }
    if (!ok || optind < argc || !p->address.sin_addr.s_addr) {
        fprintf(stderr, "usage: xvs-perf pingpong --from=NS --to=NS --address=IPV4 [--udp] "
                        "[--size=BYTES] [--seconds=S] [--cpus=CPU]\n");
        exit(1);
    }
}

int
cmd_pingpong(int argc, char *argv[])
{
    struct pingpong *p = xzalloc(sizeof *p);
    pthread_t server, client;

    p->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT)};
    p->size = 1;
    p->seconds = 1;
    p->cpu = -1;
    parse(argc, argv, p);
    pthread_barrier_init(&p->listening, NULL, 2);
    if (pthread_create(&server, NULL, server_thread, p) ||
        pthread_create(&client, NULL, client_thread, p)) {
        perror("xvs-perf: cannot start a thread");
        return 1;
    }
    pthread_join(client, NULL);
    pthread_join(server, NULL);
    if (!p->n || p->reason) {
        fprintf(stderr, "xvs-perf: %s\n", p->reason ? p->reason : "nothing measured");
    } else {
        printf("{\"seconds\": %.6f, \"round_trips\": %" PRIu64 ", \"mean_ns\": %.0f"
               ", \"p50_ns\": %" PRIu64 ", \"p90_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64
               ", \"p99.9_ns\": %" PRIu64 "}\n",
               p->total_s, p->n, p->sum_ns / (double) p->n, hist_percentile(p->buckets, 500),
               hist_percentile(p->buckets, 900), hist_percentile(p->buckets, 990),
               hist_percentile(p->buckets, 999));
    }
    int status = !p->n || p->reason;
    free(p->reason);
    pthread_barrier_destroy(&p->listening);
    free(p);
    return status;
}
