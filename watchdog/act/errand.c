/* errand.c: what is to be done about an image: which one it is, seadog's own tag on it or off it, and pulling it again.
 * Nothing of it needs the journal: each call can be made twice, and who ordered it orders it again. */
#include "actor.h"
#include "swap.h"
#include <string.h>
#include <watchdog/memory.h>

enum { TAG_DIGITS = 24 };
#define TAG_PLACE "seadog/keep"
#define ORDINARY (10 * WD_SECOND)
#define ID_PREFIX "sha256:"

/* looking -> pulling -> looking -> tagging, or untagging. */
struct wd_errand {
	struct wd_errand *next;
	struct wd_actor *actor;
	uint64_t ticket;
	enum wd_image_job job;
	char *image, *id, *digest;
	bool pulled;
	void *call, *timer;
	enum wd_plan_end end;
	char *detail, *found, *digests, *config;
};

static struct wd_errand *free_errand(struct wd_errand *errand)
{
	const struct wd_outside *outside = &errand->actor->outside;

	if (errand->call)
		outside->cancel(outside->data, errand->call);
	outside->timer_free(errand->timer);
	free(errand->image);
	free(errand->id);
	free(errand->digest);
	free(errand->detail);
	free(errand->found);
	free(errand->digests);
	free(errand->config);
	free(errand);
	return NULL;
}

void wd_errands_clear(struct wd_actor *actor)
{
	struct wd_errand *next;

	for (struct wd_errand *errand = actor->errands; errand; errand = next) {
		next = errand->next;
		free_errand(errand);
	}
	actor->errands = NULL;
}

static void unlink_errand(struct wd_errand *errand)
{
	for (struct wd_errand **slot = &errand->actor->errands; *slot; slot = &(*slot)->next) {
		if (*slot == errand) {
			*slot = errand->next;
			return;
		}
	}
}

static void tell_end(void *data)
{
	struct wd_errand *errand = data;
	struct wd_actor *actor = errand->actor;
	const struct wd_fact fact = {
		.kind = WD_FACT_IMAGE,
		.stamp = actor->outside.stamp(actor->outside.data),
		.image = {.ticket = errand->ticket,
			  .end = errand->end,
			  .detail = errand->detail,
			  .id = errand->found,
			  .digests = errand->digests ? errand->digests : "",
			  .config = errand->config},
	};

	unlink_errand(errand);
	if (actor->hooks.on_end)
		actor->hooks.on_end(actor->hooks.data, &fact);
	free_errand(errand);
}

/* In another turn, so never from within what ordered it. */
static void end_errand(struct wd_errand *errand, enum wd_plan_end end, char *detail_taken)
{
	const struct wd_outside *outside = &errand->actor->outside;

	errand->end = end;
	errand->detail = detail_taken;
	outside->timer_set(errand->timer, outside->now(outside->data));
}

static void trace(const struct wd_errand *errand, const char *step, const char *what)
{
	const struct wd_actor_hooks *hooks = &errand->actor->hooks;
	const char *name = errand->image ? errand->image : errand->id;

	if (hooks->on_step)
		hooks->on_step(hooks->data, name, "image", step, what);
}

static bool is_done(const struct wd_engine_answer *answer)
{
	return answer->end == WD_HTTP_ANSWERED && answer->status >= 200 && answer->status <= 299;
}

static void fail_errand(struct wd_errand *errand, const char *step, const struct wd_engine_answer *answer)
{
	if (answer->end == WD_HTTP_ANSWERED)
		end_errand(errand, WD_PLAN_FAILED,
			   wd_format("%s: engine said %d%s%s", step, answer->status, *answer->why ? ": " : "",
				     answer->why));
	else
		end_errand(errand, WD_PLAN_FAILED, wd_format("%s: %s", step, answer->why));
}

static void send(struct wd_errand *errand, const char *step, const struct wd_engine_request *request,
		 wd_engine_done *done)
{
	const struct wd_outside *outside = &errand->actor->outside;

	trace(errand, step, "asked");
	errand->call = outside->send(outside->data, request, done, errand);
}

/* --- the tag --- */

bool wd_image_is_id(const char *text)
{
	const char *digits;

	if (!text || !wd_text_starts(text, ID_PREFIX))
		return false;
	digits = text + strlen(ID_PREFIX);
	return strlen(digits) == 64 && strspn(digits, "0123456789abcdef") == 64;
}

char *wd_image_keep_path(const char *id)
{
	return wd_format("/images/%s/tag?repo=" TAG_PLACE "&tag=%.*s", id, TAG_DIGITS, id + strlen(ID_PREFIX));
}

static void on_tagged(void *data, const struct wd_engine_answer *answer)
{
	struct wd_errand *errand = data;

	errand->call = NULL;
	if (is_done(answer))
		end_errand(errand, WD_PLAN_DONE, NULL);
	else
		fail_errand(errand, "tag", answer);
}

static void put_tag(struct wd_errand *errand)
{
	WD_AUTO_FREE char *path = wd_image_keep_path(errand->found);

	send(errand, "tag", &(struct wd_engine_request){.method = "POST", .path = path, .deadline = ORDINARY},
	     on_tagged);
}

static void on_untagged(void *data, const struct wd_engine_answer *answer)
{
	struct wd_errand *errand = data;

	errand->call = NULL;
	if (is_done(answer) || (answer->end == WD_HTTP_ANSWERED && answer->status == 404))
		end_errand(errand, WD_PLAN_DONE, NULL);
	else
		fail_errand(errand, "take the tag away", answer);
}

static void take_tag(struct wd_errand *errand)
{
	WD_AUTO_FREE char *path = wd_format("/images/" TAG_PLACE ":%.*s", TAG_DIGITS, errand->id + strlen(ID_PREFIX));

	send(errand, "untag", &(struct wd_engine_request){.method = "DELETE", .path = path, .deadline = ORDINARY},
	     on_untagged);
}

/* --- which one it is --- */

static char *join_digests(const struct wd_json *image)
{
	struct wd_text text = {0};

	for (const struct wd_json *digest = wd_json_first(wd_json_get(image, "RepoDigests")); digest;
	     digest = wd_json_next(digest))
		wd_text_print(&text, "%s%s", text.length ? " " : "", wd_json_string(digest, ""));
	return wd_text_take(&text);
}

static bool learn(struct wd_errand *errand, const struct wd_json *image)
{
	const struct wd_json *config = wd_json_get(image, "Config");
	const char *id = wd_json_string(wd_json_get(image, "Id"), "");

	if (!wd_image_is_id(id))
		return false;
	wd_replace(&errand->found, id);
	free(errand->digests);
	errand->digests = join_digests(image);
	free(errand->config);
	errand->config = wd_json_is_object(config) ? wd_json_print(config) : NULL;
	return true;
}

static void go_on(struct wd_errand *errand)
{
	if (errand->id && !wd_text_equal(errand->id, errand->found))
		end_errand(errand, WD_PLAN_FAILED,
			   wd_format("it is another image under that digest: %s", errand->found));
	else if (errand->job == WD_IMAGE_LOOK)
		end_errand(errand, WD_PLAN_DONE, NULL);
	else
		put_tag(errand);
}

static void on_looked(void *data, const struct wd_engine_answer *answer);

static void look(struct wd_errand *errand, const char *reference)
{
	WD_AUTO_FREE char *path = wd_format("/images/%s/json", reference);

	send(errand, "look", &(struct wd_engine_request){.method = "GET", .path = path, .deadline = ORDINARY},
	     on_looked);
}

/* --- pulling --- */

static const char *reference_of(const struct wd_errand *errand)
{
	return errand->digest ? errand->digest : errand->image;
}

static void on_pulled(void *data, const struct wd_engine_answer *answer)
{
	struct wd_errand *errand = data;
	WD_AUTO_FREE char *why = wd_pull_complaint(&errand->actor->outside, reference_of(errand), answer);

	errand->call = NULL;
	if (why) {
		end_errand(errand, WD_PLAN_FAILED, wd_format("pull: %s", why));
		return;
	}
	errand->pulled = true;
	look(errand, reference_of(errand));
}

static void pull(struct wd_errand *errand)
{
	WD_AUTO_FREE char *path = wd_pull_path(reference_of(errand));
	WD_AUTO_FREE char *auth = wd_pull_auth(&errand->actor->outside, reference_of(errand));

	send(errand, "pull",
	     &(struct wd_engine_request){.method = "POST", .path = path, .auth = auth, .deadline = WD_PULL_TIME},
	     on_pulled);
}

static bool can_pull(const struct wd_errand *errand)
{
	return errand->job == WD_IMAGE_FETCH && !errand->pulled && (errand->digest || (errand->image && !errand->id));
}

static void on_missing(struct wd_errand *errand)
{
	const char *name = errand->image ? errand->image : errand->id;

	if (can_pull(errand))
		pull(errand);
	else
		end_errand(errand, WD_PLAN_REFUSED, wd_format("there is no image %s on this host", name));
}

static void on_looked(void *data, const struct wd_engine_answer *answer)
{
	struct wd_errand *errand = data;
	WD_AUTO_JSON struct wd_json *image = is_done(answer) ? wd_json_parse(answer->body, answer->length, NULL) : NULL;

	errand->call = NULL;
	if (answer->end == WD_HTTP_ANSWERED && answer->status == 404)
		on_missing(errand);
	else if (!is_done(answer))
		fail_errand(errand, "look", answer);
	else if (!image || !learn(errand, image))
		end_errand(errand, WD_PLAN_FAILED, wd_copy("look: the engine's answer is no image"));
	else
		go_on(errand);
}

/* --- the order --- */

static const char *refuse(const struct wd_errand *errand)
{
	if (errand->id && !wd_image_is_id(errand->id))
		return "its ID is none";
	if ((errand->image && !wd_pull_is_reference(errand->image)) ||
	    (errand->digest && !wd_pull_is_reference(errand->digest)))
		return "that is no name of an image";
	if (!errand->id && (!errand->image || errand->job == WD_IMAGE_UNKEEP))
		return "there is no name of an image";
	return NULL;
}

void wd_actor_image(struct wd_actor *actor, const struct wd_order *order)
{
	struct wd_errand *errand = wd_alloc(1, sizeof(*errand));
	const char *why;

	errand->next = actor->errands;
	actor->errands = errand;
	errand->actor = actor;
	errand->ticket = order->ticket;
	errand->job = order->job;
	errand->image = wd_copy(order->target.image);
	errand->id = wd_copy(order->target.id);
	errand->digest = wd_copy(order->target.digest);
	errand->timer = actor->outside.timer_new(actor->outside.data, tell_end, errand);
	why = refuse(errand);
	if (why)
		end_errand(errand, WD_PLAN_REFUSED, wd_copy(why));
	else if (errand->job == WD_IMAGE_UNKEEP)
		take_tag(errand);
	else
		look(errand, errand->id ? errand->id : errand->image);
}
