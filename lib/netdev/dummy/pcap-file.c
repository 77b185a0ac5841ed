/* SPDX-License-Identifier: Apache-2.0 */

/* Appends packets to capture files in the classic pcap format (draft-ietf-opsawg-pcap: magic,
 * version 2.4, then a record head before each packet).  Called by dummy devices, on whichever
 * thread has the packet: one appending write per packet, so that records of several threads do
 * not mix and a reader sees each at once. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "log/coverage.h"
#include "netdev/dummy/dummy-private.h"
#include "os/clock.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(netdev_dummy_pcap_failed);

#define PCAP_MAGIC_US 0xa1b2c3d4u
#define PCAP_LINKTYPE_ETHERNET 1u

struct pcap_file_head {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, sigfigs, snaplen, linktype;
};
struct pcap_record_head {
    uint32_t sec, usec, caplen, len;
};

int
dummy_pcap_open(const char *path, char **errp)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) {
        error_set(errp, "could not open pcap file %s (%s)", path, strerror(errno));
        goto fail;
    }
    if (!st.st_size) {
        struct pcap_file_head h = {
            .magic = PCAP_MAGIC_US,
            .major = 2,
            .minor = 4,
            .snaplen = UINT16_MAX,
            .linktype = PCAP_LINKTYPE_ETHERNET,
        };
        if (write(fd, &h, sizeof h) != (ssize_t) sizeof h) {
            error_set(errp, "could not write pcap file %s (%s)", path, strerror(errno));
            goto fail;
        }
    }
    return fd;

fail:
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

void
dummy_pcap_write(int fd, const struct packet *p)
{
    int64_t now = clock_wall_ms();
    struct pcap_record_head h = {
        .sec = (uint32_t) (now / 1000),
        .usec = (uint32_t) (now % 1000 * 1000),
        .caplen = p->len,
        .len = p->len,
    };
    struct iovec iov[2] = {{&h, sizeof h}, {packet_data(p), p->len}};
    if (writev(fd, iov, 2) != (ssize_t) (sizeof h + p->len)) {
        COVERAGE_INC(netdev_dummy_pcap_failed);
    }
}
