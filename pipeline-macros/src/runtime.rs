//! How an expansion names the runtime, and where its own words stand.
//!
//! Without `crate = ..` the runtime is `::pipeline_runtime`, as in the user's `Cargo.toml`. With it, the expansion imports the
//! path once, under a name of its own, and uses that name everywhere else. So a wrong path is one error, at the path, because
//! rustc reports nothing about uses of a failed import. Also, the tokens of the path, which stand in the attribute, do not become
//! part of the types and calls whose place rustc shows.
//!
//! An editor shows, for a token, every generated word that has exactly its range. So the words of an expansion have the span of
//! the attribute, and only its punctuation has the spans of the user's tokens (see [`words_at_attr`]). That is enough for rustc,
//! which marks an expression from its first token to its last.

use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::Path;
use syn::ext::IdentExt;

/// Tokens that are added to a stream one by one. Each stream inside another stream would cost three calls of the compiler and a
/// copy.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Vec<TokenTree>);

impl Tokens {
    /// The tokens of a path such as `clippy::unused_async`.
    pub(crate) fn path(text: &str) -> Self {
        let mut path = Tokens::default();
        for (position, word) in text.split("::").enumerate() {
            if position > 0 {
                path.colons(Span::call_site());
            }
            path.word(word, Span::call_site());
        }
        path
    }

    fn word(&mut self, word: &str, span: Span) {
        self.0.push(Ident::new(word, span).into());
    }

    fn colons(&mut self, span: Span) {
        for spacing in [Spacing::Joint, Spacing::Alone] {
            let mut colon = Punct::new(':', spacing);
            colon.set_span(span);
            self.0.push(colon.into());
        }
    }
}

impl ToTokens for Tokens {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.0);
    }

    fn into_token_stream(self) -> TokenStream {
        self.0.into_iter().collect()
    }
}

impl IntoIterator for Tokens {
    type Item = TokenTree;
    type IntoIter = std::vec::IntoIter<TokenTree>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<TokenTree> for Tokens {
    fn from_iter<I: IntoIterator<Item = TokenTree>>(tokens: I) -> Self {
        Tokens(tokens.into_iter().collect())
    }
}

/// The name of the runtime in the expansion of one item.
#[derive(Clone, Default)]
pub(crate) struct Runtime {
    import: Option<Import>,
    /// The `$crate` that one of the runtime's own `macro_rules!` passed.
    root: Option<Tokens>,
}

#[derive(Clone)]
struct Import {
    path: Path,
    name: Ident,
}

impl Runtime {
    /// The runtime for the item of this name, by the path from `crate = ..`, if that is given.
    pub(crate) fn new(path: Option<&Path>, item: &Ident) -> Self {
        let import = path.map(|path| Import {
            path: path.clone(),
            name: Ident::new(&format!("__{}_runtime", item.unraw()), Span::call_site()),
        });
        Runtime { import, root: None }
    }

    /// The runtime as `$crate` of one of its own macros. Errors are shown at the call of the macro.
    fn rooted(root: TokenStream) -> Self {
        Runtime { import: None, root: Some(respan(Span::call_site(), root)) }
    }

    /// Splits the input of one of the runtime's own `macro_rules!`: the first token is its `$crate`, the second a comma, and the
    /// rest is what the user wrote.
    pub(crate) fn of_macro(input: TokenStream) -> (Self, TokenStream) {
        let mut tokens = input.into_iter();
        let runtime = Self::rooted(tokens.next().into_iter().collect());
        (runtime, tokens.skip(1).collect())
    }

    /// The import that the rest of the expansion uses, if there is a path.
    pub(crate) fn import(&self) -> Option<TokenStream> {
        let Import { path, name } = self.import.as_ref()?;
        // At the path's end: if the path is not the runtime, rustc reports there that `__private` is missing.
        let end = path.segments.last()?.ident.span();
        let (private, name) = (Ident::new("__private", end), Ident::new(&name.to_string(), end));
        Some(quote! {
            #[doc(hidden)]
            use #path::#private as #name;
        })
    }

    /// The path of a public item, such as `::pipeline_runtime::Node`; rustc reports errors at `span`.
    pub(crate) fn public(&self, span: Span, what: &str) -> Tokens {
        self.path(span, what, None)
    }

    /// The path of an item for expansions, such as `::pipeline_runtime::__private::input`; rustc reports errors at `span`.
    pub(crate) fn private(&self, span: Span, what: &str) -> Tokens {
        self.path(span, what, Some("__private"))
    }

    fn path(&self, span: Span, what: &str, within: Option<&str>) -> Tokens {
        let words = attr_span(span);
        let mut path = Tokens::default();
        match (&self.import, &self.root) {
            (None, None) => {
                for word in ["pipeline_runtime"].into_iter().chain(within) {
                    path.colons(span);
                    path.word(word, words);
                }
            }
            (None, Some(root)) => {
                path = root.clone();
                if let Some(word) = within {
                    path.colons(Span::call_site());
                    path.word(word, Span::call_site());
                }
            }
            // The first token: rustc's marks begin at its span.
            (Some(Import { name, .. }), _) => path.word(&name.to_string(), name.span().located_at(span)),
        }
        for word in what.split("::") {
            path.colons(span);
            path.word(word, words);
        }
        path
    }

    /// True if the path `of` may lead to one of our macros: `task`, `pipeline_runtime::task`, or below the path that was given.
    pub(crate) fn has(path: Option<&Path>, of: &Path) -> bool {
        let before = of.segments.len().saturating_sub(1);
        let begins = of.segments.iter().take(before).map(|segment| &segment.ident);
        before == 0
            || of.segments.first().is_some_and(|first| first.ident == "pipeline_runtime")
            || path.is_some_and(|path| begins.eq(path.segments.iter().map(|segment| &segment.ident)))
    }
}

/// Moves the tokens to `span`, that of a punctuation mark near the user's token. Their hygiene stays.
pub(crate) fn respan(span: Span, tokens: impl IntoIterator<Item = TokenTree>) -> Tokens {
    let moved = tokens.into_iter().map(|mut token| {
        token.set_span(span.resolved_at(token.span()));
        token
    });
    moved.collect()
}

/// Moves the words of the tokens to the attribute. The punctuation and the delimiters stay.
pub(crate) fn words_at_attr(tokens: TokenStream) -> Tokens {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(word) => TokenTree::Ident(at_attr(word)),
            TokenTree::Group(group) => {
                let mut moved = Group::new(group.delimiter(), words_at_attr(group.stream()).into_token_stream());
                moved.set_span(group.span());
                TokenTree::Group(moved)
            }
            other => other,
        })
        .collect()
}

/// Moves a word to the attribute. Its hygiene stays.
pub(crate) fn at_attr(mut word: Ident) -> Ident {
    word.set_span(attr_span(word.span()));
    word
}

/// The span for the words of tokens whose errors are reported at `span`.
pub(crate) fn attr_span(span: Span) -> Span {
    Span::call_site().resolved_at(span)
}
