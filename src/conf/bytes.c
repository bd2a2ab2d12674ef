/* Bytes in the configuration. See bytes.h. */
#include "conf/bytes.h"

#include <ctype.h>
#include <string.h>

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, tolower((unsigned char)c));

	return at ? (int)(at - digits) : -1;
}

/* What follows a backslash, at *text, which moves to its last byte; -1 when it is nothing. */
static int
take_escape(const char **text)
{
	int high, low;

	switch (**text) {
	case 'r': return '\r';
	case 'n': return '\n';
	case 't': return '\t';
	case '\\': return '\\';
	case 'x': break;
	default: return -1;
	}
	high = hex_digit((*text)[1]);
	low = high == -1 ? -1 : hex_digit((*text)[2]);
	*text += low == -1 ? 0 : 2;
	return low == -1 ? -1 : high * 16 + low;
}

bool
bytes_parse(const char *text, struct conf_bytes *out)
{
	memset(out, 0, sizeof(*out));
	for (; *text != '\0'; text++) {
		int byte = (unsigned char)*text;

		if (byte == '\\') {
			text++;
			byte = take_escape(&text);
		}
		if (byte == -1 || out->length == LIMIT_PROBE_BYTES)
			return false;
		out->bytes[out->length++] = (uint8_t)byte;
	}
	return true;
}

void
bytes_print(const struct conf_bytes *bytes, FILE *to)
{
	fputc('"', to);
	for (uint32_t i = 0; i < bytes->length; i++) {
		uint8_t byte = bytes->bytes[i];

		if (byte == '\\')
			fputs("\\\\\\\\", to);
		else if (byte == '"')
			fputs("\\\"", to);
		else if (byte == '\r' || byte == '\n')
			fputs(byte == '\r' ? "\\r" : "\\n", to);
		else if (byte < ' ' || byte >= 0x7f)
			fprintf(to, "\\\\x%02x", byte);
		else
			fputc(byte, to);
	}
	fputc('"', to);
}
