use crate::command::call;
use expect_test::expect;

#[test]
fn without_a_command_the_help_is_shown() {
    expect![[r#"
        [exit 2]
        [stderr]
        Check, draw, run and simulate the pipelines of this binary

        Usage: cli-pipelines [OPTIONS] <COMMAND>

        Commands:
          check      Build every plan with its default params and report all mistakes
          list       List the pipelines, their schedules and their next runs
          assets     List the assets, their last updates, and the pipelines that update, await or read them
          settings   List or change the settings: values, defaults, and the pipelines that take them
          graph      Draw a pipeline's plan with its default params
          run        Run a pipeline once, now, until it ends
          serve      Run all pipelines on their schedules, until Ctrl-C or SIGTERM
          dashboard  Serve the journal as a web page, until Ctrl-C or SIGTERM
          trigger    Start a new run of a pipeline, in the process that serves if there is one
          backfill   Run the completed data intervals of a pipeline between two dates
          pause      Pause a pipeline's schedule
          unpause    Resume a pipeline's schedule
          cancel     Cancel a run: cut off its attempts and skip all nodes that have not ended
          skip       End a node as skipped, whether it waits, runs or has failed; the run continues from there
          resume     Resume all unfinished runs and deliver pending notifications
          retry      Retry ended nodes of a run, and everything decided because of them
          runs       List the runs in the journal, newest first
          show       Show a run: its timeline, its failed and interrupted attempts, and what each node waits for
          logs       Print the log lines of a run, or of one of its nodes
          acts       List the commands that users issued and their results, newest first
          prune      Delete old runs from the journal, in the process that holds it if there is one
          backup     Copy the journal to FILE, even while another process writes it
          repair     Move times of the journal that are in the future back to the present
          airflow    Export the pipelines as Airflow tasks
          gc         Remove partial files that killed processes left in buckets
          simulate   Run a pipeline on virtual time, in milliseconds, and print its timeline
          what-if    Replay a run on virtual time with something changed, and print the differences
          forecast   Forecast the runs of a pipeline's schedule under given assumptions
          quietly    Runs the sales and says nothing
          greet      Greets whoever is named
          help       Print this message or the help of the given subcommand(s)

        Options:
          -h, --help  Print help (see more with '--help')

        Logging:
              --log <LEVEL>          Minimum level of log lines written to stderr: off, error, warn, info, debug, trace
              --log-format <FORMAT>  Format of log lines: text, or json for one JSON object per line with the run, the node and the attempt

        Journal:
              --journal <FILE>  The journal file that stores all runs; defaults to PIPELINE_JOURNAL, else .pipeline/journal.db

        Exit codes: 0 success, 1 the run failed, 2 wrong use or a mistake in a plan, 130 interrupted by Ctrl-C, 143 by SIGTERM.
    "#]]
    .assert_eq(&call(&[]));
}

#[test]
fn each_default_of_run_stands_in_its_help() {
    expect![[r#"
        Run a pipeline once, now, until it ends

        If stdout and stderr are terminals, this shows a line per running or waiting node, else it prints a line per event. At the end it waits at most 30s for callbacks. Ctrl-C or SIGTERM cuts off running attempts and leaves the run unfinished; a second one ends the process at once.

        Every event is recorded in the journal. An unfinished run for the same pipeline and logical date is resumed; without a logical date, the pipeline's newest unfinished run. Otherwise a new run starts.

        Usage: cli-pipelines run [OPTIONS] [PIPELINE]

        Arguments:
          [PIPELINE]
                  The pipeline; may be omitted if it is the only one

        Options:
              --logical-date <D>
                  The data interval that starts on this day: 2024-03-25; or that contains this time: 2024-03-25T06:00, 2024-03-25T06:00:00Z

                  Days, and times without an offset, are in the pipeline's time zone. A day on which no interval starts, or more than one, is refused. Without a schedule a day means its midnight. The default is the last complete interval; for a pipeline without a schedule, now (simulated: the first interval at or after the pipeline's start, else 2024-01-01).

              --param <KEY=VALUE>
                  Set a param, or one inside an object with `of.region=eu`: a text, or JSON where its type is a list or an object; may be repeated

              --params <FILE.json>
                  Set params from a JSON object; --param overrides it, and what neither sets has its default, also in nested objects

              --new
                  Start a new run even if an unfinished one could be resumed

              --metrics <FILE>
                  Print run metrics at the end and write them to FILE: JSON if it ends in .json, otherwise Prometheus text

                  Also for a run that failed or was interrupted. FILE is replaced atomically by way of a temporary file in its folder, which must exist. Anything but a regular file, such as a pipe, is refused, and so are the files of the journal.

              --parallelism <N>
                  Maximum number of concurrent attempts of nodes that are in no pool

                  [default: 128]

              --json
                  Print one JSON object per line and event; the last one has the result of the run

          -h, --help
                  Print help (see a summary with '-h')

        Logging:
              --log <LEVEL>
                  Minimum level of log lines written to stderr: off, error, warn, info, debug, trace

                  The default is the environment variable PIPELINE_LOG, else info.

              --log-format <FORMAT>
                  Format of log lines: text, or json for one JSON object per line with the run, the node and the attempt

                  The default is the environment variable PIPELINE_LOG_FORMAT, else text.

        Journal:
              --journal <FILE>
                  The journal file that stores all runs; defaults to PIPELINE_JOURNAL, else .pipeline/journal.db

                  PIPELINE_JOURNAL is an environment variable. `run`, `serve` and `backfill` create the file if it is missing; all other commands fail and print its path.
        [exit 0]
    "#]].assert_eq(&call(&["run", "--help"]));
}

#[test]
fn each_default_of_simulate_stands_in_its_help() {
    expect![[r#"
        Run a pipeline on virtual time, in milliseconds, and print its timeline

        The engine and the bodies are the real ones. Memory buckets are empty at the start, and the clock starts at the end of the data interval. A run that still waits after 400 days is abandoned and counts as failed.

        Usage: cli-pipelines simulate [OPTIONS] [PIPELINE]

        Arguments:
          [PIPELINE]
                  The pipeline; may be omitted if it is the only one

        Options:
              --logical-date <D>
                  The data interval that starts on this day: 2024-03-25; or that contains this time: 2024-03-25T06:00, 2024-03-25T06:00:00Z

                  Days, and times without an offset, are in the pipeline's time zone. A day on which no interval starts, or more than one, is refused. Without a schedule a day means its midnight. The default is the last complete interval; for a pipeline without a schedule, now (simulated: the first interval at or after the pipeline's start, else 2024-01-01).

              --param <KEY=VALUE>
                  Set a param, or one inside an object with `of.region=eu`: a text, or JSON where its type is a list or an object; may be repeated

              --params <FILE.json>
                  Set params from a JSON object; --param overrides it, and what neither sets has its default, also in nested objects

              --arrive <WHEN=URL:FILE>
                  Put the contents of FILE at this URL, this long after the start: 7m=data-bucket/raw/x.json:x.json; may be repeated

                  A URL without a scheme is a memory:// URL; file:///PATH writes a real file. The URL ends at its first colon.

              --ran <WHEN=PIPELINE[@DATE][=HOW]>
                  A run of another pipeline has ended, this long after the start: 3m=counts, 3m=counts='{"count": 7}'; may be repeated

                  It succeeded, and each task named in the JSON returned that value, unless HOW is `failed` or `failed: ERROR`. It is the run of the same data interval; counts@2024-03-25 is the run of another one.

              --updated <WHEN=ASSET=JSON>
                  Update an asset with this value, this long after the start: 0s=rates='{"eur": 7}'; may be repeated

              --fail <NODE@ATTEMPT=ERROR>
                  Fail this attempt of a node with this error, without calling its body: load@1='503'; may be repeated

              --stub <NODE=JSON>
                  Let a node succeed at once with this value, without calling its body: load='{"rows": 7}'; may be repeated

                  The value is the task's result as JSON. `upload` means all elements of a mapping, `upload[3]` one of them.

              --setting <NAME=VALUE>
                  Give a setting this value, in the form that `settings set` takes, instead of its default: limit=200; may be repeated

              --latency <BUCKET=TIME>
                  Each operation on a bucket takes this long, or a random time in a range: data-bucket=2s, data-bucket=50ms..2s; may be repeated

              --outage <BUCKET=FROM..UNTIL>
                  A bucket is unreachable between two times: data-bucket=5m..20m; may be repeated

                  A bucket without a scheme is a memory:// bucket, here and for --latency.

              --seed <N>
                  Seed of all jitter and all random latencies

                  [default: 0]

              --metrics <FILE>
                  Print run metrics and write them to FILE: JSON if it ends in .json, otherwise Prometheus text

          -h, --help
                  Print help (see a summary with '-h')

        Logging:
              --log <LEVEL>
                  Minimum level of log lines written to stderr: off, error, warn, info, debug, trace

                  The default is the environment variable PIPELINE_LOG, else info.

              --log-format <FORMAT>
                  Format of log lines: text, or json for one JSON object per line with the run, the node and the attempt

                  The default is the environment variable PIPELINE_LOG_FORMAT, else text.

        Journal:
              --journal <FILE>
                  The journal file that stores all runs; defaults to PIPELINE_JOURNAL, else .pipeline/journal.db

                  PIPELINE_JOURNAL is an environment variable. `run`, `serve` and `backfill` create the file if it is missing; all other commands fail and print its path.
        [exit 0]
    "#]].assert_eq(&call(&["simulate", "--help"]));
}

#[test]
fn each_default_of_serve_and_backfill_stands_in_its_help() {
    expect![[r#"
        Run all pipelines on their schedules, until Ctrl-C or SIGTERM

        Usage: cli-pipelines serve [OPTIONS]

        Options:
              --drain <DURATION>  How long running attempts may take to finish once the process is asked to stop [default: 20s]
              --keep <DURATION>   Delete runs that ended longer ago, for pipelines without their own `keep`: 90d, 12h; without it runs are never deleted
              --parallelism <N>   Maximum number of concurrent attempts of nodes that are in no pool [default: 128]
              --json              Print one JSON object per line and event; the last one has the result of the run
          -h, --help              Print help (see more with '--help')

        Dashboard:
              --dashboard <ADDR>   Address of the dashboard: an address and a port, or a port; defaults to PIPELINE_DASHBOARD, else 127.0.0.1:7373
              --no-dashboard       Do not serve the dashboard
              --base-path <PATH>   Path prefix of all addresses of the page, if a proxy adds one: /pipelines [default: /]
              --token <auto|FILE>  Token required for access: auto generates one and prints it with the address; otherwise the file that contains it
              --allow-host <NAME>  Another host name under which a proxy requests the page; may be repeated

        Logging:
              --log <LEVEL>          Minimum level of log lines written to stderr: off, error, warn, info, debug, trace
              --log-format <FORMAT>  Format of log lines: text, or json for one JSON object per line with the run, the node and the attempt

        Journal:
              --journal <FILE>  The journal file that stores all runs; defaults to PIPELINE_JOURNAL, else .pipeline/journal.db
        [exit 0]
    "#]]
    .assert_eq(&call(&["serve", "-h"]));
    expect![[r#"
        Run the completed data intervals of a pipeline between two dates

        Usage: cli-pipelines backfill [OPTIONS] --from <D> --to <D> [PIPELINE]

        Arguments:
          [PIPELINE]  The pipeline; may be omitted if it is the only one

        Options:
              --from <D>               Start with the first interval that starts on this day or later: 2024-03-25; or at this time: 2024-03-25T06:00, 2024-03-25T06:00:00Z
              --to <D>                 End with the last interval that starts on this day or earlier; or at this time
              --max-active-runs <N>    Maximum number of active backfill runs of the pipeline; defaults to its `max_active_runs`
              --reprocess <REPROCESS>  Which intervals that already have a run are run again: those whose newest run failed, or all [default: none] [possible values: none, failed, all]
              --dry-run                List the intervals that would be run, and run nothing
              --param <KEY=VALUE>      Set a param, or one inside an object with `of.region=eu`: a text, or JSON where its type is a list or an object; may be repeated
              --params <FILE.json>     Set params from a JSON object; --param overrides it, and what neither sets has its default, also in nested objects
              --parallelism <N>        Maximum number of concurrent attempts of nodes that are in no pool [default: 128]
              --json                   Print one JSON object per line and event; the last one has the result of the run
          -h, --help                   Print help (see more with '--help')

        Logging:
              --log <LEVEL>          Minimum level of log lines written to stderr: off, error, warn, info, debug, trace
              --log-format <FORMAT>  Format of log lines: text, or json for one JSON object per line with the run, the node and the attempt

        Journal:
              --journal <FILE>  The journal file that stores all runs; defaults to PIPELINE_JOURNAL, else .pipeline/journal.db
        [exit 0]
    "#]].assert_eq(&call(&["backfill", "-h"]));
}

#[test]
fn a_command_that_does_not_exist() {
    expect![[r#"
        [exit 2]
        [stderr]
        error: unrecognized subcommand 'rnu'

          tip: a similar subcommand exists: 'runs'

        Usage: cli-pipelines [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]]
    .assert_eq(&call(&["rnu"]));
}

#[test]
fn a_command_of_the_binarys_own_gets_its_arguments() {
    expect![[r#"
        hello --loud you --help
        [exit 0]
    "#]]
    .assert_eq(&call(&["greet", "--loud", "you", "--help"]));
}
