/* SPDX-License-Identifier: Apache-2.0 */

/* The sentences that users read, the names of states and results, and which names fit into a
 * message.  Called by the other files of the library, on the session's thread.  Pure. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "xskcni/xskcni-private.h"

#define SERVER "the AF_XDP device plugin at %s"

void
xskcni__format(char *out, size_t sz, const char *format, ...)
{
    if (!out || !sz) {
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(out, sz, format, args);
    va_end(args);
}

const char *
xskcni__name_fault(const char *name, size_t max, bool is_file)
{
    size_t len = name ? strlen(name) : 0;
    if (!len) {
        return "is empty";
    }
    if (len > max) {
        return "is too long for the protocol, whose messages end at 64 bytes";
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) name[i];
        if (c <= ' ' || c > 0x7e || c == ',' || (is_file && c == '/')) {
            return is_file ? "has a character that no device name in the protocol can have"
                           : "has a character that no host name can have";
        }
    }
    return is_file && (!strcmp(name, ".") || !strcmp(name, "..")) ? "is not a device name"
                                                                  : NULL;
}

const char *
xskcni_state_name(enum xskcni_state state)
{
    static const char *const names[XSKCNI_N_STATES] = {
        [XSKCNI_STATE_IDLE] = "idle",           [XSKCNI_STATE_CONNECTING] = "connecting",
        [XSKCNI_STATE_HOST] = "checking host",  [XSKCNI_STATE_VERSION] = "checking version",
        [XSKCNI_STATE_READY] = "ready",         [XSKCNI_STATE_ASKING] = "asking",
        [XSKCNI_STATE_FINISHING] = "finishing",
    };
    return (unsigned) state < XSKCNI_N_STATES ? names[state] : "unknown";
}

const char *
xskcni_result_name(enum xskcni_result result)
{
    static const char *const names[XSKCNI_N_RESULTS] = {
        [XSKCNI_OK] = "ok",
        [XSKCNI_ABSENT] = "absent",
        [XSKCNI_BAD_PATH] = "bad path",
        [XSKCNI_FORBIDDEN] = "forbidden",
        [XSKCNI_HOST_NAK] = "host refused",
        [XSKCNI_VERSION] = "wrong version",
        [XSKCNI_DEVICE_NAK] = "device refused",
        [XSKCNI_BUSY_NAK] = "busy polling refused",
        [XSKCNI_UNKNOWN] = "request unknown",
        [XSKCNI_BAD_REPLY] = "wrong reply",
        [XSKCNI_NO_FD] = "no descriptor",
        [XSKCNI_BAD_FDS] = "bad descriptors",
        [XSKCNI_TIMEOUT] = "time-out",
        [XSKCNI_CLOSED] = "closed",
        [XSKCNI_SYSTEM] = "system error",
    };
    return (unsigned) result < XSKCNI_N_RESULTS ? names[result] : "unknown";
}

/* Sentences about a path that cannot be connected to. */
static void
say_connect(const struct xskcni__case *c, char *out, size_t sz)
{
    if (c->result == XSKCNI_FORBIDDEN) {
        xskcni__format(
            out, sz,
            "user %u may not connect to the AF_XDP device plugin's socket %s (%s): "
            "check owner and mode of the socket and of the folders above it, and the "
            "plugin's setting for the pod's user",
            (unsigned) geteuid(), c->path, strerror(c->error));
    } else if (c->result == XSKCNI_BAD_PATH) {
        const char *what = c->error == EPROTOTYPE ? "is a Unix socket of another type than the "
                                                    "AF_XDP device plugin's (SOCK_SEQPACKET)"
                           : c->error == ENOTDIR || c->error == ELOOP
                               ? "is a path through something that is not a folder"
                               : "is not a socket";
        xskcni__format(out, sz, "%s %s: check which path the device plugin serves", c->path,
                       what);
    } else if (c->error == ENOENT) {
        xskcni__format(out, sz,
                       "the AF_XDP device plugin's socket %s does not exist: check that the "
                       "plugin runs on this node and that the pod requests the device, which "
                       "mounts the socket; most plugins serve one session and then remove the "
                       "socket, and the pod must be created anew to get another",
                       c->path);
    } else {
        xskcni__format(
            out, sz,
            "nobody listens at the AF_XDP device plugin's socket %s: the plugin is not "
            "there yet, has stopped, or gave up waiting; check its log and restart "
            "the plugin or the pod",
            c->path);
    }
}

/* Sentences about what the server refused. */
static void
say_refusal(const struct xskcni__case *c, char *out, size_t sz)
{
    if (c->result == XSKCNI_HOST_NAK && c->peer) {
        xskcni__format(out, sz,
                       SERVER " refused host %s because of an error of its own (%s): check the "
                              "plugin's log, and that it can ask the kubelet for the pod's "
                              "resources",
                       c->path, c->hostname, c->peer);
    } else if (c->result == XSKCNI_HOST_NAK) {
        xskcni__format(out, sz,
                       SERVER
                       " refused host %s: check that the pod requests the device that "
                       "this socket serves, and that its host name is the pod's name (no "
                       "host network, no other host name in the pod's spec)",
                       c->path, c->hostname);
    } else if (c->result == XSKCNI_VERSION) {
        xskcni__format(out, sz,
                       SERVER " speaks protocol version %s, only \"" XSKCNI_PROTOCOL "\" is "
                              "understood here: install versions that match",
                       c->path, c->reply);
    } else if (c->result == XSKCNI_DEVICE_NAK) {
        xskcni__format(out, sz,
                       SERVER
                       " refused to hand over device %s: check that the device is one of "
                       "those this socket serves (AFXDP_DEVICES_* in the pod's environment "
                       "names them) and that it was not renamed",
                       c->path, c->device);
    } else if (c->result == XSKCNI_BUSY_NAK) {
        xskcni__format(out, sz,
                       SERVER
                       " could not set busy polling on the socket: check the plugin's log "
                       "and that its kernel is 5.11 or later, or leave busy polling off",
                       c->path);
    } else {
        xskcni__format(out, sz, SERVER " does not know the request \"%s\": %s", c->path,
                       c->request,
                       c->op == XSKCNI_OP_BUSY_POLL
                           ? "update the plugin, or leave busy polling off"
                           : "check that the path is that of a plugin with protocol "
                             "version " XSKCNI_PROTOCOL);
    }
}

/* Sentences about a server that does not keep to the protocol. */
static void
say_fault(const struct xskcni__case *c, char *out, size_t sz)
{
    if (c->result == XSKCNI_NO_FD) {
        xskcni__format(out, sz,
                       SERVER
                       " agreed to hand over device %s but sent no file descriptor with "
                       "it: check the plugin's log for a failure to load the XDP program, "
                       "or update the plugin",
                       c->path, c->device);
    } else if (c->result == XSKCNI_BAD_FDS && c->error == EMFILE) {
        xskcni__format(
            out, sz,
            "the file descriptor that the AF_XDP device plugin at %s sent could not be "
            "received: raise the limit of open files (ulimit -n), and check that no "
            "security module forbids it",
            c->path);
    } else if (c->result == XSKCNI_BAD_FDS) {
        xskcni__format(out, sz,
                       SERVER " sent file descriptors with its answer to \"%s\" that do not "
                              "belong there; they were closed: check the path, or update the "
                              "plugin",
                       c->path, c->request);
    } else if (c->state == XSKCNI_STATE_READY) {
        xskcni__format(out, sz,
                       SERVER " sent %s without having been asked: the connection was closed; "
                              "check that the path is the plugin's",
                       c->path, c->reply);
    } else {
        xskcni__format(out, sz,
                       SERVER
                       " answered \"%s\" with %s, which the protocol does not have: check "
                       "that the path is the plugin's, or update the plugin",
                       c->path, c->request, c->reply);
    }
}

/* Sentences about a server that is silent or gone. */
static void
say_lost(const struct xskcni__case *c, char *out, size_t sz)
{
    if (c->result == XSKCNI_TIMEOUT && c->state == XSKCNI_STATE_CONNECTING) {
        xskcni__format(out, sz,
                       SERVER
                       " did not accept a connection within %u ms: it serves one client at "
                       "a time; check that no other process holds its socket",
                       c->path, c->step_ms);
    } else if (c->result == XSKCNI_TIMEOUT) {
        xskcni__format(out, sz,
                       SERVER
                       " did not answer \"%s\" within %u ms: check the plugin's log, and "
                       "restart it if it hangs",
                       c->path, c->request, c->step_ms);
    } else if (c->state == XSKCNI_STATE_READY) {
        xskcni__format(out, sz,
                       SERVER " ended the session: devices handed over before go on working; "
                              "for more devices on this socket, the pod may have to be created "
                              "anew",
                       c->path);
    } else {
        xskcni__format(out, sz,
                       SERVER " closed the connection instead of answering \"%s\": check the "
                              "plugin's log; it may have been restarted, be serving another "
                              "client, or have given up waiting",
                       c->path, c->request);
    }
}

static void
say_ok(const struct xskcni__case *c, char *out, size_t sz)
{
    switch (c->op) {
    case XSKCNI_OP_OPEN:
        xskcni__format(out, sz, SERVER " accepted host %s", c->path, c->hostname);
        break;
    case XSKCNI_OP_MAP:
        xskcni__format(out, sz, SERVER " handed over device %s", c->path, c->device);
        break;
    case XSKCNI_OP_BUSY_POLL:
        xskcni__format(out, sz, SERVER " set busy polling", c->path);
        break;
    case XSKCNI_OP_END:
        xskcni__format(out, sz, "the session with the AF_XDP device plugin at %s is finished",
                       c->path);
        break;
    }
}

void
xskcni__say(const struct xskcni__case *c, char *out, size_t sz)
{
    switch (c->result) {
    case XSKCNI_OK:
        say_ok(c, out, sz);
        break;
    case XSKCNI_ABSENT:
    case XSKCNI_BAD_PATH:
    case XSKCNI_FORBIDDEN:
        say_connect(c, out, sz);
        break;
    case XSKCNI_HOST_NAK:
    case XSKCNI_VERSION:
    case XSKCNI_DEVICE_NAK:
    case XSKCNI_BUSY_NAK:
    case XSKCNI_UNKNOWN:
        say_refusal(c, out, sz);
        break;
    case XSKCNI_BAD_REPLY:
    case XSKCNI_NO_FD:
    case XSKCNI_BAD_FDS:
        say_fault(c, out, sz);
        break;
    case XSKCNI_TIMEOUT:
    case XSKCNI_CLOSED:
        say_lost(c, out, sz);
        break;
    case XSKCNI_SYSTEM:
    case XSKCNI_N_RESULTS:
        xskcni__format(out, sz, "cannot talk to the AF_XDP device plugin at %s: %s", c->path,
                       strerror(c->error));
        break;
    }
}
