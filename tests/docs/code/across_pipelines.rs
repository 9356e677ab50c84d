//! `docs/across-pipelines.md`: what it waits for, what it starts, and its assets, each with the pipelines that they name.

mod waiting {
    #[rustfmt::skip]
    mod page {
        use super::{all_copied, copy_dedup, enriched_base, publish};
        use pipeline_runtime::chrono::TimeDelta;
        use pipeline_runtime::{OnFailed, prelude::*};

        #[pipeline(schedule = "@hourly")]
        fn report() {
            let base = run_of(enriched_base);                                   // Node<UpstreamRun>
            let copied = run_of(copy_dedup)
                .at(|interval| interval.start - TimeDelta::hours(1))            // the hour before
                .on_failed(OnFailed::Wait)
                .output::<all_copied>();                                        // Node<T>, as `all_copied` returns
            publish(copied).after(base);
        }

        #[test]
        fn it_has_no_mistakes() {
            report().check().unwrap();
        }
    }

    use pipeline_runtime::prelude::*;

    #[task]
    async fn all_copied() -> Result<u64> {
        Ok(1)
    }
    #[task]
    async fn publish(copied: u64) -> Result<u64> {
        Ok(copied)
    }
    #[pipeline(schedule = "@hourly")]
    fn enriched_base() {
        all_copied();
    }
    #[pipeline(schedule = "@hourly")]
    fn copy_dedup() {
        all_copied();
    }
}

mod starting {
    use pipeline_runtime::prelude::*;
    use pipeline_runtime::start;

    #[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
    struct Options {
        file: String,
    }

    #[task]
    async fn options() -> Result<Options> {
        Ok(Options::default())
    }
    #[task]
    async fn load(file: String) -> Result<u64> {
        Ok(file.len() as u64)
    }
    #[task]
    async fn tell(rows: u64) -> Result<u64> {
        Ok(rows)
    }
    #[pipeline]
    fn vendor_file(options: Options) {
        load(options.file);
    }

    #[rustfmt::skip]
    mod page {
        use super::*;

        #[pipeline(schedule = "@daily")]
        fn nightly() {
            let started = start(vendor_file, options());                        // Node<StartedRun>; `options()` is a Node<Options>
            tell(started.finished().output::<load>());
        }

        #[test]
        fn it_has_no_mistakes() {
            nightly().check().unwrap();
        }
    }
}

mod assets {
    #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
    struct Manifest {
        key: String,
    }

    #[pipeline_runtime::task]
    async fn export(key: String) -> pipeline_runtime::Result<Manifest> {
        Ok(Manifest { key })
    }
    #[pipeline_runtime::task]
    async fn build(visits: Manifest, processes: u64) -> pipeline_runtime::Result<u64> {
        Ok(processes + visits.key.len() as u64)
    }

    #[rustfmt::skip]
    mod page {
        use super::{Manifest, build, export};
        use pipeline_runtime::prelude::*;

        /// The day's visits.
        static VISITS: Asset<Manifest> = Asset::new("visits");
        static PROCESSES: Asset<u64> = Asset::external("processes");           // updated from outside of this binary, too

        #[pipeline(schedule = "@daily", start = "2026-01-01")]
        fn visits_export() {
            export(template!("visits/{{ ds }}")).updates(&VISITS);             // a node of another type does not compile
        }

        #[pipeline(when = all(VISITS, PROCESSES))]                             // or any(..); never beside `schedule`
        fn visits_model() {
            build(VISITS.latest(), PROCESSES.latest());                        // Node<Manifest>, Node<u64>: the updates that began this run
        }

        #[test]
        fn they_have_no_mistakes() {
            visits_export().check().unwrap();
            visits_model().check().unwrap();
        }
    }
}
