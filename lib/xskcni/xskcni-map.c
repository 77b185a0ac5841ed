/* SPDX-License-Identifier: Apache-2.0 */

/* The XSKMAP: is it one, and its entries, by the bpf(2) system call itself so that the library
 * needs no other.  Called by users on any thread.  Knows nothing of sessions. */

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "xskcni/xskcni-private.h"

static int
bpf_call(enum bpf_cmd cmd, union bpf_attr *attr)
{
    return syscall(SYS_bpf, cmd, attr, sizeof *attr) < 0 ? errno : 0;
}

/* The info call succeeds on programs and links too, whose first member, a kind, could be taken
 * for that of a map.  Only maps have a first key. */
static bool
is_map(int fd)
{
    uint32_t key;
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr); /* the kernel insists on zeroes in all it does not know */
    attr.map_fd = (uint32_t) fd;
    attr.next_key = (uintptr_t) &key;
    int error = bpf_call(BPF_MAP_GET_NEXT_KEY, &attr);
    return error != EINVAL && error != EBADF;
}

static int
not_a_map(int fd, char *err, size_t err_sz)
{
    xskcni__format(err, err_sz, "file descriptor %d is not a BPF map: an XSKMAP is expected",
                   fd);
    return EINVAL;
}

int
xskcni_check_map(int fd, unsigned n_slots, char *err, size_t err_sz)
{
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
    if (flags < 0) {
        xskcni__format(err, err_sz, "file descriptor %d is not open", fd);
        return EBADF;
    }
    struct bpf_map_info info;
    memset(&info, 0, sizeof info);
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = (uint32_t) fd;
    attr.info.info_len = sizeof info;
    attr.info.info = (uintptr_t) &info;
    int error = bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr);
    if (error == EPERM || error == EACCES) {
        xskcni__format(err, err_sz,
                       "the kernel does not let this process use BPF maps: kernels before 5.19 "
                       "need CAP_BPF for it, and a seccomp filter must allow bpf(2)");
        return EPERM;
    }
    if (error == EINVAL || error == EBADF) {
        return not_a_map(fd, err, err_sz);
    }
    if (error) {
        xskcni__format(err, err_sz, "cannot inspect the BPF map: %s", strerror(error));
        return error;
    }
    /* Only the kinds with four-byte keys are asked for their first key: the buffer is small. */
    if (info.type == BPF_MAP_TYPE_XSKMAP && info.key_size == 4 && !is_map(fd)) {
        return not_a_map(fd, err, err_sz);
    }
    if (info.type != BPF_MAP_TYPE_XSKMAP || info.key_size != 4) {
        xskcni__format(err, err_sz,
                       "file descriptor %d is a BPF object of kind %u, not an XSKMAP (kind %u)",
                       fd, info.type, (unsigned) BPF_MAP_TYPE_XSKMAP);
        return EMEDIUMTYPE;
    }
    if ((flags & O_ACCMODE) == O_RDONLY) {
        xskcni__format(err, err_sz, "the XSKMAP may be read only: sockets cannot be entered");
        return EACCES;
    }
    if (info.max_entries < n_slots) {
        xskcni__format(err, err_sz,
                       "the XSKMAP has room for %u queues, but %u are asked for: use fewer "
                       "queues or have the map made larger",
                       info.max_entries, n_slots);
        return ENOSPC;
    }
    return 0;
}

int
xskcni_map_set(int map_fd, unsigned queue, int xsk_fd)
{
    uint32_t key = queue, value = (uint32_t) xsk_fd;
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.map_fd = (uint32_t) map_fd;
    attr.key = (uintptr_t) &key;
    attr.value = (uintptr_t) &value;
    attr.flags = BPF_ANY;
    return bpf_call(BPF_MAP_UPDATE_ELEM, &attr);
}

int
xskcni_map_clear(int map_fd, unsigned queue)
{
    uint32_t key = queue;
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.map_fd = (uint32_t) map_fd;
    attr.key = (uintptr_t) &key;
    int error = bpf_call(BPF_MAP_DELETE_ELEM, &attr);
    return error == ENOENT ? 0 : error;
}
