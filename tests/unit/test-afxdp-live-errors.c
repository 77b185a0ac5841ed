/* SPDX-License-Identifier: Apache-2.0 */
/* AF_XDP ports on real veth pairs: what cannot work says so in a sentence and leaves nothing
 * behind, and what is pulled from under a port is noticed.  Needs root; skipped (exit 77)
 * without. */

#include "afxdp-live.h"

static int
attach_foreign(const char *ifname, uint32_t *id)
{
    struct bpf_insn insns[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 /* XDP_PASS */},
        {.code = BPF_JMP | BPF_EXIT},
    };
    struct bpf_prog_info info = {0};
    uint32_t len = sizeof info;
    int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "foreign", "GPL", insns, 2, NULL);

    assert_true(fd >= 0);
    assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
    assert_int_equal(bpf_xdp_attach((int) if_nametoindex(ifname), fd, XDP_FLAGS_SKB_MODE, NULL),
                     0);
    *id = info.id;
    return fd;
}

static void
test_foreign_program(void **state)
{
    struct port p;
    uint32_t id;
    char *err = NULL, text[64];

    make_veth("a0", "a1", 1);
    int fd = attach_foreign("a0", &id);
    for (unsigned i = 0; i < 2; i++) {
        int error = port_open(&p, "a0", i ? "generic" : "best-effort", 1, NULL, NULL, &err);
        assert_int_equal(error, EEXIST);
        snprintf(text, sizeof text, "XDP program %u of somebody else", id);
        assert_non_null(strstr(err, text));
        free(err);
        err = NULL;
    }
    struct rtnl_link link;
    assert_int_equal(rtnl_link_get("a0", &link), 0);
    assert_int_equal(link.xdp_prog_id, id); /* still there */
    run("ip link set a0 xdp off; ip link set a0 xdpgeneric off");
    close(fd);
    port_open_ok(&p, "a0", "best-effort", 1);
    port_close(&p);
    assert_clean("a0");
    run("ip link del a0");
}

/* Another process' socket on the queue, made with the bare minimum. */
static int
take_queue(const char *ifname, unsigned queue, void *umem, size_t len)
{
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), n = 64;
    struct xdp_umem_reg reg = {.addr = (uintptr_t) umem, .len = len, .chunk_size = 2048};
    struct sockaddr_xdp sxdp = {.sxdp_family = AF_XDP,
                                .sxdp_flags = XDP_COPY,
                                .sxdp_ifindex = if_nametoindex(ifname),
                                .sxdp_queue_id = queue};

    assert_int_equal(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof reg), 0);
    assert_int_equal(setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &n, sizeof n), 0);
    assert_int_equal(setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &n, sizeof n), 0);
    assert_int_equal(setsockopt(fd, SOL_XDP, XDP_RX_RING, &n, sizeof n), 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &sxdp, sizeof sxdp), 0);
    return fd;
}

static void
test_queue_taken(void **state)
{
    struct port p;
    char *err = NULL;
    size_t len = 64 * 2048;

    make_veth("a0", "a1", 2);
    void *umem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = take_queue("a0", 1, umem, len);
    assert_int_equal(port_open(&p, "a0", "best-effort", 2, NULL, NULL, &err), EBUSY);
    assert_non_null(strstr(err, "queue 1 of a0 is taken by another AF_XDP socket"));
    free(err);
    err = NULL;
    port_open_ok(&p, "a0", "native", 1); /* queue 0 is free, and was let go again */
    port_close(&p);
    close(fd);
    munmap(umem, len);
    if (port_open(&p, "a0", "native", 1, "start-queue", "1", &err)) {
        fail_msg("%s", err);
    }
    port_close(&p);
    assert_clean("a0");
    run("ip link del a0");
}

static void
test_bad_config(void **state)
{
    struct port p;
    char *err = NULL;

    assert_int_equal(port_open(&p, "nosuch0", "native", 1, NULL, NULL, &err), ENODEV);
    assert_string_equal(err, "could not open network device nosuch0 (No such device)");
    free(err);
    make_veth("a0", "a1", 2);
    err = NULL;
    assert_int_equal(port_open(&p, "a0", "native", 4, NULL, NULL, &err), EINVAL);
    assert_string_equal(
        err, "n_rxq=4, but a0 has 2 queues; change either (ethtool -L a0 combined 4)");
    free(err);
    err = NULL;
    assert_int_equal(port_open(&p, "a0", "native-with-zerocopy", 1, NULL, NULL, &err),
                     EOPNOTSUPP);
    assert_non_null(strstr(err, "native-with-zerocopy mode"));
    free(err);
    err = NULL;
    assert_int_equal(port_open(&p, "a0", "native", 1, "use_cni", "true", &err), EINVAL);
    free(err);
    err = NULL;
    run("ip link set a0 mtu 9001");
    assert_int_equal(port_open(&p, "a0", "native", 1, NULL, NULL, &err), EINVAL);
    assert_non_null(strstr(err, "9001"));
    free(err);
    err = NULL;
    run("ip link set a0 mtu 1500; ip link set a1 mtu 9000"); /* the peer's is too large */
    assert_int_equal(port_open(&p, "a0", "native", 1, NULL, NULL, &err), ERANGE);
    assert_non_null(strstr(err, "MTU"));
    free(err);
    port_open_ok(&p, "a0", "best-effort", 1); /* falls back to generic */
    struct smap status = SMAP_INIT;
    netdev_get_status(p.netdev, &status);
    assert_string_equal(smap_get(&status, "xdp-mode"), "generic");
    smap_destroy(&status);
    port_close(&p);
    assert_clean("a0");
    run("ip link del a0");
}

static void
test_vanish(void **state)
{
    struct packet *pkts[32];
    const char *why;
    struct port p;

    make_veth("a0", "a1", 2);
    int wire = wire_open("a1");
    port_open_ok(&p, "a0", "native", 2);
    wire_send(wire, 32, 100);
    assert_int_equal(port_recv(&p, pkts, 32), 32);
    assert_false(netdev_is_broken(p.netdev, &why));
    run("ip link del a0");
    port_send(&p, pkts, 32); /* into the void */
    turn_for(100);
    assert_true(netdev_is_broken(p.netdev, &why));
    assert_string_equal(why, "network device a0 vanished");
    struct packet_batch b;
    netdev_rxq_recv(p.rxq[0], &b); /* the host's own chatter may have come before */
    packet_batch_free(&b);
    assert_int_equal(netdev_rxq_recv(p.rxq[0], &b), 0);
    netdev_tx_poll(p.netdev, 0);
    port_close(&p);
    close(wire);
    assert_clean(NULL);
}

/* Links are listed for the whole machine, where other namespaces have devices of the same index:
 * only the program's id says which one is ours. */
static void
detach_program(const char *ifname)
{
    struct rtnl_link link;
    uint32_t id = 0;
    unsigned n_detached = 0;

    assert_int_equal(rtnl_link_get(ifname, &link), 0);
    assert_true(link.xdp_prog_id);
    while (!bpf_link_get_next_id(id, &id)) {
        struct bpf_link_info info = {0};
        uint32_t len = sizeof info;
        int fd = bpf_link_get_fd_by_id(id);

        if (fd < 0) {
            continue; /* gone meanwhile */
        }
        if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_LINK_TYPE_XDP &&
            info.prog_id == link.xdp_prog_id) {
            assert_int_equal(bpf_link_detach(fd), 0);
            n_detached++;
        }
        close(fd);
    }
    assert_int_equal(n_detached, 1);
}

static void
test_program_removed(void **state)
{
    const char *why;
    struct port p;

    make_veth("a0", "a1", 1);
    port_open_ok(&p, "a0", "native", 1);
    detach_program("a0");
    turn_for(1200);
    assert_true(netdev_is_broken(p.netdev, &why));
    assert_non_null(strstr(why, "XDP program was taken off a0"));
    port_close(&p);
    assert_clean("a0");
    run("ip link del a0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_program), cmocka_unit_test(test_queue_taken),
        cmocka_unit_test(test_bad_config),      cmocka_unit_test(test_vanish),
        cmocka_unit_test(test_program_removed),
    };
    int status = afxdp_live_begin();

    return status ? status : cmocka_run_group_tests(tests, NULL, NULL);
}
