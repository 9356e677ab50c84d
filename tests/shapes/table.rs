//! Checks the counts of lines in `docs/shapes.md`.

use std::fs;
use std::path::Path;

/// Lines of a module above its simulations, without blank ones and comments; the Python lines were counted the same way.
fn lines(module: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("shapes").join(module);
    let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (shape, _) = source.split_once("// ---- simulations").unwrap();
    shape.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn the_page_counts_lines_as_they_are() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/shapes.md")).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let module = cells.get(1)?.strip_prefix("[`")?.split_once('`')?.0;
        Some((module.to_owned(), cells[3].parse::<usize>().unwrap(), cells[4].parse::<usize>().unwrap()))
    });
    let rows: Vec<_> = rows.collect();
    let mut modules: Vec<_> = rows.iter().map(|(module, ..)| module.clone()).collect();
    modules.sort();
    let mut files: Vec<String> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("shapes"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name).extension().is_some_and(|extension| extension == "rs")
                && !["main.rs", "support.rs", "table.rs"].contains(&name.as_str())
        })
        .collect();
    files.sort();
    assert_eq!(modules, files, "the page has a row for each shape");
    for (module, _, ours) in &rows {
        assert_eq!(*ours, lines(module), "lines of {module}");
    }
    let sum: (usize, usize) = rows.iter().fold((0, 0), |sum, (_, python, ours)| (sum.0 + python, sum.1 + ours));
    assert!(page.contains(&format!("| all | | {} | {} |", sum.0, sum.1)), "the sums are {sum:?}");
}
