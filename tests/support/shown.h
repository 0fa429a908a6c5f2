/* shown.h: services and incidents as the guard and the store would hand them to the face, with something to see in each
 * place. Everything is lent for the life of the program. */
#ifndef TESTS_SUPPORT_SHOWN_H
#define TESTS_SUPPORT_SHOWN_H

#include <watchdog/engine.h>
#include <watchdog/guard.h>


struct wd_engine_state shown_engine(void);     /* connected, 26.1.5 */
struct wd_service_view shown_well(void);      /* shop/web/1, one restart in its windows */
struct wd_service_view shown_held(void);      /* loop, on hold since incident 7 */
struct wd_service_view shown_muted(void);     /* a name and an image that want to harm terminals */
struct wd_service_view shown_forgotten(void); /* remembered, not seen */
struct wd_service_view shown_held_back(void); /* db, sick, by the cooldown, until a moment that is past */
const struct wd_incident *shown_incident(void); /* 7, of loop: rollback skipped, stop done, with time line and logs */
const struct wd_incident *shown_open_incident(void); /* 8, of web: under way */

#endif
