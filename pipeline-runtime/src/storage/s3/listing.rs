//! What a store lists, without what is no key: `object_store` would fail the listing for one such name, or take the folder `a/` for an
//! object `a`.

use super::super::key;
use super::super::unnamed::Unnamed;
use super::http::element;

/// The listing without the entries whose names are no keys, and those; `None` if all are keys. Empty objects that end with `/`, which
/// many programs make to show a folder, are left out, and not counted.
pub(super) fn without_what_is_no_key(listing: &str) -> Option<(String, Unnamed)> {
    let mut unnamed = Unnamed::default();
    let objects = without(listing, "Contents", |entry| {
        let Some(name) = element(entry, "Key") else { return true };
        let name = unescaped(name);
        let is_key = key::parse(&name).is_ok();
        let shows_a_folder = is_folder_of_keys(&name) && element(entry, "Size").is_none_or(|size| size.trim() == "0");
        if !is_key && !shows_a_folder {
            unnamed.note(&name);
        }
        is_key
    });
    let folders = without(objects.as_deref().unwrap_or(listing), "CommonPrefixes", |entry| {
        let Some(name) = element(entry, "Prefix") else { return true };
        let name = unescaped(name);
        let is_folder = is_folder_of_keys(&name);
        if !is_folder {
            unnamed.note(&name);
        }
        is_folder
    });
    Some((folders.or(objects)?, unnamed))
}

fn is_folder_of_keys(name: &str) -> bool {
    name.strip_suffix('/').is_some_and(|folder| key::parse(folder).is_ok())
}

/// The listing without the elements of a name that are not kept; `None` if all are.
fn without(listing: &str, name: &str, mut is_kept: impl FnMut(&str) -> bool) -> Option<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut kept = String::new();
    let (mut rest, mut dropped) = (listing, false);
    while let Some((before, from)) = rest.split_once(&open) {
        let (entry, after) = from.split_once(&close)?;
        kept += before;
        if is_kept(entry) {
            kept.extend([open.as_str(), entry, close.as_str()]);
        } else {
            dropped = true;
        }
        rest = after;
    }
    kept += rest;
    dropped.then_some(kept)
}

/// A name as XML has it. A control character is written as a number: `&#10;`, `&#x0a;`. What is not XML is no key either.
fn unescaped(name: &str) -> String {
    quick_xml::escape::unescape(name).map_or_else(|_| format!("\0{name}"), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_what_is_no_key_are_not_listed() {
        let listing = "<R><N>x</N><Contents><Key>a/</Key><Size>0</Size></Contents><Contents><Key>a/b&amp;c</Key><Size>1</Size></Contents>\
                       <Contents><Key>a//b</Key></Contents><T>t</T></R>";
        let kept = "<R><N>x</N><Contents><Key>a/b&amp;c</Key><Size>1</Size></Contents><T>t</T></R>";
        assert_eq!(without_what_is_no_key(listing), Some((kept.into(), Unnamed { count: 1, example: "a//b".into() })));
        assert_eq!(without_what_is_no_key(kept), None);
        for (name, is_listed) in [
            ("a&#10;b", false),
            ("a&#x0a;b", false),
            ("a&#xA;b", false),
            ("a&#65;&#x42;", true),
            ("a&amp;#10;b", true),
            ("a&amp;lt;b", true),
        ] {
            let listing = format!("<R><Contents><Key>{name}</Key></Contents></R>");
            let kept = without_what_is_no_key(&listing).map(|(kept, _)| kept);
            assert_eq!(kept.as_deref(), (!is_listed).then_some("<R></R>"), "{name}");
        }
    }

    #[test]
    fn folders_that_are_none_are_not_listed_and_counted() {
        let folder = |name: &str| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>");
        let all: String = ["a//", "a/good/", "/", "a/./", "../", "a/x&#13;y/", "&amp;/"].map(folder).concat();
        let (kept, unnamed) = without_what_is_no_key(&format!("<R><Prefix>a/</Prefix>{all}</R>")).unwrap();
        assert_eq!(kept, format!("<R><Prefix>a/</Prefix>{}{}</R>", folder("a/good/"), folder("&amp;/")));
        assert_eq!((unnamed.count, unnamed.example.as_str()), (5, "a//"));
    }

    #[test]
    fn what_only_shows_a_folder_is_not_counted() {
        let entry = |name: &str, size: u32| format!("<Contents><Key>{name}</Key><Size>{size}</Size></Contents>");
        let of = |listing: &str| without_what_is_no_key(listing).map(|(_, unnamed)| unnamed.count);
        assert_eq!(of(&entry("a/", 0)), Some(0));
        assert_eq!(of(&entry("a/", 7)), Some(1), "its contents are lost to sight");
        assert_eq!(of(&entry("a//", 0)), Some(1));
        assert_eq!(of(&entry("a", 0)), None);
    }
}
