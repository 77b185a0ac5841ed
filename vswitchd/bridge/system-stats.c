/* SPDX-License-Identifier: Apache-2.0 */
/* Open_vSwitch.statistics: what the machine is doing, from /proc (proc(5)).  Called by bridge.c
 * on the main thread when other_config:enable-statistics asks for it.  What cannot be read is
 * left out. */

#include <inttypes.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "os/dirs.h"
#include "os/pidfile.h"
#include "util/strbuf.h"
#include "util/xalloc.h"
#include "vswitchd/bridge/status.h"

static void
put_load(struct smap *out)
{
    double load[3];
    if (getloadavg(load, 3) == 3) {
        smap_setf(out, "load_average", "%.2f,%.2f,%.2f", load[0], load[1], load[2]);
    }
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus > 0) {
        smap_setf(out, "cpu", "%ld", cpus);
    }
}

/* Total, used (with caches), caches, swap total, swap used; KiB. */
static void
put_memory(struct smap *out)
{
    static const char *const keys[] = {
        "MemTotal:", "MemFree:", "Buffers:", "Cached:", "SwapTotal:", "SwapFree:"};
    unsigned long long v[ARRAY_SIZE(keys)] = {0}, value;
    FILE *f = fopen("/proc/meminfo", "re");
    char line[128], key[64];
    if (!f) {
        return;
    }
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%63s %llu", key, &value) != 2) {
            continue;
        }
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
            if (!strcmp(key, keys[i])) {
                v[i] = value;
            }
        }
    }
    fclose(f);
    smap_setf(out, "memory", "%llu,%llu,%llu,%llu,%llu", v[0], v[0] - v[1], v[2] + v[3], v[4],
              v[4] - v[5]);
}

/* Milliseconds since the machine started; 0: unknown. */
static uint64_t
uptime_ms(void)
{
    double seconds = 0;
    FILE *f = fopen("/proc/uptime", "re");
    if (f) {
        if (fscanf(f, "%lf", &seconds) != 1) {
            seconds = 0;
        }
        fclose(f);
    }
    return (uint64_t) (seconds * 1000);
}

/* Virtual and resident size in KiB, CPU time in ms, crashes, and twice the age in ms. */
static void
put_process(struct smap *out, const char *name)
{
    char *file = xasprintf("%s/%s.pid", dirs_rundir(), name);
    /* A process does not see a lock of its own. */
    pid_t pid = !strcmp(name, "ovs-vswitchd") ? getpid() : pidfile_holder(file);
    free(file);
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long) pid);
    FILE *f = pid > 0 ? fopen(path, "re") : NULL;
    if (!f) {
        return;
    }
    char *end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    unsigned long long utime, stime, start, vsize;
    long rss;
    /* Fields 3... of /proc/PID/stat, after the command's closing parenthesis. */
    if (!end ||
        sscanf(end + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d "
               "%*d %llu %llu %ld",
               &utime, &stime, &start, &vsize, &rss) != 5) {
        return;
    }
    uint64_t hz = (uint64_t) sysconf(_SC_CLK_TCK);
    uint64_t page_kib = (uint64_t) sysconf(_SC_PAGESIZE) / 1024;
    uint64_t now = uptime_ms(), started = start * 1000 / hz;
    uint64_t age = now > started ? now - started : 0;
    char *key = xasprintf("process_%s", name);
    smap_setf(out, key, "%llu,%" PRIu64 ",%llu,0,%" PRIu64 ",%" PRIu64, vsize / 1024,
              (uint64_t) rss * page_kib, (utime + stime) * 1000 / hz, age, age);
    free(key);
}

/* "mountpoint,total,used" in KiB of each disk, separated by spaces. */
static void
put_file_systems(struct smap *out)
{
    FILE *f = setmntent("/proc/self/mounts", "re");
    struct strbuf text = STRBUF_INIT;
    struct smap seen = SMAP_INIT;
    struct mntent *m;
    while (f && (m = getmntent(f))) {
        struct statvfs vfs;
        if (strncmp(m->mnt_fsname, "/dev/", 5) || strpbrk(m->mnt_dir, " ,\t\n") ||
            smap_get(&seen, m->mnt_fsname) || statvfs(m->mnt_dir, &vfs) ||
            (vfs.f_flag & ST_RDONLY)) {
            continue;
        }
        smap_set(&seen, m->mnt_fsname, "");
        uint64_t unit = vfs.f_frsize, total = vfs.f_blocks * unit / 1024;
        strbuf_putf(&text, "%s,%" PRIu64 ",%" PRIu64 " ", m->mnt_dir, total,
                    total - vfs.f_bfree * unit / 1024);
    }
    if (f) {
        endmntent(f);
    }
    strbuf_chomp(&text, " ");
    if (text.len) {
        smap_set(out, "file_systems", strbuf_cstr(&text));
    }
    smap_destroy(&seen);
    strbuf_free(&text);
}

void
system_stats_get(struct smap *out)
{
    smap_clear(out);
    put_load(out);
    put_memory(out);
    put_process(out, "ovs-vswitchd");
    put_process(out, "ovsdb-server");
    put_file_systems(out);
}
