# xvs-agent: everything but main as a library, which the tests use too.
noinst_LIBRARIES += utilities/xvs-agent/libagent.a
utilities_xvs_agent_libagent_a_SOURCES = \
	utilities/xvs-agent/agent-main.c \
	utilities/xvs-agent/agent.c \
	utilities/xvs-agent/agent.h \
	utilities/xvs-agent/busy-poll.c \
	utilities/xvs-agent/busy-poll.h \
	utilities/xvs-agent/channels.c \
	utilities/xvs-agent/channels.h \
	utilities/xvs-agent/config-json.c \
	utilities/xvs-agent/config.c \
	utilities/xvs-agent/config.h \
	utilities/xvs-agent/device-setup.c \
	utilities/xvs-agent/device-setup.h \
	utilities/xvs-agent/device.c \
	utilities/xvs-agent/device.h \
	utilities/xvs-agent/folder.c \
	utilities/xvs-agent/folder.h \
	utilities/xvs-agent/listener-open.c \
	utilities/xvs-agent/listener-open.h \
	utilities/xvs-agent/listener.c \
	utilities/xvs-agent/listener.h \
	utilities/xvs-agent/netns.c \
	utilities/xvs-agent/netns.h \
	utilities/xvs-agent/options.c \
	utilities/xvs-agent/options.h \
	utilities/xvs-agent/pin.c \
	utilities/xvs-agent/pin.h \
	utilities/xvs-agent/request.c \
	utilities/xvs-agent/request.h \
	utilities/xvs-agent/session.c \
	utilities/xvs-agent/session.h \
	utilities/xvs-agent/status-show.c \
	utilities/xvs-agent/status.c \
	utilities/xvs-agent/status.h
sbin_PROGRAMS += utilities/xvs-agent/xvs-agent
utilities_xvs_agent_xvs_agent_SOURCES = utilities/xvs-agent/main.c
utilities_xvs_agent_xvs_agent_LDADD = utilities/xvs-agent/libagent.a $(XVS_LIBS)
dist_man_MANS += Documentation/xvs-agent.8
EXTRA_DIST += utilities/xvs-agent/xvs-agent.service.in
CLEANFILES += utilities/xvs-agent/xvs-agent.service
systemdsystemunit_DATA += utilities/xvs-agent/xvs-agent.service
utilities/xvs-agent/xvs-agent.service: utilities/xvs-agent/xvs-agent.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) utilities/xvs-agent && \
	  sed 's|@sbindir[@]|$(sbindir)|' $(srcdir)/utilities/xvs-agent/xvs-agent.service.in > $@
