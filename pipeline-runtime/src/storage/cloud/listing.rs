//! Removes names that are not valid keys from a store's listing: `object_store` would fail the whole listing for one such name,
//! or take the folder `a/` for an object `a`. Also gives the entries the etags that a lookup of the object returns: Google's
//! listings contain the generation beside the etag, Azure's omit the quotes.

use super::super::invalid_names::InvalidNames;
use super::super::key;
use super::http::element;
use super::vendor::Vendor;

/// The listing in the form that the rest of this folder expects; `None` if it needs no change.
pub(super) fn normalized(vendor: Vendor, listing: &str) -> Option<(String, InvalidNames)> {
    let kept = without_invalid_names(vendor, listing);
    let (text, invalid_names) = match &kept {
        Some((kept, invalid_names)) => (kept.as_str(), invalid_names.clone()),
        None => (listing, InvalidNames::default()),
    };
    let etags = match vendor {
        Vendor::Amazon => return kept,
        Vendor::Google => with_generations(text),
        Vendor::Azure => {
            text.replace("<Etag>0x", "<Etag>\"0x").replace("</Etag>", "\"</Etag>").replace("\"\"</Etag>", "\"</Etag>")
        }
    };
    Some((etags, invalid_names))
}

/// The listing with generations as etags.
fn with_generations(listing: &str) -> String {
    let mut text = String::with_capacity(listing.len());
    let mut rest = listing;
    while let Some((before, from)) = rest.split_once("<Contents>") {
        let Some((entry, after)) = from.split_once("</Contents>") else { break };
        text.extend([before, "<Contents>"]);
        match (element(entry, "Generation"), entry.split_once("<ETag>"), entry.split_once("</ETag>")) {
            (Some(generation), Some((start, _)), Some((_, end))) => {
                text.extend([start, "<ETag>\"", generation, "\"</ETag>", end]);
            }
            _ => text += entry,
        }
        text += "</Contents>";
        rest = after;
    }
    text + rest
}

/// The listing without the entries whose names are not valid keys, and a count of these; `None` if all are valid. Empty objects
/// that end with `/`, which many programs create to show a folder, are removed but not counted.
fn without_invalid_names(vendor: Vendor, listing: &str) -> Option<(String, InvalidNames)> {
    let mut invalid_names = InvalidNames::default();
    let [object, folder] = vendor.entries();
    let objects = without(listing, object.element, |entry| {
        let Some(name) = element(entry, object.name) else {
            if vendor.hides_names() {
                invalid_names.add("(a name that XML cannot hold)");
            }
            return !vendor.hides_names();
        };
        let name = unescaped(name);
        let is_key = key::parse(&name).is_ok();
        let shows_a_folder = is_folder_of_keys(&name) && element(entry, object.size).is_none_or(|size| size.trim() == "0");
        if !is_key && !shows_a_folder {
            invalid_names.add(&name);
        }
        is_key
    });
    let folders = without(objects.as_deref().unwrap_or(listing), folder.element, |entry| {
        let Some(name) = element(entry, folder.name) else { return !vendor.hides_names() };
        let name = unescaped(name);
        let is_folder = is_folder_of_keys(&name);
        if !is_folder {
            invalid_names.add(&name);
        }
        is_folder
    });
    Some((folders.or(objects)?, invalid_names))
}

fn is_folder_of_keys(name: &str) -> bool {
    name.strip_suffix('/').is_some_and(|folder| key::parse(folder).is_ok())
}

/// The listing without the elements for which `is_kept` returns false; `None` if it returns true for all.
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

/// Unescapes a name in XML. A control character is written as a number: `&#10;`, `&#x0a;`. A name that is not valid XML becomes
/// one that is not a valid key.
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
        assert_eq!(
            without_invalid_names(Vendor::Amazon, listing),
            Some((kept.into(), InvalidNames { count: 1, example: "a//b".into() }))
        );
        assert_eq!(without_invalid_names(Vendor::Amazon, kept), None);
        for (name, is_listed) in [
            ("a&#10;b", false),
            ("a&#x0a;b", false),
            ("a&#xA;b", false),
            ("a&#65;&#x42;", true),
            ("a&amp;#10;b", true),
            ("a&amp;lt;b", true),
        ] {
            let listing = format!("<R><Contents><Key>{name}</Key></Contents></R>");
            let kept = without_invalid_names(Vendor::Amazon, &listing).map(|(kept, _)| kept);
            assert_eq!(kept.as_deref(), (!is_listed).then_some("<R></R>"), "{name}");
        }
    }

    #[test]
    fn folders_that_are_none_are_not_listed_and_counted() {
        let folder = |name: &str| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>");
        let all: String = ["a//", "a/good/", "/", "a/./", "../", "a/x&#13;y/", "&amp;/"].map(folder).concat();
        let (kept, invalid_names) = without_invalid_names(Vendor::Amazon, &format!("<R><Prefix>a/</Prefix>{all}</R>")).unwrap();
        assert_eq!(kept, format!("<R><Prefix>a/</Prefix>{}{}</R>", folder("a/good/"), folder("&amp;/")));
        assert_eq!((invalid_names.count, invalid_names.example.as_str()), (5, "a//"));
    }

    #[test]
    fn what_only_shows_a_folder_is_not_counted() {
        let entry = |name: &str, size: u32| format!("<Contents><Key>{name}</Key><Size>{size}</Size></Contents>");
        let of = |listing: &str| without_invalid_names(Vendor::Amazon, listing).map(|(_, invalid_names)| invalid_names.count);
        assert_eq!(of(&entry("a/", 0)), Some(0));
        assert_eq!(of(&entry("a/", 7)), Some(1), "its contents are lost to sight");
        assert_eq!(of(&entry("a//", 0)), Some(1));
        assert_eq!(of(&entry("a", 0)), None);
    }

    #[test]
    fn etags_are_those_that_conditions_take() {
        let listing = "<R><Contents><Key>a</Key><Generation>17</Generation><ETag>&quot;x&quot;</ETag><Size>1</Size></Contents><Contents>\
                       <Key>b//c</Key><Generation>18</Generation><ETag>y</ETag></Contents></R>";
        let (text, invalid_names) = normalized(Vendor::Google, listing).unwrap();
        let kept = "<R><Contents><Key>a</Key><Generation>17</Generation><ETag>\"17\"</ETag><Size>1</Size></Contents></R>";
        assert_eq!((text.as_str(), invalid_names.count), (kept, 1));
        let listing = "<B><Blob><Name>a</Name><Properties><Content-Length>0</Content-Length><Etag>0x8D</Etag></Properties></Blob>\
                       <Blob><Name>b/</Name><Properties><Content-Length>0</Content-Length></Properties></Blob>\
                       <Blob><Name Encoded=\"true\">c%01</Name></Blob><BlobPrefix><Name>d//</Name></BlobPrefix></B>";
        let (text, invalid_names) = normalized(Vendor::Azure, listing).unwrap();
        let kept =
            "<B><Blob><Name>a</Name><Properties><Content-Length>0</Content-Length><Etag>\"0x8D\"</Etag></Properties></Blob></B>";
        assert_eq!((text.as_str(), invalid_names.count), (kept, 2));
    }
}
