//! Tables in Markdown.

use std::fmt;
use std::path::Path;

/// A table, as Markdown.
#[derive(Debug)]
pub struct Table {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(title: impl Into<String>, header: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { title: title.into(), header: header.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        writeln!(f, "### {}\n\n{}", self.title, line(&self.header))?;
        writeln!(f, "|{}", "---|".repeat(self.header.len()))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{}", line(row)))
    }
}

/// Prints a group's tables and writes them to `target/bench/GROUP.md`. Returns whether they could be written.
pub fn publish(group: &str, tables: &[Table]) -> bool {
    let text = tables.iter().map(Table::to_string).collect::<Vec<_>>().join("\n");
    println!("{text}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join(format!("{group}.md")), &text));
    match written {
        Ok(()) => true,
        Err(error) => {
            eprintln!("`{}` cannot be written: {error}", folder.display());
            false
        }
    }
}
