/* SPDX-License-Identifier: Apache-2.0 */
/* Binary tries of prefixes, with paths compressed: a node stands where a prefix ends or where
 * two part.  The classifier's writer inserts and removes; translation looks up under RCU.
 *
 * A node's prefix and place never change.  Insertion publishes new nodes above existing ones by
 * one store; removal bypasses nodes by one store and frees them after a grace period.  Hence a
 * reader finds every prefix that stays. */

#include "flow/classifier-private.h"

#include <stdlib.h>

#include "util/xalloc.h"

struct cls_trie_node {
    struct cls_trie_node *_Atomic edges[2]; /* by the first bit behind the prefix */
    _Atomic uint32_t info; /* rules with this very prefix << 8 | its length, which is constant:
                            * together, a node for IPv4 takes 24 bytes */
    uint8_t key[];         /* the trie's n_bytes */
};
#define ONE_RULE 0x100u

static inline unsigned
node_len(const struct cls_trie_node *node)
{
    return atomic_load_explicit(&node->info, memory_order_relaxed) & 0xff;
}

static inline bool
node_has_rules(const struct cls_trie_node *node)
{
    return atomic_load_explicit(&node->info, memory_order_relaxed) >= ONE_RULE;
}

/* For the time between a node's removal and the end of the grace period. */
struct dead_node {
    struct rcu_head rcu;
    struct cls_trie_node *node;
};

static void
free_dead(struct rcu_head *head)
{
    struct dead_node *d = CONTAINER_OF(head, struct dead_node, rcu);

    free(d->node);
    free(d);
}

static void
node_retire(struct cls_trie_node *node)
{
    struct dead_node *d = xmalloc(sizeof *d);

    d->node = node;
    call_rcu(&d->rcu, free_dead);
}

static struct cls_trie_node *
node_create(const struct cls_trie *t, const uint8_t *key, unsigned len, uint32_t n_rules)
{
    struct cls_trie_node *node = xzalloc(offsetof(struct cls_trie_node, key) + t->n_bytes);

    atomic_init(&node->info, n_rules * ONE_RULE | len);
    memcpy(node->key, key, DIV_ROUND_UP(len, 8));
    return node;
}

static inline unsigned
bit_at(const uint8_t *key, unsigned i)
{
    return key[i / 8] >> (7 - i % 8) & 1;
}

/* How many of the first `n` bits agree before the first that does not. */
static inline unsigned
common_bits(const uint8_t *a, const uint8_t *b, unsigned n)
{
    for (unsigned i = 0; i * 8 < n; i++) {
        unsigned differ = a[i] ^ b[i];

        if (differ) {
            return MIN(n, i * 8 + (unsigned) __builtin_clz(differ) - 24);
        }
    }
    return n;
}

static struct cls_trie_node *
own_edge(struct cls_trie_node *_Atomic *edge)
{
    return atomic_load_explicit(edge, memory_order_relaxed);
}

void
cls_trie_init(struct cls_trie *t, unsigned n_bytes)
{
    t->n_bytes = (uint8_t) n_bytes;
    atomic_init(&t->root, NULL);
}

void
cls_trie_destroy(struct cls_trie *t)
{
    struct cls_trie_node *stack[2 * 128 + 2];
    unsigned n = 0;

    stack[n++] = own_edge(&t->root);
    while (n) { /* one path and its siblings are on the stack at most */
        struct cls_trie_node *node = stack[--n];

        if (node) {
            stack[n++] = own_edge(&node->edges[0]);
            stack[n++] = own_edge(&node->edges[1]);
            free(node);
        }
    }
    atomic_store_explicit(&t->root, NULL, memory_order_relaxed);
}

void
cls_trie_insert(struct cls_trie *t, const uint8_t *key, unsigned len)
{
    struct cls_trie_node *_Atomic *edge = &t->root;
    struct cls_trie_node *node, *above;

    while ((node = own_edge(edge))) {
        unsigned there = node_len(node);
        unsigned common = common_bits(key, node->key, MIN(len, there));

        if (common == there && common == len) {
            atomic_fetch_add_explicit(&node->info, ONE_RULE, memory_order_relaxed);
            return;
        }
        if (common < there) {
            above = node_create(t, key, common, common == len);
            atomic_init(&above->edges[bit_at(node->key, common)], node);
            if (common < len) {
                atomic_init(&above->edges[bit_at(key, common)], node_create(t, key, len, 1));
            }
            /* Release: pairs with the acquire in cls_trie_lookup(). */
            atomic_store_explicit(edge, above, memory_order_release);
            return;
        }
        edge = &node->edges[bit_at(key, there)];
    }
    atomic_store_explicit(edge, node_create(t, key, len, 1), memory_order_release);
}

/* Takes the node at `edge` out if it stands for nothing; true if the edge is empty now. */
static bool
prune(struct cls_trie_node *_Atomic *edge)
{
    struct cls_trie_node *node = own_edge(edge);
    struct cls_trie_node *a = own_edge(&node->edges[0]), *b = own_edge(&node->edges[1]);

    if (node_has_rules(node) || (a && b)) {
        return false;
    }
    atomic_store_explicit(edge, a ? a : b, memory_order_release);
    node_retire(node);
    return !a && !b;
}

void
cls_trie_remove(struct cls_trie *t, const uint8_t *key, unsigned len)
{
    struct cls_trie_node *_Atomic *edge = &t->root;
    struct cls_trie_node *_Atomic *above = NULL;
    struct cls_trie_node *node;

    while ((node = own_edge(edge)) && node_len(node) < len) {
        above = edge;
        edge = &node->edges[bit_at(key, node_len(node))];
    }
    if (!node || node_len(node) != len || common_bits(key, node->key, len) < len) {
        return;
    }
    atomic_fetch_sub_explicit(&node->info, ONE_RULE, memory_order_relaxed);
    if (prune(edge) && above) {
        prune(above);
    }
}

unsigned
cls_trie_lookup(const struct cls_trie *t, const uint8_t *key, struct cls_plens *plens)
{
    /* Acquire: pairs with the releases of insertion and removal. */
    const struct cls_trie_node *node = atomic_load_explicit(&t->root, memory_order_acquire);

    memset(plens, 0, sizeof *plens);
    while (node) {
        unsigned len = node_len(node), common = common_bits(key, node->key, len), bit;
        const struct cls_trie_node *next;

        if (common < len) {
            return common + 1;
        }
        if (node_has_rules(node)) {
            plens->b[len / 64] |= UINT64_C(1) << (len % 64);
        }
        if (len == t->n_bytes * 8u) {
            return len;
        }
        bit = bit_at(key, len);
        next = atomic_load_explicit(&node->edges[bit], memory_order_acquire);
        if (!next) {
            /* The bit told, unless there is nothing on the other side either. */
            return len +
                   (atomic_load_explicit(&node->edges[!bit], memory_order_acquire) != NULL);
        }
        node = next;
    }
    return 0;
}
