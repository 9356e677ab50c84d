//! `docs/exercise-2.md` and `docs/exercise-5.md` as a whole: each test asserts its own row, and these tests check that each row
//! has one.

use crate::figures::{Row, pages, root, rows};

/// True if the row's test exists and asserts its figure. The sources are searched, as the test may be in any target.
fn is_tested(row: &Row) -> bool {
    let Some((module, test)) = row.test.rsplit_once("::") else { return false };
    let path = root().join("tests").join(module.replace("::", "/")).with_extension("rs");
    let source = std::fs::read_to_string(path).unwrap_or_default();
    let body = source.split_once(&format!("fn {test}() {{\n")).and_then(|(_, rest)| rest.split("\n}\n").next());
    body.is_some_and(|body| body.contains("figure!("))
}

#[test]
fn each_row_names_a_test_that_asserts_its_figure() {
    let untested: Vec<Row> = rows().into_iter().filter(|row| !is_tested(row)).collect();
    assert!(untested.is_empty(), "{untested:#?}");
}

#[test]
fn no_row_is_without_a_test() {
    // A page may have other tables, too.
    let of_requirements = |table: &&str| table.starts_with("| requirement");
    let lines_below_the_head = |table: &str| table.lines().filter(|line| line.starts_with("| ")).count() - 1;
    let pages = pages();
    let tables = pages.iter().flat_map(|page| page.split("\n\n").filter(of_requirements));
    assert_eq!(tables.map(lines_below_the_head).sum::<usize>(), rows().len());
}
