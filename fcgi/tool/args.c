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

/* The row of an option; its name ends at length. */
static size_t find(const struct jr_option *options, const char *name, size_t length)
{
    size_t row = 0;

    while (options[row].name != NULL
           && (strlen(options[row].name) != length
               || strncmp(options[row].name, name, length) != 0))
        row++;
    return row;
}

void jr_args_nearest(const char *word, const char *possible, const char **nearest)
{
    if (jr_text_is_near(word, possible)
        && (*nearest == NULL || jr_text_distance(word, possible) < jr_text_distance(word, *nearest)))
        *nearest = possible;
}

static enum jr_err refuse_option(const struct jr_option *options, const char *name, size_t length,
                                 struct jr_error *error)
{
    const char *nearest = NULL;
    char word[JR_TEXT_WORD_MAX + 2];

    snprintf(word, sizeof word, "%.*s", (int)length, name);
    for (; options->name != NULL; options++)
        jr_args_nearest(word, options->name, &nearest);
    return jr_error_set(error, JR_EINVAL, "there is no option '--%.*s'%s%s%s", (int)length, name,
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
    const char *name = **argv + 2, *equals = strchr(name, '='), *value;
    size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
    size_t row = find(options, name, length);
    const struct jr_option *option = &options[row];

    (*argv)++;
    if (option->name == NULL)
        return refuse_option(options, name, length, error);
    if (args->values[row] != NULL && !is_assignment(option))
        return jr_error_set(error, JR_EINVAL, "--%s is given twice", option->name);
    if (equals != NULL && option->value == NULL)
        return jr_error_set(error, JR_EINVAL, "--%s takes no value", option->name);
    value = take_value(option, equals == NULL ? NULL : equals + 1, argv);
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

/* What excuses all else, and how it may be written in short. */
static const struct {
    const char *letter, *name;
} excuses[] = { { "-h", "help" }, { "-V", "version" } };

/* Is it given? Also takes an argument that is its letter, unless NULL. */
static bool is_excused(const struct jr_option *options, const char *letter, struct jr_args *args)
{
    for (size_t i = 0; i < sizeof excuses / sizeof *excuses; i++) {
        size_t row = find(options, excuses[i].name, strlen(excuses[i].name));

        if (options[row].name == NULL)
            continue;
        if (letter != NULL && strcmp(letter, excuses[i].letter) == 0)
            args->values[row] = "";
        if (args->values[row] != NULL)
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
        } else if (is_excused(options, *argv, args)) {
            return JR_OK;
        } else if ((*argv)[1] != '-') {
            err = jr_error_set(error, JR_EINVAL, "there is no option '%.100s'", *argv);
        } else {
            err = take_option(options, &argv, args, error);
        }
        if (err == JR_OK && is_excused(options, NULL, args))
            return JR_OK;
    }
    if (err == JR_OK && args->count < least)
        err = jr_error_set(error, JR_EINVAL, "an argument is missing");
    return err;
}

const char *jr_args_value(const struct jr_option *options, const struct jr_args *args,
                          const char *name)
{
    size_t row = find(options, name, strlen(name));

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

bool jr_args_since(const char *text, int64_t now_ms, int64_t *since_ms)
{
    char whole[32];
    int64_t age_ms;

    if (jr_types_read_duration(text, &age_ms)) {
        *since_ms = age_ms < now_ms ? now_ms - age_ms : 0;
        return true;
    }
    *since_ms = jr_timestamp_parse(text);
    if (*since_ms == 0 && strlen(text) == 10) {
        snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
        *since_ms = jr_timestamp_parse(whole);
    }
    return *since_ms != 0;
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
