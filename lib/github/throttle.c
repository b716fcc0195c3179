/*
 * throttle -- when GitHub may be called.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/throttle.h"
#include "lib/base/codec.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/github/outage.h"

#include <stdio.h>
#include <string.h>

#define THROTTLE_VERSION 1

/* A personal token's hourly limit, until a header tells another one. */
#define HOURLY_LIMIT 5000
#define SHARE 10

/* "wait for at least one minute", then "an exponentially increasing amount of time". */
#define SECONDARY_WAIT_MS JR_MINUTE_MS

/* Where it is in JR_TABLE_META. Returns the length. */
static size_t make_key(uint64_t installation, char key[32])
{
    if (installation == 0)
        return (size_t)snprintf(key, 32, "throttle");
    return (size_t)snprintf(key, 32, "throttle-%llu", (unsigned long long)installation);
}

/* Tells tokens apart without telling the token. */
static uint64_t fingerprint_of(const char *token)
{
    unsigned char digest[JR_SHA256_SIZE];
    struct jr_reader reader;

    if (token == NULL || jr_sha256(token, strlen(token), digest) != JR_OK)
        return 0;
    jr_reader_init(&reader, digest, sizeof digest);
    return jr_read_u64(&reader);
}

static void recall(struct jr_txn *txn, struct jr_throttle *throttle, uint64_t installation)
{
    char key[32];
    size_t key_length = make_key(installation, key);
    unsigned char record[64];
    struct jr_reader reader;
    size_t length;

    memset(throttle, 0, sizeof *throttle);
    if (!jr_txn_get(txn, JR_TABLE_META, key, key_length, record, sizeof record, &length))
        return;
    jr_reader_init(&reader, record, length);
    if (jr_read_u8(&reader) != THROTTLE_VERSION)
        return;
    throttle->fingerprint = jr_read_u64(&reader);
    throttle->stopped_until_ms = jr_read_time(&reader);
    throttle->stop_reason = (enum jr_reason)jr_read_u16(&reader);
    throttle->rejected_ms = jr_read_time(&reader);
    throttle->secondary_wait_ms = jr_read_time(&reader);
    throttle->token_expires_ms = jr_read_time(&reader);
    throttle->hourly_limit = jr_read_time(&reader);
    if (!reader.ok)
        memset(throttle, 0, sizeof *throttle);
}

void jr_throttle_recall(struct jr_txn *txn, struct jr_throttle *throttle)
{
    recall(txn, throttle, 0);
}

void jr_throttle_load(struct jr_txn *txn, struct jr_throttle *throttle, const char *token,
                      uint64_t installation, int64_t now_ms)
{
    uint64_t fingerprint = fingerprint_of(token);

    recall(txn, throttle, installation);
    if (throttle->fingerprint != fingerprint) {
        memset(throttle, 0, sizeof *throttle);
        throttle->fingerprint = fingerprint;
    }
    throttle->installation = installation;
    if (throttle->stopped_until_ms > now_ms + JR_THROTTLE_MAX_MS)
        throttle->stopped_until_ms = now_ms + JR_THROTTLE_MAX_MS;
    throttle->stop_ms = throttle->stopped_until_ms - now_ms;
}

void jr_throttle_save(struct jr_txn *txn, const struct jr_throttle *throttle)
{
    char key[32];
    size_t key_length = make_key(throttle->installation, key);
    unsigned char record[64];
    struct jr_writer writer;

    if (throttle->installation != 0 && throttle->stopped_until_ms == 0) {
        jr_txn_delete(txn, JR_TABLE_META, key, key_length);
        return;
    }
    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, THROTTLE_VERSION);
    jr_write_u64(&writer, throttle->fingerprint);
    jr_write_time(&writer, throttle->stopped_until_ms);
    jr_write_u16(&writer, (uint16_t)throttle->stop_reason);
    jr_write_time(&writer, throttle->rejected_ms);
    jr_write_time(&writer, throttle->secondary_wait_ms);
    jr_write_time(&writer, throttle->token_expires_ms);
    jr_write_time(&writer, throttle->hourly_limit);
    jr_txn_put(txn, JR_TABLE_META, key, key_length, record, writer.length);
}

/* How long a refusal that names no time stops all calls. */
static int64_t unnamed_wait_ms(struct jr_throttle *throttle, const struct jr_settings *settings,
                               enum jr_reason reason)
{
    if (reason != JR_REASON_RATE_LIMITED)
        return settings->api_backoff_max_ms;
    throttle->secondary_wait_ms = throttle->secondary_wait_ms == 0
                                      ? SECONDARY_WAIT_MS
                                      : 2 * throttle->secondary_wait_ms;
    if (throttle->secondary_wait_ms > JR_THROTTLE_MAX_MS)
        throttle->secondary_wait_ms = JR_THROTTLE_MAX_MS;
    return throttle->secondary_wait_ms;
}

static bool learn(int64_t *known, int64_t told)
{
    if (told <= 0 || told == *known)
        return false;
    *known = told;
    return true;
}

/* One more answer that stops, to a call that was begun before the stop was known. */
static bool stop_once_more(struct jr_throttle *throttle, const struct jr_call *call,
                           int64_t now_ms)
{
    if (call->wait_ms == 0 || now_ms + call->wait_ms <= throttle->stopped_until_ms)
        return false;
    throttle->stop_ms = call->wait_ms;
    throttle->stopped_until_ms = now_ms + call->wait_ms;
    return true;
}

bool jr_throttle_note(struct jr_throttle *throttle, const struct jr_settings *settings,
                      const struct jr_call *call, int64_t now_ms)
{
    bool is_old = throttle->stopped_until_ms != 0 && jr_call_is_older(call, throttle->known_us);
    bool changed = learn(&throttle->token_expires_ms, call->token_expires_ms);

    changed |= learn(&throttle->hourly_limit, call->hourly_limit);
    if (call->stops_all && is_old)
        return stop_once_more(throttle, call, now_ms) || changed;
    if (call->stops_all) {
        int64_t wait_ms = call->wait_ms != 0 ? call->wait_ms
                                             : unnamed_wait_ms(throttle, settings, call->reason);

        throttle->known_us = jr_call_ended_us(call);
        throttle->stop_ms = wait_ms;
        throttle->stopped_until_ms = now_ms + wait_ms;
        throttle->stop_reason = call->reason;
        if ((call->reason == JR_REASON_BAD_TOKEN || call->reason == JR_REASON_BAD_APP)
            && throttle->rejected_ms == 0)
            throttle->rejected_ms = now_ms;
        return true;
    }
    if (is_old || jr_outage_reason(call) != JR_REASON_NONE)
        return changed;
    /* Any other answer of GitHub's shows that the token is good and the limit not reached. */
    changed |= throttle->stopped_until_ms != 0 || throttle->rejected_ms != 0
               || throttle->secondary_wait_ms != 0;
    throttle->stopped_until_ms = 0;
    throttle->rejected_ms = 0;
    throttle->secondary_wait_ms = 0;
    return changed;
}

int64_t jr_throttle_stop_left_ms(struct jr_throttle *throttle, int64_t now_ms)
{
    if (throttle->stopped_until_ms - now_ms > throttle->stop_ms)
        throttle->stopped_until_ms = now_ms + throttle->stop_ms;
    return throttle->stopped_until_ms > now_ms ? throttle->stopped_until_ms - now_ms : 0;
}

int64_t jr_throttle_wait_ms(struct jr_throttle *throttle, int64_t now_ms)
{
    double size = (double)(throttle->hourly_limit > 0 ? throttle->hourly_limit : HOURLY_LIMIT)
                  / SHARE;
    double per_ms;

    if (size < 1)
        size = 1;
    per_ms = size / (double)JR_HOUR_MS;
    if (throttle->filled_ms == 0)
        throttle->tokens = size;
    else if (now_ms > throttle->filled_ms)
        throttle->tokens += (double)(now_ms - throttle->filled_ms) * per_ms;
    throttle->filled_ms = now_ms;
    if (throttle->tokens > size)
        throttle->tokens = size;
    if (throttle->tokens < 1)
        return (int64_t)((1 - throttle->tokens) / per_ms) + 1;
    return 0;
}

void jr_throttle_take(struct jr_throttle *throttle)
{
    throttle->tokens -= 1;
}
