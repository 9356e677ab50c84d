//! HTML that is written so that no text of a run can be interpreted as markup.

use crate::observe::harmless;
use std::fmt::{Display, Write};

/// A page that grows.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Appends markup, which must be the caller's own.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends a text. Markup in it is escaped, and control characters are made harmless.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in harmless(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Appends a number, which needs no escaping.
    pub(super) fn number(&mut self, number: impl Display) -> &mut Self {
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "{number}");
        self
    }

    /// Appends a cell of a table.
    pub(super) fn cell(&mut self, class: &str, text: &str) -> &mut Self {
        self.raw("<td class=\"").raw(class).raw("\">").text(text).raw("</td>")
    }

    /// Appends the head of a table, which scrolls sideways by itself.
    pub(super) fn heads(&mut self, heads: &[&str]) -> &mut Self {
        self.raw("<div class=\"scroll\"><table><thead><tr>");
        for head in heads {
            self.raw("<th scope=\"col\">").text(head).raw("</th>");
        }
        self.raw("</tr></thead><tbody>\n")
    }

    /// Appends the end of a table.
    pub(super) fn end_table(&mut self) -> &mut Self {
        self.raw("</tbody></table></div>\n")
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup_and_none_plays_tricks() {
        let mut html = Html::default();
        html.raw("<p title=\"").text("\"' onclick=x <b>&amp;</b> \u{1b}[31m\u{202e}").raw("\">").cell("a", "</td>");
        let expected = "<p title=\"&quot;&#39; onclick=x &lt;b&gt;&amp;amp;&lt;/b&gt; \\u{1b}[31m\\u{202e}\"><td class=\"a\">&lt;/td&gt;</td>";
        assert_eq!(html.finish(), expected);
    }
}
