//! The suite on another server: `S3_TEST_ENDPOINT`, with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and an empty bucket for
//! each case, of its name with `-` for `_`. `.ci/run` starts one; without it nothing of this runs.

macro_rules! on_the_given_server {
    ($($case:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs a server: see .ci/run"]
            async fn $case() -> crate::Tested {
                let endpoint = std::env::var("S3_TEST_ENDPOINT")?;
                let name = stringify!($case).replace('_', "-");
                crate::cases::$case(pipeline_runtime::Bucket::open(&format!("s3://{name}?endpoint={endpoint}"))?).await
            }
        )+
    };
}

crate::cases::every!(on_the_given_server);
