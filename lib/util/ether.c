/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet addresses: text, numbers, classes.  Any thread. */

#include "util/ether.h"

#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "util/hash.h"

struct eth_addr
eth_addr_from_u64(uint64_t v)
{
    struct eth_addr a;

    for (int i = 0; i < 6; i++) {
        a.ea[i] = (uint8_t) (v >> (40 - 8 * i));
    }
    return a;
}

bool
eth_addr_is_reserved(struct eth_addr a)
{
    return (eth_addr_to_u64(a) & UINT64_C(0xfffffffffff0)) == UINT64_C(0x0180c2000000);
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
eth_addr_parse(const char *s, struct eth_addr *out)
{
    struct eth_addr a;

    for (int i = 0; i < 6; i++) {
        int v = hex_digit(*s++);

        if (v >= 0 && hex_digit(*s) >= 0) {
            v = v << 4 | hex_digit(*s++);
        }
        if (v < 0 || *s != (i < 5 ? ':' : '\0')) {
            return false;
        }
        a.ea[i] = (uint8_t) v;
        s++;
    }
    *out = a;
    return true;
}

struct eth_addr
eth_addr_random(void)
{
    struct eth_addr a;

    if (getrandom(&a, sizeof a, GRND_NONBLOCK) != sizeof a) {
        /* Early boot without entropy: unique enough is good enough. */
        static _Atomic uint64_t counter;
        struct timespec ts = {0, 0};

        clock_gettime(CLOCK_REALTIME, &ts);
        a = eth_addr_from_u64(
            hash_mix64(hash_mix64((uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec,
                                  (uint64_t) getpid()),
                       atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed)));
    }
    a.ea[0] = (uint8_t) ((a.ea[0] & ~1u) | 2u);
    return a;
}
