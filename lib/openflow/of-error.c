/* SPDX-License-Identifier: Apache-2.0 */
/* The table of errors and the error message.  Called by decoders' callers to tell a peer what
 * was wrong, and for errors that a peer sends; any thread, no state. */

#include "openflow/of-error.h"

#include "openflow/of-buf.h"
#include "openflow/of-msg.h"
#include "util/compiler.h"

/* OpenFlow 1.0 and 1.1 had no experimenter errors: Nicira made room for them below one type and
 * code, with the real numbers in the body. */
enum {
    NXET_VENDOR = 0xb0c2,
    NXVC_VENDOR_ERROR = 0,
    OFPET_EXPERIMENTER = 0xffff,
};

struct row {
    uint16_t err;
    uint8_t first, last; /* versions, inclusive */
    uint32_t exp;
    uint16_t type, code;
    const char *name;
};
#define ROW(ERR, FIRST, LAST, EXP, TYPE, CODE)                                                 \
    {                                                                                          \
        ERR, FIRST, LAST, EXP, TYPE, CODE, #ERR                                                \
    }
#define NX OF_EXP_NICIRA
#define ONF OF_EXP_ONF

/* In the order of enum of_err. */
/* clang-format off */
static const struct row rows[] = {
    ROW(OFPHFC_INCOMPATIBLE, 1, 6, 0, 0, 0),
    ROW(OFPHFC_EPERM, 1, 6, 0, 0, 1),
    ROW(OFPBRC_BAD_VERSION, 1, 6, 0, 1, 0),
    ROW(OFPBRC_BAD_TYPE, 1, 6, 0, 1, 1),
    ROW(OFPBRC_BAD_STAT, 1, 6, 0, 1, 2),
    ROW(OFPBRC_BAD_VENDOR, 1, 6, 0, 1, 3),
    ROW(OFPBRC_BAD_SUBTYPE, 1, 6, 0, 1, 4),
    ROW(OFPBRC_EPERM, 1, 6, 0, 1, 5),
    ROW(OFPBRC_BAD_LEN, 1, 6, 0, 1, 6),
    ROW(OFPBRC_BUFFER_EMPTY, 1, 6, 0, 1, 7),
    ROW(OFPBRC_BUFFER_UNKNOWN, 1, 6, 0, 1, 8),
    ROW(OFPBRC_BAD_TABLE_ID, 1, 1, NX, 1, 512),
    ROW(OFPBRC_BAD_TABLE_ID, 2, 6, 0, 1, 9),
    ROW(OFPBRC_IS_SECONDARY, 1, 2, 0, 1, 5),
    ROW(OFPBRC_IS_SECONDARY, 3, 6, 0, 1, 10),
    ROW(OFPBRC_BAD_PORT, 1, 2, NX, 1, 514),
    ROW(OFPBRC_BAD_PORT, 3, 6, 0, 1, 11),
    ROW(OFPBRC_BAD_PACKET, 3, 6, 0, 1, 12),
    ROW(OFPBRC_MULTIPART_BUFFER_OVERFLOW, 4, 6, 0, 1, 13),
    ROW(OFPBRC_MULTIPART_REQUEST_TIMEOUT, 4, 4, ONF, 2640, 0),
    ROW(OFPBRC_MULTIPART_REQUEST_TIMEOUT, 5, 6, 0, 1, 14),
    ROW(OFPBRC_MULTIPART_REPLY_TIMEOUT, 4, 4, ONF, 2641, 0),
    ROW(OFPBRC_MULTIPART_REPLY_TIMEOUT, 5, 6, 0, 1, 15),
    ROW(OFPBRC_MULTIPART_BAD_SCHED, 6, 6, 0, 1, 16),
    ROW(OFPBRC_PIPELINE_FIELDS_ONLY, 6, 6, 0, 1, 17),
    ROW(OFPBRC_UNKNOWN, 6, 6, 0, 1, 18),
    ROW(NXBRC_NXM_INVALID, 1, 2, NX, 1, 256),
    ROW(NXBRC_NXM_INVALID, 3, 6, NX, 2, 0),
    ROW(NXBRC_NXM_BAD_TYPE, 1, 2, NX, 1, 257),
    ROW(NXBRC_NXM_BAD_TYPE, 3, 6, NX, 3, 0),
    ROW(NXBRC_MUST_BE_ZERO, 1, 2, NX, 1, 515),
    ROW(NXBRC_MUST_BE_ZERO, 3, 6, NX, 4, 0),
    ROW(NXBRC_BAD_REASON, 1, 2, NX, 1, 516),
    ROW(NXBRC_BAD_REASON, 3, 6, NX, 5, 0),
    ROW(NXBRC_FM_BAD_EVENT, 1, 2, NX, 1, 520),
    ROW(NXBRC_FM_BAD_EVENT, 3, 6, NX, 9, 0),
    ROW(NXBRC_UNENCODABLE_ERROR, 1, 2, NX, 1, 521),
    ROW(NXBRC_UNENCODABLE_ERROR, 3, 6, NX, 10, 0),
    ROW(OFPBAC_BAD_TYPE, 1, 6, 0, 2, 0),
    ROW(OFPBAC_BAD_LEN, 1, 6, 0, 2, 1),
    ROW(OFPBAC_BAD_VENDOR, 1, 6, 0, 2, 2),
    ROW(OFPBAC_BAD_VENDOR_TYPE, 1, 6, 0, 2, 3),
    ROW(OFPBAC_BAD_OUT_PORT, 1, 6, 0, 2, 4),
    ROW(OFPBAC_BAD_ARGUMENT, 1, 6, 0, 2, 5),
    ROW(OFPBAC_EPERM, 1, 6, 0, 2, 6),
    ROW(OFPBAC_TOO_MANY, 1, 6, 0, 2, 7),
    ROW(OFPBAC_BAD_QUEUE, 1, 6, 0, 2, 8),
    ROW(OFPBAC_BAD_OUT_GROUP, 1, 1, NX, 2, 9),
    ROW(OFPBAC_BAD_OUT_GROUP, 2, 6, 0, 2, 9),
    ROW(OFPBAC_MATCH_INCONSISTENT, 1, 1, NX, 1, 522),
    ROW(OFPBAC_MATCH_INCONSISTENT, 2, 6, 0, 2, 10),
    ROW(OFPBAC_UNSUPPORTED_ORDER, 1, 1, NX, 1, 521),
    ROW(OFPBAC_UNSUPPORTED_ORDER, 2, 6, 0, 2, 11),
    ROW(OFPBAC_BAD_TAG, 2, 6, 0, 2, 12),
    ROW(OFPBAC_BAD_SET_TYPE, 1, 2, NX, 1, 523),
    ROW(OFPBAC_BAD_SET_TYPE, 3, 6, 0, 2, 13),
    ROW(OFPBAC_BAD_SET_LEN, 1, 2, NX, 1, 524),
    ROW(OFPBAC_BAD_SET_LEN, 3, 6, 0, 2, 14),
    ROW(OFPBAC_BAD_SET_ARGUMENT, 1, 2, NX, 1, 525),
    ROW(OFPBAC_BAD_SET_ARGUMENT, 3, 6, 0, 2, 15),
    ROW(OFPBAC_BAD_SET_MASK, 4, 5, ONF, 4250, 0),
    ROW(OFPBAC_BAD_SET_MASK, 6, 6, 0, 2, 16),
    ROW(OFPBAC_BAD_METER, 6, 6, 0, 2, 17),
    ROW(NXBAC_MUST_BE_ZERO, 1, 2, NX, 2, 256),
    ROW(NXBAC_MUST_BE_ZERO, 3, 6, NX, 11, 0),
    ROW(NXBAC_BAD_CONJUNCTION, 1, 2, NX, 2, 526),
    ROW(NXBAC_BAD_CONJUNCTION, 3, 6, NX, 15, 0),
    ROW(NXBAC_BAD_HEADER_TYPE, 4, 6, NX, 39, 0),
    ROW(NXBAC_UNKNOWN_ED_PROP, 4, 6, NX, 40, 0),
    ROW(NXBAC_BAD_ED_PROP, 4, 6, NX, 41, 0),
    ROW(NXBAC_CT_DATAPATH_SUPPORT, 1, 2, NX, 1, 265),
    ROW(NXBAC_CT_DATAPATH_SUPPORT, 3, 6, NX, 42, 0),
    ROW(OFPBIC_UNKNOWN_INST, 2, 6, 0, 3, 0),
    ROW(OFPBIC_UNSUP_INST, 1, 1, NX, 2, 257),
    ROW(OFPBIC_UNSUP_INST, 2, 6, 0, 3, 1),
    ROW(OFPBIC_BAD_TABLE_ID, 2, 6, 0, 3, 2),
    ROW(OFPBIC_UNSUP_METADATA, 2, 6, 0, 3, 3),
    ROW(OFPBIC_UNSUP_METADATA_MASK, 2, 6, 0, 3, 4),
    ROW(OFPBIC_BAD_EXPERIMENTER, 2, 6, 0, 3, 5),
    ROW(OFPBIC_BAD_EXP_TYPE, 2, 2, 0, 3, 5),
    ROW(OFPBIC_BAD_EXP_TYPE, 3, 6, 0, 3, 6),
    ROW(OFPBIC_BAD_LEN, 3, 6, 0, 3, 7),
    ROW(OFPBIC_EPERM, 3, 6, 0, 3, 8),
    ROW(OFPBIC_DUP_INST, 2, 2, NX, 3, 256),
    ROW(OFPBIC_DUP_INST, 3, 4, ONF, 2600, 0),
    ROW(OFPBIC_DUP_INST, 5, 6, 0, 3, 9),
    ROW(OFPBMC_BAD_TYPE, 2, 6, 0, 4, 0),
    ROW(OFPBMC_BAD_LEN, 2, 6, 0, 4, 1),
    ROW(OFPBMC_BAD_TAG, 2, 6, 0, 4, 2),
    ROW(OFPBMC_BAD_DL_ADDR_MASK, 2, 6, 0, 4, 3),
    ROW(OFPBMC_BAD_NW_ADDR_MASK, 2, 6, 0, 4, 4),
    ROW(OFPBMC_BAD_WILDCARDS, 1, 1, NX, 1, 262),
    ROW(OFPBMC_BAD_WILDCARDS, 2, 6, 0, 4, 5),
    ROW(OFPBMC_BAD_FIELD, 1, 1, NX, 0, 263),
    ROW(OFPBMC_BAD_FIELD, 2, 6, 0, 4, 6),
    ROW(OFPBMC_BAD_VALUE, 1, 1, NX, 1, 258),
    ROW(OFPBMC_BAD_VALUE, 2, 6, 0, 4, 7),
    ROW(OFPBMC_BAD_MASK, 1, 2, NX, 1, 259),
    ROW(OFPBMC_BAD_MASK, 3, 6, 0, 4, 8),
    ROW(OFPBMC_BAD_PREREQ, 1, 2, NX, 1, 260),
    ROW(OFPBMC_BAD_PREREQ, 3, 6, 0, 4, 9),
    ROW(OFPBMC_DUP_FIELD, 1, 2, NX, 1, 261),
    ROW(OFPBMC_DUP_FIELD, 3, 6, 0, 4, 10),
    ROW(OFPBMC_EPERM, 3, 6, 0, 4, 11),
    ROW(NXBMC_CT_DATAPATH_SUPPORT, 1, 2, NX, 1, 264),
    ROW(NXBMC_CT_DATAPATH_SUPPORT, 3, 6, NX, 43, 0),
    ROW(OFPFMFC_BAD_EMERG_TIMEOUT, 1, 1, 0, 3, 3),
    ROW(OFPFMFC_UNSUPPORTED, 1, 1, 0, 3, 5),
    ROW(OFPFMFC_UNKNOWN, 2, 6, 0, 5, 0),
    ROW(OFPFMFC_TABLE_FULL, 1, 1, 0, 3, 0),
    ROW(OFPFMFC_TABLE_FULL, 2, 6, 0, 5, 1),
    ROW(OFPFMFC_BAD_TABLE_ID, 2, 6, 0, 5, 2),
    ROW(OFPFMFC_OVERLAP, 1, 1, 0, 3, 1),
    ROW(OFPFMFC_OVERLAP, 2, 6, 0, 5, 3),
    ROW(OFPFMFC_EPERM, 1, 1, 0, 3, 2),
    ROW(OFPFMFC_EPERM, 2, 6, 0, 5, 4),
    ROW(OFPFMFC_BAD_TIMEOUT, 2, 6, 0, 5, 5),
    ROW(OFPFMFC_BAD_COMMAND, 1, 1, 0, 3, 4),
    ROW(OFPFMFC_BAD_COMMAND, 2, 6, 0, 5, 6),
    ROW(OFPFMFC_BAD_FLAGS, 1, 1, NX, 3, 258),
    ROW(OFPFMFC_BAD_FLAGS, 2, 2, NX, 5, 258),
    ROW(OFPFMFC_BAD_FLAGS, 3, 6, 0, 5, 7),
    ROW(OFPFMFC_CANT_SYNC, 5, 6, 0, 5, 8),
    ROW(OFPFMFC_BAD_PRIORITY, 4, 4, ONF, 2360, 0),
    ROW(OFPFMFC_BAD_PRIORITY, 5, 6, 0, 5, 9),
    ROW(OFPFMFC_IS_SYNC, 5, 6, 0, 5, 10),
    ROW(NXFMFC_HARDWARE, 1, 2, NX, 5, 256),
    ROW(NXFMFC_HARDWARE, 3, 6, NX, 12, 0),
    ROW(NXFMFC_BAD_TABLE_ID, 1, 2, NX, 5, 257),
    ROW(NXFMFC_BAD_TABLE_ID, 3, 6, NX, 13, 0),
    ROW(NXFMFC_INVALID_TLV_FIELD, 1, 2, NX, 1, 536),
    ROW(NXFMFC_INVALID_TLV_FIELD, 3, 6, NX, 37, 0),
    ROW(OFPGMFC_GROUP_EXISTS, 1, 1, NX, 6, 0),
    ROW(OFPGMFC_GROUP_EXISTS, 2, 6, 0, 6, 0),
    ROW(OFPGMFC_INVALID_GROUP, 1, 1, NX, 6, 1),
    ROW(OFPGMFC_INVALID_GROUP, 2, 6, 0, 6, 1),
    ROW(OFPGMFC_WEIGHT_UNSUPPORTED, 1, 1, NX, 6, 2),
    ROW(OFPGMFC_WEIGHT_UNSUPPORTED, 2, 6, 0, 6, 2),
    ROW(OFPGMFC_OUT_OF_GROUPS, 1, 1, NX, 6, 3),
    ROW(OFPGMFC_OUT_OF_GROUPS, 2, 6, 0, 6, 3),
    ROW(OFPGMFC_OUT_OF_BUCKETS, 1, 1, NX, 6, 4),
    ROW(OFPGMFC_OUT_OF_BUCKETS, 2, 6, 0, 6, 4),
    ROW(OFPGMFC_CHAINING_UNSUPPORTED, 1, 1, NX, 6, 5),
    ROW(OFPGMFC_CHAINING_UNSUPPORTED, 2, 6, 0, 6, 5),
    ROW(OFPGMFC_WATCH_UNSUPPORTED, 1, 1, NX, 6, 6),
    ROW(OFPGMFC_WATCH_UNSUPPORTED, 2, 6, 0, 6, 6),
    ROW(OFPGMFC_LOOP, 1, 1, NX, 6, 7),
    ROW(OFPGMFC_LOOP, 2, 6, 0, 6, 7),
    ROW(OFPGMFC_UNKNOWN_GROUP, 1, 1, NX, 6, 8),
    ROW(OFPGMFC_UNKNOWN_GROUP, 2, 6, 0, 6, 8),
    ROW(OFPGMFC_CHAINED_GROUP, 1, 1, NX, 6, 9),
    ROW(OFPGMFC_CHAINED_GROUP, 3, 6, 0, 6, 9),
    ROW(OFPGMFC_BAD_TYPE, 1, 1, NX, 6, 10),
    ROW(OFPGMFC_BAD_TYPE, 3, 6, 0, 6, 10),
    ROW(OFPGMFC_BAD_COMMAND, 1, 1, NX, 6, 11),
    ROW(OFPGMFC_BAD_COMMAND, 3, 6, 0, 6, 11),
    ROW(OFPGMFC_BAD_BUCKET, 1, 1, NX, 6, 12),
    ROW(OFPGMFC_BAD_BUCKET, 3, 6, 0, 6, 12),
    ROW(OFPGMFC_BAD_WATCH, 1, 1, NX, 6, 13),
    ROW(OFPGMFC_BAD_WATCH, 3, 6, 0, 6, 13),
    ROW(OFPGMFC_EPERM, 1, 1, NX, 6, 14),
    ROW(OFPGMFC_EPERM, 3, 6, 0, 6, 14),
    ROW(OFPGMFC_UNKNOWN_BUCKET, 1, 1, NX, 6, 15),
    ROW(OFPGMFC_UNKNOWN_BUCKET, 6, 6, 0, 6, 15),
    ROW(OFPGMFC_BUCKET_EXISTS, 1, 1, NX, 6, 16),
    ROW(OFPGMFC_BUCKET_EXISTS, 6, 6, 0, 6, 16),
    ROW(OFPPMFC_BAD_PORT, 1, 1, 0, 4, 0),
    ROW(OFPPMFC_BAD_PORT, 2, 6, 0, 7, 0),
    ROW(OFPPMFC_BAD_HW_ADDR, 1, 1, 0, 4, 1),
    ROW(OFPPMFC_BAD_HW_ADDR, 2, 6, 0, 7, 1),
    ROW(OFPPMFC_BAD_CONFIG, 2, 6, 0, 7, 2),
    ROW(OFPPMFC_BAD_ADVERTISE, 2, 6, 0, 7, 3),
    ROW(OFPPMFC_EPERM, 3, 6, 0, 7, 4),
    ROW(OFPTMFC_BAD_TABLE, 2, 6, 0, 8, 0),
    ROW(OFPTMFC_BAD_CONFIG, 2, 6, 0, 8, 1),
    ROW(OFPTMFC_EPERM, 3, 6, 0, 8, 2),
    ROW(OFPQOFC_BAD_PORT, 1, 1, 0, 5, 0),
    ROW(OFPQOFC_BAD_PORT, 2, 6, 0, 9, 0),
    ROW(OFPQOFC_BAD_QUEUE, 1, 1, 0, 5, 1),
    ROW(OFPQOFC_BAD_QUEUE, 2, 6, 0, 9, 1),
    ROW(OFPQOFC_EPERM, 1, 1, 0, 5, 2),
    ROW(OFPQOFC_EPERM, 2, 6, 0, 9, 2),
    ROW(NXQOFC_QUEUE_ERROR, 5, 6, NX, 23, 0),
    ROW(OFPSCFC_BAD_FLAGS, 2, 6, 0, 10, 0),
    ROW(OFPSCFC_BAD_LEN, 2, 6, 0, 10, 1),
    ROW(OFPSCFC_EPERM, 3, 6, 0, 10, 2),
    ROW(OFPRRFC_STALE, 3, 6, 0, 11, 0),
    ROW(OFPRRFC_UNSUP, 3, 6, 0, 11, 1),
    ROW(OFPRRFC_BAD_ROLE, 1, 2, NX, 1, 513),
    ROW(OFPRRFC_BAD_ROLE, 3, 6, 0, 11, 2),
    ROW(OFPRRFC_ID_UNSUP, 6, 6, 0, 11, 3),
    ROW(OFPRRFC_ID_IN_USE, 6, 6, 0, 11, 4),
    ROW(OFPMMFC_UNKNOWN, 4, 6, 0, 12, 0),
    ROW(OFPMMFC_METER_EXISTS, 4, 6, 0, 12, 1),
    ROW(OFPMMFC_INVALID_METER, 4, 6, 0, 12, 2),
    ROW(OFPMMFC_UNKNOWN_METER, 4, 6, 0, 12, 3),
    ROW(OFPMMFC_BAD_COMMAND, 4, 6, 0, 12, 4),
    ROW(OFPMMFC_BAD_FLAGS, 4, 6, 0, 12, 5),
    ROW(OFPMMFC_BAD_RATE, 4, 6, 0, 12, 6),
    ROW(OFPMMFC_BAD_BURST, 4, 6, 0, 12, 7),
    ROW(OFPMMFC_BAD_BAND, 4, 6, 0, 12, 8),
    ROW(OFPMMFC_BAD_BAND_VALUE, 4, 6, 0, 12, 9),
    ROW(OFPMMFC_OUT_OF_METERS, 4, 6, 0, 12, 10),
    ROW(OFPMMFC_OUT_OF_BANDS, 4, 6, 0, 12, 11),
    ROW(OFPTFFC_BAD_TABLE, 4, 6, 0, 13, 0),
    ROW(OFPTFFC_BAD_METADATA, 4, 6, 0, 13, 1),
    ROW(OFPTFFC_EPERM, 4, 6, 0, 13, 5),
    ROW(OFPTFFC_BAD_CAPA, 6, 6, 0, 13, 6),
    ROW(OFPTFFC_BAD_MAX_ENT, 6, 6, 0, 13, 7),
    ROW(OFPTFFC_BAD_FEATURES, 6, 6, 0, 13, 8),
    ROW(OFPTFFC_BAD_COMMAND, 6, 6, 0, 13, 9),
    ROW(OFPTFFC_TOO_MANY, 6, 6, 0, 13, 10),
    ROW(OFPBPC_BAD_TYPE, 1, 2, NX, 13, 2),
    ROW(OFPBPC_BAD_TYPE, 3, 3, NX, 25, 0),
    ROW(OFPBPC_BAD_TYPE, 4, 4, 0, 13, 2),
    ROW(OFPBPC_BAD_TYPE, 5, 6, 0, 14, 0),
    ROW(OFPBPC_BAD_LEN, 1, 2, NX, 13, 3),
    ROW(OFPBPC_BAD_LEN, 3, 3, NX, 26, 0),
    ROW(OFPBPC_BAD_LEN, 4, 4, 0, 13, 3),
    ROW(OFPBPC_BAD_LEN, 5, 6, 0, 14, 1),
    ROW(OFPBPC_BAD_VALUE, 1, 2, NX, 13, 4),
    ROW(OFPBPC_BAD_VALUE, 3, 3, NX, 27, 0),
    ROW(OFPBPC_BAD_VALUE, 4, 4, 0, 13, 4),
    ROW(OFPBPC_BAD_VALUE, 5, 6, 0, 14, 2),
    ROW(OFPBPC_TOO_MANY, 1, 2, NX, 14, 3),
    ROW(OFPBPC_TOO_MANY, 3, 3, NX, 28, 0),
    ROW(OFPBPC_TOO_MANY, 4, 4, ONF, 4443, 0),
    ROW(OFPBPC_TOO_MANY, 5, 6, 0, 14, 3),
    ROW(OFPBPC_DUP_TYPE, 1, 2, NX, 14, 4),
    ROW(OFPBPC_DUP_TYPE, 3, 3, NX, 29, 0),
    ROW(OFPBPC_DUP_TYPE, 4, 4, ONF, 4444, 0),
    ROW(OFPBPC_DUP_TYPE, 5, 6, 0, 14, 4),
    ROW(OFPBPC_BAD_EXPERIMENTER, 1, 2, NX, 14, 5),
    ROW(OFPBPC_BAD_EXPERIMENTER, 3, 3, NX, 30, 0),
    ROW(OFPBPC_BAD_EXPERIMENTER, 4, 4, ONF, 4445, 0),
    ROW(OFPBPC_BAD_EXPERIMENTER, 5, 6, 0, 14, 5),
    ROW(OFPBPC_BAD_EXP_TYPE, 1, 2, NX, 14, 6),
    ROW(OFPBPC_BAD_EXP_TYPE, 3, 3, NX, 31, 0),
    ROW(OFPBPC_BAD_EXP_TYPE, 4, 4, ONF, 4446, 0),
    ROW(OFPBPC_BAD_EXP_TYPE, 5, 6, 0, 14, 6),
    ROW(OFPBPC_BAD_EXP_VALUE, 1, 2, NX, 14, 7),
    ROW(OFPBPC_BAD_EXP_VALUE, 3, 3, NX, 32, 0),
    ROW(OFPBPC_BAD_EXP_VALUE, 4, 4, ONF, 4447, 0),
    ROW(OFPBPC_BAD_EXP_VALUE, 5, 6, 0, 14, 7),
    ROW(OFPBPC_EPERM, 1, 2, NX, 14, 8),
    ROW(OFPBPC_EPERM, 3, 3, NX, 33, 0),
    ROW(OFPBPC_EPERM, 4, 4, ONF, 4448, 0),
    ROW(OFPBPC_EPERM, 5, 6, 0, 14, 8),
    ROW(OFPACFC_INVALID, 4, 4, ONF, 2370, 0),
    ROW(OFPACFC_INVALID, 5, 6, 0, 15, 0),
    ROW(OFPACFC_UNSUPPORTED, 4, 4, ONF, 2371, 0),
    ROW(OFPACFC_UNSUPPORTED, 5, 6, 0, 15, 1),
    ROW(OFPACFC_EPERM, 4, 4, ONF, 2372, 0),
    ROW(OFPACFC_EPERM, 5, 6, 0, 15, 2),
    ROW(OFPBFC_UNKNOWN, 4, 4, ONF, 2300, 0),
    ROW(OFPBFC_UNKNOWN, 5, 6, 0, 17, 0),
    ROW(OFPBFC_EPERM, 4, 4, ONF, 2301, 0),
    ROW(OFPBFC_EPERM, 5, 6, 0, 17, 1),
    ROW(OFPBFC_BAD_ID, 4, 4, ONF, 2302, 0),
    ROW(OFPBFC_BAD_ID, 5, 6, 0, 17, 2),
    ROW(OFPBFC_BUNDLE_EXIST, 4, 4, ONF, 2303, 0),
    ROW(OFPBFC_BUNDLE_EXIST, 5, 6, 0, 17, 3),
    ROW(OFPBFC_BUNDLE_CLOSED, 4, 4, ONF, 2304, 0),
    ROW(OFPBFC_BUNDLE_CLOSED, 5, 6, 0, 17, 4),
    ROW(OFPBFC_OUT_OF_BUNDLES, 4, 4, ONF, 2305, 0),
    ROW(OFPBFC_OUT_OF_BUNDLES, 5, 6, 0, 17, 5),
    ROW(OFPBFC_BAD_TYPE, 4, 4, ONF, 2306, 0),
    ROW(OFPBFC_BAD_TYPE, 5, 6, 0, 17, 6),
    ROW(OFPBFC_BAD_FLAGS, 4, 4, ONF, 2307, 0),
    ROW(OFPBFC_BAD_FLAGS, 5, 6, 0, 17, 7),
    ROW(OFPBFC_MSG_BAD_LEN, 4, 4, ONF, 2308, 0),
    ROW(OFPBFC_MSG_BAD_LEN, 5, 6, 0, 17, 8),
    ROW(OFPBFC_MSG_BAD_XID, 4, 4, ONF, 2309, 0),
    ROW(OFPBFC_MSG_BAD_XID, 5, 6, 0, 17, 9),
    ROW(OFPBFC_MSG_UNSUP, 4, 4, ONF, 2310, 0),
    ROW(OFPBFC_MSG_UNSUP, 5, 6, 0, 17, 10),
    ROW(OFPBFC_MSG_CONFLICT, 4, 4, ONF, 2311, 0),
    ROW(OFPBFC_MSG_CONFLICT, 5, 6, 0, 17, 11),
    ROW(OFPBFC_MSG_TOO_MANY, 4, 4, ONF, 2312, 0),
    ROW(OFPBFC_MSG_TOO_MANY, 5, 6, 0, 17, 12),
    ROW(OFPBFC_MSG_FAILED, 4, 4, ONF, 2313, 0),
    ROW(OFPBFC_MSG_FAILED, 5, 6, 0, 17, 13),
    ROW(OFPBFC_TIMEOUT, 4, 4, ONF, 2314, 0),
    ROW(OFPBFC_TIMEOUT, 5, 6, 0, 17, 14),
    ROW(OFPBFC_BUNDLE_IN_PROGRESS, 4, 4, ONF, 2315, 0),
    ROW(OFPBFC_BUNDLE_IN_PROGRESS, 5, 6, 0, 17, 15),
    ROW(OFPBFC_SCHED_NOT_SUPPORTED, 6, 6, 0, 17, 16),
    ROW(OFPBFC_SCHED_FUTURE, 6, 6, 0, 17, 17),
    ROW(OFPBFC_SCHED_PAST, 6, 6, 0, 17, 18),
    ROW(OFPBFC_BAD_VERSION, 5, 6, NX, 22, 0),
    ROW(OFPMOFC_UNKNOWN, 5, 6, 0, 16, 0),
    ROW(OFPMOFC_MONITOR_EXISTS, 1, 2, NX, 1, 517),
    ROW(OFPMOFC_MONITOR_EXISTS, 3, 4, NX, 6, 0),
    ROW(OFPMOFC_MONITOR_EXISTS, 5, 6, 0, 16, 1),
    ROW(OFPMOFC_INVALID_MONITOR, 5, 6, 0, 16, 2),
    ROW(OFPMOFC_UNKNOWN_MONITOR, 1, 2, NX, 1, 519),
    ROW(OFPMOFC_UNKNOWN_MONITOR, 3, 4, NX, 8, 0),
    ROW(OFPMOFC_UNKNOWN_MONITOR, 5, 6, 0, 16, 3),
    ROW(OFPMOFC_BAD_COMMAND, 5, 6, 0, 16, 4),
    ROW(OFPMOFC_BAD_FLAGS, 1, 2, NX, 1, 518),
    ROW(OFPMOFC_BAD_FLAGS, 3, 4, NX, 7, 0),
    ROW(OFPMOFC_BAD_FLAGS, 5, 6, 0, 16, 5),
    ROW(OFPMOFC_BAD_TABLE_ID, 5, 6, 0, 16, 6),
    ROW(OFPMOFC_BAD_OUT, 5, 6, 0, 16, 7),
    ROW(NXTTMFC_BAD_COMMAND, 1, 2, NX, 1, 527),
    ROW(NXTTMFC_BAD_COMMAND, 3, 6, NX, 16, 0),
    ROW(NXTTMFC_BAD_OPT_LEN, 1, 2, NX, 1, 528),
    ROW(NXTTMFC_BAD_OPT_LEN, 3, 6, NX, 17, 0),
    ROW(NXTTMFC_BAD_FIELD_IDX, 1, 2, NX, 1, 529),
    ROW(NXTTMFC_BAD_FIELD_IDX, 3, 6, NX, 18, 0),
    ROW(NXTTMFC_TABLE_FULL, 1, 2, NX, 1, 530),
    ROW(NXTTMFC_TABLE_FULL, 3, 6, NX, 19, 0),
    ROW(NXTTMFC_ALREADY_MAPPED, 1, 2, NX, 1, 531),
    ROW(NXTTMFC_ALREADY_MAPPED, 3, 6, NX, 20, 0),
    ROW(NXTTMFC_DUP_ENTRY, 1, 2, NX, 1, 532),
    ROW(NXTTMFC_DUP_ENTRY, 3, 6, NX, 21, 0),
    ROW(NXTTMFC_INVALID_TLV_DEL, 1, 2, NX, 1, 537),
    ROW(NXTTMFC_INVALID_TLV_DEL, 3, 6, NX, 38, 0),
    ROW(NXR_NOT_SUPPORTED, 1, 2, NX, 1, 533),
    ROW(NXR_NOT_SUPPORTED, 3, 6, NX, 34, 0),
    ROW(NXR_STALE, 1, 2, NX, 1, 534),
    ROW(NXR_STALE, 3, 6, NX, 35, 0),
    ROW(NXST_NOT_CONFIGURED, 1, 2, NX, 1, 535),
    ROW(NXST_NOT_CONFIGURED, 3, 6, NX, 36, 0),
    ROW(NXTFFC_DUP_TABLE, 4, 6, NX, 44, 0),
};
/* clang-format on */

const char *
of_err_name(enum of_err err)
{
    if (err == OF_OK) {
        return "OF_OK";
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].err == (unsigned) err) {
            return rows[i].name;
        }
    }
    return "unknown";
}

int
of_err_to_wire(enum of_err err, uint8_t version, uint32_t *exp, uint16_t *type, uint16_t *code)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];

        if (r->err == (unsigned) err && version >= r->first && version <= r->last) {
            *exp = r->exp;
            *type = r->type;
            *code = r->code;
            return 1;
        }
    }
    return 0;
}

enum of_err
of_err_from_wire(uint8_t version, uint32_t exp, uint16_t type, uint16_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];

        if (r->exp == exp && r->type == type && r->code == code && version >= r->first &&
            version <= r->last) {
            return r->err;
        }
    }
    return OF_OK;
}

static void
encode(struct of_buf *b, enum of_err err, uint8_t version, uint32_t xid, const void *data,
       size_t len)
{
    uint16_t type = 0, code = 0;
    uint32_t exp = 0;
    size_t start;

    if (version < OF10_VERSION || version > OF15_VERSION) {
        version = version < OF10_VERSION ? OF10_VERSION : OF15_VERSION;
    }
    if (!of_err_to_wire(err, version, &exp, &type, &code)) {
        of_err_to_wire(NXBRC_UNENCODABLE_ERROR, version, &exp, &type, &code);
    }
    start = of_msg_begin(b, OFM_ERROR, version, xid);
    if (!exp) {
        of_put_u16(b, type);
        of_put_u16(b, code);
    } else if (version >= OF12_VERSION) {
        of_put_u16(b, OFPET_EXPERIMENTER);
        of_put_u16(b, type);
        of_put_u32(b, exp);
    } else {
        of_put_u16(b, NXET_VENDOR);
        of_put_u16(b, NXVC_VENDOR_ERROR);
        of_put_u32(b, exp);
        of_put_u16(b, type);
        of_put_u16(b, code);
    }
    of_buf_put(b, data, len);
    of_msg_end(b, start);
}

void
of_error_encode(struct of_buf *b, enum of_err err, uint8_t version, const void *msg, size_t len)
{
    uint32_t xid = len >= OF_HEADER_LEN ? of_get_be32((const uint8_t *) msg + 4) : 0;

    encode(b, err, version, xid, msg, MIN(len, (size_t) OF_ERROR_DATA_MAX));
}

void
of_error_encode_text(struct of_buf *b, enum of_err err, uint8_t version, uint32_t xid,
                     const char *text)
{
    encode(b, err, version, xid, text, strnlen(text, 1024));
}

enum of_err
of_error_decode(const struct of_msg *msg, struct of_error_msg *e)
{
    struct of_reader r = msg->body;

    *e = (struct of_error_msg){.err = OF_OK};
    if (!of_read_u16(&r, &e->type) || !of_read_u16(&r, &e->code)) {
        return OFPBRC_BAD_LEN;
    }
    if (e->type == OFPET_EXPERIMENTER && msg->version >= OF12_VERSION) {
        e->type = e->code;
        e->code = 0;
        if (!of_read_u32(&r, &e->exp)) {
            return OFPBRC_BAD_LEN;
        }
    } else if (e->type == NXET_VENDOR && e->code == NXVC_VENDOR_ERROR) {
        if (!of_read_u32(&r, &e->exp) || !of_read_u16(&r, &e->type) ||
            !of_read_u16(&r, &e->code)) {
            return OFPBRC_BAD_LEN;
        }
    }
    e->err = of_err_from_wire(msg->version, e->exp, e->type, e->code);
    e->data = r.p;
    e->data_len = r.len;
    return OF_OK;
}
