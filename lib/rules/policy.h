/*
 * policy -- what to do about the causes of a failed run: whose choice, which rule, how often
 * and how soon.
 *
 * A policy is a choice of the organisation's. It can never widen what the settings allow:
 * RUN_ATTEMPTS, RETRY_CONCLUSIONS and the lists hold all the same. Pure: files are read by
 * whoever has them.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_POLICY_H
#define JR_POLICY_H

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/format/yaml.h"
#include "lib/model/cause.h"
#include "lib/model/evidence.h"
#include "lib/rules/judge.h"
#include "lib/rules/signatures.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a policy file. */
#define JR_POLICY_BYTES_MAX (64 * 1024)
#define JR_POLICY_RULES_MAX 100
#define JR_POLICY_REPOS_MAX 200
#define JR_POLICY_DELAYS_MAX 10

/* No rule waits longer for a rerun. */
#define JR_POLICY_DELAY_MOST_MS (12 * JR_HOUR_MS)
#define JR_POLICY_OF_MAX 100 /* reruns that only-if looks back at */
#define JR_POLICY_OUTAGE_RUNS_MAX 500

/* A set of causes: bit n is enum jr_cause n. */
typedef uint64_t jr_causes;

/* What has to hold for a rule; an empty list: nothing is asked of it. */
struct jr_when {
    struct jr_list repository, workflow, branch, event, job, step, runner, conclusion;
    struct jr_list labels;             /* all of them have to be there */
    uint32_t attempt_from, attempt_to; /* 0, 0: any */
    int fork;                          /* 1: only of forks; 0: only of others; -1: any */
};

struct jr_rule {
    char *name; /* owned; "rule 2" where the file gives none */
    struct jr_when when;
    jr_causes rerun, leave;
    uint32_t attempts; /* of the run, the first included; 0: RUN_ATTEMPTS */
    unsigned attempts_line, attempts_column; /* where the file has them; 0: it does not */
    int64_t delays_ms[JR_POLICY_DELAYS_MAX]; /* before the 1st, 2nd ... rerun; then the last */
    size_t delay_count;                      /* 0: RERUN_DELAY */
    double rescued; /* with `of': the least share of the last reruns that were worth it */
    uint32_t of;    /* 0: it is always worth trying */
};

enum jr_guard { JR_GUARD_LEAVE, JR_GUARD_RERUN, JR_GUARD_WAIT };

struct jr_guards {
    enum jr_guard superseded, closed, deployments, merge_queue, concurrency;
    struct jr_list events; /* of which runs may be rerun; empty: of all without side effects */
    const struct jr_guards *ceiling; /* whose events have to allow it as well; NULL: nobody's */
};

/* What may be spent; 0: no limit. */
struct jr_limits {
    uint32_t reruns_per_hour, minutes_per_day;
    uint32_t weight_linux, weight_windows, weight_macos, weight_self_hosted;
};

/* When reruns for infrastructural causes are held; runs 0: never. */
struct jr_outage_rule {
    uint32_t runs;
    int64_t within_ms, hold_ms;
};

/* Which keys a part of a file has. */
enum {
    JR_HAS_MIXED = 1, JR_HAS_OTHERWISE = 2, JR_HAS_RULES = 4, JR_HAS_GUARDS = 8,
    JR_HAS_LIMITS = 16, JR_HAS_OUTAGE = 32, JR_HAS_SAME_FAILURE = 64, JR_HAS_DEBUG = 128
};

/* The policy as it holds for one repository. */
struct jr_policy_part {
    unsigned has; /* of a deviation: without the bit a member is not its own */
    bool any_deserves;   /* mixed: any; else all failed jobs have to deserve it */
    bool otherwise_rerun; /* a failed job that no rule names */
    struct jr_rule *rules; /* owned by the policy */
    size_t rule_count;
    struct jr_guards guards;
    struct jr_limits limits;
    struct jr_outage_rule outage;
    bool same_failure_rerun;
    bool debug_last; /* the last allowed attempt runs with GitHub's debug log */
    const struct jr_policy_part *ceiling; /* of a repository's own policy: what it cannot lift;
                                             NULL: there is none */
};

struct jr_policy {
    struct jr_policy_part base;
    struct jr_policy_repo {
        char *pattern;
        struct jr_policy_part part; /* guards and limits: with what it does not name */
    } *repos; /* owned; the first that fits counts */
    size_t repo_count;
    struct jr_signatures signatures; /* of its own */
    struct jr_limits limits_all;
    bool repository_files;
    bool wants_evidence; /* else the runs are rerun without a look at why they failed */
};

/* The presets: "everything", "careful", "infrastructure"; NULL: no such. Static YAML. */
const char *jr_policy_preset(const char *name);

/* What a policy says that names nothing, as far as a file can say it. Static YAML. */
const char *jr_policy_defaults(void);

/*
 * Read a policy.
 *   bytes     of a file, or of a preset
 *   problems  all that is wrong, in the order of the file; the policy is then of no use
 * Returns JR_OK, also with problems, or JR_ENOMEM. policy is the caller's to release.
 */
enum jr_err jr_policy_read(struct jr_policy *policy, const char *bytes, size_t length,
                           struct jr_problems *problems) JR_CHECKED;

/*
 * The same of a repository's own policy, which knows no other repositories: it has no limits of
 * all together, and no outage, which shows across repositories.
 */
enum jr_err jr_policy_read_own(struct jr_policy *policy, const char *bytes, size_t length,
                               struct jr_problems *problems) JR_CHECKED;

void jr_policy_release(struct jr_policy *policy);

/*
 * Has it, for any repository, a rule that reruns what failed for a fault of machines or
 * services? Then a cancelled run may be one that no runner ever took.
 */
bool jr_policy_reruns_cancelled(const struct jr_policy *policy);

/* Does it hold reruns in an outage, for any repository? */
bool jr_policy_has_outage(const struct jr_policy *policy);

/* Has it, for any repository, a rule that may be for workflows of some name? */
bool jr_policy_names_workflows(const struct jr_policy *policy);

/*
 * Note what a policy asks for and does not get: rules with more attempts than RUN_ATTEMPTS,
 * which counts.
 */
void jr_policy_warn(const struct jr_policy *policy, int64_t run_attempts,
                    struct jr_problems *warnings);

/* For any repository, is there a guard that asks for pull requests, or for workflow files? */
bool jr_policy_guards_pulls(const struct jr_policy *policy);
bool jr_policy_guards_files(const struct jr_policy *policy);

/* The policy for a repository, put together: what it points to stays the policy's. */
void jr_policy_for(const struct jr_policy *policy, const char *repo,
                   struct jr_policy_part *part);

/*
 * The policy for a repository that has one of its own. It chooses rules and delays, and what
 * becomes of jobs that no rule names. What the centre's rules leave is left, whatever it says;
 * their attempts and their only-if hold as well; of guards and limits the stricter counts, and
 * of same-failure and mixed.
 *   centre  for this repository (jr_policy_for()); it stays the caller's, and has to outlive part
 *   own     likewise
 */
void jr_policy_under(const struct jr_policy_part *centre, const struct jr_policy *own,
                     struct jr_policy_part *part);

/* The policy in force for one repository. It points into itself, so it is not to be copied. */
struct jr_policy_force {
    struct jr_policy_part part; /* what counts */
    struct jr_policy_part centre; /* its ceiling, if there is one */
};

/*
 * Put it together: the centre's alone, or one of the repository's own under that.
 *   own    NULL: it has none
 *   force  out: what it points to stays the policies'
 */
void jr_policy_in_force(const struct jr_policy *policy, const struct jr_policy *own,
                        const char *repo, struct jr_policy_force *force);

/* How many of a job's last reruns its rules look back at, or its ceiling's, at most; 0: none
 * does. */
uint32_t jr_policy_looks_back(const struct jr_policy_part *part);

/* What is known of the run. Texts are borrowed; empty: not known. */
struct jr_policy_run {
    const char *repo, *workflow, *workflow_path, *branch, *event;
    bool fork;
    uint32_t attempt;      /* the one that failed, from 1 */
    uint32_t run_attempts; /* the setting */
    uint32_t reruns;       /* how many of ours there were */
    enum jr_conclusion conclusion;
    bool conclusion_retried; /* RETRY_CONCLUSIONS has it */
};

/* A failed job, and what came of it. */
struct jr_policy_job {
    const struct jr_evidence *evidence;
    struct jr_finding finding;
    bool same_as_before;     /* an earlier attempt failed in the same step by the same error */
    uint32_t rescued, tried; /* of its last reruns for this cause; tried counts up to a rule's `of' */
    /* out */
    const struct jr_rule *rule; /* that decided; NULL: none, or `otherwise' */
    const struct jr_rule *above; /* the centre's, under a ceiling; NULL: it names none */
    bool counts;                /* a job that only reports others does not */
    bool reruns;                /* it deserves a rerun */
    bool not_worth_it, same_failure;
};

enum jr_policy_verdict { JR_POLICY_RERUN, JR_POLICY_LEAVE, JR_POLICY_WAIT };

struct jr_policy_answer {
    enum jr_policy_verdict verdict;
    enum jr_policy_reason {
        JR_POLICY_DESERVES,
        JR_POLICY_LEFT_BY_RULE,
        JR_POLICY_CAUSE_NOT_KNOWN,
        JR_POLICY_NOT_WORTH_IT,
        JR_POLICY_SAME_FAILURE,
        JR_POLICY_UNREADABLE,
        JR_POLICY_ATTEMPTS_USED_UP,
        JR_POLICY_CONCLUSION
    } reason;
    int64_t delay_ms;  /* -1: RERUN_DELAY */
    uint32_t attempts; /* of the run, in all */
    bool debug;
};

/*
 * Decide about a run whose failed jobs have been judged. Guards and limits come after.
 *   jobs  in and out
 */
void jr_policy_decide(const struct jr_policy_part *part, const struct jr_policy_run *run,
                      struct jr_policy_job *jobs, size_t count, struct jr_policy_answer *answer);

#endif
