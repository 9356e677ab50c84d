//! Summaries of repeated measurements.

/// The median of some measurements, with the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

impl Spread {
    /// Summarizes these measurements.
    ///
    /// # Panics
    ///
    /// If there is no measurement.
    pub fn of(measured: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (least, greatest) = (sorted[0], sorted[sorted.len() - 1]);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], sorted[middle]) } else { sorted[middle] };
        Self { median, least, greatest }
    }

    /// Formats it as `12.3 [11.9–14.0]`.
    pub fn text(&self, digits: usize) -> String {
        format!("{:.digits$} [{:.digits$}–{:.digits$}]", self.median, self.least, self.greatest)
    }
}
