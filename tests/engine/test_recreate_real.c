/* What real Engines showed of a container with about sixty options, and of what was made of it with its own image. */
#include "../../watchdog/engine/recreate_parts.h"
#include "support/fixtures.h"
#include "support/remade.h"
#include "support/unit.h"
#include <string.h>
#include <watchdog/memory.h>

static const char *const engines[] = {"20.10", "26.1", "28.5"};
#define ENGINES (sizeof(engines) / sizeof(engines[0]))

struct recorded {
	struct wd_json *document, *body;
	struct wd_recreate_source source;
	struct wd_recreate *recreate;
};

/* target: "broken", the image that it has, or "target". */
static void make_recorded(struct recorded *r, const char *engine, const char *target)
{
	struct wd_error error = {0};
	WD_AUTO_FREE char *name = wd_format("engine-%s/recreate-sink.json", engine);

	r->document = json_fixture(name);
	r->source = (struct wd_recreate_source){
		.inspect = wd_json_get(r->document, "inspect"),
		.broken = wd_json_get(r->document, "broken"),
		.target = wd_json_get(r->document, target),
		.info = wd_json_get(r->document, "info"),
		.api = wd_json_string(wd_json_get(r->document, "api"), NULL),
		.same_image = true,
	};
	r->recreate = wd_recreate_build(&r->source, &error);
	if (r->recreate == NULL)
		fail_msg("Engine %s: %s", engine, error.text);
	r->body = remade_json(r->recreate->body);
}

static void drop_recorded(struct recorded *r)
{
	wd_recreate_free(r->recreate);
	wd_json_free(r->body);
	wd_json_free(r->document);
}

static void c1_what_was_made_is_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < ENGINES; i++) {
		struct recorded r;
		struct wd_list differences = {0};

		make_recorded(&r, engines[i], "broken");
		if (!wd_recreate_compare(&r.source, r.recreate, wd_json_get(r.document, "made"), &differences))
			fail_msg("Engine %s: %s", engines[i], differences.items[0]);
		assert_int_equal(r.recreate->left_behind.count, 0);
		drop_recorded(&r);
	}
}

/* Whatever of the HostConfig that was made is set to something else, it is noticed. */
static void c1_any_change_to_what_was_made_is_found(void **state)
{
	static const char *const free_to_differ[] = {"KernelMemory", "KernelMemoryTCP", "ContainerIDFile",
						     "ConsoleSize"};
	(void)state;

	for (size_t i = 0; i < ENGINES; i++) {
		struct recorded r;

		make_recorded(&r, engines[i], "broken");
		const struct wd_json *host = wd_json_path(r.document, "made.HostConfig");

		for (const struct wd_json *member = wd_json_first(host); member; member = wd_json_next(member)) {
			WD_AUTO_JSON struct wd_json *changed = wd_json_clone(wd_json_get(r.document, "made"));
			struct wd_list differences = {0};
			bool free = false;

			for (size_t k = 0; k < 4; k++)
				free = free || strcmp(wd_json_name(member), free_to_differ[k]) == 0;
			wd_json_set(wd_json_get(changed, "HostConfig"), wd_json_name(member),
				    remade_json("['changed']"));
			if (wd_recreate_compare(&r.source, r.recreate, changed, &differences) != free)
				fail_msg("Engine %s: HostConfig.%s", engines[i], wd_json_name(member));
			wd_list_done(&differences);
		}
		drop_recorded(&r);
	}
}

/* What is taken away for an image is what the Engine fills in from it. */
static void c1_with_its_own_image_the_config_is_what_it_was(void **state)
{
	(void)state;
	for (size_t i = 0; i < ENGINES; i++) {
		struct recorded r;

		make_recorded(&r, engines[i], "broken");
		const struct wd_json *was = wd_json_path(r.document, "inspect.Config");
		WD_AUTO_JSON struct wd_json *is = wd_recreate_merged(r.body, wd_json_path(r.document, "broken.Config"));

		for (const struct wd_json *member = wd_json_first(was); member; member = wd_json_next(member)) {
			const char *name = wd_json_name(member);
			bool elsewhere = strcmp(name, "Image") == 0 || strcmp(name, "MacAddress") == 0;

			if (!elsewhere && !wd_tree_equal(member, wd_json_get(is, name)))
				fail_msg("Engine %s: Config.%s", engines[i], name);
		}
		drop_recorded(&r);
	}
}

static void c2_with_the_other_image_nothing_of_the_broken_one_is_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < ENGINES; i++) {
		struct recorded r;

		make_recorded(&r, engines[i], "target");
		WD_AUTO_FREE char *env = wd_json_print(wd_json_get(r.body, "Env"));

		assert_null(strstr(env, "ONLY_BROKEN"));
		assert_non_null(strstr(env, "\"EMPTY=\""));
		assert_non_null(strstr(env, "\"VERSION\""));
		assert_null(wd_json_get(wd_json_get(r.body, "Labels"), "only.broken"));
		assert_null(wd_json_get(wd_json_get(r.body, "ExposedPorts"), "82/tcp"));
		assert_non_null(wd_json_get(wd_json_get(r.body, "ExposedPorts"), "80/tcp")); /* published */
		assert_int_equal(r.recreate->left_behind.count, 1);                          /* /only-broken */
		drop_recorded(&r);
	}
}

/* The API decides, not what is shown. */
static void c12_one_endpoint_where_the_api_takes_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < ENGINES; i++) {
		struct recorded r;

		make_recorded(&r, engines[i], "broken");
		size_t sent = wd_json_count(wd_json_path(r.body, "NetworkingConfig.EndpointsConfig"));

		assert_int_equal(sent, i == 0 ? 1 : 2);
		assert_int_equal(r.recreate->link_count, i == 0 ? 1 : 0);
		assert_true(i > 0 || wd_json_get(r.body, "MacAddress") != NULL);
		assert_true(i == 0 || wd_json_get(r.body, "MacAddress") == NULL);
		drop_recorded(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c1_what_was_made_is_the_same),
		cmocka_unit_test(c1_any_change_to_what_was_made_is_found),
		cmocka_unit_test(c1_with_its_own_image_the_config_is_what_it_was),
		cmocka_unit_test(c2_with_the_other_image_nothing_of_the_broken_one_is_left),
		cmocka_unit_test(c12_one_endpoint_where_the_api_takes_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
