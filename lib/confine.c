/*
 * confine -- a process gives up what it does not need.
 *
 * Forbidding what could reach further, rather than allowing what is in use today, does
 * not break with the next version of a library. The service manager's unit has a list of
 * what is allowed besides (conf/), for all processes together.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/confine.h"
#include "lib/testpoint.h"

#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define DENY SCMP_ACT_ERRNO(EPERM)

/* What no process needs. The rings do what other calls are forbidden to do. */
static const int for_nobody[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat),
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(process_madvise),
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
    SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(fsmount),
    SCMP_SYS(fsconfig), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
    SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(personality),
    SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(reboot), SCMP_SYS(acct),
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at),
    SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(iopl), SCMP_SYS(ioperm),
    SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
};

/* What a worker does not need once it serves. */
static const int for_no_worker[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
    SCMP_SYS(truncate), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat),
    SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
    SCMP_SYS(mknod), SCMP_SYS(mknodat),
    SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchownat),
    SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
    SCMP_SYS(inotify_init), SCMP_SYS(inotify_init1), SCMP_SYS(fanotify_init),
    SCMP_SYS(memfd_create), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3),
    SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(shmat), /* may map code, too */
};

static const int not_datagrams[] = { SOCK_STREAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET };

/* The kernel signals whoever these name, when something comes. */
static const int owning_fcntls[] = { F_SETOWN, F_SETOWN_EX, F_SETSIG };
static const int owning_ioctls[] = { FIOSETOWN, SIOCSPGRP };

/* The bits of the type that are no flags: socket(2), include/linux/net.h. */
#define SOCK_TYPE_MASK 0xf

static int deny(scmp_filter_ctx filter, const int *calls, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = seccomp_rule_add(filter, DENY, calls[i], 0);
    return rc;
}

/* Deny a call where its second argument is one of these; the kernel looks at 32 bits of it. */
static int deny_second(scmp_filter_ctx filter, int call, const int *values, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = seccomp_rule_add(filter, DENY, call, 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)values[i]));
    return rc;
}

static int deny_worker(scmp_filter_ctx filter)
{
    const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(pkey_mprotect) };
    int rc = deny(filter, for_no_worker, sizeof for_no_worker / sizeof *for_no_worker);

    if (rc == 0)
        rc = seccomp_rule_add(filter, DENY, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0));
    for (size_t i = 0; rc == 0 && i < sizeof not_datagrams / sizeof *not_datagrams; i++)
        rc = seccomp_rule_add(filter, DENY, SCMP_SYS(socket), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, SOCK_TYPE_MASK,
                                      (scmp_datum_t)not_datagrams[i]));
    for (size_t i = 0; rc == 0 && i < sizeof mapping / sizeof *mapping; i++)
        rc = seccomp_rule_add(filter, DENY, mapping[i], 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
    if (rc == 0)
        rc = deny_second(filter, SCMP_SYS(fcntl), owning_fcntls,
                         sizeof owning_fcntls / sizeof *owning_fcntls);
    if (rc == 0)
        rc = deny_second(filter, SCMP_SYS(ioctl), owning_ioctls,
                         sizeof owning_ioctls / sizeof *owning_ioctls);
    /* Who has used up his time is signalled, too; getrlimit() asks for its own, as 0. */
    if (rc == 0)
        rc = seccomp_rule_add(filter, DENY, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0, 0));
    /* abort() and raise() signal their own process. */
    if (rc == 0)
        rc = seccomp_rule_add(filter, DENY, SCMP_SYS(tgkill), 1,
                              SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0));
    return rc;
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

enum jr_err jr_confine(enum jr_confine kind, struct jr_error *error)
{
    scmp_filter_ctx filter;
    int rc;

    if (INSTRUMENTED || jr_test_confine_is_off())
        return JR_OK;
    filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return jr_error_set(error, JR_EIO, "cannot make a filter of system calls");
    rc = deny(filter, for_nobody, sizeof for_nobody / sizeof *for_nobody);
    if (rc == 0 && kind == JR_CONFINE_WORKER)
        rc = deny_worker(filter);
    if (rc == 0)
        rc = seccomp_load(filter);
    seccomp_release(filter);
    return rc == 0 ? JR_OK
                   : jr_error_set(error, JR_EIO, "cannot filter system calls: %s", strerror(-rc));
}
