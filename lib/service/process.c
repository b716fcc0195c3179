/*
 * process -- what every process of this program does with itself.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/service/process.h"
#include "lib/base/testpoint.h"
#include "lib/crypto/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;
static sigset_t wait_mask;

static void note_stop(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

/*
 * Who started us may have asked the kernel for a signal to us when it is gone
 * (PR_SET_PDEATHSIG, as conf/web does).  A change of user makes the kernel forget it.
 *   parent  who that was, before the change
 */
static void restore_parent_signal(int signal_number, pid_t parent)
{
    if (signal_number == 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, signal_number);
    if (getppid() != parent)
        (void)raise(signal_number);
}

static enum jr_err become(const struct stat *owner, struct jr_error *error)
{
    const struct passwd *user = getpwuid(owner->st_uid);
    gid_t group = user != NULL ? user->pw_gid : owner->st_gid;
    int rc = user != NULL ? initgroups(user->pw_name, group) : setgroups(0, NULL);

    if (rc != 0 || setgid(group) != 0 || setuid(owner->st_uid) != 0)
        return jr_error_set(error, JR_EIO, "cannot become the owner of STATE_DIR (user id %lu): %s",
                            (unsigned long)owner->st_uid, strerror(errno));
    if (setuid(0) == 0)
        return jr_error_set(error, JR_EIO, "could become root again after giving it up");
    return JR_OK;
}

enum jr_err jr_process_become_owner(const char *folder, struct jr_error *error)
{
    pid_t parent = getppid();
    int parent_signal = 0;
    struct stat status;
    enum jr_err err;

    if (geteuid() != 0)
        return JR_OK;
    if (stat(folder, &status) != 0 && errno == ENOENT)
        return jr_error_set(error, JR_ENOENT, "STATE_DIR: there is no '%.100s'; make it for the user "
                            "that the service is to run as, such as: install -d -o www-data -m 0700 "
                            "'%.100s'", folder, folder);
    if (stat(folder, &status) != 0)
        return jr_error_set(error, JR_EIO, "STATE_DIR: cannot look at '%s': %s", folder,
                            strerror(errno));
    if (status.st_uid == 0)
        return JR_OK;
    (void)prctl(PR_GET_PDEATHSIG, &parent_signal);
    err = become(&status, error);
    restore_parent_signal(parent_signal, parent);
    return err;
}

void jr_process_guard_secrets(void)
{
    struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__)
    /* The leak checker has to attach to its own process. */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

void jr_process_forget_environment(void)
{
    char **kept = environ;

    for (char **variable = environ; *variable != NULL; variable++) {
        if (jr_test_is_switch(*variable))
            *kept++ = *variable;
        else
            jr_wipe(*variable, strlen(*variable));
    }
    *kept = NULL;
}

void jr_process_open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

void jr_process_catch_stop(void)
{
    struct sigaction action;
    sigset_t blocked;

    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = note_stop;
    (void)sigaction(SIGTERM, &action, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    sigprocmask(SIG_SETMASK, NULL, &wait_mask);
    sigdelset(&wait_mask, SIGTERM);
}

bool jr_process_stopping(void)
{
    sigset_t pending;

    if (!stopping && sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1)
        stopping = 1;
    return stopping;
}

const sigset_t *jr_process_wait_mask(void)
{
    return &wait_mask;
}

void jr_process_begin_child(pid_t parent)
{
    struct sigaction ignore;
    sigset_t none;

    memset(&ignore, 0, sizeof ignore);
    sigemptyset(&ignore.sa_mask);
    ignore.sa_handler = SIG_IGN;
    /* Ctrl-C and a closed terminal reach the whole group: the master tells its children. */
    (void)sigaction(SIGINT, &ignore, NULL);
    (void)sigaction(SIGHUP, &ignore, NULL);
    ignore.sa_handler = SIG_DFL;
    (void)sigaction(SIGCHLD, &ignore, NULL);
    jr_process_catch_stop();
    sigemptyset(&none);
    sigaddset(&none, SIGUSR1);
    wait_mask = none;
    sigaddset(&none, SIGTERM);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        stopping = 1;
}
