/*
 * page_policy -- a policy on a page, each value with where it comes from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_policy.h"
#include "lib/format/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct jr_policyshow jr_page_policy_show(const struct jr_settings *settings)
{
    return (struct jr_policyshow){
        .name = settings->policy,
        .preset = jr_policy_preset(settings->policy) != NULL,
        .text = settings->policy_text,
        .length = settings->policy_length,
        .run_attempts = settings->run_attempts,
    };
}

/* Line by line, since jr_html_text() would not leave the ends of lines as they are. */
static void add_lines(struct jr_buffer *page, char *text)
{
    char *line;

    jr_buffer_add(page, "<pre class=\"policy\" tabindex=\"0\">");
    while (text != NULL && (line = strsep(&text, "\n")) != NULL) {
        jr_html_text(page, line);
        jr_buffer_add(page, text == NULL ? "" : "\n");
    }
    jr_buffer_add(page, "</pre>\n");
}

/* Add what a writer writes. */
static void add(struct jr_buffer *page, const struct jr_policyshow *show,
                const struct jr_policyshow_repo *repo)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    bool good = stream != NULL
                && (repo != NULL ? jr_policyshow_write_for(repo, stream)
                                 : jr_policyshow_write(show, stream)) == JR_OK;

    if (stream != NULL)
        good = fclose(stream) == 0 && good;
    if (good)
        add_lines(page, text);
    else
        jr_buffer_add(page, "<p class=\"empty\">It cannot be shown for lack of memory.</p>\n");
    free(text);
}

void jr_page_policy(struct jr_buffer *page, const struct jr_policyshow *show)
{
    add(page, show, NULL);
}

void jr_page_policy_for(struct jr_buffer *page, const struct jr_policyshow_repo *show)
{
    add(page, NULL, show);
}
