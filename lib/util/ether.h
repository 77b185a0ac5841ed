/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_ETHER_H
#define XVS_UTIL_ETHER_H 1

/* Ethernet addresses. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct eth_addr {
    uint8_t ea[6];
};
#define ETH_ADDR_FMT "%02x:%02x:%02x:%02x:%02x:%02x"
#define ETH_ADDR_ARGS(a) \
    (a).ea[0], (a).ea[1], (a).ea[2], (a).ea[3], (a).ea[4], (a).ea[5]

static inline bool eth_addr_equal(struct eth_addr a, struct eth_addr b)
{
    return !memcmp(&a, &b, sizeof a);
}
static inline bool eth_addr_is_zero(struct eth_addr a)
{
    return !(a.ea[0] | a.ea[1] | a.ea[2] | a.ea[3] | a.ea[4] | a.ea[5]);
}
static inline bool eth_addr_is_multicast(struct eth_addr a) { return a.ea[0] & 1; }
static inline bool eth_addr_is_local(struct eth_addr a) { return a.ea[0] & 2; }
static inline uint64_t eth_addr_to_u64(struct eth_addr a)
{
    return (uint64_t) a.ea[0] << 40 | (uint64_t) a.ea[1] << 32 | (uint64_t) a.ea[2] << 24
           | (uint64_t) a.ea[3] << 16 | (uint64_t) a.ea[4] << 8 | a.ea[5];
}
struct eth_addr eth_addr_from_u64(uint64_t);
/* IEEE 802.1D reserved group addresses 01:80:c2:00:00:0x, which a bridge does not forward. */
bool eth_addr_is_reserved(struct eth_addr);
bool eth_addr_parse(const char *, struct eth_addr *);   /* "aa:bb:cc:dd:ee:ff", whole string */
/* A random unicast, locally administered address. */
struct eth_addr eth_addr_random(void);

#endif
