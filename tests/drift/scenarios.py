"""The scenarios: what of claude telecoder depends on, played with one version of it.

A new one is an entry of SCENARIOS: a name, the script of the model, and what the host does while claude works on it.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import model
from model import CUT, HOLD, PLAN_FILE, Model, fails, stops, text, thought, tool

# How long a step may take, in seconds, and how long claude is silent when it has nothing left to say.
PATIENCE = 45
SILENCE = 0.4
# Every process that a scenario starts inherits this, so that none is left behind.
MARK = "TELECODER_DRIFT"
GO = "Please go ahead."
# How the line of a recording ends that stands for what did not come.
MISSED = " did not come)"


def arguments(folder, conversation, mode, model_name=None, effort=None):
    """As src/claude/argv.rs builds them."""
    return [
        "-p", "--verbose", "--output-format", "stream-json", "--include-partial-messages",
        "--input-format", "stream-json", "--replay-user-messages", "--permission-mode", mode,
        "--permission-prompt-tool", "stdio", *conversation, *(["--model", model_name] if model_name else []),
        "--add-dir", str(folder / "outbox"), "--append-system-prompt", "Files for the person go into the outbox.",
        *(["--effort", effort] if effort else []), "--allow-dangerously-skip-permissions",
        "--settings", str(folder / "settings.json"), "--disallowedTools", "SendMessage,ListAgents",
    ]


# As src/claude/settings.rs writes them.
SETTINGS = {"cleanupPeriodDays": 3650, "crossSessionInbound": "refuse", "useAutoModeDuringPlan": False,
            "permissions": {"allow": [], "additionalDirectories": []}}


class Host:
    """telecoder's part in one scenario, in a folder of its own. `lines` is the recording."""

    def __init__(self, program, scenario):
        self.program, self.scenario, self.lines, self.requests = program, scenario, [], {}
        self.claude = self.reader = None
        self.folder = Path(tempfile.mkdtemp(prefix="drift-"))
        self.workspace = self.folder / "workspace"
        for name in ("home", "workspace", "tmp", "outbox"):
            (self.folder / name).mkdir()
        (self.folder / "settings.json").write_text(json.dumps(SETTINGS))
        servers = {"asking": {"type": "stdio", "command": sys.executable, "args": [model.__file__]}}
        (self.folder / "home/.claude.json").write_text(json.dumps({"mcpServers": servers}))
        self.model = Model(scenario.script)

    def close(self):
        """Ends all that was started here and removes the folder."""
        mark = f"{MARK}={self.folder}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                pass  # It is another user's, or has ended.
        if self.claude:
            self.claude.wait()
        self.model.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        """Nothing of the caller's: no login, and no way out, since the model is the proxy and refuses to be one."""
        environment = {
            "PATH": os.defpath, "HOME": str(self.folder / "home"), "LANG": "C.UTF-8", MARK: str(self.folder),
            "ANTHROPIC_BASE_URL": self.model.url, "ANTHROPIC_API_KEY": "test-key",
            "HTTP_PROXY": self.model.url, "HTTPS_PROXY": self.model.url, "NO_PROXY": "127.0.0.1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "2",
            "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_TMPDIR": str(self.folder / "tmp"), "TELECODER_OUTBOX": str(self.folder / "outbox"),
            # Root may bypass permissions.
            "IS_SANDBOX": "1",
            # As src/claude/environment.rs adds them.
            "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1", "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
        } | self.scenario.environment
        return {name: value for name, value in environment.items() if value is not None}

    def command(self, *words):
        """Runs a command of claude's own to its end."""
        done = subprocess.run([self.program, *words], cwd=self.workspace, env=self.environment(), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
        try:
            said = json.loads(done.stdout)
        except ValueError:
            flags = sorted(set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", done.stdout)))
            said = {"flags": flags} if flags else {"text": done.stdout.strip()}
        self.lines.append({"type": " ".join(words), "said": said, "exit_code": done.returncode})

    def start(self, *conversation, **more):
        """Starts claude as a run of telecoder does."""
        self.began = len(self.lines)
        self.claude = subprocess.Popen(
            [self.program, *arguments(self.folder, conversation, self.scenario.mode, **more)], cwd=self.workspace,
            env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.control("initialize", systemPromptSnapshot=False)

    def read(self):
        for line in self.claude.stdout:
            try:
                line = json.loads(line)
            except ValueError:
                line = {"type": "(not JSON)"}
            if line["type"] == "control_response":
                # Its shape depends on what it answers.
                line["answers"] = self.requests.get(line["response"]["request_id"])
            self.lines.append(line)
            self.heard = time.monotonic()
            if line["type"] == "control_request" and self.scenario.answer:
                self.answer(line, self.scenario.answer(line["request"]))

    def send(self, **line):
        try:
            self.claude.stdin.write((json.dumps(line) + "\n").encode())
            self.claude.stdin.flush()
        except OSError:
            pass  # It has ended; its recording says how.

    def answer(self, request, response):
        self.send(type="control_response", response={
            "subtype": "success", "request_id": request["request_id"], "response": response})

    def control(self, subtype, **fields):
        """Asks claude for something and waits for the response."""
        number = f"{subtype}-{len(self.requests)}"
        self.requests[number] = subtype
        self.send(type="control_request", request_id=number, request={"subtype": subtype} | fields)
        self.until(f"the response to {subtype}",
                   lambda line: line["type"] == "control_response" and line["response"]["request_id"] == number)

    def until(self, what, is_it):
        """Waits for a line of this claude. What does not come is part of the recording."""
        return self.wait(what, lambda: next((line for line in self.lines[self.began:] if is_it(line)), None))

    def wait(self, what, look):
        deadline = time.monotonic() + PATIENCE
        while True:
            is_over = not self.reader.is_alive()
            if (found := look()) or is_over:
                return found
            if time.monotonic() > deadline:
                return self.lines.append({"type": f"({what}{MISSED}"})
            time.sleep(0.02)

    def has_nothing_to_do(self):
        lines = self.lines[self.began:]
        states = [line["state"] for line in self.lines[self.said:] if line.get("subtype") == "session_state_changed"]
        begun, ended = ({line["task_id"] for line in lines if line.get("subtype") == subtype}
                        for subtype in ("task_started", "task_notification"))
        return states[-1:] == ["idle"] and begun <= ended and time.monotonic() - self.heard > SILENCE

    # What the host of a scenario does, one method a step:

    def says(self, words=GO):
        self.prompt, self.said = str(uuid.uuid4()), len(self.lines)
        self.send(type="user", message={"role": "user", "content": words}, uuid=self.prompt)

    def rests(self):
        """Until claude has nothing left to do."""
        self.wait("idle", self.has_nothing_to_do)

    def ends(self):
        """Lets claude exit, as telecoder does."""
        self.rests()
        self.control("end_session")
        self.wait("the exit", lambda: self.claude.poll() is not None)
        self.reader.join(PATIENCE)
        self.lines.append({"type": "(exit)", "exit_code": self.claude.poll()})

    def resumes(self):
        """Ends claude and goes on in the same conversation, with all that telecoder may pass."""
        self.ends()
        conversation = next(line["session_id"] for line in self.lines if "session_id" in line)
        self.start("--resume", conversation, model_name="default", effort="low")
        self.says()

    def calls(self):
        """Until the model calls a tool, and a moment more."""
        self.until("a call", lambda line: line["type"] == "assistant" and '"tool_use"' in json.dumps(line["message"]))
        time.sleep(SILENCE)

    def writes(self):
        """Until words stream, and a moment more."""
        self.until("words", lambda line: line["type"] == "stream_event" and '"text_delta"' in json.dumps(line["event"]))
        time.sleep(SILENCE)

    def hears_that_it_runs(self):
        """Until claude says that a call is still running: every 30 seconds."""
        self.until("a heartbeat", lambda line: line["type"] == "tool_progress")

    def withdraws(self):
        """Takes the last prompt back, which a second time is too late."""
        time.sleep(SILENCE)
        for _ in range(2):
            self.control("cancel_async_message", message_uuid=self.prompt)

    def lets_go(self):
        """Ends UNTIL_TOLD and HOLD."""
        time.sleep(SILENCE)
        (self.workspace / "go").touch()
        self.model.go_on.set()

    def reads_the_plan(self):
        request = self.until("a request", lambda line: line["type"] == "control_request")
        self.control("get_plan")
        self.answer(request, allow(request["request"]))


def says(words):
    return lambda host: host.says(words)


def control(subtype, **fields):
    return lambda host: host.control(subtype, **fields)


def allow(request):
    """What a person answers who agrees to everything."""
    if request["subtype"] == "elicitation":
        return {"action": "accept", "content": {"branch": "main", "dry": False, "count": 2}}
    given = request.get("input", {})
    answers = {asked["question"]: asked["options"][0]["label"] for asked in given.get("questions", [])}
    return {"behavior": "allow", "updatedInput": given | ({"answers": answers} if answers else {})}


def deny(_request):
    return {"behavior": "deny", "message": "The user did not allow this."}


@dataclass
class Scenario:
    name: str
    # Prompt -> rounds; a list is the rounds of GO.
    script: dict | list = field(default_factory=dict)
    # What the host does between its prompt, GO, and the end.
    steps: tuple = ()
    mode: str = "bypassPermissions"
    # What the host answers to each request of claude's; None leaves it without an answer.
    answer: Callable | None = allow
    environment: dict = field(default_factory=dict)
    # The conversation that it resumes.
    resumes: str | None = None
    # A command of claude's own instead of a run.
    command: tuple = ()
    # Whether its lines come in the same order every time.
    is_ordered: bool = True

    def __post_init__(self):
        self.script = {GO: self.script} if isinstance(self.script, list) else self.script

    def record(self, program):
        """Plays it with this claude; all lines that came."""
        host = Host(program, self)
        try:
            if self.command:
                host.command(*self.command)
            else:
                host.start(*(["--resume", self.resumes] if self.resumes else ["--session-id", str(uuid.uuid4())]))
                for step in (Host.says, *self.steps, Host.ends):
                    step(host)
            return host.lines
        finally:
            host.close()


def bash(line, **more):
    return tool("Bash", command=line, description="Does it", **more)


DONE = [text("All is done.")]
UNTIL_TOLD = bash("until [ -e go ]; do /bin/sleep 0.1; done")
ENDLESS = bash("tail -f /dev/null")
TOUCH = [[bash("touch made")], DONE]
PLAN = [[tool("Write", file_path=PLAN_FILE, content="# Plan\n\n1. Do it")], [tool("ExitPlanMode")], DONE]
AGENT = tool("Agent", description="Lists", prompt="List the files.", subagent_type="general-purpose")
QUESTIONS = tool("AskUserQuestion", questions=[
    {"question": f"Which {name}?", "header": name, "multiSelect": several,
     "options": [{"label": label, "description": label} for label in ("One", "Two")]}
    for name, several in (("disk", False), ("extras", True))])
TO_DO = [[tool("TaskCreate", subject="Read", description="Read it")],
         [tool("TaskUpdate", taskId="1", status="completed")], [tool("TaskList")], DONE]
LIMITED = {"anthropic_ratelimit_unified_status": "rejected", "anthropic_ratelimit_unified_reset": "4102444800"}
NO_LOGIN = {"ANTHROPIC_API_KEY": None}
INTERRUPT = control("interrupt")

SCENARIOS = [
    Scenario("an answer", [[text("Hello, there.")]]),
    Scenario("thinking", [[thought("A short answer will do."), text("Hello.")]]),
    Scenario("tools", [[text("I look first."), bash("ls")], [bash("ls nowhere")],
                       [tool("Write", file_path="notes", content="a\n")],
                       [tool("Edit", file_path="notes", old_string="a", new_string="b")], DONE]),
    Scenario("the list of tasks", TO_DO),
    Scenario("permission given", [[bash("touch made")], [tool("Write", file_path="new", content="a")], DONE],
             mode="default"),
    Scenario("permission refused", TOUCH, mode="default", answer=deny),
    Scenario("permission, then an interrupt", TOUCH, (Host.calls, INTERRUPT), "default", None),
    Scenario("a mode in which nobody is asked", TOUCH, mode="dontAsk"),
    Scenario("questions", [[QUESTIONS], DONE]),
    Scenario("a plan, approved", PLAN, (Host.reads_the_plan,), "plan", None),
    Scenario("a plan, refused", PLAN, mode="plan", answer=deny),
    Scenario("a command while planning", TOUCH, mode="plan"),
    Scenario("a form", [[tool("mcp__asking__ask")], DONE]),
    Scenario("interrupt in a tool", [[ENDLESS]], (Host.calls, INTERRUPT)),
    Scenario("interrupt in a text", [[text("So far"), HOLD]], (Host.writes, INTERRUPT)),
    Scenario("a long command", [[UNTIL_TOLD], DONE], (Host.hears_that_it_runs, Host.lets_go)),
    Scenario("a message while a tool runs", [[UNTIL_TOLD], DONE], (Host.calls, says("With tabs."), Host.lets_go)),
    Scenario("messages while a text is written", {GO: [[text("So far"), HOLD]], "But this.": [DONE]},
             (Host.writes, says("But this."), says("Not this."), Host.withdraws, Host.lets_go)),
    Scenario("mode and model while it runs", [[UNTIL_TOLD], *TOUCH], (
        Host.calls, control("set_permission_mode", mode="bypassPermissions"), control("set_model", model="haiku"),
        control("no_such_request"), Host.lets_go), "acceptEdits"),
    Scenario("a subagent", {GO: [[AGENT], DONE], "List the files.": [[bash("ls")], DONE]}, is_ordered=False),
    Scenario("background work", [[bash("/bin/sleep 1", run_in_background=True)], DONE]),
    Scenario("resume", [DONE], (Host.resumes,)),
    Scenario("resume of what there is not", [DONE], resumes="6f4cbd0c-8f0e-4c3b-9a55-3f5a0f5c9a11"),
    Scenario("/compact", [DONE], (Host.rests, Host.says, Host.rests, Host.says, Host.rests, says("/compact"))),
    Scenario("/clear and /context", [DONE], (Host.rests, says("/clear"), Host.rests, says("/context"))),
    Scenario("an unknown command", [DONE], (Host.rests, says("/nosuch thing"))),
    Scenario("an answer that is cut", [[text("So far, "), CUT]]),
    Scenario("an answer that is too long", [[text("And more, "), stops("max_tokens")]]),
    Scenario("a refusal of the model", [[text("No."), stops("refusal")]]),
    Scenario("a wrong key", [[fails(401)]]),
    Scenario("a usage limit", [[fails(429, **LIMITED)]]),
    Scenario("an overloaded API", [[fails(529)]]),
    Scenario("a conversation that is too long", [[fails(400, "prompt is too long: 250000 tokens > 200000 maximum")]]),
    Scenario("no login", environment=NO_LOGIN),
    Scenario("claude auth status", command=("auth", "status")),
    Scenario("claude auth status, no login", command=("auth", "status"), environment=NO_LOGIN),
    Scenario("claude --version", command=("--version",)),
    Scenario("claude --help", command=("--help",)),
]
