/*
 * clusterview -- what a sub-command sees and changes of the other hosts, in etcd.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/clusterview.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 3

/* A claim takes a network and a disk; what takes longer than this is slow. */
#define SLOW_US 500000

bool jr_clusterview_open(struct jr_clusterview *view, const struct jr_command *command)
{
    struct jr_error error;

    memset(view, 0, sizeof *view);
    view->settings = &command->settings;
    if (!jr_settings_clusters(view->settings))
        return true;
    /* libcurl writes to sockets that the other end may have closed. */
    (void)signal(SIGPIPE, SIG_IGN);
    return jr_etcd_open(&view->etcd, view->settings, NULL, NULL, &error) == JR_OK;
}

void jr_clusterview_close(struct jr_clusterview *view)
{
    jr_etcd_close(view->etcd);
    view->etcd = NULL;
}

/* Make a call; NULL: there is no memory. The answer is good until jr_etcd_end_call(). */
static const struct jr_etcd_answer *await(struct jr_clusterview *view, struct jr_etcd_call *call)
{
    const struct jr_etcd_answer *answer = call == NULL ? NULL : jr_etcd_await(call);

    (void)jr_text_copy(view->text, sizeof view->text,
                       answer == NULL                   ? "out of memory"
                       : answer->end == JR_ETCD_UNKNOWN ? answer->text
                                                        : "");
    return answer;
}

static struct jr_etcd_call *begin(struct jr_clusterview *view, const struct jr_etcd_txn *txn)
{
    return txn == NULL ? NULL : jr_etcd_txn(view->etcd, txn, TRIES);
}

bool jr_clusterview_look(struct jr_clusterview *view)
{
    static const char *const keys[] = { "host/", "ctl/paused", "ctl/sweep" };
    struct jr_etcd_txn *txn;
    struct jr_etcd_call *call;
    const struct jr_etcd_answer *answer;
    char key[JR_ETCD_KEY_SIZE];
    bool good;

    if (view->etcd == NULL)
        return false;
    txn = calloc(1, sizeof *txn);
    for (size_t i = 0; txn != NULL && i < sizeof keys / sizeof *keys; i++) {
        jr_engine_key(view->settings, key, "%s", keys[i]);
        jr_etcd_add_read(txn, key, i == 0);
    }
    call = begin(view, txn);
    free(txn);
    answer = await(view, call);
    good = answer != NULL && answer->end == JR_ETCD_WON;
    if (good)
        jr_engine_read_sight(view->settings, answer, &view->sight);
    jr_etcd_end_call(call);
    return good;
}

static void take_claims(struct jr_clusterview *view, const struct jr_etcd_answer *answer)
{
    struct jr_error error;

    view->count = 0;
    for (size_t i = 0; i < answer->count && view->count < JR_CLUSTERVIEW_CLAIMS; i++) {
        const char *attempt = strrchr(answer->kvs[i].key, '/');

        if (attempt != NULL
            && jr_claim_parse(answer->kvs[i].value, strlen(answer->kvs[i].value),
                              &view->claims[view->count], &error)
                   == JR_OK)
            view->attempts[view->count++] = (uint32_t)strtoul(attempt + 1, NULL, 10);
    }
}

bool jr_clusterview_claims(struct jr_clusterview *view, uint64_t run_id)
{
    struct jr_etcd_txn *txn;
    struct jr_etcd_call *call;
    const struct jr_etcd_answer *answer;
    char key[JR_ETCD_KEY_SIZE];
    bool good;

    view->count = 0;
    if (view->etcd == NULL)
        return false;
    txn = calloc(1, sizeof *txn);
    jr_engine_key(view->settings, key, "run/%020llu/", (unsigned long long)run_id);
    if (txn != NULL)
        jr_etcd_add_read(txn, key, true);
    call = begin(view, txn);
    free(txn);
    answer = await(view, call);
    good = answer != NULL && answer->end == JR_ETCD_WON;
    if (good)
        take_claims(view, answer);
    jr_etcd_end_call(call);
    return good;
}

/*
 * Write a key, or delete it if the value is empty.
 *   modified  the revision that it must have still, else: LOST. 0: the key must not be there
 */
static enum jr_etcd_end write_key(struct jr_clusterview *view, const char *name, const char *value,
                                  int64_t modified, int64_t lease)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);
    struct jr_etcd_call *call;
    const struct jr_etcd_answer *answer;
    enum jr_etcd_end end;
    char key[JR_ETCD_KEY_SIZE];

    jr_engine_key(view->settings, key, "%s", name);
    if (txn != NULL) {
        jr_etcd_add_compare(txn, key, modified != 0 ? JR_ETCD_MODIFIED : JR_ETCD_CREATED,
                            modified);
        jr_etcd_add_put(txn, key, value, lease);
        jr_etcd_add_read(txn, key, false);
        (void)jr_text_copy(txn->own, sizeof txn->own, value);
    }
    call = begin(view, txn);
    free(txn);
    answer = await(view, call);
    end = answer == NULL ? JR_ETCD_UNKNOWN : answer->end;
    jr_etcd_end_call(call);
    return end;
}

/* A lease that ends with the pause; 0: none. */
static int64_t grant(struct jr_clusterview *view, int64_t span_ms)
{
    struct jr_etcd_call *call = span_ms == 0 ? NULL
                                             : jr_etcd_grant(view->etcd, (span_ms + 999) / 1000);
    const struct jr_etcd_answer *answer = call == NULL ? NULL : await(view, call);
    int64_t lease = answer == NULL || answer->end != JR_ETCD_WON ? 0 : answer->lease;

    jr_etcd_end_call(call);
    return lease;
}

/* The revision of ctl/paused; 0: it is not there; -1: nobody knows. */
static int64_t find_pause(struct jr_clusterview *view)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);
    struct jr_etcd_call *call;
    const struct jr_etcd_answer *answer;
    char key[JR_ETCD_KEY_SIZE];
    int64_t modified = -1;

    jr_engine_key(view->settings, key, "ctl/paused");
    if (txn != NULL)
        jr_etcd_add_read(txn, key, false);
    call = begin(view, txn);
    free(txn);
    answer = await(view, call);
    if (answer != NULL && answer->end == JR_ETCD_WON)
        modified = answer->count == 0 ? 0 : answer->kvs[0].modified;
    jr_etcd_end_call(call);
    return modified;
}

bool jr_clusterview_resume(struct jr_clusterview *view)
{
    int64_t modified = view->etcd == NULL ? 0 : find_pause(view);

    return modified == 0
           || (modified > 0 && write_key(view, "ctl/paused", "", modified, 0) != JR_ETCD_UNKNOWN);
}

bool jr_clusterview_pause(struct jr_clusterview *view, const char *who, int64_t span_ms)
{
    char value[512], name[JR_CLAIM_NAME_SIZE], by[128] = "";
    size_t length = 0;
    int64_t lease, modified;

    if (view->etcd == NULL)
        return true;
    /* A second `pause' replaces the first: it may have another end. */
    modified = find_pause(view);
    lease = modified < 0 ? 0 : grant(view, span_ms);
    if (modified < 0 || (span_ms != 0 && lease == 0))
        return false;
    for (const char *c = who; *c != '\0' && length < sizeof by - 1; c++)
        if ((unsigned char)*c >= ' ' && *c != '"' && *c != '\\')
            by[length++] = *c;
    jr_engine_host(view->settings, name);
    snprintf(value, sizeof value, "{\"v\":1,\"since_ms\":%lld,\"by\":\"%s\",\"name\":\"%s\"}",
             (long long)jr_now_ms(), by, name);
    return write_key(view, "ctl/paused", value, modified, lease) != JR_ETCD_UNKNOWN;
}

bool jr_clusterview_lift(struct jr_clusterview *view, enum jr_cause cause)
{
    struct jr_etcd_txn *txn = calloc(1, sizeof *txn);
    struct jr_etcd_call *call;
    const struct jr_etcd_answer *answer;
    char below[JR_ETCD_KEY_SIZE];
    bool good;

    jr_engine_key(view->settings, below, "ctl/outage/%s",
                  cause == JR_CAUSE_NONE ? "" : jr_cause_name(cause));
    if (view->etcd == NULL) {
        free(txn);
        return true;
    }
    if (txn != NULL)
        jr_etcd_add_read(txn, below, cause == JR_CAUSE_NONE);
    call = begin(view, txn);
    free(txn);
    answer = await(view, call);
    good = answer != NULL && answer->end == JR_ETCD_WON;
    for (size_t i = 0; good && i < answer->count; i++) {
        const char *name = strstr(answer->kvs[i].key, "ctl/outage/");

        good = name != NULL
               && write_key(view, name, "", answer->kvs[i].modified, 0) != JR_ETCD_UNKNOWN;
    }
    jr_etcd_end_call(call);
    return good;
}

/* --- is it fit for us? --- */

static bool is_older(const char *version, int major, int minor)
{
    int has_major = 0, has_minor = 0;

    return sscanf(version, "%d.%d", &has_major, &has_minor) != 2 || has_major < major
           || (has_major == major && has_minor < minor);
}

/* One node: does it answer, with a leader, and of which version is it? */
static bool check_node(struct jr_clusterview *view, size_t node, jr_clusterview_tell *tell,
                       const void *context)
{
    const char *url = view->settings->cluster_etcd.items[node];
    struct jr_etcd_call *call = jr_etcd_status(view->etcd, node);
    const struct jr_etcd_answer *answer = await(view, call);
    bool good = answer != NULL && answer->end == JR_ETCD_WON && answer->has_leader;
    char text[512];

    if (good)
        snprintf(text, sizeof text, "%s: version %s%s", url, answer->version,
                 is_older(answer->version, 3, 5)
                     ? "; before 3.5 a node needs --pre-vote, or one that was cut off stops all of "
                       "them for seconds when it comes back"
                     : "");
    else
        snprintf(text, sizeof text, "%s: %s", url,
                 answer == NULL || answer->end == JR_ETCD_UNKNOWN
                     ? (*view->text == '\0' ? "no answer" : view->text)
                     : "it has no leader: most of the nodes have to be there");
    tell(context, "etcd node", good, text,
         "Look at that node and its log; CLUSTER_ETCD, CLUSTER_CA_FILE and the certificate say how "
         "it is reached. Hosts go on as long as most nodes answer");
    jr_etcd_end_call(call);
    return good;
}

/* A key of ours is made and taken away, as a claim would be. */
static bool check_keys(struct jr_clusterview *view, jr_clusterview_tell *tell, const void *context)
{
    char random[JR_CLAIM_OP_SIZE], name[64], text[512], key[JR_ETCD_KEY_SIZE];
    int64_t lease = grant(view, 10 * JR_SECOND_MS), begun_us = jr_monotonic_us(), took_us;
    enum jr_etcd_end end = JR_ETCD_UNKNOWN;
    bool good;

    jr_engine_random(random, sizeof random);
    snprintf(name, sizeof name, "check/%s", random);
    jr_engine_key(view->settings, key, "%s", "");
    if (lease != 0)
        end = write_key(view, name, random, 0, lease);
    took_us = jr_monotonic_us() - begun_us;
    good = end == JR_ETCD_WON && took_us < SLOW_US;
    if (end == JR_ETCD_WON)
        snprintf(text, sizeof text, "keys below %s can be written, in %lld ms; no clock of a host "
                 "is compared with another's", key, (long long)(took_us / 1000));
    else
        snprintf(text, sizeof text, "keys below %s cannot be written: %s", key, view->text);
    tell(context, "etcd rights", good, text,
         end == JR_ETCD_WON ? "That is slow: the limit of a try is 1 s. Look at the disks of etcd"
                            : "The role of CLUSTER_USER needs readwrite there; and most nodes have "
                              "to be there");
    return end == JR_ETCD_WON;
}

bool jr_clusterview_check(struct jr_clusterview *view, jr_clusterview_tell *tell,
                          const void *context)
{
    char text[JR_CLAIM_NAME_SIZE * 8] = "";
    bool good;

    if (view->etcd == NULL)
        return true;
    for (size_t i = 0; i < view->settings->cluster_etcd.count; i++)
        (void)check_node(view, i, tell, context);
    good = check_keys(view, tell, context);
    if (!good || !jr_clusterview_look(view))
        return false;
    for (size_t i = 0; i < view->sight.hosts; i++) {
        size_t length = strlen(text);

        snprintf(text + length, sizeof text - length, "%s%s", i == 0 ? "" : ", ",
                 view->sight.names[i]);
    }
    tell(context, "hosts", true, view->sight.hosts == 0 ? "none is at work" : text, NULL);
    return true;
}
