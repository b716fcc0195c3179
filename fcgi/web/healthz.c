/*
 * healthz -- GET /healthz: can this service do its work?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/healthz.h"
#include "fcgi/view/health.h"
#include "lib/base/timestamp.h"

#include <stdio.h>
#include <string.h>

/* Append a word to a list of JSON strings. */
static void add(char *list, size_t size, const char *word)
{
    size_t length = strlen(list);

    snprintf(list + length, size - length, "%s\"%s\"", length == 0 ? "" : ",", word);
}

void jr_healthz_answer(const struct jr_settings *settings, const struct jr_sight *sight,
                      bool in_service, bool without_body, struct jr_response *response)
{
    const struct jr_ailment *found[JR_AILMENTS_MAX];
    size_t count = jr_health_look(settings, sight, in_service, jr_now_ms(), found);
    char failed[64] = "", degraded[480] = "", body[736];

    for (size_t i = 0; i < count; i++) {
        if (found[i]->fails)
            add(failed, sizeof failed, found[i]->word);
        else
            add(degraded, sizeof degraded, found[i]->word);
    }
    snprintf(body, sizeof body, "{\"healthy\":%s,\"failed\":[%s],\"degraded\":[%s]}\n",
             *failed == '\0' ? "true" : "false", failed, degraded);
    jr_response_page(response, *failed == '\0' ? 200 : 503, "application/json", body, without_body);
}
