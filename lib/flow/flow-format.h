/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_FLOW_FORMAT_H
#define XVS_FLOW_FLOW_FORMAT_H 1

/* Datapath flow text, as `ovs-appctl dpctl/dump-flows` shows it and netdev-dummy/receive takes
 * it:
 *   recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=…,dst=…),eth_type(0x0800),ipv4(frag=no)
 */

#include "flow/flow.h"
#include "packet/packet.h"
#include "util/strbuf.h"

/* Name of a datapath port for --names; NULL result or NULL function: the number is shown. */
struct flow_format_opts {
    bool verbose; /* -m: every field, also the wildcarded, with masks */
    const char *(*port_name)(uint32_t port, void *aux);
    void *aux;
};
void flow_format(struct strbuf *, const struct flow *, const struct flow *mask,
                 const struct flow_format_opts *);
/* Parses flow text without masks (netdev-dummy/receive); missing fields are zero, and the
 * layers that the Ethernet type and IP protocol imply are present.  0, or EINVAL with a
 * sentence that names the part not understood.  `port_no` (may be NULL) maps in_port(NAME) to a
 * number, -1 if unknown.  ct_* attributes are read over. */
int flow_parse(const char *, struct flow *, int64_t (*port_no)(const char *name, void *aux),
               void *aux, char **errp);
/* Builds a packet with the headers that the flow says, checksums right, of `len` bytes without
 * FCS (0: 64 bytes of payload behind TCP, UDP, ICMP, none elsewhere, as stock Open vSwitch
 * does; never shorter than the headers).  Its metadata and layer offsets are set.  NULL when
 * out of frames or `len` does not fit one. */
struct packet *flow_compose(const struct flow *, unsigned len);

#endif
