/* Trees go into archives and come back as they were, as tools that are not seadog see them. */
#include "../../watchdog/vault/squeeze.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <support/files.h>
#include <support/flows.h>
#include <support/unit.h>
#include <support/vessel.h>
#include <watchdog/memory.h>

/* All that a volume may have in it, in the directory "tree". */
static const char everything[] =
	"set -e; umask 022; mkdir tree; cd tree\n"
	"mkdir -p empty a/b/c 'with blank' closed; printf hello >a/b/c/file; printf '' >a/nothing\n"
	"head -c 3000000 /dev/urandom >a/large; printf x >-n; printf y >\"$(printf 'new\\nline')\"\n"
	"printf bytes >\"$(printf 'n\\377\\376.bin')\"; mkdir \"$(printf 'd\\200')\"; printf z >\"$(printf "
	"'d\\200/h\\303\\251')\"\n"
	"printf cesu >\"$(printf '\\355\\240\\275\\355\\270\\200')\"; printf nfd >\"$(printf 'e\\314\\201')\"\n"
	"ln a/b/c/file a/hard; ln a/b/c/file \"$(printf 'hard\\377')\"; ln a/large large\n"
	"ln -s a/b rel; ln -s /etc/hostname absolute; ln -s ../../../../etc/passwd climbing; ln -s nowhere dangling\n"
	"ln -s \"$(printf 'to\\377')\" \"$(printf 'l\\377')\"; ln -P rel rel2; ln -s $(printf '%01000d' 7) long-link\n"
	"touch setuid setgid sticky; chown 4294967294:1234 setuid; chown 70000:3000000 setgid a/b; chown -h 5:6 rel\n"
	"chmod 4755 setuid; chmod 2711 setgid; chmod 1000 sticky; chmod 0 closed; chmod 2751 a; chmod 1777 empty\n"
	"truncate -s 20M holes; printf begin | dd of=holes conv=notrunc status=none\n"
	"printf middle | dd of=holes conv=notrunc bs=1 seek=10485761 status=none; truncate -s 3M hole; truncate -s 5 "
	"tiny-hole\n"
	"touch -d '1960-02-03 04:05:06.123456789 UTC' old; touch -d '2026-01-02 03:04:05.987654321 UTC' a/b/c/file\n"
	"touch -h -d '2001-01-01 01:01:01.5 UTC' rel; touch -d '2250-01-01 UTC' far\n"
	"n=$(printf '%0200d' 1); mkdir -p $n/$n/$n/$n/$n/$n; printf deep >$n/$n/$n/$n/$n/$n/$n; ln "
	"$n/$n/$n/$n/$n/$n/$n deep\n"
	"printf 255 >\"$(printf '%0255d' 3)\"\n"
	"chown 1234:4321 .; chmod 2750 .; touch -d '2020-02-02 02:02:02.222222222 UTC' a empty closed .\n";

static const char attributes[] =
	"set -e; cd tree\n"
	"setfattr -n user.note -v 'a value' a/b/c/file; setfattr -n user.bytes -v 0x00ff000a3d25 a; setfattr -n "
	"user.empty far\n"
	"setfattr -n 'user.a b=c%20d' -v 1 far; setfattr -n trusted.mark -v 7 closed; setfattr -h -n trusted.link -v 8 "
	"dangling\n"
	"setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 setgid; setfattr -n user.root "
	"-v r .\n"
	"setfacl -m u:1000:rw-,g:2000:r-x,m::r-x a/b/c/file; setfacl -m u:3000000000:--- old; setfacl -m m::r sticky\n"
	"setfacl -d -m u:1000:rwx,g::r-x,o::--- a/b; setfacl -m u:4:r-x a/b; setfacl -d -m o::r .\n"
	"touch -d '2020-02-02 02:02:02.222222222 UTC' a .\n";

static void make_everything(void)
{
	shell(everything);
	shell(attributes);
}

/* What find, getfattr, getfacl and rsync see is the same. */
static void assert_same_trees(const char *one, const char *other)
{
	WD_AUTO_FREE char *command = wd_format("look() { ( cd $1 && find . -printf '%%P\\0%%y %%m %%U %%G %%s %%n %%T@ "
					       "%%l\\0' | sort -z | tr '\\0' '\\n'; "
					       "getfattr -h -R -d -m - -e hex . 2>&1 | sed '/^# file/b' | sort; "
					       "getfacl -R -n -p . 2>/dev/null | sort ); }\n"
					       "look %s >one.look; look %s >other.look; cmp one.look other.look || { "
					       "diff -a one.look other.look | head -40; exit 1; }\n"
					       "[ $(wc -l <one.look) -gt 30 ] && rsync -nacHAXi --delete %s/ %s/ "
					       ">rsync.said && cat rsync.said && ! [ -s rsync.said ]",
					       one, other, one, other);

	shell(command);
}

static bool is_ready(void)
{
	return geteuid() == 0 && have("getfattr") && have("getfacl") && have("rsync") && have("zstd") &&
	       system("touch probe && setfattr -n trusted.probe -v 1 probe && setfacl -m u:1:r probe") == 0;
}

static void everything_comes_back(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};
	struct wd_tally packed, checked, unpacked;
	struct wd_error error = {0};
	struct witness by = {0}, back = {0};
	struct stat status;

	(void)state;
	if (!is_ready())
		skip();
	make_everything();
	assert_true(pack_text("tree", &archive, &by, &packed, &error));
	assert_string_equal(wd_text_get(&by.said), "");
	if (!check_text(&archive, packed, &checked, &error))
		fail_msg("%s", error.text);
	if (!unpack_text(&archive, "back", packed, &back, &unpacked, &error))
		fail_msg("%s", error.text);
	assert_string_equal(wd_text_get(&back.said), "");
	assert_int_equal(packed.files, checked.files);
	assert_int_equal(packed.bytes, checked.bytes);
	assert_int_equal(packed.files, unpacked.files);
	assert_int_equal(packed.bytes, unpacked.bytes);
	assert_same_trees("tree", "back");
	assert_int_equal(stat("back/holes", &status), 0);
	assert_in_range(status.st_blocks, 1, 64);
	assert_int_equal(stat("back/hole", &status), 0);
	assert_int_equal(status.st_blocks, 0);
	wd_text_done(&by.said);
	wd_text_done(&back.said);
}

/* A person who has tar and zstd needs nothing else. */
static void tar_alone_reads_it(void **state)
{
	WD_AUTO_TEXT struct wd_text packed = {0};
	struct wd_error error = {0};
	struct wd_tally tally;

	(void)state;
	if (!is_ready())
		skip();
	make_everything();
	/* What tar cannot have: the name of that attribute, and a fraction of a second before 1970 from others. */
	shell("setfattr -x 'user.a b=c%20d' tree/far && touch -d '1960-02-03 04:05:06 UTC' tree/old");
	struct wd_squeeze *squeeze = wd_squeeze_new(into_text(&packed), 3, 2, &error);

	assert_true(pack("tree", wd_squeeze_sink(squeeze), NULL, NULL, &tally, &error));
	assert_true(wd_squeeze_end(squeeze, &error));
	wd_squeeze_free(squeeze);
	write_bytes("a.tar.zst", packed.data, packed.length);
	shell("zstd -qt a.tar.zst && mkdir theirs && tar --zstd -tf a.tar.zst >list 2>said");
	shell("tar --zstd --numeric-owner --xattrs --xattrs-include='*' --acls --same-owner -S -xpf a.tar.zst -C "
	      "theirs 2>said");
	shell("! grep -v -e \"unknown extended header keyword 'hdrcharset'\" -e 'implausibly old time' -e 'in the "
	      "future' said");
	assert_same_trees("tree", "theirs");
}

/* And what tar has packed, in all that tar has been, comes back here. */
static void what_tar_has_written_is_read(void **state)
{
	static const char *const formats[] = {"v7", "oldgnu", "gnu", "ustar", "posix"};

	(void)state;
	if (!is_ready())
		skip();
	shell("mkdir -p tree/a/b && printf hello >tree/a/b/file && ln tree/a/b/file tree/hard && ln -s a/b/file "
	      "tree/soft && "
	      "truncate -s 2M tree/holes && printf x >>tree/holes && chmod 4711 tree/a/b/file && "
	      "find tree -exec touch -h -d '2020-01-01 UTC' {} +");
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		bool holes = strcmp(formats[i], "v7") != 0 && strcmp(formats[i], "ustar") != 0;
		WD_AUTO_FREE char *command =
			wd_format("tar --format=%s %s -C tree -cf t.tar .", formats[i], holes ? "-S" : "");
		WD_AUTO_TEXT struct wd_text archive = {0};
		struct wd_error error = {0};
		struct wd_tally tally;

		shell(command);
		read_file("t.tar", &archive);
		if (!unpack_text(&archive, "back", ANY, NULL, &tally, &error))
			fail_msg("%s: %s", formats[i], error.text);
		shell("rsync -nacHi --delete tree/ back/ >said; ! [ -s said ] && rm -r back");
	}
}

static void a_large_hole_costs_nothing(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};
	struct wd_tally tally;
	struct wd_error error = {0};
	struct stat status;

	(void)state;
	shell("mkdir tree && truncate -s 5G tree/five && printf end >>tree/five");
	assert_true(pack_text("tree", &archive, NULL, &tally, &error));
	assert_true(archive.length < 65536);
	assert_int_equal(tally.bytes, ((uint64_t)5 << 30) + 3);
	if (!unpack_text(&archive, "back", tally, NULL, &tally, &error))
		fail_msg("%s", error.text);
	assert_int_equal(stat("back/five", &status), 0);
	assert_int_equal(status.st_size, ((int64_t)5 << 30) + 3);
	assert_in_range(status.st_blocks, 1, 64);
	shell("[ \"$(tail -c 5 back/five | tr '\\0' 0)\" = 00end ]");
}

static void what_is_no_file_is_left_out(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};
	struct wd_tally tally;
	struct wd_error error = {0};
	struct witness by = {0};

	(void)state;
	if (geteuid() != 0)
		skip();
	shell("mkdir tree && cd tree && mkfifo fifo && printf x >file");
	bool device = system("mknod tree/null c 1 3 2>/dev/null") == 0;

	assert_true(pack_text("tree", &archive, &by, &tally, &error));
	assert_non_null(strstr(wd_text_get(&by.said), "./fifo: a fifo is left out\n"));
	assert_true(!device || strstr(wd_text_get(&by.said), "./null: a device is left out\n"));
	assert_int_equal(tally.files, 2);
	write_bytes("a.tar", archive.data, archive.length);
	shell("[ \"$(tar -tf a.tar | tr '\\n' ' ')\" = './ ./file ' ]");
	wd_text_done(&by.said);
}

/* --- trees that do not stand still --- */

static void change_the_next(struct witness *witness, const struct wd_tally *tally)
{
	if (tally->files < 2) /* the tree itself, and the first file */
		return;
	witness->at = NULL;
	shell("cd tree && rm gone && printf more >>grows && truncate -s 2 shrinks && rm turns && mkfifo turns");
}

static void what_changes_is_dealt_with(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};
	struct wd_tally tally;
	struct wd_error error = {0};
	struct witness by = {.at = change_the_next};

	(void)state;
	/* They come in the order of their inodes. */
	shell("mkdir tree && cd tree && for f in 1 2 3 4 5; do printf hello >$f; done && "
	      "set -- $(ls -i | sort -n | sed 's/.* //') && mv $1 stays && mv $2 gone && mv $3 grows && mv $4 shrinks "
	      "&& mv $5 turns");
	assert_true(pack_text("tree", &archive, &by, &tally, &error));
	assert_non_null(strstr(wd_text_get(&by.said), "./gone: it has vanished while it was read: left out\n"));
	assert_non_null(strstr(wd_text_get(&by.said), "./turns: a fifo is left out\n"));
	assert_true(unpack_text(&archive, "back", tally, NULL, &tally, &error));
	shell("cd back && [ \"$(cat grows shrinks stays)\" = hellomorehehello ] && ! [ -e gone ] && ! [ -e turns ]");
	wd_text_done(&by.said);
}

static void cut_and_grow(struct witness *witness, const struct wd_tally *tally)
{
	(void)tally;
	if (witness->calls == 2) /* the first MiB of the first file is read */
		shell("cd tree && truncate -s 1500000 one && printf more >>two");
	if (witness->calls == 8)
		shell("printf more >>tree/two");
}

static void a_file_that_changes_while_it_is_read(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0};
	struct wd_tally tally;
	struct wd_error error = {0};
	struct witness by = {.at = cut_and_grow};
	struct stat status;

	(void)state;
	shell("mkdir tree && head -c 5000000 /dev/zero | tr '\\0' x >tree/one && head -c 3000000 /dev/zero | tr '\\0' "
	      "y >tree/two && "
	      "[ $(stat -c %i tree/one) -lt $(stat -c %i tree/two) ] || { mv tree/one t; mv tree/two tree/one; mv t "
	      "tree/two; "
	      "truncate -s 0 tree/one tree/two; head -c 5000000 /dev/zero | tr '\\0' x >tree/one; "
	      "head -c 3000000 /dev/zero | tr '\\0' y >tree/two; }");
	assert_true(pack_text("tree", &archive, &by, &tally, &error));
	assert_string_equal(wd_text_get(&by.said), "./one: it became shorter while it was read: filled up with "
						   "zeros\n./two: it grew while it was read: cut\n");
	assert_true(unpack_text(&archive, "back", tally, NULL, &tally, &error));
	assert_int_equal(stat("back/one", &status), 0);
	assert_int_equal(status.st_size, 5000000);
	shell("[ $(tr -d '\\0' <back/one | wc -c) = 1500000 ] && [ \"$(tail -c 5 back/two)\" = ymore ]");
	wd_text_done(&by.said);
}

static void it_can_be_cancelled(void **state)
{
	WD_AUTO_TEXT struct wd_text archive = {0}, whole = {0};
	struct wd_tally tally = {.files = 77};
	struct wd_error error = {0};
	struct witness by = {.cancel_at = 3};

	(void)state;
	shell("mkdir -p tree/a tree/b tree/c");
	assert_false(pack_text("tree", &archive, &by, &tally, &error));
	assert_string_equal(error.text, "it was cancelled");
	assert_int_equal(tally.files, 77);
	assert_true(pack_text("tree", &whole, NULL, &tally, &error));
	assert_false(unpack_text(&whole, "back", ANY, &by, &tally, &error));
	assert_string_equal(error.text, "it was cancelled");
}

static void what_the_sink_says_is_said(void **state)
{
	struct wd_tally tally;
	struct wd_error error = {0};

	(void)state;
	shell("mkdir tree && head -c 3000000 /dev/zero >tree/file");
	assert_false(pack("tree", into_full_disk(), NULL, NULL, &tally, &error));
	assert_string_equal(error.text, "the disk is full");
}

static void a_hundred_thousand_files(void **state)
{
	struct wd_tally packed, unpacked;
	struct wd_error error = {0};
	WD_AUTO_TEXT struct wd_text archive = {0};

	(void)state;
	/* Where it costs nothing but memory. */
	shell("rm -rf /dev/shm/seadog-many.$PPID && mkdir /dev/shm/seadog-many.$PPID && ln -s "
	      "/dev/shm/seadog-many.$PPID many");
	shell("mkdir many/tree && cd many/tree && for d in $(seq 100); do mkdir $d && ( cd $d && seq 999 | split -l 1 "
	      "-a 3 - f "
	      "); done");
	assert_true(pack_text("many/tree", &archive, NULL, &packed, &error));
	assert_int_equal(packed.files, 1 + 100 * 1000);
	if (!unpack_text(&archive, "many/back", packed, NULL, &unpacked, &error))
		fail_msg("%s", error.text);
	assert_int_equal(packed.files, unpacked.files);
	shell("cd many && [ $(find back | wc -l) = 100001 ] && rsync -nacHi tree/ back/ >said && ! [ -s said ]");
	shell("rm -rf /dev/shm/seadog-many.$PPID");
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, enter_directory, leave_directory)
	const struct CMUnitTest tests[] = {
		STORY(everything_comes_back),
		STORY(tar_alone_reads_it),
		STORY(what_tar_has_written_is_read),
		STORY(a_large_hole_costs_nothing),
		STORY(what_is_no_file_is_left_out),
		STORY(what_changes_is_dealt_with),
		STORY(a_file_that_changes_while_it_is_read),
		STORY(it_can_be_cancelled),
		STORY(what_the_sink_says_is_said),
		STORY(a_hundred_thousand_files),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
