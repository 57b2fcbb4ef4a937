"""What claude talks to instead of the world: a model that follows a script, and an MCP server that asks a person.

The model is the Messages API on loopback, as far as claude uses it; it refuses everything else. A script names, for
each prompt, its rounds: the responses in their order, the last of them again and again. A round is a list of blocks,
which `text` and the functions below it make. The round that is due is read from the conversation itself, so a repeated
request gets the same response.

Run as a program, this file is the MCP server.
"""

import json
import re
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Stands in a tool's input for the file that plan mode tells the model to write to.
PLAN_FILE = "$PLAN_FILE"
# Nothing more comes until claude hangs up, or the model is told to go on.
HOLD = {"type": "hold"}
# The connection is dropped.
CUT = {"type": "cut"}

ERRORS = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}


def text(words):
    return {"type": "text", "text": words}


def thought(words):
    return {"type": "thinking", "thinking": words, "signature": "c2lnbmVk"}


def tool(name, **arguments):
    return {"type": "tool_use", "name": name, "input": arguments}


def stops(reason):
    """Gives the response this `stop_reason`; the last block of its round."""
    return {"type": "stops", "reason": reason}


def fails(status, message=None, **headers):
    """The API refuses; the only block of its round."""
    return {"type": "fails", "status": status, "message": message or ERRORS[status], "headers": headers}


class Model(ThreadingHTTPServer):
    """Serves a script on a free port until it is closed; `go_on` ends every HOLD."""

    daemon_threads = True

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), Api)
        self.script, self.go_on = script, threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_):
        """A claude that hangs up is no error."""

    def close(self):
        self.go_on.set()
        self.shutdown()
        self.server_close()

    def due(self, messages):
        """The blocks of the response to these messages."""
        for at in reversed(range(len(messages))):
            content = messages[at]["content"] if messages[at]["role"] == "user" else []
            for block in [text(content)] if isinstance(content, str) else content:
                if rounds := self.script.get(block.get("text", "").strip()):
                    answered = sum(message["role"] == "assistant" for message in messages[at:])
                    return rounds[min(answered, len(rounds) - 1)]
        return [text("Well.")]


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["content-length"])).decode()
        if "/count_tokens" in self.path:
            return self.reply(200, {"input_tokens": 1000})
        blocks = self.server.due(json.loads(asked)["messages"])
        first, last = blocks[0], blocks[-1]
        if first["type"] == "fails":
            error = {"type": ERRORS[first["status"]], "message": first["message"]}
            return self.reply(first["status"], {"type": "error", "error": error}, first["headers"])
        plans = re.findall(r"[^\s\"`\\]+/plans/[^\s\"`\\]+\.md", asked)
        stop = last.get("reason") or ("tool_use" if last["type"] == "tool_use" else "end_turn")
        self.stream(json.loads(json.dumps(blocks).replace(PLAN_FILE, (plans or ["none"])[-1])), stop)

    def reply(self, status, answer, headers={}):
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in ({"content-type": "application/json", "content-length": len(data)} | headers).items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, blocks, stop):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.event("message_start", message={
            "id": f"msg_{uuid.uuid4().hex[:24]}", "type": "message", "role": "assistant", "model": "claude-scripted",
            "content": [], "stop_reason": None, "stop_sequence": None,
            "usage": {"input_tokens": 1000, "output_tokens": 1},
        })
        for index, block in enumerate(blocks):
            if block["type"] == "hold":
                # Pings find out whether claude is still there.
                while not self.server.go_on.wait(0.1):
                    self.event("ping")
            elif block["type"] == "cut":
                # claude must have read what came before, else it begins anew.
                time.sleep(0.5)
                self.close_connection = True
                return
            elif block["type"] != "stops":
                self.block(index, block)
        self.event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage={"output_tokens": 10})
        self.event("message_stop")
        self.wfile.write(b"0\r\n\r\n")

    def block(self, index, block):
        """A block as it streams: empty, its content in deltas, its end."""
        if block["type"] == "text":
            words = re.findall(r"\S+\s*", block["text"])
            empty, deltas = {"text": ""}, [{"type": "text_delta", "text": word} for word in words]
        elif block["type"] == "thinking":
            empty, deltas = {"thinking": "", "signature": ""}, [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        else:
            block["id"] = f"toolu_{uuid.uuid4().hex[:24]}"
            empty, deltas = {"input": {}}, [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        self.event("content_block_start", index=index, content_block=block | empty)
        for delta in deltas:
            self.event("content_block_delta", index=index, delta=delta)
        self.event("content_block_stop", index=index)

    def event(self, kind, **fields):
        data = f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


FORM = {"type": "object", "required": ["branch"], "properties": {
    "branch": {"type": "string", "title": "Branch", "description": "A git branch"},
    "place": {"type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]},
    "dry": {"type": "boolean"}, "count": {"type": "integer"},
}}


def serve_mcp():
    """An MCP server on stdin and stdout. Its only tool asks a person to fill in a form."""
    call = None
    for line in sys.stdin:
        message = json.loads(line)
        method, number = message.get("method"), message.get("id")
        if method == "initialize":
            tell(number, result={"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                                 "serverInfo": {"name": "asking", "version": "1"}})
        elif method == "tools/list":
            tell(number, result={"tools": [{"name": "ask", "description": "Asks", "inputSchema": {"type": "object"}}]})
        elif method == "tools/call":
            call = number
            tell("form", method="elicitation/create", params={"message": "Where to?", "requestedSchema": FORM})
        elif number == "form":
            tell(call, result={"content": [text(json.dumps(message.get("result")))]})
        elif number is not None:
            tell(number, result={})


def tell(number, **message):
    print(json.dumps({"jsonrpc": "2.0", "id": number} | message), flush=True)


if __name__ == "__main__":
    serve_mcp()
