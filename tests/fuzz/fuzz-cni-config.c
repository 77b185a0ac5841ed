/* SPDX-License-Identifier: Apache-2.0 */

/* Everything that xvs-cni reads from others: the configuration, the commands in it, an ipam
 * plugin's answer.  What was taken must be printable, and read the same again. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "utilities/xvs-cni/cni-config.c"
#include "utilities/xvs-cni/cni-ethtool.c"
#include "utilities/xvs-cni/cni-exec.c"
#include "utilities/xvs-cni/cni-result.c"
#include "utilities/xvs-cni/cni.c"

static void
fuzz_result(const json_t *json, const char *device)
{
    struct cni_error error = {.code = CNI_OK};
    struct cni_result *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    if (a && b && cni_result_parse(a, json, device, "it", &error)) {
        char *text = cni_result_format(a, "1.1.0", "e", "m", "/n", NULL);
        json_t *again = json_loads(text, 0, NULL);
        require(again && cni_result_parse(b, again, "e", "it", &error));
        require(a->n_ips == b->n_ips && a->n_routes == b->n_routes);
        require(!memcmp(a->ips, b->ips, sizeof a->ips));
        require(!memcmp(a->routes, b->routes, sizeof a->routes));
        json_decref(again);
        free(text);
        cni_result_free(b);
        cni_result_free(a);
    }
    cni_error_clear(&error);
    free(a);
    free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cni_error error = {.code = CNI_OK};
    struct cni_config config;
    struct cni_words words;
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';

    if (cni_config_parse(&config, text, size, "ADD", &error)) {
        require(cni_device_is_valid(config.device));
        for (size_t i = 0; i < config.n_ethtool_cmds; i++) {
            require(cni_words_split(&words, config.ethtool_cmds[i], config.device, "192.0.2.1",
                                    &error));
            require(!strcmp(words.argv[0], "ethtool") && words.argv[1][0] == '-');
            cni_words_free(&words);
        }
        if (config.prev_result) {
            fuzz_result(config.prev_result, config.device);
        }
    } else {
        char *json = cni_error_format(&error, config.version);
        json_t *again = json_loads(json, 0, NULL);
        require(again && error.msg);
        json_decref(again);
        free(json);
    }
    cni_error_clear(&error);
    cni_config_free(&config);

    if (cni_words_split(&words, text, "eth7", NULL, &error)) {
        cni_words_free(&words);
    }
    cni_error_clear(&error);

    json_t *json = json_loadb(text, size, 0, NULL);
    if (json) {
        fuzz_result(json, NULL);
        json_decref(json);
    }
    free(text);
    return 0;
}
