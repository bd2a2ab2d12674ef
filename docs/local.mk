dist_man_MANS += docs/tandem.conf.5
