//! Gathers event files, which arrive all day, into an archive per hour: exercise 5.
//!
//! | module | subject |
//! |---|---|
//! | `pipeline` | the pipeline: events, their new files, the archives of their hours, a report |
//! | `layout` | the keys of files and archives |
//! | `hour` | the archives of one hour: fetched, added to, written back |
//! | `archive`, `member`, `compressor`, `new_members` | the gzip file of an hour, which describes its own contents |
//! | `index` | the list of an archive's members and their positions, at its end |
//! | `header` | the header row of a CSV file |
//! | `seed` | files as they arrive, interval by interval, including late ones and a new event |
//! | `demo` | three intervals in a row |
//!
//! # A file is archived once
//!
//! Each file is a gzip member of its own in its hour's archive, and the member's header names the file and its version. So an
//! archive describes its contents, and it is written in one step, which the store performs only if the archive is still the one
//! that was read (`If-Match`), or still missing (`If-None-Match`). Therefore a file is neither archived twice nor lost,
//!
//! - if an attempt is aborted at any point: either the archive was replaced, and the next attempt finds the files in it; or it
//!   was not, and they are added then;
//! - if an interval is run again, by a retry, a resumed run or a backfill: its files are in the archives, and nothing is written;
//! - if two runs add to an archive at once: the second write is refused, and its run reads what the first has written, and adds
//!   what is missing.
//!
//! A source file that was written again replaces its former version in the archive.
//!
//! # An archive is one CSV file
//!
//! It has one header row, the first file's, and of each file the rows below it, so a reader of an archive sees only data. A file
//! with another header row goes to an archive of its own beside the hour's, which lists it, or fails the hour
//! (`--param header=fail`). `header=keep` archives files as they are. An archive of a former version of this example keeps its
//! header rows; files that are added to it come without.
//!
//! # A file that arrives late
//!
//! New files are found by the time at which they were written, not by their names: all files written since the end of the last
//! interval with a successful run, and in the hour before that. So an outage of hours loses nothing, and a file that arrives a
//! day late is added to the archive of its own hour. There is no upper limit: a file that is written after the interval's end,
//! before the run lists the files, is archived now. The next run finds it again, fetches its archive and leaves it as it is. The
//! additional hour is for files that the store showed later than their time, because its clock is behind or because they were
//! uploaded in parts for a long time.

pub mod archive;
mod compressor;
pub mod demo;
pub mod header;
mod hour;
mod index;
pub mod layout;
mod member;
mod new_members;
pub mod pipeline;
pub mod seed;
