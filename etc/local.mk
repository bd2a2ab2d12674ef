exampledir = $(docdir)/examples
dist_example_DATA = etc/tandem.conf etc/cold.conf etc/dr.conf etc/keepalived-interop.conf \
	etc/keyed-pair.conf etc/local-proxy.conf
