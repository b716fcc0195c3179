/*
 * repoview -- what is said of a repository.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/repoview.h"

/* How it is with the policy file that the repository has. */
static const char *own_word(enum jr_ownpolicy_state state)
{
    static const char *const words[] = {
        [JR_OWNPOLICY_UNKNOWN] = "unknown", [JR_OWNPOLICY_NONE] = "none",
        [JR_OWNPOLICY_GOOD] = "good", [JR_OWNPOLICY_BROKEN] = "broken",
    };

    return words[state];
}

void jr_repoview_emit(struct jr_emit *emit, const struct jr_repo_row *row)
{
    /* A greater number was made from the name, since GitHub has told no id. */
    jr_emit_known(emit, "repository_id", row->repo.id != 0 && row->repo.id <= INT64_MAX,
                  (int64_t)row->repo.id);
    jr_emit_text(emit, "repository", row->repo.name);
    jr_emit_number(emit, "runs", row->runs);
    jr_emit_bool(emit, "more_runs", row->more_runs);
    jr_emit_time(emit, "since", row->sum.start_ms);
    jr_emit_number(emit, "failed", row->sum.failed);
    jr_emit_number(emit, "reruns", row->sum.reruns);
    jr_emit_number(emit, "rescued", row->sum.rescued);
    jr_emit_number(emit, "not_rescued", row->sum.not_rescued);
    jr_emit_bool(emit, "paused", row->paused);
    jr_emit_bool(emit, "gone", row->gone);
    jr_emit_text(emit, "own_policy", own_word(row->own));
    jr_emit_time(emit, "first_event_at", row->repo.first_seen_ms);
    jr_emit_time(emit, "last_event_at", row->repo.last_event_ms);
    jr_emit_time(emit, "looked_at", row->repo.look_ms);
}
