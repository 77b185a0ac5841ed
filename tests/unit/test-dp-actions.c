/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/datapath/dp-actions.c: building, comparing, formatting. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/dp-actions.h"

static const char *
port_name(uint32_t port, void *aux)
{
    return port == 2 ? aux : NULL;
}

static void
check_text(const struct dp_actions *a, const char *(*name)(uint32_t, void *), const char *want)
{
    struct strbuf s = STRBUF_INIT;

    dp_actions_format(&s, a, name, (void *) (uintptr_t) "veth2");
    assert_string_equal(strbuf_cstr(&s), want);
    strbuf_free(&s);
}

static void
test_format(void **state)
{
    struct dp_actions_builder b = {NULL, 0, 0};
    struct dp_actions *a = dp_actions_finish(&b);

    check_text(a, NULL, "drop");
    free(a);

    dp_actions_add_output(&b, 2);
    dp_actions_add_push_vlan(&b, 0x8100, 0x600a);
    dp_actions_add_output(&b, 3);
    dp_actions_add_pop_vlan(&b);
    dp_actions_add_push_vlan(&b, 0x88a8, 0x1000 | 77);
    dp_actions_add_output(&b, 65534);
    a = dp_actions_finish(&b);
    assert_int_equal(a->n, 6);
    assert_null(b.a);
    assert_int_equal(b.n, 0);
    check_text(
        a, NULL,
        "2,push_vlan(vid=10,pcp=3),3,pop_vlan,push_vlan(tpid=0x88a8,vid=77,pcp=0),65534");
    check_text(a, port_name,
               "veth2,push_vlan(vid=10,pcp=3),3,pop_vlan,push_vlan(tpid=0x88a8,vid=77,pcp=0),"
               "65534");
    free(a);
}

static struct dp_actions *
make(uint32_t port, uint16_t tpid, uint16_t tci, bool pop)
{
    struct dp_actions_builder b = {NULL, 0, 0};

    if (pop) {
        dp_actions_add_pop_vlan(&b);
    }
    if (tpid) {
        dp_actions_add_push_vlan(&b, tpid, tci);
    }
    if (port) {
        dp_actions_add_output(&b, port);
    }
    return dp_actions_finish(&b);
}

static void
test_equal(void **state)
{
    struct dp_actions *all[] = {
        make(0, 0, 0, false),      make(1, 0, 0, false),      make(2, 0, 0, false),
        make(1, 0x8100, 5, false), make(1, 0x8100, 6, false), make(1, 0x88a8, 5, false),
        make(1, 0, 0, true),       make(0, 0, 0, true),       make(1, 0x8100, 5, true),
    };
    size_t n = sizeof all / sizeof all[0];
    struct dp_actions *same = make(1, 0x8100, 0x1005, false);

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            assert_int_equal(dp_actions_equal(all[i], all[j]), i == j);
        }
    }
    assert_true(dp_actions_equal(all[3], same));
    free(same);
    for (size_t i = 0; i < n; i++) {
        free(all[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
