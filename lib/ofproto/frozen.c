/* SPDX-License-Identifier: Apache-2.0 */
/* The table of waiting pipelines (see the header).  A state is one block of memory: a head, the
 * stack, the actions left, the action set; it is compared and hashed as bytes. */

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "log/coverage.h"
#include "ofproto/frozen.h"
#include "os/clock.h"
#include "os/thread.h"
#include "util/idpool.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(xlate_frozen_limit);

/* What is compared; every byte of it is written. */
struct frozen_head {
    struct flow_regs regs;
    uint64_t cookie;
    uint64_t actions_len, action_set_len;
    uint32_t bridge_id;
    uint32_t n_stack;
    uint16_t in_port;
    uint8_t table_id, reason;
    uint32_t zero;
};
_Static_assert(sizeof(struct frozen_head) == sizeof(struct flow_regs) + 40, "no padding");

struct frozen {
    uint32_t id;
    unsigned refs;     /* mutex */
    int64_t unused_ms; /* since when there is no reference */
    size_t size;       /* of content */
    UT_hash_handle hh_id, hh_content;
    uint64_t content[]; /* struct frozen_head, stack, actions, action set */
};

static struct mutex mutex = MUTEX_INIT;
static struct frozen *by_id GUARDED_BY(mutex);
static struct frozen *by_content GUARDED_BY(mutex);
static struct idpool *ids GUARDED_BY(mutex);

static struct frozen *
frozen_new(const struct frozen_content *c)
{
    size_t stack_sz = c->n_stack * sizeof *c->stack;
    size_t size = sizeof(struct frozen_head) + stack_sz + c->actions_len + c->action_set_len;
    struct frozen *f = xzalloc(sizeof *f + size);
    struct frozen_head *h = (struct frozen_head *) f->content;
    uint8_t *p = (uint8_t *) (h + 1);

    f->size = size;
    f->refs = 1;
    h->regs = c->regs;
    h->cookie = c->cookie;
    h->actions_len = c->actions_len;
    h->action_set_len = c->action_set_len;
    h->bridge_id = c->bridge_id;
    h->n_stack = c->n_stack;
    h->in_port = c->in_port;
    h->table_id = c->table_id;
    h->reason = c->reason;
    if (stack_sz) {
        memcpy(p, c->stack, stack_sz);
    }
    if (c->actions_len) {
        memcpy(p + stack_sz, c->actions, c->actions_len);
    }
    if (c->action_set_len) {
        memcpy(p + stack_sz + c->actions_len, c->action_set, c->action_set_len);
    }
    return f;
}

struct frozen *
frozen_get(const struct frozen_content *c)
{
    struct frozen *f = frozen_new(c), *same;

    mutex_lock(&mutex);
    HASH_FIND(hh_content, by_content, f->content, f->size, same);
    if (same) {
        same->refs++;
    } else if (HASH_CNT(hh_id, by_id) < FROZEN_MAX) {
        if (!ids) {
            ids = idpool_create(1, UINT32_MAX - 1);
        }
        if (idpool_alloc(ids, &f->id)) {
            HASH_ADD(hh_id, by_id, id, sizeof f->id, f);
            HASH_ADD_KEYPTR(hh_content, by_content, f->content, f->size, f);
            same = f;
            f = NULL;
        }
    }
    mutex_unlock(&mutex);
    free(f);
    if (!same) {
        COVERAGE_INC(xlate_frozen_limit);
    }
    return same;
}

uint32_t
frozen_id(const struct frozen *f)
{
    return f->id;
}

void
frozen_unref(struct frozen *f)
{
    if (f) {
        mutex_lock(&mutex);
        if (!--f->refs) {
            f->unused_ms = clock_now_ms();
        }
        mutex_unlock(&mutex);
    }
}

struct frozen *
frozen_find(uint32_t id)
{
    struct frozen *f;

    mutex_lock(&mutex);
    HASH_FIND(hh_id, by_id, &id, sizeof id, f);
    if (f) {
        f->refs++;
    }
    mutex_unlock(&mutex);
    return f;
}

void
frozen_read(const struct frozen *f, struct frozen_content *c)
{
    const struct frozen_head *h = (const struct frozen_head *) f->content;
    const uint8_t *p = (const uint8_t *) (h + 1);

    *c = (struct frozen_content){
        .bridge_id = h->bridge_id,
        .in_port = h->in_port,
        .table_id = h->table_id,
        .reason = h->reason,
        .regs = h->regs,
        .cookie = h->cookie,
        .n_stack = h->n_stack,
        .actions_len = h->actions_len,
        .action_set_len = h->action_set_len,
    };
    c->stack = (const void *) p;
    p += h->n_stack * sizeof *c->stack;
    c->actions = (const void *) p;
    c->action_set = (const void *) (p + h->actions_len);
}

void
frozen_reap(int64_t now_ms)
{
    struct frozen *f, *tmp;

    mutex_lock(&mutex);
    HASH_ITER(hh_id, by_id, f, tmp)
    {
        if (!f->refs && now_ms - f->unused_ms >= FROZEN_LINGER_MS) {
            HASH_DELETE(hh_id, by_id, f);
            HASH_DELETE(hh_content, by_content, f);
            idpool_free(ids, f->id);
            free(f);
        }
    }
    mutex_unlock(&mutex);
}
