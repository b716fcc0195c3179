/*
 * names -- names of variables that are no setting, and which one was likely meant.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/names.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* More than any name of ours is long. */
#define NAME_SIZE (JR_TEXT_WORD_MAX + 1)

#define CREDENTIALS "CREDENTIALS_DIRECTORY"

/*
 * Others' names. A * at the end stands for any more characters; NULL ends a list.
 * Sources: curl(1), openssl-env(7), environ(7), resolver(5), ld.so(8), systemd.exec(5),
 * sd_notify(3),
 * https://docs.github.com/en/actions/reference/workflows-and-actions/variables
 */
static const char *const in_file[] = {
    /* libcurl and OpenSSL */
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "SSLKEYLOGFILE", "OPENSSL_*", "CURL_*",
    /* the C library, what is loaded into it, and the sanitizers */
    "TZ", "TZDIR", "LANG", "LANGUAGE", "LC_*", "LOCPATH", "NLSPATH", "LD_*", "MALLOC_*",
    "GLIBC_TUNABLES", "RES_OPTIONS", "HOSTALIASES", "LOCALDOMAIN", "TMPDIR", "ASAN_OPTIONS",
    "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
    /* systemd, as its programs are told how to behave */
    "SYSTEMD_*", NULL,
};

static const char *const in_environment[] = {
    /* every environment */
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "MAIL", "PWD", "OLDPWD", "SHLVL", "_", "TERM",
    "COLORTERM", "COLUMNS", "LINES", "DISPLAY", "EDITOR", "VISUAL", "PAGER", "HOST", "HOSTNAME",
    "HOSTTYPE", "OSTYPE", "DEBIAN_FRONTEND", "XDG_*", "SSH_*", "SUDO_*", "DBUS_*", "LS_COLORS",
    "PS1", "PS4", "IFS", "OPTIND", "UID", "EUID", "PPID", "CI", "CONTAINER", "DOKKU_*",
    /* what systemd tells a unit */
    "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_PIDFDID", "NOTIFY_SOCKET",
    "WATCHDOG_PID", "WATCHDOG_USEC", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID",
    "MANAGERPID", "PIDFILE", "RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY",
    "LOGS_DIRECTORY", "CONFIGURATION_DIRECTORY", "SERVICE_RESULT", "EXIT_CODE", "EXIT_STATUS",
    "MEMORY_PRESSURE_*", "FDSTORE", "TRIGGER_*", "MONITOR_*",
    /* the web server's, of a request; those of its headers come from clients */
    "HTTP_*", "SERVER_*", "REQUEST_*", "CONTENT_*", "GATEWAY_*", "QUERY_STRING", "SCRIPT_*",
    "DOCUMENT_*", "PATH_INFO", "PATH_TRANSLATED", "RERUNNER_PAGES", "AUTH_TYPE", "REMOTE_*",
    /* GitHub Actions; GITHUB_API_URL and GITHUB_TOKEN are ours */
    "GITHUB_ACTION*", "GITHUB_ACTOR*", "GITHUB_BASE_REF", "GITHUB_ENV", "GITHUB_EVENT_*",
    "GITHUB_GRAPHQL_URL", "GITHUB_HEAD_REF", "GITHUB_JOB", "GITHUB_OUTPUT", "GITHUB_PATH",
    "GITHUB_REF", "GITHUB_REF_*", "GITHUB_REPOSITORY*", "GITHUB_RETENTION_DAYS", "GITHUB_RUN_*",
    "GITHUB_SERVER_URL", "GITHUB_SHA", "GITHUB_STATE", "GITHUB_STEP_SUMMARY",
    "GITHUB_TRIGGERING_ACTOR", "GITHUB_WORKFLOW*", "GITHUB_WORKSPACE", "GITHUB_CODESPACE*",
    "RUNNER_*", "ACTIONS_*",
    /* our own, between our processes and for tests */
    "JR_*", NULL,
};

/* Words that only names of ours begin with: whatever goes on so, a setting was meant. */
static const char *const own_words[] = { "NO_RETRY_", "REPO_", "RERUN_", "RUN_", "RETRY_", NULL };

/* What others call such a thing, or what this one was once thought to be called. */
static const struct {
    const char *name, *setting;
} also_called[] = {
    { "WEBHOOK_SECRET", "GITHUB_SIGN_KEY" },
    { "GITHUB_SECRET", "GITHUB_SIGN_KEY" },
    { "GITHUB_WEBHOOK_SECRET", "GITHUB_SIGN_KEY" },
    { "GITHUB_SIGN_SECRET", "GITHUB_SIGN_KEY" },
    { "GITHUB_SIGNING_KEY", "GITHUB_SIGN_KEY" },
    { "GITHUB_SIGNING_SECRET", "GITHUB_SIGN_KEY" },
    { "GITHUB_SIGN_KEY_PREVIOUS", "GITHUB_SIGN_KEY_OLD" },
    { "GH_TOKEN", "GITHUB_TOKEN" },
    { "GITHUB_PAT", "GITHUB_TOKEN" },
    { "GITHUB_API_TOKEN", "GITHUB_TOKEN" },
    { "GITHUB_ACCESS_TOKEN", "GITHUB_TOKEN" },
    { "GITHUB_APP_PRIVATE_KEY", "GITHUB_APP_KEY" },
    { "GITHUB_PRIVATE_KEY", "GITHUB_APP_KEY" },
    { "GITHUB_APP_CLIENT_ID", "GITHUB_APP_ID" },
    { "GITHUB_URL", "GITHUB_API_URL" },
    { "GITHUB_API", "GITHUB_API_URL" },
    { "NO_RETRY_USER", "NO_RETRY_LIST" },
    { "NO_RETRY_USERS", "NO_RETRY_LIST" },
    { "NO_RETRY_LOGINS", "NO_RETRY_LIST" },
    { "NO_RETRY_ACTORS", "NO_RETRY_LIST" },
    { "NO_RETRY", "NO_RETRY_LIST" },
    { "NO_RETRY_REPOSITORY", "NO_RETRY_REPOS" },
    { "NO_RETRY_REPOSITORIES", "NO_RETRY_REPOS" },
    { "REPOSITORY", "REPOS" },
    { "REPOSITORIES", "REPOS" },
    { "BRANCHES", "REPO_BRANCHES" },
    { "RETRY_BRANCHES", "REPO_BRANCHES" },
    { "MAX_ATTEMPTS", "RUN_ATTEMPTS" },
    { "MAX_RUN_ATTEMPTS", "RUN_ATTEMPTS" },
    { "RETRY_ATTEMPTS", "RUN_ATTEMPTS" },
};

/* The name of a row as it is, or with _FILE; "": there is no such thing. */
static void write_name(size_t row, bool file, char name[NAME_SIZE])
{
    name[0] = '\0';
    if (!file || jr_settings_is_secret(row))
        snprintf(name, NAME_SIZE, "%s%s", jr_settings_name(row), file ? "_FILE" : "");
}

bool jr_names_is_known(const char *name)
{
    char ours[NAME_SIZE];

    for (size_t i = 0; i < 2 * jr_settings_count(); i++) {
        write_name(i / 2, i % 2 == 1, ours);
        if (ours[0] != '\0' && strcmp(ours, name) == 0)
            return true;
    }
    return strcmp(name, CREDENTIALS) == 0;
}

static bool is_one_of(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        size_t length = strlen(*names);
        bool open = (*names)[length - 1] == '*';

        /* A proxy's name is taken in both cases, by libcurl and others. */
        if (open ? strncmp(name, *names, length - 1) == 0
                 : strcmp(name, *names) == 0
                       || (strstr(*names, "_proxy") != NULL && strcasecmp(name, *names) == 0))
            return true;
    }
    return false;
}

bool jr_names_may_be_in_file(const char *name)
{
    return jr_names_is_known(name) || is_one_of(in_file, name);
}

bool jr_names_is_foreign(const char *name)
{
    return is_one_of(in_file, name) || is_one_of(in_environment, name);
}

/* Names that begin with GITHUB_ differ by what stands behind it. */
static const char *own_part(const char *name, const char *other)
{
    static const char prefix[] = "GITHUB_";
    size_t length = sizeof prefix - 1;

    return strncasecmp(name, prefix, length) == 0 && strncasecmp(other, prefix, length) == 0
               ? name + length
               : name;
}

/* Do two words of one length differ in one character? */
static bool is_other_letter(const char *a, const char *b)
{
    size_t changed = 0;

    if (strlen(a) != strlen(b))
        return false;
    for (; *a != '\0'; a++, b++)
        changed += strncasecmp(a, b, 1) != 0;
    return changed == 1;
}

/* One letter makes another word of a short one: POST and SORT are no slips for PORT. */
static bool is_near(const char *name, const char *ours)
{
    return jr_text_is_near(name, ours) && !(strlen(ours) <= 4 && is_other_letter(name, ours));
}

/* A whole name of ours with more behind it: RETENTION_DAYS. Behind short ones others may go on. */
static bool goes_on(const char *name, const char *ours)
{
    size_t length = strlen(ours);

    return length >= 7 && strncasecmp(name, ours, length) == 0 && name[length] == '_';
}

/*
 * The nearest name of ours.
 *   wide  also one that only has something in common
 * Returns whether there is one.
 */
static bool find_nearest(const char *name, bool wide, char nearest[NAME_SIZE])
{
    size_t least = SIZE_MAX, length = strlen(name);
    char ours[NAME_SIZE];

    for (size_t i = 0; i < sizeof also_called / sizeof *also_called; i++)
        if (strcasecmp(name, also_called[i].name) == 0)
            return jr_text_copy(nearest, NAME_SIZE, also_called[i].setting);
    for (size_t i = 0; i < 2 * jr_settings_count(); i++) {
        const char *part, *our_part;
        size_t distance;

        write_name(i / 2, i % 2 == 1, ours);
        part = own_part(name, ours);
        our_part = own_part(ours, name);
        distance = ours[0] == '\0' ? SIZE_MAX : jr_text_distance(part, our_part);
        if (distance >= least
            || !(is_near(part, our_part) || goes_on(name, ours)
                 || (wide && distance <= length / 2)))
            continue;
        least = distance;
        (void)jr_text_copy(nearest, NAME_SIZE, ours);
    }
    return least != SIZE_MAX;
}

/* A setting that is no secret, with _FILE behind its name. */
static bool is_file_of_no_secret(const char *name, char setting[NAME_SIZE])
{
    size_t length = strlen(name);

    if (length < 5 || length >= NAME_SIZE || strcmp(name + length - 5, "_FILE") != 0)
        return false;
    memcpy(setting, name, length - 5);
    setting[length - 5] = '\0';
    return jr_names_is_known(setting);
}

void jr_names_explain(const char *name, char text[JR_NAMES_SIZE])
{
    char nearest[NAME_SIZE];

    if (is_file_of_no_secret(name, nearest))
        snprintf(text, JR_NAMES_SIZE, "is no setting: only secrets are read from files; "
                 "set %s itself", nearest);
    else if (find_nearest(name, false, nearest))
        snprintf(text, JR_NAMES_SIZE, "is no setting; is %s meant?", nearest);
    else if (find_nearest(name, true, nearest))
        snprintf(text, JR_NAMES_SIZE, "is no setting; the nearest is %s, and `job-rerunner help' "
                 "lists them all", nearest);
    else
        snprintf(text, JR_NAMES_SIZE, "is no setting; `job-rerunner help' lists them");
}

/* The name that an entry of the environment begins with; false: it is too long for one of ours. */
static bool name_of(const char *variable, char name[NAME_SIZE])
{
    size_t length = strcspn(variable, "=");

    if (length == 0 || length >= NAME_SIZE)
        return false;
    memcpy(name, variable, length);
    name[length] = '\0';
    return true;
}

bool jr_names_is_plain(const char *name)
{
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
           == strlen(name);
}

static bool begins_as_ours(const char *name)
{
    for (const char *const *words = own_words; *words != NULL; words++)
        if (strncasecmp(name, *words, strlen(*words)) == 0)
            return true;
    return false;
}

/* Was likely a setting meant by a name of the environment? */
static bool is_doubtful(const char *name)
{
    char setting[NAME_SIZE];

    return jr_names_is_plain(name) && !jr_names_is_known(name) && !jr_names_is_foreign(name)
           && (begins_as_ours(name) || find_nearest(name, false, setting)
               || is_file_of_no_secret(name, setting));
}

char *jr_names_doubts(void)
{
    char name[NAME_SIZE], text[JR_NAMES_SIZE], *lines = NULL;
    size_t size;
    FILE *stream = open_memstream(&lines, &size);

    if (stream == NULL)
        return NULL;
    for (char **variable = environ; *variable != NULL; variable++) {
        if (!name_of(*variable, name) || !is_doubtful(name))
            continue;
        jr_names_explain(name, text);
        fprintf(stream, "%s: %s\n", name, text);
    }
    if (fclose(stream) != 0 || size == 0) {
        free(lines);
        return NULL;
    }
    return lines;
}
