/*
 * ownfile -- the policy files that repositories have of their own.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/ownfile.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/store/budget.h"
#include "lib/store/complaints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct context {
    uint64_t scope;
    struct jr_ownpolicy *own;
    const char *complain; /* where it is to be told that this version is broken; NULL: it is not */
};

static void load(struct jr_txn *txn, void *argument)
{
    struct context *context = argument;

    jr_ownpolicy_release(context->own); /* of a run of this before */
    jr_ownpolicy_load(txn, context->scope, context->own);
}

enum jr_err jr_ownfile_load(struct jr_store *store, uint64_t scope, struct jr_ownpolicy *own,
                            struct jr_error *error)
{
    struct context context = { scope, own, NULL };

    memset(own, 0, sizeof *own);
    return jr_store_read(store, load, &context, error);
}

static void save(struct jr_txn *txn, void *argument)
{
    const struct context *context = argument;

    jr_ownpolicy_save(txn, context->scope, context->own);
    if (context->complain != NULL)
        jr_complaints_note(txn, context->scope, context->complain, context->own->asked_ms);
}

/* A time that is yet to come was noted before the clock was set back. */
bool jr_ownfile_is_due(const struct jr_ownpolicy *own, int64_t now_ms)
{
    int64_t good_ms = jr_test_ownfile_ms(own->state == JR_OWNPOLICY_UNKNOWN
                                             ? JR_OWNFILE_REFUSED_MS
                                             : JR_OWNFILE_GOOD_MS);

    return own->asked_ms == 0 || now_ms < own->asked_ms || now_ms - own->asked_ms >= good_ms;
}

/* What is wrong with a version; what counts stays. */
static void is_broken(struct jr_ownpolicy *own, const struct jr_problem *problem)
{
    own->state = JR_OWNPOLICY_BROKEN;
    own->line = problem->line;
    own->column = problem->column;
    jr_text_copy(own->problem, sizeof own->problem, problem->text);
}

static void forget_problem(struct jr_ownpolicy *own)
{
    own->line = own->column = 0;
    own->problem[0] = '\0';
}

/* There is no file that counts. */
static void is_without(struct jr_ownpolicy *own, enum jr_ownpolicy_state state)
{
    free(own->text);
    own->text = NULL;
    own->length = 0;
    own->state = state;
    forget_problem(own);
}

static enum jr_err is_good(struct jr_ownpolicy *own, const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy == NULL)
        return JR_ENOMEM;
    memcpy(copy, text, length);
    copy[length] = '\0';
    is_without(own, JR_OWNPOLICY_GOOD);
    own->text = copy;
    own->length = length;
    return JR_OK;
}

enum jr_err jr_ownfile_check(const char *text, size_t length, struct jr_problems *problems)
{
    struct jr_policy policy;
    enum jr_err err;

    memset(problems, 0, sizeof *problems);
    if (text == NULL) {
        jr_problem_add(problems, 1, 1, "is no file of %d kB at most",
                       JR_OWNPOLICY_BYTES_MAX / 1024);
        return JR_OK;
    }
    err = jr_policy_read_own(&policy, text, length, problems);
    jr_policy_release(&policy);
    return err;
}

/* text: NULL: what is there is no file */
static enum jr_err take_text(struct jr_ownpolicy *own, const char *text, size_t length)
{
    struct jr_problems *problems = calloc(1, sizeof *problems);
    enum jr_err err;

    if (problems == NULL)
        return JR_ENOMEM;
    err = jr_ownfile_check(text, length, problems);
    if (err == JR_OK && problems->count > 0)
        is_broken(own, &problems->items[0]);
    else if (err == JR_OK)
        err = is_good(own, text, length);
    free(problems);
    return err;
}

static enum jr_err take_answer(struct jr_ownpolicy *own, const struct jr_ownfile_answer *answer)
{
    switch (answer->told) {
    case JR_OWNFILE_UNCHANGED:
        return JR_OK;
    case JR_OWNFILE_TEXT:
        return take_text(own, answer->text, answer->length);
    case JR_OWNFILE_NO_FILE:
        return take_text(own, NULL, 0);
    case JR_OWNFILE_NONE:
        is_without(own, JR_OWNPOLICY_NONE);
        return JR_OK;
    case JR_OWNFILE_REFUSED:
        is_without(own, JR_OWNPOLICY_UNKNOWN);
        break;
    }
    return JR_OK;
}

/* Without an ETag the same mistake in the same place is the same version. */
static bool is_another(const struct jr_ownpolicy *own, enum jr_ownpolicy_state state,
                       unsigned line, const char *etag)
{
    return own->state != state || own->line != line || strcmp(own->etag, etag) != 0;
}

enum jr_err jr_ownfile_take(struct jr_store *store, uint64_t scope,
                            const struct jr_ownfile_answer *answer, int64_t now_ms,
                            struct jr_ownpolicy *own, bool *news, struct jr_error *error)
{
    struct context context = { scope, own, NULL };
    enum jr_ownpolicy_state state = own->state;
    bool is_first = own->asked_ms == 0;
    char etag[JR_ETAG_SIZE];
    unsigned line = own->line;

    *news = false;
    jr_text_copy(etag, sizeof etag, own->etag);
    if (take_answer(own, answer) != JR_OK)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    own->asked_ms = now_ms;
    if (answer->told != JR_OWNFILE_UNCHANGED)
        jr_text_copy(own->etag, sizeof own->etag, answer->etag);
    *news = is_another(own, state, line, etag) || (is_first && own->state != JR_OWNPOLICY_NONE);
    if (*news && own->state == JR_OWNPOLICY_BROKEN)
        context.complain = answer->repo;
    return jr_store_write(store, save, &context, error);
}

enum jr_err jr_ownfile_policy(const struct jr_ownpolicy *own, struct jr_policy *policy)
{
    struct jr_problems *problems;
    enum jr_err err;

    memset(policy, 0, sizeof *policy);
    if (own->text == NULL)
        return JR_ENOENT;
    problems = calloc(1, sizeof *problems);
    if (problems == NULL)
        return JR_ENOMEM;
    err = jr_policy_read_own(policy, own->text, own->length, problems);
    if (err == JR_OK && problems->count > 0)
        err = JR_ENOENT;
    if (err != JR_OK)
        jr_policy_release(policy);
    free(problems);
    return err;
}

const char *jr_ownfile_words(const struct jr_ownpolicy *own, char words[JR_OWNFILE_WORDS_SIZE])
{
    words[0] = '\0';
    if (own->state == JR_OWNPOLICY_BROKEN)
        snprintf(words, JR_OWNFILE_WORDS_SIZE, "%s:%u:%u: %s", JR_OWNFILE_PATH, own->line,
                 own->column, own->problem);
    return words;
}

void jr_ownfile_tell(struct jr_txn *txn, const struct jr_run *run,
                     char told[JR_OWNFILE_TOLD_SIZE])
{
    char words[JR_OWNFILE_WORDS_SIZE];
    struct jr_ownpolicy own;

    jr_ownpolicy_load(txn, jr_budget_scope(run), &own);
    told[0] = '\0';
    if (*jr_ownfile_words(&own, words) != '\0')
        snprintf(told, JR_OWNFILE_TOLD_SIZE, "%s; %s counts", words,
                 own.text == NULL ? "the central policy alone"
                                  : "the last version without a mistake");
    jr_ownpolicy_release(&own);
}

struct telling {
    const struct jr_run *run;
    char *told;
};

static void tell(struct jr_txn *txn, void *argument)
{
    const struct telling *telling = argument;

    jr_ownfile_tell(txn, telling->run, telling->told);
}

enum jr_err jr_ownfile_of_run(struct jr_store *store, const struct jr_run *run,
                              char told[JR_OWNFILE_TOLD_SIZE], struct jr_error *error)
{
    struct telling telling = { run, told };

    told[0] = '\0';
    return jr_store_read(store, tell, &telling, error);
}
