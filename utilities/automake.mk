EXTRA_DIST += utilities/install-deps \
	utilities/common.sh utilities/testbed.sh
