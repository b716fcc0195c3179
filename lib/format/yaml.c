/*
 * yaml -- a small YAML file as a tree of nodes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/format/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* How deep what is too deep may be for the rest of the file to be read. */
#define SKIPPED_MAX 100

struct reader {
    yaml_parser_t parser;
    struct jr_problems *problems;
    bool failed;    /* the bytes are no YAML, or out of memory: nothing more can be read */
    bool no_memory;
};

void jr_problem_add(struct jr_problems *problems, unsigned line, unsigned column,
                    const char *format, ...)
{
    struct jr_problem *problem = &problems->items[problems->count];
    va_list arguments;

    if (problems->count == JR_PROBLEMS_MAX) {
        problems->more = true;
        return;
    }
    problem->line = line;
    problem->column = column;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    for (char *at = problem->text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    problems->count++;
}

static int compare_places(const void *a, const void *b)
{
    const struct jr_problem *left = a, *right = b;

    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return (left->column > right->column) - (left->column < right->column);
}

void jr_problems_sort(struct jr_problems *problems)
{
    qsort(problems->items, problems->count, sizeof *problems->items, compare_places);
}

static unsigned line_of(yaml_mark_t mark)
{
    return (unsigned)mark.line + 1;
}

static unsigned column_of(yaml_mark_t mark)
{
    return (unsigned)mark.column + 1;
}

static void out_of_memory(struct reader *reader)
{
    reader->failed = reader->no_memory = true;
}

/* The next event; false at the end of what can be read. The caller deletes the event. */
static bool next(struct reader *reader, yaml_event_t *event)
{
    const yaml_parser_t *parser = &reader->parser;

    if (reader->failed)
        return false;
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    reader->failed = true;
    if (parser->error == YAML_MEMORY_ERROR)
        reader->no_memory = true;
    else if (parser->error == YAML_READER_ERROR)
        jr_problem_add(reader->problems, line_of(parser->mark), column_of(parser->mark),
                       "%s: the file has to be UTF-8 text", parser->problem);
    else
        jr_problem_add(reader->problems, line_of(parser->problem_mark),
                       column_of(parser->problem_mark), "no YAML: %s%s%s", parser->problem,
                       parser->context == NULL ? "" : " ",
                       parser->context == NULL ? "" : parser->context);
    return false;
}

static struct jr_yaml *make_node(struct reader *reader, enum jr_yaml_kind kind,
                                 const yaml_event_t *event)
{
    struct jr_yaml *node = calloc(1, sizeof *node);

    if (node == NULL) {
        out_of_memory(reader);
        return NULL;
    }
    node->kind = kind;
    node->line = line_of(event->start_mark);
    node->column = column_of(event->start_mark);
    return node;
}

/* Takes the item, also when it fails. */
static bool append(struct reader *reader, struct jr_yaml *node, struct jr_yaml *item)
{
    struct jr_yaml **longer;

    /* The room doubles: it is full when the count is a power of two. */
    if ((node->count & (node->count - 1)) == 0) {
        longer = realloc(node->items, (node->count == 0 ? 1 : 2 * node->count) * sizeof *longer);
        if (longer == NULL) {
            jr_yaml_free(item);
            out_of_memory(reader);
            return false;
        }
        node->items = longer;
    }
    node->items[node->count++] = item;
    return true;
}

static void refuse_extras(struct reader *reader, const yaml_event_t *event,
                          const yaml_char_t *anchor, const yaml_char_t *tag)
{
    unsigned line = line_of(event->start_mark), column = column_of(event->start_mark);

    if (anchor != NULL)
        jr_problem_add(reader->problems, line, column, "an anchor (&%.40s) is not allowed",
                       (const char *)anchor);
    if (tag != NULL)
        jr_problem_add(reader->problems, line, column, "a tag (%.40s) is not allowed",
                       (const char *)tag);
}

static struct jr_yaml *read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct jr_yaml *node = make_node(reader, JR_YAML_SCALAR, event);
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;

    if (node == NULL)
        return NULL;
    refuse_extras(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(value, '\0', length) != NULL) {
        jr_problem_add(reader->problems, node->line, node->column, "a NUL is not allowed");
        length = strlen(value);
    }
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = strndup(value, length);
    if (node->text == NULL) {
        jr_yaml_free(node);
        out_of_memory(reader);
        return NULL;
    }
    return node;
}

static struct jr_yaml *read_node(struct reader *reader, const yaml_event_t *event,
                                 unsigned depth);

static bool is_end(const yaml_event_t *event)
{
    return event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT;
}

/* Pass over the rest of a list or map that is too deep. libyaml looks at all that is open again
 * and again, so beyond some depth nothing more is read. */
static void skip(struct reader *reader)
{
    yaml_event_t event;

    for (unsigned open = 1; open > 0 && next(reader, &event);) {
        reader->failed = open > SKIPPED_MAX;
        if (is_end(&event))
            open--;
        else if (event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT)
            open++;
        yaml_event_delete(&event);
    }
}

static struct jr_yaml *read_items(struct reader *reader, struct jr_yaml *node, unsigned depth)
{
    yaml_event_t event;
    struct jr_yaml *item;

    while (next(reader, &event)) {
        if (is_end(&event)) {
            yaml_event_delete(&event);
            return node;
        }
        item = read_node(reader, &event, depth);
        yaml_event_delete(&event);
        if (item != NULL && !append(reader, node, item))
            break;
    }
    jr_yaml_free(node);
    return NULL;
}

/* The first of `count' items, every other of them, that is the same key; NULL: none. */
static const struct jr_yaml *find_double(const struct jr_yaml *map, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i += 2)
        if (map->items[i]->kind == JR_YAML_SCALAR && strcmp(map->items[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}

/* Leave out what a map has too many of. */
static void cut_keys(struct reader *reader, struct jr_yaml *map)
{
    if (map->count <= 2 * JR_YAML_KEYS_MAX)
        return;
    jr_problem_add(reader->problems, map->line, map->column, "more than %d keys",
                   JR_YAML_KEYS_MAX);
    while (map->count > 2 * JR_YAML_KEYS_MAX)
        jr_yaml_free(map->items[--map->count]);
}

/* Keys are words, and each stands once: a second one is left out. */
static void check_keys(struct reader *reader, struct jr_yaml *map)
{
    size_t kept = 0;

    cut_keys(reader, map);
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        struct jr_yaml *key = map->items[i];
        const struct jr_yaml *first = NULL;

        if (key->kind != JR_YAML_SCALAR)
            jr_problem_add(reader->problems, key->line, key->column, "a key has to be a word");
        else
            first = find_double(map, kept, key->text);
        if (first != NULL) {
            jr_problem_add(reader->problems, key->line, key->column,
                           "'%.60s' stands here twice, first in line %u", key->text, first->line);
            jr_yaml_free(key);
            jr_yaml_free(map->items[i + 1]);
        } else {
            map->items[kept++] = key;
            map->items[kept++] = map->items[i + 1];
        }
    }
    map->count = kept;
}

static struct jr_yaml *read_collection(struct reader *reader, const yaml_event_t *event,
                                       unsigned depth)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    struct jr_yaml *node = make_node(reader, is_map ? JR_YAML_MAP : JR_YAML_LIST, event);

    if (node == NULL)
        return NULL;
    refuse_extras(reader, event,
                  is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
                  is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
    if (depth == JR_YAML_DEPTH_MAX) {
        jr_problem_add(reader->problems, node->line, node->column,
                       "nested too deep; allowed are %d levels", JR_YAML_DEPTH_MAX);
        skip(reader);
        return node;
    }
    node = read_items(reader, node, depth + 1);
    if (node != NULL && is_map)
        check_keys(reader, node);
    return node;
}

/* An alias becomes an empty text, so that maps stay whole. */
static struct jr_yaml *read_alias(struct reader *reader, const yaml_event_t *event)
{
    struct jr_yaml *node = make_node(reader, JR_YAML_SCALAR, event);

    if (node == NULL)
        return NULL;
    jr_problem_add(reader->problems, node->line, node->column,
                   "an alias (*%.40s) is not allowed", (const char *)event->data.alias.anchor);
    node->text = strdup("");
    if (node->text == NULL)
        out_of_memory(reader);
    return node;
}

static struct jr_yaml *read_node(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_collection(reader, event, depth);
    case YAML_ALIAS_EVENT:
        return read_alias(reader, event);
    default:
        return NULL;
    }
}

static struct jr_yaml *read_documents(struct reader *reader)
{
    struct jr_yaml *root = NULL, *more;
    yaml_event_t event;
    unsigned documents = 0;
    bool end = false;

    while (!end && next(reader, &event)) {
        end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && ++documents == 2)
            jr_problem_add(reader->problems, line_of(event.start_mark),
                           column_of(event.start_mark), "a second document is not allowed");
        more = read_node(reader, &event, 0);
        yaml_event_delete(&event);
        if (root == NULL)
            root = more;
        else
            jr_yaml_free(more);
    }
    return root;
}

enum jr_err jr_yaml_parse(const char *bytes, size_t length, size_t most, struct jr_yaml **root,
                          struct jr_problems *problems)
{
    struct reader reader = { .problems = problems };

    *root = NULL;
    if (length > most) {
        jr_problem_add(problems, 1, 1, "the file has more than the %zu bytes that are allowed", most);
        return JR_OK;
    }
    if (!yaml_parser_initialize(&reader.parser))
        return JR_ENOMEM;
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, length);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    *root = read_documents(&reader);
    yaml_parser_delete(&reader.parser);
    if (!reader.no_memory)
        return JR_OK;
    jr_yaml_free(*root);
    *root = NULL;
    return JR_ENOMEM;
}

void jr_yaml_free(struct jr_yaml *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->count; i++)
        jr_yaml_free(node->items[i]);
    free(node->items);
    free(node->text);
    free(node);
}

const struct jr_yaml *jr_yaml_get(const struct jr_yaml *map, const char *key)
{
    if (map == NULL || map->kind != JR_YAML_MAP)
        return NULL;
    for (size_t i = 0; i + 1 < map->count; i += 2)
        if (map->items[i]->kind == JR_YAML_SCALAR && strcmp(map->items[i]->text, key) == 0)
            return map->items[i + 1];
    return NULL;
}
