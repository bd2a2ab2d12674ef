# Programs that need a kernel with ip_vs: built by `make check`, run by tests/vm/run tests/vm/all.
check_PROGRAMS += tests/vm/ipvs
EXTRA_DIST += tests/vm/t_ipvs tests/vm/t_block
EXTRA_DIST += tests/vm/t_data_path
EXTRA_DIST += tests/vm/t_drain
EXTRA_DIST += tests/vm/t_names
EXTRA_DIST += tests/vm/t_names tests/vm/t_life
tests_vm_ipvs_SOURCES = tests/vm/ipvs.c tests/netns/bed.c tests/netns/bed.h
tests_vm_ipvs_LDADD = liblinux.la libcore.la libbase.la $(NL_LIBS) $(CMOCKA_LIBS) -lpthread
