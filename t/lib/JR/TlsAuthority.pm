# SPDX-License-Identifier: BSD-2-Clause
#
# JR::TlsAuthority -- a throw-away certificate authority, made by openssl.

package JR::TlsAuthority;

use strict;
use warnings;
use JR::Process qw(spawn reap);

sub new {
    my ($class, $dir) = @_;
    mkdir $dir or die "$dir: $!";
    my $self = bless { dir => $dir, serial => 0 }, $class;
    $self->write_file('ca.cnf', <<'CONF');
[req]
distinguished_name = dn
x509_extensions = ca
prompt = no
[dn]
CN = throw-away authority
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
CONF
    $self->new_key('ca.key');
    $self->openssl(qw(req -new -x509 -days 2 -config ca.cnf -key ca.key -out ca.pem));
    return $self;
}

sub ca_file { return "$_[0]{dir}/ca.pem" }

# A certificate for one subjectAltName, e.g. IP:127.0.0.1: { chain, key }.
# subject, if not /CN=fake-github; usage: what it is good for, if not for all (serverAuth)
sub issue {
    my ($self, $name, %o) = @_;
    my $n = ++$self->{serial};
    $self->write_file("$n.ext", "subjectAltName = $name\n" . ($o{usage} ? "extendedKeyUsage = $o{usage}\n" : ''));
    $self->new_key("$n.key");
    $self->openssl(qw(req -new -config ca.cnf -subj), $o{subject} // '/CN=fake-github', '-key', "$n.key", '-out', "$n.csr");
    $self->openssl(qw(x509 -req -days 2 -CA ca.pem -CAkey ca.key -set_serial), $n,
        '-in', "$n.csr", '-extfile', "$n.ext", '-out', "$n.pem");
    return { chain => "$self->{dir}/$n.pem", key => "$self->{dir}/$n.key" };
}

sub new_key {
    my ($self, $name) = @_;
    $self->openssl(qw(genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out), $name);
    return;
}

sub openssl {
    my ($self, @args) = @_;
    my $pid = spawn(
        argv     => ['/usr/bin/openssl', @args],
        out      => "$self->{dir}/openssl.log",
        in_child => sub { chdir $self->{dir} or die "chdir: $!" },
    );
    die "openssl @args failed, see $self->{dir}/openssl.log" if reap($pid) != 0;
    return;
}

sub write_file {
    my ($self, $name, $text) = @_;
    open my $fh, '>', "$self->{dir}/$name" or die "$name: $!";
    print {$fh} $text;
    close $fh;
    return;
}

1;
