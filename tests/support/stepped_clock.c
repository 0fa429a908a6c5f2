/* A wall clock that can be stepped, to be preloaded (LD_PRELOAD): all that tells the time of day is off by so many
 * nanoseconds as stand in $STEPPED_CLOCK, a file of one int64_t that may change at any moment. Other clocks are left
 * alone, as they are where a machine's clock is set. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

int clock_gettime(clockid_t clock, struct timespec *now);
int gettimeofday(struct timeval *restrict now, void *restrict zone);
time_t time(time_t *ret_now);

static const volatile int64_t *offset;

__attribute__((constructor)) static void find_offset(void)
{
	const char *path = getenv("STEPPED_CLOCK");
	int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, file, 0);
	if (page == MAP_FAILED)
		abort();
	offset = page;
	close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long result = syscall(SYS_clock_gettime, clock, now);
	if (result == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		int64_t stamp = now->tv_sec * SECOND + now->tv_nsec + *offset;
		*now = (struct timespec){.tv_sec = stamp / SECOND, .tv_nsec = stamp % SECOND};
	}
	return (int)result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec precise;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &precise);
	*now = (struct timeval){.tv_sec = precise.tv_sec, .tv_usec = precise.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *ret_now)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_now)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}
