/* What must not be made again, and who depends on whom. */
#include "support/remade.h"
#include "support/unit.h"
#include <string.h>
#include <watchdog/memory.h>

static void c46_what_another_owns(void **state)
{
	static const char *const labels[][2] = {
		{"com.docker.swarm.service.id", "Swarm"}, {"com.docker.swarm.task.id", "Swarm"},
		{"io.kubernetes.pod.name", "Kubernetes"}, {"com.amazonaws.ecs.cluster", "ECS"},
		{"io.balena.app-id", "balena"},           {"com.hashicorp.nomad.alloc_id", "Nomad"},
		{"io.hass.type", "Home Assistant"},       {"PODMAN_SYSTEMD_UNIT", "systemd"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		WD_AUTO_FREE char *config = wd_format("{'Labels':{'%s':'x'}}", labels[i][0]);
		struct wish wish = {.config = config, .target = "{}"};

		expect_refused(&wish, labels[i][1]);
		wish.broken = config; /* base images of some families carry such labels */
		expect_made(&wish);
	}
	struct wish plain = {.config = "{'Labels':{'com.docker.swarm.task.idea':'x','PODMAN_SYSTEMD_UNITS':'y'}}",
			     .target = "{}"};

	expect_made(&plain);
}

static void c46_what_could_not_be_put_back(void **state)
{
	(void)state;
	struct wish wish = {.target = "{}", .host = "{'AutoRemove':true}"};

	expect_refused(&wish, "removed when it stops");
	wish.host = NULL;
	wish.state = "{'Status':'paused','Paused':true}";
	expect_refused(&wish, "paused");
	wish.state = "{'Status':'removing'}";
	expect_refused(&wish, "being removed");
	wish.state = "{'Status':'exited','Dead':true}";
	expect_refused(&wish, "being removed");
	wish.state = NULL;
	wish.config = "{'Labels':{'com.docker.compose.oneoff':'True'}}";
	expect_refused(&wish, "one-off");
	wish.config = "{'Labels':{'com.docker.compose.oneoff':'False'}}";
	expect_made(&wish);
	wish.more = "'Platform':'windows'";
	expect_refused(&wish, "Windows");
}

static void c28_images_that_do_not_do(void **state)
{
	(void)state;
	struct wish wish = {.target = "{}", .image_lost = true};
	struct remade made;

	expect_refused(&wish, "cannot be told apart");
	wish.image_lost = false;
	wish.broken_more = "'Os':'linux','Architecture':'amd64'";
	wish.target_more = "'Os':'linux','Architecture':'arm64'";
	expect_refused(&wish, "is for linux/arm64, not for linux/amd64");
	wish.target_more = "'Os':'linux'";
	expect_made(&wish);

	remade_make(&made, &(struct wish){0});
	made.source.same_image = false;
	struct wd_error error = {0};

	assert_null(wd_recreate_build(&made.source, &error));
	assert_non_null(strstr(error.text, "has the image that it would go back to"));
	made.source.target = NULL;
	assert_null(wd_recreate_build(&made.source, &error));
	assert_non_null(strstr(error.text, "there is no image to go back to"));
	WD_AUTO_JSON struct wd_json *other = remade_json("{'Id':'sha256:other','Config':{}}");

	made.source.broken = other;
	assert_null(wd_recreate_build(&made.source, &error));
	assert_int_equal(error.kind, WD_ERROR_FAILED);
	remade_done(&made);
}

static void the_platform_is_asked_for_where_it_is_not_the_engines(void **state)
{
	(void)state;
	struct wish wish = {
		.target = "{}",
		.more = "'ImageManifestDescriptor':{'platform':{'os':'linux','architecture':'arm64','variant':'v8'}}",
		.info = "{'Architecture':'x86_64'}"};
	struct remade made;

	remade_make(&made, &wish);
	assert_string_equal(made.recreate->platform, "linux/arm64/v8");
	assert_string_equal(made.recreate->image_id, "sha256:target");
	remade_done(&made);
	wish.info = "{'Architecture':'aarch64'}";
	remade_make(&made, &wish);
	assert_null(made.recreate->platform);
	remade_done(&made);
}

static void what_is_no_inspect_is_an_error(void **state)
{
	static const char *const inspects[] = {
		"{}",
		"[]",
		"{'Id':'x'}",
		"{'Id':'" REMADE_ID "','Name':'/','Config':{},'HostConfig':{}}",
		"{'Id':'" REMADE_ID "','Name':'/web','Config':[],'HostConfig':{}}",
		"{'Id':'" REMADE_ID "','Name':'/web','Config':{}}",
		"{'Id':'" REMADE_ID "','Name':'/web','Config':{},'HostConfig':{},'NetworkSettings':{'Networks':['x']}}",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(inspects) / sizeof(inspects[0]); i++) {
		WD_AUTO_JSON struct wd_json *inspect = remade_json(inspects[i]);
		struct wd_recreate_source source = {.inspect = inspect, .api = "1.45"};
		struct wd_error error = {0};

		assert_null(wd_recreate_build(&source, &error));
		assert_int_equal(error.kind, WD_ERROR_FAILED);
	}
	struct wish wish = {.target = "{}", .api = "new"};
	struct remade made;

	remade_make(&made, &wish);
	assert_null(made.recreate);
	assert_non_null(strstr(made.error.text, "\"new\" is no version"));
	remade_done(&made);
}

static void leftovers_are_told_before_another_begins(void **state)
{
	(void)state;
	struct wish wish = {.target = "{}", .others = "[{'Id':'" REMADE_OTHER "','Name':'/web.rbold-1f2e3d4c'}]"};

	expect_refused(&wish, "web.rbold-1f2e3d4c is there still");
	wish.others = "[{'Id':'" REMADE_OTHER "','Name':'/api.rbold-1f2e3d4c'}]";
	expect_made(&wish);
	wish.name = "web.rbold-1f2e3d4c";
	expect_refused(&wish, "is what a rollback has left");
}

/* ---- who depends on it ---- */

#define DEPENDS(name, host) "{'Id':'" REMADE_OTHER "','Name':'/" name "','HostConfig':{" host "}}"

#define SELF "{'Id':'" REMADE_ID "','Name':'/web','HostConfig':{'PidMode':'container:" REMADE_ID "'}}"
#define NET DEPENDS("net", "'NetworkMode':'container:" REMADE_ID "'")
#define ALL                                                                                                            \
	DEPENDS("all", "'NetworkMode':'container:" REMADE_ID                                                           \
		       "','IpcMode':'container:web','PidMode':'container:8e4e0f2a1b3c'")
#define LINK DEPENDS("link", "'Links':['/peer:/link/p','/web:/link/w']")
#define FROM DEPENDS("from", "'VolumesFrom':['web:ro']")
#define NONE                                                                                                           \
	DEPENDS("none", "'NetworkMode':'bridge','Links':['/webby:/none/"                                               \
			"web'],'VolumesFrom':['webby'],'PidMode':'host'")

static void c41_who_depends_on_it(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *inspect = remade_inspect(&(struct wish){0});
	WD_AUTO_JSON struct wd_json *others = remade_json("[" SELF "," NET "," ALL "," LINK "," FROM "," NONE "]");
	struct wd_dependents found = {0};

	wd_dependents_find(inspect, others, &found);
	assert_int_equal(found.count, 4);
	assert_string_equal(found.items[0].id, REMADE_OTHER);
	assert_int_equal(found.items[1].how, WD_DEPENDS_NETWORK | WD_DEPENDS_IPC | WD_DEPENDS_PID);
	WD_AUTO_FREE char *breaks = wd_dependents_text(&found, WD_DEPENDS_BREAKS);
	WD_AUTO_FREE char *volumes = wd_dependents_text(&found, WD_DEPENDS_VOLUMES);

	assert_string_equal(breaks, "net (network), all (network, ipc, pid), link (link)");
	assert_string_equal(volumes, "from (volumes)");
	wd_dependents_find(inspect, NULL, &found);
	assert_int_equal(found.count, 0);
	wd_dependents_done(&found);
}

#define COMPOSED(name, labels)                                                                                         \
	"{'Id':'" REMADE_OTHER "','Name':'/" name "','Config':{'Labels':{'com.docker.compose.project':" labels "}}}"
#define WAITS(list) "'shop','com.docker.compose.depends_on':'" list "'"

#define WAITING COMPOSED("a", WAITS("web:service_started:true"))
#define AMONG_OTHERS COMPOSED("b", WAITS("db:service_started:false,web:service_healthy:true,x:y:false"))
#define NOT_SO COMPOSED("no", WAITS("web:service_started:false"))
#define OLD COMPOSED("old", WAITS("web:service_started"))
#define ODD COMPOSED("odd", WAITS("web,web:,:true,web::truer,webs:service_started:true"))
#define BARE COMPOSED("bare", "'shop'")
#define ELSEWHERE COMPOSED("other", "'shop2','com.docker.compose.depends_on':'web:s:true'")
#define ONCE COMPOSED("once", WAITS("web:s:true") ",'com.docker.compose.oneoff':'True'")

static void c44_who_is_restarted_behind_it(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *inspect = remade_inspect(&(struct wish){
		.config = "{'Labels':{'com.docker.compose.project':'shop','com.docker.compose.service':'web'}}"});
	WD_AUTO_JSON struct wd_json *others = remade_json("[" WAITING "," AMONG_OTHERS "," NOT_SO "," OLD "," ODD
							  "," BARE "," ELSEWHERE "," ONCE "]");
	struct wd_dependents found = {0};

	wd_dependents_find(inspect, others, &found);
	WD_AUTO_FREE char *text = wd_dependents_text(&found, WD_DEPENDS_RESTART);
	WD_AUTO_FREE char *breaks = wd_dependents_text(&found, WD_DEPENDS_BREAKS);

	assert_string_equal(text, "a (restart), b (restart)");
	assert_string_equal(breaks, "");
	wd_dependents_done(&found);
	WD_AUTO_JSON struct wd_json *alone = remade_inspect(&(struct wish){0});
	wd_dependents_find(alone, others, &found);
	assert_int_equal(found.count, 0);
	wd_dependents_done(&found);
}

static void c41_they_are_a_reason_unless_they_are_made_again_as_well(void **state)
{
	(void)state;
	struct wish wish = {.target = "{}",
			    .others = "[" DEPENDS("net", "'NetworkMode':'container:" REMADE_ID "'") "]"};

	expect_refused(&wish, "containers depend on its ID: net (network)");
	wish.cascade = true;
	expect_made(&wish);
	wish.cascade = false;
	wish.others = "[" DEPENDS("from", "'VolumesFrom':['web']") "]";
	expect_made(&wish);
}

static void what_it_joins_must_be_there(void **state)
{
	(void)state;
	struct wish wish = {.target = "{}", .host = "{'IpcMode':'container:" REMADE_OTHER "'}", .others = "[]"};

	expect_refused(&wish, "IpcMode: the container 222222222222 that it joins is gone");
	wish.others = "[{'Id':'" REMADE_OTHER "','Name':'/other'}]";
	expect_made(&wish);
	wish.others = "[]";
	wish.moved_to = REMADE_NEW;
	expect_made(&wish);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c46_what_another_owns),
		cmocka_unit_test(c46_what_could_not_be_put_back),
		cmocka_unit_test(c28_images_that_do_not_do),
		cmocka_unit_test(the_platform_is_asked_for_where_it_is_not_the_engines),
		cmocka_unit_test(what_is_no_inspect_is_an_error),
		cmocka_unit_test(leftovers_are_told_before_another_begins),
		cmocka_unit_test(c41_who_depends_on_it),
		cmocka_unit_test(c44_who_is_restarted_behind_it),
		cmocka_unit_test(c41_they_are_a_reason_unless_they_are_made_again_as_well),
		cmocka_unit_test(what_it_joins_must_be_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
