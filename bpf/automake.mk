# XDP programs: compiled by clang, embedded as libbpf skeletons (nothing to look for at run time).
BPF_C_FILES = bpf/xsk_redirect.bpf.c
BPF_SKELETONS = bpf/xsk_redirect.skel.h
BUILT_SOURCES += $(BPF_SKELETONS) $(BPF_SKELETONS:.skel.h=.bpf.o)
CLEANFILES += $(BPF_SKELETONS) $(BPF_SKELETONS:.skel.h=.bpf.o)
# Kept: a test attaches one as a foreign program.
.SECONDARY: $(BPF_SKELETONS:.skel.h=.bpf.o)
EXTRA_DIST += $(BPF_C_FILES)

bpf/%.bpf.o: bpf/%.bpf.c
	$(AM_V_GEN)$(MKDIR_P) bpf && $(CLANG) -O2 -g -Wall -target bpf $(BPF_CPPFLAGS) -c -o $@ $<
bpf/%.skel.h: bpf/%.bpf.o
	$(AM_V_GEN)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@
