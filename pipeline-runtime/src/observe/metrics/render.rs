//! Metrics as text.

use super::super::timeline::format_rounded;
use super::page::PrometheusPage;
use super::{Histogram, NodeMetrics, RunMetrics, SensorMetrics};
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

impl RunMetrics {
    /// Returns the metrics in the Prometheus text format.
    pub fn to_prometheus(&self) -> String {
        let mut page = RunPage { page: PrometheusPage::default(), pipeline: &self.pipeline };
        page.family("pipeline_run_state", "gauge", "1 for the state that the run is in.");
        page.sample("pipeline_run_state", &[("state", self.state.name())], 1);
        page.family(
            "pipeline_run_duration_seconds",
            "gauge",
            "From the run's start to its end, or to the last thing that happened.",
        );
        page.sample("pipeline_run_duration_seconds", &[], self.duration.as_secs_f64());

        let nodes: Vec<&NodeMetrics> = self.sensors.iter().map(|sensor| &sensor.node).chain(&self.tasks).collect();
        page.family("pipeline_node_states", "gauge", "How many of the node's elements are in which state.");
        for node in &nodes {
            for (state, count) in &node.states {
                page.sample("pipeline_node_states", &[("node", &node.node), ("state", state.name())], count);
            }
        }
        page.each(&nodes, "pipeline_node_attempts_total", "Attempts that began.", |node| node.attempts);
        page.each(&nodes, "pipeline_node_errors_total", "Attempts and pokes that ended in an error.", |node| node.errors);
        page.each(&nodes, "pipeline_node_queue_seconds_total", "From when it could start until it did.", |node| {
            node.queue.as_secs_f64()
        });
        page.each(&nodes, "pipeline_node_run_seconds_total", "How long its body ran.", |node| node.run.as_secs_f64());

        let sensors: Vec<&SensorMetrics> = self.sensors.iter().collect();
        page.each(&sensors, "pipeline_sensor_pokes_total", "Pokes that began.", |sensor| sensor.pokes);
        page.each(&sensors, "pipeline_sensor_wait_seconds_total", "From the first poke until the sensor ended.", |sensor| {
            sensor.wait.as_secs_f64()
        });
        page.each(&sensors, "pipeline_sensor_timeouts_total", "Waits that outlasted the timeout.", |sensor| sensor.timeouts);
        let found: Vec<(&SensorMetrics, Duration)> =
            sensors.iter().filter_map(|sensor| Some((*sensor, sensor.detection?))).collect();
        let name = "pipeline_sensor_detection_seconds";
        page.family(name, "gauge", "From an object's arrival to the end of the poke that found it.");
        for (sensor, detection) in found {
            page.sample(name, &[("node", &sensor.node.node)], detection.as_secs_f64());
        }
        page.family("pipeline_sensor_poke_duration_seconds", "histogram", "How long pokes took.");
        for sensor in sensors {
            page.histogram("pipeline_sensor_poke_duration_seconds", &sensor.node.node, &sensor.poke_duration);
        }
        page.page.text()
    }

    /// Returns the metrics as a JSON object.
    pub fn to_json(&self) -> String {
        // String keys and finite numbers: serialization cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Writes a file: JSON if its name ends with `.json`, otherwise Prometheus text. The file is replaced atomically.
    ///
    /// # Errors
    ///
    /// If the file, or the temporary file beside it that replaces it, cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let text = if is_json { self.to_json() + "\n" } else { self.to_prometheus() };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
        let mut new = tempfile::Builder::new();
        new.prefix(&prefix).suffix(".tmp");
        // The umask decides who may read it, as for any file: a collector is usually another user.
        #[cfg(unix)]
        new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut new = new.tempfile_in(folder)?;
        new.write_all(text.as_bytes())?;
        // Otherwise a power failure could leave an empty file under that name.
        new.as_file().sync_all()?;
        new.persist(path).map(drop).map_err(|failed| failed.error)
    }
}

/// The metrics page of one run.
struct RunPage<'a> {
    page: PrometheusPage,
    pipeline: &'a str,
}

impl RunPage<'_> {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.page.family(name, kind, help);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.page.sample(name, &[&[("pipeline", self.pipeline)], labels].concat(), value);
    }

    fn each<N: Named, V: Display>(&mut self, nodes: &[&N], name: &str, help: &str, value: impl Fn(&N) -> V) {
        self.family(name, "counter", help);
        for node in nodes {
            self.sample(name, &[("node", node.name())], value(node));
        }
    }

    fn histogram(&mut self, name: &str, node: &str, histogram: &Histogram) {
        let labels = [("pipeline", self.pipeline), ("node", node)];
        let buckets = Histogram::BOUNDS.map(Duration::from_millis).into_iter().zip(histogram.buckets);
        self.page.histogram(name, &labels, buckets, histogram.sum, histogram.count);
    }
}

trait Named {
    fn name(&self) -> &str;
}

impl Named for NodeMetrics {
    fn name(&self) -> &str {
        &self.node
    }
}

impl Named for SensorMetrics {
    fn name(&self) -> &str {
        &self.node.node
    }
}

/// Two tables, of the sensors and of the tasks.
impl Display for RunMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} after {}", self.pipeline, self.state, format_rounded(self.duration))?;
        let mut sensors = Table::new(&[
            "sensor",
            "state",
            "pokes",
            "wait",
            "found after",
            "poke mean",
            "poke max",
            "timeouts",
            "errors",
            "queued",
        ]);
        for SensorMetrics { node, pokes, wait, timeouts, detection, poke_duration } in &self.sensors {
            sensors.row([
                node.node.clone(),
                states(node),
                pokes.to_string(),
                format_rounded(*wait),
                detection.map_or_else(|| "-".to_owned(), format_rounded),
                format_rounded(poke_duration.mean()),
                format_rounded(poke_duration.max),
                timeouts.to_string(),
                node.errors.to_string(),
                format_rounded(node.queue),
            ]);
        }
        sensors.fmt(f)?;
        if !self.sensors.is_empty() && !self.tasks.is_empty() {
            writeln!(f)?;
        }
        let mut tasks = Table::new(&["task", "state", "attempts", "errors", "queued", "ran"]);
        for node in &self.tasks {
            tasks.row([
                node.node.clone(),
                states(node),
                node.attempts.to_string(),
                node.errors.to_string(),
                format_rounded(node.queue),
                format_rounded(node.run),
            ]);
        }
        tasks.fmt(f)?;
        let mut nodes = self.sensors.iter().map(|sensor| &sensor.node).chain(&self.tasks);
        if nodes.any(|node| node.states.values().sum::<u64>() > 1) {
            writeln!(f, "\n{OF_ELEMENTS}")?;
        }
        Ok(())
    }
}

/// Follows the tables if a node has several elements.
const OF_ELEMENTS: &str = "(a node's times are those of all its elements together, also if they waited or ran at once)";

fn states(node: &NodeMetrics) -> String {
    let states: Vec<String> = node
        .states
        .iter()
        .map(|(state, count)| match count {
            1 => state.name().to_owned(),
            _ => format!("{count} {state}"),
        })
        .collect();
    states.join(", ")
}

/// Columns as wide as their widest cell; the first two are left-aligned, numbers right-aligned.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.len() < 2 {
            return Ok(());
        }
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 | 1 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            let line: Vec<String> = cells.collect();
            writeln!(f, "{}", line.join("  ").trim_end())?;
        }
        Ok(())
    }
}
