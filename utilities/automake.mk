EXTRA_DIST += utilities/quickstart utilities/selftest utilities/install-deps \
	utilities/common.sh utilities/testbed.sh
