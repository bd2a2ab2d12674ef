check_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = tests/sim/sim.c tests/sim/world.c tests/sim/world.h tests/sim/bundle.c tests/sim/bundle.h \
	tests/sim/machine.c tests/sim/machine.h tests/sim/scenario.c \
	tests/sim/scenario_keyed.c tests/sim/scenario.h tests/sim/attack.c tests/sim/attack.h \
	tests/sim/checker.c tests/sim/checker_world.c tests/sim/checker_keyed.c tests/sim/checker_group.c \
	tests/sim/checker.h tests/sim/node.c tests/sim/node_loop.c tests/sim/node_messages.c \
	tests/sim/node_wire.c tests/sim/node.h tests/sim/network.c tests/sim/network.h \
	tests/sim/kernel.c tests/sim/kernel.h tests/sim/events.c tests/sim/events.h \
	tests/sim/clock.h tests/sim/random.h
tests_sim_sim_LDADD = libcore.la libbase.la
TESTS += tests/sim/run tests/sim/mutants/run
EXTRA_DIST += tests/sim/run tests/sim/mutants/run tests/sim/mutants/list tests/sim/mutants/tests
