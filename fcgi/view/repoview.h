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

#endif
