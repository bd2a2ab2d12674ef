/* Writing the request. See http.h. */
#include "core/http.h"

#include <stdio.h>
#include <string.h>

/* Would this text change the shape of the request? */
static bool
http_text_safe(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

/* The Host value: IPv6 in brackets, the port only when it is not the default (H19). */
static void
http_host_text(const struct endpoint *to, uint16_t default_port, char out[ENDPOINT_TEXT])
{
	endpoint_format(to, out);
	if (to->port == default_port)
		*strrchr(out, ':') = '\0';
}

size_t
http_request_build(const struct http_request *request, char *out, size_t capacity)
{
	char host[ENDPOINT_TEXT];
	int length;

	if (request->path[0] != '/' || !http_text_safe(request->path) ||
	    !http_text_safe(request->host))
		return 0;
	http_host_text(request->to, request->default_port, host);
	length = snprintf(out, capacity,
		"GET %s HTTP/1.1\r\n"
		"Host: %s\r\n"
		"User-Agent: tandem/%s\r\n"
		"Connection: close\r\n"
		"Accept-Encoding: identity\r\n"
		"\r\n",
		request->path, request->host[0] != '\0' ? request->host : host, request->version);
	return length > 0 && (size_t)length < capacity ? (size_t)length : 0;
}
