/*
 * sources -- where settings come from: names with their values.
 *
 * A source has variables of its own, such as those of a file, and may have those of the
 * environment behind them. Whoever loads settings is handed one, and looks nowhere else.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SOURCES_H
#define JR_SOURCES_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct jr_variable {
    char *name, *value; /* owned */
};

/* All zero bytes is the empty source. */
struct jr_source {
    bool environment; /* what is not among the variables is looked for there */
    struct jr_variable *variables; /* owned */
    size_t count;
};

/* Set a variable, in the place of one of that name. JR_OK, or JR_ENOMEM, which changes nothing. */
enum jr_err jr_source_set(struct jr_source *source, const char *name,
                          const char *value) JR_CHECKED;

/* Take a variable away, if it is there. The environment stays as it is. */
void jr_source_unset(struct jr_source *source, const char *name);

/* The value of a variable, which may be empty; NULL: it is not set. It stays the source's. */
const char *jr_source_find(const struct jr_source *source, const char *name);

/* The same, where an empty variable is as good as none. */
const char *jr_source_get(const struct jr_source *source, const char *name);

/* Free what the source has, and wipe the values: there may be secrets among them. */
void jr_source_release(struct jr_source *source);

#endif
