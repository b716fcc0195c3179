/*
 * What a process may no longer do once it has given it up, tried: by what an intruder would
 * like to do, and each number of a system call there is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/confine.h"
#include "lib/service/wake.h"
#include "t/unit/support.h"

#include <asm/sockios.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

static const struct attempt {
    const char *name;
    int (*make)(void);
} forbidden_to_all[] = {
    { "execve", execute }, { "ptrace", trace_parent }, { "io_uring", rings },
    { "process_vm_readv", read_parent }, { "fchmodat2", change_mode }, { "fork", fork_any },
    { "kill", kill_parent }, { "tgkill", thread_kill_parent }, { "F_SETOWN", own_by_parent },
    { "F_SETOWN_EX", own_by_thread }, { "FIOSETOWN", own_by_ioctl },
    { "SIOCSPGRP", own_by_other_ioctl }, { "prlimit", limit_parent }, { "shmat", attach_code },
    { "anonymous PROT_EXEC", map_own_code }, { "AF_PACKET", packets },
}, forbidden_to_workers[] = {
    { "open", open_any }, { "openat", open_by_number }, { "AF_INET", internet_stream },
    { "AF_INET6", internet_datagram }, { "AF_NETLINK", netlink }, { "AF_UNIX stream", local_stream },
    { "socketpair", local_pair }, { "connect", connect_any }, { "unlink", remove_any },
    { "PROT_EXEC", map_library },
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

static void worker(void **state)
{
    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_WORKER, forbidden_to_all, COUNT(forbidden_to_all), true),
                     0);
    assert_int_equal(
        count_wrong(JR_CONFINE_WORKER, forbidden_to_workers, COUNT(forbidden_to_workers), true), 0);
}

static void dispatcher(void **state)
{
    (void)state;
    assert_int_equal(
        count_wrong(JR_CONFINE_DISPATCHER, forbidden_to_all, COUNT(forbidden_to_all), true), 0);
    assert_int_equal(
        count_wrong(JR_CONFINE_DISPATCHER, forbidden_to_workers, COUNT(forbidden_to_workers), false),
        0);
}

/* The other half: what a worker does all day. */
static int wake(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -1 : close(fd);
}

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

static void what_stays(void **state)
{
    static const struct attempt allowed[] = {
        { "AF_UNIX datagram", wake }, { "mmap", map_memory }, { "tgkill", signal_itself },
        { "write", write_nothing }, { "getrlimit", limit_itself },
    };

    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_WORKER, allowed, COUNT(allowed), false), 0);
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
    bool to_workers, to_dispatcher;
} names[] = {
#define ROW(name, workers, dispatcher) { #name, SYS_##name, workers, dispatcher },
#define BOTH(name) ROW(name, true, true)
#define WORKER(name) ROW(name, true, false)
#define DISPATCHER(name) ROW(name, false, true)
    BOTH(read) BOTH(readv) BOTH(pread64) BOTH(preadv) BOTH(preadv2) BOTH(write) BOTH(writev)
    BOTH(pwrite64) BOTH(pwritev) BOTH(pwritev2) BOTH(close) BOTH(lseek) BOTH(fstat)
    BOTH(newfstatat) BOTH(statx) BOTH(fsync) BOTH(fdatasync) BOTH(msync) BOTH(munmap)
    BOTH(mremap) BOTH(madvise) BOTH(brk) BOTH(ppoll) BOTH(pselect6) BOTH(epoll_pwait)
    BOTH(epoll_pwait2) BOTH(epoll_ctl) BOTH(recvfrom) BOTH(recvmsg) BOTH(sendto) BOTH(sendmsg)
    BOTH(shutdown) BOTH(getsockopt) BOTH(setsockopt) BOTH(getsockname) BOTH(getpeername)
    BOTH(clock_gettime) BOTH(clock_getres) BOTH(gettimeofday) BOTH(nanosleep)
    BOTH(clock_nanosleep) BOTH(restart_syscall) BOTH(futex) BOTH(set_robust_list) BOTH(rseq)
    BOTH(sched_yield) BOTH(sched_getaffinity) BOTH(getcpu) BOTH(sysinfo) BOTH(getrusage)
    BOTH(getrandom) BOTH(getpid) BOTH(gettid) BOTH(getppid) BOTH(getuid) BOTH(geteuid)
    BOTH(getgid) BOTH(getegid) BOTH(rt_sigaction) BOTH(rt_sigprocmask) BOTH(rt_sigpending)
    BOTH(rt_sigsuspend) BOTH(rt_sigtimedwait) BOTH(rt_sigreturn) BOTH(sigaltstack) BOTH(exit)
    BOTH(exit_group)
    WORKER(accept) WORKER(accept4)
    DISPATCHER(openat) DISPATCHER(faccessat) DISPATCHER(faccessat2) DISPATCHER(statfs)
    DISPATCHER(fstatfs) DISPATCHER(readlinkat) DISPATCHER(getdents64) DISPATCHER(getcwd)
    DISPATCHER(umask) DISPATCHER(unlinkat) DISPATCHER(ftruncate) DISPATCHER(fadvise64)
    DISPATCHER(connect) DISPATCHER(bind) DISPATCHER(socketpair) DISPATCHER(sendmmsg)
    DISPATCHER(recvmmsg) DISPATCHER(pipe2) DISPATCHER(eventfd2) DISPATCHER(epoll_create1)
    DISPATCHER(timerfd_create) DISPATCHER(timerfd_settime) DISPATCHER(setitimer) DISPATCHER(dup)
    DISPATCHER(dup3) DISPATCHER(uname) DISPATCHER(set_tid_address)
    /* With these arguments a thread is asked for. */
    DISPATCHER(clone)
#ifdef SYS_poll
    /* Of the older machines only. */
    BOTH(poll) BOTH(select) BOTH(epoll_wait) BOTH(time) BOTH(getrlimit)
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
        bool allowed = known != NULL
                       && (kind == JR_CONFINE_WORKER ? known->to_workers : known->to_dispatcher);

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
        { "getrlimit", limit_itself }, { "library", load_library },
    };

    (void)state;
    assert_int_equal(count_wrong(JR_CONFINE_DISPATCHER, allowed, COUNT(allowed), false), 0);
}

/* What stays when a process is confined a second time. */
static int confine_again(void)
{
    struct jr_error error;

    return jr_confine(JR_CONFINE_DISPATCHER, &error) == JR_OK ? 0 : -1;
}

static void twice(void **state)
{
    static const struct attempt allowed[] = { { "confine", confine_again } };

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
        TEST(each_number_to_a_worker);
        TEST(each_number_to_the_dispatcher);
    }
    TEST(what_stays);
    TEST(what_the_dispatcher_does);
    TEST(twice);
    TEST(off);
    return run_program("confine");
}
