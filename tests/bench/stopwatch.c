/* stopwatch [-u TEXT] COMMAND…: milliseconds from the start of a command to its end, or to the moment at which it tells
 * its supervisor (NOTIFY_SOCKET, sd_notify(3)) a text that contains TEXT; then it is ended. Its output goes nowhere. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static double now_ms(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

static int open_ear(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address);
	char name[sizeof(address.sun_path) + 1];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* an abstract address of the kernel's choice: sd_notify(3) writes its zero byte as an @ */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -1;
	snprintf(name, sizeof(name), "@%.*s", (int)(length - sizeof(sa_family_t) - 1), address.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static bool hear(int ear, const char *text)
{
	char said[4096];
	struct pollfd polled = {.fd = ear, .events = POLLIN};
	while (poll(&polled, 1, PATIENCE_MS) > 0) {
		ssize_t got = recv(ear, said, sizeof(said) - 1, 0);
		if (got < 0)
			return false;
		said[got] = '\0';
		if (strstr(said, text))
			return true;
	}
	return false;
}

static pid_t start(char **command)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	execvp(command[0], command);
	_exit(127);
}

int main(int argc, char **argv)
{
	const char *text = argc > 3 && strcmp(argv[1], "-u") == 0 ? argv[2] : NULL;
	char **command = argv + (text ? 3 : 1);
	int status, ear = text ? open_ear() : -1;
	if (argc < 2 || (text && ear < 0)) {
		fprintf(stderr, "usage: %s [-u TEXT] COMMAND…\n", argv[0]);
		return 2;
	}
	double began = now_ms();
	pid_t child = start(command);
	bool heard = text && hear(ear, text);
	double ended = now_ms();
	if (text)
		kill(child, SIGTERM);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 1;
	if (text ? !heard : status != 0) {
		fprintf(stderr, "%s: %s\n", argv[0], text ? "it never said so" : "the command failed");
		return 1;
	}
	printf("%.2f\n", (text ? ended : now_ms()) - began);
	return 0;
}
