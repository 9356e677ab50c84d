//! The page's files as they are served: without comments and insignificant white space.
//!
//! # Invariants
//!
//! - A line of a script stays the same line, so that line numbers in a browser's console match the source, and automatic
//!   semicolon insertion does not change.
//! - Strings, templates and regular expressions are unchanged. (`tests/dashboard/browser/assets.test.mjs` compares the syntax
//!   trees of both texts, and the rules of both styles.)
//!
//! # Why not a crate
//!
//! A minifier that renames variables must understand the whole language. Without renaming this is a tenth of the size, and saves
//! half of what it could.

use std::iter::Peekable;
use std::str::Chars;

/// Returns a script without comments and without white space between tokens, except line ends.
pub(super) fn script(source: &str) -> String {
    let mut script =
        Script { rest: source.chars().peekable(), out: String::with_capacity(source.len()), templates: Vec::new(), braces: 0 };
    let mut had_space = false;
    while let Some(c) = script.rest.next() {
        let next = script.rest.peek().copied();
        match (c, next) {
            (' ' | '\t', _) => had_space = true,
            ('\n', _) => {
                script.out.push('\n');
                had_space = false;
            }
            ('/', Some('/')) => script.skip_line(),
            ('/', Some('*')) => {
                script.skip_comment();
                had_space = true;
            }
            _ => {
                if std::mem::take(&mut had_space) && script.needs_space(c) {
                    script.out.push(' ');
                }
                script.token(c);
            }
        }
    }
    script.out
}

struct Script<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// The number of open braces where each template's `${` began.
    templates: Vec<usize>,
    braces: usize,
}

/// After these words a `/` begins a regular expression; after others it divides. `of` is not a keyword, and is used as a name
/// here.
const BEFORE_VALUES: [&str; 13] =
    ["return", "typeof", "case", "in", "delete", "void", "throw", "new", "else", "do", "instanceof", "await", "yield"];

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '\\')
}

impl Script<'_> {
    fn token(&mut self, c: char) {
        let is_regex = c == '/' && self.is_value_next();
        self.out.push(c);
        match c {
            '"' | '\'' => self.copy_until(c),
            '`' => self.template(),
            '/' if is_regex => self.regex(),
            '{' => self.braces += 1,
            '}' if self.templates.last() == Some(&self.braces) => {
                self.templates.pop();
                self.template();
            }
            '}' => self.braces = self.braces.saturating_sub(1),
            _ => {}
        }
    }

    /// Copies up to the end of a string whose beginning was copied.
    fn copy_until(&mut self, end: char) {
        while let Some(c) = self.rest.next() {
            self.out.push(c);
            match c {
                '\\' => self.out.extend(self.rest.next()),
                c if c == end => return,
                _ => {}
            }
        }
    }

    /// Copies a template up to its end, or up to an expression in it.
    fn template(&mut self) {
        while let Some(c) = self.rest.next() {
            self.out.push(c);
            match c {
                '\\' => self.out.extend(self.rest.next()),
                '`' => return,
                '$' if self.rest.peek() == Some(&'{') => {
                    self.out.extend(self.rest.next());
                    self.templates.push(self.braces);
                    return;
                }
                _ => {}
            }
        }
    }

    fn regex(&mut self) {
        let mut is_in_class = false;
        while let Some(c) = self.rest.next() {
            self.out.push(c);
            match c {
                '\\' => self.out.extend(self.rest.next()),
                '[' => is_in_class = true,
                ']' => is_in_class = false,
                '/' if !is_in_class => return,
                _ => {}
            }
        }
    }

    fn skip_line(&mut self) {
        while self.rest.peek().is_some_and(|c| *c != '\n') {
            self.rest.next();
        }
    }

    fn skip_comment(&mut self) {
        let mut last = ' ';
        self.rest.next();
        for c in self.rest.by_ref() {
            if last == '*' && c == '/' {
                return;
            }
            if c == '\n' {
                self.out.push(c);
            }
            last = c;
        }
    }

    /// True if the adjacent tokens would merge without a space.
    fn needs_space(&self, next: char) -> bool {
        match (self.out.chars().next_back(), next) {
            (Some(last), next) if is_of_word(last) && is_of_word(next) => true,
            (Some('/'), next) if is_of_word(next) || matches!(next, '/' | '*') => true,
            (Some(last @ ('+' | '-')), next) => last == next,
            (Some(last), '.') => last.is_ascii_digit(),
            _ => false,
        }
    }

    /// True if a value comes next and not an operator: after an operator, and after some words.
    fn is_value_next(&self) -> bool {
        let before = self.out.trim_end();
        match before.chars().next_back() {
            Some(')' | ']' | '}' | '"' | '\'' | '`') => false,
            Some(last) if is_of_word(last) => {
                before.rsplit(|c| !is_of_word(c)).next().is_some_and(|word| BEFORE_VALUES.contains(&word))
            }
            None | Some(_) => true,
        }
    }
}

/// Returns a style sheet without comments and insignificant white space.
pub(super) fn style(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source.chars().peekable();
    let mut had_space = false;
    while let Some(c) = rest.next() {
        match c {
            c if c.is_ascii_whitespace() => had_space = true,
            '/' if rest.peek() == Some(&'*') => {
                let mut last = ' ';
                rest.next();
                for c in rest.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
                had_space = true;
            }
            c => {
                let last = out.chars().next_back();
                // A space before a colon in a selector may be significant.
                let divides = !matches!(last, None | Some('{' | '}' | ';' | ',' | '>' | ':' | '('))
                    && !matches!(c, '{' | '}' | ';' | ',' | '>' | ')' | '!');
                if std::mem::take(&mut had_space) && divides {
                    out.push(' ');
                }
                if c == '}' && last == Some(';') {
                    out.pop();
                }
                out.push(c);
                if matches!(c, '"' | '\'') {
                    copy_text(&mut rest, &mut out, c);
                }
            }
        }
    }
    out
}

fn copy_text(rest: &mut Peekable<Chars<'_>>, out: &mut String, end: char) {
    while let Some(c) = rest.next() {
        out.push(c);
        match c {
            '\\' => out.extend(rest.next()),
            c if c == end => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_keep_their_lines_their_texts_and_what_divides_tokens() {
        for (source, expected) in [
            ("const a = 1, b = { c: 'x  y' };", "const a=1,b={c:'x  y'};"),
            ("// all of it\nlet a; // and the rest\n  a += 1;", "\nlet a;\na+=1;"),
            ("/** One\n * two */ export const a = b", "\nexport const a=b"),
            ("a + +b - -c + ++d; e - f", "a+ +b- -c+ ++d;e-f"),
            ("x in y; return /a b/g.test('//') ? 1 : 2", "x in y;return/a b/g.test('//')?1:2"),
            ("a / b / c; (d) / 2 // e", "a/ b/ c;(d)/ 2"),
            ("(of / big) + `${a / of}  b`", "(of/ big)+`${a/ of}  b`"),
            ("s.split(/[/`'] \"/).map(c => c)", "s.split(/[/`'] \"/).map(c=>c)"),
            ("`a  ${ b + { c: `d  ${ e }  f` }.c }  // g`", "`a  ${b+{c:`d  ${e}  f`}.c}  // g`"),
            ("`one\n   two`  + 'it\\'s // so'", "`one\n   two`+'it\\'s // so'"),
            ("1 .toFixed(); a ?. b", "1 .toFixed();a?.b"),
            ("const naïve = 'é – ü'; #own = 1", "const naïve='é – ü';#own=1"),
        ] {
            assert_eq!(script(source), expected);
        }
    }

    #[test]
    fn styles_keep_what_selects_and_what_is_counted() {
        for (source, expected) in [
            ("/* one */ a , b > c { color : red ; margin: 0 auto; }", "a,b>c{color :red;margin:0 auto}"),
            ("a :hover, a:hover { width: calc(1px + 2px * 3) }", "a :hover,a:hover{width:calc(1px + 2px * 3)}"),
            (
                "@media (max-width: 5px) and (hover) { i::after { content: 'a  /* b */' } }",
                "@media (max-width:5px) and (hover){i::after{content:'a  /* b */'}}",
            ),
            (".a\n  .b { top: 0 !important }\n", ".a .b{top:0!important}"),
        ] {
            assert_eq!(style(source), expected);
        }
    }
}
