/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_CNI_RESULT_H
#define XVS_CNI_RESULT_H 1

/* Results in the CNI specification's JSON: what an ipam plugin gives, what a runtime hands back
 * as "prevResult", and what this plugin prints. */

#include <stdint.h>

#include "utilities/xvs-cni/cni.h"

struct cni_ip {
    int family;      /* AF_INET, AF_INET6 */
    uint8_t addr[16]; /* network byte order; 4 or 16 bytes of it */
    unsigned prefix;
    bool has_gateway;
    uint8_t gateway[16];
};
struct cni_route {
    struct cni_ip dst;          /* `has_gateway`: its own; otherwise the address's */
    uint32_t mtu, advmss;       /* 0: not given */
    uint32_t priority, table;   /* 0: not given */
    int scope;                  /* RT_SCOPE_..., -1: not given */
};
struct cni_result {
    struct cni_ip ips[CNI_IPS_MAX];
    size_t n_ips;
    struct cni_route routes[CNI_ROUTES_MAX];
    size_t n_routes;
    json_t *dns; /* owned; NULL: none */
};

/* Reads a result of any version from cni_versions.  `device` not NULL: only the addresses of
 * that interface inside a sandbox (for prevResult); NULL: all.  On failure CNI_EIPAM ("who" gave
 * it is part of the sentence) and nothing to free. */
bool cni_result_parse(struct cni_result *, const json_t *, const char *device, const char *who,
                      struct cni_error *);
void cni_result_free(struct cni_result *);

/* What ADD prints, as a malloc'ed string: one interface, `device` with `mac` in `sandbox`, the
 * addresses on it, the routes, and `dns` or else the result's own.  `result` may be NULL: no
 * addresses. */
char *cni_result_format(const struct cni_result *, const char *version, const char *device,
                        const char *mac, const char *sandbox, const json_t *dns);
/* The error's JSON (specification, section "Error"), malloc'ed. */
char *cni_error_format(const struct cni_error *, const char *version);
/* The answer to VERSION, malloc'ed.  `version`: the configuration's, "" for the newest. */
char *cni_version_format(const char *version);

/* "192.0.2.1/24" or "2001:db8::1/64"; without_prefix: no "/24".  Returns `buf`. */
enum { CNI_IP_STRLEN = 64 };
const char *cni_ip_format(const struct cni_ip *, bool without_prefix, char buf[CNI_IP_STRLEN]);
/* The gateway of a route: its own, else that of the first address of its family; NULL: none. */
const uint8_t *cni_route_gateway(const struct cni_result *, const struct cni_route *);

#endif
