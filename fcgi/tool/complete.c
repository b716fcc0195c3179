/*
 * complete -- finds the words that the last word of a command line can become.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/complete.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/model/cause.h"
#include "lib/model/standing.h"
#include "lib/rules/policy.h"
#include "lib/store/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many runs are read in one transaction. */
#define BATCH 50

/* At most so many runs, or names of one kind, are offered. */
#define OFFERS_MAX 50

/* The word to complete, and the command line before it. */
struct asked {
    struct jr_command *command; /* its options and args as far as they are written */
    const struct jr_command_row *rows, *row; /* row: NULL: the command itself is asked for */
    size_t count;
    bool lost;          /* the word in the place of the command is none */
    const char *before; /* the part of the word that stays: "--repo=octo/app," */
    size_t before_length;
    const char *part;              /* the rest of the word, which is completed */
    char *seen[OFFERS_MAX];        /* names of the store that were offered; owned */
    size_t seen_count;
};

/* Offer a value, if it begins with what is written. */
static void offer(const struct asked *asked, const char *value, const char *meaning)
{
    char clean[256] = "";

    if (strncmp(value, asked->part, strlen(asked->part)) != 0 || !jr_show_is_fit(value))
        return;
    if (meaning != NULL)
        jr_show_clean(clean, sizeof clean, meaning);
    printf("%.*s%s\t%s\n", (int)asked->before_length, asked->before, value, clean);
}

/* Words with `|' between them. */
static void offer_words(const struct asked *asked, const char *words)
{
    char word[64];

    for (size_t length; *words != '\0'; words += length + (words[length] == '|')) {
        length = strcspn(words, "|");
        snprintf(word, sizeof word, "%.*s", (int)length, words);
        offer(asked, word, NULL);
    }
}

static void offer_commands(struct asked *asked)
{
    for (size_t i = 0; i < asked->count; i++)
        offer(asked, asked->rows[i].name, asked->rows[i].meaning);
}

static void offer_files(struct asked *asked)
{
    (void)asked;
    puts(":files");
}

static void offer_folders(struct asked *asked)
{
    (void)asked;
    puts(":folders");
}

static void offer_policies(struct asked *asked)
{
    offer_words(asked, "everything|careful|infrastructure");
    offer_files(asked);
}

/* Offer names of files; `policy show' takes the name of a preset, too. */
static void offer_policy_files(struct asked *asked)
{
    const struct jr_args *args = &asked->command->args;

    if (args->count > 0 && strcmp(args->words[0], "show") == 0)
        offer_policies(asked);
    else
        offer_files(asked);
}

static void offer_states(struct asked *asked)
{
    for (int i = JR_PHASE_OPEN; i <= JR_PHASE_CLOSED; i++)
        offer(asked, jr_phase_name((enum jr_phase)i), NULL);
}

static void offer_reasons(struct asked *asked)
{
    for (int i = JR_REASON_NONE; i < JR_REASONS; i++)
        if (i == JR_REASON_NONE
            || strcmp(jr_reason_token((enum jr_reason)i), jr_reason_token(JR_REASON_NONE)) != 0)
            offer(asked, jr_reason_token((enum jr_reason)i), jr_reason_words((enum jr_reason)i));
}

static void offer_conclusions(struct asked *asked)
{
    for (int i = 0; i < JR_CONCLUSIONS; i++)
        if (i == 0
            || strcmp(jr_conclusion_name((enum jr_conclusion)i), jr_conclusion_name(0)) != 0)
            offer(asked, jr_conclusion_name((enum jr_conclusion)i), NULL);
}

static void offer_causes(struct asked *asked)
{
    for (int i = 0; i < JR_CAUSES; i++)
        if (jr_cause_is_infrastructural((enum jr_cause)i))
            offer(asked, jr_cause_name((enum jr_cause)i), NULL);
}

/* Offer the settings that `replay' takes; the user writes the value. */
static void offer_settings(struct asked *asked)
{
    const char *name;
    char assignment[64];

    for (size_t i = 0; (name = jr_command_settable(i)) != NULL; i++) {
        snprintf(assignment, sizeof assignment, "%s=", name);
        offer(asked, assignment, jr_settings_meaning(jr_settings_find(name)));
    }
}

/* Open the store, without a message if that fails. */
static bool open_store(struct jr_command *command)
{
    if (command->store == NULL
        && (jr_command_load(command, false) != JR_EXIT_OK
            || jr_command_open(command) != JR_EXIT_OK))
        return false;
    return command->store != NULL;
}

/* Call visit for the newest runs, one after the other, until it returns false. */
static void walk_runs(struct asked *asked, bool (*visit)(struct asked *, const struct jr_run *))
{
    const struct jr_listing_filter filter = {
        .phase = JR_LISTING_ANY_PHASE, .most_looks = JR_COMPLETE_LOOKS,
    };
    static struct jr_listing listing;
    static struct jr_run runs[BATCH];
    struct jr_error error;
    size_t count, looks = 0;
    bool goes_on = open_store(asked->command);

    memset(&listing, 0, sizeof listing);
    for (; goes_on && !listing.ended && looks < JR_COMPLETE_LOOKS; looks += count) {
        if (jr_listing_runs(asked->command->store, &filter, &listing, runs, BATCH, &count, &error)
            != JR_OK)
            return;
        for (size_t i = 0; i < count && goes_on; i++)
            goes_on = visit(asked, &runs[i]);
    }
}

static bool offer_run(struct asked *asked, const struct jr_run *run)
{
    struct jr_standing standing;
    char number[32], meaning[512];

    /* A run that succeeded has nothing to rerun. */
    if (strcmp(asked->row->name, "rerun") == 0 && jr_run_conclusion(run) == JR_CONCLUSION_SUCCESS)
        return true;
    jr_standing_of(run, &standing);
    snprintf(number, sizeof number, "%llu", (unsigned long long)run->run_id);
    snprintf(meaning, sizeof meaning, "%.100s %.100s: %s", run->repo, jr_run_workflow(run),
             standing.word);
    if (strncmp(number, asked->part, strlen(asked->part)) != 0)
        return true;
    offer(asked, number, meaning);
    return ++asked->seen_count < OFFERS_MAX;
}

static void offer_runs(struct asked *asked)
{
    walk_runs(asked, offer_run);
    asked->seen_count = 0;
}

/* Offer a name once. Returns whether there may be more. */
static bool offer_name(struct asked *asked, const char *name)
{
    /* To an option these characters mean a list or a pattern: such a name is not offered. */
    if (*name == '\0' || strpbrk(name, ",*?") != NULL)
        return true;
    for (size_t i = 0; i < asked->seen_count; i++)
        if (strcmp(asked->seen[i], name) == 0)
            return true;
    offer(asked, name, NULL);
    asked->seen[asked->seen_count] = strdup(name);
    return asked->seen[asked->seen_count] != NULL && ++asked->seen_count < OFFERS_MAX;
}

static bool offer_repo(struct asked *asked, const struct jr_run *run)
{
    return offer_name(asked, run->repo);
}

static bool offer_branch(struct asked *asked, const struct jr_run *run)
{
    return offer_name(asked, run->branch);
}

static bool offer_workflow(struct asked *asked, const struct jr_run *run)
{
    return offer_name(asked, jr_run_workflow(run));
}

/* Offer the repositories that have runs; for `resume', the patterns of the pauses in force. */
static void offer_repos(struct asked *asked)
{
    const struct jr_pauses *pauses = &asked->command->pauses;

    if (strcmp(asked->row->name, "resume") != 0) {
        walk_runs(asked, offer_repo);
        return;
    }
    for (size_t i = 0; open_store(asked->command) && i < pauses->count; i++)
        if (*pauses->items[i].pattern != '\0')
            offer(asked, pauses->items[i].pattern, pauses->items[i].why);
}

static void offer_branches(struct asked *asked)
{
    walk_runs(asked, offer_branch);
}

static void offer_workflows(struct asked *asked)
{
    walk_runs(asked, offer_workflow);
}

/* What is offered for a word or for the value of an option: a row for each name in the usage. */
static const struct kind {
    const char *name;
    const char *option; /* NULL: of any, and as a word */
    bool list;          /* commas part several */
    void (*offer)(struct asked *asked);
    const char *words; /* when there is no function */
} kinds[] = {
    { "RUN", NULL, false, offer_runs, NULL },
    { "COMMAND", NULL, false, offer_commands, NULL },
    { "DIR", NULL, false, offer_folders, NULL },
    { "FILE", NULL, false, offer_policy_files, NULL },
    { "POLICY", NULL, false, offer_policies, NULL },
    { "OWNER/NAME", NULL, false, offer_repos, NULL },
    { "PATTERN", "repo", true, offer_repos, NULL },
    { "PATTERN", "branch", true, offer_branches, NULL },
    { "PATTERN", "workflow", true, offer_workflows, NULL },
    { "REASON", NULL, true, offer_reasons, NULL },
    { "WORD", "conclusion", true, offer_conclusions, NULL },
    { "STATE", NULL, false, offer_states, NULL },
    { "CAUSE", NULL, false, offer_causes, NULL },
    { "NAME=VALUE", "set", false, offer_settings, NULL },
    { "FORMAT", NULL, false, NULL, "text|wide|json|csv" },
    { "WHAT", "by", false, NULL, "cause|repository" },
    { "WHEN", "color", false, NULL, "auto|always|never" },
    { "WHEN", "since", false, NULL, "1h|24h|7d|30d" },
    { "TIME", "for", false, NULL, "30m|2h|1d" },
    { "TIME", "wait", false, NULL, "2m|10m" },
};

static void offer_kind(struct asked *asked, const char *name, const char *option)
{
    const char *comma = strrchr(asked->part, ',');

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *kind = &kinds[i];

        if (strcmp(kind->name, name) != 0
            || (kind->option != NULL && (option == NULL || strcmp(kind->option, option) != 0)))
            continue;
        if (kind->list && comma != NULL) {
            asked->part = comma + 1;
            asked->before_length = (size_t)(asked->part - asked->before);
        }
        if (kind->offer != NULL)
            kind->offer(asked);
        else
            offer_words(asked, kind->words);
        return;
    }
}

/* Offer the command's next word, by its usage: "show|check|test [FILE...]". */
static void offer_word(struct asked *asked)
{
    const char *words = asked->row->words;
    char word[64];
    size_t length;

    for (size_t left = asked->command->args.count; left > 0; left--) {
        const char *next = words + strcspn(words, " ");

        next += strspn(next, " ");
        if (*next == '\0' && strstr(words, "...") != NULL)
            break;
        words = next;
    }
    words += *words == '[';
    length = strcspn(words, " ].");
    snprintf(word, sizeof word, "%.*s", (int)length, words);
    if (strchr(word, '|') != NULL)
        offer_words(asked, word);
    else
        offer_kind(asked, word, NULL);
}

static const struct jr_option *find_option(const struct asked *asked, const char *name)
{
    for (size_t i = 0; i < asked->count; i++) {
        if (asked->row != NULL && asked->row != &asked->rows[i])
            continue;
        for (const struct jr_option *o = asked->rows[i].options; o != NULL && o->name != NULL; o++)
            if (strcmp(o->name, name) == 0)
                return o;
    }
    return NULL;
}

/*
 * Offer values of an option. While no command is written, the first command that has the option
 * is taken.
 */
static void offer_value(struct asked *asked, const struct jr_option *option)
{
    for (size_t i = 0; asked->row == NULL && i < asked->count; i++)
        for (const struct jr_option *o = asked->rows[i].options; o != NULL && o->name != NULL; o++)
            if (o == option)
                asked->row = &asked->rows[i];
    if (asked->row == NULL)
        return;
    asked->command->options = asked->row->options;
    offer_kind(asked, option->value, option->name);
}

/* Offer the options that can still be given; before a command, those that all commands take. */
static void offer_options(const struct asked *asked)
{
    const struct jr_command_row *row = asked->row == NULL ? &asked->rows[asked->count - 1]
                                                          : asked->row;
    char text[80];

    for (size_t i = 0; row->options[i].name != NULL; i++) {
        const struct jr_option *option = &row->options[i];
        bool wants = option->value != NULL && !option->may_be_bare;

        if (asked->row != NULL && asked->command->args.values[i] != NULL
            && strchr(option->value == NULL ? "" : option->value, '=') == NULL)
            continue;
        snprintf(text, sizeof text, "--%s%s", option->name, wants ? "=" : "");
        offer(asked, text, option->meaning);
    }
}

/*
 * Take note of an option that is written, and of its value, as jr_args_parse() would.
 * Returns the option if its value is the word to complete; else NULL.
 */
static const struct jr_option *take_option(struct asked *asked, char ***words)
{
    const char *value, *word = *(*words)++;
    char name[JR_ARGS_NAME_SIZE];
    const struct jr_option *option = NULL;

    if (jr_args_name(word, name, &value))
        option = find_option(asked, name);
    if (option == NULL)
        return NULL;
    if (value == NULL && option->value != NULL && !option->may_be_bare) {
        if ((*words)[1] == NULL)
            return option;
        value = *(*words)++;
    }
    if (asked->row != NULL)
        asked->command->args.values[option - asked->row->options] = value == NULL ? "" : value;
    return NULL;
}

static void take_word(struct asked *asked, const char *word)
{
    struct jr_args *args = &asked->command->args;

    if (asked->row != NULL) {
        if (args->count < JR_ARGS_WORDS_MAX)
            args->words[args->count++] = word;
        return;
    }
    for (size_t i = 0; i < asked->count; i++)
        if (strcmp(asked->rows[i].name, word) == 0)
            asked->row = &asked->rows[i];
    if (asked->row != NULL)
        asked->command->options = asked->row->options;
    asked->lost = asked->row == NULL;
}

/* The last word begins with a dash: an option, or the value of one. */
static void complete_option(struct asked *asked)
{
    const char *equals = strchr(asked->part, '=');
    const struct jr_option *option;
    char name[JR_ARGS_NAME_SIZE];
    const char *value;

    if (equals == NULL) {
        offer_options(asked);
        return;
    }
    if (!jr_args_name(asked->part, name, &value) || (option = find_option(asked, name)) == NULL
        || option->value == NULL)
        return;
    asked->part = equals + 1;
    asked->before_length = (size_t)(asked->part - asked->before);
    offer_value(asked, option);
}

static void complete(struct asked *asked, char **words)
{
    const struct jr_option *option = NULL;
    bool only_words = false;

    while (words[1] != NULL && option == NULL && !asked->lost) {
        if (only_words || words[0][0] != '-')
            take_word(asked, *words++);
        else if (strcmp(words[0], "--") == 0)
            only_words = *words++ != NULL;
        else
            option = take_option(asked, &words);
    }
    asked->before = asked->part = words[0];
    if (asked->lost)
        return;
    if (option != NULL)
        offer_value(asked, option);
    else if (!only_words && words[0][0] == '-')
        complete_option(asked);
    else if (asked->row == NULL)
        offer_commands(asked);
    else if (asked->command->args.count < asked->row->most)
        offer_word(asked);
}

void jr_complete(struct jr_command *command, const struct jr_command_row *rows, size_t count,
                 char **words)
{
    struct asked asked = { .command = command, .rows = rows, .count = count };

    if (words[0] == NULL || freopen("/dev/null", "w", stderr) == NULL)
        return;
    (void)alarm(JR_COMPLETE_MOST_S);
    complete(&asked, words);
    for (size_t i = 0; i < asked.seen_count; i++)
        free(asked.seen[i]);
}
