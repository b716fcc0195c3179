/*
 * storyview -- the story of one run as one record: where it stands, its jobs, why they failed, and
 * its history. The same by the tool and by the pages; job-rerunner(8) documents the keys.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_STORYVIEW_H
#define JR_STORYVIEW_H

#include "lib/base/error.h"
#include "lib/cluster/claim.h"
#include "lib/config/settings.h"
#include "lib/format/emit.h"
#include "lib/rules/policy.h"
#include "lib/store/pause.h"
#include "lib/store/store.h"

#include <stddef.h>
#include <stdint.h>

/* Where it is read, and what it is read with. */
struct jr_storyview {
    struct jr_store *store;
    const struct jr_settings *settings;
    const struct jr_pauses *pauses; /* in force */
    const struct jr_policy *policy; /* NULL: it is not known */
    int64_t now_ms;
    const struct jr_claim *claims; /* by attempts[], of several hosts; NULL: they are not known, or
                                      there is one host */
    const uint32_t *attempts;
    size_t claim_count;
};

/*
 * Read it in short transactions, and write it as an object, the outermost value.
 * Returns JR_OK; JR_ENOENT, with nothing written, when nothing is known of the run; else what
 * failed: the object is closed then, but not whole.
 */
enum jr_err jr_storyview_emit(const struct jr_storyview *view, uint64_t run_id,
                              struct jr_emit *emit, struct jr_error *error) JR_CHECKED;

#endif
