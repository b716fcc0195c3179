/*
 * etcd -- the calls of etcd's JSON gateway.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/cluster/etcd.h"
#include "lib/base/buffer.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/format/json.h"
#include "lib/github/http.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS (JR_ETCD_TRY_MS / 2)
#define BODY_MOST (64 * 1024)
#define TOKEN_SIZE 1024

/* A node without a leader says so at once, instead of waiting 7 s for one. */
#define HAS_LEADER "Grpc-Metadata-hasleader: true"

/* Codes of gRPC, as the bodies of errors have them. */
#define CODE_NOT_FOUND 5

struct jr_etcd {
    struct jr_http *http;
    const struct jr_settings *settings;
    struct jr_http_peer peer;
    size_t endpoint; /* the next to be asked */
    char token[TOKEN_SIZE]; /* empty: there is none */
    jr_etcd_note *note;
    void *context;
};

enum kind { TXN, GRANT, KEEP_ALIVE, REVOKE, STATUS };

static const char *const paths[] = {
    [TXN] = "/v3/kv/txn",
    [GRANT] = "/v3/lease/grant",
    [KEEP_ALIVE] = "/v3/lease/keepalive",
    [REVOKE] = "/v3/lease/revoke",
    [STATUS] = "/v3/maintenance/status",
};

struct jr_etcd_call {
    struct jr_etcd *etcd;
    enum kind kind;
    /* then: the one that follows AUTHENTICATES */
    enum { ASKS, AUTHENTICATES, READS_BACK, ASKS_VERSION } stage, then;
    bool writes;
    bool unsure;  /* a try may have taken effect, or may do so later */
    bool renewed; /* there was a new token for it */
    bool over, told;
    unsigned tries; /* that are left, the one under way too */
    size_t endpoint;
    char own[32];
    struct jr_buffer body, look; /* what is asked, and what reads it back */
    char *password; /* of AUTHENTICATES: the body, wiped */
    struct jr_transfer *transfer;
    int64_t begun_us;
    size_t room; /* of answer.kvs */
    struct jr_etcd_answer answer;
};

/* --- what is asked --- */

static void add_base64(struct jr_buffer *buffer, const char *text, size_t length)
{
    char base64[JR_BASE64_SIZE(JR_ETCD_VALUE_SIZE)];

    (void)jr_base64(text, length, base64);
    jr_buffer_print(buffer, "\"%s\"", base64);
}

static void add_key(struct jr_buffer *buffer, const char *key)
{
    jr_buffer_add(buffer, "\"key\":");
    add_base64(buffer, key, strlen(key));
}

static void add_compares(struct jr_buffer *buffer, const struct jr_etcd_txn *txn)
{
    for (size_t i = 0; i < txn->compare_count; i++) {
        const struct jr_etcd_compare *compare = &txn->compares[i];
        bool created = compare->by == JR_ETCD_CREATED;

        jr_buffer_print(buffer, "%s{\"target\":\"%s\",", i == 0 ? "" : ",",
                        created ? "CREATE" : "MOD");
        add_key(buffer, compare->key);
        jr_buffer_print(buffer, ",\"%s\":\"%lld\"}", created ? "create_revision" : "mod_revision",
                        (long long)compare->revision);
    }
}

static void add_puts(struct jr_buffer *buffer, const struct jr_etcd_txn *txn)
{
    for (size_t i = 0; i < txn->put_count; i++) {
        const struct jr_etcd_put *put = &txn->puts[i];
        bool deletes = put->value[0] == '\0';

        jr_buffer_print(buffer, "%s{\"%s\":{", i == 0 ? "" : ",",
                        deletes ? "request_delete_range" : "request_put");
        add_key(buffer, put->key);
        if (!deletes) {
            jr_buffer_add(buffer, ",\"value\":");
            add_base64(buffer, put->value, strlen(put->value));
        }
        if (put->lease != 0)
            jr_buffer_print(buffer, ",\"lease\":\"%lld\"", (long long)put->lease);
        jr_buffer_add(buffer, "}}");
    }
}

static void add_reads(struct jr_buffer *buffer, const struct jr_etcd_txn *txn)
{
    for (size_t i = 0; i < txn->read_count; i++) {
        const struct jr_etcd_read *read = &txn->reads[i];
        char end[JR_ETCD_KEY_SIZE];
        size_t length = strlen(read->key);

        jr_buffer_print(buffer, "%s{\"request_range\":{", i == 0 ? "" : ",");
        add_key(buffer, read->from[0] != '\0' ? read->from : read->key);
        if (read->below && length > 0) {
            memcpy(end, read->key, length);
            end[length - 1]++;
            jr_buffer_print(buffer, ",\"limit\":\"%d\",\"range_end\":", JR_ETCD_KEYS_MOST);
            add_base64(buffer, end, length);
        }
        jr_buffer_add(buffer, "}}");
    }
}

static void print_txn(struct jr_buffer *buffer, const struct jr_etcd_txn *txn)
{
    jr_buffer_add(buffer, "{\"compare\":[");
    add_compares(buffer, txn);
    jr_buffer_add(buffer, "],\"success\":[");
    add_puts(buffer, txn);
    if (txn->put_count > 0 && txn->read_count > 0)
        jr_buffer_add(buffer, ",");
    add_reads(buffer, txn);
    jr_buffer_add(buffer, "],\"failure\":[");
    add_reads(buffer, txn);
    jr_buffer_add(buffer, "]}");
}

void jr_etcd_add_compare(struct jr_etcd_txn *txn, const char *key, enum jr_etcd_by by,
                         int64_t revision)
{
    struct jr_etcd_compare *compare = &txn->compares[txn->compare_count];

    assert(txn->compare_count < JR_ETCD_PARTS);
    txn->compare_count++;
    (void)jr_text_copy(compare->key, sizeof compare->key, key);
    compare->by = by;
    compare->revision = revision;
}

void jr_etcd_add_put(struct jr_etcd_txn *txn, const char *key, const char *value, int64_t lease)
{
    struct jr_etcd_put *put = &txn->puts[txn->put_count];

    assert(txn->put_count < JR_ETCD_PARTS);
    txn->put_count++;
    (void)jr_text_copy(put->key, sizeof put->key, key);
    (void)jr_text_copy(put->value, sizeof put->value, value);
    put->lease = lease;
}

void jr_etcd_add_read(struct jr_etcd_txn *txn, const char *key, bool below)
{
    struct jr_etcd_read *read = &txn->reads[txn->read_count];

    assert(txn->read_count < JR_ETCD_PARTS);
    txn->read_count++;
    (void)jr_text_copy(read->key, sizeof read->key, key);
    read->below = below;
}

/* --- what is answered --- */

/* A 64-bit number comes as a string, and is not there when it is 0. */
static int64_t get_number(json_object *object, const char *key)
{
    json_object *member;
    const char *text;
    char *end;
    long long number;

    if (object == NULL || !json_object_object_get_ex(object, key, &member) || member == NULL)
        return 0;
    if (json_object_get_type(member) == json_type_int)
        return json_object_get_int64(member);
    if (json_object_get_type(member) != json_type_string)
        return 0;
    text = json_object_get_string(member);
    errno = 0;
    number = strtoll(text, &end, 10);
    return *text == '\0' || *end != '\0' || errno != 0 ? 0 : number;
}

/* A text in Base64; what does not fit, or has a NUL in it, is empty. */
static void get_bytes(json_object *object, const char *key, char *copy, size_t size)
{
    char base64[JR_BASE64_SIZE(JR_ETCD_VALUE_SIZE) + 4], *bytes = NULL;
    size_t length = 0;

    copy[0] = '\0';
    if (jr_json_get_text(object, key, base64, sizeof base64) == JR_JSON_OK)
        bytes = jr_text_from_base64(base64, size - 1, &length);
    if (bytes != NULL && strlen(bytes) == length)
        (void)jr_text_copy(copy, size, bytes);
    free(bytes);
}

/* NULL: there is no memory. */
static struct jr_etcd_kv *new_kv(struct jr_etcd_call *call)
{
    struct jr_etcd_answer *answer = &call->answer;

    if (answer->count == call->room) {
        size_t room = call->room == 0 ? 4 : call->room * 2;
        struct jr_etcd_kv *kvs = realloc(answer->kvs, room * sizeof *kvs);

        if (kvs == NULL)
            return NULL;
        answer->kvs = kvs;
        call->room = room;
    }
    return &answer->kvs[answer->count++];
}

/* What one read of a transaction has shown. False: there is no memory. */
static bool take_range(struct jr_etcd_call *call, json_object *range, size_t read)
{
    json_object *kvs = NULL;
    size_t count;

    (void)jr_json_get_array(range, "kvs", &kvs);
    count = kvs == NULL ? 0 : json_object_array_length(kvs);
    for (size_t i = 0; i < count && i < JR_ETCD_KEYS_MOST; i++) {
        json_object *item = json_object_array_get_idx(kvs, i);
        struct jr_etcd_kv *kv = new_kv(call);

        if (kv == NULL)
            return false;
        kv->read = read;
        get_bytes(item, "key", kv->key, sizeof kv->key);
        get_bytes(item, "value", kv->value, sizeof kv->value);
        kv->created = get_number(item, "create_revision");
        kv->modified = get_number(item, "mod_revision");
        kv->lease = get_number(item, "lease");
    }
    return true;
}

/* All that was read, and whether our own write is among it. */
static bool take_reads(struct jr_etcd_call *call, json_object *root, bool *own)
{
    json_object *responses = NULL, *range;
    size_t read = 0, count;

    call->answer.count = 0;
    *own = false;
    (void)jr_json_get_array(root, "responses", &responses);
    count = responses == NULL ? 0 : json_object_array_length(responses);
    for (size_t i = 0; i < count && i < 2 * JR_ETCD_PARTS; i++) {
        if (jr_json_get_object(json_object_array_get_idx(responses, i), "response_range", &range)
            != JR_JSON_OK)
            continue;
        if (!take_range(call, range, read++))
            return false;
    }
    for (size_t i = 0; i < call->answer.count && call->own[0] != '\0'; i++)
        *own = *own || strstr(call->answer.kvs[i].value, call->own) != NULL;
    return true;
}

static bool take_txn(struct jr_etcd_call *call, json_object *root)
{
    bool won = jr_json_is_true(root, "succeeded"), own;

    if (!take_reads(call, root, &own))
        return false;
    if (call->stage == READS_BACK && !own) /* it may take effect later */
        return false;
    /* Lost, but the own text is there: an earlier try of this call took effect. */
    call->answer.read_back = (!won || call->stage == READS_BACK) && own;
    call->answer.end = won || own || !call->writes ? JR_ETCD_WON : JR_ETCD_LOST;
    return true;
}

/* A node without a leader would have said so before it refused its status: HAS_LEADER. */
static bool take_version(struct jr_etcd_call *call, json_object *root)
{
    call->answer.has_leader = true;
    return jr_json_get_text(root, "etcdserver", call->answer.version, sizeof call->answer.version)
           == JR_JSON_OK;
}

static bool take_status(struct jr_etcd_call *call, json_object *root)
{
    json_object *errors;
    char leader[32]; /* its id has 64 bits without a sign */
    bool has = jr_json_get_text(root, "leader", leader, sizeof leader) == JR_JSON_OK
               && strcmp(leader, "0") != 0;

    (void)jr_json_get_text(root, "version", call->answer.version, sizeof call->answer.version);
    call->answer.has_leader = (has || get_number(root, "leader") != 0)
                              && jr_json_get_array(root, "errors", &errors) != JR_JSON_OK;
    return true;
}

/* Take a good answer. False: it is not what it has to be, or there is no memory. */
static bool take(struct jr_etcd_call *call, json_object *root)
{
    json_object *result = root, *header;

    if (json_object_get_type(root) != json_type_object)
        return false;
    call->answer.end = JR_ETCD_WON;
    if (call->stage == ASKS_VERSION)
        return take_version(call, root);
    if (call->kind == KEEP_ALIVE && jr_json_get_object(root, "result", &result) != JR_JSON_OK)
        return false;
    if (jr_json_get_object(result, "header", &header) != JR_JSON_OK)
        return false;
    call->answer.revision = get_number(header, "revision");
    if (call->kind == TXN)
        return take_txn(call, root);
    if (call->kind == STATUS)
        return take_status(call, root);
    call->answer.lease = get_number(result, "ID");
    call->answer.ttl_s = get_number(result, "TTL");
    return call->kind != GRANT || call->answer.lease != 0;
}

static void say(struct jr_etcd_call *call, const struct jr_http_answer *answer, json_object *root)
{
    char *text = call->answer.text;
    size_t size = sizeof call->answer.text;
    char words[200] = "";
    json_object *inner;

    /* Of what etcd calls a stream, as keepalive is, it may be one level deeper. */
    if (root != NULL && jr_json_get_object(root, "error", &inner) == JR_JSON_OK)
        root = inner;
    if (root != NULL && jr_json_get_text(root, "message", words, sizeof words) != JR_JSON_OK)
        (void)jr_json_get_text(root, "error", words, sizeof words);
    else if (root == NULL && answer != NULL && answer->status != 0) /* it is not always JSON */
        (void)jr_text_copy(words, sizeof words, answer->body);
    words[strcspn(words, "\r\n")] = '\0';
    if (answer == NULL)
        (void)jr_text_copy(text, size, "out of memory");
    else if (answer->status == 0)
        (void)jr_text_copy(text, size, answer->text);
    else
        snprintf(text, size, "%d%s%s", answer->status, *words == '\0' ? "" : " ", words);
}

/* --- a call on its way --- */

static const char *url_of(const struct jr_etcd *etcd, size_t endpoint)
{
    const struct jr_list *urls = &etcd->settings->cluster_etcd;

    return urls->items[endpoint % urls->count];
}

/* NULL: there is no memory. Kept by the call until the end of the request. */
static char *print_password(const struct jr_settings *settings)
{
    json_object *object = json_object_new_object();
    char *text = NULL;

    if (object == NULL || settings->cluster_password == NULL)
        return NULL;
    json_object_object_add(object, "name", json_object_new_string(settings->cluster_user));
    json_object_object_add(object, "password",
                           json_object_new_string(settings->cluster_password));
    text = strdup(json_object_to_json_string(object));
    json_object_put(object);
    return text;
}

static void drop_password(struct jr_etcd_call *call)
{
    if (call->password != NULL)
        jr_wipe(call->password, strlen(call->password));
    free(call->password);
    call->password = NULL;
}

static void finish(struct jr_etcd_call *call, enum jr_etcd_end end)
{
    struct jr_etcd *etcd = call->etcd;

    call->over = true;
    call->answer.end = end;
    call->answer.duration_us = jr_monotonic_us() - call->begun_us;
    if (end == JR_ETCD_UNKNOWN)
        call->answer.count = 0;
    if (etcd->note != NULL)
        etcd->note(etcd->context, &call->answer);
}

static const char *path_of(const struct jr_etcd_call *call)
{
    if (call->stage == ASKS_VERSION)
        return "/version";
    return call->stage == AUTHENTICATES ? "/v3/auth/authenticate" : paths[call->kind];
}

/* Make a request of the stage that the call is at. */
static void begin(struct jr_etcd_call *call)
{
    struct jr_etcd *etcd = call->etcd;
    bool authenticates = call->stage == AUTHENTICATES;
    char url[512];
    struct jr_http_request request = {
        .url = url,
        .token = authenticates || etcd->token[0] == '\0' ? NULL : etcd->token,
        .posts = call->stage != ASKS_VERSION,
        .json = call->stage == READS_BACK ? call->look.bytes : call->body.bytes,
        .type = "application/json",
        .total_ms = JR_ETCD_TRY_MS,
        .peer = &etcd->peer,
    };

    snprintf(url, sizeof url, "%s%s", url_of(etcd, call->endpoint), path_of(call));
    if (authenticates) {
        drop_password(call);
        request.json = call->password = print_password(etcd->settings);
    }
    call->transfer = request.json == NULL ? NULL : jr_http_begin(etcd->http, &request);
    if (call->transfer == NULL) {
        say(call, NULL, NULL);
        finish(call, JR_ETCD_UNKNOWN);
    }
}

static void ask(struct jr_etcd_call *call)
{
    const struct jr_etcd *etcd = call->etcd;

    if (call->stage == ASKS && call->kind != STATUS && etcd->settings->cluster_user != NULL
        && etcd->token[0] == '\0') {
        call->then = ASKS;
        call->stage = AUTHENTICATES;
    }
    begin(call);
}

/* This endpoint is of no use now: try the next one, or read back, or give up. */
static void go_on(struct jr_etcd_call *call, bool may_count)
{
    call->unsure = call->unsure || (call->writes && may_count && call->stage == ASKS);
    if (call->kind != STATUS && call->endpoint == call->etcd->endpoint)
        call->etcd->endpoint = (call->endpoint + 1) % call->etcd->settings->cluster_etcd.count;
    call->endpoint++;
    if (call->stage != READS_BACK && --call->tries > 0) {
        call->stage = ASKS;
        ask(call);
    } else if (call->stage != READS_BACK && call->unsure && call->own[0] != '\0'
               && call->look.ok) {
        call->stage = READS_BACK;
        begin(call);
    } else {
        finish(call, JR_ETCD_UNKNOWN);
    }
}

static void take_token(struct jr_etcd_call *call, json_object *root, int status)
{
    struct jr_etcd *etcd = call->etcd;

    drop_password(call);
    if (status == 200
        && jr_json_get_text(root, "token", etcd->token, sizeof etcd->token) == JR_JSON_OK
        && strpbrk(etcd->token, "\r\n") == NULL) {
        call->stage = call->then;
        begin(call);
        return;
    }
    etcd->token[0] = '\0';
    if (status >= 500 || status == 0) {
        call->stage = call->then;
        go_on(call, false);
        return;
    }
    call->answer.refused = !call->unsure;
    finish(call, JR_ETCD_UNKNOWN);
}

/* 401: etcd does not know the token any more, and nothing was done. */
static bool renews(struct jr_etcd_call *call, int status)
{
    if (status != 401 || call->renewed || call->etcd->settings->cluster_user == NULL)
        return false;
    call->renewed = true;
    call->etcd->token[0] = '\0';
    call->then = call->stage;
    call->stage = AUTHENTICATES;
    begin(call);
    return true;
}

/* Newer etcd tell their status to root only, and their version to everybody. */
static bool asks_version(struct jr_etcd_call *call, int status)
{
    if (call->kind != STATUS || call->stage != ASKS || call->etcd->settings->cluster_user == NULL
        || (status != 400 && status != 401 && status != 403))
        return false;
    call->stage = ASKS_VERSION;
    begin(call);
    return true;
}

/* A clear refusal: nothing was done, and no other endpoint would do it. */
static void refused(struct jr_etcd_call *call, json_object *root)
{
    if (call->kind == REVOKE && get_number(root, "code") == CODE_NOT_FOUND) {
        finish(call, JR_ETCD_WON);
        return;
    }
    /* The lease is over, so what was to hang on it was not written. */
    if (call->kind == TXN && get_number(root, "code") == CODE_NOT_FOUND && !call->unsure) {
        finish(call, JR_ETCD_LOST);
        return;
    }
    call->answer.refused = !call->unsure;
    finish(call, JR_ETCD_UNKNOWN);
}

static void answered(struct jr_etcd_call *call, const struct jr_http_answer *answer)
{
    json_object *root = NULL;
    struct jr_error ignored;
    int status = answer->status;

    if (status == 0 || jr_json_parse(answer->body, answer->length, &root, &ignored) != JR_OK)
        root = NULL;
    if (call->stage != READS_BACK) /* people want to know what was wrong before that */
        say(call, answer, root);
    if (call->stage == AUTHENTICATES)
        take_token(call, root, status);
    else if (asks_version(call, status) || renews(call, status))
        ;
    else if (status == 200 && root != NULL && take(call, root))
        finish(call, call->answer.end);
    else if (status >= 400 && status < 500 && status != 401 && status != 429)
        refused(call, root);
    else
        go_on(call, status != 0 || answer->sent);
    json_object_put(root);
}

const struct jr_etcd_answer *jr_etcd_work(struct jr_etcd_call *call)
{
    while (!call->over) {
        struct jr_transfer *transfer = call->transfer;
        const struct jr_http_answer *answer = jr_http_answer(transfer);

        if (answer == NULL)
            return NULL;
        call->transfer = NULL;
        answered(call, answer);
        jr_http_release(transfer);
    }
    return &call->answer;
}

const struct jr_etcd_answer *jr_etcd_await(struct jr_etcd_call *call)
{
    const struct jr_etcd_answer *answer;

    while ((answer = jr_etcd_work(call)) == NULL)
        (void)jr_http_await(call->transfer);
    return answer;
}

void jr_etcd_end_call(struct jr_etcd_call *call)
{
    if (call == NULL)
        return;
    jr_http_release(call->transfer);
    drop_password(call);
    jr_buffer_release(&call->body);
    jr_buffer_release(&call->look);
    free(call->answer.kvs);
    free(call);
}

static struct jr_etcd_call *new_call(struct jr_etcd *etcd, enum kind kind, unsigned tries)
{
    struct jr_etcd_call *call = calloc(1, sizeof *call);

    if (call == NULL)
        return NULL;
    call->etcd = etcd;
    call->kind = kind;
    call->tries = tries;
    call->endpoint = etcd->endpoint;
    call->begun_us = jr_monotonic_us();
    jr_buffer_init(&call->body, BODY_MOST);
    jr_buffer_init(&call->look, BODY_MOST);
    return call;
}

/* Begin, if there was memory for the whole body; else NULL. */
static struct jr_etcd_call *start(struct jr_etcd_call *call)
{
    if (call->body.ok) {
        ask(call);
        return call;
    }
    jr_etcd_end_call(call);
    return NULL;
}

struct jr_etcd_call *jr_etcd_txn(struct jr_etcd *etcd, const struct jr_etcd_txn *txn,
                                 unsigned tries)
{
    struct jr_etcd_call *call = new_call(etcd, TXN, tries);
    struct jr_etcd_txn *look = call == NULL ? NULL : malloc(sizeof *look);

    if (look == NULL) {
        jr_etcd_end_call(call);
        return NULL;
    }
    *look = *txn;
    look->compare_count = look->put_count = 0;
    call->writes = txn->put_count > 0;
    (void)jr_text_copy(call->own, sizeof call->own, txn->own);
    print_txn(&call->body, txn);
    print_txn(&call->look, look);
    free(look);
    return start(call);
}

static struct jr_etcd_call *about_lease(struct jr_etcd *etcd, enum kind kind, const char *format,
                                        int64_t number, unsigned tries)
{
    struct jr_etcd_call *call = new_call(etcd, kind, tries);

    if (call == NULL)
        return NULL;
    jr_buffer_print(&call->body, "{\"%s\":\"%lld\"}", format, (long long)number);
    return start(call);
}

struct jr_etcd_call *jr_etcd_grant(struct jr_etcd *etcd, int64_t ttl_s)
{
    return about_lease(etcd, GRANT, "TTL", ttl_s, 2);
}

struct jr_etcd_call *jr_etcd_keep_alive(struct jr_etcd *etcd, int64_t lease)
{
    return about_lease(etcd, KEEP_ALIVE, "ID", lease, 2);
}

struct jr_etcd_call *jr_etcd_revoke(struct jr_etcd *etcd, int64_t lease)
{
    return about_lease(etcd, REVOKE, "ID", lease, 1);
}

struct jr_etcd_call *jr_etcd_status(struct jr_etcd *etcd, size_t endpoint)
{
    struct jr_etcd_call *call = new_call(etcd, STATUS, 1);

    if (call == NULL)
        return NULL;
    call->endpoint = endpoint;
    jr_buffer_add(&call->body, "{}");
    return start(call);
}

enum jr_err jr_etcd_open(struct jr_etcd **etcd, const struct jr_settings *settings,
                         jr_etcd_note *note, void *context, struct jr_error *error)
{
    struct jr_etcd *opened = calloc(1, sizeof *opened);
    enum jr_err err;

    *etcd = NULL;
    if (opened == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    opened->settings = settings;
    opened->note = note;
    opened->context = context;
    opened->peer = (struct jr_http_peer){
        .cert_file = settings->cluster_cert_file,
        .key = settings->cluster_key,
        .header = HAS_LEADER,
        .connect_ms = CONNECT_MS,
    };
    err = jr_http_open(&opened->http, settings->cluster_ca_file, error);
    if (err != JR_OK) {
        free(opened);
        return err;
    }
    *etcd = opened;
    return JR_OK;
}

void jr_etcd_close(struct jr_etcd *etcd)
{
    if (etcd == NULL)
        return;
    jr_http_close(etcd->http);
    jr_wipe(etcd->token, sizeof etcd->token);
    free(etcd);
}

int jr_etcd_fd(const struct jr_etcd *etcd)
{
    return jr_http_fd(etcd->http);
}

int64_t jr_etcd_wait_ms(const struct jr_etcd *etcd)
{
    return jr_http_wait_ms(etcd->http);
}

void jr_etcd_tend(struct jr_etcd *etcd)
{
    jr_http_work(etcd->http);
}

const struct jr_etcd_kv *jr_etcd_find(const struct jr_etcd_answer *answer, const char *key)
{
    for (size_t i = 0; i < answer->count; i++)
        if (strcmp(answer->kvs[i].key, key) == 0)
            return &answer->kvs[i];
    return NULL;
}
