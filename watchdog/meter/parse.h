/* parse.h: what the kernel's files say. Nothing is allocated, nothing behind the length is read, no locale is asked, and
 * rubbish is refused with the output untouched. Fuzzed by tests/fuzz/fuzz_meter.c.
 */
#ifndef WATCHDOG_METER_PARSE_H
#define WATCHDOG_METER_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WD_CPUS_MAX 65536 /* no list of CPUs names one beyond */

/* "4096\n": a number that ends with the text, a newline or a blank. */
bool wd_parse_number(const char *text, size_t length, uint64_t *ret_number);
/* The same, or "max": WD_UNLIMITED, as is what v1 writes for it (the greatest multiple of a page in 63 bits). */
bool wd_parse_limit(const char *text, size_t length, uint64_t *ret_limit);
/* The number of a line "name 4096". */
bool wd_parse_member(const char *text, size_t length, const char *name, uint64_t *ret_number);
/* cpu.max: "50000 100000" is 0.5; "max 100000" is refused, as is a quota of nothing. */
bool wd_parse_quota(const char *text, size_t length, double *ret_cpus);
/* How many CPUs "0-3,8\n" has; refuses none. */
bool wd_parse_cpus(const char *text, size_t length, unsigned *ret_count);
/* avg10 of the line "some avg10=12.34 …", as a share: 0.1234. */
bool wd_parse_pressure(const char *text, size_t length, double *ret_share);
/* /proc/PID/cgroup: the path of a v1 controller ("4:memory:/docker/…"), or of v2 for "" ("0::/docker/…"). Lent. */
bool wd_parse_place(const char *text, size_t length, const char *controller, const char **ret_path, size_t *ret_length);
/* How much of a path is up to the end of the first part that bears the id; 0: none does, or ".." is in it. */
size_t wd_parse_bearer(const char *path, size_t length, const char *id);
/* /proc/meminfo: the KiB of the line "MemTotal:   8388608 kB". */
bool wd_parse_total(const char *text, size_t length, uint64_t *ret_kibibytes);
/* /proc/stat: how many lines "cpu0 …" there are. */
unsigned wd_parse_host_cpus(const char *text, size_t length);

#endif
