/*
 * page_settings -- the part of GET /status that shows the settings in force.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_settings.h"
#include "fcgi/view/access.h"
#include "fcgi/web/page_parts.h"
#include "lib/format/html.h"

#include <stdlib.h>

static void add_time(struct jr_buffer *page, const char *before, int64_t time_ms, int64_t now_ms)
{
    jr_buffer_add(page, before);
    jr_page_time(page, time_ms, now_ms);
}

static void add_access(struct jr_buffer *page, const struct jr_settings *settings,
                       const struct jr_sight *sight, int64_t now_ms)
{
    bool app = jr_settings_is_given(settings, "GITHUB_APP_KEY");
    bool token = jr_settings_is_given(settings, "GITHUB_TOKEN");

    jr_buffer_add(page, app ? "The GitHub App " : "The token ");
    switch (jr_access_look(app || token, sight)) {
    case JR_ACCESS_UNKNOWN:
        jr_buffer_add(page, "is not in use here");
        break;
    case JR_ACCESS_NONE:
        jr_buffer_add(page, "is not set, so GitHub is not called");
        break;
    case JR_ACCESS_NOT_TRIED:
        jr_buffer_add(page, "has not been tried yet");
        break;
    case JR_ACCESS_TAKEN:
        add_time(page, "was taken by GitHub, last ", sight->token_taken_ms, now_ms);
        break;
    case JR_ACCESS_REJECTED:
        add_time(page, "is rejected by GitHub, first ", sight->token_rejected_ms, now_ms);
        break;
    }
    jr_buffer_add(page, ".");
}

static void add_rows(struct jr_buffer *page, const struct jr_settings *settings)
{
    for (size_t row = 0; row < jr_settings_count(); row++) {
        char *value = jr_settings_text(settings, row);

        jr_html(page, "<tr><th scope=\"row\" class=\"mono\">%s</th><td class=\"mono\"><bdi>%s</bdi>"
                      "</td></tr>\n",
                jr_settings_name(row), value == NULL || *value == '\0' ? "\xe2\x80\x93" : value);
        free(value);
    }
}

void jr_page_settings(struct jr_buffer *page, const struct jr_settings *settings,
                      const struct jr_sight *sight, int64_t now_ms)
{
    jr_buffer_add(page, "<section aria-labelledby=\"settings\">\n"
                        "<h2 id=\"settings\">Settings</h2>\n<p>");
    if (settings->dry_run)
        jr_buffer_add(page, "<strong>DRY_RUN is on: everything is done but the rerun.</strong> ");
    add_access(page, settings, sight, now_ms);
    jr_buffer_add(page, "</p>\n<details><summary>What is in force</summary>\n"
                        "<table><thead><tr><th scope=\"col\">Setting</th>"
                        "<th scope=\"col\">Value</th></tr></thead>\n<tbody>\n");
    add_rows(page, settings);
    jr_buffer_add(page, "</tbody></table>\n</details>\n</section>\n");
}
