/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_MATCH_PRIVATE_H
#define XVS_OPENFLOW_OF_MATCH_PRIVATE_H 1

/* Parts of the match codec that its files share. */

#include "openflow/of-match.h"

/* OXM or NXM entries until the reader is empty, into an initialized match; see
 * of_match_decode_nxm() for the rest. */
enum of_err of_match_decode_entries(struct of_reader *, bool loose, struct of_match *,
                                    uint64_t *cookie, uint64_t *cookie_mask);
/* struct ofp11_match, 88 bytes with its header. */
enum of_err of_match_decode_ofp11(struct of_reader *, struct of_match *);
void of_match_encode_ofp11(struct of_buf *, const struct of_match *);

#endif
