/* SPDX-License-Identifier: Apache-2.0 */

/* An imitation of the AF_XDP device plugin's socket server, for tests: protocol 0.1 as
 * its clients use it, one connection at a time, and on request every way a server
 * can misbehave.  Stands on its own, shares no code with the client it tests.
 *
 *   dp-server --socket PATH --host NAME --device IF[,IF...] [options]
 *     --once            one connection, then close and remove the socket, as the plugin does
 *     --slots N         entries of the XSKMAP (default 64)
 *     --attach          load a redirecting XDP program and attach it to each device
 *     --plain           hand over a socket pair's end where a map cannot be made (no root)
 *     --uid N           the user that may connect (default root)
 *     --idle-ms N       end an idle session after N ms (default 30000)
 *     --delay-ms N      wait so long before each reply
 *     --version TEXT    answer /version with TEXT
 *     --no-accept       listen, and accept nobody
 *     --full            the same, with no room for another to wait
 *     --fault STEP:KIND misbehave at a step: connect, version, map, busy, fin, idle
 *         KIND: nak error error-only silent wrong long64 long65 nul empty unknown twice
 *               no-fd two-fds many-fds stray-fd pipe hash
 *               close (instead of answering) leave (close after it) half (stop writing) deaf
 *               (stop reading) die (the process ends instead) die-after (it ends after it)
 *   Prints "ready" when it listens, then each request and reply. */

#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/bpf-map.h"
#include "tests/unit/fd-message.h"

#define MESSAGE_MAX 64
#define DEVICES_MAX 16

struct device {
    char name[64];
    int map, prog, link;
};

static struct {
    const char *socket, *host, *version, *step, *kind;
    struct device devices[DEVICES_MAX];
    unsigned n_devices, slots;
    int idle_ms, delay_ms;
    uid_t uid; /* the socket's owner */
    bool once, attach, plain, no_accept, full;
} cfg = {.version = "0.1", .slots = 64, .idle_ms = 30000, .step = "", .kind = ""};

/* r2 = rx queue; r1 = map; r3 = XDP_PASS for queues without a socket; bpf_redirect_map(). */
static int
load_program(int map)
{
    struct bpf_insn insns[] = {
        {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 16},
        {.code = BPF_LD | BPF_DW | BPF_IMM,
         .dst_reg = 1,
         .src_reg = BPF_PSEUDO_MAP_FD,
         .imm = map},
        {.code = 0},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS},
        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_XDP;
    attr.expected_attach_type = BPF_XDP;
    attr.insns = (uintptr_t) insns;
    attr.insn_cnt = sizeof insns / sizeof insns[0];
    attr.license = (uintptr_t) "Apache-2.0";
    return bpf_do(BPF_PROG_LOAD, &attr);
}

static int
attach_program(int prog, const char *ifname)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.link_create.prog_fd = (uint32_t) prog;
    attr.link_create.target_ifindex = if_nametoindex(ifname);
    attr.link_create.attach_type = BPF_XDP;
    return attr.link_create.target_ifindex ? bpf_do(BPF_LINK_CREATE, &attr) : -1;
}

/* What is handed over for a device; false with a message on failure. */
static bool
prepare(struct device *d)
{
    int pair[2];
    d->prog = d->link = -1;
    d->map = make_map(BPF_MAP_TYPE_XSKMAP, cfg.slots);
    if (d->map < 0 && cfg.plain && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) {
        close(pair[1]);
        d->map = pair[0];
        return true;
    }
    if (d->map < 0) {
        perror("dp-server: XSKMAP");
        return false;
    }
    if (cfg.attach) {
        d->prog = load_program(d->map);
        d->link = d->prog < 0 ? -1 : attach_program(d->prog, d->name);
        if (d->link < 0) {
            perror("dp-server: XDP program");
            return false;
        }
    }
    return true;
}

static void
nap(int ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&ts, NULL);
}

static bool
send_reply(int conn, const void *text, size_t len, const int *fds, unsigned n_fds)
{
    printf("> %.*s (%zu bytes, %u descriptors)\n", (int) len, (const char *) text, len, n_fds);
    return fd_message_send(conn, text, len, fds, n_fds, 0) == (ssize_t) len;
}

/* Replies `text` unless the fault of this step says otherwise; false ends the session.  `fd` is
 * the descriptor that belongs to the reply, or -1. */
static bool
reply(int conn, const char *step, const char *text, const char *nak, int fd)
{
    const char *kind = !strcmp(step, cfg.step) ? cfg.kind : "";
    char big[MESSAGE_MAX + 1];
    int fds[32], null_fds[2] = {-1, -1};
    size_t len = strlen(text);
    unsigned n_fds = fd >= 0 ? 1 : 0;
    bool ok;
    memset(big, 'x', sizeof big);
    fds[0] = fd;
    nap(cfg.delay_ms);
    if (!strcmp(kind, "silent")) {
        return true;
    } else if (!strcmp(kind, "close")) {
        return false;
    } else if (!strcmp(kind, "die")) {
        exit(0);
    } else if (!strcmp(kind, "half") || !strcmp(kind, "deaf")) {
        return !shutdown(conn, kind[0] == 'h' ? SHUT_WR : SHUT_RD);
    } else if (!strcmp(kind, "leave") || !strcmp(kind, "die-after")) {
        send_reply(conn, text, len, fds, n_fds);
        if (kind[0] == 'd') {
            exit(0);
        }
        return false;
    } else if (!strcmp(kind, "nak")) {
        return send_reply(conn, nak, strlen(nak), NULL, 0) && strcmp(step, "connect");
    } else if (!strcmp(kind, "error")) {
        return send_reply(conn, "/error", 6, NULL, 0) &&
               send_reply(conn, nak, strlen(nak), NULL, 0) && strcmp(step, "connect");
    } else if (!strcmp(kind, "error-only")) {
        send_reply(conn, "/error", 6, NULL, 0);
        return false;
    } else if (!strcmp(kind, "unknown")) {
        return send_reply(conn, "/nak", 4, NULL, 0);
    } else if (!strcmp(kind, "wrong")) {
        return send_reply(conn, "/what", 5, NULL, 0);
    } else if (!strcmp(kind, "long64") || !strcmp(kind, "long65")) {
        memcpy(big, text, len);
        return send_reply(conn, big, !strcmp(kind, "long64") ? 64 : 65, NULL, 0);
    } else if (!strcmp(kind, "nul")) {
        return send_reply(conn, text, len + 1, fds, n_fds);
    } else if (!strcmp(kind, "empty")) {
        return send_reply(conn, text, 0, NULL, 0);
    } else if (!strcmp(kind, "twice")) {
        return send_reply(conn, text, len, fds, n_fds) &&
               send_reply(conn, text, len, fds, n_fds);
    } else if (!strcmp(kind, "no-fd")) {
        return send_reply(conn, text, len, NULL, 0);
    } else if (!strcmp(kind, "two-fds") || !strcmp(kind, "many-fds")) {
        n_fds = !strcmp(kind, "two-fds") ? 2 : 32;
        for (unsigned i = 0; i < n_fds; i++) {
            fds[i] = fd >= 0 ? fd : conn;
        }
        return send_reply(conn, text, len, fds, n_fds);
    } else if (!strcmp(kind, "stray-fd")) {
        return send_reply(conn, text, len, &conn, 1);
    } else if (!strcmp(kind, "pipe") || !strcmp(kind, "hash")) {
        int hash = kind[0] == 'h' ? make_map(BPF_MAP_TYPE_HASH, cfg.slots) : -1;
        if (hash < 0 && pipe(null_fds)) {
            return false;
        }
        ok = send_reply(conn, text, len, hash >= 0 ? &hash : null_fds, 1);
        close(hash >= 0 ? hash : null_fds[0]);
        if (null_fds[1] >= 0) {
            close(null_fds[1]);
        }
        return ok;
    }
    return send_reply(conn, text, len, fds, n_fds);
}

static struct device *
find_device(const char *name)
{
    for (unsigned i = 0; i < cfg.n_devices; i++) {
        if (!strcmp(cfg.devices[i].name, name)) {
            return &cfg.devices[i];
        }
    }
    return NULL;
}

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif

static bool
busy_poll(int conn, const char *args, int fd)
{
    int timeout, budget, one = 1;
    bool done = fd >= 0 && sscanf(args, "%d,%d", &timeout, &budget) == 2 &&
                !setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &one, sizeof one) &&
                !setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &timeout, sizeof timeout) &&
                !setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof budget);
    return reply(conn, "busy", done ? "/config_busy_poll_ack" : "/config_busy_poll_nak",
                 "/config_busy_poll_nak", -1);
}

/* One request; false ends the session. */
static bool
serve_request(int conn, const char *text, int fd, bool *accepted)
{
    if (!strncmp(text, "/connect,", 9)) {
        *accepted = !strcmp(text + 9, cfg.host);
        return reply(conn, "connect", *accepted ? "/host_ok" : "/host_nak", "/host_nak", -1) &&
               *accepted;
    }
    if (!*accepted) {
        return false;
    }
    if (!strcmp(text, "/version")) {
        return reply(conn, "version", cfg.version, "/nak", -1);
    }
    if (!strncmp(text, "/xsk_map_fd,", 12)) {
        struct device *d = find_device(text + 12);
        return reply(conn, "map", d ? "/fd_ack" : "/fd_nak", "/fd_nak", d ? d->map : -1);
    }
    if (!strncmp(text, "/config_busy_poll,", 18)) {
        return busy_poll(conn, text + 18, fd);
    }
    if (!strcmp(text, "/fin")) {
        reply(conn, "fin", "/fin_ack", "/nak", -1);
        return false;
    }
    return send_reply(conn, "/nak", 4, NULL, 0);
}

/* Receives one request of at most 64 bytes with at most one descriptor; false: session over. */
static bool
receive(int conn, char *text, int *fd)
{
    struct pollfd p = {.fd = conn, .events = POLLIN};
    *fd = -1;
    if (poll(&p, 1, cfg.idle_ms) <= 0) {
        return false;
    }
    return fd_message_receive(conn, text, MESSAGE_MAX, fd, 0) > 0;
}

static void
serve_session(int conn)
{
    char text[MESSAGE_MAX + 1];
    bool accepted = false, going = true, idle_fault = !strcmp(cfg.step, "idle");
    unsigned n = 0;
    int fd;
    while (going && receive(conn, text, &fd)) {
        printf("< %s\n", text);
        going = serve_request(conn, text, fd, &accepted);
        if (fd >= 0) {
            close(fd);
        }
        if (idle_fault && ++n == 2) { /* after connect and version nobody asks for anything */
            going =
                !strcmp(cfg.kind, "close") ? false : send_reply(conn, "/fd_ack", 7, NULL, 0);
        }
    }
    close(conn);
    puts("session over");
}

static void
usage(void)
{
    fprintf(stderr, "usage: dp-server --socket PATH --host NAME --device IF[,IF...] [--once] "
                    "[--slots N] [--attach] [--plain] [--idle-ms N] [--delay-ms N] "
                    "[--version TEXT] [--fault STEP:KIND] [--no-accept] [--full] "
                    "[--uid N]\n");
    exit(2);
}

static void
parse(int argc, char *argv[])
{
    static const struct option options[] = {
        {"socket", 1, NULL, 's'},  {"host", 1, NULL, 'h'},    {"device", 1, NULL, 'd'},
        {"once", 0, NULL, 'o'},    {"slots", 1, NULL, 'n'},   {"attach", 0, NULL, 'a'},
        {"plain", 0, NULL, 'p'},   {"idle-ms", 1, NULL, 'i'}, {"delay-ms", 1, NULL, 'w'},
        {"version", 1, NULL, 'v'}, {"fault", 1, NULL, 'f'},   {"no-accept", 0, NULL, 'q'},
        {"full", 0, NULL, 'Q'},    {"uid", 1, NULL, 'u'},     {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 's':
            cfg.socket = optarg;
            break;
        case 'h':
            cfg.host = optarg;
            break;
        case 'Q':
            cfg.full = true;
            /* fall through */
        case 'q':
            cfg.no_accept = true;
            break;
        case 'o':
            cfg.once = true;
            break;
        case 'n':
            cfg.slots = (unsigned) atoi(optarg);
            break;
        case 'a':
            cfg.attach = true;
            break;
        case 'p':
            cfg.plain = true;
            break;
        case 'i':
            cfg.idle_ms = atoi(optarg);
            break;
        case 'w':
            cfg.delay_ms = atoi(optarg);
            break;
        case 'u':
            cfg.uid = (uid_t) atoi(optarg);
            break;
        case 'v':
            cfg.version = optarg;
            break;
        case 'f':
            cfg.step = strtok(optarg, ":");
            cfg.kind = strtok(NULL, "");
            break;
        case 'd':
            for (char *d = strtok(optarg, ","); d && cfg.n_devices < DEVICES_MAX;
                 d = strtok(NULL, ",")) {
                snprintf(cfg.devices[cfg.n_devices++].name, sizeof cfg.devices[0].name, "%s",
                         d);
            }
            break;
        default:
            usage();
        }
    }
    if (!cfg.socket || !cfg.host || !cfg.n_devices || !cfg.step || !cfg.kind) {
        usage();
    }
}

/* Connects until there is no room left. */
static void
fill_up(const struct sockaddr_un *sun)
{
    int fd;
    do {
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    } while (fd >= 0 && !connect(fd, (const struct sockaddr *) sun, sizeof *sun));
}

/* Whoever sees the socket may connect to it at once: it gets its name last. */
static int
open_listener(struct sockaddr_un *sun)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(sun->sun_path, sizeof sun->sun_path, "%s.new", cfg.socket);
    if (fd < 0 || bind(fd, (struct sockaddr *) sun, sizeof *sun) || listen(fd, 1) ||
        chown(sun->sun_path, cfg.uid, (gid_t) -1) || rename(sun->sun_path, cfg.socket)) {
        perror("dp-server");
        return -1;
    }
    snprintf(sun->sun_path, sizeof sun->sun_path, "%s", cfg.socket);
    return fd;
}

int
main(int argc, char *argv[])
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    parse(argc, argv);
    for (unsigned i = 0; i < cfg.n_devices; i++) {
        if (!prepare(&cfg.devices[i])) {
            return 1;
        }
    }
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int listener = open_listener(&sun);
    if (listener < 0) {
        return 1;
    }
    if (cfg.full) {
        fill_up(&sun);
    }
    puts("ready");
    if (cfg.no_accept) {
        pause();
    }
    do {
        int conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (conn >= 0) {
            serve_session(conn);
        } else if (errno != EINTR) {
            break;
        }
    } while (!cfg.once);
    close(listener);
    unlink(cfg.socket);
    /* The program goes with its link; with --attach the devices are kept up until killed. */
    if (cfg.attach) {
        pause();
    }
    return 0;
}
