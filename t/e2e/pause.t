#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Pauses of some repositories: what is paused waits, all else goes on; they end by
# themselves or by hand, survive a restart, and everybody can see them. And who did
# what by hand, by the real user.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use POSIX ();
use Test::More;
use JR::File qw(read_file_or_empty);
use JR::Html;
use JR::Process qw(spawn reap);
use JR::Test;

use constant { EX_FAILED => 1, EX_USAGE => 2 };

my $JSON = JSON::PP->new->utf8;

my $github  = github();
my $service = service(github => $github, pages => 'status metrics')->start;

# A sub-command, whoever SUDO_USER says gives it.
sub at {
    my (@args) = @_;
    return tool(\@args, %{ $service->environment }, SUDO_USER => 'mallory');
}

sub json_of {
    my (@args) = @_;
    my $result = at(@args, '--json');
    my $value = eval { $JSON->decode($result->{out}) };
    ok defined $value, "@args --json: JSON" or diag $result->{out}, $result->{err};
    return $value;
}

sub fails_with {
    my ($result, $status, $like, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $result->{status}, $status, "$name: exit $status" or diag $result->{out}, $result->{err};
    return like $result->{err}, $like, "$name: says why";
}

sub run_of {
    my ($repo) = @_;
    return workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => $repo);
}

sub failed_run {
    my ($repo) = @_;
    my $run = run_of($repo);
    status_is $run->play(build => 'failure'), 201, "a run of $repo fails";
    return $run;
}

sub get { return $service->http->send({ method => 'GET', path => $_[0], headers => [] })->body }
sub page { return JR::Html->new(get($_[0]))->text }

sub gauge {
    my ($name) = @_;
    my ($value) = get('/metrics') =~ /^job_rerunner_\Q$name\E (\S+)$/m;
    return $value;
}

# Whom the kernel knows: of root, who logged in.
my $uid = $<;
if ($uid == 0) {
    my $login = read_file_or_empty('/proc/self/loginuid') =~ s/\s//gr;
    $uid = $login if $login ne '' && $login != 0xffffffff;
}
my $me = getpwuid $uid;

subtest 'one repository waits, others go on' => sub {
    my $paused = json_of('pause', '--repo', 'octo/app', '--reason', 'the runners move');
    ok !$paused->{paused}, 'not everything';
    my ($pause) = @{ $paused->{pauses} };
    is $pause->{repositories}, 'octo/app', 'which';
    is $pause->{by}, $me, 'by the real user, not by SUDO_USER';
    is $pause->{text}, 'the runners move', 'why';
    like $pause->{since}, qr/^\d{4}-/, 'since when';
    is $pause->{until}, undef, 'until it is resumed';
    ok $service->log->wait_entry('paused', repos => 'octo/app', by => $me, text => 'the runners move'), 'the log tells';

    # They stand at the head of the outbox.
    my @held = map { failed_run('octo/app') } 1 .. 3;
    my $free = failed_run('octo/lib');
    wait_ok { $free->accepted } 'one of another repository is rerun';
    ok $service->log->wait_entry('rerun', run => $free->id), 'and has left the outbox';
    is scalar(map { $_->gets } @held), 0, 'about those that are paused nobody asks';

    my $outbox = json_of('outbox');
    is_deeply [sort map { $_->{run_id} } @$outbox], [sort map { $_->id } @held], 'they wait';
    is $outbox->[0]{pause}{repositories}, 'octo/app', 'for what';
    like at('outbox')->{out}, qr/^\S+Z .* paused$/m, 'in words';
    my $runs = json_of('runs', '--reason', 'paused');
    is_deeply [sort map { $_->{run_id} } @$runs], [sort map { $_->id } @held], 'runs picks by that reason';
    is $runs->[0]{reason}, 'paused', 'and shows it';
    like at('why', $held[0]->id)->{out}, qr/^It waits for the end of a pause \(paused\): octo\/app, by \Q$me\E, since \S+: the runners move\.$/m,
        'why tells';
    is json_of('why', $held[0]->id)->{run}{pause}{by}, $me, 'also in JSON';
    is json_of('why', $free->id)->{run}{pause}, undef, 'not of another';
    my $status = json_of('status');
    ok $status->{healthy}, 'the service is healthy';
    is $status->{dispatcher}{pauses}[0]{repositories}, 'octo/app', 'status has it';
    is $status->{dispatcher}{paused_since}, undef, 'which is not all';
    is_deeply $status->{degraded}, ['repos-paused'], 'as degraded';
    is_deeply [@{ $status->{outbox} }{qw(waiting paused first_due_at)}], [3, 3, undef], 'and how many wait for its end';
    like at('status')->{out}, qr/^paused +octo\/app, by \Q$me\E, /m, 'in words';
    like page('/status'), qr/octo\/app, by \Q$me\E, since/, 'the page has it';
    like page('/runs/' . $held[0]->id), qr/It waits for the end of a pause.*octo\/app, by \Q$me\E/s, "the run's page, too";
    is gauge('repository_pauses'), 1, 'the metrics count it';
    is gauge('paused'), 0, 'not as a pause of everything';
    is gauge('outbox_overdue_seconds') + 0, 0, 'nothing is late';

    my $hand = at('rerun', $held[0]->id);
    is $hand->{status}, 0, 'a rerun by hand is taken';
    like $hand->{err}, qr/paused is octo\/app.*when that ends/, 'and waits like the others';

    $service->restart;
    my $later = failed_run('octo/lib');
    wait_ok { $later->accepted } 'after a restart others are rerun';
    is $service->log->count('paused', repos => 'octo/app'), 2, 'the log tells of the pause at the start';
    is scalar(map { $_->gets } @held), 0, 'and it holds';

    my $resumed = json_of('resume', '--repo', 'OCTO/*');
    is scalar @{ $resumed->{ended} }, 1, 'resumed by a pattern';
    is scalar @{ $resumed->{pauses} }, 0, 'nothing is left';
    for my $run (@held) {
        wait_ok { $run->accepted } 'then each is rerun';
    }
    ok $service->log->wait_entry('resumed', repos => 'octo/app', by => $me), 'the log tells that, too';
    ok $service->log->wait_entry('rerun-asked', run => $held[0]->id, by => $me), 'and of the rerun by hand';
    my ($told) = grep { $_->{reason} eq 'paused' } @{ json_of('why', $held[1]->id)->{history} };
    is $told->{kind}, 'request', 'the history has it';
    is $told->{reason_text}, 'it waited for the end of a pause', 'as what is over';
    like $told->{detail}, qr/^ended by \Q$me\E: the pause of octo\/app, by \Q$me\E, since \S+: the runners move$/, 'with both names';
    wait_ok { !@{ json_of('status')->{degraded} } } 'and all is well';
};

subtest 'a pause ends by itself' => sub {
    my $pause = json_of('pause', '--repo', 'octo/app,other/*', '--for', '1h')->{pauses};
    is scalar @$pause, 2, 'one for each pattern';
    my $run = failed_run('other/app');
    like at('why', $run->id)->{out}, qr/other\/\*, by \Q$me\E, since \S+, until \S+\.$/m, 'until when';
    is scalar $run->gets, 0, 'it waits';
    is scalar @{ json_of('pause', '--repo', 'octo/app,other/*', '--for', '1s')->{pauses} }, 2, 'the last word counts';
    wait_ok { $run->accepted } 'then it is rerun';
    ok $service->log->wait_entry('resumed', repos => 'other/*', text => 'its time is over'), 'the log tells';
    is_deeply json_of('status')->{dispatcher}{pauses}, [], 'nothing is paused';
    my ($told) = grep { $_->{reason} eq 'paused' } @{ json_of('why', $run->id)->{history} };
    like $told->{detail}, qr/^ended by its time: the pause of other\/\*/, 'the history, too';
    is $told->{kind}, 'decision', 'which nobody did by hand';
    like at('why', $run->id)->{out}, qr/decision +it waited for the end of a pause \(paused\); ended by its time/, 'why, too';
    like page('/runs/' . $run->id), qr/It waited for the end of a pause/, "and the run's page";
};

# Between GitHub's answer and the POST: whoever has paused can rely on it.
subtest 'a pause while GitHub is asked' => sub {
    my $file = tmpdir() . '/asked';
    my $other = service(github => $github, JR_TEST_STOP_AT => "after-get:$file")->start;
    my $run = workflow_run(github => $github, door => $other->http, jobs => ['build'], repo => 'octo/app');
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    my $stopped = wait_for { $other->dispatcher_at($file) };
    ok $stopped, 'GitHub has been asked';
    is tool(['pause', '--repo', 'octo/app'], %{ $other->environment })->{status}, 0, 'paused by then';
    kill 'CONT', $stopped;
    my $free = workflow_run(github => $github, door => $other->http, jobs => ['build'], repo => 'octo/lib');
    status_is $free->play(build => 'failure'), 201, 'one of another repository fails';
    wait_ok { $free->accepted } 'and is rerun';
    is scalar $run->posts, 0, 'no POST is made of the first';
    is tool(['resume', '--repo', 'octo/app'], %{ $other->environment })->{status}, 0, 'resumed';
    wait_ok { $run->accepted } 'then it is';
    $other->stop_service;
};

sub lists { my ($repo) = @_; return scalar $github->requests('GET', "^/repos/$repo/actions/runs\$") }

# Two more looks have begun.
sub looked_again {
    my ($repo) = @_;
    my $before = lists($repo);
    return wait_ok { lists($repo) >= $before + 6 } "$repo is looked at";
}

subtest 'nobody looks for missed runs of it' => sub {
    my $looking = service(github => $github, RECONCILE_INTERVAL => '100ms')->start;
    my %env = %{ $looking->environment };
    my %quiet = map { $_ => workflow_run(github => $github, door => $looking->http, jobs => ['build'], repo => $_,
        created_at => time - 3600) } qw(quiet/app quiet/lib);
    $_->queued('build') for values %quiet;
    looked_again($_) for sort keys %quiet;
    is tool(['pause', '--repo', 'quiet/app'], %env)->{status}, 0, 'a pause';
    ok $looking->log->wait_entry('paused', repos => 'quiet/app'), 'that is noticed';
    looked_again('quiet/lib');    # what was under way has ended
    my $lists = lists('quiet/app');
    my $gets = $quiet{'quiet/app'}->gets;
    for my $run (values %quiet) {
        $github->set_job($run->id, 'build', status => 'completed', conclusion => 'failure');
        $github->set_run($run->id, status => 'completed', conclusion => 'failure');
    }
    wait_ok { $quiet{'quiet/lib'}->accepted } 'what nobody told of is found in the other';
    looked_again('quiet/lib');
    is lists('quiet/app'), $lists, 'the paused one is not looked at';
    is scalar $quiet{'quiet/app'}->gets, $gets, 'nor is its run asked about';
    is tool(['resume', '--repo', 'quiet/app'], %env)->{status}, 0, 'resumed';
    wait_ok { $quiet{'quiet/app'}->accepted } 'then it is found';
    $looking->stop_service;
};

subtest 'everything and some' => sub {
    is at('pause', '--repo', 'octo/*')->{status}, 0, 'a pause of some';
    is at('pause', '--for', '1h', '--reason', 'maintenance')->{status}, 0, 'and of everything';
    is_deeply [sort @{ json_of('status')->{degraded} }], [qw(paused repos-paused)], 'both are shown'
        if wait_ok { @{ json_of('status')->{degraded} } == 2 } 'both are noticed';
    my $left = at('resume');
    is $left->{status}, 0, 'resume ends that of everything';
    like $left->{out}, qr/^resumed: everything, by \Q$me\E, .*: maintenance$/m, 'and says which';
    like $left->{out}, qr/^still paused: octo\/\*, /m, 'and what is left';
    like at('resume')->{out}, qr/^everything was not paused\nstill paused: octo\/\*/, 'also when there is none';
    my $held = at('resume', '--repo', 'octo/app');
    is $held->{status}, EX_FAILED, 'one of them cannot be let go: exit 1';
    like $held->{out}, qr/^still paused: octo\/\*/m, 'because of';
    is at('resume', '--repo', '*')->{status}, 0, 'all of them can';
    is_deeply json_of('status')->{dispatcher}{pauses}, [], 'nothing is paused';
};

subtest 'what cannot be meant' => sub {
    fails_with(at('pause', '--repo', 'octo'), EX_USAGE, qr{--repo: 'octo' matches no repository; .*'octo/\*'}, 'an owner');
    fails_with(at('pause', '--repo', 'https://github.com/octo/app'), EX_USAGE, qr{OWNER/NAME}, 'an address');
    fails_with(at('resume', '--repo', 'octo'), EX_USAGE, qr{OWNER/NAME}, 'resume, too');
    fails_with(at('pause', '--for', $_), EX_USAGE, qr/--for: .*1s to 366d/, "--for $_") for qw(soon 0 500ms 400d);
    fails_with(at('pause', '--reason', 'x' x 300), EX_USAGE, qr/longer than 255/, 'a long reason');
    fails_with(at('pause', '--reason', "a\nb"), EX_USAGE, qr/control character/, 'two lines');
    fails_with(at('pause', '--reason', "\xff"), EX_USAGE, qr/UTF-8/, 'no UTF-8');
    fails_with(at('pause', '--reason', "a\xe2\x80\xaeb"), EX_USAGE, qr/not shown/, 'what turns the direction of writing');
    is_deeply json_of('status')->{dispatcher}{pauses}, [], 'nothing is paused';
    at('pause', '--repo', join ',', map {"octo/$_"} 1 .. 32);
    fails_with(at('pause', '--repo', 'octo/33'), EX_FAILED, qr/32 pauses already/, 'too many');
    is scalar @{ json_of('resume', '--repo', '*')->{ended} }, 32, 'all of them end at once';
};

# The answer typed at a terminal; undef: none is there.
sub forget_at_terminal {
    my ($answer, @args) = @_;
    my $out = tmpdir() . '/typescript';
    my $command = join ' ', binary(), 'forget', @args;
    my $pid = spawn(argv => ['/bin/sh', '-c', "echo $answer | script -qefc '$command' /dev/null"],
        env => { %{ $service->environment }, TERM => 'dumb' }, out => $out);
    return (reap($pid) >> 8, read_file_or_empty($out));
}

subtest 'forget' => sub {
    my ($one, $other) = map { failed_run('octo/app') } 1 .. 2;
    wait_ok { $_->accepted } 'rerun' for $one, $other;
    wait_ok { json_of('why', $_->id)->{run}{reruns} } 'recorded' for $one, $other;
    fails_with(at('forget', $one->id), EX_USAGE, qr/no terminal; with --yes/, 'without a terminal');
    is at('why', $one->id)->{status}, 0, 'it is still there';
    is at('forget', '--yes', $one->id)->{status}, 0, '--yes';
    ok $service->log->wait_entry('forgotten', run => $one->id, by => $me), 'the log tells who';
    fails_with(at('why', $one->id), EX_FAILED, qr{run \d+ of octo/app: it was forgotten by \Q$me\E at \d{4}-}, 'so does why');

    my ($script) = grep { -x } '/usr/bin/script';
    plan skip_all => 'no script(1)' if !$script;
    my ($status, $text) = forget_at_terminal('n', $other->id);
    plan skip_all => 'no pseudo-terminals here' if $text !~ /Forget run/;
    is $status, EX_FAILED, 'no: exit 1';
    like $text, qr{Forget run @{[ $other->id ]} of octo/app.*\[y/N\]}, 'it asks';
    like $text, qr/nothing is forgotten/, 'and says so';
    is at('why', $other->id)->{status}, 0, 'nothing is';
    is +(forget_at_terminal('y', $other->id))[0], 0, 'yes';
    is at('why', $other->id)->{status}, EX_FAILED, 'then it is gone';
};

finish();
