/*
 * command_export -- the sub-command export: the history as JSON lines.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/command.h"
#include "lib/store/listing.h"

#include <stdio.h>
#include <stdlib.h>

/* Entries read at once. */
#define BATCH 64

/* What each line begins with. */
static void open_line(struct jr_emit *emit, const struct jr_run *run)
{
    jr_emit_init(emit, stdout);
    jr_emit_open(emit, NULL);
    jr_emit_number(emit, "run_id", (int64_t)run->run_id);
    jr_emit_text(emit, "repository", run->repo);
    jr_emit_text(emit, "workflow", run->workflow);
    jr_emit_text(emit, "branch", run->branch);
}

static void write_entry(const struct jr_run *run, const struct jr_history *entry)
{
    struct jr_emit emit;

    open_line(&emit, run);
    jr_runview_emit_entry(&emit, entry);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
}

static void write_failure(const struct jr_run *run, const struct jr_failure *failure)
{
    struct jr_emit emit;

    open_line(&emit, run);
    jr_emit_time(&emit, "at", failure->recorded_ms);
    jr_emit_text(&emit, "kind", "failure");
    jr_emit_number(&emit, "attempt", failure->attempt);
    jr_runview_emit_failure(&emit, failure);
    jr_emit_close(&emit);
    jr_emit_end(&emit);
}

static enum jr_err export_failures(struct jr_store *store, const struct jr_run *run,
                                   int64_t since_ms, struct jr_error *error)
{
    struct jr_failure failures[BATCH];
    uint64_t after = 0;
    size_t count;

    do {
        enum jr_err err = jr_listing_failures(store, run->run_id, &after, failures, BATCH, &count,
                                              error);

        if (err != JR_OK)
            return err;
        for (size_t i = 0; i < count; i++)
            if (failures[i].recorded_ms >= since_ms)
                write_failure(run, &failures[i]);
    } while (count == BATCH);
    return JR_OK;
}

/* Its history, then why its jobs failed. */
static enum jr_err export_run(struct jr_store *store, const struct jr_run *run, int64_t since_ms,
                              struct jr_error *error)
{
    struct jr_history entries[BATCH];
    uint32_t number = 0;
    size_t count;

    do {
        enum jr_err err = jr_listing_history(store, run->run_id, &number, entries, BATCH, &count,
                                             error);

        if (err != JR_OK)
            return err;
        for (size_t i = 0; i < count; i++)
            if (entries[i].at_ms >= since_ms)
                write_entry(run, &entries[i]);
    } while (count == BATCH);
    return export_failures(store, run, since_ms, error);
}

/* A damaged history hides no other. Returns whether to go on. */
static bool goes_on(enum jr_err err, const struct jr_error *error, int *status)
{
    if (err == JR_OK)
        return true;
    *status = jr_command_store_failed(error);
    return err == JR_EFORMAT;
}

static int export_all(struct jr_store *store)
{
    struct jr_run run;
    struct jr_error error;
    uint64_t run_id = 0;
    int status = JR_EXIT_OK;
    enum jr_err err;

    while ((err = jr_listing_next_run(store, &run_id, &run, &error)) == JR_OK)
        if (!goes_on(export_run(store, &run, 0, &error), &error, &status))
            return status;
    return err == JR_ENOENT ? status : jr_command_store_failed(&error);
}

/* Calls and decisions may come after the last event: those of a rerun a month later. */
static int export_since(struct jr_store *store, int64_t since_ms)
{
    struct jr_run run;
    struct jr_error error;
    uint64_t *run_ids;
    size_t count;
    int status = JR_EXIT_OK;
    enum jr_err err = jr_listing_told(store, since_ms, &run_ids, &count, &error);

    if (err != JR_OK)
        return jr_command_store_failed(&error);
    for (size_t i = 0; i < count; i++) {
        err = jr_listing_run(store, run_ids[i], &run, &error);
        if (err == JR_OK)
            err = export_run(store, &run, since_ms, &error);
        /* Forgotten meanwhile. */
        if (err != JR_ENOENT && !goes_on(err, &error, &status))
            break;
    }
    free(run_ids);
    return status;
}

int jr_command_export(struct jr_command *command)
{
    int64_t since_ms = 0;
    int status = jr_command_read_since(command, &since_ms);

    if (status == JR_EXIT_OK)
        status = jr_command_load(command, false);
    if (status == JR_EXIT_OK)
        status = jr_command_open(command);
    if (status != JR_EXIT_OK)
        return status;
    return since_ms == 0 ? export_all(command->store) : export_since(command->store, since_ms);
}
