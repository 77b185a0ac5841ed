# xvs-perf: load generator, receiver and reference forwarder; `make bench` drives it.
bin_PROGRAMS += utilities/xvs-perf/xvs-perf
utilities_xvs_perf_xvs_perf_SOURCES = \
	utilities/xvs-perf/count.c \
	utilities/xvs-perf/cpu-split.c \
	utilities/xvs-perf/endpoint.c \
	utilities/xvs-perf/flows.c \
	utilities/xvs-perf/forward.c \
	utilities/xvs-perf/gen.c \
	utilities/xvs-perf/hist.c \
	utilities/xvs-perf/load.c \
	utilities/xvs-perf/main.c \
	utilities/xvs-perf/options.c \
	utilities/xvs-perf/pauses.c \
	utilities/xvs-perf/perf.h \
	utilities/xvs-perf/pingpong.c \
	utilities/xvs-perf/watch.c
nodist_utilities_xvs_perf_xvs_perf_SOURCES = $(PERF_SKELETONS)
utilities_xvs_perf_xvs_perf_LDADD = $(XVS_LIBS)
dist_man_MANS += Documentation/xvs-perf.1
EXTRA_DIST += Documentation/performance.md
