# SPDX-License-Identifier: Apache-2.0
"""Programs that log people in, on the machine that tests/pam/stage makes.

A test begins with perform(), which brings it there, or skips what it would
have done.  The stacks are those of doc/examples/pam.d, with the lab's names in
the place of the example's.
"""

import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

TOP = os.environ.get("top_srcdir") or os.path.abspath(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.environ.get("top_builddir") or TOP

sys.path.insert(0, os.path.join(TOP, "tests/scenario"))
from stage import Tap, Wrong  # noqa: E402

STAGE = os.environ.get("STAGE", "")
NAME = os.uname().nodename
CONF = "/etc/guestcred/guestcred.conf"
MAP = "/etc/guestcred/guests.map"
STORES = "/run/guestcred"
LEDGER = os.environ.get("GUESTCRED_STATE", "")
GUESTCRED = "/run/built/guestcred"
UIDS = {"root": 0, "low": 991, "alice": 2001, "bob": 2002, "carol": 2003}
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
REALM = "EXAMPLE.TEST"


def tool(name):
    """The program NAME, wherever Debian keeps it."""
    found = shutil.which(name, path=PATH)
    if found is None:
        raise Wrong(f"{name} is not installed; see scripts/packages")
    return found


# ---- getting there ----

def reason_to_skip():
    module = os.path.join(BUILD, "pam_module/.libs/pam_guestcred.so")
    if os.geteuid() != 0:
        return "needs root"
    with open(module, "rb") as f:
        text = f.read()
    if b"__asan_init" in text or b"__ubsan_" in text:
        return "no host can load a sanitized module"
    return None


def perform(file, title, test):
    """Have TEST(tap) run inside tests/pam/stage; FILE is the script itself."""
    if len(sys.argv) == 2 and sys.argv[1] == "--inside":
        tap = Tap()
        settle()
        test(tap)
        sys.exit(tap.done())
    why, status = reason_to_skip(), 0
    if why is None:
        status = subprocess.run(
            [os.path.join(TOP, "tests/pam/stage"),
             os.path.abspath(file), "--inside"],
            env={**os.environ, "top_srcdir": TOP, "top_builddir": BUILD},
            check=False).returncode
        if status == 77:
            why = "no namespaces of our own here"
    if why is not None:
        print(f"1..0 # SKIP {title}: {why}")
        status = 0
    sys.exit(status)


def write(path, text, mode=0o644, owner=0):
    """PATH holds TEXT, and was never seen half done or with other rights."""
    new = path + ".new"
    with open(new, "w", encoding="utf-8") as f:
        os.fchmod(f.fileno(), mode)
        os.fchown(f.fileno(), owner, owner)
        f.write(text)
    os.rename(new, path)
    return path


def read(path):
    with open(path, encoding="utf-8", errors="backslashreplace") as f:
        return f.read()


def settle():
    """What a real machine has and a stage not yet: a name that leads here, and
    a configured guestcred."""
    os.chdir("/")
    os.environ["TMPDIR"] = "/tmp"
    write("/etc/hosts", f"127.0.0.1 {NAME} localhost\n")
    # libkrb5 would complete our name with the site's domain.
    write("/etc/resolv.conf", "")
    os.mkdir(STORES, 0o711)
    os.mkdir(LEDGER, 0o700)
    shutil.copy(os.environ["GUESTCRED_PASSWORD_FILE"],
                "/etc/guestcred/password")
    os.chmod("/etc/guestcred/password", 0o600)
    configure()


def configure(**more):
    """guestcred.conf: the example's words, the lab's names."""
    values = {
        "url": os.environ["GUESTCRED_URL"],
        "username": os.environ["GUESTCRED_USERNAME"],
        "password-file": "/etc/guestcred/password",
        "ca-file": os.environ["GUESTCRED_CA_FILE"],
        "keytab": "/etc/krb5.keytab",
        "require-principal": f"%u@{REALM}",
        "minimum-uid": "1000",
        "helper": os.environ["PAM_HELPER"],
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    write(CONF, "".join(f"{name} = {value}\n"
                        for name, value in values.items()))


def stack(service, example, *edits):
    """/etc/pam.d/SERVICE: doc/examples/pam.d/EXAMPLE for the lab's VM and this
    build; every one of EDITS, (what, instead), must find what it is for.
    Nobody has to wait after a wrong password."""
    text = read(os.path.join(TOP, "doc/examples/pam.d", example))
    edits = [*edits, ("pam_guestcred.so",
                      f"{os.environ['PAM_MODULE']} conf={CONF}")]
    if "win01" in re.sub("^#.*", "", text, flags=re.M):
        edits.append(("host/win01.corp.example", "host/guest1.example.test"))
    for what, instead in edits:
        if what not in text:
            raise Wrong(f"doc/examples/pam.d/{example} has no {what}")
        text = text.replace(what, instead)
    text = re.sub(r"^(auth .*pam_unix\.so)", r"\1 nodelay", text, flags=re.M)
    write(f"/etc/pam.d/{service}", text)


# ---- the guests and what is left in them ----

def ctl(*words):
    """One statement; what the simulator answers."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(os.path.join(os.environ["GUESTCRED_LAB"], "ctl"))
        s.sendall(b"".join(w.encode() + b"\0" for w in words))
        s.shutdown(socket.SHUT_WR)
        said = b""
        while piece := s.recv(65536):
            said += piece
    head, _, rest = said.decode().partition("\n")
    if head != "ok":
        raise Wrong(f"the simulator refuses {' '.join(words)}: {rest}")
    return rest.strip()


def number(*words):
    return int(ctl(*words))


def logins_tried():
    """How often a guest was asked to let somebody in."""
    return number("requests", "AcquireCredentialsInGuest")


def stores():
    """Every session's store that exists, as UID/RANDOM; what root's own
    commands keep is none."""
    found = []
    for uid in os.listdir(STORES):
        if uid.isdigit() and uid != "0":
            found += [f"{uid}/{name}"
                      for name in os.listdir(os.path.join(STORES, uid))]
    return sorted(found)


def owed():
    return sorted(name for _, _, names in os.walk(LEDGER)
                  for name in names if re.fullmatch("[0-9a-f]{32}", name))


def until(what, function, limit=10, say=lambda: ""):
    """Wait for FUNCTION() to be true; its value."""
    end = time.monotonic() + limit
    while True:
        value = function()
        if value:
            return value
        if time.monotonic() > end:
            raise Wrong(f"after {limit} s still not: {what} {say()}\n"
                        f"{syslog()}")
        time.sleep(0.02)


def expect(what, wanted, found):
    if wanted != found:
        raise Wrong(f"{what}: {found!r}, not {wanted!r}\n{syslog()}")


def nothing_left():
    """No ticket, no half-open handshake, no store, no debt."""
    until("no ticket in a guest", lambda: number("tickets") == 0)
    until("no store", lambda: not stores(), say=stores)
    expect("handshakes", 0, number("handshakes"))
    expect("owed", [], owed())


# ---- the log ----

def syslog_size():
    return os.path.getsize(os.path.join(STAGE, "syslog"))


class Log:
    """What came into the log since."""

    start = 0

    @classmethod
    def clear(cls):
        cls.start = syslog_size()

    @classmethod
    def text(cls):
        with open(os.path.join(STAGE, "syslog"), "rb") as f:
            f.seek(cls.start)
            return f.read().decode(errors="backslashreplace")


def syslog():
    return "the log: " + Log.text()


def logged(pattern, limit=5):
    """A line that PATTERN finds is in the log, or soon will be."""
    return until(f"a log line like {pattern}",
                 lambda: re.search(pattern, Log.text(), re.M), limit)


def begin():
    """A check of its own: its log, and nothing that counts against its users
    yet (root may forget how often they tried)."""
    Log.clear()
    shutil.rmtree("/run/guestcred-helper/quota", ignore_errors=True)


def no_secrets():
    """Nothing that was typed or issued is in the log."""
    text = read(os.path.join(STAGE, "syslog"))
    for secret in ("alicepw", "bobpw", "Secr3t.lab", "-unix", "wrong-one"):
        if secret in text:
            raise Wrong(f"the log holds {secret}")
    for word in re.findall(r"[A-Za-z0-9+/]{60,}", text):
        raise Wrong(f"the log holds what may be a token: {word}")


# ---- people ----

def environment(user, **more):
    return {"PATH": PATH, "HOME": f"/run/home/{user}", "USER": user,
            "LOGNAME": user, "SHELL": "/bin/sh", "LC_ALL": "C.UTF-8",
            **more}


def identity(user):
    """subprocess's arguments for somebody who has logged in."""
    uid = UIDS[user]
    return {"user": uid, "group": uid, "extra_groups": [uid],
            "cwd": f"/run/home/{user}" if uid else "/",
            "start_new_session": True}


def run(user, words, stdin="", limit=30, **env):
    """WORDS to their end, as USER; stdout and stderr in one."""
    return subprocess.run(words, input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=limit, check=False,
                          env=environment(user, **env), **identity(user))


def sweep():
    """What the timer does."""
    done = subprocess.run([GUESTCRED, "sweep", "--all-users", "--json",
                           "--config", CONF], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=environment("root"), timeout=30)
    expect(f"sweep's exit status ({done.stdout})", 0, done.returncode)
    return done.stdout


def kinit(user, cache, password=None):
    """A fresh, forwardable ticket of USER's in CACHE."""
    done = run(user, ["kinit", "-f", "-c", cache, f"{user}@{REALM}"],
               (password or user + "pw") + "\n")
    expect(f"kinit's exit status ({done.stdout})", 0, done.returncode)


class Terminal:
    """A program on a terminal of its own, and somebody who types."""

    def __init__(self, user, words, **env):
        self.said = ""
        self.master, slave = pty.openpty()
        os.fchown(slave, UIDS[user], UIDS[user])
        try:
            self.child = subprocess.Popen(
                ["setsid", "--ctty", "--wait", *words], stdin=slave,
                stdout=slave, stderr=slave,
                env=environment(user, TERM="dumb", **env),
                **{**identity(user), "start_new_session": False})
        finally:
            os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self.master)

    def _read(self, end):
        ready, _, _ = select.select([self.master], [], [],
                                    max(0, end - time.monotonic()))
        if not ready:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:  # nobody holds the other end any more
            piece = b""
        self.said += piece.decode(errors="backslashreplace")
        return bool(piece)

    def wait_for(self, pattern, limit=20):
        """Until PATTERN was said, after what was waited for before."""
        end = time.monotonic() + limit
        while not (m := re.search(pattern, self.said)):
            if not self._read(end):
                raise Wrong(f"the terminal never said {pattern}: "
                            f"{self.said}\n{syslog()}")
        self.said = self.said[m.end():]
        return m

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self, limit=20):
        """Read what is left; the exit status."""
        end = time.monotonic() + limit
        while self._read(end):
            pass
        return self.child.wait(limit)


def kill(pids):
    """SIGKILL to processes that a test started itself."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def children(pid):
    """PID's children and theirs, in that order."""
    try:
        listed = read(f"/proc/{pid}/task/{pid}/children").split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    found = [int(word) for word in listed]
    for child in list(found):
        found += children(child)
    return found
