/* SPDX-License-Identifier: Apache-2.0 */

/* The text form of connection targets ("unix:db.sock", "tcp:[::1]:6640") turned into socket
 * addresses, and Unix socket paths of any length.  Called by the other stream files on the main
 * thread.  Knows nothing of connections; never asks a name service. */

#include "rpc/stream-private.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include "util/num.h"
#include "util/xalloc.h"

#define DEFAULT_PORT "6640"

static const struct {
    const char *prefix;
    enum stream_kind kind;
    bool passive;
} schemes[] = {
    {"unix:", STREAM_UNIX, false}, {"punix:", STREAM_UNIX, true}, {"tcp:", STREAM_TCP, false},
    {"ptcp:", STREAM_TCP, true},   {"ssl:", STREAM_SSL, false},   {"pssl:", STREAM_SSL, true},
};

static int
resolve(const char *text, const char *host, const char *port, bool passive,
        struct stream_target *t, char **errp)
{
    int number;
    if (!num_parse_int(port, passive ? 0 : 1, 65535, &number)) {
        error_set(errp, "%s: \"%s\" is not a port number", text, port);
        return EINVAL;
    }
    if (!strcmp(host, "localhost")) {
        host = "127.0.0.1";
    }
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
    };
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error || !found || found->ai_addrlen > sizeof t->addr) {
        error_set(errp,
                  "%s: \"%s\" is neither a numeric IP address nor \"localhost\"; "
                  "other host names are not looked up",
                  text, host);
        if (!error) {
            freeaddrinfo(found);
        }
        return EINVAL;
    }
    memcpy(&t->addr, found->ai_addr, found->ai_addrlen);
    t->addr_len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

/* Cuts a host, in brackets when it holds colons, off the front of *p; NULL when malformed. */
static char *
take_host(char **p)
{
    char *host = *p;
    char *end;
    if (*host == '[') {
        host++;
        end = strchr(host, ']');
        if (!end) {
            return NULL;
        }
        *end++ = '\0';
        if (*end != '\0' && *end != ':') {
            return NULL;
        }
    } else {
        end = host + strcspn(host, ":");
    }
    *p = *end ? end + 1 : end;
    if (*end) {
        *end = '\0';
    }
    return host;
}

static int
parse_inet(const char *text, const char *rest, struct stream_target *t, char **errp)
{
    char *copy = xstrdup(rest);
    char *p = copy;
    const char *host, *port;
    if (t->passive) {
        port = p;
        p += strcspn(p, ":");
        if (*p) {
            *p++ = '\0';
        }
        host = *p ? take_host(&p) : "0.0.0.0";
    } else {
        host = take_host(&p);
        port = p;
    }
    int error = EINVAL;
    if (!host || !*host) {
        error_set(errp, "%s: no host address", text);
    } else {
        error = resolve(text, host, *port ? port : DEFAULT_PORT, t->passive, t, errp);
    }
    free(copy);
    return error;
}

int
stream_target_parse(const char *text, struct stream_target *t, char **errp)
{
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        size_t n = strlen(schemes[i].prefix);
        if (strncmp(text, schemes[i].prefix, n)) {
            continue;
        }
        t->kind = schemes[i].kind;
        t->passive = schemes[i].passive;
        const char *rest = text + n;
        if (t->kind != STREAM_UNIX) {
            return parse_inet(text, rest, t, errp);
        }
        if (!*rest) {
            error_set(errp, "%s: no socket path", text);
            return EINVAL;
        }
        const char *dir = getenv("OVS_RUNDIR");
        t->path = *rest == '/'
                      ? xstrdup(rest)
                      : xasprintf("%s/%s", dir && *dir ? dir : "/var/run/openvswitch", rest);
        return 0;
    }
    error_set(errp,
              "\"%s\" is not a connection target "
              "(unix:, tcp:, ssl:, punix:, ptcp: or pssl: is missing)",
              text);
    return EINVAL;
}

void
stream_target_free(struct stream_target *t)
{
    free(t->path);
    t->path = NULL;
}

bool
stream_target_check(const char *text, enum stream_kind *kind, bool *passive, char **errp)
{
    struct stream_target t;
    int error = stream_target_parse(text, &t, errp);
    if (!error) {
        if (kind) {
            *kind = t.kind;
        }
        if (passive) {
            *passive = t.passive;
        }
    }
    stream_target_free(&t);
    return !error;
}

int
stream_unix_attach(int fd, const char *path,
                   int (*attach)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int dir_fd = -1;
    size_t len = strlen(path);
    if (len < sizeof un.sun_path) {
        memcpy(un.sun_path, path, len + 1);
    } else {
        /* The path is absolute, so it has a slash. */
        const char *base = strrchr(path, '/') + 1;
        char *dir = xstrndup(path, (size_t) (base - path));
        dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        free(dir);
        if (dir_fd < 0) {
            return errno;
        }
        int n = snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d/%s", dir_fd, base);
        if (n < 0 || (size_t) n >= sizeof un.sun_path) {
            close(dir_fd);
            return ENAMETOOLONG;
        }
    }
    int error = attach(fd, (const struct sockaddr *) &un, sizeof un) ? errno : 0;
    if (dir_fd >= 0) {
        close(dir_fd);
    }
    return error;
}

char *
stream_target_with_port(const char *target, const char *port)
{
    enum stream_kind kind;
    bool passive;
    const char *rest, *host_end, *colon;

    if (!stream_target_check(target, &kind, &passive, NULL) || kind == STREAM_UNIX) {
        return xstrdup(target);
    }
    rest = strchr(target, ':') + 1;
    if (passive) { /* the port comes first */
        return *rest && *rest != ':'
                   ? xstrdup(target)
                   : xasprintf("%.*s%s%s", (int) (rest - target), target, port, rest);
    }
    host_end = *rest == '[' ? strchr(rest, ']') : rest;
    colon = strchr(host_end ? host_end : rest, ':');
    if (colon && colon[1]) {
        return xstrdup(target);
    }
    return xasprintf("%s%s%s", target, colon ? "" : ":", port);
}
