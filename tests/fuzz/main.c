/*
 * Runs a fuzz entry without libFuzzer: over every file of its corpus, each cut short at every
 * length and with every byte replaced in turn. So the corpus is a test of every build.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

/* Of entries that take long: so many bytes further. */
#ifndef FUZZ_STEP
#define FUZZ_STEP 1
#endif

enum { INPUT_MAX = 1 << 20, CUT_MAX = 4096 };

static const uint8_t replacements[] = {0x00, 0xff, 0x80, '\n', '\r', ' ', '0', ':'};

/* A copy of exactly this size, so that a sanitizer sees a read beyond it. */
static void
feed(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	PROMISE(copy != NULL);
	memcpy(copy, bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
feed_variants(uint8_t *bytes, size_t size)
{
	size_t i, j;
	uint8_t kept;

	feed(bytes, size);
	for (i = 0; i < size && i < CUT_MAX; i += FUZZ_STEP)
		feed(bytes, i);
	for (i = 0; i < size && i < CUT_MAX; i += FUZZ_STEP) {
		kept = bytes[i];
		for (j = 0; j < sizeof(replacements); j++) {
			bytes[i] = replacements[j];
			feed(bytes, size);
		}
		bytes[i] = (uint8_t)(kept + 1);
		feed(bytes, size);
		bytes[i] = kept;
	}
}

static void
feed_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	size = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	feed_variants(bytes, size);
}

int
main(void)
{
	const char *top = getenv("top_srcdir");
	char folder[512], path[1024];
	struct dirent *entry;
	unsigned files = 0;
	DIR *d;

	snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", top != NULL ? top : "..",
		FUZZ_CORPUS);
	d = opendir(folder);
	if (d == NULL) {
		perror(folder);
		return 1;
	}
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		feed_file(path);
		files++;
	}
	closedir(d);
	printf("%s: %u files of the corpus, cut and changed at every byte\n", FUZZ_CORPUS, files);
	return files == 0;
}
