/*
 * causehold -- what becomes of the reruns for a cause while many runs fail for it.
 *
 * A surge of failures (surge.h) begins it: reruns for the cause are held. After a time one goes
 * ahead as a probe. When it fails again for a cause of the same family, the others are held on,
 * twice as long, up to JR_CAUSEHOLD_MOST_MS. When it succeeds, they go ahead, not all at once:
 * JR_CAUSEHOLD_FIRST at first, and with each step (jr_causehold_step_ms()) twice as many as with
 * the one before. Somebody may lift it by hand; then they all go ahead.
 *
 * Pure. The state is stored by lib/store/causeholds.h, and driven by lib/steps/holding.h, which
 * has each transition in a transaction. What is passed as now_ms may be earlier than what was
 * passed before: the clock was set back (jr_causehold_keep_time()).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CAUSEHOLD_H
#define JR_CAUSEHOLD_H

#include "lib/base/timestamp.h"
#include "lib/model/cause.h"
#include "lib/model/event.h"
#include "lib/rules/policy.h"
#include "lib/rules/surge.h"

#include <stdbool.h>
#include <stdint.h>

/* A hold grows no longer than this, or than the policy's own. */
#define JR_CAUSEHOLD_MOST_MS JR_HOUR_MS

/* A probe that has not come out by then is given up for another. */
#define JR_CAUSEHOLD_PROBE_MS (30 * JR_MINUTE_MS)

/* When a run that is held is looked at again, should nobody send it ahead before. */
#define JR_CAUSEHOLD_LOOK_MS JR_HOUR_MS

#define JR_CAUSEHOLD_FIRST 2   /* so many go ahead with the first step of a release */
#define JR_CAUSEHOLD_STEPS 10  /* after so many steps all may */

/* The numbers are stored. */
enum jr_causehold_phase {
    JR_CAUSEHOLD_FREE = 0,     /* nothing is held */
    JR_CAUSEHOLD_HELD = 1,
    JR_CAUSEHOLD_RELEASING = 2 /* it is over; those that were held go ahead in turn */
};

/* What the log is to be told, as bits. They are stored. */
enum jr_causehold_news {
    JR_CAUSEHOLD_BEGINS = 1,
    JR_CAUSEHOLD_PROBES = 2,
    JR_CAUSEHOLD_HOLDS_ON = 4, /* a probe has failed */
    JR_CAUSEHOLD_OVER = 8
};

/* Why it is over. The numbers are stored. */
enum jr_causehold_end {
    JR_CAUSEHOLD_PROBED = 0,   /* a probe has succeeded */
    JR_CAUSEHOLD_LIFTED = 1,   /* by hand */
    JR_CAUSEHOLD_IDLE = 2,     /* no run waits for it any more */
    JR_CAUSEHOLD_UNWANTED = 3  /* no policy asks for it any more */
};

struct jr_causehold {
    enum jr_cause cause;
    enum jr_causehold_phase phase;
    int64_t since_ms;         /* when it began */
    uint32_t runs, workflows; /* by which it was found */
    int64_t first_hold_ms;    /* as the policy has it */
    int64_t hold_ms;          /* as it is by now */
    int64_t next_probe_ms;    /* when a probe may go ahead */
    uint64_t probe_run_id;    /* that is under way; 0: none is */
    uint32_t probe_attempt;   /* that was rerun, and failed for the cause */
    int64_t probe_ms;         /* when it went ahead */
    uint32_t probes;          /* how many went ahead */
    uint64_t last_run_id;     /* the last of them */
    int64_t over_ms;          /* when it was over; failures before that begin no other; 0: never */
    enum jr_causehold_end end;
    char lifted_by[JR_LOGIN_SIZE];
    uint32_t released; /* how many went ahead since */
    unsigned news;     /* enum jr_causehold_news */
};

/* Bring a state into the present after the clock was set back: nothing began later than now. */
void jr_causehold_keep_time(struct jr_causehold *hold, int64_t now_ms);

/*
 * A surge with failures after jr_causehold_after_ms() was found: hold. No change while it is held.
 */
void jr_causehold_begin(struct jr_causehold *hold, const struct jr_outage_rule *rule,
                        const struct jr_surge *surge, int64_t now_ms);

/* Only failures after this count towards a surge. */
int64_t jr_causehold_after_ms(const struct jr_causehold *hold);

/* May a run go ahead that failed for the cause? */
bool jr_causehold_passes(const struct jr_causehold *hold, uint64_t run_id, uint32_t attempt,
                         int64_t now_ms);

/* One that may goes ahead: it becomes the probe, or counts as released. */
void jr_causehold_pass(struct jr_causehold *hold, uint64_t run_id, uint32_t attempt,
                       int64_t now_ms);

/* What came of a probe. */
enum jr_causehold_outcome {
    JR_PROBE_UNDER_WAY,
    JR_PROBE_SUCCEEDED, /* whatever else failed */
    JR_PROBE_FAILED,    /* for a cause of the same family, or nobody found out for what */
    JR_PROBE_LOST       /* cancelled, left, forgotten: it tells nothing, and another is to go */
};

/* A probe came out; or it is under way, which is as good as lost after JR_CAUSEHOLD_PROBE_MS. */
void jr_causehold_probe_is(struct jr_causehold *hold, enum jr_causehold_outcome outcome,
                           int64_t now_ms);

/* How many more runs may go ahead now; UINT32_MAX: all. */
uint32_t jr_causehold_room(const struct jr_causehold *hold, int64_t now_ms);

/* How long a step of its release takes: a fifth of the policy's hold, 1 s to 1 min. */
int64_t jr_causehold_step_ms(const struct jr_causehold *hold);

/* It is over, whatever the reason; by JR_CAUSEHOLD_PROBED, a probe of another host. Who lifts it may
 * be NULL. */
void jr_causehold_lift(struct jr_causehold *hold, enum jr_causehold_end end, const char *who,
                       int64_t now_ms);

/* So many runs wait for it, and none at all: then there is nothing to hold or to release. */
void jr_causehold_waiting(struct jr_causehold *hold, uint64_t waiting, int64_t now_ms);

/* "a probe succeeded", "by hand" ... Static. */
const char *jr_causehold_end_words(enum jr_causehold_end end);

#endif
