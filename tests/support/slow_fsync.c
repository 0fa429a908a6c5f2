/* A slow disk, to be preloaded (LD_PRELOAD): fsync(2) and fdatasync(2) take $SLOW_FSYNC_MS milliseconds more (300). */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int fsync(int descriptor);
int fdatasync(int descriptor);

static void wait_a_while(void)
{
	const char *asked = getenv("SLOW_FSYNC_MS");
	long milliseconds = asked ? strtol(asked, NULL, 10) : 300;
	struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
	while (nanosleep(&left, &left) < 0)
		;
}

int fsync(int descriptor)
{
	wait_a_while();
	return (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
	wait_a_while();
	return (int)syscall(SYS_fdatasync, descriptor);
}
