//! The places of the page: in `serve`, beside it, on a copy of the journal, on another port.

use super::process::Folder;
use serde_json::json;

#[test]
fn a_page_beside_a_process_sees_and_asks_what_its_own_does() {
    let folder = Folder::filled();
    let serve = folder.serve(&[]);
    let beside = folder.dashboard(&[]);
    let (own, other) = (serve.site(), beside.site());
    assert_eq!(other.api("/overview")["holder"]["command"], "serve");
    let pause = json!({ "command": "pause", "pipeline": "parted", "paused": true });
    assert_eq!(other.post("/commands", &[], &pause).status, 200);
    assert_eq!(own.api("/overview")["pipelines"][0]["paused"], true);
    assert_eq!(own.get("/readyz").status, 200);
}

#[test]
fn a_copy_is_looked_at_like_the_journal() {
    let folder = Folder::filled();
    assert_eq!(folder.call(&["backup", "copy.db"]).0, Some(0));
    let shown = folder.dashboard(&["--journal", "copy.db"]);
    assert_eq!(shown.site().api("/runs")["runs"].as_array().unwrap().len(), 2);
    let (code, said) = folder.call(&["dashboard", "--journal", "none.db"]);
    assert_eq!((code, said.contains("there is no journal")), (Some(2), true), "{said}");
}

#[test]
fn a_port_that_is_taken_gives_way_to_the_next() {
    let folder = Folder::filled();
    let first = folder.dashboard(&[]);
    let port: u16 = first.site().0.rsplit_once(':').unwrap().1.parse().unwrap();
    let second = folder.show(&["dashboard", "--listen", &format!(":{port}")]);
    let said = format!(" (port {port} is taken)");
    assert!(second.url.ends_with(&said) && second.site().0 != first.site().0, "{}", second.url);
}

#[test]
fn serve_is_without_a_page_where_nobody_wants_one() {
    let folder = Folder::filled();
    let mut command = folder.command(&["serve", "--dashboard", "nowhere"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("expected an address and a port, such as 127.0.0.1:7373, or a port"), "{said}");
    let both = folder.call(&["serve", "--dashboard", ":0", "--no-dashboard"]);
    assert_eq!((both.0, both.1.contains("cannot be used with")), (Some(2), true), "{}", both.1);
}
