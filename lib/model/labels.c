/*
 * labels -- what a job asks of a runner, as one text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/labels.h"
#include "lib/format/json.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Labels of a job that are looked at, and how much of each. */
#define LABELS_MAX 32
#define LABEL_SIZE 128

void jr_labels_read(json_object *array, char labels[JR_LABELS_SIZE])
{
    char sorted[LABELS_MAX][LABEL_SIZE], label[LABEL_SIZE];
    enum jr_json found;
    size_t count = 0, length = 0;

    for (size_t i = 0; count < LABELS_MAX
                       && (found = jr_json_get_item_text(array, i, label, sizeof label))
                              != JR_JSON_ABSENT;
         i++) {
        size_t place = count;

        if (found != JR_JSON_OK || *label == '\0')
            continue;
        for (; place > 0 && strcmp(label, sorted[place - 1]) < 0; place--)
            memcpy(sorted[place], sorted[place - 1], LABEL_SIZE);
        memcpy(sorted[place], label, LABEL_SIZE);
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(sorted[i]);

        if (length + size + 2 > JR_LABELS_SIZE)
            break;
        if (length > 0)
            labels[length++] = ',';
        memcpy(labels + length, sorted[i], size);
        length += size;
    }
    labels[length] = '\0';
}

static bool begins_with(const char *label, size_t length, const char *name)
{
    size_t size = strlen(name);

    return length >= size && strncasecmp(label, name, size) == 0
           && (length == size || label[size] == '-');
}

enum jr_system jr_labels_system(const char *labels)
{
    enum jr_system system = JR_SYSTEM_LINUX;

    for (const char *label = labels; *label != '\0';) {
        size_t length = strcspn(label, ",");

        if (length == 11 && strncasecmp(label, "self-hosted", length) == 0)
            return JR_SYSTEM_SELF_HOSTED;
        if (begins_with(label, length, "windows"))
            system = JR_SYSTEM_WINDOWS;
        else if (begins_with(label, length, "macos"))
            system = JR_SYSTEM_MACOS;
        label += length + (label[length] == ',');
    }
    return system;
}
