/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_BUNDLE_H
#define XVS_OPENFLOW_OF_BUNDLE_H 1

/* Bundles: 1.4 and later (OpenFlow 1.5.1, section "Bundle Messages"), and ONF's extension
 * of 1.3 (EXT-230).  No state, any thread: what is in a bundle and what may come next is its
 * connection's business. */

#include "openflow/of-msg.h"

enum of_bundle_type { /* replies are one more than requests */
                      OFPBCT_OPEN_REQUEST,
                      OFPBCT_OPEN_REPLY,
                      OFPBCT_CLOSE_REQUEST,
                      OFPBCT_CLOSE_REPLY,
                      OFPBCT_COMMIT_REQUEST,
                      OFPBCT_COMMIT_REPLY,
                      OFPBCT_DISCARD_REQUEST,
                      OFPBCT_DISCARD_REPLY,
};
enum { OFPBF_ATOMIC = 1 << 0, OFPBF_ORDERED = 1 << 1 };

struct of_bundle_control {
    uint32_t bundle_id;
    enum of_bundle_type type;
    uint16_t flags; /* OFPBF_ */
};
/* OFPBRC_BAD_LEN, OFPBFC_BAD_TYPE (a reply too), OFPBFC_BAD_FLAGS. */
enum of_err of_bundle_control_decode(const struct of_msg *, struct of_bundle_control *);
void of_bundle_control_encode(struct of_buf *, const struct of_bundle_control *,
                              uint8_t version, uint32_t xid);

struct of_bundle_add {
    uint32_t bundle_id;
    uint16_t flags;
    struct of_msg msg; /* borrowed from the outer message */
};
/* OFPBRC_BAD_LEN, OFPBFC_BAD_FLAGS, MSG_BAD_LEN, MSG_BAD_XID, BAD_VERSION, MSG_UNSUP (a message
 * that no bundle takes), and what of_msg_parse() says of the inner message. */
enum of_err of_bundle_add_decode(const struct of_msg *, struct of_bundle_add *);
/* The other message that carries one: a request that another controller made (a group or meter
 * modification), told to those that asked for it (OF_ASYNC_REQUESTFORWARD).  `request` is a
 * whole message in the same `version`.  False, and nothing is put, if it is too long. */
bool of_requestforward_encode(struct of_buf *, const void *request, size_t len, uint8_t version,
                              uint32_t xid);
enum of_requestforward_reason { OFPRFR_GROUP_MOD, OFPRFR_METER_MOD };
/* May the message be in a bundle? */
bool of_bundle_takes(enum of_msg_type);

#endif
