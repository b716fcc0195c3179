/*
 * cause -- why a job failed.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/model/cause.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    bool infrastructural, cancels, forbids;
} causes[JR_CAUSES] = {
    [JR_CAUSE_RUNNER_LOST] = { "runner-lost", true, true, false },
    [JR_CAUSE_RUNNER_SHUTDOWN] = { "runner-shutdown", true, true, false },
    [JR_CAUSE_NOT_ACQUIRED] = { "not-acquired", true, true, false },
    [JR_CAUSE_PROVISIONING] = { "provisioning", true, true, false },
    [JR_CAUSE_INTERNAL_ERROR] = { "internal-error", true, true, false },
    [JR_CAUSE_SETUP] = { "setup", true, false, false },
    [JR_CAUSE_SERVICE] = { "service", true, false, false },
    [JR_CAUSE_NETWORK] = { "network", true, false, false },
    [JR_CAUSE_REGISTRY] = { "registry", true, false, false },
    [JR_CAUSE_GIT] = { "git", true, false, false },
    [JR_CAUSE_RATE_LIMITED] = { "rate-limited", true, false, false },
    [JR_CAUSE_DISK] = { "disk", true, false, false },
    [JR_CAUSE_MEMORY] = { "memory", true, false, false },
    [JR_CAUSE_TIMEOUT] = { "timeout", false, false, false },
    [JR_CAUSE_STEP_TIMEOUT] = { "step-timeout", false, false, false },
    [JR_CAUSE_TEST] = { "test", false, false, false },
    [JR_CAUSE_BUILD] = { "build", false, false, false },
    [JR_CAUSE_LINT] = { "lint", false, false, false },
    [JR_CAUSE_CRASH] = { "crash", false, false, false },
    [JR_CAUSE_ENVIRONMENT] = { "environment", false, false, false },
    [JR_CAUSE_BILLING] = { "billing", false, false, true },
    [JR_CAUSE_POLICY] = { "policy", false, false, true },
    [JR_CAUSE_WORKFLOW_INVALID] = { "workflow-invalid", false, false, true },
    [JR_CAUSE_CANCELLED_BY_PERSON] = { "cancelled-by-person", false, false, true },
    [JR_CAUSE_SUPERSEDED] = { "superseded", false, false, true },
    [JR_CAUSE_ECHO] = { "echo", false, false, false },
    [JR_CAUSE_UNKNOWN] = { "unknown", false, false, false },
};

const char *jr_cause_name(enum jr_cause cause)
{
    return (unsigned)cause < JR_CAUSES ? causes[cause].name : NULL;
}

enum jr_cause jr_cause_from(const char *word)
{
    for (unsigned i = 0; i < JR_CAUSES; i++)
        if (causes[i].name != NULL && strcmp(causes[i].name, word) == 0)
            return (enum jr_cause)i;
    return JR_CAUSE_NONE;
}

bool jr_cause_is_infrastructural(enum jr_cause cause)
{
    return (unsigned)cause < JR_CAUSES && causes[cause].infrastructural;
}

bool jr_cause_cancels(enum jr_cause cause)
{
    return (unsigned)cause < JR_CAUSES && causes[cause].cancels;
}

bool jr_cause_forbids(enum jr_cause cause)
{
    return (unsigned)cause < JR_CAUSES && causes[cause].forbids;
}
