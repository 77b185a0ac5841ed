EXTRA_DIST += debian/changelog debian/control debian/copyright debian/rules debian/source/format \
	debian/not-installed debian/xvs.docs debian/xvs.install debian/xvs.postinst debian/xvs.prerm \
	debian/xvs-agent.examples debian/xvs-agent.install debian/xvs-cni.examples debian/xvs-cni.install \
	debian/libxskcni0.install debian/libxskcni0.symbols debian/libxskcni-dev.examples \
	debian/libxskcni-dev.install
