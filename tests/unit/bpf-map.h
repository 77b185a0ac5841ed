/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_BPF_MAP_H
#define XVS_TESTS_BPF_MAP_H 1

/* bpf(2) as it is, for tests that must not go through the library that they test. */

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int
bpf_do(int cmd, union bpf_attr *attr)
{
    return (int) syscall(SYS_bpf, cmd, attr, sizeof *attr);
}

/* A map with keys and values of four bytes; its descriptor, or -1 and errno. */
static inline int
make_map(unsigned type, unsigned n)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.map_type = type;
    attr.key_size = attr.value_size = 4;
    attr.max_entries = n;
    return bpf_do(BPF_MAP_CREATE, &attr);
}

#endif
