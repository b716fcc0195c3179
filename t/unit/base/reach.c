/*
 * reach -- who else can get at a file by its path.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/reach.h"
#include "t/unit/support.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOBODY 65534

static const char *folder;

/* A folder of its own, open to all, with a file in it. */
static const char *make(mode_t of_folder, mode_t of_file)
{
    static char path[PATH_MAX];
    static int count;

    snprintf(path, sizeof path, "%s/%d", folder, ++count);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/%d/file", folder, count);
    write_file(path, "x", 1);
    assert_int_equal(chmod(path, of_file), 0);
    snprintf(path, sizeof path, "%s/%d", folder, count);
    assert_int_equal(chmod(path, of_folder), 0);
    snprintf(path, sizeof path, "%s/%d/file", folder, count);
    return path;
}

static const struct open_row {
    const char *name;
    mode_t of_folder, of_file;
    bool open;
} opens[] = {
    { "for all", 0755, 0644, true }, { "to write", 0711, 0622, true },
    { "for a group", 0755, 0640, false }, { "for the owner", 0755, 0600, false },
    { "in a folder that is closed", 0700, 0644, false }, { "in one of a group", 0750, 0666, false },
};

static void is_open(void **state)
{
    const struct open_row *row = *state;

    assert_int_equal(jr_reach_is_open(make(row->of_folder, row->of_file)), row->open);
}

/* The way to the link counts, and that to what it names. */
static void by_a_link(void **state)
{
    const char *link = path_in(folder, "link");

    (void)state;
    assert_int_equal(symlink(make(0700, 0644), link), 0);
    assert_false(jr_reach_is_open(link));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(make(0755, 0644), link), 0);
    assert_true(jr_reach_is_open(link));
    assert_int_equal(unlink(link), 0);
    assert_false(jr_reach_is_open(link));
}

/* Of three links in a row the one in the middle is in a folder that is closed. */
static void by_a_chain_of_links(void **state)
{
    const char *first = path_in(folder, "first"), *closed = path_in(folder, "closed"),
               *middle = path_in(folder, "closed/middle");

    (void)state;
    assert_int_equal(mkdir(closed, 0755), 0);
    assert_int_equal(symlink(make(0755, 0644), middle), 0);
    assert_int_equal(symlink("closed/middle", first), 0);
    assert_true(jr_reach_is_open(first));
    assert_int_equal(chmod(closed, 0700), 0);
    assert_false(jr_reach_is_open(first));
}

static void a_ring_of_links(void **state)
{
    const char *ring = path_in(folder, "ring");

    (void)state;
    assert_int_equal(symlink("ring", ring), 0);
    assert_false(jr_reach_is_open(ring));
}

static void a_relative_path(void **state)
{
    char before[PATH_MAX];

    (void)state;
    make(0755, 0644);
    assert_ptr_equal(getcwd(before, sizeof before), before);
    assert_int_equal(chdir(folder), 0);
    assert_true(jr_reach_is_open("1/file"));
    assert_true(jr_reach_is_open("./1/../1/file"));
    assert_int_equal(chdir(before), 0);
}

static bool is_lent(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return jr_reach_is_lent(path, &status);
}

/* Whose the folder is, and the file; and whether root is had to read it. */
static const struct lent_row {
    const char *name;
    uid_t folder, file;
    mode_t mode;
    bool lent;
} lents[] = {
    { "root's", 0, 0, 0600, false }, { "a user's own", NOBODY, NOBODY, 0600, false },
    { "a user's, in root's folder", 0, NOBODY, 0600, false },
    { "root's, in a user's folder", NOBODY, 0, 0600, true },
    { "another user's, in a user's folder", NOBODY, 1, 0640, true },
    { "root's, but for all to read", NOBODY, 0, 0644, false },
};

static void is_lent_by(void **state)
{
    const struct lent_row *row = *state;
    const char *path = make(0755, row->mode);
    char above[PATH_MAX];

    snprintf(above, sizeof above, "%.*s", (int)(strlen(path) - strlen("/file")), path);
    assert_int_equal(chown(path, row->file, 0), 0);
    assert_int_equal(chown(above, row->folder, 0), 0);
    assert_int_equal(is_lent(path), row->lent);
}

/* By a link of the user to what only root can read; and by one of root's that leads there. */
static void is_lent_by_a_link(void **state)
{
    const char *path = make(0700, 0600), *link = path_in(folder, "users"),
               *roots = path_in(folder, "roots");

    (void)state;
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(lchown(link, NOBODY, NOBODY), 0);
    assert_true(is_lent(link));
    assert_int_equal(symlink(path, roots), 0);
    assert_false(is_lent(roots));
}

/* root's link leads to one in a user's folder, which leads back to what is root's alone. */
static void is_lent_in_a_chain(void **state)
{
    const char *path = make(0700, 0600), *first = path_in(folder, "chain"),
               *home = path_in(folder, "home"), *middle = path_in(folder, "home/middle");

    (void)state;
    assert_int_equal(mkdir(home, 0755), 0);
    assert_int_equal(symlink(path, middle), 0);
    assert_int_equal(symlink("home/../home/middle", first), 0);
    assert_false(is_lent(first));
    assert_int_equal(lchown(middle, NOBODY, NOBODY), 0);
    assert_true(is_lent(first));
    assert_int_equal(lchown(middle, 0, 0), 0);
    assert_int_equal(chown(home, NOBODY, NOBODY), 0);
    assert_true(is_lent(first));
}

/* An open file that has no path any more is as good as the one that opened it. */
static void is_not_lent_without_a_path(void **state)
{
    const char *path = make(0700, 0600);
    char by_number[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    snprintf(by_number, sizeof by_number, "/proc/self/fd/%d", fd);
    assert_false(is_lent(by_number));
    close(fd);
}

int main(void)
{
    folder = new_folder();
    /* Folders of tests are closed otherwise. */
    if (chmod(folder, 0755) != 0 || chmod(path_in(folder, ".."), 0755) != 0)
        return 1;
    TABLE(opens, is_open);
    TEST(by_a_link);
    TEST(by_a_chain_of_links);
    TEST(a_ring_of_links);
    TEST(a_relative_path);
    /* Only root can give files away. */
    if (geteuid() == 0) {
        TABLE(lents, is_lent_by);
        TEST(is_lent_by_a_link);
        TEST(is_lent_in_a_chain);
        TEST(is_not_lent_without_a_path);
    }
    return run_program("reach");
}
