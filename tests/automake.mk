# The suite: `make check` runs it whole, `make check-suite TESTSUITEFLAGS='-k netns'` a part.
if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
endif
LDADD = utilities/xvs-agent/libagent.a $(XVS_LIBS) $(CMOCKA_LIBS)
include tests/unit/automake.mk
include tests/fuzz/automake.mk
include tests/perf/automake.mk

TESTSUITE = $(srcdir)/tests/testsuite
TESTSUITE_AT = tests/testsuite.at tests/local.at tests/unit.at tests/daemon.at tests/ovsdb.at \
	tests/bridge.at tests/normal.at tests/openflow-codec.at tests/openflow.at \
	tests/openflow-netns.at tests/appctl.at tests/pmd.at tests/netns.at tests/compat.at \
	tests/openflow-scale.at tests/openflow-conn.at tests/openflow-compat.at tests/openflow-controllers.at tests/netns-events.at tests/stress.at \
	tests/cni.at tests/cni-agent.at tests/cni-faults.at tests/perf.at tests/scripts.at
EXTRA_DIST += $(TESTSUITE_AT) $(TESTSUITE) tests/package.m4 tests/atlocal.in tests/tsan.supp tests/netns/stress \
	tests/controllers/learning_switch.py tests/controllers/dialects.py \
	tests/compat/match.case tests/compat/actions.case tests/compat/tables.case \
	tests/compat/messages.case tests/compat/versions.case tests/compat/commands.case \
	tests/compat/trace.case tests/compat/control.case \
	tests/compat/wire.py
DISTCLEANFILES = tests/atconfig

AUTOTEST = $(AUTOM4TE) --language=autotest
$(srcdir)/tests/package.m4: $(top_srcdir)/configure.ac
	$(AM_V_GEN){ \
	echo 'm4_define([AT_PACKAGE_NAME], [$(PACKAGE_NAME)])'; \
	echo 'm4_define([AT_PACKAGE_TARNAME], [$(PACKAGE_TARNAME)])'; \
	echo 'm4_define([AT_PACKAGE_VERSION], [$(PACKAGE_VERSION)])'; \
	echo 'm4_define([AT_PACKAGE_STRING], [$(PACKAGE_STRING)])'; \
	echo 'm4_define([AT_PACKAGE_BUGREPORT], [$(PACKAGE_BUGREPORT)])'; \
	echo 'm4_define([AT_PACKAGE_URL], [$(PACKAGE_URL)])'; \
	} > $@
$(TESTSUITE): $(TESTSUITE_AT) $(srcdir)/tests/package.m4
	$(AM_V_GEN)$(AUTOTEST) -I $(srcdir)/tests -o $@.tmp $(srcdir)/tests/testsuite.at && mv $@.tmp $@

# Also where the suite is started by hand after no more than `make`.
all-local: tests/atlocal
.PHONY: check-programs check-suite check-sanitize fuzz fuzz-run
# One after the other: `all` is a make of its own, which must not build beside this one.
check-programs: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS)
check-suite: check-programs $(TESTSUITE) tests/atconfig
	$(SHELL) $(TESTSUITE) -C tests AUTOTEST_PATH=vswitchd:tests/unit:tests/helpers $(TESTSUITEFLAGS)
check-local: $(check_DEPS) check-suite
clean-local:
	test ! -f $(TESTSUITE) || $(SHELL) $(TESTSUITE) -C tests --clean
AM_DISTCHECK_CONFIGURE_FLAGS = --enable-Werror

# The suite again with AddressSanitizer and UBSan, frame owner checks on; the threaded units with
# ThreadSanitizer.  Separate build folders, so that each run compiles only what changed.
SANITIZE_SUITE_FLAGS =
check-sanitize:
	$(MKDIR_P) build-asan build-tsan
	cd build-asan && { test -f Makefile || \
	  $(abs_top_srcdir)/configure --enable-debug --enable-Werror --enable-sanitizers=address,undefined \
	    CC='$(CC)'; }
	$(MAKE) -C build-asan check-suite TESTSUITEFLAGS='$(SANITIZE_SUITE_FLAGS)'
	cd build-tsan && { test -f Makefile || \
	  $(abs_top_srcdir)/configure --enable-Werror --enable-sanitizers=thread \
	    CC='$(CC)' CFLAGS='-g -O1'; }
	$(MAKE) -C build-tsan check-suite TESTSUITEFLAGS='-k threads'

# `make fuzz` builds the fuzzers in build-fuzz; `make fuzz-run FUZZ_SECONDS=60` runs each.
FUZZ_SECONDS = 60
fuzz:
	$(MKDIR_P) build-fuzz
	cd build-fuzz && { test -f Makefile || \
	  $(abs_top_srcdir)/configure --enable-fuzzers CC=clang CFLAGS='-g -O1'; }
	$(MAKE) -C build-fuzz $(BUILT_SOURCES)
	$(MAKE) -C build-fuzz fuzz-targets
fuzz-run: fuzz
	for t in $(FUZZ_TARGETS); do \
	  $(MKDIR_P) build-fuzz/corpus/$$t && \
	  build-fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 \
	    -artifact_prefix=build-fuzz/ build-fuzz/corpus/$$t || exit 1; \
	done
