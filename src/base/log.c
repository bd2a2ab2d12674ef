/* Sinks of log lines. See log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const char syslog_path[] = "/dev/log";

void
log_open(struct logger *log, int facility, enum log_level level, const char *cluster)
{
	*log = (struct logger){
		.syslog_fd = -1, .relay_fd = -1, .facility = facility, .level = level};
	snprintf(log->ident, sizeof(log->ident), "tandemd");
	snprintf(log->cluster, sizeof(log->cluster), "%s", cluster);
}

void
log_close(struct logger *log)
{
	if (log->syslog_fd != -1)
		close(log->syslog_fd);
	log->syslog_fd = -1;
}

static void
connect_syslog(struct logger *log, mono now)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (!mono_due(log->retry_at, now))
		return;
	log->retry_at = mono_add_ns(now, NS_PER_S);
	log->syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (log->syslog_fd == -1)
		return;
	memcpy(to.sun_path, syslog_path, sizeof(syslog_path));
	if (connect(log->syslog_fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		log_close(log);
}

static bool
send_syslog(struct logger *log, enum log_level level, const struct log_line *line, mono now)
{
	char head[96], stamp[32];
	time_t wall = time(NULL);
	struct tm tm;
	int head_len;
	struct iovec iov[2];
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	if (log->syslog_fd == -1)
		connect_syslog(log, now);
	if (log->syslog_fd == -1)
		return false;
	localtime_r(&wall, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	head_len = snprintf(head, sizeof(head), "<%d>%s %s[%d]: ", log->facility | (int)level, stamp,
		log->ident, (int)getpid());
	iov[0] = (struct iovec){head, (size_t)head_len};
	iov[1] = (struct iovec){(void *)(uintptr_t)line->text, line->length};
	if (sendmsg(log->syslog_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
		log_close(log); /* syslog was restarted: connect again at the next line */
	return false;
}

static bool
send_relay(struct logger *log, enum log_level level, const struct log_line *line, mono now)
{
	struct log_relay_header header = {.at_ns = now.ns, .level = (uint32_t)level};
	struct iovec iov[2] = {{&header, sizeof(header)},
		{(void *)(uintptr_t)line->text, line->length}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	return sendmsg(log->relay_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) != -1;
}

void
log_lost(struct logger *log)
{
	log->syslog_dropped++;
	log->dropped_total++;
}

static void
deliver(struct logger *log, enum log_level level, const struct log_line *line, mono now)
{
	if (!log->relay_only && !send_syslog(log, level, line, now))
		log_lost(log);
	if (log->relay_fd != -1 && !send_relay(log, level, line, now)) {
		log->relay_dropped++;
		log->dropped_total++;
	}
}

/* Tell how many lines were lost, once the sink takes one again. */
static void
report_dropped(struct logger *log, mono now)
{
	struct log_line line;

	if (log->syslog_dropped == 0 || log->syslog_fd == -1)
		return;
	log_line_begin(&line, "log");
	log_line_reason(&line, REASON_LOG_DROPPED);
	log_line_int(&line, "lines", (int64_t)log->syslog_dropped);
	if (send_syslog(log, LOG_LEVEL_WARNING, &line, now))
		log->syslog_dropped = 0;
}

void
log_emit(struct logger *log, enum log_level level, const struct log_line *line)
{
	mono now = mono_now();

	if (!log_wanted(log, level))
		return;
	report_dropped(log, now);
	deliver(log, level, line, now);
}

bool
log_facility_parse(const char *name, int *out)
{
	static const struct {
		const char *name;
		int value;
	} facilities[] = {
		{"daemon", LOG_DAEMON}, {"user", LOG_USER}, {"syslog", LOG_SYSLOG},
		{"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2},
		{"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
		{"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
	};

	for (size_t i = 0; i < sizeof(facilities) / sizeof(facilities[0]); i++)
		if (strcmp(facilities[i].name, name) == 0) {
			*out = facilities[i].value;
			return true;
		}
	return false;
}
