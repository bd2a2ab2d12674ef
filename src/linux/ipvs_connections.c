/*
 * Reading ip_vs_conn. See ipvs_connections.h. A line is "TCP 0A4D0002 D431 0A4D0064 0050 0A580015
 * 1F90 ESTABLISHED 899 ...": addresses and ports in hexadecimal, IPv6 as 8 groups with colons.
 */
#include "linux/ipvs_connections.h"

#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 65536, CLIENTS_MAX = 1024 };

/* 8 digits, or 39 with colons (%pI6). */
static bool
parse_address(const char *text, struct ip_addr *out)
{
	uint8_t bytes[16];
	size_t digits = 0;

	for (const char *c = text; *c; c++) {
		char one[2] = {*c, '\0'};
		char *end;
		unsigned long v = strtoul(one, &end, 16);

		if (*c == ':' || *c == '[' || *c == ']')
			continue;
		if (*end != '\0' || digits == 32)
			return false;
		bytes[digits / 2] = (uint8_t)(digits % 2 == 0 ? v << 4 : bytes[digits / 2] | v);
		digits++;
	}
	memset(out, 0, sizeof(*out));
	if (digits != 8 && digits != 32)
		return false;
	out->family = digits == 8 ? IP_V4 : IP_V6;
	memcpy(out->bytes, bytes, digits / 2);
	return true;
}

static void
count_client(struct ipvs_client *clients, size_t *count, const struct ip_addr *address)
{
	for (size_t i = 0; i < *count; i++)
		if (ip_addr_equal(&clients[i].address, address)) {
			clients[i].connections++;
			return;
		}
	if (*count < CLIENTS_MAX)
		clients[(*count)++] = (struct ipvs_client){.address = *address, .connections = 1};
}

/* One connection of that server: its client. */
static bool
parse_line(const char *line, const struct endpoint *server, struct ip_addr *client)
{
	char from[48], to[48];
	struct ip_addr real;
	unsigned port;

	if (sscanf(line, "%*7s %47s %*x %*47s %*x %47s %x", from, to, &port) != 3)
		return false;
	return parse_address(to, &real) && ip_addr_equal(&real, &server->addr) &&
		(server->port == 0 || server->port == port) && parse_address(from, client);
}

static int
by_connections(const void *a, const void *b)
{
	const struct ipvs_client *x = a, *y = b;

	return (x->connections < y->connections) - (x->connections > y->connections);
}

size_t
ipvs_clients_read(FILE *f, const struct endpoint *server, struct ipvs_client *out,
	size_t capacity)
{
	struct ipvs_client *clients = calloc(CLIENTS_MAX, sizeof(*clients));
	char line[512];
	size_t count = 0;

	for (int n = 0; clients && n < LINES_MAX && fgets(line, sizeof(line), f); n++) {
		struct ip_addr client;

		if (parse_line(line, server, &client))
			count_client(clients, &count, &client);
	}
	if (!clients)
		return 0;
	qsort(clients, count, sizeof(*clients), by_connections);
	count = count < capacity ? count : capacity;
	memcpy(out, clients, count * sizeof(*out));
	free(clients);
	return count;
}

size_t
ipvs_clients_of(const struct endpoint *server, struct ipvs_client *out, size_t capacity)
{
	FILE *f = fopen("/proc/net/ip_vs_conn", "re");
	size_t count = 0;

	if (!f)
		return 0;
	count = ipvs_clients_read(f, server, out, capacity);
	fclose(f);
	return count;
}
