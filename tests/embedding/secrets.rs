//! Secrets in an embedded engine: a file that cannot be read delays nothing else, and no panic reveals a value.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Host, RunState};
use serde::{Deserialize, Serialize};
use std::process::Command;
use std::time::Duration;

/// Longer than the test takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Default, Serialize, Deserialize)]
struct Keys {
    key: Secret,
}

#[task(timeout = "200ms")]
async fn unlock(key: Secret) -> Result<u64> {
    Ok(key.expose().len() as u64)
}

#[task(timeout = "200ms")]
fn unlock_blocking(key: Secret) -> Result<u64> {
    Ok(key.expose().len() as u64)
}

/// More nodes than there are workers.
#[pipeline]
fn locked(keys: Keys) {
    for _ in 0..16 {
        unlock(keys.key.clone());
        unlock_blocking(keys.key.clone());
    }
}

#[task]
async fn rows() -> Result<u64> {
    Ok(3)
}

#[pipeline]
fn free() {
    rows();
}

#[tokio::test]
async fn a_file_that_is_never_read_holds_up_its_own_attempts_alone_and_they_time_out() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let host = Host::builder([locked(), free()]).temporary_journal().drain(Duration::ZERO).start().await.unwrap();
    let key = |file: &std::path::Path| serde_json::json!({ "key": format!("file:{}", file.display()) });
    let stuck = host.trigger("locked", key(&pipe), Some("2024-03-25")).await.unwrap();
    let other = host.trigger("free", (), None).await.unwrap();
    let other = tokio::time::timeout(PATIENCE, host.wait(&other)).await.expect("the workers wait for a pipe").unwrap();
    assert_eq!(other.state(), RunState::Success);
    let stuck = tokio::time::timeout(PATIENCE, host.wait(&stuck)).await.expect("a timeout ends it").unwrap();
    for node in stuck.nodes() {
        assert_eq!(node.error(), Some("the attempt took longer than its limit of 200ms"), "{}", node.id());
    }
    // A readable file is read.
    let file = folder.path().join("key");
    std::fs::write(&file, "s3cr3t-of-a-file\n").unwrap();
    let read = host.trigger("locked", key(&file), Some("2024-03-26")).await.unwrap();
    let read = tokio::time::timeout(PATIENCE, host.wait(&read)).await.unwrap().unwrap();
    assert_eq!(read.state(), RunState::Success);
    assert!(read.nodes().all(|node| node.output::<u64>().unwrap() == Some(16)));
    // A missing file fails at once.
    let none = host.trigger("locked", key(&folder.path().join("none")), Some("2024-03-27")).await.unwrap();
    let none = host.wait(&none).await.unwrap();
    let error = none.nodes().next().unwrap().error().unwrap().to_owned();
    assert!(error.starts_with("the input `key` cannot be read: the secret `file:"), "{error}");
    host.shutdown().await.unwrap();
}

static PANIC_KEY: Secret = Secret::env("PANIC_KEY");
const VALUE: &str = "s3cr3t-of-the-panics";

#[task]
async fn panics(key: Secret) -> Result<u64> {
    let of_thread = key.expose().to_owned();
    std::thread::spawn(move || panic!("a thread knows {of_thread}")).join().unwrap_err();
    panic!("a body knows {}", key.expose())
}

#[pipeline]
fn panicking() {
    panics(&PANIC_KEY);
}

/// The half of the next test that runs in a process of its own.
#[tokio::test]
#[ignore = "the next test starts it"]
async fn a_program_whose_bodies_panic() {
    std::panic::set_hook(Box::new(|panic| eprintln!("the program's own hook: {:?}", panic.payload_as_str())));
    let host = Host::builder([panicking()]).temporary_journal().start().await.unwrap();
    let run = host.trigger("panicking", (), None).await.unwrap();
    assert_eq!(host.wait(&run).await.unwrap().state(), RunState::Failed);
    host.shutdown().await.unwrap();
    std::thread::spawn(|| panic!("nothing of it is secret")).join().unwrap_err();
}

#[test]
fn a_panic_tells_no_value_and_the_programs_own_hook_has_all_others() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "secrets::a_program_whose_bodies_panic", "--ignored", "--nocapture"]).env("PANIC_KEY", VALUE);
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert!(!said.contains(VALUE), "{said}");
    assert!(said.contains("a thread knows ***") && said.contains("a body knows ***"), "{said}");
    assert!(said.contains(r#"the program's own hook: Some("nothing of it is secret")"#), "{said}");
}
