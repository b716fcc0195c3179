/*
 * calls -- GitHub's API, as the dispatcher may call it.
 *
 * Keeps to the rate limits, stops while the token is rejected and for whoever shuts it
 * out, and goes step by step while calls fail (rule 7); remembers that over restarts, and
 * tells /healthz and the log. Whether there is a token or a GitHub App, only this file knows.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CALLS_H
#define JR_CALLS_H

#include "lib/base/timestamp.h"
#include "lib/config/settings.h"
#include "lib/github/app.h"
#include "lib/github/github.h"
#include "lib/github/outage.h"
#include "lib/github/shutout.h"
#include "lib/github/throttle.h"
#include "lib/github/turn.h"
#include "lib/model/run.h"
#include "lib/service/runtime.h"
#include "lib/store/store.h"

/* How old what GitHub has shown may be at most when a rerun is asked for: between the two
 * nobody else's rerun can have run and failed. What takes nearly so long to be shown is of
 * no use. */
#define JR_CALLS_FRESH_MS (5 * JR_SECOND_MS)
#define JR_CALLS_SLOW_MS (4 * JR_SECOND_MS)

/* Wait for an event: nothing is to be done by itself. */
#define JR_CALLS_NEVER INT64_MAX

/* One question that the dispatcher asks. All zero: none. */
struct jr_question {
    struct jr_turn turn;  /* turn.ask is what is asked; turn.call, once it is over, what came */
    uint64_t about;       /* the run or workflow that it is about; 0: none */
    bool is_aside;        /* in: nobody waits for it: it is no trial of whether GitHub answers, and
                             takes no other's place */
    bool under_way;       /* it was begun, and is neither over nor dropped */
    bool is_over;         /* turn.call is there; it stays so until the next question */
    int64_t begun_us;     /* monotonic */
    struct jr_question *next;
};

struct jr_calls {
    struct jr_settings *settings; /* the token in it may be read anew */
    struct jr_store *store;
    struct jr_told *told;       /* what it shows to others; NULL: nobody looks */
    struct jr_http *http;       /* NULL without token and App: nothing is called */
    struct jr_turns turns;
    struct jr_question *first;  /* those under way */
    struct jr_question probe;   /* whether what was rejected is taken again */
    struct jr_github_app who;   /* ... what that holds, of an App */
    int64_t probe_due_ms;       /* monotonic: not before */
    int64_t skew_told_ms;       /* what the log was told of the clocks */
    struct jr_throttle throttle; /* of all calls; an App's installations have their own besides */
    struct jr_outage outage;
    struct jr_shutouts shutouts;
    int64_t renewed_us;      /* monotonic: when there was another secret in its file; 0: never */
    bool is_taken;           /* GitHub has taken what there is by now */
    int64_t secret_look_ms;  /* monotonic: when the secret's file was last looked at */
    int64_t expiry_told_ms; /* when the log was last warned of the token's end */
};

/* JR_OK, or why there can be no calls. Without token and App it is open, but calls nothing. */
enum jr_err jr_calls_open(struct jr_calls *calls, struct jr_settings *settings,
                          struct jr_store *store, struct jr_told *told,
                          struct jr_error *error) JR_CHECKED;
/* All questions are over or dropped. */
void jr_calls_close(struct jr_calls *calls);

/*
 * How long no call at all may be made, in ms; 0: go ahead, if jr_calls_may_ask().
 * Tries a rejected token again when it is time to, or when its file has another one.
 */
int64_t jr_calls_wait_ms(struct jr_calls *calls);

/*
 * May a question be asked now? While calls fail, and after a stop that is over, one is asked
 * first, and the others only once it is answered; so it is for a moment with an App that
 * GitHub has not taken yet, for a bad key stops all.
 */
bool jr_calls_may_ask(const struct jr_calls *calls);

/*
 * The same for a repository: about an owner that has shut us out, or whose installation was
 * stopped, one question is asked first. Nor is one asked that would only wait for the token
 * that is being made.
 */
bool jr_calls_may_ask_about(struct jr_calls *calls, const char *repo);

/*
 * Is all well with calls about a repository: nothing fails, is stopped, shut out or only just
 * tried? Then something may be asked aside, for which nobody waits.
 */
bool jr_calls_are_well(struct jr_calls *calls, const char *repo);

/* How many questions are under way that read something for a run or a repository. */
size_t jr_calls_reads(const struct jr_calls *calls);

/*
 * Once in a while, whether anything is due or not: while somebody shuts us out, see whether
 * there is another secret in its file, and forget whom nobody asks about any more.
 */
void jr_calls_tend(struct jr_calls *calls);

/*
 * How long until there is a call to spare for looking at a repository, in ms, within the
 * share of its own installation; 0: now, or it is not known yet where it belongs.
 *   repo   owner/name; empty: any; of an App, then 0
 *   calls  struct jr_calls, open for calls; of a type that jr_share_wait has
 */
int64_t jr_calls_share_wait_ms(void *calls, const char *repo);

/* Take a call of that share, after it was made: then it is known where the repository belongs. */
void jr_calls_share_take(struct jr_calls *calls, const char *repo);

/*
 * Ask. While one installation of an App is stopped, or an owner shuts us out, questions about
 * its repositories are over at once, LATER and unasked (what is JR_TURN_UNASKED); the others
 * go on. An answer about a run that took over JR_CALLS_SLOW_MS is none.
 *   question  in: turn.ask and about; it stays where it is until it is over or dropped
 */
void jr_calls_ask(struct jr_calls *calls, struct jr_question *question);

/*
 * Go on with all questions as far as that is possible without waiting; what is answered is
 * noted. Returns whether one is over by now that was not before.
 */
bool jr_calls_work(struct jr_calls *calls);

/* Ask no longer: what has come of it by then, nobody learns. One not under way: nothing. */
void jr_calls_drop(struct jr_calls *calls, struct jr_question *question);

/* Break it off: it is over, with an answer as though the network had failed. */
void jr_calls_give_up(struct jr_calls *calls, struct jr_question *question);

#endif
