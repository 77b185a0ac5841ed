/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the system calls of one process (xvs-perf trial --watch --syscalls). */

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* The process id as seen in the PID namespace given by device and inode. */
const volatile __u32 sys_pid;
const volatile __u64 sys_ns_dev, sys_ns_ino;

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} sys_calls SEC(".maps");

SEC("raw_tp/sys_enter")
int
perf_syscalls(void *ctx)
{
    struct bpf_pidns_info id = {0};
    __u32 key = 0;
    __u64 *n;

    if (bpf_get_ns_current_pid_tgid(sys_ns_dev, sys_ns_ino, &id, sizeof id) ||
        id.tgid != sys_pid) {
        return 0;
    }
    n = bpf_map_lookup_elem(&sys_calls, &key);
    if (n) {
        (*n)++;
    }
    return 0;
}

char sys_license[] SEC("license") = "Apache-2.0";
