# SPDX-License-Identifier: Apache-2.0
"""A lab and what happens on it: commands, their output, what they leave.

For tests/scenario/run and the tests in tests/integration/cli.  Everything is
below one directory of its own; nothing is left behind, and only processes that
were started here are signalled, by their id.
"""

import contextlib
import ctypes
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

TOP = os.environ.get("top_srcdir") or os.path.abspath(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.environ.get("top_builddir") or TOP
ROOT = os.geteuid() == 0

# What the status words mean to a script.
EXITS = {
    "denied": 1, "vcenter-denied": 1, "no-credential": 1, "not-supported": 1,
    "not-found": 1, "busy": 3, "unavailable": 3, "untrusted": 1, "protocol": 1,
    "failed": 1, "config": 2, "no-memory": 1, "internal": 1,
}
PASSWORDS = ("Secr3t.lab", "alicepw", "bobpw")
SHORT = {"Acquire": "AcquireCredentialsInGuest",
         "Release": "ReleaseCredentialsInGuest",
         "Validate": "ValidateCredentialsInGuest"}
SANITIZER = re.compile(
    r"ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|"
    r"==\d+==|Assertion .* failed")
# Tokens and tickets are base64, session ids hexadecimal, all of them longer.
SECRET_RUN = re.compile(r"[A-Za-z0-9+]{36,}")


# Orphans come to us and not to an init that may be slow to reap them.
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Wrong(Exception):
    """An expectation that was not met."""


def elf(path):
    """PATH, or what libtool hides behind a script of that name."""
    hidden = os.path.join(os.path.dirname(path), ".libs",
                          os.path.basename(path))
    with open(path, "rb") as f:
        return hidden if f.read(2) == b"#!" else path


COMMAND = elf(os.path.join(BUILD, "guestcred"))
WRAPPER = shlex.split(os.environ.get("GUESTCRED_WRAPPER", ""))


def preload():
    """libcalls.so, which counts calls and breaks some."""
    path = os.path.join(BUILD, "tests/scenario/libcalls.so")
    if not os.path.exists(path):
        raise Wrong(f"{path} is not built")
    return path


def members(directory, suffix):
    try:
        return sorted(n for n in os.listdir(directory) if n.endswith(suffix))
    except (FileNotFoundError, NotADirectoryError):
        return []


def memory():
    """Where files cost no disk: commands sync what they write, and thousands
    of them are run.  TMPDIR has the last word."""
    shm = "/dev/shm"
    if "TMPDIR" not in os.environ and os.path.isdir(shm) and os.access(
            shm, os.W_OK | os.X_OK):
        return shm
    return None


class Lab:
    """tests/lab/lab, up until close()."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="guestcred-scenario.",
                                     dir=memory())
        self.dir = os.path.join(self.base, "lab")
        self.tool = os.path.join(TOP, "tests/lab/lab")
        self.secrets = set(PASSWORDS)
        self.count = 0
        try:
            env = {k: v for k, v in os.environ.items()
                   if not k.startswith(("GUESTCRED_", "GOVC_", "KRB5"))
                   or k == "GUESTCRED_VCSIM"}
            # Children of the simulator are none of ours: leaks there are.
            self.tool_env = env
            self._lab("up", self.dir)
            said = self._lab("env", self.dir)
            self.env = dict(self._assignment(line)
                            for line in said.splitlines())
            with open(os.path.join(self.dir, "alice.cc"), "rb") as f:
                self.cold_cache = f.read()
            self.url = self.env["GUESTCRED_URL"]
            self.port = self.url.rsplit(":", 1)[1]
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _assignment(line):
        name, value = shlex.split(line)[1].split("=", 1)
        return name, value

    def _lab(self, *words):
        done = subprocess.run([self.tool, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.tool_env,
                              timeout=120, check=False)
        if done.returncode != 0:
            raise Wrong(f"lab {' '.join(words)}: {done.stderr.decode()}")
        return done.stdout.decode().strip()

    def close(self):
        if os.path.isdir(self.dir) and os.listdir(self.dir):
            for name in ("kdc", "vcsim"):
                self.proceed(name)
            self._lab("down", self.dir)
        shutil.rmtree(self.base, ignore_errors=True)

    def pid(self, name):
        with open(os.path.join(self.dir, name + ".pid"),
                  encoding="ascii") as f:
            return int(f.read().split()[0])

    def halt(self, name):
        os.kill(self.pid(name), signal.SIGSTOP)

    def proceed(self, name):
        try:
            os.kill(self.pid(name), signal.SIGCONT)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            pass

    def pin(self, name):
        return self._lab("-d", self.dir, "pin", name)

    def ctl(self, *words):
        """One statement; what the simulator answers."""
        if words[0] == "tls":
            return self._lab("-d", self.dir, "ctl", *words)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            try:
                s.connect(os.path.join(self.dir, "ctl"))
            except OSError as why:
                raise Wrong(f"the simulator: {self.died() or why}") from None
            s.sendall(b"".join(w.encode("utf-8", "surrogateescape") + b"\0"
                               for w in words))
            s.shutdown(socket.SHUT_WR)
            said = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    break
                said += piece
        head, _, rest = said.decode().partition("\n")
        if head != "ok":
            raise Wrong(f"the simulator refuses {' '.join(words)}: {rest}")
        return rest.strip()

    def died(self):
        """None, or what the simulator said at its end."""
        said = subprocess.run([self.tool, "-d", self.dir, "status"],
                              stdout=subprocess.PIPE, check=False).stdout
        if b"vcsim runs" in said:
            return None
        with open(os.path.join(self.dir, "vcsim.err"), encoding="utf-8",
                  errors="replace") as f:
            return "it has died: " + f.read()[-2000:]

    def number(self, *words):
        return int(self.ctl(*words))

    def requests(self):
        """METHOD -> how many came in."""
        counts = {}
        for line in self.ctl("list", "requests").splitlines():
            method, _, count = line.split()
            counts[method] = counts.get(method, 0) + int(count)
        return counts

    def work(self):
        """A fresh directory and a simulator as after its start."""
        self.ctl("reset")
        # A reset keeps who may log in.
        self.ctl("set", "password=" + PASSWORDS[0],
                 "username=" + self.env["GUESTCRED_USERNAME"])
        self.count += 1
        return Work(self, os.path.join(self.base, f"w{self.count}"))

    def check_logs(self):
        """No secret of the whole run is in what the simulator wrote down."""
        for name in ("requests.log", "vcsim.err"):
            with open(os.path.join(self.dir, name),
                      encoding="utf-8", errors="replace") as f:
                text = f.read()
            for secret in self.secrets:
                if secret in text:
                    raise Wrong(f"a secret is in {name}")
            if name == "vcsim.err" and SANITIZER.search(text):
                raise Wrong(f"{name}: {text[:2000]}")


class Result:
    def __init__(self, status, out, err, seconds, calls):
        self.status = status
        self.out = out
        self.err = err
        self.seconds = seconds
        self.calls = calls  # method -> requests of this command
        self.json = None

    def __str__(self):
        return (f"exit {self.status} after {self.seconds:.2f} s\n"
                f"stdout: {self.out}\nstderr: {self.err}\n"
                f"requests: {self.calls}")


class Work:
    """One scenario's directory, environment and store."""

    def __init__(self, lab, path):
        self.lab = lab
        self.dir = path
        self.store = os.path.join(path, "store")
        for name in ("", "home", "tmp"):
            os.mkdir(os.path.join(path, name), 0o700)
        with open(os.path.join(path, "alice.cc"), "wb") as f:
            f.write(lab.cold_cache)
        os.chmod(os.path.join(path, "alice.cc"), 0o600)
        self.write("conf", "# nothing\n")
        passed = {k: v for k, v in os.environ.items()
                  if k in ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH")
                  or "SAN_" in k}
        self.env = {
            **passed, **lab.env,
            "GUESTCRED_CONFIG": os.path.join(path, "conf"),
            "GUESTCRED_STORE": self.store,
            "KRB5CCNAME": "FILE:" + os.path.join(path, "alice.cc"),
            "HOME": os.path.join(path, "home"),
            "TMPDIR": os.path.join(path, "tmp"),
            "XDG_STATE_HOME": os.path.join(path, "state"),
            "WORK": path, "LAB": lab.dir, "GUESTCRED": COMMAND,
        }
        self.env["ASAN_OPTIONS"] = ":".join(
            filter(None, [self.env.get("ASAN_OPTIONS"), "exitcode=99",
                          "verify_asan_link_order=0"]))
        self.listing = set()

    def forgive_leaks(self):
        """gss-ntlmssp's; a slower unwinder finds that they are its own."""
        self.env["LSAN_OPTIONS"] = (
            f"suppressions={TOP}/tests/lsan.supp:print_suppressions=0")
        self.env["ASAN_OPTIONS"] += ":fast_unwind_on_malloc=0"

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes)
                    else text.encode("utf-8", "surrogateescape"))
        os.chmod(path, mode)
        return path

    def read(self, name):
        with open(os.path.join(self.dir, name), encoding="utf-8",
                  errors="surrogateescape") as f:
            return f.read()

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    # What is left.

    def states(self):
        """The states of the store's entries, of each as many as there are."""
        found = []
        for name in members(self.store, ""):
            if not re.fullmatch("[0-9a-f]{32}", name):
                continue
            with contextlib.suppress(OSError), open(
                    os.path.join(self.store, name), encoding="utf-8",
                    errors="replace") as f:
                text = f.read()
                if text.startswith("guestcred 1 entry\n") \
                        and text.endswith("\nend\n"):
                    found += re.findall("^state=(.*)$", text, re.M) or [
                        "intent"]
        return found

    def stored(self):
        """How many tickets the store has to be used."""
        return self.states().count("ticket")

    def owed(self):
        """How many it has to be released."""
        return self.states().count("owed")

    def lost(self):
        """How many handshakes it says to be lost."""
        return self.states().count("lost")

    def files(self):
        return {os.path.join(at, name)[len(self.dir) + 1:]
                for at, _, names in os.walk(self.dir) for name in names}

    def learn(self):
        """Know the secrets that are on disk now."""
        for name in members(self.store, ""):
            try:
                with open(os.path.join(self.store, name),
                          encoding="utf-8", errors="replace") as f:
                    text = f.read(1 << 20)
            except OSError:
                continue
            for m in re.finditer("^(?:ticket|id)=(.{16,})$", text, re.M):
                self.lab.secrets.add(m.group(1))

    def check_secrets(self, result, tickets_allowed=False):
        """No secret in what RESULT said, but tickets where they are meant."""
        self.learn()
        out = result.out
        if tickets_allowed:
            for m in re.finditer(r'"ticket"\s*:\s*"([^"]*)"', out):
                self.lab.secrets.add(m.group(1))
            out = re.sub(r'("ticket"\s*:\s*")[^"]*', r"\1", out)
        for where, text in (("stdout", out), ("stderr", result.err)):
            # Pins are public, and of that form; so is the lab's directory.
            text = re.sub(r"sha256//\S{44}", "", text)
            for secret in self.lab.secrets:
                if secret in text:
                    raise Wrong(f"a secret is in {where}")
            m = SECRET_RUN.search(text)
            if m and m.group().strip("aA=x"):
                raise Wrong(f"{where} has what may be a secret: {m.group()}")

    # Running.

    def shell(self, line):
        done = subprocess.run(["sh", "-eu", "-c", line], env=self.env,
                              cwd=self.dir, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60,
                              check=False)
        if done.returncode != 0:
            raise Wrong(f"sh: {line}: {done.stdout.decode()}")

    def start(self, args, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
              closed=None, env=None):
        """The command, in a process group of its own."""
        words = [*WRAPPER, COMMAND, *args]
        if closed is not None:
            words = ["sh", "-c", f'exec "$0" "$@" {closed}', *words]
        return subprocess.Popen(words, stdin=stdin, stdout=stdout,
                                stderr=subprocess.PIPE, cwd=self.dir,
                                env={**self.env, **(env or {})},
                                start_new_session=True)

    def run(self, args, stdin=b"", limit=20, meanwhile=None, stdout=None,
            closed=None, env=None, blind=False):
        """Run the command to its end.  MEANWHILE(process) is called at once.
        BLIND: the simulator cannot be asked right now."""
        before = {} if blind else self.lab.requests()
        begin = time.monotonic()
        target = subprocess.PIPE if stdout is None else open(stdout, "wb")
        try:
            child = self.start(args, target, subprocess.PIPE, closed, env)
        finally:
            if stdout is not None:
                target.close()
        try:
            if meanwhile is not None:
                meanwhile(child)
            out, err = child.communicate(stdin, timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            raise Wrong(f"still there after {limit} s\nstdout: "
                        f"{(out or b'').decode(errors='replace')}\nstderr: "
                        f"{err.decode(errors='replace')}") from None
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            raise
        seconds = time.monotonic() - begin
        self._alone(child.pid)
        after = before if blind else self.lab.requests()
        calls = {m: n - before.get(m, 0) for m, n in after.items()
                 if n != before.get(m, 0)}
        result = Result(child.returncode, (out or b"").decode("utf-8",
                        "backslashreplace"),
                        err.decode("utf-8", "backslashreplace"), seconds,
                        calls)
        if SANITIZER.search(result.err) or result.status == 99:
            raise Wrong(f"a sanitizer speaks\n{result}")
        return result

    @staticmethod
    def _alone(group):
        """No process of GROUP outlives the command."""
        for _ in range(1000):
            try:
                os.waitpid(-group, os.WNOHANG)
            except ChildProcessError:
                pass
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return
            time.sleep(0.002)
        os.killpg(group, signal.SIGKILL)
        raise Wrong("a process outlived the command")

    def wait_for(self, method, count, child, limit=10):
        """Until METHOD has come in COUNT times."""
        method = SHORT.get(method, method)
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if self.lab.number("requests", method) >= count:
                return
            if child.poll() is not None:
                raise Wrong(f"ended before {method} {count} came in")
            time.sleep(0.005)
        raise Wrong(f"{method} did not come in {count} times")


class Tap:
    """TAP lines for tests that are programs; many() spreads work over labs."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, title, function, *args, known=None, **named):
        self.count += 1
        if known:
            # In halves: what is meant is TAP's word.
            title += " # TO" + f"DO {known}"
        try:
            function(*args, **named)
            print(f"ok {self.count} - {title}", flush=True)
        except Exception as why:  # pylint: disable=broad-except
            self.failed += not known
            print(f"not ok {self.count} - {title}", flush=True)
            text = str(why) if isinstance(why, Wrong) else repr(why)
            for line in text.split("\n"):
                print(f"#   {line[:2000]}", flush=True)

    def skip(self, title, why):
        self.count += 1
        print(f"ok {self.count} - {title} # SKIP {why}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def spread(labs, jobs, function):
    """function(lab, job) of all JOBS, shared out among LABS; the first few
    that went wrong are told together."""
    todo = list(enumerate(jobs))
    wrong = []
    lock = threading.Lock()

    def work(lab):
        while True:
            with lock:
                if not todo:
                    return
                _, job = todo.pop(0)
            try:
                function(lab, job)
            except Exception as why:  # pylint: disable=broad-except
                with lock:
                    wrong.append(f"{job}: {why}")

    threads = [threading.Thread(target=work, args=(lab,)) for lab in labs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if wrong:
        raise Wrong(f"{len(wrong)} of {len(jobs)}:\n" + "\n".join(wrong[:8]))
