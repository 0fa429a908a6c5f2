/* Networks: what was asked for of each endpoint, and nothing of what the Engine gave it while it ran. */
#include <stdio.h>
#include <string.h>
#include <watchdog/http.h>
#include <watchdog/memory.h>

#include "recreate_parts.h"

#define SYSCTLS "com.docker.network.endpoint.sysctls"
#define RANDOM_MACS_SINCE 28 /* the Engine that makes MAC addresses anew at each start */
#define MAC_TEXT 18

/* ---- which networks there are ---- */

static bool is_bridge(const char *network)
{
	return strcmp(network, "bridge") == 0 || strcmp(network, "default") == 0 || strcmp(network, "nat") == 0;
}

/* Those two are modes, not networks to be asked for. */
static bool is_mode(const char *network)
{
	return strcmp(network, "host") == 0 || strcmp(network, "none") == 0;
}

const struct wd_json *wd_recreate_primary(const struct wd_parts *parts)
{
	const char *mode = wd_tree_string(parts->host, "NetworkMode");

	if (parts->net != WD_NET_OWN)
		return NULL;
	if (*mode == '\0' || strcmp(mode, "default") == 0)
		mode = "bridge";
	const struct wd_json *named = wd_json_get(parts->endpoints, mode);

	if (named)
		return named;
	for (const struct wd_json *end = wd_json_first(parts->endpoints); end; end = wd_json_next(end))
		if (strlen(mode) >= WD_SHORT_ID && wd_text_starts(wd_tree_string(end, "NetworkID"), mode))
			return end;
	return NULL;
}

static unsigned count_network(const struct wd_parts *parts, const char *member, const char *value)
{
	unsigned count = 0;

	for (const struct wd_json *network = wd_json_first(parts->source->networks); network;
	     network = wd_json_next(network))
		count += strcmp(wd_tree_string(network, member), value) == 0;
	return count;
}

/* By its name, which outlives a network that was made again; by its ID where old Engines have two of that name. */
static const char *find_key(const struct wd_parts *parts, const struct wd_json *endpoint, struct wd_error *error)
{
	const char *name = wd_json_name(endpoint), *id = wd_tree_string(endpoint, "NetworkID");

	if (parts->source->networks == NULL)
		return name;
	unsigned found = count_network(parts, "Name", name);

	if (found == 1)
		return name;
	if (*id && count_network(parts, "Id", id) == 1)
		return id;
	if (found)
		wd_fail(error, WD_ERROR_REFUSED, "there are %u networks %s, and none is its own", found, name);
	else
		wd_fail(error, WD_ERROR_REFUSED, "its network %s is gone", name);
	return NULL;
}

/* ---- MAC addresses ---- */

/* The address that Engines up to 27 derive from IPv4: nobody's wish. */
static bool is_derived(const char *mac, const struct wd_json *endpoint)
{
	char derived[MAC_TEXT];
	unsigned a, b, c, d;

	if (sscanf(wd_tree_string(endpoint, "IPAddress"), "%3u.%3u.%3u.%3u", &a, &b, &c, &d) != 4)
		return false;
	snprintf(derived, sizeof(derived), "02:42:%02x:%02x:%02x:%02x", a & 255, b & 255, c & 255, d & 255);
	return strcmp(mac, derived) == 0;
}

static unsigned engine_major(const struct wd_parts *parts)
{
	unsigned major;

	if (sscanf(wd_tree_string(parts->source->info, "ServerVersion"), "%5u.", &major) == 1)
		return major;
	return parts->api >= 1048 ? RANDOM_MACS_SINCE : RANDOM_MACS_SINCE - 1;
}

static const struct wd_json *earlier_endpoint(const struct wd_parts *parts, const char *network)
{
	const struct wd_json *earlier = parts->source->earlier;
	bool same = strcmp(wd_tree_string(earlier, "Id"), parts->id) == 0 &&
		    strcmp(wd_tree_string(earlier, "State.StartedAt"),
			   wd_tree_string(parts->inspect, "State.StartedAt")) != 0;

	return same ? wd_json_get(wd_json_path(earlier, "NetworkSettings.Networks"), network) : NULL;
}

/* The MAC address that was given for a network other than the primary, where inspect shows given and generated ones
 * alike; NULL where none was, or nobody can tell. */
static const char *given_mac(struct wd_parts *parts, const struct wd_json *endpoint)
{
	const char *mac = wd_tree_string(endpoint, "MacAddress"), *network = wd_json_name(endpoint);

	if (*mac == '\0' || is_derived(mac, endpoint))
		return NULL;
	if (wd_text_starts(wd_tree_string(parts->inspect, "State.StartedAt"), "0001-") ||
	    engine_major(parts) < RANDOM_MACS_SINCE)
		return mac;
	const char *before = wd_tree_string(earlier_endpoint(parts, network), "MacAddress");

	if (*before == '\0')
		wd_parts_warn(parts, "its MAC address on %s is made anew: it cannot be told whether it was given",
			      network);
	return *before && strcmp(before, mac) == 0 ? mac : NULL;
}

/* Config.MacAddress is the primary network's, and what was given. (25.0.0 put generated ones there.) */
static void give_macs(struct wd_parts *parts, const struct wd_json *primary, const struct wd_json *shown,
		      struct wd_json *endpoint)
{
	const char *mac = wd_tree_string(parts->config, "MacAddress");

	if (shown != primary)
		mac = given_mac(parts, shown);
	else if (is_derived(mac, shown))
		mac = NULL;
	if (mac == NULL || *mac == '\0')
		return;
	if (parts->api >= 1044)
		wd_json_set_string(endpoint, "MacAddress", mac);
	else if (shown == primary)
		wd_json_set_string(parts->body, "MacAddress", mac);
}

/* ---- endpoints ---- */

static void keep_aliases(struct wd_parts *parts, struct wd_json *endpoint, const char *network)
{
	struct wd_json *aliases = wd_json_get(endpoint, "Aliases");

	for (struct wd_json *alias = wd_json_first(aliases); alias;) {
		const char *text = wd_json_string(alias, "");
		bool own = strcmp(text, parts->short_id) == 0;

		if (!own && strlen(text) == WD_SHORT_ID && strspn(text, "0123456789abcdef") == WD_SHORT_ID)
			wd_parts_warn(parts, "its alias %s on %s is another container's short ID, and stays", text,
				      network);
		alias = own ? wd_json_drop(aliases, alias) : wd_json_next(alias);
	}
}

static void keep_addresses(struct wd_json *endpoint)
{
	struct wd_json *given = wd_json_get(endpoint, "IPAMConfig");

	for (struct wd_json *member = wd_json_first(given); member;)
		member = wd_tree_empty(member) ? wd_json_drop(given, member) : wd_json_next(member);
}

static void drop_empty(struct wd_json *object)
{
	for (struct wd_json *member = wd_json_first(object); member;)
		member = wd_tree_empty(member) ? wd_json_drop(object, member) : wd_json_next(member);
}

static struct wd_json *make_endpoint(struct wd_parts *parts, const struct wd_json *shown)
{
	static const char *const runtime[] = {
		"NetworkID",         "EndpointID", "Gateway",    "IPAddress",           "IPPrefixLen", "IPv6Gateway",
		"GlobalIPv6Address", "DNSNames",   "MacAddress", "GlobalIPv6PrefixLen", NULL};
	static const char *const scoped[] = {"Aliases", "IPAMConfig", "Links", NULL};
	struct wd_json *endpoint = wd_json_is_object(shown) ? wd_json_clone(shown) : wd_json_object();

	for (size_t i = 0; runtime[i]; i++)
		wd_json_remove(endpoint, runtime[i]);
	for (size_t i = 0; scoped[i] && is_bridge(wd_json_name(shown)); i++)
		wd_json_remove(endpoint, scoped[i]); /* 400 on the default bridge */
	if (parts->api < 1048)
		wd_json_remove(endpoint, "GwPriority");
	keep_aliases(parts, endpoint, wd_json_name(shown));
	keep_addresses(endpoint);
	drop_empty(endpoint);
	return endpoint;
}

/* ---- sysctls of an interface, which are the endpoint's since 1.48 ---- */

/* "net.X.Y.ethN.Z": ret_rest is "Z", ret_head the length of "net.X.Y". */
static bool is_interface(const char *name, size_t *ret_head, size_t *ret_interface, const char **ret_rest)
{
	const char *at = name;

	if (!wd_text_starts(name, "net."))
		return false;
	for (int dots = 0; dots < 3 && at; dots++)
		at = strchr(at + (dots > 0), '.');
	if (at == NULL || !wd_text_starts(at + 1, "eth"))
		return false;
	size_t digits = strspn(at + 4, "0123456789");

	if (digits == 0 || at[4 + digits] != '.')
		return false;
	*ret_head = (size_t)(at - name);
	*ret_interface = 3 + digits;
	*ret_rest = at + 4 + digits + 1;
	return true;
}

static bool take_sysctls(struct wd_parts *parts, struct wd_text *moved, struct wd_error *error)
{
	struct wd_json *sysctls = wd_json_get(parts->body_host, "Sysctls");

	for (struct wd_json *sysctl = wd_json_first(sysctls); sysctl && wd_json_is_object(sysctls);) {
		const char *name = wd_json_name(sysctl), *rest;
		size_t head, interface;

		if (!is_interface(name, &head, &interface, &rest)) {
			sysctl = wd_json_next(sysctl);
			continue;
		}
		if (interface != 4 || name[head + 4] != '0')
			return wd_fail(error, WD_ERROR_REFUSED,
				       "the sysctl %s is of an interface of which it is not known which network it is; "
				       "give it as a driver option of that network",
				       name);
		wd_text_print(moved, "%s%.*s.IFNAME.%s=%s", moved->length ? "," : "", (int)head, name, rest,
			      wd_json_string(sysctl, ""));
		sysctl = wd_json_drop(sysctls, sysctl);
	}
	return true;
}

static bool move_sysctls(struct wd_parts *parts, struct wd_json *endpoint, struct wd_error *error)
{
	WD_AUTO_TEXT struct wd_text moved = {0};

	if (parts->api < 1048)
		return true;
	if (!take_sysctls(parts, &moved, error))
		return false;
	if (moved.length == 0)
		return true;
	struct wd_json *options = wd_json_get(endpoint, "DriverOpts");

	if (!wd_json_is_object(options))
		options = wd_json_set(endpoint, "DriverOpts", wd_json_object());
	const char *before = wd_json_string(wd_json_get(options, SYSCTLS), "");

	if (*before)
		wd_text_print(&moved, ",%s", before);
	wd_json_set_string(options, SYSCTLS, wd_text_get(&moved));
	return true;
}

/* ---- where they go ---- */

static void add_link(struct wd_parts *parts, const char *network, const struct wd_json *endpoint)
{
	struct wd_recreate *result = parts->result;
	char *text = endpoint ? wd_json_print(endpoint) : NULL;

	result->links = wd_realloc(result->links, result->link_count + 1, sizeof(*result->links));
	result->links[result->link_count++] = (struct wd_recreate_link){wd_copy(network), text};
}

static struct wd_json *get_endpoints(struct wd_parts *parts)
{
	struct wd_json *networking = wd_json_get(parts->body, "NetworkingConfig");

	if (networking == NULL) {
		networking = wd_json_set(parts->body, "NetworkingConfig", wd_json_object());
		wd_json_set(networking, "EndpointsConfig", wd_json_object());
	}
	return wd_json_get(networking, "EndpointsConfig");
}

static bool add_endpoint(struct wd_parts *parts, const struct wd_json *primary, const struct wd_json *shown,
			 struct wd_error *error)
{
	const char *key = find_key(parts, shown, error);

	if (key == NULL)
		return false;
	WD_AUTO_JSON struct wd_json *endpoint = make_endpoint(parts, shown);

	give_macs(parts, primary, shown, endpoint);
	if (shown == primary && !move_sysctls(parts, endpoint, error))
		return false;
	if (shown == primary || parts->api >= 1044)
		wd_json_set(get_endpoints(parts), key, wd_json_clone(endpoint));
	else
		add_link(parts, key, endpoint);
	return true;
}

/* The mode may name by ID a network that was made again since. */
static void choose_mode(struct wd_parts *parts, const struct wd_json *primary)
{
	const char *mode = wd_tree_string(parts->host, "NetworkMode"), *name = wd_json_name(primary);
	bool by_id = primary && strcmp(mode, name) != 0 && wd_text_starts(wd_tree_string(primary, "NetworkID"), mode);

	if (by_id && *mode && count_network(parts, "Id", wd_tree_string(primary, "NetworkID")) == 0 &&
	    count_network(parts, "Name", name) == 1)
		wd_json_set_string(parts->body_host, "NetworkMode", name);
}

/* Somebody has disconnected it from the network that it was made in. The Engine connects it to that one all the same,
 * unless the create names others. */
static void disconnect_again(struct wd_parts *parts)
{
	if (wd_json_get(parts->body, "NetworkingConfig"))
		return;
	const char *mode = wd_tree_string(parts->host, "NetworkMode");

	if (*mode == '\0' || strcmp(mode, "default") == 0)
		mode = "bridge";
	add_link(parts, mode, NULL);
}

bool wd_recreate_networks(struct wd_parts *parts, struct wd_error *error)
{
	const struct wd_json *primary = wd_recreate_primary(parts);

	wd_json_remove(parts->body, "MacAddress");
	if (parts->net != WD_NET_OWN)
		return true;
	choose_mode(parts, primary);
	for (const struct wd_json *end = wd_json_first(parts->endpoints); end; end = wd_json_next(end))
		if (!is_mode(wd_json_name(end)) && !add_endpoint(parts, primary, end, error))
			return false;
	if (primary == NULL)
		disconnect_again(parts);
	return true;
}

char *wd_recreate_link_path(const struct wd_recreate_link *link)
{
	WD_AUTO_FREE char *network = wd_http_escape(link->network);

	return wd_format("/networks/%s/%s", network, link->endpoint ? "connect" : "disconnect");
}

char *wd_recreate_link_body(const struct wd_recreate_link *link, const char *container)
{
	WD_AUTO_JSON struct wd_json *body = wd_json_object();

	wd_json_set_string(body, "Container", container);
	if (link->endpoint)
		wd_json_set(body, "EndpointConfig", wd_json_parse(link->endpoint, strlen(link->endpoint), NULL));
	return wd_json_print(body);
}
