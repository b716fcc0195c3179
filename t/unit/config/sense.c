/*
 * sense -- values that can mean nothing where they stand, those that likely do not
 * mean what was meant, and those that are as good as they are odd.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/sense.h"
#include "t/unit/support.h"

#include <string.h>

#define G JR_SENSE_GOOD
#define D JR_SENSE_DOUBTFUL
#define N JR_SENSE_NONE

static const struct row {
    const char *name; /* the value */
    jr_sense_look *look;
    enum jr_sense want;
    const char *says; /* the right form, mostly */
} rows[] = {
    { "octo/app", jr_sense_repo, G, "" },
    { "octo/*", jr_sense_repo, G, "" },
    { "*/deploy-*", jr_sense_repo, G, "" },
    { "*deploy*", jr_sense_repo, G, "" },
    { "octo?app", jr_sense_repo, G, "" },
    { "Octo-1/a_b.c", jr_sense_repo, G, "" },
    { "octo", jr_sense_repo, N, "octo/* stands for all" },
    { "deploy", jr_sense_repo, N, "owner/name" },
    { "https://github.com/octo/app", jr_sense_repo, N, "write octo/app" },
    { "https://ghe.example.com/octo/app.git", jr_sense_repo, N, "write octo/app" },
    { "https://github.com/octo/app/tree/main", jr_sense_repo, N, "write octo/app" },
    { "https://github.com/octo", jr_sense_repo, N, "write owner/name" },
    { "https://github.com", jr_sense_repo, N, "write owner/name" },
    { "git@github.com:octo/app.git", jr_sense_repo, N, "write octo/app" },
    { "github.com/octo/app", jr_sense_repo, N, "write octo/app" },
    { "www.github.com/octo/app", jr_sense_repo, N, "write octo/app" },
    { "octo/app.git", jr_sense_repo, N, ".git" },
    { "octo/", jr_sense_repo, N, "owner/name" },
    { "/app", jr_sense_repo, N, "owner/name" },
    { "octo/app/x", jr_sense_repo, N, "one slash" },
    { "octo/app octo/web", jr_sense_repo, N, "separated by commas" },
    { "octo/app # the app", jr_sense_repo, N, "comment" },
    { "\"octo/app\"", jr_sense_repo, N, "quotes" },
    { "octo/(app|web)", jr_sense_repo, N, "wildcards" },
    { "octo/app;octo/web", jr_sense_repo, N, "character" },
    { "\xef\xbb\xbfocto/app", jr_sense_repo, N, "byte order mark" },

    { "main", jr_sense_branch, G, "" },
    { "release/*", jr_sense_branch, G, "" },
    { "feature/x-1_2.3#4", jr_sense_branch, G, "" },
    { "gh-readonly-queue/main/*", jr_sense_branch, G, "" },
    { "\xc3\xbc", jr_sense_branch, G, "" },
    { "headstart", jr_sense_branch, G, "" },
    { "tagged/x", jr_sense_branch, G, "" },
    { "refs/heads/main", jr_sense_branch, N, "write main" },
    { "refs/tags/v1.*", jr_sense_branch, N, "write v1.*" },
    { "main # only main", jr_sense_branch, N, "comment" },
    { "main master", jr_sense_branch, N, "separated by commas" },
    { "^main$", jr_sense_branch, N, "'^'" },
    { "release/[0-9]*", jr_sense_branch, N, "'['" },
    { "octo:main", jr_sense_branch, N, "':'" },
    { ".*", jr_sense_branch, N, "* stands for any characters" },
    { "release/", jr_sense_branch, N, "release/*" },
    { "/main", jr_sense_branch, N, "git takes no such name" },
    { "a..b", jr_sense_branch, N, "git" },
    { "a//b", jr_sense_branch, N, "git" },
    { "x.lock", jr_sense_branch, N, "git" },
    { "'main'", jr_sense_branch, N, "quotes" },
    { "main\xc2\xa0", jr_sense_branch, N, "no-break" },
    { "refs/heads/", jr_sense_branch, N, "write main, for one" },
    { "refs/tags/", jr_sense_branch, N, "write main, for one" },
    { "origin/main", jr_sense_branch, D, "it is main" },
    { "remotes/origin/main", jr_sense_branch, D, "it is main" },
    { "heads/main", jr_sense_branch, D, "it is main" },
    { "tags/v1.*", jr_sense_branch, D, "it is v1.*" },
    { "refs/pull/1/merge", jr_sense_branch, D, "the branch it comes from" },
    { "refs/remotes/origin/main", jr_sense_branch, D, "the name alone" },
    { "!main", jr_sense_branch, D, "'!'" },
    { "main|master", jr_sense_branch, D, "'|'" },
    { "main;master", jr_sense_branch, D, "commas" },

    { "octocat", jr_sense_login, G, "" },
    { "dependabot[bot]", jr_sense_login, G, "" },
    { "*[bot]", jr_sense_login, G, "" },
    { "renovate*", jr_sense_login, G, "" },
    { "mona_corp", jr_sense_login, G, "" },
    { "@octocat", jr_sense_login, N, "write octocat" },
    { "https://github.com/octocat", jr_sense_login, N, "write octocat" },
    { "octocat@example.com", jr_sense_login, N, "e-mail" },
    { "octo/team", jr_sense_login, N, "teams" },
    { "Mona Lisa", jr_sense_login, N, "blank" },
    { "octo.cat", jr_sense_login, N, "character" },
    { "dependabot", jr_sense_login, D, "dependabot[bot]" },

    { "Deploy*", jr_sense_workflow, G, "" },
    { "Deploy to production (#1), again", jr_sense_workflow, G, "" },
    { "deploy.yml", jr_sense_workflow, G, "" },
    { ".github/workflows/deploy.yml", jr_sense_workflow, G, "" },
    { "*/workflows/deploy.yml", jr_sense_workflow, G, "" },
    { "workflows/deploy.yml", jr_sense_workflow, D, ".github/workflows/" },
    { "octo/app/.github/workflows/deploy.yml", jr_sense_workflow, D, ".github/workflows/" },
    { ".github/workflows/deploy.yml@main", jr_sense_workflow, D, "@" },
    { "Deploy # no", jr_sense_workflow, D, "part of it" },
    { "\"Deploy\"", jr_sense_workflow, D, "quotes" },
    { "Deploy\xe2\x80\x8b", jr_sense_workflow, D, "no width" },
    { "Deploy;Release", jr_sense_workflow, D, "separated by commas" },
    { "Deploy; Release", jr_sense_workflow, D, "';'" },
    { "Deploy|Release", jr_sense_workflow, D, "'|'" },
    { "CI | Lint", jr_sense_workflow, G, "" },
    { "#Deploy", jr_sense_workflow, D, "'#'" },
    { "!Deploy", jr_sense_workflow, D, "'!'" },
    { "^Deploy.*$", jr_sense_workflow, D, "regular expression" },
    { "Deploy$", jr_sense_workflow, D, "regular expression" },
    { ".*deploy", jr_sense_workflow, D, "regular expression" },
    { "deploy\\.yml", jr_sense_workflow, D, "regular expression" },
    { "deploy.*", jr_sense_workflow, G, "" },
    { "deploy.yml@main", jr_sense_workflow, D, "@" },
    { "deploy.yaml@v1", jr_sense_workflow, D, "@" },
    { "Tell @octo", jr_sense_workflow, G, "" },
    { "123456", jr_sense_workflow, D, "no ids" },
    { "2048 game", jr_sense_workflow, G, "" },

    { "https://api.github.com", jr_sense_api_url, G, "" },
    { "https://ghe.example.com/api/v3", jr_sense_api_url, G, "" },
    { "http://127.0.0.1:8080", jr_sense_api_url, G, "" },
    { "https://relay.example.com", jr_sense_api_url, G, "" },
    { "https://api.octo.ghe.com", jr_sense_api_url, G, "" },
    { "https://[::1]:8443", jr_sense_api_url, G, "" },
    { "https://github.com", jr_sense_api_url, N, "https://api.github.com" },
    { "https://github.com/octo/app", jr_sense_api_url, N, "https://api.github.com" },
    { "https://www.GitHub.com:443", jr_sense_api_url, N, "https://api.github.com" },
    { "http://api.github.com", jr_sense_api_url, N, "https://api.github.com" },
    { "https://api.github.com/repos", jr_sense_api_url, N, "without a path" },
    { "https://octo.ghe.com", jr_sense_api_url, N, "https://api.octo.ghe.com" },
    { "https://ghe.example.com/api/graphql", jr_sense_api_url, N, "REST" },
    { "https://api.octo.ghe.com/api/v3", jr_sense_api_url, D, "https://api.octo.ghe.com" },
    { "https://github.example.com", jr_sense_api_url, D, "https://github.example.com/api/v3" },
    { "https://ghe.example.com:8443", jr_sense_api_url, D, "https://ghe.example.com:8443/api/v3" },
    { "https://ghe.corp.com/api", jr_sense_api_url, D, "https://ghe.corp.com/api/v3" },
    { "https://ghe.corp.com/octo", jr_sense_api_url, D, "https://ghe.corp.com/api/v3" },
    { "https://ghe.corp.com/api/v3/repos", jr_sense_api_url, D, "https://ghe.corp.com/api/v3" },
    { "https://code.corp.com/api", jr_sense_api_url, D, "https://code.corp.com/api/v3" },
    { "https://code.corp.com/api/v4", jr_sense_api_url, D, "https://code.corp.com/api/v3" },
    { "https://relay.corp.com/github", jr_sense_api_url, G, "" },
    { "https://git.corp.com/github/api/v3", jr_sense_api_url, G, "" },

    { "4711", jr_sense_app_id, G, "" },
    { "Iv23liABC", jr_sense_app_id, G, "" },
    { "my-rerunner", jr_sense_app_id, D, "its name will not do" },

    { "127.0.0.1", jr_sense_listen, G, "" },
    { "::1", jr_sense_listen, G, "" },
    { "[::]", jr_sense_listen, G, "" },
    { "localhost", jr_sense_listen, G, "" },
    { "0.0.0.0:5000", jr_sense_listen, N, "PORT" },
    { "[::1]:5000", jr_sense_listen, N, "PORT" },
    { ":5000", jr_sense_listen, N, "PORT" },
    { "http://0.0.0.0", jr_sense_listen, N, "address" },
    { "127.0.0.1 # local", jr_sense_listen, N, "address" },

    { "/var/lib/x", jr_sense_path, G, "" },
    { "/srv/a folder", jr_sense_path, G, "" },
    { "/var/lib/x # the store", jr_sense_path, D, "part of the name" },
    { "~/state", jr_sense_path, D, "home" },
    { "'/x'", jr_sense_path, D, "quotes" },

    { "ghp_abc", jr_sense_token, G, "" },
    { "ghs_1234_abc.DEF-x", jr_sense_token, G, "" },
    { "ghp_ abc", jr_sense_token, N, "blank" },
    { "Bearer ghp_abc", jr_sense_token, N, "without the word" },
    { "ghp_abc\n", jr_sense_token, N, "line feed" },
    { "ghp_abc\r\nX: y", jr_sense_token, N, "line feed" },
    { "ghp_\tabc", jr_sense_token, N, "control" },
    { "\xef\xbb\xbfghp_abc", jr_sense_token, N, "byte order mark" },
    { "ghp_abc\xc2\xa0", jr_sense_token, N, "no-break" },
    { "ghp_\xc3\xa9", jr_sense_token, N, "ASCII" },
    { "\"ghp_abc\"", jr_sense_token, N, "quotes" },

    { "https://etcd-1.example.org:2379", jr_sense_etcd_url, G, "" },
    { "http://[::1]:2379", jr_sense_etcd_url, G, "" },
    { "etcd-1.example.org:2379", jr_sense_etcd_url, N, "https://HOST:2379" },
    { "https://", jr_sense_etcd_url, N, "https://HOST:2379" },
    { "https://etcd-1.example.org:2379/", jr_sense_etcd_url, N, "more than a host" },
    { "https://user@etcd-1.example.org", jr_sense_etcd_url, N, "more than a host" },
    { "'https://etcd-1.example.org'", jr_sense_etcd_url, N, "quotes" },
    { "https://etcd{1,2}.example.org", jr_sense_etcd_url, N, "character" },
    { "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n", jr_sense_pem, G, "" },
    { "-----BEGIN EC PRIVATE KEY-----\nx", jr_sense_pem, G, "" },
    { "-----BEGIN CERTIFICATE-----\nx", jr_sense_pem, N, "no private key" },
    { "-----BEGIN ENCRYPTED PRIVATE KEY-----\nx", jr_sense_pem, N, "passphrase" },
    { "a password", jr_sense_password, G, "" },
    { "two\nlines", jr_sense_password, N, "line feed" },

    { "https://hooks.example.com/services/T0/B0/x-_y", jr_sense_notify_url, G, "" },
    { "http://[::1]:8065/hooks/x?token=y#z", jr_sense_notify_url, G, "" },
    { "hooks.example.com/x", jr_sense_notify_url, N, "https://HOST/PATH" },
    { "ftp://hooks.example.com/x", jr_sense_notify_url, N, "https://HOST/PATH" },
    { "https:///x", jr_sense_notify_url, N, "https://HOST/PATH" },
    { "https://user:pw@hooks.example.com/x", jr_sense_notify_url, N, "a user" },
    { "https://hooks.example.com/a b", jr_sense_notify_url, N, "character" },
    { "https://hooks.example.com/\"x\"", jr_sense_notify_url, N, "character" },
    { "https://hooks.example.com/x\n", jr_sense_notify_url, N, "line feed" },
    { "It's a Secret to Everybody", jr_sense_key, G, "" },
    { "k\xc3\xa9y", jr_sense_key, G, "" },
    { "key\nanother", jr_sense_key, N, "one line" },
    { "\xef\xbb\xbfkey", jr_sense_key, N, "byte order mark" },
    { "key ", jr_sense_key, D, "blank" },
    { "'key'", jr_sense_key, D, "quotes" },
    { "ghp_abc", jr_sense_key, D, "looks like a token" },
    { "github_pat_abc", jr_sense_key, D, "looks like a token" },
};

static void value_has_sense(void **state)
{
    const struct row *row = *state;
    char text[JR_SENSE_SIZE] = "";

    assert_int_equal(row->look(row->name, text), row->want);
    assert_contains(text, row->says);
    if (row->look == jr_sense_token || row->look == jr_sense_key)
        assert_null(strstr(text, "abc"));
}

static const struct plain_row {
    const char *name;
    bool elsewhere;
} plain[] = {
    { "https://a.example/x", false },
    { "http://a.example/x", true },
    { "http://localhost:8065/x", false },
    { "http://LOCALHOST", false },
    { "http://localhost.a.example/x", true },
    { "http://127.0.0.1?x", false },
    { "http://127.0.0.11/x", true },
    { "http://[::1]:80/x", false },
    { "http://[::1].a.example/x", true },
};

static void plain_elsewhere(void **state)
{
    const struct plain_row *row = *state;

    assert_int_equal(jr_sense_is_plain_elsewhere(row->name), row->elsewhere);
}

static void nearest_word(void **state)
{
    static const char *const words[] = { "error", "warn", "info", "debug", NULL };

    (void)state;
    assert_string_equal(jr_sense_nearest(words, "warning"), "warn");
    assert_string_equal(jr_sense_nearest(words, "ERR"), "error");
    assert_string_equal(jr_sense_nearest(words, "debgu"), "debug");
    assert_null(jr_sense_nearest(words, "loud"));
    assert_null(jr_sense_nearest(words, ""));
}

int main(void)
{
    TABLE(rows, value_has_sense);
    TABLE(plain, plain_elsewhere);
    TEST(nearest_word);
    return run_program("sense");
}
