/* What is the image's, and what was given. The numbers are those of the list of cases in the specification. */
#include "support/remade.h"
#include "support/unit.h"

static void c2_what_the_broken_image_brought_is_taken_away(void **state)
{
	(void)state;
	struct wish wish = {
		.config = "{'Env':['A=1','B=2'],'Labels':{'l':'1'},'Cmd':['c'],'Entrypoint':['e'],'User':'u',"
			  "'WorkingDir':'/w','StopSignal':'SIGINT','Healthcheck':{'Test':['CMD','t'],'Retries':3},"
			  "'Volumes':{'/v':{}},'ExposedPorts':{'80/tcp':{}},'OnBuild':null,'Shell':['sh'],"
			  "'ArgsEscaped':true}",
		.broken = "{'Env':['A=1','B=2'],'Labels':{'l':'1'},'Cmd':['c'],'Entrypoint':['e'],'User':'u',"
			  "'WorkingDir':'/w','StopSignal':'SIGINT','Healthcheck':{'Test':['CMD','t'],'Retries':3},"
			  "'Volumes':{'/v':{}},'ExposedPorts':{'80/tcp':{}},'Shell':['sh'],'ArgsEscaped':true}",
		.target = "{'Env':['A=0']}",
	};
	static const char *const gone[] = {"Env",        "Labels",     "Cmd",         "Entrypoint", "User",
					   "WorkingDir", "StopSignal", "Healthcheck", "Volumes",    "ExposedPorts",
					   "OnBuild",    "Shell",      "ArgsEscaped"};

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		expect_body(&wish, gone[i], NULL);
	expect_body(&wish, "Image", "'sha256:target'");
}

static void c3_what_was_given_survives(void **state)
{
	(void)state;
	struct wish wish = {
		.config = "{'Env':['A=1','A2=','B','C=mine','D=d=d'],'Labels':{'same':'1','other':'mine','new':''},"
			  "'User':'me','WorkingDir':'/me','StopSignal':'SIGHUP','Volumes':{'/v':{},'/mine':{}},"
			  "'ExposedPorts':{'80/tcp':{},'81/udp':{}},'StopTimeout':0,'Tty':true,'OpenStdin':false}",
		.broken =
			"{'Env':['A=1','C=image'],'Labels':{'same':'1','other':'image'},'User':'image',"
			"'WorkingDir':'/image','StopSignal':'SIGINT','Volumes':{'/v':{}},'ExposedPorts':{'80/tcp':{}}}",
		.target = "{}",
	};

	expect_body(&wish, "Env", "['A2=','B','C=mine','D=d=d']");
	expect_body(&wish, "Labels", "{'other':'mine','new':''}");
	expect_body(&wish, "User", "'me'");
	expect_body(&wish, "WorkingDir", "'/me'");
	expect_body(&wish, "StopSignal", "'SIGHUP'");
	expect_body(&wish, "Volumes", "{'/mine':{}}");
	expect_body(&wish, "ExposedPorts", "{'81/udp':{}}");
	expect_body(&wish, "StopTimeout", "0");
	expect_body(&wish, "Tty", "true");
	expect_body(&wish, "OpenStdin", "false");
}

static void only_the_inspects_config_and_host_config_are_sent(void **state)
{
	(void)state;
	struct wish wish = {
		.config = "{'Image':'acme/web:2','Future':{'a':[1.0,null]}}",
		.more = "'Path':'x','RestartCount':3,'Driver':'overlay2','MountLabel':'x','Platform':'linux'",
		.target = "{}"};

	expect_body(&wish, "Future", "{'a':[1.0,null]}");
	expect_body(&wish, "Image", "'sha256:target'");
	static const char *const gone[] = {"Id",     "Name",  "Path",   "RestartCount",
					   "Driver", "State", "Mounts", "Platform"};

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		expect_body(&wish, gone[i], NULL);
}

/* Each row: entrypoint and command of the container and of the broken image, and what is sent. */
static void c4_the_table_of_entrypoint_and_command(void **state)
{
	static const struct {
		const char *container, *image, *entrypoint, *cmd;
	} rows[] = {
		{"{'Entrypoint':['e'],'Cmd':['c']}", "{'Entrypoint':['e'],'Cmd':['c']}", NULL, NULL},
		{"{'Entrypoint':null,'Cmd':['c']}", "{'Entrypoint':[],'Cmd':['c']}", NULL, NULL},
		{"{'Entrypoint':['e'],'Cmd':['mine']}", "{'Entrypoint':['e'],'Cmd':['c']}", NULL, "['mine']"},
		{"{'Entrypoint':['e'],'Cmd':['mine']}", "{'Entrypoint':['e']}", NULL, "['mine']"},
		{"{'Entrypoint':['e'],'Cmd':null}", "{'Entrypoint':['e'],'Cmd':['c']}", "['e']", NULL},
		{"{'Entrypoint':['e'],'Cmd':[]}", "{'Entrypoint':['e'],'Cmd':['c']}", "['e']", NULL},
		{"{'Entrypoint':['mine'],'Cmd':['c']}", "{'Entrypoint':['e'],'Cmd':['c']}", "['mine']", "['c']"},
		{"{'Entrypoint':['mine'],'Cmd':null}", "{'Entrypoint':['e'],'Cmd':['c']}", "['mine']", NULL},
		{"{'Entrypoint':['mine'],'Cmd':[]}", "{'Cmd':['c']}", "['mine']", NULL},
		{"{'Entrypoint':null,'Cmd':['c']}", "{'Entrypoint':['e'],'Cmd':['c']}", "['']", "['c']"},
		{"{'Cmd':['mine']}", "{'Entrypoint':['e'],'Cmd':['c']}", "['']", "['mine']"},
		{"{'Entrypoint':[],'Cmd':['c']}", "{'Entrypoint':['e'],'Cmd':['c']}", "[]", NULL},
		{"{'Entrypoint':[],'Cmd':['mine']}", "{'Entrypoint':['e'],'Cmd':['c']}", "[]", "['mine']"},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wish wish = {.config = rows[i].container, .broken = rows[i].image, .target = "{}"};

		expect_body(&wish, "Entrypoint", rows[i].entrypoint);
		expect_body(&wish, "Cmd", rows[i].cmd);
	}
}

static void c5_health_checks_are_taken_apart_by_member(void **state)
{
	(void)state;
	const char *image = "{'Healthcheck':{'Test':['CMD','t'],'Interval':7,'Retries':3}}";
	struct wish none = {.config = "{'Healthcheck':{'Test':['NONE']}}", .broken = image, .target = "{}"};
	struct wish retries = {.config = "{'Healthcheck':{'Test':['CMD','t'],'Interval':7,'Retries':5,'Timeout':0}}",
			       .broken = image,
			       .target = "{}"};
	struct wish own = {.config = "{'Healthcheck':{'Test':['CMD','mine'],'StartInterval':9}}", .target = "{}"};

	expect_body(&none, "Healthcheck", "{'Test':['NONE']}");
	expect_body(&retries, "Healthcheck", "{'Retries':5}");
	expect_body(&own, "Healthcheck", "{'Test':['CMD','mine'],'StartInterval':9}");
	own.api = "1.43";
	expect_body(&own, "Healthcheck", "{'Test':['CMD','mine']}");
	own.config = "{'Healthcheck':null}";
	expect_body(&own, "Healthcheck", NULL);
}

static void c6_labels_that_its_owner_finds_it_by_are_always_sent(void **state)
{
	(void)state;
	const char *labels = "{'Labels':{'com.docker.compose.project':'p','com.docker.stack.namespace':'s',"
			     "'io.portainer.x':'y','seadog.restarts':'3/30s','com.docker.compose':'z','plain':'1'}}";
	struct wish wish = {.config = labels, .broken = labels, .target = "{}"};

	expect_body(&wish, "Labels",
		    "{'com.docker.compose.project':'p','com.docker.stack.namespace':'s','io.portainer.x':'y'}");
}

static void c10_host_names(void **state)
{
	static const struct {
		const char *config, *host, *info, *hostname, *domainname;
	} rows[] = {
		{"{'Hostname':'8e4e0f2a1b3c','Domainname':''}", "{}", NULL, NULL, "''"},
		{"{'Hostname':'mine','Domainname':'d'}", "{}", NULL, "'mine'", "'d'"},
		{"{'Hostname':'mine.example.org'}", "{}", NULL, "'mine.example.org'", NULL},
		{"{'Hostname':'box'}", "{'NetworkMode':'host'}", "{'Name':'box'}", NULL, NULL},
		{"{'Hostname':'mine'}", "{'NetworkMode':'host'}", "{'Name':'box'}", "'mine'", NULL},
		{"{'Hostname':'theirs','Domainname':'d'}", "{'NetworkMode':'container:" REMADE_OTHER "'}", NULL, NULL,
		 NULL},
		{"{'Hostname':'box','Domainname':'d'}", "{'UTSMode':'host'}", NULL, NULL, "'d'"},
		{"{'Hostname':'0123456789ab'}", "{}", NULL, "'0123456789ab'", NULL},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wish wish = {
			.config = rows[i].config, .host = rows[i].host, .info = rows[i].info, .target = "{}"};

		expect_body(&wish, "Hostname", rows[i].hostname);
		expect_body(&wish, "Domainname", rows[i].domainname);
	}
	struct wish foreign = {.config = "{'Hostname':'0123456789ab'}", .target = "{}"};

	expect_warning(&foreign, "another container's short ID");
}

static void newer_engines_leave_out_what_is_not_set(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'User':'','WorkingDir':'','Env':null,'Cmd':['c']}",
			    .broken = "{'Cmd':['c']}",
			    .target = "{}"};

	expect_body(&wish, "User", NULL);
	expect_body(&wish, "WorkingDir", NULL);
	expect_body(&wish, "Env", NULL);
	expect_body(&wish, "Cmd", NULL);
}

static void hostile_types_break_nothing(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'Env':{'a':1},'Labels':['x'],'Healthcheck':[1],'Entrypoint':'e','Cmd':7,"
				      "'Volumes':['/v'],'ExposedPorts':'80','Hostname':5}",
			    .broken = "{'Env':'x','Labels':7,'Volumes':[1],'ExposedPorts':null,'Entrypoint':{}}",
			    .host = "{'PortBindings':['80'],'Binds':{'a':1},'Mounts':{'x':1},'Links':'x','Devices':[1],"
				    "'RestartPolicy':7,'Sysctls':[1],'VolumesFrom':{'x':'y'},'Tmpfs':[1],'Ulimits':5}",
			    .networks = "{'bridge':7,'two':null,'three':[1]}",
			    .target = "{'Volumes':'x'}"};
	struct remade made;

	remade_make(&made, &wish);
	remade_done(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c2_what_the_broken_image_brought_is_taken_away),
		cmocka_unit_test(c3_what_was_given_survives),
		cmocka_unit_test(only_the_inspects_config_and_host_config_are_sent),
		cmocka_unit_test(c4_the_table_of_entrypoint_and_command),
		cmocka_unit_test(c5_health_checks_are_taken_apart_by_member),
		cmocka_unit_test(c6_labels_that_its_owner_finds_it_by_are_always_sent),
		cmocka_unit_test(c10_host_names),
		cmocka_unit_test(newer_engines_leave_out_what_is_not_set),
		cmocka_unit_test(hostile_types_break_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
