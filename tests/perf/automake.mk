# The benchmark: `make bench`, `make bench BENCH="p2p tcp" BENCH_PAIRS=5 BENCH_FLAGS="--seconds 1"`.
BENCH =
BENCH_PAIRS = 5
BENCH_OUTPUT = bench-results
BENCH_FLAGS =
PERF_PY = tests/perf/bench.py tests/perf/bed.py tests/perf/cases.py tests/perf/plot.py \
	tests/perf/report.py
EXTRA_DIST += $(PERF_PY)
.PHONY: bench
bench: all
	python3 -B $(srcdir)/tests/perf/bench.py --xvs=$(abs_builddir)/vswitchd/xvs-vswitchd \
	  --perf=$(abs_builddir)/utilities/xvs-perf/xvs-perf \
	  --agent=$(abs_builddir)/utilities/xvs-agent/xvs-agent --pairs=$(BENCH_PAIRS) \
	  --output=$(BENCH_OUTPUT) $(BENCH_FLAGS) $(BENCH)

# The lookups alone: `make bench-lookup` prints time, and where the machine counts them,
# instructions and cycles per packet.
check_PROGRAMS += tests/perf/bench-lookup
BENCH_LOOKUP =
.PHONY: bench-lookup
bench-lookup: all
	$(MAKE) $(AM_MAKEFLAGS) tests/perf/bench-lookup && tests/perf/bench-lookup $(BENCH_LOOKUP)
