/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_MAC_TABLE_H
#define XVS_OFPROTO_MAC_TABLE_H 1

/* Which bundle a MAC address in a VLAN was last seen on (IEEE 802.1Q, 8.7 and 8.8).
 *
 * Every function may be called by any thread: one mutex per table guards all of it.  That is
 * enough, for the table is consulted on cache misses and revalidation only.  Bundles are named
 * by their ids, so that an entry never outlives what it points at. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/ether.h"

struct mac_table;

struct mac_table_stats {
    uint32_t n, n_static, max;
    uint64_t n_learned, n_expired, n_evicted, n_moved;
};
struct mac_info {
    struct eth_addr mac;
    uint16_t vlan;
    bool is_static;
    uint32_t bundle;
    int64_t used_ms;
};
enum mac_learn {
    MAC_LEARN_SAME, /* known there; its age was refreshed */
    MAC_LEARN_NEW,
    MAC_LEARN_MOVED,
    MAC_LEARN_REFUSED /* static, table full of static entries, or older than what is known */
};

struct mac_table *mac_table_create(void);
void mac_table_destroy(struct mac_table *);
/* Seconds without traffic after which an entry is dropped (15 at least in effect), and the most
 * entries held (10 at least); the longest unused go first. */
void mac_table_set_limits(struct mac_table *, int age_s, uint32_t max);
/* `mac` sent on `bundle` at `used_ms`.  `fresh`: a packet in hand, which is believed in any
 * case; otherwise a report about the past moves an entry only if it is newer than what is
 * known. */
enum mac_learn mac_table_learn(struct mac_table *, uint16_t vlan, struct eth_addr mac,
                               uint32_t bundle, int64_t used_ms, bool fresh);
bool mac_table_lookup(struct mac_table *, uint16_t vlan, struct eth_addr mac, uint32_t *bundle);
/* fdb/add: replaces what is there, never ages.  False when the table is full of static ones. */
bool mac_table_add_static(struct mac_table *, uint16_t vlan, struct eth_addr mac,
                          uint32_t bundle, int64_t now_ms);
/* Is there a static one?  Then also which bundle it names. */
bool mac_table_find_static(struct mac_table *, uint16_t vlan, struct eth_addr mac,
                           uint32_t *bundle);
bool mac_table_del_static(struct mac_table *, uint16_t vlan, struct eth_addr mac);
/* The following return how many entries went. */
unsigned mac_table_expire(struct mac_table *, int64_t now_ms);
unsigned mac_table_flush(struct mac_table *);                          /* all learned ones */
unsigned mac_table_forget_bundle(struct mac_table *, uint32_t bundle); /* also static ones */
void mac_table_get_stats(struct mac_table *, struct mac_table_stats *);
void mac_table_clear_stats(struct mac_table *);
/* A malloc'ed array of all entries, longest unused first; NULL when empty. */
struct mac_info *mac_table_dump(struct mac_table *, size_t *n);

#endif
