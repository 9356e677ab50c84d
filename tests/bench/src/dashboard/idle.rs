//! The cost of a serving process that has nothing to do, without the page and with it.

use super::client::Client;
use super::server::Server;
use crate::history::command;
use pipeline_bench::table::Table;
use std::path::Path;
use std::time::Duration;

/// How long each is observed.
const SPAN: Duration = Duration::from_secs(10);
/// How long a process may take to start.
const START: Duration = Duration::from_secs(5);

pub(super) fn table(folder: &Path) -> Table {
    let mut table = Table::new("`serve` with nothing to do, a journal of 100,000 runs", ["", "resident, MB", "CPU in 10 s, ms"]);
    for (name, page, streams) in
        [("without the page", false, 0), ("with it, nobody looks", true, 0), ("with it, one page", true, 1)]
    {
        let server = if page {
            Server::start(folder, &["serve", "--dashboard", ":0"])
        } else {
            Server::begin(command(folder).args(["serve", "--no-dashboard"]))
        };
        std::thread::sleep(START);
        let _looking: Vec<_> = (0..streams).map(|_| Client::listen(&server.address, "/api/v1/events?topic=overview")).collect();
        let before = server.cpu();
        std::thread::sleep(SPAN);
        let took = server.cpu().saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "figures of a table")]
        let resident = server.resident() as f64 / 1e6;
        table.row([name.to_owned(), format!("{resident:.1}"), format!("{:.1}", took.as_secs_f64() * 1e3)]);
    }
    table
}
