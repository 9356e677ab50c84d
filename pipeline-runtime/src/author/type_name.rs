//! The name of a type in messages.

/// The compiler's name of a type without modules and enclosing functions, as its author writes it.
pub(crate) fn shown(full: &str) -> String {
    let mut shown = String::with_capacity(full.len());
    // Where in `shown` the current path begins.
    let mut path = 0;
    let mut rest = full;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("::") {
            shown.truncate(path);
            rest = after;
            continue;
        }
        shown.push(letter);
        rest = &rest[letter.len_utf8()..];
        // A closure or an impl that encloses a type is in braces: `{{closure}}`.
        if !(letter.is_alphanumeric() || matches!(letter, '_' | '#' | '{' | '}')) {
            path = shown.len();
        }
    }
    shown
}

/// The same, next to another type's name: if both short names are equal, returns the full path.
pub(crate) fn beside(full: &str, other: &str) -> String {
    let short = shown(full);
    if short == shown(other) { full.to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_left_out_wherever_it_stands() {
        for (full, short) in [
            ("u64", "u64"),
            ("alloc::string::String", "String"),
            ("alloc::vec::Vec<(shop::day::Row, [u8; 4], &str)>", "Vec<(Row, [u8; 4], &str)>"),
            ("shop::load::{{closure}}::Row", "Row"),
            ("core::option::Option<dyn core::fmt::Debug + core::marker::Send>", "Option<dyn Debug + Send>"),
            ("shop::r#type::Zähler", "Zähler"),
        ] {
            assert_eq!(shown(full), short, "{full}");
        }
    }

    #[test]
    fn two_types_of_one_name_are_distinguished() {
        assert_eq!(beside("shop::a::Row", "shop::b::Row"), "shop::a::Row");
        assert_eq!(beside("shop::a::Row", "shop::b::Line"), "Row");
    }
}
