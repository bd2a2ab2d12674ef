/* What the tests of the pool process share. */
#ifndef TANDEM_TESTS_POOL_TESTS_H
#define TANDEM_TESTS_POOL_TESTS_H

#include "bench.h"

#define HEAD \
	"cluster = \"bench\";\n" \
	"nodes = ( { name = \"lb1\"; address = \"10.77.0.11\"; },\n" \
	"          { name = \"lb2\"; address = \"10.77.0.12\"; } );\n" \
	"virtual_routers = (\n" \
	"  { name = \"web\"; vrid = 51; interface = \"v0\"; standby = \"hot\";\n" \
	"    addresses = ( \"10.77.0.100/24\" ); },\n" \
	"  { name = \"spare\"; vrid = 52; interface = \"v0\"; standby = \"cold\";\n" \
	"    addresses = ( \"10.77.0.101/24\" ); } );\n"
#define PROBE "probe = { type = \"tcp\"; interval_ms = 1000; timeout_ms = 500; };"

bool expect_table(struct bench *b, int ms, const char *table, const char *what);
void expect_line(struct bench *b, const char *text);
bool has_targets(struct bench *b, const void *address);
bool has_no_targets(struct bench *b, const void *address);
/* The start of the answer as text. */
const char *ask_for(struct bench *b, const char *request);
bool has_row(struct bench *b, const void *row);
/* The weight that ipvsadm shows for a server; -1: not there. */
int weight_of(const char *server);

/* main.c: a configuration with three virtual servers, and what the kernel has of it */
extern const char everything[], kernel_hot[], kernel_web2_down[];
void all_up(struct bench *b);
/* A service of somebody else. */
void foreign_service(void);

void hears_agents(struct bench *b);
void weighs_by_programs(struct bench *b);
void groups_probes(struct bench *b);
void warms_who_was_down(struct bench *b);
void keeps_out_who_is_asked_anew(struct bench *b);
void keeps_the_departing_out(struct bench *b);

#endif
