/* loop.h: the event loop (the only file that knows libev is loop.c).
 *
 * A callback notes and returns; it never blocks. Everything that is started is a handle with one owner; freeing the
 * handle promises silence: its callback is not called again. One clock sample per turn, which wd_loop_now() hands out.
 * In a turn descriptors, signals and wakes come first, timers last: what waits in a socket beats its deadline.
 */
#ifndef WATCHDOG_LOOP_H
#define WATCHDOG_LOOP_H

#include <stdbool.h>
#include <sys/types.h>
#include <watchdog/time.h>

struct wd_loop;
typedef void wd_callback(void *data);

struct wd_loop *wd_loop_new(struct wd_error *error);
struct wd_loop *wd_loop_free(struct wd_loop *loop); /* all handles must be gone; returns NULL */
void wd_loop_run(struct wd_loop *loop);             /* until wd_loop_stop() */
void wd_loop_stop(struct wd_loop *loop);
wd_time wd_loop_now(const struct wd_loop *loop); /* CLOCK_BOOTTIME of this turn */

/* How late the last turn began after the moment its earliest timer asked for (suspend, a stopped process, a callback
 * that blocked); 0 when in time, which in practice is some tens of microseconds. The deepest since the last call;
 * reading it resets it. */
wd_time wd_loop_lateness(struct wd_loop *loop);

/* Called once per turn, after all callbacks of the turn and before the loop sleeps. One per loop. */
void wd_loop_each_turn(struct wd_loop *loop, wd_callback *callback, void *data);

/* A timer fires once, at an absolute moment, never early, also right after the machine slept; equal moments in the order
 * in which they were set. wd_timer_set() moves it; WD_NEVER disarms it; a moment that has passed means the next turn. */
struct wd_timer;
struct wd_timer *wd_timer_new(struct wd_loop *loop, wd_callback *callback, void *data);
struct wd_timer *wd_timer_free(struct wd_timer *timer);
void wd_timer_set(struct wd_timer *timer, wd_time at);

/* Readiness of a descriptor. The descriptor stays the caller's. */
enum { WD_READ = 1, WD_WRITE = 2 };
struct wd_ready;
typedef void wd_ready_callback(void *data, int events);
struct wd_ready *wd_ready_new(struct wd_loop *loop, int descriptor, int events, wd_ready_callback *callback, void *data);
struct wd_ready *wd_ready_free(struct wd_ready *ready);
void wd_ready_set(struct wd_ready *ready, int events); /* 0 stops it for now */

/* A signal of the process, delivered on the loop. */
struct wd_signal;
struct wd_signal *wd_signal_new(struct wd_loop *loop, int number, wd_callback *callback, void *data);
struct wd_signal *wd_signal_free(struct wd_signal *signal);

/* Wakes the loop from another thread: wd_wake_send() is the only function here that other threads may call. */
struct wd_wake;
struct wd_wake *wd_wake_new(struct wd_loop *loop, wd_callback *callback, void *data);
struct wd_wake *wd_wake_free(struct wd_wake *wake);
void wd_wake_send(struct wd_wake *wake);

/* The end of a child process; the status is as waitpid(2) gives it (exit code 255 if somebody else took it). Fires
 * once. */
struct wd_child;
typedef void wd_child_callback(void *data, int status);
struct wd_child *wd_child_new(struct wd_loop *loop, pid_t pid, wd_child_callback *callback, void *data);
struct wd_child *wd_child_free(struct wd_child *child);

#endif
