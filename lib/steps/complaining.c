/*
 * complaining -- the steps by which the author of a broken policy file is told of it at GitHub.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/complaining.h"
#include "lib/base/buffer.h"
#include "lib/base/timestamp.h"
#include "lib/format/markdown.h"
#include "lib/model/reporttext.h"
#include "lib/steps/ownfile.h"
#include "lib/store/ownpolicy.h"
#include "lib/store/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool jr_complaining_is_on(const struct jr_settings *settings)
{
    return jr_settings_reports(settings) && settings->report == JR_REPORTING_CHECK
           && settings->own_files;
}

struct claim {
    int64_t now_ms;
    struct jr_complaining *work;
    int64_t due_ms;     /* out, */
    enum jr_err result; /* likewise */
};

static void claim_first(struct jr_txn *txn, void *context)
{
    struct claim *claim = context;
    struct jr_complaining *work = claim->work;
    struct jr_ownpolicy own;

    claim->result = JR_ENOENT;
    if (!jr_complaints_first(txn, claim->now_ms, &claim->due_ms, &work->scope)) {
        claim->due_ms = 0;
        return;
    }
    if (claim->due_ms > claim->now_ms && claim->due_ms <= claim->now_ms + JR_DAY_MS)
        return;
    jr_complaints_load(txn, work->scope, &work->complaint);
    claim->result = work->complaint.due_ms == claim->due_ms ? JR_OK : JR_EFORMAT;
    jr_ownpolicy_load(txn, work->scope, &own);
    work->has_good = own.text != NULL;
    jr_ownpolicy_release(&own);
}

static void drop_entry(struct jr_txn *txn, void *context)
{
    const struct claim *claim = context;

    jr_complaints_drop(txn, claim->due_ms, claim->work->scope);
}

enum jr_err jr_complaining_claim(struct jr_store *store, int64_t now_ms,
                                 struct jr_complaining *work, int64_t *due_ms,
                                 struct jr_error *error)
{
    struct claim claim = { .now_ms = now_ms, .work = work };
    enum jr_err err;

    memset(work, 0, sizeof *work);
    err = jr_store_read(store, claim_first, &claim, error);
    *due_ms = claim.due_ms;
    if (err == JR_OK && claim.result == JR_EFORMAT)
        err = jr_store_write(store, drop_entry, &claim, error);
    return err == JR_OK ? claim.result : err;
}

static void write_summary(const struct jr_complaining *work, const struct jr_problems *problems,
                          struct jr_buffer *buffer)
{
    jr_buffer_print(buffer, "`" JR_OWNFILE_PATH "` of this commit has mistakes, so it changes "
                    "nothing: %s.\n\n| Line | Column | What is wrong |\n|---|---|---|\n",
                    work->has_good ? "the last version without a mistake counts"
                                   : "the central policy alone counts");
    for (size_t i = 0; i < problems->count; i++) {
        const struct jr_problem *problem = &problems->items[i];

        jr_buffer_print(buffer, "| %u | %u | ", problem->line, problem->column);
        jr_markdown_code(buffer, problem->text, sizeof problem->text);
        jr_buffer_add(buffer, " |\n");
    }
    jr_buffer_print(buffer, "\n%s`job-rerunner policy check --own FILE` tells the same before a "
                    "commit.\n", problems->more ? "There are more. " : "");
}

static void write_title(const struct jr_problems *problems, char *title, size_t size)
{
    int length = snprintf(title, size, "policy: line %u, column %u", problems->items[0].line,
                          problems->items[0].column);

    if (problems->count > 1)
        snprintf(title + length, size - (size_t)length, ", and %s%zu more",
                 problems->more ? "at least " : "", problems->count - 1);
}

/* Where people see the file as it is in the commit, at the first mistake. */
static void write_url(const struct jr_complaining *work, const struct jr_settings *settings,
                      const char *sha, unsigned line, char url[JR_URL_SIZE])
{
    char web[600];

    jr_github_web_url(settings->github_api_url, web, sizeof web);
    if (*web == '\0' || sha[strspn(sha, "0123456789abcdef")] != '\0')
        url[0] = '\0';
    else
        snprintf(url, JR_URL_SIZE, "%s/%s/blob/%s/" JR_OWNFILE_PATH "#L%u", web,
                 work->complaint.repo, sha, line);
}

static enum jr_err write_json(const struct jr_complaining *work,
                              const struct jr_settings *settings, const char *sha, bool is_file,
                              const struct jr_problems *problems, char **json)
{
    char url[JR_URL_SIZE], title[96];
    struct jr_buffer summary;
    struct jr_check_run check = {
        .name = JR_COMPLAINING_NAME, .sha = sha, .external_id = JR_COMPLAINING_ID, .url = url,
        .title = title, .completed = true, .path = is_file ? JR_OWNFILE_PATH : NULL,
        .problems = problems,
    };

    write_url(work, settings, sha, problems->items[0].line, url);
    write_title(problems, title, sizeof title);
    jr_buffer_init(&summary, JR_REPORT_TEXT_MAX);
    write_summary(work, problems, &summary);
    check.summary = summary.bytes;
    if (summary.ok)
        *json = jr_check_run_json(&check, true);
    jr_buffer_release(&summary);
    return *json == NULL ? JR_ENOMEM : JR_OK;
}

enum jr_err jr_complaining_json(const struct jr_complaining *work,
                                const struct jr_settings *settings, const char *sha,
                                const struct jr_github_file *file, char **json)
{
    struct jr_problems *problems = malloc(sizeof *problems);
    enum jr_err err = JR_ENOMEM;

    *json = NULL;
    if (problems != NULL)
        err = jr_ownfile_check(file->text, file->length, problems);
    if (err == JR_OK && problems->count > 0)
        err = write_json(work, settings, sha, file->text != NULL, problems, json);
    free(problems);
    return err;
}

/* A change of what is recorded. */
struct change {
    const struct jr_complaining *work;
    int64_t now_ms, due_ms;
    uint32_t tries;
    int64_t wait_ms; /* out */
};

static void begin(struct jr_txn *txn, void *context)
{
    struct change *change = context;

    change->wait_ms = jr_reports_wait_ms(txn, change->now_ms);
    if (change->wait_ms == 0)
        jr_reports_count(txn, change->now_ms);
}

enum jr_err jr_complaining_begin(struct jr_store *store, int64_t now_ms, int64_t *wait_ms,
                                 struct jr_error *error)
{
    struct change change = { .now_ms = now_ms };
    enum jr_err err = jr_store_write(store, begin, &change, error);

    *wait_ms = change.wait_ms;
    return err;
}

/* What was noted meanwhile is due as it was noted. */
static void settle(struct jr_txn *txn, void *context)
{
    const struct change *change = context;
    struct jr_complaint complaint;

    jr_complaints_load(txn, change->work->scope, &complaint);
    if (complaint.due_ms == 0 || complaint.news != change->work->complaint.news)
        return;
    complaint.tries = change->tries;
    jr_complaints_save(txn, change->work->scope, &complaint, change->due_ms);
}

enum jr_err jr_complaining_postpone(struct jr_store *store, const struct jr_complaining *work,
                                    int64_t due_ms, struct jr_error *error)
{
    struct change change = { .work = work, .due_ms = due_ms, .tries = work->complaint.tries };

    return jr_store_write(store, settle, &change, error);
}

enum jr_err jr_complaining_settle(struct jr_store *store, const struct jr_settings *settings,
                                  const struct jr_complaining *work, const struct jr_call *call,
                                  int64_t now_ms, enum jr_reporting_end *end,
                                  struct jr_error *error)
{
    struct change change = { .work = work, .tries = work->complaint.tries };

    *end = call == NULL                        ? JR_REPORTING_UNCHANGED
           : call->outcome == JR_OUTCOME_DONE  ? JR_REPORTING_WRITTEN
           : call->outcome == JR_OUTCOME_NEVER ? JR_REPORTING_GIVEN_UP
                                               : JR_REPORTING_PUT_OFF;
    /* That nothing was asked, or that all calls were stopped, is no try. */
    if (call != NULL && (call->api == JR_API_NONE || call->stops_all)) {
        *end = JR_REPORTING_PUT_OFF;
        change.due_ms = now_ms + JR_MINUTE_MS;
    } else if (*end == JR_REPORTING_PUT_OFF && ++change.tries >= JR_REPORTING_TRIES) {
        *end = JR_REPORTING_GIVEN_UP;
    } else if (*end == JR_REPORTING_PUT_OFF) {
        change.due_ms = now_ms + jr_reporting_backoff_ms(settings, change.tries);
    }
    return jr_store_write(store, settle, &change, error);
}
