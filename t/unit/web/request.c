/*
 * request -- requests from a door of our own, and answers.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/request.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A door with some variables and a body that comes in pieces. */
struct door {
    const char *variables[16]; /* NAME=value; "+NAME=value": it came twice */
    const char *body;
    size_t length, offset, piece;
    bool breaks; /* at the end */
};

/* The variables as a door has them. Returns them in pairs. */
static char **pairs_of(const struct door *door)
{
    static char *pairs[2 * COUNT(door->variables) + 1];
    size_t count = 0;

    for (size_t i = 0; i < COUNT(door->variables) && door->variables[i] != NULL; i++) {
        bool twice = door->variables[i][0] == '+';

        for (int times = 0; times <= twice; times++)
            pairs[count++] = (char *)(uintptr_t)door->variables[i] + twice;
    }
    pairs[count] = NULL;
    return pairs;
}

static ssize_t read_body(void *context, char *bytes, size_t size)
{
    struct door *door = context;
    size_t left = door->length - door->offset;

    if (left == 0)
        return door->breaks ? -1 : 0;
    if (size > left)
        size = left;
    if (door->piece != 0 && size > door->piece)
        size = door->piece;
    memcpy(bytes, door->body + door->offset, size);
    door->offset += size;
    return (ssize_t)size;
}

static struct jr_request *request_of(struct door *door)
{
    static struct jr_request request;

    jr_request_init(&request, door, pairs_of(door), read_body);
    return &request;
}

static void variables_are_found(void **state)
{
    struct door door = { .variables = { "REQUEST_METHOD=POST", "REQUEST_URI=/?x=1", "CONTENT_TYPE=application/json",
                                        "CONTENT_LENGTH=5", "HTTP_X_GITHUB_EVENT=workflow_job",
                                        "HTTP_X_GITHUB_DELIVERY=d1", "HTTP_X_HUB_SIGNATURE_256=sha256=00" } };
    const struct jr_request *request = request_of(&door);

    (void)state;
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->path, "/");
    assert_string_equal(request->content_type, "application/json");
    assert_string_equal(request->content_length, "5");
    assert_string_equal(request->event, "workflow_job");
    assert_string_equal(request->delivery, "d1");
    assert_string_equal(request->signature, "sha256=00");
    assert_false(request->signature_doubled || request->header_doubled);
}

static void nothing_is_there(void **state)
{
    struct door empty = { .variables = { "REQUEST_METHOD=", "CONTENT_TYPE=", "CONTENT_LENGTH=",
                                         "HTTP_X_GITHUB_EVENT=", "HTTP_X_HUB_SIGNATURE_256=" } };
    struct door others = { .variables = { "REQUEST_METHOD", "REQUEST_METHODS=POST", "XREQUEST_METHOD=POST",
                                          "request_method=POST", "=POST", "", "HTTP_CONTENT_TYPE=text/plain",
                                          "HTTP_X_GITHUB_EVENT_=ping", "SCRIPT_NAMES=/x" } };
    struct door none = { .body = NULL };
    struct door *doors[] = { &empty, &others, &none };

    (void)state;
    for (size_t i = 0; i < COUNT(doors); i++) {
        const struct jr_request *request = request_of(doors[i]);

        assert_null(request->method);
        assert_null(request->content_type);
        assert_null(request->content_length);
        assert_null(request->event);
        assert_null(request->delivery);
        assert_null(request->signature);
        assert_string_equal(request->path, "/");
    }
}

struct doubled_row {
    const char *name, *variable;
    bool signature, header;
};

static void doubled(void **state)
{
    const struct doubled_row *row = *state;
    struct door door = { .variables = { row->variable } };
    const struct jr_request *request = request_of(&door);

    assert_int_equal(request->signature_doubled, row->signature);
    assert_int_equal(request->header_doubled, row->header);
}

static const struct doubled_row doubles[] = {
    { "signature", "+HTTP_X_HUB_SIGNATURE_256=sha256=00", true, false },
    { "event", "+HTTP_X_GITHUB_EVENT=workflow_job", false, true },
    { "delivery", "+HTTP_X_GITHUB_DELIVERY=d1", false, true },
    { "another one", "+HTTP_X_OTHER=1", false, false },
    { "once", "HTTP_X_HUB_SIGNATURE_256=sha256=00", false, false },
};

struct path_row {
    const char *name, *variables[3], *want;
};

static void path_is(void **state)
{
    const struct path_row *row = *state;
    struct door door = { .body = NULL };

    memcpy(door.variables, row->variables, sizeof row->variables);
    assert_string_equal(request_of(&door)->path, row->want);
}

static const struct path_row paths[] = {
    { "of the URI", { "REQUEST_URI=/healthz" }, "/healthz" },
    { "without the query", { "REQUEST_URI=/healthz?x=/y" }, "/healthz" },
    { "only a query", { "REQUEST_URI=/?" }, "/" },
    { "of script and rest", { "SCRIPT_NAME=/hook", "PATH_INFO=/healthz" }, "/hook/healthz" },
    { "only of the rest", { "SCRIPT_NAME=", "PATH_INFO=/healthz" }, "/healthz" },
    { "the URI goes first", { "REQUEST_URI=/a", "SCRIPT_NAME=/b", "PATH_INFO=/c" }, "/a" },
    { "nothing", { NULL }, "/" },
};

static const struct path_row queries[] = {
    { "none", { "REQUEST_URI=/runs" }, "" },
    { "behind the path", { "REQUEST_URI=/runs?a=b&c=%20?d" }, "a=b&c=%20?d" },
    { "empty", { "REQUEST_URI=/runs?" }, "" },
    { "that of the address counts", { "REQUEST_URI=/runs?a", "QUERY_STRING=b" }, "a" },
    { "no address", { "SCRIPT_NAME=/runs", "QUERY_STRING=a=b" }, "a=b" },
    { "neither", { "SCRIPT_NAME=/runs" }, "" },
};

static void query_is(void **state)
{
    const struct path_row *row = *state;
    struct door door = { .body = NULL };

    memcpy(door.variables, row->variables, sizeof row->variables);
    assert_string_equal(request_of(&door)->query, row->want);
}

static void long_path_is_cut(void **state)
{
    char uri[5000] = "REQUEST_URI=/";
    struct door door = { .variables = { uri } };
    const struct jr_request *request;

    (void)state;
    memset(uri + strlen(uri), 'x', sizeof uri - strlen(uri) - 1);
    uri[sizeof uri - 1] = '\0';
    request = request_of(&door);
    assert_int_equal(strlen(request->path), sizeof request->path_text - 1);
}

struct pages_row {
    const char *name, *variable;
    unsigned want;
};

static void pages_are(void **state)
{
    const struct pages_row *row = *state;
    struct door door = { .variables = { row->variable } };

    assert_int_equal(request_of(&door)->pages, row->want);
}

static const struct pages_row pages[] = {
    { "none", NULL, 0 },
    { "empty", "RERUNNER_PAGES=", 0 },
    { "status", "RERUNNER_PAGES=status", JR_PAGES_STATUS },
    { "metrics", "RERUNNER_PAGES=metrics", JR_PAGES_METRICS },
    { "both", "RERUNNER_PAGES=status metrics", JR_PAGES_STATUS | JR_PAGES_METRICS },
    { "many blanks", "RERUNNER_PAGES= metrics   status ", JR_PAGES_STATUS | JR_PAGES_METRICS },
    { "one that is not known", "RERUNNER_PAGES=all status2 stat", 0 },
    { "in capitals", "RERUNNER_PAGES=STATUS", 0 },
    { "a header of the client", "HTTP_RERUNNER_PAGES=status", 0 },
};

struct type_row {
    const char *name, *type;
    bool want;
};

static void type_is(void **state)
{
    const struct type_row *row = *state;
    struct jr_request request = { .content_type = row->type };

    assert_int_equal(jr_request_has_type(&request, "application/json"), row->want);
}

static const struct type_row types[] = {
    { "plain", "application/json", true },
    { "capital letters", "Application/JSON", true },
    { "a parameter", "application/json; charset=utf-8", true },
    { "a parameter without a blank", "application/json;charset=utf-8", true },
    { "blanks", " application/json ; x=y", true },
    { "none", NULL, false },
    { "empty", "", false },
    { "another", "text/plain", false },
    { "a longer one", "application/jsonp", false },
    { "a shorter one", "application/jso", false },
    { "with a suffix", "application/vnd.github+json", false },
    { "as a parameter", "text/plain; application/json", false },
};

struct length_row {
    const char *name, *text;
    enum jr_err want;
    size_t length;
};

static void length_is(void **state)
{
    const struct length_row *row = *state;
    struct jr_request request = { .content_length = row->text };
    size_t length = 77;

    assert_int_equal(jr_request_length(&request, 1000, &length), row->want);
    if (row->want == JR_OK)
        assert_int_equal(length, row->length);
}

static const struct length_row lengths[] = {
    { "none", NULL, JR_ENOENT, 0 },
    { "0", "0", JR_OK, 0 },
    { "some", "17", JR_OK, 17 },
    { "leading zeros", "0017", JR_OK, 17 },
    { "the largest", "1000", JR_OK, 1000 },
    { "one more", "1001", JR_EFULL, 0 },
    { "2^64 and a little", "18446744073709551621", JR_EFULL, 0 },
    { "a hundred digits",
      "11111111111111111111111111111111111111111111111111"
      "11111111111111111111111111111111111111111111111111",
      JR_EFULL, 0 },
    { "negative", "-1", JR_EINVAL, 0 },
    { "a sign", "+1", JR_EINVAL, 0 },
    { "a blank before", " 1", JR_EINVAL, 0 },
    { "a blank after", "1 ", JR_EINVAL, 0 },
    { "two of them", "5, 5", JR_EINVAL, 0 },
    { "letters", "five", JR_EINVAL, 0 },
    { "hexadecimal", "0x10", JR_EINVAL, 0 },
    { "large and not a number", "99999x", JR_EINVAL, 0 },
};

struct read_row {
    const char *name, *body;
    size_t length, piece;
    bool breaks;
    enum jr_err want;
};

static void body_is_read(void **state)
{
    const struct read_row *row = *state;
    struct door door = { .body = row->body, .length = strlen(row->body), .piece = row->piece, .breaks = row->breaks };
    struct jr_request request = { .door = &door, .read_body = read_body };
    char *body = malloc(row->length + (row->length == 0));

    assert_non_null(body);
    assert_int_equal(jr_request_read(&request, body, row->length), row->want);
    if (row->want == JR_OK)
        assert_memory_equal(body, row->body, row->length);
    free(body);
}

static const struct read_row reads[] = {
    { "at once", "hello", 5, 0, false, JR_OK },
    { "byte by byte", "hello", 5, 1, false, JR_OK },
    { "nothing", "", 0, 0, false, JR_OK },
    { "shorter than told", "hell", 5, 0, false, JR_EINVAL },
    { "shorter than told, byte by byte", "hell", 5, 1, false, JR_EINVAL },
    { "longer than told", "hello!", 5, 0, false, JR_EINVAL },
    { "longer than nothing", "!", 0, 0, false, JR_EINVAL },
    { "broken off", "hel", 5, 1, true, JR_EINVAL },
    { "broken off at its end", "hello", 5, 0, true, JR_EINVAL },
};

struct answer_row {
    const char *name;
    int status;
    const char *result; /* NULL: no body */
};

static void answer_is(void **state)
{
    const struct answer_row *row = *state;
    struct jr_response response;
    char want[128];
    const char *body;

    jr_response_reason(&response, row->status, JR_REASON_JOBS_FAILED, RUN_ID);
    assert_int_equal(response.length, strlen(response.text));
    snprintf(want, sizeof want, "Status: %d ", row->status);
    assert_int_equal(strncmp(response.text, want, strlen(want)), 0);
    assert_contains(response.text, "\r\nX-Rerun-Reason: jobs-failed; ");
    body = strstr(response.text, "\r\n\r\n");
    assert_non_null(body);
    if (row->result == NULL) {
        assert_string_equal(body + 4, "");
        assert_not_contains(response.text, "Content-Type");
    } else {
        snprintf(want, sizeof want, "{\"result\":\"%s\",\"reason\":\"jobs-failed\",\"run_id\":12345678901}", row->result);
        assert_contains(body, want);
        assert_contains(response.text, "\r\nContent-Type: application/json\r\n");
        assert_string_equal(jr_response_result(row->status), row->result);
    }
    if (row->status == 405)
        assert_contains(response.text, "\r\nAllow: GET, HEAD, POST\r\n");
    else
        assert_not_contains(response.text, "Allow:");
}

static const struct answer_row answers[] = {
    { "settled", 200, "settled" },
    { "scheduled", 201, "scheduled" },
    { "recorded", 202, "recorded" },
    { "ignored", 204, NULL },
    { "bad request", 400, "refused" },
    { "forbidden", 403, "refused" },
    { "unknown run", 404, "unknown-run" },
    { "method", 405, "refused" },
    { "length", 411, "refused" },
    { "too large", 413, "refused" },
    { "type", 415, "refused" },
    { "failed", 503, "failed" },
};

/* Every reason makes a header of one line. */
static void every_reason_fits(void **state)
{
    struct jr_response response;

    (void)state;
    for (int reason = 0; reason < 200; reason++) {
        const char *line;
        unsigned lines = 0;

        jr_response_reason(&response, 503, (enum jr_reason)reason, UINT64_MAX);
        for (line = response.text; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2) {
            assert_non_null(strstr(line, "\r\n"));
            lines++;
        }
        assert_int_equal(lines, 4);
        assert_contains(line, "18446744073709551615}");
    }
    jr_response_reason(&response, 403, JR_REASON_SIGNATURE_WRONG, 0);
    assert_contains(response.text, "\"run_id\":null}");
}

static void page(void **state)
{
    struct jr_response response;

    (void)state;
    jr_response_page(&response, 200, "text/html; charset=utf-8", "<p>Hello</p>", false);
    assert_int_equal(response.length, strlen(response.text));
    assert_int_equal(strncmp(response.text, "Status: 200 OK\r\n", 16), 0);
    assert_contains(response.text, "\r\nContent-Type: text/html; charset=utf-8\r\n");
    assert_contains(response.text, "\r\nContent-Length: 12\r\n");
    assert_contains(response.text, "\r\n\r\n<p>Hello</p>");
    jr_response_page(&response, 200, "text/html; charset=utf-8", "<p>Hello</p>", true);
    assert_contains(response.text, "\r\nContent-Length: 12\r\n");
    assert_string_equal(strstr(response.text, "\r\n\r\n"), "\r\n\r\n");
}

static void large_page(void **state)
{
    struct jr_response response;
    struct jr_buffer body;

    (void)state;
    for (int without_body = 0; without_body < 2; without_body++) {
        jr_buffer_init(&body, 100000);
        for (int i = 0; i < 10000; i++)
            jr_buffer_add(&body, "0123456789");
        jr_response_large(&response, 200, "text/plain", "Retry-After: 1\r\n", &body, without_body);
        assert_null(body.bytes);
        assert_int_equal(response.length, strlen(response.text));
        assert_int_equal(strncmp(response.text, "Status: 200 OK\r\n", 16), 0);
        assert_contains(response.text, "\r\nContent-Length: 100000\r\n");
        assert_contains(response.text, "\r\nRetry-After: 1\r\n\r\n");
        assert_string_equal(strstr(response.text, "\r\n\r\n"), "\r\n\r\n");
        assert_int_equal(response.rest.length, without_body ? 0 : 100000);
        jr_response_release(&response);
        assert_null(response.rest.bytes);
    }
}

int main(void)
{
    TEST(variables_are_found);
    TEST(nothing_is_there);
    TABLE(doubles, doubled);
    TABLE(paths, path_is);
    TABLE(queries, query_is);
    TEST(long_path_is_cut);
    TABLE(pages, pages_are);
    TABLE(types, type_is);
    TABLE(lengths, length_is);
    TABLE(reads, body_is_read);
    TABLE(answers, answer_is);
    TEST(every_reason_fits);
    TEST(page);
    TEST(large_page);
    return run_program("request");
}
