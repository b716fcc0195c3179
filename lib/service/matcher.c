/*
 * matcher -- the dispatcher's side: it starts the process, hands over and takes.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/matcher.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/service/matchwire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A job that is not answered after so many times the processor time that one may take: the
 * process hangs. All others could take their 30 s before it, four at a time.
 */
#define PATIENCE 60

/* How long to wait for the end of the process, and how often to look. */
#define END_LIMIT_MS 2000
#define END_LOOK_MS 5

/* Where descriptors cannot be closed all at once, these are. */
#define DESCRIPTORS 1024

/* What was handed over, and not taken. */
struct match {
    uint64_t number;
    int64_t begun_ms; /* monotonic */
    size_t bytes;
};

struct jr_matcher {
    int fd; /* -1: it has gone */
    pid_t pid; /* 0: it was seen to have ended */
    uint64_t last;
    struct match matches[JR_MATCHES_MOST]; /* the oldest first */
    size_t count, bytes;
};

/* Variables that a matcher keeps: switches for tests, and what tells sanitizers and coverage. */
static bool is_kept(const char *variable)
{
    size_t length = strcspn(variable, "=");

    return jr_test_is_switch(variable)
           || (length > 11 && strncmp(variable + length - 11, "SAN_OPTIONS=", 12) == 0)
           || strncmp(variable, "GCOV_PREFIX", 11) == 0
           || strncmp(variable, "LLVM_PROFILE_FILE=", 18) == 0;
}

/* Its environment, to be freed; the strings are ours. */
static char **make_environment(void)
{
    size_t count = 0, kept = 0;
    char **environment;

    while (environ[count] != NULL)
        count++;
    environment = calloc(count + 1, sizeof *environment);
    for (size_t i = 0; environment != NULL && i < count; i++)
        if (is_kept(environ[i]))
            environment[kept++] = environ[i];
    return environment;
}

/* All but standard error and the socket. */
static void close_others(void)
{
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    if (close_range(JR_MATCHER_FD + 1, ~0U, 0) == 0)
        return;
    for (int fd = JR_MATCHER_FD + 1; fd < DESCRIPTORS; fd++)
        close(fd);
}

/* After fork. */
static _Noreturn void become_matcher(const char *program, int fd, pid_t parent,
                                     char *const environment[])
{
    char name[] = PACKAGE_NAME, argument[] = JR_MATCHER_ARGUMENT;
    char *const arguments[] = { name, argument, NULL };
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent
        && (fd == JR_MATCHER_FD ? fcntl(fd, F_SETFD, 0) : dup2(fd, JR_MATCHER_FD)) >= 0) {
        close_others();
        (void)execve(program, arguments, environment);
    }
    _exit(127);
}

/* The process, and our end of its socket. */
static enum jr_err spawn(struct jr_matcher *matcher, const char *program, struct jr_error *error)
{
    char **environment = make_environment();
    pid_t parent = getpid();
    int ends[2], saved;

    if (environment == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        free(environment);
        return jr_error_set(error, JR_EIO, "cannot make a socket: %s", strerror(errno));
    }
    matcher->pid = fork();
    if (matcher->pid == 0)
        become_matcher(program, ends[1], parent, environment);
    saved = errno;
    free(environment);
    close(ends[1]);
    matcher->fd = ends[0];
    if (matcher->pid > 0)
        return JR_OK;
    matcher->pid = 0;
    return jr_error_set(error, JR_EIO, "cannot fork: %s", strerror(saved));
}

/* Put bytes aside and hand them over. Returns JR_OK, JR_EBUSY or JR_EIO. */
static enum jr_err hand_over(struct jr_matcher *matcher, enum jr_match_kind kind, uint64_t number,
                             const void *bytes, size_t length, struct jr_error *error)
{
    struct jr_match_message message = {
        .kind = kind, .number = number, .fd = jr_match_put(bytes, length),
    };
    bool sent;
    int saved;

    if (message.fd < 0)
        return jr_error_set(error, JR_EIO, "cannot put aside what is to be matched: %s",
                            strerror(errno));
    sent = jr_match_send(matcher->fd, &message, MSG_DONTWAIT);
    saved = errno;
    close(message.fd);
    if (sent)
        return JR_OK;
    return jr_error_set(error, saved == EAGAIN ? JR_EBUSY : JR_EIO,
                        "cannot hand over what is to be matched: %s", strerror(saved));
}

enum jr_err jr_matcher_start(struct jr_matcher **matcher, const char *program, const char *policy,
                             size_t length, struct jr_error *error)
{
    struct jr_matcher *made = calloc(1, sizeof *made);
    enum jr_err err;

    *matcher = NULL;
    if (made == NULL)
        return jr_error_set(error, JR_ENOMEM, "out of memory");
    made->fd = -1;
    err = spawn(made, program, error);
    if (err == JR_OK)
        err = hand_over(made, JR_MATCH_POLICY, 0, policy, length, error);
    if (err != JR_OK) {
        jr_matcher_close(made);
        return err;
    }
    *matcher = made;
    return JR_OK;
}

enum jr_err jr_matcher_open(struct jr_matcher **matcher, const char *policy, size_t length,
                            struct jr_error *error)
{
    return jr_matcher_start(matcher, "/proc/self/exe", policy, length, error);
}

/* What it has been given is unreadable from now on. */
static void leave(struct jr_matcher *matcher)
{
    if (matcher->fd >= 0)
        close(matcher->fd);
    matcher->fd = -1;
}

static bool has_ended(struct jr_matcher *matcher)
{
    if (matcher->pid > 0 && waitpid(matcher->pid, NULL, WNOHANG) == 0)
        return false;
    matcher->pid = 0;
    return true;
}

void jr_matcher_close(struct jr_matcher *matcher)
{
    const struct timespec look = { .tv_nsec = END_LOOK_MS * 1000000L };

    if (matcher == NULL)
        return;
    leave(matcher);
    for (int waited_ms = 0; !has_ended(matcher) && waited_ms < END_LIMIT_MS;
         waited_ms += END_LOOK_MS)
        (void)nanosleep(&look, NULL);
    free(matcher);
}

int jr_matcher_fd(const struct jr_matcher *matcher)
{
    return matcher->fd;
}

bool jr_matcher_is_gone(const struct jr_matcher *matcher)
{
    return matcher->fd < 0;
}

/* A job as bytes, to be freed; NULL: error says why. */
static unsigned char *encode(const struct jr_evidence *evidence, const char *own,
                             size_t own_length, size_t *length, struct jr_error *error)
{
    size_t size = sizeof(uint32_t) + own_length + jr_evidence_size(evidence);
    unsigned char *bytes = malloc(size);
    struct jr_writer writer;

    if (bytes == NULL) {
        jr_error_set(error, JR_ENOMEM, "out of memory");
        return NULL;
    }
    jr_writer_init(&writer, bytes, size);
    jr_write_u32(&writer, (uint32_t)own_length);
    if (own_length > 0)
        jr_write_bytes(&writer, own, own_length);
    jr_evidence_encode(evidence, &writer);
    *length = writer.length;
    if (writer.ok)
        return bytes;
    free(bytes);
    jr_error_set(error, JR_EINVAL, "more steps, annotations or text than evidence may have");
    return NULL;
}

uint64_t jr_matcher_begin(struct jr_matcher *matcher, const struct jr_evidence *evidence,
                          const char *own, size_t own_length, struct jr_error *error)
{
    unsigned char *bytes;
    enum jr_err err;
    size_t length;

    if (matcher->fd < 0) {
        jr_error_set(error, JR_EIO, "the matcher has gone");
        return 0;
    }
    if (matcher->count == JR_MATCHES_MOST || matcher->bytes >= JR_MATCHES_BYTES_MOST) {
        jr_error_set(error, JR_EBUSY, "too many jobs wait to be judged");
        return 0;
    }
    bytes = encode(evidence, own, own_length, &length, error);
    if (bytes == NULL)
        return 0;
    err = hand_over(matcher, JR_MATCH_JOB, matcher->last + 1, bytes, length, error);
    free(bytes);
    if (err != JR_OK)
        return 0;
    matcher->matches[matcher->count++] = (struct match){
        .number = ++matcher->last, .begun_ms = jr_monotonic_ms(), .bytes = length,
    };
    matcher->bytes += length;
    return matcher->last;
}

static struct match *find(struct jr_matcher *matcher, uint64_t number)
{
    for (size_t i = 0; i < matcher->count; i++)
        if (matcher->matches[i].number == number)
            return &matcher->matches[i];
    return NULL;
}

static void drop(struct jr_matcher *matcher, struct match *match)
{
    size_t behind = (size_t)(matcher->matches + --matcher->count - match);

    matcher->bytes -= match->bytes;
    memmove(match, match + 1, behind * sizeof *match);
}

static bool is_late(const struct jr_matcher *matcher)
{
    return matcher->count > 0
           && jr_monotonic_ms() - matcher->matches[0].begun_ms
                  > PATIENCE * jr_test_match_limit_ms(JR_JUDGE_LIMIT_MS);
}

/* An answer to what was asked, if there is one. All else that is said ends it. */
static struct match *hear(struct jr_matcher *matcher, struct jr_match_message *message)
{
    enum jr_err err = jr_match_receive(matcher->fd, MSG_DONTWAIT, false, message);
    struct match *match = NULL;

    if (err == JR_OK && message->kind == JR_MATCH_FOUND)
        match = find(matcher, message->number);
    if (match == NULL && (err != JR_EBUSY || is_late(matcher)))
        leave(matcher);
    return match;
}

bool jr_matcher_take(struct jr_matcher *matcher, uint64_t *number, struct jr_finding *finding)
{
    struct jr_match_message message;
    struct match *match = matcher->fd >= 0 ? hear(matcher, &message) : NULL;

    if (match != NULL)
        (void)jr_match_finding_decode(finding, message.bytes, message.length);
    else if (matcher->fd < 0 && matcher->count > 0)
        jr_match_finding_none(finding);
    else
        return false;
    if (match == NULL)
        match = matcher->matches;
    *number = match->number;
    drop(matcher, match);
    return true;
}
