/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions: what ovs-ofctl sends is decoded, printed as it prints it, and
 * encoded to the same bytes; shorter pieces and nonsense are refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "of-action-vectors.h"
#include "openflow/of-actions.h"
#include "util/compiler.h"
#include "util/num.h"

#define MAX_BYTES 1024

static size_t
unhex(const char *hex, uint8_t *out)
{
    int n = *hex ? num_parse_hex(hex, out, MAX_BYTES) : 0;

    assert_true(n >= 0);
    return (size_t) n;
}

/* From an exactly sized block, so that ASan sees over-reads. */
static enum of_err
decode(unsigned version, const uint8_t *bytes, size_t n, struct of_actions *acts)
{
    uint8_t *block = malloc(n + 1);
    enum of_err err;

    assert_non_null(block);
    memcpy(block, bytes, n);
    err = of_actions_decode((struct of_reader){block, n}, (uint8_t) version,
                            OF_ACTS_INSTRUCTIONS, acts);
    free(block);
    return err;
}

static const struct of_actions_limits some_limits = {
    .max_ports = OFPP_MAX, .table_id = 0, .n_tables = 254, .max_meters = 1000, .version = 4};

static void
vectors(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct strbuf s = STRBUF_INIT;
    unsigned bad = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(action_vectors); i++) {
        const struct action_vector *v = &action_vectors[i];
        uint8_t bytes[MAX_BYTES];
        size_t n = unhex(v->hex, bytes);
        struct of_actions_limits limits = some_limits;
        struct of_actions acts, again;
        struct of_match match;
        char *error = NULL;
        enum of_err err = decode(v->version, bytes, n, &acts);

        limits.version = (uint8_t) v->version;
        strbuf_clear(&s);
        of_buf_clear(&b);
        if (err) {
            print_error("%u %s: %s\n", v->version, v->text, of_err_name(err));
            bad++;
            continue;
        }
        assert_true(of_match_parse(v->match, &match, NULL, NULL, &error));
        err = of_actions_check(acts.a, acts.len, &match, &limits);
        if (err) {
            print_error("%u %s %s: check %s\n", v->version, v->match, v->text,
                        of_err_name(err));
            bad++;
        }
        of_actions_format(acts.a, acts.len, NULL, &s);
        if (strcmp(strbuf_cstr(&s), v->text)) {
            print_error("%u %s\n  %s\n", v->version, v->text, strbuf_cstr(&s));
            bad++;
        }
        of_actions_encode(&b, acts.a, acts.len, (uint8_t) v->version, OF_ACTS_INSTRUCTIONS);
        if (b.len != n || (n && memcmp(b.data, bytes, n))) {
            print_error("%u %s\n  %s\n  ", v->version, v->text, v->hex);
            for (size_t k = 0; k < b.len; k++) {
                print_error("%02x", b.data[k]);
            }
            print_error("\n");
            bad++;
        }
        assert_int_equal(decode(v->version, bytes, n, &again), OF_OK);
        of_actions_check(again.a, again.len, &match, &limits);
        assert_true(of_actions_equal(acts.a, acts.len, again.a, again.len));
        of_actions_free(&again);
        of_actions_free(&acts);
    }
    assert_int_equal(bad, 0);
    of_buf_free(&b);
    strbuf_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
