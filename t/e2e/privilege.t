#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Who has which secret, and who could do what: looked up from outside, as root,
# in the environment and in the whole memory of each process.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd qw(abs_path);
use Fcntl qw(SEEK_SET);
use Test::More;
use JR::File qw(read_file_or_empty);
use JR::Process qw(spawn reap running children_of);
use JR::Test;

plan skip_all => 'only for root: the processes show themselves to nobody else' if $> != 0;

my $github = github();
my %secret = (
    token     => 'ghp_a-token-for-tests-only-000000002',
    key       => 'a-signing-key-for-tests-only-000001',
    'old key' => 'an-old-signing-key-for-tests-0000004',
);

# Every byte that the process can read, a mapping at a time; the store and the like only where it
# is there at all.
sub in_memory {
    my ($pid, @texts) = @_;
    open my $memory, '<:raw', "/proc/$pid/mem" or die "/proc/$pid/mem: $!";
    my ($bytes, %found) = (0);
    for (split /\n/, read_file_or_empty("/proc/$pid/maps")) {
        my ($from, $to, $name) = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \d+\s*(.*)$/ or next;
        next if $name =~ /data\.mdb|\[v(?:var|syscall)/;
        no warnings 'portable';
        my ($at, $end) = (hex $from, hex $to);
        next if $end - $at > 1 << 30;
        sysseek $memory, $at, SEEK_SET or next;
        my $got = sysread $memory, my $part, $end - $at;
        next if !$got;
        $bytes += $got;
        for (@texts) { $found{$_} = 1 if index($part, $_) >= 0 }
    }
    return ($bytes, \%found);
}

sub status_of { my ($pid) = @_; return { read_file_or_empty("/proc/$pid/status") =~ /^(\w+):\s+(.*)$/mg } }

# As an ordinary user, so that undumpable means something.
my ($uid, $gid) = (getpwnam 'www-data')[2, 3] or plan skip_all => 'no user www-data';
my $sanitized = read_file_or_empty(abs_path(binary())) =~ /__asan_init/;

# What stands where. The sanitizer has a copy of the first environment of its own.
sub look {
    my ($service, %o) = @_;
    ok $service->wait_at_work, 'all are at work';
    wait_ok { !grep { status_of($_)->{Seccomp} != 2 } $service->children } 'and confined' if !$sanitized;
    my $dispatcher = $service->dispatcher;
    my %kind = ($service->master => 'master', map { $_ => $_ == $dispatcher ? 'dispatcher' : 'worker' } $service->children);
    my %may = (master => '', dispatcher => $o{dispatcher} // 'token', worker => 'key, old key');
    is scalar keys %kind, 4, 'four processes';
    for my $pid (sort { $kind{$a} cmp $kind{$b} } keys %kind) {
        my $environment = read_file_or_empty("/proc/$pid/environ");
        cmp_ok length $environment, '>', 0, "$kind{$pid}: its environment";
        my @there = grep { index($environment, $secret{$_}) >= 0 } sort keys %secret;
        is "@there", '', 'has no secret in it';
        unlike $environment, qr/STATE_DIR|PATH=|me:pass/, 'nor anything else of what was set' if $kind{$pid} eq 'worker';
        is read_file_or_empty("/proc/$pid/cmdline") =~ s/\0$//r, binary(), 'nor its command line';
        my ($bytes, $found) = in_memory($pid, values %secret);
        cmp_ok $bytes, '>', 500_000, "$kind{$pid}: $bytes bytes of memory";
        is join(', ', grep { $found->{ $secret{$_} } } sort keys %secret), $may{ $kind{$pid} }, 'have its own secrets only'
            if !$o{copied};
        next if $sanitized;
        my $status = status_of($pid);
        is $status->{Seccomp}, $kind{$pid} eq 'master' ? 0 : 2, 'its system calls are filtered, if a child';
        is $status->{NoNewPrivs}, $kind{$pid} eq 'master' ? 0 : 1, 'and it gets no new privileges';
        # Undumpable: what is in /proc is root's, whoever it runs as.
        is +(stat "/proc/$pid/environ")[4], 0, 'its memory is for root alone';
        like read_file_or_empty("/proc/$pid/limits"), qr/^Max core file size +0 +0 /m, 'no core dump';
        is_deeply [grep {/memfd|vault|secrets/} map { readlink } glob "/proc/$pid/fd/*"], [], 'no secrets held open'
            if $kind{$pid} ne 'master';
    }
    return;
}

sub unprivileged {
    my (%o) = @_;
    my $service = service(github => $github, user => 'www-data', GITHUB_SIGN_KEY_OLD => $secret{'old key'}, %o);
    chown $uid, $gid, $service->state_dir or die $!;
    $service->start_service;
    chown $uid, $gid, $service->socket_path or die $!;
    return $service->start_nginx;
}

# A run fails and is rerun: each process has had its secrets in use.
sub works {
    my ($service) = @_;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    return wait_ok { $run->accepted } 'and is rerun';
}

subtest 'secrets by the environment' => sub {
    my $service = unprivileged(https_proxy => 'http://me:pass@proxy.invalid:1');
    works($service);
    look($service, copied => $sanitized);
    my $mark = $service->log->mark;
    my @old = $service->children;
    kill 'HUP', $service->master;
    $service->log->wait_entry('reloaded', since => $mark);
    wait_ok { !grep { running($_) } @old } 'the old ones leave';
    wait_ok { 3 == $service->children } 'reloaded';
    works($service);
    look($service);
    is $service->log->count('not-confined'), 0, 'all are confined';
    $service->stop_service;
};

subtest 'secrets in files' => sub {
    my %file = map { $_ => tmpdir() . '/' . s/ /-/r } keys %secret;
    for (keys %file) {
        open my $fh, '>', $file{$_} or die "$file{$_}: $!";
        print {$fh} "$secret{$_}\n";
        close $fh;
        chown $uid, $gid, $file{$_};
        chmod 0400, $file{$_};
    }
    my $service = unprivileged(
        GITHUB_TOKEN => undef, GITHUB_TOKEN_FILE => $file{token},
        GITHUB_SIGN_KEY => undef, GITHUB_SIGN_KEY_FILE => $file{key},
        GITHUB_SIGN_KEY_OLD => undef, GITHUB_SIGN_KEY_OLD_FILE => $file{'old key'},
    );
    works($service);
    look($service);
    $service->stop_service;
};

# Whatever form it has there, the text of it is nowhere but with the dispatcher.
subtest 'the key of an App' => sub {
    my $file = tmpdir() . '/app.pem';
    plan skip_all => 'no openssl' if system("openssl genrsa -traditional -out $file 2048 2>/dev/null") != 0;
    chown $uid, $gid, $file;
    local $secret{'app key'} = (split /\n/, read_file_or_empty($file))[5];
    my $service = unprivileged(
        GITHUB_TOKEN => undef, GITHUB_APP_ID => 'Iv23abc', GITHUB_APP_KEY => read_file_or_empty($file), DRY_RUN => 'yes',
    );
    wait_ok { $service->dispatcher } 'it is at work';
    look($service, dispatcher => 'app key', copied => $sanitized);
    $service->stop_service;
};

# Who reads logs has nothing to give away, and nobody to give it to.
subtest 'the matcher' => sub {
    my $service = unprivileged(POLICY => 'infrastructure', https_proxy => 'http://me:pass@proxy.invalid:1');
    my $matcher = sub {
        my $dispatcher = $service->dispatcher // return;
        my @children = children_of($dispatcher);
        return @children == 1 ? $children[0] : undef;
    };
    my $pid = wait_for { $matcher->() };
    ok $pid, 'the dispatcher has started it' or return $service->stop_service;
    # It opens /dev/null when it has become a program of its own, with a memory of its own.
    wait_ok {
        $sanitized ? 2 == grep { (readlink // '') eq '/dev/null' } glob "/proc/$pid/fd/[01]" : status_of($pid)->{Seccomp} == 2
    } 'it has begun, and its system calls are filtered';
    is read_file_or_empty("/proc/$pid/environ") =~ s/(?:JR_TEST_|[A-Z]+SAN_OPTIONS|GCOV_PREFIX)[^\0]*\0//gr, '',
        'it has nothing of the environment';
    my ($bytes, $found) = in_memory($pid, values %secret, 'me:pass');
    cmp_ok $bytes, '>', 500_000, "$bytes bytes of memory";
    is join(', ', sort keys %$found), '', 'have no secret';
    is_deeply [map { readlink =~ s/\d+//gr } grep { !m{/2$} } sort glob "/proc/$pid/fd/*"], ['/dev/null', '/dev/null', 'socket:[]'],
        'it has a socket, besides standard error';
    if (!$sanitized) {
        is status_of($pid)->{NoNewPrivs}, 1, 'it gets no new privileges';
        is +(stat "/proc/$pid/environ")[4], 0, 'its memory is for root alone';
    }
    $service->expect_death;
    kill 'KILL', $service->dispatcher;
    wait_ok { !running($pid) } 'it ends with the dispatcher';
    my $next = wait_for { $matcher->() };
    ok $next, 'the next one has its own';
    $service->stop_service;
    wait_ok { !running($next) } 'which ends with the service' if $next;
};

# The pages, /metrics and /healthz are all made by a worker that opens nothing.
subtest 'a confined worker does all its work' => sub {
    my $service = unprivileged(pages => 'status metrics');
    works($service);
    wait_ok { $service->dispatcher } 'there is a dispatcher';
    for my $path (qw(/ /status /metrics /healthz)) {
        status_is $service->http->send({ method => 'GET', path => $path }), 200, $path;
    }
    like $service->http->send({ method => 'GET', path => '/metrics' })->body, qr/^job_rerunner_dispatcher_up 1$/m,
        'it sees who has the lock';
    $service->stop_service;
};

finish();
