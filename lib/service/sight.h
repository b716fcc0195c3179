/*
 * sight -- what is seen of a running service from outside: by the tool, by plain CGI,
 * and by a worker that makes a page. A copy, of which each number has been checked.
 *
 * The master listens on the socket STATE_DIR/runtime. Whoever connects is sent one
 * message with the numbers of that moment; nothing is read from him. So nobody but the
 * processes of the service has their memory, and a file that somebody cuts short can
 * harm nobody. Who listens is known from the kernel.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SIGHT_H
#define JR_SIGHT_H

#include "lib/base/error.h"
#include "lib/service/counters.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What the dispatcher tells, a number each; NUMBER(name) for all of them. It stands in struct
 * jr_told (runtime.h), from where it is copied.
 */
#define JR_SIGHT_TOLD(NUMBER)                                                                  \
    NUMBER(paused_ms)         /* since when the dispatcher is paused; 0: it is not */          \
    NUMBER(repo_pauses)       /* how many pauses of some repositories there are */             \
    NUMBER(held_causes)       /* for which reruns are held: bit n is enum jr_cause n */        \
    NUMBER(token_rejected_ms) /* since when GitHub rejects the token; 0: it does not */        \
    NUMBER(token_taken_ms)    /* when GitHub last did what was asked with it; 0: not yet */    \
    NUMBER(token_expires_ms)  /* as GitHub said last; 0: it did not */                         \
    NUMBER(rate_limited_until_ms)                                                              \
    NUMBER(rate_limit)        /* calls an hour, as GitHub said last; 0: it did not */          \
    NUMBER(rate_remaining)    /* of them, until rate_reset_ms; nothing without rate_limit */   \
    NUMBER(rate_reset_ms)     /* 0: not said */                                                \
    NUMBER(shut_outs)         /* how many shut us out (shutout.h) */                           \
    NUMBER(notices_waiting)   /* that people are to be told */                                 \
    NUMBER(notices_sent)      /* since the store was made, as the next */                      \
    NUMBER(notices_dropped)                                                                    \
    NUMBER(notices_failed)    /* tries to send some that failed, since the start */            \
    NUMBER(sweep_begun_ms)    /* the last look for missed work; 0: none yet */                 \
    NUMBER(sweep_ended_ms)    /* the last one that came to its end; 0: none yet */             \
    NUMBER(cluster_state)     /* 0: there is one host; else 1 + enum jr_engine_state */        \
    NUMBER(cluster_hosts)     /* that live, this one too, as seen last */                      \
    NUMBER(cluster_paused)    /* all of them are */                                            \
    NUMBER(map_used_bytes)    /* as last measured; 0: not yet */                               \
    NUMBER(map_size_bytes)

/* What cluster_state comes to. */
enum jr_cluster_sight { JR_CLUSTER_NONE, JR_CLUSTER_JOINS, JR_CLUSTER_UP, JR_CLUSTER_AWAY };

#define JR_SIGHT_NUMBER(name) int64_t name;

/*
 * All are 0 or more. Times in ms since the epoch, 0: none, but for dispatcher_free_ms;
 * what is yes or no as 1 or 0.
 */
struct jr_sight {
    int64_t started_ms;
    int64_t workers;
    int64_t workers_alive;
    int64_t workers_busy;
    int64_t worker_restarts;     /* how often another one was started in the place of one */
    int64_t dispatcher_restarts;
    int64_t dispatcher_busy_ms;  /* since when it is at a run; 0: it is not */
    int64_t dispatcher_free_ms;  /* monotonic: since when none of ours has the lock; 0: one has */
    int64_t commits_fail;        /* a commit has failed, and none succeeded since */
    int64_t policy_refused;      /* the last reload was refused for its policy */
    int64_t outage;              /* enum jr_reason: why calls fail (runtime.c); 0: they do not */
    JR_SIGHT_TOLD(JR_SIGHT_NUMBER)
    struct jr_counters counters; /* of all processes together */
};

/* Is this host one of several, and among them? */
enum jr_cluster_sight jr_sight_cluster(const struct jr_sight *sight);

/* Bring each number into its range: what another process says may be anything. */
void jr_sight_bound(struct jr_sight *sight);

/*
 * Listen on STATE_DIR/runtime, in the place of whoever did before. For the master. It leaves the
 * socket there when it stops: no look at whose it is could keep it from removing the one of a
 * service that starts just then, and where nobody listens any more nobody answers.
 *   fd  out: closed on exec, does not block, and sends its maker SIGIO when somebody
 *       connects; -1 unless JR_OK
 * Returns JR_OK; JR_EINVAL when the path is too long, JR_EIO.
 */
enum jr_err jr_sight_listen(const char *state_dir, int *fd, struct jr_error *error) JR_CHECKED;

/* Does a descriptor that was handed on listen there? */
bool jr_sight_listens(int fd, const char *state_dir);

/*
 * Somebody connects, if there is anybody: the descriptor of one, or -1. Then send him
 * the sight, and close it.
 */
int jr_sight_accept(int fd);
void jr_sight_send(int peer, const struct jr_sight *sight);

/*
 * Ask the running service.
 *   sight  out: bounded; all 0 unless JR_OK
 *   pid    out: of who listens, as the kernel says; 0: not known. May be NULL
 * Returns JR_OK; JR_ENOENT when none is running; JR_EBUSY when it does not answer.
 */
enum jr_err jr_sight_ask(const char *state_dir, struct jr_sight *sight, pid_t *pid) JR_CHECKED;

#endif
