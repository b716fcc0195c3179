/*
 * support -- what the unit tests share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_T_SUPPORT_H
#define JR_T_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/config/settings.h"
#include "lib/model/event.h"
#include "lib/steps/intake.h"
#include "lib/store/ledger.h"
#include "lib/store/store.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The arrays of a function's own that are as large as this hold any text here. */
#define TEXT_SIZE 4096

/* Who opens a FIFO that nobody writes to and waits for ever, ends with SIGALRM after so long. */
#define FIFO_LIMIT_S 60

/*
 * Tests of a program. Each row of a table is a test of its own, called with
 * *state pointing to the row; a row begins with its name.
 */
void add_test(const char *table, const char *name, CMUnitTestFunction run, const void *row);
int run_program(const char *group);

#define TEST(function) add_test(#function, NULL, function, NULL)
#define TABLE(rows, function)                                            \
    do {                                                                 \
        for (size_t row_ = 0; row_ < COUNT(rows); row_++)                \
            add_test(#rows, (rows)[row_].name, function, &(rows)[row_]); \
    } while (0)

/* A new empty folder; removed with all that is in it when the program ends. */
const char *new_folder(void);

/* A path in a folder, good until the next call but three. */
const char *path_in(const char *folder, const char *name);

void write_file(const char *path, const void *bytes, size_t length);

/* Unset every setting, in all ways in which it can be given. */
void clear_settings(void);

/*
 * Settings as they come from the environment: "NAME=value NAME=value", all else
 * the defaults. Released with jr_settings_release().
 */
void load_settings(struct jr_settings *settings, const char *variables);

/* jr_load_settings() from the environment. */
enum jr_err load_environment(struct jr_settings *settings, char **problems);

/* The private key of an App, in PEM; the same one each time. */
const char *app_key(void);

/* A store of 16 MiB; fails the test when it cannot be opened. */
struct jr_store *open_store(const char *folder);

/* Commit, and fail the test with what went wrong. */
void commit(struct jr_txn *txn);

/* How many parts of a kind all runs have together. */
uint64_t count_parts(struct jr_store *store, enum jr_part part);

/* Put nonsense in the place of a part, whether it is there or not. */
void damage_part(struct jr_store *store, uint64_t run_id, enum jr_part part, uint64_t number);

/* Does text contain part? Fails the test with both if not. */
void assert_contains(const char *text, const char *part);
void assert_not_contains(const char *text, const char *part);

/*
 * Run a function in a child process, and wait until it says that it is ready:
 * it writes a byte to the descriptor that it is given, and goes on when it can
 * read one from it (or it reads the end, when the parent lets go).
 */
struct child {
    int pid, fd;
};
void start_child(struct child *child, void (*function)(int fd, const void *argument),
                 const void *argument);
void child_says_ready(int fd);
void child_waits(int fd);
void child_holds_lock(int fd, const void *folder); /* of the dispatcher; to be given to start_child() */
void let_child_go(struct child *child); /* and expect it to exit with 0 */
void kill_child(struct child *child);   /* with SIGKILL */

/*
 * Events in short. The run is RUN_ID of octo/app; the events' own times do not
 * depend on when they come.
 *
 *   q1 w1 i1 c1=failure   job 1 queued, waiting, in progress, completed
 *   u1                    job 1, with an action and a status that nobody knows
 *   Rq Ri Rc=failure      workflow_run queued, in progress, completed
 *   Gi Gc=failure         the same as GET shows it: no action, no sender, no name of
 *                         the workflow
 * followed by any of
 *   @2                    attempt; 1 if not given, 0: without a number
 *   ~90                   completed (a run: updated) 90 s after START_MS
 *   ^                     created 1000 s after START_MS: carried over
 *   ,name:value           sender, branch, repo, workflow, path (of the workflow), actor,
 *                         by (the triggering actor), head (repository), trigger, sha,
 *                         number (of the run), id (of the run: RUN_ID and so many
 *                         more), created (days before START_MS), job (N, so that its name is "job N";
 *                         nothing: none)
 */
#define START_MS       INT64_C(1795132800000) /* 2026-11-20T00:00:00Z */
#define RUN_ID         UINT64_C(12345678901)
#define JOB_ID(number) (UINT64_C(100000000000) + (number))

struct jr_event event_of(const char *token);

/* Record one update in a transaction of its own, as batch.c does for one process alone. */
enum jr_err intake(struct jr_store *store, const struct jr_settings *settings,
                   const struct jr_update *update, struct jr_receipt *receipt,
                   struct jr_error *error);

/* An event arrives as a delivery of its own, a second after the last thing that happened. */
struct jr_receipt arrives(struct jr_store *store, const struct jr_settings *settings, const char *token,
                          int64_t *now_ms);

#endif
