/*
 * The key file: one key a line, `[id:]hex`, 32 to 64 bytes; the first line signs, every line
 * verifies. Comments (#) and empty lines are left out. A file that somebody else can read is no
 * secret: it is refused.
 *
 * An error in a line stands at that line of the key file, one about the file as a whole at the
 * line of the configuration that names it. No message repeats anything of a key.
 */
#include "conf/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MIN = 32, FILE_MAX_BYTES = 16384 };

struct key_file {
	struct reader *reader;
	const config_setting_t *at;
	const char *path;
	unsigned line;
};

__attribute__((format(printf, 2, 3))) static void
complain(const struct key_file *f, const char *format, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	if (f->line > 0)
		errors_add_elsewhere(f->reader->errors, (uint32_t)config_setting_source_line(f->at),
			f->path, f->line, "key file: %s", what);
	else
		reader_error(f->reader, f->at, "heartbeat: key_file \"%s\": %s", f->path, what);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Where the hex begins; the id before it (0: it is none), or the line's number. */
static const char *
take_id(const struct key_file *f, const char *text, unsigned *id)
{
	const char *colon = strchr(text, ':');

	*id = f->line;
	if (!colon)
		return text;
	*id = 0;
	if (colon == text || colon - text > 3 || strspn(text, "0123456789") != (size_t)(colon - text))
		return colon + 1;
	for (; text < colon; text++)
		*id = *id * 10 + (unsigned)(*text - '0');
	return colon + 1;
}

static bool
take_hex(const struct key_file *f, const char *hex, struct conf_key *key)
{
	size_t digits = strlen(hex);

	for (size_t i = 0; i < digits; i++) {
		if (digit(hex[i]) != -1)
			continue;
		complain(f, "a key must be hexadecimal digits, with an id and a colon before them or "
			"not");
		return false;
	}
	if (digits < 2 * KEY_MIN || digits > 2 * LIMIT_KEY || digits % 2 != 0) {
		complain(f, "a key must have %d to %d hexadecimal digits, an even number; it has "
			"%zu", 2 * KEY_MIN, 2 * LIMIT_KEY, digits);
		return false;
	}
	key->length = (uint8_t)(digits / 2);
	for (size_t i = 0; i < key->length; i++)
		key->bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	return true;
}

static void
take_key(const struct key_file *f, const char *text)
{
	struct config *c = f->reader->out;
	struct conf_key *key = &c->keys[c->key_count];
	const char *hex;
	unsigned id;

	if (c->key_count == LIMIT_KEYS) {
		complain(f, "one key too many; %d may be valid at once, remove the oldest", LIMIT_KEYS);
		return;
	}
	hex = take_id(f, text, &id);
	if (id < 1 || id > 255) {
		complain(f, "the id of a key must be 1 to 255, such as 1:0123...");
		return;
	}
	for (uint32_t i = 0; i < c->key_count; i++)
		if (c->keys[i].id == id)
			complain(f, "id %u is that of another key as well; give each its own", id);
	if (!take_hex(f, hex, key))
		return;
	key->id = (uint8_t)id;
	c->key_count++;
}

static char *
trim(char *line)
{
	size_t n;

	line += strspn(line, " \t");
	n = strcspn(line, "#\r\n");
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	line[n] = '\0';
	return line;
}

static void
take_lines(struct key_file *f, char *text)
{
	size_t complaints = f->reader->errors->count;
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		f->line++;
		line = trim(line);
		if (*line != '\0')
			take_key(f, line);
	}
	f->line = 0;
	if (f->reader->out->key_count == 0 && f->reader->errors->count == complaints)
		complain(f, "there is no key in it; make one with: openssl rand -hex 32");
}

/* Is it a file that only its owner can read? */
static bool
is_private(const struct key_file *f, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		complain(f, "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		complain(f, "it is not a file");
	} else if ((st.st_mode & 077) != 0) {
		complain(f, "others than its owner can use it (mode %03o); chmod 600 it, and make a "
			"new key", (unsigned)st.st_mode & 0777);
	} else if (st.st_uid != 0 && st.st_uid != geteuid()) {
		complain(f, "it belongs to another user (uid %u)", (unsigned)st.st_uid);
	} else {
		return true;
	}
	return false;
}

/* Number of bytes, all of them text; -1 when it was refused. */
static ssize_t
read_text(const struct key_file *f, int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n = 1;

	while (n != 0 && length < size) {
		n = read(fd, text + length, size - length);
		if (n == -1 && errno != EINTR) {
			complain(f, "%s", strerror(errno));
			return -1;
		}
		if (n > 0)
			length += (size_t)n;
	}
	if (length == size)
		complain(f, "it is longer than %zu bytes", size - 1);
	else if (memchr(text, '\0', length))
		complain(f, "it holds a NUL byte");
	else
		return (ssize_t)length;
	return -1;
}

void
read_key_file(struct reader *r, const config_setting_t *at)
{
	struct key_file f = {.reader = r, .at = at, .path = r->out->key_file};
	char text[FILE_MAX_BYTES + 1];
	ssize_t n = -1;
	int fd = open(f.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1) {
		complain(&f, "%s", strerror(errno));
		return;
	}
	if (is_private(&f, fd))
		n = read_text(&f, fd, text, sizeof(text));
	close(fd);
	if (n >= 0) {
		text[n] = '\0';
		take_lines(&f, text);
	}
	explicit_bzero(text, sizeof(text));
}
