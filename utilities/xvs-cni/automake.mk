# xvs-cni: the CNI plugin, where container runtimes look for plugins.
cnidir = $(prefix)/lib/cni
cni_PROGRAMS = utilities/xvs-cni/xvs-cni
utilities_xvs_cni_xvs_cni_SOURCES = \
	utilities/xvs-cni/cni-config.c \
	utilities/xvs-cni/cni-config.h \
	utilities/xvs-cni/cni-ethtool.c \
	utilities/xvs-cni/cni-ethtool.h \
	utilities/xvs-cni/cni-exec.c \
	utilities/xvs-cni/cni-exec.h \
	utilities/xvs-cni/cni-ipam.c \
	utilities/xvs-cni/cni-ipam.h \
	utilities/xvs-cni/cni-net.c \
	utilities/xvs-cni/cni-net.h \
	utilities/xvs-cni/cni-ops.c \
	utilities/xvs-cni/cni-ops.h \
	utilities/xvs-cni/cni-result.c \
	utilities/xvs-cni/cni-result.h \
	utilities/xvs-cni/cni.c \
	utilities/xvs-cni/cni.h \
	utilities/xvs-cni/main.c
utilities_xvs_cni_xvs_cni_LDADD = $(XVS_LIBS)
dist_man_MANS += Documentation/xvs-cni.8
