/* main.c: the program: reads its arguments, runs one command, and says once what went wrong. */
#include "face.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A standard descriptor that is closed would be the next file that is opened, and words would be written into a
 * database: it is filled with one that every use fails on. */
static void fill_descriptors(void)
{
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (fcntl(i, F_GETFD) < 0 && open("/dev/null", i == STDIN_FILENO ? O_WRONLY : O_RDONLY) != i)
			_exit(WD_ERROR_FAILED);
}

static bool run(struct wd_call *call, struct wd_error *error)
{
	if (call->command && wd_asked(call, WD_FLAG_HELP)) {
		wd_help_command(call->command);
		return true;
	}
	if (call->command)
		return call->command->run(call, error);
	if (wd_asked(call, WD_FLAG_VERSION))
		return wd_run_version(call, error);
	if (wd_asked(call, WD_FLAG_HELP)) {
		wd_help_all();
		return true;
	}
	wd_help_usage();
	return wd_fail(error, WD_ERROR_USAGE, "%s", "");
}

int main(int argc, char **argv)
{
	struct wd_call call = {0};
	struct wd_error error = {0};
	fill_descriptors();
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1) /* no other category: numbers have a dot everywhere */
		setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	bool done = wd_call_read(&call, argc, argv, &error) && run(&call, &error);
	struct wd_error late = {0};
	if (!wd_flush_output(&late) && done)
		error = late;
	wd_say_end(&call, &error);
	wd_call_done(&call);
	return (int)error.kind;
}
