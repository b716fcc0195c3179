/*
 * command_replay -- the sub-command replay: what another policy, or other settings, would have
 * done with the recorded runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "lib/base/text.h"
#include "lib/rules/signatures.h"
#include "lib/steps/chosen.h"
#include "lib/steps/step.h"
#include "lib/steps/whatif.h"
#include "lib/store/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What --set takes. The others decide nothing about a run that is recorded. */
static const char *const settable[] = {
    "RUN_ATTEMPTS", "NO_RETRY_LIST", "REPO_BRANCHES", "REPOS", "NO_RETRY_REPOS",
    "NO_RETRY_WORKFLOWS", "RETRY_CONCLUSIONS", "SUPERSEDED", "CATCH_UP", "POLICY", NULL
};

const char *jr_command_settable(size_t number)
{
    return settable[number];
}

struct sum {
    const char *label;
    const char *pattern;        /* of the deviation that the rule is of; NULL: none */
    const struct jr_rule *rule; /* NULL: `otherwise', or the settings */
    int64_t runs, would_rerun, was_rerun, rescued, lost_rescues, waste, minutes, minutes_saved;
};

/* A case, as --json has it. */
struct row {
    uint64_t run_id;
    char repo[JR_REPO_SIZE];
    struct jr_whatif_case found;
};

struct replay {
    struct jr_command *command;
    struct jr_settings tried;
    struct jr_policy policy;
    struct jr_signatures builtin;
    struct jr_bounds told, bounds;
    struct jr_worths worths;
    struct jr_whatif whatif;
    struct jr_list repos;
    int64_t since_ms;
    struct sum all, *sums; /* sums: of each rule, then of `otherwise' and the settings; owned */
    size_t sum_count;
    struct row *rows; /* with --json; owned */
    size_t row_count, row_room;
    struct jr_whatif_run run; /* that is looked at */
};

static int out_of_memory(void)
{
    return jr_command_fail(JR_EXIT_FAILED, "out of memory");
}

static int check_name(const struct jr_command *command, const char *assignment)
{
    size_t length = strcspn(assignment, "=");
    const char *nearest = NULL;
    char name[JR_TEXT_WORD_MAX + 2];

    snprintf(name, sizeof name, "%.*s", (int)length, assignment);
    for (size_t i = 0; settable[i] != NULL; i++) {
        if (strcmp(settable[i], name) == 0)
            return JR_EXIT_OK;
        jr_args_nearest(name, settable[i], &nearest);
    }
    if (nearest != NULL)
        return jr_command_misused(command, "--set: there is no '%.60s' to try; did you mean '%s'?",
                                  name, nearest);
    return jr_command_misused(command, "--set: '%.60s' decides nothing about recorded runs; there "
                              "are RUN_ATTEMPTS, NO_RETRY_LIST, REPO_BRANCHES, REPOS, "
                              "NO_RETRY_REPOS, NO_RETRY_WORKFLOWS, RETRY_CONCLUSIONS, SUPERSEDED, "
                              "CATCH_UP and POLICY", name);
}

static int read_options(struct replay *replay)
{
    const struct jr_command *command = replay->command;
    int status = jr_command_read_since(command, &replay->since_ms);

    if (status == JR_EXIT_OK)
        status = jr_command_read_patterns(command, "repo", &replay->repos);
    for (size_t i = 0; status == JR_EXIT_OK && i < command->args.assignment_count; i++)
        status = check_name(command, command->args.assignments[i]);
    return status;
}

/* Settings as they are and as they are tried, and the policy. */
static int load(struct replay *replay)
{
    struct jr_command *command = replay->command;
    const char *name = jr_command_value(command, "policy");
    struct jr_error error;
    char *problems;
    int status = jr_command_load_tried(command, command->args.assignments,
                                       command->args.assignment_count, &replay->tried);

    if (status != JR_EXIT_OK)
        return status;
    status = jr_command_read_policy(command, name == NULL ? replay->tried.policy : name,
                                    &replay->policy, NULL, NULL);
    if (status != JR_EXIT_OK)
        return status;
    if (jr_signatures_builtin(&replay->builtin, &error) != JR_OK)
        return jr_command_fail(JR_EXIT_FAILED, "%s", error.text);
    /* The histories came about with the policy in force; where it cannot be read, nearly so. */
    if (jr_chosen_load(&command->settings, &problems) != JR_OK)
        free(problems);
    replay->told = jr_step_bounds(&command->settings);
    replay->bounds = jr_step_bounds(&replay->tried);
    replay->whatif = (struct jr_whatif){
        .told = &replay->told, .bounds = &replay->bounds, .policy = &replay->policy,
        .builtin = &replay->builtin, .worths = &replay->worths,
    };
    return JR_EXIT_OK;
}

static void add_sums(struct replay *replay, const struct jr_policy_part *part, const char *pattern)
{
    for (size_t i = 0; i < part->rule_count; i++)
        replay->sums[replay->sum_count++] = (struct sum){
            .label = part->rules[i].name, .pattern = pattern, .rule = &part->rules[i],
        };
}

static bool make_sums(struct replay *replay)
{
    const struct jr_policy *policy = &replay->policy;
    size_t count = policy->base.rule_count + 2;

    for (size_t i = 0; i < policy->repo_count; i++)
        count += policy->repos[i].part.rule_count;
    replay->sums = calloc(count, sizeof *replay->sums);
    if (replay->sums == NULL)
        return false;
    add_sums(replay, &policy->base, NULL);
    for (size_t i = 0; i < policy->repo_count; i++)
        add_sums(replay, &policy->repos[i].part, policy->repos[i].pattern);
    replay->sums[replay->sum_count++] = (struct sum){ .label = "otherwise" };
    replay->sums[replay->sum_count++] = (struct sum){ .label = "settings" };
    return true;
}

static struct sum *sum_of(struct replay *replay, const struct jr_whatif_case *found)
{
    size_t last = replay->sum_count - 1;

    if (found->rule == NULL)
        return &replay->sums[found->by_setting ? last : last - 1];
    for (size_t i = 0; i < last; i++)
        if (replay->sums[i].rule == found->rule)
            return &replay->sums[i];
    return &replay->sums[last - 1];
}

static void count(struct sum *sum, const struct jr_whatif_case *found)
{
    bool would = found->would == JR_POLICY_RERUN;
    bool rescued = found->came_to == JR_RESULT_SUCCESS;

    sum->runs++;
    sum->would_rerun += would;
    sum->was_rerun += found->was;
    sum->rescued += would && rescued;
    sum->lost_rescues += !would && rescued;
    sum->waste += would && found->came_to == JR_RESULT_FAILED;
    sum->minutes += would ? found->minutes : 0;
    sum->minutes_saved += would ? 0 : found->spent;
}

static bool keep_row(struct replay *replay, const struct jr_whatif_case *found)
{
    struct row *rows = replay->rows;

    if (replay->row_count == replay->row_room) {
        size_t room = replay->row_room == 0 ? 256 : 2 * replay->row_room;

        rows = realloc(rows, room * sizeof *rows);
        if (rows == NULL)
            return false;
        replay->rows = rows;
        replay->row_room = room;
    }
    rows += replay->row_count++;
    rows->run_id = replay->run.run_id;
    jr_text_copy(rows->repo, sizeof rows->repo, replay->run.repo);
    rows->found = *found;
    return true;
}

/* Can there be an attempt that failed? Most runs succeed at once. */
static bool has_failed(const struct jr_run *run)
{
    return run->attempt > 1 || !run->complete || jr_conclusion_is_bad(run->conclusion);
}

/* A damaged run hides no other. */
static int look_at(struct replay *replay, const struct jr_run *run, bool *goes_on)
{
    struct jr_error error;
    enum jr_err err;

    *goes_on = true;
    if (!has_failed(run)
        || (replay->repos.count > 0 && !jr_list_match(&replay->repos, run->repo)))
        return JR_EXIT_OK;
    err = jr_whatif_run(replay->command->store, &replay->whatif, run->run_id, &replay->run, &error);
    if (err == JR_ENOENT) /* forgotten meanwhile */
        return JR_EXIT_OK;
    *goes_on = err == JR_OK || err == JR_EFORMAT;
    if (err != JR_OK)
        return jr_command_store_failed(&error);
    for (size_t i = 0; i < replay->run.count; i++) {
        const struct jr_whatif_case *found = &replay->run.cases[i];

        if (found->ended_ms < replay->since_ms)
            continue;
        count(&replay->all, found);
        count(sum_of(replay, found), found);
        if (replay->command->json && !keep_row(replay, found)) {
            *goes_on = false;
            return out_of_memory();
        }
    }
    return JR_EXIT_OK;
}

static int look_at_all(struct replay *replay)
{
    struct jr_error error;
    struct jr_run run;
    uint64_t run_id = 0;
    int status = JR_EXIT_OK, one;
    bool goes_on = true;
    enum jr_err err = JR_OK;

    while (goes_on
           && (err = jr_listing_next_run(replay->command->store, &run_id, &run, &error)) == JR_OK) {
        one = look_at(replay, &run, &goes_on);
        status = one == JR_EXIT_OK ? status : one;
    }
    return err == JR_OK || err == JR_ENOENT ? status : jr_command_store_failed(&error);
}

/* Only runs of which something was told since then can have an attempt that ended since. */
static int look_at_told(struct replay *replay)
{
    struct jr_store *store = replay->command->store;
    struct jr_error error;
    struct jr_run run;
    uint64_t *run_ids;
    size_t many;
    int status = JR_EXIT_OK, one;
    bool goes_on = true;

    if (jr_listing_told(store, replay->since_ms, &run_ids, &many, &error) != JR_OK)
        return jr_command_store_failed(&error);
    for (size_t i = 0; i < many && goes_on; i++) {
        enum jr_err err = jr_listing_run(store, run_ids[i], &run, &error);

        if (err == JR_ENOENT)
            continue;
        goes_on = err == JR_OK || err == JR_EFORMAT;
        one = err == JR_OK ? look_at(replay, &run, &goes_on) : jr_command_store_failed(&error);
        status = one == JR_EXIT_OK ? status : one;
    }
    free(run_ids);
    return status;
}

/* "PATTERN: NAME" for the rule of a deviation. */
static const char *tell_label(const struct sum *sum, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s", sum->pattern == NULL ? "" : sum->pattern,
             sum->pattern == NULL ? "" : ": ", sum->label);
    return text;
}

static void emit_sum(struct jr_emit *emit, const struct sum *sum)
{
    jr_emit_number(emit, "runs", sum->runs);
    jr_emit_number(emit, "would_rerun", sum->would_rerun);
    jr_emit_number(emit, "was_rerun", sum->was_rerun);
    jr_emit_number(emit, "rescued", sum->rescued);
    jr_emit_number(emit, "lost_rescues", sum->lost_rescues);
    jr_emit_number(emit, "waste", sum->waste);
    jr_emit_number(emit, "minutes", sum->minutes);
    jr_emit_number(emit, "minutes_saved", sum->minutes_saved);
}

static void emit_row(struct jr_emit *emit, const struct row *row)
{
    static const char *const verdicts[] = { "rerun", "leave", "wait" };
    const struct jr_whatif_case *found = &row->found;

    jr_emit_open(emit, NULL);
    jr_emit_number(emit, "run_id", (int64_t)row->run_id);
    jr_emit_text(emit, "repository", row->repo);
    jr_emit_number(emit, "attempt", found->attempt);
    jr_emit_text(emit, "would", verdicts[found->would]);
    jr_emit_text(emit, "reason", jr_reason_token(found->reason));
    jr_emit_text(emit, "was", found->was ? "rerun" : "leave");
    if (found->came_to == JR_RESULT_NONE)
        jr_emit_null(emit, "rescued");
    else
        jr_emit_bool(emit, "rescued", found->came_to == JR_RESULT_SUCCESS);
    jr_emit_close(emit);
}

static void emit_rule(struct jr_emit *emit, const struct sum *sum)
{
    char label[JR_REPO_SIZE + 128];

    jr_emit_open(emit, NULL);
    jr_emit_text(emit, "rule", tell_label(sum, label, sizeof label));
    emit_sum(emit, sum);
    jr_emit_close(emit);
}

static void emit_rules(struct jr_emit *emit, const struct replay *replay)
{
    for (size_t i = 0; i < replay->sum_count; i++)
        if (replay->sums[i].runs > 0)
            emit_rule(emit, &replay->sums[i]);
}

static void write_csv(const struct replay *replay)
{
    static const struct sum none = { .label = "" };
    struct jr_emit emit;

    jr_command_emit(replay->command, &emit);
    jr_emit_open_array(&emit, NULL);
    jr_emit_heading(&emit, true);
    emit_rule(&emit, &none);
    jr_emit_heading(&emit, false);
    emit_rules(&emit, replay);
    jr_emit_close_array(&emit);
    jr_emit_end(&emit);
}

static void write_json(const struct replay *replay)
{
    struct jr_emit emit;

    jr_emit_init(&emit, stdout);
    jr_emit_open(&emit, NULL);
    emit_sum(&emit, &replay->all);
    jr_emit_open_array(&emit, "rules");
    emit_rules(&emit, replay);
    jr_emit_close_array(&emit);
    jr_emit_open_array(&emit, "each");
    for (size_t i = 0; i < replay->row_count; i++)
        emit_row(&emit, &replay->rows[i]);
    jr_emit_close_array(&emit);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
}

static void add_line(struct jr_grid *grid, const char *label, const struct sum *sum)
{
    jr_grid_add(grid, label);
    jr_grid_addf(grid, "%lld", (long long)sum->runs);
    jr_grid_addf(grid, "%lld", (long long)sum->would_rerun);
    jr_grid_addf(grid, "%lld", (long long)sum->was_rerun);
    jr_grid_addf(grid, "%lld", (long long)sum->rescued);
    jr_grid_addf(grid, "%lld", (long long)sum->lost_rescues);
    jr_grid_addf(grid, "%lld", (long long)sum->waste);
    jr_grid_addf(grid, "%lld", (long long)sum->minutes);
    jr_grid_addf(grid, "%lld", (long long)sum->minutes_saved);
}

static int write_table(const struct replay *replay)
{
    static const struct jr_column columns[] = {
        { "RULE", false, 30, 0 },  { "FAILED", true, 0, 0 },  { "WOULD", true, 0, 0 },
        { "WAS", true, 0, 0 },     { "RESCUED", true, 0, 0 }, { "LOST", true, 0, 0 },
        { "WASTE", true, 0, 0 },   { "MINUTES", true, 0, 2 },
        { "SAVED", true, 0, 1 },
    };
    struct jr_grid grid;
    char label[JR_REPO_SIZE + 128];

    jr_grid_init(&grid, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < replay->sum_count; i++)
        if (replay->sums[i].runs > 0)
            add_line(&grid, tell_label(&replay->sums[i], label, sizeof label), &replay->sums[i]);
    add_line(&grid, "all", &replay->all);
    return jr_command_show(replay->command, &grid);
}

static int run(struct replay *replay)
{
    int status = read_options(replay), shown;

    if (status == JR_EXIT_OK)
        status = load(replay);
    if (status == JR_EXIT_OK)
        status = jr_command_open(replay->command);
    if (status != JR_EXIT_OK)
        return status;
    if (!make_sums(replay))
        return out_of_memory();
    status = replay->since_ms == 0 ? look_at_all(replay) : look_at_told(replay);
    shown = JR_EXIT_OK;
    if (replay->command->csv)
        write_csv(replay);
    else if (replay->command->json)
        write_json(replay);
    else
        shown = write_table(replay);
    return status != JR_EXIT_OK ? status : shown;
}

int jr_command_replay(struct jr_command *command)
{
    struct replay *replay = calloc(1, sizeof *replay);
    int status;

    if (replay == NULL)
        return out_of_memory();
    replay->command = command;
    status = run(replay);
    free(replay->rows);
    free(replay->sums);
    jr_worths_release(&replay->worths);
    jr_list_release(&replay->repos);
    jr_signatures_release(&replay->builtin);
    jr_policy_release(&replay->policy);
    jr_settings_release(&replay->tried);
    free(replay);
    return status;
}
