/*
 * show -- which characters of a text are shown to people: in the log, on a terminal, in JSON
 * that may be read on one, in a page, in the metrics. What comes from outside (names of
 * workflows, branches, jobs, what GitHub says, settings, arguments) may hold characters that do
 * something to who reads it. Whoever writes such a text has it from jr_show_next(), by a way of
 * writing of his own.
 *
 * Not shown are bytes that are no UTF-8; control characters; those that turn the direction of
 * writing, so that a name could look like another one; those that take no room, behind which
 * a part of a name could hide; and those that are none or that no text needs.
 * Source: Unicode Technical Report 36, 2.10; Unicode's DerivedCoreProperties,
 * Default_Ignorable_Code_Point.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SHOW_H
#define JR_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* U+FFFD, the replacement character. */
#define JR_SHOW_INSTEAD "\xef\xbf\xbd"

/*
 * What stands for a character that is not shown. A reference such as &#8238; is none of them:
 * a browser shows what it stands for.
 */
enum jr_show_instead {
    JR_SHOW_REPLACED, /* U+FFFD, also for each byte that is no UTF-8 */
    JR_SHOW_ESCAPED,  /* its number in JSON, \u202e; \ufffd for each byte that is no UTF-8 */
    JR_SHOW_BYTES     /* each of its bytes, \xe2\x80\xae: what was there can be read back */
};

/*
 * An ASCII character with a meaning of its own where a text is written, and what stands for it.
 * Letters, digits, and - . / _ never have one.
 */
struct jr_show_mark {
    char mark;
    const char *written;
};

/* A way of writing. All zero bytes is that of terminals. */
struct jr_show_way {
    enum jr_show_instead instead;
    /* Are U+200C and U+200D shown, as some scripts and emoji need it? Browsers draw them right. */
    bool joiners;
    const struct jr_show_mark *marks; /* up to one of '\0'; NULL: none */
};

/* Room for what stands for one character. */
#define JR_SHOW_MADE_SIZE 20

/* A piece of a text as it is to be written. */
struct jr_show_part {
    const char *bytes; /* in the text, static, or in `made`; without a NUL behind them */
    size_t length;
    bool is_text; /* characters as they are, which may be cut anywhere between two; else a whole */
    char made[JR_SHOW_MADE_SIZE];
};

/*
 * The next piece of a text, as long as it can be.
 *   text  in and out: moved behind what the piece stands for
 * Returns false at the end of the text.
 */
bool jr_show_next(const struct jr_show_way *way, const char **text, struct jr_show_part *part);

/*
 * Copy a text as a terminal shows it; cut at a character when there is no room for all of it.
 * Done twice, it comes out the same.
 *   size  of copy, at least 1
 */
void jr_show_clean(char *copy, size_t size, const char *text);

/* Is all of a text shown, if not on a terminal then in a page? */
bool jr_show_is_fit(const char *text);

#endif
