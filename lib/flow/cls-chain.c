/* SPDX-License-Identifier: Apache-2.0 */
/* Places in long chains: of the rules with one match, the first of each priority.  Short chains
 * are walked; one that turns out to be long gets an index here, a tree of 256 children a node
 * over 24 bits of priority, so that a place is found in a few steps however many rules there
 * are.  The writer's alone: readers take what is visible from the front. */

#include "flow/classifier-private.h"

#include <stdlib.h>

#include "util/xalloc.h"

#define CHAIN_WALK 32u /* rules walked before an index is made */
#define LEVELS 3
#define FANOUT 256u

uint64_t cls_chain_steps;

struct prio_node {
    uint64_t used[FANOUT / 64];
    void *child[FANOUT]; /* nodes, at the last level rules */
};
struct cls_chain {
    uint64_t *w; /* the match, as in rules */
    struct prio_node *root;
    struct cls_rule *last;
    unsigned n;
    UT_hash_handle hh;
};

static unsigned
digit(int priority, unsigned level)
{
    return (unsigned) priority >> 8 * (LEVELS - 1 - level) & (FANOUT - 1);
}

/* The highest child in use that is not above `most`; FANOUT: none. */
static unsigned
child_at_most(const struct prio_node *n, unsigned most)
{
    uint64_t bits = n->used[most / 64] & (UINT64_MAX >> (63 - most % 64));

    for (unsigned i = most / 64;; bits = n->used[--i]) {
        if (bits) {
            return i * 64 + 63 - (unsigned) __builtin_clzll(bits);
        }
        if (!i) {
            return FANOUT;
        }
    }
}

/* The first rule of the highest priority that is not above `priority`. */
static struct cls_rule *
prio_floor(const struct prio_node *n, int priority, unsigned level, bool below)
{
    unsigned most = below ? FANOUT - 1 : digit(priority, level), i;

    cls_chain_steps++;
    while ((i = child_at_most(n, most)) != FANOUT) {
        struct cls_rule *r = n->child[i];

        if (level < LEVELS - 1) {
            r = prio_floor(n->child[i], priority, level + 1,
                           below || i < digit(priority, level));
        }
        if (r || !i) {
            return r;
        }
        most = i - 1; /* at most once at each level: what is lower has a rule */
    }
    return NULL;
}

static void
prio_set(struct cls_chain *c, int priority, struct cls_rule *r)
{
    struct prio_node *n = c->root;

    for (unsigned level = 0;; level++) {
        unsigned i = digit(priority, level);

        n->used[i / 64] |= (uint64_t) 1 << i % 64;
        if (level == LEVELS - 1) {
            n->child[i] = r;
            return;
        }
        if (!n->child[i]) {
            n->child[i] = xzalloc(sizeof *n);
        }
        n = n->child[i];
    }
}

static bool
node_is_empty(const struct prio_node *n)
{
    return !(n->used[0] | n->used[1] | n->used[2] | n->used[3]);
}

static void
prio_unset(struct prio_node *n, int priority, unsigned level)
{
    unsigned i = digit(priority, level);

    if (level < LEVELS - 1) {
        prio_unset(n->child[i], priority, level + 1);
        if (!node_is_empty(n->child[i])) {
            return;
        }
        free(n->child[i]);
    }
    n->child[i] = NULL;
    n->used[i / 64] &= ~((uint64_t) 1 << i % 64);
}

static void
node_free(struct prio_node *n, unsigned level)
{
    for (unsigned i = 0; i < FANOUT && level < LEVELS - 1; i++) {
        if (n->child[i]) {
            node_free(n->child[i], level + 1);
        }
    }
    free(n);
}

static struct cls_rule *
lower_of(const struct cls_rule *r)
{
    return atomic_load_explicit(&r->lower, memory_order_relaxed);
}

static size_t
match_len(const struct cls_tuple *t)
{
    return t->mask->n * sizeof(uint64_t);
}

/* The words of a match that looks at nothing are NULL, which no hash table takes for a key. */
static const uint64_t *
match_key(const uint64_t *w)
{
    static const uint64_t none;

    return w ? w : &none;
}

static struct cls_chain *
chain_find(const struct cls_tuple *t, const uint64_t *w)
{
    struct cls_chain *c = NULL;

    if (t->chains) {
        const uint64_t *key = match_key(w);

        HASH_FIND(hh, t->chains, key, match_len(t), c);
    }
    return c;
}

static struct cls_chain *
chain_create(struct cls_tuple *t, struct cls_rule *head)
{
    struct cls_chain *c = xzalloc(sizeof *c);

    c->w = xmemdup(match_key(head->w), match_len(t));
    c->root = xzalloc(sizeof *c->root);
    for (struct cls_rule *r = head; r; r = lower_of(r)) {
        if (!c->last || c->last->priority != r->priority) {
            prio_set(c, r->priority, r);
        }
        c->last = r;
        c->n++;
        cls_chain_steps++;
    }
    HASH_ADD_KEYPTR(hh, t->chains, c->w, match_len(t), c);
    return c;
}

static void
chain_free(struct cls_tuple *t, struct cls_chain *c)
{
    HASH_DEL(t->chains, c);
    node_free(c->root, 0);
    free(c->w);
    free(c);
}

/* The first rule that is not above `priority`, or NULL; `*prev`: the one before it. */
static struct cls_rule *
place(struct cls_tuple *t, struct cls_rule *head, int priority, struct cls_rule **prev,
      struct cls_chain **cp)
{
    struct cls_chain *c = chain_find(t, head->w);
    struct cls_rule *next = head;

    *prev = NULL;
    for (unsigned i = 0; !c && next && next->priority > priority; i++) {
        if (i == CHAIN_WALK) {
            c = chain_create(t, head);
            break;
        }
        *prev = next;
        next = lower_of(next);
        cls_chain_steps++;
    }
    if (c) {
        next = prio_floor(c->root, priority, 0, false);
        *prev = next ? next->higher : c->last;
    }
    *cp = c;
    return next;
}

struct cls_rule *
cls_chain_find(struct cls_tuple *t, struct cls_rule *head, int priority)
{
    struct cls_rule *prev, *r;
    struct cls_chain *c;

    r = place(t, head, priority, &prev, &c);
    return r && r->priority == priority ? r : NULL;
}

struct cls_rule *
cls_chain_add(struct cls_tuple *t, struct cls_rule *head, struct cls_rule *r)
{
    struct cls_rule *prev, *next;
    struct cls_chain *c;

    next = place(t, head, r->priority, &prev, &c);
    atomic_store_explicit(&r->lower, next, memory_order_relaxed);
    r->higher = prev;
    if (next) {
        next->higher = r;
    }
    if (c) {
        prio_set(c, r->priority, r);
        c->last = next ? c->last : r;
        c->n++;
    }
    return prev;
}

struct cls_rule *
cls_chain_remove(struct cls_tuple *t, struct cls_rule *r)
{
    struct cls_chain *c = chain_find(t, r->w);
    struct cls_rule *prev = r->higher, *next = lower_of(r);

    if (next) {
        next->higher = prev;
    }
    if (c && --c->n < CHAIN_WALK / 2) {
        chain_free(t, c);
    } else if (c) {
        c->last = c->last == r ? prev : c->last;
        if (prev && prev->priority == r->priority) {
            /* A newer one is the first. */
        } else if (next && next->priority == r->priority) {
            prio_set(c, r->priority, next);
        } else {
            prio_unset(c->root, r->priority, 0);
        }
    }
    return prev;
}

void
cls_chains_free(struct cls_tuple *t)
{
    while (t->chains) {
        chain_free(t, t->chains);
    }
}
