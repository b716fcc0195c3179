/*
 * excerpt -- the members of a JSON text that will be read, and nothing else.
 *
 * Reads ahead and writes behind in the same text: what is left of an object is
 * never longer than the object was. The NUL at the end stops every loop, since
 * no NUL is allowed within JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/excerpt.h"
#include "lib/base/text.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct scan {
    const char *at;    /* the next byte to be looked at */
    const char *end;   /* of the text: there is its NUL */
    char *out;         /* where the next byte that is left goes, never beyond `at` */
    unsigned depth;
    const char *values; /* strings that begin before it are values, and no names */
    const char *wrong; /* what is wrong at `at`; NULL: nothing */
};

static bool fail(struct scan *scan, const char *wrong)
{
    if (scan->wrong == NULL)
        scan->wrong = wrong;
    return false;
}

static void skip_blanks(struct scan *scan)
{
    const char *at = scan->at;

    /* GitHub sends none: most calls end with the first comparison. */
    while ((unsigned char)*at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    scan->at = at;
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
typedef signed char chunk __attribute__((vector_size(16)));

/* The number of bytes before the first one that is not zero. */
static size_t count_zero(uint64_t word)
{
    return (size_t)__builtin_ctzll(le64toh(word)) / 8;
}

/* How many of as many bytes are plain, before the first that is not. */
static size_t count_plain(const char *bytes)
{
    uint64_t marks[sizeof(chunk) / 8];
    chunk signs;

    memcpy(&signs, bytes, sizeof signs);
    /* With a sign, what is not ASCII is less than a blank. */
    signs = (signs < ' ') | (signs == '"') | (signs == '\\');
    memcpy(marks, &signs, sizeof marks);
    if (marks[0] != 0)
        return count_zero(marks[0]);
    return sizeof *marks + (marks[1] != 0 ? count_zero(marks[1]) : sizeof *marks);
}

/* The first byte that is not plain: the NUL at the end, if no other. */
static const char *skip_plain(const char *at, const char *end)
{
    while ((size_t)(end - at) >= sizeof(chunk)) {
        size_t count = count_plain(at);

        at += count;
        if (count < sizeof(chunk))
            return at;
    }
    while (is_plain(*at))
        at++;
    return at;
}

/*
 * Is the string a member's name in which `at` stands? json-c would cut it at a NUL. This is
 * known by the colon behind it.
 */
static bool is_in_name(struct scan *scan, const char *at)
{
    if (at < scan->values)
        return false;
    while (*at != '"' && *at != '\0')
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    scan->values = at;
    at += *at == '"';
    return at[strspn(at, " \n\r\t")] == ':';
}

static bool skip_escape(struct scan *scan)
{
    scan->at++;
    if (*scan->at == 'u') {
        for (int i = 1; i <= 4; i++)
            if (!is_hex(scan->at[i]))
                return fail(scan, "a bad escape in a string");
        scan->at += 5;
        if (memcmp(scan->at - 4, "0000", 4) == 0 && is_in_name(scan, scan->at))
            return fail(scan, "a NUL in a name");
        return true;
    }
    if (*scan->at == '\0' || strchr("\"\\/bfnrt", *scan->at) == NULL)
        return fail(scan, "a bad escape in a string");
    scan->at++;
    return true;
}

static bool skip_string(struct scan *scan)
{
    if (*scan->at != '"')
        return fail(scan, "a string is missing");
    scan->at++;
    for (;;) {
        size_t length;

        scan->at = skip_plain(scan->at, scan->end);
        if (*scan->at == '"') {
            scan->at++;
            return true;
        }
        if (*scan->at == '\\') {
            if (!skip_escape(scan))
                return false;
            continue;
        }
        if ((unsigned char)*scan->at < ' ')
            return fail(scan, "a control character in a string, or no end of it");
        length = jr_text_utf8_length(scan->at);
        if (length == 0)
            return fail(scan, "a string is not UTF-8");
        scan->at += length;
    }
}

static bool skip_digits(struct scan *scan)
{
    if (!is_digit(*scan->at))
        return fail(scan, "a digit is missing");
    while (is_digit(*scan->at))
        scan->at++;
    return true;
}

static bool skip_number(struct scan *scan)
{
    if (*scan->at == '-')
        scan->at++;
    if (*scan->at == '0')
        scan->at++;
    else if (!skip_digits(scan))
        return false;
    if (*scan->at == '.') {
        scan->at++;
        if (!skip_digits(scan))
            return false;
    }
    if (*scan->at == 'e' || *scan->at == 'E') {
        scan->at++;
        if (*scan->at == '+' || *scan->at == '-')
            scan->at++;
        return skip_digits(scan);
    }
    return true;
}

static bool skip_word(struct scan *scan, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(scan->at, word, length) != 0)
        return fail(scan, "a value is missing");
    scan->at += length;
    return true;
}

static bool enter(struct scan *scan)
{
    if (++scan->depth >= JR_EXCERPT_DEPTH)
        return fail(scan, "nested too deep");
    scan->at++;
    skip_blanks(scan);
    return true;
}

/* At the end of an object or array: take it and be out of it. */
static bool leave(struct scan *scan, char end)
{
    if (*scan->at != end)
        return false;
    scan->at++;
    scan->depth--;
    return true;
}

/* After a member or element: is there another one? Else the end, or something wrong. */
static bool has_more(struct scan *scan, char end)
{
    skip_blanks(scan);
    if (*scan->at != ',')
        return leave(scan, end) ? false
                                : fail(scan, "',' or the end of an object or array is missing");
    scan->at++;
    skip_blanks(scan);
    return true;
}

static bool skip_value(struct scan *scan);

static bool skip_array(struct scan *scan)
{
    if (!enter(scan))
        return false;
    if (leave(scan, ']'))
        return true;
    do {
        if (!skip_value(scan))
            return false;
    } while (has_more(scan, ']'));
    return scan->wrong == NULL;
}

/* A member's name and the colon; leaves the scan at its value. */
static bool skip_name(struct scan *scan, const char **name, size_t *length)
{
    *name = scan->at;
    if (!skip_string(scan))
        return false;
    *length = (size_t)(scan->at - *name);
    skip_blanks(scan);
    if (*scan->at != ':')
        return fail(scan, "':' is missing");
    scan->at++;
    skip_blanks(scan);
    return true;
}

static bool skip_object(struct scan *scan)
{
    const char *name;
    size_t length;

    if (!enter(scan))
        return false;
    if (leave(scan, '}'))
        return true;
    do {
        if (!skip_name(scan, &name, &length) || !skip_value(scan))
            return false;
    } while (has_more(scan, '}'));
    return scan->wrong == NULL;
}

static bool skip_value(struct scan *scan)
{
    switch (*scan->at) {
    case '{':
        return skip_object(scan);
    case '[':
        return skip_array(scan);
    case '"':
        return skip_string(scan);
    case 't':
        return skip_word(scan, "true");
    case 'f':
        return skip_word(scan, "false");
    case 'n':
        return skip_word(scan, "null");
    default:
        return *scan->at == '-' || is_digit(*scan->at) ? skip_number(scan)
                                                       : fail(scan, "a value is missing");
    }
}

static void put(struct scan *scan, const char *bytes, size_t length)
{
    memmove(scan->out, bytes, length);
    scan->out += length;
}

/*
 * The wanted member of this name, which stands in its quotes. A name with an
 * escape in it is left to json-c, which knows what it spells.
 */
static const struct jr_wanted *find(const struct jr_wanted *wanted, const char *name, size_t length)
{
    static const struct jr_wanted unclear = { "", NULL };

    if (memchr(name, '\\', length) != NULL)
        return &unclear;
    for (; wanted->name != NULL; wanted++)
        if (*wanted->name == name[1] && strlen(wanted->name) == length - 2
            && memcmp(wanted->name, name + 1, length - 2) == 0)
            return wanted;
    return NULL;
}

static bool take_value(struct scan *scan, const struct jr_wanted *members);

static bool take_object(struct scan *scan, const struct jr_wanted *wanted)
{
    const char *separator = "{";

    if (!enter(scan))
        return false;
    if (leave(scan, '}')) {
        put(scan, "{}", 2);
        return true;
    }
    do {
        const struct jr_wanted *member;
        const char *name;
        size_t length;

        if (!skip_name(scan, &name, &length))
            return false;
        member = find(wanted, name, length);
        if (member != NULL) {
            put(scan, separator, 1);
            put(scan, name, length);
            put(scan, ":", 1);
            separator = ",";
        }
        if (!(member != NULL ? take_value(scan, member->members) : skip_value(scan)))
            return false;
    } while (has_more(scan, '}'));
    if (scan->wrong != NULL)
        return false;
    /* "{}" is no longer than the member that it takes the place of. */
    put(scan, *separator == '{' ? "{}" : "}", *separator == '{' ? 2 : 1);
    return true;
}

static bool take_value(struct scan *scan, const struct jr_wanted *members)
{
    const char *begin = scan->at;

    if (*begin == '{' && members != NULL)
        return take_object(scan, members);
    if (!skip_value(scan))
        return false;
    put(scan, begin, (size_t)(scan->at - begin));
    return true;
}

enum jr_err jr_excerpt(char *text, size_t *length, const struct jr_wanted *wanted,
                       struct jr_error *error)
{
    struct scan scan = { .at = text, .end = text + *length, .out = text };

    skip_blanks(&scan);
    if (take_value(&scan, wanted)) {
        skip_blanks(&scan);
        if (scan.at != text + *length)
            (void)fail(&scan, "something follows the value");
    }
    if (scan.wrong != NULL)
        return jr_error_set(error, JR_EINVAL, "not JSON: %s at byte %zu", scan.wrong,
                            (size_t)(scan.at - text));
    *scan.out = '\0';
    *length = (size_t)(scan.out - text);
    return JR_OK;
}
