"""Reads archives of exercise 5 with each available reader, and compares the rows with those of the source files.

Some readers stop after an archive's first member, which is checked as well: docs/exercise-5.md lists them, and each of its rows must be
one of the readers here. .ci/archives calls this with the folder of the two buckets and the day of the files.
"""

import csv
import gzip
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).parent
ROOT, DAY = pathlib.Path(sys.argv[1]), sys.argv[2]
PAGE = (HERE / "../../../docs/exercise-5.md").read_text()


class Missing(Exception):
    """The reader is missing."""


def rows_of(text):
    """The records of a CSV text, the header row first."""
    return list(csv.reader(text.splitlines()))


def expected():
    """By archive: its header row, and the rows of its files, sorted."""
    archives = {}
    for file in sorted((ROOT / "source/source").glob(f"*/{DAY}/*.csv")):
        rows = rows_of(file.read_text())
        if not rows:
            continue
        folder = ROOT / "target/target" / file.parts[-3] / DAY
        archive = folder / f"{file.name[:2]}.csv.gz"
        if archive in archives and archives[archive][0] != rows[0]:
            tag = zlib.crc32(",".join(rows[0]).encode())
            archive = folder / f"{file.name[:2]}-{tag:08x}.csv.gz"
        archives.setdefault(archive, [rows[0]]).extend(rows[1:])
    return {archive: [rows[0], *sorted(rows[1:])] for archive, rows in archives.items()}


def table(columns, records):
    """The contents of a data frame as text, in the order that is compared."""
    return [list(columns), *sorted([str(value) for value in record] for record in records)]


def pandas(path):
    import pandas

    frame = pandas.read_csv(path)
    assert "total" not in frame or str(frame["total"].dtype) == "int64", frame.dtypes
    return table(frame.columns, frame.itertuples(index=False))


def polars(path):
    import polars

    frame = polars.read_csv(path)
    assert "total" not in frame.columns or frame["total"].dtype == polars.Int64, frame.schema
    return table(frame.columns, frame.iter_rows())


def pyarrow(path):
    import pyarrow.csv

    read = pyarrow.csv.read_csv(path)
    assert "total" not in read.column_names or str(read.schema.field("total").type) == "int64", read.schema
    return table(read.column_names, zip(*(column.to_pylist() for column in read.columns)))


def duckdb(path):
    import duckdb

    read = duckdb.sql(f"FROM read_csv('{path}')")
    assert "total" not in read.columns or str(read.types[read.columns.index("total")]) == "BIGINT", read.types
    return table(read.columns, read.fetchall())


def text(text):
    rows = rows_of(text)
    return [rows[0], *sorted(rows[1:])]


def command(*words):
    """A reader that prints the text; PATH among its words stands for the archive."""

    def read(path):
        if shutil.which(words[0]) is None:
            raise Missing(f"there is no {words[0]}")
        return text(run([str(path) if word == "PATH" else word for word in words]))

    return read


def run(words, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


PERL = "use IO::Uncompress::Gunzip qw(gunzip); gunzip $ARGV[0] => '-'{} or die"
PHP = "echo {};"
# A column of whole numbers must be parsed as such.
R = (
    "frame <- read.csv(commandArgs(TRUE)[1], check.names = FALSE);"
    "stopifnot(is.null(frame$total) || is.integer(frame$total));"
    "write.csv(frame, stdout(), row.names = FALSE)"
)
# Name, call and verdict, as in the page's table.
READERS = [
    ("pandas", "pandas.read_csv(path)", "all", pandas),
    ("polars", "polars.read_csv(path)", "all", polars),
    ("pyarrow", "pyarrow.csv.read_csv(path)", "all", pyarrow),
    ("DuckDB", "FROM read_csv('07.csv.gz')", "all", duckdb),
    ("Python", "gzip.open(path, 'rt')", "all", lambda path: text(gzip.open(path, "rt").read())),
    ("Python", "zlib.decompress(data, 31)", "first", lambda path: text(zlib.decompress(path.read_bytes(), 31).decode())),
    ("gzip", "gzip -dc 07.csv.gz", "all", command("gzip", "-dc", "PATH")),
    ("7-Zip", "7zz x -so 07.csv.gz", "all", command("7zz", "x", "-so", "PATH")),
    ("Perl", "gunzip $in => $out, MultiStream => 1", "all", command("perl", "-e", PERL.format(", MultiStream => 1"), "PATH")),
    ("Perl", "gunzip $in => $out", "first", command("perl", "-e", PERL.format(""), "PATH")),
    ("Ruby", "Zlib::GzipReader.zcat(io)", "all", command("ruby", "-rzlib", "-e", "print Zlib::GzipReader.zcat(File.open(ARGV[0], 'rb'))", "PATH")),
    ("Ruby", "Zlib::GzipReader.open(path).read", "first", command("ruby", "-rzlib", "-e", "print Zlib::GzipReader.open(ARGV[0]).read", "PATH")),
    ("PHP", "file_get_contents(\"compress.zlib://$path\")", "all", command("php", "-r", PHP.format('file_get_contents("compress.zlib://$argv[1]")'), "PATH")),
    ("PHP", "gzdecode($data)", "first", command("php", "-r", PHP.format("gzdecode(file_get_contents($argv[1]))"), "PATH")),
    ("R", "read.csv('07.csv.gz')", "all", command("Rscript", "--vanilla", "-e", R, "PATH")),
    ("Node", "zlib.gunzipSync(data)", "all", command("node", "-e", "process.stdout.write(require('zlib').gunzipSync(require('fs').readFileSync(process.argv[1])))", "PATH")),
    ("Java", "new GZIPInputStream(in)", "all", command("java", str(HERE / "Read.java"), "PATH")),
    ("Go", "gzip.NewReader(in)", "all", command("go", "run", str(HERE / "read.go"), "PATH")),
]


def restored(path):
    """The names that tools restore from the archive itself."""
    names = {}
    for tool, words in {"gzip": ["gzip", "-dN"], "7zz": ["7zz", "x"]}.items():
        if shutil.which(tool) is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(path, pathlib.Path(folder) / "renamed.gz")
            run([*words, "renamed.gz"], cwd=folder)
            names[tool] = [file.name for file in pathlib.Path(folder).iterdir() if file.name != "renamed.gz"]
    return names


def main():
    archives = expected()
    there = set((ROOT / "target/target").rglob("*.gz"))
    assert there == set(archives), f"{there} are there, not {set(archives)}"
    done = skipped = 0
    for name, call, verdict, read in READERS:
        assert f"| {name} | `{call}` | {verdict} |" in PAGE, f"docs/exercise-5.md has no such row: {name}, {call}, {verdict}"
        try:
            for path, rows in archives.items():
                got, wanted = read(path), rows if verdict == "all" else rows[:1]
                assert got == wanted, f"{name}, {call}, of {path.name}: {json.dumps(got)}, not {json.dumps(wanted)}"
            print(f"{name}, {call}: {verdict}")
            done += 1
        except (Missing, ImportError) as error:
            print(f"SKIPPED: archives read by {name}, {call}: {error}")
            skipped += 1
    in_page = len(re.findall(r"^\| [^|]+ \| `.*` \| (?:all|first) \|$", PAGE, re.MULTILINE))
    assert in_page == len(READERS), f"docs/exercise-5.md has {in_page} readers, and there are {len(READERS)}"
    for path in archives:
        for tool, names in restored(path).items():
            assert names == [path.name.removesuffix(".gz")], f"{tool} restores {path.name} as {names}"
    print(f"{done} passed, 0 failed, {skipped} skipped")


main()
