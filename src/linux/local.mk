noinst_LTLIBRARIES += liblinux.la
liblinux_la_SOURCES =
liblinux_la_SOURCES += src/linux/addresses.c src/linux/addresses.h src/linux/arp.c src/linux/arp.h \
	src/linux/hands.c src/linux/hands.h src/linux/links.c src/linux/links.h \
	src/linux/links_internal.h src/linux/links_poll.c src/linux/links_table.c \
	src/linux/nd.c src/linux/nd.h src/linux/wire.c src/linux/wire.h src/linux/neighbours.c src/linux/neighbours.h src/linux/privileges.c src/linux/privileges.h src/linux/vrrp_socket.c src/linux/vrrp_socket.h
liblinux_la_SOURCES += src/linux/block_routes.c src/linux/block_routes.h \
	src/linux/announcer.c src/linux/announcer.h
liblinux_la_SOURCES += src/linux/knob.c src/linux/knob.h src/linux/macvlan.c src/linux/macvlan.h
liblinux_la_SOURCES += src/linux/ipvs_connections.c src/linux/ipvs_connections.h src/linux/ipvs.c src/linux/ipvs.h src/linux/ipvs_codec.c src/linux/ipvs_codec.h
liblinux_la_SOURCES += src/linux/asker.c src/linux/asker.h
liblinux_la_SOURCES += src/linux/worker.c src/linux/worker.h
liblinux_la_SOURCES += src/linux/fence.c src/linux/fence.h src/linux/fence_table.c src/linux/fence_table.h src/linux/fence_plan.c \
	src/linux/nft_batch.c src/linux/nft_batch.h
