/* What is expected, and printed where it is not so. */
#include "tests.h"

#include <stdlib.h>
#include <string.h>

bool
expect_table(struct bench *b, int ms, const char *table, const char *what)
{
	bool ok = check(bench_until(b, ms, bench_table_is, table), "%s", what);

	if (!ok)
		printf("  wanted:\n%s  the kernel has:\n%s", table, bench_table());
	return ok;
}

static bool
logged(struct bench *b, const void *text)
{
	return bench_logged(b, text);
}

void
expect_line(struct bench *b, const char *text)
{
	if (!check(bench_until(b, SLOW_MS, logged, text), "logs `%s`", text))
		printf("  the log has:\n%s", b->log);
}

bool
has_targets(struct bench *b, const void *address)
{
	return bench_targets(b, address) > 0;
}

bool
has_no_targets(struct bench *b, const void *address)
{
	return bench_targets(b, address) == 0;
}

const char *
ask_for(struct bench *b, const char *request)
{
	static char text[1024];
	json_t *answer = bench_ask(b, request);
	char *whole = json_dumps(answer, JSON_COMPACT);

	snprintf(text, sizeof(text), "%s", whole ? whole : "");
	free(whole);
	json_decref(answer);
	return text;
}

bool
has_row(struct bench *b, const void *row)
{
	(void)b;
	return strstr(bench_table(), row) != NULL;
}

int
weight_of(const char *server)
{
	const char *row = strstr(bench_table(), server);
	const char *weight = row ? strstr(row, "-w ") : NULL;

	return weight ? atoi(weight + 3) : -1;
}
