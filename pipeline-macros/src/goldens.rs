//! Goldens of expansions, one item each, formatted for a reader. `UPDATE_EXPECT=1` rewrites the files, and `git diff` shows the
//! changes.

use crate::error::pretty;
use crate::options::{Owner, completion};
use crate::task::Kind;
use crate::{branch, pipeline, task};
use expect_test::expect_file;
use quote::quote;

#[test]
fn a_task() {
    let attr = quote!(retries = 1, retry_delay = "5m", pool = S3, on_failure = [log_it, CHAT]);
    let item = quote! {
        /// Counts the rows.
        ///
        /// Slowly.
        #[instrument(skip_all)]
        pub async fn count(bucket: Bucket, mut export: Object, ctx: Context) -> Result<Report> {
            body(bucket, export, ctx).await
        }
    };
    expect_file!["../../tests/expansion/task.rs"].assert_eq(&pretty(&task::expand(Kind::Task, attr, &item)));
}

#[test]
fn a_blocking_task() {
    let item = quote!(
        fn hash(file: PathBuf, seed: u64) -> Result<u64> {
            body(file, seed)
        }
    );
    expect_file!["../../tests/expansion/blocking_task.rs"].assert_eq(&pretty(&task::expand(Kind::Task, quote!(), &item)));
}

#[test]
fn a_sensor() {
    let attr = quote!(timeout = "30m", backoff(start = "30s", max = "5m", factor = 2), on_timeout = "skip");
    let item = quote! {
        /// Waits for a key.
        async fn export(bucket: Bucket, key: String) -> Result<Poke<Object>> {
            body(bucket, key).await
        }
    };
    expect_file!["../../tests/expansion/sensor.rs"].assert_eq(&pretty(&task::expand(Kind::Sensor, attr, &item)));
}

#[test]
fn a_branch() {
    let item = quote!(
        async fn route(report: Report) -> Result<Route> {
            body(report).await
        }
    );
    expect_file!["../../tests/expansion/branch.rs"].assert_eq(&pretty(&task::expand(Kind::Branch, quote!(), &item)));
}

#[test]
fn the_arms_of_a_branch() {
    let item = quote!(
        pub enum Route {
            Clean(Report),
            Type(String),
            Nothing,
        }
    );
    expect_file!["../../tests/expansion/arms.rs"].assert_eq(&pretty(&branch::expand(item)));
}

#[test]
fn a_pipeline() {
    let attr = quote!(
        schedule = "0 6 * * *",
        sla = "45m",
        escalate("60m" => page, "90m" => [page, log_it]),
        defaults(retries = 1),
        tags = ["daily"]
    );
    let item = quote! {
        /// Loads the day.
        pub fn daily(options: Options) -> Result<()> {
            count(export(options.key));
            Ok(())
        }
    };
    expect_file!["../../tests/expansion/pipeline.rs"].assert_eq(&pretty(&pipeline::expand(attr, &item)));
}

/// Each expansion uses one import, and only the path of that import keeps the spans of the user's tokens.
#[test]
fn by_another_path() {
    let attr = |more| quote!(crate = my_facade::pipeline, #more);
    let counted = quote!(
        async fn count(rows: u64, ctx: Context) -> Answer<u64> {
            body(rows, ctx).await
        }
    );
    let route = quote!(
        #[branch(crate = my_facade::pipeline)]
        enum Route {
            Clean(u64),
            Nothing,
        }
    );
    let daily = quote!(
        fn daily(options: Options) {
            count(options.rows);
        }
    );
    let more = quote!(backoff(start = "30s", max = "5m"), on_failure = page);
    let items = [
        task::expand(Kind::Task, attr(more), &counted),
        branch::expand(route),
        pipeline::expand(attr(quote!(defaults(mode = "poke"))), &daily),
    ];
    let text: Vec<String> = items.iter().map(pretty).collect();
    let text = text.join("\n");
    assert!(!text.contains("pipeline_runtime"), "{text}");
    expect_file!["../../tests/expansion/another_path.rs"].assert_eq(&text);
}

/// The imports with which rust-analyzer completes half-typed options.
#[test]
fn half_typed_options() {
    let completion = |place, attr: proc_macro2::TokenStream| pretty(&completion(place, attr, None));
    let texts = [
        completion(Owner::Task, quote!()),
        completion(Owner::Task, quote!(re)),
        completion(
            Owner::Branch,
            quote!(retries = 2, backoff(start = "30s", ma), ,pool =, on_failure = a::b<C, D>, "text", crate = x),
        ),
        completion(Owner::Sensor, quote!(po: 3 timeout)),
        completion(Owner::Pipeline, quote!(defaults(re, backoff(s)), escalate("60m" => pa), ta)),
    ];
    expect_file!["../../tests/expansion/half_typed_options.rs"].assert_eq(&texts.join("\n"));
}

#[test]
fn a_half_typed_task() {
    let item = quote!(
        async fn count((a, b): (u64, u64), key: &str, rest: u64) -> Result<u64> {
            a.
        }
    );
    // The body does not parse, so the expansion cannot be formatted as a whole: only the constructor is.
    let expansion = task::expand(Kind::Task, quote!(retries =), &item).to_string();
    let begin = expansion.find("# [allow (unused_variables").unwrap_or_default();
    let constructor = expansion[begin..].split("# [doc (hidden)]").next().unwrap_or_default();
    let file = constructor.parse().map(|tokens| pretty(&tokens));
    expect_file!["../../tests/expansion/half_typed_task.rs"].assert_eq(&file.unwrap_or_else(|error| error.to_string()));
}
