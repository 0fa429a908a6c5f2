/* render.h: what report.h prints, drawn into a text: the golden tests read it there.
 */
#ifndef WATCHDOG_FACE_RENDER_H
#define WATCHDOG_FACE_RENDER_H

#include <watchdog/report.h>
#include <watchdog/text.h>

typedef void wd_draw(const struct wd_json *report, const struct wd_style *style, struct wd_text *out);

wd_draw wd_draw_pins, wd_draw_snapshots, wd_draw_status, wd_draw_incidents, wd_draw_incident, wd_draw_explain, wd_draw_event, wd_draw_change;

#endif
