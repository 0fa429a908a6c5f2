/* trees.h: the kernel's cgroup trees and /proc, made of files in the working directory ("sys" and "proc"), for layouts that
 * no machine here has. */
#ifndef SUPPORT_TREES_H
#define SUPPORT_TREES_H

#include <watchdog/meter.h>

#define TREE_ID "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"
#define TREE_OTHER_ID "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* A host of four CPUs and 8 GiB: proc/stat and proc/meminfo. */
void tree_host(void);
/* sys/DIRECTORY/FILE, the directories on the way too. */
void tree_file(const char *directory, const char *file, const char *text);
/* A container's files as v1 has them, DIRECTORY ("docker/ID") in each of the trees memory, cpu,cpuacct, cpuset and pids:
 * 100 MiB used, 40 MiB of it cache that can be given back, a limit of 128 MiB, 2.5 s of CPU time, half a CPU of two,
 * 7 of 100 processes, 3 OOM kills. */
void tree_v1(const char *directory);
/* The same as v2 has them, in sys/DIRECTORY ("docker/ID", "unified/docker/ID"), and pressure: memory 12.34 %, CPU 50 %. */
void tree_v2(const char *directory);
/* proc/PID/cgroup */
void tree_process(int pid, const char *text);

struct wd_meter *tree_meter(void);       /* for these roots; the test fails where there is none */
unsigned open_descriptors(void);         /* of this process */

#endif
