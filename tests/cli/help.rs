use crate::command::call;
use expect_test::expect;

#[test]
fn without_a_command_the_help_is_shown() {
    expect![[r#"
        [exit 2]
        [stderr]
        Checks, draws, runs and simulates the pipelines of this binary

        Usage: cli-pipelines [OPTIONS] <COMMAND>

        Commands:
          check      Builds every plan with its default params and prints all mistakes of all pipelines
          list       Lists the pipelines, their schedules, when they run next and what they do
          assets     Lists the assets: when each was last updated, who updates it and who waits for it
          settings   Lists the settings: what they are, what they are by default, and which pipelines take them
          graph      Draws a pipeline's plan with its default params
          run        Runs a pipeline once, now, to its end
          serve      Runs all pipelines as their schedules say, until Ctrl-C or SIGTERM
          dashboard  Shows what the journal keeps as a web page, until Ctrl-C or SIGTERM
          trigger    Starts a new run of a pipeline, in the process that serves if there is one
          backfill   Runs the data intervals of a pipeline that start between two dates and are over
          pause      No longer follows a pipeline's schedule
          unpause    Follows a pipeline's schedule again
          cancel     Ends a run: its attempts are cut off, and what has not ended is skipped
          skip       Ends a node as skipped, whether it waits, is under way or has failed; the run goes on from there
          resume     Goes on with all runs that have not ended, and tells whoever has not been told yet
          retry      Tries nodes of a run again that have ended, with what was decided because of them
          runs       Lists the runs that the journal keeps, the newest first
          show       Shows a run that the journal keeps: its timeline, its attempts that failed or were cut off, and what each node waits for
          logs       Prints what the attempts of a run, or of one of its nodes, logged
          acts       Lists who asked for what, and what came of it, the newest first
          prune      Deletes old runs from the journal, in the process that holds it if there is one
          backup     Copies the journal into FILE, also while another process writes it
          repair     Moves times of the journal that are in the future back to the present
          airflow    Makes the pipelines tasks of Airflow's
          gc         Removes what killed processes have left of files that they were writing into buckets
          simulate   Runs a pipeline on virtual time, in milliseconds, and prints its timeline
          what-if    Runs a run that the journal keeps once more on virtual time, with something otherwise, and says what differs
          forecast   Says which runs a pipeline's schedule would begin, and when, under what is supposed
          quietly    Runs the sales and says nothing
          greet      Greets whoever is named
          help       Print this message or the help of the given subcommand(s)

        Options:
          -h, --help  Print help (see more with '--help')

        Logging:
              --log <LEVEL>          Log lines of this level and graver go to stderr: off, error, warn, info, debug, trace
              --log-format <FORMAT>  How log lines are written: text for people, json for one JSON object a line, with the run, the node and the attempt

        Journal:
              --journal <FILE>  The file that keeps all runs; without it PIPELINE_JOURNAL names it, else it is .pipeline/journal.db

        Exit codes: 0 success, 1 the run failed, 2 wrong use or a mistake in a plan, 130 interrupted by Ctrl-C, 143 by SIGTERM.
    "#]]
    .assert_eq(&call(&[]));
}

#[test]
fn each_default_of_run_stands_in_its_help() {
    expect![[r#"
        Runs a pipeline once, now, to its end

        Shows a line per node that runs or waits where stdout and stderr are terminals, else prints a line per event. At the end it waits at most 30s for callbacks. Ctrl-C or SIGTERM cuts running attempts off and leaves the run unfinished; a second one ends the process at once.

        All that happens is kept in the journal. The unfinished run of the same pipeline and logical date is gone on with, where it was; without a logical date the pipeline's newest unfinished run. Else a new one starts.

        Usage: cli-pipelines run [OPTIONS] [PIPELINE]

        Arguments:
          [PIPELINE]
                  The pipeline; need not be named if it is the only one

        Options:
              --logical-date <D>
                  The data interval that starts on that day: 2024-03-25; or that contains that time: 2024-03-25T06:00, 2024-03-25T06:00:00Z

                  Days, and times without an offset, are of the pipeline's time zone. A day on which no interval starts, or more than one, is refused. Without a schedule a day is its midnight. Without this option it is the last complete interval; of a pipeline without a schedule, now (simulated: the first interval at or after the pipeline's start, else 2024-01-01).

              --param <KEY=VALUE>
                  Sets a param, or one in an object by `of.region=eu`: a text, or JSON where its type is a list or an object; may be repeated

              --params <FILE.json>
                  Sets params from a JSON object; --param overrides it, and what neither sets has its default, in nested objects, too

              --new
                  Starts a new run even if there is an unfinished one to go on with

              --metrics <FILE>
                  Prints what the run can be measured by at its end, and writes it to FILE: as JSON if its name ends with .json, else for Prometheus

                  Also of a run that failed or was interrupted. FILE is replaced as a whole, by way of another file beside it, so that no reader sees half of it; its folder has to be there. What is no regular file is refused, such as a pipe, and so is a file of the journal.

              --parallelism <N>
                  How many attempts of nodes without a pool of their own may run at once

                  [default: 128]

              --json
                  Prints one JSON object per line and event, the last one with the run's result

          -h, --help
                  Print help (see a summary with '-h')

        Logging:
              --log <LEVEL>
                  Log lines of this level and graver go to stderr: off, error, warn, info, debug, trace

                  Without it the environment variable PIPELINE_LOG says it, else it is info.

              --log-format <FORMAT>
                  How log lines are written: text for people, json for one JSON object a line, with the run, the node and the attempt

                  Without it the environment variable PIPELINE_LOG_FORMAT says it, else it is text.

        Journal:
              --journal <FILE>
                  The file that keeps all runs; without it PIPELINE_JOURNAL names it, else it is .pipeline/journal.db

                  PIPELINE_JOURNAL is an environment variable. `run`, `serve` and `backfill` make the file if it is not there; all other commands say where they looked for it.
        [exit 0]
    "#]].assert_eq(&call(&["run", "--help"]));
}

#[test]
fn each_default_of_simulate_stands_in_its_help() {
    expect![[r#"
        Runs a pipeline on virtual time, in milliseconds, and prints its timeline

        The engine and the bodies are the real ones. Memory buckets are empty at the start, and the clock starts at the end of the data interval. A run that still waits after 400 days is given up, and counts as failed.

        Usage: cli-pipelines simulate [OPTIONS] [PIPELINE]

        Arguments:
          [PIPELINE]
                  The pipeline; need not be named if it is the only one

        Options:
              --logical-date <D>
                  The data interval that starts on that day: 2024-03-25; or that contains that time: 2024-03-25T06:00, 2024-03-25T06:00:00Z

                  Days, and times without an offset, are of the pipeline's time zone. A day on which no interval starts, or more than one, is refused. Without a schedule a day is its midnight. Without this option it is the last complete interval; of a pipeline without a schedule, now (simulated: the first interval at or after the pipeline's start, else 2024-01-01).

              --param <KEY=VALUE>
                  Sets a param, or one in an object by `of.region=eu`: a text, or JSON where its type is a list or an object; may be repeated

              --params <FILE.json>
                  Sets params from a JSON object; --param overrides it, and what neither sets has its default, in nested objects, too

              --arrive <WHEN=URL:FILE>
                  FILE's contents arrive as that object, so long after the start: 7m=data-bucket/raw/x.json:x.json; may be repeated

                  A URL without a scheme is one of memory://; file:///PATH writes a real file. The URL ends at its first colon.

              --ran <WHEN=PIPELINE[@DATE][=HOW]>
                  A run of another pipeline has ended, so long after the start: 3m=counts, 3m=counts='{"count": 7}'; may be repeated

                  It succeeded, and each task that the JSON names has returned that value; `failed` or `failed: ERROR` says otherwise. It is the run of the same data interval: counts@2024-03-25 is that of another.

              --updated <WHEN=ASSET=JSON>
                  That asset is updated, so long after the start, and that is the update's value: 0s=rates='{"eur": 7}'; may be repeated

              --fail <NODE@ATTEMPT=ERROR>
                  That attempt of that node fails with that error, and its body is not called: load@1='503'; may be repeated

              --stub <NODE=JSON>
                  That node succeeds at once with that value, and its body is not called: load='{"rows": 7}'; may be repeated

                  The value is JSON of what the task returns. `upload` stands for all elements of a mapping, `upload[3]` for one.

              --setting <NAME=VALUE>
                  That setting has that value, as `settings set` reads it; without it, it has its default: limit=200; may be repeated

              --latency <BUCKET=TIME>
                  Each operation on that bucket takes that long, or a random time of a range: data-bucket=2s, data-bucket=50ms..2s; may be repeated

              --outage <BUCKET=FROM..UNTIL>
                  That bucket cannot be reached from then until then: data-bucket=5m..20m; may be repeated

                  A bucket without a scheme is one of memory://, here and for --latency.

              --seed <N>
                  What all jitter and all random latencies are drawn from

                  [default: 0]

              --metrics <FILE>
                  Prints what the run can be measured by, too, and writes it to FILE: as JSON if its name ends with .json, else for Prometheus

          -h, --help
                  Print help (see a summary with '-h')

        Logging:
              --log <LEVEL>
                  Log lines of this level and graver go to stderr: off, error, warn, info, debug, trace

                  Without it the environment variable PIPELINE_LOG says it, else it is info.

              --log-format <FORMAT>
                  How log lines are written: text for people, json for one JSON object a line, with the run, the node and the attempt

                  Without it the environment variable PIPELINE_LOG_FORMAT says it, else it is text.

        Journal:
              --journal <FILE>
                  The file that keeps all runs; without it PIPELINE_JOURNAL names it, else it is .pipeline/journal.db

                  PIPELINE_JOURNAL is an environment variable. `run`, `serve` and `backfill` make the file if it is not there; all other commands say where they looked for it.
        [exit 0]
    "#]].assert_eq(&call(&["simulate", "--help"]));
}

#[test]
fn each_default_of_serve_and_backfill_stands_in_its_help() {
    expect![[r#"
        Runs all pipelines as their schedules say, until Ctrl-C or SIGTERM

        Usage: cli-pipelines serve [OPTIONS]

        Options:
              --drain <DURATION>  How long attempts that are under way may take once the process is to end [default: 20s]
              --keep <DURATION>   Deletes runs that ended longer ago, of pipelines without a `keep` of their own: 90d, 12h; without it they stay
              --parallelism <N>   How many attempts of nodes without a pool of their own may run at once [default: 128]
              --json              Prints one JSON object per line and event, the last one with the run's result
          -h, --help              Print help (see more with '--help')

        Dashboard:
              --dashboard <ADDR>   Where the dashboard is: an address and a port, or a port; without it PIPELINE_DASHBOARD says it, else it is 127.0.0.1:7373
              --no-dashboard       Without the dashboard
              --base-path <PATH>   The path that stands before all addresses of the page, where a proxy puts one: /pipelines [default: /]
              --token <auto|FILE>  The token that lets in whoever has it: auto makes one and prints it with the address, else the file that holds it
              --allow-host <NAME>  A further name by which a proxy asks for the page; may be given several times

        Logging:
              --log <LEVEL>          Log lines of this level and graver go to stderr: off, error, warn, info, debug, trace
              --log-format <FORMAT>  How log lines are written: text for people, json for one JSON object a line, with the run, the node and the attempt

        Journal:
              --journal <FILE>  The file that keeps all runs; without it PIPELINE_JOURNAL names it, else it is .pipeline/journal.db
        [exit 0]
    "#]]
    .assert_eq(&call(&["serve", "-h"]));
    expect![[r#"
        Runs the data intervals of a pipeline that start between two dates and are over

        Usage: cli-pipelines backfill [OPTIONS] --from <D> --to <D> [PIPELINE]

        Arguments:
          [PIPELINE]  The pipeline; need not be named if it is the only one

        Options:
              --from <D>               The first interval is the first that starts on that day or later: 2024-03-25; or then: 2024-03-25T06:00, 2024-03-25T06:00:00Z
              --to <D>                 The last interval is the last that starts on that day or earlier; or then
              --max-active-runs <N>    How many of the pipeline's backfill runs may be active at once; without it, its `max_active_runs`
              --reprocess <REPROCESS>  Which intervals that have a run already are run again: those whose newest run failed, or all [default: none] [possible values: none, failed, all]
              --dry-run                Lists the intervals that would be run, and runs nothing
              --param <KEY=VALUE>      Sets a param, or one in an object by `of.region=eu`: a text, or JSON where its type is a list or an object; may be repeated
              --params <FILE.json>     Sets params from a JSON object; --param overrides it, and what neither sets has its default, in nested objects, too
              --parallelism <N>        How many attempts of nodes without a pool of their own may run at once [default: 128]
              --json                   Prints one JSON object per line and event, the last one with the run's result
          -h, --help                   Print help (see more with '--help')

        Logging:
              --log <LEVEL>          Log lines of this level and graver go to stderr: off, error, warn, info, debug, trace
              --log-format <FORMAT>  How log lines are written: text for people, json for one JSON object a line, with the run, the node and the attempt

        Journal:
              --journal <FILE>  The file that keeps all runs; without it PIPELINE_JOURNAL names it, else it is .pipeline/journal.db
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
