dist_man_MANS += docs/tandem.conf.5
dist_man_MANS += docs/tandemd.8
EXTRA_DIST += docs/HACKING.md
EXTRA_DIST += docs/ARCHITECTURE.md docs/PROTOCOL.md docs/CONFORMANCE.md
dist_man_MANS += docs/tandemctl.8
