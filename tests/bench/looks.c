/* looks: what one look at one container costs. So many cgroups are made by hand; then either seadog's own sampler looks at
 * them, or two bare pread() calls do, as often and as far apart. Prints microseconds of CPU for a container and look.
 *
 *   looks sampler|preads CGROUPS LOOKS */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#include "../../watchdog/face/sampler.h"

#define APART (20 * WD_MILLISECOND)
#define ROOT "/sys/fs/cgroup"

static unsigned cgroups, looks;

static bool is_v2(void)
{
	return access(ROOT "/cgroup.controllers", F_OK) == 0;
}

static char *path_of(const char *tree, unsigned one)
{
	return one == cgroups ? wd_format(ROOT "/%sseadog-bench-%d", is_v2() ? "" : tree, (int)getpid())
			      : wd_format(ROOT "/%sseadog-bench-%d/%064x", is_v2() ? "" : tree, (int)getpid(), one);
}

/* The parent first, and last where they are removed. */
static void change(int (*what)(const char *path), unsigned one)
{
	const char *const trees[] = {"memory/", "cpuacct/"};
	for (size_t i = 0; i < (is_v2() ? 1 : 2); i++) {
		WD_AUTO_FREE char *path = path_of(trees[i], one);
		if (what(path) != 0)
			perror(path);
	}
}

static int make(const char *path)
{
	return mkdir(path, 0755);
}

static void make_all(void)
{
	change(make, cgroups);
	if (is_v2()) {
		WD_AUTO_FREE char *parent = path_of("", cgroups);
		WD_AUTO_FREE char *below = wd_format("%s/cgroup.subtree_control", parent);
		int file = open(below, O_WRONLY | O_CLOEXEC);
		if (file < 0 || write(file, "+memory +cpu", 12) != 12)
			perror(below);
		close(file);
	}
	for (unsigned i = 0; i < cgroups; i++)
		change(make, i);
}

static void remove_all(void)
{
	for (unsigned i = 0; i <= cgroups; i++)
		change(rmdir, i);
}

static double cpu_usec(void)
{
	struct timespec spent;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (double)spent.tv_sec * 1e6 + (double)spent.tv_nsec / 1e3;
}

/* --- two bare calls ---------------------------------------------------------------------------------------------------- */

static double look_barely(void)
{
	int(*files)[2] = wd_alloc(cgroups, sizeof(*files));
	char text[4096];
	double before = 0;
	ssize_t got = 0;
	for (unsigned i = 0; i < cgroups; i++) {
		WD_AUTO_FREE char *memory = path_of("memory/", i);
		WD_AUTO_FREE char *cpu = path_of("cpuacct/", i);
		WD_AUTO_FREE char *usage =
			wd_format("%s/%s", memory, is_v2() ? "memory.current" : "memory.usage_in_bytes");
		WD_AUTO_FREE char *spent = wd_format("%s/%s", cpu, is_v2() ? "cpu.stat" : "cpuacct.usage");
		files[i][0] = open(usage, O_RDONLY | O_CLOEXEC);
		files[i][1] = open(spent, O_RDONLY | O_CLOEXEC);
	}
	for (unsigned look = 0; look <= looks; look++) {
		if (look == 1)
			before = cpu_usec();
		usleep((useconds_t)APART);
		for (unsigned i = 0; i < cgroups; i++) {
			got += pread(files[i][0], text, sizeof(text), 0);
			got += pread(files[i][1], text, sizeof(text), 0);
		}
	}
	double spent = cpu_usec() - before;
	free(files);
	return got > 0 ? spent / looks / cgroups : -1;
}

/* --- the sampler ------------------------------------------------------------------------------------------------------- */

static struct wd_loop *loop;
static unsigned long looked;
static double begun;

/* As the guard wishes where a limit of memory is watched that is far away. */
static void on_wish(void *data, const char *id, wd_time now, struct wd_gauge_wish *ret_wish)
{
	(void)data, (void)id, (void)now;
	*ret_wish = (struct wd_gauge_wish){.exact_from_bytes = WD_UNLIMITED - 1,
					   .call = {.memory_bytes = WD_UNLIMITED / 4, .oom = true}};
}

/* The first two looks open files and read limits. */
static void on_sample(void *data, const char *id, const struct wd_sample *sample, double cpus)
{
	(void)data, (void)id, (void)sample, (void)cpus;
	looked++;
	if (looked == 2ul * cgroups)
		begun = cpu_usec();
	if (looked == (2ul + looks) * cgroups)
		wd_loop_stop(loop);
}

static double look_by_sampler(void)
{
	const struct wd_sampler_hooks hooks = {.on_wish = on_wish, .on_sample = on_sample};
	char id[65], name[] = "c";
	loop = wd_loop_new(NULL);
	struct wd_sampler *sampler = wd_sampler_new(loop, APART, NULL, &hooks);
	for (unsigned i = 0; i < cgroups; i++) {
		snprintf(id, sizeof(id), "%064x", i);
		struct wd_container container = {
			.id = id, .name = name, .pid = (int)getpid(), .state = WD_STATE_RUNNING};
		wd_sampler_see(sampler, &container);
	}
	wd_loop_run(loop);
	double spent = cpu_usec() - begun;
	wd_sampler_free(sampler);
	wd_loop_free(loop);
	return spent / looks / cgroups;
}

int main(int count, char **words)
{
	const struct rlimit many = {65536, 65536};
	if (count != 4)
		return 2;
	cgroups = (unsigned)strtoul(words[2], NULL, 10);
	looks = (unsigned)strtoul(words[3], NULL, 10);
	setrlimit(RLIMIT_NOFILE, &many);
	make_all();
	double usec = strcmp(words[1], "preads") == 0 ? look_barely() : look_by_sampler();
	remove_all();
	printf("%.3f\n", usec);
	return 0;
}
