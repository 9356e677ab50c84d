//! Every form of output.

use pipeline_runtime::prelude::*;

type Answer<T> = std::result::Result<T, std::num::ParseIntError>;

#[task]
async fn aliased(text: String) -> Answer<u64> {
    text.parse()
}

#[task]
async fn own_error(text: String) -> Result<u64, String> {
    text.parse().map_err(|_| "no number".to_owned())
}

#[task]
async fn boxed(text: String) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    Ok(text.parse()?)
}

#[task]
async fn without_result() {}

#[task]
async fn list() -> Result<Vec<(String, Option<u64>)>> {
    Ok(vec![])
}

#[sensor]
async fn ready() -> Result<Poke<u64>> {
    Ok(Some(3).into())
}

#[sensor]
async fn of_another_error(text: String) -> Answer<Poke<u64>> {
    Ok(Poke::Ready(text.parse()?))
}

#[task]
async fn sum(rows: Vec<u64>) -> Result<u64> {
    Ok(rows.iter().sum())
}

#[pipeline]
pub(crate) fn outputs() -> Result<(), std::num::ParseIntError> {
    sum([aliased("1"), own_error("2"), boxed("3"), ready(), of_another_error("4")]).after(without_result());
    list();
    "7".parse::<u64>()?;
    Ok(())
}
