//! A list with cheap copies: copies share parts until one of them changes one. Data cached with a part stays valid until the part
//! changes.

#[cfg(feature = "dashboard")]
use super::sums::SumCache;
use std::ops::Index;
#[cfg(feature = "dashboard")]
use std::sync::Arc;

/// The number of items per part: a power of two, since each access divides by it.
pub(super) const PART: usize = if cfg!(test) { 16 } else { 256 };

/// A list in parts. Unless it was [shared](Self::share), a change costs the same as in a vector.
#[derive(Debug, Clone)]
pub(super) struct Parts<T> {
    all: Vec<Part<T>>,
    len: usize,
    /// A part whose items were never changed; one instance serves for all such parts.
    #[cfg(feature = "dashboard")]
    untouched: Option<Arc<Shared<T>>>,
    #[cfg(feature = "dashboard")]
    copied: usize,
}

#[derive(Debug, Clone)]
enum Part<T> {
    Own(Vec<T>),
    #[cfg(feature = "dashboard")]
    Shared(Arc<Shared<T>>),
}

/// An immutable part.
#[cfg(feature = "dashboard")]
#[derive(Debug)]
struct Shared<T> {
    items: Vec<T>,
    sums: SumCache,
}

impl<T> Part<T> {
    fn items(&self) -> &[T] {
        match self {
            Self::Own(items) => items,
            #[cfg(feature = "dashboard")]
            Self::Shared(shared) => &shared.items,
        }
    }
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            len: 0,
            #[cfg(feature = "dashboard")]
            untouched: None,
            #[cfg(feature = "dashboard")]
            copied: 0,
        }
    }
}

impl<T: Clone + Default> Parts<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Grows the list to that length. New items have the default value.
    pub(super) fn grow(&mut self, len: usize) {
        while self.len < len {
            let at = self.len % PART;
            if at == 0 {
                #[cfg(feature = "dashboard")]
                if len - self.len >= PART {
                    self.grow_by_untouched(len);
                    continue;
                }
                self.all.push(Part::Own(Vec::with_capacity(PART.min(len - self.len))));
            }
            let new = (PART - at).min(len - self.len);
            let last = self.all.len() - 1;
            self.own(last).resize_with(at + new, T::default);
            self.len += new;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.all.iter().flat_map(Part::items)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: usize) -> &mut T {
        &mut self.own(index / PART)[index % PART]
    }

    #[inline]
    fn own(&mut self, part: usize) -> &mut Vec<T> {
        #[cfg(feature = "dashboard")]
        if let Part::Shared(_) = &self.all[part] {
            self.make_own(part);
        }
        match &mut self.all[part] {
            Part::Own(items) => items,
            #[cfg(feature = "dashboard")]
            Part::Shared(_) => unreachable!("it was taken"),
        }
    }
}

#[cfg(feature = "dashboard")]
impl<T: Clone + Default> Parts<T> {
    /// Adds as many whole untouched parts as fit. They are only allocated when one of their items changes.
    fn grow_by_untouched(&mut self, len: usize) {
        let untouched = self.untouched.get_or_insert_with(|| {
            let items = std::iter::repeat_with(T::default).take(PART).collect();
            Arc::new(Shared { items, sums: SumCache::default() })
        });
        let parts = (len - self.len) / PART;
        self.all.extend((0..parts).map(|_| Part::Shared(Arc::clone(untouched))));
        self.len += parts * PART;
    }

    /// Returns a copy. Changes to one do not affect the other.
    pub(super) fn share(&mut self) -> Self {
        for part in &mut self.all {
            if let Part::Own(items) = part {
                *part = Part::Shared(Arc::new(Shared { items: std::mem::take(items), sums: SumCache::default() }));
            }
        }
        Self { all: self.all.clone(), len: self.len, untouched: self.untouched.clone(), copied: 0 }
    }

    /// Returns how many items were copied for changes since this was created: that many more than the list has are in memory
    /// because of copies.
    pub(super) fn copied(&self) -> usize {
        self.copied
    }

    /// Makes a part exclusively owned.
    #[cold]
    fn make_own(&mut self, part: usize) {
        if let Part::Shared(shared) = std::mem::replace(&mut self.all[part], Part::Own(Vec::new())) {
            let items = Arc::try_unwrap(shared).map_or_else(
                |shared| {
                    // An untouched part existed only once for all, so its first allocation is not a copy.
                    let is_copied = self.untouched.as_ref().is_none_or(|untouched| !Arc::ptr_eq(untouched, &shared));
                    self.copied += if is_copied { shared.items.len() } else { 0 };
                    shared.items.clone()
                },
                |shared| shared.items,
            );
            self.all[part] = Part::Own(items);
        }
    }

    /// Returns the cache of the part that contains the item at `index`, if the part is immutable.
    pub(super) fn sum_cache(&self, index: usize) -> Option<&SumCache> {
        match &self.all[index / PART] {
            Part::Own(_) => None,
            Part::Shared(shared) => Some(&shared.sums),
        }
    }
}

impl<T> Index<usize> for Parts<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        &self.all[index / PART].items()[index % PART]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(parts: &Parts<u32>) -> Vec<u32> {
        parts.iter().copied().collect()
    }

    #[test]
    fn it_grows_as_a_vector_does() {
        let mut parts = Parts::default();
        for len in [0, 1, 3, PART - 1, PART, PART + 1, 5 * PART, 5 * PART + 7] {
            parts.grow(len);
            assert_eq!((parts.len(), items(&parts).len()), (len, len));
            if len > 0 {
                *parts.get_mut(len - 1) = 7;
                assert_eq!(parts[len - 1], 7);
            }
        }
        assert_eq!(items(&parts).iter().filter(|item| **item == 7).count(), 7);
    }

    #[cfg(feature = "dashboard")]
    #[test]
    fn copies_share_what_neither_has_changed_and_notice_nothing_of_each_other() {
        let mut first = Parts::default();
        first.grow(3 * PART + 1);
        for item in [0, PART, 2 * PART] {
            // Allocating a part for the first time is not a copy.
            *first.get_mut(item) = 0;
            assert_eq!(first.copied(), 0);
        }
        let mut second = first.share();
        *second.get_mut(PART) = 1;
        assert_eq!((second.copied(), first.copied()), (PART, 0));
        // Only the first list has that part by now, so nothing is copied.
        *first.get_mut(PART) = 2;
        assert_eq!(first.copied(), 0);
        second.grow(4 * PART);
        let third = second.share();
        *second.get_mut(0) = 3;
        assert_eq!((first[PART], second[PART], third[PART]), (2, 1, 1));
        assert_eq!((first[0], second[0], third[0]), (0, 3, 0));
        assert_eq!((first.len(), second.len(), third.len()), (3 * PART + 1, 4 * PART, 4 * PART));
    }
}
