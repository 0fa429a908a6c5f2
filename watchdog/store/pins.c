#include "pins.h"

#include <watchdog/memory.h>

/* The Config of an image is there once, whoever runs it. */
const char wd_pins_schema[] =
	"CREATE TABLE pins (service TEXT NOT NULL, number INTEGER NOT NULL, image TEXT, image_id TEXT, digests TEXT,"
	" since INTEGER, by TEXT, PRIMARY KEY (service, number)) WITHOUT ROWID;"
	"CREATE TABLE swaps (service TEXT NOT NULL, number INTEGER NOT NULL, from_image TEXT, from_id TEXT,"
	" to_image TEXT, to_id TEXT, at INTEGER, ended TEXT, PRIMARY KEY (service, number)) WITHOUT ROWID;"
	"CREATE TABLE running (service TEXT PRIMARY KEY NOT NULL, image_id TEXT) WITHOUT ROWID;"
	"CREATE TABLE configs (image_id TEXT PRIMARY KEY NOT NULL, config TEXT) WITHOUT ROWID;";

static bool run_for(struct wd_database *database, const char *sql, const char *service, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, sql, error);
	if (!query)
		return false;
	wd_query_put_text(query, service);
	return wd_query_run(query, error);
}

static bool clear(struct wd_database *database, const char *service, struct wd_error *error)
{
	return run_for(database, "DELETE FROM pins WHERE service = ?", service, error) &&
	       run_for(database, "DELETE FROM swaps WHERE service = ?", service, error) &&
	       run_for(database, "DELETE FROM running WHERE service = ?", service, error);
}

static bool drop_unused_configs(struct wd_database *database, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database, "DELETE FROM configs WHERE image_id NOT IN (SELECT image_id FROM running)", error);
	return query && wd_query_run(query, error);
}

bool wd_rows_drop_pins(struct wd_database *database, const char *service, struct wd_error *error)
{
	return clear(database, service, error) && drop_unused_configs(database, error);
}

static bool put_pin(struct wd_database *database, const char *service, unsigned number, const struct wd_pin *pin,
		    struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"REPLACE INTO pins (service, number, image, image_id, digests, since, by) VALUES (?, ?, ?, ?, ?, ?, ?)",
		error);
	if (!query)
		return false;
	wd_query_put_text(query, service);
	wd_query_put_number(query, number);
	wd_query_put_text(query, pin->image);
	wd_query_put_text(query, pin->id);
	wd_query_put_text(query, pin->digests);
	wd_query_put_number(query, pin->since);
	wd_query_put_text(query, wd_pin_by_name(pin->by));
	return wd_query_run(query, error);
}

static bool put_swap(struct wd_database *database, const char *service, unsigned number,
		     const struct wd_swap_record *swap, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"REPLACE INTO swaps (service, number, from_image, from_id, to_image, to_id, at, ended)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		error);
	if (!query)
		return false;
	wd_query_put_text(query, service);
	wd_query_put_number(query, number);
	wd_query_put_text(query, swap->from_image);
	wd_query_put_text(query, swap->from_id);
	wd_query_put_text(query, swap->to_image);
	wd_query_put_text(query, swap->to_id);
	wd_query_put_number(query, swap->at);
	wd_query_put_text(query, wd_swap_end_name(swap->end));
	return wd_query_run(query, error);
}

static bool put_pair(struct wd_database *database, const char *sql, const char *one, const char *two,
		     struct wd_error *error)
{
	struct wd_query *query = wd_database_query(database, sql, error);
	if (!query)
		return false;
	wd_query_put_text(query, one);
	wd_query_put_text(query, two);
	return wd_query_run(query, error);
}

static bool put_config(struct wd_database *database, const char *service, const struct wd_pins *pins,
		       struct wd_error *error)
{
	if (!pins->config_of)
		return true;
	return put_pair(database, "REPLACE INTO running (service, image_id) VALUES (?, ?)", service, pins->config_of,
			error) &&
	       put_pair(database, "REPLACE INTO configs (image_id, config) VALUES (?, ?)", pins->config_of,
			pins->config, error);
}

bool wd_rows_put_pins(struct wd_database *database, const char *service, const struct wd_pins *pins,
		      struct wd_error *error)
{
	bool ok = clear(database, service, error);
	for (unsigned n = 0; ok && n < pins->count; n++)
		ok = put_pin(database, service, n, &pins->items[n], error);
	for (unsigned n = 0; ok && n < pins->swap_count; n++)
		ok = put_swap(database, service, n, &pins->swaps[n], error);
	return ok && put_config(database, service, pins, error) && drop_unused_configs(database, error);
}

/* A row whose word is none of ours says nothing that could be relied on: left out. */
static bool read_pins(struct wd_database *database, const char *service, struct wd_pins *pins, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"SELECT image, image_id, digests, since, by FROM pins WHERE service = ? AND image_id IS NOT NULL"
		" ORDER BY number",
		error);
	if (!query)
		return false;
	wd_query_put_text(query, service);
	int row = wd_query_row(query, error);
	for (; row == 1; row = wd_query_row(query, error)) {
		struct wd_pin pin = {.image = wd_copy(wd_query_text(query))};
		pin.id = wd_copy(wd_query_text(query));
		pin.digests = wd_copy(wd_query_text(query));
		pin.since = wd_query_number(query);
		if (!wd_pin_by_parse(wd_query_text(query), &pin.by)) {
			free(pin.image);
			free(pin.id);
			free(pin.digests);
			continue;
		}
		pins->items = wd_realloc(pins->items, pins->count + 1, sizeof(pin));
		pins->items[pins->count++] = pin;
	}
	return row == 0;
}

static bool read_swaps(struct wd_database *database, const char *service, struct wd_pins *pins, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"SELECT from_image, from_id, to_image, to_id, at, ended FROM swaps WHERE service = ? ORDER BY number",
		error);
	if (!query)
		return false;
	wd_query_put_text(query, service);
	int row = wd_query_row(query, error);
	for (; row == 1; row = wd_query_row(query, error)) {
		struct wd_swap_record swap = {.from_image = wd_copy(wd_query_text(query))};
		swap.from_id = wd_copy(wd_query_text(query));
		swap.to_image = wd_copy(wd_query_text(query));
		swap.to_id = wd_copy(wd_query_text(query));
		swap.at = wd_query_number(query);
		if (!wd_swap_end_parse(wd_query_text(query), &swap.end))
			swap.end = WD_SWAP_IN_VAIN; /* it was tried: that much the row says */
		pins->swaps = wd_realloc(pins->swaps, pins->swap_count + 1, sizeof(swap));
		pins->swaps[pins->swap_count++] = swap;
	}
	return row == 0;
}

static bool read_config(struct wd_database *database, const char *service, struct wd_pins *pins, struct wd_error *error)
{
	struct wd_query *query = wd_database_query(
		database,
		"SELECT running.image_id, config FROM running JOIN configs ON configs.image_id = running.image_id"
		" WHERE service = ?",
		error);
	if (!query)
		return false;
	wd_query_put_text(query, service);
	int row = wd_query_row(query, error);
	if (row == 1) {
		pins->config_of = wd_copy(wd_query_text(query));
		pins->config = wd_copy(wd_query_text(query));
		wd_query_reset(query);
	}
	return row >= 0;
}

bool wd_rows_pins(struct wd_database *database, const char *service, struct wd_pins *ret_pins, struct wd_error *error)
{
	return read_pins(database, service, ret_pins, error) && read_swaps(database, service, ret_pins, error) &&
	       read_config(database, service, ret_pins, error);
}
