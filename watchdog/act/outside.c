/* outside.c: what plans reach outside, as it is in earnest: the Engine's client, the store, the loop. */
#include "actor.h"
#include <sys/random.h>
#include <unistd.h>
#include <watchdog/endpoint.h>
#include <watchdog/memory.h>

struct wd_real {
	struct wd_loop *loop;
	struct wd_engine *engine;
	struct wd_store *store; /* or NULL */
	struct wd_vault *vault; /* or NULL */
};

static void *real_send(void *data, const struct wd_engine_request *request, wd_engine_done *done, void *done_data)
{
	const struct wd_real *real = data;

	return wd_engine_request(real->engine, request, done, done_data);
}

static void real_cancel(void *data, void *call)
{
	(void)data;
	wd_engine_cancel(call);
}

static bool real_podman(void *data)
{
	const struct wd_real *real = data;

	return wd_engine_state(real->engine).podman;
}

static const char *real_api(void *data)
{
	const struct wd_real *real = data;

	return wd_engine_state(real->engine).api;
}

/* A name that was taken all the same is a 409 and the next try's. */
static uint32_t real_random(void *data)
{
	uint32_t number = 0;

	(void)data;
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = (uint32_t)wd_stamp_now();
	return number;
}

static char *real_credentials(void *data, const char *image)
{
	(void)data;
	return wd_endpoint_credentials(environ, image);
}

static char *real_helper(void *data, const char *image)
{
	(void)data;
	return wd_endpoint_helper(environ, image);
}

static void *real_timer_new(void *data, wd_callback *callback, void *callback_data)
{
	const struct wd_real *real = data;

	return wd_timer_new(real->loop, callback, callback_data);
}

static void real_timer_set(void *timer, wd_time at)
{
	wd_timer_set(timer, at);
}

static void real_timer_free(void *timer)
{
	wd_timer_free(timer);
}

static wd_time real_now(void *data)
{
	const struct wd_real *real = data;

	return wd_loop_now(real->loop);
}

static wd_stamp real_stamp(void *data)
{
	(void)data;
	return wd_stamp_now();
}

static int64_t real_next_plan(void *data)
{
	const struct wd_real *real = data;

	return wd_store_next_plan(real->store);
}

static void real_journal(void *data, const struct wd_journal *row, wd_store_done *done, void *done_data)
{
	const struct wd_real *real = data;

	wd_store_journal(real->store, row, done, done_data);
}

static void real_hush(void *data, const void *done_data)
{
	const struct wd_real *real = data;

	wd_store_hush(real->store, done_data);
}

static void ignore(void *data, const char *why)
{
	(void)data;
	(void)why;
}

static void real_strike(void *data, int64_t id)
{
	const struct wd_real *real = data;

	wd_store_strike(real->store, id, ignore, NULL);
}

static bool real_load(void *data, wd_store_journal_callback *callback, void *callback_data, struct wd_error *error)
{
	const struct wd_real *real = data;

	return wd_store_load_journal(real->store, callback, callback_data, error);
}

static void *real_vault(void *data, const struct wd_json *job, const struct wd_vault_hooks *hooks)
{
	const struct wd_real *real = data;

	return wd_vault_start(real->vault, job, hooks);
}

static void real_vault_paused(void *job, wd_time span)
{
	wd_vault_paused(job, span);
}

static void real_vault_cancel(void *job)
{
	wd_vault_cancel(job);
}

void wd_actor_use_vault(struct wd_actor *actor, struct wd_vault *vault)
{
	actor->real->vault = vault;
	actor->outside.vault = vault ? real_vault : NULL;
}

struct wd_actor *wd_actor_new(struct wd_loop *loop, struct wd_engine *engine, struct wd_store *store,
			      const struct wd_actor_hooks *hooks)
{
	struct wd_real *real = wd_alloc(1, sizeof(*real));
	const struct wd_outside outside = {
		.data = real,
		.send = real_send,
		.cancel = real_cancel,
		.podman = real_podman,
		.api = real_api,
		.credentials = real_credentials,
		.helper = real_helper,
		.random = real_random,
		.vault_paused = real_vault_paused,
		.vault_cancel = real_vault_cancel,
		.timer_new = real_timer_new,
		.timer_set = real_timer_set,
		.timer_free = real_timer_free,
		.now = real_now,
		.stamp = real_stamp,
		.journaled = store != NULL,
		.next_plan = real_next_plan,
		.journal = real_journal,
		.hush = real_hush,
		.strike = real_strike,
		.load = real_load,
	};
	struct wd_actor *actor;

	*real = (struct wd_real){.loop = loop, .engine = engine, .store = store};
	actor = wd_actor_new_with(&outside, hooks);
	actor->real = real;
	return actor;
}
