/* SPDX-License-Identifier: Apache-2.0 */
/* The syslog destination: by syslog(3), by datagrams to a Unix or UDP socket, or nowhere.
 * Called by the log with its mutex held, on any thread; a send never blocks. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/log-libc.h"
#include "log/log-private.h"
#include "util/num.h"

LOG_MODULE(syslog);

enum syslog_method { METHOD_LIBC, METHOD_NULL, METHOD_SOCKET };

/* RFC 5424 section 6.2.1, table 1. */
static const struct {
    const char *name;
    int code;
} facilities[] = {
    {"kern", 0},      {"user", 1},    {"mail", 2},    {"daemon", 3},  {"auth", 4},
    {"syslog", 5},    {"lpr", 6},     {"news", 7},    {"uucp", 8},    {"cron", 9},
    {"authpriv", 10}, {"ftp", 11},    {"local0", 16}, {"local1", 17}, {"local2", 18},
    {"local3", 19},   {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23},
};

/* Guarded by log_mutex. */
static enum syslog_method method = METHOD_LIBC;
static int sock = -1;
static int facility = 3; /* daemon */
static bool libc_opened;
static char app_name[64];

const char *
log_app_name(void)
{
    return app_name[0] ? app_name : program_invocation_short_name;
}

void
log_set_app_name(const char *name)
{
    mutex_lock(&log_mutex);
    snprintf(app_name, sizeof app_name, "%s", name);
    libc_opened = false;
    mutex_unlock(&log_mutex);
}

/* RFC 5424 section 6.2.1, table 2. */
static int
severity(enum log_level level)
{
    switch (level) {
    case LOG_LVL_EMER:
        return 1; /* alert */
    case LOG_LVL_ERR:
        return 3; /* error */
    case LOG_LVL_WARN:
        return 4; /* warning */
    case LOG_LVL_INFO:
        return 5; /* notice */
    case LOG_LVL_OFF:
    case LOG_LVL_DBG:
    default:
        return 7; /* debug */
    }
}

int
log_syslog_priority(enum log_level level)
{
    return facility * 8 + severity(level);
}

bool
log_syslog_facility_set__(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(facilities); i++) {
        if (!strcasecmp(name, facilities[i].name)) {
            facility = facilities[i].code;
            libc_opened = false;
            return true;
        }
    }
    return false;
}

void
log_syslog_send__(enum log_level level, const char *line)
{
    struct strbuf packet = STRBUF_INIT;

    switch (method) {
    case METHOD_LIBC:
        if (!libc_opened) {
            log_libc_open(log_app_name(), facility);
            libc_opened = true;
        }
        log_libc_send(severity(level), line);
        break;
    case METHOD_NULL:
        break;
    case METHOD_SOCKET:
        /* The layout of RFC 3164 section 4.1 without a timestamp, which the receiver adds. */
        strbuf_putf(&packet, "<%d>%s: %s", log_syslog_priority(level), log_app_name(), line);
        (void) !send(sock, packet.data, packet.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        strbuf_free(&packet);
        break;
    }
}

/* A datagram socket connected to a "unix:" or "udp:" target; -1 with errno set on failure. */
static int
connect_target(const char *target)
{
    union {
        struct sockaddr sa;
        struct sockaddr_un un;
        struct sockaddr_in in;
    } addr;
    socklen_t len;
    char ip[INET_ADDRSTRLEN];
    const char *colon;
    uint64_t port;
    int fd;

    memset(&addr, 0, sizeof addr);
    if (!strncmp(target, "unix:", 5)) {
        if (strlen(target + 5) >= sizeof addr.un.sun_path) {
            errno = ENAMETOOLONG;
            return -1;
        }
        addr.un.sun_family = AF_UNIX;
        strcpy(addr.un.sun_path, target + 5);
        len = sizeof addr.un;
    } else {
        colon = strrchr(target + 4, ':');
        if (!colon || !num_parse_u64(colon + 1, 1, 65535, &port) ||
            (size_t) (colon - (target + 4)) >= sizeof ip) {
            errno = EINVAL;
            return -1;
        }
        memcpy(ip, target + 4, (size_t) (colon - (target + 4)));
        ip[colon - (target + 4)] = '\0';
        addr.in.sin_family = AF_INET;
        addr.in.sin_port = htons((uint16_t) port);
        if (inet_pton(AF_INET, ip, &addr.in.sin_addr) != 1) {
            errno = EINVAL;
            return -1;
        }
        len = sizeof addr.in;
    }
    fd = socket(addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, &addr.sa, len)) {
        int error = errno;

        close(fd);
        errno = error;
        fd = -1;
    }
    return fd;
}

void
log_set_syslog_method(const char *name)
{
    enum syslog_method m;
    int fd = -1;

    if (!strcmp(name, "libc")) {
        m = METHOD_LIBC;
    } else if (!strcmp(name, "null")) {
        m = METHOD_NULL;
    } else if (!strncmp(name, "unix:", 5) || !strncmp(name, "udp:", 4)) {
        m = METHOD_SOCKET;
        fd = connect_target(name);
        if (fd < 0) {
            LOG_WARN("cannot send syslog messages to %s: %s", name, strerror(errno));
            return;
        }
    } else {
        LOG_WARN("unknown syslog method \"%s\"", name);
        return;
    }
    mutex_lock(&log_mutex);
    if (sock >= 0) {
        close(sock);
    }
    sock = fd;
    method = m;
    mutex_unlock(&log_mutex);
}
