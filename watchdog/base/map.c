#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <watchdog/map.h>
#include <watchdog/memory.h>

#define uthash_malloc(size) wd_alloc(1, size)
#define HASH_FUNCTION(key, length, ret_hash) ((ret_hash) = hash_of(key, length))
#include <uthash.h>

/* Eight bytes at a time: most keys are the IDs of containers, 64 letters, and each event looks for one. */
static unsigned hash_of(const void *key, size_t length)
{
	const char *at = key;
	uint64_t hash = length, word;

	for (size_t part; length > 0; at += part, length -= part) {
		part = length < sizeof(word) ? length : sizeof(word);
		word = 0;
		memcpy(&word, at, part);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return (unsigned)hash;
}

struct wd_map_entry {
	char *key;
	void *value;
	UT_hash_handle hh;
};

struct wd_map {
	struct wd_map_entry *entries;
};

struct wd_map *wd_map_new(void)
{
	return wd_alloc(1, sizeof(struct wd_map));
}

static void drop(struct wd_map *map, struct wd_map_entry *entry)
{
	HASH_DEL(map->entries, entry);
	free(entry->key);
	free(entry);
}

struct wd_map *wd_map_free(struct wd_map *map)
{
	if (!map)
		return NULL;
	while (map->entries)
		drop(map, map->entries);
	free(map);
	return NULL;
}

static struct wd_map_entry *find(const struct wd_map *map, const char *key)
{
	struct wd_map_entry *entry = NULL;

	if (map && key)
		HASH_FIND_STR(map->entries, key, entry);
	return entry;
}

void *wd_map_get(const struct wd_map *map, const char *key)
{
	const struct wd_map_entry *entry = find(map, key);

	return entry ? entry->value : NULL;
}

void *wd_map_set(struct wd_map *map, const char *key, void *value)
{
	assert(map && key);
	struct wd_map_entry *entry = find(map, key);

	if (entry) {
		void *replaced = entry->value;

		entry->value = value;
		return replaced;
	}
	entry = wd_alloc(1, sizeof(*entry));
	entry->key = wd_copy(key);
	entry->value = value;
	HASH_ADD_KEYPTR(hh, map->entries, entry->key, strlen(entry->key), entry);
	return NULL;
}

void *wd_map_remove(struct wd_map *map, const char *key)
{
	struct wd_map_entry *entry = find(map, key);

	if (!entry)
		return NULL;
	void *value = entry->value;

	drop(map, entry);
	return value;
}

size_t wd_map_count(const struct wd_map *map)
{
	return map ? HASH_COUNT(map->entries) : 0;
}

struct wd_map_entry *wd_map_first(const struct wd_map *map)
{
	return map ? map->entries : NULL;
}

struct wd_map_entry *wd_map_next(const struct wd_map_entry *entry)
{
	return entry->hh.next;
}

const char *wd_map_key(const struct wd_map_entry *entry)
{
	return entry->key;
}

void *wd_map_value(const struct wd_map_entry *entry)
{
	return entry->value;
}
