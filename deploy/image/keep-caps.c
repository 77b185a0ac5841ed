/* SPDX-License-Identifier: Apache-2.0 */
/* xvs-keep-caps: the first program of the container; it hands the capabilities that the
 * container was given on to the switch, and becomes the entry point.
 *
 * Why it is needed: a container that runs as an ordinary user is started with CAP_NET_RAW in
 * its permitted set, but the first execve() of a program without file capabilities drops that
 * set (capabilities(7)), and with allowPrivilegeEscalation: false no later program can get it
 * back. So this program, and no other in the image, carries file capabilities (permitted, not
 * effective: an execve() never fails for want of one), and moves what it was left with into the
 * ambient set, which survives execve().  It gains nothing that the container was not given:
 * under no_new_privs the kernel intersects the two.
 *
 *   xvs-keep-caps PROGRAM [ARGUMENT...] */

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All that the switch has a use for: sockets, memory, and maps on kernels before 5.19. */
static const int wanted[] = {CAP_NET_RAW, CAP_IPC_LOCK, CAP_BPF};

static bool
is_in(const __u32 set[2], int cap)
{
    return set[cap / 32] >> (cap % 32) & 1;
}

int
main(int argc, char *argv[])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (argc < 2) {
        fprintf(stderr, "usage: xvs-keep-caps PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    if (syscall(SYS_capget, &header, data)) {
        fprintf(stderr, "xvs-keep-caps: cannot read the capabilities (%s)\n", strerror(errno));
        return 1;
    }
    const __u32 permitted[2] = {data[0].permitted, data[1].permitted};
    if (!is_in(permitted, CAP_NET_RAW)) {
        fprintf(stderr, "xvs: the container lacks CAP_NET_RAW, which AF_XDP sockets need: add "
                        "NET_RAW to securityContext.capabilities.add (Podman, Docker: "
                        "--cap-add NET_RAW)\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        int cap = wanted[i];
        if (is_in(permitted, cap)) {
            data[cap / 32].inheritable |= 1u << (cap % 32);
        }
    }
    if (syscall(SYS_capset, &header, data)) {
        fprintf(stderr, "xvs-keep-caps: cannot keep the capabilities (%s)\n", strerror(errno));
        return 1;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (is_in(permitted, wanted[i]) &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0)) {
            fprintf(stderr, "xvs-keep-caps: cannot keep capability %d (%s)\n", wanted[i],
                    strerror(errno));
            return 1;
        }
    }
    execv(argv[1], argv + 1);
    fprintf(stderr, "xvs-keep-caps: cannot start %s (%s)\n", argv[1], strerror(errno));
    return 127;
}
