sbin_PROGRAMS += vswitchd/xvs-vswitchd
vswitchd_xvs_vswitchd_SOURCES = \
	vswitchd/bridge/apply.c \
	vswitchd/bridge/apply.h \
	vswitchd/bridge/bridge.c \
	vswitchd/bridge/bridge.h \
	vswitchd/bridge/cfg-openflow.c \
	vswitchd/bridge/cfg-openflow.h \
	vswitchd/bridge/cfg.c \
	vswitchd/bridge/cfg.h \
	vswitchd/bridge/iface.c \
	vswitchd/bridge/iface.h \
	vswitchd/bridge/plan.c \
	vswitchd/bridge/plan.h \
	vswitchd/bridge/snapshot-openflow.c \
	vswitchd/bridge/snapshot.c \
	vswitchd/bridge/snapshot.h \
	vswitchd/bridge/state.h \
	vswitchd/bridge/status-openflow.c \
	vswitchd/bridge/status.c \
	vswitchd/bridge/status.h \
	vswitchd/bridge/system-stats.c \
	vswitchd/main.c \
	vswitchd/options.c \
	vswitchd/options.h
vswitchd_xvs_vswitchd_LDADD = $(XVS_LIBS)

EXTRA_DIST += vswitchd/xvs-vswitchd.service.in
CLEANFILES += vswitchd/xvs-vswitchd.service
systemdsystemunit_DATA += vswitchd/xvs-vswitchd.service
vswitchd/xvs-vswitchd.service: vswitchd/xvs-vswitchd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) vswitchd && \
	  sed 's|@sbindir[@]|$(sbindir)|' $(srcdir)/vswitchd/xvs-vswitchd.service.in > $@
