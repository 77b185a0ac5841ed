/* SPDX-License-Identifier: Apache-2.0 */

/* A controller for tests: listens, speaks OpenFlow with whoever connects, and prints what
 * comes.
 *
 *   of-controller TARGET VERSIONS [--tls KEY CERTIFICATE CA] [HEX...]
 *
 * TARGET as punix:PATH, ptcp:PORT:HOST or pssl:PORT:HOST; VERSIONS as OpenFlow10,OpenFlow13.
 * Each HEX is a message that is sent once a connection is up (its version byte is replaced by
 * the one agreed upon). Prints "ready", "up OpenFlow13", the name of each message but echoes,
 * for some also what they say, "down". */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/conn-channel.h"
#include "openflow/of-hello.h"
#include "openflow/of-role.h"

static struct evloop *loop;
static uint32_t versions;
static char **hex;

static void
send_hex(struct of_channel *c, const char *text)
{
    struct of_buf b = OF_BUF_INIT;

    for (; text[0] && text[1]; text += 2) {
        char two[3] = {text[0], text[1], '\0'};

        of_put_u8(&b, (uint8_t) strtoul(two, NULL, 16));
    }
    of_buf_set_u8(&b, 0, of_channel_version(c));
    of_channel_send(c, &b);
}

static void
on_up(struct of_channel *c, void *aux)
{
    printf("up %s\n", of_version_name(of_channel_version(c)));
    for (char **h = hex; *h; h++) {
        send_hex(c, *h);
    }
}

static void
on_message(struct of_channel *c, struct of_msg *m, void *aux)
{
    struct of_error_msg e;

    printf("%s", of_msg_type_name(m->type));
    if (m->type == OFM_ERROR && !of_error_decode(m, &e)) {
        printf(" %s", of_err_name(e.err));
    } else if (m->type == OFM_ROLE_REPLY) {
        printf(" %u", m->body.p[3]);
    } else if (m->type == OFM_ROLE_STATUS) { /* role, reason */
        printf(" %u %u", m->body.p[3], m->body.p[4]);
    } else if (m->type == OFM_TABLE_STATUS) { /* reason */
        printf(" %u", m->body.p[0]);
    } else if (m->type == OFM_REQUESTFORWARD) {
        struct of_msg inner;

        printf(" %s", of_msg_parse(m->body.p, m->body.len, &inner)
                          ? "nothing"
                          : of_msg_type_name(inner.type));
    }
    printf("\n");
}

static void
on_down(struct of_channel *c, const char *why, void *aux)
{
    printf("down\n");
    of_channel_destroy(c);
}

static const struct of_channel_ops ops = {.up = on_up, .message = on_message, .down = on_down};

static void
accepted(struct stream *s, void *aux)
{
    of_channel_create(loop, s, versions, 0, &ops, NULL);
}

int
main(int argc, char *argv[])
{
    struct stream_listener *listener;
    char *error = NULL, *save = NULL;

    if (argc < 3) {
        fprintf(stderr, "usage: of-controller TARGET VERSIONS [--tls KEY CERT CA] [HEX...]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (char *v = strtok_r(argv[2], ",", &save); v; v = strtok_r(NULL, ",", &save)) {
        versions |= of_version_from_name(v);
    }
    hex = argv + 3;
    if (argc >= 7 && !strcmp(argv[3], "--tls")) {
        stream_ssl_configure(argv[4], argv[5], argv[6], false, NULL, NULL);
        hex = argv + 7;
    }
    loop = evloop_create();
    if (stream_listen(loop, argv[1], 0700, accepted, NULL, &listener, &error)) {
        fprintf(stderr, "of-controller: %s\n", error);
        return 1;
    }
    printf("ready\n");
    evloop_run(loop);
    return 0;
}
