use super::process::Folder;
use serde_json::{Value, json};

const GOOD: &str = "/runs/parted/manual__2026-01-05T00:00:00Z";
const BAD: &str = "/runs/parted/manual__2026-01-06T00:00:00Z";

fn names<'a>(rows: &'a Value, field: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().filter_map(|row| row[field].as_str()).collect()
}

#[test]
fn the_overview_has_all_pipelines_and_what_needs_somebody() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let overview = shown.site().api("/overview");
    assert_eq!(names(&overview["pipelines"], "pipeline"), ["parted", "waiting", "keyed"]);
    let parted = &overview["pipelines"][0];
    assert_eq!(names(&parted["last"], "state"), ["success", "failed"]);
    assert_eq!((&parted["success"], &parted["schedule"], &parted["known"]), (&json!(0.5), &json!("@daily"), &json!(true)));
    assert_eq!(parted["why"]["kind"], "no_process");
    assert_eq!(overview["holder"], Value::Null);
    let need = &overview["needs_you"][0];
    assert_eq!((&need["kind"], &need["node"]), (&json!("failed"), &json!("publish")));
    assert!(need["text"].as_str().unwrap().contains("503"), "{need}");
    assert_eq!(shown.end(), Some(0));
}

#[test]
fn runs_are_listed_and_thinned_over_time() {
    let folder = Folder::filled();
    let site = folder.dashboard(&[]);
    let (shown, site) = (&site, site.site());
    let _ = shown;
    let page = site.api("/runs?limit=1");
    assert_eq!(page["runs"][0]["state"], "failed");
    assert_eq!(page["runs"][0]["params"]["label"], "<b>bold</b>");
    let next = page["next"].as_str().unwrap();
    assert_eq!(names(&site.api(&format!("/runs?after={next}"))["runs"], "state"), ["success"]);
    assert_eq!(
        names(&site.api("/runs?state=failed&pipeline=parted&kind=manual")["runs"], "run_id"),
        ["manual__2026-01-06T00:00:00Z"]
    );
    let scatter = site.api("/scatter?points=1");
    // Even a small sample of points includes the failures.
    assert_eq!((&scatter["runs"], scatter["points"].as_array().unwrap().len()), (&json!(2), 2));
    for (wrong, said) in [
        ("/runs?state=lost", "there is no state `lost`"),
        ("/runs?kind=odd", "there is no kind `odd`"),
        ("/runs?limit=many", "limit"),
        ("/runs?since=soon", "since"),
        ("/runs?after=nothing", "the journal has no run `nothing`"),
        ("/runs/parted/nothing", "the journal has no run `nothing` of `parted`"),
        ("/pipelines/nothing", "`nothing`"),
        ("/nothing", "nothing at this address"),
    ] {
        let answer = site.get(&format!("/api/v1{wrong}"));
        assert!([400, 404].contains(&answer.status), "{wrong}: {}", answer.status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{wrong}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{wrong}: {}", answer.body);
    }
}

#[test]
fn a_run_is_told_node_by_node() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let run = site.api(GOOD);
    assert_eq!((&run["run"]["state"], &run["why"], &run["nodes"]), (&json!("success"), &Value::Null, &json!(5)));
    assert_eq!(run["records"]["at"], run["records"]["last"]);
    let path: Vec<&str> = names(&run["critical_path"], "node");
    assert!(path.first() == Some(&"parts") && path.last() == Some(&"publish") && path.len() == 3, "{path:?}");
    // A mapping is one row; its elements are rows only while it is open.
    let rows = |query: &str| site.api(&format!("{GOOD}/nodes{query}"));
    let closed = rows("");
    assert_eq!(names(&closed["rows"], "node"), ["parts", "each(upload)", "publish"]);
    assert_eq!((&closed["rows"][1]["elements"], &closed["rows"][1]["states"]), (&json!(3), &json!({ "success": 3 })));
    let open = rows("?open=each(upload)");
    assert_eq!(names(&open["rows"], "node"), ["parts", "each(upload)", "upload[0]", "upload[1]", "upload[2]", "publish"]);
    assert_eq!(names(&rows("?q=LOAD%5B1")["rows"], "node"), ["upload[1]"]);
    let page = rows("?open=*&from=2&count=2&find=publish");
    assert_eq!(
        (names(&page["rows"], "node"), &page["total"], &page["index"]),
        (vec!["upload[0]", "upload[1]"], &json!(6), &json!(5))
    );
    // The graph shows the mapping as one box.
    let graph = site.api(&format!("{GOOD}/graph"));
    assert_eq!(names(&graph["boxes"], "node"), ["parts", "each(upload)", "publish"]);
    assert_eq!(names(&graph["boxes"], "state"), ["success"; 3]);
    let edges: Vec<(u64, u64)> = graph["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| (edge["from"].as_u64().unwrap(), edge["to"].as_u64().unwrap()))
        .collect();
    assert_eq!(edges, [(0, 1), (1, 2)]);
}

#[test]
fn a_failure_is_told_with_its_attempts_log_and_texts_as_they_are() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let node = site.api(&format!("{BAD}/node?id=publish"));
    assert_eq!((&node["state"], &node["kind"]), (&json!("failed"), &json!("task")));
    let attempts = node["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
    assert!(attempts[0]["error"].as_str().unwrap().contains("<img src=x onerror=alert(1)>"));
    assert_eq!(names(&node["inputs"], "node"), ["each(upload)"]);
    assert_eq!(node["options"]["retries"], 1);
    let lines = site.api(&format!("{BAD}/logs?node=publish&q=ONERROR"));
    assert_eq!(lines["lines"].as_array().unwrap().len(), 2);
    assert_eq!(site.api(&format!("{BAD}/logs?level=error"))["lines"], json!([]));
    let tail = site.api(&format!("{GOOD}/logs?limit=2"));
    assert_eq!((tail["lines"].as_array().unwrap().len(), &tail["earlier"]), (2, &json!(true)));
    let before = tail["lines"][0]["number"].as_i64().unwrap();
    assert!(!site.api(&format!("{GOOD}/logs?before={before}"))["lines"].as_array().unwrap().is_empty());
    let text = site.get(&format!("/api/v1{GOOD}/log.txt?node=upload[1]"));
    assert!(
        text.body.ends_with("INFO upload[1]#1: part 1\n") && text.header("content-type") == Some("text/plain; charset=utf-8")
    );
    let output = site.get(&format!("/api/v1{GOOD}/output?id=publish"));
    assert_eq!(output.header("content-disposition"), Some("attachment; filename=\"output.json\""));
    assert!(output.json().as_str().unwrap().contains("<img src=x"));
    assert_eq!(site.get(&format!("/api/v1{BAD}/output?id=publish")).status, 404);
    let compared = site.api(&format!("/compare?a={}&b={}", &GOOD[6..], &BAD[6..]));
    assert_eq!(compared["params"], json!([["fails", false, true], ["label", "plain", "<b>bold</b>"]]));
    let publish = compared["nodes"].as_array().unwrap().iter().find(|node| node["node"] == "publish").unwrap();
    assert_eq!(
        (&publish["a_state"], &publish["b_state"], &publish["output_differs"]),
        (&json!("success"), &json!("failed"), &json!(true))
    );
}

#[test]
fn the_calendar_says_why_an_interval_has_no_run() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let days = site.api("/calendar/parted?from=2025-12-30&to=2026-01-07")["days"].clone();
    let of = |date: &str| days.as_array().unwrap().iter().find(|day| day["date"] == date).unwrap()["intervals"][0].clone();
    assert_eq!(of("2026-01-05")["state"], "success");
    assert_eq!(of("2026-01-06")["state"], "failed");
    assert!(of("2025-12-31")["why"].as_str().unwrap().contains("before `start`"));
    assert!(of("2026-01-04")["why"].as_str().unwrap().contains("no process"), "{}", of("2026-01-04"));
    let day = days.as_array().unwrap().iter().find(|day| day["date"] == "2026-01-04").unwrap();
    assert_eq!((&day["total"], &day["missing"], &day["runs"]), (&json!(1), &json!(1), &json!({})));
    // For very many intervals there are counts, and for a single day each interval.
    let years = site.api("/calendar/parted?from=2019-01-01&to=2026-01-06");
    let total: u64 = years["days"].as_array().unwrap().iter().map(|day| day["total"].as_u64().unwrap()).sum();
    assert_eq!((total, &years["until"]), (2_563, &Value::Null));
    let last = years["days"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["runs"], &last["intervals"]), (&json!({ "failed": 1 }), &json!([])));
    let ticks = site.api("/schedule/parted?count=2&at=2026-01-05T12:00:00Z")["ticks"].clone();
    assert_eq!(names(&ticks, "at"), ["2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z"]);
    assert_eq!(site.get("/api/v1/schedule/waiting").status, 404);
}

#[test]
fn health_is_for_programs() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    assert_eq!((site.get("/healthz").body.as_str(), site.get("/readyz").status), ("ok\n", 503));
    let system = site.api("/system");
    assert_eq!((&system["journal"]["name"], &system["holder"]), (&json!("journal.db"), &Value::Null));
}

#[test]
fn the_page_is_a_shell_whose_files_are_there() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&["--base-path", "/x/y"]);
    let site = shown.site();
    assert!(shown.url.ends_with("/x/y/"), "{}", shown.url);
    for path in ["/x/y/", "/x/y/runs", "/x/y/r/parted/manual__2026-01-05T00:00:00Z", "/"] {
        let page = site.get(path);
        assert!(page.status == 200 && page.body.contains("<base href=\"/x/y/\""), "{path}: {}", page.status);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"), "{policy}");
        let named = page.body.split("\"assets/").skip(1).map(|rest| rest.split('"').next().unwrap());
        for name in named {
            assert_eq!(site.get(&format!("/x/y/assets/{name}")).status, 200, "{name}");
        }
    }
    assert_eq!(site.get("/x/y/api/v1/overview").status, 200);
    assert_eq!(site.get("/x/y/assets/nothing.js").status, 404);
    // For an unknown path a browser gets the shell, which says so and has links; a program gets a problem document.
    for path in ["/x/y/settings", "/x/y/assets", "/nothing/at/all"] {
        let page = site.ask(&format!("GET {path}"), &[("accept", "text/html,*/*;q=0.8")], "");
        assert!(page.status == 404 && page.body.contains("<base href=\"/x/y/\""), "{path}: {}", page.status);
        let answer = site.get(path);
        assert_eq!((answer.status, answer.header("content-type")), (404, Some("application/problem+json")), "{path}");
    }
}

#[test]
fn a_form_asks_for_what_the_type_takes() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let fields = shown.site().api("/pipelines/parted/form")["fields"].clone();
    assert_eq!(names(&fields, "name"), ["parts", "fails", "label", "limit"]);
    assert_eq!(names(&fields, "type"), ["integer", "boolean", "text", "integer"]);
    assert_eq!((&fields[0]["max"], &fields[0]["default"], &fields[3]["optional"]), (&json!("255"), &json!(3), &json!(true)));
    assert_eq!(shown.site().api("/pipelines/waiting/form")["fields"], json!([]));
}

#[test]
fn a_run_is_run_once_more_with_something_otherwise() {
    let folder = Folder::filled();
    // A simulation writes nothing and runs nothing, so a read-only page has it, too.
    let shown = folder.dashboard(&["--read-only"]);
    let site = shown.site();
    let of = |answer: &Value, node: &str| {
        let rows = answer["nodes"].as_array().unwrap();
        rows.iter().find(|row| row["node"] == node).unwrap_or_else(|| panic!("there is no {node}")).clone()
    };
    let same = site.api(&format!("{GOOD}/what-if"));
    assert_eq!((&same["run"]["state"], &same["what_if"]["state"]), (&json!("success"), &json!("success")));
    assert!(same["nodes"].as_array().unwrap().iter().all(|row| row["differs"] == false), "{same}");
    // Special characters in a key or an error arrive unchanged.
    let fails = site.api(&format!("{GOOD}/what-if?fail=upload[1]@1=a%3Db%20%26%20c&fail=publish@1"));
    let upload = of(&fails, "upload[1]");
    assert_eq!((&upload["what_if"]["state"], &upload["what_if"]["error"]), (&json!("failed"), &json!("a=b & c")));
    assert_eq!((&upload["run"]["state"], &upload["differs"]), (&json!("success"), &json!(true)));
    assert_eq!(of(&fails, "publish")["what_if"]["state"], "upstream_failed");
    assert_eq!(fails["what_if"]["state"], "failed");
    // Its one retry failed; the outcome of a third attempt is unknown.
    let more = site.api(&format!("{BAD}/what-if?set=publish.retries=2"));
    assert_eq!((&of(&more, "publish")["what_if"]["state"], &more["what_if"]["end_ms"]), (&json!("unknown"), &Value::Null));
    for (wrong, said) in [
        ("fail=upload@0", "attempts count from 1"),
        ("arrive=parts=1m", "it is not a sensor"),
        ("set=parts.pool=x", "there is no option `pool` here"),
        ("slots=none=3", "the pipeline has no such pool"),
    ] {
        let answer = site.get(&format!("/api/v1{GOOD}/what-if?{wrong}"));
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{wrong}: {}", answer.body);
    }
}

#[test]
fn it_is_foretold_what_a_schedule_would_begin() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&["--read-only"]);
    let site = shown.site();
    let plain = site.api("/schedule/parted/forecast?ticks=3&takes=1m");
    let due: Vec<&str> = names(&plain["rows"], "end");
    assert!(due.len() >= 3 && due.is_sorted(), "{plain}");
    assert_eq!(plain["timezone"], "UTC");
    // A stop without a process, until the last requested tick.
    let last = due[due.len() - 1];
    let stopped = site.api(&format!("/schedule/parted/forecast?ticks=3&takes=1m&stopped=..{last}"));
    let (why, rows) = (names(&stopped["rows"], "why"), stopped["rows"].as_array().unwrap());
    assert_eq!(rows[rows.len() - 1]["begins"], rows[rows.len() - 1]["end"], "{stopped}");
    assert!(why[why.len() - 2].contains("a later interval was due"), "{stopped}");
    for (wrong, status, said) in [
        ("parted/forecast?set=retries=3", 400, "there is no option `retries` here"),
        ("parted/forecast?paused=2026-01-02", 400, "write FROM..UNTIL"),
        ("waiting/forecast", 404, "has no schedule"),
        ("none/forecast", 404, "no pipeline `none`"),
    ] {
        let answer = site.get(&format!("/api/v1/schedule/{wrong}"));
        assert_eq!(answer.status, status, "{wrong}: {}", answer.body);
        assert!(answer.json()["detail"].as_str().unwrap().contains(said), "{wrong}: {}", answer.body);
    }
    assert!(site.api("/runs")["runs"].as_array().unwrap().len() == 2, "nothing was run");
}

#[test]
fn a_run_is_saved_as_one_file_in_which_no_text_is_markup() {
    let folder = Folder::filled();
    let shown = folder.dashboard(&[]);
    let answer = shown.site().get(&format!("/api/v1{BAD}/document.html"));
    let name = "attachment; filename=\"parted-manual__2026-01-06T00_00_00Z.html\"";
    assert_eq!((answer.status, answer.header("content-disposition")), (200, Some(name)));
    let page = &answer.body;
    // Its nodes, its failure, its log, its records, and where its time went.
    for part in [
        "upload[2]",
        "What failed",
        "<h2>Log</h2>",
        "part 1",
        "run_ended",
        "Time spent by all nodes",
        "<svg ",
        "s-failed\"><title>publish: failed",
    ] {
        assert!(page.contains(part), "there is no {part}: {page}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;&lt;/script&gt;\\u{1b}[2J\\u{202e}"), "{page}");
    assert!(page.find("upload[1]#1: part 1") < page.find("publish#1: "), "its log is in order: {page}");
    assert!(!page.contains("<img") && !page.contains("<script") && !page.contains("<b>bold"), "{page}");
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
    // The command line prints the same page, apart from the time of the reading.
    let (code, printed) = folder.call(&["show", "parted/manual__2026-01-06T00:00:00Z", "--html"]);
    assert_eq!((code, printed.lines().count()), (Some(0), page.lines().count()));
}

#[test]
fn the_time_before_a_retry_is_told_apart_from_how_long_a_run_took() {
    let folder = Folder::filled();
    // It fails again, and ends a second time.
    assert_eq!(folder.call(&["retry", "parted/manual__2026-01-06T00:00:00Z"]).0, Some(1));
    let shown = folder.dashboard(&[]);
    let site = shown.site();
    let run = site.api(BAD);
    let (idle, whole) = (run["idle_ms"].as_f64().unwrap(), run["run"]["duration_ms"].as_f64().unwrap());
    assert!(idle > 0.0 && idle < whole, "{run}");
    let node = site.api(&format!("{BAD}/node?id=publish"));
    let attempts = node["attempts"].as_array().unwrap();
    let of = |attempt: usize| attempts[attempt]["started"].as_str().unwrap();
    let retried = node["retried"].as_str().unwrap();
    assert!(attempts.len() == 4 && of(1) < retried && retried < of(2), "{node}");
    let page = site.get(&format!("/api/v1{BAD}/document.html")).body;
    assert!(page.contains("<dt>Retried</dt>") && page.contains("with the time before its retry</dd>"), "{page}");
}
