/* SPDX-License-Identifier: Apache-2.0 */
/* Between the CNI specification's JSON and plain structs.  Called by the operations and by the
 * fuzz target; touches memory alone.  A plugin's answer is not trusted: sizes are bounded and
 * everything that is not as the specification has it is refused with a sentence. */

#include "utilities/xvs-cni/cni-result.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"
#include "util/xalloc.h"

/* ------------------------------------------------------------------ reading */

static bool
parse_addr(const char *text, int *family, uint8_t addr[16])
{
    *family = strchr(text, ':') ? AF_INET6 : AF_INET;
    return inet_pton(*family, text, addr) == 1;
}

/* "ADDRESS/BITS". */
static bool
parse_cidr(const char *text, struct cni_ip *ip)
{
    char addr[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    uint64_t prefix;
    if (!slash || (size_t) (slash - text) >= sizeof addr) {
        return false;
    }
    memcpy(addr, text, (size_t) (slash - text));
    addr[slash - text] = '\0';
    if (!parse_addr(addr, &ip->family, ip->addr) || strchr(slash + 1, 'x') ||
        strchr(slash + 1, 'X') ||
        !num_parse_u64(slash + 1, 0, ip->family == AF_INET ? 32 : 128, &prefix)) {
        return false;
    }
    ip->prefix = (unsigned) prefix;
    return true;
}

/* An optional gateway: absent, null and "" are none. */
static bool
parse_gateway(const json_t *object, const char *key, struct cni_ip *ip)
{
    const json_t *gw = json_object_get(object, key);
    int family;
    if (!gw || json_is_null(gw)) {
        return true;
    }
    if (!json_is_string(gw)) {
        return false;
    }
    if (!json_string_length(gw)) {
        return true;
    }
    ip->has_gateway = true;
    return parse_addr(json_string_value(gw), &family, ip->gateway) && family == ip->family;
}

/* Whether entry `ip` of "ips" is on interface `device`, by its index into "interfaces". */
static bool
ip_is_on(const json_t *result, const json_t *ip, const char *device)
{
    const json_t *index = json_object_get(ip, "interface");
    json_int_t i = json_is_integer(index) ? json_integer_value(index) : -1;
    const json_t *interfaces = json_object_get(result, "interfaces");
    if (i < 0 || (size_t) i >= json_array_size(interfaces)) {
        return false;
    }
    const json_t *intf = json_array_get(interfaces, (size_t) i);
    const char *name = json_string_value(json_object_get(intf, "name"));
    const char *sandbox = json_string_value(json_object_get(intf, "sandbox"));
    return name && !strcmp(name, device) && sandbox && sandbox[0];
}

static bool
parse_ips(struct cni_result *r, const json_t *result, const char *device, const char *who,
          struct cni_error *e)
{
    const json_t *ips = json_object_get(result, "ips");
    if (ips && !json_is_null(ips) && !json_is_array(ips)) {
        return cni_fail(e, CNI_EIPAM, "%s: \"ips\" is not an array", who);
    }
    for (size_t i = 0; i < json_array_size(ips); i++) {
        const json_t *entry = json_array_get(ips, i);
        if (device && !ip_is_on(result, entry, device)) {
            continue;
        }
        if (r->n_ips == CNI_IPS_MAX) {
            return cni_fail(e, CNI_EIPAM, "%s: more than %d addresses", who, CNI_IPS_MAX);
        }
        struct cni_ip *ip = &r->ips[r->n_ips];
        const char *address = json_string_value(json_object_get(entry, "address"));
        if (!address || !parse_cidr(address, ip) || !parse_gateway(entry, "gateway", ip)) {
            return cni_fail(e, CNI_EIPAM, "%s: entry %zu of \"ips\" is not an address", who, i);
        }
        r->n_ips++;
    }
    return true;
}

static bool
parse_u32(const json_t *object, const char *key, uint32_t *out)
{
    const json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value)) {
        return true;
    }
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || n > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t) n;
    return true;
}

static bool
parse_route(const json_t *entry, struct cni_route *route)
{
    const char *dst = json_string_value(json_object_get(entry, "dst"));
    uint32_t scope = UINT32_MAX;
    if (!dst || !parse_cidr(dst, &route->dst) || !parse_gateway(entry, "gw", &route->dst) ||
        !parse_u32(entry, "mtu", &route->mtu) || !parse_u32(entry, "advmss", &route->advmss) ||
        !parse_u32(entry, "priority", &route->priority) ||
        !parse_u32(entry, "table", &route->table) || !parse_u32(entry, "scope", &scope)) {
        return false;
    }
    route->scope = scope == UINT32_MAX ? -1 : (int) scope;
    return scope == UINT32_MAX || scope <= RT_SCOPE_NOWHERE;
}

bool
cni_result_parse(struct cni_result *r, const json_t *result, const char *device,
                 const char *who, struct cni_error *e)
{
    memset(r, 0, sizeof *r);
    if (!json_is_object(result)) {
        return cni_fail(e, CNI_EIPAM, "%s: not a result of the CNI specification", who);
    }
    if (!parse_ips(r, result, device, who, e)) {
        return false;
    }
    const json_t *routes = json_object_get(result, "routes");
    if (routes && !json_is_null(routes) && !json_is_array(routes)) {
        return cni_fail(e, CNI_EIPAM, "%s: \"routes\" is not an array", who);
    }
    if (json_array_size(routes) > CNI_ROUTES_MAX) {
        return cni_fail(e, CNI_EIPAM, "%s: more than %d routes", who, CNI_ROUTES_MAX);
    }
    for (size_t i = 0; i < json_array_size(routes); i++) {
        if (!parse_route(json_array_get(routes, i), &r->routes[r->n_routes++])) {
            return cni_fail(e, CNI_EIPAM, "%s: entry %zu of \"routes\" is not a route", who, i);
        }
    }
    json_t *dns = json_object_get(result, "dns");
    if (json_is_object(dns) && json_object_size(dns)) {
        r->dns = json_incref(dns);
    }
    return true;
}

void
cni_result_free(struct cni_result *r)
{
    json_decref(r->dns);
    memset(r, 0, sizeof *r);
}

/* ------------------------------------------------------------------ writing */

const char *
cni_ip_format(const struct cni_ip *ip, bool without_prefix, char buf[CNI_IP_STRLEN])
{
    char addr[INET6_ADDRSTRLEN] = "";
    inet_ntop(ip->family, ip->addr, addr, sizeof addr);
    if (without_prefix) {
        snprintf(buf, CNI_IP_STRLEN, "%s", addr);
    } else {
        snprintf(buf, CNI_IP_STRLEN, "%s/%u", addr, ip->prefix);
    }
    return buf;
}

const uint8_t *
cni_route_gateway(const struct cni_result *r, const struct cni_route *route)
{
    if (route->dst.has_gateway) {
        return route->dst.gateway;
    }
    for (size_t i = 0; i < r->n_ips; i++) {
        if (r->ips[i].family == route->dst.family && r->ips[i].has_gateway) {
            return r->ips[i].gateway;
        }
    }
    return NULL;
}

static void
set_addr(json_t *object, const char *key, int family, const uint8_t *addr)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, addr, text, sizeof text)) {
        json_object_set_new(object, key, json_string(text));
    }
}

static void
set_u32(json_t *object, const char *key, uint32_t value)
{
    if (value) {
        json_object_set_new(object, key, json_integer(value));
    }
}

static json_t *
format_ips(const struct cni_result *r, const char *version)
{
    json_t *ips = json_array();
    char text[CNI_IP_STRLEN];
    for (size_t i = 0; i < r->n_ips; i++) {
        const struct cni_ip *ip = &r->ips[i];
        json_t *entry = json_object();
        if (!cni_version_at_least(version, "1.0.0")) {
            json_object_set_new(entry, "version",
                                json_string(ip->family == AF_INET ? "4" : "6"));
        }
        json_object_set_new(entry, "address", json_string(cni_ip_format(ip, false, text)));
        if (ip->has_gateway) {
            set_addr(entry, "gateway", ip->family, ip->gateway);
        }
        json_object_set_new(entry, "interface", json_integer(0));
        json_array_append_new(ips, entry);
    }
    return ips;
}

static json_t *
format_routes(const struct cni_result *r, const char *version)
{
    json_t *routes = json_array();
    char text[CNI_IP_STRLEN];
    for (size_t i = 0; i < r->n_routes; i++) {
        const struct cni_route *route = &r->routes[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "dst", json_string(cni_ip_format(&route->dst, false, text)));
        if (route->dst.has_gateway) {
            set_addr(entry, "gw", route->dst.family, route->dst.gateway);
        }
        if (cni_version_at_least(version, "1.1.0")) {
            set_u32(entry, "mtu", route->mtu);
            set_u32(entry, "advmss", route->advmss);
            set_u32(entry, "priority", route->priority);
            set_u32(entry, "table", route->table);
            if (route->scope >= 0) {
                json_object_set_new(entry, "scope", json_integer(route->scope));
            }
        }
        json_array_append_new(routes, entry);
    }
    return routes;
}

/* The object's text, and the end of the object. */
static char *
dump(json_t *object)
{
    char *text = json_dumps(object, JSON_INDENT(4) | JSON_PRESERVE_ORDER);
    json_decref(object);
    return text ? text : xstrdup("{}");
}

char *
cni_result_format(const struct cni_result *r, const char *version, const char *device,
                  const char *mac, const char *sandbox, const json_t *dns)
{
    json_t *out = json_object();
    json_t *intf = json_object();
    json_t *interfaces = json_array();
    json_object_set_new(out, "cniVersion", json_string(version));
    json_object_set_new(intf, "name", json_string(device));
    json_object_set_new(intf, "mac", json_string(mac));
    json_object_set_new(intf, "sandbox", json_string(sandbox));
    json_array_append_new(interfaces, intf);
    json_object_set_new(out, "interfaces", interfaces);
    if (r && r->n_ips) {
        json_object_set_new(out, "ips", format_ips(r, version));
    }
    if (r && r->n_routes) {
        json_object_set_new(out, "routes", format_routes(r, version));
    }
    const json_t *names = dns ? dns : r ? r->dns : NULL;
    json_object_set_new(out, "dns", names ? json_deep_copy(names) : json_object());
    return dump(out);
}

char *
cni_error_format(const struct cni_error *e, const char *version)
{
    json_t *out = json_object();
    json_object_set_new(out, "cniVersion", json_string(version[0] ? version : "1.0.0"));
    json_object_set_new(out, "code", json_integer(e->code));
    /* Names come from outside and may be no UTF-8, which JSON cannot carry. */
    json_t *msg = json_string(e->msg ? e->msg : "");
    json_object_set_new(out, "msg", msg ? msg : json_string("(a message that is not UTF-8)"));
    if (e->details) {
        json_t *details = json_string(e->details);
        json_object_set_new(out, "details",
                            details ? details : json_string("(details that are not UTF-8)"));
    }
    return dump(out);
}

char *
cni_version_format(const char *version)
{
    json_t *out = json_object();
    json_t *list = json_array();
    json_object_set_new(out, "cniVersion",
                        json_string(version[0] ? version : cni_versions[cni_n_versions - 1]));
    for (size_t i = 0; i < cni_n_versions; i++) {
        json_array_append_new(list, json_string(cni_versions[i]));
    }
    json_object_set_new(out, "supportedVersions", list);
    return dump(out);
}
