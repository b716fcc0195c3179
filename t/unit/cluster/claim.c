/*
 * claim -- records, and each move from one state to the next.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/cluster/claim.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

#define ME    "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"
#define BOOT  "0123456789abcdef"
#define FORMER "fedcba9876543210"
#define OP    "0011223344556677"

#define TAKEOVER_MS (90 * JR_SECOND_MS)

/* A record in a state, by somebody. */
static struct jr_claim claim_of(enum jr_claim_state state, enum jr_claim_result result,
                                enum jr_claim_whose whose)
{
    struct jr_claim claim = { .state = state, .result = result, .posts = 1, .at_ms = 1 };

    if (state == JR_CLAIM_NONE)
        return (struct jr_claim){ .state = JR_CLAIM_NONE };
    strcpy(claim.host, whose == JR_CLAIM_ANOTHERS ? OTHER : ME);
    strcpy(claim.boot, whose == JR_CLAIM_FORMER ? FORMER : BOOT);
    strcpy(claim.op, OP);
    strcpy(claim.name, "web-1");
    return claim;
}

static const struct look {
    const char *name;
    enum jr_claim_state state;
    enum jr_claim_result result;
    enum jr_claim_whose whose;
    int64_t unchanged_ms;
    bool reopened;
    enum jr_claim_next next;
    bool takes_over;
} looks[] = {
    { "none", JR_CLAIM_NONE, 0, JR_CLAIM_MINE, 0, false, JR_CLAIM_TAKE, false },
    { "held by me", JR_CLAIM_HELD, 0, JR_CLAIM_MINE, 0, false, JR_CLAIM_TAKE, false },
    { "held by me before", JR_CLAIM_HELD, 0, JR_CLAIM_FORMER, 0, false, JR_CLAIM_TAKE, false },
    { "held by another", JR_CLAIM_HELD, 0, JR_CLAIM_ANOTHERS, 0, false, JR_CLAIM_WAIT, false },
    { "held nearly too long", JR_CLAIM_HELD, 0, JR_CLAIM_ANOTHERS, JR_CLAIM_STUCK_MS - 1, false,
      JR_CLAIM_WAIT, false },
    { "held too long", JR_CLAIM_HELD, 0, JR_CLAIM_ANOTHERS, JR_CLAIM_STUCK_MS, false,
      JR_CLAIM_TAKE, true },
    { "held, judged anew", JR_CLAIM_HELD, 0, JR_CLAIM_ANOTHERS, 0, true, JR_CLAIM_WAIT, false },
    { "posted by me", JR_CLAIM_POSTING, 0, JR_CLAIM_MINE, 0, false, JR_CLAIM_ASK, false },
    { "posted by me before", JR_CLAIM_POSTING, 0, JR_CLAIM_FORMER, 0, false, JR_CLAIM_WAIT,
      false },
    { "... long ago", JR_CLAIM_POSTING, 0, JR_CLAIM_FORMER, TAKEOVER_MS, false, JR_CLAIM_ASK,
      false },
    { "posted by another", JR_CLAIM_POSTING, 0, JR_CLAIM_ANOTHERS, TAKEOVER_MS - 1, false,
      JR_CLAIM_WAIT, false },
    { "... long ago, too", JR_CLAIM_POSTING, 0, JR_CLAIM_ANOTHERS, TAKEOVER_MS, false,
      JR_CLAIM_ASK, true },
    { "posted, judged anew", JR_CLAIM_POSTING, 0, JR_CLAIM_ANOTHERS, 0, true, JR_CLAIM_WAIT,
      false },
    { "accepted", JR_CLAIM_DONE, JR_CLAIM_ACCEPTED, JR_CLAIM_ANOTHERS, 0, false, JR_CLAIM_ACCEPT,
      false },
    { "accepted by me", JR_CLAIM_DONE, JR_CLAIM_ACCEPTED, JR_CLAIM_MINE, 0, false,
      JR_CLAIM_ACCEPT, false },
    { "accepted, judged anew", JR_CLAIM_DONE, JR_CLAIM_ACCEPTED, JR_CLAIM_MINE, 0, true,
      JR_CLAIM_ACCEPT, false },
    { "closed", JR_CLAIM_DONE, JR_CLAIM_CLOSED, JR_CLAIM_ANOTHERS, 0, false, JR_CLAIM_CLOSE,
      false },
    { "closed, and looked at again", JR_CLAIM_DONE, JR_CLAIM_CLOSED, JR_CLAIM_ANOTHERS, 1, false,
      JR_CLAIM_CLOSE, false },
    { "closed, judged anew", JR_CLAIM_DONE, JR_CLAIM_CLOSED, JR_CLAIM_ANOTHERS, 0, true,
      JR_CLAIM_TAKE, false },
    { "closed by me, due anew", JR_CLAIM_DONE, JR_CLAIM_CLOSED, JR_CLAIM_MINE, 0, false,
      JR_CLAIM_TAKE, false },
    { "refused", JR_CLAIM_DONE, JR_CLAIM_REFUSED, JR_CLAIM_ANOTHERS, 0, false, JR_CLAIM_CLOSE,
      false },
    { "refused, judged anew", JR_CLAIM_DONE, JR_CLAIM_REFUSED, JR_CLAIM_ANOTHERS, 0, true,
      JR_CLAIM_TAKE, false },
    { "by others", JR_CLAIM_DONE, JR_CLAIM_OTHERS, JR_CLAIM_ANOTHERS, 0, false, JR_CLAIM_CLOSE,
      false },
};

static void look_at_it(void **state)
{
    const struct look *row = *state;
    struct jr_claim claim = claim_of(row->state, row->result, row->whose);
    const struct jr_claim_view view = {
        .claim = &claim,
        .whose = jr_claim_whose(&claim, ME, BOOT),
        .unchanged_ms = row->unchanged_ms,
        .takeover_ms = TAKEOVER_MS,
        .stuck_ms = JR_CLAIM_STUCK_MS,
        .reopened = row->reopened,
    };

    if (row->state != JR_CLAIM_NONE)
        assert_int_equal(view.whose, row->whose);
    assert_int_equal(jr_claim_look(&view), row->next);
    assert_int_equal(jr_claim_is_takeover(&view), row->takes_over);
}

static const struct rerun {
    const char *name;
    enum jr_claim_state state;
    enum jr_claim_result result;
    bool is_of_host;
} reruns[] = {
    { "nobody had it", JR_CLAIM_NONE, 0, false },
    { "it was held only", JR_CLAIM_HELD, 0, false },
    { "nobody knows what came of it", JR_CLAIM_POSTING, 0, true },
    { "accepted", JR_CLAIM_DONE, JR_CLAIM_ACCEPTED, true },
    { "refused", JR_CLAIM_DONE, JR_CLAIM_REFUSED, false },
    { "closed", JR_CLAIM_DONE, JR_CLAIM_CLOSED, false },
    { "by others", JR_CLAIM_DONE, JR_CLAIM_OTHERS, false },
};

static void whose_rerun(void **state)
{
    const struct rerun *row = *state;
    struct jr_claim claim = claim_of(row->state, row->result, JR_CLAIM_ANOTHERS);

    assert_int_equal(jr_claim_is_of_rerun(&claim), row->is_of_host);
}

static const struct move {
    const char *name;
    enum jr_claim_state state;
    enum jr_claim_result result;
    enum jr_claim_whose whose;
    bool holds, posts, unposts, finishes;
} moves[] = {
    { "none", JR_CLAIM_NONE, 0, JR_CLAIM_MINE, true, false, false, false },
    { "held by me", JR_CLAIM_HELD, 0, JR_CLAIM_MINE, true, true, false, true },
    { "held by me before", JR_CLAIM_HELD, 0, JR_CLAIM_FORMER, true, false, false, true },
    { "held by another", JR_CLAIM_HELD, 0, JR_CLAIM_ANOTHERS, true, false, false, true },
    { "posted by me", JR_CLAIM_POSTING, 0, JR_CLAIM_MINE, false, true, true, true },
    { "posted by me before", JR_CLAIM_POSTING, 0, JR_CLAIM_FORMER, false, true, false, true },
    { "posted by another", JR_CLAIM_POSTING, 0, JR_CLAIM_ANOTHERS, false, true, false, true },
    { "accepted", JR_CLAIM_DONE, JR_CLAIM_ACCEPTED, JR_CLAIM_MINE, false, false, false, false },
    { "refused", JR_CLAIM_DONE, JR_CLAIM_REFUSED, JR_CLAIM_ANOTHERS, true, false, false, false },
    { "closed", JR_CLAIM_DONE, JR_CLAIM_CLOSED, JR_CLAIM_ANOTHERS, true, false, false, false },
};

static void move_it(void **state)
{
    const struct move *row = *state;
    const struct jr_claim before = claim_of(row->state, row->result, row->whose);
    struct jr_claim by = claim_of(JR_CLAIM_DONE, 0, JR_CLAIM_MINE), next;

    strcpy(by.op, "8899aabbccddeeff");
    strcpy(by.reason, "rerun-accepted");
    by.status = 201;
    assert_int_equal(jr_claim_hold(&before, &by, &next), row->holds);
    if (row->holds)
        assert_true(next.state == JR_CLAIM_HELD && next.posts == before.posts
                    && next.reason[0] == '\0' && strcmp(next.op, by.op) == 0);
    assert_int_equal(jr_claim_post(&before, &by, &next), row->posts);
    if (row->posts)
        assert_true(next.state == JR_CLAIM_POSTING && next.posts == before.posts + 1
                    && strcmp(next.host, ME) == 0 && strcmp(next.boot, BOOT) == 0);
    assert_int_equal(jr_claim_unpost(&before, &by, &next), row->unposts);
    if (row->unposts)
        assert_true(next.state == JR_CLAIM_HELD && next.posts == before.posts);
    assert_int_equal(jr_claim_finish(&before, &by, JR_CLAIM_ACCEPTED, &next), row->finishes);
    if (row->finishes)
        assert_true(next.state == JR_CLAIM_DONE && next.result == JR_CLAIM_ACCEPTED
                    && next.status == 201 && strcmp(next.reason, "rerun-accepted") == 0);
}

static void print(const struct jr_claim *claim, char text[JR_CLAIM_MOST + 1])
{
    struct jr_buffer buffer;

    jr_buffer_init(&buffer, JR_CLAIM_MOST);
    jr_claim_print(claim, &buffer);
    assert_true(buffer.ok);
    strcpy(text, buffer.bytes);
    jr_buffer_release(&buffer);
}

static void round_trip(void **unused)
{
    struct jr_claim claim = claim_of(JR_CLAIM_DONE, JR_CLAIM_REFUSED, JR_CLAIM_ANOTHERS), again;
    char text[JR_CLAIM_MOST + 1];
    struct jr_error error;

    (void)unused;
    claim.status = 403;
    claim.posts = 7;
    claim.at_ms = 1795132800123;
    strcpy(claim.reason, "cannot-be-retried");
    memset(claim.name, 'n', sizeof claim.name - 1);
    print(&claim, text);
    assert_int_equal(jr_claim_parse(text, strlen(text), &again, &error), JR_OK);
    assert_memory_equal(&again, &claim, sizeof claim);
}

static void quotes_end_nothing(void **unused)
{
    struct jr_claim claim = claim_of(JR_CLAIM_HELD, 0, JR_CLAIM_MINE), again;
    char text[JR_CLAIM_MOST + 1];
    struct jr_error error;

    (void)unused;
    strcpy(claim.name, "a\"},\\x\n");
    print(&claim, text);
    assert_int_equal(jr_claim_parse(text, strlen(text), &again, &error), JR_OK);
    assert_string_equal(again.name, "a},x");
}

#define HEAD "{\"v\":1,\"host\":\"" ME "\",\"boot\":\"" BOOT "\",\"op\":\"" OP "\","

static const struct record {
    const char *name, *text;
    bool good;
} records[] = {
    { "held", HEAD "\"state\":\"held\",\"n\":0,\"at_ms\":5}", true },
    { "with blanks", " { \"v\" : 1 , \"state\":\"posting\",\"host\":\"" ME "\",\"boot\":\"" BOOT
      "\", \"op\":\"" OP "\" } ", true },
    { "members that are not known", HEAD "\"state\":\"held\",\"later\":{\"a\":[1]}}", true },
    { "without numbers", HEAD "\"state\":\"posting\"}", true },
    { "done", HEAD "\"state\":\"done\",\"result\":\"closed\",\"reason\":\"missed\"}", true },
    { "done without a result", HEAD "\"state\":\"done\"}", false },
    { "a result too early", HEAD "\"state\":\"held\",\"result\":\"closed\"}", false },
    { "an unknown state", HEAD "\"state\":\"asleep\"}", false },
    { "the state none", HEAD "\"state\":\"none\"}", false },
    { "no state", HEAD "\"n\":1}", false },
    { "an unknown result", HEAD "\"state\":\"done\",\"result\":\"eaten\"}", false },
    { "another version", "{\"v\":2,\"state\":\"held\",\"host\":\"" ME "\",\"boot\":\"" BOOT
      "\",\"op\":\"" OP "\"}", false },
    { "no version", "{\"state\":\"held\",\"host\":\"" ME "\",\"boot\":\"" BOOT "\",\"op\":\"" OP
      "\"}", false },
    { "no host", "{\"v\":1,\"state\":\"held\",\"boot\":\"" BOOT "\",\"op\":\"" OP "\"}", false },
    { "a short host", "{\"v\":1,\"state\":\"held\",\"host\":\"0011\",\"boot\":\"" BOOT
      "\",\"op\":\"" OP "\"}", false },
    { "a host of other letters", "{\"v\":1,\"state\":\"held\",\"host\":"
      "\"xx112233445566778899aabbccddeeff\",\"boot\":\"" BOOT "\",\"op\":\"" OP "\"}", false },
    { "a number below 0", HEAD "\"state\":\"held\",\"n\":-1}", false },
    { "a number too large", HEAD "\"state\":\"held\",\"n\":1000001}", false },
    { "a number as a text", HEAD "\"state\":\"held\",\"n\":\"1\"}", false },
    { "a status too large", HEAD "\"state\":\"held\",\"status\":1000}", false },
    { "no JSON", "held", false },
    { "a list", "[]", false },
    { "nothing", "", false },
    { "null", "null", false },
};

static void read_record(void **state)
{
    static const struct jr_claim nothing;
    const struct record *row = *state;
    struct jr_claim claim;
    struct jr_error error;

    assert_int_equal(jr_claim_parse(row->text, strlen(row->text), &claim, &error),
                     row->good ? JR_OK : JR_EFORMAT);
    if (!row->good)
        assert_memory_equal(&claim, &nothing, sizeof claim);
}

int main(void)
{
    TABLE(looks, look_at_it);
    TABLE(reruns, whose_rerun);
    TABLE(moves, move_it);
    TEST(round_trip);
    TEST(quotes_end_nothing);
    TABLE(records, read_record);
    return run_program("claim");
}
