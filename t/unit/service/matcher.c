/*
 * The matcher as the dispatcher has it: t/job-rerunner, executed anew, and in its place one that
 * was taken over and says anything (this program itself, see lie()).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/rules/policy.h"
#include "lib/service/confine.h"
#include "lib/service/matcher.h"
#include "lib/service/matchwire.h"
#include "t/unit/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Nothing here takes as long, on a machine that does much else, but for what hangs. */
#define DEADLINE_MS (60 * JR_SECOND_MS)

#define SECRET "ghp_a-secret-of-the-test-000001"

#define RUN(name) "2026-11-28T10:00:00.0000000Z ##[group]Run " name "\n2026-11-28T10:00:00.0000000Z ##[endgroup]\n"
#define SAY(text) "2026-11-28T10:00:05.0000000Z " text "\n"
#define EXIT SAY("##[error]Process completed with exit code 1.")
#define RESET RUN("make") SAY("curl: (56) connection reset by peer") EXIT
#define COMPILE RUN("make") SAY("src/a.c:3:5: error: expected ';'") EXIT
#define OFFLINE RUN("make") SAY("adb: device pixel offline") EXIT

/*
 * One signature of a policy's own, and 40 that take as much work for each line of slow_log() as
 * one line may.
 */
static const char *policy_text(void)
{
    static char text[8192];
    size_t length = 0;

    length += (size_t)snprintf(text, sizeof text, "version: 1\notherwise: leave\ncauses:\n"
                               "  - { id: own, cause: environment, log: 'device \\w+ offline' }\n");
    for (int i = 0; i < 40; i++)
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "  - { id: slow-%d, cause: memory, log: '(a+)+[b%d]' }\n", i, i % 10);
    assert_true(length < sizeof text);
    return text;
}

static const char *binary(void)
{
    static char path[PATH_MAX];
    const char *folder = getenv("JR_BUILDDIR");

    snprintf(path, sizeof path, "%s/t/job-rerunner", folder == NULL ? "." : folder);
    return path;
}

static struct jr_matcher *start_other(const char *program, const char *policy)
{
    struct jr_matcher *matcher;
    struct jr_error error;

    if (jr_matcher_start(&matcher, program, policy, strlen(policy), &error) != JR_OK)
        fail_msg("%s", error.text);
    return matcher;
}

static struct jr_matcher *start(void)
{
    return start_other(binary(), policy_text());
}

/* A job whose step "Build" failed, with this log; own: the repository's policy, or NULL. */
static uint64_t begin_under(struct jr_matcher *matcher, const char *log, const char *own, struct jr_error *error)
{
    struct jr_job_step steps[] = {
        { .number = 1, .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_SUCCESS, .name = "Set up job" },
        { .number = 2, .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_FAILURE, .name = "Build" },
    };
    struct jr_evidence evidence = {
        .job_id = 1, .name = "build", .status = JR_STATUS_COMPLETED, .conclusion = JR_CONCLUSION_FAILURE,
        .created_ms = 1000, .started_ms = 1000, .completed_ms = 70000, .runner_told = true, .runner_id = 5,
        .steps_found = JR_FOUND, .steps = steps, .step_count = 2, .annotations_found = JR_ABSENT,
        .log_found = JR_FOUND, .log_length = strlen(log),
    };
    uint64_t number;

    evidence.log = strdup(log);
    number = jr_matcher_begin(matcher, &evidence, own, own == NULL ? 0 : strlen(own), error);
    free(evidence.log);
    return number;
}

static uint64_t begin_with(struct jr_matcher *matcher, const char *log, struct jr_error *error)
{
    return begin_under(matcher, log, NULL, error);
}

static uint64_t begin(struct jr_matcher *matcher, const char *log)
{
    struct jr_error error;
    uint64_t number = begin_with(matcher, log, &error);

    if (number == 0)
        fail_msg("%s", error.text);
    return number;
}

/* Lines of which each costs 40 patterns their limit of steps: hours, in all. */
static char *slow_log(void)
{
    enum { LINES = 20000 };
    static const char line[] = SAY("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    char *log = malloc(sizeof RUN("make") + LINES * (sizeof line - 1));
    char *at = stpcpy(log, RUN("make"));

    for (int i = 0; i < LINES; i++)
        at = stpcpy(at, line);
    return log;
}

static uint64_t begin_slow(struct jr_matcher *matcher)
{
    char *log = slow_log();
    uint64_t number = begin(matcher, log);

    free(log);
    return number;
}

/* Wait for the next finding. */
static uint64_t take(struct jr_matcher *matcher, struct jr_finding *finding)
{
    int64_t until_ms = jr_monotonic_ms() + DEADLINE_MS;
    uint64_t number;

    while (!jr_matcher_take(matcher, &number, finding)) {
        struct pollfd poll_for = { .fd = jr_matcher_fd(matcher), .events = POLLIN };

        if (jr_monotonic_ms() > until_ms)
            fail_msg("nothing is judged");
        (void)poll(&poll_for, 1, 20);
    }
    return number;
}

static void assert_unreadable(const struct jr_finding *finding)
{
    assert_int_equal(finding->cause, JR_CAUSE_UNKNOWN);
    assert_true(finding->unreadable);
    assert_string_equal(finding->signature, "");
}

static const struct kind {
    const char *log, *cause, *signature;
} kinds[] = {
    { RESET, "network", "connection-lost" },
    { COMPILE, "build", "diagnostic" },
    { OFFLINE, "environment", "own" },
};

static void assert_kind(const struct jr_finding *finding, const struct kind *kind)
{
    assert_string_equal(jr_cause_name(finding->cause), kind->cause);
    assert_string_equal(finding->signature, kind->signature);
    assert_false(finding->unreadable);
    assert_string_equal(finding->step, "Build");
    assert_string_not_equal(finding->line, "");
}

/* A job of a repository with a policy of its own. */
static const struct own_row {
    const char *name, *own, *log, *cause, *signature;
} owns[] = {
    { "its signatures come first", "version: 1\ncauses: [{ id: ours, cause: lint, log: 'device \\w+ offline' }]\n", OFFLINE, "lint", "ours" },
    { "it has none for this", "version: 1\ncauses: [{ id: ours, cause: setup, log: 'nothing' }]\n", OFFLINE, "environment", "own" },
    { "it has none at all", "version: 1\n", COMPILE, "build", "diagnostic" },
    { "one that is broken has none", "version: 1\ncauses: [{ id: ours, cause: setup, log: 'device' }, { id: x }]\n", OFFLINE, "environment", "own" },
};

static void judged_by_its_own(void **state)
{
    const struct own_row *row = *state;
    const struct kind want = { row->log, row->cause, row->signature };
    struct jr_matcher *matcher = start();
    struct jr_finding finding;
    struct jr_error error;
    uint64_t number = begin_under(matcher, row->log, row->own, &error);

    if (number == 0)
        fail_msg("%s", error.text);
    assert_int_equal(take(matcher, &finding), number);
    assert_kind(&finding, &want);
    jr_matcher_close(matcher);
}

/* Is the process there, and has it not ended? */
static bool lives(pid_t pid)
{
    char path[64], text[512], state = 'X';
    FILE *stream;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    stream = fopen(path, "re");
    if (stream == NULL)
        return false;
    if (fgets(text, sizeof text, stream) != NULL && strrchr(text, ')') != NULL)
        state = strrchr(text, ')')[2];
    (void)fclose(stream);
    return state != 'Z' && state != 'X';
}

static void wait_for_end(pid_t pid)
{
    int64_t until_ms = jr_monotonic_ms() + DEADLINE_MS;

    while (lives(pid)) {
        if (jr_monotonic_ms() > until_ms)
            fail_msg("%d lives on", (int)pid);
        usleep(5000);
    }
}

/* A child of that process which is not the one that is known; that one: it has no other. */
static pid_t other_child_of(pid_t parent, pid_t known)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    pid_t found = known;

    assert_non_null(folder);
    while (found == known && (entry = readdir(folder)) != NULL) {
        pid_t pid = atoi(entry->d_name);
        char path[300], text[512];
        FILE *stream;
        int of = 0;

        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        stream = pid > 0 && pid != known ? fopen(path, "re") : NULL;
        if (stream == NULL)
            continue;
        if (fgets(text, sizeof text, stream) != NULL && strrchr(text, ')') != NULL
            && sscanf(strrchr(text, ')') + 1, " %*c %d", &of) == 1 && of == parent && lives(pid))
            found = pid;
        (void)fclose(stream);
    }
    closedir(folder);
    return found;
}

/* A child of that process; 0: it has none. */
static pid_t child_of(pid_t parent)
{
    return other_child_of(parent, 0);
}

static pid_t wait_for_child(pid_t parent)
{
    int64_t until_ms = jr_monotonic_ms() + DEADLINE_MS;
    pid_t pid;

    while ((pid = child_of(parent)) == 0) {
        if (jr_monotonic_ms() > until_ms)
            fail_msg("%d has no child", (int)parent);
        usleep(5000);
    }
    return pid;
}

/* The judge of a job that takes long, at work. */
static pid_t wait_for_judge(void)
{
    return wait_for_child(wait_for_child(getpid()));
}

/* The younger one of two. */
static pid_t wait_for_last_judge(void)
{
    pid_t matcher = wait_for_child(getpid()), first = wait_for_child(matcher), last = first;
    int64_t until_ms = jr_monotonic_ms() + DEADLINE_MS;

    while (last == first) {
        if (jr_monotonic_ms() > until_ms)
            fail_msg("there is one judge");
        usleep(5000);
        last = other_child_of(matcher, first);
    }
    return last;
}

static void judges(void **state)
{
    struct jr_matcher *matcher = start();
    struct jr_finding finding;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        uint64_t number = begin(matcher, kinds[i].log);

        assert_int_equal(take(matcher, &finding), number);
        assert_kind(&finding, &kinds[i]);
    }
    assert_false(jr_matcher_is_gone(matcher));
    jr_matcher_close(matcher);
    assert_int_equal(child_of(getpid()), 0);
}

/* Each comes once, whatever the order; one that takes long keeps none of the others. */
static void several(void **state)
{
    enum { JOBS = 30 };
    struct jr_matcher *matcher = start();
    struct jr_finding finding;
    uint64_t slow = begin_slow(matcher), first = begin(matcher, kinds[0].log);
    bool taken[JOBS] = { false };

    (void)state;
    for (size_t i = 1; i < JOBS; i++)
        assert_int_equal(begin(matcher, kinds[i % COUNT(kinds)].log), first + i);
    for (size_t i = 0; i < JOBS; i++) {
        uint64_t number = take(matcher, &finding);

        assert_int_not_equal(number, slow);
        assert_in_range(number, first, first + JOBS - 1);
        assert_false(taken[number - first]);
        taken[number - first] = true;
        assert_kind(&finding, &kinds[(number - first) % COUNT(kinds)]);
    }
    jr_matcher_close(matcher);
}

/* The matcher does nothing, and nobody waits for it. */
static void never_waits(void **state)
{
    struct jr_matcher *matcher = start();
    pid_t pid = wait_for_child(getpid());
    struct jr_finding finding;
    struct jr_error error;
    uint64_t number;

    (void)state;
    assert_int_equal(kill(pid, SIGSTOP), 0);
    for (size_t i = 0; i < JR_MATCHES_MOST; i++)
        (void)begin(matcher, kinds[0].log);
    assert_int_equal(begin_with(matcher, kinds[0].log, &error), 0);
    assert_int_equal(error.code, JR_EBUSY);
    assert_false(jr_matcher_take(matcher, &number, &finding));
    assert_int_equal(kill(pid, SIGCONT), 0);
    for (size_t i = 0; i < JR_MATCHES_MOST; i++) {
        (void)take(matcher, &finding);
        assert_kind(&finding, &kinds[0]);
    }
    assert_true(begin(matcher, kinds[0].log) > 0);
    jr_matcher_close(matcher);
}

static void judge_that_dies(void **state)
{
    struct jr_matcher *matcher = start();
    struct jr_finding finding;
    uint64_t slow = begin_slow(matcher), quick;

    (void)state;
    assert_int_equal(kill(wait_for_judge(), SIGABRT), 0);
    assert_int_equal(take(matcher, &finding), slow);
    assert_unreadable(&finding);
    quick = begin(matcher, kinds[1].log);
    assert_int_equal(take(matcher, &finding), quick);
    assert_kind(&finding, &kinds[1]);
    jr_matcher_close(matcher);
}

/* The processor time of the children of a process that have ended and were waited for, in ms. */
static int64_t children_ms(pid_t pid)
{
    char path[64], text[512] = "";
    long user = -1, system = -1;
    FILE *stream;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    stream = fopen(path, "re");
    assert_non_null(stream);
    (void)!fgets(text, sizeof text, stream);
    (void)fclose(stream);
    assert_int_equal(sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld %ld",
                            &user, &system), 2);
    return (user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

/* Processor time has a limit of a second at least, and three times the limit is all there is. */
static const struct limit {
    const char *name, *limit_ms;
    int64_t most_ms; /* of processor time */
} limits[] = {
    { "by processor time", "1000", 1900 },
    { "by time", "50", 500 },
};

static void takes_too_long(void **state)
{
    const struct limit *limit = *state;
    struct jr_matcher *matcher;
    struct jr_finding finding;
    uint64_t slow;

    assert_int_equal(setenv("JR_TEST_MATCH_LIMIT", limit->limit_ms, 1), 0);
    matcher = start();
    slow = begin_slow(matcher);
    assert_int_equal(take(matcher, &finding), slow);
    assert_unreadable(&finding);
    /* By the time that this one comes, the first has been waited for. */
    (void)begin(matcher, kinds[0].log);
    (void)take(matcher, &finding);
    assert_in_range(children_ms(child_of(getpid())), 0, limit->most_ms);
    assert_int_equal(unsetenv("JR_TEST_MATCH_LIMIT"), 0);
    jr_matcher_close(matcher);
}

/* What the kernel says of a process: a line of a file in its folder of /proc. */
static void assert_told(pid_t pid, const char *file, const char *line)
{
    char path[64], text[16384];
    size_t length;
    FILE *stream;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    stream = fopen(path, "re");
    assert_non_null(stream);
    length = fread(text, 1, sizeof text - 1, stream);
    text[length] = '\0';
    (void)fclose(stream);
    assert_contains(text, line);
}

/* Standard descriptors, its job, and a pipe: neither the socket nor what other judges have. */
static void assert_alone(pid_t judge)
{
    char path[300], to[300];
    struct dirent *entry;
    int jobs = 0, pipes = 0;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)judge);
    folder = opendir(path);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (atoi(entry->d_name) <= STDERR_FILENO)
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)judge, entry->d_name);
        memset(to, 0, sizeof to);
        assert_true(readlink(path, to, sizeof to - 1) > 0);
        assert_not_contains(to, "socket");
        jobs += strstr(to, "memfd:") != NULL;
        pipes += strstr(to, "pipe:") != NULL;
    }
    closedir(folder);
    assert_int_equal(jobs, 1);
    assert_int_equal(pipes, 1);
}

static void judge_is_limited(void **state)
{
    struct jr_matcher *matcher = start();
    int64_t until_ms = jr_monotonic_ms() + DEADLINE_MS;
    pid_t judge;

    (void)state;
    (void)begin_slow(matcher);
    (void)wait_for_judge();
    (void)begin_slow(matcher);
    judge = wait_for_last_judge();
    /* It limits itself before it reads, and then takes its time. */
    while (jr_monotonic_ms() < until_ms && !jr_matcher_is_gone(matcher)) {
        char path[64], text[4096] = "";
        FILE *stream;

        snprintf(path, sizeof path, "/proc/%d/status", (int)judge);
        stream = fopen(path, "re");
        if (stream != NULL) {
            (void)!fread(text, 1, sizeof text - 1, stream);
            (void)fclose(stream);
        }
        if (!jr_confine_is_on() || strstr(text, "Seccomp_filters:\t2") != NULL)
            break;
        usleep(5000);
    }
    assert_told(judge, "limits", "Max core file size        0 ");
    if (jr_confine_is_on()) {
        assert_told(judge, "limits", "Max cpu time              10 ");
        assert_told(judge, "limits", "Max address space         268435456            268435456 ");
        assert_told(judge, "status", "Seccomp:\t2");
        assert_told(judge, "status", "Seccomp_filters:\t2");
        if (geteuid() == 0)
            assert_alone(judge);
    }
    jr_matcher_close(matcher);
}

static void none_stays_behind(void **state)
{
    struct jr_matcher *matcher = start();
    pid_t pid = wait_for_child(getpid()), judge;

    (void)state;
    (void)begin_slow(matcher);
    judge = wait_for_judge();
    jr_matcher_close(matcher);
    assert_int_equal(kill(pid, 0), -1);
    wait_for_end(judge);
}

static void dispatches(int fd, const void *argument)
{
    struct jr_matcher *matcher = start();
    const pid_t pids[] = { wait_for_child(getpid()), (begin_slow(matcher), wait_for_judge()) };

    (void)argument;
    child_says_ready(fd);
    if (write(fd, pids, sizeof pids) != sizeof pids)
        _exit(3);
    child_waits(fd);
}

static void dispatcher_that_dies(void **state)
{
    struct child child;
    pid_t pids[2];

    (void)state;
    start_child(&child, dispatches, NULL);
    assert_int_equal(read(child.fd, pids, sizeof pids), sizeof pids);
    assert_true(lives(pids[0]) && lives(pids[1]));
    kill_child(&child);
    wait_for_end(pids[0]);
    wait_for_end(pids[1]);
}

/* What was handed over can still be taken, as what nobody could read. */
static void matcher_that_dies(void **state)
{
    struct jr_matcher *matcher = start();
    struct jr_finding finding;
    struct jr_error error;
    uint64_t slow = begin_slow(matcher), next = begin(matcher, kinds[0].log), number;

    (void)state;
    assert_int_equal(take(matcher, &finding), next);
    assert_false(jr_matcher_is_gone(matcher));
    assert_int_equal(kill(wait_for_child(getpid()), SIGKILL), 0);
    assert_int_equal(take(matcher, &finding), slow);
    assert_unreadable(&finding);
    assert_true(jr_matcher_is_gone(matcher));
    assert_int_equal(jr_matcher_fd(matcher), -1);
    assert_false(jr_matcher_take(matcher, &number, &finding));
    assert_int_equal(begin_with(matcher, kinds[0].log, &error), 0);
    assert_int_equal(error.code, JR_EIO);
    jr_matcher_close(matcher);
    jr_matcher_close(NULL);
}

static void policy_that_is_wrong(void **state)
{
    struct jr_matcher *matcher = start_other(binary(), "rules: 7\n");
    struct jr_finding finding;
    struct jr_error error;
    uint64_t number;

    (void)state;
    if (begin_with(matcher, kinds[0].log, &error) != 0) {
        (void)take(matcher, &finding);
        assert_unreadable(&finding);
    }
    wait_for_end(child_of(getpid()));
    assert_false(jr_matcher_take(matcher, &number, &finding));
    assert_true(jr_matcher_is_gone(matcher));
    jr_matcher_close(matcher);
}

/* Is the text anywhere in what the process could read of itself? */
static bool in_memory(pid_t pid, const char *text)
{
    char path[64], line[512];
    FILE *maps;
    bool found = false;
    size_t read_bytes = 0;
    int memory;

    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    maps = fopen(path, "re");
    assert_true(memory >= 0 && maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from, to;
        char *bytes;
        ssize_t got;

        if (sscanf(line, "%lx-%lx r", &from, &to) != 2 || strstr(line, "[v") != NULL || to - from > 1UL << 28)
            continue;
        bytes = malloc(to - from);
        got = bytes == NULL ? -1 : pread(memory, bytes, to - from, (off_t)from);
        found |= got > 0 && memmem(bytes, (size_t)got, text, strlen(text)) != NULL;
        read_bytes += got > 0 ? (size_t)got : 0;
        free(bytes);
    }
    (void)fclose(maps);
    close(memory);
    assert_true(read_bytes > 100000);
    return found;
}

static void assert_environment(pid_t pid)
{
    char path[64], text[TEXT_SIZE];
    ssize_t length;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    length = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(length > 0);
    text[length] = '\0';
    for (const char *at = text; at < text + length; at += strlen(at) + 1)
        if (strncmp(at, "JR_TEST_", 8) != 0 && strstr(at, "SAN_OPTIONS=") == NULL
            && strncmp(at, "GCOV_PREFIX", 11) != 0)
            fail_msg("it has %s", at);
}

/* 0 and 1 are nothing, 2 is standard error, 3 the socket. */
static void assert_descriptors(pid_t pid)
{
    char path[300], to[300], error[300];
    struct dirent *entry;
    DIR *folder;
    int count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    folder = opendir(path);
    assert_non_null(folder);
    memset(error, 0, sizeof error);
    assert_true(readlink("/proc/self/fd/2", error, sizeof error - 1) > 0);
    while ((entry = readdir(folder)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)pid, entry->d_name);
        memset(to, 0, sizeof to);
        assert_true(readlink(path, to, sizeof to - 1) > 0);
        if (fd < 2)
            assert_string_equal(to, "/dev/null");
        else if (fd == 2)
            assert_string_equal(to, error);
        else if (fd == JR_MATCHER_FD)
            assert_contains(to, "socket:");
        else
            fail_msg("%d is %s", fd, to);
        count++;
    }
    closedir(folder);
    assert_int_equal(count, 4);
}

static void holds_no_secret(void **state)
{
    const char *log = RUN("make") SAY("a-text-of-the-log") EXIT;
    int pair[2], file = open("/dev/null", O_RDONLY); /* that others forgot to close on exec */
    struct jr_matcher *matcher;
    struct jr_finding finding;
    char *copy;
    pid_t pid;

    (void)state;
    /* What it holds is shown to root alone; valgrind has descriptors and variables of its own. */
    if (geteuid() != 0 || getenv("JR_VALGRIND") != NULL)
        return;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(setenv("GITHUB_TOKEN", SECRET, 1), 0);
    assert_int_equal(setenv("JR_TEST_NOTHING", "stays", 1), 0);
    copy = strdup(SECRET);
    matcher = start();
    (void)begin(matcher, log);
    (void)take(matcher, &finding);
    pid = child_of(getpid());
    assert_environment(pid);
    assert_descriptors(pid);
    assert_true(in_memory(getpid(), SECRET));
    assert_false(in_memory(pid, SECRET));
    assert_true(in_memory(pid, "slow-39"));
    if (jr_confine_is_on()) {
        assert_told(pid, "status", "NoNewPrivs:\t1");
        assert_told(pid, "status", "Seccomp:\t2");
    }
    jr_matcher_close(matcher);
    assert_int_equal(unsetenv("GITHUB_TOKEN"), 0);
    assert_int_equal(unsetenv("JR_TEST_NOTHING"), 0);
    free(copy);
    close(file);
    close(pair[0]);
    close(pair[1]);
}

/* The terminal, and who stops the service, signal all processes: the dispatcher may still want answers. */
static void ended_by_no_signal(void **state)
{
    static const int signals[] = { SIGINT, SIGHUP, SIGTERM, SIGUSR1 };
    struct jr_matcher *matcher = start();
    struct jr_finding finding;
    pid_t pid = wait_for_child(getpid());

    (void)state;
    (void)begin(matcher, kinds[0].log);
    (void)take(matcher, &finding); /* it is past its start */
    for (size_t i = 0; i < COUNT(signals); i++)
        assert_int_equal(kill(pid, signals[i]), 0);
    (void)begin(matcher, kinds[1].log);
    (void)take(matcher, &finding);
    assert_kind(&finding, &kinds[1]);
    jr_matcher_close(matcher);
    assert_false(lives(pid));
}

/* For anybody else there is no such option. */
static void hidden(void **state)
{
    (void)state;
    for (int type = 0; type <= SOCK_SEQPACKET; type++) {
        int pair[2], status;
        pid_t pid;

        if (type != 0 && type != SOCK_STREAM && type != SOCK_DGRAM)
            continue;
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
            int nowhere = open("/dev/null", O_RDWR);

            (void)dup2(nowhere, STDERR_FILENO);
            close(JR_MATCHER_FD);
            if (type != 0 && (socketpair(AF_UNIX, type, 0, pair) != 0 || dup2(pair[0], JR_MATCHER_FD) < 0))
                _exit(3);
            (void)execl(binary(), binary(), JR_MATCHER_ARGUMENT, (char *)NULL);
            _exit(4);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 2 << 8);
    }
}

/* A matcher that was taken over. */
enum lie { SILENCE = 1, OTHER_NUMBER, OTHER_KIND, SHORT, LONG, NO_FINDING, NONSENSE, TWICE, DESCRIPTORS };

static const struct liar {
    const char *name;
    enum lie lie;
    bool gone;
} liars[] = {
    { "says nothing", SILENCE, true },
    { "answers what was not asked", OTHER_NUMBER, true },
    { "answers with a question", OTHER_KIND, true },
    { "says too little", SHORT, true },
    { "says too much", LONG, true },
    { "finds nothing", NO_FINDING, false },
    { "finds what cannot be", NONSENSE, false },
    { "finds it twice", TWICE, true },
    { "hands over what nobody wants", DESCRIPTORS, false },
};

/* In the place of the program, as JR_TEST_LIE says. */
static int lie(int socket)
{
    enum lie kind = (enum lie)atoi(getenv("JR_TEST_LIE"));
    struct jr_match_message message;
    static unsigned char bytes[16384];

    (void)alarm(60); /* whatever happens, it ends */
    while (jr_match_receive(socket, 0, true, &message) == JR_OK) {
        close(message.fd);
        if (message.kind != JR_MATCH_JOB || kind == SILENCE)
            continue;
        message.fd = kind == DESCRIPTORS ? socket : -1;
        message.kind = kind == OTHER_KIND ? JR_MATCH_JOB : JR_MATCH_FOUND;
        message.number += kind == OTHER_NUMBER;
        message.length = kind == NO_FINDING ? 0 : sizeof message.bytes;
        memset(message.bytes, 0xa5, sizeof message.bytes);
        memset(bytes, JR_MATCH_FOUND, sizeof bytes);
        if (kind == SHORT || kind == LONG)
            (void)!send(socket, bytes, kind == SHORT ? 5 : sizeof bytes, 0);
        else
            (void)jr_match_send(socket, &message, 0);
        if (kind == TWICE)
            (void)jr_match_send(socket, &message, 0);
    }
    return 0;
}

static size_t count_descriptors(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void taken_over(void **state)
{
    const struct liar *liar = *state;
    char number[16], self[PATH_MAX] = "";
    struct jr_matcher *matcher;
    struct jr_finding finding;
    size_t open_before;
    uint64_t job, none;

    snprintf(number, sizeof number, "%d", liar->lie);
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    assert_int_equal(setenv("JR_TEST_LIE", number, 1), 0);
    assert_int_equal(setenv("JR_TEST_MATCH_LIMIT", liar->lie == SILENCE ? "20" : "10000", 1), 0);
    matcher = start_other(self, policy_text());
    open_before = count_descriptors();
    job = begin(matcher, kinds[0].log);
    assert_int_equal(take(matcher, &finding), job);
    assert_unreadable(&finding);
    if (liar->lie == TWICE)
        while (!jr_matcher_is_gone(matcher))
            assert_false(jr_matcher_take(matcher, &none, &finding));
    assert_int_equal(jr_matcher_is_gone(matcher), liar->gone);
    assert_false(jr_matcher_take(matcher, &none, &finding));
    assert_int_equal(count_descriptors(), open_before - (liar->gone ? 1 : 0));
    jr_matcher_close(matcher);
    assert_int_equal(unsetenv("JR_TEST_LIE"), 0);
    assert_int_equal(unsetenv("JR_TEST_MATCH_LIMIT"), 0);
}

int main(int argc, char **argv)
{
    /* The matcher itself confines itself, and no tool can look into it then. */
    if (getenv("JR_VALGRIND") != NULL)
        (void)setenv("JR_TEST_CONFINE", "off", 1);
    if (argc == 2 && strcmp(argv[1], JR_MATCHER_ARGUMENT) == 0)
        return lie(JR_MATCHER_FD);
    TABLE(owns, judged_by_its_own);
    TEST(judges);
    TEST(several);
    TEST(never_waits);
    TEST(judge_that_dies);
    TABLE(limits, takes_too_long);
    TEST(judge_is_limited);
    TEST(none_stays_behind);
    TEST(dispatcher_that_dies);
    TEST(matcher_that_dies);
    TEST(policy_that_is_wrong);
    TEST(holds_no_secret);
    TEST(ended_by_no_signal);
    TEST(hidden);
    TABLE(liars, taken_over);
    return run_program("matcher");
}
