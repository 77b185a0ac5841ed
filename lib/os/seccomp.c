/* SPDX-License-Identifier: Apache-2.0 */
/* The list of system calls that the run phase uses, as a seccomp filter.  Called once by main.c
 * after the first configuration, on the main thread; holds for all threads.
 *
 * EPERM rather than the end of the process: a rare path of some library that was overlooked
 * then costs one error message, not the traffic.  A call that the C library has a substitute
 * for (clone3) is ENOSYS, so that it takes the one whose arguments can be looked at. */

#include "os/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>

#include "log/log.h"
#include "util/compiler.h"
#include "util/xalloc.h"

LOG_MODULE(seccomp);

#define CALL(NAME) #NAME

/* By name, because not every architecture has each. */
static const char *const allowed[] = {
    /* Descriptors and files: log, pid file, control socket, /sys, /proc, captures. */
    CALL(read),
    CALL(readv),
    CALL(write),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(lseek),
    CALL(close),
    CALL(open),
    CALL(openat),
    CALL(fcntl),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(pipe),
    CALL(pipe2),
    CALL(fstat),
    CALL(stat),
    CALL(lstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(statfs),
    CALL(fstatfs),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getdents64),
    CALL(unlink),
    CALL(unlinkat),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(link),
    CALL(linkat),
    CALL(symlink),
    CALL(symlinkat),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(rmdir),
    CALL(chmod),
    CALL(fchmod),
    CALL(fchmodat),
    CALL(umask),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(fsync),
    CALL(fdatasync),
    CALL(flock),
    CALL(getcwd),
    CALL(ioctl),
    /* Waiting. */
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(eventfd2),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(timerfd_gettime),
    CALL(signalfd4),
    CALL(nanosleep),
    CALL(clock_nanosleep),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(gettimeofday),
    CALL(time),
    CALL(restart_syscall),
    CALL(sched_yield),
    /* Sockets: database, control, AF_XDP, packet, netlink, the device plugin. */
    CALL(socket),
    CALL(socketpair),
    CALL(connect),
    CALL(bind),
    CALL(listen),
    CALL(accept),
    CALL(accept4),
    CALL(getsockname),
    CALL(getpeername),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(sendto),
    CALL(sendmsg),
    CALL(sendmmsg),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(recvmmsg),
    CALL(shutdown),
    CALL(bpf),
    /* Memory. */
    CALL(brk),
    CALL(mmap),
    CALL(munmap),
    CALL(mremap),
    CALL(mprotect),
    CALL(madvise),
    CALL(mlock),
    CALL(mlock2),
    CALL(munlock),
    CALL(mincore),
    CALL(mbind),
    CALL(set_mempolicy),
    CALL(get_mempolicy),
    CALL(move_pages),
    /* Threads and signals. */
    CALL(futex),
    CALL(futex_waitv),
    CALL(set_robust_list),
    CALL(get_robust_list),
    CALL(rseq),
    CALL(membarrier),
    CALL(exit),
    CALL(exit_group),
    CALL(sched_setaffinity),
    CALL(sched_getaffinity),
    CALL(sched_getparam),
    CALL(sched_getscheduler),
    CALL(sched_setscheduler),
    CALL(sched_get_priority_max),
    CALL(sched_get_priority_min),
    CALL(getpriority),
    CALL(setpriority),
    CALL(getcpu),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(rt_sigpending),
    CALL(rt_sigtimedwait),
    CALL(rt_sigsuspend),
    CALL(sigaltstack),
    CALL(tgkill),
    CALL(kill),
    CALL(prctl),
    CALL(arch_prctl),
    CALL(set_tid_address),
    /* Who and where. */
    CALL(getpid),
    CALL(getppid),
    CALL(gettid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getgroups),
    CALL(getpgrp),
    CALL(getpgid),
    CALL(getsid),
    CALL(capget),
    CALL(uname),
    CALL(sysinfo),
    CALL(times),
    CALL(getrusage),
    CALL(getrlimit),
    CALL(prlimit64),
    CALL(getrandom),
};

static int
add_rules(scmp_filter_ctx filter)
{
    int error;

    for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
        int nr = seccomp_syscall_resolve_name(allowed[i]);
        if (nr == __NR_SCMP_ERROR) {
            continue; /* not known to this version of the library, or not of this machine */
        }
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 0);
        if (error && error != -EDOM) {
            return error;
        }
    }
    /* Threads, but no processes. */
    error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    return error ? error
                 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

int
seccomp_confine(char **errp)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int error = filter ? 0 : -ENOMEM;

    if (!error) {
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    }
    if (!error) {
        error = add_rules(filter);
    }
    if (!error) {
        if (seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1)) {
            LOG_DBG("forbidden system calls will not be in the kernel's log");
        }
        error = seccomp_load(filter);
    }
    if (error) {
        error_set(errp,
                  "the kernel did not take the filter (%s): it may lack CONFIG_SECCOMP_FILTER, "
                  "or the container's own filter forbids another; the switch runs without",
                  strerror(-error));
    }
    if (filter) {
        seccomp_release(filter);
    }
    return -error;
}
