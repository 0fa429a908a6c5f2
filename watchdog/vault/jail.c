/* jail.c: plain system calls; the headers of older kernels do not know all of what newer ones can do. */
#include "jail.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#endif

/* Of the sanitizers' address space a limit of memory would leave nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_MOST RLIM_INFINITY
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_MOST RLIM_INFINITY
#endif
#endif
#ifndef MEMORY_MOST
#define MEMORY_MOST ((rlim_t)4 << 30)
#endif

enum { FILES_MOST = 1024, LANDLOCK_LEAST = 2, X32_BIT = 0x40000000 };

/* --- limits ----------------------------------------------------------------------------------------------------------- */

static bool limit(int resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) != 0)
		return false;
	if (now.rlim_max != RLIM_INFINITY && now.rlim_max < most)
		most = now.rlim_max;
	return setrlimit(resource, &(struct rlimit){most, most}) == 0;
}

/* Of what it reads nothing may be left in a core. */
static bool set_limits(struct wd_error *error)
{
	if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, FILES_MOST) || !limit(RLIMIT_DATA, MEMORY_MOST) ||
	    prctl(PR_SET_DUMPABLE, 0) != 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "the vault's limits cannot be set");
	return true;
}

/* --- rights ----------------------------------------------------------------------------------------------------------- */

#define RIGHT(number) ((uint32_t)1 << (number))

/* All of them are below 32. MKNOD is not among them: devices are left out. */
static const uint32_t rights = RIGHT(CAP_DAC_READ_SEARCH) | RIGHT(CAP_DAC_OVERRIDE) | RIGHT(CAP_CHOWN) |
			       RIGHT(CAP_FOWNER) | RIGHT(CAP_FSETID) | RIGHT(CAP_SETFCAP);

static bool get_rights(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return syscall(SYS_capget, &header, data) == 0;
}

static bool drop_rights(struct wd_error *error)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (!get_rights(data))
		return wd_fail_errno(error, WD_ERROR_FAILED, "the vault's rights cannot be read");
	data[0].permitted &= rights;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){0};
	if (syscall(SYS_capset, &header, data) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "the vault cannot give up its rights");
	return true;
}

bool wd_jail_owns_files(void)
{
	struct __user_cap_data_struct data[2];

	return get_rights(data) && (data[0].permitted & rights) == rights;
}

/* --- files ------------------------------------------------------------------------------------------------------------ */

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif

enum { WITH_TRUNCATE = 3, WITH_NETWORK = 4, WITH_DEVICES = 5, WITH_SCOPES = 6 };
#define FS_FIRST ((1ULL << 13) - 1)
#define FS_TRUNCATE (1ULL << 14)
#define FS_DEVICES (1ULL << 15)
#define NETWORK_ALL 3ULL
#define SCOPES_ALL 3ULL
#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                                                                         \
	(READS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |      \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |                     \
	 LANDLOCK_ACCESS_FS_REFER)

/* struct landlock_ruleset_attr as the newest kernel that is known of has it. */
struct ruleset {
	uint64_t files, network, scopes;
};

int wd_jail_landlock(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version >= LANDLOCK_LEAST ? (int)version : 0;
}

static int new_ruleset(int version)
{
	struct ruleset all = {.files = FS_FIRST | LANDLOCK_ACCESS_FS_REFER};
	size_t size = version >= WITH_SCOPES    ? sizeof(all)
		      : version >= WITH_NETWORK ? 2 * sizeof(uint64_t)
						: sizeof(uint64_t);

	if (version >= WITH_TRUNCATE)
		all.files |= FS_TRUNCATE;
	if (version >= WITH_DEVICES)
		all.files |= FS_DEVICES;
	if (version >= WITH_NETWORK)
		all.network = NETWORK_ALL;
	if (version >= WITH_SCOPES)
		all.scopes = SCOPES_ALL;
	return (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
}

static bool allow(int ruleset, const struct wd_jail_place *place, int version)
{
	uint64_t writes = version >= WITH_TRUNCATE ? WRITES | FS_TRUNCATE : WRITES;
	struct landlock_path_beneath_attr beneath = {.allowed_access = place->write ? writes : READS,
						     .parent_fd = place->descriptor};

	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
}

static bool fence_files(const struct wd_jail_place *places, size_t count, struct wd_error *error)
{
	int version = wd_jail_landlock(), ruleset;
	bool good;

	if (!version)
		return true;
	ruleset = new_ruleset(version);
	good = ruleset >= 0;
	for (size_t i = 0; good && i < count; i++)
		good = allow(ruleset, &places[i], version);
	good = good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	if (!good)
		wd_fail_errno(error, WD_ERROR_FAILED, "the vault cannot be fenced in (landlock)");
	if (ruleset >= 0)
		close(ruleset);
	return good;
}

/* --- system calls ----------------------------------------------------------------------------------------------------- */

#ifdef ARCHITECTURE
static const int forbidden[] = {
	SYS_socket,         SYS_socketpair, SYS_execve, SYS_execveat, SYS_process_vm_writev,
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup, /* whose own calls no filter sees */
#endif
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
};
#define FORBIDDEN (sizeof(forbidden) / sizeof(forbidden[0]))

/* The kernel's: offsets of seccomp_data. */
#define LOAD(member) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define ANSWER(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (what))

/* A network of its own would not keep it from a socket that has a path: the Engine's. */
static bool filter_calls(void)
{
	struct sock_filter program[FORBIDDEN + 8];
	size_t count = 0;

	program[count++] = LOAD(arch);
	program[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	program[count++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
	program[count++] = LOAD(nr);
#ifdef __x86_64__
	program[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, FORBIDDEN + 1, 0);
#endif
	for (size_t i = 0; i < FORBIDDEN; i++)
		program[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)forbidden[i],
								(uint8_t)(FORBIDDEN - i), 0);
	program[count++] = ANSWER(SECCOMP_RET_ALLOW);
	program[count++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
	const struct sock_fprog whole = {.len = (unsigned short)count, .filter = program};
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole, 0, 0) == 0;
}
#else
static bool filter_calls(void)
{
	return false;
}
#endif

bool wd_jail_has_filter(void)
{
#ifdef ARCHITECTURE
	/* Asked with nothing to set: EFAULT where it could be set, EINVAL where there is no such thing. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) != 0 && errno == EFAULT;
#else
	return false;
#endif
}

bool wd_jail_enter(const struct wd_jail_place *places, size_t count, struct wd_error *error)
{
	bool alone = unshare(CLONE_NEWNET) == 0; /* takes more rights than are kept */

	if (!set_limits(error) || !drop_rights(error) || !fence_files(places, count, error))
		return false;
	if (!filter_calls() && !alone)
		return wd_fail(
			error, WD_ERROR_FAILED, "%s",
			"the vault would have a network: this kernel can neither take it away nor forbid its use");
	return true;
}
