# SPDX-License-Identifier: Apache-2.0
"""The stage from inside: logins over the real libpam, the lab, what is left.

A test file calls enter(), which starts tests/pam/stage around it, decorates its
tests with @test and ends with done().  After each test nothing may live in a
guest that a sweep does not find, no helper may run, and no secret be logged;
then everything is as before the first.
"""

import contextlib
import ctypes
import fcntl
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
UIDS = {"root": 0, "alice": 2001, "bob": 2002, "carol": 2003,
        "alice@corp.example": 2004, "CORP\\bob": 2005,
        "guestcred": 990, "low": 991, "nobody": 65534}
LOGIN = "/run/built/login"
GUESTCRED = "/run/built/guestcred"
LAB = "/run/lab"
CONF = "/etc/guestcred/guestcred.conf"
RUN = "/run/guestcred"
HELPER_RUN = "/run/guestcred-helper"
VM = ("vm=vm-42", "spn=host/guest1.example.test")
VM2 = ("vm=vm-43", "spn=host/guest2.example.test")
PATH = "/run/built:/usr/sbin:/usr/bin:/sbin:/bin"
# What the service files make of PAM_IGNORE in account and session.
IGNORED = "ABORT"
SECRETS = ("Secr3t.lab", "alicepw", "bobpw")
# A ticket as the simulator writes it, or anything of that sort.
SECRET_RUN = re.compile(r"[A-Za-z0-9+/]{48,}")
QUIET = {"caller", "limit", "soft", "umask", "nice", "cwd", "ignore", "block", "reap",
         "environ", "password", "password-file", "answer", "silent"}

libc = ctypes.CDLL(None, use_errno=True)


class Wrong(Exception):
    """An expectation that was not met."""


def not_sanitized(why):
    """Skip where the module, and so the host, has a sanitizer in it."""
    with open(os.environ["PAM_MODULE"], "rb") as f:
        if b"__asan_init" in f.read():
            raise Skip(f"not with a sanitizer: {why}")


class Skip(Exception):
    """This machine cannot; why."""


def same(actual, expected, what=""):
    if actual != expected:
        raise Wrong(f"{what or 'it'} is {actual!r}, not {expected!r}")


def holds(condition, what):
    if not condition:
        raise Wrong(what)


def enter():
    """Go on inside the stage; outside, end with what came of it."""
    if "STAGE" in os.environ:
        return
    done = subprocess.run(
        [os.path.join(HERE, "stage"), sys.executable, "-B",
         os.path.abspath(sys.argv[0]), *sys.argv[1:]],
        stderr=subprocess.PIPE, check=False)
    err = done.stderr.decode(errors="replace")
    if done.returncode == 77:
        print(f"1..0 # SKIP {err.strip().split(': ', 1)[-1]}")
        sys.exit(0)
    sys.stderr.write(err)
    sys.exit(done.returncode)


# ---- the lab ----

def ctl(*words):
    """One statement; what the simulator answers."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(LAB + "/ctl")
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


def tickets(vm=None):
    return number("tickets", *([vm] if vm else []))


def requests(method="*", vm=None):
    return number("requests", method, *([vm] if vm else []))


LOGINS = os.environ.get("GUESTCRED_STATE", "") + "/logins"


def entries():
    """The entries of root's stores of logins: path -> text."""
    found = {}
    for at, _, names in os.walk(LOGINS):
        for name in names:
            with contextlib.suppress(OSError):
                if re.fullmatch("[0-9a-f]{32}", name):
                    with open(f"{at}/{name}", encoding="utf-8") as f:
                        found[f"{at}/{name}"] = f.read()
    return found


def owed():
    """The states of all entries."""
    return sorted(re.search(r"^state=(\w+)$", text, re.M)[1]
                  for text in entries().values())


@contextlib.contextmanager
def locked_stores():
    """The locks of root's stores of logins are ours."""
    with contextlib.ExitStack() as stack:
        for at, _, names in os.walk(LOGINS):
            if "lock" in names:
                lock = stack.enter_context(open(f"{at}/lock", "rb"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def await_owed(*states):
    """Until root's stores of logins have entries in STATES."""
    end = time.monotonic() + 5
    while owed() != sorted(states):
        if time.monotonic() > end:
            raise Wrong(f"owed is {owed()}, not {states}")
        time.sleep(0.005)


def await_requests(count, method="AcquireCredentialsInGuest", vm=None):
    """Until COUNT of them have come in."""
    end = time.monotonic() + 5
    while requests(method, vm) < count:
        if time.monotonic() > end:
            raise Wrong(f"{requests(method, vm)} {method}, not {count}")
        time.sleep(0.005)


def grant_everything(vm="vm-42"):
    """A guest, an ESXi host or a vCenter that likes whatever it is shown."""
    ctl("on", vm, "Acquire", "*", "reply", "200", "application/json",
        '{"_typeName":"TicketedSessionAuthentication",'
        '"interactiveSession":false,"ticket":"granted"}')
    ctl("on", vm, "Release", "*", "reply", "204", "application/json", "")


def pid_of(name):
    with open(f"{LAB}/{name}.pid", encoding="ascii") as f:
        return int(f.read().split()[0])


@contextlib.contextmanager
def halted(name):
    """The KDC or vCenter, stopped."""
    os.kill(pid_of(name), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid_of(name), signal.SIGCONT)


# ---- the machine ----

def write(path, text, mode=0o644, uid=0):
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    os.chown(path, uid, uid)
    os.chmod(path, mode)
    return path


def configure(*lines, end="\n", **changes):
    """/etc/guestcred/guestcred.conf: the lab's vCenter, and LINES."""
    values = {"url": os.environ["GUESTCRED_URL"],
              "username": os.environ["GUESTCRED_USERNAME"],
              "password_file": LAB + "/password", "ca_file": LAB + "/ca.pem",
              "helper": os.environ["PAM_HELPER"], **changes}
    write(CONF, "\n".join([*(f"{k} = {v}" for k, v in values.items()
                             if v is not None), *lines]) + end)


def service(name, *args, conf=CONF):
    """A service of our module alone, with a code of its own for IGNORE."""
    line = " ".join(["[%s]" % a if " " in a else a
                     for a in (os.environ["PAM_MODULE"], "conf=" + conf,
                               *args)])
    rest = "[success=done ignore=ignore default=die] " + line
    write(f"/etc/pam.d/{name}",
          f"auth required {line}\n"
          f"account {rest}\naccount required pam_debug.so acct=abort\n"
          f"session {rest}\nsession required pam_debug.so "
          "open_session=abort close_session=abort\n")
    return name


def run(*words, uid=0, env=None, data=None):
    """A command as UID, or as an account; its status and all it said."""
    uid = UIDS.get(uid, uid)
    done = subprocess.run(
        words, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": PATH, "HOME": "/", **(env or {})}, cwd="/", user=uid,
        group=uid, extra_groups=[], timeout=60, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def must(*words, **how):
    status, said = run(*words, **how)
    if status != 0:
        raise Wrong(f"{' '.join(words)}: exit {status}\n{said}")
    return said


def may_raise_limits():
    """CAP_SYS_RESOURCE, which root lacks in some containers."""
    with open("/proc/self/status", encoding="utf-8") as f:
        return bool(int(re.search(r"CapEff:\t(\w+)", f.read())[1], 16)
                    >> 24 & 1)


def kinit(who, cache=None, principal=None, password=None, conf=None):
    """A cache of WHO's own; its name."""
    cache = cache or f"/tmp/krb5cc_{UIDS[who]}"
    principal = principal or who
    password = password or principal.split("@")[0] + "pw"
    must("kinit", "-c", cache, principal, uid=who,
         data=password.encode() + b"\n",
         env={"KRB5_CONFIG": conf} if conf else None)
    return cache


def root_env(**more):
    return {k: v for k, v in os.environ.items()
            if k.startswith("GUESTCRED_") or "SAN_" in k} | more


def sweep_unit(key):
    """What the timer's service says of KEY."""
    with open(os.path.join(os.environ["top_srcdir"], "contrib/systemd",
                           "guestcred-sweep.service.in"),
              encoding="ascii") as f:
        return next(line.split("=", 1)[1].strip() for line in f
                    if line.startswith(key + "="))


def try_sweep():
    """As the timer does it, with no capability but those of its service."""
    caps = ["+" + name.removeprefix("CAP_").lower()
            for name in sweep_unit("CapabilityBoundingSet").split()]
    return run("setpriv", "--bounding-set", ",".join(["-all", *caps]),
               "--inh-caps=-all", "--no-new-privs", GUESTCRED, "sweep",
               "--all-users", env=root_env())


def sweep():
    status, said = try_sweep()
    same(status, 0, f"a sweep, which says {said!r},")
    return said


def log():
    with open(os.environ["STAGE"] + "/syslog", encoding="utf-8",
              errors="replace") as f:
        return f.read()


def logged(text, what=None):
    """Wait for it: /dev/log is read by another process."""
    for _ in range(200):
        if text in log():
            return
        time.sleep(0.01)
    raise Wrong(f"not logged: {what or text!r}")


def stores(user):
    """The directories of tickets of USER's sessions."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(os.listdir(f"{RUN}/{UIDS[user]}"))
    return []


def helpers():
    """The living processes of the helper's program: pid -> real uid."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, TypeError):
            program = os.readlink(f"/proc/{pid}/exe").rsplit("/", 1)[1]
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                status = f.read()
            if (program.split(" ")[0] in ("guestcred-helper", "other-helper")
                    and not re.search(r"^State:\t[ZX]", status, re.M)):
                found[int(pid)] = int(
                    re.search(r"^Uid:\t(\d+)", status, re.M)[1])
    return found


def await_helper(user=None, seconds=5):
    """The pid of a helper, or of its child that has become USER."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pid, uid in helpers().items():
            if uid == UIDS.get(user, 0):
                return pid
        time.sleep(0.005)
    raise Wrong(f"no helper of {user or 'root'}'s runs")


class Forks:
    """How often process PID forks from now on, until it ends."""

    SEIZE, CONT, OPTIONS = 0x4206, 7, 0x0e  # fork, vfork, clone

    def __init__(self, pid):
        self.pid, self.count = pid, 0
        self._begun = threading.Event()
        self._seized = False
        # Only the thread that seizes can go on.
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        self._begun.wait()
        if not self._seized:
            raise Skip("processes cannot be traced here")

    def _watch(self):
        trace = libc.ptrace
        trace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                          ctypes.c_void_p]
        trace.restype = ctypes.c_long
        self._seized = trace(self.SEIZE, self.pid, None, self.OPTIONS) == 0
        self._begun.set()
        while self._seized:
            pid, status = os.waitpid(self.pid, 0x40000000)  # __WALL
            if not os.WIFSTOPPED(status):
                return
            event, number = status >> 16, os.WSTOPSIG(status)
            self.count += event != 0
            trace(self.CONT, pid, None, 0 if event else number)

    def ended(self):
        """It has; the number."""
        self._thread.join(10)
        if self._thread.is_alive():
            raise Wrong(f"{self.pid} does not end")
        return self.count


def as_user(user, work):
    """WORK in a forked child that is USER; the text it returned."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setresgid(*[UIDS[user]] * 3)
            os.setresuid(*[UIDS[user]] * 3)
            try:
                said = str(work())
            except Exception as why:
                said = f"{type(why).__name__}: {why}"
            os.write(writer, said.encode())
            status = 0
        os._exit(status)
    os.close(writer)
    said = b""
    while piece := os.read(reader, 65536):
        said += piece
    os.close(reader)
    same(os.waitpid(pid, 0)[1], 0, "a child's end")
    return said.decode()


# ---- a login ----

class Login:
    """A PAM host; each do() is a step, see tests/pam/login.c.  THROUGH: the
    words of a command that it is run by."""

    alive = []

    def __init__(self, service_name, user, *steps, env=None, through=()):
        self.said = []
        self.ms = 0
        self._rest = b""
        words = [service_name, user]
        self.child = subprocess.Popen(
            [*through, LOGIN, *words, "-"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/",
            env={"PATH": PATH, **(env or {}),
                 **{k: v for k, v in os.environ.items() if "SAN_" in k}})
        Login.alive.append(self)
        self.do(*steps)

    def post(self, step):
        """Have it begin STEP."""
        self.child.stdin.write(step.encode() + b"\n")
        self.child.stdin.flush()

    def _line(self, end):
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [],
                                              left)[0]:
                raise Wrong("a login says nothing: " + "; ".join(self.said))
            piece = os.read(self.child.stdout.fileno(), 65536)
            if not piece:
                raise Wrong("a login ended: " + "; ".join(self.said))
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode(errors="replace")

    def result(self, step, seconds=45):
        """What became of STEP; what was said on the way is in SAID."""
        word = "fork" if step == "}" else step.split(":")[0]
        end = time.monotonic() + seconds
        while True:
            line = self._line(end)
            words = line.split(" ")
            if words[0] == word and len(words) == 3:
                self.ms = int(words[2])
                return words[1]
            self.said.append(line)
            if line.startswith("login: "):
                raise Wrong(line)

    def do(self, *steps):
        """All of them; the last one's result."""
        result = None
        for step in steps:
            word, colon, _ = step.partition(":")
            self.post(step)
            if (word not in QUIET and step != "fork{"
                    and not (word == "close" and colon)):
                self.said.clear()
                result = self.result(step)
        return result

    def both(self, step, *more):
        """STEP in this process and, with MORE behind it, in a child at the
        same time: what they came to, in the order of their ends."""
        for word in ("aside{", step, *more, "}", step, "join"):
            self.post(word)
        self.said.clear()
        results = [self.result(step) for _ in range(2)]
        self.result("join")
        return results

    def expect(self, step, wanted):
        same(self.do(step), wanted, step)

    def env(self):
        self.do("env")
        return dict(line[4:].split("=", 1) for line in self.said
                    if line.startswith("env "))

    def copies(self):
        """GUESTCRED_LOGIN, a directory which must be there."""
        name = self.env().get("GUESTCRED_LOGIN", "")
        holds(name.startswith("/run/guestcred/"),
              f"GUESTCRED_LOGIN is {name!r}")
        holds(os.path.isdir(name), f"{name} is not there")
        return name

    def heard(self, word):
        return [line.split(" ", 1)[1] for line in self.said
                if line.startswith(word + " ")]

    def kill(self):
        self.child.kill()
        self.gone()

    def gone(self, seconds=20):
        """No more steps; it ends."""
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        status = self.child.wait(seconds)
        self.child.stdout.close()
        with contextlib.suppress(ValueError):
            Login.alive.remove(self)
        return status

    def end(self):
        self.expect("end", "SUCCESS")
        return self.gone()


def password_login(name, user, *steps, **how):
    return Login(name, user, f"password:{user}pw", *steps, **how)


def go(name, user, *steps, **how):
    """A login of one step that matters: its last, whose result it is."""
    login = Login(name, user, **how)
    result = login.do(*steps)
    said = login.said[:]
    login.gone()
    return result, said


# ---- a way to the lab that can be cut ----

class Wire:
    """A TCP forwarder to 127.0.0.1:PORT: open, cut (nobody listens), or slow
    (a pause before every piece)."""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.pause = 0.0
        self.listener = None
        self.connections = set()
        self.mend()

    def mend(self):
        if self.listener is None:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", getattr(self, "port", 0)))
            listener.listen(64)
            self.port = listener.getsockname()[1]
            self.listener = listener
            threading.Thread(target=self._accept, args=(listener,),
                             daemon=True).start()

    def cut(self):
        if self.listener is not None:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for s in list(self.connections):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b),
                                 daemon=True).start()

    def _pump(self, a, b):
        self.connections.add(a)
        with contextlib.suppress(OSError):
            while piece := a.recv(65536):
                if self.pause:
                    time.sleep(self.pause)
                b.sendall(piece)
        with contextlib.suppress(OSError):
            b.shutdown(socket.SHUT_WR)
        self.connections.discard(a)


# ---- tests ----

_tests = []


def test(text):
    def add(function):
        _tests.append((text, function))
        return function
    return add


def forget_quota():
    """As if a minute had passed."""
    shutil.rmtree(HELPER_RUN + "/quota", ignore_errors=True)


def wipe():
    """As after a boot."""
    for place in (RUN, HELPER_RUN, os.environ["GUESTCRED_STATE"]):
        shutil.rmtree(place, ignore_errors=True)
    for name in os.listdir("/tmp"):
        if name.startswith(("krb5cc", "cc")):
            os.unlink("/tmp/" + name)
    ctl("reset")
    with open(os.environ["STAGE"] + "/syslog", "wb"):
        pass
    configure()


def settle():
    """Nothing of this test may be left."""
    for login in list(Login.alive):
        login.kill()
    end = time.monotonic() + 3
    while helpers() and time.monotonic() < end:
        time.sleep(0.01)
    if helpers():
        left = helpers()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise Wrong(f"helpers are left: {left}")
    said = sweep()
    if tickets() != 0:
        raise Wrong(f"after the sweep ({said.strip()}) {tickets()} tickets "
                    "live")
    lines = log()
    for secret in SECRETS:
        if secret in lines:
            raise Wrong(f"{secret} was logged")
    if found := SECRET_RUN.search(re.sub(r"/run/\S+", "", lines)):
        raise Wrong(f"this was logged: {found[0]}")


def _do(function):
    wipe()
    try:
        function()
    except BaseException:
        with contextlib.suppress(Exception):
            settle()
        raise
    settle()


def done():
    """Run them (those whose number or text the arguments name), print TAP."""
    wanted = sys.argv[1:]
    bad = 0
    print(f"1..{len(_tests)}", flush=True)
    for i, (text, function) in enumerate(_tests, 1):
        if wanted and str(i) not in wanted and not any(
                w in text for w in wanted if not w.isdigit()):
            continue
        began = time.monotonic()
        try:
            _do(function)
            print(f"ok {i} - {text}")
        except Skip as why:
            print(f"ok {i} - {text} # SKIP {why}")
        except Exception as why:
            bad += 1
            print(f"not ok {i} - {text}")
            told = (str(why) if isinstance(why, Wrong)
                    else traceback.format_exc())
            at = traceback.extract_tb(why.__traceback__)
            told += "\n" + "; ".join(
                f"{f.name}:{f.lineno}" for f in at if "machine.py" not in
                f.filename)
            for line in (told + "\n" + log()[-3000:]).splitlines():
                print("#   " + line)
        print(f"#   {time.monotonic() - began:.2f} s", flush=True)
    sys.exit(1 if bad else 0)
