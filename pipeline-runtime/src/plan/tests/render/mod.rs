//! What `graph` shows: one pipeline with all that a plan may contain, in each form.

mod json;
mod mermaid;
#[cfg(feature = "graph")]
mod text;

use super::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Settings {
    region: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { region: "eu".into() }
    }
}

static WAREHOUSE: Pool = Pool::new("warehouse", 4);

async fn page(_: Notification) -> Result<()> {
    Ok(())
}

async fn log_it(_: Notification) -> Result<()> {
    Ok(())
}

#[task(retries = 3, retry_delay = "30s", on_failure = [page, log_it])]
async fn load(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[task]
async fn quarantine(rows: u64) -> Result<()> {
    let _ = rows;
    Ok(())
}

/// Lists the folder's files.
#[task(timeout = "90s")]
async fn list(folder: Vec<String>) -> Result<Vec<String>> {
    Ok(folder)
}

#[task(backoff(start = "1s", max = "1m", factor = 3, jitter = "2s"))]
async fn upload(file: String, region: String, days: Option<u64>) -> Result<String> {
    let _ = days;
    Ok(file + &region)
}

#[task]
async fn mirror(region: String) -> Result<u64> {
    Ok(region.len() as u64)
}

#[task]
async fn report(loaded: Option<u64>, uploads: Vec<Outcome<Vec<String>>>, fastest: u64) -> Result<()> {
    let _ = (loaded, uploads, fastest);
    Ok(())
}

/// Loads the day's export.
///
/// Further lines are left out of the header.
#[pipeline(
    schedule = "0 6 * * 1-5", timezone = "Europe/Berlin", timeout = "2h", sla = "45m", on_sla_miss = page, on_success = log_it,
    tags = ["daily", "eu"]
)]
fn everything(settings: Settings) {
    let export = export(template!("raw/{{ ds_nodash }}.json")).named("daily_export").on_timeout(crate::OnTimeout::Skip);
    let RouteArms { clean, quarantine: bad, nothing: _ } = route(export);
    let loaded = load(clean).pool(&WAREHOUSE).sla(seconds(600));
    repair(loaded.failure()).priority(7);
    quarantine(bad).allow_failure();
    let folders = folders().after(export);
    let uploads = folders.each(|folder| list(folder).each(|file| upload(file, &settings.region, None)).max_active(4));
    let fastest = first_of([mirror("eu"), mirror("us")]);
    report(loaded, uploads, fastest).after(loaded);
}
