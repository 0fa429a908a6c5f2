/* recreate HOST CONTAINER IMAGE [EARLIER]: makes CONTAINER again with IMAGE, beside it and under a spare name, by what
 * wd_recreate makes of the Engine's answers, and says how it went as one JSON document:
 *   {"id", "name", "body", "links", "differences", "changes", "warnings", "left_behind"} or {"refused"}
 * EARLIER: a file with an inspect of another start. The new one is not started, nothing is stopped. RECREATE_API in the
 * environment fixes the version of the API. Exit code 0: the same; 1: it differs, or the Engine refused it; 5: refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <watchdog/engine.h>
#include <watchdog/memory.h>
#include <watchdog/recreate.h>

static struct wd_engine *engine;

static void die(const struct wd_error *error, const char *what)
{
	fprintf(stderr, "recreate: %s: %s\n", what, error->text);
	exit(1);
}

static struct wd_json *ask(const char *method, const char *path, const char *body)
{
	struct wd_error error = {0};
	struct wd_json *json = NULL;

	if (!wd_engine_ask(engine, method, path, body, 0, &json, &error))
		die(&error, path);
	return json;
}

static struct wd_json *look(const char *kind, const char *name)
{
	WD_AUTO_FREE char *path = wd_format("/%s/%s/json", kind, name);

	return ask("GET", path, NULL);
}

static struct wd_json *look_at_all(void)
{
	WD_AUTO_JSON struct wd_json *list = ask("GET", "/containers/json?all=1", NULL);
	struct wd_json *all = wd_json_array();

	for (const struct wd_json *one = wd_json_first(list); one; one = wd_json_next(one))
		wd_json_add(all, look("containers", wd_json_string(wd_json_get(one, "Id"), "")));
	return all;
}

static struct wd_json *read_file(const char *path)
{
	WD_AUTO_TEXT struct wd_text text = {0};
	struct wd_error error = {0};
	char part[4096];
	size_t length;
	FILE *file = fopen(path, "r");

	while (file && (length = fread(part, 1, sizeof(part), file)) > 0)
		wd_text_put(&text, part, length);
	if (file)
		fclose(file);
	struct wd_json *json = wd_json_parse(wd_text_get(&text), text.length, &error);

	if (json == NULL)
		die(&error, path);
	return json;
}

static void add_list(struct wd_json *said, const char *name, const struct wd_list *list)
{
	struct wd_json *array = wd_json_set(said, name, wd_json_array());

	for (size_t i = 0; i < list->count; i++)
		wd_json_add(array, wd_json_text(list->items[i]));
}

static char *create(const struct wd_recreate *recreate, const char *name)
{
	WD_AUTO_FREE char *platform = recreate->platform ? wd_http_escape(recreate->platform) : NULL;
	WD_AUTO_FREE char *path = wd_format("/containers/create?name=%s%s%s", name, platform ? "&platform=" : "",
					    platform ? platform : "");
	WD_AUTO_JSON struct wd_json *made = ask("POST", path, recreate->body);
	char *id = wd_copy(wd_json_string(wd_json_get(made, "Id"), ""));

	for (size_t i = 0; i < recreate->link_count; i++) {
		WD_AUTO_FREE char *link = wd_recreate_link_path(&recreate->links[i]);
		WD_AUTO_FREE char *body = wd_recreate_link_body(&recreate->links[i], id);

		wd_json_free(ask("POST", link, body));
	}
	return id;
}

static void say_body(struct wd_json *said, const struct wd_recreate *recreate)
{
	struct wd_json *links = wd_json_array();

	for (size_t i = 0; i < recreate->link_count; i++) {
		WD_AUTO_FREE char *path = wd_recreate_link_path(&recreate->links[i]);

		wd_json_add(links, wd_json_text(path));
	}
	wd_json_set(said, "body", wd_json_parse(recreate->body, strlen(recreate->body), NULL));
	wd_json_set(said, "links", links);
	add_list(said, "warnings", &recreate->warnings);
	add_list(said, "left_behind", &recreate->left_behind);
}

static int make_again(const struct wd_recreate_source *source, struct wd_json *said)
{
	struct wd_error error = {0};
	struct wd_list differences = {0}, changes = {0};
	struct wd_recreate *recreate = wd_recreate_build(source, &error);
	uint32_t token;

	if (recreate == NULL) {
		wd_json_set_string(said, "refused", error.text);
		return 5;
	}
	if (getrandom(&token, sizeof(token), 0) != sizeof(token))
		return 1;
	say_body(said, recreate);
	WD_AUTO_FREE char *name =
		wd_spare_name(wd_json_string(wd_json_get(source->inspect, "Name"), ""), WD_SPARE_NEW, token);
	WD_AUTO_FREE char *id = create(recreate, name);
	WD_AUTO_JSON struct wd_json *made = look("containers", id);
	bool same = wd_recreate_compare(source, recreate, made, &differences);

	wd_recreate_changes(source, recreate, &changes);
	wd_json_set_string(said, "id", id);
	wd_json_set_string(said, "name", name);
	add_list(said, "differences", &differences);
	add_list(said, "changes", &changes);
	wd_list_done(&differences);
	wd_list_done(&changes);
	wd_recreate_free(recreate);
	return same ? 0 : 1;
}

static int run(char **argv)
{
	WD_AUTO_JSON struct wd_json *said = wd_json_object();
	WD_AUTO_JSON struct wd_json *inspect = look("containers", argv[2]);
	WD_AUTO_JSON struct wd_json *broken = look("images", wd_json_string(wd_json_get(inspect, "Image"), ""));
	WD_AUTO_JSON struct wd_json *target = look("images", argv[3]);
	WD_AUTO_JSON struct wd_json *info = ask("GET", "/info", NULL);
	WD_AUTO_JSON struct wd_json *networks = ask("GET", "/networks", NULL);
	WD_AUTO_JSON struct wd_json *volumes = ask("GET", "/volumes", NULL);
	WD_AUTO_JSON struct wd_json *others = look_at_all();
	WD_AUTO_JSON struct wd_json *earlier = argv[4] ? read_file(argv[4]) : NULL;
	struct wd_engine_state state = wd_engine_state(engine);
	struct wd_recreate_source source = {
		.inspect = inspect,
		.broken = broken,
		.target = target,
		.api = state.api,
		.info = info,
		.networks = networks,
		.volumes = volumes,
		.others = others,
		.earlier = earlier,
		.podman = state.podman,
		.same_image = true,
	};
	int code = make_again(&source, said);
	WD_AUTO_FREE char *text = wd_json_print_pretty(said);

	puts(text);
	return code;
}

int main(int argc, char **argv)
{
	struct wd_error error = {0};
	struct wd_endpoint endpoint = {0};
	struct wd_engine_hooks hooks = {0};

	if (argc < 4) {
		fputs("usage: recreate HOST CONTAINER IMAGE [EARLIER]\n", stderr);
		return 2;
	}
	if (!wd_endpoint_parse(argv[1], false, &endpoint, &error))
		die(&error, argv[1]);
	endpoint.version = wd_copy(getenv("RECREATE_API"));
	struct wd_loop *loop = wd_loop_new(&error);
	struct wd_http *http = loop ? wd_http_new(loop, &error) : NULL;

	if (http == NULL)
		die(&error, "loop");
	engine = wd_engine_new(loop, http, &endpoint, NULL, 60 * WD_SECOND, &hooks);
	if (!wd_engine_reach(engine, &error))
		die(&error, argv[1]);
	int code = run(argv);

	wd_engine_free(engine);
	wd_http_free(http);
	wd_loop_free(loop);
	wd_endpoint_done(&endpoint);
	return code;
}
