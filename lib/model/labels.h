/*
 * labels -- what a job asks of a runner, as one text.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_LABELS_H
#define JR_LABELS_H

#include <json-c/json.h>

#define JR_LABELS_SIZE 256

/*
 * The array of labels of a job, sorted, "a,b", so that it is the same for every order. What
 * does not fit is left out; empty when none are told, also when it is no array.
 */
void jr_labels_read(json_object *array, char labels[JR_LABELS_SIZE]);

#endif
