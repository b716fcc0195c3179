/*
 * event -- a webhook's payload of any bytes. The first byte says under which name
 * it came; a `g`: as an answer of the API.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/text.h"
#include "lib/format/json.h"
#include "lib/model/event.h"
#include "t/fuzz/fuzz.h"

/* Ends within its size, and is text: valid UTF-8. */
static void holds_text(const char *text, size_t size)
{
    size_t length;

    HOLDS(memchr(text, '\0', size) != NULL);
    for (; *text != '\0'; text += length) {
        length = jr_text_utf8_length(text);
        HOLDS(length > 0);
    }
}

#define HOLDS_TEXT(member) holds_text(member, sizeof(member))

/* Only one that asks for something holds more. */
static void holds_asking(const struct jr_event *event)
{
    HOLDS(event->kind == JR_EVENT_ASKING && event->verb >= JR_VERB_NONE && event->verb < JR_VERBS);
    HOLDS_TEXT(event->action);
    if (event->verb == JR_VERB_NONE)
        return;
    HOLDS(event->repo_id > 0 && jr_text_is_full_name(event->repo) && *event->sender != '\0');
    HOLDS((event->comment_id != 0) == (event->pull_request != 0 && event->created_ms != 0));
    HOLDS((event->comment_id == 0) == (event->run_id > 0));
    HOLDS(event->run_id < INT64_MAX);
    HOLDS_TEXT(event->sender);
    HOLDS_TEXT(event->app_client_id);
}

static void holds_event(const struct jr_event *event)
{
    HOLDS(event->status <= JR_STATUS_COMPLETED);
    HOLDS(event->conclusion <= JR_CONCLUSION_OTHER);
    HOLDS(event->conclusion == JR_CONCLUSION_NONE || event->status == JR_STATUS_COMPLETED);
    HOLDS(event->run_id > 0 && event->run_id < INT64_MAX);
    HOLDS(jr_text_is_full_name(event->repo));
    HOLDS(event->created_ms >= 0 && event->started_ms >= 0);
    HOLDS(event->completed_ms >= 0 && event->updated_ms >= 0);
    HOLDS((event->kind == JR_EVENT_JOB) == (event->job_id != 0));
    HOLDS_TEXT(event->action);
    HOLDS_TEXT(event->repo);
    HOLDS_TEXT(event->branch);
    HOLDS_TEXT(event->workflow);
    HOLDS_TEXT(event->sender);
    HOLDS_TEXT(event->job_name);
    HOLDS_TEXT(event->runner);
    HOLDS_TEXT(event->labels);
    HOLDS_TEXT(event->actor);
    HOLDS_TEXT(event->triggering_actor);
    HOLDS_TEXT(event->trigger);
    HOLDS_TEXT(event->head_repo);
}

static void read_answer(const char *text, size_t length)
{
    struct jr_error error = { .code = JR_OK };
    struct jr_event event;
    json_object *root;

    if (jr_json_parse(text, length, &root, &error) == JR_OK
        && jr_event_decode_run(root, &event, &error) == JR_OK) {
        HOLDS(event.kind == JR_EVENT_RUN && event.action[0] == '\0');
        holds_event(&event);
    } else {
        HOLDS(error.code == JR_EINVAL && error.text[0] != '\0');
    }
    json_object_put(root);
}

static void read_webhook(const char *name, char *text, size_t length)
{
    struct jr_error error = { .code = JR_OK };
    struct jr_event event;

    switch (jr_event_read(name, text, length, &event, &error)) {
    case JR_PAYLOAD_EVENT:
        if (name != NULL && jr_event_is_asking(name)) {
            holds_asking(&event);
            break;
        }
        HOLDS(name == NULL || (event.kind == JR_EVENT_JOB) == (strcmp(name, "workflow_job") == 0));
        holds_event(&event);
        break;
    case JR_PAYLOAD_NOTHING:
        HOLDS(error.code == JR_OK);
        break;
    case JR_PAYLOAD_NOT_JSON:
    case JR_PAYLOAD_BAD:
        HOLDS(error.code == JR_EINVAL && error.text[0] != '\0');
        break;
    case JR_PAYLOAD_NO_MEMORY:
        HOLDS(!"there is memory");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    int kind = take_byte(&input);
    size_t length;
    char *text = take_rest(&input, &length);

    if (kind == 'g')
        read_answer(text, length);
    else
        read_webhook(kind == 'j'   ? "workflow_job"
                     : kind == 'r' ? "workflow_run"
                     : kind == 'i' ? "issue_comment"
                     : kind == 'k' ? "check_run"
                                   : NULL,
                     text, length);
    free(text);
    return 0;
}
