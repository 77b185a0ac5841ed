# cmocka programs, one a topic; each runs as a test of the suite (tests/unit.at).
UNIT_TESTS = \
	tests/unit/test-afxdp-config \
	tests/unit/test-afxdp-gso \
	tests/unit/test-afxdp-live-errors \
	tests/unit/test-afxdp-live \
	tests/unit/test-agent-config \
	tests/unit/test-agent-live \
	tests/unit/test-agent-request \
	tests/unit/test-agent-session \
	tests/unit/test-arena \
	tests/unit/test-classifier \
	tests/unit/test-cni-client \
	tests/unit/test-cni-config \
	tests/unit/test-cni-result \
	tests/unit/test-conn-channel \
	tests/unit/test-csum-repair \
	tests/unit/test-daemon \
	tests/unit/test-datapath \
	tests/unit/test-dp-actions \
	tests/unit/test-dp-execute \
	tests/unit/test-dp-set \
	tests/unit/test-dp-threads \
	tests/unit/test-evloop \
	tests/unit/test-fd-closer \
	tests/unit/test-flow-key \
	tests/unit/test-flow-text \
	tests/unit/test-jsonrpc \
	tests/unit/test-log \
	tests/unit/test-mac-table \
	tests/unit/test-megaflow \
	tests/unit/test-netdev-dummy \
	tests/unit/test-netdev-live \
	tests/unit/test-of-actions-text \
	tests/unit/test-of-actions \
	tests/unit/test-of-config \
	tests/unit/test-of-field \
	tests/unit/test-of-flow \
	tests/unit/test-of-group \
	tests/unit/test-of-groups \
	tests/unit/test-of-match \
	tests/unit/test-of-meters \
	tests/unit/test-of-msg \
	tests/unit/test-of-packet \
	tests/unit/test-of-switch \
	tests/unit/test-ofproto-vlan \
	tests/unit/test-ofproto \
	tests/unit/test-oftables-limits \
	tests/unit/test-oftables \
	tests/unit/test-ovsdb-live \
	tests/unit/test-ovsdb-replica \
	tests/unit/test-ovsdb-session \
	tests/unit/test-packet \
	tests/unit/test-plan \
	tests/unit/test-pmd-balance \
	tests/unit/test-reconnect \
	tests/unit/test-rtnl \
	tests/unit/test-rxq-sched \
	tests/unit/test-segment \
	tests/unit/test-snapshot \
	tests/unit/test-unixctl \
	tests/unit/test-util \
	tests/unit/test-xlate-diff \
	tests/unit/test-xsk-fill \
	tests/unit/test-xsk-ring \
	tests/unit/test-xsk-tx \
	tests/unit/test-xskcni-map \
	tests/unit/test-xskcni-session \
	tests/unit/test-xskcni
EXTRA_DIST += \
	tests/unit/afxdp-live.h \
	tests/unit/agent-live.h \
	tests/unit/bpf-map.h \
	tests/unit/dp-harness.h \
	tests/unit/fd-message.h \
	tests/unit/of-action-vectors.h \
	tests/unit/of-hex.h \
	tests/unit/of-match-vectors.h \
	tests/unit/ofproto-harness.h \
	tests/unit/oftables-harness.h \
	tests/unit/packet-samples.h \
	tests/unit/shell.h \
	tests/unit/xlate-random.h \
	tests/unit/xlate-reference.h \
	tests/unit/xskcni-server.h
check_PROGRAMS += \
	tests/helpers/dp-server \
	tests/helpers/hold-xsk \
	tests/helpers/of-controller \
	tests/helpers/of-samples \
	tests/helpers/xsk-pin
EXTRA_DIST += \
	tests/helpers/frames.py \
	tests/helpers/iperf-check.py \
	tests/helpers/of-storm.py \
	tests/helpers/openflow-compat.py \
	tests/helpers/spray.py \
	tests/helpers/udp-check.py
