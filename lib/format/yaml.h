/*
 * yaml -- a small YAML file as a tree of nodes, over libyaml's events.
 *
 * What makes YAML surprising is refused: anchors, aliases, tags, merge keys, a second
 * document, a key that stands twice. A scalar is text, whatever it looks like; what reads the
 * tree decides what it may be. Every problem is noted with its line and column, so that whoever
 * wrote the file sees all of them at once.
 * Source: https://yaml.org/spec/1.1/ , which libyaml implements.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_YAML_H
#define JR_YAML_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* How deep lists and maps may be nested. */
#define JR_YAML_DEPTH_MAX 8

/* How many keys a map may have: each is compared with all before it. */
#define JR_YAML_KEYS_MAX 1000

/* So many problems are kept; `more` tells that there were others. */
#define JR_PROBLEMS_MAX 50

/* What is wrong with a file, in the order in which it was noticed. All zero: nothing. */
struct jr_problems {
    size_t count;
    bool more;
    struct jr_problem {
        unsigned line, column; /* from 1 */
        char text[240];        /* one line; `?' stands for each control character of the file's */
    } items[JR_PROBLEMS_MAX];
};

void jr_problem_add(struct jr_problems *problems, unsigned line, unsigned column,
                    const char *format, ...) JR_PRINTF(4, 5);

/* Bring them into the order of the file. */
void jr_problems_sort(struct jr_problems *problems);

enum jr_yaml_kind { JR_YAML_SCALAR, JR_YAML_LIST, JR_YAML_MAP };

struct jr_yaml {
    enum jr_yaml_kind kind;
    unsigned line, column; /* where it begins, from 1 */
    char *text;            /* of a scalar: without NUL in it; may be empty. Owned */
    bool plain;            /* the scalar stands without quotes */
    struct jr_yaml **items; /* of a list; of a map key, value, key, value ...; owned */
    size_t count;           /* of items: twice the entries of a map */
};

/*
 * Read a file.
 *   bytes     of `length`; UTF-8
 *   most      bytes that there may be
 *   root      out: the tree, released with jr_yaml_free(); NULL when there is none: the file is
 *             empty, out of its bounds, or no YAML
 *   problems  what is wrong is added; the tree may be there all the same, without what could
 *             not be taken
 * Returns JR_OK, also with problems, or JR_ENOMEM.
 */
enum jr_err jr_yaml_parse(const char *bytes, size_t length, size_t most, struct jr_yaml **root,
                          struct jr_problems *problems) JR_CHECKED;

void jr_yaml_free(struct jr_yaml *node);

/* The value of a key in a map; NULL: it has none, or the node is no map. */
const struct jr_yaml *jr_yaml_get(const struct jr_yaml *map, const char *key);

#endif
