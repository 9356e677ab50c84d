//! The attribute macros of the typed data-pipeline DSL.
use proc_macro::TokenStream;

mod attrs;
mod branch;
mod error;
mod item;
mod options;
mod pipeline;
mod suggest;
mod task;
mod template;
mod types;
mod values;

/// task
#[proc_macro_attribute]
pub fn task(attr: TokenStream, item: TokenStream) -> TokenStream {
    task::expand(task::Kind::Task, attr.into(), &item.into()).into()
}

/// sensor
#[proc_macro_attribute]
pub fn sensor(attr: TokenStream, item: TokenStream) -> TokenStream {
    task::expand(task::Kind::Sensor, attr.into(), &item.into()).into()
}

/// branch
#[proc_macro_attribute]
pub fn branch(attr: TokenStream, item: TokenStream) -> TokenStream {
    task::expand(task::Kind::Branch, attr.into(), &item.into()).into()
}

/// derive
#[proc_macro_derive(Branch)]
pub fn derive_branch(item: TokenStream) -> TokenStream {
    branch::expand(item.into()).into()
}

/// pipeline
#[proc_macro_attribute]
pub fn pipeline(attr: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::expand(attr.into(), &item.into()).into()
}

/// template
#[proc_macro]
pub fn template(input: TokenStream) -> TokenStream {
    template::expand(input.into()).into()
}
