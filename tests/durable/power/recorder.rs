//! A folder in which all file operations of the processes are recorded.

use super::disk::{Disk, Files};
use super::log::{self, Op};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The recorder's library, built once. `SQLite` is built from source by the same compiler, so the machine has one.
fn library() -> &'static Path {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("record.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/durable/power/record.c");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut command = Command::new(&compiler);
        command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library).args([source, "-ldl", "-lpthread"]);
        let built = command
            .status()
            .unwrap_or_else(|error| panic!("the C compiler `{compiler}` is not there: {error}; CC names another"));
        assert!(built.success(), "`{compiler}` cannot build {source}");
        (folder, library)
    });
    library
}

pub(super) fn command(folder: &Path, speed: u32, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_durable-notes"));
    command.args(args).current_dir(folder).stdin(Stdio::null()).env("SPEED", speed.to_string()).env("PIPELINE_DASHBOARD", "off");
    for name in ["PIPELINE_LOG", "PIPELINE_JOURNAL", "RUST_BACKTRACE", "MINUTELY", "POWER_KILL"] {
        command.env_remove(name);
    }
    command
}

/// Runs a command, and returns its exit code and output.
pub(super) fn call(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

/// All files below a folder.
pub(super) fn files(root: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let content = (!path.is_dir()).then(|| std::fs::read(&path).unwrap());
            files.insert(path.strip_prefix(root).unwrap().to_owned(), content);
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    files
}

const UNRECORDED: &str = "LD_PRELOAD records what is linked dynamically, and these binaries are not";

/// A recording in progress.
pub(super) struct Recorder {
    folder: TempDir,
    log: TempDir,
    before: Files,
    /// The clock speed of its processes.
    speed: u32,
}

impl Recorder {
    /// Starts a recording of a folder that has these files.
    pub(super) fn new(before: Files, speed: u32) -> Self {
        let recorder = Self { folder: tempfile::tempdir().unwrap(), log: tempfile::tempdir().unwrap(), before, speed };
        put(&recorder.before, recorder.folder.path());
        recorder
    }

    fn log(&self) -> PathBuf {
        self.log.path().join("log")
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(self.folder.path(), self.speed, args);
        command
            .env("LD_PRELOAD", library())
            .env("POWER_LOG", self.log())
            .env("POWER_ROOT", self.folder.path().canonicalize().unwrap());
        command
    }

    /// Runs a command that must succeed, and returns its output.
    pub(super) fn call(&self, args: &[&str]) -> String {
        let (code, said) = call(&mut self.command(args));
        assert_eq!(code, Some(0), "{args:?}: {said}");
        said
    }

    /// Runs a command that is killed instead of its `operation`-th operation, unless it ends before.
    pub(super) fn kill(&self, args: &[&str], operation: u64) {
        let (code, said) = call(self.command(args).env("POWER_KILL", operation.to_string()));
        assert!(matches!(code, None | Some(0)), "{args:?}: {said}");
    }

    /// Notes a fact that holds from here on.
    pub(super) fn note(&self, text: &str) {
        let mut log = std::fs::OpenOptions::new().append(true).open(self.log()).expect(UNRECORDED);
        // In one write, as other processes write to the log at any time.
        log.write_all(&log::note(text)).unwrap();
    }

    /// Ends the recording, and checks that it is complete: its operations must produce the files that exist.
    pub(super) fn finish(self, what: &'static str) -> Recording {
        let log = std::fs::read(self.log()).expect(UNRECORDED);
        let root = self.folder.path().canonicalize().unwrap();
        let mut after = files(&root);
        let recording = Recording { what, root, before: self.before, log, speed: self.speed };
        let mut disk = Disk::new(&recording.root, &recording.before, None);
        disk.apply(&recording.ops());
        after.retain(|path, _| !path.to_string_lossy().ends_with("-shm"));
        let differ = differences(&disk.now(), &after);
        assert!(differ.is_empty(), "{what}: what was done to these files was not recorded whole: {differ:?}");
        recording
    }
}

fn differences(one: &Files, other: &Files) -> Vec<PathBuf> {
    let all: BTreeMap<_, _> = one.iter().chain(other).collect();
    all.into_keys().filter(|path| one.get(*path) != other.get(*path)).cloned().collect()
}

/// Writes files into an empty folder.
pub(super) fn put(files: &Files, folder: &Path) {
    for (path, content) in files {
        match content {
            Some(content) => std::fs::write(folder.join(path), content).unwrap(),
            None => std::fs::create_dir(folder.join(path)).unwrap(),
        }
    }
}

/// All operations on the files of a folder.
pub(super) struct Recording {
    pub(super) what: &'static str,
    pub(super) root: PathBuf,
    pub(super) before: Files,
    log: Vec<u8>,
    pub(super) speed: u32,
}

impl Recording {
    pub(super) fn ops(&self) -> Vec<Op<'_>> {
        log::read(&self.log)
    }

    /// How often files with this name were synced.
    pub(super) fn syncs_of(&self, name: &str) -> usize {
        let mut inodes = BTreeSet::new();
        let mut syncs = 0;
        for op in self.ops() {
            match op {
                Op::Open { inode, path, .. } if path.ends_with(name) => drop(inodes.insert(inode)),
                Op::Sync { inode } if inodes.contains(&inode) => syncs += 1,
                _ => {}
            }
        }
        syncs
    }
}
