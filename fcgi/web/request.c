/*
 * request -- an HTTP request and its answer, whichever door it came through.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/request.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The variables that are looked at. */
enum { METHOD,
       URI,
       SCRIPT,
       INFO,
       QUERY,
       CONTENT_TYPE,
       CONTENT_LENGTH,
       EVENT,
       DELIVERY,
       SIGNATURE,
       PAGES,
       VARIABLES };

#define NAMED(text) { text, sizeof text - 1 }

static const struct {
    const char *name;
    size_t length;
} names[VARIABLES] = {
    [METHOD] = NAMED("REQUEST_METHOD"),
    [URI] = NAMED("REQUEST_URI"),
    [SCRIPT] = NAMED("SCRIPT_NAME"),
    [INFO] = NAMED("PATH_INFO"),
    [QUERY] = NAMED("QUERY_STRING"),
    [CONTENT_TYPE] = NAMED("CONTENT_TYPE"),
    [CONTENT_LENGTH] = NAMED("CONTENT_LENGTH"),
    [EVENT] = NAMED("HTTP_X_GITHUB_EVENT"),
    [DELIVERY] = NAMED("HTTP_X_GITHUB_DELIVERY"),
    [SIGNATURE] = NAMED("HTTP_X_HUB_SIGNATURE_256"),
    [PAGES] = NAMED("RERUNNER_PAGES"),
};

struct found {
    const char *value; /* the first one; NULL: none */
    bool doubled;
};

/* Which of them a pair NAME=value is; VARIABLES: none. */
static size_t which(const char *pair, size_t length)
{
    size_t i = 0;

    while (i < VARIABLES
           && (names[i].length != length || memcmp(names[i].name, pair, length) != 0))
        i++;
    return i;
}

/* Some 25 come with a request: they are gone through once, and mostly their lengths tell. */
static void find_all(char *const *pairs, struct found found[VARIABLES])
{
    memset(found, 0, VARIABLES * sizeof *found);
    for (; pairs != NULL && *pairs != NULL; pairs++) {
        const char *end = strchr(*pairs, '=');
        size_t i = end == NULL ? VARIABLES : which(*pairs, (size_t)(end - *pairs));

        if (i == VARIABLES)
            continue;
        found[i].doubled = found[i].value != NULL;
        if (found[i].value == NULL)
            found[i].value = end + 1;
    }
}

/* The path and the query of REQUEST_URI, which nginx sends; else as RFC 3875 has them. */
static void find_path(struct jr_request *request, const struct found *found)
{
    const char *uri = found[URI].value, *script = found[SCRIPT].value, *info = found[INFO].value;
    char *path = request->path_text;

    if (uri != NULL && *uri == '/')
        jr_text_copy(path, sizeof request->path_text, uri);
    else
        snprintf(path, sizeof request->path_text, "%.120s%.120s", script == NULL ? "" : script,
                 info == NULL ? "" : info);
    path[strcspn(path, "?#")] = '\0';
    request->query = found[QUERY].value == NULL ? "" : found[QUERY].value;
    if (uri != NULL && *uri == '/')
        request->query = strchr(uri, '?') == NULL ? "" : strchr(uri, '?') + 1;
    if (*path == '\0')
        jr_text_copy(path, sizeof request->path_text, "/");
    request->path = path;
}

/* A variable that is empty is as good as none: RFC 3875, 4.1. */
static const char *value_of(const struct found *found)
{
    return found->value == NULL || *found->value == '\0' ? NULL : found->value;
}

/* The words of RERUNNER_PAGES; others mean nothing. */
static unsigned pages_of(const char *words)
{
    static const struct {
        const char *word;
        unsigned page;
    } known[] = { { "status", JR_PAGES_STATUS }, { "metrics", JR_PAGES_METRICS } };
    unsigned pages = 0;

    while (words != NULL && *words != '\0') {
        size_t length = strcspn(words, " ");

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (length == strlen(known[i].word) && strncmp(words, known[i].word, length) == 0)
                pages |= known[i].page;
        words += length + strspn(words + length, " ");
    }
    return pages;
}

void jr_request_init(struct jr_request *request, void *door, char *const *variables,
                     jr_body_fn *read_body)
{
    struct found found[VARIABLES];

    find_all(variables, found);
    request->door = door;
    request->read_body = read_body;
    request->method = value_of(&found[METHOD]);
    request->content_type = value_of(&found[CONTENT_TYPE]);
    request->content_length = value_of(&found[CONTENT_LENGTH]);
    request->event = value_of(&found[EVENT]);
    request->delivery = value_of(&found[DELIVERY]);
    request->signature = value_of(&found[SIGNATURE]);
    request->signature_doubled = found[SIGNATURE].doubled;
    request->header_doubled = found[EVENT].doubled || found[DELIVERY].doubled;
    request->pages = pages_of(value_of(&found[PAGES]));
    find_path(request, found);
}

bool jr_request_has_type(const struct jr_request *request, const char *type)
{
    const char *given = request->content_type;
    size_t length;

    if (given == NULL)
        return false;
    given += strspn(given, " \t");
    length = strcspn(given, " \t;");
    return length == strlen(type) && strncasecmp(given, type, length) == 0;
}

enum jr_err jr_request_length(const struct jr_request *request, uint64_t max, size_t *length)
{
    const char *digits = request->content_length;
    uint64_t number = 0;

    *length = 0;
    if (digits == NULL)
        return JR_ENOENT;
    if (digits[strspn(digits, "0123456789")] != '\0')
        return JR_EINVAL;
    for (; *digits != '\0'; digits++) {
        number = number * 10 + (uint64_t)(*digits - '0');
        if (number > max)
            return JR_EFULL;
    }
    *length = (size_t)number;
    return JR_OK;
}

enum jr_err jr_request_read(const struct jr_request *request, char *body, size_t length)
{
    size_t got = 0;
    char one_more;

    while (got < length) {
        ssize_t more = request->read_body(request->door, body + got, length - got);

        if (more <= 0)
            return JR_EINVAL;
        got += (size_t)more;
    }
    return request->read_body(request->door, &one_more, 1) == 0 ? JR_OK : JR_EINVAL;
}

static const struct {
    int status;
    const char *phrase, *result;
} statuses[] = {
    { 200, "OK", "settled" },
    { 201, "Created", "scheduled" },
    { 202, "Accepted", "recorded" },
    { 204, "No Content", "ignored" },
    { 400, "Bad Request", "refused" },
    { 403, "Forbidden", "refused" },
    { 404, "Not Found", "unknown-run" },
    { 405, "Method Not Allowed", "refused" },
    { 411, "Length Required", "refused" },
    { 413, "Content Too Large", "refused" },
    { 415, "Unsupported Media Type", "refused" },
    { 500, "Internal Server Error", "failed" },
    { 503, "Service Unavailable", "failed" },
};

static size_t row_of(int status)
{
    size_t row = sizeof statuses / sizeof *statuses - 1;

    while (row > 0 && statuses[row].status != status)
        row--;
    return row;
}

const char *jr_response_result(int status)
{
    return statuses[row_of(status)].result;
}

void jr_response_release(struct jr_response *response)
{
    jr_buffer_release(&response->rest);
    response->length = 0;
}

/* All is in the text. */
static void set_length(struct jr_response *response, int printed)
{
    memset(&response->rest, 0, sizeof response->rest);
    response->length = (size_t)printed < sizeof response->text ? (size_t)printed
                                                               : sizeof response->text - 1;
}

/* Put more behind the text, as far as it fits. */
static void add(struct jr_response *response, const char *text)
{
    size_t length = strlen(text), room = sizeof response->text - 1 - response->length;

    if (length > room)
        length = room;
    memcpy(response->text + response->length, text, length);
    response->length += length;
    response->text[response->length] = '\0';
}

static void add_number(struct jr_response *response, uint64_t number)
{
    char digits[JR_DIGITS_SIZE];

    add(response, jr_text_digits(number, digits));
}

/* Each webhook gets one of these: without printf(3). */
void jr_response_reason(struct jr_response *response, int status, enum jr_reason reason,
                        uint64_t run_id)
{
    set_length(response, 0);
    add(response, "Status: ");
    add_number(response, (uint64_t)status);
    add(response, " ");
    add(response, statuses[row_of(status)].phrase);
    add(response, "\r\nX-Rerun-Reason: ");
    add(response, jr_reason_token(reason));
    add(response, "; ");
    add(response, jr_reason_words(reason));
    add(response, status == 405 ? "\r\nAllow: GET, HEAD, POST\r\n" : "\r\n");
    if (status != 204)
        add(response, "Content-Type: application/json\r\n");
    add(response, "Cache-Control: no-store\r\n\r\n");
    if (status == 204)
        return;
    add(response, "{\"result\":\"");
    add(response, jr_response_result(status));
    add(response, "\",\"reason\":\"");
    add(response, jr_reason_token(reason));
    add(response, "\",\"run_id\":");
    if (run_id != 0)
        add_number(response, run_id);
    else
        add(response, "null");
    add(response, "}\n");
}

/* A status line and the headers that all pages have, with those given, and the empty line. */
static void write_head(struct jr_response *response, int status, const char *content_type,
                       const char *headers, size_t length)
{
    set_length(response, snprintf(response->text, sizeof response->text,
                                  "Status: %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                                  "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                                  "%s\r\n",
                                  status, statuses[row_of(status)].phrase, content_type, length,
                                  headers));
}

void jr_response_page(struct jr_response *response, int status, const char *content_type,
                      const char *body, bool without_body)
{
    size_t head;

    write_head(response, status, content_type, "", strlen(body));
    head = response->length;
    if (!without_body)
        set_length(response, (int)head + snprintf(response->text + head,
                                                  sizeof response->text - head, "%s", body));
}

void jr_response_large(struct jr_response *response, int status, const char *content_type,
                       const char *headers, struct jr_buffer *body, bool without_body)
{
    write_head(response, status, content_type, headers, body->length);
    if (without_body)
        jr_buffer_release(body);
    response->rest = *body;
    memset(body, 0, sizeof *body);
}
