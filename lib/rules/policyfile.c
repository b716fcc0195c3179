/*
 * policyfile -- a policy out of its YAML.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/rules/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bounds of numbers. */
#define ATTEMPTS_MOST 51
#define COUNT_MOST 1000000

struct reader {
    struct jr_problems *problems;
    bool no_memory;
};

/* One key of a map: who reads its value, into what. */
struct key {
    const char *name;
    void (*read)(struct reader *reader, const struct jr_yaml *node, void *target);
    size_t offset; /* of the target in the struct */
    unsigned has;  /* the bit of jr_policy_part.has; 0: none */
};

static void wrong(struct reader *reader, const struct jr_yaml *node, const char *what)
{
    jr_problem_add(reader->problems, node->line, node->column, "%s", what);
}

static void list_keys(const struct key *keys, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (; keys->name != NULL && length < size; keys++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", length == 0 ? "" : ", ",
                                   keys->name);
}

static bool is_map(struct reader *reader, const struct jr_yaml *node, const struct key *keys)
{
    char names[200];

    if (node->kind == JR_YAML_MAP)
        return true;
    list_keys(keys, names, sizeof names);
    jr_problem_add(reader->problems, node->line, node->column, "has to be a map of: %s", names);
    return false;
}

static const struct key *find_key(const struct key *keys, const char *name)
{
    for (; keys->name != NULL; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

static void refuse_key(struct reader *reader, const struct jr_yaml *node, const struct key *keys)
{
    const char *nearest = NULL;
    char names[160];

    for (const struct key *key = keys; key->name != NULL && nearest == NULL; key++)
        if (jr_text_is_near(node->text, key->name))
            nearest = key->name;
    list_keys(keys, names, sizeof names);
    if (nearest != NULL)
        jr_problem_add(reader->problems, node->line, node->column,
                       "there is no key '%.40s' here; did you mean '%s'?", node->text, nearest);
    else
        jr_problem_add(reader->problems, node->line, node->column,
                       "there is no key '%.40s' here; there are: %s", node->text, names);
}

/* Read the keys of a map. Returns which bits of them were there. */
static unsigned read_map(struct reader *reader, const struct jr_yaml *map, const struct key *keys,
                         void *target)
{
    unsigned has = 0;

    if (!is_map(reader, map, keys))
        return 0;
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const struct jr_yaml *name = map->items[i];
        const struct key *key;

        if (name->kind != JR_YAML_SCALAR)
            continue; /* yaml.c has said so */
        key = find_key(keys, name->text);
        if (key == NULL)
            refuse_key(reader, name, keys);
        else if (key->read != NULL)
            key->read(reader, map->items[i + 1], (char *)target + key->offset);
        if (key != NULL)
            has |= key->has;
    }
    return has;
}

static bool is_scalar(struct reader *reader, const struct jr_yaml *node, const char *what)
{
    if (node->kind == JR_YAML_SCALAR && *node->text != '\0')
        return true;
    wrong(reader, node, what);
    return false;
}

/* One of two or three words; -1: none, and it is said. */
static int read_word(struct reader *reader, const struct jr_yaml *node, const char *const *words,
                     const char *what)
{
    if (!is_scalar(reader, node, what))
        return -1;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], node->text) == 0)
            return i;
    wrong(reader, node, what);
    return -1;
}

static bool read_number(struct reader *reader, const struct jr_yaml *node, uint32_t least,
                        uint32_t most, uint32_t *number)
{
    char *end = NULL;
    unsigned long value = 0;

    if (node->kind == JR_YAML_SCALAR && node->text[0] >= '0' && node->text[0] <= '9'
        && strlen(node->text) <= 9)
        value = strtoul(node->text, &end, 10);
    if (end == NULL || *end != '\0' || value < least || value > most) {
        jr_problem_add(reader->problems, node->line, node->column,
                       "has to be a whole number from %u to %u", least, most);
        return false;
    }
    *number = (uint32_t)value;
    return true;
}

static bool read_duration(struct reader *reader, const struct jr_yaml *node, int64_t *duration_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "ms", 1 }, { "s", JR_SECOND_MS }, { "m", JR_MINUTE_MS }, { "h", JR_HOUR_MS } };
    char *end;
    unsigned long value;

    if (node->kind == JR_YAML_SCALAR && node->text[0] >= '0' && node->text[0] <= '9'
        && strlen(node->text) <= 9) {
        value = strtoul(node->text, &end, 10);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strcmp(end, units[i].unit) == 0 && (int64_t)value * units[i].ms <= JR_POLICY_DELAY_MOST_MS) {
                *duration_ms = (int64_t)value * units[i].ms;
                return true;
            }
    }
    wrong(reader, node, "has to be a time from 0s to 12h, such as 30s, 2m or 1h");
    return false;
}

static void read_version(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)target;
    if (node->kind != JR_YAML_SCALAR || strcmp(node->text, "1") != 0)
        wrong(reader, node, "this program knows version 1 only");
}

static void read_mixed(struct reader *reader, const struct jr_yaml *node, void *target)
{
    static const char *const words[] = { "all", "any", NULL };

    *(bool *)target = read_word(reader, node, words, "has to be all or any") == 1;
}

static void read_rerun_or_leave(struct reader *reader, const struct jr_yaml *node, void *target)
{
    static const char *const words[] = { "leave", "rerun", NULL };

    *(bool *)target = read_word(reader, node, words, "has to be rerun or leave") == 1;
}

static void read_yes(struct reader *reader, const struct jr_yaml *node, void *target)
{
    static const char *const no_yes[] = { "no", "yes", NULL };
    static const char *const false_true[] = { "false", "true", NULL };

    if (node->kind == JR_YAML_SCALAR && (strcmp(node->text, "true") == 0
                                         || strcmp(node->text, "false") == 0))
        *(bool *)target = read_word(reader, node, false_true, "") == 1;
    else
        *(bool *)target = read_word(reader, node, no_yes, "has to be yes or no") == 1;
}

static void read_debug(struct reader *reader, const struct jr_yaml *node, void *target)
{
    static const char *const words[] = { "never", "last", NULL };

    *(bool *)target = read_word(reader, node, words, "has to be last or never") == 1;
}

/* Add a copy of a text to a list. */
static void add_to_list(struct reader *reader, struct jr_list *list, const char *text)
{
    char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    char *copy = strdup(text);

    if (items != NULL)
        list->items = items;
    if (items == NULL || copy == NULL) {
        free(copy);
        reader->no_memory = true;
        return;
    }
    list->items[list->count++] = copy;
}

static void read_patterns(struct reader *reader, const struct jr_yaml *node, void *target)
{
    static const char what[] = "has to be a pattern, or a list of them; * and ? are wildcards";
    const struct jr_yaml *const one[] = { node };
    const struct jr_yaml *const *items = one;
    size_t count = 1;

    if (node->kind == JR_YAML_LIST) {
        items = (const struct jr_yaml *const *)node->items;
        count = node->count;
    }
    if (count == 0)
        wrong(reader, node, what);
    for (size_t i = 0; i < count; i++)
        if (is_scalar(reader, items[i], what))
            add_to_list(reader, target, items[i]->text);
}

/* A condition that no job can meet is a slip. */
static void read_conclusions(struct reader *reader, const struct jr_yaml *node, void *target)
{
    const struct jr_list *list = target;

    read_patterns(reader, node, target);
    for (size_t i = 0; i < list->count; i++) {
        bool known = false;

        for (int c = JR_CONCLUSION_SUCCESS; c < JR_CONCLUSIONS && !known; c++)
            known = jr_text_match(list->items[i], jr_conclusion_name((enum jr_conclusion)c));
        if (!known)
            jr_problem_add(reader->problems, node->line, node->column,
                           "no job ends in '%.40s'; there are failure, timed_out, cancelled, "
                           "startup_failure, action_required, stale", list->items[i]);
    }
}

static void read_attempt_range(struct reader *reader, const struct jr_yaml *node, void *target)
{
    struct jr_when *when = target;
    unsigned from = 0, to = 0;
    int length = 0;

    if (node->kind == JR_YAML_SCALAR) {
        if (sscanf(node->text, "%2u-%2u%n", &from, &to, &length) != 2) {
            length = 0;
            (void)sscanf(node->text, "%2u%n", &from, &length);
            to = from;
        }
        if (node->text[length] == '\0' && length > 0 && from >= 1 && to >= from
            && to <= ATTEMPTS_MOST) {
            when->attempt_from = from;
            when->attempt_to = to;
            return;
        }
    }
    wrong(reader, node, "has to be a number of an attempt, or a range such as 2-3");
}

static void read_fork(struct reader *reader, const struct jr_yaml *node, void *target)
{
    bool yes = false;
    size_t before = reader->problems->count;

    read_yes(reader, node, &yes);
    if (reader->problems->count == before)
        *(int *)target = yes ? 1 : 0;
}

#define WHEN(member) offsetof(struct jr_when, member)

static const struct key when_keys[] = {
    { "repository", read_patterns, WHEN(repository), 0 },
    { "workflow", read_patterns, WHEN(workflow), 0 },
    { "branch", read_patterns, WHEN(branch), 0 },
    { "event", read_patterns, WHEN(event), 0 },
    { "job", read_patterns, WHEN(job), 0 },
    { "step", read_patterns, WHEN(step), 0 },
    { "runner", read_patterns, WHEN(runner), 0 },
    { "labels", read_patterns, WHEN(labels), 0 },
    { "conclusion", read_conclusions, WHEN(conclusion), 0 },
    { "attempt", read_attempt_range, 0, 0 },
    { "fork", read_fork, WHEN(fork), 0 },
    { NULL, NULL, 0, 0 },
};

static void read_when(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_map(reader, node, when_keys, target);
}

static jr_causes all_causes(bool infrastructural)
{
    jr_causes causes = 0;

    for (unsigned i = 1; i < JR_CAUSES; i++)
        if (jr_cause_name((enum jr_cause)i) != NULL
            && (!infrastructural || jr_cause_is_infrastructural((enum jr_cause)i)))
            causes |= (jr_causes)1 << i;
    return causes;
}

static jr_causes read_cause(struct reader *reader, const struct jr_yaml *node)
{
    static const char what[] = "has to be a cause, infrastructure or all; "
                               "job-rerunner-policy(5) lists the causes";
    enum jr_cause cause;

    if (!is_scalar(reader, node, what))
        return 0;
    if (strcmp(node->text, "all") == 0)
        return all_causes(false);
    if (strcmp(node->text, "infrastructure") == 0)
        return all_causes(true);
    cause = jr_cause_from(node->text);
    if (cause == JR_CAUSE_NONE) {
        jr_problem_add(reader->problems, node->line, node->column,
                       "there is no cause '%.40s'; %s", node->text, what);
        return 0;
    }
    return (jr_causes)1 << cause;
}

static void read_causes(struct reader *reader, const struct jr_yaml *node, void *target)
{
    jr_causes causes = 0;

    if (node->kind == JR_YAML_LIST) {
        for (size_t i = 0; i < node->count; i++)
            causes |= read_cause(reader, node->items[i]);
        if (node->count == 0)
            wrong(reader, node, "an empty list names no cause");
    } else {
        causes = read_cause(reader, node);
    }
    *(jr_causes *)target = causes;
}

static void read_attempts(struct reader *reader, const struct jr_yaml *node, void *target)
{
    struct jr_rule *rule = target;

    if (!read_number(reader, node, 1, ATTEMPTS_MOST, &rule->attempts))
        return;
    rule->attempts_line = node->line;
    rule->attempts_column = node->column;
}

static void read_delays(struct reader *reader, const struct jr_yaml *node, void *target)
{
    struct jr_rule *rule = target;

    if (node->kind != JR_YAML_LIST) {
        rule->delay_count = read_duration(reader, node, &rule->delays_ms[0]) ? 1 : 0;
        return;
    }
    if (node->count == 0 || node->count > JR_POLICY_DELAYS_MAX) {
        jr_problem_add(reader->problems, node->line, node->column, "has to be 1 to %d times",
                       JR_POLICY_DELAYS_MAX);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        if (read_duration(reader, node->items[i], &rule->delays_ms[rule->delay_count]))
            rule->delay_count++;
}

static void read_share(struct reader *reader, const struct jr_yaml *node, void *target)
{
    char *end = NULL;
    double percent = 0;

    if (node->kind == JR_YAML_SCALAR && node->text[0] >= '0' && node->text[0] <= '9')
        percent = strtod(node->text, &end);
    if (end == NULL || strcmp(end, "%") != 0 || percent > 100) {
        wrong(reader, node, "has to be a share from 0% to 100%");
        return;
    }
    *(double *)target = percent / 100;
}

static void read_of(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_number(reader, node, 1, JR_POLICY_OF_MAX, target);
}

#define RULE(member) offsetof(struct jr_rule, member)

static const struct key only_if_keys[] = {
    { "rescued", read_share, RULE(rescued), 1 },
    { "of", read_of, RULE(of), 2 },
    { NULL, NULL, 0, 0 },
};

static void read_only_if(struct reader *reader, const struct jr_yaml *node, void *target)
{
    if (read_map(reader, node, only_if_keys, target) != 3 && node->kind == JR_YAML_MAP)
        wrong(reader, node, "needs both rescued and of");
}

static void read_name(struct reader *reader, const struct jr_yaml *node, void *target)
{
    char **name = target;

    if (!is_scalar(reader, node, "has to be a name"))
        return;
    free(*name);
    *name = strndup(node->text, 100);
    reader->no_memory |= *name == NULL;
}

static const struct key rule_keys[] = {
    { "name", read_name, RULE(name), 0 },
    { "when", read_when, RULE(when), 0 },
    { "rerun", read_causes, RULE(rerun), 1 },
    { "leave", read_causes, RULE(leave), 2 },
    { "attempts", read_attempts, 0, 0 },
    { "delay", read_delays, 0, 0 },
    { "only-if", read_only_if, 0, 0 },
    { NULL, NULL, 0, 0 },
};

static void read_rule(struct reader *reader, const struct jr_yaml *node, struct jr_rule *rule,
                      size_t number)
{
    rule->when.fork = -1;
    if (read_map(reader, node, rule_keys, rule) == 0 && node->kind == JR_YAML_MAP)
        wrong(reader, node, "a rule needs rerun or leave");
    if ((rule->rerun & rule->leave) != 0)
        wrong(reader, node, "a rule both reruns and leaves a cause");
    if (rule->name == NULL && asprintf(&rule->name, "rule %zu", number) < 0) {
        rule->name = NULL;
        reader->no_memory = true;
    }
}

static void read_rules(struct reader *reader, const struct jr_yaml *node, void *target)
{
    struct jr_policy_part *part = target;

    if (node->kind != JR_YAML_LIST || node->count > JR_POLICY_RULES_MAX) {
        jr_problem_add(reader->problems, node->line, node->column,
                       "has to be a list of at most %d rules", JR_POLICY_RULES_MAX);
        return;
    }
    part->rules = calloc(node->count + 1, sizeof *part->rules);
    if (part->rules == NULL) {
        reader->no_memory = true;
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        read_rule(reader, node->items[i], &part->rules[part->rule_count++], i + 1);
}

static void read_guard(struct reader *reader, const struct jr_yaml *node, void *target)
{
    static const char *const words[] = { "leave", "rerun", NULL };
    int word = read_word(reader, node, words, "has to be leave or rerun");

    if (word >= 0)
        *(enum jr_guard *)target = word == 1 ? JR_GUARD_RERUN : JR_GUARD_LEAVE;
}

static void read_waiting_guard(struct reader *reader, const struct jr_yaml *node, void *target)
{
    static const char *const words[] = { "leave", "rerun", "wait", NULL };
    int word = read_word(reader, node, words, "has to be wait, leave or rerun");

    if (word >= 0)
        *(enum jr_guard *)target = (enum jr_guard)word;
}

#define GUARD(member) offsetof(struct jr_guards, member)

static const struct key guard_keys[] = {
    { "superseded", read_guard, GUARD(superseded), 0 },
    { "closed", read_guard, GUARD(closed), 0 },
    { "deployments", read_guard, GUARD(deployments), 0 },
    { "merge-queue", read_guard, GUARD(merge_queue), 0 },
    { "concurrency", read_waiting_guard, GUARD(concurrency), 0 },
    { "events", read_patterns, GUARD(events), 0 },
    { NULL, NULL, 0, 0 },
};

static void read_guards(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_map(reader, node, guard_keys, target);
}

static void read_count(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_number(reader, node, 1, COUNT_MOST, target);
}

static void read_weight(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_number(reader, node, 0, 1000, target);
}

#define LIMIT(member) offsetof(struct jr_limits, member)

static const struct key weight_keys[] = {
    { "linux", read_weight, LIMIT(weight_linux), 0 },
    { "windows", read_weight, LIMIT(weight_windows), 0 },
    { "macos", read_weight, LIMIT(weight_macos), 0 },
    { "self-hosted", read_weight, LIMIT(weight_self_hosted), 0 },
    { NULL, NULL, 0, 0 },
};

static void read_weights(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_map(reader, node, weight_keys, target);
}

static const struct key limit_keys[] = {
    { "reruns-per-hour", read_count, LIMIT(reruns_per_hour), 0 },
    { "minutes-per-day", read_count, LIMIT(minutes_per_day), 0 },
    { "os-weights", read_weights, 0, 0 },
    { NULL, NULL, 0, 0 },
};

static void read_limits(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_map(reader, node, limit_keys, target);
}

static void read_runs(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_number(reader, node, 1, JR_POLICY_OUTAGE_RUNS_MAX, target);
}

static void read_hold(struct reader *reader, const struct jr_yaml *node, void *target)
{
    (void)read_duration(reader, node, target);
}

#define OUTAGE(member) offsetof(struct jr_outage_rule, member)

static const struct key outage_keys[] = {
    { "runs", read_runs, OUTAGE(runs), 1 },
    { "within", read_hold, OUTAGE(within_ms), 2 },
    { "hold", read_hold, OUTAGE(hold_ms), 4 },
    { NULL, NULL, 0, 0 },
};

static void read_outage(struct reader *reader, const struct jr_yaml *node, void *target)
{
    if (read_map(reader, node, outage_keys, target) != 7 && node->kind == JR_YAML_MAP)
        wrong(reader, node, "needs runs, within and hold");
}

#define PART(member) offsetof(struct jr_policy_part, member)
#define PART_KEYS                                                                             \
    { "mixed", read_mixed, PART(any_deserves), JR_HAS_MIXED },                                \
    { "otherwise", read_rerun_or_leave, PART(otherwise_rerun), JR_HAS_OTHERWISE },            \
    { "rules", read_rules, 0, JR_HAS_RULES },                                                 \
    { "guards", read_guards, PART(guards), JR_HAS_GUARDS },                                   \
    { "limits", read_limits, PART(limits), JR_HAS_LIMITS },                                   \
    { "same-failure", read_rerun_or_leave, PART(same_failure_rerun), JR_HAS_SAME_FAILURE },   \
    { "debug-logging", read_debug, PART(debug_last), JR_HAS_DEBUG }
#define OUTAGE_KEY { "outage", read_outage, PART(outage), JR_HAS_OUTAGE }

static const struct key repo_keys[] = { PART_KEYS, OUTAGE_KEY, { NULL, NULL, 0, 0 } };

static void set_defaults(struct jr_policy_part *part)
{
    part->guards.concurrency = JR_GUARD_WAIT;
    part->limits.weight_linux = 1;
    part->limits.weight_windows = 2;
    part->limits.weight_macos = 10;
}

/* What a deviation does not name of guards and limits is as above. */
static void inherit(struct jr_policy_part *part, const struct jr_policy_part *base)
{
    part->guards = base->guards;
    part->guards.events = (struct jr_list){ .count = 0 };
    part->limits = base->limits;
}

static void read_repos(struct reader *reader, const struct jr_yaml *node, void *target)
{
    struct jr_policy *policy = target;

    if (node->kind != JR_YAML_MAP || node->count / 2 > JR_POLICY_REPOS_MAX) {
        jr_problem_add(reader->problems, node->line, node->column,
                       "has to be a map of at most %d patterns of owner/name", JR_POLICY_REPOS_MAX);
        return;
    }
    policy->repos = calloc(node->count / 2 + 1, sizeof *policy->repos);
    for (size_t i = 0; policy->repos != NULL && i + 1 < node->count; i += 2) {
        struct jr_policy_repo *repo = &policy->repos[policy->repo_count];

        if (node->items[i]->kind != JR_YAML_SCALAR)
            continue;
        repo->pattern = strdup(node->items[i]->text);
        reader->no_memory |= repo->pattern == NULL;
        inherit(&repo->part, &policy->base);
        policy->repo_count++;
        repo->part.has = read_map(reader, node->items[i + 1], repo_keys, &repo->part);
    }
    reader->no_memory |= policy->repos == NULL;
}

static void read_signatures(struct reader *reader, const struct jr_yaml *node, void *target)
{
    if (jr_signatures_read(target, node, true, reader->problems) != JR_OK)
        reader->no_memory = true;
}

#define POLICY(member) offsetof(struct jr_policy, member)

/* The base part stands at the beginning of struct jr_policy. */
static const struct key policy_keys[] = {
    { "version", read_version, 0, 0 },
    PART_KEYS,
    OUTAGE_KEY,
    { "causes", read_signatures, POLICY(signatures), 0 },
    { "limits-all", read_limits, POLICY(limits_all), 0 },
    { "repositories", NULL, 0, 0 }, /* once all above it is read */
    { "repository-files", read_yes, POLICY(repository_files), 0 },
    { NULL, NULL, 0, 0 },
};

_Static_assert(POLICY(base) == 0, "the keys of a part are read into the base");

/* Of a repository's own file. */
static const struct key own_keys[] = {
    { "version", read_version, 0, 0 },
    PART_KEYS,
    { "causes", read_signatures, POLICY(signatures), 0 },
    { NULL, NULL, 0, 0 },
};

/* Does a part ask why jobs failed, by what it names? The base names all. */
static bool wants_evidence(const struct jr_policy_part *part, unsigned names)
{
    return part->rule_count > 0 || part->outage.runs > 0
           || ((names & JR_HAS_OTHERWISE) != 0 && !part->otherwise_rerun)
           || ((names & JR_HAS_SAME_FAILURE) != 0 && !part->same_failure_rerun);
}

static void read_policy(struct reader *reader, const struct jr_yaml *root,
                        struct jr_policy *policy)
{
    const struct jr_yaml *repos = jr_yaml_get(root, "repositories");

    set_defaults(&policy->base);
    policy->limits_all = policy->base.limits;
    policy->base.has = read_map(reader, root, policy_keys, policy);
    if (repos != NULL)
        read_repos(reader, repos, policy);
    policy->wants_evidence = wants_evidence(&policy->base, ~0u);
    for (size_t i = 0; i < policy->repo_count; i++)
        policy->wants_evidence |= wants_evidence(&policy->repos[i].part,
                                                 policy->repos[i].part.has);
}

/* What it does not name of guards and limits is the centre's, so it begins with the laxest. */
static void read_own(struct reader *reader, const struct jr_yaml *root, struct jr_policy *policy)
{
    struct jr_guards *guards = &policy->base.guards;

    guards->superseded = guards->closed = guards->deployments = JR_GUARD_RERUN;
    guards->merge_queue = guards->concurrency = JR_GUARD_RERUN;
    policy->base.has = read_map(reader, root, own_keys, policy);
    policy->wants_evidence = true;
}

typedef void reader_fn(struct reader *reader, const struct jr_yaml *root,
                       struct jr_policy *policy);

static enum jr_err read_file(struct jr_policy *policy, const char *bytes, size_t length,
                             reader_fn *read, struct jr_problems *problems)
{
    struct reader reader = { .problems = problems };
    struct jr_yaml *root;

    memset(policy, 0, sizeof *policy);
    if (jr_yaml_parse(bytes, length, JR_POLICY_BYTES_MAX, &root, problems) != JR_OK)
        return JR_ENOMEM;
    if (root == NULL && problems->count == 0)
        jr_problem_add(problems, 1, 1, "the file is empty");
    if (root != NULL)
        read(&reader, root, policy);
    jr_yaml_free(root);
    jr_problems_sort(problems);
    return reader.no_memory ? JR_ENOMEM : JR_OK;
}

enum jr_err jr_policy_read(struct jr_policy *policy, const char *bytes, size_t length,
                           struct jr_problems *problems)
{
    return read_file(policy, bytes, length, read_policy, problems);
}

enum jr_err jr_policy_read_own(struct jr_policy *policy, const char *bytes, size_t length,
                               struct jr_problems *problems)
{
    return read_file(policy, bytes, length, read_own, problems);
}

static void warn_of_part(const struct jr_policy_part *part, int64_t run_attempts,
                         struct jr_problems *warnings)
{
    for (size_t i = 0; i < part->rule_count; i++) {
        const struct jr_rule *rule = &part->rules[i];

        if (rule->attempts > run_attempts)
            jr_problem_add(warnings, rule->attempts_line, rule->attempts_column,
                           "%u attempts are more than RUN_ATTEMPTS, %lld, which counts",
                           rule->attempts, (long long)run_attempts);
    }
}

void jr_policy_warn(const struct jr_policy *policy, int64_t run_attempts,
                    struct jr_problems *warnings)
{
    warn_of_part(&policy->base, run_attempts, warnings);
    for (size_t i = 0; i < policy->repo_count; i++)
        warn_of_part(&policy->repos[i].part, run_attempts, warnings);
    jr_problems_sort(warnings);
}

static void release_part(struct jr_policy_part *part)
{
    for (size_t i = 0; i < part->rule_count; i++) {
        struct jr_when *when = &part->rules[i].when;
        struct jr_list *lists[] = { &when->repository, &when->workflow, &when->branch,
                                    &when->event, &when->job, &when->step, &when->runner,
                                    &when->conclusion, &when->labels };

        for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
            jr_list_release(lists[k]);
        free(part->rules[i].name);
    }
    free(part->rules);
    jr_list_release(&part->guards.events);
}

void jr_policy_release(struct jr_policy *policy)
{
    release_part(&policy->base);
    for (size_t i = 0; i < policy->repo_count; i++) {
        release_part(&policy->repos[i].part);
        free(policy->repos[i].pattern);
    }
    free(policy->repos);
    jr_signatures_release(&policy->signatures);
    memset(policy, 0, sizeof *policy);
}
