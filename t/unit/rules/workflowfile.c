/*
 * workflowfile -- which jobs would run again by a workflow's file, and whether one deploys.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/workflowfile.h"
#include "t/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file_row {
    const char *name, *file;
    const char *failed; /* "a|b"; NULL: the whole run is rerun */
    enum jr_guard_told want;
};

static void file(void **state)
{
    const struct file_row *row = *state;
    const char *all = row->failed == NULL ? "" : row->failed, *failed[8];
    char *names = strdup(all), *rest = names, *one;
    size_t count = 0;

    while (*all != '\0' && (one = strsep(&rest, "|")) != NULL)
        failed[count++] = one;
    assert_string_equal(jr_guard_told_name(jr_workflowfile_deploys(row->file, strlen(row->file), row->failed == NULL ? NULL : failed, count)),
                        jr_guard_told_name(row->want));
    free(names);
}

#define HEAD "name: CI\non: [push]\njobs:\n"
#define BUILD "  build:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n        with: { fetch-depth: 0 }\n"
#define DEPLOY "  ship:\n    needs: [lint, test]\n    environment: production\n"
#define CHAIN HEAD BUILD "  lint: { needs: build }\n  test:\n    needs: [build]\n    strategy: { matrix: { os: [linux, macos] } }\n" DEPLOY \
              "  docs: { environment: { name: pages, url: 'https://example.org' } }\n"

static const struct file_row files[] = {
    { "nothing deploys", HEAD BUILD, "build", JR_GUARD_FREE },
    { "the whole run, and nothing deploys", HEAD BUILD, NULL, JR_GUARD_FREE },
    { "the whole run", HEAD BUILD DEPLOY "  lint: {}\n  test: {}\n", NULL, JR_GUARD_HOLDS },
    { "the job that failed", CHAIN, "ship", JR_GUARD_HOLDS },
    { "one that needs it, over another", CHAIN, "build", JR_GUARD_HOLDS },
    { "a matrix", CHAIN, "test (macos)", JR_GUARD_HOLDS },
    { "one that needs nobody", CHAIN, "docs", JR_GUARD_HOLDS },
    { "of two that failed, the second", HEAD BUILD DEPLOY "  lint: {}\n  test: {}\n", "build|test", JR_GUARD_HOLDS },
    { "those beside it do not run again", HEAD BUILD DEPLOY "  lint: {}\n  test: {}\n", "build", JR_GUARD_FREE },
    { "shown by its name, not by its id", HEAD "  a: { name: Build all }\n  b: { needs: a, environment: x }\n", "Build all", JR_GUARD_HOLDS },
    { "an id that is not shown", HEAD "  a: { name: Build all }\n", "a", JR_GUARD_NOT_TOLD },
    { "an id in another case", HEAD "  Build: {}\n  b: { needs: build, environment: x }\n", "Build", JR_GUARD_HOLDS },
    { "a name with an expression", HEAD "  a: { name: 'Build ${{ matrix.os }}', environment: x }\n  b: {}\n", "Build linux", JR_GUARD_HOLDS },
    { "... and another job's", HEAD "  a: { name: 'Build ${{ matrix.os }}', environment: x }\n  b: {}\n", "b", JR_GUARD_FREE },
    { "any name", HEAD "  a: { name: '${{ matrix.os }}', environment: x }\n  b: {}\n", "linux", JR_GUARD_HOLDS },
    { "an environment by an expression", HEAD "  a: { environment: '${{ inputs.where }}' }\n", "a", JR_GUARD_HOLDS },
    { "no environment", HEAD "  a: { environment: '' }\n", "a", JR_GUARD_FREE },
    { "a called workflow", HEAD "  a: { uses: ./.github/workflows/tests.yml }\n", "a / inner", JR_GUARD_NOT_TOLD },
    { "one that says that it deploys", HEAD "  a: { uses: ./.github/workflows/deploy.yml }\n", "a / inner", JR_GUARD_HOLDS },
    { "one behind it", HEAD "  a: {}\n  b: { needs: a, uses: octo/ci/.github/workflows/release.yml@v1 }\n", "a", JR_GUARD_HOLDS },
    { "one that does not run again", HEAD "  a: {}\n  b: { uses: octo/ci/.github/workflows/release.yml@v1 }\n", "a", JR_GUARD_FREE },
    { "a job behind a called workflow", HEAD "  a: { uses: ./x.yml }\n  b: { needs: a, environment: x }\n", "a / c / d", JR_GUARD_HOLDS },
    { "no job has failed", CHAIN, "", JR_GUARD_NOT_TOLD },
    { "a job of that name is not there", HEAD BUILD, "build|other", JR_GUARD_NOT_TOLD },
    { "... but what is there deploys", CHAIN, "ship|other", JR_GUARD_HOLDS },
    { "needs what is not there", HEAD "  a: { needs: b }\n", "a", JR_GUARD_NOT_TOLD },
    { "they need each other", HEAD "  a: { needs: b }\n  b: { needs: a }\n", "a", JR_GUARD_FREE },
    { "an anchor", HEAD "  a: &x { environment: y }\n", "a", JR_GUARD_NOT_TOLD },
    { "no jobs", "name: CI\n", "a", JR_GUARD_NOT_TOLD },
    { "a list of jobs", "jobs: [a, b]\n", "a", JR_GUARD_NOT_TOLD },
    { "jobs that are no maps", "jobs: { a: b }\n", "a", JR_GUARD_NOT_TOLD },
    { "no YAML", "jobs: [\n", "a", JR_GUARD_NOT_TOLD },
    { "nothing", "", "a", JR_GUARD_NOT_TOLD },
};

/* No file takes long to be read, whatever stands in it. */
static void file_has_a_ceiling(void **state)
{
    char *text = malloc(JR_WORKFLOWFILE_MAX + 2);
    const char *failed = "j1";
    size_t length;

    (void)state;
    assert_non_null(text);
    length = (size_t)sprintf(text, "jobs:\n");
    for (int i = 0; i <= JR_WORKFLOWFILE_JOBS_MAX; i++)
        length += (size_t)sprintf(text + length, "  j%d: {}\n", i);
    assert_int_equal(jr_workflowfile_deploys(text, length, &failed, 1), JR_GUARD_NOT_TOLD);
    length = strlen(text) - strlen("  j200: {}\n");
    assert_int_equal(jr_workflowfile_deploys(text, length, &failed, 1), JR_GUARD_FREE);
    memset(text, '\n', JR_WORKFLOWFILE_MAX + 1);
    memcpy(text, "jobs: { j1: {} }", 16);
    assert_int_equal(jr_workflowfile_deploys(text, JR_WORKFLOWFILE_MAX, &failed, 1), JR_GUARD_FREE);
    assert_int_equal(jr_workflowfile_deploys(text, JR_WORKFLOWFILE_MAX + 1, &failed, 1), JR_GUARD_NOT_TOLD);
    memset(text, '[', JR_WORKFLOWFILE_MAX);
    assert_int_equal(jr_workflowfile_deploys(text, JR_WORKFLOWFILE_MAX, &failed, 1), JR_GUARD_NOT_TOLD);
    length = 0;
    for (int i = 0; length < JR_WORKFLOWFILE_MAX - 16; i++)
        length += (size_t)sprintf(text + length, "%x:\n", i);
    assert_int_equal(jr_workflowfile_deploys(text, length, &failed, 1), JR_GUARD_NOT_TOLD);
    free(text);
}

int main(void)
{
    TABLE(files, file);
    TEST(file_has_a_ceiling);
    return run_program("workflowfile");
}
