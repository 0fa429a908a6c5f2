/* Whether what was made is the same: each difference is found, and what may differ is let pass. */
#include "support/remade.h"
#include "support/unit.h"
#include <string.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

static const struct wish plain = {
	.config = "{'Env':['A=1','SECRET=hush'],'Labels':{'l':'1'},'User':'u','Hostname':'8e4e0f2a1b3c',"
		  "'MacAddress':'02:11:22:33:44:55','Healthcheck':{'Retries':3},'Volumes':{'/v':{}},"
		  "'ExposedPorts':{'80/tcp':{}},'StopTimeout':7,'Entrypoint':null,'Cmd':['c']}",
	.host = "{'NetworkMode':'default','Memory':64,'CapAdd':null,'RestartPolicy':{'Name':'always','"
		"MaximumRetryCount':0},"
		"'Tmpfs':{'/t':''},'Sysctls':{'a':'b'},'Links':['/peer:/web/p','/x:/web/y'],'KernelMemory':5,"
		"'OomKillDisable':true,'PortBindings':{'80/tcp':[]},'Runtime':'runc'}",
	.networks = "{'bridge':{'Aliases':['8e4e0f2a1b3c'],'MacAddress':'m','IPAddress':'172.17.0.2'},"
		    "'two':{'Aliases':['a','b'],'IPAMConfig':{'IPv4Address':'10.0.0.9'},'DriverOpts':{'x':'y'}}}",
	.mounts = "[{'Type':'volume','Name':'v','Source':'/d/v/_data','Destination':'/v','RW':true,'Propagation':''},"
		  "{'Type':'volume','Name':'left','Destination':'/left','RW':true},"
		  "{'Type':'bind','Source':'/h','Destination':'/b','RW':false,'Propagation':'rslave'}]",
	.broken = "{'Volumes':{'/left':{}},'Entrypoint':['e']}",
	.target = "{'Volumes':{'/new':{}},'Env':['T=1']}",
};

/* What the Engine shows of the new one: the whole, as it comes of `plain`. */
static struct wd_json *made_of_plain(void)
{
	return remade_json(
		"{'Id':'" REMADE_NEW "','Name':'/web.rbnew-1f2e3d4c','Image':'sha256:target','RestartCount':0,"
		"'Config':{'Image':'sha256:target','Hostname':'111111111111','Env':['SECRET=hush','A=1','T=1'],"
		"'Labels':{'l':'1','t':'2'},'User':'u','MacAddress':'02:11:22:33:44:55','Healthcheck':{'Retries':3,'"
		"Test':['x']},"
		"'Volumes':{'/v':{},'/new':{}},'ExposedPorts':{'80/tcp':{},'9/tcp':{}},'StopTimeout':7,'Cmd':['c']},"
		"'HostConfig':{'NetworkMode':'bridge','Memory':64,'CapAdd':[],'RestartPolicy':{'Name':'always',"
		"'MaximumRetryCount':0},'Tmpfs':{'/t':''},'Sysctls':{'a':'b'},'Links':['/x:/web.rbnew-1f2e3d4c/y',"
		"'/peer:/web.rbnew-1f2e3d4c/p'],'OomKillDisable':null,"
		"'PortBindings':{'80/tcp':[{'HostIp':'','HostPort':''}]},'Binds':['v:/v'],'Runtime':'runc'},"
		"'NetworkSettings':{'Networks':{'bridge':{'Aliases':['111111111111']},'two':{'Aliases':['b','a','"
		"111111111111'],"
		"'IPAMConfig':{'IPv4Address':'10.0.0.9'},'DriverOpts':{'x':'y'},'Links':[]}}},"
		"'Mounts':[{'Type':'bind','Source':'/h','Destination':'/b','RW':false,'Propagation':'rslave'},"
		"{'Type':'volume','Name':'v','Source':'/d/v/_data','Destination':'/v','RW':true,'Propagation':''},"
		"{'Type':'volume','Name':'fresh','Destination':'/new','RW':true}]}");
}

/* Sets a member that is there, or not, by its path. */
static void set_at(struct wd_json *json, const char *path, const char *value)
{
	const char *dot = strrchr(path, '.');
	WD_AUTO_FREE char *parent = dot ? wd_copy_part(path, (size_t)(dot - path)) : NULL;
	struct wd_json *object = parent ? wd_json_path(json, parent) : json;

	assert_non_null(object);
	if (value)
		wd_json_set(object, dot ? dot + 1 : path, remade_json(value));
	else
		wd_json_remove(object, dot ? dot + 1 : path);
}

static void expect_line(const struct wd_list *differences, const char *line)
{
	WD_AUTO_FREE char *quoted = remade_quoted(line);

	if (differences->count != 1 || strcmp(differences->items[0], quoted) != 0)
		fail_msg("%zu differences, the first: %s; not: %s", differences->count,
			 differences->count ? differences->items[0] : "", quoted);
}

/* With that member of the new one set, exactly this is found; NULL: nothing. */
static void expect_difference(const char *path, const char *value, const char *line)
{
	struct remade made;
	struct wd_list differences = {0};
	WD_AUTO_JSON struct wd_json *new = made_of_plain();

	remade_make(&made, &plain);
	if (made.recreate == NULL)
		fail_msg("%s", made.error.text);
	if (path)
		set_at(new, path, value);
	bool same = wd_recreate_compare(&made.source, made.recreate, new, &differences);

	if (line) {
		if (same)
			fail_msg("%s: not found", path);
		expect_line(&differences, line);
	} else if (!same) {
		fail_msg("%s: %s", path ? path : "all", differences.items[0]);
	}
	wd_list_done(&differences);
	remade_done(&made);
}

static void what_may_differ_is_let_pass(void **state)
{
	(void)state;
	expect_difference(NULL, NULL, NULL);
	expect_difference("HostConfig.OomKillDisable", "false", NULL);
	expect_difference("HostConfig.OomKillDisable", "true", NULL);
	expect_difference("HostConfig.CapAdd", NULL, NULL);
	expect_difference("HostConfig.KernelMemory", "7", NULL);
	expect_difference("HostConfig.Unheard", "{}", NULL);
	expect_difference("Config.Image", "'x'", NULL);
	expect_difference("State", "{'Status':'created'}", NULL);
	expect_difference("NetworkSettings.Networks.bridge.IPAddress", "'172.17.0.9'", NULL);
}

static void every_other_difference_is_found(void **state)
{
	static const char *const rows[][3] = {
		{"Image", "'sha256:other'", "Image: sha256:other is not as it was"},
		{"HostConfig.Memory", "0", "HostConfig.Memory: 0, was 64"},
		{"HostConfig.Memory", NULL, "HostConfig.Memory: nothing, was 64"},
		{"HostConfig.CapAdd", "['ALL']", "HostConfig.CapAdd: ['ALL'], was null"},
		{"HostConfig.Tmpfs", "{}", "HostConfig.Tmpfs: {}, was {'/t':''}"},
		{"HostConfig.Tmpfs", "{'/t':'','/u':''}", "HostConfig.Tmpfs: {'/t':'','/u':''}, was {'/t':''}"},
		{"HostConfig.Unheard", "1", "HostConfig.Unheard: 1, was nothing"},
		{"HostConfig.Sysctls", "{'a':'c'}", "HostConfig.Sysctls: {'a':'c'}, was {'a':'b'}"},
		{"HostConfig.RestartPolicy", "{'Name':'no'}",
		 "HostConfig.RestartPolicy: {'Name':'no'}, was {'Name':'always','MaximumRetryCount':0}"},
		{"HostConfig.NetworkMode", "'two'", "HostConfig.NetworkMode: 'two', was 'default'"},
		{"HostConfig.OomKillDisable", "7", "HostConfig.OomKillDisable: 7, was true"},
		{"HostConfig.Links", "['/x:/w/y']", "HostConfig.Links: ['/x:/w/y'], was ['/peer:/web/p','/x:/web/y']"},
		{"HostConfig.Binds", "[]", "HostConfig.Binds: [], was nothing"},
		{"HostConfig.Runtime", "'crun'", "HostConfig.Runtime: 'crun', was 'runc'"},
		{"NetworkSettings.Networks.two", NULL, "Networks: two is not as it was"},
		{"NetworkSettings.Networks.three", "{}", "Networks: three is not as it was"},
		{"NetworkSettings.Networks.two.Aliases", "['a']", "Networks.two.Aliases: ['a'], was ['a','b']"},
		{"NetworkSettings.Networks.two.IPAMConfig", "null",
		 "Networks.two.IPAMConfig: null, was {'IPv4Address':'10.0.0.9'}"},
		{"NetworkSettings.Networks.two.DriverOpts", "{}", "Networks.two.DriverOpts: {}, was {'x':'y'}"},
		{"NetworkSettings.Networks.two.GwPriority", "1", "Networks.two.GwPriority: 1, was nothing"},
		{"Config.MacAddress", "''", "Config.MacAddress: '', was '02:11:22:33:44:55'"},
		{"Config.User", "'v'", "Config.User: 'v', was 'u'"},
		{"Config.Env", "['A=1','T=1']", "Config.Env: SECRET is not as it was"},
		{"Config.Labels", "{'l':'2'}", "Config.Labels: l is not as it was"},
		{"Config.Healthcheck", "{'Retries':4}", "Config.Healthcheck: Retries is not as it was"},
		{"Config.StopTimeout", "0", "Config.StopTimeout: 0, was 7"},
		{"Config.Entrypoint", "['e']", "Config.Entrypoint: ['e'], was ['']"},
		{"Config.ExposedPorts", "{}", "Config.ExposedPorts: 80/tcp is not as it was"},
		{"Config.Volumes", "{}", "Config.Volumes: /v is not as it was"},
		{"Config", "[]", "the inspect of what was made has no Config and HostConfig"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_difference(rows[i][0], rows[i][1], rows[i][2]);
}

static void mounts_are_all_there_and_no_others(void **state)
{
	(void)state;
	struct remade made;
	struct wd_list differences = {0};
	WD_AUTO_JSON struct wd_json *new = made_of_plain();

	remade_make(&made, &plain);
	set_at(new, "Mounts",
	       "[{'Type':'volume','Name':'v','Destination':'/v','RW':false},"
	       "{'Type':'volume','Name':'z','Destination':'/z','RW':true}]");
	assert_false(wd_recreate_compare(&made.source, made.recreate, new, &differences));
	assert_int_equal(differences.count, 4);
	assert_string_equal(differences.items[0], "Mounts: volume v at /v, rw is not as it was");
	assert_string_equal(differences.items[1], "Mounts: bind /h at /b, ro, rslave is not as it was");
	assert_string_equal(differences.items[2], "Mounts: volume v at /v, ro is not as it was");
	assert_string_equal(differences.items[3], "Mounts: volume z at /z, rw is not as it was");
	wd_list_done(&differences);
	remade_done(&made);
}

/* An old Engine leaves the runtime out where it was not given. */
static void the_default_runtime_may_be_written_down(void **state)
{
	(void)state;
	struct wish wish = {.info = "{'DefaultRuntime':'runc'}", .target = "{}"};
	WD_AUTO_JSON struct wd_json *new =
		remade_json("{'Id':'" REMADE_NEW "','Image':'sha256:target','Config':{},"
			    "'HostConfig':{'Runtime':'runc'},'NetworkSettings':{'Networks':{'bridge':{}}}}");
	struct remade made;
	struct wd_list differences = {0};

	remade_make(&made, &wish);
	assert_true(wd_recreate_compare(&made.source, made.recreate, new, &differences));
	set_at(new, "HostConfig.Runtime", "'crun'");
	assert_false(wd_recreate_compare(&made.source, made.recreate, new, &differences));
	wd_list_done(&differences);
	remade_done(&made);
}

static void sysctls_that_moved_are_where_they_were_sent(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'Sysctls':{'net.ipv4.conf.eth0.x':'1'}}", .api = "1.48", .target = "{}"};
	WD_AUTO_JSON struct wd_json *new = remade_json(
		"{'Id':'" REMADE_NEW "','Image':'sha256:target','Config':{},'HostConfig':{'Sysctls':{}},"
		"'NetworkSettings':{'Networks':{'bridge':{'DriverOpts':{'com.docker.network.endpoint.sysctls':"
		"'net.ipv4.conf.IFNAME.x=1'}}}}}");
	struct remade made;
	struct wd_list differences = {0};

	remade_make(&made, &wish);
	assert_true(wd_recreate_compare(&made.source, made.recreate, new, &differences));
	set_at(new, "NetworkSettings.Networks.bridge.DriverOpts", "{}");
	assert_false(wd_recreate_compare(&made.source, made.recreate, new, &differences));
	wd_list_done(&differences);
	remade_done(&made);
}

/* ---- what the change of the image changes ---- */

static void changes_are_told_without_secrets(void **state)
{
	static const char *const wanted[] = {
		"Cmd: ['old'], was ['new']", "User: '', was 'u'", "Env: ~ B", "Env: - C", "Env: + D", "Labels: - l"};
	(void)state;
	struct wish wish = {
		.config = "{'Cmd':['new'],'User':'u','Env':['A=mine','B=2','C=hush'],'Labels':{'l':'1','k':'2'}}",
		.broken = "{'Cmd':['new'],'User':'u','Env':['A=2','B=2','C=hush'],'Labels':{'l':'1'}}",
		.target = "{'Cmd':['old'],'User':'','Env':['A=1','B=1','D=1']}"};
	struct remade made;
	struct wd_list lines = {0};

	remade_make(&made, &wish);
	wd_recreate_changes(&made.source, made.recreate, &lines);
	assert_int_equal(lines.count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < lines.count; i++) {
		WD_AUTO_FREE char *quoted = remade_quoted(wanted[i]);

		assert_string_equal(lines.items[i], quoted);
	}
	wd_list_done(&lines);
	remade_done(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_differ_is_let_pass),
		cmocka_unit_test(every_other_difference_is_found),
		cmocka_unit_test(mounts_are_all_there_and_no_others),
		cmocka_unit_test(the_default_runtime_may_be_written_down),
		cmocka_unit_test(sysctls_that_moved_are_where_they_were_sent),
		cmocka_unit_test(changes_are_told_without_secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
