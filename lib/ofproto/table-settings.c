/* SPDX-License-Identifier: Apache-2.0 */
/* Flow_Table records: name, limit, overflow policy, and which fields tables group flows and
 * find prefixes by.  Called by vswitchd/bridge on the main thread.  What controllers set of
 * tables stays. */

#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/oftables.h"

LOG_MODULE(ofproto_tables);

/* Calls `cb` for each word of a text; false stops. */
static void
for_each_word(const char *text, bool (*cb)(const char *word, size_t len, void *), void *aux)
{
    while (text && *text) {
        size_t len = strcspn(text, " ");

        if (len && !cb(text, len, aux)) {
            return;
        }
        text += len + strspn(text + len, " ");
    }
}

struct parse {
    const struct ofproto *o;
    const struct ofproto_table_settings *s;
    struct oftable_config *config;
};

static bool
add_prefix(const char *word, size_t len, void *p_)
{
    static const struct {
        enum of_field field;
        enum cls_trie_field trie;
    } known[] = {
        {OFF_IPV4_DST, CLS_TRIE_IPV4_DST}, {OFF_IPV4_SRC, CLS_TRIE_IPV4_SRC},
        {OFF_IPV6_DST, CLS_TRIE_IPV6_DST}, {OFF_IPV6_SRC, CLS_TRIE_IPV6_SRC},
        {OFF_METADATA, CLS_TRIE_METADATA}, {OFF_TUN_ID, CLS_TRIE_TUN_ID},
    };
    struct parse *p = p_;
    enum of_field f = of_field_by_name(word, len);

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].field == f) {
            p->config->tries |= 1u << known[i].trie;
            return true;
        }
    }
    LOG_WARN("bridge %s: table %u: prefix field %.*s is not one that prefixes are kept of; "
             "ignored",
             p->o->name, p->s->id, (int) len, word);
    return true;
}

static bool
add_group(const char *word, size_t len, void *p_)
{
    struct parse *p = p_;
    struct oftable_config *config = p->config;
    char text[128], *error = NULL;
    struct of_subfield sf;
    const char *end;

    if (config->n_groups >= sizeof config->groups / sizeof *config->groups ||
        len >= sizeof text) {
        LOG_WARN("bridge %s: table %u: too much to group flows by", p->o->name, p->s->id);
        return false;
    }
    memcpy(text, word, len);
    text[len] = '\0';
    end = of_subfield_parse(text, &sf, &error);
    if (!end || *end) {
        LOG_WARN("bridge %s: table %u: cannot group flows by %s: %s", p->o->name, p->s->id,
                 text, error ? error : "garbage behind it");
        config->n_groups = 0;
        config->evict = false;
    } else {
        config->groups[config->n_groups++] = sf;
    }
    free(error);
    return true;
}

void
ofproto_set_tables(struct ofproto *o, const struct ofproto_table_settings *list, size_t n)
{
    for (unsigned id = 0; id < OFTABLE_HIDDEN; id++) {
        struct oftable_config config, defaults;
        const struct ofproto_table_settings *s = NULL;
        struct parse p = {.o = o, .config = &config};

        for (size_t i = 0; i < n; i++) {
            s = list[i].id == id ? &list[i] : s;
        }
        oftable_config_init(&defaults);
        config = *oftables_get_config(o->tables, (uint8_t) id);
        memset(config.name, 0, sizeof config.name);
        config.flow_limit = defaults.flow_limit;
        config.evict = false;
        config.n_groups = 0;
        memset(config.groups, 0, sizeof config.groups);
        config.tries = defaults.tries;
        if (s) {
            p.s = s;
            strncpy(config.name, s->name ? s->name : "", sizeof config.name - 1);
            config.flow_limit = s->flow_limit;
            config.evict = s->evict;
            if (s->prefixes) {
                config.tries = 0;
                if (strcmp(s->prefixes, "none")) {
                    for_each_word(s->prefixes, add_prefix, &p);
                }
            }
            if (s->evict) {
                for_each_word(s->groups, add_group, &p);
            }
        }
        if (memcmp(&config, oftables_get_config(o->tables, (uint8_t) id), sizeof config)) {
            oftables_set_config(o->tables, (uint8_t) id, &config);
        }
    }
}
