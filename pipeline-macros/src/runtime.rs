//! How an expansion names the runtime.
//!
//! Without `crate = ..` that is `::pipeline_runtime`, which the user's `Cargo.toml` names. With it, the expansion imports what it needs from the
//! path once, under a name of its own, and uses that name everywhere else. A wrong path is then one error, at the path: rustc says
//! nothing of what goes through an import that failed. And the path's own tokens, which stand in the attribute, are no part of the
//! types and calls whose place rustc shows.
//!
//! An editor shows, for a token, every generated word that has exactly its range. So the words of an expansion stand at the attribute
//! and only its punctuation stands at the user's tokens (see [`words_aside`]), which is enough for rustc: it blames an expression from the first
//! of its tokens to the last.

use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::Path;
use syn::ext::IdentExt;

/// Tokens that are put into a stream one by one. A stream within a stream costs the compiler three calls and a copy, for each that an
/// expansion is made of.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Vec<TokenTree>);

impl Tokens {
    /// `clippy::unused_async`
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

/// The runtime, as the expansion of one item names it.
#[derive(Clone, Default)]
pub(crate) struct Runtime {
    import: Option<Import>,
    /// Where a `macro_rules!` of the runtime's own is called, which knows it as `$crate`.
    root: Option<Tokens>,
}

#[derive(Clone)]
struct Import {
    path: Path,
    name: Ident,
}

impl Runtime {
    /// By the path that `crate = ..` gives, if it does, for the item of that name.
    pub(crate) fn new(path: Option<&Path>, item: &Ident) -> Self {
        let import = path.map(|path| Import {
            path: path.clone(),
            name: Ident::new(&format!("__{}_runtime", item.unraw()), Span::call_site()),
        });
        Runtime { import, root: None }
    }

    /// As a macro of the runtime's own hands it on: its `$crate`, shown where the macro is called.
    fn rooted(root: TokenStream) -> Self {
        Runtime { import: None, root: Some(beside(Span::call_site(), root)) }
    }

    /// That of a `macro_rules!` of the runtime's own, and what was written in it: the first token is its `$crate`, the second a comma.
    pub(crate) fn of_macro(input: TokenStream) -> (Self, TokenStream) {
        let mut tokens = input.into_iter();
        let runtime = Self::rooted(tokens.next().into_iter().collect());
        (runtime, tokens.skip(1).collect())
    }

    /// The import that everything else of the expansion goes by; nothing where none is needed.
    pub(crate) fn import(&self) -> Option<TokenStream> {
        let Import { path, name } = self.import.as_ref()?;
        // At the path's end, so that what is not the runtime is said to lack this at the path.
        let end = path.segments.last()?.ident.span();
        let (private, name) = (Ident::new("__private", end), Ident::new(&name.to_string(), end));
        Some(quote! {
            #[doc(hidden)]
            use #path::#private as #name;
        })
    }

    /// Of what users import, too: `::pipeline_runtime::Node`, blamed at `span`.
    pub(crate) fn public(&self, span: Span, what: &str) -> Tokens {
        self.path(span, what, None)
    }

    /// Of what is there for expansions: `::pipeline_runtime::__private::input`, blamed at `span`.
    pub(crate) fn private(&self, span: Span, what: &str) -> Tokens {
        self.path(span, what, Some("__private"))
    }

    fn path(&self, span: Span, what: &str, within: Option<&str>) -> Tokens {
        let words = words_of(span);
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
            // As its first token, it is where rustc begins.
            (Some(Import { name, .. }), _) => path.word(&name.to_string(), name.span().located_at(span)),
        }
        for word in what.split("::") {
            path.colons(span);
            path.word(word, words);
        }
        path
    }

    /// Whether a path leads to one of our macros: `task`, `pipeline_runtime::task`, or by the path that was given.
    pub(crate) fn has(path: Option<&Path>, of: &Path) -> bool {
        let before = of.segments.len().saturating_sub(1);
        let begins = of.segments.iter().take(before).map(|segment| &segment.ident);
        before == 0
            || of.segments.first().is_some_and(|first| first.ident == "pipeline_runtime")
            || path.is_some_and(|path| begins.eq(path.segments.iter().map(|segment| &segment.ident)))
    }
}

/// The tokens at `span`, a punctuation mark beside what they are about, and still with the meaning that they have.
pub(crate) fn beside(span: Span, tokens: impl IntoIterator<Item = TokenTree>) -> Tokens {
    let moved = tokens.into_iter().map(|mut token| {
        token.set_span(span.resolved_at(token.span()));
        token
    });
    moved.collect()
}

/// The tokens with their words at the attribute; the punctuation and the delimiters stay.
pub(crate) fn words_aside(tokens: TokenStream) -> Tokens {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(word) => TokenTree::Ident(aside(word)),
            TokenTree::Group(group) => {
                let mut set_aside = Group::new(group.delimiter(), words_aside(group.stream()).into_token_stream());
                set_aside.set_span(group.span());
                TokenTree::Group(set_aside)
            }
            other => other,
        })
        .collect()
}

/// The word at the attribute, and still with the meaning that it has where it stands.
pub(crate) fn aside(mut word: Ident) -> Ident {
    word.set_span(words_of(word.span()));
    word
}

/// Where the words stand of what is blamed at `span`.
pub(crate) fn words_of(span: Span) -> Span {
    Span::call_site().resolved_at(span)
}
