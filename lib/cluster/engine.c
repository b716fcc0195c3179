/*
 * engine -- a host among several.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/cluster/engine.h"
#include "lib/base/testpoint.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/json.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* How often this host looks at what holds for all; and sooner, while nothing may be done. */
#define SIGHT_MS (5 * JR_SECOND_MS)
#define HALTED_MS (JR_SECOND_MS)

/* The host remembers of so many claims since when they have not changed. */
#define WATCHED 4096

/* Writes that nobody waits for. */
#define LOOSE_MOST 64

#define TRIES 3
#define PERMIT_TRIES 2

/* GitHub keeps runs for longer, but so late nobody asks for a rerun any more. */
#define CLAIMS_KEPT_MS (8 * JR_DAY_MS)
#define SPENT_KEPT_MS (2 * JR_DAY_MS)
#define PRUNE_MS JR_HOUR_MS

#define ROUNDS 3

/* Another host reads the lists: ask again after so long. */
#define SWEEP_AGAIN_MS (5 * JR_SECOND_MS)

struct watched {
    uint64_t run_id;
    uint32_t attempt;
    int64_t modified, since_ms, looked_ms; /* of jr_boottime_ms() */
};

/* The steps by which this host comes among the others. */
enum step { LOOKS, LEAVES_OLD, GRANTS, JOINS, LIVES };

struct jr_engine {
    const struct jr_settings *settings;
    struct jr_etcd *etcd;
    struct jr_claim self; /* host, name, boot */
    char machine[JR_CLAIM_OP_SIZE];
    char fingerprint[JR_CLAIM_OP_SIZE];
    char host_key[JR_ETCD_KEY_SIZE];
    enum jr_engine_state state;
    char text[256];
    enum step step;
    bool format_known;
    int64_t lease, created; /* of the host; LEAVES_OLD: of its earlier start */
    int64_t due_ms;         /* boot time: when the next step is to be taken */
    int64_t alive_ms;       /* ... when the lease is to be kept alive */
    struct jr_etcd_call *call;    /* of `step' */
    struct jr_etcd_call *keeping; /* keeps the lease alive, */
    struct jr_etcd_call *seeing;  /* looks at what holds for all */
    struct jr_engine_sight sight;
    int64_t sight_ms; /* boot time: when that is due */
    struct jr_etcd_call *loose[LOOSE_MOST];
    bool looks_after; /* what all keep to is looked at as soon as those have ended */
    struct watched *watched;
    size_t watched_count;
    struct { /* a stop that is to be told */
        struct jr_etcd_call *call;
        bool granted;
        enum jr_reason reason;
        int64_t lease;  /* on which it hangs; 0: we have told none */
        int64_t others; /* the revision of a stop for another token; 0: there is none */
    } stop;
    struct {
        struct jr_etcd_call *call;
        bool mine;
        int64_t modified, again_ms;
    } sweep;
    struct { /* old records are taken away, page by page */
        struct jr_etcd_call *call;
        int64_t due_ms; /* boot time; done by a host that has just read the lists */
        bool goes_on;   /* there are more pages */
        char from[JR_ETCD_KEY_SIZE];
    } prune;
};

const char *jr_engine_state_name(enum jr_engine_state state)
{
    static const char *const names[] = { "joins", "up", "unreachable", "copy", "too-new" };

    return names[state];
}

/* --- names --- */

void jr_engine_key(const struct jr_settings *settings, char key[JR_ETCD_KEY_SIZE],
                   const char *format, ...)
{
    va_list args;
    int length = snprintf(key, JR_ETCD_KEY_SIZE, "/jr/%s/", settings->cluster_name);

    va_start(args, format);
    if (length > 0 && length < JR_ETCD_KEY_SIZE)
        (void)vsnprintf(key + length, (size_t)(JR_ETCD_KEY_SIZE - length), format, args);
    va_end(args);
}

void jr_engine_host(const struct jr_settings *settings, char name[JR_CLAIM_NAME_SIZE])
{
    char host[256] = "";

    if (settings->cluster_host == NULL && gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    (void)jr_text_copy(name, JR_CLAIM_NAME_SIZE,
                       settings->cluster_host != NULL ? settings->cluster_host : host);
}

void jr_engine_random(char *text, size_t size)
{
    unsigned char bytes[JR_CLAIM_ID_SIZE];
    size_t count = (size - 1) / 2;

    if (getrandom(bytes, count, 0) != (ssize_t)count)
        abort(); /* Linux gives up to 256 bytes at once, or none at the boot of the machine */
    jr_text_to_hex(bytes, count, text);
}

/* Who writes now. */
static struct jr_claim writer(const struct jr_engine *engine)
{
    struct jr_claim by = engine->self;

    jr_engine_random(by.op, sizeof by.op);
    by.at_ms = jr_now_ms();
    return by;
}

static void run_key(const struct jr_claimant *claimant, char key[JR_ETCD_KEY_SIZE])
{
    jr_engine_key(claimant->engine->settings, key, "run/%020llu/%03u",
                  (unsigned long long)claimant->run_id, claimant->attempt);
}

/* --- what holds for all hosts --- */

static void read_paused(const struct jr_etcd_kv *kv, struct jr_engine_sight *sight)
{
    json_object *root = NULL;
    struct jr_error error;

    sight->paused = true;
    sight->paused_for_good = kv->lease == 0;
    if (jr_json_parse(kv->value, strlen(kv->value), &root, &error) != JR_OK)
        return;
    (void)jr_json_get_text(root, "name", sight->pauser, sizeof sight->pauser);
    (void)jr_json_get_id(root, "since_ms", (uint64_t *)&sight->paused_ms);
    json_object_put(root);
}

static void read_name(const struct jr_etcd_kv *kv, char name[JR_CLAIM_NAME_SIZE])
{
    json_object *root = NULL;
    struct jr_error error;

    name[0] = '\0';
    if (jr_json_parse(kv->value, strlen(kv->value), &root, &error) == JR_OK)
        (void)jr_json_get_text(root, "name", name, JR_CLAIM_NAME_SIZE);
    json_object_put(root);
    if (name[0] == '\0')
        (void)jr_text_copy(name, JR_CLAIM_NAME_SIZE, "a host without a name");
}

/* For which causes reruns are held. host: those which it has told are own ones; NULL: nobody. */
static void read_outages(const struct jr_settings *settings, const struct jr_etcd_answer *answer,
                         const char *host, struct jr_engine_sight *sight)
{
    char below[JR_ETCD_KEY_SIZE];
    size_t length;

    jr_engine_key(settings, below, "ctl/outage/");
    length = strlen(below);
    for (size_t i = 0; i < answer->count; i++) {
        const struct jr_etcd_kv *kv = &answer->kvs[i];
        enum jr_cause cause = strncmp(kv->key, below, length) == 0
                                  ? jr_cause_from(kv->key + length)
                                  : JR_CAUSE_NONE;

        if (cause == JR_CAUSE_NONE || (size_t)cause >= JR_CAUSES)
            continue;
        sight->outages |= UINT64_C(1) << cause;
        if (host != NULL && strstr(kv->value, host) != NULL)
            sight->own_outages |= UINT64_C(1) << cause;
    }
}

void jr_engine_read_sight(const struct jr_settings *settings, const struct jr_etcd_answer *answer,
                          struct jr_engine_sight *sight)
{
    char hosts[JR_ETCD_KEY_SIZE], key[JR_ETCD_KEY_SIZE];
    const struct jr_etcd_kv *kv;

    memset(sight, 0, sizeof *sight);
    jr_engine_key(settings, hosts, "host/");
    /* The own key may be there twice: it is read by itself, too (add_sight()). */
    for (size_t i = 0; i < answer->count && sight->hosts < JR_ENGINE_HOSTS; i++)
        if (strncmp(answer->kvs[i].key, hosts, strlen(hosts)) == 0
            && jr_etcd_find(answer, answer->kvs[i].key) == &answer->kvs[i])
            read_name(&answer->kvs[i], sight->names[sight->hosts++]);
    jr_engine_key(settings, key, "ctl/paused");
    kv = jr_etcd_find(answer, key);
    if (kv != NULL)
        read_paused(kv, sight);
    jr_engine_key(settings, key, "ctl/sweep");
    kv = jr_etcd_find(answer, key);
    if (kv != NULL)
        read_name(kv, sight->sweeper);
    read_outages(settings, answer, NULL, sight);
}

/* Returns the revision of a stop that is for another token, and so not for us; else 0. */
static int64_t read_stop(struct jr_engine *engine, const struct jr_etcd_answer *answer)
{
    char key[JR_ETCD_KEY_SIZE], whose[JR_CLAIM_OP_SIZE] = "", reason[JR_CLAIM_REASON_SIZE] = "";
    const struct jr_etcd_kv *kv;
    json_object *root = NULL;
    struct jr_error error;

    engine->sight.stopped = false;
    engine->stop.others = 0;
    jr_engine_key(engine->settings, key, "ctl/stop");
    kv = jr_etcd_find(answer, key);
    if (kv == NULL)
        return 0;
    if (jr_json_parse(kv->value, strlen(kv->value), &root, &error) == JR_OK) {
        (void)jr_json_get_text(root, "fingerprint", whose, sizeof whose);
        (void)jr_json_get_text(root, "reason", reason, sizeof reason);
    }
    json_object_put(root);
    if (whose[0] != '\0' && strcmp(whose, engine->fingerprint) != 0)
        return engine->stop.others = kv->modified;
    engine->sight.stopped = true;
    engine->sight.stop_reason = jr_reason_from(reason) == JR_REASON_RATE_LIMITED
                                    ? JR_REASON_RATE_LIMITED
                                    : JR_REASON_BAD_TOKEN;
    return 0;
}

/* Note how etcd has answered. */
static void note_end(struct jr_engine *engine, const struct jr_etcd_answer *answer)
{
    if (answer->end != JR_ETCD_UNKNOWN) {
        if (engine->state == JR_ENGINE_DOWN)
            engine->state = engine->step == LIVES ? JR_ENGINE_UP : JR_ENGINE_JOINS;
        return;
    }
    if (engine->state != JR_ENGINE_DOWN)
        engine->sight_ms = 0; /* try again at once: only this call may have failed */
    engine->state = JR_ENGINE_DOWN;
    (void)jr_text_copy(engine->text, sizeof engine->text, answer->text);
}

/* We are no longer among the hosts: all that hung on our lease is gone. */
static void join_anew(struct jr_engine *engine)
{
    if (engine->step != LIVES)
        return;
    engine->step = LOOKS;
    engine->created = 0;
    engine->due_ms = 0;
    engine->sweep.mine = false;
    if (engine->state == JR_ENGINE_UP)
        engine->state = JR_ENGINE_JOINS;
}

/* See whether our own key is as we made it, where an answer shows it. */
static void check_self(struct jr_engine *engine, const struct jr_etcd_answer *answer)
{
    const struct jr_etcd_kv *kv = jr_etcd_find(answer, engine->host_key);

    if (engine->step == LIVES && (kv == NULL || kv->created != engine->created))
        join_anew(engine);
}

static void see(struct jr_engine *engine, const struct jr_etcd_answer *answer)
{
    jr_engine_read_sight(engine->settings, answer, &engine->sight);
    read_outages(engine->settings, answer, engine->self.host, &engine->sight);
    (void)read_stop(engine, answer);
    check_self(engine, answer);
}

static void add_sight(const struct jr_engine *engine, struct jr_etcd_txn *txn)
{
    char key[JR_ETCD_KEY_SIZE];

    jr_engine_key(engine->settings, key, "host/");
    jr_etcd_add_read(txn, key, true);
    jr_etcd_add_read(txn, engine->host_key, false); /* may not be among the first ones */
    jr_engine_key(engine->settings, key, "ctl/paused");
    jr_etcd_add_read(txn, key, false);
    jr_engine_key(engine->settings, key, "ctl/stop");
    jr_etcd_add_read(txn, key, false);
    jr_engine_key(engine->settings, key, "ctl/sweep");
    jr_etcd_add_read(txn, key, false);
    jr_engine_key(engine->settings, key, "ctl/outage/");
    jr_etcd_add_read(txn, key, true);
}

static void tend_sight(struct jr_engine *engine, int64_t now_ms)
{
    struct jr_etcd_txn *txn;
    const struct jr_etcd_answer *answer;

    if (engine->seeing != NULL) {
        answer = jr_etcd_work(engine->seeing);
        if (answer == NULL)
            return;
        note_end(engine, answer);
        if (answer->end == JR_ETCD_WON)
            see(engine, answer);
        jr_etcd_end_call(engine->seeing);
        engine->seeing = NULL;
        engine->sight_ms = now_ms + (jr_engine_may_work(engine) ? SIGHT_MS : HALTED_MS);
        return;
    }
    if (engine->sight_ms > now_ms || (txn = calloc(1, sizeof *txn)) == NULL)
        return;
    add_sight(engine, txn);
    engine->seeing = jr_etcd_txn(engine->etcd, txn, TRIES);
    free(txn);
}

/* --- to be among the hosts --- */

static void print_host(const struct jr_engine *engine, char *value, size_t size)
{
    snprintf(value, size,
             "{\"v\":1,\"name\":\"%s\",\"boot\":\"%s\",\"machine\":\"%s\",\"version\":\"%s\"}",
             engine->self.name, engine->self.boot, engine->machine, PACKAGE_VERSION);
}

/* What there is already: the format, and who has our id. Returns the step that follows. */
static enum step take_look(struct jr_engine *engine, const struct jr_etcd_answer *answer)
{
    char key[JR_ETCD_KEY_SIZE], machine[64];
    const struct jr_etcd_kv *format, *host = jr_etcd_find(answer, engine->host_key);
    json_object *root = NULL;
    struct jr_error error;

    jr_engine_key(engine->settings, key, "format");
    format = jr_etcd_find(answer, key);
    engine->format_known = format != NULL;
    if (format != NULL && strcmp(format->value, "1") != 0) {
        engine->state = JR_ENGINE_TOO_NEW;
        snprintf(engine->text, sizeof engine->text, "the keys below %s are of a later version of "
                 "the program", key);
        return LOOKS;
    }
    if (host == NULL)
        return GRANTS;
    machine[0] = '\0';
    if (jr_json_parse(host->value, strlen(host->value), &root, &error) == JR_OK)
        (void)jr_json_get_text(root, "machine", machine, sizeof machine);
    json_object_put(root);
    if (strcmp(machine, engine->machine) == 0) {
        engine->lease = host->lease; /* we have the lock of STATE_DIR, so that start is dead */
        engine->created = host->modified;
        return LEAVES_OLD;
    }
    engine->state = JR_ENGINE_COPY;
    snprintf(engine->text, sizeof engine->text, "another machine works with a copy of this store");
    return LOOKS;
}

static struct jr_etcd_call *begin_look(struct jr_engine *engine, struct jr_etcd_txn *txn)
{
    char key[JR_ETCD_KEY_SIZE];

    jr_engine_key(engine->settings, key, "format");
    jr_etcd_add_read(txn, key, false);
    jr_etcd_add_read(txn, engine->host_key, false);
    return jr_etcd_txn(engine->etcd, txn, TRIES);
}

/* Remove what an earlier start left: with its lease, or only the key if there is none. */
static struct jr_etcd_call *begin_leave(struct jr_engine *engine, struct jr_etcd_txn *txn)
{
    if (engine->lease != 0)
        return jr_etcd_revoke(engine->etcd, engine->lease);
    jr_etcd_add_compare(txn, engine->host_key, JR_ETCD_MODIFIED, engine->created);
    jr_etcd_add_put(txn, engine->host_key, "", 0);
    return jr_etcd_txn(engine->etcd, txn, TRIES);
}

static struct jr_etcd_call *begin_join(struct jr_engine *engine, struct jr_etcd_txn *txn)
{
    char key[JR_ETCD_KEY_SIZE], value[JR_ETCD_VALUE_SIZE];

    print_host(engine, value, sizeof value);
    jr_etcd_add_compare(txn, engine->host_key, JR_ETCD_CREATED, 0);
    jr_etcd_add_put(txn, engine->host_key, value, engine->lease);
    jr_engine_key(engine->settings, key, "format");
    if (!engine->format_known) {
        jr_etcd_add_compare(txn, key, JR_ETCD_CREATED, 0);
        jr_etcd_add_put(txn, key, "1", 0);
    }
    jr_etcd_add_read(txn, engine->host_key, false);
    (void)jr_text_copy(txn->own, sizeof txn->own, engine->self.boot);
    return jr_etcd_txn(engine->etcd, txn, TRIES);
}

static int64_t lease_s(const struct jr_engine *engine)
{
    return (jr_test_shorter_ms(engine->settings->cluster_lease_ms) + 999) / 1000;
}

static void begin_step(struct jr_engine *engine)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);

    if (txn == NULL)
        return;
    switch (engine->step) {
    case LOOKS:
        engine->call = begin_look(engine, txn);
        break;
    case LEAVES_OLD:
        engine->call = begin_leave(engine, txn);
        break;
    case GRANTS:
        engine->call = jr_etcd_grant(engine->etcd, lease_s(engine) < 2 ? 2 : lease_s(engine));
        break;
    case JOINS:
        engine->call = begin_join(engine, txn);
        break;
    case LIVES:
        break;
    }
    free(txn);
}

static enum step after_join(struct jr_engine *engine, const struct jr_etcd_answer *answer)
{
    const struct jr_etcd_kv *kv = jr_etcd_find(answer, engine->host_key);

    if (answer->end != JR_ETCD_WON || kv == NULL)
        return LOOKS;
    engine->created = kv->created;
    engine->state = JR_ENGINE_UP;
    engine->text[0] = '\0';
    engine->alive_ms = 0;
    engine->sight_ms = 0;
    return LIVES;
}

/* A step has been answered: what follows. */
static enum step next_step(struct jr_engine *engine, const struct jr_etcd_answer *answer)
{
    switch (engine->step) {
    case LOOKS:
        engine->state = JR_ENGINE_JOINS;
        return take_look(engine, answer);
    case LEAVES_OLD:
        return LOOKS;
    case GRANTS:
        engine->lease = answer->lease;
        return JOINS;
    case JOINS:
        return after_join(engine, answer);
    case LIVES:
        break;
    }
    return LIVES;
}

static void tend_steps(struct jr_engine *engine, int64_t now_ms)
{
    const struct jr_etcd_answer *answer;

    while (engine->step != LIVES && (engine->call != NULL || engine->due_ms <= now_ms)) {
        enum step before = engine->step;

        if (engine->call == NULL)
            begin_step(engine);
        answer = engine->call == NULL ? NULL : jr_etcd_work(engine->call);
        if (answer == NULL)
            return;
        note_end(engine, answer);
        if (answer->end == JR_ETCD_UNKNOWN)
            engine->step = LOOKS;
        else
            engine->step = next_step(engine, answer);
        if (answer->end == JR_ETCD_UNKNOWN || engine->step == before)
            engine->due_ms = now_ms + HALTED_MS;
        jr_etcd_end_call(engine->call);
        engine->call = NULL;
    }
}

static void tend_lease(struct jr_engine *engine, int64_t now_ms)
{
    const struct jr_etcd_answer *answer;

    if (engine->keeping == NULL && engine->step == LIVES && engine->alive_ms <= now_ms) {
        engine->alive_ms = now_ms + lease_s(engine) * 1000 / 4;
        engine->keeping = jr_etcd_keep_alive(engine->etcd, engine->lease);
    }
    answer = engine->keeping == NULL ? NULL : jr_etcd_work(engine->keeping);
    if (answer == NULL)
        return;
    note_end(engine, answer);
    if (answer->end == JR_ETCD_UNKNOWN)
        engine->alive_ms = now_ms + HALTED_MS;
    else if (answer->ttl_s <= 0)
        join_anew(engine);
    jr_etcd_end_call(engine->keeping);
    engine->keeping = NULL;
}

/* --- writes that nobody waits for --- */

static bool is_loose(const struct jr_engine *engine)
{
    for (size_t i = 0; i < LOOSE_MOST; i++)
        if (engine->loose[i] != NULL)
            return true;
    return false;
}

static void tend_loose(struct jr_engine *engine)
{
    for (size_t i = 0; i < LOOSE_MOST; i++) {
        if (engine->loose[i] == NULL || jr_etcd_work(engine->loose[i]) == NULL)
            continue;
        jr_etcd_end_call(engine->loose[i]);
        engine->loose[i] = NULL;
        if (engine->looks_after)
            engine->sight_ms = 0;
    }
    engine->looks_after = engine->looks_after && is_loose(engine);
}

/* If there are too many, it is not written: other hosts find out in another way. */
static void let_loose(struct jr_engine *engine, const struct jr_etcd_txn *txn)
{
    for (size_t i = 0; i < LOOSE_MOST; i++) {
        if (engine->loose[i] != NULL)
            continue;
        engine->loose[i] = jr_etcd_txn(engine->etcd, txn, TRIES);
        return;
    }
}

/* --- stops, and who reads the lists --- */

void jr_engine_look(struct jr_engine *engine)
{
    engine->sight_ms = 0;
}

void jr_engine_set_fingerprint(struct jr_engine *engine, const char *fingerprint)
{
    (void)jr_text_copy(engine->fingerprint, sizeof engine->fingerprint, fingerprint);
}

bool jr_engine_tell_stop(struct jr_engine *engine, enum jr_reason reason, int64_t wait_ms)
{
    int64_t wait_s = (wait_ms + 999) / 1000;

    if (engine->stop.call != NULL || engine->step != LIVES)
        return false;
    engine->stop.reason = reason;
    engine->stop.granted = false;
    engine->stop.lease = 0;
    engine->stop.call = jr_etcd_grant(engine->etcd, wait_s < 2 ? 2 : wait_s > 3600 ? 3600 : wait_s);
    return engine->stop.call != NULL;
}

void jr_engine_end_stop(struct jr_engine *engine)
{
    if (engine->stop.lease == 0 || engine->stop.call != NULL)
        return;
    engine->stop.granted = true; /* nothing is to be written after it */
    engine->stop.call = jr_etcd_revoke(engine->etcd, engine->stop.lease);
    engine->stop.lease = 0;
    engine->sight_ms = 0;
}

static struct jr_etcd_call *write_stop(struct jr_engine *engine, int64_t lease)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);
    struct jr_etcd_call *call;
    char key[JR_ETCD_KEY_SIZE], value[JR_ETCD_VALUE_SIZE];

    if (txn == NULL)
        return NULL;
    jr_engine_key(engine->settings, key, "ctl/stop");
    snprintf(value, sizeof value,
             "{\"v\":1,\"reason\":\"%s\",\"name\":\"%s\",\"fingerprint\":\"%s\"}",
             jr_reason_token(engine->stop.reason), engine->self.name, engine->fingerprint);
    /* Overwrites one for another token: GitHub soon stops the hosts which have that one again. */
    if (engine->stop.others != 0)
        jr_etcd_add_compare(txn, key, JR_ETCD_MODIFIED, engine->stop.others);
    else
        jr_etcd_add_compare(txn, key, JR_ETCD_CREATED, 0);
    jr_etcd_add_put(txn, key, value, lease);
    call = jr_etcd_txn(engine->etcd, txn, TRIES);
    free(txn);
    return call;
}

static void tend_stop(struct jr_engine *engine)
{
    const struct jr_etcd_answer *answer = engine->stop.call == NULL
                                              ? NULL
                                              : jr_etcd_work(engine->stop.call);
    struct jr_etcd_call *before = engine->stop.call;

    if (answer == NULL)
        return;
    engine->stop.call = NULL;
    if (!engine->stop.granted && answer->end == JR_ETCD_WON) {
        engine->stop.granted = true;
        engine->stop.lease = answer->lease;
        engine->stop.call = write_stop(engine, answer->lease);
    }
    jr_etcd_end_call(before);
}

void jr_engine_hold(struct jr_engine *engine, enum jr_cause cause, bool holds)
{
    struct jr_etcd_txn *txn = engine->step == LIVES ? calloc(1, sizeof *txn) : NULL;
    char key[JR_ETCD_KEY_SIZE], value[JR_ETCD_VALUE_SIZE];

    if (txn == NULL)
        return;
    jr_engine_key(engine->settings, key, "ctl/outage/%s", jr_cause_name(cause));
    snprintf(value, sizeof value, "{\"v\":1,\"host\":\"%s\",\"name\":\"%s\",\"since_ms\":%lld}",
             engine->self.host, engine->self.name, (long long)jr_now_ms());
    jr_etcd_add_compare(txn, engine->host_key, JR_ETCD_CREATED, engine->created);
    if (holds)
        jr_etcd_add_compare(txn, key, JR_ETCD_CREATED, 0);
    jr_etcd_add_put(txn, key, holds ? value : "", holds ? engine->lease : 0);
    let_loose(engine, txn);
    free(txn);
    engine->looks_after = true;
}

bool jr_engine_may_sweep(struct jr_engine *engine)
{
    struct jr_etcd_txn *txn;
    char key[JR_ETCD_KEY_SIZE], value[JR_ETCD_VALUE_SIZE];

    if (!jr_engine_may_work(engine)) {
        jr_engine_end_sweep(engine);
        return false;
    }
    if (engine->sweep.mine)
        return true;
    if (engine->sweep.call != NULL
        || engine->sweep.again_ms > jr_boottime_ms() || (txn = calloc(1, sizeof *txn)) == NULL)
        return false;
    jr_engine_key(engine->settings, key, "ctl/sweep");
    snprintf(value, sizeof value, "{\"v\":1,\"host\":\"%s\",\"name\":\"%s\",\"boot\":\"%s\"}",
             engine->self.host, engine->self.name, engine->self.boot);
    jr_etcd_add_compare(txn, key, JR_ETCD_CREATED, 0);
    jr_etcd_add_compare(txn, engine->host_key, JR_ETCD_CREATED, engine->created);
    jr_etcd_add_put(txn, key, value, engine->lease);
    jr_etcd_add_read(txn, key, false);
    (void)jr_text_copy(txn->own, sizeof txn->own, engine->self.boot);
    engine->sweep.call = jr_etcd_txn(engine->etcd, txn, TRIES);
    free(txn);
    return false;
}

static void tend_sweep(struct jr_engine *engine, int64_t now_ms)
{
    const struct jr_etcd_answer *answer = engine->sweep.call == NULL
                                              ? NULL
                                              : jr_etcd_work(engine->sweep.call);
    const struct jr_etcd_kv *kv;
    char key[JR_ETCD_KEY_SIZE];

    if (answer == NULL)
        return;
    note_end(engine, answer);
    jr_engine_key(engine->settings, key, "ctl/sweep");
    kv = jr_etcd_find(answer, key);
    engine->sweep.mine = answer->end == JR_ETCD_WON && kv != NULL && engine->step == LIVES;
    engine->sweep.modified = kv == NULL ? 0 : kv->modified;
    engine->sweep.again_ms = now_ms + SWEEP_AGAIN_MS;
    jr_etcd_end_call(engine->sweep.call);
    engine->sweep.call = NULL;
}

/* --- records that nobody needs any more --- */

/* Is it a claim that was done long ago, or what was spent in an hour or on a day that is over? By
 * the clock of this host, which is good enough for that. */
static bool is_old(const struct jr_engine *engine, const struct jr_etcd_kv *kv)
{
    int64_t now_ms = jr_now_ms();
    char below[JR_ETCD_KEY_SIZE];
    const char *number = strrchr(kv->key, '-');
    struct jr_claim claim;
    struct jr_error error;

    jr_engine_key(engine->settings, below, "ctl/budget/");
    if (strncmp(kv->key, below, strlen(below)) == 0)
        return number != NULL
               && strtoll(number + 1, NULL, 10)
                      < (now_ms - SPENT_KEPT_MS)
                            / (strncmp(number - 4, "hour", 4) == 0 ? JR_HOUR_MS : JR_DAY_MS);
    return jr_claim_parse(kv->value, strlen(kv->value), &claim, &error) == JR_OK
           && claim.state == JR_CLAIM_DONE && claim.at_ms < now_ms - CLAIMS_KEPT_MS;
}

static void drop(struct jr_engine *engine, const struct jr_etcd_kv *kv)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);

    if (txn == NULL)
        return;
    jr_etcd_add_compare(txn, kv->key, JR_ETCD_MODIFIED, kv->modified);
    jr_etcd_add_put(txn, kv->key, "", 0);
    let_loose(engine, txn);
    free(txn);
}

/* A page of claims, those of the oldest runs first, and one of what was spent. */
static void begin_prune(struct jr_engine *engine)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);
    char key[JR_ETCD_KEY_SIZE];

    if (txn == NULL)
        return;
    jr_engine_key(engine->settings, key, "run/");
    jr_etcd_add_read(txn, key, true);
    (void)jr_text_copy(txn->reads[0].from, sizeof txn->reads[0].from, engine->prune.from);
    jr_engine_key(engine->settings, key, "ctl/budget/");
    jr_etcd_add_read(txn, key, true);
    engine->prune.call = jr_etcd_txn(engine->etcd, txn, TRIES);
    free(txn);
}

/* Go on with the next page if this one had old claims: they become newer from page to page. */
static void take_page(struct jr_engine *engine, const struct jr_etcd_answer *answer, int64_t now_ms)
{
    size_t claims = 0, old = 0;

    for (size_t i = 0; answer->end == JR_ETCD_WON && i < answer->count; i++) {
        const struct jr_etcd_kv *kv = &answer->kvs[i];

        if (kv->read == 0) {
            claims++;
            (void)jr_text_copy(engine->prune.from, sizeof engine->prune.from, kv->key);
        }
        if (is_old(engine, kv) && ++old <= LOOSE_MOST / 2)
            drop(engine, kv);
    }
    engine->prune.goes_on = claims == JR_ETCD_KEYS_MOST && old > 0;
    engine->prune.due_ms = now_ms + (engine->prune.goes_on ? HALTED_MS : PRUNE_MS);
    if (!engine->prune.goes_on || old > LOOSE_MOST / 2)
        engine->prune.from[0] = '\0';
}

static void tend_prune(struct jr_engine *engine, int64_t now_ms)
{
    const struct jr_etcd_answer *answer;

    if (engine->prune.call == NULL && engine->prune.goes_on && engine->prune.due_ms <= now_ms
        && !is_loose(engine))
        begin_prune(engine);
    answer = engine->prune.call == NULL ? NULL : jr_etcd_work(engine->prune.call);
    if (answer == NULL)
        return;
    take_page(engine, answer, now_ms);
    jr_etcd_end_call(engine->prune.call);
    engine->prune.call = NULL;
}

void jr_engine_end_sweep(struct jr_engine *engine)
{
    struct jr_etcd_txn *txn;
    char key[JR_ETCD_KEY_SIZE];

    if (!engine->sweep.mine || (txn = calloc(1, sizeof *txn)) == NULL)
        return;
    engine->sweep.mine = false;
    engine->prune.goes_on = engine->prune.goes_on || engine->prune.due_ms <= jr_boottime_ms();
    jr_engine_key(engine->settings, key, "ctl/sweep");
    jr_etcd_add_compare(txn, key, JR_ETCD_MODIFIED, engine->sweep.modified);
    jr_etcd_add_put(txn, key, "", 0);
    let_loose(engine, txn);
    free(txn);
}

/* --- the whole --- */

enum jr_err jr_engine_open(struct jr_engine **engine, const struct jr_settings *settings,
                           const char *id, const char *machine, jr_etcd_note *note, void *context,
                           struct jr_error *error)
{
    struct jr_engine *opened = calloc(1, sizeof *opened);
    enum jr_err err = JR_ENOMEM;

    *engine = NULL;
    if (opened != NULL)
        opened->watched = calloc(WATCHED, sizeof *opened->watched);
    if (opened != NULL && opened->watched != NULL)
        err = jr_etcd_open(&opened->etcd, settings, note, context, error);
    else
        err = jr_error_set(error, JR_ENOMEM, "out of memory");
    if (err != JR_OK) {
        if (opened != NULL)
            free(opened->watched);
        free(opened);
        return err;
    }
    opened->settings = settings;
    (void)jr_text_copy(opened->self.host, sizeof opened->self.host, id);
    (void)jr_text_copy(opened->machine, sizeof opened->machine, machine);
    jr_engine_host(settings, opened->self.name);
    jr_engine_random(opened->self.boot, sizeof opened->self.boot);
    jr_engine_key(settings, opened->host_key, "host/%s", id);
    (void)jr_text_copy(opened->text, sizeof opened->text, "etcd has not answered yet");
    *engine = opened;
    return JR_OK;
}

/* Write what is still to be written, then leave: each takes a second at most. */
static void leave(struct jr_engine *engine)
{
    int64_t end_ms = jr_boottime_ms() + JR_ETCD_TRY_MS;
    struct jr_etcd_call *call;

    while (is_loose(engine) && jr_boottime_ms() < end_ms) {
        struct pollfd ready = { .fd = jr_etcd_fd(engine->etcd), .events = POLLIN };

        (void)poll(&ready, 1, 10);
        jr_etcd_tend(engine->etcd);
        tend_loose(engine);
    }
    call = jr_etcd_revoke(engine->etcd, engine->lease);
    if (call != NULL)
        (void)jr_etcd_await(call);
    jr_etcd_end_call(call);
}

void jr_engine_close(struct jr_engine *engine)
{
    if (engine == NULL)
        return;
    jr_etcd_end_call(engine->call);
    jr_etcd_end_call(engine->keeping);
    jr_etcd_end_call(engine->seeing);
    jr_etcd_end_call(engine->stop.call);
    jr_etcd_end_call(engine->sweep.call);
    jr_etcd_end_call(engine->prune.call);
    if (engine->state == JR_ENGINE_UP)
        leave(engine);
    for (size_t i = 0; i < LOOSE_MOST; i++)
        jr_etcd_end_call(engine->loose[i]);
    jr_etcd_close(engine->etcd);
    free(engine->watched);
    free(engine);
}

static int64_t earlier_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later_than(int64_t due_ms, int64_t now_ms)
{
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

int64_t jr_engine_tend(struct jr_engine *engine)
{
    int64_t now_ms = jr_boottime_ms(), wait_ms = SIGHT_MS;

    jr_etcd_tend(engine->etcd);
    tend_steps(engine, now_ms);
    tend_lease(engine, now_ms);
    tend_sight(engine, now_ms);
    tend_loose(engine);
    tend_stop(engine);
    tend_sweep(engine, now_ms);
    tend_prune(engine, now_ms);
    if (engine->step != LIVES && engine->call == NULL)
        wait_ms = earlier_of(wait_ms, later_than(engine->due_ms, now_ms));
    if (engine->step == LIVES && engine->keeping == NULL)
        wait_ms = earlier_of(wait_ms, later_than(engine->alive_ms, now_ms));
    if (engine->seeing == NULL)
        wait_ms = earlier_of(wait_ms, later_than(engine->sight_ms, now_ms));
    return wait_ms > 0 ? wait_ms : 1;
}

int jr_engine_fd(const struct jr_engine *engine)
{
    return jr_etcd_fd(engine->etcd);
}

int64_t jr_engine_wait_ms(const struct jr_engine *engine)
{
    return jr_etcd_wait_ms(engine->etcd);
}

enum jr_engine_state jr_engine_state(const struct jr_engine *engine)
{
    return engine->state;
}

const struct jr_engine_sight *jr_engine_sight(const struct jr_engine *engine)
{
    return &engine->sight;
}

const char *jr_engine_text(const struct jr_engine *engine)
{
    return engine->state == JR_ENGINE_UP ? "" : engine->text;
}

bool jr_engine_may_work(const struct jr_engine *engine)
{
    return engine->state == JR_ENGINE_UP && engine->step == LIVES && !engine->sight.paused
           && !engine->sight.stopped;
}

/* --- how long a claim is as it is --- */

/* The place of a claim. A new one displaces the claim that was not looked at for longest. */
static struct watched *find_watched(struct jr_engine *engine, const struct jr_claimant *claimant)
{
    struct watched *oldest = NULL;

    for (size_t i = 0; i < engine->watched_count; i++) {
        struct watched *watched = &engine->watched[i];

        if (watched->run_id == claimant->run_id && watched->attempt == claimant->attempt)
            return watched;
        if (oldest == NULL || watched->looked_ms < oldest->looked_ms)
            oldest = watched;
    }
    return engine->watched_count < WATCHED ? &engine->watched[engine->watched_count++] : oldest;
}

static int64_t unchanged_ms(struct jr_engine *engine, const struct jr_claimant *claimant)
{
    struct watched *watched = find_watched(engine, claimant);
    int64_t now_ms = jr_boottime_ms();

    watched->looked_ms = now_ms;
    if (watched->run_id == claimant->run_id && watched->attempt == claimant->attempt
        && watched->modified == claimant->modified)
        return now_ms - watched->since_ms;
    watched->run_id = claimant->run_id;
    watched->attempt = claimant->attempt;
    watched->modified = claimant->modified;
    watched->since_ms = now_ms;
    return 0;
}

/* --- a claim --- */

static void begin_claim_look(struct jr_claimant *claimant)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);
    char key[JR_ETCD_KEY_SIZE];

    claimant->holds = false;
    claimant->call = NULL;
    if (txn == NULL)
        return;
    run_key(claimant, key);
    jr_etcd_add_read(txn, key, false);
    add_sight(claimant->engine, txn);
    if (claimant->spent.wanted) {
        claimant->spent.at_ms = jr_now_ms();
        jr_spent_add_reads(claimant->engine->settings, &claimant->spent, txn);
    }
    claimant->call = jr_etcd_txn(claimant->engine->etcd, txn, TRIES);
    free(txn);
}

void jr_claimant_begin(struct jr_engine *engine, struct jr_claimant *claimant)
{
    const struct jr_claimant asked = *claimant;

    jr_etcd_end_call(claimant->call);
    *claimant = (struct jr_claimant){
        .engine = engine, .run_id = asked.run_id, .attempt = asked.attempt,
        .reopened = asked.reopened,
        .spent = { .wanted = asked.spent.wanted, .scope = asked.spent.scope },
    };
    begin_claim_look(claimant);
}

/* Take the record. False: this version cannot read it, and leaves it to the host that wrote it. */
static bool take_claim(struct jr_claimant *claimant, const struct jr_etcd_answer *answer)
{
    char key[JR_ETCD_KEY_SIZE];
    const struct jr_etcd_kv *kv;
    struct jr_error error;

    run_key(claimant, key);
    kv = jr_etcd_find(answer, key);
    claimant->modified = kv == NULL ? 0 : kv->modified;
    memset(&claimant->claim, 0, sizeof claimant->claim);
    return kv == NULL
           || jr_claim_parse(kv->value, strlen(kv->value), &claimant->claim, &error) == JR_OK;
}

/*
 * Write a claim, if it is still as it was seen last.
 *   lease  0: the claim stays when this host dies
 */
static void add_claim(const struct jr_claimant *claimant, struct jr_etcd_txn *txn, int64_t lease)
{
    char key[JR_ETCD_KEY_SIZE];
    struct jr_buffer value;

    jr_buffer_init(&value, JR_CLAIM_MOST);
    jr_claim_print(&claimant->next, &value);
    run_key(claimant, key);
    if (claimant->modified == 0)
        jr_etcd_add_compare(txn, key, JR_ETCD_CREATED, 0);
    else
        jr_etcd_add_compare(txn, key, JR_ETCD_MODIFIED, claimant->modified);
    jr_etcd_add_put(txn, key, value.ok ? value.bytes : "", lease);
    jr_etcd_add_read(txn, key, false);
    (void)jr_text_copy(txn->own, sizeof txn->own, claimant->next.op);
    jr_buffer_release(&value);
}

/* ... and if this host is still the one that has joined. */
static void add_self(const struct jr_engine *engine, struct jr_etcd_txn *txn)
{
    jr_etcd_add_compare(txn, engine->host_key, JR_ETCD_CREATED, engine->created);
    jr_etcd_add_read(txn, engine->host_key, false);
}

static enum jr_claimed halt(struct jr_claimant *claimant, const char *text)
{
    (void)jr_text_copy(claimant->text, sizeof claimant->text, text);
    return JR_CLAIMED_HALT;
}

static enum jr_claimed begin_hold(struct jr_claimant *claimant)
{
    struct jr_engine *engine = claimant->engine;
    struct jr_claim by = writer(engine);
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);

    if (txn == NULL || !jr_claim_hold(&claimant->claim, &by, &claimant->next)) {
        free(txn);
        return JR_CLAIMED_WAIT;
    }
    add_claim(claimant, txn, engine->lease);
    add_self(engine, txn);
    claimant->holds = true;
    claimant->call = jr_etcd_txn(engine->etcd, txn, TRIES);
    free(txn);
    return claimant->call == NULL ? JR_CLAIMED_WAIT : JR_CLAIMED_NOT_YET;
}

static enum jr_claimed look_over(struct jr_claimant *claimant, const struct jr_etcd_answer *answer)
{
    struct jr_engine *engine = claimant->engine;
    struct jr_claim_view view = {
        .claim = &claimant->claim,
        .takeover_ms = jr_test_shorter_ms(engine->settings->cluster_takeover_ms),
        .stuck_ms = jr_test_shorter_ms(JR_CLAIM_STUCK_MS),
        .reopened = claimant->reopened,
    };

    see(engine, answer);
    claimant->stop_modified = read_stop(engine, answer);
    if (engine->step != LIVES)
        return halt(claimant, "this host is not among the others yet");
    if (!jr_engine_may_work(engine))
        return halt(claimant, engine->sight.paused ? "paused" : "stopped");
    if (!take_claim(claimant, answer))
        return JR_CLAIMED_WAIT;
    if (claimant->spent.wanted)
        jr_spent_take(engine->settings, answer, &claimant->spent);
    view.whose = jr_claim_whose(&claimant->claim, engine->self.host, engine->self.boot);
    view.unchanged_ms = claimant->modified == 0 ? 0 : unchanged_ms(engine, claimant);
    claimant->unchanged_ms = view.unchanged_ms;
    claimant->took_over = jr_claim_is_takeover(&view);
    switch (jr_claim_look(&view)) {
    case JR_CLAIM_TAKE:
        return begin_hold(claimant);
    case JR_CLAIM_ASK:
        return JR_CLAIMED;
    case JR_CLAIM_WAIT:
        return JR_CLAIMED_WAIT;
    case JR_CLAIM_ACCEPT:
        return JR_CLAIMED_ACCEPT;
    case JR_CLAIM_CLOSE:
        break;
    }
    return JR_CLAIMED_CLOSE;
}

static enum jr_claimed hold_over(struct jr_claimant *claimant, const struct jr_etcd_answer *answer)
{
    if (answer->end == JR_ETCD_WON) {
        if (!take_claim(claimant, answer) || claimant->modified == 0)
            return JR_CLAIMED_WAIT;
        return JR_CLAIMED;
    }
    /* Another was quicker; or our own key is gone, and we have to join anew first. */
    check_self(claimant->engine, answer);
    if (claimant->engine->step != LIVES)
        return halt(claimant, "this host is not among the others yet");
    if (++claimant->rounds >= ROUNDS) {
        (void)take_claim(claimant, answer);
        return JR_CLAIMED_WAIT;
    }
    begin_claim_look(claimant);
    return JR_CLAIMED_NOT_YET;
}

enum jr_claimed jr_claimant_work(struct jr_claimant *claimant)
{
    enum jr_claimed claimed = JR_CLAIMED_NOT_YET;

    while (claimed == JR_CLAIMED_NOT_YET) {
        struct jr_etcd_call *call = claimant->call;
        const struct jr_etcd_answer *answer;

        if (call == NULL)
            return halt(claimant, "out of memory");
        answer = jr_etcd_work(call);
        if (answer == NULL)
            return JR_CLAIMED_NOT_YET;
        claimant->call = NULL;
        note_end(claimant->engine, answer);
        if (answer->end == JR_ETCD_UNKNOWN)
            claimed = halt(claimant, answer->text);
        else
            claimed = claimant->holds ? hold_over(claimant, answer) : look_over(claimant, answer);
        jr_etcd_end_call(call);
    }
    return claimed;
}

void jr_claimant_trace(struct jr_engine *engine, struct jr_claimant *claimant)
{
    const uint64_t run_id = claimant->run_id;
    const uint32_t attempt = claimant->attempt;
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);
    char key[JR_ETCD_KEY_SIZE];

    jr_etcd_end_call(claimant->call);
    *claimant = (struct jr_claimant){ .engine = engine, .run_id = run_id, .attempt = attempt };
    if (txn == NULL)
        return;
    run_key(claimant, key);
    jr_etcd_add_read(txn, key, false);
    claimant->call = jr_etcd_txn(engine->etcd, txn, TRIES);
    free(txn);
}

enum jr_claimed jr_claimant_traced(struct jr_claimant *claimant)
{
    struct jr_etcd_call *call = claimant->call;
    const struct jr_etcd_answer *answer = call == NULL ? NULL : jr_etcd_work(call);
    enum jr_claimed traced;

    if (call == NULL)
        return halt(claimant, "out of memory");
    if (answer == NULL)
        return JR_CLAIMED_NOT_YET;
    claimant->call = NULL;
    note_end(claimant->engine, answer);
    if (answer->end == JR_ETCD_UNKNOWN)
        traced = halt(claimant, answer->text);
    else if (!take_claim(claimant, answer))
        traced = halt(claimant, "its record is of a later version");
    else
        traced = jr_claim_is_of_rerun(&claimant->claim) ? JR_CLAIMED_ACCEPT : JR_CLAIMED_CLOSE;
    jr_etcd_end_call(call);
    return traced;
}

static void add_conditions(const struct jr_claimant *claimant, struct jr_etcd_txn *txn)
{
    const struct jr_settings *settings = claimant->engine->settings;
    char key[JR_ETCD_KEY_SIZE];

    add_self(claimant->engine, txn);
    jr_engine_key(settings, key, "ctl/paused");
    jr_etcd_add_compare(txn, key, JR_ETCD_CREATED, 0);
    jr_etcd_add_read(txn, key, false);
    jr_engine_key(settings, key, "ctl/stop");
    if (claimant->stop_modified != 0)
        jr_etcd_add_compare(txn, key, JR_ETCD_MODIFIED, claimant->stop_modified);
    else
        jr_etcd_add_compare(txn, key, JR_ETCD_CREATED, 0);
    jr_etcd_add_read(txn, key, false);
}

/* Read what all have spent, if it was read for another hour, day or repository. */
static bool refresh_spent(struct jr_claimant *claimant, const struct jr_engine_cost *cost)
{
    struct jr_engine *engine = claimant->engine;
    int64_t now_ms = jr_now_ms();
    const struct jr_etcd_answer *answer;
    struct jr_etcd_txn *txn;
    struct jr_etcd_call *call;
    bool good;

    if (jr_spent_is_of(&claimant->spent, cost->scope, now_ms))
        return true;
    txn = calloc(1, sizeof *txn);
    claimant->spent = (struct jr_spent_view){ .wanted = true, .scope = cost->scope,
                                              .at_ms = now_ms };
    if (txn != NULL)
        jr_spent_add_reads(engine->settings, &claimant->spent, txn);
    call = txn == NULL ? NULL : jr_etcd_txn(engine->etcd, txn, 1);
    free(txn);
    answer = call == NULL ? NULL : jr_etcd_await(call);
    good = answer != NULL && answer->end == JR_ETCD_WON;
    if (good)
        jr_spent_take(engine->settings, answer, &claimant->spent);
    else
        claimant->spent.at_ms = 0;
    jr_etcd_end_call(call);
    return good;
}

/* Do the limits leave enough for it, after what all hosts have spent? */
static bool is_affordable(const struct jr_claimant *claimant, const struct jr_engine_cost *cost)
{
    const struct jr_limits_facts facts = {
        .repo = &cost->repo,
        .all = &cost->all,
        .repo_spent = claimant->spent.repo,
        .all_spent = claimant->spent.all,
        .cost = cost->minutes,
        .run_id = claimant->run_id,
        .now_ms = jr_now_ms(),
    };

    return jr_limits_ask(&facts).verdict == JR_LIMITS_PASS;
}

/* Why a permit was lost. NONE: only because others have spent meanwhile. */
static enum jr_reason why_lost(struct jr_claimant *claimant, const struct jr_etcd_answer *answer)
{
    struct jr_engine *engine = claimant->engine;
    char key[JR_ETCD_KEY_SIZE];
    int64_t before = claimant->modified;

    check_self(engine, answer);
    engine->sight_ms = 0;
    jr_engine_key(engine->settings, key, "ctl/paused");
    if (jr_etcd_find(answer, key) != NULL)
        return JR_REASON_PAUSED;
    (void)read_stop(engine, answer);
    if (engine->sight.stopped)
        return engine->sight.stop_reason;
    (void)take_claim(claimant, answer);
    if (claimant->modified != before)
        return JR_REASON_CLAIMED_ELSEWHERE;
    return claimant->spent.wanted && engine->step == LIVES ? JR_REASON_NONE
                                                           : JR_REASON_CLUSTER_UNREACHABLE;
}

/* Has the permit come in time? Nothing may be done between this and the first byte of the POST. */
static enum jr_reason is_in_time(int64_t begun_ms, int64_t late_ms)
{
    int64_t limit_ms = jr_test_shorter_ms(JR_CLAIM_POST_MS), now_ms;
    bool late;

    jr_test_point("permitted");
    now_ms = jr_boottime_ms();
    late = now_ms - begun_ms >= limit_ms || now_ms > late_ms;
    if (late && !jr_test_deadline_is_off())
        return JR_REASON_CLAIM_LATE;
    jr_test_point("after-check");
    return JR_REASON_NONE;
}

static struct jr_etcd_call *ask_for_permit(struct jr_claimant *claimant,
                                           const struct jr_engine_cost *cost)
{
    struct jr_engine *engine = claimant->engine;
    struct jr_claim by = writer(engine);
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);
    struct jr_etcd_call *call = NULL;

    if (txn != NULL && jr_claim_post(&claimant->claim, &by, &claimant->next)) {
        add_claim(claimant, txn, 0);
        add_conditions(claimant, txn);
        if (cost != NULL) {
            jr_spent_add_puts(engine->settings, &claimant->spent, &cost->minutes, false, txn);
            jr_spent_add_reads(engine->settings, &claimant->spent, txn);
        }
        call = jr_etcd_txn(engine->etcd, txn, PERMIT_TRIES);
    }
    free(txn);
    return call;
}

/*
 * One try. NONE and `permitted': it is won. NONE, but not `permitted': others have spent meanwhile,
 * and it may be tried once more.
 */
static enum jr_reason try_permit(struct jr_claimant *claimant, const struct jr_engine_cost *cost)
{
    struct jr_engine *engine = claimant->engine;
    const struct jr_etcd_answer *answer;
    enum jr_reason reason = JR_REASON_CLUSTER_UNREACHABLE;
    struct jr_etcd_call *call;

    if (cost != NULL && !refresh_spent(claimant, cost))
        return reason;
    if (cost != NULL && !is_affordable(claimant, cost))
        return JR_REASON_BUDGET_USED_UP;
    call = ask_for_permit(claimant, cost);
    if (call == NULL)
        return reason;
    answer = jr_etcd_await(call);
    note_end(engine, answer);
    if (answer->end == JR_ETCD_WON && take_claim(claimant, answer) && claimant->modified != 0) {
        claimant->permitted = true;
        reason = JR_REASON_NONE;
    } else if (answer->end == JR_ETCD_LOST) {
        reason = why_lost(claimant, answer);
    }
    if (cost != NULL && answer->end != JR_ETCD_UNKNOWN) {
        jr_spent_take(engine->settings, answer, &claimant->spent);
        if (claimant->permitted)
            claimant->cost = cost->minutes;
    }
    jr_etcd_end_call(call);
    return reason;
}

enum jr_reason jr_claimant_permit(struct jr_claimant *claimant, int64_t late_ms,
                                  const struct jr_engine_cost *cost)
{
    enum jr_reason reason = JR_REASON_CLUSTER_UNREACHABLE;
    int64_t begun_ms;

    jr_test_point("before-permit");
    claimant->permitted = false;
    if (claimant->engine == NULL || claimant->engine->step != LIVES)
        return reason;
    begun_ms = jr_boottime_ms();
    for (unsigned round = 0; round < ROUNDS; round++) {
        reason = try_permit(claimant, cost);
        if (reason != JR_REASON_NONE)
            return reason;
        if (claimant->permitted)
            return is_in_time(begun_ms, late_ms);
    }
    return JR_REASON_BUDGET_USED_UP;
}

/* A permit was not used: take back what it has added, unless others have spent meanwhile. */
static void give_back_spent(struct jr_claimant *claimant)
{
    struct jr_etcd_txn *txn;

    if (!claimant->spent.wanted || claimant->spent.at_ms == 0
        || (txn = calloc(1, sizeof *txn)) == NULL)
        return;
    jr_spent_add_puts(claimant->engine->settings, &claimant->spent, &claimant->cost, true, txn);
    let_loose(claimant->engine, txn);
    free(txn);
}

/* Write the `next' record without waiting; it is lost if the claim is no longer ours. */
static void write_next(struct jr_claimant *claimant, int64_t lease)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);

    if (txn == NULL)
        return;
    add_claim(claimant, txn, lease);
    if (lease != 0)
        add_self(claimant->engine, txn);
    let_loose(claimant->engine, txn);
    free(txn);
}

void jr_claimant_finish(struct jr_claimant *claimant, enum jr_claim_result result,
                        enum jr_reason reason, int status)
{
    struct jr_claim by;

    if (claimant->engine != NULL && claimant->modified != 0) {
        by = writer(claimant->engine);
        (void)jr_text_copy(by.reason, sizeof by.reason, jr_reason_token(reason));
        by.status = status;
        if (jr_claim_finish(&claimant->claim, &by, result, &claimant->next))
            write_next(claimant, 0);
    }
    jr_claimant_end(claimant);
}

void jr_claimant_keep(struct jr_claimant *claimant)
{
    struct jr_claim by;

    if (claimant->engine != NULL && claimant->permitted) {
        by = writer(claimant->engine);
        if (jr_claim_unpost(&claimant->claim, &by, &claimant->next)) {
            write_next(claimant, claimant->engine->lease);
            give_back_spent(claimant);
        }
    }
    jr_claimant_end(claimant);
}

void jr_claimant_give_back(struct jr_claimant *claimant)
{
    struct jr_etcd_txn *txn;
    char key[JR_ETCD_KEY_SIZE];

    if (claimant->engine == NULL || claimant->claim.state != JR_CLAIM_HELD
        || jr_claim_whose(&claimant->claim, claimant->engine->self.host,
                          claimant->engine->self.boot) != JR_CLAIM_MINE
        || (txn = calloc(1, sizeof *txn)) == NULL) {
        jr_claimant_keep(claimant);
        return;
    }
    run_key(claimant, key);
    jr_etcd_add_compare(txn, key, JR_ETCD_MODIFIED, claimant->modified);
    jr_etcd_add_put(txn, key, "", 0);
    let_loose(claimant->engine, txn);
    free(txn);
    jr_claimant_end(claimant);
}

void jr_claimant_end(struct jr_claimant *claimant)
{
    jr_etcd_end_call(claimant->call);
    memset(claimant, 0, sizeof *claimant);
}
