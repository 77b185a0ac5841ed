# libxskcni: the client of the AF_XDP device plugin's protocol, for anybody.  (The switch has the
# same sources in libxvs, so that the daemon needs no library of ours at run time.)
lib_LTLIBRARIES += lib/xskcni/libxskcni.la
XSKCNI_FILES = lib/xskcni/xskcni-private.h lib/xskcni/xskcni-session.c lib/xskcni/xskcni-steps.c \
	lib/xskcni/xskcni-wire.c lib/xskcni/xskcni-say.c lib/xskcni/xskcni-map.c \
	lib/xskcni/xskcni-simple.c
lib_xskcni_libxskcni_la_SOURCES = $(XSKCNI_FILES) lib/xskcni/xskcni.h
lib_xskcni_libxskcni_la_CFLAGS = $(AM_CFLAGS)
lib_xskcni_libxskcni_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined \
	-export-symbols-regex '^xskcni_[a-z]'
xskcniincludedir = $(includedir)
xskcniinclude_HEADERS = lib/xskcni/xskcni.h
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = lib/xskcni/xskcni.pc
EXTRA_DIST += examples/xskcni-rx.c
dist_man_MANS += Documentation/xskcni.3
