EXTRA_DIST += build-aux/check-layers build-aux/check-sentences build-aux/check-tree build-aux/summarize

# Rules of the house that a machine can check.
.PHONY: check-tree
check-tree:
	$(AM_V_GEN)$(top_srcdir)/build-aux/check-layers $(top_srcdir)
	$(AM_V_GEN)$(top_srcdir)/build-aux/check-tree $(top_srcdir)
	$(AM_V_GEN)$(top_srcdir)/build-aux/check-sentences $(top_srcdir)
check_DEPS += check-tree
