/* A plan for people, and what became of it. See render.h. */
#include "control/render_internal.h"

#include "control/table.h"

#include <string.h>

enum { CLAIMS_SHOWN = 4 };

/* "3 operations", "1 operation" */
static void
print_count(FILE *to, int64_t n, const char *what)
{
	fprintf(to, "%lld %s%s", (long long)(n < 0 ? 0 : n), what, n == 1 ? "" : "s");
}

static void
set_weight(struct table *t, size_t column, const json_t *op)
{
	int64_t from = int_of(op, "weight_from"), to = int_of(op, "weight");

	if (from >= 0 && to >= 0 && from != to)
		table_set(t, column, TABLE_PLAIN, "%lld -> %lld", (long long)from, (long long)to);
	else if (from >= 0 || to >= 0)
		table_set(t, column, TABLE_PLAIN, "%lld", (long long)(to >= 0 ? to : from));
	else
		table_set(t, column, TABLE_PLAIN, "-");
}

static void
set_pair(struct table *t, size_t column, const json_t *op, const char *first, const char *between,
	const char *second)
{
	bool has_first = json_is_string(json_object_get(op, first));
	bool has_second = json_is_string(json_object_get(op, second));

	table_set(t, column, TABLE_PLAIN, "%s%s%s", has_first ? text_of(op, first) : "",
		has_first && has_second ? between : "",
		has_second ? text_of(op, second) : has_first ? "" : "-");
}

/* What takes something away stands out. */
static enum table_colour
colour_of(const char *operation)
{
	if (strncmp(operation, "del-", 4) == 0)
		return TABLE_BAD;
	return strncmp(operation, "add-", 4) == 0 ? TABLE_GOOD : TABLE_WARN;
}

static void
render_operations(FILE *to, const json_t *operations, bool colour)
{
	static const char *const heading[] = {"OPERATION", "VIRTUAL", "SERVICE", "SERVER", "WEIGHT",
		"CONNECTIONS"};
	const json_t *op;
	struct table t;
	size_t i;

	if (json_array_size(operations) == 0)
		return;
	table_begin(&t, heading, sizeof(heading) / sizeof(heading[0]));
	t.right[4] = t.right[5] = true;
	json_array_foreach(operations, i, op) {
		table_row(&t);
		table_set(&t, 0, colour_of(text_of(op, "operation")), "%s", text_of(op, "operation"));
		table_set(&t, 1, TABLE_PLAIN, "%s", text_of(op, "virtual"));
		set_pair(&t, 2, op, "service", "/", "protocol");
		set_pair(&t, 3, op, "name", " ", "server");
		set_weight(&t, 4, op);
		table_set(&t, 5, TABLE_PLAIN, "%lld", (long long)int_of(op, "connections"));
	}
	table_end(&t, to, "  ", colour);
}

static void
render_claims(FILE *to, const json_t *list, const char *sign)
{
	const json_t *claim;
	size_t i;

	json_array_foreach(list, i, claim) {
		if (i == CLAIMS_SHOWN) {
			fprintf(to, "; %s %zu more", sign, json_array_size(list) - i);
			return;
		}
		fprintf(to, "; %s ", sign);
		print_plain(to, json_is_string(claim) ? json_string_value(claim) : "-");
	}
}

static void
render_routers(FILE *to, const json_t *routers)
{
	const json_t *r;
	size_t i;

	json_array_foreach(routers, i, r) {
		const char *change = text_of(r, "change");

		fputs("  router ", to);
		print_plain(to, text_of(r, "name"));
		if (strcmp(change, "add") == 0)
			fputs(": comes", to);
		else if (strcmp(change, "remove") == 0)
			fputs(": goes", to);
		else
			fputs(is_true(r, "settings") ? ": other settings" : ": other addresses", to);
		render_claims(to, json_object_get(r, "added"), "adds");
		render_claims(to, json_object_get(r, "removed"), "removes");
		fputc('\n', to);
	}
}

void
render_plan(FILE *to, const json_t *plan, bool colour)
{
	const json_t *operations = json_object_get(plan, "operations");
	const json_t *routers = json_object_get(plan, "routers");
	size_t count = json_array_size(operations);

	if (count == 0 && json_array_size(routers) == 0 && !is_true(plan, "configuration_changed")) {
		fputs("nothing would change\n", to);
		return;
	}
	print_plain(to, text_of(plan, "file"));
	fputs(": ", to);
	print_count(to, (int64_t)count, "operation");
	fputs(" in the kernel's table, ", to);
	print_count(to, int_of(plan, "connections"), "live connection");
	fputs(" touched\n", to);
	render_operations(to, operations, colour);
	render_routers(to, routers);
	if (count == 0 && json_array_size(routers) == 0)
		fputs("  only other settings differ, such as probes, log or control\n", to);
}

void
render_applied(FILE *to, const json_t *done)
{
	int64_t failed = int_of(done, "failed"), planned = int_of(done, "planned");

	fputs("applied ", to);
	print_plain(to, text_of(done, "file"));
	fputs(": ", to);
	print_count(to, int_of(done, "operations"), "operation");
	fputs(", ", to);
	print_count(to, int_of(done, "connections"), "live connection");
	fputs(" touched", to);
	if (int_of(done, "operations") != planned)
		fprintf(to, " (planned: %lld)", (long long)planned);
	if (failed > 0) {
		fputs("; the kernel refused ", to);
		print_count(to, failed, "operation");
		fputs(", see the log", to);
	}
	fputc('\n', to);
}
