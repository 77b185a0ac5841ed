/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the OVSDB replica with a fixed schema: lines of JSON, each led by a character that
 * chooses the format (1: update, 2: update2, 3: update2 as a snapshot, s: a new schema).  A
 * refused update must change nothing, an accepted one must leave every present column with a
 * value. */

#include <stdlib.h>
#include <string.h>
#include "fuzz.h"
#include "ovsdb/replica.h"

static const char *const columns[] = {"s", "i", "r", "b", "u", "o", "is", "us", "m", "n", NULL};
static const struct ovsdb_table_spec tables[] = {{"T", columns}, {"X", columns}};
static const struct ovsdb_spec spec = {"D", NULL, tables, 2};
static const char schema_text[] =
    "{\"tables\":{\"T\":{\"columns\":{\"s\":{\"type\":\"string\"},\"i\":{\"type\":\"integer\"},"
    "\"r\":{\"type\":\"real\"},\"b\":{\"type\":\"boolean\"},\"u\":{\"type\":\"uuid\"},"
    "\"o\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}},"
    "\"is\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"us\":{\"type\":{\"key\":\"uuid\",\"min\":1,\"max\":\"unlimited\"}},"
    "\"m\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,"
    "\"max\":\"unlimited\"}},"
    "\"n\":{\"type\":{\"key\":\"integer\",\"value\":\"real\",\"min\":0,\"max\":9}}}}}}";

static void
read_everything(const struct replica *r)
{
    struct smap map = SMAP_INIT;
    for (size_t i = 0; i < r->n_tables; i++) {
        const struct ovsdb_row *row = r->tables[i].rows;
        for (; row; row = ovsdb_row_next(row)) {
            for (size_t c = 0; columns[c]; c++) {
                require(ovsdb_get(row, columns[c]));
                ovsdb_get_string(row, columns[c], "");
                ovsdb_get_int(row, columns[c], 0);
                ovsdb_get_bool(row, columns[c], false);
                ovsdb_get_int_at(row, columns[c], ovsdb_get_count(row, columns[c]));
                ovsdb_get_smap(row, columns[c], &map);
            }
        }
    }
    smap_destroy(&map);
}

static void
one_line(struct replica *r, const char *line, size_t n)
{
    json_t *json = n > 1 ? json_loadb(line + 1, n - 1, 0, NULL) : NULL;
    char *error = NULL;
    uint64_t seqno = r->seqno;
    bool ok = true, changed;
    if (!json) {
        return;
    }
    switch (line[0]) {
    case '1':
        ok = replica_apply(r, REPLICA_UPDATE, json, false, &error);
        break;
    case '2':
    case '3':
        ok = replica_apply(r, REPLICA_UPDATE2, json, line[0] == '3', &error);
        break;
    case 's':
        ok = replica_set_schema(r, json, &changed, &error);
        if (ok && changed) {
            /* As the session does: only a snapshot may follow. */
            json_t *none = json_object();
            replica_apply(r, REPLICA_UPDATE2, none, true, NULL);
            json_decref(none);
        }
        break;
    default:
        break;
    }
    require(ok || (r->seqno == seqno && error));
    free(error);
    json_decref(json);
    read_everything(r);
    replica_reap(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct replica *r = replica_create(&spec);
    json_t *schema = json_loads(schema_text, 0, NULL);
    bool changed;
    require(replica_set_schema(r, schema, &changed, NULL));
    json_decref(schema);
    const char *p = (const char *) data, *end = p + size;
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t) (end - p));
        eol = eol ? eol : end;
        one_line(r, p, (size_t) (eol - p));
        p = eol + (eol < end);
    }
    replica_destroy(r);
    return 0;
}
