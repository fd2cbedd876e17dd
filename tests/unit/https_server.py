#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scripted HTTPS server on 127.0.0.1, for servers that real ones never are.

    https_server.py certs DIR
    https_server.py serve [--cert DIR/NAME] [--tls11] --log FILE SCRIPT...

`certs` makes, with the openssl command, ca.pem, other-ca.pem and the pairs
server, wrong, expired, future and self (.pem and .key, and .pin with the
sha256// of the public key).

`serve` prints "port N" and lives until its standard input is closed.  Each
SCRIPT answers one request, in the order in which requests come; its text is
sent as it stands, but for:

    <<rst>>      reset the connection        <<close>>   close it
    <<end>>      close it as TLS wants it
    <<stall>>    never say anything again    <<sleep N>> wait N milliseconds
    <<fill N>>   send N times the letter x   <<drip N>>  send x every N ms

A SCRIPT that begins with @ is spent on the next connection, before TLS and
before anything is read.  Without --cert there is no TLS at all.  A request for
which no SCRIPT is left closes its connection.

The log has a line for each thing that came: "connection N", "request N LINE",
"header N LINE", "body N LENGTH TEXT", N being the connection's number.
"""

import argparse
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import warnings

CA_CONF = """
[ca]
default_ca = here
[here]
dir = {dir}
database = {dir}/index.txt
serial = {dir}/serial
new_certs_dir = {dir}
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
rand_serial = yes
[any]
commonName = supplied
[server]
basicConstraints = CA:FALSE
subjectAltName = {{san}}
extendedKeyUsage = serverAuth
"""


def openssl(*args, data=None):
    done = subprocess.run(["openssl", *args], input=data, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.stderr.write(done.stderr.decode(errors="replace"))
        sys.exit("https_server.py: openssl %s failed" % args[0])
    return done.stdout


def make_key(path):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
            path)


def write_pin(place):
    public = openssl("x509", "-in", place + ".pem", "-pubkey", "-noout")
    der = openssl("pkey", "-pubin", "-outform", "der", data=public)
    digest = openssl("dgst", "-sha256", "-binary", data=der)
    text = openssl("enc", "-base64", data=digest).decode().strip()
    with open(place + ".pin", "w", encoding="ascii") as out:
        out.write("sha256//" + text)


def make_root(place, name):
    make_key(place + ".key")
    openssl("req", "-x509", "-new", "-key", place + ".key", "-sha256",
            "-days", "2", "-subj", "/CN=" + name, "-out", place + ".pem",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def make_server(directory, name, san, start, end):
    place = os.path.join(directory, name)
    conf = place + ".conf"
    make_key(place + ".key")
    with open(conf, "w", encoding="ascii") as out:
        out.write(CA_CONF.format(dir=directory).replace("{san}", san))
    openssl("req", "-new", "-key", place + ".key", "-subj", "/CN=" + name,
            "-out", place + ".csr")
    # "openssl ca" takes any dates, in every release of OpenSSL.
    openssl("ca", "-batch", "-notext", "-config", conf, "-extensions",
            "server", "-in", place + ".csr", "-out", place + ".pem", "-cert",
            os.path.join(directory, "ca.pem"), "-keyfile",
            os.path.join(directory, "ca.key"), "-startdate", start,
            "-enddate", end)
    write_pin(place)


def make_certs(directory):
    def day(offset):
        when = time.gmtime(time.time() + offset * 86400)
        return time.strftime("%Y%m%d%H%M%SZ", when)

    here = "IP:127.0.0.1,DNS:localhost,DNS:proxied.example.test"
    with open(os.path.join(directory, "index.txt"), "w", encoding="ascii"):
        pass
    make_root(os.path.join(directory, "ca"), "Unit test CA")
    make_root(os.path.join(directory, "other-ca"), "Some other CA")
    make_server(directory, "server", here, day(-1), day(2))
    make_server(directory, "wrong", "DNS:elsewhere.example.test", day(-1),
                day(2))
    make_server(directory, "expired", here, day(-3), day(-1))
    make_server(directory, "future", here, day(1), day(2))
    place = os.path.join(directory, "self")
    make_key(place + ".key")
    openssl("req", "-x509", "-new", "-key", place + ".key", "-sha256",
            "-days", "2", "-subj", "/CN=unnamed", "-out", place + ".pem")
    write_pin(place)


class Reset(Exception):
    """The script wants the connection reset."""


class Close(Exception):
    """The script wants the connection closed, or it is."""


class Server:
    def __init__(self, options):
        self.script = list(options.script)
        self.lock = threading.Lock()
        self.log_file = open(options.log, "ab", buffering=0)
        self.context = None
        if options.cert is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(options.cert + ".pem",
                                         options.cert + ".key")
            if options.tls11:
                warnings.simplefilter("ignore", DeprecationWarning)
                self.context.minimum_version = ssl.TLSVersion.TLSv1
                self.context.maximum_version = ssl.TLSVersion.TLSv1_1
                self.context.set_ciphers("ALL:@SECLEVEL=0")

    def log(self, kind, number, data=b""):
        line = ("%s %d " % (kind, number)).encode() + data
        self.log_file.write(line.rstrip(b"\r\n ") + b"\n")

    def next_script(self, of_connection):
        with self.lock:
            if self.script and self.script[0].startswith("@") == of_connection:
                return self.script.pop(0)
        return "" if of_connection else None

    def read_request(self, stream, number):
        line = stream.readline(65536)
        if not line.strip():
            raise Close
        self.log("request", number, line)
        length = 0
        while True:
            header = stream.readline(65536)
            if not header.strip():
                break
            self.log("header", number, header)
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = stream.read(length)
        self.log("body", number, b"%d " % len(body) + body)

    @staticmethod
    def play(conn, script):
        for part in re.split(r"(<<\w+(?: \d+)?>>)", script):
            match = re.fullmatch(r"<<(\w+)(?: (\d+))?>>", part)
            if match is None:
                if part:
                    conn.sendall(part.encode("utf-8", "surrogateescape"))
                continue
            verb, count = match.group(1), int(match.group(2) or 0)
            if verb == "rst":
                raise Reset
            if verb == "close":
                raise Close
            if verb == "end":
                conn.unwrap()
                raise Close
            if verb == "sleep":
                time.sleep(count / 1000)
            while verb == "stall":
                time.sleep(60)
            while verb == "drip":
                conn.sendall(b"x")
                time.sleep(count / 1000)
            while verb == "fill" and count > 0:
                conn.sendall(b"x" * min(count, 65536))
                count -= 65536

    def answer(self, conn, number):
        script = self.next_script(True)
        if script:
            self.play(conn, script[1:])
        if self.context is not None:
            conn = self.context.wrap_socket(conn, server_side=True)
        stream = conn.makefile("rb")
        try:
            while True:
                self.read_request(stream, number)
                script = self.next_script(False)
                if script is None:
                    raise Close
                self.play(conn, script)
        except Reset:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        finally:
            # A stream of its own would hold the descriptor open.
            stream.close()
            conn.close()

    def serve(self, conn, number):
        self.log("connection", number)
        try:
            self.answer(conn, number)
        except Reset:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        except (Close, OSError, ValueError):
            pass
        finally:
            conn.close()


def serve(options):
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(options)

    def accept():
        number = 0
        while True:
            conn, _ = listener.accept()
            number += 1
            threading.Thread(target=server.serve, args=(conn, number),
                             daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print("port %d" % listener.getsockname()[1], flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.
                                     RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    certs = commands.add_parser("certs")
    certs.add_argument("directory")
    serving = commands.add_parser("serve")
    serving.add_argument("--cert")
    serving.add_argument("--tls11", action="store_true")
    serving.add_argument("--log", required=True)
    serving.add_argument("script", nargs="*")
    options = parser.parse_args()
    if options.command == "certs":
        make_certs(options.directory)
    else:
        serve(options)


if __name__ == "__main__":
    main()
