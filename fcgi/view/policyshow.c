/*
 * policyshow -- a policy as YAML, each value with where it comes from.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/view/policyshow.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/format/yaml.h"
#include "lib/rules/policy.h"

#include <stdarg.h>
#include <stddef.h>
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
    *root = *standard = NULL;
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

enum jr_err jr_policyshow_emit(const struct jr_policyshow *show, struct jr_emit *emit,
                               const char *key)
{
    struct writer writer = { .show = show };
    struct jr_yaml *root, *standard;

    if (read_trees(show, &root, &standard) != JR_OK)
        return JR_ENOMEM;
    emit_map(&writer, emit, key, root, standard);
    jr_yaml_free(root);
    jr_yaml_free(standard);
    return JR_OK;
}

/* Where a value may stand: the first layer that has what counts says where it comes from. */
enum { OWN, DEVIATION, BASE, DEFAULTS, LAYERS };

struct layer {
    const struct jr_policyshow *show;
    const struct jr_yaml *map; /* NULL: there is none */
    bool in_repo, standard;
};

struct layers {
    struct layer items[LAYERS];
    struct jr_yaml *roots[LAYERS]; /* owned */
    const struct jr_policy_part *part; /* what counts */
    struct writer writer;
    struct jr_emit *emit; /* NULL: YAML */
};

/* A value of a part, by the keys that lead to it. */
struct value {
    const char *section, *inner, *key;
    enum { WORD, GUARD, LIMIT, WEIGHT } kind;
    size_t offset;
    const char *words[2]; /* of a WORD: false, true */
};

#define PART(member) offsetof(struct jr_policy_part, member)

static const struct value values[] = {
    { NULL, NULL, "mixed", WORD, PART(any_deserves), { "all", "any" } },
    { NULL, NULL, "otherwise", WORD, PART(otherwise_rerun), { "leave", "rerun" } },
    { NULL, NULL, "same-failure", WORD, PART(same_failure_rerun), { "leave", "rerun" } },
    { NULL, NULL, "debug-logging", WORD, PART(debug_last), { "never", "last" } },
    { "guards", NULL, "superseded", GUARD, PART(guards.superseded), { NULL, NULL } },
    { "guards", NULL, "closed", GUARD, PART(guards.closed), { NULL, NULL } },
    { "guards", NULL, "deployments", GUARD, PART(guards.deployments), { NULL, NULL } },
    { "guards", NULL, "merge-queue", GUARD, PART(guards.merge_queue), { NULL, NULL } },
    { "guards", NULL, "concurrency", GUARD, PART(guards.concurrency), { NULL, NULL } },
    { "limits", NULL, "reruns-per-hour", LIMIT, PART(limits.reruns_per_hour), { NULL, NULL } },
    { "limits", NULL, "minutes-per-day", LIMIT, PART(limits.minutes_per_day), { NULL, NULL } },
    { "limits", "os-weights", "linux", WEIGHT, PART(limits.weight_linux), { NULL, NULL } },
    { "limits", "os-weights", "windows", WEIGHT, PART(limits.weight_windows), { NULL, NULL } },
    { "limits", "os-weights", "macos", WEIGHT, PART(limits.weight_macos), { NULL, NULL } },
    { "limits", "os-weights", "self-hosted", WEIGHT, PART(limits.weight_self_hosted),
      { NULL, NULL } },
};

#define VALUES (sizeof values / sizeof *values)

/* NULL: there is none. */
static const char *text_of(const struct jr_policy_part *part, const struct value *value,
                           char number[JR_DIGITS_SIZE])
{
    static const char *const guards[] = { "leave", "rerun", "wait" };
    const void *at = (const char *)part + value->offset;

    if (value->kind == WORD)
        return value->words[*(const bool *)at];
    if (value->kind == GUARD)
        return guards[*(const enum jr_guard *)at];
    if (value->kind == LIMIT && *(const uint32_t *)at == 0)
        return NULL;
    return jr_text_digits(*(const uint32_t *)at, number);
}

static const struct jr_yaml *get(const struct jr_yaml *map, const char *key)
{
    return map == NULL || key == NULL ? map : jr_yaml_get(map, key);
}

static const struct jr_yaml *stands(const struct layer *layer, const struct value *value)
{
    return get(get(get(layer->map, value->section), value->inner), value->key);
}

static void turn_to(struct layers *layers, int at)
{
    const struct layer *layer = &layers->items[at];

    layers->writer.show = layer->show;
    layers->writer.in_repo = layer->in_repo;
    layers->writer.standard = layer->standard;
}

/* Where what counts comes from, and what was cut. */
static const char *tell_layer(struct layers *layers, const struct value *value, const char *text,
                              char origin[2 * ORIGIN_SIZE])
{
    const struct jr_yaml *own = stands(&layers->items[OWN], value), *node = NULL;
    char from[FROM_SIZE];
    int at = OWN;

    for (; at < LAYERS; at++) {
        node = stands(&layers->items[at], value);
        if (node != NULL && node->kind == JR_YAML_SCALAR && strcmp(node->text, text) == 0)
            break;
    }
    turn_to(layers, at < LAYERS ? at : DEFAULTS);
    tell_from(&layers->writer, node == NULL ? layers->roots[DEFAULTS] : node, from);
    snprintf(origin, 2 * ORIGIN_SIZE, "%s", from);
    if (own == NULL || at == OWN)
        return origin;
    turn_to(layers, OWN);
    snprintf(origin, 2 * ORIGIN_SIZE, "%s, the ceiling; %.40s in ", from, own->text);
    tell_from(&layers->writer, own, from);
    strncat(origin, from, 2 * ORIGIN_SIZE - strlen(origin) - 1);
    return origin;
}

static void write_one(struct layers *layers, const struct value *value)
{
    char number[JR_DIGITS_SIZE], origin[2 * ORIGIN_SIZE];
    const char *text = text_of(layers->part, value, number);

    if (text == NULL)
        return;
    tell_layer(layers, value, text, origin);
    if (layers->emit != NULL) {
        jr_emit_open(layers->emit, value->key);
        jr_emit_text(layers->emit, "value", text);
        jr_emit_text(layers->emit, "from", origin);
        jr_emit_close(layers->emit);
        return;
    }
    indent(&layers->writer, (value->section != NULL ? 1u : 0u) + (value->inner != NULL ? 1u : 0u));
    put(&layers->writer, "%s: %s", value->key, text);
    end_line(&layers->writer, origin);
}

static void open_map(struct layers *layers, const char *key, unsigned depth)
{
    if (layers->emit != NULL) {
        jr_emit_open(layers->emit, key);
    } else {
        indent(&layers->writer, depth);
        put(&layers->writer, "%s:\n", key);
        layers->writer.column = 0;
    }
}

static void close_map(const struct layers *layers)
{
    if (layers->emit != NULL)
        jr_emit_close(layers->emit);
}

/* Which layer has a key in a section; LAYERS: none has. */
static int layer_with(const struct layers *layers, const char *section, const char *key, int from)
{
    const struct value value = { .section = section, .key = key };

    while (from < LAYERS && stands(&layers->items[from], &value) == NULL)
        from++;
    return from;
}

/* A value that stands as it is in one layer, with all that is in it. */
static void write_whole(struct layers *layers, int at, const char *section, const char *key)
{
    const struct value value = { .section = section, .key = key };
    const struct jr_yaml *node, *map;

    if (at == LAYERS)
        return;
    map = get(layers->items[at].map, section);
    node = stands(&layers->items[at], &value);
    turn_to(layers, at);
    if (layers->emit != NULL) {
        emit_node(&layers->writer, layers->emit, key, node, NULL);
        return;
    }
    indent(&layers->writer, section != NULL);
    for (size_t i = 0; i + 1 < map->count; i += 2)
        if (map->items[i + 1] == node)
            write_entry(&layers->writer, map->items[i], node, NULL, section != NULL);
}

/* Of the values of one section; NULL: of none. */
static void write_section(struct layers *layers, const char *section)
{
    const char *inner = NULL;

    if (section != NULL)
        open_map(layers, section, 0);
    for (size_t i = 0; i < VALUES; i++) {
        const struct value *value = &values[i];

        if (section == NULL ? value->section != NULL
                            : value->section == NULL || strcmp(value->section, section) != 0)
            continue;
        if (value->inner != NULL && inner == NULL)
            open_map(layers, value->inner, 1);
        inner = value->inner;
        write_one(layers, value);
    }
    if (inner != NULL)
        close_map(layers);
    if (section != NULL && strcmp(section, "guards") == 0)
        write_whole(layers, layer_with(layers, section, "events", OWN), section, "events");
    if (section != NULL)
        close_map(layers);
}

/* The items of several lists as one. */
static void write_lists(struct layers *layers, const char *key)
{
    bool begun = false;

    for (int at = OWN; at < LAYERS; at++) {
        const struct jr_yaml *list = get(layers->items[at].map, key);

        if (list == NULL || list->kind != JR_YAML_LIST || list->count == 0)
            continue;
        turn_to(layers, at);
        if (!begun && layers->emit != NULL)
            jr_emit_open_array(layers->emit, key);
        else if (!begun)
            put(&layers->writer, "%s:\n", key);
        begun = true;
        layers->writer.column = 0;
        for (size_t i = 0; layers->emit != NULL && i < list->count; i++)
            emit_node(&layers->writer, layers->emit, NULL, list->items[i], NULL);
        if (layers->emit == NULL)
            write_list(&layers->writer, list, 1);
    }
    if (begun && layers->emit != NULL)
        jr_emit_close_array(layers->emit);
}

/* The centre's rules stay above those of the repository's own. */
static void tell_ceiling(struct layers *layers, int own)
{
    int at = own == OWN ? layer_with(layers, NULL, "rules", DEVIATION) : LAYERS;
    const struct jr_yaml *rules;
    char from[FROM_SIZE];

    if (at >= DEFAULTS)
        return;
    rules = get(layers->items[at].map, "rules");
    turn_to(layers, at);
    if (layers->emit != NULL) {
        emit_node(&layers->writer, layers->emit, "ceiling", rules, NULL);
        return;
    }
    for (size_t i = 0; i < rules->count; i++)
        put(&layers->writer, "# above these: what the rule of %s leaves is left; its attempts and "
            "only-if hold\n", tell_from(&layers->writer, rules->items[i], from));
    layers->writer.column = 0;
}

static void write_layers(struct layers *layers)
{
    int rules = layer_with(layers, NULL, "rules", OWN);

    write_whole(layers, layer_with(layers, NULL, "version", OWN), NULL, "version");
    write_section(layers, NULL);
    write_whole(layers, rules, NULL, "rules");
    tell_ceiling(layers, rules);
    write_lists(layers, "causes");
    write_section(layers, "guards");
    write_section(layers, "limits");
    write_whole(layers, layer_with(layers, NULL, "outage", DEVIATION), NULL, "outage");
}

static const struct jr_yaml *deviation_for(const struct jr_yaml *root, const char *repo)
{
    const struct jr_yaml *repos = jr_yaml_get(root, "repositories");

    for (size_t i = 0; repos != NULL && i + 1 < repos->count; i += 2)
        if (jr_text_match(repos->items[i]->text, repo))
            return repos->items[i + 1];
    return NULL;
}

static enum jr_err show_layers(const struct jr_policyshow_repo *show, struct layers *layers)
{
    struct jr_yaml *ignored = NULL;
    enum jr_err err = read_trees(show->centre, &layers->roots[BASE], &layers->roots[DEFAULTS]);

    layers->part = &show->force->part;
    if (err == JR_OK && show->own != NULL)
        err = read_trees(show->own, &layers->roots[OWN], &ignored);
    if (err == JR_OK) {
        layers->items[OWN] = (struct layer){ .show = show->own, .map = layers->roots[OWN] };
        layers->items[DEVIATION] = (struct layer){
            .show = show->centre, .map = deviation_for(layers->roots[BASE], show->repo),
            .in_repo = true,
        };
        layers->items[BASE] = (struct layer){ .show = show->centre, .map = layers->roots[BASE] };
        layers->items[DEFAULTS] = (struct layer){ .show = show->centre, .standard = true,
                                                  .map = layers->roots[DEFAULTS] };
        write_layers(layers);
        jr_yaml_free(layers->roots[OWN]);
        jr_yaml_free(ignored);
    }
    jr_yaml_free(layers->roots[BASE]);
    jr_yaml_free(layers->roots[DEFAULTS]);
    return err;
}

enum jr_err jr_policyshow_write_for(const struct jr_policyshow_repo *show, FILE *stream)
{
    struct layers layers = { .writer = { .stream = stream } };

    return show_layers(show, &layers);
}

enum jr_err jr_policyshow_emit_for(const struct jr_policyshow_repo *show, struct jr_emit *emit,
                                   const char *key)
{
    struct layers layers = { .emit = emit };
    enum jr_err err;

    jr_emit_open(emit, key);
    err = show_layers(show, &layers);
    jr_emit_close(emit);
    return err;
}
