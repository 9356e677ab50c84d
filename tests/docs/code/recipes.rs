//! `docs/recipes.md`, with stand-ins for the crates that it names: they have the signatures of `reqwest` 0.13 and `tokio-postgres` 0.7.

use pipeline_runtime::prelude::*;

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Rate {
    eur: f64,
}

#[task(retries = 3, retry_delay = "30s", timeout = "2m")]
async fn rate(ctx: Context, client: reqwest::Client, token: Secret, day: String) -> Result<Rate> {
    let url = format!("https://rates.example.org/{day}");
    let answer =
        ctx.outside(async { client.get(&url).bearer_auth(token.expose()).send().await?.error_for_status()?.json().await });
    Ok(answer.await?)
}

#[sensor(poke = "30s", timeout = "1h")]
async fn published(ctx: Context, client: reqwest::Client, url: String) -> Result<Poke<Rate>> {
    let answer = ctx.outside(client.get(&url).send()).await?;
    match answer.status().as_u16() {
        404 => Ok(Poke::NotYet),
        401 | 403 => Err(TaskError::fatal(format!("{url}: access denied"))),
        _ => Ok(Poke::Ready(ctx.outside(answer.error_for_status()?.json()).await?)),
    }
}

#[task(retries = 2, retry_delay = "1m", timeout = "30m")]
async fn load_day(ctx: Context, database: Secret, day: String) -> Result<u64> {
    let load = async {
        let (mut client, connection) = tokio_postgres::connect(database.expose(), tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let transaction = client.transaction().await?;
        transaction.execute("DELETE FROM sales WHERE day = $1", &[&day]).await?;
        let rows = transaction
            .execute("INSERT INTO sales SELECT day, shop, sum(cents) FROM raw WHERE day = $1 GROUP BY 1, 2", &[&day])
            .await?;
        transaction.commit().await?;
        Ok::<u64, tokio_postgres::Error>(rows)
    };
    Ok(ctx.outside(load).await?)
}

#[task]
async fn not_empty(rows: u64) -> Result<u64> {
    if rows == 0 {
        return Err(TaskError::fatal("no rows were loaded"));
    }
    Ok(rows)
}

use pipeline_runtime::Command;

#[task(timeout = "2h")]
async fn dbt(ctx: Context, database: Secret, day: String) -> Result<()> {
    let vars = format!("{{day: {day}}}");
    Command::new("dbt").args(["build", "--vars", &vars]).env("DATABASE_URL", &database).dir("/srv/dbt").run(&ctx).await?;
    Ok(())
}

#[task(retries = 1, timeout = "1h")]
async fn score(ctx: Context, image: String, day: String) -> Result<()> {
    let name: String = ctx.idempotency_key().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Command::new("docker").args(["rm", "--force", &name]).accept(1).run(&ctx).await?;
    Command::new("docker").args(["run", "--rm", "--name", &name, &image, &day]).run(&ctx).await?;
    Ok(())
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Job {
    id: String,
    state: String,
}

#[task(retries = 3, retry_delay = "30s")]
async fn submit(ctx: Context, client: reqwest::Client, day: String) -> Result<Job> {
    let body = serde_json::json!({ "main": "train.py", "args": [day] });
    let request = client.post("https://jobs.example.org/jobs").header("Idempotency-Key", ctx.idempotency_key()).json(&body);
    let answer = ctx.outside(async { request.send().await?.error_for_status()?.json().await });
    Ok(answer.await?)
}

#[sensor(poke = "1m", timeout = "6h", retries = 5, retry_delay = "1m")]
async fn finished(ctx: Context, client: reqwest::Client, job: Job) -> Result<Poke<Job>> {
    let url = format!("https://jobs.example.org/jobs/{}", job.id);
    let answer = ctx.outside(async { client.get(&url).send().await?.error_for_status()?.json().await });
    let job: Job = answer.await?;
    match job.state.as_str() {
        "succeeded" => Ok(Poke::Ready(job)),
        "failed" | "cancelled" => Err(TaskError::fatal(format!("the job {} is {}", job.id, job.state))),
        _ => Ok(Poke::NotYet),
    }
}

/// Does nothing where the job has ended.
#[task(retries = 3)]
async fn cancel_job(ctx: Context, client: reqwest::Client, job: Job) -> Result<()> {
    let url = format!("https://jobs.example.org/jobs/{}", job.id);
    ctx.outside(client.delete(&url).send()).await?.error_for_status()?;
    Ok(())
}

#[pipeline(schedule = "@daily", start = "2026-01-01")]
fn training() {
    let client = reqwest::Client::new();
    let job = submit(&client, template!("{{ ds }}"));
    job.teardown(|job| cancel_job(&client, job), |job| finished(&client, job));
}

#[task(retries = 2, retry_delay = "1m")]
async fn publish(from: Bucket, to: Bucket, export: Object) -> Result<Object> {
    let (mut reader, mut writer) = (from.get_stream(&export.key).await?, to.put_stream(&export.key).await?);
    while let Some(chunk) = reader.chunk().await? {
        writer.write(chunk).await?;
    }
    Ok(writer.finish().await?)
}

#[pipeline]
fn all() -> Result<()> {
    static TOKEN: Secret = Secret::env("RATES_TOKEN");
    static DATABASE: Secret = Secret::env("DATABASE_URL");
    let client = reqwest::Client::new();
    rate(&client, &TOKEN, template!("{{ ds }}")).after(published(&client, "https://rates.example.org"));
    not_empty(load_day(&DATABASE, template!("{{ ds }}")));
    dbt(&DATABASE, template!("{{ ds }}"));
    score("models/score:7", template!("{{ ds }}"));
    let (from, to) = (Bucket::open("memory://from")?, Bucket::open("memory://to")?);
    publish(&from, &to, pipeline_runtime::sensors::key_exists(&from, "export.csv"));
    Ok(())
}

#[test]
fn the_recipes_have_no_mistakes() {
    all().check().unwrap();
    training().check().unwrap();
}

pub(super) mod reqwest {
    use serde::{Serialize, de::DeserializeOwned};

    #[derive(Debug)]
    pub struct Error;

    impl std::fmt::Display for Error {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a stand-in")
        }
    }

    impl std::error::Error for Error {}

    #[derive(Debug, Clone)]
    pub struct Client;

    impl Client {
        pub fn new() -> Self {
            Self
        }
        pub fn get(&self, _url: &str) -> RequestBuilder {
            RequestBuilder
        }
        pub fn post(&self, _url: &str) -> RequestBuilder {
            RequestBuilder
        }
        pub fn delete(&self, _url: &str) -> RequestBuilder {
            RequestBuilder
        }
    }

    pub struct RequestBuilder;

    impl RequestBuilder {
        pub fn bearer_auth(self, _token: &str) -> Self {
            self
        }
        pub fn header(self, _name: &str, _value: String) -> Self {
            self
        }
        pub fn json<T: Serialize + ?Sized>(self, _body: &T) -> Self {
            self
        }
        pub async fn send(self) -> Result<Response, Error> {
            Err(Error)
        }
    }

    pub struct StatusCode;

    impl StatusCode {
        pub fn as_u16(&self) -> u16 {
            404
        }
    }

    pub struct Response;

    impl Response {
        pub fn status(&self) -> StatusCode {
            StatusCode
        }
        pub fn error_for_status(self) -> Result<Self, Error> {
            Err(Error)
        }
        pub async fn text(self) -> Result<String, Error> {
            Err(Error)
        }
        pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
            Err(Error)
        }
    }
}

mod tokio_postgres {
    #[derive(Debug)]
    pub struct Error;

    impl std::fmt::Display for Error {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a stand-in")
        }
    }

    impl std::error::Error for Error {}

    pub struct NoTls;
    pub struct Client;
    pub struct Transaction<'a>(std::marker::PhantomData<&'a mut Client>);

    pub async fn connect(_config: &str, _tls: NoTls) -> Result<(Client, std::future::Ready<Result<(), Error>>), Error> {
        Err(Error)
    }

    pub trait ToSql {}
    impl ToSql for String {}

    impl Client {
        pub async fn transaction(&mut self) -> Result<Transaction<'_>, Error> {
            Err(Error)
        }
    }

    impl Transaction<'_> {
        pub async fn execute(&self, _statement: &str, _params: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
            Err(Error)
        }
        pub async fn commit(self) -> Result<(), Error> {
            Err(Error)
        }
    }
}
