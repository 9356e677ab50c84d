//! [`Pages`]: a listing that is read page by page; each page continues where the last one ended.

#[cfg(feature = "cloud")]
use super::cloud::CloudPages;
use super::error::Failure;
use super::key::Key;
use super::local::LocalPages;
use super::lookup::Lookup;
use super::meta::Meta;
use super::store::{KeyFilter, Store};
use super::watch::Poke;

/// The most objects of a page: as many as S3 returns at once.
pub(super) const PAGE: usize = 1000;

/// The position of a listing.
#[derive(Debug)]
pub(super) enum Pages {
    /// One key, which is looked up.
    Key(Key, Option<Poke>),
    /// The last key that was listed.
    Memory(KeyFilter, Option<Key>),
    Local(LocalPages),
    #[cfg(feature = "cloud")]
    Cloud(CloudPages),
}

impl Store {
    /// A listing that has not begun. It is watched as in [`head`](Self::head).
    pub(super) fn pages(&self, lookup: Lookup, poke: Option<Poke>) -> Pages {
        let filter = match lookup {
            Lookup::Key(key) => return Pages::Key(key, poke),
            Lookup::Keys(filter) | Lookup::First(filter) => filter,
        };
        match self {
            Self::Memory(_) => Pages::Memory(filter, None),
            Self::Local(_) => Pages::Local(LocalPages::begin(filter, poke)),
            #[cfg(feature = "cloud")]
            Self::Cloud(_) => Pages::Cloud(CloudPages::begin(filter)),
        }
    }

    /// The next wanted objects, sorted by key, and the rest of the listing unless it has ended. A page may be empty.
    pub(super) async fn page(&self, pages: Pages) -> Result<(Vec<Meta>, Option<Pages>), Failure> {
        match (self, pages) {
            (_, Pages::Key(key, poke)) => Ok((self.head(&key, poke).await?.into_iter().collect(), None)),
            (Self::Memory(memory), Pages::Memory(filter, after)) => {
                let found = memory.page(&filter, after.as_ref(), PAGE);
                let last = found.last().filter(|_| found.len() == PAGE).map(|meta| meta.key.clone());
                Ok((found, last.map(|last| Pages::Memory(filter, Some(last)))))
            }
            (Self::Local(local), Pages::Local(pages)) => {
                let (found, pages) = local.page(pages, PAGE).await?;
                Ok((found, pages.map(Pages::Local)))
            }
            #[cfg(feature = "cloud")]
            (Self::Cloud(cloud), Pages::Cloud(pages)) => {
                let (found, pages) = cloud.next_page(pages).await?;
                Ok((found.into_iter().map(Meta::from).collect(), pages.map(Pages::Cloud)))
            }
            // Unreachable: a bucket has one store.
            _ => Ok((Vec::new(), None)),
        }
    }
}
