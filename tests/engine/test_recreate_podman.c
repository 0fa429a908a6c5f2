/* Podman's inspect, as 5.4 shows it, and what is refused there. No Podman is at hand for the tests on real Engines. */
#include "support/remade.h"
#include "support/unit.h"
#include <stddef.h>

static void c47_what_the_runtime_added_is_taken_away(void **state)
{
	(void)state;
	struct wish wish = {
		.config = "{'Hostname':'8e4e0f2a1b3c','Env':['container=podman','HOSTNAME=8e4e0f2a1b3c','TERM=xterm','"
			  "HOME=/root',"
			  "'A=1','HOME=/home/me','HOSTNAME=other'],'StopSignal':'15','StopTimeout':10}",
		.host = "{'NetworkMode':'bridge','PidMode':'private','UTSMode':'private','UsernsMode':'private',"
			"'CgroupnsMode':'private','IpcMode':'shareable','Runtime':'oci','MemorySwappiness':0,"
			"'NanoCpus':500000000,'CpuPeriod':100000,'CpuQuota':50000,'PidsLimit':2048,"
			"'Ulimits':[{'Name':'RLIMIT_NOFILE','Soft':1,'Hard':2},{'Name':'core'}],"
			"'Devices':[{'PathOnHost':'/dev/x','CgroupPermissions':''}],"
			"'Annotations':{'io.container.manager':'libpod','mine':'too','io.podman.annotations.pids-limit'"
			":"
			"'2048','org.opencontainers.image.stopSignal':'15','org.systemd.property.KillSignal':'15'},"
			"'Binds':['abc:/anonymous:rprivate,rw,nodev']}",
		.mounts = "[{'Type':'volume','Name':'abc','Destination':'/anonymous'}]",
		.networks = "{'podman':{'Aliases':['8e4e0f2a1b3c']}}",
		.libpod = "{'Config':{'CreateCommand':['podman','run','web']}}",
		.podman = true,
		.api = "1.41",
		.target = "{}"};

	expect_body(&wish, "Env", "['A=1','HOME=/home/me','HOSTNAME=other']");
	expect_body(&wish, "Hostname", NULL);
	expect_body(&wish, "StopSignal", NULL);
	expect_body(&wish, "HostConfig",
		    "{'NetworkMode':'podman','PidMode':'','UTSMode':'','UsernsMode':'','CgroupnsMode':'','IpcMode':'',"
		    "'NanoCpus':500000000,'CpuPeriod':0,'CpuQuota':0,'PidsLimit':2048,"
		    "'Ulimits':[{'Name':'nofile','Soft':1,'Hard':2},{'Name':'core'}],"
		    "'Devices':[{'PathOnHost':'/dev/x','CgroupPermissions':'rwm'}],'Annotations':{'mine':'too'},"
		    "'Binds':['abc:/anonymous:rprivate,rw,nodev']}");
	expect_body(&wish, "NetworkingConfig.EndpointsConfig", "{'podman':{}}");
}

static void c47_a_signal_by_its_number_is_the_images_by_its_name(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'StopSignal':'3'}",
			    .broken = "{'StopSignal':'SIGQUIT'}",
			    .libpod = "{'Config':{'CreateCommand':['podman','run','web']}}",
			    .podman = true,
			    .target = "{}"};

	expect_body(&wish, "StopSignal", NULL);
	wish.broken = "{'StopSignal':'SIGINT'}";
	expect_body(&wish, "StopSignal", "'SIGQUIT'");
	wish.config = "{'StopSignal':'37'}";
	expect_body(&wish, "StopSignal", "'37'");
}

static void c47_a_network_of_ones_own_is_the_mode(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'NetworkMode':'bridge'}",
			    .networks = "{'shop':{'Aliases':['w']}}",
			    .libpod = "{'Config':{'CreateCommand':['podman','run','web']}}",
			    .podman = true,
			    .target = "{}"};

	expect_body(&wish, "HostConfig.NetworkMode", "'shop'");
	expect_body(&wish, "NetworkingConfig.EndpointsConfig", "{'shop':{'Aliases':['w']}}");
}

static void c47_what_podman_does_not_show_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{NULL, "does not show all"},
		{"{'Config':{'CreateCommand':['podman','run','--ip','10.0.0.1','web']}}", "given by --ip"},
		{"{'Config':{'CreateCommand':['podman','run','--sysctl=a=b','web']}}", "given by --sysctl"},
		{"{'Pod':'abc','Config':{}}", "part of a pod"},
		{"{'IsInfra':true,'Config':{}}", "part of a pod"},
		{"{'Config':{'Secrets':[{'Name':'s'}]}}", "its secrets"},
		{"{'Config':{}}", "made through the API"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wish wish = {.libpod = rows[i][0], .podman = true, .target = "{}"};

		expect_refused(&wish, rows[i][1]);
	}
	struct wish wish = {.libpod = "{'Config':{'CreateCommand':['podman','run','--ipc','host','web']}}",
			    .podman = true,
			    .target = "{}"};

	expect_made(&wish);
	wish.host = "{'Links':['/a:/web/a']}";
	expect_refused(&wish, "links");
	wish.host = "{'PidMode':'ns:/proc/1/ns/pid'}";
	expect_refused(&wish, "PidMode");
}

static void what_is_no_inspect_is_an_error_there_too(void **state)
{
	(void)state;
	WD_AUTO_JSON struct wd_json *inspect =
		remade_json("{'Id':'8e4e','Config':{'Env':['HOSTNAME=8e4e']},'HostConfig':{}}");
	struct wd_recreate_source source = {.inspect = inspect, .libpod = inspect, .api = "1.41", .podman = true};
	struct wd_error error = {0};

	assert_null(wd_recreate_build(&source, &error));
	assert_int_equal(error.kind, WD_ERROR_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c47_what_the_runtime_added_is_taken_away),
		cmocka_unit_test(c47_a_signal_by_its_number_is_the_images_by_its_name),
		cmocka_unit_test(c47_a_network_of_ones_own_is_the_mode),
		cmocka_unit_test(c47_what_podman_does_not_show_is_refused),
		cmocka_unit_test(what_is_no_inspect_is_an_error_there_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
