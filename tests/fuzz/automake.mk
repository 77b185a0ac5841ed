# libFuzzer targets: make fuzz, make fuzz-run.
FUZZ_TARGETS =
if ENABLE_FUZZERS
noinst_PROGRAMS += $(FUZZ_TARGETS)
endif
fuzz-targets: $(FUZZ_TARGETS)
