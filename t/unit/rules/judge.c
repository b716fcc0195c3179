/*
 * judge -- the order in which evidence counts.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/judge.h"
#include "lib/base/timestamp.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOST "The self-hosted runner: r1 lost communication with the server."
#define RUN(name) "2026-11-28T10:00:00.0000000Z ##[group]Run " name "\n2026-11-28T10:00:00.0000000Z ##[endgroup]\n"
#define SAY(text) "2026-11-28T10:00:05.0000000Z " text "\n"
#define EXIT SAY("##[error]Process completed with exit code 1.")
#define CLEANUP SAY("Post job cleanup.")

struct judge_row {
    const char *name;
    const char *conclusion; /* of the job */
    const char *steps;      /* "name=conclusion,..."; conclusion - : in progress; NULL: none */
    const char *annotations; /* of level failure, a line each; NULL: unreadable; "": there are none */
    const char *log;         /* NULL: unreadable; "": there is none */
    int minutes;             /* that it took */
    const char *cause, *signature;
    bool unreadable;
};

static void add_steps(struct jr_evidence *evidence, const char *steps)
{
    char copy[500], *at = copy, *step;

    evidence->steps_found = JR_ABSENT;
    if (steps == NULL)
        return;
    snprintf(copy, sizeof copy, "%s", steps);
    evidence->steps_found = JR_FOUND;
    evidence->steps = calloc(20, sizeof *evidence->steps);
    while ((step = strsep(&at, ",")) != NULL) {
        struct jr_job_step *to = &evidence->steps[evidence->step_count++];
        char *equals = strrchr(step, '=');

        *equals = '\0';
        snprintf(to->name, sizeof to->name, "%s", step);
        to->number = (uint32_t)evidence->step_count;
        to->status = strcmp(equals + 1, "-") == 0 ? JR_STATUS_IN_PROGRESS : JR_STATUS_COMPLETED;
        to->conclusion = to->status == JR_STATUS_COMPLETED ? jr_conclusion_from(equals + 1) : JR_CONCLUSION_NONE;
    }
}

static void add_annotations(struct jr_evidence *evidence, const char *annotations)
{
    if (annotations == NULL)
        return;
    evidence->annotations_found = *annotations == '\0' ? JR_ABSENT : JR_FOUND;
    evidence->annotations = calloc(2, sizeof *evidence->annotations);
    evidence->annotations[0] = (struct jr_annotation){ true, strdup(annotations) };
    evidence->annotations[1] = (struct jr_annotation){ false, strdup(LOST) }; /* a warning does not count */
    evidence->annotation_count = 2;
}

static void judged(void **state)
{
    const struct judge_row *row = *state;
    struct jr_evidence evidence = {
        .job_id = 1, .name = "build", .status = JR_STATUS_COMPLETED, .runner_told = true,
        .conclusion = jr_conclusion_from(row->conclusion), .created_ms = 1000000, .started_ms = 1000000,
        .completed_ms = 1000000 + row->minutes * JR_MINUTE_MS + 7000,
    };
    struct jr_signatures own = { .count = 0 }, builtin;
    const struct jr_signature_sets sets = { { &own, &builtin }, 2 };
    struct jr_finding finding;
    struct jr_error error;

    if (row->steps != NULL)
        evidence.runner_id = 5;
    add_steps(&evidence, row->steps);
    add_annotations(&evidence, row->annotations);
    if (row->log != NULL && *row->log != '\0') {
        evidence.log = strdup(row->log);
        evidence.log_length = strlen(row->log);
    }
    evidence.log_found = row->log == NULL ? JR_UNREADABLE : *row->log == '\0' ? JR_ABSENT : JR_FOUND;
    assert_int_equal(jr_signatures_builtin(&builtin, &error), JR_OK);
    jr_judge(&sets, &evidence, &finding);
    assert_string_equal(jr_cause_name(finding.cause), row->cause);
    assert_string_equal(finding.signature, row->signature);
    assert_int_equal(finding.unreadable, row->unreadable);
    jr_signatures_release(&builtin);
    jr_evidence_release(&evidence);
}

#define BUILD "Set up job=success,Build=failure,Complete job=success"
#define TESTS "Set up job=success,Run tests=failure,Complete job=success"
#define STUCK "Set up job=success,Build=-"
#define CUT "Set up job=success,Build=cancelled,Complete job=success"
#define RESET SAY("curl: (56) connection reset by peer")
#define TEN SAY("a") SAY("b") SAY("c") SAY("d") SAY("e") SAY("f") SAY("g") SAY("h") SAY("i") SAY("j")
#define LONG TEN TEN TEN TEN TEN TEN TEN
#define COMPILE SAY("src/a.c:3:5: error: expected ';'")

static const struct judge_row rows[] = {
    { "network", "failure", BUILD, "", RUN("make") RESET EXIT, 1, "network", "connection-lost", false },
    { "a compiler", "failure", BUILD, "", RUN("make") COMPILE EXIT, 1, "build", "diagnostic", false },
    { "hard text stands above transient text", "failure", BUILD, "", RUN("make") RESET COMPILE EXIT, 1, "build", "diagnostic", false },
    { "whatever comes last", "failure", BUILD, "", RUN("make") COMPILE RESET EXIT, 1, "build", "diagnostic", false },
    { "another step's words", "failure", BUILD, "", RUN("fetch") RESET RUN("make") COMPILE EXIT, 1, "build", "diagnostic", false },
    { "a fault that a compiler's line names", "failure", BUILD, "",
      RUN("make") SAY("src/net.c:41:9: error: 'ECONNRESET' undeclared (first use in this function)") EXIT, 1, "build", "diagnostic", false },
    { "a place in the code that is no status", "failure", BUILD, "",
      RUN("make") SAY("net.cpp(502): error C2065: 'x': undeclared identifier") EXIT, 1, "build", "diagnostic", false },
    { "a place that could not be loaded", "failure", BUILD, "",
      RUN("go build") SAY("a.go:9:2: a.io/b@v1: read \"https://proxy.example.org/b.zip\": stream error: stream ID 41") EXIT, 1, "registry", "go-proxy", false },
    { "a test that is named after a fault", "failure", TESTS, "",
      RUN("x") SAY("not ok 12 retries when curl: (28) Operation timed out") EXIT, 1, "test", "test-named", false },
    { "a hash that is not the lock file's", "failure", BUILD, "",
      RUN("npm ci") SAY("npm error code EINTEGRITY") EXIT, 1, "build", "lock-mismatch", false },
    { "an import that has the name of a fault", "failure", BUILD, "",
      RUN("x") SAY("Module not found: Error: Can't resolve './econnreset'") EXIT, 1, "build", "import-missing", false },
    { "a package that was not found since nobody answered", "failure", BUILD, "",
      RUN("x") SAY("The package was not found.") SAY("Unable to connect to source 'https://feed.example.org/'") EXIT, 1, "network",
      "not-reached", false },
    { "a number that is no status", "failure", BUILD, "", RUN("x") SAY("Ran 429 checks in 503 ms") EXIT, 1, "unknown", "", false },
    { "a conflict that is no outage", "failure", BUILD, "",
      RUN("x") SAY("Failed to CreateArtifact: (409) Conflict: an artifact with this name already exists") EXIT, 1, "environment", "exists-already", false },
    { "a moment's patience that nobody asked for", "failure", BUILD, "", RUN("x") SAY("Wait a moment, files are being sorted") EXIT, 1, "unknown", "", false },
    { "the heap of a program is not the machine's memory", "failure", BUILD, "",
      RUN("x") SAY("java.lang.OutOfMemoryError: Java heap space") EXIT, 1, "environment", "heap-of-node", false },
    { "a package that is not found for want of lists", "failure", BUILD, "",
      RUN("x") SAY("Err:1 http://deb.example Temporary failure resolving 'deb.example'") SAY("E: Unable to locate package zip") EXIT, 1,
      "network", "name-resolution", false },
    { "a package that there is not", "failure", BUILD, "", RUN("x") SAY("E: Unable to locate package zipp") EXIT, 1, "build", "dependency-not-found", false },
    { "a warning about packages", "failure", BUILD, "",
      RUN("npm ci") SAY("npm warn ERESOLVE overriding peer dependency") RESET EXIT, 1, "network", "connection-lost", false },
    { "an archive that has not come whole", "failure", BUILD, "",
      RUN("yarn") SAY("error a.tgz: Extracting tar content failed, the file appears to be corrupt") EXIT, 1, "registry", "archive-cut", false },
    { "a request that is wrong", "failure", BUILD, "", RUN("x") SAY("HTTP 422: Validation Failed") EXIT, 1, "environment", "request-refused", false },
    { "requests that are too many", "failure", BUILD, "", RUN("x") SAY("Quota exceeded: requests per minute; HTTP 429") EXIT, 1, "rate-limited", "rate-limited", false },
    { "a linker that was killed", "failure", BUILD, "",
      RUN("x") SAY("collect2: fatal error: ld terminated with signal 9 [Killed]") SAY("error: could not compile `app` (bin)") EXIT, 1,
      "memory", "memory-full", false },
    { "refused at the end", "failure", BUILD, "", RUN("x") SAY("/etc/x: Permission denied") EXIT, 1, "environment", "access-refused", false },
    { "refused long before the end", "failure", BUILD, "", RUN("x") SAY("/etc/x: Permission denied") LONG RESET EXIT, 1, "network", "connection-lost", false },
    { "a hint, long before the end", "failure", BUILD, "",
      RUN("x") SAY("Error: unsupported value for level") LONG SAY("nothing came of it") EXIT, 1, "unknown", "", false },
    { "a hint, as the last words", "failure", BUILD, "",
      RUN("x") SAY("Error: unsupported value for level") EXIT, 1, "environment", "said-to-be-wrong", false },
    { "a compiler, long before the end", "failure", BUILD, "", RUN("x") COMPILE LONG RESET EXIT, 1, "build", "diagnostic", false },
    { "what an earlier step overcame", "failure", BUILD, "", RUN("fetch") RESET RUN("make") SAY("hm") EXIT, 1, "unknown", "", false },
    { "what comes after the failure", "failure", BUILD, "", RUN("make") SAY("hm") EXIT CLEANUP RESET, 1, "unknown", "", false },
    { "what an action says after its error", "failure", BUILD, "", RUN("x") SAY("##[error]Commits are not well") COMPILE CLEANUP RESET, 1, "build", "diagnostic", false },
    { "what the next step says", "failure", BUILD, "", RUN("x") SAY("##[error]hm") RUN("report") RESET CLEANUP, 1, "unknown", "", false },
    { "what a script holds", "failure", BUILD, "",
      SAY("##[group]Run curl || echo connection reset by peer") SAY("##[endgroup]") EXIT, 1, "unknown", "", false },
    { "what was overcome", "failure", BUILD, "", RUN("x") SAY("connection reset by peer; retrying (1/3)... ok") EXIT, 1, "unknown", "", false },
    { "a test's name", "failure", TESTS, "", RUN("x") SAY("tests/a.py::test_connection_reset_by_peer PASSED") EXIT, 1, "unknown", "", false },
    { "refused, outside of tests", "failure", BUILD, "", RUN("x") SAY("connect ECONNREFUSED 198.51.100.1:80") EXIT, 1, "network", "connection-refused", false },
    { "refused, in tests", "failure", TESTS, "", RUN("x") SAY("connect ECONNREFUSED 198.51.100.1:80") EXIT, 1, "unknown", "", false },
    { "a test", "failure", TESTS, "", RUN("x") SAY("--- FAIL: TestA (0.00s)") EXIT, 1, "test", "test-named", false },
    { "weak text alone", "failure", BUILD, "", RUN("x") SAY("make: *** [Makefile:3: all] Error 2") EXIT, 1, "build", "build-ended", false },
    { "weak text, with a reason", "failure", BUILD, "", RUN("x") RESET SAY("make: *** [Makefile:3: all] Error 2") EXIT, 1, "network", "connection-lost", false },
    { "by the step's name", "failure", "Set up job=success,Lint=failure", "", RUN("x") SAY("hm") EXIT, 1, "lint", "lint-step", false },

    { "a lost runner, told", "failure", STUCK, LOST, "", 16, "runner-lost", "runner-lost", false },
    { "a lost runner, by its shape", "failure", STUCK, "", "", 16, "runner-lost", "shape-in-progress", false },
    { "a lost runner, another shape", "failure", CUT, "", RUN("x") SAY("hm"), 16, "runner-lost", "shape-cancelled-step", false },
    { "a limit of time looks so", "failure", CUT, "The job has exceeded the maximum execution time of 1h0m0s", "", 60, "timeout", "job-timeout", false },
    { "or may be one, when nobody can tell", "failure", CUT, NULL, "", 60, "unknown", "", true },
    { "but not after such a time", "failure", STUCK, NULL, "", 13, "runner-lost", "shape-in-progress", false },
    { "nor when the log cannot be read", "failure", STUCK, NULL, NULL, 13, "unknown", "", true },
    { "text of a fault does not lift a veto", "failure", BUILD, "recent account payments have failed", RUN("x") RESET EXIT, 1, "billing", "billing", false },
    { "an annotation of another step", "failure", TESTS, "Failed to FinalizeArtifact: ECONNRESET", RUN("x") SAY("--- FAIL: TestA (0.00s)") EXIT, 1, "test", "test-named", false },
    { "an annotation alone", "failure", BUILD, "Failed to FinalizeArtifact: Unable to make request: ECONNRESET", NULL, 1, "service", "artifact-service", false },

    { "never taken", "failure", NULL, "", "", 15, "not-acquired", "shape-never-taken", false },
    { "never taken, and nobody can tell more", "failure", NULL, NULL, "", 15, "not-acquired", "shape-never-taken", false },
    { "refused, it may be, by a person", "failure", NULL, NULL, "", 30, "unknown", "", true },
    { "never taken for longer", "failure", NULL, "", "", 30, "not-acquired", "shape-never-taken", false },
    { "never started", "failure", NULL, "", "", 0, "unknown", "", false },
    { "never taken, and cancelled", "cancelled", NULL, "", "", 15, "unknown", "", false },
    { "not acquired, told", "cancelled", NULL, "The job was not acquired by Runner of type hosted even after multiple attempts", "", 15,
      "not-acquired", "not-acquired", false },
    { "cancelled by a person", "cancelled", CUT, "The run was canceled by @octocat.", "", 3, "cancelled-by-person", "cancelled-by-person", false },
    { "cancelled, nobody knows why", "cancelled", CUT, "The operation was canceled.", RUN("x") SAY("hm"), 3, "unknown", "", false },
    { "shut down", "cancelled", CUT, "The runner has received a shutdown signal.", RUN("x") SAY("hm"), 3, "runner-shutdown", "runner-shutdown", false },

    { "only the set-up failed", "failure", "Set up job=failure", "", SAY("hm"), 1, "setup", "shape-setup", false },
    { "an image was not had", "failure", "Set up job=success,Initialize containers=failure", "", SAY("hm"), 1, "registry", "shape-container", false },
    { "an image that there is not", "failure", "Set up job=success,Initialize containers=failure", "",
      SAY("##[error]manifest for acme/none:latest not found: manifest unknown"), 1, "environment", "artifact-missing", false },
    { "only the cleaning up failed", "failure", "Set up job=success,Build=success,Post Run actions/checkout=failure", "", SAY("hm"), 1, "service", "shape-after", false },
    { "nothing failed", "failure", "Set up job=success,Build=success,Complete job=success", "", SAY("hm"), 1, "internal-error", "shape-no-work", false },
    { "nothing can be read", "failure", BUILD, NULL, NULL, 1, "unknown", "", true },
};

/* What a policy says of itself comes first in its class, and never before a veto. */
static void own_signatures(void **state)
{
    static const char text[] = "- { id: mine, cause: environment, log: 'reset by peer' }\n"
                               "- { id: lost, cause: test, text: 'payments' }\n";
    struct jr_evidence evidence = { .conclusion = JR_CONCLUSION_FAILURE, .log_found = JR_FOUND };
    static struct jr_problems problems;
    struct jr_signatures own, builtin;
    const struct jr_signature_sets sets = { { &own, &builtin }, 2 };
    struct jr_finding finding;
    struct jr_error error;
    struct jr_yaml *root;

    (void)state;
    assert_int_equal(jr_yaml_parse(text, strlen(text), 1000, &root, &problems), JR_OK);
    assert_int_equal(jr_signatures_read(&own, root, true, &problems), JR_OK);
    assert_int_equal(problems.count, 0);
    jr_yaml_free(root);
    assert_int_equal(jr_signatures_builtin(&builtin, &error), JR_OK);
    add_steps(&evidence, BUILD);
    evidence.log = strdup(RUN("x") RESET EXIT);
    evidence.log_length = strlen(evidence.log);
    jr_judge(&sets, &evidence, &finding);
    assert_string_equal(finding.signature, "mine");
    add_annotations(&evidence, "recent account payments have failed");
    jr_judge(&sets, &evidence, &finding);
    assert_string_equal(finding.signature, "billing");
    jr_evidence_release(&evidence);
    jr_signatures_release(&own);
    jr_signatures_release(&builtin);
}

/* Who has to find a signature gets the first errors, and no exit codes. */
static void first_errors_are_kept(void **state)
{
    struct jr_evidence evidence = { .conclusion = JR_CONCLUSION_FAILURE, .log_found = JR_FOUND };
    struct jr_signatures own = { .count = 0 }, builtin;
    const struct jr_signature_sets sets = { { &own, &builtin }, 2 };
    struct jr_finding finding;
    struct jr_error error;

    (void)state;
    assert_int_equal(jr_signatures_builtin(&builtin, &error), JR_OK);
    add_steps(&evidence, BUILD);
    evidence.log = strdup(RUN("x") SAY("fine") SAY("##[error]Flux capacitor is empty") EXIT);
    evidence.log_length = strlen(evidence.log);
    jr_judge(&sets, &evidence, &finding);
    assert_string_equal(finding.first_error, "Flux capacitor is empty");
    assert_string_equal(finding.step, "Build");
    jr_evidence_release(&evidence);
    jr_signatures_release(&builtin);
}

static void names(void **state)
{
    (void)state;
    assert_true(jr_judge_runs_tests("Run tests"));
    assert_true(jr_judge_runs_tests("npm test"));
    assert_true(jr_judge_runs_tests("Test (3.12)"));
    assert_true(jr_judge_runs_tests("run-e2e"));
    assert_false(jr_judge_runs_tests("Build"));
    assert_false(jr_judge_runs_tests("Publish latest"));
    assert_true(jr_judge_is_echo("all-green"));
    assert_true(jr_judge_is_echo("CI status"));
    assert_false(jr_judge_is_echo("build"));
}

int main(void)
{
    TABLE(rows, judged);
    TEST(own_signatures);
    TEST(first_errors_are_kept);
    TEST(names);
    return run_program("judge");
}
