/*
 * inforce -- what a master leaves of its settings, and what others find.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/inforce.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_in_force(const char *folder, const char *variables)
{
    struct jr_settings settings;
    struct jr_error error;

    load_settings(&settings, variables);
    if (jr_inforce_write(folder, &settings, START_MS, &error) != JR_OK)
        fail_msg("%s", error.text);
    jr_settings_release(&settings);
}

static void written_is_read(void **state)
{
    const char *folder = new_folder();
    struct jr_inforce inforce;
    struct jr_error error;
    struct stat status;

    (void)state;
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_ENOENT);
    write_in_force(folder, "RUN_ATTEMPTS=2 REPOS=octo/app,octo/* GITHUB_SIGN_KEY_OLD=S3CRET DRY_RUN=yes");
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_OK);
    assert_int_equal(inforce.started_ms, START_MS);
    assert_string_equal(inforce.version, PACKAGE_VERSION);
    assert_int_equal(inforce.count, jr_settings_count());
    assert_string_equal(jr_inforce_value(&inforce, "RUN_ATTEMPTS"), "2");
    assert_string_equal(jr_inforce_value(&inforce, "REPOS"), "octo/app,octo/*");
    assert_string_equal(jr_inforce_value(&inforce, "NO_RETRY_REPOS"), "");
    assert_string_equal(jr_inforce_value(&inforce, "GITHUB_SIGN_KEY_OLD"), "set");
    assert_string_equal(jr_inforce_value(&inforce, "GITHUB_APP_KEY"), "not set");
    assert_null(jr_inforce_value(&inforce, "NONSENSE"));
    for (size_t i = 0; i < inforce.count; i++)
        assert_not_contains(inforce.rows[i].value, "S3CRET");
    assert_int_equal(stat(path_in(folder, "settings"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_not_equal(access(path_in(folder, "settings.new"), F_OK), 0);
    jr_inforce_release(&inforce);
}

/* A list is as long as an environment lets it be. */
static void long_value_is_whole(void **state)
{
    const char *folder = new_folder();
    char *variables = malloc(70000);
    struct jr_inforce inforce;
    struct jr_error error;
    size_t length;

    (void)state;
    assert_non_null(variables);
    length = (size_t)sprintf(variables, "REPOS=octo/a");
    while (length < 60000)
        length += (size_t)sprintf(variables + length, ",octo/app-%zu", length);
    write_in_force(folder, variables);
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_OK);
    assert_string_equal(jr_inforce_value(&inforce, "REPOS"), variables + strlen("REPOS="));
    jr_inforce_release(&inforce);
    free(variables);
}

static bool differs(const struct jr_inforce *inforce, const char *variables, const char *name)
{
    struct jr_settings settings;
    bool found = false;

    load_settings(&settings, variables);
    for (size_t row = 0; row < jr_settings_count(); row++) {
        char *here;
        bool other = jr_inforce_differs(inforce, &settings, row, &here);

        free(here);
        if (strcmp(jr_settings_name(row), name) == 0)
            found = other;
        else
            assert_false(other);
    }
    jr_settings_release(&settings);
    return found;
}

static void differences(void **state)
{
    const char *folder = new_folder();
    struct jr_inforce inforce;
    struct jr_error error;

    (void)state;
    write_in_force(folder, "RUN_ATTEMPTS=2 RERUN_DELAY=60s");
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_OK);
    assert_false(differs(&inforce, "RUN_ATTEMPTS=2 RERUN_DELAY=1m", "RUN_ATTEMPTS"));
    assert_true(differs(&inforce, "RUN_ATTEMPTS=3 RERUN_DELAY=1m", "RUN_ATTEMPTS"));
    assert_true(differs(&inforce, "RUN_ATTEMPTS=2 RERUN_DELAY=1m REPOS=octo/app", "REPOS"));
    assert_true(differs(&inforce, "RUN_ATTEMPTS=2 RERUN_DELAY=1m GITHUB_SIGN_KEY_OLD=x", "GITHUB_SIGN_KEY_OLD"));
    jr_inforce_release(&inforce);
}

/* An older program has left it: what it does not know is at its default. */
static void another_version(void **state)
{
    static const char text[] = "job-rerunner settings 1\nstarted_ms=1\nversion=0.0.9\nRUN_ATTEMPTS=4\n"
                               "GITHUB_TOKEN=set\nGITHUB_SIGN_KEY=set\nOF_OLD=x=y\n";
    const char *folder = new_folder();
    struct jr_inforce inforce;
    struct jr_error error;

    (void)state;
    write_file(path_in(folder, "settings"), text, strlen(text));
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_OK);
    assert_int_equal(inforce.count, 4);
    assert_string_equal(jr_inforce_value(&inforce, "OF_OLD"), "x=y");
    assert_false(differs(&inforce, NULL, "REPOS"));
    assert_true(differs(&inforce, "REPOS=octo/app", "REPOS"));
    jr_inforce_release(&inforce);
}

static const struct row {
    const char *name, *text;
} wrong[] = {
    { "empty", "" },
    { "another head", "job-rerunner settings 2\nstarted_ms=1\nversion=1\n" },
    { "no time", "job-rerunner settings 1\nversion=1\n" },
    { "no version", "job-rerunner settings 1\nstarted_ms=1\n" },
    { "cut off", "job-rerunner settings 1\nstarted_ms=1\nversion=1\nREPOS=octo" },
    { "no =", "job-rerunner settings 1\nstarted_ms=1\nversion=1\nREPOS\nX=y\n" },
    { "no name", "job-rerunner settings 1\nstarted_ms=1\nversion=1\n=x\n" },
};

static void wrong_file(void **state)
{
    const struct row *row = *state;
    const char *folder = new_folder();
    struct jr_inforce inforce;
    struct jr_error error;

    write_file(path_in(folder, "settings"), row->text, strlen(row->text));
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_EFORMAT);
    assert_contains(error.text, "/settings");
    assert_null(inforce.text);
}

/* Whoever can write in STATE_DIR leads nobody elsewhere, and keeps nobody waiting. */
static void links_and_pipes(void **state)
{
    const char *folder = new_folder(), *elsewhere = new_folder();
    struct jr_inforce inforce;
    struct jr_error error;

    (void)state;
    write_file(path_in(elsewhere, "victim"), "kept", 4);
    assert_int_equal(symlink(path_in(elsewhere, "victim"), path_in(folder, "settings.new")), 0);
    write_in_force(folder, NULL);
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_OK);
    jr_inforce_release(&inforce);
    assert_int_equal(unlink(path_in(folder, "settings")), 0);
    assert_int_equal(symlink(path_in(elsewhere, "victim"), path_in(folder, "settings")), 0);
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_EIO);
    assert_int_equal(unlink(path_in(folder, "settings")), 0);
    assert_int_equal(mkfifo(path_in(folder, "settings"), 0600), 0);
    (void)alarm(FIFO_LIMIT_S);
    assert_int_equal(jr_inforce_read(folder, &inforce, &error), JR_EFORMAT);
    (void)alarm(0);
    assert_int_equal(truncate(path_in(elsewhere, "victim"), 4), 0);
}

int main(void)
{
    TEST(written_is_read);
    TEST(long_value_is_whole);
    TEST(differences);
    TEST(another_version);
    TABLE(wrong, wrong_file);
    TEST(links_and_pipes);
    return run_program("inforce");
}
