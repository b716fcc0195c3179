/*
 * signatures -- the texts by which causes are known, as data.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include "lib/rules/signatures.h"
#include "lib/base/text.h"
#include "lib/rules/literals.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* Steps of the matcher for one line of 4 kB, and its memory: some ms at most. */
#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT_KB 1024

#define SHAPE_SIZE 32

struct jr_signature {
    char id[JR_SIGNATURE_ID_SIZE];
    char shape[SHAPE_SIZE];
    enum jr_cause cause; /* NONE: a line that matches does not count */
    enum jr_weight weight;
    unsigned places;
    bool outside_tests;
    bool decides; /* a line that it matches is not transient, whatever it names */
    char *job; /* NULL: any. Owned */
    pcre2_code *pattern, *unless; /* owned; NULL: none */
    pcre2_code *bare; /* those branches of the pattern that need no word; NULL: none. Owned */
};

/* Made once, for all matches of a process: they hold nothing of what was matched. */
static pcre2_match_context *limits;
static pcre2_match_data *result;

static bool make_tools(void)
{
    if (limits == NULL) {
        limits = pcre2_match_context_create(NULL);
        if (limits == NULL)
            return false;
        pcre2_set_match_limit(limits, MATCH_LIMIT);
        pcre2_set_depth_limit(limits, DEPTH_LIMIT);
        pcre2_set_heap_limit(limits, HEAP_LIMIT_KB);
    }
    if (result == NULL)
        result = pcre2_match_data_create(1, NULL);
    return result != NULL;
}

/* Being read. */
struct entry {
    const struct jr_yaml *map;
    struct jr_problems *problems;
    struct jr_signature *signature;
    const struct jr_yaml *pattern; /* the node that has it */
    bool own, good, no_memory;
};

static void wrong(struct entry *entry, const struct jr_yaml *node, const char *what)
{
    jr_problem_add(entry->problems, node->line, node->column, "%s", what);
    entry->good = false;
}

static pcre2_code *compile_text(const char *text, int *number, PCRE2_SIZE *offset)
{
    return pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                         PCRE2_CASELESS | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C
                             | PCRE2_NO_AUTO_CAPTURE | PCRE2_DOLLAR_ENDONLY,
                         number, offset, NULL);
}

static pcre2_code *compile(struct entry *entry, const struct jr_yaml *node)
{
    PCRE2_UCHAR message[120];
    pcre2_code *code;
    PCRE2_SIZE offset;
    int number;

    if (node->kind != JR_YAML_SCALAR || *node->text == '\0'
        || strlen(node->text) > JR_PATTERN_MAX) {
        wrong(entry, node, "a pattern has to be a text of 1 to 1024 bytes");
        return NULL;
    }
    code = compile_text(node->text, &number, &offset);
    if (code != NULL)
        return code;
    pcre2_get_error_message(number, message, sizeof message);
    jr_problem_add(entry->problems, node->line, node->column, "no pattern: %s, at character %zu",
                   (const char *)message, (size_t)offset + 1);
    entry->good = false;
    return NULL;
}

/* true and false are what yes and no become in the hands of programs that write YAML. */
static bool is_yes(struct entry *entry, const char *key)
{
    static const char *const words[] = { "yes", "true", "no", "false" };
    const struct jr_yaml *node = jr_yaml_get(entry->map, key);

    if (node == NULL)
        return false;
    for (size_t i = 0; node->kind == JR_YAML_SCALAR && i < sizeof words / sizeof *words; i++)
        if (strcmp(node->text, words[i]) == 0)
            return i < 2;
    wrong(entry, node, "has to be yes or no");
    return false;
}

static bool is_id(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length < JR_SIGNATURE_ID_SIZE
           && strspn(text, JR_SIGNATURE_ID_LETTERS) == length;
}

static void read_id(struct entry *entry)
{
    const struct jr_yaml *node = jr_yaml_get(entry->map, "id");

    if (node == NULL)
        wrong(entry, entry->map, "a signature needs an id");
    else if (node->kind != JR_YAML_SCALAR || !is_id(node->text))
        wrong(entry, node, "an id is of a-z, 0-9 and -, at most 63 characters");
    else
        jr_text_copy(entry->signature->id, sizeof entry->signature->id, node->text);
}

/* How much a cause's texts weigh. */
static enum jr_weight weight_of(enum jr_cause cause, unsigned places, bool weak)
{
    if (cause >= JR_CAUSE_BILLING && cause <= JR_CAUSE_SUPERSEDED)
        return JR_WEIGHT_VETO;
    if (cause == JR_CAUSE_TIMEOUT || cause == JR_CAUSE_STEP_TIMEOUT)
        return JR_WEIGHT_TIMEOUT;
    if (weak)
        return JR_WEIGHT_WEAK;
    if (!jr_cause_is_infrastructural(cause))
        return JR_WEIGHT_HARD;
    return places == JR_IN_ANNOTATION ? JR_WEIGHT_SERVICE : JR_WEIGHT_TRANSIENT;
}

static void read_cause(struct entry *entry)
{
    const struct jr_yaml *node = jr_yaml_get(entry->map, "cause");
    enum jr_cause cause;

    if (node == NULL) {
        wrong(entry, entry->map, "a signature needs a cause");
        return;
    }
    cause = node->kind == JR_YAML_SCALAR ? jr_cause_from(node->text) : JR_CAUSE_NONE;
    if (cause == JR_CAUSE_NONE || cause == JR_CAUSE_UNKNOWN)
        wrong(entry, node, "there is no such cause; job-rerunner-policy(5) lists them");
    entry->signature->cause = cause;
}

/* The keys that say where a pattern is looked for, of which there has to be one. */
static const struct {
    const char *key;
    unsigned places;
} places[] = {
    { "text", JR_IN_LOG | JR_IN_ANNOTATION },
    { "log", JR_IN_LOG },
    { "annotation", JR_IN_ANNOTATION },
    { "step", JR_IN_STEP_NAME },
    { "ignore", JR_IN_LOG },
};

static void read_pattern(struct entry *entry)
{
    struct jr_signature *signature = entry->signature;
    const struct jr_yaml *shape = jr_yaml_get(entry->map, "shape"), *node;

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        node = jr_yaml_get(entry->map, places[i].key);
        if (node == NULL)
            continue;
        if (signature->pattern != NULL)
            wrong(entry, node, "a signature has one pattern");
        else
            signature->pattern = compile(entry, node);
        signature->places = places[i].places;
        entry->pattern = node;
    }
    if (shape != NULL && shape->kind == JR_YAML_SCALAR)
        jr_text_copy(signature->shape, sizeof signature->shape, shape->text);
    else if (entry->pattern == NULL)
        wrong(entry, entry->map, "a signature needs a pattern: text, log, annotation or step");
    node = jr_yaml_get(entry->map, "unless");
    if (node != NULL)
        signature->unless = compile(entry, node);
}

static bool matches(const pcre2_code *pattern, const char *text, size_t length, bool *limited)
{
    int found = pcre2_match(pattern, (PCRE2_SPTR)text, length, 0, PCRE2_NO_UTF_CHECK, result,
                            limits);

    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        *limited = true;
    return found >= 0;
}

/* Matches a pattern of the signature's, which may be NULL. */
static bool pattern_matches(const struct jr_signature *signature, const pcre2_code *pattern,
                            const char *text, size_t length, bool *limited)
{
    return pattern != NULL && matches(pattern, text, length, limited)
           && (signature->unless == NULL || !matches(signature->unless, text, length, limited));
}

static bool signature_matches(const struct jr_signature *signature, const char *text,
                              size_t length, bool *limited)
{
    return pattern_matches(signature, signature->pattern, text, length, limited);
}

/* Of the program's own each has an example, and one that must not match. */
static void try_examples(struct entry *entry)
{
    static const struct {
        const char *key;
        bool match;
    } examples[] = { { "matches", true }, { "misses", false } };

    for (size_t i = 0; entry->good && entry->signature->pattern != NULL && i < 2; i++) {
        const struct jr_yaml *node = jr_yaml_get(entry->map, examples[i].key);
        bool limited = false, found;

        if (node == NULL || node->kind != JR_YAML_SCALAR) {
            if (!entry->own)
                wrong(entry, entry->map, "an example is missing: matches, misses");
            continue;
        }
        found = signature_matches(entry->signature, node->text, strlen(node->text), &limited);
        if (found != examples[i].match || limited)
            wrong(entry, node, examples[i].match ? "the example does not match"
                                                 : "the example matches, and must not");
    }
}

static const char *const keys[] = {
    "id", "cause", "text", "log", "annotation", "step", "shape", "ignore", "unless", "job",
    "outside-tests", "weak", "decides", "source", "matches", "misses",
};

static void look_for_strangers(struct entry *entry)
{
    for (size_t i = 0; i + 1 < entry->map->count; i += 2) {
        const struct jr_yaml *key = entry->map->items[i];
        bool known = key->kind != JR_YAML_SCALAR;

        for (size_t k = 0; !known && k < sizeof keys / sizeof *keys; k++)
            known = strcmp(key->text, keys[k]) == 0
                    && !(entry->own && (strcmp(key->text, "shape") == 0
                                        || strcmp(key->text, "ignore") == 0
                                        || strcmp(key->text, "decides") == 0));
        if (!known)
            wrong(entry, key, "no key of a signature; there are id, cause, job, text, log, "
                  "annotation, step, unless, outside-tests, weak, source, matches, misses");
    }
}

static void release_signature(struct jr_signature *signature)
{
    free(signature->job);
    pcre2_code_free(signature->pattern);
    pcre2_code_free(signature->unless);
    pcre2_code_free(signature->bare);
    memset(signature, 0, sizeof *signature);
}

/* Returns whether the signature was taken. */
static bool read_entry(struct entry *entry)
{
    struct jr_signature *signature = entry->signature;
    const struct jr_yaml *job;

    if (entry->map->kind != JR_YAML_MAP) {
        wrong(entry, entry->map, "a signature is a map");
        return false;
    }
    look_for_strangers(entry);
    read_id(entry);
    if (jr_yaml_get(entry->map, "ignore") == NULL)
        read_cause(entry);
    read_pattern(entry);
    signature->outside_tests = is_yes(entry, "outside-tests");
    signature->decides = is_yes(entry, "decides");
    signature->weight = weight_of(signature->cause, signature->places, is_yes(entry, "weak"));
    job = jr_yaml_get(entry->map, "job");
    if (job != NULL && job->kind != JR_YAML_SCALAR)
        wrong(entry, job, "a job's name, where * and ? are wildcards");
    else if (job != NULL && (signature->job = strdup(job->text)) == NULL)
        entry->no_memory = true;
    try_examples(entry);
    if (!entry->good)
        release_signature(signature);
    return entry->good;
}

static bool is_double(struct jr_signatures *signatures, struct entry *entry)
{
    if (jr_signatures_find(signatures, entry->signature->id) == SIZE_MAX)
        return false;
    wrong(entry, entry->map, "the id is another signature's");
    release_signature(entry->signature);
    return true;
}

/*
 * Most patterns are tried only on lines that have one of their words. Of a pattern whose branches
 * do not all have one, those that have none are tried on all lines, and no more of it.
 */
static enum jr_err add_words(struct jr_signatures *signatures, const char *pattern)
{
    struct jr_signature *signature = &signatures->items[signatures->count];
    char bare[JR_PATTERN_MAX + 1];
    enum jr_err err = jr_literals_split(signatures->literals, pattern, signatures->count, bare,
                                        sizeof bare);
    PCRE2_SIZE offset;
    int number;

    if (err != JR_OK || *bare == '\0')
        return err;
    signature->bare = compile_text(bare, &number, &offset);
    return signature->bare != NULL ? JR_OK : JR_ENOMEM;
}

static enum jr_err read_all(struct jr_signatures *signatures, const struct jr_yaml *list, bool own,
                            struct jr_problems *problems)
{
    for (size_t i = 0; i < list->count; i++) {
        struct entry entry = {
            .map = list->items[i], .problems = problems, .own = own, .good = true,
            .signature = &signatures->items[signatures->count],
        };

        if (signatures->count == JR_SIGNATURES_MAX) {
            jr_problem_add(problems, entry.map->line, entry.map->column,
                           "more than %d signatures", JR_SIGNATURES_MAX);
            return JR_OK;
        }
        if (!read_entry(&entry) || is_double(signatures, &entry))
            continue;
        if (entry.no_memory
            || (entry.pattern != NULL && add_words(signatures, entry.pattern->text) != JR_OK))
            return JR_ENOMEM;
        signatures->count++;
    }
    return JR_OK;
}

enum jr_err jr_signatures_read(struct jr_signatures *signatures, const struct jr_yaml *list,
                               bool own, struct jr_problems *problems)
{
    memset(signatures, 0, sizeof *signatures);
    if (list->kind != JR_YAML_LIST) {
        jr_problem_add(problems, list->line, list->column, "signatures stand in a list");
        return JR_OK;
    }
    signatures->items = calloc(list->count + 1, sizeof *signatures->items);
    signatures->literals = jr_literals_open();
    if (make_tools() && signatures->items != NULL && signatures->literals != NULL
        && read_all(signatures, list, own, problems) == JR_OK)
        return JR_OK;
    jr_signatures_release(signatures);
    return JR_ENOMEM;
}

/* The embedded file is as large as its examples make it. */
#define BUILTIN_MOST (256 * 1024)

enum jr_err jr_signatures_builtin(struct jr_signatures *signatures, struct jr_error *error)
{
    struct jr_problems problems = { .count = 0 };
    struct jr_yaml *root;
    enum jr_err err;

    memset(signatures, 0, sizeof *signatures);
    err = jr_yaml_parse(jr_causes_yml, jr_causes_yml_length, BUILTIN_MOST, &root, &problems);
    if (err == JR_OK && root != NULL)
        err = jr_signatures_read(signatures, root, false, &problems);
    jr_yaml_free(root);
    if (err != JR_OK)
        return jr_error_set(error, err, "out of memory");
    if (problems.count == 0)
        return JR_OK;
    jr_signatures_release(signatures);
    return jr_error_set(error, JR_EFORMAT, "causes.yml, line %u, column %u: %s",
                        problems.items[0].line, problems.items[0].column, problems.items[0].text);
}

void jr_signatures_release(struct jr_signatures *signatures)
{
    for (size_t i = 0; i < signatures->count; i++)
        release_signature(&signatures->items[i]);
    free(signatures->items);
    jr_literals_close(signatures->literals);
    memset(signatures, 0, sizeof *signatures);
}

const char *jr_signature_id(const struct jr_signatures *signatures, size_t index)
{
    return signatures->items[index].id;
}

enum jr_cause jr_signature_cause(const struct jr_signatures *signatures, size_t index)
{
    return signatures->items[index].cause;
}

enum jr_weight jr_signature_weight(const struct jr_signatures *signatures, size_t index)
{
    return signatures->items[index].weight;
}

size_t jr_signatures_find(const struct jr_signatures *signatures, const char *id)
{
    for (size_t i = 0; i < signatures->count; i++)
        if (strcmp(signatures->items[i].id, id) == 0)
            return i;
    return SIZE_MAX;
}

size_t jr_signatures_shape(const struct jr_signatures *signatures, const char *shape)
{
    for (size_t i = 0; i < signatures->count; i++)
        if (strcmp(signatures->items[i].shape, shape) == 0)
            return i;
    return SIZE_MAX;
}

static bool applies(const struct jr_signature *signature, unsigned place, const char *job,
                    bool in_tests)
{
    return (signature->places & place) != 0 && signature->pattern != NULL
           && !(signature->outside_tests && in_tests)
           && (signature->job == NULL || jr_text_match(signature->job, job));
}

/* Of one that is no candidate only the branches without a word can match. */
static bool candidate_matches(const struct jr_signatures *signatures, size_t index,
                              const struct jr_candidates *candidates, const char *text,
                              size_t length, bool *limited)
{
    const struct jr_signature *signature = &signatures->items[index];
    bool whole = jr_candidates_have(candidates, index);

    return pattern_matches(signature, whole ? signature->pattern : signature->bare, text, length,
                           limited);
}

void jr_signatures_match(const struct jr_signatures *signatures, const char *text, size_t length,
                         unsigned place, const char *job, bool in_tests,
                         struct jr_matches *found)
{
    struct jr_candidates candidates;
    size_t hard;

    for (size_t i = 0; i < JR_WEIGHTS; i++)
        found->index[i] = SIZE_MAX;
    found->limited = false;
    if (signatures->count == 0)
        return;
    jr_literals_find(signatures->literals, text, length, &candidates);
    for (size_t i = 0; i < signatures->count; i++) {
        const struct jr_signature *signature = &signatures->items[i];

        if (found->index[signature->weight] == SIZE_MAX && signature->cause != JR_CAUSE_NONE
            && applies(signature, place, job, in_tests)
            && candidate_matches(signatures, i, &candidates, text, length, &found->limited))
            found->index[signature->weight] = i;
    }
    hard = found->index[JR_WEIGHT_HARD];
    if (hard != SIZE_MAX && signatures->items[hard].decides)
        found->index[JR_WEIGHT_TRANSIENT] = SIZE_MAX;
}

bool jr_signatures_ignore(const struct jr_signatures *signatures, const char *text, size_t length)
{
    struct jr_candidates candidates;
    bool limited;

    if (signatures->count == 0)
        return false;
    jr_literals_find(signatures->literals, text, length, &candidates);
    for (size_t i = 0; i < signatures->count; i++)
        if (signatures->items[i].cause == JR_CAUSE_NONE
            && candidate_matches(signatures, i, &candidates, text, length, &limited))
            return true;
    return false;
}
