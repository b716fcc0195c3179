#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The HTTP contract, row by row in its order, through both doors: nginx with
# FastCGI, and plain CGI. The service runs all the time and holds the
# dispatcher's lock, so that a CGI request leaves nothing to work off.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Test;

my $OLD_KEY = 'the-key-that-is-being-rotated-out-9';

my $service = service(
    GITHUB_TOKEN         => undef,
    DRY_RUN              => 'yes',
    GITHUB_SIGN_KEY_OLD  => $OLD_KEY,
    RERUN_DELAY          => '1h',
    BODY_MAX             => '100k',
    NO_RETRY_LIST        => 'Dependabot[bot],release-*',
    REPO_BRANCHES        => 'main,release/*',
    REPOS                => 'octo/*,other/app',
    NO_RETRY_REPOS       => 'octo/deploy',
    NO_RETRY_WORKFLOWS   => 'Deploy*',
)->start;

wait_ok { $service->dispatcher } 'it has a dispatcher';

my @DOORS = ($service->http, $service->cgi);

# Run the checks once for each door, as a subtest of its own.
sub both_doors {
    my ($name, $checks) = @_;
    for my $door (@DOORS) {
        subtest "$name, by " . $door->name => sub { $checks->($door) };
    }
    return;
}

sub post { my ($door, $data, %o) = @_; return $door->send(delivery($data, %o)) }

sub get {
    my ($door, $path, $method) = @_;
    return $door->send({ method => $method // 'GET', path => $path, headers => [] });
}

# An answer with a body says what it means; a 204 says it in a header only.
sub answer_is {
    my ($answer, $status, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    status_is($answer, $status, $name) or return;
    like $answer->header('X-Rerun-Reason'), qr/^[a-z0-9-]+(?:;|$)/, "$name: reason token";
    if ($answer->status == 204) {
        is $answer->body, '', "$name: no body";
        return;
    }
    my $json = $answer->json;
    is ref $json, 'HASH', "$name: JSON body" or return;
    ok length($json->{result} // ''), "$name: result";
    is $json->{reason}, $answer->reason, "$name: reason";
    return;
}

# A job event in one line.
sub job {
    my ($run, $id, $status, $conclusion, %o) = @_;
    return job_event(run_id => $run, id => $id, action => $status, conclusion => $conclusion, %o);
}

sub queued { return job(next_id(), next_id(), 'queued', undef, @_) }

# A workflow_run event of a new run.
sub ended {
    my ($conclusion, %o) = @_;
    return run_event(run_id => next_id(), action => 'completed', conclusion => $conclusion, %o);
}

both_doors 'methods and paths' => sub {
    my ($door) = @_;
    my $hello = get($door, '/');
    is $hello->status, 200, 'GET / greets';
    is get($door, '/?from=probe')->status, 200, 'whatever the query';
    like $hello->header('Content-Type'), qr{^text/html\b}, 'in HTML';
    like $hello->body, qr/Hello, I'm a job Re-Runner!/, 'with the known words';
    my $head = get($door, '/', 'HEAD');
    is $head->status, 200, 'HEAD / as GET';
    is $head->body, '', 'without a body';
    my $health = get($door, '/healthz');
    is $health->status, 200, 'GET /healthz';
    is ref $health->json, 'HASH', 'in JSON';
    is get($door, '/healthz', 'HEAD')->status, 200, 'HEAD /healthz';
    is get($door, $_)->status, 404, "GET $_" for qw(/nothing /healthz/x /index.html);
    is get($door, '/nothing', 'HEAD')->status, 404, 'HEAD of another path';
    for my $method (qw(PUT DELETE PATCH OPTIONS)) {
        my $refused = post($door, queued(), method => $method);
        is $refused->status, 405, "$method is refused";
        like $refused->header('Allow') // '', qr/\bPOST\b/, "$method: Allow";
    }
    answer_is post($door, queued(), path => '/any/path?x=1'), 202, 'POST anywhere';
};

both_doors 'length and size' => sub {
    my ($door) = @_;
    my $fits = queued();
    $fits->{repository}{description} = 'x' x 90_000;
    answer_is post($door, $fits), 202, 'below BODY_MAX';
    $fits = queued();
    $fits->{repository}{description} = '';
    $fits->{repository}{description} = 'x' x (100 * 1024 - length json_text($fits));
    answer_is post($door, $fits), 202, 'exactly BODY_MAX';
    $fits->{repository}{description} .= 'x';
    answer_is post($door, $fits), 413, 'one byte more';
    my $large = 'x' x 110_000;
    answer_is post($door, $large), 413, 'over BODY_MAX';
    answer_is post($door, $large, type => 'text/plain', signature => undef), 413,
        'size is seen before type and signature';
    my $none = delivery('', type => 'text/plain', signature => undef);
    answer_is $door->send({ %$none, no_length => 1 }), 411, 'no length';
};

both_doors 'content type' => sub {
    my ($door) = @_;
    answer_is post($door, queued(), type => $_), 202, "type $_"
        for 'application/json', 'Application/JSON', 'application/json; charset=utf-8',
        'application/json;charset=UTF-8';
    answer_is post($door, queued(), form => 1), 202, 'a form';
    answer_is post($door, queued(), form => 1, type => 'Application/X-WWW-Form-UrlEncoded; charset=utf-8'),
        202, 'a form in capitals';
    my $form = JR::Payload::form_encoded(json_text(queued(name => 'a b + c & d = e % f')));
    my %spelled = (
        'blanks as plus'        => $form =~ s/%20/+/gr,
        'in small digits'       => $form =~ s/(%[0-9A-F]{2})/lc $1/ger,
        'among other variables' => "a=1&$form&b=2",
    );
    answer_is post($door, $spelled{$_}, type => 'application/x-www-form-urlencoded'), 202, "a form $_"
        for sort keys %spelled;
    answer_is post($door, queued(), type => $_), 415, 'type ' . ($_ // 'missing')
        for 'text/plain', 'application/jsonp', 'multipart/form-data; boundary=x', 'application/json/x', undef;
    answer_is post($door, queued(), type => 'text/plain', signature => undef), 415,
        'type is seen before the signature';
};

both_doors 'signature' => sub {
    my ($door) = @_;
    my $queued = queued();
    my $good = JR::Payload::sign(json_text($queued));
    my %bad = (
        missing              => undef,
        empty                => '',
        'of another key'     => JR::Payload::sign(json_text($queued), 'another-key-another-key-another-key'),
        'of another body'    => JR::Payload::sign('{}'),
        'without its prefix' => substr($good, 7),
        'in SHA-1'           => 'sha1=' . 'a' x 40,
        'cut short'          => substr($good, 0, -1),
        'too long'           => $good . '0',
        'with other digits'  => substr($good, 0, -1) . 'g',
        'followed by more'   => "$good,$good",
    );
    answer_is post($door, $queued, signature => $bad{$_}), 403, "signature $_" for sort keys %bad;
    answer_is post($door, 'not json', signature => undef), 403, 'signature is seen before the body';
    answer_is post($door, '', event => 'ping', signature => undef), 403, 'and before the event';
    answer_is post($door, $queued), 202, 'the same body, signed';
    answer_is post($door, queued(), key => $OLD_KEY), 202, 'the old key';
    answer_is post($door, queued(), form => 1, key => $OLD_KEY), 202, 'the old key over a form';
};

# Only a web server hands on a header twice.
for my $door ($service->http, $service->fastcgi) {
    subtest 'doubled signature, by ' . $door->name => sub {
        my $queued = queued();
        my $good = JR::Payload::sign(json_text($queued));
        my $bad  = JR::Payload::sign('other');
        answer_is post($door, $queued, signature => [$good, $good]), 403, 'twice the same';
        answer_is post($door, $queued, signature => [$good, $bad]), 403, 'good, then bad';
        answer_is post($door, $queued, signature => [$bad, $good]), 403, 'bad, then good';
    };
}

subtest 'other headers doubled, by nginx' => sub {
    for my $name (qw(X-GitHub-Event X-GitHub-Delivery)) {
        my $request = delivery(queued());
        push @{ $request->{headers} }, [$name, 'another'];
        status_is $service->http->send($request), '400|403', $name;
        for (['ping', { zen => 'x' }], ['workflow_job', ''], ['workflow_job', 'null']) {
            my ($event, $body) = @$_;
            $request = delivery($body, event => $event);
            push @{ $request->{headers} }, [$name, 'another'];
            answer_is $service->http->send($request), 204, "$name, and there is nothing in a $event";
        }
    }
};

subtest 'chunked, by nginx' => sub {
    answer_is $service->http->send({ %{ delivery(queued()) }, chunked => 1 }), 202, 'nginx finds the length';
};

both_doors 'no action' => sub {
    my ($door) = @_;
    answer_is post($door, { zen => 'Keep it logically awesome.', hook_id => 1 }, event => 'ping'), 204, 'ping';
    answer_is post($door, { action => 'opened' }, event => $_), 204, "event $_"
        for qw(push check_run workflow_jobs);
    answer_is post($door, 'not json', event => 'ping'), 204, 'the event is seen before the body';
    answer_is post($door, '', event => $_), 204, "empty body of $_" for qw(ping workflow_job workflow_run);
    my $null = queued();
    $null->{workflow_job} = undef;
    answer_is post($door, $null), 204, 'workflow_job: null';
    delete $null->{workflow_job};
    answer_is post($door, $null), 204, 'no workflow_job';
    answer_is post($door, 'null'), 204, 'null';
    answer_is post($door, $null, event => 'workflow_run'), 204, 'no workflow_run';
};

both_doors 'not JSON' => sub {
    my ($door) = @_;
    my $text = json_text(queued());
    my %raw = (
        'not JSON'          => 'not json',
        'cut short'         => substr($text, 0, -1),
        'trailing text'     => $text . 'x',
        'two documents'     => $text . $text,
        'an array'          => '[]',
        'a string'          => '"workflow_job"',
        'bad UTF-8'         => $text =~ s/octocat/octo\xff\xfecat/r,
        'a comment'         => "/* */$text",
        'single quotes'     => "{'workflow_job': 1}",
        'nested deeply'     => $text =~ s/"topics":\[\]/'"topics":' . '[' x 5000 . ']' x 5000/er,
        'a NUL in a name'   => $text =~ s/"action":/"action\\u0000":/r,
        'a byte order mark' => "\xef\xbb\xbf$text",
    );
    for my $number (qw(9223372036854775808 18446744073709551616 1e3 1.0 true "7" [7] -0)) {
        $raw{"run id $number"} = $text =~ s/"run_id":\d+/"run_id":$number/r;
    }
    answer_is post($door, $raw{$_}), 400, $_ for sort keys %raw;

    my $encoded = JR::Payload::form_encoded($text);
    my %form = (
        'no payload'   => 'other=1',
        'two payloads' => "$encoded&$encoded",
        'a bad escape' => 'payload=%7g',
        'a cut escape' => 'payload=%7',
        'not JSON'     => 'payload=hello',
    );
    answer_is post($door, $form{$_}, type => 'application/x-www-form-urlencoded'), 400, "form: $_"
        for sort keys %form;
};

both_doors 'not of the right shape' => sub {
    my ($door) = @_;
    my %shape = (
        'workflow_job a string'       => sub { $_[0]{workflow_job} = 'job' },
        'workflow_job a list'         => sub { $_[0]{workflow_job} = [] },
        'no job id'                   => sub { delete $_[0]{workflow_job}{id} },
        'job id a string'             => sub { $_[0]{workflow_job}{id} = '12' },
        'job id negative'             => sub { $_[0]{workflow_job}{id} = -1 },
        'job id zero'                 => sub { $_[0]{workflow_job}{id} = 0 },
        'job id a fraction'           => sub { $_[0]{workflow_job}{id} = 1.5 },
        'run id null'                 => sub { $_[0]{workflow_job}{run_id} = undef },
        'run attempt a string'        => sub { $_[0]{workflow_job}{run_attempt} = 'one' },
        'no repository'               => sub { delete $_[0]{repository} },
        'repository a list'           => sub { $_[0]{repository} = [] },
        'no full name'                => sub { delete $_[0]{repository}{full_name} },
        'a full name of one part'     => sub { $_[0]{repository}{full_name} = 'octo' },
        'a full name with a path'     => sub { $_[0]{repository}{full_name} = 'octo/../app' },
        'a full name of dots'         => sub { $_[0]{repository}{full_name} = 'octo/..' },
        'a full name with a query'    => sub { $_[0]{repository}{full_name} = 'octo/app?x=1' },
        'a full name with a space'    => sub { $_[0]{repository}{full_name} = 'octo/a pp' },
        'a full name with a line end' => sub { $_[0]{repository}{full_name} = "octo/app\r\nX: y" },
        'a full name with percent'    => sub { $_[0]{repository}{full_name} = 'octo/app%2f' },
        'a full name with a NUL'      => sub { $_[0]{repository}{full_name} = "octo/app\0x" },
    );
    for my $name (sort keys %shape) {
        my $event = queued();
        $shape{$name}->($event);
        answer_is post($door, $event), 400, $name;
    }
};

both_doors 'odd but welcome' => sub {
    my ($door) = @_;
    my %odd = (
        'no run attempt'   => sub { delete $_[0]{workflow_job}{run_attempt} },
        'no branch'        => sub { delete $_[0]{workflow_job}{head_branch} },
        'branch null'      => sub { $_[0]{workflow_job}{head_branch} = undef },
        'no workflow name' => sub { delete $_[0]{workflow_job}{workflow_name} },
        'no created_at'    => sub { delete $_[0]{workflow_job}{created_at} },
        'null steps'       => sub { $_[0]{workflow_job}{steps} = [undef] },
        'an unknown field' => sub { $_[0]{something} = { new => [1, 2, 3] } },
        'a large id'       => sub { $_[0]{workflow_job}{id} = 9_007_199_254_740_993 },
        'an ugly name'     => sub { $_[0]{workflow_job}{name} = "a\nb \"c\" =\x{1b}[31m\x{85}\x{2028}" },
        'a long name'      => sub { $_[0]{workflow_job}{name} = 'long ' x 10_000 },
        'a long branch'    => sub { $_[0]{workflow_job}{head_branch} = 'release/' . 'b' x 5_000 },
    );
    for my $name (sort keys %odd) {
        my $event = queued();
        $odd{$name}->($event);
        answer_is post($door, $event), 202, $name;
    }
    status_is post($door, job(next_id(), next_id(), 'dreaming')), '2\d\d', 'an action of the future';
};

both_doors 'jobs: recorded, settled, scheduled' => sub {
    my ($door) = @_;
    my ($run, $job) = (next_id(), next_id());
    my $recorded = post($door, job($run, $job, 'queued'));
    answer_is $recorded, 202, 'queued';
    is $recorded->field('result'), 'recorded', 'in words';
    is $recorded->field('run_id'), $run, 'with the run';
    answer_is post($door, job($run, $job, 'in_progress')), 202, 'in progress';
    my $settled = post($door, job($run, $job, 'completed', 'success'));
    answer_is $settled, 200, 'the last job succeeded';
    is $settled->field('result'), 'settled', 'in words';

    $run = next_id();
    my ($a, $b) = (next_id(), next_id());
    answer_is post($door, job($run, $_, 'queued')), 202, 'one of two queued' for $a, $b;
    answer_is post($door, job($run, $a, 'completed', 'failure')), 202, 'one failed, one is going on';
    my $scheduled = post($door, job($run, $b, 'completed', 'success'));
    answer_is $scheduled, 201, 'the last one succeeded, but one had failed';
    is $scheduled->field('result'), 'scheduled', 'in words';

    my %ends = (
        201 => [qw(failure timed_out cancelled action_required)],
        200 => [qw(success skipped neutral)],
    );
    for my $status (sort keys %ends) {
        for my $conclusion (@{ $ends{$status} }) {
            ($run, $job) = (next_id(), next_id());
            post($door, job($run, $job, 'queued'));
            answer_is post($door, job($run, $job, 'completed', $conclusion)), $status, "ended with $conclusion";
        }
    }
};

both_doors 'jobs: any order' => sub {
    my ($door) = @_;
    my ($run, $a, $b) = (next_id(), next_id(), next_id());
    answer_is post($door, job($run, $b, 'queued')), 202, 'another job is known';
    answer_is post($door, job($run, $a, 'completed', 'success')), 202, 'completed first';
    answer_is post($door, job($run, $a, 'in_progress')), 202, 'then in progress';
    answer_is post($door, job($run, $a, 'queued')), 202, 'then queued';
    answer_is post($door, job($run, $b, 'completed', 'success')), 200, 'nothing is open any more';
};

both_doors 'jobs of an unknown run' => sub {
    my ($door) = @_;
    for my $conclusion (qw(success failure)) {
        my $request = delivery(job(next_id(), next_id(), 'completed', $conclusion));
        my $unknown = $door->send($request);
        answer_is $unknown, 404, "completed, $conclusion";
        is $unknown->field('result'), 'unknown-run', 'in words';
        answer_is $door->send($request), 202, 'the same again: known by now';
    }
    answer_is post($door, job(next_id(), next_id(), 'completed', 'skipped')), 202,
        'skipped: it never had a queued';
};

both_doors 'attempts' => sub {
    my ($door) = @_;
    my ($run, $a, $b) = (next_id(), next_id(), next_id());
    answer_is post($door, job($run, $b, 'queued', undef, attempt => 2)), 202, 'second attempt';
    answer_is post($door, job($run, $a, 'completed', 'failure', attempt => 1)), 202, 'the first one, late';
    answer_is post($door, job($run, $b, 'completed', 'success', attempt => 2)), 200, 'the second decides';
    ($run, $a) = (next_id(), next_id());
    post($door, job($run, $a, 'queued', undef, attempt => 4));
    answer_is post($door, job($run, $a, 'completed', 'failure', attempt => 4)), 204, 'attempts used up';
};

both_doors 'workflow_run' => sub {
    my ($door) = @_;
    my $run = next_id();
    answer_is post($door, run_event(run_id => $run, action => 'requested')), 202, 'requested';
    answer_is post($door, run_event(run_id => $run, action => 'in_progress')), 202, 'in progress';
    answer_is post($door, run_event(run_id => $run, action => 'completed', conclusion => 'failure')), 201,
        'completed with a failure';
    answer_is post($door, ended('success')), 200, 'completed with success';
    answer_is post($door, ended('timed_out')), 201, 'timed out';
    answer_is post($door, ended('cancelled')), 200, 'cancelled: nothing is to be done';
    answer_is post($door, ended(undef, status => 'queued')), 202, 'called completed, but its status is not';
    answer_is post($door, ended('failure', attempt => 4)), 204, 'attempts used up';
    my $job = next_id();
    answer_is post($door, job($run = next_id(), $job, 'queued')), 202, 'a job';
    answer_is post($door, run_event(run_id => $run, action => 'completed', conclusion => 'success')), 200,
        'its run';
    answer_is post($door, job($run, $job, 'completed', 'failure')), 202, 'an event after the decision';
};

both_doors 'no action by rule' => sub {
    my ($door) = @_;
    my %filtered = (
        'sender'              => { sender => 'dependabot[bot]' },
        'sender by pattern'   => { sender => 'Release-Robot' },
        'branch'              => { branch => 'feature' },
        'repository unlisted' => { repo => 'elsewhere/app' },
        'repository excluded' => { repo => 'Octo/Deploy' },
        'workflow'            => { workflow => 'deploy to production' },
    );
    for my $name (sort keys %filtered) {
        my ($run, $job) = (next_id(), next_id());
        my %f = %{ $filtered{$name} };
        answer_is post($door, job($run, $job, 'queued', undef, %f)), 204, "$name: queued";
        answer_is post($door, job($run, $job, 'completed', 'failure', %f)), 204, "$name: completed";
        answer_is post($door, ended('failure', %f)), 204, "$name: run";
        answer_is post($door, job(next_id(), next_id(), 'completed', 'failure', %f)), 204, "$name: before 404";
    }
    my %passes = (
        'branch by pattern' => { branch => 'Release/1.0' },
        'repository listed' => { repo => 'OTHER/app' },
        'another login'     => { sender => 'dependabotb' },
    );
    answer_is post($door, queued(%{ $passes{$_} })), 202, "passes: $_" for sort keys %passes;
};

both_doors 'repeats' => sub {
    my ($door) = @_;
    my ($run, $a, $b) = (next_id(), next_id(), next_id());
    my @story = (
        [202, delivery(job($run, $a, 'queued'))],
        [202, delivery(job($run, $b, 'queued'))],
        [202, delivery(job($run, $a, 'completed', 'failure'))],
        [201, delivery(job($run, $b, 'completed', 'success'))],
        [200, delivery(ended('success'))],
    );
    my @first = map { $door->send($_->[1]) } @story;
    is_deeply [map { $_->status } @first], [map { $_->[0] } @story], 'the first time';
    for my $n (0 .. $#story) {
        my $again = $door->send($story[$n][1]);
        is $again->status, $story[$n][0], "delivery $n again: status";
        is $again->reason, $first[$n]->reason, "delivery $n again: reason";
        is_deeply $again->json, $first[$n]->json, "delivery $n again: body";
    }
};

both_doors 'another body under a known delivery id' => sub {
    my ($door) = @_;
    my ($run, $other) = (next_id(), next_id());
    my $id = 'delivery-' . next_id();
    my $first = post($door, job($run, next_id(), 'queued'), id => $id);
    answer_is $first, 202, 'the first body';
    my $again = post($door, job($other, next_id(), 'completed', 'failure'), id => $id);
    answer_is $again, 202, 'another body';
    is $again->body, $first->body, 'gets the first answer';
    answer_is post($door, job($other, next_id(), 'completed', 'success')), 404, 'and was not recorded';
    answer_is post($door, job($run, next_id(), 'queued'), id => $id, key => 'wrong'), 403, 'but the signature is seen first';
};

both_doors 'delivery without an id is known by its body' => sub {
    my ($door) = @_;
    my ($run, $job) = (next_id(), next_id());
    $door->send(delivery(job($run, $job, 'queued'), id => undef));
    my $end = delivery(job($run, $job, 'completed', 'failure'), id => undef);
    is $door->send($end)->status, 201, 'scheduled';
    is $door->send($end)->status, 201, 'the same body: the same answer';
    my $unknown = job(next_id(), next_id(), 'completed', 'success');
    is $door->send(delivery($unknown, id => 'x' x 2000))->status, 404, 'an unusable id, first';
    is $door->send(delivery($unknown, id => undef))->status, 202, 'known by its body';
};

subtest 'one door repeats what the other has seen' => sub {
    my $request = delivery(job(next_id(), next_id(), 'completed', 'success'));
    is $DOORS[0]->send($request)->status, 404, 'first by nginx';
    is $DOORS[1]->send($request)->status, 202, 'again as CGI';
};

both_doors 'repeat of a 204 by rule, judged anew' => sub {
    my ($door) = @_;
    my ($run, $job) = (next_id(), next_id());
    my @story = map { delivery($_) } job($run, $job, 'queued', undef, branch => 'feature'),
        job($run, $job, 'completed', 'failure', branch => 'feature');
    is $door->send($_)->status, 204, 'filtered out' for @story, $story[1];
    # By plain CGI a request would leave one behind, for an hour, where there is none yet.
    $service->restart(REPO_BRANCHES => 'main,feature');
    wait_ok { $service->dispatcher } 'its dispatcher is there';
    is $door->send($story[1])->status, 201, 'scheduled with the repaired setting';
    is $door->send($story[1])->status, 201, 'and again';
    $service->restart(REPO_BRANCHES => 'main,release/*');
    wait_ok { $service->dispatcher } 'and again';
    is $door->send($story[1])->status, 201, 'the answer that was given stays';
};

subtest 'each request is logged' => sub {
    my $run = next_id();
    $service->http->send(delivery(job($run, 12345, 'queued'), id => "logged-$run"));
    my $line = $service->log->wait_entry('webhook', delivery => "logged-$run");
    ok $line, 'a line with the delivery id' or return;
    my %want = (
        status => 202, run => $run, repo => 'octo/app', action => 'queued', event => 'workflow_job', level => 'info',
    );
    is $line->{$_}, $want{$_}, $_ for sort keys %want;
    is_deeply [grep { !JR::Log::parse($_) || length > 4096 } split /\n/, $service->log->text], [],
        'all lines have one form';
};

finish();
