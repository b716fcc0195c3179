/*
 * complaining -- the steps by which the author of a broken policy file is told of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/format/json.h"
#include "lib/steps/complaining.h"
#include "lib/steps/ownfile.h"
#include "lib/store/reports.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCOPE 7
#define SHA "0123456789abcdef0123456789abcdef01234567"

struct bench {
    struct jr_store *store;
    struct jr_settings settings;
    struct jr_complaining work;
    int64_t now_ms, due_ms;
};

static void setup(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    bench->store = open_store(new_folder());
    bench->settings.github_api_url = (char *)"https://api.github.com";
    bench->settings.api_backoff_min_ms = 1000;
    bench->settings.api_backoff_max_ms = 5000;
    bench->now_ms = START_MS;
}

static void take(struct bench *bench, const char *text, const char *etag, const char *repo)
{
    const struct jr_ownfile_answer answer = { JR_OWNFILE_TEXT, text, strlen(text), etag, repo };
    struct jr_ownpolicy own;
    struct jr_error error;
    bool news;

    assert_int_equal(jr_ownfile_load(bench->store, SCOPE, &own, &error), JR_OK);
    assert_int_equal(jr_ownfile_take(bench->store, SCOPE, &answer, bench->now_ms, &own, &news, &error), JR_OK);
    jr_ownpolicy_release(&own);
}

static enum jr_err claim(struct bench *bench)
{
    struct jr_error error;

    return jr_complaining_claim(bench->store, bench->now_ms, &bench->work, &bench->due_ms, &error);
}

static enum jr_reporting_end settle(struct bench *bench, const struct jr_call *call)
{
    enum jr_reporting_end end;
    struct jr_error error;

    assert_int_equal(jr_complaining_settle(bench->store, &bench->settings, &bench->work, call, bench->now_ms, &end, &error), JR_OK);
    return end;
}

static const struct jr_call done = { .api = JR_API_MAKE_CHECK, .outcome = JR_OUTCOME_DONE };
static const struct jr_call later = { .api = JR_API_FIND_COMMIT, .outcome = JR_OUTCOME_LATER };
static const struct jr_call never = { .api = JR_API_MAKE_CHECK, .outcome = JR_OUTCOME_NEVER };
static const struct jr_call unasked = { .api = JR_API_NONE, .outcome = JR_OUTCOME_LATER };
static const struct jr_call stopped = { .api = JR_API_FIND_COMMIT, .outcome = JR_OUTCOME_NEVER, .stops_all = true };

/* Each broken version once; none where nothing is to be said. */
static void noted(void **state)
{
    struct bench bench;

    (void)state;
    setup(&bench);
    take(&bench, "version: 2\n", "1", NULL);
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, 0);
    take(&bench, "version: 3\n", "2", "octo/app");
    assert_int_equal(claim(&bench), JR_OK);
    assert_string_equal(bench.work.complaint.repo, "octo/app");
    assert_false(bench.work.has_good);
    assert_int_equal(settle(&bench, &done), JR_REPORTING_WRITTEN);
    take(&bench, "version: 3\n", "2", "octo/app");
    assert_int_equal(claim(&bench), JR_ENOENT);
    take(&bench, "version: 1\n", "3", "octo/app");
    assert_int_equal(claim(&bench), JR_ENOENT);
    take(&bench, "version: 3\n", "2", "octo/app");
    assert_int_equal(claim(&bench), JR_OK);
    assert_true(bench.work.has_good);
    assert_int_equal(settle(&bench, NULL), JR_REPORTING_UNCHANGED);
    assert_int_equal(claim(&bench), JR_ENOENT);
    jr_store_close(bench.store);
}

static void tried(void **state)
{
    struct bench bench;

    (void)state;
    setup(&bench);
    take(&bench, "version: 2\n", "1", "octo/app");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(claim(&bench), JR_OK);
        assert_int_equal(settle(&bench, i % 2 == 0 ? &unasked : &stopped), JR_REPORTING_PUT_OFF);
        assert_int_equal(claim(&bench), JR_ENOENT);
        bench.now_ms += JR_MINUTE_MS;
    }
    for (int i = 1; i < JR_REPORTING_TRIES; i++) {
        assert_int_equal(claim(&bench), JR_OK);
        assert_int_equal(settle(&bench, &later), JR_REPORTING_PUT_OFF);
        assert_int_equal(claim(&bench), JR_ENOENT);
        assert_int_equal(bench.due_ms - bench.now_ms, i == 1 ? 1000 : i == 2 ? 2000 : i == 3 ? 4000 : 5000);
        bench.now_ms = bench.due_ms;
    }
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(settle(&bench, &later), JR_REPORTING_GIVEN_UP);
    assert_int_equal(claim(&bench), JR_ENOENT);
    take(&bench, "version: 3\n", "2", "octo/app");
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(settle(&bench, &never), JR_REPORTING_GIVEN_UP);
    assert_int_equal(claim(&bench), JR_ENOENT);
    assert_int_equal(bench.due_ms, 0);
    jr_store_close(bench.store);
}

/* What came while it was told is to be told, too. */
static void another_meanwhile(void **state)
{
    struct bench bench;

    (void)state;
    setup(&bench);
    take(&bench, "version: 2\n", "1", "octo/app");
    assert_int_equal(claim(&bench), JR_OK);
    take(&bench, "version: 3\n", "2", "octo/app");
    assert_int_equal(settle(&bench, &done), JR_REPORTING_WRITTEN);
    assert_int_equal(claim(&bench), JR_OK);
    assert_int_equal(bench.work.complaint.news, 2);
    jr_store_close(bench.store);
}

static void counted(void **state)
{
    struct jr_error error;
    struct bench bench;
    int64_t wait_ms = 0;
    int count = 0;

    (void)state;
    setup(&bench);
    do
        assert_int_equal(jr_complaining_begin(bench.store, bench.now_ms, &wait_ms, &error), JR_OK);
    while (wait_ms == 0 && ++count < 100);
    assert_int_equal(count, JR_REPORTS_A_MINUTE);
    jr_store_close(bench.store);
}

/* A file as it is in the commit, and what of it is in the check run; NULL: there is none. */
struct text_row {
    const char *name;
    const char *text; /* NULL: no file */
    const char *title, *summary;
    size_t annotations;
};

static json_object *output_of(const struct text_row *row)
{
    const struct jr_complaining work = { .complaint = { .repo = "octo/app" } };
    struct jr_settings settings = { .github_api_url = (char *)"https://api.github.com" };
    const struct jr_github_file file = { .text = (char *)row->text, .length = row->text == NULL ? 0 : strlen(row->text) };
    json_object *root = NULL, *output;
    struct jr_error error;
    char *json, text[200];

    assert_int_equal(jr_complaining_json(&work, &settings, SHA, &file, &json), JR_OK);
    if (json == NULL)
        return NULL;
    assert_int_equal(jr_json_parse(json, strlen(json), &root, &error), JR_OK);
    free(json);
    jr_json_get_text(root, "conclusion", text, sizeof text);
    assert_string_equal(text, "neutral");
    jr_json_get_text(root, "name", text, sizeof text);
    assert_string_equal(text, "job-rerunner / policy");
    jr_json_get_text(root, "details_url", text, sizeof text);
    assert_contains(text, "https://github.com/octo/app/blob/" SHA "/.github/job-rerunner.yml#L");
    assert_int_equal(jr_json_get_object(root, "output", &output), JR_JSON_OK);
    json_object_get(output);
    json_object_put(root);
    return output;
}

static void what_is_said(void **state)
{
    const struct text_row *row = *state;
    json_object *output = output_of(row), *list = NULL;
    char *text;

    assert_int_equal(output == NULL, row->title == NULL);
    if (output == NULL)
        return;
    text = malloc(JR_REPORT_TEXT_MAX + 1);
    assert_non_null(text);
    jr_json_get_text(output, "title", text, JR_REPORT_TEXT_MAX);
    assert_string_equal(text, row->title);
    assert_int_equal(jr_json_get_text(output, "summary", text, JR_REPORT_TEXT_MAX), JR_JSON_OK);
    assert_contains(text, row->summary);
    assert_contains(text, "the central policy alone counts");
    (void)jr_json_get_array(output, "annotations", &list);
    assert_int_equal(list == NULL ? 0 : json_object_array_length(list), row->annotations);
    json_object_put(output);
    free(text);
}

/* Keys that are none, 13 each. */
#define KEYS(x) \
    x "a: 1\n" x "b: 1\n" x "c: 1\n" x "d: 1\n" x "e: 1\n" x "f: 1\n" x "g: 1\n" x "h: 1\n" x "i: 1\n" x "j: 1\n" \
    x "k: 1\n" x "l: 1\n" x "m: 1\n"

static const struct text_row texts[] = {
    { "one mistake", "version: 1\nmixed: some\n", "policy: line 2, column 8", "| 2 | 8 | `has to be all or any` |", 1 },
    { "two", "version: 1\nmixed: some\notherwise: x\n", "policy: line 2, column 8, and 1 more", "| 3 | 12 | `", 2 },
    { "hostile", "version: 1\n'`@octocat`|<b>': 1\n", "policy: line 2, column 1", "| 2 | 1 | `` there is no key '`@octocat`\xc2\xa6<b>'", 1 },
    { "more than are told", KEYS("q") KEYS("x") KEYS("y") KEYS("z"), "policy: line 1, column 1, and at least 49 more",
      "There are more. ", 50 },
    { "no file", NULL, "policy: line 1, column 1", "| 1 | 1 | `is no file of 64 kB at most` |", 0 },
    { "a good one", "version: 1\n", NULL, NULL, 0 },
};

int main(void)
{
    TEST(noted);
    TEST(tried);
    TEST(another_meanwhile);
    TEST(counted);
    TABLE(texts, what_is_said);
    return run_program("complaining");
}
