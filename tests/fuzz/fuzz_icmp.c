/*
 * The echo parser, as a raw socket feeds it: the first byte chooses the family. Promises: what is
 * taken is long enough, is ours by its mark, and builds back to the same bytes.
 */
#include "fuzz.h"

#include "core/icmp.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t built[ICMP_ECHO_LENGTH], family;
	struct icmp_echo echo;
	struct ip_addr source = {0};
	const uint8_t *message;

	if (size == 0)
		return 0;
	family = (data[0] & 1) != 0 ? IP_V6 : IP_V4;
	if (!icmp_echo_parse(family, data + 1, size - 1, &echo, &source))
		return 0;
	message = data + 1;
	if (family == IP_V4) {
		PROMISE(size - 1 >= 20 + ICMP_ECHO_LENGTH && source.family == IP_V4);
		PROMISE(memcmp(source.bytes, message + 12, 4) == 0);
		message += (size_t)(message[0] & 15) * 4;
	}
	PROMISE((size_t)(message - data) + ICMP_ECHO_LENGTH <= size);
	PROMISE(icmp_echo_build(family, &echo, built, sizeof(built)) == sizeof(built));
	/* all but type and checksum: the one is a request, the other may have more behind it */
	PROMISE(memcmp(built + 4, message + 4, ICMP_ECHO_LENGTH - 4) == 0);
	return 0;
}
