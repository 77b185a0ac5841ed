/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_SECCOMP_H
#define XVS_OS_SECCOMP_H 1

/* Confines the process, all its threads, now and for good, to the system calls that a running
 * switch needs: ports come and go, the log is rotated, the database reconnects.  What is not
 * needed fails with EPERM and is told to the kernel's audit log: starting programs, other
 * processes, mounts, namespaces, modules, users, tracing.  Implies no new privileges.
 *
 * 0; or a positive errno with a sentence in *errp, and nothing has changed.  Main thread. */
int seccomp_confine(char **errp);

#endif
