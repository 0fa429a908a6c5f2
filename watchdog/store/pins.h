/* pins.h: what is remembered of a service's images, as rows. The caller begins and ends transactions. */
#ifndef STORE_PINS_H
#define STORE_PINS_H

#include "database.h"
#include <watchdog/records.h>

/* In the schema from this step on. */
extern const char wd_pins_schema[];

bool wd_rows_put_pins(struct wd_database *database, const char *service, const struct wd_pins *pins,
		      struct wd_error *error);
bool wd_rows_drop_pins(struct wd_database *database, const char *service, struct wd_error *error);
/* ret_pins: empty before; the caller empties it, also after a failure. */
bool wd_rows_pins(struct wd_database *database, const char *service, struct wd_pins *ret_pins, struct wd_error *error);

#endif
