/*
 * envfile -- files of settings, as systemd reads them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/envfile.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *file_of(const char *text, size_t length)
{
    const char *path = path_in(new_folder(), "env");

    write_file(path, text, length);
    return path;
}

/* Load it, with all that is wrong or doubtful as text; these are good until the next call. */
static char said[2048], doubted[2048];
static struct jr_source source;

static enum jr_err load(const char *path, struct jr_error *error)
{
    char *problems, *doubts;
    enum jr_err err = jr_envfile_load(path, &source, &problems, &doubts, error);

    snprintf(said, sizeof said, "%s", problems == NULL ? "" : problems);
    snprintf(doubted, sizeof doubted, "%s", doubts == NULL ? "" : doubts);
    free(problems);
    free(doubts);
    return err;
}

static const struct value_row {
    const char *name, *text, *want;
} values[] = {
    { "plain", "REPOS=value", "value" },
    { "line feed at the end", "REPOS=value\n", "value" },
    { "carriage return", "REPOS=value\r\n", "value" },
    { "empty", "REPOS=\n", "" },
    { "blanks at the ends", "  REPOS = \t a b \t\n", "a b" },
    { "second =", "REPOS=a=b", "a=b" },
    { "comments", "# REPOS=no\n;REPOS=no\n\n  # x\nREPOS=yes\n#REPOS=no", "yes" },
    { "comment that goes on", "REPOS=yes\n# so \\\nREPOS=no\n", "yes" },
    { "no comment", "REPOS=a # b ; c", "a # b ; c" },
    { "the last one counts", "REPOS=a\nREPOS=b", "b" },
    { "single quotes", "REPOS=' a \\ \" b '", " a \\ \" b " },
    { "double quotes", "REPOS=\" a ' b \"", " a ' b " },
    { "escapes in double quotes", "REPOS=\"\\\\ \\\" \\$ \\` \\n\"", "\\ \" $ ` \\n" },
    { "two lines in quotes", "REPOS=\"a\nb\"", "a\nb" },
    { "joined lines in double quotes", "REPOS=\"a\\\nb\"", "ab" },
    { "joined lines", "REPOS=a,\\\nb\nTZ=x", "a,b" },
    { "escaped blank", "REPOS=a\\ \n", "a " },
    { "escape at the end", "REPOS=a\\", "a" },
    { "parts", "REPOS='a'\"b\"c", "abc" },
    { "blanks after a quote", "REPOS='a ' \n", "a " },
    { "nothing is expanded", "REPOS=$HOME ${HOME} `id`", "$HOME ${HOME} `id`" },
};

static void value_is_set(void **state)
{
    const struct value_row *row = *state;
    struct jr_error error;

    assert_int_equal(jr_source_set(&source, "REPOS", "from before"), JR_OK);
    assert_int_equal(load(file_of(row->text, strlen(row->text)), &error), JR_OK);
    assert_string_equal(jr_source_find(&source, "REPOS"), row->want);
    jr_source_release(&source);
}

static const struct wrong_row {
    const char *name, *text, *where;
} wrong_lines[] = {
    { "no assignment", "REPOS=a\n\nnonsense-s3cret\nTZ=c", ":3: " },
    { "at the end", "REPOS=a\nTZ", ":2: " },
    { "no name", "=s3cret", ":1: " },
    { "a digit first", "1A=s3cret", ":1: " },
    { "a blank in the name", "A B=s3cret", ":1: " },
    { "a hyphen for an underscore", "DRY-RUN=s3cret", ":1: DRY-RUN is no setting; is DRY_RUN meant?" },
    { "export", "\nexport REPOS=s3cret", ":2: this is no shell" },
    { "single quote", "REPOS=a\nTZ='s3cret\nHOME=d\n", ":2: the quote" },
    { "double quote", "REPOS=\"s3cret\\\"", ":1: the quote" },
    { "lines are counted in quotes", "REPOS='a\nb\nc'\nD\n", ":4: " },
    { "and in joined lines and comments", "# a\\\n b\nREPOS=a\\\nb\nD\n", ":5: " },
};

static void wrong_line_is_named(void **state)
{
    const struct wrong_row *row = *state;
    struct jr_error error;

    assert_int_equal(load(file_of(row->text, strlen(row->text)), &error), JR_EINVAL);
    assert_contains(error.text, "/env:");
    assert_contains(error.text, row->where);
    assert_not_contains(error.text, "s3cret");
    jr_source_release(&source);
}

static void all_wrong_lines_at_once(void **state)
{
    static const char text[] = "\xef\xbb\xbfRUN_ATTEMPTS=2\n"
                               "NO_RETRY_REPO=octo/s3cret\n"
                               "https_proxy=http://s3cret\n"
                               "nonsense s3cret\n"
                               "LC_ALL=C\n"
                               "DRYRUN=yes\n"
                               "1X=s3cret\n"
                               "REPOS=octo/app\n"
                               "REPOS_FILE=/s3cret\n"
                               "SOMETHING_ELSE_ALTOGETHER=s3cret\n"
                               "TZ='s3cret\n";
    struct jr_error error;

    (void)state;
    assert_int_equal(load(file_of(text, strlen(text)), &error), JR_EINVAL);
    assert_contains(error.text, "/env:1: a byte order mark stands here");
    assert_contains(said, "/env:1: a byte order mark stands here");
    assert_contains(said, "/env:2: NO_RETRY_REPO is no setting; is NO_RETRY_REPOS meant?\n");
    assert_contains(said, "/env:4: not NAME=value\n");
    assert_contains(said, "/env:6: DRYRUN is no setting; is DRY_RUN meant?\n");
    assert_contains(said, "/env:7: what stands before =");
    assert_contains(said, "/env:9: REPOS_FILE is no setting: only secrets are read from files; set REPOS itself\n");
    assert_contains(said, "/env:10: SOMETHING_ELSE_ALTOGETHER is no setting");
    assert_contains(said, "/env:11: the quote");
    assert_not_contains(said, "s3cret");
    assert_not_contains(said, "/env:3:");
    assert_not_contains(said, "/env:5:");
    assert_string_equal(jr_source_find(&source, "https_proxy"), "http://s3cret");
    assert_string_equal(jr_source_find(&source, "REPOS"), "octo/app");
    assert_null(jr_source_find(&source, "DRYRUN"));
    jr_source_release(&source);
}

/* The last one counts, which somebody who looks at the first does not see. */
static void names_that_stand_twice(void **state)
{
    static const char text[] = "REPOS=octo/s3cret\nRUN_ATTEMPTS=2\nTZ=UTC\nREPOS=octo/app\nRUN_ATTEMPTS='2'\n"
                               "TZ=CET\nREPOS=octo/web\nGITHUB_TOKEN=s3cret\nFOO=1\nFOO=2\nGITHUB_TOKEN=s3cret2\n";
    struct jr_error error;

    (void)state;
    assert_int_equal(load(file_of(text, strlen(text)), &error), JR_EINVAL);
    assert_contains(doubted, "REPOS: has another value in line 4 than in line 1 of '/");
    assert_contains(doubted, "/env'; the last one counts\n");
    assert_contains(doubted, "REPOS: has another value in line 7 than in line 4 of ");
    assert_contains(doubted, "GITHUB_TOKEN: has another value in line 11 than in line 8 of ");
    assert_not_contains(doubted, "RUN_ATTEMPTS:");
    assert_not_contains(doubted, "TZ:");
    assert_not_contains(doubted, "FOO:");
    assert_not_contains(doubted, "s3cret");
    assert_string_equal(jr_source_find(&source, "REPOS"), "octo/web");
    assert_int_equal(load(file_of("REPOS=a\nREPOS=a\n", 16), &error), JR_OK);
    assert_string_equal(doubted, "");
    jr_source_release(&source);
}

/* What others set for those whom they start stands in no file. */
static void names_of_others(void **state)
{
    static const char text[] = "GITHUB_REPOSITORY=x\nHTTP_REPOS=x\nREMOTE_USER=x\nRUNNER_LIST=x\nSERVER_X=x\nJR_X=x\n";
    struct jr_error error;

    (void)state;
    assert_int_equal(load(file_of(text, strlen(text)), &error), JR_EINVAL);
    assert_contains(said, ":1: GITHUB_REPOSITORY is no setting");
    assert_contains(said, ":2: HTTP_REPOS is no setting");
    assert_contains(said, ":3: REMOTE_USER is no setting");
    assert_contains(said, ":4: RUNNER_LIST is no setting");
    assert_contains(said, ":5: SERVER_X is no setting");
    assert_contains(said, ":6: JR_X is no setting");
    assert_int_equal(source.count, 0);
}

static void files_that_cannot_be_read(void **state)
{
    struct jr_error error;
    const char *folder = new_folder(), *fifo;
    char *large = malloc(JR_ENVFILE_MAX);

    (void)state;
    assert_int_equal(load(path_in(folder, "none"), &error), JR_ENOENT);
    assert_contains(error.text, "none");
    assert_int_equal(load(folder, &error), JR_EIO);
    assert_contains(error.text, "is not a regular file");
    fifo = path_in(folder, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    (void)alarm(FIFO_LIMIT_S);
    assert_int_equal(load(fifo, &error), JR_EIO);
    (void)alarm(0);
    assert_contains(error.text, "is not a regular file");
    assert_int_equal(load(file_of("REPOS=a\0b", 9), &error), JR_EINVAL);
    assert_contains(error.text, "NUL");
    memset(large, '\n', JR_ENVFILE_MAX);
    assert_int_equal(load(file_of(large, JR_ENVFILE_MAX), &error), JR_EINVAL);
    assert_contains(error.text, "too large");
    assert_int_equal(load(file_of(large, JR_ENVFILE_MAX - 1), &error), JR_OK);
    assert_int_equal(load(file_of("", 0), &error), JR_OK);
    assert_int_equal(source.count, 0);
    free(large);
}

int main(void)
{
    TABLE(values, value_is_set);
    TABLE(wrong_lines, wrong_line_is_named);
    TEST(all_wrong_lines_at_once);
    TEST(names_that_stand_twice);
    TEST(names_of_others);
    TEST(files_that_cannot_be_read);
    return run_program("envfile");
}
