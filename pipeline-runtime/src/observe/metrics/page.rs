//! The Prometheus text format, for a run and for a process.

use std::fmt::{self, Display, Write};
use std::time::Duration;

/// A page of metric families, each with its samples.
#[derive(Debug, Default)]
pub(crate) struct PrometheusPage(String);

impl PrometheusPage {
    /// Begins a family. The samples that follow belong to it.
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {}\n# TYPE {name} {kind}", Escaped { text: help, quotes: false });
    }

    /// Adds a sample of the last family.
    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{before}{label}=\"{}\"", Escaped { text, quotes: true });
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{after} {value}");
    }

    /// Adds a histogram of durations in seconds: the number up to each bound, the sum and the count.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        buckets: impl IntoIterator<Item = (Duration, u64)>,
        sum: Duration,
        count: u64,
    ) {
        let bucket = format!("{name}_bucket");
        for (bound, within) in buckets {
            let bound = bound.as_secs_f64().to_string();
            self.sample(&bucket, &[labels, &[("le", &bound)]].concat(), within);
        }
        self.sample(&bucket, &[labels, &[("le", "+Inf")]].concat(), count);
        self.sample(&format!("{name}_sum"), labels, sum.as_secs_f64());
        self.sample(&format!("{name}_count"), labels, count);
    }

    pub(crate) fn text(self) -> String {
        self.0
    }
}

/// A text within the page.
struct Escaped<'a> {
    text: &'a str,
    quotes: bool,
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.text.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' if self.quotes => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_no_labels_have_no_braces() {
        let mut page = PrometheusPage::default();
        page.family("a_total", "counter", "A \"\\\" and\nmore.");
        page.sample("a_total", &[], 1);
        page.sample("a_total", &[("of", "\"\\\n")], 0.5);
        page.histogram("b", &[], [(Duration::from_millis(5), 1)], Duration::from_secs(2), 3);
        let expected = "# HELP a_total A \"\\\\\" and\\nmore.\n# TYPE a_total counter\na_total 1\na_total{of=\"\\\"\\\\\\n\"} 0.5\n\
                        b_bucket{le=\"0.005\"} 1\nb_bucket{le=\"+Inf\"} 3\nb_sum 2\nb_count 3\n";
        assert_eq!(page.text(), expected);
    }
}
