EXTRA_DIST += build-aux/check-clang build-aux/check-layers build-aux/check-sentences build-aux/check-tree build-aux/summarize

# Rules of the house that a machine can check.
.PHONY: check-tree
check-tree:
	$(AM_V_GEN)$(top_srcdir)/build-aux/check-layers $(top_srcdir)
	$(AM_V_GEN)$(top_srcdir)/build-aux/check-tree $(top_srcdir)
	$(AM_V_GEN)$(top_srcdir)/build-aux/check-sentences $(top_srcdir)
check_DEPS += check-tree

# Everything once more by the other compiler, which also checks what each lock guards.
.PHONY: check-clang
check-clang: $(BUILT_SOURCES)
	$(AM_V_GEN)$(top_srcdir)/build-aux/check-clang $(top_srcdir) $(CLANG) $(DEFS) $(CPPFLAGS) \
	  -I$(abs_top_srcdir)/lib -I$(abs_top_srcdir) -I$(abs_top_builddir) \
	  -DXVS_VERSION='"$(PACKAGE_VERSION)"' $(XVS_CPPFLAGS)
