/*
 * types -- how the value of a setting is read, shown and released: by its type.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/types.h"
#include "lib/base/log.h"
#include "lib/base/show.h"
#include "lib/base/text.h"
#include "lib/base/timestamp.h"
#include "lib/crypto/jwt.h"
#include "lib/crypto/signature.h"
#include "lib/model/notice.h"
#include "lib/model/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define KILO INT64_C(1024)

/* --- amounts --- */

struct unit {
    const char *name;
    int64_t factor;
};

/* From the largest on. */
struct measure {
    const char *what; /* in a message */
    bool any_case;
    int64_t bare; /* the factor of a number without a unit */
    struct unit units[6];
};

static const struct measure numbers = { "whole number", false, 1, { { NULL, 0 } } };

static const struct measure durations = {
    "duration (a number and ms, s, m, h or d)", false, JR_SECOND_MS,
    { { "d", JR_DAY_MS }, { "h", JR_HOUR_MS }, { "m", JR_MINUTE_MS }, { "s", JR_SECOND_MS },
      { "ms", 1 }, { NULL, 0 } },
};

static const struct measure sizes = {
    "size (a number and k, M or G)", true, 1,
    { { "G", KILO * KILO * KILO }, { "M", KILO * KILO }, { "k", KILO }, { NULL, 0 } },
};

/* Write an amount with the largest unit that divides it; 0 stands alone. */
static void show_amount(int64_t amount, const struct measure *measure, char *text, size_t size)
{
    for (const struct unit *unit = measure->units; unit->name != NULL; unit++) {
        if (amount != 0 && amount % unit->factor == 0) {
            snprintf(text, size, "%lld%s", (long long)(amount / unit->factor), unit->name);
            return;
        }
    }
    snprintf(text, size, "%lld", (long long)amount);
}

static void range_of_amount(const struct jr_domain *domain, const struct measure *measure,
                            char range[JR_RANGE_SIZE])
{
    char least[32], most[32];

    show_amount(domain->min, measure, least, sizeof least);
    show_amount(domain->max, measure, most, sizeof most);
    snprintf(range, JR_RANGE_SIZE, "%s to %s%s", least, most, domain->or_zero ? ", or 0" : "");
}

/* "ms" has to be tried before "m" and "s", hence whole words. 0: there is no such unit. */
static int64_t factor_of(const struct measure *measure, const char *name)
{
    if (*name == '\0')
        return measure->bare;
    for (const struct unit *unit = measure->units; unit->name != NULL; unit++)
        if ((measure->any_case ? strcasecmp : strcmp)(name, unit->name) == 0)
            return unit->factor;
    return 0;
}

enum amount { AMOUNT_GOOD, AMOUNT_NONE, AMOUNT_TOO_LARGE };

static enum amount parse_amount(const char *text, const struct measure *measure, int64_t *amount)
{
    char *end;
    long long number;
    int64_t factor;

    if (*text < '0' || *text > '9')
        return AMOUNT_NONE;
    errno = 0;
    number = strtoll(text, &end, 10);
    factor = factor_of(measure, end);
    if (factor == 0)
        return AMOUNT_NONE;
    if (errno == ERANGE || number > INT64_MAX / factor)
        return AMOUNT_TOO_LARGE;
    *amount = number * factor;
    return AMOUNT_GOOD;
}

static void read_amount(const struct jr_reading *reading, const char *value, int64_t *field,
                        const struct measure *measure)
{
    const struct jr_domain *domain = reading->domain;
    char quoted[JR_QUOTED_SIZE], range[JR_RANGE_SIZE];
    int64_t amount = 0;
    enum amount parsed = parse_amount(value, measure, &amount);

    range_of_amount(domain, measure, range);
    if (parsed == AMOUNT_NONE)
        jr_findings_problem(reading->findings, reading->name, "'%s' is not a %s; allowed is %s",
                            jr_findings_quote(value, quoted), measure->what, range);
    else if (parsed == AMOUNT_TOO_LARGE || amount > domain->max
             || (amount < domain->min && !(domain->or_zero && amount == 0)))
        jr_findings_problem(reading->findings, reading->name,
                            "'%s' is out of range; allowed is %s",
                            jr_findings_quote(value, quoted), range);
    else
        *field = amount;
}

static void read_number(const struct jr_reading *reading, const char *value, void *field)
{
    read_amount(reading, value, field, &numbers);
}

static void show_number(const void *field, char *text, size_t size)
{
    show_amount(*(const int64_t *)field, &numbers, text, size);
}

static void range_of_number(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    range_of_amount(domain, &numbers, range);
}

const struct jr_type jr_type_number = {
    "whole number", read_number, show_number, range_of_number, NULL,
};

static void read_duration(const struct jr_reading *reading, const char *value, void *field)
{
    read_amount(reading, value, field, &durations);
}

static void show_duration(const void *field, char *text, size_t size)
{
    show_amount(*(const int64_t *)field, &durations, text, size);
}

static void range_of_duration(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    range_of_amount(domain, &durations, range);
}

const struct jr_type jr_type_duration = {
    "duration", read_duration, show_duration, range_of_duration, NULL,
};

bool jr_types_read_duration(const char *text, int64_t *duration_ms)
{
    return parse_amount(text, &durations, duration_ms) == AMOUNT_GOOD;
}

static void read_size(const struct jr_reading *reading, const char *value, void *field)
{
    read_amount(reading, value, field, &sizes);
}

static void show_size(const void *field, char *text, size_t size)
{
    show_amount(*(const int64_t *)field, &sizes, text, size);
}

static void range_of_size(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    range_of_amount(domain, &sizes, range);
}

const struct jr_type jr_type_size = { "size", read_size, show_size, range_of_size, NULL };

/* --- one of some words --- */

/* For no and for yes; the first one of each is the one that is shown. */
static const char *const switch_words[2][5] = {
    { "no", "false", "off", "0", NULL },
    { "yes", "true", "on", "1", NULL },
};

static const char *const keeping_words[2][5] = { { "leave", NULL }, { "rerun", NULL } };

static void read_either(const struct jr_reading *reading, const char *value, bool *field,
                        const char *const words[2][5])
{
    char quoted[JR_QUOTED_SIZE];

    for (int on = 0; on < 2; on++) {
        for (const char *const *word = words[on]; *word != NULL; word++) {
            if (strcasecmp(value, *word) == 0) {
                *field = on;
                return;
            }
        }
    }
    jr_findings_problem(reading->findings, reading->name, "'%s' is neither %s nor %s",
                        jr_findings_quote(value, quoted), words[1][0], words[0][0]);
}

static void read_switch(const struct jr_reading *reading, const char *value, void *field)
{
    read_either(reading, value, field, switch_words);
}

static void show_switch(const void *field, char *text, size_t size)
{
    (void)jr_text_copy(text, size, switch_words[*(const bool *)field][0]);
}

static void range_of_switch(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    (void)domain;
    snprintf(range, JR_RANGE_SIZE, "%s or %s", switch_words[1][0], switch_words[0][0]);
}

const struct jr_type jr_type_switch = {
    "switch", read_switch, show_switch, range_of_switch, NULL,
};

static void read_keeping(const struct jr_reading *reading, const char *value, void *field)
{
    read_either(reading, value, field, keeping_words);
}

static void show_keeping(const void *field, char *text, size_t size)
{
    (void)jr_text_copy(text, size, keeping_words[*(const bool *)field][0]);
}

static void range_of_keeping(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    (void)domain;
    snprintf(range, JR_RANGE_SIZE, "%s or %s", keeping_words[0][0], keeping_words[1][0]);
}

const struct jr_type jr_type_keeping = {
    "word", read_keeping, show_keeping, range_of_keeping, NULL,
};

static const char *const level_words[] = { "error", "warn", "info", "debug", NULL };

/* By commas, the last one by `last`. */
static void join(const char *const *words, const char *last, char range[JR_RANGE_SIZE])
{
    size_t length = 0;

    range[0] = '\0';
    for (size_t i = 0; words[i] != NULL; i++)
        length += (size_t)snprintf(range + length, JR_RANGE_SIZE - length, "%s%s",
                                   i == 0 ? "" : words[i + 1] == NULL ? last : ", ", words[i]);
}

/* A word that is none of those that are allowed; which one was meant, if that can be told. */
static void refuse_word(const struct jr_reading *reading, const char *value,
                        const char *const *words)
{
    const char *meant = jr_sense_nearest(words, value);
    char quoted[JR_QUOTED_SIZE], all[JR_RANGE_SIZE];

    join(words, ", ", all);
    jr_findings_problem(reading->findings, reading->name, "'%s' is none of %s%s%s",
                        jr_findings_quote(value, quoted), all,
                        meant == NULL ? "" : "; the nearest is ", meant == NULL ? "" : meant);
}

/* The place of a word among those that are allowed; -1: it is none, which was told. */
static int read_word_of(const struct jr_reading *reading, const char *value,
                        const char *const *words)
{
    for (int place = 0; words[place] != NULL; place++)
        if (strcasecmp(value, words[place]) == 0)
            return place;
    refuse_word(reading, value, words);
    return -1;
}

static void read_level(const struct jr_reading *reading, const char *value, void *field)
{
    int level = read_word_of(reading, value, level_words);

    if (level >= 0)
        *(enum jr_log_level *)field = (enum jr_log_level)level;
}

static void show_level(const void *field, char *text, size_t size)
{
    (void)jr_text_copy(text, size, level_words[*(const enum jr_log_level *)field]);
}

static void range_of_level(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    (void)domain;
    join(level_words, " or ", range);
}

const struct jr_type jr_type_level = { "word", read_level, show_level, range_of_level, NULL };

static const char *const looking_words[] = { "auto", "always", "never", NULL };

static void read_looking(const struct jr_reading *reading, const char *value, void *field)
{
    int looking = read_word_of(reading, value, looking_words);

    if (looking >= 0)
        *(enum jr_looking *)field = (enum jr_looking)looking;
}

static void show_looking(const void *field, char *text, size_t size)
{
    (void)jr_text_copy(text, size, looking_words[*(const enum jr_looking *)field]);
}

static void range_of_looking(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    (void)domain;
    join(looking_words, " or ", range);
}

const struct jr_type jr_type_looking = {
    "word", read_looking, show_looking, range_of_looking, NULL,
};

static const char *const reporting_words[] = { "none", "check", "comment", NULL };

static void read_reporting(const struct jr_reading *reading, const char *value, void *field)
{
    int reporting = read_word_of(reading, value, reporting_words);

    if (reporting >= 0)
        *(enum jr_reporting *)field = (enum jr_reporting)reporting;
}

static void show_reporting(const void *field, char *text, size_t size)
{
    (void)jr_text_copy(text, size, reporting_words[*(const enum jr_reporting *)field]);
}

static void range_of_reporting(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    (void)domain;
    join(reporting_words, " or ", range);
}

const struct jr_type jr_type_reporting = {
    "word", read_reporting, show_reporting, range_of_reporting, NULL,
};

/* --- lists --- */

static bool has_control(const char *value)
{
    for (; *value != '\0'; value++)
        if ((unsigned char)*value < ' ' || *value == 0x7f)
            return true;
    return false;
}

/*
 * Can a value, or an item of it, mean anything? If not, or likely not, say so.
 *   quoted  how the value is written in the finding; "" for a secret
 */
static bool makes_sense(const struct jr_reading *reading, const char *value, const char *quoted)
{
    char text[JR_SENSE_SIZE];
    enum jr_sense sense = reading->domain->look == NULL ? JR_SENSE_GOOD
                                                        : reading->domain->look(value, text);
    const char *quote = *quoted == '\0' ? "" : "'", *blank = *quoted == '\0' ? "" : " ";

    if (sense == JR_SENSE_NONE)
        jr_findings_problem(reading->findings, reading->name, "%s%s%s%s%s", quote, quoted, quote,
                            blank, text);
    else if (sense == JR_SENSE_DOUBTFUL)
        jr_findings_doubt(reading->findings, reading->name, "%s%s%s%s%s", quote, quoted, quote,
                          blank, text);
    return sense != JR_SENSE_NONE;
}

/* False: there was no memory, or nothing but commas, which is told; the list is all zero then. */
static bool split(const struct jr_reading *reading, const char *value, struct jr_list *list)
{
    if (jr_list_parse(list, value) != JR_OK) {
        reading->findings->out_of_memory = true;
        return false;
    }
    if (list->count == 0 && *value != '\0')
        jr_findings_problem(reading->findings, reading->name,
                            "has commas, but nothing between them");
    if (list->count == 0)
        jr_list_release(list);
    return list->count > 0;
}

static void read_list(const struct jr_reading *reading, const char *value, void *field)
{
    struct jr_list *list = field;
    char quoted[JR_QUOTED_SIZE];

    if (!split(reading, value, list))
        return;
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];

        if (has_control(item))
            jr_findings_problem(reading->findings, reading->name, "'%s' has a control character "
                                "in it, such as a line feed; lists are separated by commas",
                                jr_findings_quote(item, quoted));
        else
            (void)makes_sense(reading, item, jr_findings_quote(item, quoted));
    }
}

/* What is cut off of a character that has no room, and the NUL. */
#define CUT_MOST 4

static void show_list(const void *field, char *text, size_t size)
{
    const struct jr_list *list = field;
    size_t length = 0;

    text[0] = '\0';
    /* Behind an item that was cut, no other one stands. */
    for (size_t i = 0; i < list->count && (i == 0 || size - length > CUT_MOST); i++) {
        if (i > 0)
            text[length++] = ',';
        jr_show_clean(text + length, size - length, list->items[i]);
        length += strlen(text + length);
    }
}

static void range_of_nothing(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    (void)domain;
    range[0] = '\0';
}

static void release_list(void *field)
{
    jr_list_release(field);
}

const struct jr_type jr_type_list = {
    "list", read_list, show_list, range_of_nothing, release_list,
};

/* What a setting may ask for: a success is not rerun, an approval not overruled. */
static const enum jr_conclusion retriable[] = {
    JR_CONCLUSION_FAILURE, JR_CONCLUSION_TIMED_OUT, JR_CONCLUSION_CANCELLED,
    JR_CONCLUSION_STALE, JR_CONCLUSION_STARTUP_FAILURE,
};

#define RETRIABLE (sizeof retriable / sizeof *retriable)

/* Their names; NULL ends them. */
static void name_retriable(const char *words[RETRIABLE + 1])
{
    for (size_t i = 0; i < RETRIABLE; i++)
        words[i] = jr_conclusion_name(retriable[i]);
    words[RETRIABLE] = NULL;
}

static void range_of_conclusions(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    const char *words[RETRIABLE + 1];

    (void)domain;
    name_retriable(words);
    join(words, ", ", range);
}

/* It may be one of GitHub's that nothing is rerun for, a slip, or nonsense. */
static void refuse_conclusion(const struct jr_reading *reading, const char *word)
{
    static const char *const unfit[] = { "success", "neutral", "skipped", "action_required", NULL };
    const char *words[RETRIABLE + 1];
    char quoted[JR_QUOTED_SIZE], all[JR_RANGE_SIZE];

    for (const char *const *each = unfit; *each != NULL; each++) {
        if (strcasecmp(word, *each) == 0) {
            range_of_conclusions(reading->domain, all);
            jr_findings_problem(reading->findings, reading->name, "'%s' is no failure: such a run "
                                "is never rerun; allowed are %s", jr_findings_quote(word, quoted),
                                all);
            return;
        }
    }
    name_retriable(words);
    refuse_word(reading, word, words);
}

static void read_conclusions(const struct jr_reading *reading, const char *value, void *field)
{
    struct jr_list words;
    unsigned mask = 0;

    if (!split(reading, value, &words))
        return;
    for (size_t i = 0; i < words.count; i++) {
        unsigned bit = 0;

        for (size_t j = 0; j < RETRIABLE; j++)
            if (strcasecmp(words.items[i], jr_conclusion_name(retriable[j])) == 0)
                bit = 1u << retriable[j];
        if (bit == 0)
            refuse_conclusion(reading, words.items[i]);
        mask |= bit;
    }
    *(unsigned *)field = mask;
    jr_list_release(&words);
}

static void show_conclusions(const void *field, char *text, size_t size)
{
    unsigned mask = *(const unsigned *)field;
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < RETRIABLE && length < size; i++)
        if (mask & 1u << retriable[i])
            length += (size_t)snprintf(text + length, size - length, "%s%s",
                                       length == 0 ? "" : ",", jr_conclusion_name(retriable[i]));
}

const struct jr_type jr_type_conclusions = {
    "list", read_conclusions, show_conclusions, range_of_conclusions, NULL,
};

/* The kinds of notices; NULL ends them. */
static void name_notices(const char *words[JR_NOTICE_KINDS + 1])
{
    for (int i = 0; i < JR_NOTICE_KINDS; i++)
        words[i] = jr_notice_kind_name((enum jr_notice_kind)i);
    words[JR_NOTICE_KINDS] = NULL;
}

static void range_of_notices(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    const char *words[JR_NOTICE_KINDS + 1];

    (void)domain;
    name_notices(words);
    join(words, ", ", range);
}

static void read_notices(const struct jr_reading *reading, const char *value, void *field)
{
    const char *words[JR_NOTICE_KINDS + 1];
    struct jr_list list;
    unsigned mask = 0;

    if (!split(reading, value, &list))
        return;
    name_notices(words);
    for (size_t i = 0; i < list.count; i++) {
        unsigned bit = 0;

        for (size_t j = 0; j < JR_NOTICE_KINDS; j++)
            if (strcasecmp(list.items[i], words[j]) == 0)
                bit = 1u << j;
        if (bit == 0)
            refuse_word(reading, list.items[i], words);
        mask |= bit;
    }
    *(unsigned *)field = mask;
    jr_list_release(&list);
}

static void show_notices(const void *field, char *text, size_t size)
{
    unsigned mask = *(const unsigned *)field;
    size_t length = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < JR_NOTICE_KINDS && length < size; i++)
        if (mask & 1u << i)
            length += (size_t)snprintf(text + length, size - length, "%s%s", length == 0 ? "" : ",",
                                       jr_notice_kind_name((enum jr_notice_kind)i));
}

const struct jr_type jr_type_notices = {
    "list", read_notices, show_notices, range_of_notices, NULL,
};

static const char *const format_words[] = {
    [JR_NOTICE_JSON] = "json", [JR_NOTICE_CLOUDEVENTS] = "cloudevents", NULL,
};

static void read_format(const struct jr_reading *reading, const char *value, void *field)
{
    int format = read_word_of(reading, value, format_words);

    if (format >= 0)
        *(enum jr_notice_format *)field = (enum jr_notice_format)format;
}

static void show_format(const void *field, char *text, size_t size)
{
    (void)jr_text_copy(text, size, format_words[*(const enum jr_notice_format *)field]);
}

static void range_of_format(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    (void)domain;
    join(format_words, " or ", range);
}

const struct jr_type jr_type_notice_format = {
    "word", read_format, show_format, range_of_format, NULL,
};

/* --- texts --- */

static void keep_text(const struct jr_reading *reading, const char *value, char **field)
{
    *field = strdup(value);
    if (*field == NULL)
        reading->findings->out_of_memory = true;
}

static void read_text(const struct jr_reading *reading, const char *value, void *field)
{
    char quoted[JR_QUOTED_SIZE];

    if ((int64_t)strlen(value) > reading->domain->max)
        jr_findings_problem(reading->findings, reading->name,
                            "'%s' is longer than the %lld bytes that are allowed",
                            jr_findings_quote(value, quoted), (long long)reading->domain->max);
    else if (has_control(value))
        jr_findings_problem(reading->findings, reading->name, "has a control character in it");
    else if (makes_sense(reading, value, jr_findings_quote(value, quoted)))
        keep_text(reading, value, field);
}

static void show_text(const void *field, char *text, size_t size)
{
    const char *value = *(char *const *)field;

    jr_show_clean(text, size, value == NULL ? "" : value);
}

static void range_of_text(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    snprintf(range, JR_RANGE_SIZE, "at most %lld bytes", (long long)domain->max);
}

static void release_text(void *field)
{
    char **text = field;

    free(*text);
    *text = NULL;
}

const struct jr_type jr_type_text = { "text", read_text, show_text, range_of_text, release_text };

/* It goes into JSON. */
#define WORD_SIGNS "._-"

static void read_word(const struct jr_reading *reading, const char *value, void *field)
{
    char quoted[JR_QUOTED_SIZE];

    for (const char *c = value; *c != '\0'; c++) {
        if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')
              || strchr(WORD_SIGNS, *c) != NULL)) {
            jr_findings_problem(reading->findings, reading->name, "'%s' has other characters than "
                                "letters, digits, '.', '_' and '-'",
                                jr_findings_quote(value, quoted));
            return;
        }
    }
    read_text(reading, value, field);
}

static void range_of_word(const struct jr_domain *domain, char range[JR_RANGE_SIZE])
{
    snprintf(range, JR_RANGE_SIZE, "at most %lld letters, digits, '.', '_' and '-'",
             (long long)domain->max);
}

const struct jr_type jr_type_word = { "word", read_word, show_text, range_of_word, release_text };

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
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f
            || strchr("@?#\"<>\\^`{|}", *c) != NULL)
            return false;
    return true;
}

static void read_url(const struct jr_reading *reading, const char *value, void *field)
{
    char quoted[JR_QUOTED_SIZE], **url = field;

    if (!is_base_url(value) || (int64_t)strlen(value) > reading->domain->max) {
        /* What stands before an @ may be a password. */
        jr_findings_problem(reading->findings, reading->name, "'%s' is not a URL such as "
                            "https://api.github.com (http or https, a host, perhaps a path; no "
                            "user, query or fragment)",
                            strchr(value, '@') == NULL ? jr_findings_quote(value, quoted)
                                                       : "a URL with @");
        return;
    }
    keep_text(reading, value, url);
    if (*url == NULL)
        return;
    for (size_t end = strlen(*url); end > 0 && (*url)[end - 1] == '/'; end--)
        (*url)[end - 1] = '\0';
    (void)makes_sense(reading, *url, jr_findings_quote(value, quoted));
}

const struct jr_type jr_type_url = { "URL", read_url, show_text, range_of_text, release_text };

/* --- secrets --- */

/* Nothing of the value is in a finding. */
static bool has_length_of_secret(const struct jr_reading *reading, const char *value)
{
    size_t length = strlen(value);

    if (length == 0)
        jr_findings_problem(reading->findings, reading->name, "is empty");
    else if (length > JR_SECRET_MAX)
        jr_findings_problem(reading->findings, reading->name, "is too long for a secret");
    return length > 0 && length <= JR_SECRET_MAX;
}

static void read_secret(const struct jr_reading *reading, const char *value, void *field)
{
    if (makes_sense(reading, value, "") && has_length_of_secret(reading, value))
        keep_text(reading, value, field);
}

static void show_secret(const void *field, char *text, size_t size)
{
    (void)jr_text_copy(text, size, *(char *const *)field == NULL ? "not set" : "set");
}

static void release_secret(void *field)
{
    char **secret = field;

    if (*secret == NULL)
        return;
    jr_wipe(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

const struct jr_type jr_type_secret = {
    "secret", read_secret, show_secret, range_of_nothing, release_secret,
};

static void read_private_key(const struct jr_reading *reading, const char *value, void *field)
{
    struct jr_jwt_key *key;
    struct jr_error error;

    if (!has_length_of_secret(reading, value))
        return;
    if (jr_jwt_key_open(&key, value, &error) == JR_OK)
        keep_text(reading, value, field);
    else
        jr_findings_problem(reading->findings, reading->name, "%s", error.text);
    jr_jwt_key_close(key);
}

const struct jr_type jr_type_private_key = {
    "secret", read_private_key, show_secret, range_of_nothing, release_secret,
};

bool jr_types_read_since(const char *text, int64_t now_ms, int64_t *since_ms)
{
    char whole[32];
    int64_t age_ms;

    if (jr_types_read_duration(text, &age_ms)) {
        *since_ms = age_ms < now_ms ? now_ms - age_ms : 0;
        return true;
    }
    *since_ms = jr_timestamp_parse(text);
    if (*since_ms == 0 && strlen(text) == 10) {
        snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
        *since_ms = jr_timestamp_parse(whole);
    }
    return *since_ms != 0;
}
