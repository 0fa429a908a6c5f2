#include "keeping.h"

#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>

char *keeping_place(void)
{
	const char *root = getenv("TMPDIR");
	char *place = wd_format("%s/seadog-store-XXXXXX", root ? root : "/tmp");
	assert_non_null(mkdtemp(place));
	return place;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *where)
{
	(void)status, (void)flag, (void)where;
	return remove(path);
}

void keeping_clear(const char *place)
{
	nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

char *keeping_file(const char *place, const char *name)
{
	return wd_format("%s/%s", place, name);
}

bool keeping_has(const char *place, const char *name)
{
	WD_AUTO_FREE char *path = keeping_file(place, name);
	return access(path, F_OK) == 0;
}

char *keeping_text(const char *place, const char *name)
{
	WD_AUTO_FREE char *path = keeping_file(place, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return NULL;
	struct wd_text text = {0};
	char part[4096];
	for (size_t length = fread(part, 1, sizeof(part), file); length; length = fread(part, 1, sizeof(part), file))
		wd_text_put(&text, part, length);
	fclose(file);
	return wd_text_take(&text);
}

void keeping_write(const char *place, const char *name, const void *bytes, size_t length)
{
	WD_AUTO_FREE char *path = keeping_file(place, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

/* Records lend their texts and are const in the store's eyes: so literals will do. */
static char *word(const char *text)
{
	union {
		const char *given;
		char *wanted;
	} either = {.given = text};
	return either.wanted;
}

const struct wd_memory *keeping_memory(const char *service, unsigned number)
{
	static struct wd_mark crashes[2], ooms[1];
	static struct wd_memory memory;
	crashes[0] = (struct wd_mark){1767323045123456789, 1767323040000000000, 100000, 3, true};
	crashes[1] = (struct wd_mark){1767323046123456789 + number, 1767323046123456789 + number, 300000, -1, false};
	ooms[0] = (struct wd_mark){1767323046000000001, 1767323046000000001, 0, 137, true};
	memory = (struct wd_memory){
		.service = word(service),
		.name = word("web"),
		.id = word("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
		.image_id = word("sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"),
		.policy = {WD_RESTART_ON_FAILURE, 7},
		.counted = number,
		.sure = 1767323045987654321 + number,
		.last_event = 1767323046123456789 + number,
		.started = 1767323000000000001,
		.cooldown_until = 1767323346000000000,
		.muted_until = 9223372036854775807,
		.hold = {true,
			 WD_ACTION_PAUSE,
			 1767323047000000007,
			 12,
			 {WD_RESTART_ON_FAILURE, 7},
			 word("0123456789ab")},
		.throttle = {.cut = {.before = {.nano = 1500000000, .period = 3},
				     .now = {.nano = 500000000, .period = 3}},
			     .since = 1767323048000000009,
			     .incident = 13},
		.crashes = crashes,
		.crash_count = 2,
		.ooms = ooms,
		.oom_count = 1,
	};
	return &memory;
}

const struct wd_incident *keeping_incident(int64_t id)
{
	static struct wd_step steps[2];
	static struct wd_note notes[3];
	static struct wd_point points[2];
	static struct wd_incident incident;
	points[0] = (struct wd_point){1767323040000000000 + id, 1048576, 524288, 0.25, 7};
	points[1] = (struct wd_point){1767323042000000000 + id, INT64_MAX, 0, -1, 0};
	steps[0] = (struct wd_step){WD_ACTION_ROLLBACK_RESTORE, 1000 + id, 2000 + id, WD_RESULT_SKIPPED,
				    word("no pinned image")};
	steps[1] = (struct wd_step){WD_ACTION_STOP, 3000 + id, 0, WD_RESULT_OPEN, NULL};
	notes[0] = (struct wd_note){100 + id, word("crash, exit code 3")};
	notes[1] = (struct wd_note){200 + id, word("")};
	notes[2] = (struct wd_note){300 + id, word("it's \"quoted\"; DROP TABLE notes; -- ünïcode \xff")};
	incident = (struct wd_incident){
		.id = id,
		.name = word("web"),
		.service = word("shop/web/1"),
		.container = word("0123456789ab"),
		.trigger = WD_TRIGGER_FLAPPING,
		.why = word("10 restarts within 1h"),
		.opened = 1767323045000000000 + id,
		.closed = 0,
		.outcome = WD_OUTCOME_OPEN,
		.steps = steps,
		.step_count = 2,
		.notes = notes,
		.note_count = 3,
		.logs = word("line 1\nline 2\n"),
		.points = points,
		.point_count = 2,
		.memory_limit_bytes = 134217728,
		.cpus_allowed = 1.5,
	};
	return &incident;
}

const struct wd_journal *keeping_journal(int64_t id)
{
	static struct wd_journal journal;
	journal = (struct wd_journal){
		.id = id,
		.plan = word("hold"),
		.service = word("shop/web/1"),
		.name = word("web"),
		.container = word("0123456789abcdef"),
		.incident = 7,
		.step = 2,
		.policy = {WD_RESTART_ALWAYS, 0},
		.cut = {.before = {.quota = 150000, .period = 50000}, .now = {.quota = 25000, .period = 50000}},
		.no_start = true,
		.began = 1767323045000000000,
		.details = word("{\"new\":\"x\"}"),
	};
	return &journal;
}

static void same_marks(const struct wd_mark *one, unsigned count, const struct wd_mark *two, unsigned other_count)
{
	assert_int_equal(count, other_count);
	for (unsigned n = 0; n < count; n++) {
		assert_int_equal(one[n].stamp, two[n].stamp);
		assert_int_equal(one[n].from, two[n].from);
		assert_int_equal(one[n].waited, two[n].waited);
		assert_int_equal(one[n].exit_code, two[n].exit_code);
		assert_int_equal(one[n].seen, two[n].seen);
	}
}

void keeping_same_cut(const struct wd_cpu_cut *one, const struct wd_cpu_cut *two)
{
	const struct wd_cpus *first[] = {&one->before, &one->now}, *second[] = {&two->before, &two->now};

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(first[i]->quota, second[i]->quota);
		assert_int_equal(first[i]->period, second[i]->period);
		assert_int_equal(first[i]->nano, second[i]->nano);
	}
}

void keeping_same_memory(const struct wd_memory *one, const struct wd_memory *two)
{
	assert_string_equal(one->service, two->service);
	assert_true(wd_text_equal(one->name, two->name));
	assert_true(wd_text_equal(one->id, two->id));
	assert_true(wd_text_equal(one->image_id, two->image_id));
	assert_true(wd_restart_policy_equal(one->policy, two->policy));
	keeping_same_cut(&one->throttle.cut, &two->throttle.cut);
	assert_int_equal(one->throttle.since, two->throttle.since);
	assert_int_equal(one->throttle.incident, two->throttle.incident);
	assert_int_equal(one->counted, two->counted);
	assert_int_equal(one->sure, two->sure);
	assert_int_equal(one->last_event, two->last_event);
	assert_int_equal(one->started, two->started);
	assert_int_equal(one->cooldown_until, two->cooldown_until);
	assert_int_equal(one->muted_until, two->muted_until);
	assert_int_equal(one->hold.held, two->hold.held);
	assert_int_equal(one->hold.kind, two->hold.kind);
	assert_int_equal(one->hold.since, two->hold.since);
	assert_int_equal(one->hold.incident, two->hold.incident);
	assert_true(wd_restart_policy_equal(one->hold.policy, two->hold.policy));
	assert_true(wd_text_equal(one->hold.id, two->hold.id));
	same_marks(one->crashes, one->crash_count, two->crashes, two->crash_count);
	same_marks(one->ooms, one->oom_count, two->ooms, two->oom_count);
}

static void same_steps(const struct wd_incident *one, const struct wd_incident *two)
{
	assert_int_equal(one->step_count, two->step_count);
	for (unsigned n = 0; n < one->step_count; n++) {
		assert_int_equal(one->steps[n].action, two->steps[n].action);
		assert_int_equal(one->steps[n].started, two->steps[n].started);
		assert_int_equal(one->steps[n].ended, two->steps[n].ended);
		assert_int_equal(one->steps[n].result, two->steps[n].result);
		assert_true(wd_text_equal(one->steps[n].detail, two->steps[n].detail));
	}
}

static void same_points(const struct wd_incident *one, const struct wd_incident *two)
{
	assert_int_equal(one->point_count, two->point_count);
	assert_int_equal(one->memory_limit_bytes, two->memory_limit_bytes);
	assert_true(one->cpus_allowed == two->cpus_allowed);
	for (unsigned n = 0; n < one->point_count; n++) {
		assert_int_equal(one->points[n].at, two->points[n].at);
		assert_int_equal(one->points[n].usage_bytes, two->points[n].usage_bytes);
		assert_int_equal(one->points[n].working_set_bytes, two->points[n].working_set_bytes);
		assert_true(one->points[n].cpus == two->points[n].cpus);
		assert_int_equal(one->points[n].pids, two->points[n].pids);
	}
}

void keeping_same_incident(const struct wd_incident *one, const struct wd_incident *two)
{
	assert_int_equal(one->id, two->id);
	assert_true(wd_text_equal(one->name, two->name));
	assert_true(wd_text_equal(one->service, two->service));
	assert_true(wd_text_equal(one->container, two->container));
	assert_int_equal(one->trigger, two->trigger);
	assert_true(wd_text_equal(one->why, two->why));
	assert_int_equal(one->opened, two->opened);
	assert_int_equal(one->closed, two->closed);
	assert_int_equal(one->outcome, two->outcome);
	assert_true(wd_text_equal(one->logs, two->logs));
	same_steps(one, two);
	same_points(one, two);
	assert_int_equal(one->note_count, two->note_count);
	for (unsigned n = 0; n < one->note_count; n++) {
		assert_int_equal(one->notes[n].at, two->notes[n].at);
		assert_true(wd_text_equal(one->notes[n].text, two->notes[n].text));
	}
}

void keeping_done(void *data, const char *why)
{
	struct keeping_told *told = data;
	if (why) {
		told->failures++;
		snprintf(told->why, sizeof(told->why), "%s", why);
	}
	if (++told->calls == told->awaited && told->loop)
		wd_loop_stop(told->loop);
}

static void give_up(void *data)
{
	(void)data;
	fail_msg("not told within 20 s");
}

void keeping_wait(struct keeping_told *told)
{
	if (told->calls >= told->awaited)
		return;
	struct wd_timer *patience = wd_timer_new(told->loop, give_up, NULL);
	wd_timer_set(patience, wd_time_now() + 20 * WD_SECOND);
	wd_loop_run(told->loop);
	wd_timer_free(patience);
}

void keeping_preload(const char *name, char **arguments)
{
	const char *preloaded = getenv("LD_PRELOAD");
	if (preloaded && strstr(preloaded, name))
		return;
	static char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(length > 0);
	WD_AUTO_FREE char *copy = wd_copy(self);
	WD_AUTO_FREE char *path = wd_format("%s/../support/%s", dirname(copy), name);
	const char *given = getenv("ASAN_OPTIONS");
	WD_AUTO_FREE char *options = wd_format("%s:verify_asan_link_order=0", given ? given : "");
	if (access(path, R_OK) < 0 || setenv("LD_PRELOAD", path, 1) < 0 || setenv("ASAN_OPTIONS", options, 1) < 0 ||
	    execv(self, arguments) < 0)
		perror(path);
	_exit(1);
}

struct looked_for {
	const char *service;
	unsigned counted, rows;
};

static void look(void *data, const struct wd_memory *memory)
{
	struct looked_for *looked = data;
	looked->rows++;
	if (wd_text_equal(memory->service, looked->service))
		looked->counted = memory->counted;
}

unsigned keeping_counted(struct wd_store *store, const char *service)
{
	struct looked_for looked = {.service = service};
	assert_true(wd_store_load(store, look, &looked, NULL));
	return looked.counted;
}

unsigned keeping_services(struct wd_store *store)
{
	struct looked_for looked = {0};
	assert_true(wd_store_load(store, look, &looked, NULL));
	return looked.rows;
}
