# cmocka programs, one a topic; each runs as a test of the suite (tests/unit.at).
UNIT_TESTS = \
	tests/unit/test-util
