//! Event files that arrive all day, gathered into an archive an hour: exercise 5.
//!
//! | module | subject |
//! |---|---|
//! | `pipeline` | the pipeline: events, their new files, the archives of the hours they belong to, a report |
//! | `layout` | which key is which event's, and of which hour |
//! | `hour` | the archives of one hour: fetched, added to, written back |
//! | `archive`, `member`, `compressor`, `held` | the gzip file of an hour, that knows what is in it |
//! | `index` | what an archive's members are and where, at its end |
//! | `header` | the header row of a CSV file |
//! | `seed` | files as they arrive, interval by interval, late ones and a new event included |
//! | `demo` | three intervals in a row |
//!
//! # A file is archived once
//!
//! Each file is a gzip member of its own in its hour's archive, and the member's header says which file, and which version of it, it
//! holds. So an archive tells what is in it, and is written in one step, which the store does only if the archive is
//! still the one that was read (`If-Match`), or still missing (`If-None-Match`). Therefore a file is not archived twice, nor lost,
//!
//! - if an attempt is cut off, wherever that happens: either the archive was replaced, and the next attempt finds the files in
//!   it; or it was not, and they are added then;
//! - if an interval is run again, as a retry, a resumed run or a backfill: its files are in the archives, and nothing is written;
//! - if two runs add to an archive at once: the second to write is refused, reads what the first has written, and adds what is
//!   missing.
//!
//! A source file that was written again replaces its former version in the archive.
//!
//! # An archive is one CSV file
//!
//! It has one header row, the first file's, and of each file the rows below it: so who reads an archive counts only data. A file whose header row
//! is another one goes to an archive of its own beside the hour's, which names it, or fails the hour (`--param header=fail`). `header=keep` archives files
//! as they are. An archive of a former version of this example keeps the header rows that it has; what is added to it comes without.
//!
//! # A file that comes late
//!
//! What is new is told from when a file was written, not from its name: all that was written since the end of the last interval
//! whose run succeeded, and in the hour before that. So a stop of hours loses nothing, and a file that comes a day late is added to the archive of its own hour. There is no
//! upper limit: a file that was written after the interval's end, before the run looks, is archived now, and the
//! next run, which finds it once more, fetches its archive and leaves it as it is. So it does with what the hour before is looked at for: a
//! file that the store showed later than its time says, since its clock is behind, or since it came by a long upload in parts.

pub mod archive;
mod compressor;
pub mod demo;
pub mod header;
mod held;
mod hour;
mod index;
pub mod layout;
mod member;
pub mod pipeline;
pub mod seed;
