# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FakeGitHub::Apps -- GitHub Apps of the fake GitHub: who signs a JWT, where
# an App is installed, and the tokens of installations, which end.
#
# An installation: { id, account, repos (undef: all of the account's),
# suspended, permissions }. Each has a rate limit of its own.

package JR::FakeGitHub::Apps;

use strict;
use warnings;
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw(decode_base64url);

use constant {
    JWT_LIFE_S    => 600,
    TOKEN_LIFE_S  => 3600,
    TOKEN_LENGTH  => 520,
};

sub new { return bless { apps => [], installations => {}, tokens => {}, serial => 0, clock => 0 }, $_[0] }

# GitHub's clock: ours, and by how much a test has moved it.
sub now { return int(time) + $_[0]{clock} }

# id, client_id, name, slug, public_key (PEM), token_life, events
sub put_app {
    my ($self, $app) = @_;
    @{ $self->{apps} } = ((grep { $_->{id} ne $app->{id} } @{ $self->{apps} }), $app);
    return 1;
}

sub put_installation {
    my ($self, $given) = @_;
    my $now = time;
    $self->{installations}{ $given->{id} } = {
        permissions => { actions => 'write', metadata => 'read' },
        limit       => { limit => 5000, remaining => 5000, reset => $now + 3600 },
        %{ $self->{installations}{ $given->{id} } // {} }, %$given,
    };
    return 1;
}

# GitHub revokes the tokens with it.
sub remove_installation {
    my ($self, $id) = @_;
    delete $self->{installations}{$id};
    delete @{ $self->{tokens} }{ grep { $self->{tokens}{$_}{installation} == $id } keys %{ $self->{tokens} } };
    return 1;
}

sub revoke_tokens { my ($self) = @_; $self->{tokens} = {}; return 1 }

sub problem { return JR::FakeGitHub::Actions::problem(@_) }

# What is wrong with a JWT, as GitHub says it; nothing, and the App.
sub check_jwt {
    my ($self, $jwt) = @_;
    my @part = split /\./, $jwt, -1;
    my ($head, $claims) = map { scalar eval { JSON::PP->new->decode(decode_base64url($_ // '')) } } @part[0, 1];
    return problem(401, 'A JSON web token could not be decoded')
        if @part != 3 || ref $head ne 'HASH' || ref $claims ne 'HASH' || ($head->{alg} // '') ne 'RS256';
    my $issuer = $claims->{iss} // '';
    my ($app) = grep { $_->{id} eq $issuer || ($_->{client_id} // '') eq $issuer } @{ $self->{apps} };
    return problem(404, 'Integration not found') if !$app;
    return problem(401, 'A JSON web token could not be decoded')
        if !is_signed("$part[0].$part[1]", decode_base64url($part[2]), $app->{public_key});
    my ($iat, $exp) = map { ($_ // '') =~ /^\d+$/ ? $_ : -1 } @$claims{qw(iat exp)};
    return problem(401, q('Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued))
        if $iat < 0 || $iat > $self->now;
    return problem(401, q('Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires))
        if $exp <= $self->now;
    return problem(401, q('Expiration time' claim ('exp') is too far in the future)) if $exp > $self->now + JWT_LIFE_S;
    return (undef, $app);
}

sub is_signed {
    my ($text, $signature, $public_key) = @_;
    my @file = map {
        my $file = File::Temp->new;
        binmode $file;
        print {$file} $_;
        $file->close;
        $file;
    } $text, $signature, $public_key;
    # What openssl has to say of a bad one is no news here.
    open my $out, '-|', "exec openssl dgst -sha256 -verify '$file[2]' -signature '$file[1]' '$file[0]' 2>/dev/null" or return 0;
    my $said = join '', <$out>;
    close $out;
    return $said =~ /^Verified OK/;
}

# A call that an App makes as itself; nothing if it is none of these.
sub answer {
    my ($self, $request) = @_;
    my ($method, $path) = @$request{qw(method path)};
    $path =~ s{^/api/v3}{};
    my @handler =
          $method eq 'GET'  && $path eq '/app'                                         ? \&get_app
        : $method eq 'GET'  && $path =~ m{^/repos/([^/]+/[^/]+)/installation$}         ? (\&get_installation, $1)
        : $method eq 'POST' && $path =~ m{^/app/installations/(\d+)/access_tokens$}    ? (\&make_token, $1)
        :                                                                                return;
    my ($jwt) = ($request->{headers}{authorization} // '') =~ /^Bearer (\S+)$/
        or return problem(401, 'A JSON web token could not be decoded');
    my ($refused, $app) = $self->check_jwt($jwt);
    return $refused if $refused;
    my ($handler, @args) = @handler;
    my $answer = $self->$handler($app, $request, @args);
    # A limit that says nothing about any installation.
    @{ $answer->{headers} }{qw(X-RateLimit-Limit X-RateLimit-Remaining)} = (60, 59);
    return $answer;
}

sub get_app {
    my ($self, $app) = @_;
    return { status => 200, body => { id => 0 + $app->{id}, client_id => $app->{client_id}, name => $app->{name}, slug => $app->{slug}, ($app->{events} ? (events => $app->{events}) : ()) } };
}

sub has_repo {
    my ($installation, $repo) = @_;
    my ($owner) = split m{/}, $repo;
    return 0 if lc $owner ne lc $installation->{account};
    return !$installation->{repos} || grep { lc eq lc $repo } @{ $installation->{repos} };
}

sub get_installation {
    my ($self, undef, $request, $repo) = @_;
    my ($found) = grep { has_repo($_, $repo) } values %{ $self->{installations} };
    return problem(404, 'Not Found') if !$found;
    return {
        status => 200,
        body   => {
            id => 0 + $found->{id}, account => { login => $found->{account} }, permissions => $found->{permissions},
            suspended_at => $found->{suspended} ? JR::FakeGitHub::Actions::iso(time) : undef,
        },
    };
}

sub make_token {
    my ($self, $app, $request, $id) = @_;
    my $installation = $self->{installations}{$id} or return problem(404, 'Not Found');
    return problem(403, 'This installation has been suspended') if $installation->{suspended};
    my $wish = length $request->{body} ? eval { JSON::PP->new->decode($request->{body})->{permissions} } : {};
    for my $name (keys %{ $wish // {} }) {
        return problem(422, 'The permissions requested are not granted to this installation.')
            if ($installation->{permissions}{$name} // '') !~ ($wish->{$name} eq 'write' ? qr/^write$/ : qr/./);
    }
    my $token = "ghs_$app->{id}_eyJ" . sprintf '%06d', ++$self->{serial};
    $token .= chr(ord('a') + length($token) * 7 % 26) while length $token < TOKEN_LENGTH;
    my $ends = $self->now + ($app->{token_life} // TOKEN_LIFE_S);
    $self->{tokens}{$token} = { installation => $id, ends => $ends, permissions => $wish, app => $app };
    return {
        status => 201,
        body   => { token => $token, expires_at => JR::FakeGitHub::Actions::iso($ends), permissions => $wish, repository_selection => 'all' },
    };
}

# A call with the token of an installation: what is known of the token, and what is
# refused. moved: the new names of repositories.
sub token_of { my ($self, $token) = @_; return $self->{tokens}{$token} }

# What a call needs.
sub permission_for {
    my ($request) = @_;
    my %of = ('check-runs' => 'checks', issues => 'pull_requests', pulls => 'pull_requests', contents => 'contents', commits => 'contents');
    my ($what) = $request->{path} =~ m{/repos/[^/]+/[^/]+/(?:commits/[^/]+/)?(check-runs|issues|pulls|contents|commits)(?:/|$)};
    my $name = $what ? $of{$what} : 'actions';
    return ($name, $request->{method} eq 'GET' ? 'read' : 'write');
}

sub refuse {
    my ($self, $known, $request, $moved) = @_;
    my $installation = $self->{installations}{ $known->{installation} };
    return problem(401, 'Bad credentials') if !$installation || $known->{ends} <= $self->now;
    # A token that is a second old is not known everywhere yet.
    my $fresh = $installation->{fresh};
    return problem(@{ $fresh->{answer} }) if $fresh && $known->{asked}++ < $fresh->{calls};
    return problem(403, 'This installation has been suspended') if $installation->{suspended};
    my ($repo) = $request->{path} =~ m{/repos/([^/]+/[^/]+)} or return;
    return problem(404, 'Not Found') if !has_repo($installation, $moved->{ lc $repo } // $repo);
    return if $request->{path} =~ m{/collaborators/[^/]+/permission$};    # Metadata, which each has
    my ($name, $level) = permission_for($request);
    return problem(403, 'Resource not accessible by integration', 'X-Accepted-GitHub-Permissions' => "$name=$level")
        if ($known->{permissions}{$name} // '') !~ ($level eq 'write' || $name eq 'actions' ? qr/^write$/ : qr/./);
    return;
}

sub limit_of { my ($self, $known) = @_; return $self->{installations}{ $known->{installation} }{limit} }

1;
