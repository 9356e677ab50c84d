//! A file of a vendor: unpacked, cleaned, split, imported if there is a profile for it, awaited and reported. Another pipeline
//! starts it.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{Command, start};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct VendorFile {
    vendor: String,
    interface: String,
    /// The import's profile. Without one the file is only prepared.
    profile: Option<String>,
    file: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Setup {
    folder: String,
    display_name: String,
    rules: Rules,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Rules {
    remove: Vec<String>,
    rename: Vec<(String, String)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cleaned {
    file: String,
    records: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Import {
    upload: String,
    job: String,
}

#[derive(Clone, Serialize, Deserialize, Branch)]
enum How {
    Import(String),
    PrepareOnly,
}

#[task]
async fn setup(of: VendorFile) -> Result<Setup> {
    let rules = Rules { remove: ["901", "903"].map(str::to_owned).into(), rename: Vec::new() };
    Ok(Setup { folder: format!("{}/{}", of.vendor, of.interface), display_name: of.interface, rules })
}

#[task]
async fn unpack(ctx: Context, folder: String, file: String) -> Result<String> {
    Ok(Command::new("unpack").arg(format!("{folder}/{file}")).run(&ctx).await?.last_line().to_owned())
}

#[task(retries = 2)]
async fn clean(ctx: Context, folder: String, file: String, rules: Rules) -> Result<Cleaned> {
    let marc = Command::new("marc-clean").arg(format!("{folder}/{file}")).args(rules.remove);
    marc.run(&ctx).await?.output_json()
}

#[task]
async fn split(ctx: Context, cleaned: Cleaned) -> Result<Vec<String>> {
    Command::new("marc-split").arg(cleaned.file).run(&ctx).await?.output_json()
}

#[branch]
async fn how(of: VendorFile) -> Result<How> {
    Ok(of.profile.map_or(How::PrepareOnly, How::Import))
}

#[task]
async fn import(ctx: Context, profile: String, parts: Vec<String>) -> Result<Import> {
    Command::new("catalogue").args(["import", "--profile", &profile]).args(parts).run(&ctx).await?.output_json()
}

#[sensor(poke = "5m", timeout = "1d")]
async fn imported(ctx: Context, job: String) -> Result<Poke<u64>> {
    let state = Command::new("catalogue").args(["job", &job]).run(&ctx).await?;
    Ok(state.last_line().strip_prefix("done ").map(str::parse).transpose()?.into())
}

#[task]
async fn say_loaded(ctx: Context, name: String, records: u64, loaded: u64) -> Result<String> {
    let text = format!("{name}: {loaded} of {records} records were loaded");
    LIBRARIANS.send(&ctx, "loaded", &text).await?;
    Ok(text)
}

#[task]
async fn say_prepared(ctx: Context, name: String, file: String) -> Result<String> {
    let text = format!("{name}: {file} was prepared, and not loaded");
    LIBRARIANS.send(&ctx, "prepared", &text).await?;
    Ok(text)
}

#[pipeline(defaults(retry_delay = "5m", on_failure = CHAT))]
fn vendor_file(of: VendorFile) {
    let setup = setup(&of);
    let (folder, name) = (setup.field(|setup| &setup.folder), setup.field(|setup| &setup.display_name));
    let file = unpack(folder, &of.file);
    let cleaned = clean(folder, file, setup.field(|setup| &setup.rules));
    let parts = split(cleaned);

    let HowArms { import: profile, prepare_only } = how(&of);
    let job = import(profile, parts);
    let loaded = imported(job.field(|import| &import.job));
    say_loaded(name, cleaned.field(|cleaned| &cleaned.records), loaded);
    say_prepared(name, cleaned.field(|cleaned| &cleaned.file)).after(prepare_only);
}

const CHAT: Webhook = Webhook::env("CHAT_URL").slack();
const LIBRARIANS: Mail = Mail::env("SMTP_URL").to(&["catalogue@example.org"]).from("pipelines@example.org");

#[task]
async fn new_files(ctx: Context) -> Result<Vec<VendorFile>> {
    Command::new("ftp-list").run(&ctx).await?.output_json()
}

#[pipeline(schedule = "0 18 * * *", start = "2024-01-01", defaults(on_failure = CHAT))]
fn vendor_files() {
    new_files().keyed(|file| file.file.clone()).each(|file| start(vendor_file, file).finished());
}

// ---- simulations

use super::support::*;

fn of(profile: Option<&str>) -> VendorFile {
    VendorFile { vendor: "books".into(), interface: "weekly".into(), profile: profile.map(str::to_owned), file: "b.mrc".into() }
}

fn file(profile: Option<&str>) -> Simulation<'static> {
    let simulation = Simulation::new(vendor_file()).params(of(profile)).stub("unpack", "b.mrc".to_owned());
    let simulation = simulation.stub("clean", Cleaned { file: "c.mrc".into(), records: 90 });
    let simulation = simulation.stub("split", vec!["c1.mrc".to_owned(), "c2.mrc".to_owned()]);
    simulation.stub("import", Import { upload: "u-1".into(), job: "j-1".into() }).stub("imported", 88u64)
}

#[test]
fn a_file_with_a_profile_is_imported_and_reported() {
    let report = file(Some("p-1")).run();
    succeeds(&report);
    assert_eq!(report.output("say_loaded"), Some("weekly: 88 of 90 records were loaded".to_owned()));
    assert_eq!(report.node("say_prepared").state(), Skipped);
}

#[test]
fn a_file_without_one_is_prepared() {
    let report = file(None).run();
    succeeds(&report);
    assert_eq!(report.output("say_prepared"), Some("weekly: c.mrc was prepared, and not loaded".to_owned()));
    assert_eq!(states(&report, ["import", "imported", "say_loaded"]), [Skipped; 3]);
}

#[test]
fn an_import_that_fails_is_one_alert() {
    let report = file(Some("p-1")).fail("import", 1, "no such profile").run();
    assert_eq!(states(&report, ["import", "imported", "say_loaded"]), [Failed, UpstreamFailed, UpstreamFailed]);
    assert_eq!(callbacks(&report), ["on_failure of import"]);
}

#[test]
fn cleaning_is_tried_again() {
    let report = file(Some("p-1")).fail("clean", 1, "disk full").run();
    succeeds(&report);
    assert_eq!(report.finished(), mins(5));
}

#[test]
fn each_new_file_starts_a_run_and_a_slow_one_is_awaited() {
    let files = vec![of(Some("p-1")), VendorFile { file: "c.mrc".into(), ..of(None) }];
    let simulation = Simulation::new(vendor_files()).logical_date("2024-03-25").stub("new_files", files);
    let loaded = |of: &str| OtherRun::success().started_by(of);
    let report = simulation.ran("3m", vendor_file, loaded("start[b.mrc]")).ran("2h", vendor_file, loaded("start[c.mrc]")).run();
    succeeds(&report);
    let finished = |file: &str| report.node(&format!("finished[{file}]")).finished();
    assert_eq!((finished("b.mrc"), finished("c.mrc")), (mins(3), mins(120)));
}
