# XDP programs: compiled by clang, embedded as libbpf skeletons (nothing to look for at run time).
# The switch's, and those that measure it.
BPF_SKELETONS = bpf/xsk_redirect.skel.h
PERF_SKELETONS = bpf/perf_count.skel.h bpf/perf_gen.skel.h bpf/perf_syscalls.skel.h
BPF_C_FILES = bpf/xsk_redirect.bpf.c bpf/perf_count.bpf.c bpf/perf_gen.bpf.c \
	bpf/perf_syscalls.bpf.c bpf/perf_frame.h
ALL_SKELETONS = $(BPF_SKELETONS) $(PERF_SKELETONS)
BUILT_SOURCES += $(ALL_SKELETONS) $(ALL_SKELETONS:.skel.h=.bpf.o)
CLEANFILES += $(ALL_SKELETONS) $(ALL_SKELETONS:.skel.h=.bpf.o)
# Kept: a test attaches one as a foreign program.
.SECONDARY: $(ALL_SKELETONS:.skel.h=.bpf.o)
EXTRA_DIST += $(BPF_C_FILES)

bpf/%.bpf.o: bpf/%.bpf.c
	$(AM_V_GEN)$(MKDIR_P) bpf && $(CLANG) -O2 -g -Wall -target bpf $(BPF_CPPFLAGS) -c -o $@ $<
bpf/%.skel.h: bpf/%.bpf.o
	$(AM_V_GEN)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@
bpf/perf_count.bpf.o bpf/perf_gen.bpf.o: bpf/perf_frame.h
