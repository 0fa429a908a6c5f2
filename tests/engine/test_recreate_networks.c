/* Networks. The numbers are those of the list of cases in the specification. */
#include "support/remade.h"
#include "support/unit.h"
#include <stddef.h>

#define ENDS "NetworkingConfig.EndpointsConfig"

static void what_the_engine_gave_is_not_asked_for(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'NetworkMode':'one'}",
		.networks = "{'one':{'NetworkID':'n','EndpointID':'e','Gateway':'g','IPAddress':'10.0.0.2','"
			    "IPPrefixLen':24,"
			    "'IPv6Gateway':'','GlobalIPv6Address':'','GlobalIPv6PrefixLen':0,'DNSNames':['web'],"
			    "'MacAddress':'02:42:0a:00:00:02','IPAMConfig':null,'Links':null,'Aliases':[],'DriverOpts':"
			    "null,"
			    "'GwPriority':0}}",
		.target = "{}"};

	expect_body(&wish, ENDS, "{'one':{}}");
}

static void c11_what_was_asked_for_is(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'NetworkMode':'one'}",
		.networks =
			"{'one':{'IPAMConfig':{'IPv4Address':'10.0.0.9','IPv6Address':'','LinkLocalIPs':['169.254.1.1']"
			"},"
			"'Links':['peer:p'],'Aliases':['a','8e4e0f2a1b3c','b'],'DriverOpts':{'x':'y'},'GwPriority':7}}",
		.api = "1.48",
		.target = "{}"};

	expect_body(&wish, ENDS ".one",
		    "{'IPAMConfig':{'IPv4Address':'10.0.0.9','LinkLocalIPs':['169.254.1.1']},'Links':['peer:p'],"
		    "'Aliases':['a','b'],'DriverOpts':{'x':'y'},'GwPriority':7}");
	wish.api = "1.47";
	expect_body(&wish, ENDS ".one.GwPriority", NULL);
}

static void c12_one_create_or_one_and_then_the_others(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'NetworkMode':'zulu'}",
			    .networks = "{'alpha':{'Aliases':['a']},'mike':{},'zulu':{'Aliases':['z']}}",
			    .api = "1.44",
			    .target = "{}"};

	expect_body(&wish, ENDS, "{'alpha':{'Aliases':['a']},'mike':{},'zulu':{'Aliases':['z']}}");
	expect_link(&wish, 0, NULL);
	wish.api = "1.43";
	expect_body(&wish, ENDS, "{'zulu':{'Aliases':['z']}}");
	expect_link(&wish, 0, "/networks/alpha/connect {'Container':'NEW','EndpointConfig':{'Aliases':['a']}}");
	expect_link(&wish, 1, "/networks/mike/connect {'Container':'NEW','EndpointConfig':{}}");
	expect_link(&wish, 2, NULL);
}

static void a_name_is_escaped_in_a_path(void **state)
{
	(void)state;
	struct wish wish = {.networks = "{'bridge':{},'a/b c':{}}", .api = "1.41", .target = "{}"};

	expect_link(&wish, 0, "/networks/a%2Fb%20c/connect {'Container':'NEW','EndpointConfig':{}}");
}

static void c13_nothing_of_that_kind_on_the_default_bridge(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'NetworkMode':'default'}",
			    .networks =
				    "{'bridge':{'Aliases':['a'],'IPAMConfig':{'IPv4Address':'1.2.3.4'},'Links':['x:y'],"
				    "'DriverOpts':{'o':'1'}}}",
			    .target = "{}"};

	expect_body(&wish, ENDS, "{'bridge':{'DriverOpts':{'o':'1'}}}");
	wish.networks = "{'one':{'Aliases':['0123456789ab']}}";
	wish.host = "{'NetworkMode':'one'}";
	expect_body(&wish, ENDS, "{'one':{'Aliases':['0123456789ab']}}");
	expect_warning(&wish, "0123456789ab on one is another container's");
}

static void no_network_of_ones_own(void **state)
{
	static const char *const modes[] = {"{'NetworkMode':'host'}", "{'NetworkMode':'none'}",
					    "{'NetworkMode':'container:" REMADE_OTHER "'}"};
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		struct wish wish = {.config = "{'MacAddress':'02:11:22:33:44:55'}",
				    .host = modes[i],
				    .networks = "{'host':{'Aliases':['x']},'none':{}}",
				    .target = "{}"};

		expect_body(&wish, "NetworkingConfig", NULL);
		expect_body(&wish, "MacAddress", NULL);
		expect_link(&wish, 0, NULL);
	}
}

/* ---- MAC addresses ---- */

static void c14_a_mac_address_that_was_given_goes_where_the_api_wants_it(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'MacAddress':'02:11:22:33:44:55'}",
			    .networks = "{'bridge':{'MacAddress':'02:11:22:33:44:55'}}",
			    .api = "1.43",
			    .target = "{}"};

	expect_body(&wish, "MacAddress", "'02:11:22:33:44:55'");
	expect_body(&wish, ENDS, "{'bridge':{}}");
	wish.api = "1.44";
	expect_body(&wish, "MacAddress", NULL);
	expect_body(&wish, ENDS, "{'bridge':{'MacAddress':'02:11:22:33:44:55'}}");
	wish.config = "{'MacAddress':''}";
	expect_body(&wish, ENDS, "{'bridge':{}}");
}

/* 25.0.0 shows generated ones as if they had been given. */
static void c14_one_that_is_derived_from_the_address_was_not_given(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'MacAddress':'02:42:ac:11:00:02'}",
			    .networks = "{'bridge':{'IPAddress':'172.17.0.2'}}",
			    .api = "1.44",
			    .target = "{}"};

	expect_body(&wish, ENDS, "{'bridge':{}}");
	wish.networks = "{'bridge':{'IPAddress':'172.17.0.3'}}";
	expect_body(&wish, ENDS, "{'bridge':{'MacAddress':'02:42:ac:11:00:02'}}");
}

#define EARLIER(mac, at)                                                                                               \
	"{'Id':'" REMADE_ID "','State':{'StartedAt':'" at                                                              \
	"'},'NetworkSettings':{'Networks':{'two':{'MacAddress':'" mac "'}}}}"

static void c14_on_a_second_network_two_starts_tell(void **state)
{
	static const struct {
		const char *info, *state, *earlier, *mac;
	} rows[] = {
		{"{'ServerVersion':'27.5.1'}", NULL, NULL, "'ae:11:22:33:44:66'"},
		{"{'ServerVersion':'28.5.2+dfsg1'}", NULL, NULL, NULL},
		{NULL, NULL, NULL, NULL},
		{NULL, "{'Status':'created','StartedAt':'0001-01-01T00:00:00Z'}", NULL, "'ae:11:22:33:44:66'"},
		{NULL, NULL, EARLIER("ae:11:22:33:44:66", "2025-12-31T00:00:00Z"), "'ae:11:22:33:44:66'"},
		{NULL, NULL, EARLIER("ae:00:00:00:00:00", "2025-12-31T00:00:00Z"), NULL},
		{NULL, NULL, EARLIER("ae:11:22:33:44:66", "2026-01-01T00:00:00Z"), NULL},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wish wish = {.networks = "{'bridge':{},'two':{'MacAddress':'ae:11:22:33:44:66'}}",
				    .info = rows[i].info,
				    .state = rows[i].state,
				    .earlier = rows[i].earlier,
				    .api = "1.48",
				    .target = "{}"};

		expect_body(&wish, ENDS ".two.MacAddress", rows[i].mac);
	}
	struct wish unsure = {
		.networks = "{'bridge':{},'two':{'MacAddress':'ae:11:22:33:44:66'}}", .api = "1.51", .target = "{}"};

	expect_warning(&unsure, "it cannot be told whether it was given");
}

/* ---- which network ---- */

#define ID_ONE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_TWO "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void c15_a_network_by_its_id(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'NetworkMode':'" ID_ONE "'}",
			    .networks = "{'alpha':{},'one':{'NetworkID':'" ID_ONE "'}}",
			    .known_networks = "[{'Name':'one','Id':'" ID_ONE "'},{'Name':'alpha','Id':'x'}]",
			    .api = "1.41",
			    .target = "{}"};

	expect_body(&wish, ENDS, "{'one':{}}");
	expect_body(&wish, "HostConfig.NetworkMode", "'" ID_ONE "'");
	expect_link(&wish, 0, "/networks/alpha/connect {'Container':'NEW','EndpointConfig':{}}");
	expect_link(&wish, 1, NULL);
	wish.known_networks = "[{'Name':'one','Id':'" ID_TWO "'},{'Name':'alpha','Id':'x'}]";
	expect_body(&wish, "HostConfig.NetworkMode", "'one'");
}

static void c15_a_network_that_is_gone_or_twice_there(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'NetworkMode':'one'}",
			    .networks = "{'one':{'NetworkID':'" ID_ONE "'}}",
			    .known_networks = "[{'Name':'bridge','Id':'x'}]",
			    .target = "{}"};

	expect_refused(&wish, "its network one is gone");
	wish.known_networks = "[{'Name':'one','Id':'" ID_TWO "'}]";
	expect_body(&wish, ENDS, "{'one':{}}");
	wish.known_networks = "[{'Name':'one','Id':'" ID_TWO "'},{'Name':'one','Id':'" ID_ONE "'}]";
	expect_body(&wish, ENDS, "{'" ID_ONE "':{}}");
	wish.known_networks = "[{'Name':'one','Id':'" ID_TWO "'},{'Name':'one','Id':'y'}]";
	expect_refused(&wish, "there are 2 networks one");
}

static void disconnected_from_where_it_was_made(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'NetworkMode':'default'}", .networks = "{'one':{}}", .api = "1.41", .target = "{}"};

	expect_body(&wish, "NetworkingConfig", NULL);
	expect_link(&wish, 0, "/networks/one/connect {'Container':'NEW','EndpointConfig':{}}");
	expect_link(&wish, 1, "/networks/bridge/disconnect {'Container':'NEW'}");
	wish.api = "1.44";
	expect_body(&wish, ENDS, "{'one':{}}");
	expect_link(&wish, 0, NULL);
	wish.networks = "{}";
	expect_link(&wish, 0, "/networks/bridge/disconnect {'Container':'NEW'}");
}

/* ---- sysctls ---- */

static void c24_the_sysctl_of_an_interface_is_its_endpoints_since_1_48(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'NetworkMode':'one','Sysctls':{'net.ipv4.conf.eth0.forwarding':'1',"
			"'net.core.somaxconn':'9','net.ipv6.conf.eth0.a.b':'2'}}",
		.networks = "{'one':{'DriverOpts':{'com.docker.network.endpoint.sysctls':'net.x.y.IFNAME.z=3'}}}",
		.api = "1.48",
		.target = "{}"};

	expect_body(&wish, "HostConfig.Sysctls", "{'net.core.somaxconn':'9'}");
	expect_body(
		&wish, ENDS ".one.DriverOpts",
		"{'com.docker.network.endpoint.sysctls':'net.ipv4.conf.IFNAME.forwarding=1,net.ipv6.conf.IFNAME.a.b=2,"
		"net.x.y.IFNAME.z=3'}");
	wish.api = "1.47";
	expect_body(&wish, "HostConfig.Sysctls",
		    "{'net.ipv4.conf.eth0.forwarding':'1','net.core.somaxconn':'9','net.ipv6.conf.eth0.a.b':'2'}");
	wish.api = "1.51";
	wish.host = "{'NetworkMode':'one','Sysctls':{'net.ipv4.conf.eth1.forwarding':'1'}}";
	expect_refused(&wish, "net.ipv4.conf.eth1.forwarding");
	wish.host = "{'NetworkMode':'one','Sysctls':{'net.ipv4.conf.eth.x':'1','net.ipv4.eth0.y':'1','net.eth0':'1'}}";
	expect_body(&wish, "HostConfig.Sysctls", "{'net.ipv4.conf.eth.x':'1','net.ipv4.eth0.y':'1','net.eth0':'1'}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_engine_gave_is_not_asked_for),
		cmocka_unit_test(c11_what_was_asked_for_is),
		cmocka_unit_test(c12_one_create_or_one_and_then_the_others),
		cmocka_unit_test(a_name_is_escaped_in_a_path),
		cmocka_unit_test(c13_nothing_of_that_kind_on_the_default_bridge),
		cmocka_unit_test(no_network_of_ones_own),
		cmocka_unit_test(c14_a_mac_address_that_was_given_goes_where_the_api_wants_it),
		cmocka_unit_test(c14_one_that_is_derived_from_the_address_was_not_given),
		cmocka_unit_test(c14_on_a_second_network_two_starts_tell),
		cmocka_unit_test(c15_a_network_by_its_id),
		cmocka_unit_test(c15_a_network_that_is_gone_or_twice_there),
		cmocka_unit_test(disconnected_from_where_it_was_made),
		cmocka_unit_test(c24_the_sysctl_of_an_interface_is_its_endpoints_since_1_48),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
