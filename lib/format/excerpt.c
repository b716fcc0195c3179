/*
 * excerpt -- the values in a JSON text that will be read, and nothing else.
 *
 * Reads ahead and writes behind in the same text: a value that is left, and what is put
 * before it, is never longer than the member was. The NUL at the end stops every loop, since
 * no NUL is allowed within JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/excerpt.h"
#include "lib/base/text.h"
#include "lib/format/json.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * What goes through the text takes the place of the next byte to be looked at and returns
 * where it has come to; NULL: something is wrong.
 */
struct scan {
    const char *end;   /* of the text: there is its NUL */
    char *out;         /* where the next byte that is left goes, never beyond what was looked at */
    uint32_t *found;
    uint32_t count;    /* of the values that are left */
    unsigned depth;
    bool escaped;      /* the last string had an escape in it */
    bool no_memory;
    const char *wrong; /* what is wrong; NULL: nothing */
    const char *where; /* at which byte */
};

static char *fail(struct scan *scan, const char *at, const char *wrong)
{
    scan->wrong = wrong;
    scan->where = at;
    return NULL;
}

static inline char *skip_blanks(char *at)
{
    /* GitHub sends none: most calls end with the first comparison. */
    while ((unsigned char)*at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* May the byte stand in a string by itself, without a further look? */
static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* Sixteen bytes, at which one instruction looks at a time where a processor has it. */
#define CHUNK ((size_t)16)

/* How many of as many bytes are plain, before the first that is not. */
#ifdef __SSE2__
static inline size_t count_plain(const char *bytes)
{
    __m128i chunk = _mm_loadu_si128((const __m128i_u *)(const void *)bytes);
    /* With a sign, what is not ASCII is less than a blank. */
    __m128i marks = _mm_or_si128(_mm_cmplt_epi8(chunk, _mm_set1_epi8(' ')),
                                 _mm_or_si128(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('"')),
                                              _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\\'))));

    return (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(marks) | 1u << CHUNK);
}
#else
static size_t count_plain(const char *bytes)
{
    typedef signed char chunk __attribute__((vector_size(CHUNK)));
    uint64_t marks[CHUNK / 8];
    chunk signs;

    memcpy(&signs, bytes, sizeof signs);
    signs = (signs < ' ') | (signs == '"') | (signs == '\\');
    memcpy(marks, &signs, sizeof marks);
    for (size_t i = 0; i < CHUNK / 8; i++)
        if (marks[i] != 0)
            return 8 * i + (size_t)__builtin_ctzll(le64toh(marks[i])) / 8;
    return CHUNK;
}
#endif

/* The first byte that is not plain: the NUL at the end, if no other. */
static inline char *skip_plain(char *at, const char *end)
{
    while ((size_t)(end - at) >= CHUNK) {
        size_t count = count_plain(at);

        if (count < CHUNK)
            return at + count;
        at += CHUNK;
    }
    while (is_plain(*at))
        at++;
    return at;
}

static char *skip_escape(struct scan *scan, char *at)
{
    at++;
    if (*at == 'u') {
        for (int i = 1; i <= 4; i++)
            if (!is_hex(at[i]))
                return fail(scan, at, "a bad escape in a string");
        return at + 5;
    }
    if (*at == '\0' || strchr("\"\\/bfnrt", *at) == NULL)
        return fail(scan, at, "a bad escape in a string");
    return at + 1;
}

/* Go on to the end of a string, from what is not plain in it. */
static char *skip_rest(struct scan *scan, char *at)
{
    while (at != NULL) {
        size_t length;

        at = skip_plain(at, scan->end);
        if (*at == '"')
            return at + 1;
        if (*at == '\\') {
            scan->escaped = true;
            at = skip_escape(scan, at);
            continue;
        }
        if ((unsigned char)*at < ' ')
            return fail(scan, at, "a control character in a string, or no end of it");
        length = jr_text_utf8_length(at);
        if (length == 0)
            return fail(scan, at, "a string is not UTF-8");
        at += length;
    }
    return NULL;
}

/* Most strings have nothing in them that is not plain. */
static inline char *skip_string(struct scan *scan, char *at)
{
    if (*at != '"')
        return fail(scan, at, "a string is missing");
    at = skip_plain(at + 1, scan->end);
    scan->escaped = false;
    return *at == '"' ? at + 1 : skip_rest(scan, at);
}

static char *skip_digits(struct scan *scan, char *at)
{
    if (!is_digit(*at))
        return fail(scan, at, "a digit is missing");
    while (is_digit(*at))
        at++;
    return at;
}

static char *skip_number(struct scan *scan, char *at)
{
    if (*at == '-')
        at++;
    at = *at == '0' ? at + 1 : skip_digits(scan, at);
    if (at != NULL && *at == '.')
        at = skip_digits(scan, at + 1);
    if (at != NULL && (*at == 'e' || *at == 'E')) {
        at++;
        if (*at == '+' || *at == '-')
            at++;
        at = skip_digits(scan, at);
    }
    return at;
}

static char *skip_word(struct scan *scan, char *at, const char *word)
{
    const char *begin = at;

    for (; *word != '\0'; word++, at++)
        if (*at != *word)
            return fail(scan, begin, "a value is missing");
    return at;
}

/* Take the beginning of an object or array. */
static inline char *enter(struct scan *scan, char *at)
{
    if (++scan->depth >= JR_EXCERPT_DEPTH)
        return fail(scan, at, "nested too deep");
    return skip_blanks(at + 1);
}

/* Take the end of an object or array. */
static inline char *leave(struct scan *scan, char *at, char end)
{
    if (*at != end)
        return fail(scan, at, "',' or the end of an object or array is missing");
    scan->depth--;
    return at + 1;
}

static char *skip_value(struct scan *scan, char *at);

static char *skip_array(struct scan *scan, char *at)
{
    at = enter(scan, at);
    if (at == NULL || *at == ']')
        return at == NULL ? NULL : leave(scan, at, ']');
    for (;;) {
        at = skip_value(scan, at);
        if (at == NULL)
            return NULL;
        at = skip_blanks(at);
        if (*at != ',')
            return leave(scan, at, ']');
        at = skip_blanks(at + 1);
    }
}

/* json-c would cut a name at a NUL, and take it for another one. */
static bool has_nul(const char *name, const char *end)
{
    while (name < end) {
        if (strncmp(name, "\\u0000", 6) == 0)
            return true;
        name += *name == '\\' ? 2 : 1;
    }
    return false;
}

/*
 * A member's name and the colon, up to its value.
 *   length  out: of the name in its quotes
 */
static inline char *skip_name(struct scan *scan, char *at, size_t *length)
{
    char *begin = at;

    at = skip_string(scan, at);
    if (at == NULL)
        return NULL;
    if (scan->escaped && has_nul(begin, at))
        return fail(scan, begin, "a NUL in a name");
    *length = (size_t)(at - begin);
    at = skip_blanks(at);
    if (*at != ':')
        return fail(scan, at, "':' is missing");
    return skip_blanks(at + 1);
}

static char *skip_object(struct scan *scan, char *at)
{
    size_t length;

    at = enter(scan, at);
    if (at == NULL || *at == '}')
        return at == NULL ? NULL : leave(scan, at, '}');
    for (;;) {
        at = skip_name(scan, at, &length);
        if (at != NULL)
            at = *at == '"' ? skip_string(scan, at) : skip_value(scan, at);
        if (at == NULL)
            return NULL;
        at = skip_blanks(at);
        if (*at != ',')
            return leave(scan, at, '}');
        at = skip_blanks(at + 1);
    }
}

static char *skip_value(struct scan *scan, char *at)
{
    switch (*at) {
    case '{':
        return skip_object(scan, at);
    case '[':
        return skip_array(scan, at);
    case '"':
        return skip_string(scan, at);
    case 't':
        return skip_word(scan, at, "true");
    case 'f':
        return skip_word(scan, at, "false");
    case 'n':
        return skip_word(scan, at, "null");
    default:
        return *at == '-' || is_digit(*at) ? skip_number(scan, at)
                                           : fail(scan, at, "a value is missing");
    }
}

static void put(struct scan *scan, const char *bytes, size_t length)
{
    memmove(scan->out, bytes, length);
    scan->out += length;
}

static const struct jr_wanted *find(const struct jr_wanted *wanted, const char *name, size_t length)
{
    for (; wanted->name != NULL; wanted++)
        if (wanted->length == length && memcmp(wanted->name, name, length) == 0)
            return wanted;
    return NULL;
}

/*
 * The same for a name with an escape in it, in its quotes: json-c knows what it spells.
 * Returns false when it does not.
 */
static bool find_escaped(struct scan *scan, const struct jr_wanted *wanted, char *name,
                         size_t length, const struct jr_wanted **member)
{
    char behind = name[length];
    json_object *spelt;
    struct jr_error error;
    enum jr_err err;

    name[length] = '\0';
    err = jr_json_parse(name, length, &spelt, &error);
    name[length] = behind;
    scan->no_memory |= err == JR_ENOMEM;
    if (err != JR_OK)
        return fail(scan, name, "a bad escape in a name") != NULL;
    *member = find(wanted, json_object_get_string(spelt),
                   (size_t)json_object_get_string_len(spelt));
    json_object_put(spelt);
    return true;
}

/* Nothing of an object counts that comes again. */
static void forget(struct scan *scan, const struct jr_wanted *members)
{
    for (; members != NULL && members->name != NULL; members++) {
        scan->found[members->place] = JR_EXCERPT_ABSENT;
        forget(scan, members->members);
    }
}

static char *take_value(struct scan *scan, char *at, const struct jr_wanted *member);

static char *take_member(struct scan *scan, char *at, const struct jr_wanted *wanted)
{
    const struct jr_wanted *member;
    char *name = at;
    size_t length;

    at = skip_name(scan, at, &length);
    if (at == NULL)
        return NULL;
    if (!scan->escaped)
        member = find(wanted, name + 1, length - 2);
    else if (!find_escaped(scan, wanted, name, length, &member))
        return NULL;
    return member != NULL ? take_value(scan, at, member) : skip_value(scan, at);
}

static char *take_object(struct scan *scan, char *at, const struct jr_wanted *wanted)
{
    at = enter(scan, at);
    if (at == NULL || *at == '}')
        return at == NULL ? NULL : leave(scan, at, '}');
    for (;;) {
        at = take_member(scan, at, wanted);
        if (at == NULL)
            return NULL;
        at = skip_blanks(at);
        if (*at != ',')
            return leave(scan, at, '}');
        at = skip_blanks(at + 1);
    }
}

static char *take_value(struct scan *scan, char *at, const struct jr_wanted *member)
{
    const char *begin = at;

    if (scan->found[member->place] != JR_EXCERPT_ABSENT)
        forget(scan, member->members);
    if (*at == '{' && member->members != NULL) {
        scan->found[member->place] = JR_EXCERPT_OBJECT;
        return take_object(scan, at, member->members);
    }
    at = skip_value(scan, at);
    if (at == NULL)
        return NULL;
    put(scan, scan->count == 0 ? "[" : ",", 1);
    put(scan, begin, (size_t)(at - begin));
    scan->found[member->place] = ++scan->count;
    return at;
}

/* The text's own value. */
static char *take_root(struct scan *scan, char *at, const struct jr_wanted *wanted)
{
    const char *begin = at;

    if (*at != '{') {
        at = skip_value(scan, at);
        if (at != NULL)
            put(scan, begin, (size_t)(at - begin));
        return at;
    }
    scan->found[wanted->place] = JR_EXCERPT_OBJECT;
    at = take_object(scan, at, wanted->members);
    if (at != NULL)
        put(scan, scan->count == 0 ? "[]" : "]", scan->count == 0 ? 2 : 1);
    return at;
}

enum jr_err jr_excerpt(char *text, size_t *length, const struct jr_wanted *wanted,
                       uint32_t *found, struct jr_error *error)
{
    struct scan scan = { .end = text + *length, .out = text, .found = found };
    char *at = take_root(&scan, skip_blanks(text), wanted);

    if (at != NULL) {
        at = skip_blanks(at);
        if (at != scan.end)
            (void)fail(&scan, at, "something follows the value");
    }
    if (scan.no_memory)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    if (scan.wrong != NULL)
        return jr_error_set(error, JR_EINVAL, "not JSON: %s at byte %zu", scan.wrong,
                            (size_t)(scan.where - text));
    *scan.out = '\0';
    *length = (size_t)(scan.out - text);
    return JR_OK;
}
