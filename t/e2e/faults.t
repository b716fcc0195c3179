#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What can go wrong with a machine, made to happen: processes killed at random
# under load, a full disk, a store that cannot be used, a clock that is set back,
# restarts under load. Those that hang are in hung.t, a full map in full.t.
#
# JR_SEED=N changes the order in which things are killed.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd qw(abs_path);
use Errno qw(ENOSPC);
use IO::Socket::UNIX;
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes qw(time);
use JR::FakeGitHub;
use JR::File qw(read_file_or_empty);
use JR::Http;
use JR::Load qw(CLIENTS load);
use JR::Log;
use JR::Process qw(spawn reap running children_of session_of end_processes);
use JR::Service;
use JR::Test;

# A name space of mounts of our own: what is mounted in it ends with us.
BEGIN {
    if ($> == 0 && !$ENV{JR_TEST_OWN_MOUNTS} && system('unshare -m true 2>/dev/null') == 0) {
        $ENV{JR_TEST_OWN_MOUNTS} = 1;
        exec 'unshare', '-m', $^X, $0 or die "unshare: $!";
    }
}

use constant EX_CANTCREAT => 73;

my $github = github();

sub queued { return delivery(job_event(run_id => next_id(), action => 'queued')) }

sub overwrite {
    my ($name, $bytes) = @_;
    open my $fh, '>:raw', $name or die "$name: $!";
    print {$fh} $bytes;
    close $fh or die "$name: $!";
    return;
}

sub healthz {
    my ($service) = @_;
    return $service->http->send({ method => 'GET', path => '/healthz' });
}

#
# Killed at random, under load, as conf/web runs it
#

my $build = tmpdir() . '/build';
mkdir $build and mkdir "$build/fcgi" or die "$build: $!";
symlink abs_path(binary()), "$build/fcgi/job-rerunner" or die "symlink: $!";

sub web_start {
    my ($web) = @_;
    my $mark = $web->{log}->mark;
    $web->{pid} = spawn(
        argv => ['/bin/sh', srcdir() . '/conf/web'],
        env  => {
            %{ $web->{env} }, PATH => '/usr/bin:/bin', JR_BUILDDIR => $build, PORT => $web->{port},
            STATE_DIR => $web->{state}, $github->settings,
            map { $_ => $ENV{$_} } grep {/^[A-Z]+SAN_OPTIONS$/} keys %ENV,
        },
        out => $web->{log}->path,
    );
    wait_for { substr($web->{log}->text, $mark) =~ /is served$/m || !running($web->{pid}) };
    ok running($web->{pid}), 'conf/web serves' or diag(substr $web->{log}->text, $mark);
    return;
}

sub web_child {
    my ($web, $name) = @_;
    return (grep { read_file_or_empty("/proc/$_/comm") eq "$name\n" } children_of($web->{pid}))[0] // ();
}

sub web_dispatcher {
    my ($web) = @_;
    my ($pid) = read_file_or_empty("$web->{state}/dispatcher.lock") =~ /^(\d+)/;
    return grep { $_ == ($pid // 0) } map { children_of($_) } web_child($web, 'job-rerunner');
}

sub web_workers {
    my ($web) = @_;
    my ($dispatcher) = (web_dispatcher($web), 0);
    return grep { $_ != $dispatcher } map { children_of($_) } web_child($web, 'job-rerunner');
}

sub run_of { return $_[0]{path} =~ m{/runs/(\d+)/} ? $1 : 0 }

subtest 'killed at random under load' => sub {
    my $seed = $ENV{JR_SEED} // 4711;
    srand $seed;
    my $web = {
        port => JR::FakeGitHub::free_port(), state => tmpdir() . '/killed',
        log  => JR::Log->new(tmpdir() . '/killed.log'),
        env  => {
            GITHUB_SIGN_KEY => JR::Service::sign_key(), GITHUB_TOKEN => JR::Service::token(),
            WORKERS => 4, MAP_SIZE => '64M', RERUN_DELAY => '20ms', API_BACKOFF_MIN => '50ms',
            API_BACKOFF_MAX => '400ms', API_WRITE_INTERVAL => '1ms', RECONCILE_INTERVAL => 0,
        },
    };
    mkdir $web->{state}, 0700 or die "$web->{state}: $!";
    web_start($web);
    my $door = JR::Http->new(port => $web->{port});

    # Runs that fail, and between their events those of runs that only begin.
    my (@requests, %failure);
    for (1 .. 60) {
        my $run = workflow_run(github => $github, door => $door, jobs => ['build']);
        my @facts = ($run->facts, id => $run->truth->{jobs}[0]{id});
        $run->finish('failure');
        push @requests, delivery(job_event(@facts, action => 'queued')), map { queued() } 2 .. CLIENTS;
        $failure{@requests} = $run->id;
        push @requests, delivery(job_event(@facts, action => 'completed', conclusion => 'failure')),
            map { queued() } 2 .. CLIENTS;
    }

    my $die = sub {
        my (@pids) = @_;
        kill 'KILL', @pids;
        reap($web->{pid});
        web_start($web);
    };
    my %fault = (
        worker     => sub { kill 'KILL', (shuffle(web_workers($web)))[0] // () },
        workers    => sub { kill 'KILL', web_workers($web) },
        dispatcher => sub { kill 'KILL', web_dispatcher($web) },
        master     => sub { $die->(web_child($web, 'job-rerunner')) },
        nginx      => sub { $die->(web_child($web, 'nginx')) },
        web        => sub { $die->($web->{pid}) },
        # What does not react stays behind when conf/web is gone.
        stragglers => sub {
            kill 'STOP', web_child($web, 'job-rerunner'), (web_workers($web))[0] // ();
            $die->($web->{pid});
        },
        everything => sub {
            my @leaders = map { web_child($web, $_) } qw(job-rerunner nginx);
            $die->($web->{pid}, @leaders, map { children_of($_) } @leaders);
        },
    );
    my @plan = shuffle(('worker') x 4, ('workers') x 2, ('dispatcher') x 4, keys %fault);
    note "JR_SEED=$seed: @plan";
    my ($answers, %answer) = (0);
    load($door, sub {
        my ($i, $status) = @_;
        $answer{$i} = $status if $status =~ /^(?:2..|404)$/;
        $fault{ shift @plan }->() if ++$answers % 20 == 0 && @plan;
        return 1;
    }, @requests);
    is "@plan", '', 'all that was planned was done';
    my @acknowledged = sort { $a <=> $b } keys %answer;
    cmp_ok scalar @acknowledged, '>', @requests / 2, @acknowledged . ' of ' . @requests . ' events were acknowledged';

    $fault{everything}->();
    my $mark = $web->{log}->mark;
    my @wrong;
    load($door, sub {
        my ($n, $status) = @_;
        my $first = $answer{ $acknowledged[$n] };
        push @wrong, "$first, then $status" if $status != ($first == 404 ? 202 : $first);
        return 1;
    }, @requests[@acknowledged]);
    is_deeply \@wrong, [], 'each of them gets its first answer again';
    is $web->{log}->count('webhook', since => $mark, repeated => 'yes'), scalar @acknowledged,
        'since none is missing in the store';

    my @failed = grep {defined} @failure{@acknowledged};
    cmp_ok scalar @failed, '>=', 20, @failed . ' failures were acknowledged';
    my %accepted;
    wait_ok {
        %accepted = ();
        $accepted{ run_of($_) }++ for grep { ($_->{effect} // '') eq 'rerun' } $github->requests('POST');
        !grep { !$accepted{$_} } @failed;
    } 'all of them are rerun';
    is_deeply [grep { $accepted{$_} > 1 } keys %accepted], [], 'and none twice';

    kill 'TERM', $web->{pid};
    is reap($web->{pid}), 0, 'it stops';
    unlike $web->{log}->text, qr/ERROR: \w+Sanitizer|runtime error:/, 'no report of a sanitizer';
};

#
# A full disk
#

# Write until there is no room; the file is the room.
sub fill {
    my ($name) = @_;
    open my $fh, '>>:raw', $name or die "$name: $!";
    1 while syswrite $fh, "\0" x 4096;
    die "$name: $!" if $! != ENOSPC;
    return;
}

subtest 'a full disk' => sub {
    plan skip_all => 'only for root, who may mount' if !$ENV{JR_TEST_OWN_MOUNTS};
    my $service = service(github => $github, WORKERS => 3, RERUN_DELAY => '3s');
    my $disk = $service->state_dir;
    plan skip_all => 'a tmpfs cannot be mounted here'
        if system('mount', '-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', $disk) != 0;
    $service->start;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->queued('build'), 202, 'a run begins';
    # It cannot be done before the disk is full.
    my $hold = $github->hold;
    status_is $run->play(build => 'failure'), 201, 'it fails, and its rerun is promised';

    fill("$disk/ballast");
    my ($answer, $request, @promised);
    for (1 .. 3000) {
        $request = queued();
        $answer  = $service->http->send($request);
        last if !$answer || $answer->status != 202;
        push @promised, $request;
    }
    status_is $answer, 503, 'no room after ' . @promised . ' more events';
    is $answer->field('result'), 'failed', 'in words';
    my ($line) = $service->log->find('webhook', status => 503);
    is $line->{level}, 'error', 'an error in the log';
    like $line->{text} // '', qr/[Nn]o space|full|cannot commit/, 'which says why';
    my $health = healthz($service);
    status_is $health, 503, '/healthz';
    like $health->body, qr/"failed":\["commit"/, 'names it';
    status_is $service->http->send($promised[0]), 202, 'a repeat is answered all the same' if @promised;

    # Commits of workers fail all the time. The dispatcher tries for itself, whether it finds
    # room for what it has to record or not.
    my $began = time;
    my %status;
    undef $hold;
    load($service->http, sub {
        $status{ $_[1] }++;
        return 1 if ($status{503} // 0) <= 50;
        my $tried = $run->posts || $service->log->find('store-failed') > 2;
        return $tried || time - $began > 30 * slowness() ? undef : 1;
    }, (\&queued) x 100_000);
    cmp_ok $status{503} // 0, '>', 50, "$status{503} events are refused meanwhile";
    ok $run->posts || $service->log->find('store-failed') > 2,
        'which keeps nobody from trying to record the rerun that was promised';

    unlink "$disk/ballast" or die "ballast: $!";
    # By what the dispatcher has to do anyway, or else by its upkeep once a minute.
    ok +(wait_for { healthz($service)->status == 200 } 70), 'with room it is well again, by itself';
    wait_ok { $run->accepted } 'what was promised is done';
    my $mark = $service->log->mark;
    status_is $service->http->send($request), 202, 'what was refused is taken';
    is $service->log->count('webhook', since => $mark, repeated => 'yes'), 0, 'as new';
    my @bad = grep { ($service->http->send($_) // next)->status != 202 } @promised;
    is scalar @bad, 0, 'what was acknowledged is acknowledged again';
    is $service->log->count('webhook', since => $mark, repeated => 'yes'), scalar @promised, 'as known';
    is scalar $run->accepted, 1, 'one rerun';
    $service->stop_service;
    system 'umount', '-l', $disk;
};

#
# A store that cannot be used
#

# A store with something in it, at rest.
sub store_at_rest {
    my $service = service(github => $github, WORKERS => 1)->start;
    status_is $service->http->send(queued()), 202, 'a store';
    $service->stop_service;
    return $service;
}

# A start ends with status 73, and says why and what to do.
sub refused {
    my ($service, @words) = @_;
    # A signal is to be one, as it is without the sanitizer.
    local $ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (), 'handle_sigbus=0:handle_segv=0:handle_abort=0';
    my $mark = $service->log->mark;
    my $pid = spawn(
        argv => ['/usr/bin/spawn-fcgi', '-n', '-s', $service->socket_path . '.no', '--', binary()],
        env  => $service->environment, out => $service->log->path,
    );
    my $status = reap($pid);
    end_processes(session_of($pid)) if !defined $status;
    is defined $status ? $status >> 8 : 'none', EX_CANTCREAT, 'the start is refused with status 73';
    my $text = substr $service->log->text, $mark;
    like $text, qr/ error start-failed .*\Q@{[ $service->state_dir ]}\E/, 'it says where';
    like $text, $_, 'and what' for @words;
    unlink $service->socket_path . '.no';
    my $check = tool(['check'], %{ $service->environment });
    is $check->{status}, EX_CANTCREAT, 'check finds it too';
    return;
}

sub works_again {
    my ($service, $name) = @_;
    $service->start_service;
    status_is $service->http->send(queued()), 202, $name;
    $service->stop_service;
    return;
}

# The one record that tells of which version the store is, and whose: so much later.
sub patch_format {
    my ($service, $later, $whose) = @_;
    my $file  = $service->state_dir . '/data.mdb';
    my $bytes = read_file_or_empty($file);
    my $n = $bytes =~ s/(?<=format)(\x00\x00\x00.)(.{1,2}?)job-re[a-z]{6}/pack('N', unpack('N', $1) + $later) . $2 . $whose/ges;
    ok $n, "its format is $whose\'s, later by $later";
    overwrite($file, $bytes);
    return;
}

subtest 'a store of another program' => sub {
    my $service = store_at_rest();
    patch_format($service, 0, 'job-receiver');
    refused($service, qr/another program; set STATE_DIR to a folder of its own/);
    patch_format($service, 0, 'job-rerunner');
    works_again($service, 'nothing was changed in it');
};

subtest 'a store of a newer version' => sub {
    my $service = store_at_rest();
    patch_format($service, 1, 'job-rerunner');
    refused($service, qr/install the newer version/, qr/restore a backup/);
    patch_format($service, -1, 'job-rerunner');
    works_again($service, 'nothing was changed in it');
};

subtest 'a store from before the first release' => sub {
    my $service = store_at_rest();
    patch_format($service, -1, 'job-rerunner');
    refused($service, qr/before the first release; move it away/);
    patch_format($service, 1, 'job-rerunner');
    works_again($service, 'nothing was changed in it');
};

my %damage = (
    'it is no store'              => sub { "this is no store\n" x 1000 },
    'its beginning is overwritten' => sub { ("\xff" x 8192) . substr $_[0], 8192 },
    'it is cut short'             => sub { substr $_[0], 0, 2 * 4096 },
    'its pages are overwritten'   => sub { substr($_[0], 0, 8192) . "\xa5" x (length($_[0]) - 8192) },
);
for my $name (sort keys %damage) {
    subtest "a damaged store: $name" => sub {
        my $service = store_at_rest();
        my $file = $service->state_dir . '/data.mdb';
        overwrite($file, $damage{$name}->(read_file_or_empty($file)));
        refused($service, qr/restore a backup/, qr/move it away/);
        rename $file, "$file.bad" or die "rename: $!";
        works_again($service, 'moved away, it begins anew');
    };
}

subtest 'a store that is not writable' => sub {
    my $service = store_at_rest();
    my $dir = $service->state_dir;
    my $mounts = $ENV{JR_TEST_OWN_MOUNTS};
    plan skip_all => 'root may write everywhere' if $> == 0 && !$mounts;
    if ($mounts) {
        plan skip_all => 'it cannot be mounted read-only here'
            if system('mount', '--bind', $dir, $dir) != 0 || system('mount', '-o', 'remount,bind,ro', $dir) != 0;
    }
    else { chmod 0400, "$dir/data.mdb", "$dir/lock.mdb" }
    refused($service, qr/[Pp]ermission denied|[Rr]ead-only/);
    if ($mounts) { system 'umount', '-l', $dir }
    else         { chmod 0600, "$dir/data.mdb", "$dir/lock.mdb" }
    works_again($service, 'writable, it is used');
};

#
# Readers that are gone
#

# Process ids in LMDB's table of readers: 64 bytes each, from the 128th on.
sub readers {
    my ($service) = @_;
    my $table = substr read_file_or_empty($service->state_dir . '/lock.mdb'), 128;
    return grep {$_} map { unpack 'x8 l', $_ } grep { length == 64 } unpack '(a64)*', $table;
}

subtest 'a reader that was killed' => sub {
    my $service = service(github => $github)->start;
    my $dispatcher = wait_for { $service->dispatcher };
    wait_ok { grep { $_ == $dispatcher } readers($service) } 'the dispatcher has a place among the readers';
    $service->expect_death;
    kill 'KILL', $dispatcher;
    wait_ok { ($service->dispatcher // $dispatcher) != $dispatcher } 'killed, and replaced';
    wait_ok { !grep { $_ == $dispatcher } readers($service) } 'its place is free again';
    $service->stop_service;
};

#
# The clock
#

# A service whose clock is $file's, as libfaketime has it, and who sets it.
sub service_with_a_clock {
    my (%settings) = @_;
    my ($faketime) = glob '/usr/lib/*/faketime/libfaketime.so.1';
    my $file = tmpdir() . '/time';
    my $wrapped = tmpdir() . '/wrapped';
    overwrite($wrapped, <<"SH");
#!/bin/sh
export LD_PRELOAD='$faketime' FAKETIME_TIMESTAMP_FILE='$file' FAKETIME_NO_CACHE=1
export FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1
exec '@{[ binary() ]}'
SH
    chmod 0755, $wrapped;
    my $set = sub {
        overwrite("$file.new", "$_[0]\n");
        rename "$file.new", $file or die "rename: $!";
    };
    $set->('+2h');
    return (service(github => $github, binary => $wrapped, JR_TEST_CONFINE => 'off', %settings), $set);
}

my $why_no_clock = !glob('/usr/lib/*/faketime/libfaketime.so.1') ? 'libfaketime is not installed'
    : read_file_or_empty(abs_path(binary())) =~ /__asan_init/ ? 'libfaketime and the address sanitizer do not go together' : undef;

subtest 'the clock is set back' => sub {
    plan skip_all => $why_no_clock if $why_no_clock;
    my ($service, $set) = service_with_a_clock(RERUN_DELAY => '4s', RECONCILE_INTERVAL => '30m');
    $service->start;
    my $watched = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $watched->queued('build'), 202, 'a run is under way';
    is scalar $watched->gets, 0, 'nobody asks about it for an hour';
    my $run_fails = sub {
        my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        status_is $run->play(build => 'failure'), 201, "a run fails, $_[0]";
        return $run;
    };
    my $began = time;
    my $first = $run_fails->('two hours ahead');
    is scalar(grep { $_->{time} - $began < 3.9 } $first->gets), 0, 'it is not due yet';
    $set->('+1h');
    ok +(wait_for { $first->accepted } 10), 'when the clock goes an hour back, it is';
    ok +(wait_for { $watched->gets } 10), 'the watched run is asked about';
    my $second = $run_fails->('one hour ahead');
    ok +(wait_for { $second->accepted } 10), 'it is rerun';
    status_is healthz($service), 200, '/healthz';
    $set->('+4h');
    my $third = $run_fails->('four hours ahead');
    ok +(wait_for { $third->accepted } 10), 'it is rerun';
    $github->script(GET => '/runs/\d+$', { status => 403, headers => { 'Retry-After' => 4 } });
    my $fourth = $run_fails->('and the limit is reached');
    ok +(wait_for { $service->log->count('calls-stopped') } 10), 'all calls are stopped';
    $set->('+3h');
    ok +(wait_for { $fourth->accepted } 15), 'and not for longer than was told';
    is_deeply [map { scalar $_->accepted } $first, $second, $third, $fourth], [1, 1, 1, 1], 'each once';
    $service->stop_service;
};

subtest 'the clock is set back while there is no dispatcher' => sub {
    plan skip_all => $why_no_clock if $why_no_clock;
    my ($service, $set) = service_with_a_clock();
    mkdir $service->state_dir . '/dispatcher.lock' or die "mkdir: $!";
    $service->start;
    $set->('+1h');
    ok +(wait_for { healthz($service)->status == 503 } 20), '/healthz says so all the same';
    is_deeply healthz($service)->field('failed'), ['dispatcher'], 'and what it is';
    $set->('+3h');
    is healthz($service)->status, 503, 'set forward, too';
    $service->stop_service;
    $service->expect_death($service->log->count('child-died'));
};

#
# Restarts
#

subtest 'ten restarts under load' => sub {
    my $service = service(github => $github, WORKERS => 4);
    my $listener = IO::Socket::UNIX->new(Listen => 128, Local => $service->socket_path) or die $!;
    chmod 0660, $service->socket_path;
    $service->start_service(listener => $listener);
    $service->start_nginx;
    my ($rounds, $seen, $since, %status) = (0, 0, 0);
    load($service->http, sub {
        $status{ $_[1] }++;
        return 1 if ++$seen < $since + 20;
        return if $rounds == 10;
        is $service->stop_service, 0, 'stop ' . ++$rounds;
        $service->start_service(listener => $listener);
        $since = $seen;
        return 1;
    }, (\&queued) x 20_000);
    is_deeply [keys %status], [202], "none of $seen requests failed" or diag(explain(\%status));
};

finish();
