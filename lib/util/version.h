/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_VERSION_H
#define XVS_UTIL_VERSION_H 1

/* Version strings.  XVS has its own version and, next to it, the version of the Open vSwitch
 * whose outside behaviour it offers: tools compare the latter.  Any thread; static strings. */

/* Our own version, e.g. "0.1.0" (XVS_VERSION of the build). */
const char *version_xvs(void);
/* The Open vSwitch version that tools are told, e.g. "3.1.0". */
const char *version_ovs(void);
/* The one line of `ovs-appctl version`: "ovs-vswitchd (Open vSwitch) 3.1.0". */
const char *version_line(void);
/* What --version prints: version_line(), then a line naming XVS and its version; each line ends
 * with a newline. */
const char *version_text(void);

#endif
