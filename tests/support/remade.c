#include "remade.h"
#include "unit.h"

#include <string.h>
#include <watchdog/memory.h>

char *remade_quoted(const char *text)
{
	char *quoted = wd_copy(text);

	for (char *at = quoted; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	return quoted;
}

struct wd_json *remade_json(const char *text)
{
	if (text == NULL)
		return NULL;
	struct wd_error error = {0};
	WD_AUTO_FREE char *quoted = remade_quoted(text);
	struct wd_json *json = wd_json_parse(quoted, strlen(quoted), &error);

	if (json == NULL)
		fail_msg("%s: %s", quoted, error.text);
	return json;
}

static const char *or_plain(const char *text, const char *plain)
{
	return text ? text : plain;
}

struct wd_json *remade_inspect(const struct wish *wish)
{
	WD_AUTO_FREE char *text = wd_format(
		"{'Id':'" REMADE_ID "','Name':'/%s','Image':'sha256:broken','Config':%s,'HostConfig':%s,'Mounts':%s,"
		"'NetworkSettings':{'Networks':%s},'State':%s%s%s}",
		or_plain(wish->name, "web"), or_plain(wish->config, "{}"), or_plain(wish->host, "{}"),
		or_plain(wish->mounts, "[]"), or_plain(wish->networks, "{'bridge':{}}"),
		or_plain(wish->state, "{'Status':'running','StartedAt':'2026-01-01T00:00:00Z'}"), wish->more ? "," : "",
		or_plain(wish->more, ""));

	return remade_json(text);
}

static struct wd_json *make_image(const char *id, const char *config, const char *more)
{
	WD_AUTO_FREE char *text = wd_format("{'Id':'sha256:%s','Config':%s%s%s}", id, or_plain(config, "{}"),
					    more ? "," : "", or_plain(more, ""));

	return remade_json(text);
}

void remade_make(struct remade *made, const struct wish *wish)
{
	const char *target = wish->target ? wish->target : wish->broken;
	struct wd_json **documents = made->documents;

	*made = (struct remade){0};
	documents[0] = remade_inspect(wish);
	documents[1] = wish->image_lost ? NULL : make_image("broken", wish->broken, wish->broken_more);
	documents[2] = make_image(wish->target ? "target" : "broken", target, wish->target_more);
	documents[3] = remade_json(wish->info);
	documents[4] = remade_json(wish->others);
	documents[5] = remade_json(wish->known_networks);
	documents[6] = remade_json(wish->known_volumes);
	documents[7] = remade_json(wish->earlier);
	documents[8] = remade_json(wish->libpod);
	made->source = (struct wd_recreate_source){
		.inspect = documents[0],
		.broken = documents[1],
		.target = documents[2],
		.api = or_plain(wish->api, "1.45"),
		.info = documents[3],
		.others = documents[4],
		.networks = documents[5],
		.volumes = documents[6],
		.earlier = documents[7],
		.libpod = documents[8],
		.podman = wish->podman,
		.cascade = wish->cascade,
		.same_image = wish->target == NULL,
		.moved_from = wish->moved_to ? REMADE_OTHER : NULL,
		.moved_to = wish->moved_to,
	};
	made->recreate = wd_recreate_build(&made->source, &made->error);
	if (made->recreate)
		made->body = remade_json(made->recreate->body);
}

void remade_done(struct remade *made)
{
	for (size_t i = 0; i < sizeof(made->documents) / sizeof(made->documents[0]); i++)
		wd_json_free(made->documents[i]);
	wd_json_free(made->body);
	wd_recreate_free(made->recreate);
	*made = (struct remade){0};
}

static void make_well(struct remade *made, const struct wish *wish)
{
	remade_make(made, wish);
	if (made->recreate == NULL)
		fail_msg("refused: %s", made->error.text);
}

void expect_made(const struct wish *wish)
{
	struct remade made;

	make_well(&made, wish);
	remade_done(&made);
}

void expect_body(const struct wish *wish, const char *path, const char *wanted)
{
	struct remade made;

	make_well(&made, wish);
	const struct wd_json *found = wd_json_path(made.body, path);
	WD_AUTO_FREE char *text = found ? wd_json_print(found) : wd_copy("nothing");
	WD_AUTO_FREE char *quoted = remade_quoted(or_plain(wanted, "nothing"));

	if (strcmp(text, quoted) != 0)
		fail_msg("%s: %s, not %s", path, text, quoted);
	remade_done(&made);
}

void expect_refused(const struct wish *wish, const char *part)
{
	struct remade made;

	remade_make(&made, wish);
	if (made.recreate)
		fail_msg("not refused; to be said: %s", part);
	assert_int_equal(made.error.kind, WD_ERROR_REFUSED);
	if (strstr(made.error.text, part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, made.error.text);
	remade_done(&made);
}

static void expect_in(const struct wd_list *list, const char *part)
{
	for (size_t i = 0; i < list->count; i++)
		if (part && strstr(list->items[i], part))
			return;
	if (part || list->count)
		fail_msg("%s is not in a list of %zu: %s", or_plain(part, "nothing"), list->count,
			 list->count ? list->items[0] : "");
}

void expect_warning(const struct wish *wish, const char *part)
{
	struct remade made;

	make_well(&made, wish);
	expect_in(&made.recreate->warnings, part);
	remade_done(&made);
}

void expect_left_behind(const struct wish *wish, const char *name)
{
	struct remade made;

	make_well(&made, wish);
	expect_in(&made.recreate->left_behind, name);
	remade_done(&made);
}

void expect_link(const struct wish *wish, size_t n, const char *wanted)
{
	struct remade made;

	make_well(&made, wish);
	if (wanted == NULL) {
		assert_true(made.recreate->link_count <= n);
		remade_done(&made);
		return;
	}
	assert_true(made.recreate->link_count > n);
	WD_AUTO_FREE char *path = wd_recreate_link_path(&made.recreate->links[n]);
	WD_AUTO_FREE char *body = wd_recreate_link_body(&made.recreate->links[n], "NEW");
	WD_AUTO_FREE char *text = wd_format("%s %s", path, body);
	WD_AUTO_FREE char *quoted = remade_quoted(wanted);

	assert_string_equal(text, quoted);
	remade_done(&made);
}
