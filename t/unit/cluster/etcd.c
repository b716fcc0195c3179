/*
 * etcd -- what its gateway answers, as bytes of 3.4 and of 3.6, and what is made of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/cluster/etcd.h"
#include "t/unit/server.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OK(body)      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body
#define STATUS(code, body) "HTTP/1.1 " code " No\r\nConnection: close\r\n\r\n" body

#define HEADER "\"header\":{\"cluster_id\":\"1\",\"member_id\":\"2\",\"revision\":\"7\",\"raft_term\":\"3\"}"

/* "/jr/k" is L2pyL2s=, "mine" bWluZQ==, "else" ZWxzZQ==. */
#define RANGE(value)                                                                            \
    "{\"response_range\":{" HEADER ",\"kvs\":[{\"key\":\"L2pyL2s=\",\"create_revision\":\"5\"," \
    "\"mod_revision\":\"6\",\"version\":\"2\",\"value\":\"" value                               \
    "\",\"lease\":\"9\"}],\"count\":\"1\"}}"
#define MINE RANGE("bWluZQ==")
#define ELSE RANGE("ZWxzZQ==")
#define PUT "{\"response_put\":{" HEADER "}}"
#define NONE "{\"response_range\":{" HEADER "}}"

#define TIMED_OUT                                                                               \
    STATUS("503", "{\"error\":\"etcdserver: request timed out\",\"message\":\"etcdserver: "     \
                  "request timed out\",\"code\":14}")

enum kind { WRITE, SNAPSHOT, GRANT, KEEP, REVOKE, NODE };

static const struct answer {
    const char *name;
    enum kind kind;
    const char *answers[4];
    unsigned tries;
    enum jr_etcd_end end;
    bool refused, read_back;
    size_t count;
    const char *value, *text; /* NULL: not looked at */
    int64_t lease, ttl_s;
} answers[] = {
    { "won", WRITE, { OK("{" HEADER ",\"succeeded\":true,\"responses\":[" PUT "," MINE "]}") },
      1, JR_ETCD_WON, false, false, 1, "mine", NULL, 0, 0 },
    { "won, with blanks", WRITE,
      { OK(" { " HEADER " , \"succeeded\" : true , \"responses\" : [ " PUT " , " MINE " ] } ") },
      1, JR_ETCD_WON, false, false, 1, "mine", NULL, 0, 0 },
    { "lost", WRITE, { OK("{" HEADER ",\"responses\":[" ELSE "]}") }, 1, JR_ETCD_LOST, false, false,
      1, "else", NULL, 0, 0 },
    { "lost, as it says", WRITE, { OK("{" HEADER ",\"succeeded\":false,\"responses\":[" NONE "]}") },
      1, JR_ETCD_LOST, false, false, 0, NULL, NULL, 0, 0 },
    { "numbers as numbers", SNAPSHOT,
      { OK("{\"header\":{\"revision\":7},\"succeeded\":true,\"responses\":[{\"response_range\":{"
           "\"kvs\":[{\"key\":\"L2pyL2s=\",\"create_revision\":5,\"mod_revision\":6,\"value\":"
           "\"ZWxzZQ==\",\"lease\":9}]}}]}") },
      1, JR_ETCD_WON, false, false, 1, "else", NULL, 0, 0 },
    { "nothing there", SNAPSHOT, { OK("{" HEADER ",\"succeeded\":true,\"responses\":[" NONE "]}") },
      1, JR_ETCD_WON, false, false, 0, NULL, NULL, 0, 0 },
    { "timed out", WRITE, { TIMED_OUT, OK("{" HEADER ",\"succeeded\":true,\"responses\":[" ELSE "]}") },
      1, JR_ETCD_UNKNOWN, false, false, 0, NULL, "503 etcdserver: request timed out", 0, 0 },
    { "timed out, and was there", WRITE,
      { TIMED_OUT, OK("{" HEADER ",\"succeeded\":true,\"responses\":[" MINE "]}") }, 1, JR_ETCD_WON,
      false, true, 1, "mine", NULL, 0, 0 },
    { "timed out, then won", WRITE,
      { TIMED_OUT, OK("{" HEADER ",\"succeeded\":true,\"responses\":[" PUT "," MINE "]}") }, 2,
      JR_ETCD_WON, false, false, 1, "mine", NULL, 0, 0 },
    { "timed out, then lost to itself", WRITE,
      { TIMED_OUT, OK("{" HEADER ",\"responses\":[" MINE "]}") }, 2, JR_ETCD_WON, false, true, 1,
      "mine", NULL, 0, 0 },
    { "timed out, then lost", WRITE, { TIMED_OUT, OK("{" HEADER ",\"responses\":[" ELSE "]}") }, 2,
      JR_ETCD_LOST, false, false, 1, "else", NULL, 0, 0 },
    { "timed out thrice", WRITE, { TIMED_OUT, TIMED_OUT, TIMED_OUT }, 2, JR_ETCD_UNKNOWN, false,
      false, 0, NULL, NULL, 0, 0 },
    { "no leader", SNAPSHOT,
      { STATUS("503", "{\"code\":14,\"message\":\"etcdserver: no leader\",\"details\":[]}") }, 1,
      JR_ETCD_UNKNOWN, false, false, 0, NULL, "503 etcdserver: no leader", 0, 0 },
    { "no quorum", WRITE,
      { STATUS("500", "{\"error\":\"context deadline exceeded\",\"code\":2}"),
        OK("{" HEADER ",\"succeeded\":true,\"responses\":[" NONE "]}") },
      1, JR_ETCD_UNKNOWN, false, false, 0, NULL, NULL, 0, 0 },
    { "no JSON", WRITE,
      { OK("<html>"), OK("{" HEADER ",\"succeeded\":true,\"responses\":[" ELSE "]}") }, 1,
      JR_ETCD_UNKNOWN, false, false, 0, NULL, NULL, 0, 0 },
    { "no header", SNAPSHOT, { OK("{}") }, 1, JR_ETCD_UNKNOWN, false, false, 0, NULL, NULL, 0, 0 },
    { "not allowed", WRITE,
      { STATUS("403", "{\"error\":\"etcdserver: permission denied\",\"message\":\"etcdserver: "
                      "permission denied\",\"code\":7}") },
      3, JR_ETCD_UNKNOWN, true, false, 0, NULL, "403 etcdserver: permission denied", 0, 0 },
    { "too old", SNAPSHOT, { STATUS("404", "404 page not found\n") }, 3, JR_ETCD_UNKNOWN, true, false,
      0, NULL, "404 404 page not found", 0, 0 },
    { "a lease that is over", WRITE,
      { STATUS("404", "{\"message\":\"etcdserver: requested lease not found\",\"code\":5}") }, 3,
      JR_ETCD_LOST, false, false, 0, NULL, NULL, 0, 0 },
    { "full", WRITE,
      { STATUS("429", "{\"message\":\"etcdserver: mvcc: database space exceeded\",\"code\":8}"),
        OK("{" HEADER ",\"succeeded\":true,\"responses\":[" NONE "]}") },
      1, JR_ETCD_UNKNOWN, false, false, 0, NULL, NULL, 0, 0 },
    { "a lease", GRANT, { OK("{" HEADER ",\"ID\":\"7587\",\"TTL\":\"60\"}") }, 1, JR_ETCD_WON, false,
      false, 0, NULL, NULL, 7587, 60 },
    { "no lease", GRANT, { OK("{" HEADER "}"), OK("{" HEADER "}") }, 1, JR_ETCD_UNKNOWN, false, false,
      0, NULL, NULL, 0, 0 },
    { "kept alive", KEEP, { OK("{\"result\":{" HEADER ",\"ID\":\"9\",\"TTL\":\"60\"}}") }, 1,
      JR_ETCD_WON, false, false, 0, NULL, NULL, 9, 60 },
    { "kept too late", KEEP, { OK("{\"result\":{" HEADER ",\"ID\":\"9\"}}") }, 1, JR_ETCD_WON, false,
      false, 0, NULL, NULL, 9, 0 },
    { "kept, and an error", KEEP,
      { OK("{\"error\":{\"code\":14,\"message\":\"no leader\"}}"), OK("{}") }, 1, JR_ETCD_UNKNOWN,
      false, false, 0, NULL, NULL, 0, 0 },
    { "not kept, for want of rights", KEEP,
      { STATUS("403", "{\"error\":{\"code\":7,\"message\":\"etcdserver: permission denied\"}}") },
      1, JR_ETCD_UNKNOWN, true, false, 0, NULL, "403 etcdserver: permission denied", 0, 0 },
    { "revoked", REVOKE, { OK("{" HEADER "}") }, 1, JR_ETCD_WON, false, false, 0, NULL, NULL, 0, 0 },
    { "revoked before", REVOKE,
      { STATUS("404", "{\"message\":\"etcdserver: requested lease not found\",\"code\":5}") }, 1,
      JR_ETCD_WON, false, false, 0, NULL, NULL, 0, 0 },
    { "a node", NODE, { OK("{" HEADER ",\"version\":\"3.4.23\",\"leader\":\"18446744073709551615\"}") }, 1, JR_ETCD_WON,
      false, false, 0, NULL, NULL, 0, 0 },
};

static struct jr_etcd_call *begin(struct jr_etcd *etcd, const struct answer *row)
{
    struct jr_etcd_txn txn = { .own = "mine" };

    jr_etcd_add_read(&txn, "/jr/k", false);
    switch (row->kind) {
    case WRITE:
        jr_etcd_add_compare(&txn, "/jr/k", JR_ETCD_CREATED, 0);
        jr_etcd_add_put(&txn, "/jr/k", "mine", 9);
        return jr_etcd_txn(etcd, &txn, row->tries);
    case SNAPSHOT:
        return jr_etcd_txn(etcd, &txn, row->tries);
    case GRANT:
        return jr_etcd_grant(etcd, 60);
    case KEEP:
        return jr_etcd_keep_alive(etcd, 9);
    case REVOKE:
        return jr_etcd_revoke(etcd, 9);
    case NODE:
        break;
    }
    return jr_etcd_status(etcd, 0);
}

/* How many were noted. */
static void note(void *context, const struct jr_etcd_answer *answer)
{
    (void)answer;
    ++*(int *)context;
}

static void open_at(struct jr_etcd **etcd, struct jr_settings *settings,
                    const struct server *server, const char *more, int *noted)
{
    char variables[512];
    struct jr_error error;

    snprintf(variables, sizeof variables,
             "DRY_RUN=yes GITHUB_SIGN_KEY=x CLUSTER_ETCD=%.*s %s",
             (int)(strrchr(server->url, '/') - server->url), server->url, more);
    load_settings(settings, variables);
    if (jr_etcd_open(etcd, settings, note, noted, &error) != JR_OK)
        fail_msg("%s", error.text);
}

static void is_answered(void **state)
{
    const struct answer *row = *state;
    struct server server = { .listener = -1 };
    struct jr_settings settings;
    struct jr_etcd *etcd;
    struct jr_etcd_call *call;
    const struct jr_etcd_answer *answer;
    int noted = 0;

    memcpy(server.answers, row->answers, sizeof row->answers);
    start_server(&server);
    open_at(&etcd, &settings, &server, "", &noted);
    call = begin(etcd, row);
    assert_non_null(call);
    answer = jr_etcd_await(call);
    assert_int_equal(answer->end, row->end);
    assert_int_equal(answer->refused, row->refused);
    assert_int_equal(answer->read_back, row->read_back);
    assert_int_equal(answer->count, row->count);
    if (row->value != NULL) {
        const struct jr_etcd_kv *kv = jr_etcd_find(answer, "/jr/k");

        assert_non_null(kv);
        assert_string_equal(kv->value, row->value);
        assert_true(kv->created == 5 && kv->modified == 6 && kv->lease == 9);
    }
    if (row->text != NULL)
        assert_string_equal(answer->text, row->text);
    if (answer->end == JR_ETCD_WON) {
        assert_int_equal(answer->lease, row->lease);
        assert_int_equal(answer->ttl_s, row->ttl_s);
        assert_true(row->kind == REVOKE || answer->revision == 7);
    }
    assert_int_equal(answer->has_leader, row->kind == NODE);
    assert_int_equal(noted, 1);
    jr_etcd_end_call(call);
    jr_etcd_close(etcd);
    jr_settings_release(&settings);
    kill_child(&server.child);
}

/* Nobody is there: nothing was sent, so that nothing is unsure, and it ends at once. */
static void nobody_listens(void **unused)
{
    struct server server = { .listener = -1 };
    struct jr_settings settings;
    struct jr_etcd *etcd;
    struct jr_etcd_call *call;
    const struct jr_etcd_answer *answer;
    const struct answer row = { .kind = WRITE, .tries = 2 };
    int noted = 0;

    (void)unused;
    listen_somewhere(&server);
    close(server.listener);
    open_at(&etcd, &settings, &server, "", &noted);
    call = begin(etcd, &row);
    assert_non_null(call);
    answer = jr_etcd_await(call);
    assert_int_equal(answer->end, JR_ETCD_UNKNOWN);
    assert_true(answer->text[0] != '\0');
    jr_etcd_end_call(call);
    jr_etcd_close(etcd);
    jr_settings_release(&settings);
}

/* A user: a token first, which goes along bare; one that is known no longer is made anew, once. */
static void token_is_made_anew(void **unused)
{
    struct server server = { .answers = {
        OK("{" HEADER ",\"token\":\"one.1\"}"),
        STATUS("401", "{\"message\":\"etcdserver: invalid auth token\",\"code\":16}"),
        OK("{" HEADER ",\"token\":\"two.2\"}"),
        OK("{" HEADER ",\"succeeded\":true,\"responses\":[" PUT "," MINE "]}"),
    } };
    struct jr_settings settings;
    struct jr_etcd *etcd;
    struct jr_etcd_call *call;
    const struct answer row = { .kind = WRITE, .tries = 1 };
    char request[4096];
    int noted = 0;

    (void)unused;
    start_server(&server);
    open_at(&etcd, &settings, &server, "CLUSTER_USER=u CLUSTER_PASSWORD=p", &noted);
    call = begin(etcd, &row);
    assert_non_null(call);
    assert_int_equal(jr_etcd_await(call)->end, JR_ETCD_WON);
    jr_etcd_end_call(call);
    read_request(&server, request, sizeof request);
    assert_non_null(strstr(request, "POST /v3/auth/authenticate"));
    assert_non_null(strstr(request, "Grpc-Metadata-hasleader: true"));
    jr_etcd_close(etcd);
    jr_settings_release(&settings);
    let_child_go(&server.child);
}

/* Newer versions tell root alone how a node is; its version they tell everybody. */
static void version_of_a_node_that_does_not_tell_its_status(void **unused)
{
    struct server server = { .answers = {
        STATUS("400", "{\"code\":3,\"message\":\"etcdserver: user name is empty\",\"details\":[]}"),
        OK("{\"etcdserver\":\"3.5.30\",\"etcdcluster\":\"3.5.0\"}"),
    } };
    struct jr_settings settings;
    struct jr_etcd *etcd;
    struct jr_etcd_call *call;
    const struct jr_etcd_answer *answer;
    char request[4096];
    int noted = 0;

    (void)unused;
    start_server(&server);
    open_at(&etcd, &settings, &server, "CLUSTER_USER=u CLUSTER_PASSWORD=p", &noted);
    call = jr_etcd_status(etcd, 0);
    assert_non_null(call);
    answer = jr_etcd_await(call);
    assert_int_equal(answer->end, JR_ETCD_WON);
    assert_string_equal(answer->version, "3.5.30");
    assert_true(answer->has_leader);
    jr_etcd_end_call(call);
    read_request(&server, request, sizeof request);
    assert_contains(request, "GET /version HTTP/1.1\r\n");
    jr_etcd_close(etcd);
    jr_settings_release(&settings);
    let_child_go(&server.child);
}

int main(void)
{
    TABLE(answers, is_answered);
    TEST(nobody_listens);
    TEST(token_is_made_anew);
    TEST(version_of_a_node_that_does_not_tell_its_status);
    return run_program("etcd");
}
