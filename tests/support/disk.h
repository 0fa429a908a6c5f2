/* disk.h: what a guard has had remembered, kept in memory, so that a test can kill it and begin again. */
#ifndef TESTS_SUPPORT_DISK_H
#define TESTS_SUPPORT_DISK_H

#include <watchdog/facts.h>

struct disk_row;
struct disk { /* zeroed: empty */
	struct disk_row *rows;
	struct wd_incident **incidents; /* by number */
	int64_t room;
};

void disk_write(struct disk *disk, const struct wd_memory *memory);
void disk_write_pins(struct disk *disk, const char *service, const struct wd_pins *pins);
void disk_forget(struct disk *disk, const char *service);
const struct wd_memory *disk_find(const struct disk *disk, const char *service); /* or NULL */
void disk_note(struct disk *disk, const struct wd_incident *incident);
const struct wd_incident *disk_incident(const struct disk *disk, int64_t id); /* or NULL */
int64_t disk_next_incident(const struct disk *disk);
/* Tells all rows, and then the incidents that are open, the newest first. What is told may write. */
void disk_recall(struct disk *disk, void (*tell)(void *data, struct wd_fact *fact), void *data);
void disk_done(struct disk *disk);

#endif
