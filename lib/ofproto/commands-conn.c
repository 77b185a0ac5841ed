/* SPDX-License-Identifier: Apache-2.0 */
/* The control command about connections: bridge/reconnect.  Main thread. */

#include <stdlib.h>

#include "log/ctl.h"
#include "ofproto/conn-private.h"

static void
bridge_reconnect(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct ofproto **list, *one;
    size_t n;

    if (argc > 1) {
        one = ofproto_lookup(argv[1]);
        if (!one) {
            ctl_reply_error(conn, "Unknown bridge");
            return;
        }
        controllers_reconnect(one->conns);
    } else {
        list = ofproto_sorted(&n);
        for (size_t i = 0; i < n; i++) {
            controllers_reconnect(list[i]->conns);
        }
        free(list);
    }
    ctl_reply(conn, "");
}

void
ofproto_commands_conn_register(void)
{
    ctl_command_register("bridge/reconnect", "[bridge]", 0, 1, bridge_reconnect, NULL);
}
