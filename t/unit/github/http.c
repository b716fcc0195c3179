/*
 * http -- requests as a server sees them, and answers of every kind.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/github/http.h"
#include "t/unit/server.h"
#include "t/unit/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client, the token that its requests carry, and the last one. */
struct client {
    struct jr_http *http;
    const char *token;
    struct jr_transfer *last;
};

static struct client client(const char *token)
{
    struct client client = { .token = token };
    struct jr_error error;

    if (jr_http_open(&client.http, NULL, &error) != JR_OK)
        fail_msg("%s", error.text);
    return client;
}

static void close_client(struct client *client)
{
    jr_http_release(client->last);
    jr_http_close(client->http);
}

static struct jr_transfer *begin(struct client *client, bool posts, const char *url,
                                 const char *json, int64_t before_ms)
{
    const struct jr_http_request request = { .url = url, .token = client->token, .posts = posts,
                                             .json = json, .before_ms = before_ms };
    struct jr_transfer *transfer = jr_http_begin(client->http, &request);

    assert_non_null(transfer);
    return transfer;
}

static void ask(struct client *client, bool posts, const char *url, const char *json,
                int64_t before_ms, struct jr_http_answer *answer)
{
    jr_http_release(client->last);
    client->last = begin(client, posts, url, json, before_ms);
    *answer = *jr_http_await(client->last);
}

static void get(struct client *client, const char *url, struct jr_http_answer *answer)
{
    ask(client, false, url, NULL, 0, answer);
}

static void post(struct client *client, const char *url, const char *json, int64_t before_ms,
                 struct jr_http_answer *answer)
{
    ask(client, true, url, json, before_ms, answer);
}

/* Let a request go on for a while, which is not long enough for it. */
static void go_on(struct client *client, int64_t time_ms)
{
    int64_t end_ms = jr_monotonic_ms() + time_ms;
    struct pollfd ready = { .fd = jr_http_fd(client->http), .events = POLLIN };

    for (int64_t left_ms = time_ms; left_ms > 0; left_ms = end_ms - jr_monotonic_ms()) {
        int64_t wait_ms = jr_http_wait_ms(client->http);

        (void)poll(&ready, 1, (int)(wait_ms < left_ms ? wait_ms : left_ms));
        jr_http_work(client->http);
    }
}

/* ... until the server, which does not answer, tells that it has it. */
static void go_on_until_it_is_there(struct client *client, const struct server *server)
{
    struct pollfd told = { .fd = server->child.fd, .events = POLLIN };

    while (poll(&told, 1, 0) == 0)
        go_on(client, 10);
}

/* A gateway that shows the request it refuses. */
static void token_is_hidden(void **state)
{
    struct server server = { .answers = {
        "HTTP/1.1 502 Bad\r\nContent-Length: 42\r\nLocation: /?secret-1\r\n\r\n"
        "{\"message\":\"no: Bearer secret-1 secret-1\"}" } };
    struct client http = client("secret-1");
    struct jr_http_answer answer;

    (void)state;
    start_server(&server);
    get(&http, server.url, &answer);
    assert_int_equal(answer.status, 502);
    assert_string_equal(answer.body, "{\"message\":\"no: Bearer ******** ********\"}");
    assert_string_equal(answer.location, "/?********");
    close_client(&http);
    let_child_go(&server.child);
}

static void request_is_what_github_wants(void **state)
{
    struct server server = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" } };
    struct jr_http_answer answer;
    struct client http;
    char request[4096];

    (void)state;
    start_server(&server);
    http = client("t0ken");
    get(&http, server.url, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "{}");
    assert_int_equal(answer.length, 2);
    read_request(&server, request, sizeof request);
    assert_int_equal(strncmp(request, "GET /repos HTTP/1.1\r\n", 21), 0);
    assert_contains(request, "\r\nAuthorization: Bearer t0ken\r\n");
    assert_contains(request, "\r\nAccept: application/vnd.github+json\r\n");
    assert_contains(request, "\r\nX-GitHub-Api-Version: 2022-11-28\r\n");
    assert_contains(request, "\r\nUser-Agent: " PACKAGE_NAME "/" PACKAGE_VERSION "\r\n");
    close_client(&http);
    let_child_go(&server.child);
}

static void post_has_an_empty_body(void **state)
{
    struct server server = { .answers = { "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" } };
    struct jr_http_answer answer;
    struct client http;
    char request[4096];

    (void)state;
    start_server(&server);
    http = client("t0ken");
    post(&http, server.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 201);
    assert_string_equal(answer.body, "");
    read_request(&server, request, sizeof request);
    assert_int_equal(strncmp(request, "POST /repos HTTP/1.1\r\n", 22), 0);
    assert_contains(request, "\r\nContent-Length: 0\r\n");
    assert_contains(request, "\r\nAuthorization: Bearer t0ken\r\n");
    assert_not_contains(request, "Content-Type");
    assert_not_contains(request, "Expect");
    close_client(&http);
    let_child_go(&server.child);
}

static void post_may_have_json(void **state)
{
    struct server server = { .answers = {
        "HTTP/1.1 201 Created\r\nDate: Fri, 20 Nov 2026 00:00:01 GMT\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 201 Created\r\nDate: today\r\nContent-Length: 0\r\n\r\n" } };
    struct client http = client("t0ken");
    struct jr_http_answer answer;
    char request[4096];

    (void)state;
    start_server(&server);
    post(&http, server.url, "{\"a\": 1}", 0, &answer);
    assert_int_equal(answer.status, 201);
    assert_int_equal(answer.date_ms, START_MS + 1000);
    read_request(&server, request, sizeof request);
    assert_contains(request, "\r\nContent-Type: application/json\r\n");
    assert_contains(request, "\r\nContent-Length: 8\r\n");
    assert_contains(request, "\r\nAccept: application/vnd.github+json\r\n");
    /* The next one is empty again. */
    post(&http, server.url, NULL, 0, &answer);
    assert_int_equal(answer.date_ms, 0);
    read_request(&server, request, sizeof request);
    assert_contains(request, "\r\nContent-Length: 0\r\n");
    assert_not_contains(request, "Content-Type");
    close_client(&http);
    let_child_go(&server.child);
}

static void token_may_change(void **state)
{
    struct server server = { .answers = { "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" } };
    struct jr_http_answer answer;
    struct client http;
    char request[4096];

    (void)state;
    start_server(&server);
    http = client(NULL);
    get(&http, server.url, &answer);
    assert_int_equal(answer.status, 401);
    read_request(&server, request, sizeof request);
    assert_not_contains(request, "Authorization");
    http.token = "n3w";
    post(&http, server.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 200);
    read_request(&server, request, sizeof request);
    assert_contains(request, "\r\nAuthorization: Bearer n3w\r\n");
    close_client(&http);
    let_child_go(&server.child);
}

/*
 * The server would never answer a second request on a connection; libcurl
 * repeats one by itself when a kept connection turns out to be dead.
 */
static void post_has_a_connection_of_its_own(void **state)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct server before = { .keeps_open = true, .answers = { ok, ok } };
    struct server behind = { .keeps_open = true, .answers = { ok, ok } };
    struct jr_http_answer answer;
    struct client http;

    (void)state;
    start_server(&before);
    start_server(&behind);
    http = client("t0ken");
    get(&http, before.url, &answer);
    assert_int_equal(answer.status, 200);
    post(&http, before.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 200);
    post(&http, behind.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 200);
    get(&http, behind.url, &answer);
    assert_int_equal(answer.status, 200);
    close_client(&http);
    let_child_go(&before.child);
    let_child_go(&behind.child);
}

struct header_row {
    const char *name, *headers;
    int64_t retry_after_s, limit, remaining, reset_s;
    bool permissions;
    const char *location;
};

static void headers_are_read(void **state)
{
    const struct header_row *row = *state;
    char text[1024];
    struct server server = { .answers = { text } };
    struct jr_http_answer answer;
    struct client http;

    snprintf(text, sizeof text, "HTTP/1.1 403 Forbidden\r\n%sContent-Length: 0\r\n\r\n", row->headers);
    start_server(&server);
    http = client("t0ken");
    get(&http, server.url, &answer);
    assert_int_equal(answer.status, 403);
    assert_int_equal(answer.retry_after_s, row->retry_after_s);
    assert_int_equal(answer.ratelimit_limit, row->limit);
    assert_int_equal(answer.ratelimit_remaining, row->remaining);
    assert_int_equal(answer.ratelimit_reset_s, row->reset_s);
    assert_int_equal(answer.accepted_permissions, row->permissions);
    assert_string_equal(answer.location, row->location);
    assert_int_equal(answer.sso_required, strstr(row->name, "required") != NULL);
    close_client(&http);
    let_child_go(&server.child);
}

static const struct header_row headers[] = {
    { "single sign-on is required", "X-GitHub-SSO: required; url=https://github.com/orgs/acme/sso\r\n", -1, -1, -1, -1, false, "" },
    { "single sign-on hides some", "X-GitHub-SSO: partial-results; organizations=1\r\n", -1, -1, -1, -1, false, "" },
    { "none", "", -1, -1, -1, -1, false, "" },
    { "a rate limit", "X-RateLimit-Limit: 5000\r\nx-ratelimit-remaining: 0\r\nX-RATELIMIT-RESET: 1795422600\r\n", -1,
      5000, 0, 1795422600, false, "" },
    { "Retry-After", "Retry-After: 30\r\n", 30, -1, -1, -1, false, "" },
    { "Retry-After of now", "Retry-After: 0\r\n", 0, -1, -1, -1, false, "" },
#define RETRY(value) "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\nRetry-After: " value "\r\n"
    { "Retry-After of a time, by the server's clock", RETRY("Wed, 21 Oct 2015 07:29:30 GMT"), 90, -1, -1, -1, false, "" },
    { "Retry-After of a time that is over there", RETRY("Wed, 21 Oct 2015 07:27:30 GMT"), 0, -1, -1, -1, false, "" },
    { "Retry-After of next month", RETRY("Wed, 18 Nov 2015 07:28:00 GMT"), 86400, -1, -1, -1, false, "" },
    { "Retry-After of a week", RETRY("604800"), 86400, -1, -1, -1, false, "" },
    { "Retry-After in words", RETRY("soon"), 0, -1, -1, -1, false, "" },
    { "Retry-After without a word", RETRY(""), 0, -1, -1, -1, false, "" },
    { "Retry-After of less than nothing", RETRY("-30"), 0, -1, -1, -1, false, "" },
    { "Retry-After of half a second", RETRY("0.5"), 0, -1, -1, -1, false, "" },
    { "Retry-After beyond all numbers", RETRY("99999999999999999999999"), 0, -1, -1, -1, false, "" },
    { "Retry-After of centuries", RETRY("9999999999"), 0, -1, -1, -1, false, "" },
    { "Retry-After of a time that is over", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0, -1, -1, -1, false, "" },
    { "permissions", "X-Accepted-GitHub-Permissions: actions=write\r\n", -1, -1, -1, -1, true, "" },
    { "numbers that are none", "X-RateLimit-Limit: many\r\nX-RateLimit-Remaining: -1\r\nX-RateLimit-Reset: 1e9\r\n", -1,
      -1, -1, -1, false, "" },
    { "numbers that are too large", "X-RateLimit-Reset: 99999999999999999999\r\n", -1, -1, -1, -1, false, "" },
    { "a location", "Location: https://evil.example/\r\n", -1, -1, -1, -1, false, "https://evil.example/" },
};

/* Nothing but the client decides where the token goes. */
static void redirect_is_not_followed(void **state)
{
    struct server server = { .answers = { "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" } };
    struct jr_http_answer answer;
    struct client http;

    (void)state;
    start_server(&server);
    http = client("t0ken");
    post(&http, server.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 307);
    assert_string_equal(answer.location, "/elsewhere");
    close_client(&http);
    let_child_go(&server.child);
}

struct lost_row {
    const char *name;
    bool posted;
    const char *answer;
};

/* The request was sent, and no usable answer came: nobody knows what it did. */
static void lost_answer(void **state)
{
    const struct lost_row *row = *state;
    struct server server = { .answers = { row->answer } };
    struct jr_http_answer answer;
    struct client http;

    start_server(&server);
    http = client("t0ken");
    if (row->posted)
        post(&http, server.url, NULL, 0, &answer);
    else
        get(&http, server.url, &answer);
    assert_int_equal(answer.status, 0);
    assert_true(answer.sent);
    assert_true(answer.text[0] != '\0');
    close_client(&http);
    let_child_go(&server.child);
}

static const struct lost_row lost[] = {
    { "nothing", true, "" },
    { "half a header", true, "HTTP/1.1 201 Crea" },
    { "no HTTP", true, "SSH-2.0-OpenSSH_9.2\r\n" },
    { "half a refusal", true, "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{" },
    { "half a body", false, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}" },
    { "a body without end", false, FLOOD },
};

/* Rule 6: an accepted POST is accepted, whatever becomes of the rest of the answer. */
static void accepted_all_the_same(void **state)
{
    struct server server = { .answers = { "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{}" } };
    struct jr_http_answer answer;
    struct client http;

    (void)state;
    start_server(&server);
    http = client("t0ken");
    post(&http, server.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 201);
    close_client(&http);
    let_child_go(&server.child);
}

/* A refused connection, and a port that nobody listens on any more. */
static void nothing_was_sent(void **state)
{
    struct server server = { .answers = { NULL } };
    struct jr_http_answer answer;
    struct client http;

    (void)state;
    start_server(&server);
    let_child_go(&server.child);
    http = client("t0ken");
    post(&http, server.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 0);
    assert_false(answer.sent);
    assert_true(answer.text[0] != '\0');
    assert_string_equal(answer.body, "");
    get(&http, "http://127.0.0.1:1/", &answer); /* the client is as good as before */
    assert_int_equal(answer.status, 0);
    close_client(&http);
}

static void given_up_while_it_waits(void **state)
{
    struct server server = { .answers = { SILENCE } };
    const struct jr_http_answer *answer;
    struct jr_transfer *transfer;
    struct client http;

    (void)state;
    start_server(&server);
    http = client("t0ken");
    transfer = begin(&http, false, server.url, NULL, 0);
    go_on_until_it_is_there(&http, &server);
    assert_null(jr_http_answer(transfer));
    jr_http_give_up(transfer);
    answer = jr_http_answer(transfer);
    assert_int_equal(answer->status, 0);
    assert_true(answer->sent);
    assert_true(answer->text[0] != '\0');
    jr_http_release(transfer);
    close_client(&http);
    kill_child(&server.child);
}

static void say(int fd, const char *word)
{
    if (write(fd, word, strlen(word)) != (ssize_t)strlen(word))
        _exit(3);
}

/*
 * A relay on the way: it holds the request for as long as the client waits, and hands it on
 * afterwards, as the network does with what the kernel goes on sending. Only a connection
 * that was reset it gives up. Says that it has it, and then what it did: "handed on" or "dropped".
 */
static void hold_request(int fd, const void *argument)
{
    int connection, listener = *(const int *)argument;
    char request[4096];
    ssize_t got;

    child_says_ready(fd);
    connection = accept(listener, NULL, NULL);
    got = read(connection, request, sizeof request);
    say(fd, "there");
    while (got > 0)
        got = read(connection, request, sizeof request);
    say(fd, got == 0 ? "handed on" : "dropped");
    close(connection);
}

/* The kernel sends nothing more of a POST that was given up. */
static void given_up_post_never_arrives(void **state)
{
    struct server server = { .listener = -1 };
    struct client http = client("t0ken");
    struct jr_transfer *transfer;
    char said[16];

    (void)state;
    listen_somewhere(&server);
    start_child(&server.child, hold_request, &server.listener);
    close(server.listener);
    transfer = begin(&http, true, server.url, NULL, 0);
    go_on_until_it_is_there(&http, &server);
    read_request(&server, said, sizeof said);
    jr_http_give_up(transfer);
    assert_int_equal(jr_http_answer(transfer)->status, 0);
    assert_true(jr_http_answer(transfer)->sent);
    jr_http_release(transfer);
    read_request(&server, said, sizeof said);
    assert_string_equal(said, "dropped");
    close_client(&http);
    let_child_go(&server.child);
}

/*
 * Have the kernel lose each packet with a payload before a socket sees it, as a broken wire does;
 * handshakes and resets pass. What a listener accepts is like it.
 * Source: https://docs.kernel.org/networking/filter.html
 */
static void lose_what_comes(int listener)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 12), /* the length of TCP's header: 4 bits, in words */
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
        BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = { .len = COUNT(code), .filter = code };

    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

static void lose_nothing(int fd)
{
    const int unused = 0;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused), 0);
}

/* The other end of a connection, in this process. */
static int other_end(int connection)
{
    struct sockaddr_in peer, own;
    socklen_t size = sizeof peer;

    assert_int_equal(getpeername(connection, (struct sockaddr *)&peer, &size), 0);
    for (int fd = 3; fd < 1024; fd++) {
        size = sizeof own;
        if (getsockname(fd, (struct sockaddr *)&own, &size) == 0 && own.sin_family == AF_INET
            && own.sin_port == peer.sin_port)
            return fd;
    }
    fail_msg("there is no other end");
    return -1;
}

/* A POST over a wire that loses it, and both ends of its connection. */
struct lossy {
    struct client http;
    struct jr_transfer *transfer;
    int near, far;
};

static int unacknowledged(int fd)
{
    int bytes = 0;

    assert_int_equal(ioctl(fd, SIOCOUTQ, &bytes), 0);
    return bytes;
}

/* total_ms: 0, its own limit is far away. */
static struct lossy lossy_post(int64_t total_ms)
{
    struct server server = { .listener = -1 };
    struct lossy post = { .http = client("t0ken") };
    const struct jr_http_request request = { .url = server.url, .posts = true, .total_ms = total_ms };

    listen_somewhere(&server);
    lose_what_comes(server.listener);
    post.transfer = jr_http_begin(post.http.http, &request);
    assert_non_null(post.transfer);
    go_on(&post.http, 1);
    post.far = accept(server.listener, NULL, NULL);
    post.near = other_end(post.far);
    while (unacknowledged(post.near) == 0)
        go_on(&post.http, 1);
    close(server.listener);
    return post;
}

static void end_lossy_post(struct lossy *post)
{
    jr_http_release(post->transfer);
    close_client(&post->http);
    close(post->far);
}

static void give_up(struct lossy *post)
{
    jr_http_give_up(post->transfer);
}

static void wait_for_the_limit(struct lossy *post)
{
    (void)jr_http_await(post->transfer);
}

/* This process does nothing; the kernel gives up without a word to the other end. */
static void stand_still(struct lossy *post)
{
    const int64_t end_ms = jr_monotonic_ms() + 20000;
    struct tcp_info info = { .tcpi_state = TCP_ESTABLISHED };
    socklen_t size = sizeof info;

    while (info.tcpi_state != TCP_CLOSE && jr_monotonic_ms() < end_ms) {
        (void)poll(NULL, 0, 10);
        assert_int_equal(getsockopt(post->near, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    }
    assert_int_equal(info.tcpi_state, TCP_CLOSE);
    /* Nobody is there any more: this is answered with a reset. */
    assert_int_equal(send(post->far, "?", 1, MSG_NOSIGNAL), 1);
}

struct lossy_row {
    const char *name;
    int64_t total_ms;
    const char *shorter; /* JR_TEST_SHORTER */
    void (*end)(struct lossy *post);
};

/* The kernel sends again what is not acknowledged; not when the request is over. */
static void lost_post_never_arrives(void **state)
{
    const struct lossy_row *row = *state;
    struct lossy post;
    char byte = 0;

    setenv("JR_TEST_SHORTER", row->shorter, 1);
    post = lossy_post(row->total_ms);
    unsetenv("JR_TEST_SHORTER");
    row->end(&post);
    lose_nothing(post.far);
    assert_int_equal(read(post.far, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(jr_http_await(post.transfer)->status, 0);
    assert_true(jr_http_answer(post.transfer)->sent);
    end_lossy_post(&post);
}

static const struct lossy_row lossy[] = {
    { "given up", 0, "1", give_up },
    { "its time is over", 3000, "1", wait_for_the_limit },
    { "the process stands still", 0, "10", stand_still },
};

/* ... which is within the 30 s of a request. */
static void kernel_gives_up_in_time(void **state)
{
    struct lossy post = lossy_post(0);
    unsigned time_ms = 0;
    socklen_t size = sizeof time_ms;

    (void)state;
    assert_int_equal(getsockopt(post.near, IPPROTO_TCP, TCP_USER_TIMEOUT, &time_ms, &size), 0);
    assert_int_equal(time_ms, 25000);
    end_lossy_post(&post);
}

/* What GitHub showed is too old by the time that the connection stands. */
static void too_late_for_a_post(void **state)
{
    struct server server = { .answers = { "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" } };
    struct client http = client("t0ken");
    struct jr_http_answer answer;

    (void)state;
    start_server(&server);
    post(&http, server.url, NULL, jr_boottime_ms() - 1, &answer);
    assert_int_equal(answer.status, 0);
    assert_true(answer.too_late);
    assert_false(answer.sent);
    kill_child(&server.child);

    start_server(&server);
    post(&http, server.url, NULL, jr_boottime_ms() + 60000, &answer);
    assert_int_equal(answer.status, 201);
    assert_false(answer.too_late);
    close_client(&http);
    let_child_go(&server.child);
}

/* A permit, which is asked for when the connection stands. */
struct permit {
    struct server *other; /* who is asked within it, by another client */
    enum jr_reason reason;
    int asked;
};

static enum jr_reason permit(void *context)
{
    struct permit *permit = context;
    struct client http = client(NULL);
    struct jr_http_answer answer;

    permit->asked++;
    get(&http, permit->other->url, &answer);
    assert_int_equal(answer.status, 204);
    close_client(&http);
    return permit->reason;
}

static void post_needs_a_permit(void **state)
{
    static const enum jr_reason reasons[] = { JR_REASON_OUTDATED, JR_REASON_NONE };

    (void)state;
    for (size_t i = 0; i < COUNT(reasons); i++) {
        struct server server = { .answers = { "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" } };
        struct server other = { .answers = { "HTTP/1.1 204 No Content\r\n\r\n" } };
        struct permit asks = { .other = &other, .reason = reasons[i] };
        struct jr_http_request request = { .url = server.url, .token = "t0ken", .posts = true,
                                           .permit = permit, .permits = &asks };
        const struct jr_http_answer *answer;
        struct client http;

        start_server(&server);
        start_server(&other);
        http = client("t0ken");
        http.last = jr_http_begin(http.http, &request);
        assert_non_null(http.last);
        answer = jr_http_await(http.last);
        assert_int_equal(asks.asked, 1);
        assert_int_equal(answer->forbidden, reasons[i]);
        assert_int_equal(answer->status, reasons[i] == JR_REASON_NONE ? 201 : 0);
        assert_false(answer->sent);
        kill_child(&server.child);
        let_child_go(&other.child);
        close_client(&http);
    }
}

/* To a service of the administrator's own the token goes bare, with the line that it wants. */
static void peer_has_its_head(void **state)
{
    static const struct jr_http_peer peer = { .header = "X-Own: yes", .connect_ms = 1000 };
    struct server server = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" } };
    struct client http = client("t0ken");
    const struct jr_http_request request = { .url = server.url, .token = "t0ken", .posts = true,
                                             .json = "{}", .type = "application/json",
                                             .peer = &peer };
    char said[4096];

    (void)state;
    start_server(&server);
    http.last = jr_http_begin(http.http, &request);
    assert_non_null(http.last);
    assert_int_equal(jr_http_await(http.last)->status, 200);
    read_request(&server, said, sizeof said);
    assert_non_null(strstr(said, "\r\nAuthorization: t0ken\r\n"));
    assert_non_null(strstr(said, "\r\nX-Own: yes\r\n"));
    assert_null(strstr(said, "X-GitHub-Api-Version"));
    close_client(&http);
    let_child_go(&server.child);
}

/* What the last call left is gone. */
static void answers_are_apart(void **state)
{
    struct server server = { .answers = { "HTTP/1.1 403 No\r\nRetry-After: 5\r\nLocation: /x\r\nContent-Length: 5\r\n\r\nhello",
                                          "HTTP/1.1 204 No Content\r\n\r\n" } };
    struct jr_http_answer answer;
    struct client http;

    (void)state;
    start_server(&server);
    http = client("t0ken");
    get(&http, server.url, &answer);
    assert_string_equal(answer.body, "hello");
    post(&http, server.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 204);
    assert_string_equal(answer.body, "");
    assert_int_equal(answer.retry_after_s, -1);
    assert_string_equal(answer.location, "");
    close_client(&http);
    let_child_go(&server.child);
}

/* One that hangs holds up no other. */
static void several_at_once(void **state)
{
    struct server silent = { .answers = { SILENCE } };
    struct server server = { .answers = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                                          "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" } };
    struct client http = client("t0ken");
    struct jr_http_answer answer;
    struct jr_transfer *hangs;

    (void)state;
    start_server(&silent);
    start_server(&server);
    hangs = begin(&http, false, silent.url, NULL, 0);
    go_on(&http, 50);
    get(&http, server.url, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "{}");
    assert_true(answer.begun_us > 0);
    post(&http, server.url, NULL, 0, &answer);
    assert_int_equal(answer.status, 201);
    assert_null(jr_http_answer(hangs));
    jr_http_release(hangs);
    assert_true(jr_http_wait_ms(http.http) >= 0);
    close_client(&http);
    kill_child(&silent.child);
    let_child_go(&server.child);
}

int main(void)
{
    static const char *const proxies[] = { "http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY" };

    for (size_t i = 0; i < COUNT(proxies); i++)
        unsetenv(proxies[i]);
    TEST(token_is_hidden);
    TEST(request_is_what_github_wants);
    TEST(post_has_an_empty_body);
    TEST(post_may_have_json);
    TEST(token_may_change);
    TEST(post_has_a_connection_of_its_own);
    TABLE(headers, headers_are_read);
    TEST(redirect_is_not_followed);
    TABLE(lost, lost_answer);
    TEST(accepted_all_the_same);
    TEST(nothing_was_sent);
    TEST(given_up_while_it_waits);
    TEST(given_up_post_never_arrives);
    TABLE(lossy, lost_post_never_arrives);
    TEST(kernel_gives_up_in_time);
    TEST(too_late_for_a_post);
    TEST(post_needs_a_permit);
    TEST(peer_has_its_head);
    TEST(answers_are_apart);
    TEST(several_at_once);
    return run_program("http");
}
