//! Bodies that wait for the outside world: this takes no virtual time.

use pipeline_runtime::prelude::*;
use pipeline_runtime::{NodeState, RunState, Simulation};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server that answers each line with itself, after this long in real time.
fn echo(after: Duration) -> SocketAddr {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut text = [0; 5];
                stream.read_exact(&mut text).unwrap();
                std::thread::sleep(after);
                stream.write_all(&text).unwrap();
            });
        }
    });
    address
}

async fn ask(server: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(b"hello").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

/// Its limit is in virtual time.
#[task(timeout = "5s")]
async fn asks(ctx: Context, server: SocketAddr) -> Result<String> {
    Ok(ctx.outside(ask(server)).await?)
}

/// Would be poked many times if virtual time passed during a wait outside.
#[sensor(poke = "1s", timeout = "10s", on_timeout = "skip")]
async fn never() -> Result<Poke<()>> {
    Ok(Poke::NotYet)
}

#[pipeline]
fn asking(server: Option<SocketAddr>) {
    never();
    asks(server.unwrap_or(([127, 0, 0, 1], 9).into()));
}

#[test]
fn time_stands_still_while_a_body_waits_outside() {
    let report = Simulation::new(asking()).params(Some(echo(Duration::from_millis(200)))).run();
    assert_eq!(report.output::<String>("asks").as_deref(), Some("hello"), "{}", report.timeline());
    assert_eq!(report.node("asks").finished(), Some(Duration::ZERO));
    assert_eq!(report.node("never").finished(), Some(Duration::from_secs(10)));
}

/// Does not announce that it waits outside.
#[task(timeout = "5s")]
async fn asks_plainly(server: SocketAddr) -> Result<Vec<String>> {
    let mut answers = vec![ask(server).await?];
    tokio::time::sleep(Duration::from_secs(1)).await;
    answers.push(ask(server).await?);
    Ok(answers)
}

#[pipeline]
fn asking_plainly(server: Option<SocketAddr>) {
    never();
    asks_plainly(server.unwrap_or(([127, 0, 0, 1], 9).into()));
}

/// A simulation gives such a body only a moment; on a busy machine the server may need longer, so the test tries again.
#[test]
fn a_body_that_says_nothing_has_a_moment_for_its_sockets() {
    let server = echo(Duration::ZERO);
    let both_answered = || {
        let report = Simulation::new(asking_plainly()).params(Some(server)).run();
        let answers = report.output::<Vec<String>>("asks_plainly");
        // The sleep took one virtual second, and the sockets none.
        answers == Some(vec!["hello".to_owned(); 2]) && report.node("asks_plainly").finished() == Some(Duration::from_secs(1))
    };
    assert!((0..10).any(|_| both_answered()));
}

/// A server and its client, each in a body of its own.
#[task]
async fn serves(ctx: Context, server: Arc<TcpListener>) -> Result<()> {
    let work = async {
        let server = tokio::net::TcpListener::from_std(server.try_clone()?)?;
        let (mut stream, _) = server.accept().await?;
        stream.read_exact(&mut [0; 5]).await?;
        stream.write_all(b"hello").await?;
        Ok::<_, TaskError>(())
    };
    ctx.outside(work).await
}

#[task]
async fn calls(ctx: Context, server: SocketAddr) -> Result<String> {
    Ok(ctx.outside(ask(server)).await?)
}

#[pipeline]
fn server_and_client() -> Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    server.set_nonblocking(true)?;
    calls(server.local_addr()?);
    serves(Arc::new(server));
    Ok(())
}

#[test]
fn two_bodies_may_wait_for_each_other_outside() {
    let report = Simulation::new(server_and_client()).run();
    assert_eq!(report.output::<String>("calls").as_deref(), Some("hello"), "{}", report.timeline());
    assert_eq!(report.finished(), Some(Duration::ZERO));
}

#[task]
async fn runs_a_program(ctx: Context) -> Result<String> {
    let program = async {
        let mut program = tokio::process::Command::new("sh");
        program.args(["-c", "sleep 0.1; echo done"]).stdin(Stdio::null()).output().await
    };
    Ok(String::from_utf8(ctx.outside(program).await?.stdout)?)
}

#[pipeline]
fn programs() {
    never();
    runs_a_program();
}

#[test]
fn a_program_takes_no_virtual_time() {
    let report = Simulation::new(programs()).run();
    assert_eq!(report.output::<String>("runs_a_program").as_deref(), Some("done\n"), "{}", report.timeline());
    assert_eq!(report.node("runs_a_program").finished(), Some(Duration::ZERO));
}

/// The server does not answer for a day.
#[task(retries = 0)]
async fn gives_up(ctx: Context, server: SocketAddr) -> Result<String> {
    let work = async { Ok::<_, TaskError>(tokio::time::timeout(Duration::from_millis(50), ask(server)).await??) };
    ctx.outside(work).await
}

#[pipeline]
fn giving_up(server: Option<SocketAddr>) {
    never();
    gives_up(server.unwrap_or(([127, 0, 0, 1], 9).into()));
}

#[test]
fn a_limit_within_is_one_of_real_time() {
    let report = Simulation::new(giving_up()).params(Some(echo(Duration::from_hours(24)))).run();
    let node = report.node("gives_up");
    assert_eq!((node.state(), node.error()), (NodeState::Failed, Some("deadline has elapsed")));
    assert_eq!(node.finished(), Some(Duration::ZERO));
}

#[test]
fn a_cancelled_run_leaves_nobody_outside() {
    let report = Simulation::new(asking()).cancel("0s").params(Some(echo(Duration::from_millis(50)))).run();
    assert_eq!(report.state(), RunState::Cancelled);
}

#[tokio::test]
async fn elsewhere_it_is_the_work_itself() {
    let ctx = Context::for_test();
    assert_eq!(asks::call(ctx, echo(Duration::ZERO)).await.unwrap(), "hello");
}
