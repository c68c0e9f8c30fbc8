//! A page as one HTML file that needs nothing else: no script, no font, no address.
//!
//! Invariant: no text of the page can become markup.

use std::fmt::Write as _;

use crate::page::{Align, Block, Page, Table};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#d0d4da;--soft:#f4f6f8;--ink:#1b1f24;--paper:#fff;--warn:#fff6e0;--edge:#d99a00}
@media(prefers-color-scheme:dark){:root{--line:#3a4048;--soft:#22262b;--ink:#e6e8ea;--paper:#15181b;--warn:#33290f}}
body{margin:2rem auto;max-width:68rem;padding:0 1.2rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.7rem;line-height:1.2}
h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
p,li{max-width:46rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;margin:.6rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{background:var(--soft);font-weight:600}
th.r,td.r{text-align:right;white-space:nowrap}
.warn{background:var(--warn);border-left:4px solid var(--edge);padding:.4rem .8rem}
@media print{body{margin:0;max-width:none}.scroll{overflow:visible}}";

/// The page as a whole HTML document.
pub fn render(page: &Page) -> String {
    let title = page.blocks.iter().find_map(|block| match block {
        Block::Title(text) => Some(text.as_str()),
        Block::Heading(_)
        | Block::Text(_)
        | Block::Warning(_)
        | Block::List(_)
        | Block::Table(_) => None,
    });
    let title = escaped(title.unwrap_or("Report"));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>\n"
    );
    for block in &page.blocks {
        match block {
            Block::Title(text) => element(&mut out, "h1", text),
            Block::Heading(text) => element(&mut out, "h2", text),
            Block::Text(text) => element(&mut out, "p", text),
            Block::Warning(text) => {
                let text = escaped(text);
                writeln!(
                    out,
                    "<p class=\"warn\"><strong>Warning:</strong> {text}</p>"
                )
                .expect("a string takes all");
            }
            Block::List(points) => {
                out.push_str("<ul>\n");
                for point in points {
                    element(&mut out, "li", point);
                }
                out.push_str("</ul>\n");
            }
            Block::Table(table) => self::table(&mut out, table),
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn element(out: &mut String, name: &str, text: &str) {
    writeln!(out, "<{name}>{}</{name}>", escaped(text)).expect("a string takes all");
}

fn table(out: &mut String, table: &Table) {
    out.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
    let side = |at: usize| match table.columns[at].1 {
        Align::Left => "",
        Align::Right => " class=\"r\"",
    };
    for (at, (title, _)) in table.columns.iter().enumerate() {
        let (side, title) = (side(at), escaped(title));
        write!(out, "<th scope=\"col\"{side}>{title}</th>").expect("a string takes all");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let (side, cell) = (side(at), escaped(cell));
            write!(out, "<td{side}>{cell}</td>").expect("a string takes all");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' => safe.push(' '),
            control if control.is_control() => safe.extend(control.escape_default()),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_stands_alone() {
        let mut page = Page::titled("<script>");
        page.warning("a & b");
        let out = render(&page);
        assert!(out.contains("<title>&lt;script&gt;</title>"), "{out}");
        assert!(out.contains("</strong> a &amp; b</p>"), "{out}");
        assert!(!out.contains("http") && !out.contains("src="), "{out}");
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in any::<String>()) {
            let mut page = Page::default();
            page.text(text);
            let out = render(&page);
            let body = out.split("<p>").nth(1).unwrap().split("</p>").next().unwrap();
            prop_assert!(!body.contains('<') && !body.contains('>'));
        }
    }
}
