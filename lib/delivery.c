/*
 * delivery -- which webhooks were answered before, and how.
 *
 * Key: day (4 bytes), kind (1), then for GitHub's UUIDs their 16 bytes. Those
 * are of version 1 (they carry the time of the event); with the time moved to
 * the front, as RFC 9562 has it for version 6, new keys go to the end.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/codec.h"
#include "lib/delivery.h"
#include "lib/signature.h"
#include "lib/text.h"
#include "lib/timestamp.h"

#include <string.h>

#define DELIVERY_VERSION 1

enum { KIND_UUID = 1, KIND_TEXT = 2, KIND_BODY = 3, KIND_TIME_UUID = 4 };

/* 8-4-4-4-12 hexadecimal digits. */
static bool parse_uuid(const char *text, unsigned char uuid[16])
{
    static const int dashes[] = { 8, 13, 18, 23 };
    char digits[33];
    size_t length = 0;

    if (strlen(text) != 36)
        return false;
    for (size_t i = 0; i < sizeof dashes / sizeof *dashes; i++)
        if (text[dashes[i]] != '-')
            return false;
    for (const char *c = text; *c != '\0' && length < 32; c++)
        if (*c != '-')
            digits[length++] = *c;
    digits[length] = '\0';
    return jr_text_from_hex(digits, uuid, 16);
}

/* Time high and version, time mid, time low: the greatest first. */
static void time_first(unsigned char uuid[16])
{
    unsigned char low[4], mid[2];

    memcpy(low, uuid, 4);
    memcpy(mid, uuid + 4, 2);
    memcpy(uuid, uuid + 6, 2);
    memcpy(uuid + 2, mid, 2);
    memcpy(uuid + 4, low, 4);
}

static bool is_usable(const char *id)
{
    size_t length = 0;

    if (id == NULL)
        return false;
    for (; id[length] != '\0'; length++)
        if (id[length] <= ' ' || id[length] >= 0x7f)
            return false;
    return length > 0 && length < JR_DELIVERY_SIZE;
}

static const char body_prefix[] = "sha256:";

enum jr_err jr_delivery_identify(struct jr_delivery *delivery, const char *id, const void *body,
                                 size_t length)
{
    memset(delivery, 0, sizeof *delivery);
    if (is_usable(id)) {
        jr_text_copy(delivery->text, sizeof delivery->text, id);
        if (parse_uuid(id, delivery->key + 1)) {
            delivery->key[0] = delivery->key[1 + 6] >> 4 == 1 ? KIND_TIME_UUID : KIND_UUID;
            if (delivery->key[0] == KIND_TIME_UUID)
                time_first(delivery->key + 1);
            delivery->key_length = 1 + 16;
            return JR_OK;
        }
        body = id;
        length = strlen(id);
        delivery->key[0] = KIND_TEXT;
    } else {
        delivery->key[0] = KIND_BODY;
    }
    if (jr_sha256(body, length, delivery->key + 1) != JR_OK)
        return JR_EIO;
    delivery->key_length = 1 + JR_SHA256_SIZE;
    if (delivery->key[0] == KIND_BODY) {
        memcpy(delivery->text, body_prefix, sizeof body_prefix - 1);
        jr_text_to_hex(delivery->key + 1, JR_SHA256_SIZE,
                       delivery->text + sizeof body_prefix - 1);
    }
    return JR_OK;
}

static size_t make_key(unsigned char key[JR_KEY_MAX], int64_t day, const struct jr_delivery *delivery)
{
    struct jr_writer writer;

    jr_writer_init(&writer, key, JR_KEY_MAX);
    jr_write_u32(&writer, (uint32_t)(day > 0 ? day : 0));
    jr_write_bytes(&writer, delivery->key, delivery->key_length);
    return writer.length;
}

/*
 * The day under which a delivery is remembered, or -1. Most are new, so every
 * day has to be looked at; one ahead too, for a clock that was set back.
 */
static int64_t find_day(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t now_ms,
                        struct jr_answer *answer)
{
    int64_t today = now_ms / JR_DAY_MS;

    for (int64_t day = today + 1; day >= today - JR_DELIVERY_DAYS && day >= 0; day--) {
        unsigned char key[JR_KEY_MAX], record[32];
        struct jr_reader reader;
        size_t length;

        if (!jr_txn_get(txn, JR_TABLE_DELIVERIES, key, make_key(key, day, delivery), record,
                        sizeof record, &length))
            continue;
        jr_reader_init(&reader, record, length);
        if (jr_read_u8(&reader) != DELIVERY_VERSION)
            reader.ok = false;
        answer->status = jr_read_u16(&reader);
        answer->reason = (enum jr_reason)jr_read_u16(&reader);
        answer->run_id = jr_read_u64(&reader);
        answer->attempt = jr_read_u32(&reader);
        if (!reader.ok)
            jr_txn_fail(txn, JR_EFORMAT, "the record of a delivery is damaged");
        return day;
    }
    return -1;
}

bool jr_delivery_find(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t now_ms,
                      struct jr_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    return find_day(txn, delivery, now_ms, answer) >= 0;
}

void jr_delivery_remember(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t now_ms,
                          const struct jr_answer *answer)
{
    unsigned char key[JR_KEY_MAX], record[32];
    struct jr_writer writer;
    struct jr_answer before;
    int64_t day = find_day(txn, delivery, now_ms, &before);

    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, DELIVERY_VERSION);
    jr_write_u16(&writer, (uint16_t)answer->status);
    jr_write_u16(&writer, (uint16_t)answer->reason);
    jr_write_u64(&writer, answer->run_id);
    jr_write_u32(&writer, answer->attempt);
    jr_txn_put(txn, JR_TABLE_DELIVERIES, key,
               make_key(key, day >= 0 ? day : now_ms / JR_DAY_MS, delivery), record, writer.length);
}

static bool forget(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t at_ms)
{
    unsigned char key[JR_KEY_MAX], record[32];
    size_t key_length = make_key(key, at_ms / JR_DAY_MS, delivery), length;

    if (!jr_txn_get(txn, JR_TABLE_DELIVERIES, key, key_length, record, sizeof record, &length))
        return false;
    jr_txn_delete(txn, JR_TABLE_DELIVERIES, key, key_length);
    return true;
}

bool jr_delivery_forget(struct jr_txn *txn, const char *text, int64_t at_ms)
{
    struct jr_delivery delivery;
    size_t prefix = sizeof body_prefix - 1;

    if (jr_delivery_identify(&delivery, text, "", 0) != JR_OK) {
        jr_txn_fail(txn, JR_EIO, "libcrypto failed");
        return false;
    }
    if (forget(txn, &delivery, at_ms))
        return true;
    /* It may be a body's hash instead. */
    if (strncmp(text, body_prefix, prefix) != 0
        || !jr_text_from_hex(text + prefix, delivery.key + 1, JR_SHA256_SIZE))
        return false;
    delivery.key[0] = KIND_BODY;
    delivery.key_length = 1 + JR_SHA256_SIZE;
    return forget(txn, &delivery, at_ms);
}

unsigned jr_delivery_prune(struct jr_txn *txn, int64_t now_ms, unsigned most)
{
    struct jr_entry entry;
    struct jr_reader reader;
    unsigned removed = 0;

    while (removed < most && jr_txn_seek(txn, JR_TABLE_DELIVERIES, NULL, 0, false, &entry)) {
        jr_reader_init(&reader, entry.key, entry.key_length);
        if (jr_read_u32(&reader) + JR_DELIVERY_DAYS >= now_ms / JR_DAY_MS)
            break;
        jr_txn_delete(txn, JR_TABLE_DELIVERIES, entry.key, entry.key_length);
        removed++;
    }
    return removed;
}
