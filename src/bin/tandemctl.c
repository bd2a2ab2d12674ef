/*
 * tandemctl: asks a running tandemd over its control socket.
 *
 * Exit status: 0 done, 1 usage, 2 refused by the daemon with a reason, 3 no daemon.
 */
#include <config.h>

#include "base/mono.h"
#include "conf/pack.h"
#include "conf/read.h"
#include "control/client.h"
#include "control/render.h"
#include "control/request.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DONE = 0, USAGE = 1, REFUSED = 2, NO_DAEMON = 3 };
enum { ANSWER_MS = 10000, PLAN_MS = 60000, SWITCHOVER_MS = 10000 };
enum { POLL_MS = 50, WATCH_MS = 1000, ERRORS_AT_MOST = 5 };

struct call {
	const char *run_dir;
	bool json, follow;
	int64_t for_s;          /* --for; 0: not given */
	int weight;             /* --weight; -1: not given */
	char *const *arguments; /* behind the command */
	int argument_count;
};

static const char usage_text[] =
	"usage: tandemctl [-R DIR] [--json] COMMAND\n"
	"  status               routers, peer, virtual servers and their real servers\n"
	"  watch                status, every second\n"
	"  switchover [ROUTER]  give the role to the other node (default: every active router)\n"
	"  drain SERVER         no new connections; those it has go on (SERVER: NAME or VIRTUAL/NAME)\n"
	"  disable SERVER       out at once, and not probed\n"
	"  enable SERVER        undo drain and disable\n"
	"  weight SERVER N      another weight; N `default`: as configured\n"
	"  add VIRTUAL NAME ADDRESS:PORT   a real server more, until it is removed\n"
	"  remove SERVER        a real server less\n"
	"  events [-f]          what was logged lately; -f: and what will be\n"
	"  reload               read the configuration file again\n"
	"  plan [FILE]          what a reload (of FILE) would change in the kernel now\n"
	"  apply                do what the last plan said, if it still holds\n"
	"options:\n"
	"  -R DIR               run directory of the daemon (default /run/tandem)\n"
	"  --for TIME           drain, disable: undone after 90s, 20m, 2h or 1d\n"
	"  --weight N           add: the weight of the new server\n"
	"  --json               JSON instead of a table\n"
	"  -V, --version        print the version\n";

static int
usage_error(const char *what, const char *about)
{
	fprintf(stderr, "tandemctl: %s%s%s\n", about ? about : "", about ? ": " : "", what);
	fputs(usage_text, stderr);
	return USAGE;
}

static int
no_daemon(const struct call *call, int error)
{
	const char *why = strerror(-error);

	if (error == -ENOENT || error == -ECONNREFUSED)
		why = "tandemd does not run here";
	else if (error == -EACCES)
		why = "permission denied; be root or a member of control.group";
	else if (error == -ETIMEDOUT || error == -EAGAIN)
		why = "tandemd does not answer";
	else if (error == -EPIPE || error == -ECONNRESET)
		why = "tandemd closed the connection";
	fprintf(stderr, "tandemctl: %s/tandem.sock: %s\n", call->run_dir, why);
	return NO_DAEMON;
}

static int
print_json(const json_t *value, size_t flags)
{
	json_dumpf(value, stdout, flags | JSON_ENCODE_ANY |
		JSON_REAL_PRECISION(CONTROL_DIGITS));
	fputc('\n', stdout);
	return fflush(stdout) == 0 ? DONE : USAGE;
}

/* One line as the result: DONE and *result (owned by the caller), or an exit status. */
static int
take_answer(const struct call *call, struct control_link *link, int patience_ms, json_t **result)
{
	const json_t *error;
	json_t *answer;
	int code = control_link_receive(link, patience_ms, &answer);

	if (code != 0)
		return no_daemon(call, code);
	if (json_is_true(json_object_get(answer, "ok"))) {
		*result = json_incref(json_object_get(answer, "result"));
		json_decref(answer);
		return *result ? DONE : no_daemon(call, -EPROTO);
	}
	error = json_object_get(answer, "error");
	fprintf(stderr, "tandemctl: refused: %s\n",
		json_is_string(error) ? json_string_value(error) : "no reason given");
	json_decref(answer);
	return REFUSED;
}

/* Takes over the reference of the request. `fd` goes along, -1: none. */
static int
ask_on(const struct call *call, struct control_link *link, json_t *request, int fd,
	int patience_ms, json_t **result)
{
	int error = control_link_open(link, call->run_dir);

	if (error == 0)
		error = control_link_send_with(link, request, fd);
	json_decref(request);
	/* A daemon that turned us away may have said why before it closed. */
	if (error == 0 || ((error == -EPIPE || error == -ECONNRESET) && link->fd != -1))
		return take_answer(call, link, patience_ms, result);
	return no_daemon(call, error);
}

static int
ask_with(const struct call *call, json_t *request, int fd, int patience_ms, json_t **result)
{
	struct control_link link;
	int status = ask_on(call, &link, request, fd, patience_ms, result);

	control_link_close(&link);
	return status;
}

static int
ask(const struct call *call, json_t *request, json_t **result)
{
	return ask_with(call, request, -1, ANSWER_MS, result);
}

static int
get_status(const struct call *call, json_t **status)
{
	return ask(call, json_pack("{s:s}", "command", "status"), status);
}

static bool
colour_wanted(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && no[0] != '\0');
}

static int
run_status(const struct call *call)
{
	json_t *status;
	int code = get_status(call, &status);

	if (code != DONE)
		return code;
	if (call->json)
		print_json(status, JSON_INDENT(2));
	else
		render_status(stdout, status, colour_wanted());
	json_decref(status);
	return DONE;
}

static void
sleep_ms(int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

/* The daemon may be restarted while somebody watches: that ends it only at the beginning. */
static int
run_watch(const struct call *call)
{
	bool screen = isatty(STDOUT_FILENO) && !call->json, seen = false;

	for (;; sleep_ms(WATCH_MS)) {
		json_t *status;
		int code = get_status(call, &status);

		if (code != DONE && !seen)
			return code;
		if (code != DONE)
			continue;
		seen = true;
		if (screen)
			fputs("\033[H\033[J", stdout);
		if (call->json)
			print_json(status, JSON_COMPACT);
		else
			render_status(stdout, status, colour_wanted());
		json_decref(status);
		if (fflush(stdout) != 0 || ferror(stdout))
			return DONE; /* nobody reads any more */
	}
}

static const json_t *
find_router(const json_t *status, const char *name)
{
	const json_t *r;
	size_t i;

	json_array_foreach(json_object_get(status, "routers"), i, r) {
		const char *its = json_string_value(json_object_get(r, "name"));

		if (its && strcmp(its, name) == 0)
			return r;
	}
	return NULL;
}

static bool
is_active(const json_t *router)
{
	const char *role = json_string_value(json_object_get(router, "role"));

	return role && strcmp(role, "active") == 0;
}

/* Names of the routers that are to move: active before, and meant. */
static json_t *
routers_to_move(const json_t *status, const char *name)
{
	json_t *names = json_array();
	const json_t *r;
	size_t i;

	json_array_foreach(json_object_get(status, "routers"), i, r) {
		json_t *its = json_object_get(r, "name");

		if (is_active(r) && its && (!name || strcmp(json_string_value(its), name) == 0))
			json_array_append(names, its);
	}
	return names;
}

/* All of them away from this node and active on the other? */
static bool
moved(const json_t *status, const json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		const json_t *r = find_router(status, json_string_value(name));

		if (!r || is_active(r) || !json_is_true(json_object_get(r, "peer_active")))
			return false;
	}
	return true;
}

/* One of them changed its role after the order and is active here again: nobody took it. */
static bool
came_back(const json_t *status, const json_t *names, int64_t asked_ms)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		const json_t *r = find_router(status, json_string_value(name));

		if (r && is_active(r) && json_integer_value(json_object_get(r, "since_ms")) < asked_ms)
			return true;
	}
	return false;
}

static void
report_move(const struct call *call, const json_t *status, const json_t *names)
{
	const json_t *name;
	size_t i;

	if (call->json) {
		print_json(json_object_get(status, "routers"), JSON_INDENT(2));
		return;
	}
	json_array_foreach(names, i, name) {
		const json_t *r = find_router(status, json_string_value(name));
		const char *role = json_string_value(json_object_get(r, "role"));
		bool there = json_is_true(json_object_get(r, "peer_active"));

		printf("%s: %s here, %s\n", json_string_value(name), role ? role : "gone",
			there ? "active on the other node" : "the other node has not claimed it");
	}
}

/* How a switchover stands: DONE, REFUSED with a word why, or -1: not decided yet. */
static int
judge_move(const json_t *status, const json_t *names, mono asked)
{
	int64_t asked_ms = mono_diff_ns(mono_now(), asked) / NS_PER_MS;

	if (moved(status, names))
		return DONE;
	if (came_back(status, names, asked_ms - 1)) {
		fputs("tandemctl: the other node did not take over; this node is active again\n", stderr);
		return REFUSED;
	}
	if (asked_ms < SWITCHOVER_MS)
		return -1;
	fputs("tandemctl: the switchover did not complete in 10 s\n", stderr);
	return REFUSED;
}

/* The order was taken; now see with our own eyes that it happened. */
static int
watch_move(const struct call *call, const json_t *names, mono asked)
{
	int failures = 0, verdict = -1;

	for (; verdict == -1; sleep_ms(POLL_MS)) {
		json_t *status;
		int code = get_status(call, &status);

		if (code != DONE && ++failures >= ERRORS_AT_MOST)
			return code;
		if (code != DONE)
			continue;
		verdict = judge_move(status, names, asked);
		if (verdict != -1)
			report_move(call, status, names);
		json_decref(status);
	}
	return verdict;
}

static int
run_switchover(const struct call *call)
{
	const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
	json_t *status, *result, *names, *request;
	int code = get_status(call, &status);
	mono asked;

	if (code != DONE)
		return code;
	names = routers_to_move(status, name);
	json_decref(status);
	request = json_pack("{s:s}", "command", "switchover");
	if (name && json_object_set_new(request, "router", json_string(name)) == -1) {
		json_decref(request);
		json_decref(names);
		return usage_error("not a name", "switchover");
	}
	asked = mono_now();
	code = ask(call, request, &result);
	if (code == DONE) {
		json_decref(result);
		code = watch_move(call, names, asked);
	}
	json_decref(names);
	return code;
}

static int
run_reload(const struct call *call)
{
	json_t *result;
	int code = ask(call, json_pack("{s:s}", "command", "reload"), &result);
	const char *text;

	if (code != DONE)
		return code;
	text = json_string_value(json_object_get(result, "text"));
	if (call->json)
		print_json(result, JSON_INDENT(2));
	else
		printf("configuration: %s\n", text ? text : "loaded");
	json_decref(result);
	return DONE;
}

static void
print_event(const struct call *call, const json_t *event)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (call->json)
		print_json(event, JSON_COMPACT);
	else
		render_event(stdout, event, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
			colour_wanted());
}

static int
follow(const struct call *call, struct control_link *link)
{
	for (;;) {
		json_t *line;
		int error = control_link_receive(link, -1, &line);

		if (error != 0)
			return no_daemon(call, error);
		print_event(call, json_object_get(line, "event"));
		json_decref(line);
		if (fflush(stdout) != 0)
			return DONE;
	}
}

static int
run_events(const struct call *call)
{
	struct control_link link;
	json_t *result, *event;
	size_t i;
	int code = ask_on(call, &link, json_pack("{s:s, s:b}", "command", "events", "follow",
		(int)call->follow), -1, ANSWER_MS, &result);

	if (code == DONE) {
		json_array_foreach(json_object_get(result, "events"), i, event)
			print_event(call, event);
		json_decref(result);
		fflush(stdout);
		if (call->follow)
			code = follow(call, &link);
	}
	control_link_close(&link);
	return code;
}

/* "90", "90s", "20m", "2h", "1d" in seconds; 0 when it is not that. */
static int64_t
parse_duration(const char *text)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	long v = strtol(text, &end, 10);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end != text && v > 0 && v <= 366 * 86400 && *end == units[i].unit &&
			(*end == '\0' || end[1] == '\0'))
			return v * units[i].seconds;
	return 0;
}

/* 0 to 65535; -1 when it is not that. */
static int
parse_weight(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	return end == text || *end != '\0' || v < 0 || v > UINT16_MAX ? -1 : (int)v;
}

/* The order, and what became of it line by line. Takes over the reference of the request. */
static int
run_order(const struct call *call, json_t *request)
{
	json_t *result;
	const json_t *line;
	size_t i;
	int code;

	if (!request)
		return usage_error("not a name", NULL);
	code = ask(call, request, &result);
	if (code != DONE)
		return code;
	if (call->json)
		print_json(result, JSON_INDENT(2));
	else
		json_array_foreach(json_object_get(result, "lines"), i, line)
			printf("%s\n", json_string_value(line));
	json_decref(result);
	return DONE;
}

static json_t *
server_order(const struct call *call, const char *command)
{
	json_t *request = json_pack("{s:s, s:s}", "command", command, "server", call->arguments[0]);

	if (request && call->for_s > 0)
		json_object_set_new(request, "for_s", json_integer(call->for_s));
	return request;
}

static int
run_drain(const struct call *call)
{
	return run_order(call, server_order(call, "drain"));
}

static int
run_disable(const struct call *call)
{
	return run_order(call, server_order(call, "disable"));
}

static int
run_enable(const struct call *call)
{
	return run_order(call, server_order(call, "enable"));
}

static int
run_remove(const struct call *call)
{
	return run_order(call, server_order(call, "remove"));
}

static int
run_weight(const struct call *call)
{
	bool is_default = strcmp(call->arguments[1], "default") == 0;
	int weight = parse_weight(call->arguments[1]);
	json_t *request;

	if (!is_default && weight == -1)
		return usage_error("a weight is 0 to 65535, or `default`", call->arguments[1]);
	request = server_order(call, "weight");
	if (request)
		json_object_set_new(request, "weight", is_default ? json_null() : json_integer(weight));
	return run_order(call, request);
}

static int
run_add(const struct call *call)
{
	json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "command", "add", "virtual",
		call->arguments[0], "server", call->arguments[1], "address", call->arguments[2]);

	if (request && call->weight >= 0)
		json_object_set_new(request, "weight", json_integer(call->weight));
	return run_order(call, request);
}

/* The file that the daemon reads: DONE and its path in *out. */
static int
find_config(const struct call *call, char out[PATH_MAX])
{
	const char *path;
	json_t *status;
	int code = get_status(call, &status);

	if (code != DONE)
		return code;
	path = json_string_value(json_object_get(status, "config_file"));
	if (path)
		snprintf(out, PATH_MAX, "%s", path);
	else
		fputs("tandemctl: tandemd does not tell which file it reads; name it\n", stderr);
	json_decref(status);
	return path ? DONE : REFUSED;
}

/* A descriptor with the checked file, or -1: its errors are printed. */
static int
read_and_pack(const char *path)
{
	struct config config = {0};
	struct conf_errors errors = {0};
	int fd = -1;

	if (config_read_without_keys(path, &config, &errors)) {
		fd = config_pack(&config);
		if (fd == -1)
			fprintf(stderr, "tandemctl: no memory for the configuration: %s\n",
				strerror(errno));
	} else {
		conf_errors_print(&errors, stderr);
	}
	conf_errors_free(&errors);
	config_free(&config);
	return fd;
}

static int
run_plan(const struct call *call)
{
	char path[PATH_MAX] = "";
	json_t *request, *plan;
	int code = DONE, fd;

	if (call->argument_count == 0)
		code = find_config(call, path);
	else if (!realpath(call->arguments[0], path)) /* read_and_pack() says what is wrong */
		snprintf(path, sizeof(path), "%s", call->arguments[0]);
	if (code != DONE)
		return code;
	fd = read_and_pack(path);
	if (fd == -1)
		return REFUSED;
	request = json_pack("{s:s, s:s}", "command", "plan", "file", path);
	code = request ? ask_with(call, request, fd, PLAN_MS, &plan)
		       : usage_error("the name of a file must be UTF-8", "plan");
	close(fd);
	if (code != DONE)
		return code;
	if (call->json)
		print_json(plan, JSON_INDENT(2));
	else
		render_plan(stdout, plan, colour_wanted());
	json_decref(plan);
	return DONE;
}

static int
run_apply(const struct call *call)
{
	json_t *done;
	int code = ask_with(call, json_pack("{s:s}", "command", "apply"), -1, PLAN_MS, &done);

	if (code != DONE)
		return code;
	if (call->json)
		print_json(done, JSON_INDENT(2));
	else
		render_applied(stdout, done);
	code = json_integer_value(json_object_get(done, "failed")) == 0 ? DONE : REFUSED;
	json_decref(done);
	return code;
}

static const struct command {
	const char *name;
	int (*run)(const struct call *call); /* NULL: designed, and not in this version */
	int arguments_min, arguments_max;
	bool may_follow, may_for, may_weight;
} commands[] = {
	{.name = "status", .run = run_status},
	{.name = "watch", .run = run_watch},
	{.name = "switchover", .run = run_switchover, .arguments_max = 1},
	{.name = "events", .run = run_events, .may_follow = true},
	{.name = "reload", .run = run_reload},
	{.name = "drain", .run = run_drain, .arguments_min = 1, .arguments_max = 1, .may_for = true},
	{.name = "disable", .run = run_disable, .arguments_min = 1, .arguments_max = 1, .may_for = true},
	{.name = "enable", .run = run_enable, .arguments_min = 1, .arguments_max = 1},
	{.name = "weight", .run = run_weight, .arguments_min = 2, .arguments_max = 2},
	{.name = "add", .run = run_add, .arguments_min = 3, .arguments_max = 3, .may_weight = true},
	{.name = "remove", .run = run_remove, .arguments_min = 1, .arguments_max = 1},
	{.name = "plan", .run = run_plan, .arguments_max = 1},
	{.name = "apply", .run = run_apply},
	{.name = "failovers"}, {.name = "check-failover"}, {.name = "drill"}, {.name = "why"},
	{.name = "import"}, {.name = "metrics"},
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
run_command(struct call *call, const char *name, bool bad_option)
{
	const struct command *c = find_command(name);

	if (!c)
		return usage_error("no such command", name);
	if (!c->run) {
		fprintf(stderr, "tandemctl: %s: not available in this version\n", name);
		return USAGE;
	}
	if (bad_option)
		return usage_error("unknown option", name);
	if (call->argument_count > c->arguments_max)
		return usage_error("too many arguments", name);
	if (call->argument_count < c->arguments_min)
		return usage_error("an argument is missing", name);
	if (call->follow && !c->may_follow)
		return usage_error("does not take -f", name);
	if (call->for_s != 0 && !c->may_for)
		return usage_error("does not take --for", name);
	if (call->weight != -1 && !c->may_weight)
		return usage_error("does not take --weight", name);
	return c->run(call);
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
		{"follow", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {"for", required_argument, NULL, 'u'},
		{"weight", required_argument, NULL, 'w'}, {0}};
	struct call call = {.run_dir = "/run/tandem", .weight = -1};
	bool bad_option = false; /* judged last: a command that is not there yet has its own */
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "R:fhV", longs, NULL)) != -1) {
		switch (option) {
		case 'R': call.run_dir = optarg; break;
		case 'j': call.json = true; break;
		case 'u':
			call.for_s = parse_duration(optarg);
			if (call.for_s == 0)
				return usage_error("--for takes a time such as 90s, 20m or 2h", optarg);
			break;
		case 'w':
			call.weight = parse_weight(optarg);
			if (call.weight == -1)
				return usage_error("--weight takes 0 to 65535", optarg);
			break;
		case 'f': call.follow = true; break;
		case 'h': fputs(usage_text, stdout); return DONE;
		case 'V': printf("tandemctl %s\n", PACKAGE_VERSION); return DONE;
		default: bad_option = true;
		}
	}
	if (optind >= argc)
		return usage_error(bad_option ? "unknown option" : "a command is missing", NULL);
	call.arguments = argv + optind + 1;
	call.argument_count = argc - optind - 1;
	return run_command(&call, argv[optind], bad_option);
}
