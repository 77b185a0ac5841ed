/* SPDX-License-Identifier: Apache-2.0 */
/* xvs-agent whole, on real veth pairs in namespaces of its own: what clients get, who gets
 * nothing, and what is left afterwards.  Needs root; skipped otherwise. */

#include "agent-live.h"

static char ns[32]; /* name of a network namespace that nobody else's test has */

/* The argument of --device that has va0 moved there. */
static const char *
va0_in_ns(const char *more)
{
    static char text[80];

    snprintf(text, sizeof text, "va0:netns=%s%s", ns, more);
    return text;
}

/* What begins a command that is to run there. */
static const char *
in_ns(void)
{
    static char text[80];

    snprintf(text, sizeof text, "ip netns exec %s", ns);
    return text;
}

/* Two queues; va1 sends by one alone, so that all arrives on va0's queue 0. */
static int
setup(void **state)
{
    snprintf(ns, sizeof ns, "xvs-agent-%d", (int) getpid());
    run("ip link del va0 2>/dev/null; ip link del vb0 2>/dev/null;"
        " ip link add va0 numrxqueues 2 numtxqueues 2 type veth peer name va1 numrxqueues 2 "
        "numtxqueues 1 && ip link set va1 up");
    run("ip link add vb0 type veth peer name vb1 && ip link set vb1 up");
    return 0;
}

static int
teardown(void **state)
{
    if (agent) {
        kill(agent, SIGKILL);
        waitpid(agent, NULL, 0);
        agent = 0;
    }
    run("ip netns del %s 2>/dev/null; ip link del va1 2>/dev/null;"
        " ip link del vb1 2>/dev/null; rm -rf %s/ctl %s/dp %s/x.sock",
        ns, dir, dir, dir);
    return 0;
}

#define SOCK "dp/va0/afxdp.sock"

/* In a child: fetches, puts a socket, tells through the pipe whether a packet came, stays. */
static pid_t
start_client(int *result)
{
    int fds[2];
    assert_return_code(pipe2(fds, O_CLOEXEC), errno);
    pid_t pid = fork();
    if (!pid) {
        struct xsk x;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
        uint32_t key = 0;
        int error = xsk_open(&x, "va0", 0);
        char ok =
            !error && !bpf_map_update_elem(map, &key, &x.fd, 0) && packet_arrives(&x, "va1");
        if (!ok) {
            print_error("client: %s\n", error ? strerror(error) : "no packet");
        }
        (void) !write(fds[1], &ok, 1);
        pause();
        _exit(0);
    }
    close(fds[1]);
    *result = fds[0];
    return pid;
}

static void
test_clients_come_and_go(void **state)
{
    agent_up("--device", "va0:uid=1000,host=pod-1,queues=2,mtu=1400,promisc=on", NULL);
    wait_status("devices", 0, "state", "ready");
    wait_status("devices", 0, "xdp-mode", "native");
    assert_int_equal(status_number("devices", "queues"), 2);
    run("ip link show dev va0 | grep -q 'PROMISC.*UP.*mtu 1400'");
    assert_true(has_program("", "va0"));

    unsigned id = 0;
    for (int i = 0; i < 3; i++) {
        int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
        struct bpf_map_info info = map_info(map);
        assert_int_equal(info.type, BPF_MAP_TYPE_XSKMAP);
        assert_int_equal(info.max_entries, 64);
        assert_true(!i || info.id == id);
        id = info.id;
        expect(sock, "/xsk_map_fd,va1", -1, "/fd_nak");
        expect(sock, "/xsk_map_fd,../va0", -1, "/nak");
        expect(sock, "/fin", -1, "/fin_ack");
        close(map);
        close(sock);
    }
    for (int i = 0; i < 2; i++) { /* the second after the first was killed */
        char ok = 0;
        int result;
        pid_t pid = start_client(&result);
        assert_int_equal(read(result, &ok, 1), 1);
        assert_true(ok);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(result);
    }
    assert_int_equal(status_number("sockets", "accepted"), 5);
    assert_int_equal(status_number("sockets", "refused"), 0);
    agent_down();
    assert_false(has_program("", "va0"));
}

/* Sessions at once, and one too many. */
static void
test_many_at_once(void **state)
{
    int socks[LISTENER_SESSIONS_MAX], maps[LISTENER_SESSIONS_MAX];
    char c;
    agent_up("--device", "va0", NULL);
    for (unsigned i = 0; i < LISTENER_SESSIONS_MAX; i++) {
        maps[i] = client_fetch(path_of(SOCK), "va0", &socks[i]);
    }
    int more = client_connect(path_of(SOCK));
    assert_true(more >= 0);
    assert_int_equal(recv(more, &c, 1, 0), 0);
    close(more);
    for (unsigned i = 0; i < LISTENER_SESSIONS_MAX; i++) {
        expect(socks[i], "/version", -1, "0.1");
        close(socks[i]);
        close(maps[i]);
    }
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    close(map);
    close(sock);
    agent_down();
}

/* What a user sees: an errno of connect(), or 0 and then *n of the first recv(). */
static int
try_as(uid_t uid, const char *path, int *n)
{
    int fds[2], result[2] = {-1, -1};
    assert_return_code(pipe2(fds, O_CLOEXEC), errno);
    pid_t pid = fork();
    if (!pid) {
        char reply[65];
        ssize_t got = -1;
        if (setgid(uid) || setuid(uid)) {
            _exit(1);
        }
        int sock = client_connect(path);
        if (sock >= 0) {
            client_ask(sock, "/connect,pod-1", -1, reply, &got);
        }
        int out[2] = {sock < 0 ? -sock : 0, (int) got};
        (void) !write(fds[1], out, sizeof out);
        _exit(0);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], result, sizeof result), sizeof result);
    close(fds[0]);
    waitpid(pid, NULL, 0);
    *n = result[1];
    return result[0];
}

static void
test_users(void **state)
{
    struct stat st;
    int n;
    agent_up("--device", "va0:uid=1000", "--device", "vb0:uid=1000,uid=1001", NULL);
    wait_status("devices", 1, "state", "ready");
    assert_int_equal(stat(path_of("dp/va0"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(st.st_uid, 1000);
    assert_int_equal(stat(path_of(SOCK), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, 1000);

    assert_int_equal(try_as(1000, path_of(SOCK), &n), 0);
    assert_int_equal(n, strlen("/host_ok"));
    assert_int_equal(try_as(0, path_of(SOCK), &n), 0);
    assert_int_equal(n, strlen("/host_ok"));
    assert_int_equal(try_as(1001, path_of(SOCK), &n), EACCES);

    /* Several users: the file lets everybody in, the credentials decide. */
    assert_int_equal(try_as(1001, path_of("dp/vb0/afxdp.sock"), &n), 0);
    assert_int_equal(n, strlen("/host_ok"));
    assert_int_equal(try_as(1002, path_of("dp/vb0/afxdp.sock"), &n), 0);
    assert_true(n <= 0);
    agent_down();
}

static void
test_host(void **state)
{
    char reply[65];
    ssize_t n;
    agent_up("--device", "va0:host=pod-1", NULL);
    int sock = client_connect(path_of(SOCK));
    assert_true(sock >= 0);
    expect(sock, "/xsk_map_fd,va0", -1, "/nak");
    expect(sock, "/connect,pod-2", -1, "/host_nak");
    client_ask(sock, "/xsk_map_fd,va0", -1, reply, &n);
    assert_true(n <= 0);
    close(sock);
    agent_down();
}

static void
test_once(void **state)
{
    agent_up("--once", "--idle-timeout", "1", "--device", "va0", "--device", "vb0", NULL);
    wait_status("sockets", 0, "state", "listening");
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    assert_int_equal(access(path_of(SOCK), F_OK), 0);
    expect(sock, "/fin", -1, "/fin_ack");
    wait_status("sockets", 0, "state", "done");
    assert_int_equal(client_connect(path_of(SOCK)), -ENOENT);
    close(sock);
    close(map);
    wait_status("sockets", 1, "state", "done"); /* nobody came in time */
    assert_int_equal(access(path_of("dp/vb0/afxdp.sock"), F_OK), -1);
    assert_true(has_program("", "va0"));
    agent_down();
}

static void
test_idle(void **state)
{
    char c;
    agent_up("--idle-timeout", "1", "--device", "va0", NULL);
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    assert_int_equal(recv(sock, &c, 1, 0), 0);
    close(sock);
    close(map);
    agent_down();
}

static void
test_foreign_program(void **state)
{
    pid_t pid = fork();
    if (!pid) {
        struct xdp_attach foreign;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        xdp_attach_init(&foreign);
        if (!xdp_attach_load(&foreign, 4, false, NULL)) {
            xdp_attach_link(&foreign, "va0", (int) if_nametoindex("va0"), true, NULL);
        }
        pause();
        _exit(0);
    }
    for (int i = 0; i < 100 && !has_program("", "va0"); i++) {
        usleep(20000);
    }
    agent_up("--device", "va0", NULL);
    wait_status("devices", 0, "error", "somebody else");
    assert_int_equal(access(path_of(SOCK), F_OK), -1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    wait_status("devices", 0, "state", "ready");
    wait_status("sockets", 0, "state", "listening");
    agent_down();
}

static void
test_device_returns(void **state)
{
    agent_up("--device", "va0:queues=2", "--device", "nosuch0", NULL);
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    unsigned id = map_info(map).id;
    run("ip link del va0");
    wait_status("devices", 0, "error", "no network device");
    wait_status("sockets", 0, "state", "closed");
    expect(sock, "/xsk_map_fd,va0", -1, "/fd_nak");
    close(sock);
    setup(NULL);
    wait_status("devices", 0, "state", "ready");
    wait_status("devices", 1, "state", "waiting");
    wait_status("sockets", 0, "state", "listening");

    /* The descriptor from before is as good as new. */
    struct xsk x;
    uint32_t key = 0;
    assert_int_equal(xsk_open(&x, "va0", 0), 0);
    assert_int_equal(bpf_map_update_elem(map, &key, &x.fd, 0), 0);
    assert_true(packet_arrives(&x, "va1"));
    close(map);
    map = client_fetch(path_of(SOCK), "va0", &sock);
    assert_int_equal(map_info(map).id, id);
    xsk_close(&x);
    close(map);
    close(sock);
    agent_down();
}

/* A socket in namespace `ns` gets a packet through the map. */
static void
expect_packet_inside(int map)
{
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    char path[64];
    snprintf(path, sizeof path, "/run/netns/%s", ns);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct xsk x;
    uint32_t key = 0;
    assert_int_equal(setns(fd, CLONE_NEWNET), 0);
    int error = xsk_open(&x, "va0", 0);
    assert_int_equal(setns(home, CLONE_NEWNET), 0);
    assert_int_equal(error, 0);
    assert_int_equal(bpf_map_update_elem(map, &key, &x.fd, 0), 0);
    assert_true(packet_arrives(&x, "va1"));
    xsk_close(&x);
    close(fd);
    close(home);
}

static void
test_moved_by_agent(void **state)
{
    agent_up("--device", va0_in_ns(",mtu=1300"), NULL);
    wait_status("devices", 0, "error", "none of that name");
    run("ip link show dev va0 >/dev/null");
    run("ip netns add %s", ns);
    wait_status("devices", 0, "state", "ready");
    assert_true(has_program(in_ns(), "va0"));
    run("ip -n %s link show dev va0 | grep -q 'UP.*mtu 1300'", ns);
    wait_status("sockets", 0, "state", "listening");
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    expect_packet_inside(map);
    close(map);
    close(sock);

    /* An agent that was killed left it there: the next one takes it over. */
    kill(agent, SIGKILL);
    waitpid(agent, NULL, 0);
    agent_up("--device", va0_in_ns(""), NULL);
    wait_status("devices", 0, "state", "ready");
    kill(agent, SIGTERM);
    waitpid(agent, NULL, 0);
    agent = 0;
    run("ip -n %s link set va0 netns %d && rm -rf %s/dp", ns, (int) getpid(), dir);

    /* What an agent moved it brings back. */
    agent_up("--device", va0_in_ns(""), NULL);
    wait_status("devices", 0, "state", "ready");
    agent_down();
    run("ip link show dev va0 >/dev/null");
    assert_false(has_program("", "va0"));
}

/* What the agent has set on a device goes with it; what others have set stays. */
static void
test_restored(void **state)
{
    static const char down[] = "ip link show dev va0 | grep -q 'UP' && exit 1; "
                               "ip link show dev va0 | grep -q 'PROMISC' && exit 1; "
                               "ethtool -l va0 | grep -c 'RX:.*2$' | grep -q 2";
    run("%s", down);
    agent_up("--device", "va0:mtu=1300,promisc=on,queues=1", NULL);
    wait_status("devices", 0, "state", "ready");
    run("ip link show dev va0 | grep 'PROMISC.*UP.*mtu 1300' >/dev/null");
    run("ethtool -l va0 | grep -c 'RX:.*1$' | grep -q 1");
    agent_down();
    run("%s", down);
    run("ip link show dev va0 | grep -q 'mtu 1500'");

    agent_up("--device", "va0:mtu=1300,promisc=on", NULL);
    wait_status("devices", 0, "state", "ready");
    run("ip link set va0 mtu 1400 promisc off");
    agent_down();
    run("%s", down);
    run("ip link show dev va0 | grep -q 'mtu 1400'");

    /* A link that was up is up again, though moving takes it down. */
    run("ip link set va0 up && ip netns add %s", ns);
    agent_up("--device", va0_in_ns(",mtu=1300,promisc=on"), NULL);
    wait_status("devices", 0, "state", "ready");
    run("ip -n %s link show dev va0 | grep 'PROMISC.*UP.*mtu 1300' >/dev/null", ns);
    agent_down();
    run("ip link show dev va0 | grep 'UP.*mtu 1400' >/dev/null");
    run("ip link show dev va0 | grep -q PROMISC && exit 1; true");

    /* And one that was down stays so. */
    run("ip link set va0 down");
    agent_up("--device", va0_in_ns(",promisc=on"), NULL);
    wait_status("devices", 0, "state", "ready");
    agent_down();
    run("%s", down);

    /* Another device of that name is another device. */
    agent_up("--device", "va0:mtu=1300", NULL);
    wait_status("devices", 0, "state", "ready");
    run("ip link del va0");
    wait_status("devices", 0, "error", "no network device");
    run("ip link add va0 mtu 1450 type veth peer name va1 && ip link set va1 up");
    wait_status("devices", 0, "state", "ready");
    agent_down();
    run("ip link show dev va0 | grep -q 'mtu 1450'");
}

static void
test_moved_to_process(void **state)
{
    pid_t pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) !unshare(CLONE_NEWNET);
        pause();
        _exit(0);
    }
    usleep(100000);
    char *spec = xasprintf("va0:netns=%d", (int) pid);
    agent_up("--device", spec, NULL);
    free(spec);
    wait_status("devices", 0, "state", "ready");
    kill(pid, SIGKILL); /* the veth goes with its namespace */
    waitpid(pid, NULL, 0);
    wait_status("devices", 0, "error", "is not there");
    agent_down();
}

static void
test_moved_by_others(void **state)
{
    agent_up("--device", "va0", NULL);
    wait_status("devices", 0, "state", "ready");
    run("ip netns add %s && ip link set va0 netns %s && ip -n %s link set va0 up", ns, ns, ns);
    usleep(300000);
    wait_status("devices", 0, "state", "ready");
    assert_true(has_program(in_ns(), "va0"));
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    expect_packet_inside(map);
    close(sock);
    run("ip -n %s link set va0 netns %d", ns, (int) getpid());
    usleep(300000);
    wait_status("devices", 0, "state", "ready");
    run("ip link show dev va0 | grep -q UP");
    close(map);
    agent_down();
}

static void
test_shared_socket(void **state)
{
    char *a = xasprintf("va0:socket=%s/x.sock", dir),
         *b = xasprintf("vb0:socket=%s/x.sock", dir);
    agent_up("--device", a, "--device", b, NULL);
    wait_status("devices", 1, "state", "ready");
    int sock, map = client_fetch(path_of("x.sock"), "va0", &sock);
    int other = expect(sock, "/xsk_map_fd,vb0", -1, "/fd_ack");
    assert_true(map_info(map).id != map_info(other).id);
    run("ip link del vb0");
    wait_status("devices", 1, "state", "waiting");
    expect(sock, "/xsk_map_fd,vb0", -1, "/fd_nak");
    close(expect(sock, "/xsk_map_fd,va0", -1, "/fd_ack"));
    close(sock);
    close(map);
    close(other);
    agent_down();
    assert_int_equal(access(path_of("x.sock"), F_OK), -1);
    free(a);
    free(b);
}

static void
test_busy_poll(void **state)
{
    struct xsk x;
    int value = 0, udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), pair[2];
    socklen_t len = sizeof value;
    agent_up("--device", "va0", NULL);
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    assert_int_equal(xsk_open(&x, "va0", 0), 0);
    expect(sock, "/config_busy_poll,20,32", x.fd, "/config_busy_poll_ack");
    assert_int_equal(getsockopt(x.fd, SOL_SOCKET, 69 /* SO_PREFER_BUSY_POLL */, &value, &len),
                     0);
    assert_int_equal(value, 1);
    assert_int_equal(getsockopt(x.fd, SOL_SOCKET, SO_BUSY_POLL, &value, &len), 0);
    assert_int_equal(value, 20);
    expect(sock, "/config_busy_poll,20,32", udp, "/config_busy_poll_nak");
    assert_return_code(pipe2(pair, O_CLOEXEC), errno);
    expect(sock, "/config_busy_poll,20,32", pair[0], "/config_busy_poll_nak");
    expect(sock, "/config_busy_poll,20,32", -1, "/config_busy_poll_nak");
    close(pair[0]);
    close(pair[1]);
    close(udp);
    xsk_close(&x);
    close(map);
    close(sock);
    agent_down();
}

static void
test_pin(void **state)
{
    struct stat st;
    char pins[100];
    snprintf(pins, sizeof pins, "%s/bpf/pins", dir);
    assert_return_code(mkdir(path_of("bpf"), 0755), errno);
    agent_up("--pin", pins, "--device", "va0:uid=1000", NULL);
    wait_status("devices", 0, "pin-error", "bpffs");
    assert_int_equal(access(pins, F_OK), -1);
    agent_down();
    assert_return_code(mount("bpf", path_of("bpf"), "bpf", 0, NULL), errno);
    for (int i = 0; i < 2; i++) {
        agent_up("--pin", pins, "--device", "va0:uid=1000", NULL);
        wait_status("devices", 0, "pin", "xsks_map");
        assert_int_equal(stat(path_of("bpf/pins/va0/xsks_map"), &st), 0);
        assert_int_equal(st.st_uid, 1000);
        assert_int_equal(st.st_mode & 0777, 0600);
        int fd = bpf_obj_get(path_of("bpf/pins/va0/xsks_map"));
        int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
        assert_true(fd >= 0);
        assert_int_equal(map_info(fd).id, map_info(map).id);
        close(sock);
        close(map);
        close(fd);
        if (!i) { /* killed: the next agent replaces what is left */
            kill(agent, SIGKILL);
            waitpid(agent, NULL, 0);
            assert_int_equal(access(path_of("bpf/pins/va0/xsks_map"), F_OK), 0);
        }
    }
    kill(agent, SIGTERM);
    waitpid(agent, NULL, 0);
    agent = 0;
    assert_int_equal(access(path_of("bpf/pins/va0/xsks_map"), F_OK), -1);
    umount2(path_of("bpf"), MNT_DETACH);
    rmdir(path_of("bpf"));
}

/* A client may do as it likes in its own folder; the agent is not led astray. */
static void
test_hostile_folder(void **state)
{
    struct stat st;
    agent_up("--device", "va0:uid=1000", NULL);
    wait_status("sockets", 0, "state", "listening");
    run("cd %s/dp/va0 && rm afxdp.sock && touch %s/precious && ln -s %s/precious afxdp.sock",
        dir, dir, dir);
    wait_status("sockets", 0, "error", "no socket");
    assert_int_equal(stat(path_of("precious"), &st), 0);
    assert_int_equal(st.st_uid, 0);
    run("rm %s/dp/va0/afxdp.sock", dir);
    wait_status("sockets", 0, "state", "listening");
    run("rm -r %s/dp", dir); /* as cleaners of /tmp do */
    usleep(1500000);
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    close(map);
    close(sock);
    agent_down();
    assert_int_equal(unlink(path_of("precious")), 0);
}

static void
test_not_ours(void **state)
{
    int status;
    run("mkdir %s/dp && mkdir -m 755 %s/dp/va0 && touch %s/dp/va0/mine", dir, dir, dir);
    agent_up("--device", "va0:uid=1000", NULL);
    wait_status("sockets", 0, "state", "listening");
    kill(agent, SIGTERM);
    assert_int_equal(waitpid(agent, &status, 0), agent);
    agent = 0;
    run("cd %s/dp/va0 && test `ls` = mine && test `stat -c %%u:%%a .` = 0:755", dir);
    run("rm -r %s/dp && mkdir -m 777 %s/dp", dir, dir);
    agent_up("--device", "va0", NULL);
    wait_status("sockets", 0, "error", "not safe");
}

static void
test_status_text(void **state)
{
    agent_up("--device", "va0:uid=1000,host=pod-1", NULL);
    wait_status("devices", 0, "state", "ready");
    int sock, map = client_fetch(path_of(SOCK), "va0", &sock);
    pid_t pid = fork();
    if (!pid) {
        char control[100];
        char *argv[] = {"xvs-agent", "status", "--control", control, NULL};
        snprintf(control, sizeof control, "%s/ctl", dir);
        if (!freopen(path_of("status.txt"), "w", stdout)) {
            _exit(1);
        }
        exit(agent_main(4, argv));
    }
    int status = -1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    run("cd %s && grep -q '^va0: ready, native mode, .* map of 64 slots' status.txt && "
        "grep -q 'afxdp.sock: listening' status.txt && "
        "grep -q 'users: 0 1000; host: pod-1; clients served: 1, refused: 0' status.txt && "
        "grep -q 'accepted as pod-1, 3 requests, 1 maps' status.txt && rm status.txt",
        dir);
    close(map);
    close(sock);
    agent_down();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_clients_come_and_go),
        CASE(test_many_at_once),
        CASE(test_users),
        CASE(test_host),
        CASE(test_once),
        CASE(test_idle),
        CASE(test_foreign_program),
        CASE(test_device_returns),
        CASE(test_moved_by_agent),
        CASE(test_restored),
        CASE(test_moved_to_process),
        CASE(test_moved_by_others),
        CASE(test_shared_socket),
        CASE(test_busy_poll),
        CASE(test_pin),
        CASE(test_hostile_folder),
        CASE(test_not_ours),
        CASE(test_status_text),
    };
    if (geteuid() || unshare(CLONE_NEWNET | CLONE_NEWNS) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
        printf("SKIPPED: needs root and network namespaces of its own\n");
        return 77;
    }
    strcpy(dir, "/tmp/xvs-agent-XXXXXX");
    if (!mkdtemp(dir) || chmod(dir, 0755)) {
        printf("SKIPPED: no folder in /tmp\n");
        return 77;
    }
    if (system("ip link set lo up")) {
        printf("SKIPPED: no ip command\n");
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (!failed) {
        run("rm -rf %s", dir);
    }
    return failed;
}
