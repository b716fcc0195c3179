/*
 * sources -- where settings come from: names with their values.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/sources.h"
#include "lib/crypto/signature.h"

#include <stdlib.h>
#include <string.h>

static struct jr_variable *find(const struct jr_source *source, const char *name)
{
    for (size_t i = 0; i < source->count; i++)
        if (strcmp(source->variables[i].name, name) == 0)
            return &source->variables[i];
    return NULL;
}

static void release(struct jr_variable *variable)
{
    if (variable->value != NULL)
        jr_wipe(variable->value, strlen(variable->value));
    free(variable->value);
    free(variable->name);
    *variable = (struct jr_variable){ NULL, NULL };
}

/* A place for one more at the end; NULL: no memory. */
static struct jr_variable *add(struct jr_source *source)
{
    struct jr_variable *larger = realloc(source->variables,
                                         (source->count + 1) * sizeof *source->variables);

    if (larger == NULL)
        return NULL;
    source->variables = larger;
    return &larger[source->count];
}

enum jr_err jr_source_set(struct jr_source *source, const char *name, const char *value)
{
    struct jr_variable fresh = { strdup(name), strdup(value) }, *place = find(source, name);
    bool is_new = place == NULL;

    if (is_new)
        place = add(source);
    if (fresh.name == NULL || fresh.value == NULL || place == NULL) {
        release(&fresh);
        return JR_ENOMEM;
    }
    if (is_new)
        source->count++;
    else
        release(place);
    *place = fresh;
    return JR_OK;
}

void jr_source_unset(struct jr_source *source, const char *name)
{
    struct jr_variable *variable = find(source, name);

    if (variable == NULL)
        return;
    release(variable);
    *variable = source->variables[--source->count];
}

const char *jr_source_find(const struct jr_source *source, const char *name)
{
    const struct jr_variable *variable = find(source, name);

    if (variable != NULL)
        return variable->value;
    return source->environment ? getenv(name) : NULL;
}

const char *jr_source_get(const struct jr_source *source, const char *name)
{
    const char *value = jr_source_find(source, name);

    return value != NULL && *value != '\0' ? value : NULL;
}

void jr_source_release(struct jr_source *source)
{
    for (size_t i = 0; i < source->count; i++)
        release(&source->variables[i]);
    free(source->variables);
    *source = (struct jr_source){ .environment = false };
}
