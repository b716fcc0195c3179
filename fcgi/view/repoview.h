/*
 * repoview -- what is said of a repository.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_REPOVIEW_H
#define JR_REPOVIEW_H

#include "lib/format/emit.h"
#include "lib/store/repolist.h"

/* Only the members, for an object that is open. */
void jr_repoview_emit(struct jr_emit *emit, const struct jr_repo_row *row);

/* How it is with its own policy file, in a word: "unknown", "none", "good", "broken". Static. */
const char *jr_repoview_own(enum jr_ownpolicy_state state);

#endif
