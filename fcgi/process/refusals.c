/*
 * refusals -- calls that GitHub has refused for a repository.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/refusals.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <strings.h>

bool jr_refusals_has(const struct jr_refusals *refusals, enum jr_api api, const char *repo,
                     uint64_t id, int64_t now_ms)
{
    for (size_t i = 0; i < JR_REFUSALS_MAX; i++) {
        const struct jr_refusal *refusal = &refusals->items[i];

        if (refusal->until_ms > now_ms && refusal->api == api
            && (refusal->id == 0 || refusal->id == id)
            && (*refusal->repo == '\0' || strcasecmp(refusal->repo, repo) == 0))
            return true;
    }
    return false;
}

void jr_refusals_note(struct jr_refusals *refusals, enum jr_api api, const char *repo, uint64_t id,
                      int64_t now_ms)
{
    struct jr_refusal *refusal = &refusals->items[refusals->at];

    if (jr_refusals_has(refusals, api, repo, id, now_ms))
        return;
    refusals->at = (refusals->at + 1) % JR_REFUSALS_MAX;
    *refusal = (struct jr_refusal){ .api = api, .id = id, .until_ms = now_ms + JR_REFUSED_MS };
    jr_text_copy(refusal->repo, sizeof refusal->repo, repo);
}

uint32_t jr_refusals_vain(struct jr_refusals *refusals, uint64_t run_id, uint32_t attempt)
{
    struct jr_vain *vain;

    for (size_t i = 0; i < JR_VAIN_MAX; i++)
        if (refusals->vain[i].run_id == run_id && refusals->vain[i].attempt == attempt)
            return refusals->vain[i].count++;
    vain = &refusals->vain[refusals->vain_at];
    refusals->vain_at = (refusals->vain_at + 1) % JR_VAIN_MAX;
    *vain = (struct jr_vain){ run_id, attempt, 1 };
    return 0;
}
