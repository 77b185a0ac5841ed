/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of fields, NXM_NX_REG0[4..7]: reading and writing their bits, and their text.  Called
 * from the codec on main and from translation on every thread; keeps no state. */

#include "openflow/of-field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "util/compiler.h"
#include "util/xalloc.h"

bool
of_subfield_ok(const struct of_subfield *s)
{
    return s->f < OFF_N && s->n_bits && s->ofs + s->n_bits <= of_field_info(s->f)->n_bits;
}

void
of_subfield_read(const struct of_subfield *s, const struct flow *flow, struct of_value *out)
{
    struct of_value v;

    of_field_get(s->f, flow, &v);
    memset(out, 0, sizeof *out);
    of_bits_copy(v.b, of_field_info(s->f)->n_bytes, s->ofs, out->b, sizeof out->b, 0,
                 s->n_bits);
}

uint64_t
of_subfield_read_u64(const struct of_subfield *s, const struct flow *flow)
{
    struct of_value v;
    uint64_t x = 0;

    of_subfield_read(s, flow, &v);
    for (unsigned i = 8; i < 16; i++) {
        x = x << 8 | v.b[i];
    }
    return x;
}

void
of_subfield_write(const struct of_subfield *s, struct flow *flow, const struct of_value *in)
{
    unsigned n = of_field_info(s->f)->n_bytes;
    struct of_value v = {{0}}, mask = {{0}}, ones;

    memset(&ones, 0xff, sizeof ones);
    of_bits_copy(in->b, sizeof in->b, 0, v.b, n, s->ofs, s->n_bits);
    of_bits_copy(ones.b, sizeof ones.b, 0, mask.b, n, s->ofs, s->n_bits);
    if (of_field_info(s->f)->place == OFL_PORT) { /* bits of the 32-bit number */
        struct of_value old;

        of_field_get(s->f, flow, &old);
        for (unsigned i = 0; i < n; i++) {
            v.b[i] |= old.b[i] & (uint8_t) ~mask.b[i];
        }
        of_field_set(s->f, flow, &v);
    } else {
        of_field_set_masked(s->f, flow, &v, &mask);
    }
}

void
of_subfield_write_u64(const struct of_subfield *s, struct flow *flow, uint64_t x)
{
    struct of_value v = {{0}};

    for (unsigned i = 16; i-- > 8; x >>= 8) {
        v.b[i] = (uint8_t) x;
    }
    of_subfield_write(s, flow, &v);
}

void
of_subfield_mask(const struct of_subfield *s, struct flow *wc)
{
    unsigned n = of_field_info(s->f)->n_bytes;
    struct of_value mask = {{0}}, ones;

    if (of_field_info(s->f)->place == OFL_PORT || s->f == OFF_IN_PORT) {
        of_field_mask_all(s->f, wc);
        return;
    }
    memset(&ones, 0xff, sizeof ones);
    of_bits_copy(ones.b, sizeof ones.b, 0, mask.b, n, s->ofs, s->n_bits);
    of_field_mask_bits(s->f, wc, &mask);
}

void
of_subfield_format(const struct of_subfield *s, struct strbuf *out)
{
    strbuf_puts(out, of_field_wire_name(s->f));
    if (s->ofs == 0 && s->n_bits == of_field_info(s->f)->n_bits) {
        strbuf_puts(out, "[]");
    } else if (s->n_bits == 1) {
        strbuf_putf(out, "[%u]", s->ofs);
    } else {
        strbuf_putf(out, "[%u..%u]", s->ofs, s->ofs + s->n_bits - 1);
    }
}

const char *
of_subfield_parse(const char *text, struct of_subfield *s, char **errp)
{
    size_t len = strcspn(text, "[");
    enum of_field f = of_field_by_name(text, len);
    unsigned first, last, width;
    int n = 0, n2 = 0;

    if (f == OFF_N) {
        error_set(errp, "%.*s: unknown field", (int) MIN(len, 64), text);
        return NULL;
    }
    width = of_field_info(f)->n_bits;
    text += len;
    if (!strncmp(text, "[]", 2)) {
        first = 0;
        last = width - 1;
        n = 2;
    } else if (sscanf(text, "[%3u..%3u]%n", &first, &last, &n2) == 2 && n2) {
        n = n2;
    } else if (sscanf(text, "[%3u]%n", &first, &n) == 1 && n) {
        last = first;
    } else {
        error_set(errp, "%s: needs [BIT], [FIRST..LAST] or []", of_field_info(f)->name);
        return NULL;
    }
    if (first > last || last >= width) {
        error_set(errp, "%s has bits 0 to %u", of_field_info(f)->name, width - 1);
        return NULL;
    }
    *s = (struct of_subfield){(uint16_t) f, (uint8_t) first, (uint8_t) (last - first + 1)};
    return text + n;
}
