//! No generated word has the range of one of the user's tokens: an editor would show it for that token.
//!
//! Outside of a macro, `proc-macro2` knows the place of a token in a text (its feature `span-locations`); the place of the
//! attribute is then the start of the text. This test contains the macros' sources, because a crate of macros cannot export
//! functions. So their unit tests run here, too.

#![allow(dead_code, unused_imports, reason = "the entry points of the crate are left out, and what templates alone need")]
#![allow(clippy::large_enum_variant, reason = "a span that knows its place is larger than the one of a macro")]

#[path = "../../pipeline-macros/src/attrs.rs"]
mod attrs;
#[path = "../../pipeline-macros/src/branch.rs"]
mod branch;
#[path = "../../pipeline-macros/src/error.rs"]
mod error;
#[path = "../../pipeline-macros/src/item.rs"]
mod item;
#[path = "../../pipeline-macros/src/options/mod.rs"]
mod options;
#[path = "../../pipeline-macros/src/pipeline.rs"]
mod pipeline;
#[path = "../../pipeline-macros/src/runtime.rs"]
mod runtime;
#[path = "../../pipeline-macros/src/task/mod.rs"]
mod task;
#[path = "../../pipeline-macros/src/types.rs"]
mod types;

use options::Owner;
use proc_macro2::{Ident, TokenStream, TokenTree};
use std::collections::BTreeSet;
use task::Kind;

/// A generated word, and the user's token at which an editor would show it.
type Misplaced = (String, String);

/// The generated words that `expand` places at tokens of the text.
fn misplaced(source: &str, expand: impl FnOnce(TokenStream) -> TokenStream) -> BTreeSet<Misplaced> {
    let tokens: TokenStream = source.parse().expect("tokens");
    words(expand(tokens))
        .into_iter()
        .filter_map(|word| {
            let (users, word) = (source.get(word.span().byte_range())?, word.to_string());
            // These are intended: a doc comment becomes an attribute, and an error is placed at the mistake.
            let is_meant = matches!(word.as_str(), "doc" | "core" | "compile_error");
            let is_word = users.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            (is_word && !is_meant && users != word).then(|| (word, users.to_owned()))
        })
        .collect()
}

fn words(tokens: TokenStream) -> Vec<Ident> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(word) => vec![word],
            TokenTree::Group(group) => words(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        })
        .collect()
}

/// Expands an item whose text begins with its attribute, `#[name(options)]`.
fn attributed(tokens: TokenStream, expand: impl FnOnce(TokenStream, TokenStream) -> TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().skip(1);
    let Some(TokenTree::Group(attribute)) = tokens.next() else { panic!("no attribute") };
    let options = attribute.stream().into_iter().find_map(|token| match token {
        TokenTree::Group(options) => Some(options.stream()),
        _ => None,
    });
    expand(options.unwrap_or_default(), tokens.collect())
}

fn of_a_task(kind: Kind, source: &str) -> BTreeSet<Misplaced> {
    misplaced(source, |tokens| attributed(tokens, |options, item| task::expand(kind, options, &item)))
}

/// The words that are placed at a task's name on purpose: `impl`, or an unknown type would be two errors, and `call`, so that an
/// editor finds it there.
fn at_the_name(name: &str) -> BTreeSet<Misplaced> {
    ["call", "impl"].map(|word| (word.to_owned(), name.to_owned())).into()
}

const TASK: &str = "#[task(retries = 1, timeout = LIMIT, backoff(start = \"30s\", max = crate::MAX), pool = crate::S3, on_failure = [log_it, CHAT])]
/// Counts the rows.
#[instrument(skip_all)]
pub async fn count(bucket: Bucket, mut export: a::Table<Row>, _rest: u64, ctx: Context) -> Result<Vec<Report>> {
    body(bucket, export, ctx).await
}";

#[test]
fn of_tasks() {
    // The input's name, which an editor shows instead of the parameter's.
    let mut expected = at_the_name("count");
    expected.insert(("rest".to_owned(), "_rest".to_owned()));
    assert_eq!(of_a_task(Kind::Task, TASK), expected);
    let by_path = TASK.replace("task(", "task(crate = my_facade::pipeline, ");
    let by_path: BTreeSet<Misplaced> = of_a_task(Kind::Task, &by_path);
    // A path that has errors at a token begins there, with the name of the import: see `runtime`.
    let without_import = by_path.into_iter().filter(|(word, _)| word != "__count_runtime" && word != "__private");
    assert_eq!(without_import.collect::<BTreeSet<_>>(), expected);
    let blocking = "#[task] fn hash(file: PathBuf, seed: u64) { body(file, seed) }";
    assert_eq!(of_a_task(Kind::Task, blocking), at_the_name("hash"));
    let by_alias = "#[task] async fn load(rows: Vec<u64>) -> anyhow::Answer<u64> { Ok(rows.len()) }";
    assert_eq!(of_a_task(Kind::Task, by_alias), at_the_name("load"));
}

#[test]
fn of_sensors_and_branches() {
    let sensor = "#[sensor(poke = \"5s\", on_timeout = \"skip\")] async fn ready(bucket: Bucket) -> Result<Poke<Object>> { body(bucket).await }";
    assert_eq!(of_a_task(Kind::Sensor, sensor), at_the_name("ready"));
    let branch = "#[branch] async fn route(report: Report) -> Result<Route> { body(report).await }";
    assert_eq!(of_a_task(Kind::Branch, branch), at_the_name("route"));
}

/// A refused item has a constructor, too.
#[test]
fn of_what_is_refused() {
    for (item, name) in [
        ("#[task] async fn load(rows: &str, (a, b): (u8, u8), c: _) -> Result<&str> { Ok(rows) }", "load"),
        ("#[task] async fn load<T: Clone>(rows: T) -> Result<T> { Ok(rows) }", "load"),
        ("#[task(retry = 3, timeout)] async fn load(rows: u64) -> Result<u64> { Ok(rows) }", "load"),
    ] {
        assert_eq!(of_a_task(Kind::Task, item), at_the_name(name), "{item}");
    }
}

#[test]
fn of_arms() {
    let arms = "pub enum Route { Clean(Report), NeedsReview(a::Table<Row>), Type, Both(u8, u8) }";
    // Each arm's field has the variant's place, so that an editor goes from one to the other.
    let fields =
        [("clean", "Clean"), ("needs_review", "NeedsReview"), ("r#type", "Type"), ("both", "Both"), ("RouteArms", "Route")];
    let fields = fields.map(|(field, variant)| (field.to_owned(), variant.to_owned()));
    assert_eq!(misplaced(arms, branch::expand), fields.into());
}

#[test]
fn of_pipelines() {
    let pipeline = "#[pipeline(schedule = DAILY, when = all(VISITS), sla = LIMIT, escalate(\"60m\" => page, LATER => [a::page, log_it]), defaults = TEAM)]
/// Loads the day.
pub fn daily(options: Options) -> Result<()> {
    count(export(options.key));
    Ok(())
}";
    let found = misplaced(pipeline, |tokens| attributed(tokens, |options, item| pipeline::expand(options, &item)));
    // The method that takes an asset, so that rustc reports a wrong one here.
    assert_eq!(found, [("of".to_owned(), "all".to_owned())].into());
}

/// The imports for completion have the names as typed, and nothing else is placed at them.
#[test]
fn of_completion() {
    let options = "retries = 2, backoff(start = \"30s\", ma), po, on_failure = a::b";
    assert_eq!(misplaced(options, |tokens| options::completion(Owner::Sensor, tokens, None)), BTreeSet::new());
}
