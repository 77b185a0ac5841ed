dist_man_MANS += Documentation/xvs-vswitchd.8
EXTRA_DIST += Documentation/architecture.md Documentation/afxdp.md Documentation/compatibility.md \
	Documentation/openflow.md
