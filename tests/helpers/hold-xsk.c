/* SPDX-License-Identifier: Apache-2.0 */

/* hold-xsk IFNAME QUEUE: binds an AF_XDP socket to a queue and keeps it until killed, so that a
 * test can see what the switch says about a queue that somebody else has. */

#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES 64
#define FRAME_SZ 2048

int
main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: hold-xsk IFNAME QUEUE\n");
        return 2;
    }
    int fd = socket(AF_XDP, SOCK_RAW, 0);
    void *mem = mmap(NULL, FRAMES * FRAME_SZ, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct xdp_umem_reg umem = {
        .addr = (uintptr_t) mem, .len = FRAMES * FRAME_SZ, .chunk_size = FRAME_SZ,
    };
    int entries = FRAMES;
    struct sockaddr_xdp sxdp = {
        .sxdp_family = AF_XDP,
        .sxdp_flags = XDP_COPY,
        .sxdp_ifindex = if_nametoindex(argv[1]),
        .sxdp_queue_id = (uint32_t) atoi(argv[2]),
    };
    if (fd < 0 || mem == MAP_FAILED
        || setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem)
        || setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &entries, sizeof entries)
        || setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &entries, sizeof entries)
        || setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof entries)
        || bind(fd, (struct sockaddr *) &sxdp, sizeof sxdp)) {
        perror("hold-xsk");
        return 1;
    }
    puts("holding");
    fflush(stdout);
    pause();
    return 0;
}
