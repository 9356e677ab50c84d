//! Mail addresses, as far as they can be checked in a constant.

/// The message for an invalid address.
pub(super) const ADDRESS_FORM: &str = "a mail address is written `name@example.org`, or `Name <name@example.org>`, in ASCII";

/// True if the text may be an address, alone or behind a name. No parser can run in a constant, so invalid addresses that pass
/// here are found by [`Notify::mistakes`](crate::Notify::mistakes).
pub(super) const fn is_address(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut from, mut to) = (0, bytes.len());
    if to > 0 && bytes[to - 1] == b'>' {
        to -= 1;
        while from < to && bytes[from] != b'<' {
            if bytes[from].is_ascii_control() {
                return false;
            }
            from += 1;
        }
        from += 1;
    }
    is_plain(bytes, from, to)
}

/// True if these bytes are `name@domain`.
const fn is_plain(bytes: &[u8], from: usize, to: usize) -> bool {
    let (mut at, mut signs, mut sign) = (from, 0, 0);
    while at < to {
        match bytes[at] {
            b'@' => {
                signs += 1;
                sign = at;
            }
            b'<' | b'>' | b',' | b';' | b'"' => return false,
            byte if !byte.is_ascii_graphic() => return false,
            _ => {}
        }
        at += 1;
    }
    // There is text in front of and behind the `@`, and the domain neither begins nor ends with a dot.
    signs == 1 && sign > from && sign + 1 < to && bytes[sign + 1] != b'.' && bytes[to - 1] != b'.'
}

#[cfg(test)]
mod tests {
    use super::*;
    use lettre::message::Mailbox;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for address in ["data@example.org", "Data Team <data@example.org>", "a.b+c@mail.example.org", "root@localhost"] {
            assert!(is_address(address) && address.parse::<Mailbox>().is_ok(), "{address}");
        }
        for text in [
            "",
            "data",
            "@example.org",
            "data@",
            "data@.org",
            "data@example.",
            "a@b@c",
            "a b@example.org",
            "Data <data@example.org",
            "Data <data>",
            "a@example.org, b@example.org",
            "Data\r\nBcc: <x@example.org>",
            "größe@example.org",
        ] {
            assert!(!is_address(text), "{text:?}");
        }
    }
}
