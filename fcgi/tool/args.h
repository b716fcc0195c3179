/*
 * args -- the arguments of a command line, and what people write in them.
 *
 * Options are --name, --name=VALUE or --name VALUE, before or after other words;
 * after -- everything is a word. Some have a letter: -h is --help, -V --version, -n --dry-run,
 * -o VALUE or -oVALUE --output.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ARGS_H
#define JR_ARGS_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_ARGS_OPTIONS_MAX 24
/* Names of files, mostly: what a shell makes of a pattern. */
#define JR_ARGS_WORDS_MAX 256
#define JR_ARGS_ASSIGNMENTS_MAX 32

/* Of a name of an option with its NUL; a longer one is none. */
#define JR_ARGS_NAME_SIZE 80

/* A list of them ends with one without a name. */
struct jr_option {
    const char *name;    /* without the dashes */
    const char *value;   /* what its value is called; NULL: it takes none. One that is called
                            NAME=VALUE may be given again: the values are in assignments[] */
    bool may_be_bare;    /* the value may be left out; then it is --name=VALUE or --name */
    const char *meaning;
};

struct jr_args {
    const char *values[JR_ARGS_OPTIONS_MAX]; /* as the options stand; NULL: not given; "": bare */
    const char *words[JR_ARGS_WORDS_MAX];
    size_t count; /* of the words */
    const char *assignments[JR_ARGS_ASSIGNMENTS_MAX]; /* each with a `=' behind a name */
    size_t assignment_count;
};

/*
 * Read arguments.
 *   argv  what stands after the name of the command, ending with NULL; the
 *         strings are borrowed
 *   least, most  how many words there have to be, `most` up to JR_ARGS_WORDS_MAX
 * Returns JR_OK, or JR_EINVAL and what is wrong with them, with the name that was likely
 * meant. When an option named `help` or `version` is given, nothing else is checked any more.
 */
enum jr_err jr_args_parse(const struct jr_option *options, size_t least, size_t most, char **argv,
                          struct jr_args *args, struct jr_error *error) JR_CHECKED;

/*
 * The option that an argument names, by its name or its letter.
 *   name   out: as it is written, cut when it is longer; untouched if there is none
 *   value  out: what stands behind it in the argument; NULL: nothing
 * Returns false when it names none: a word, a dash, a letter that no option has.
 */
bool jr_args_name(const char *argument, char name[JR_ARGS_NAME_SIZE], const char **value);

/* The letter that an option may be written with, '\0' if there is none. */
char jr_args_letter(const char *name);

/* The value of an option by its name, as in values[]. */
const char *jr_args_value(const struct jr_option *options, const struct jr_args *args,
                          const char *name);

/*
 * Of words that were possible, which one was likely meant (jr_text_is_near)? Called with
 * each of them; keeps the nearest in `nearest`, which is NULL at first.
 */
void jr_args_nearest(const char *word, const char *possible, const char **nearest);

/* A whole number from min to max in decimal digits. */
bool jr_args_number(const char *text, int64_t min, int64_t max, int64_t *number);

/*
 * A run: its number, or the address of its page on GitHub, also of one of its
 * attempts or jobs (https://HOST/OWNER/NAME/actions/runs/NUMBER...).
 *   repo  out: "owner/name", or empty when text is a number; JR_REPO_SIZE bytes
 */
bool jr_args_run(const char *text, uint64_t *run_id, char *repo, size_t size);

#endif
