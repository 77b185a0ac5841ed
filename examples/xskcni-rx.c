/* SPDX-License-Identifier: Apache-2.0 */

/* Receives packets in a pod that has CAP_NET_RAW and nothing else: takes the XSKMAP of a device
 * from the AF_XDP device plugin, binds an AF_XDP socket to a queue, enters it into the map, and
 * prints the length and addresses of each packet.
 *
 *   cc -o xskcni-rx xskcni-rx.c $(pkg-config --cflags --libs libxskcni libxdp libbpf)
 *   ./xskcni-rx IFNAME [QUEUE [SOCKET-PATH]] */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xdp/xsk.h>
#include "xskcni.h"

#define FRAMES 1024u
#define FRAME_SZ 2048u

int
main(int argc, char *argv[])
{
    unsigned queue = argc > 2 ? (unsigned) atoi(argv[2]) : 0;
    char err[XSKCNI_SENTENCE_MAX];
    uint32_t pos = 0, back = 0;
    int map;
    if (argc < 2) {
        fprintf(stderr, "usage: %s IFNAME [QUEUE [SOCKET-PATH]]\n", argv[0]);
        return 2;
    }
    if (xskcni_get_map_fd(argc > 3 ? argv[3] : NULL, argv[1], 5000, &map, err, sizeof err) ||
        xskcni_check_map(map, queue + 1, err, sizeof err)) {
        fprintf(stderr, "%s\n", err);
        return 1;
    }
    char *area = mmap(NULL, FRAMES * FRAME_SZ, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct xsk_umem_config umem_config = {
        .fill_size = FRAMES, .comp_size = 64, .frame_size = FRAME_SZ};
    struct xsk_socket_config config = {.rx_size = FRAMES,
                                       .bind_flags = XDP_USE_NEED_WAKEUP,
                                       .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD};
    struct xsk_ring_prod fill;
    struct xsk_ring_cons done, rx;
    struct xsk_umem *umem;
    struct xsk_socket *xsk;
    int error = area == MAP_FAILED ? -ENOMEM : 0;
    error = error
                ? error
                : xsk_umem__create(&umem, area, FRAMES * FRAME_SZ, &fill, &done, &umem_config);
    error = error ? error : xsk_socket__create(&xsk, argv[1], queue, umem, &rx, NULL, &config);
    if (error) {
        fprintf(stderr, "no AF_XDP socket on %s queue %u: %s\n", argv[1], queue,
                strerror(-error));
        return 1;
    }
    xsk_ring_prod__reserve(&fill, FRAMES, &pos);
    for (uint32_t i = 0; i < FRAMES; i++) {
        *xsk_ring_prod__fill_addr(&fill, pos + i) = (uint64_t) i * FRAME_SZ;
    }
    xsk_ring_prod__submit(&fill, FRAMES);
    error = xskcni_map_set(map, queue, xsk_socket__fd(xsk)); /* from now on packets come here */
    if (error) {
        fprintf(stderr, "the socket cannot be entered into the map: %s\n", strerror(error));
        return 1;
    }
    for (struct pollfd p = {.fd = xsk_socket__fd(xsk), .events = POLLIN};;) {
        poll(&p, 1, -1);
        uint32_t n = xsk_ring_cons__peek(&rx, 64, &pos);
        xsk_ring_prod__reserve(&fill, n, &back); /* has room: these very frames left it */
        for (uint32_t i = 0; i < n; i++) {
            const struct xdp_desc *d = xsk_ring_cons__rx_desc(&rx, pos + i);
            const uint8_t *b = xsk_umem__get_data(area, d->addr);
            printf("%u bytes, %02x:%02x:%02x:%02x:%02x:%02x to %02x:%02x:%02x:%02x:%02x:%02x\n",
                   d->len, b[6], b[7], b[8], b[9], b[10], b[11], b[0], b[1], b[2], b[3], b[4],
                   b[5]);
            *xsk_ring_prod__fill_addr(&fill, back + i) = d->addr;
        }
        xsk_ring_prod__submit(&fill, n);
        xsk_ring_cons__release(&rx, n);
        fflush(stdout);
    }
}
