/*
 * What a process may no longer do once it has given it up, tried: by what an intruder would
 * like to do, and each number of a system call there is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/file.h"
#include "lib/service/confine.h"
#include "lib/service/wake.h"
#include "t/unit/support.h"

#include <asm/sockios.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The address sanitizer needs what is forbidden, so that nothing is. */
static bool is_instrumented(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(JR_COVERAGE)
    return true;
#else
    return false;
#endif
}

static int open_any(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static int open_by_number(void)
{
    return (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY);
}

static int internet_stream(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int internet_datagram(void)
{
    return socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int netlink(void)
{
    return socket(AF_NETLINK, SOCK_DGRAM, 0);
}

static int local_stream(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static int local_pair(void)
{
    int pair[2];

    return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}

static int connect_any(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/nowhere" };

    return connect(0, (struct sockaddr *)&address, sizeof address);
}

static int fork_any(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid;
}

static int kill_parent(void)
{
    return kill(getppid(), 0);
}

static int thread_kill_parent(void)
{
    return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

/* The kernel signals whoever is named, when something comes. */
static int own_by_parent(void)
{
    return fcntl(STDERR_FILENO, F_SETOWN, getppid());
}

static int own_by_thread(void)
{
    struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = getppid() };

    return fcntl(STDERR_FILENO, F_SETOWN_EX, &owner);
}

static int own_by_ioctl(void)
{
    int pid = getppid();

    return ioctl(STDERR_FILENO, FIOSETOWN, &pid);
}

static int own_by_other_ioctl(void)
{
    int pid = getppid();

    return ioctl(STDERR_FILENO, SIOCSPGRP, &pid);
}

/* And whoever has used up the time that he is given. */
static int limit_parent(void)
{
    return prlimit(getppid(), RLIMIT_CPU, NULL, NULL);
}

static int attach_code(void)
{
    return shmat(-1, NULL, SHM_EXEC) == (void *)-1 ? -1 : 0;
}

static int remove_any(void)
{
    return unlink("/tmp/there-is-no-such-file");
}

static int execute(void)
{
    char *const argv[] = { NULL };

    return execve("/bin/true", argv, argv);
}

static int trace_parent(void)
{
    return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int rings(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int read_parent(void)
{
    return (int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static int change_mode(void)
{
#ifdef SYS_fchmodat2
    return (int)syscall(SYS_fchmodat2, AT_FDCWD, "/tmp/there-is-no-such-file", 0777, 0);
#else
    return (int)syscall(452, AT_FDCWD, "/tmp/there-is-no-such-file", 0777, 0);
#endif
}

static int map_own_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}

static int map_library(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int packets(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0);
}

static int make_namespace(void)
{
    return unshare(CLONE_NEWUSER);
}

static int fork_into_namespace(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(0);
    return pid;
}

static int leave_session(void)
{
    return (int)setsid();
}

static int wake(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -1 : close(fd);
}

static int make_pipe(void)
{
    int ends[2];

    return pipe2(ends, O_CLOEXEC) == 0 ? close(ends[0]) + close(ends[1]) : -1;
}

static int undo_timer(void)
{
    const struct itimerval never = { .it_value = { .tv_sec = 0 } };

    return setitimer(ITIMER_REAL, &never, NULL);
}

static int make_file(void)
{
    int fd = jr_file_memory("test");

    return fd < 0 ? -1 : close(fd);
}

static int send_descriptor(void)
{
    struct msghdr header = { .msg_iovlen = 0 };

    return (int)sendmsg(-1, &header, 0);
}

static int receive_any(void)
{
    struct msghdr header = { .msg_iovlen = 0 };

    return (int)recvmsg(-1, &header, 0);
}

static int ignore_timer(void)
{
    return signal(SIGALRM, SIG_IGN) == SIG_ERR ? -1 : 0;
}

static int block_timer(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    return sigprocmask(SIG_BLOCK, &set, NULL);
}

static int set_limit(void)
{
    const struct rlimit limit = { 1000, 1000 };

    return setrlimit(RLIMIT_CPU, &limit);
}

static int stop_itself(void)
{
    return (int)syscall(SYS_tgkill, getpid(), getpid(), SIGSTOP);
}

static int add_filter(void)
{
    return (int)syscall(SYS_seccomp, 1, 0, NULL);
}

static int outlive_parent(void)
{
    return prctl(PR_SET_PDEATHSIG, 0);
}

static int cut_file(void)
{
    return ftruncate(-1, 0);
}

static int copy_descriptor(void)
{
    return dup2(0, 100);
}

static int wait_for_any(void)
{
    return poll(NULL, 0, 0);
}

static const struct attempt {
    const char *name;
    int (*make)(void);
} forbidden_to_all[] = {
    { "execve", execute }, { "ptrace", trace_parent }, { "io_uring", rings },
    { "process_vm_readv", read_parent }, { "fchmodat2", change_mode }, { "unshare", make_namespace },
    { "clone with a namespace", fork_into_namespace }, { "setsid", leave_session }, { "kill", kill_parent }, { "tgkill", thread_kill_parent }, { "F_SETOWN", own_by_parent },
    { "F_SETOWN_EX", own_by_thread }, { "FIOSETOWN", own_by_ioctl },
    { "SIOCSPGRP", own_by_other_ioctl }, { "prlimit", limit_parent }, { "shmat", attach_code },
    { "anonymous PROT_EXEC", map_own_code }, { "AF_PACKET", packets },
}, forbidden_to_workers[] = {
    { "open", open_any }, { "openat", open_by_number }, { "AF_INET", internet_stream },
    { "AF_INET6", internet_datagram }, { "AF_NETLINK", netlink }, { "AF_UNIX stream", local_stream },
    { "socketpair", local_pair }, { "connect", connect_any }, { "unlink", remove_any },
    { "PROT_EXEC", map_library },
}, forbidden_to_judges[] = {
    { "fork", fork_any }, { "AF_UNIX datagram", wake }, { "pipe2", make_pipe }, { "alarm", undo_timer },
    { "memfd_create", make_file }, { "sendmsg", send_descriptor }, { "recvmsg", receive_any },
    { "rt_sigaction", ignore_timer }, { "rt_sigprocmask", block_timer }, { "setrlimit", set_limit },
    { "SIGSTOP", stop_itself }, { "seccomp", add_filter }, { "prctl", outlive_parent },
    { "ftruncate", cut_file }, { "dup", copy_descriptor }, { "poll", wait_for_any },
};

/* In a child, for there is no way back. Returns how many attempts came out otherwise. */
static int count_wrong(enum jr_confine kind, const struct attempt *attempts, size_t count,
                       bool forbidden)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct jr_error error;
        int wrong = jr_confine(kind, &error) != JR_OK;

        for (size_t i = 0; i < count; i++) {
            bool denied;

            errno = 0;
            denied = attempts[i].make() < 0 && errno == ENOSYS;
            if (denied != forbidden) {
                fprintf(stderr, "%s: errno %d\n", attempts[i].name, errno);
                wrong++;
            }
        }
        _exit(wrong);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Only a matcher makes processes. */
static const struct attempt starts[] = { { "fork", fork_any } };

static void worker(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_WORKER, starts, COUNT(starts), true), 0);
    assert_int_equal(count_wrong(JR_CONFINE_WORKER, forbidden_to_all, COUNT(forbidden_to_all), true),
                     0);
    assert_int_equal(
        count_wrong(JR_CONFINE_WORKER, forbidden_to_workers, COUNT(forbidden_to_workers), true), 0);
}

static void dispatcher(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_DISPATCHER, starts, COUNT(starts), true), 0);
    assert_int_equal(
        count_wrong(JR_CONFINE_DISPATCHER, forbidden_to_all, COUNT(forbidden_to_all), true), 0);
    assert_int_equal(
        count_wrong(JR_CONFINE_DISPATCHER, forbidden_to_workers, COUNT(forbidden_to_workers), false),
        0);
}

/* The other half: what a worker does all day. */
static int map_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}

static int signal_itself(void)
{
    return (int)syscall(SYS_tgkill, getpid(), getpid(), 0);
}

static int write_nothing(void)
{
    return (int)write(STDERR_FILENO, "", 0);
}

static int limit_itself(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_CPU, &limit);
}

static void matcher(void **state)
{
    static const struct attempt more[] = {
        { "AF_UNIX datagram", wake }, { "memfd_create", make_file }, { "ftruncate", cut_file },
        { "dup", copy_descriptor },
    };

    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_MATCHER, forbidden_to_all, COUNT(forbidden_to_all), true), 0);
    assert_int_equal(
        count_wrong(JR_CONFINE_MATCHER, forbidden_to_workers, COUNT(forbidden_to_workers), true), 0);
    assert_int_equal(count_wrong(JR_CONFINE_MATCHER, more, COUNT(more), true), 0);
}

static void judge(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_JUDGE, forbidden_to_all, COUNT(forbidden_to_all), true), 0);
    assert_int_equal(
        count_wrong(JR_CONFINE_JUDGE, forbidden_to_workers, COUNT(forbidden_to_workers), true), 0);
    assert_int_equal(count_wrong(JR_CONFINE_JUDGE, forbidden_to_judges, COUNT(forbidden_to_judges), true), 0);
}

static void what_stays(void **state)
{
    static const struct attempt allowed[] = {
        { "AF_UNIX datagram", wake }, { "mmap", map_memory }, { "tgkill", signal_itself },
        { "write", write_nothing }, { "getrlimit", limit_itself },
    };

    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_WORKER, allowed, COUNT(allowed), false), 0);
}

/* In a child: it is limited, becomes a judge, and says something. */
static _Noreturn void live_as_judge(int out)
{
    struct jr_error error;
    bool limited = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && set_limit() == 0 && undo_timer() == 0;
    bool good = limited && jr_confine(JR_CONFINE_JUDGE, &error) == JR_OK
                && (is_instrumented() || (fork_any() < 0 && errno == ENOSYS));
    char *memory = malloc(1 << 20);

    _exit(good && memory != NULL && write(out, "yes", 3) == 3 ? 0 : 1);
}

/* And it is waited for. */
static int make_judge(void)
{
    int ends[2], status = -1;
    char word[4] = "";
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid = fork();
    if (pid == 0)
        live_as_judge(ends[1]);
    close(ends[1]);
    if (pid < 0 || read(ends[0], word, 3) != 3 || waitpid(pid, &status, 0) != pid || status != 0) {
        errno = ENOSYS;
        return -1;
    }
    return close(ends[0]);
}

static void what_the_matcher_does(void **state)
{
    static const struct attempt allowed[] = {
        { "judge", make_judge }, { "another", make_judge }, { "mmap", map_memory }, { "write", write_nothing },
        { "poll", wait_for_any }, { "recvmsg", receive_any }, { "sendmsg", send_descriptor },
    };

    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_MATCHER, allowed, COUNT(allowed), false), 0);
}

/* What it was given by a matcher is open; an assertion that fails still ends it. */
static void what_a_judge_does(void **state)
{
    static const struct attempt allowed[] = { { "mmap", map_memory }, { "write", write_nothing } };
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_JUDGE, allowed, COUNT(allowed), false), 0);
    pid = fork();
    if (pid == 0) {
        struct jr_error error;

        if (jr_confine(JR_CONFINE_JUDGE, &error) != JR_OK)
            _exit(1);
        abort();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/*
 * Every number, once in a child of its own, with arguments that are good for nothing (all
 * bits set): a call that is allowed then fails in another way, ends the child, or waits for
 * ever. Each one that is in none of these lists has to be unknown.
 */
#define NUMBERS 501
#define DENIED 77 /* exit status */
#define CALL_LIMIT_MS 2000

static const struct names {
    const char *name;
    int number;
    bool to[JR_CONFINE_JUDGE + 1];
} names[] = {
#define ROW(name, dispatcher, worker, matcher, judge) \
    { #name, SYS_##name, { [JR_CONFINE_DISPATCHER] = (dispatcher), [JR_CONFINE_WORKER] = (worker), \
                           [JR_CONFINE_MATCHER] = (matcher), [JR_CONFINE_JUDGE] = (judge) } },
#define ALL(name) ROW(name, true, true, true, true)
#define MOST(name) ROW(name, true, true, true, false)
#define WORKER(name) ROW(name, false, true, false, false)
#define DISPATCHER(name) ROW(name, true, false, false, false)
#define MATCHER(name) ROW(name, false, false, true, false)
#define DISPATCHER_AND_MATCHER(name) ROW(name, true, false, true, false)
    ALL(read) MOST(readv) ALL(pread64) MOST(preadv) MOST(preadv2) ALL(write) ALL(writev)
    MOST(pwrite64) MOST(pwritev) MOST(pwritev2) ALL(close) MOST(lseek) ALL(fstat)
    ALL(newfstatat) MOST(statx) MOST(fsync) MOST(fdatasync) MOST(msync) ALL(munmap)
    ALL(mremap) ALL(madvise) ALL(brk) MOST(ppoll) MOST(pselect6) MOST(epoll_pwait)
    MOST(epoll_pwait2) MOST(epoll_ctl) MOST(recvfrom) MOST(recvmsg) MOST(sendto) MOST(sendmsg)
    MOST(shutdown) MOST(getsockopt) MOST(setsockopt) MOST(getsockname) MOST(getpeername)
    ALL(clock_gettime) MOST(clock_getres) ALL(gettimeofday) MOST(nanosleep)
    MOST(clock_nanosleep) ALL(restart_syscall) ALL(futex) MOST(set_robust_list) MOST(rseq)
    MOST(sched_yield) MOST(sched_getaffinity) MOST(getcpu) MOST(sysinfo) MOST(getrusage)
    ALL(getrandom) ALL(getpid) ALL(gettid) MOST(getppid) MOST(getuid) MOST(geteuid)
    MOST(getgid) MOST(getegid) MOST(rt_sigaction) MOST(rt_sigprocmask) MOST(rt_sigpending)
    MOST(rt_sigsuspend) MOST(rt_sigtimedwait) ALL(rt_sigreturn) MOST(sigaltstack) ALL(exit)
    ALL(exit_group)
    WORKER(accept) WORKER(accept4)
    DISPATCHER(openat) DISPATCHER(faccessat) DISPATCHER(faccessat2) DISPATCHER(statfs)
    DISPATCHER(fstatfs) DISPATCHER(readlinkat) DISPATCHER(getdents64) DISPATCHER(getcwd)
    DISPATCHER(umask) DISPATCHER(unlinkat) DISPATCHER(ftruncate) DISPATCHER(fadvise64)
    DISPATCHER(connect) DISPATCHER(bind) DISPATCHER(socketpair) DISPATCHER(sendmmsg)
    DISPATCHER(recvmmsg) DISPATCHER_AND_MATCHER(pipe2) DISPATCHER(eventfd2) DISPATCHER(epoll_create1)
    DISPATCHER(timerfd_create) DISPATCHER(timerfd_settime) DISPATCHER_AND_MATCHER(setitimer) DISPATCHER(dup)
    DISPATCHER(dup3) DISPATCHER(uname) DISPATCHER(set_tid_address)
    DISPATCHER(memfd_create) DISPATCHER_AND_MATCHER(wait4)
    /* With these arguments a thread is asked for. */
    DISPATCHER(clone)
#ifdef SYS_poll
    /* Of the older machines only. */
    MOST(poll) MOST(select) MOST(epoll_wait) MOST(time) MOST(getrlimit)
    DISPATCHER(open) DISPATCHER(access) DISPATCHER(stat) DISPATCHER(lstat) DISPATCHER(readlink)
    DISPATCHER(unlink) DISPATCHER(pipe) DISPATCHER(alarm) DISPATCHER(dup2)
#endif
};

static const struct names *find_number(int number)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].number == number)
            return &names[i];
    return NULL;
}

/* In the child. It has nothing open that the call could reach. */
static _Noreturn void call_number(int number, const enum jr_confine *kind)
{
    struct jr_error error;
    long result;

    for (int fd = 0; fd < 16; fd++)
        close(fd);
    if (kind != NULL && jr_confine(*kind, &error) != JR_OK)
        _exit(1);
    result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
    _exit(result == -1 && errno == ENOSYS ? DENIED : 0);
}

/*
 * uretprobe(2) and uprobe(2): Linux lets them by every filter (kernel/seccomp.c). They do
 * nothing but for who has come by the probe of a debugger.
 */
static bool passes_every_filter(int number)
{
#if defined(__x86_64__)
    return number == 335 || number == 336;
#else
    (void)number;
    return false;
#endif
}

/* Is it unknown to a process of that kind? kind NULL: to one that is not confined. */
static bool is_unknown(int number, const enum jr_confine *kind)
{
    const struct timespec limit = { .tv_sec = CALL_LIMIT_MS / 1000 };
    sigset_t child;
    int status;
    pid_t pid;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    while (sigtimedwait(&child, NULL, &(struct timespec){ 0 }) > 0)
        continue;
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        call_number(number, kind);
    if (sigtimedwait(&child, NULL, &limit) < 0)
        kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == DENIED;
}

static void each_number(enum jr_confine kind)
{
    size_t wrong = 0;

    for (int number = 0; number < NUMBERS; number++) {
        const struct names *known = find_number(number);
        bool allowed = known != NULL && known->to[kind];

        /* An older kernel does not have all that are allowed. */
        if (passes_every_filter(number) || is_unknown(number, &kind) != allowed
            || (allowed && is_unknown(number, NULL)))
            continue;
        fprintf(stderr, "%d, %s: %s\n", number, known == NULL ? "of no list" : known->name,
                allowed ? "unknown" : "known");
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void each_number_to_a_worker(void **state)
{
    (void)state;
    each_number(JR_CONFINE_WORKER);
}

static void each_number_to_the_dispatcher(void **state)
{
    (void)state;
    each_number(JR_CONFINE_DISPATCHER);
}

static void each_number_to_the_matcher(void **state)
{
    (void)state;
    each_number(JR_CONFINE_MATCHER);
}

static void each_number_to_a_judge(void **state)
{
    (void)state;
    each_number(JR_CONFINE_JUDGE);
}

static void *find_host(void *argument)
{
    struct addrinfo *found = NULL;

    if (getaddrinfo("localhost", "443", NULL, &found) == 0)
        freeaddrinfo(found);
    return argument;
}

static int load_library(void)
{
    void *library = dlopen("libutil.so.1", RTLD_NOW);

    errno = ENOSYS;
    return library == NULL ? -1 : dlclose(library);
}

/* libcurl finds a name in a thread of its own. */
static int make_thread(void)
{
    struct addrinfo *found = NULL, wanted = { .ai_socktype = SOCK_STREAM };
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, find_host, NULL);

    if (rc == 0)
        rc = pthread_join(thread, NULL);
    if (rc == 0)
        rc = getaddrinfo("127.0.0.1", "443", &wanted, &found);
    if (found != NULL)
        freeaddrinfo(found);
    errno = rc == 0 ? 0 : ENOSYS;
    return rc == 0 ? 0 : -1;
}

static void what_the_dispatcher_does(void **state)
{
    static const struct attempt allowed[] = {
        { "thread", make_thread }, { "AF_INET", internet_stream }, { "open", open_any },
        { "AF_UNIX datagram", wake }, { "mmap", map_memory }, { "tgkill", signal_itself },
        { "getrlimit", limit_itself }, { "library", load_library }, { "memfd_create", make_file },
    };

    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_DISPATCHER, allowed, COUNT(allowed), false), 0);
}

/* What stays when a process is confined a second time: a worker may open nothing. */
static int confine_again(void)
{
    struct jr_error error;

    return jr_confine(JR_CONFINE_WORKER, &error) == JR_OK ? 0 : -1;
}

static void twice(void **state)
{
    static const struct attempt allowed[] = { { "confine", confine_again }, { "open", open_any } };

    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_DISPATCHER, allowed, COUNT(allowed), false), 0);
}

/* A test that needs files in a worker says so. */
static void off(void **state)
{
    (void)state;
    assert_int_equal(setenv("JR_TEST_CONFINE", "off", 1), 0);
    assert_int_equal(count_wrong(JR_CONFINE_WORKER, forbidden_to_workers, 2, false), 0);
    assert_int_equal(unsetenv("JR_TEST_CONFINE"), 0);
}

int main(void)
{
    if (!is_instrumented()) {
        TEST(worker);
        TEST(dispatcher);
        TEST(matcher);
        TEST(judge);
        TEST(each_number_to_a_worker);
        TEST(each_number_to_the_dispatcher);
        TEST(each_number_to_the_matcher);
        TEST(each_number_to_a_judge);
    }
    TEST(what_stays);
    TEST(what_the_dispatcher_does);
    TEST(what_the_matcher_does);
    TEST(what_a_judge_does);
    TEST(twice);
    TEST(off);
    return run_program("confine");
}
