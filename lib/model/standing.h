/*
 * standing -- where a run stands, for people: the answer in a word, why, and what
 * somebody can do about it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_STANDING_H
#define JR_STANDING_H

#include "lib/model/run.h"

#include <stdbool.h>
#include <stddef.h>

/* What kind of news a word is. */
enum jr_mood {
    JR_MOOD_CALM, /* nothing is to be done */
    JR_MOOD_GOOD,
    JR_MOOD_BAD,
    JR_MOOD_WAIT, /* GitHub is going to be asked */
    JR_MOOD_INFO
};

struct jr_standing {
    enum jr_mood mood;
    const char *word;   /* "rescued"; static, as are all but why */
    const char *token;  /* of the reason: "run-succeeded" */
    char why[160];      /* a sentence without a capital and a full stop */
    const char *remedy; /* what can be done, one sentence or more; empty: nothing needs to be */
    bool rerun_helps;   /* so may `job-rerunner rerun' */
};

/*
 * Why a run stands where it stands, as lists show it and pick by it.
 *   paused  a pause holds it up (jr_pauses_hold)
 */
enum jr_reason jr_standing_reason(const struct jr_run *run, bool paused);

/*
 * Tell where a run stands. A run that succeeded is never said to be left alone or
 * refused, and one that goes on always waits for something.
 */
void jr_standing_of(const struct jr_run *run, struct jr_standing *standing);

/* What is to be done about a run whose newest attempt ended badly. */
enum jr_need {
    JR_NEED_NOTHING,  /* it goes on, or is left alone by a setting, a guard, a newer run */
    JR_NEED_WAITS,    /* GitHub is going to be asked about it */
    /* the others need a person */
    JR_NEED_GIVEN_UP, /* it was tried as often as it may be, or cannot be rerun */
    JR_NEED_LEFT,     /* the policy leaves it: it is a real one, or it deploys */
    JR_NEED_ACCESS,   /* GitHub refused the rerun */
    JR_NEED_LIMIT,    /* the policy's limits were used up for too long */
    JR_NEED_LATE      /* an outage or another run held it for too long */
};

#define JR_NEEDS (JR_NEED_LATE + 1)

enum jr_need jr_standing_need(const struct jr_run *run);

/* What it would be, of a run that failed and is closed for a reason. */
enum jr_need jr_need_of(enum jr_reason reason);

/*
 * What follows from the reason for which a run that failed is closed: a chat is told that it is
 * given up; nobody waits for its rerun any more.
 */
bool jr_standing_gives_up(enum jr_reason reason);
bool jr_standing_is_over(enum jr_reason reason);

/* The word of a run that failed and is closed for a reason. */
const char *jr_standing_word_of(enum jr_reason reason);

/* For people: "given up"; empty of one that needs nothing. Never NULL. */
const char *jr_need_words(enum jr_need need);

/* All that `word' of a standing can be, in the order of the alphabet; NULL after the last. */
const char *jr_standing_word(size_t index);

#endif
