/*
 * matcher -- text from outside is matched in a process that holds no secret and cannot reach
 * the network.
 *
 * It is the program itself, executed anew, so that its memory holds nothing of who started it,
 * with next to no environment; a pair of sockets is all that it has besides standard error. It
 * reads the signatures, confines itself (confine.h), and has each job judged by a child of its
 * own: what a log makes of that child spoils what is said of that one job. A job may take 10 s of
 * processor time, 30 s in all, and 256 MB.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_MATCHER_H
#define JR_MATCHER_H

#include "lib/base/error.h"
#include "lib/model/evidence.h"
#include "lib/rules/judge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many are judged at once; others wait in the socket. */
#define JR_MATCHES_AT_ONCE 4

/* So many may be handed over and not be taken yet, and so many bytes of memory may they hold. */
#define JR_MATCHES_MOST 64
#define JR_MATCHES_BYTES_MOST ((size_t)128 * 1024 * 1024)

/* What judging one job may take. */
#define JR_JUDGE_LIMIT_MS INT64_C(10000)
#define JR_JUDGE_MEMORY_BYTES ((size_t)256 * 1024 * 1024)

/* The hidden first argument, by which the program becomes it, and its socket's descriptor. */
#define JR_MATCHER_ARGUMENT "--matcher"
#define JR_MATCHER_FD 3

struct jr_matcher;

/*
 * Start a matcher, before jr_confine(). What the caller's memory holds is not in it. It ends
 * with the process that started it, and when that closes the matcher.
 *   policy  the policy in force, as jr_policy_read() takes it; it stays the caller's
 * Returns JR_OK, JR_ENOMEM or JR_EIO; *matcher is then NULL. That the process cannot begin, as
 * with a policy that cannot be read, shows later: it is gone.
 */
enum jr_err jr_matcher_open(struct jr_matcher **matcher, const char *policy, size_t length,
                            struct jr_error *error) JR_CHECKED;

/* The same with another program, which gets the same argument. For tests. */
enum jr_err jr_matcher_start(struct jr_matcher **matcher, const char *program, const char *policy,
                             size_t length, struct jr_error *error) JR_CHECKED;

/* End it, and wait for that, but for no more than 2 s. NULL: nothing. */
void jr_matcher_close(struct jr_matcher *matcher);

/* For ppoll(2): can be read when there may be something to take. -1: it has gone. */
int jr_matcher_fd(const struct jr_matcher *matcher);

/*
 * Hand over a job's evidence; it stays the caller's. Never waits.
 *   own  the file of the repository's own policy, `own_length' bytes, 64 kB at most: its
 *        signatures come first. NULL: it has none
 * Returns a number that it is known by. 0: it was not handed over, and error has JR_EBUSY (too
 * many are under way: once some are taken there is room), JR_EINVAL (more in it than evidence
 * may have), JR_ENOMEM, or JR_EIO (no memory for the file, or the process has gone).
 */
uint64_t jr_matcher_begin(struct jr_matcher *matcher, const struct jr_evidence *evidence,
                          const char *own, size_t own_length, struct jr_error *error);

/*
 * Take one that is judged. Never waits; false: there is none yet. Each number comes once, in
 * any order. A job that could not be judged, since it took too much, made its judge crash, or
 * the process has gone, has an unknown cause and is unreadable; nothing else is known of it.
 * What is taken has been checked (jr_match_finding_decode()): a matcher that was taken over can
 * lie about causes, no more.
 */
bool jr_matcher_take(struct jr_matcher *matcher, uint64_t *number, struct jr_finding *finding);

/*
 * Has the process gone, or did it say what it never would, or nothing for far too long? Then it
 * takes no more jobs. Those that were handed over can still be taken, as unreadable.
 */
bool jr_matcher_is_gone(const struct jr_matcher *matcher);

/* Is the descriptor a local socket as a matcher has one? */
bool jr_matcher_is_socket(int fd);

/*
 * What the program does as a matcher, from its start to its end, with standard descriptors and
 * `socket` open and nothing else. Returns the exit status: 0 when the other end was closed.
 */
int jr_matcher_main(int socket);

#endif
