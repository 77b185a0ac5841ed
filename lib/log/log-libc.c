/* SPDX-License-Identifier: Apache-2.0 */
/* The C library's syslog, for log-syslog.c alone.  It must not include log/log.h. */

#include "log/log-libc.h"

#include <syslog.h>

void
log_libc_open(const char *ident, int facility)
{
    openlog(ident, LOG_NDELAY, facility << 3);
}

void
log_libc_send(int severity, const char *line)
{
    syslog(severity, "%s", line);
}
