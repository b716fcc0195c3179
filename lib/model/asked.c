/*
 * asked -- what a person asks of the service on a pull request.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/asked.h"

#include <string.h>

#define ASKED_VERSION 1

const char *jr_asked_end_name(enum jr_asked_end end)
{
    static const char *const names[JR_ASKED_ENDS] = {
        [JR_ASKED_OPEN] = "open",
        [JR_ASKED_DONE] = "done",
        [JR_ASKED_NOTHING] = "nothing-to-do",
        [JR_ASKED_NOT_ALLOWED] = "not-allowed",
        [JR_ASKED_CLOSED] = "closed",
        [JR_ASKED_GIVEN_UP] = "given-up",
        [JR_ASKED_STALE] = "stale",
    };

    return names[(unsigned)end < JR_ASKED_ENDS ? end : JR_ASKED_OPEN];
}

void jr_asked_encode(const struct jr_asked *asked, struct jr_writer *writer)
{
    jr_write_u8(writer, ASKED_VERSION);
    jr_write_u8(writer, (uint8_t)asked->verb);
    jr_write_u8(writer, (uint8_t)asked->state);
    jr_write_u8(writer, (uint8_t)asked->end);
    jr_write_u64(writer, asked->repo_id);
    jr_write_text(writer, asked->repo);
    jr_write_text(writer, asked->who);
    jr_write_u64(writer, asked->comment_id);
    jr_write_u64(writer, asked->pull_request);
    jr_write_u64(writer, asked->run_id);
    jr_write_text(writer, asked->sha);
    jr_write_time(writer, asked->at_ms);
    jr_write_time(writer, asked->due_ms);
    jr_write_u32(writer, asked->tries);
    jr_write_u8(writer, asked->intent);
    jr_write_u8(writer, (uint8_t)asked->count);
    for (size_t i = 0; i < asked->count; i++)
        jr_write_u64(writer, asked->runs[i]);
    jr_write_u64(writer, asked->who_id);
    jr_write_u8(writer, asked->insider);
    jr_write_u32(writer, asked->attempt);
    jr_write_time(writer, asked->acted_ms);
}

/* One of before has no such end. */
static void read_end(struct jr_asked *asked, struct jr_reader *reader)
{
    if (reader->offset == reader->size)
        return;
    asked->who_id = jr_read_u64(reader);
    asked->insider = jr_read_u8(reader) != 0;
    asked->attempt = jr_read_u32(reader);
    asked->acted_ms = jr_read_time(reader);
}

bool jr_asked_decode(struct jr_asked *asked, const void *bytes, size_t size)
{
    struct jr_reader reader;

    memset(asked, 0, sizeof *asked);
    jr_reader_init(&reader, bytes, size);
    if (jr_read_u8(&reader) != ASKED_VERSION)
        return false;
    asked->verb = (enum jr_verb)jr_read_u8(&reader);
    asked->state = (enum jr_asked_state)jr_read_u8(&reader);
    asked->end = (enum jr_asked_end)jr_read_u8(&reader);
    asked->repo_id = jr_read_u64(&reader);
    jr_read_text(&reader, asked->repo, sizeof asked->repo);
    jr_read_text(&reader, asked->who, sizeof asked->who);
    asked->comment_id = jr_read_u64(&reader);
    asked->pull_request = jr_read_u64(&reader);
    asked->run_id = jr_read_u64(&reader);
    jr_read_text(&reader, asked->sha, sizeof asked->sha);
    asked->at_ms = jr_read_time(&reader);
    asked->due_ms = jr_read_time(&reader);
    asked->tries = jr_read_u32(&reader);
    asked->intent = jr_read_u8(&reader) != 0;
    asked->count = jr_read_u8(&reader);
    if (asked->count > JR_ASKED_RUNS)
        return false;
    for (size_t i = 0; i < asked->count; i++)
        asked->runs[i] = jr_read_u64(&reader);
    read_end(asked, &reader);
    return reader.ok && reader.offset == size && asked->verb > JR_VERB_NONE
           && asked->verb < JR_VERBS && asked->state <= JR_ASKED_SAYS
           && asked->end < JR_ASKED_ENDS;
}
