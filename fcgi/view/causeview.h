/*
 * causeview -- what is said of what jobs failed by, and of what reruns were worth: records with
 * the same keys from the tool and from the pages. job-rerunner(8) documents them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CAUSEVIEW_H
#define JR_CAUSEVIEW_H

#include "lib/format/emit.h"
#include "lib/model/cause.h"
#include "lib/steps/costs.h"
#include "lib/store/failure_report.h"

#include <stdbool.h>

/* The cause in a word; "none" of a failure that was not judged. Static. */
const char *jr_causeview_name(enum jr_cause cause);

/* Is a row of the report's signatures one of this cause's? */
bool jr_causeview_is_signature_of(const struct jr_report_row *row, enum jr_cause cause);

/*
 * Arrays: the causes with their signatures, and the lines of failures whose cause is not known.
 *   key  "causes", "unknown": members of an object that is open; NULL: the outermost value, with a
 *        heading, as CSV has it
 */
void jr_causeview_emit_causes(struct jr_emit *emit, const char *key,
                              const struct jr_report *report);
void jr_causeview_emit_unknown(struct jr_emit *emit, const char *key,
                               const struct jr_report *report);

/* The repositories, likewise: "repositories", or NULL. */
void jr_causeview_emit_costs(struct jr_emit *emit, const char *key, const struct jr_costs *costs);

#endif
