//! Options whose value is a path: callbacks, pools, and the runtime itself. rustc checks the items that the paths name.

use super::pieces;
use super::table::Spec;
use crate::error::Errors;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::{ExprPath, Lit, Path};

/// A constant instead of a literal.
pub(crate) struct Constant {
    pub(crate) path: ExprPath,
    /// The `=` before it, or the arrow after it. The words of its check have this span: rustc reports a wrong value here, and an
    /// editor shows none of the words at the path.
    pub(crate) check_span: Span,
}

/// True for the word `none`: no callback is called, whatever the pipeline's defaults are.
pub(crate) fn is_none_keyword(tokens: &TokenStream) -> bool {
    matches!(syn::parse2::<syn::Ident>(tokens.clone()), Ok(word) if word == "none")
}

/// Words that users may write instead of `none`.
const MEANT_NONE: &[&str] = &["None", "null", "nil"];

/// Reads the path of a callback, or a list of paths.
pub(crate) fn callbacks(spec: &Spec, tokens: &TokenStream, errors: &mut Errors) -> Option<Vec<ExprPath>> {
    let list = pieces::one_or_list(tokens, errors);
    if list.is_empty() {
        errors.on(tokens, format!("the list is empty: add a callback, as in `{}`", spec.example));
        return None;
    }
    // All are read before the list is refused, so that every mistake is reported.
    let mut read = |callback: Vec<TokenTree>| {
        let tokens: TokenStream = callback.into_iter().collect();
        let path = path(&tokens, errors, explain_callback(spec))?;
        let word = path.path.get_ident().map(ToString::to_string).unwrap_or_default();
        if word == "none" {
            errors.on(&tokens, format!("`none` cannot be listed with callbacks: write `{} = none` to notify nobody", spec.name));
            return None;
        }
        if MEANT_NONE.contains(&word.as_str()) {
            errors.on(&tokens, format!("to notify nobody, write `{} = none`", spec.name));
            return None;
        }
        Some(path)
    };
    let read: Vec<_> = list.into_iter().map(&mut read).collect();
    read.into_iter().collect()
}

/// Reads the path of a constant. A single word that begins with a small letter is no constant but a slip, such as a word without
/// its quotes. It gets a message that is better than rustc's.
pub(crate) fn constant(tokens: &TokenStream, check_span: Span) -> Option<Constant> {
    let path = syn::parse2::<ExprPath>(tokens.clone()).ok()?;
    let is_word = path.path.get_ident().is_some_and(|name| name.to_string().starts_with(|c: char| c.is_lowercase()));
    (!is_word).then_some(Constant { path, check_span })
}

/// Reads the path of a `static` pool.
pub(crate) fn pool(spec: &Spec, tokens: &TokenStream, errors: &mut Errors) -> Option<ExprPath> {
    path(tokens, errors, |written| match written {
        NotAPath::Text(name) => format!(
            "`{}` takes the pool itself, not its name: declare `static {}: Pool = Pool::new({name:?}, 4);` and write \
             `{} = {}`",
            spec.name,
            static_name(name, "S3"),
            spec.name,
            static_name(name, "S3"),
        ),
        _ => format!(
            "`{}` takes the name of a `static` pool, as in `{}` with `static S3: Pool = Pool::new(\"s3\", 4);`",
            spec.name, spec.example
        ),
    })
}

/// Reads the path of the runtime.
pub(crate) fn runtime(tokens: &TokenStream, errors: &mut Errors) -> Option<Path> {
    if let Ok(path) = syn::parse::Parser::parse2(Path::parse_mod_style, tokens.clone()) {
        return Some(path);
    }
    let message = match syn::parse2::<Lit>(tokens.clone()) {
        Ok(Lit::Str(text)) => format!("`crate` takes a path, not a text: write `crate = {}`", text.value()),
        _ => "`crate` takes the path of `pipeline-runtime`, as in `crate = my_facade::pipeline`".to_owned(),
    };
    errors.on(tokens, message);
    None
}

/// What was written instead of a path.
pub(super) enum NotAPath<'a> {
    Text(&'a str),
    Call(String),
    Closure,
    Other,
}

fn explain_callback(spec: &Spec) -> impl Fn(NotAPath<'_>) -> String {
    let (name, example) = (spec.name, spec.example);
    move |written| match written {
        NotAPath::Text(text) => {
            format!("`{name}` takes the callback itself, not its name: write `{name} = {text}`")
        }
        NotAPath::Call(callee) => {
            format!("`{name}` takes the callback itself, not a call: write `{name} = {callee}`")
        }
        NotAPath::Closure => {
            format!("`{name}` takes a named `async fn(n: Notification) -> Result<()>`, not a closure, as in `{example}`")
        }
        NotAPath::Other => format!(
            "`{name}` takes the path of an `async fn(n: Notification) -> Result<()>`, or a list of paths, as in \
             `{example}`"
        ),
    }
}

/// Reads a path. `explain` makes the message for what is written in place of one.
pub(super) fn path(tokens: &TokenStream, errors: &mut Errors, explain: impl Fn(NotAPath<'_>) -> String) -> Option<ExprPath> {
    if let Ok(path) = syn::parse2::<ExprPath>(tokens.clone()) {
        return Some(path);
    }
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let message = match (syn::parse2::<Lit>(tokens.clone()), trees.as_slice()) {
        (Ok(Lit::Str(text)), _) => explain(NotAPath::Text(&text.value())),
        (_, [TokenTree::Punct(bar), ..]) if bar.as_char() == '|' => explain(NotAPath::Closure),
        (_, [callee @ .., TokenTree::Group(group)]) if group.delimiter() == Delimiter::Parenthesis && !callee.is_empty() => {
            let callee: TokenStream = callee.iter().cloned().collect();
            explain(NotAPath::Call(crate::error::show(callee)))
        }
        _ => explain(NotAPath::Other),
    };
    errors.on(tokens, message);
    None
}

/// Makes the name of a `static` from a text, or `fallback` if the text does not begin with a letter.
pub(super) fn static_name(name: &str, fallback: &str) -> String {
    let letters = |c: char| {
        if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }
    };
    let name: String = name.chars().map(letters).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { fallback.to_owned() }
}
