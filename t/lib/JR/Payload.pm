# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Payload -- webhook bodies and signed deliveries.
#
# A body starts from a template in t/data; the caller names what differs.
# A delivery is a request as JR::Http has it, with GitHub's headers.

package JR::Payload;

use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::SHA qw(hmac_sha256_hex);
use Exporter 'import';
use File::Basename qw(dirname);
use JSON::PP ();
use POSIX qw(strftime);
use Storable qw(dclone);
use JR::FakeGitHub::Actions;
use JR::Service;

our @EXPORT_OK = qw(job_event run_event comment_event button_event delivery next_id timestamp json_text);

my $DATA = dirname(abs_path(__FILE__)) . '/../../data';
my $JSON = JSON::PP->new->canonical->utf8;

# Ids above 32 bits, as GitHub's have long been; different in each process.
my $count = 0;

sub next_id { return 30_000_000_000 + $$ * 10_000 + ++$count }

sub json_text { return $JSON->encode($_[0]) }

sub timestamp {
    my ($time) = @_;
    return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($time // time));
}

my %templates;

sub template {
    my ($name) = @_;
    if (!$templates{$name}) {
        open my $fh, '<:raw', "$DATA/$name.json" or die "$DATA/$name.json: $!";
        local $/;
        $templates{$name} = $JSON->decode(<$fh>);
    }
    return dclone($templates{$name});
}

# What both kinds of event share.
sub common {
    my ($event, $f) = @_;
    my $repo = $f->{repo} // 'octo/app';
    my ($owner, $name) = split m{/}, $repo, 2;
    @{ $event->{repository} }{qw(full_name name)} = ($repo, $name // '');
    $event->{repository}{id} = JR::FakeGitHub::Actions::number($repo);
    $event->{repository}{owner}{login} = $owner;
    $event->{sender}{login} = $f->{sender} if defined $f->{sender};
    $event->{action} = $f->{action} if defined $f->{action};
    return $event;
}

# run_id, id, action; attempt, name, status, conclusion, branch, workflow,
# repo, sender; created, started, completed as epoch seconds; steps, labels, runner_id,
# runner_name as the API shows them
sub job_event {
    my (%f) = @_;
    my $event = common(template('workflow_job'), \%f);
    my $job = $event->{workflow_job};
    my $now = time;
    $job->{id}          = 0 + ($f{id} // next_id());
    $job->{run_id}      = 0 + $f{run_id};
    $job->{run_attempt} = 0 + ($f{attempt} // 1);
    $job->{status}      = $f{status} // $event->{action};
    $job->{conclusion}  = $f{conclusion};
    $job->{created_at}  = timestamp($f{created} // $now);
    $job->{started_at}  = timestamp($f{started} // $now);
    $job->{completed_at} = $job->{status} eq 'completed' ? timestamp($f{completed} // $now) : undef;
    $job->{name} = $f{name} // 'build';
    $job->{head_branch}   = $f{branch}   if exists $f{branch};
    $job->{workflow_name} = $f{workflow} if exists $f{workflow};
    @$job{ grep { exists $f{$_} } qw(steps labels runner_id runner_name) } =
        map { exists $f{$_} ? $f{$_} : () } qw(steps labels runner_id runner_name);
    return $event;
}

# run_id, action; attempt, status, conclusion, branch, workflow, run_name, path,
# number, sha, repo, sender, actor, triggering_actor, event, created, updated,
# head_repo
sub run_event {
    my (%f) = @_;
    my $event = common(template('workflow_run'), \%f);
    my $run = $event->{workflow_run};
    my $now = time;
    $run->{id}          = 0 + $f{run_id};
    $run->{run_attempt} = 0 + ($f{attempt} // 1);
    $run->{status}      = $f{status} // ($event->{action} eq 'requested' ? 'queued' : $event->{action});
    $run->{conclusion}  = $f{conclusion};
    $run->{created_at}  = timestamp($f{created} // $now);
    $run->{run_started_at} = timestamp($now);
    $run->{updated_at}     = timestamp($f{updated} // $now);
    $run->{head_branch} = $f{branch}   if exists $f{branch};
    my $workflow = $event->{workflow};
    $run->{name} = $workflow->{name} = $f{workflow} if exists $f{workflow};
    $run->{name} = $f{run_name} if defined $f{run_name};
    $run->{path} = $workflow->{path} = $f{path} if defined $f{path};
    $run->{workflow_id} = $workflow->{id} = JR::FakeGitHub::Actions::number($workflow->{name} // '');
    $run->{run_number} = $f{number} if defined $f{number};
    $run->{head_sha} = $f{sha} if defined $f{sha};
    $run->{event}       = $f{event}    if exists $f{event};
    for my $who (qw(actor triggering_actor)) {
        $run->{$who}{login} = $f{$who} if defined $f{$who};
    }
    for my $which (qw(repository head_repository)) {
        $run->{$which}{full_name} = $event->{repository}{full_name};
    }
    $run->{head_repository}{full_name} = $f{head_repo} if defined $f{head_repo};
    return $event;
}

# body; comment_id, number, action, login (of its author), sender, type, created, repo; pull => 0: of
# an issue. As the API tells of a comment.
sub comment_event {
    my (%f) = @_;
    my $event = common({ action => 'created', sender => { login => 'octocat', type => $f{type} // 'User' } }, \%f);
    $event->{sender}{id} = JR::FakeGitHub::Actions::number($event->{sender}{login});
    my $login = $f{login} // $event->{sender}{login};
    my $number = $f{number} // 7;
    $event->{issue} = { id => 1, number => $number, title => '/rerun', body => '/rerun', state => 'open', user => { login => 'author', type => 'User' } };
    $event->{issue}{pull_request} = { url => "https://api.github.com/repos/octo/app/pulls/$number" } if $f{pull} // 1;
    $event->{comment} = {
        id => $f{comment_id} // next_id(), body => $f{body}, user => { login => $login, type => $f{type} // 'User' },
        created_at => timestamp($f{created} // time), updated_at => timestamp(time), author_association => $f{association} // 'NONE',
    };
    return $event;
}

# run_id; verb, attempt (of the button: rerun, 1), sender, app (id), client_id, action, repo
sub button_event {
    my (%f) = @_;
    my $event = common({ action => 'requested_action', sender => { login => 'octocat', type => $f{type} // 'User' } }, \%f);
    $event->{sender}{id} = JR::FakeGitHub::Actions::number($event->{sender}{login});
    $event->{requested_action} = { identifier => $f{identifier} // join '-', $f{verb} // 'rerun', $f{attempt} // 1 };
    $event->{check_run} = {
        id => next_id(), external_id => $f{external_id} // "$f{run_id}", status => 'completed', conclusion => 'neutral',
        app => { id => 0 + ($f{app} // 0), client_id => $f{client_id} // 'Iv23none' }, pull_requests => [],
    };
    return $event;
}

# Shaped like a delivery id; different in each process too.
sub uuid { return sprintf '%08x-%04x-11f0-8000-%012x', time, $$ & 0xffff, ++$count }

sub form_encoded {
    my ($text) = @_;
    return 'payload=' . $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger;
}

# The signed request for a body (a structure or raw bytes).
#   event, id (undef: no such header), key, form => 1, type, path, method
#   signature (undef: none; a list: one header each)
sub delivery {
    my ($data, %o) = @_;
    my $body  = ref $data ? json_text($data) : $data;
    my $event = $o{event} // (ref $data eq 'HASH' && exists $data->{workflow_run} ? 'workflow_run' : 'workflow_job');
    $body = form_encoded($body) if $o{form};
    my $type = exists $o{type} ? $o{type} : $o{form} ? 'application/x-www-form-urlencoded' : 'application/json';
    my $signature = exists $o{signature} ? $o{signature} : sign($body, $o{key});
    my @headers = (
        ['User-Agent',    'GitHub-Hookshot/0000000'],
        ['Accept',        '*/*'],
        ['X-GitHub-Hook-ID', '1'],
        ['X-GitHub-Event', $event],
    );
    push @headers, ['X-GitHub-Delivery', $o{id} // uuid()] if !exists $o{id} || defined $o{id};
    push @headers, ['Content-Type', $type] if defined $type;
    push @headers, map { ['X-Hub-Signature-256', $_] }
        grep {defined} ref $signature ? @$signature : $signature;
    return {
        method  => $o{method} // 'POST',
        path    => $o{path} // '/',
        headers => \@headers,
        body    => $body,
    };
}

sub sign {
    my ($body, $key) = @_;
    return 'sha256=' . hmac_sha256_hex($body, $key // JR::Service::sign_key());
}

1;
