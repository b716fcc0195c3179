/*
 * causeholds -- for which causes reruns are held (lib/rules/causehold.h), in the store: a record
 * for each cause that ever was.
 *
 * All functions work inside the caller's transaction; what fails, fails it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CAUSEHOLDS_H
#define JR_CAUSEHOLDS_H

#include "lib/rules/causehold.h"
#include "lib/store/store.h"

#include <stddef.h>

/* There are not more infrastructural causes. */
#define JR_CAUSEHOLDS_MAX 16

struct jr_causeholds {
    struct jr_causehold items[JR_CAUSEHOLDS_MAX]; /* by their causes */
    size_t count;
};

/* Those that are stored, as of now. One whose record is damaged holds nothing. */
void jr_causeholds_load(struct jr_txn *txn, int64_t now_ms, struct jr_causeholds *holds);

/* The state of one cause; one that was never stored is free. */
void jr_causehold_load(struct jr_txn *txn, enum jr_cause cause, int64_t now_ms,
                       struct jr_causehold *hold);

void jr_causehold_save(struct jr_txn *txn, const struct jr_causehold *hold);

/* That of a cause among them; NULL: none is stored. */
const struct jr_causehold *jr_causeholds_find(const struct jr_causeholds *holds,
                                              enum jr_cause cause);

/* The causes for which reruns are held, or released: bit n is enum jr_cause n. */
jr_causes jr_causeholds_in_force(const struct jr_causeholds *holds);

#endif
