/* map.h: a map from strings to pointers (the only file that knows uthash is map.c). Keys are copied; values are lent
 * to the map and belong to the caller. Iteration is in order of insertion. */
#ifndef WATCHDOG_MAP_H
#define WATCHDOG_MAP_H

#include <stddef.h>

struct wd_map;

struct wd_map *wd_map_new(void);
struct wd_map *wd_map_free(struct wd_map *map); /* returns NULL; takes NULL; the values are not touched */
void *wd_map_get(const struct wd_map *map, const char *key); /* NULL where there is none */
void *wd_map_set(struct wd_map *map, const char *key, void *value); /* returns the value replaced, or NULL */
void *wd_map_remove(struct wd_map *map, const char *key);           /* returns the value removed, or NULL */
size_t wd_map_count(const struct wd_map *map);

/* for (struct wd_map_entry *e = wd_map_first(m); e; e = wd_map_next(e)). The current entry may be removed if its
 * next was taken before. */
struct wd_map_entry;
struct wd_map_entry *wd_map_first(const struct wd_map *map);
struct wd_map_entry *wd_map_next(const struct wd_map_entry *entry);
const char *wd_map_key(const struct wd_map_entry *entry);
void *wd_map_value(const struct wd_map_entry *entry);

#endif
