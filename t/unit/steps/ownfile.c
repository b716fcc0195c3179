/*
 * ownfile -- what GitHub's answers make of what is kept of a repository's policy file.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/steps/ownfile.h"
#include "lib/store/budget.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCOPE 7
#define GOOD "version: 1\notherwise: leave\n"
#define BAD "version: 1\notherwise: maybe\nmixed: some\n"

/* An answer, and what is kept after it: both texts NULL: none. */
struct answer_row {
    const char *name;
    enum jr_ownfile_told told;
    const char *text, *etag;
    bool news;
    enum jr_ownpolicy_state state;
    const char *counts, *kept_etag;
    unsigned line;
};

/* Each row follows the one before it, in one store. */
static const struct answer_row answers[] = {
    { "broken, the first", JR_OWNFILE_TEXT, BAD, "1", true, JR_OWNPOLICY_BROKEN, NULL, "1", 2 },
    { "still that", JR_OWNFILE_UNCHANGED, NULL, "1", false, JR_OWNPOLICY_BROKEN, NULL, "1", 2 },
    { "repaired", JR_OWNFILE_TEXT, GOOD, "2", true, JR_OWNPOLICY_GOOD, GOOD, "2", 0 },
    { "broken again", JR_OWNFILE_TEXT, BAD, "3", true, JR_OWNPOLICY_BROKEN, GOOD, "3", 2 },
    { "otherwise broken", JR_OWNFILE_TEXT, "version: 2\n", "4", true, JR_OWNPOLICY_BROKEN, GOOD, "4", 1 },
    { "the same without a tag", JR_OWNFILE_TEXT, "version: 2\n", "", true, JR_OWNPOLICY_BROKEN, GOOD, "", 1 },
    { "... once more", JR_OWNFILE_TEXT, "version: 2\n", "", false, JR_OWNPOLICY_BROKEN, GOOD, "", 1 },
    { "a folder", JR_OWNFILE_NO_FILE, NULL, "", false, JR_OWNPOLICY_BROKEN, GOOD, "", 1 },
    { "empty", JR_OWNFILE_TEXT, "", "5", true, JR_OWNPOLICY_BROKEN, GOOD, "5", 1 },
    { "removed", JR_OWNFILE_NONE, NULL, "", true, JR_OWNPOLICY_NONE, NULL, "", 0 },
    { "there again", JR_OWNFILE_TEXT, GOOD, "2", true, JR_OWNPOLICY_GOOD, GOOD, "2", 0 },
    { "not to be read", JR_OWNFILE_REFUSED, NULL, "", true, JR_OWNPOLICY_UNKNOWN, NULL, "", 0 },
    { "... an hour later", JR_OWNFILE_REFUSED, NULL, "", false, JR_OWNPOLICY_UNKNOWN, NULL, "", 0 },
};

static void assert_kept(const struct jr_ownpolicy *own, const struct answer_row *row, int64_t now_ms)
{
    assert_int_equal(own->state, row->state);
    assert_int_equal(own->asked_ms, now_ms);
    assert_string_equal(own->etag, row->kept_etag);
    assert_int_equal(own->line, row->line);
    assert_int_equal(own->text == NULL, row->counts == NULL);
    if (row->counts != NULL)
        assert_string_equal(own->text, row->counts);
    assert_int_equal(*own->problem != '\0', row->line != 0);
}

static void what_is_kept(void **state)
{
    struct jr_store *store = open_store(new_folder());
    struct jr_ownpolicy own = { .length = 0 }, kept;
    struct jr_error error;
    int64_t now_ms = START_MS;

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++, now_ms += JR_HOUR_MS) {
        const struct answer_row *row = &answers[i];
        const struct jr_ownfile_answer answer = {
            row->told, row->text, row->text == NULL ? 0 : strlen(row->text), row->etag, NULL,
        };
        bool news;

        if (jr_ownfile_take(store, SCOPE, &answer, now_ms, &own, &news, &error) != JR_OK)
            fail_msg("%s: %s", row->name, error.text);
        if (news != row->news)
            fail_msg("%s: news", row->name);
        assert_kept(&own, row, now_ms);
        assert_int_equal(jr_ownfile_load(store, SCOPE, &kept, &error), JR_OK);
        assert_kept(&kept, row, now_ms);
        jr_ownpolicy_release(&kept);
    }
    jr_ownpolicy_release(&own);
    jr_store_close(store);
}

struct due_row {
    const char *name;
    enum jr_ownpolicy_state state;
    int64_t asked_ms; /* so long ago; 0: never */
    bool due;
};

static void due(void **state)
{
    const struct due_row *row = *state;
    const struct jr_ownpolicy own = { .state = row->state,
                                      .asked_ms = row->asked_ms == 0 ? 0 : START_MS - row->asked_ms };

    assert_int_equal(jr_ownfile_is_due(&own, START_MS), row->due);
}

static const struct due_row dues[] = {
    { "never asked", JR_OWNPOLICY_UNKNOWN, 0, true },
    { "just asked", JR_OWNPOLICY_GOOD, 1, false },
    { "nearly 5 minutes ago", JR_OWNPOLICY_NONE, 5 * JR_MINUTE_MS - 1, false },
    { "5 minutes ago", JR_OWNPOLICY_NONE, 5 * JR_MINUTE_MS, true },
    { "broken, 5 minutes ago", JR_OWNPOLICY_BROKEN, 5 * JR_MINUTE_MS, true },
    { "refused, 5 minutes ago", JR_OWNPOLICY_UNKNOWN, 5 * JR_MINUTE_MS, false },
    { "refused, an hour ago", JR_OWNPOLICY_UNKNOWN, JR_HOUR_MS, true },
    { "yet to come", JR_OWNPOLICY_GOOD, -JR_MINUTE_MS, true },
};

/* What people are told of a run's repository. */
static void told(void **state)
{
    struct jr_store *store = open_store(new_folder());
    const struct jr_run run = { .run_id = 1, .repo = "octo/app" };
    const struct jr_ownfile_answer answer = { JR_OWNFILE_TEXT, BAD, strlen(BAD), "1", NULL };
    struct jr_ownpolicy own = { .length = 0 };
    char words[JR_OWNFILE_TOLD_SIZE];
    struct jr_policy policy;
    struct jr_error error;
    bool news;

    (void)state;
    assert_int_equal(jr_ownfile_of_run(store, &run, words, &error), JR_OK);
    assert_string_equal(words, "");
    assert_int_equal(jr_ownfile_take(store, jr_budget_scope(&run), &answer, START_MS, &own, &news, &error), JR_OK);
    assert_int_equal(jr_ownfile_of_run(store, &run, words, &error), JR_OK);
    assert_string_equal(words, ".github/job-rerunner.yml:2:12: has to be rerun or leave; the central policy alone counts");
    assert_int_equal(jr_ownfile_policy(&own, &policy), JR_ENOENT);
    jr_ownpolicy_release(&own);
    jr_store_close(store);
}

int main(void)
{
    TEST(what_is_kept);
    TABLE(dues, due);
    TEST(told);
    return run_program("ownfile");
}
