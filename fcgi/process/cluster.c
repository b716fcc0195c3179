/*
 * cluster -- the dispatcher as one of several hosts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/cluster.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/steps/control.h"
#include "lib/steps/holding.h"
#include "lib/store/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A shorter stop is over before other hosts could learn of it. */
#define STOP_LEAST_MS (2 * JR_SECOND_MS)

/* A text that differs between two machines, and between two places on one. */
static void name_machine(const char *state_dir, char machine[JR_CLAIM_OP_SIZE])
{
    unsigned char digest[JR_SHA256_SIZE];
    struct stat status = { .st_dev = 0 };
    char text[512] = "", host[256] = "";
    ssize_t got = 0;
    int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        got = read(fd, text, 64);
        close(fd);
    }
    got = got < 0 ? 0 : got;
    (void)stat(state_dir, &status);
    (void)gethostname(host, sizeof host - 1); /* containers often have no machine-id */
    snprintf(text + got, sizeof text - (size_t)got, " %s %llu %llu", host,
             (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    if (jr_sha256(text, strlen(text), digest) != JR_OK)
        memset(digest, 0, sizeof digest);
    jr_text_to_hex(digest, (JR_CLAIM_OP_SIZE - 1) / 2, machine);
}

static void note_call(void *context, const struct jr_etcd_answer *answer)
{
    const struct jr_cluster *cluster = context;

    if (cluster->told != NULL)
        jr_count_cluster_call(&cluster->told->process.counters, (unsigned)answer->end,
                              answer->duration_us);
}

enum jr_err jr_cluster_open(struct jr_cluster *cluster, const struct jr_settings *settings,
                            struct jr_store *store, struct jr_told *told, struct jr_error *error)
{
    char made[JR_HOST_ID_SIZE], id[JR_HOST_ID_SIZE], machine[JR_CLAIM_OP_SIZE];
    enum jr_err err;

    memset(cluster, 0, sizeof *cluster);
    cluster->store = store;
    cluster->told = told;
    cluster->logged = JR_ENGINE_JOINS;
    if (!jr_settings_clusters(settings) || settings->dry_run || !jr_settings_can_call(settings))
        return JR_OK;
    jr_engine_random(made, sizeof made);
    err = jr_host_id(store, made, id, error);
    if (err != JR_OK)
        return err;
    name_machine(settings->state_dir, machine);
    return jr_engine_open(&cluster->engine, settings, id, machine, note_call, cluster, error);
}

void jr_cluster_close(struct jr_cluster *cluster)
{
    jr_engine_close(cluster->engine);
    cluster->engine = NULL;
}

static void show(const struct jr_cluster *cluster)
{
    const struct jr_engine_sight *sight = jr_engine_sight(cluster->engine);
    enum jr_engine_state state = jr_engine_state(cluster->engine);

    if (cluster->told == NULL)
        return;
    cluster->told->cluster_state = 1 + (int64_t)state;
    cluster->told->cluster_hosts = (int64_t)sight->hosts;
    cluster->told->cluster_paused = sight->paused;
}

/*
 * Somebody has ended the pause of all hosts, perhaps on another one. The command `pause' has also
 * written a pause into the store of its own host, which holds without etcd: end that, too.
 */
static void resume(const struct jr_cluster *cluster)
{
    const struct jr_list all = { .count = 0 };
    struct jr_pauses ended, pauses;
    struct jr_error error;

    if (jr_control_resume(cluster->store, &all, "another host", jr_now_ms(), &ended, &pauses,
                          &error)
        != JR_OK)
        jr_log(JR_LOG_ERROR, "store-failed", "%s", error.text);
}

/* Log what has changed. */
static void tell(struct jr_cluster *cluster)
{
    const struct jr_engine_sight *sight = jr_engine_sight(cluster->engine);
    enum jr_engine_state state = jr_engine_state(cluster->engine);

    if (state != cluster->logged) {
        cluster->logged = state;
        if (state == JR_ENGINE_UP)
            jr_log(JR_LOG_INFO, "cluster-up", "this host is among the others");
        else if (state != JR_ENGINE_JOINS)
            jr_log(JR_LOG_WARN, "cluster-unreachable",
                   "%s: %s; nothing is rerun by this host until that is over, and what is due "
                   "stays due",
                   jr_engine_state_name(state), jr_engine_text(cluster->engine));
    }
    if (sight->paused != cluster->logged_paused) {
        cluster->logged_paused = sight->paused;
        if (!sight->paused && cluster->paused_for_good)
            resume(cluster);
        cluster->paused_for_good = sight->paused_for_good;
        jr_log(JR_LOG_INFO, sight->paused ? "cluster-paused" : "cluster-resumed",
               sight->paused ? "all hosts are paused, from %s" : "the pause of all hosts is over",
               sight->pauser);
    }
}

/* Tell all hosts of a rate limit, or of a token that is rejected: they have the same token. */
static void tell_stop(struct jr_cluster *cluster, struct jr_calls *calls)
{
    struct jr_throttle *throttle = &calls->throttle;
    int64_t wait_ms = jr_throttle_stop_left_ms(throttle, jr_now_ms());
    char fingerprint[JR_CLAIM_OP_SIZE];

    snprintf(fingerprint, sizeof fingerprint, "%016llx",
             (unsigned long long)throttle->fingerprint);
    jr_engine_set_fingerprint(cluster->engine, fingerprint);
    if (throttle->stopped_until_ms == 0)
        jr_engine_end_stop(cluster->engine);
    if (throttle->stopped_until_ms == 0 || throttle->stopped_until_ms == cluster->stop_told_ms
        || wait_ms < STOP_LEAST_MS)
        return;
    if (jr_engine_tell_stop(cluster->engine, throttle->stop_reason, wait_ms))
        cluster->stop_told_ms = throttle->stopped_until_ms;
}

int64_t jr_cluster_tend(struct jr_cluster *cluster, struct jr_calls *calls)
{
    int64_t wait_ms;

    if (cluster->engine == NULL)
        return JR_CALLS_NEVER;
    tell_stop(cluster, calls);
    wait_ms = jr_engine_tend(cluster->engine);
    cluster->known |= cluster->held & jr_engine_sight(cluster->engine)->outages;
    show(cluster);
    tell(cluster);
    return wait_ms;
}

int jr_cluster_fd(const struct jr_cluster *cluster)
{
    return cluster->engine == NULL ? -1 : jr_engine_fd(cluster->engine);
}

int64_t jr_cluster_wait_ms(const struct jr_cluster *cluster)
{
    return cluster->engine == NULL ? JR_CALLS_NEVER : jr_engine_wait_ms(cluster->engine);
}

bool jr_cluster_is_paused(const struct jr_cluster *cluster)
{
    return cluster->engine != NULL && jr_engine_sight(cluster->engine)->paused;
}

bool jr_cluster_may_work(const struct jr_cluster *cluster)
{
    return cluster->engine == NULL || jr_engine_may_work(cluster->engine);
}

int64_t jr_cluster_hosts(const struct jr_cluster *cluster)
{
    size_t hosts = cluster->engine == NULL ? 1 : jr_engine_sight(cluster->engine)->hosts;

    return hosts > 1 ? (int64_t)hosts : 1;
}

bool jr_cluster_may_sweep(struct jr_cluster *cluster)
{
    return cluster->engine == NULL || jr_engine_may_sweep(cluster->engine);
}

void jr_cluster_end_sweep(struct jr_cluster *cluster)
{
    if (cluster->engine != NULL)
        jr_engine_end_sweep(cluster->engine);
}

uint64_t jr_cluster_held_elsewhere(const struct jr_cluster *cluster)
{
    const struct jr_engine_sight *sight;

    if (cluster->engine == NULL)
        return 0;
    sight = jr_engine_sight(cluster->engine);
    return sight->outages & ~sight->own_outages;
}

/* All hosts held reruns for these causes, and it was ended in etcd: end it here. */
static void release(struct jr_cluster *cluster, uint64_t over)
{
    struct jr_error error;

    if (over == 0)
        return;
    cluster->known &= ~over;
    if (jr_holding_release(cluster->store, over, jr_now_ms(), &error) != JR_OK)
        jr_log(JR_LOG_ERROR, "store-failed", "%s", error.text);
}

void jr_cluster_hold(struct jr_cluster *cluster, uint64_t held)
{
    const struct jr_engine_sight *sight;

    if (!jr_cluster_is_up(cluster))
        return;
    sight = jr_engine_sight(cluster->engine);
    for (unsigned cause = 0; cause < JR_CAUSES; cause++) {
        uint64_t bit = UINT64_C(1) << cause;

        if ((held & bit) != 0 && ((sight->outages | cluster->known) & bit) == 0)
            jr_engine_hold(cluster->engine, (enum jr_cause)cause, true);
        else if ((held & bit) == 0 && (cluster->held & sight->own_outages & bit) != 0)
            jr_engine_hold(cluster->engine, (enum jr_cause)cause, false);
    }
    release(cluster, held & cluster->known & ~sight->outages);
    cluster->known = (cluster->known | sight->outages) & held;
    cluster->held = held | (cluster->held & sight->own_outages);
}
