EXTRA_DIST += rhel/xvs.spec
