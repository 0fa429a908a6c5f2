#include "vaulting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>
#include <watchdog/vault.h>

#include "files.h"

char *vault_path(const char *name)
{
	char here[PATH_MAX];
	assert_non_null(getcwd(here, sizeof(here)));
	return wd_format("%s/%s", here, name);
}

/* --- the volume ------------------------------------------------------------------------------------------------------- */

void vault_fill(const char *what)
{
	write_file("volumes/data/_data/one", what);
	write_file("volumes/data/_data/sub/two", what);
}

static char *first_line(const char *directory, const char *name)
{
	char line[64] = "";
	WD_AUTO_FREE char *path = wd_format("%s/%s", directory, name);
	FILE *file = fopen(path, "re");
	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	return wd_copy(line);
}

bool vault_says(const char *directory, const char *what)
{
	WD_AUTO_FREE char *one = first_line(directory, "one"), *two = first_line(directory, "sub/two");
	assert_string_equal(one, two);
	assert_true(*one != '\0');
	return strcmp(one, what) == 0;
}

/* --- jobs ------------------------------------------------------------------------------------------------------------- */

struct wd_json *vault_job(const char *verb, const char *id)
{
	struct wd_json *job = wd_json_object();
	WD_AUTO_FREE char *directory = vault_path("snapshots");
	wd_json_set_string(job, "verb", verb);
	wd_json_set_string(job, "directory", directory);
	wd_json_set_string(job, "service", "web");
	wd_json_set_string(job, "id", id);
	return job;
}

struct wd_json *vault_take(const char *id, const char *previous)
{
	struct wd_json *job = vault_job("take", id);
	struct wd_json *volume = wd_json_add(wd_json_set(job, "volumes", wd_json_array()), wd_json_object());
	WD_AUTO_FREE char *path = vault_path("volumes/data/_data");
	wd_json_set_string(job, "previous", previous);
	wd_json_set_string(volume, "name", "data");
	wd_json_set_string(volume, "path", path);
	wd_json_set_string(volume, "kind", "volume");
	return job;
}

struct wd_json *vault_swap(const char *verb, int64_t inode)
{
	struct wd_json *job = vault_job(verb, VAULT_FIRST);
	WD_AUTO_FREE char *path = vault_path("volumes/data/_data");
	wd_json_set_string(job, "volume", "data");
	wd_json_set_string(job, "target", path);
	wd_json_set_string(job, "token", "1f2e3d4c");
	wd_json_set_int(job, "inode", inode);
	return job;
}

/* --- running one ------------------------------------------------------------------------------------------------------ */

/* The process that the command would be: without the time that a program takes to begin. */
static _Noreturn void become_vault(int line, bool traced)
{
	if (traced) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
	}
	_exit(wd_vault_serve(line, NULL) ? 0 : 1);
}

static bool changes_files(unsigned long long number)
{
	static const unsigned long long some[] = {SYS_openat,    SYS_write,  SYS_fsync,    SYS_mkdirat,
						  SYS_linkat,    SYS_syncfs, SYS_flock,    SYS_unlinkat,
						  SYS_renameat2, SYS_sendto, SYS_fchownat, SYS_utimensat};
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		if (some[i] == number)
			return true;
#ifdef SYS_renameat
	return number == SYS_renameat;
#else
	return false;
#endif
}

static bool begins_change(pid_t pid)
{
	struct __ptrace_syscall_info info = {0};
	return ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_ENTRY && changes_files(info.entry.nr);
}

/* Lets it and its threads go from call to call, and no further than the one with that number. */
static int follow(pid_t vault, unsigned cut)
{
	int status;
	unsigned met = 0;
	assert_int_equal(waitpid(vault, &status, 0), vault);
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, vault, NULL,
				(void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE)),
			 0);
	ptrace(PTRACE_SYSCALL, vault, NULL, NULL);
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		assert_true(pid > 0);
		if (pid == vault && !WIFSTOPPED(status))
			return status;
		if (!WIFSTOPPED(status))
			continue;
		bool call = WSTOPSIG(status) == (SIGTRAP | 0x80);
		if (call && begins_change(pid) && ++met == cut)
			kill(vault, SIGKILL);
		int signal = call || WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal);
	}
}

static void send_line(int line, const struct wd_json *job)
{
	WD_AUTO_FREE char *text = wd_json_print(job);
	WD_AUTO_FREE char *whole = wd_format("%s\n", text);
	assert_int_equal(send(line, whole, strlen(whole), MSG_NOSIGNAL), strlen(whole));
}

static struct wd_json *last_line(int line)
{
	struct wd_text text = {0};
	char block[4096];
	ssize_t got;
	struct wd_json *last = NULL;
	while ((got = recv(line, block, sizeof(block), 0)) > 0)
		wd_text_put(&text, block, (size_t)got);
	struct wd_list lines = {0};
	wd_list_split(&lines, wd_text_get(&text), '\n');
	if (lines.count)
		last = wd_json_parse(lines.items[lines.count - 1], strlen(lines.items[lines.count - 1]), NULL);
	wd_list_done(&lines);
	wd_text_done(&text);
	return last;
}

struct wd_json *vault_run(const struct wd_json *job, unsigned cut, int *ret_status)
{
	int pair[2], status = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t vault = fork();
	assert_true(vault >= 0);
	if (vault == 0) {
		close(pair[0]);
		become_vault(pair[1], cut != 0);
	}
	close(pair[1]);
	send_line(pair[0], job);
	if (cut)
		status = follow(vault, cut);
	struct wd_json *last = last_line(pair[0]);
	if (!cut)
		assert_int_equal(waitpid(vault, &status, 0), vault);
	close(pair[0]);
	if (ret_status)
		*ret_status = status;
	return last;
}

struct wd_json *vault_done(const struct wd_json *job)
{
	WD_AUTO_JSON struct wd_json *last = vault_run(job, 0, NULL);
	struct wd_json *done = wd_json_get(last, "done");
	WD_AUTO_FREE char *said = last ? wd_json_print(last) : NULL;
	if (!done)
		fail_msg("the vault said %s", said ? said : "nothing");
	return wd_json_clone(done);
}
