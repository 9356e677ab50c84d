//! Texts that a program generates for its pipelines, such as the ids that a factory makes: each is stored once, until the process
//! exits.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{LazyLock, Mutex, PoisonError};

/// The text with a `'static` lifetime.
pub(crate) fn text(text: &str) -> &'static str {
    static TEXTS: Table<str> = LazyLock::new(Mutex::default);
    interned(&TEXTS, text, || text.into())
}

/// The texts with a `'static` lifetime.
pub(crate) fn texts(texts: &[&'static str]) -> &'static [&'static str] {
    static LISTS: Table<[&'static str]> = LazyLock::new(Mutex::default);
    interned(&LISTS, texts, || texts.into())
}

type Table<T> = LazyLock<Mutex<HashSet<&'static T>>>;

fn interned<T: ?Sized + Eq + Hash + 'static>(table: &Table<T>, value: &T, owned: impl FnOnce() -> Box<T>) -> &'static T {
    let mut known = table.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(value) {
        return known;
    }
    let kept: &'static T = Box::leak(owned());
    known.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_is_kept_once() {
        let made = |n: u32| format!("load_{n}");
        assert_eq!(text(&made(1)), "load_1");
        assert!(std::ptr::eq(text(&made(1)), text(&made(1))));
        assert!(std::ptr::eq(texts(&["a", "b"]), texts(&["a", "b"])));
        assert_ne!(texts(&["a"]), texts(&["b"]));
    }
}
