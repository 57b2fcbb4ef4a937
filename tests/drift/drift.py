#!/usr/bin/env python3
"""What has changed in claude's output since the newest version that telecoder is tested with.

    tests/drift/drift.py                     that version, and npm's latest
    tests/drift/drift.py 2.1.197 ~/claude    any two: a version, or the path of a program
    tests/drift/drift.py --only resume       the scenarios with this word in their names

Both play the scenarios of scenarios.py, without a network and without a login. Compared are shapes: which kinds of
lines come in which order, the fields that they have, and the values of the few fields that telecoder decides by.

Exit code: 0 nothing has changed, 1 something has, 2 it could not be found out.
"""

import argparse
import difflib
import doctest
import json
import platform
import re
import signal
import subprocess
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scenarios import MISSED, SCENARIOS, SETTINGS, Scenario, arguments

CLAUDE = Path(__file__).resolve().parents[2] / "src/claude"
# What differs in one recording may be chance; what differs in all of so many is not.
RECORDINGS = 3
# What has changed in so many scenarios is printed once.
SEVERAL = 3

# Fields whose values count if they are one word or a number.
WORDS = {
    "api_error_status", "api_error_type", "authMethod", "behavior", "cancelled", "decision", "decision_reason_type",
    "error", "error_status", "exit_code", "is_error", "isReplay", "isSynthetic", "kind", "level", "loggedIn", "mode",
    "permissionMode", "reason", "source", "state", "status", "stop_reason", "subtype", "task_type", "terminal_reason",
}
# Lists whose members count.
NAMES = {"capabilities", "flags", "tools"}
# Fields with sentences, which count where they are claude's own.
SENTENCES = {"content", "decision_reason", "error", "errors", "result", "text"}
# Objects whose keys are no names of fields.
KEYED_BY_DATA = {"answers", "by_type", "modelUsage", "model_usage_since_last_result"}
# Kinds of lines that come when a clock says so.
UNTIMELY = {"system/task_progress", "system/thinking_tokens", "tool_progress"}


class CannotTell(Exception):
    """Why it could not be found out, in a sentence."""


def kind(line, calls):
    """What a line is. `calls` keeps the names of the tools that were called, by the ids of the calls.

    >>> kind({"type": "system", "subtype": "init"}, {})
    'system/init'
    >>> kind({"type": "control_request", "request": {"subtype": "can_use_tool", "tool_name": "Bash"}}, {})
    'control_request/can_use_tool/Bash'
    >>> kind({"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "1"}]}}, {"1": "Edit"})
    'user[tool_result Edit]'
    >>> kind({"type": "user", "message": {"content": "hello"}, "isReplay": True}, {})
    'user[text] isReplay'
    """
    of = line["type"]
    if of == "stream_event":
        event = line["event"]
        detail = event.get("delta") or event.get("content_block") or {}
        parts = [event["type"], detail.get("type")]
    elif of == "control_request":
        parts = [line["request"]["subtype"], line["request"].get("tool_name")]
    elif of == "control_response":
        # claude repeats the host's responses to its own requests.
        parts = [line.get("answers") or "the host's", line["response"]["subtype"]]
    else:
        parts = [line.get("subtype")]
    name = "/".join(filter(None, [of, *parts]))
    if of not in ("assistant", "user"):
        return name
    content = line["message"]["content"]
    blocks = [{"type": "text"}] if isinstance(content, str) else content
    calls.update({block["id"]: block["name"] for block in blocks if block["type"] == "tool_use"})
    labels = [" ".join(filter(None, [block["type"], calls.get(block.get("tool_use_id"))])) for block in blocks]
    marks = [mark for mark in ("isReplay", "isSynthetic") if line.get(mark)]
    marks += ["synthetic"] * (line["message"].get("model") == "<synthetic>")
    marks += ["of a subagent"] * bool(line.get("parent_tool_use_id"))
    return " ".join([f"{name}[{'+'.join(labels)}]", *marks])


def has_own_words(line):
    """Whether the sentences of this line are claude's, not the model's or a person's."""
    is_synthetic = '"model": "<synthetic>"' in json.dumps(line)
    return line.get("is_error") or line.get("isSynthetic") or is_synthetic or line["type"] == "control_response"


def beginning(sentence):
    """The beginning of a sentence, without what differs from run to run.

    >>> beginning("No conversation found with session ID: 0b5a8e6f-3ea6-4c2f-9d0c-0123456789ab")
    'No conversation found with session ID: ID'
    >>> beginning("Write /tmp/x/y.md at http://127.0.0.1:80/v1, 12 times")
    'Write PATH at URL, N times'
    """
    sentence = re.sub(r"https?://[^\s),]+", "URL", sentence)
    sentence = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", sentence)
    sentence = re.sub(r"(?<!\w)/[^\s),]+", "PATH", sentence)
    return " ".join(re.sub(r"\d+", "N", sentence).split())[:80]


def facts(value, path, own_words=False):
    """What is so in a line: pairs of the path of a field and its type, or its value where that counts.

    >>> list(facts({"is_error": True, "speed": None, "modelUsage": {"opus": 1}}, ("result",)))
    ... # doctest: +NORMALIZE_WHITESPACE
    [(('result',), 'object'), (('result', 'is_error'), 'true'), (('result', 'speed'), 'null'),
     (('result', 'modelUsage'), 'object'), (('result', 'modelUsage', '*'), 'number')]
    >>> [fact for fact in facts({"content": [{"type": "text", "text": "Hi"}]}, (), True) if fact[1] != "string"]
    ... # doctest: +NORMALIZE_WHITESPACE
    [((), 'object'), (('content',), 'list'), (('content', '[text]'), 'object'), (('content', '[text]', 'text'), '"Hi"')]
    """
    name = next((step for step in reversed(path) if not step.startswith("[")), "")
    if isinstance(value, dict):
        yield path, "object"
        for key, member in value.items():
            yield from facts(member, (*path, "*" if name in KEYED_BY_DATA else key), own_words)
    elif isinstance(value, list):
        yield path, "list"
        for member in value:
            block = member.get("type", "") if name == "content" and isinstance(member, dict) else ""
            yield from facts(member, (*path, f"[{block}]"), own_words)
    elif isinstance(value, str):
        # Whether an MCP server is connected yet is chance.
        counts = name in NAMES and not value.startswith("mcp__") or name in WORDS and value.isidentifier()
        says = name == "decision_reason" or own_words and name in SENTENCES
        yield path, f'"{value}"' if counts else f'"{beginning(value)}"' if says else "string"
    elif value is None:
        yield path, "null"
    else:
        yield path, json.dumps(value) if name in WORDS else "boolean" if isinstance(value, bool) else "number"


def shape(lines):
    """What is so in a recording, and the order of its lines as (kind, state), repetitions left out."""
    calls, found, order = {}, set(), []
    for line in lines:
        of = kind(line, calls)
        found.update(facts(line, (of,), has_own_words(line)))
        step = ("stream_event" if line["type"] == "stream_event" else of, line.get("state") or line.get("status") or "")
        if of not in UNTIMELY and order[-1:] != [step]:
            order.append(step)
    return found, order


def differences(old, new):
    """What is so in all shapes of one side and in none of the other, a line each.

    >>> a = shape([{"type": "result", "stop_reason": None}, {"type": "gone", "x": 1}])
    >>> b = shape([{"type": "result", "stop_reason": "end_turn", "usage": {"a": 1, "b": 2}}])
    >>> differences([a], [b])
    ['- gone {type, x}', '- result: stop_reason: null', '+ result: stop_reason: "end_turn"', '+ result: usage {a, b}']
    >>> differences([a, b], [b])
    []
    """
    ever = [set().union(*(found for found, _ in side)) for side in (old, new)]
    always = [set.intersection(*(found for found, _ in side)) for side in (old, new)]
    gone, added = always[0] - ever[1], always[1] - ever[0]
    paths = [{path for path, _ in side} for side in ever]
    said = []
    for fact in sorted(gone | added, key=lambda fact: (fact[0], fact in added, fact[1])):
        path, what = fact
        # What lies in something that is new or gone is told with it.
        if path[:-1] in paths[0] ^ paths[1]:
            continue
        inside = sorted(other[-1] for other in (paths[0] | paths[1]) - (paths[0] & paths[1]) if other[:-1] == path)
        where = ": ".join(filter(None, [path[0], ".".join(path[1:]).replace(".[", "[")]))
        what = f" {{{', '.join(inside)}}}" if what == "object" else f": {what}"
        said.append(f"{'+' if fact in added else '-'} {where}{what}")
    return said


def reordered(old, new):
    """Where the order has changed, a text for each place, if no two orders are the same. Lines of a kind that only one
    side has do not count: `differences` tells of them.

    >>> orders = [[(name, "") for name in names] for names in ("abc", "acb", "abcd")]
    >>> reordered([(set(), orders[0])], [(set(), orders[1])])
    [' a\\n+c\\n b\\n-c']
    >>> reordered([(set(), orders[0])], [(set(), orders[2])])
    []
    """
    kinds = [{of for _, order in side for of, _ in order} for side in (old, new)]

    def common(order):
        steps = [" ".join(step).strip() for step in order if step[0] in kinds[0] & kinds[1]]
        return [step for at, step in enumerate(steps) if steps[at - 1:at] != [step]]

    before, after = ([common(order) for _, order in side] for side in (old, new))
    if any(order in after for order in before):
        return []
    diff = list(difflib.unified_diff(before[0], after[0], lineterm="", n=1))[2:]
    return [place.strip("\n") for place in re.split(r"(?m)^@@.*$", "\n".join(diff)) if place]


def progress(words):
    """For a person who waits."""
    if sys.stderr.isatty():
        print(words, file=sys.stderr, flush=True)


def compare(scenario, programs):
    """Records a scenario until a change is sure or there is none. Returns the changes, and what nobody came to."""
    sides, missed = ([], []), ([], [])
    for _ in range(RECORDINGS):
        with ThreadPoolExecutor(2) as pool:
            recordings = list(pool.map(scenario.record, programs))
        for side, lines in enumerate(recordings):
            try:
                sides[side].append(shape(lines))
            except (AttributeError, KeyError, TypeError) as error:
                unread = f"{programs[side]} prints a line of no known form in {scenario.name!r}: {error!r}"
                raise CannotTell(unread) from error
            missed[side].extend(line["type"] for line in lines if line["type"].endswith(MISSED))
        changes = differences(*sides) + (reordered(*sides) if scenario.is_ordered else [])
        if not changes:
            break
        progress("  differs")
    return changes, missed[0] if all(missed) else []


def report(changes):
    """Prints {scenario: changes}; those of several scenarios first, with the number of them."""
    seen_in = {}
    for name, found in changes.items():
        for change in found:
            seen_in.setdefault(change, []).append(name)
    several = [change for change in seen_in if len(seen_in[change]) >= SEVERAL]
    groups = {"in several scenarios": sorted(several, key=lambda change: change[2:])}
    groups |= {name: [change for change in found if change not in several] for name, found in changes.items()}
    for name, found in groups.items():
        if found:
            print(f"\n{name}")
        for change in found:
            number = f"   [{len(seen_in[change])}]" if change in several else ""
            if "\n" in change:
                print(f"  the order of lines{number}\n      " + change.replace("\n", "\n      "))
            else:
                print(f"  {change}{number}")


def newest_tested():
    found = re.search(r'^pub const NEWEST_TESTED: &str = "(.+)";$', (CLAUDE / "install.rs").read_text(), re.M)
    if not found:
        raise CannotTell("src/claude/install.rs does not say which claude telecoder is tested with")
    return found[1]


def check_start():
    """The scenarios must start claude as telecoder does; that flags and settings have the same names can be seen."""
    flags = set(re.findall(r'"(--?[a-z][a-zA-Z-]*)"', (CLAUDE / "argv.rs").read_text()))
    settings = set(re.findall(r'"(\w+)"[]:]', (CLAUDE / "settings.rs").read_text()))
    every = arguments(Path("/"), ["--session-id", "--resume"], "default", model_name="default", effort="low")
    differ = (flags ^ {word for word in every if word.startswith("-")}) | (settings ^ set(SETTINGS))
    if differ:
        names = ", ".join(sorted(differ))
        raise CannotTell(f"src/claude and tests/drift/scenarios.py differ in how claude starts: {names}")


def npm(*words):
    try:
        done = subprocess.run(["npm", *words], capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotTell(f"npm does not run: {error}") from error
    if done.returncode:
        raise CannotTell(f"npm {' '.join(words)} failed: {done.stderr.strip()[-400:]}")
    return done.stdout.strip()


def package():
    """The package of this platform, which has the program alone."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if platform.system() != "Linux" or not machine:
        raise CannotTell("the scenarios are for Linux on x86_64 and aarch64")
    return f"@anthropic-ai/claude-code-linux-{machine}"


def program(wanted, folder):
    """The path of a claude, which comes from npm if a version is wanted."""
    path = Path(wanted).expanduser().resolve()
    if "/" not in wanted:
        prefix = Path(folder) / wanted
        npm("install", "--prefix", str(prefix), "--no-audit", "--no-fund", "--no-save", f"{package()}@{wanted}")
        path = prefix / "node_modules" / package() / "claude"
    try:
        said = Scenario("", command=("--version",)).record(str(path))[0]["said"]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotTell(f"{path} does not run: {error}") from error
    print("claude:", said.get("text", said), flush=True)
    return str(path)


def run(options):
    check_start()
    chosen = [scenario for scenario in SCENARIOS if options.only in scenario.name]
    if not chosen:
        raise CannotTell(f"no scenario has {options.only!r} in its name")
    wanted = [options.old or newest_tested(), options.new]
    wanted = [npm("view", f"{package()}@latest", "version") if one == "latest" else one for one in wanted]
    if wanted[0] == wanted[1] and not options.anyway:
        print(f"{wanted[0]} is what it would be compared with: nothing can have changed.")
        return 0
    changes, broken = {}, []
    with tempfile.TemporaryDirectory(prefix="claudes-") as folder:
        programs = [program(one, folder) for one in wanted]
        for number, scenario in enumerate(chosen, 1):
            progress(f"{number}/{len(chosen)} {scenario.name}")
            found, missed = compare(scenario, programs)
            changes |= {scenario.name: found} if found else {}
            broken += [f"{scenario.name} {missed[0]}"] if missed else []
    report(changes)
    every = set().union(*changes.values())
    order = {change for change in every if "\n" in change}
    gone = {change for change in every - order if change.startswith("-")}
    print(f"\n{len(changes)} of {len(chosen)} scenarios have changed (gone: {len(gone)}, new: "
          f"{len(every - order - gone)}, order: {len(order)})." if changes else "\nNothing has changed.")
    if broken:
        raise CannotTell("with both versions, these scenarios do not work: " + ", ".join(broken))
    return 1 if changes else 0


def self_test():
    check_start()
    newest_tested()
    return 1 if doctest.testmod().failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", nargs="?", help="default: NEWEST_TESTED of src/claude/install.rs")
    parser.add_argument("new", nargs="?", default="latest", help="default: latest")
    parser.add_argument("--anyway", action="store_true", help="compare a version with itself")
    parser.add_argument("--only", default="", metavar="WORD", help="only the scenarios with this in their names")
    parser.add_argument("--self-test", action="store_true", help="try the functions of this file, without claude")
    options = parser.parse_args()
    # As Ctrl-C does: what is being played ends what it has started.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        return self_test() if options.self_test else run(options)
    except CannotTell as why:
        print(f"Cannot tell: {why}.", file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
    except Exception:
        # Python's own exit code would say that something has changed.
        traceback.print_exc()
    return 2


if __name__ == "__main__":
    sys.exit(main())
