//! A process that starts with too few descriptors or threads: it says so and ends, or it works normally.

use crate::process::Folder;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

/// A user without other processes, for tests that run as root: root has no limit on processes.
const NOBODY: u32 = 65_531;

/// Runs a pipeline under a limit, in a folder of its own.
fn limited(limit: &str) -> Output {
    let folder = Folder::new();
    let binary = folder.path("served-pipelines");
    // Another user may not be able to read the folder of the binary.
    std::fs::copy(env!("CARGO_BIN_EXE_served-pipelines"), &binary).expect("it was built");
    let script = format!("ulimit {limit}; exec ./served-pipelines run daily --logical-date 2024-03-01");
    let mut command = Command::new("bash");
    command
        .args(["-c", &script])
        .current_dir(folder.path(""))
        .stdin(Stdio::null())
        .env_remove("PIPELINE_JOURNAL")
        .env("PIPELINE_DASHBOARD", "off");
    command.env_remove("RUST_BACKTRACE").env_remove("PIPELINE_LOG").env_remove("PIPELINE_LOG_FORMAT");
    if Command::new("id").arg("-u").output().expect("there is `id`").stdout == b"0\n" {
        open_to_all(&folder);
        command.uid(NOBODY);
    }
    command.output().expect("there is bash")
}

fn open_to_all(folder: &Folder) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder.path(""), std::fs::Permissions::from_mode(0o777)).expect("it is ours");
}

/// Asserts that the process reports what it lacks, or succeeds. Returns whether it succeeds.
#[track_caller]
fn says_so_or_succeeds(limit: &str) -> bool {
    let Output { status, stdout, stderr } = limited(limit);
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    let told = format!("{limit}: {status}\n{stdout}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{told}");
    match status.code() {
        Some(0) => {
            assert!(stdout.contains("run: success"), "{told}");
            true
        }
        Some(2) => {
            assert!(stderr.lines().filter(|line| line.starts_with("error: ")).count() == 1, "{told}");
            false
        }
        // The shell could not even start it.
        Some(126 | 127 | 254) if !stderr.contains("error: ") => false,
        _ => panic!("{told}"),
    }
}

#[test]
fn descriptors_may_be_short() {
    let succeeds = (6..=40).filter(|limit| says_so_or_succeeds(&format!("-n {limit}"))).collect::<Vec<_>>();
    assert!(!succeeds.contains(&8) && succeeds.contains(&40), "the limits are some that matter: {succeeds:?}");
}

/// For an ordinary user this tests less, as the user may have any number of other processes.
#[cfg(target_os = "linux")]
#[test]
fn threads_may_be_short() {
    let succeeds = (1..=30).filter(|limit| says_so_or_succeeds(&format!("-u {limit}"))).collect::<Vec<_>>();
    assert!(!succeeds.contains(&2), "{succeeds:?}");
}
