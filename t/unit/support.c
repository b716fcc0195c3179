/*
 * support -- what the unit tests share.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/config/load.h"
#include "lib/service/lock.h"
#include "t/unit/support.h"

#include <ftw.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct CMUnitTest *tests;
static size_t test_count;

void add_test(const char *table, const char *name, CMUnitTestFunction run, const void *row)
{
    char *whole = NULL;

    tests = realloc(tests, (test_count + 1) * sizeof *tests);
    if (tests == NULL || asprintf(&whole, "%s%s%s", table, name == NULL ? "" : ": ", name == NULL ? "" : name) < 0)
        abort();
    tests[test_count++] = (struct CMUnitTest){ whole, run, NULL, NULL, (void *)(uintptr_t)row };
}

int run_program(const char *group)
{
    int failed = _cmocka_run_group_tests(group, tests, test_count, NULL, NULL);

    for (size_t i = 0; i < test_count; i++)
        free((void *)(uintptr_t)tests[i].name);
    free(tests);
    return failed;
}

/* All temporary folders of this program are in one; only the process that made it removes it. */
static char top[] = "/tmp/job-rerunner-unit.XXXXXX";
static pid_t top_owner;

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static void remove_top(void)
{
    if (getpid() == top_owner)
        nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *new_folder(void)
{
    static char folder[64];
    static unsigned number;

    if (top_owner == 0) {
        assert_non_null(mkdtemp(top));
        top_owner = getpid();
        atexit(remove_top);
    }
    snprintf(folder, sizeof folder, "%s/%u", top, ++number);
    assert_int_equal(mkdir(folder, 0700), 0);
    return folder;
}

const char *path_in(const char *folder, const char *name)
{
    static char paths[4][1024];
    static unsigned turn;
    char *path = paths[turn++ % COUNT(paths)];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void write_file(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

void clear_settings(void)
{
    char name[64];

    for (size_t row = 0; row < jr_settings_count(); row++) {
        unsetenv(jr_settings_name(row));
        snprintf(name, sizeof name, "%s_FILE", jr_settings_name(row));
        unsetenv(name);
    }
    unsetenv("CREDENTIALS_DIRECTORY");
}

void load_settings(struct jr_settings *settings, const char *variables)
{
    char *copy = strdup(variables == NULL ? "" : variables), *problems = NULL, *rest = copy, *word;
    struct jr_source source = { .count = 0 };

    assert_non_null(copy);
    assert_int_equal(jr_source_set(&source, "GITHUB_TOKEN", "token"), JR_OK);
    assert_int_equal(jr_source_set(&source, "GITHUB_SIGN_KEY", "key"), JR_OK);
    while ((word = strsep(&rest, " ")) != NULL) {
        char *value = strchr(word, '=');

        if (value != NULL) {
            *value = '\0';
            assert_int_equal(jr_source_set(&source, word, value + 1), JR_OK);
        }
    }
    free(copy);
    if (jr_load_settings(settings, &source, &problems) != JR_OK)
        fail_msg("settings: %s", problems == NULL ? "no memory" : problems);
    jr_source_release(&source);
}

enum jr_err load_environment(struct jr_settings *settings, char **problems)
{
    static const struct jr_source environment = { .environment = true };

    return jr_load_settings(settings, &environment, problems);
}

const char *app_key(void)
{
    static char *pem;
    EVP_PKEY *pkey;
    BIO *bio;
    char *bytes;
    long length;

    if (pem != NULL)
        return pem;
    pkey = EVP_RSA_gen(2048);
    bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    length = BIO_get_mem_data(bio, &bytes);
    pem = strndup(bytes, (size_t)length);
    assert_non_null(pem);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return pem;
}

struct jr_store *open_store(const char *folder)
{
    struct jr_store *store;
    struct jr_error error;

    if (jr_store_open(&store, folder, 16 * 1024 * 1024, &error) != JR_OK)
        fail_msg("%s", error.text);
    return store;
}

void commit(struct jr_txn *txn)
{
    if (jr_txn_commit(txn) != JR_OK)
        fail_msg("commit: %s", txn->error.text);
}

uint64_t count_parts(struct jr_store *store, enum jr_part part)
{
    struct jr_entry entry = { .key_length = 0 };
    struct jr_txn txn;
    uint64_t count = 0;

    jr_txn_begin(&txn, store, false);
    while (jr_txn_seek(&txn, JR_TABLE_RUNS, entry.key, entry.key_length, true, &entry))
        count += entry.key[sizeof(uint64_t)] == part;
    commit(&txn);
    return count;
}

void damage_part(struct jr_store *store, uint64_t run_id, enum jr_part part, uint64_t number)
{
    unsigned char key[JR_KEY_MAX];
    struct jr_txn txn;

    jr_txn_begin(&txn, store, true);
    jr_txn_put(&txn, JR_TABLE_RUNS, key, jr_ledger_key(key, run_id, part, number), "nonsense", 8);
    commit(&txn);
}

void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, text);
}

void assert_not_contains(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("'%s' is in '%s'", part, text);
}

void start_child(struct child *child, void (*function)(int fd, const void *argument),
                 const void *argument)
{
    int ends[2];
    char ready;

    fflush(NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing stays behind a test that is stopped */
        close(ends[0]);
        function(ends[1], argument);
        _exit(0);
    }
    close(ends[1]);
    child->fd = ends[0];
    assert_int_equal(read(child->fd, &ready, 1), 1);
}

void child_says_ready(int fd)
{
    if (write(fd, "r", 1) != 1)
        _exit(3);
}

void child_waits(int fd)
{
    char byte;

    if (read(fd, &byte, 1) < 0)
        _exit(3);
}

void child_holds_lock(int fd, const void *folder)
{
    struct jr_error error;
    int lock;

    if (jr_lock_take(folder, &lock, &error) != JR_OK)
        _exit(3);
    child_says_ready(fd);
    child_waits(fd);
}

void let_child_go(struct child *child)
{
    int status;

    close(child->fd);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    assert_int_equal(status, 0);
}

void kill_child(struct child *child)
{
    assert_int_equal(kill(child->pid, SIGKILL), 0);
    assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
    close(child->fd);
}

/* Copy what stands before the next mark; returns where it stands. */
static const char *take_word(const char *at, char *word, size_t size)
{
    size_t length = strcspn(at, "@=~^,");

    snprintf(word, size, "%.*s", (int)length, at);
    return at + length;
}

static void set_member(struct jr_event *event, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *text;
        size_t size;
    } members[] = {
        { "sender", event->sender, sizeof event->sender },
        { "branch", event->branch, sizeof event->branch },
        { "repo", event->repo, sizeof event->repo },
        { "workflow", event->workflow, sizeof event->workflow },
        { "path", event->workflow_path, sizeof event->workflow_path },
        { "trigger", event->trigger, sizeof event->trigger },
        { "sha", event->head_sha, sizeof event->head_sha },
        { "actor", event->actor, sizeof event->actor },
        { "by", event->triggering_actor, sizeof event->triggering_actor },
        { "head", event->head_repo, sizeof event->head_repo },
        { "environment", event->environment, sizeof event->environment },
    };

    if (strcmp(name, "job") == 0) {
        if (*value == '\0')
            event->job_name[0] = '\0';
        else
            snprintf(event->job_name, sizeof event->job_name, "job %.20s", value);
        return;
    }
    if (strcmp(name, "id") == 0) {
        event->run_id = RUN_ID + (uint64_t)atoi(value);
        return;
    }
    if (strcmp(name, "number") == 0) {
        event->run_number = (uint64_t)atoi(value);
        return;
    }
    if (strcmp(name, "created") == 0) {
        event->created_ms = START_MS - atoi(value) * JR_DAY_MS;
        event->started_ms = event->created_ms;
        return;
    }
    for (size_t i = 0; i < COUNT(members); i++) {
        if (strcmp(name, members[i].name) == 0) {
            snprintf(members[i].text, members[i].size, "%s", value);
            return;
        }
    }
    fail_msg("an event has no '%s'", name);
}

static void set_status(struct jr_event *event, char letter)
{
    static const struct {
        char letter;
        const char *action;
        enum jr_status status;
    } letters[] = {
        { 'q', "queued", JR_STATUS_QUEUED },
        { 'w', "waiting", JR_STATUS_QUEUED },
        { 'i', "in_progress", JR_STATUS_IN_PROGRESS },
        { 'c', "completed", JR_STATUS_COMPLETED },
        { 'u', "paused", JR_STATUS_UNKNOWN },
    };

    for (size_t i = 0; i < COUNT(letters); i++) {
        if (letters[i].letter == letter) {
            snprintf(event->action, sizeof event->action, "%s", letters[i].action);
            event->status = letters[i].status;
            return;
        }
    }
    fail_msg("'%c' is no status", letter);
}

struct jr_event event_of(const char *token)
{
    struct jr_event event = {
        .run_id = RUN_ID,
        .attempt = 1,
        .repo_id = 4711,
        .repo = "octo/app",
        .branch = "main",
        .workflow = "CI",
        .sender = "octocat",
        .created_ms = START_MS,
        .started_ms = START_MS + 10 * JR_SECOND_MS,
    };
    bool is_run = *token == 'R' || *token == 'G';
    const char *at = token + (is_run ? 1 : 0);
    int64_t end_ms = START_MS + (is_run ? 70 : 60) * JR_SECOND_MS;
    char word[128], value[128];

    event.kind = is_run ? JR_EVENT_RUN : JR_EVENT_JOB;
    set_status(&event, *at);
    at = take_word(at + 1, word, sizeof word);
    if (is_run) {
        snprintf(event.head_repo, sizeof event.head_repo, "octo/app");
        snprintf(event.trigger, sizeof event.trigger, "push");
        snprintf(event.workflow_path, sizeof event.workflow_path, ".github/workflows/ci.yml");
        snprintf(event.head_sha, sizeof event.head_sha, "%040d", 1);
        event.workflow_id = 77;
        event.run_number = 17;
    } else {
        event.job_id = JOB_ID((uint64_t)atoi(word));
        snprintf(event.job_name, sizeof event.job_name, "job %.20s", word);
    }
    if (*token == 'G')
        event.action[0] = event.sender[0] = event.workflow[0] = '\0';
    while (*at != '\0') {
        char mark = *at;

        at = take_word(at + 1, word, sizeof word);
        if (mark == '@') {
            event.attempt = (uint32_t)atoi(word);
        } else if (mark == '=') {
            event.conclusion = jr_conclusion_from(word);
        } else if (mark == '~') {
            end_ms = START_MS + atoi(word) * JR_SECOND_MS;
        } else if (mark == '^') {
            event.created_ms = START_MS + 1000 * JR_SECOND_MS;
        } else {
            snprintf(value, sizeof value, "%s", strchr(word, ':') == NULL ? "" : strchr(word, ':') + 1);
            word[strcspn(word, ":")] = '\0';
            set_member(&event, word, value);
        }
    }
    if (is_run)
        event.updated_ms = end_ms;
    else if (event.status == JR_STATUS_COMPLETED)
        event.completed_ms = end_ms;
    return event;
}

enum jr_err intake(struct jr_store *store, const struct jr_settings *settings,
                   const struct jr_update *update, struct jr_receipt *receipt,
                   struct jr_error *error)
{
    struct jr_txn txn;
    enum jr_err err;

    jr_txn_begin(&txn, store, true);
    jr_intake_apply(&txn, settings, update, receipt);
    err = jr_txn_commit(&txn);
    if (err != JR_OK)
        *error = txn.error;
    return err;
}

struct jr_receipt arrives(struct jr_store *store, const struct jr_settings *settings, const char *token,
                          int64_t *now_ms)
{
    struct jr_update update = { .event = event_of(token) };
    struct jr_receipt receipt;
    struct jr_error error;
    static unsigned number;
    char id[16];

    update.now_ms = *now_ms += JR_SECOND_MS;
    snprintf(id, sizeof id, "%u", ++number);
    assert_int_equal(jr_delivery_identify(&update.delivery, id, NULL, 0), JR_OK);
    assert_int_equal(intake(store, settings, &update, &receipt, &error), JR_OK);
    return receipt;
}
