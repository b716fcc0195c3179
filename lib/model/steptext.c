/*
 * steptext -- what an event tells of a failed job's steps, as one text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/steptext.h"
#include "lib/base/text.h"
#include "lib/format/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A job has some 20; evidence.h has no room for more than this either. */
#define STEPS_MAX 200

/* Did it go well, or was it left out? */
static bool is_fine(const char *outcome)
{
    return strcmp(outcome, "success") == 0 || strcmp(outcome, "skipped") == 0;
}

/* A word of GitHub's: no blank in it, which would be read as the end of it. */
static void read_outcome(json_object *step, char outcome[24])
{
    char word[64];

    jr_json_get_text(step, "conclusion", word, sizeof word);
    if (*word == '\0')
        jr_json_get_text(step, "status", word, sizeof word);
    if (!jr_text_copy(outcome, 24, word) || *outcome == '\0' || strpbrk(outcome, " \n") != NULL)
        (void)jr_text_copy(outcome, 24, "unknown");
}

/* Add a step. Returns false when there is no room. */
static bool add_step(json_object *step, char text[JR_STEPTEXT_SIZE])
{
    size_t length = strlen(text);
    char outcome[24], name[JR_STEPTEXT_NAME_SIZE];
    uint64_t number = 0;
    int added;

    read_outcome(step, outcome);
    if (is_fine(outcome))
        return true;
    jr_json_get_id(step, "number", &number);
    jr_json_get_text(step, "name", name, sizeof name);
    for (char *c = name; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    added = snprintf(text + length, JR_STEPTEXT_SIZE - length, "\n%u %s %s",
                     number <= UINT32_MAX ? (unsigned)number : 0, outcome, name);
    return added >= 0 && (size_t)added < JR_STEPTEXT_SIZE - length;
}

void jr_steptext_make(json_object *steps, json_object *runner_id, char text[JR_STEPTEXT_SIZE])
{
    size_t count, told = 0, length;

    text[0] = '\0';
    if (!json_object_is_type(steps, json_type_array))
        return;
    count = json_object_array_length(steps);
    if (count > STEPS_MAX)
        return;
    for (size_t i = 0; i < count; i++)
        if (json_object_is_type(json_object_array_get_idx(steps, i), json_type_object))
            told++;
    length = (size_t)snprintf(text, JR_STEPTEXT_SIZE, "%zu", told);
    if (json_object_is_type(runner_id, json_type_int) && json_object_get_int64(runner_id) >= 0)
        snprintf(text + length, JR_STEPTEXT_SIZE - length, " r%lld",
                 (long long)json_object_get_int64(runner_id));
    for (size_t i = 0; i < count; i++) {
        json_object *step = json_object_array_get_idx(steps, i);

        if (json_object_is_type(step, json_type_object) && !add_step(step, text)) {
            text[0] = '\0';
            return;
        }
    }
}

bool jr_steptext_head(const char *text, uint32_t *count, bool *runner_told, uint64_t *runner_id,
                      const char **rest)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    *runner_told = false;
    *runner_id = 0;
    if (end == text || *text < '0' || *text > '9' || number > STEPS_MAX)
        return false;
    *count = (uint32_t)number;
    if (strncmp(end, " r", 2) == 0 && end[2] >= '0' && end[2] <= '9') {
        *runner_told = true;
        *runner_id = strtoull(end + 2, &end, 10);
    }
    *rest = end;
    return *end == '\0' || *end == '\n';
}

bool jr_steptext_next(const char **rest, struct jr_steptext_step *step)
{
    const char *line = *rest;
    size_t length, word;
    char *end;

    if (*line != '\n')
        return false;
    line++;
    length = strcspn(line, "\n");
    *rest = line + length;
    memset(step, 0, sizeof *step);
    step->number = (uint32_t)strtoul(line, &end, 10);
    if (end == line || *end != ' ')
        return false;
    end++;
    word = strcspn(end, " \n");
    if (word >= sizeof step->outcome || end[word] != ' ')
        return false;
    memcpy(step->outcome, end, word);
    end += word + 1;
    length = (size_t)(*rest - end);
    if (length >= sizeof step->name)
        return false;
    memcpy(step->name, end, length);
    return true;
}
