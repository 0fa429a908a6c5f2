/* seadog-fake-engine SOCKET [20|26|podman]: the fake of server.h as a program, until SIGTERM or SIGINT. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "server.h"

static bool parse_flavour(const char *word, enum model_flavour *ret_flavour)
{
	static const char *const words[] = {"20", "26", "podman"};
	for (enum model_flavour flavour = MODEL_DOCKER_20; flavour <= MODEL_PODMAN; flavour++)
		if (strcmp(word, words[flavour]) == 0) {
			*ret_flavour = flavour;
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	enum model_flavour flavour = MODEL_DOCKER_26;
	struct wd_error error;
	sigset_t signals;
	int got;
	if (argc < 2 || argc > 3 || (argc == 3 && !parse_flavour(argv[2], &flavour))) {
		fprintf(stderr, "usage: %s SOCKET [20|26|podman]\n", argv[0]);
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	struct fake *fake = fake_start(argv[1], flavour, &error);
	if (fake == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	sigwait(&signals, &got);
	fake_stop(fake);
	return 0;
}
