/*
 * worth -- what the last reruns of jobs were worth.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/steps/worth.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_AT_FIRST 256

/* Its place, or the free one where it would be. The table is never full. */
static struct jr_worth *seek(struct jr_worth *items, size_t room, const unsigned char *job,
                             enum jr_cause cause)
{
    size_t at;

    memcpy(&at, job, sizeof at); /* a digest: all its bits are good */
    for (at += (size_t)cause;; at++) {
        struct jr_worth *worth = &items[at & (room - 1)];

        if (worth->cause == JR_CAUSE_NONE
            || (worth->cause == cause && memcmp(worth->job, job, sizeof worth->job) == 0))
            return worth;
    }
}

static bool grow(struct jr_worths *worths)
{
    size_t room = worths->room == 0 ? ROOM_AT_FIRST : 2 * worths->room;
    struct jr_worth *items = calloc(room, sizeof *items);

    if (items == NULL)
        return false;
    for (size_t i = 0; i < worths->room; i++)
        if (worths->items[i].cause != JR_CAUSE_NONE)
            *seek(items, room, worths->items[i].job, worths->items[i].cause) = worths->items[i];
    free(worths->items);
    worths->items = items;
    worths->room = room;
    return true;
}

struct jr_worth *jr_worths_find(struct jr_worths *worths,
                                const unsigned char job[JR_FAILURE_JOB_SIZE],
                                enum jr_cause cause)
{
    struct jr_worth *worth;

    if (2 * worths->count >= worths->room && !grow(worths))
        return NULL;
    worth = seek(worths->items, worths->room, job, cause);
    if (worth->cause == JR_CAUSE_NONE) {
        worths->count++;
        memcpy(worth->job, job, sizeof worth->job);
        worth->cause = cause;
    }
    return worth;
}

void jr_worths_release(struct jr_worths *worths)
{
    free(worths->items);
    memset(worths, 0, sizeof *worths);
}

void jr_worth_add(struct jr_worth *worth, bool rescued)
{
    worth->rescued[1] = worth->rescued[1] << 1 | worth->rescued[0] >> 63;
    worth->rescued[0] = worth->rescued[0] << 1 | (rescued ? 1 : 0);
    if (worth->count < JR_WORTH_MOST)
        worth->count++;
}

void jr_worth_tell(const struct jr_worth *worth, uint32_t of, uint32_t *tried,
                   uint32_t *rescued)
{
    *tried = worth->count < of ? worth->count : of;
    *rescued = 0;
    for (uint32_t i = 0; i < *tried; i++)
        *rescued += worth->rescued[i / 64] >> i % 64 & 1;
}
