//! Signatures at the edge of what is accepted.

use pipeline_runtime::prelude::*;

pub(crate) mod nested {
    use pipeline_runtime::prelude::*;

    /// Visible from outside.
    #[task]
    pub(crate) async fn load(_unused: u64, mut rows: Vec<u64>) -> Result<u64> {
        rows.push(1);
        Ok(rows.len() as u64)
    }
}

#[task]
fn blocking(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[task]
async fn nothing() {}

#[task]
async fn context_anywhere(rows: u64, ctx: Context, name: &'static str) -> Result<String> {
    Ok(format!("{} {name} {rows}", ctx.run_id()))
}

#[task]
#[cfg_attr(test, allow(unused_variables, reason = "only its attributes matter"))]
#[cfg(test)]
async fn configured(rows: u64) -> Result<()> {
    Ok(())
}

#[task]
async fn r#type(r#match: u64) -> Result<u64> {
    Ok(r#match)
}

macro_rules! tasks_of_types {
    ($name:ident: $context:ty, $input:ty => $output:ty) => {
        #[task]
        async fn $name(ctx: $context, rows: $input) -> $output {
            Ok(format!("{} {rows}", ctx.run_id()))
        }
    };
}

tasks_of_types!(made_by_a_macro: Context, u64 => Result<String>);

#[task]
async fn größe(rows: u64) -> Result<u64> {
    Ok(rows)
}

#[task]
#[cfg(any())]
async fn configured_away(rows: Missing) -> Result<u64> {
    Ok(rows)
}

#[pipeline]
pub(crate) fn signatures() {
    let rows = nested::load(1u64, vec![2u64]);
    context_anywhere(blocking(r#type(rows)), "eu").after(nothing());
    configured(rows);
    made_by_a_macro(größe(rows));
}

#[test]
fn bodies_are_called_directly() {
    assert_eq!(blocking::call(3).unwrap(), 3);
}
