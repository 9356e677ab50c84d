use super::super::token::Token;
use super::*;
use axum::http::Request;
use proptest::prelude::*;

const HERE: &str = "127.0.0.1:7373";
const ME: Peer = Peer { is_admitted: true };

fn gate(change: impl FnOnce(&mut Options)) -> Gate {
    let mut options = Options::default();
    change(&mut options);
    Gate::new(options, HERE.parse().unwrap())
}

/// Builds a request from its method and path, and further headers.
fn request(line: &str, headers: &[(&str, &str)]) -> Parts {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    let has = |name: &str| headers.iter().any(|(of, _)| *of == name);
    if !has("host") {
        request = request.header("host", HERE);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn status(gate: &Gate, line: &str, headers: &[(&str, &str)]) -> u16 {
    check(&request(line, headers), ME, gate).map_or_else(|problem| problem.status.as_u16(), |()| 200)
}

#[test]
fn only_this_servers_names_are_answered() {
    let plain = gate(|_| {});
    for (host, answered) in [
        (HERE, 200),
        ("localhost:7373", 200),
        ("LOCALHOST:7373", 200),
        ("[::1]:7373", 200),
        ("127.0.0.1", 421),
        ("127.0.0.1:80", 421),
        ("evil.example:7373", 421),
        ("127.0.0.1.evil.example:7373", 421),
        ("localhost.:7373", 421),
        ("", 421),
    ] {
        assert_eq!(status(&plain, "GET /", &[("host", host)]), answered, "{host}");
    }
    let named = gate(|options| options.hosts = vec!["jobs.example".to_owned(), "other.example:8080".to_owned()]);
    assert_eq!(status(&named, "GET /", &[("host", "jobs.example")]), 200);
    assert_eq!(status(&named, "GET /", &[("host", "jobs.example:443")]), 200);
    assert_eq!(status(&named, "GET /", &[("host", "other.example:8080")]), 200);
    assert_eq!(status(&named, "GET /", &[("host", "other.example:8081")]), 421);
    assert_eq!(status(&named, "GET /", &[("host", "xjobs.example")]), 421);
}

#[test]
fn other_pages_neither_read_nor_change() {
    let plain = gate(|_| {});
    let json = ("content-type", "application/json");
    let origin = ("origin", "http://127.0.0.1:7373");
    for (line, headers, answered) in [
        ("GET /api/v1/overview", &[][..], 200),
        ("GET /api/v1/overview", &[("sec-fetch-site", "same-origin")], 200),
        ("GET /", &[("sec-fetch-site", "none")], 200),
        ("GET /api/v1/overview", &[("sec-fetch-site", "cross-site")], 403),
        ("GET /api/v1/overview", &[("sec-fetch-site", "same-site")], 403),
        // Following a link opens a page. It reads nothing, and cannot be framed.
        (
            "GET /r/sales/1?record=3",
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            200,
        ),
        (
            "GET /r/sales/1",
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            403,
        ),
        ("GET /r/sales/1", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], 403),
        (
            "GET /api/v1/overview",
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            403,
        ),
        (
            "POST /r/sales/1",
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            403,
        ),
        ("POST /api/v1/commands", &[json, origin], 200),
        ("POST /api/v1/commands", &[json, origin, ("sec-fetch-site", "same-origin")], 200),
        ("POST /api/v1/commands", &[json, origin, ("sec-fetch-site", "none")], 403),
        ("POST /api/v1/commands", &[json], 403),
        ("POST /api/v1/commands", &[json, ("origin", "null")], 403),
        ("POST /api/v1/commands", &[json, ("origin", "http://evil.example:7373")], 403),
        ("POST /api/v1/commands", &[json, ("origin", "http://127.0.0.1:8080")], 403),
        ("POST /api/v1/commands", &[origin], 415),
        ("POST /api/v1/commands", &[origin, ("content-type", "text/plain")], 415),
        ("POST /api/v1/commands", &[origin, ("content-type", "application/x-www-form-urlencoded")], 415),
        // A program is identified by its token.
        ("POST /api/v1/commands", &[json, ("authorization", "Bearer whatever")], 200),
    ] {
        assert_eq!(status(&plain, line, headers), answered, "{line} {headers:?}");
    }
}

#[test]
fn another_user_of_the_machine_is_not_answered() {
    let problem = check(&request("GET /", &[]), Peer { is_admitted: false }, &gate(|_| {})).unwrap_err();
    assert_eq!(problem.status, StatusCode::FORBIDDEN);
}

#[test]
fn a_token_admits() {
    let token = Token::random();
    let secret = token.secret().to_owned();
    let locked = gate(|options| options.token = Some(token));
    let bearer = format!("Bearer {secret}");
    let cookie = format!("other=1; pipeline-7373={secret}");
    let of_other_port = format!("pipeline-7374={secret}");
    for (line, headers, answered) in [
        // Addresses that contain nothing of the journal.
        ("GET /", &[][..], 200),
        ("GET /assets/app.js", &[], 200),
        ("GET /healthz", &[], 200),
        ("GET /api/v1/overview", &[], 401),
        ("GET /metrics", &[], 401),
        ("GET /readyz", &[], 401),
        ("GET /api/v1/overview", &[("authorization", &*bearer)], 200),
        ("GET /api/v1/overview", &[("cookie", &*cookie)], 200),
        ("GET /api/v1/overview", &[("cookie", &*of_other_port)], 401),
    ] {
        assert_eq!(status(&locked, line, headers), answered, "{line} {headers:?}");
        // The owner of the token may be another user, such as a proxy's.
        let of_another = check(&request(line, headers), Peer { is_admitted: false }, &locked);
        assert_eq!(of_another.map_or_else(|problem| problem.status.as_u16(), |()| 200), answered, "{line} {headers:?}");
    }
    let given = login(&locked, &secret, false).unwrap();
    assert_eq!(given, format!("pipeline-7373={secret}; HttpOnly; SameSite=Strict; Path=/"));
    assert!(login(&locked, &secret, true).unwrap().ends_with("; Secure"));
}

#[test]
fn guesses_are_few() {
    let locked = gate(|options| options.token = Some(Token::random()));
    let guess = || login(&locked, "0123456789abcdef", false).unwrap_err().status.as_u16();
    assert_eq!(guess(), 401);
    let now = Instant::now();
    // As if four more had arrived within this second; and then as if a second had passed.
    *locked.guesses.0.lock().unwrap() = Some((now, MAX_WRONG_TOKENS));
    assert!(locked.guesses.count_wrong_at(now + Duration::from_millis(900)));
    assert!(!locked.guesses.count_wrong_at(now + Duration::from_millis(1_001)));
}

#[test]
fn under_a_base_the_same_holds() {
    let locked = gate(|options| {
        options.token = Some(Token::random());
        options.base = "/x/y".to_owned();
    });
    assert_eq!(status(&locked, "GET /x/y/", &[]), 200);
    assert_eq!(status(&locked, "GET /x/y/api/v1/overview", &[]), 401);
    assert_eq!(status(&locked, "GET /api/v1/overview", &[]), 401);
}

proptest! {
    /// Any host name is only answered if it is one of three.
    #[test]
    fn no_other_name_is_answered(host in "[a-zA-Z0-9.:\\[\\]-]{0,40}") {
        let is_ours = ["127.0.0.1:7373", "[::1]:7373"].contains(&&*host) || host.eq_ignore_ascii_case("localhost:7373");
        prop_assert_eq!(status(&gate(|_| {}), "GET /", &[("host", &host)]) == 200, is_ours);
    }
}
