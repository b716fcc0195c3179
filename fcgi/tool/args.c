/*
 * args -- the arguments of a command line, and what people write in them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/args.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may be written in short, where a command has it; and what excuses all else. */
static const struct {
    char letter;
    const char *name;
    bool excuses;
} letters[] = {
    { 'h', "help", true },
    { 'V', "version", true },
    { 'n', "dry-run", false },
    { 'o', "output", false },
};

#define LETTERS (sizeof letters / sizeof *letters)

/* The row of an option. */
static size_t find(const struct jr_option *options, const char *name)
{
    size_t row = 0;

    while (options[row].name != NULL && strcmp(options[row].name, name) != 0)
        row++;
    return row;
}

char jr_args_letter(const char *name)
{
    for (size_t i = 0; i < LETTERS; i++)
        if (strcmp(letters[i].name, name) == 0)
            return letters[i].letter;
    return '\0';
}

bool jr_args_name(const char *argument, char name[JR_ARGS_NAME_SIZE], const char **value)
{
    size_t length = strcspn(argument, "=");

    *value = NULL;
    if (strncmp(argument, "--", 2) == 0 && argument[2] != '\0') {
        snprintf(name, JR_ARGS_NAME_SIZE, "%.*s", (int)length - 2, argument + 2);
        *value = argument[length] == '=' ? argument + length + 1 : NULL;
        return true;
    }
    for (size_t i = 0; i < LETTERS && argument[0] == '-'; i++) {
        if (argument[1] != letters[i].letter)
            continue;
        snprintf(name, JR_ARGS_NAME_SIZE, "%s", letters[i].name);
        *value = argument[2] == '\0' ? NULL : argument + 2 + (argument[2] == '=');
        return true;
    }
    return false;
}

void jr_args_nearest(const char *word, const char *possible, const char **nearest)
{
    if (jr_text_is_near(word, possible)
        && (*nearest == NULL || jr_text_distance(word, possible) < jr_text_distance(word, *nearest)))
        *nearest = possible;
}

static enum jr_err refuse_option(const struct jr_option *options, const char *argument,
                                 const char *name, struct jr_error *error)
{
    const char *nearest = NULL;

    if (argument[1] != '-')
        return jr_error_set(error, JR_EINVAL, "there is no option '%.100s'", argument);
    for (; options->name != NULL; options++)
        jr_args_nearest(name, options->name, &nearest);
    return jr_error_set(error, JR_EINVAL, "there is no option '--%s'%s%s%s", name,
                        nearest == NULL ? "" : "; did you mean --", nearest == NULL ? "" : nearest,
                        nearest == NULL ? "" : "?");
}

static bool is_assignment(const struct jr_option *option)
{
    return option->value != NULL && strchr(option->value, '=') != NULL;
}

static enum jr_err take_assignment(const struct jr_option *option, const char *value,
                                   struct jr_args *args, struct jr_error *error)
{
    size_t name_length = strcspn(value, "=");

    if (name_length == 0 || value[name_length] == '\0')
        return jr_error_set(error, JR_EINVAL, "--%s: '%.60s' is not %s", option->name, value,
                            option->value);
    if (args->assignment_count == JR_ARGS_ASSIGNMENTS_MAX)
        return jr_error_set(error, JR_EINVAL, "--%s is given more than %d times", option->name,
                            JR_ARGS_ASSIGNMENTS_MAX);
    args->assignments[args->assignment_count++] = value;
    return JR_OK;
}

/*
 * The value of an option, which may be the argument after it.
 *   given  what stands behind a `=' in its argument; NULL: there is none
 * Returns NULL when one is missing.
 */
static const char *take_value(const struct jr_option *option, const char *given, char ***argv)
{
    const char *value = given;

    if (value == NULL && (option->value == NULL || option->may_be_bare))
        return "";
    if (value == NULL && **argv != NULL)
        value = *(*argv)++;
    return value != NULL && *value == '\0' && !option->may_be_bare ? NULL : value;
}

static enum jr_err take_option(const struct jr_option *options, char ***argv, struct jr_args *args,
                               struct jr_error *error)
{
    const char *argument = *(*argv)++, *given, *value;
    char name[JR_ARGS_NAME_SIZE];
    bool named = jr_args_name(argument, name, &given);
    size_t row = named ? find(options, name) : 0;
    const struct jr_option *option = &options[row];

    /* A letter of one that takes no value stands alone. */
    if (!named || option->name == NULL
        || (argument[1] != '-' && given != NULL && option->value == NULL))
        return refuse_option(options, argument, name, error);
    if (args->values[row] != NULL && !is_assignment(option))
        return jr_error_set(error, JR_EINVAL, "--%s is given twice", option->name);
    if (given != NULL && option->value == NULL)
        return jr_error_set(error, JR_EINVAL, "--%s takes no value", option->name);
    value = take_value(option, given, argv);
    if (value == NULL)
        return jr_error_set(error, JR_EINVAL, "--%s wants a value: --%s %s", option->name,
                            option->name, option->value);
    args->values[row] = value;
    return is_assignment(option) ? take_assignment(option, value, args, error) : JR_OK;
}

static enum jr_err take_word(const char *word, size_t most, struct jr_args *args,
                             struct jr_error *error)
{
    if (args->count == most && most == 0)
        return jr_error_set(error, JR_EINVAL, "takes no such argument: '%.100s'", word);
    if (args->count == most)
        return jr_error_set(error, JR_EINVAL, "one argument too many: '%.100s'", word);
    args->words[args->count++] = word;
    return JR_OK;
}

/* Is something given that excuses all else? */
static bool is_excused(const struct jr_option *options, const struct jr_args *args)
{
    for (size_t i = 0; i < LETTERS; i++) {
        size_t row = find(options, letters[i].name);

        if (letters[i].excuses && options[row].name != NULL && args->values[row] != NULL)
            return true;
    }
    return false;
}

enum jr_err jr_args_parse(const struct jr_option *options, size_t least, size_t most, char **argv,
                          struct jr_args *args, struct jr_error *error)
{
    bool only_words = false;
    enum jr_err err = JR_OK;

    memset(args, 0, sizeof *args);
    while (*argv != NULL && err == JR_OK) {
        if (only_words || (*argv)[0] != '-' || (*argv)[1] == '\0') {
            err = take_word(*argv++, most, args, error);
        } else if (strcmp(*argv, "--") == 0) {
            only_words = true;
            argv++;
        } else {
            err = take_option(options, &argv, args, error);
        }
        if (err == JR_OK && is_excused(options, args))
            return JR_OK;
    }
    if (err == JR_OK && args->count < least)
        err = jr_error_set(error, JR_EINVAL, "an argument is missing");
    return err;
}

const char *jr_args_value(const struct jr_option *options, const struct jr_args *args,
                          const char *name)
{
    size_t row = find(options, name);

    return options[row].name == NULL ? NULL : args->values[row];
}

bool jr_args_number(const char *text, int64_t min, int64_t max, int64_t *number)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return false;
    *number = strtoll(text, NULL, 10);
    return *number >= min && *number <= max;
}

bool jr_args_run(const char *text, uint64_t *run_id, char *repo, size_t size)
{
    static const char part[] = "/actions/runs/";
    const char *host = strstr(text, "://"), *path, *runs, *digits = text;
    int64_t number;
    char copy[32];

    repo[0] = '\0';
    if (host != NULL) {
        path = strchr(host + 3, '/');
        runs = path == NULL ? NULL : strstr(path, part);
        if (runs == NULL || (size_t)(runs - path) > size)
            return false;
        snprintf(repo, size, "%.*s", (int)(runs - path - 1), path + 1);
        if (!jr_text_is_full_name(repo))
            return false;
        digits = runs + strlen(part);
        if (digits[strspn(digits, "0123456789")] != '\0'
            && strchr("/?#", digits[strspn(digits, "0123456789")]) == NULL)
            return false;
    }
    snprintf(copy, sizeof copy, "%.*s", host == NULL ? 31 : (int)strspn(digits, "0123456789"),
             digits);
    if (!jr_args_number(copy, 1, INT64_MAX, &number))
        return false;
    *run_id = (uint64_t)number;
    return true;
}
