//! Access control over a real connection. `dashboard/gate/tests.rs` has all rules as a table.

use super::process::Folder;

#[test]
fn another_name_another_page_and_a_large_body_are_refused() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let ask = |headers: &[(&str, &str)]| site.ask("GET /api/v1/overview", headers, "").status;
    assert_eq!(ask(&[("host", "evil.example")]), 421);
    assert_eq!(ask(&[("sec-fetch-site", "cross-site")]), 403);
    assert_eq!(ask(&[]), 200);
    let large = "x".repeat((1 << 20) + 1);
    let origin = format!("http://{}", site.0);
    let headers = [("content-type", "application/json"), ("origin", &*origin)];
    assert_eq!(site.ask("POST /api/v1/commands", &headers, &large).status, 413);
    assert_eq!(site.ask("DELETE /api/v1/overview", &headers, "").status, 405);
    let head = site.ask("HEAD /api/v1/overview", &[], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn beyond_this_machine_a_token_is_needed_and_lets_in() {
    let folder = Folder::filled();
    let (code, said) = folder.call(&["dashboard", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("which other machines can reach: give it a token with `--token auto`"), "{said}");
    let shown = folder.dashboard(&["--token", "auto"]);
    let (site, (_, token)) = (shown.site(), shown.url.split_once("#token=").expect("its address has the token"));
    assert_eq!(site.get("/api/v1/overview").status, 401);
    assert_eq!(site.get("/healthz").status, 200);
    let login = site.post("/login", &[], &serde_json::json!({ "token": token }));
    let cookie = login.header("set-cookie").expect("it gives a cookie").to_owned();
    assert!(login.status == 204 && cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    assert_eq!(site.ask("GET /api/v1/overview", &[("cookie", &cookie)], "").status, 200);
    assert_eq!(site.ask("GET /api/v1/overview", &[("authorization", &format!("Bearer {token}"))], "").status, 200);
    assert_eq!(site.post("/login", &[], &serde_json::json!({ "token": "0123456789abcdef" })).status, 401);
    std::fs::write(folder.path("token"), "short").unwrap();
    let (code, said) = folder.call(&["dashboard", "--token", "token"]);
    assert_eq!((code, said.contains("has 5 characters, but needs at least 16")), (Some(2), true), "{said}");
}
