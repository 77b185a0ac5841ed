/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_DIRS_H
#define XVS_OS_DIRS_H 1

/* The folders of the Open vSwitch installation this daemon lives in.  Each comes from its
 * environment variable when that is set and not empty, else from the default.  The strings are
 * valid for the life of the process.  Main thread. */

const char *dirs_rundir(void);     /* OVS_RUNDIR, /var/run/openvswitch */
const char *dirs_logdir(void);     /* OVS_LOGDIR, /var/log/openvswitch */
const char *dirs_sysconfdir(void); /* OVS_SYSCONFDIR, /etc */
/* OVS_DBDIR, else "openvswitch" below OVS_SYSCONFDIR, else /etc/openvswitch. */
const char *dirs_dbdir(void);

/* `file` itself when it is absolute, else below `dir`.  The caller frees it. */
char *dirs_path(const char *dir, const char *file);
/* `file` made absolute by the present working directory.  The caller frees it. */
char *dirs_absolute(const char *file);

#endif
