#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The measurements of t/bench/run, which checks that all it needs is there.
#
# All contestants stand behind one nginx of one process, as conf/web starts it, each
# with a port and a socket of its own, and are measured by turns, so that what else the
# machine does hits all of them. Floor and service stand behind a second nginx besides,
# as a server has it: a process for each core (`worker_processes auto`), no access log.
# A ratio is one of figures of the same turn, behind the same nginx; medians over the turns.

use strict;
use warnings;
use FindBin;
use IO::Socket::UNIX;
use Time::HiRes qw(time sleep);
use JR::Etcd;
use JR::FakeGitHub;
use JR::FastCGI;
use JR::Nginx;
use JR::Payload qw(delivery job_event next_id);
use JR::Process qw(spawn reap running children_of session_of end_processes);
use JR::Run;
use JR::Test ();
use JR::Wait qw(wait_for);
use Bench::Grow qw(curves curve_table curve_goals);
use Bench::Load;
use Bench::Match qw(matching matching_table matching_goals);
use Bench::Measure qw(cpu_s memory_kb commits median);
use Bench::Pages qw(page_times page_table page_goals);
use Bench::Report qw(machine table goals);
use Bench::Size qw(bytes_per_run);

my $quick = grep { $_ eq '--quick' } @ARGV;
my $grow  = grep { $_ eq '--grow' } @ARGV;
my $burst = grep { $_ eq '--burst' } @ARGV;
my $match = grep { $_ eq '--match' } @ARGV;
my $pages = grep { $_ eq '--pages' } @ARGV;
my $hosts = grep { $_ eq '--hosts' } @ARGV;
my %plan  = $quick
    ? (turns => 1, seconds => 2, starts => 3, reruns => 20, burst => 20, pages => 30, runs => 100_000, requests => [5_000, 20_000], sized => 100)
    : (turns => 5, seconds => 4, starts => 9, reruns => 100, burst => 200, pages => 100, runs => 1_000_000, requests => [10_000, 100_000], sized => 500);
my @connections = (1, 16, 64);
my $workers     = $ENV{JR_BENCH_WORKERS} // 16;

use constant {
    FILL_S  => 150,    # at most, for the full store
    NOBODY  => 'http://127.0.0.1:9',
};

$| = 1;
my $dir = JR::Test::tmpdir();
my (@nginx, $load, @floor);

use constant AUTO => ', auto';    # at the end of the name of who stands behind the second one

sub say_progress { print STDERR @_, "\n"; return }

# Programs of ours: t/bench/NAME.c with what pkg-config knows.
sub compile {
    my ($name, $output, $packages, @options) = @_;
    my @flags = $packages ? split ' ', qx(pkg-config --cflags --libs $packages) : ();
    my $pid = spawn(
        argv => ['/usr/bin/env', 'cc', '-O2', '-g', '-std=gnu11', '-Wall', '-o', "$dir/$output",
            "$FindBin::Bin/$name.c", @options, @flags],
        env => { PATH => $ENV{PATH} },
        out => "$dir/cc.log",
    );
    die "cannot compile $name.c:\n" . Bench::Measure::slurp("$dir/cc.log") if reap($pid) != 0;
    return "$dir/$output";
}

sub build {
    my ($from, $in) = @ENV{qw(JR_SRCDIR JR_BUILDDIR)};
    compile('floor', 'floor', 'fcgi');
    compile('load', 'load.so', 'libcrypto', '-shared', '-fPIC');
    compile($_, $_, 'json-c libcurl libcrypto lmdb libpcre2-8 yaml-0.1 libseccomp', "-I$in", "-I$from", "$in/lib/libjr.a", '-lm')
        for 'fill', 'grow', 'match';
    return;
}

# A service as it comes, but for a dispatcher that has little to do while it is
# measured: nothing is due, and its calls are refused.
sub contestant {
    my (%env) = @_;
    return JR::Test::service(
        WORKERS => $workers, MAP_SIZE => '16G', RERUN_DELAY => '1h', GITHUB_API_URL => NOBODY,
        API_BACKOFF_MIN => undef, API_BACKOFF_MAX => undef, RECONCILE_INTERVAL => undef, %env,
    );
}

# Start a service and ask it something; seconds to the answer.
sub seconds_to_first_answer {
    my ($service) = @_;
    my $door    = $service->fastcgi;
    my $request = delivery(job_event(run_id => next_id(), action => 'queued'));
    my $answer;
    my $begun = time;
    $service->{master} = spawn(
        argv => ['/usr/bin/spawn-fcgi', '-n', '-s', $service->socket_path, '-M', '0660', '--', $service->{binary}],
        env  => $service->environment,
        out  => $service->log->path,
    );
    while (!$answer) {
        sleep 0.0005;
        die "the service does not start:\n" . $service->log->text if !running($service->{master});
        $answer = eval { $door->send($request) };
    }
    my $seconds = time - $begun;
    die 'the first answer is ' . $answer->status . "\n" if $answer->status != 202;
    return $seconds;
}

sub start_times {
    my ($service) = @_;
    return map { my $s = seconds_to_first_answer($service); $service->stop_service; $s } 1 .. $plan{starts};
}

sub fill {
    my ($service) = @_;
    my $pid = spawn(
        argv => ["$dir/fill", $service->state_dir, $plan{runs}, FILL_S], out => "$dir/fill.out",
        env => {},
    );
    my $status = reap($pid, FILL_S + 60);
    my $made = Bench::Measure::slurp("$dir/fill.out") // '';
    die "fill failed: $made\n" if $status // -1 != 0;
    return $made + 0;
}

sub start_floor {
    my $socket = "$dir/floor.sock";
    my $pid = spawn(
        argv => ['/usr/bin/spawn-fcgi', '-n', '-s', $socket, '-M', '0660', '--', "$dir/floor", $workers],
        out => "$dir/floor.log", env => {},
    );
    push @floor, $pid;
    wait_for { -S $socket && children_of($pid) == $workers } or die "the floor does not start\n";
    return $socket;
}

# An nginx for all of them; the configuration is that of conf/web, but for the address.
#   o  processes; log: whether it writes an access log
# Returns it, and { name => port }.
sub start_nginx {
    my ($o, %socket) = @_;
    my %port;
    my $number = @nginx;
    for my $try (1 .. 5) {
        my $conf = <<'CONF';
client_max_body_size 25m;
client_body_buffer_size 128k;
keepalive_timeout 8s;
keepalive_requests 10000000;
server_tokens off;
CONF
        $conf .= "access_log off;\n" if !$o->{log};
        @port{keys %socket} = JR::FakeGitHub::free_ports(scalar keys %socket);
        for my $name (sort keys %socket) {
            $conf .= <<"CONF";
server {
    listen 127.0.0.1:$port{$name};
    location / {
        fastcgi_pass unix:$socket{$name};
        fastcgi_keep_conn off;
        fastcgi_request_buffering on;
        fastcgi_connect_timeout 2s;
        fastcgi_send_timeout 5s;
        fastcgi_read_timeout 8s;
        @{[ JR::Nginx::FASTCGI_PARAMS ]}
        fastcgi_param RERUNNER_PAGES "status metrics";
    }
}
CONF
        }
        # Another process may take a port that was free just now.
        my $nginx = eval {
            JR::Nginx->start(dir => "$dir/nginx.$number.$try", server => $conf, processes => $o->{processes});
        } or next;
        push @nginx, $nginx;
        return ($nginx, \%port);
    }
    die "nginx does not start: $@";
}

# One turn of one contestant.
sub measure {
    my ($c, $connections) = @_;
    my @pids = (session_of($c->{nginx}{pid}), session_of($c->{service} ? $c->{service}->master : $floor[0]));
    my $state_dir = $c->{service} && $c->{service}->state_dir;
    my $cpu_s   = cpu_s(@pids);
    my $commits = $state_dir ? commits($state_dir) : 0;
    my $begun   = time;
    my $result  = $load->run(port => $c->{port}, connections => $connections, seconds => $plan{seconds});
    my $seconds = time - $begun;
    $result->{cpu_s} = (cpu_s(@pids) - $cpu_s) / $result->{requests} * 1000;
    if ($state_dir) {
        $commits = commits($state_dir) - $commits;
        $result->{commit_rate} = $commits / $seconds;
        $result->{per_commit}  = $commits ? $result->{requests} / $commits : 0;
    }
    return $result;
}

# { connections => { name => [result of each turn] } }
sub take_turns {
    my (@contestants) = @_;
    my %results;
    $load->run(port => $_->{port}, connections => 16, seconds => 1) for @contestants;
    for my $turn (1 .. $plan{turns}) {
        for my $connections (@connections) {
            for my $c (@contestants) {
                my $result = measure($c, $connections);
                push @{ $results{$connections}{ $c->{name} } }, $result;
                say_progress(sprintf 'turn %d: %2d connections: %-18s %6.0f requests/s', $turn, $connections,
                    $c->{name}, $result->{rate});
            }
            push @contestants, shift @contestants;    # nobody always runs after the same one
        }
    }
    return \%results;
}

# The ratio of a figure between two contestants: the median over the turns.
sub ratio {
    my ($of, $name, $to, $figure) = @_;
    my ($upper, $lower) = ($of->{$name}, $of->{$to});
    return median(map { $upper->[$_]{$figure} / ($lower->[$_]{$figure} || 1e-9) } 0 .. $#$upper);
}

# The floor behind the same nginx.
sub floor_of { return 'floor' . ($_[0] =~ AUTO ? AUTO : '') }

sub rows {
    my ($results, @names) = @_;
    my @rows;
    for my $connections (@connections) {
        my $of = $results->{$connections};
        for my $name (@names) {
            my @turns = @{ $of->{$name} };
            my %row = (name => $name, connections => $connections, errors => 0);
            for my $figure (qw(rate p50_ms p99_ms cpu_s commit_rate per_commit)) {
                $row{$figure} = median(map { $_->{$figure} } @turns);
                $row{of_floor}{$figure} = ratio($of, $name, floor_of($name), $figure)
                    if $figure !~ /commit/;
            }
            $row{errors} += $_->{errors} for @turns;
            push @rows, \%row;
        }
    }
    return @rows;
}

# Largest and median of the workers, in kB, after each of the numbers of requests, and what
# that has grown most which has grown since the first of them.
sub memory {
    my ($c) = @_;
    my ($sent, @points, %first) = (0);
    for my $requests (@{ $plan{requests} }) {
        my $rate = 5_000;
        while ($sent < $requests) {
            my $seconds = int(($requests - $sent) / $rate + 1);
            my $result = $load->run(port => $c->{port}, connections => 64, seconds => $seconds);
            $sent += $result->{requests};
            $rate = $result->{rate};
        }
        my %kb = map { $_ => memory_kb($_) } $c->{service}->workers;
        my @kb = values %kb;
        %first = %kb if !%first;
        push @points, {
            grown => (sort { $b <=> $a } map { $kb{$_} - ($first{$_} // 0) } keys %kb)[0],
            requests => $sent, median => median(@kb), most => (sort { $b <=> $a } @kb)[0],
            dispatcher => memory_kb($c->{service}->dispatcher), master => memory_kb($c->{service}->master),
        };
    }
    return @points;
}

# Milliseconds from the answer 201 to the POST at GitHub, one run at a time.
#   call_s  how long GitHub takes for a call
sub rerun_times {
    my ($call_s, %settings) = @_;
    my $github  = JR::Test::github();
    my $service = JR::Test::service(
        github => $github, WORKERS => $workers, RERUN_DELAY => 0, API_WRITE_INTERVAL => 0, %settings,
    )->start;
    my $door = $service->http;
    my @ms;
    $github->set_after($call_s);
    wait_for { $service->dispatcher } or die "no dispatcher\n";
    wait_for { !$settings{CLUSTER_ETCD} || $service->log->count('cluster-up') } or die "not among the hosts\n";
    for (1 .. $plan{reruns}) {
        my $run = JR::Run->new(github => $github, door => $door, jobs => ['build']);
        my $answer = $run->play(build => 'failure');
        my $now = time;
        die 'not 201 but ' . $answer->status . "\n" if $answer->status != 201;
        wait_for { $run->accepted } or die "no POST\n";
        push @ms, (($run->accepted)[0]{time} - $now) * 1000;
    }
    $service->stop_service;
    return @ms;
}

# The same for the only host and for one that agrees with others by three etcd on this machine, by
# turns: medians in ms, and the ratio of the same turn. Nothing where there is no etcd.
sub hosts_times {
    return if !JR::Etcd::binary();
    my $etcd = JR::Etcd->start(dir => "$dir/etcd", owner => $$);
    my (@alone, @hosts);
    for my $turn (1 .. $plan{turns}) {
        push @alone, median(rerun_times(0));
        push @hosts, median(rerun_times(0, CLUSTER_ETCD => $etcd->urls));
        say_progress(sprintf 'turn %d: 201 to POST: %.1f ms, with etcd %.1f ms', $turn, $alone[-1], $hosts[-1]);
    }
    $etcd->stop;
    return { alone => median(@alone), hosts => median(@hosts), ratio => median(map { $hosts[$_] / $alone[$_] } 0 .. $#alone) };
}

sub hosts_line {
    my ($of) = @_;
    return "Answer 201 to POST with three etcd: NOT MEASURED, SINCE THERE IS NO etcd HERE.\n" if !$of;
    return sprintf "Answer 201 to POST with three etcd on this machine: %.1f ms, of the only host %.1f ms (medians of %d turns of %d).\n",
        @$of{qw(hosts alone)}, @plan{qw(turns reruns)};
}

# Four calls of etcd, and a commit on three disks that are one here, for each rerun.
sub hosts_goals {
    my ($of) = @_;
    return $of ? ['201 to POST with three etcd, of the only host', $of->{ratio}, 'most', 10, 1, ''] : ();
}

# Runs that fail within a minute, an API that takes 300 ms a call, and the default
# API_WRITE_INTERVAL: from the first failure to the last rerun, as a multiple of what the
# interval alone asks for.
sub burst {
    my $github  = JR::Test::github();
    my $service = JR::Test::service(github => $github, WORKERS => $workers, API_WRITE_INTERVAL => undef)->start;
    wait_for { $service->dispatcher } or die "no dispatcher\n";
    my @runs = map { JR::Run->new(github => $github, door => $service->http, jobs => ['build']) } 1 .. $plan{burst};
    $_->queued('build') for @runs;
    $github->set_after(0.3);
    my $begun = time;
    for my $run (@runs) {
        $run->finish('failure');
        $run->completed(build => 'failure');
    }
    die "the runs took longer than a minute to fail\n" if time - $begun > 60;
    my $reruns = sub { return grep { ($_->{effect} // '') eq 'rerun' } $github->requests(POST => '/rerun') };
    wait_for { $plan{burst} <= $reruns->() } 2 * $plan{burst} or die "not all are rerun\n";
    my ($last) = sort { $b <=> $a } map { $_->{time} } $reruns->();
    $service->stop_service;
    return ($last - $begun) / $plan{burst};
}

sub burst_goal {
    return ["$plan{burst} runs within a minute, 300 ms a call: time, of their intervals", burst(), 'most', 1.1, 2, ''];
}

# For each number of jobs: [jobs, bytes of a run in the first days, and later].
sub sizes {
    my @sizes;
    for my $jobs (1, 5, 20) {
        my $service = contestant(WORKERS => 1)->start_service;
        push @sizes, [$jobs, bytes_per_run($service, $plan{sized}, $jobs)];
        $service->stop_service;
    }
    return @sizes;
}

sub grown {
    return curves(dir => $dir, service => \&contestant, quick => $quick, say => \&say_progress);
}

sub matched {
    return matching(dir => $dir, binary => "$ENV{JR_BUILDDIR}/t/job-rerunner", quick => $quick, say => \&say_progress);
}

# Of one full store, and nothing else.
sub pages_alone {
    my $service = contestant();
    say_progress("filling a store with $plan{runs} runs");
    printf "%d runs.\n", fill($service);
    my (undef, $port) = start_nginx({ processes => 1, log => 1 }, 'full store' => $service->socket_path);
    $service->start_service;
    my $ms = page_times($port->{'full store'}, $plan{pages});
    $service->stop_service;
    return $ms;
}

sub main {
    build();
    if ($match) {
        my $of = matched();
        print matching_table($of), "\nGoals:\n", goals(matching_goals($of));
        return;
    }
    if ($pages) {
        my $page_ms = pages_alone();
        print page_table($page_ms), "\nGoals:\n", goals(page_goals($page_ms));
        return;
    }
    if ($hosts) {
        my $of = hosts_times();
        print hosts_line($of), "\nGoals:\n", goals(hosts_goals($of));
        return;
    }
    if ($grow) {
        my @curves = grown();
        print curve_table(@curves), "\nGoals:\n", goals(curve_goals(@curves));
        return;
    }
    if ($burst) {
        print "Goals:\n", goals(burst_goal());
        return;
    }
    $load = Bench::Load->new(dir => "$dir/load", object => "$dir/load.so", script => "$FindBin::Bin/load.lua");
    my %service = (
        'service'         => contestant(),
        'batches off'     => contestant(JR_TEST_BATCH => 'off'),
        'full store'      => contestant(),
        'fresh'           => contestant(),
    );
    my $floor_socket = start_floor();
    my ($one_process, $port) = start_nginx({ processes => 1, log => 1 },
        floor => $floor_socket, map { $_ => $service{$_}->socket_path } keys %service);
    my ($auto, $auto_port) = start_nginx({ processes => 'auto', log => 0 },
        floor => $floor_socket, service => $service{service}->socket_path);
    my @contestants = (
        map({ +{ name => $_, nginx => $one_process, port => $port->{$_}, service => $service{$_} } }
            'floor', 'service', 'batches off', 'full store'),
        map({ +{ name => $_ . AUTO, nginx => $auto, port => $auto_port->{$_}, service => $service{$_} } }
            'floor', 'service'),
    );
    my @names = map { $_->{name} } @contestants;

    say_progress("filling a store with $plan{runs} runs");
    my $filled = fill($service{'full store'});
    say_progress('starts');
    my @empty_start = start_times($service{fresh});
    my @full_start  = start_times($service{'full store'});
    $service{$_}->start_service for 'service', 'batches off', 'full store';
    my $results = take_turns(@contestants);
    say_progress('pages');
    my $page_ms = page_times($port->{'full store'}, $plan{pages});
    $service{$_}->stop_service for 'service', 'batches off', 'full store';
    say_progress('memory');
    $service{fresh}->start_service;
    my ($early, $late) = memory({ port => $port->{fresh}, service => $service{fresh} });
    $service{fresh}->stop_service;
    say_progress('reruns');
    my @rerun_ms = rerun_times(0);
    say_progress('reruns with evidence');
    my %with_evidence = map { $_ => [sort { $a <=> $b } rerun_times($_ / 1000, EVIDENCE => 'always')] } 2, 300;
    say_progress('reruns of several hosts');
    my $hosts_times = hosts_times();
    say_progress('a burst');
    my $burst_goal = burst_goal();
    say_progress('sizes');
    my @sizes = sizes();
    my @curves = grown();
    say_progress('logs');
    my $matched = matched();

    my ($version) = qx($ENV{JR_BUILDDIR}/t/job-rerunner --version) =~ /^(.*)$/m;
    print "\n", machine($version, $dir);
    printf "%d workers, signed workflow_job events of %.1f kB, no event sent twice.\n"
        . "Medians of %d turns of %d s; x: as a multiple of the floor in the same turn.\n\n",
        $workers, $load->body_bytes / 1000, $plan{turns}, $plan{seconds};
    print table(rows($results, @names));
    print "\nfloor: nginx and a libfcgi program of $workers workers that does nothing.\n",
        "batches off: the service with one commit for each request.\n",
        "full store: the service with $filled runs stored.\n",
        "auto: behind an nginx of as many processes as cores, without an access log; the others\n",
        "  behind one of one process, with it.\n",
        "CPU: nginx and program, user and system.\n\n";
    printf "Memory of a worker (anonymous proportional set size, median and largest):\n"
        . "  %.0f and %d kB after %d requests, %.0f and %d kB after %d; dispatcher %d kB, master %d kB.\n",
        @{$early}{qw(median most requests)}, @{$late}{qw(median most requests dispatcher master)};
    printf "Start to first answer: %.0f ms with an empty store, %.0f ms with the full one (median of %d).\n",
        median(@empty_start) * 1000, median(@full_start) * 1000, $plan{starts};
    my @sorted = sort { $a <=> $b } @rerun_ms;
    printf "Answer 201 to POST at GitHub: %.1f ms (median of %d; largest %.1f ms), RERUN_DELAY=0.\n",
        median(@sorted), scalar @sorted, $sorted[-1];
    printf "With evidence (jobs, annotations, log), %d ms a call: %.1f ms (largest %.1f ms).\n",
        $_, median(@{ $with_evidence{$_} }), $with_evidence{$_}[-1] for sort { $a <=> $b } keys %with_evidence;
    print hosts_line($hosts_times), "\n";

    print page_table($page_ms), "\n";

    print "Disk for 1,000 runs with all their events, and once their delivery ids are gone:\n",
        map({ sprintf "  %2d jobs  %5.1f MB  %5.1f MB\n", $_->[0], map { $_ / 1000 } @{$_}[1, 2] } @sizes), "\n";
    print curve_table(@curves), "\n", matching_table($matched), "\n";

    my ($one, $some, $many) = @{$results}{ 1, 16, 64 };
    my $errors = 0;
    $errors += $_->{errors} for map { @$_ } map { values %$_ } values %$results;
    print "Goals:\n", goals(
        (map {
            my $name = 'service' . $_;
            my $floor = floor_of($name);
            ["16 connections: rate, of the floor$_", ratio($some, $name, $floor, 'rate'),  'least', 0.30, 2, ''],
            ["64 connections: rate, of the floor$_", ratio($many, $name, $floor, 'rate'),  'least', 0.50, 2, ''],
            ["64 connections: CPU, of the floor$_",  ratio($many, $name, $floor, 'cpu_s'), 'most',  2.0,  2, ''],
        } '', AUTO),
        ['64 connections: rate, of batches off',             ratio($many, 'service', 'batches off', 'rate'), 'least', 2.5,  2, ''],
        ['1 connection: rate, of batches off',               ratio($one, 'service', 'batches off', 'rate'),  'least', 0.95, 2, ''],
        ['64 connections: p99, of p50', median(map { $_->{p99_ms} / $_->{p50_ms} } @{ $many->{service} }),   'most',  4,    1, ''],
        ['64 connections: rate with the full store, of the empty one', ratio($many, 'full store', 'service', 'rate'), 'least', 0.9, 2, ''],
        ['errors, all in all',                               $errors,                                        'most',  0,    0, ''],
        ['start to first answer, full store',                median(@full_start) * 1000,                     'most',  200,  0, ' ms'],
        page_goals($page_ms),
        ['memory of a worker in the end',                    $late->{most},                                  'most',  4096, 0, ' kB'],
        ['growth of the median since the first figure',      $late->{median} - $early->{median},             'most',  0,    0, ' kB'],
        # A page: of the stack, which is deeper once for what comes seldom.
        ['growth of the worker that grew most',              $late->{grown},                                 'most',  4,    0, ' kB'],
        ['answer 201 to POST',                               median(@rerun_ms),                              'most',  50,   1, ' ms'],
        # A GET, three calls for the evidence, the log, the POST: six waits for GitHub.
        ['answer 201 to POST with evidence, 300 ms a call, of six calls', median(@{ $with_evidence{300} }) / 1800, 'most', 1.1, 2, ''],
        hosts_goals($hosts_times),
        $burst_goal,
        curve_goals(@curves),
        matching_goals($matched),
    );
    my $per_commit = median(map { $_->{per_commit} } @{ $many->{'batches off'} });
    printf "\nwarning: batches were not off: %.1f events per commit\n", $per_commit if $per_commit > 1.05;
    return;
}

main();

END {
    my $status = $?;
    $load->abandon if $load;
    end_processes(@floor, map { session_of($_) } @floor);
    $_->stop for @nginx;
    $? = $status;
}
