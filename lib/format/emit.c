/*
 * emit -- records of named values, written as JSON or as CSV.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/emit.h"
#include "lib/base/show.h"
#include "lib/base/timestamp.h"

#include <string.h>

/* As CSV: a record is a line, its members are cells; what is deeper is JSON in a cell. */
#define RECORDS 1
#define CELLS 2

/* Longer than any number. */
#define NUMBER_SIZE 64

static const struct jr_show_mark json_marks[] = { { '"', "\\\"" }, { '\\', "\\\\" }, { '\0', NULL } };
static const struct jr_show_mark nested_marks[] = { { '"', "\\\"\"" }, { '\\', "\\\\" }, { '\0', NULL } };
static const struct jr_show_mark cell_marks[] = { { '"', "\"\"" }, { '\0', NULL } };

static const struct jr_show_way json_way = { .instead = JR_SHOW_ESCAPED, .marks = json_marks };
static const struct jr_show_way nested_way = { .instead = JR_SHOW_ESCAPED, .marks = nested_marks };
static const struct jr_show_way cell_way = { .joiners = true, .marks = cell_marks };

void jr_emit_init(struct jr_emit *emit, FILE *stream)
{
    memset(emit, 0, sizeof *emit);
    emit->stream = stream;
}

void jr_emit_init_buffer(struct jr_emit *emit, struct jr_buffer *buffer)
{
    memset(emit, 0, sizeof *emit);
    emit->buffer = buffer;
}

void jr_emit_as_csv(struct jr_emit *emit)
{
    emit->csv = true;
}

void jr_emit_heading(struct jr_emit *emit, bool on)
{
    emit->heading = on;
    emit->started = false;
}

static void put_bytes(struct jr_emit *emit, const char *bytes, size_t length)
{
    if (emit->buffer != NULL)
        jr_buffer_add_bytes(emit->buffer, bytes, length);
    else
        fwrite(bytes, 1, length, emit->stream);
}

static void put(struct jr_emit *emit, const char *text)
{
    put_bytes(emit, text, strlen(text));
}

static void put_shown(struct jr_emit *emit, const struct jr_show_way *way, const char *text)
{
    struct jr_show_part part;

    while (jr_show_next(way, &text, &part))
        put_bytes(emit, part.bytes, part.length);
}

/* A text in JSON, which in a cell has its quotes doubled. */
static void put_string(struct jr_emit *emit, const char *text)
{
    const char *quote = emit->csv ? "\"\"" : "\"";

    put(emit, quote);
    put_shown(emit, emit->csv ? &nested_way : &json_way, text);
    put(emit, quote);
}

/* A text that is a cell. */
static void put_cell(struct jr_emit *emit, const char *text)
{
    bool formula = strchr("=+-@\t\r", *text) != NULL;
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;

    put(emit, quoted ? "\"" : "");
    put(emit, formula ? "'" : "");
    put_shown(emit, &cell_way, text);
    put(emit, quoted ? "\"" : "");
}

/* Is a cell of CSV written, or a record, or what is around them? */
static bool is_cell(const struct jr_emit *emit)
{
    return emit->csv && emit->depth == CELLS;
}

static bool is_around(const struct jr_emit *emit)
{
    return emit->csv && emit->depth < CELLS;
}

/* What stands before a value. Returns whether the value itself is wanted. */
static bool begin(struct jr_emit *emit, const char *key)
{
    bool wanted = !emit->heading && !is_around(emit);
    bool named = key != NULL && (!emit->csv || emit->depth > CELLS);

    if (emit->heading && !is_cell(emit))
        return false;
    if (emit->started && !is_around(emit))
        put(emit, ",");
    if (emit->in_array && emit->depth == RECORDS && !emit->csv)
        put(emit, "\n");
    emit->started = true;
    if (emit->heading)
        put_cell(emit, key);
    if (wanted && named) {
        put_string(emit, key);
        put(emit, ":");
    }
    return wanted;
}

static void open_with(struct jr_emit *emit, const char *key, const char *bracket)
{
    if (begin(emit, key)) {
        put(emit, is_cell(emit) ? "\"" : "");
        put(emit, bracket);
    }
    if (emit->depth == 0)
        emit->in_array = *bracket == '[';
    emit->depth++;
    emit->started = false;
}

static void close_with(struct jr_emit *emit, const char *bracket)
{
    bool wanted = !emit->heading;

    if (is_cell(emit))
        put(emit, "\r\n");
    if (wanted && emit->in_array && emit->depth == RECORDS && !emit->csv)
        put(emit, "\n");
    emit->depth--;
    if (wanted && !is_around(emit)) {
        put(emit, bracket);
        put(emit, is_cell(emit) ? "\"" : "");
    }
    emit->started = true;
}

void jr_emit_end(struct jr_emit *emit)
{
    put(emit, emit->csv ? "" : "\n");
    emit->depth = 0;
    emit->started = emit->in_array = false;
}

void jr_emit_open(struct jr_emit *emit, const char *key)
{
    open_with(emit, key, "{");
}

void jr_emit_close(struct jr_emit *emit)
{
    close_with(emit, "}");
}

void jr_emit_open_array(struct jr_emit *emit, const char *key)
{
    open_with(emit, key, "[");
}

void jr_emit_close_array(struct jr_emit *emit)
{
    close_with(emit, "]");
}

void jr_emit_null(struct jr_emit *emit, const char *key)
{
    if (begin(emit, key))
        put(emit, is_cell(emit) ? "" : "null");
}

void jr_emit_bool(struct jr_emit *emit, const char *key, bool value)
{
    if (begin(emit, key))
        put(emit, value ? "true" : "false");
}

void jr_emit_number(struct jr_emit *emit, const char *key, int64_t value)
{
    char text[NUMBER_SIZE];

    snprintf(text, sizeof text, "%lld", (long long)value);
    if (begin(emit, key))
        put(emit, text);
}

void jr_emit_rate(struct jr_emit *emit, const char *key, double value)
{
    char text[NUMBER_SIZE];

    snprintf(text, sizeof text, "%.4f", value);
    if (begin(emit, key))
        put(emit, text);
}

void jr_emit_text(struct jr_emit *emit, const char *key, const char *text)
{
    if (text == NULL || *text == '\0')
        jr_emit_null(emit, key);
    else if (!begin(emit, key))
        return;
    else if (is_cell(emit))
        put_cell(emit, text);
    else
        put_string(emit, text);
}

void jr_emit_time(struct jr_emit *emit, const char *key, int64_t time_ms)
{
    char when[JR_TIMESTAMP_SIZE];

    jr_emit_text(emit, key, time_ms == 0 ? NULL : jr_timestamp_format(time_ms, when));
}

void jr_emit_known(struct jr_emit *emit, const char *key, bool known, int64_t value)
{
    if (known)
        jr_emit_number(emit, key, value);
    else
        jr_emit_null(emit, key);
}
