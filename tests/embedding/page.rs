//! The code and the tests in `docs/embedding.md` exist.

use std::fs;

#[test]
fn the_code_of_the_page_is_that_which_is_tested() {
    let page = fs::read_to_string("../docs/embedding.md").expect("the page");
    let tested = fs::read_to_string("embedding/service.rs").expect("the service");
    let shown = page.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of code");
    let of_page = |marker: &str| tested.find(marker).unwrap_or_else(|| panic!("no `{marker}`"));
    let (begin, end) = (of_page("// The page begins here.\n"), of_page("// The page ends here.\n"));
    assert_eq!(shown, &tested[begin + "// The page begins here.\n".len()..end]);
}

/// Each test that the page names exists.
#[test]
fn the_tests_that_the_page_names_are_there() {
    let page = fs::read_to_string("../docs/embedding.md").expect("the page");
    let mut named = 0;
    for reference in page.split('`').skip(1).step_by(2).filter(|text| text.contains(".rs::")) {
        let (file, test) = reference.split_once("::").expect("a file and a test");
        let source = fs::read_to_string(format!("../{file}")).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {test}(")), "{file} has no test `{test}`");
        named += 1;
    }
    assert!(named > 8, "only {named}");
}
