/*
 * labels -- what a job asks of a runner, as one text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/labels.h"
#include "lib/format/json.h"

#include <string.h>

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
