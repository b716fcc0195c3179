/*
 * finding -- what was found out about a failed job, and how it is recorded.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/finding.h"
#include "lib/base/show.h"
#include "lib/base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define FAILURE_VERSION 1

/* Bits of the record. */
enum { UNREADABLE = 1, COUNTS = 2, RERUNS = 4, NOT_WORTH_IT = 8, SAME_FAILURE = 16 };

/* Of a pattern. */
#define PATTERN_ENOUGH 200

/* The first of some lines, as much of it as there is room for. */
static void copy_first_line(char *line, size_t size, const char *lines)
{
    size_t length = strcspn(lines, "\n");

    jr_text_copy(line, size, lines);
    if (length < size)
        line[length] = '\0';
}

static uint8_t flags_of(const struct jr_failure *failure)
{
    return (uint8_t)((failure->finding.unreadable ? UNREADABLE : 0)
                     | (failure->counts ? COUNTS : 0) | (failure->reruns ? RERUNS : 0)
                     | (failure->not_worth_it ? NOT_WORTH_IT : 0)
                     | (failure->same_failure ? SAME_FAILURE : 0));
}

static void encode_finding(const struct jr_finding *finding, struct jr_writer *writer)
{
    char first[JR_FIRST_ERROR_SIZE];

    jr_write_u8(writer, (uint8_t)finding->cause);
    jr_write_text(writer, finding->signature);
    jr_write_text(writer, finding->line);
    jr_write_text(writer, finding->step);
    copy_first_line(first, sizeof first, finding->first_error);
    jr_write_text(writer, finding->cause == JR_CAUSE_UNKNOWN ? finding->first_error : first);
}

void jr_failure_encode(const struct jr_failure *failure, struct jr_writer *writer)
{
    jr_write_u8(writer, FAILURE_VERSION);
    jr_write_u32(writer, failure->attempt);
    jr_write_u8(writer, (uint8_t)failure->conclusion);
    jr_write_u8(writer, flags_of(failure));
    jr_write_u8(writer, (uint8_t)failure->steps_found);
    jr_write_u8(writer, (uint8_t)failure->annotations_found);
    jr_write_u8(writer, (uint8_t)failure->log_found);
    jr_write_time(writer, failure->started_ms);
    jr_write_time(writer, failure->completed_ms);
    jr_write_text(writer, failure->name);
    jr_write_text(writer, failure->runner);
    jr_write_text(writer, failure->labels);
    jr_write_text(writer, failure->rule);
    encode_finding(&failure->finding, writer);
}

static void read_flags(struct jr_failure *failure, uint8_t flags)
{
    failure->finding.unreadable = (flags & UNREADABLE) != 0;
    failure->counts = (flags & COUNTS) != 0;
    failure->reruns = (flags & RERUNS) != 0;
    failure->not_worth_it = (flags & NOT_WORTH_IT) != 0;
    failure->same_failure = (flags & SAME_FAILURE) != 0;
}

static bool read_presence(struct jr_reader *reader, enum jr_presence *presence)
{
    *presence = (enum jr_presence)jr_read_u8(reader);
    return *presence <= JR_FOUND;
}

bool jr_failure_decode(struct jr_failure *failure, const void *bytes, size_t size)
{
    struct jr_finding *finding = &failure->finding;
    struct jr_reader reader;
    bool ok;

    memset(failure, 0, sizeof *failure);
    jr_reader_init(&reader, bytes, size);
    if (jr_read_u8(&reader) != FAILURE_VERSION)
        return false;
    failure->attempt = jr_read_u32(&reader);
    failure->conclusion = (enum jr_conclusion)jr_read_u8(&reader);
    read_flags(failure, jr_read_u8(&reader));
    ok = read_presence(&reader, &failure->steps_found);
    ok &= read_presence(&reader, &failure->annotations_found);
    ok &= read_presence(&reader, &failure->log_found);
    failure->started_ms = jr_read_time(&reader);
    failure->completed_ms = jr_read_time(&reader);
    jr_read_text(&reader, failure->name, sizeof failure->name);
    jr_read_text(&reader, failure->runner, sizeof failure->runner);
    jr_read_text(&reader, failure->labels, sizeof failure->labels);
    jr_read_text(&reader, failure->rule, sizeof failure->rule);
    finding->cause = (enum jr_cause)jr_read_u8(&reader);
    jr_read_text(&reader, finding->signature, sizeof finding->signature);
    jr_read_text(&reader, finding->line, sizeof finding->line);
    jr_read_text(&reader, finding->step, sizeof finding->step);
    jr_read_text(&reader, finding->first_error, sizeof finding->first_error);
    return ok && reader.ok && reader.offset == size && failure->conclusion <= JR_CONCLUSION_OTHER
           && (finding->cause == JR_CAUSE_NONE || jr_cause_name(finding->cause) != NULL);
}

const char *jr_failure_then(const struct jr_failure *failure)
{
    if (!failure->counts && failure->finding.cause == JR_CAUSE_ECHO)
        return "it does not count: it only reports what other jobs came to";
    if (!failure->counts)
        return failure->conclusion == JR_CONCLUSION_CANCELLED
                   ? "it does not count: it was cancelled, and nothing tells by whom"
                   : "the policy has not judged it";
    if (failure->reruns)
        return "it deserves a rerun";
    if (failure->not_worth_it)
        return "it is left, since too few of its last reruns for this cause helped";
    if (failure->same_failure)
        return "it is left, since it failed in an earlier attempt in the same step by the same "
               "error";
    return "it is left";
}

const char *jr_failure_unread(const struct jr_failure *failure, char text[JR_FAILURE_UNREAD_SIZE])
{
    const struct {
        const char *name;
        enum jr_presence found;
    } pieces[] = {
        { "steps", failure->steps_found },
        { "annotations", failure->annotations_found },
        { "log", failure->log_found },
    };

    text[0] = '\0';
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        if (pieces[i].found == JR_UNREADABLE) {
            if (text[0] != '\0')
                strcat(text, ", ");
            strcat(text, pieces[i].name);
        }
    return text;
}

/* What stands at a place of a line. */
enum piece { PLAIN, BLANK, TIME, UUID, HEX, TEMPORARY, NUMBER, PIECES };

static const char *const placeholders[PIECES] = {
    [BLANK] = " ", [TIME] = "<time>",     [UUID] = "<uuid>",
    [HEX] = "<hex>", [TEMPORARY] = "<tmp>", [NUMBER] = "<n>",
};

static const char *const patterns[PIECES] = {
    [BLANK] = "\\s+",
    [TIME] = "[0-9][0-9:.,/TZ+ -]+",
    [UUID] = "[0-9a-f-]{36}",
    [HEX] = "[0-9a-fx]{2,}",
    [TEMPORARY] = "\\S+",
    [NUMBER] = "[0-9][0-9.,]*",
};

/*
 * How much of text has the shape: 9 stands for a decimal digit, f for a hexadecimal one, all
 * else for itself. 0: it has not.
 */
static size_t shape_length(const char *text, const char *shape)
{
    size_t length = 0;

    for (; shape[length] != '\0'; length++) {
        unsigned char c = (unsigned char)text[length];

        if (shape[length] == '9' ? !isdigit(c) : shape[length] == 'f' ? !isxdigit(c)
                                                                       : c != shape[length])
            return 0;
    }
    return length;
}

/* The longest of some shapes that text has. */
static size_t longest_shape(const char *text, const char *const *shapes, size_t count)
{
    size_t longest = 0;

    for (size_t i = 0; i < count; i++) {
        size_t length = shape_length(text, shapes[i]);

        if (length > longest)
            longest = length;
    }
    return longest;
}

static size_t clock_length(const char *text)
{
    static const char *const clocks[] = { "99:99:99", "9:99:99" };
    static const char *const zones[] = { "Z", "+99:99", "-99:99", "+9999", "-9999" };
    size_t length = longest_shape(text, clocks, 2);

    if (length == 0)
        return 0;
    if ((text[length] == '.' || text[length] == ',') && isdigit((unsigned char)text[length + 1]))
        length += 1 + strspn(text + length + 1, "0123456789");
    return length + longest_shape(text + length, zones, sizeof zones / sizeof *zones);
}

static size_t time_length(const char *text)
{
    static const char *const dates[] = { "9999-99-99", "9999/99/99" };
    size_t date = longest_shape(text, dates, 2), clock = clock_length(text + date);

    if (date == 0 || clock > 0)
        return date + clock;
    if (text[date] == 'T' || text[date] == ' ')
        clock = clock_length(text + date + 1);
    return clock > 0 ? date + 1 + clock : date;
}

static size_t hex_length(const char *text)
{
    size_t length = 0, digits = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        length = strspn(text + 2, "0123456789abcdefABCDEF");
        return length > 0 ? length + 2 : 0;
    }
    for (; isxdigit((unsigned char)text[length]); length++)
        digits += isdigit((unsigned char)text[length]) != 0;
    return length >= 7 && digits > 0 && digits < length && !isalnum((unsigned char)text[length])
               ? length
               : 0;
}

/* The name of a file or a folder. */
static size_t name_length(const char *text)
{
    return strcspn(text, "/\\ \t\"'`:,;()[]<>");
}

static size_t temporary_length(const char *text)
{
    static const char *const folders[] = {
        "/var/folders/", "/var/tmp/", "/tmp/", "/_temp/", "\\_temp\\", "\\Temp\\",
    };
    size_t length, name;

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        length = strlen(folders[i]);
        if (strncasecmp(text, folders[i], length) != 0)
            continue;
        /* macOS: two names for the user, and T for what is temporary */
        for (int names = i == 0 ? 3 : 0; names > 0; names--) {
            name = name_length(text + length);
            if (name == 0 || text[length + name] != '/')
                break;
            length += name + 1;
        }
        name = name_length(text + length);
        return name > 0 ? length + name : 0;
    }
    return 0;
}

/* The last word before a place, with no more between them than "/1.1 " or ": (". */
static bool follows_kind(const char *line, size_t at)
{
    static const char *const words[] = { "http", "status", "code", "errno", "exit", "signal" };
    size_t gap = 0, length = 0;

    while (gap < at && gap < 6 && !isalpha((unsigned char)line[at - gap - 1]))
        gap++;
    while (gap + length < at && isalpha((unsigned char)line[at - gap - length - 1]))
        length++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (length == strlen(words[i])
            && strncasecmp(line + at - gap - length, words[i], length) == 0)
            return true;
    return false;
}

static size_t number_length(const char *text)
{
    size_t length = strspn(text, "0123456789");

    while ((text[length] == '.' || text[length] == ',') && isdigit((unsigned char)text[length + 1]))
        length += 1 + strspn(text + length + 1, "0123456789");
    return length;
}

/* Does a number tell what kind of error it is? */
static bool is_kind(const char *line, size_t at)
{
    bool behind_letter = at > 0 && isalpha((unsigned char)line[at - 1]);

    return behind_letter ? strspn(line + at, "0123456789") >= 3 : follows_kind(line, at);
}

/*
 * What begins at a place of a line.
 *   length  out: how long it is
 */
static enum piece piece_at(const char *line, size_t at, size_t *length)
{
    const char *text = line + at;
    bool alone = at == 0 || !isalnum((unsigned char)text[-1]);

    if ((*length = strspn(text, " \t")) > 0)
        return BLANK;
    if (alone && (*length = shape_length(text, "ffffffff-ffff-ffff-ffff-ffffffffffff")) > 0)
        return UUID;
    if (alone && (*length = time_length(text)) > 0)
        return TIME;
    if (alone && (*length = hex_length(text)) > 0)
        return HEX;
    if ((*length = temporary_length(text)) > 0)
        return TEMPORARY;
    if ((*length = number_length(text)) > 0)
        return is_kind(line, at) ? PLAIN : NUMBER;
    *length = jr_text_utf8_length(text);
    if (*length == 0)
        *length = 1;
    return PLAIN;
}

/* A text that is put together; what does not fit as a whole is left out, and all after it. */
struct sink {
    char *text;
    size_t size, length;
    bool full;
};

static void put(struct sink *sink, const char *bytes, size_t length)
{
    if (sink->full || length >= sink->size - sink->length) {
        sink->full = true;
        return;
    }
    memcpy(sink->text + sink->length, bytes, length);
    sink->length += length;
    sink->text[sink->length] = '\0';
}

static struct sink open_sink(char *text, size_t size)
{
    text[0] = '\0';
    return (struct sink){ .text = text, .size = size };
}

/* Is there nothing but blanks from here on? */
static bool is_end(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

void jr_failure_line_key(const char *line, char *key, size_t size)
{
    struct sink sink = open_sink(key, size);
    size_t length;

    line += strspn(line, " \t");
    for (size_t at = 0; !is_end(line + at) && !sink.full; at += length) {
        enum piece piece = piece_at(line, at, &length);

        if (piece == PLAIN)
            put(&sink, line + at, length);
        else
            put(&sink, placeholders[piece], strlen(placeholders[piece]));
    }
}

/* Is a character, or some digits, shown as it is? */
static bool is_shown(const char *piece, size_t length)
{
    char copy[JR_LINE_KEY_SIZE], shown[JR_LINE_KEY_SIZE];

    if (length >= sizeof copy)
        return true;
    memcpy(copy, piece, length);
    copy[length] = '\0';
    jr_show_clean(shown, sizeof shown, copy);
    return strcmp(copy, shown) == 0;
}

/*
 * Put a plain piece so that it stands for itself in a pattern. What nobody would see in it
 * stands as any bytes.
 */
static void put_quoted(struct sink *sink, const char *piece, size_t length)
{
    const char quoted[2] = { '\\', *piece };

    if (strchr("\\^$.[]|()?*+{}#", *piece) != NULL)
        put(sink, quoted, sizeof quoted);
    else if (is_shown(piece, length))
        put(sink, piece, length);
    else
        for (size_t i = 0; i < length; i++)
            put(sink, ".", 1);
}

void jr_failure_line_pattern(const char *line, char *pattern, size_t size)
{
    struct sink sink = open_sink(pattern, size);
    size_t length;

    line += strspn(line, " \t");
    for (size_t at = 0; !is_end(line + at) && !sink.full && sink.length < PATTERN_ENOUGH;
         at += length) {
        enum piece piece = piece_at(line, at, &length);

        if (piece == PLAIN)
            put_quoted(&sink, line + at, length);
        else if (piece == BLANK && length == 1)
            put(&sink, " ", 1);
        else
            put(&sink, patterns[piece], strlen(patterns[piece]));
    }
}

void jr_failure_line(const struct jr_failure *failure, char *line, size_t size)
{
    const struct jr_finding *finding = &failure->finding;

    copy_first_line(line, size,
                    *finding->first_error != '\0' ? finding->first_error : finding->line);
}

void jr_failure_key(const struct jr_failure *failure, char key[JR_LINE_KEY_SIZE])
{
    char line[JR_FIRST_ERROR_SIZE];

    jr_failure_line(failure, line, sizeof line);
    jr_failure_line_key(line, key, JR_LINE_KEY_SIZE);
}
