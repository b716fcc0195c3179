/*
 * Secrets that are put aside: out of memory, sealed, back by kind, and handed on.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/config/load.h"
#include "lib/config/vault.h"
#include "t/unit/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void filled(struct jr_vault *vault, struct jr_settings *settings)
{
    struct jr_error error;

    load_settings(settings, "GITHUB_TOKEN=t0ken GITHUB_SIGN_KEY=k3y GITHUB_SIGN_KEY_OLD=0ld");
    assert_int_equal(jr_vault_fill(vault, settings, &error), JR_OK);
}

static void is_wiped_in_settings(void **state)
{
    struct jr_settings settings;
    struct jr_vault vault;

    (void)state;
    filled(&vault, &settings);
    assert_null(settings.github_token);
    assert_null(settings.github_sign_key);
    assert_null(settings.github_sign_key_old);
    close(vault.fds[JR_SECRETS_KEYS]);
    close(vault.fds[JR_SECRETS_TOKEN]);
    jr_settings_release(&settings);
}

static void gives_one_kind(void **state)
{
    struct jr_settings settings;
    struct jr_vault vault;
    struct jr_error error;
    int fds[JR_SECRETS_KINDS];

    (void)state;
    for (int kind = JR_SECRETS_KEYS; kind < JR_SECRETS_KINDS; kind++) {
        filled(&vault, &settings);
        memcpy(fds, vault.fds, sizeof fds);
        assert_int_equal(jr_vault_open(&vault, (enum jr_secrets)kind, &settings, &error), JR_OK);
        if (kind == JR_SECRETS_TOKEN) {
            assert_string_equal(settings.github_token, "t0ken");
            assert_null(settings.github_sign_key);
            assert_null(settings.github_sign_key_old);
        } else {
            assert_null(settings.github_token);
            assert_string_equal(settings.github_sign_key, "k3y");
            assert_string_equal(settings.github_sign_key_old, "0ld");
        }
        for (size_t i = JR_SECRETS_KEYS; i < COUNT(fds); i++) {
            assert_int_equal(vault.fds[i], -1);
            assert_int_equal(fcntl(fds[i], F_GETFD), -1);
        }
        jr_settings_release(&settings);
    }
    vault.fds[JR_SECRETS_KEYS] = vault.fds[JR_SECRETS_TOKEN] = -1;
    assert_int_equal(jr_vault_open(&vault, JR_SECRETS_KEYS, &settings, &error), JR_EIO);
}

static void is_sealed_and_closed_on_exec(void **state)
{
    struct jr_source source = { .count = 0 };
    struct jr_settings settings;
    struct jr_vault vault;

    (void)state;
    filled(&vault, &settings);
    for (size_t i = JR_SECRETS_KEYS; i < COUNT(vault.fds); i++) {
        assert_int_equal(fcntl(vault.fds[i], F_GETFD), FD_CLOEXEC);
        assert_int_equal(pwrite(vault.fds[i], "x", 1, 0), -1);
        assert_int_equal(errno, EPERM);
        assert_int_equal(ftruncate(vault.fds[i], 0), -1);
    }
    jr_vault_hand_on(&vault, true);
    assert_int_equal(fcntl(vault.fds[JR_SECRETS_KEYS], F_GETFD), 0);
    assert_non_null(getenv("JR_VAULT"));
    assert_not_contains(getenv("JR_VAULT"), "k3y");
    jr_vault_hand_on(&vault, false);
    assert_int_equal(fcntl(vault.fds[JR_SECRETS_KEYS], F_GETFD), FD_CLOEXEC);
    assert_null(getenv("JR_VAULT"));
    assert_false(jr_vault_take_over(&source));
    close(vault.fds[JR_SECRETS_KEYS]);
    close(vault.fds[JR_SECRETS_TOKEN]);
    jr_settings_release(&settings);
}

/* What can be read anew is read anew, what cannot comes out of the vault. */
static void is_taken_over(void **state)
{
    struct jr_source source = { .count = 0 };
    struct jr_settings settings;
    struct jr_vault vault;
    const char *file;
    char *problems;

    (void)state;
    filled(&vault, &settings);
    jr_settings_release(&settings);
    file = path_in(new_folder(), "token");
    write_file(file, "newer", 5);
    assert_int_equal(jr_source_set(&source, "GITHUB_TOKEN_FILE", file), JR_OK);
    jr_vault_hand_on(&vault, true);
    assert_true(jr_vault_take_over(&source));
    assert_null(getenv("JR_VAULT"));
    assert_int_equal(fcntl(vault.fds[JR_SECRETS_KEYS], F_GETFD), -1);
    assert_int_equal(fcntl(vault.fds[JR_SECRETS_TOKEN], F_GETFD), -1);
    assert_null(jr_source_find(&source, "GITHUB_TOKEN"));
    assert_null(getenv("GITHUB_SIGN_KEY"));
    assert_int_equal(jr_load_settings(&settings, &source, &problems), JR_OK);
    assert_string_equal(settings.github_token, "newer");
    assert_string_equal(settings.github_sign_key, "k3y");
    assert_string_equal(settings.github_sign_key_old, "0ld");
    jr_source_release(&source);
    jr_settings_release(&settings);
}

/* Any other file is none, and no descriptor of ours is closed for a number in the environment. */
static void is_not_taken_from_elsewhere(void **state)
{
    int fd = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    char numbers[64];
    struct jr_source source = { .count = 0 };

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "GITHUB_TOKEN=t", 15), 15);
    snprintf(numbers, sizeof numbers, "%d 0", fd);
    assert_int_equal(setenv("JR_VAULT", numbers, 1), 0);
    (void)jr_vault_take_over(&source);
    assert_null(jr_source_find(&source, "GITHUB_TOKEN"));
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true(fcntl(0, F_GETFD) >= 0);
    assert_int_equal(setenv("JR_VAULT", "many", 1), 0);
    assert_false(jr_vault_take_over(&source));
    assert_int_equal(unsetenv("JR_VAULT"), 0);
    close(fd);
}

int main(void)
{
    TEST(is_wiped_in_settings);
    TEST(gives_one_kind);
    TEST(is_sealed_and_closed_on_exec);
    TEST(is_not_taken_from_elsewhere);
    TEST(is_taken_over);
    return run_program("vault");
}
