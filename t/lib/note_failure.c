/*
 * note_failure -- put failures into a store, as a dispatcher would have recorded them: for tests
 * of what shows them.
 *
 *   note_failure STATE_DIR KEY=VALUE...
 *
 * Keys: run, job (numbers), attempt, at (ms), name, cause, signature, line, first (errors, a
 * line each), step, rule, then (rerun, leave, echo, worth, same), unread (any of "sal"), repo,
 * workflow. "+" alone ends one and begins the next, which is like it but for what it names. A
 * run that is not there is made, with one job of attempt 1.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/store/days.h"
#include "lib/store/failures.h"
#include "lib/store/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BYTES (INT64_C(64) * 1024 * 1024)

struct noting {
    struct jr_run run; /* its id and its names */
    struct jr_failure failure;
    int64_t at_ms;
};

static void set_then(struct jr_failure *failure, const char *then)
{
    failure->counts = strcmp(then, "echo") != 0;
    failure->reruns = strcmp(then, "rerun") == 0;
    failure->not_worth_it = strcmp(then, "worth") == 0;
    failure->same_failure = strcmp(then, "same") == 0;
}

static void set_unread(struct jr_failure *failure, const char *letters)
{
    failure->steps_found = strchr(letters, 's') != NULL ? JR_UNREADABLE : JR_FOUND;
    failure->annotations_found = strchr(letters, 'a') != NULL ? JR_UNREADABLE : JR_ABSENT;
    failure->log_found = strchr(letters, 'l') != NULL ? JR_UNREADABLE : JR_FOUND;
    failure->finding.unreadable = *letters != '\0';
}

static bool set_text(struct noting *noting, const char *key, const char *value)
{
    struct jr_finding *finding = &noting->failure.finding;
    const struct {
        const char *key;
        char *text;
        size_t size;
    } texts[] = {
        { "name", noting->failure.name, sizeof noting->failure.name },
        { "rule", noting->failure.rule, sizeof noting->failure.rule },
        { "signature", finding->signature, sizeof finding->signature },
        { "line", finding->line, sizeof finding->line },
        { "first", finding->first_error, sizeof finding->first_error },
        { "step", finding->step, sizeof finding->step },
        { "repo", noting->run.repo, sizeof noting->run.repo },
        { "workflow", noting->run.workflow, sizeof noting->run.workflow },
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(key, texts[i].key) == 0) {
            jr_text_copy(texts[i].text, texts[i].size, value);
            return true;
        }
    return false;
}

static bool set(struct noting *noting, const char *key, const char *value)
{
    if (strcmp(key, "run") == 0)
        noting->run.run_id = strtoull(value, NULL, 10);
    else if (strcmp(key, "job") == 0)
        noting->failure.job_id = strtoull(value, NULL, 10);
    else if (strcmp(key, "attempt") == 0)
        noting->failure.attempt = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(key, "at") == 0)
        noting->at_ms = strtoll(value, NULL, 10);
    else if (strcmp(key, "cause") == 0)
        noting->failure.finding.cause = jr_cause_from(value);
    else if (strcmp(key, "then") == 0)
        set_then(&noting->failure, value);
    else if (strcmp(key, "unread") == 0)
        set_unread(&noting->failure, value);
    else
        return set_text(noting, key, value);
    return true;
}

static void note(struct jr_txn *txn, void *context)
{
    const struct noting *noting = context;
    struct jr_run run;

    jr_ledger_load_run(txn, noting->run.run_id, &run);
    if (!run.known) {
        run = noting->run;
        run.known = true;
        run.attempt = run.base_attempt = 1;
        run.last_event_ms = run.first_event_ms = run.told_ms = noting->at_ms;
        run.complete = true;
        run.conclusion = JR_CONCLUSION_FAILURE;
        run.phase = JR_PHASE_CLOSED;
        run.reason = JR_REASON_RUN_FAILED;
        jr_ledger_save_run(txn, &run);
    }
    jr_days_note_cause(txn, &run, &noting->failure, noting->at_ms);
    jr_failures_save(txn, &run, &noting->failure, noting->at_ms);
}

int main(int argc, char **argv)
{
    struct noting noting = { .failure.attempt = 1, .at_ms = jr_now_ms() };
    struct jr_store *store;
    struct jr_error error;
    enum jr_err err = argc < 3 ? JR_EINVAL : jr_store_open(&store, argv[1], MAP_BYTES, &error);

    if (err != JR_OK) {
        fprintf(stderr, "note_failure: %s\n", err == JR_EINVAL ? "STATE_DIR KEY=VALUE..."
                                                               : error.text);
        return EXIT_FAILURE;
    }
    for (int i = 2; err == JR_OK && i < argc; i++) {
        char *equals = strchr(argv[i], '=');

        if (strcmp(argv[i], "+") == 0) {
            err = jr_store_write(store, note, &noting, &error);
        } else if (equals != NULL) {
            *equals = '\0';
            if (!set(&noting, argv[i], equals + 1))
                err = jr_error_set(&error, JR_EINVAL, "there is no key %s", argv[i]);
        }
    }
    if (err == JR_OK)
        err = jr_store_write(store, note, &noting, &error);
    if (err != JR_OK)
        fprintf(stderr, "note_failure: %s\n", error.text);
    jr_store_close(store);
    return err == JR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
