/*
 * sense -- can a value mean anything where it stands?
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/sense.h"
#include "lib/base/error.h"
#include "lib/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"
#define WILD    "*?"

/* What may be shown of a value in a sentence about it. */
/* Nobody has a longer one. */
#define NOTIFY_URL_MAX 2048

/* A host's name has 253 bytes at the most. */
#define ETCD_URL_MAX 280

#define PART 100

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static enum jr_sense say(char text[JR_SENSE_SIZE], enum jr_sense sense, const char *format, ...)
    JR_PRINTF(3, 4);

static enum jr_sense say(char text[JR_SENSE_SIZE], enum jr_sense sense, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(text, JR_SENSE_SIZE, format, args);
    va_end(args);
    return sense;
}

/* What stands behind a beginning, whatever its case; NULL: value begins otherwise. */
static const char *behind(const char *value, const char *beginning)
{
    size_t length = strlen(beginning);

    return strncasecmp(value, beginning, length) == 0 ? value + length : NULL;
}

static bool ends_with(const char *value, const char *end)
{
    size_t length = strlen(value), end_length = strlen(end);

    return length >= end_length && strcasecmp(value + length - end_length, end) == 0;
}

static bool is_quoted(const char *value)
{
    size_t length = strlen(value);

    return length >= 2 && (*value == '"' || *value == '\'') && value[length - 1] == *value;
}

/* What cannot be seen, and comes along when text is pasted or saved as another encoding. */
static const char *hidden_in(const char *value)
{
    if (strstr(value, BYTE_ORDER_MARK) != NULL)
        return "a byte order mark";
    if (strstr(value, "\xe2\x80\x8b") != NULL)
        return "a blank of no width";
    if (strstr(value, "\xc2\xa0") != NULL)
        return "a no-break space";
    return NULL;
}

/* Faults that names of several kinds have in common; none of these names has a blank. */
static enum jr_sense look_at_name(const char *value, const char *what, char text[JR_SENSE_SIZE])
{
    const char *comment = strstr(value, " #");

    if (comment != NULL || *value == '#')
        return say(text, JR_SENSE_NONE, "holds what is meant as a comment: in front of a value, "
                   "and behind it, there is none; give it a line of its own");
    if (strchr(value, ' ') != NULL)
        return say(text, JR_SENSE_NONE, "has a blank in it, as no %s has; lists are separated by "
                   "commas", what);
    if (hidden_in(value) != NULL)
        return say(text, JR_SENSE_NONE, "has %s in it, which cannot be seen: type it anew",
                   hidden_in(value));
    if (is_quoted(value))
        return say(text, JR_SENSE_NONE, "has its quotes in it, as no %s has: leave them out", what);
    return JR_SENSE_GOOD;
}

/* What stands behind the host of GitHub's web site, or in the address for git; NULL: it is none. */
static const char *path_of_address(const char *value)
{
    const char *rest = strstr(value, "://"), *path;

    if (rest != NULL) {
        path = strchr(rest + 3, '/');
        return path == NULL ? "" : path + 1;
    }
    if (behind(value, "git@") != NULL) {
        path = strchr(value, ':');
        return path == NULL ? "" : path + 1;
    }
    rest = behind(value, "www.");
    return behind(rest == NULL ? value : rest, "github.com/");
}

/* "owner/name" out of the path of an address, or these words themselves. */
static void repo_of_path(const char *path, char repo[PART])
{
    const char *slash = strchr(path, '/');
    size_t length = slash == NULL ? 0 : strcspn(slash + 1, "/?#") + (size_t)(slash + 1 - path);

    if (length > 0 && length < PART) {
        memcpy(repo, path, length);
        repo[length] = '\0';
        if (ends_with(repo, ".git"))
            repo[length - 4] = '\0';
        if (jr_text_is_full_name(repo))
            return;
    }
    (void)jr_text_copy(repo, PART, "owner/name");
}

enum jr_sense jr_sense_repo(const char *value, char text[JR_SENSE_SIZE])
{
    const char *slash = strchr(value, '/'), *path = path_of_address(value);
    char part[PART];
    enum jr_sense sense;

    if (path != NULL) {
        repo_of_path(path, part);
        return say(text, JR_SENSE_NONE, "is an address: write %s", part);
    }
    sense = look_at_name(value, "repository", text);
    if (sense != JR_SENSE_GOOD)
        return sense;
    if (value[strspn(value, LETTERS DIGITS "-_./" WILD)] != '\0')
        return say(text, JR_SENSE_NONE, "has a character that no repository has: they are "
                   "owner/name; only * and ? are wildcards");
    if (slash == NULL && strpbrk(value, WILD) == NULL) {
        (void)jr_text_copy(part, sizeof part, value);
        return say(text, JR_SENSE_NONE, "is no repository: they are owner/name; %s/* stands for "
                   "all of an owner", part);
    }
    if (slash != NULL && (slash == value || slash[1] == '\0' || strchr(slash + 1, '/') != NULL))
        return say(text, JR_SENSE_NONE, "matches no repository: they are owner/name, with one "
                   "slash; owner/* stands for all of an owner");
    if (ends_with(value, ".git"))
        return say(text, JR_SENSE_NONE, "matches no repository: leave .git out");
    return JR_SENSE_GOOD;
}

/* What git never takes as the name of a branch or tag. */
static bool is_no_ref(const char *value)
{
    size_t length = strlen(value);

    return *value == '/' || *value == '.' || value[length - 1] == '/' || value[length - 1] == '.'
           || strstr(value, "..") != NULL || strstr(value, "//") != NULL
           || strstr(value, "/.") != NULL || strstr(value, "@{") != NULL
           || ends_with(value, ".lock");
}

/* What git writes before a name, and GitHub does not tell. A branch may be called so, though. */
static bool doubt_prefix(const char *value, char text[JR_SENSE_SIZE])
{
    static const struct {
        const char *prefix, *what;
    } rows[] = {
        { "refs/", NULL },
        { "heads/", "is how git writes a branch; on GitHub it is" },
        { "tags/", "is how git writes a tag; on GitHub it is" },
        { "remotes/origin/", "is a branch of a remote in a clone; on GitHub it is" },
        { "origin/", "is a branch of a remote in a clone; on GitHub it is" },
    };
    char part[PART];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *name = behind(value, rows[i].prefix);

        if (name == NULL || *name == '\0')
            continue;
        (void)jr_text_copy(part, sizeof part, name);
        if (rows[i].what == NULL)
            (void)say(text, JR_SENSE_DOUBTFUL, "is likely no branch: GitHub tells the name alone, "
                      "of a pull request that of the branch it comes from");
        else
            (void)say(text, JR_SENSE_DOUBTFUL, "%s %s", rows[i].what, part);
        return true;
    }
    return false;
}

enum jr_sense jr_sense_branch(const char *value, char text[JR_SENSE_SIZE])
{
    const char *name = behind(value, "refs/heads/"), *odd;
    char part[PART];
    enum jr_sense sense = look_at_name(value, "branch", text);

    if (sense != JR_SENSE_GOOD)
        return sense;
    name = name == NULL ? behind(value, "refs/tags/") : name;
    if (name != NULL) {
        (void)jr_text_copy(part, sizeof part, *name == '\0' ? "main, for one" : name);
        return say(text, JR_SENSE_NONE, "matches no branch, for GitHub tells the name alone: "
                   "write %s", part);
    }
    odd = strpbrk(value, "~^:\\[");
    if (odd != NULL)
        return say(text, JR_SENSE_NONE, "has '%c' in it, as no branch has; only * and ? are "
                   "wildcards", *odd);
    if (is_no_ref(value))
        return say(text, JR_SENSE_NONE, "matches no branch, for git takes no such name; * stands "
                   "for any characters, as in release/*");
    if (doubt_prefix(value, text))
        return JR_SENSE_DOUBTFUL;
    if (*value == '!')
        return say(text, JR_SENSE_DOUBTFUL, "begins with '!', which is a character like any other: "
                   "nothing is taken out of the list");
    if (strpbrk(value, "|;$") != NULL)
        return say(text, JR_SENSE_DOUBTFUL, "has '%c' in it: lists are separated by commas, and "
                   "only * and ? are wildcards", *strpbrk(value, "|;$"));
    return JR_SENSE_GOOD;
}

enum jr_sense jr_sense_login(const char *value, char text[JR_SENSE_SIZE])
{
    /* As people call them; their logins are others. Source: the logins in GitHub's events. */
    static const char *const bots[] = { "dependabot", "renovate", "github-actions", "mergify",
                                        "pre-commit-ci", NULL };
    const char *path = path_of_address(value);
    char part[PART];
    enum jr_sense sense;

    if (path != NULL || *value == '@') {
        (void)jr_text_copy(part, sizeof part, path == NULL ? value + 1 : path);
        part[strcspn(part, "/?#")] = '\0';
        return say(text, JR_SENSE_NONE, "is no login: write %s", *part == '\0' ? "login" : part);
    }
    sense = look_at_name(value, "login", text);
    if (sense != JR_SENSE_GOOD)
        return sense;
    if (strchr(value, '@') != NULL)
        return say(text, JR_SENSE_NONE, "is an e-mail address: GitHub tells logins");
    if (strchr(value, '/') != NULL)
        return say(text, JR_SENSE_NONE, "has a slash, as teams have: only logins are compared");
    if (value[strspn(value, LETTERS DIGITS "-_[]" WILD)] != '\0')
        return say(text, JR_SENSE_NONE, "has a character that no login has; only * and ? are "
                   "wildcards");
    for (const char *const *bot = bots; *bot != NULL; bot++)
        if (strcasecmp(value, *bot) == 0)
            return say(text, JR_SENSE_DOUBTFUL, "is likely the bot, whose login is %s[bot]", *bot);
    return JR_SENSE_GOOD;
}

/* A character of the kind that parts or ends words, without a blank before it: "a;b". */
static bool is_list(const char *value, char separator)
{
    const char *at = strchr(value, separator);

    return at != NULL && at > value && at[-1] != ' ' && at[1] != '\0';
}

/* What is taken for another language of patterns, or for something else than a name. */
static enum jr_sense look_at_title(const char *value, char text[JR_SENSE_SIZE])
{
    size_t length = strlen(value);

    if (*value == '#')
        return say(text, JR_SENSE_DOUBTFUL, "begins with '#': nothing is a comment here, it is "
                   "part of the name");
    if (*value == '!')
        return say(text, JR_SENSE_DOUBTFUL, "begins with '!', which is a character like any other: "
                   "nothing is taken out of the list");
    if (*value == '^' || (length > 0 && value[length - 1] == '$') || strchr(value, '\\') != NULL
        || behind(value, ".*") != NULL)
        return say(text, JR_SENSE_DOUBTFUL, "looks like a regular expression: only * and ? are "
                   "wildcards, and the whole name has to match");
    if (is_list(value, ';') || is_list(value, '|'))
        return say(text, JR_SENSE_DOUBTFUL, "has '%c' in it: lists are separated by commas",
                   is_list(value, ';') ? ';' : '|');
    if (length > 0 && value[strspn(value, DIGITS)] == '\0')
        return say(text, JR_SENSE_DOUBTFUL, "is a number: names, file names and paths are "
                   "compared, no ids");
    return JR_SENSE_GOOD;
}

/* A name may be any text: what is odd is doubtful at most. */
enum jr_sense jr_sense_workflow(const char *value, char text[JR_SENSE_SIZE])
{
    const char *folder = strstr(value, "workflows/");

    if (strstr(value, " #") != NULL)
        return say(text, JR_SENSE_DOUBTFUL, "has a '#': behind a value that is no comment, but "
                   "part of it");
    if (hidden_in(value) != NULL)
        return say(text, JR_SENSE_DOUBTFUL, "has %s in it, which cannot be seen", hidden_in(value));
    if (is_quoted(value))
        return say(text, JR_SENSE_DOUBTFUL, "has its quotes in it, which are part of the name "
                   "then");
    if (folder != NULL && behind(value, ".github/workflows/") == NULL && *value != '*')
        return say(text, JR_SENSE_DOUBTFUL, "is likely a path, and these begin with "
                   ".github/workflows/; the file's name alone will do");
    if ((behind(value, ".github/workflows/") != NULL && strchr(value, '@') != NULL)
        || strstr(value, ".yml@") != NULL || strstr(value, ".yaml@") != NULL)
        return say(text, JR_SENSE_DOUBTFUL, "has a ref behind the file: leave out what begins with "
                   "@");
    return look_at_title(value, text);
}

/* Does a host of the web site or of an installation look like that of GitHub Enterprise Server? */
static bool is_likely_server(const char *host)
{
    return behind(host, "github") != NULL || behind(host, "ghe.") != NULL
           || behind(host, "ghe-") != NULL || behind(host, "git.") != NULL;
}

/* A base URL in parts. */
struct base {
    bool plain;                   /* http:// */
    char host[PART];              /* without its port */
    const char *authority, *path; /* in the URL; authority: with the port */
};

/* False: the host is too long to be looked at. */
static bool take_apart(const char *url, struct base *base)
{
    const char *scheme_end = strstr(url, "://");
    size_t length;
    char *port;

    base->plain = behind(url, "http://") != NULL;
    base->authority = scheme_end == NULL ? url : scheme_end + 3;
    length = strcspn(base->authority, "/");
    base->path = base->authority + length;
    if (length >= sizeof base->host)
        return false;
    memcpy(base->host, base->authority, length);
    base->host[length] = '\0';
    port = strrchr(base->host, ':');
    if (port != NULL && port[1 + strspn(port + 1, DIGITS)] == '\0')
        *port = '\0';
    return true;
}

static enum jr_sense look_at_github(const struct base *base, char text[JR_SENSE_SIZE])
{
    if (strcasecmp(base->host, "github.com") == 0 || strcasecmp(base->host, "www.github.com") == 0)
        return say(text, JR_SENSE_NONE, "is GitHub's web site; its API is https://api.github.com");
    if (strcasecmp(base->host, "api.github.com") == 0 && (base->plain || *base->path != '\0'))
        return say(text, JR_SENSE_NONE, "is not the base of GitHub's API: that is "
                   "https://api.github.com, without a path");
    return JR_SENSE_GOOD;
}

/* GitHub Enterprise Cloud with data residency: NAME.ghe.com. */
static enum jr_sense look_at_cloud(const struct base *base, char text[JR_SENSE_SIZE])
{
    if (behind(base->host, "api.") == NULL)
        return say(text, JR_SENSE_NONE, "is a web site; its API is https://api.%s", base->host);
    if (*base->path != '\0')
        return say(text, JR_SENSE_DOUBTFUL, "has a path; the API is https://%s", base->host);
    return JR_SENSE_GOOD;
}

/* Any other host is likely one of GitHub Enterprise Server. */
static enum jr_sense look_at_server(const struct base *base, char text[JR_SENSE_SIZE])
{
    int length = (int)(base->path - base->authority);

    if (strstr(base->path, "/graphql") != NULL)
        return say(text, JR_SENSE_NONE, "is the API of GraphQL; that of REST is asked, "
                   "https://%.*s/api/v3", length, base->authority);
    if (*base->path == '\0' && is_likely_server(base->host))
        return say(text, JR_SENSE_DOUBTFUL, "is likely the web site of a GitHub Enterprise Server; "
                   "its API is https://%.*s/api/v3", length, base->authority);
    if (!ends_with(base->path, "/api/v3")
        && (is_likely_server(base->host) ? *base->path != '\0'
                                         : behind(base->path, "/api") != NULL))
        return say(text, JR_SENSE_DOUBTFUL, "is likely not the base of an API: that of a GitHub "
                   "Enterprise Server is https://%.*s/api/v3", length, base->authority);
    return JR_SENSE_GOOD;
}

enum jr_sense jr_sense_api_url(const char *value, char text[JR_SENSE_SIZE])
{
    struct base base;
    enum jr_sense sense;

    if (!take_apart(value, &base))
        return JR_SENSE_GOOD;
    sense = look_at_github(&base, text);
    if (sense != JR_SENSE_GOOD)
        return sense;
    return ends_with(base.host, ".ghe.com") ? look_at_cloud(&base, text)
                                            : look_at_server(&base, text);
}

enum jr_sense jr_sense_app_id(const char *value, char text[JR_SENSE_SIZE])
{
    if (value[strspn(value, DIGITS)] == '\0' || behind(value, "Iv") != NULL)
        return JR_SENSE_GOOD;
    return say(text, JR_SENSE_DOUBTFUL, "is neither a number nor a client id (Iv...): both stand "
               "on the App's page, its name will not do");
}

enum jr_sense jr_sense_listen(const char *value, char text[JR_SENSE_SIZE])
{
    const char *colon = strrchr(value, ':');
    bool address_before = colon != NULL && (strchr(value, ':') == colon || colon[-1] == ']');

    if (strstr(value, "://") != NULL || strpbrk(value, " /#\"'") != NULL)
        return say(text, JR_SENSE_NONE, "is no address such as 127.0.0.1 or [::1]");
    if (address_before)
        return say(text, JR_SENSE_NONE, "has a port behind the address: that is PORT's");
    return JR_SENSE_GOOD;
}

enum jr_sense jr_sense_path(const char *value, char text[JR_SENSE_SIZE])
{
    if (strstr(value, " #") != NULL)
        return say(text, JR_SENSE_DOUBTFUL, "has a '#': behind a value that is no comment, but "
                   "part of the name");
    if (hidden_in(value) != NULL || is_quoted(value))
        return say(text, JR_SENSE_DOUBTFUL, "has %s, which %s part of the name then",
                   hidden_in(value) == NULL ? "its quotes in it" : hidden_in(value),
                   hidden_in(value) == NULL ? "are" : "is");
    if (*value == '~')
        return say(text, JR_SENSE_DOUBTFUL, "begins with '~', which stands for nobody's home here");
    return JR_SENSE_GOOD;
}

enum jr_sense jr_sense_policy(const char *value, char text[JR_SENSE_SIZE])
{
    static const char *const presets[] = { "everything", "careful", "infrastructure", NULL };
    const char *meant;

    for (size_t i = 0; presets[i] != NULL; i++)
        if (strcmp(value, presets[i]) == 0)
            return JR_SENSE_GOOD;
    if (strchr(value, '/') != NULL || ends_with(value, ".yml") || ends_with(value, ".yaml"))
        return jr_sense_path(value, text);
    meant = jr_sense_nearest(presets, value);
    return say(text, JR_SENSE_NONE, "is none of everything, careful and infrastructure, nor the "
               "path of a file%s%s", meant == NULL ? "" : "; the nearest is ",
               meant == NULL ? "" : meant);
}

/* Of a secret, only what is wrong with it is said. */
static enum jr_sense look_at_secret(const char *value, char text[JR_SENSE_SIZE])
{
    const char *feed = strpbrk(value, "\r\n");

    if (behind(value, BYTE_ORDER_MARK) != NULL)
        return say(text, JR_SENSE_NONE, "begins with a byte order mark: save the file as UTF-8 "
                   "without one");
    if (feed != NULL)
        return say(text, JR_SENSE_NONE, "has a line feed in it, a control character: a secret is "
                   "one line, with nothing before or behind it");
    for (const char *c = value; *c != '\0'; c++)
        if (((unsigned char)*c < ' ') || *c == 0x7f)
            return say(text, JR_SENSE_NONE, "has a control character in it");
    if (hidden_in(value) != NULL)
        return say(text, JR_SENSE_NONE, "has %s in it, which cannot be seen: copy it anew",
                   hidden_in(value));
    return JR_SENSE_GOOD;
}

enum jr_sense jr_sense_token(const char *value, char text[JR_SENSE_SIZE])
{
    enum jr_sense sense = look_at_secret(value, text);

    if (sense != JR_SENSE_GOOD)
        return sense;
    if (behind(value, "Bearer ") != NULL || behind(value, "token ") != NULL)
        return say(text, JR_SENSE_NONE, "has a blank in it: give the token alone, without the word "
                   "before it");
    if (strchr(value, ' ') != NULL)
        return say(text, JR_SENSE_NONE, "has a blank in it, as no token has: nothing may stand "
                   "before or behind it");
    if (is_quoted(value))
        return say(text, JR_SENSE_NONE, "has its quotes in it, as no token has: leave them out");
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            return say(text, JR_SENSE_NONE, "has a character in it that is not ASCII, as no "
                       "token has");
    return JR_SENSE_GOOD;
}

/* The host of a URL, up to its port or path; NULL: it is no http nor https. */
static const char *host_in(const char *url)
{
    const char *host = behind(url, "https://");

    return host != NULL ? host : behind(url, "http://");
}

enum jr_sense jr_sense_notify_url(const char *value, char text[JR_SENSE_SIZE])
{
    enum jr_sense sense = look_at_secret(value, text);
    const char *host = host_in(value);

    if (sense != JR_SENSE_GOOD || *value == '\0')
        return sense;
    if (host == NULL || *host == '\0' || strchr("/:?#", *host) != NULL)
        return say(text, JR_SENSE_NONE, "is not an address such as https://HOST/PATH");
    if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
        return say(text, JR_SENSE_NONE, "has a user before its host, which is not sent");
    if (strlen(value) > NOTIFY_URL_MAX)
        return say(text, JR_SENSE_NONE, "is longer than the %d bytes that are allowed",
                   NOTIFY_URL_MAX);
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f
            || strchr("\"<>\\^`{|}", *c) != NULL)
            return say(text, JR_SENSE_NONE, "has a character in it that no address has");
    return JR_SENSE_GOOD;
}

enum jr_sense jr_sense_etcd_url(const char *value, char text[JR_SENSE_SIZE])
{
    const char *host = behind(value, "https://");

    if (host == NULL)
        host = behind(value, "http://");
    if (hidden_in(value) != NULL || is_quoted(value))
        return say(text, JR_SENSE_NONE, "has %s: type it anew",
                   hidden_in(value) == NULL ? "its quotes in it" : hidden_in(value));
    if (host == NULL || *host == '\0' || strchr("/:", *host) != NULL)
        return say(text, JR_SENSE_NONE, "is not a client URL such as https://HOST:2379");
    if (host[strcspn(host, "/?#@ ")] != '\0' || strlen(value) > ETCD_URL_MAX)
        return say(text, JR_SENSE_NONE, "has more than a host and a port: write https://HOST:2379");
    if (host[strcspn(host, "\"<>\\^`{|}")] != '\0')
        return say(text, JR_SENSE_NONE, "has a character in it that no address has");
    return JR_SENSE_GOOD;
}

enum jr_sense jr_sense_pem(const char *value, char text[JR_SENSE_SIZE])
{
    const char *begin = strstr(value, "-----BEGIN ");

    if (begin == NULL || strstr(begin, "PRIVATE KEY-----") == NULL)
        return say(text, JR_SENSE_NONE, "is no private key in PEM (-----BEGIN PRIVATE KEY-----)");
    if (strstr(value, "ENCRYPTED") != NULL)
        return say(text, JR_SENSE_NONE, "is encrypted: give the key without a passphrase");
    return JR_SENSE_GOOD;
}

enum jr_sense jr_sense_password(const char *value, char text[JR_SENSE_SIZE])
{
    return look_at_secret(value, text);
}

bool jr_sense_is_plain_elsewhere(const char *url)
{
    static const char *const here[] = { "localhost", "127.0.0.1", "[::1]" };
    const char *host = behind(url, "http://");

    if (host == NULL)
        return false;
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        size_t length = strlen(here[i]);

        if (strncasecmp(host, here[i], length) == 0
            && (host[length] == '\0' || strchr(":/?#", host[length]) != NULL))
            return false;
    }
    return true;
}

/* How GitHub's tokens begin. Source: "About authentication to GitHub", token formats. */
static bool is_likely_token(const char *value)
{
    static const char *const beginnings[] = { "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
                                              "github_pat_" };

    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (behind(value, beginnings[i]) != NULL)
            return true;
    return false;
}

enum jr_sense jr_sense_key(const char *value, char text[JR_SENSE_SIZE])
{
    enum jr_sense sense = look_at_secret(value, text);
    size_t length = strlen(value);

    if (sense != JR_SENSE_GOOD || length == 0)
        return sense;
    if (*value == ' ' || value[length - 1] == ' ')
        return say(text, JR_SENSE_DOUBTFUL, "begins or ends with a blank, which counts");
    if (is_quoted(value))
        return say(text, JR_SENSE_DOUBTFUL, "has quotes round it, which count");
    if (is_likely_token(value))
        return say(text, JR_SENSE_DOUBTFUL, "looks like a token, and should be the secret of the "
                   "webhook");
    return JR_SENSE_GOOD;
}

const char *jr_sense_nearest(const char *const *words, const char *word)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (jr_text_is_near(words[i], word))
            return words[i];
    for (size_t i = 0; strlen(word) >= 3 && words[i] != NULL; i++)
        if (behind(words[i], word) != NULL || behind(word, words[i]) != NULL)
            return words[i];
    return NULL;
}
