/*
 * testpoint -- switches for tests, and points where a test stops a process between two steps.
 *
 * The program that is installed has none of them, whatever stands in the environment:
 * testpoint.c beside this is empty. t/job-rerunner, which tests run, is the same program but for
 * t/testpoint.c in its place, and the unit tests have that, too.
 *
 * JR_TEST_STOP_AT=NAME:FILE stops the process (SIGSTOP) at the point NAME, once:
 * the first time that FILE can be made. Without the variable it does nothing.
 * The points of the dispatcher, the first six in the order in which a run passes them:
 *
 *   before-get   a run is claimed, nothing asked yet
 *   after-get    GitHub has answered, nothing recorded yet
 *   waits        it is to be rerun, and waits for its turn; nothing recorded yet
 *   before-post  the intent is on disk, nothing posted yet
 *   before-claim, claimed       with several hosts, before before-get: the claim is to be asked for,
 *                               and is ours
 *   before-permit, permitted    ... after before-post: the connection stands, and the right to the
 *                               POST is asked for, and is ours
 *   after-check                 ... it is in time: the next thing is the first byte
 *   before-done                 ... after after-post: the outcome is on disk, the others are told
 *   after-post   GitHub has answered, the outcome is not on disk yet
 *   recorded     the outcome is on disk
 *   guards       GitHub is about to be asked for a guard of the policy, before `waits'
 *   before-report, after-report, report-recorded   the same of what is said at GitHub of a run
 *   before-complaint, after-complaint, complaint-recorded   the same of a broken policy file
 *   in-upkeep    it holds the write lock, nothing is committed
 *   in-outage    likewise, what an outage holds has gone on (lib/steps/holding.h)
 *   outage-told  that is committed, and the log was not told of it yet
 *
 * and of a worker that leads a batch (batch.h):
 *
 *   in-batch     it holds the write lock, all is applied, nothing is committed
 *   batch-over   it is committed, or has failed, and nobody knows yet
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TESTPOINT_H
#define JR_TESTPOINT_H

#include <stdbool.h>
#include <stdint.h>

void jr_test_point(const char *name);

/* JR_TEST_BATCH=off: each update has a commit of its own, for the benchmark to compare with. */
bool jr_test_batch_is_off(void);

/*
 * JR_TEST_TWICE=on: whatever writes to the store does so twice, and the first time is dropped, as
 * after a conflict (jr_store_write()). All has to come out as without it.
 */
bool jr_test_runs_twice(void);

/*
 * JR_TEST_CONFINE=off, or a point to stop at, which makes a file: nothing is given up
 * (confine.h), and a worker keeps its environment.
 */
bool jr_test_confine_is_off(void);

/* "NAME=value" of the environment: is it one of these, which a worker then keeps? */
bool jr_test_is_switch(const char *variable);

/* JR_TEST_PATIENCE=MS: a 404 is believed after so long; else the limit that is given. */
int64_t jr_test_patience_ms(int64_t limit_ms);

/* JR_TEST_HANG=MS: who does nothing for so long has hung; else the limit that is given. */
int64_t jr_test_hang_limit_ms(int64_t limit_ms);

/* JR_TEST_MATCH_LIMIT=MS: a job may be judged for so long; else for the limit that is given. */
int64_t jr_test_match_limit_ms(int64_t limit_ms);

/* JR_TEST_OWNFILE=MS: so long what GitHub has told of a repository's policy file is good enough;
 * else as long as is given. */
int64_t jr_test_ownfile_ms(int64_t limit_ms);

/* JR_TEST_OWN_PATIENCE=MS: so long a repository's policy file is waited for; else as long as is
 * given. */
int64_t jr_test_own_patience_ms(int64_t limit_ms);

/* JR_TEST_AHEAD=MS: the clock is so far ahead; else 0. */
int64_t jr_test_ahead_ms(void);

/* JR_TEST_MINUTE=MS: times of holds and limits are as if a minute lasted so long, at least 1 ms;
 * else as long as is given. */
int64_t jr_test_scaled_ms(int64_t time_ms);

/* JR_TEST_SHORTER=N: the times of several hosts, and of a POST, are N times as short; else as long
 * as is given. */
int64_t jr_test_shorter_ms(int64_t time_ms);

/* JR_TEST_DEADLINE=off: nobody looks whether the right to a POST is over. */
bool jr_test_deadline_is_off(void);

/* JR_TEST_REPORTS=N: so many reports are written a minute, and no less an hour; else `most'. */
int64_t jr_test_reports(int64_t most);

/* JR_TEST_ENV_FILE=PATH: the settings of the systemd unit are there; else where they are. */
const char *jr_test_env_file(const char *path);

#endif
