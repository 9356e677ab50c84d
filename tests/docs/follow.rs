//! Follows the tutorial. Its Rust blocks make `tutorial.rs`, which is compiled and tested here. Its commands, and those of the README that make a crate, run in an
//! empty folder. They build a crate of their own, which takes minutes, so `.ci/docs` runs these tests.

use crate::pages::{Block, blocks};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

fn page(name: &str) -> String {
    fs::read_to_string(format!("../{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the program after the step that the sentence above the block describes.
fn edited(program: &str, block: &Block<'_>) -> String {
    let before = block.before;
    if before == "`src/main.rs`:" || before.ends_with("`src/main.rs`, whole:") {
        return block.text.to_owned();
    }
    if before.ends_with("Add to `src/main.rs`:") {
        return format!("{program}\n{}", block.text);
    }
    let name = before.rsplit_once("n `src/main.rs`, replace `fn ").and_then(|(_, rest)| rest.strip_suffix("`:"));
    let name = name.unwrap_or_else(|| panic!("line {}: `{before}` does not say what to do with the block", block.line));
    let lines: Vec<&str> = program.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(&format!("fn {name}("))).expect("the function to replace");
    let head = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("///")).count();
    let end = at + lines[at..].iter().position(|line| *line == "}").expect("its end");
    let (above, below) = (lines[..at - head].join("\n"), lines[end + 1..].join("\n"));
    format!("{above}\n{}{below}\n", block.text)
}

/// Returns the finished program, and each block of commands with the program at that point.
fn steps(page: &str) -> (String, Vec<(String, Block<'_>)>) {
    let mut program = String::new();
    let mut steps = Vec::new();
    for block in blocks(page) {
        match block.language {
            "rust" => program = edited(&program, &block),
            "sh" => steps.push((program.clone(), block)),
            _ => {}
        }
    }
    (program, steps)
}

#[test]
fn the_blocks_of_the_tutorial_make_the_program_that_is_tested() {
    let tutorial = page("docs/tutorial.md");
    let (program, _) = steps(&tutorial);
    let path = "docs/tutorial.rs";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &program).expect("the program can be written");
    }
    assert_eq!(fs::read_to_string(path).expect("the program"), program, "run it with UPDATE_DOCS=1");
}

/// A folder with a link `pipeline` to this repository, in which blocks of commands run one after the other, like a user's terminal.
struct Shell {
    folder: PathBuf,
    /// The working directory.
    at: PathBuf,
    /// The process in the other terminal.
    serving: Option<Child>,
}

impl Shell {
    /// Starts without the crate of that name, and without its files in `/tmp`. `.ci/docs` names the same folder each time, because cargo builds a dependency again
    /// if its path changes. It must be outside of this workspace, which the crate would otherwise belong to.
    fn new(name: &str) -> Self {
        let folder = std::env::var_os("DOCS_FOLDER").map(PathBuf::from).expect("`.ci/docs` sets DOCS_FOLDER");
        fs::create_dir_all(folder.join("tmp")).expect("the folder is ours");
        for old in [folder.join(name), folder.join("tmp").join(name)] {
            if old.exists() {
                fs::remove_dir_all(old).expect("the folder is ours");
            }
        }
        let (link, repository) = (folder.join("pipeline"), fs::canonicalize("..").expect("the repository"));
        if fs::read_link(&link).ok().as_ref() != Some(&repository) {
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(repository, link).expect("a link");
        }
        Self { at: folder.clone(), folder, serving: None }
    }

    /// Replaces `/tmp` by a folder in there, so that nothing is written elsewhere.
    fn moved(&self, text: &str) -> String {
        text.replace("/tmp/", &format!("{}/tmp/", self.folder.display()))
    }

    fn command(&self, commands: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", commands]).current_dir(&self.at).stdin(Stdio::null());
        for variable in ["PIPELINE_LOG", "PIPELINE_LOG_FORMAT", "PIPELINE_JOURNAL", "PIPELINE_DASHBOARD", "CARGO_MANIFEST_DIR"] {
            shell.env_remove(variable);
        }
        shell
    }

    fn run(&mut self, commands: &str) -> String {
        let end = tempfile::NamedTempFile::new().expect("there is room for a file");
        let commands = format!("{}\npwd >'{}'\n", self.moved(commands), end.path().display());
        let output = self.command(&commands).output().expect("there is a shell");
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{commands}{told}");
        self.at = fs::read_to_string(end.path()).expect("where it ended").trim().into();
        // With the versions of our lock file, most crates are built already.
        if self.at.join("Cargo.toml").exists() && !self.at.join("Cargo.lock").exists() {
            fs::copy("../Cargo.lock", self.at.join("Cargo.lock")).expect("the lock file");
        }
        println!("{commands}{told}");
        told
    }

    /// Starts a command that does not end, and returns once it prints its address.
    fn serve(&mut self, commands: &str) {
        let mut child =
            self.command(&format!("exec {}", commands.trim())).stdout(Stdio::piped()).spawn().expect("there is a shell");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let address = lines.find(|line| line.starts_with("dashboard http://"));
        assert!(address.is_some(), "it ended without its address");
        std::thread::spawn(move || lines.for_each(|line| println!("{line}")));
        self.serving = Some(child);
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(mut child) = self.serving.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
#[ignore = "builds a crate of its own: .ci/docs"]
fn the_crate_of_the_readme_runs() {
    let readme = page("README.md");
    let block = blocks(&readme).find(|block| block.text.starts_with("cargo new ")).expect("the crate");
    let told = Shell::new("hello").run(block.text);
    assert!(told.contains("2 orders"), "{told}");
}

#[test]
#[ignore = "builds a crate of its own: .ci/docs"]
fn the_commands_of_the_tutorial_run() {
    let tutorial = page("docs/tutorial.md");
    let mut shell = Shell::new("orders");
    for (program, block) in steps(&tutorial).1 {
        let main = shell.at.join("src/main.rs");
        if main.exists() && !program.is_empty() {
            let program = shell.moved(&program);
            if fs::read_to_string(&main).expect("the program") != program {
                fs::write(&main, program).expect("the program can be written");
            }
        }
        if block.text.trim().ends_with(" serve") {
            shell.serve(block.text);
        } else {
            shell.run(block.text);
        }
    }
    assert!(shell.serving.is_some(), "it serves");
}
