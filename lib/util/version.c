/* SPDX-License-Identifier: Apache-2.0 */
/* The version strings of the build.  Read by the command line, the control commands and the
 * OpenFlow description. */

#include "util/version.h"

#ifndef XVS_VERSION
#error "the build must define XVS_VERSION"
#endif

#define OVS_COMPAT_VERSION "3.1.0"
#define VERSION_LINE "ovs-vswitchd (Open vSwitch) " OVS_COMPAT_VERSION

const char *
version_xvs(void)
{
    return XVS_VERSION;
}

const char *
version_ovs(void)
{
    return OVS_COMPAT_VERSION;
}

const char *
version_line(void)
{
    return VERSION_LINE;
}

const char *
version_text(void)
{
    return VERSION_LINE "\nXVS " XVS_VERSION "\n";
}
