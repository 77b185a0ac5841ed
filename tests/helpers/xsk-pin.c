/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: takes a device's XSKMAP from a device plugin's socket and pins it in a BPF
 * filesystem, as a plugin that pins maps would.  Usage: xsk-pin SOCKET DEVICE PIN */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "xskcni/xskcni.h"

int
main(int argc, char *argv[])
{
    char err[XSKCNI_SENTENCE_MAX];
    int fd;

    if (argc != 4) {
        fputs("usage: xsk-pin SOCKET DEVICE PIN\n", stderr);
        return 2;
    }
    if (xskcni_get_map_fd(argv[1], argv[2], 5000, &fd, err, sizeof err)) {
        fprintf(stderr, "xsk-pin: %s\n", err);
        return 1;
    }
    if (bpf_obj_pin(fd, argv[3])) {
        fprintf(stderr, "xsk-pin: %s: %s\n", argv[3], strerror(errno));
        return 1;
    }
    return 0;
}
