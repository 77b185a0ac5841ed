# libFuzzer targets: make fuzz, make fuzz-run.
FUZZ_TARGETS = tests/fuzz/fuzz-agent-request tests/fuzz/fuzz-classifier tests/fuzz/fuzz-cni-config tests/fuzz/fuzz-flow-key tests/fuzz/fuzz-flow-parse tests/fuzz/fuzz-jsonrpc tests/fuzz/fuzz-of-actions-text tests/fuzz/fuzz-of-actions tests/fuzz/fuzz-of-bundle tests/fuzz/fuzz-of-conn tests/fuzz/fuzz-of-match-text tests/fuzz/fuzz-of-match tests/fuzz/fuzz-of-trace tests/fuzz/fuzz-ofp-msg tests/fuzz/fuzz-ovsdb-update tests/fuzz/fuzz-segment tests/fuzz/fuzz-xskcni
EXTRA_DIST += tests/fuzz/fuzz-bridge.h tests/fuzz/fuzz.h
if ENABLE_FUZZERS
noinst_PROGRAMS += $(FUZZ_TARGETS)
endif
tests_fuzz_fuzz_agent_request_SOURCES = tests/fuzz/fuzz-agent-request.c
tests_fuzz_fuzz_agent_request_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_classifier_SOURCES = tests/fuzz/fuzz-classifier.c
tests_fuzz_fuzz_classifier_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_cni_config_SOURCES = tests/fuzz/fuzz-cni-config.c
tests_fuzz_fuzz_cni_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_flow_key_SOURCES = tests/fuzz/fuzz-flow-key.c
tests_fuzz_fuzz_flow_key_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_flow_parse_SOURCES = tests/fuzz/fuzz-flow-parse.c
tests_fuzz_fuzz_flow_parse_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_jsonrpc_SOURCES = tests/fuzz/fuzz-jsonrpc.c
tests_fuzz_fuzz_jsonrpc_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_of_actions_text_SOURCES = tests/fuzz/fuzz-of-actions-text.c
tests_fuzz_fuzz_of_actions_text_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_of_actions_SOURCES = tests/fuzz/fuzz-of-actions.c
tests_fuzz_fuzz_of_actions_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_of_bundle_SOURCES = tests/fuzz/fuzz-of-bundle.c
tests_fuzz_fuzz_of_bundle_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_of_conn_SOURCES = tests/fuzz/fuzz-of-conn.c
tests_fuzz_fuzz_of_conn_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_of_match_text_SOURCES = tests/fuzz/fuzz-of-match-text.c
tests_fuzz_fuzz_of_match_text_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_of_match_SOURCES = tests/fuzz/fuzz-of-match.c
tests_fuzz_fuzz_of_match_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_of_trace_SOURCES = tests/fuzz/fuzz-of-trace.c
tests_fuzz_fuzz_of_trace_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ofp_msg_SOURCES = tests/fuzz/fuzz-ofp-msg.c
tests_fuzz_fuzz_ofp_msg_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ovsdb_update_SOURCES = tests/fuzz/fuzz-ovsdb-update.c
tests_fuzz_fuzz_ovsdb_update_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_segment_SOURCES = tests/fuzz/fuzz-segment.c
tests_fuzz_fuzz_segment_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_xskcni_SOURCES = tests/fuzz/fuzz-xskcni.c
tests_fuzz_fuzz_xskcni_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz-targets: $(FUZZ_TARGETS)
