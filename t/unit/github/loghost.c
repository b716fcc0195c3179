/*
 * loghost -- the ends of logs, from hosts of every kind.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/loghost.h"
#include "t/unit/server.h"
#include "t/unit/support.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEAR_API "http://127.0.0.1:1"
#define PUBLIC_API "http://8.8.8.8"

/* What came of a read. */
struct result {
    enum jr_presence presence;
    char *text;
    size_t length;
    bool cut;
    bool may_pass;
    char words[JR_LOG_WORDS_SIZE];
};

static struct jr_loghost *open_host(const char *api_url, size_t tail_bytes,
                                    const struct jr_loghost_limits *limits)
{
    struct jr_settings settings = { .github_api_url = (char *)(uintptr_t)api_url };
    struct jr_loghost *host;
    struct jr_error error;

    if (jr_loghost_open(&host, &settings, tail_bytes, &error) != JR_OK)
        fail_msg("%s", error.text);
    if (limits != NULL)
        jr_loghost_set_limits(host, limits);
    return host;
}

static void wait_for(struct jr_loghost *host, const struct jr_log_read *read)
{
    struct pollfd ready = { .fd = jr_loghost_fd(host), .events = POLLIN };

    while (!jr_loghost_is_over(read)) {
        int64_t wait_ms = jr_loghost_wait_ms(host);

        (void)poll(&ready, 1, wait_ms < 1000 ? (int)wait_ms : 1000);
        jr_loghost_work(host);
    }
}

static struct result read_link(const char *api_url, const char *link, size_t tail_bytes,
                               const struct jr_loghost_limits *limits)
{
    struct jr_loghost *host = open_host(api_url, tail_bytes, limits);
    struct jr_log_read *read = jr_loghost_begin(host, link);
    struct result result;

    wait_for(host, read);
    result.presence = jr_loghost_take(read, &result.text, &result.length, &result.cut, result.words);
    assert_int_equal(result.text != NULL, result.presence == JR_FOUND);
    assert_int_equal(result.words[0] != '\0', result.presence == JR_UNREADABLE);
    if (result.text != NULL)
        assert_int_equal(result.text[result.length], '\0');
    assert_not_contains(result.words, "s3cret");
    result.may_pass = jr_loghost_may_pass(read);
    jr_loghost_release(read);
    jr_loghost_close(host);
    return result;
}

/* Read the log of a server; asked gets all that it was asked. */
static struct result read_from(struct server *server, size_t tail_bytes,
                               const struct jr_loghost_limits *limits, char *asked, size_t size)
{
    struct result result;
    size_t length = 0;
    ssize_t got;
    char link[128];

    start_server(server);
    snprintf(link, sizeof link, "%s?sig=s3cret", server->url);
    result = read_link(NEAR_API, link, tail_bytes, limits);
    if (server->answers[0] == NULL || strcmp(server->answers[0], SILENCE) == 0) {
        kill_child(&server->child);
        return result;
    }
    while (length < size - 1 && (got = read(server->child.fd, asked + length, size - 1 - length)) > 0)
        length += (size_t)got;
    asked[length] = '\0';
    let_child_go(&server->child);
    return result;
}

static const char small[] = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\none\ntwo\n";

static void request_has_nothing_of_ours(void **state)
{
    struct server server = { .answers = { small } };
    char asked[8192];
    struct result result = read_from(&server, 100, NULL, asked, sizeof asked);

    (void)state;
    assert_int_equal(result.presence, JR_FOUND);
    assert_ptr_equal(strstr(asked, "GET /repos?sig=s3cret HTTP/1.1\r\n"), asked);
    assert_contains(asked, "\r\nRange: bytes=-100\r\n");
    assert_contains(asked, "\r\nAccept-Encoding: identity\r\n");
    assert_not_contains(asked, "Authorization");
    assert_not_contains(asked, "GitHub");
    assert_not_contains(asked, "github");
    assert_not_contains(asked, "Cookie");
    free(result.text);
}

struct end_row {
    const char *name;
    size_t tail_bytes;
    const char *answers[3];
    enum jr_presence presence;
    const char *text; /* the log's end, or a part of the words */
    bool cut;
    const char *last_range; /* what was asked for last; NULL: one request, for the suffix */
};

static void end_of_a_log(void **state)
{
    const struct end_row *row = *state;
    struct server server = { .answers = { row->answers[0], row->answers[1], row->answers[2] } };
    char asked[16384];
    struct result result = read_from(&server, row->tail_bytes, NULL, asked, sizeof asked);

    assert_int_equal(result.presence, row->presence);
    if (result.presence == JR_FOUND) {
        assert_string_equal(result.text, row->text);
        assert_int_equal(result.length, strlen(row->text));
    } else if (row->presence == JR_UNREADABLE) {
        assert_contains(result.words, "127.0.0.1: ");
        assert_contains(result.words, row->text);
    }
    assert_int_equal(result.cut, row->cut);
    if (row->last_range != NULL)
        assert_contains(asked, row->last_range);
    free(result.text);
}

#define PART(range, body) "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " range "\r\n\r\n" body
#define ALL(headers, body) "HTTP/1.1 200 OK\r\n" headers "\r\n" body
#define NO(status, headers) "HTTP/1.1 " status "\r\n" headers "Content-Length: 0\r\n\r\n"
#define HUGE_LENGTH "Content-Length: 165000000\r\n"

static const struct end_row ends[] = {
    { "the end as it was asked for", 4, { PART("4-7/8", "two\n") }, JR_FOUND, "two\n", true, NULL },
    { "a part that is all", 100, { PART("0-7/8", "one\ntwo\n") }, JR_FOUND, "one\ntwo\n", false, NULL },
    { "of a log of unknown length", 4, { PART("4-7/*", "two\n") }, JR_FOUND, "two\n", true, NULL },
    { "more than was asked for", 3, { PART("4-7/8", "two\n") }, JR_FOUND, "wo\n", true, NULL },
    { "the beginning instead", 4, { PART("0-3/8", "one\n") }, JR_UNREADABLE, "another part", false, NULL },
    { "a part of nobody knows what", 4, { "HTTP/1.1 206 Partial Content\r\n\r\none\n" }, JR_UNREADABLE,
      "another part", false, NULL },
    { "a part in words", 4, { PART("all/8", "one\n") }, JR_UNREADABLE, "another part", false, NULL },
    { "several parts", 4, { "HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=x\r\n"
      "\r\n--x\r\n" }, JR_UNREADABLE, "another part", false, NULL },
    { "half of a part", 8, { "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-7/8\r\nContent-Length: 8\r\n"
      "\r\none" }, JR_UNREADABLE, "", false, NULL },
    { "the range ignored, all is short", 100, { small }, JR_FOUND, "one\ntwo\n", false, NULL },
    { "the range ignored, a little more", 5, { small }, JR_FOUND, "\ntwo\n", true, NULL },
    { "the range ignored, no length", 5, { ALL("", "one\ntwo\nthree\nfour\n") }, JR_FOUND, "four\n", true, NULL },
    { "in chunks", 100, { ALL("Transfer-Encoding: chunked\r\n", "4\r\none\n\r\n0\r\n\r\n") }, JR_FOUND, "one\n", false,
      NULL },
    { "far more: once more from a place on", 5,
      { ALL(HUGE_LENGTH, "lots of it"), PART("164999995-164999999/165000000", "four\n") }, JR_FOUND, "four\n", true,
      "\r\nRange: bytes=164999995-\r\n" },
    { "far more, and that ignored, too", 5, { ALL(HUGE_LENGTH, "lots of it"), small }, JR_FOUND, "\ntwo\n", true,
      "\r\nRange: bytes=164999995-\r\n" },
    { "far more, and shorter by then", 5, { ALL(HUGE_LENGTH, "lots of it"), NO("416 Range", "") }, JR_UNREADABLE,
      "answer 416", false, "\r\nRange: bytes=164999995-\r\n" },
    { "an empty log", 5, { ALL("Content-Length: 0\r\n", "") }, JR_FOUND, "", false, NULL },
    { "no end of an empty log", 5, { NO("416 Range", "Content-Range: bytes */0\r\n") }, JR_FOUND, "", false, NULL },
    { "no end of what is empty, it seems", 5, { NO("416 Range", ""), NO("416 Range", "") }, JR_FOUND, "", false, NULL },
    { "no end without a place", 4, { NO("416 Range", "Content-Range: bytes */8\r\n"), PART("4-7/8", "two\n") },
      JR_FOUND, "two\n", true, "\r\nRange: bytes=4-\r\n" },
    { "no end at all", 100, { NO("400 Range", ""), small }, JR_FOUND, "one\ntwo\n", false, NULL },
    { "no end at all of far more", 4, { NO("400 Range", ""), ALL(HUGE_LENGTH, "lots"),
      PART("164999996-164999999/165000000", "two\n") }, JR_FOUND, "two\n", true, "\r\nRange: bytes=164999996-\r\n" },
    { "half a log", 100, { ALL("Content-Length: 100\r\n", "one\n") }, JR_UNREADABLE, "", false, NULL },
    { "never stored", 100, { "HTTP/1.1 404 No\r\n\r\n<Error><Code>BlobNotFound</Code></Error>" }, JR_ABSENT, "", false,
      NULL },
    { "no longer kept", 100, { NO("410 Gone", "") }, JR_UNREADABLE, "answer 410, it is no longer kept", false, NULL },
    { "the link has ended", 100, { NO("403 No", "") }, JR_UNREADABLE, "answer 403", false, NULL },
    { "a bad day", 100, { NO("503 No", "") }, JR_UNREADABLE, "answer 503", false, NULL },
    { "no content", 100, { "HTTP/1.1 204 No\r\n\r\n" }, JR_UNREADABLE, "answer 204", false, NULL },
    { "leads elsewhere", 100, { NO("302 Found", "Location: http://127.0.0.1:1/?sig=s3cret\r\n") }, JR_UNREADABLE,
      "answer 302, which leads elsewhere", false, NULL },
    { "encoded", 100, { ALL("Content-Encoding: gzip\r\n", "\x1f\x8b") }, JR_UNREADABLE, "encoded", false, NULL },
    { "encoded as a part", 100, { "HTTP/1.1 206 Partial Content\r\nContent-Encoding: br\r\nContent-Range: bytes 0-7/8\r\n"
      "\r\none\ntwo\n" }, JR_UNREADABLE, "encoded", false, NULL },
    { "not encoded, it says", 100, { ALL("Content-Encoding: identity\r\n", "one\n") }, JR_FOUND, "one\n", false, NULL },
    { "no HTTP", 100, { "SSH-2.0-OpenSSH_9.2\r\n" }, JR_UNREADABLE, "", false, NULL },
    { "nothing", 100, { "" }, JR_UNREADABLE, "", false, NULL },
};

/* 32 MB of NULs, whose length nobody tells: all goes by, and the end is kept. */
static void log_without_end(void **state)
{
    static const struct jr_loghost_limits little = { .most_bytes = 1 << 20 };
    struct server whole = { .answers = { FLOOD } }, broken_off = { .answers = { FLOOD } };
    char asked[4096];
    struct result result = read_from(&whole, 100000, NULL, asked, sizeof asked);

    (void)state;
    assert_int_equal(result.presence, JR_FOUND);
    assert_int_equal(result.length, 100000);
    assert_true(result.cut);
    free(result.text);
    result = read_from(&broken_off, 100000, &little, asked, sizeof asked);
    assert_int_equal(result.presence, JR_UNREADABLE);
    assert_contains(result.words, "too long");
    assert_false(result.may_pass);
}

/* Each length of what comes, and each of the end that is kept. */
static void ring_keeps_the_end(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

    (void)state;
    for (size_t length = 0; length <= 9; length += 3) {
        for (size_t tail = 1; tail <= 8; tail++) {
            char answer[256], asked[4096];
            struct server server = { .answers = { answer } };
            size_t kept = length < tail ? length : tail;
            struct result result;

            snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (size_t i = 0; i < length; i += 3)
                snprintf(answer + strlen(answer), sizeof answer - strlen(answer), "3\r\n%.3s\r\n", letters + i);
            snprintf(answer + strlen(answer), sizeof answer - strlen(answer), "0\r\n\r\n");
            result = read_from(&server, tail, NULL, asked, sizeof asked);
            assert_int_equal(result.presence, JR_FOUND);
            assert_int_equal(result.length, kept);
            assert_memory_equal(result.text, letters + length - kept, kept);
            assert_int_equal(result.cut, kept < length);
            free(result.text);
        }
    }
}

struct slow_row {
    const char *name;
    struct jr_loghost_limits limits;
};

static void slow_host(void **state)
{
    const struct slow_row *row = *state;
    struct server server = { .answers = { SILENCE } };
    int64_t begun_ms = jr_monotonic_ms();
    char asked[4096];
    struct result result = read_from(&server, 100, &row->limits, asked, sizeof asked);

    assert_int_equal(result.presence, JR_UNREADABLE);
    assert_contains(result.words, "127.0.0.1: ");
    assert_true(result.may_pass);
    assert_true(jr_monotonic_ms() - begun_ms >= 200);
}

static const struct slow_row slows[] = {
    { "in all", { .total_ms = 300 } },
    { "without a byte", { .idle_s = 1 } },
};

struct refused_row {
    const char *name;
    const char *api_url, *link, *words;
    bool may_pass;
};

static void link_is_refused(void **state)
{
    const struct refused_row *row = *state;
    struct result result = read_link(row->api_url, row->link, 100, NULL);

    assert_int_equal(result.presence, JR_UNREADABLE);
    assert_contains(result.words, row->words);
    assert_int_equal(result.may_pass, row->may_pass);
}

#define OFF "its address is of this host or its network"

static const struct refused_row refused[] = {
    { "loopback, while the API is public", PUBLIC_API, "http://127.0.0.1:1/?sig=s3cret", OFF, false },
    { "a name of it", PUBLIC_API, "http://localhost:1/?sig=s3cret", OFF, false },
    { "in other figures", PUBLIC_API, "http://2130706433:1/?sig=s3cret", OFF, false },
    { "IPv6", PUBLIC_API, "http://[::1]:1/?sig=s3cret", OFF, false },
    { "as IPv6", PUBLIC_API, "http://[::ffff:127.0.0.1]:1/?sig=s3cret", OFF, false },
    { "private", PUBLIC_API, "http://10.0.0.1:1/?sig=s3cret", OFF, false },
    { "where clouds keep credentials", PUBLIC_API, "http://169.254.169.254/latest/?sig=s3cret", OFF, false },
    { "also while the API is near", NEAR_API, "http://169.254.169.254/latest/?sig=s3cret", OFF, false },
    { "nowhere, while the API is near", NEAR_API, "http://0.0.0.0:1/?sig=s3cret", OFF, false },
    { "an API that has no address", "http://api.invalid", "http://127.0.0.1:1/?sig=s3cret", OFF, false },
    { "http, while the API has https", "https://127.0.0.1:1", "http://127.0.0.1:1/?sig=s3cret", "https://", false },
    { "a file", NEAR_API, "file:///etc/passwd?sig=s3cret", "https://", false },
    { "another protocol", NEAR_API, "gopher://127.0.0.1:1/?sig=s3cret", "https://", false },
    { "with a user", NEAR_API, "http://me:s3cret@127.0.0.1:1/", "no URL", false },
    { "no address", NEAR_API, "logs?sig=s3cret", "", false },
    { "nothing", NEAR_API, "", "no URL", false },
    { "nobody there", NEAR_API, "http://127.0.0.1:1/?sig=s3cret", "127.0.0.1: ", true },
};

/* Nobody is connected to: a server would have been asked. */
static void refused_host_is_not_asked(void **state)
{
    struct server server = { .answers = { small } };
    struct pollfd asked;
    struct result result;

    (void)state;
    start_server(&server);
    result = read_link(PUBLIC_API, server.url, 100, NULL);
    assert_int_equal(result.presence, JR_UNREADABLE);
    asked = (struct pollfd){ .fd = server.child.fd, .events = POLLIN };
    assert_int_equal(poll(&asked, 1, 100), 0);
    kill_child(&server.child);
}

/* What stands at this host's own address is a proxy; the host of the log, it looks for. */
static void proxy_may_be_near(void **state)
{
    struct server server = { .answers = { small } };
    char request[4096];
    struct result result;

    (void)state;
    start_server(&server);
    *strrchr(server.url, '/') = '\0';
    setenv("http_proxy", server.url, 1);
    result = read_link(PUBLIC_API, "http://logs.example/a?sig=s3cret", 100, NULL);
    assert_int_equal(result.presence, JR_FOUND);
    assert_string_equal(result.text, "one\ntwo\n");
    free(result.text);
    read_request(&server, request, sizeof request);
    assert_ptr_equal(strstr(request, "GET http://logs.example/a?sig=s3cret HTTP/1.1\r\n"), request);
    let_child_go(&server.child);
    result = read_link(PUBLIC_API, "http://127.0.0.1:1/?sig=s3cret", 100, NULL);
    assert_contains(result.words, OFF);
    setenv("no_proxy", "localhost", 1);
    result = read_link(PUBLIC_API, "http://localhost:1/?sig=s3cret", 100, NULL);
    assert_contains(result.words, OFF);
    unsetenv("http_proxy");
    unsetenv("no_proxy");
}

/* One that hangs holds up no other, and can be let go. */
static void several_at_once(void **state)
{
    struct server silent = { .answers = { SILENCE } }, server = { .answers = { small } };
    struct jr_loghost *host = open_host(NEAR_API, 100, NULL);
    struct jr_log_read *hangs, *read;
    struct result result;

    (void)state;
    start_server(&silent);
    start_server(&server);
    hangs = jr_loghost_begin(host, silent.url);
    read = jr_loghost_begin(host, server.url);
    wait_for(host, read);
    assert_false(jr_loghost_is_over(hangs));
    assert_int_equal(jr_loghost_take(read, &result.text, &result.length, &result.cut, result.words), JR_FOUND);
    free(result.text);
    jr_loghost_release(read);
    jr_loghost_release(hangs);
    jr_loghost_close(host);
    kill_child(&silent.child);
    let_child_go(&server.child);
}

static void nothing_is_over(void **state)
{
    struct result result;

    (void)state;
    assert_true(jr_loghost_is_over(NULL));
    assert_int_equal(jr_loghost_take(NULL, &result.text, &result.length, &result.cut, result.words), JR_UNREADABLE);
    assert_null(result.text);
    assert_true(result.words[0] != '\0');
    jr_loghost_release(NULL);
    jr_loghost_close(NULL);
}

static void bad_api_url(void **state)
{
    struct jr_settings settings = { .github_api_url = (char *)(uintptr_t)"::" };
    struct jr_loghost *host;
    struct jr_error error;

    (void)state;
    assert_int_equal(jr_loghost_open(&host, &settings, 1, &error), JR_EINVAL);
    assert_null(host);
}

int main(void)
{
    static const char *const proxies[] = { "http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY",
                                           "ALL_PROXY", "no_proxy", "NO_PROXY" };

    for (size_t i = 0; i < COUNT(proxies); i++)
        unsetenv(proxies[i]);
    TEST(request_has_nothing_of_ours);
    TABLE(ends, end_of_a_log);
    TEST(log_without_end);
    TEST(ring_keeps_the_end);
    TABLE(slows, slow_host);
    TABLE(refused, link_is_refused);
    TEST(refused_host_is_not_asked);
    TEST(proxy_may_be_near);
    TEST(several_at_once);
    TEST(nothing_is_over);
    TEST(bad_api_url);
    return run_program("loghost");
}
