/*
 * Is a single value what its key wants? See reader.h.
 *
 * Text kinds have one function each that returns what is wrong as the second half of a message
 * ('vrid is 300; it must be 1 to 255'), or NULL.
 */
#include "conf/bytes.h"
#include "conf/host.h"
#include "conf/listen.h"
#include "conf/reader.h"
#include "core/dns.h"
#include "core/http.h"
#include "core/json_pointer.h"

#include <ctype.h>
#include <string.h>

static bool
is_alnum_ascii(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
all_of(const char *text, const char *more)
{
	for (; *text != '\0'; text++)
		if (!is_alnum_ascii(*text) && !strchr(more, *text))
			return false;
	return true;
}

/* No control byte, space or byte beyond ASCII: nothing that ends a line of HTTP or of a log. */
static bool
is_graphic(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

static const char *
fault_name(const char *v)
{
	if (*v == '\0' || strlen(v) >= LIMIT_NAME || !all_of(v, "._-"))
		return "it must be letters, digits, '.', '_' and '-', 1 to 63 of them";
	return NULL;
}

static const char *
fault_node(const char *v)
{
	if (fault_name(v) || strchr(v, '.') || !isalpha((unsigned char)*v))
		return "the name of a node must be a letter, then letters, digits, '_' and '-', "
		       "63 at most";
	if (strcasecmp(v, "true") == 0 || strcasecmp(v, "false") == 0 ||
		key_find(&keys_link, v)) /* where it has to be told from names of nodes */
		return "that word cannot be the name of a node";
	return NULL;
}

static const char *
fault_user_group(const char *v)
{
	return *v == '\0' ? NULL : fault_name(v);
}

static const char *
fault_user(const char *v)
{
	return *v == '\0' ? "it must be the name of a user" : fault_name(v);
}

static const char *
fault_argument(const char *v)
{
	if (strlen(v) >= LIMIT_PATH)
		return "it must be 255 bytes at most";
	for (; *v != '\0'; v++)
		if ((unsigned char)*v < ' ' || *v == 0x7f)
			return "it must not hold control characters";
	return NULL;
}

static const char *
fault_assignment(const char *v)
{
	size_t n = strcspn(v, "=");

	if (v[n] != '=' || n == 0 || (*v >= '0' && *v <= '9'))
		return "it must be NAME=VALUE";
	for (size_t i = 0; i < n; i++)
		if (!is_alnum_ascii(v[i]) && v[i] != '_')
			return "a name must be letters, digits and '_'";
	return strncmp(v, "TANDEM_", 7) == 0 ? "names that begin with TANDEM_ are set by tandem"
		: fault_argument(v);
}

static const char *
fault_interface(const char *v)
{
	if (*v == '\0' || strlen(v) >= LIMIT_IFNAME || !is_graphic(v) || strpbrk(v, "/:\"\\") ||
		strcmp(v, ".") == 0 || strcmp(v, "..") == 0)
		return "it must be the name of an interface, 1 to 15 characters";
	return NULL;
}

/* An address that one host can have. */
static const char *
fault_host(const struct ip_addr *a)
{
	static const struct ip_addr unspecified = {IP_V6, {0}}, loopback = {IP_V6, {[15] = 1}};
	static const struct ip_prefix mapped = {{IP_V6, {[10] = 0xff, [11] = 0xff}}, 96};

	if (a->family == IP_V6 && ip_prefix_contains(&mapped, a))
		return "it is an IPv4 address in disguise; write it as one";
	if (a->family == IP_V6)
		return a->bytes[0] == 0xff || ip_addr_equal(a, &unspecified) ||
			ip_addr_equal(a, &loopback)
			? "it must be the address of one host (not ::, ::1 or multicast)" : NULL;
	if (a->bytes[0] == 0 || a->bytes[0] >= 224)
		return "it must be the address of one host (not 0.x.x.x, multicast or broadcast)";
	return NULL;
}

static const char *
fault_address(const char *v)
{
	struct ip_addr a;

	if (!ip_addr_parse(v, &a))
		return "it must be an address, such as 10.77.0.11 or fd00:77::11";
	return fault_host(&a);
}

static const char *
fault_prefix(const char *v)
{
	struct ip_prefix p;
	uint32_t address, host;

	if (!ip_prefix_parse(v, &p))
		return "it must be an address and its length, such as 10.77.0.100/24";
	if (fault_host(&p.addr))
		return fault_host(&p.addr);
	if (p.length == 0)
		return "the length of the prefix must be 1 to 32, or 1 to 128";
	if (p.addr.family == IP_V6)
		return ip_addr_is_link_local(&p.addr) && p.length != 64 && p.length != 128
			? "the length of a link-local address must be 64 or 128" : NULL;
	if (p.addr.bytes[0] == 127)
		return "a loopback address cannot be a virtual address";
	address = (uint32_t)p.addr.bytes[0] << 24 | (uint32_t)p.addr.bytes[1] << 16 |
		(uint32_t)p.addr.bytes[2] << 8 | p.addr.bytes[3];
	host = (uint32_t)(UINT64_C(0xffffffff) >> p.length);
	if (p.length < 31 && ((address & host) == 0 || (address & host) == host))
		return "that is the network's own or its broadcast address, not one of a host";
	return NULL;
}

/* A prefix that a node may take over as a whole. */
static const char *
fault_network(const char *v)
{
	struct ip_prefix p;
	bool host_bits = false;

	if (!strchr(v, '/') || !ip_prefix_parse(v, &p))
		return "it must be a network and its length, such as 10.78.0.0/20";
	for (unsigned bit = p.length; bit < ip_addr_size(&p.addr) * 8; bit++)
		host_bits = host_bits || (p.addr.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
	if (p.addr.family == IP_V6)
		return "it must be IPv4: Linux does not answer for the addresses of an IPv6 block; "
		       "list them in addresses, or route the prefix to one of those";
	if (host_bits)
		return "it has bits beyond its length; it must be a network's own address";
	if (fault_host(&p.addr) || ip_addr_is_link_local(&p.addr) || p.addr.bytes[0] == 127)
		return "it must be a network of hosts (not 0.x.x.x, loopback, link-local or multicast)";
	if (p.length < 8)
		return "its length must be 8 to 32";
	return NULL;
}

static const char *
fault_listen(const char *v)
{
	struct conf_listen l;

	if (!listen_parse(v, &l))
		return "it must be an address and a port, such as 10.77.0.100:80, or a range of "
		       "them, such as 10.77.0.100-10.77.0.103:8000-8010";
	if (listen_count(&l) > LIMIT_LISTENS)
		return "that range is too long; 16384 addresses and ports are the limit";
	return fault_host(&l.first) ? fault_host(&l.first) : fault_host(&l.last);
}

/* Another host, by address or name; the port may be left to the client. */
static const char *
fault_server(const char *v)
{
	struct endpoint e = {0};
	char host[LIMIT_HOST];
	uint16_t port;

	if (endpoint_parse(v, &e) || ip_addr_parse(v, &e.addr))
		return fault_host(&e.addr);
	return host_parse(v, host, &port) ? NULL
		: "it must be an address and a port, such as 10.88.0.21:80, or an address, or a name "
		  "instead of the address, such as web1.example.net:80";
}

static const char *
fault_multicast(const char *v)
{
	struct ip_addr a;

	if (!ip_addr_parse(v, &a) || a.bytes[0] < (a.family == IP_V4 ? 224 : 255) ||
		(a.family == IP_V4 && a.bytes[0] > 239))
		return "it must be the address of a multicast group, such as 224.0.0.81";
	return NULL;
}

/* What a probe of this node may ask: this host itself, too. */
static const char *
fault_target(const char *v)
{
	static const struct ip_addr loopback = {IP_V6, {[15] = 1}};
	struct endpoint e = {0};
	char host[LIMIT_HOST];
	uint16_t port;

	if (endpoint_parse(v, &e) || ip_addr_parse(v, &e.addr))
		return ip_addr_equal(&e.addr, &loopback) ? NULL : fault_host(&e.addr);
	return host_parse(v, host, &port) ? NULL
		: "it must be an address and a port, such as 127.0.0.1:80, or an address, or a name "
		  "instead of the address, such as db.example.net:5432";
}

static const char *
fault_place(const char *v)
{
	struct ip_addr a;
	char host[LIMIT_HOST];
	uint16_t port = 0;

	if (ip_addr_parse(v, &a))
		return fault_host(&a);
	return host_parse(v, host, &port) && port == 0 ? NULL
		: "it must be an address, such as 10.99.0.21 or fd00:99::21, or a name, such as "
		  "health.example.net, without a port";
}

static const char *
fault_mask(const char *v)
{
	struct ip_addr a;
	bool ones = true, sound = true;

	if (!ip_addr_parse(v, &a))
		return "it must be a netmask, such as 255.255.255.0 or ffff:ffff:ffff:ff00::";
	for (unsigned bit = 0; bit < ip_addr_size(&a) * 8; bit++) {
		bool one = (a.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;

		sound = sound && (ones || !one) && (bit != 0 || one);
		ones = one;
	}
	return sound ? NULL : "it must be a netmask: ones, then zeros, such as 255.255.255.0";
}

static const char *
fault_program(const char *v)
{
	if (*v != '/' || strlen(v) >= LIMIT_PATH || !is_graphic(v))
		return "it must be the absolute path of a program, without spaces or arguments, "
		       "255 characters at most";
	return NULL;
}

static const char *
fault_file(const char *v)
{
	if (*v != '/' || strlen(v) >= LIMIT_PATH || !is_graphic(v))
		return "it must be the absolute path of a file, without spaces, 255 characters at most";
	return NULL;
}

static const char *
fault_url_path(const char *v)
{
	if (*v != '/' || strlen(v) >= LIMIT_PATH || !is_graphic(v))
		return "it must begin with '/' and hold no space or control character, "
		       "255 characters at most";
	return NULL;
}

static const char *
fault_host_header(const char *v)
{
	if (strlen(v) >= LIMIT_PATH || !all_of(v, ".-_:[]"))
		return "it must be a host name or address, perhaps with a port";
	return NULL;
}

static const char *
fault_host_name(const char *v)
{
	struct ip_addr address;

	if (strlen(v) >= 254 || !all_of(v, ".-_") || ip_addr_parse(v, &address))
		return "it must be a host name, such as www.example.com (not an address)";
	return NULL;
}

static const char *
fault_status(const char *v)
{
	struct conf_status_range ranges[LIMIT_STATUS_RANGES];
	uint32_t count;

	if (!status_parse(v, ranges, &count))
		return "it must be statuses and ranges from 100 to 599, at most eight, "
		       "such as 200-299,301";
	return NULL;
}

static const char *
fault_text(const char *v)
{
	if (strlen(v) >= LIMIT_EXPECT_BODY)
		return "it must be 127 bytes at most";
	for (; *v != '\0'; v++)
		if ((unsigned char)*v < ' ' || *v == 0x7f)
			return "it must not hold control characters";
	return NULL;
}

static const char *
fault_request_header(const char *v)
{
	size_t length = strlen(v);

	if (!http_header_sound(v, length))
		return "it must be a name, a colon and a value without control characters, such as "
		       "\"X-Probe: tandem\"";
	if (http_header_taken(v, length))
		return "tandem sets that header itself (Host is in host, a length comes with body)";
	return NULL;
}

static const char *
fault_answer_header(const char *v)
{
	if (*v == '\0')
		return NULL;
	if (strlen(v) >= LIMIT_EXPECT_BODY || !http_header_sound(v, strlen(v)))
		return "it must be a name, a colon and a part of the value, 127 bytes at most, such "
		       "as \"Content-Type: json\"";
	return NULL;
}

static const char *
fault_regex(const char *v)
{
	if (strlen(v) >= LIMIT_REGEX)
		return "it must be 255 bytes at most";
	for (; *v != '\0'; v++)
		if ((unsigned char)*v < ' ' || *v == 0x7f)
			return "it must not hold control characters; \\\\n and its like do as well";
	return NULL;
}

static const char *
fault_pointer(const char *v)
{
	if (strlen(v) >= LIMIT_EXPECT_BODY || !json_pointer_sound(v) || fault_text(v))
		return "it must be a JSON pointer, such as /status or /checks/0/state, 127 bytes at "
		       "most (~0 stands for ~, ~1 for /)";
	return NULL;
}

static const char *
fault_domain(const char *v)
{
	struct dns_name name;

	if (!all_of(v, ".-_") || !dns_name_parse(v, &name))
		return "it must be a name of the DNS, such as www.example.com, or \".\"";
	return NULL;
}

static const char *
fault_bytes(const char *v)
{
	struct conf_bytes bytes;

	if (!bytes_parse(v, &bytes))
		return "it must be 256 bytes at most, and \\\\ begins one of \\\\r, \\\\n, \\\\t, \\\\xHH "
		       "or \\\\\\\\";
	return NULL;
}

/* NULL also for kinds that are no text. */
static const char *
text_fault(enum key_kind kind, const char *v)
{
	switch (kind) {
	case KEY_NAME: return fault_name(v);
	case KEY_NODE: return fault_node(v);
	case KEY_USER_GROUP: return fault_user_group(v);
	case KEY_USER: return fault_user(v);
	case KEY_ARGUMENTS: return fault_argument(v);
	case KEY_ASSIGNMENTS: return fault_assignment(v);
	case KEY_INTERFACES:
	case KEY_INTERFACE: return fault_interface(v);
	case KEY_GATEWAYS:
	case KEY_ADDRESS: return fault_address(v);
	case KEY_ADDRESSES:
	case KEY_PREFIX: return fault_prefix(v);
	case KEY_NETWORKS: return fault_network(v);
	case KEY_LISTEN: return fault_listen(v);
	case KEY_SERVER: return fault_server(v);
	case KEY_MULTICAST: return fault_multicast(v);
	case KEY_TARGET: return fault_target(v);
	case KEY_PLACE: return fault_place(v);
	case KEY_MASK: return fault_mask(v);
	case KEY_PROGRAM: return fault_program(v);
	case KEY_FILE: return fault_file(v);
	case KEY_URL_PATH: return fault_url_path(v);
	case KEY_HOST: return fault_host_header(v);
	case KEY_HOST_NAME: return fault_host_name(v);
	case KEY_STATUS: return fault_status(v);
	case KEY_HEADERS: return fault_request_header(v);
	case KEY_HEADER: return fault_answer_header(v);
	case KEY_REGEX: return fault_regex(v);
	case KEY_POINTER: return fault_pointer(v);
	case KEY_TEXT: return fault_text(v);
	case KEY_BYTES: return fault_bytes(v);
	case KEY_DOMAIN: return fault_domain(v);
	case KEY_INT:
	case KEY_BOOL:
	case KEY_WORD:
	case KEY_WORDS:
	case KEY_PRIORITIES:
	case KEY_GROUP:
	case KEY_GROUPS:
	case KEY_LATER: break;
	}
	return NULL;
}

/* "a, b, c" */
static void
join_words(const char *const *words, char *to, size_t size)
{
	size_t n = 0;

	to[0] = '\0';
	for (int i = 0; words[i] && n < size; i++)
		n += (size_t)snprintf(to + n, size - n, "%s%s", i ? ", " : "", words[i]);
}

static bool
check_word(const struct scope *s, const struct key *key, const config_setting_t *at)
{
	const char *v = config_setting_get_string(at);
	char all[160];

	if (word_index(key->words, v) != -1)
		return true;
	join_words(key->words, all, sizeof(all));
	if (!key->words[1])
		scope_error(s, at, "%s is \"%.80s\"; it must be %s", key->name, v, all);
	else if (word_index(key->later_words, v) != -1)
		scope_error(s, at, "%s \"%s\" is not available in this version of tandem; use one "
			"of %s", key->name, v, all);
	else
		scope_error(s, at, "%s is \"%.80s\"; it must be one of %s", key->name, v, all);
	return false;
}

static bool
check_text(const struct scope *s, const struct key *key, const config_setting_t *at)
{
	const char *v = config_setting_get_string(at);
	const char *fault;

	if (key->words)
		return check_word(s, key, at);
	fault = text_fault(key->kind, v);
	if (fault)
		scope_error(s, at, "%s is \"%.80s\"; %s", key->name, v, fault);
	return !fault;
}

static bool
check_int(const struct scope *s, const struct key *key, const config_setting_t *at)
{
	long long v;

	if (config_setting_type(at) == CONFIG_TYPE_INT)
		v = config_setting_get_int(at);
	else if (config_setting_type(at) == CONFIG_TYPE_INT64)
		v = config_setting_get_int64(at);
	else {
		scope_error(s, at, "%s must be a whole number, such as %d", key->name,
			key->number > key->low ? key->number : key->low);
		return false;
	}
	if (errors_has_literal(s->reader->errors, (uint32_t)config_setting_source_line(at)))
		return false; /* libconfig wrapped it */
	if (key->later_number && v == key->later_number)
		scope_error(s, at, "%s %lld is not available in this version of tandem; use %d",
			key->name, v, key->number);
	else if (key->low == key->high && v != key->low)
		scope_error(s, at, "%s is %lld; it must be %d", key->name, v, key->low);
	else if (v < key->low || v > key->high)
		scope_error(s, at, "%s is %lld; it must be %d to %d", key->name, v, key->low,
			key->high);
	else if (key->step > 1 && v % key->step != 0)
		scope_error(s, at, "%s is %lld; it must be a multiple of %u", key->name, v,
			key->step);
	else
		return true;
	return false;
}

static bool
is_sequence(const config_setting_t *at)
{
	return config_setting_is_list(at) || config_setting_is_array(at);
}

/* A list of texts (of groups, too, where `groups`); a wrong element is marked, the rest counts. */
static bool
check_sequence(const struct scope *s, const struct key *key, config_setting_t *at, bool groups)
{
	if (!is_sequence(at)) {
		scope_error(s, at, "%s must be a list in [ ] or ( )", key->name);
		return false;
	}
	for (int i = 0; i < config_setting_length(at); i++) {
		config_setting_t *element = config_setting_get_elem(at, (unsigned)i);
		bool is_text = config_setting_type(element) == CONFIG_TYPE_STRING;

		if (groups && config_setting_is_group(element))
			continue; /* opened, and so checked, where it is read */
		if (!is_text)
			scope_error(s, element, "%s #%d must be a text in \"\"%s", key->name, i + 1,
				groups ? " or a group in { }" : "");
		if (!is_text || !check_text(s, key, element))
			setting_mark_wrong(element);
	}
	return true;
}

static bool
check_groups(const struct scope *s, const struct key *key, config_setting_t *at)
{
	bool sound = config_setting_is_list(at) ||
		(config_setting_is_array(at) && config_setting_length(at) == 0);

	if (!sound)
		scope_error(s, at, "%s must be a list of groups: ( { ... }, { ... } )", key->name);
	for (int i = 0; sound && i < config_setting_length(at); i++) {
		config_setting_t *element = config_setting_get_elem(at, (unsigned)i);

		if (config_setting_is_group(element))
			continue;
		scope_error(s, element, "%s #%d must be a group in { }", key->name, i + 1);
		setting_mark_wrong(element);
	}
	return sound;
}

static bool
check_group(const struct scope *s, const struct key *key, const config_setting_t *at)
{
	if (config_setting_is_group(at))
		return true;
	scope_error(s, at, "%s must be a group in { }%s", key->name,
		key->kind == KEY_PRIORITIES ? ", such as { lb1 = 150; lb2 = 100; }" : "");
	return false;
}

bool
value_check(const struct scope *s, const struct key *key, config_setting_t *member)
{
	int type = config_setting_type(member);

	switch (key->kind) {
	case KEY_INT: return check_int(s, key, member);
	case KEY_BOOL:
		if (type != CONFIG_TYPE_BOOL)
			scope_error(s, member, "%s must be true or false", key->name);
		return type == CONFIG_TYPE_BOOL;
	case KEY_WORDS:
	case KEY_HEADERS:
	case KEY_NETWORKS:
	case KEY_ASSIGNMENTS:
	case KEY_INTERFACES: return check_sequence(s, key, member, false);
	case KEY_LISTEN:
	case KEY_ARGUMENTS:
		if (is_sequence(member))
			return check_sequence(s, key, member, false);
		break;
	case KEY_GATEWAYS:
	case KEY_ADDRESSES: return check_sequence(s, key, member, true);
	case KEY_GROUPS: return check_groups(s, key, member);
	case KEY_PRIORITIES:
	case KEY_GROUP: return check_group(s, key, member);
	case KEY_LATER: return false;
	case KEY_WORD:
	case KEY_NAME:
	case KEY_NODE:
	case KEY_USER_GROUP:
	case KEY_USER:
	case KEY_INTERFACE:
	case KEY_ADDRESS:
	case KEY_PREFIX:
	case KEY_SERVER:
	case KEY_TARGET:
	case KEY_PLACE:
	case KEY_MULTICAST:
	case KEY_MASK:
	case KEY_PROGRAM:
	case KEY_FILE:
	case KEY_URL_PATH:
	case KEY_HOST:
	case KEY_HOST_NAME:
	case KEY_STATUS:
	case KEY_HEADER:
	case KEY_REGEX:
	case KEY_POINTER:
	case KEY_TEXT:
	case KEY_DOMAIN:
	case KEY_BYTES: break;
	}
	if (type == CONFIG_TYPE_STRING)
		return check_text(s, key, member);
	scope_error(s, member, "%s must be a text in \"\"", key->name);
	return false;
}

/* Three digits, 100 to 599, at *text, which moves on; 0 when it is not that. */
static uint16_t
take_status(const char **text)
{
	unsigned v = 0;
	int n = 0;

	for (; n < 3 && **text >= '0' && **text <= '9'; n++, (*text)++)
		v = v * 10 + (unsigned)(**text - '0');
	return (uint16_t)(n == 3 && v >= 100 && v <= 599 ? v : 0);
}

bool
status_parse(const char *text, struct conf_status_range out[LIMIT_STATUS_RANGES], uint32_t *count)
{
	for (*count = 0; *count < LIMIT_STATUS_RANGES; text++) {
		struct conf_status_range range;

		while (*text == ' ')
			text++;
		range.low = range.high = take_status(&text);
		if (*text == '-') {
			text++;
			range.high = take_status(&text);
		}
		if (range.low == 0 || range.high < range.low)
			return false;
		out[(*count)++] = range;
		if (*text == '\0')
			return true;
		if (*text != ',')
			return false;
	}
	return false;
}
