EXTRA_DIST += debian/changelog debian/control debian/copyright debian/rules debian/source/format \
	debian/xvs-vswitchd.postinst debian/xvs-vswitchd.prerm
