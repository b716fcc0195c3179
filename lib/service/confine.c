/*
 * confine -- a process gives up what it does not need.
 *
 * What is allowed is listed, for the kernel gets new calls that do what old ones are
 * forbidden to do (fchmodat2). What is not listed fails as on a kernel that does not have it,
 * for which libraries are prepared: they take an older call instead. The service manager's
 * unit has a list besides (conf/), for all processes together.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/confine.h"
#include "lib/base/testpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What all kinds but a judge need: files and memory that are open, time, locks, signals to
 * themselves.
 * Some names are those of older libraries or of one machine only; a name that the machine
 * does not have is left out by libseccomp.
 */
static const int for_most[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(preadv2),
    SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev), SCMP_SYS(pwritev2),
    SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(msync),
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),
    SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall),
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(sysinfo),
    SCMP_SYS(getrlimit), SCMP_SYS(getrusage), SCMP_SYS(getrandom),
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid),
    SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigsuspend), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Requests come to it. */
static const int for_workers[] = {
    SCMP_SYS(accept), SCMP_SYS(accept4),
};

/* It finds hosts by name and talks to them, and opens the store anew under plain CGI. */
static const int for_the_dispatcher[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(umask),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(ftruncate), SCMP_SYS(fadvise64),
    SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(socketpair), SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(epoll_create1),
    SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(alarm), SCMP_SYS(setitimer),
    SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(uname), SCMP_SYS(set_tid_address),
    /* What it hands to the matcher, and that the matcher has ended. */
    SCMP_SYS(memfd_create), SCMP_SYS(wait4),
};

/* It makes its judges, hears of them by pipes, and has a timer end them. */
static const int for_the_matcher[] = { SCMP_SYS(pipe2), SCMP_SYS(wait4), SCMP_SYS(setitimer) };

/* It has what it reads and where it writes. Memory is asked for as allow_memory() says. */
static const int for_a_judge[] = {
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
    SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Not those by which the kernel is told to signal somebody (F_SETOWN, F_SETSIG, F_NOTIFY). */
static const int fcntls[] = {
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
    F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
    F_GET_SEALS,
};

/* Is it a terminal, how much is there to read, do not wait. Not FIOSETOWN and the like. */
static const unsigned long ioctls[] = { TCGETS, FIONREAD, FIONBIO };

static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

/* The bits of the type that are no flags: socket(2), include/linux/net.h. */
#define SOCK_TYPE_MASK 0xf

/* The kernel looks at 32 bits of an int; what stands above them in the register is anything. */
#define SAME_INT(argument, value) \
    { (argument), SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)(value) }
#define NO_BITS(argument, mask) { (argument), SCMP_CMP_MASKED_EQ, (mask), 0 }
#define ALL_BITS(argument, mask) { (argument), SCMP_CMP_MASKED_EQ, (mask), (mask) }

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    return rc;
}

/* Allow a call whose arguments are so. Each rule of a call is another way to be allowed. */
static int allow_if(scmp_filter_ctx filter, int call, const struct scmp_arg_cmp *arguments,
                    unsigned count)
{
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, arguments);
}

/* Memory that holds no code. */
static int allow_memory(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp no_code = NO_BITS(2, PROT_EXEC);
    int rc = allow_if(filter, SCMP_SYS(mmap), &no_code, 1);

    return rc == 0 ? allow_if(filter, SCMP_SYS(mprotect), &no_code, 1) : rc;
}

static int allow_some_for_most(scmp_filter_ctx filter)
{
    /* abort() and raise() signal their own process. */
    const struct scmp_arg_cmp itself = SAME_INT(0, getpid());
    /* getrlimit() asks for its own limits, as 0, and sets none. */
    const struct scmp_arg_cmp own_limits[] = { SAME_INT(0, 0), { 2, SCMP_CMP_EQ, 0, 0 } };
    int rc = allow_if(filter, SCMP_SYS(tgkill), &itself, 1);

    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(prlimit64), own_limits, 2);
    if (rc == 0)
        rc = allow_memory(filter);
    for (size_t i = 0; rc == 0 && i < sizeof fcntls / sizeof *fcntls; i++) {
        const struct scmp_arg_cmp command = SAME_INT(1, fcntls[i]);

        rc = allow_if(filter, SCMP_SYS(fcntl), &command, 1);
    }
    for (size_t i = 0; rc == 0 && i < sizeof ioctls / sizeof *ioctls; i++) {
        const struct scmp_arg_cmp request = SAME_INT(1, ioctls[i]);

        rc = allow_if(filter, SCMP_SYS(ioctl), &request, 1);
    }
    return rc;
}

static int allow_worker(scmp_filter_ctx filter)
{
    /* wake.h */
    const struct scmp_arg_cmp local_datagrams[] = {
        SAME_INT(0, AF_UNIX), { 1, SCMP_CMP_MASKED_EQ, SOCK_TYPE_MASK, SOCK_DGRAM },
    };
    int rc = allow(filter, for_workers, sizeof for_workers / sizeof *for_workers);

    return rc == 0 ? allow_if(filter, SCMP_SYS(socket), local_datagrams, 2) : rc;
}

static int allow_dispatcher(scmp_filter_ctx filter)
{
    /* libcurl finds names in a thread. clone3(2) has its flags where no filter can look:
     * without it libc takes this one. */
    const struct scmp_arg_cmp thread = ALL_BITS(0, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND);
    /* What finds names is loaded when it is needed (nsswitch.conf(5)): code from a file. */
    const struct scmp_arg_cmp library[] = { ALL_BITS(2, PROT_EXEC), NO_BITS(3, MAP_ANONYMOUS) };
    int rc = allow(filter, for_the_dispatcher, sizeof for_the_dispatcher / sizeof *for_the_dispatcher);

    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(clone), &thread, 1);
    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(mmap), library, 2);
    for (size_t i = 0; rc == 0 && i < sizeof families / sizeof *families; i++) {
        const struct scmp_arg_cmp family = SAME_INT(0, families[i]);

        rc = allow_if(filter, SCMP_SYS(socket), &family, 1);
    }
    return rc;
}

static int allow_matcher(scmp_filter_ctx filter)
{
    /* fork(): of the flags of clone(2) these, and a number of a signal. */
    const struct scmp_arg_cmp process =
        NO_BITS(0, ~(scmp_datum_t)(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CSIGNAL));
    const struct scmp_arg_cmp own_limits = SAME_INT(0, 0);
    /* A judge is to end with the matcher, and is confined once more. */
    const struct scmp_arg_cmp follow = SAME_INT(0, PR_SET_PDEATHSIG);
    const struct scmp_arg_cmp no_privileges = SAME_INT(0, PR_SET_NO_NEW_PRIVS);
    const struct scmp_arg_cmp add_filter = SAME_INT(0, SECCOMP_SET_MODE_FILTER);
    int rc = allow(filter, for_the_matcher, sizeof for_the_matcher / sizeof *for_the_matcher);

    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(clone), &process, 1);
    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(prlimit64), &own_limits, 1);
    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(prctl), &follow, 1);
    if (rc == 0)
        rc = allow_if(filter, SCMP_SYS(prctl), &no_privileges, 1);
    return rc == 0 ? allow_if(filter, SCMP_SYS(seccomp), &add_filter, 1) : rc;
}

static int allow_judge(scmp_filter_ctx filter)
{
    /* abort(): no signal that could stop it, so that its timer ends it. */
    const struct scmp_arg_cmp abort_itself[] = { SAME_INT(0, getpid()), SAME_INT(2, SIGABRT) };
    int rc = allow(filter, for_a_judge, sizeof for_a_judge / sizeof *for_a_judge);

    if (rc == 0)
        rc = allow_memory(filter);
    return rc == 0 ? allow_if(filter, SCMP_SYS(tgkill), abort_itself, 2) : rc;
}

/* The leak checker makes a process and looks into ours; coverage is written at the end. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INSTRUMENTED true
#endif
#endif
#if !defined(INSTRUMENTED)
#if defined(__SANITIZE_ADDRESS__) || defined(JR_COVERAGE)
#define INSTRUMENTED true
#else
#define INSTRUMENTED false
#endif
#endif

static int fill(scmp_filter_ctx filter, enum jr_confine kind)
{
    static int (*const kinds[])(scmp_filter_ctx filter) = {
        [JR_CONFINE_DISPATCHER] = allow_dispatcher,
        [JR_CONFINE_WORKER] = allow_worker,
        [JR_CONFINE_MATCHER] = allow_matcher,
        [JR_CONFINE_JUDGE] = allow_judge,
    };
    /* A tree: found with few comparisons. What always is allowed the kernel finds without. */
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);

    if (rc == 0 && kind != JR_CONFINE_JUDGE)
        rc = allow(filter, for_most, sizeof for_most / sizeof *for_most);
    if (rc == 0 && kind != JR_CONFINE_JUDGE)
        rc = allow_some_for_most(filter);
    return rc == 0 ? kinds[kind](filter) : rc;
}

bool jr_confine_is_on(void)
{
    return !INSTRUMENTED && !jr_test_confine_is_off();
}

enum jr_err jr_confine(enum jr_confine kind, struct jr_error *error)
{
    static bool confined, judging; /* and cannot become so twice */
    scmp_filter_ctx filter;
    int rc;

    if (judging || (confined && kind != JR_CONFINE_JUDGE) || !jr_confine_is_on())
        return JR_OK;
    filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return jr_error_set(error, JR_EIO, "cannot make a filter of system calls");
    rc = fill(filter, kind);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    if (rc != 0)
        return jr_error_set(error, JR_EIO, "cannot filter system calls: %s", strerror(-rc));
    confined = true;
    judging = kind == JR_CONFINE_JUDGE;
    return JR_OK;
}
