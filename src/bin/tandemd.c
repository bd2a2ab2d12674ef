/*
 * tandemd: command line, configuration check, which node this is, lock, background; then the
 * supervisor (proc/supervisor.h) runs until it is told to stop.
 *
 * Exit status: 0 clean stop, 1 bad configuration or usage, 2 the system refused something that it
 * cannot do without.
 */
#include <config.h>

#include "conf/print.h"
#include "conf/read.h"
#include "linux/privileges.h"
#include "proc/rundir.h"
#include "proc/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct arguments {
	struct supervisor_options run;
	bool check, dump;
};

static const char usage_text[] =
	"usage: tandemd [-F] [-f FILE] [-n NODE] [-R DIR] [-S DIR]\n"
	"       tandemd -t [--dump] [-f FILE]\n"
	"       tandemd -V\n"
	"  -f FILE  configuration (default " SYSCONFDIR "/tandem/tandem.conf)\n"
	"  -n NODE  which entry of `nodes` this box is (default: the one with a local address)\n"
	"  -F       stay in the foreground and also log to stderr\n"
	"  -t       check the configuration, print every error, exit 0 or 1\n"
	"  --dump   with -t: print the whole effective configuration\n"
	"  -R DIR   run directory (default /run/tandem)\n"
	"  -S DIR   state directory (default /var/lib/tandem)\n"
	"  -V       print the version\n";

static int
usage_error(void)
{
	fputs(usage_text, stderr);
	return EXIT_CONFIG;
}

/* -1: go on. Otherwise the exit status. */
static int
parse_arguments(int argc, char **argv, struct arguments *a)
{
	static const struct option longs[] = {
		{"dump", no_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "f:n:FtR:S:Vh", longs, NULL)) != -1) {
		switch (option) {
		case 'f': a->run.config_path = optarg; break;
		case 'n': a->run.node_name = optarg; break;
		case 'F': a->run.foreground = true; break;
		case 't': a->check = true; break;
		case 'd': a->dump = true; break;
		case 'R': a->run.run_dir = optarg; break;
		case 'S': a->run.state_dir = optarg; break;
		case 'V': printf("tandemd %s\n", PACKAGE_VERSION); return 0;
		case 'h': fputs(usage_text, stdout); return 0;
		default: return usage_error();
		}
	}
	if (optind != argc || (a->dump && !a->check))
		return usage_error();
	return -1;
}

/* Is `have`, of one of this box's interfaces, that address? */
static bool
is_at(const struct sockaddr *have, const struct ip_addr *address)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (have->sa_family == AF_INET && address->family == IP_V4) {
		memcpy(&in, have, sizeof(in));
		return memcmp(&in.sin_addr, address->bytes, sizeof(in.sin_addr)) == 0;
	}
	if (have->sa_family == AF_INET6 && address->family == IP_V6) {
		memcpy(&in6, have, sizeof(in6));
		return memcmp(&in6.sin6_addr, address->bytes, sizeof(in6.sin6_addr)) == 0;
	}
	return false;
}

static bool
is_local(const struct ip_addr *address)
{
	struct ifaddrs *list, *i;
	bool found = false;

	if (getifaddrs(&list) == -1)
		return false;
	for (i = list; i && !found; i = i->ifa_next)
		found = i->ifa_addr && is_at(i->ifa_addr, address);
	freeifaddrs(list);
	return found;
}

/* By name (-n), else by a local address, else by the hostname; CONF_NO_INDEX when none fits. */
static uint32_t
choose_node(const struct config *config, const char *name)
{
	char host[LIMIT_NAME];

	if (name)
		return config_find_node(config, name);
	for (uint32_t i = 0; i < config->node_count; i++)
		if (is_local(&config->nodes[i].address))
			return i;
	if (gethostname(host, sizeof(host)) == -1)
		return CONF_NO_INDEX;
	host[sizeof(host) - 1] = '\0';
	host[strcspn(host, ".")] = '\0';
	return config_find_node(config, host);
}

static bool
load(const char *path, struct config *config)
{
	struct conf_errors errors = {0};
	bool ok = config_read_path(path, config, &errors);

	if (!ok)
		conf_errors_print(&errors, stderr);
	conf_errors_free(&errors);
	return ok;
}

/* Leave the terminal; the parent waits until the daemon is up and exits as it tells. */
static int
go_background(struct supervisor_options *options)
{
	int ends[2], null;
	unsigned char status = EXIT_SYSTEM;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		fprintf(stderr, "tandemd: cannot go to the background: %s\n", strerror(errno));
		return EXIT_SYSTEM;
	}
	if (pid != 0) {
		close(ends[1]);
		if (read(ends[0], &status, 1) != 1)
			status = EXIT_SYSTEM;
		_exit(status);
	}
	close(ends[0]);
	setsid();
	if (chdir("/") == -1)
		return EXIT_SYSTEM;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close(null);
	options->ready_fd = ends[1];
	return -1;
}

static int
take_lock(const struct supervisor_options *options)
{
	int fd = rundir_lock(options->run_dir);

	if (fd == -EWOULDBLOCK)
		fprintf(stderr, "tandemd: another tandemd runs on run directory %s; stop it or use -R\n",
			options->run_dir);
	else if (fd < 0)
		fprintf(stderr, "tandemd: cannot lock run directory %s: %s\n", options->run_dir,
			strerror(-fd));
	return fd;
}

static int
run(struct arguments *a, struct config *config, uint32_t node)
{
	int status, lock;
	char absolute[PATH_MAX];

	if (!privileges_sufficient(stderr))
		return EXIT_SYSTEM;
	if (realpath(a->run.config_path, absolute))
		a->run.config_path = absolute;
	if (mkdir(a->run.state_dir, 0755) == -1 && errno != EEXIST) {
		fprintf(stderr, "tandemd: cannot make state directory %s: %s\n", a->run.state_dir,
			strerror(errno));
		return EXIT_SYSTEM;
	}
	lock = take_lock(&a->run);
	if (lock < 0)
		return EXIT_SYSTEM;
	if (!a->run.foreground && (status = go_background(&a->run)) != -1)
		return status;
	rundir_write_pid(a->run.run_dir, (int)getpid());
	status = supervisor_run(&a->run, config, node);
	rundir_remove_pid(a->run.run_dir);
	return status;
}

int
main(int argc, char **argv)
{
	struct arguments a = {.run = {
		.config_path = SYSCONFDIR "/tandem/tandem.conf",
		.run_dir = "/run/tandem",
		.state_dir = "/var/lib/tandem",
		.ready_fd = -1,
	}};
	struct config config = {0};
	int status = parse_arguments(argc, argv, &a);
	uint32_t node;

	if (status != -1)
		return status;
	if (!load(a.run.config_path, &config))
		return EXIT_CONFIG;
	if (a.check) {
		if (a.dump)
			config_print(&config, stdout);
		config_free(&config);
		return 0;
	}
	node = choose_node(&config, a.run.node_name);
	if (node == CONF_NO_INDEX) {
		fprintf(stderr, "tandemd: %s: no entry of nodes %s%s; use -n NODE\n", a.run.config_path,
			a.run.node_name ? "is named " : "has an address or name of this box",
			a.run.node_name ? a.run.node_name : "");
		config_free(&config);
		return EXIT_CONFIG;
	}
	status = run(&a, &config, node);
	config_free(&config);
	return status;
}
