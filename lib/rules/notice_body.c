/*
 * notice_body -- notices as a chat or a receiver of CloudEvents takes them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/notice_body.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/model/cause.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* So much of a name is in the text. */
#define NAME_MAX_BYTES 80

/* A character that takes no room keeps a sign from meaning anything. */
#define DEFUSED(sign) sign "\xe2\x80\x8b"

/* Slack's three characters; what begins a mention, a link or markup; what begins a line. */
static const struct jr_show_mark text_marks[] = {
    { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" },
    { '@', DEFUSED("@") }, { ':', DEFUSED(":") }, { ']', DEFUSED("]") },
    { '#', DEFUSED("#") }, { '`', "'" }, { '*', DEFUSED("*") },
    { '~', DEFUSED("~") }, { '|', DEFUSED("|") }, { '\n', " " }, { '\r', " " }, { '\t', " " },
    { '\0', NULL },
};
static const struct jr_show_way text_way = { .joiners = true, .marks = text_marks };

static const struct jr_show_mark json_marks[] = {
    { '"', "\\\"" }, { '\\', "\\\\" }, { '\0', NULL },
};
static const struct jr_show_way json_way = { .instead = JR_SHOW_ESCAPED, .marks = json_marks };

static void add_shown(struct jr_buffer *buffer, const struct jr_show_way *way, const char *text)
{
    struct jr_show_part part;

    while (jr_show_next(way, &text, &part))
        jr_buffer_add_bytes(buffer, part.bytes, part.length);
}

/* --- the text --- */

/* Chats make a link of www.example.org, too. Numbers of versions stay as they are. */
static void add_name(struct jr_buffer *text, const char *name)
{
    char part[NAME_MAX_BYTES + 1], *rest = part, *dot;
    bool whole = jr_text_copy(part, sizeof part, name);

    while ((dot = strchr(rest, '.')) != NULL) {
        *dot = '\0';
        add_shown(text, &text_way, rest);
        rest = dot + 1;
        jr_buffer_add(text, *rest >= '0' && *rest <= '9' ? "." : DEFUSED("."));
    }
    add_shown(text, &text_way, rest);
    if (!whole)
        jr_buffer_add(text, "...");
}

static void add_causes(struct jr_buffer *text, uint64_t causes)
{
    const char *before = "; ";

    for (unsigned i = 1; i < JR_CAUSES; i++) {
        if ((causes >> i & 1) == 0)
            continue;
        jr_buffer_print(text, "%s%s", before, jr_cause_name((enum jr_cause)i));
        before = ", ";
    }
}

static void say_given_up(struct jr_buffer *text, const struct jr_notice *notice,
                         const char *web_url)
{
    add_name(text, notice->repo);
    jr_buffer_add(text, ": ");
    add_name(text, *notice->workflow == '\0' ? "a run" : notice->workflow);
    jr_buffer_add(text, " on ");
    add_name(text, *notice->branch == '\0' ? "no branch" : notice->branch);
    jr_buffer_print(text, " failed and is given up (attempt %" PRIu32 "; %s", notice->attempt,
                    jr_reason_words(notice->reason));
    add_causes(text, notice->causes);
    jr_buffer_add(text, ")");
    if (*web_url != '\0' && jr_text_is_full_name(notice->repo))
        jr_buffer_print(text, " %s/%s/actions/runs/%" PRIu64, web_url, notice->repo,
                        notice->run_id);
}

static void say_rate(struct jr_buffer *text, struct jr_notice_rate rate)
{
    jr_buffer_print(text, "%" PRIu32 " of %" PRIu32, rate.some, rate.of);
}

static void say_rescue_rate(struct jr_buffer *text, const struct jr_notice *notice)
{
    add_name(text, notice->repo);
    jr_buffer_add(text, ": reruns of ");
    add_name(text, notice->subject);
    jr_buffer_add(text, " help less than they did: ");
    say_rate(text, notice->rate);
    jr_buffer_add(text, " rescued, before ");
    say_rate(text, notice->rate_before);
}

static void say_shut_out(struct jr_buffer *text, const struct jr_notice *notice)
{
    jr_buffer_add(text, "GitHub refuses every call about what ");
    add_name(text, notice->subject);
    jr_buffer_add(text, " has; what is due stays due");
}

static void say_runner(struct jr_buffer *text, const struct jr_notice *notice)
{
    jr_buffer_add(text, "The runner ");
    add_name(text, notice->subject);
    jr_buffer_add(text, " fails more than the others: ");
    say_rate(text, notice->rate);
    jr_buffer_add(text, " jobs");
}

static void say_outage(struct jr_buffer *text, const struct jr_notice *notice)
{
    jr_buffer_add(text, "Many runs fail for the same kind of cause, and reruns are held");
    add_causes(text, notice->causes);
}

static void say(struct jr_buffer *text, const struct jr_notice *notice, const char *web_url)
{
    switch (notice->kind) {
    case JR_NOTICE_GIVEN_UP:
        say_given_up(text, notice, web_url);
        break;
    case JR_NOTICE_OUTAGE:
        say_outage(text, notice);
        break;
    case JR_NOTICE_OUTAGE_OVER:
        jr_buffer_add(text, "The outage is over: reruns go on");
        add_causes(text, notice->causes);
        break;
    case JR_NOTICE_SHUT_OUT:
        say_shut_out(text, notice);
        break;
    case JR_NOTICE_RUNNER:
        say_runner(text, notice);
        break;
    case JR_NOTICE_RESCUE_RATE:
        say_rescue_rate(text, notice);
        break;
    case JR_NOTICE_TEST:
        jr_buffer_add(text, "job-rerunner: a notice sent by hand, to see whether they arrive");
        break;
    }
}

/* What is not told one by one. */
static void say_more(struct jr_buffer *text, const struct jr_notice_told *told, size_t said)
{
    const char *before = "";

    if (told->count <= said)
        return;
    jr_buffer_print(text, "\nand %" PRIu64 " more; in all ", told->count - said);
    for (int i = 0; i < JR_NOTICE_KINDS; i++) {
        if (told->counts[i] == 0)
            continue;
        jr_buffer_print(text, "%s%s %" PRIu64, before, jr_notice_kind_name((enum jr_notice_kind)i),
                        told->counts[i]);
        before = ", ";
    }
}

/* The room that is kept for what say_more() adds. */
#define MORE_MAX_BYTES 250

static void write_text(struct jr_buffer *text, const struct jr_notice_told *told)
{
    size_t said = 0;

    while (said < told->items_count) {
        size_t length = text->length;

        if (said > 0)
            jr_buffer_add(text, "\n");
        say(text, &told->items[said], told->web_url);
        if (text->length > JR_NOTICE_TEXT_MAX - MORE_MAX_BYTES && said > 0) {
            text->bytes[length] = '\0';
            text->length = length;
            break;
        }
        said++;
    }
    say_more(text, told, said);
}

/* --- JSON --- */

static void add_text(struct jr_buffer *buffer, const char *key, const char *value)
{
    jr_buffer_print(buffer, ",\"%s\":\"", key);
    add_shown(buffer, &json_way, value);
    jr_buffer_add(buffer, "\"");
}

static void add_text_if_any(struct jr_buffer *buffer, const char *key, const char *value)
{
    if (*value != '\0')
        add_text(buffer, key, value);
}

static void add_rate(struct jr_buffer *buffer, const char *key, struct jr_notice_rate rate)
{
    if (rate.of != 0)
        jr_buffer_print(buffer, ",\"%s\":{\"some\":%" PRIu32 ",\"of\":%" PRIu32 "}", key, rate.some,
                        rate.of);
}

static void write_causes(struct jr_buffer *buffer, uint64_t causes)
{
    const char *before = "";

    if (causes == 0)
        return;
    jr_buffer_add(buffer, ",\"causes\":[");
    for (unsigned i = 1; i < JR_CAUSES; i++) {
        if ((causes >> i & 1) == 0)
            continue;
        jr_buffer_print(buffer, "%s\"%s\"", before, jr_cause_name((enum jr_cause)i));
        before = ",";
    }
    jr_buffer_add(buffer, "]");
}

static void write_notice(struct jr_buffer *buffer, const struct jr_notice *notice)
{
    char when[JR_TIMESTAMP_SIZE];

    jr_buffer_print(buffer, "{\"kind\":\"%s\",\"at\":\"%s\"", jr_notice_kind_name(notice->kind),
                    jr_timestamp_format(notice->at_ms, when));
    add_text_if_any(buffer, "repository", notice->repo);
    if (notice->run_id != 0)
        jr_buffer_print(buffer, ",\"run_id\":%" PRIu64 ",\"attempt\":%" PRIu32, notice->run_id,
                        notice->attempt);
    add_text_if_any(buffer, "workflow", notice->workflow);
    add_text_if_any(buffer, "branch", notice->branch);
    add_text_if_any(buffer, "subject", notice->subject);
    if (notice->reason != JR_REASON_NONE)
        add_text(buffer, "reason", jr_reason_token(notice->reason));
    write_causes(buffer, notice->causes);
    add_rate(buffer, "rate", notice->rate);
    add_rate(buffer, "rate_before", notice->rate_before);
    jr_buffer_add(buffer, "}");
}

static const char *kind_of(const struct jr_notice_told *told)
{
    return told->count == 1 ? jr_notice_kind_name(told->items[0].kind) : "several";
}

/* What makes a message the same as another; a number alone would not, after a store was lost. */
static void write_id(struct jr_buffer *buffer, const struct jr_notice_told *told)
{
    const struct jr_notice *first = &told->items[0];

    if (told->count == 1 && told->first == told->last && first->run_id != 0)
        jr_buffer_print(buffer, "%s/%" PRIu64 "/%" PRIu32, kind_of(told), first->run_id,
                        first->attempt);
    else
        jr_buffer_print(buffer, "%" PRIu64 "-%" PRIu64 "/%" PRId64, told->first, told->last,
                        told->begun_ms);
}

static void write_object(struct jr_buffer *buffer, const struct jr_notice_told *told)
{
    struct jr_buffer text;
    const char *before = "";

    jr_buffer_init(&text, JR_NOTICE_BODY_MAX);
    write_text(&text, told);
    if (!text.ok)
        buffer->ok = false;
    jr_buffer_add(buffer, "{\"text\":\"");
    add_shown(buffer, &json_way, text.bytes == NULL ? "" : text.bytes);
    jr_buffer_add(buffer, "\",\"id\":\"");
    jr_buffer_release(&text);
    write_id(buffer, told);
    jr_buffer_print(buffer, "\",\"kind\":\"%s\",\"count\":%" PRIu64 ",\"counts\":{", kind_of(told),
                    told->count);
    for (int i = 0; i < JR_NOTICE_KINDS; i++) {
        if (told->counts[i] == 0)
            continue;
        jr_buffer_print(buffer, "%s\"%s\":%" PRIu64, before,
                        jr_notice_kind_name((enum jr_notice_kind)i), told->counts[i]);
        before = ",";
    }
    jr_buffer_add(buffer, "},\"notices\":[");
    for (size_t i = 0; i < told->items_count; i++) {
        jr_buffer_add(buffer, i == 0 ? "" : ",");
        write_notice(buffer, &told->items[i]);
    }
    jr_buffer_add(buffer, "]}");
}

/* What a CloudEvent is about: the run, or what has a name. */
static void write_subject(struct jr_buffer *buffer, const struct jr_notice_told *told)
{
    const struct jr_notice *first = &told->items[0];

    if (told->count != 1 || (*first->repo == '\0' && *first->subject == '\0'))
        return;
    jr_buffer_add(buffer, ",\"subject\":\"");
    add_shown(buffer, &json_way, *first->repo != '\0' ? first->repo : first->subject);
    if (first->run_id != 0)
        jr_buffer_print(buffer, "/actions/runs/%" PRIu64, first->run_id);
    jr_buffer_add(buffer, "\"");
}

static void write_cloudevent(struct jr_buffer *buffer, const struct jr_notice_told *told)
{
    char when[JR_TIMESTAMP_SIZE];

    jr_buffer_add(buffer, "{\"specversion\":\"1.0\",\"id\":\"");
    write_id(buffer, told);
    jr_buffer_print(buffer, "\",\"type\":\"job-rerunner.%s\",\"time\":\"%s\"", kind_of(told),
                    jr_timestamp_format(told->items[0].at_ms, when));
    add_text(buffer, "source", told->api_url);
    write_subject(buffer, told);
    jr_buffer_add(buffer, ",\"datacontenttype\":\"application/json\",\"data\":");
    write_object(buffer, told);
    jr_buffer_add(buffer, "}");
}

const char *jr_notice_body_type(enum jr_notice_format format)
{
    return format == JR_NOTICE_CLOUDEVENTS ? "application/cloudevents+json; charset=utf-8"
                                           : "application/json";
}

void jr_notice_body_write(enum jr_notice_format format, const struct jr_notice_told *told,
                          struct jr_buffer *buffer)
{
    if (format == JR_NOTICE_CLOUDEVENTS)
        write_cloudevent(buffer, told);
    else
        write_object(buffer, told);
}
