# Everything below vswitchd/, as one static library.
noinst_LIBRARIES += lib/libxvs.a
lib_libxvs_a_SOURCES = \
	lib/util/bitmap.h \
	lib/util/compiler.h \
	lib/util/csum.c \
	lib/util/csum.h \
	lib/util/ether.c \
	lib/util/ether.h \
	lib/util/hash.h \
	lib/util/idpool.c \
	lib/util/idpool.h \
	lib/util/num.c \
	lib/util/num.h \
	lib/util/smap.c \
	lib/util/smap.h \
	lib/util/strbuf.c \
	lib/util/strbuf.h \
	lib/util/version.c \
	lib/util/version.h \
	lib/util/xalloc.c \
	lib/util/xalloc.h
