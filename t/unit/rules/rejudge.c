/*
 * rejudge -- the cause of a job, judged once more by what is recorded of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/rejudge.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <string.h>

struct row {
    const char *name, *own; /* signatures of a policy, or "" */
    struct jr_finding finding;
    enum jr_cause want;
    const char *signature, *line;
};

static void read_own(struct jr_signatures *signatures, const char *text)
{
    struct jr_problems problems = { .count = 0 };
    struct jr_yaml *root;

    memset(signatures, 0, sizeof *signatures);
    if (*text == '\0')
        return;
    assert_int_equal(jr_yaml_parse(text, strlen(text), 10000, &root, &problems), JR_OK);
    assert_int_equal(jr_signatures_read(signatures, root, true, &problems), JR_OK);
    assert_int_equal(problems.count, 0);
    jr_yaml_free(root);
}

static void rejudged(void **state)
{
    const struct row *row = *state;
    struct jr_finding finding = row->finding;
    struct jr_signatures own, builtin;
    struct jr_error error;

    read_own(&own, row->own);
    assert_int_equal(jr_signatures_builtin(&builtin, &error), JR_OK);
    jr_rejudge(&own, &builtin, "android (1)", &finding);
    assert_int_equal(finding.cause, row->want);
    assert_string_equal(finding.signature, row->signature);
    assert_string_equal(finding.line, row->line);
    jr_signatures_release(&own);
    jr_signatures_release(&builtin);
}

#define RESET   "curl: (56) connection reset by peer"
#define NETWORK { .cause = JR_CAUSE_NETWORK, .signature = "connection-lost", .line = RESET, .step = "Build" }
#define ODD     { .cause = JR_CAUSE_UNKNOWN, .first_error = "at first\nadb: device offline\nat last", .step = "Install" }

static const struct row rows[] = {
    { "nothing of one's own", "", NETWORK, JR_CAUSE_NETWORK, "connection-lost", RESET },
    { "unknown, and stays so", "", ODD, JR_CAUSE_UNKNOWN, "", "" },
    { "one of the first errors", "- { id: mine, cause: setup, log: device offline }", ODD, JR_CAUSE_SETUP, "mine", "adb: device offline" },
    { "the last line counts", "- { id: mine, cause: setup, log: '^at ' }", ODD, JR_CAUSE_SETUP, "mine", "at last" },
    { "of other jobs", "- { id: mine, cause: setup, job: 'ios*', log: device offline }", ODD, JR_CAUSE_UNKNOWN, "", "" },
    { "the name of the step", "- { id: mine, cause: setup, step: '^install' }", ODD, JR_CAUSE_SETUP, "mine", "Install" },
    { "what the name of the step tells comes last", "- { id: mine, cause: setup, step: '^install' }\n- { id: log, cause: git, log: at last }", ODD,
      JR_CAUSE_GIT, "log", "at last" },
    { "one's own first", "- { id: mine, cause: service, log: connection reset }", NETWORK, JR_CAUSE_SERVICE, "mine", RESET },
    { "what weighs more", "- { id: mine, cause: test, log: connection reset }", NETWORK, JR_CAUSE_TEST, "mine", RESET },
    { "what weighs less", "- { id: mine, cause: test, log: connection reset, weak: yes }", NETWORK, JR_CAUSE_NETWORK, "connection-lost", RESET },
    { "of an annotation", "- { id: mine, cause: service, annotation: connection reset }", NETWORK, JR_CAUSE_SERVICE, "mine", RESET },
    { "another policy's, which the program knows", "",
      { .cause = JR_CAUSE_SETUP, .signature = "theirs", .line = RESET, .step = "Build" }, JR_CAUSE_NETWORK, "connection-lost", RESET },
    { "another policy's, which nobody knows", "",
      { .cause = JR_CAUSE_SETUP, .signature = "theirs", .line = "odd", .step = "Build" }, JR_CAUSE_UNKNOWN, "", "" },
    { "without a signature", "", { .cause = JR_CAUSE_ECHO }, JR_CAUSE_ECHO, "", "" },
};

int main(void)
{
    TABLE(rows, rejudged);
    return run_program("rejudge");
}
