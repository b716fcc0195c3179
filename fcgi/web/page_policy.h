/*
 * page_policy -- a policy on a page, each value with where it comes from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PAGE_POLICY_H
#define JR_PAGE_POLICY_H

#include "fcgi/view/policyshow.h"
#include "lib/base/buffer.h"
#include "lib/config/settings.h"

/* The policy that the settings choose, as this process has it; it belongs to the settings. */
struct jr_policyshow jr_page_policy_show(const struct jr_settings *settings);

/* Add it as text; and that in force for one repository. */
void jr_page_policy(struct jr_buffer *page, const struct jr_policyshow *show);
void jr_page_policy_for(struct jr_buffer *page, const struct jr_policyshow_repo *show);

#endif
