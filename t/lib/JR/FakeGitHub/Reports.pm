# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FakeGitHub::Reports -- check runs and comments of the fake GitHub.
#
# Check runs are made and changed by Apps alone, each by the one that made it. A pull request
# that is locked takes no comment. Who writes more than the content limit allows gets a
# secondary rate limit.

package JR::FakeGitHub::Reports;

use strict;
use warnings;
use Encode ();
use JSON::PP ();

use constant {
    FIRST_ID   => 5_000_000,
    TITLE_MAX  => 255,
    TEXT_MAX   => 65_535,
    ANNOTATIONS_MAX => 50,
};

sub new { return bless { id => FIRST_ID, checks => [], comments => [], locked => {}, written => [] }, $_[0] }

sub problem { return JR::FakeGitHub::Actions::problem(@_) }

# 80 a minute, unless a test says otherwise.
sub over_limit {
    my ($self) = @_;
    my $now = time;
    push @{ $self->{written} }, $now;
    my $count = grep { $_ > $now - 60 } @{ $self->{written} };
    return if $count <= ($self->{limit} // 80);
    return problem(403, 'You have exceeded a secondary rate limit and have been temporarily blocked from content creation.',
        'Retry-After' => 60);
}

sub decode { my ($request) = @_; return eval { JSON::PP->new->utf8->decode($request->{body}) } // {} }

# A repository's own, whatever its case.
sub of_repo { my ($repo, $list) = @_; return grep { lc $_->{repo} eq lc $repo } @$list }

sub check_json {
    my ($check) = @_;
    return {
        (map { $_ => $check->{$_} } qw(id name head_sha external_id status conclusion details_url output)),
        app => { id => 0 + $check->{app}{id}, client_id => $check->{app}{client_id}, slug => $check->{app}{slug} },
        html_url => "https://github.com/$check->{repo}/runs/$check->{id}",
    };
}

# What is wrong with what a check run is to be.
sub bad_check {
    my ($given) = @_;
    return 'status' if ($given->{status} // 'queued') !~ /^(?:queued|in_progress|completed)$/;
    return 'conclusion' if ($given->{status} // '') eq 'completed' && !length($given->{conclusion} // '');
    return 'conclusion' if ($given->{conclusion} // 'neutral') !~ /^(?:success|neutral|failure|cancelled|skipped|timed_out|action_required)$/;
    my $output = $given->{output} or return;
    return 'title'   if !length($output->{title} // '') || length $output->{title} > TITLE_MAX;
    return 'summary' if !defined $output->{summary} || length(Encode::encode_utf8($output->{summary})) > TEXT_MAX;
    my $annotations = $output->{annotations} // [];
    return 'annotations' if @$annotations > ANNOTATIONS_MAX || grep { is_bad_annotation($_) } @$annotations;
    return;
}

sub is_bad_annotation {
    my ($note) = @_;
    return 1 if ($note->{annotation_level} // '') !~ /^(?:notice|warning|failure)$/ || grep { !length($note->{$_} // '') } qw(path message);
    return 1 if grep { ($note->{$_} // 0) < 1 } qw(start_line end_line);
    return grep { exists $note->{$_} && ($note->{$_} < 1 || $note->{start_line} != $note->{end_line}) } qw(start_column end_column);
}

sub make_check {
    my ($self, $request, $repo) = @_;
    my $app = $request->{app} or return problem(403, 'You must authenticate via a GitHub App.');
    my $given = decode($request);
    my $bad = !length($given->{name} // '') ? 'name' : ($given->{head_sha} // '') !~ /^[0-9a-f]{40}$/ ? 'head_sha' : bad_check($given);
    return problem(422, "Invalid request: $bad") if $bad;
    return $self->over_limit // do {
        push @{ $self->{checks} }, my $check = { %$given, id => ++$self->{id}, repo => $repo, app => $app };
        $request->{effect} = 'report';
        { status => 201, body => check_json($check) };
    };
}

sub set_check {
    my ($self, $request, $repo, $id) = @_;
    my $app = $request->{app} or return problem(403, 'You must authenticate via a GitHub App.');
    my ($check) = grep { $_->{id} == $id } of_repo($repo, $self->{checks}) or return problem(404, 'Not Found');
    return problem(403, 'Invalid app_id') if $check->{app}{id} ne $app->{id};
    my $given = decode($request);
    my $bad = bad_check($given);
    return problem(422, "Invalid request: $bad") if $bad;
    return $self->over_limit // do {
        @$check{ keys %$given } = values %$given;
        delete $check->{conclusion} if $check->{status} ne 'completed';
        $check->{writes}++;
        { status => 200, body => check_json($check) };
    };
}

sub list_checks {
    my ($self, $request, $repo, $sha) = @_;
    my %query = JR::FakeGitHub::Actions::query($request);
    my @found = grep { $_->{head_sha} eq $sha && (!exists $query{check_name} || $_->{name} eq Encode::decode_utf8($query{check_name})) }
        of_repo($repo, $self->{checks});
    # Without filter=all only the newest of a name is shown.
    @found = $found[-1] // () if ($query{filter} // 'latest') ne 'all';
    return JR::FakeGitHub::Actions::page(\%query, check_runs => [map { check_json($_) } @found]);
}

sub comment_json {
    my ($comment) = @_;
    return {
        id => $comment->{id}, body => $comment->{body}, user => JR::FakeGitHub::Actions::user($comment->{login}),
        html_url => "https://github.com/$comment->{repo}/pull/$comment->{number}#issuecomment-$comment->{id}",
    };
}

# repo, number, login, body
sub put_comment {
    my ($self, $given) = @_;
    push @{ $self->{comments} }, my $comment = { %$given, id => ++$self->{id} };
    return comment_json($comment);
}

sub list_comments {
    my ($self, $request, $repo, $number) = @_;
    my @found = grep { $_->{number} == $number } of_repo($repo, $self->{comments});
    my $page = JR::FakeGitHub::Actions::page({ JR::FakeGitHub::Actions::query($request) },
        comments => [map { comment_json($_) } @found]);
    return { %$page, body => $page->{body}{comments} };
}

sub login_of { my ($request) = @_; return $request->{app} ? "$request->{app}{slug}" . "[bot]" : JR::FakeGitHub::Actions::BOT() }

sub bad_comment {
    my ($given) = @_;
    return !length($given->{body} // '') || length(Encode::encode_utf8($given->{body})) > TEXT_MAX + 1
        ? problem(422, 'Validation Failed') : undef;
}

sub make_comment {
    my ($self, $request, $repo, $number) = @_;
    my $given = decode($request);
    return problem(403, 'Unable to create comment because issue is locked.') if $self->{locked}{$number};
    return bad_comment($given) // $self->over_limit // do {
        my $made = $self->put_comment({ repo => $repo, number => $number, login => login_of($request), body => $given->{body} });
        $request->{effect} = 'report';
        { status => 201, body => $made };
    };
}

# A reaction that there is already is answered 200, a new one 201.
sub react {
    my ($self, $request, $repo, $id) = @_;
    my $content = decode($request)->{content} // '';
    return problem(422, 'Validation Failed') if $content !~ /^(?:\+1|-1|laugh|confused|heart|hooray|rocket|eyes)$/;
    my ($comment) = grep { $_->{id} == $id } of_repo($repo, $self->{comments}) or return problem(404, 'Not Found');
    my ($there) = grep { $_->{content} eq $content && $_->{login} eq login_of($request) } @{ $comment->{reactions} //= [] };
    return { status => 200, body => $there } if $there;
    return $self->over_limit // do {
        push @{ $comment->{reactions} }, my $made = { id => ++$self->{id}, content => $content, login => login_of($request) };
        { status => 201, body => $made };
    };
}

sub set_comment {
    my ($self, $request, $repo, $id) = @_;
    my $given = decode($request);
    my ($comment) = grep { $_->{id} == $id } of_repo($repo, $self->{comments}) or return problem(404, 'Not Found');
    return problem(403, 'Must have admin rights to Repository.') if $comment->{login} ne login_of($request);
    return bad_comment($given) // $self->over_limit // do {
        $comment->{body} = $given->{body};
        $comment->{writes}++;
        { status => 200, body => comment_json($comment) };
    };
}

1;
