/*
 * health -- GET /healthz: can this service do its work?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/health.h"
#include "lib/lock.h"
#include "lib/timestamp.h"

#include <stdio.h>
#include <string.h>

/* How long the work may be without a dispatcher, as while one is replaced. */
#define DISPATCHER_GRACE_MS (10 * JR_SECOND_MS)

/* A map this full, in hundredths, is worth a word. */
#define MAP_DEGRADED 80

static bool has_dispatcher(const struct jr_settings *settings, const struct jr_runtime *runtime,
                           bool in_service, int64_t now_ms)
{
    int64_t free_ms;

    if (jr_lock_is_held(settings->state_dir))
        return true;
    if (runtime == NULL)
        return false;
    free_ms = runtime->dispatcher_free_ms;
    /* It has just died, and the master does not know yet. */
    if (free_ms == 0)
        return in_service;
    return now_ms - free_ms < DISPATCHER_GRACE_MS;
}

/* Append a word to a list of JSON strings. */
static void add(char *list, size_t size, const char *word)
{
    size_t length = strlen(list);

    snprintf(list + length, size - length, "%s\"%s\"", length == 0 ? "" : ",", word);
}

static void find_degraded(const struct jr_runtime *runtime, int64_t now_ms, char *list, size_t size)
{
    int64_t used = runtime->map_used_bytes, whole = runtime->map_size_bytes;

    if (runtime->token_rejected_ms != 0)
        add(list, size, "token-rejected");
    if (runtime->rate_limited_until_ms > now_ms)
        add(list, size, "rate-limited");
    if (runtime->paused_ms != 0)
        add(list, size, "paused");
    if (whole > 0 && used / (whole / 100 + 1) >= MAP_DEGRADED)
        add(list, size, "map-filling");
}

void jr_health_answer(const struct jr_settings *settings, const struct jr_runtime *runtime,
                      bool in_service, bool without_body, struct jr_response *response)
{
    int64_t now_ms = jr_now_ms();
    char failed[64] = "", degraded[256] = "", body[512];

    if (runtime != NULL && jr_runtime_commits_fail(runtime))
        add(failed, sizeof failed, "commit");
    if (!has_dispatcher(settings, runtime, in_service, now_ms))
        add(failed, sizeof failed, "dispatcher");
    if (runtime != NULL)
        find_degraded(runtime, now_ms, degraded, sizeof degraded);
    snprintf(body, sizeof body, "{\"healthy\":%s,\"failed\":[%s],\"degraded\":[%s]}\n",
             *failed == '\0' ? "true" : "false", failed, degraded);
    jr_response_page(response, *failed == '\0' ? 200 : 503, "application/json", body, without_body);
}
