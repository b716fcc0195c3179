/*
 * literals -- which of many patterns a text can match at all.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/literals.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Longer words of a pattern are cut, shorter ones stand in too many texts to be of use. */
#define WORD_MAX 24
#define WORD_LEAST 3

/* Words of which one has to stand in the text; of a pattern with more, none is known. */
#define SET_MAX 48

#define NESTING_MAX 16

struct set {
    size_t count; /* 0: none is known */
    char words[SET_MAX][WORD_MAX + 1];
};

struct word {
    char text[WORD_MAX + 1];
    uint8_t length;
    uint16_t pattern;
    uint32_t next; /* of those that begin with the same two bytes; 0: the last */
};

struct jr_literals {
    struct word *words; /* owned; the first is not used */
    size_t count, size;
    struct jr_candidates always;
    uint32_t heads[65536]; /* by the first two bytes */
};

struct scanner {
    const char *at;
    unsigned depth;
    bool lost; /* something was not understood */
};

static bool scan_branches(struct scanner *scanner, struct set *set);

static size_t shortest(const struct set *set)
{
    size_t least = WORD_MAX + 1;

    for (size_t i = 0; i < set->count; i++)
        if (strlen(set->words[i]) < least)
            least = strlen(set->words[i]);
    return set->count == 0 ? 0 : least;
}

/* Keep the set whose shortest word is the longest: it lets the fewest texts through. */
static void keep_better(struct set *best, const struct set *other)
{
    if (shortest(other) >= WORD_LEAST && shortest(other) > shortest(best))
        *best = *other;
}

struct run {
    char text[WORD_MAX + 1];
    size_t length;
};

/* A run of plain characters has come to its end. */
static void end_run(struct run *run, struct set *best)
{
    struct set one = { .count = 1 };

    run->text[run->length] = '\0';
    memcpy(one.words[0], run->text, run->length + 1);
    if (run->length > 0)
        keep_better(best, &one);
    run->length = 0;
}

static void add_to_run(struct run *run, char c, struct set *best)
{
    if (run->length == WORD_MAX)
        end_run(run, best);
    run->text[run->length++] = (char)tolower((unsigned char)c);
}

static void skip_class(struct scanner *scanner)
{
    const char *at = scanner->at + 1;

    if (*at == '^')
        at++;
    if (*at == ']')
        at++;
    while (*at != '\0' && *at != ']')
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    scanner->lost |= *at == '\0';
    scanner->at = *at == '\0' ? at : at + 1;
}

/* A quantifier after an atom; returns whether the atom may be missing. */
static bool take_quantifier(struct scanner *scanner, bool *any)
{
    bool optional = false;

    *any = true;
    switch (*scanner->at) {
    case '*':
    case '?':
        optional = true;
        break;
    case '+':
        break;
    case '{':
        if (!isdigit((unsigned char)scanner->at[1])) {
            scanner->lost = true;
            return false;
        }
        optional = scanner->at[1] == '0';
        scanner->at += strcspn(scanner->at, "}");
        if (*scanner->at == '\0') {
            scanner->lost = true;
            return false;
        }
        break;
    default:
        *any = false;
        return false;
    }
    scanner->at++;
    if (*scanner->at == '?' || *scanner->at == '+')
        scanner->at++;
    return optional;
}

/* A group: what it needs goes into `best`, unless it may be missing or only looks around. */
static void scan_group(struct scanner *scanner, struct set *best)
{
    struct set inner = { .count = 0 };
    bool looks = false, known, any;

    scanner->at++;
    if (*scanner->at == '?') {
        looks = scanner->at[1] != ':';
        scanner->at++;
        scanner->at += *scanner->at == '<' ? 2 : 1;
    }
    /* A verb is no group: what stands in it is no text. */
    if (*scanner->at == '*' || ++scanner->depth > NESTING_MAX) {
        scanner->lost = true;
        return;
    }
    known = scan_branches(scanner, &inner);
    scanner->depth--;
    if (*scanner->at != ')') {
        scanner->lost = true;
        return;
    }
    scanner->at++;
    if (!take_quantifier(scanner, &any) && known && !looks)
        keep_better(best, &inner);
}

/* An escape; a character that stands for itself goes on with the run. */
static void scan_escape(struct scanner *scanner, struct run *run, struct set *best)
{
    char c = scanner->at[1];

    if (c == '\0') {
        scanner->lost = true;
        return;
    }
    scanner->at += 2;
    if (c == 'b')
        return;
    if (isalnum((unsigned char)c))
        end_run(run, best);
    else
        add_to_run(run, c, best);
}

/* After a plain character or an escape: a quantifier takes it out of the run, or ends the run. */
static void look_for_quantifier(struct scanner *scanner, struct run *run, struct set *best)
{
    bool any, optional = take_quantifier(scanner, &any);

    if (optional && run->length > 0)
        run->length--;
    if (any)
        end_run(run, best);
}

static void scan_sequence(struct scanner *scanner, struct set *best)
{
    struct run run = { .length = 0 };
    bool any;

    best->count = 0;
    while (!scanner->lost && *scanner->at != '\0' && *scanner->at != '|' && *scanner->at != ')') {
        char c = *scanner->at;

        if (c == '(') {
            end_run(&run, best);
            scan_group(scanner, best);
        } else if (c == '[') {
            end_run(&run, best);
            skip_class(scanner);
            (void)take_quantifier(scanner, &any);
        } else if (c == '\\') {
            scan_escape(scanner, &run, best);
            look_for_quantifier(scanner, &run, best);
        } else if (c == '.' || c == '^' || c == '$') {
            end_run(&run, best);
            scanner->at++;
            (void)take_quantifier(scanner, &any);
        } else {
            add_to_run(&run, c, best);
            scanner->at++;
            look_for_quantifier(scanner, &run, best);
        }
    }
    end_run(&run, best);
}

/* Of branches each has to have a word. Returns whether the set is known. */
static bool scan_branches(struct scanner *scanner, struct set *set)
{
    struct set branch;
    bool known = true;

    set->count = 0;
    for (;;) {
        scan_sequence(scanner, &branch);
        if (branch.count == 0 || set->count + branch.count > SET_MAX)
            known = false;
        for (size_t i = 0; known && i < branch.count; i++)
            memcpy(set->words[set->count++], branch.words[i], WORD_MAX + 1);
        if (scanner->lost || *scanner->at != '|')
            break;
        scanner->at++;
    }
    if (!known || scanner->lost)
        set->count = 0;
    return known && !scanner->lost;
}

struct jr_literals *jr_literals_open(void)
{
    struct jr_literals *literals = calloc(1, sizeof *literals);

    if (literals != NULL)
        literals->count = 1;
    return literals;
}

void jr_literals_close(struct jr_literals *literals)
{
    if (literals == NULL)
        return;
    free(literals->words);
    free(literals);
}

static unsigned head_of(const char *text)
{
    return (unsigned)(unsigned char)text[0] << 8 | (unsigned char)text[1];
}

static bool make_room(struct jr_literals *literals)
{
    size_t size = literals->size == 0 ? 64 : 2 * literals->size;
    struct word *words;

    if (literals->count < literals->size)
        return true;
    words = realloc(literals->words, size * sizeof *words);
    if (words == NULL)
        return false;
    literals->words = words;
    literals->size = size;
    return true;
}

static enum jr_err add_words(struct jr_literals *literals, const struct set *set, size_t number)
{
    for (size_t i = 0; i < set->count; i++) {
        struct word *word;
        uint32_t *head = &literals->heads[head_of(set->words[i])];

        if (!make_room(literals))
            return JR_ENOMEM;
        word = &literals->words[literals->count];
        memcpy(word->text, set->words[i], sizeof word->text);
        word->length = (uint8_t)strlen(word->text);
        word->pattern = (uint16_t)number;
        word->next = *head;
        *head = (uint32_t)literals->count++;
    }
    return JR_OK;
}

enum jr_err jr_literals_add(struct jr_literals *literals, const char *pattern, size_t number)
{
    struct scanner scanner = { .at = pattern };
    struct set set;

    if (scan_branches(&scanner, &set) && *scanner.at == '\0')
        return add_words(literals, &set, number);
    literals->always.words[number / 64] |= UINT64_C(1) << number % 64;
    return JR_OK;
}

/*
 * Does each branch mean the same without the others, and does the scanner see where it ends? Not
 * with an option that is set until the end, a reference to a group, a quotation, a verb, a
 * class by name. Of what follows `(?' only what is known to be harmless is allowed.
 */
static bool has_own_branches(const char *pattern)
{
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '\\') {
            if (strchr("123456789gkQEK", at[1]) != NULL)
                return false;
            at++;
        } else if (strncmp(at, "(*", 2) == 0
                   || (strncmp(at, "[:", 2) == 0 && at[2 + (at[2] == '^')] >= 'a')) {
            return false;
        } else if (at[0] == '(' && at[1] == '?') {
            const char *what = at + 2 + (at[2] == '<');
            size_t options = strspn(what, "-i");

            if ((*what != '=' && *what != '!') && (at[2] == '<' || what[options] != ':'))
                return false;
        }
    }
    return true;
}

/* Go on with another branch. */
static void add_branch(char *bare, const char *from, const char *to)
{
    size_t length = strlen(bare);

    if (length > 0)
        bare[length++] = '|';
    memcpy(bare + length, from, (size_t)(to - from));
    bare[length + (size_t)(to - from)] = '\0';
}

/*
 * Sort the branches at the top: words of those that have some are added, the others go into
 * bare. Returns whether all were understood and one has a word, or err is not JR_OK.
 */
static bool sort_branches(struct jr_literals *literals, const char *pattern, size_t number,
                          char *bare, enum jr_err *err)
{
    struct scanner scanner = { .at = pattern };
    bool any = false;
    struct set set;

    for (;;) {
        const char *from = scanner.at;

        scan_sequence(&scanner, &set);
        if (scanner.lost || scanner.at == from || *scanner.at == ')')
            return false;
        if (set.count == 0)
            add_branch(bare, from, scanner.at);
        else
            *err = add_words(literals, &set, number);
        any |= set.count > 0;
        if (*err != JR_OK || *scanner.at == '\0')
            return any;
        scanner.at++;
    }
}

enum jr_err jr_literals_split(struct jr_literals *literals, const char *pattern, size_t number,
                              char *bare, size_t size)
{
    enum jr_err err = JR_OK;

    *bare = '\0';
    if (strlen(pattern) < size && has_own_branches(pattern)
        && sort_branches(literals, pattern, number, bare, &err))
        return err;
    *bare = '\0';
    return jr_literals_add(literals, pattern, number);
}

void jr_literals_find(const struct jr_literals *literals, const char *text, size_t length,
                      struct jr_candidates *candidates)
{
    char lower[4097];
    size_t end = length < sizeof lower ? length : sizeof lower - 1;

    *candidates = literals->always;
    for (size_t i = 0; i < end; i++)
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
    for (size_t i = 0; i + WORD_LEAST <= end; i++) {
        uint32_t at = literals->heads[head_of(lower + i)];

        for (; at != 0; at = literals->words[at].next) {
            const struct word *word = &literals->words[at];

            if (i + word->length <= end && memcmp(lower + i, word->text, word->length) == 0)
                candidates->words[word->pattern / 64] |= UINT64_C(1) << word->pattern % 64;
        }
    }
}
