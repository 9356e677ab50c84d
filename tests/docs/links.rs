//! Checks the links and anchors of all pages, that the book has each page, and the order of the glossary.

use crate::pages::guide;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The text outside of blocks of code, with as many lines as the page.
fn prose(text: &str) -> String {
    let mut in_block = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            kept += line;
        }
        kept.push('\n');
    }
    kept
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for heading in prose(text).lines().filter(|line| line.starts_with('#')) {
        let heading = heading.trim_start_matches('#').trim();
        // A link counts by its text.
        let mut plain = String::new();
        let mut rest = heading;
        while let Some((before, link)) = rest.split_once('[') {
            let (text, after) =
                link.split_once("](").and_then(|(text, rest)| Some((text, rest.split_once(')')?.1))).unwrap_or((link, ""));
            plain += before;
            plain += text;
            rest = after;
        }
        plain += rest;
        let lower = plain.to_lowercase();
        let anchor: String = lower
            .chars()
            .filter_map(|c| match c {
                ' ' => Some('-'),
                c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                _ => None,
            })
            .collect();
        let mut unique = anchor.clone();
        let mut number = 0;
        while !found.insert(unique.clone()) {
            number += 1;
            unique = format!("{anchor}-{number}");
        }
    }
    found
}

/// The targets of the links and pictures in a text, with their lines.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in prose(text).lines().enumerate() {
        for (number, rest) in line.split("](").enumerate() {
            if number > 0
                && let Some((target, _)) = rest.split_once(')')
            {
                found.push((at + 1, target.to_owned()));
            }
        }
    }
    found
}

/// The path with each `..` resolved, so that paths can be compared.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

/// The pages outside of the guide.
const OTHERS: &[&str] = &["README.md", "ARCHITECTURE.md", "BENCHMARKS.md", "CHANGELOG.md", "CONTRIBUTING.md"];

fn all() -> Vec<(PathBuf, String)> {
    let root = fs::canonicalize("..").expect("the repository");
    let mut pages: Vec<(PathBuf, String)> =
        guide().into_iter().map(|page| (root.join("docs").join(page.name), page.text)).collect();
    for name in OTHERS {
        pages.push((root.join(name), fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))));
    }
    pages
}

#[test]
fn each_link_leads_somewhere() {
    let pages = all();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (path, text) in &pages {
        for (line, target) in targets(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(file, anchor)| (file, Some(anchor)));
            let to = if file.is_empty() { path.clone() } else { plain(&path.parent().expect("a folder").join(file)) };
            let place = format!("{}, line {line}: `{target}`", path.display());
            if !to.exists() {
                wrong.push(format!("{place}: there is no such file"));
            } else if let Some(anchor) = anchor {
                let text = pages.iter().find(|(page, _)| *page == to).map(|(_, text)| text);
                match text {
                    None => wrong.push(format!("{place}: an anchor of a file that is not a page")),
                    Some(text) if !anchors(text).contains(anchor) => wrong.push(format!("{place}: no such heading")),
                    Some(_) => {}
                }
            }
        }
    }
    assert!(checked > 150, "only {checked} links");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_book_has_each_page_once() {
    let pages = guide();
    let summary = &pages.iter().find(|page| page.name == "SUMMARY.md").expect("the summary").text;
    let mut listed: Vec<String> = targets(summary).into_iter().map(|(_, target)| target).collect();
    listed.sort();
    let names: Vec<String> = pages.iter().map(|page| page.name.clone()).filter(|name| name != "SUMMARY.md").collect();
    assert_eq!(listed, names);
}

#[test]
fn each_page_begins_with_its_title_and_has_no_other() {
    for page in guide() {
        assert!(page.text.starts_with("# "), "docs/{}", page.name);
        let titles = prose(&page.text).lines().filter(|line| line.starts_with("# ")).count();
        assert!(titles == 1 || page.name == "SUMMARY.md", "docs/{} has {titles} titles", page.name);
    }
}

#[test]
fn the_glossary_is_in_alphabetic_order_and_has_no_word_twice() {
    let page = fs::read_to_string("../docs/glossary.md").expect("the glossary");
    let words: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("**")?.split_once(".**"))
        .map(|(word, _)| word.to_lowercase().replace('-', " "))
        .collect();
    assert!(words.len() > 80, "only {} words", words.len());
    for pair in words.windows(2) {
        assert!(pair[0] < pair[1], "`{}` stands before `{}`", pair[0], pair[1]);
    }
}
