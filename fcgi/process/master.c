/*
 * master -- the service: a process that keeps workers and dispatcher going.
 *
 * All signals it cares for stay blocked and are taken one by one with
 * sigtimedwait(2), so that there are no handlers and no races.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/process/master.h"
#include "fcgi/process/dispatcher.h"
#include "fcgi/process/notify.h"
#include "fcgi/process/reload.h"
#include "fcgi/process/worker.h"
#include "fcgi/web/page.h"
#include "lib/base/log.h"
#include "lib/base/say.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/config/inforce.h"
#include "lib/config/vault.h"
#include "lib/service/process.h"
#include "lib/service/runtime.h"
#include "lib/service/sight.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* From the third death within so much time of life on, the replacement waits. */
#define DEATHS_WINDOW_MS (10 * JR_SECOND_MS)
#define RESPAWN_WAIT_MAX_MS (10 * JR_SECOND_MS)

/* Nobody holds the store's write lock so long who has not hung, unless he waits for the disk.
 * The others wait, and nginx waits 8 s for them. */
#define LOCK_LIMIT_MS (5 * JR_SECOND_MS)

/* Nobody is at one thing so long who has not hung: a worker at its requests. The dispatcher
 * comes round every two seconds, whatever GitHub does. */
#define CHILD_LIMIT_MS (60 * JR_SECOND_MS)

/* How often to look at all that. Who has not looked for long was stopped himself, and
 * perhaps all others with him. */
#define LOOK_MS JR_SECOND_MS
#define LOOK_LATE_MS (5 * JR_SECOND_MS)

/* How many are told how it goes before anything else is looked at. */
#define ANSWERS_AT_ONCE 16

/* How long children may take to finish what they are at. */
#define STOP_LIMIT_MS (8 * JR_SECOND_MS)

/* How often a start after a reload tries the store, a second apart: the service manager hears
 * nothing meanwhile, and waits 30 s (WatchdogSec=), of which 15 may be over. */
#define RELOAD_TRIES 8

enum kind { WORKER, DISPATCHER };

static const char *const kind_names[] = { "worker", "dispatcher" };

struct child {
    enum kind kind;
    pid_t pid;               /* 0: there is none */
    int64_t spawned_ms;      /* monotonic */
    int64_t lives_ms[2];     /* how long the last two lived */
    unsigned quick_deaths;   /* how many in a row came too soon after those before */
    int64_t respawn_due_ms;  /* monotonic; when there is none */
    bool killed;             /* by us, since it hung */
    bool stopped;            /* by a signal, as the kernel says */
};

struct master {
    struct jr_settings *settings;
    struct jr_runtime *runtime;
    struct child *children; /* the workers, then the dispatcher */
    size_t count;
    sigset_t signals;       /* what sigtimedwait() takes */
    struct jr_vault vault;
    struct jr_reload reload;
    int door;               /* where it is asked how it goes (sight.h); -1: nowhere */
    bool reload_wanted;
    bool stopping;          /* told to, before it had begun */
    pid_t *old;             /* children of the master before us, which finish; 0: has ended */
    size_t old_count;
    int64_t old_limit_ms;   /* monotonic: when they are killed */
    int64_t looked_ms;      /* monotonic; at the children, last */
    int64_t resumed_ms;     /* monotonic; when it last looked late: all time before is forgiven */
    int64_t ping_ms;        /* how often the service manager hears of us; 0: it need not */
    int64_t pinged_ms;      /* monotonic */
};

/* The probe: open, check and migrate the store, so that its failure ends the start. */
static int probe_store(const struct jr_settings *settings)
{
    struct jr_store *store;
    struct jr_error error;

    if (jr_store_open(&store, settings->state_dir, settings->map_size_bytes, &error) != JR_OK) {
        jr_log(JR_LOG_ERROR, "start-failed", "%s", error.text);
        return JR_EXIT_STORE;
    }
    jr_store_close(store);
    return JR_EXIT_OK;
}

static int run_probe(const struct master *master)
{
    pid_t pid = fork();
    int status;

    if (pid < 0) {
        jr_log(JR_LOG_ERROR, "start-failed", "cannot fork: %s", strerror(errno));
        return JR_EXIT_FAILED;
    }
    if (pid == 0)
        exit(probe_store(master->settings));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status)) {
        jr_log(JR_LOG_ERROR, "start-failed", JR_STORE_DIED, master->settings->state_dir,
               WTERMSIG(status));
        return JR_EXIT_STORE;
    }
    return WEXITSTATUS(status);
}

/* All that a child must not have. */
static void release(struct master *master)
{
    if (master->door >= 0)
        close(master->door);
    master->door = -1;
    free(master->children);
    free(master->old);
    jr_reload_release(&master->reload);
}

/* What a child does, after fork: it takes its own kind's secrets, and none of the other's. */
static int live_as(enum kind kind, int number, struct master *master, pid_t parent)
{
    struct jr_error error;

    jr_process_begin_child(parent);
    release(master);
    if (jr_runtime_own(master->runtime, kind == WORKER ? number : JR_OWN_DISPATCHER, &error)
        != JR_OK) {
        jr_log(JR_LOG_ERROR, kind_names[kind], "%s", error.text);
        return JR_EXIT_FAILED;
    }
    jr_runtime_close(master->runtime);
    if (jr_vault_open(&master->vault, kind == WORKER ? JR_SECRETS_KEYS : JR_SECRETS_TOKEN,
                      master->settings, &error) != JR_OK) {
        jr_log(JR_LOG_ERROR, kind_names[kind], "%s", error.text);
        return JR_EXIT_FAILED;
    }
    if (kind == DISPATCHER)
        return jr_dispatcher_main(master->settings, master->runtime);
    if (!jr_test_confine_is_off())
        jr_process_forget_environment();
    return jr_worker_main(master->settings, master->runtime, number);
}

/* Workers and dispatcher stand in the same order here and in the runtime. */
static size_t number_of(const struct master *master, const struct child *child)
{
    return (size_t)(child - master->children);
}

static void spawn(struct master *master, struct child *child)
{
    pid_t parent = getpid(), pid;

    pid = fork();
    if (pid == 0) {
        struct jr_runtime *runtime = master->runtime;
        int status = live_as(child->kind, (int)number_of(master, child), master, parent);

        jr_runtime_release(runtime);
        jr_settings_release(master->settings);
        exit(status);
    }
    if (pid < 0) {
        jr_log(JR_LOG_ERROR, "fork-failed", "%s", strerror(errno));
        child->respawn_due_ms = jr_monotonic_ms() + JR_SECOND_MS;
        return;
    }
    child->pid = pid;
    child->spawned_ms = jr_monotonic_ms();
    child->killed = child->stopped = false;
    jr_runtime_note_start(master->runtime, number_of(master, child), pid, jr_now_ms());
}

/* How long the replacement waits after so many quick deaths. */
static int64_t respawn_wait_ms(unsigned quick_deaths)
{
    int64_t wait_ms = JR_SECOND_MS;

    if (quick_deaths == 0)
        return 0;
    for (unsigned i = 1; i < quick_deaths && wait_ms < RESPAWN_WAIT_MAX_MS; i++)
        wait_ms *= 2;
    return wait_ms < RESPAWN_WAIT_MAX_MS ? wait_ms : RESPAWN_WAIT_MAX_MS;
}

static void log_death(const struct child *child, pid_t pid, int status, int64_t wait_ms)
{
    struct jr_line line;

    jr_line_begin(&line, JR_LOG_ERROR, "child-died");
    jr_line_text(&line, "kind", kind_names[child->kind]);
    jr_line_number(&line, "pid", (uint64_t)pid);
    jr_line_number(&line, WIFSIGNALED(status) ? "signal" : "exit",
                   (uint64_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    jr_line_number(&line, "replaced_in_ms", (uint64_t)wait_ms);
    jr_line_write(&line);
}

static void bury(struct child *child, pid_t pid, int status)
{
    int64_t now_ms = jr_monotonic_ms(), life_ms = now_ms - child->spawned_ms, wait_ms;

    child->pid = 0;
    /* Time of life, not of waiting: a crash loop keeps backing off. */
    if (child->lives_ms[0] + child->lives_ms[1] + life_ms <= DEATHS_WINDOW_MS)
        child->quick_deaths++;
    else
        child->quick_deaths = 0;
    child->lives_ms[0] = child->lives_ms[1];
    child->lives_ms[1] = life_ms;
    wait_ms = respawn_wait_ms(child->quick_deaths);
    child->respawn_due_ms = now_ms + wait_ms;
    log_death(child, pid, status, wait_ms);
}

static struct child *find_child(struct master *master, pid_t pid)
{
    for (size_t i = 0; i < master->count; i++)
        if (master->children[i].pid == pid)
            return &master->children[i];
    return NULL;
}

static size_t old_left(const struct master *master)
{
    size_t left = 0;

    for (size_t i = 0; i < master->old_count; i++)
        left += master->old[i] != 0;
    return left;
}

/* One that the master before us has left, if it is one. */
static void bury_old(struct master *master, pid_t pid)
{
    for (size_t i = 0; i < master->old_count; i++) {
        if (master->old[i] != pid)
            continue;
        master->old[i] = 0;
        if (old_left(master) == 0)
            jr_log(JR_LOG_DEBUG, "reload", "the children from before have ended");
    }
}

/* Execute the program on disk, with all children left to it. */
static void go_on_as_new(const struct master *master)
{
    pid_t *children = calloc(master->count, sizeof *children);
    size_t count = 0;

    for (size_t i = 0; children != NULL && i < master->count; i++)
        if (master->children[i].pid != 0)
            children[count++] = master->children[i].pid;
    if (children != NULL)
        jr_reload_go(&master->reload, &master->vault, master->door, children, count);
    free(children);
}

static void end_reload(struct master *master, int status, bool stopping)
{
    if (jr_reload_judge(&master->reload, status) && !stopping)
        go_on_as_new(master);
    jr_runtime_note_policy(master->runtime, master->reload.policy_broken);
    if (!stopping)
        jr_notify("READY=1\nSTATUS=The last reload was refused, see the log");
}

static void note_death(struct master *master, struct child *child, pid_t pid, int status,
                       bool stopping)
{
    jr_runtime_note_end(master->runtime, number_of(master, child));
    if (stopping)
        child->pid = 0;
    else
        bury(child, pid, status);
}

/* Take note of all children that have ended, or that a signal has stopped or made go on. */
static void reap(struct master *master, bool stopping)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
        struct child *child = find_child(master, pid);
        bool lives = WIFSTOPPED(status) || WIFCONTINUED(status);

        if (child != NULL && lives)
            child->stopped = WIFSTOPPED(status);
        else if (child != NULL)
            note_death(master, child, pid, status, stopping);
        else if (pid == master->reload.pid && !lives)
            end_reload(master, status, stopping);
        else if (!lives)
            bury_old(master, pid);
    }
}

/* Start every child that is due; returns how long until the next is, -1 for none. */
static int64_t respawn(struct master *master)
{
    int64_t now_ms = jr_monotonic_ms(), next_ms = -1;

    for (size_t i = 0; i < master->count; i++) {
        struct child *child = &master->children[i];

        if (child->pid == 0 && child->respawn_due_ms <= now_ms)
            spawn(master, child);
        if (child->pid == 0 && (next_ms < 0 || child->respawn_due_ms - now_ms < next_ms))
            next_ms = child->respawn_due_ms - now_ms;
    }
    return next_ms < 0 ? -1 : next_ms > 0 ? next_ms : 0;
}

/* Wait for a signal; 0 after timeout_ms (-1: no limit). */
static int next_signal(const struct master *master, int64_t timeout_ms)
{
    struct timespec limit = { .tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000 };
    int number = timeout_ms < 0 ? sigwaitinfo(&master->signals, NULL)
                                : sigtimedwait(&master->signals, NULL, &limit);

    return number > 0 ? number : 0;
}

static size_t tell_old(const struct master *master, int signal_number)
{
    for (size_t i = 0; i < master->old_count; i++)
        if (master->old[i] != 0)
            (void)kill(master->old[i], signal_number);
    return old_left(master);
}

static size_t tell_all(const struct master *master, int signal_number)
{
    size_t told = tell_old(master, signal_number);

    for (size_t i = 0; i < master->count; i++) {
        if (master->children[i].pid == 0)
            continue;
        (void)kill(master->children[i].pid, signal_number);
        told++;
    }
    return told;
}

/* Tell all who ask how it goes, but not so many that nothing else is done. */
static void answer(const struct master *master)
{
    struct jr_sight sight;
    int peer;

    if (master->runtime == NULL)
        return;
    for (int i = 0; i < ANSWERS_AT_ONCE && (peer = jr_sight_accept(master->door)) >= 0; i++) {
        jr_runtime_look(master->runtime, &sight);
        jr_sight_send(peer, &sight);
    }
}

/* Let the children finish, and end those that do not. */
static void stop(struct master *master)
{
    int64_t limit_ms = jr_monotonic_ms() + STOP_LIMIT_MS, left_ms = STOP_LIMIT_MS;
    size_t left;

    (void)tell_all(master, SIGTERM);
    while ((left = tell_all(master, 0)) > 0 && left_ms > 0) {
        (void)next_signal(master, left_ms);
        answer(master);
        reap(master, true);
        left_ms = limit_ms - jr_monotonic_ms();
    }
    if (left > 0) {
        jr_log(JR_LOG_WARN, "stop", "%zu %s did not stop in time and %s killed", left,
               jr_say_plural(left, "child", "children"), jr_say_plural(left, "is", "are"));
        (void)tell_all(master, SIGKILL);
        for (size_t i = 0; i < master->count; i++)
            if (master->children[i].pid != 0)
                (void)waitpid(master->children[i].pid, NULL, 0);
        for (size_t i = 0; i < master->old_count; i++)
            if (master->old[i] != 0)
                (void)waitpid(master->old[i], NULL, 0);
    }
}

/*
 * A master that looks late was stopped itself, and perhaps its children with it (a
 * freezer, a machine that sleeps): nobody has hung for longer than since then.
 */
static void note_look(struct master *master)
{
    int64_t now_ms = jr_monotonic_ms();

    if (now_ms - master->looked_ms > LOOK_LATE_MS)
        master->resumed_ms = now_ms;
    master->looked_ms = now_ms;
}

/* For how long somebody has done nothing since a time. */
static int64_t still_ms(const struct master *master, int64_t since_ms)
{
    return master->looked_ms - (since_ms > master->resumed_ms ? since_ms : master->resumed_ms);
}

static void kill_hung(struct child *child, const char *what, int64_t since_ms)
{
    jr_log(JR_LOG_ERROR, "hung", "%s %ld has %s for %lld s and is killed", kind_names[child->kind],
           (long)child->pid, what, (long long)(since_ms / 1000));
    child->killed = true;
    (void)kill(child->pid, SIGKILL);
}

/*
 * For how long a child has held the write lock, as it says itself; 0: it does not. Nor does
 * it count while it commits: then it waits for the disk, which may be slow, and who came in
 * its place would wait as well. But who was stopped by a signal does not wait for anything.
 */
static int64_t lock_held_ms(const struct master *master, const struct child *child,
                            const struct jr_process *process)
{
    int64_t since_ms;
    bool committing;

    if (!jr_writer_held(&process->watch, master->looked_ms, &since_ms, &committing)
        || (committing && !child->stopped))
        return 0;
    return still_ms(master, since_ms);
}

/*
 * End children that hang: while they hold the write lock, and with it everybody else, or at
 * one thing for too long. Each is judged by what stands in its own block, which nobody else
 * can write: one that lies there harms itself. What is older than the child is not its own.
 */
static void end_hung(struct master *master)
{
    for (size_t i = 0; i < master->count; i++) {
        struct child *child = &master->children[i];
        const struct jr_process *process = jr_runtime_process(master->runtime, i);
        int64_t silent_ms = still_ms(master, jr_process_beat_ms(process, master->looked_ms));
        int64_t held_ms = lock_held_ms(master, child, process);
        int64_t lived_ms = still_ms(master, child->spawned_ms);
        int64_t limit_ms = jr_test_hang_limit_ms(CHILD_LIMIT_MS);

        if (child->pid == 0 || child->killed)
            continue;
        if (held_ms >= LOCK_LIMIT_MS && lived_ms >= LOCK_LIMIT_MS)
            kill_hung(child, "held the store's lock", held_ms);
        else if (silent_ms >= limit_ms && lived_ms >= limit_ms)
            kill_hung(child, "done nothing", silent_ms);
    }
}

/* End children of the master before us that do not finish. */
static void end_old(struct master *master)
{
    size_t left;

    if (old_left(master) == 0 || jr_monotonic_ms() < master->old_limit_ms)
        return;
    left = tell_old(master, SIGKILL);
    jr_log(JR_LOG_WARN, "reload", "%zu %s from before did not end in time and %s killed", left,
           jr_say_plural(left, "child", "children"), jr_say_plural(left, "is", "are"));
    master->old_limit_ms += STOP_LIMIT_MS;
}

/* Tell the service manager that this loop turns. */
static void ping(struct master *master)
{
    int64_t now_ms = jr_monotonic_ms();

    if (master->ping_ms == 0 || now_ms - master->pinged_ms < master->ping_ms / 2)
        return;
    master->pinged_ms = now_ms;
    jr_notify("WATCHDOG=1");
}

/* Those from before have to end first: one change of guard at a time. */
static void begin_reload(struct master *master)
{
    if (!master->reload_wanted || master->reload.pid != 0 || old_left(master) > 0)
        return;
    master->reload_wanted = false;
    jr_notify("RELOADING=1\nSTATUS=Trying the program on disk");
    if (!jr_reload_try(&master->reload, &master->vault))
        jr_notify("READY=1\nSTATUS=The last reload was refused, see the log");
}

/*
 * Several workers wait for one connection: who comes too late must not block in accept().
 * Again and again, since systemd takes the flag away from the socket, which is the same for
 * all, whenever it executes something with it, such as ExecReload=. Until that is noticed
 * accept() has a limit of time: short, for SIGTERM has to wait for it.
 */
static bool keep_socket_ready(void)
{
    const struct timeval limit = { .tv_usec = 100 * 1000 };
    int flags = fcntl(STDIN_FILENO, F_GETFL);

    return flags >= 0
           && setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0
           && ((flags & O_NONBLOCK) != 0 || fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0);
}

static void run(struct master *master)
{
    int64_t look_ms = master->ping_ms > 0 && master->ping_ms < LOOK_MS ? master->ping_ms : LOOK_MS;

    master->looked_ms = jr_monotonic_ms();
    (void)respawn(master);
    jr_notify("READY=1\nSTATUS=%lld %s", (long long)master->settings->workers,
              jr_say_plural((uint64_t)master->settings->workers, "worker serves",
                            "workers serve"));
    for (;;) {
        int64_t wait_ms = respawn(master);
        int number = next_signal(master, wait_ms < 0 || wait_ms > look_ms ? look_ms : wait_ms);

        ping(master);
        (void)keep_socket_ready();
        note_look(master);
        answer(master);
        end_hung(master);
        end_old(master);
        jr_reload_look(&master->reload);
        if (number == SIGTERM || number == SIGINT)
            return;
        if (number == SIGHUP)
            master->reload_wanted = true;
        reap(master, false);
        begin_reload(master);
    }
}

/* Before the secrets are put aside: what is set is seen here. */
static void line_of_start(struct jr_line *line, const struct jr_settings *settings, bool reloaded)
{
    jr_line_begin(line, JR_LOG_INFO, reloaded ? "reloaded" : "started");
    jr_line_text(line, "version", PACKAGE_VERSION);
    jr_line_number(line, "pid", (uint64_t)getpid());
    jr_line_number(line, "workers", (uint64_t)settings->workers);
    jr_line_text(line, "state_dir", settings->state_dir);
    jr_line_text(line, "api", settings->github_api_url);
    if (settings->dry_run)
        jr_line_text(line, "dry_run",
                     jr_settings_can_call(settings) ? "yes" : "yes, without a token");
}

/* A value of more bytes is cut in the log; STATE_DIR/settings has it whole. */
#define LOGGED_MOST 300

/* What is in force, where the tool finds it. */
static void leave_settings(const struct master *master)
{
    struct jr_error error;

    if (jr_inforce_write(master->settings->state_dir, master->settings,
                         master->runtime->board->started_ms, &error) != JR_OK)
        jr_log(JR_LOG_WARN, "settings", "%s; `job-rerunner status --settings' has nothing to show",
               error.text);
}

/* And in the log. Secrets are only set or not. */
static void log_settings(const struct jr_settings *settings)
{
    struct jr_line line;
    char value[LOGGED_MOST + 4];

    jr_line_begin(&line, JR_LOG_INFO, "settings");
    for (size_t i = 0; i < jr_settings_count(); i++) {
        jr_settings_show(settings, i, value, LOGGED_MOST);
        if (strlen(value) >= LOGGED_MOST - 4)
            memcpy(value + strlen(value), "...", sizeof "...");
        jr_line_text(&line, jr_settings_name(i), value);
    }
    jr_line_write(&line);
}

static void block_signals(struct master *master)
{
    sigemptyset(&master->signals);
    sigaddset(&master->signals, SIGCHLD);
    sigaddset(&master->signals, SIGTERM);
    sigaddset(&master->signals, SIGINT);
    sigaddset(&master->signals, SIGHUP);
    sigaddset(&master->signals, SIGIO); /* somebody asks how it goes */
    sigprocmask(SIG_BLOCK, &master->signals, NULL);
    /* An inherited "ignore" would make children vanish without SIGCHLD. */
    (void)signal(SIGCHLD, SIG_DFL);
}

/* One that has not lived yet counts as one that lived long. */
static bool make_children(struct master *master)
{
    master->children = calloc(master->count, sizeof *master->children);
    for (size_t i = 0; master->children != NULL && i < master->count; i++)
        master->children[i].lives_ms[0] = master->children[i].lives_ms[1] = DEATHS_WINDOW_MS + 1;
    if (master->children != NULL)
        master->children[master->count - 1].kind = DISPATCHER;
    else
        master->count = 0;
    return master->children != NULL;
}

/* Let those finish that the master before us has left; ours come in their place. */
static void relieve_old(struct master *master)
{
    master->old_limit_ms = jr_monotonic_ms() + STOP_LIMIT_MS;
    (void)tell_old(master, SIGTERM);
}

/* Wait for a second, or until it is time to stop. */
static void wait_a_second(struct master *master)
{
    int64_t end_ms = jr_monotonic_ms() + JR_SECOND_MS, left_ms;

    while (!master->stopping && (left_ms = end_ms - jr_monotonic_ms()) > 0) {
        int number = next_signal(master, left_ms);

        master->stopping = number == SIGTERM || number == SIGINT;
        master->reload_wanted |= number == SIGHUP;
    }
}

/*
 * After a reload the children from before still serve, and the trial has just found
 * the store to be good: what fails now may be over soon.
 */
static int try_probe(struct master *master, bool reloaded)
{
    int status = run_probe(master);

    for (int tries = 1; status != JR_EXIT_OK && reloaded && tries < RELOAD_TRIES; tries++) {
        wait_a_second(master);
        status = master->stopping ? JR_EXIT_OK : run_probe(master);
    }
    return status;
}

/* Where the tool asks. One that was handed on may be of another STATE_DIR. */
static void open_door(struct master *master)
{
    const char *state_dir = master->settings->state_dir;
    struct jr_error error;

    if (master->door >= 0 && jr_sight_listens(master->door, state_dir))
        return;
    if (master->door >= 0)
        close(master->door);
    if (jr_sight_listen(state_dir, &master->door, &error) != JR_OK)
        jr_log(JR_LOG_WARN, "unseen", "%s; the tool will not see how it goes", error.text);
}

static int start_failed(const char *text)
{
    jr_log(JR_LOG_ERROR, "start-failed", "%s", text);
    return JR_EXIT_FAILED;
}

/* All that comes before the children. master->stopping: it was told to stop meanwhile. */
static int begin(struct master *master)
{
    struct jr_settings *settings = master->settings;
    bool reloaded = jr_reload_inherit(&master->old, &master->old_count, &master->door);
    struct jr_line line;
    struct jr_error error;
    int status;

    jr_reload_init(&master->reload);
    if (!make_children(master))
        return start_failed("out of memory");
    if (!keep_socket_ready()) {
        jr_log(JR_LOG_ERROR, "start-failed", "cannot set up the socket: %s", strerror(errno));
        return JR_EXIT_FAILED;
    }
    line_of_start(&line, settings, reloaded);
    if (jr_vault_fill(&master->vault, settings, &error) != JR_OK)
        return start_failed(error.text);
    status = try_probe(master, reloaded);
    if (status != JR_EXIT_OK || master->stopping)
        return status;
    if (jr_runtime_create(&master->runtime, (size_t)settings->workers, jr_now_ms(), &error)
        != JR_OK)
        return start_failed(error.text);
    jr_page_prepare();
    open_door(master);
    leave_settings(master);
    relieve_old(master);
    jr_line_write(&line);
    log_settings(settings);
    return JR_EXIT_OK;
}

int jr_master_main(struct jr_settings *settings)
{
    struct master master = {
        .settings = settings, .count = (size_t)settings->workers + 1, .door = -1,
    };
    int status;

    block_signals(&master);
    master.ping_ms = jr_notify_watchdog_ms() / 2;
    status = begin(&master);
    if (status == JR_EXIT_OK && !master.stopping)
        run(&master);
    if (status == JR_EXIT_OK)
        jr_notify("STOPPING=1");
    stop(&master);
    if (status == JR_EXIT_OK)
        jr_log(JR_LOG_INFO, "stopped", "all children have ended");
    release(&master);
    jr_runtime_release(master.runtime);
    return status;
}
