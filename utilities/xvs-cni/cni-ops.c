/* SPDX-License-Identifier: Apache-2.0 */
/* ADD and what undoes it, DEL, CHECK, STATUS, GC.  Called by main(); the order of the steps is
 * decided here, how each is done elsewhere.
 *
 * The device keeps its own name in the pod, as with the AF_XDP device plugins: that is the name
 * in the pod's AFXDP_DEVICES variables, on the plugin's socket and in the switch's
 * configuration.  CNI_IFNAME only identifies the attachment to the ipam plugin. */

#include "utilities/xvs-cni/cni-ops.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/rtnl.h"
#include "util/xalloc.h"
#include "utilities/xvs-cni/cni-ethtool.h"
#include "utilities/xvs-cni/cni-ipam.h"
#include "utilities/xvs-cni/cni-net.h"

/* ------------------------------------------------------------------ namespaces */

static bool
open_pod(const char *path, int *fd, struct cni_error *e)
{
    int error = cni_netns_open(path, fd);
    if (error == EEXIST) {
        return cni_fail(e, CNI_EENV, "CNI_NETNS %s is the host's own network namespace", path);
    }
    if (error == EINVAL) {
        return cni_fail(e, CNI_EENV, "CNI_NETNS %s is not a network namespace", path);
    }
    if (error) {
        return cni_fail(e, CNI_ECONTAINER,
                        "the pod's network namespace %s cannot be opened (%s)", path,
                        strerror(error));
    }
    return true;
}

static bool
enter(int fd, const char *which, struct cni_error *e)
{
    int error = cni_netns_enter(fd);
    if (error) {
        return cni_fail(e, CNI_EKERNEL, "cannot enter the %s's network namespace (%s)", which,
                        strerror(error));
    }
    return true;
}

/* ------------------------------------------------------------------ ADD */

/* What ADD has done so far, for undoing it. */
struct added {
    int host_fd, pod_fd;
    struct rtnl_link link; /* as it was on the host */
    struct cni_result ips;
    bool have_ips, moved;
};

static bool
find_device(const char *device, const char *netns, int host_fd, int pod_fd,
            struct rtnl_link *link, struct cni_error *e)
{
    int error = rtnl_link_get(device, link);
    if (!error) {
        return true;
    }
    if (error != ENODEV) {
        return cni_fail(e, CNI_EKERNEL, "cannot look for the device %s (%s)", device,
                        strerror(error));
    }
    /* An ADD that is repeated without a DEL between: say so rather than "not found". */
    bool in_pod = !cni_netns_enter(pod_fd) && !rtnl_link_get(device, link);
    if (!enter(host_fd, "host", e)) {
        return false;
    }
    if (in_pod) {
        cni_fail(e, CNI_EDEVICE, "the device %s is in the pod %s already", device, netns);
        cni_error_details(e, "It was added before; DEL gives it back.");
        return false;
    }
    cni_fail(e, CNI_EDEVICE, "there is no device %s on this host", device);
    cni_error_details(e, "Either another pod has it, or the device pool names a device that "
                         "does not exist here.");
    return false;
}

static bool
get_addresses(const struct cni_call *call, struct added *a, struct cni_error *e)
{
    const struct cni_config *c = &call->config;
    if (!c->ipam_type[0]) {
        return true;
    }
    if (!cni_ipam_run(c->ipam_type, "ADD", &call->env, call->stdin_text, call->stdin_len,
                      &a->ips, e)) {
        /* The plugin may have reserved something before it failed to say so. */
        a->have_ips = e->code == CNI_EIPAM;
        return false;
    }
    a->have_ips = true;
    if (!a->ips.n_ips) {
        return cni_fail(e, CNI_EIPAM, "the ipam plugin %s gave no address", c->ipam_type);
    }
    return true;
}

static bool
run_ethtool(const struct cni_config *c, const struct added *a, struct cni_error *e)
{
    char ip[CNI_IP_STRLEN];
    const char *addr = a->ips.n_ips ? cni_ip_format(&a->ips.ips[0], true, ip) : NULL;
    return cni_ethtool_run(c->ethtool_cmds, c->n_ethtool_cmds, c->device, addr, e);
}

static bool
move_to_pod(const struct cni_call *call, struct added *a, struct cni_error *e)
{
    const char *device = call->config.device;
    int error = cni_link_move(a->link.ifindex, a->pod_fd);
    if (error == EEXIST) {
        return cni_fail(e, CNI_EDEVICE, "the pod has an interface named %s already", device);
    }
    if (error) {
        cni_fail(e, CNI_EKERNEL, "cannot move the device %s to the pod (%s)", device,
                 strerror(error));
        if (error == EINVAL) {
            cni_error_details(e, "Some kinds of device, such as bridges, stay where they were "
                                 "made; an AF_XDP device is a NIC, a veth or a subfunction.");
        }
        return false;
    }
    a->moved = true;
    cni_log(CNI_LOG_INFO, "%s is in %s", device, call->env.netns);
    return enter(a->pod_fd, "pod", e);
}

/* In the pod: up, addresses, routes. */
static bool
configure(const struct cni_call *call, struct added *a, struct rtnl_link *link,
          struct cni_error *e)
{
    const char *device = call->config.device;
    char text[CNI_IP_STRLEN];
    int error = rtnl_link_get(device, link);
    if (error) {
        return cni_fail(e, CNI_EKERNEL, "the device %s cannot be found in the pod (%s)", device,
                        strerror(error));
    }
    for (size_t i = 0; i < a->ips.n_ips; i++) {
        if (a->ips.ips[i].family == AF_INET6) {
            error = cni_ipv6_enable(device);
            if (error) {
                return cni_fail(e, CNI_EKERNEL, "the pod has no IPv6, which %s was given (%s)",
                                cni_ip_format(&a->ips.ips[i], false, text), strerror(error));
            }
            break;
        }
    }
    error = rtnl_link_set_flags(link->ifindex, IFF_UP, 0);
    if (error) {
        return cni_fail(e, CNI_EKERNEL, "cannot set the device %s up in the pod (%s)", device,
                        strerror(error));
    }
    for (size_t i = 0; i < a->ips.n_ips; i++) {
        error = cni_addr_add(link->ifindex, &a->ips.ips[i]);
        if (error) {
            return cni_fail(e, CNI_EKERNEL, "cannot give %s the address %s (%s)", device,
                            cni_ip_format(&a->ips.ips[i], false, text), strerror(error));
        }
    }
    for (size_t i = 0; i < a->ips.n_routes; i++) {
        const struct cni_route *route = &a->ips.routes[i];
        error = cni_route_add(link->ifindex, route, cni_route_gateway(&a->ips, route));
        if (error) {
            return cni_fail(e, CNI_EKERNEL, "cannot add the route to %s by %s (%s)",
                            cni_ip_format(&route->dst, false, text), device, strerror(error));
        }
    }
    return true;
}

/* Newest first; what fails here is logged, the caller's error is the one to tell. */
static void
undo_add(const struct cni_call *call, struct added *a)
{
    const struct cni_config *c = &call->config;
    struct cni_error ignored = {.code = CNI_OK};
    struct rtnl_link link;
    if (a->moved) {
        int error = cni_netns_enter(a->pod_fd);
        error = error ? error : rtnl_link_get(c->device, &link);
        error = error ? error : cni_link_move(link.ifindex, a->host_fd);
        if (error) {
            cni_log(CNI_LOG_ERROR, "%s could not be taken back from the pod (%s)", c->device,
                    strerror(error));
        }
    }
    int error = cni_netns_enter(a->host_fd);
    if (error) {
        cni_log(CNI_LOG_ERROR, "cannot return to the host's namespace (%s)", strerror(error));
    } else if (a->moved && (a->link.flags & IFF_UP) && !rtnl_link_get(c->device, &link)) {
        rtnl_link_set_flags(link.ifindex, IFF_UP, 0);
    }
    if (a->have_ips && !cni_ipam_run(c->ipam_type, "DEL", &call->env, call->stdin_text,
                                     call->stdin_len, NULL, &ignored)) {
        cni_log(CNI_LOG_ERROR, "the address could not be given back: %s", ignored.msg);
    }
    cni_error_clear(&ignored);
}

bool
cni_op_add(const struct cni_call *call, char **out, struct cni_error *e)
{
    const struct cni_config *c = &call->config;
    struct added *a = xzalloc(sizeof *a);
    struct rtnl_link link;
    bool ok = false;
    a->pod_fd = -1;
    a->host_fd = cni_netns_current();
    if (a->host_fd < 0) {
        cni_fail(e, CNI_EKERNEL, "cannot open the host's network namespace (%s)",
                 strerror(errno));
        goto out;
    }
    if (!open_pod(call->env.netns, &a->pod_fd, e) ||
        !find_device(c->device, call->env.netns, a->host_fd, a->pod_fd, &a->link, e)) {
        goto out;
    }
    ok = get_addresses(call, a, e) && run_ethtool(c, a, e) && move_to_pod(call, a, e) &&
         configure(call, a, &link, e);
    if (!ok) {
        undo_add(call, a);
        goto out;
    }
    char mac[18];
    snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(link.mac));
    *out = cni_result_format(&a->ips, c->version, c->device, mac, call->env.netns, c->dns);
out:
    if (a->pod_fd >= 0) {
        close(a->pod_fd);
    }
    if (a->host_fd >= 0) {
        close(a->host_fd);
    }
    cni_result_free(&a->ips);
    free(a);
    return ok;
}

/* ------------------------------------------------------------------ DEL */

/* From the pod back to the host, if it is there. */
static bool
take_back(const char *device, const char *netns, int host_fd, struct cni_error *e)
{
    struct rtnl_link link;
    int pod_fd;
    int error = cni_netns_open(netns, &pod_fd);
    if (error == EEXIST) {
        return true; /* the "pod" is this very namespace: the device is where it belongs */
    }
    if (error) {
        cni_log(CNI_LOG_INFO, "%s is gone (%s): nothing to take %s back from", netns,
                strerror(error), device);
        return true;
    }
    bool ok = enter(pod_fd, "pod", e);
    if (ok) {
        error = rtnl_link_get(device, &link);
        if (error && error != ENODEV) {
            ok = cni_fail(e, CNI_EKERNEL, "cannot look for the device %s in the pod (%s)",
                          device, strerror(error));
        } else if (!error) {
            error = cni_link_move(link.ifindex, host_fd);
            if (error && error != ENODEV) {
                ok =
                    cni_fail(e, CNI_EKERNEL, "cannot take the device %s back from the pod (%s)",
                             device, strerror(error));
            } else {
                cni_log(CNI_LOG_INFO, "%s is back on the host", device);
            }
        }
        ok = enter(host_fd, "host", e) && ok;
    }
    close(pod_fd);
    return ok;
}

/* The next pod must not meet the last one's program.  A program that a bpf_link holds belongs
 * to a living owner, such as xvs-agent, who uses it again. */
static void
unload_program(const char *device)
{
    struct rtnl_link link;
    if (rtnl_link_get(device, &link) || !link.xdp_prog_id ||
        link.xdp_mode == XDP_ATTACHED_MULTI) {
        return;
    }
    int error = cni_link_xdp_off(link.ifindex, link.xdp_mode);
    if (!error) {
        cni_log(CNI_LOG_INFO, "XDP program %u is off %s", link.xdp_prog_id, device);
    } else if (error == EBUSY) {
        cni_log(CNI_LOG_DEBUG, "XDP program %u stays on %s: its owner manages it",
                link.xdp_prog_id, device);
    } else {
        cni_log(CNI_LOG_WARNING, "XDP program %u cannot be taken off %s (%s)", link.xdp_prog_id,
                device, strerror(error));
    }
}

bool
cni_op_del(const struct cni_call *call, struct cni_error *e)
{
    const struct cni_config *c = &call->config;
    bool ok = true;
    if (call->env.netns[0]) {
        int host_fd = cni_netns_current();
        if (host_fd < 0) {
            ok = cni_fail(e, CNI_EKERNEL, "cannot open the host's network namespace (%s)",
                          strerror(errno));
        } else {
            ok = take_back(c->device, call->env.netns, host_fd, e);
            close(host_fd);
        }
    }
    if (ok && !c->skip_unload_bpf) {
        unload_program(c->device);
    }
    /* Also after a failure: an address that is never given back is lost for good. */
    if (c->ipam_type[0] && !cni_ipam_run(c->ipam_type, "DEL", &call->env, call->stdin_text,
                                         call->stdin_len, NULL, e)) {
        ok = false;
    }
    return ok;
}

/* ------------------------------------------------------------------ CHECK */

/* The entry of prevResult's "interfaces" for `device`; NULL: none. */
static const json_t *
prev_interface(const json_t *prev, const char *device)
{
    const json_t *interfaces = json_object_get(prev, "interfaces");
    for (size_t i = 0; i < json_array_size(interfaces); i++) {
        const json_t *intf = json_array_get(interfaces, i);
        const char *name = json_string_value(json_object_get(intf, "name"));
        if (name && !strcmp(name, device)) {
            return intf;
        }
    }
    return NULL;
}

static bool
check_link(const char *device, const json_t *prev, struct rtnl_link *link, struct cni_error *e)
{
    int error = rtnl_link_get(device, link);
    if (error) {
        return cni_fail(e, CNI_ECHECK, "the device %s is not in the pod (%s)", device,
                        strerror(error));
    }
    if (!(link->flags & IFF_UP)) {
        return cni_fail(e, CNI_ECHECK, "the device %s is down in the pod", device);
    }
    const char *mac = json_string_value(json_object_get(prev, "mac"));
    struct eth_addr was;
    if (mac && eth_addr_parse(mac, &was) && !eth_addr_equal(was, link->mac)) {
        return cni_fail(e, CNI_ECHECK,
                        "the device %s has the address " ETH_ADDR_FMT " instead of %.17s",
                        device, ETH_ADDR_ARGS(link->mac), mac);
    }
    return true;
}

static bool
check_addresses(const char *device, int ifindex, const struct cni_result *was,
                struct cni_error *e)
{
    char text[CNI_IP_STRLEN];
    for (size_t i = 0; i < was->n_ips; i++) {
        bool found;
        int error = cni_addr_check(ifindex, &was->ips[i], &found);
        if (error || !found) {
            return cni_fail(e, error ? CNI_EKERNEL : CNI_ECHECK,
                            "%s has lost its address %s%s%s", device,
                            cni_ip_format(&was->ips[i], false, text), error ? ": " : "",
                            error ? strerror(error) : "");
        }
    }
    for (size_t i = 0; i < was->n_routes; i++) {
        const struct cni_route *route = &was->routes[i];
        bool found;
        int error = cni_route_check(ifindex, route, cni_route_gateway(was, route), &found);
        if (error || !found) {
            return cni_fail(e, error ? CNI_EKERNEL : CNI_ECHECK,
                            "the route to %s by %s is gone%s%s",
                            cni_ip_format(&route->dst, false, text), device, error ? ": " : "",
                            error ? strerror(error) : "");
        }
    }
    return true;
}

bool
cni_op_check(const struct cni_call *call, struct cni_error *e)
{
    const struct cni_config *c = &call->config;
    struct rtnl_link link;
    int pod_fd;
    if (!cni_version_at_least(c->version, "0.4.0")) {
        return cni_fail(e, CNI_EVERSION, "CHECK needs cniVersion 0.4.0 or later, not %s",
                        c->version);
    }
    if (!c->prev_result) {
        return cni_fail(e, CNI_ECONFIG, "CHECK needs \"prevResult\", what ADD had printed");
    }
    const json_t *prev = prev_interface(c->prev_result, c->device);
    if (!prev) {
        return cni_fail(e, CNI_ECONFIG, "\"prevResult\" has no interface %s", c->device);
    }
    struct cni_result *was = xzalloc(sizeof *was);
    bool ok = cni_result_parse(was, c->prev_result, c->device, "\"prevResult\"", e);
    if (!ok) {
        e->code = CNI_ECONFIG;
    } else if (!c->ipam_type[0]) {
        was->n_routes = 0; /* not ours: we were told no address to route by */
    }
    ok = ok && (!c->ipam_type[0] || cni_ipam_run(c->ipam_type, "CHECK", &call->env,
                                                 call->stdin_text, call->stdin_len, NULL, e));
    ok = ok && open_pod(call->env.netns, &pod_fd, e);
    if (ok) {
        ok = enter(pod_fd, "pod", e) && check_link(c->device, prev, &link, e) &&
             check_addresses(c->device, link.ifindex, was, e);
        close(pod_fd);
    }
    cni_result_free(was);
    free(was);
    return ok;
}

/* ------------------------------------------------------------------ STATUS and GC */

/* A plugin of before 1.1.0 does not know these operations: it then has nothing to say. */
static bool
delegate(const struct cni_call *call, const char *command, struct cni_error *e)
{
    const char *type = call->config.ipam_type;
    if (!type[0] ||
        cni_ipam_run(type, command, &call->env, call->stdin_text, call->stdin_len, NULL, e)) {
        return true;
    }
    if (e->code == CNI_EENV || e->code == CNI_EVERSION) {
        cni_error_clear(e);
        return true;
    }
    return false;
}

bool
cni_op_status(const struct cni_call *call, struct cni_error *e)
{
    if (delegate(call, "STATUS", e)) {
        return true;
    }
    if (e->code == CNI_EIPAM) {
        e->code = CNI_EUNAVAILABLE;
    }
    return false;
}

bool
cni_op_gc(const struct cni_call *call, struct cni_error *e)
{
    /* Devices of pods that are gone came back by themselves, or died with the pod. */
    return delegate(call, "GC", e);
}
