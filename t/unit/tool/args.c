/*
 * args -- the arguments of a command line.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/args.h"
#include "lib/config/types.h"
#include "lib/base/timestamp.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct jr_option options[] = {
    { "json", NULL, false, "" },
    { "limit", "N", false, "" },
    { "wait", "TIME", true, "" },
    { "set", "NAME=VALUE", false, "" },
    { "output", "FORMAT", false, "" },
    { "dry-run", NULL, false, "" },
    { "help", NULL, false, "" },
    { "version", NULL, false, "" },
    { NULL, NULL, false, NULL },
};

/* Read "a|b|c"; values and words come out as "json=,limit=3;word,word". */
static enum jr_err parse(const char *line, size_t least, size_t most, char *got, size_t size,
                         struct jr_error *error)
{
    static char copy[256];
    char *argv[16] = { NULL };
    struct jr_args args;
    size_t count = 0, length = 0;
    enum jr_err err;

    memset(copy, 0, sizeof copy);
    strncpy(copy, line, sizeof copy - 1);
    for (char *word = *copy == '\0' ? NULL : copy; word != NULL; count++) {
        argv[count] = strsep(&word, "|");
    }
    err = jr_args_parse(options, least, most, argv, &args, error);
    got[0] = '\0';
    for (size_t i = 0; options[i].name != NULL; i++)
        if (args.values[i] != NULL)
            length += (size_t)snprintf(got + length, size - length, "%s=%s,", options[i].name,
                                       args.values[i]);
    for (size_t i = 0; i < args.assignment_count; i++)
        length += (size_t)snprintf(got + length, size - length, "[%s]", args.assignments[i]);
    length += (size_t)snprintf(got + length, size - length, ";");
    for (size_t i = 0; i < args.count; i++)
        length += (size_t)snprintf(got + length, size - length, "%s,", args.words[i]);
    return err;
}

static const struct good_row {
    const char *name, *line;
    size_t least, most;
    const char *want;
} good_lines[] = {
    { "nothing", "", 0, 0, ";" },
    { "a switch", "--json", 0, 0, "json=,;" },
    { "a value after it", "--limit|3", 0, 0, "limit=3,;" },
    { "a value with =", "--limit=3", 0, 0, "limit=3,;" },
    { "a value with = in it", "--limit=a=b", 0, 0, "limit=a=b,;" },
    { "a value like an option", "--limit|--json", 0, 0, "limit=--json,;" },
    { "bare", "--wait|5", 1, 1, "wait=,;5," },
    { "not bare", "--wait=5m|7", 1, 1, "wait=5m,;7," },
    { "an assignment", "--set|A=b=c", 0, 0, "set=A=b=c,[A=b=c];" },
    { "several", "--set=A=1|--set|B=", 0, 0, "set=B=,[A=1][B=];" },
    { "words around", "a|--json|b", 2, 2, "json=,;a,b," },
    { "after --", "--|--json|-x", 1, 2, ";--json,-x," },
    { "a dash", "-", 1, 1, ";-," },
    { "fewer than most", "a", 0, 2, ";a," },
    { "help excuses what is missing", "--help", 1, 1, "help=,;" },
    { "help excuses what follows", "--help|--nonsense", 1, 1, "help=,;" },
    { "version excuses what is missing", "--version", 1, 1, "version=,;" },
    { "version in short", "-V|--nonsense", 1, 1, "version=,;" },
    { "help in short", "-h|--nonsense", 1, 1, "help=,;" },
    { "a letter with a value", "-o|json|a", 1, 1, "output=json,;a," },
    { "a letter with its value behind it", "-ojson", 0, 0, "output=json,;" },
    { "a letter with its value behind =", "-o=json", 0, 0, "output=json,;" },
    { "a letter without a value", "-n|a", 1, 1, "dry-run=,;a," },
};

static void good_line_is_read(void **state)
{
    const struct good_row *row = *state;
    struct jr_error error;
    char got[TEXT_SIZE];

    assert_int_equal(parse(row->line, row->least, row->most, got, sizeof got, &error), JR_OK);
    assert_string_equal(got, row->want);
}

static const struct bad_row {
    const char *name, *line;
    size_t least, most;
    const char *text;
} bad_lines[] = {
    { "unknown", "--nonsense", 0, 0, "no option '--nonsense'" },
    { "a slip", "--jsn", 0, 0, "no option '--jsn'; did you mean --json?" },
    { "a slip before a value", "--limti=3", 0, 0, "no option '--limti'; did you mean --limit?" },
    { "a long slip", "--limitlimitlimitlimitlimitlimitlimitlimitlimitlimitlimitlimitlimitlimit", 0, 0, "no option" },
    { "part of a name", "--lim=3", 0, 0, "no option '--lim'" },
    { "more than a name", "--limits=3", 0, 0, "no option '--limits'" },
    { "short, after help", "-hj", 0, 1, "no option '-hj'" },
    { "version in another case", "-v", 0, 1, "no option '-v'" },
    { "short", "-j", 0, 1, "no option '-j'" },
    { "a letter behind a letter", "-nx", 0, 1, "no option '-nx'" },
    { "a letter without its value", "-o", 0, 1, "--output wants a value: --output FORMAT" },
    { "a letter after its name", "--output=json|-ocsv", 0, 1, "--output is given twice" },
    { "twice", "--json|--json", 0, 0, "twice" },
    { "a value for a switch", "--json=yes", 0, 0, "takes no value" },
    { "no value", "--limit", 0, 0, "--limit N" },
    { "an empty value", "--limit=", 0, 0, "--limit N" },
    { "no assignment", "--set|A", 0, 0, "--set: 'A' is not NAME=VALUE" },
    { "an assignment to nothing", "--set==b", 0, 0, "'=b' is not NAME=VALUE" },
    { "a word too many", "a|b", 0, 1, "too many: 'b'" },
    { "no words at all", "a", 0, 0, "no such argument: 'a'" },
    { "a word is missing", "--json", 1, 1, "missing" },
};

static void bad_line_is_refused(void **state)
{
    const struct bad_row *row = *state;
    struct jr_error error;
    char got[TEXT_SIZE];

    assert_int_equal(parse(row->line, row->least, row->most, got, sizeof got, &error), JR_EINVAL);
    assert_contains(error.text, row->text);
}

static void too_many_assignments(void **state)
{
    char *argv[JR_ARGS_ASSIGNMENTS_MAX + 2], text[] = "--set=A=1";
    struct jr_args args;
    struct jr_error error;

    (void)state;
    for (size_t i = 0; i <= JR_ARGS_ASSIGNMENTS_MAX; i++)
        argv[i] = text;
    argv[JR_ARGS_ASSIGNMENTS_MAX + 1] = NULL;
    assert_int_equal(jr_args_parse(options, 0, 0, argv + 1, &args, &error), JR_OK);
    assert_int_equal(args.assignment_count, JR_ARGS_ASSIGNMENTS_MAX);
    assert_int_equal(jr_args_parse(options, 0, 0, argv, &args, &error), JR_EINVAL);
    assert_contains(error.text, "more than 32 times");
}

static void value_by_name(void **state)
{
    struct jr_args args = { .values = { [1] = "3" } };

    (void)state;
    assert_string_equal(jr_args_value(options, &args, "limit"), "3");
    assert_null(jr_args_value(options, &args, "json"));
    assert_null(jr_args_value(options, &args, "nonsense"));
}

static const struct run_row {
    const char *name;
    bool good;
    uint64_t run_id;
    const char *repo;
} runs[] = {
    { "30191300001", true, UINT64_C(30191300001), "" },
    { "1", true, 1, "" },
    { "https://github.com/octo/app/actions/runs/30191300001", true, UINT64_C(30191300001), "octo/app" },
    { "https://github.com/octo/app/actions/runs/7/", true, 7, "octo/app" },
    { "https://github.com/octo/app/actions/runs/7/attempts/2", true, 7, "octo/app" },
    { "https://github.com/octo/a.b-c/actions/runs/7/job/90000000003?pr=4#step:1", true, 7, "octo/a.b-c" },
    { "https://github.com/octo/app/actions/runs/7#x", true, 7, "octo/app" },
    { "http://ghes.example:8080/octo/app/actions/runs/7", true, 7, "octo/app" },
    { "", false, 0, "" },
    { "0", false, 0, "" },
    { "-1", false, 0, "" },
    { "12x", false, 0, "" },
    { " 12", false, 0, "" },
    { "99999999999999999999", false, 0, "" },
    { "https://github.com/octo/app/actions/runs/", false, 0, "" },
    { "https://github.com/octo/app/actions/runs/7x", false, 0, "" },
    { "https://github.com/octo/app/actions/runs/99999999999999999999999999999999999", false, 0, "" },
    { "https://github.com/octo/app/pull/7", false, 0, "" },
    { "https://github.com/octo/actions/runs/7", false, 0, "" },
    { "https://github.com/a/b/c/actions/runs/7", false, 0, "" },
    { "https://github.com/../app/actions/runs/7", false, 0, "" },
    { "github.com/octo/app/actions/runs/7", false, 0, "" },
};

static void run_is_read(void **state)
{
    const struct run_row *row = *state;
    uint64_t run_id = 0;
    char repo[JR_REPO_SIZE];
    bool good = jr_args_run(row->name, &run_id, repo, sizeof repo);

    assert_int_equal(good, row->good);
    if (good) {
        assert_true(run_id == row->run_id);
        assert_string_equal(repo, row->repo);
    }
}

static void long_names_do_not_overflow(void **state)
{
    char url[2048], repo[JR_REPO_SIZE];
    uint64_t run_id;

    (void)state;
    snprintf(url, sizeof url, "https://h/%0200d/%0200d/actions/runs/7", 1, 1);
    assert_false(jr_args_run(url, &run_id, repo, sizeof repo));
    snprintf(url, sizeof url, "https://h/%0100d/%0100d/actions/runs/7", 1, 1);
    assert_true(jr_args_run(url, &run_id, repo, sizeof repo));
    assert_int_equal(strlen(repo), 201);
}

static const struct since_row {
    const char *name;
    bool good;
    int64_t want_ms;
} times[] = {
    { "90s", true, START_MS - 90 * JR_SECOND_MS },
    { "90", true, START_MS - 90 * JR_SECOND_MS },
    { "2h", true, START_MS - 2 * JR_HOUR_MS },
    { "7d", true, START_MS - 7 * JR_DAY_MS },
    { "36500d", true, 0 },
    { "2026-11-20", true, START_MS },
    { "2026-11-20T00:00:00Z", true, START_MS },
    { "2026-11-20T02:00:00+02:00", true, START_MS },
    { "", false, 0 },
    { "yesterday", false, 0 },
    { "2026-13-20", false, 0 },
    { "2026-11-2x", false, 0 },
    { "2h ago", false, 0 },
    { "-2h", false, 0 },
    { "99999999999999999d", false, 0 },
};

static void time_is_read(void **state)
{
    const struct since_row *row = *state;
    int64_t since_ms = -1;
    bool good = jr_types_read_since(row->name, START_MS, &since_ms);

    assert_int_equal(good, row->good);
    if (good)
        assert_true(since_ms == row->want_ms);
}

static void numbers(void **state)
{
    int64_t number;

    (void)state;
    assert_true(jr_args_number("1", 1, 10, &number) && number == 1);
    assert_true(jr_args_number("10", 1, 10, &number) && number == 10);
    assert_false(jr_args_number("0", 1, 10, &number));
    assert_false(jr_args_number("11", 1, 10, &number));
    assert_false(jr_args_number("", 0, 10, &number));
    assert_false(jr_args_number("+1", 0, 10, &number));
    assert_false(jr_args_number("1 ", 0, 10, &number));
    assert_true(jr_args_number("999999999999999999", 0, INT64_MAX, &number));
    assert_false(jr_args_number("9999999999999999999", 0, INT64_MAX, &number));
}

int main(void)
{
    TABLE(good_lines, good_line_is_read);
    TABLE(bad_lines, bad_line_is_refused);
    TEST(too_many_assignments);
    TEST(value_by_name);
    TABLE(runs, run_is_read);
    TEST(long_names_do_not_overflow);
    TABLE(times, time_is_read);
    TEST(numbers);
    return run_program("args");
}
