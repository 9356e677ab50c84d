//! The plan as text.

use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "most of it is the golden")]
fn everything_as_text() {
    expect![[r#"
        pipeline  everything
                  Loads the day's export.
        tags      daily, eu
        schedule  0 6 * * 1-5, at 06:00, on Monday to Friday (Europe/Berlin)
        params    {"region":"eu"}
        timeout   2h
        callback  on_success log_it
        callback  on_sla_miss page after 45m
        pool      warehouse, 4 slots

        [daily_export]   [mirror]   [mirror__2]
           ┌───┴──────┐      └─────┬─────┘
           ↓          ↓            ↓
        [route]   [folders]   (first_of)
           └──┬───────┼──────────┬─┼────────────────┐
              │       └──────────┼─┼────────────────┼──────────────────────┐
              │                  │ └────────────────┼──────────────────────┼───────────────────┐
              │                  │                  │                      │                   │
              │                  │                  │             ╔════════╪═════════════════╗ │
              │                  │                  │             ║ each element of folders  ║ │
              ↓                  ↓                  ↓             ║        ↓                 ║ │
        (route.clean)   (route.quarantine)   (route.nothing)      ║    (element)             ║ │
           ┌──┘        ┌─────────┘                                ║        │                 ║ │
           ↓           ↓                                          ║        ↓                 ║ │
        [load]   [quarantine]                                     ║     [list]               ║ │
           └───┬────────────────────────────────────────────────┐ ║        │                 ║ │
               │                                    "none_failed" ║        │                 ║ │
               │                                                │ ║        │                 ║ │
               │                                                │ ║  ╔═════╪════════════════╗║ │
               │                                                │ ║  ║ each element of list ║║ │
               ↓                                                │ ║  ║     ↓                ║║ │
        (load.failure)                                          │ ║  ║ (element)            ║║ │
            ┌──┘                                                │ ║  ║     │                ║║ │
            ↓                                                   │ ║  ║     ↓                ║║ │
        [repair]                                                │ ║  ║ [upload]             ║║ │
                                                                │ ║  ║     │                ║║ │
            ┌───────────────────────────────────────────────────┘ ║  ║     │                ║║ │
            │                                                     ║  ╚═════╪════════════════╝║ │
            │                                                     ║        │                 ║ │
            │                                                     ║        ↓                 ║ │
            │                                                     ║ (each(upload))           ║ │
            │           ┌─────────────────────────────────────────╫────────┘                 ║ │
            │           │          ┌──────────────────────────────╫──────────────────────────╫─┘
            │           │          │                              ╚══════════════════════════╝
            │           │          │
            │           ↓          │
            │ (each(each(upload))) │
            ├───────────┘          │
        "all_done"                 │
            ├──────────────────────┘
            ↓
        [report]

        node                kind      inputs                                              options                           wired at
        daily_export        sensor    key: template "raw/{{ ds_nodash }}.json"            timeout 10m                       `let export = export(template!("raw/{{ ds_nodash }}.json")).named("daily_export").on_timeout(crate::OnTimeout::Skip)`
                                                                                          poke 45s
                                                                                          on_timeout skip
        route               branch    rows: daily_export                                                                    `let RouteArms { clean, quarantine: bad, nothing: _ } = route(export)`
        load                task      rows: route.clean                                   retries 3                         `let loaded = load(clean).pool(&WAREHOUSE).sla(seconds(600))`
                                                                                          retry_delay 30s
                                                                                          pool warehouse
                                                                                          sla 10m, which nobody is told of
                                                                                          on_failure page
                                                                                          on_failure log_it
        repair              task      failure: load.failure                               priority 7                        `repair(loaded.failure()).priority(7)`
        quarantine          task      rows: route.quarantine                              allow_failure                     `quarantine(bad).allow_failure()`
        folders             task      after: daily_export                                                                   `let folders = folders().after(export)`
        each(each(upload))  each      list: folders                                                                         `let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`
                                      results: each(upload)
          list              task      folder: each(each(upload)).element                  timeout 1m 30s                    `let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`
          each(upload)      each      list: list                                          max_active 4                      `let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`
                                      results: upload
            upload          task      file: each(upload).element                          backoff 1s to 1m, x 3 + up to 2s  `let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4))`
                                      region: "eu"
                                      days: (value)
        mirror              task      region: "eu"                                                                          `let fastest = first_of([mirror("eu"), mirror("us")])`
        mirror__2           task      region: "us"                                                                          `let fastest = first_of([mirror("eu"), mirror("us")])`
        first_of            first_of  nodes: mirror, mirror__2 (one_success)                                                `let fastest = first_of([mirror("eu"), mirror("us")])`
        report              task      loaded: load (none_failed)                                                            `report(loaded, uploads, fastest).after(loaded)`
                                      uploads: elements of each(each(upload)) (all_done)
                                      fastest: first_of
                                      after: load
    "#]].assert_eq(&placed(&plan(&everything()).to_text()));
}

#[test]
fn a_large_graph_is_listed_but_not_drawn() {
    #[pipeline]
    fn nightly() {
        total((0..250).map(|_| rows()).collect::<Vec<_>>());
    }
    let text = plan(&nightly()).to_text();
    assert!(text.contains("(not drawn: 251 nodes and 250 edges; at most 200 nodes are)"), "{text}");
    assert!(
        text.contains("sizes: rows, rows__2, rows__3, rows__4, rows__5, rows__6, rows__7, rows__8, … (250 in all)"),
        "{text}"
    );
    assert!(text.contains("\nrows__250 "), "{text}");
}

#[test]
fn a_wide_graph_is_drawn_from_left_to_right() {
    #[pipeline]
    fn nightly() {
        total((0..30).map(|_| rows()).collect::<Vec<_>>());
    }
    let text = plan(&nightly()).to_text();
    // Without the table of nodes, whose lines end with a path.
    let widest = text.lines().filter(|line| !line.contains(".rs:")).map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 160, "{text}");
    assert!(text.contains("[rows__30]"), "{text}");
}
