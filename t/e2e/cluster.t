#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Several hosts, on three real etcd: each failed run is rerun once, whoever dies, freezes or is
# cut off meanwhile.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP ();
use JR::Doors;
use JR::Etcd;
use JR::File qw(write_file);
use JR::Process qw(running);
use JR::Test;
use JR::TlsAuthority;

if (!JR::Etcd::binary()) {
    diag('NO ETCD HERE: several hosts are tested by fake-etcd.t only; apt-get install etcd-server');
    plan skip_all => 'etcd-server is not installed';
}

my $github = github();
my $etcd   = JR::Etcd->start(dir => tmpdir() . '/etcd', owner => $$);
my $number = 0;

# Each is a host of its own: its store, its nginx. All times of a cluster are a twentieth.
sub host {
    my (%o) = @_;
    return service(
        github => $github, CLUSTER_ETCD => $etcd->urls, CLUSTER_HOST => 'host-' . ++$number, CLUSTER_TAKEOVER => '60s',
        JR_TEST_SHORTER => 20, WORKERS => 1, %o,
    );
}

# A run whose events all hosts get.
sub run_at { my ($first, @more) = @_; return workflow_run(github => $github, door => JR::Doors->new($first, @more), jobs => ['build']) }

# How the claim on a run's first attempt has ended; "": it has not, or is not there.
sub result_of { my ($run) = @_; return ($etcd->claim($run->id, 1) // {})->{result} // '' }

my @hosts = map { host()->start } 1 .. 3;
wait_ok { 3 == (() = grep { $_->log->count('cluster-up') } @hosts) } 'three hosts are among each other';

subtest 'each run is rerun once' => sub {
    my @runs = map { run_at(@hosts) } 1 .. 8;
    status_is $_->play(build => 'failure'), 201, 'it fails' for @runs;
    wait_ok { @runs == grep { $_->accepted } @runs } 'all are rerun';
    is_deeply [map { scalar $_->accepted } @runs], [(1) x @runs], 'each once';
    ok $_->asked_once(@hosts), 'nobody asked twice' for @runs;
    wait_ok { @runs == grep { result_of($_) eq 'accepted' } @runs } 'as the claims say';
};

# A host that stops at a point, and the two others, whose store knows the run as well. It is the only
# one that is told of the run before it has stopped there.
sub stopped_at {
    my ($point, %o) = @_;
    my $file = tmpdir() . "/at-$point-" . ++$number;
    my $host = host(JR_TEST_STOP_AT => "$point:$file", %o)->start;
    wait_ok { $host->log->count('cluster-up') } "a host that stops at $point";
    my $run = run_at($host);
    status_is $run->play(build => 'failure'), 201, 'a run fails there';
    wait_ok { $host->dispatcher_at($file) } 'it stands there';
    return ($host, $run, $host->dispatcher);
}

# The others are told of it, too.
sub tell_others {
    my ($run, @others) = @_;
    $run->{door} = JR::Doors->new(@others);
    return $run->{door}->send(JR::Doors::last_sent());
}

# The next attempt fails, and that is told.
sub next_fails {
    my ($run, @doors) = @_;
    $run->{door} = JR::Doors->new(@doors);
    return $run->play(build => 'failure');
}

for my $point (qw(claimed permitted after-post before-done)) {
    subtest "a host dies at $point" => sub {
        my ($host, $run, $pid) = stopped_at($point);
        tell_others($run, @hosts);
        $host->expect_death;
        kill 'KILL', $host->master, $pid;
        $host->bury;
        wait_ok { result_of($run) eq 'accepted' } 'others see to it';
        is scalar $run->accepted, 1, 'it is rerun once';
    };
}

subtest 'a host freezes with the right to a POST' => sub {
    my ($host, $run, $pid) = stopped_at('permitted');
    wait_ok { (($etcd->claim($run->id, 1) // {})->{state} // '') eq 'posting' } 'it has that';
    tell_others($run, @hosts);
    wait_ok { scalar $run->accepted } 'another takes it over';
    next_fails($run, @hosts);
    wait_ok { 2 == $run->accepted } 'the next attempt is rerun, too';
    kill 'CONT', $pid;
    wait_ok { $host->log->find('rerun', reason => 'claim-late') || $host->log->text =~ /claim-late/ } 'it wakes up too late';
    is scalar $run->accepted, 2, 'and posts nothing';
    $host->stop_service;
};

subtest 'the judge sees a double: a freeze in the last window' => sub {
    my ($host, $run, $pid) = stopped_at('after-check');
    tell_others($run, @hosts);
    wait_ok { scalar $run->accepted } 'another takes it over';
    my $posts = () = $run->accepted;
    # Attempt 2 ends, and nobody is told of it.
    $run->github->set_job($run->id, 'build', status => 'completed', conclusion => 'failure');
    $run->finish('failure');
    kill 'CONT', $pid;
    wait_ok { $posts < $run->accepted } 'it posts all the same';
    $host->stop_service;
};

subtest 'the judge sees a double: no claims' => sub {
    my $file = tmpdir() . '/at-before-post';
    my ($slow, $other) = map { service(github => $github, WORKERS => 1, JR_TEST_STOP_AT => $_)->start } "before-post:$file", undef;
    my $run = run_at($slow);
    $run->play(build => 'failure');
    wait_ok { $slow->dispatcher_at($file) } 'a host without etcd is about to post';
    tell_others($run, $other);
    wait_ok { $run->accepted } 'another one posts';
    $run->github->set_job($run->id, 'build', status => 'completed', conclusion => 'failure');
    $run->finish('failure');
    kill 'CONT', $slow->dispatcher;
    wait_ok { 2 == $run->posts } 'and so does the first';
    # Unless this machine was so slow that the 5 s were over, which one host keeps to as well.
    ok scalar($run->accepted) == 2 || $slow->log->text =~ /outdated/, 'a second time for the same attempt';
    $_->stop_service for $slow, $other;
};

subtest 'a host that is cut off' => sub {
    my $relay = $etcd->relay;
    my $host  = host(CLUSTER_ETCD => $relay->urls)->start;
    wait_ok { $host->log->count('cluster-up') } 'it is among them';
    $relay->cut;
    my $alone = run_at($host);
    my $known = run_at($host, @hosts);
    status_is $_->play(build => 'failure'), 201, 'it answers webhooks' for $alone, $known;
    wait_ok { $known->accepted } 'others rerun what they know of';
    wait_ok { "@{ $host->http->send({ path => '/healthz', method => 'GET' })->json->{degraded} }" =~ /cluster-unreachable/ } '/healthz tells';
    is scalar $alone->posts, 0, 'it posts nothing';
    $relay->heal;
    wait_ok { $alone->accepted } 'it goes on by itself';
    is scalar $known->accepted, 1, 'what others have rerun it leaves';
    $host->stop_service;
};

subtest 'whose rerun it was' => sub {
    my $relay = $etcd->relay;
    my $slow  = host(CLUSTER_ETCD => $relay->urls, RERUN_DELAY => '1h')->start;
    wait_ok { $slow->log->count('cluster-up') } 'a host that asks GitHub an hour later than the others';
    my $found = sub { my ($run) = @_; return $slow->log->find('decision', run => $run->id, reason => 'rerun-elsewhere') };
    my $person = run_at($slow);
    status_is $person->play(build => 'failure'), 201, 'it alone knows of a run';
    $github->set_run($person->id, attempt => 2, triggering_actor => 'hubot');
    status_is $person->queued('build'), 202, 'which a person reruns';
    my $seen = run_at($slow, @hosts);
    status_is $seen->play(build => 'failure'), 201, 'another run fails';
    wait_ok { $seen->accepted } 'others rerun it';
    status_is $seen->queued('build'), 202, 'that shows itself';
    wait_ok { $found->($seen) } 'it finds whose rerun it was';
    ok !$found->($person), 'a person is no host';
    $relay->cut;
    wait_ok { $slow->log->count('cluster-unreachable') } 'it is cut off';
    my $cut = run_at($slow, @hosts);
    status_is $cut->play(build => 'failure'), 201, 'a third run fails';
    wait_ok { $cut->accepted } 'others rerun it, too';
    status_is $cut->play(build => 'failure'), 201, 'and once more';
    wait_ok { 2 == $cut->accepted } 'by one of them';
    status_is $cut->play(build => 'success'), 200, 'until it succeeds';
    is +(() = tool_of($slow, 'why', $cut->id)->{out} =~ /rerun-by-others/g), 2, 'others have rerun it, as far as it can say';
    $relay->heal;
    wait_ok { 2 == (() = $found->($cut)) } 'it finds whose reruns these were when it can';
    like tool_of($slow, 'why', $cut->id)->{out}, qr/^GitHub has accepted 2 reruns from this service/m, 'both';
    $slow->stop_service;
};

subtest 'what another host has closed is judged anew' => sub {
    my $policy = write_file(tmpdir() . '/leaves.yml', "version: 1\notherwise: leave\n");
    my $leaves = host(CLUSTER_NAME => 'anew', POLICY => $policy)->start;
    my $other  = host(CLUSTER_NAME => 'anew', NO_RETRY_REPOS => 'octo/spared')->start;
    wait_ok { 2 == grep { $_->log->count('cluster-up') } $leaves, $other } 'two hosts of a name, with other settings';
    my $closed = sub { my ($run) = @_; return (($etcd->claim($run->id, 1, name => 'anew') // {})->{result} // '') eq 'closed' };
    my $late = run_at($leaves);
    status_is $late->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $closed->($late) } 'one host leaves it';
    tell_others($late, $other);
    wait_ok { $other->log->find('decision', run => $late->id, reason => 'decided-elsewhere') } 'the other closes it, too';
    my $spared = workflow_run(github => $github, door => JR::Doors->new($other, $leaves), jobs => ['build'], repo => 'octo/spared');
    status_is $spared->play(build => 'failure'), 204, 'one that a setting of the other leaves alone';
    wait_ok { $closed->($spared) } 'the first leaves it as well';
    $spared->{door} = JR::Doors->new($other);
    my $last = [JR::Doors::last_sent()];
    my $mark = $other->log->mark;
    $other->restart(NO_RETRY_REPOS => undef);
    wait_ok { $other->log->count('cluster-up', since => $mark) } 'the setting is repaired, and the host starts anew';
    status_is $spared->{door}->send(@$last), 201, 'it is delivered again';
    wait_ok { $spared->accepted } 'and rerun';
    status_is $late->finish('failure', event => 1), 201, 'the end of the first run is told late';
    wait_ok { $late->accepted } 'that is judged anew, too';
    is_deeply [map { scalar $_->accepted } $late, $spared], [1, 1], 'each is rerun once';
    $_->stop_service for $leaves, $other;
};

# The tool of a host.
sub tool_of {
    my ($host, @args) = @_;
    return tool([@args], %{ $host->environment });
}

subtest 'what people see' => sub {
    my $run = run_at(@hosts);
    $run->play(build => 'failure');
    wait_ok { result_of($run) eq 'accepted' } 'a run is rerun';
    my $by;
    wait_ok { $by = ($etcd->claim($run->id, 1) // {})->{name} } 'by one of them';
    my ($status, $json);
    # A host that has stopped may be among them until its lease is over; one that is too busy to renew its own is not.
    wait_ok { ($status = tool_of($hosts[0], 'status'))->{out} =~ /^cluster +this host, host-1, is up; 3 live: .*\bhost-2\b/m } 'status tells of the hosts';
    is $status->{status}, 0, 'it is well';
    wait_ok { $json = JSON::PP::decode_json(tool_of($hosts[0], 'status', '--json')->{out})->{cluster}; @{ $json->{hosts} // [] } == 3 } 'there are three';
    is_deeply [sort @{ $json->{hosts} }], [map {"host-$_"} 1 .. 3], 'so does --json';
    like $json->{host_id}, qr/^[0-9a-f]{32}$/, 'with the id';
    like tool_of($_, 'why', $run->id)->{out}, qr/^Attempt 1: \Q$by\E has asked for its rerun, and GitHub accepted it/m, 'why names who posted' for @hosts;
    # A try has a second, which may be too short on a machine that is busy with other tests.
    my $checks = sub { my ($good) = @_; return tool_of($hosts[0], 'check', '--online')->{out} =~ $good };
    wait_ok { $checks->(qr/^etcd rights +keys below \/jr\/job-rerunner\/ can be written/m) } 'check --online tries etcd';
    wait_ok { $checks->(qr/(?:^etcd node +http\S+: version 3.*\n){3}/m) } 'each node of it';
    wait_ok { $checks->(qr/^hosts +.*host-1/m) } 'and tells the hosts';
};

subtest 'all hosts are paused' => sub {
    # It is told to the others in three tries of a second each.
    wait_ok { tool_of($hosts[0], 'pause')->{status} == 0 } 'by one of them';
    my $run = run_at(@hosts);
    status_is $run->play(build => 'failure'), 201, 'webhooks are answered';
    wait_ok { 2 == grep { $_->log->count('cluster-paused') } @hosts[1, 2] } 'the others know';
    my $health = $hosts[1]->http->send({ path => '/healthz', method => 'GET' })->json;
    ok scalar(grep { $_ eq 'cluster-paused' } @{ $health->{degraded} }), '/healthz tells';
    is scalar $run->posts, 0, 'nobody posts';
    wait_ok { tool_of($hosts[2], 'resume')->{status} == 0 } 'resumed by another one';
    wait_ok { $run->accepted } 'it goes on';
    wait_ok { tool_of($hosts[0], 'status')->{out} !~ /^paused/m } 'the first one, too';
    is scalar $run->accepted, 1, 'once';
};

subtest 'limits are for all hosts together' => sub {
    my $policy = write_file(tmpdir() . '/limits.yml', "version: 1\notherwise: rerun\nsame-failure: rerun\nlimits: { reruns-per-hour: 3 }\n");
    # No hour ends while this runs.
    my $ahead = 3_600_000 - time * 1000 % 3_600_000 + 1_200_000;
    # Whole times: with a twentieth, etcd's answer to a busy host comes too late for the POST that it has counted.
    my @limited = map { host(CLUSTER_NAME => 'limited', JR_TEST_SHORTER => 1, POLICY => $policy, JR_TEST_AHEAD => $ahead, CATCH_UP => '20d')->start } 1 .. 2;
    wait_ok { 2 == grep { $_->log->count('cluster-up') } @limited } 'two hosts of another name';
    # Each knows runs that the other does not.
    my @runs = map { run_at($limited[$_ % 2]) } 1 .. 6;
    $_->play(build => 'failure') for @runs;
    wait_ok { 6 == grep { my $run = $_; (grep { $_->accepted } $run) || grep { $_->log->text =~ /@{[ $run->id ]}.*budget-used-up/ } @limited } @runs }
        'all are rerun or wait for budget';
    is scalar(grep { $_->accepted } @runs), 3, 'three are rerun, whoever did it';
    my %spent;
    wait_ok { %spent = $etcd->keys_below('/jr/limited/ctl/budget/all/hour') } 'etcd has told what is spent';
    is_deeply [values %spent], [3], 'as etcd has it';
    $_->stop_service for @limited;
};

subtest 'what one host holds all do, until one lifts it' => sub {
    my $policy = write_file(tmpdir() . '/outage.yml',
        "version: 1\notherwise: leave\nrules:\n  - { rerun: [infrastructure], delay: 0s }\noutage: { runs: 2, within: 1h, hold: 4h }\n");
    # A minute lasts two seconds.
    my ($one, $other) = map { host(CLUSTER_NAME => 'outage', POLICY => $policy, JR_TEST_MINUTE => 2000)->start } 1 .. 2;
    wait_ok { 2 == grep { $_->log->count('cluster-up') } $one, $other } 'two hosts of a third name';
    my $fails_at = sub {
        my ($host, $workflow) = @_;
        my $run = workflow_run(github => $github, door => $host->http, jobs => ['build'], name => $workflow);
        $run->queued('build');
        $run->describe('build', steps => [['Set up job'], ['Run make', 'failure'], ['Complete job']], runner_id => ++$number, runner_name => "machine $number",
            log => ['##[group]Run make', '##[endgroup]',
                ' ERR_PNPM_FETCH_502  GET https://registry.example.org/typescript/-/typescript-5.9.2.tgz: Bad Gateway - 502', '##[error]Process completed with exit code 1.']);
        my $hold = $github->hold;
        $run->ends('failure', 'build', 'failure');
        $run->finish('failure', event => 1);
        return $run;
    };
    my $early = $fails_at->($one, 'CI');
    wait_ok { $early->accepted } 'a run that fails alone is rerun';
    my $held = $fails_at->($one, 'Nightly');
    wait_ok { my %keys = $etcd->keys_below('/jr/outage/ctl/outage/'); "@{[keys %keys]}" =~ m{/registry$} } 'one host holds reruns, and tells it';
    my $here = $fails_at->($other, 'CI');
    wait_ok { $other->log->wait_entry('decision', run => $here->id, reason => 'outage-hold') } 'so does the other one';
    is scalar(() = map { $_->posts } $held, $here), 0, 'nothing is posted';
    is tool_of($other, 'resume', '--outage')->{status}, 0, 'that one lifts it';
    wait_ok { $_->accepted } 'a run goes on' for $held, $here;
    $_->stop_service for $one, $other;
};

subtest 'etcd fails' => sub {
    $etcd->kill_member($etcd->leader);
    my $run = run_at(@hosts);
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'without its leader it goes on';
    my ($left) = grep { running($etcd->{pids}[$_]) } 0 .. 2;
    $etcd->signal(STOP => $left);
    my $late = run_at(@hosts);
    status_is $late->play(build => 'failure'), 201, 'webhooks are answered without it';
    wait_ok { 3 == grep { $_->log->count('cluster-unreachable') } @hosts } 'all hosts know';
    is scalar $late->posts, 0, 'nobody posts';
    my $pause = tool_of($hosts[0], 'pause');
    is $pause->{status}, 1, 'a pause is told to nobody else';
    like $pause->{err}, qr/holds for this one only/, 'which is said';
    is tool_of($hosts[0], 'resume')->{status}, 1, 'nor is its end';
    $etcd->signal(CONT => $left);
    wait_ok { $late->accepted } 'all is taken up again';
    is_deeply [map { scalar $_->accepted } $run, $late], [1, 1], 'each once';
};

subtest 'TLS, certificates and users' => sub {
    my $tls = JR::TlsAuthority->new(tmpdir() . '/etcd-tls');
    my ($server, $client) = map { $tls->issue('IP:127.0.0.1') } 1 .. 2;
    my $one = JR::Etcd->start(dir => tmpdir() . '/etcd-one', owner => $$, members => 1, tls => { ca => $tls->ca_file, %$server });
    my @secure = (
        CLUSTER_ETCD => $one->urls, CLUSTER_CA_FILE => $tls->ca_file, CLUSTER_CERT_FILE => $client->{chain}, CLUSTER_KEY_FILE => $client->{key},
    );
    my $host = host(@secure)->start;
    wait_ok { $host->log->count('cluster-up') } 'by a certificate';
    my $run = run_at($host);
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'a run is rerun';
    wait_ok { tool_of($host, 'status')->{out} =~ /^cluster .*1 lives/m } 'the tool has the key, too';
    $host->stop_service;
    my $stranger = host(@secure, CLUSTER_CERT_FILE => undef, CLUSTER_KEY_FILE => undef)->start;
    wait_ok { $stranger->log->count('cluster-unreachable') } 'nobody without one';
    $stranger->stop_service;
    $one->stop;
};

subtest 'a user of etcd' => sub {
    my $one = JR::Etcd->start(dir => tmpdir() . '/etcd-users', owner => $$, members => 1);
    $one->enable_users(hosts => 'password-for-tests');
    my $host = host(CLUSTER_ETCD => $one->urls, CLUSTER_USER => 'hosts', CLUSTER_PASSWORD => 'password-for-tests')->start;
    wait_ok { $host->log->count('cluster-up') } 'the host has its password';
    my $run = run_at($host);
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'a run is rerun';
    unlike $host->log->text, qr/password-for-tests/, 'which no log shows';
    wait_ok { tool_of($host, 'check', '--online')->{out} =~ /^etcd node +http\S+: version 3/m } 'check --online knows the version';
    # Each start of etcd forgets its tokens.
    $one->kill_member(0);
    my $next = run_at($host);
    $next->play(build => 'failure');
    $one->start_member(0);
    wait_ok { $next->accepted } 'and makes a new token when etcd has forgotten the last';
    $host->stop_service;
    my $wrong = host(CLUSTER_ETCD => $one->urls, CLUSTER_USER => 'hosts', CLUSTER_PASSWORD => 'another-one')->start;
    wait_ok { $wrong->log->count('cluster-unreachable') } 'a wrong one is told';
    $wrong->stop_service;
    $one->stop;
};

$_->stop_service for @hosts;
$etcd->stop;
finish();
