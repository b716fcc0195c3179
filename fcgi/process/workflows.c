/*
 * workflows -- what workflows are called, as GitHub has told lately.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/workflows.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"

/* A name that was changed is asked for again after this. */
#define LIFE_MS (10 * JR_MINUTE_MS)

const char *jr_workflows_find(const struct jr_workflows *workflows, uint64_t id, int64_t now_ms)
{
    for (size_t i = 0; i < JR_WORKFLOWS_MAX; i++)
        if (workflows->items[i].id == id && now_ms - workflows->items[i].told_ms < LIFE_MS)
            return workflows->items[i].name;
    return NULL;
}

void jr_workflows_put(struct jr_workflows *workflows, uint64_t id, const char *name,
                      int64_t now_ms)
{
    size_t place = workflows->next;

    workflows->items[place].id = id;
    workflows->items[place].told_ms = now_ms;
    jr_text_copy(workflows->items[place].name, JR_NAME_SIZE, name);
    workflows->next = (place + 1) % JR_WORKFLOWS_MAX;
}
