/*
 * health -- can this service do its work?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/health.h"
#include "lib/base/timestamp.h"
#include "lib/service/lock.h"

/* How long the work may be without a dispatcher, as while one is replaced. */
#define DISPATCHER_GRACE_MS (10 * JR_SECOND_MS)

/* A map this full, in hundredths, is worth a word. */
#define MAP_DEGRADED 80

static bool has_dispatcher(const struct jr_settings *settings, const struct jr_sight *sight,
                           bool in_service)
{
    int64_t free_ms, now_ms = jr_monotonic_ms();

    if (jr_lock_is_held(settings->state_dir))
        return true;
    if (sight == NULL)
        return false;
    free_ms = sight->dispatcher_free_ms;
    /* It has just died, and the master does not know yet. */
    if (free_ms == 0)
        return in_service;
    return now_ms >= free_ms && now_ms - free_ms < DISPATCHER_GRACE_MS;
}

static bool commits_fail(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->commits_fail != 0;
}

static bool token_is_rejected(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->token_rejected_ms != 0;
}

static bool is_rate_limited(const struct jr_sight *sight, int64_t now_ms)
{
    return sight->rate_limited_until_ms > now_ms;
}

static bool is_shut_out(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->shut_outs != 0;
}

static bool is_unreachable(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->outage == JR_REASON_UNREACHABLE;
}

static bool server_fails(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->outage == JR_REASON_SERVER_ERROR;
}

static bool stranger_answers(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->outage == JR_REASON_NOT_GITHUB;
}

static bool map_is_filling(const struct jr_sight *sight, int64_t now_ms)
{
    int64_t used = sight->map_used_bytes, whole = sight->map_size_bytes;

    (void)now_ms;
    return whole > 0 && used / (whole / 100 + 1) >= MAP_DEGRADED;
}

static bool has_refused_policy(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->policy_refused != 0;
}

static bool is_paused(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->paused_ms != 0;
}

static bool has_paused_repos(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->repo_pauses != 0;
}

static bool has_held_causes(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->held_causes != 0;
}

/* Joining takes a moment at each start. */
static bool is_cut_off(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return jr_sight_cluster(sight) == JR_CLUSTER_AWAY;
}

static bool is_cluster_paused(const struct jr_sight *sight, int64_t now_ms)
{
    (void)now_ms;
    return sight->cluster_paused != 0;
}

/* Those that fail stand first. */
static const struct {
    struct jr_ailment ailment;
    bool (*holds)(const struct jr_sight *sight, int64_t now_ms); /* NULL: has_dispatcher() */
} ailments[] = {
    { { "commit", true, "Events cannot be recorded: the last commit failed.",
        "Make room on the disk, or raise MAP_SIZE; the log says which. Then redeliver what "
        "GitHub shows as failed." },
      commits_fail },
    { { "dispatcher", true, "Nothing is rerun: no dispatcher is at work.",
        "The log says why it cannot start; restart the service." },
      NULL },
    { { "token-rejected", false, "GitHub rejects the token or the App's key, so nothing is asked and nothing is rerun.",
        "Put a new token in its place, or a new key. What waits stays due." },
      token_is_rejected },
    { { "shut-out", false, "An owner of repositories shuts this program out: an IP allow list, SAML, a policy for "
        "tokens, a suspension.",
        "`job-rerunner status' and the log say who, and in which words. What is due there stays "
        "due." },
      is_shut_out },
    { { "rate-limited", false, "GitHub's rate limit is used up, so calls wait.",
        "It goes on by itself. If it happens often, give this program a user of its own." },
      is_rate_limited },
    { { "github-unreachable", false, "GitHub cannot be reached, and runs wait.",
        "Network, name server, https_proxy, GITHUB_CA_FILE, GITHUB_API_URL? The log has the words "
        "of the last call. It goes on by itself." },
      is_unreachable },
    { { "server-error", false, "GitHub fails at each call, and runs wait.",
        "https://www.githubstatus.com/ may tell more. It goes on by itself." },
      server_fails },
    { { "not-github", false, "Something else answers in GitHub's place, and runs wait.",
        "Look at the proxy, the ingress, and whether GITHUB_API_URL lacks /api/v3: job-rerunner "
        "check --online." },
      stranger_answers },
    { { "map-filling", false, "The store is over 80 % full.",
        "Raise MAP_SIZE or lower RETENTION; at 90 % the oldest history goes." },
      map_is_filling },
    { { "policy", false, "The policy's file is broken, so the last reload was refused; what was in force before "
        "still is.",
        "job-rerunner policy check FILE tells what is wrong, and where. Then reload." },
      has_refused_policy },
    { { "paused", false, "It is paused: events are recorded, GitHub is not called.",
        "To go on: job-rerunner resume." },
      is_paused },
    { { "cluster-unreachable", false, "This host cannot agree with the others, since etcd does not answer as it has "
        "to: it reruns nothing.",
        "Look at etcd and at CLUSTER_ETCD: job-rerunner check --online. What is due stays due, and "
        "goes on by itself." },
      is_cut_off },
    { { "cluster-paused", false, "All hosts are paused: events are recorded, GitHub is not called.",
        "To go on: job-rerunner resume, on any host." },
      is_cluster_paused },
    { { "repos-paused", false, "Some repositories are paused: GitHub is not called about them.",
        "job-rerunner status shows which. To go on: job-rerunner resume --repo PATTERN." },
      has_paused_repos },
    { { "outage-hold", false, "Many runs fail for the same kind of cause, and reruns for it are held.",
        "job-rerunner status shows which. It goes on by itself when a probe succeeds; at once: "
        "job-rerunner resume --outage." },
      has_held_causes },
};

#define AILMENTS (sizeof ailments / sizeof *ailments)
_Static_assert(AILMENTS <= JR_AILMENTS_MAX, "room for each of them");

size_t jr_health_look(const struct jr_settings *settings, const struct jr_sight *sight,
                      bool in_service, int64_t now_ms,
                      const struct jr_ailment *found[JR_AILMENTS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < AILMENTS; i++) {
        bool holds = ailments[i].holds == NULL
                         ? !has_dispatcher(settings, sight, in_service)
                         : sight != NULL && ailments[i].holds(sight, now_ms);

        if (holds)
            found[count++] = &ailments[i].ailment;
    }
    return count;
}
