//! "did you mean": the known name that is nearest to a typed one.

/// The hint after "unknown …": the nearest of `known`, or all of them.
///
/// ```
/// assert_eq!(pipeline_syntax::suggest::hint("retrys", &["retries", "pool"]), "did you mean `retries`?");
/// assert_eq!(pipeline_syntax::suggest::hint("zebra", &["retries", "pool"]), "expected one of `retries`, `pool`");
/// ```
pub fn hint(typed: &str, known: &[&str]) -> String {
    match nearest(typed, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("expected one of {}", list(known)),
    }
}

/// The known name that was most likely meant by `typed`.
///
/// ```
/// assert_eq!(pipeline_syntax::suggest::nearest("time_out", &["timeout", "pool"]), Some("timeout"));
/// assert_eq!(pipeline_syntax::suggest::nearest("zebra", &["timeout", "pool"]), None);
/// ```
pub fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    known
        .iter()
        .map(|name| (distance(&typed, &name.to_lowercase()), *name))
        .filter(|(distance, name)| *distance <= tolerance(&typed, name))
        .min()
        .map(|(_, name)| name)
        .or_else(|| containing(&typed, known))
}

/// The names in backticks, for a message.
///
/// ```
/// assert_eq!(pipeline_syntax::suggest::list(&["a", "b"]), "`a`, `b`");
/// ```
pub fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// A third of the name may be wrong. In the shortest names that is one letter, unless it is the only one.
fn tolerance(typed: &str, name: &str) -> usize {
    let (typed, name) = (typed.chars().count(), name.chars().count());
    (name / 3).max(1).min(typed.min(name).saturating_sub(1))
}

/// The longest known name that is a word of the typed name, or contains it as a word: `retry_count` yields none, `pool_name`
/// yields `pool`.
fn containing<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let words = |name: &str, of: &str| name.split(['_', '.']).any(|word| word == of);
    known.iter().filter(|name| words(typed, name) || words(name, typed)).max_by_key(|name| name.len()).copied()
}

/// The edit distance, counting two swapped neighbors once: they are the most common typing mistake.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Row `i`, column `j`: the distance between the first `i` letters of one and the first `j` of the other.
    let mut rows: Vec<Vec<usize>> = (0..=a.len()).map(|i| (0..=b.len()).map(|j| i + j).collect()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["retries", "retry_delay", "timeout", "pool", "poke", "poke_timeout"];

    #[test]
    fn slips_are_recognised() {
        for (typed, meant) in
            [("retrys", "retries"), ("retires", "retries"), ("time_out", "timeout"), ("Timeout", "timeout"), ("pok", "poke")]
        {
            assert_eq!(nearest(typed, KNOWN), Some(meant), "{typed}");
        }
        assert_eq!(nearest("x", &["d", "h"]), None);
    }

    #[test]
    fn a_word_of_the_name_is_enough() {
        assert_eq!(nearest("pool_slots", KNOWN), Some("pool"));
        assert_eq!(nearest("delay", KNOWN), Some("retry_delay"));
    }

    #[test]
    fn nothing_near_lists_all() {
        assert_eq!(hint("zebra", &["a_b", "c_d"]), "expected one of `a_b`, `c_d`");
    }
}
