/* SPDX-License-Identifier: Apache-2.0 */

/* The replica: value forms, the three update formats, differences of sets and maps, snapshots,
 * and that malformed input is refused whole. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ovsdb/replica.h"

#define U1 "11111111-1111-1111-1111-111111111111"
#define U2 "22222222-2222-2222-2222-222222222222"
#define U3 "33333333-3333-3333-3333-333333333333"

static const char *const t_columns[] = {"name", "num",     "flag", "ratio", "ref",
                                        "opt",  "set",     "refs", "map",   "refmap",
                                        "one",  "missing", NULL};
static const char *const u_columns[] = {"name", NULL};
static const struct ovsdb_table_spec tables[] = {{"T", t_columns}, {"U", u_columns}};
static const struct ovsdb_spec spec = {"D", NULL, tables, 2};

static const char schema_text[] =
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":{"
    "\"name\":{\"type\":\"string\"},"
    "\"num\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":0}}},"
    "\"flag\":{\"type\":\"boolean\"},"
    "\"ratio\":{\"type\":\"real\"},"
    "\"ref\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"T\"}}},"
    "\"opt\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}},"
    "\"set\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"refs\":{\"type\":{\"key\":{\"type\":\"uuid\"},\"min\":0,\"max\":\"unlimited\"}},"
    "\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,"
    "\"max\":\"unlimited\"}},"
    "\"refmap\":{\"type\":{\"key\":\"integer\",\"value\":{\"type\":\"uuid\"},\"min\":0,"
    "\"max\":4096}},"
    "\"one\":{\"type\":{\"key\":\"string\",\"min\":1,\"max\":5}},"
    "\"unasked\":{\"type\":\"string\"}}},"
    "\"V\":{\"columns\":{}}}}";

static struct replica *r;

static json_t *
J(const char *text)
{
    json_error_t error;
    json_t *j = json_loads(text, JSON_DECODE_ANY, &error);
    if (!j) {
        fail_msg("%s at %d in %s", error.text, error.position, text);
    }
    return j;
}

static int
setup(void **state)
{
    json_t *schema = J(schema_text);
    bool changed;
    char *error = NULL;
    r = replica_create(&spec);
    assert_true(replica_set_schema(r, schema, &changed, &error));
    assert_true(changed);
    assert_true(replica_set_schema(r, schema, &changed, &error));
    assert_false(changed);
    json_decref(schema);
    return 0;
}

static int
teardown(void **state)
{
    replica_destroy(r);
    return 0;
}

static void
apply(enum replica_format format, const char *text, bool snapshot, bool expect_change)
{
    json_t *j = J(text);
    char *error = NULL;
    uint64_t seqno = r->seqno;
    if (!replica_apply(r, format, j, snapshot, &error)) {
        fail_msg("%s: %s", text, error);
    }
    assert_int_equal(r->seqno - seqno, expect_change);
    json_decref(j);
}

static void
up2(const char *text, bool expect_change)
{
    apply(REPLICA_UPDATE2, text, false, expect_change);
}

static void
check(const char *uuid, const char *column, const char *expected)
{
    const struct replica_table *t = replica_table_find(r, "T");
    const struct ovsdb_row *row = replica_row_find(t, uuid);
    assert_non_null(row);
    char *got = json_dumps(ovsdb_get(row, column), JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(got, expected);
    free(got);
}

static unsigned
count(void)
{
    return HASH_COUNT(replica_table_find(r, "T")->rows);
}

static void
test_schema(void **state)
{
    const struct replica_table *t = replica_table_find(r, "T");
    assert_true(t->present);
    assert_false(replica_table_find(r, "U")->present);
    assert_int_equal(replica_column_find(t, "missing"), -1);
    assert_true(replica_column_find(t, "map") >= 0);
    json_t *requests = replica_monitor_requests(r);
    json_t *expected = J("{\"T\":[{\"columns\":[\"name\",\"num\",\"flag\",\"ratio\",\"ref\","
                         "\"opt\",\"set\",\"refs\",\"map\",\"refmap\",\"one\"]}]}");
    assert_true(json_equal(requests, expected));
    json_decref(requests);
    json_decref(expected);

    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"tables\":3}",
        "{\"tables\":{}}",
        "{\"tables\":{\"V\":{\"columns\":{}}}}",
        "{\"tables\":{\"T\":{\"columns\":{\"name\":{\"type\":\"text\"}}}}}",
        "{\"tables\":{\"T\":{\"columns\":{\"name\":{}}}}}",
        "{\"tables\":{\"T\":{\"columns\":{\"name\":{\"type\":{\"key\":\"string\",\"min\":2}}}}}"
        "}",
        "{\"tables\":{\"T\":{\"columns\":{\"name\":{\"type\":{\"key\":\"string\",\"max\":0}}}}}"
        "}",
        "{\"tables\":{\"T\":{\"columns\":{\"name\":{\"type\":{\"value\":\"string\"}}}}}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_t *j = J(bad[i]);
        bool changed;
        char *error = NULL;
        assert_false(replica_set_schema(r, j, &changed, &error));
        assert_non_null(error);
        free(error);
        json_decref(j);
        assert_true(replica_column_find(t, "map") >= 0); /* unharmed */
    }
}

static void
test_forms(void **state)
{
    up2("{\"T\":{\"" U1 "\":{\"initial\":{\"name\":\"n\",\"num\":[\"set\",[7]],\"flag\":true,"
        "\"ratio\":1,\"ref\":[\"uuid\",\"" U2 "\"],\"opt\":\"o\",\"set\":[\"set\",[3,1,2]],"
        "\"refs\":[\"uuid\",\"" U3 "\"],\"map\":[\"map\",[[\"b\",\"2\"],[\"a\",\"1\"]]],"
        "\"refmap\":[\"map\",[[0,[\"uuid\",\"" U2 "\"]]]],\"one\":\"x\"}}}}",
        true);
    check(U1, "name", "\"n\"");
    check(U1, "num", "7");
    check(U1, "flag", "true");
    check(U1, "ratio", "1.0");
    check(U1, "ref", "\"" U2 "\"");
    check(U1, "opt", "[\"o\"]");
    check(U1, "set", "[1,2,3]");
    check(U1, "refs", "[\"" U3 "\"]");
    check(U1, "map", "[[\"a\",\"1\"],[\"b\",\"2\"]]");
    check(U1, "refmap", "[[0,\"" U2 "\"]]");
    check(U1, "one", "[\"x\"]");
    check(U1, "missing", "[]");
    check(U1, "nonsense", "[]");

    const struct ovsdb_row *row = replica_row_find(replica_table_find(r, "T"), U1);
    assert_int_equal(ovsdb_get_int(row, "num", -1), 7);
    assert_int_equal(ovsdb_get_int(row, "name", -1), -1);
    assert_true(ovsdb_get_bool(row, "flag", false));
    assert_true(ovsdb_get_bool(row, "missing", true));
    assert_string_equal(ovsdb_get_string(row, "opt", ""), "o");
    assert_string_equal(ovsdb_get_string_at(row, "refs", 0), U3);
    assert_null(ovsdb_get_string_at(row, "refs", 1));
    assert_null(ovsdb_get_string_at(row, "map", 0));
    assert_int_equal(ovsdb_get_int_at(row, "set", 2), 3);
    assert_int_equal(ovsdb_get_int_at(row, "set", 3), 0);
    assert_int_equal(ovsdb_get_count(row, "map"), 2);
    assert_int_equal(ovsdb_get_count(row, "num"), 1);
    assert_int_equal(ovsdb_get_count(row, "missing"), 0);
    struct smap map = SMAP_INIT;
    ovsdb_get_smap(row, "map", &map);
    assert_int_equal(map.n, 2);
    assert_string_equal(smap_get(&map, "a"), "1");
    ovsdb_get_smap(row, "missing", &map);
    assert_int_equal(map.n, 0);
    smap_destroy(&map);
}

static void
test_defaults(void **state)
{
    up2("{\"T\":{\"" U1 "\":{\"insert\":{}}}}", true);
    check(U1, "name", "\"\"");
    check(U1, "num", "0");
    check(U1, "flag", "false");
    check(U1, "ratio", "0.0");
    check(U1, "ref", "\"00000000-0000-0000-0000-000000000000\"");
    check(U1, "opt", "[]");
    check(U1, "map", "[]");
    check(U1, "one", "[\"\"]");
    /* Bare atoms and empty sets are the same as their long forms. */
    up2("{\"T\":{\"" U1 "\":{\"insert\":{\"opt\":[\"set\",[]],\"map\":[\"map\",[]],"
        "\"one\":\"\"}}}}",
        false);
}

static void
test_modify(void **state)
{
    up2("{\"T\":{\"" U1
        "\":{\"insert\":{\"name\":\"n\",\"opt\":\"a\",\"set\":[\"set\",[1,2,3]],"
        "\"refs\":[\"set\",[[\"uuid\",\"" U2 "\"],[\"uuid\",\"" U3 "\"]]],"
        "\"map\":[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"]]]}}}}",
        true);
    /* Scalars and optional values: the new value. */
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"name\":\"m\",\"opt\":\"b\",\"num\":4}}}}", true);
    check(U1, "name", "\"m\"");
    check(U1, "opt", "[\"b\"]");
    check(U1, "num", "4");
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"opt\":[\"set\",[]]}}}}", true);
    check(U1, "opt", "[]");
    /* Sets: what comes or goes. */
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"set\":[\"set\",[9,2]]}}}}", true);
    check(U1, "set", "[1,3,9]");
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"set\":3}}}}", true);
    check(U1, "set", "[1,9]");
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"set\":[\"set\",[1,9]]}}}}", true);
    check(U1, "set", "[]");
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"set\":5}}}}", true);
    check(U1, "set", "[5]");
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"refs\":[\"uuid\",\"" U2 "\"]}}}}", true);
    check(U1, "refs", "[\"" U3 "\"]");
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"set\":[\"set\",[]]}}}}", false);
    /* Maps: new, changed, gone. */
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"map\":[\"map\",[[\"c\",\"3\"],[\"a\",\"1\"],"
        "[\"b\",\"x\"]]]}}}}",
        true);
    check(U1, "map", "[[\"b\",\"x\"],[\"c\",\"3\"]]");
    up2("{\"T\":{\"" U1 "\":{\"modify\":{\"map\":[\"map\",[[\"b\",\"x\"],[\"c\",\"3\"]]]}}}}",
        true);
    check(U1, "map", "[]");
    up2("{\"T\":{\"" U1 "\":{\"delete\":null}}}", true);
    assert_int_equal(count(), 0);
}

static void
test_update1(void **state)
{
    static const char full[] =
        "{\"name\":\"n\",\"num\":1,\"flag\":false,\"ratio\":0.5,"
        "\"ref\":[\"uuid\",\"" U2 "\"],\"opt\":[\"set\",[]],\"set\":[\"set\",[2,1]],"
        "\"refs\":[\"set\",[]],\"map\":[\"map\",[]],\"refmap\":[\"map\",[]],\"one\":\"x\"}";
    char text[1024];
    snprintf(text, sizeof text, "{\"T\":{\"" U1 "\":{\"new\":%s}}}", full);
    apply(REPLICA_UPDATE, text, true, true);
    check(U1, "set", "[1,2]");
    apply(REPLICA_UPDATE, text, true, false);
    snprintf(text, sizeof text, "{\"T\":{\"" U1 "\":{\"old\":{\"num\":0},\"new\":%s}}}", full);
    apply(REPLICA_UPDATE, text, false, false);
    *strstr(text, "\"n\"") = ' ';
    memcpy(strstr(text, " n\""), "\"k\"", 3);
    apply(REPLICA_UPDATE, text, false, true);
    check(U1, "name", "\"k\"");
    apply(REPLICA_UPDATE, "{\"T\":{\"" U1 "\":{\"old\":{\"name\":\"k\"}}}}", false, true);
    assert_int_equal(count(), 0);
}

static void
test_snapshot(void **state)
{
    up2("{\"T\":{\"" U1 "\":{\"initial\":{\"name\":\"a\"}},\"" U2 "\":{\"initial\":{}}}}",
        true);
    struct ovsdb_row *row = replica_row_find(replica_table_find(r, "T"), U1);
    struct ovsdb_row *gone = replica_row_find(replica_table_find(r, "T"), U2);
    const char *name = ovsdb_get_string(row, "name", "");
    apply(REPLICA_UPDATE2,
          "{\"T\":{\"" U1 "\":{\"initial\":{\"name\":\"a\"}},\"" U2 "\":{\"initial\":{}}}}",
          true, false);
    apply(REPLICA_UPDATE2,
          "{\"T\":{\"" U1 "\":{\"initial\":{\"name\":\"b\"}},\"" U3 "\":{\"initial\":{}}}}",
          true, true);
    /* Same row object; what was replaced is readable until reaped. */
    assert_ptr_equal(replica_row_find(replica_table_find(r, "T"), U1), row);
    assert_string_equal(name, "a");
    assert_string_equal(ovsdb_row_uuid(gone), U2);
    assert_null(ovsdb_row_next(gone));
    replica_reap(r);
    check(U1, "name", "\"b\"");
    assert_int_equal(count(), 2);
    apply(REPLICA_UPDATE2, "{}", true, true);
    assert_int_equal(count(), 0);
}

static void
test_schema_change(void **state)
{
    up2("{\"T\":{\"" U1 "\":{\"initial\":{\"name\":\"a\",\"set\":4}}}}", true);
    json_t *schema = J("{\"tables\":{\"T\":{\"columns\":{\"name\":{\"type\":\"string\"},"
                       "\"missing\":{\"type\":\"integer\"}}}}}");
    bool changed;
    assert_true(replica_set_schema(r, schema, &changed, NULL));
    assert_true(changed);
    json_decref(schema);
    check(U1, "name", "\"a\"");
    check(U1, "set", "[]");
    apply(REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"initial\":{\"name\":\"a\",\"missing\":3}}}}",
          true, true);
    check(U1, "missing", "3");
}

static void
test_malformed(void **state)
{
    static const struct {
        enum replica_format format;
        const char *text;
    } bad[] = {
        {REPLICA_UPDATE2, "[]"},
        {REPLICA_UPDATE2, "{\"X\":{}}"},
        {REPLICA_UPDATE2, "{\"U\":{}}"},
        {REPLICA_UPDATE2, "{\"T\":[]}"},
        {REPLICA_UPDATE2, "{\"T\":{\"short\":{\"insert\":{}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U2 "\":null}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U2 "\":{}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U2 "\":{\"remove\":{}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U2 "\":{\"insert\":[]}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U2 "\":{\"modify\":{\"name\":\"x\"}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U2 "\":{\"delete\":null}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"unasked\":\"x\"}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"missing\":\"x\"}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"name\":5}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"name\":[\"set\",[]]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"num\":1.5}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"flag\":0}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"ref\":\"" U2 "\"}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"ref\":[\"uuid\",\"x\"]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"ref\":[\"named-uuid\",\"x\"]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"set\":[\"set\",[1,\"x\"]]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"set\":[\"set\",[1,1]]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"set\":[\"set\"]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"set\":[]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"map\":[\"set\",[]]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"map\":[\"map\",[[\"a\"]]]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"map\":[\"map\",[[\"a\",1]]]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U1 "\":{\"modify\":{\"map\":[\"map\",[[\"a\",\"1\"],"
                          "[\"a\",\"2\"]]]}}}}"},
        {REPLICA_UPDATE2, "{\"T\":{\"" U2 "\":{\"insert\":{}},\"" U1 "\":{\"modify\":7}}}"},
        {REPLICA_UPDATE, "{\"T\":{\"" U1 "\":{}}}"},
        {REPLICA_UPDATE, "{\"T\":{\"" U1 "\":{\"new\":{\"name\":\"x\"}}}}"},
        {REPLICA_UPDATE, "{\"T\":{\"" U1 "\":{\"new\":null}}}"},
        {REPLICA_UPDATE, "{\"T\":{\"" U2 "\":{\"old\":{}}}}"},
    };
    up2("{\"T\":{\"" U1 "\":{\"insert\":{\"name\":\"keep\"}}}}", true);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int snapshot = 0; snapshot < 2; snapshot++) {
            json_t *j = J(bad[i].text);
            char *error = NULL;
            uint64_t seqno = r->seqno;
            if (replica_apply(r, bad[i].format, j, snapshot, &error)) {
                fail_msg("accepted: %s", bad[i].text);
            }
            assert_non_null(error);
            assert_int_equal(r->seqno, seqno);
            assert_int_equal(count(), 1);
            check(U1, "name", "\"keep\"");
            free(error);
            json_decref(j);
        }
    }
}

static void
test_builders(void **state)
{
    struct smap map = SMAP_INIT;
    const char *strings[] = {"x", "y"};
    const int64_t numbers[] = {-1, INT64_MAX};
    struct {
        json_t *value;
        const char *text;
    } cases[4];
    smap_set(&map, "k", "v\xff");
    cases[0].value = ovsdb_value_smap(&map);
    cases[0].text = "[\"map\",[[\"k\",\"v?\"]]]";
    cases[1].value = ovsdb_value_empty();
    cases[1].text = "[\"set\",[]]";
    cases[2].value = ovsdb_value_string_set(strings, 2);
    cases[2].text = "[\"set\",[\"x\",\"y\"]]";
    cases[3].value = ovsdb_value_int_map(strings, numbers, 2);
    cases[3].text = "[\"map\",[[\"x\",-1],[\"y\",9223372036854775807]]]";
    for (int i = 0; i < 4; i++) {
        char *text = json_dumps(cases[i].value, JSON_COMPACT);
        assert_string_equal(text, cases[i].text);
        free(text);
        json_decref(cases[i].value);
    }
    smap_destroy(&map);
}

int
main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_schema),        T(test_forms),     T(test_defaults),
        T(test_modify),        T(test_update1),   T(test_snapshot),
        T(test_schema_change), T(test_malformed), T(test_builders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
