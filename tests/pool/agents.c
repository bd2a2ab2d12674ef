/* Agents of real servers: what they say, over a real table. */
#include "tests.h"

#include <string.h>

#define AGENTS HEAD "virtual_servers = (\n" \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wrr\"; forwarding = \"nat\"; agent = { port = 9000; }; " PROBE "\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 2; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = %d; } ); } );\n"

static const char *
agent_effect_of(struct bench *b, size_t real)
{
	static char text[16];
	json_t *answer = bench_ask(b, "{\"command\":\"status\"}"), *v, *r;
	const char *effect;

	v = json_array_get(json_object_get(json_object_get(answer, "result"), "virtual_servers"), 0);
	r = json_array_get(json_object_get(v, "real_servers"), real);
	effect = json_string_value(json_object_get(json_object_get(r, "agent"), "effect"));
	snprintf(text, sizeof(text), "%s", effect ? effect : "");
	json_decref(answer);
	return text;
}

void
hears_agents(struct bench *b)
{
	char text[2048];

	snprintf(text, sizeof(text), AGENTS, 3);
	check(bench_configure(b, text), "(agents are configured)");
	check(bench_until(b, SLOW_MS, has_targets, "10.88.0.21:9000") &&
		bench_targets(b, "10.88.0.22:9000") == 1, "agents are asked");
	check(bench_until(b, 2000, has_row, "10.88.0.22:8080 -m -w 300"), "weights are a hundredfold");
	bench_agent(b, "10.88.0.22:9000", "up 50%");
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 150"), "half of its weight");
	expect_line(b, "event=plan reason=agent-weight");
	bench_agent(b, "10.88.0.22:9000", "drain #deploy");
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 0"), "drained");
	expect_line(b, "server=web2 virtual=http from=up to=drained reason=agent-drain said=\"drain "
		"#deploy\"");
	check(strcmp(agent_effect_of(b, 1), "drained") == 0, "and told in the status");
	bench_report(b, "10.88.0.22:9000", false, REASON_TCP_REFUSED, 111);
	expect_line(b, "event=agent server=web2 virtual=http from=up to=down reason=tcp-refused");
	bench_run(b, 300);
	check(has_row(b, "10.88.0.22:8080 -m -w 0"), "an agent that is gone changes nothing");
	bench_agent(b, "10.88.0.22:9000", "ready");
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 150"), "ready: what it had");
	bench_agent(b, "10.88.0.22:9000", "stopped #disk");
	expect_line(b, "server=web2 virtual=http from=up to=down reason=agent-down said=\"stopped "
		"#disk\"");
	bench_run(b, 300);
	check(!has_row(b, "10.88.0.22:8080"), "stopped: out");
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	bench_run(b, 300);
	check(!has_row(b, "10.88.0.22:8080"), "whatever its probe says");
	snprintf(text, sizeof(text), AGENTS, 4);
	check(bench_configure(b, text), "(reloaded, with another weight)");
	bench_run(b, 500);
	check(!has_row(b, "10.88.0.22:8080"), "and over a reload");
	bench_agent(b, "10.88.0.22:9000", "100% up");
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 400"), "up");
	ask_for(b, "{\"command\":\"weight\",\"server\":\"web2\",\"weight\":9}");
	bench_agent(b, "10.88.0.22:9000", "25%");
	bench_run(b, 300);
	check(has_row(b, "10.88.0.22:8080 -m -w 900"), "an operator's weight outranks it");
	ask_for(b, "{\"command\":\"drain\",\"server\":\"web2\"}");
	bench_agent(b, "10.88.0.22:9000", "up ready");
	bench_run(b, 300);
	check(has_row(b, "10.88.0.22:8080 -m -w 0"), "so does an operator's drain");
	ask_for(b, "{\"command\":\"enable\",\"server\":\"web2\"}");
	ask_for(b, "{\"command\":\"weight\",\"server\":\"web2\",\"weight\":null}");
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 100"), "then it counts again");
}
