/*
 * page_settings -- the part of GET /status that shows the settings in force.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_SETTINGS_H
#define JR_PAGE_SETTINGS_H

#include "lib/base/buffer.h"
#include "lib/config/settings.h"
#include "lib/service/sight.h"

#include <stdint.h>

/*
 * Add a section: whether DRY_RUN is on, what the state of the token or the App is, and, folded,
 * each setting with its value. Secrets are only set or not. A worker has its master's settings.
 *   sight  of the running service; NULL: none runs
 */
void jr_page_settings(struct jr_buffer *page, const struct jr_settings *settings,
                      const struct jr_sight *sight, int64_t now_ms);

#endif
