/*
 * settings -- variables of any value: NAME=value with a NUL after each. What is
 * taken is within its range, what `check` shows reads the same when it is set,
 * and no secret is in a message.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/timestamp.h"
#include "lib/config/load.h"
#include "t/fuzz/fuzz.h"

/* Each secret begins so: nothing else is like it. */
#define MARK "~S3cr3t~"

static bool is_secret(const char *name)
{
    return strncmp(name, "GITHUB_TOKEN", 12) == 0 || strncmp(name, "GITHUB_SIGN_KEY", 15) == 0
           || strcmp(name, "GITHUB_APP_KEY") == 0 || strcmp(name, "NOTIFY_URL") == 0
           || strcmp(name, "CLUSTER_KEY") == 0 || strcmp(name, "CLUSTER_PASSWORD") == 0;
}

/* What a secret begins with: an address has its secret behind the host. */
static const char *mark_of(const char *name)
{
    if (strcmp(name, "CLUSTER_KEY") == 0)
        return "-----BEGIN PRIVATE KEY-----" MARK;
    return !is_secret(name) ? "" : strcmp(name, "NOTIFY_URL") == 0 ? "https://a.example/" MARK : MARK;
}

static void add(struct jr_source *source, const char *name, const char *mark, const char *value)
{
    size_t size = strlen(mark) + strlen(value) + 1;
    char *whole = malloc(size);

    HOLDS(whole != NULL);
    HOLDS(snprintf(whole, size, "%s%s", mark, value) == (int)size - 1);
    HOLDS(jr_source_set(source, name, whole) == JR_OK);
    free(whole);
}

/*
 * Only settings themselves: NAME_FILE would have other files read. Returns whether one that is
 * no secret has the mark.
 */
static bool take_variables(struct input *input, struct jr_source *source)
{
    bool marked = false;

    while (input->size > 0) {
        char *text = take_until(input, '\0', NULL), *equals = strchr(text, '=');
        size_t row = jr_settings_find(text);

        if (equals != NULL && row < jr_settings_count()) {
            const char *name = jr_settings_name(row);

            marked |= !is_secret(name) && strstr(text, MARK) != NULL;
            add(source, name, mark_of(name), equals + 1);
        }
        free(text);
    }
    return marked;
}

static void holds_problems(const char *problems, bool marked)
{
    size_t length = strlen(problems);

    HOLDS(length > 0 && problems[length - 1] == '\n');
    for (size_t i = 0; i < length; i++)
        HOLDS((unsigned char)problems[i] >= ' ' || problems[i] == '\n');
    HOLDS(marked || strstr(problems, MARK) == NULL);
}

static void holds_ranges(const struct jr_settings *settings)
{
    HOLDS(settings->run_attempts >= 1 && settings->run_attempts <= 50);
    HOLDS(settings->rerun_delay_ms >= 0 && settings->rerun_delay_ms <= JR_HOUR_MS);
    HOLDS(settings->api_backoff_min_ms >= 10 && settings->api_backoff_min_ms <= JR_HOUR_MS);
    HOLDS(settings->api_backoff_max_ms >= settings->api_backoff_min_ms);
    HOLDS(settings->api_backoff_max_ms <= JR_DAY_MS);
    HOLDS(settings->api_write_interval_ms >= 0 && settings->api_write_interval_ms <= JR_HOUR_MS);
    HOLDS(settings->reconcile_interval_ms == 0 || settings->reconcile_interval_ms >= 100);
    HOLDS(settings->reconcile_interval_ms <= JR_DAY_MS);
    HOLDS(settings->catch_up_ms >= JR_SECOND_MS && settings->catch_up_ms <= 30 * JR_DAY_MS);
    HOLDS(settings->retention_ms >= JR_MINUTE_MS && settings->retention_ms <= 3650 * JR_DAY_MS);
    HOLDS(settings->map_size_bytes >= 1 << 20 && settings->map_size_bytes <= INT64_C(1) << 40);
    HOLDS(settings->body_max_bytes >= 1024 && settings->body_max_bytes <= 25 << 20);
    HOLDS(settings->workers >= 1 && settings->workers <= 256);
    HOLDS(settings->port >= 1 && settings->port <= 65535);
    HOLDS(settings->log_level <= JR_LOG_DEBUG);
    HOLDS(settings->retry_conclusions != 0);
    HOLDS((settings->retry_conclusions & 1u << JR_CONCLUSION_SUCCESS) == 0);
    HOLDS(settings->github_sign_key != NULL);
    HOLDS(jr_settings_can_call(settings) || settings->dry_run);
    HOLDS(strlen(settings->state_dir) <= 96 && strlen(settings->github_api_url) <= 512);
}

/* Lists match anything, and come to an end. */
static void match_lists(const struct jr_settings *settings)
{
    static const char value[] = "octo/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";

    (void)jr_list_match(&settings->no_retry_list, value);
    (void)jr_list_match(&settings->repo_branches, "");
    for (size_t i = 0; i < settings->repos.count; i++)
        HOLDS(strchr(settings->repos.items[i], '*') != NULL
              || strchr(settings->repos.items[i], '?') != NULL
              || jr_text_match(settings->repos.items[i], settings->repos.items[i]));
}

/* May a text be too long to be set as it is shown? Bytes that are no UTF-8 are three there. */
static bool may_grow(const char *value)
{
    for (; value != NULL && *value != '\0'; value++)
        if ((unsigned char)*value > '~')
            return true;
    return false;
}

/* Set everything to what is shown, and load it again: the same is shown. */
static void holds_shown(const struct jr_settings *settings, size_t size)
{
    size_t rows = jr_settings_count(), room = size + 4096;
    struct jr_source again = { .count = 0 };
    struct jr_settings second;
    char *shown = malloc(room), *other = malloc(room), *problems;

    HOLDS(shown != NULL && other != NULL);
    for (size_t row = 0; row < rows; row++) {
        const char *name = jr_settings_name(row);

        jr_settings_show(settings, row, shown, room);
        if (!is_secret(name))
            add(&again, name, "", shown);
        else if (strcmp(shown, "set") == 0)
            add(&again, name, mark_of(name), "x");
        else
            HOLDS(strcmp(shown, "not set") == 0);
    }
    HOLDS(jr_load_settings(&second, &again, &problems) == JR_OK);
    for (size_t row = 0; row < rows; row++) {
        jr_settings_show(settings, row, shown, room);
        jr_settings_show(&second, row, other, room);
        HOLDS(strcmp(shown, other) == 0);
        /* What does not fit is cut, and nothing is written behind it. */
        jr_settings_show(&second, row, other, 8);
        HOLDS(strlen(other) < 8 && strncmp(other, shown, strlen(other)) == 0);
    }
    jr_settings_release(&second);
    jr_source_release(&again);
    free(shown);
    free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = { bytes, size };
    struct jr_source source = { .count = 0 };
    bool marked = take_variables(&input, &source);
    struct jr_settings settings;
    char *problems;
    enum jr_err err = jr_load_settings(&settings, &source, &problems);

    if (err == JR_OK) {
        HOLDS(problems == NULL);
        holds_ranges(&settings);
        match_lists(&settings);
        /* Of the secrets, an App's key alone is not any text. */
        if (settings.github_app_key == NULL && !may_grow(settings.state_dir)
            && !may_grow(settings.listen) && !may_grow(settings.github_ca_file)
            && !may_grow(settings.cluster_ca_file) && !may_grow(settings.cluster_cert_file))
            holds_shown(&settings, size);
    } else {
        HOLDS(err == JR_EINVAL && problems != NULL);
        holds_problems(problems, marked);
    }
    if (settings.doubts != NULL)
        holds_problems(settings.doubts, marked);
    free(problems);
    jr_settings_release(&settings);
    jr_source_release(&source);
    return 0;
}
