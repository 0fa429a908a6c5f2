#include "curve.h"

#include <string.h>
#include <watchdog/memory.h>

#define TENTH (100 * WD_MILLISECOND)
#define WIDEST (10 * WD_SECOND)

static uint32_t kibibytes(uint64_t bytes)
{
	return bytes / 1024 < UINT32_MAX ? (uint32_t)(bytes / 1024) : UINT32_MAX;
}

static struct wd_curve_point point_of(const struct wd_curve *curve, const struct wd_sample *sample, double cpus)
{
	return (struct wd_curve_point){
		.at = (uint32_t)((sample->at - curve->since) / TENTH),
		.usage_kib = kibibytes(sample->usage_bytes),
		.working_kib = sample->has & WD_HAS_WORKING_SET ? kibibytes(sample->working_set_bytes) : 0,
		.cpus = cpus < 0     ? UINT16_MAX
			: cpus < 650 ? (uint16_t)(100 * cpus)
				     : UINT16_MAX - 1,
		.pids = sample->pids < UINT16_MAX ? (uint16_t)sample->pids : UINT16_MAX,
	};
}

/* Every second one is left, or all but the oldest. */
static void make_room(struct wd_curve *curve)
{
	unsigned left = 0;

	if (curve->step >= WIDEST) {
		memmove(curve->points, curve->points + 1, --curve->count * sizeof(curve->points[0]));
		return;
	}
	for (unsigned i = 1; i < curve->count; i += 2)
		curve->points[left++] = curve->points[i];
	curve->count = left;
	wd_time apart = (wd_time)(curve->points[left - 1].at - curve->points[left - 2].at) * TENTH;
	curve->step = apart > curve->step ? apart : 2 * curve->step;
}

void wd_curve_add(struct wd_curve *curve, const struct wd_sample *sample, double cpus)
{
	if (curve->count && (sample->at - curve->since) / TENTH > UINT32_MAX)
		curve->count = 0;
	if (curve->count == 0)
		curve->since = sample->at;
	wd_time last = curve->count ? curve->since + curve->points[curve->count - 1].at * TENTH : 0;
	if (curve->count && sample->at - last < curve->step - TENTH)
		return;
	if (curve->count == WD_CURVE_POINTS)
		make_room(curve);
	curve->points[curve->count++] = point_of(curve, sample, cpus);
}

void wd_curve_tell(const struct wd_curve *curve, wd_time now, wd_stamp stamp, struct wd_incident *incident)
{
	wd_stamp newest = incident->point_count ? incident->points[incident->point_count - 1].at : WD_STAMP_NONE;

	for (unsigned i = 0; i < curve->count && incident->point_count < WD_INCIDENT_POINTS; i++) {
		const struct wd_curve_point *from = &curve->points[i];
		wd_time at = curve->since + from->at * TENTH;
		wd_stamp told = stamp - (now - at) * 1000;
		if (told <= newest + TENTH * 1000)
			continue;
		incident->points = wd_realloc(incident->points, incident->point_count + 1, sizeof(*incident->points));
		incident->points[incident->point_count++] =
			(struct wd_point){.at = told,
					  .usage_bytes = 1024 * (uint64_t)from->usage_kib,
					  .working_set_bytes = 1024 * (uint64_t)from->working_kib,
					  .cpus = from->cpus == UINT16_MAX ? -1 : from->cpus / 100.0,
					  .pids = from->pids};
	}
}
