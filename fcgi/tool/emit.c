/*
 * emit -- JSON, as it is written.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/emit.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

#include <string.h>

void jr_emit_init(struct jr_emit *emit, FILE *stream)
{
    memset(emit, 0, sizeof *emit);
    emit->stream = stream;
}

/* RFC 8259, 7: what is beyond 16 bits as the two halves that UTF-16 has for it. */
static void write_number(FILE *stream, uint32_t code)
{
    if (code > 0xffff)
        fprintf(stream, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
                (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
    else
        fprintf(stream, "\\u%04x", (unsigned)code);
}

static void write_text(FILE *stream, const char *text)
{
    fputc('"', stream);
    while (*text != '\0') {
        size_t length = jr_text_utf8_length(text);

        if (length == 0)
            fputs("\\ufffd", stream);
        else if (*text == '"' || *text == '\\')
            fprintf(stream, "\\%c", *text);
        else if (jr_show_length(text, JR_SHOW_PLAIN) == 0)
            write_number(stream, jr_show_code(text, length));
        else
            fwrite(text, 1, length, stream);
        text += length == 0 ? 1 : length;
    }
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
