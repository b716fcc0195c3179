/*
 * fill -- fill the tables of a document from those of the program.
 *
 *   doc/fill <DOCUMENT >NEW
 *
 * Between a line `<!-- table: NAME -->` and a line `<!-- end of table -->` of Markdown, between
 * `.\" table: NAME` and `.\" end of table` of a manual page, or `# table: NAME` and `# end of
 * table` of a file of settings, all lines are replaced. NAME is settings, reasons or metrics;
 * the last has settings alone. `make docs` does so with each document that has one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/buffer.h"
#include "lib/config/settings.h"
#include "lib/model/words.h"
#include "lib/service/metrics.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_MAX (1024 * 1024)
#define LINE 76       /* a line of a manual page's text is broken here */
#define VALUES_MAX 32 /* a label of more values has those of a list elsewhere */

enum format { MDOC, MARKDOWN, EXAMPLE };

static const struct {
    const char *begin, *begin_end, *end;
} marks[] = {
    [MDOC] = { ".\\\" table: ", "", ".\\\" end of table" },
    [MARKDOWN] = { "<!-- table: ", " -->", "<!-- end of table -->" },
    [EXAMPLE] = { "# table: ", "", "# end of table" },
};

/*
 * Running text: words, names of settings, and `code` in backquotes.
 */

/* How many columns of the line are taken. A macro of mdoc has a line of its own. */
static size_t column;

static void break_line(void)
{
    if (column > 0)
        putchar('\n');
    column = 0;
}

/* A name of a setting, or of a file for a secret, at the beginning of this? Its length, or 0. */
static size_t setting_length(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    size_t bare = length > 5 && strncmp(text + length - 5, "_FILE", 5) == 0 ? length - 5 : length;

    for (size_t i = 0; i < jr_settings_count(); i++) {
        size_t size = strlen(jr_settings_name(i));

        if ((size == length || size == bare) && strncmp(jr_settings_name(i), text, size) == 0)
            return length;
    }
    return 0;
}

/* What to set apart begins here: its length with its quotes; 0: nothing does. */
static size_t code_length(const char *text, const char **macro)
{
    const char *end = *text == '`' ? strchr(text + 1, '`') : NULL;

    *macro = end == NULL ? "Ev" : "Ql";
    return end == NULL ? setting_length(text) : (size_t)(end - text) + 1;
}

/* A word of a manual page, as text. A dot or an apostrophe would begin a macro. */
static void put_plain(const char *word, size_t length)
{
    if (column > 0 && column + 1 + length > LINE)
        break_line();
    if (column > 0)
        putchar(' ');
    else if (*word == '.' || *word == '\'')
        fputs("\\&", stdout);
    printf("%.*s", (int)length, word);
    column += length + (column > 0);
    if (word[length - 1] == '.')
        break_line();
}

/* A word of a comment. */
static void put_comment(const char *word, size_t length)
{
    if (column > 0 && column + 1 + length > LINE)
        break_line();
    fputs(column > 0 ? " " : "# ", stdout);
    printf("%.*s", (int)length, word);
    column += length + (column > 0 ? 1 : 2);
}

/* What stands behind a macro's argument: letters belong to the word, a stop to the sentence. */
static void put_tail(const char *tail, size_t length)
{
    size_t letters = length;

    while (letters > 0 && strchr(".,:;)?!", tail[letters - 1]) != NULL)
        letters--;
    if (letters > 0)
        printf(" Ns %.*s", (int)letters, tail);
    for (size_t i = letters; i < length; i++)
        printf(" %c", tail[i]);
    putchar('\n');
}

static void put_macro(const char *word, size_t code, const char *macro, const char *tail,
                      size_t length)
{
    size_t quote = *word == '`';

    break_line();
    printf(".%s %.*s", macro, (int)(code - 2 * quote), word + quote);
    put_tail(tail, length);
}

/* Signs that Markdown would take for its own. */
static void put_markdown(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        printf(strchr("*|<>", word[i]) == NULL ? "%c" : "\\%c", word[i]);
}

static void put_word(enum format format, const char *word, size_t code, const char *macro,
                     size_t rest)
{
    size_t quote = *word == '`';

    if (format == EXAMPLE)
        put_comment(word, code + rest);
    else if (format == MDOC && code == 0)
        put_plain(word, rest);
    else if (format == MDOC)
        put_macro(word, code, macro, word + code, rest);
    else {
        if (code > 0)
            printf("`%.*s`", (int)(code - 2 * quote), word + quote);
        put_markdown(word + code, rest);
    }
}

static void put_text(enum format format, const char *text)
{
    const char *macro;

    for (bool first = true; *text != '\0'; first = false) {
        size_t code = code_length(text, &macro), rest = strcspn(text + code, " ");

        if (format == MARKDOWN && !first)
            putchar(' ');
        put_word(format, text, code, macro, rest);
        text += code + rest;
        text += strspn(text, " ");
    }
    if (format != MARKDOWN)
        break_line();
}

/* The same as a sentence: with a capital, unless it begins with code, and a stop. */
static void put_sentence(enum format format, const char *text)
{
    char sentence[512];
    const char *macro;
    int length = snprintf(sentence, sizeof sentence, "%s.", text);

    if (length < 0 || (size_t)length >= sizeof sentence)
        abort();
    if (code_length(text, &macro) == 0)
        sentence[0] = (char)toupper((unsigned char)sentence[0]);
    put_text(format, sentence);
}

/*
 * The settings, in the order of their table, where those of a group stand together
 */

/* The texts of a setting: meaning, details, and what is allowed. */
static void put_meaning(enum format format, size_t row)
{
    char range[JR_RANGE_SIZE];
    const char *details = jr_settings_details(row);

    put_sentence(format, jr_settings_meaning(row));
    if (format == MARKDOWN && *details != '\0')
        putchar(' ');
    put_text(format, details);
    if (*jr_settings_range(row, range) == '\0')
        return;
    printf(format == MDOC ? "Allowed: %s.\n" : format == MARKDOWN ? " Allowed: %s."
                                                                  : "# Allowed: %s.\n", range);
}

/* Ready to be changed: the sign of a comment away, and with a value behind it. */
static void put_example(size_t row)
{
    put_meaning(EXAMPLE, row);
    printf("#%s=%s\n", jr_settings_name(row), jr_settings_default(row));
    if (jr_settings_is_secret(row))
        printf("#%s_FILE=\n", jr_settings_name(row));
    putchar('\n');
}

static void put_setting(enum format format, size_t row)
{
    const char *name = jr_settings_name(row), *standard = jr_settings_default(row);

    if (format == EXAMPLE) {
        put_example(row);
        return;
    }
    if (format == MDOC) {
        printf(*standard == '\0' ? ".It Ev %s\n" : ".It Ev %s Pq %s\n", name, standard);
    } else {
        printf(*standard == '\0' ? "| `%s` |%s" : "| `%s` | `%s`", name, standard);
        printf(" | %s | ", jr_settings_type(row));
    }
    put_meaning(format, row);
    if (format == MARKDOWN)
        puts(" |");
}

/* A list for each group. */
static void put_group(enum format format, const char *group)
{
    static const char *const around[][2] = {
        [MDOC] = { ".Ss ", "\n.Bl -tag -width Ds\n" },
        [MARKDOWN] = { "### ", "\n\n| Setting | Default | Type | Meaning |\n|---|---|---|---|\n" },
        [EXAMPLE] = { "#\n# ", "\n#\n\n" },
    };

    printf("%s%s%s", around[format][0], group, around[format][1]);
    for (size_t i = 0; i < jr_settings_count(); i++)
        if (strcmp(jr_settings_group(i), group) == 0)
            put_setting(format, i);
    fputs(format == MDOC ? ".El\n" : format == MARKDOWN ? "\n" : "", stdout);
}

static void put_settings(enum format format)
{
    const char *group = "";

    if (format != MDOC)
        putchar('\n');
    for (size_t i = 0; i < jr_settings_count(); i++) {
        if (strcmp(jr_settings_group(i), group) != 0)
            put_group(format, jr_settings_group(i));
        group = jr_settings_group(i);
    }
}

/*
 * The reasons, by their tokens
 */

static int compare_reasons(const void *a, const void *b)
{
    return strcmp(jr_reason_token(*(const enum jr_reason *)a),
                  jr_reason_token(*(const enum jr_reason *)b));
}

static void put_reason(enum format format, enum jr_reason reason)
{
    const char *note = jr_reason_note(reason);

    printf(format == MDOC ? ".It Ql %s\n" : "| `%s` | ", jr_reason_token(reason));
    put_sentence(format, jr_reason_words(reason));
    if (format == MARKDOWN && *note != '\0')
        putchar(' ');
    put_text(format, note);
    if (format == MARKDOWN)
        puts(" |");
}

static void put_reasons(enum format format)
{
    enum jr_reason reasons[JR_REASONS];
    size_t count = 0;

    for (int i = JR_REASON_NONE + 1; i < JR_REASONS; i++)
        if (strcmp(jr_reason_token((enum jr_reason)i), jr_reason_token(JR_REASON_NONE)) != 0)
            reasons[count++] = (enum jr_reason)i;
    qsort(reasons, count, sizeof *reasons, compare_reasons);
    puts(format == MDOC ? ".Bl -tag -width Ds" : "| Reason | What it means, and what to do |\n|---|---|");
    for (size_t i = 0; i < count; i++)
        put_reason(format, reasons[i]);
    if (format == MDOC)
        puts(".El");
}

/*
 * The metrics: what the program writes, with a number in each place, is read.
 */

/* A label of a metric, and the values that occur. */
struct label {
    char name[32];
    char values[VALUES_MAX][64];
    size_t count; /* more than VALUES_MAX: not all of them are in values */
};

/* Remember a pair; `labels` has room for two, as a sample has. */
static void note_pair(struct label *labels, const char *name, const char *value)
{
    struct label *label = *labels[0].name == '\0' || strcmp(labels[0].name, name) == 0
                              ? &labels[0] : &labels[1];

    snprintf(label->name, sizeof label->name, "%s", name);
    for (size_t i = 0; i < label->count && i < VALUES_MAX; i++)
        if (strcmp(label->values[i], value) == 0)
            return;
    if (label->count < VALUES_MAX)
        snprintf(label->values[label->count], sizeof label->values[0], "%s", value);
    label->count++;
}

/* The labels of the samples that stand here, up to the next metric. */
static void read_labels(const char *samples, struct label *labels)
{
    char name[32], value[64];
    const char *end = strstr(samples, "\n# HELP "), *pair = samples;

    while ((pair = strpbrk(pair, "{,")) != NULL && (end == NULL || pair < end)) {
        pair++;
        if (sscanf(pair, "%31[a-z_]=\"%63[^\"]\"", name, value) == 2 && strcmp(name, "le") != 0)
            note_pair(labels, name, value);
    }
}

static bool is_listed(const struct label *label)
{
    return label->count <= VALUES_MAX && strcmp(label->name, "version") != 0;
}

/* A label with its values: those of reasons have a list of their own. */
static void put_label(enum format format, const struct label *label, bool last)
{
    const char *between = format == MDOC ? " , " : ", ";

    printf(format == MDOC ? ".Cm %s" : "`%s`", label->name);
    for (size_t i = 0; is_listed(label) && i < label->count; i++)
        if (format == MDOC)
            printf("%s%s", i == 0 ? "\n.Pq Cm " : between, label->values[i]);
        else
            printf("%s%s", i == 0 ? " (" : between, label->values[i]);
    if (format == MARKDOWN)
        printf("%s%s", is_listed(label) ? ")" : "", last ? "." : ", ");
    else
        puts(last ? " ." : " ,");
}

static void put_labels(enum format format, const struct label *labels)
{
    bool two = *labels[1].name != '\0';

    if (*labels[0].name == '\0')
        return;
    if (format == MARKDOWN)
        putchar(' ');
    printf(two ? "Labels:" : "Label:");
    putchar(format == MDOC ? '\n' : ' ');
    put_label(format, &labels[0], !two);
    if (two)
        put_label(format, &labels[1], true);
}

/* One metric, from its line of help on. Where the next one begins, or NULL. */
static const char *put_metric(enum format format, const char *text)
{
    char name[80], help[256], type[32];
    struct label labels[2] = { { .count = 0 }, { .count = 0 } };
    const char *samples;

    if (sscanf(text, "# HELP %79s %255[^\n]\n# TYPE %*s %31s", name, help, type) != 3)
        abort();
    samples = strchr(strstr(text, "# TYPE "), '\n');
    read_labels(samples, labels);
    printf(format == MDOC ? ".It Cm %s Pq %s\n" : "| `%s` | %s | ", name, type);
    put_text(format, help);
    put_labels(format, labels);
    if (format == MARKDOWN)
        puts(" |");
    samples = strstr(samples, "\n# HELP ");
    return samples == NULL ? NULL : samples + 1;
}

static void put_metrics(enum format format)
{
    static struct jr_metrics metrics;
    struct jr_buffer buffer;

    memset(&metrics, 1, sizeof metrics);
    metrics.version = PACKAGE_VERSION;
    jr_buffer_init(&buffer, METRICS_MAX);
    jr_metrics_write(&metrics, &buffer);
    if (!buffer.ok)
        abort();
    puts(format == MDOC ? ".Bl -tag -width Ds" : "| Metric | Type | What it tells |\n|---|---|---|");
    for (const char *text = buffer.bytes; text != NULL;)
        text = put_metric(format, text);
    if (format == MDOC)
        puts(".El");
    jr_buffer_release(&buffer);
}

/*
 * The document
 */

static const struct {
    const char *name;
    void (*put)(enum format format);
} tables[] = {
    { "settings", put_settings },
    { "reasons", put_reasons },
    { "metrics", put_metrics },
};

/* Does a table begin with this line? Then it is written. */
static bool put_table(const char *line, enum format *format)
{
    char mark[80];

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (*format = MDOC; *format <= EXAMPLE; ++*format) {
            snprintf(mark, sizeof mark, "%s%s%s\n", marks[*format].begin, tables[i].name,
                     marks[*format].begin_end);
            if (strcmp(line, mark) == 0) {
                tables[i].put(*format);
                return true;
            }
        }
    return false;
}

static bool is_end(const char *line, enum format format)
{
    size_t length = strlen(marks[format].end);

    return strncmp(line, marks[format].end, length) == 0 && line[length] == '\n';
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    bool inside = false;
    enum format format = MDOC;

    while (getline(&line, &size, stdin) > 0) {
        if (inside && !is_end(line, format))
            continue;
        fputs(line, stdout);
        inside = !inside && put_table(line, &format);
    }
    free(line);
    return inside || fflush(stdout) != 0 || ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
