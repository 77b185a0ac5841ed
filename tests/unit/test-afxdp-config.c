/* SPDX-License-Identifier: Apache-2.0 */
/* The options of afxdp ports: values taken, sentences for what is refused, text shown. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mem/arena.h"
#include "netdev/afxdp/afxdp-config.h"

static int
parse(const char *key, const char *value, struct afxdp_config *cfg, char **errp)
{
    struct smap options = SMAP_INIT;

    if (key) {
        smap_set(&options, key, value);
    }
    *errp = NULL;
    int error = afxdp_config_parse(&options, cfg, errp);
    smap_destroy(&options);
    return error;
}

static void
test_defaults(void **state)
{
    struct afxdp_config cfg;
    char *err;

    assert_int_equal(parse(NULL, NULL, &cfg, &err), 0);
    assert_int_equal(cfg.n_rxq, 1);
    assert_int_equal(cfg.start_queue, 0);
    assert_int_equal(cfg.mode, AFXDP_MODE_BEST_EFFORT);
    assert_true(cfg.need_wakeup);
    assert_int_equal(cfg.rx_ring_sz, 2048);
    assert_int_equal(cfg.tx_ring_sz, 2048);
}

static void
test_values(void **state)
{
    struct smap o = SMAP_INIT;
    struct afxdp_config cfg, same;

    smap_set(&o, "n_rxq", "16");
    smap_set(&o, "xdp-mode", "NATIVE-with-ZeroCopy");
    smap_set(&o, "use-need-wakeup", "FALSE");
    smap_set(&o, "start-queue", "3");
    smap_set(&o, "rx-ring-size", "64");
    smap_set(&o, "tx-ring-size", "32768");
    smap_set(&o, "tx-csum-offload", "true");
    assert_int_equal(afxdp_config_parse(&o, &cfg, NULL), 0);
    assert_int_equal(cfg.n_rxq, 16);
    assert_int_equal(cfg.mode, AFXDP_MODE_NATIVE_ZC);
    assert_false(cfg.need_wakeup);
    assert_int_equal(cfg.start_queue, 3);
    assert_int_equal(cfg.rx_ring_sz, 64);
    assert_int_equal(cfg.tx_ring_sz, 32768);
    assert_true(cfg.tx_csum);
    same = cfg;
    assert_true(afxdp_config_equal(&cfg, &same));
    same.start_queue++;
    assert_false(afxdp_config_equal(&cfg, &same));
    same = cfg;
    same.tx_csum = false;
    assert_false(afxdp_config_equal(&cfg, &same));
    smap_destroy(&o);
}

static void
test_refused(void **state)
{
    static const struct {
        const char *key, *value, *sentence;
    } bad[] = {
        {"n_rxq", "42", "Too big 'n_rxq' (42 > 16)"},
        {"n_rxq", "0", "Invalid 'n_rxq' (0)"},
        {"n_rxq", "-1", "Invalid 'n_rxq' (-1)"},
        {"n_rxq", "two", "Invalid 'n_rxq' (two)"},
        {"n_rxq", "99999999999", "Invalid 'n_rxq' (99999999999)"},
        {"n_rxq", "", "Invalid 'n_rxq' ()"},
        {"xdp-mode", "skb", "Invalid 'xdp-mode' (skb)"},
        {"use-need-wakeup", "maybe", "Invalid 'use-need-wakeup' (maybe)"},
        {"start-queue", "-3", "Invalid 'start-queue' (-3)"},
        {"rx-ring-size", "1000", "Invalid 'rx-ring-size' (1000)"},
        {"rx-ring-size", "32", "Invalid 'rx-ring-size' (32)"},
        {"tx-ring-size", "65536", "Invalid 'tx-ring-size' (65536)"},
        {"use_cni", "perhaps", "Invalid 'use_cni' (perhaps)"},
        {"use_pinned_map", "1", "Invalid 'use_pinned_map' (1)"},
        {"dp_path", "/x", "Option 'dp_path' (/x) goes with 'use_cni=true'"},
        {"busy-poll", "0", "Invalid 'busy-poll' (0)"},
        {"tx-csum-offload", "on", "Invalid 'tx-csum-offload' (on): expected true or false"},
        {"n-rxq", "1", "Unknown option 'n-rxq' (valid ones are n_rxq, xdp-mode, "},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct afxdp_config cfg = {.n_rxq = 7};
        char *err;

        assert_int_equal(parse(bad[i].key, bad[i].value, &cfg, &err), EINVAL);
        assert_non_null(err);
        if (strncmp(err, bad[i].sentence, strlen(bad[i].sentence))) {
            fail_msg("got \"%s\", expected \"%s...\"", err, bad[i].sentence);
        }
        assert_int_equal(cfg.n_rxq, 7); /* nothing changed */
        free(err);
    }
}

/* What goes together and what does not when somebody else loads the program. */
static void
test_foreign_program(void **state)
{
    static const struct {
        const char *options[6], *sentence;   /* key, value, ...; NULL: accepted */
    } cases[] = {
        {{"use_cni", "true"}, NULL},
        {{"use_cni", "true", "dp_path", "/run/x.sock"}, NULL},
        {{"use_pinned_map", "true", "dp_path", "/sys/fs/bpf/m"}, NULL},
        {{"use_cni", "false", "xdp-mode", "generic"}, NULL},
        {{"use_cni", "true", "use_pinned_map", "true"},
         "Options 'use_cni' and 'use_pinned_map' exclude each other"},
        {{"use_cni", "true", "xdp-mode", "native"},
         "Options 'use_cni' and 'xdp-mode' (native) exclude each other"},
        {{"use_pinned_map", "true", "xdp-mode", "generic"},
         "Options 'use_pinned_map' and 'xdp-mode' (generic) exclude each other"},
        {{"use_cni", "true", "dp_path", "relative"}, "Invalid 'dp_path' (relative)"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct smap options = SMAP_INIT;
        struct afxdp_config cfg;
        char *err = NULL;

        for (unsigned j = 0; j < 6 && cases[i].options[j]; j += 2) {
            smap_set(&options, cases[i].options[j], cases[i].options[j + 1]);
        }
        afxdp_config_init(&cfg);
        int error = afxdp_config_parse(&options, &cfg, &err);
        if (cases[i].sentence) {
            assert_int_equal(error, EINVAL);
            assert_non_null(err);
            if (strncmp(err, cases[i].sentence, strlen(cases[i].sentence))) {
                fail_msg("got \"%s\", expected \"%s...\"", err, cases[i].sentence);
            }
        } else {
            assert_int_equal(error, 0);
            assert_null(err);
        }
        free(err);
        smap_destroy(&options);
    }
}

static void
test_shown(void **state)
{
    struct smap out = SMAP_INIT;
    struct strbuf text = STRBUF_INIT;
    const struct smap_node *node;
    struct afxdp_config cfg;

    afxdp_config_init(&cfg);
    afxdp_config_format(&cfg, AFXDP_MODE_NATIVE, &out);
    SMAP_FOR_EACH(node, &out)
    {
        strbuf_putf(&text, "%s=%s, ", node->key, node->value);
    }
    assert_string_equal(strbuf_cstr(&text), "n_rxq=1, use-need-wakeup=true, "
                                            "xdp-mode=best-effort, xdp-mode-in-use=native, ");
    strbuf_free(&text);
    smap_clear(&out);
    afxdp_config_format(&cfg, AFXDP_MODE_BEST_EFFORT, &out);
    assert_null(smap_get(&out, "xdp-mode-in-use"));
    assert_null(smap_get(&out, "tx-csum-offload"));
    cfg.tx_csum = true;
    afxdp_config_format(&cfg, AFXDP_MODE_BEST_EFFORT, &out);
    assert_string_equal(smap_get(&out, "tx-csum-offload"), "true");
    smap_destroy(&out);
}

static void
test_frame_size(void **state)
{
    assert_int_equal(afxdp_frame_sz(68), FRAME_SZ_SMALL);
    assert_int_equal(afxdp_frame_sz(1500), FRAME_SZ_SMALL);
    assert_int_equal(afxdp_frame_sz(1574), FRAME_SZ_SMALL);
    assert_int_equal(afxdp_frame_sz(1575), FRAME_SZ_LARGE);
    assert_int_equal(afxdp_frame_sz(3000), FRAME_SZ_LARGE);
    assert_int_equal(afxdp_frame_sz(AFXDP_MTU_MAX), FRAME_SZ_LARGE);
    assert_int_equal(afxdp_frame_sz(AFXDP_MTU_MAX + 1), 0);
    assert_int_equal(AFXDP_MTU_MAX, 9000);
    assert_int_equal(afxdp_frame_sz(AFXDP_MTU_ONE), FRAME_SZ_LARGE);
    assert_false(afxdp_is_jumbo(AFXDP_MTU_ONE));
    assert_true(afxdp_is_jumbo(AFXDP_MTU_ONE + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),   cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_foreign_program), cmocka_unit_test(test_shown),
        cmocka_unit_test(test_frame_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
