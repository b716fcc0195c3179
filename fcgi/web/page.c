/*
 * page -- the pages for people: which one, whether at all, and what goes round it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/page_run.h"
#include "fcgi/web/page_status.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/format/html.h"

#include <stdio.h>
#include <string.h>

/* What is bounded by numbers of rows stays far below it; what does not is refused. */
#define PAGE_MOST ((size_t)8 * 1024 * 1024)

#define PAGE_TYPE "text/html; charset=utf-8"

static const char runs_path[] = "/runs/";

bool jr_page_is_open(const struct jr_request *request)
{
    return (request->pages & JR_PAGES_STATUS) != 0
           && (strcmp(request->path, "/status") == 0
               || strncmp(request->path, runs_path, strlen(runs_path)) == 0);
}

/* The number behind /runs/, as GitHub writes it; 0 for anything else. */
static uint64_t run_of_path(const char *path)
{
    const char *digits = path + strlen(runs_path);
    uint64_t number = 0;

    if (*digits == '0' || strspn(digits, "0123456789") != strlen(digits))
        return 0;
    for (; *digits != '\0'; digits++) {
        uint64_t digit = (uint64_t)(*digits - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return 0;
        number = number * 10 + digit;
    }
    return number;
}

/*
 * Nothing may be loaded, run, framed or sent from a page; its own style sheet is
 * known by its hash, its icon is in it.
 */
static const char *headers(void)
{
    static char text[512];
    unsigned char digest[JR_SHA256_SIZE];
    char base64[JR_BASE64_SIZE(JR_SHA256_SIZE)];

    if (*text != '\0')
        return text;
    if (jr_sha256(jr_page_style, strlen(jr_page_style), digest) != JR_OK)
        memset(digest, 0, sizeof digest); /* no style then */
    jr_base64(digest, sizeof digest, base64);
    snprintf(text, sizeof text,
             "Content-Security-Policy: default-src 'none'; style-src 'sha256-%s'; img-src data:; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
             "Referrer-Policy: no-referrer\r\n"
             "Cross-Origin-Resource-Policy: same-origin\r\n",
             base64);
    return text;
}

void jr_page_prepare(void)
{
    (void)headers();
}

/* A page that says only one thing. */
static void say(struct jr_buffer *page, const struct jr_settings *settings, const char *title,
                const char *text, int64_t now_ms)
{
    jr_page_begin(page, settings, title, false, now_ms);
    jr_html(page, "<section class=\"health\"><h1>%s</h1><p>%s</p>"
                  "<p><a href=\"/status\">To the status page</a></p></section>\n",
            title, text);
    jr_page_end(page);
}

/* Make the page. Returns its status. */
static int make(struct jr_context *context, const struct jr_request *request,
                struct jr_buffer *page, int64_t now_ms, struct jr_error *error)
{
    enum jr_err err = jr_context_open_store(context, error);

    if (err == JR_OK) {
        if (strncmp(request->path, runs_path, strlen(runs_path)) != 0)
            err = jr_page_status(context, page, now_ms, error);
        else
            err = jr_page_run(context, run_of_path(request->path), page, now_ms, error);
    }
    if (err == JR_OK && !page->ok)
        err = jr_error_set(error, JR_ENOMEM, "a page of more than %zu bytes, or out of memory",
                           PAGE_MOST);
    context->broken |= err == JR_EFATAL;
    return err == JR_OK ? 200 : err == JR_ENOENT ? 404 : 503;
}

void jr_page_answer(struct jr_context *context, const struct jr_request *request,
                    bool without_body, struct jr_response *response)
{
    int64_t now_ms = jr_now_ms(), start_us = jr_monotonic_us();
    struct jr_buffer page;
    struct jr_error error = { .code = JR_OK };
    struct jr_line line;
    int status;

    if (!jr_context_may_read(context, without_body, response))
        return;
    jr_buffer_init(&page, PAGE_MOST);
    status = make(context, request, &page, now_ms, &error);
    if (status != 200) {
        jr_buffer_release(&page);
        jr_buffer_init(&page, PAGE_MOST);
        if (status == 404)
            say(&page, context->settings, "No such run",
                "Nothing is recorded of a run with this number. Either no event of it has come, "
                "or its history has been kept for RETENTION and is gone.",
                now_ms);
        else
            say(&page, context->settings, "No page for now",
                "The page cannot be made; the log says why.", now_ms);
    }
    jr_response_large(response, status, PAGE_TYPE, headers(), &page, without_body);
    jr_line_begin(&line, status == 503 ? JR_LOG_ERROR : JR_LOG_DEBUG, "page");
    jr_line_text(&line, "path", request->path);
    jr_line_number(&line, "status", (uint64_t)status);
    if (status == 503)
        jr_line_text(&line, "text", error.text);
    jr_line_ms(&line, "ms", jr_monotonic_us() - start_us);
    jr_line_write(&line);
}
