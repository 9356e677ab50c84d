"""A client of a language server: one request at a time, each with a limit."""

import json
import os
import queue
import subprocess
import threading
from pathlib import Path

# The document changed while the server computed. The request is repeated.
CONTENT_MODIFIED = -32801
CANCELLED = -32802


class Refused(Exception):
    """The server's answer to a request was an error."""


class Server:
    def __init__(self, command, folder, options, log):
        self.options = options
        self.number = 0
        self.messages = queue.Queue()
        self.quiescent = False
        # The address is a closed port, so that rustup never installs a component.
        env = dict(os.environ, RUSTUP_DIST_SERVER="http://127.0.0.1:9", CARGO_NET_OFFLINE="true")
        self.process = subprocess.Popen(
            [command], cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "wb")
        )
        threading.Thread(target=self._read, daemon=True).start()
        self._initialize(folder)

    def _read(self):
        stream = self.process.stdout
        while True:
            length = None
            while True:
                line = stream.readline()
                if not line:
                    self.messages.put(None)
                    return
                line = line.strip()
                if not line:
                    break
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self.messages.put(json.loads(stream.read(length)))

    def _send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _next(self, limit):
        """Handles the next message. Returns it if it is an answer, or None if it is a request or a notification of the server."""
        try:
            message = self.messages.get(timeout=limit)
        except queue.Empty:
            raise TimeoutError(f"the server has said nothing for {limit} s") from None
        if message is None:
            raise EOFError("the server has ended; its log says why")
        method = message.get("method")
        if method is None:
            return message
        if method == "experimental/serverStatus":
            self.quiescent = message["params"].get("quiescent", False)
            if message["params"].get("health") == "error":
                raise Refused(message["params"].get("message"))
        if "id" in message:
            result = None
            if method == "workspace/configuration":
                result = [self.options for _ in message["params"]["items"]]
            self._send({"id": message["id"], "result": result})
        return None

    def request(self, method, params, limit=120):
        for _ in range(20):
            self.number += 1
            self._send({"id": self.number, "method": method, "params": params})
            while True:
                message = self._next(limit)
                if message is not None and message.get("id") == self.number:
                    break
            error = message.get("error")
            if error is None:
                return message.get("result")
            if error["code"] not in (CONTENT_MODIFIED, CANCELLED):
                raise Refused(f"{method}: {error['message']}")
        raise Refused(f"{method}: its answer is out of date each time")

    def notify(self, method, params):
        self._send({"method": method, "params": params})

    def _initialize(self, folder):
        uri = Path(folder).as_uri()
        text_document = {
            "hover": {"contentFormat": ["markdown"]},
            "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
            "definition": {"linkSupport": False},
            "diagnostic": {"dynamicRegistration": False},
        }
        self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": uri,
                "workspaceFolders": [{"uri": uri, "name": "states"}],
                "initializationOptions": self.options,
                "capabilities": {
                    "textDocument": text_document,
                    "workspace": {"configuration": True},
                    "experimental": {"serverStatusNotification": True},
                },
            },
        )
        self.notify("initialized", {})

    def wait_until_quiescent(self, limit=1200):
        """Waits until the crate is loaded and its macros are built."""
        while not self.quiescent:
            self._next(limit)

    def stop(self):
        try:
            self.request("shutdown", None, limit=20)
            self.notify("exit", None)
            self.process.wait(timeout=20)
        except (Refused, EOFError, TimeoutError, subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()


class Document:
    """One file. Its text is the one in the editor, which need not be saved."""

    def __init__(self, server, path):
        self.server, self.version = server, 1
        self.uri = Path(path).as_uri()
        self.text = Path(path).read_text()
        server.notify(
            "textDocument/didOpen",
            {"textDocument": {"uri": self.uri, "languageId": "rust", "version": 1, "text": self.text}},
        )

    def change(self, text):
        self.version += 1
        self.text = text
        self.server.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": self.uri, "version": self.version}, "contentChanges": [{"text": text}]},
        )

    def _at(self, method, offset, **more):
        before = self.text[:offset]
        line = before.count("\n")
        # The states' texts are ASCII, so each character is one UTF-16 code unit.
        position = {"line": line, "character": len(before) - (before.rfind("\n") + 1)}
        return self.server.request(method, {"textDocument": {"uri": self.uri}, "position": position, **more})

    def hover(self, offset):
        found = self._at("textDocument/hover", offset)
        return found["contents"]["value"] if found else ""

    def targets(self, offset):
        found = self._at("textDocument/definition", offset) or []
        return found if isinstance(found, list) else [found]

    def completions(self, offset):
        found = self._at("textDocument/completion", offset) or []
        return [item["label"] for item in (found["items"] if isinstance(found, dict) else found)]

    def diagnostics(self):
        """Returns the server's own diagnostics, without cargo's, each with the text that it marks."""
        found = self.server.request("textDocument/diagnostic", {"textDocument": {"uri": self.uri}})
        return [(item["message"], self._within(item["range"])) for item in found.get("items", [])]

    def _within(self, range_):
        lines = self.text.split("\n")

        def offset(position):
            return sum(len(line) + 1 for line in lines[: position["line"]]) + position["character"]

        return self.text[offset(range_["start"]) : offset(range_["end"])]
