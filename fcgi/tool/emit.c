/*
 * emit -- JSON, as it is written.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/emit.h"
#include "lib/base/show.h"
#include "lib/base/timestamp.h"

#include <string.h>

void jr_emit_init(struct jr_emit *emit, FILE *stream)
{
    memset(emit, 0, sizeof *emit);
    emit->stream = stream;
}

static const struct jr_show_mark marks[] = { { '"', "\\\"" }, { '\\', "\\\\" }, { '\0', NULL } };
static const struct jr_show_way way = { .instead = JR_SHOW_ESCAPED, .marks = marks };

static void write_text(FILE *stream, const char *text)
{
    struct jr_show_part part;

    fputc('"', stream);
    while (jr_show_next(&way, &text, &part))
        fwrite(part.bytes, 1, part.length, stream);
    fputc('"', stream);
}

/* What stands before a value. */
static void begin(struct jr_emit *emit, const char *key)
{
    if (emit->started)
        fputc(',', emit->stream);
    if (emit->in_array && emit->depth == 1)
        fputc('\n', emit->stream);
    emit->started = true;
    if (key != NULL) {
        write_text(emit->stream, key);
        fputc(':', emit->stream);
    }
}

static void open_with(struct jr_emit *emit, const char *key, char bracket)
{
    begin(emit, key);
    fputc(bracket, emit->stream);
    if (emit->depth == 0)
        emit->in_array = bracket == '[';
    emit->depth++;
    emit->started = false;
}

static void close_with(struct jr_emit *emit, char bracket)
{
    if (emit->in_array && emit->depth == 1)
        fputc('\n', emit->stream);
    fputc(bracket, emit->stream);
    emit->depth--;
    emit->started = true;
}

void jr_emit_end(struct jr_emit *emit)
{
    fputc('\n', emit->stream);
    jr_emit_init(emit, emit->stream);
}

void jr_emit_open(struct jr_emit *emit, const char *key)
{
    open_with(emit, key, '{');
}

void jr_emit_close(struct jr_emit *emit)
{
    close_with(emit, '}');
}

void jr_emit_open_array(struct jr_emit *emit, const char *key)
{
    open_with(emit, key, '[');
}

void jr_emit_close_array(struct jr_emit *emit)
{
    close_with(emit, ']');
}

void jr_emit_null(struct jr_emit *emit, const char *key)
{
    begin(emit, key);
    fputs("null", emit->stream);
}

void jr_emit_bool(struct jr_emit *emit, const char *key, bool value)
{
    begin(emit, key);
    fputs(value ? "true" : "false", emit->stream);
}

void jr_emit_number(struct jr_emit *emit, const char *key, int64_t value)
{
    begin(emit, key);
    fprintf(emit->stream, "%lld", (long long)value);
}

void jr_emit_rate(struct jr_emit *emit, const char *key, double value)
{
    begin(emit, key);
    fprintf(emit->stream, "%.4f", value);
}

void jr_emit_text(struct jr_emit *emit, const char *key, const char *text)
{
    if (text == NULL || *text == '\0') {
        jr_emit_null(emit, key);
        return;
    }
    begin(emit, key);
    write_text(emit->stream, text);
}

void jr_emit_time(struct jr_emit *emit, const char *key, int64_t time_ms)
{
    char when[JR_TIMESTAMP_SIZE];

    jr_emit_text(emit, key, time_ms == 0 ? NULL : jr_timestamp_format(time_ms, when));
}
