/*
 * claim -- who may ask GitHub for the rerun of an attempt, among several hosts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/cluster/claim.h"
#include "lib/base/codec.h"
#include "lib/base/text.h"
#include "lib/format/json.h"

#include <string.h>

/* Nobody asks GitHub for more reruns of an attempt than this. */
#define POSTS_MOST 1000000

static const char *const state_names[] = { "none", "held", "posting", "done" };
static const char *const result_names[] = { "", "accepted", "refused", "closed", "others" };

const char *jr_claim_state_name(enum jr_claim_state state)
{
    return state_names[state];
}

const char *jr_claim_result_name(enum jr_claim_result result)
{
    return result_names[result];
}

/* The place of a word; 0: it is unknown. */
static int place_of(const char *const *names, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], word) == 0)
            return (int)i;
    return 0;
}

/* A number from 0 to `most'; 0 if it is missing. False: it is something else. */
static bool read_number(json_object *object, const char *key, uint64_t most, uint64_t *number)
{
    json_object *member;

    *number = 0;
    if (!json_object_object_get_ex(object, key, &member) || member == NULL)
        return true;
    if (json_object_get_type(member) != json_type_int || json_object_get_int64(member) < 0)
        return false;
    *number = (uint64_t)json_object_get_int64(member);
    return *number <= most;
}

/* Exactly so many hexadecimal digits. */
static bool read_hex(json_object *object, const char *key, char *text, size_t size)
{
    unsigned char bytes[JR_CLAIM_ID_SIZE];

    return jr_json_get_text(object, key, text, size) == JR_JSON_OK && strlen(text) == size - 1
           && jr_text_from_hex(text, bytes, (size - 1) / 2);
}

static bool read_members(json_object *object, struct jr_claim *claim)
{
    char state[16], result[16];
    uint64_t version, posts, at_ms, status;

    if (jr_json_get_text(object, "state", state, sizeof state) != JR_JSON_OK)
        return false;
    (void)jr_json_get_text(object, "result", result, sizeof result);
    (void)jr_json_get_text(object, "name", claim->name, sizeof claim->name);
    (void)jr_json_get_text(object, "reason", claim->reason, sizeof claim->reason);
    claim->state = (enum jr_claim_state)place_of(state_names, JR_CLAIM_DONE + 1, state);
    claim->result = (enum jr_claim_result)place_of(result_names, JR_CLAIM_OTHERS + 1, result);
    if (!read_hex(object, "host", claim->host, sizeof claim->host)
        || !read_hex(object, "boot", claim->boot, sizeof claim->boot)
        || !read_hex(object, "op", claim->op, sizeof claim->op)
        || !read_number(object, "v", 1, &version) || !read_number(object, "n", POSTS_MOST, &posts)
        || !read_number(object, "at_ms", (uint64_t)JR_TIME_MOST, &at_ms)
        || !read_number(object, "status", 999, &status))
        return false;
    claim->posts = (unsigned)posts;
    claim->at_ms = (int64_t)at_ms;
    claim->status = (int)status;
    return version == 1 && claim->state != JR_CLAIM_NONE
           && (claim->state == JR_CLAIM_DONE) == (claim->result != JR_CLAIM_OPEN);
}

enum jr_err jr_claim_parse(const char *text, size_t length, struct jr_claim *claim,
                           struct jr_error *error)
{
    json_object *root = NULL;
    enum jr_err err = length > JR_CLAIM_MOST ? JR_EINVAL
                                             : jr_json_parse(text, length, &root, error);
    bool good;

    memset(claim, 0, sizeof *claim);
    if (err == JR_ENOMEM)
        return err;
    good = err == JR_OK && json_object_get_type(root) == json_type_object
           && read_members(root, claim);
    json_object_put(root);
    if (good)
        return JR_OK;
    memset(claim, 0, sizeof *claim);
    return jr_error_set(error, JR_EFORMAT, "it is no claim that this version can read");
}

/* A member that is a text; characters that JSON would have to escape are left out. */
static void print_text(struct jr_buffer *buffer, const char *key, const char *text)
{
    if (*text == '\0')
        return;
    jr_buffer_print(buffer, ",\"%s\":\"", key);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c >= ' ' && *c != '"' && *c != '\\')
            jr_buffer_add_bytes(buffer, c, 1);
    jr_buffer_add(buffer, "\"");
}

void jr_claim_print(const struct jr_claim *claim, struct jr_buffer *buffer)
{
    jr_buffer_add(buffer, "{\"v\":1");
    print_text(buffer, "state", jr_claim_state_name(claim->state));
    print_text(buffer, "result", jr_claim_result_name(claim->result));
    print_text(buffer, "host", claim->host);
    print_text(buffer, "name", claim->name);
    print_text(buffer, "boot", claim->boot);
    print_text(buffer, "op", claim->op);
    jr_buffer_print(buffer, ",\"n\":%u,\"at_ms\":%lld", claim->posts, (long long)claim->at_ms);
    print_text(buffer, "reason", claim->reason);
    if (claim->status != 0)
        jr_buffer_print(buffer, ",\"status\":%d", claim->status);
    jr_buffer_add(buffer, "}");
}

enum jr_claim_whose jr_claim_whose(const struct jr_claim *claim, const char *host,
                                   const char *boot)
{
    if (strcmp(claim->host, host) != 0)
        return JR_CLAIM_ANOTHERS;
    return strcmp(claim->boot, boot) == 0 ? JR_CLAIM_MINE : JR_CLAIM_FORMER;
}

/*
 * The attempt is due here, although it is done. What this host has decided itself it judges anew.
 * What another has decided it closes, too; but not when the attempt had been closed here and is
 * judged anew, nor when somebody asks for it.
 */
static enum jr_claim_next look_at_done(const struct jr_claim_view *view)
{
    if (view->claim->result == JR_CLAIM_ACCEPTED)
        return JR_CLAIM_ACCEPT;
    return view->reopened || view->whose != JR_CLAIM_ANOTHERS ? JR_CLAIM_TAKE : JR_CLAIM_CLOSE;
}

enum jr_claim_next jr_claim_look(const struct jr_claim_view *view)
{
    switch (view->claim->state) {
    case JR_CLAIM_HELD:
        return view->whose != JR_CLAIM_ANOTHERS || view->unchanged_ms >= view->stuck_ms
                   ? JR_CLAIM_TAKE
                   : JR_CLAIM_WAIT;
    case JR_CLAIM_POSTING:
        return view->whose == JR_CLAIM_MINE || view->unchanged_ms >= view->takeover_ms
                   ? JR_CLAIM_ASK
                   : JR_CLAIM_WAIT;
    case JR_CLAIM_DONE:
        return look_at_done(view);
    case JR_CLAIM_NONE:
        break;
    }
    return JR_CLAIM_TAKE;
}

bool jr_claim_is_of_rerun(const struct jr_claim *claim)
{
    return claim->state == JR_CLAIM_POSTING
           || (claim->state == JR_CLAIM_DONE && claim->result == JR_CLAIM_ACCEPTED);
}

bool jr_claim_is_takeover(const struct jr_claim_view *view)
{
    enum jr_claim_next next = jr_claim_look(view);

    return view->whose == JR_CLAIM_ANOTHERS
           && (view->claim->state == JR_CLAIM_HELD || view->claim->state == JR_CLAIM_POSTING)
           && (next == JR_CLAIM_TAKE || next == JR_CLAIM_ASK);
}

/* A record of who writes, in another state. */
static void begin(const struct jr_claim *before, const struct jr_claim *by,
                  enum jr_claim_state state, struct jr_claim *next)
{
    unsigned posts = before->posts;
    struct jr_claim made = *by;

    made.state = state;
    made.result = JR_CLAIM_OPEN;
    made.posts = posts;
    made.reason[0] = '\0';
    made.status = 0;
    *next = made;
}

bool jr_claim_hold(const struct jr_claim *before, const struct jr_claim *by,
                   struct jr_claim *next)
{
    if (before->state == JR_CLAIM_POSTING
        || (before->state == JR_CLAIM_DONE && before->result == JR_CLAIM_ACCEPTED))
        return false;
    begin(before, by, JR_CLAIM_HELD, next);
    return true;
}

/* From held: only who holds it. From posting: who has waited, and has asked GitHub then. */
bool jr_claim_post(const struct jr_claim *before, const struct jr_claim *by,
                   struct jr_claim *next)
{
    if (before->state != JR_CLAIM_POSTING
        && (before->state != JR_CLAIM_HELD
            || jr_claim_whose(before, by->host, by->boot) != JR_CLAIM_MINE))
        return false;
    begin(before, by, JR_CLAIM_POSTING, next);
    next->posts++;
    return true;
}

bool jr_claim_unpost(const struct jr_claim *before, const struct jr_claim *by,
                     struct jr_claim *next)
{
    if (before->state != JR_CLAIM_POSTING
        || jr_claim_whose(before, by->host, by->boot) != JR_CLAIM_MINE)
        return false;
    begin(before, by, JR_CLAIM_HELD, next);
    return true;
}

bool jr_claim_finish(const struct jr_claim *before, const struct jr_claim *by,
                     enum jr_claim_result result, struct jr_claim *next)
{
    if (before->state != JR_CLAIM_HELD && before->state != JR_CLAIM_POSTING)
        return false;
    begin(before, by, JR_CLAIM_DONE, next);
    /* The record keeps naming the host that has posted, whoever finds out what came of it. */
    if (before->state == JR_CLAIM_POSTING) {
        (void)jr_text_copy(next->host, sizeof next->host, before->host);
        (void)jr_text_copy(next->name, sizeof next->name, before->name);
        (void)jr_text_copy(next->boot, sizeof next->boot, before->boot);
    }
    next->result = result;
    (void)jr_text_copy(next->reason, sizeof next->reason, by->reason);
    next->status = by->status;
    return true;
}
