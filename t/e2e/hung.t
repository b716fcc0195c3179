#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Processes that hang: with the store's lock, while they wait for it, and in the
# middle of a body. The others go on. And one that waits for the disk, which does not hang.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd qw(abs_path);
use List::Util qw(max min);
use POSIX qw(_exit);
use Test::More;
use Time::HiRes qw(time);
use JR::File qw(read_file_or_empty);
use JR::FastCGI qw(fcgi_request fcgi_begin fcgi_params fcgi_stdin fcgi_end);
use JR::Http qw(cgi_params read_all);
use JR::Process qw(spawn reap is_stopped state_of);
use JR::Test;

# The master looks once a second at who has had the lock for 5 s.
use constant NOTICED_S => 7.5;

my $github = github();

sub queued { return delivery(job_event(run_id => next_id(), action => 'queued')) }

# Requests at the same time, each in a process of its own: send() starts one, its
# answer() is (status, seconds), status 0 for none.
sub send_aside {
    my ($service, $request) = @_;
    pipe my $result, my $report or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $began = time;
        my $answer = eval { $service->http->send($request) };
        syswrite $report, sprintf "%s %.2f\n", $answer ? $answer->status : 0, time - $began;
        _exit(0);
    }
    return { pid => $pid, result => $result };
}

sub answer {
    my ($aside) = @_;
    my $line = readline $aside->{result};
    reap($aside->{pid});
    return split ' ', $line // '0 0';
}

# The workers that are at a request: they have a socket more than at rest.
sub descriptors { my ($service) = @_; return map { $_ => scalar(() = glob "/proc/$_/fd/*") } $service->workers }

sub busy {
    my ($service, %at_rest) = @_;
    my %now = descriptors($service);
    return grep { $now{$_} > ($at_rest{$_} // 99) } sort keys %now;
}

# A process that has a request in hand sleeps for nothing else. Not every kernel tells what for.
sub waits_for_a_lock {
    my ($pid) = @_;
    my $where = read_file_or_empty("/proc/$pid/wchan");
    return $where =~ /[a-z]/ ? $where =~ /futex/ : state_of($pid) eq 'S';
}

sub hangs_with_the_lock {
    my ($kind, $point) = @_;
    my $file = tmpdir() . "/hang-$kind";
    # How long it takes is measured below.
    my $service = service(github => $github, WORKERS => 4, JR_TEST_STOP_AT => "$point:$file")->start;
    $service->expect_death;
    my @lost;
    if ($kind eq 'worker') {
        wait_ok { $service->dispatcher } 'the dispatcher is at work';
        @lost = send_aside($service, queued());
    }
    wait_ok { -e $file } "the $kind hangs";
    my @asides = map { send_aside($service, queued()) } 1 .. 8;
    my (%status, $slowest);
    for (@asides) {
        my ($status, $took) = answer($_);
        $status{$status}++;
        $slowest = $took if $status == 202 && $took > ($slowest // 0);
    }
    is_deeply \%status, { 202 => 8 }, 'all others are served';
    is +(answer($_))[0], 502, 'but for the one that it was at' for @lost;
    cmp_ok $slowest, '<', NOTICED_S * slowness(), "within $slowest s";
    my $hung = $service->log->wait_entry('hung');
    is $hung->{level}, 'error', 'the log has it';
    like $hung->{line}, qr/$kind \d+ has held the store's lock/, 'in words';
    my $death = $service->log->wait_entry('child-died');
    is "$death->{kind} $death->{signal}", "$kind 9", 'it was killed';
    wait_ok { 5 == grep { $_ != $death->{pid} } $service->children } 'and is replaced';
    status_is $service->http->send(queued()), 202, 'all serve' for 1 .. 4;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->accepted } 'and is rerun';
    status_is $service->http->send({ method => 'GET', path => '/healthz' }), 200, '/healthz';
    $service->stop_service;
    return;
}

subtest 'a worker hangs while it holds the lock' => sub { hangs_with_the_lock('worker', 'in-batch') };

subtest 'the dispatcher hangs while it holds the lock' => sub { hangs_with_the_lock('dispatcher', 'in-upkeep') };

# The library that makes a flush slow, and what it is told: t/lib/slow_disk.c.
my $sanitized = read_file_or_empty(abs_path(binary())) =~ /__asan_init/;

sub slow_disk {
    my $preload = tmpdir() . '/slow_disk.so';
    my $built = spawn(argv => ['/usr/bin/cc', '-shared', '-fPIC', '-o', $preload, srcdir() . '/t/lib/slow_disk.c'],
        env => { PATH => '/usr/bin:/bin' });
    is reap($built), 0, 'the preload is built';
    my $file = tmpdir() . '/control-' . next_id();
    open my $control, '+>:raw', $file or die "$file: $!";
    syswrite $control, "\0" x 64;
    return ($preload, $file, $control);
}

sub next_flush {
    my ($control, $action, @pids) = @_;
    sysseek $control, 0, 0;
    syswrite $control, pack 'l10', (map { $_ // 0 } @pids[0 .. 7]), $action, 0;
    return;
}

sub taker { my ($control) = @_; sysseek $control, 36, 0; sysread $control, my $bytes, 4; return unpack 'l', $bytes }

sub without_nginx {
    my ($service, $request) = @_;
    return $service->fastcgi->write_only(fcgi_request($request));
}

# What a disk of a network takes now and then. All wait for it, and are served.
subtest 'a flush takes long' => sub {
    plan skip_all => 'a sanitizer has to be the first that is loaded' if $sanitized;
    my ($preload, $file, $control) = slow_disk();
    my $service = service(github => $github, WORKERS => 4, JR_TEST_CONFINE => 'off', LD_PRELOAD => $preload, SLOW_DISK => $file)->start;
    wait_ok { 4 == $service->workers } 'all are at work';
    next_flush($control, 7500, $service->workers);
    my @sockets = without_nginx($service, queued());
    wait_ok { taker($control) } 'one waits for the disk';
    push @sockets, without_nginx($service, queued()) for 1 .. 6;
    status_is JR::FastCGI::decode(read_all($_)), 202, 'each is answered' for @sockets;
    is $service->log->count('hung'), 0, 'nobody has hung';
    is $service->log->count('child-died'), 0, 'nobody was killed';
    $service->stop_service;
};

subtest 'a worker is stopped in the middle of a flush' => sub {
    plan skip_all => 'a sanitizer has to be the first that is loaded' if $sanitized;
    my ($preload, $file, $control) = slow_disk();
    my $service = service(github => $github, WORKERS => 4, JR_TEST_CONFINE => 'off', LD_PRELOAD => $preload, SLOW_DISK => $file)->start;
    $service->expect_death;
    wait_ok { 4 == $service->workers } 'all are at work';
    next_flush($control, -1, $service->workers);
    my $lost = without_nginx($service, queued());
    my $pid = (wait_for { taker($control) });
    wait_ok { is_stopped($pid) } 'one is stopped with the lock';
    my @sockets = map { without_nginx($service, queued()) } 1 .. 6;
    status_is JR::FastCGI::decode(read_all($_)), 202, 'the others are served' for @sockets;
    like $service->log->wait_entry('hung')->{line}, qr/worker $pid has held the store's lock/, 'it has hung';
    is $service->log->wait_entry('child-died')->{pid}, $pid, 'and is killed';
    close $lost;
    $service->stop_service;
};

# As by a freezer, or on a machine that sleeps.
subtest 'all are stopped while one holds the lock' => sub {
    my $file = tmpdir() . '/stopped-all';
    my $service = service(github => $github, WORKERS => 2, JR_TEST_STOP_AT => "in-batch:$file")->start;
    wait_ok { $service->dispatcher } 'the dispatcher is at work';
    # It would end who has had the lock for 5 s.
    kill 'STOP', $service->master;
    my $socket = without_nginx($service, queued());
    my $holder = (wait_for { (grep { is_stopped($_) } $service->workers)[0] });
    ok $holder, 'a worker is stopped with the lock' or return;
    select undef, undef, undef, 7;    # longer than anybody may hold it
    my $mark = $service->log->mark;
    kill 'CONT', $service->master;
    # It looks at once, and each second.
    select undef, undef, undef, 1.2;
    kill 'CONT', $holder;
    status_is JR::FastCGI::decode(read_all($socket)), 202, 'it goes on and answers';
    is $service->log->count('hung'), 0, 'nobody has hung' or diag substr $service->log->text, $mark;
    $service->stop_service;
};

# Without the lock it hangs for itself alone, and nobody has to kill it.
subtest 'a worker hangs while it waits for the lock' => sub {
    my $file = tmpdir() . '/hang-waiting';
    my $service = service(github => $github, nginx_waits_s => 600, WORKERS => 4, JR_TEST_STOP_AT => "in-batch:$file")->start;
    ok $service->wait_at_work, 'all are at work';
    my %at_rest = descriptors($service);
    # However long the following takes: it would end who has had the lock for 5 s.
    kill 'STOP', $service->master;
    my @asides = send_aside($service, queued());
    my $leader = (wait_for { (grep { is_stopped($_) } keys %at_rest)[0] });
    my $request = queued();
    push @asides, send_aside($service, $request);
    my $waiting = (wait_for { (grep { $_ != $leader } busy($service, %at_rest))[0] });
    ok $waiting, 'one has the lock, and one waits for it' or return;
    wait_ok { waits_for_a_lock($waiting) } 'which it does by now';
    kill 'STOP', $waiting;
    # One after the other: a worker takes as many as wait.
    for my $busy (3, 4) {
        push @asides, send_aside($service, queued());
        wait_ok { busy($service, %at_rest) == $busy } 'and one more';
        wait_ok { !grep { $_ != $leader && $_ != $waiting && !waits_for_a_lock($_) } busy($service, %at_rest) } 'which waits, too';
    }
    kill 'CONT', $leader, $service->master;
    is((answer($_))[0], 202, 'all others are served') for @asides[0, 2, 3];
    my $mark = $service->log->mark;
    status_is $service->http->send($request), 202, 'its request, sent again';
    is $service->log->count('webhook', since => $mark, repeated => 'yes'), 1, 'was recorded by the others';
    is state_of($waiting), 'T', 'while it hangs';
    kill 'CONT', $waiting;
    is((answer($asides[1]))[0], 202, 'it goes on, and answers');
    is $service->log->count('child-died'), 0, 'nobody was killed';
    $service->stop_service;
};

subtest 'a worker hangs in the middle of a body' => sub {
    my $service = service(github => $github, WORKERS => 2)->start;
    ok $service->wait_at_work, 'all are at work';
    my %at_rest = descriptors($service);
    my $request = queued();
    my ($first, $rest) = unpack 'a100 a*', $request->{body};
    my $socket = $service->fastcgi->write_only(
        fcgi_begin() . fcgi_params(cgi_params($request)) . fcgi_stdin($first));
    my $pid = (wait_for { (busy($service, %at_rest))[0] });
    ok $pid, 'it reads' or return;
    kill 'STOP', $pid;
    my $began = time;
    status_is $service->http->send(queued()), 202, 'the other one serves' for 1 .. 8;
    cmp_ok time - $began, '<', 2 * slowness(), 'at once';
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->accepted } 'and is rerun';
    kill 'CONT', $pid;
    syswrite $socket, fcgi_stdin($rest) . fcgi_end();
    status_is JR::FastCGI::decode(read_all($socket)), 202, 'it goes on where it was';
    $service->stop_service;
};

# No wait of its reader is long, but all together are.
subtest 'a peer that sends a byte now and then' => sub {
    my $hang_s = max(6, min(20, 5 * slowness()));
    my $service = service(github => $github, WORKERS => 2, JR_TEST_HANG => int(1000 * $hang_s))->start;
    $service->expect_death;
    wait_ok { $service->dispatcher } 'the dispatcher is at work';
    my $request = queued();
    my $began = time;
    my $socket = $service->fastcgi->write_only(
        fcgi_begin() . fcgi_params(cgi_params($request)) . substr fcgi_stdin($request->{body}), 0, 100);
    my %status;
    local $SIG{PIPE} = 'IGNORE';
    wait_ok {
        syswrite $socket, 'x';
        $status{ $service->http->send(queued())->status }++;
        $service->log->find('hung');
    } 'it is not listened to for ever';
    cmp_ok time - $began, '>=', $hang_s, 'but for as long as a request may take';
    is_deeply [keys %status], [202], 'the others are served meanwhile';
    like $service->log->wait_entry('hung')->{line}, qr/worker \d+ has done nothing for \d+ s and is killed/, 'the log has it';
    wait_ok { 2 == $service->workers } 'the worker is replaced';
    my ($id) = map { $_->[1] } grep { lc $_->[0] eq 'x-github-delivery' } @{ $request->{headers} };
    is_deeply [$service->log->find('webhook', delivery => $id)], [], 'nothing came of its request';
    $service->stop_service;
};

finish();
