/*
 * verb -- what a comment on a pull request, or a button, can ask for.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/verb.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "indented code block": so many columns; a fence may have fewer before it.
 * Source: https://github.github.com/gfm/#indented-code-blocks and #fenced-code-blocks */
#define CODE_COLUMNS 4
#define FENCE_LEAST 3

static const struct {
    const char *name, *line;
} verbs[JR_VERBS] = {
    [JR_VERB_NONE] = { "none", NULL },       [JR_VERB_RERUN] = { "rerun", "/rerun" },
    [JR_VERB_ALL] = { "all", "/rerun all" }, [JR_VERB_STOP] = { "stop", "/rerun stop" },
    [JR_VERB_WHY] = { "why", "/rerun why" },
};

const char *jr_verb_name(enum jr_verb verb)
{
    return verbs[(unsigned)verb < JR_VERBS ? verb : JR_VERB_NONE].name;
}

void jr_verb_print_button(char button[JR_BUTTON_SIZE], enum jr_verb verb, uint32_t attempt)
{
    snprintf(button, JR_BUTTON_SIZE, "%s-%u", jr_verb_name(verb), (unsigned)attempt);
}

/* A number as it is printed: without a sign, a blank or a zero before it; 0: it is none. */
static uint32_t attempt_of(const char *text)
{
    unsigned long long number;
    char *end;

    if (!isdigit((unsigned char)*text) || *text == '0')
        return 0;
    number = strtoull(text, &end, 10);
    return *end == '\0' && number <= UINT32_MAX ? (uint32_t)number : 0;
}

enum jr_verb jr_verb_of_button(const char *button, uint32_t *attempt)
{
    for (int i = JR_VERB_NONE + 1; i < JR_VERBS; i++) {
        size_t length = strlen(verbs[i].name);

        if (strncmp(verbs[i].name, button, length) != 0 || button[length] != '-')
            continue;
        *attempt = attempt_of(button + length + 1);
        return *attempt == 0 ? JR_VERB_NONE : (enum jr_verb)i;
    }
    *attempt = 0;
    return JR_VERB_NONE;
}

/* A line, without what ends it. */
struct line {
    const char *text;
    size_t length;
    size_t indent; /* columns */
};

/* What does not count, as far as it reaches over lines. */
struct place {
    char fence;          /* what the fence is made of; 0: there is none */
    size_t fence_length;
    bool hidden;         /* in an HTML comment */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(struct line *line)
{
    line->indent = 0;
    for (; line->length > 0 && is_blank(*line->text); line->text++, line->length--)
        line->indent += *line->text == '\t' ? CODE_COLUMNS - line->indent % CODE_COLUMNS : 1;
    while (line->length > 0 && is_blank(line->text[line->length - 1]))
        line->length--;
}

/* How many of a fence's signs the line begins with; 0 for what is none. */
static size_t fence_of(const struct line *line)
{
    size_t length = 0;

    if (line->length == 0 || (*line->text != '`' && *line->text != '~'))
        return 0;
    while (length < line->length && line->text[length] == *line->text)
        length++;
    return length >= FENCE_LEAST && line->indent < CODE_COLUMNS ? length : 0;
}

/* Does the line open or close a fence of code? */
static bool is_fence(const struct line *line, struct place *place)
{
    size_t length = fence_of(line);

    if (length == 0)
        return false;
    if (place->fence == 0) {
        /* Backticks behind it: it is code within a line. */
        if (*line->text == '`' && memchr(line->text + length, '`', line->length - length) != NULL)
            return false;
        place->fence = *line->text;
        place->fence_length = length;
        return true;
    }
    if (*line->text == place->fence && length >= place->fence_length && length == line->length)
        place->fence = 0;
    return true;
}

/* Look for where an HTML comment begins or ends in the line. Returns whether one was there. */
static bool is_in_comment(const struct line *line, struct place *place)
{
    const char *at = line->text, *end = line->text + line->length;
    bool any = place->hidden;

    while (at != NULL && at < end) {
        const char *mark = place->hidden ? "-->" : "<!--";
        size_t length = strlen(mark);

        at = memmem(at, (size_t)(end - at), mark, length);
        if (at == NULL)
            break;
        at += length;
        place->hidden = !place->hidden;
        any = true;
    }
    return any;
}

static enum jr_verb verb_of(const struct line *line)
{
    for (int i = JR_VERB_NONE + 1; i < JR_VERBS; i++)
        if (line->length == strlen(verbs[i].line)
            && memcmp(line->text, verbs[i].line, line->length) == 0)
            return (enum jr_verb)i;
    return JR_VERB_NONE;
}

enum jr_verb jr_verb_find(const char *text, size_t length)
{
    const char *end = text + length;
    struct place place = { .fence = 0 };
    enum jr_verb verb = JR_VERB_NONE;

    while (text < end && verb == JR_VERB_NONE) {
        struct line line = { .text = text };

        while (text < end && *text != '\n' && *text != '\r')
            text++;
        line.length = (size_t)(text - line.text);
        text += text < end;
        trim(&line);
        if (place.fence == 0 && is_in_comment(&line, &place))
            continue;
        if (!is_fence(&line, &place) && place.fence == 0 && line.indent < CODE_COLUMNS)
            verb = verb_of(&line);
    }
    return verb;
}
