/* example.c: `seadog config --example`, the commented file that conf/seadog.conf is, from the option table. */
#include "face.h"

#include <stdio.h>
#include <string.h>
#include <watchdog/settings.h>

#define COLUMNS 98

/* A comment broken at spaces. */
static void put_comment(const char *text)
{
	size_t column = 0;
	while (*text) {
		size_t word = strcspn(text, " ");
		if (column == 0 || column + 1 + word > COLUMNS) {
			printf("%s; ", column ? "\n" : "");
			column = 2;
		} else {
			column += (size_t)printf(" ");
		}
		column += (size_t)printf("%.*s", (int)word, text);
		text += word + (text[word] == ' ');
	}
	puts("");
}

/* What has no default is shown by how it is written. */
static void put_option(const struct wd_option_help *option)
{
	put_comment(option->help);
	if (!option->fallback)
		printf("; (%s)\n", option->form);
	printf("; %s =%s%s\n\n", option->key, option->fallback ? " " : "", option->fallback ? option->fallback : "");
}

static bool works_in(const struct wd_option_help *option, const char *section)
{
	return !option->pending && strcmp(option->section, section) == 0 && strcmp(option->key, "match") != 0;
}

/* Sections with nothing that works in this version are left out. */
static void put_section(const char *section, const char *title)
{
	bool titled = false;
	for (size_t i = 0; i < wd_option_count(); i++) {
		struct wd_option_help option = wd_option_at(i);
		if (!works_in(&option, section))
			continue;
		if (!titled)
			printf("[%s]\n", title);
		titled = true;
		put_option(&option);
	}
}

void wd_example_put(void)
{
	puts("; seadog.conf: every key with its default. A line that begins with a semicolon says nothing: take it "
	     "away to\n"
	     "; set a key. Drop-ins beside this file, seadog.conf.d/*.conf, are read after it, in order.\n"
	     "; seadog check finds mistakes; seadog config shows what holds and where it comes from.\n");
	put_section("engine", "engine");
	put_section("seadog", "seadog");
	put_section("http", "http");
	put_section("safety", "safety");
	put_section("snapshots", "snapshots");
	puts("; What holds for every container that nothing nearer speaks about.");
	put_section("policy", "defaults");
	puts("; Policies are for groups of containers; the first in file order that matches is the one. Commas mean "
	     "or,\n"
	     "; + means and.\n"
	     "; [policy web]\n"
	     "; match = name:web-*, project:shop+label:tier=front\n"
	     "; restarts = 3/30s\n"
	     "; on_unhealthy = restart, stop\n\n"
	     "; A container by its name.\n"
	     "; [container postgres]\n"
	     "; on_restarts = notify\n"
	     "; ignore_exit = 143");
}
