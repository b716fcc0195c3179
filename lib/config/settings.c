/*
 * settings -- everything that can be set, read from the environment once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/settings.h"
#include "lib/base/reach.h"
#include "lib/base/show.h"
#include "lib/base/testpoint.h"
#include "lib/base/timestamp.h"
#include "lib/config/sense.h"
#include "lib/crypto/jwt.h"
#include "lib/crypto/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* STATE_DIR/wake has to fit into sockaddr_un.sun_path, 108 bytes (unix(7)). */
#define STATE_DIR_MAX 96

/* A secret in a file: more than any token or key is long. */
#define SECRET_MAX 16384

#define SECOND JR_SECOND_MS
#define MINUTE JR_MINUTE_MS
#define HOUR JR_HOUR_MS
#define DAY JR_DAY_MS
#define KILO INT64_C(1024)

enum type {
    NUMBER,
    DURATION,
    SIZE,
    SWITCH,
    KEEPING, /* leave, or rerun all the same */
    LEVEL,
    LIST,
    CONCLUSIONS,
    TEXT,
    WORD,
    URL,
    SECRET
};

static const struct row {
    const char *name;
    enum type type;
    size_t offset;
    const char *standard; /* the default, as one would write it; "": none */
    int64_t min, max;     /* of numbers, durations in ms, sizes in bytes */
    bool or_zero;         /* 0 is allowed below min */
    const char *meaning;
} rows[] = {
#define FIELD(name) offsetof(struct jr_settings, name)
    { "RUN_ATTEMPTS", NUMBER, FIELD(run_attempts), "4", 1, 50, false,
      "attempts of one run, the first included; 1 = never rerun" },
    { "NO_RETRY_LIST", LIST, FIELD(no_retry_list), "", 0, 0, false,
      "logins whose runs are left alone" },
    { "REPO_BRANCHES", LIST, FIELD(repo_branches), "", 0, 0, false,
      "branches whose runs are rerun, if not all" },
    { "REPOS", LIST, FIELD(repos), "", 0, 0, false,
      "repositories (owner/name) acted on, if not all" },
    { "NO_RETRY_REPOS", LIST, FIELD(no_retry_repos), "", 0, 0, false,
      "repositories left alone" },
    { "NO_RETRY_WORKFLOWS", LIST, FIELD(no_retry_workflows), "", 0, 0, false,
      "workflows left alone (deployments, releases), by name, file name or path" },
    { "RETRY_CONCLUSIONS", CONCLUSIONS, FIELD(retry_conclusions), "failure,timed_out", 0, 0, false,
      "run conclusions that deserve a rerun" },
    { "SUPERSEDED", KEEPING, FIELD(rerun_superseded), "leave", 0, 0, false,
      "a run of which a newer one of another commit is known, unfinished or a pull request's: "
      "leave or rerun" },
    { "GITHUB_TOKEN", SECRET, FIELD(github_token), "", 0, 0, false,
      "token for the REST API; it or an App is required unless DRY_RUN" },
    { "GITHUB_APP_ID", WORD, FIELD(github_app_id), "", 0, JR_JWT_ISSUER_MAX, false,
      "client id (or numeric id) of a GitHub App, in place of the token" },
    { "GITHUB_APP_KEY", SECRET, FIELD(github_app_key), "", 0, 0, false,
      "private key of that App, in PEM; better GITHUB_APP_KEY_FILE" },
    { "GITHUB_SIGN_KEY", SECRET, FIELD(github_sign_key), "", 0, 0, false,
      "secret of the webhook; required" },
    { "GITHUB_SIGN_KEY_OLD", SECRET, FIELD(github_sign_key_old), "", 0, 0, false,
      "the secret that is being rotated out" },
    { "GITHUB_API_URL", URL, FIELD(github_api_url), "https://api.github.com", 0, 0, false,
      "base of the REST API; http only if written so" },
    { "GITHUB_CA_FILE", TEXT, FIELD(github_ca_file), "", 0, PATH_MAX, false,
      "certificates to trust for a private host, if not the system's" },
    { "RERUN_DELAY", DURATION, FIELD(rerun_delay_ms), "5s", 0, HOUR, false,
      "from 'all known jobs are done, some failed' to asking GitHub" },
    { "API_BACKOFF_MIN", DURATION, FIELD(api_backoff_min_ms), "10s", 10, HOUR, false,
      "first wait before GitHub is asked again about one run; doubled each time" },
    { "API_BACKOFF_MAX", DURATION, FIELD(api_backoff_max_ms), "10m", 10, DAY, false,
      "longest such wait" },
    { "API_WRITE_INTERVAL", DURATION, FIELD(api_write_interval_ms), "1s", 0, HOUR, false,
      "least time between two reruns" },
    { "RECONCILE_INTERVAL", DURATION, FIELD(reconcile_interval_ms), "5m", 100, DAY, true,
      "how often missed work is looked for; 0 = never; also once at start" },
    { "CATCH_UP", DURATION, FIELD(catch_up_ms), "24h", SECOND, 30 * DAY, false,
      "a run that ended longer ago is recorded as missed, not rerun" },
    { "STATE_DIR", TEXT, FIELD(state_dir), "/var/lib/job-rerunner", 0, STATE_DIR_MAX, false,
      "folder of the store, locks and sockets" },
    { "MAP_SIZE", SIZE, FIELD(map_size_bytes), "16G", KILO * KILO, KILO * KILO * KILO * KILO, false,
      "largest size of the store: address space, not disk" },
    { "RETENTION", DURATION, FIELD(retention_ms), "90d", MINUTE, 3650 * DAY, false,
      "how long history is kept after a run's last event" },
    { "WORKERS", NUMBER, FIELD(workers), "16", 1, 256, false,
      "worker processes" },
    { "BODY_MAX", SIZE, FIELD(body_max_bytes), "4M", KILO, 25 * KILO * KILO, false,
      "largest body read" },
    { "LISTEN", TEXT, FIELD(listen), "127.0.0.1", 0, 255, false,
      "address where conf/web has nginx listen" },
    { "PORT", NUMBER, FIELD(port), "5000", 1, 65535, false,
      "port where conf/web has nginx listen" },
    { "DRY_RUN", SWITCH, FIELD(dry_run), "no", 0, 0, false,
      "do everything but the rerun; without a token GitHub is not called at all" },
    { "LOG_LEVEL", LEVEL, FIELD(log_level), "info", 0, 0, false,
      "error, warn, info or debug" },
#undef FIELD
};

#define ROWS (sizeof rows / sizeof *rows)
_Static_assert(ROWS <= 64, "a bit of `given' for each");

static const struct unit {
    const char *name;
    int64_t factor;
} durations[] = {
    { "d", DAY }, { "h", HOUR }, { "m", MINUTE }, { "s", SECOND }, { "ms", 1 }, { NULL, 0 },
}, sizes[] = {
    { "G", KILO * KILO * KILO }, { "M", KILO * KILO }, { "k", KILO }, { NULL, 0 },
};

static const char *const switch_words[2][5] = {
    { "no", "false", "off", "0", NULL },
    { "yes", "true", "on", "1", NULL },
};

static const char *const keeping_words[2][5] = { { "leave", NULL }, { "rerun", NULL } };

static const char *const level_words[] = { "error", "warn", "info", "debug", NULL };

/* The settings whose values (of a list: each item) may be well-formed and mean nothing. */
static const struct {
    size_t offset;
    jr_sense_look *look;
} senses[] = {
#define FIELD(name) offsetof(struct jr_settings, name)
    { FIELD(no_retry_list), jr_sense_login },
    { FIELD(repo_branches), jr_sense_branch },
    { FIELD(repos), jr_sense_repo },
    { FIELD(no_retry_repos), jr_sense_repo },
    { FIELD(no_retry_workflows), jr_sense_workflow },
    { FIELD(github_token), jr_sense_token },
    { FIELD(github_app_id), jr_sense_app_id },
    { FIELD(github_sign_key), jr_sense_key },
    { FIELD(github_sign_key_old), jr_sense_key },
    { FIELD(github_api_url), jr_sense_api_url },
    { FIELD(github_ca_file), jr_sense_path },
    { FIELD(state_dir), jr_sense_path },
    { FIELD(listen), jr_sense_listen },
#undef FIELD
};

/* What a setting may ask for: a success is not rerun, an approval not overruled. */
static const enum jr_conclusion retriable[] = {
    JR_CONCLUSION_FAILURE, JR_CONCLUSION_TIMED_OUT, JR_CONCLUSION_CANCELLED,
    JR_CONCLUSION_STALE, JR_CONCLUSION_STARTUP_FAILURE,
};

static void *field_of(struct jr_settings *settings, const struct row *row)
{
    return (char *)settings + row->offset;
}

static const void *const_field_of(const struct jr_settings *settings, const struct row *row)
{
    return (const char *)settings + row->offset;
}

/* Where problems and doubts are gathered, and what is being read. */
struct loader {
    struct jr_settings *settings;
    FILE *problems, *doubts;
    bool out_of_memory;
};

static void tell(FILE *lines, const char *name, const char *format, va_list args) JR_PRINTF(3, 0);

static void tell(FILE *lines, const char *name, const char *format, va_list args)
{
    fprintf(lines, "%s: ", name);
    vfprintf(lines, format, args);
    fputc('\n', lines);
}

static void problem(struct loader *loader, const char *name, const char *format, ...)
    JR_PRINTF(3, 4);

static void problem(struct loader *loader, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(loader->problems, name, format, args);
    va_end(args);
}

static void doubt(struct loader *loader, const char *name, const char *format, ...) JR_PRINTF(3, 4);

static void doubt(struct loader *loader, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(loader->doubts, name, format, args);
    va_end(args);
}

/* A value from the environment in a message: short, and nothing that is not shown. */
static const char *shown(const char *value, char buffer[80])
{
    char part[80 - 3];

    if (jr_text_copy(part, sizeof part, value)) {
        jr_show_clean(buffer, 80, part);
    } else {
        jr_show_clean(buffer, 80 - 3, part);
        memcpy(buffer + strlen(buffer), "...", sizeof "...");
    }
    return buffer;
}

/*
 * Can the value of a setting, or an item of it, mean anything? If not, or likely not, say so.
 *   quoted  how the value is written in the message; "" for a secret
 */
static bool makes_sense(struct loader *loader, const struct row *row, const char *source,
                        const char *value, const char *quoted)
{
    char text[JR_SENSE_SIZE];
    enum jr_sense sense = JR_SENSE_GOOD;
    const char *quote = *quoted == '\0' ? "" : "'", *blank = *quoted == '\0' ? "" : " ";

    for (size_t i = 0; i < sizeof senses / sizeof *senses; i++)
        if (senses[i].offset == row->offset)
            sense = senses[i].look(value, text);
    if (sense == JR_SENSE_NONE)
        problem(loader, source, "%s%s%s%s%s", quote, quoted, quote, blank, text);
    else if (sense == JR_SENSE_DOUBTFUL)
        doubt(loader, source, "%s%s%s%s%s", quote, quoted, quote, blank, text);
    return sense != JR_SENSE_NONE;
}

/* Write an amount with the largest unit that divides it; 0 stands alone. */
static void show_amount(int64_t amount, const struct unit *units, char *text, size_t size)
{
    for (; units->name != NULL; units++) {
        if (amount != 0 && amount % units->factor == 0) {
            snprintf(text, size, "%lld%s", (long long)(amount / units->factor), units->name);
            return;
        }
    }
    snprintf(text, size, "%lld", (long long)amount);
}

static const struct unit *units_of(enum type type)
{
    static const struct unit none[] = { { NULL, 0 } };

    return type == DURATION ? durations : type == SIZE ? sizes : none;
}

/* "ms" has to be tried before "m" and "s", hence whole words. */
static int64_t factor_of(enum type type, const char *suffix)
{
    if (*suffix == '\0')
        return type == DURATION ? SECOND : 1;
    for (const struct unit *unit = units_of(type); unit->name != NULL; unit++)
        if (type == SIZE ? strcasecmp(suffix, unit->name) == 0 : strcmp(suffix, unit->name) == 0)
            return unit->factor;
    return 0;
}

static void read_amount(struct loader *loader, const struct row *row, const char *value)
{
    char quoted[80], least[32], most[32];
    char *end;
    long long number;
    int64_t factor;
    bool digits = *value >= '0' && *value <= '9';

    errno = 0;
    number = strtoll(value, &end, 10);
    factor = factor_of(row->type, end);
    show_amount(row->min, units_of(row->type), least, sizeof least);
    show_amount(row->max, units_of(row->type), most, sizeof most);
    if (!digits || factor == 0) {
        problem(loader, row->name, "'%s' is not a %s; allowed is %s to %s%s", shown(value, quoted),
                row->type == DURATION ? "duration (a number and ms, s, m, h or d)"
                : row->type == SIZE   ? "size (a number and k, M or G)"
                                      : "whole number",
                least, most, row->or_zero ? ", or 0" : "");
        return;
    }
    if (errno == ERANGE || number > row->max / factor
        || (number * factor < row->min && !(row->or_zero && number == 0))) {
        problem(loader, row->name, "'%s' is out of range; allowed is %s to %s%s",
                shown(value, quoted), least, most, row->or_zero ? ", or 0" : "");
        return;
    }
    *(int64_t *)field_of(loader->settings, row) = number * factor;
}

/* The words for no and for yes of a type that holds one of two. */
static const char *const (*words_of(enum type type))[5]
{
    return type == KEEPING ? keeping_words : switch_words;
}

static void read_switch(struct loader *loader, const struct row *row, const char *value)
{
    const char *const (*words)[5] = words_of(row->type);
    char quoted[80];

    for (int on = 0; on < 2; on++) {
        for (const char *const *word = words[on]; *word != NULL; word++) {
            if (strcasecmp(value, *word) == 0) {
                *(bool *)field_of(loader->settings, row) = on;
                return;
            }
        }
    }
    problem(loader, row->name, "'%s' is neither %s nor %s", shown(value, quoted), words[1][0],
            words[0][0]);
}

static void read_level(struct loader *loader, const struct row *row, const char *value)
{
    const char *meant;
    char quoted[80];

    for (int level = 0; level_words[level] != NULL; level++) {
        if (strcasecmp(value, level_words[level]) == 0) {
            *(enum jr_log_level *)field_of(loader->settings, row) = (enum jr_log_level)level;
            return;
        }
    }
    meant = jr_sense_nearest(level_words, value);
    problem(loader, row->name, "'%s' is none of error, warn, info, debug%s%s", shown(value, quoted),
            meant == NULL ? "" : "; the nearest is ", meant == NULL ? "" : meant);
}

static bool has_control(const char *value)
{
    for (; *value != '\0'; value++)
        if ((unsigned char)*value < ' ' || *value == 0x7f)
            return true;
    return false;
}

static void read_list(struct loader *loader, const struct row *row, const char *value)
{
    struct jr_list *list = field_of(loader->settings, row);

    if (jr_list_parse(list, value) != JR_OK)
        loader->out_of_memory = true;
    else if (*value != '\0' && list->count == 0)
        problem(loader, row->name, "has commas, but nothing between them");
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        char quoted[80];

        if (has_control(item))
            problem(loader, row->name, "'%s' has a control character in it, such as a line feed; "
                    "lists are separated by commas", shown(item, quoted));
        else
            (void)makes_sense(loader, row, row->name, item, shown(item, quoted));
    }
}

/* It may be one of GitHub's that nothing is rerun for, a slip, or nonsense. */
static void refuse_conclusion(struct loader *loader, const struct row *row, const char *word)
{
    static const char *const unfit[] = { "success", "neutral", "skipped", "action_required", NULL };
    const char *words[sizeof retriable / sizeof *retriable + 1] = { NULL }, *meant;
    char quoted[80];

    for (const char *const *each = unfit; *each != NULL; each++) {
        if (strcasecmp(word, *each) == 0) {
            problem(loader, row->name, "'%s' is no failure: such a run is never rerun; allowed are "
                    "failure, timed_out, cancelled, stale, startup_failure", shown(word, quoted));
            return;
        }
    }
    for (size_t i = 0; i < sizeof retriable / sizeof *retriable; i++)
        words[i] = jr_conclusion_name(retriable[i]);
    meant = jr_sense_nearest(words, word);
    problem(loader, row->name,
            "'%s' is none of failure, timed_out, cancelled, stale, startup_failure%s%s",
            shown(word, quoted), meant == NULL ? "" : "; the nearest is ",
            meant == NULL ? "" : meant);
}

static void read_conclusions(struct loader *loader, const struct row *row, const char *value)
{
    struct jr_list words;
    unsigned mask = 0;

    if (jr_list_parse(&words, value) != JR_OK) {
        loader->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < words.count; i++) {
        unsigned bit = 0;

        for (size_t j = 0; j < sizeof retriable / sizeof *retriable; j++)
            if (strcasecmp(words.items[i], jr_conclusion_name(retriable[j])) == 0)
                bit = 1u << retriable[j];
        if (bit == 0)
            refuse_conclusion(loader, row, words.items[i]);
        mask |= bit;
    }
    if (words.count == 0)
        problem(loader, row->name, "has commas, but nothing between them");
    *(unsigned *)field_of(loader->settings, row) = mask;
    jr_list_release(&words);
}

static void keep_text(struct loader *loader, const struct row *row, const char *value)
{
    char **field = field_of(loader->settings, row);

    *field = strdup(value);
    if (*field == NULL)
        loader->out_of_memory = true;
}

static void read_text(struct loader *loader, const struct row *row, const char *value)
{
    char quoted[80];

    if ((int64_t)strlen(value) > row->max) {
        problem(loader, row->name, "'%s' is longer than the %lld bytes that are allowed",
                shown(value, quoted), (long long)row->max);
        return;
    }
    if (has_control(value))
        problem(loader, row->name, "has a control character in it");
    else if (makes_sense(loader, row, row->name, value, shown(value, quoted)))
        keep_text(loader, row, value);
}

/* Letters, digits and a few signs: it goes into JSON. */
static void read_word(struct loader *loader, const struct row *row, const char *value)
{
    char quoted[80];

    for (const char *c = value; *c != '\0'; c++) {
        if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')
              || strchr("._-", *c) != NULL)) {
            problem(loader, row->name, "'%s' has other characters than letters, digits, '.', '_' "
                    "and '-'", shown(value, quoted));
            return;
        }
    }
    read_text(loader, row, value);
}

/* http(s)://host[:port][/path], and nothing that would end up in the wrong place. */
static bool is_base_url(const char *url)
{
    const char *host;

    if (strncmp(url, "https://", 8) == 0)
        host = url + 8;
    else if (strncmp(url, "http://", 7) == 0)
        host = url + 7;
    else
        return false;
    if (*host == '\0' || *host == '/' || *host == ':')
        return false;
    for (const char *c = host; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("@?#\"<>\\^`{|}", *c) != NULL)
            return false;
    return strlen(url) <= 512;
}

static void read_url(struct loader *loader, const struct row *row, const char *value)
{
    char quoted[80];
    char **field = field_of(loader->settings, row);

    if (!is_base_url(value)) {
        /* What stands before an @ may be a password. */
        problem(loader, row->name, "'%s' is not a URL such as https://api.github.com "
                "(http or https, a host, perhaps a path; no user, query or fragment)",
                strchr(value, '@') == NULL ? shown(value, quoted) : "a URL with @");
        return;
    }
    keep_text(loader, row, value);
    if (*field == NULL)
        return;
    for (size_t end = strlen(*field); end > 0 && (*field)[end - 1] == '/'; end--)
        (*field)[end - 1] = '\0';
    (void)makes_sense(loader, row, row->name, *field, shown(value, quoted));
}

static void take_app_key(struct loader *loader, const struct row *row, const char *source,
                         const char *value)
{
    struct jr_jwt_key *key;
    struct jr_error error;

    if (jr_jwt_key_open(&key, value, &error) == JR_OK)
        keep_text(loader, row, value);
    else
        problem(loader, source, "%s", error.text);
    jr_jwt_key_close(key);
}

static void take_secret(struct loader *loader, const struct row *row, const char *source,
                        const char *value)
{
    size_t length = strlen(value);

    if (row->offset == offsetof(struct jr_settings, github_app_key) && length > 0
        && length <= SECRET_MAX) {
        take_app_key(loader, row, source, value);
        return;
    }
    if (!makes_sense(loader, row, source, value, ""))
        return;
    if (length == 0 || length > SECRET_MAX) {
        problem(loader, source, length == 0 ? "is empty" : "is too long for a secret");
        return;
    }
    keep_text(loader, row, value);
}

int jr_settings_open_file(const char *path, struct jr_error *error)
{
    char quoted[80];
    struct stat status;
    /* A FIFO that nobody writes to is opened all the same. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    if (fd < 0)
        (void)jr_error_set(error, errno == ENOENT ? JR_ENOENT : JR_EIO, "cannot read '%s': %s",
                           shown(path, quoted), strerror(errno));
    else
        (void)jr_error_set(error, JR_EIO, "'%s' is not a regular file", shown(path, quoted));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Read a secret from a file; the line feed at its end does not count. */
static void read_secret_file(struct loader *loader, const struct row *row, const char *source,
                             const char *path)
{
    char text[SECRET_MAX + 3], quoted[80];
    struct jr_error error;
    struct stat status;
    int fd = jr_settings_open_file(path, &error);
    size_t length = 0;
    ssize_t got;

    if (fd < 0) {
        problem(loader, source, "%s", error.text);
        return;
    }
    if (geteuid() == 0 && fstat(fd, &status) == 0 && jr_reach_is_lent(path, &status)) {
        problem(loader, source, "'%s' belongs to another user than something on the way to it; "
                "root does not read it", shown(path, quoted));
        close(fd);
        return;
    }
    while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    if (got < 0)
        problem(loader, source, "cannot read '%s': %s", shown(path, quoted), strerror(errno));
    close(fd);
    if (got < 0)
        return;
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    if (strlen(text) != length)
        problem(loader, source, "'%s' has a NUL byte in it: is it saved as UTF-16? It has to be plain "
                "text", shown(path, quoted));
    else
        take_secret(loader, row, source, text);
    jr_wipe(text, sizeof text);
}

/* systemd.exec(5), LoadCredential=: a file of that name in the folder. */
static bool find_credential(const char *name, char *path, size_t size)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    size_t length;

    if (folder == NULL || *folder == '\0')
        return false;
    length = (size_t)snprintf(path, size, "%s/%s", folder, name);
    if (length >= size)
        return false;
    for (char *c = path + strlen(folder); *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return access(path, F_OK) == 0;
}

/* What NAME_FILE says; NULL: nothing. */
static const char *file_of(const struct row *row)
{
    char name[64];
    const char *file;

    snprintf(name, sizeof name, "%s_FILE", row->name);
    file = getenv(name);
    return file != NULL && *file != '\0' ? file : NULL;
}

static void read_secret(struct loader *loader, const struct row *row, const char *value)
{
    char name[64], path[PATH_MAX];
    const char *file = file_of(row);

    snprintf(name, sizeof name, "%s_FILE", row->name);
    if (value != NULL && file != NULL)
        problem(loader, row->name, "is set, and so is %s; set one of them", name);
    else if (value != NULL)
        take_secret(loader, row, row->name, value);
    else if (file != NULL)
        read_secret_file(loader, row, name, file);
    else if (find_credential(row->name, path, sizeof path))
        read_secret_file(loader, row, row->name, path);
}

/* What is no secret. */
static void read_value(struct loader *loader, const struct row *row, const char *value)
{
    if (*value == '\0' && row->type != LIST)
        return;
    switch (row->type) {
    case NUMBER:
    case DURATION:
    case SIZE:
        read_amount(loader, row, value);
        break;
    case SWITCH:
    case KEEPING:
        read_switch(loader, row, value);
        break;
    case LEVEL:
        read_level(loader, row, value);
        break;
    case LIST:
        read_list(loader, row, value);
        break;
    case CONCLUSIONS:
        read_conclusions(loader, row, value);
        break;
    case TEXT:
        read_text(loader, row, value);
        break;
    case WORD:
        read_word(loader, row, value);
        break;
    case URL:
        read_url(loader, row, value);
        break;
    case SECRET:
        break;
    }
}

static void read_row(struct loader *loader, const struct row *row)
{
    const char *value = getenv(row->name);

    if (value != NULL && *value == '\0')
        value = NULL;
    if (row->type == SECRET)
        read_secret(loader, row, value);
    else
        read_value(loader, row, value == NULL ? row->standard : value);
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0';
}

/* Was there anything to read the secret from, so that a problem is told already? */
static bool was_tried(const char *name)
{
    char file[64];

    snprintf(file, sizeof file, "%s_FILE", name);
    return is_set(name) || is_set(file);
}

static bool has_credential(const char *name)
{
    char path[PATH_MAX];

    return find_credential(name, path, sizeof path);
}

/* What GitHub is called with: a token, or an App with its key, not both. */
static void check_access(struct loader *loader)
{
    const struct jr_settings *settings = loader->settings;
    bool token = settings->github_token != NULL || was_tried("GITHUB_TOKEN");
    bool id = settings->github_app_id != NULL || is_set("GITHUB_APP_ID");
    bool key = settings->github_app_key != NULL || was_tried("GITHUB_APP_KEY")
               || has_credential("GITHUB_APP_KEY");

    if (token && (id || key))
        problem(loader, "GITHUB_TOKEN", "is set, and so is %s; set a token or an App, not both",
                id ? "GITHUB_APP_ID" : "GITHUB_APP_KEY");
    else if (id && !key)
        problem(loader, "GITHUB_APP_KEY", "is required with GITHUB_APP_ID (or GITHUB_APP_KEY_FILE, "
                "or the systemd credential github_app_key)");
    else if (key && !id)
        problem(loader, "GITHUB_APP_ID", "is required with GITHUB_APP_KEY: the App's client id");
    else if (!token && !id && !settings->dry_run)
        problem(loader, "GITHUB_TOKEN", "is required unless DRY_RUN=yes (or GITHUB_TOKEN_FILE, "
                "or the systemd credential github_token, or a GitHub App: GITHUB_APP_ID and "
                "GITHUB_APP_KEY_FILE)");
}

/* What is both acted on and left alone is left alone. */
static void doubt_lists(struct loader *loader)
{
    const struct jr_list *repos = &loader->settings->repos,
                         *left = &loader->settings->no_retry_repos;
    char quoted[80];

    for (size_t i = 0; i < repos->count; i++)
        for (size_t j = 0; j < left->count; j++)
            if (strcasecmp(repos->items[i], left->items[j]) == 0)
                doubt(loader, "REPOS", "'%s' is in NO_RETRY_REPOS too, which counts",
                      shown(repos->items[i], quoted));
}

static bool is_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void doubt_secrets(struct loader *loader)
{
    const struct jr_settings *settings = loader->settings;

    if (is_same(settings->github_sign_key, settings->github_token))
        doubt(loader, "GITHUB_SIGN_KEY", "is the same as GITHUB_TOKEN; it should be the secret of "
              "the webhook, and nothing else");
    if (is_same(settings->github_sign_key, settings->github_sign_key_old))
        doubt(loader, "GITHUB_SIGN_KEY_OLD", "is the same as GITHUB_SIGN_KEY: nothing is rotated out");
}

/* What no row can see by itself. */
static void check_together(struct loader *loader, bool secrets)
{
    const struct jr_settings *settings = loader->settings;

    doubt_lists(loader);
    doubt_secrets(loader);
    if (secrets)
        check_access(loader);
    if (secrets && settings->github_sign_key == NULL && !was_tried("GITHUB_SIGN_KEY"))
        problem(loader, "GITHUB_SIGN_KEY", "is required: the secret that the webhook has on GitHub "
                "(or GITHUB_SIGN_KEY_FILE, or the systemd credential github_sign_key)");
    /* 0: it could not be read, which has been told */
    if (settings->api_backoff_max_ms != 0
        && settings->api_backoff_max_ms < settings->api_backoff_min_ms) {
        char min[32], max[32];

        show_amount(settings->api_backoff_min_ms, durations, min, sizeof min);
        show_amount(settings->api_backoff_max_ms, durations, max, sizeof max);
        problem(loader, "API_BACKOFF_MAX", "'%s' is less than API_BACKOFF_MIN, '%s'", max, min);
    }
}

/* Which secrets there are, for who has forgotten them. */
static void note_given(struct jr_settings *settings)
{
    settings->given = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].type == SECRET && *(char *const *)const_field_of(settings, &rows[i]) != NULL)
            settings->given |= UINT64_C(1) << i;
}

/* Where a loader gathers lines. An empty text is freed at the end, *lines is then NULL. */
static bool open_lines(struct loader *loader, char **problems, char **doubts)
{
    size_t size;

    *problems = *doubts = NULL;
    loader->problems = open_memstream(problems, &size);
    loader->doubts = open_memstream(doubts, &size);
    return loader->problems != NULL && loader->doubts != NULL;
}

static bool close_lines(FILE *stream, char **lines)
{
    bool good = stream != NULL && fclose(stream) == 0;

    if (*lines != NULL && (!good || **lines == '\0')) {
        free(*lines);
        *lines = NULL;
    }
    return good;
}

static enum jr_err load(struct jr_settings *settings, bool secrets, char **problems)
{
    struct loader loader = { .settings = settings };
    bool good;

    memset(settings, 0, sizeof *settings);
    settings->patience_ms = jr_test_patience_ms(JR_PATIENCE_MS);
    good = open_lines(&loader, problems, &settings->doubts);
    for (size_t i = 0; good && i < ROWS; i++)
        if (secrets || rows[i].type != SECRET)
            read_row(&loader, &rows[i]);
    if (good)
        check_together(&loader, secrets);
    good &= !loader.out_of_memory;
    good &= close_lines(loader.problems, problems);
    good &= close_lines(loader.doubts, &settings->doubts);
    note_given(settings);
    if (!good) {
        free(*problems);
        *problems = NULL;
        return JR_ENOMEM;
    }
    return *problems == NULL ? JR_OK : JR_EINVAL;
}

enum jr_err jr_settings_load(struct jr_settings *settings, char **problems)
{
    return load(settings, true, problems);
}

enum jr_err jr_settings_load_public(struct jr_settings *settings, char **problems)
{
    return load(settings, false, problems);
}

enum jr_err jr_settings_check_files(const struct jr_settings *settings, struct jr_error *error)
{
    struct jr_error why;
    int fd;

    if (settings->github_ca_file == NULL)
        return JR_OK;
    fd = jr_settings_open_file(settings->github_ca_file, &why);
    if (fd < 0)
        return jr_error_set(error, JR_EINVAL, "GITHUB_CA_FILE: %s", why.text);
    close(fd);
    return JR_OK;
}

/* Where the secret is read from: a file or a credential. False: from neither. */
static bool find_source(const struct row *row, char *path, size_t size)
{
    const char *file = file_of(row);

    return file == NULL ? find_credential(row->name, path, size)
                        : snprintf(path, size, "%s", file) < (int)size;
}

void jr_settings_warn(const struct jr_settings *settings, const char *file,
                      void (*warn)(void *context, const char *name, const char *text),
                      void *context)
{
    bool inside = false;
    char path[PATH_MAX], quoted[80], text[256];

    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].type != SECRET || *(char *const *)const_field_of(settings, &rows[i]) == NULL)
            continue;
        if (!find_source(&rows[i], path, sizeof path)) {
            inside = true;
        } else if (jr_reach_is_open(path)) {
            snprintf(text, sizeof text, "everybody on this host may read or write '%s'; chmod o= "
                     "keeps the secret", shown(path, quoted));
            warn(context, rows[i].name, text);
        }
    }
    if (inside && file != NULL && jr_reach_is_open(file)) {
        snprintf(text, sizeof text, "everybody on this host may read or write '%s', which has a "
                 "secret in it; chmod o= keeps it", shown(file, quoted));
        warn(context, "settings", text);
    }
    if (strncmp(settings->github_api_url, "http://", 7) == 0)
        warn(context, "GITHUB_API_URL", "http:// shows the token to everybody on the way, and "
             "nobody knows who answers; use https://");
}

static void release_secret(char **secret)
{
    if (*secret == NULL)
        return;
    jr_wipe(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void jr_settings_clear_environment(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        char *value = rows[i].type == SECRET ? getenv(rows[i].name) : NULL;

        if (value == NULL)
            continue;
        jr_wipe(value, strlen(value));
        unsetenv(rows[i].name);
    }
}

bool jr_settings_in_environment(void)
{
    return is_set("STATE_DIR") || is_set("GITHUB_SIGN_KEY") || is_set("GITHUB_SIGN_KEY_FILE")
           || is_set("CREDENTIALS_DIRECTORY");
}

void jr_settings_unset_environment(void)
{
    char name[64];

    jr_settings_clear_environment();
    for (size_t i = 0; i < ROWS; i++) {
        unsetenv(rows[i].name);
        snprintf(name, sizeof name, "%s_FILE", rows[i].name);
        if (rows[i].type == SECRET)
            unsetenv(name);
    }
    unsetenv("CREDENTIALS_DIRECTORY");
}

bool jr_settings_can_call(const struct jr_settings *settings)
{
    return settings->github_token != NULL || settings->github_app_key != NULL;
}

/* One secret: has its file another one now? */
static bool reread(struct jr_settings *settings, size_t offset)
{
    struct jr_settings fresh = { .github_token = NULL };
    char **field = (char **)((char *)settings + offset),
         **read = (char **)((char *)&fresh + offset);
    struct loader loader = { .settings = &fresh };
    char *problems, *doubts;
    bool other, good = open_lines(&loader, &problems, &doubts);

    for (size_t i = 0; good && i < ROWS; i++)
        if (rows[i].offset == offset)
            read_secret(&loader, &rows[i], NULL);
    (void)close_lines(loader.problems, &problems);
    (void)close_lines(loader.doubts, &doubts);
    free(problems);
    free(doubts);
    other = *read != NULL && (*field == NULL || strcmp(*read, *field) != 0);
    if (other) {
        release_secret(field);
        *field = *read;
    } else {
        release_secret(read);
    }
    return other;
}

bool jr_settings_reread_token(struct jr_settings *settings)
{
    return reread(settings, settings->github_app_id == NULL
                                ? offsetof(struct jr_settings, github_token)
                                : offsetof(struct jr_settings, github_app_key));
}

static enum jr_secrets kind_of(const struct row *row)
{
    return row->offset == offsetof(struct jr_settings, github_sign_key)
                   || row->offset == offsetof(struct jr_settings, github_sign_key_old)
               ? JR_SECRETS_KEYS
               : JR_SECRETS_TOKEN;
}

void jr_settings_forget(struct jr_settings *settings, enum jr_secrets kind)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].type == SECRET && kind_of(&rows[i]) == kind)
            release_secret(field_of(settings, &rows[i]));
}

const char *jr_settings_secret(const struct jr_settings *settings, size_t row, enum jr_secrets kind)
{
    if (rows[row].type != SECRET || kind_of(&rows[row]) != kind)
        return NULL;
    return *(char *const *)const_field_of(settings, &rows[row]);
}

/* The secret of that name; a value may stand behind it. */
static const struct row *find_secret(const char *name)
{
    size_t length = strcspn(name, "=");

    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].type == SECRET && strlen(rows[i].name) == length
            && strncmp(rows[i].name, name, length) == 0)
            return &rows[i];
    return NULL;
}

enum jr_err jr_settings_put_secret(struct jr_settings *settings, const char *assignment)
{
    const struct row *row = find_secret(assignment);
    const char *value = strchr(assignment, '=');
    char **field;

    if (row == NULL || value == NULL)
        return JR_OK;
    field = field_of(settings, row);
    release_secret(field);
    *field = strdup(value + 1);
    return *field == NULL ? JR_ENOMEM : JR_OK;
}

bool jr_settings_has_source(const char *name)
{
    const struct row *row = find_secret(name);
    char path[PATH_MAX];

    return row != NULL && (file_of(row) != NULL || find_credential(row->name, path, sizeof path));
}

bool jr_settings_is_given(const struct jr_settings *settings, const char *name)
{
    const struct row *row = find_secret(name);

    return row != NULL && (settings->given >> (row - rows) & 1) != 0;
}

void jr_settings_release(struct jr_settings *settings)
{
    for (size_t i = 0; i < ROWS; i++) {
        void *field = field_of(settings, &rows[i]);

        if (rows[i].type == LIST)
            jr_list_release(field);
        else if (rows[i].type == SECRET)
            release_secret(field);
        else if (rows[i].type == TEXT || rows[i].type == WORD || rows[i].type == URL)
            free(*(char **)field);
    }
    free(settings->doubts);
    memset(settings, 0, sizeof *settings);
}

bool jr_settings_retries(const struct jr_settings *settings, enum jr_conclusion conclusion)
{
    return (settings->retry_conclusions & 1u << conclusion) != 0;
}

bool jr_settings_read_duration(const char *text, int64_t *duration_ms)
{
    char *end;
    long long number;
    int64_t factor;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    number = strtoll(text, &end, 10);
    factor = factor_of(DURATION, end);
    if (factor == 0 || errno == ERANGE || number > INT64_MAX / factor)
        return false;
    *duration_ms = number * factor;
    return true;
}

size_t jr_settings_count(void)
{
    return ROWS;
}

const char *jr_settings_name(size_t row)
{
    return rows[row].name;
}

const char *jr_settings_default(size_t row)
{
    return rows[row].standard;
}

const char *jr_settings_meaning(size_t row)
{
    return rows[row].meaning;
}

bool jr_settings_is_secret(size_t row)
{
    return rows[row].type == SECRET;
}

static void show_list(const struct jr_list *list, char *text, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (i > 0 && length + 1 < size)
            text[length++] = ',';
        jr_show_clean(text + length, size - length, list->items[i]);
        length += strlen(text + length);
    }
}

static void show_conclusions(unsigned mask, char *text, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < sizeof retriable / sizeof *retriable && length < size; i++)
        if (mask & 1u << retriable[i])
            length += (size_t)snprintf(text + length, size - length, "%s%s",
                                       length == 0 ? "" : ",", jr_conclusion_name(retriable[i]));
}

char *jr_settings_show(const struct jr_settings *settings, size_t row, char *text, size_t size)
{
    const void *field = const_field_of(settings, &rows[row]);
    const char *string = NULL;

    text[0] = '\0';
    switch (rows[row].type) {
    case NUMBER:
    case DURATION:
    case SIZE:
        show_amount(*(const int64_t *)field, units_of(rows[row].type), text, size);
        break;
    case SWITCH:
    case KEEPING:
        string = words_of(rows[row].type)[*(const bool *)field][0];
        break;
    case LEVEL:
        string = level_words[*(const enum jr_log_level *)field];
        break;
    case LIST:
        show_list(field, text, size);
        break;
    case CONCLUSIONS:
        show_conclusions(*(const unsigned *)field, text, size);
        break;
    case TEXT:
    case WORD:
    case URL:
        string = *(char *const *)field;
        break;
    case SECRET:
        string = *(char *const *)field != NULL || (settings->given >> row & 1) != 0 ? "set"
                                                                                    : "not set";
        break;
    }
    if (string != NULL)
        jr_show_clean(text, size, string);
    return text;
}

char *jr_settings_text(const struct jr_settings *settings, size_t row)
{
    char *text = NULL, *larger;

    for (size_t size = 256;; size *= 4) {
        larger = realloc(text, size);
        if (larger == NULL) {
            free(text);
            return NULL;
        }
        text = larger;
        /* Cut at a border of characters, at most three bytes before the end. */
        if (strlen(jr_settings_show(settings, row, text, size)) + 4 < size)
            return text;
    }
}

char *jr_settings_default_text(size_t row)
{
    struct jr_settings fresh = { .doubts = NULL };
    struct loader loader = { .settings = &fresh };
    char *problems, *text = NULL;

    if (open_lines(&loader, &problems, &fresh.doubts)) {
        if (rows[row].type != SECRET)
            read_value(&loader, &rows[row], rows[row].standard);
        text = jr_settings_text(&fresh, row);
    }
    (void)close_lines(loader.problems, &problems);
    (void)close_lines(loader.doubts, &fresh.doubts);
    free(problems);
    jr_settings_release(&fresh);
    return text;
}
