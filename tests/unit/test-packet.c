/* SPDX-License-Identifier: Apache-2.0 */
/* Packets: allocation, sharing, room, batches, VLAN tags; every frame comes back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include "os/thread.h"
#include "packet-samples.h"
#include "packet/packet-ops.h"

static struct arena *small, *large;

static uint32_t
frames_out(const struct arena *a)
{
    struct arena_stats st;

    arena_get_stats(a, &st);
    return st.n_frames - st.n_free - st.n_cached;
}

static int
setup(void **state)
{
    return packet_default_arena(FRAME_SZ_SMALL, &small, NULL) ||
           packet_default_arena(FRAME_SZ_LARGE, &large, NULL);
}

static int
all_back(void **state)
{
    return frames_out(small) || frames_out(large);
}

static void
test_alloc(void **state)
{
    static uint8_t bytes[5000];
    struct packet *p, *q;
    struct arena *again;

    assert_int_equal(packet_default_arena(FRAME_SZ_SMALL, &again, NULL), 0);
    assert_ptr_equal(again, small);
    p = packet_from_data(bytes, 1600);
    assert_non_null(p);
    assert_ptr_equal(packet_arena(p), small);
    assert_int_equal(packet_headroom(p), 256);
    assert_int_equal(packet_tailroom(p), 0);
    q = packet_from_data(bytes, 1601);
    assert_non_null(q);
    assert_ptr_equal(packet_arena(q), large);
    assert_null(packet_from_data(bytes, 3649));
    assert_null(packet_alloc(small, 1601));
    assert_int_equal(frames_out(small), 1);
    packet_free(p);
    packet_free(q);
    packet_free(NULL);
}

static void
test_exhaustion(void **state)
{
    static struct packet *held[20000];
    unsigned n = 0;

    while (n < 20000 && (held[n] = packet_alloc(large, 10))) {
        n++;
    }
    assert_true(n > 0 && n < 20000);
    assert_null(packet_alloc(large, 10));
    while (n) {
        packet_free(held[--n]);
    }
    held[0] = packet_alloc(large, 10);
    assert_non_null(held[0]);
    packet_free(held[0]);
}

static void
test_sharing(void **state)
{
    struct packet *p = packet_from_data("hello", 5), *w;

    p->in_port = 3;
    p->l3_ofs = 1;
    assert_ptr_equal(packet_writable(p), p);
    packet_ref(p);
    assert_true(packet_is_shared(p));
    w = packet_writable(p);
    assert_non_null(w);
    assert_ptr_not_equal(w, p);
    assert_false(packet_is_shared(p));
    assert_false(packet_is_shared(w));
    packet_data(w)[0] = 'j';
    assert_memory_equal(packet_data(p), "hello", 5);
    assert_memory_equal(packet_data(w), "jello", 5);
    assert_int_equal(w->in_port, 3);
    assert_int_equal(w->l3_ofs, 1);
    packet_free(p);
    packet_free(w);
}

static void
test_clone_across(void **state)
{
    static uint8_t bytes[3000];
    struct packet *p, *c;

    memset(bytes, 7, sizeof bytes);
    p = packet_from_data(bytes, 3000);
    assert_null(packet_clone(p, small));
    packet_pull(p, 2000);
    /* Data that lies beyond a small frame's end moves forward. */
    c = packet_clone(p, small);
    assert_non_null(c);
    assert_int_equal(c->len, 1000);
    assert_int_equal(c->data_ofs, FRAME_DATA_OFS);
    assert_memory_equal(packet_data(c), bytes, 1000);
    packet_free(c);
    packet_free(p);
}

static void
test_room(void **state)
{
    struct packet *p = packet_from_data("0123456789", 10);

    p->l3_ofs = 4;
    p->l4_ofs = 8;
    assert_false(packet_push(p, 257));
    assert_true(packet_push(p, 256));
    assert_int_equal(p->l3_ofs, 260);
    assert_int_equal(packet_headroom(p), 0);
    assert_false(packet_push(p, 1));
    packet_pull(p, 256 + 6);
    assert_memory_equal(packet_data(p), "6789", 4);
    assert_int_equal(p->l3_ofs, PACKET_OFS_NONE);
    assert_int_equal(p->l4_ofs, 2);
    assert_true(packet_extend(p, packet_tailroom(p)));
    assert_false(packet_extend(p, 1));
    packet_free(p);
}

static void
test_batch(void **state)
{
    struct packet_batch b;

    packet_batch_init(&b);
    while (!packet_batch_full(&b)) {
        packet_batch_add(&b, packet_from_data("x", 1));
    }
    packet_ref(b.pkts[0]);
    struct packet *kept = b.pkts[0];
    packet_batch_free(&b);
    assert_int_equal(b.n, 0);
    assert_int_equal(frames_out(small), 1);
    packet_free(kept);
}

static void
test_vlan(void **state)
{
    uint8_t plain[64], b[64];
    uint16_t n = sample_bytes(&samples[0], plain, sizeof plain);
    struct packet *p = packet_from_data(plain, n);
    struct flow_key before, k;
    struct flow f;

    flow_key_extract(p, &before);
    packet_set_vlan_tci(p, 5);
    packet_pop_vlan(p);
    assert_memory_equal(packet_data(p), plain, n);
    assert_true(packet_push_vlan(p, 0x8100, 0x7005));
    assert_int_equal(p->len, n + 4);
    assert_int_equal(p->l3_ofs, 18);
    assert_int_equal(p->l4_ofs, 38);
    assert_true(packet_push_vlan(p, 0x88a8, 6));
    packet_set_vlan_tci(p, 0x1009);
    flow_key_extract(p, &k);
    flow_key_expand(&k, &f);
    assert_int_equal(ntohs(f.vlan.tag[0].tpid_be), 0x88a8);
    assert_int_equal(ntohs(f.vlan.tag[0].tci_be), 0x1009);
    assert_int_equal(ntohs(f.vlan.tag[1].tci_be), 0x7005);
    memcpy(b, packet_data(p), 18);
    assert_int_equal(b[14], 0); /* VLAN_CFI is not sent */
    packet_pop_vlan(p);
    packet_pop_vlan(p);
    assert_int_equal(p->len, n);
    assert_memory_equal(packet_data(p), plain, n);
    assert_int_equal(p->l3_ofs, 14);
    flow_key_extract(p, &k);
    assert_true(flow_key_equal(&k, &before));
    packet_free(p);

    p = packet_from_data(plain, 13);
    assert_false(packet_push_vlan(p, 0x8100, 1));
    packet_push(p, 1);
    packet_push(p, 252);
    assert_false(packet_push_vlan(p, 0x8100, 1));
    packet_free(p);
}

/* Each node has its own, made when asked for; jumbo packets from nowhere are in the first jumbo
 * arena there is.  This machine need not have these nodes. */
static void
test_nodes(void **state)
{
    struct arena *a, *b, *jumbo, *jumbo2;
    struct packet *p;

    assert_int_equal(packet_node_arena(0, FRAME_SZ_SMALL, &a, NULL), 0);
    assert_ptr_equal(a, small);
    assert_int_equal(packet_node_arena(3, 1000, &a, NULL), 0);
    assert_int_equal(packet_node_arena(UINT8_MAX, FRAME_SZ_SMALL, &b, NULL), 0);
    assert_ptr_not_equal(a, small);
    assert_ptr_not_equal(a, b);
    assert_int_equal(a->numa_node, 3);
    assert_int_equal(b->numa_node, UINT8_MAX);
    assert_int_equal(packet_node_arena(3, FRAME_SZ_SMALL, &b, NULL), 0);
    assert_ptr_equal(a, b);
    p = packet_alloc(a, 100); /* its memory is there */
    assert_non_null(p);
    memset(packet_data(p), 1, 100);
    packet_free(p);

    assert_null(packet_new(9000));
    assert_int_equal(packet_node_arena(3, FRAME_SZ_JUMBO, &jumbo, NULL), 0);
    assert_int_equal(packet_default_arena(FRAME_SZ_JUMBO, &jumbo2, NULL), 0);
    assert_int_equal(jumbo->numa_node, 3);
    assert_int_equal(jumbo2->numa_node, 0);
    p = packet_new(9000);
    assert_non_null(p);
    assert_ptr_equal(packet_arena(p), jumbo);
    packet_free(p);
    assert_int_equal(frames_out(a) + frames_out(jumbo), 0);
}

/* A node that can have no arena makes do with node 0's, for as long as it is so. */
static void
test_node_without(void **state)
{
    struct arena *taken[ARENA_MAX], *a;
    char *err = NULL;
    unsigned n = 0;

    while (!arena_get(100 + n, FRAME_SZ_SMALL, 1, &taken[n], NULL)) {
        n++;
    }
    assert_int_equal(packet_node_arena(7, FRAME_SZ_SMALL, &a, &err), 0);
    assert_ptr_equal(a, small);
    assert_null(err);
    while (n > 0) {
        arena_put(taken[--n], 1);
    }
    assert_int_equal(packet_node_arena(7, FRAME_SZ_SMALL, &a, &err), 0);
    assert_int_equal(a->numa_node, 7);
    assert_null(err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_alloc, all_back),
        cmocka_unit_test_teardown(test_exhaustion, all_back),
        cmocka_unit_test_teardown(test_sharing, all_back),
        cmocka_unit_test_teardown(test_clone_across, all_back),
        cmocka_unit_test_teardown(test_room, all_back),
        cmocka_unit_test_teardown(test_batch, all_back),
        cmocka_unit_test_teardown(test_vlan, all_back),
        cmocka_unit_test_teardown(test_nodes, all_back),
        cmocka_unit_test_teardown(test_node_without, all_back),
    };

    thread_adopt("");
    arena_set_plan(512);
    return cmocka_run_group_tests(tests, setup, NULL);
}
