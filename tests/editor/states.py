"""Checks what rust-analyzer shows for code with the macros, state by state: see scripts/editor.

A state is the text of one file with the cursor at `$0`, and a condition on what the editor shows there. Some states compare a task with a plain
function: the editor must show the same for both, and nothing of the expansion.
"""

import argparse
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from server import Document, Server

ROOT = Path(__file__).resolve().parents[2]

HEAD = """\
use pipeline_runtime::prelude::*;

pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
pub static STORE: Pool = Pool::new("store", 2);

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Report {
    pub rows: u64,
}

pub async fn page(_n: Notification) -> Result<()> {
    Ok(())
}

#[derive(Clone, serde::Serialize, serde::Deserialize, Branch)]
pub enum Verdict {
    Clean(Report),
    Quarantine,
}
"""

STATES = []


def state(name, needs_sources=False):
    def add(check):
        STATES.append((name, needs_sources, check))
        return check

    return add


class Editor:
    """The file of the states, open in the server."""

    def __init__(self, document):
        self.document = document

    def write(self, text):
        """Writes the head and the text. Returns the offset of the cursor, if the text has one."""
        before, mark, after = (HEAD + text).partition("$0")
        self.document.change(before + after)
        return len(before) if mark else None

    def hover(self, text):
        return self.document_at(text, self.document.hover)

    def targets(self, text):
        return self.document_at(text, self.document.targets)

    def completions(self, text):
        return self.document_at(text, self.document.completions)

    def diagnostics(self, text):
        self.write(text)
        return self.document.diagnostics()

    def document_at(self, text, ask):
        offset = self.write(text)
        return ask(offset)


def lines(text):
    return len([line for line in text.splitlines() if line.strip()])


# ---- hover and "go to definition" where a task is defined

PLACES = {
    "a parameter's type": "async fn count(export: $0Object, weight: u64) -> Result<Report> { Ok(Report { rows: weight + export.size }) }",
    "a number as a parameter's type": "async fn count(export: Object, weight: $0u64) -> Result<Report> { Ok(Report { rows: weight + export.size }) }",
    "the return type": "async fn count(export: Object, weight: u64) -> $0Result<Report> { Ok(Report { rows: weight + export.size }) }",
    "the value's type": "async fn count(export: Object, weight: u64) -> Result<$0Report> { Ok(Report { rows: weight + export.size }) }",
}


def same_as_plain(place):
    def check(editor):
        attributed, plain = f"#[task]\n{PLACES[place]}", PLACES[place]
        hovers = [lines(editor.hover(text)) for text in (attributed, plain)]
        targets = [len(editor.targets(text)) for text in (attributed, plain)]
        return f"{hovers[0]} lines, {targets[0]} target(s)", hovers[0] == hovers[1] > 0 and targets[0] == targets[1] == 1

    return check


for place in PLACES:
    state(f"hover: {place}")(same_as_plain(place))


@state("hover: a task's name")
def _(editor):
    text = "#[task]\nasync fn $0count(weight: u64) -> Result<u64> { Ok(weight) }"
    shown, targets = lines(editor.hover(text)), len(editor.targets(text))
    # It includes the page of the keyword `impl`: the keyword has the name's place, so that an unknown type is one error.
    return f"{shown} lines, {targets} target(s)", 0 < shown < 200 and targets == 1


@state("hover: a branch's return type")
def _(editor):
    text = "#[branch]\nasync fn route(rows: u64) -> $0Result<Verdict> { Ok(Verdict::Quarantine) }"
    shown, targets = lines(editor.hover(text)), len(editor.targets(text))
    return f"{shown} lines, {targets} target(s)", 0 < shown < 40 and targets == 1


@state("hover: a pipeline's name")
def _(editor):
    text = "#[pipeline]\nfn $0daily() -> Result<()> { Ok(()) }"
    shown, targets = lines(editor.hover(text)), len(editor.targets(text))
    return f"{shown} lines, {targets} target(s)", 0 < shown < 60 and targets == 1


@state("hover: a callback's path")
def _(editor):
    text = "#[task(on_failure = $0page)]\nasync fn count(weight: u64) -> Result<u64> { Ok(weight) }"
    shown, targets = editor.hover(text), len(editor.targets(text))
    return f"{lines(shown)} lines, {targets} target(s)", "fn page" in shown and targets == 1


@state("hover: a constant in the place of a value")
def _(editor):
    text = "#[task(timeout = $0LIMIT)]\nasync fn count(weight: u64) -> Result<u64> { Ok(weight) }"
    shown, targets = editor.hover(text), len(editor.targets(text))
    return f"{lines(shown)} lines, {targets} target(s)", "const LIMIT" in shown and targets == 1


@state("hover: an option has its text")
def _(editor):
    wanted = {"$0retries = 2": "attempts after the first", "$0on_failure = page": "called when the node fails", "$0id = \"n\"": "node's id"}
    missing = [
        option
        for option, text in wanted.items()
        if text not in editor.hover(f"#[task({option})]\nasync fn count(weight: u64) -> Result<u64> {{ Ok(weight) }}")
    ]
    return ", ".join(missing) or "each", not missing


# ---- completion


def completes(name, text, *wanted, needs_sources=False):
    @state(f"completion: {name}", needs_sources)
    def _(editor):
        found = editor.completions(text)
        missing = [word for word in wanted if not any(re.match(rf"{word}\b", label) for label in found)]
        return f"{len(found)} items" + "".join(f", without `{word}`" for word in missing), not missing


completes("a half-typed parameter type", "#[task]\nasync fn load(part: Outc$0) -> Result<u64> { Ok(1) }", "Outcome")
completes("a half-typed parameter type of the crate's", "#[task]\nasync fn load(part: Rep$0) -> Result<u64> { Ok(1) }", "Report")
completes("String", "#[task]\nasync fn load(part: Str$0) -> Result<u64> { Ok(1) }", "String", needs_sources=True)
completes("options of a task", "#[task($0)]\nasync fn load(part: u64) -> Result<u64> { Ok(part) }", "retries", "timeout", "pool")
completes("a half-typed option", "#[task(re$0)]\nasync fn load(part: u64) -> Result<u64> { Ok(part) }", "retries", "retry_delay")
completes("after another option", "#[task(retries = 1, ti$0)]\nasync fn load(part: u64) -> Result<u64> { Ok(part) }", "timeout")
completes("options of a sensor", "#[sensor(po$0)]\nasync fn ready() -> Result<Poke<u64>> { Ok(Poke::NotYet) }", "poke", "poke_timeout")
completes("options of a pipeline", "#[pipeline(sch$0)]\nfn daily() {}", "schedule")
completes("defaults of a pipeline", "#[pipeline(defaults(re$0))]\nfn daily() {}", "retries")
completes("within a backoff", '#[task(backoff(start = "30s", ma$0))]\nasync fn load(part: u64) -> Result<u64> { Ok(part) }', "max")
completes("a pool", "#[task(pool = ST$0)]\nasync fn load(part: u64) -> Result<u64> { Ok(part) }", "STORE")
TASK = "#[task]\nasync fn load(part: u64) -> Result<Report> { Ok(Report { rows: part }) }\n"
completes("a node's methods", TASK + "#[pipeline]\nfn daily() { load(1u64).re$0; }", "retries", "retry_delay")
completes("a body", "#[task]\nasync fn load(part: Report) -> Result<u64> { Ok(part.ro$0) }", "rows")


@state("completion: nothing internal on a node")
def _(editor):
    found = editor.completions(TASK + "#[pipeline]\nfn daily() { load(1u64).$0; }")
    internal = [label for label in found if label.startswith("set_") or "__" in label]
    return f"{len(found)} items" + "".join(f", `{label}`" for label in internal), bool(found) and not internal


# ---- diagnostics of the editor's own


def says(name, text, *expected):
    """Expects exactly these diagnostics: each is a part of a message, and the text that it marks."""

    @state(f"diagnostics: {name}")
    def _(editor):
        found = editor.diagnostics(text)
        as_expected = len(found) == len(expected) and all(
            part in message and at == place for (message, at), (part, place) in zip(found, expected)
        )
        return "; ".join(f"{message.splitlines()[0][:70]} at `{at[:20]}`" for message, at in found) or "none", as_expected


CALLED = "#[pipeline]\nfn daily() { load(first()); load(first()); }\n#[task]\nasync fn first() -> Result<String> { Ok(String::new()) }\n"
says("correct code", CALLED + "#[task]\nasync fn load(part: String) -> Result<u64> { Ok(part.len() as u64) }")
says(
    "a borrowed parameter",
    CALLED + "#[task]\nasync fn load(part: &str) -> Result<u64> { Ok(part.len() as u64) }",
    ("must be owned, not borrowed", "&str"),
)
says(
    "a pattern",
    CALLED + "#[task]\nasync fn load((part, _): (String, u8)) -> Result<u64> { Ok(part.len() as u64) }",
    ("is a plain name", "(part, _)"),
)
says(
    "a generic task",
    CALLED + "#[task]\nasync fn load<T: Clone>(part: T) -> Result<T> { Ok(part) }",
    ("cannot be generic", "T: Clone"),
)
says(
    "a borrowed output",
    CALLED + "#[task]\nasync fn load(part: String) -> Result<&str> { todo!() }",
    ("must be owned, not borrowed", "&str"),
)
says("an unknown option", CALLED + "#[task(retry = 3)]\nasync fn load(part: String) -> Result<u64> { Ok(1) }", ("did you mean `retries`", "retry"))
says("an option without its value", CALLED + "#[task(retries = )]\nasync fn load(part: String) -> Result<u64> { Ok(1) }", ("needs a value", "retries ="))
says("an empty body", CALLED + "#[task]\nasync fn load(part: String) -> Result<u64> {\n    let _ = part;\n}", ("expected", "}"))
says("a forgotten argument", TASK + "#[pipeline]\nfn daily() { load(); }", ("expected 1 argument", ")"))


@state("diagnostics: an output being typed")
def _(editor):
    text = CALLED.replace("load(first());", "first_of(load(first()));") + (
        "#[task]\nasync fn first_of(part: u64) -> Result<u64> { Ok(part) }\n#[task]\nasync fn load(part: String) -> {\n    todo!()\n}"
    )
    found = editor.diagnostics(text)
    # The parser's error is at the brace. The callers get none.
    callers = [message for message, at in found if "first" in at or "load" in at]
    return f"{len(found)}, of which {len(callers)} at callers", not callers


# ---- the crate


def crate(folder):
    """Makes a crate with the states' file and the cases that `tests/ui` accepts."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    edition = manifest["workspace"]["package"]["edition"]
    (folder / "src").mkdir()
    shutil.copytree(ROOT / "tests/ui", folder / "ui")
    # Templates in files, at the same path as in the tests' package.
    shutil.copytree(ROOT / "tests/simulation/templates", folder / "simulation/templates")
    shutil.copy(ROOT / "Cargo.lock", folder)
    shutil.copy(ROOT / "rust-toolchain.toml", folder)
    (folder / "Cargo.toml").write_text(
        f"""\
[package]
name = "states"
version = "0.1.0"
edition = "{edition}"

[dependencies]
pipeline-runtime = {{ path = "{ROOT}/pipeline-runtime", features = ["airflow", "mail"] }}
serde = {{ version = "1", features = ["derive"] }}
tokio = "1"

[workspace]
"""
    )
    accepted = re.findall(r'#\[path = "(.*)"\]\nmod (\w+);', (ROOT / "tests/ui/main.rs").read_text())
    modules = "".join(f'#[path = "../ui/{path}"]\nmod {name};\n' for path, name in accepted)
    (folder / "src/lib.rs").write_text(f"#![allow(dead_code)]\npub mod state;\n{modules}")
    (folder / "src/state.rs").write_text(HEAD)
    return [folder / "ui" / path for path, _ in accepted]


def accepted_files(server, files):
    """Checks that code which compiles has no diagnostics of the editor's own."""
    for path in files:
        found = Document(server, path).diagnostics()
        # Code that a `cfg` leaves out is marked as inactive.
        found = [message for message, _ in found if "inactive" not in message]
        yield f"accepted: {path.parent.parent.name}", "; ".join(message.splitlines()[0] for message in found) or "none", not found


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--server", required=True)
    arguments.add_argument("--sources", default="")
    arguments.add_argument("--keep", action="store_true", help="keep the crate's folder")
    arguments.add_argument("names", nargs="*", help="parts of states' names")
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="editor-"))
    files = crate(folder)
    options = {
        "checkOnSave": False,
        "cargo": {"targetDir": str(folder / "target"), "sysrootSrc": given.sources or None},
        "procMacro": {"enable": True},
        "cachePriming": {"enable": False},
    }
    server = Server(given.server, folder, options, folder / "server.log")
    failed, left_out = [], []

    def row(name, shown, holds):
        print(f"{'ok  ' if holds else 'FAIL'}  {name:<55} {shown}", flush=True)
        if not holds:
            failed.append(name)

    def is_wanted(name):
        return not given.names or any(part in name for part in given.names)

    try:
        document = Document(server, folder / "src/state.rs")
        server.wait_until_quiescent()
        editor = Editor(document)
        for name, needs_sources, check in STATES:
            if not is_wanted(name):
                continue
            if needs_sources and not given.sources:
                left_out.append(name)
                continue
            shown, holds = check(editor)
            row(name, shown, holds)
        editor.write("")
        if is_wanted("accepted") and given.sources:
            for name, shown, holds in accepted_files(server, files):
                row(name, shown, holds)
        elif is_wanted("accepted"):
            # Without the standard library's sources, the editor cannot coerce an array of texts to a slice.
            left_out.append("accepted")
    finally:
        server.stop()
        if given.keep:
            print(f"the crate and the server's log: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for name in left_out:
        print(f"SKIPPED: {name}: there are no sources of the standard library")
    print(f"{len(failed)} failed" if failed else "all hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
