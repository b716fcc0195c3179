/*
 * policyshow -- a policy as YAML, each value with where it comes from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/policyshow.h"
#include "fcgi/tool/emit.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/format/yaml.h"
#include "lib/rules/policy.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Where comments begin, if there is room. */
#define COMMENT_COLUMN 44

#define FROM_SIZE 512
#define ORIGIN_SIZE (FROM_SIZE + 64)

struct writer {
    const struct jr_policyshow *show;
    FILE *stream;
    int column;    /* how much of the line is written */
    bool standard; /* what is written is a default */
    bool in_repo;  /* ... is of a repository */
};

static void put(struct writer *writer, const char *format, ...) JR_PRINTF(2, 3);

static void put(struct writer *writer, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vfprintf(writer->stream, format, arguments);
    va_end(arguments);
    if (length > 0)
        writer->column += length;
}

/* Does a scalar need no quotes, wherever it stands? */
static bool is_bare(const char *text)
{
    static const char signs[] = "_./%*+-";

    if (*text == '\0' || strchr("*%+-", *text) != NULL)
        return false;
    for (; *text != '\0'; text++)
        if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')
              || (*text >= '0' && *text <= '9') || strchr(signs, *text) != NULL))
            return false;
    return true;
}

/* Is all of it shown on a terminal as it is? Then it can stand between single quotes. */
static bool is_shown(const char *text)
{
    static const struct jr_show_way way = { .instead = JR_SHOW_REPLACED };
    struct jr_show_part part;

    return !jr_show_next(&way, &text, &part) || (part.is_text && *text == '\0');
}

/* Between double quotes each character can be written. */
static void put_escaped(struct writer *writer, const char *text)
{
    put(writer, "\"");
    while (*text != '\0') {
        size_t length = jr_text_utf8_length(text);
        char one[8] = "";

        memcpy(one, text, length);
        if (*one == '"' || *one == '\\')
            put(writer, "\\%s", one);
        else if (is_shown(one))
            put(writer, "%s", one);
        else
            put(writer, "\\U%08x", (unsigned)jr_text_utf8_code(text, length));
        text += length;
    }
    put(writer, "\"");
}

static void put_scalar(struct writer *writer, const struct jr_yaml *node)
{
    if (node->plain && is_bare(node->text)) {
        put(writer, "%s", node->text);
    } else if (!is_shown(node->text)) {
        put_escaped(writer, node->text);
    } else {
        put(writer, "'");
        for (const char *at = node->text; *at != '\0'; at++)
            put(writer, *at == '\'' ? "''" : "%c", *at);
        put(writer, "'");
    }
}

/* Where a value comes from, on one line. */
static const char *tell_from(const struct writer *writer, const struct jr_yaml *node,
                             char from[FROM_SIZE])
{
    char raw[FROM_SIZE];

    if (writer->standard)
        snprintf(raw, sizeof raw, "default");
    else if (writer->show->preset)
        snprintf(raw, sizeof raw, "preset %s", writer->show->name);
    else
        snprintf(raw, sizeof raw, "%s%.400s:%u", writer->in_repo ? "repositories, " : "",
                 writer->show->name, node->line);
    jr_show_clean(from, FROM_SIZE, raw);
    return from;
}

/* End the line with a comment. */
static void end_line(struct writer *writer, const char *comment)
{
    int left = COMMENT_COLUMN - writer->column;

    put(writer, "%*s  # %s\n", left > 0 ? left : 0, "", comment);
    writer->column = 0;
}

static void indent(struct writer *writer, unsigned depth)
{
    put(writer, "%*s", 2 * (int)depth, "");
}

/* May it stand on the line of its key? A map and a list with a map in it may not. */
static bool is_short(const struct jr_yaml *node)
{
    if (node->kind == JR_YAML_MAP)
        return node->count == 0;
    for (size_t i = 0; i < node->count; i++)
        if (node->items[i]->kind != JR_YAML_SCALAR)
            return false;
    return true;
}

static void put_short(struct writer *writer, const struct jr_yaml *node)
{
    if (node->kind == JR_YAML_SCALAR) {
        put_scalar(writer, node);
        return;
    }
    put(writer, node->kind == JR_YAML_MAP ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        put(writer, i == 0 ? "" : ", ");
        put_scalar(writer, node->items[i]);
    }
    put(writer, node->kind == JR_YAML_MAP ? "}" : "]");
}

/* RUN_ATTEMPTS, where a rule has more attempts; else 0. */
static int64_t capped(const struct writer *writer, const char *key, const struct jr_yaml *value)
{
    if (strcmp(key, "attempts") != 0 || value->kind != JR_YAML_SCALAR
        || strtoll(value->text, NULL, 10) <= writer->show->run_attempts)
        return 0;
    return writer->show->run_attempts;
}

/* Where a value comes from; of one that is capped, also what stands there. */
static const char *tell_origin(const struct writer *writer, int64_t cap,
                               const struct jr_yaml *value, char origin[ORIGIN_SIZE])
{
    char from[FROM_SIZE];

    tell_from(writer, value, from);
    if (cap == 0)
        snprintf(origin, ORIGIN_SIZE, "%s", from);
    else
        snprintf(origin, ORIGIN_SIZE, "RUN_ATTEMPTS; %s in %s", value->text, from);
    return origin;
}

static void write_value(struct writer *writer, const char *key, const struct jr_yaml *value)
{
    int64_t cap = capped(writer, key, value);
    char origin[ORIGIN_SIZE];

    if (cap == 0)
        put_short(writer, value);
    else
        put(writer, "%lld", (long long)cap);
    end_line(writer, tell_origin(writer, cap, value, origin));
}

static void write_map(struct writer *writer, const struct jr_yaml *map,
                      const struct jr_yaml *standard, unsigned depth, bool begun);

static void write_list(struct writer *writer, const struct jr_yaml *list, unsigned depth)
{
    for (size_t i = 0; i < list->count; i++) {
        indent(writer, depth);
        put(writer, "- ");
        if (list->items[i]->kind == JR_YAML_MAP && list->items[i]->count > 0)
            write_map(writer, list->items[i], NULL, depth + 1, true);
        else
            write_value(writer, "", list->items[i]);
    }
}

/*
 * An entry of a map.
 *   standard  what holds of a map where it names nothing; NULL: that is not told
 */
static void write_entry(struct writer *writer, const struct jr_yaml *key,
                        const struct jr_yaml *value, const struct jr_yaml *standard,
                        unsigned depth)
{
    bool is_repos = depth == 0 && strcmp(key->text, "repositories") == 0;
    char from[FROM_SIZE];

    put_scalar(writer, key);
    put(writer, ":");
    if (is_short(value) && standard == NULL) {
        put(writer, " ");
        write_value(writer, key->text, value);
        return;
    }
    end_line(writer, tell_from(writer, key, from));
    writer->in_repo |= is_repos;
    if (value->kind == JR_YAML_LIST)
        write_list(writer, value, depth + 1);
    else
        write_map(writer, value, standard, depth + 1, false);
    if (is_repos)
        writer->in_repo = false;
}

/* The defaults of a map's value, if it is a map that has some. */
static const struct jr_yaml *standard_of(const struct jr_yaml *standard, const char *key)
{
    const struct jr_yaml *value = standard == NULL ? NULL : jr_yaml_get(standard, key);

    return value != NULL && value->kind == JR_YAML_MAP ? value : NULL;
}

/* begun: its first line has been, by a dash. */
static void write_map(struct writer *writer, const struct jr_yaml *map,
                      const struct jr_yaml *standard, unsigned depth, bool begun)
{
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        if (i > 0 || !begun)
            indent(writer, depth);
        write_entry(writer, map->items[i], map->items[i + 1],
                    standard_of(standard, map->items[i]->text), depth);
    }
    for (size_t i = 0; standard != NULL && i + 1 < standard->count; i += 2) {
        bool before = writer->standard;

        if (jr_yaml_get(map, standard->items[i]->text) != NULL)
            continue;
        writer->standard = true;
        indent(writer, depth);
        write_entry(writer, standard->items[i], standard->items[i + 1], NULL, depth);
        writer->standard = before;
    }
}

/* What a policy names, and what holds where it names nothing; both NULL unless JR_OK. */
static enum jr_err read_trees(const struct jr_policyshow *show, struct jr_yaml **root,
                              struct jr_yaml **standard)
{
    struct jr_problems problems = { .count = 0 };
    const char *text = jr_policy_defaults();
    enum jr_err err = jr_yaml_parse(show->text, show->length, JR_POLICY_BYTES_MAX, root, &problems);

    *standard = NULL;
    if (err == JR_OK)
        err = jr_yaml_parse(text, strlen(text), JR_POLICY_BYTES_MAX, standard, &problems);
    if (err == JR_OK && *root != NULL && *standard != NULL)
        return JR_OK;
    jr_yaml_free(*root);
    jr_yaml_free(*standard);
    return JR_ENOMEM;
}

enum jr_err jr_policyshow_write(const struct jr_policyshow *show, FILE *stream)
{
    struct writer writer = { .show = show, .stream = stream };
    struct jr_yaml *root, *standard;

    if (read_trees(show, &root, &standard) != JR_OK)
        return JR_ENOMEM;
    write_map(&writer, root, standard, 0, false);
    if (jr_yaml_get(root, "outage") == NULL) {
        put(&writer, "# outage: never");
        end_line(&writer, "default");
    }
    jr_yaml_free(root);
    jr_yaml_free(standard);
    return JR_OK;
}

static void emit_map(struct writer *writer, struct jr_emit *emit, const char *key,
                     const struct jr_yaml *map, const struct jr_yaml *standard);

static void emit_value(const struct writer *writer, struct jr_emit *emit, const char *key,
                       const struct jr_yaml *value)
{
    int64_t cap = capped(writer, key == NULL ? "" : key, value);
    char origin[ORIGIN_SIZE], number[JR_DIGITS_SIZE];

    jr_emit_open(emit, key);
    if (cap != 0) {
        jr_emit_text(emit, "value", jr_text_digits((uint64_t)cap, number));
    } else if (value->kind == JR_YAML_SCALAR) {
        jr_emit_text(emit, "value", value->text);
    } else {
        jr_emit_open_array(emit, "value");
        for (size_t i = 0; i < value->count; i++)
            jr_emit_text(emit, NULL, value->items[i]->text);
        jr_emit_close_array(emit);
    }
    jr_emit_text(emit, "from", tell_origin(writer, cap, value, origin));
    jr_emit_close(emit);
}

static void emit_node(struct writer *writer, struct jr_emit *emit, const char *key,
                      const struct jr_yaml *node, const struct jr_yaml *standard)
{
    if (node->kind == JR_YAML_MAP) {
        emit_map(writer, emit, key, node, standard);
    } else if (is_short(node)) {
        emit_value(writer, emit, key, node);
    } else {
        jr_emit_open_array(emit, key);
        for (size_t i = 0; i < node->count; i++)
            emit_node(writer, emit, NULL, node->items[i], NULL);
        jr_emit_close_array(emit);
    }
}

static void emit_map(struct writer *writer, struct jr_emit *emit, const char *key,
                     const struct jr_yaml *map, const struct jr_yaml *standard)
{
    bool in_repo = writer->in_repo, was_standard = writer->standard;

    writer->in_repo |= key != NULL && strcmp(key, "repositories") == 0;
    jr_emit_open(emit, key);
    for (size_t i = 0; i + 1 < map->count; i += 2)
        emit_node(writer, emit, map->items[i]->text, map->items[i + 1],
                  standard_of(standard, map->items[i]->text));
    writer->standard = true;
    for (size_t i = 0; standard != NULL && i + 1 < standard->count; i += 2)
        if (jr_yaml_get(map, standard->items[i]->text) == NULL)
            emit_node(writer, emit, standard->items[i]->text, standard->items[i + 1], NULL);
    writer->standard = was_standard;
    jr_emit_close(emit);
    writer->in_repo = in_repo;
}

enum jr_err jr_policyshow_write_json(const struct jr_policyshow *show, FILE *stream)
{
    struct writer writer = { .show = show };
    struct jr_yaml *root, *standard;
    struct jr_emit emit;

    if (read_trees(show, &root, &standard) != JR_OK)
        return JR_ENOMEM;
    jr_emit_init(&emit, stream);
    emit_map(&writer, &emit, NULL, root, standard);
    jr_emit_end(&emit);
    jr_yaml_free(root);
    jr_yaml_free(standard);
    return JR_OK;
}
