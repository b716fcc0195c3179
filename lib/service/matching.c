/*
 * matching -- the matcher's own side: what it is from its start to its end.
 *
 * The process itself reads only what the dispatcher sends, and passes on what its children
 * say without a look. They read what comes from outside. A child closes all but the job that it
 * judges and the pipe to its parent before it reads a byte of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/matcher.h"
#include "lib/base/codec.h"
#include "lib/base/log.h"
#include "lib/base/testpoint.h"
#include "lib/rules/policy.h"
#include "lib/service/confine.h"
#include "lib/service/matchwire.h"
#include "lib/service/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* A judge that is stopped or sleeps uses no processor time: it has so many times of it in all. */
#define WALL 3

/* How often to look whether a judge has ended that has said all. */
#define END_LOOK_MS 10

/* A file with evidence is never larger. */
#define EVIDENCE_MOST (JR_LOG_MOST + 1024 * 1024 + JR_POLICY_BYTES_MAX)

struct judge {
    pid_t pid; /* 0: there is none */
    int fd;    /* of a pipe; -1: it has said all */
    uint64_t number;
    size_t length;
    unsigned char bytes[JR_MATCH_FINDING_SIZE]; /* what it has said so far */
};

struct matching {
    int socket;
    struct jr_policy policy; /* for its signatures */
    struct jr_signatures builtin;
    bool confined;
    struct judge judges[JR_MATCHES_AT_ONCE];
};

bool jr_matcher_is_socket(int fd)
{
    int domain, type;
    socklen_t size = sizeof(int);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX
           && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* The kernel ends it when it uses more. Nothing that it may ask for later undoes this. */
static bool limit_judge(void)
{
    int64_t limit_ms = jr_test_match_limit_ms(JR_JUDGE_LIMIT_MS), wall_ms = WALL * limit_ms;
    rlim_t seconds = limit_ms < 1000 ? 1 : (rlim_t)(limit_ms / 1000);
    const struct rlimit time = { seconds, seconds + 1 };
    const struct rlimit memory = { JR_JUDGE_MEMORY_BYTES, JR_JUDGE_MEMORY_BYTES };
    const struct itimerval timer = {
        .it_value = { .tv_sec = wall_ms / 1000, .tv_usec = wall_ms % 1000 * 1000 },
    };

    return signal(SIGALRM, SIG_DFL) != SIG_ERR && signal(SIGXCPU, SIG_DFL) != SIG_ERR
           && setrlimit(RLIMIT_CPU, &time) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0
           && (!jr_confine_is_on() || setrlimit(RLIMIT_AS, &memory) == 0);
}

/* What is not this judge's. */
static void close_all(const struct matching *matching)
{
    close(matching->socket);
    for (size_t i = 0; i < JR_MATCHES_AT_ONCE; i++)
        if (matching->judges[i].pid != 0 && matching->judges[i].fd >= 0)
            close(matching->judges[i].fd);
}

/* The signatures of the repository's own policy; one that is broken has none that count. */
static bool read_own(struct jr_policy *own, const char *text, size_t length)
{
    struct jr_problems *problems = calloc(1, sizeof *problems);
    bool good = problems != NULL && jr_policy_read_own(own, text, length, problems) == JR_OK;

    if (good && problems->count > 0)
        jr_policy_release(own);
    free(problems);
    return good;
}

/* Returns whether there is a finding. */
static bool judge_bytes(const struct matching *matching, const char *bytes, size_t length,
                  struct jr_finding *finding)
{
    struct jr_policy own = { .wants_evidence = false };
    struct jr_evidence evidence;
    struct jr_signature_sets sets = {
        { &own.signatures, &matching->policy.signatures, &matching->builtin }, 3,
    };
    struct jr_reader reader;
    size_t own_length, before;
    bool good;

    jr_reader_init(&reader, bytes, length);
    own_length = jr_read_u32(&reader);
    before = reader.offset + own_length;
    if (!reader.ok || own_length > JR_POLICY_BYTES_MAX || before > length)
        return false;
    good = (own_length == 0 || read_own(&own, bytes + reader.offset, own_length))
           && jr_evidence_decode(&evidence, bytes + before, length - before);
    if (good) {
        jr_judge(&sets, &evidence, finding);
        jr_evidence_release(&evidence);
    }
    jr_policy_release(&own);
    return good;
}

static bool judge_file(const struct matching *matching, int file, struct jr_finding *finding)
{
    size_t length;
    char *bytes = jr_match_read(file, EVIDENCE_MOST, &length);
    bool good = bytes != NULL && judge_bytes(matching, bytes, length, finding);

    free(bytes);
    return good;
}

/*
 * In a process of its own. It writes at once, and less than a pipe takes.
 *   file  the evidence
 *   out   of a pipe
 */
static int live_as_judge(const struct matching *matching, pid_t parent, int file, int out)
{
    unsigned char bytes[JR_MATCH_FINDING_SIZE];
    struct jr_finding finding;
    struct jr_error error;
    size_t length;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || !limit_judge())
        return JR_EXIT_FAILED;
    close_all(matching);
    /* Where the kernel has no filters, the matcher has told of it and goes on. */
    if (jr_confine(JR_CONFINE_JUDGE, &error) != JR_OK && matching->confined)
        return JR_EXIT_FAILED;
    if (!judge_file(matching, file, &finding))
        return JR_EXIT_DATA;
    length = jr_match_finding_encode(&finding, bytes);
    return write(out, bytes, length) == (ssize_t)length ? JR_EXIT_OK : JR_EXIT_FAILED;
}

/* Returns whether the dispatcher is there. */
static bool answer(const struct matching *matching, const struct judge *judge)
{
    struct jr_match_message message = {
        .kind = JR_MATCH_FOUND, .number = judge->number, .fd = -1, .length = judge->length,
    };

    memcpy(message.bytes, judge->bytes, judge->length);
    return jr_match_send(matching->socket, &message, 0);
}

/* Returns whether there is a process. The pipe is the caller's to close where there is none. */
static bool start_judge(const struct matching *matching, struct judge *judge, int file,
                        const int ends[2])
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0) {
        close(ends[0]);
        exit(live_as_judge(matching, parent, file, ends[1]));
    }
    if (pid < 0)
        return false;
    judge->pid = pid;
    judge->fd = ends[0];
    close(ends[1]);
    return true;
}

/*
 * Returns whether the dispatcher is there. What cannot be begun is answered as what cannot be
 * read.
 */
static bool begin(const struct matching *matching, struct judge *judge, uint64_t number, int file)
{
    int ends[2];

    judge->number = number;
    judge->length = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return answer(matching, judge);
    if (start_judge(matching, judge, file, ends))
        return true;
    close(ends[0]);
    close(ends[1]);
    return answer(matching, judge);
}

/* The next job of the dispatcher. Returns whether it is there. */
static bool take_job(struct matching *matching, struct judge *judge)
{
    struct jr_match_message message;
    bool good;

    if (jr_match_receive(matching->socket, 0, true, &message) != JR_OK)
        return false;
    good = message.kind == JR_MATCH_JOB && message.fd >= 0
           && begin(matching, judge, message.number, message.fd);
    if (message.fd >= 0)
        close(message.fd);
    return good;
}

/*
 * Read what a judge has to say; at its end the job is answered. Returns whether the dispatcher
 * is there.
 */
static bool hear(const struct matching *matching, struct judge *judge)
{
    ssize_t got = read(judge->fd, judge->bytes + judge->length,
                       sizeof judge->bytes - judge->length);

    /* When it is full, 0: what else is said is not heard, and is no finding. */
    if (got > 0) {
        judge->length += (size_t)got;
        return true;
    }
    close(judge->fd);
    judge->fd = -1;
    return answer(matching, judge);
}

/* Judges that have ended make room. Returns whether one is about to end. */
static bool reap(struct matching *matching)
{
    bool ending = false;

    for (size_t i = 0; i < JR_MATCHES_AT_ONCE; i++) {
        struct judge *judge = &matching->judges[i];

        if (judge->pid == 0 || judge->fd >= 0)
            continue;
        if (waitpid(judge->pid, NULL, WNOHANG) == 0)
            ending = true;
        else
            judge->pid = 0;
    }
    return ending;
}

static struct judge *find_free(struct matching *matching)
{
    for (size_t i = 0; i < JR_MATCHES_AT_ONCE; i++)
        if (matching->judges[i].pid == 0)
            return &matching->judges[i];
    return NULL;
}

/* What is waited for: the judges, and the dispatcher, who is heard only while there is room. */
static void list_fds(const struct matching *matching, bool room,
                     struct pollfd fds[JR_MATCHES_AT_ONCE + 1])
{
    for (size_t i = 0; i < JR_MATCHES_AT_ONCE; i++) {
        const struct judge *judge = &matching->judges[i];

        fds[i] = (struct pollfd){ .fd = judge->pid != 0 ? judge->fd : -1, .events = POLLIN };
    }
    fds[JR_MATCHES_AT_ONCE] = (struct pollfd){
        .fd = matching->socket, .events = room ? POLLIN : 0,
    };
}

/*
 * The terminal and who stops a service signal the whole group, but the dispatcher may still want
 * answers then. When it wants no more, its end of the socket is closed.
 */
static void ignore_signals(void)
{
    static const int ignored[] = { SIGINT, SIGHUP, SIGTERM, SIGUSR1 };

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        (void)signal(ignored[i], SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
}

/* Once round. Returns whether to go on: the dispatcher is there. */
static bool work(struct matching *matching)
{
    struct pollfd fds[JR_MATCHES_AT_ONCE + 1], *dispatcher = &fds[JR_MATCHES_AT_ONCE];
    bool ending = reap(matching);
    struct judge *judge = find_free(matching);

    list_fds(matching, judge != NULL, fds);
    if (poll(fds, JR_MATCHES_AT_ONCE + 1, ending ? END_LOOK_MS : -1) <= 0)
        return true;
    if ((dispatcher->revents & (POLLHUP | POLLERR)) != 0)
        return false;
    for (size_t i = 0; i < JR_MATCHES_AT_ONCE; i++)
        if (fds[i].revents != 0 && !hear(matching, &matching->judges[i]))
            return false;
    return dispatcher->revents == 0 || judge == NULL || take_job(matching, judge);
}

/* The policy's signatures, and the program's own. Returns the exit status, OK to go on. */
static int read_signatures(struct matching *matching)
{
    struct jr_problems *problems = calloc(1, sizeof *problems);
    struct jr_match_message message;
    struct jr_error error;
    size_t length = 0;
    char *text = NULL;
    bool good;

    if (jr_match_receive(matching->socket, 0, true, &message) == JR_OK && message.fd >= 0) {
        if (message.kind == JR_MATCH_POLICY)
            text = jr_match_read(message.fd, JR_POLICY_BYTES_MAX, &length);
        close(message.fd);
    }
    good = text != NULL && problems != NULL
           && jr_policy_read(&matching->policy, text, length, problems) == JR_OK
           && problems->count == 0;
    free(text);
    free(problems);
    if (!good)
        return JR_EXIT_DATA;
    return jr_signatures_builtin(&matching->builtin, &error) == JR_OK ? JR_EXIT_OK
                                                                      : JR_EXIT_FAILED;
}

int jr_matcher_main(int socket)
{
    struct matching matching = { .socket = socket };
    struct jr_error error;
    int status;

    ignore_signals();
    jr_process_guard_secrets();
    status = read_signatures(&matching);
    matching.confined = status != JR_EXIT_OK || jr_confine(JR_CONFINE_MATCHER, &error) == JR_OK;
    if (!matching.confined)
        jr_log(JR_LOG_WARN, "not-confined", "%s", error.text);
    while (status == JR_EXIT_OK && work(&matching))
        continue;
    jr_signatures_release(&matching.builtin);
    jr_policy_release(&matching.policy);
    return status;
}
