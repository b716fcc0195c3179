/*
 * page_runlist -- a table of runs.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_RUNLIST_H
#define JR_PAGE_RUNLIST_H

#include "fcgi/web/visit.h"
#include "lib/store/runpage.h"

#include <stddef.h>

void jr_page_runlist(const struct jr_visit *visit, const char *caption,
                     const struct jr_runpage_row *rows, size_t count);

#endif
