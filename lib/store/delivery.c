/*
 * delivery -- which webhooks were answered before, and how.
 *
 * Key: day (4 bytes), kind (1), then for GitHub's UUIDs their 16 bytes. Those
 * are of version 1 (they carry the time of the event); with the time moved to
 * the front, as RFC 9562 has it for version 6, new keys go to the end. Where an
 * id tells that its event is of yesterday or later, the event's day is the key's:
 * then there is one place to look at. Others stand under the day when they came.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/store/delivery.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/signature.h"
#include "lib/store/key.h"

#include <string.h>

#define DELIVERY_VERSION 2

/* How many days a key is looked for: one may stand under the day before it came. */
#define DAYS_BACK (JR_DELIVERY_DAYS + 1)

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

/* RFC 9562, 5.1: 100 ns since 1582-10-15. */
#define TICKS_UNTIL_1970 UINT64_C(0x01b21dd213814000)
#define TICKS_A_DAY      (UINT64_C(10000) * JR_DAY_MS)

/* The day of a UUID of version 1 whose time has been moved to the front. */
static int64_t day_of(const unsigned char uuid[16])
{
    struct jr_reader reader;
    uint64_t ticks;

    jr_reader_init(&reader, uuid, 8);
    ticks = jr_read_u64(&reader);
    /* Four bits of version stand before the time. */
    ticks &= UINT64_C(0x0fffffffffffffff);
    return ticks < TICKS_UNTIL_1970 ? -1 : (int64_t)((ticks - TICKS_UNTIL_1970) / TICKS_A_DAY);
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
    delivery->day = -1;
    if (is_usable(id)) {
        jr_text_copy(delivery->text, sizeof delivery->text, id);
        if (parse_uuid(id, delivery->key + 1)) {
            delivery->key[0] = delivery->key[1 + 6] >> 4 == 1 ? KIND_TIME_UUID : KIND_UUID;
            if (delivery->key[0] == KIND_TIME_UUID) {
                time_first(delivery->key + 1);
                delivery->day = day_of(delivery->key + 1);
            }
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

static struct jr_key key_of(const struct jr_delivery *delivery, int64_t day)
{
    struct jr_key key = jr_key_of_day((uint32_t)(day > 0 ? day : 0));

    jr_key_add_bytes(&key, delivery->key, delivery->key_length);
    return key;
}

/*
 * Is its event's day its only place? So it is as long as it is not older than of
 * yesterday: whenever it came before, that was so as well. An id may tell of a day
 * ahead, or this clock be behind.
 */
static bool has_one_place(const struct jr_delivery *delivery, int64_t today)
{
    return delivery->day >= 0 && delivery->day >= today - 1;
}

/* Read the answer to a delivery that is remembered under a day. Returns whether there is one. */
static bool read_answer(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t day,
                        struct jr_answer *answer)
{
    struct jr_key key = key_of(delivery, day);
    unsigned char record[32];
    struct jr_reader reader;
    size_t length;

    if (!jr_txn_get(txn, JR_TABLE_DELIVERIES, key.bytes, key.length, record, sizeof record,
                    &length))
        return false;
    jr_reader_init(&reader, record, length);
    if (jr_read_u8(&reader) != DELIVERY_VERSION)
        reader.ok = false;
    answer->reply = (enum jr_reply)jr_read_u8(&reader);
    answer->reason = (enum jr_reason)jr_read_u16(&reader);
    answer->run_id = jr_read_u64(&reader);
    answer->attempt = jr_read_u32(&reader);
    if (!reader.ok || answer->reply == JR_REPLY_NONE || answer->reply >= JR_REPLIES)
        jr_txn_fail(txn, JR_EFORMAT, "the record of a delivery is damaged");
    return true;
}

/*
 * The day under which a delivery is remembered, or -1. Where its id does not tell,
 * every day has to be looked at; one ahead too, for a clock that was set back.
 */
static int64_t find_day(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t now_ms,
                        struct jr_answer *answer)
{
    int64_t today = now_ms / JR_DAY_MS;

    if (has_one_place(delivery, today))
        return read_answer(txn, delivery, delivery->day, answer) ? delivery->day : -1;
    for (int64_t day = today + 1; day >= today - DAYS_BACK && day >= 0; day--)
        if (read_answer(txn, delivery, day, answer))
            return day;
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
    unsigned char record[32];
    struct jr_key key;
    struct jr_writer writer;
    struct jr_answer before;
    int64_t today = now_ms / JR_DAY_MS, day = delivery->day;

    if (!has_one_place(delivery, today))
        day = find_day(txn, delivery, now_ms, &before);
    jr_writer_init(&writer, record, sizeof record);
    jr_write_u8(&writer, DELIVERY_VERSION);
    jr_write_u8(&writer, (uint8_t)answer->reply);
    jr_write_u16(&writer, (uint16_t)answer->reason);
    jr_write_u64(&writer, answer->run_id);
    jr_write_u32(&writer, answer->attempt);
    key = key_of(delivery, day >= 0 ? day : today);
    jr_txn_put(txn, JR_TABLE_DELIVERIES, key.bytes, key.length, record, writer.length);
}

static bool forget(struct jr_txn *txn, const struct jr_delivery *delivery, int64_t at_ms)
{
    struct jr_answer answer;
    int64_t day = find_day(txn, delivery, at_ms, &answer);
    struct jr_key key = key_of(delivery, day);

    if (day < 0)
        return false;
    jr_txn_delete(txn, JR_TABLE_DELIVERIES, key.bytes, key.length);
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
    return jr_key_drop_days(txn, JR_TABLE_DELIVERIES, now_ms / JR_DAY_MS - DAYS_BACK, most);
}

uint64_t jr_delivery_count(struct jr_txn *txn)
{
    return jr_txn_count(txn, JR_TABLE_DELIVERIES);
}

unsigned jr_delivery_drop_oldest(struct jr_txn *txn, unsigned most)
{
    return jr_key_drop_days(txn, JR_TABLE_DELIVERIES, INT64_MAX, most);
}
