/*
 * tint -- colours of words on a terminal, by the kind of news that they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/tint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0';
}

bool jr_tint_choose(const char *choice, bool terminal, bool *color)
{
    if (choice == NULL || strcmp(choice, "auto") == 0)
        *color = terminal && !is_set("NO_COLOR") && is_set("TERM")
                 && strcmp(getenv("TERM"), "dumb") != 0;
    else if (*choice == '\0' || strcmp(choice, "always") == 0)
        *color = true;
    else if (strcmp(choice, "never") == 0)
        *color = false;
    else
        return false;
    return true;
}

const char *jr_tint_begin(bool color, enum jr_mood mood)
{
    static const char *const sequences[] = {
        [JR_MOOD_CALM] = "",          [JR_MOOD_GOOD] = "\x1b[32m", [JR_MOOD_BAD] = "\x1b[31m",
        [JR_MOOD_WAIT] = "\x1b[33m", [JR_MOOD_INFO] = "\x1b[36m",
    };

    return color ? sequences[mood] : "";
}

const char *jr_tint_end(bool color, enum jr_mood mood)
{
    return *jr_tint_begin(color, mood) == '\0' ? "" : "\x1b[0m";
}

void jr_tint_print(bool color, enum jr_mood mood, const char *text)
{
    printf("%s%s%s", jr_tint_begin(color, mood), text, jr_tint_end(color, mood));
}

enum jr_mood jr_tint_conclusion(enum jr_conclusion conclusion)
{
    if (conclusion == JR_CONCLUSION_SUCCESS)
        return JR_MOOD_GOOD;
    return conclusion != JR_CONCLUSION_NONE && jr_conclusion_is_bad(conclusion) ? JR_MOOD_BAD
                                                                                : JR_MOOD_CALM;
}
