/*
 * text -- small things done to strings: bounded copies, lists, wildcards.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_TEXT_H
#define JR_TEXT_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copy up to size - 1 bytes of text, ending with NUL, cut at a UTF-8 border.
 *   text  may be NULL: the copy is then empty
 * Returns false when something was cut off.
 */
bool jr_text_copy(char *copy, size_t size, const char *text);

/* How many bytes of a text, `most` at the most, end with a whole character; the text is longer. */
size_t jr_text_cut(const char *text, size_t most);

/*
 * The length in bytes of the UTF-8 character that text begins with, at the NUL
 * too; 0 when it is none. Source: RFC 3629.
 */
size_t jr_text_utf8_length(const char *text);

/* The number of the character that these `length` bytes are, as jr_text_utf8_length() says. */
uint32_t jr_text_utf8_code(const char *text, size_t length);

/*
 * Does the whole value match the pattern? `*` stands for any characters, `?`
 * for one; nothing else is special (logins such as "dependabot[bot]" hold
 * brackets). ASCII letters match without case.
 */
bool jr_text_match(const char *pattern, const char *value);

/*
 * How many single changes (a character put in, left out, put in the place of another, or
 * two neighbours in each other's place) lead from one word to another; ASCII letters compare
 * without case. A word of more than JR_TEXT_WORD_MAX bytes is like no other: SIZE_MAX.
 */
#define JR_TEXT_WORD_MAX 64
size_t jr_text_distance(const char *a, const char *b);

/* Is one of two words likely a slip for the other? One change in three characters at the most, and three in all. */
bool jr_text_is_near(const char *a, const char *b);

/* "owner/name" in GitHub's own character set, fit to stand in a URL path. */
bool jr_text_is_full_name(const char *text);

/* Lower-case hexadecimal of `size` bytes; hex holds 2 * size + 1. */
void jr_text_to_hex(const unsigned char *bytes, size_t size, char *hex);

/* The reverse, either case; false unless text is exactly 2 * size hex digits. */
bool jr_text_from_hex(const char *text, unsigned char *bytes, size_t size);

/*
 * What Base64 text (RFC 4648, 4) stands for; spaces and line ends in it are passed over.
 *   most  bytes that it may be
 * Returns the bytes with a NUL after them, to be freed; NULL when it is no such text, is more, or
 * there is no memory.
 */
char *jr_text_from_base64(const char *text, size_t most, size_t *length);

/*
 * A number in decimal, without what printf(3) costs: for what is done with each webhook.
 * Returns where in digits it begins; it ends with a NUL.
 */
#define JR_DIGITS_SIZE 21
const char *jr_text_digits(uint64_t number, char digits[JR_DIGITS_SIZE]);

/* A list of patterns, as settings hold them. All zero bytes is the empty list. */
struct jr_list {
    char **items; /* owned, each not empty */
    size_t count;
};

/*
 * Split text at commas; blanks round an item and empty items do not count.
 * Returns JR_OK or JR_ENOMEM (the list is then empty).
 */
enum jr_err jr_list_parse(struct jr_list *list, const char *text) JR_CHECKED;
void jr_list_release(struct jr_list *list);

/* Does any pattern of the list match? False for an empty list. */
bool jr_list_match(const struct jr_list *list, const char *value);

#endif
