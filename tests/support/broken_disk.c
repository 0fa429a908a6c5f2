/* A disk that breaks, to be preloaded (LD_PRELOAD): from the moment that a test arms it by broken_disk_arm(), the n-th
 * call that changes files, and `more` behind it, fail with that errno. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <unistd.h>

void broken_disk_arm(int first, int more, int why);
int broken_disk_calls(void); /* since it was armed */
ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at);
int ftruncate64(int descriptor, off64_t length);
int fsync(int descriptor);
int fdatasync(int descriptor);
int rename(const char *from, const char *to);
int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);

static atomic_int calls, first_failing, last_failing, reason;

void broken_disk_arm(int first, int more, int why)
{
	atomic_store(&calls, 0);
	atomic_store(&first_failing, first);
	atomic_store(&last_failing, first + more);
	atomic_store(&reason, why);
}

int broken_disk_calls(void)
{
	return atomic_load(&calls);
}

static int breaks(void)
{
	int number = atomic_fetch_add(&calls, 1) + 1;
	if (number < atomic_load(&first_failing) || number > atomic_load(&last_failing))
		return 0;
	errno = atomic_load(&reason);
	return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at)
{
	return breaks() ? -1 : REAL(pwrite64)(descriptor, bytes, length, at);
}

int ftruncate64(int descriptor, off64_t length)
{
	return breaks() ? -1 : REAL(ftruncate64)(descriptor, length);
}

int fsync(int descriptor)
{
	return breaks() ? -1 : REAL(fsync)(descriptor);
}

int fdatasync(int descriptor)
{
	return breaks() ? -1 : REAL(fdatasync)(descriptor);
}

int rename(const char *from, const char *to)
{
	return breaks() ? -1 : REAL(rename)(from, to);
}

#define OPEN(name)                                                                                                     \
	int name(const char *path, int flags, ...)                                                                     \
	{                                                                                                              \
		va_list arguments;                                                                                     \
		va_start(arguments, flags);                                                                            \
		mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;                                         \
		va_end(arguments);                                                                                     \
		return flags & O_CREAT && breaks() ? -1 : REAL(name)(path, flags, mode);                               \
	}
OPEN(open)
OPEN(open64)
