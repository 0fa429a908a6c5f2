/* rollback_play.h: a rollback on the stage, from the order to its commit or to its being taken back, while it meets one
 * fault or two. Whatever happens: one container of that name, with its policy, its networks, its volume and its secret,
 * with the image it was to have or the one it had, nothing beside it, and nothing left in the journal. */
#ifndef TESTS_SUPPORT_ROLLBACK_PLAY_H
#define TESTS_SUPPORT_ROLLBACK_PLAY_H

#include "stage.h"

struct play_scene {
	const char *name;
	enum model_flavour flavour;
	wd_time lives; /* of the image that is broken */
	bool good;     /* the other one is verified */
};
enum { PLAY_SCENES = 4 };
extern const struct play_scene play_scenes[PLAY_SCENES];

struct play {
	const struct play_scene *scene;
	struct stage stage;
	char old[65];
	bool told;                       /* its end was told, and what was to be done about it is ordered */
	unsigned at, second_at;          /* calls, counted from 1; 0: none */
	enum stage_fault fault, second;
};

/* Plays it to its end, and fails the test where something is not as it must be. A call with the number 0 meets nothing. */
void play_one(struct play *play, const struct play_scene *scene, unsigned at, enum stage_fault fault);
void play_done(struct play *play);
/* False: of a call that changes nothing it makes no difference whether the Engine has read it; what is lost, late or
 * killed before is played, and the same after is that once more. */
bool play_differs(const struct play *play, unsigned at, enum stage_fault fault);

/* Every fault at every call, and with it every second fault at every call behind it; of these pairs one in so many. */
struct play_share {
	unsigned one_in; /* 1: all */
	unsigned number, played;
};
void play_pairs(const struct play_scene *scene, struct play_share *share);

#endif
