/*
 * command_runs -- the sub-commands runs and outbox: lists of runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "fcgi/tool/tint.h"
#include "lib/base/say.h"
#include "lib/model/standing.h"
#include "lib/service/halt.h"
#include "lib/store/listing.h"

#include <string.h>

/* Runs read at once. */
#define BATCH 64

#define LIMIT 50
#define LIMIT_MAX 1000000

/* A list in the making, as a table or as records. */
struct list {
    struct jr_command *command;
    struct jr_grid grid;
    struct jr_emit emit;
    size_t left; /* how many more are wanted */
    struct jr_halt halt; /* of the outbox: what keeps GitHub from being asked */
};

static void begin(struct list *list, const struct jr_column *columns, size_t count)
{
    static const struct jr_run none;
    const struct jr_command *command = list->command;

    if (command->json) {
        jr_command_emit(command, &list->emit);
        jr_emit_open_array(&list->emit, NULL);
        jr_emit_heading(&list->emit, true);
        jr_runview_emit(&list->emit, NULL, &command->settings, &command->pauses, &none);
        jr_emit_heading(&list->emit, false);
    } else {
        jr_grid_init(&list->grid, columns, count);
    }
}

static int end(struct list *list, int status)
{
    int shown;

    if (list->command->json) {
        jr_emit_close_array(&list->emit);
        jr_emit_end(&list->emit);
        return status;
    }
    shown = jr_command_show(list->command, &list->grid);
    return status != JR_EXIT_OK ? status : shown;
}

static void add_reason(struct list *list, const struct jr_run *run)
{
    bool paused = jr_pauses_hold(&list->command->pauses, run) != NULL;
    struct jr_standing standing;

    jr_standing_of(run, &standing);
    jr_grid_add(&list->grid, jr_reason_token(jr_standing_reason(run, paused)));
    jr_grid_tint(&list->grid, paused ? JR_MOOD_WAIT : standing.mood);
}

/* What became of a run stays: how it ended, and why it stands where it stands, to the last. */
#define RUN_COLUMNS(time)                                                                        \
    { time, false, false, 0 },       { "RUN", true, false, 0 },                                  \
    { "REPOSITORY", false, 12, 0 },  { "WORKFLOW", false, 8, 6 },                                \
    { "BRANCH", false, 8, 4 },       { "ATTEMPT", true, false, 3 },                              \
    { "STATE", false, false, 2 },    { "CONCLUSION", false, false, 5 },                          \
    { "REASON", false, false, 0 },   { "RERUNS", true, false, 1 }

/* A terminal of less columns than that has times in short. */
#define WIDE 120

static const struct jr_column run_columns[] = { RUN_COLUMNS("LAST EVENT") };
static const struct jr_column short_run_columns[] = { RUN_COLUMNS("LAST") };

static bool is_short(const struct jr_command *command)
{
    return command->width > 0 && command->width < WIDE;
}

/* Of a time today "09:03", else "11-23"; in UTC, as all times are. */
static void add_short_time(struct list *list, int64_t time_ms)
{
    char when[JR_WHEN_SIZE], now[JR_WHEN_SIZE];

    jr_command_when(time_ms, when);
    if (strncmp(when, jr_command_when(list->command->now_ms, now), 10) == 0)
        jr_grid_addf(&list->grid, "%.5s", when + 11);
    else
        jr_grid_addf(&list->grid, "%.5s", when + 5);
}

static void add_run(struct list *list, const struct jr_run *run)
{
    enum jr_conclusion conclusion = jr_run_conclusion(run);
    char when[JR_WHEN_SIZE];

    if (list->command->json) {
        jr_runview_emit(&list->emit, NULL, &list->command->settings, &list->command->pauses, run);
        return;
    }
    if (is_short(list->command))
        add_short_time(list, run->last_event_ms);
    else
        jr_grid_add(&list->grid, jr_command_when(run->last_event_ms, when));
    jr_grid_addf(&list->grid, "%llu", (unsigned long long)run->run_id);
    jr_grid_add(&list->grid, run->repo);
    jr_grid_add(&list->grid, jr_run_workflow(run));
    jr_grid_add(&list->grid, run->branch);
    jr_grid_addf(&list->grid, "%u", run->attempt);
    jr_grid_add(&list->grid, jr_phase_name(run->phase));
    jr_grid_add(&list->grid,
                conclusion == JR_CONCLUSION_NONE ? "" : jr_conclusion_name(conclusion));
    jr_grid_tint(&list->grid, jr_tint_conclusion(conclusion));
    add_reason(list, run);
    jr_grid_addf(&list->grid, "%u", run->reruns);
}

static const struct jr_column outbox_columns[] = {
    { "DUE", false, false, 0 },  { "IN", false, false, 0 },
    { "AGE", false, false, 0 },  { "RUN", true, false, 0 },
    { "REPOSITORY", false, true, 0 }, { "ATTEMPT", true, false, 0 },
    { "TRIES", true, false, 0 }, { "REASON", false, false, 0 },
};

/* How long until GitHub is asked; or what keeps it from being asked, when nobody knows. */
static void add_left(struct list *list, const struct jr_run *run)
{
    const struct jr_halt halt = jr_halt_with(&list->halt, jr_pauses_hold(&list->command->pauses, run));
    int64_t asked_ms = jr_halt_asked_ms(&halt, run->due_ms);
    int64_t left_ms = asked_ms - list->command->now_ms;
    char span[JR_SPAN_SIZE];

    if (asked_ms == 0)
        jr_grid_add(&list->grid, halt.word);
    else
        jr_grid_addf(&list->grid, "%s%s", left_ms < 0 ? "-" : "",
                     jr_say_span(left_ms < 0 ? -left_ms : left_ms, span));
}

static void add_entry(struct list *list, const struct jr_run *run)
{
    char when[JR_WHEN_SIZE], span[JR_SPAN_SIZE];
    int64_t age_ms = list->command->now_ms - run->waiting_ms;

    if (list->command->json) {
        jr_runview_emit(&list->emit, NULL, &list->command->settings, &list->command->pauses, run);
        return;
    }
    jr_grid_add(&list->grid, jr_command_when(run->due_ms, when));
    add_left(list, run);
    jr_grid_add(&list->grid, jr_say_span(age_ms < 0 ? 0 : age_ms, span));
    jr_grid_addf(&list->grid, "%llu", (unsigned long long)run->run_id);
    jr_grid_add(&list->grid, run->known ? run->repo : "(damaged)");
    jr_grid_addf(&list->grid, "%u", run->attempt);
    jr_grid_addf(&list->grid, "%u", run->tries);
    add_reason(list, run);
}

static int read_state(const struct jr_command *command, int *phase)
{
    const char *text = jr_command_value(command, "state");

    *phase = JR_LISTING_ANY_PHASE;
    if (text == NULL)
        return JR_EXIT_OK;
    for (int i = JR_PHASE_OPEN; i <= JR_PHASE_CLOSED; i++)
        if (strcmp(text, jr_phase_name((enum jr_phase)i)) == 0)
            *phase = i;
    return *phase != JR_LISTING_ANY_PHASE
               ? JR_EXIT_OK
               : jr_command_misused(command, "--state: '%.100s' is none of open, due, closed",
                                    text);
}

static const char *reason_at(size_t number)
{
    return jr_reason_token((enum jr_reason)number);
}

static const char *conclusion_at(size_t number)
{
    return jr_conclusion_name((enum jr_conclusion)number);
}

/* A closed set of words, and which of them are wanted. */
struct choice {
    const char *option;
    const char *(*word)(size_t number);
    size_t count;
    bool *wanted; /* as many */
};

/* Choose a word; false: it is none of the set, and `nearest` was likely meant, if not NULL. */
static bool choose(const struct choice *choice, const char *word, const char **nearest)
{
    bool found = false;

    *nearest = NULL;
    for (size_t i = 0; i < choice->count; i++) {
        /* Numbers without a word have that of 0. */
        if (i > 0 && strcmp(choice->word(i), choice->word(0)) == 0)
            continue;
        if (strcmp(choice->word(i), word) == 0)
            choice->wanted[i] = found = true;
        jr_args_nearest(word, choice->word(i), nearest);
    }
    return found;
}

/*
 * Read a list of words of a closed set.
 *   wanted  out: NULL when the option is not given, else choice->wanted
 */
static int read_choice(const struct jr_command *command, const struct choice *choice,
                       const bool **wanted)
{
    struct jr_list words = { .count = 0 };
    const char *nearest;
    int status = jr_command_read_patterns(command, choice->option, &words);

    *wanted = words.count > 0 ? choice->wanted : NULL;
    for (size_t i = 0; i < words.count && status == JR_EXIT_OK; i++)
        if (!choose(choice, words.items[i], &nearest))
            status = jr_command_misused(command, "--%s: there is no '%.100s'%s%s%s", choice->option,
                                        words.items[i], nearest == NULL ? "" : "; did you mean ",
                                        nearest == NULL ? "" : nearest,
                                        nearest == NULL ? "" : "?");
    jr_list_release(&words);
    return status;
}

/* Read which runs are wanted; the lists are to be released. */
static int read_filter(const struct jr_command *command, struct jr_listing_filter *filter)
{
    static bool reasons[JR_REASONS], conclusions[JR_CONCLUSIONS];
    const struct choice reason = { "reason", reason_at, JR_REASONS, reasons };
    const struct choice conclusion = { "conclusion", conclusion_at, JR_CONCLUSIONS, conclusions };
    int status = jr_command_read_patterns(command, "repo", &filter->repos);

    if (status == JR_EXIT_OK)
        status = jr_command_read_patterns(command, "branch", &filter->branches);
    if (status == JR_EXIT_OK)
        status = jr_command_read_patterns(command, "workflow", &filter->workflows);
    if (status == JR_EXIT_OK)
        status = read_choice(command, &reason, &filter->reasons);
    if (status == JR_EXIT_OK)
        status = read_choice(command, &conclusion, &filter->conclusions);
    if (status == JR_EXIT_OK)
        status = jr_command_read_since(command, &filter->since_ms);
    return status == JR_EXIT_OK ? read_state(command, &filter->phase) : status;
}

static void release_filter(struct jr_listing_filter *filter)
{
    jr_list_release(&filter->repos);
    jr_list_release(&filter->branches);
    jr_list_release(&filter->workflows);
}

static int show_runs(struct jr_command *command, const struct jr_listing_filter *filter,
                     size_t limit)
{
    struct list list = { .command = command, .left = limit };
    struct jr_listing listing = { .ended = false };
    struct jr_run runs[BATCH];
    struct jr_error error;
    size_t count;
    int status = JR_EXIT_OK;

    begin(&list, is_short(command) ? short_run_columns : run_columns,
          sizeof run_columns / sizeof *run_columns);
    while (status == JR_EXIT_OK && !listing.ended && list.left > 0) {
        if (jr_listing_runs(command->store, filter, &listing, runs,
                            list.left < BATCH ? list.left : BATCH, &count, &error) != JR_OK)
            status = jr_command_store_failed(&error);
        for (size_t i = 0; i < count; i++)
            add_run(&list, &runs[i]);
        list.left -= count;
    }
    return end(&list, status);
}

int jr_command_runs(struct jr_command *command)
{
    struct jr_listing_filter filter = { .phase = JR_LISTING_ANY_PHASE, .pauses = &command->pauses };
    size_t limit = LIMIT;
    int status = jr_command_read_limit(command, LIMIT_MAX, &limit);

    if (status == JR_EXIT_OK)
        status = read_filter(command, &filter);
    if (status == JR_EXIT_OK)
        status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status == JR_EXIT_OK)
        status = show_runs(command, &filter, limit);
    release_filter(&filter);
    return status;
}

int jr_command_outbox(struct jr_command *command)
{
    struct list list = { .command = command, .left = LIMIT };
    struct jr_listing_outbox listing = { .ended = false };
    struct jr_run runs[BATCH];
    struct jr_error error;
    size_t count;
    int status = jr_command_read_limit(command, LIMIT_MAX, &list.left);

    if (status == JR_EXIT_OK)
        status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    if (jr_halt_read(command->store, &command->settings, command->now_ms, &list.halt, &error)
        != JR_OK)
        return jr_command_store_failed(&error);
    begin(&list, outbox_columns, sizeof outbox_columns / sizeof *outbox_columns);
    while (status == JR_EXIT_OK && !listing.ended && list.left > 0) {
        if (jr_listing_outbox(command->store, &listing, runs, list.left < BATCH ? list.left : BATCH,
                              &count, &error) != JR_OK)
            status = jr_command_store_failed(&error);
        for (size_t i = 0; i < count; i++)
            add_entry(&list, &runs[i]);
        list.left -= count;
    }
    return end(&list, status);
}
