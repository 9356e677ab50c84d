use super::*;
use crate::error::{pretty, tokens};
use quote::quote;

fn expanded(kind: Kind, attr: TokenStream, item: &TokenStream) -> String {
    pretty(&expand(kind, attr, item))
}

fn errors(text: &str) -> usize {
    text.matches("compile_error").count()
}

#[test]
fn a_half_typed_attribute_leaves_a_sound_constructor() {
    let item = tokens("async fn load(a: u64) -> Result<u64> { Ok(a) }");
    for attr in [quote!(retries =), quote!(retries), quote!(,), quote!(retries(x)), quote!(ret)] {
        let text = expanded(Kind::Task, attr, &item);
        assert!(text.contains("fn load(a: impl ::pipeline_runtime::IntoInput<"), "{text}");
        assert!(!text.contains("unimplemented"), "{text}");
        assert_eq!(errors(&text), 1, "{text}");
    }
}

#[test]
fn a_wrong_parameter_keeps_the_arity() {
    for (param, part) in [
        (quote!(a: &str), "must be owned"),
        (quote!((a, b): (u64, u64)), "a plain name"),
        (quote!(a: impl Into<String>), "one named type"),
    ] {
        let text = expanded(Kind::Task, quote!(), &quote!(async fn load(#param, c: u64) -> Result<u64> {}));
        assert_eq!(errors(&text), 1, "{text}");
        assert!(text.contains(part), "{text}");
        assert!(text.contains("Poison<"), "{text}");
        assert!(text.contains("c: impl ::pipeline_runtime::IntoInput<"), "{text}");
    }
}

#[test]
fn a_generic_task_is_refused_whole() {
    let text = expanded(Kind::Task, quote!(), &tokens("async fn load<T>(a: T) -> Result<T> {}"));
    assert!(text.contains("cannot be generic"), "{text}");
    assert!(!text.contains("Checks for"), "{text}");
}

/// An editor shows each `compile_error!`, even if two have the same text and place.
#[test]
fn a_mistake_stands_in_one_place() {
    for item in [
        "async fn load<T, U>(a: T, b: Vec<U>) -> Result<T> {}",
        "async fn load<'a>(a: &'a str) -> Result<u64> {}",
        "async fn load(a: u64) -> Result<&str> {}",
        "async fn load(a: u64) -> Result<_> {}",
        "async fn load(a: _) -> Result<u64> {}",
        "async fn load(a: Vec<&str>) -> Result<u64> {}",
    ] {
        let text = expanded(Kind::Task, quote!(), &tokens(item));
        assert_eq!(errors(&text), 1, "{text}");
    }
}

#[test]
fn the_words_before_fn_are_judged() {
    for (kind, item, part) in [
        (Kind::Sensor, tokens("fn wait() -> Result<Poke<u64>> {}"), "write `async fn`"),
        (Kind::Branch, tokens("fn route() -> Result<Route> {}"), "write `async fn`"),
        (Kind::Task, tokens("unsafe fn load() {}"), "cannot be `unsafe`"),
        (Kind::Task, tokens("extern \"C\" fn load() {}"), "cannot be `extern`"),
        (Kind::Task, tokens("const fn load() {}"), "cannot be `const`"),
    ] {
        let text = expanded(kind, quote!(), &item);
        assert_eq!(errors(&text), 1, "{text}");
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_automatic_id_is_refused() {
    let item = tokens("async fn load__2() {}");
    assert_eq!(errors(&expanded(Kind::Task, quote!(), &item)), 1);
    assert_eq!(errors(&expanded(Kind::Task, quote!(id = "load_2"), &item)), 0);
}

#[test]
fn context_is_supplied_and_not_wired() {
    let text = expanded(Kind::Task, quote!(), &tokens("async fn load(ctx: Context, a: u64, again: Context) {}"));
    assert!(text.contains("fn load(a: impl ::pipeline_runtime::IntoInput<"), "{text}");
    let words: String = text.split_whitespace().collect();
    let taken = ["Inputs::context(inputs)", "Inputs::take(inputs)", "Inputs::context(inputs)"];
    let taken = taken.map(|taken| format!("::pipeline_runtime::__private::{taken},")).concat();
    assert!(words.contains(&taken), "{text}");
}

#[test]
fn a_borrowed_context_is_one_error_and_not_wired_either() {
    let text = expanded(Kind::Task, quote!(), &tokens("async fn load(ctx: &Context, a: u64) {}"));
    assert!(text.contains("fn load(a: impl ::pipeline_runtime::IntoInput<"), "{text}");
    assert!(text.contains("write `Context`, without `&`"), "{text}");
    assert_eq!(errors(&text), 1, "{text}");
}

#[test]
fn a_mutable_parameter_is_the_bodys_affair() {
    let text = expanded(Kind::Task, quote!(), &tokens("async fn load(mut a: Vec<u64>) {}"));
    assert!(text.contains("fn load(\n    a: impl ::pipeline_runtime::IntoInput<Vec<u64>>,"), "{text}");
    assert!(text.contains("async fn call(mut a: Vec<u64>)"), "{text}");
}

#[test]
fn unused_parameters_still_label_their_edges() {
    let text = expanded(Kind::Task, quote!(), &tokens("async fn load(_a: u64, _: u64, _type: u64) {}"));
    for label in ["a", "input_2", "_type"] {
        assert!(text.contains(&format!("(\"{label}\", {label})")), "{text}");
    }
}
