/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TEST_PACKET_SAMPLES_H
#define XVS_TEST_PACKET_SAMPLES_H 1

/* Packets built by hand, with what extraction must find in them, and a packet whose data ends
 * at an unmapped page, so that a read past it faults in any build. */

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "flow/flow-key.h"
#include "packet/headers.h"
#include "util/num.h"

#define B(S) FS_BIT(FS_##S)
#define S_ETH (B(META) | B(ETH))
#define S_IP4 (S_ETH | B(IP) | B(IPV4))
#define S_IP6 (S_ETH | B(IP) | B(IPV6))
#define MACS "000000000002000000000001"
#define IP4(TOT, FRAG, PROTO) "4500" TOT "0001" FRAG "40" PROTO "00000a0000010a000002"
#define IP6(PLEN, NEXT)                                                                        \
    "60312345" PLEN NEXT "40"                                                                  \
    "fe800000000000000000000000000001fe800000000000000000000000000002"
#define TCP "0050005100000001000000025012100000000000"
#define UDP "0035003600080000"
#define NS "8700000000000000fe800000000000000000000000000009"

struct sample {
    const char *name, *hex;
    uint16_t sections;
    uint16_t type;         /* Ethernet */
    uint16_t l2_5, l3, l4; /* expected offsets; 0: none */
    uint16_t l4_len;
    uint16_t need; /* bytes that all of it needs; 0: the whole packet */
};

static const struct sample samples[] = {
    {"tcp4", MACS "0800" IP4("0028", "4000", "06") TCP, S_IP4 | B(L4), 0x800, 0, 14, 34, 20, 0},
    {"tcp4 padded", MACS "0800" IP4("0028", "0000", "06") TCP "ffffffffffff", S_IP4 | B(L4),
     0x800, 0, 14, 34, 20, 54},
    {"tcp4 with IP and TCP options and payload",
     MACS "08004600003400010000400600000a0000010a00000294040000"
          "0050005100000001000000026012100000000000020405b4aabbccdd",
     S_IP4 | B(L4), 0x800, 0, 14, 38, 28, 0},
    {"udp4", MACS "0800" IP4("001c", "0000", "11") UDP, S_IP4 | B(L4), 0x800, 0, 14, 34, 8, 0},
    {"icmp4", MACS "0800" IP4("001c", "0000", "01") "0803000000010002", S_IP4 | B(L4), 0x800, 0,
     14, 34, 8, 0},
    {"sctp4", MACS "0800" IP4("0020", "0000", "84") "003500360000000000000000", S_IP4 | B(L4),
     0x800, 0, 14, 34, 12, 0},
    {"gre4", MACS "0800" IP4("0018", "0000", "2f") "00000800", S_IP4, 0x800, 0, 14, 0, 4, 0},
    {"udp4 first fragment", MACS "0800" IP4("0024", "2000", "11") UDP "0000000000000000",
     S_IP4 | B(L4), 0x800, 0, 14, 34, 16, 0},
    {"udp4 first fragment, header not whole", MACS "0800" IP4("0018", "2000", "11") "00350036",
     S_IP4, 0x800, 0, 14, 0, 4, 0},
    {"udp4 later fragment", MACS "0800" IP4("001c", "0064", "11") UDP, S_IP4, 0x800, 0, 14, 0,
     8, 0},
    {"tcp4 with impossible data offset",
     MACS "0800" IP4("0028", "0000", "06") "005000510000000100000002f012100000000000", S_IP4,
     0x800, 0, 14, 0, 20, 0},
    {"vlan", MACS "8100600a0800" IP4("001c", "0000", "11") UDP, S_IP4 | B(VLAN) | B(L4), 0x800,
     0, 18, 38, 8, 0},
    {"qinq", MACS "88a8600a810000140800" IP4("001c", "0000", "11") UDP, S_IP4 | B(VLAN) | B(L4),
     0x800, 0, 22, 42, 8, 0},
    {"three tags", MACS "88a8600a8100001481000015080045", S_ETH | B(VLAN), 0x8100, 0, 0, 0, 0,
     22},
    {"snap", MACS "0024aaaa030000000800" IP4("001c", "0000", "11") UDP, S_IP4 | B(L4), 0x800, 0,
     22, 42, 8, 0},
    {"llc", MACS "00034242030000", S_ETH, ETH_TYPE_NONE, 0, 0, 0, 0, 14},
    {"arp",
     MACS "0806000108000604000100000000000a0a000001000000000000"
          "0a000002",
     S_ETH | B(ARP), 0x806, 0, 14, 0, 0, 0},
    {"rarp",
     MACS "8035000108000604000300000000000a0a000001000000000000"
          "0a000002",
     S_ETH | B(ARP), 0x8035, 0, 14, 0, 0, 0},
    {"arp of another kind",
     MACS "0806000608000604000100000000000a0a000001000000000000"
          "0a000002",
     S_ETH, 0x806, 0, 0, 0, 0, 14},
    {"mpls", MACS "88470006414045000000", S_ETH | B(MPLS), 0x8847, 14, 0, 0, 0, 18},
    {"mpls, four deep", MACS "88480006404000070040000800400009014045", S_ETH | B(MPLS), 0x8848,
     14, 0, 0, 0, 26},
    {"tcp6", MACS "86dd" IP6("0014", "06") TCP, S_IP6 | B(L4), 0x86dd, 0, 14, 54, 20, 0},
    {"udp6 behind hop-by-hop, routing, destination options",
     MACS
     "86dd" IP6("0028", "00") "2b000502000001003c01040000000000000000000000000011000104000000"
                              "00" UDP,
     S_IP6 | B(L4), 0x86dd, 0, 14, 86, 8, 0},
    {"udp6 behind AH", MACS "86dd" IP6("0018", "33") "11020000000000010000000200000003" UDP,
     S_IP6 | B(L4), 0x86dd, 0, 14, 70, 8, 0},
    {"udp6 first fragment", MACS "86dd" IP6("0010", "2c") "1100000100000001" UDP, S_IP6 | B(L4),
     0x86dd, 0, 14, 62, 8, 0},
    {"udp6 later fragment", MACS "86dd" IP6("0010", "2c") "1100032100000001" UDP, S_IP6, 0x86dd,
     0, 14, 0, 8, 0},
    {"udp6 atomic fragment", MACS "86dd" IP6("0010", "2c") "1100000000000001" UDP,
     S_IP6 | B(L4), 0x86dd, 0, 14, 62, 8, 0},
    {"ipv6 extension longer than the packet", MACS "86dd" IP6("0008", "00") "1105010400000000",
     S_IP6, 0x86dd, 0, 14, 0, 8, 0},
    {"icmp6 echo", MACS "86dd" IP6("0008", "3a") "8000000000010002", S_IP6 | B(L4), 0x86dd, 0,
     14, 54, 8, 0},
    {"neighbour solicitation", MACS "86dd" IP6("0020", "3a") NS "0101020000000001",
     S_IP6 | B(L4) | B(ND), 0x86dd, 0, 14, 54, 32, 0},
    {"neighbour solicitation, code 1",
     MACS "86dd" IP6("0018", "3a") "8701000000000000fe800000000000000000000000000009",
     S_IP6 | B(L4), 0x86dd, 0, 14, 54, 24, 0},
    {"neighbour solicitation, option of length 0",
     MACS "86dd" IP6("0020", "3a") NS "0100020000000001", S_IP6 | B(L4), 0x86dd, 0, 14, 54, 32,
     0},
    {"unknown type", MACS "1234aabb", S_ETH, 0x1234, 0, 0, 0, 0, 14},
};
#define N_SAMPLES (sizeof samples / sizeof samples[0])

static inline uint16_t
sample_bytes(const struct sample *s, uint8_t *out, int max)
{
    int n = num_parse_hex(s->hex, out, max);

    return n < 0 ? 0 : (uint16_t) n;
}

/* A packet of `len` bytes that end where the mapping does; valid until the next call. */
static inline struct packet *
guarded_packet(const void *data, uint16_t len)
{
    static uint8_t *map;
    struct packet *p;

    if (!map) {
        map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(map + 2 * 4096, 4096, PROT_NONE);
    }
    p = (void *) map;
    packet_init_rx(p, (uint16_t) (2 * 4096 - len), len);
    if (len) {
        memcpy(packet_data(p), data, len);
    }
    return p;
}

/* xorshift: the same sequence in every run. */
static inline uint32_t
test_random(void)
{
    static uint32_t x = 2463534242u;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

#endif
