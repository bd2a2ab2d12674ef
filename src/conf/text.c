/*
 * Putting the included files in place. See text.h; the tokens are in tokens.c.
 *
 * The rules are libconfig's: `@include "name"` at the start of a line, outside comments and
 * strings, relative to the folder of the main file, ten files deep at most.
 */
#include "conf/text.h"
#include "conf/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INCLUDE_DEPTH = 10, TEXT_MAX = 64 << 20 };

struct loader {
	struct text *text;
	struct errors *errors;
	char folder[LIMIT_PATH]; /* of the main file, with its slash; "" is here */
	bool failed;
};

static void load_file(struct loader *l, const char *path, uint32_t from_line, int depth);

static void
append(struct text *t, const char *bytes, size_t n)
{
	while (t->length + n + 1 > t->capacity)
		t->bytes = conf_grow(t->bytes, t->capacity, &t->capacity, 1);
	memcpy(t->bytes + t->length, bytes, n);
	t->length += n;
	t->bytes[t->length] = '\0';
}

static void
begin_line(struct text *t, uint32_t file, uint32_t line)
{
	t->lines = conf_grow(t->lines, t->line_count, &t->line_capacity, sizeof(*t->lines));
	t->lines[t->line_count++] = (struct text_origin){.file = file, .line = line};
}

static void
fail(struct loader *l, uint32_t line, const char *path, const char *why)
{
	errors_add(l->errors, line, "cannot read %s: %s", path, why);
	l->failed = true;
}

static char *
read_bytes(struct loader *l, int fd, const char *path, uint32_t from_line, size_t *length)
{
	char *bytes = NULL;
	size_t capacity = 0;
	ssize_t n = 1;

	*length = 0;
	while (n > 0 && *length <= TEXT_MAX) {
		while (*length + 4096 > capacity)
			bytes = conf_grow(bytes, capacity, &capacity, 1);
		n = read(fd, bytes + *length, capacity - *length);
		if (n > 0)
			*length += (size_t)n;
		else if (n == -1 && errno == EINTR)
			n = 1;
	}
	if (n == -1)
		fail(l, from_line, path, strerror(errno));
	else if (*length > TEXT_MAX)
		fail(l, from_line, path, "it is longer than 64 MiB");
	else if (memchr(bytes, '\0', *length))
		fail(l, from_line, path, "it holds a NUL byte");
	else
		return bytes;
	free(bytes);
	return NULL;
}

/*
 * The whole file in memory (free it), or NULL and an error at from_line. The main file may be a
 * pipe (`tandemd -t -f /dev/stdin`); an included one that is no file must not hold up a reload.
 */
static char *
slurp(struct loader *l, const char *path, uint32_t from_line, size_t *length)
{
	bool included = from_line != 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (included ? O_NONBLOCK : 0));
	struct stat st;
	char *bytes = NULL;

	if (fd == -1) {
		fail(l, from_line, path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) == -1)
		fail(l, from_line, path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		fail(l, from_line, path, "it is a folder");
	else if (included && !S_ISREG(st.st_mode))
		fail(l, from_line, path, "it is not a file");
	else
		bytes = read_bytes(l, fd, path, from_line, length);
	close(fd);
	return bytes;
}

/*
 * At the start of a line: is this `@include "name"`? Returns the length of the directive and the
 * name with libconfig's two escapes taken out, or 0.
 */
static size_t
parse_include(const char *at, const char *end, char name[LIMIT_PATH])
{
	static const char word[] = "@include";
	const char *p = at;
	size_t n = 0;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if ((size_t)(end - p) < sizeof(word) || memcmp(p, word, sizeof(word) - 1) != 0)
		return 0;
	p += sizeof(word) - 1;
	if (*p != ' ' && *p != '\t')
		return 0;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || *p++ != '"')
		return 0;
	for (; p < end && *p != '"' && *p != '\n' && n < LIMIT_PATH - 1; p++) {
		if (*p == '\\' && p + 1 < end && (p[1] == '\\' || p[1] == '"'))
			p++;
		name[n++] = *p;
	}
	name[n] = '\0';
	return p < end && *p == '"' ? (size_t)(p + 1 - at) : 0;
}

static void
include(struct loader *l, const char *name, uint32_t from_line, int depth)
{
	char path[LIMIT_PATH];
	int n = snprintf(path, sizeof(path), "%s%s", name[0] == '/' ? "" : l->folder, name);

	if (depth == INCLUDE_DEPTH)
		fail(l, from_line, name, "files include each other more than ten deep");
	else if (n < 0 || (size_t)n >= sizeof(path))
		fail(l, from_line, name, "the path is too long");
	else if (l->text->length > TEXT_MAX)
		fail(l, from_line, path, "together the files are longer than 64 MiB");
	else
		load_file(l, path, from_line, depth + 1);
}

static uint32_t
register_file(struct text *t, const char *path)
{
	for (uint32_t i = 0; i < t->file_count; i++)
		if (strcmp(t->files[i], path) == 0)
			return i;
	t->files = conf_grow(t->files, t->file_count, &t->file_capacity, sizeof(*t->files));
	snprintf(t->files[t->file_count], sizeof(*t->files), "%s", path);
	return t->file_count++;
}

/* A comment or string must end in the file that opens it. */
static void
check_closed(struct loader *l, const struct lexer *x, uint32_t opened)
{
	if (x->state == LEX_COMMENT)
		errors_add(l->errors, opened, "the comment that begins here is never closed");
	else if (x->state == LEX_STRING)
		errors_add(l->errors, opened, "the text that begins here is never closed");
	else
		return;
	l->failed = true;
}

static void
flatten(struct loader *l, const char *bytes, size_t length, uint32_t file, int depth)
{
	struct text *t = l->text;
	struct lexer x = {.state = LEX_PLAIN};
	const char *end = bytes + length;
	uint32_t line = 1;
	uint32_t opened = 0;
	bool at_start = true;

	begin_line(t, file, line);
	for (const char *p = bytes; p < end && !l->failed;) {
		char name[LIMIT_PATH];
		size_t skip = at_start && x.state == LEX_PLAIN ? parse_include(p, end, name) : 0;
		enum lex_state before = x.state;

		at_start = false;
		if (skip) {
			append(t, "\n", 1);
			include(l, name, (uint32_t)t->line_count, depth);
			begin_line(t, file, line); /* what follows the directive */
			p += skip;
			continue;
		}
		lexer_step(&x, *p);
		if (before != x.state)
			opened = (uint32_t)t->line_count;
		append(t, p, 1);
		if (*p++ != '\n')
			continue;
		at_start = true;
		begin_line(t, file, ++line);
	}
	append(t, "\n", 1);
	if (!l->failed)
		check_closed(l, &x, opened);
}

static void
load_file(struct loader *l, const char *path, uint32_t from_line, int depth)
{
	size_t length = 0;
	char *bytes;
	uint32_t file = register_file(l->text, path);

	bytes = slurp(l, path, from_line, &length);
	if (bytes)
		flatten(l, bytes, length, file, depth);
	free(bytes);
}

bool
text_load(struct text *t, const char *path, struct errors *errors)
{
	struct loader l = {.text = t, .errors = errors};
	const char *slash = strrchr(path, '/');

	*t = (struct text){0};
	append(t, "", 0);
	if (strlen(path) >= LIMIT_PATH) {
		fail(&l, 0, path, "the path is too long");
		return false;
	}
	if (slash)
		memcpy(l.folder, path, (size_t)(slash + 1 - path));
	load_file(&l, path, 0, 1);
	if (!l.failed)
		tokens_look_through(t, errors);
	return !l.failed;
}

void
text_free(struct text *t)
{
	free(t->bytes);
	free(t->lines);
	free(t->files);
	free(t->settings);
	*t = (struct text){0};
}

const char *
text_origin_file(const struct text *t, uint32_t flat_line)
{
	uint32_t file = 0;

	if (flat_line != 0 && flat_line <= t->line_count)
		file = t->lines[flat_line - 1].file;
	return file < t->file_count ? t->files[file] : "";
}

int
text_origin_line(const struct text *t, uint32_t flat_line)
{
	if (flat_line == 0 || flat_line > t->line_count)
		return 0;
	return (int)t->lines[flat_line - 1].line;
}
