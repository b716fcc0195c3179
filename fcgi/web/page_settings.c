/*
 * page_settings -- GET /settings: what is in force, and the policy with where each value is from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/access.h"
#include "fcgi/view/policyshow.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_policy.h"
#include "fcgi/web/page_table.h"
#include "fcgi/web/pages.h"
#include "lib/format/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static const struct jr_htable_column columns[] = {
    { "Setting", false, false },
    { "Value", false, false },
};

/* A row leads to itself: its address is there to be passed on. */
static void add_rows(struct jr_buffer *page, const struct jr_settings *settings)
{
    struct jr_htable table;

    jr_htable_begin(&table, page, "Settings in force", "settings", columns,
                    sizeof columns / sizeof *columns, 0);
    for (size_t row = 0; row < jr_settings_count(); row++) {
        char *value = jr_settings_text(settings, row);

        jr_htable_open(&table);
        jr_html(page, "<a class=\"mono\" id=\"%s\" href=\"#%s\">%s</a>", jr_settings_name(row),
                jr_settings_name(row), jr_settings_name(row));
        jr_htable_close(&table);
        jr_htable_open(&table);
        jr_html(page,
                strcmp(jr_settings_name(row), "POLICY") == 0
                    ? "<a href=\"#policy\"><bdi class=\"mono\">%s</bdi></a>"
                    : "<bdi class=\"mono\">%s</bdi>",
                value == NULL || *value == '\0' ? "\xe2\x80\x93" : value);
        jr_htable_close(&table);
        free(value);
    }
    jr_htable_end(&table);
}

static void write_page(const struct jr_visit *visit, const struct jr_sight *sight)
{
    const struct jr_settings *settings = visit->settings;
    struct jr_buffer *page = visit->page;
    struct jr_policyshow show = jr_page_policy_show(settings);

    jr_page_begin(visit, "Settings");
    jr_buffer_add(page,
                  "<section aria-labelledby=\"settings\">\n<h1 id=\"settings\">Settings</h1>\n<p>");
    add_access(page, settings, sight, visit->now_ms);
    jr_buffer_add(page,
                  " What secrets are is shown nowhere. <span class=\"mono\">man job-rerunner.conf"
                  "</span> has what each setting means.</p>\n");
    add_rows(page, settings);
    jr_buffer_add(page, "</section>\n<section aria-labelledby=\"policy\">\n"
                        "<h2 id=\"policy\">Policy</h2>\n");
    jr_html(page, "<p>%s <bdi class=\"mono\">%s</bdi>, each value with where it comes from.</p>\n",
            show.preset ? "The preset" : "The file", show.name);
    jr_page_policy(page, &show);
    jr_buffer_add(page, "</section>\n");
    jr_page_end(visit);
}

/* As the tool's `status --settings' writes it, with that of `policy show' as a member. */
static enum jr_err write_json(const struct jr_visit *visit, const struct jr_sight *sight)
{
    struct jr_policyshow show = jr_page_policy_show(visit->settings);
    struct jr_emit emit;
    enum jr_err err;

    jr_visit_emit(visit, &emit);
    jr_emit_open(&emit, NULL);
    jr_emit_bool(&emit, "in_force", sight != NULL);
    jr_emit_time(&emit, "started_at", sight == NULL ? 0 : sight->started_ms);
    jr_emit_text(&emit, "version", PACKAGE_VERSION);
    jr_emit_open(&emit, "settings");
    for (size_t row = 0; row < jr_settings_count(); row++) {
        char *value = jr_settings_text(visit->settings, row);

        jr_emit_text(&emit, jr_settings_name(row), value);
        free(value);
    }
    jr_emit_close(&emit);
    err = jr_policyshow_emit(&show, &emit, "policy");
    jr_emit_close(&emit);
    jr_emit_end(&emit);
    return err;
}

enum jr_err jr_page_settings(struct jr_visit *visit, struct jr_error *error)
{
    struct jr_sight sight;
    const struct jr_sight *seen = jr_context_look(visit->context, &sight);

    if (visit->form == JR_VISIT_HTML)
        write_page(visit, seen);
    else if (write_json(visit, seen) != JR_OK)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    return JR_OK;
}
