/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_LOG_LOG_LIBC_H
#define XVS_LOG_LOG_LIBC_H 1

/* syslog(3), kept apart because <syslog.h> claims the names LOG_ERR and LOG_INFO, which
 * log/log.h uses in its own way.  Only for the log itself, with its mutex held. */

/* Opens the connection; `ident` must stay valid.  `facility` and `severity` are the codes of
 * RFC 5424 section 6.2.1. */
void log_libc_open(const char *ident, int facility);
void log_libc_send(int severity, const char *line);

#endif
