/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an OpenFlow message: headers, then the decoder of its family.  What was decoded
 * is encoded again where there is an encoder, in every version. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "openflow/of-bundle.h"
#include "openflow/of-error.h"
#include "openflow/of-flow.h"
#include "openflow/of-group.h"
#include "openflow/of-hello.h"
#include "openflow/of-meter.h"
#include "openflow/of-monitor.h"
#include "openflow/of-msg.h"
#include "openflow/of-packet.h"
#include "openflow/of-port.h"
#include "openflow/of-queue.h"
#include "openflow/of-role.h"
#include "openflow/of-switch.h"
#include "openflow/of-table.h"
#include "openflow/of-tlv.h"
#include "util/xalloc.h"

static void decode(const struct of_msg *m);

static void
flow_mod(const struct of_msg *m)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_flow_mod fm;

    if (of_flow_mod_decode(m, m->xid & 1, &fm)) {
        return;
    }
    for (uint8_t v = OF10_VERSION; v <= OF15_VERSION; v++) {
        struct of_flow_stats s = {
            .match = &fm.match,
            .cookie = fm.new_cookie,
            .actions = fm.actions.a,
            .actions_len = fm.actions.len,
            .idle_age = -1,
        };
        struct of_flow_removed fr = {.match = &fm.match, .reason = OFPRR_EVICTION};
        struct of_mp_writer w;

        of_mp_begin(&w, &b, OFM_FLOW_STATS_REPLY, v, m->xid);
        for (int i = 0; i < 3; i++) {
            of_mp_entry_begin(&w);
            of_flow_stats_put(&b, OFM_FLOW_STATS_REPLY, &s, v);
            of_mp_entry_end(&w);
        }
        of_mp_end(&w);
        of_flow_stats_put(&b, OFM_NXST_FLOW_REPLY, &s, v);
        of_flow_removed_encode(&b, &fr, v & 1, v, 1);
        of_buf_clear(&b);
    }
    of_buf_free(&b);
    of_flow_mod_free(&fm);
}

static void
group_mod(const struct of_msg *m)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_group_mod gm;

    if (of_group_mod_decode(m, &gm)) {
        return;
    }
    for (uint8_t v = OF10_VERSION; v <= OF15_VERSION; v++) {
        struct of_group_desc d = {gm.group_id, gm.type, gm.buckets, gm.n_buckets, &gm.props};

        of_group_desc_put(&b, &d, v);
        of_group_mod_encode(&b, &gm, v, m->xid);
        of_buf_clear(&b);
    }
    of_buf_free(&b);
    of_group_mod_free(&gm);
}

static void
packet_out(const struct of_msg *m)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_packet_out po;

    if (of_packet_out_decode(m, &po)) {
        return;
    }
    for (int i = 0; i < 18; i++) {
        struct of_packet_in pin = {
            .packet = po.packet,
            .packet_len = po.packet_len,
            .total_len = po.packet_len,
            .flow = &po.metadata.flow,
            .reason = i % OFPR_N,
            .cookie = m->xid,
            .userdata = po.packet,
            .userdata_len = po.packet_len / 2,
        };

        of_packet_in_encode(&b, &pin, i / 6, (uint8_t) (i % 6 + 1), 0);
        of_buf_clear(&b);
    }
    of_buf_free(&b);
    of_packet_out_free(&po);
}

static void
monitors(const struct of_msg *m)
{
    struct of_reader r = m->body;
    struct of_monitor_request q;
    struct of_buf b = OF_BUF_INIT;

    while (r.len && !of_monitor_request_next(m, &r, &q)) {
        for (int event = OFPFME_INITIAL; event <= OFPFME_RESUMED; event++) {
            struct of_monitor_update u = {.event = event, .match = &q.match};

            of_monitor_update_put(&b, of_monitor_reply_type(m->type), &u, m->version);
        }
        of_buf_clear(&b);
    }
    of_buf_free(&b);
}

static void
meters(const struct of_msg *m)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_meter_mod mm;

    if (!of_meter_mod_decode(m, &mm)) {
        of_meter_config_put(&b, &mm.config);
        of_meter_mod_encode(&b, &mm, m->version, m->xid);
    }
    of_buf_free(&b);
}

static void
settings(const struct of_msg *m)
{
    union {
        struct of_role_msg role;
        struct of_async async;
        enum of_flow_format ff;
        enum of_packet_in_format pif;
        uint16_t id;
        bool on;
        uint32_t u32;
        struct of_switch_config config;
        struct of_port_mod port;
        struct of_table_mod table;
        struct of_tlv_mod tlv;
        struct of_queue_request queue;
        struct of_bundle_control bundle;
        struct of_error_msg error;
        struct of_flow_request flow;
        struct of_resume resume;
    } x;
    uint16_t port;

    of_error_decode(m, &x.error);
    of_role_request_decode(m, &x.role);
    of_async_init(&x.async, m->version);
    of_async_decode(m, &x.async);
    of_flow_format_decode(m, &x.ff);
    of_packet_in_format_decode(m, &x.pif);
    of_flow_mod_table_id_decode(m, &x.on);
    of_controller_id_decode(m, &x.id);
    of_set_config_decode(m, &x.config);
    of_port_mod_decode(m, &x.port);
    of_table_mod_decode(m, &x.table);
    of_tlv_mod_decode(m, &x.tlv);
    of_queue_request_decode(m, &x.queue);
    of_bundle_control_decode(m, &x.bundle);
    of_flow_request_decode(m, &x.flow);
    of_resume_decode(m, &x.resume);
    of_monitor_cancel_decode(m, &x.u32);
    of_meter_request_decode(m, &x.u32);
    of_group_request_decode(m, &x.u32);
    of_hello_decode(m, &x.u32);
    of_port_desc_request_decode(m, &port);
    of_port_stats_request_decode(m, &port);
}

static void
decode(const struct of_msg *m)
{
    struct of_bundle_add add;

    /* Decoders take a body of any length and form, whatever the type says. */
    settings(m);
    switch (m->type) {
    case OFM_FLOW_MOD:
    case OFM_NXT_FLOW_MOD:
        flow_mod(m);
        break;
    case OFM_GROUP_MOD:
        group_mod(m);
        break;
    case OFM_PACKET_OUT:
        packet_out(m);
        break;
    case OFM_METER_MOD:
        meters(m);
        break;
    case OFM_FLOW_MONITOR_REQUEST:
    case OFM_NXST_FLOW_MONITOR_REQUEST:
        monitors(m);
        break;
    case OFM_BUNDLE_ADD_MESSAGE:
        if (!of_bundle_add_decode(m, &add)) {
            decode(&add.msg);
        }
        break;
    default:
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_msg m;
    uint8_t *copy;
    enum of_err err;

    if (size > UINT16_MAX) {
        return 0;
    }
    copy = xmemdup(data, size); /* of exactly that size, for the sanitizer */
    if (size >= OF_HEADER_LEN) {
        copy[0] = (uint8_t) (copy[0] % 8);
        copy[2] = (uint8_t) (size >> 8);
        copy[3] = (uint8_t) size;
    }
    err = of_msg_parse(copy, size, &m);
    if (err) {
        of_error_encode(&b, err, m.version, copy, size);
        of_buf_free(&b);
    } else {
        decode(&m);
    }
    free(copy);
    return 0;
}
