//! `template!`, a text that is rendered when its task runs, and `alert!`, a text that is rendered when an alert is sent. Both are
//! checked when they are compiled.
//!
//! [`names`] lists what a template may use, and [`check`] finds mistakes. They are reported at the literal, because only nightly
//! Rust has spans within one. So the message quotes the wrong part and, if the text has several lines, its place. Mistakes in the
//! given values are reported at their names.

mod check;
mod names;

use crate::error::Errors;
use crate::runtime::Runtime;
use pipeline_syntax::template::Purpose;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Token};

/// The content of the parentheses.
struct Call {
    /// The text, or the path of its file.
    source: LitStr,
    is_file: bool,
    /// The values that are passed by name.
    arguments: Vec<(Ident, Expr)>,
}

/// The messages that differ between the two macros.
struct Messages {
    /// For a call without a text.
    takes_a_text: &'static str,
    /// For a text that is not a literal.
    written_out: &'static str,
    /// For a value without a name.
    by_name: &'static str,
}

const fn messages(purpose: Purpose) -> Messages {
    match purpose {
        Purpose::Input => Messages {
            takes_a_text: "`template!` takes a text, as in `template!(\"raw/{{ ds_nodash }}.json\")`",
            written_out: "`template!` takes a string literal, because it is checked at compile time: write \
                          `template!(\"raw/{{ ds_nodash }}.json\")`, or `template!(file = \"sql/load.sql\")` for a file",
            by_name: "values are passed to a template by name: write `template!(\"raw/{{ region }}.json\", region = region)`",
        },
        Purpose::Alert => Messages {
            takes_a_text: "`alert!` takes a text, as in `alert!(\"{{ summary }}: {{ error }}\")`",
            written_out: "`alert!` takes a string literal, because it is checked at compile time: write \
                          `alert!(\"{{ summary }}: {{ error }}\")`, or `alert!(file = \"alerts/failure.txt\")` for a file",
            by_name: "constants are passed to an alert by name: write `alert!(\"{{ summary }}, see {{ runbook }}\", runbook = RUNBOOK)`",
        },
    }
}

impl Call {
    fn parse(purpose: Purpose, input: ParseStream<'_>) -> syn::Result<Self> {
        let Messages { takes_a_text, written_out, by_name } = messages(purpose);
        if input.is_empty() {
            return Err(syn::Error::new(Span::call_site(), takes_a_text));
        }
        let is_file = input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]);
        if is_file {
            let name: Ident = input.parse()?;
            if name != "file" {
                return Err(syn::Error::new(name.span(), written_out));
            }
            input.parse::<Token![=]>()?;
        }
        let source = match input.parse::<LitStr>() {
            Ok(source) => source,
            Err(error) if input.is_empty() => return Err(error),
            Err(_) => return Err(syn::Error::new_spanned(input.parse::<TokenStream>()?, written_out)),
        };
        let mut arguments = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            // rustfmt adds a trailing comma if it breaks the call into lines.
            if input.is_empty() {
                break;
            }
            if !(input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==])) {
                return Err(syn::Error::new_spanned(input.parse::<TokenStream>()?, by_name));
            }
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            arguments.push((name, input.parse()?));
        }
        Ok(Self { source, is_file, arguments })
    }
}

/// The whole expansion, an expression.
pub(crate) fn expand(purpose: Purpose, input: TokenStream) -> TokenStream {
    let (runtime, written) = Runtime::of_macro(input);
    let mut errors = Errors::default();
    let parse = |input: ParseStream<'_>| Call::parse(purpose, input);
    let call = match parse.parse2(written) {
        Ok(call) => call,
        Err(error) => {
            errors.push(error);
            return errors.into_expression().unwrap_or_default();
        }
    };
    match text_of(&call) {
        Ok(text) => check_call(purpose, &call, &text, &mut errors),
        Err(error) => errors.at(call.source.span(), error),
    }
    errors.into_expression().unwrap_or_else(|| expansion(purpose, &runtime, &call))
}

/// Returns the text of the template. The path of a file is relative to the package's folder, as in sqlx.
fn text_of(Call { source, is_file, .. }: &Call) -> Result<String, String> {
    if !is_file {
        return Ok(source.value());
    }
    let path = source.value();
    let folder = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or("the path is relative to the package's folder, which only cargo knows: build with cargo")?;
    std::fs::read_to_string(std::path::Path::new(&folder).join(&path))
        .map_err(|error| format!("cannot read `{path}`: {error}; the path is relative to the folder of the package's Cargo.toml"))
}

/// The name of a value in the template, where `r#type` is `type`.
fn in_template(name: &Ident) -> String {
    name.unraw().to_string()
}

fn check_call(purpose: Purpose, call: &Call, text: &str, errors: &mut Errors) {
    let names: Vec<String> = call.arguments.iter().map(|(name, _)| in_template(name)).collect();
    let findings = check::check(purpose, text, &names);
    let has_mistakes = !findings.mistakes.is_empty();
    for mistake in findings.mistakes {
        let of_file = if call.is_file { format!("`{}`: {mistake}", call.source.value()) } else { mistake };
        errors.at(call.source.span(), of_file);
    }
    for (at, (name, _)) in call.arguments.iter().enumerate() {
        if names[..at].contains(&names[at]) {
            errors.at(name.span(), format!("`{name}` is given twice; keep one"));
        } else if purpose.reserves(&names[at]) {
            let message = format!("`{name}` is a variable of every {}: give the value another name", purpose.name());
            errors.at(name.span(), message);
        } else if findings.unused.contains(&names[at]) && !has_mistakes {
            // If the template also has an unknown name, that is probably this value, mistyped.
            let name_there = &names[at];
            let message = format!(
                "`{name_there}` is not used in the {}: write `{{{{ {name_there} }}}}` there, or remove it here",
                purpose.name()
            );
            errors.at(name.span(), message);
        }
    }
}

fn expansion(purpose: Purpose, runtime: &Runtime, Call { source, is_file, arguments }: &Call) -> TokenStream {
    // `include_str!` makes the file a part of the build, which is repeated when the file changes.
    let source = if *is_file {
        quote!(::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #source)))
    } else {
        quote!(#source)
    };
    let private = |name| runtime.private(Span::call_site(), name);
    if arguments.is_empty() {
        let made = private(purpose.name());
        return quote!(#made(#source));
    }
    let names = arguments.iter().map(|(name, _)| LitStr::new(&in_template(name), name.span()));
    let values = arguments.iter().map(|(_, value)| value);
    let value = private("TemplateValue");
    match purpose {
        Purpose::Input => {
            let template = private("template_with");
            quote!(#template(#source, [#((#names, #value::json(&(#values)))),*]))
        }
        // An alert is a constant, and a constant cannot serialize its values to JSON. So the closure does that when the alert is
        // sent, and the values are constants, too.
        Purpose::Alert => {
            let (alert, given) = (private("alert_with"), private("given"));
            quote!(#alert(#source, || #given([#((#names, #value::json(&const { #values }))),*])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_call() {
        let tokens = expand(Purpose::Input, quote!(root, "raw/{{ ds_nodash }}.json"));
        assert_eq!(crate::error::show(tokens), "root::__private::template(\"raw/{{ ds_nodash }}.json\")");
        assert_eq!(crate::error::show(expand(Purpose::Input, quote!(root, "raw",))), "root::__private::template(\"raw\")");
        let given = crate::error::show(expand(Purpose::Input, quote!(root, "{{ a }}", a = x + 1,)));
        assert!(given.contains("template_with(\"{{ a }}\", [(\"a\", ") && given.contains("x + 1"), "{given}");
        let of_keyword = crate::error::show(expand(Purpose::Input, quote!(root, "{{ type }}", r#type = x)));
        assert!(of_keyword.contains("[(\"type\", "), "{of_keyword}");
        let of_file = crate::error::show(expand(Purpose::Input, quote!(root, file = "src/template/mod.rs")));
        assert!(of_file.contains("compile_error"), "what a file has is checked: {of_file}");
        let of_file = crate::error::show(expand(Purpose::Input, quote!(root, file = "Cargo.toml")));
        assert!(of_file.contains("include_str"), "{of_file}");
    }

    #[test]
    fn an_alert_takes_constants() {
        let alert = |input| crate::error::show(expand(Purpose::Alert, quote!(root, #input)));
        assert_eq!(alert(quote!("{{ error }}")), "root::__private::alert(\"{{ error }}\")");
        let given = alert(quote!("{{ team }}", team = TEAM));
        assert!(given.contains("alert_with(\"{{ team }}\", ||") && given.contains("const { TEAM }"), "{given}");
        assert!(alert(quote!()).contains("`alert!` takes a text"), "{}", alert(quote!()));
        assert!(alert(quote!("{{ error }}", error = x)).contains("a variable of every alert"));
        assert!(alert(quote!("x", team = x)).contains("is not used in the alert"));
    }

    #[test]
    fn anything_else_is_refused() {
        for (input, part) in [
            (quote!(), "takes a text, as in"),
            (quote!(KEY), "takes a string literal"),
            (quote!(KEY, region = region), "takes a string literal"),
            (quote!(path = "load.sql"), "takes a string literal"),
            (quote!("{{ ds }}", key), "by name"),
            (quote!("{{ ds }}",,), "by name"),
            (quote!("{{ ds }}{}", key == key), "by name"),
            (quote!("{{ dss }}"), "did you mean `ds`?"),
            (quote!("{{ tabel }}", table = name), "did you mean `table`?"),
            (quote!("{{ table }}", table = name, region = name), "`region` is not used in the template"),
            (quote!("{{ table }}", table = name, table = name), "`table` is given twice"),
            (quote!("{{ ds }}", ds = name), "a variable of every template"),
            (quote!("{table}", table = name), "write `{{ table }}`"),
            (quote!("{{ table }}"), "`table = table`"),
            (quote!(file = "sql/nowhere.sql"), "cannot read `sql/nowhere.sql`"),
        ] {
            let text = expand(Purpose::Input, quote!(root, #input)).to_string();
            assert_eq!(text.matches("compile_error").count(), 1, "{text}");
            assert!(text.contains(part), "{text}");
        }
    }
}
