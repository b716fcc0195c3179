/*
 * query -- the parameters of a page; what is taken of them, written again, reads the same.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/query.h"
#include "t/fuzz/fuzz.h"

static const char *const names[] = { "repo", "state", "since", "page", NULL };

/* The parameters that are given, as they may stand in an address. */
static void written_reads_the_same(const struct jr_query *query)
{
    struct jr_buffer buffer;
    struct jr_query again;
    struct jr_error error;
    const char *written;

    jr_buffer_init(&buffer, 4 * JR_QUERY_BYTES_MAX);
    jr_query_write(&buffer, query, NULL, NULL);
    HOLDS(buffer.ok);
    written = buffer.length == 0 ? "?" : buffer.bytes;
    HOLDS(*written++ == '?');
    /* Written, a text that just fitted may have become too long to be taken. */
    if (strlen(written) <= JR_QUERY_BYTES_MAX) {
        HOLDS(jr_query_read(&again, names, written, &error) == JR_OK);
        for (size_t i = 0; names[i] != NULL; i++)
            HOLDS(strcmp(jr_query_value(&again, names[i]), jr_query_value(query, names[i])) == 0);
    }
    jr_buffer_release(&buffer);
}

static void numbers_have_their_range(const struct jr_query *query)
{
    struct jr_error error = { 0 };
    int64_t page = 1;
    enum jr_err err = jr_query_number(query, "page", 1, 1000, &page, &error);
    uint64_t id = jr_query_id(jr_query_value(query, "repo"));
    char decimal[24];

    HOLDS(page >= 1 && page <= 1000);
    HOLDS((err == JR_OK) == (error.text[0] == '\0'));
    snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)id);
    HOLDS(id == 0 || strcmp(decimal, jr_query_value(query, "repo")) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    char *text = take_until(&input, '\0', NULL);
    struct jr_query query;
    struct jr_error error = { 0 };

    if (jr_query_read(&query, names, text, &error) == JR_OK) {
        written_reads_the_same(&query);
        numbers_have_their_range(&query);
    } else {
        HOLDS(error.code == JR_EINVAL && error.text[0] != '\0');
    }
    free(text);
    return 0;
}
