/*
 * page -- the pages for people: which one, whether at all, and what goes round it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page.h"
#include "fcgi/web/page_parts.h"
#include "fcgi/web/pages.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/format/html.h"

#include <stdio.h>
#include <string.h>

/* What is bounded by numbers of rows stays far below it; what does not is refused. */
#define PAGE_MOST ((size_t)8 * 1024 * 1024)

#define HASH_SIZE JR_BASE64_SIZE(JR_SHA256_SIZE)

/* Room for all headers, without the parameters in the address of the next page. */
#define HEADERS_SIZE 512

#define BOTH (JR_VISIT_AS_JSON | JR_VISIT_AS_CSV)

#define NO_RUN                                                                                     \
    "Nothing is recorded of a run with this number. Either no event of it has come, or its "      \
    "history has been kept for RETENTION and is gone"

#define NO_REPO                                                                                    \
    "Nothing is recorded of a repository with this name. No event of it has come, or none for "   \
    "longer than RETENTION, or it has another name now"

/* A new page needs a row here, and its function (pages.h). */
static const struct jr_route routes[] = {
    { "/status", "Status", jr_page_status, JR_VISIT_AS_JSON, jr_page_no_names, NULL },
    { "/runs", "Runs", jr_page_runs, BOTH, jr_page_runs_names, NULL },
    { "/runs/", NULL, jr_page_run, JR_VISIT_AS_JSON, jr_page_no_names, NO_RUN },
    { "/repos", "Repositories", jr_page_repos, BOTH, jr_page_repos_names, NULL },
    { "/repos/", NULL, jr_page_repo, JR_VISIT_AS_JSON, jr_page_no_names, NO_REPO },
    { "/jobs", "Jobs", jr_page_jobs, BOTH, jr_page_jobs_names, NULL },
    { "/runners", "Runners", jr_page_runners, BOTH, jr_page_runners_names, NULL },
    { "/causes", "Causes", jr_page_causes, BOTH, jr_page_causes_names, NULL },
    { "/settings", "Settings", jr_page_settings, JR_VISIT_AS_JSON, jr_page_no_names, NULL },
    { NULL, NULL, NULL, 0, NULL, NULL },
};

static const char *const types[] = {
    [JR_VISIT_HTML] = "text/html; charset=utf-8",
    [JR_VISIT_JSON] = "application/json",
    [JR_VISIT_CSV] = "text/csv; charset=utf-8",
};

bool jr_page_is_open(const struct jr_request *request)
{
    struct jr_visit visit;

    return (request->pages & JR_PAGES_STATUS) != 0 && jr_visit_find(&visit, routes, request->path);
}

static void hash(const char *text, char base64[HASH_SIZE])
{
    unsigned char digest[JR_SHA256_SIZE];

    if (jr_sha256(text, strlen(text), digest) != JR_OK)
        memset(digest, 0, sizeof digest); /* neither style nor script then */
    jr_base64(digest, sizeof digest, base64);
}

/*
 * Nothing may be loaded, framed or sent anywhere else from a page, and nothing runs but its own
 * script; that and its style sheet are known by their hashes, its icon is in it.
 */
static const char *headers(void)
{
    static char text[HEADERS_SIZE];
    char style[HASH_SIZE], script[HASH_SIZE];

    if (*text != '\0')
        return text;
    hash(jr_page_style, style);
    hash(jr_page_script, script);
    snprintf(text, sizeof text,
             "Content-Security-Policy: default-src 'none'; style-src 'sha256-%s'; "
             "script-src 'sha256-%s'; img-src data:; base-uri 'none'; form-action 'self'; "
             "frame-ancestors 'none'\r\n"
             "Referrer-Policy: no-referrer\r\n"
             "Cross-Origin-Resource-Policy: same-origin\r\n",
             style, script);
    return text;
}

void jr_page_prepare(void)
{
    (void)headers();
}

/* Answer with a page that says only one thing, without a full stop; as data, an object that does. */
static void say(struct jr_visit *visit, const char *title, const char *text)
{
    struct jr_emit emit;

    visit->refresh_s = 0;
    if (visit->form != JR_VISIT_HTML) {
        visit->form = JR_VISIT_JSON;
        jr_visit_emit(visit, &emit);
        jr_emit_open(&emit, NULL);
        jr_emit_text(&emit, "error", text);
        jr_emit_close(&emit);
        jr_emit_end(&emit);
        return;
    }
    visit->query.names = NULL;
    jr_page_begin(visit, title);
    jr_html(visit->page, "<section class=\"health\"><h1>%s</h1><p>", title);
    jr_page_sentence(visit->page, text);
    jr_buffer_add(visit->page, "</p><p><a href=\"/status\">To the status page</a></p></section>\n");
    jr_page_end(visit);
}

/* Make the page. Returns its status. */
static int make(struct jr_context *context, struct jr_visit *visit, const char *query,
                struct jr_error *error)
{
    enum jr_err err = jr_visit_read(visit, query, error);

    if (err == JR_EINVAL)
        return 400;
    if (err == JR_OK)
        err = jr_context_open_store(context, error);
    if (err == JR_OK)
        err = visit->route->make(visit, error);
    if (err == JR_OK && !visit->page->ok)
        err = jr_error_set(error, JR_ENOMEM, "a page of more than %zu bytes, or out of memory",
                           PAGE_MOST);
    context->broken |= err == JR_EFATAL;
    if (err == JR_ENOENT && visit->route->missing != NULL)
        return 404;
    return err == JR_OK ? 200 : err == JR_EINVAL ? 400 : 503;
}

/* Make what stands in the place of the page that could not be made. */
static void explain(struct jr_visit *visit, int status, const struct jr_error *error)
{
    jr_buffer_release(visit->page);
    jr_buffer_init(visit->page, PAGE_MOST);
    if (status == 400)
        say(visit, "This address has a mistake", error->text);
    else if (status == 404)
        say(visit, "No such thing", visit->route->missing);
    else
        say(visit, "No page for now", "The page cannot be made; the log says why");
}

/* The header of this answer. `next' is encoded, and so no more than text. */
static void add_headers(const struct jr_visit *visit, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "%s", headers());

    if (visit->refresh_s > 0)
        length += (size_t)snprintf(text + length, size - length, "Refresh: %d\r\n",
                                   (int)visit->refresh_s);
    if (visit->form == JR_VISIT_CSV)
        length += (size_t)snprintf(text + length, size - length,
                                   "Content-Disposition: attachment; filename=\"%s.csv\"\r\n",
                                   visit->route->path + 1);
    if (visit->next.length > 0 && visit->next.ok && visit->next.length < size - length - 32)
        snprintf(text + length, size - length, "Link: <%s>; rel=\"next\"\r\n", visit->next.bytes);
}

static void log_page(const struct jr_request *request, int status, const struct jr_error *error,
                     int64_t took_us)
{
    struct jr_line line;

    jr_line_begin(&line, status == 503 ? JR_LOG_ERROR : JR_LOG_DEBUG, "page");
    jr_line_text(&line, "path", request->path);
    jr_line_number(&line, "status", (uint64_t)status);
    if (status == 503)
        jr_line_text(&line, "text", error->text);
    jr_line_ms(&line, "ms", took_us);
    jr_line_write(&line);
}

void jr_page_answer(struct jr_context *context, const struct jr_request *request,
                    bool without_body, struct jr_response *response)
{
    int64_t start_us = jr_monotonic_us();
    struct jr_buffer page;
    struct jr_visit visit = { .context = context, .settings = context->settings,
                              .now_ms = jr_now_ms(), .page = &page };
    struct jr_error error = { .code = JR_OK };
    char more[sizeof response->text - HEADERS_SIZE];
    int status;

    if (!jr_context_may_read(context, without_body, response))
        return;
    (void)jr_visit_find(&visit, routes, request->path);
    jr_buffer_init(&page, PAGE_MOST);
    status = make(context, &visit, request->query, &error);
    if (status != 200)
        explain(&visit, status, &error);
    add_headers(&visit, more, sizeof more);
    jr_response_large(response, status, types[visit.form], more, &page, without_body);
    jr_buffer_release(&visit.next);
    log_page(request, status, &error, jr_monotonic_us() - start_us);
}
