# SPDX-License-Identifier: Apache-2.0
"""The rules of the house, as data and as checks over a source tree.

Every check takes the root of a tree and returns what is wrong in it, one
sentence a finding.  test-rules plants one offence for each and looks that it
is found.  Knows nothing of TAP or of how the tree was built.
"""

import os
import re
import subprocess

SPDX = "SPDX-License-Identifier: Apache-2.0"

# ---------------------------------------------------------------------------
# The tree
# ---------------------------------------------------------------------------

SKIP_DIRS = {".git", "autom4te.cache", "build-aux", ".deps", ".libs", "_inst",
             "__pycache__"}


def tracked(root):
    """Every file of the project under ROOT, relative, sorted."""
    if os.path.exists(os.path.join(root, ".git")):
        git = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached",
             "--others", "--exclude-standard"],
            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if git.returncode == 0:
            names = git.stdout.decode().split("\0")
            return sorted(n for n in names
                          if n and os.path.isfile(os.path.join(root, n)))
    # A tarball or a copy, perhaps with a build in it.
    made = {"configure", "configure~", "aclocal.m4", "config.h.in",
            "config.h.in~", "Makefile.in", "Makefile", "config.h",
            "config.log", "config.status", "libtool", "stamp-h1"}
    found = []
    for here, dirs, names in os.walk(root):
        if here != root and "config.status" in names:
            dirs[:] = []  # a build of its own, such as distcheck's
            continue
        dirs[:] = [d for d in dirs if d not in SKIP_DIRS and not (
            here == root and d.startswith(("build", "guestcred-")))]
        for name in names:
            path = os.path.relpath(os.path.join(here, name), root)
            if path in made or re.fullmatch(r"m4/l[^/]*\.m4", path):
                continue
            if re.search(r"\.(o|lo|la|log|trs|xz)$|/\.dirstamp$", path):
                continue
            if is_binary(os.path.join(root, path)):
                continue
            found.append(path)
    return sorted(found)


def is_binary(path):
    with open(path, "rb") as f:
        return b"\0" in f.read(8192)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def c_files(root, *rooms):
    """The .c and .h files whose path starts with one of ROOMS."""
    return [p for p in tracked(root)
            if p.endswith((".c", ".h")) and p.startswith(rooms)]


SHIPPED = ("gss/", "src/", "pam_module/")
OURS = SHIPPED + ("tests/",)

# ---------------------------------------------------------------------------
# C, as far as a grep that must not lie needs it
# ---------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<block>/\*.*?\*/)|(?P<line>//[^\n]*)"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<char>'(?:\\.|[^'\\\n])*')""",
    re.S)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def code(text):
    """TEXT without comments and without what stands in strings."""
    def replace(m):
        if m.group("block") or m.group("line"):
            return _blank(m.group())
        return m.group()[0] + _blank(m.group()[1:-1]) + m.group()[-1]
    return _TOKEN.sub(replace, text)


def line_comments(text):
    """Line numbers of // comments."""
    return [text.count("\n", 0, m.start()) + 1
            for m in _TOKEN.finditer(text) if m.group("line")]


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)',
                      re.M)


def includes(text):
    """(quoted, angled) names that TEXT includes, in order."""
    # Strings are blanked by code(), so comments alone are removed here.
    bare = _TOKEN.sub(lambda m: _blank(m.group())
                      if m.group("block") or m.group("line") else m.group(),
                      text)
    found = [m.groups() for m in _INCLUDE.finditer(bare)]
    return [q for q, _ in found if q], [a for _, a in found if a]


def functions(text):
    """(name, first line, lines) of each function defined in TEXT, which is
    laid out as .clang-format has it: braces of functions in column 0."""
    lines = code(text).split("\n")
    found, start = [], None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            head = "\n".join(lines[max(0, start - 12):start - 1])
            names = re.findall(r"^(\w+)\(", head, re.M)
            if names:
                found.append((names[-1], start, number - start + 1))
            start = None
    return found


# ---------------------------------------------------------------------------
# Rooms and arrows
# ---------------------------------------------------------------------------

# room -> what its files may include of ours.  A name is a file without its
# extension; a name with a final slash is a directory.  The most exact room that
# a file belongs to counts.
BASE = ["src/base/"]
VIM = BASE + ["gss/", "src/json", "src/base64", "src/vim/"]
# Of src/vim/ the tickets know two headers of plain data; only the guest seam's
# implementation knows the rest.
TICKETS = BASE + ["gss/", "src/tickets/", "src/vim/exchange", "src/vim/vc_info"]
BELOW = VIM + ["src/options", "src/secret", "src/tickets/"]
ROOMS = {
    "src/base/": BASE,
    "gss/": BASE + ["gss/"],
    **{alone: BASE for alone in
       ("src/json", "src/base64", "src/options", "src/secret")},
    "src/vim/": VIM,
    "src/vim/http": BASE + ["src/vim/address"],
    "src/tickets/": TICKETS,
    "src/tickets/ticket_json": TICKETS + ["src/json", "src/vim/guest_call"],
    "src/tickets/vcenter": TICKETS + VIM,
    "src/guestcred": [],
    "src/api/": BELOW + ["src/api/", "src/guestcred"],
    "src/cli/": BELOW + ["src/cli/"],
    "src/helper/": BELOW + ["src/helper/"],
    # The PAM module links these: nothing with a foreign library behind it.
    "src/helper/wire": BASE,
    "pam_module/": BASE + ["pam_module/", "src/options", "src/helper/wire"],
    # The simulator would repeat our mistakes.
    "tests/lab/": ["tests/lab/"],
    "tests/": BASE + ["gss/", "src/", "pam_module/", "tests/"],
}

# Foreign headers, and the only places from which they may be reached.
FOREIGN_HEADERS = {
    "GSS-API": (r"gssapi(/|\.h)|krb5(/|\.h)|com_err\.h|et/", ["gss/"]),
    "libcurl": (r"curl/", ["src/vim/http.c"]),
    "cJSON": (r"cjson/|cJSON\.h", ["src/json.c"]),
    "libcrypto": (r"openssl/", ["src/base64.c"]),
    "PAM": (r"security/", ["pam_module/"]),
    "libmicrohttpd": (r"microhttpd\.h|gnutls/", []),
}
# What src/ sees of gss/.
NO_GSSAPI = {"gss/spn", "gss/initiator.h", "gss/initiator_thread",
             "gss/account.h", "gss/verifier.h"}


def _stem(path):
    return re.sub(r"\.[ch]$", "", path)


def _matches(path, names):
    stem = _stem(path)
    return any(stem.startswith(n) if n.endswith("/") else stem == n or path == n
               for n in names)


def room_of(path):
    """The most exact key of ROOMS that PATH belongs to, or None."""
    keys = [k for k in ROOMS if _matches(path, [k])]
    return max(keys, key=len) if keys else None


def may_include(path, target):
    """Whether a C file at PATH may include TARGET; both from the root."""
    if _stem(target) == _stem(path):
        return True
    room = room_of(path)
    return room is not None and _matches(target, ROOMS[room])


def check_arrows(root):
    wrong = []
    for path in c_files(root, *OURS):
        if room_of(path) is None:
            wrong.append(f"{path}: no such room; name it in house.py and "
                         "doc/ARCHITECTURE.md")
            continue
        for target in includes(read(root, path))[0]:
            if not os.path.isfile(os.path.join(root, target)):
                wrong.append(f'{path}: "{target}" is not a path from the root')
            elif not may_include(path, target):
                wrong.append(f"{path} must not include {target}")
    return wrong


def check_circles(root):
    """Inside a room too: no two files that need each other.  A header without
    a .c is a part of the files that share it."""
    paths = c_files(root, *SHIPPED)
    needs = {_stem(p): set() for p in paths if p.endswith(".c")}
    for path in paths:
        if _stem(path) in needs:
            needs[_stem(path)] |= {_stem(t) for t in
                                   includes(read(root, path))[0]}
    wrong, done = [], set()

    def walk(stem, trail):
        if stem in trail:
            wrong.append(" needs ".join(trail[trail.index(stem):] + [stem]))
        elif stem in needs and stem not in done:
            for other in sorted(needs[stem] - {stem}):
                walk(other, trail + [stem])
            done.add(stem)

    for stem in sorted(needs):
        walk(stem, [])
    return wrong


def _reached(root, path, seen):
    """All angled includes PATH reaches through our own headers, and how."""
    quoted, angled = includes(read(root, path))
    found = [(name, path) for name in angled]
    for target in quoted:
        if target not in seen and os.path.isfile(os.path.join(root, target)):
            seen.add(target)
            found += _reached(root, target, seen)
    return found


def check_foreign_headers(root):
    wrong = []
    for path in c_files(root, *SHIPPED):
        for name, by in _reached(root, path, {path}):
            for library, (pattern, homes) in FOREIGN_HEADERS.items():
                if not re.match(pattern, name):
                    continue
                home = any(path.startswith(h) if h.endswith("/") else path == h
                           for h in homes)
                if library == "GSS-API" and (_stem(path) in NO_GSSAPI
                                             or path in NO_GSSAPI):
                    home = False
                if not home:
                    via = "" if by == path else f" (through {by})"
                    wrong.append(f"{path} reaches <{name}>{via}: {library} "
                                 f"stays in {', '.join(homes) or 'tests/lab/'}")
    return sorted(set(wrong))


# ---------------------------------------------------------------------------
# Text of the sources
# ---------------------------------------------------------------------------

STRINGS = ["strcpy", "strcat", "stpcpy", "sprintf", "vsprintf", "strncpy",
           "strncat", "strtok", "gets", "tmpnam", "tempnam", "mktemp",
           "alloca"]
NUMBERS = ["atoi", "atol", "atoll", "atof", "strtol", "strtoul", "strtoll",
           "strtoull", "strtod", "sscanf"]
BANNED = {
    # The lab too; other tests may be plain.
    "gss/ src/ pam_module/ tests/lab/": STRINGS + ["atoi", "atol", "atoll"],
    "tests/": ["gets", "tmpnam", "tempnam", "mktemp"],
    # What is shipped: no raw number parsing, no shell, no wipe that the
    # compiler may drop, no growth that leaves a secret behind, no environment
    # but through the command's door.
    "gss/ src/ pam_module/": NUMBERS + [
        "system", "popen", "getenv", "secure_getenv", "setenv", "putenv",
        "unsetenv", "memset", "bzero", "realloc", "reallocarray", "strdupa"],
    # Rooms never print, never exit, never assert on what came from outside.
    "gss/ src/base/ src/json src/base64 src/vim/ src/options src/secret "
    "src/tickets/ src/helper/logins src/helper/map "
    "src/helper/quota pam_module/": [
        "printf", "vprintf", "puts", "putchar", "perror", "exit", "abort",
        "assert", "err", "errx", "warn", "warnx"],
}
# (file, function): why it may.
ALLOWED = {
    ("src/options.c", "strtol"): "the one place that reads numbers",
    ("src/json.c", "strtoll"): "an integer whose digits were checked first",
    ("src/options.c", "reallocarray"): "an array of option values, no secret",
    ("src/tickets/entry.c", "reallocarray"): "pointers to secrets, no bytes",
    ("src/helper/main.c", "setenv"): "an environment that is ours alone",
    ("src/cli/connect.c", "setenv"): "a program's word to a library",
    ("src/cli/targets.c", "reallocarray"): "an array of names, no secret",
    ("src/cli/ticket_file.c", "reallocarray"): "pointers to secrets, no bytes",
}


def allowed(path, name):
    if (path, name) in ALLOWED:
        return True
    return name == "secure_getenv" and path.startswith("src/cli/")


def check_banned(root):
    wrong = []
    for path in c_files(root, *OURS):
        text = code(read(root, path))
        names = set()
        for places, banned in BANNED.items():
            if path.startswith(tuple(places.split())):
                names.update(banned)
        pattern = r"(?<![\w.>])(" + "|".join(sorted(names)) + r")\s*\("
        for m in re.finditer(pattern, text):
            # Filling with something is not wiping.
            if m.group(1) == "memset" and not re.match(
                    r"[^,;]*,\s*(0|'\s\s+')\s*,", text[m.end():]):
                continue
            if not allowed(path, m.group(1)):
                line = text.count("\n", 0, m.start()) + 1
                wrong.append(f"{path}:{line}: {m.group(1)} is banned here")
    return wrong


def check_line_comments(root):
    return [f"{path}:{line}: // is for debugging"
            for path in c_files(root, *OURS)
            for line in line_comments(read(root, path))]


def check_beginnings(root):
    wrong = []
    for path in c_files(root, *OURS):
        text = read(root, path)
        lines = text.split("\n")
        if lines[0] != f"/* {SPDX} */":
            wrong.append(f"{path}: line 1 is not the SPDX line")
        # A .c whose header says what the room is need not say it again.
        own_header = path.endswith(".c") and os.path.isfile(
            os.path.join(root, _stem(path) + ".h"))
        if not own_header and not lines[1:2][0].startswith("/*"):
            wrong.append(f"{path}: line 2 does not begin the header comment")
        if path.endswith(".c"):
            first = _INCLUDE.search(text)
            if not first or first.group(2) != "config.h":
                wrong.append(f"{path}: the first include is not <config.h>")
        elif path.startswith(SHIPPED) and path != "src/guestcred.h":
            guard = "GC_" + re.sub(r"[/.]", "_", path).upper()
            if not re.search(rf"^#ifndef {guard}\n#define {guard}$", text,
                             re.M):
                wrong.append(f"{path}: the include guard is not {guard}")
    return wrong


def check_script_beginnings(root):
    wrong = []
    for path in tracked(root):
        full = os.path.join(root, path)
        if is_binary(full) or path.endswith((".c", ".h")):
            continue
        with open(full, "rb") as f:
            head = f.read(400).decode("utf-8", "replace")
        if head.startswith("#!"):
            if not os.access(full, os.X_OK):
                wrong.append(f"{path}: a script that is not executable")
            if SPDX not in head:
                wrong.append(f"{path}: no SPDX line")
    return wrong


def check_display_status(root):
    """GSS-API's own texts are fetched in one place."""
    uses = [path for path in c_files(root, *SHIPPED)
            for _ in re.finditer(r"\bgss_display_status\s*\(",
                                 code(read(root, path)))]
    if uses == ["gss/gssmsg.c"]:
        return []
    return [f"gss_display_status is used in: {', '.join(uses) or 'no file'}; "
            "once, in gss/gssmsg.c, is what is wanted"]


FUNCTION_LIMIT = 100
FUNCTION_AIM = 60


def long_functions(root, limit):
    return [f"{path}:{line}: {name} has {length} lines"
            for path in c_files(root, *SHIPPED, "tests/lab/")
            for name, line, length in functions(read(root, path))
            if length > limit]


def check_function_length(root):
    return long_functions(root, FUNCTION_LIMIT)


# Written in halves, so that this file does not find itself.
FOREIGN_WORDS = [
    (r"/wo" r"rk/", "a path of somebody's machine"),
    (r"/fa" r"rm/", "a path of somebody's machine"),
    (r"/ho" r"me/(?!\*|\$|USER|user|alice|bob|lab)\w", "a path of somebody's machine"),
    (r"/tmp/(b-|bash_" r"jobs)", "a path of somebody's machine"),
    (r"\.libr" r"ary\b", "a path of somebody's machine"),
    # TAP's own "# ... {bug}" in a test runner is no such word.
    (r"\b(TO" r"DO(?! \{)|FIX" r"ME)\b|\bX" r"XX\b",
     "unfinished by its own word"),
    (r"\bthe le" r"ad\b(?!ing)|\bbr" r"ief\.md\b|\bissues? sh" r"ow\b",
     "a word about how it was written"),
    (r"\b(see" r"ds|refer" r"ence|design)/?\w*\.(md|txt)\b",
     "a document that is not in the tree"),
]


def check_words(root):
    wrong = []
    for path in tracked(root):
        full = os.path.join(root, path)
        if path == "LICENSE" or is_binary(full):
            continue
        try:
            lines = read(root, path).split("\n")
        except UnicodeDecodeError:
            # A corpus of broken text is there to be broken.
            if not path.startswith(("tests/fuzz/", "tests/scenario/")):
                wrong.append(f"{path}: not UTF-8")
            continue
        for number, line in enumerate(lines, 1):
            for pattern, why in FOREIGN_WORDS:
                m = re.search(pattern, line)
                if m:
                    wrong.append(f"{path}:{number}: '{m.group()}': {why}")
    return wrong


def check_layout(root):
    """Tabs, trailing blanks and over-long lines, where no formatter rules."""
    wrong = []
    for path in c_files(root, *OURS):
        for number, line in enumerate(read(root, path).split("\n"), 1):
            if "\t" in line:
                wrong.append(f"{path}:{number}: a tab")
            if line != line.rstrip():
                wrong.append(f"{path}:{number}: blanks at the end")
            if len(line) > 80 and "http" not in line:
                wrong.append(f"{path}:{number}: {len(line)} columns")
    return wrong


def check_shipped(root, names):
    """Every file of the checkout is one of NAMES, those of the tarball."""
    apart = {".gitignore"}
    return [f"{path}: would be missing from the tarball"
            for path in tracked(root)
            if path not in names and path not in apart]


# ---------------------------------------------------------------------------
# Rooms once more, from the objects: what the linker sees
# ---------------------------------------------------------------------------

# room -> the foreign libraries whose symbols its objects may want.
FOREIGN_LIBRARIES = {
    "gssapi_krb5": ["gss/"],
    "krb5": ["gss/"],
    "curl": ["src/vim/http"],
    "cjson": ["src/json"],
    "crypto": ["src/base64"],
    "pam": ["pam_module/"],
}
# Left behind by compilers, sanitizers and coverage.
RUNTIME = re.compile(r"__(a|ub|l|t|m)san_|__sanitizer_|__gcov_|__llvm_|"
                     r"__sancov_|__stack_chk|_GLOBAL_OFFSET_TABLE_|__dso_handle|"
                     r"__start_|__stop_|__odr_asan|_ITM_|__gmon_start__|"
                     r"__asan|__ubsan")


def object_room(name):
    """The source, from the root and without extension, of object NAME:
    'gss/.libs/libgss_la-spn.o' and 'src/cli/guestcred-main.o' alike."""
    directory, base = os.path.split(name)
    directory = re.sub(r"(^|/)\.libs$", "", directory)
    base = re.sub(r"\.o$", "", base)
    base = re.sub(r"^[A-Za-z0-9_]+-", "", base)
    return os.path.join(directory, base)


def check_symbols(wants, provides, foreign, libc):
    """WANTS: source -> undefined symbols; PROVIDES: symbol -> sources; FOREIGN:
    library -> its symbols; LIBC: symbols open to all."""
    wrong = []
    for source in sorted(wants):
        for symbol in sorted(wants[source]):
            if RUNTIME.match(symbol) or symbol in libc:
                continue
            owners = provides.get(symbol)
            if owners:
                if not any(may_include(source + ".c", o + ".h")
                           for o in owners):
                    wrong.append(f"{source} links to {symbol} of "
                                 f"{', '.join(owners)}")
                continue
            if source.startswith("tests/"):
                continue
            homes = [(lib, FOREIGN_LIBRARIES.get(lib, []))
                     for lib in foreign if symbol in foreign[lib]]
            if not homes:
                wrong.append(f"{source} links to {symbol}, which is nobody's")
            elif source in NO_GSSAPI or not any(
                    source.startswith(h) if h.endswith("/") else source == h
                    for _, hs in homes for h in hs):
                wrong.append(f"{source} links to {symbol} of lib{homes[0][0]}")
    return wrong


# ---------------------------------------------------------------------------
# The command line: help, manual and the design say the same
# ---------------------------------------------------------------------------

COMMANDS = {"acquire", "list", "validate", "release", "sweep", "config"}
# Named already, and answered with a sentence and exit status 2.
COMMANDS_TO_COME = {"run", "cp", "ps", "kill", "doctor"}


def options_in_help(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text))


def options_in_manual(text):
    """Long options in mdoc source: "Fl -url", "Fl \\-url"."""
    return {"--" + name for name in
            re.findall(r"\bFl (?:\\?-|\\&-)([a-z][a-z-]*[a-z])", text)}


def rows_in_table(text):
    """(name, takers) of every option in the C table of TEXT."""
    return re.findall(r'X\(\w+,\s*"([a-z0-9-]+)",[^"]*?\b(?:FLAG|TEXT|LIST)'
                      r',([^"]*?)(?:,\s*NULL|,\s*$|")',
                      text.replace("\\\n", ""))


def options_in_table(text):
    """The command's long options, and those that no table has."""
    return {"--help", "--version"} | {
        "--" + name for name, who in rows_in_table(text)
        if re.search(r"\bGC_ON_(?!PAM\b)", who)}


def pam_options_in_table(text, takers):
    """Options of the C table in TEXT that one of TAKERS takes, as arguments."""
    return {name.replace("-", "_") for name, who in rows_in_table(text)
            if any(re.search(rf"\b{taker}\b", who) for taker in takers)}


def items_in_section(manual, title):
    """What the .It lines of mdoc section TITLE name first, written with _."""
    sections = re.split(r"^\.Sh ", manual, flags=re.M)
    text = "".join(s for s in sections if s.split("\n", 1)[0] == title)
    return {name.replace("-", "_") for name in
            re.findall(r"^\.It (?:Cm|Ic) ([a-z0-9_-]+)", text, re.M)}


def written_with_dashes(manual):
    """Options that MANUAL's .It lines write with a dash."""
    return re.findall(r"^\.It Cm ([a-z0-9_]+-[a-z0-9_-]+)", manual, re.M)


def arguments_in_service(text):
    """What the lines of a PAM service in TEXT give our module."""
    return [argument for line in re.findall(
        r"^[^#\n]*\bpam_guestcred\.so\b(.*)$", text, re.M)
            for argument in line.split()]


def compare_options(named, want):
    """NAMED: where -> set of options; findings where one is not WANT."""
    wrong = []
    for where, options in named.items():
        for option in sorted(want - options):
            wrong.append(f"{option} is missing in {where}")
        for option in sorted(options - want):
            wrong.append(f"{option} in {where} is not in the table of options")
    return wrong
