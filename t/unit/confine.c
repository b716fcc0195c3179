/*
 * What a process may no longer do once it has given it up, tried.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/confine.h"
#include "lib/wake.h"
#include "t/unit/support.h"

#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
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

static int map_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
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

static const struct attempt {
    const char *name;
    int (*make)(void);
} forbidden_to_all[] = {
    { "execve", execute }, { "ptrace", trace_parent }, { "io_uring", rings },
    { "process_vm_readv", read_parent },
}, forbidden_to_workers[] = {
    { "open", open_any }, { "openat", open_by_number }, { "AF_INET", internet_stream },
    { "AF_INET6", internet_datagram }, { "AF_NETLINK", netlink }, { "AF_UNIX stream", local_stream },
    { "socketpair", local_pair }, { "connect", connect_any }, { "fork", fork_any },
    { "kill", kill_parent }, { "tgkill", thread_kill_parent }, { "unlink", remove_any },
    { "PROT_EXEC", map_code }, { "F_SETOWN", own_by_parent }, { "F_SETOWN_EX", own_by_thread },
    { "FIOSETOWN", own_by_ioctl }, { "SIOCSPGRP", own_by_other_ioctl }, { "prlimit", limit_parent },
    { "shmat", attach_code },
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
            denied = attempts[i].make() < 0 && errno == EPERM;
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
    }
    TEST(what_stays);
    TEST(off);
    return run_program("confine");
}
