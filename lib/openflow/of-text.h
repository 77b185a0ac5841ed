/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_TEXT_H
#define XVS_OPENFLOW_OF_TEXT_H 1

/* Small pieces of stock notation that the printers of fields and matches share. */

#include "openflow/of-field.h"

/* "+syn-ack" where the mask is partial, "syn|ack" or "0" where it has all 12 bits. */
void of_tcp_flags_format(uint16_t flags, uint16_t mask, struct strbuf *);
/* no, yes, first, later, not_later. */
void of_frag_format(uint8_t value, uint8_t mask, struct strbuf *);
/* "0", or 0x and digits without leading zeros. */
void of_hex_format(const uint8_t *, unsigned n, struct strbuf *);
/* An IPv4 (n = 4) or IPv6 (n = 16) address, with /prefix or /mask unless `mask` (NULL: exact)
 * is all ones. */
void of_ip_format(const uint8_t *, const uint8_t *mask, unsigned n, struct strbuf *);
/* A number, a reserved port's name, or one that `by_name` (may be NULL) knows. */
bool of_port_parse(const char *, int (*by_name)(const char *, void *), void *aux, uint16_t *);

#endif
