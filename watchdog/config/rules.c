/* Values of several parts: rates, codes, levels, ladders, the rule for mass failures. */
#include "config.h"

#include <string.h>
#include <watchdog/memory.h>

#define USAGE(...) wd_fail(error, WD_ERROR_USAGE, __VA_ARGS__)
#define WD_AUTO_LIST __attribute__((cleanup(wd_list_done)))

/* Digits with at most three behind the point; nothing else, whatever the locale. */
static bool parse_decimal(const char *text, size_t length, double *ret_number)
{
	double number = 0, unit = 1;
	size_t digits = 0, fraction = 0;
	bool point = false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' && !point && digits > 0) {
			point = true;
			continue;
		}
		if (text[i] < '0' || text[i] > '9' || ++digits > 9)
			return false;
		number = number * 10 + (text[i] - '0');
		if (point) {
			unit *= 10;
			fraction++;
		}
	}
	if (digits == 0 || fraction > 3 || (point && fraction == 0))
		return false;
	*ret_number = number / unit;
	return true;
}

bool wd_percent_parse(const char *text, double *ret_ratio, struct wd_error *error)
{
	size_t length = strlen(text);
	double number;
	if (length == 0 || text[length - 1] != '%' || !parse_decimal(text, length - 1, &number))
		return USAGE("%s is no percentage", text);
	if (number <= 0 || number > 100)
		return USAGE("%s must be above 0%% and at most 100%%", text);
	*ret_ratio = number / 100;
	return true;
}

static bool parse_rate_part(const char *text, struct wd_rate *ret_rate, struct wd_error *error)
{
	const char *slash = strchr(text, '/');
	int64_t count;
	wd_time window;
	if (!slash || slash == text || slash[1] == '\0')
		return USAGE("must be N/WINDOW, write it like 5/60s");
	WD_AUTO_FREE char *number = wd_copy_part(text, (size_t)(slash - text));
	if (!wd_number_parse(number, 1, WD_RATE_COUNT_MAX, &count, error))
		return wd_fail_in(error, "%s: the count", text);
	if (!wd_span_parse(slash + 1, &window, error))
		return wd_fail_in(error, "%s: the window", text);
	if (window < WD_SECOND || window > 30 * WD_DAY)
		return USAGE("%s: the window must be between 1s and 30d", text);
	*ret_rate = (struct wd_rate){.count = (unsigned)count, .window = window};
	return true;
}

static bool parse_rate(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	struct wd_rate rate = {0};
	(void)option;
	if (strchr(text, ','))
		return USAGE("must be a single N/WINDOW such as 10/1h, or off");
	if (!wd_value_off(text) && !parse_rate_part(text, &rate, error))
		return false;
	*(struct wd_rate *)ret_value = rate;
	return true;
}

static bool parse_rates(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	WD_AUTO_LIST struct wd_list parts = {0};
	struct wd_rates rates = {0};
	(void)option;
	if (!wd_value_off(text)) {
		wd_list_split(&parts, text, ',');
		if (parts.count == 0 || parts.count > WD_RATES_MAX)
			return USAGE("must be one to %d times N/WINDOW, or off", WD_RATES_MAX);
	}
	for (; rates.count < parts.count; rates.count++)
		if (!parse_rate_part(parts.items[rates.count], &rates.items[rates.count], error))
			return false;
	*(struct wd_rates *)ret_value = rates;
	return true;
}

/* "137" or "1-127" */
static bool parse_code_part(const char *text, struct wd_codes *codes, struct wd_error *error)
{
	const char *dash = strchr(text + 1, '-');
	WD_AUTO_FREE char *first = dash ? wd_copy_part(text, (size_t)(dash - text)) : wd_copy(text);
	int64_t low, high;
	if (!wd_number_parse(first, 0, 255, &low, error) ||
	    !wd_number_parse(dash ? dash + 1 : text, 0, 255, &high, error))
		return dash ? wd_fail_in(error, "%s", text) : false;
	if (low > high)
		return USAGE("%s: the first code must not be above the second", text);
	for (int64_t code = low; code <= high; code++)
		codes->bits[code / 64] |= UINT64_C(1) << (code % 64);
	return true;
}

static bool parse_codes(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	WD_AUTO_LIST struct wd_list parts = {0};
	struct wd_codes codes = {{0}};
	(void)option;
	if (!wd_value_off(text)) {
		wd_list_split(&parts, text, ',');
		if (parts.count == 0)
			return USAGE("must be exit codes such as 1, 137 or 128-159, or off");
	}
	for (size_t i = 0; i < parts.count; i++)
		if (!parse_code_part(parts.items[i], &codes, error))
			return false;
	*(struct wd_codes *)ret_value = codes;
	return true;
}

static bool parse_amount(const struct wd_option *option, const char *text, struct wd_level *level,
			 struct wd_error *error)
{
	int64_t number;
	size_t length = strlen(text);
	if (option->amount == WD_AMOUNT_NONE || (length > 0 && text[length - 1] == '%')) {
		level->kind = WD_LEVEL_RATIO;
		return wd_percent_parse(text, &level->ratio, error);
	}
	level->kind = WD_LEVEL_AMOUNT;
	if (option->amount == WD_AMOUNT_SIZE)
		return wd_size_parse(text, &level->amount, error);
	if (!wd_number_parse(text, 1, INT32_MAX, &number, error))
		return false;
	level->amount = (uint64_t)number;
	return true;
}

static bool parse_level(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	static const char *const forms[] = {"95% for 5m", "90% for 60s or 1.5GiB for 60s",
					    "90% for 60s or 200 for 60s"};
	struct wd_level level = {.kind = WD_LEVEL_OFF};
	const char *form = forms[option->amount];
	const char *middle = strstr(text, " for ");
	if (!wd_value_off(text)) {
		if (!middle)
			return USAGE("write it like %s, or off", form);
		WD_AUTO_FREE char *amount = wd_copy_part(text, strcspn(text, " "));
		const char *span = middle + 5 + strspn(middle + 5, " ");
		if (strspn(text + strlen(amount), " ") < (size_t)(middle - text) - strlen(amount))
			return USAGE("write it like %s, or off", form);
		if (!parse_amount(option, amount, &level, error) || !wd_span_parse(span, &level.span, error))
			return wd_fail_in(error, "write it like %s, or off", form);
		if (level.span > WD_DAY || (level.kind == WD_LEVEL_AMOUNT && level.amount == 0))
			return USAGE("the amount must be above 0 and the time at most 1d");
	}
	*(struct wd_level *)ret_value = level;
	return true;
}

static bool parse_pressure_part(const struct wd_option *option, const char *text, struct wd_pressure_rule *rule,
				struct wd_error *error)
{
	size_t length = strcspn(text, " ");
	WD_AUTO_FREE char *resource = wd_copy_part(text, length);
	unsigned which = 0;
	while (which < WD_RESOURCES && strcmp(resource, wd_resource_name((enum wd_resource)which)) != 0)
		which++;
	if (which == WD_RESOURCES)
		return USAGE("%s must begin with memory, cpu or io, such as memory 40%% for 30s", text);
	if (!parse_level(option, text + length + strspn(text + length, " "), &rule->level, error))
		return wd_fail_in(error, "%s", resource);
	if (rule->level.kind == WD_LEVEL_OFF)
		return USAGE("%s: leave the resource out, or write off alone", text);
	rule->resource = (enum wd_resource)which;
	return true;
}

/* "memory 40% for 30s, io 60% for 1m" */
static bool parse_pressure(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	WD_AUTO_LIST struct wd_list parts = {0};
	struct wd_pressures pressures = {.count = 0};
	if (!wd_value_off(text)) {
		wd_list_split(&parts, text, ',');
		if (parts.count == 0 || parts.count > WD_PRESSURES_MAX)
			return USAGE("write it like memory 40%% for 30s, with commas between up to %d of them, or off",
				     WD_PRESSURES_MAX);
	}
	for (; pressures.count < parts.count; pressures.count++)
		if (!parse_pressure_part(option, parts.items[pressures.count], &pressures.items[pressures.count],
					 error))
			return false;
	*(struct wd_pressures *)ret_value = pressures;
	return true;
}

static void text_done(void *value)
{
	free(*(char **)value);
}

static bool parse_throttle(const char *text, struct wd_rung *rung, struct wd_error *error)
{
	if (!parse_decimal(text, strlen(text), &rung->cpus) || rung->cpus < 0.01 || rung->cpus > 1024)
		return USAGE("throttle:%s: how many CPUs must be between 0.01 and 1024, write it like throttle:0.5",
			     text);
	return true;
}

static bool fail_rung(const char *text, struct wd_error *error)
{
	const char *words[WD_ACTIONS];
	size_t count = 0;
	for (unsigned action = 0; action < WD_ACTION_RELEASE; action++)
		words[count++] = wd_action_name((enum wd_action)action);
	const char *nearest = wd_text_nearest(text, words, count);
	if (nearest)
		return USAGE("%s is no action, did you mean %s?", text, nearest);
	return USAGE(
		"%s is no action: notify, restart, stop, pause, throttle:CPUS, rollback, restore, rollback+restore "
		"and hook:NAME are",
		text);
}

static bool parse_rung(const char *text, struct wd_rung *rung, struct wd_error *error)
{
	const char *colon = strchr(text, ':');
	WD_AUTO_FREE char *word = colon ? wd_copy_part(text, (size_t)(colon - text)) : wd_copy(text);
	if (!wd_action_parse(word, &rung->action) || rung->action >= WD_ACTION_RELEASE)
		return fail_rung(word, error);
	bool wants = rung->action == WD_ACTION_THROTTLE || rung->action == WD_ACTION_HOOK;
	if (wants && (!colon || colon[1] == '\0'))
		return USAGE("%s needs more, write it like %s", word,
			     rung->action == WD_ACTION_HOOK ? "hook:NAME" : "throttle:0.5");
	if (!wants && colon)
		return USAGE("%s takes nothing behind a colon", word);
	if (rung->action == WD_ACTION_THROTTLE)
		return parse_throttle(colon + 1, rung, error);
	if (rung->action == WD_ACTION_HOOK)
		rung->hook = wd_copy(colon + 1);
	return true;
}

void wd_ladder_done(struct wd_ladder *ladder)
{
	for (unsigned i = 0; i < ladder->count; i++)
		free(ladder->rungs[i].hook);
	free(ladder->rungs);
}

static void ladder_done(void *value)
{
	wd_ladder_done(value);
}

static bool parse_ladder(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	WD_AUTO_LIST struct wd_list parts = {0};
	struct wd_ladder ladder = {.count = 0};
	(void)option;
	wd_list_split(&parts, text, ',');
	if (parts.count == 0 || parts.count > WD_RUNGS_MAX)
		return USAGE("must be one to %d actions with commas between them", WD_RUNGS_MAX);
	if (parts.count == 1 && wd_value_off(parts.items[0]))
		return USAGE("a ladder cannot be off: notify changes nothing, and the trigger's own key can be off");
	ladder.rungs = wd_alloc(parts.count, sizeof(*ladder.rungs));
	for (; ladder.count < parts.count; ladder.count++)
		if (!parse_rung(parts.items[ladder.count], &ladder.rungs[ladder.count], error)) {
			wd_ladder_done(&ladder);
			return false;
		}
	*(struct wd_ladder *)ret_value = ladder;
	return true;
}

/* "hook:NAME" alone; kept as text. */
static bool parse_hook(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	(void)option;
	if (!wd_text_starts(text, "hook:") || text[5] == '\0' || strchr(text, ','))
		return USAGE("must be hook:NAME");
	*(char **)ret_value = wd_copy(text);
	return true;
}

/* Takes `word` and the white space around it off the front. */
static bool eat(const char **text, const char *word)
{
	const char *at = *text + strspn(*text, " \t");
	if (!wd_text_starts(at, word))
		return false;
	at += strlen(word);
	*text = at + strspn(at, " \t");
	return true;
}

static char *take_until(const char **text, const char *ends)
{
	size_t length = strcspn(*text, ends);
	char *part = wd_copy_part(*text, length);
	*text += length;
	return part;
}

/* "5, or 50% but at least 3, within 10s; wait 60s" */
static bool read_mass(const char *text, struct wd_mass_rule *rule, struct wd_error *error)
{
	int64_t count, least = 1;
	WD_AUTO_FREE char *number = take_until(&text, ", \t");
	if (!wd_number_parse(number, 2, 10000, &count, error))
		return false;
	if (eat(&text, ",") && eat(&text, "or ")) {
		WD_AUTO_FREE char *ratio = take_until(&text, ", \t");
		if (!wd_percent_parse(ratio, &rule->ratio, error))
			return false;
		if (eat(&text, "but at least ")) {
			WD_AUTO_FREE char *floor = take_until(&text, ", \t");
			if (!wd_number_parse(floor, 2, 10000, &least, error))
				return false;
		}
		eat(&text, ",");
	}
	if (!eat(&text, "within "))
		return USAGE("\"within SPAN\" is missing");
	WD_AUTO_FREE char *within = take_until(&text, "; \t");
	if (!eat(&text, ";") || !eat(&text, "wait "))
		return USAGE("\"; wait SPAN\" is missing (without a blank before the semicolon)");
	rule->count = (unsigned)count;
	rule->least = (unsigned)least;
	return wd_span_parse(within, &rule->within, error) && wd_span_parse(text, &rule->wait, error);
}

static bool parse_mass(const struct wd_option *option, const char *text, void *ret_value, struct wd_error *error)
{
	struct wd_mass_rule rule = {0};
	(void)option;
	if (!wd_value_off(text)) {
		if (!read_mass(text, &rule, error))
			return wd_fail_in(error, "write it like 5, or 50%% but at least 3, within 10s; wait 60s");
		if (rule.within < WD_SECOND || rule.within > WD_HOUR || rule.wait < WD_SECOND || rule.wait > WD_HOUR)
			return USAGE("both times must be between 1s and 1h");
	}
	*(struct wd_mass_rule *)ret_value = rule;
	return true;
}

const struct wd_kind wd_kind_rate = {"rate", "N/WINDOW such as 10/1h, or off", sizeof(struct wd_rate), parse_rate,
				     .done = NULL};
const struct wd_kind wd_kind_rates = {"rates", "N/WINDOW such as 5/60s, several with commas, or off",
				      sizeof(struct wd_rates), parse_rates, .done = NULL};
const struct wd_kind wd_kind_codes = {"exit codes", "0 to 255 with commas, ranges such as 128-159, or off",
				      sizeof(struct wd_codes), parse_codes, .done = NULL};
const struct wd_kind wd_kind_level = {"level", "90% for 60s, or off", sizeof(struct wd_level), parse_level,
				      .done = NULL};
const struct wd_kind wd_kind_pressure = {"pressures", "memory 40% for 30s, cpu …, io …, or off",
					 sizeof(struct wd_pressures), parse_pressure, .done = NULL};
const struct wd_kind wd_kind_ladder = {"ladder", "actions with commas between them", sizeof(struct wd_ladder),
				       parse_ladder, .done = ladder_done};
const struct wd_kind wd_kind_hook = {"hook", "hook:NAME", sizeof(char *), parse_hook, .done = text_done};
const struct wd_kind wd_kind_mass = {"mass rule", "5, or 50% but at least 3, within 10s; wait 60s; or off",
				     sizeof(struct wd_mass_rule), parse_mass, .done = NULL};
