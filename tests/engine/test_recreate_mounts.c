/* Volumes. The numbers are those of the list of cases in the specification. */
#include "support/remade.h"
#include "support/unit.h"
#include <stdio.h>

#define VOLUME(name, place)                                                                                            \
	"{'Type':'volume','Name':'" name "','Source':'/v/" name "/_data','Destination':'" place "','RW':true}"

static void c16_volumes_without_a_name_are_carried_by_the_one_they_got(void **state)
{
	(void)state;
	struct wish wish = {
		.config = "{'Volumes':{'/user':{}}}",
		.host = "{'Binds':['/bound','/host:/h:ro','named:/n'],'Mounts':[{'Type':'volume',"
			"'Target':'/mounted/','VolumeOptions':{'NoCopy':true}},{'Type':'tmpfs','Target':'/t'}]}",
		.mounts = "[" VOLUME("u", "/user") "," VOLUME("b", "/bound") "," VOLUME("m", "/mounted") "," VOLUME(
			"named", "/n") ",{'Type':'bind','Source':'/host','Destination':'/h'}]",
		.target = "{}"};

	expect_body(&wish, "HostConfig.Binds", "['b:/bound','/host:/h:ro','named:/n','u:/user']");
	expect_body(&wish, "HostConfig.Mounts",
		    "[{'Type':'volume','Target':'/mounted/','VolumeOptions':{'NoCopy':true},'Source':'m'},"
		    "{'Type':'tmpfs','Target':'/t'}]");
	expect_body(&wish, "Volumes", "{'/user':{}}");
	expect_left_behind(&wish, NULL);
}

static void c16_a_volume_of_both_images_goes_along_one_of_the_broken_one_stays(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'Volumes':{'/both':{},'/old/':{}}}",
			    .host = "{'Binds':null}",
			    .mounts = "[" VOLUME("b", "/both") "," VOLUME("o", "/old") "]",
			    .broken = "{'Volumes':{'/both':{},'/old/':{}}}",
			    .target = "{'Volumes':{'/both/':{},'/new':{}}}"};

	expect_body(&wish, "HostConfig.Binds", "['b:/both']");
	expect_body(&wish, "Volumes", NULL);
	expect_left_behind(&wish, "o");
}

static void c16_a_volume_that_is_read_only_stays_so(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'Volumes':{'/user':{}}}",
			    .mounts = "[{'Type':'volume','Name':'u','Destination':'/user','RW':false}]",
			    .target = "{}"};

	expect_body(&wish, "HostConfig.Binds", "['u:/user:ro']");
}

static void no_target_is_given_twice(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'Volumes':{'/a':{},'/b':{},'/c':{}}}",
			    .host = "{'Binds':['x:/a/:ro'],'Mounts':[{'Type':'volume','Source':'y','Target':'/b/'}],"
				    "'Tmpfs':{'/c/':''}}",
			    .mounts = "[" VOLUME("x", "/a") "," VOLUME("y", "/b") "," VOLUME("z", "/c") "]",
			    .target = "{}"};

	expect_body(&wish, "HostConfig.Binds", "['x:/a/:ro']");
	expect_left_behind(&wish, NULL);
}

/* As Engine 28 shows them. */
static void c17_a_name_that_is_missing_is_read_from_the_place(void **state)
{
	(void)state;
	struct wish wish = {.config = "{'Volumes':{'/user':{}}}",
			    .mounts = "[{'Type':'volume','Source':'/var/lib/docker/volumes/abc/_data',"
				      "'Destination':'/user','RW':true}]",
			    .target = "{}"};

	expect_body(&wish, "HostConfig.Binds", "['abc:/user']");
	wish.known_volumes = "{'Volumes':[{'Name':'x','Mountpoint':'/x'},"
			     "{'Name':'abc','Mountpoint':'/var/lib/docker/volumes/abc/_data'}]}";
	expect_body(&wish, "HostConfig.Binds", "['abc:/user']");
	wish.known_volumes = "{'Volumes':[{'Name':'abc','Mountpoint':'/elsewhere/abc/_data'}]}";
	expect_refused(&wish, "what is in /user would be lost");
	wish.known_volumes = "{'Volumes':null}";
	expect_refused(&wish, "what is in /user would be lost");
}

static void what_has_no_name_at_all_is_not_given_up(void **state)
{
	static const char *const places[] = {"", "/_data", "//_data", "/somewhere", "/v/x/_data/y"};
	(void)state;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char mounts[200];
		struct wish wish = {.config = "{'Volumes':{'/user':{}}}", .mounts = mounts, .target = "{}"};

		snprintf(mounts, sizeof(mounts), "[{'Type':'volume','Source':'%s','Destination':'/user'}]", places[i]);
		expect_refused(&wish, "what is in /user would be lost");
		wish.config = NULL;
		wish.host = "{'Binds':['/user']}";
		expect_refused(&wish, "what is in /user would be lost");
		wish.host = "{'Mounts':[{'Type':'volume','Target':'/user'}]}";
		expect_refused(&wish, "what is in /user would be lost");
	}
}

#define SOURCE "{'Id':'" REMADE_OTHER "','Name':'/source'}"

static void c18_volumes_of_another_container(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'VolumesFrom':['source:ro']}",
		.mounts = "[" VOLUME("d", "/data") ",{'Type':'bind','Source':'/h','Destination':'/b','RW':false}]",
		.others = "[" SOURCE "]",
		.target = "{}"};

	expect_body(&wish, "HostConfig", "{'VolumesFrom':['source:ro']}");
	wish.host = "{'VolumesFrom':['222222222222']}";
	expect_body(&wish, "HostConfig", "{'VolumesFrom':['222222222222']}");
	expect_warning(&wish, NULL);
	wish.others = "[]";
	expect_body(&wish, "HostConfig", "{'VolumesFrom':[],'Binds':['/h:/b:ro','d:/data']}");
	expect_warning(&wish, "222222222222, which it has volumes from, is gone");
	wish.others = NULL;
	expect_body(&wish, "HostConfig", "{'VolumesFrom':['222222222222']}");
}

static void c19_tmpfs_goes_as_it_is(void **state)
{
	(void)state;
	struct wish wish = {.host = "{'Tmpfs':{'/t':'size=1m','/p':''},'Mounts':[{'Type':'tmpfs','Target':'/m',"
				    "'TmpfsOptions':{'SizeBytes':1048576,'Mode':1000}}]}",
			    .mounts = "[{'Type':'tmpfs','Destination':'/m'}]",
			    .target = "{}"};

	expect_body(&wish, "HostConfig",
		    "{'Tmpfs':{'/t':'size=1m','/p':''},'Mounts':[{'Type':'tmpfs','Target':'/m',"
		    "'TmpfsOptions':{'SizeBytes':1048576,'Mode':1000}}]}");
}

static void c27_options_of_another_kind_of_mount_are_dropped(void **state)
{
	(void)state;
	struct wish wish = {
		.host = "{'Mounts':[{'Type':'bind','Source':'/s','Target':'/m','BindOptions':{'Propagation':'rslave'},"
			"'VolumeOptions':{'NoCopy':true},'TmpfsOptions':null}]}",
		.target = "{}"};

	expect_body(&wish, "HostConfig.Mounts",
		    "[{'Type':'bind','Source':'/s','Target':'/m','BindOptions':{'Propagation':'rslave'}}]");
	wish.api = "1.41";
	expect_body(&wish, "HostConfig.Mounts",
		    "[{'Type':'bind','Source':'/s','Target':'/m','BindOptions':{'Propagation':'rslave'},"
		    "'VolumeOptions':{'NoCopy':true},'TmpfsOptions':null}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c16_volumes_without_a_name_are_carried_by_the_one_they_got),
		cmocka_unit_test(c16_a_volume_of_both_images_goes_along_one_of_the_broken_one_stays),
		cmocka_unit_test(c16_a_volume_that_is_read_only_stays_so),
		cmocka_unit_test(no_target_is_given_twice),
		cmocka_unit_test(c17_a_name_that_is_missing_is_read_from_the_place),
		cmocka_unit_test(what_has_no_name_at_all_is_not_given_up),
		cmocka_unit_test(c18_volumes_of_another_container),
		cmocka_unit_test(c19_tmpfs_goes_as_it_is),
		cmocka_unit_test(c27_options_of_another_kind_of_mount_are_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
