/*
 * cluster -- the dispatcher as one of several hosts (lib/cluster/engine.h): its id, which its
 * store keeps, and what it tells of the others.
 *
 * Without CLUSTER_ETCD, without a way to call GitHub, and in a dry run, which posts nothing, there
 * is no engine: all questions here are answered as for the only host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CLUSTER_H
#define JR_CLUSTER_H

#include "fcgi/process/calls.h"
#include "lib/cluster/engine.h"
#include "lib/config/settings.h"
#include "lib/service/runtime.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct jr_cluster {
    struct jr_engine *engine; /* NULL: there is one host */
    struct jr_store *store;
    struct jr_told *told;     /* NULL: nobody looks */
    int64_t stop_told_ms;     /* until when all hosts know that the token is stopped */
    uint64_t held, known; /* causes for which this host holds reruns, and of which all hosts know */
    enum jr_engine_state logged; /* the state that was logged last, */
    bool logged_paused;          /* and whether all hosts were paused then, */
    bool paused_for_good;        /* by a pause that does not end by itself */
};

/* JR_OK, or what failed. jr_cluster_close() in both cases. */
enum jr_err jr_cluster_open(struct jr_cluster *cluster, const struct jr_settings *settings,
                            struct jr_store *store, struct jr_told *told,
                            struct jr_error *error) JR_CHECKED;
void jr_cluster_close(struct jr_cluster *cluster);

static inline bool jr_cluster_is_on(const struct jr_cluster *cluster)
{
    return cluster->engine != NULL;
}

/* Is it, and does etcd answer? */
static inline bool jr_cluster_is_up(const struct jr_cluster *cluster)
{
    return cluster->engine != NULL && jr_engine_state(cluster->engine) == JR_ENGINE_UP;
}

/* For poll(2): -1, and JR_CALLS_NEVER, where there is one host. */
int jr_cluster_fd(const struct jr_cluster *cluster);
int64_t jr_cluster_wait_ms(const struct jr_cluster *cluster);

/* Go on, and tell others of the stops of `calls'. Returns how long until there is something to be
 * done though nothing comes, in ms; JR_CALLS_NEVER: never. */
int64_t jr_cluster_tend(struct jr_cluster *cluster, struct jr_calls *calls);

/* Has somebody paused all hosts? */
bool jr_cluster_is_paused(const struct jr_cluster *cluster);

/* May GitHub be asked about what is due, as far as the other hosts are concerned? */
bool jr_cluster_may_work(const struct jr_cluster *cluster);

/* How many hosts share the pace of writes: at least 1. */
int64_t jr_cluster_hosts(const struct jr_cluster *cluster);

/*
 * Make this host and the others agree for which causes reruns are held: what this host holds, all
 * hold; and when the host that has told it, or a person, ends it, it ends on all.
 *   held  bit n is enum jr_cause n: the causes for which this host holds reruns now
 */
void jr_cluster_hold(struct jr_cluster *cluster, uint64_t held);

/* The causes for which others hold reruns. */
uint64_t jr_cluster_held_elsewhere(const struct jr_cluster *cluster);

/* May the lists be read now (jr_engine_may_sweep)? And: they have been read for now. */
bool jr_cluster_may_sweep(struct jr_cluster *cluster);
void jr_cluster_end_sweep(struct jr_cluster *cluster);

#endif
