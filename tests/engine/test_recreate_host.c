/* HostConfig and ports. The numbers are those of the list of cases in the specification. */
#include "support/remade.h"
#include "support/unit.h"

static void what_is_not_known_is_sent_as_it_was_shown(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'CapAdd':null,'Dns':[],'Future':{'x':1e3},'Isolation':'','Memory':9223372036854771712,"
			"'MemorySwap':-1,'Big':18446744073709551615,'One':1.0,'MaskedPaths':[],"
			"'ReadonlyPaths':null,'NanoCpus':500000000,'CpuPeriod':0}",
		.target = "{}"};

	expect_body(&wish, "HostConfig",
		    "{'CapAdd':null,'Dns':[],'Future':{'x':1e3},'Isolation':'','Memory':9223372036854771712,"
		    "'MemorySwap':-1,'Big':18446744073709551615,'One':1.0,'MaskedPaths':[],'ReadonlyPaths':null,"
		    "'NanoCpus':500000000,'CpuPeriod':0}");
}

static void c22_a_gpu_is_asked_for_as_it_was(void **state)
{
	(void)state;
	const char *gpu = "[{'Driver':'','Count':-1,'DeviceIDs':null,'Capabilities':[['gpu']],'Options':{}}]";
	struct wish wish = {.host = "{'DeviceRequests':[{'Driver':'','Count':-1,'DeviceIDs':null,"
				    "'Capabilities':[['gpu']],'Options':{}}]}",
			    .target = "{}"};

	expect_body(&wish, "HostConfig.DeviceRequests", gpu);
}

static void c23_what_the_kernel_has_not_is_not_sent(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'MemorySwappiness':10,'OomKillDisable':true,'KernelMemory':5,'KernelMemoryTCP':0}",
		.target = "{}"};

	expect_body(&wish, "HostConfig", "{'MemorySwappiness':10,'OomKillDisable':true}");
	expect_warning(&wish, "KernelMemory is not carried along");
	wish.info = "{'CgroupVersion':'2'}";
	expect_body(&wish, "HostConfig", "{'OomKillDisable':true}");
	wish.host = "{'MemorySwappiness':-1,'KernelMemory':0}";
	wish.info = NULL;
	expect_body(&wish, "HostConfig", "{}");
	expect_warning(&wish, NULL);
	wish.host = "{'MemorySwappiness':null}";
	expect_body(&wish, "HostConfig", "{}");
	wish.host = "{'MemorySwappiness':0}";
	expect_body(&wish, "HostConfig", "{'MemorySwappiness':0}");
}

static void members_that_are_the_clients_or_mean_nothing(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'ContainerIDFile':'/run/id','ConsoleSize':[0,0],'PidsLimit':0,"
				    "'RestartPolicy':{'Name':'','MaximumRetryCount':0}}",
			    .target = "{}"};

	expect_body(&wish, "HostConfig", "{'ConsoleSize':[0,0],'RestartPolicy':{'Name':'no','MaximumRetryCount':0}}");
	expect_warning(&wish, "/run/id, which becomes stale");
	wish.api = "1.41";
	expect_body(&wish, "HostConfig.ConsoleSize", NULL);
	wish.host = "{'PidsLimit':-1,'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':4}}";
	expect_body(&wish, "HostConfig", "{'RestartPolicy':{'Name':'on-failure','MaximumRetryCount':4}}");
	wish.host = "{'PidsLimit':100}";
	expect_body(&wish, "HostConfig", "{'PidsLimit':100}");
}

static void c21_links_are_given_as_they_were(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'Links':['/peer:/web/p','/a.b:/web.old/x-y','/db.rbold-1f2e3d4c:/web/db','short:s']}",
		.target = "{}"};

	expect_body(&wish, "HostConfig.Links", "['peer:p','a.b:x-y','db:db','short:s']");
	wish.host = "{'Links':null}";
	expect_body(&wish, "HostConfig.Links", "null");
}

static void devices_without_permissions_get_those_that_are_meant(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'Devices':[{'PathOnHost':'/dev/a','CgroupPermissions':''},"
				    "{'PathOnHost':'/dev/b','CgroupPermissions':'r'}]}",
			    .target = "{}"};

	expect_body(
		&wish, "HostConfig.Devices",
		"[{'PathOnHost':'/dev/a','CgroupPermissions':'rwm'},{'PathOnHost':'/dev/b','CgroupPermissions':'r'}]");
}

/* ---- ports ---- */

static void c7_a_port_that_only_the_broken_image_exposes_stays_published(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'ExposedPorts':{'80/tcp':{},'81/tcp':{}}}",
			    .host = "{'PortBindings':{'80/tcp':[{'HostIp':'','HostPort':'8080'}]}}",
			    .broken = "{'ExposedPorts':{'80/tcp':{},'81/tcp':{}}}",
			    .target = "{}"};

	expect_body(&wish, "ExposedPorts", "{'80/tcp':{}}");
	expect_body(&wish, "HostConfig.PortBindings", "{'80/tcp':[{'HostIp':'','HostPort':'8080'}]}");
	expect_warning(&wish, NULL);
}

static void c7_no_binding_means_any_port_and_is_said(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'ExposedPorts':{'80/tcp':{},'81/tcp':{}}}",
			    .host = "{'PortBindings':{'80/tcp':[],'81/tcp':null}}",
			    .target = "{}"};

	expect_body(&wish, "HostConfig.PortBindings",
		    "{'80/tcp':[{'HostIp':'','HostPort':''}],'81/tcp':[{'HostIp':'','HostPort':''}]}");
	expect_warning(&wish, "the host's port for 80/tcp is chosen anew");
	expect_warning(&wish, "the host's port for 81/tcp is chosen anew");
}

/* As Engines are: a binding without an exposed port publishes nothing, and must not begin to. */
static void a_port_that_nobody_exposes_stays_closed(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'PortBindings':{'80/tcp':[{'HostIp':'','HostPort':'8080'}]}}", .target = "{}"};

	expect_body(&wish, "ExposedPorts", NULL);
	expect_body(&wish, "HostConfig.PortBindings", "{'80/tcp':[{'HostIp':'','HostPort':'8080'}]}");
}

static void c8_bindings_are_sent_as_they_were_configured(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'ExposedPorts':{'1/tcp':{},'2/udp':{},'3/tcp':{}}}",
			    .host = "{'PortBindings':{'1/tcp':[{'HostIp':'','HostPort':'20000-20010'}],"
				    "'2/udp':[{'HostIp':'','HostPort':'0'}],"
				    "'3/tcp':[{'HostIp':'::1','HostPort':'1'},{'HostIp':'127.0.0.1','HostPort':'2'}],"
				    "'/tcp':[{'HostPort':'9'}]}}",
			    .more = "'Ports':{'1/tcp':[{'HostPort':'20003'}]}",
			    .target = "{}"};

	expect_body(&wish, "HostConfig.PortBindings",
		    "{'1/tcp':[{'HostIp':'','HostPort':'20000-20010'}],'2/udp':[{'HostIp':'','HostPort':'0'}],"
		    "'3/tcp':[{'HostIp':'::1','HostPort':'1'},{'HostIp':'127.0.0.1','HostPort':'2'}]}");
	expect_warning(&wish, "for 1/tcp is chosen anew");
	expect_warning(&wish, "for 2/udp is chosen anew");
	expect_warning(&wish, "\"/tcp\" has no number");
}

static void c9_all_ports_are_those_of_the_target(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'ExposedPorts':{'80/tcp':{}}}",
			    .host = "{'PublishAllPorts':true,'PortBindings':{}}",
			    .broken = "{'ExposedPorts':{'80/tcp':{}}}",
			    .target = "{'ExposedPorts':{'81/tcp':{}}}"};

	expect_body(&wish, "ExposedPorts", NULL);
	expect_body(&wish, "HostConfig.PublishAllPorts", "true");
	expect_warning(&wish, "what the target image exposes");
}

static void a_joined_network_has_no_ports_of_its_own(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'ExposedPorts':{'80/tcp':{}}}",
			    .host = "{'NetworkMode':'container:" REMADE_OTHER "'}",
			    .target = "{}"};

	expect_body(&wish, "ExposedPorts", NULL);
	expect_body(&wish, "NetworkingConfig", NULL);
}

static void a_dependent_follows(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'NetworkMode':'container:" REMADE_OTHER "','PidMode':'container:" REMADE_OTHER
				    "','IpcMode':'container:" REMADE_ID "'}",
			    .moved_to = REMADE_NEW};

	expect_body(&wish, "HostConfig.NetworkMode", "'container:" REMADE_NEW "'");
	expect_body(&wish, "HostConfig.PidMode", "'container:" REMADE_NEW "'");
	expect_body(&wish, "HostConfig.IpcMode", "'container:" REMADE_ID "'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_known_is_sent_as_it_was_shown),
		cmocka_unit_test(c22_a_gpu_is_asked_for_as_it_was),
		cmocka_unit_test(c23_what_the_kernel_has_not_is_not_sent),
		cmocka_unit_test(members_that_are_the_clients_or_mean_nothing),
		cmocka_unit_test(c21_links_are_given_as_they_were),
		cmocka_unit_test(devices_without_permissions_get_those_that_are_meant),
		cmocka_unit_test(c7_a_port_that_only_the_broken_image_exposes_stays_published),
		cmocka_unit_test(c7_no_binding_means_any_port_and_is_said),
		cmocka_unit_test(a_port_that_nobody_exposes_stays_closed),
		cmocka_unit_test(c8_bindings_are_sent_as_they_were_configured),
		cmocka_unit_test(c9_all_ports_are_those_of_the_target),
		cmocka_unit_test(a_joined_network_has_no_ports_of_its_own),
		cmocka_unit_test(a_dependent_follows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
