/*
 * match -- what it costs to judge a log.
 *
 *   match patterns            the patterns of the program's own that are tried on lines of a log, a line each
 *   match alone LOG TIMES     ms of processor for one log, of that many, in this process
 *   match matcher LOG TIMES PROGRAM
 *                             the same in a matcher, with all that this takes there and here; then
 *                             the kB of memory that the matcher has after a tenth of them, and in the
 *                             end, and those that the largest of its children had
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/format/yaml.h"
#include "lib/service/matcher.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATTERNS_MOST (256 * 1024)
#define ANSWER_LIMIT_MS 60000

static _Noreturn void fail(const char *text)
{
    fprintf(stderr, "match: %s\n", text);
    exit(1);
}

static void print_patterns(void)
{
    static const char *const keys[] = { "text", "log", "ignore" };
    struct jr_problems problems = { .count = 0 };
    struct jr_yaml *root;

    if (jr_yaml_parse(jr_causes_yml, jr_causes_yml_length, PATTERNS_MOST, &root, &problems) != JR_OK
        || root == NULL)
        fail("the signatures cannot be read");
    for (size_t i = 0; i < root->count; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            const struct jr_yaml *pattern = jr_yaml_get(root->items[i], keys[k]);

            if (pattern != NULL)
                puts(pattern->text);
        }
    jr_yaml_free(root);
}

/* A job that failed in its only step, whose log this is. */
static struct jr_evidence read_evidence(const char *path)
{
    static struct jr_job_step step = {
        .number = 2, .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_FAILURE, .name = "Build",
    };
    struct jr_evidence evidence = {
        .job_id = 1, .name = "build", .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_FAILURE,
        .created_ms = 1000, .started_ms = 1000, .completed_ms = 70000, .runner_told = true, .runner_id = 5,
        .steps_found = JR_FOUND, .steps = &step, .step_count = 1, .annotations_found = JR_ABSENT,
        .log_found = JR_FOUND,
    };
    FILE *stream = fopen(path, "re");

    evidence.log = malloc(JR_LOG_MOST);
    if (stream == NULL || evidence.log == NULL)
        fail("the log cannot be read");
    evidence.log_length = fread(evidence.log, 1, JR_LOG_MOST, stream);
    (void)fclose(stream);
    return evidence;
}

/* Of this process, and of its children that were waited for. */
static double cpu_ms(void)
{
    static const int whose[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
    double ms = 0;

    for (int i = 0; i < 2; i++) {
        struct rusage usage;

        (void)getrusage(whose[i], &usage);
        ms += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
              + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
    }
    return ms;
}

static void judge_alone(const char *path, int times)
{
    struct jr_evidence evidence = read_evidence(path);
    struct jr_signatures own = { .count = 0 }, builtin;
    const struct jr_signature_sets sets = { { &own, &builtin }, 2 };
    struct jr_finding finding;
    struct jr_error error;
    double begun_ms;

    if (jr_signatures_builtin(&builtin, &error) != JR_OK)
        fail(error.text);
    begun_ms = cpu_ms();
    for (int i = 0; i < times; i++)
        jr_judge(&sets, &evidence, &finding);
    printf("%.3f\n", (cpu_ms() - begun_ms) / times);
}

/* A line of /proc/PID/smaps_rollup: memory of its own, in kB. */
static long own_kb(const char *pid)
{
    char path[300], line[256];
    long kb = -1;
    FILE *stream;

    snprintf(path, sizeof path, "/proc/%s/smaps_rollup", pid);
    stream = fopen(path, "re");
    while (stream != NULL && kb < 0 && fgets(line, sizeof line, stream) != NULL)
        (void)sscanf(line, "Pss_Anon: %ld kB", &kb);
    if (stream != NULL)
        (void)fclose(stream);
    return kb;
}

/* Of our only child. */
static long matcher_kb(void)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    long kb = -1;

    while (folder != NULL && kb < 0 && (entry = readdir(folder)) != NULL) {
        char path[300], line[512] = "";
        FILE *stream;
        int parent = 0;

        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        stream = atoi(entry->d_name) > 0 ? fopen(path, "re") : NULL;
        if (stream == NULL)
            continue;
        if (fgets(line, sizeof line, stream) != NULL && strrchr(line, ')') != NULL)
            (void)sscanf(strrchr(line, ')') + 1, " %*c %d", &parent);
        (void)fclose(stream);
        if (parent == getpid())
            kb = own_kb(entry->d_name);
    }
    if (folder != NULL)
        closedir(folder);
    return kb;
}

static void judge_one(struct jr_matcher *matcher, const struct jr_evidence *evidence)
{
    int64_t until_ms = jr_monotonic_ms() + ANSWER_LIMIT_MS;
    struct jr_finding finding;
    struct jr_error error;
    uint64_t number;

    if (jr_matcher_begin(matcher, evidence, NULL, 0, &error) == 0)
        fail(error.text);
    while (!jr_matcher_take(matcher, &number, &finding)) {
        struct pollfd answer = { .fd = jr_matcher_fd(matcher), .events = POLLIN };

        (void)poll(&answer, 1, 1000);
        if (jr_monotonic_ms() > until_ms)
            fail("no answer");
    }
    if (finding.unreadable)
        fail("the log was not judged");
}

static void judge_in_matcher(const char *path, int times, const char *program)
{
    static const char policy[] = "version: 1\notherwise: leave\n";
    struct jr_evidence evidence = read_evidence(path);
    struct jr_matcher *matcher;
    struct jr_error error;
    struct rusage usage;
    long early_kb = -1, late_kb;
    double begun_ms = cpu_ms();

    if (jr_matcher_start(&matcher, program, policy, sizeof policy - 1, &error) != JR_OK)
        fail(error.text);
    for (int i = 1; i <= times; i++) {
        judge_one(matcher, &evidence);
        if (i == (times + 9) / 10)
            early_kb = matcher_kb();
    }
    late_kb = matcher_kb();
    jr_matcher_close(matcher);
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    printf("%.3f %ld %ld %ld\n", (cpu_ms() - begun_ms) / times, early_kb, late_kb, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (argc == 2 && strcmp(what, "patterns") == 0)
        print_patterns();
    else if (argc == 4 && strcmp(what, "alone") == 0 && atoi(argv[3]) > 0)
        judge_alone(argv[2], atoi(argv[3]));
    else if (argc == 5 && strcmp(what, "matcher") == 0 && atoi(argv[3]) > 0)
        judge_in_matcher(argv[2], atoi(argv[3]), argv[4]);
    else
        fail("usage: match patterns | alone LOG TIMES | matcher LOG TIMES PROGRAM");
    return 0;
}
