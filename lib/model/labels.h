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

/* What a runner's minutes are counted by. The numbers are stored. */
enum jr_system { JR_SYSTEM_LINUX, JR_SYSTEM_WINDOWS, JR_SYSTEM_MACOS, JR_SYSTEM_SELF_HOSTED };

#define JR_SYSTEMS (JR_SYSTEM_SELF_HOSTED + 1)

/*
 * The system that a job's labels ask for: self-hosted if one of them is that, else by the one
 * that is "windows" or "macos", or begins with that and a dash, in any case. All others, and none,
 * count as Linux, also those that somebody made up: a larger runner, or a scale set that is
 * not called self-hosted. https://docs.github.com/en/actions/reference/runners
 *   labels  as jr_labels_read() has made them
 */
enum jr_system jr_labels_system(const char *labels);

#endif
