/*
 * envfile -- files of settings, as systemd reads them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/envfile.h"
#include "t/unit/support.h"

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

static const struct value_row {
    const char *name, *text, *want;
} values[] = {
    { "plain", "A_1=value", "value" },
    { "line feed at the end", "A_1=value\n", "value" },
    { "carriage return", "A_1=value\r\n", "value" },
    { "empty", "A_1=\n", "" },
    { "blanks at the ends", "  A_1 = \t a b \t\n", "a b" },
    { "second =", "A_1=a=b", "a=b" },
    { "comments", "# A_1=no\n;A_1=no\n\n  # x\nA_1=yes\n#A_1=no", "yes" },
    { "comment that goes on", "A_1=yes\n# so \\\nA_1=no\n", "yes" },
    { "no comment", "A_1=a # b ; c", "a # b ; c" },
    { "the last one counts", "A_1=a\nA_1=b", "b" },
    { "single quotes", "A_1=' a \\ \" b '", " a \\ \" b " },
    { "double quotes", "A_1=\" a ' b \"", " a ' b " },
    { "escapes in double quotes", "A_1=\"\\\\ \\\" \\$ \\` \\n\"", "\\ \" $ ` \\n" },
    { "two lines in quotes", "A_1=\"a\nb\"", "a\nb" },
    { "joined lines in double quotes", "A_1=\"a\\\nb\"", "ab" },
    { "joined lines", "A_1=a,\\\nb\nB=x", "a,b" },
    { "escaped blank", "A_1=a\\ \n", "a " },
    { "escape at the end", "A_1=a\\", "a" },
    { "parts", "A_1='a'\"b\"c", "abc" },
    { "blanks after a quote", "A_1='a ' \n", "a " },
    { "nothing is expanded", "A_1=$HOME ${HOME} `id`", "$HOME ${HOME} `id`" },
};

static void value_is_set(void **state)
{
    const struct value_row *row = *state;
    struct jr_error error;

    (void)setenv("A_1", "from before", 1);
    assert_int_equal(jr_envfile_load(file_of(row->text, strlen(row->text)), &error), JR_OK);
    assert_string_equal(getenv("A_1"), row->want);
    unsetenv("A_1");
}

static const struct wrong_row {
    const char *name, *text, *where;
} wrong_lines[] = {
    { "no assignment", "A_1=a\n\nnonsense-s3cret\nB=c", ":3: " },
    { "at the end", "A_1=a\nB", ":2: " },
    { "no name", "=s3cret", ":1: " },
    { "a digit first", "1A=s3cret", ":1: " },
    { "a blank in the name", "A B=s3cret", ":1: " },
    { "export", "\nexport A_1=s3cret", ":2: this is no shell" },
    { "single quote", "A_1=a\nB='s3cret\nC=d\n", ":2: the quote" },
    { "double quote", "A_1=\"s3cret\\\"", ":1: the quote" },
    { "lines are counted in quotes", "A_1='a\nb\nc'\nD\n", ":4: " },
    { "and in joined lines and comments", "# a\\\n b\nA_1=a\\\nb\nD\n", ":5: " },
};

static void wrong_line_is_named(void **state)
{
    const struct wrong_row *row = *state;
    struct jr_error error;

    assert_int_equal(jr_envfile_load(file_of(row->text, strlen(row->text)), &error), JR_EINVAL);
    assert_contains(error.text, "/env:");
    assert_contains(error.text, row->where);
    assert_not_contains(error.text, "s3cret");
    unsetenv("A_1");
}

static void files_that_cannot_be_read(void **state)
{
    struct jr_error error;
    const char *folder = new_folder(), *fifo;
    char *large = malloc(JR_ENVFILE_MAX);

    (void)state;
    assert_int_equal(jr_envfile_load(path_in(folder, "none"), &error), JR_ENOENT);
    assert_contains(error.text, "none");
    assert_int_equal(jr_envfile_load(folder, &error), JR_EIO);
    assert_contains(error.text, "is not a regular file");
    fifo = path_in(folder, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    (void)alarm(FIFO_LIMIT_S);
    assert_int_equal(jr_envfile_load(fifo, &error), JR_EIO);
    (void)alarm(0);
    assert_contains(error.text, "is not a regular file");
    assert_int_equal(jr_envfile_load(file_of("A_1=a\0b", 7), &error), JR_EINVAL);
    assert_contains(error.text, "NUL");
    memset(large, '\n', JR_ENVFILE_MAX);
    assert_int_equal(jr_envfile_load(file_of(large, JR_ENVFILE_MAX), &error), JR_EINVAL);
    assert_contains(error.text, "too large");
    assert_int_equal(jr_envfile_load(file_of(large, JR_ENVFILE_MAX - 1), &error), JR_OK);
    assert_int_equal(jr_envfile_load(file_of("", 0), &error), JR_OK);
    free(large);
}

int main(void)
{
    TABLE(values, value_is_set);
    TABLE(wrong_lines, wrong_line_is_named);
    TEST(files_that_cannot_be_read);
    return run_program("envfile");
}
